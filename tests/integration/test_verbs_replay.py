"""The replay stays without differences after verbs, sees what was changed past the events, and suspended or merged cases
are neither migrated nor repaired."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from siquan.core.engine.fold import fold
from siquan.core.service.context import Context
from siquan.core.service.fitting import NEVER, family
from siquan.core.service.repairing import RepairRefused
from siquan.core.store import tables as t

PEOPLE = (
    ("he", "wutongli", "resident"), ("du", "wutongli", "clerk"), ("ren", "wutongli", "clerk"), ("lu", "guixiang", "lead"),
    ("shao", "yunxi", "officer"), ("admin", "yunxi", "admin"), ("admin2", "yunxi", "admin"),
)  # fmt: skip


@pytest.fixture
def town(sqlite_url: str, load_plugins: Callable[..., Any], make_town: Callable[..., Any]) -> Any:
    made = make_town(sqlite_url, load_plugins(Path(__file__).with_name("errand")))
    made.settle(PEOPLE)
    return made


def sent(town: Any) -> str:
    case = str(town.siquan.open_case("errand.errand", "he", facts={"what": "路灯不亮"}).case)
    town.siquan.act(case, "send", "he")
    return case


def clean(town: Any) -> bool:
    return town.siquan.replay() == [] and town.siquan.audit_verify() == []


def test_the_replay_is_clean_after_every_verb_and_sees_a_forged_row(town: Any) -> None:
    verb = town.siquan.verb
    case, other = sent(town), sent(town)
    verb(case, "take_back", "he")
    assert clean(town)
    town.siquan.act(case, "send", "he")
    verb(case, "suspend", "du", reason="court")
    assert clean(town)
    town.clock.move(town.clock.day + dt.timedelta(days=3))
    town.siquan.sweep()
    with town.store.begin() as tx:
        tx.conn.execute(sa.update(t.deadline).where(t.deadline.c.case_id == case, t.deadline.c.status == "paused").values(status="open"))
    assert {d["what"] for d in town.siquan.replay()} >= {"deadline"}
    with town.store.begin() as tx:
        tx.conn.execute(sa.update(t.deadline).where(t.deadline.c.case_id == case, t.deadline.c.name != "suspend", t.deadline.c.status == "open").values(status="paused"))
    assert clean(town)
    verb(case, "resume", "du")
    assert clean(town)
    moved = [h for d in town.deadlines(case) for h in d.log if h["k"] == "moved"]
    resumed = town.events(case)[-1]
    assert moved and {(h["why"], h["seq"]) for h in moved} == {("pause", resumed.seq)}
    verb(case, "merge", "du", others=[other], reason="same")
    assert clean(town)
    with town.store.begin() as tx:
        tx.conn.execute(sa.update(t.case_link).where(t.case_link.c.case_id == other).values(ended_at=tx.at))
    assert [d["what"] for d in town.siquan.replay(other)] == ["merged"]
    with town.store.begin() as tx:
        tx.conn.execute(sa.update(t.case_link).where(t.case_link.c.case_id == other).values(ended_at=None))
    verb(other, "unmerge", "du")
    verb(case, "return", "du", to="draft", reason="papers")
    assert clean(town)


def test_suspended_and_merged_cases_are_neither_repaired_nor_moved(town: Any) -> None:
    case, other = sent(town), sent(town)
    town.siquan.verb(case, "suspend", "du", reason="court")
    with pytest.raises(RepairRefused):
        town.siquan.propose_repair(case, "admin", "draft", "卡住")
    with town.store.read() as tx:
        context = Context(town.siquan.app, tx, tx.cases.get(case))
        found = family(context, town.siquan.app.in_force(tx, "errand.errand"), {})
        assert found.kind == NEVER and [w.code for _, w in found.reasons] == ["suspended"]
    town.siquan.verb(case, "resume", "du")
    town.siquan.verb(case, "merge", "du", others=[other], reason="same")
    with pytest.raises(RepairRefused):
        town.siquan.propose_repair(other, "admin", "draft", "卡住", True)
    assert clean(town)


def test_a_substitutes_step_is_taken_back_for_both(town: Any) -> None:
    town.siquan.substitute("he", "ren", town.clock.day, town.clock.day, "he")
    case = str(town.siquan.open_case("errand.errand", "he", facts={"what": "井盖"}).case)
    town.siquan.act(case, "send", "ren")
    assert fold(town.events(case)).acted["draft"] == {"he", "ren"}
    town.siquan.verb(case, "take_back", "ren")
    story = fold(town.events(case))
    assert story.state == "draft" and story.acted["draft"] == set() and story.fired["send"] == set() and clean(town)


def test_what_a_clock_that_was_set_back_dates_before_the_stay_belongs_to_it(town: Any) -> None:
    case = sent(town)
    town.clock.move(town.clock.day - dt.timedelta(days=2))
    town.siquan.supply(case, "du", {"seen_on": town.clock.day.isoformat()})
    (visit,) = (d for d in town.deadlines(case) if d.name == "visit")
    assert visit.status == "open" and clean(town)
    with town.store.begin() as tx:
        tx.conn.execute(sa.update(t.deadline).where(t.deadline.c.id == visit.id).values(created_at=visit.created_at - dt.timedelta(days=30)))
    assert [(d["what"], d["name"]) for d in town.siquan.replay()] == [("deadline", "visit")]
