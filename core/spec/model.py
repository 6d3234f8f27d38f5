"""What a designer writes, as frozen models. `spec.load` fills them; expressions stay text here and are parsed by
`rules`. A fragment is expanded before these models are built, so a Process is always flat: its states may be called
`notice.posted`, and anything that came from a fragment carries `prefix` (names in it are looked up there first)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

from pydantic import field_serializer, field_validator, model_serializer

from siquan.core.spec.placed import Grown, Model, Placed
from siquan.core.spec.tasking import SignSpec, TaskSpec

FactKind = Literal["boolean", "integer", "decimal", "text", "date", "enum", "record", "list", "person"]
Basis = Literal["STATUTE", "OWNERS", "POLICY", "LOCAL"]


class FactSpec(Placed):
    """A typed fact, who provides it and what evidences it. `name` is dotted for a field of a record."""

    name: str
    title: str = ""
    type: FactKind = "text"
    unit: str = ""
    values: dict[str, str] = {}  # enum: code -> title
    min: Any = None
    max: Any = None
    by: str = ""  # role that provides it
    evidence: tuple[str, ...] = ()
    max_age: str = ""  # days or a parameter name; a staler fact is unknown
    absent: str = ""  # the word for "known not to exist"; empty: the fact cannot be absent
    sensitive: str = ""  # kind of mask: name, phone, id, address, crime, party, money ...
    public: bool = False  # may stand in a public notice
    fields: tuple[FactSpec, ...] = ()  # record and list: the fields, names relative
    derive: str = ""  # an expression: computed unless the caller states it
    collection: bool = False  # a list kept as rows with Excel import and export
    help: str = ""
    key: str = ""  # collection: field that identifies a row
    cure: str = ""  # how a person can change it; empty: nobody can, and no way out goes through it
    source: str = ""  # the clause that asks for it
    prefix: str = ""
    among: str = ""  # a person: only who holds this role at the place can be chosen

    @model_serializer(mode="wrap")
    def _out(self, inner: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {k: v for k, v in inner(self).items() if k != "among" or v}


class ParamLine(Placed):
    """One dated value. `place` empty is the shipped line; else `compound/x`, `community/x`, `street/x`, `district/x`."""

    since: dt.date
    value: Any
    place: str = ""
    basis: Basis | Literal[""] = ""
    cite: str = ""
    ref: str = ""

    @field_serializer("value", when_used="json")
    def _out(self, value: Any) -> Any:
        # a pinned document must give back a date and a decimal, not their texts
        if isinstance(value, Decimal):
            return {"decimal": str(value)}
        return {"date": value.isoformat()} if isinstance(value, dt.date) else value

    @field_validator("value", mode="before")
    @classmethod
    def _in(cls, value: Any) -> Any:
        if isinstance(value, dict) and "decimal" in value:
            return Decimal(value["decimal"])
        return dt.date.fromisoformat(value["date"]) if isinstance(value, dict) and "date" in value else value


class ParamSpec(Placed):
    name: str
    title: str = ""
    unit: str = ""
    lines: tuple[ParamLine, ...]


class RuleSpec(Placed):
    """One rule of a list (`when`) or one row of a table (`cells`)."""

    id: str
    title: str = ""
    when: str = ""
    cells: dict[str, str] = {}
    out: Any = None
    outcome: str = ""  # an outcome or an expression giving one; empty: PASS for table rows
    basis: Basis | Literal[""] = ""
    cite: str = ""
    law: str = ""  # the words of the clause, where we may quote them
    say: str = ""
    clear: str = ""  # sentence when the rule does not hit
    cure: str = ""  # what a person can do about it
    display_only: str = ""  # reason why this cannot be computed
    priority: int = 0
    unconfirmed: bool = False
    group: str = ""


class BasisReading(Model):
    """`{basis: OWNERS, reads_as: POLICY, when: expr, cite: ...}`: where a basis counts for less."""

    basis: Basis
    reads_as: Basis
    when: str
    cite: str = ""


class IntentSpec(Placed):
    """What a rule set must never come to, whatever is changed: a publish gate. Either `never` (an expression over the
    facts and `outcome` or `value`), or `only`: a version may be no looser, or no stricter, than the one before."""

    id: str
    never: str = ""
    only: Literal["", "stricter", "looser"] = ""
    say: str = ""
    cite: str = ""


class RuleSetSpec(Placed):
    """`id` is `plugin.name`. A rule list (rules with `when`, hit policy C): all findings count. A decision table (rows with
    `cells`): its value is the `out` of the rows that hit, a mapping of `outputs` to values where there are several."""

    id: str
    title: str = ""
    process: str = ""  # full id of the process whose facts it reads
    hit_policy: Literal["U", "A", "P", "F", "R", "O", "C", "C+", "C<", "C>", "C#"] = "C"
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()  # empty: one output without a name
    output_values: dict[str, tuple[Any, ...]] = {}  # output -> what it may be, the first of highest priority (P and O)
    default: Any = None  # the value when no row hits; None: there is none
    rules: tuple[RuleSpec, ...] = ()
    readings: tuple[BasisReading, ...] = ()
    intents: tuple[IntentSpec, ...] = ()  # no part of the decision, hence of no hash
    facts: tuple[FactSpec, ...] = ()  # only for a rule set without a process
    default_basis: Basis | Literal[""] = ""
    prefix: str = ""

    @property
    def table(self) -> bool:
        """Whether it is a decision table, with a value."""
        return bool(self.inputs) or self.hit_policy != "C" or any(not (r.when or r.display_only) for r in self.rules)

    @model_serializer(mode="wrap")
    def _out(self, inner: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        # what a table does not say is in no hash: a table pinned before these keys existed is the same table
        return {k: v for k, v in inner(self).items() if k not in ("output_values", "default") or v not in ({}, None)}


class RoleSpec(Grown):
    """Who may act. `level` binds to a unit of that kind; `fact` names a person fact instead of a post. `kind` finds
    people another way: starter, leader, leaders (up to the level `scope`), group (`scope`), unit (`scope`)."""

    LATER = ("kind", "scope")

    name: str
    title: str
    level: str = ""
    fact: str = ""
    kind: Literal["", "starter", "leader", "leaders", "group", "unit"] = ""
    scope: str = ""


#: who opened the case, in every process, whether it declares him or not
STARTING = RoleSpec(name="starter", title="开办人", kind="starter")


class Span(Model):
    """`15 days`, `2 workdays`; the number may be a parameter."""

    n: str
    unit: Literal["day", "workday", "month"]


class EscalateSpec(Span):
    """So long after the last day it goes up: to `leader`, `up`, or a role of the process."""

    to: str


class DueSpec(Grown):
    """A deadline of a state: `n unit` after the state was entered (or after `start`), or before the date `before`."""

    LATER = ("remind", "escalate")

    name: str
    title: str = ""
    n: str  # a number or a parameter name
    unit: Literal["day", "workday", "month"]
    start: str = ""  # date expression; empty: the day the state was entered
    before: str = ""  # date expression: count backwards from it
    then: str = "remind"  # remind | a transition of the state, fired by the clock
    basis: Basis | Literal[""] = ""
    cite: str = ""
    prefix: str = ""
    remind: tuple[Span, ...] = ()  # before the last day
    escalate: tuple[EscalateSpec, ...] = ()  # after it, level 1 first


class ObligationSpec(Placed):
    """A duty that comes again with every period. Met when `met_when` holds, when the step `act` was taken, or when a child
    of the name `child` was opened: in the period, or in the days of `grace` after it."""

    name: str
    title: str = ""
    every: Literal["month", "two_months", "quarter", "half", "year"]
    since: str = ""  # date expression; empty: the day the case was opened
    until: str = ""  # date expression; empty: as long as the case is open
    partial: bool = False  # a period it covers only in part is owed too
    met_when: str = ""
    act: str = ""
    child: str = ""
    warn: Span | None = None  # before the last day of the period
    grace: Span | None = None  # after it, still in time
    make_up: Span | None = None  # after that, late: the period stays missed
    by: str = ""  # role that answers for it
    basis: Basis | Literal[""] = ""
    cite: str = ""


class AccountSpec(Placed):
    """What is kept of each owner: points, a credit score, saved hours. With `start` it is a score: every entry stands by
    itself; without, what comes in is used up oldest first. Numbers are texts, or names of parameters."""

    name: str  # plugin.name
    title: str = ""
    unit: str = ""
    owner: Literal["person", "organisation", "household", "compound", "unit"] = "person"
    scale: int = 0  # decimals
    min: str = "0"
    start: str = ""
    expires: str = ""  # `2 years`, `12-31`, `vp.valid months`
    notice: str = ""  # how long before
    statement: Literal["monthly", "quarterly", "yearly"] = "monthly"
    by: tuple[str, ...] = ()  # roles that keep the accounts of others; empty: every role of the process


class CatalogueSpec(Placed):
    """What points are exchanged for: the values of an enum fact, each with a price and a stock of its own."""

    fact: str
    account: str  # full id
    prices: dict[str, str]  # value of the fact -> number or parameter
    units: dict[str, str] = {}


class BalanceSpec(Placed):
    """A record of facts about one account, for rules to read: `name.available`."""

    name: str
    account: str
    of: str  # expression: whose


class PostSpec(Placed):
    """What a transition writes into an account. `amount` is an expression, or `value`: what the step's rule set gave."""

    kind: Literal["post", "hold", "capture", "release", "order", "stock"]
    account: str = ""  # full id
    to: str = ""  # expression: whose account; empty: the case's place
    named: str = ""  # expression: the owner's name, where the owner is no person or place on record
    amount: str = ""
    because: str = ""
    name: str = ""  # of a hold
    until: str = ""  # a hold's length
    counter: Literal["issued", "adjusted"] = "issued"

    @property
    def texts(self) -> tuple[str, ...]:
        """Its expressions."""
        own = self.amount if self.amount != "value" and not self.amount.startswith("value.") else ""
        return tuple(x for x in (self.to, self.named, own) if x)


class TransitionSpec(Grown):
    LATER = ("post", "only", "verb")

    name: str
    title: str
    by: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()  # facts that must be known (or stated absent) after the act
    asks: tuple[str, ...] = ()  # facts the form offers besides
    decide: str = ""  # full rule-set id
    to: str = ""  # one target ("" stays)
    branches: dict[str, str] = {}  # outcome or table value -> target, when `to` is a mapping
    check: tuple[str, ...] = ()  # rule sets that must not REJECT, BLOCK or lack EVIDENCE
    opinion: Literal["none", "optional", "required"] = "optional"
    reasons: dict[str, str] = {}  # coded reasons, code -> title
    not_same_as: tuple[str, ...] = ()  # states: persons who acted there may not
    not_before: str = ""  # name of a deadline of this state that must have passed
    set: dict[str, str] = {}  # fact -> expression, written with the act
    confirms: bool = False  # this act makes an adverse outcome final: a named person answers for it
    opens: str = ""  # child process opened by this act (full id)
    document: str = ""
    auto: bool = False  # fired by the clock or by the engine, never offered
    hint: str = ""
    prefix: str = ""
    post: tuple[PostSpec, ...] = ()
    only: tuple[str, ...] = ()  # of a step possible anywhere: only in these states
    verb: str = ""  # the verb it came from: it ends the case, its open children with it

    @property
    def texts(self) -> tuple[str, ...]:
        """The expressions of what it writes besides its rules."""
        return (*self.set.values(), *(x for p in self.post for x in p.texts))


class VerbSpec(Placed):
    """What may be done with a case besides its steps; `step` says who may, where and why, and bears the name."""

    name: str
    step: TransitionSpec
    to: tuple[str, ...] = ()  # return, reopen: states; derive: processes; "any"
    clocks: Literal["stop", "run"] = "stop"  # suspend
    within: DueSpec | None = None  # take_back, reopen: no later than
    at_most: DueSpec | None = None  # suspend: then it ends by the clock
    facts: tuple[str, ...] = ()  # split: what may be taken over; empty: everything


class StateSpec(Grown):
    LATER = ("task", "sign")

    name: str
    title: str
    final: str = ""  # "" not final; else the outcome (true -> the state's name)
    by: tuple[str, ...] = ()
    dues: tuple[DueSpec, ...] = ()
    transitions: tuple[TransitionSpec, ...] = ()
    if_nobody: str = ""
    fragment: str = ""  # name of the fragment it came from
    part: str = ""  # title of that use: its states are one step of the progress strip
    main: bool = True  # on the main line of the progress strip
    hint: str = ""
    task: TaskSpec | None = None
    sign: SignSpec | None = None


class ColumnSpec(Model):
    """One Excel column: a fact path, or `finding` (是/否/未知 for a record), or part of the row's envelope."""

    title: str
    fact: str = ""
    finding: str = ""
    envelope: Literal["", "as_of", "source", "ref", "by"] = ""
    required: bool = False


class SheetSpec(Placed):
    """Excel of a collection or of a child process; `name` is the sheet's name."""

    target: str  # collection fact name, or name under which children stand in the parent
    name: str
    columns: tuple[ColumnSpec, ...]
    key: tuple[str, ...] = ()


class TallySpec(Placed):
    """Exact dual-quorum count (domain 1.6): writes facts `<name>.*` from a roll and ballots."""

    name: str
    roll: str
    ballots: str
    matters: str = ""
    #: how to count: invalid_participates, silence -> a parameter (votes.count.Policy)
    policy: dict[str, str] = {}


class CaseStep(Grown):
    LATER = ("duties", "expect_accounts", "to", "task", "result", "others", "before")

    act: str = ""
    by: str = ""
    on: dt.date | None = None
    wait: str = ""
    given: dict[str, Any] = {}
    opinion: str = ""
    reason: str = ""
    child: str = ""
    refused: str = ""
    expect: str = ""
    duties: dict[str, str] = {}  # obligation, or obligation/first day of the period -> how it stands now
    expect_accounts: dict[str, Any] = {}
    to: str = ""  # of `return`: the state; of a task: the role or person it goes to
    task: str = ""  # what is done with a task: claim, sign ...
    result: str = ""  # of a signature: agree or refuse
    others: tuple[str, ...] = ()  # of `dispatch`: co-handlers, roles or persons
    before: bool = False  # of `add_signer`: in front of who adds


class CaseSpec(Placed):
    """A test case of a plugin; `because` names the rules that hit."""

    name: str
    on: dt.date | None = None
    process: str = ""
    place: str = ""
    base: str = ""
    given: dict[str, Any] = {}
    steps: tuple[CaseStep, ...] = ()
    decide: str = ""
    expect: str = ""
    value: Any = None
    because: tuple[str, ...] | None = None
    ask: tuple[str, ...] | None = None
    set: dict[str, Any] = {}
    accounts: dict[str, dict[str, Any]] = {}  # what stands in accounts before: account -> owner -> amount
    expect_accounts: dict[str, Any] = {}


class ChildOf(Model):
    process: str
    name: str  # under which the parent reads the children


class ProcessSpec(Grown):
    """One process, flat, all fragments expanded, all references full ids."""

    LATER = ("obligations", "accounts", "catalogue", "balances", "verbs")

    id: str
    plugin: str
    title: str
    icon: str = "diagram-3"
    about: str = ""
    number: str = ""
    pin: Literal["opening", "none"] = "opening"
    place: Literal["", "compound", "community", "street", "district"] = ""
    child_of: ChildOf | None = None
    roles: dict[str, RoleSpec] = {}
    if_nobody: dict[str, str] = {}
    separate: tuple[tuple[str, ...], ...] = ()
    facts: tuple[FactSpec, ...] = ()
    opening: tuple[str, ...] = ()  # facts asked when a case is opened
    name_fact: str = ""  # the fact that titles a case
    states: tuple[StateSpec, ...] = ()
    anywhere: tuple[TransitionSpec, ...] = ()
    parameters: tuple[ParamSpec, ...] = ()
    rulesets: tuple[RuleSetSpec, ...] = ()
    sheets: tuple[SheetSpec, ...] = ()
    tallies: tuple[TallySpec, ...] = ()
    cases: tuple[CaseSpec, ...] = ()
    bases: dict[str, dict[str, Any]] = {}  # named starting facts of cases
    unconfirmed: tuple[str, ...] = ()  # what the domain research could not confirm
    hash: str = ""
    obligations: tuple[ObligationSpec, ...] = ()
    accounts: tuple[AccountSpec, ...] = ()
    catalogue: CatalogueSpec | None = None
    balances: tuple[BalanceSpec, ...] = ()
    verbs: tuple[VerbSpec, ...] = ()

    @property
    def worked_out(self) -> set[str]:
        """Facts that the system supplies and nobody states: tallies and balances."""
        return {x.name for x in self.tallies} | {x.name for x in self.balances}

    def verb(self, name: str) -> VerbSpec | None:
        return next((v for v in self.verbs if v.name == name), None)

    def role(self, name: str) -> RoleSpec:
        return STARTING if name == STARTING.name and name not in self.roles else self.roles[name]

    def state(self, name: str) -> StateSpec | None:
        return next((s for s in self.states if s.name == name), None)

    @property
    def initial(self) -> StateSpec:
        return self.states[0]


class PluginSpec(Placed):
    """A plugin as loaded: its processes, rule sets and parameters."""

    name: str
    title: str = ""
    about: str = ""
    path: str = ""
    processes: tuple[ProcessSpec, ...] = ()
    rulesets: tuple[RuleSetSpec, ...] = ()
    parameters: tuple[ParamSpec, ...] = ()
    locales: dict[str, dict[str, str]] = {}  # language -> path -> text
    sources: dict[str, str] = {}  # S1 -> title of the source
    versions: dict[str, str] = {}  # rule set -> label, where a published version took the place of the shipped one
