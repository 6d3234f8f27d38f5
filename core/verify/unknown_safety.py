"""V031: a case that passes although a fact still missing could turn it into a refusal. Three-valued logic excludes it; the
proof holds it to that."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.proof import unknown_safe
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding
from siquan.core.verify.proved import PATIENCE, day, story

CODE = "V031"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error with the case, and a note where it was not proved in time."""
    for spec in plugin.rulesets:
        ruleset, book = catalogue.rulesets[spec.id], catalogue.book_of(spec.id)
        found = unknown_safe(ruleset, book, day(book), timeout=PATIENCE)
        if found.status == "refuted" and found.before is not None and found.after is not None:
            yield Finding(
                CODE, "error", spec.where, f"`{spec.id}` 有一种情形现在是 {found.before.outcome}，补全事实后却是 {found.after.outcome}",
                f"`{spec.id}` has a case that is {found.before.outcome} now and {found.after.outcome} once more is known",
                "改规则，使缺少的事实先要求补证", "change the rules so that the missing facts are asked for first", story(ruleset, found.completed, day(book)),
            )  # fmt: skip
        elif found.status == "not_proved":
            yield Finding(
                CODE, "note", spec.where, f"`{spec.id}` 缺少事实时是否安全，没有在限定时间内证明出来", f"whether `{spec.id}` is safe while facts are missing was not proved in time",
                "规则太多太复杂时，拆成几个规则集", "split a rule set that is too large",
            )  # fmt: skip
