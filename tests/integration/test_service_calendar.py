"""A year proposed, tried on the open deadlines, published or corrected by an administrator; bad input refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from siquan.core.calendar import BadCalendar
from siquan.core.errors import BadInput, NoAccess, NotFound, SiquanError
from siquan.core.service.years import CalendarChanged

D = dt.date
LONG = """
process: long
title: 长期限
roles: {community: 社区, street: 街道@street}
facts: {begins: {title: 起, type: date, by: community}}
states:
  doing:
    title: 办理
    dues:
      work: {title: 办结, after: 30 workdays, remind: 5 workdays, cite: 本地设定, basis: LOCAL}
      month: {title: 满月, after: 1 months, start: begins}
    finish: {title: 办结, by: community, to: done}
  done: {title: 已办, final: true}
"""
YEAR = {
    "year": 2027, "source": "国务院办公厅关于2027年部分节假日安排的通知",
    "holidays": [{"name": "元旦", "from": "2027-01-01", "to": "2027-01-03"}, {"name": "春节", "from": "2027-02-05", "to": "2027-02-11"}],
    "workdays": ["2027-01-30", "2027-02-20"],
}  # fmt: skip


@pytest.fixture
def town(sqlite_url: str, write_plugin: Any, make_town: Any) -> Any:
    return settled(make_town(sqlite_url, write_plugin("long", LONG), D(2026, 12, 14)))


@pytest.fixture
def any_town(database: str, write_plugin: Any, make_town: Any) -> Any:
    return settled(make_town(database, write_plugin("long", LONG), D(2026, 12, 14)))


def settled(town: Any) -> Any:
    town.settle([("du", "wutongli", "community"), ("fang", "yunxi", "admin"), ("small", "guixiang", "admin"), ("gao", "guixiang", "street")])
    return town


def opened(town: Any) -> str:
    case: str = town.siquan.open_case("long", "du", facts={"begins": "2026-12-01"}).case
    return case


def test_a_preview_says_what_publishing_does(any_town: Any) -> None:
    town = any_town
    case = opened(town)
    rows = {d.name: d for d in town.deadlines(case)}
    assert (rows["work"].end_date, rows["month"].end_date) == (D(2027, 1, 25), D(2027, 1, 1)) and rows["work"].provisional
    change = town.siquan.try_year(2027, YEAR, "fang")
    assert (change.published, change.version, change.total) == (False, 3, 2)
    assert sorted((m.deadline, m.old, m.new) for m in change.moved) == [
        ("办结", D(2027, 1, 25), D(2027, 1, 26)), ("满月", D(2027, 1, 1), D(2027, 1, 4)),
    ]  # fmt: skip
    assert (D(2027, 1, 1), "workday", "holiday", "元旦") in change.days and (D(2027, 1, 30), "weekend", "makeup", "") in change.days
    assert town.deadlines(case)[0].end_date == D(2027, 1, 1) and len(town.events(case)) == 1, "nothing was written"
    version, moved = town.siquan.set_year(2027, YEAR, "fang", change.version, "k1")
    assert version == 4 and sorted(moved) == [(case, D(2027, 1, 1), D(2027, 1, 4)), (case, D(2027, 1, 25), D(2027, 1, 26))]
    event = town.events(case)[-1]
    assert (event.kind, event.actor, event.data["deadlines"], event.data["version"]) == ("calendar", "fang", ["month", "work"], 4)
    assert not any(d.provisional for d in town.deadlines(case)) and town.case(case).due_on == D(2027, 1, 4)
    assert town.siquan.set_year(2027, YEAR, "fang", change.version, "k1") == (4, []), "the same request once more"
    town.whole()


def test_a_correction_moves_what_was_certain(any_town: Any) -> None:
    town = any_town
    town.siquan.set_year(2027, YEAR, "fang")
    case = opened(town)
    corrected = {**YEAR, "holidays": [*YEAR["holidays"], {"name": "更正", "from": "2027-01-25", "to": "2027-01-26"}], "source": "更正通知"}  # type: ignore[misc]
    change = town.siquan.try_year(2027, corrected, "fang")
    assert change.published and [(m.deadline, m.old, m.new) for m in change.moved] == [("办结", D(2027, 1, 26), D(2027, 1, 28))]
    town.siquan.set_year(2027, corrected, "fang", change.version)
    row = next(d for d in town.deadlines(case) if d.name == "work")
    assert (row.end_date, row.calendar_version, row.log[-1]["from"], row.log[-1]["to"]) == (D(2027, 1, 28), 5, "2027-01-26", "2027-01-28")
    view = town.siquan.deadline(row.id, "du")
    assert view.calendar == 5 and (2027, 5, "更正通知") in view.calendar_years
    assert [c.kind for c in view.changes] == ["opened", "moved"] and "放假安排" in view.changes[1].text
    assert len(view.days) == (row.end_date - view.start).days + 1, "every day, none left out"
    assert [d.n for d in view.days if d.n][-1] == 30 and {d.kind for d in view.days} == {"start", "n", "off", "end"}
    assert view.alarms[0][:2] == (D(2027, 1, 19), 0) and "民法典 201 条" in view.cite
    page = town.siquan.calendar_year(2027, "fang")
    assert page.published and page.version == 5 and [v.source for v in page.versions] == ["更正通知", YEAR["source"]] and page.may_publish
    assert sum(m.workdays for m in page.months) == 261 - 8 + 2 and not town.siquan.calendar_year(2028, "du").published
    town.whole()


def test_every_open_deadline_gets_the_new_version_once(town: Any) -> None:
    case = opened(town)
    near = town.siquan.open_case("long", "du").case
    town.siquan.set_year(2030, {**YEAR, "year": 2030, "holidays": [{"name": "元旦", "from": "2030-01-01"}], "workdays": []}, "fang")
    assert {d.calendar_version for c in (case, near) for d in town.deadlines(c)} == {4}
    assert len(town.events(near)) == 1, "nothing moved, so no event"
    with town.store.read() as tx:
        assert tx.deadlines.counted_before(4) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": "  "}, "没有写来源"),
        ({"holidays": []}, "一天放假也没有"),
        ({"holidays": [*YEAR["holidays"], {"name": "重", "from": "2027-02-11", "to": "2027-02-12"}]}, "写了两次"),  # type: ignore[misc]
        ({"workdays": ["2027-01-30", "2027-01-30"]}, "写了两次"),
        ({"workdays": ["2027-02-06"]}, "既放假又补班"),
        ({"workdays": ["2027-03-03"]}, "不是周六、周日"),
        ({"workdays": ["2028-03-04"]}, "不在这一年"),
        ({"holidays": [{"name": "元旦", "from": "2026-06-01"}]}, "不在这一年"),
        ({"holidays": [{"name": "元旦", "from": "2027-01-03", "to": "2027-01-01"}]}, "不成一段"),
        ({"holidays": [{"name": "元旦", "from": "一月一日"}]}, "须有"),
        ({"year": 2026, "holidays": [{"name": "元旦", "from": "2026-01-01"}], "workdays": []}, "文件写的是 2026 年"),
    ],
)
def test_bad_input_changes_nothing(town: Any, change: dict[str, Any], words: str) -> None:
    for call in (town.siquan.try_year, town.siquan.set_year):
        with pytest.raises(BadCalendar) as info:
            call(2027, {**YEAR, **change}, "fang")
        assert words in info.value.text("zh")
    assert not town.siquan.calendar_year(2027, "fang").published


def test_who_may_publish(town: Any) -> None:
    for person in ("du", "small", "nobody"):
        for call in (town.siquan.try_year, town.siquan.set_year):
            with pytest.raises(NoAccess):
                call(2027, YEAR, person)
    assert not town.siquan.calendar_year(2027, "small").may_publish
    case = opened(town)
    with pytest.raises(NoAccess):
        town.siquan.case(case, "fang")  # the administrator's post shows him no case
    assert town.siquan.overdue("fang").rows == ()


def test_published_meanwhile(town: Any) -> None:
    seen = town.siquan.try_year(2027, YEAR, "fang").version
    town.siquan.set_year(2027, YEAR, "fang", seen)
    with pytest.raises(CalendarChanged):
        town.siquan.set_year(2027, YEAR, "fang", seen)
    with pytest.raises(SiquanError):
        town.siquan.set_year(2027, {**YEAR, "source": "另一份"}, "fang", None, "k" * 200)


def test_years_out_of_reason(town: Any) -> None:
    for call in (lambda: town.siquan.calendar_year(1, "fang"), lambda: town.siquan.propose_year(99999)):
        with pytest.raises(BadInput):
            call()
    assert town.siquan.propose_year(2027)["partial"] is True


def test_what_presses(town: Any) -> None:
    case = opened(town)
    view = town.siquan.overdue("gao")
    assert view.rows == () and view.total == 0
    town.clock.move(D(2027, 1, 5))
    town.siquan.sweep()
    view = town.siquan.overdue("gao")
    assert [(r.deadline_title, r.lamp, r.who) for r in view.rows] == [("满月", "red", ("du",))] and view.over == 1
    assert [(b.title, b.depth, b.over) for b in view.units] == [("云溪区", 0, 1), ("桂巷街道", 1, 1), ("梧桐里社区", 2, 1)]
    assert [(b.id, b.over, b.soon) for b in view.processes] == [("long.long", 1, 0)]
    town.clock.move(D(2027, 1, 20))
    view = town.siquan.overdue("gao")
    assert [(r.deadline_title, r.lamp) for r in view.rows] == [("满月", "red"), ("办结", "yellow")]
    assert town.siquan.overdue("gao", "xiaoqiaotou").rows == () and town.siquan.overdue(None, "wutongli").total == 2
    with pytest.raises(NotFound):
        town.siquan.overdue("gao", "nowhere")
    assert town.siquan.case(case, "du").dues[0].lamp == "red"
    with pytest.raises(NoAccess):
        town.siquan.deadline(view.rows[0].deadline, "nobody")
    with pytest.raises(NotFound):
        town.siquan.deadline("x", "du")


def test_a_process_sets_its_own_lamp(sqlite_url: str, write_plugin: Any, make_town: Any) -> None:
    own = LONG + "parameters: {lamp.yellow: {2020-01-01: {value: 10, basis: LOCAL, cite: 本地设定}}}\n"
    town = make_town(sqlite_url, write_plugin("long", own), D(2026, 11, 23))
    town.settle([("du", "wutongli", "community")])
    case = town.siquan.open_case("long", "du").case
    assert town.siquan.case(case, "du").dues[0].lamp == "green"
    town.clock.move(D(2026, 11, 30))
    assert town.siquan.case(case, "du").dues[0].lamp == "yellow"
