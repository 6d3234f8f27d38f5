"""V004: a step nobody may ever take: its roles belong to a level the case's place has not, or to a person fact that
nothing supplies, or there are no roles at all; or it is `auto` and no deadline fires it. Likewise work that nobody may send
out, and a signature nobody may give where each one counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from siquan.core.engine.access import RANK, acting_roles, nobody_policy
from siquan.core.engine.definition import Definition
from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec, ProcessSpec, RoleSpec, StateSpec, TransitionSpec
from siquan.core.verify.finding import Finding
from siquan.core.verify.graph import Graph
from siquan.core.verify.supply import Supply

CODE = "V004"
#: the units above a place, narrowest first; a grid is no place of cases and above none
LEVELS = ("compound", "community", "street", "district")


def place_of(definition: Definition, catalogue: Catalogue) -> str:
    """A child stands where its parent stands."""
    link = definition.spec.child_of
    if link is not None and link.process in catalogue.definitions:
        return place_of(catalogue.definitions[link.process], catalogue)
    return definition.spec.place


def why_not(role: RoleSpec, place: str, supply: Supply) -> tuple[str, str] | None:
    """Why nobody can ever hold the role, in Chinese and English; None when somebody can."""
    if role.fact:
        path = role.fact if role.fact in supply.definition.schema else f"parent.{role.fact}"
        if not supply.gives(path):
            return f"角色“{role.title}”由事实 `{role.fact}` 指定，而没有表单填它", f"`{role.name}` is the person in `{role.fact}`, which no form supplies"
        return None
    if role.kind in ("starter", "group", "unit"):
        # whether anybody is in the group or at the unit is seen when the step is due
        return None
    if role.kind == "leaders" and place and RANK.index(role.scope) < RANK.index(place):
        return f"角色“{role.title}”是到 {role.scope} 为止的负责人，而办理地点是 {place}", f"`{role.name}` are leaders up to `{role.scope}`, below which no case at a {place} is"
    if role.level and place and role.level not in LEVELS[LEVELS.index(place) :]:
        return f"角色“{role.title}”设在 {role.level}，而办理地点是 {place}", f"`{role.name}` is at the level `{role.level}`, which a case at a {place} has not"
    return None


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error for every such step of a reachable state."""
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        graph, supply, place = Graph(definition), Supply(definition, catalogue), place_of(definition, catalogue)
        for state in process.states:
            if state.name not in graph.stories:
                continue
            verbs = [v.step for v in process.verbs if v.step.by and (state.name in v.step.only if v.step.only else not state.final)]
            for step in (*(state.transitions if state.final else definition.machine.steps(state.name)), *verbs):
                why = _why(definition, state, step, place, supply, graph)
                if why is not None:
                    yield Finding(
                        CODE, "error", step.where, f"`{process.id}` 的“{state.title}”里，“{step.title}”（{step.name}）没有人能办：{why[0]}",
                        f"nobody may take the step `{step.name}` in `{state.name}` of `{process.id}`: {why[1]}",
                        "改 by 或角色的级别，或在 if_nobody 里写由谁代办", "change `by` or the role, or say under if_nobody who stands in",
                        graph.stories[state.name], replace(graph.ways[state.name], barred=step.name, kind="nobody"),
                    )  # fmt: skip
            yield from _tasks(definition, state, place, supply, graph)


def _tasks(definition: Definition, state: StateSpec, place: str, supply: Supply, graph: Graph) -> Iterator[Finding]:
    """Work that nobody can send out, and a signature that is missing for ever where each one counts."""
    spec = definition.spec
    groups: list[tuple[tuple[str, ...], str, str]] = []
    if state.task is not None and state.task.dispatcher:
        groups.append((state.task.dispatcher, "派单", "dispatch the work"))
    if state.sign is not None and state.sign.mode in ("all", "order") and len(state.sign.by) > 1:
        groups += [((role,), f"以{spec.role(role).title}签署", f"sign as `{role}`") for role in state.sign.by]
    for roles, zh, en in groups:
        reasons = [_cannot(spec, state, r, place, supply) for r in roles]
        found = [r for r in reasons if r is not None]
        if found and len(found) == len(roles):
            where = (state.task if zh == "派单" else state.sign).where  # type: ignore[union-attr]
            yield Finding(
                CODE, "error", where or state.where, f"`{spec.id}` 的“{state.title}”没有人能{zh}：{'；'.join(r[0] for r in found)}",
                f"nobody may {en} in `{state.name}` of `{spec.id}`: {'; '.join(r[1] for r in found)}",
                "改角色或角色的级别，或在 if_nobody 里写由谁代办", "change the role or its level, or say under if_nobody who stands in", graph.stories[state.name],
            )  # fmt: skip


def _why(
    definition: Definition, state: StateSpec, step: TransitionSpec, place: str, supply: Supply, graph: Graph
) -> tuple[str, str] | None:
    spec = definition.spec
    if step.name in graph.clocked(state.name):
        return None
    if step.auto:
        return "标了 auto，却没有时限来触发它", "it is `auto`, and no deadline fires it"
    names = acting_roles(spec, state, step)
    if not names:
        opener = state.name == spec.initial.name and not spec.child_of
        return None if opener else ("流程没有角色", "the process has no roles")
    reasons = []
    for name in names:
        why = _cannot(spec, state, name, place, supply)
        if why is None:
            return None
        reasons.append(why)
    return "；".join(r[0] for r in reasons), "; ".join(r[1] for r in reasons)


def _cannot(spec: ProcessSpec, state: StateSpec, name: str, place: str, supply: Supply) -> tuple[str, str] | None:
    """Why nobody can ever hold the role, nor who stands in for it."""
    role = spec.role(name)
    why, other = why_not(role, place, supply), spec.roles.get(nobody_policy(spec, state, name))
    if why is not None and not role.fact and other is not None and why_not(other, place, supply) is None:
        return None
    return why
