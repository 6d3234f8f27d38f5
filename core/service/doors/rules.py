"""Rules in the hands of the policy team."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from siquan.core.policy.views import (
    DifferenceLine,
    DraftPage,
    DraftResult,
    FlipView,
    ImpactCard,
    ImpactPage,
    RuleSetCard,
    RuleSetPage,
)
from siquan.core.service.app import App
from siquan.core.service.drafts import Drafts
from siquan.core.service.flips import Flips
from siquan.core.service.impacts import Impacts
from siquan.core.service.migrating import Migrating
from siquan.core.service.rules import Rules


class RulesDoor:
    app: App
    _rules: Rules
    _drafts: Drafts
    _impacts: Impacts
    _flips: Flips
    _migrating: Migrating

    def rule_sets(self, person: str, lang: str = "zh") -> tuple[RuleSetCard, ...]:
        return self._rules.cards(person, lang)

    def rule_set(self, ruleset: str, person: str, lang: str = "zh", on: dt.date | None = None, version: str = "") -> RuleSetPage:
        return self._rules.page(ruleset, person, lang, on, version)

    def rule_diff(self, ruleset: str, before: str, after: str, person: str, lang: str = "zh") -> tuple[DifferenceLine, ...]:
        return self._rules.differences(ruleset, before, after, person, lang)

    def rule_file(self, ruleset: str, version: str, kind: str, person: str) -> tuple[str, bytes]:
        return self._rules.file(ruleset, version, kind, person)

    def version_id(self, ruleset: str, name: str) -> str:
        """The id of a version given by label (`v3`) or id. Raises NotFound."""
        self.app.catalogue.ruleset(ruleset)
        with self.app.store.read() as tx:
            found = self._rules.find(tx, ruleset, name)
            return found.id if found is not None else ""

    def start_draft(self, ruleset: str, person: str, title: str = "") -> DraftResult:
        return self._drafts.start(ruleset, person, title)

    def draft(self, version: str, person: str, lang: str = "zh", wait: float | None = 1.5) -> DraftPage:
        return self._drafts.page(version, person, lang, wait)

    def edit_draft(self, version: str, person: str, edits: Sequence[Mapping[str, Any]], revision: int | None = None) -> DraftResult:
        return self._drafts.edit(version, person, edits, revision)

    def upload_draft(self, version: str, person: str, filename: str, data: bytes, revision: int | None = None) -> DraftResult:
        return self._drafts.upload(version, person, filename, data, revision)

    def merge_draft(self, version: str, person: str, revision: int | None = None) -> DraftResult:
        return self._drafts.merge(version, person, revision)

    def discard_draft(self, version: str, person: str) -> None:
        self._drafts.discard(version, person)

    def start_impact(self, version: str, person: str) -> ImpactCard:
        return self._impacts.start(version, person)

    def run_impact(self, version: str, person: str, progress: Callable[[int, int], None] | None = None) -> ImpactPage:
        """Here and now, for the command line."""
        self._impacts.run(version, person, progress)
        return self._impacts.page(version, person, "zh")

    def cancel_impact(self, version: str, person: str) -> ImpactCard:
        return self._impacts.cancel(version, person)

    def impact(
        self, version: str, person: str, lang: str = "zh", rule: str = "", before: str = "", after: str = "", open_only: bool = False,
        page: int = 1,
    ) -> ImpactPage:  # fmt: skip
        return self._impacts.page(version, person, lang, rule, before, after, open_only, page)

    def flip(self, version: str, id: str, person: str, lang: str = "zh") -> FlipView:
        return self._flips.view(version, id, person, lang)

    def impact_file(self, version: str, person: str) -> tuple[str, bytes]:
        return self._impacts.file(version, person)

    def submit_draft(self, version: str, person: str, effective: dt.date, reason: str, revision: int | None = None) -> DraftResult:
        return self._drafts.submit(version, person, effective, reason, revision)

    def sign_draft(self, version: str, person: str, approve: bool, opinion: str = "") -> DraftResult:
        return self._drafts.sign(version, person, approve, opinion)

    def recall_draft(self, version: str, person: str) -> DraftResult:
        return self._drafts.recall(version, person)

    def publish_draft(self, version: str, person: str) -> DraftResult:
        return self._drafts.publish(version, person)

    def withdraw_version(self, version: str, person: str, reason: str) -> DraftResult:
        return self._drafts.withdraw(version, person, reason)

    def migrate_case(self, case_id: str, version: str, person: str, reason: str) -> DraftResult:
        return self._migrating.migrate(case_id, version, person, reason)

    def new_baselines(self) -> int:
        """Shipped rule sets that changed under a published version become drafts; how many did."""
        with self.app.store.begin() as tx:
            return len(self._rules.life.arrivals(tx))
