"""A draft, ready to decide recorded decisions again: what counts at a date and place, and what truths come to.

Equal to `rules.decide` without the second engine in outcome, value and the result of every rule. Many decisions have the
same truths under the same parameters: what these come to is worked out once.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from siquan.core.policy.impact_kernel import UNLIMITED, Kernel, Mode, Truths, kernel
from siquan.core.rules import tree as t
from siquan.core.rules.decide import Rule, RuleSet, cap
from siquan.core.rules.decision import BASES, RANK
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.model import RuleSpec
from siquan.core.store.canonical import canonical
from siquan.core.store.layout import Layout, facts_read, nodes_read

#: verdicts kept at a place before the oldest are worked out again; memory stays flat whatever the facts
MOST_VERDICTS = 50_000


class Verdict(NamedTuple):
    """What a decision comes to; `value` as JSON, `results` one letter per rule."""

    outcome: str
    value: str
    results: str


@dataclass(slots=True)
class Air:
    """What is in the air at a date and place: parameter values and the basis of every rule."""

    params: tuple[Any, ...]
    bases: tuple[str, ...]
    verdicts: dict[Truths, Verdict] = field(default_factory=dict)


class Program:
    """`chain` gives a place and all above it, nearest first."""

    def __init__(self, ruleset: RuleSet, book: ParameterBook, chain: Callable[[str], Sequence[str]]) -> None:
        self.ruleset, self.book, self._chain = ruleset, book, chain
        self.rules = tuple(r.id for r in ruleset.spec.rules)
        nodes = nodes_read(ruleset)
        read = facts_read(nodes, ruleset.derived)
        behind = [*nodes, *(ruleset.derived[p] for p in read if p in ruleset.derived)]
        self.params = tuple(sorted({n.name for node in behind for n in t.walk(node) if isinstance(n, t.Param)}))
        self._tests = tuple(test for r in ruleset.rules if r.outcome is not None for test in _tests(r.outcome))
        self.nodes = (*(r.condition for r in ruleset.rules), *(n for _, n in ruleset.readings), *self._tests)
        named = [*self.params, *(f"basis.{r}" for r in self.rules)]
        self._ages = {s.max_age for s in ruleset.schema.specs.values() if s.max_age}
        lines = [line for name in (*named, *self._ages) if name in book.specs for line in book.specs[name].lines]
        self._steps = sorted({line.since for line in lines})
        self._airs: dict[str, Air] = {}
        self._at: dict[tuple[int, str, tuple[str, ...]], Air] = {}
        self._kernels: dict[tuple[str, Mode], Kernel] = {}

    def kernel(self, layout: Layout, mode: Mode) -> Kernel:
        found = self._kernels.get((layout.digest, mode))
        if found is None:
            found = self._kernels[layout.digest, mode] = kernel(self.nodes, self.ruleset.derived, layout, self.params, mode)
        return found

    # date and place

    def step(self, day: dt.date) -> int:
        """Between which two changes of a parameter a day lies."""
        return bisect.bisect_right(self._steps, day)

    def air(self, day: dt.date, place: str, limits: tuple[str, ...]) -> Air:
        key = (self.step(day), place, limits)
        found = self._at.get(key)
        if found is None:
            found = self._at[key] = self._breathe(day, self.chain(place), limits)
        return found

    def chain(self, place: str) -> tuple[str, ...]:
        return tuple(self._chain(place)) if place else ()

    def _breathe(self, day: dt.date, places: Sequence[str], limits: tuple[str, ...]) -> Air:
        params = tuple(self.book.value(name, day, places) for name in self.params)
        bases = tuple(self._basis(r, day, places) for r in self.ruleset.spec.rules)
        ages = tuple(self.limit(text, day, places) for text in limits)
        key = repr((params, bases, ages))  # 1, 1/1 and true are equal in Python
        return self._airs.setdefault(key, Air((*params, *ages), bases))

    def _basis(self, rule: RuleSpec, day: dt.date, places: Sequence[str]) -> str:
        name = f"basis.{rule.id}"
        if name in self.book.specs or name in self.book.overrides:
            value = self.book.value(name, day, places)
            if isinstance(value, str) and value in BASES:
                return value
        return rule.basis or self.ruleset.spec.default_basis

    def number(self, text: str, day: dt.date, places: Sequence[str]) -> Any:
        """What stands behind a max_age."""
        return int(text) if text.isdigit() else self.book.value(text, day, places) if text in self.book.specs else None

    def limit(self, text: str, day: dt.date, places: Sequence[str]) -> int:
        number = self.number(text, day, places)
        return number if isinstance(number, int) and not isinstance(number, bool) else UNLIMITED

    # truths

    def verdict(self, air: Air, truths: Truths) -> Verdict:
        found = air.verdicts.get(truths)
        if found is None:
            if len(air.verdicts) >= MOST_VERDICTS:
                air.verdicts.clear()
            found = air.verdicts[truths] = self._verdict(air, truths)
        return found

    def _verdict(self, air: Air, truths: Truths) -> Verdict:
        n, m = len(self.ruleset.rules), len(self.ruleset.readings)
        conditions = {r.spec.id: (r, truth) for r, truth in zip(self.ruleset.rules, truths[:n], strict=True)}
        readings, tests = truths[n : n + m], {id(test): truth for test, truth in zip(self._tests, truths[n + m :], strict=True)}
        letters, outcomes = [], set[str]()
        for spec, basis in zip(self.ruleset.spec.rules, air.bases, strict=True):
            if spec.id not in conditions:
                letters.append("n")
                continue
            letter, outcome = self._finding(*conditions[spec.id], self._read_as(basis, readings), tests)
            letters.append(letter)
            outcomes.add(outcome)
        value: Any = None
        if self.ruleset.table is not None:
            settled = self.ruleset.table.settle({id: truth for id, (_, truth) in conditions.items()})
            outcome, value = settled.outcome, settled.value
        else:
            outcome = next((o for o in RANK if o in outcomes), "PASS")
        return Verdict(outcome, canonical(value), "".join(letters))

    def _read_as(self, basis: str, readings: Truths) -> tuple[str, ...]:
        """The basis as its readings have it, then what it may be instead."""
        doubts: dict[str, None] = {}
        for (reading, _), holds in zip(self.ruleset.readings, readings, strict=True):
            if reading.basis != basis:
                continue
            if holds is None:
                doubts[reading.reads_as] = None
            elif holds:
                basis = reading.reads_as
        return (basis, *doubts)

    def _finding(self, rule: Rule, truth: bool | None, bases: Iterable[str], tests: dict[int, bool | None]) -> tuple[str, str]:
        """(letter, outcome of the finding, "" when it has none)."""
        asked = {rule.spec.outcome or "PASS"} if rule.outcome is None else _outcomes(rule.outcome, tests)
        possible = {cap(o, b) for o in asked for b in bases}
        bound = min(possible, key=lambda o: (RANK.get(o, 99), o))
        if truth is False:
            return "c", ""
        if truth is True and len(possible) == 1:
            return "h", bound
        return "u", "EVIDENCE" if bound in ("REJECT", "BLOCK", "EVIDENCE") else "WARN" if bound == "WARN" else ""


def _tests(node: t.Node) -> list[t.Node]:
    """What an outcome hangs on."""
    return [node.test, *_tests(node.then), *_tests(node.other)] if isinstance(node, t.If) else []


def _outcomes(node: t.Node, tests: dict[int, bool | None]) -> set[str]:
    """What an outcome expression may still come to."""
    if not isinstance(node, t.If):
        return {node.value} if isinstance(node, t.Literal) else set(RANK)
    test = tests[id(node.test)]
    then = _outcomes(node.then, tests) if test is not False else set()
    return then | (_outcomes(node.other, tests) if test is not True else set())


