"""`Siquan`: every use-case as one method. Arguments and results are plain data; errors are `SiquanError`s."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from siquan.core.jobs import Jobs
from siquan.core.obligations.views import CalendarView, DeadlineView, DutyView, OversightView, YearChange
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
from siquan.core.service.administering import may_change
from siquan.core.service.administration import Administration
from siquan.core.service.app import App
from siquan.core.service.clockwork import Clockwork
from siquan.core.service.drafts import Drafts
from siquan.core.service.eventlog import EventLog
from siquan.core.service.flips import Flips
from siquan.core.service.forms import Forms
from siquan.core.service.impacts import Impacts
from siquan.core.service.inbox import Inbox
from siquan.core.service.migrating import Migrating
from siquan.core.service.moving import Moving
from siquan.core.service.oversight import Oversight
from siquan.core.service.pages import CasePage
from siquan.core.service.papers import Papers
from siquan.core.service.people import People
from siquan.core.service.planning import Names, Planning
from siquan.core.service.processes import Processes
from siquan.core.service.repairing import Repairing
from siquan.core.service.replaying import Replaying
from siquan.core.service.rules import Rules
from siquan.core.service.substitutions import Substitutions
from siquan.core.service.uploads import Uploads
from siquan.core.service.versions import Versions
from siquan.core.service.ways import Ways
from siquan.core.staff import Moved, PersonPage, StaffList, StandIns, SubstitutionView
from siquan.core.store import audit
from siquan.core.store.database import Store
from siquan.core.store.roots import Root, root_of, verify_since
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
from siquan.core.views_change import (
    AdminView,
    DiffView,
    IncidentView,
    MigrationView,
    PlanView,
    RepairForm,
    RepairView,
    RootView,
    StuckCase,
    VersionView,
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
        self._years, self._oversight = self._clockwork.years, Oversight(self.app)
        self._rules = Rules(self.app)
        self._drafts = Drafts(self.app, self._rules)
        self._impacts = Impacts(self.app, self._rules, self._drafts)
        self._flips = Flips(self.app, self._impacts, self._papers)
        self._migrating = Migrating(self.app, self._acts, self._rules)
        self._ways = Ways(self.app, self._papers, self._rules.prover)
        self._versions = Versions(self.app)
        self._planning = Planning(self.app)
        self._moving = Moving(self.app, self._acts, self._planning)
        self._repairing = Repairing(self.app, self._acts)
        self._replaying = Replaying(self.app, self._papers)
        self._eventlog = EventLog(self.app)
        self._administration = Administration(self.app, self._moving, self._repairing)
        self._substitutions = Substitutions(self.app)
        self._people = People(self.app, self._acts, self._substitutions)

    # people

    def authenticate(self, login: str, password: str, ip: str = "") -> Account:
        return self._accounts.authenticate(login, password, ip)

    def account(self, person_id: str) -> Account | None:
        return self._accounts.account(person_id)

    def set_preference(self, person_id: str, lang: str | None = None, theme: str | None = None) -> None:
        self._accounts.set_preference(person_id, lang, theme)

    def change_password(self, person: str, old: str, new: str) -> None:
        self._accounts.change_password(person, old, new)

    def staff(self, by: str, q: str = "", trusted: bool = False) -> StaffList:
        """`trusted`, here and below: said by whoever has the machine, not by an account."""
        return self._people.listed(by, q=q, trusted=trusted)

    def person(self, person: str, by: str, lang: str = "zh", trusted: bool = False) -> PersonPage:
        return self._people.page(person, by, lang, trusted=trusted)

    def grant_post(
        self, person: str, role: str, unit: str, by: str, since: dt.date | None = None, until: dt.date | None = None, trusted: bool = False
    ) -> None:
        self._people.grant(person, role, unit, by, since=since, until=until, trusted=trusted)

    def end_post(self, grant: str, by: str, on: dt.date | None = None, trusted: bool = False) -> str:
        return self._people.end(grant, by, on=on, trusted=trusted)

    def leave(self, person: str, by: str, on: dt.date | None = None, trusted: bool = False) -> None:
        self._people.leave(person, by, on=on, trusted=trusted)

    def move_work(
        self, person: str, takers: Sequence[str], by: str, cases: Sequence[str] | None = None, lang: str = "zh", trusted: bool = False
    ) -> tuple[Moved, ...]:
        return self._people.move(person, takers, by, cases=cases, lang=lang, trusted=trusted)

    def stand_ins(self, person: str) -> StandIns:
        return self._substitutions.own(person)

    def substitute(
        self, person: str, substitute: str, since: dt.date, until: dt.date, by: str, reason: str = "", roles: Sequence[str] = (),
        processes: Sequence[str] = (), trusted: bool = False,
    ) -> SubstitutionView:  # fmt: skip
        return self._substitutions.add(person, substitute, since, until, by, reason=reason, roles=roles, processes=processes, trusted=trusted)

    def cancel_substitution(self, substitution: str, by: str, trusted: bool = False) -> SubstitutionView:
        return self._substitutions.cancel(substitution, by, trusted=trusted)

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
        return self._forms.opening(process_id, given, lang, self._processes.places(process_id, person))

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
        self._moving.attach(jobs)
        self._administration.attach(jobs)

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
        """Every difference between the events and the rows; an empty list is a clean history."""
        return list(self._replaying.all(case_id))

    def replay_each(self, case_id: str | None = None, decisions: bool = True) -> Iterator[dict[str, Any]]:
        """The same one by one, as they are found."""
        return self._replaying.all(case_id, decisions)

    def audit_verify(self, case_id: str | None = None) -> list[audit.AuditFinding]:
        return audit.verify(self.app.store, case_id)

    def audit_head(self, case_id: str) -> str:
        with self.app.store.read() as tx:
            return tx.cases.get(case_id).last_hash

    def audit_since(self, day: dt.date, printed: str = "") -> list[audit.AuditFinding]:
        """What does not go on from the root that was printed of a day; an empty list is a clean audit since then."""
        return list(verify_since(self.app.store, day, printed))

    def audit_root(self, day: dt.date | None = None) -> Root:
        """The sealed root that covers a day, by default the newest; for whoever sits at the machine."""
        with self.app.store.read() as tx:
            return root_of(tx, day)

    def export_events(
        self, person: str, path: Path, format: str, process: str = "", since: dt.date | None = None, until: dt.date | None = None,
        names: bool = False,
    ) -> tuple[int, int]:  # fmt: skip
        """The event log as a file for process mining; (cases, events)."""
        return self._eventlog.to_file(person, path, format, process=process, since=since, until=until, names=names)

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

    # another version of a process

    def process_versions(self, process: str, person: str, lang: str = "zh") -> tuple[VersionView, ...]:
        return self._versions.kept(process, person, lang)

    def process_diff(self, process: str, person: str, other: str = "", lang: str = "zh", file: Path | None = None) -> DiffView:
        return self._versions.diff(process, person, other, lang, file)

    def plan_migration(self, process: str, person: str, mapping: Sequence[str] | Names = (), lang: str = "zh", dry_run: bool = False) -> PlanView:
        return (self._moving.dry_run if dry_run else self._planning.plan)(process, person, mapping, lang)

    def propose_migration(self, process: str, person: str, reason: str, mapping: Sequence[str] | Names = ()) -> MigrationView:
        return self._moving.propose(process, person, reason, mapping)

    def withdraw_migration(self, migration: str, person: str) -> MigrationView:
        return self._moving.withdraw(migration, person)

    def confirm_migration(self, migration: str, person: str, here: bool = False) -> MigrationView:
        """`here`: without the background, for the command line."""
        return self._moving.confirm(migration, person, here=here)

    def undo_migration(self, migration: str, person: str, reason: str) -> MigrationView:
        return self._moving.undo(migration, person, reason)

    def migrations(self, person: str, process: str = "", lang: str = "zh") -> tuple[MigrationView, ...]:
        return self._moving.all(person, process, lang)

    def migration(self, migration: str, person: str, lang: str = "zh", status: str = "", page: int = 1) -> MigrationView:
        return self._moving.view(migration, person, lang, status, page)

    def migration_id(self, name: str) -> str:
        """The id of a migration by the beginning of it."""
        return self._moving.find(name)

    def may_migrate(self, person: str) -> bool:
        with self.app.store.read() as tx:
            return may_change(self.app, tx, person)

    # repair

    def repair_form(self, case_id: str, person: str, lang: str = "zh") -> RepairForm:
        return self._repairing.form(case_id, person, lang)

    def propose_repair(self, case_id: str, person: str, to: str, reason: str, reopen: bool = False, revision: int | None = None) -> RepairView:
        return self._repairing.propose(case_id, person, to, reason, reopen, revision)

    def repair(self, case_id: str, person: str, key: str | None = None, repair: str = "") -> ActResult:
        """The second person carries out what the first proposed."""
        return self._repairing.carry_out(case_id, person, key, repair)

    # the administrator's desk

    def may_administer(self, person: str) -> bool:
        return self._administration.may(person)

    def administration(self, person: str, lang: str = "zh") -> AdminView:
        return self._administration.overview(person, lang)

    def stuck(self, person: str = "", lang: str = "zh", limit: int = 200) -> tuple[tuple[StuckCase, ...], int]:
        """Cases nobody can move on; without a person for whoever sits at the machine."""
        if not person:
            found, total = self._administration.stuck.find(lang, limit)
            return tuple(found), total
        return self._administration.stuck_cases(person, lang, limit)

    def incidents(self, person: str, status: str = "open", page: int = 1) -> tuple[IncidentView, ...]:
        return self._administration.incidents(person, status, page)

    def close_incident(self, incident: str, person: str, note: str) -> None:
        self._administration.close_incident(incident, person, note)

    def roots(self, person: str, limit: int = 60, before: dt.date | None = None) -> tuple[RootView, ...]:
        return self._administration.roots(person, limit, before)

    def root(self, person: str, day: dt.date | None = None) -> RootView:
        return self._administration.root(person, day)

    # time

    def sweep(self) -> dict[str, int]:
        return self._clockwork.sweep()

    def overdue(self, person: str | None, unit: str = "", process: str = "", lang: str = "zh") -> OversightView:
        return self._oversight.view(person, unit, process, lang)

    def deadline(self, deadline_id: str, person: str, lang: str = "zh") -> DeadlineView:
        return self._oversight.deadline(deadline_id, person, lang)

    def obligations(self, case_id: str | None = None, lang: str = "zh") -> tuple[DutyView, ...]:
        return self._oversight.duties(case_id, lang)

    def calendar_year(self, year: int | None, person: str) -> CalendarView:
        return self._years.page(year, person)

    def propose_year(self, year: int) -> dict[str, Any]:
        return self._years.proposal(year)

    def try_year(self, year: int, data: Any, person: str, seen: int | None = None) -> YearChange:
        return self._years.preview(year, data, person, seen)

    def set_year(self, year: int, data: Any, person: str, seen: int | None = None, key: str | None = None) -> tuple[int, list[tuple[str, dt.date, dt.date]]]:
        return self._years.publish(year, data, person, seen, key)

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
