"""What the compiled reading calls at run time. Three-valued: None is unknown, ABSENT makes a comparison false."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, NamedTuple

from siquan.core.rules.values import ABSENT, Duration, Rows, Span, exact, months_between, shift, years_between

Truth = bool | None
#: Python prints numbers up to 4,300 digits
MOST_BITS = 14_000


class Picked(NamedTuple):
    """A filtered list: rows surely in it, rows perhaps in it, and whether more may come."""

    sure: tuple[Any, ...]
    maybe: tuple[Any, ...]
    complete: bool


def truth(value: Any) -> Truth:
    """A boolean fact as a condition: absent is false."""
    return False if value is ABSENT else (value if value is None or value is True or value is False else None)


def lookup(row: Any, path: str) -> Any:
    """A field of a row; the fields of an absent record are absent."""
    if not path:
        return row
    if not isinstance(row, dict):
        return None
    if path in row:
        return row[path]
    head = path
    while "." in head:
        head = head.rpartition(".")[0]
        if row.get(head) is ABSENT:
            return ABSENT
    below = path + "."
    return True if any(k.startswith(below) and v is not None for k, v in row.items()) else None


def _alike(a: Any, b: Any) -> Truth:
    """Two lists by their parts; an unfinished list may still become anything, a record never says all its fields."""
    x, y = picked(a), picked(b)
    if x is None or y is None or not (x.complete and y.complete) or x.maybe or y.maybe:
        return None
    if len(x.sure) != len(y.sure):
        return False
    found = [True if p is ABSENT and q is ABSENT else compare("=", p, q) for p, q in zip(x.sure, y.sure, strict=True)]
    return False if False in found else None if None in found else True


def _span(value: Any) -> Span | None:
    if isinstance(value, Span):
        return value
    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        return Span(value, value)
    return None


_ORDERED = (int, Fraction)


def _order(op: str, a: Any, b: Any) -> Truth:
    if isinstance(a, Span) or isinstance(b, Span):
        x, y = _span(a), _span(b)
        if x is None or y is None:
            return None
        if op in (">", ">="):
            x, y, op = y, x, "<" if op == ">" else "<="
        # x < y for sure when x.high < y.low; surely not when x.low >= y.high
        if x.high is not None and y.low is not None and (x.high < y.low if op == "<" else x.high <= y.low):
            return True
        if x.low is not None and y.high is not None and (x.low >= y.high if op == "<" else x.low > y.high):
            return False
        return None
    if isinstance(a, bool) or isinstance(b, bool):
        return None
    same = (
        (isinstance(a, _ORDERED) and isinstance(b, _ORDERED))
        or (isinstance(a, dt.date) and isinstance(b, dt.date))
        or (isinstance(a, str) and isinstance(b, str))
    )
    if not same:
        return _order_durations(op, a, b)
    return bool(a < b if op == "<" else a <= b if op == "<=" else a > b if op == ">" else a >= b)


def _order_durations(op: str, a: Any, b: Any) -> Truth:
    # months and days have no common length: only like is compared with like
    if not (isinstance(a, Duration) and isinstance(b, Duration)):
        return None
    if a.months and b.days or a.days and b.months:
        return None
    return _order(op, a.months or a.days, b.months or b.days)


def compare(op: str, a: Any, b: Any) -> Truth:
    """Kleene comparison of any two values; a wrong type is unknown, never true."""
    if a is ABSENT or b is ABSENT:
        return False
    if a is None or b is None:
        return None
    if op == "=":
        return equal(a, b)
    if op == "!=":
        same = equal(a, b)
        return None if same is None else not same
    return _order(op, a, b)


def equal(a: Any, b: Any) -> Truth:
    if isinstance(a, Span) or isinstance(b, Span):
        x, y = _span(a), _span(b)
        if x is None or y is None:
            return None
        if x.low is not None and x.low == x.high == y.low == y.high:
            return True
        apart = (x.high is not None and y.low is not None and x.high < y.low) or (
            y.high is not None and x.low is not None and y.high < x.low
        )
        return False if apart else None
    if isinstance(a, bool) is not isinstance(b, bool):
        return None
    if isinstance(a, _ORDERED) and isinstance(b, _ORDERED):
        return a == b
    if isinstance(a, Rows | Picked):
        return _alike(a, b)
    return a == b if type(a) is type(b) and not isinstance(a, dict) else None


def arith(op: str, a: Any, b: Any) -> Any:
    """Exact arithmetic on numbers, spans, dates and durations; unknown when a side is, or the types do not fit."""
    if a is ABSENT or b is ABSENT:
        return ABSENT
    if a is None or b is None or isinstance(a, bool) or isinstance(b, bool):
        return None
    if isinstance(a, _ORDERED) and isinstance(b, _ORDERED):
        return _numbers(op, a, b)
    if isinstance(a, Span) or isinstance(b, Span):
        return _spans(op, a, b)
    if isinstance(a, dt.date) and isinstance(b, Duration):
        return shift(a, b if op == "+" else -b)
    if isinstance(a, Duration) and isinstance(b, dt.date) and op == "+":
        return shift(b, a)
    if isinstance(a, dt.date) and isinstance(b, dt.date) and op == "-":
        return Duration(days=(a - b).days)
    if isinstance(a, Duration) and isinstance(b, Duration) and op in "+-":
        return a + (b if op == "+" else -b)
    if op == "*" and isinstance(a, int) and isinstance(b, Duration):
        return Duration(b.months * a, b.days * a)
    if op == "*" and isinstance(b, int) and isinstance(a, Duration):
        return Duration(a.months * b, a.days * b)
    if op == "+" and isinstance(a, str) and isinstance(b, str):
        return a + b
    return None


def _bits(value: int | Fraction) -> int:
    return value.numerator.bit_length() + value.denominator.bit_length()


def _numbers(op: str, a: int | Fraction, b: int | Fraction) -> Any:
    if op == "+":
        return exact(a + b)
    if op == "-":
        return exact(a - b)
    # results stay exact, and small enough to print
    if op == "**":
        if not isinstance(b, int) or _bits(a) * abs(b) > MOST_BITS or (a == 0 and b < 0):
            return None
        return exact(Fraction(a) ** b)
    if _bits(a) + _bits(b) > MOST_BITS or (op == "/" and b == 0):
        return None
    return exact(a * b if op == "*" else Fraction(a) / Fraction(b))


def _spans(op: str, a: Any, b: Any) -> Any:
    x, y = _span(a), _span(b)
    if x is None or y is None:
        return None
    if op == "-":
        y, op = Span(None if y.high is None else -y.high, None if y.low is None else -y.low), "+"
    if op == "+":
        low = None if x.low is None or y.low is None else x.low + y.low
        high = None if x.high is None or y.high is None else x.high + y.high
        return Span.of(low, high)
    fixed = b if not isinstance(b, Span) else a if op == "*" and not isinstance(a, Span) else None
    span = x if isinstance(a, Span) else y
    if fixed is None or (op == "/" and fixed == 0) or op == "**":
        return None
    factor = Fraction(fixed) if op == "*" else 1 / Fraction(fixed)
    ends = [None if e is None else exact(e * factor) for e in (span.low, span.high)]
    return Span.of(*ends) if factor > 0 else Span.of(*reversed(ends)) if factor < 0 else 0


def negate(value: Any) -> Any:
    return arith("*", value, -1)


# lists


def picked(rows: Any) -> Picked | None:
    if isinstance(rows, Picked):
        return rows
    if rows is ABSENT:
        return Picked((), (), True)
    if isinstance(rows, Rows):
        return Picked(rows.items, (), rows.complete)
    return None


def keep(rows: Any, test: Callable[[Any], Truth]) -> Picked | None:
    got = picked(rows)
    if got is None:
        return None
    sure, maybe = [], []
    for row in got.sure:
        holds = test(row)
        if holds is True:
            sure.append(row)
        elif holds is None:
            maybe.append(row)
    maybe += [row for row in got.maybe if test(row) is not False]
    return Picked(tuple(sure), tuple(maybe), got.complete)


def project(rows: Any, path: str) -> Any:
    """`xs.field` of a list, or the field of a record."""
    if isinstance(rows, dict):
        return lookup(rows, path)
    got = picked(rows)
    if got is None:
        return None
    return Picked(tuple(lookup(r, path) for r in got.sure), tuple(lookup(r, path) for r in got.maybe), got.complete)


def some(rows: Any, test: Callable[[Any], Truth]) -> Truth:
    got = keep(rows, test)
    if got is None:
        return None
    if got.sure:
        return True
    return False if got.complete and not got.maybe else None


def every(rows: Any, test: Callable[[Any], Truth]) -> Truth:
    found = some(rows, lambda row: None if (x := test(row)) is None else not x)
    return None if found is None else not found


def count(rows: Any) -> Any:
    got = picked(rows)
    if got is None:
        return None
    return Span.of(len(got.sure), len(got.sure) + len(got.maybe) if got.complete else None)


def _numeric(values: Iterable[Any]) -> list[Any] | None:
    out = []
    for value in values:
        if value is ABSENT:
            continue
        if not isinstance(value, int | Fraction) or isinstance(value, bool):
            return None
        out.append(value)
    return out


def total(rows: Any, floor: bool = False) -> Any:
    """The sum; `floor` says that no row, present or to come, is negative."""
    got = picked(rows)
    if got is None:
        return None
    sure, maybe = _numeric(got.sure), _numeric(got.maybe)
    if sure is None or maybe is None:
        return None
    base = sum(sure, start=Fraction(0))
    low = exact(base + sum((m for m in maybe if m < 0), start=Fraction(0)))
    high = exact(base + sum((m for m in maybe if m > 0), start=Fraction(0)))
    if got.complete:
        return Span.of(low, high)
    return Span(low, None) if floor else None  # more rows may come


def least(rows: Any, sign: int = 1) -> Any:
    """The smallest (sign 1) or largest (sign -1) element; exact only on a finished list of known values."""
    got = picked(rows)
    if got is None:
        return None
    values = [v for v in got.sure if v is not ABSENT]
    if any(v is None for v in values) or got.maybe or not got.complete:
        numbers = _numeric(v for v in values if v is not None)
        if not numbers:
            return None
        edge = min(numbers) if sign > 0 else max(numbers)
        return Span(None, edge) if sign > 0 else Span(edge, None)
    if not values:
        return ABSENT
    try:
        return min(values) if sign > 0 else max(values)
    except TypeError:
        return None


def mean(rows: Any) -> Any:
    got = picked(rows)
    if got is None or got.maybe or not got.complete:
        return None
    values = _numeric(got.sure)
    if values is None:
        return None
    return exact(sum(values, start=Fraction(0)) / len(values)) if values else ABSENT


def distinct(rows: Any) -> Picked | None:
    got = picked(rows)
    if got is None:
        return None
    seen: dict[Any, None] = {}
    unknown = []
    for value in got.sure:
        if value is None or isinstance(value, dict | Rows | Picked):  # a record never says all its fields
            unknown.append(value)
        elif value is not ABSENT:
            seen[value] = None
    more = [v for v in got.maybe if v is None or isinstance(v, dict | Rows | Picked) or v not in seen]
    return Picked(tuple(seen), (*unknown, *more), got.complete)


def contains(rows: Any, value: Any) -> Truth:
    if value is None or value is ABSENT:
        return None if value is None else False
    return some(rows, lambda row: compare("=", row, value))


# dates


def between(unit: str, start: Any, end: Any) -> Any:
    if start is ABSENT or end is ABSENT:
        return ABSENT
    if not isinstance(start, dt.date) or not isinstance(end, dt.date):
        return None
    if unit == "days":
        return (end - start).days
    return months_between(start, end) if unit == "months" else years_between(start, end)


def period(unit: str, n: Any) -> Any:
    if n is ABSENT:
        return ABSENT
    if not isinstance(n, int) or isinstance(n, bool) or abs(n) > 400_000:
        return None
    return Duration(days=n) if unit == "days" else Duration(months=n * (12 if unit == "years" else 1))


def edge_date(which: str, a: Any, b: Any) -> Any:
    """earliest(a, b) or latest(a, b); an absent date does not count."""
    if a is ABSENT or b is ABSENT:
        return b if a is ABSENT else a
    if not isinstance(a, dt.date) or not isinstance(b, dt.date):
        return None
    return min(a, b) if which == "earliest" else max(a, b)


def as_date(value: Any) -> Any:
    if value is None or value is ABSENT or isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        return None


def floor(value: Any) -> Any:
    if isinstance(value, Span):
        return Span.of(*(None if e is None else e // 1 for e in (value.low, value.high)))
    return value // 1 if isinstance(value, _ORDERED) else ABSENT if value is ABSENT else None


def absolute(value: Any) -> Any:
    return abs(value) if isinstance(value, _ORDERED) else ABSENT if value is ABSENT else None


def modulo(a: Any, b: Any) -> Any:
    if a is ABSENT or b is ABSENT:
        return ABSENT
    if not isinstance(a, _ORDERED) or not isinstance(b, _ORDERED) or b == 0:
        return None
    return exact(Fraction(a) % Fraction(b))


def present(value: Any) -> Truth:
    return None if value is None else value is not ABSENT


def absent(value: Any) -> Truth:
    return None if value is None else value is ABSENT
