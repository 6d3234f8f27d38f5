"""Migrations of cases to another version of their process: the plan, how far it came, and what became of each case."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import sqlalchemy as sa

from siquan.core.errors import NotFound
from siquan.core.store import tables as t
from siquan.core.store.move_rows import Migration, MigrationCase
from siquan.core.store.repository import Repository, chunks, select, storable

_M, _C = t.migration.c, t.migration_case.c


class Moves(Repository):
    def add(self, *, process: str, to_hash: str, mapping: dict[str, dict[str, str]], reason: str, by: str, counts: dict[str, Any]) -> Migration:
        row = Migration(
            self.tx.new_id(), process, to_hash, mapping, "planned", reason, by, self.tx.at, None, None, None, None, None, "", counts
        )
        self._insert(t.migration, row)
        return row

    def get(self, migration_id: str) -> Migration:
        """Raises NotFound."""
        found = select(Migration, t.migration).where(_M.id == migration_id)
        row = self._one(Migration, found) if storable(migration_id) else None
        if row is None:
            raise NotFound(kind="迁移", name=migration_id)
        return row

    def change(self, row: Migration, was: str, **values: Any) -> bool:
        """Write a migration that has the status `was`; False when it has another by now."""
        return bool(self._run(sa.update(t.migration).where(_M.id == row.id, _M.status == was).values(values)).rowcount)

    def of(self, process: str = "", limit: int = 50) -> list[Migration]:
        """Newest first, of one process or of all."""
        where = [_M.process == process] if process else []
        return self._all(Migration, select(Migration, t.migration).where(*where).order_by(_M.planned_at.desc(), _M.id).limit(limit))

    # cases

    def note(
        self, migration_id: str, case_id: str, head_id: str, status: str, *, why: str = "", from_hash: str = "", from_state: str = "",
        to_state: str = "", seq: int = 0, earlier: Any = None,
    ) -> None:  # fmt: skip
        """What became of a case; a second try takes the place of the first."""
        self._run(sa.delete(t.migration_case).where(_C.migration_id == migration_id, _C.case_id == case_id))
        row = MigrationCase(migration_id, case_id, head_id, status, why, from_hash, from_state, to_state, seq, earlier, self.tx.at)
        self._insert(t.migration_case, row)

    def mark(self, migration_id: str, case_ids: Collection[str], status: str, why: str = "") -> None:
        for part in chunks(case_ids):
            where = (_C.migration_id == migration_id, _C.case_id.in_(part))
            self._run(sa.update(t.migration_case).where(*where).values(status=status, why=why, at=self.tx.at))

    def family(self, migration_id: str, head_id: str) -> list[MigrationCase]:
        """A case and the children that moved with it, itself first."""
        where = (_C.migration_id == migration_id, _C.head_id == head_id)
        found = self._all(MigrationCase, select(MigrationCase, t.migration_case).where(*where).order_by(_C.case_id))
        return sorted(found, key=lambda c: c.case_id != head_id)

    def found(self, migration_id: str, case_id: str) -> MigrationCase | None:
        where = (_C.migration_id == migration_id, _C.case_id == case_id)
        return self._one(MigrationCase, select(MigrationCase, t.migration_case).where(*where))

    def cases(self, migration_id: str, status: str = "", limit: int = 100, offset: int = 0) -> list[MigrationCase]:
        where = [_C.migration_id == migration_id, *([_C.status == status] if status else [])]
        found = select(MigrationCase, t.migration_case).where(*where).order_by(_C.case_id)
        return self._all(MigrationCase, found.limit(limit).offset(offset))

    def heads(self, migration_id: str, status: str, after: str = "", limit: int = 200) -> list[str]:
        """Ids of the cases that moved on their own account (not as somebody's children), a page at a time."""
        where = (_C.migration_id == migration_id, _C.status == status, _C.head_id == _C.case_id, _C.case_id > after)
        return list(self.tx.conn.execute(sa.select(_C.case_id).where(*where).order_by(_C.case_id).limit(limit)).scalars())

    def tally(self, migration_id: str) -> dict[str, int]:
        """{status: cases}."""
        rows = sa.select(_C.status, sa.func.count()).where(_C.migration_id == migration_id).group_by(_C.status)
        return {str(status): int(n) for status, n in self.tx.conn.execute(rows)}

    def each(self, migration_id: str) -> Iterator[MigrationCase]:
        offset = 0
        while page := self.cases(migration_id, "", 500, offset):
            yield from page
            offset += len(page)
