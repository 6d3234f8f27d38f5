"""Published holiday years. Each publication has a version across all years; a deadline says which it was
counted with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from siquan.core.store import tables as t
from siquan.core.store.repository import Repository, select
from siquan.core.store.rows import HolidayYear

_H = t.holiday_year.c
# asked in every act: built once
_VERSION = sa.select(sa.func.coalesce(sa.func.max(_H.version), 0))


class Calendars(Repository):
    def publish(
        self,
        year: int,
        holidays: Mapping[dt.date, str],
        workdays: Iterable[dt.date],
        source: str,
        by: str,
    ) -> HolidayYear:
        """Publish (or publish anew) a year: days off with their names, and make-up working days."""
        row = HolidayYear(
            self.tx.counters.next("calendar"), year, {d.isoformat(): n for d, n in holidays.items()},
            sorted(d.isoformat() for d in workdays), source, by, self.tx.at,
        )  # fmt: skip
        self._insert(t.holiday_year, row)
        return row

    def all(self) -> list[HolidayYear]:
        """Every publication of every year, in order."""
        return self._all(HolidayYear, select(HolidayYear, t.holiday_year).order_by(_H.version))

    def version(self) -> int:
        """The newest publication, 0 before the first."""
        return self._count(_VERSION)

    def years(self, version: int | None = None) -> dict[int, HolidayYear]:
        """{year: what counted for it} at a version (default the newest)."""
        rows = select(HolidayYear, t.holiday_year).order_by(_H.version)
        if version is not None:
            rows = rows.where(_H.version <= version)
        return {row.year: row for row in self._all(HolidayYear, rows)}
