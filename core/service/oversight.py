"""督办: what is overdue or soon due, by unit and process, with lamps and levels; obligations that wait; one deadline whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from siquan.core.calendar import DAY, Calendar
from siquan.core.engine.daycount import DayCount
from siquan.core.engine.deadlines import Due, remaining
from siquan.core.errors import NotFound
from siquan.core.obligations.supervision import level_of, pending
from siquan.core.obligations.views import (
    Bar,
    ChangeView,
    DeadlineView,
    DutyView,
    MarkView,
    OversightView,
    PressingRow,
)
from siquan.core.service.app import ADMIN, POLICY_ROLES, App
from siquan.core.service.context import Context
from siquan.core.service.pages import must_see
from siquan.core.service.telling import doers
from siquan.core.service.timewords import duty_view, lamp_of, share_of
from siquan.core.service.timing import alarms, due_spec
from siquan.core.service.words import Words
from siquan.core.service.years import calendar_at
from siquan.core.store.rows import Deadline, Obligation, Unit
from siquan.core.store.transaction import Tx

SOON, SHOWN, WHO = 5, 200, 4
#: periods an oversight page lists: those near their end, and what was missed within a year
LISTED = ("warned", "missed")


class Oversight:
    def __init__(self, app: App) -> None:
        self.app = app

    # the page

    def view(self, person: str | None, unit: str = "", process: str = "", lang: str = "zh") -> OversightView:
        """For a person: the places at and below his posts. None is the command line of the installation: everything."""
        with self.app.store.read() as tx:
            units = {u.id: u for u in tx.people.units()}
            places = self._places(tx, units, person, unit)
            today, until = self.app.today(), self.app.today() + SOON * DAY
            processes = [process] if process else None
            counts, late = tx.deadlines.count_pressing(until, places, processes), tx.deadlines.count_pressing(today - DAY, places, processes)
            rows = tx.deadlines.pressing(until, places, processes, SHOWN)
            shown = self._rows(tx, rows, units, lang)
            duties = self._duties(tx, places, processes, units, lang)
            return OversightView(
                shown, sum(counts.values()), sum(late.values()), self._units(units, counts, late), self._processes(counts, late, lang), duties, SOON,
                units[unit].name if unit in units else "",
            )  # fmt: skip

    def _places(self, tx: Tx, units: Mapping[str, Unit], person: str | None, unit: str) -> set[str] | None:
        below = {u.id for u in units.values() if unit in u.line} if unit else None
        if unit and unit not in units:
            raise NotFound(kind="单位", name=unit)
        if person is None:
            return below
        held = {g.unit_id for g in tx.people.grants(person, self.app.today()) if g.role not in POLICY_ROLES and g.role != ADMIN}
        mine = {u.id for u in units.values() if held & set(u.line)}
        return mine if below is None else mine & below

    def _rows(self, tx: Tx, rows: Sequence[Deadline], units: Mapping[str, Unit], lang: str) -> tuple[PressingRow, ...]:
        cases, calendar, today = tx.cases.get_many([r.case_id for r in rows]), self.app.calendar(tx), self.app.today()
        out, names = [], dict[str, str]()
        for row in rows:
            context = Context(self.app, tx, cases[row.case_id])
            case, due, spec = context.case, Due.from_json(row.record), due_spec(context, row)
            words = Words(self.app.catalogue, context.definition.spec, lang)
            left, share = remaining(due, today, calendar), share_of(row, due, today, calendar)
            for p in doers(context) if row.state == case.state else ():
                names.setdefault(p, self.app.person_name(tx, p))
            who = sorted(names[p] for p in (doers(context) if row.state == case.state else ()))[:WHO]
            place = units.get(case.place)
            out.append(
                PressingRow(
                    case.id, case.number or "", case.title, case.process, words.title, context.definition.spec.icon, case.place,
                    place.name if place else case.place, words.state_named(case.state), row.id, words.due(row.state, row.name, due.title), row.end_date,
                    left.zh if lang.startswith("zh") else left.en, {"today": "soon"}.get(left.state, left.state), lamp_of(context, share), share,
                    level_of(row.log, row.end_date), len(spec.escalate) if spec else 0, tuple(who), due.lines[0 if lang.startswith("zh") else 1],
                )
            )  # fmt: skip
        return tuple(out)

    def _units(self, units: Mapping[str, Unit], counts: Mapping[tuple[str, str], int], late: Mapping[tuple[str, str], int]) -> tuple[Bar, ...]:
        """The tree with something pressing in it, counts summed upwards."""
        all_, over = dict[str, int](), dict[str, int]()
        for total, found in ((all_, counts), (over, late)):
            for (place, _), n in found.items():
                for above in units[place].line if place in units else ():
                    total[above] = total.get(above, 0) + n
        chosen = [u for u in units.values() if all_.get(u.id)]
        top = min((len(u.line) for u in chosen), default=0)
        return tuple(Bar(u.id, u.name, len(u.line) - top, over.get(u.id, 0), all_[u.id] - over.get(u.id, 0)) for u in chosen)

    def _processes(self, counts: Mapping[tuple[str, str], int], late: Mapping[tuple[str, str], int], lang: str) -> tuple[Bar, ...]:
        out = []
        for id in sorted({p for _, p in counts}):
            definition = self.app.catalogue.definitions.get(id)
            title = Words(self.app.catalogue, definition.spec, lang).title if definition else id
            over, total = (sum(n for (_, p), n in found.items() if p == id) for found in (late, counts))
            out.append(Bar(id, title, 0, over, total - over))
        return tuple(sorted(out, key=lambda b: (-b.over, -b.soon, b.id)))

    def _duties(
        self, tx: Tx, places: set[str] | None, processes: Sequence[str] | None, units: Mapping[str, Unit], lang: str
    ) -> tuple[DutyView, ...]:
        rows = tx.obligations.listed(LISTED, places, processes, SHOWN, self.app.today() - 366 * DAY)
        return self._duty_views(tx, rows, units, lang)

    def _duty_views(self, tx: Tx, rows: Sequence[Obligation], units: Mapping[str, Unit], lang: str) -> tuple[DutyView, ...]:
        cases, out = tx.cases.get_many([r.case_id for r in rows]), []
        names = {u.id: u.name for u in units.values()}
        for row in rows:
            case = cases[row.case_id]
            spec = Context(self.app, tx, case).definition.spec
            out.append(duty_view(row, case, Words(self.app.catalogue, spec, lang), names, lang, self.app.today()))
        return tuple(out)

    def duties(self, case_id: str | None, lang: str = "zh") -> tuple[DutyView, ...]:
        """Every period of a case, or whatever is not settled yet in any: for the command line of the installation."""
        with self.app.store.read() as tx:
            units = {u.id: u for u in tx.people.units()}
            rows = tx.obligations.of(case_id) if case_id else tx.obligations.listed(("open", "warned", "missed"), None, None, 10_000)
            return self._duty_views(tx, rows, units, lang)

    # one deadline

    def deadline(self, deadline_id: str, person: str, lang: str = "zh") -> DeadlineView:
        with self.app.store.read() as tx:
            row = tx.deadlines.get(deadline_id)
            if row is None:
                raise NotFound(kind="期限", name=deadline_id)
            context = Context(self.app, tx, tx.cases.get(row.case_id))
            must_see(context, person)
            return self._deadline(context, row, lang)

    def _deadline(self, context: Context, row: Deadline, lang: str) -> DeadlineView:
        tx, case, today, zh = context.tx, context.case, context.today, lang.startswith("zh")
        words, due = Words(self.app.catalogue, context.definition.spec, lang), Due.from_json(row.record)
        calendar = calendar_at(tx, row.calendar_version) if row.calendar_version else self.app.calendar(tx)
        left, share, spec = remaining(due, today, calendar), share_of(row, due, today, calendar), due_spec(context, row)
        published = tx.calendars.years(row.calendar_version) if row.calendar_version else {}
        looked = range(min(due.start, due.end).year, max(due.start, due.end).year + 1)
        plan = alarms(context, spec, row.end_date, calendar) if spec else []
        coming = pending(plan, row.log)
        step = next((t for s in context.definition.spec.states for t in s.transitions if s.name == row.state and t.name == row.then), None)
        status = {"met": ("已办", "done in time"), "fired": ("已届满", "is over"), "cancelled": ("已取消", "cancelled")}.get(row.status, ("", ""))
        return DeadlineView(
            row.id, case.id, case.title, case.number or "", words.due(row.state, row.name, due.title), words.state_named(row.state), row.status, due.start, row.end_date,
            (left.zh if zh else left.en) if row.status == "open" else status[0 if zh else 1], {"today": "soon"}.get(left.state, left.state) if row.status == "open" else "met",
            due.lines[0 if zh else 1], row.calendar_version, tuple((y, published[y].version, published[y].source) for y in looked if y in published),
            due.provisional, due.rolled_from, due.pauses, self._days(due, calendar, zh), due.basis, "；".join(x for x in (due.cite, due.law) if x),
            words.step(step, row.state) if step else "", lamp_of(context, share) if row.status == "open" else "", share, level_of(row.log, row.end_date),
            tuple((a.day, a.level, self._to(a.to, words, zh), a not in coming) for a in plan), self._changes(row, zh),
        )  # fmt: skip

    def _days(self, due: Due, calendar: Calendar, zh: bool) -> tuple[MarkView, ...]:
        """Every day of the count, counted once more with the calendar it was counted with."""
        paused = [(a, b) for a, b in due.pauses if b is not None] if due.direction == "after" else []
        count = DayCount(
            due.start, due.rolled_from or due.end, due.end, due.unit, due.n, due.direction, calendar,
            lambda day: any(a <= day < b for a, b in paused),
        )  # fmt: skip
        return tuple(MarkView(m.date, m.kind, m.count, m.label if zh else m.label_en) for m in count.cells())

    def _to(self, to: str, words: Words, zh: bool) -> str:
        known = {"leader": ("单位负责人", "the unit's leader"), "up": ("上一级", "one level up"), "": ("", "")}
        return known[to][0 if zh else 1] if to in known else words.role(to)

    def _changes(self, row: Deadline, zh: bool) -> tuple[ChangeView, ...]:
        out = [ChangeView(row.created_at, "opened", "开始计时" if zh else "began")]
        why = {
            "facts": ("事实变了", "a fact changed"), "calendar": ("放假安排公布或更正", "the calendar was published or corrected"),
            "pause": ("暂停或恢复", "paused or resumed"),
        }  # fmt: skip
        for entry in row.log:
            at, skipped = dt.datetime.fromisoformat(entry["at"]), entry.get("skipped")
            if entry["k"] == "moved":
                reason = why.get(entry["why"], ("重算", "counted again"))[0 if zh else 1]
                text = f"{entry['from']} → {entry['to']}：{reason}" + (f"（日历第 {entry['version']} 版）" if entry["why"] == "calendar" else "")
                if not zh:
                    text = f"{entry['from']} → {entry['to']}: {reason}" + (f" (calendar version {entry['version']})" if entry["why"] == "calendar" else "")
            elif entry["k"] == "remind":
                text = (f"{entry['on']} 的提醒" + ("没有发：已有更新的" if skipped else "")) if zh else f"reminder of {entry['on']}" + (": not sent, a newer one was due" if skipped else "")
            else:
                text = f"督办第 {entry['level']} 级" if zh else f"supervision level {entry['level']}"
            out.append(ChangeView(at, entry["k"], text, entry.get("seq", 0)))
        if row.fired_at is not None:
            out.append(ChangeView(row.fired_at, "expired", "最后一日已过" if zh else "the last day is over"))
        return tuple(sorted(out, key=lambda c: (c.at is not None, c.at)))

