"""What happens by itself: deadlines that pass, reminders and supervision, periods of obligations, calendars that are
published. Runs through the jobs port."""

from __future__ import annotations

import datetime as dt
import hashlib
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from siquan.core.engine.deadlines import Due
from siquan.core.errors import SiquanError
from siquan.core.obligations.supervision import Alarm, pending
from siquan.core.rules.decide import EnginesDisagree
from siquan.core.service.acts import SYSTEM, Acts
from siquan.core.service.app import App
from siquan.core.service.context import Context
from siquan.core.service.duties import Duties
from siquan.core.service.pausing import Pausing
from siquan.core.service.telling import above, doers, tell
from siquan.core.service.timing import AT_MOST, alarms, due_spec, next_alarm
from siquan.core.service.years import Moved, Years
from siquan.core.store.database import DatabaseBusy
from siquan.core.store.rows import Case, Deadline
from siquan.core.store.transaction import Tx

PAGE = 200
DAY = dt.timedelta(days=1)
#: a clock that goes back by more than this is not trusted
SLACK = dt.timedelta(hours=1)
LAST, OPENED = "sweep.last", "obligations.opened"


@dataclass(order=True)
class Chore:
    """One thing to do by the clock, on the day it belongs to. `key` names what is done, so that nothing is tried twice."""

    day: dt.date
    since: dt.datetime
    id: str
    key: tuple[Any, ...] = field(compare=False)
    what: str = field(compare=False)


class Clockwork:
    def __init__(self, app: App, acts: Acts) -> None:
        self.app, self.acts, self.years = app, acts, Years(app, acts)
        self.pausing = Pausing(acts)

    def sweep(self) -> dict[str, int]:
        """Does what time has made due, the earliest first over all cases; each in a transaction of its own. A thing is
        settled in the same transaction as its event, so of two sweeps only one does it. What a busy database keeps from
        being done waits for the next sweep. With a clock that was set back nothing is done and nothing lost."""
        counts = {"reminded": 0, "fired": 0, "failed": 0}
        if not self._trusted():
            return {**counts, "clock": 1}
        self.years.recompute()
        mark, opening = self._opening()
        seen: set[tuple[Any, ...]] = set()
        busy = False
        while chores := [c for c in (*opening, *self._chores()) if c.key not in seen]:
            opening = []
            heapq.heapify(chores)
            while chores:
                chore = heapq.heappop(chores)
                if chore.key in seen:
                    continue
                seen.add(chore.key)
                done = self._do(chore)
                busy = busy or done is None
                for kind, n in (done or {}).items():
                    counts[kind] = counts.get(kind, 0) + n
                for more in self._again(chore):
                    heapq.heappush(chores, more)
        if mark and not busy:
            with self.app.store.begin() as tx:
                tx.settings.set(OPENED, mark)
        return counts

    def _trusted(self) -> bool:
        """Whether the clock may be believed: it never goes back by more than an hour. Once it did, an incident says so until
        somebody has closed it or the time has come round again."""
        now = self.app.now()
        with self.app.store.begin() as tx:
            said = tx.settings.get(LAST)
            last = dt.datetime.fromisoformat(said) if isinstance(said, str) else None
            if last is None or now >= last - SLACK:
                if last is None or now > last:
                    tx.settings.set(LAST, now.isoformat())
                return True
            if not any(i.kind == "clock" for i in tx.incidents.latest("open", 200)):
                message = f"时钟被拨回：上次扫描在 {last:%Y-%m-%d %H:%M}，现在是 {now:%Y-%m-%d %H:%M}（UTC）。期限、提醒都先不动"
                tx.incidents.add("clock", message, {"last": last.isoformat(), "now": now.isoformat()})
            return False

    # what there is to do

    def _chores(self) -> list[Chore]:
        today = self.app.today()
        late = self._pages(lambda tx, after: tx.deadlines.overdue(today, PAGE, after))
        alarmed = self._pages(lambda tx, after: tx.deadlines.alarmed(today, PAGE, after))
        found = {row.id: row for rows in (late, alarmed) for row in rows}
        out = [c for row in found.values() for c in self._of_deadline(row)]
        for case_id in sorted({row.case_id for row in self._pages(lambda tx, after: tx.obligations.waiting(today, PAGE, after))}):
            with self.app.store.read() as tx:
                out += self._of_case(tx, case_id)
        return out

    def _pages(self, read: Callable[[Tx, str], list[Any]]) -> Iterator[Any]:
        """Read in pages, a short transaction each."""
        after = ""
        while True:
            with self.app.store.read() as tx:
                page = read(tx, after)
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].id

    def _of_deadline(self, row: Deadline) -> Iterator[Chore]:
        """The next thing a deadline asks for. When its last day is over, what was to be said before it comes too late."""
        today = self.app.today()
        if row.status != "open":
            return
        if row.fired_at is None and row.end_date < today:
            yield Chore(row.end_date + DAY, row.created_at, row.id, (row.id, "over", row.end_date), "over")
        elif row.next_on is not None and row.next_on <= today:
            yield Chore(row.next_on, row.created_at, row.id, (row.id, "alarm", row.next_on), "alarm")

    def _opening(self) -> tuple[str, list[Chore]]:
        """Cases with a period that has begun since this was last looked at, and what to remember when all are opened. Looked
        at once a day, and anew when the obligations themselves changed; an act looks at its own case at once."""
        owing = [d.spec for d in self.app.catalogue.definitions.values() if d.spec.obligations]
        if not owing:
            return "", []
        text = "\n".join(f"{s.id} {s.hash}" for s in sorted(owing, key=lambda s: s.id))
        mark = f"{self.app.today()} {hashlib.sha256(text.encode()).hexdigest()[:16]}"
        with self.app.store.read() as tx:
            if tx.settings.get(OPENED) == mark:
                return "", []
        out = []
        for spec in owing:
            for case in self._pages(partial(_open_of, spec.id)):
                with self.app.store.read() as tx:
                    out += self._of_case(tx, case.id)
        return mark, out

    def _of_case(self, tx: Tx, case_id: str) -> list[Chore]:
        """The next day on which a period opens or changes in a case, if it has come."""
        try:
            duties = Duties(self.app, tx, case_id)
            days = duties.next_days(self.app.today())
        except SiquanError:
            return []
        return [Chore(day, duties.context.case.opened_at, case_id, (case_id, "periods", day, len(duties.rows)), "periods") for day in days]

    def _again(self, chore: Chore) -> list[Chore]:
        """What the same row or case asks for next, so that it stands in its place among the others."""
        with self.app.store.read() as tx:
            if chore.what == "periods":
                return self._of_case(tx, chore.id)
            row = tx.deadlines.get(chore.id)
            return list(self._of_deadline(row)) if row is not None else []

    def _do(self, chore: Chore) -> dict[str, int] | None:
        """What was done; empty when another sweep did it or nothing was left to do, None when the database is busy."""
        if chore.what == "over":
            return self._over(chore)
        work = self._alarm if chore.what == "alarm" else self._periods
        try:
            with self.app.store.begin() as tx:
                tx.as_of = chore.day
                return work(tx, chore)
        except DatabaseBusy:
            return None
        except SiquanError as fault:
            with self.app.store.begin() as tx:
                if not any(i.kind == "clockwork" and (i.data or {}).get("row") == chore.id for i in tx.incidents.latest("open", 500)):
                    tx.incidents.add("clockwork", fault.text("zh"), {"row": chore.id})
            return {"failed": 1}

    # deadlines

    def _over(self, chore: Chore) -> dict[str, int] | None:
        with self.app.store.read() as tx:
            row = tx.deadlines.get(chore.id)
        if row is None:
            return {}
        try:
            with self.app.store.begin() as tx:
                tx.as_of = chore.day
                if not self._settle(tx, row):
                    return {}
                if row.then == "remind":
                    return {"reminded": 1}
                if row.name == AT_MOST:
                    self.pausing.resume_by_clock(tx, row)
                    return {"fired": 1}
                self.acts._act(tx, row.case_id, row.then, SYSTEM, {}, "", "", None)
                return {"fired": 1}
        except DatabaseBusy:
            return None
        except SiquanError as fault:
            with self.app.store.begin() as tx:
                tx.as_of = chore.day
                if not self._settle(tx, row):
                    return {}
                kind = "engines_disagree" if isinstance(fault, EnginesDisagree) else "deadline"
                tx.incidents.add(kind, fault.text("zh"), {"deadline": row.name, "then": row.then}, row.case_id)
            return {"failed": 1}

    def _settle(self, tx: Tx, row: Deadline) -> bool:
        """Settles a deadline and writes its event; False when it is not open any more, or its last day has moved on."""
        context = self.acts._locked(tx, row.case_id, None)
        case, now = context.case, tx.deadlines.get(row.id)
        if now is None or now.end_date != row.end_date:
            return False
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
        data: dict[str, Any] = {
            "name": row.name, "title": Due.from_json(row.record).title, "end": row.end_date.isoformat(), "to": case.state,
            "revision": case.revision + 1, "then": row.then,
        }  # fmt: skip
        skipped = self._pass_over(context, now)
        if skipped:
            data["skipped"] = skipped
        event = tx.events.append(case.id, "deadline", SYSTEM, data)
        if late:
            tell(tx, doers(context), case.id, "overdue", event.seq)
        tx.cases.update(case.id, case.revision, due_on=tx.deadlines.next_of(case.id))
        self.acts._touch_parent(context)
        return True

    def _pass_over(self, context: Context, row: Deadline) -> int:
        """Reminders that nobody gave before the last day was over: noted as given, and how many."""
        spec = due_spec(context, row)
        if spec is None or not (spec.remind or spec.escalate):
            return 0
        calendar = self.app.calendar(context.tx)
        late = [a for a in pending(alarms(context, spec, row.end_date, calendar), row.log) if not a.level]
        log = list(row.log)
        for alarm in late:
            log.append(_entry(context.tx, alarm, 0, skipped=True))
        context.tx.deadlines.rewrite(row.id, log, next_alarm(context, spec, row.end_date, calendar, log))
        return len(late)

    def _alarm(self, tx: Tx, chore: Chore) -> dict[str, int]:
        """Gives the newest reminder that is due, or the next level of supervision: one event, one notice to each."""
        peek = tx.deadlines.get(chore.id)
        if peek is None:
            return {}
        context = self.acts._locked(tx, peek.case_id, None)
        row, case, today = tx.deadlines.get(chore.id), context.case, self.app.today()
        if row is None or row.status != "open" or row.next_on is None or row.next_on > today:
            return {}
        if case.state != row.state or not case.is_open:
            tx.deadlines.settle(row.id, "cancelled")
            return {}
        spec, calendar = due_spec(context, row), self.app.calendar(tx)
        given = pending(alarms(context, spec, row.end_date, calendar), row.log) if spec else []
        due = [a for a in given if a.day <= today]
        paused = Due.from_json(row.record).paused_since is not None
        if spec is None or not due or paused:
            tx.deadlines.wait_until(row.id, min((a.day for a in given if a.day > today), default=None) if not paused else None)
            return {}
        # before the last day only the newest counts; after it every level has its own people
        alarm = [a for a in due if not a.level][-1] if not due[0].level else due[0]
        passed = [a for a in due if not a.level and a is not alarm]
        kind = "escalate" if alarm.level else "remind"
        persons = above(context, alarm.to) if alarm.level else doers(context)
        data: dict[str, Any] = {
            "name": row.name, "title": Due.from_json(row.record).title, "end": row.end_date.isoformat(), "on": alarm.day.isoformat(),
            "persons": sorted(persons), "to": case.state, "revision": case.revision + 1,
        }  # fmt: skip
        if alarm.level:
            data |= {"level": alarm.level, "up": alarm.to}
        if passed:
            data["skipped"] = len(passed)
        event = tx.events.append(case.id, "escalated" if alarm.level else "reminded", SYSTEM, data)
        log = [*row.log, *(_entry(tx, a, event.seq, skipped=True) for a in passed), _entry(tx, alarm, event.seq)]
        tx.deadlines.rewrite(row.id, log, next_alarm(context, spec, row.end_date, calendar, log))
        tell(tx, persons, case.id, kind, event.seq)
        if not persons:
            tx.incidents.add("nobody", f"“{data['title']}”没有人可以{'督办' if alarm.level else '提醒'}", {"deadline": row.name, "up": alarm.to}, case.id)
        tx.cases.update(case.id, case.revision)
        self.acts._touch_parent(context)
        return {"escalated" if alarm.level else "reminded": 1}

    # obligations

    def _periods(self, tx: Tx, chore: Chore) -> dict[str, int]:
        """What time does to the periods of a case up to and with a day."""
        parent = tx.cases.get(chore.id).parent_id
        if parent:
            tx.cases.lock(parent)
        case = tx.cases.lock(chore.id)
        made = Duties(self.app, tx, case.id, bump=1).advance(chore.day)
        if made:
            tx.cases.update(case.id, case.revision)
            if parent:
                tx.cases.bump_children(parent)
        return made

    # calendars

    def publish_year(self, year: int, holidays: dict[dt.date, str], workdays: set[dt.date], source: str, by: str) -> list[Moved]:
        """Publishes a calendar year without asking who may; open deadlines are worked out again. Returns (case, old end, new
        end) of those that moved."""
        with self.app.store.begin() as tx:
            tx.calendars.publish(year, holidays, workdays, source, by)
        return self.years.recompute(by)

    def recompute(self, by: str = SYSTEM) -> list[Moved]:
        return self.years.recompute(by)


def _open_of(process: str, tx: Tx, after: str) -> list[Case]:
    return tx.cases.open_of(process, after, PAGE)


def _entry(tx: Tx, alarm: Alarm, seq: int, skipped: bool = False) -> dict[str, Any]:
    kind = "escalate" if alarm.level else "remind"
    entry = {"k": kind, "key": alarm.key, "on": alarm.day.isoformat(), "level": alarm.level, "at": tx.at.isoformat(), "seq": seq}
    return {**entry, "skipped": True} if skipped else entry
