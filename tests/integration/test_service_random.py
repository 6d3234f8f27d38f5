"""Anybody tries anything on approvals while days go by: the history explains the state after every step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from siquan.core.engine.fold import fold
from siquan.core.errors import SiquanError
from siquan.core.plugins import discover
from siquan.core.service import Siquan
from siquan.core.testing.blank import in_memory
from siquan.core.testing.clock import FrozenClock, counter

CATALOGUE = discover(bundled=False, only=[Path(__file__).parents[2] / "plugins" / "approval.yaml"])
PEOPLE = {"he": ["resident"], "du": ["community"], "both": ["community", "district"], "shao": ["district"], "all": ["resident", "community", "district"]}
persons = st.sampled_from([*PEOPLE, "qin", "system"])
amounts = st.sampled_from([0, 4000, 5000, "5000.01", 90_000, None, "x", -1])
texts = st.sampled_from(["", "维修", None])


class Approvals(RuleBasedStateMachine):
    cases = Bundle("cases")

    @initialize()
    def start(self) -> None:
        self.clock = FrozenClock(dt.date(2026, 11, 23))
        self.store = in_memory(self.clock, counter())
        self.siquan = Siquan(self.store, CATALOGUE, self.clock)
        self.seen: dict[str, int] = {}
        self.keys: list[tuple[str, Callable[[], Any], int]] = []
        with self.store.begin() as tx:
            tx.people.add_unit("yunxi", "district", "云溪区")
            tx.people.add_unit("wutongli", "community", "梧桐里社区", "yunxi")
            for name in (*PEOPLE, "qin"):
                tx.people.add(name, unit_id="wutongli", person_id=name)
                for role in PEOPLE.get(name, ()):
                    tx.people.grant(name, role, "yunxi" if role == "district" else "wutongli", dt.date(2020, 1, 1))

    def row(self, case: str) -> Any:
        with self.store.read() as tx:
            return tx.cases.get(case)

    def attempt(self, case: str, call: Callable[[], Any]) -> None:
        """An accepted act is one revision further; a refused one leaves the case alone."""
        before = self.row(case)
        try:
            result = call()
        except SiquanError as fault:
            assert fault.text("zh") and fault.code != "SQ000"
            assert self.row(case) == before
        else:
            assert before.is_open and result.revision == before.revision + 1 == self.row(case).revision

    @rule(target=cases, person=st.sampled_from(["he", "du", "all"]), amount=st.sampled_from([None, 100, 90_000]))
    def open(self, person: str, amount: Any) -> str:
        opened = self.siquan.open_case("approval", person, "wutongli", {"amount": amount})
        self.seen[opened.case] = 0
        return str(opened.case)

    @rule(
        case=cases, person=persons, step=st.sampled_from(["submit", "pass", "pass", "reject", "forged"]), amount=amounts, reason=texts,
        opinion=texts.filter(lambda t: t is not None), bare=st.booleans(), keyed=st.booleans(),
    )  # fmt: skip
    def act(self, case: str, person: str, step: str, amount: Any, reason: Any, opinion: str, bare: bool, keyed: bool) -> None:
        facts = {} if bare or step != "submit" else {"amount": amount, "reason": reason}
        key = f"key{len(self.keys)}" if keyed else None

        def call() -> Any:
            return self.siquan.act(case, step, person, facts, opinion, key=key)

        before = self.row(case).revision
        self.attempt(case, call)
        if key and self.row(case).revision > before:
            self.keys.append((case, call, before + 1))

    @rule(case=cases, person=persons, amount=amounts, behind=st.integers(0, 2))
    def supply(self, case: str, person: str, amount: Any, behind: int) -> None:
        revision = self.row(case).revision - behind
        self.attempt(case, lambda: self.siquan.supply(case, person, {"amount": amount}, revision=revision))

    @rule(case=cases, person=persons)
    def recuse(self, case: str, person: str) -> None:
        if self.row(case).is_open:
            self.attempt(case, lambda: self.siquan.recuse(case, person, "亲属"))

    @precondition(lambda self: self.keys)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        case, call, revision = data.draw(st.sampled_from(self.keys))
        before = self.row(case)
        result = call()
        assert result.repeated and result.revision == revision and self.row(case) == before

    @rule(days=st.integers(1, 9))
    def time_passes(self, days: int) -> None:
        self.clock.move(self.clock.day + dt.timedelta(days=days))
        self.siquan.sweep()
        assert self.siquan.sweep() == {"reminded": 0, "fired": 0, "failed": 0}

    @invariant()
    def the_history_explains_the_state(self) -> None:
        for case in getattr(self, "seen", ()):
            row = self.row(case)
            if row.revision == self.seen[case]:
                continue
            self.seen[case] = row.revision
            with self.store.read() as tx:
                events, due = tx.events.of(case), tx.deadlines.next_of(case)
                tasks = tx.tasks.of(case)
            story = fold(events)
            assert (story.state, story.revision, story.outcome) == (row.state, row.revision, row.outcome or "")
            assert [e.seq for e in events] == list(range(1, row.last_seq + 1)) and len(events) == row.revision - 1
            assert row.due_on == due and (due is None or row.is_open)
            assert [t.state for t in tasks if t.closed_at is None] == ([row.state] if row.is_open else [])
            assert not (story.acted.get("community", set()) & {e.actor for e in events if e.data.get("from") == "district" and e.data["transition"] == "pass"})
            for event in events:
                assert event.actor != "qin" and (event.actor != "system" or event.kind == "deadline")
            assert self.siquan.audit_verify(case) == [] and self.siquan.replay(case) == []

    def teardown(self) -> None:
        if hasattr(self, "store"):
            assert self.siquan.audit_verify() == []
            self.store.close()


Approvals.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
test_approvals = Approvals.TestCase
