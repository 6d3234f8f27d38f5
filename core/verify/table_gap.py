"""V024: a decision table with a case for which it has no row. The decision is then BLOCK, with nothing to say why."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.cells import Cells, NotFinite
from siquan.core.verify.finding import Finding
from siquan.core.verify.proved import judged, story

CODE = "V024"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning per table with the first such case; parameters count with their newest values. A table that is more than
    a few cases is asked of the proofs."""
    for spec in plugin.rulesets:
        if spec.hit_policy in ("C", "C#") or spec.default is not None:
            continue
        cells = Cells(catalogue.rulesets[spec.id], catalogue.book_of(spec.id))
        try:
            case = next((c for c in cells.cases() if not c.hits), None)
        except NotFinite:
            stories = [story(catalogue.rulesets[spec.id], i.example, cells.on) for i in judged(catalogue, spec.id, ("gap",))]
        else:
            stories = [cells.story(case)] if case is not None else []
        for example in stories:
            yield Finding(
                CODE, "warning", spec.where, f"决策表 `{spec.id}` 有一种情形没有一行适用", f"the table `{spec.id}` has no row for one case",
                "补一行；其余情形可以写一行全是 - 的（命中方式 F 或 P）", "add a row; for the rest a row of dashes (hit policy F or P)", example,
            )  # fmt: skip
