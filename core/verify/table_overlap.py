"""V025: two rows for one case in a table whose hit policy promises one (U), or that must agree and do not (A). The
decision is then BLOCK."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec, RuleSetSpec
from siquan.core.spec.table import identity
from siquan.core.verify.cells import Cells, NotFinite
from siquan.core.verify.finding import Finding, listed
from siquan.core.verify.proved import judged, story

CODE = "V025"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning per set of rows with the first such case; parameters count with their newest values. A table that is more
    than a few cases is asked of the proofs."""
    for spec in plugin.rulesets:
        if spec.hit_policy not in ("U", "A"):
            continue
        places = {r.id: r.where for r in spec.rules}
        for ids, example in _clashes(catalogue, spec):
            yield Finding(
                CODE, "warning", places[ids[1]], f"决策表 `{spec.id}` 的 {listed(ids)} 会同时适用，而命中方式是 {spec.hit_policy}",
                f"the rows {listed(ids, 'en')} of the table `{spec.id}` fit one case, though its hit policy is {spec.hit_policy}",
                "改条件，或改命中方式（F 取第一行，P 按优先级）", "change the rows, or the hit policy (F takes the first, P goes by priority)", example,
            )  # fmt: skip


def _clashes(catalogue: Catalogue, spec: RuleSetSpec) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The rows that meet and must not, with a case in words."""
    cells = Cells(catalogue.rulesets[spec.id], catalogue.book_of(spec.id))
    out: dict[tuple[str, ...], tuple[str, ...]] = {}
    try:
        for case in cells.cases():
            ids = tuple(r.spec.id for r in case.hits)
            agree = spec.hit_policy == "A" and len({identity(r.spec.out) for r in case.hits}) == 1
            if len(ids) > 1 and not agree and ids not in out:
                out[ids] = cells.story(case)
    except NotFinite:
        kinds = ("overlap", "duplicate") if spec.hit_policy == "U" else ("conflict",)
        return [(i.rules, story(catalogue.rulesets[spec.id], i.example, cells.on)) for i in judged(catalogue, spec.id, kinds)]
    return list(out.items())
