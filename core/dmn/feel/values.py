"""Values of FEEL: null is None, numbers are Decimal with 34 digits, lists and contexts are list and dict and never
changed once made; ranges and functions stand here, with equality and order, which give null for what cannot be compared."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from siquan.core.dmn.feel.temporal import Date, DateTime, DayTimes, Time, YearMonths

if TYPE_CHECKING:
    from siquan.core.dmn.feel.kinds import Kind

Truth = bool | None
#: IEEE 754-2008 decimal128, as the standard asks
NUMBERS = decimal.Context(prec=34, rounding=decimal.ROUND_HALF_EVEN, Emin=-6143, Emax=6144, traps=[])


def number(value: Decimal | int) -> Decimal | None:
    """Rounded to 34 digits; None for what is no number."""
    found = NUMBERS.plus(Decimal(value))
    return found if found.is_finite() else None


@dataclass(frozen=True, slots=True)
class Range:
    """A None end is open for good."""

    low: Any
    high: Any
    low_closed: bool = True
    high_closed: bool = True

    def has(self, value: Any) -> Truth:
        above = True if self.low is None else compare(">=" if self.low_closed else ">", value, self.low)
        below = True if self.high is None else compare("<=" if self.high_closed else "<", value, self.high)
        return False if above is False or below is False else None if above is None or below is None else True


@dataclass(frozen=True, slots=True)
class Unequal:
    """What `!= x` stands for when it is a test of its own."""

    value: Any


@dataclass(frozen=True, eq=False)
class Function:
    """Something that can be invoked. `run` takes the arguments in order; `by_name` takes them named, where it is not
    enough to know the parameters."""

    params: tuple[tuple[str, Kind | None], ...]
    run: Callable[[Sequence[Any]], Any]
    result: Kind | None = None
    by_name: Callable[[dict[str, Any]], Any] | None = None
    label: str = "function"


def equal(a: Any, b: Any) -> Truth:
    """FEEL `=`: two values of different kinds cannot be compared, except with null."""
    if a is None or b is None:
        return a is None and b is None
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b if isinstance(a, bool) and isinstance(b, bool) else None
    if type(a) is not type(b):
        return None
    match a:
        case list():
            return len(a) == len(b) and all(equal(x, y) is True for x, y in zip(a, b, strict=True))
        case dict():
            return a.keys() == b.keys() and all(equal(v, b[k]) is True for k, v in a.items())
        case Time():
            return bool(a.aware is b.aware and a.utc == b.utc)
        case DateTime():
            return bool(a.aware is b.aware and a.instant == b.instant)
        case Range():
            ends = equal(a.low, b.low) is True and equal(a.high, b.high) is True
            return ends and (a.low_closed, a.high_closed) == (b.low_closed, b.high_closed)
        case Function():
            return None
    return bool(a == b)


def same(a: Any, b: Any) -> bool:
    """`is(a, b)`: the same element of the same domain, so that two zones of one moment differ."""
    if type(a) is not type(b):
        return False
    if isinstance(a, Time | DateTime):
        return bool(a == b)
    return equal(a, b) is True


_ORDERED = (Decimal, str, Date, YearMonths, DayTimes)


def compare(op: str, a: Any, b: Any) -> Truth:
    """One of = != < <= > >=; null when the values have no order between them."""
    if op in ("=", "!="):
        alike = equal(a, b)
        return alike if alike is None or op == "=" else not alike
    if type(a) is not type(b) or isinstance(a, bool):
        return None
    if isinstance(a, Time | DateTime):
        if a.aware is not b.aware:
            return None
        a, b = (a.utc, b.utc) if isinstance(a, Time) else (a.instant, b.instant)
    elif not isinstance(a, _ORDERED):
        return None
    return bool(a < b if op == "<" else a <= b if op == "<=" else a > b if op == ">" else a >= b)


def conjunction(values: Sequence[Any]) -> Truth:
    """Kleene and; what is no boolean counts as null."""
    if any(v is False for v in values):
        return False
    return True if all(v is True for v in values) else None


def disjunction(values: Sequence[Any]) -> Truth:
    if any(v is True for v in values):
        return True
    return False if all(v is False for v in values) else None


def contains(items: Sequence[Any], value: Any) -> bool:
    return any(equal(item, value) is True for item in items)


def distinct(items: Sequence[Any]) -> list[Any]:
    out: list[Any] = []
    for item in items:
        if not contains(out, item):
            out.append(item)
    return out


def plain(value: Decimal) -> str:
    """The digits of a number, without an exponent and without needless zeros."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def text_of(value: Any, inner: bool = False) -> str:
    """What `string(value)` gives; inside a list or context, strings are quoted."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return plain(value)
        case str():
            quoted = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{quoted}"' if inner else value
        case list():
            return f"[{', '.join(text_of(v, True) for v in value)}]"
        case dict():
            return "{" + ", ".join(f"{_key(k)}: {text_of(v, True)}" for k, v in value.items()) + "}"
        case Range():
            low, high = ("" if v is None else text_of(v, True) for v in (value.low, value.high))
            return f"{'[' if value.low_closed else '('}{low}..{high}{']' if value.high_closed else ')'}"
        case Function():
            return value.label
    return f'@"{value}"' if inner else str(value)


def _key(name: str) -> str:
    return name if name.replace(" ", "").replace("_", "").isalnum() and name[:1].isalpha() else text_of(name, True)
