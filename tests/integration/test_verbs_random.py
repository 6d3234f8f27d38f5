"""Anybody does anything to errands and their children while days go by: the history explains the state after every act."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from siquan.core.calendar import Calendar, days, shipped
from siquan.core.engine.deadlines import Due
from siquan.core.engine.fold import fold
from siquan.core.errors import SiquanError
from siquan.core.plugins import discover
from siquan.core.service import Siquan
from siquan.core.service.context import Context
from siquan.core.testing.blank import in_memory
from siquan.core.testing.clock import FrozenClock, counter

CATALOGUE = discover(bundled=False, only=[Path(__file__).with_name("errand")])
CALENDAR = Calendar.of(shipped())
PEOPLE = {"he": "resident", "du": "clerk", "ren": "clerk", "lu": "lead", "shao": "officer"}
STEPS = ("send", "note", "again", "part", "pass", "done", "quick", "overdue", "agree", "refuse", "back_up", "decide", "finish", "half", "withdraw", "terminate", "close_early")
VERBS = ("return", "take_back", "suspend", "resume", "reopen")
REASONS = {"return": "papers", "suspend": "court", "reopen": "new", "withdraw": "settled", "terminate": "void", "close_early": "urgent"}
people = st.sampled_from(list(PEOPLE))


class Errands(RuleBasedStateMachine):
    cases = Bundle("cases")

    @initialize()
    def start(self) -> None:
        self.clock = FrozenClock(dt.date(2026, 9, 21))  # National Day lies ahead
        self.store = in_memory(self.clock, counter())
        self.siquan = Siquan(self.store, CATALOGUE, self.clock)
        self.all: list[str] = []
        with self.store.begin() as tx:
            tx.people.add_unit("yunxi", "district", "云溪区")
            tx.people.add_unit("guixiang", "street", "桂巷街道", "yunxi")
            tx.people.add_unit("wutongli", "community", "梧桐里社区", "guixiang")
            for name, role in PEOPLE.items():
                unit = {"lead": "guixiang", "officer": "yunxi"}.get(role, "wutongli")
                tx.people.add(name, unit_id=unit, person_id=name)
                tx.people.grant(name, role, unit, dt.date(2020, 1, 1))
            for year in shipped().values():
                tx.calendars.publish(year.year, dict(year.holidays), year.workdays, year.source, "system")

    def row(self, case: str) -> Any:
        with self.store.read() as tx:
            return tx.cases.get(case)

    def attempt(self, case: str, call: Callable[[], Any]) -> Any:
        before, history = self.row(case), self.events(case)
        try:
            return call()
        except SiquanError as fault:
            assert fault.text("zh") and fault.code not in ("SQ000", "SQ501", "SQ520")
            assert self.row(case) == before and self.events(case) == history
            return None

    def events(self, case: str) -> list[Any]:
        with self.store.read() as tx:
            return tx.events.of(case)

    def ends(self, case: str, status: str) -> dict[str, Due]:
        with self.store.read() as tx:
            return {d.name: Due.from_json(d.record) for d in tx.deadlines.of(case, status) if d.name != "suspend"}

    @rule(target=cases)
    def open(self) -> str:
        self.all.append(self.siquan.open_case("errand.errand", "he", "wutongli", {"what": "路灯"}).case)
        self.siquan.act(self.all[-1], "send", "he")
        return self.all[-1]

    @rule(case=cases, person=people, data=st.data())
    def act(self, case: str, person: str, data: st.DataObject) -> None:
        offered = [s.name for s in self.siquan.case(case, person).steps if s.allowed]
        step = data.draw(st.sampled_from(offered * 4 + list(STEPS)))
        self.attempt(case, lambda: self.siquan.act(case, step, person, {}, "x", REASONS.get(step, "")))

    @rule(target=cases, case=cases)
    def add(self, case: str) -> Any:
        made = self.attempt(case, lambda: self.siquan.add_child(case, "items", "du", {"name": "灯泡"}))
        if made is None:
            return multiple()
        self.all.append(made.case)
        return made.case

    @rule(case=cases, person=people, data=st.data())
    def verb(self, case: str, person: str, data: st.DataObject) -> None:
        offered = [v.name for v in self.siquan.case(case, person).verbs if v.allowed and v.name in VERBS]
        verb = data.draw(st.sampled_from(offered * 4 + list(VERBS)))
        to = data.draw(st.sampled_from(["draft", "check", "check", "work"]))
        before = self.ends(case, "open")
        done = self.attempt(case, lambda: self.siquan.verb(case, verb, person, to=to, reason=REASONS.get(verb, ""), opinion="x"))
        if done is None:
            return
        if verb in ("return", "reopen"):
            self.every_deadline_exists_again(case)
        if verb == "suspend":
            assert set(self.ends(case, "paused")) == set(before) and not self.ends(case, "open")

    @rule(case=cases, days=st.sampled_from([0, 1, 3, 7, 12]))
    def a_pause(self, case: str, days: int) -> None:
        """Suspended and resumed: what was counted before it still counts, and the pause does not."""
        before, since = self.ends(case, "open"), self.clock.day
        if self.attempt(case, lambda: self.siquan.verb(case, "suspend", "du", reason="wait" if "wait" in self.reasons(case) else "court")) is None:
            return
        self.clock.move(since + dt.timedelta(days=days))
        self.siquan.sweep()
        assert self.siquan.verb(case, "resume", "du")
        after = self.ends(case, "open")
        assert set(after) == set(before)
        for name, due in after.items():
            assert due.pauses[-1] == (since, since + dt.timedelta(days=days)) and due.pauses[:-1] == before[name].pauses
            assert due.end >= before[name].end
            self.exactly(due)

    def reasons(self, case: str) -> dict[str, str]:
        with self.store.read() as tx:
            verb = Context(self.siquan.app, tx, tx.cases.get(case)).definition.spec.verb("suspend")
            return verb.step.reasons if verb is not None else {}

    @rule(case=cases, day=st.integers(0, 20), person=people)
    def seen(self, case: str, day: int, person: str) -> None:
        on = (self.clock.day - dt.timedelta(days=day)).isoformat()
        self.attempt(case, lambda: self.siquan.supply(case, person, {"seen_on": on}))

    @rule(case=cases, person=people)
    def urge(self, case: str, person: str) -> None:
        self.attempt(case, lambda: self.siquan.verb(case, "urge", person))

    @rule(one=cases, two=cases)
    def merge(self, one: str, two: str) -> None:
        self.attempt(one, lambda: self.siquan.verb(one, "merge", "du", others=[two], reason="same"))

    @rule(case=cases)
    def unmerge(self, case: str) -> None:
        self.attempt(case, lambda: self.siquan.verb(case, "unmerge", "du"))

    @rule(days=st.sampled_from([1, 1, 2, 3, 5, 8, 13, -2]))
    def time_passes(self, days: int) -> None:
        self.clock.move(self.clock.day + dt.timedelta(days=days))
        assert self.siquan.sweep()["failed"] == 0

    def every_deadline_exists_again(self, case: str) -> None:
        with self.store.read() as tx:
            row = tx.cases.get(case)
            context = Context(self.siquan.app, tx, row)
            want = {d.name for d in context.state.dues if not d.start or context.evaluate(d.start) is not None}
            have = {d.name for d in tx.deadlines.of(case, "open") if d.state == row.state}
            assert want == have and [t.state for t in tx.tasks.of(case, only_open=True)] == [row.state]

    @invariant()
    def the_history_explains_the_state(self) -> None:
        for case in getattr(self, "all", ()):
            with self.store.read() as tx:
                row, events, due = tx.cases.get(case), tx.events.of(case), tx.deadlines.next_of(case)
                tasks = [t.state for t in tx.tasks.of(case, only_open=True)]
                rows = [d for d in tx.deadlines.of(case) if d.status in ("open", "paused")]
            story = fold(events)
            assert (story.state, story.revision, story.outcome) == (row.state, row.revision, row.outcome or "")
            # no task without a live state, no live state without a task
            assert tasks == ([row.state] if row.is_open else [])
            assert row.due_on == due and (row.is_open or not rows)
            assert {d.state for d in rows} <= {row.state} and len({d.name for d in rows}) == len(rows)
            still = bool(story.pauses) and not story.pauses[-1][1]
            assert still == ("stop" in story.held.values())
            for d in rows:
                shown = Due.from_json(d.record)
                assert d.status == ("paused" if still and d.name != "suspend" else "open")
                assert shown.end == d.end_date
                if d.status == "open":
                    self.exactly(shown)
                    # every finished pause since it began is in the sum, and none is still open
                    late = [] if story.absorbed else [p for p in story.pauses if p[1] > shown.start.isoformat() and d.name != "suspend"]
                    have = {(str(a), str(b)) for a, b in shown.pauses}
                    assert set(late) <= have and all(b is not None for _, b in shown.pauses)

    def exactly(self, due: Due) -> None:
        """Start and last day hold just as many counted days as the deadline has, pauses left out."""

        def paused(day: dt.date) -> bool:
            return any(a <= day < b for a, b in due.pauses if b is not None)

        counted = [d for d in days(due.start + dt.timedelta(days=1), due.end) if not paused(d) and (due.unit != "workday" or CALENDAR.is_workday(d))]
        if due.unit == "workday":
            assert len(counted) == due.n
        else:  # a last day on a rest day moves on
            rest = [d for d in counted[due.n :] if d == due.end or not CALENDAR.is_workday(d)]
            assert len(counted) == due.n + len(rest) and CALENDAR.is_workday(due.end)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            assert self.siquan.audit_verify() == [] and self.siquan.replay() == []
            self.store.close()


Errands.TestCase.settings = settings(max_examples=25, stateful_step_count=35, deadline=None, suppress_health_check=list(HealthCheck))
test_errands = Errands.TestCase
