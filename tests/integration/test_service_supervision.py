"""Reminders before a last day and levels of supervision after it: each once, in order, to the right people; a clock set back."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from siquan.core.service import telling

D = dt.date
ORDER = """
process: order
title: 派单
roles: {community: 社区, street: 街道@street, district: 区@district}
states:
  doing:
    title: 办理
    due:
      title: 办结
      after: 5 workdays
      remind: [3 workdays, 1 workday]
      escalate: [{after: 1 workday, to: leader}, {after: 3 workdays, to: up}, {after: 5 workdays, to: district}]
    finish: {title: 办结, by: community, to: done}
    again: {title: 重办, by: community, to: doing}
  done: {title: 已办, final: true}
"""


class Notices:
    """Stands for the table of notices: who was told what, by which event."""

    def __init__(self, sent: list[Any]) -> None:
        self.sent = sent

    def add(self, person: str, case_id: str, kind: str, seq: int) -> None:
        self.sent.append((person, case_id, kind, seq))

    def tell(self, written: Any) -> None:
        """Nobody follows anything here."""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    out: list[Any] = []
    real = telling.Tx
    monkeypatch.setattr(real, "notices", property(lambda tx: Notices(out)), raising=False)
    return out


@pytest.fixture
def order(sqlite_url: str, write_plugin: Any, make_town: Any) -> Any:
    return settled(make_town(sqlite_url, write_plugin("order", ORDER)))


@pytest.fixture
def any_order(database: str, write_plugin: Any, make_town: Any) -> Any:
    return settled(make_town(database, write_plugin("order", ORDER)))


def settled(town: Any) -> Any:
    people = [("du", "wutongli", "community"), ("ren", "wutongli", "community leader"), ("gao", "guixiang", "street leader")]
    town.settle([*people, ("shao", "yunxi", "district")])
    return town


def told(town: Any, case: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """(kind or level, day, persons) of every reminder and level, the last day in its place."""
    out = []
    for e in town.events(case):
        if e.kind == "reminded":
            out.append(("remind", e.data["on"][5:], tuple(e.data["persons"])))
        elif e.kind == "escalated":
            out.append((f"level {e.data['level']}", e.data["on"][5:], tuple(e.data["persons"])))
        elif e.kind == "deadline":
            out.append(("over", e.data["end"][5:], ()))
    return out


def each_day(town: Any, first: D, last: D) -> None:
    while first <= last:
        town.clock.move(first)
        town.siquan.sweep()
        first += dt.timedelta(days=1)


def test_every_reminder_and_level_on_its_day(any_order: Any, sent: list[Any]) -> None:
    order = any_order
    """Monday 2026-11-23 and five working days: the last is Monday 30."""
    case = order.siquan.open_case("order", "du").case
    each_day(order, D(2026, 11, 23), D(2026, 12, 15))
    assert told(order, case) == [
        ("remind", "11-25", ("du", "ren")),  # 26, 27 and 30 are left
        ("remind", "11-27", ("du", "ren")),  # Friday: Monday is left
        ("over", "11-30", ()),
        ("level 1", "12-02", ("ren",)),  # Tuesday 1 has wholly gone by
        ("level 2", "12-04", ("gao",)),
        ("level 3", "12-08", ("shao",)),
    ]
    assert [s[2] for s in sent] == ["remind"] * 4 + ["overdue"] * 2 + ["escalate"] * 3
    order.whole()
    assert order.siquan.sweep() == {"reminded": 0, "fired": 0, "failed": 0}


def test_downtime_gives_the_newest_reminder_and_every_level_in_order(order: Any) -> None:
    case = order.siquan.open_case("order", "du").case
    order.clock.move(D(2026, 11, 28))
    assert order.siquan.sweep() == {"reminded": 1, "fired": 0, "failed": 0}
    reminded = order.events(case)[-1]
    assert reminded.data["on"] == "2026-11-27" and reminded.data["skipped"] == 1
    order.clock.move(D(2026, 12, 5))
    assert order.siquan.sweep() == {"reminded": 1, "fired": 0, "failed": 0, "escalated": 2}
    assert [k for k, _, _ in told(order, case)] == ["remind", "over", "level 1", "level 2"]
    order.whole()


def test_what_comes_after_the_last_day_is_no_reminder(order: Any) -> None:
    case = order.siquan.open_case("order", "du").case
    order.clock.move(D(2026, 12, 1))
    assert order.siquan.sweep()["reminded"] == 1
    [over] = [e for e in order.events(case) if e.kind == "deadline"]
    assert over.data["skipped"] == 2 and not [e for e in order.events(case) if e.kind == "reminded"]
    row = order.deadlines(case)[0]
    assert [(e["k"], e.get("skipped", False)) for e in row.log] == [("remind", True), ("remind", True)]


def test_order_over_cases_after_downtime(any_order: Any) -> None:
    order = any_order
    cases = []
    for day in (23, 24, 25):
        order.clock.move(D(2026, 11, day))
        cases.append(order.siquan.open_case("order", "du").case)
    order.clock.move(D(2026, 12, 12))
    order.siquan.sweep()
    days = []
    for case in cases:
        for e in order.events(case):
            if e.kind in ("deadline", "escalated"):
                on = D.fromisoformat(e.data["on"]) if "on" in e.data else D.fromisoformat(e.data["end"]) + dt.timedelta(days=1)
                days.append((e.at, on))
    assert len(days) == 12 and [d for _, d in sorted(days)] == sorted(d for _, d in days)


def test_an_act_ends_it(order: Any) -> None:
    case = order.siquan.open_case("order", "du").case
    order.clock.move(D(2026, 12, 2))
    order.siquan.sweep()
    order.siquan.act(case, "finish", "du")
    order.clock.move(D(2026, 12, 30))
    assert order.siquan.sweep() == {"reminded": 0, "fired": 0, "failed": 0}


def test_entering_again_counts_again(order: Any) -> None:
    case = order.siquan.open_case("order", "du").case
    order.clock.move(D(2026, 11, 27))
    order.siquan.sweep()
    order.siquan.act(case, "again", "du")
    each_day(order, D(2026, 11, 27), D(2026, 12, 4))
    assert told(order, case) == [("remind", "11-27", ("du", "ren")), ("remind", "12-01", ("du", "ren")), ("remind", "12-03", ("du", "ren"))]


def test_a_last_day_that_moves_on_is_reminded_of_again(order: Any) -> None:
    """The district corrects 2026: 30 November to 2 December are off."""
    case = order.siquan.open_case("order", "du").case
    each_day(order, D(2026, 11, 23), D(2026, 11, 27))
    with order.store.read() as tx:
        row = tx.calendars.years()[2026]
    day = D.fromisoformat
    off = {day(d): n for d, n in row.holidays.items()} | {D(2026, 11, 30): "更正", D(2026, 12, 1): "更正", D(2026, 12, 2): "更正"}
    moved = order.siquan.publish_year(2026, off, {day(d) for d in row.workdays}, "更正通知", "shao")
    assert moved == [(case, D(2026, 11, 30), D(2026, 12, 3))], "a corrected year moves what was not provisional"
    event = order.events(case)[-1]
    assert (event.kind, event.data["deadlines"], event.data["version"]) == ("calendar", ["due"], 4)
    assert order.deadlines(case)[0].log[-1]["why"] == "calendar"
    each_day(order, D(2026, 11, 27), D(2026, 12, 3))
    # one working day before Thursday 3 is still Friday 27: it was said; two and three days are before it
    assert [(k, d) for k, d, _ in told(order, case)] == [("remind", "11-25"), ("remind", "11-27")]
    order.whole()


def test_nobody_to_tell_is_an_incident(sqlite_url: str, write_plugin: Any, make_town: Any) -> None:
    town = make_town(sqlite_url, write_plugin("order", ORDER))
    town.settle([("du", "wutongli", "community")])
    case = town.siquan.open_case("order", "du").case
    town.clock.move(D(2026, 12, 20))
    assert town.siquan.sweep()["escalated"] == 3
    with town.store.read() as tx:
        assert [i.kind for i in tx.incidents.of(case)] == ["nobody"] * 3


def test_two_sweeps_at_once_tell_each_once(any_order: Any, sent: list[Any]) -> None:
    order = any_order
    cases = [order.siquan.open_case("order", "du").case for _ in range(6)]
    order.clock.move(D(2026, 12, 12))
    gate = threading.Barrier(2)

    def sweep(_: int) -> dict[str, int]:
        gate.wait()
        return dict(order.siquan.sweep())

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(sweep, range(2))
    assert one.get("escalated", 0) + two.get("escalated", 0) == 18 and one["reminded"] + two["reminded"] == 6
    for case in cases:
        assert [k for k, _, _ in told(order, case)] == ["over", "level 1", "level 2", "level 3"]
    assert len(sent) == len(set(sent)) == 6 * 5
    order.whole()


def test_a_clock_set_back_does_nothing_and_loses_nothing(any_order: Any) -> None:
    order = any_order
    case = order.siquan.open_case("order", "du").case
    order.clock.move(D(2026, 12, 20))
    order.siquan.sweep()
    n = len(order.events(case))
    second = order.siquan.open_case("order", "du").case
    order.clock.move(D(2026, 11, 1))
    for _ in range(3):
        assert order.siquan.sweep() == {"reminded": 0, "fired": 0, "failed": 0, "clock": 1}
    with order.store.read() as tx:
        assert [i.kind for i in tx.incidents.latest()] == ["clock"], "said once"
        assert "2026-12-20" in tx.incidents.latest()[0].message
    assert len(order.events(case)) == n
    order.clock.move(D(2027, 1, 20))
    assert order.siquan.sweep()["escalated"] == 3 and len(order.events(second)) > 1


def test_half_an_hour_back_is_believed(order: Any) -> None:
    order.siquan.sweep()
    with order.store.begin() as tx:
        tx.settings.set("sweep.last", (order.siquan.app.now() + dt.timedelta(minutes=30)).isoformat())
    assert "clock" not in order.siquan.sweep()
