"""What pages, the API and the command line show of time: deadlines day by day, supervision, obligations, calendar years."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class DutyView:
    """One period of an obligation."""

    id: str
    case: str
    case_title: str
    name: str
    title: str
    label: str  # 2026年第4季度
    start: dt.date
    end: dt.date
    last: dt.date  # last day in time, grace included
    late: dt.date | None  # last day to make up, while it still can be
    status: str  # open warned met missed made_up void
    on: dt.date  # day of the last change
    by: str = ""  # title of the role that answers for it
    basis: str = ""
    cite: str = ""
    met_case: str = ""
    met_seq: int = 0
    process: str = ""
    process_title: str = ""
    place: str = ""
    number: str = ""


@dataclass(frozen=True)
class DutyStrip:
    """An obligation of a case with its periods, the earliest first."""

    name: str
    title: str
    periods: tuple[DutyView, ...]
    counts: tuple[tuple[str, int], ...] = ()  # status -> number
    waiting: str = ""  # why no period has opened yet


@dataclass(frozen=True)
class MarkView:
    """One day of a count."""

    date: dt.date
    kind: str  # start n off pause end
    n: int | None
    label: str


@dataclass(frozen=True)
class ChangeView:
    """What happened to a deadline."""

    at: dt.datetime | None
    kind: str  # opened moved remind escalate expired met cancelled fired
    text: str
    seq: int = 0


@dataclass(frozen=True)
class DeadlineView:
    """A deadline with the whole count behind it."""

    id: str
    case: str
    case_title: str
    number: str
    title: str
    state_title: str
    status: str  # open met fired cancelled
    start: dt.date
    end: dt.date
    chip: str
    chip_kind: str
    line: str
    calendar: int  # version of the calendar it was counted with
    calendar_years: tuple[tuple[int, int, str], ...]  # (year, version, source) the count looked at
    provisional: bool
    rolled_from: dt.date | None
    pauses: tuple[tuple[dt.date, dt.date | None], ...]
    days: tuple[MarkView, ...]
    basis: str
    cite: str
    then: str
    lamp: str
    share: int
    level: int
    alarms: tuple[tuple[dt.date, int, str, bool], ...]  # (day, level, to, given)
    changes: tuple[ChangeView, ...]


@dataclass(frozen=True)
class PressingRow:
    """A deadline that is overdue or soon due."""

    case: str
    number: str
    title: str
    process: str
    process_title: str
    icon: str
    place: str
    place_title: str
    state_title: str
    deadline: str
    deadline_title: str
    end: dt.date
    chip: str
    chip_kind: str
    lamp: str  # green yellow red
    share: int  # hundredths of the time used
    level: int  # of supervision
    levels: int  # there are
    who: tuple[str, ...]  # could act
    line: str


@dataclass(frozen=True)
class Bar:
    """Numbers of a unit or a process."""

    id: str
    title: str
    depth: int
    over: int
    soon: int


@dataclass(frozen=True)
class OversightView:
    rows: tuple[PressingRow, ...]
    total: int
    over: int
    units: tuple[Bar, ...]
    processes: tuple[Bar, ...]
    duties: tuple[DutyView, ...]
    soon_days: int
    here: str = ""  # unit that was chosen


@dataclass(frozen=True)
class DayView:
    date: dt.date
    kind: str  # workday weekend holiday makeup
    name: str
    first: bool = False  # of its holiday


@dataclass(frozen=True)
class MonthView:
    number: int
    weeks: tuple[tuple[DayView | None, ...], ...]
    workdays: int


@dataclass(frozen=True)
class PublishedView:
    version: int
    at: dt.datetime
    by: str
    source: str


@dataclass(frozen=True)
class CalendarView:
    year: int
    published: bool
    version: int  # that counts for this year
    newest: int  # of all years
    source: str
    months: tuple[MonthView, ...]
    versions: tuple[PublishedView, ...]
    years: tuple[int, ...]  # published ones
    may_publish: bool
    stretches: tuple[tuple[str, dt.date, dt.date], ...] = ()
    workdays: tuple[dt.date, ...] = ()


@dataclass(frozen=True)
class MovedView:
    case: str
    number: str
    title: str
    deadline: str
    old: dt.date
    new: dt.date


@dataclass(frozen=True)
class YearChange:
    """What publishing a year would do."""

    year: int
    published: bool  # before: this corrects it
    version: int  # of the calendar it was tried on
    days: tuple[tuple[dt.date, str, str, str], ...]  # (day, old kind, new kind, name)
    moved: tuple[MovedView, ...]
    total: int
    source: str
