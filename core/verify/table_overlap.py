"""V025: two rows for one case in a table whose hit policy promises one (U), or that must agree and do not (A). The
decision is then BLOCK."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.cells import Cells, NotFinite
from siquan.core.verify.finding import Finding, listed

CODE = "V025"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning per pair of rows with the first such case; parameters count with their newest values."""
    for spec in plugin.rulesets:
        if spec.hit_policy not in ("U", "A"):
            continue
        cells = Cells(catalogue.rulesets[spec.id], catalogue.book_of(spec.id))
        seen = set()
        try:
            for case in cells.cases():
                ids = tuple(r.spec.id for r in case.hits)
                agree = spec.hit_policy == "A" and len({str(r.spec.out) for r in case.hits}) == 1
                if len(ids) < 2 or agree or ids in seen:
                    continue
                seen.add(ids)
                yield Finding(
                    CODE, "warning", case.hits[1].spec.where, f"决策表 `{spec.id}` 的 {listed(ids)} 会同时适用，而命中方式是 {spec.hit_policy}",
                    f"the rows {listed(ids, 'en')} of the table `{spec.id}` fit one case, though its hit policy is {spec.hit_policy}",
                    "改条件，或改命中方式（F 取第一行，P 按优先级）", "change the rows, or the hit policy (F takes the first, P goes by priority)", cells.story(case),
                )  # fmt: skip
        except NotFinite:
            continue
