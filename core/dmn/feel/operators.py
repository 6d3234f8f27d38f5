"""Arithmetic, properties and tests of values. What the standard does not define is null."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from siquan.core.dmn.feel.temporal import DAY, SECOND, Date, DateTime, DayTimes, Time, YearMonths
from siquan.core.dmn.feel.values import NUMBERS, Range, Truth, Unequal, disjunction, equal, number

#: characters of one string
LONGEST = 10_000_000


def arith(op: str, a: Any, b: Any) -> Any:
    """One of + - * / ** on two values."""
    match a, b:
        case Decimal(), Decimal():
            return _numbers(op, a, b)
        case str(), str():
            return a + b if op == "+" and len(a) + len(b) <= LONGEST else None
        case (YearMonths() | DayTimes()), (YearMonths() | DayTimes()):
            return _durations(op, a, b)
        case (YearMonths() | DayTimes()), Decimal():
            return _scaled(op, a, b)
        case Decimal(), (YearMonths() | DayTimes()):
            return _scaled(op, b, a) if op == "*" else None
        case (Date() | DateTime() | Time()), (YearMonths() | DayTimes()):
            return _moved(a, b if op == "+" else negate(b)) if op in "+-" else None
        case (YearMonths() | DayTimes()), (Date() | DateTime() | Time()):
            return _moved(b, a) if op == "+" else None
        case (Date() | DateTime() | Time()), (Date() | DateTime() | Time()):
            return _apart(a, b) if op == "-" else None
    return None


def _numbers(op: str, a: Decimal, b: Decimal) -> Decimal | None:
    match op:
        case "+":
            return number(NUMBERS.add(a, b))
        case "-":
            return number(NUMBERS.subtract(a, b))
        case "*":
            return number(NUMBERS.multiply(a, b))
        case "/":
            return number(NUMBERS.divide(a, b)) if b else None
    return number(NUMBERS.power(a, b)) if a or b > 0 else Decimal(1) if not b else None


def negate(value: Any) -> Any:
    match value:
        case Decimal():
            return NUMBERS.minus(value)
        case YearMonths(months=months):
            return YearMonths(-months)
        case DayTimes(nanos=nanos):
            return DayTimes(-nanos)
    return None


def _durations(op: str, a: YearMonths | DayTimes, b: YearMonths | DayTimes) -> Any:
    if isinstance(a, YearMonths) and isinstance(b, YearMonths):
        x, y = a.months, b.months
        return YearMonths(x + (y if op == "+" else -y)) if op in "+-" else _ratio(x, y) if op == "/" else None
    if isinstance(a, DayTimes) and isinstance(b, DayTimes):
        x, y = a.nanos, b.nanos
        return DayTimes(x + (y if op == "+" else -y)) if op in "+-" else _ratio(x, y) if op == "/" else None
    return None


def _ratio(a: int, b: int) -> Decimal | None:
    return number(NUMBERS.divide(Decimal(a), Decimal(b))) if b else None


def _scaled(op: str, a: YearMonths | DayTimes, b: Decimal) -> Any:
    if op not in "*/" or (op == "/" and not b):
        return None
    size = Decimal(a.months if isinstance(a, YearMonths) else a.nanos)
    found = number(NUMBERS.multiply(size, b) if op == "*" else NUMBERS.divide(size, b))
    if found is None or found.adjusted() > 30:
        return None
    return YearMonths(int(found)) if isinstance(a, YearMonths) else DayTimes(int(found))


def _moved(a: Date | DateTime | Time, by: YearMonths | DayTimes) -> Any:
    if isinstance(by, YearMonths):
        if isinstance(a, Time):
            return None
        day = (a if isinstance(a, Date) else a.date).plus_months(by.months)
        return day if isinstance(a, Date) or day is None else DateTime(day, a.time)
    if isinstance(a, Date):
        moved = DateTime(a, Time(0, 0, 0)).moved(by.nanos)
        return moved.date if moved else None
    return a.moved(by.nanos)


def midnight(value: Date | DateTime) -> DateTime:
    """A date as the date and time it is converted to."""
    return DateTime(value, Time(0, 0, 0, offset=0)) if isinstance(value, Date) else value


def _apart(a: Date | DateTime | Time, b: Date | DateTime | Time) -> DayTimes | None:
    if isinstance(a, Time) or isinstance(b, Time):
        both = isinstance(a, Time) and isinstance(b, Time) and a.aware is b.aware
        return DayTimes(a.utc - b.utc) if both and isinstance(a, Time) and isinstance(b, Time) else None
    if isinstance(a, Date) and isinstance(b, Date):
        return DayTimes((a.days - b.days) * DAY * SECOND)
    x, y = midnight(a), midnight(b)
    return DayTimes(x.instant - y.instant) if x.aware is y.aware else None


def months_apart(start: Date | DateTime, end: Date | DateTime) -> YearMonths | None:
    """Whole months from start to end, negative when end lies before start."""
    x, y = midnight(start), midnight(end)
    if isinstance(start, DateTime) and isinstance(end, DateTime) and x.aware is not y.aware:
        return None
    if (y.date, y.time.local) < (x.date, x.time.local):
        back = months_apart(end, start)
        return YearMonths(-back.months) if back else None
    months = (y.date.year - x.date.year) * 12 + y.date.month - x.date.month
    return YearMonths(months - ((y.date.day, y.time.local) < (x.date.day, x.time.local)))


def member(value: Any, name: str) -> Any:
    """`value.name`: an entry of a context, a property of a temporal value or range, each item's of a list."""
    match value:
        case dict():
            return value.get(name)
        case list():
            return [member(v, name) for v in value]
        case Date() | DateTime() | Time():
            return _clock(value, name)
        case YearMonths(months=months):
            parts = dict(zip(("years", "months"), divmod(abs(months), 12), strict=True))
            return _signed(parts.get(name), months)
        case DayTimes(nanos=nanos):
            spans = dict(zip(("days", "hours", "minutes", "seconds"), value.parts, strict=False))
            return _signed(spans.get(name), nanos)
        case Range():
            return {
                "start": value.low, "end": value.high, "start included": value.low_closed, "end included": value.high_closed
            }.get(name)  # fmt: skip
    return None


def _signed(size: int | None, whole: int) -> Decimal | None:
    return None if size is None else Decimal(-size if whole < 0 else size)


def _clock(value: Date | DateTime | Time, name: str) -> Any:
    date = value if isinstance(value, Date) else value.date if isinstance(value, DateTime) else None
    time = value if isinstance(value, Time) else value.time if isinstance(value, DateTime) else None
    if date is not None and name in ("year", "month", "day", "weekday"):
        return Decimal(getattr(date, name))
    if time is None:
        return None
    if name in ("hour", "minute", "second"):
        return Decimal(getattr(time, name))
    if name == "time offset":
        away = time.away(date)
        return None if away is None else DayTimes(away * SECOND)
    return (time.zone or None) if name == "timezone" else None


def passes(test: Any, value: Any) -> Truth:
    """Whether a value is what a test came to: in the range, in the list, or equal."""
    match test:
        case Range() if not isinstance(value, Range):
            return test.has(value)
        case Unequal(value=other):
            alike = equal(value, other)
            return None if alike is None else not alike
        case list():
            if isinstance(value, list) and equal(value, test) is True:
                return True
            found = [passes(t, value) if isinstance(t, Range) else equal(value, t) for t in test]
            return True if disjunction(found) is True else False
    return equal(value, test)
