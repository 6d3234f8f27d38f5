"""V006: an outcome or value that the rules of a step can give and that leads nowhere. The step is then refused: with
reasons when evidence is missing or a procedure stops it, for no visible reason otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.engine.definition import Definition
from siquan.core.plugins import Catalogue
from siquan.core.rules import tree as t
from siquan.core.spec.model import PluginSpec, TransitionSpec
from siquan.core.verify.finding import Finding
from siquan.core.verify.graph import Graph
from siquan.core.verify.known import Known
from siquan.core.verify.possible import possible

CODE = "V006"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning where only EVIDENCE or BLOCK is unmapped, else an error."""
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        graph, known = Graph(definition), Known(definition, catalogue)
        seen = set()
        for state in process.states:
            for step in definition.machine.steps(state.name):
                if not (step.decide and step.branches) or state.name not in graph.stories:
                    continue
                lost = _lost(definition, catalogue, step, known, state.name)
                for severity, keys in (("error", _hard(lost)), ("warning", _soft(lost))):
                    if not keys or (step.name, severity, tuple(keys)) in seen:
                        continue
                    seen.add((step.name, severity, tuple(keys)))
                    zh = "、".join(f"`{k}`" + (f"（规则 `{r}`）" if r else "") for k, r in keys.items())
                    en = ", ".join(f"`{k}`" + (f" (rule `{r}`)" if r else "") for k, r in keys.items())
                    yield Finding(
                        CODE, "error" if severity == "error" else "warning", step.where,
                        f"`{process.id}` 的“{step.title}”可能得出{zh}，to 里没有写去向",
                        f"the step `{step.name}` of `{process.id}` may come to {en}, and `to` does not say where that leads",
                        "在 to: 里补上" if severity == "error" else "没有去向时这一步会被拦下并说明理由；有意如此可以不管，否则在 to: 里补上",
                        "add it to `to:`" if severity == "error" else "without a target the step is refused with its reasons; add it to `to:` unless that is meant",
                        (*graph.stories[state.name], step.title),
                    )  # fmt: skip


def _lost(definition: Definition, catalogue: Catalogue, step: TransitionSpec, known: Known, state: str) -> dict[str, str]:
    """Unmapped keys with the rule that can give them. A value goes by its own key, else by PASS."""

    def certain(node: t.Node) -> bool:
        return known.certain(node, state, step)

    found = possible(definition.rulesets[step.decide], catalogue.book_of(step.decide), certain)
    out = {}
    if "PASS" not in step.branches:
        if found.values:
            out.update({v: r for v, r in found.values.items() if v not in step.branches})
        else:
            out["PASS"] = ""
    out.update({o: r for o, r in found.outcomes.items() if o != "PASS" and o not in step.branches})
    return out


def _hard(lost: dict[str, str]) -> dict[str, str]:
    return {k: r for k, r in lost.items() if k not in ("EVIDENCE", "BLOCK")}


def _soft(lost: dict[str, str]) -> dict[str, str]:
    return {k: r for k, r in lost.items() if k in ("EVIDENCE", "BLOCK")}
