"""Periods of obligations: one row each, opened and settled by the clock or by an act, never taken away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from siquan.core.store import tables as t
from siquan.core.store.prepared import Prepared
from siquan.core.store.repository import Repository, select, within
from siquan.core.store.rows import Obligation

_O = t.obligation.c
_OF = Prepared(
    select(Obligation, t.obligation).where(_O.case_id == sa.bindparam("b_case")).order_by(_O.start, _O.name)
)


class Obligations(Repository):
    def add(
        self, case_id: str, name: str, start: dt.date, end: dt.date, *, opened_on: dt.date, warn_on: dt.date | None, last_on: dt.date,
        late_on: dt.date | None, next_on: dt.date | None, definition_hash: str, record: dict[str, Any],
    ) -> Obligation:  # fmt: skip
        row = Obligation(
            self.tx.new_id(), case_id, name, start, end, "open", opened_on, warn_on, last_on, late_on, next_on, None, None,
            definition_hash, record, self.tx.at,
        )  # fmt: skip
        self._insert(t.obligation, row)
        return row

    def of(self, case_id: str) -> list[Obligation]:
        """Every period of a case, the earliest first."""
        return self._found(Obligation, _OF, {"b_case": case_id})

    def change(self, obligation_id: str, **values: Any) -> None:
        """Change status, changed_on, warn_on, last_on, late_on, next_on, met_case, met_seq. Under the case's lock."""
        self._run(sa.update(t.obligation).where(_O.id == obligation_id).values(values))

    def waiting(self, on: dt.date, limit: int = 200, after: str = "") -> list[Obligation]:
        """Periods that time alone changes by `on`, by id in pages."""
        where = (_O.status.in_(("open", "warned")), _O.next_on <= on, _O.id > after)
        return self._all(Obligation, select(Obligation, t.obligation).where(*where).order_by(_O.id).limit(limit))

    def newest(self, case_ids: Collection[str]) -> dict[tuple[str, str], dt.date]:
        """{(case, obligation): first day of its newest period}."""
        if not case_ids:
            return {}
        rows = sa.select(_O.case_id, _O.name, sa.func.max(_O.start)).where(within(_O.case_id, case_ids))
        found = self._run(rows.group_by(_O.case_id, _O.name))
        return {(str(c), str(n)): day if isinstance(day, dt.date) else dt.date.fromisoformat(day) for c, n, day in found}

    def listed(
        self, statuses: Collection[str], places: Collection[str] | None, processes: Collection[str] | None = None, limit: int = 200,
        since: dt.date | None = None,
    ) -> list[Obligation]:  # fmt: skip
        """Periods that stand so at these places (None: everywhere), the earliest end first."""
        where: list[sa.ColumnElement[bool]] = [within(_O.status, statuses)]
        if since is not None:
            where.append(_O.end >= since)
        for column, values in ((t.case_file.c.place, places), (t.case_file.c.process, processes)):
            if values is not None:
                if not values:
                    return []
                where.append(within(column, values))
        rows = select(Obligation, t.obligation).join(t.case_file, t.case_file.c.id == _O.case_id).where(*where)
        return self._all(Obligation, rows.order_by(_O.end, _O.created_at, _O.id).limit(limit))
