"""Temporal functions (10.3.4.7)."""

from __future__ import annotations

from decimal import Decimal

from siquan.core.dmn.feel.library.signature import builtin
from siquan.core.dmn.feel.temporal import Date, DateTime

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"
)  # fmt: skip


def _date(value: Date | DateTime) -> Date:
    return value.date if isinstance(value, DateTime) else value


@builtin("day of year", "date: date|date and time")
def day_of_year(value: Date | DateTime) -> Decimal:
    date = _date(value)
    return Decimal(date.days - Date(date.year, 1, 1).days + 1)


@builtin("day of week", "date: date|date and time")
def day_of_week(value: Date | DateTime) -> str:
    return WEEKDAYS[_date(value).weekday - 1]


@builtin("month of year", "date: date|date and time")
def month_of_year(value: Date | DateTime) -> str:
    return MONTHS[_date(value).month - 1]


@builtin("week of year", "date: date|date and time")
def week_of_year(value: Date | DateTime) -> Decimal:
    """ISO 8601: week 1 is the one with the year's first Thursday."""
    date = _date(value)
    thursday = Date.at(date.days - date.weekday + 4)
    start = Date(thursday.year, 1, 1).days if thursday else date.days
    return Decimal(((thursday.days if thursday else date.days) - start) // 7 + 1)
