"""Alembic's entry: runs on the connection `database.migrate` hands over, inside its transaction."""

from __future__ import annotations

from typing import Any

from alembic import context

from siquan.core.store.tables import FOREIGN_TABLES, metadata


def ours(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
    """DBOS keeps its own tables in the same SQLite file: never compare, alter or drop them."""
    if kind == "table":
        return name not in FOREIGN_TABLES
    table = getattr(thing, "table", None)
    return table is None or table.name not in FOREIGN_TABLES


def run() -> None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        include_object=ours,
        include_schemas=False,
        render_as_batch=True,
        transactional_ddl=True,
    )
    context.run_migrations()


run()
