"""V016: a step that stands on STATUTE and does not say who acts when its role has no holder. The default is to go
`up`; where the law orders the step somebody must have thought about it (design part 6)."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.engine.access import acting_roles
from siquan.core.engine.definition import Definition
from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec, StateSpec
from siquan.core.verify.finding import Finding, listed

CODE = "V016"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning per state, naming the roles."""
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        for state in process.states:
            if state.final or state.if_nobody:
                continue
            why = _statutory(definition, state)
            roles = {r for s in state.transitions for r in acting_roles(process, state, s)}
            bare = sorted(r for r in roles if r not in process.if_nobody and not process.role(r).fact and process.role(r).kind != "starter")
            if why and bare:
                yield Finding(
                    CODE, "warning", state.where, f"`{process.id}` 的“{state.title}”是法定的一步（{why}），没有写{listed(bare)}无人担任时怎么办",
                    f"the step `{state.name}` of `{process.id}` stands on STATUTE ({why}) and does not say what happens when {listed(bare, 'en')} has no holder",
                    "写 if_nobody: up、block 或另一个角色", "write if_nobody: up, block or another role",
                )  # fmt: skip


def _statutory(definition: Definition, state: StateSpec) -> str:
    """The deadline or rule that makes the step one of law; empty when none does."""
    for due in state.dues:
        if due.basis == "STATUTE":
            return due.title or due.name
    for step in state.transitions:
        for name in (step.decide, *step.check):
            ruleset = definition.rulesets.get(name)
            for rule in ruleset.spec.rules if ruleset else ():
                if (rule.basis or ruleset.spec.default_basis if ruleset else "") == "STATUTE":
                    return rule.id
    return ""
