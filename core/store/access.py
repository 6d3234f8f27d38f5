"""Who looked at what: sensitive facts unmasked, exports, logins."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from siquan.core.store import tables as t
from siquan.core.store.repository import Repository, select
from siquan.core.store.rows import Access

_A = t.access_log.c


class AccessLog(Repository):
    def add(self, actor: str, what: str, target: str, case_id: str | None = None, origin: str = "") -> None:
        """`what` is a word such as login, unmask, export; `origin` where the request came from."""
        self._insert(t.access_log, Access(self.tx.new_id(), self.tx.at, actor, what, target, case_id, origin))

    def latest(self, limit: int = 100, offset: int = 0, case_id: str | None = None) -> list[Access]:
        """Newest first."""
        where = [_A.case_id == case_id] if case_id else []
        rows = select(Access, t.access_log).where(*where).order_by(_A.at.desc(), _A.id)
        return self._all(Access, rows.limit(limit).offset(offset))

    def prune(self, before: dt.datetime) -> int:
        return self._run(sa.delete(t.access_log).where(_A.at < before)).rowcount
