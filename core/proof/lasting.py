"""What is wrong with rules whatever their parameters come to be: a rule that a value of today switches off is no fault."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from siquan.core.proof.compare import expressions
from siquan.core.proof.encode import Reading
from siquan.core.proof.logic import Beyond
from siquan.core.proof.outcome import levels
from siquan.core.proof.search import TIMEOUT, Budget, Search
from siquan.core.proof.world import World
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.table import identity


@dataclass(frozen=True)
class Lasting:
    """`never`: rules that cannot hit; `twice`: (a rule, the one before it that says the same); `open`: rules that were
    not settled in time."""

    never: tuple[str, ...] = ()
    twice: tuple[tuple[str, str], ...] = ()
    open: tuple[str, ...] = ()


def lasting(ruleset: RuleSet, book: ParameterBook, on: dt.date, *, timeout: float = TIMEOUT, clock: Callable[[], float] | None = None) -> Lasting:
    """Judged over all facts and all parameter values; `on` is today."""
    budget = Budget(timeout, clock) if clock is not None else Budget(timeout)
    world = World([ruleset.schema], on)
    reading = Reading(world, ruleset, book, on)
    reading.any_parameters = True
    reading.prepare(expressions(ruleset))
    world.close()
    try:
        said = {r.spec.id: _said(reading, r.spec.id) for r in ruleset.rules}
    except Beyond:
        return Lasting(open=tuple(r.spec.id for r in ruleset.rules))
    search = Search(world, (reading,), budget)
    never, open_, twice = [], [], []
    first: dict[object, str] = {}
    for rule in ruleset.rules:
        id = rule.spec.id
        answer = search.possible(reading.truth(rule.condition).yes)
        if answer == "unsat":
            never.append(id)
        elif answer != "sat":
            open_.append(id)
        elif first.setdefault(said[id], id) != id:
            twice.append((id, first[said[id]]))
    return Lasting(tuple(never), tuple(twice), tuple(open_))


def _said(reading: Reading, id: str) -> object:
    """What a rule comes to, as the solver knows it: two rules with the same are the same formula."""
    rule = next(r for r in reading.ruleset.rules if r.spec.id == id)
    truth = reading.truth(rule.condition)
    flags = [truth.yes, truth.no]
    if reading.ruleset.table is None:
        found = levels(reading, rule)
        if not found:
            return id  # it only says something, and each says its own
        flags += [found.get(o, False) for o in sorted(found)]
        return tuple(f if isinstance(f, bool) else f.get_id() for f in flags), tuple(sorted(found))
    return tuple(f if isinstance(f, bool) else f.get_id() for f in flags), identity(rule.spec.out)
