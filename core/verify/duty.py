"""V060: an obligation that can never be met: its step or child does not exist, nobody can come to it, or not within a period."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from siquan.core.engine.definition import Definition
from siquan.core.obligations.periods import MONTHS, period_of
from siquan.core.plugins import Catalogue
from siquan.core.rules import tree as t
from siquan.core.spec.model import ObligationSpec, PluginSpec, StateSpec, TransitionSpec
from siquan.core.verify.finding import Finding, listed
from siquan.core.verify.graph import Graph
from siquan.core.verify.supply import transitions

CODE = "V060"
EXAMPLE = dt.date(2026, 1, 1)
DAYS = {"day": 1.0, "workday": 1.4, "month": 30.4}


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error each, with the period that goes by as the story."""
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        graph = Graph(definition) if process.obligations else None
        for duty in process.obligations:
            assert graph is not None
            why = _never(definition, graph, duty)
            if why is not None:
                yield Finding(
                    CODE, "error", duty.where, f"`{process.id}` 的义务“{duty.title}”永远履行不了：{why[0]}",
                    f"the obligation `{duty.name}` of `{process.id}` can never be met: {why[1]}", why[2], why[3], (*why[4], *_lapse(duty)),
                )  # fmt: skip


Why = tuple[str, str, str, str, tuple[str, ...]]


def _never(definition: Definition, graph: Graph, duty: ObligationSpec) -> Why | None:
    if duty.met_when:
        node = definition.of_period(duty.met_when)[0]
        if isinstance(node, t.Literal) and node.value is not True:
            return f"条件 `{duty.met_when}` 从来不成立", f"`{duty.met_when}` never holds", "改条件", "change the condition", ()
        return None
    if duty.child:
        return _child(definition, graph, duty)
    ways = [(s, x) for s in definition.spec.states for x in definition.machine.steps(s.name) if x.name == duty.act]
    if not ways:
        names = list(dict.fromkeys(x.name for x in transitions(definition)))
        return (
            f"没有 `{duty.act}` 这一步", f"there is no step `{duty.act}`", f"写 {listed(names)} 之一", f"write one of {listed(names, 'en')}", (),
        )  # fmt: skip
    return _reached(graph, duty, ways)


def _child(definition: Definition, graph: Graph, duty: ObligationSpec) -> Why | None:
    process = definition.children.get(duty.child)
    if process is None:
        names = list(definition.children)
        return (
            f"没有叫 `{duty.child}` 的子事项", f"there are no children `{duty.child}`", f"写 {listed(names) or '一个子流程的名字'}",
            f"write {listed(names, 'en') or 'the name of a child process'}", (),
        )  # fmt: skip
    if any(s.target == duty.child for s in definition.spec.sheets):
        return None
    ways = [(s, x) for s in definition.spec.states for x in definition.machine.steps(s.name) if x.opens == process]
    if not ways:
        return (
            f"没有一步开办 `{duty.child}`", f"no step opens `{duty.child}`", f"在某一步写 opens: {process.rpartition('.')[2]}",
            f"write opens: {process.rpartition('.')[2]} in a step", (),
        )  # fmt: skip
    return _reached(graph, duty, ways)


def _reached(graph: Graph, duty: ObligationSpec, ways: list[tuple[StateSpec, TransitionSpec]]) -> Why | None:
    """Whether one of the ways can be gone while the case runs, and within a period."""
    # a closed case owes nothing any more
    live = [(s, x) for s, x in ways if s.name in graph.stories and not s.final]
    if not live:
        state = ways[0][0]
        return (
            f"`{ways[0][1].name}` 只在走不到或已办结的“{state.title}”里", f"`{ways[0][1].name}` stands only in `{state.name}`, which is never reached or is final",
            "让它在办理期间能办", "offer the step while the case runs", (),
        )  # fmt: skip
    longest = 31 * MONTHS[duty.every]
    slow = [(s, x, wait) for s, x in live if (wait := _wait(s, x)) > longest]
    if len(slow) < len(live):
        return None
    state, step, wait = slow[0]
    return (
        f"“{step.title}”要等 {wait:.0f} 天，一期最长 {longest} 天", f"`{step.name}` waits {wait:.0f} days, a period has at most {longest}",
        "缩短 not_before 的时限，或者改成更长的周期", "shorten the deadline of not_before, or take longer periods", (*graph.stories[state.name], state.title),
    )  # fmt: skip


def _wait(state: StateSpec, step: TransitionSpec) -> float:
    """The days that have to go by in the state before the step may be taken, as far as the file alone says."""
    due = next((d for d in state.dues if d.name == step.not_before), None)
    if due is None or not due.n.isdigit() or due.start or due.before:
        return 0
    return int(due.n) * DAYS[due.unit]


def _lapse(duty: ObligationSpec) -> tuple[str, ...]:
    first = period_of(EXAMPLE, duty.every)
    return f"{first.start} {first.label(duty.every)[0]}开始", f"{first.end} 期末", "记为未履行"
