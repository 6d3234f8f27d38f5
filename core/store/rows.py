"""What the repositories return: frozen rows with our own types. Field order and names are those of the
tables' columns, so a row is made from a database row by position."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Unit:
    """A node of the organisation tree; `path` is `/district/street/` with ids, itself included (`/` in an id
    is `|`)."""

    id: str
    kind: str  # district street community grid building compound
    name: str
    parent_id: str | None
    path: str
    active: bool

    @property
    def line(self) -> tuple[str, ...]:
        """Ids from the top down to this unit."""
        return tuple(step.replace("|", "/") for step in self.path.strip("/").split("/"))


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    unit_id: str | None
    login: str | None
    password_hash: str
    lang: str
    theme: str
    must_change: bool
    failed_count: int
    locked_until: dt.datetime | None
    active: bool
    created_at: dt.datetime
    leaving_on: dt.date | None = None  # the last day in the service

    def serves(self, day: dt.date) -> bool:
        return self.active and (self.leaving_on is None or day <= self.leaving_on)


@dataclass(frozen=True, slots=True)
class Grant:
    """`person_id` holds `role` at `unit_id` from `since` until `until`, both days included."""

    id: str
    person_id: str
    role: str
    unit_id: str
    since: dt.date
    until: dt.date | None
    granted_by: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Substitution:
    """`substitute_id` stands in for `person_id`, both days included; `scope` is {} for everything, or holds `roles`
    or `processes`."""

    id: str
    person_id: str
    substitute_id: str
    since: dt.date
    until: dt.date
    scope: dict[str, list[str]]
    reason: str
    set_by: str
    at: dt.datetime
    cancelled_at: dt.datetime | None
    cancelled_by: str | None


@dataclass(frozen=True, slots=True)
class Case:
    id: str
    number: str | None
    process: str
    definition_hash: str
    parent_id: str | None
    parent_name: str | None
    ordinal: int | None
    title: str
    place: str
    state: str
    outcome: str | None
    is_open: bool
    revision: int
    children_revision: int
    opened_at: dt.datetime
    opened_by: str
    updated_at: dt.datetime
    closed_at: dt.datetime | None
    due_on: dt.date | None
    book_version: int
    origin: str
    last_seq: int
    last_hash: str
    holder: str = ""  # whom the work is with; "" whoever may, `*` the signers


@dataclass(frozen=True, slots=True)
class Event:
    case_id: str
    seq: int
    at: dt.datetime
    actor: str
    on_behalf: str
    kind: str
    data: dict[str, Any]
    prev_hash: str
    hash: str
    algo: str


@dataclass(frozen=True, slots=True)
class FactValue:
    """One stated value. After erasure `value` and `salt` are None and `erased_at` is set; None alone is
    `unknown`."""

    id: str
    case_id: str
    path: str
    seq: int
    value: Any
    as_of: dt.date | None
    source: str
    ref: str
    stated_by: str
    complete: bool | None
    salt: str | None
    commitment: str
    erased_at: dt.datetime | None
    is_current: bool

    def envelope(self) -> dict[str, Any]:
        """The wire form: {"value", "as_of", "source", "ref", "by"} and "complete" where it was stated."""
        out = {
            "value": self.value,
            "as_of": self.as_of,
            "source": self.source,
            "ref": self.ref,
            "by": self.stated_by,
        }
        if self.complete is not None:
            out["complete"] = self.complete
        return out


@dataclass(frozen=True, slots=True)
class StoredDecision:
    id: str
    case_id: str | None
    event_seq: int | None
    transition: str
    ruleset: str
    version: str
    hash: str
    on_date: dt.date
    place: str
    outcome: str
    refused: bool
    record: Any
    salt: str | None
    commitment: str
    actor: str
    at: dt.datetime
    children_revision: int
    erased_at: dt.datetime | None


class InputRow(NamedTuple):
    """Whose inputs a row of `decision_input` holds; the date as text."""

    n: int
    decision_id: str
    case_id: str | None
    event_seq: int | None
    refused: bool
    on_date: str
    place: str


class NewFlip(NamedTuple):
    """A flip about to be written, as texts: there may be hundreds of thousands. `why` is JSON."""

    kind: str
    decision_id: str | None
    case_id: str | None
    place: str
    on_date: str | None
    before_label: str
    after_label: str
    why: str


@dataclass(frozen=True, slots=True)
class ImpactRun:
    """A draft run over the decisions on record: over the rows up to `last_n`, so far up to `upto_n`; then over the open
    cases, so far up to `upto_case`. `status` is running, done, cancelled or failed."""

    id: str
    version: str
    content_hash: str
    ruleset: str
    started_by: str
    status: str
    upto_n: int
    last_n: int
    upto_case: str
    counts: dict[str, Any]
    started_at: dt.datetime
    updated_at: dt.datetime
    ended_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class ImpactFlip:
    """A decision, refused attempt or open case the draft decides differently. `kind` is decision, refusal or case; `why`
    maps rules to what they said and would say, as two letters of hit clear unknown na (- where there was no such rule)."""

    run_id: str
    seq: int
    kind: str
    decision_id: str | None
    case_id: str | None
    place: str
    on_date: dt.date | None
    before_label: str
    after_label: str
    why: dict[str, str]


@dataclass(frozen=True, slots=True)
class Deadline:
    """`end_date` is the last day; `status` is open, met, fired or cancelled; `record` holds the
    arithmetic."""

    id: str
    case_id: str
    state: str
    name: str
    start: dt.date
    end_date: dt.date
    provisional: bool
    status: str
    then: str
    record: Any
    calendar_version: int
    fired_at: dt.datetime | None
    created_at: dt.datetime
    next_on: dt.date | None = None
    history: list[dict[str, Any]] | None = None

    @property
    def log(self) -> list[dict[str, Any]]:
        """What happened to it, oldest first: moved, remind, escalate."""
        return self.history or []


@dataclass(frozen=True, slots=True)
class Obligation:
    """One period of an obligation. `next_on` is when time alone changes it next; `changed_on` the day of its last change;
    `record` how it read when the period opened."""

    id: str
    case_id: str
    name: str
    start: dt.date
    end: dt.date
    status: str
    changed_on: dt.date
    warn_on: dt.date | None
    last_on: dt.date
    late_on: dt.date | None
    next_on: dt.date | None
    met_case: str | None
    met_seq: int | None
    definition_hash: str
    record: dict[str, Any]
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Task:
    id: str
    case_id: str
    state: str
    opened_at: dt.datetime
    closed_at: dt.datetime | None
    assignee: str | None
    claimed_at: dt.datetime | None
    closed_by: str | None
    task_key: str = ""  # of the task in the fold of the events
    kind: str = "work"  # work sign assist
    role: str = ""  # whose signature
    turn: bool = True  # it can be done now


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that came into a collection by one event."""

    case_id: str
    collection: str
    seq: int
    rows: int
    complete: bool
    salt: str
    commitment: str
    file_name: str
    file_hash: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a collection; `data` is None after erasure."""

    batch: int
    row_no: int
    row_key: str
    data: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Definition:
    hash: str
    kind: str
    name: str
    version: str
    document: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class BookVersion:
    version: int
    at: dt.datetime
    published_by: str
    note: str
    hash: str


@dataclass(frozen=True, slots=True)
class BookLine:
    """A dated value of a parameter, in the book from version `added_in` up to before `removed_in`."""

    id: str
    name: str
    since: dt.date
    place: str
    value: Any
    basis: str
    cite: str
    ref: str
    origin: str
    added_in: int
    removed_in: int | None


@dataclass(frozen=True, slots=True)
class NewLine:
    """A parameter value to publish; `value` None is repeal, `place` empty counts everywhere."""

    name: str
    since: dt.date
    value: Any
    place: str = ""
    basis: str = ""
    cite: str = ""
    ref: str = ""
    origin: str = "published"


@dataclass(frozen=True, slots=True)
class HolidayYear:
    """A published year: `holidays` {ISO day: name}, `workdays` [ISO day] are the make-up working days."""

    version: int
    year: int
    holidays: dict[str, str]
    workdays: list[str]
    source: str
    published_by: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Incident:
    id: str
    at: dt.datetime
    kind: str
    case_id: str | None
    message: str
    data: Any
    status: str  # open closed
    closed_at: dt.datetime | None
    closed_by: str | None
    note: str


@dataclass(frozen=True, slots=True)
class Access:
    id: str
    at: dt.datetime
    actor: str
    what: str
    target: str
    case_id: str | None
    origin: str


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A version of a rule set, from draft to force. `content` is its JSON, `hash` over its meaning; `baseline` the hash
    of the shipped rule set it stands on. In force from `effective` until the next one, or until `withdrawn_on`."""

    id: str
    ruleset: str
    plugin: str
    number: int
    status: str  # draft review approved published withdrawn discarded
    base_id: str | None
    base_hash: str
    baseline: str
    origin: str  # draft baseline
    content: str
    hash: str
    author: str
    created_at: dt.datetime
    updated_at: dt.datetime
    revision: int
    effective: dt.date | None
    published_at: dt.datetime | None
    withdrawn_on: dt.date | None
    withdrawn_at: dt.datetime | None
    reason: str
    impact: str | None


@dataclass(frozen=True, slots=True)
class RuleEvent:
    """What happened to the versions of one rule set: a hash chain of its own."""

    ruleset: str
    seq: int
    version_id: str
    at: dt.datetime
    actor: str
    kind: str  # drafted edited merged submitted approved returned published withdrawn discarded
    data: Any
    prev_hash: str
    hash: str
    algo: str


@dataclass(frozen=True, slots=True)
class Link:
    """`case_id` was merged into, split off to, derived to or related with `other_id`, until `ended_at`."""

    id: str
    kind: str  # merged split derived related
    case_id: str
    other_id: str
    at: dt.datetime
    created_by: str
    ended_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A person is told of event `seq` of a case; `kind` is one of `notices.KINDS`."""

    id: str
    person_id: str
    case_id: str
    seq: int
    kind: str
    at: dt.datetime
    read_at: dt.datetime | None
