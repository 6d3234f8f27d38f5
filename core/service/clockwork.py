"""What happens by itself: deadlines that pass, calendars that are published. Runs through the jobs port."""

from __future__ import annotations

import datetime as dt

from siquan.core.engine.deadlines import Due, again
from siquan.core.errors import SiquanError
from siquan.core.service.acts import SYSTEM, Acts
from siquan.core.service.app import App
from siquan.core.service.context import Context
from siquan.core.store.rows import Deadline


class Clockwork:
    def __init__(self, app: App, acts: Acts) -> None:
        self.app, self.acts = app, acts

    def sweep(self) -> dict[str, int]:
        """Fires every open deadline whose last day is over, oldest first; each in a transaction of its own. A deadline
        is settled in the same transaction as its act, so of two sweeps only one acts."""
        today, after = self.app.today(), ""
        counts = {"reminded": 0, "fired": 0, "failed": 0}
        while True:
            with self.app.store.read() as tx:
                page = tx.deadlines.overdue(today, 200, after)
            if not page:
                return counts
            after = page[-1].id
            for row in sorted(page, key=lambda d: (d.end_date, d.created_at)):
                counts[self._fire(row)] += 1

    def _fire(self, row: Deadline) -> str:
        try:
            with self.app.store.begin() as tx:
                context = self.acts._locked(tx, row.case_id, None)
                if context.case.state != row.state or not tx.deadlines.settle(row.id, "fired"):
                    return "reminded"
                due = Due.from_json(row.record)
                data = {
                    "name": row.name, "title": due.title, "end": row.end_date.isoformat(), "to": context.case.state,
                    "revision": context.case.revision + 1, "then": row.then,
                }  # fmt: skip
                tx.events.append(row.case_id, "deadline", SYSTEM, data)
                tx.cases.update(row.case_id, context.case.revision, due_on=tx.deadlines.next_of(row.case_id))
                self.acts._touch_parent(context)
                if row.then == "remind":
                    return "reminded"
                self.acts._act(tx, row.case_id, row.then, SYSTEM, {}, "", "", None)
                return "fired"
        except SiquanError as fault:
            with self.app.store.begin() as tx:
                if tx.deadlines.settle(row.id, "fired"):
                    tx.incidents.add("deadline", fault.text("zh"), {"deadline": row.name, "then": row.then}, row.case_id)
                    case = tx.cases.lock(row.case_id)
                    data = {"name": row.name, "title": Due.from_json(row.record).title, "to": case.state, "revision": case.revision + 1}
                    tx.events.append(row.case_id, "deadline", SYSTEM, data)
                    tx.cases.update(row.case_id, case.revision, due_on=tx.deadlines.next_of(row.case_id))
            return "failed"

    def publish_year(self, year: int, holidays: dict[dt.date, str], workdays: set[dt.date], source: str, by: str) -> list[tuple[str, dt.date, dt.date]]:
        """Publishes a calendar year and works provisional deadlines out again; returns (case, old end, new end) of
        those that moved."""
        moved = []
        with self.app.store.begin() as tx:
            tx.calendars.publish(year, holidays, workdays, source, by)
        with self.app.store.begin() as tx:
            calendar = self.app.calendar(tx)
            cases = set()
            for row in tx.deadlines.provisional():
                due = again(Due.from_json(row.record), calendar)
                tx.deadlines.move(row.id, due.end, due.provisional, due.to_json(), int(calendar.version or 0))
                if due.end != row.end_date:
                    moved.append((row.case_id, row.end_date, due.end))
                    cases.add(row.case_id)
            for case_id in sorted(cases):
                case = tx.cases.lock(case_id)
                data = {"to": case.state, "revision": case.revision + 1, "year": year, "moved": [[a.isoformat(), b.isoformat()] for c, a, b in moved if c == case_id]}
                tx.events.append(case_id, "calendar", by, data)
                tx.cases.update(case_id, case.revision, due_on=tx.deadlines.next_of(case_id))
        return moved


__all__ = ["Clockwork", "Context"]
