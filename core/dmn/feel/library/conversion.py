"""Conversion functions (10.3.4.1)."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

from siquan.core.dmn.feel import tree as t
from siquan.core.dmn.feel.evaluate import Ground, Scope, build
from siquan.core.dmn.feel.lexer import FeelFault
from siquan.core.dmn.feel.library.signature import builtin
from siquan.core.dmn.feel.names import Names
from siquan.core.dmn.feel.operators import midnight, months_apart
from siquan.core.dmn.feel.parser import parse
from siquan.core.dmn.feel.temporal import (
    SECOND,
    Date,
    DateTime,
    DayTimes,
    Time,
    YearMonths,
    known_zone,
    parse_date,
    parse_date_time,
    parse_duration,
    parse_time,
)
from siquan.core.dmn.feel.values import NUMBERS, Range, compare, number, text_of


def whole(*numbers: Decimal) -> list[int] | None:
    found = [int(n) for n in numbers if n == n.to_integral_value() and n.adjusted() < 12]
    return found if len(found) == len(numbers) else None


@builtin("date", "from: string")
def date_of_text(text: str) -> Date | None:
    return parse_date(text)


@builtin("date", "from: date|date and time")
def date_of(value: Date | DateTime) -> Date:
    return value.date if isinstance(value, DateTime) else value


@builtin("date", "year: number", "month: number", "day: number")
def date_from(year: Decimal, month: Decimal, day: Decimal) -> Date | None:
    found = whole(year, month, day)
    return Date.of(*found) if found else None


@builtin("time", "from: string")
def time_of_text(text: str) -> Time | None:
    return parse_time(text)


@builtin("time", "from: time|date and time|date")
def time_of(value: Any) -> Time:
    return value if isinstance(value, Time) else midnight(value).time


@builtin("time", "hour: number", "minute: number", "second: number", "offset: days?")
def time_from(hour: Decimal, minute: Decimal, second: Decimal, offset: DayTimes | None = None) -> Time | None:
    found = whole(hour, minute)
    if not found or not 0 <= second < 60:
        return None
    full = int(second)
    nanos = int((second - full) * SECOND)
    return Time.of(found[0], found[1], full, nanos, None if offset is None else offset.nanos // SECOND)


@builtin("date and time", "from: string")
def date_time_of_text(text: str) -> DateTime | None:
    return parse_date_time(text)


@builtin("date and time", "from: datetime")
def date_time_of(value: DateTime) -> DateTime:
    return value


@builtin("date and time", "date: date|date and time", "time: time")
def date_time_from(date: Date | DateTime, time: Time) -> DateTime:
    return DateTime(date_of(date), time)


@builtin("date and time", "date: date|date and time", "timezone: string")
def date_time_in(date: Date | DateTime, timezone: str) -> DateTime | None:
    """The same moment, as the clocks of that zone show it."""
    full = midnight(date)
    if not known_zone(timezone):
        return None
    if not full.aware:
        return DateTime(full.date, replace(full.time, zone=timezone))
    utc = full.moved(-(full.time.away(full.date) or 0) * SECOND)
    if utc is None:
        return None
    away = Time(utc.time.hour, utc.time.minute, utc.time.second, zone=timezone).away(utc.date) or 0
    local = utc.moved(away * SECOND)
    return DateTime(local.date, replace(local.time, offset=None, zone=timezone)) if local else None


_GROUPED = re.compile(r"-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,5})?", re.ASCII)


@builtin("number", "from: string", "grouping separator: string?", "decimal separator: string?")
def number_of(text: str, grouping: str | None = None, point: str | None = None) -> Decimal | None:
    """Separators are a space, a comma or a full stop, and not the same."""
    if (grouping not in (None, " ", ",", ".")) or (point not in (None, ",", ".")) or (grouping is not None and grouping == point):
        return None
    if grouping:
        text = text.replace(grouping, "")
    if point and point != ".":
        if "." in text:
            return None
        text = text.replace(point, ".")
    return number(NUMBERS.create_decimal(text)) if _GROUPED.fullmatch(text) else None


@builtin("number", "from: number")
def number_itself(value: Decimal) -> Decimal:
    return value


@builtin("string", "from: any")
def string_of(value: Any) -> str | None:
    return None if value is None else text_of(value)


@builtin("duration", "from: string")
def duration_of(text: str) -> YearMonths | DayTimes | None:
    return parse_duration(text)


@builtin("duration", "from: days|months")
def duration_itself(value: Any) -> Any:
    return value


@builtin("years and months duration", "from: date|date and time", "to: date|date and time")
def months_between(start: Date | DateTime, end: Date | DateTime) -> YearMonths | None:
    return months_apart(start, end)


_CONSTRUCTORS = ("date", "time", "date and time", "duration")


@builtin("range", "from: string")
def range_of(text: str) -> Range | None:
    """The range written in a text, with constant ends in order: `[18..21)`."""
    from siquan.core.dmn.feel.library import FUNCTIONS

    try:
        node = parse(text, Names(FUNCTIONS))
    except FeelFault:
        return None
    ends = (node.low, node.high) if isinstance(node, t.Interval) else ()
    if not ends or not all(_constant(e) for e in ends):
        return None
    found = build(node)(Scope(Ground({k: FUNCTIONS[k] for k in _CONSTRUCTORS}), {}))
    return found if isinstance(found, Range) and compare("<=", found.low, found.high) else None


def _constant(node: t.Node) -> bool:
    match node:
        case t.Literal(value=value):
            return value is not None and not isinstance(value, bool)
        case t.Call(func=t.Name(name=name), args=args):
            return name in _CONSTRUCTORS and all(isinstance(a, t.Literal) for a in args)
    return False
