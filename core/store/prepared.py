"""Statements of the act path, compiled once and run on the driver's own cursor.

An act is a dozen small statements; through Core each costs more Python time than SQLite needs for it. These
keep Core's SQL, types and exceptions and skip the rest (statement events, result objects). Not for IN lists,
whose SQL varies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from siquan.core.store.transaction import Tx

Convert = Callable[[Any], Any] | None


@dataclass(slots=True)
class _Plan:
    """SQL for one dialect; `binds` are (name, constant, converter), the name empty for a constant."""

    sql: str
    positional: bool
    binds: list[tuple[str, str, Any, Convert]]
    results: list[Convert]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        if self.positional:
            return tuple(
                (convert(values[key]) if convert else values[key]) if key else constant
                for _, key, constant, convert in self.binds
            )
        return {
            name: (convert(values[key]) if convert else values[key]) if key else constant
            for name, key, constant, convert in self.binds
        }


class Prepared:
    """`columns` names what an INSERT or UPDATE sets from `values`; other parameters are `sa.bindparam`s."""

    def __init__(self, statement: sa.ClauseElement, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._plans: dict[str, _Plan] = {}

    def run(self, tx: Tx, values: Mapping[str, Any]) -> int:
        """Execute; returns how many rows were touched."""
        plan = self._plan(tx.conn.dialect)
        return int(self._execute(tx, plan, plan.parameters(values)).rowcount)

    def many(self, tx: Tx, values: Sequence[Mapping[str, Any]]) -> None:
        plan = self._plan(tx.conn.dialect)
        cursor = tx.cursor
        try:
            cursor.executemany(plan.sql, [plan.parameters(v) for v in values])
        except tx.driver_error as e:
            raise _known(tx, plan, e) from e

    def rows(self, tx: Tx, values: Mapping[str, Any]) -> list[list[Any]]:
        """Every row with its values converted, in the order of the selected columns."""
        plan = self._plan(tx.conn.dialect)
        found = self._execute(tx, plan, plan.parameters(values)).fetchall()
        return [
            [convert(v) if convert else v for convert, v in zip(plan.results, row, strict=True)]
            for row in found
        ]

    def row(self, tx: Tx, values: Mapping[str, Any]) -> list[Any] | None:
        found = self.rows(tx, values)
        return found[0] if found else None

    def _execute(self, tx: Tx, plan: _Plan, parameters: Any) -> Any:
        cursor = tx.cursor
        try:
            cursor.execute(plan.sql, parameters)
        except tx.driver_error as e:
            raise _known(tx, plan, e) from e
        return cursor

    def _plan(self, dialect: Dialect) -> _Plan:
        plan = self._plans.get(dialect.name)
        if plan is None:
            plan = self._plans[dialect.name] = self._compile(dialect)
        return plan

    def _compile(self, dialect: Dialect) -> _Plan:
        compiled: Any = self._statement.compile(dialect=dialect, column_keys=self._columns)
        positional = bool(compiled.positional)
        binds: list[tuple[str, str, Any, Convert]] = []
        for name in compiled.positiontup if positional else compiled.bind_names.values():
            bind = compiled.binds[name]
            convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
            if bind.required:
                binds.append((name, bind.key, None, convert))
            else:
                constant = bind.effective_value
                binds.append((name, "", convert(constant) if convert else constant, None))
        columns = getattr(self._statement, "selected_columns", ())
        results = [c.type.dialect_impl(dialect).result_processor(dialect, None) for c in columns]
        return _Plan(str(compiled), positional, binds, results)


def _known(tx: Tx, plan: _Plan, error: Any) -> BaseException:
    """The driver's exception as SQLAlchemy's."""
    known: BaseException = DBAPIError.instance(
        plan.sql, None, error, tx.driver_error, dialect=tx.conn.dialect
    )
    return known
