"""What the pages need of the service: the same calls the API and the command line make, nothing else.

A Protocol, so that pages can be tested with hand-made views and no database behind them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from siquan.core.plugins import Catalogue
from siquan.core.policy.views import (
    DifferenceLine,
    DraftPage,
    DraftResult,
    FlipView,
    ImpactCard,
    ImpactPage,
    RuleSetCard,
    RuleSetPage,
    WayOutView,
)
from siquan.core.rules.decision import Decision
from siquan.core.views import (
    Account,
    ActResult,
    CaseView,
    ChildrenView,
    DecisionView,
    FieldView,
    ImportResult,
    InboxView,
    Preview,
    ProcessCard,
    ProcessView,
)

#: The wire form of facts: path -> bare value or envelope.
Facts = Mapping[str, Any]


class Door(Protocol):
    """`siquan.core.service.Siquan` as seen from here; every error is a `SiquanError`."""

    def authenticate(self, login: str, password: str, ip: str) -> Account: ...
    def account(self, person_id: str) -> Account | None: ...
    def set_preference(self, person_id: str, lang: str | None = None, theme: str | None = None) -> None: ...
    def change_password(self, person: str, old: str, new: str) -> None: ...

    def inbox(
        self,
        person: str,
        tab: str = "mine",
        process: str = "",
        place: str = "",
        due: str = "",
        q: str = "",
        page: int = 1,
    ) -> InboxView: ...
    def processes(self, person: str) -> Sequence[ProcessCard]: ...
    def process(self, process_id: str, person: str, lang: str) -> ProcessView: ...
    def opening_form(
        self, process_id: str, person: str, given: Facts | None, lang: str
    ) -> Sequence[FieldView]: ...
    def open_case(
        self,
        process_id: str,
        person: str,
        place: str | None = None,
        facts: Facts = ...,
        key: str | None = None,
    ) -> ActResult: ...

    def case(self, case_id: str, person: str, lang: str) -> CaseView: ...
    def children(self, case_id: str, name: str, person: str, lang: str) -> ChildrenView: ...
    def form(
        self,
        case_id: str,
        transition: str,
        person: str,
        given: Facts | None,
        lang: str,
        seen_revision: int | None = None,
    ) -> Preview: ...
    def act(
        self,
        case_id: str,
        transition: str,
        person: str,
        facts: Facts = ...,
        opinion: str = "",
        reason: str = "",
        revision: int | None = None,
        key: str | None = None,
    ) -> ActResult: ...
    def add_child(self, case_id: str, name: str, person: str, facts: Facts, key: str | None) -> ActResult: ...
    def supply_form(self, case_id: str, person: str, given: Facts | None, lang: str) -> Preview: ...
    def supply(
        self, case_id: str, person: str, facts: Facts, revision: int | None, key: str | None
    ) -> ActResult: ...
    def recuse(self, case_id: str, person: str, reason: str, key: str | None) -> ActResult: ...
    def sheet(self, case_id: str, target: str, person: str, empty: bool = False) -> tuple[str, bytes]: ...
    def import_sheet(
        self,
        case_id: str,
        target: str,
        person: str,
        filename: str,
        data: bytes,
        revision: int | None,
        key: str | None,
    ) -> ImportResult: ...

    def decide(
        self,
        ruleset: str,
        facts: Facts,
        on: dt.date | None = None,
        place: str = "",
        overrides: Mapping[str, str] | None = None,
        lang: str = "zh",
    ) -> Decision: ...
    def decision(self, decision_id: str, person: str, lang: str) -> DecisionView: ...
    def way_out(self, decision_id: str, person: str, lang: str) -> WayOutView: ...

    def rule_sets(self, person: str, lang: str) -> Sequence[RuleSetCard]: ...
    def rule_set(
        self, ruleset: str, person: str, lang: str, on: dt.date | None = None, version: str = ""
    ) -> RuleSetPage: ...
    def rule_diff(
        self, ruleset: str, before: str, after: str, person: str, lang: str
    ) -> Sequence[DifferenceLine]: ...
    def rule_file(self, ruleset: str, version: str, kind: str, person: str) -> tuple[str, bytes]: ...
    def start_draft(self, ruleset: str, person: str, title: str = "") -> DraftResult: ...
    def draft(self, version: str, person: str, lang: str) -> DraftPage: ...
    def edit_draft(
        self, version: str, person: str, edits: Sequence[Mapping[str, Any]], revision: int | None
    ) -> DraftResult: ...
    def upload_draft(
        self, version: str, person: str, filename: str, data: bytes, revision: int | None
    ) -> DraftResult: ...
    def merge_draft(self, version: str, person: str, revision: int | None) -> DraftResult: ...
    def discard_draft(self, version: str, person: str) -> None: ...
    def start_impact(self, version: str, person: str) -> ImpactCard: ...
    def cancel_impact(self, version: str, person: str) -> ImpactCard: ...
    def impact(
        self,
        version: str,
        person: str,
        lang: str,
        rule: str = "",
        before: str = "",
        after: str = "",
        open_only: bool = False,
        page: int = 1,
    ) -> ImpactPage: ...
    def impact_file(self, version: str, person: str) -> tuple[str, bytes]: ...
    def flip(self, version: str, id: str, person: str, lang: str) -> FlipView: ...
    def submit_draft(
        self, version: str, person: str, effective: dt.date, reason: str, revision: int | None
    ) -> DraftResult: ...
    def recall_draft(self, version: str, person: str) -> DraftResult: ...
    def sign_draft(self, version: str, person: str, approve: bool, opinion: str) -> DraftResult: ...
    def publish_draft(self, version: str, person: str) -> DraftResult: ...
    def withdraw_version(self, version: str, person: str, reason: str) -> DraftResult: ...
    def migrate_case(self, case_id: str, version: str, person: str, reason: str) -> DraftResult: ...

    def sources(self) -> Mapping[str, str]: ...
    def plugins(self) -> Sequence[Mapping[str, Any]]: ...
    def audit_head(self, case_id: str) -> str: ...

    # for whoever designs a process
    def designs(self) -> Catalogue: ...
    def today(self) -> dt.date: ...
    def drawing(self, process_id: str, person: str, kind: str, lang: str) -> tuple[str, str]: ...
