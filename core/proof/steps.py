"""Monotone functions of a date: `d + years(5)`, `years between(d, today)`. Such a function of one date becomes a variable
of its own; wherever it is compared with a constant the formula gets the exact day at which the comparison turns, taken
from the calendar of `rules.values`, month ends included. Between two open dates only its bounds are known to the solver;
what that leaves open is settled by replaying (`search`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from siquan.core.proof.logic import Flag, both, either, order, plus, same, times
from siquan.core.rules.functions import between
from siquan.core.rules.values import Duration, shift

FIRST, LAST = dt.date.min.toordinal(), dt.date.max.toordinal()
#: days in 4,800 months, a whole cycle of leap years; no run of months is further off its average than SLACK days
CYCLE_DAYS, CYCLE_MONTHS, SLACK = 146_097, 4_800, 9
Run = Callable[[int], "int | None"]


def shifted(months: int) -> Run:
    """Ordinal of a date to the ordinal `months` later, as the calendar has it; None out of the calendar."""

    def run(day: int) -> int | None:
        moved = shift(dt.date.fromordinal(day), Duration(months=months))
        return None if moved is None else moved.toordinal()

    return run


def passed(unit: str, fixed: int, *, fixed_end: bool) -> Run:
    """Full years or months between a date and the fixed one."""
    other = dt.date.fromordinal(fixed)

    def run(day: int) -> int | None:
        date = dt.date.fromordinal(day)
        count: int | None = between(unit, date, other) if fixed_end else between(unit, other, date)
        return count

    return run


@dataclass(frozen=True)
class Applied:
    """The variable `var` is the function `run` of dates; what the solver does not know of it is learnt case by case."""

    var: Any
    days: tuple[Any, ...]
    run: Callable[..., int | None]


@dataclass(frozen=True)
class Step:
    """The variable `var` is `run` of the date `day` (an ordinal), rising or falling."""

    var: Any
    day: Any
    run: Run
    rising: bool

    def turn(self, level: int) -> int:
        """The day at which the value passes `level`: the first with at least it when rising, the last when falling
        (LAST + 1, FIRST - 1: never). Outside its calendar the function counts as beyond its end there."""
        low, high = FIRST, LAST + 1  # the first day of `low..high` on which `over` turns true
        while low < high:
            middle = (low + high) // 2
            value = self.run(middle)
            if value is None:
                value = level if self.rising == (middle > (FIRST + LAST) // 2) else level - 1
            if (value >= level) is self.rising:
                high = middle
            else:
                low = middle + 1
        return low if self.rising else low - 1

    def at(self, level: int) -> Flag:
        """What makes the variable exact around `level`."""
        exact = []
        for edge in (level, level + 1):
            turn = self.turn(edge)
            exact.append(same(order(">=", self.var, edge), order(">=" if self.rising else "<=", self.day, turn)))
        return both(*exact)

    def span(self) -> Flag:
        """Days on which the function has a value."""
        if self.run(FIRST) is not None and self.run(LAST) is not None:
            return True
        low, high = FIRST, LAST
        if self.run(FIRST) is None:
            low = _edge(self.run, FIRST, LAST, rising=True)
        if self.run(LAST) is None:
            high = _edge(self.run, FIRST, LAST, rising=False)
        return both(order(">=", self.day, low), order("<=", self.day, high))


def _edge(run: Run, low: int, high: int, *, rising: bool) -> int:
    """The first (rising) or last day with a value; only one end of the calendar may have none."""
    while low < high:
        middle = (low + high + (not rising)) // 2
        has = run(middle) is not None
        if rising:
            low, high = (low, middle) if has else (middle + 1, high)
        else:
            low, high = (middle, high) if has else (low, middle - 1)
    return low


def shift_bounds(day: Any, moved: Any, months: int) -> Flag:
    """How far `months` can carry a date, in days."""
    middle = months * CYCLE_DAYS // CYCLE_MONTHS
    return both(order(">=", moved, plus(day, middle - SLACK)), order("<=", moved, plus(day, middle + SLACK)))


def count_bounds(days: Any, count: Any, months: int) -> Flag:
    """Which numbers of full periods of so many months `days` can hold."""
    length = months * CYCLE_DAYS
    scaled = times(days, CYCLE_MONTHS)
    slack = SLACK * CYCLE_MONTHS
    return both(
        order("<=", plus(times(plus(count, -1), length), -slack), scaled), order("<=", scaled, plus(times(plus(count, 1), length), slack))
    )


def beyond_calendar(day: Any) -> Flag:
    return either(order("<", day, FIRST), order(">", day, LAST))
