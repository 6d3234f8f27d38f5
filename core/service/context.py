"""A case as one act or one page sees it: facts, children, parent, deadlines, people, and decisions over them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from siquan.core.engine.access import Cast, Chain, Post, Standing, holding, lend, post_names
from siquan.core.engine.definition import Definition
from siquan.core.engine.fold import Story
from siquan.core.errors import NotFound
from siquan.core.rules.decide import RuleSet, Situation, decide
from siquan.core.rules.decision import Decision
from siquan.core.rules.facts import FactSet, Reader, Stated, staleness
from siquan.core.rules.parameters import ParameterBook
from siquan.core.rules.values import ABSENT, Rows, exact
from siquan.core.service.balances import balances
from siquan.core.spec.model import STARTING, StateSpec, TallySpec
from siquan.core.store.rows import Case, Event
from siquan.core.store.transaction import Tx
from siquan.core.votes.ballots import BadVote, Ballot, read_ballots, read_roll
from siquan.core.votes.count import Policy, tally

if TYPE_CHECKING:
    from siquan.core.service.app import App


def read_envelopes(definition: Definition, envelopes: Mapping[str, Mapping[str, Any]]) -> dict[str, Stated]:
    """Stored wire values as typed facts; what the definition no longer knows is left out."""
    known = {p: dict(e) for p, e in envelopes.items() if p in definition.schema}
    reader = Reader(definition.schema, dt.date.max)
    return reader.read(known, check=False)


class Context:
    """Lazily loaded view of one case inside one transaction. `given` are facts stated by the act in hand."""

    def __init__(self, app: App, tx: Tx, case: Case, *, parent: Context | None = None) -> None:
        self.app, self.tx, self.case = app, tx, case
        self.today = app.today()
        self._parent = parent
        self._names: dict[str, str] = {}
        #: by which post the person of the act in hand acts
        self.way: Post | None = None
        #: the post by which the signature is given that the step in hand comes to
        self.signing: Post | None = None
        self._given: dict[str, Stated] = {}

    @property
    def given(self) -> dict[str, Stated]:
        return self._given

    @given.setter
    def given(self, facts: dict[str, Stated]) -> None:
        self._given = facts
        self.__dict__.pop("tallied", None)  # a balance may hang on whom the act names

    @cached_property
    def definition(self) -> Definition:
        return self.app.definition_of(self.tx, self.case)

    @property
    def spec(self) -> Any:
        return self.definition.spec

    @property
    def state(self) -> StateSpec:
        return self.definition.spec.state(self.case.state) or self._lost

    @property
    def lost(self) -> bool:
        """Whether the process no longer knows the state: a standing body's process was changed under it."""
        return self.definition.spec.state(self.case.state) is None

    @cached_property
    def _lost(self) -> StateSpec:
        """A state without steps in the place of one that is gone, under the title it had."""
        try:
            old = self.app.opened_under(self.tx, self.case).definitions[self.case.process].spec.state(self.case.state)
        except (NotFound, KeyError):
            old = None
        return StateSpec(name=self.case.state, title=old.title if old else self.case.state, final=self.case.outcome or "", main=False)

    @cached_property
    def parent(self) -> Context | None:
        if self._parent is not None or self.case.parent_id is None:
            return self._parent
        return Context(self.app, self.tx, self.tx.cases.get(self.case.parent_id))

    @cached_property
    def events(self) -> list[Event]:
        return self.tx.events.of(self.case.id)

    @cached_property
    def story(self) -> Story:
        return self.app.stories.of(self.tx, self.case)

    @cached_property
    def chain(self) -> Chain:
        return self.app.chain(self.tx, self.case.place)

    @cached_property
    def standings(self) -> tuple[Standing, ...]:
        """Who stands in for whom today."""
        return self.app.standings(self.tx)

    @cached_property
    def posts(self) -> tuple[Post, ...]:
        """Own posts and those lent to substitutes."""
        own = self.app.posts(self.tx, self.chain, self.definition.spec)
        return lend(own, self.standings, self.definition.spec.id)

    @cached_property
    def named(self) -> dict[str, str]:
        """Roles that are a fact, with the person in it: as on record, so that nobody names himself in his own act; "" for
        one who has left, or holds no longer what he had to hold to be chosen. A child's role may be a fact of its parent."""
        known = FactSet(self.definition.schema, self.stored, self.today)
        out = {}
        for role in self.definition.spec.roles.values():
            spec = self.definition.schema.get(role.fact) if role.fact else None
            if spec is None:
                if role.fact and self.parent is not None and role.name in self.parent.named:
                    out[role.name] = self.parent.named[role.name]
                continue
            who = known.value(role.fact)
            if isinstance(who, str):
                still = who in self.choosable(spec.among) if spec.among else self.app.serves(self.tx, who)
                out[role.name] = who if still else ""
        return out

    @cached_property
    def opener(self) -> str:
        """Who started the case; "" when he has left."""
        who = self.story.opener or self.case.opened_by
        return who if self.app.serves(self.tx, who) else ""

    def choosable(self, role: str) -> list[str]:
        """Who may be chosen: holders of the role at the place, by posts of their own, who are not recused."""
        spec = self.definition.spec.roles[role]
        own = [p for p in self.posts if not p.of]
        return list(dict.fromkeys(p.person for p in holding(spec, own, self.chain) if p.person not in self.story.recused))

    def cast(self, barred: Collection[str] = ()) -> Cast:
        """The people around the case. Nobody acts for one who is recused or `barred` from the step in hand."""
        spec = self.definition.spec
        asked = self.case.state == spec.initial.name or any(r.kind == "starter" for r in spec.roles.values()) or self._starter_named
        return Cast(self.opener if asked else "", self.posts, self.chain, self.named, self.standings, {*self.story.recused, *barred})

    @property
    def _starter_named(self) -> bool:
        """Whether a step of the state or a verb names who opened the case without a role for him."""
        steps = (*self.state.transitions, *self.definition.spec.anywhere, *(v.step for v in self.definition.spec.verbs))
        return STARTING.name in self.state.by or any(STARTING.name in t.by for t in steps)

    def part_of(self, person: str) -> list[Post]:
        """The posts by which a person has a part in the process here, his own first."""
        names = post_names(self.definition.spec)
        mine = [p for p in self.posts if p.person == person and p.role in names and p.of not in self.story.recused]
        return sorted(mine, key=lambda p: bool(p.of))

    def represented(self, person: str) -> set[str]:
        """The person and those he stands in for in all of this process: what names or opened, he sees with their eyes."""
        process = self.definition.spec.id
        return {person} | {s.person for s in self.standings if s.substitute == person and not s.roles and s.covers("", process)}

    def record(self, kind: str, person: str, data: dict[str, Any]) -> None:
        """Writes the next event of the act in hand: by which post, and for whom, the person acted."""
        way = self.way if self.way is not None and self.way.person == person else None
        if way is not None:
            data["as"] = way.mark
        self.tx.events.append(self.case.id, kind, person, data, on_behalf=way.of if way is not None else "")

    @cached_property
    def book(self) -> ParameterBook:
        return self.app.book_of(self.tx, self.case)

    def name_of(self, person: str) -> str:
        """A person's name, looked up once for however many lines bear it."""
        found = self._names.get(person)
        if found is None:
            found = self._names[person] = self.app.person_name(self.tx, person)
        return found

    # facts

    @cached_property
    def stored(self) -> dict[str, Stated]:
        current = self.tx.facts.current(self.case.id)
        return read_envelopes(self.definition, {path: fact.envelope() for path, fact in current.items()})

    def facts(self, on: dt.date | None = None) -> FactSet:
        """Everything stated, the act's own facts on top, what is stale marked."""
        day = on or self.today
        base = FactSet(self.definition.schema, self.stored, day)
        merged = base.with_stated(self.given) if self.given else base
        stale = staleness(self.definition.schema, merged.stated, day, lambda text: self.number(text, day))
        return FactSet(self.definition.schema, merged.stated, day, stale)

    def number(self, text: str, on: dt.date) -> Any:
        return int(text) if text.isdigit() else self.book.value(text, on, self.chain.ids) if text in self.book.specs else None

    def children(self, name: str) -> list[Case]:
        return self._children.get(name, [])

    @cached_property
    def _children(self) -> dict[str, list[Case]]:
        out: dict[str, list[Case]] = {}
        if self.definition.children:
            for child in self.tx.cases.children(self.case.id):
                out.setdefault(child.parent_name or "", []).append(child)
        return out

    @cached_property
    def lists(self) -> dict[str, Rows]:
        """Children and collections as lists, tallies as their fields."""
        out: dict[str, Rows] = {}
        for name, process in self.definition.children.items():
            out[name] = self._child_rows(name, process)
        for spec in self.definition.schema.top.values():
            if spec.collection:
                out[spec.name] = self.collection(spec.name)
        return out

    def child(self, name: str) -> Definition:
        """The process of the children of that name, as this case is pinned to it. Raises NotFound."""
        process = self.definition.children.get(name)
        found = self.app.bound(self.tx, self.case).definitions.get(process) if process else None
        if found is None:
            raise NotFound(kind="子事项", name=name)
        return found

    def _child_rows(self, name: str, process: str) -> Rows:
        cases = self.children(name)
        values = self.tx.facts.current_many([c.id for c in cases]) if cases else {}
        rows = []
        for child in cases:
            definition = self.app.definition_of(self.tx, child)
            stated = read_envelopes(definition, {p: f.envelope() for p, f in values[child.id].items()})
            row = {path: fact.value for path, fact in stated.items()}
            row["state"], row["outcome"], row[""] = child.state, child.outcome or ABSENT, child.id
            rows.append(row)
        return Rows(tuple(rows), True)

    def collection(self, name: str) -> Rows:
        spec = self.definition.schema.top[name]
        batch = self.tx.collections.last(self.case.id).get(name)
        if batch is None:
            return Rows((), False)
        reader = Reader(self.definition.schema, dt.date.max)
        rows = reader.rows(name, spec, [dict(r.data or {}) for r in self.tx.collections.rows(self.case.id, name)], batch.complete)
        return rows or Rows((), False)

    @cached_property
    def tallied(self) -> dict[str, Any]:
        """Facts that tallies and balances supply, by path. A roll that cannot be read leaves them unknown."""
        out: dict[str, Any] = {}
        for spec in self.definition.spec.tallies:
            out.update(self._tally(spec))
        out.update(balances(self))
        return out

    def _policy(self, names: Mapping[str, str]) -> Policy:
        """How to count, as the parameters of the day and place have it; what is not set keeps the statute's reading."""
        values = {key: self.book.value(param, self.today, self.chain.ids) for key, param in names.items()}
        invalid, silence = values.get("invalid_participates"), values.get("silence")
        return Policy(invalid_participates=invalid is True, silence="with_majority" if silence == "with_majority" else "not_participating")

    def _tally(self, spec: TallySpec) -> dict[str, Any]:
        name, matters, policy = spec.name, spec.matters, self._policy(spec.policy)
        owners, votes = self.lists.get(spec.roll), self.lists.get(spec.ballots)
        if owners is None or not owners.items or votes is None:
            return {}
        names: list[str] = []
        if matters in self.definition.children:
            child = self.child(matters)
            label = child.spec.name_fact
            names = [str(r.get(label)) for r in self.lists[matters] if r.get(label) and r["state"] not in _lost(child)]
        try:
            units, papers = read_roll(owners.items), read_ballots(votes.items)
            result = tally(units, papers, policy, names)
            # who took part at all: one paper per unit, whatever it says on which matter
            taking = ("yes", "no", "abstain", "invalid") if policy.invalid_participates else ("yes", "no", "abstain")
            part = {p.unit for p in papers if p.choice in taking and (not names or p.matter in names)}
            turnout = tally(units, [Ballot(u, "*", "abstain") for u in sorted(part)], Policy(), ["*"]).matters["*"]
        except BadVote:
            return {}
        facts = {f"{name}.{k}": v for k, v in result.facts().items() if f"{name}.{k}" in self.definition.schema}
        facts[f"{name}.results"] = Rows(tuple(m.facts() for m in result.matters.values()), True)
        facts[f"{name}.part_area"], facts[f"{name}.part_n"] = exact(turnout.part_area), turnout.part_n
        known = [m.passed for m in result.matters.values()]
        facts[f"{name}.elected_n"] = None if None in known else sum(1 for p in known if p)
        return facts

    # evaluation

    def lookup(self, path: str) -> Any:
        """A fact of this case as its children see it through `parent.`"""
        return self.situation().fact(path)

    def parent_lookup(self) -> Callable[[str], Any] | None:
        if self.parent is None:
            return None
        up, prefix = self.parent, (self.case.parent_name or "").rpartition(".")[0]

        def look(path: str) -> Any:
            full = f"{prefix}.{path}" if prefix else path
            known = full in up.definition.scope.facts
            return up.lookup(full if known else path)

        return look

    def overlay(self, on: dt.date) -> tuple[FactSet, dict[str, Rows]]:
        facts = self.facts(on)
        extra = {p: Stated(v) for p, v in self.tallied.items() if not isinstance(v, Rows)}
        lists = {**self.lists, **{p: v for p, v in self.tallied.items() if isinstance(v, Rows)}}
        if extra:
            facts = FactSet(facts.schema, {**facts.stated, **extra}, on, facts.stale)
        return facts, lists

    def situation(self, ruleset: RuleSet | None = None, on: dt.date | None = None) -> Situation:
        day = on or self.today
        facts, lists = self.overlay(day)
        home = ruleset or self.app.bare(self.definition)
        return Situation(home, facts, self.book, day, self.chain.ids, self.parent_lookup(), lists)

    def decide(self, ruleset: str, *, both: bool, lang: str = "zh", on: dt.date | None = None) -> Decision:
        day = on or self.today
        facts, lists = self.overlay(day)
        rules = self.app.ruleset_of(self.definition, ruleset)
        return decide(
            rules, facts, self.book, day, self.chain.ids, parent=self.parent_lookup(), lists=lists, both=both, lang=lang
        )

    def bare(self, text: str) -> Any:
        """An expression over what is stated alone, not over what tallies and balances work out."""
        home = self.app.bare(self.definition)
        situation = Situation(home, self.facts(), self.book, self.today, self.chain.ids, self.parent_lookup(), {})
        return self.definition.expression(text)(situation.fact, situation.param, self.today)

    def evaluate(self, text: str, prefix: str = "") -> Any:
        """A deadline's date, a `set:` value: None when unknown."""
        situation = self.situation()
        return self.definition.expression(text, prefix)(situation.fact, situation.param, self.today)


def _lost(definition: Definition) -> set[str]:
    """Final states a candidate does not stand in: everything final but those called passed."""
    return {s.name for s in definition.spec.states if s.final and s.final != "passed"}
