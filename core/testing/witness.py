"""A rule that hits, as a case that asks its rule set alone: the facts come from the solver and are tried out."""

from __future__ import annotations

import datetime as dt
from typing import Any

from siquan.core.errors import SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.policy.question import override
from siquan.core.policy.trials import what_if
from siquan.core.proof import check_intents
from siquan.core.rules import tree as t
from siquan.core.rules.decide import Rule, RuleSet
from siquan.core.spec.model import CaseSpec, IntentSpec
from siquan.core.testing.record import typed
from siquan.core.testing.runner import run_case

#: seconds for one rule
PATIENCE = 1.0


def decided(catalogue: Catalogue, ruleset: RuleSet, rule: Rule, day: dt.date) -> CaseSpec | str:
    """The case, or why there is none. Where no facts do under the parameters in force, those that cases set are tried."""
    if not rule.spec.when:
        return "没有找到让这一行成立的事实"
    names = {n.name for n in t.walk(rule.condition) if isinstance(n, t.Param)}
    process = catalogue.definition(ruleset.spec.process).spec if ruleset.spec.process else None
    sets = [c.set for c in process.cases if names & set(c.set)] if process is not None else []
    why: CaseSpec | str = ""
    for chosen in ({}, *({k: v for k, v in s.items() if k in names} for s in sets[:3])):
        why = _found(catalogue, ruleset, rule, day, chosen)
        if isinstance(why, CaseSpec):
            return why
    return why


def _found(catalogue: Catalogue, ruleset: RuleSet, rule: Rule, day: dt.date, chosen: dict[str, Any]) -> CaseSpec | str:
    spec = ruleset.spec.model_copy(update={"intents": (IntentSpec(id="hit", never=f"({rule.spec.when})"),)})
    book = catalogue.book_of(ruleset.id)
    try:
        if chosen:
            book = book.with_overrides({k: override(ruleset, book, k, what_if(v)) for k, v in chosen.items()})
        alone = RuleSet(spec, ruleset.scope, ruleset.schema, ruleset.derived)
        found = check_intents(alone, book, day, timeout=PATIENCE)
    except SiquanError as fault:
        return fault.text("zh")
    if not found or found[0].witness is None:
        return "按现行参数不会成立（已证明）" if found and found[0].status == "proved" else "求解器没有在时限内找到让它成立的事实"
    witness = found[0].witness
    read = {n.path for n in t.walk(rule.condition) if isinstance(n, t.Var)} | {"state", "outcome"}
    given: dict[str, Any] = {}
    for path, value in witness.facts.items():
        if path in ruleset.schema:
            given[path] = typed(ruleset.schema.specs[path], value)
        elif path.startswith("parent."):
            given.setdefault("parent", {})[path.partition(".")[2]] = value
        elif isinstance(value, dict):  # children: what the rule does not read of them is left unknown
            given[path] = {**value, "value": [{k: v for k, v in row.items() if k in read} for row in value["value"]]}
    case = CaseSpec(
        name=f"走查：规则 {rule.spec.id} 成立", process=ruleset.spec.process, on=day, given=given, decide=ruleset.id.partition(".")[2],
        because=tuple(f.rule for f in witness.new.hits()), set=chosen,
    )  # fmt: skip
    wrong = run_case(catalogue, case)
    return "；".join(wrong) if wrong else case
