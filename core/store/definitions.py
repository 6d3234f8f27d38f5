"""Pinned documents by content hash: a case keeps running on the process it was opened with."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from siquan.core.errors import NotFound
from siquan.core.store import tables as t
from siquan.core.store.prepared import Prepared
from siquan.core.store.repository import Repository, select
from siquan.core.store.rows import Definition

_D = t.definition.c
_HAS = Prepared(sa.select(_D.hash).where(_D.hash == sa.bindparam("b_hash")))
_GET = Prepared(select(Definition, t.definition).where(_D.hash == sa.bindparam("b_hash")))


class Definitions(Repository):
    def put(self, hash: str, kind: str, name: str, document: str, version: str = "") -> bool:
        """Keep a document (JSON text) under its hash; False when it is there already. `kind`: process,
        ruleset, ..."""
        if self.has(hash):
            return False
        try:
            with self.tx.conn.begin_nested():
                self._insert(t.definition, Definition(hash, kind, name, version, document, self.tx.at))
        except IntegrityError:  # somebody else kept it at the same time
            return False
        return True

    def has(self, hash: str) -> bool:
        return _HAS.row(self.tx, {"b_hash": hash}) is not None

    def get(self, hash: str) -> Definition:
        row = _GET.row(self.tx, {"b_hash": hash})
        if row is None:
            raise NotFound(kind="定义", name=hash)
        return Definition(*row)

    def versions(self, kind: str, name: str) -> list[Definition]:
        """Every kept version of one thing, newest first."""
        where = (_D.kind == kind, _D.name == name)
        return self._all(
            Definition, select(Definition, t.definition).where(*where).order_by(_D.at.desc(), _D.hash)
        )
