"""Numbers, dates and durations of a formula: what `rules.functions` calculates, as terms of the solver."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

import z3

from siquan.core.proof.logic import (
    Beyond,
    Flag,
    Value,
    both,
    choose,
    either,
    every,
    implies,
    no,
    order,
    plus,
    same,
    times,
    total,
)
from siquan.core.proof.steps import (
    FIRST,
    LAST,
    Step,
    beyond_calendar,
    count_bounds,
    passed,
    shift_bounds,
    shifted,
)
from siquan.core.proof.world import World
from siquan.core.rules.functions import between

#: as `rules.functions.period` has it
MOST_PERIODS = 400_000


class Arithmetic:
    """Calculations over the facts of a world; functions of dates become variables there."""

    def __init__(self, world: World) -> None:
        self.world = world

    def arith(self, op: str, a: Value, b: Value) -> Value:
        """`a op b`, op one of + - * / **."""
        absent = either(a.absent, b.absent)
        kinds = (a.kind, b.kind)
        if "?" in kinds:
            return Value("?", 0, False, absent)
        there = both(a.there, b.there)
        if kinds == ("number", "number"):
            return numbers(op, a, b, there, absent)
        if kinds == ("date", "duration") and op in "+-":
            return self._shifted(a, b if op == "+" else _negative(b), there, absent)
        if kinds == ("duration", "date") and op == "+":
            return self._shifted(b, a, there, absent)
        if kinds == ("date", "date") and op == "-":
            return Value("duration", plus(a.term, times(b.term, -1)), there, absent)
        if kinds == ("duration", "duration") and op in "+-":
            b = b if op == "+" else _negative(b)
            return Value("duration", plus(a.term, b.term), there, absent, months=a.months + b.months)
        raise Beyond("期间或文字的计算")

    def _shifted(self, day: Value, by: Value, there: Flag, absent: Flag) -> Value:
        steps: tuple[Any, ...] = ()
        if by.months:
            if isinstance(day.term, int):
                moved = shifted(by.months)(day.term)
                if moved is None:
                    return Value("date", 0, False, absent)
                term: Any = moved
            else:
                run = shifted(by.months)
                term, new = self.world.apply(f"+{by.months}M", (day.term,), run)
                step = Step(term, day.term, run, True)
                if new:
                    self.world.step(step)
                    self.world.axioms.append(shift_bounds(day.term, term, by.months))
                there, steps = both(there, step.span()), (term,)
        else:
            term = day.term
        if isinstance(by.term, int) and by.term == 0:
            return Value("date", term, there, absent, steps=steps)
        term = plus(term, by.term)
        if isinstance(term, int):
            inside: Flag = FIRST <= term <= LAST
        else:
            inside = no(beyond_calendar(term))
        return Value("date", term, both(there, inside), absent)

    def _between(self, unit: str, start: Value, end: Value, there: Flag, absent: Flag) -> Value:
        days = plus(end.term, times(start.term, -1))
        if unit == "days":
            return Value("number", days, there, absent)
        open_ = tuple(d for d in (start.term, end.term) if not isinstance(d, int))
        if not open_:
            fixed: int = between(unit, dt.date.fromordinal(start.term), dt.date.fromordinal(end.term))
            return Value("number", fixed, there, absent)
        backward = isinstance(end.term, int)
        if len(open_) == 2:
            variable, new = self.world.apply(unit, open_, lambda a, b: between(unit, dt.date.fromordinal(a), dt.date.fromordinal(b)))
        else:
            run = passed(unit, end.term if backward else start.term, fixed_end=backward)
            variable, new = self.world.apply(f"{unit} {start.term if end.term is open_[0] else ''}..{end.term if backward else ''}", open_, run)
            if new:
                self.world.step(Step(variable, open_[0], run, not backward))
        if new:
            self.world.axioms.append(either(no(there), count_bounds(days, variable, 12 if unit == "years" else 1)))
        return Value("number", variable, there, absent, steps=(variable,))

    def call(self, func: str, values: list[Value]) -> Value:
        """A built-in function of scalars. Raises Beyond for those without a formula."""
        absent = either(*(v.absent for v in values))
        if func in ("earliest", "latest"):
            return edge_date(func, *values)
        if any(v.kind == "?" for v in values):
            return Value("?", 0, False, absent)
        there = every(v.there for v in values)
        match func:
            case "years between" | "months between" | "days between":
                return self._between(func.split()[0], values[0], values[1], there, absent)
            case "date" if values[0].kind == "date":
                return values[0]
            case "days":
                return in_days(values[0])
            case "floor":
                a = values[0]
                low, high = _floor(a.term), None if a.high is None else _floor(a.high)
                return Value("number", low, a.there, a.absent, high, a.open)
            case "abs":
                a = values[0].only(no(values[0].spread))
                return Value("number", choose(order("<", a.term, 0), times(a.term, -1), a.term), a.there, a.absent)
            case "modulo" if isinstance(values[1].term, int | Fraction) and values[1].high is None:
                a, by = values[0].only(no(values[0].spread)), values[1].term
                if by == 0:
                    return Value("number", 0, False, absent)
                whole = _floor(times(a.term, Fraction(1) / Fraction(by)))
                return Value("number", plus(a.term, times(whole, -by)), both(a.there, values[1].there), absent)
        raise Beyond("没有公式的计算")


def numbers(op: str, a: Value, b: Value, there: Flag, absent: Flag) -> Value:
    if op == "-":
        b, op = scaled(b, -1), "+"
    if op == "+":
        high = None if a.high is None and b.high is None else plus(a.upper, b.upper)
        opened = tuple(either(x, y) for x, y in zip(a.open, b.open, strict=True))
        return Value("number", plus(a.term, b.term), there, absent, high, (opened[0], opened[1]))
    fixed = next((v for v in (b, a) if isinstance(v.term, int | Fraction) and v.high is None), None)
    if fixed is None or op == "**" or op == "/" and fixed is not b:
        raise Beyond("两个事实相乘除")
    if op == "/" and fixed.term == 0:
        return Value("number", 0, False, absent)
    factor = fixed.term if op == "*" else Fraction(1) / Fraction(fixed.term)
    done = scaled(a if fixed is b else b, factor)
    return Value("number", done.term, there, absent, done.high, done.open)


def scaled(a: Value, factor: int | Fraction) -> Value:
    if a.kind == "?":
        return a
    if a.kind == "duration":
        if Fraction(factor).denominator != 1:
            raise Beyond("期间的计算")
        return Value("duration", times(a.term, factor), a.there, a.absent, months=int(a.months * factor))
    if a.kind != "number":
        raise Beyond("不是数字")
    if factor == 0:
        return Value("number", 0, a.there, a.absent)
    low, high = times(a.term, factor), None if a.high is None else times(a.high, factor)
    if high is not None and factor < 0:
        return Value("number", high, a.there, a.absent, low, (a.open[1], a.open[0]))
    return Value("number", low, a.there, a.absent, high, a.open)


def sum_of(items: list[Value]) -> Value:
    if any(v.high is not None or v.kind not in ("number", "?") for v in items):
        raise Beyond("名单里的合计")
    kept = [v for v in items if v.kind == "number"]
    known = both(*(v.known for v in kept), *(v.absent for v in items if v.kind == "?"))
    return Value("number", total(choose(v.absent, 0, v.term) for v in kept), known)

# dates


def in_days(n: Value) -> Value:
    whole: Flag = no(n.spread)
    term = n.term
    if isinstance(term, Fraction) or isinstance(term, int) and abs(term) > MOST_PERIODS:
        return Value("duration", 0, False, n.absent)
    if not isinstance(term, int):
        if not z3.is_int(term):
            whole, term = both(whole, z3.IsInt(term)), z3.ToInt(term)
        whole = both(whole, order("<=", term, MOST_PERIODS), order(">=", term, -MOST_PERIODS))
    return Value("duration", term, both(n.there, whole), n.absent)


def edge_date(which: str, a: Value, b: Value) -> Value:
    a, b = (v if v.kind != "?" else Value("date", 0, False, v.absent) for v in (a, b))
    first = order("<=", a.term, b.term) if which == "earliest" else order(">=", a.term, b.term)
    term = choose(a.absent, b.term, choose(b.absent, a.term, choose(first, a.term, b.term)))
    there = either(both(a.there, b.there), both(a.absent, b.there), both(b.absent, a.there))
    return Value("date", term, there, both(a.absent, b.absent))


def agree(wide: Value, narrow: Value) -> Flag:
    """That a value may be the other, or may become it: a span may only become narrower."""
    if wide.kind == "boolean":
        alike = same(wide.term, narrow.term)
    elif wide.high is None and narrow.high is None:
        alike = order("=", wide.term, narrow.term)
    else:
        low = either(wide.open[0], both(no(narrow.open[0]), order("<=", wide.term, narrow.term)))
        alike = both(low, either(wide.open[1], both(no(narrow.open[1]), order("<=", narrow.upper, wide.upper))))
    return both(implies(wide.absent, narrow.absent), implies(wide.there, both(narrow.there, alike)))


def _negative(by: Value) -> Value:
    return Value("duration", times(by.term, -1), by.there, by.absent, months=-by.months)


def _floor(term: Any) -> Any:
    if isinstance(term, int | Fraction):
        return term // 1
    return term if z3.is_int(term) else z3.ToInt(term)
