"""Workers of their own, killed between claim and commit or running side by side: every reminder, level, last day and period
comes once, and what stands in the end is what stands when nothing goes wrong."""

from __future__ import annotations

import datetime as dt
import os
import signal
import uuid
from typing import Any

import pytest

from siquan.core.service import Siquan
from siquan.core.store.database import Store

D = dt.date
WATCH = """
process: watch
title: 督办
roles: {community: 社区, street: 街道@street}
facts: {begins: {title: 起, type: date, by: community}}
obligations:
  monthly: {title: 每月报告, every: month, act: report, warn: 5 days, make_up: 10 days}
states:
  doing:
    title: 办理
    dues:
      work: {title: 办结, after: 5 workdays, remind: 2 workdays, escalate: [{after: 1 workday, to: street}, {after: 2 workdays, to: up}]}
      close: {title: 自动办结, after: 40 days, start: begins, then: lapse}
    report: {title: 报告, by: community, to: same}
    lapse: {title: 到期, by: community, to: done}
  done: {title: 已办, final: true}
"""
#: a month of downtime for three cases
WORK = 3


@pytest.fixture
def watch(database: str, write_plugin: Any, make_town: Any) -> Any:
    town = make_town(database, write_plugin("watch", WATCH))
    town.settle([("du", "wutongli", "community"), ("gao", "guixiang", "street")])
    return town


def begun(town: Any) -> list[str]:
    cases = []
    for n in range(WORK):
        town.clock.move(D(2026, 11, 23 + n))
        cases.append(town.siquan.open_case("watch", "du", facts={"begins": f"2026-11-{23 + n}"}).case)
    town.clock.move(D(2027, 1, 7))
    return cases


def spawned(town: Any, url: str, point: str = "", nth: int = 0) -> int:
    """A worker process that sweeps once, on connections of its own; killed the nth time it comes to the point."""
    town.store.close()
    pid = os.fork()
    if pid:
        return pid
    seen = 0

    def fault(name: str) -> None:
        nonlocal seen
        seen += name == point
        if point and seen == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        store = Store(url, town.clock, lambda: uuid.uuid4().hex, fault=fault)
        Siquan(store, town.siquan.app.catalogue, town.clock).sweep()
        os._exit(0)
    finally:
        os._exit(1)


def waited(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def told(town: Any, case: str) -> list[tuple[str, ...]]:
    out = []
    for e in town.events(case):
        d = e.data
        if e.kind != "opened":
            out.append((e.kind, d.get("name") or d.get("obligation") or d.get("transition", ""), str(d.get("level", d.get("what", ""))), d.get("on") or d.get("end", "")))
    return out


def expected(n: int) -> list[tuple[str, ...]]:
    """Case n was opened on 23 + n November, its fifth working day is 30 November to 2 December."""
    last = (D(2026, 11, 30), D(2026, 12, 1), D(2026, 12, 2))[n]
    one, two = ((D(2026, 12, 2), D(2026, 12, 3)), (D(2026, 12, 3), D(2026, 12, 4)), (D(2026, 12, 4), D(2026, 12, 5)))[n]
    end = (D(2027, 1, 4), D(2027, 1, 4), D(2027, 1, 4))[n]
    return [
        ("deadline", "work", "", last.isoformat()),
        ("escalated", "work", "1", one.isoformat()),
        ("escalated", "work", "2", two.isoformat()),
        ("obligation", "monthly", "open", "2026-12-01"),
        ("obligation", "monthly", "warned", "2026-12-26"),
        ("obligation", "monthly", "missed", "2027-01-01"),
        ("obligation", "monthly", "open", "2027-01-01"),
        ("deadline", "close", "", end.isoformat()),
        ("acted", "lapse", "", ""),
        ("obligation", "monthly", "void", "2027-01-05"),
    ]


def whole(town: Any, cases: list[str]) -> None:
    for n, case in enumerate(cases):
        got = told(town, case)
        assert sorted(got) == sorted(expected(n)), case
        assert [x for x in got if x[0] != "obligation"] == [x for x in expected(n) if x[0] != "obligation"]
        assert town.case(case).state == "done"
    town.whole()


@pytest.mark.parametrize(("point", "nth"), [("event.before", 1), ("event.after", 4), ("before.commit", 7), ("after.commit", 9)])
def test_a_worker_killed_between_claim_and_commit(watch: Any, database: str, point: str, nth: int) -> None:
    cases = begun(watch)
    assert waited(spawned(watch, database, point, nth)) == -signal.SIGKILL
    assert watch.siquan.audit_verify() == []
    assert waited(spawned(watch, database)) == 0
    whole(watch, cases)


def test_workers_killed_again_and_again(watch: Any, database: str) -> None:
    cases = begun(watch)
    for nth in (2, 3, 2, 5, 1, 4, 3):
        waited(spawned(watch, database, "before.commit", nth + 1))
    watch.siquan.sweep()
    whole(watch, cases)


def test_two_workers_side_by_side(watch: Any, database: str) -> None:
    cases = begun(watch)
    workers = [spawned(watch, database) for _ in range(2)]
    assert [waited(w) for w in workers] == [0, 0]
    whole(watch, cases)


def test_one_of_two_is_killed(watch: Any, database: str) -> None:
    cases = begun(watch)
    workers = [spawned(watch, database, "before.commit", 5), spawned(watch, database)]
    assert sorted(waited(w) for w in workers) in ([-9, 0], [0, 0])
    assert waited(spawned(watch, database)) == 0
    whole(watch, cases)
