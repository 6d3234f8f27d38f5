"""Incidents: what an administrator has to look at, such as two engines that disagreed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from siquan.core.errors import NotFound
from siquan.core.store import tables as t
from siquan.core.store.repository import Repository, select
from siquan.core.store.rows import Incident

_I = t.incident.c


class Incidents(Repository):
    def add(self, kind: str, message: str, data: Any = None, case_id: str | None = None) -> Incident:
        row = Incident(self.tx.new_id(), self.tx.at, kind, case_id, message, data, "open", None, None, "")
        self._insert(t.incident, row)
        return row

    def get(self, incident_id: str) -> Incident:
        row = self._one(Incident, select(Incident, t.incident).where(_I.id == incident_id))
        if row is None:
            raise NotFound(kind="异常", name=incident_id)
        return row

    def latest(self, status: str | None = "open", limit: int = 100, offset: int = 0) -> list[Incident]:
        """Newest first."""
        where = [_I.status == status] if status else []
        rows = select(Incident, t.incident).where(*where).order_by(_I.at.desc(), _I.id)
        return self._all(Incident, rows.limit(limit).offset(offset))

    def of(self, case_id: str) -> list[Incident]:
        return self._all(
            Incident, select(Incident, t.incident).where(_I.case_id == case_id).order_by(_I.at, _I.id)
        )

    def count_open(self) -> int:
        return self._count(sa.select(sa.func.count()).select_from(t.incident).where(_I.status == "open"))

    def close(self, incident_id: str, by: str, note: str) -> bool:
        """False when it was closed before."""
        values = {"status": "closed", "closed_at": self.tx.at, "closed_by": by, "note": note}
        where = (_I.id == incident_id, _I.status == "open")
        return bool(self._run(sa.update(t.incident).where(*where).values(values)).rowcount)
