"""The calendar periods of an obligation: which one a day lies in, which ones are owed, what they are called."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

MONTHS = {"month": 1, "two_months": 2, "quarter": 3, "half": 6, "year": 12}
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, order=True)
class Period:
    """From `start` to `end`, both included."""

    start: dt.date
    end: dt.date

    def label(self, every: str) -> tuple[str, str]:
        """`2026年第4季度`, in Chinese and English."""
        year, n = self.start.year, (self.start.month - 1) // MONTHS[every] + 1
        if every == "year":
            return f"{year}年", str(year)
        if every == "half":
            return f"{year}年{'上下'[n - 1]}半年", f"{year} H{n}"
        if every == "quarter":
            return f"{year}年第{n}季度", f"{year} Q{n}"
        first, last = self.start.month, self.end.month
        months = f"{first}月" if first == last else f"{first}至{last}月"
        return f"{year}年{months}", f"{year}-{first:02d}" + ("" if first == last else f"/{last:02d}")


def period_of(day: dt.date, every: str) -> Period:
    """The period a day lies in. The periods of a kind cut every year into equal parts, from 1 January on."""
    months = MONTHS[every]
    first = (day.month - 1) // months * months + 1
    year, month = (day.year, first + months) if first + months <= 12 else (day.year + 1, 1)
    end = dt.date.max if year > dt.MAXYEAR else dt.date(year, month, 1) - DAY
    return Period(dt.date(day.year, first, 1), end)


def periods(every: str, first: dt.date, last: dt.date) -> Iterator[Period]:
    """Every period with a day from `first` to `last`, in order."""
    while first <= last:
        found = period_of(first, every)
        yield found
        if found.end == dt.date.max:
            return
        first = found.end + DAY


def owed(every: str, since: dt.date, until: dt.date | None, today: dt.date, partial: bool = False) -> list[Period]:
    """The periods that have begun by `today` and are owed: those that lie whole between `since` and `until`, with `partial`
    also those cut off by either."""
    last = min(today, until) if until is not None else today
    return [
        p for p in periods(every, since, last)
        if partial or (p.start >= since and (until is None or p.end <= until))
    ]  # fmt: skip
