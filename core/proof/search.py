"""The search for a case: a solver finds one, the compiled reading confirms it, and then it is made as plain as it can be.

`find` says *never* only when the solver proved it; out of time, or a case that cannot be confirmed, is *open*."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import z3

from siquan.core.proof.encode import Reading
from siquan.core.proof.logic import Flag, both, either, no
from siquan.core.proof.replay import Side, Unreads, is_value, side
from siquan.core.proof.rows import Counts
from siquan.core.proof.world import State, States, World
from siquan.core.rules import tree as t
from siquan.core.rules.values import ABSENT

#: seconds a proof may take when nobody says otherwise
TIMEOUT = 2.0
#: cases that are tried out before a search gives up
ROUNDS = 12
#: an example with at most so many unusual facts is the smallest there is
FEW = 4
Accept = Callable[[States], bool]


class Budget:
    """The time a proof may take. `clock` gives seconds; it never stands in a result but as how long a proof took."""

    def __init__(self, timeout: float = TIMEOUT, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock, self.started = clock, clock()
        self.until = self.started + timeout

    def left(self) -> float:
        """Seconds; never negative."""
        return max(0.0, self.until - self.clock())

    def ms(self) -> float:
        return (self.clock() - self.started) * 1000

    def part(self, share: float) -> Budget:
        """A share of what is left."""
        out = Budget(0, self.clock)
        out.until = out.started + self.left() * share
        return out


@dataclass(frozen=True)
class Found:
    """`status`: found, never (proved), or open (neither)."""

    status: str
    states: States | None = None


class Search:
    """One solver over the facts of a world. Everything said of the world stands in it before a search is made."""

    def __init__(self, world: World, readings: Sequence[Reading], budget: Budget, sides: Sequence[Side] = (), usual: States | None = None) -> None:
        """`usual` is the case from which as few facts as may be should differ; without it one of harmless facts."""
        self.world, self.budget = world, budget
        self.unreads = Unreads(world, readings, sides)
        self.solver = z3.SolverFor("ALL", ctx=world.ctx)
        self.solver.set("random_seed", 1)
        self.add(*world.axioms)
        #: what a case is compared with: the closest to it is the plainest
        self._lenient = usual is None
        self.usual: States = usual or {p: self.harmless(p) for p in world.paths()}
        self._near: dict[str, Any] = {}

    def add(self, *flags: Flag) -> None:
        for flag in flags:
            if flag is False:
                self.solver.add(z3.BoolVal(False, self.world.ctx))
            elif flag is not True:
                self.solver.add(flag)

    def check(self, *assumed: Any) -> str:
        left = self.budget.left()
        if left <= 0:
            return "unknown"
        self.solver.set("timeout", max(1, int(left * 1000)))
        return str(self.solver.check(*assumed))

    # the plainest case

    def harmless(self, path: str) -> State:
        """What a fact says when nothing is the matter; a derived fact is left to be worked out."""
        for reading in self.unreads.readings:
            if path in reading.ruleset.derived and not self._beside(reading, path):
                return None
        slot = self.world.slots.get(path)
        return None if slot is not None and slot.record else self.world.simple(path)

    def _beside(self, reading: Reading, path: str) -> bool:
        """Whether a derived fact is worked out from what this process does not state."""
        return any(isinstance(n, t.Fact) and n.path not in self.world.specs for n in t.walk(reading.ruleset.derived[path]))

    def settle(self, goal: Flag, accept: Accept) -> None:
        """Makes the closest accepted case to harmless facts that meets the goal the usual one, if there is one."""
        self.solver.push()
        self.add(goal)
        if self.check() == "sat":
            model = self.nearest()
            states = self.world.states(model) if model is not None else None
            if states is not None and accept(states):
                self.usual = states
        self.solver.pop()
        self._near.clear()

    def near(self, path: str) -> Any:
        """An assumption: this fact is as usual. A field of a record that comes into being may say the harmless thing."""
        found = self._near.get(path)
        if found is None:
            usual = self.usual[path]
            flag = self.world.is_(path, usual)
            if usual is None and self._comes_along(path):
                flag = either(flag, self.world.is_(path, self.world.simple(path)))
            found = self._near[path] = self._assumption(f"~{len(self._near)}", flag)
        return found

    def _assumption(self, name: str, flag: Flag) -> Any:
        literal = z3.FreshBool(name, self.world.ctx)
        if flag is False:
            self.add(z3.Not(literal))
        elif flag is not True:
            self.add(z3.Implies(literal, flag))
        return literal

    def nearest(self) -> Any:
        """A model in which as few facts as may be are unusual: one, two, up to FEW; where it takes more, those in conflict
        are let go until it can be."""
        hints = [self._assumption("?", is_value(u.found, v, self.world)) for u, v in self.unreads.evaluated(self.usual)]
        literals = [self.near(p) for p in self.world.paths()]
        for most in range(FEW + 1):
            self.solver.push()
            self.add(_at_most([no(x) for x in literals], most))
            answer = self.check(*hints)
            model = self.solver.model() if answer == "sat" else None
            self.solver.pop()
            if model is not None or answer == "unknown":
                return model
        assumed = {lit.get_id(): lit for lit in [*literals, *hints]}
        while True:
            answer = self.check(*assumed.values())
            if answer == "sat":
                return self.solver.model()
            core = [c.get_id() for c in self.solver.unsat_core()] if answer == "unsat" else []
            if not core:
                return None
            for id in core:
                assumed.pop(id, None)

    def as_usual(self, path: str, state: State) -> bool:
        usual = self.usual[path]
        if _alike(state, usual):
            return True
        return usual is None and self._comes_along(path) and _alike(state, self.world.simple(path))

    def _comes_along(self, path: str) -> bool:
        """A field of a record that need not exist."""
        slot = self.world.slots.get(path)
        return self._lenient and slot is not None and bool(slot.record)

    # the search itself

    def find(self, goal: Flag, accept: Accept) -> Found:
        """A case that meets the goal and is accepted, as close to the usual one as can be."""
        self.solver.push()
        try:
            self.add(goal)
            sure = True
            for _ in range(ROUNDS):
                answer = self.check()
                if answer != "sat":
                    return Found("never" if answer == "unsat" and sure else "open")
                model = self.nearest() or self._model()
                if model is None:
                    return Found("open")
                states = self.world.states(model)
                if accept(states):
                    return Found("found", self.plain(states, accept))
                lessons, exact = self.unreads.lessons(states, model)
                if not lessons:
                    # the readings differ from the formula here, or refuse these facts: no claim can be made
                    sure = False
                    lessons = [no(both(*(self.world.is_(p, s) for p, s in states.items())))]
                sure = sure and exact
                self.add(*lessons)
            return Found("open")
        finally:
            self.solver.pop()
            self._near.clear()

    def possible(self, goal: Flag) -> str:
        """Whether the goal can be met at all: sat, unsat or unknown."""
        self.solver.push()
        self.add(goal)
        answer = self.check()
        self.solver.pop()
        return answer

    def a_case(self, goal: Flag) -> States | None:
        """Some case that meets the goal by the formula, close to the usual one; nobody has confirmed it."""
        self.solver.push()
        self.add(goal)
        model = self.nearest()
        self.solver.pop()
        self._near.clear()
        return None if model is None else self.world.states(model)

    def _model(self) -> Any:
        return self.solver.model() if self.check() == "sat" else None

    def plain(self, states: States, accept: Accept) -> States:
        """The case with every unusual fact put back that need not be unusual, and every number moved close."""
        best = dict(states)
        budget = self.budget.part(0.5)
        unusual = [p for p in best if not _alike(best[p], self.usual[p])]
        size = len(unusual)
        while size:
            for start in range(0, len(unusual), size):
                part = [p for p in unusual[start : start + size] if not _alike(best[p], self.usual[p])]
                tried = {**best, **{p: self.usual[p] for p in part}}
                if part and budget.left() > 0 and accept(tried):
                    best = tried
            size //= 2
        for path in [p for p in best if not _alike(best[p], self.usual[p])]:
            moved = True
            while moved:
                moved = False
                for state in self._closer(path, best[path]):
                    tried = {**best, path: state}
                    if budget.left() > 0 and accept(tried):
                        best, moved = tried, isinstance(state, Counts)
                        break
        return best

    def _closer(self, path: str, state: State) -> list[State]:
        """States of the fact nearer to the usual one, or plainer, nearest first."""
        slot = self.world.slots.get(path)
        if isinstance(state, Counts):
            return _plainer(state, self.usual[path], self.world.lists[path].vague())
        if slot is None or state is None or state is ABSENT or isinstance(state, bool | str):
            return [] if slot is None or isinstance(state, bool) or slot.kind != "text" else self._words(slot.type.values, state)
        usual = self.usual[path]
        centre = usual if isinstance(usual, int | Fraction | dt.date) and not isinstance(usual, bool) else self.world.on if slot.kind == "date" else 0
        whole = slot.spec is not None and slot.spec.type == "integer"
        return _points(slot.kind, slot.edges, state, centre, whole)

    def _words(self, codes: tuple[str, ...], state: State) -> list[State]:
        return list(codes[: codes.index(state)]) if state in codes else ["其他"]


def _at_most(flags: list[Any], most: int) -> Flag:
    if not flags:
        return True
    ctx = flags[0].ctx
    return z3.BoolRef(z3.Z3_mk_atmost(ctx.ref(), len(flags), (z3.Ast * len(flags))(*(f.ast for f in flags)), most), ctx)


def _points(kind: str, edges: set[Any], state: State, centre: State, whole: bool) -> list[State]:
    if kind == "date":
        base, now = centre.toordinal(), state.toordinal()
        days = {base, *(e + n for e in edges for n in (-1, 0, 1))}
        close = [d for d in days if abs(d - base) < abs(now - base) and dt.date.min.toordinal() <= d <= dt.date.max.toordinal()]
        return [dt.date.fromordinal(d) for d in sorted(close, key=lambda d: (abs(d - base), d))]
    numbers = {centre, *(e // 1 + n for e in edges for n in (-1, 0, 1))}
    if not whole and not isinstance(state, int):
        # only where no whole number does
        numbers |= {e + Fraction(n, 2) for e in edges for n in (-1, 0, 1)}
    near = [int(n) if Fraction(n).denominator == 1 else n for n in numbers]
    slack = 0 if isinstance(state, int) else 1  # a whole number may lie a little further off
    close = [n for n in near if abs(n - centre) < abs(state - centre) + (slack if isinstance(n, int) else 0)]
    return sorted(close, key=lambda n: (not isinstance(n, int), abs(n - centre), n))


def _plainer(state: Counts, usual: State, vague: list[bool]) -> list[State]:
    """A complete list rather than an open one, fewer rows of a kind, rows with everything known rather than `vague` ones."""
    out: list[State] = [] if state.complete else [Counts(state.of, True)]
    floor = usual.of if isinstance(usual, Counts) and len(usual.of) == len(state.of) else (0,) * len(state.of)
    for n, (count, low) in enumerate(zip(state.of, floor, strict=True)):
        if count > low:
            out += [_moved(state, n, low - count), _moved(state, n, -1)]
            out += [_moved(_moved(state, n, low - count), m, count - low) for m, other in enumerate(vague) if vague[n] and not other]
    return out


def _moved(state: Counts, kind: int, by: int) -> Counts:
    return Counts((*state.of[:kind], state.of[kind] + by, *state.of[kind + 1 :]), state.complete)


def _alike(a: State, b: State) -> bool:
    return a is b or type(a) is type(b) and bool(a == b)


def clear(readings: Sequence[Reading]) -> Flag:
    """That no rule of these hits or may hit."""
    return both(*(r.truth(rule.condition).no for r in readings for rule in r.ruleset.rules))


def settle_usual(search: Search, readings: Sequence[Reading]) -> None:
    """The usual case is one in which nothing is the matter: no rule hits. A table always has a row; its usual case is
    what its facts say at their plainest."""
    lists = [r for r in readings if r.ruleset.table is None]
    if not lists:
        return

    def passes(states: States) -> bool:
        return all((side(r).verdict(search.world, states) or ("",))[0] == "PASS" for r in lists)

    for wanted in ([*lists], lists[:1]) if len(lists) > 1 else (lists,):
        before = search.usual
        search.settle(clear(wanted), passes if wanted == lists else lambda states: True)
        if search.usual is not before:
            return
