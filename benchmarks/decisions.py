"""Decisions per second on the facts of a passing case of each rule set."""

from __future__ import annotations

import datetime as dt
import time

from benchmarks.acts import _catalogue as catalogue
from siquan.core.rules.decide import Situation, decide
from siquan.core.rules.facts import FactSet, Reader

DAY = dt.date(2026, 11, 20)
GIVEN = {"approval.level": {"amount": 6000}}


def _facts(ruleset: str) -> FactSet:
    rules = catalogue.ruleset(ruleset)
    given = GIVEN.get(ruleset)
    if given is None:
        spec = catalogue.definition(rules.spec.process).spec
        case = next(c for c in spec.cases if c.decide and ruleset.endswith(c.decide) and c.expect == "PASS")
        given = {**spec.bases.get(case.base, {}), **case.given}
    known = {k: v for k, v in given.items() if k.partition(".")[0] in {p.partition(".")[0] for p in rules.schema.specs}}
    return FactSet(rules.schema, Reader(rules.schema, DAY).read(known), DAY)


def decisions_per_second(ruleset: str, how: str) -> float:
    """`kernel` is the compiled truth of all rules; `compiled` adds findings and sentences; `both` the second engine."""
    rules, facts = catalogue.ruleset(ruleset), _facts(ruleset)
    if how == "kernel":
        here = Situation(rules, facts, catalogue.book_of(ruleset), DAY, ())
        values = {p: here.fact(p) for p in rules.facts}
        params = {p: here.param(p) for p in rules.params}
        count, run = 20_000, lambda: rules._run(values.__getitem__, params.__getitem__, DAY)
    else:
        count, run = 300, lambda: decide(rules, facts, catalogue.book_of(ruleset), DAY, both=how == "both")  # type: ignore[assignment,return-value]
    run()
    start = time.perf_counter()
    for _ in range(count):
        run()
    return count / (time.perf_counter() - start)
