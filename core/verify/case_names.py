"""V019: a case that names what does not exist: a rule in `because`, a state or outcome in `expect`, a step, a base, a
rule set, a fact in `ask`. Such a case proves nothing, and a misspelt reason can never be met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from siquan.core.engine.definition import Definition
from siquan.core.plugins import Catalogue
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.decision import OUTCOMES
from siquan.core.spec.model import CaseSpec, PluginSpec
from siquan.core.spec.verbs import moving
from siquan.core.verify.finding import Finding, listed

CODE = "V019"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error for every such name."""
    rules = {r.id for s in plugin.rulesets for r in s.rules}
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        for case in process.cases:
            for rule in case.because or ():
                # a step may also be refused by `no row fits`, which bears the rule set's id
                if rule not in rules and rule not in catalogue.rulesets:
                    yield _finding(case, "because", rule, sorted(rules))
            if case.base and case.base not in process.bases:
                yield _finding(case, "base", case.base, process.bases)
            if case.decide and not case.steps:
                yield from _decision(case, catalogue)
            else:
                if case.expect and definition.spec.state(case.expect) is None:
                    yield _finding(case, "expect", case.expect, [s.name for s in process.states])
                yield from _steps(case, definition, catalogue)


def _decision(case: CaseSpec, catalogue: Catalogue) -> Iterator[Finding]:
    ruleset = ruleset_of(case, catalogue)
    if ruleset is None:
        yield _finding(case, "decide", case.decide, sorted(catalogue.rulesets))
        return
    computed = ruleset.spec.table and (ruleset.spec.hit_policy in ("R", "O") or ruleset.spec.hit_policy.startswith("C"))
    values = [str(out) for out in (*(r.out for r in ruleset.spec.rules), ruleset.spec.default)] if ruleset.spec.table else []
    if case.expect and not computed and case.expect not in (*OUTCOMES, *values):
        yield _finding(case, "expect", case.expect, [*OUTCOMES, *dict.fromkeys(values)])
    for fact in case.ask or ():
        if fact not in ruleset.scope.facts and not fact.startswith("parent."):
            yield _finding(case, "ask", fact, ())


def ruleset_of(case: CaseSpec, catalogue: Catalogue) -> RuleSet | None:
    plugin = case.process.partition(".")[0]
    names = (case.decide, f"{plugin}.{case.decide}", f"{case.process}.{case.decide}")
    return next((catalogue.rulesets[n] for n in names if n in catalogue.rulesets), None)


def _steps(case: CaseSpec, definition: Definition, catalogue: Catalogue) -> Iterator[Finding]:
    for step in case.steps:
        home = definition
        if step.child:
            child = definition.children.get(step.child.partition("/")[0])
            if child is None:
                yield _finding(case, "child", step.child, definition.children)
                continue
            home = catalogue.definitions[child]
        names = {t.name for s in home.spec.states for t in s.transitions} | {t.name for t in home.spec.anywhere}
        names |= {*moving(home.spec)}
        if step.act and step.act not in names:
            yield _finding(case, "act", step.act, sorted(names))
        if step.expect and home.spec.state(step.expect) is None:
            yield _finding(case, "expect", step.expect, [s.name for s in home.spec.states])


def _finding(case: CaseSpec, key: str, name: str, known: Iterable[str]) -> Finding:
    names = list(known)
    what_zh = {"because": "规则", "base": "起始事实", "expect": "状态或结论", "decide": "规则集", "ask": "事实", "act": "步骤", "child": "子事项", "to": "状态"}[key]
    what_en = {"because": "rule", "base": "base", "expect": "state or outcome", "decide": "rule set", "ask": "fact", "act": "step", "child": "child", "to": "state"}[key]
    return Finding(
        CODE, "error", case.where, f"用例“{case.name}”的 {key} 写着 `{name}`，没有这个{what_zh}",
        f"the case `{case.name}` names `{name}` in {key}, which is no {what_en}",
        f"可用 {listed(names)}" if names else "核对名字，或者去掉", f"known: {listed(names, 'en')}" if names else "check the name, or leave it out",
    )  # fmt: skip
