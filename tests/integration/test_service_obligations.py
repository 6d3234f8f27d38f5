"""Obligations of live cases: opened, warned, met, missed and made up, by the clock and by acts; after any downtime the same."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siquan.core.plugins import Catalogue, discover

D = dt.date
DAY = dt.timedelta(days=1)
BODY = """
process: body
title: 常设机构
pin: none
roles: {community: 社区, street: 街道@street}
parameters:
  grace.days: {2020-01-01: {value: 5, basis: LOCAL, cite: 本地设定}}
facts:
  began: {title: 成立日, type: date, by: community}
  ends: {title: 届满日, type: date, by: community}
  meetings:
    title: 会议
    type: list
    by: community
    fields: {date: {title: 日期, type: date}, n: {title: 到会, type: integer}}
opening: [began, ends]
obligations:
  quarterly:
    title: 每季度活动
    every: quarter
    from: began
    until: ends
    met_when: "count(meetings[date >= period.start and date <= period.end and n >= 3]) > 0"
    warn: 15 days
    grace: grace.days days
    make_up: 30 days
    by: community
    basis: POLICY
    cite: S0
  report:
    title: 每月报告
    every: month
    from: began
    act: report
    warn: 5 days
    make_up: 10 days
  inspect: {title: 每半年检查, every: half, from: began, partial: true, child: checks}
states:
  active:
    title: 在任
    report: {title: 报告, by: community, to: same}
    note: {title: 登记会议, by: community, asks: [meetings], to: same}
    check: {title: 检查, by: street, opens: check, to: same}
    end: {title: 结束, by: community, to: over}
  over: {title: 结束, final: true}
"""
CHECK = """
process: check
title: 检查
child_of: {process: body, as: checks}
roles: {street: 街道@street}
facts: {what: {title: 查什么, type: text, by: street}}
opening: [what]
states:
  open: {title: 在查, close: {title: 查完, by: street, to: done}}
  done: {title: 查完, final: true}
"""


def plugin(folder: Path, body: str = BODY) -> Catalogue:
    (folder / "workflows").mkdir(parents=True)
    (folder / "plugin.yaml").write_text("plugin: bodies\ntitle: 机构\n", encoding="utf-8")
    for name, text in (("body", body), ("check", CHECK)):
        (folder / "workflows" / f"{name}.yaml").write_text(text, encoding="utf-8")
    found = discover(bundled=False, only=[folder])
    assert [f.error for f in found.found if f.error] == []
    return found


@pytest.fixture(scope="session")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return plugin(tmp_path_factory.mktemp("plugins") / "bodies")


PEOPLE = [("du", "wutongli", "community"), ("gao", "guixiang", "street")]


@pytest.fixture
def town(bodies: Any, make_town: Any) -> Any:
    return settled(make_town, "sqlite://", bodies)


@pytest.fixture
def any_town(database: str, bodies: Any, make_town: Any) -> Any:
    return settled(make_town, database, bodies)


def settled(make_town: Any, url: str, bodies: Any) -> Any:
    made = make_town(url, bodies, D(2026, 1, 10))
    made.settle(PEOPLE)
    return made


def opened(town: Any, **facts: Any) -> str:
    case: str = town.siquan.open_case("bodies.body", "du", facts={"began": "2026-01-01", **facts}).case
    return case


def rows(town: Any, case: str, name: str = "quarterly") -> list[tuple[str, str, str]]:
    with town.store.read() as tx:
        return [(r.start.isoformat()[2:7], r.status, r.changed_on.isoformat()[2:]) for r in tx.obligations.of(case) if r.name == name]


def story(town: Any, case: str, name: str = "quarterly") -> list[tuple[str, str, str]]:
    return [(e.data["start"][2:7], e.data["what"], e.data["on"][2:]) for e in town.events(case) if e.kind == "obligation" and e.data["obligation"] == name]


def to(town: Any, day: D) -> None:
    while town.clock.day < day:
        town.clock.move(town.clock.day + DAY)
        town.siquan.sweep()


def meet(town: Any, case: str, *days: str, n: int = 3) -> Any:
    return town.siquan.act(case, "note", "du", {"meetings": [{"date": d, "n": n} for d in days]})


def test_a_quarter_is_met_missed_and_made_up(town: Any) -> None:
    case = opened(town)
    to(town, D(2026, 4, 20))
    assert story(town, case) == [("26-04", "open", "26-04-01")], "the quarter in which the case was opened is not owed"
    seq = meet(town, case, "2026-04-20").event_seq
    assert rows(town, case) == [("26-04", "met", "26-04-20")]
    with town.store.read() as tx:
        row = next(r for r in tx.obligations.of(case) if r.name == "quarterly")
    assert (row.met_case, row.met_seq) == (case, seq), "which event did it"
    to(town, D(2026, 10, 12))
    assert rows(town, case)[1:] == [("26-07", "missed", "26-10-06"), ("26-10", "open", "26-10-01")]
    meet(town, case, "2026-04-20", "2026-09-29")
    assert rows(town, case)[1:] == [("26-07", "made_up", "26-10-12"), ("26-10", "open", "26-10-01")], "held in time, recorded late"
    assert story(town, case)[2:6] == [
        ("26-07", "open", "26-07-01"), ("26-07", "warned", "26-09-15"), ("26-10", "open", "26-10-01"), ("26-07", "missed", "26-10-06"),
    ]  # fmt: skip
    to(town, D(2027, 3, 1))
    assert rows(town, case)[2] == ("26-10", "missed", "27-01-06")
    meet(town, case, "2026-04-20", "2026-09-29", "2026-12-30")
    assert rows(town, case)[2][1] == "missed", "after the days to make up it stays missed"
    town.whole()


def test_in_the_days_of_grace_it_is_in_time(town: Any) -> None:
    case = opened(town)
    to(town, D(2026, 7, 5))
    meet(town, case, "2026-06-30")
    assert rows(town, case)[0] == ("26-04", "met", "26-07-05")


def test_too_few_is_not_met(town: Any) -> None:
    case = opened(town)
    to(town, D(2026, 4, 20))
    meet(town, case, "2026-04-20", n=2)
    assert rows(town, case) == [("26-04", "open", "26-04-01")]


def test_one_report_does_one_month(any_town: Any) -> None:
    town = any_town
    case = opened(town)
    to(town, D(2026, 3, 5))
    assert rows(town, case, "report") == [("26-02", "missed", "26-03-01"), ("26-03", "open", "26-03-01")]
    town.siquan.act(case, "report", "du")
    assert rows(town, case, "report") == [("26-02", "missed", "26-03-01"), ("26-03", "met", "26-03-05")]
    town.siquan.act(case, "report", "du")
    assert rows(town, case, "report") == [("26-02", "made_up", "26-03-05"), ("26-03", "met", "26-03-05")]
    town.siquan.act(case, "report", "du")
    town.whole()


def test_a_child_opened_in_the_period_meets_it(town: Any) -> None:
    case = opened(town)
    to(town, D(2026, 5, 1))
    assert rows(town, case, "inspect") == [("26-01", "open", "26-01-10")], "in part, as the file says"
    town.siquan.add_child(case, "checks", "gao", {"what": "账目"})
    assert rows(town, case, "inspect") == [("26-01", "met", "26-05-01")]
    with town.store.read() as tx:
        row = next(r for r in tx.obligations.of(case) if r.name == "inspect")
        assert row.met_case == tx.cases.children(case)[0].id
    town.whole()


def test_an_end_ends_the_duty(town: Any) -> None:
    case = opened(town, ends="2026-08-15")
    to(town, D(2026, 7, 10))
    assert [r[0] for r in rows(town, case)] == ["26-04"], "the quarter in which the term ends is not owed"
    other = opened(town)
    to(town, D(2026, 10, 2))
    assert rows(town, other) == [("26-10", "open", "26-10-01")]
    town.siquan.act(other, "end", "du")
    assert rows(town, other) == [("26-10", "void", "26-10-02")]
    to(town, D(2027, 3, 1))
    assert [r[1] for r in rows(town, other)] == ["void"]
    town.whole()


def test_until_moved_earlier_ends_a_running_period(town: Any) -> None:
    case = opened(town)
    to(town, D(2026, 4, 20))
    town.siquan.supply(case, "du", {"ends": "2026-05-31"})
    assert rows(town, case) == [("26-04", "void", "26-04-20")]


def test_an_act_opens_what_no_sweep_has_opened_yet(town: Any) -> None:
    case = opened(town)
    town.clock.move(D(2026, 5, 2))
    meet(town, case, "2026-05-02")
    assert rows(town, case) == [("26-04", "met", "26-05-02")]
    assert story(town, case) == [("26-04", "open", "26-04-01"), ("26-04", "met", "26-05-02")]
    town.whole()


def test_a_period_keeps_the_rule_it_began_with(town: Any, tmp_path: Any) -> None:
    case = opened(town)
    to(town, D(2026, 7, 2))
    changed = BODY.replace("n >= 3", "n >= 30").replace("每季度活动", "每季度大会")
    later = town.again(plugin(tmp_path / "bodies", changed))
    to(later, D(2026, 7, 4))
    meet(later, case, "2026-06-20", "2026-07-03")
    assert rows(later, case) == [("26-04", "met", "26-07-04"), ("26-07", "met", "26-07-04")], "both began under the old rule"
    to(later, D(2026, 10, 3))
    meet(later, case, "2026-10-02", n=29)
    assert rows(later, case)[2] == ("26-10", "open", "26-10-01")
    with later.store.read() as tx:
        assert [r.record["title"] for r in tx.obligations.of(case) if r.name == "quarterly"] == ["每季度活动", "每季度活动", "每季度大会"]


def test_replay_finds_a_row_that_was_changed_by_hand(town: Any) -> None:
    case = opened(town)
    to(town, D(2026, 8, 1))
    town.whole()
    with town.store.begin() as tx:
        row = next(r for r in tx.obligations.of(case) if r.status == "missed")
        tx.obligations.change(row.id, status="met")
    [found] = town.siquan.replay(case)
    assert (found["what"], found["events"], found["row"]) == ("obligation", "missed", "met")


def test_two_sweeps_at_once(any_town: Any) -> None:
    town = any_town
    cases = [opened(town) for _ in range(5)]
    town.clock.move(D(2027, 2, 3))
    gate = threading.Barrier(2)

    def sweep(_: int) -> dict[str, int]:
        gate.wait()
        return dict(town.siquan.sweep())

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(sweep, range(2))
    assert one.get("failed", 0) + two.get("failed", 0) == 0
    for case in cases:
        assert [s for s in story(town, case) if s[1] == "open"] == [(q, "open", f"{q}-01") for q in ("26-04", "26-07", "26-10", "27-01")]
        assert len(story(town, case)) == len(set(story(town, case)))
    town.whole()


LONG = 125  # days
acts = st.lists(st.tuples(st.integers(0, LONG), st.sampled_from(["report", "note", "check", "end"])), max_size=6).map(lambda x: sorted(x))


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts, st.lists(st.tuples(st.integers(0, LONG), st.integers(1, 90)), max_size=3))
def test_after_any_downtime_the_same_events_in_the_same_order(bodies: Any, make_town: Any, todo: list[tuple[int, str]], down: list[tuple[int, int]]) -> None:
    """Two towns with the same acts, one without a sweep on some days."""

    def live(outages: list[tuple[int, int]]) -> tuple[list[Any], list[Any]]:
        town = make_town("sqlite://", bodies, D(2026, 1, 10))
        town.settle(PEOPLE)
        cases = [opened(town), opened(town, ends="2026-04-15")]
        first, left = town.clock.day, list(todo)
        for n in range(LONG + 1):
            town.clock.move(first + n * DAY)
            if n == LONG or not any(a <= n < a + length for a, length in outages):
                town.siquan.sweep()
            while left and left[0][0] == n:
                _, what = left.pop(0)
                if town.case(cases[0]).is_open:
                    if what == "note":
                        meet(town, cases[0], (first + n * DAY).isoformat())
                    elif what == "check":
                        town.siquan.add_child(cases[0], "checks", "gao", {"what": "账目"})
                    else:
                        town.siquan.act(cases[0], what, "du")
        assert town.siquan.sweep() == {"reminded": 0, "fired": 0, "failed": 0}
        told = [[(e.data["obligation"], e.data["start"], e.data["what"], e.data["on"]) for e in town.events(c) if e.kind == "obligation"] for c in cases]
        with town.store.read() as tx:
            kept = [[(r.name, r.start, r.status, r.changed_on, r.next_on) for r in tx.obligations.of(c)] for c in cases]
        assert town.siquan.audit_verify() == []
        return told, kept

    told, kept = live([])
    again, same = live(down)
    assert same == kept and again == told
    for events in told:
        assert [e[3] for e in events] == sorted(e[3] for e in events)
