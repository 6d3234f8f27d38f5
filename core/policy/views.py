"""What the pages of the policy team show: frozen data, ready to print. No view needs another query."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from siquan.core.rules.decision import Decision


@dataclass(frozen=True)
class Part:
    """A bit of a rule's sentence. `edit` is a value that can be changed where it stands: it was written in `field`
    (`when`, or `cell:<input>`) from character `start` to `end`; `param` is a dated value with its own page."""

    text: str
    kind: str = "text"  # text | fact | edit | param
    name: str = ""  # fact path or parameter name
    field: str = ""
    start: int = 0
    end: int = 0
    type: str = ""  # number date enum text boolean
    options: tuple[tuple[str, str], ...] = ()  # enum: code, title
    value: str = ""  # what to put into the control
    was: str = ""  # shown value in the version the draft was made from


@dataclass(frozen=True)
class ColumnLine:
    """A column of a decision table."""

    key: str
    title: str
    side: str  # in | out
    type: str = ""
    unit: str = ""
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class CellLine:
    """One cell: `text` as written, `words` as read, `was` before the draft (empty: unchanged)."""

    column: str
    text: str
    words: str
    was: str = ""
    changed: bool = False
    error: str = ""


@dataclass(frozen=True)
class RuleText:
    """One rule or row as people read it, and everything an editor may change of it."""

    id: str
    title: str
    group: str
    parts: tuple[Part, ...]  # the condition
    outcome: str  # as written: an outcome or an expression
    shown_outcome: str  # the badge: after the basis cap; PASS for plain table rows
    capped: bool
    basis: str
    basis_note: str  # where the basis differs by place or date
    cite: str
    law: str = ""
    say: str = ""
    clear: str = ""
    cure: str = ""
    when: str = ""
    display_only: str = ""
    unconfirmed: bool = False
    priority: int = 0
    cells: tuple[CellLine, ...] = ()
    tests: tuple[str, ...] = ()  # names of the cases that expect it to hit
    change: str = ""  # "" | added | removed | changed
    was: tuple[tuple[str, str], ...] = ()  # changed fields: title, former text
    error: str = ""
    #: recorded decisions in which it hit, of how many; -1: not counted
    hits: int = -1


@dataclass(frozen=True)
class ParamValue:
    """A dated line of a parameter."""

    since: dt.date
    value: str
    place: str  # title of the place, "" for everywhere
    basis: str
    cite: str
    ref: str
    status: str  # past | current | future | draft
    key: str = ""  # draft lines: what a removal names
    place_id: str = ""


@dataclass(frozen=True)
class ParamText:
    name: str
    title: str
    unit: str
    type: str
    lines: tuple[ParamValue, ...]
    used_by: tuple[tuple[str, str], ...] = ()  # other rule sets that read it: id, title


@dataclass(frozen=True)
class CaseText:
    """A test case of the rule set; `passed` None when it was not run."""

    name: str
    given: str
    expect: str
    because: tuple[str, ...]
    passed: bool | None = None
    why: str = ""
    added: bool = False


@dataclass(frozen=True)
class Signature:
    person: str
    act: str  # drafted submitted approved returned published withdrawn
    at: dt.datetime
    opinion: str = ""
    you: bool = False


@dataclass(frozen=True)
class VersionLine:
    """A version in the history of a rule set. `known` is the moment it was published: before it nobody knew it."""

    id: str
    label: str  # 随程序 | v1 v2 ...
    status: str  # draft review approved published future superseded withdrawn returned
    since: dt.date | None
    until: dt.date | None  # the first day it no longer applies
    known: dt.datetime | None
    author: str
    reason: str
    hash: str
    signatures: tuple[Signature, ...] = ()


@dataclass(frozen=True)
class DifferenceLine:
    """One difference in meaning between two versions."""

    kind: str  # added removed changed moved parameter setting case
    rule: str
    field: str
    title: str
    before: str
    after: str
    cosmetic: bool = False


@dataclass(frozen=True)
class Example:
    """A case found by the proof, replayed in the compiled reading: the facts that matter, and both decisions."""

    facts: tuple[tuple[str, str], ...]  # title, value as read
    rest: str  # what holds of all other facts, in words
    before: Decision | None
    after: Decision | None
    wire: str = ""  # JSON: what `存为用例` keeps


@dataclass(frozen=True)
class Issue:
    """A flaw of the table or list: gap overlap conflict dead masked subsumed duplicate."""

    kind: str
    rules: tuple[str, ...]
    text: str
    example: Example | None = None
    blocking: bool = False


@dataclass(frozen=True)
class IntentLine:
    id: str
    say: str
    status: str  # proved | refuted | not_proved
    example: Example | None = None


@dataclass(frozen=True)
class ProofView:
    """Everything the proof says of a draft against the version in force."""

    status: str  # done | waiting | none
    kind: str = ""  # equal stricter looser different not_proved
    text: str = ""  # one sentence
    ms: int = 0
    smallest: Example | None = None
    stricter: Example | None = None
    looser: Example | None = None
    left_out: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = ()
    intents: tuple[IntentLine, ...] = ()
    safe: str = ""  # proved | refuted | not_proved: no unknown passes for a known


@dataclass(frozen=True)
class Gate:
    """One condition of submission or publication."""

    text: str
    status: str  # ok | open | failed
    help: str = ""


@dataclass(frozen=True)
class RuleSetCard:
    """A line of the list of rule sets."""

    id: str
    title: str
    plugin: str
    plugin_title: str
    kind: str  # list | table
    rules: int
    version: VersionLine
    upcoming: tuple[VersionLine, ...] = ()
    drafts: tuple[VersionLine, ...] = ()
    yours: str = ""  # what waits for you: "" | edit | approve | publish
    yours_id: str = ""  # the version it waits on


@dataclass(frozen=True)
class RuleSetPage:
    """A rule set as one version has it, on a day."""

    id: str
    title: str
    about: str
    plugin: str
    plugin_title: str
    process: str
    process_title: str
    kind: str  # list | table
    hit_policy: str
    version: VersionLine
    on: dt.date
    rules: tuple[RuleText, ...]
    columns: tuple[ColumnLine, ...]
    parameters: tuple[ParamText, ...]
    cases: tuple[CaseText, ...]
    versions: tuple[VersionLine, ...]
    intents: tuple[IntentLine, ...]
    may_draft: bool
    outcomes: tuple[str, ...] = ()
    #: facts and parameters an expression may name: path, title, type
    names: tuple[tuple[str, str, str], ...] = ()
    #: enum facts: path, its values as code and title
    choices: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    #: places a parameter may have a value of its own for: id, title
    places: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class DraftPage:
    """A draft in the editor, or a version on its way to force."""

    page: RuleSetPage  # with the draft's content, changes marked
    revision: int
    base: VersionLine  # what it was made from
    newer: VersionLine | None  # published meanwhile: has to be merged in
    conflicts: tuple[DifferenceLine, ...]
    differences: tuple[DifferenceLine, ...]
    errors: tuple[str, ...]  # what keeps it from being a rule set at all
    proof: ProofView
    gates: tuple[Gate, ...]
    cases_passed: int
    cases_failed: int
    effective: dt.date | None
    reason: str
    needs: int  # signatures of others it takes
    signers: tuple[str, ...]  # who could approve
    may_edit: bool
    may_submit: bool
    may_sign: bool
    may_publish: bool
    may_withdraw: bool
    impact: ImpactCard | None
    why_not: str = ""  # why you may not sign, in words
    may_recall: bool = False  # take it back from review to go on writing


@dataclass(frozen=True)
class ImpactCard:
    """An impact run: how far, and what it found."""

    id: str
    status: str  # queued running done failed cancelled stale
    done: int
    total: int
    decisions: int = 0
    changed: int = 0
    other_findings: int = 0
    missing: int = 0
    erased: int = 0
    open_cases: int = 0
    open_changed: int = 0
    seconds: float = 0.0
    at: dt.datetime | None = None
    note: str = ""


@dataclass(frozen=True)
class Flow:
    before: str
    after: str
    n: int
    tone: str  # same up down


@dataclass(frozen=True)
class FlipLine:
    """A recorded decision or an open case that the draft decides differently."""

    decision: str  # id, "" for an open case's trial
    case: str
    number: str
    title: str
    place: str
    at: dt.date | None
    before: str
    after: str
    why: tuple[str, ...]  # sentences: which rule, and what about it
    rules: tuple[str, ...]
    open: bool = False
    migrated: bool = False


@dataclass(frozen=True)
class ImpactPage:
    draft: DraftPage
    card: ImpactCard
    flows: tuple[Flow, ...]
    by_rule: tuple[tuple[str, str, int, int], ...]  # rule id, title, newly hit, no longer hit
    by_place: tuple[tuple[str, int, int], ...]  # title, decisions, changed
    missing_facts: tuple[tuple[str, int], ...]  # title, decisions
    flips: tuple[FlipLine, ...]
    shown: int
    total: int
    page: int
    pages: int
    rule: str = ""  # filter
    before: str = ""
    after: str = ""
    open_only: bool = False
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class FlipView:
    """One decision on record, or one open case, beside what the draft would decide: the facts that the changed rules read,
    without whose they are. `case` is set only for those who may see it."""

    version: str
    label: str
    title: str  # of the rule set
    number: str
    place: str
    on: dt.date | None
    example: Example
    why: tuple[str, ...]
    decision: str = ""
    case: str = ""


@dataclass(frozen=True)
class DraftResult:
    """After an edit or an act: the new revision, and what changed in words."""

    id: str
    revision: int
    status: str
    changes: tuple[DifferenceLine, ...] = ()


@dataclass(frozen=True)
class WayOutView:
    """The smallest change of facts a person can act on that would pass; `why` says so where there is none."""

    changes: tuple[tuple[str, str, str, str], ...]  # title, now, then, how
    outcome: str
    why: str = ""
