"""Rows of cases that were moved: to another version of their process, or out of where they were stuck."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Migration:
    """Open cases of a process taken to the version `to_hash`. `mapping` is {process: {old state: new state}}; `counts` what
    the plan said and what was done, by status of a case."""

    id: str
    process: str
    to_hash: str
    mapping: dict[str, dict[str, str]]
    status: str  # planned running done withdrawn undone
    reason: str
    planned_by: str
    planned_at: dt.datetime
    confirmed_by: str | None
    confirmed_at: dt.datetime | None
    ended_at: dt.datetime | None
    undone_by: str | None
    undone_at: dt.datetime | None
    undo_reason: str
    counts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MigrationCase:
    """One case of a migration. `head_id` is the case it moved with (itself for one without a parent), `seq` the event
    of its move, `earlier` what it had before."""

    migration_id: str
    case_id: str
    head_id: str | None
    status: str  # moved left failed undone kept
    why: str
    from_hash: str
    from_state: str
    to_state: str
    seq: int
    earlier: Any
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Repair:
    """A proposal to put a stuck case into another state; it holds for the revision it was made at."""

    id: str
    case_id: str
    from_state: str
    to_state: str
    revision: int
    reopen: bool
    reason: str
    status: str  # open done replaced
    proposed_by: str
    proposed_at: dt.datetime
    confirmed_by: str | None
    confirmed_at: dt.datetime | None
