"""V010: facts, parameters and rule sets that nothing uses: leftovers, or a name that was meant to be used. A basis
line for a rule that does not exist changes nothing and is a warning, since somebody believes that it does."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.engine.definition import Definition
from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding, listed
from siquan.core.verify.parameter_start import used
from siquan.core.verify.reading import process_reads
from siquan.core.verify.supply import transitions

CODE = "V010"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """One note per process for its facts, one each per plugin for parameters and rule sets."""
    definitions = [catalogue.definitions[p.id] for p in plugin.processes]
    for definition in definitions:
        left = _facts(definition, definitions, catalogue)
        if left:
            first = definition.schema.specs[left[0]].where
            yield Finding(
                CODE, "note", first, f"`{definition.spec.id}` 的事实 {listed(left)} 没有用到", f"nothing uses the facts {listed(left, 'en')} of `{definition.spec.id}`",
                "删掉，或者写进某一步或规则", "remove them, or use them in a step or a rule",
            )  # fmt: skip
    yield from _parameters(plugin, catalogue)
    called = {x for d in definitions for s in transitions(d) for x in (s.decide, *s.check) if x}
    idle = [r.id for r in plugin.rulesets if r.id not in called and r.process]
    if idle:
        where = next(r.where for r in plugin.rulesets if r.id == idle[0])
        yield Finding(
            CODE, "note", where, f"没有一步用到规则集 {listed(idle)}", f"no step asks the rule sets {listed(idle, 'en')}",
            "在某一步写 decide 或 check；只供查询的不用管", "name them in decide or check of a step, unless they are for enquiries only",
        )  # fmt: skip


def _facts(definition: Definition, all_of_plugin: list[Definition], catalogue: Catalogue) -> list[str]:
    """Top facts that stand in no form, sheet, rule, role or title, here or in a parent or child."""
    spec, touched = definition.spec, {definition.spec.name_fact, *definition.spec.opening}
    for step in transitions(definition):
        touched |= {*step.needs, *step.asks, *step.set}
    for read in process_reads(definition, catalogue):
        touched |= set(read.facts)
    touched |= {r.fact for r in spec.roles.values()} | {x for y in spec.tallies for x in (y.name, y.roll, y.ballots, y.matters)}
    touched |= {x for sheet in spec.sheets for x in (sheet.target, *(c.fact or c.finding for c in sheet.columns))}
    for other in all_of_plugin:
        link = other.spec.child_of
        if link is not None and link.process == spec.id:
            prefix = link.name.rpartition(".")[0]
            up = [p[7:] for read in process_reads(other, catalogue) for p in read.facts if p.startswith("parent.")]
            touched |= {*up, *(f"{prefix}.{p}" for p in up)} | {r.fact for r in other.spec.roles.values()}
        for name, child in other.children.items():
            if child == spec.id:
                rows = [p for read in process_reads(other, catalogue) for p in read.facts if p.startswith(f"{name}[].")]
                touched |= {p[len(name) + 3 :] for p in rows}
                touched |= {c.fact or c.finding for sheet in other.spec.sheets if sheet.target == name for c in sheet.columns}
    return [f for f in definition.schema.top if not any(x == f or x.startswith((f"{f}.", f"{f}[")) for x in touched)]


def _parameters(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    rules = {r.id for s in plugin.rulesets for r in s.rules}
    readers = {*used(plugin, catalogue), *(f.max_age for p in plugin.processes for f in catalogue.definitions[p.id].schema.specs.values())}
    readers |= {name for p in plugin.processes for tally in p.tallies for name in tally.policy.values()}
    # the kernel reads these itself
    readers |= {"lamp.yellow", "lamp.red"}
    for p in plugin.processes:
        spans = [x for a in p.accounts for x in (a.start, a.expires, a.notice)] + list(p.catalogue.prices.values() if p.catalogue else ())
        readers |= {word for text in spans for word in text.split()}
    left = []
    for param in plugin.parameters:
        if param.name.startswith("basis."):
            if param.name[6:] not in rules:
                yield Finding(
                    CODE, "warning", param.where, f"`{param.name}` 说的是规则 `{param.name[6:]}` 的依据，而没有这条规则",
                    f"`{param.name}` is the basis of the rule `{param.name[6:]}`, which does not exist", "核对规则编号", "check the rule's id",
                )  # fmt: skip
        elif param.name not in readers:
            left.append(param)
    if left:
        names = [p.name for p in left]
        yield Finding(
            CODE, "note", left[0].where, f"没有用到参数 {listed(names)}", f"nothing uses the parameters {listed(names, 'en')}",
            "删掉，或者在规则、时限里用它", "remove them, or use them in a rule or a deadline",
        )  # fmt: skip
