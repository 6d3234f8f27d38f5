"""What is wrong with a decision table or a rule list by itself: gaps, overlaps, rows that do nothing.

A table whose rows are boxes (`boxes`) is judged by sets alone; any other, and rule lists, by the solver. Every example is
decided before it is shown. What could not be settled in time is an issue of its own, `not_proved`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from siquan.core.errors import SiquanError
from siquan.core.proof.boxes import Box, Boxes, bits, overlaps
from siquan.core.proof.compare import expressions
from siquan.core.proof.encode import Reading
from siquan.core.proof.logic import Beyond, Flag, both, either, every, no, some
from siquan.core.proof.outcome import Flags, levels
from siquan.core.proof.replay import Side
from siquan.core.proof.search import TIMEOUT, Budget, Search, settle_usual
from siquan.core.proof.world import States, World
from siquan.core.rules import tree as t
from siquan.core.rules.decide import RuleSet, decide
from siquan.core.rules.decision import OUTCOMES, RANK, Decision
from siquan.core.rules.facts import FactSet, Reader, to_wire
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.model import RuleSpec
from siquan.core.spec.table import identity, number

#: hit policies under which some row has to hit
TOTAL = ("U", "A", "P", "F")
#: so many issues of a kind are told; a table with more is broken anyway
MOST = 20


@dataclass(frozen=True)
class TableIssue:
    """`kind`: gap, overlap, conflict, dead, masked, subsumed, duplicate or not_proved. `rules` are the ids, the useless
    one first; `example` is a case in wire form with what is decided on it, where there is one."""

    kind: str
    rules: tuple[str, ...]
    example: dict[str, Any]
    decision: Decision | None = None


def table_issues(
    ruleset: RuleSet, book: ParameterBook, on: dt.date, places: Sequence[str] = (), *, timeout: float = TIMEOUT,
    clock: Callable[[], float] | None = None,
) -> tuple[TableIssue, ...]:  # fmt: skip
    """Gaps of U A P F tables without a default, overlaps of U, conflicts of A, rows that can never hit (dead), that
    another always precedes (masked), that another makes superfluous (subsumed) or that stand twice (duplicate)."""
    budget = Budget(timeout, clock) if clock is not None else Budget(timeout)
    if ruleset.table is None:
        return tuple(_ListIssues(ruleset, book, on, places, budget).all())
    try:
        reading = Reading(World([], on), ruleset, book, on, places)
        boxes = Boxes(ruleset, reading.constant)
        return tuple(_BoxIssues(ruleset, boxes, Side(ruleset, book, on, tuple(places)), budget).all())
    except Beyond:
        return tuple(_SolvedIssues(ruleset, book, on, places, budget).all())


class _Rows:
    """What the rows of a table owe each other under its hit policy, whoever finds out which of them meet."""

    def __init__(self, ruleset: RuleSet) -> None:
        assert ruleset.table is not None
        self.ruleset, self.table, self.policy = ruleset, ruleset.table, ruleset.table.policy
        known = {r.spec.id for r in ruleset.rules}
        self.rows: list[RuleSpec] = [r for r in self.table.rows if r.id in known]
        self.keys = [identity(r.out) for r in self.rows]

    def pair(self, n: int, m: int, contains: tuple[bool, bool]) -> tuple[str, int, int] | None:
        """The issue of two rows that meet: (kind, the row at fault, the other). `contains`: whether the first lies in the
        second, the second in the first."""
        alike = self.keys[n] == self.keys[m]
        if all(contains) and alike:
            return "duplicate", m, n
        match self.policy:
            case "U":
                return "overlap", n, m
            case "A" if not alike:
                return "conflict", n, m
            case "A":
                return ("subsumed", n, m) if contains[0] else ("subsumed", m, n) if contains[1] else None
            case "C<" | "C>":
                first, second = (_value(self.rows[k].out) for k in (n, m))
                wins = first >= second if self.policy == "C>" else first <= second
                if contains[1] and wins:
                    return "subsumed", m, n
                loses = second >= first if self.policy == "C>" else second <= first
                return ("subsumed", n, m) if contains[0] and loses else None
        return None


def _value(out: Any) -> Any:
    found = number(out)
    return out if found is None else found


class _BoxIssues(_Rows):
    def __init__(self, ruleset: RuleSet, boxes: Boxes, side: Side, budget: Budget) -> None:
        super().__init__(ruleset)
        self.boxes, self.side, self.budget = boxes, side, budget

    def all(self) -> Iterator[TableIssue]:
        size = len(self.rows)
        meeting = self.boxes.meeting()
        if self.policy in TOTAL and self.table.default is None:
            yield from self._gap(meeting)
        dead = {n for n in range(size) if self.boxes.empty(n)}
        yield from (self._issue("dead", (n,), None) for n in sorted(dead))
        told: dict[str, int] = {}
        idle: set[int] = set()
        for n, m in overlaps(meeting, size):
            found = self.pair(n, m, (self.boxes.inside(n, m), self.boxes.inside(m, n)))
            if found is None or found[1] in idle:
                continue
            kind, fault, other = found
            idle |= {fault} if kind in ("subsumed", "duplicate") else set()
            told[kind] = told.get(kind, 0) + 1
            if told[kind] <= MOST:
                rules = (n, m) if kind in ("overlap", "conflict") else (fault, other)
                yield self._issue(kind, rules, self.boxes.common((n, m)))
        if self.policy in ("F", "P"):
            yield from self._masked(meeting, dead | idle)

    def _gap(self, meeting: Sequence[int]) -> Iterator[TableIssue]:
        try:
            gap = self.boxes.gap(meeting)
        except Beyond:
            side = self.side
            yield from _SolvedIssues(self.ruleset, side.book, side.on, side.places, self.budget).gap()
            return
        yield from [] if gap is None else [self._issue("gap", (), gap)]

    def _masked(self, meeting: list[int], known: set[int]) -> Iterator[TableIssue]:
        """Rows that others always precede, together or alone, and rows that the ones after them make superfluous."""
        for n in range(len(self.rows)):
            before = [m for m in bits(meeting[n] & ((1 << n) - 1))]
            if n in known or not before:
                continue
            try:
                left = self.boxes.uncovered(self.boxes.full(n), before)
            except Beyond:
                yield TableIssue("not_proved", (self.rows[n].id,), {})
                continue
            if left is None:
                one = [m for m in before if self.boxes.inside(n, m, known=True)]
                yield self._issue("masked", (n, *(one[:1] or before)), self.boxes.common([n]))

    def _issue(self, kind: str, rows: Sequence[int], box: Box | None) -> TableIssue:
        ids = tuple(self.rows[n].id for n in rows)
        if box is None:
            return TableIssue(kind, ids, {})
        wire = {p: to_wire(v) for p, v in self.boxes.example(box).items()}
        decision = decided(self.side, wire)
        hits = set() if decision is None else {f.rule for f in decision.hits()}
        if decision is None or (hits if kind == "gap" else not set(ids[:2]) <= hits):
            raise Beyond("例子没有得到证实")  # the solver is asked instead
        return TableIssue(kind, ids, wire, decision)


def decided(side: Side, wire: Mapping[str, Any]) -> Decision | None:
    """The decision on wire facts; None when they would be refused."""
    schema = side.ruleset.schema
    try:
        facts = FactSet(schema, Reader(schema, side.on).read(wire), side.on)
    except SiquanError:
        return None
    return decide(side.ruleset, facts, side.book, side.on, side.places, both=False)


class _Solver:
    """A rule set with a solver beside it."""

    def __init__(self, ruleset: RuleSet, book: ParameterBook, on: dt.date, places: Sequence[str], budget: Budget) -> None:
        self.world = World([ruleset.schema], on)
        self.reading = Reading(self.world, ruleset, book, on, places)
        self.side, self.budget = Side(ruleset, book, on, tuple(places)), budget
        self.reading.prepare(expressions(ruleset))
        self.world.close()
        self.truths = {r.spec.id: self.reading.truth(r.condition) for r in ruleset.rules}
        self.levels: dict[str, Flags] = {} if ruleset.table is not None else {r.spec.id: levels(self.reading, r) for r in ruleset.rules}
        self.search = Search(self.world, (self.reading,), budget)
        self.open: list[tuple[str, ...]] = []

    def example(self, kind: str, rules: tuple[str, ...], goal: Flag, hits: Sequence[str], misses: Sequence[str] = ()) -> TableIssue | None:
        """The issue with a case that meets the goal; None when there is none, or none for sure."""

        def shows(states: States) -> bool:
            truths = self.side.truths(self.world, states)
            return truths is not None and all(truths[h] is True for h in hits) and all(truths[m] is False for m in misses)

        found = self.search.find(goal, shows)
        if found.states is None:
            if found.status == "open":
                self.open.append(rules)
            return None
        return TableIssue(kind, rules, self.world.wire(found.states), self.side.decision(self.world, found.states))

    def never(self, goal: Flag, rules: tuple[str, ...]) -> bool:
        """Whether the solver proved that there is no such case."""
        answer = self.search.possible(goal)
        if answer == "unknown":
            self.open.append(rules)
        return answer == "unsat"

    def unsettled(self) -> Iterator[TableIssue]:
        if self.open:
            yield TableIssue("not_proved", tuple(dict.fromkeys(id for rules in self.open for id in rules))[:MOST], {})


class _SolvedIssues(_Rows):
    def __init__(self, ruleset: RuleSet, book: ParameterBook, on: dt.date, places: Sequence[str], budget: Budget) -> None:
        super().__init__(ruleset)
        self.solver = _Solver(ruleset, book, on, places, budget)

    def gap(self) -> Iterator[TableIssue]:
        ids = [r.id for r in self.rows]
        gap = self.solver.example("gap", (), every(self.solver.truths[id].no for id in ids), (), ids)
        yield from [gap] if gap is not None else self.solver.unsettled()

    def all(self) -> Iterator[TableIssue]:
        solver, ids = self.solver, [r.id for r in self.rows]
        truths = [solver.truths[id] for id in ids]
        if self.policy in TOTAL and self.table.default is None:
            gap = solver.example("gap", (), every(x.no for x in truths), (), ids)
            yield from [gap] if gap is not None else []
        alive = []
        for n, truth in enumerate(truths):
            if solver.never(truth.yes, (ids[n],)):
                yield TableIssue("dead", (ids[n],), {})
            else:
                alive.append(n)
        if self.policy in ("F", "P"):
            yield from self._masked(alive)
        else:
            yield from self._pairs(alive)
        yield from solver.unsettled()

    def _masked(self, alive: Sequence[int]) -> Iterator[TableIssue]:
        solver, ids = self.solver, [r.id for r in self.rows]
        truths = [solver.truths[id] for id in ids]
        for place, n in enumerate(alive):
            if not place or not solver.never(both(truths[n].yes, every(truths[m].no for m in alive[:place])), (ids[n],)):
                continue
            one = [m for m in alive[:place] if solver.never(both(truths[n].yes, truths[m].no), (ids[n],))][:1]
            twice = one and self.keys[one[0]] == self.keys[n] and self._inside(one[0], n) and self._inside(n, one[0])
            rules = (ids[n], *(ids[m] for m in one or alive[:place]))
            found = solver.example("duplicate" if twice else "masked", rules, truths[n].yes, (ids[n],))
            yield from [found] if found is not None else []

    def _inside(self, inner: int, outer: int) -> bool:
        a, b = (self.solver.truths[self.rows[n].id] for n in (inner, outer))
        return self.solver.never(either(both(a.yes, no(b.yes)), both(a.maybe, b.no)), (self.rows[inner].id, self.rows[outer].id))

    def _pairs(self, alive: Sequence[int]) -> Iterator[TableIssue]:
        solver, ids = self.solver, [r.id for r in self.rows]
        idle: set[int] = set()
        for n, m in combinations(alive, 2):
            pair = (ids[n], ids[m])
            if self.policy not in ("U", "A", "C<", "C>") and self.keys[n] != self.keys[m]:
                continue
            if solver.budget.left() <= 0:
                solver.open.append(pair)
                return
            a, b = solver.truths[ids[n]], solver.truths[ids[m]]
            if solver.never(both(a.yes, b.yes), pair):
                continue
            found = self.pair(n, m, (self._inside(n, m), self._inside(m, n)))
            if found is None or found[1] in idle:
                continue
            kind, fault, other = found
            idle |= {fault} if kind in ("subsumed", "duplicate") else set()
            issue = solver.example(kind, (ids[fault], ids[other]), both(a.yes, b.yes), pair)
            yield from [issue] if issue is not None else []


class _ListIssues:
    """Rule lists: rules that can never hit, and rules that never change the outcome because another always weighs more."""

    def __init__(self, ruleset: RuleSet, book: ParameterBook, on: dt.date, places: Sequence[str], budget: Budget) -> None:
        self.solver = _Solver(ruleset, book, on, places, budget)
        self.rules = ruleset.rules
        derived = ruleset.derived
        self.reads = {r.spec.id: _leaves(r.condition, derived) for r in ruleset.rules}

    def all(self) -> Iterator[TableIssue]:
        solver = self.solver
        settle_usual(solver.search, (solver.reading,))
        cases: dict[str, tuple[States, dict[str, bool | None]]] = {}
        for rule in self.rules:
            id = rule.spec.id
            if solver.never(solver.truths[id].yes, (id,)):
                yield TableIssue("dead", (id,), {})
                continue
            states = solver.search.a_case(solver.truths[id].yes)
            truths = solver.side.truths(solver.world, states) if states is not None else None
            if states is not None and truths is not None and truths[id] is True:
                cases[id] = (states, truths)
        yield from self._superfluous(cases)
        yield from solver.unsettled()

    def _superfluous(self, cases: Mapping[str, tuple[States, dict[str, bool | None]]]) -> Iterator[TableIssue]:
        gone: set[str] = set()
        places = {r.spec.id: n for n, r in enumerate(self.rules)}
        for id, (_, truths) in cases.items():
            mine = self.solver.levels[id]
            for other, holds in truths.items():
                if other == id or other in gone or holds is not True or not self.reads[id] & self.reads[other] or not mine:
                    continue
                theirs = self.solver.levels[other]
                one, two = self.solver.truths[id], self.solver.truths[other]
                if not theirs or not self.solver.never(either(both(one.yes, no(two.yes)), both(one.maybe, two.no)), (id, other)):
                    continue
                if not self.solver.never(_harder(mine, theirs), (id, other)):
                    continue
                back = self.solver.never(either(both(two.yes, no(one.yes)), both(two.maybe, one.no), _harder(theirs, mine)), (other, id))
                if back and places[id] < places[other]:
                    continue  # told of the later of the two
                issue = self.solver.example("duplicate" if back else "subsumed", (id, other), one.yes, (id, other))
                if issue is not None:
                    gone.add(id)
                    yield issue
                    break


def _harder(one: Flags, other: Flags) -> Flag:
    """That the first finding weighs more than the second."""
    return either(*(both(one.get(o, False), no(some(other.get(p, False) for p in OUTCOMES if RANK[p] <= RANK[o]))) for o in OUTCOMES))


def _leaves(node: t.Node, derived: Mapping[str, t.Node]) -> set[str]:
    """The facts behind an expression."""
    out: set[str] = set()
    todo = [node]
    while todo:
        for part in t.walk(todo.pop()):
            if isinstance(part, t.Fact) and part.path not in out:
                out.add(part.path)
                todo += [derived[part.path]] if part.path in derived else []
    return out
