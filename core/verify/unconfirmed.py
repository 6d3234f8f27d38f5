"""V012: a REJECT that becomes final though no person answers for it. REJECT is a proposal until a named person
confirms it (design part 5), so the way from it to a final state needs a person, and `confirms` or an opinion."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec, TransitionSpec
from siquan.core.verify.finding import Finding
from siquan.core.verify.graph import Graph

CODE = "V012"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error where the decision itself or the clock makes it final, a warning where a person does so without
    `confirms` or a required opinion."""
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        graph = Graph(definition)
        finals = {s.name for s in process.states if s.final}
        for state in process.states:
            for step in definition.machine.steps(state.name):
                goal = step.branches.get("REJECT")
                if goal is None or state.name not in graph.stories:
                    continue
                proposed = goal or state.name
                story = (*graph.stories[state.name], f"{step.title}（REJECT）")
                if proposed in finals:
                    if step.auto or step.name in graph.clocked(state.name) or not answered(step):
                        yield _finding("error", process.id, step, proposed, story, "判定一作出就办结了", "the decision itself makes it final")
                    continue
                for way, end in graph.arrows[proposed]:
                    if end not in finals:
                        continue
                    if way.auto or way.name in graph.clocked(proposed):
                        yield _finding("error", process.id, way, end, (*story, way.title), "是到点自动办结的", "the clock makes it final")
                    elif not answered(way):
                        yield _finding("warning", process.id, way, end, (*story, way.title), "没有写 confirms 或必填意见", "it has neither `confirms` nor a required opinion")


def answered(step: TransitionSpec) -> bool:
    return step.confirms or step.opinion == "required"


def _finding(
    severity: str, process: str, step: TransitionSpec, goal: str, story: tuple[str, ...], zh: str, en: str
) -> Finding:
    return Finding(
        CODE, "error" if severity == "error" else "warning", step.where,
        f"`{process}` 的“{step.title}”把“拟不通过”变成了终局 `{goal}`：{zh}", f"the step `{step.name}` of `{process}` makes a REJECT final in `{goal}`: {en}",
        "先进入一个提议状态，再由具名的人确认：confirms: true", "let it be a proposal first, which a named person confirms: confirms: true", story,
    )  # fmt: skip
