"""`Siquan`: every use-case as one method. Arguments and results are plain data; errors are `SiquanError`s."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from siquan.core.jobs import Jobs
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
from siquan.core.service.accounts import Accounts
from siquan.core.service.acts import Acts
from siquan.core.service.app import App
from siquan.core.service.clockwork import Clockwork
from siquan.core.service.drafts import Drafts
from siquan.core.service.drawing import drawn
from siquan.core.service.flips import Flips
from siquan.core.service.forms import Forms
from siquan.core.service.impacts import Impacts
from siquan.core.service.inbox import Inbox
from siquan.core.service.migrating import Migrating
from siquan.core.service.pages import CasePage
from siquan.core.service.papers import Papers
from siquan.core.service.processes import Processes
from siquan.core.service.rules import Rules
from siquan.core.service.uploads import Uploads
from siquan.core.service.ways import Ways
from siquan.core.store import audit
from siquan.core.store.database import Store
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


class Siquan:
    """Build it with a store, a catalogue of plugins and a clock; share it between threads."""

    def __init__(self, store: Store, catalogue: Catalogue, clock: Callable[[], dt.datetime]) -> None:
        self.app = App(store, catalogue, clock)
        self._accounts, self._acts = Accounts(self.app), Acts(self.app)
        self._forms, self._inbox, self._pages = Forms(self.app), Inbox(self.app), CasePage(self.app)
        self._papers = Papers(self.app, self._acts)
        self._uploads = Uploads(self.app, self._papers)
        self._processes = Processes(self.app, self._forms)
        self._clockwork = Clockwork(self.app, self._acts)
        self._rules = Rules(self.app)
        self._drafts = Drafts(self.app, self._rules)
        self._impacts = Impacts(self.app, self._rules, self._drafts)
        self._flips = Flips(self.app, self._impacts, self._papers)
        self._migrating = Migrating(self.app, self._acts, self._rules)
        self._ways = Ways(self.app, self._papers, self._rules.prover)

    # people

    def authenticate(self, login: str, password: str, ip: str = "") -> Account:
        return self._accounts.authenticate(login, password, ip)

    def account(self, person_id: str) -> Account | None:
        return self._accounts.account(person_id)

    def set_preference(self, person_id: str, lang: str | None = None, theme: str | None = None) -> None:
        self._accounts.set_preference(person_id, lang, theme)

    def change_password(self, person: str, old: str, new: str) -> None:
        self._accounts.change_password(person, old, new)

    def _lang(self, person: str) -> str:
        account = self._accounts.account(person)
        return account.lang if account else "zh"

    # looking

    def inbox(
        self, person: str, tab: str = "mine", process: str = "", place: str = "", due: str = "", q: str = "", page: int = 1
    ) -> InboxView:
        return self._inbox.view(person, tab, process, place, due, q, page, self._lang(person))

    def processes(self, person: str) -> tuple[ProcessCard, ...]:
        return self._processes.cards(person, self._lang(person))

    def process(self, process_id: str, person: str, lang: str = "zh") -> ProcessView:
        return self._processes.page(process_id, person, lang)

    def case(self, case_id: str, person: str, lang: str = "zh") -> CaseView:
        return self._pages.view(case_id, person, lang)

    def case_id(self, name: str) -> str:
        """The id of a case given by id or number."""
        with self.app.store.read() as tx:
            return self._papers._id(tx, name)

    def children(self, case_id: str, name: str, person: str, lang: str = "zh") -> ChildrenView:
        return self._pages.children(case_id, name, person, lang)

    def form(
        self, case_id: str, transition: str, person: str, given: Mapping[str, Any] | None = None, lang: str = "zh",
        seen_revision: int | None = None,
    ) -> Preview:  # fmt: skip
        return self._forms.step(case_id, transition, person, given, lang, seen_revision)

    def opening_form(
        self, process_id: str, person: str, given: Mapping[str, Any] | None = None, lang: str = "zh"
    ) -> tuple[FieldView, ...]:
        return self._forms.opening(process_id, given, lang)

    def supply_form(self, case_id: str, person: str, given: Mapping[str, Any] | None = None, lang: str = "zh") -> Preview:
        return self._forms.supply(case_id, person, given, lang)

    # acting

    def open_case(
        self, process_id: str, person: str, place: str | None = None, facts: Mapping[str, Any] | None = None, key: str | None = None,
        title: str = "",
    ) -> ActResult:  # fmt: skip
        return self._acts.open_case(process_id, person, place, facts or {}, key, title=title)

    def act(
        self, case_id: str, transition: str, person: str, facts: Mapping[str, Any] | None = None, opinion: str = "", reason: str = "",
        revision: int | None = None, key: str | None = None,
    ) -> ActResult:  # fmt: skip
        return self._acts.act(case_id, transition, person, facts or {}, opinion, reason, revision, key)

    def add_child(self, case_id: str, name: str, person: str, facts: Mapping[str, Any], key: str | None = None) -> ActResult:
        return self._acts.add_child(case_id, name, person, facts, key)

    def supply(
        self, case_id: str, person: str, facts: Mapping[str, Any], revision: int | None = None, key: str | None = None
    ) -> ActResult:
        return self._acts.supply(case_id, person, facts, revision, key)

    def recuse(self, case_id: str, person: str, reason: str, key: str | None = None) -> ActResult:
        return self._acts.recuse(case_id, person, reason, key)

    def sheet(self, case_id: str, target: str, person: str, empty: bool = False) -> tuple[str, bytes]:
        return self._papers.sheet(case_id, target, person, empty)

    def import_sheet(
        self, case_id: str, target: str, person: str, filename: str, data: bytes, revision: int | None = None, key: str | None = None
    ) -> ImportResult:
        return self._uploads.import_sheet(case_id, target, person, filename, data, revision, key)

    def attach(self, jobs: Jobs, folder: Path) -> None:
        """Gives the service its background: large imports and impact runs are then made by a worker."""
        self._uploads.attach(jobs, folder)
        self._impacts.attach(jobs)

    # deciding and proving

    def decide(
        self, ruleset: str, facts: Mapping[str, Any], on: dt.date | None = None, place: str = "",
        overrides: Mapping[str, str] | None = None, lang: str = "zh", known: dt.date | None = None,
    ) -> Decision:  # fmt: skip
        return self._papers.decide(ruleset, facts, on, place, overrides or {}, lang, known)

    def decision(self, decision_id: str, person: str, lang: str = "zh") -> DecisionView:
        return self._papers.view(decision_id, person, lang)

    def explain(self, case_id: str, person: str, lang: str = "zh") -> list[DecisionView]:
        return self._papers.explain(case_id, person, lang)

    def replay(self, case_id: str | None = None) -> list[dict[str, Any]]:
        return self._papers.replay(case_id)

    def audit_verify(self, case_id: str | None = None) -> list[audit.AuditFinding]:
        return audit.verify(self.app.store, case_id)

    def audit_head(self, case_id: str) -> str:
        with self.app.store.read() as tx:
            return tx.cases.get(case_id).last_hash

    def way_out(self, decision_id: str, person: str, lang: str = "zh") -> WayOutView:
        return self._ways.out(decision_id, person, lang)

    # rules in the hands of the policy team

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

    # time

    def sweep(self) -> dict[str, int]:
        return self._clockwork.sweep()

    def publish_year(self, year: int, holidays: dict[dt.date, str], workdays: set[dt.date], source: str, by: str) -> list[tuple[str, dt.date, dt.date]]:
        return self._clockwork.publish_year(year, holidays, workdays, source, by)

    # plugins

    def sources(self) -> dict[str, str]:
        """Short names of sources in `cite` (S9) -> their titles, over all plugins."""
        return {k: v for p in self.app.catalogue.plugins for k, v in p.sources.items()}

    def plugins(self) -> list[dict[str, Any]]:
        """What was found, loaded or not, for `/-/plugins` and `siquan plugins`."""
        out = []
        for found in self.app.catalogue.found:
            spec = found.spec
            out.append(
                {
                    "name": found.name, "title": spec.title if spec else found.name, "path": found.path, "origin": found.origin,
                    "processes": [p.id for p in spec.processes] if spec else [], "rulesets": [r.id for r in spec.rulesets] if spec else [],
                    "hooks": list(found.hooks), "error": found.error.full("zh") if found.error else "",
                }
            )  # fmt: skip
        return out

    def designs(self) -> Catalogue:
        """The plugins as they were loaded: a process is tried out with them, away from the store."""
        return self.app.catalogue

    def today(self) -> dt.date:
        return self.app.today()

    def drawing(self, process_id: str, person: str, kind: str, lang: str = "zh") -> tuple[str, str]:
        """(file name, text) of a process drawn to stand alone; `svg` or `mermaid`."""
        return drawn(self.app.catalogue, process_id, kind, lang)
