"""V030: a row or rule that could be left out without anybody noticing: it says what another says already. Of rule lists
only what stands twice is told; a weaker rule beside a stronger one has a sentence of its own."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.proof import TableIssue
from siquan.core.rules import tree as t
from siquan.core.rules.decide import RuleSet
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding, listed
from siquan.core.verify.proved import always, day, judged, story

CODE = "V030"
SAYS = {
    "masked": ("前面总有一行先适用：{others}", "a row before it always applies: {others}"),
    "subsumed": ("有它的地方 {others} 也适用，结果一样", "wherever it applies, so does {others}, with the same result"),
    "duplicate": ("和 {others} 是同一条", "it is the same as {others}"),
}


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning per row or rule. Rows that read parameters may be told apart by other values; they are not judged."""
    for spec in plugin.rulesets:
        ruleset, book = catalogue.rulesets[spec.id], catalogue.book_of(spec.id)
        if ruleset.table is not None:
            issues = [i for i in judged(catalogue, spec.id, SAYS) if not _reads_parameters(ruleset, i)]
        else:
            issues = [TableIssue("duplicate", pair, {}) for pair in always(ruleset, book).twice]
        places = {r.id: r.where for r in spec.rules}
        for issue in issues:
            zh, en = SAYS[issue.kind]
            others = issue.rules[1:]
            yield Finding(
                CODE, "warning", places[issue.rules[0]] or spec.where, f"`{spec.id}` 的 `{issue.rules[0]}` 多余，{zh.format(others=listed(others))}",
                f"`{issue.rules[0]}` of `{spec.id}` is superfluous: {en.format(others=listed(others, 'en'))}", "删掉它，或者改它的条件",
                "drop it, or change its condition", story(ruleset, issue.example, day(book)),
            )  # fmt: skip


def _reads_parameters(ruleset: RuleSet, issue: TableIssue) -> bool:
    rules = [r for r in ruleset.rules if r.spec.id in issue.rules]
    return any(isinstance(n, t.Param) for r in rules for n in t.walk(r.condition))
