"""The Z3 reading of an expression: the same tree that is compiled to Python becomes a three-valued formula.

What has no exact formula becomes a value nothing is known about, the same one wherever the same expression stands; it
is listed in `Unread`, and whatever a solver says with its help is tried out on real facts before anybody sees it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import z3

from siquan.core.proof.logic import (
    Beyond,
    Flag,
    Truth,
    Value,
    as_truth,
    as_value,
    both,
    choose,
    compare,
    either,
    every,
    implies,
    kleene_and,
    kleene_not,
    kleene_or,
    no,
    order,
    pick,
    plus,
    same,
    times,
    total,
)
from siquan.core.proof.rows import list_of
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
from siquan.core.proof.world import SCALARS, World
from siquan.core.rules import tree as t
from siquan.core.rules.compile import compile_one
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.functions import between
from siquan.core.rules.parameters import ParameterBook
from siquan.core.rules.values import ABSENT, Duration

#: as `rules.functions.period` has it
MOST_PERIODS = 400_000


@dataclass(frozen=True)
class Unread:
    """An expression without a formula: its variables stand for it. `reading` is the side it belongs to."""

    node: t.Node
    reading: Reading
    why: str
    found: Value | Truth


class Reading:
    """A rule set with its parameters at a date and place, as formulas over the facts of a world."""

    def __init__(self, world: World, ruleset: RuleSet, book: ParameterBook, on: dt.date, places: Sequence[str] = ()) -> None:
        self.world, self.ruleset, self.book, self.on, self.places = world, ruleset, book, on, tuple(places)
        self.unread: dict[str, Unread] = {}
        #: facts whose value is given, not a variable: what is named here is evaluated at once
        self.given: Callable[[t.Node], Any] | None = None
        #: parameters may be anything of their type, not only what the book says
        self.any_parameters = False
        self._free: frozenset[str] = frozenset()
        #: rule id -> what its finding comes to (`outcome.levels`)
        self.kept: dict[str, dict[str, Flag]] = {}
        self._values: dict[int, tuple[t.Node, Value]] = {}
        self._truths: dict[int, tuple[t.Node, Truth]] = {}
        self._facts: dict[str, Value] = {}
        self._fixed: dict[int, tuple[t.Node, bool]] = {}
        self._busy: set[str] = set()

    def fix(self, given: Callable[[t.Node], Any], free: Iterable[str]) -> None:
        """Only the facts `free` may change; every other expression is what `given` says."""
        self.given, self._free = given, frozenset(free)

    def adopt(self, other: Reading, pairs: Iterable[tuple[t.Node, t.Node]], kept: Iterable[str]) -> None:
        """Takes over the formulas of rules that say the same in both versions: (its condition, ours), rule ids."""
        for theirs, ours in pairs:
            self._truths[id(ours)] = (ours, other.truth(theirs))
        self.kept.update({id: other.kept[id] for id in kept if id in other.kept})

    def param(self, name: str) -> Any:
        return self.book.use(name, self.on, self.places).value

    def name(self, path: str, value: Value) -> None:
        """Gives a name of the expression that is no fact its value."""
        self._facts[path] = value

    def declare(self, path: str, type_: t.Type) -> None:
        """Variables for a fact that an example has to state, whether or not a formula reads it."""
        try:
            self._fact(path, type_)
        except Beyond:
            pass

    def found(self, path: str) -> Value | None:
        """The value of a fact that a formula read; None when none did."""
        return self._facts.get(path)

    # lists: their tests are collected before a formula is written

    def prepare(self, nodes: Iterable[t.Node]) -> None:
        """Tells the world of every test on a list below these expressions."""
        seen: set[str] = set()
        todo = list(nodes)
        while todo:
            node = todo.pop()
            fact = list_of(node)
            if fact is not None and not self._is_fixed(node):
                try:
                    self.world.rows(fact.path, fact.type).add(node, self.constant, self.param, self.on)
                except Beyond:
                    pass  # it stays unread
            if isinstance(node, t.Fact) and node.path not in seen:
                seen.add(node.path)
                if node.type.kind == "list" and node.path not in self.ruleset.derived and not self._is_fixed(node):
                    self.world.rows(node.path, node.type)
                todo += [self.ruleset.derived[node.path]] if node.path in self.ruleset.derived else []
            todo += t.children(node)

    # values

    def constant(self, node: t.Node) -> Any:
        """The value of an expression over parameters, literals and the date. Raises Beyond when it reads a fact."""
        match node:
            case t.Literal(value=value):
                return value
            case t.Param(name=name) if not self.any_parameters:
                return self.param(name)
            case t.Today():
                return self.on
        if not self._is_fixed(node):
            raise Beyond("与事实比较")
        if self.given is not None:
            return self.given(node)
        return compile_one(node)(lambda _: None, self.param, self.on)

    def _is_fixed(self, node: t.Node) -> bool:
        found = self._fixed.get(id(node))
        if found is None:
            fixed = not any(self._varies(n) for n in t.walk(node))
            found = self._fixed[id(node)] = (node, fixed)
        return found[1]

    def _varies(self, node: t.Node) -> bool:
        if isinstance(node, t.Var | t.Subject):
            return self.given is None
        if isinstance(node, t.Param):
            return self.any_parameters
        if not isinstance(node, t.Fact):
            return False
        if self.given is None or node.path in self._free or any(f.startswith(f"{node.path}.") for f in self._free):
            return True
        derived = self.ruleset.derived.get(node.path)
        return derived is not None and not self._is_fixed(derived)

    def lift(self, value: Any) -> Value:
        """A value of the readings as a constant. Raises Beyond for lists and spans."""
        if value is None or value is ABSENT:
            return Value("?", 0, there=False, absent=value is ABSENT)
        if isinstance(value, bool):
            return Value("boolean", value)
        if isinstance(value, int | Fraction):
            return Value("number", value)
        if isinstance(value, dt.date):
            return Value("date", value.toordinal())
        if isinstance(value, str):
            return Value("text", self.world.code(value))
        if isinstance(value, Duration):
            return Value("duration", value.days, months=value.months)
        raise Beyond("名单")

    def truth(self, node: t.Node) -> Truth:
        """A condition, as `rules.compile` reads it: true, false, or neither."""
        found = self._truths.get(id(node))
        if found is None:
            try:
                truth = self._truth(node)
            except Beyond as fault:
                truth = self._unread(node, str(fault), "truth")
            found = self._truths[id(node)] = (node, truth)
        return found[1]

    def _truth(self, node: t.Node) -> Truth:
        if not isinstance(node, t.Literal | t.Fact) and self._is_fixed(node):
            value = self.lift(self.constant(node))
            return as_truth(value) if value.kind == "boolean" else Truth(False, value.absent)
        match node:
            case t.Literal(value=value):
                return Truth(value is True, value is False)
            case t.And(items=items):
                return kleene_and(self.truth(i) for i in items)
            case t.Or(items=items):
                return kleene_or(self.truth(i) for i in items)
            case t.Not(item=item):
                return kleene_not(self.truth(item))
            case t.Compare(op=op, left=a, right=b):
                return self._compare(op, self.value(a), self.value(b))
            case t.Quantified():
                return self._counted(node)
            case t.Call(func="present" | "absent" as func, args=(t.Fact() as fact,)):
                found = self._presence(fact)
                return found if func == "present" else kleene_not(found)
            case t.Call(func="list contains", args=(t.ListOf(items=items), other)):
                value = self.value(other)
                equal = [self._compare("=", self.value(i), value) for i in items]
                return Truth(both(value.there, either(*(e.yes for e in equal))), either(value.absent, both(value.there, every(e.no for e in equal))))
            case t.Call(func="list contains"):
                return self._counted(node)
            case t.Call(func="all" | "any" as func, args=(t.ListOf(items=items),)):
                return (kleene_and if func == "all" else kleene_or)(self.truth(i) for i in items)
            case t.Fact() | t.If() | t.Param():
                return as_truth(self._boolean(node))
        raise Beyond("没有公式的条件")

    def _boolean(self, node: t.Node) -> Value:
        value = self.value(node)
        if value.kind not in ("boolean", "?"):
            raise Beyond("不是条件")
        return value if value.kind == "boolean" else Value("boolean", False, False, value.absent)

    def _compare(self, op: str, a: Value, b: Value) -> Truth:
        if "?" in (a.kind, b.kind):
            return Truth(False, either(a.absent, b.absent))
        for one, other in ((a, b), (b, a)):
            if one.steps and isinstance(other.term, int | Fraction) and other.high is None:
                self.world.compared(one, other.term)
        for one, other in ((a, b), (b, a)):
            self._edge(one, other)
        return compare(op, a, b)

    def _edge(self, value: Value, other: Value) -> None:
        """Remembers the points at which a fact's comparisons turn: examples are put right there."""
        if isinstance(value.term, int | Fraction | bool) or not isinstance(other.term, int | Fraction) or value.kind not in ("number", "date"):
            return
        self.world.turn(value.term, other.term)

    def value(self, node: t.Node) -> Value:
        """A scalar expression; what is no scalar raises Beyond."""
        found = self._values.get(id(node))
        if found is None:
            try:
                value = self._value(node)
            except Beyond as fault:
                kind = "text" if node.type.kind in ("enum", "person") else node.type.kind
                if node.type.kind not in SCALARS:
                    raise
                value = self._unread(node, str(fault), kind)
            found = self._values[id(node)] = (node, value)
        return found[1]

    def _value(self, node: t.Node) -> Value:
        if not isinstance(node, t.Fact) and self._is_fixed(node) or isinstance(node, t.Fact) and self.given is not None and self._is_fixed(node):
            return self.lift(self.constant(node))
        match node:
            case t.Fact(path=path):
                return self._fact(path, node.type)
            case t.Param(name=name):
                return self.world.value(f"{name}·", node.type)
            case t.If(test=test, then=a, other=b):
                return self._pick(self.truth(test), self.value(a), self.value(b))
            case t.Neg(item=a):
                return self._scaled(self.value(a), -1)
            case t.Arith(op=op, left=a, right=b):
                return self._arith(op, self.value(a), self.value(b))
            case t.Call(func="count", args=(t.ListOf(items=items),)):
                return Value("number", len(items))
            case t.Call(func="count"):
                found = self._counted(node)
                return found if isinstance(found, Value) else as_value(found)
            case t.Call(func=func, args=args):
                return self._call(func, args, node)
        if node.type.kind == "boolean":
            return as_value(self.truth(node))
        raise Beyond("没有公式的值")

    def _pick(self, test: Truth, a: Value, b: Value) -> Value:
        if "?" in (a.kind, b.kind):
            kind = b.kind if a.kind == "?" else a.kind
            a, b = (v if v.kind != "?" else Value(kind, False if kind == "boolean" else 0, False, v.absent) for v in (a, b))
        return pick(test, a, b)

    # facts

    def _fact(self, path: str, type_: t.Type) -> Value:
        found = self._facts.get(path)
        if found is None:
            if path in self._busy:
                raise Beyond("绕回自己的推导事实")
            self._busy.add(path)
            try:
                found = self._facts[path] = self._stated_or_derived(path, type_)
            finally:
                self._busy.discard(path)
        return found

    def _stated_or_derived(self, path: str, type_: t.Type) -> Value:
        if path in self.world.redeclared:
            raise Beyond("两版里类型不同的事实")
        if type_.kind == "record":
            return as_value(self._presence(t.Fact(path, type=type_)))
        if type_.kind not in SCALARS:
            raise Beyond("名单")
        stated = self.world.value(path, type_)
        node = self.ruleset.derived.get(path)
        if node is None:
            return stated
        worked_out = self.value(node)
        if worked_out.kind == "?":
            worked_out = Value(stated.kind, stated.term, False, worked_out.absent)
        if worked_out.kind != stated.kind:
            raise Beyond("推导事实的类型")
        given = stated.known
        if self.given is None:
            # over all cases there could be: nobody states what its own sources contradict
            self.world.axioms.append(implies(both(given, worked_out.known), agree(worked_out, stated)))
        high = None if worked_out.high is None else choose(given, stated.term, worked_out.high)
        return Value(
            stated.kind, choose(given, stated.term, worked_out.term), either(stated.there, both(no(given), worked_out.there)),
            either(stated.absent, both(no(given), worked_out.absent)), high, (both(no(given), worked_out.open[0]), both(no(given), worked_out.open[1])),
            0, worked_out.steps,
        )  # fmt: skip

    def _presence(self, fact: t.Fact) -> Truth:
        if self.given is not None and self._is_fixed(fact):
            value = self.constant(fact)
            return Truth(value is not None and value is not ABSENT, value is ABSENT)
        if fact.type.kind == "record":
            if fact.path not in self.world.specs:
                raise Beyond("上级的记录")
            return self.world.presence(fact.path)
        if fact.type.kind == "list":
            kinds = self.world.lists.get(fact.path)
            if kinds is None or kinds.there is False:
                raise Beyond("名单")
            return Truth(kinds.there, kinds.absent)
        value = self._fact(fact.path, fact.type)
        return Truth(value.there, value.absent)

    def _counted(self, node: t.Node) -> Any:
        fact = list_of(node)
        kinds = self.world.lists.get(fact.path) if fact is not None and fact.path not in self.ruleset.derived else None
        if kinds is None or id(node) not in kinds.columns:
            raise Beyond("名单里逐行的计算")
        return kinds.value(node)

    # arithmetic

    def _arith(self, op: str, a: Value, b: Value) -> Value:
        absent = either(a.absent, b.absent)
        kinds = (a.kind, b.kind)
        if "?" in kinds:
            return Value("?", 0, False, absent)
        there = both(a.there, b.there)
        if kinds == ("number", "number"):
            return self._numbers(op, a, b, there, absent)
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

    def _numbers(self, op: str, a: Value, b: Value, there: Flag, absent: Flag) -> Value:
        if op == "-":
            b, op = self._scaled(b, -1), "+"
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
        done = self._scaled(a if fixed is b else b, factor)
        return Value("number", done.term, there, absent, done.high, done.open)

    def _scaled(self, a: Value, factor: int | Fraction) -> Value:
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

    def _call(self, func: str, args: tuple[t.Node, ...], node: t.Node) -> Value:
        if func in ("count", "sum", "min", "max", "mean", "distinct values"):
            if func == "sum" and isinstance(args[0], t.ListOf):
                return self._sum([self.value(i) for i in args[0].items])
            raise Beyond("名单里的合计")
        if node.type.kind == "boolean":
            return as_value(self.truth(node))
        values = [self.value(a) for a in args]
        absent = either(*(v.absent for v in values))
        if func in ("earliest", "latest"):
            return self._edge_date(func, *values)
        if any(v.kind == "?" for v in values):
            return Value("?", 0, False, absent)
        there = every(v.there for v in values)
        match func:
            case "years between" | "months between" | "days between":
                return self._between(func.split()[0], values[0], values[1], there, absent)
            case "date" if values[0].kind == "date":
                return values[0]
            case "days":
                return self._days(values[0])
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

    def _sum(self, items: list[Value]) -> Value:
        if any(v.high is not None or v.kind not in ("number", "?") for v in items):
            raise Beyond("名单里的合计")
        kept = [v for v in items if v.kind == "number"]
        known = both(*(v.known for v in kept), *(v.absent for v in items if v.kind == "?"))
        return Value("number", total(choose(v.absent, 0, v.term) for v in kept), known)

    # dates

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

    def _days(self, n: Value) -> Value:
        whole: Flag = no(n.spread)
        term = n.term
        if isinstance(term, Fraction) or isinstance(term, int) and abs(term) > MOST_PERIODS:
            return Value("duration", 0, False, n.absent)
        if not isinstance(term, int):
            if not z3.is_int(term):
                whole, term = both(whole, z3.IsInt(term)), z3.ToInt(term)
            whole = both(whole, order("<=", term, MOST_PERIODS), order(">=", term, -MOST_PERIODS))
        return Value("duration", term, both(n.there, whole), n.absent)

    def _edge_date(self, which: str, a: Value, b: Value) -> Value:
        a, b = (v if v.kind != "?" else Value("date", 0, False, v.absent) for v in (a, b))
        first = order("<=", a.term, b.term) if which == "earliest" else order(">=", a.term, b.term)
        term = choose(a.absent, b.term, choose(b.absent, a.term, choose(first, a.term, b.term)))
        there = either(both(a.there, b.there), both(a.absent, b.there), both(b.absent, a.there))
        return Value("date", term, there, both(a.absent, b.absent))

    # what has no formula

    def _unread(self, node: t.Node, why: str, kind: str) -> Any:
        key = f"{kind}:{self._spelled(node)}"
        found = self.unread.get(key)
        if found is None:
            # named by what it says, parameters with their values: both versions mean the same unknown by it
            value = self.world.truth(key) if kind == "truth" else self.world.fresh(key, kind)
            self._read_by(node)
            found = self.unread[key] = Unread(node, self, why, value)
        return found.found

    def _read_by(self, node: t.Node) -> None:
        """Variables for the facts it reads, so that an example has them."""
        for part in t.walk(node):
            if isinstance(part, t.Fact) and part.type.kind in SCALARS and part.path not in self.world.redeclared:
                try:
                    self._fact(part.path, part.type)
                except Beyond:
                    pass
            elif isinstance(part, t.Fact) and part.type.kind == "list" and part.path not in self.world.lists:
                kinds = self.world.rows(part.path, part.type)
                self.world.axioms += kinds.close(f"{part.path}{self.world.tag}", self.world.ctx)

    def _spelled(self, node: t.Node) -> str:
        """An expression as a key: parameters by value, derived facts written out, places in the text left away."""
        match node:
            case t.Param(name=name):
                return name if self.any_parameters else f"<{self.param(name)!r}>"
            case t.Literal(value=value):
                return f"<{value!r}>"
            case t.Fact(path=path) if path in self.ruleset.derived and path not in self._busy:
                self._busy.add(path)
                try:
                    return f"{path}:({self._spelled(self.ruleset.derived[path])})"
                finally:
                    self._busy.discard(path)
        words = [type(node).__name__, *(str(v) for v in vars(node).values() if isinstance(v, str | bool))]
        return f"{' '.join(words)}({', '.join(self._spelled(c) for c in t.children(node))})"


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

