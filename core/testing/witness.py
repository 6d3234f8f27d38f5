"""A rule that hits, as a case that asks its rule set alone: the facts come from the solver and are tried out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import islice, product
from typing import Any

from siquan.core.engine.definition import Definition
from siquan.core.errors import SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.policy.question import override
from siquan.core.policy.trials import what_if
from siquan.core.proof import check_intents
from siquan.core.rules import tree as t
from siquan.core.rules.decide import Rule, RuleSet
from siquan.core.rules.facts import Reader, to_wire
from siquan.core.spec.model import CaseSpec, IntentSpec
from siquan.core.testing.pool import Pool
from siquan.core.testing.record import typed
from siquan.core.testing.runner import run_case

#: seconds for one rule
PATIENCE = 1.0
#: ways to say what the parent is
MOST = 24


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
    above = _above(catalogue, ruleset)
    given: dict[str, Any] = {}
    upper: dict[str, Any] = {}
    for path, value in witness.facts.items():
        if path in ruleset.schema:
            given[path] = typed(ruleset.schema.specs[path], value)
        elif path.startswith("parent."):
            upper[path.partition(".")[2]] = _read(value, read) if above is not None and path.partition(".")[2] in above.children else value
        elif isinstance(value, dict):  # children: what the rule does not read of them is left unknown
            given[path] = _read(value, read)
    wrong: list[str] = []
    for parent in _sayings(catalogue, above, upper, day):
        case = CaseSpec(
            name=f"走查：规则 {rule.spec.id} 成立", process=ruleset.spec.process, on=day, given={**given, "parent": parent} if parent else given,
            decide=ruleset.id.partition(".")[2], because=tuple(f.rule for f in witness.new.hits()), set=chosen,
        )  # fmt: skip
        found_wrong = run_case(catalogue, case)
        if not found_wrong:
            return case
        wrong = wrong or found_wrong
    return "；".join(wrong)


def _read(rows: dict[str, Any], read: set[str]) -> dict[str, Any]:
    return {**rows, "value": [{k: v for k, v in row.items() if k in read} for row in rows["value"]]}


def _above(catalogue: Catalogue, ruleset: RuleSet) -> Definition | None:
    link = catalogue.definition(ruleset.spec.process).spec.child_of if ruleset.spec.process else None
    return catalogue.definition(link.process) if link is not None else None


def _sayings(catalogue: Catalogue, above: Definition | None, facts: dict[str, Any], day: dt.date) -> Iterator[dict[str, Any]]:
    """What the parent is said to be. The solver knows the parent's facts by their types alone: where a form of the parent would
    not take its word, words are tried that it takes."""
    choices: list[list[Any]] = []
    for path, value in facts.items():
        spec = above.schema.get(path) if above is not None else None
        if above is None or spec is None or _taken(above, path, value):
            choices.append([value])
        else:
            choices.append([typed(spec, to_wire(v)) for v in Pool(above, catalogue).candidates(path, day)] or [value])
    for chosen in islice(product(*choices), MOST):
        yield dict(zip(facts, chosen, strict=True))


def _taken(above: Definition, path: str, value: Any) -> bool:
    try:
        Reader(above.schema, dt.date.max).read({path: value})
    except SiquanError:
        return False
    return True
