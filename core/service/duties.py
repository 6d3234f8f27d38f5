"""Obligations of a case: periods open, warn, are met, missed or made up, by the clock or by the act that does the duty.

Everything here happens under the case's lock, in the order of the days it belongs to, however late it is done: the rows
and events after a week without a sweep are those of a week with one. A period is read as its rule stood when the period
began: the definition of that day is kept with the row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from siquan.core.calendar import Calendar
from siquan.core.obligations.periods import Period, owed
from siquan.core.obligations.standing import RUNNING, Standing, Terms, first_taker
from siquan.core.obligations.supervision import after, before
from siquan.core.policy.force import Bound
from siquan.core.service.app import ZONE, App
from siquan.core.service.context import Context
from siquan.core.service.telling import CLOCK, doers, tell
from siquan.core.service.timing import length, over, stopped
from siquan.core.spec.model import ObligationSpec, Span
from siquan.core.store.rows import Event, Obligation
from siquan.core.store.transaction import Tx

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Deed:
    """What may have done a duty: an event of the case or of a child, on a day."""

    day: dt.date
    case: str
    seq: int


class Within(Context):
    """A case read by a definition other than its own, on a day of its own."""

    def __init__(self, base: Context, bound: Bound, day: dt.date) -> None:
        super().__init__(base.app, base.tx, base.case)
        self.__dict__["definition"], self.__dict__["book"], self.today = bound.definitions[base.case.process], bound.book, day


def standing(row: Obligation) -> Standing:
    return Standing(Terms(row.start, row.end, row.warn_on, row.last_on, row.late_on), row.status)


def day_of(at: dt.datetime) -> dt.date:
    return at.astimezone(ZONE).date()


class Duties:
    """The obligations of one locked case."""

    def __init__(self, app: App, tx: Tx, case_id: str, *, bump: int = 0) -> None:
        """`bump`: the case row is still to be updated, so events speak of its next revision."""
        self.app, self.tx = app, tx
        self.context = Context(app, tx, tx.cases.get(case_id))
        self.revision = self.context.case.revision + bump
        self.specs = {s.name: s for s in self.context.definition.spec.obligations}
        self.rows = tx.obligations.of(self.context.case.id)

    # what is owed

    def unopened(self, upto: dt.date) -> list[tuple[dt.date, Period, ObligationSpec]]:
        """Periods that have begun and have no row yet, with the day they open, the earliest first. None while the date they
        run from is unknown, and none that was over before the case was opened."""
        context, out = self.context, list[tuple[dt.date, Period, ObligationSpec]]()
        if not context.case.is_open:
            return []
        opened, known = day_of(context.case.opened_at), {(r.name, r.start) for r in self.rows}
        for spec in self.specs.values():
            bounds = self._bounds(spec)
            if bounds is None:
                continue
            since, until = max(bounds[0], opened), bounds[1]
            due = owed(spec.every, since, until, upto, spec.partial)
            due = [p for p in due if (spec.name, p.start) not in known and not self._slept_through(p)]
            out += [(max(p.start, since, self._woken(p.start)), p, spec) for p in due]
        return sorted(out, key=lambda x: (x[0], x[2].name))

    def _slept_through(self, period: Period) -> bool:
        """Whether the clocks of the case stood still all the while: nothing was owed then."""
        return any(a <= period.start and period.end < b for a, b in over(self.context))

    def _woken(self, day: dt.date) -> dt.date:
        """The day itself, or the one on which the clocks went on that stood still on it."""
        return max((b for a, b in over(self.context) if a <= day < b), default=day)

    def put_off(self, since: dt.date, until: dt.date) -> None:
        """The clocks went on: the days of running periods that had not come yet come as much later."""
        for row in self.rows:
            if row.status not in RUNNING and (row.late_on is None or row.late_on < since):
                continue
            days = {
                k: v + (until - since) for k in ("warn_on", "last_on", "late_on") if (v := getattr(row, k)) is not None and v >= since
            }  # fmt: skip
            moved = replace(row, **days)
            self.tx.obligations.change(row.id, next_on=standing(moved).next_day, **days)
        self._reload()

    def _bounds(self, spec: ObligationSpec) -> tuple[dt.date, dt.date | None] | None:
        since: Any = self.context.evaluate(spec.since) if spec.since else day_of(self.context.case.opened_at)
        until: Any = self.context.evaluate(spec.until) if spec.until else None
        return (since, until if isinstance(until, dt.date) else None) if isinstance(since, dt.date) else None

    # by the clock

    def next_days(self, upto: dt.date) -> list[dt.date]:
        """The first day on which `advance` would do something; empty when there is none."""
        if stopped(self.context):
            return []
        days = [r.next_on for r in self.rows if r.next_on is not None and r.next_on <= upto]
        days += [day for day, _, _ in self.unopened(upto)[:1]]
        return [min(days)] if days else []

    def advance(self, upto: dt.date, end: bool = True) -> dict[str, int]:
        """What time alone does up to and with a day, in order; `end`: and what is owed no longer ends. Returns how often
        a period came to stand how."""
        if stopped(self.context):  # while the clocks of a case stand still nothing is owed
            return {}
        before, made = {r.id: r.status for r in self.rows}, dict[str, int]()
        while self._step(upto, end):
            for row in self.rows:
                if before.get(row.id) != row.status:
                    made[row.status] = made.get(row.status, 0) + 1
                    before[row.id] = row.status
        return made

    def _step(self, upto: dt.date, end: bool) -> bool:
        """The earliest thing to do: a period to end early, to change, or to open. False when there is none."""
        over = next((r for r in self.rows if end and r.status in RUNNING and self._over(r)), None)
        if over is not None:
            self._change(over, "void", self.tx.as_of or self.context.today)
            return True
        ticking = [r for r in self.rows if r.next_on is not None and r.next_on <= upto]
        row = min(ticking, key=lambda r: (r.next_on or upto, r.start, r.name), default=None)
        found = next(iter(self.unopened(upto)), None)
        if row is not None and row.next_on is not None and (found is None or row.next_on <= found[0]):
            _, now = next(standing(row).due_steps(row.next_on))
            self._change(row, now.status, row.next_on)
        elif found is not None:
            self._open(*found)
        return row is not None or found is not None

    def _over(self, row: Obligation) -> bool:
        """Whether a running period is owed no longer: the case is closed, or the duty ends before the period does."""
        if not self.context.case.is_open:
            return True
        spec = self.specs.get(row.name)
        bounds = self._bounds(spec) if spec else None
        if spec is None or bounds is None or bounds[1] is None:
            return False
        return row.start > bounds[1] if spec.partial else row.end > bounds[1]

    def _open(self, day: dt.date, period: Period, current: ObligationSpec) -> None:
        case, calendar = self.context.case, self.app.calendar(self.tx)
        bound = self._in_force(day)
        spec = next((s for s in bound.definitions[case.process].spec.obligations if s.name == current.name), current)
        terms = self._terms(Within(self.context, bound, day), spec, period, calendar)
        zh, en = period.label(spec.every)
        record = {
            "title": spec.title, "label": zh, "label_en": en, "every": spec.every, "cite": spec.cite, "basis": spec.basis, "by": spec.by,
            "met_when": spec.met_when, "act": spec.act, "child": spec.child,
        }  # fmt: skip
        row = self.tx.obligations.add(
            case.id, spec.name, period.start, period.end, opened_on=day, warn_on=terms.warn, last_on=terms.last,
            late_on=terms.late, next_on=Standing(terms).next_day, definition_hash=bound.hash, record=record,
        )  # fmt: skip
        self._event(row, "open", day)
        self._reload()
        # what was done before anybody looked counts from the day it was done
        for deed in self._deeds(row):
            self._done(row.name, deed)
        if spec.met_when and self._holds(row, day):
            self._meet(row, Deed(day, case.id, self.tx.events.next_seq(case.id) - 1))

    def _terms(self, context: Context, spec: ObligationSpec, period: Period, calendar: Calendar) -> Terms:
        def known(span: Span | None) -> int | None:
            return length(context, span) if span else None

        warn, grace, late = known(spec.warn), known(spec.grace), known(spec.make_up)
        last = after(period.end, grace, spec.grace.unit, calendar) - DAY if spec.grace and grace else period.end
        warned = max(before(period.end, warn, spec.warn.unit, calendar), period.start) if spec.warn and warn is not None else None
        return Terms(period.start, period.end, warned, last, after(last, late, spec.make_up.unit, calendar) - DAY if spec.make_up and late else None)

    def _in_force(self, day: dt.date) -> Bound:
        """What the case was decided by on a day, kept so that the period can be read by it later."""
        case = self.context.case
        if self.context.definition.spec.pin != "none":
            return self.app.bound(self.tx, case)
        bound = self.app.in_force(self.tx, case.process, day)
        if not self.tx.definitions.has(bound.hash):
            self.tx.definitions.put(bound.hash, "plugin", bound.spec.name, bound.spec.model_dump_json())
        return bound

    # by an act

    def look(self, by: tuple[str, int], day: dt.date) -> None:
        """After an accepted act: first what the time before it has done, then whether the act did a duty. What was done
        while the clocks stood still counts when they go on."""
        if stopped(self.context):
            return
        self.advance(day, end=False)
        for name in sorted({r.name for r in self.rows if self._may_take(r, day)}):
            row = next(r for r in self.rows if r.name == name)
            for deed in self._deeds(row, day):
                self._done(name, deed)
        for row in [r for r in self.rows if r.record.get("met_when") and self._may_take(r, day)]:
            if self._holds(row, day):
                self._meet(row, Deed(day, *by))
        self.advance(day)

    def _may_take(self, row: Obligation, day: dt.date) -> bool:
        return bool(standing(row).takes(day))

    def _deeds(self, row: Obligation, today: dt.date | None = None) -> list[Deed]:
        """Steps taken or children opened that may do the duty and have done none yet, oldest first; with `today` only those
        of the act in hand, which counts as done that day."""
        used = {(r.met_case, r.met_seq) for r in self.rows if r.name == row.name and r.met_case}
        case, out = self.context.case, list[Deed]()
        if row.record.get("act"):
            events = self.tx.events.latest(case.id, 8) if today else self.tx.events.of(case.id)
            found = [e for e in events if e.data.get("transition") == row.record["act"] and (not today or e.at == self.tx.at)]
            out = [Deed(today or day_of(e.at), case.id, e.seq) for e in found]
        elif row.record.get("child"):
            children = self.tx.cases.children(case.id, row.record["child"])
            out = [Deed(today or day_of(c.opened_at), c.id, 1) for c in children if not today or c.opened_at == self.tx.at]
        return sorted((d for d in out if (d.case, d.seq) not in used), key=lambda d: (d.day, d.seq))

    def _done(self, name: str, deed: Deed) -> None:
        taker = first_taker([(r.id, standing(r)) for r in self.rows if r.name == name], deed.day)
        row = next((r for r in self.rows if r.id == taker), None)
        if row is not None and (deed.case, deed.seq) not in {(r.met_case, r.met_seq) for r in self.rows if r.name == name}:
            self._meet(row, deed)

    def _holds(self, row: Obligation, day: dt.date) -> bool:
        """The condition, read as it stood when the period opened."""
        bound = self.app.bound(self.tx, self.context.case)
        if bound.hash != row.definition_hash:
            bound = self.app.pinned(self.tx, row.definition_hash)
        context = Within(self.context, bound, min(day, row.end))
        situation, own = context.situation(), {"period.start": row.start, "period.end": row.end}
        test = context.definition.of_period(row.record["met_when"])[1]
        return test(lambda path: own[path] if path in own else situation.fact(path), situation.param, context.today) is True

    def _meet(self, row: Obligation, deed: Deed) -> None:
        if status := standing(row).takes(deed.day):
            self._change(row, status, deed.day, met_case=deed.case, met_seq=deed.seq)

    # writing

    def _change(self, row: Obligation, status: str, day: dt.date, **more: Any) -> None:
        upcoming = Standing(standing(row).terms, status).next_day
        self.tx.obligations.change(row.id, status=status, changed_on=day, next_on=upcoming, **more)
        self._event(row, status, day, **more)
        self._reload()

    def _reload(self) -> None:
        self.rows = self.tx.obligations.of(self.context.case.id)

    def _event(self, row: Obligation, what: str, day: dt.date, **more: Any) -> None:
        case = self.context.case
        data = {
            "obligation": row.name, "title": row.record["title"], "period": row.record["label"], "start": row.start.isoformat(),
            "what": what, "on": day.isoformat(), "to": case.state, "revision": self.revision, **more,
        }  # fmt: skip
        event = self.tx.events.append(case.id, "obligation", CLOCK, data)
        if what in ("warned", "missed") and case.is_open:
            tell(self.tx, self._answerable(row), case.id, what, event.seq)

    def _answerable(self, row: Obligation) -> set[str]:
        role = row.record.get("by")
        held = {p.person for p in self.context.posts if p.role == role}
        return held or doers(self.context)


def catch_up(context: Context) -> None:
    """Before an act: what time has done to the obligations of a locked case and of its parent, if no sweep has come by yet.
    The case keeps its revision, so that a form filled in meanwhile is still good."""
    tx = context.tx
    for one in (context.parent, context):
        if one is not None and one.definition.spec.obligations:
            Duties(context.app, tx, one.case.id).advance(tx.as_of or context.today)


def look_after(context: Context) -> None:
    """The obligations of a case and of its parent, after an accepted act whose event is written and whose row is updated."""
    tx, seq = context.tx, context.tx.events.next_seq(context.case.id) - 1
    for one in (context, context.parent):
        if one is not None and one.definition.spec.obligations:
            if one is not context:
                tx.cases.lock(one.case.id)
            Duties(context.app, tx, one.case.id).look((context.case.id, seq), tx.as_of or day_of(tx.at))


def end_duties(context: Context) -> None:
    """A case was closed together with another: what it owed is owed no longer."""
    if context.definition.spec.obligations:
        Duties(context.app, context.tx, context.case.id).advance(context.tx.as_of or context.today)


def put_off(context: Context) -> None:
    """The newest pause of a case is over: its obligations go on where they stood."""
    if context.definition.spec.obligations:
        since, until = over(context)[-1]
        Duties(context.app, context.tx, context.case.id).put_off(since, until)


def told_otherwise(tx: Tx, case_id: str, events: Iterable[Event]) -> list[dict[str, Any]]:
    """Periods whose row says something else than the events of the case, or that only one of them knows."""
    told = {(e.data["obligation"], e.data["start"]): e.data["what"] for e in events if e.kind == "obligation"}
    kept = {(r.name, r.start.isoformat()): r.status for r in tx.obligations.of(case_id)}
    return [
        {"period": " ".join(key), "events": told.get(key, ""), "row": kept.get(key, "")}
        for key in sorted({*told, *kept}) if told.get(key) != kept.get(key)
    ]  # fmt: skip
