"""Ties between cases: merged into, split off to, derived to, related with."""

from __future__ import annotations

import sqlalchemy as sa

from siquan.core.store import tables as t
from siquan.core.store.prepared import Prepared
from siquan.core.store.repository import Repository, select
from siquan.core.store.rows import Link

KINDS = ("merged", "split", "derived", "related")
_L = t.case_link.c
_ANY = sa.or_(_L.case_id == sa.bindparam("b_case"), _L.other_id == sa.bindparam("b_case"))
_OF = Prepared(select(Link, t.case_link).where(_ANY, _L.ended_at.is_(None)).order_by(_L.at, _L.id))


class Links(Repository):
    def add(self, kind: str, case_id: str, other_id: str, by: str) -> Link:
        if kind not in KINDS:
            raise TypeError(f"no such tie: {kind}")
        row = Link(self.tx.new_id(), kind, case_id, other_id, self.tx.at, by, None)
        self._insert(t.case_link, row)
        return row

    def of(self, case_id: str, kind: str = "") -> list[Link]:
        """Ties of a case that hold, from either end, oldest first."""
        found = self._found(Link, _OF, {"b_case": case_id})
        return [link for link in found if link.kind == kind] if kind else found

    def end(self, link_id: str) -> None:
        self._run(sa.update(t.case_link).where(_L.id == link_id, _L.ended_at.is_(None)).values(ended_at=self.tx.at))
