"""The Z3 reading of an expression: the same tree that is compiled to Python becomes a three-valued formula.

What has no exact formula becomes a value nothing is known about, the same one wherever the same expression stands; it
is listed in `Unread`, and whatever a solver says with its help is tried out on real facts before anybody sees it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from siquan.core.proof.arithmetic import Arithmetic, agree, scaled, sum_of
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
    pick,
)
from siquan.core.proof.rows import list_of
from siquan.core.proof.world import SCALARS, World
from siquan.core.rules import tree as t
from siquan.core.rules.compile import compile_one
from siquan.core.rules.decide import RuleSet
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
        self._count = Arithmetic(world)
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
        self._keys: dict[int, str] = {}

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
            case t.Quantified() | t.Call(func="list contains", args=(t.Fact() | t.Filter() | t.Path(), _)):
                found: Truth = self._counted(node)
                return found
            case t.Call(func="present" | "absent" as func, args=(t.Fact() as fact,)):
                known = self._presence(fact)
                return known if func == "present" else kleene_not(known)
            case t.Call(func="list contains", args=(t.ListOf(items=items), other)):
                value = self.value(other)
                equal = [self._compare("=", self.value(i), value) for i in items]
                return Truth(both(value.there, either(*(e.yes for e in equal))), either(value.absent, both(value.there, every(e.no for e in equal))))
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
                return scaled(self.value(a), -1)
            case t.Arith(op=op, left=a, right=b):
                return self._count.arith(op, self.value(a), self.value(b))
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
            either(stated.absent, both(no(given), worked_out.absent)), high,
            (both(no(given), worked_out.open[0]), both(no(given), worked_out.open[1])), 0, worked_out.steps,
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

    def _call(self, func: str, args: tuple[t.Node, ...], node: t.Node) -> Value:
        if func in ("count", "sum", "min", "max", "mean", "distinct values"):
            if func == "sum" and isinstance(args[0], t.ListOf):
                return sum_of([self.value(i) for i in args[0].items])
            raise Beyond("名单里的合计")
        if node.type.kind == "boolean":
            return as_value(self.truth(node))
        return self._count.call(func, [self.value(a) for a in args])

    # what has no formula

    def behind(self, nodes: Iterable[t.Node]) -> list[Unread]:
        """What has no formula below these expressions, derived facts included."""
        keys: set[str] = set()
        seen: set[str] = set()
        todo = list(nodes)
        while todo:
            for part in t.walk(todo.pop()):
                if (key := self._keys.get(id(part))) is not None:
                    keys.add(key)
                if isinstance(part, t.Fact) and part.path in self.ruleset.derived and part.path not in seen:
                    seen.add(part.path)
                    todo.append(self.ruleset.derived[part.path])
        return [u for key, u in self.unread.items() if key in keys]

    def _unread(self, node: t.Node, why: str, kind: str) -> Any:
        key = self._keys[id(node)] = f"{kind}:{self._spelled(node)}"
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
