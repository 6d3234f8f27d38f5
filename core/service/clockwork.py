"""What happens by itself: deadlines that pass, calendars that are published. Runs through the jobs port."""

from __future__ import annotations

import datetime as dt

from siquan.core.engine.deadlines import Due
from siquan.core.errors import SiquanError
from siquan.core.rules.decide import EnginesDisagree
from siquan.core.service.acts import SYSTEM, Acts
from siquan.core.service.app import App
from siquan.core.service.pausing import Pausing
from siquan.core.service.timing import AT_MOST, recompute
from siquan.core.store.database import DatabaseBusy
from siquan.core.store.rows import Deadline
from siquan.core.store.transaction import Tx

PAGE = 200
Moved = tuple[str, dt.date, dt.date]


class Clockwork:
    def __init__(self, app: App, acts: Acts) -> None:
        self.app, self.acts = app, acts
        self.pausing = Pausing(acts)

    def sweep(self) -> dict[str, int]:
        """Fires every open deadline whose last day is over, the earliest first; each in a transaction of its own. A
        deadline is settled in the same transaction as its act, so of two sweeps only one acts. What a busy database
        keeps from firing waits for the next sweep."""
        self.recompute()
        counts = {"reminded": 0, "fired": 0, "failed": 0}
        seen: set[str] = set()
        while rows := [d for d in self._overdue() if d.id not in seen]:
            for row in sorted(rows, key=lambda d: (d.end_date, d.created_at, d.id)):
                seen.add(row.id)
                done = self._fire(row)
                if done:
                    counts[done] += 1
        return counts

    def _overdue(self) -> list[Deadline]:
        """Read in pages, a short transaction each."""
        today, out = self.app.today(), list[Deadline]()
        while True:
            with self.app.store.read() as tx:
                page = tx.deadlines.overdue(today, PAGE, out[-1].id if out else "")
            out += page
            if len(page) < PAGE:
                return out

    def _fire(self, row: Deadline) -> str:
        """What was done; empty when another sweep did it, or the state was left meanwhile."""
        try:
            with self.app.store.begin() as tx:
                if not self._settle(tx, row):
                    return ""
                if row.then == "remind":
                    return "reminded"
                if row.name == AT_MOST:
                    self.pausing.resume_by_clock(tx, row)
                    return "fired"
                self.acts._act(tx, row.case_id, row.then, SYSTEM, {}, "", "", None)
                return "fired"
        except DatabaseBusy:
            return ""
        except SiquanError as fault:
            with self.app.store.begin() as tx:
                if not self._settle(tx, row):
                    return ""
                kind = "engines_disagree" if isinstance(fault, EnginesDisagree) else "deadline"
                tx.incidents.add(kind, fault.text("zh"), {"deadline": row.name, "then": row.then}, row.case_id)
            return "failed"

    def _settle(self, tx: Tx, row: Deadline) -> bool:
        """Settles a deadline and writes its event; False when it is not open any more."""
        context = self.acts._locked(tx, row.case_id, None)
        case = context.case
        if case.state != row.state or not case.is_open:
            tx.deadlines.settle(row.id, "cancelled")
            return False
        # of a suspended case whose clocks run only the reminders go on
        if context.story.held and row.then != "remind" and row.name != AT_MOST:
            return False
        # a period others wait for (`not_before`) is over for good; any other last day without an action stays open and
        # late, so that nobody loses sight of it
        waited = any(t.not_before == row.name for t in context.state.transitions)
        late = row.then == "remind" and not waited
        if not (tx.deadlines.remind(row.id) if late else tx.deadlines.settle(row.id, "fired")):
            return False
        data = {
            "name": row.name, "title": Due.from_json(row.record).title, "end": row.end_date.isoformat(), "to": case.state,
            "revision": case.revision + 1, "then": row.then,
        }  # fmt: skip
        tx.events.append(case.id, "deadline", SYSTEM, data)
        tx.cases.update(case.id, case.revision, due_on=tx.deadlines.next_of(case.id))
        self.acts._touch_parent(context)
        return True

    def publish_year(self, year: int, holidays: dict[dt.date, str], workdays: set[dt.date], source: str, by: str) -> list[Moved]:
        """Publishes a calendar year and works provisional deadlines out again; returns (case, old end, new end) of
        those that moved."""
        with self.app.store.begin() as tx:
            tx.calendars.publish(year, holidays, workdays, source, by)
        return self.recompute(by)

    def recompute(self, by: str = SYSTEM) -> list[Moved]:
        """Provisional deadlines counted before the newest calendar, one case at a time; whatever was not reached is done
        by the next sweep."""
        waiting: dict[str, None] = {}
        with self.app.store.read() as tx:
            version, after = tx.calendars.version(), ""
            while page := tx.deadlines.provisional(PAGE, after):
                waiting |= dict.fromkeys(d.case_id for d in page if d.calendar_version < version)
                after = page[-1].id
        moved = []
        for case_id in waiting:
            with self.app.store.begin() as tx:
                context = self.acts._locked(tx, case_id, None)
                found = recompute(context)
                if not found:
                    continue
                case = context.case
                data = {"to": case.state, "revision": case.revision + 1, "moved": [[a.isoformat(), b.isoformat()] for a, b in found]}
                tx.events.append(case_id, "calendar", by, data)
                tx.cases.update(case_id, case.revision, due_on=tx.deadlines.next_of(case_id))
                self.acts._touch_parent(context)
                moved += [(case_id, a, b) for a, b in found]
        return moved
