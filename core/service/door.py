"""`Siquan`: every use-case as one method. Arguments and results are plain data; errors are `SiquanError`s."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from siquan.core.jobs import Jobs
from siquan.core.obligations.views import CalendarView, DeadlineView, DutyView, OversightView, YearChange
from siquan.core.plugins import Catalogue
from siquan.core.policy.views import WayOutView
from siquan.core.rules.decision import Decision
from siquan.core.service.account_pages import AccountPages
from siquan.core.service.accounts import Accounts
from siquan.core.service.acts import Acts
from siquan.core.service.administration import Administration
from siquan.core.service.app import App
from siquan.core.service.clockwork import Clockwork
from siquan.core.service.counter_entries import CounterEntries
from siquan.core.service.doors.change import ChangeDoor
from siquan.core.service.doors.ledger import LedgerDoor
from siquan.core.service.doors.rules import RulesDoor
from siquan.core.service.doors.verbs import VerbsDoor
from siquan.core.service.drafts import Drafts
from siquan.core.service.drawing import drawn
from siquan.core.service.eventlog import EventLog
from siquan.core.service.flips import Flips
from siquan.core.service.forms import Forms
from siquan.core.service.impacts import Impacts
from siquan.core.service.inbox import Inbox
from siquan.core.service.ledger_time import LedgerTime
from siquan.core.service.migrating import Migrating
from siquan.core.service.moving import Moving
from siquan.core.service.orders import Orders
from siquan.core.service.oversight import Oversight
from siquan.core.service.pages import CasePage
from siquan.core.service.papers import Papers
from siquan.core.service.people import People
from siquan.core.service.planning import Planning
from siquan.core.service.processes import Processes
from siquan.core.service.repairing import Repairing
from siquan.core.service.replaying import Replaying
from siquan.core.service.rules import Rules
from siquan.core.service.substitutions import Substitutions
from siquan.core.service.taskforms import TaskForms
from siquan.core.service.uploads import Uploads
from siquan.core.service.verbdesk import VerbDesk
from siquan.core.service.verbforms import VerbForms
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


class Siquan(RulesDoor, ChangeDoor, LedgerDoor, VerbsDoor):
    """Build it with a store, a catalogue of plugins and a clock; share it between threads."""

    def __init__(self, store: Store, catalogue: Catalogue, clock: Callable[[], dt.datetime]) -> None:
        self.app = App(store, catalogue, clock)
        self._accounts, self._acts = Accounts(self.app), Acts(self.app)
        self._forms, self._inbox, self._pages = Forms(self.app), Inbox(self.app), CasePage(self.app)
        self._papers = Papers(self.app, self._acts)
        self._desk = VerbDesk(self._acts)
        self._verb_forms = VerbForms(self.app, (self._forms.pages, self._pages), self._desk.verbs, TaskForms(self._desk.tasks))
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
        self._ledger, self._ledger_time = AccountPages(self.app), LedgerTime(self.app)
        self._counter, self._orders = CounterEntries(self.app), Orders(self.app, self._acts)

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

    # time

    def sweep(self) -> dict[str, int]:
        return self._clockwork.sweep() | self._ledger_time.sweep()

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

    def designs(self) -> Catalogue:
        """The plugins as they were loaded: a process is tried out with them, away from the store."""
        return self.app.catalogue

    def today(self) -> dt.date:
        return self.app.today()

    def drawing(self, process_id: str, person: str, kind: str, lang: str = "zh") -> tuple[str, str]:
        """(file name, text) of a process drawn to stand alone; `svg` or `mermaid`."""
        return drawn(self.app.catalogue, process_id, kind, lang)
