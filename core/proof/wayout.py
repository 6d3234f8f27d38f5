"""The way out: the fewest facts that would have to change for a case to pass, of those a person can change.

Only facts with a `cure` are ever touched, one weighs as much as another, and a number or date moves no further than it
must. What is proposed is decided once more before it is shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siquan.core.errors import SiquanError
from siquan.core.proof.compare import expressions
from siquan.core.proof.encode import Reading
from siquan.core.proof.logic import Beyond, no
from siquan.core.proof.outcome import results
from siquan.core.proof.replay import Side
from siquan.core.proof.search import TIMEOUT, Budget, Search
from siquan.core.proof.world import SCALARS, State, States, World
from siquan.core.rules import tree as t
from siquan.core.rules.compile import compile_one
from siquan.core.rules.decide import RuleSet, Situation, decide
from siquan.core.rules.decision import Decision
from siquan.core.rules.facts import FactSet, Reader, Schema, to_wire, type_of
from siquan.core.rules.parameters import ParameterBook
from siquan.core.rules.say import labels, show
from siquan.core.rules.values import ABSENT, Rows

BINDING = ("REJECT", "BLOCK", "EVIDENCE")


@dataclass(frozen=True)
class Change:
    """One fact that has to become another: wire values, and as people read them; `cure` is how a person does it. Before
    is null where the fact is not known: it is to be supplied."""

    path: str
    title: str
    before: Any
    after: Any
    before_shown: str
    after_shown: str
    cure: str


@dataclass(frozen=True)
class WayOut:
    """The changes, fewest there are, and what is then decided: PASS, or WARN where nothing passes."""

    changes: tuple[Change, ...]
    decision: Decision


@dataclass(frozen=True)
class NoWayOut:
    """Nobody can bring the case to pass by what a person can change (or nothing was found in time: `proved` false). False
    as a condition. `facts` are those that stand in the way and that nobody can change or has supplied."""

    proved: bool
    facts: tuple[str, ...]
    reason: str
    reason_en: str

    def __bool__(self) -> bool:
        return False


@dataclass(frozen=True)
class _Here(Side):
    """The case as it is, with some facts stated anew."""

    base: FactSet | None = None
    parent: Callable[[str], Any] | None = None
    lists: Mapping[str, Rows] | None = None
    current: Mapping[str, State] | None = None

    def facts(self, world: World, states: States) -> FactSet | None:
        assert self.base is not None and self.current is not None
        moved = {p: s for p, s in states.items() if s is not None and not (p in self.current and s == self.current[p] and type(s) is type(self.current[p]))}
        try:
            return self.base.with_stated(Reader(self.ruleset.schema, self.on).read(world.wire(moved)))
        except SiquanError:
            return None

    def around(self, world: World, states: States) -> tuple[Callable[[str], Any] | None, Mapping[str, Rows]]:
        return self.parent, self.lists or {}


def cure_of(schema: Schema, path: str) -> str:
    """How a person can change the fact; a record's cure is its fields'."""
    spec = schema.get(path)
    if spec is not None and spec.cure:
        return spec.cure
    record = schema.record_of(path)
    return cure_of(schema, record.name) if record is not None else ""


def smallest_change(
    ruleset: RuleSet, facts: FactSet, book: ParameterBook, on: dt.date, places: Sequence[str] = (), *, parent: Callable[[str], Any] | None = None,
    lists: Mapping[str, Rows] | None = None, timeout: float = TIMEOUT, clock: Callable[[], float] | None = None,
) -> WayOut | NoWayOut:  # fmt: skip
    """The smallest set of changes after which the case passes (or is only warned of, where passing is out of reach). Facts
    that are unknown and have a cure may be supplied. A case that passes as it is has an empty way out."""
    budget = Budget(timeout, clock) if clock is not None else Budget(timeout)
    now = decide(ruleset, facts, book, on, places, parent=parent, lists=lists, both=False)
    if now.outcome == "PASS":
        return WayOut((), now)
    try:
        return _Case(ruleset, facts, book, on, places, parent, lists, budget).way_out(now)
    except Beyond:
        return _none(ruleset, now, False)


class _Case:
    def __init__(
        self, ruleset: RuleSet, facts: FactSet, book: ParameterBook, on: dt.date, places: Sequence[str], parent: Callable[[str], Any] | None,
        lists: Mapping[str, Rows] | None, budget: Budget,
    ) -> None:  # fmt: skip
        self.ruleset, self.facts, self.budget = ruleset, facts, budget
        schema = ruleset.schema
        self.free = {p for p in schema.specs if self._can_change(p)}
        self.world = World([schema], on, days=(dt.date.min, dt.date.max))
        self.reading = Reading(self.world, ruleset, book, on, places)
        here = Situation(ruleset, facts, book, on, places, parent, lists)
        self.reading.fix(lambda node: compile_one(node)(here.fact, here.param, on), self.free)
        self.reading.prepare(expressions(ruleset))
        self.world.close()
        self.result = results(self.reading)
        self.current = {p: self._state(p) for p in self.world.paths()}
        self.side = _Here(ruleset, book, on, tuple(places), facts, parent, lists, self.current)

    def _can_change(self, path: str) -> bool:
        spec = self.ruleset.schema.specs[path]
        if not cure_of(self.ruleset.schema, path) or path in self.ruleset.derived or spec.type == "list":
            return False
        if spec.type == "record":
            # only one of which nothing is known yet may be supplied as not existing
            return bool(spec.absent) and self.facts.value(path) is None
        return type_of(spec).kind in SCALARS and self._above(path) is not ABSENT

    def _above(self, path: str) -> State:
        record = self.ruleset.schema.record_of(path)
        return None if record is None else self.facts.value(record.name)

    def _state(self, path: str) -> State:
        stated = self.facts.stated.get(path)
        return None if stated is None or path in self.facts.stale else stated.value

    def way_out(self, now: Decision) -> WayOut | NoWayOut:
        fixed = [self.world.is_(p, s) for p, s in self.current.items() if p not in self.free]
        goals = [("PASS",), ("WARN",)] if now.outcome in BINDING else [("PASS",)]
        proved = True
        for goal in goals:
            search = Search(self.world, (self.reading,), self.budget, (self.side,), self.current)
            search.add(*fixed, *(no(flag) for o, flag in self.result.outcomes.items() if o not in goal))
            found = search.find(True, lambda states, goal=goal: self._comes_to(states, goal))  # type: ignore[misc]
            if found.states is not None:
                return self._way(found.states)
            proved = proved and found.status == "never"
        return _none(self.ruleset, now, proved)

    def _comes_to(self, states: States, goal: tuple[str, ...]) -> bool:
        found = self.side.verdict(self.world, states)
        return found is not None and found[0] in goal

    def _way(self, states: States) -> WayOut:
        decision = self.side.decision(self.world, states)
        assert decision is not None  # it was accepted
        moved = [p for p in self.ruleset.schema.specs if p in states and not _same(states[p], self.current[p])]
        return WayOut(tuple(self._change(p, self.current[p], states[p]) for p in moved), decision)

    def _change(self, path: str, before: State, after: State) -> Change:
        schema = self.ruleset.schema
        return Change(
            path, schema.title(path), None if before is None else to_wire(before), to_wire(after), self._shown(path, before),
            self._shown(path, after), cure_of(schema, path),
        )  # fmt: skip

    def _shown(self, path: str, state: State) -> str:
        spec = self.ruleset.schema.specs[path]
        unit = spec.unit if state is not None and state is not ABSENT else ""
        return f"{labels(self.ruleset.schema)(t.Fact(path), state) or show(state)}{unit}"


def _same(a: State, b: State) -> bool:
    return a is b or type(a) is type(b) and bool(a == b)


def _none(ruleset: RuleSet, now: Decision, proved: bool) -> NoWayOut:
    """Why there is none: what nobody can change or has supplied, of the findings that stand in the way."""
    schema = ruleset.schema
    binding = [f for f in now.findings if f.outcome in BINDING and f.result in ("hit", "unknown")] or [f for f in now.findings if f.result == "hit"]
    fixed = dict.fromkeys(p for f in binding for p in (f.facts if f.result == "hit" else f.unknown) if not cure_of(schema, p))
    titles = [schema.title(p) for p in fixed]
    rules = "、".join(f.title for f in binding)
    if not proved:
        return NoWayOut(False, tuple(fixed), "在限定时间内没有找到办法；没有找到不等于没有", "no way out was found in time, which does not mean that there is none")
    if not titles:
        return NoWayOut(True, (), f"能由人改变的各项怎样改，都还有不通过的地方（{rules}）", f"however what a person can change is changed, something stands in the way ({rules})")
    listed = "、".join(titles)
    return NoWayOut(True, tuple(fixed), f"“{rules}”取决于{listed}，这些不是当事人能改变的", f"`{rules}` depends on {listed}, which nobody concerned can change")


