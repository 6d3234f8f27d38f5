"""V011: a rule of a list that stops or warns people without saying on what it stands. Without a basis a REJECT is
capped to advice; without a clause nobody can check it."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding
from siquan.core.verify.possible import outcomes_of

CODE = "V011"
HARD = {"REJECT", "BLOCK", "WARN"}


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error for REJECT, BLOCK or WARN without a basis and for STATUTE without a clause; else a warning."""
    for spec in plugin.rulesets:
        if spec.table:
            continue
        for rule in catalogue.rulesets[spec.id].rules:
            asked = outcomes_of(rule) - {"PASS"}
            basis = rule.spec.basis or spec.default_basis
            if not asked or basis and rule.spec.cite:
                continue
            hard = bool(asked & HARD) if not basis else basis == "STATUTE"
            what_zh, what_en = ("依据", "basis") if not basis else ("条款", "clause")
            yield Finding(
                CODE, "error" if hard else "warning", rule.spec.where,
                f"规则 `{rule.spec.id}`（{rule.spec.title or rule.spec.say}）会得出 {'、'.join(sorted(asked))}，没有写{what_zh}",
                f"the rule `{rule.spec.id}` may come to {', '.join(sorted(asked))} and has no {what_en}",
                "写 basis: 和 cite:；我们自己定的写 basis: LOCAL, cite: 本地设定", "add basis: and cite:; a rule of our own is LOCAL",
            )  # fmt: skip
