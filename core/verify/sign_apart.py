"""V042: a step that signatures come to and that whoever signs may never take: it must not be taken by who acted in its own
state, where signing counts as acting; or it names roles of its own, which nobody asks."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding, listed

CODE = "V042"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error for a signature that is always refused, a warning for roles without effect."""
    for process in plugin.processes:
        for state in process.states:
            if state.sign is None:
                continue
            for step in (t for t in state.transitions if t.name in (state.sign.agree, state.sign.refuse)):
                if state.name in step.not_same_as:
                    yield Finding(
                        CODE, "error", step.where, f"`{process.id}`“{state.title}”里的“{step.title}”（{step.name}）永远办不成：它不许办过“{state.title}”的人办，而签署就算办过",
                        f"the step `{step.name}` in `{state.name}` of `{process.id}` can never be taken: nobody who acted in `{state.name}` may take it, and who signs has acted there",
                        f"把 {state.name} 从 not_same_as 里去掉；同一个人本来就只签一次", f"remove `{state.name}` from not_same_as; nobody signs twice anyhow",
                    )  # fmt: skip
                if step.by != state.sign.by:
                    yield Finding(
                        CODE, "warning", step.where, f"`{process.id}`“{state.title}”里的“{step.title}”（{step.name}）写了 by: {listed(step.by)}，而谁签由 sign 的 by 定",
                        f"the step `{step.name}` in `{state.name}` of `{process.id}` names {listed(step.by, 'en')} in `by`, while `sign` says who signs for it",
                        "去掉这一步的 by", "remove `by` of the step",
                    )  # fmt: skip
