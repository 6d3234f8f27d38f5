"""What a decision can come to: the outcomes and values a rule set can give at one step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from siquan.core.rules import tree as t
from siquan.core.rules.decide import Rule, RuleSet, cap
from siquan.core.rules.decision import OUTCOMES, branch_key
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.table import identity
from siquan.core.verify.cells import Cells, NotFinite

BINDING = ("REJECT", "BLOCK", "EVIDENCE")


@dataclass
class Possible:
    """Each outcome and value with the id of a rule that can give it (empty: no rule is needed). `computed` marks a
    table whose value is worked out (collected), so that it cannot be listed."""

    outcomes: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    computed: bool = False


def outcomes_of(rule: Rule) -> set[str]:
    """What a rule may ask for, before the cap."""
    if rule.outcome is None:
        return {rule.spec.outcome or "PASS"}
    return {str(n.value) for n in t.walk(rule.outcome) if isinstance(n, t.Literal) and n.value in OUTCOMES}


def bases_of(ruleset: RuleSet, rule: Rule, book: ParameterBook) -> set[str]:
    """Every basis a rule may have: its own, those of its dated lines, those a reading makes of them."""
    out = {str(rule.spec.basis or ruleset.spec.default_basis)}
    lines = book.specs.get(f"basis.{rule.spec.id}")
    out |= {str(line.value) for line in lines.lines} if lines else set()
    return out | {str(reading.reads_as) for reading, _ in ruleset.readings if reading.basis in out}


def possible(ruleset: RuleSet, book: ParameterBook, certain: Callable[[t.Node], bool]) -> Possible:
    """`certain` says whether an expression is never unknown."""
    return _list(ruleset, book, certain) if ruleset.table is None else _table(ruleset, book, certain)


def _list(ruleset: RuleSet, book: ParameterBook, certain: Callable[[t.Node], bool]) -> Possible:
    out = Possible({"PASS": ""})
    for rule in ruleset.rules:
        sure = certain(rule.condition) and (rule.outcome is None or certain(rule.outcome))
        for asked in outcomes_of(rule):
            for basis in bases_of(ruleset, rule, book):
                bound = cap(asked, basis)
                if bound in OUTCOMES:
                    out.outcomes.setdefault(bound, rule.spec.id)
                if bound in BINDING and not sure:
                    out.outcomes.setdefault("EVIDENCE", rule.spec.id)
    return out


def _table(ruleset: RuleSet, book: ParameterBook, certain: Callable[[t.Node], bool]) -> Possible:
    policy, default = ruleset.spec.hit_policy, ruleset.spec.default
    out = Possible({"PASS": ""}, computed=policy in ("R", "O") or policy.startswith("C"))
    if not out.computed:
        for rule in ruleset.rules:
            out.values.setdefault(branch_key(rule.spec.out), rule.spec.id)
        if default is not None:
            out.values.setdefault(branch_key(default), "")
    unsure = next((r.spec.id for r in ruleset.rules if not certain(r.condition)), None)
    if unsure is not None:
        out.outcomes["EVIDENCE"] = unsure
    if policy != "C#" and not _settled(ruleset, book):
        out.outcomes["BLOCK"] = ""
    return out


def _settled(ruleset: RuleSet, book: ParameterBook) -> bool:
    """Whether every elementary case has its row, and no two that contradict."""
    try:
        for case in Cells(ruleset, book).cases():
            results = {identity(r.spec.out) for r in case.hits}
            if not case.hits and ruleset.spec.default is None or ruleset.spec.hit_policy == "U" and len(case.hits) > 1 or ruleset.spec.hit_policy == "A" and len(results) > 1:
                return False
    except NotFinite:
        return False
    return True
