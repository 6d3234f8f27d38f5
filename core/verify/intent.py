"""V028: a declared intent (`intents:`) that the rules break, with the case that shows it; or that could not be proved."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.errors import SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.proof import check_intents
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding
from siquan.core.verify.proved import PATIENCE, day, story

CODE = "V028"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error per broken intent, a warning per one not proved. `only` needs a version before and is judged at publishing."""
    for spec in plugin.rulesets:
        if not spec.intents:
            continue
        ruleset, book = catalogue.rulesets[spec.id], catalogue.book_of(spec.id)
        places = {i.id: i.where for i in spec.intents}
        try:
            results = check_intents(ruleset, book, day(book), timeout=PATIENCE)
        except SiquanError as fault:
            yield Finding(CODE, "error", fault.where or spec.where, fault.text("zh"), fault.text("en"), fault.help("zh"), fault.help("en"))
            continue
        for result in results:
            if result.status == "refuted" and result.witness is not None:
                yield Finding(
                    CODE, "error", places[result.id], f"意图 `{result.id}` 被打破：{result.say or spec.id}",
                    f"the intent `{result.id}` of `{spec.id}` is broken", "改规则，使这种情形不再出现；或者改意图",
                    "change the rules so that this case cannot be, or the intent",
                    (*story(ruleset, result.witness.facts, day(book), result.witness.changed), f"结论 {result.witness.new.outcome}"),
                )  # fmt: skip
            elif result.status == "not_proved":
                yield Finding(
                    CODE, "warning", places[result.id], f"意图 `{result.id}` 没有证明出来：{result.say or spec.id}",
                    f"the intent `{result.id}` of `{spec.id}` could not be proved", "把它写得更简单，或者拆成几条", "write it more simply, or as several",
                )  # fmt: skip
