"""What every repository is: a handful of statements spoken on the connection of one transaction."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from siquan.core.store.columns import Day, Instant
from siquan.core.store.prepared import Prepared

if TYPE_CHECKING:
    from siquan.core.store.transaction import Tx

T = TypeVar("T")
#: how many values one IN list takes; SQLite and the domestic databases have limits
CHUNK = 500
#: a null character, and halves of a character: no database takes them
_NEVER = re.compile("[\x00\ud800-\udfff]")


@cache
def select(cls: type[Any], table: sa.Table) -> sa.Select[*tuple[Any, ...]]:
    """SELECT of exactly the fields of a row class, in their order."""
    return sa.select(*(table.c[f.name] for f in fields(cls)))


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """Slices short enough for one IN list."""
    rest = list(values)
    for at in range(0, len(rest), size):
        yield rest[at : at + size]


def storable(text: str) -> bool:
    """Whether a text can stand in a column. What cannot be stored cannot be found either: ask before a query with
    a text from outside."""
    return not _NEVER.search(text)


class Repository:
    __slots__ = ("tx",)

    def __init__(self, tx: Tx) -> None:
        self.tx = tx

    def _run(
        self, statement: sa.Executable, values: dict[str, Any] | Sequence[dict[str, Any]] | None = None
    ) -> sa.CursorResult[*tuple[Any, ...]]:
        result = self.tx.conn.execute(statement, values)
        assert isinstance(result, sa.CursorResult)
        return result

    def _all(self, cls: type[T], statement: sa.Executable, values: dict[str, Any] | None = None) -> list[T]:
        return [cls(*row) for row in self.tx.conn.execute(statement, values)]

    def _one(self, cls: type[T], statement: sa.Executable, values: dict[str, Any] | None = None) -> T | None:
        row = self.tx.conn.execute(statement, values).first()
        return None if row is None else cls(*row)

    def _count(self, statement: sa.Executable, values: dict[str, Any] | None = None) -> int:
        return int(self.tx.conn.execute(statement, values).scalar_one())

    def _found(self, cls: type[T], statement: Prepared, values: dict[str, Any]) -> list[T]:
        return [cls(*row) for row in statement.rows(self.tx, values)]

    def _insert(self, table: sa.Table, row: Any) -> None:
        """Store a row object whose fields are the columns."""
        insert(table).run(self.tx, {f.name: getattr(row, f.name) for f in fields(row)})


def plain_row(row: Any) -> dict[str, Any]:
    """A row object as JSON, to be put back later."""
    values = {f.name: getattr(row, f.name) for f in fields(row)}
    return {k: v.isoformat() if isinstance(v, dt.date) else v for k, v in values.items()}


def revived(table: sa.Table, plain: Mapping[str, Any]) -> dict[str, Any]:
    """The column values of what `plain_row` gave; columns it does not name are left as they are."""
    out = {}
    for column in table.c:
        if column.key in plain:
            value, kind = plain[column.key], column.type
            if value is not None and isinstance(kind, Instant):
                value = dt.datetime.fromisoformat(value)
            elif value is not None and isinstance(kind, Day):
                value = dt.date.fromisoformat(value)
            out[column.key] = value
    return out


@cache
def insert(table: sa.Table) -> Prepared:
    """INSERT of a whole row."""
    return Prepared(sa.insert(table), [c.key for c in table.c])


def within(column: sa.ColumnElement[Any], values: Collection[Any]) -> sa.ColumnElement[bool]:
    """`column IN values`, `=` for a single one so that an index gives its order."""
    if len(values) == 1:
        return sa.and_(column == next(iter(values)))
    return column.in_(sorted(values))
