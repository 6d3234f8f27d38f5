"""The administrator's desk: incidents, stuck cases, jobs, roots of the history, migrations and repairs that wait."""

from __future__ import annotations

import datetime as dt
from typing import Any

from siquan.core.errors import BadInput, Refused, SiquanError
from siquan.core.jobs import Jobs
from siquan.core.service.administering import administers, may_change, must_administer
from siquan.core.service.app import ZONE, App
from siquan.core.service.moving import Moving
from siquan.core.service.refusal import check_text
from siquan.core.service.repairing import Repairing
from siquan.core.service.stuck import Stuck
from siquan.core.store.roots import Root, root_of, roots, unsealed
from siquan.core.store.rows import Incident
from siquan.core.store.transaction import Tx
from siquan.core.views_change import AdminView, IncidentView, JobLine, RootView, StuckCase

PAGE, MAX_NOTE, CARD = 50, 2000, 8


class Administration:
    def __init__(self, app: App, moving: Moving, repairing: Repairing) -> None:
        self.app, self.moving, self.repairing, self.stuck = app, moving, repairing, Stuck(app)
        self.jobs: Jobs | None = None

    def attach(self, jobs: Jobs) -> None:
        self.jobs = jobs

    def may(self, person: str) -> bool:
        with self.app.store.read() as tx:
            return administers(self.app, tx, person)

    def _must(self, person: str) -> None:
        with self.app.store.read() as tx:
            must_administer(self.app, tx, person)

    def overview(self, person: str, lang: str = "zh") -> AdminView:
        with self.app.store.read() as tx:
            must_administer(self.app, tx, person)
            incidents, sealed, missing = tx.incidents.count_open(), roots(tx, 3), unsealed(tx)
            changes = may_change(self.app, tx, person)
        stuck, total = self.stuck.find(lang, CARD)
        migrations = self.moving.all(person, "", lang, 5) if changes else ()
        return AdminView(
            incidents, tuple(stuck), total, self.repairing.waiting(person), tuple(_root(r) for r in sealed), migrations, self._jobs(), missing,
        )  # fmt: skip

    def _jobs(self, limit: int = CARD) -> tuple[JobLine, ...]:
        """What runs or failed, else what was done last. Nothing where no background is attached."""
        if self.jobs is None:
            return ()
        try:
            found = self.jobs.find(limit=40)
        except SiquanError:
            return ()
        worth = [j for j in found if j.state not in ("done",)] or list(found)
        return tuple(JobLine(j.id, j.name, j.state, j.done, j.total, j.note or "", j.created_at.astimezone(ZONE) if j.created_at else None) for j in worth[:limit])

    def stuck_cases(self, person: str, lang: str = "zh", limit: int = 200) -> tuple[tuple[StuckCase, ...], int]:
        self._must(person)
        found, total = self.stuck.find(lang, limit)
        return tuple(found), total

    # incidents

    def incidents(self, person: str, status: str = "open", page: int = 1) -> tuple[IncidentView, ...]:
        """Newest first; that somebody looked stands in the access log, since an incident may tell of a case."""
        if status not in ("open", "closed", ""):
            raise BadInput(why=f"没有状态 `{str(status)[:20]}`")
        with self.app.store.begin() as tx:
            must_administer(self.app, tx, person)
            rows = tx.incidents.latest(status or None, PAGE, (max(page, 1) - 1) * PAGE)
            cases = tx.cases.get_many([r.case_id for r in rows if r.case_id])
            tx.access.add(person, "incidents", status or "all")
            return tuple(self._incident(tx, r, cases) for r in rows)

    def _incident(self, tx: Tx, row: Incident, cases: dict[str, Any]) -> IncidentView:
        case = cases.get(row.case_id or "")
        data = row.data if isinstance(row.data, dict) else {}
        return IncidentView(
            row.id, row.at.astimezone(ZONE), row.kind, row.message, row.case_id or "", case.number or case.title if case else "", row.status,
            row.closed_at.astimezone(ZONE) if row.closed_at else None, self.app.person_name(tx, row.closed_by) if row.closed_by else "", row.note,
            tuple((str(k), str(v)) for k, v in sorted(data.items())),
        )  # fmt: skip

    def close_incident(self, incident_id: str, person: str, note: str) -> None:
        """Who closed it, when and with which word stays with the incident. Raises Refused when it is closed already."""
        check_text(note, MAX_NOTE, "处理说明")
        if not note.strip():
            raise BadInput(why="关闭异常要写明怎样处理的")
        with self.app.store.begin() as tx:
            must_administer(self.app, tx, person)
            row = tx.incidents.get(incident_id)
            if not tx.incidents.close(row.id, person, note.strip()):
                raise Refused(why="这条异常已经关闭")
            tx.access.add(person, "incident.close", row.id, row.case_id)

    # roots

    def roots(self, person: str, limit: int = 60, before: dt.date | None = None) -> tuple[RootView, ...]:
        with self.app.store.read() as tx:
            must_administer(self.app, tx, person)
            return tuple(_root(r) for r in roots(tx, limit, before))

    def root(self, person: str, day: dt.date | None = None) -> RootView:
        with self.app.store.read() as tx:
            must_administer(self.app, tx, person)
            return _root(root_of(tx, day))


def _root(row: Root) -> RootView:
    return RootView(row.day, row.root, row.prev_root, row.cases, row.at.astimezone(ZONE))
