"""kill -9 in the middle of opening, acting and importing: what was answered is there, the rest whole or not at all."""

from __future__ import annotations

import json
import os
import signal
import uuid
from pathlib import Path
from typing import Any

import pytest

from siquan.core.service import Siquan
from siquan.core.sheets import rows_from_titles
from siquan.core.store.database import Store

CLUB = Path(__file__).parent / "club"
POINTS = ("event.before", "event.after", "before.commit", "after.commit")
Request = tuple[str, tuple[Any, ...]]


def killed(town: Any, url: str, point: str, nth: int, requests: list[Request]) -> list[tuple[str, int]]:
    """A process of its own works the requests off and is killed the nth time it comes to the point. Returns (case,
    revision) of the requests it answered. Forked, not started: the plugins need not be loaded again."""
    town.store.close()  # the other process opens its own connections
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _work(town, url, point, nth, requests, writable)
        finally:
            os._exit(1)
    os.close(writable)
    with open(readable, encoding="utf-8") as answers:
        lines = answers.read().splitlines()
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return [tuple(json.loads(line)) for line in lines]


def _work(town: Any, url: str, point: str, nth: int, requests: list[Request], answers: int) -> None:
    seen = 0

    def fault(name: str) -> None:
        nonlocal seen
        seen += name == point
        if seen == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    store = Store(url, town.clock, lambda: uuid.uuid4().hex, fault=fault)
    siquan = Siquan(store, town.siquan.app.catalogue, town.clock)
    for n, (name, args) in enumerate(requests):
        result = getattr(siquan, name)(*args, key=f"k{n}")
        os.write(answers, f"{json.dumps([result.case, result.revision])}\n".encode())


def again(town: Any, requests: list[Request], answered: list[tuple[str, int]], point: str) -> None:
    """After the restart: the history is whole, every answered request is known by its key, and the one that was cut off
    is done now, or was done already when the machine died after the commit."""
    town.whole()
    for n, (name, args) in enumerate(requests[: len(answered) + 1]):
        with town.store.read() as tx:
            revisions = {i: tx.cases.get(i).revision for i in tx.cases.ids("", 100)}
        result = getattr(town.siquan, name)(*args, key=f"k{n}")
        with town.store.read() as tx:
            done = revisions != {i: tx.cases.get(i).revision for i in tx.cases.ids("", 100)}
        if n < len(answered):
            assert (result.case, result.revision) == answered[n] and not done
        else:
            assert done == (point != "after.commit")
    town.whole()


@pytest.mark.parametrize("point", POINTS)
def test_opening(database: str, approval: Any, make_town: Any, point: str) -> None:
    town = make_town(database, approval)
    town.settle([("he", "wutongli", "resident")])
    requests: list[Request] = [("open_case", ("approval", "he", None, {"amount": n})) for n in range(4)]
    answered = killed(town, database, point, 3, requests)
    assert len(answered) == 2
    with town.store.read() as tx:
        assert len(tx.cases.ids("", 10)) == 2 + (point == "after.commit")
    again(town, requests, answered, point)
    assert town.siquan.open_case("approval", "he").number == "AP-2026-0004", "a cut-off opening gave its number back"


@pytest.mark.parametrize("point", [*POINTS, "decision.after"])
def test_acting(database: str, approval: Any, make_town: Any, point: str) -> None:
    town = make_town(database, approval)
    town.settle([("he", "wutongli", "resident"), ("du", "wutongli", "community"), ("shao", "yunxi", "district")])
    case = town.draft()
    requests: list[Request] = [
        ("supply", (case, "he", {"reason": "换灯"})),
        ("act", (case, "submit", "he", {"amount": 9000})),
        ("act", (case, "pass", "du", {}, "同意")),
        ("act", (case, "pass", "shao", {}, "同意")),
    ]
    answered = killed(town, database, point, 1 if point == "decision.after" else 3, requests)
    assert answered == [(case, 3), (case, 4)]
    now = town.case(case)
    assert now.state == ("district" if point == "after.commit" else "community")
    assert now.revision == 4 + (point == "after.commit")
    assert len(town.decisions(case)) == (1 if point == "after.commit" else 0)
    assert [d.status for d in town.deadlines(case)] == (["met", "open"] if point == "after.commit" else ["open"])
    again(town, requests, answered, point)
    assert town.siquan.act(case, "pass", "shao", {}, "同意", key="k3").state == "approved"
    town.whole()


@pytest.mark.parametrize(("point", "nth"), [("event.before", 3), ("event.after", 4), ("before.commit", 1), ("after.commit", 1)])
def test_importing(database: str, load_plugins: Any, make_town: Any, point: str, nth: int) -> None:
    """Four members in one sheet: all of them or none, wherever it stops."""
    town = make_town(database, load_plugins(CLUB))
    town.settle([("he", "wutongli", "keeper")])
    club = town.siquan.open_case("club", "he", facts={"label": "书法"}).case
    member = town.siquan.app.definition("club.member").spec
    rows = [{"姓名": f"成员{n}", "房号": f"1-{n}", "出生日期": "1980-01-02"} for n in range(4)]
    data = rows_from_titles(member.sheets[0], rows)
    requests: list[Request] = [("import_sheet", (club, "members", "he", "成员.xlsx", data, None))]
    assert killed(town, database, point, nth, requests) == []
    with town.store.read() as tx:
        assert len(tx.cases.children(club, "members")) == (4 if point == "after.commit" else 0)
    again(town, requests, [], point)
    with town.store.read() as tx:
        children = tx.cases.children(club, "members")
        assert [c.title for c in children] == [f"成员{n}" for n in range(4)]
        assert [c.number[-3:] for c in children] == ["-01", "-02", "-03", "-04"]
