"""Calendar years: proposed, checked, tried on the open deadlines, published or corrected; deadlines counted again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from siquan.core.calendar import BadCalendar, Calendar, Year, propose
from siquan.core.engine.deadlines import Due, again
from siquan.core.errors import BadInput, NoAccess, SiquanError
from siquan.core.obligations.views import (
    CalendarView,
    DayView,
    MonthView,
    MovedView,
    PublishedView,
    YearChange,
)
from siquan.core.service.acts import SYSTEM, Acts
from siquan.core.service.app import ADMIN, ZONE, App
from siquan.core.service.refusal import check_text
from siquan.core.service.timing import recompute
from siquan.core.store.rows import Deadline, HolidayYear
from siquan.core.store.transaction import Tx

PAGE = 200
#: moved deadlines that a preview names; the rest it counts
SHOWN = 200
FIRST, LAST, SOURCE = 2000, 2100, 500
Moved = tuple[str, dt.date, dt.date]


class CalendarChanged(SiquanError):
    """the calendar was published anew meanwhile: you saw version {seen}, it is {now} now"""

    code = "SQ511"
    zh = "这期间又公布过放假安排：你看的是第 {seen} 版，现在是第 {now} 版"
    help_en = "look again which deadlines would move, then publish"
    help_zh = "请重新核对哪些期限会动，再公布"
    exit = 1
    http = 409


def year_of(row: HolidayYear) -> Year:
    day = dt.date.fromisoformat
    return Year(row.year, {day(d): n for d, n in row.holidays.items()}, frozenset(map(day, row.workdays)), row.source)


def calendar_at(tx: Tx, version: int) -> Calendar:
    """The calendar as a version of it had it: what a deadline says it was counted with."""
    return Calendar({y: year_of(row) for y, row in tx.calendars.years(version).items()}, str(version))


class Years:
    def __init__(self, app: App, acts: Acts) -> None:
        self.app, self.acts = app, acts

    # looking

    def page(self, year: int | None, person: str) -> CalendarView:
        with self.app.store.read() as tx:
            return self._view(tx, year or self.app.today().year, person)

    def _view(self, tx: Tx, year: int, person: str) -> CalendarView:
        _must_be_a_year(year)
        calendar, rows = self.app.calendar(tx), tx.calendars.years()
        row = rows.get(year)
        versions = [r for r in tx.calendars.all() if r.year == year]
        shown = tuple(
            PublishedView(v.version, v.at.astimezone(ZONE), "随程序附带" if v.published_by == "shipped" else self.app.person_name(tx, v.published_by), v.source)
            for v in reversed(versions)
        )
        return CalendarView(
            year, row is not None, row.version if row else 0, int(calendar.version or 0), row.source if row else "", _months(calendar, year), shown,
            tuple(sorted(rows)), self.may_publish(tx, person), _lines(year_of(row)) if row else (), tuple(sorted(map(dt.date.fromisoformat, row.workdays))) if row else (),
        )  # fmt: skip

    def proposal(self, year: int) -> dict[str, Any]:
        """What the package `holidays` knows, in the form that is published."""
        _must_be_a_year(year)
        return propose(year).to_json()

    def may_publish(self, tx: Tx, person: str) -> bool:
        """Whoever holds the kernel's role `admin` at a unit with none above it."""
        grants = [g for g in tx.people.grants(person, self.app.today()) if g.role == ADMIN]
        units = [tx.people.find_unit(g.unit_id) for g in grants]
        return any(u is not None and u.parent_id is None for u in units)

    # trying and publishing

    def preview(self, year: int, data: Any, person: str, seen: int | None = None) -> YearChange:
        """What publishing would change: days of the year, and the open deadlines that would move. Nothing is written."""
        new = self._checked(year, data)
        with self.app.store.read() as tx:
            self._must_publish(tx, person)
            self._fresh(tx, seen)
            return self._change(tx, new)

    def _change(self, tx: Tx, new: Year) -> YearChange:
        old = self.app.calendar(tx)
        calendar = Calendar({**old.years, new.year: new}, f"{int(old.version or 0) + 1}")
        days = [d for d in _every(new.year) if (old.day_kind(d), old.name(d)) != (calendar.day_kind(d), calendar.name(d))]
        changed = tuple((d, old.day_kind(d), calendar.day_kind(d), calendar.name(d) or old.name(d)) for d in days)
        moved, total = list[MovedView](), 0
        if days or new.year not in old.years:
            for row, due in self._moving(tx, calendar, dt.date(new.year - 1, 12, 1), dt.date(new.year, 12, 31)):
                total += 1
                if len(moved) < SHOWN:
                    case = tx.cases.get(row.case_id)
                    moved.append(MovedView(case.id, case.number or "", case.title, due.title, row.end_date, due.end))
        return YearChange(new.year, new.year in old.years, int(old.version or 0), changed, tuple(moved), total, new.source)

    def _moving(self, tx: Tx, calendar: Calendar, first: dt.date, last: dt.date) -> Iterator[tuple[Deadline, Due]]:
        after = ""
        while page := tx.deadlines.touching(first, last, PAGE, after):
            for row in page:
                due = again(Due.from_json(row.record), calendar)
                if due.end != row.end_date:
                    yield row, due
            after = page[-1].id

    def publish(self, year: int, data: Any, person: str, seen: int | None = None, key: str | None = None) -> tuple[int, list[Moved]]:
        """Publishes or corrects a year; (version, open deadlines that moved). The same key again publishes nothing."""
        new = self._checked(year, data)
        if key:
            check_text(key, 100, "请求编号")
        with self.app.store.begin() as tx:
            self._must_publish(tx, person)
            stored = tx.idempotency.claim(key, ["calendar", person, new.to_json()]) if key else None
            if stored:
                return int(stored["version"]), []
            self._fresh(tx, seen)
            row = tx.calendars.publish(new.year, new.holidays, new.workdays, new.source, person)
            tx.access.add(person, "calendar.publish", f"{new.year} v{row.version}")
            if key:
                tx.idempotency.answer(key, {"version": row.version})
        return row.version, self.recompute(person)

    def _must_publish(self, tx: Tx, person: str) -> None:
        if not self.may_publish(tx, person):
            raise NoAccess(why="只有最上级单位的管理员能公布放假安排", help="请管理员在“日历”页公布")

    def _fresh(self, tx: Tx, seen: int | None) -> None:
        now = tx.calendars.version()
        if seen is not None and seen != now:
            raise CalendarChanged(seen=seen, now=now)

    def _checked(self, year: int, data: Any) -> Year:
        _must_be_a_year(year)
        new = data if isinstance(data, Year) else Year.read(data)
        if new.year != year:
            raise BadCalendar(year=year, why=f"the file is about {new.year}", why_zh=f"文件写的是 {new.year} 年")
        source = " ".join(new.source.split())
        if not source:
            raise BadCalendar(year=year, why="it names no source", why_zh="没有写来源，例如通知的名称和文号")
        check_text(source, SOURCE, "来源")
        if not new.holidays:
            raise BadCalendar(year=year, why="no day is off", why_zh="一天放假也没有")
        return Year(new.year, new.holidays, new.workdays, source)

    # counting again

    def recompute(self, by: str = SYSTEM) -> list[Moved]:
        """Every open deadline counted with an older calendar, counted anew; (case, old, new) of those that moved. What keeps
        its day is noted in bulk, what moves one case at a time; whatever was not reached is done by the next sweep."""
        waiting: dict[str, None] = {}
        with self.app.store.read() as tx:
            version, calendar, published = tx.calendars.version(), self.app.calendar(tx), tx.calendars.years()
        after = ""
        while True:
            with self.app.store.read() as tx:
                page = tx.deadlines.counted_before(version, PAGE, after)
            if not page:
                break
            still: list[tuple[Deadline, Due]] = []
            apart: list[Deadline] = []
            for row in page:
                if not any(_touches(row, y.year) for y in published.values() if y.version > row.calendar_version):
                    apart.append(row)
                elif (due := again(Due.from_json(row.record), calendar)).end != row.end_date:
                    waiting[row.case_id] = None
                else:
                    still.append((row, due))
            with self.app.store.begin() as tx:
                tx.deadlines.untouched(apart, version)
                for row, due in still:
                    if row.case_id not in waiting:
                        tx.deadlines.recounted(row, due.provisional, due.to_json(), version)
            after = page[-1].id
        moved: list[Moved] = []
        for case_id in waiting:
            moved += self._recount(case_id, by)
        return moved

    def _recount(self, case_id: str, by: str) -> list[Moved]:
        with self.app.store.begin() as tx:
            context = self.acts._locked(tx, case_id, None)
            found = recompute(context)
            if not found:
                return []
            case = context.case
            data = {
                "to": case.state, "revision": case.revision + 1, "moved": [[a.isoformat(), b.isoformat()] for _, a, b in found],
                "deadlines": [name for name, _, _ in found], "version": tx.calendars.version(),
            }  # fmt: skip
            tx.events.append(case_id, "calendar", by, data)
            tx.cases.update(case_id, case.revision, due_on=tx.deadlines.next_of(case_id))
            self.acts._touch_parent(context)
            return [(case_id, a, b) for _, a, b in found]


def _touches(row: Deadline, year: int) -> bool:
    """Whether a day of the count lies in what a notice for the year may settle: the year and the December before."""
    first, last = sorted((row.start, row.end_date))
    return first <= dt.date(year, 12, 31) and last >= dt.date(year - 1, 12, 1)


def _must_be_a_year(year: int) -> None:
    if not FIRST <= year <= LAST:
        raise BadInput(why=f"`{year}` 不是 {FIRST} 至 {LAST} 之间的年份")


def _every(year: int) -> Iterator[dt.date]:
    day = dt.date(year, 1, 1)
    while day.year == year:
        yield day
        day += dt.timedelta(days=1)


def _lines(year: Year) -> tuple[tuple[str, dt.date, dt.date], ...]:
    """Stretches of days off as the notice has them: (name, from, to)."""
    day = dt.date.fromisoformat
    return tuple((x["name"], day(x["from"]), day(x["to"])) for x in year.to_json()["holidays"])


def _months(calendar: Calendar, year: int) -> tuple[MonthView, ...]:
    weeks: dict[int, list[list[DayView | None]]] = {}
    for day in _every(year):
        rows = weeks.setdefault(day.month, [])
        if not rows or day.weekday() == 0:
            rows.append([None] * 7)
        kind = calendar.day_kind(day)
        first = kind == "holiday" and calendar.name(day - dt.timedelta(days=1)) != calendar.name(day)
        rows[-1][day.weekday()] = DayView(day, kind, calendar.name(day), first)
    return tuple(MonthView(m, tuple(tuple(w) for w in rows), _workdays(rows)) for m, rows in weeks.items())


def _workdays(rows: Iterable[Iterable[DayView | None]]) -> int:
    return sum(d is not None and d.kind in ("workday", "makeup") for w in rows for d in w)


def read_year(year: int, source: str, lines: Iterable[tuple[str, str, str]], workdays: Iterable[str]) -> Mapping[str, Any]:
    """The form of a page as a calendar file says it; rows left empty do not count."""
    given = [{"name": n.strip(), "from": a.strip(), "to": b.strip() or a.strip()} for n, a, b in lines if n.strip() or a.strip() or b.strip()]
    for line in given:
        if not line["name"] or not line["from"]:
            raise BadCalendar(year=year, why="a stretch needs a name and a first day", why_zh="每一段放假都要写名称和首日")
    return {"year": year, "source": source, "holidays": given, "workdays": [w.strip() for w in workdays if w.strip()]}
