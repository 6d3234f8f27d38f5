"""Deadlines of live cases: worked out on entering a state, again when a fact or the calendar changes, fired by the sweep."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from siquan.core.service import clockwork
from siquan.core.service.refusal import StepRefused
from siquan.core.store.database import DatabaseBusy

D = dt.date
REPAIR = """
process: repair
title: 报修
roles: {community: 社区, district: 区}
facts:
  begins: {title: 开工日, type: date, by: community}
  days: {title: 工期, type: integer, min: 0, by: community}
  bill: {title: 账单号, type: text, by: district}
states:
  waiting:
    title: 待修
    dues:
      look: {title: 查看, after: 3 workdays, then: remind}
      work: {title: 完工, after: days days, start: begins, then: lapse}
    do:
      accept: {title: 验收, by: community, not_before: work, to: done}
      give_up: {title: 撤回, by: community, to: done}
      again: {title: 重新派单, by: community, to: waiting}
      lapse: {title: 逾期, by: community, opinion: required, to: late}
  late:
    title: 逾期
    due: {title: 收回, after: 1 days, then: recall}
    recall: {title: 收回, by: district, to: billed}
  billed:
    title: 结算
    due: {title: 付款, after: 1 days, then: pay}
    pay: {title: 付款, by: district, needs: [bill], to: done}
    reopen: {title: 退回, by: district, to: waiting}
  done: {title: 办结, final: true}
"""


@pytest.fixture
def repair(sqlite_url: str, write_plugin: Any, make_town: Any) -> Any:
    return repairs(sqlite_url, write_plugin, make_town)


@pytest.fixture
def any_repair(database: str, write_plugin: Any, make_town: Any) -> Any:
    return repairs(database, write_plugin, make_town)


def repairs(url: str, write_plugin: Any, make_town: Any) -> Any:
    town = make_town(url, write_plugin("repair", REPAIR))
    town.settle([("du", "wutongli", "community"), ("shao", "yunxi", "district")])
    return town


def opened(town: Any, **facts: Any) -> str:
    case: str = town.siquan.open_case("repair", "du", facts=facts).case
    return case


def rows(town: Any, case: str) -> list[tuple[str, str, str]]:
    return [(d.name, d.end_date.isoformat()[5:], d.status) for d in town.deadlines(case)]


def test_a_deadline_starts_when_its_state_is_entered(repair: Any) -> None:
    case = opened(repair)
    assert rows(repair, case) == [("look", "11-26", "open")], "the start of the other is not known"
    assert repair.case(case).due_on == D(2026, 11, 26)
    [due] = repair.siquan.case(case, "du").dues
    assert "3 个工作日" in due.line and "11-26" in due.line and not due.provisional


def test_a_new_fact_moves_it(repair: Any) -> None:
    siquan, case = repair.siquan, opened(repair)
    siquan.supply(case, "du", {"begins": "2026-11-25", "days": 2})
    assert rows(repair, case) == [("look", "11-26", "open"), ("work", "11-27", "open")]
    siquan.supply(case, "du", {"days": 0})
    assert rows(repair, case) == [("work", "11-25", "open"), ("look", "11-26", "open")]
    assert repair.case(case).due_on == D(2026, 11, 25)
    siquan.supply(case, "du", {"begins": "2026-12-01", "days": 5})
    # 12-06 is a Sunday and moves on (民法典 203)
    assert rows(repair, case)[-1] == ("work", "12-07", "open")
    siquan.supply(case, "du", {"begins": None})
    assert rows(repair, case)[-1] == ("work", "12-07", "cancelled")
    assert repair.case(case).due_on == D(2026, 11, 26)
    repair.whole()


def test_what_may_not_be_done_before_a_time_waits_for_it(repair: Any) -> None:
    siquan, case = repair.siquan, opened(repair)
    with pytest.raises(StepRefused) as info:
        siquan.act(case, "accept", "du")
    assert [b.kind for b in info.value.blocks] == ["time"], "a time nobody can work out has not passed"
    siquan.supply(case, "du", {"begins": "2026-11-23", "days": 2})
    repair.clock.move(D(2026, 11, 25))
    with pytest.raises(StepRefused):
        siquan.act(case, "accept", "du")
    repair.clock.move(D(2026, 11, 26))
    assert siquan.act(case, "accept", "du").state == "done"


def test_the_deadline_of_a_left_state_never_fires(repair: Any) -> None:
    siquan, case = repair.siquan, opened(repair)
    siquan.act(case, "again", "du")
    assert rows(repair, case) == [("look", "11-26", "met"), ("look", "11-26", "open")]
    siquan.act(case, "give_up", "du")
    assert {status for _, _, status in rows(repair, case)} == {"met"} and repair.case(case).due_on is None
    repair.clock.move(D(2027, 6, 1))
    assert siquan.sweep() == {"reminded": 0, "fired": 0, "failed": 0}
    assert [e.kind for e in repair.events(case)] == ["opened", "acted", "acted"]


def test_it_fires_the_day_after_its_last_day_and_once(repair: Any) -> None:
    siquan, case = repair.siquan, opened(repair)
    repair.clock.move(D(2026, 11, 26))
    assert siquan.sweep()["reminded"] == 0, "the last day lasts until 24:00"
    repair.clock.move(D(2026, 11, 27))
    assert siquan.sweep() == {"reminded": 1, "fired": 0, "failed": 0}
    assert siquan.sweep() == {"reminded": 0, "fired": 0, "failed": 0}
    last = repair.events(case)[-1]
    assert (last.kind, last.actor, last.data["name"], last.data["end"]) == ("deadline", "system", "look", "2026-11-26")
    assert repair.case(case).due_on == D(2026, 11, 26), "reminded of, it stays late until the state is left"
    assert siquan.case(case, "du").dues[0].kind == "over" and repair.case(case).state == "waiting"
    siquan.act(case, "give_up", "du")
    assert repair.case(case).due_on is None
    repair.whole()


def test_one_that_fired_opens_again_when_its_start_moves_on(repair: Any) -> None:
    siquan = repair.siquan
    case = siquan.open_case("repair", "du").case
    repair.clock.move(D(2026, 11, 30))
    assert siquan.sweep()["reminded"] == 1
    siquan.supply(case, "du", {"begins": "2026-11-30", "days": 9})
    assert rows(repair, case) == [("look", "11-26", "open"), ("work", "12-09", "open")], "the late one stays late"
    assert siquan.sweep()["reminded"] == 0, "nobody is reminded twice of the same day"


def test_the_clock_takes_a_step(repair: Any) -> None:
    """It needs no post and no opinion, but what the step needs it needs too."""
    siquan, case = repair.siquan, opened(repair, begins="2026-11-23", days=1)
    repair.clock.move(D(2026, 11, 25))
    assert siquan.sweep() == {"reminded": 0, "fired": 1, "failed": 0}
    assert [r for r in rows(repair, case) if r[2] == "open"] == [("due", "11-26", "open")]
    view = siquan.case(case, "du")
    assert view.state == "late" and view.events[0].who == "系统"
    repair.clock.move(D(2026, 11, 27))
    assert siquan.sweep()["fired"] == 1 and repair.case(case).state == "billed"
    repair.clock.move(D(2026, 12, 1))
    assert siquan.sweep() == {"reminded": 0, "fired": 0, "failed": 1}, "nobody gave the number of the bill"
    assert siquan.sweep()["failed"] == 0 and repair.case(case).state == "billed"
    with repair.store.read() as tx:
        [incident] = tx.incidents.of(case)
    assert incident.kind == "deadline" and "账单号" in incident.message
    assert siquan.act(case, "pay", "shao", {"bill": "B1"}).state == "done"
    repair.whole()


def test_a_busy_database_loses_no_deadline(repair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    siquan, case = repair.siquan, opened(repair, begins="2026-11-23", days=1)
    repair.clock.move(D(2026, 11, 25))

    def busy(*args: Any) -> None:
        raise DatabaseBusy(seconds=30)

    with monkeypatch.context() as patched:
        patched.setattr(siquan._acts, "_act", busy)
        assert siquan.sweep() == {"reminded": 0, "fired": 0, "failed": 0}
    assert repair.case(case).state == "waiting" and len(repair.events(case)) == 1
    assert siquan.sweep()["fired"] == 1


def test_two_sweeps_at_once_fire_each_deadline_once(any_repair: Any) -> None:
    town = any_repair
    cases = [opened(town, begins="2026-11-20", days=n % 3) for n in range(8)]
    town.clock.move(D(2026, 11, 27))
    gate = threading.Barrier(2)

    def sweep(_: int) -> dict[str, int]:
        gate.wait()
        return dict(town.siquan.sweep())

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(sweep, range(2))
    # `work` was over first and left the state; `look` went with it
    assert {k: one[k] + two[k] for k in one} == {"reminded": 0, "fired": 8, "failed": 0}
    for case in cases:
        assert [e.kind for e in town.events(case)] == ["opened", "deadline", "acted"]
    town.whole()


def test_a_week_of_downtime_is_caught_up_in_order(any_repair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    town = any_repair
    monkeypatch.setattr(clockwork, "PAGE", 3)
    cases = [opened(town, begins=f"2026-11-{25 - n % 3}", days=n % 4) for n in range(7)]
    town.clock.move(D(2026, 12, 2))
    assert town.siquan.sweep() == {"reminded": 2, "fired": 7, "failed": 0}
    fired = [(e.at, e.data["end"]) for c in cases for e in town.events(c) if e.kind == "deadline"]
    assert [end for _, end in sorted(fired)] == sorted(end for _, end in fired), "the earliest first, over all cases"
    assert town.siquan.sweep() == {"reminded": 0, "fired": 0, "failed": 0}
    town.whole()


def test_a_year_without_calendar_is_provisional_until_it_is_published(any_repair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    town, siquan = any_repair, any_repair.siquan
    monkeypatch.setattr(clockwork, "PAGE", 2)
    town.clock.move(D(2026, 12, 30))
    cases = [opened(town) for _ in range(5)]
    near = opened(town, begins="2026-12-30", days=1)
    assert rows(town, cases[0]) == [("look", "01-04", "open")]
    [due] = siquan.case(cases[0], "du").dues
    assert due.provisional and "2027" in due.why_provisional
    left = opened(town)
    siquan.act(left, "give_up", "du")
    # the notice: 1 to 3 January off, Sunday 10 January worked
    off = {D(2027, 1, d): "元旦" for d in (1, 2, 3)}
    moved = siquan.publish_year(2027, off, {D(2027, 1, 10)}, "国办发明电", "shao")
    assert sorted(moved) == sorted((c, D(2027, 1, 4), D(2027, 1, 5)) for c in [*cases, near])
    for case in cases:
        assert rows(town, case) == [("look", "01-05", "open")]
        assert town.case(case).due_on == D(2027, 1, 5)
        event = town.events(case)[-1]
        assert (event.kind, event.actor, event.data["moved"]) == ("calendar", "shao", [["2027-01-04", "2027-01-05"]])
    assert town.case(near).due_on == D(2026, 12, 31), "counted in 2026 alone"
    assert not siquan.case(cases[0], "du").dues[0].provisional
    assert "01-05" in siquan.case(cases[0], "du").events[0].title
    assert rows(town, left) == [("look", "01-04", "met")]
    assert siquan.publish_year(2028, {}, set(), "国办发明电", "shao") == []
    town.whole()


def test_a_crash_between_publishing_and_counting_again_is_healed(repair: Any) -> None:
    repair.clock.move(D(2026, 12, 30))
    case = opened(repair)
    with repair.store.begin() as tx:
        tx.calendars.publish(2027, {D(2027, 1, d): "元旦" for d in (1, 2, 3)}, set(), "国办发明电", "shao")
    repair.siquan.sweep()
    assert rows(repair, case) == [("look", "01-05", "open")]
    repair.whole()
