"""Column types that behave alike on SQLite and PostgreSQL: canonical JSON, instants and days, all kept as
text."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from siquan.core.store.canonical import canonical, instant, parse

_NEVER = "9999-12-31"


class Json(TypeDecorator[Any]):
    """Canonical JSON. Python None is the JSON `null`; SQL NULL (written with `sa.null()`) means erased or not
    there."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return canonical(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else parse(value)


class Instant(TypeDecorator[dt.datetime]):
    """A moment, stored as UTC text with microseconds."""

    impl = sa.String(32)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else instant(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> dt.datetime | None:
        return None if value is None else dt.datetime.fromisoformat(value)


class Day(TypeDecorator[dt.date]):
    """A calendar day, stored as `2026-11-23`."""

    impl = sa.String(10)
    cache_ok = True

    def process_bind_param(self, value: dt.date | None, dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat()[:10]

    def process_result_value(self, value: str | None, dialect: Dialect) -> dt.date | None:
        return None if value is None else dt.date.fromisoformat(value)


class DayOrNever(Day):
    """A day where None sorts last on both databases: stored as the last day there is."""

    cache_ok = True

    def process_bind_param(self, value: dt.date | None, dialect: Dialect) -> str | None:
        return _NEVER if value is None else value.isoformat()[:10]

    def process_result_value(self, value: str | None, dialect: Dialect) -> dt.date | None:
        return None if value is None or value == _NEVER else dt.date.fromisoformat(value)
