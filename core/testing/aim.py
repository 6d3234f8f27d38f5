"""What a step's rules have to come to, and how far some facts are from it: zero is there. Distances guide a search; whether
it succeeded is seen by taking the step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from siquan.core.engine.definition import Definition
from siquan.core.rules import tree as t
from siquan.core.rules.compile import Compiled, compile_one
from siquan.core.rules.decide import Rule, RuleSet, cap
from siquan.core.rules.decision import OUTCOMES, RANK, branch_key
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.model import TransitionSpec
from siquan.core.verify.possible import BINDING, bases_of, outcomes_of

#: an unknown is further off than a plain no
UNKNOWN = 1.5


@dataclass(frozen=True)
class Is:
    """That a condition has this truth; None is unknown."""

    node: t.Node
    want: bool | None


@dataclass(frozen=True)
class All:
    parts: tuple[Aim, ...]


@dataclass(frozen=True)
class Either:
    parts: tuple[Aim, ...]


Aim = Is | All | Either
NOTHING = All(())
Run = Callable[[t.Node], Any]


class Compiler:
    """Compiled nodes, kept with their functions."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[t.Node, Compiled]] = {}

    def of(self, node: t.Node) -> Compiled:
        found = self._kept.get(id(node))
        if found is None:
            found = self._kept[id(node)] = (node, compile_one(node))
        return found[1]


def distance(aim: Aim, run: Run, derived: dict[str, t.Node]) -> float:
    match aim:
        case All(parts=parts):
            return sum(distance(p, run, derived) for p in parts)
        case Either(parts=parts):
            return min((distance(p, run, derived) for p in parts), default=1.0)
        case Is(node=node, want=None):
            return 0.0 if run(node) is None else 1.0
    return _to(aim.node, bool(aim.want), run, derived)


def _to(node: t.Node, want: bool, run: Run, derived: dict[str, t.Node]) -> float:
    match node:
        case t.And(items=items) | t.Or(items=items):
            parts = [_to(i, want, run, derived) for i in items]
            return sum(parts) if isinstance(node, t.And) is want else min(parts)
        case t.Not(item=item):
            return _to(item, not want, run, derived)
        case t.If(test=test, then=then, other=other) if node.type.kind == "boolean":
            return min(
                _to(test, True, run, derived) + _to(then, want, run, derived), _to(test, False, run, derived) + _to(other, want, run, derived)
            )
        case t.Fact(path=path) if path in derived and derived[path].type.kind == "boolean":
            if run(node) is want:
                return 0.0
            return _to(derived[path], want, run, derived) or 1.0
    value = run(node)
    if value is want:
        return 0.0
    if isinstance(node, t.Compare):
        return _apart(run(node.left), run(node.right))
    return UNKNOWN if value is None else 1.0


def _apart(a: Any, b: Any) -> float:
    if a is None or b is None:
        return UNKNOWN
    numbers = [n.toordinal() if isinstance(n, dt.date) else n for n in (a, b)]
    if all(isinstance(n, int | Fraction) and not isinstance(n, bool) for n in numbers):
        gap = abs(float(numbers[0] - numbers[1]))
        return 0.1 + 0.8 * gap / (gap + 10)
    return 1.0


def nodes(aim: Aim) -> Iterator[t.Node]:
    if isinstance(aim, Is):
        yield aim.node
    else:
        for part in aim.parts:
            yield from nodes(part)


# what to aim at

def _bound(ruleset: RuleSet, rule: Rule, book: ParameterBook) -> set[str]:
    return {cap(o, b) for o in outcomes_of(rule) for b in bases_of(ruleset, rule, book)}


def clear(ruleset: RuleSet, book: ParameterBook, over: Iterable[str] = BINDING) -> Aim:
    """That no rule comes to one of these outcomes."""
    over = set(over)
    if ruleset.table is not None:
        return Either(tuple(Is(r.condition, True) for r in ruleset.rules)) if "BLOCK" in over else NOTHING
    parts: list[Aim] = []
    for rule in ruleset.rules:
        bound = _bound(ruleset, rule, book)
        if not bound & over:
            continue
        ways: list[Aim] = [Is(rule.condition, False)]
        if rule.outcome is not None:
            ways += [Is(x, w) for x, w, o in _leads(rule.outcome) if o not in over]
        parts.append(Either(tuple(ways)) if len(ways) > 1 else ways[0])
    return All(tuple(parts))


def _leads(node: t.Node) -> Iterator[tuple[t.Node, bool, str]]:
    """`if c then BLOCK else WARN`: (c, True, BLOCK), (c, False, WARN)."""
    if isinstance(node, t.If):
        for branch, want in ((node.then, True), (node.other, False)):
            if isinstance(branch, t.Literal) and branch.value in OUTCOMES:
                yield node.test, want, str(branch.value)


def passing(definition: Definition, book: ParameterBook, step: TransitionSpec) -> Aim:
    """That the checks of a step let it pass."""
    ids = [*step.check, *([step.decide] if step.decide and not step.branches else [])]
    return All(tuple(clear(definition.rulesets[i], book) for i in ids))


def leading(ruleset: RuleSet, book: ParameterBook, key: str) -> list[Aim]:
    """Ways to make a decision come to a key of `to:`: a value, else an outcome."""
    out: list[Aim] = []
    if ruleset.table is not None:
        rows = [r for r in ruleset.rules if branch_key(r.spec.out) == key or (key == "PASS" and r.spec.out is not None)]
        for row in rows:
            before = [r for r in ruleset.rules[: ruleset.rules.index(row)]] if ruleset.spec.hit_policy == "F" else []
            out.append(All((Is(row.condition, True), *(Is(r.condition, False) for r in before))))
        if key == "BLOCK" or branch_key(ruleset.spec.default) == key:
            out.append(All(tuple(Is(r.condition, False) for r in ruleset.rules)))
        if key == "EVIDENCE":
            out.append(All(tuple(Is(r.condition, None) for r in ruleset.rules)))
        return out
    higher = [o for o in OUTCOMES if RANK[o] < RANK.get(key, 99)]
    if key == "PASS":
        return [clear(ruleset, book, OUTCOMES[:-1])]
    for rule in ruleset.rules:
        bound = _bound(ruleset, rule, book)
        if key in bound:
            parts: list[Aim] = [Is(rule.condition, True), *(Is(x, w) for x, w, o in (_leads(rule.outcome) if rule.outcome is not None else ()) if o == key)]
            out.append(All((*parts, clear(_without(ruleset, rule), book, higher))) if higher else All(tuple(parts)))
        if key == "EVIDENCE" and bound & set(BINDING):
            out.append(Is(rule.condition, None))
    return out


def _without(ruleset: RuleSet, rule: Rule) -> Any:
    """The rule set as if the rule were not there; only its rules are asked for."""

    class Rest:
        table, rules, readings, spec = None, tuple(r for r in ruleset.rules if r is not rule), ruleset.readings, ruleset.spec

    return Rest()


def hitting(rule: Rule) -> Aim:
    return Is(rule.condition, True)
