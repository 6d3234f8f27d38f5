"""What must not grow: the 300th act on a case beside the first ones, an act among 100,000 open cases beside one among a
hundred; and what reads everything: the replay of 10,000 cases, an event log of 100,000 events. On SQLite."""

from __future__ import annotations

import datetime as dt
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from siquan.core.home import new_id, now
from siquan.core.plugins import Catalogue, discover
from siquan.core.service import Siquan
from siquan.core.service.replaying import Replaying
from siquan.core.store import tables as t
from siquan.core.store.database import Store

ACTS, CASES, REPLAYED, EVENTS = 300, 100_000, 10_000, 100_000
#: two states a case goes to and fro between, with a deadline, a rule and an opinion in each
PROCESS = """
process: pendulum
title: 来回
roles: {staff: 经办}
facts:
  amount: {title: 金额, type: decimal, unit: 元, by: staff}
parameters:
  most: {2026-01-01: {value: 5000, basis: LOCAL, cite: 本地设定}}
rules:
  level:
    list:
      - {id: P1, when: "amount > most", outcome: WARN, basis: LOCAL, cite: 本地设定, say: 超过}
states:
  left: {title: 左, due: {after: 3 workdays, then: remind}, do: {go: {title: 去, by: staff, asks: [amount], check: [level], to: right}, stop: {title: 停, by: staff, to: done}}}
  right: {title: 右, due: {after: 3 workdays, then: remind}, do: {back: {title: 回, by: staff, asks: [amount], check: [level], to: left}}}
  done: {title: 完, final: true}
"""


@contextmanager
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def pendulum(folder: Path) -> Catalogue:
    file = folder / "pendulum.yaml"
    file.write_text(PROCESS, encoding="utf-8")
    found = discover(bundled=False, only=[file])
    assert not [f.error for f in found.found if f.error]
    return found


def siquan(folder: Path, name: str) -> Siquan:
    service = Siquan(Store(f"sqlite:///{folder / name}.db", now, new_id), pendulum(folder), now)
    with service.app.store.begin() as tx:
        tx.people.add_unit("district/d", "district", "区")
        tx.people.add_unit("community/c", "community", "社区", "district/d")
        tx.people.add("经办", unit_id="community/c", person_id="p")
        tx.people.grant("p", "staff", "community/c", dt.date(2020, 1, 1))
    return service


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def swing(service: Siquan, case: str, n: int) -> None:
    service.act(case, "go" if n % 2 == 0 else "back", "p", {"amount": 100 + n}, "同意")


def long_case(folder: Path) -> None:
    """The act, and the page of the case, at the beginning and after 300 acts."""
    service = siquan(folder, "long")
    case = service.open_case("pendulum", "p", "community/c").case
    swing(service, case, 0)
    swing(service, case, 1)
    acts, pages = [], []
    for n in range(2, ACTS + 20):
        acts.append(timed(lambda n=n: swing(service, case, n)))  # type: ignore[misc]
        if n < 22 or n >= ACTS:
            pages.append(timed(lambda: service.case(case, "p")))
    fresh = Siquan(service.app.store, service.app.catalogue, now)
    cold = timed(lambda: swing(fresh, case, ACTS + 20))
    first, last = statistics.median(acts[:20]), statistics.median(acts[-20:])
    print(f"act on a case       first 20: {first * 1000:6.2f} ms   after {ACTS}: {last * 1000:6.2f} ms   ratio {last / first:.2f}   (first in a new process {cold * 1000:.1f} ms)")
    first, last = statistics.median(pages[:20]), statistics.median(pages[-20:])
    print(f"page of that case   first 20: {first * 1000:6.2f} ms   after {ACTS}: {last * 1000:6.2f} ms   ratio {last / first:.2f}")
    service.app.store.close()


def fill(service: Siquan, n: int) -> None:
    """Open cases like a first one."""
    clone(service, service.open_case("pendulum", "p", "community/c", {"amount": 1}).case, n)


def clone(service: Siquan, case: str, n: int) -> None:
    """Copies of a case written by SQL: its row, events, tasks, deadlines, facts and decisions."""
    with service.app.store.engine.begin() as conn:
        for table in (t.case_file, t.event, t.task, t.deadline, t.fact_value, t.decision):
            key = table.c.id if table is t.case_file else table.c.case_id
            texts = [sa.type_coerce(c, sa.Text) if isinstance(c.type, sa.types.TypeDecorator) else c for c in table.c]
            names = [c.name for c in table.c]
            samples = [dict(zip(names, row, strict=True)) for row in conn.execute(sa.select(*texts).where(key == case))]
            plain = sa.table(table.name, *(sa.column(name) for name in names))
            for at in range(0, n, 2000):
                batch = [_copy(table, sample, i, j) for i in range(at, min(at + 2000, n)) for j, sample in enumerate(samples)]
                if batch:
                    conn.execute(sa.insert(plain), batch)


def _copy(table: sa.Table, sample: dict[str, object], i: int, j: int) -> dict[str, object]:
    if table is t.case_file:
        return {**sample, "id": f"c{i:06d}", "number": f"N{i:06d}"}
    own = {**sample, "case_id": f"c{i:06d}"}
    return own if table is t.event else {**own, "id": f"{table.name}{i:06d}-{j}"}


def share(service: Siquan) -> None:
    """Give a third of the open cases to somebody else, and every five hundredth to `p`."""
    with service.app.store.engine.begin() as conn:
        for person, n in (("q", 3), ("p", 500)):
            chosen = sa.select(t.case_file.c.id).where(t.case_file.c.id.like("c%"), sa.cast(sa.func.substr(t.case_file.c.id, 2), sa.Integer) % n == 0)
            conn.execute(sa.update(t.case_file).where(t.case_file.c.id.in_(chosen)).values(holder=person))
            conn.execute(sa.update(t.task).where(t.task.c.case_id.in_(chosen), t.task.c.closed_at.is_(None)).values(assignee=person))


def many_cases(folder: Path) -> None:
    """The same acts among few open cases and among many, interleaved."""
    few, many = siquan(folder, "few"), siquan(folder, "many")
    fill(few, 100)
    filled = timed(lambda: fill(many, CASES))
    cases = {s: [s.open_case("pendulum", "p", "community/c").case for _ in range(40)] for s in (few, many)}
    seen: dict[Siquan, list[float]] = {few: [], many: []}
    opened: dict[Siquan, list[float]] = {few: [], many: []}
    for n in range(4):
        for i in range(40):
            for s in (few, many):
                seen[s].append(timed(lambda s=s, i=i, n=n: swing(s, cases[s][i], n)))  # type: ignore[misc]
                opened[s].append(timed(lambda s=s: s.open_case("pendulum", "p", "community/c")))  # type: ignore[misc]
    for word, found in (("act", seen), ("opening", opened)):
        a, b = statistics.median(found[few]), statistics.median(found[many])
        print(f"{word:<8} among 100 open: {a * 1000:6.2f} ms   among {CASES:,}: {b * 1000:6.2f} ms   ratio {b / a:.2f}   (filled in {filled:.0f} s)")
    share(many)
    looks = [timed(lambda s=s: s.inbox("p")) for s in (few, many) for _ in range(5)]  # type: ignore[misc]
    print(f"inbox    among 100 open: {statistics.median(looks[:5]) * 1000:6.2f} ms   among {CASES:,}, a third of them with others and 200 with oneself: {statistics.median(looks[5:]) * 1000:6.2f} ms")
    print(f"stuck cases among {CASES:,} open: {timed(lambda: many.stuck()):.2f} s")
    for s in (few, many):
        s.app.store.close()


def everything(folder: Path) -> None:
    """10,000 cases of ten events each, every act but the first with a rule decided."""
    service = siquan(folder, "all")
    case = service.open_case("pendulum", "p", "community/c", {"amount": 1}).case
    for n in range(EVENTS // REPLAYED - 1):
        swing(service, case, n)
    clone(service, case, REPLAYED - 1)
    events = REPLAYED * (EVENTS // REPLAYED)
    for word, decisions in (("with every decision", True), ("rows alone", False)):
        found: list[object] = []
        spent = timed(lambda d=decisions, f=found: f.extend(Replaying(service.app, service._papers).all(decisions=d)))  # type: ignore[misc]
        print(f"replay of {REPLAYED:,} cases, {events:,} events, {word}: {spent:.1f} s, {len(found)} differences")
    for format in ("csv", "xes"):
        spent = timed(lambda f=format: service.export_events("p", folder / f"log.{f}", f))  # type: ignore[misc]
        print(f"export of {events:,} events as {format}: {spent:.1f} s, {(folder / f'log.{format}').stat().st_size / 1e6:.0f} MB")
    service.app.store.close()


def main() -> None:
    chosen = [a for a in sys.argv[1:] if a in ("long", "many", "all")] or ["long", "many", "all"]
    with place() as folder:
        if "long" in chosen:
            long_case(folder)
        if "many" in chosen:
            many_cases(folder)
        if "all" in chosen:
            everything(folder)


if __name__ == "__main__":
    main()
