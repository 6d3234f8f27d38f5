"""The history of a case: numbered from 1, each event hashed over the one before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from siquan.core.store import chain
from siquan.core.store import tables as t
from siquan.core.store.canonical import canonical, instant
from siquan.core.store.prepared import Prepared
from siquan.core.store.repository import Repository, chunks, select
from siquan.core.store.rows import Event

_E = t.event.c
_LAST = Prepared(
    sa.select(_E.seq, _E.hash).where(_E.case_id == sa.bindparam("b_case")).order_by(_E.seq.desc()).limit(1)
)
_LIST = Prepared(
    select(Event, t.event)
    .where(_E.case_id == sa.bindparam("b_case"), _E.seq > sa.bindparam("b_after"))
    .order_by(_E.seq)
)


class Events(Repository):
    def next_seq(self, case_id: str) -> int:
        """The number the next event will get; takes the case's lock so that it stays true."""
        return self._head(case_id)[0] + 1

    def append(
        self, case_id: str, kind: str, actor: str, data: dict[str, Any], *, on_behalf: str = ""
    ) -> Event:
        """Write the next event. `data` holds commitments, never fact values; the audit looks at these keys:
        "to" (state after), "revision" (case revision after), "facts" {path: commitment}, "opinion"
        commitment, "decision" {"id", "commitment", "outcome"} or "decisions" [..], "collections" {name:
        commitment}."""
        self.tx.fault("event.before")
        last, prev = self._head(case_id)
        at = self.tx.at
        digest = chain.event_hash(
            chain.ALGO, case_id, last + 1, instant(at), actor, on_behalf, kind, canonical(data), prev
        )
        event = Event(case_id, last + 1, at, actor, on_behalf, kind, data, prev, digest, chain.ALGO)
        self._insert(t.event, event)
        self.tx.heads[case_id] = (event.seq, event.hash)
        self.tx.unsaved.add(case_id)
        self.tx.written.append((case_id, event.seq, actor))
        self.tx.fault("event.after")
        return event

    def _head(self, case_id: str) -> tuple[int, str]:
        head = self.tx.heads.get(case_id)
        if head is None:
            if case_id not in self.tx.locked:
                self.tx.cases.lock(case_id)
            row = _LAST.row(self.tx, {"b_case": case_id})
            head = (0, chain.GENESIS) if row is None else (int(row[0]), str(row[1]))
            self.tx.heads[case_id] = head
        return head

    def of(self, case_id: str, after: int = 0) -> list[Event]:
        """Events with a number above `after`, oldest first."""
        return self._found(Event, _LIST, {"b_case": case_id, "b_after": after})

    def latest(self, case_id: str, limit: int) -> list[Event]:
        """The last `limit` events, oldest first."""
        found = self._all(
            Event, select(Event, t.event).where(_E.case_id == case_id).order_by(_E.seq.desc()).limit(limit)
        )
        return found[::-1]

    def get(self, case_id: str, seq: int) -> Event | None:
        return self._one(Event, select(Event, t.event).where(_E.case_id == case_id, _E.seq == seq))

    def of_many(self, case_ids: Iterable[str]) -> Iterator[Event]:
        """Events of several cases, each case's together and in order."""
        for part in chunks(case_ids):
            yield from self._all(
                Event, select(Event, t.event).where(_E.case_id.in_(part)).order_by(_E.case_id, _E.seq)
            )

    def newest(self, case_ids: Iterable[str], limit: int) -> list[Event]:
        """The last events of several cases together, newest first."""
        found: list[Event] = []
        for part in chunks(case_ids):
            page = select(Event, t.event).where(_E.case_id.in_(part), _E.kind != "opened")
            found += self._all(Event, page.order_by(_E.at.desc(), _E.seq.desc()).limit(limit))
        return sorted(found, key=lambda e: (e.at, e.seq), reverse=True)[:limit]

    def between(self, case_ids: Iterable[str], low: dt.datetime | None, high: dt.datetime | None) -> Iterator[Event]:
        """Events of several cases from one moment up to before another, each case's together and in order."""
        when = [*([_E.at >= low] if low else []), *([_E.at < high] if high else [])]
        for part in chunks(case_ids):
            rows = select(Event, t.event).where(_E.case_id.in_(part), *when).order_by(_E.case_id, _E.seq)
            yield from self._all(Event, rows)

    def count(self, case_id: str) -> int:
        return self._count(sa.select(sa.func.count()).select_from(t.event).where(_E.case_id == case_id))

    def actors(self, case_id: str) -> set[str]:
        """Everyone who has acted in the case."""
        return set(
            self.tx.conn.execute(sa.select(_E.actor).distinct().where(_E.case_id == case_id)).scalars()
        )

    def with_recusal(self) -> set[str]:
        """Open cases in which somebody declared a conflict of interest."""
        c = t.case_file.c
        joined = sa.select(_E.case_id).distinct().join(t.case_file, c.id == _E.case_id).where(_E.kind == "recused", c.is_open == sa.true())
        return set(self.tx.conn.execute(joined).scalars())

    def by_actor(self, actor: str, limit: int = 50) -> list[Event]:
        """What a person did last, newest first."""
        return self._all(
            Event, select(Event, t.event).where(_E.actor == actor).order_by(_E.at.desc()).limit(limit)
        )
