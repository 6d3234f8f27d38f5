"""Two versions of a rule set over all cases there could be, unknown facts included: the same, only stricter, only looser,
different, or not proved; with the plainest case that shows it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from siquan.core.proof import logic
from siquan.core.proof.encode import Reading
from siquan.core.proof.logic import Beyond, Flag, both, either, no
from siquan.core.proof.outcome import differ, levels, results
from siquan.core.proof.replay import side
from siquan.core.proof.search import TIMEOUT, Budget, Found, Search, settle_usual
from siquan.core.proof.words import left_out
from siquan.core.proof.world import SCALARS, States, World
from siquan.core.rules import tree as t
from siquan.core.rules.decide import Rule, RuleSet, canonical
from siquan.core.rules.decision import OUTCOMES, RANK, Decision
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.model import RuleSpec
from siquan.core.spec.table import identity


@dataclass(frozen=True)
class Witness:
    """A case two versions decide differently. `facts` are wire facts that give both decisions; `changed` the paths that
    matter: those that differ from a case in which nothing is the matter."""

    facts: dict[str, Any]
    changed: tuple[str, ...]
    old: Decision
    new: Decision


@dataclass(frozen=True)
class Comparison:
    """`kind`: equal, stricter (no case comes out milder), looser, different (both occur, or values, which have no order)
    or not_proved. `left_out` says in words what the proof took as unknown. `differs` is value where only values do."""

    kind: str
    witness: Witness | None = None
    looser: Witness | None = None
    stricter: Witness | None = None
    ms: float = 0.0
    left_out: tuple[str, ...] = ()
    differs: str = "outcome"


def compare(
    old: RuleSet, new: RuleSet, old_book: ParameterBook, new_book: ParameterBook, on: dt.date, places: Sequence[str] = (), *,
    timeout: float = TIMEOUT, clock: Callable[[], float] | None = None,
) -> Comparison:  # fmt: skip
    """How `new` decides beside `old` at a date and place (`places` from the narrowest to the widest). `timeout` in
    seconds; when it is over what is not settled is not proved."""
    budget = Budget(timeout, clock) if clock is not None else Budget(timeout)
    try:
        pair = _Pair(old, new, old_book, new_book, on, places, budget)
        return Comparison("equal", ms=budget.ms()) if pair.alike() else pair.compared()
    except Beyond as fault:
        return Comparison("not_proved", ms=budget.ms(), left_out=(str(fault),))


#: what a rule set's decisions hang on besides its rules
KEPT = {"hit_policy", "inputs", "outputs", "output_values", "default", "readings", "default_basis", "prefix"}


def meaning(ruleset: RuleSet) -> str:
    """What a rule set's decisions hang on, as text: not its sentences, titles and sources."""
    spec = ruleset.spec
    rules = [
        {
            "id": r.id, "when": r.when, "cells": r.cells, "out": r.out, "outcome": r.outcome, "basis": r.basis, "priority": r.priority,
            "off": bool(r.display_only),
        }
        for r in spec.rules
    ]  # fmt: skip
    kept = spec.model_dump(mode="json", include=KEPT)
    return canonical([kept, rules])


def _typed(node: t.Node) -> Any:
    # 1, 1/1 and true are equal in Python
    return node, tuple(type(n.value) for n in t.walk(node) if isinstance(n, t.Literal))


class _Pair:
    """Both versions over the same facts."""

    def alike(self) -> bool:
        """Whether the versions say the same in the same words, with the same values: then there is nothing to prove."""
        return len(self.same) == len(self.new.ruleset.rules) and meaning(self.old.ruleset) == meaning(self.new.ruleset)

    def __init__(
        self, old: RuleSet, new: RuleSet, old_book: ParameterBook, new_book: ParameterBook, on: dt.date, places: Sequence[str], budget: Budget
    ) -> None:
        self.budget = budget
        self.world = World([old.schema, new.schema], on)
        self.old, self.new = Reading(self.world, old, old_book, on, places), Reading(self.world, new, new_book, on, places)
        self.same = same = _unchanged(self.old, self.new)
        if self.alike():
            return
        self.old.prepare(expressions(old))
        self.new.prepare(n for n in expressions(new) if id(n) not in {id(rule.condition) for _, rule in same})
        self.world.close()
        self.sides = side(self.old), side(self.new)

    def compared(self) -> Comparison:
        goal = self._change()
        if goal is not None:
            found = self._locally(goal)
            if found is not None:
                return found
        return self._wholly()

    def _adopt(self) -> None:
        same = self.same
        self.new.adopt(self.old, ((a.condition, b.condition) for a, b in same), (a.spec.id for a, _ in same))

    def _change(self) -> Flag | None:
        """Of two tables: where a row that changed may hit, in either. Only there can they differ, as long as the rows that
        did not change stand in the same order; None where that says nothing."""
        one, two = self.old.ruleset, self.new.ruleset
        if one.table is None or two.table is None:
            return None
        if (one.table.policy, identity(one.table.default)) != (two.table.policy, identity(two.table.default)):
            return None
        kept = {a.spec.id for a, _ in self.same}
        orders = [[r.id for r in rules.table.rows] for rules in (one, two) if rules.table is not None]
        if [id for id in orders[0] if id in kept] != [id for id in orders[1] if id in kept]:
            return None
        ours, theirs = (
            {r.spec.id: (r, reading.truth(r.condition)) for r in reading.ruleset.rules if r.spec.id not in kept} for reading in (self.old, self.new)
        )
        out: list[Flag] = []
        for id in {**ours, **theirs}:
            a, b = ours.get(id), theirs.get(id)
            if a is not None and b is not None and orders[0] == orders[1] and identity(a[0].spec.out) == identity(b[0].spec.out):
                out += [no(logic.same(a[1].yes, b[1].yes)), no(logic.same(a[1].no, b[1].no))]
            else:
                out += [x[1].maybe for x in (a, b) if x is not None]
        return either(*out)

    def _locally(self, goal: Flag) -> Comparison | None:
        """The answer by the changed rows alone, tried out on the whole tables; None when that does not decide it."""
        for reading in (self.old, self.new):
            for path in reading.ruleset.facts:
                kind = reading.ruleset.scope.facts.get(path)
                if kind is not None and kind.kind in SCALARS:
                    reading.declare(path, kind)
        self.search = Search(self.world, (self.old, self.new), self.budget.part(0.6))
        for wanted in (both(goal, self._told()), goal):
            found = self.search.find(wanted, self._decides_apart)
            if found.states is not None:
                return self._different(found.states)
        return self._say("equal") if found.status == "never" else None

    def _told(self) -> Flag:
        """That everything is known: examples are plainer so."""
        return both(*(either(slot.there, slot.absent) for slot in self.world.slots.values() if not slot.record))

    def _wholly(self) -> Comparison:
        self.before = results(self.old)
        self._adopt()
        self.after = results(self.new)
        self.outcomes, self.values, exact = differ(self.before, self.after)
        if not self._formulas_differ():
            return self._say("equal")
        self.search = Search(self.world, (self.old, self.new), self.budget)
        readings = (self.old, self.new)
        apart = either(self.outcomes, self.values)
        if self.search.possible(apart) == "unsat" and exact:
            return self._say("equal")
        settle_usual(self.search, readings)
        if self.old.ruleset.table is None and self.new.ruleset.table is None:
            return self._ordered()
        found = self.search.find(apart, self._decides_apart)
        if found.states is None:
            return self._say("equal" if found.status == "never" and exact else "not_proved")
        return self._different(found.states)

    def _different(self, states: States) -> Comparison:
        witness = self._witness(states)
        return self._say("different", witness, differs="outcome" if witness.old.outcome != witness.new.outcome else "value")

    def _ordered(self) -> Comparison:
        """Rule lists: outcomes have an order, so that a change may be only stricter, or only looser."""
        looser = self.search.find(self._moves(stricter=False), lambda s: self._moved(s) > 0)
        stricter = self.search.find(self._moves(stricter=True), lambda s: self._moved(s) < 0)
        ways = [None if f.states is None else self._witness(f.states) for f in (looser, stricter)]
        first = min((w for w in ways if w is not None), key=lambda w: len(w.changed), default=None)
        return replace(self._say(_kind(looser, stricter), first), looser=ways[0], stricter=ways[1])

    def _moves(self, *, stricter: bool) -> Flag:
        """That the new version decides harder (or milder) than the old."""
        a, b = (self.after, self.before) if stricter else (self.before, self.after)
        return either(*(both(a.outcomes[o], no(b.outcomes[o]), b.at_most(o)) for o in OUTCOMES))

    def _moved(self, states: States) -> int:
        """Below zero where the new version decides harder."""
        old, new = (s.verdict(self.world, states) for s in self.sides)
        return 0 if old is None or new is None else RANK[new[0]] - RANK[old[0]]

    def _decides_apart(self, states: States) -> bool:
        old, new = (s.verdict(self.world, states) for s in self.sides)
        return old is not None and new is not None and old != new

    def _formulas_differ(self) -> bool:
        """Whether the formulas differ at all: rules that did not change are the same formula in both."""
        if either(self.outcomes, self.values) is False:
            return False
        if self.old.ruleset.table is not None or self.new.ruleset.table is not None:
            return True
        ours, theirs = ([_shape(levels(r, rule)) for rule in r.ruleset.rules] for r in (self.old, self.new))
        return sorted(ours) != sorted(theirs)

    def _witness(self, states: States) -> Witness:
        old, new = (s.decision(self.world, states) for s in self.sides)
        assert old is not None and new is not None  # it was accepted
        return Witness(self.world.wire(states), matter(self.search, states, self._read()), old, new)

    def _moved_rules(self, reading: Reading) -> list[Rule]:
        kept = {id(rule) for pair in self.same for rule in pair}
        return [rule for rule in reading.ruleset.rules if id(rule) not in kept]

    def _read(self) -> frozenset[str]:
        """Facts that the changed rules name."""
        return frozenset(p for r in (self.old, self.new) for rule in self._moved_rules(r) for p in rule.read)

    def _say(self, kind: str, witness: Witness | None = None, differs: str = "outcome") -> Comparison:
        both_ = (self.old, self.new)
        # rules that did not change are the same in both, whatever they come to
        nodes = [[n for rule in self._moved_rules(r) for n in (rule.condition, rule.outcome) if n is not None] for r in both_]
        return Comparison(kind, witness, ms=self.budget.ms(), left_out=left_out(both_, nodes), differs=differs)


def _unchanged(old: Reading, new: Reading) -> list[tuple[Rule, Rule]]:
    """Rules with the same words, whose parameters have the same values: one formula serves both versions."""
    if {p: _typed(n) for p, n in old.ruleset.derived.items()} != {p: _typed(n) for p, n in new.ruleset.derived.items()}:
        return []
    a, b = old.ruleset.spec, new.ruleset.spec
    if (a.inputs, a.readings, a.default_basis, a.prefix) != (b.inputs, b.readings, b.default_basis, b.prefix):
        return []
    shared = [*old.ruleset.derived.values(), *(n for _, n in old.ruleset.readings)]
    moved = {n for n in _params(shared) if not _one_value(old, new, n)}
    by_id = {r.spec.id: r for r in old.ruleset.rules}
    out = []
    for rule in new.ruleset.rules:
        before = by_id.get(rule.spec.id)
        if before is None or moved or _says(before.spec) != _says(rule.spec):
            continue
        names = {*_params([before.condition, *([before.outcome] if before.outcome is not None else [])]), f"basis.{rule.spec.id}"}
        if all(_one_value(old, new, n) for n in names):
            out.append((before, rule))
    return out


def _params(nodes: Iterable[t.Node]) -> set[str]:
    return {n.name for node in nodes for n in t.walk(node) if isinstance(n, t.Param)}


def _one_value(old: Reading, new: Reading, name: str) -> bool:
    return bool(_value(old.book, name, old) == _value(new.book, name, new))


def _value(book: ParameterBook, name: str, at: Reading) -> Any:
    value = book.use(name, at.on, at.places).value if name in book.specs or name in book.overrides else None
    return type(value), value


def _says(spec: RuleSpec) -> Any:
    return spec.when, spec.cells, spec.outcome, spec.basis, canonical(spec.out)


def _kind(looser: Found, stricter: Found) -> str:
    match looser.status, stricter.status:
        case "never", "never":
            return "equal"
        case "never", "found":
            return "stricter"
        case "found", "never":
            return "looser"
        case "found", "found":
            return "different"
    return "not_proved"


def _shape(flags: dict[str, Flag]) -> str:
    return " ".join(f"{o}:{f if isinstance(f, bool) else f.get_id()}" for o, f in sorted(flags.items()))


def expressions(ruleset: RuleSet) -> list[t.Node]:
    """All that a decision hangs on."""
    return [*(r.condition for r in ruleset.rules), *(r.outcome for r in ruleset.rules if r.outcome is not None), *(n for _, n in ruleset.readings)]


def matter(search: Search, states: States, read: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """The facts a person should look at: those that are not as usual. A record that comes into being is shown by its
    fields: the unusual ones, else those that `read` names, else all that say something. So is the usual case itself."""
    unusual = [p for p in states if not search.as_usual(p, states[p])]
    out: list[str] = []
    for path in unusual:
        below = [p for p in states if p.startswith(f"{path}.") and states[p] is not None]
        if path not in search.world.records or not below:
            out.append(path)
        elif not any(p in unusual for p in below):
            out += [p for p in below if p in read] or below
    stated = [p for p in states if states[p] is not None]
    return tuple(out or [p for p in stated if p in read] or stated)


