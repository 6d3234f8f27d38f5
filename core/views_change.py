"""What the service shows of versions of a process, migrations, repairs and the administrator's work: frozen data."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field


@dataclass(frozen=True)
class VersionView:
    """One version of a process: a content hash of its plugin, and the cases that follow it."""

    hash: str
    since: dt.datetime | None  # when it was first kept; None: no case was opened under it yet
    open: int
    closed: int
    current: bool  # what a case opened today follows
    same: bool = False  # the process, its rules and parameters are those of the current one
    states: tuple[tuple[str, str, int], ...] = ()  # (state, title, open cases)


@dataclass(frozen=True)
class ChangeView:
    """One change of meaning between two versions; `open` counts the open cases it would touch."""

    what: str
    how: str
    name: str
    text: str
    open: int


@dataclass(frozen=True)
class DiffView:
    process: str
    title: str
    old: str
    new: str
    changes: tuple[ChangeView, ...]
    open: int = 0  # open cases that do not follow the newer one


@dataclass(frozen=True)
class PlanCase:
    case: str
    number: str
    title: str
    state: str
    state_title: str
    to_state: str
    to_title: str
    kind: str  # free map never
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    children: int = 0
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlanView:
    """Which open cases may move to the version of today. `cases` are the first of each kind."""

    process: str
    title: str
    to_hash: str
    mapping: tuple[tuple[str, str, str], ...]  # (process, old state, new state)
    counts: dict[str, int] = field(default_factory=dict)  # free map never same
    cases: tuple[PlanCase, ...] = ()
    missing: tuple[tuple[str, str, str, int], ...] = ()  # (process, state, its title, cases) that need a mapping
    choices: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()  # process -> states one may map to
    dry: tuple[PlanCase, ...] | None = None  # what a dry run did, where it differs from the plan: failures


@dataclass(frozen=True)
class MigrationView:
    id: str
    process: str
    title: str
    to_hash: str
    mapping: tuple[tuple[str, str, str], ...]
    status: str
    reason: str
    planned_by: str
    planned_at: dt.datetime
    confirmed_by: str = ""
    confirmed_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    undone_by: str = ""
    undone_at: dt.datetime | None = None
    undo_reason: str = ""
    counts: dict[str, int] = field(default_factory=dict)  # of the plan
    done: dict[str, int] = field(default_factory=dict)  # of what was done
    cases: tuple[PlanCase, ...] = ()  # kind is the status of the case in the migration
    may_confirm: bool = False
    may_undo: bool = False
    yours: bool = False  # you planned it


@dataclass(frozen=True)
class RepairView:
    """A proposal to put a case into another state, waiting for a second person."""

    id: str
    case: str
    number: str
    case_title: str
    from_title: str
    to_state: str
    to_title: str
    reason: str
    by: str
    at: dt.datetime
    reopen: bool
    may_confirm: bool
    why_not: str = ""


@dataclass(frozen=True)
class RepairForm:
    case: str
    number: str
    title: str
    state: str
    state_title: str
    closed: bool
    states: tuple[tuple[str, str], ...]  # one may repair to
    standing: RepairView | None
    troubles: tuple[str, ...]


@dataclass(frozen=True)
class StuckCase:
    case: str
    number: str
    title: str
    process: str
    place: str
    state: str
    state_title: str
    why: str  # state | nobody | incident | task
    text: str


@dataclass(frozen=True)
class IncidentView:
    id: str
    at: dt.datetime
    kind: str
    message: str
    case: str
    case_number: str
    status: str
    closed_at: dt.datetime | None = None
    closed_by: str = ""
    note: str = ""
    detail: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class RootView:
    """The sealed root of one day of the history."""

    day: dt.date
    root: str
    prev_root: str
    cases: int
    at: dt.datetime


@dataclass(frozen=True)
class JobLine:
    id: str
    name: str
    state: str
    done: int
    total: int | None
    note: str
    at: dt.datetime | None


@dataclass(frozen=True)
class AdminView:
    """The administrator's first page: what waits."""

    incidents: int
    stuck: tuple[StuckCase, ...]
    stuck_total: int
    repairs: tuple[RepairView, ...]
    roots: tuple[RootView, ...]
    migrations: tuple[MigrationView, ...]
    jobs: tuple[JobLine, ...] = ()
    unsealed: int = 0  # days with events after the last root
