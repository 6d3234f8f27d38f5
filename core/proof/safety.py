"""Unknown facts are safe: nothing passes today that a fact still missing could turn into a refusal.

Kleene's logic gives that by itself, and the proof holds it to that: one copy of the facts is what is known, a second what
it may become."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from siquan.core.proof.arithmetic import agree
from siquan.core.proof.compare import expressions
from siquan.core.proof.encode import Reading
from siquan.core.proof.logic import Beyond, Flag, Truth, Value, both, either, implies
from siquan.core.proof.outcome import results
from siquan.core.proof.replay import Side
from siquan.core.proof.search import TIMEOUT, Budget, Search
from siquan.core.proof.words import left_out
from siquan.core.proof.world import World
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.decision import Decision
from siquan.core.rules.parameters import ParameterBook

MILD, HARD = ("PASS", "WARN"), ("REJECT", "BLOCK")


@dataclass(frozen=True)
class Safety:
    """`status`: proved, refuted or not_proved. Refuted comes with `facts` that pass, `completed` ones that know more and
    are refused, and both decisions. `left_out` names what was taken to be safe by itself."""

    status: str
    facts: dict[str, Any] = field(default_factory=dict)
    completed: dict[str, Any] = field(default_factory=dict)
    before: Decision | None = None
    after: Decision | None = None
    left_out: tuple[str, ...] = ()


def unknown_safe(
    ruleset: RuleSet, book: ParameterBook, on: dt.date, places: Sequence[str] = (), *, timeout: float = TIMEOUT,
    clock: Callable[[], float] | None = None,
) -> Safety:  # fmt: skip
    """Whether no case comes to PASS or WARN that more knowledge could bring to REJECT or BLOCK."""
    budget = Budget(timeout, clock) if clock is not None else Budget(timeout)
    world = World([ruleset.schema], on)
    more = World([ruleset.schema], on, like=world)
    less_known, known = (Reading(w, ruleset, book, on, places) for w in (world, more))
    try:
        for reading in (less_known, known):
            reading.prepare(expressions(ruleset))
            reading.world.close()
        before, after = results(less_known), results(known)
    except Beyond as fault:
        return Safety("not_proved", left_out=(str(fault),))
    links = [more.refines(world), *_derived(less_known, known), *_unread(less_known, known)]
    goal = both(either(*(before.outcomes.get(o, False) for o in MILD)), either(*(after.outcomes.get(o, False) for o in HARD)))
    search = Search(world, (less_known,), budget)
    search.add(*more.axioms, *links, goal)
    answer = search.check()
    skipped = left_out((less_known,))
    if answer == "unsat":
        return Safety("proved", left_out=skipped)
    if answer == "sat":
        model = search.solver.model()
        side = Side(ruleset, book, on, tuple(places))
        part, whole = world.states(model), more.states(model)
        one, two = side.decision(world, part), side.decision(more, whole)
        if one is not None and two is not None and one.outcome in MILD and two.outcome in HARD:
            return Safety("refuted", world.wire(part), more.wire(whole), one, two, skipped)
    return Safety("not_proved", left_out=skipped)


def _derived(less: Reading, more: Reading) -> list[Flag]:
    """A derived fact that has a value keeps it: nobody states another once it is worked out."""
    pairs = ((less.found(path), more.found(path)) for path in less.ruleset.derived)
    return [agree(a, b) for a, b in pairs if a is not None and b is not None and a.kind == b.kind]


def _unread(less: Reading, more: Reading) -> list[Flag]:
    """What has no formula is taken to keep its truth as knowledge grows, as everything that has one does."""
    out: list[Flag] = []
    for key, unread in less.unread.items():
        other = more.unread.get(key)
        a, b = unread.found, None if other is None else other.found
        if isinstance(a, Truth) and isinstance(b, Truth):
            out += [implies(a.yes, b.yes), implies(a.no, b.no)]
        elif isinstance(a, Value) and isinstance(b, Value):
            out.append(agree(a, b))
    return out
