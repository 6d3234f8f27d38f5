"""V013: a comparison with a fact that may be known not to exist, without `present` or `absent` in the same rule. Such
a comparison is false, and so is its opposite: the designer must say which way "none" counts (design part 5)."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.engine.definition import Definition
from siquan.core.plugins import Catalogue
from siquan.core.rules import tree as t
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.facts import Schema
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding, listed
from siquan.core.verify.reading import Env, base_of, inside

CODE = "V013"


def heads(path: str) -> list[str]:
    """The path and every record it stands in: `fee.amount` and `fee`; `rows[].a.b`, `rows[].a`."""
    list_part, bracket, field = path.rpartition("[].")
    parts = field.split(".")
    return [f"{list_part}{bracket}{'.'.join(parts[:n])}" for n in range(len(parts), 0, -1)]


def spec_absent(path: str, ruleset: RuleSet, catalogue: Catalogue) -> bool:
    """Whether the fact at the path itself declares `absent`."""
    definition = catalogue.definitions.get(ruleset.spec.process)
    schema: Schema | None = ruleset.schema
    if path.startswith("parent.") and definition is not None and definition.spec.child_of is not None:
        link = definition.spec.child_of
        definition = catalogue.definitions.get(link.process)
        schema, path = definition.schema if definition else None, path[7:]
        prefix = link.name.rpartition(".")[0]
        if schema is not None and prefix and f"{prefix}.{path.partition('[')[0]}" in schema:
            path = f"{prefix}.{path}"
    return schema is not None and _declared(path, schema, definition, catalogue)


def _declared(path: str, schema: Schema, definition: Definition | None, catalogue: Catalogue) -> bool:
    rows, bracket, field = path.partition("[].")
    spec = schema.get(rows)
    if not bracket:
        return spec is not None and bool(spec.absent) and not spec.derive
    if spec is None:
        child = definition.children.get(rows) if definition else None
        inner = catalogue.definitions.get(child) if child else None
        return inner is not None and _declared(field, inner.schema, inner, catalogue)
    return _declared(field, Schema(spec.fields), None, catalogue)


def compared(node: t.Node, env: Env = ()) -> Iterator[str]:
    """Paths whose value a comparison takes, sums and date arithmetic included, and booleans that stand as a condition."""
    match node:
        case t.Compare(left=left, right=right):
            for side in (left, right):
                yield from _valued(side, env)
        case t.Fact() | t.Var() if node.type.kind == "boolean":
            yield base_of(node, env)
    within = inside(node, env) if isinstance(node, t.Filter | t.Quantified) else env
    if isinstance(node, t.Call) and node.func in ("present", "absent"):
        return
    for child in t.children(node):
        deeper = isinstance(node, t.Filter | t.Quantified) and child is node.cond
        yield from compared(child, within if deeper else env)


def _valued(node: t.Node, env: Env) -> Iterator[str]:
    match node:
        case t.Arith() | t.Neg() | t.If() | t.Call(func="floor" | "abs" | "modulo" | "years between" | "months between" | "days between"):
            for child in t.children(node):
                yield from _valued(child, env)
        case t.Fact() | t.Var() | t.Path() if node.type.kind != "boolean":
            yield base_of(node, env)


def guarded(node: t.Node, env: Env = ()) -> Iterator[str]:
    """Paths that `present` or `absent` looks at."""
    if isinstance(node, t.Call) and node.func in ("present", "absent"):
        yield base_of(node.args[0], env)
    within = inside(node, env) if isinstance(node, t.Filter | t.Quantified) else env
    for child in t.children(node):
        deeper = isinstance(node, t.Filter | t.Quantified) and child is node.cond
        yield from guarded(child, within if deeper else env)


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning per rule, naming the facts."""
    for spec in plugin.rulesets:
        ruleset = catalogue.rulesets[spec.id]
        for rule in ruleset.rules:
            nodes = [rule.condition, *([rule.outcome] if rule.outcome is not None else [])]
            guards = {p for node in nodes for p in guarded(node)}
            bare = []
            for path in dict.fromkeys(p for node in nodes for p in compared(node) if p):
                may = [h for h in heads(path) if spec_absent(h, ruleset, catalogue)]
                # who asked for one field of a record knows that the record exists
                known = any(h in guards for h in heads(path)) or any(g.startswith(f"{h}.") for h in may for g in guards)
                if may and not known:
                    bare.append(path)
            if bare:
                yield Finding(
                    CODE, "warning", rule.spec.where, f"规则 `{rule.spec.id}` 比较了可能为“无”的 {listed(bare)}，没有先问 present",
                    f"the rule `{rule.spec.id}` compares {listed(bare, 'en')}, which may be known not to exist, without asking `present` first",
                    f"写成 present({heads(bare[0])[-1]}) and …，或用 absent(…) 说明“无”怎么算", f"write present({heads(bare[0])[-1]}) and ..., or say with absent(...) how none counts",
                )  # fmt: skip
