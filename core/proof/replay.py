"""Facts found by a solver, tried out on the real thing: the compiled reading decides, and only what it confirms is shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import z3

from siquan.core.errors import SiquanError
from siquan.core.proof.encode import Reading, Unread
from siquan.core.proof.logic import Flag, Truth, Value, both, every, implies, no, order, same
from siquan.core.proof.steps import FIRST, LAST
from siquan.core.proof.world import States, World
from siquan.core.rules import tree as t
from siquan.core.rules.compile import compile_one
from siquan.core.rules.decide import RuleSet, Situation, decide
from siquan.core.rules.decision import Decision
from siquan.core.rules.facts import FactSet, Reader
from siquan.core.rules.parameters import ParameterBook
from siquan.core.rules.values import ABSENT, Rows, Span
from siquan.core.spec.table import identity

#: outcome and identity of the value
Verdict = tuple[str, Any]


@dataclass(frozen=True)
class Side:
    """A rule set with what it is decided by."""

    ruleset: RuleSet
    book: ParameterBook
    on: dt.date
    places: tuple[str, ...] = ()

    def facts(self, world: World, states: States) -> FactSet | None:
        """The facts as this rule set reads them; None when it would refuse them."""
        wire = {p: v for p, v in world.wire(states).items() if p in self.ruleset.schema}
        try:
            return FactSet(self.ruleset.schema, Reader(self.ruleset.schema, self.on).read(wire), self.on)
        except SiquanError:
            return None

    def around(self, world: World, states: States) -> tuple[Callable[[str], Any] | None, Mapping[str, Rows]]:
        """What the parent holds, and the lists of children."""
        parent, lists = world.beside(states)
        return parent.get, lists

    def situation(self, world: World, states: States) -> Situation | None:
        facts = self.facts(world, states)
        if facts is None:
            return None
        parent, lists = self.around(world, states)
        return Situation(self.ruleset, facts, self.book, self.on, self.places, parent, lists)

    def decision(self, world: World, states: States) -> Decision | None:
        """As the compiled reading decides it, with all its sentences."""
        facts = self.facts(world, states)
        if facts is None:
            return None
        parent, lists = self.around(world, states)
        return decide(self.ruleset, facts, self.book, self.on, self.places, parent=parent, lists=lists, both=False)

    def verdict(self, world: World, states: States) -> Verdict | None:
        """Outcome and value alone; of a large table a good deal faster than `decision`."""
        if self.ruleset.table is None:
            decision = self.decision(world, states)
            return None if decision is None else (decision.outcome, "")
        truths = self.truths(world, states)
        if truths is None:
            return None
        settled = self.ruleset.table.settle(truths)
        return settled.outcome, identity(settled.value)

    def truths(self, world: World, states: States) -> dict[str, bool | None] | None:
        """The truth of every rule."""
        here = self.situation(world, states)
        if here is None:
            return None
        found = self.ruleset._run(here.fact, here.param, self.on)
        return {r.spec.id: x for r, x in zip(self.ruleset.rules, found, strict=True)}


def side(reading: Reading) -> Side:
    return Side(reading.ruleset, reading.book, reading.on, reading.places)


class Unreads:
    """Expressions without a formula, evaluated on facts: what the formula may learn from a case that was tried."""

    def __init__(self, world: World, readings: Sequence[Reading], sides: Sequence[Side] = ()) -> None:
        self.world, self.readings = world, readings
        self.sides = tuple(sides) or tuple(side(r) for r in readings)
        self._runs: dict[int, Callable[..., Any]] = {}

    def all(self) -> list[Unread]:
        return [u for r in self.readings for u in r.unread.values()]

    def evaluated(self, states: States) -> list[tuple[Unread, Any]]:
        """Each with its value on these facts."""
        out = []
        for reading, beside in zip(self.readings, self.sides, strict=True):
            here = beside.situation(self.world, states) if reading.unread else None
            for unread in reading.unread.values() if here is not None else ():
                run = self._runs.setdefault(id(unread.node), compile_one(unread.node))
                out.append((unread, run(here.fact, here.param, reading.on)))  # type: ignore[union-attr]
        return out

    def lessons(self, states: States, model: Any) -> tuple[list[Flag], bool]:
        """Conditions that hold in truth and that the model breaks; and whether all of them hold for sure: a list is
        known by its kinds of rows alone, which need not settle what compares its rows with each other."""
        out: list[Flag] = []
        sure = True
        for unread, value in self.evaluated(states):
            stands = is_value(unread.found, value, self.world)
            if stands is True or not isinstance(stands, bool) and z3.is_true(model.eval(stands, model_completion=True)):
                continue
            read = self.reads(unread)
            sure = sure and not any(p in self.world.lists for p in read)
            out.append(implies(every(self.world.is_(p, states[p]) for p in read), stands))
        for applied in self.world.applied.values():
            days = [d if isinstance(d, int) else model.eval(d, model_completion=True).as_long() for d in applied.days]
            value = applied.run(*days) if all(FIRST <= d <= LAST for d in days) else None
            if value is None or model.eval(applied.var, model_completion=True).as_long() == value:
                continue
            here = every(order("=", d, day) for d, day in zip(applied.days, days, strict=True))
            out.append(implies(here, order("=", applied.var, value)))
            step = self.world.steps.get(applied.var.get_id())
            out += [step.at(value)] if step is not None else []
        return out, sure

    def reads(self, unread: Unread) -> list[str]:
        """The paths of the facts behind it, with the records they stand in."""
        derived = unread.reading.ruleset.derived
        found: dict[str, None] = {}
        todo = [unread.node]
        seen: set[str] = set()
        while todo:
            for part in t.walk(todo.pop()):
                if isinstance(part, t.Fact) and part.path not in seen:
                    seen.add(part.path)
                    todo += [derived[part.path]] if part.path in derived else []
                    slot = self.world.slots.get(part.path)
                    found |= dict.fromkeys([part.path, *([slot.record] if slot else []), *(p for p in self.world.slots if p.startswith(f"{part.path}."))])
        known = {*self.world.slots, *self.world.lists, *self.world.records}
        return [p for p in found if p in known]


def is_value(found: Value | Truth, value: Any, world: World) -> Flag:
    """That an unread expression has this value."""
    if isinstance(found, Truth):
        return both(same(found.yes, value is True), same(found.no, value is False or value is ABSENT))
    if value is None or value is ABSENT:
        return both(no(found.there), same(found.absent, value is ABSENT))
    if isinstance(value, Span):
        ends = [order("=", term, end) for term, end in ((found.term, value.low), (found.upper, value.high)) if end is not None]
        opened = both(same(found.open[0], value.low is None), same(found.open[1], value.high is None))
        return both(found.there, opened, *ends)
    if isinstance(value, bool):
        return both(found.there, same(found.term, value))
    if isinstance(value, dt.date | str):
        return both(found.there, order("=", found.term, value.toordinal() if isinstance(value, dt.date) else world.code(value)))
    if isinstance(value, int | Fraction):
        return both(found.there, order("=", found.term, value), order("=", found.upper, value), no(found.spread))
    return True  # a list or a record: nothing of it stands in a formula
