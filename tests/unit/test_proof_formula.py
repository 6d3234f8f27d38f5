"""The Z3 reading says of every rule what the compiled reading says: drawn rule sets, drawn facts, half of them unknown."""

from __future__ import annotations

import datetime as dt
import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from siquan.core.proof.encode import Reading
from siquan.core.proof.logic import Flag, every, order
from siquan.core.proof.outcome import Result, results
from siquan.core.proof.replay import is_value
from siquan.core.proof.rows import Counts
from siquan.core.proof.world import World
from siquan.core.rules.compile import compile_one
from siquan.core.rules.decide import RuleSet, Situation, decide
from siquan.core.rules.durable import available
from siquan.core.rules.facts import FactSet
from siquan.core.rules.parameters import ParameterBook
from siquan.core.rules.values import ABSENT, Rows
from siquan.core.spec.table import identity


def beside(name: str) -> ModuleType:
    """A module of this folder; the test folders are no packages."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


engines = beside("test_two_engines")
ON = engines.ON
drawn = settings(engines.drawn, max_examples=max(60, engines.EXAMPLES // 2))


class Formula:
    """A rule set as formulas, pinned to given facts."""

    def __init__(self, ruleset: RuleSet, book: ParameterBook) -> None:
        self.ruleset, self.book = ruleset, book
        self.world = World([ruleset.schema], ON, days=(dt.date.min, dt.date.max))
        self.reading = Reading(self.world, ruleset, book, ON)
        self.reading.prepare([r.condition for r in ruleset.rules] + [r.outcome for r in ruleset.rules if r.outcome is not None] + [n for _, n in ruleset.readings])
        self.world.close()
        self.truths = {r.spec.id: self.reading.truth(r.condition) for r in ruleset.rules}
        self.result: Result = results(self.reading)
        self.solver = z3.Solver(ctx=self.world.ctx)
        for axiom in self.world.axioms:
            self._add(axiom)

    def _add(self, flag: Flag) -> None:
        self.solver.add(z3.BoolVal(flag, self.world.ctx) if isinstance(flag, bool) else flag)

    def pin(self, facts: FactSet) -> str | None:
        """Fixes every fact, and what has no formula to what it comes to. Says so when a list is of no foreseen kind."""
        for path in self.world.paths():
            stated = facts.stated.get(path)
            state = None if stated is None or path in facts.stale else stated.value
            if isinstance(state, Rows):
                state = self.world.lists[path].counted(state)
                assert isinstance(state, Counts), f"{path} has a row no kind foresees"
            if path in self.world.slots and self._gone(path, facts):
                state = None
            self._add(self.world.is_(path, state))
        here = Situation(self.ruleset, facts, self.book, ON, ())
        for unread in self.reading.unread.values():
            self._add(is_value(unread.found, compile_one(unread.node)(here.fact, here.param, ON), self.world))
        if self.solver.check() != z3.sat:
            return "the formula has no room for these facts"
        model = self.solver.model()
        for applied in self.world.applied.values():
            days = [d if isinstance(d, int) else model.eval(d, model_completion=True).as_long() for d in applied.days]
            value = applied.run(*days) if all(1 <= d <= 3652059 for d in days) else None
            if value is not None:
                self._add(every([order("=", applied.var, value), *(order("=", d, day) for d, day in zip(applied.days, days, strict=True))]))
        return None

    def _gone(self, path: str, facts: FactSet) -> bool:
        record = self.world.slots[path].record
        return bool(record) and facts.value(record) is ABSENT

    def read(self) -> dict[str, bool | None]:
        assert self.solver.check() == z3.sat
        model = self.solver.model()

        def holds(flag: Flag) -> bool:
            return flag if isinstance(flag, bool) else z3.is_true(model.eval(flag, model_completion=True))

        out: dict[str, bool | None] = {}
        for id, truth in self.truths.items():
            yes, no = holds(truth.yes), holds(truth.no)
            assert not (yes and no), id
            out[id] = True if yes else False if no else None
        self.outcome = [o for o, flag in self.result.outcomes.items() if holds(flag)]
        self.values = [k for k, flag in self.result.values.items() if holds(flag)]
        return out


@drawn
@given(st.one_of(engines.lists(), engines.lists(), engines.tables()), st.integers(0, 2**32))
def test_the_formula_says_what_the_engines_say(text: str, seed: int) -> None:
    """At drawn facts every rule is true, false or unknown in the formula as in the compiled reading and durable_rules,
    and the outcome and value follow `decide`."""
    ruleset, book = engines.load(text)
    rnd = random.Random(seed)
    for _ in range(2):
        full = engines.world(rnd)
        facts = engines.facts_of(ruleset, book, engines.forget(rnd, full) if rnd.random() < 0.7 else full)
        formula = Formula(ruleset, book)
        assert formula.pin(facts) is None, (engines.texts(ruleset), facts.stated)
        decision = decide(ruleset, facts, book, ON, both=True)  # raises when the two engines differ
        assert decision.engines == (("compiled", "durable") if available() else ("compiled",))
        found = formula.read()
        compiled = dict(zip((r.spec.id for r in ruleset.rules), engines.compiled_truths(ruleset, facts, book), strict=True))
        assert found == compiled, (engines.texts(ruleset), {p: s.value for p, s in facts.stated.items()})
        assert formula.outcome == [decision.outcome], (engines.texts(ruleset), {p: s.value for p, s in facts.stated.items()})
        if formula.result.values and decision.outcome == "PASS":
            assert formula.values == [identity(decision.value)]


CHOICES = [
    "if flag then n > 3 else m > 3", "(if flag then n else m) > 3", "(if 确认 then 欠费 else n) > p.limit", "earliest(d, e) < today", "latest(d, e) = e",
    "(if flag then d else e) + months(1) > today", "abs(n - m) > 2", "modulo(n, 3) = m", "floor(欠费 / 2) = 1", "e - d > days(30)", "years between(e, today) >= 1",
    "months between(d, e) > 0", "d + years(1) < e", "n in [1..m]", "rec.done = flag", "kind = note",
]  # fmt: skip
STATES: dict[str, list[Any]] = {
    "flag": [None, True, False], "确认": [None, "none", True], "n": [None, 0, 5], "m": [None, 1, 5], "欠费": [None, "none", "2.5"],
    "d": [None, "none", "2026-01-31", "2024-02-29"], "e": [None, "2026-03-01", "2025-02-28"], "rec": [None, "none", {"done": True}],
    "kind": [None, "none", "甲"], "note": [None, "甲", "乙"],
}  # fmt: skip


def test_choices_and_dates_with_every_pattern_of_unknowns() -> None:
    text = "ruleset: drawn\nlist:\n" + "\n".join(f"  - {{id: R{n}, when: {engines.quoted(x)}, outcome: WARN, say: x}}" for n, x in enumerate(CHOICES))
    ruleset, book = engines.load(text)
    rnd = random.Random(3)
    for _ in range(80):
        raw = {name: value for name, values in STATES.items() if (value := rnd.choice(values)) is not None}
        facts = engines.facts_of(ruleset, book, raw)
        formula = Formula(ruleset, book)
        assert formula.pin(facts) is None
        compiled = dict(zip((r.spec.id for r in ruleset.rules), engines.compiled_truths(ruleset, facts, book), strict=True))
        assert formula.read() == compiled, raw
