"""V018: steps no case takes and rules no case names as its reason. What is not tried is not known to work."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.spec.verbs import moving
from siquan.core.verify.coverage import Coverage
from siquan.core.verify.finding import Finding, listed
from siquan.core.verify.graph import Graph

CODE = "V018"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning per process for its steps and per rule set for its rules, where there are cases at all (else V017)."""
    if not any(p.cases for p in plugin.processes):
        return
    coverage = Coverage(plugin, catalogue)
    walked = {process for process, _, _ in coverage.steps}
    for process in plugin.processes:
        if not process.cases and process.id not in walked:
            continue
        taken = {(state, name) for id, state, name in coverage.steps if id == process.id}
        stories = Graph(catalogue.definitions[process.id]).stories  # an unreachable state is V001 already
        reached = [s for s in process.states if s.name in stories]
        left = [f"{s.name}.{t.name}" for s in reached for t in s.transitions if (s.name, t.name) not in taken]
        left += [t.name for t in process.anywhere if t.name not in {name for _, name in taken}]
        left += [name for name in moving(process) if ("", name) not in taken]
        total = sum(len(s.transitions) for s in reached) + len(process.anywhere) + len(moving(process))
        if left:
            yield Finding(
                CODE, "warning", process.where, f"`{process.id}` 的 {total} 步里有 {len(left)} 步没有用例走过：{listed(left)}",
                f"no case takes {len(left)} of the {total} steps of `{process.id}`: {listed(left, 'en')}",
                "各写一个用例", "write a case for each",
            )  # fmt: skip
    for spec in plugin.rulesets:
        rules = [r.id for r in spec.rules if not r.display_only]
        bare = [r for r in rules if r not in coverage.rules]
        if bare:
            yield Finding(
                CODE, "warning", spec.where, f"`{spec.id}` 的 {len(rules)} 条规则里有 {len(bare)} 条没有用例命中：{listed(bare)}",
                f"no case names {len(bare)} of the {len(rules)} rules of `{spec.id}` as its reason: {listed(bare, 'en')}",
                "写命中它的用例，because 里写规则编号", "write cases that hit them, with the rule ids in because",
            )  # fmt: skip
