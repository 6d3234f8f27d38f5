"""Random versions of a process and random open cases: the plan's word is kept, and an undo gives back an equal case."""

from __future__ import annotations

import datetime as dt
import functools
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siquan.core.engine.fold import fold
from siquan.core.errors import SiquanError
from siquan.core.plugins import Catalogue, discover
from siquan.core.service import Siquan
from siquan.core.service.moving import MigrationRefused
from siquan.core.testing.blank import in_memory
from siquan.core.testing.clock import FrozenClock, counter

PEOPLE = {"he": "resident", "du": "community", "ren": "community", "shao": "district", "zuo": "clerk", "author": "policy_author", "boss": "admin"}

versions = st.fixed_dictionaries(
    {
        "desk": st.sampled_from(["community", "community", "audit"]), "check": st.sampled_from(["district", "district", "review", ""]),
        "due": st.sampled_from([None, 3, 8]), "then": st.sampled_from(["remind", "reject"]), "more": st.booleans(),
        "amount": st.sampled_from(["decimal", "decimal", "integer", "text", "date"]), "least": st.sampled_from([0, 100]),
        "reason": st.sampled_from(["text", "text", "integer", ""]), "by": st.sampled_from(["community", "community", "clerk", "nobody"]),
        "final": st.booleans(), "from": st.sampled_from([5000, 3000]),
    }
)  # fmt: skip
#: what is done to a case before and what is known of it
walks = st.lists(st.tuples(st.sampled_from([50, 4000, "6000.50", 90_000]), st.sampled_from(["改灯", "12"]), st.integers(0, 3)), min_size=1, max_size=4)


def text_of(v: dict[str, Any]) -> str:
    """The approval example with parts of it exchanged; JSON is YAML."""
    desk, check = v["desk"], v["check"]
    facts: dict[str, Any] = {"amount": {"title": "金额", "type": v["amount"], "by": "resident"}}
    if v["amount"] in ("decimal", "integer"):
        facts["amount"]["min"] = v["least"]
    if v["reason"]:
        facts["reason"] = {"title": "事由", "type": v["reason"], "by": "resident"}
    numbers = v["amount"] in ("decimal", "integer")
    passing: dict[str, Any] = {"title": "同意", "by": v["by"], "to": check or "approved"}
    if numbers:
        passing |= {"decide": "level", "to": {"more": check or "approved", "done": "approved"}}
    at_desk: dict[str, Any] = {"title": "审核", "pass": passing, "reject": {"title": "不同意", "by": v["by"], "to": "rejected"}}
    dues = {"look": {"after": f"{v['due']} workdays", "then": v["then"]}} if v["due"] else {}
    if v["more"]:
        dues["again"] = {"after": "1 months", "then": "remind"}
    if dues:
        at_desk["dues"] = dues
    states: dict[str, Any] = {"draft": {"title": "起草", "submit": {"title": "提交", "by": "resident", "needs": list(facts), "to": desk}}, desk: at_desk}
    if check:
        at: dict[str, Any] = {"title": "确认", "dues": {"look": {"after": "5 workdays", "then": "remind"}}}
        states[check] = {**at, "pass": {"title": "同意", "by": "district", "not_same_as": desk, "to": "approved"}}
    states |= {"approved": {"title": "已同意", "final": True}, "rejected": {"title": "未同意", "final": True}}
    process: dict[str, Any] = {
        "process": "approval", "title": "审批", "roles": {"resident": "申请人", "community": "社区", "district": "区", "clerk": "文员", "nobody": "空缺"},
        "if_nobody": {"nobody": "block"}, "facts": facts, "states": states,
    }  # fmt: skip
    if numbers:
        rows = [{"id": "L1", "amount": "> district_from", "out": "more"}, {"id": "L2", "amount": "<= district_from", "out": "done"}]
        process["parameters"] = {"district_from": {"2026-01-01": {"value": v["from"], "basis": "LOCAL", "cite": "本地"}}}
        process["rules"] = {"level": {"hit_policy": "U", "inputs": ["amount"], "rows": rows}}
    return json.dumps(process, ensure_ascii=False)


@functools.lru_cache(maxsize=500)
def catalogue_of(text: str) -> Catalogue:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "approval.yaml"
        file.write_text(text, encoding="utf-8")
        found = discover(bundled=False, only=[file])
    broken = [f.error.full() for f in found.found if f.error]
    assert not broken, broken
    return found


@pytest.fixture(scope="module", autouse=True)
def forget() -> Iterator[None]:
    yield
    catalogue_of.cache_clear()


def walk(siquan: Siquan, amount: Any, reason: str, steps: int) -> str:
    """A case some steps on; a step nobody can take is left out."""
    case = siquan.open_case("approval", "he").case
    for n in range(steps):
        try:
            if n == 0:
                needed = siquan.app.definition("approval").schema.top
                siquan.act(case, "submit", "he", {k: v for k, v in (("amount", "2026-05-05" if needed["amount"].type == "date" else amount), ("reason", reason)) if k in needed})
            elif n == 1:
                siquan.supply(case, "du", {"amount": 7000})
            else:
                siquan.act(case, "pass", "du")
        except SiquanError:
            break
    return case


def image(siquan: Siquan, case: str) -> Any:
    with siquan.app.store.read() as tx:
        row, story = tx.cases.get(case), fold(tx.events.of(case))
        tasks = [(t.state, t.closed_at) for t in tx.tasks.of(case, only_open=True)]
        dues = [(d.id, d.state, d.name, d.end_date, d.status, d.then, d.record) for d in tx.deadlines.of(case) if d.status in ("open", "fired")]
        facts = {p: f.commitment for p, f in tx.facts.current(case).items()}
    return row.definition_hash, row.state, row.outcome, row.due_on, row.title, tasks, dues, facts, story.state, story.acted, story.fired, story.entered, story.visited, story.facts


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(old=versions, new=versions, walks=walks, mapped=st.booleans(), late=st.integers(0, 20), touched=st.booleans())
def test_the_plans_word_is_kept(old: Any, new: Any, walks: Any, mapped: bool, late: int, touched: bool) -> None:
    clock = FrozenClock(dt.date(2026, 11, 23))
    with in_memory(clock, counter()) as store:
        before = Siquan(store, catalogue_of(text_of(old)), clock)
        with store.begin() as tx:
            tx.people.add_unit("yunxi", "district", "云溪区")
            tx.people.add_unit("wutongli", "community", "梧桐里社区", "yunxi")
            for name, role in PEOPLE.items():
                tx.people.add(name, unit_id="wutongli", person_id=name)
                tx.people.grant(name, role, "yunxi" if role in ("district", "admin", "policy_author") else "wutongli", dt.date(2020, 1, 1))
        cases = [walk(before, *w) for w in walks]
        clock.move(clock.day + dt.timedelta(days=late))
        before.sweep()
        siquan = Siquan(store, catalogue_of(text_of(new)), clock)
        names = {a: b for a, b in ((old["desk"], new["desk"]), (old["check"], new["check"])) if a and b and a != b}
        mapping = [f"{a}={b}" for a, b in names.items()] if mapped else []
        images = {c: image(siquan, c) for c in cases}
        open_ = {c for c in cases if images[c][2] is None}
        plan = siquan.plan_migration("approval", "author", [m for m in mapping if _stands(siquan, m)], dry_run=True)
        mapping = [f"{a}={b}" for _, a, b in plan.mapping]
        said = {c.case: c.kind for c in plan.cases}
        assert plan.dry == () and {c: image(siquan, c) for c in cases} == images
        if not plan.counts["free"]:
            with pytest.raises(MigrationRefused):
                siquan.propose_migration("approval", "author", "修订", mapping)
            return
        assert set(said) == open_
        row = siquan.propose_migration("approval", "author", "修订", mapping)
        done = siquan.confirm_migration(row.id, "boss")
        free = {c for c, kind in said.items() if kind == "free"}
        assert {c.case for c in done.cases if c.kind == "moved"} == free and not done.done.get("failed")
        for case in cases:
            now = image(siquan, case)
            if case not in free:
                assert now == images[case]
                continue
            assert now[0] == done.to_hash and now[1] == now[8] and now[5] == [(now[1], None)]
        assert siquan.replay() == [] and siquan.audit_verify() == []
        acted = set()
        if touched:
            first = min(free)
            try:
                siquan.supply(first, "he", {"amount": "2026-01-01" if new["amount"] == "date" else 5000})
                acted.add(first)
            except SiquanError:
                pass
        undone = siquan.undo_migration(row.id, "boss", "改回")
        assert {c.case for c in undone.cases if c.kind == "kept"} == acted
        for case in free - acted:
            assert image(siquan, case) == images[case]
        assert siquan.replay() == [] and siquan.audit_verify() == []


def _stands(siquan: Siquan, mapping: str) -> bool:
    """A mapping from a state no case and no version knows is refused; which there are depends on the walk."""
    try:
        siquan.plan_migration("approval", "author", [mapping])
    except SiquanError:
        return False
    return True
