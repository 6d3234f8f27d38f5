"""Who stands in for whom, for a period: rows that stay as history."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from siquan.core.errors import NotFound
from siquan.core.store import tables as t
from siquan.core.store.prepared import Prepared
from siquan.core.store.repository import Repository, select, storable
from siquan.core.store.rows import Substitution

_S, _P = t.substitution.c, t.person.c
# asked in every act; a substitute who has left stands in for nobody
_RUNNING = Prepared(
    select(Substitution, t.substitution)
    .join(t.person, _P.id == _S.substitute_id)
    .where(
        _S.until >= sa.bindparam("b_day"), _S.since <= sa.bindparam("b_on"), _S.cancelled_at.is_(None), _P.active == sa.true(),
        sa.or_(_P.leaving_on.is_(None), _P.leaving_on >= sa.bindparam("b_there")),
    )  # fmt: skip
    .order_by(_S.at, _S.id)
)


class Substitutions(Repository):
    def add(
        self, person_id: str, substitute_id: str, since: dt.date, until: dt.date, scope: dict[str, list[str]], reason: str, set_by: str
    ) -> Substitution:
        row = Substitution(
            self.tx.new_id(), person_id, substitute_id, since, until, scope, reason, set_by, self.tx.at, None, None
        )
        self._insert(t.substitution, row)
        return row

    def get(self, id: str) -> Substitution:
        row = self._one(Substitution, select(Substitution, t.substitution).where(_S.id == id)) if storable(id) else None
        if row is None:
            raise NotFound(kind="代办", name=id)
        return row

    def running(self, day: dt.date) -> list[Substitution]:
        """Those of a day."""
        return self._found(Substitution, _RUNNING, {"b_day": day, "b_on": day, "b_there": day})

    def of(self, person_id: str) -> list[Substitution]:
        """Where the person is one of the two, cancelled and past ones included, the newest first."""
        where = sa.or_(_S.person_id == person_id, _S.substitute_id == person_id)
        return self._all(Substitution, select(Substitution, t.substitution).where(where).order_by(_S.since.desc(), _S.at.desc(), _S.id))

    def between(self, person_id: str, since: dt.date, until: dt.date) -> list[Substitution]:
        """Those not cancelled in which the person is one of the two and that touch the period."""
        return [s for s in self.of(person_id) if s.cancelled_at is None and s.since <= until and s.until >= since]

    def cancel(self, id: str, by: str) -> bool:
        """False when it was cancelled before."""
        where = (_S.id == id, _S.cancelled_at.is_(None))
        return bool(self._run(sa.update(t.substitution).where(*where).values(cancelled_at=self.tx.at, cancelled_by=by)).rowcount)
