"""Values as the readings see them: unknown, absent, exact numbers, intervals, unfinished lists, durations.

`None` is unknown everywhere. `ABSENT` is "known not to exist". Numbers are int or Fraction (exact), never float.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

Number = int | Fraction


class Absent:
    """Known not to exist; a comparison with it is false."""

    _one: Absent | None = None

    def __new__(cls) -> Absent:
        if cls._one is None:
            cls._one = super().__new__(cls)
        return cls._one

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False

    def __copy__(self) -> Absent:
        return self

    def __deepcopy__(self, memo: Any) -> Absent:
        return self

    def __reduce__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()


def exact(value: int | Decimal | Fraction) -> Number:
    """The same number as int when whole, else Fraction."""
    if isinstance(value, int):
        return value
    f = Fraction(value)
    return f.numerator if f.denominator == 1 else f


@dataclass(frozen=True, slots=True)
class Span:
    """A number known only to lie in [low, high]; None is unbounded. Counts on unfinished lists are spans."""

    low: Number | None
    high: Number | None

    @staticmethod
    def of(low: Number | None, high: Number | None) -> Span | Number:
        return low if low is not None and low == high else Span(low, high)


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of records (dicts of plain values, unknown as None) or scalars; `complete` false means more may come."""

    items: tuple[Any, ...]
    complete: bool = False

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Duration:
    """Calendar months and days, kept apart: months end on the corresponding day (民法典 202)."""

    months: int = 0
    days: int = 0

    def __neg__(self) -> Duration:
        return Duration(-self.months, -self.days)

    def __add__(self, other: Duration) -> Duration:
        return Duration(self.months + other.months, self.days + other.days)


def shift(day: dt.date, by: Duration) -> dt.date | None:
    """`day` plus a duration; the last day of a short month stands for a missing day; None when out of the calendar."""
    month = day.year * 12 + day.month - 1 + by.months
    year, month = divmod(month, 12)
    if not 1 <= year <= 9999:
        return None
    try:
        last = calendar.monthrange(year, month + 1)[1]
        return dt.date(year, month + 1, min(day.day, last)) + dt.timedelta(days=by.days)
    except (OverflowError, ValueError):
        return None


def months_between(start: dt.date, end: dt.date) -> int:
    """Full months from start to end, negative when end lies before start."""
    if end < start:
        return -months_between(end, start)
    months = (end.year - start.year) * 12 + end.month - start.month
    if end.day < start.day and not (end.day == calendar.monthrange(end.year, end.month)[1]):
        months -= 1
    return months


def years_between(start: dt.date, end: dt.date) -> int:
    """Full years; someone born on 29 February completes a year on 28 February of a common year."""
    months = months_between(start, end)
    return months // 12 if months >= 0 else -(-months // 12)
