"""Acts: open, act, supply, add a child, recuse, import. Each accepted act is one database transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from siquan.core.engine.access import Post, lend, post_names
from siquan.core.engine.definition import Definition
from siquan.core.errors import BadInput, Errors, NoAccess, NotFound, Refused, Stale
from siquan.core.rules.decide import EnginesDisagree
from siquan.core.rules.decision import Decision, Piece, branch_key
from siquan.core.rules.facts import Reader, Stated, to_wire
from siquan.core.rules.values import ABSENT, Rows
from siquan.core.service.app import SYSTEM, App
from siquan.core.service.assigning import Leaving, asked, follow
from siquan.core.service.choices import settle
from siquan.core.service.context import Context
from siquan.core.service.duties import catch_up, look_after
from siquan.core.service.ending import after_end
from siquan.core.service.ledger import Posting
from siquan.core.service.numbering import next_number
from siquan.core.service.pages import must_see
from siquan.core.service.record import record_of
from siquan.core.service.records import whole_records
from siquan.core.service.refusal import MissingFacts, StepRefused, check_text
from siquan.core.service.repeats import comparable
from siquan.core.service.steps import Assessment, assess, finding_block, missing_facts
from siquan.core.service.timing import sync_deadlines
from siquan.core.spec.model import TransitionSpec
from siquan.core.store.layout import layout_of
from siquan.core.store.rows import Case, StoredDecision
from siquan.core.store.transaction import Tx
from siquan.core.views import ActResult, Block

MAX_TEXT, MAX_TITLE, MAX_KEY = 4000, 200, 100


class Acts:
    def __init__(self, app: App) -> None:
        self.app = app

    # open

    def open_case(
        self, process: str, person: str, place: str | None, facts: Mapping[str, Any], key: str | None, *, title: str = "",
        trusted: bool = False,
    ) -> ActResult:  # fmt: skip
        definition = self.app.definition(process)
        spec = definition.spec
        if spec.child_of is not None:
            raise BadInput(why=f"`{spec.title}`只能在所属事项里开办")
        check_text(title, MAX_TITLE, "标题")
        given = self._read(definition, facts)
        request = ["open", spec.id, person, place or "", comparable(facts), title]
        with self.app.store.begin() as tx:
            seen = self._seen(tx, key, request)
            if seen is None:
                seen = self._open(tx, definition, person, place, given, title, trusted)
                self._answer(tx, key, seen)
            return seen

    def _open(self, tx: Tx, definition: Definition, person: str, place: str | None, given: dict[str, Stated], title: str = "", trusted: bool = False) -> ActResult:
        spec = definition.spec
        where = self._place(tx, person, spec, place)
        way = None if trusted else self._may_open(tx, spec, person, where)
        case = tx.cases.add(
            process=spec.id, definition_hash=self.app.pin(tx, spec.id), title=title or spec.title, place=where,
            state=spec.initial.name, opened_by=person, number=next_number(tx, spec, self.app.today().year), book_version=tx.parameters.version(),
        )  # fmt: skip
        context = Context(self.app, tx, case)
        context.way = way
        return self._opened(context, person, given, title)

    def _may_open(self, tx: Tx, spec: Any, person: str, place: str) -> Post:
        """Whoever may take a first step may open, and any holder of a role of the process at the place."""
        posts = lend(self.app.posts(tx, self.app.chain(tx, place), spec), self.app.standings(tx), spec.id)
        mine = [p for p in posts if p.person == person and p.role in post_names(spec)]
        if not mine:
            raise NoAccess(why=f"你在这里没有“{spec.title}”的岗位")
        return min(mine, key=lambda p: bool(p.of))

    def _place(self, tx: Tx, person: str, spec: Any, place: str | None) -> str:
        where = place or (tx.people.get(person).unit_id or "")
        if not where:
            raise BadInput(why="要选一个地方")
        unit = tx.people.find_unit(where)
        if unit is None:
            raise NotFound(kind="单位", name=where)
        if spec.place and unit.kind != spec.place:
            kinds = {"compound": "小区", "community": "社区", "street": "街道", "district": "区"}
            raise BadInput(why=f"“{spec.title}”要在一个{kinds[spec.place]}开办，`{unit.name}`不是")
        return where

    def _opened(self, context: Context, person: str, given: dict[str, Stated], title: str = "") -> ActResult:
        tx, case = context.tx, context.case
        settle(context, given, note=True)
        seq = tx.events.next_seq(case.id)
        commitments = self._put(tx, case.id, seq, given, person)
        data: dict[str, Any] = {"to": case.state, "revision": 2, "entered": True, "definition": case.definition_hash}
        if commitments:
            data["facts"] = commitments
        if case.parent_id:
            data["parent"] = case.parent_id
        name = title or self._title(self._fresh(context))
        data["titled"] = tx.facts.put_title(case.id, seq, name)
        data |= asked(self._fresh(context), context.state, seq)
        context.record("opened", person, data)
        context = self._fresh(context)
        due = sync_deadlines(context)
        tx.cases.update(case.id, 1, title=name, due_on=due, holder=follow(context, person))
        return self._result(context, seq)

    def _title(self, context: Context) -> str:
        spec = context.definition.spec
        fact = context.definition.schema.get(spec.name_fact)
        value = context.facts().value(spec.name_fact) if fact is not None else None
        if fact is not None and isinstance(value, str):
            # people read the title: the word for a code, the name of a person
            word = self.app.person_name(context.tx, value) if fact.type == "person" else fact.values.get(value, value)
            return word[:MAX_TITLE]
        place = context.tx.people.find_unit(context.case.place)
        return f"{place.name} {spec.title}" if place and not spec.child_of else spec.title

    # act

    def act(
        self, case_id: str, transition: str, person: str, facts: Mapping[str, Any], opinion: str, reason: str,
        revision: int | None, key: str | None,
    ) -> ActResult:  # fmt: skip
        check_text(opinion, MAX_TEXT, "意见")
        if person == SYSTEM:
            raise NoAccess(why="只有时钟以系统的名义办理")
        request = ["act", case_id, transition, person, comparable(facts), opinion, reason]
        with self._on_record(case_id, transition, person), self.app.store.begin() as tx:
            seen = self._seen(tx, key, request)
            if seen is not None:
                return seen
            result = self._act(tx, case_id, transition, person, facts, opinion, reason, revision)
            self._answer(tx, key, result)
            return result

    @contextmanager
    def _on_record(self, case_id: str, transition: str, person: str) -> Iterator[None]:
        """A refusal by a rule leaves no event, but its decision is on record; a disagreement of the engines becomes an
        incident. Both in a transaction of their own, after the act was rolled back."""
        try:
            yield
        except StepRefused as refused:
            if refused.decisions:
                with self.app.store.begin() as tx:
                    context = Context(self.app, tx, tx.cases.get(case_id))
                    for decision in refused.decisions:
                        self._store(context, decision, transition, person, None, refused=True)
            raise
        except EnginesDisagree as fault:
            with self.app.store.begin() as tx:
                tx.incidents.add("engines_disagree", fault.text("zh"), {"transition": transition, "actor": person}, case_id)
            raise

    def _locked(self, tx: Tx, case_id: str, revision: int | None) -> Context:
        """The case and, before it, its parent; never the other way round."""
        peek = tx.cases.get(case_id)
        parent = Context(self.app, tx, tx.cases.lock(peek.parent_id)) if peek.parent_id else None
        case = tx.cases.lock(case_id)
        if revision is not None and revision != case.revision:
            raise Stale(seen=revision, now=case.revision)
        catch_up(Context(self.app, tx, case, parent=parent))
        return Context(self.app, tx, case, parent=parent)

    def _act(
        self, tx: Tx, case_id: str, name: str, person: str, facts: Mapping[str, Any], opinion: str, reason: str, revision: int | None
    ) -> ActResult:
        context = self._locked(tx, case_id, revision)
        if person != SYSTEM:
            must_see(context, person)  # before anything is said about the case
        transition = context.definition.machine.step(context.case.state, name)
        if transition.opens:
            return self._open_by(context, transition, person, facts, opinion, reason)
        context.given = self._read(context.definition, facts, {*transition.needs, *transition.asks})
        settle(context, context.given)
        found = assess(context, transition, person, both=True, strict=True)
        self._refuse(context, transition, found, opinion, reason, person)
        decision = None
        target = transition.to
        if transition.decide and transition.branches:
            decision = context.decide(transition.decide, both=True)
            found.decisions.append(decision)
            target = self._branch(context, transition, decision, found.decisions)
        return self._write(context, transition, person, target, found.decisions, decision, opinion, reason)

    def _refuse(
        self, context: Context, transition: TransitionSpec, found: Assessment, opinion: str, reason: str, person: str
    ) -> None:
        context.way = found.way
        access = [b for b in found.blocks if b.kind in ("role", "nobody")]
        if access and person != SYSTEM:
            raise NoAccess(why=access[0].message, help=access[0].cure)
        if person == SYSTEM:
            # the clock holds no post and is no second person
            found.blocks = [b for b in found.blocks if b.kind not in ("role", "nobody", "person")]
        if any(b.kind in ("person", "time", "state") for b in found.blocks):
            # no form can lift these, so they come before what is still to be filled in; no rule has refused yet
            raise StepRefused(found.blocks, [])
        missing = missing_facts(context, transition)
        if missing:
            raise MissingFacts(why="、".join(context.definition.schema.title(m) for m in missing), missing=missing)
        if transition.opinion == "required" and not opinion.strip() and person != SYSTEM:
            raise MissingFacts(why="意见", missing=["opinion"])
        if reason and reason not in transition.reasons:
            # events hold codes, never free text
            raise BadInput(why=f"没有 `{str(reason)[:60]}` 这个原因")
        if transition.reasons and not reason and person != SYSTEM:
            raise MissingFacts(why="原因", missing=["reason"])
        if found.blocks:
            raise StepRefused(found.blocks, found.decisions)

    def _branch(self, context: Context, transition: TransitionSpec, decision: Decision, all: list[Decision]) -> str:
        """Where a decision leads: by its value, else by its outcome. Without a way the step is refused."""
        for key in (branch_key(decision.value), decision.outcome):
            if key in transition.branches:
                return transition.branches[key] or context.case.state
        hits = [f for f in decision.findings if f.result in ("hit", "unknown") and f.outcome == decision.outcome]
        blocks = [finding_block(f) for f in hits]
        raise StepRefused(blocks or [Block("rule", decision.outcome, (Piece("没有适用的去向"),), decision.ruleset)], all)

    def _write(
        self, context: Context, transition: TransitionSpec, person: str, target: str, decisions: list[Decision],
        deciding: Decision | None, opinion: str, reason: str, child: str = "",
    ) -> ActResult:  # fmt: skip
        tx, case = context.tx, context.case
        # a form sends back all it showed: what is the same as before is not stated anew, by a new person
        stated = {p: f for p, f in context.given.items() if not _same(context, p, f)}
        for path, text in transition.set.items():
            value = context.evaluate(text, transition.prefix)
            stated[path] = Stated(value, None, "流程", "", "")
        settle(context, stated, note=True)
        to = context.definition.machine.fire(case.state, transition, target)
        seq = tx.events.next_seq(case.id)
        data: dict[str, Any] = {"transition": transition.name, "from": case.state, "to": to, "revision": case.revision + 1}
        if to != case.state or transition.to == case.state:
            data["entered"] = True
        if stated:
            data["facts"] = self._put(tx, case.id, seq, stated, person)
        references = []
        for decision in decisions:
            references.append(tx.decisions.reference(self._store(context, decision, transition.name, person, seq)))
        if references:
            data["decisions"] = references
        if transition.post:
            found = Posting(context, transition, decisions, stated).write(person, seq, references[-1]["id"] if references else "")
            data |= {"postings": found} if found else {}
        if opinion.strip():
            data["opinion"] = tx.facts.put_opinion(case.id, seq, opinion.strip(), person)
        if reason:
            data["reason"] = reason
        if child:
            data["child"] = child
        state = context.definition.spec.state(to)
        assert state is not None
        changes: dict[str, Any] = {"state": to}
        if state.final:
            data["outcome"] = state.final
            changes |= {"outcome": state.final, "closed_at": tx.at}
        elif not case.is_open:
            data["outcome"] = ""
            changes |= {"outcome": None, "closed_at": None}
        if data.get("entered"):
            both = frozenset({person, context.way.of if context.way is not None else person} - {""})
            data |= asked(self._fresh(context, to), state, seq, Leaving(case.state, transition.name, both, bool(stated)))
            tx.deadlines.settle_state(case.id, case.state, "met")
        context.record("acted", person, data)
        fresh = self._fresh(context, to)
        changes["holder"] = follow(fresh, person)
        changes["due_on"] = None if state.final else sync_deadlines(fresh)
        tx.cases.update(case.id, case.revision, **changes)
        if state.final:
            after_end(fresh, transition, person)
        self._touch_parent(context)
        return self._result(fresh, seq, decision=deciding, decision_id=references[-1]["id"] if references else "")

    def _fresh(self, context: Context, state: str = "") -> Context:
        """The same case read anew, as if it already stood in `state`."""
        case = context.tx.cases.get(context.case.id)
        fresh = Context(self.app, context.tx, replace(case, state=state or case.state), parent=context.parent)
        fresh.way = context.way
        return fresh

    def _touch_parent(self, context: Context) -> None:
        if context.case.parent_id:
            context.tx.cases.bump_children(context.case.parent_id)
        look_after(context)

    # children, supply, recusal, import

    def _open_by(
        self, context: Context, transition: TransitionSpec, person: str, facts: Mapping[str, Any], opinion: str, reason: str
    ) -> ActResult:
        """Opens a child and takes the step that opens it; returns what the child's opening gave."""
        found = assess(context, transition, person, both=True, strict=True)
        self._refuse(context, transition, found, opinion, reason, person)
        definition = context.child(next(n for n, p in context.definition.children.items() if p == transition.opens))
        child = self._add_child(context, definition, person, self._read(definition, facts))
        self._write(self._fresh(context), transition, person, transition.to, found.decisions, None, opinion, reason, child.case)
        return child

    def _add_child(self, parent: Context, definition: Definition, person: str, given: dict[str, Stated]) -> ActResult:
        tx, spec = parent.tx, definition.spec
        assert spec.child_of is not None
        name = spec.child_of.name
        ordinal = tx.cases.next_ordinal(parent.case.id, name)
        # ordinals are counted by name, numbers over all children: a candidate and an objection must not share one
        place = tx.cases.count_children(parent.case.id) + 1
        case = tx.cases.add(
            process=spec.id, definition_hash=parent.case.definition_hash, title=spec.title, place=parent.case.place,
            state=spec.initial.name, opened_by=person, parent_id=parent.case.id, parent_name=name, ordinal=ordinal,
            number=f"{parent.case.number}-{place:02d}" if parent.case.number else None, book_version=parent.case.book_version,
        )  # fmt: skip
        context = Context(self.app, tx, case, parent=parent)
        context.way = parent.way
        result = self._opened(context, person, given)
        tx.cases.bump_children(parent.case.id)
        return result

    def add_child(self, case_id: str, name: str, person: str, facts: Mapping[str, Any], key: str | None) -> ActResult:
        """Opens a child where the current state has a step that opens it."""
        with self._on_record(case_id, name, person), self.app.store.begin() as tx:
            seen = self._seen(tx, key, ["child", case_id, name, person, comparable(facts)])
            if seen is not None:
                return seen
            context = self._locked(tx, case_id, None)
            must_see(context, person)
            child = context.child(name)
            step = next((s for s in context.definition.machine.steps(context.case.state) if s.opens == child.spec.id), None)
            if step is None:
                raise Refused(why=f"“{context.state.title}”阶段不能登记{child.spec.title}")
            # the list has no box for an opinion or a reason
            step = step.model_copy(update={"opinion": "optional", "reasons": {}})
            result = self._open_by(context, step, person, facts, "", "")
            self._answer(tx, key, result)
            return result

    def supply(self, case_id: str, person: str, facts: Mapping[str, Any], revision: int | None, key: str | None) -> ActResult:
        """States facts without a step; for whoever holds a role of the process at the place."""
        with self.app.store.begin() as tx:
            seen = self._seen(tx, key, ["supply", case_id, person, comparable(facts)])
            if seen is not None:
                return seen
            context = self._locked(tx, case_id, revision)
            self._may_supply(context, person)
            given = self._read(context.definition, facts)
            if not given:
                raise BadInput(why="没有填写任何事实")
            result = self._supplied(context, person, "supplied", given)
            self._answer(tx, key, result)
            return result

    def _may_supply(self, context: Context, person: str) -> None:
        if not context.case.is_open:
            raise Refused(why="事项已办结，不能再录入事实")
        mine = context.part_of(person)
        if not mine:
            raise NoAccess(why="你在这里没有这个流程的岗位")
        if person in context.story.recused:
            raise NoAccess(why="你已对这件事申报回避")
        groups = [g for g in context.definition.spec.separate if "facts" in g]
        confirmed = {p for g in groups for other in g if other != "facts" for p in context.story.fired.get(other, ())}
        context.way = next((w for w in mine if w.of not in confirmed), None)
        if person in confirmed or context.way is None:
            raise NoAccess(why="你作过确认，不能再录入事实" if person in confirmed else "你代办的人作过确认，不能代他录入事实")

    def _supplied(self, context: Context, person: str, kind: str, given: dict[str, Stated], extra: dict[str, Any] | None = None) -> ActResult:
        tx, case = context.tx, context.case
        settle(context, given, note=True)
        seq = tx.events.next_seq(case.id)
        data: dict[str, Any] = {"to": case.state, "revision": case.revision + 1, **(extra or {})}
        if given:
            data["facts"] = self._put(tx, case.id, seq, given, person)
        context.record(kind, person, data)
        fresh = self._fresh(context)
        tx.cases.update(case.id, case.revision, due_on=sync_deadlines(fresh))
        self._touch_parent(context)
        return self._result(fresh, seq)

    def recuse(self, case_id: str, person: str, reason: str, key: str | None) -> ActResult:
        if not reason.strip():
            raise MissingFacts(why="回避的原因", missing=["reason"])
        check_text(reason, MAX_TEXT, "回避的原因")
        with self.app.store.begin() as tx:
            seen = self._seen(tx, key, ["recuse", case_id, person, reason])
            if seen is not None:
                return seen
            context = self._locked(tx, case_id, None)
            if not any(p.person == person for p in context.posts):  # posts of others count: a substitute may be too close, too
                raise NoAccess(why="你在这里没有岗位，不用申报回避")
            if person in context.story.recused:
                raise Refused(why="你已经申报过回避")
            case = context.case
            seq = tx.events.next_seq(case.id)
            opinion = tx.facts.put_opinion(case.id, seq, reason.strip(), person)
            data = {"person": person, "opinion": opinion, "to": case.state, "revision": case.revision + 1}
            tx.events.append(case.id, "recused", person, data)
            tx.cases.update(case.id, case.revision, holder=follow(self._fresh(context), person))
            self._touch_parent(context)
            result = self._result(self._fresh(context), seq)
            self._answer(tx, key, result)
            return result

    # shared

    def _read(self, definition: Definition, facts: Mapping[str, Any], allowed: Collection[str] | None = None) -> dict[str, Stated]:
        """Typed facts; `allowed` names the facts a step takes, None any. What the system works out (a tally, a derived
        fact that nobody provides) is not for anybody to state. Raises one error for all that is wrong."""
        schema, tallied = definition.schema, definition.spec.worked_out
        reader = Reader(schema, self.app.today())
        given = reader.read(whole_records(schema, facts), check=False)
        for path in given:
            spec = schema.get(path)
            if allowed is not None and not any(path == a or path.startswith(f"{a}.") or a.startswith(f"{path}.") for a in allowed):
                reader.bad(path, to_wire(given[path].value), "这一步不收这项事实", "this step does not take the fact")
            if path.partition(".")[0] in tallied or (spec is not None and spec.derive and not spec.by):
                reader.bad(path, to_wire(given[path].value), "由系统算出，不能录入", "the system works it out")
            if spec is not None and spec.collection:
                reader.bad(path, "…", "台账请用 Excel 导入", "import the collection from a sheet")
        if reader.errors:
            raise Errors(reader.errors) if len(reader.errors) > 1 else reader.errors[0]
        return given

    def _put(self, tx: Tx, case_id: str, seq: int, given: Mapping[str, Stated], person: str) -> dict[str, str]:
        """Stores envelopes; a record known not to exist makes its fields unknown again."""
        today = self.app.today()
        envelopes = {}
        current = tx.facts.current(case_id)
        for path, fact in given.items():
            envelope = fact.envelope()
            if fact.as_of is None and not isinstance(fact.value, Rows):
                envelope["as_of"] = today.isoformat()
            envelope["by"] = person
            envelopes[path] = envelope
            if fact.value is ABSENT:
                for old in current:
                    if old.startswith(f"{path}.") and old not in given:
                        envelopes[old] = {"value": None, "by": person}
            head = path.rpartition(".")[0]
            if head and head in current and current[head].value == "none" and fact.value is not None and fact.value is not ABSENT:
                envelopes.setdefault(head, {"value": None, "by": person})
        return tx.facts.put(case_id, seq, envelopes)

    def _store(self, context: Context, decision: Decision, transition: str, person: str, seq: int | None, refused: bool = False) -> StoredDecision:
        return context.tx.decisions.add(
            ruleset=decision.ruleset, version=decision.version, hash=decision.hash, on_date=decision.on, outcome=decision.outcome,
            record=record_of(decision), actor=person, case_id=context.case.id, event_seq=seq, transition=transition,
            place=decision.place, refused=refused, children_revision=context.case.children_revision,
            layout=layout_of(context.app.ruleset_of(context.definition, decision.ruleset)),
        )  # fmt: skip

    def _seen(self, tx: Tx, key: str | None, request: list[Any]) -> ActResult | None:
        if not key:
            return None
        check_text(key, MAX_KEY, "请求编号")
        stored = tx.idempotency.claim(key, request)
        return ActResult(**{**stored, "children": tuple(stored.get("children", ())), "repeated": True}) if stored else None

    def _answer(self, tx: Tx, key: str | None, result: ActResult) -> None:
        if key:
            plain = {k: getattr(result, k) for k in ("case", "number", "state", "state_title", "outcome", "revision", "event_seq", "decision_id")}
            tx.idempotency.answer(key, plain)

    def _result(self, context: Context, seq: int, *, decision: Decision | None = None, decision_id: str = "") -> ActResult:
        case: Case = context.tx.cases.get(context.case.id)
        state = context.definition.spec.state(case.state)
        return ActResult(
            case.id, case.number or "", case.state, state.title if state else case.state, case.outcome or "", case.revision,
            seq, decision_id, decision,
        )  # fmt: skip


def _same(context: Context, path: str, new: Stated) -> bool:
    """A fact without an age that says what is on record, or one with the same date and source."""
    schema = context.definition.schema
    old, spec, record = context.stored.get(path), schema.get(path), schema.record_of(path)
    if old is None and new.value is ABSENT and record is not None:
        # a field of a record that does not exist does not exist either
        old = context.stored.get(record.name)
    if old is None or spec is None or old.value != new.value:
        return False
    if not spec.max_age:
        return new.as_of in (None, old.as_of)
    return (new.as_of, new.source, new.ref) == (old.as_of, old.source, old.ref)


__all__ = ["SYSTEM", "Acts", "MissingFacts", "StepRefused"]
