"""The parameter book: dated values per place, published in numbered versions; a case is pinned to one of
them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from siquan.core.errors import NotFound
from siquan.core.store import tables as t
from siquan.core.store.canonical import canonical
from siquan.core.store.chain import digest
from siquan.core.store.repository import Repository, chunks, select
from siquan.core.store.rows import BookLine, BookVersion, NewLine

_L, _V = t.book_line.c, t.book_version.c


class Parameters(Repository):
    def version(self) -> int:
        """The newest version of the book, 0 while nothing was published."""
        return self._count(sa.select(sa.func.coalesce(sa.func.max(_V.version), 0)))

    def publish(
        self, lines: Iterable[NewLine], by: str, note: str = "", remove: Collection[str] = ()
    ) -> BookVersion:
        """Publish a new version: the old lines without those named in `remove` (line ids), and the new
        ones."""
        version = self.tx.counters.next("book")
        for part in chunks(remove):
            known = self._run(
                sa.update(t.book_line)
                .where(_L.id.in_(part), _L.removed_in.is_(None))
                .values(removed_in=version)
            )
            if known.rowcount != len(set(part)):
                raise NotFound(kind="参数行", name=", ".join(part))
        added = [
            BookLine(
                self.tx.new_id(),
                n.name,
                n.since,
                n.place,
                n.value,
                n.basis,
                n.cite,
                n.ref,
                n.origin,
                version,
                None,
            )
            for n in lines
        ]
        for line in added:
            self._insert(t.book_line, line)
        content = [[n.name, n.since, n.place, n.value, n.basis, n.cite, n.ref] for n in self.lines(version)]
        row = BookVersion(version, self.tx.at, by, note, digest(canonical(content)))
        self._insert(t.book_version, row)
        return row

    def lines(self, version: int | None = None, name: str | None = None) -> list[BookLine]:
        """Lines of one version (default the newest) by name, place, day; of one parameter or all."""
        where: list[sa.ColumnElement[bool]] = [_L.removed_in.is_(None)]
        if version is not None:
            where = [_L.added_in <= version, sa.or_(_L.removed_in.is_(None), _L.removed_in > version)]
        if name is not None:
            where.append(_L.name == name)
        rows = self._all(BookLine, select(BookLine, t.book_line).where(*where))
        return sorted(rows, key=lambda n: (n.name, n.place, n.since, n.added_in, n.id))

    def versions(self) -> list[BookVersion]:
        """Newest first."""
        return self._all(BookVersion, select(BookVersion, t.book_version).order_by(_V.version.desc()))
