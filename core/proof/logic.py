"""Kleene's logic over Z3: a truth is a pair of conditions, a value knows when it is there and when it is absent.

A `Flag` is a condition, either a Python boolean (already decided) or a Z3 one; whatever can be decided while a formula
is built is decided then, so that a fact that plays no part costs the solver nothing. A `Term` is a number in the same
sense: an int or Fraction, or a Z3 integer or real. Dates are ordinals, texts and enum codes are numbers of a code book.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor
from typing import Any

import z3

Flag = Any
Term = Any


class Beyond(Exception):
    """This part of a rule has no exact formula; the argument says why, in Chinese."""


def both(*items: Flag) -> Flag:
    return every(items)


def either(*items: Flag) -> Flag:
    return some(items)


def every(items: Iterable[Flag]) -> Flag:
    return _join(items, False, z3.Z3_mk_and)


def some(items: Iterable[Flag]) -> Flag:
    return _join(items, True, z3.Z3_mk_or)


def _join(items: Iterable[Flag], decides: bool, make: Any) -> Flag:
    kept: dict[int, Any] = {}
    for item in items:
        if item is decides:
            return decides
        if not isinstance(item, bool):
            kept[item.get_id()] = item
    if not kept:
        return not decides
    parts = list(kept.values())
    if len(parts) == 1:
        return parts[0]
    # straight to the library: the checks of its Python layer take longer than the rest of a proof
    ctx = parts[0].ctx
    return z3.BoolRef(make(ctx.ref(), len(parts), (z3.Ast * len(parts))(*(p.ast for p in parts))), ctx)


def no(item: Flag) -> Flag:
    if isinstance(item, bool):
        return not item
    # each negation remembers what it negates: no pair of them piles up
    back = getattr(item, "negates", None)
    if back is None:
        back = z3.BoolRef(z3.Z3_mk_not(item.ctx.ref(), item.ast), item.ctx)
        back.negates = item
    return back


def implies(a: Flag, b: Flag) -> Flag:
    return either(no(a), b)


def same(a: Flag, b: Flag) -> Flag:
    """Whether two conditions hold alike."""
    if isinstance(a, bool):
        return b if a else no(b)
    if isinstance(b, bool):
        return a if b else no(a)
    return True if a.eq(b) else a == b


def choose(test: Flag, a: Any, b: Any) -> Any:
    """`a` where the test holds, else `b`; flags or terms."""
    if isinstance(test, bool):
        return a if test else b
    if isinstance(a, bool) or isinstance(b, bool) or z3.is_bool(a):
        return either(both(test, a), both(no(test), b))
    if _fixed(a) and _fixed(b) and a == b or not _fixed(a) and not _fixed(b) and a.eq(b):
        return a
    return z3.If(test, lift(a, test.ctx), lift(b, test.ctx))


def _fixed(term: Term) -> bool:
    return isinstance(term, int | Fraction)


def lift(term: Term, ctx: Any) -> Term:
    """The term as Z3 has it."""
    if isinstance(term, int):
        return z3.IntVal(term, ctx)
    return z3.RealVal(str(term), ctx) if isinstance(term, Fraction) else term


def order(op: str, a: Term, b: Term) -> Flag:
    """`a op b` for op of = != < <= > >=."""
    if op == "!=":
        return no(order("=", a, b))
    if op in (">", ">="):
        return order("<" if op == ">" else "<=", b, a)
    if _fixed(a) and _fixed(b):
        return bool(a == b if op == "=" else a < b if op == "<" else a <= b)
    # a whole number against a fraction stays among whole numbers
    if isinstance(b, Fraction) and z3.is_int(a):
        return False if op == "=" else a <= floor(b)
    if isinstance(a, Fraction) and z3.is_int(b):
        return False if op == "=" else b >= ceil(a)
    ctx = (b if _fixed(a) else a).ctx
    a, b = lift(a, ctx), lift(b, ctx)
    return a == b if op == "=" else a < b if op == "<" else a <= b


def plus(a: Term, b: Term) -> Term:
    if _fixed(a) and _fixed(b):
        return a + b
    if (_fixed(a) and a == 0) or (_fixed(b) and b == 0):
        return b if _fixed(a) and a == 0 else a
    ctx = (b if _fixed(a) else a).ctx
    return lift(a, ctx) + lift(b, ctx)


def times(a: Term, factor: int | Fraction) -> Term:
    if _fixed(a):
        return a * factor
    if factor == 1:
        return a
    if isinstance(factor, Fraction) and factor.denominator == 1:
        factor = factor.numerator
    if isinstance(factor, Fraction) and z3.is_int(a):
        a = z3.ToReal(a)
    return a * lift(factor, a.ctx)


def total(terms: Iterable[Term]) -> Term:
    out: Term = 0
    parts = []
    for term in terms:
        if _fixed(term):
            out = out + term
        else:
            parts.append(term)
    if not parts:
        return out
    summed = parts[0] if len(parts) == 1 else z3.Sum(parts)
    return plus(summed, out)


@dataclass(frozen=True)
class Truth:
    """`yes`: it is true; `no`: it is false; where neither holds it is unknown. Never both."""

    yes: Flag
    no: Flag

    @property
    def unknown(self) -> Flag:
        return both(no(self.yes), no(self.no))

    @property
    def maybe(self) -> Flag:
        return no(self.no)


def kleene_and(items: Iterable[Truth]) -> Truth:
    parts = list(items)
    return Truth(every(p.yes for p in parts), some(p.no for p in parts))


def kleene_or(items: Iterable[Truth]) -> Truth:
    parts = list(items)
    return Truth(some(p.yes for p in parts), every(p.no for p in parts))


def kleene_not(item: Truth) -> Truth:
    return Truth(item.no, item.yes)


@dataclass(frozen=True)
class Value:
    """A value of kind boolean, number, date, text or duration. It is unknown where it is neither `there` nor `absent`.

    A number known only to lie in a span has its lower end in `term`, its upper in `high`; `open` says which ends it
    has not. A duration has fixed `months` and its days in `term`. `steps` are variables of monotone functions of a date
    that stand in `term` as they are: a comparison with a constant makes them exact there.
    """

    kind: str
    term: Any
    there: Flag = True
    absent: Flag = False
    high: Any = None
    open: tuple[Flag, Flag] = (False, False)
    months: int = 0
    steps: tuple[Any, ...] = ()

    @property
    def known(self) -> Flag:
        return either(self.there, self.absent)

    @property
    def upper(self) -> Term:
        return self.term if self.high is None else self.high

    @property
    def spread(self) -> Flag:
        """Whether it is a span rather than one number."""
        return False if self.high is None else either(*self.open, no(order("=", self.term, self.high)))

    def only(self, there: Flag) -> Value:
        """The same value, there only where that holds too."""
        return replace(self, there=both(self.there, there))


def unknown(kind: str) -> Value:
    return Value(kind, False if kind == "boolean" else 0, there=False)


def as_value(truth: Truth) -> Value:
    return Value("boolean", truth.yes, either(truth.yes, truth.no))


def as_truth(value: Value) -> Truth:
    """A boolean value as a condition: absent is false."""
    return Truth(both(value.there, value.term), either(value.absent, both(value.there, no(value.term))))


def pick(test: Truth, a: Value, b: Value) -> Value:
    """`if test then a else b`; unknown where the test is."""
    if a.kind != b.kind or a.months != b.months:
        raise Beyond("两种类型不同的值")
    here, other = both(test.yes, a.there), both(test.no, b.there)
    high = None if a.high is None and b.high is None else choose(test.yes, a.upper, b.upper)
    return Value(
        a.kind, choose(test.yes, a.term, b.term), either(here, other), either(both(test.yes, a.absent), both(test.no, b.absent)), high,
        (choose(test.yes, a.open[0], b.open[0]), choose(test.yes, a.open[1], b.open[1])), a.months, (*a.steps, *b.steps),
    )  # fmt: skip


def compare(op: str, a: Value, b: Value) -> Truth:
    """As `rules.functions.compare`: absent makes it false, unknown unknown; a span decides where its ends do."""
    if a.kind != b.kind:
        raise Beyond("两种类型不同的值")
    there, absent = both(a.there, b.there), either(a.absent, b.absent)
    yes, not_ = _spans(op, a, b) if a.high is not None or b.high is not None else _plain(op, a, b)
    return Truth(both(there, yes), either(absent, both(there, not_)))


def _plain(op: str, a: Value, b: Value) -> tuple[Flag, Flag]:
    if a.kind == "boolean":
        yes = same(a.term, b.term)
        yes = no(yes) if op == "!=" else yes
    elif a.kind == "duration" and (a.months or b.months):
        raise Beyond("月与日不同单位的期间")
    elif a.kind == "text" and op not in ("=", "!="):
        raise Beyond("文字的先后")
    else:
        yes = order(op, a.term, b.term)
    return yes, no(yes)


def _spans(op: str, a: Value, b: Value) -> tuple[Flag, Flag]:
    if op in ("!=", ">", ">="):
        if op == "!=":
            yes, not_ = _spans("=", a, b)
            return not_, yes
        return _spans("<" if op == ">" else "<=", b, a)
    if op == "=":
        apart = either(
            both(no(a.open[1]), no(b.open[0]), order("<", a.upper, b.term)), both(no(a.open[0]), no(b.open[1]), order("<", b.upper, a.term))
        )
        return both(no(a.spread), no(b.spread), order("=", a.term, b.term)), apart
    over = "<=" if op == "<" else "<"
    return both(no(a.open[1]), no(b.open[0]), order(op, a.upper, b.term)), both(no(a.open[0]), no(b.open[1]), order(over, b.upper, a.term))
