"""V029: a rule or row whose condition can never be true, whatever the facts and parameters are."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding
from siquan.core.verify.proved import always

CODE = "V029"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning per rule. A rule that a parameter switches off for now is none."""
    for spec in plugin.rulesets:
        ruleset, book = catalogue.rulesets[spec.id], catalogue.book_of(spec.id)
        places = {r.id: r.where for r in spec.rules}
        for id in always(ruleset, book).never:
            yield Finding(
                CODE, "warning", places[id] or spec.where, f"`{spec.id}` 的 `{id}` 永远不会成立", f"`{id}` of `{spec.id}` can never be true",
                "看看条件是不是互相矛盾，或者超出了事实的取值范围", "look whether its parts contradict each other, or lie outside what the fact may be",
            )  # fmt: skip
