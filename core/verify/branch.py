"""V007: a branch that can never be taken: its key is neither an outcome nor a value of the rule set, or the step
decides nothing at all."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.rules.decision import OUTCOMES
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding, listed
from siquan.core.verify.possible import possible
from siquan.core.verify.supply import transitions

CODE = "V007"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error for every such key."""
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        for step in transitions(definition):
            if not step.branches:
                continue
            if not step.decide:
                yield Finding(
                    CODE, "error", step.where, f"`{process.id}` 的“{step.title}”按结论分路，却没有写 decide",
                    f"the step `{step.name}` of `{process.id}` branches, and has no `decide`",
                    "写上 decide: 规则集，或者只写一个去向", "add `decide:`, or write a single target",
                )  # fmt: skip
                continue
            found = possible(definition.rulesets[step.decide], catalogue.book_of(step.decide), lambda _: True)
            if found.computed:
                continue
            for key in step.branches:
                if key in OUTCOMES or key in found.values:
                    continue
                known = [*found.values, *OUTCOMES]
                yield Finding(
                    CODE, "error", step.where, f"`{process.id}` 的“{step.title}”有一路写着 `{key}`，既不是结论，也不是 `{step.decide}` 的取值",
                    f"the branch `{key}` of the step `{step.name}` of `{process.id}` is neither an outcome nor a value of `{step.decide}`",
                    f"可用 {listed(known)}", f"known: {listed(known, 'en')}",
                )  # fmt: skip
