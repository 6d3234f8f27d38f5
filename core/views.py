"""What the service shows: frozen data for pages, the API and the command line. No view needs another query."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from siquan.core.obligations.views import DutyStrip
from siquan.core.rules.decision import Decision, Finding, Piece


@dataclass(frozen=True)
class PersonView:
    id: str
    name: str
    unit: str = ""  # unit title
    roles: tuple[str, ...] = ()  # role titles
    note: str = ""  # e.g. why recused
    you: bool = False
    marks: tuple[str, ...] = ()  # leads a unit here, stands in for somebody, somebody stands in for him


@dataclass(frozen=True)
class UnitView:
    id: str
    kind: str  # district street community grid building compound
    title: str
    path: tuple[str, ...]  # titles from the top down


@dataclass(frozen=True)
class FactView:
    """A fact as one may see it: `text` is ready to print, masked when `masked`."""

    path: str
    title: str
    text: str
    kind: str  # FactKind
    state: str  # known | absent | unknown | stale | masked | derived
    unit: str = ""
    as_of: dt.date | None = None
    source: str = ""
    ref: str = ""
    by: str = ""  # who entered it
    valid_until: dt.date | None = None
    masked: bool = False
    provider: str = ""  # role title that provides it
    group: str = ""  # title of the record


@dataclass(frozen=True)
class FieldView:
    """One field of a step form; `value` is what to put into the control again."""

    path: str
    title: str
    kind: str  # boolean integer decimal text date enum person list
    required: bool
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    help: str = ""
    absent: str = ""  # word for "known not to exist"; empty: not offered
    envelope: bool = False  # offer query date and source
    as_of: str = ""
    source: str = ""
    group: str = ""
    evidence: tuple[str, ...] = ()
    min: str = ""
    max: str = ""
    rules: tuple[str, ...] = ()  # rule ids that read it
    error: str = ""
    provider: str = ""
    columns: tuple[FieldView, ...] = ()  # a list of records: one control per column, paths relative
    rows: tuple[tuple[str, ...], ...] = ()  # what stands in the list, one text per column (`none`: known absent)
    complete: bool = False  # the list is declared complete


@dataclass(frozen=True)
class Block:
    """Why a transition cannot be done now: a rule in words, a role, a person, a time."""

    kind: str  # rule | role | person | time | facts | state | nobody
    outcome: str  # for the colour: BLOCK REJECT EVIDENCE WARN
    pieces: tuple[Piece, ...]
    rule: str = ""
    basis: str = ""
    cite: str = ""
    law: str = ""
    cure: str = ""

    @property
    def message(self) -> str:
        return "".join(p.text for p in self.pieces)


@dataclass(frozen=True)
class StepView:
    """One transition in the next-step box; every transition is listed, the blocked ones with reasons."""

    name: str
    title: str
    to: str  # title of the target, "" when it stays or depends on a decision
    allowed: bool
    blocks: tuple[Block, ...] = ()
    warnings: tuple[Block, ...] = ()
    hint: str = ""
    needs_form: bool = True
    opinion: str = "optional"
    confirms: bool = False
    missing: tuple[str, ...] = ()  # titles of facts still to be filled in the form
    who: str = ""  # role titles that may act
    helpers: tuple[str, ...] = ()  # names of people who could do it
    opens: str = ""  # a child process opened by the step (full id)
    reasons: tuple[tuple[str, str], ...] = ()  # coded reasons to choose from (code, title)
    verb: str = ""  # a verb that ends the case: it stands in the menu, not in the next-step box


@dataclass(frozen=True)
class DueView:
    id: str
    title: str
    kind: str  # over soon ok prov pause met
    chip: str  # `明天 11-24 周二`
    end: dt.date
    start: dt.date | None
    provisional: bool
    line: str  # the arithmetic in one sentence
    why_provisional: str = ""
    days: tuple[tuple[str, str, str, str], ...] = ()  # (day label, weekday, note, css class) for the strip; empty when long
    basis: str = ""
    cite: str = ""
    then: str = ""
    calendar: int = 0  # version of the calendar it was counted with
    lamp: str = ""  # green yellow red
    share: int = 0  # hundredths of the time used
    level: int = 0  # of supervision
    moved: int = 0  # how often its last day moved
    pauses: tuple[tuple[dt.date, dt.date | None], ...] = ()


@dataclass(frozen=True)
class EventView:
    seq: int
    at: dt.datetime
    who: str
    kind: str  # opened acted supplied imported recused deadline child decided refused
    title: str  # sentence without the person, may name the transition
    to: str = ""
    outcome: str = ""
    text: str = ""  # opinion, reason
    facts: tuple[tuple[str, str], ...] = ()  # (title, text) changed by it
    decision: str = ""  # decision id to open
    counts: tuple[tuple[str, int], ...] = ()  # outcome -> number, for many child decisions
    case: str = ""  # child case the event belongs to
    case_title: str = ""
    hash: str = ""


@dataclass(frozen=True)
class ProgressStep:
    title: str
    kind: str  # done now next
    date: str = ""


@dataclass(frozen=True)
class ChildView:
    id: str
    ordinal: int
    title: str
    state: str
    state_title: str
    outcome: str
    decision: Decision | None = None
    decision_id: str = ""
    sub: str = ""
    facts: tuple[FactView, ...] = ()


@dataclass(frozen=True)
class ChildrenView:
    """All children of one name: for the matrix and the tables."""

    name: str
    title: str
    process: str
    children: tuple[ChildView, ...]
    sheet: bool = False  # can be imported from Excel
    importable: bool = False  # by you, now
    addable: bool = False
    ruleset: str = ""
    columns: tuple[tuple[str, str], ...] = ()  # (rule id, short title) of the matrix
    counts: tuple[tuple[str, int], ...] = ()  # outcome -> number


@dataclass(frozen=True)
class CollectionView:
    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]  # first page, ready to print
    total: int
    complete: bool
    sheet: bool = False
    importable: bool = False


@dataclass(frozen=True)
class VerbView:
    """An entry of the menu beside the steps. `step`: it is a step of the case and has the form of one."""

    name: str
    title: str
    allowed: bool
    why: str = ""  # why not now
    hint: str = ""
    icon: str = ""
    step: bool = False
    quiet: bool = False  # done at once, nothing to fill in
    task: str = ""  # the task it is about


@dataclass(frozen=True)
class TaskView:
    """A task of the state the case is in."""

    key: str
    kind: str  # work sign assist
    title: str  # what the person is in it
    who: str  # name, or the title of the role; "" whoever may
    role: str  # in which a person signs
    text: str  # how it stands
    outcome: str  # of a signature: PASS REJECT
    state: str  # done now next
    yours: bool


@dataclass(frozen=True)
class TaskBox:
    """`shown`: the case page has a box of its own for them; otherwise what may be done stands in the menu."""

    tasks: tuple[TaskView, ...] = ()
    actions: tuple[VerbView, ...] = ()
    shown: bool = False
    how: str = ""  # how signatures are counted, and how they stand
    limit: str = ""


@dataclass(frozen=True)
class LinkView:
    """A related case; `text` says how, `open` whether you may see it."""

    case: str
    number: str
    title: str
    text: str
    state: str
    open: bool
    tie: str = ""
    ours: bool = True  # the tie begins at the case on the page


@dataclass(frozen=True)
class CaseView:
    id: str
    number: str
    title: str
    process: str
    process_title: str
    plugin: str
    icon: str
    state: str
    state_title: str
    state_hint: str
    final: bool
    outcome: str
    revision: int
    place: UnitView | None
    parent: str = ""  # parent case id
    parent_title: str = ""
    mine: bool = False  # it is your turn
    steps: tuple[StepView, ...] = ()
    facts: tuple[FactView, ...] = ()
    dues: tuple[DueView, ...] = ()
    people: tuple[PersonView, ...] = ()
    events: tuple[EventView, ...] = ()
    events_total: int = 0
    progress: tuple[ProgressStep, ...] = ()
    children: tuple[ChildrenView, ...] = ()
    collections: tuple[CollectionView, ...] = ()
    recusable: bool = True
    chain_ok: bool = True
    chain_head: str = ""
    definition_hash: str = ""
    rulesets: tuple[tuple[str, str, str], ...] = ()  # (id, title, version) decided with
    unconfirmed: tuple[str, ...] = ()
    opened_at: dt.datetime | None = None
    verbs: tuple[VerbView, ...] = ()  # what you may do besides the steps, or why not now
    links: tuple[LinkView, ...] = ()
    halt: str = ""  # why nothing can be done: suspended, merged, closed with the case above
    readers: tuple[tuple[str, str, dt.datetime], ...] = ()  # (who, told of what, when read)
    following: bool = False
    work: TaskBox = TaskBox()
    troubles: tuple[str, ...] = ()  # why nobody can go on, in words
    repairable: bool = False  # by you
    duties: tuple[DutyStrip, ...] = ()


@dataclass(frozen=True)
class InboxRow:
    case: str
    title: str
    number: str
    process: str
    process_title: str
    icon: str
    place: str
    state_title: str
    now: bool  # your turn
    summary: str
    due: DueView | None
    group: str  # over today week later none
    single: bool = True  # one case, not several on one line
    instead: str = ""  # whose turn it is, when it is yours as a substitute only


@dataclass(frozen=True)
class InboxView:
    tab: str  # mine unit soon started done
    rows: tuple[InboxRow, ...]
    total: int
    counts: dict[str, int] = field(default_factory=dict)  # per tab
    processes: tuple[tuple[str, str, str, int], ...] = ()  # (id, title, icon, n)
    places: tuple[tuple[str, str, int, int], ...] = ()  # (unit id, title, depth, n)
    dues: tuple[tuple[str, str, int], ...] = ()  # (key, title, n)
    next_due: str = ""  # sentence for the empty page


@dataclass(frozen=True)
class Preview:
    """What an act would do, worked out with the compiled reading only; nothing is written."""

    case: CaseView
    step: StepView
    fields: tuple[FieldView, ...]
    answers: tuple[tuple[str, str, str], ...] = ()  # (title, new text, old text)
    decision: Decision | None = None
    to_title: str = ""
    allowed: bool = True
    blocks: tuple[Block, ...] = ()
    consequences: tuple[str, ...] = ()  # sentences
    changed: tuple[EventView, ...] = ()  # what others did since the form was opened
    related: tuple[Finding, ...] = ()  # rules that read the facts of the form: "why we ask"


@dataclass(frozen=True)
class ActResult:
    case: str
    number: str
    state: str
    state_title: str
    outcome: str
    revision: int
    event_seq: int
    decision_id: str = ""
    decision: Decision | None = None
    children: tuple[str, ...] = ()
    repeated: bool = False  # the same idempotency key was seen before


@dataclass(frozen=True)
class ImportResult:
    case: str
    target: str
    rows: int
    created: int
    updated: int
    revision: int
    job: str = ""  # a large file is written in the background by this job


@dataclass(frozen=True)
class DecisionView:
    """A recorded decision, printable."""

    id: str
    case: str
    case_title: str
    at: dt.datetime
    actor: str
    transition_title: str
    refused: bool
    decision: Decision
    facts: tuple[FactView, ...] = ()
    replay: str = ""  # same | differs | erased


@dataclass(frozen=True)
class ProcessCard:
    id: str
    plugin: str
    title: str
    icon: str
    about: str
    open: int
    closed: int
    can_open: bool
    places: tuple[tuple[str, str], ...] = ()  # where you may open it
    unconfirmed: int = 0


@dataclass(frozen=True)
class RuleLine:
    """A rule as the process page lists it, with today's values."""

    step: str
    rule: str
    title: str
    pieces: tuple[Piece, ...]
    outcome: str
    basis: str
    cite: str
    parameters: tuple[tuple[str, str], ...] = ()
    unconfirmed: bool = False
    capped: bool = False


@dataclass(frozen=True)
class ProcessView:
    id: str
    plugin: str
    title: str
    icon: str
    about: str
    hash: str
    svg: str
    mermaid: str
    states: tuple[tuple[str, str, int, str], ...]  # (name, title, open cases, transitions in words): the table beside the picture
    rules: tuple[RuleLine, ...]
    findings: tuple[tuple[str, str, str], ...]  # (severity, code, text) of verify
    checks: tuple[str, ...]  # what was checked and is fine
    open: int
    can_open: bool
    opening: tuple[FieldView, ...] = ()
    places: tuple[tuple[str, str], ...] = ()
    unconfirmed: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str, str, str, str], ...] = ()  # (name, title, value, basis, cite)


@dataclass(frozen=True)
class Account:
    """Who is signed in."""

    person: str
    login: str
    name: str
    unit: str
    unit_title: str
    roles: tuple[str, ...]
    lang: str = "zh"
    theme: str = "light"
    must_change: bool = False
    admin: bool = False  # looks after people
