"""Numeric functions (10.3.4.5)."""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import Any

from siquan.core.dmn.feel.library.signature import builtin
from siquan.core.dmn.feel.operators import negate
from siquan.core.dmn.feel.temporal import DayTimes, YearMonths
from siquan.core.dmn.feel.values import NUMBERS, number

#: the scales a 34-digit number can have
LOWEST, HIGHEST = -6111, 6176


def rounded(n: Decimal, scale: Decimal | None, way: str) -> Decimal | None:
    """To `scale` decimal places; null for a scale that is no whole number or out of range."""
    places = Decimal(0) if scale is None else scale.to_integral_value(decimal.ROUND_DOWN)
    if not LOWEST <= places <= HIGHEST:
        return None
    exponent = -int(places)
    if n.as_tuple().exponent >= exponent:  # type: ignore[operator]
        return n
    wide = decimal.Context(prec=7000, Emin=-9999, Emax=9999, traps=[])
    return number(n.quantize(Decimal((0, (1,), exponent)), way, wide))


@builtin("decimal", "n: number", "scale: number")
def to_scale(n: Decimal, scale: Decimal) -> Decimal | None:
    return rounded(n, scale, decimal.ROUND_HALF_EVEN)


@builtin("floor", "n: number", "scale: number?")
def floor(n: Decimal, scale: Decimal | None = None) -> Decimal | None:
    return rounded(n, scale, decimal.ROUND_FLOOR)


@builtin("ceiling", "n: number", "scale: number?")
def ceiling(n: Decimal, scale: Decimal | None = None) -> Decimal | None:
    return rounded(n, scale, decimal.ROUND_CEILING)


@builtin("round up", "n: number", "scale: number?")
def round_up(n: Decimal, scale: Decimal | None = None) -> Decimal | None:
    return rounded(n, scale, decimal.ROUND_UP)


@builtin("round down", "n: number", "scale: number?")
def round_down(n: Decimal, scale: Decimal | None = None) -> Decimal | None:
    return rounded(n, scale, decimal.ROUND_DOWN)


@builtin("round half up", "n: number", "scale: number?")
def round_half_up(n: Decimal, scale: Decimal | None = None) -> Decimal | None:
    return rounded(n, scale, decimal.ROUND_HALF_UP)


@builtin("round half down", "n: number", "scale: number?")
def round_half_down(n: Decimal, scale: Decimal | None = None) -> Decimal | None:
    return rounded(n, scale, decimal.ROUND_HALF_DOWN)


@builtin("abs", "n: number|days|months")
def absolute(n: Any) -> Any:
    size = n.months if isinstance(n, YearMonths) else n.nanos if isinstance(n, DayTimes) else n
    return negate(n) if size < 0 else n


@builtin("modulo", "dividend: number", "divisor: number")
def modulo(dividend: Decimal, divisor: Decimal) -> Decimal | None:
    if not divisor:
        return None
    # exact whatever the distance of the two: dividend - divisor * floor(dividend / divisor)
    wide = decimal.Context(prec=13_000, Emin=-20_000, Emax=20_000, traps=[])
    rest = wide.remainder(dividend, divisor)
    return number(wide.add(rest, divisor) if rest and (rest < 0) is not (divisor < 0) else rest)


@builtin("sqrt", "number: number")
def sqrt(n: Decimal) -> Decimal | None:
    return number(NUMBERS.sqrt(n)) if n >= 0 else None


@builtin("log", "number: number")
def log(n: Decimal) -> Decimal | None:
    return number(NUMBERS.ln(n)) if n > 0 else None


@builtin("exp", "number: number")
def exp(n: Decimal) -> Decimal | None:
    return number(NUMBERS.exp(n))


@builtin("odd", "number: number")
def odd(n: Decimal) -> bool:
    return n == n.to_integral_value() and modulo(n, Decimal(2)) == 1


@builtin("even", "number: number")
def even(n: Decimal) -> bool:
    return n == n.to_integral_value() and modulo(n, Decimal(2)) == 0
