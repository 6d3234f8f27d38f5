"""Another version of a process, a case that is stuck, the desk of an administrator."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from siquan.core.service.administering import may_change
from siquan.core.service.administration import Administration
from siquan.core.service.app import App
from siquan.core.service.eventlog import EventLog
from siquan.core.service.moving import Moving
from siquan.core.service.planning import Names, Planning
from siquan.core.service.repairing import Repairing
from siquan.core.service.replaying import Replaying
from siquan.core.service.versions import Versions
from siquan.core.views import (
    ActResult,
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


class ChangeDoor:
    app: App
    _versions: Versions
    _planning: Planning
    _moving: Moving
    _repairing: Repairing
    _replaying: Replaying
    _eventlog: EventLog
    _administration: Administration

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
