"""V039: what was not explored. A process with too many combinations is walked fact by fact; one that is too large even for
that is not judged, and says so."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.explore import MOST, explored
from siquan.core.verify.finding import Finding

CODE = "V039"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning where nothing can be said; a note where facts were walked one group at a time."""
    for process in plugin.processes:
        found = explored(catalogue.definitions[process.id], catalogue)
        if found.whole:
            continue
        cut = [p for p in found.parts if p.cut]
        if cut:
            groups = "；".join("、".join(p.tracked) for p in cut[:3])
            yield Finding(
                CODE, "warning", process.where, f"`{process.id}` 没有走遍：{groups or '所有事实'}的组合超过 {MOST} 种，V032 至 V038 对它们没有结论",
                f"`{process.id}` was not explored: more than {MOST} combinations of {groups or 'its facts'}; V032 to V038 say nothing of them",
                "把流程拆小，或者把几项事实合成一张决策表", "split the process, or put the facts into one decision table",
            )  # fmt: skip
        else:
            yield Finding(
                CODE, "note", process.where, f"`{process.id}` 的事实太多，没有走遍全部组合；按 {len(found.parts)} 组事实分别走遍了",
                f"`{process.id}` has too many facts to explore all combinations; each of {len(found.parts)} groups of facts was explored by itself",
            )  # fmt: skip
