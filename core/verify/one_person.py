"""V038: a step nobody may take on some way: the person who may stands in a fact nobody has filled in yet, or it is the
very person who is kept from it by four eyes."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.engine.access import acting_roles
from siquan.core.engine.definition import Definition
from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec, StateSpec, TransitionSpec
from siquan.core.verify.barred import always, barred, reasons
from siquan.core.verify.exploration import Bar
from siquan.core.verify.explore import explored
from siquan.core.verify.finding import Finding
from siquan.core.verify.supply import transitions

CODE = "V038"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error where nobody ever may, a warning where one way leads there."""
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        found = explored(definition, catalogue)
        for state in process.states:
            for step in definition.machine.steps(state.name):
                who = _same(definition, state, step)
                if who and found.parts[0].nodes(state.name):
                    node = found.parts[0].nodes(state.name)[0]
                    yield Finding(
                        CODE, "error", step.where, f"`{process.id}`“{state.title}”里的“{step.title}”（{step.name}）没有人能办：只有“{process.roles[who].title}”能办，而他办过前一步，按分工不能再办",
                        f"nobody may take the step `{step.name}` in `{state.name}` of `{process.id}`: only `{who}` may, and that one person took the step it must differ from",
                        "加一个能办的角色，或者去掉 not_same_as、separate 里的这一条", "let another role take it, or remove it from not_same_as or separate",
                        found.parts[0].story(node, f"{step.title}：无人可办"), found.parts[0].way(node, step.name, [Bar("person")]),
                    )  # fmt: skip
                for part in found.sound:
                    bare = [(n, bs) for n, bs in barred(part, state, step.name) if bs and all(b.kind == "nobody" for b in bs)]
                    if bare:
                        zh, en = reasons(definition, bare[0][1])
                        whole = always(part, state, step.name)
                        yield Finding(
                            CODE, "error" if whole else "warning", step.where,
                            f"`{process.id}`“{state.title}”里的“{step.title}”（{step.name}）{'' if whole else '走这条路时'}没有人能办：{zh}",
                            f"nobody may take the step `{step.name}` in `{state.name}` of `{process.id}`{'' if whole else ' by this way'}: {en}",
                            "让前面的步骤填上这个人，或者加一个能办的角色", "let an earlier step name the person, or let another role take the step",
                            part.story(bare[0][0], f"{step.title}：无人可办"), part.way(bare[0][0], step.name, bare[0][1]),
                        )  # fmt: skip
                        break


def _sole(definition: Definition, state: StateSpec | None, step: TransitionSpec) -> str:
    """The one role that may take a step, where it is a person in a fact that never changes once the case is under way."""
    roles = acting_roles(definition.spec, state, step)
    if len(roles) != 1 or roles[0] not in definition.spec.roles or not definition.spec.roles[roles[0]].fact:
        return ""
    fact = definition.spec.roles[roles[0]].fact
    changed = any(fact in (*t.needs, *t.asks, *t.set) for t in transitions(definition))
    return "" if changed else roles[0]


def _same(definition: Definition, state: StateSpec, step: TransitionSpec) -> str:
    """The role, where the one person who may take the step must have taken another it excludes."""
    who, spec = _sole(definition, state, step), definition.spec
    if not who:
        return ""
    for name in step.not_same_as:
        other = spec.state(name)
        if other is not None and other.transitions and all(_sole(definition, other, t) == who for t in other.transitions):
            return who
    return ""
