"""The daily roots of the history: read, printed, and proved from one that was printed earlier."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from siquan.core.errors import NotFound
from siquan.core.store import audit, chain
from siquan.core.store import tables as t
from siquan.core.store.canonical import instant
from siquan.core.store.database import Store
from siquan.core.store.transaction import Tx

_R = t.audit_root.c
_CHUNK = 200


class Root(NamedTuple):
    """What a sealed day came to, standing on the day sealed before it."""

    day: dt.date
    root: str
    prev_root: str
    cases: int
    at: dt.datetime


_COLUMNS = (_R.day, _R.root, _R.prev_root, _R.cases, _R.at)


def roots(tx: Tx, limit: int = 60, before: dt.date | None = None) -> list[Root]:
    """Newest first."""
    where = [_R.day < before] if before else []
    found = sa.select(*_COLUMNS).where(*where).order_by(_R.day.desc()).limit(limit)
    return [Root(*row) for row in tx.conn.execute(found)]


def root_of(tx: Tx, day: dt.date | None = None) -> Root:
    """The root that covers a day: its own, or that of the last day before it on which anything happened. Raises NotFound."""
    where = [_R.day <= day] if day else []
    row = tx.conn.execute(sa.select(*_COLUMNS).where(*where).order_by(_R.day.desc()).limit(1)).first()
    if row is None:
        raise NotFound(kind="封存过的日子", name=f"{day} 或以前" if day else "任何一天")
    return Root(*row)


def unsealed(tx: Tx) -> int:
    """Finished days that have something to seal and are not sealed yet: a few while the nightly job is due, more when it
    does not run."""
    last = next(iter(roots(tx, 1)), None)
    start = dt.date.min if last is None else last.day + dt.timedelta(days=1)
    return sum(1 for _ in audit._active_days(tx.conn, start, tx.at.date()))


def verify_since(store: Store, day: dt.date, printed: str = "") -> Iterator[audit.AuditFinding]:
    """Whether what stands in the database goes on from a root that was printed: the root itself, every sealed day from
    then on, every case that has an event since, and the chains of the rule sets. Raises NotFound when no day is sealed."""
    with store.read() as tx:
        first = root_of(tx, day)
        if printed and "".join(printed.split()).lower() != first.root:  # a sheet shows it in groups
            yield audit._finding("SQA18", "", 0, first.day)
        prev = first.prev_root
        later = sa.select(*_COLUMNS).where(_R.day >= first.day).order_by(_R.day)
        for row in [Root(*r) for r in tx.conn.execute(later)]:
            own = chain.day_root(prev, row.day.isoformat(), audit._lines(tx.conn, row.day))
            if row.prev_root != prev or own != row.root:
                yield audit._finding("SQA11", "", 0, row.day)
            prev = row.root
    for ids in _touched(store, first.day):
        yield from audit._cases(store, ids)
    yield from audit._rules(store)


def _touched(store: Store, day: dt.date) -> Iterator[list[str]]:
    """Cases with an event from a day on."""
    e, after = t.event.c, ""
    low = instant(dt.datetime.combine(day, dt.time(), dt.UTC))
    while True:
        with store.read() as tx:
            page = sa.select(e.case_id).distinct().where(sa.type_coerce(e.at, sa.Text) >= low, e.case_id > after)
            ids = list(tx.conn.execute(page.order_by(e.case_id).limit(_CHUNK)).scalars())
        if ids:
            yield ids
        if len(ids) < _CHUNK:
            return
        after = ids[-1]
