"""V043: a state whose work is claimed or given out and that has no step of its own which a person takes: there is nothing to
do with what was claimed."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding

CODE = "V043"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning per state."""
    for process in plugin.processes:
        for state in process.states:
            if state.task is None:
                continue
            signed = (state.sign.agree, state.sign.refuse) if state.sign is not None else ()
            if not any(not t.auto and t.name not in signed for t in state.transitions):
                what_zh = "派单" if state.task.dispatcher else "签收"
                what_en = "dispatched" if state.task.dispatcher else "claimed"
                yield Finding(
                    CODE, "warning", state.task.where or state.where, f"`{process.id}`的“{state.title}”要{what_zh}，却没有一步由承办的人来办",
                    f"work in `{state.name}` of `{process.id}` is {what_en}, and the state has no step that somebody takes",
                    "去掉 task，或者给这个状态写一步由人办的", "remove `task`, or write a step that is taken by hand",
                )  # fmt: skip
