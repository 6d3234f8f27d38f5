"""V024: a decision table with a case for which it has no row. The decision is then BLOCK, with nothing to say why."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.cells import Cells, NotFinite
from siquan.core.verify.finding import Finding

CODE = "V024"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning per table with the first such case; parameters count with their newest values. Tables that compute on
    their facts are not judged."""
    for spec in plugin.rulesets:
        if spec.hit_policy in ("C", "C#"):
            continue
        cells = Cells(catalogue.rulesets[spec.id], catalogue.book_of(spec.id))
        try:
            case = next((c for c in cells.cases() if not c.hits), None)
        except NotFinite:
            continue
        if case is not None:
            yield Finding(
                CODE, "warning", spec.where, f"决策表 `{spec.id}` 有一种情形没有一行适用", f"the table `{spec.id}` has no row for one case",
                "补一行；其余情形可以写一行全是 - 的（命中方式 F 或 P）", "add a row; for the rest a row of dashes (hit policy F or P)", cells.story(case),
            )  # fmt: skip
