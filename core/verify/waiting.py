"""V015: a step that waits (`not_before`) for a deadline its state does not have. It then waits for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding, listed

CODE = "V015"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error for every such step; one that is possible anywhere must find its deadline in some state."""
    for process in plugin.processes:
        everywhere = [d.name for s in process.states for d in s.dues]
        steps = [(s, [d.name for d in state.dues]) for state in process.states for s in state.transitions]
        for step, names in (*steps, *((s, everywhere) for s in process.anywhere)):
            if step.not_before and step.not_before not in names:
                yield Finding(
                    CODE, "error", step.where, f"`{process.id}` 的“{step.title}”要等时限 `{step.not_before}` 届满，这里没有这个时限",
                    f"the step `{step.name}` of `{process.id}` waits for the deadline `{step.not_before}`, which is not there",
                    f"已有：{listed(names) or '没有'}", f"known: {listed(names, 'en') or 'none'}",
                )  # fmt: skip
