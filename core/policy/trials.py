"""The test cases of a rule set, run against any version of it, published or not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from siquan.core.errors import SiquanError
from siquan.core.policy.force import Bound
from siquan.core.policy.question import ask
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.decision import Decision
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.model import CaseSpec, ProcessSpec


def named(case: CaseSpec, rulesets: Iterable[str]) -> str:
    """The full id of the rule set a case decides; as written when there is none of the name."""
    plugin, known = case.process.partition(".")[0], set(rulesets)
    return next((c for c in (case.decide, f"{plugin}.{case.decide}", f"{case.process}.{case.decide}") if c in known), case.decide)


def cases_of(bound: Bound, ruleset: str) -> list[CaseSpec]:
    """The shipped cases that ask this rule set alone."""
    every = (c for p in bound.spec.processes for c in p.cases if c.decide and not c.steps)
    return [c for c in every if named(c, bound.rulesets) == ruleset]


def given_of(spec: ProcessSpec | None, case: CaseSpec) -> dict[str, Any]:
    """The base with the case's own facts on top; a record given whole replaces the base's fields of it."""
    base = dict(spec.bases.get(case.base, {})) if spec is not None and case.base else {}
    for key, value in case.given.items():
        for old in [k for k in base if k.startswith(f"{key}.")]:
            del base[old]
        head = key.rpartition(".")[0]
        if head in base and isinstance(base[head], Mapping) and "value" not in base[head]:
            base[head] = {**base[head], key.rpartition(".")[2]: value}
            continue
        if head in base and base[head] == "none":
            del base[head]
        base[key] = value
    return base


def question_facts(bound: Bound, rules: RuleSet, case: CaseSpec) -> dict[str, Any]:
    """What a case states, as far as the rule set knows it: a base may hold facts of the whole process."""
    home = bound.definitions.get(rules.spec.process)
    own = bound.definitions.get(case.process)
    given = given_of(own.spec if own else None, case)
    known = set(rules.schema.specs) | {"parent", *(home.children if home else ())}
    return {k: v for k, v in given.items() if k in known or k.partition(".")[0] in known or k in case.given}


def decide_case(bound: Bound, rules: RuleSet, book: ParameterBook, case: CaseSpec, day: dt.date, *, both: bool = False) -> Decision:
    """The decision a case asks for, on its day or the one given."""
    facts = question_facts(bound, rules, case)
    places: Sequence[str] = (case.place,) if case.place else ()
    overrides = {k: what_if(v) for k, v in case.set.items()}
    return ask(bound.definitions, rules, book, facts, case.on or day, places, overrides).answer(both=both)


def run(bound: Bound, rules: RuleSet, book: ParameterBook, case: CaseSpec, day: dt.date) -> list[str]:
    """What is wrong, in sentences; an empty list is a passed case."""
    try:
        return differences(case, decide_case(bound, rules, book, case, day))
    except SiquanError as fault:
        return [fault.full("zh")]


def differences(case: CaseSpec, decision: Decision) -> list[str]:
    """What a decision has other than the case expects."""
    out = []
    if case.expect and case.expect not in (decision.outcome, str(decision.value)):
        out.append(f"结论应为 {case.expect}，实为 {decision.outcome}" + (f"（{decision.value}）" if decision.value is not None else ""))
    if case.value is not None and decision.value != case.value:
        out.append(f"取值应为 {case.value}，实为 {decision.value}")
    hits = {f.rule for f in decision.hits()}
    if case.because is not None and set(case.because) != hits:
        out.append(f"命中的规则应为 {_listed(case.because)}，实为 {_listed(hits)}")
    asks = {a.fact for a in decision.asks}
    if case.ask is not None and set(case.ask) != asks:
        out.append(f"要问的应为 {_listed(case.ask)}，实为 {_listed(asks)}")
    return out


def _listed(names: Iterable[str]) -> str:
    return "、".join(sorted(names)) or "没有"


def what_if(value: Any) -> str:
    """A parameter's value of a case as `--set` has it."""
    return "true" if value is True else "false" if value is False else "null" if value is None else str(value)
