"""V035: a fact that is read before anybody was asked for it, on some way: its rule asks for evidence, its deadline has no
date, and no form where the case stands can bring it. Opening and imports count as asking."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.rules import tree as t
from siquan.core.spec.model import PluginSpec, TransitionSpec
from siquan.core.verify.abstract import NO
from siquan.core.verify.barred import LATE, always, barred, names, reasons
from siquan.core.verify.exploration import Bar
from siquan.core.verify.explore import explored
from siquan.core.verify.finding import Finding

CODE = "V035"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error where every way lacks the fact, a warning where one does; each step once. And a warning for a deadline
    that never has a date."""
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        found = explored(definition, catalogue)
        seen: set[tuple[str, tuple[Bar, ...]]] = set()
        for state in process.states:
            for step in definition.machine.steps(state.name):
                for part in found.sound:
                    late = [(n, bs) for n, bs in barred(part, state, step.name) if bs and all(b.kind in LATE for b in bs)]
                    if not late or (step.name, tuple(late[0][1])) in seen:
                        continue
                    node, bars = late[0]
                    seen.add((step.name, tuple(bars)))
                    whole = always(part, state, step.name)
                    zh, en = reasons(definition, bars)
                    yield Finding(
                        CODE, "error" if whole else "warning", step.where,
                        f"`{process.id}`“{state.title}”里的“{step.title}”（{step.name}）{'办不成' if whole else '走这条路时办不成'}：{zh}",
                        f"the step `{step.name}` in `{state.name}` of `{process.id}` cannot be taken{'' if whole else ' by this way'}: {en}",
                        "在这一步或前面的步骤里问它（needs 或 asks），或者放进 opening", "ask for it in this step or an earlier one (needs or asks), or put it under opening",
                        part.story(node, f"{step.title}：缺{names(definition, dict.fromkeys(p for b in bars for p in b.facts))}"),
                        part.way(node, step.name, bars),
                    )  # fmt: skip
            for due in state.dues:
                texts = [x for x in (due.start, due.before) if x]
                for part in found.sound:
                    paths = [p for x in texts for p in _plain(part.tracked, definition.node(x, due.prefix))]
                    nodes = [n for n in part.nodes(state.name) if not part.blank(n)]
                    bare = [p for p in paths if nodes and all(part.known(n, p) is NO for n in nodes)]
                    if bare and not any(set(bare) & _asked(s) for s in definition.machine.steps(state.name)):
                        yield Finding(
                            CODE, "warning", due.where, f"`{process.id}`“{state.title}”的时限“{due.title or due.name}”从{names(definition, bare)}起算，到这里还没有人填过，永远算不出日期",
                            f"the deadline `{due.name}` in `{state.name}` of `{process.id}` counts from {names(definition, bare, 'en')}, which nobody has supplied by then",
                            "让前面的步骤问它，或者换一个起算日", "let an earlier step ask for it, or count from another day", part.story(nodes[0], f"时限“{due.title or due.name}”算不出来"),
                        )  # fmt: skip
                        break


def _plain(tracked: tuple[str, ...], node: t.Node) -> list[str]:
    return [n.path for n in t.walk(node) if isinstance(n, t.Fact) and n.path in tracked]


def _asked(step: TransitionSpec) -> set[str]:
    return {*step.needs, *step.asks}
