"""Numbers without gaps: allotted in the transaction of the act, so a rolled-back act gives its number
back."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from siquan.core.store import tables as t
from siquan.core.store.prepared import Prepared
from siquan.core.store.repository import Repository, insert

_C = t.counter.c
_GET = Prepared(sa.select(_C.value).where(_C.scope == sa.bindparam("b_scope")))
_STEP = Prepared(sa.update(t.counter).where(_C.scope == sa.bindparam("b_scope")).values(value=_C.value + 1))


class Counters(Repository):
    def next(self, scope: str) -> int:
        """The next number of `scope` (for instance `case/2026`), from 1; others wait until this transaction
        ends."""
        if not _STEP.run(self.tx, {"b_scope": scope}):
            try:
                with self.tx.conn.begin_nested():
                    insert(t.counter).run(self.tx, {"scope": scope, "value": 1})
                return 1
            except IntegrityError:  # somebody else began the scope at the same time
                _STEP.run(self.tx, {"b_scope": scope})
        return self.current(scope)

    def current(self, scope: str) -> int:
        """The last number given, 0 before the first."""
        row = _GET.row(self.tx, {"b_scope": scope})
        return 0 if row is None else int(row[0])
