"""V034: a step, or one of its branches, that no case ever takes: its guards can never hold where it stands."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.engine.definition import Definition
from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec, StateSpec, TransitionSpec
from siquan.core.verify.barred import LATE, always, barred, reasons
from siquan.core.verify.exploration import Explored
from siquan.core.verify.explore import explored
from siquan.core.verify.finding import Finding, Way
from siquan.core.verify.graph import Graph
from siquan.core.verify.impossible import impossible

CODE = "V034"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error for a step, a warning for a branch. What is missing for want of a fact is V035, of a person V038."""
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        found, graph = explored(definition, catalogue), Graph(definition)
        reached = [s for s in process.states if all(p.nodes(s.name) for p in found.sound)]
        said: set[str] = set()
        anywhere = {t.name for t in process.anywhere}
        for state in reached:
            for step in definition.machine.steps(state.name):
                if step.name in said or (step.name in anywhere and not _everywhere(found, reached, step, definition)):
                    continue
                finding = _never(definition, found, state, step) or _impossible(definition, catalogue, graph, state, step) or _branch(definition, found, state, step)
                if finding is not None:
                    if step.name in anywhere:
                        said.add(step.name)
                    yield finding


def _everywhere(found: Explored, reached: list[StateSpec], step: TransitionSpec, definition: Definition) -> bool:
    """A step possible anywhere is barred only where it is barred everywhere."""
    states = [s for s in reached if any(t.name == step.name for t in definition.machine.steps(s.name))]
    return any(all(always(p, s, step.name) for s in states) for p in found.sound)


def _never(definition: Definition, found: Explored, state: StateSpec, step: TransitionSpec) -> Finding | None:
    part = next((p for p in found.sound if always(p, state, step.name)), None)
    if part is None:
        return None
    shown = barred(part, state, step.name)
    bars = [b for _, bs in shown for b in bs]
    if not shown or not bars or all(b.kind in (*LATE, "nobody") for b in bars):
        return None
    zh, en = reasons(definition, [b for b in bars if b.kind in ("rule", "way")])
    return _finding(definition, state, step, zh, en, part.story(shown[0][0], f"{step.title}：办不成"), part.way(shown[0][0], step.name, shown[0][1]))


def _impossible(definition: Definition, catalogue: Catalogue, graph: Graph, state: StateSpec, step: TransitionSpec) -> Finding | None:
    """The rules of one step contradict each other, whatever the facts are: proved by the solver."""
    rules = impossible(definition, catalogue, step)
    if not rules:
        return None
    shown = "、".join(f"`{r}`" for r in rules)
    return _finding(
        definition, state, step, f"{shown}合在一起，无论事实怎样都不能通过（已证明）", f"{', '.join(f'`{r}`' for r in rules)} together let no case pass (proved)",
        (*graph.stories.get(state.name, ()), f"{step.title}：办不成"), graph.ways.get(state.name),
    )  # fmt: skip


def _finding(definition: Definition, state: StateSpec, step: TransitionSpec, zh: str, en: str, story: tuple[str, ...], way: Way | None) -> Finding:
    return Finding(
        CODE, "error", step.where, f"`{definition.spec.id}`“{state.title}”里的“{step.title}”（{step.name}）永远办不成：{zh}",
        f"the step `{step.name}` in `{state.name}` of `{definition.spec.id}` can never be taken: {en}",
        "改规则的条件，或者让前面的步骤能带来别的情形；用不到就删掉", "change the conditions, or let earlier steps bring about other cases; remove it if it is not needed", story, way,
    )  # fmt: skip


def _branch(definition: Definition, found: Explored, state: StateSpec, step: TransitionSpec) -> Finding | None:
    lost: list[str] = []
    for part in found.sound:
        taken = {m.key for n in part.nodes(state.name) for m, _ in part.arrows[n] if m.step.name == step.name}
        if taken:
            lost += [k for k in step.branches if k not in taken and k not in lost]
    # several keys of one arrow: `PASS, WARN`; that one of them stays away is no fault
    lost = [k for k in lost if not any(o not in lost for o, to in step.branches.items() if to == step.branches[k])]
    if not lost:
        return None
    shown = "、".join(f"`{k}`" for k in lost)
    return Finding(
        CODE, "warning", step.where, f"`{definition.spec.id}`“{state.title}”里的“{step.title}”走到这里时不会再得出{shown}，这一路白写了",
        f"the step `{step.name}` in `{state.name}` of `{definition.spec.id}` never comes to {', '.join(f'`{k}`' for k in lost)} there",
        "删掉这一路，或者查查前面是不是已经把这种情形分走了", "remove the branch, or see whether an earlier step already led such cases away",
        found.sound[0].story(found.sound[0].nodes(state.name)[0], step.title), found.sound[0].way(found.sound[0].nodes(state.name)[0]),
    )  # fmt: skip
