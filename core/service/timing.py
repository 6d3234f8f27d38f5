"""Deadline rows of a case: written when a state is entered, worked out again when facts or calendars change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from siquan.core.calendar import Calendar
from siquan.core.engine.deadlines import LONGEST, Direction, Due, Pause, again, compute
from siquan.core.obligations.supervision import Alarm, pending, plan
from siquan.core.service.app import ZONE
from siquan.core.service.context import Context
from siquan.core.spec.model import DueSpec, Span
from siquan.core.store.rows import Deadline

#: the deadline of a suspension itself, at whose end the clock resumes the case
AT_MOST = "suspend"
Move = tuple[str, dt.date, dt.date]


def sync_deadlines(context: Context) -> dt.date | None:
    """Makes the deadline rows of the current state what facts, parameters and calendar say now; returns the next last
    day. A start that is not known any more cancels its deadline; one that already fired opens anew when it moves to a
    later day."""
    tx, case = context.tx, context.case
    calendar = context.app.calendar(tx)
    version = int(calendar.version or 0)
    entered = context.story.entered.get(case.state, tx.at)
    rows = [d for d in tx.deadlines.live(case.id, entered) if d.state == case.state]
    for spec in context.state.dues:
        old = _latest([r for r in rows if r.name == spec.name and r.status in ("open", "paused", "fired")])
        due = _computed(context, spec, entered, calendar)
        if due is None:
            if old is not None and old.status != "fired":
                tx.deadlines.go_on(old.id)
                tx.deadlines.settle(old.id, "cancelled")
        elif old is None or (old.status == "fired" and due.end > old.end_date and due.end >= context.today):
            row = tx.deadlines.add(
                case.id, case.state, spec.name, due.start, due.end, then=spec.then, provisional=due.provisional,
                record=due.to_json(), calendar_version=version, next_on=next_alarm(context, spec, due.end, calendar, ()),
            )  # fmt: skip
            if stopped(context):
                tx.deadlines.pause(row.id, row.record)
        elif old.status != "fired" and old.record != due.to_json():
            tx.deadlines.move(
                old.id, due.end, due.provisional, due.to_json(), version, why="facts", seq=tx.events.next_seq(case.id) - 1,
                next_on=next_alarm(context, spec, due.end, calendar, old.log),
            )  # fmt: skip
    return tx.deadlines.next_of(case.id)


def foreseen(context: Context) -> dict[str, Due | None]:
    """What the deadlines of the current state would be now; nothing is written. None: its start or length is not known."""
    calendar, entered = context.app.calendar(context.tx), context.story.entered.get(context.case.state, context.tx.at)
    return {spec.name: _computed(context, spec, entered, calendar) for spec in context.state.dues}


def _latest(rows: list[Deadline]) -> Deadline | None:
    """The open row, else the newest."""
    return max(rows, key=lambda r: (r.status != "fired", r.created_at, r.end_date), default=None)


def _computed(context: Context, spec: DueSpec, entered: dt.datetime, calendar: Calendar) -> Due | None:
    """None while its start or its length is unknown."""
    anchor = spec.before or spec.start
    start: Any = context.evaluate(anchor, spec.prefix) if anchor else entered.astimezone(ZONE).date()
    n: Any = int(spec.n) if spec.n.isdigit() else context.evaluate(spec.n, spec.prefix)
    if not isinstance(start, dt.date) or not isinstance(n, int) or isinstance(n, bool):
        return None
    direction: Direction = "before" if spec.before else "after"

    def due(start: dt.date, pauses: Sequence[Pause]) -> Due:
        return compute(
            start, n, spec.unit, calendar, direction, pauses=pauses, name=spec.name, title=spec.title or context.state.title,
            cite=spec.cite, basis=spec.basis,
        )  # fmt: skip

    # of a merged case's deadline of the same name and its own, the earlier one counts
    kept = [dues[key] for dues in context.story.absorbed.values() if (key := f"{context.case.state}:{spec.name}") in dues]
    merged = [due(dt.date.fromisoformat(k["start"]), [*_days(k["pauses"]), *_days(p for p in context.story.pauses if p[0] >= k["on"])]) for k in kept]
    return min([due(start, pauses_of(context, start)), *merged], key=lambda d: d.end)


def _days(pauses: Iterable[Sequence[str]]) -> list[Pause]:
    return [(dt.date.fromisoformat(a), dt.date.fromisoformat(b) if b else None) for a, b in pauses]


def pauses_of(context: Context, start: dt.date) -> list[Pause]:
    """The pauses of a case that a deadline begun on `start` has seen something of."""
    return [(a, b) for a, b in _days(context.story.pauses) if b is None or b > start]


def stopped(context: Context) -> bool:
    """Whether the clocks of the case stand still."""
    return bool(context.story.pauses) and not context.story.pauses[-1][1]


def over(context: Context) -> list[tuple[dt.date, dt.date]]:
    """The pauses that have ended."""
    return [(a, b) for a, b in _days(context.story.pauses) if b is not None]


def until(context: Context) -> str:
    """The day on which the open pause ends: today, or the day what the clock does belongs to, and never before it began,
    even when the clock was set back."""
    return max((context.tx.as_of or context.today).isoformat(), context.story.pauses[-1][0])


def hold(context: Context) -> dt.date | None:
    """The case was suspended: its deadlines stand still. Returns the next last day of what goes on."""
    tx, calendar = context.tx, context.app.calendar(context.tx)
    for row in tx.deadlines.of(context.case.id, "open"):
        if row.name != AT_MOST:
            due = Due.from_json(row.record)
            since = dt.date.fromisoformat(context.story.pauses[-1][0])
            tx.deadlines.pause(row.id, again(due, calendar, [*due.pauses, (since, None)]).to_json())
    return tx.deadlines.next_of(context.case.id)


def go_on(context: Context) -> list[tuple[dt.date, dt.date]]:
    """The case was resumed: its deadlines move by the paused time. (old, new) last day of each that moved."""
    tx, moved = context.tx, []
    calendar, ended = context.app.calendar(tx), dt.date.fromisoformat(context.story.pauses[-1][1])
    version, seq = int(calendar.version or 0), tx.events.next_seq(context.case.id) - 1
    for row in tx.deadlines.of(context.case.id, "paused"):
        old = Due.from_json(row.record)
        due = again(old, calendar, [(a, b or ended) for a, b in old.pauses])
        spec = due_spec(context, row)
        upcoming = next_alarm(context, spec, due.end, calendar, row.log) if spec else None
        tx.deadlines.move(row.id, due.end, due.provisional, due.to_json(), version, why="pause", seq=seq, next_on=upcoming)
        tx.deadlines.go_on(row.id)
        if due.end != row.end_date:
            moved.append((row.end_date, due.end))
    return moved


def length_of(context: Context, spec: DueSpec, start: dt.date, title: str = "") -> Due | None:
    """A time of a verb (`within`, `at_most`) from a day; None while its parameter is unknown."""
    n: Any = int(spec.n) if spec.n.isdigit() else context.evaluate(spec.n)
    if not isinstance(n, int) or isinstance(n, bool):
        return None
    return compute(start, n, spec.unit, context.app.calendar(context.tx), name=spec.name, title=title)


def length(context: Context, span: Span, prefix: str = "") -> int | None:
    """How many days, working days or months; None while unknown or out of reason."""
    n: Any = int(span.n) if span.n.isdigit() else context.evaluate(span.n, prefix)
    return n if isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= LONGEST[span.unit] else None


def alarms(context: Context, spec: DueSpec, end: dt.date, calendar: Calendar) -> list[Alarm]:
    """The reminders before a last day and the levels after it."""
    remind = [(n, x.unit) for x in spec.remind if (n := length(context, x, spec.prefix)) is not None]
    up = [(n, x.unit, x.to) for x in spec.escalate if (n := length(context, x, spec.prefix)) is not None]
    return plan(end, remind, up, calendar)


def next_alarm(context: Context, spec: DueSpec, end: dt.date, calendar: Calendar, log: Sequence[dict[str, Any]]) -> dt.date | None:
    if not spec.remind and not spec.escalate:
        return None
    return min((a.day for a in pending(alarms(context, spec, end, calendar), log)), default=None)


def due_spec(context: Context, row: Deadline) -> DueSpec | None:
    """The key a row was made from, as the case's definition has it now."""
    state = context.definition.spec.state(row.state)
    return next((d for d in state.dues if d.name == row.name), None) if state else None


def recompute(context: Context) -> list[Move]:
    """Works the open deadlines of a locked case out again under the calendar in force; (name, old, new) last day of those
    that moved."""
    tx, moved = context.tx, list[Move]()
    calendar = context.app.calendar(tx)
    version, seq = int(calendar.version or 0), tx.events.next_seq(context.case.id)
    for row in tx.deadlines.of(context.case.id, "open"):
        if row.calendar_version >= version:
            continue
        due, spec = again(Due.from_json(row.record), calendar), due_spec(context, row)
        upcoming = next_alarm(context, spec, due.end, calendar, row.log) if spec else None
        tx.deadlines.move(row.id, due.end, due.provisional, due.to_json(), version, why="calendar", seq=seq, next_on=upcoming)
        if due.end != row.end_date:
            moved.append((row.name, row.end_date, due.end))
    return moved
