"""What a process reads: every fact and parameter named by its rules, derived facts, deadlines and `set:`.

A fact is a dotted path; the field of a list's rows is written `members[].unit`, of a parent `parent.term_end`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from siquan.core.engine.definition import Definition
from siquan.core.errors import Where
from siquan.core.plugins import Catalogue
from siquan.core.rules import tree as t
from siquan.core.rules.decide import RuleSet

Env = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Read:
    """`by` names the reader: a rule's id, a derived fact, a deadline, a step; `rule` is the id alone, else empty."""

    node: t.Node
    by_zh: str
    by_en: str
    where: Where | None
    rule: str = ""

    @property
    def facts(self) -> tuple[str, ...]:
        # the first and last day of a period come with the period
        return tuple(p for p in dict.fromkeys(paths(self.node)) if not p.startswith("period."))

    @property
    def params(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(n.name for n in t.walk(self.node) if isinstance(n, t.Param)))


def base_of(node: t.Node, env: Env = ()) -> str:
    """The path a list or record expression stands for; empty when it is computed."""
    match node:
        case t.Fact(path=path):
            return path
        case t.Filter(source=source):
            return base_of(source, env)
        case t.Var(var=var, path=path):
            base = dict(env).get(var, "")
            return f"{base}[].{path}" if base and path else base
        case t.Path(source=source, name=name):
            base = base_of(source, env)
            return (f"{base}[].{name}" if source.type.kind == "list" else f"{base}.{name}") if base else ""
    return ""


def inside(node: t.Filter | t.Quantified, env: Env) -> Env:
    """The variables seen by the condition of a filter or quantifier; see `check.Scope.inside`."""
    base = base_of(node.source, env)
    if isinstance(node, t.Quantified):
        return ((node.var, base), *env)
    return (("", base), *((v if v.strip("^") else v + "^", b) for v, b in env))


def paths(node: t.Node, env: Env = ()) -> Iterator[str]:
    """Every fact path a tree reads, fields of rows included."""
    match node:
        case t.Filter(source=source, cond=cond) | t.Quantified(source=source, cond=cond):
            yield from paths(source, env)
            yield from paths(cond, inside(node, env))
            return
        case t.Fact() | t.Var() | t.Path():
            base = base_of(node, env)
            if base:
                yield base
    for child in t.children(node):
        yield from paths(child, env)


def rule_reads(ruleset: RuleSet) -> Iterator[Read]:
    """The expressions of a rule set, those in its sentences included."""
    for rule in ruleset.rules:
        nodes = [rule.condition, *([rule.outcome] if rule.outcome is not None else []), *rule.say.nodes()]
        nodes += rule.clear.nodes() if rule.clear else []
        for node in nodes:
            yield Read(node, f"规则 `{rule.spec.id}`", f"rule `{rule.spec.id}`", rule.spec.where, rule.spec.id)
    for reading, node in ruleset.readings:
        yield Read(node, f"依据 `{reading.basis}` 的读法", f"the reading of `{reading.basis}`", ruleset.spec.where)


def home_rules(definition: Definition, catalogue: Catalogue) -> list[RuleSet]:
    return [r for r in catalogue.rulesets.values() if r.spec.process == definition.spec.id]


def process_reads(definition: Definition, catalogue: Catalogue) -> Iterator[Read]:
    """Everything one process reads."""
    for ruleset in home_rules(definition, catalogue):
        yield from rule_reads(ruleset)
    for name, node in definition.derived.items():
        yield Read(node, f"推导事实 `{name}`", f"the derived fact `{name}`", definition.schema.specs[name].where)
    for state in definition.spec.states:
        for due in state.dues:
            for text in (due.start, due.before, "" if due.n.isdigit() else due.n):
                if text:
                    node = definition.node(text, due.prefix)
                    yield Read(node, f"时限“{due.title or due.name}”", f"the deadline `{due.name}`", due.where)
        for due in state.dues:
            for span in (x for x in (*due.remind, *due.escalate) if not x.n.isdigit()):
                yield Read(definition.node(span.n, due.prefix), f"时限“{due.title or due.name}”", f"the deadline `{due.name}`", due.where)
    for state in definition.spec.states:
        for what, name, spec in (("share", state.sign.share if state.sign else "", state.sign), ("declines", state.task.declines if state.task else "", state.task)):
            if name in definition.scope.params:
                yield Read(definition.node(name), f"“{state.title}”的 {what}", f"`{what}` of the state `{state.name}`", spec.where if spec else None)
    for duty in definition.spec.obligations:
        spans = [x.n for x in (duty.warn, duty.grace, duty.make_up) if x and not x.n.isdigit()]
        nodes = [definition.node(x) for x in (duty.since, duty.until, *spans) if x]
        for node in [*nodes, *([definition.of_period(duty.met_when)[0]] if duty.met_when else [])]:
            yield Read(node, f"义务“{duty.title}”", f"the obligation `{duty.name}`", duty.where)
    for transition in (*(x for s in definition.spec.states for x in s.transitions), *definition.spec.anywhere):
        for text in transition.texts:
            node = definition.node(text, transition.prefix)
            yield Read(node, f"“{transition.title}”的 set 或 post", f"`set` or `post` of the step `{transition.name}`", transition.where)
    for balance in definition.spec.balances:
        if balance.of:
            yield Read(definition.node(balance.of), f"账户 `{balance.name}`", f"the balance `{balance.name}`", balance.where)


def params_of(reads: Iterable[Read]) -> dict[str, Read]:
    """Parameter name -> its first reader."""
    out: dict[str, Read] = {}
    for read in reads:
        for name in read.params:
            out.setdefault(name, read)
    return out
