"""V020: titles and sentences without English. Chinese is shown instead; the count says how much is left."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.errors import Where
from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec, ProcessSpec
from siquan.core.verify.finding import Finding, listed

CODE = "V020"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A note per process and one for the rules, each with the count and the first keys. An empty title needs none."""
    texts = plugin.locales.get("en", {})
    for process in plugin.processes:
        short = process.id.partition(".")[2]
        wanted = _wanted(process)
        left = [f"{short}.{keys[0]}" for keys in wanted if not any(k in texts or f"{short}.{k}" in texts for k in keys)]
        if left:
            yield _finding(process.id, left, len(wanted), process.where)
    keys = [f"rules.{r.id}.{kind}" for s in plugin.rulesets for r in s.rules for kind in ("title", "say") if getattr(r, kind)]
    left = [k for k in keys if not texts.get(k)]
    if left:
        yield _finding(plugin.name, left, len(keys), plugin.rulesets[0].where)


def _wanted(process: ProcessSpec) -> list[tuple[str, ...]]:
    """Texts of a process, each with the keys it may stand under."""
    out: list[tuple[str, ...]] = [("title",)]
    out += [(f"roles.{name}",) for name in process.roles]
    for state in process.states:
        out.append((f"states.{state.name}.title",))
        for step in state.transitions:
            out.append((f"states.{state.name}.{step.name}.title", f"transitions.{step.name}.title"))
    out += [(f"obligations.{o.name}.title",) for o in process.obligations]
    out += [(f"transitions.{t.name}.title", f"anywhere.{t.name}.title") for t in process.anywhere]
    return out + [(f"facts.{f.name}.title",) for f in process.facts if f.title]


def _finding(name: str, left: list[str], total: int, where: Where | None) -> Finding:
    return Finding(
        CODE, "note", where, f"`{name}` 的 {total} 处文字里有 {len(left)} 处没有英文：{listed(left, most=5)}",
        f"{len(left)} of the {total} texts of `{name}` have no English: {listed(left, 'en', 5)}",
        "写进 locales/en.yaml", "add them to locales/en.yaml",
    )  # fmt: skip
