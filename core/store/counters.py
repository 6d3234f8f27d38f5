"""Numbers without gaps: allotted in the transaction of the act, so a rolled-back act gives its number
back."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from siquan.core.store import tables as t
from siquan.core.store.repository import Repository

_C = t.counter.c
_GET = sa.select(_C.value).where(_C.scope == sa.bindparam("b_scope"))
_STEP = sa.update(t.counter).where(_C.scope == sa.bindparam("b_scope")).values(value=_C.value + 1)


class Counters(Repository):
    def next(self, scope: str) -> int:
        """The next number of `scope` (for instance `case/2026`), from 1; others wait until this transaction
        ends."""
        if not self._run(_STEP, {"b_scope": scope}).rowcount:
            try:
                with self.tx.conn.begin_nested():
                    self._run(sa.insert(t.counter), {"scope": scope, "value": 1})
                return 1
            except IntegrityError:  # somebody else began the scope at the same time
                self._run(_STEP, {"b_scope": scope})
        return self._count(_GET, {"b_scope": scope})

    def current(self, scope: str) -> int:
        """The last number given, 0 before the first."""
        row = self._run(_GET, {"b_scope": scope}).first()
        return 0 if row is None else int(row.value)
