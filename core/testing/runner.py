"""Runs one case of a plugin through the real service on an in-memory database, with invented persons."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from siquan.core.calendar import Calendar, shipped
from siquan.core.engine.access import acting_roles, is_post, kernel_post
from siquan.core.engine.machine import NoSuchStep
from siquan.core.errors import NoAccess, SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.policy.trials import differences, given_of, named, question_facts, what_if
from siquan.core.rules.decision import Decision
from siquan.core.service import Siquan
from siquan.core.service.acts import MissingFacts, StepRefused
from siquan.core.service.context import Context
from siquan.core.service.verbs import NoSuchVerb, declared
from siquan.core.spec.model import CaseSpec, CaseStep, ProcessSpec, RoleSpec, TransitionSpec
from siquan.core.spec.verbs import STARTER, moving
from siquan.core.store.database import Store
from siquan.core.testing.blank import in_memory
from siquan.core.testing.clock import FrozenClock, counter
from siquan.core.testing.ledger import bring, off

UNITS = (("test/district", "district", "试验区"), ("test/street", "street", "试验街道"), ("test/community", "community", "试验社区"), ("test/compound", "compound", "试验小区"))  # fmt: skip


class CaseFailed(SiquanError):
    """the case `{name}` fails: {why}"""

    code = "SQ601"
    zh = "用例“{name}”不成立：{why}"
    exit = 1


@dataclass
class World:
    """One throw-away installation: store, service, clock, persons by name."""

    service: Siquan
    clock: FrozenClock
    people: dict[str, str] = field(default_factory=dict)
    day: dt.date = dt.date(2026, 1, 1)


def world(catalogue: Catalogue, day: dt.date) -> World:
    clock = FrozenClock(day)
    return World(Siquan(in_memory(clock, counter(), _settled), catalogue, clock), clock, {}, day)


def _settled(store: Store) -> None:
    with store.begin() as tx:
        above = None
        for id, kind, name in UNITS:
            tx.people.add_unit(id, kind, name, above)
            above = id
        for year in shipped().values():
            tx.calendars.publish(year.year, dict(year.holidays), year.workdays, year.source, "system")


def run_case(catalogue: Catalogue, case: CaseSpec) -> list[str]:
    """What is wrong, in sentences; an empty list is a passed case."""
    day = case.on or catalogue.book_of(case.process).newest() or dt.date(2026, 1, 1)
    try:
        if case.decide and not case.steps:
            return _decide(catalogue, case, day)
        return Walk(catalogue, case, day).run()
    except SiquanError as fault:
        return [fault.full("zh")]


def _decide(catalogue: Catalogue, case: CaseSpec, day: dt.date) -> list[str]:
    w = world(catalogue, day)
    bound = w.service.app.force.shipped(case.process.partition(".")[0])
    rules = catalogue.ruleset(named(case, catalogue.rulesets))
    given = question_facts(bound, rules, case)
    decision = w.service.decide(rules.id, given, day, case.place, {k: what_if(v) for k, v in case.set.items()})
    return differences(case, decision)


class Walk:
    def __init__(self, catalogue: Catalogue, case: CaseSpec, day: dt.date) -> None:
        self.case, self.catalogue = case, catalogue
        self.world = world(catalogue, day)
        self.service = self.world.service
        self.spec = catalogue.definition(case.process).spec
        self.given = given_of(self.spec, case)
        self.used: set[str] = set()
        self.decision: Decision | None = None
        self.refused: list[str] = []
        self.out: list[str] = []
        self.id = ""

    def run(self) -> list[str]:
        if self.case.accounts:
            bring(self.service, self.spec.plugin, self.case.accounts, self.world.people)
        self.id = self._open()
        for n, step in enumerate(self.case.steps, 1):
            self._wait(step)
            fault = self._step(step) if step.act else self._task(step) if step.task else self._beside(step)
            fault = fault or "；".join(off(self.service, self.spec.plugin, step.expect_accounts, self.world.people))
            if fault:
                return [*self.out, f"第 {n} 步 {step.act or step.task}：{fault}"]
            for wrong in self._duties(step.duties):
                return [*self.out, f"第 {n} 步：{wrong}"]
        with self.service.app.store.read() as tx:
            state = tx.cases.get(self.id).state
        self.out += off(self.service, self.spec.plugin, self.case.expect_accounts, self.world.people)
        if self.case.expect and self.case.expect != state:
            self.out.append(f"应到 {self.case.expect}，实到 {state}")
        if self.case.because is not None:
            hits = {f.rule for f in self.decision.hits()} if self.decision else set()
            hits |= set(self.refused)
            if set(self.case.because) != hits:
                self.out.append(f"命中的规则应为 {sorted(self.case.because)}，实为 {sorted(hits)}")
        problems = self.service.audit_verify() + self.service.replay()
        return [*self.out, *(f"经过核验不符：{p}" for p in problems)]

    # persons

    def _person(self, name: str, spec: ProcessSpec, transition: TransitionSpec | None = None, case_id: str = "") -> str:
        """`by` is a role's name, `role/2` the second person in that role, any other name a person who holds every role of the
        process; default: the step's role. A role that is a fact is the person this fact names."""
        roles = list(spec.roles)
        if not name and transition is not None:
            state = next((s for s in spec.states if transition in s.transitions), None)
            own = [r for r in acting_roles(spec, state, transition) if r in spec.roles]
            name = next((r for r in own if is_post(spec, r)), own[0] if own else "")
        role = spec.roles.get(name)
        if role is not None and not is_post(spec, name) and (case_id or self.id):
            return self._named(role, case_id or self.id) or self._person("开办人", spec)
        key = f"{spec.plugin}:{name}"
        if key in self.world.people:
            return self.world.people[key]
        known = {r: x for p in self.catalogue.plugin(spec.plugin).processes for r, x in p.roles.items()} | dict(spec.roles)
        one, _, nth = name.partition("/")
        holds = [one] if one in roles else list(known)
        with self.service.app.store.begin() as tx:
            title = f"{spec.roles[one].title}{nth}" if one in spec.roles else name or "开办人"
            person = tx.people.add(title, unit_id="test/community")
            for held in (known[r] for r in holds if not known[r].fact and known[r].kind != "starter"):
                unit = next((u for u, kind, _ in UNITS if kind == held.level), "test/compound" if spec.place == "compound" else "test/community")
                if held.kind == "unit":
                    unit = held.scope
                    if tx.people.find_unit(unit) is None:
                        tx.people.add_unit(unit, "district", held.title)
                tx.people.grant(person.id, kernel_post(held), unit, dt.date(2000, 1, 1))
        self.world.people[key] = person.id
        return person.id

    def _named(self, role: RoleSpec, case_id: str) -> str:
        """The person of a role that is no post: who started the case, or whom a fact names on record."""
        with self.service.app.store.begin() as tx:
            case = tx.cases.get(case_id)
            if not role.fact:
                return case.opened_by
            context: Context | None = Context(self.service.app, tx, case)
            while context is not None and role.fact not in context.definition.schema:
                context = context.parent  # a child's role may be a fact of its parent
            found = context.bare(role.fact) if context is not None else None
            if not isinstance(found, str) or not found:
                return ""
            # whom a case names has to be somebody to be able to act
            if tx.people.find(found) is None:
                tx.people.add(found, unit_id="test/community", person_id=found)
        return found

    def _chosen(self, spec: ProcessSpec, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Facts with the invented persons that are chosen by name or role in the place of their names."""
        schema = self.service.app.definition(spec.id).schema
        return {
            path: self._person(value, spec) if (fact := schema.get(path)) is not None and fact.among and isinstance(value, str) else value
            for path, value in facts.items()
        }  # fmt: skip

    # the case

    def _open(self) -> str:
        first = self.spec.initial.transitions[0] if self.spec.initial.transitions else None
        person = self._person(self.case.steps[0].by if self.case.steps and self.case.steps[0].by else "", self.spec, first)
        schema = self.service.app.definition(self.spec.id).schema
        claimed = {f for s in self.spec.states for t in s.transitions for f in (*t.needs, *t.asks)}
        claimed |= {f for t in self.spec.anywhere for f in (*t.needs, *t.asks)}
        early, rows = {}, {}
        for path, value in self.given.items():
            top = path.partition(".")[0]
            if path == "parent":
                continue
            spec = schema.get(path)
            if spec is not None and spec.collection:
                if path not in claimed:
                    rows[path] = value
            elif path in self.spec.opening or top in self.spec.opening or not (path in claimed or top in claimed):
                early[path] = value
                self.used.add(path)
        early = self._chosen(self.spec, early)
        if self.spec.child_of is None:
            kind = self.spec.place or "community"
            place = next(u for u, k, _ in UNITS if k == kind)
            opened = self.service._acts.open_case(self.spec.id, person, place, early, None, trusted=True)
        else:
            opened = self._open_child(person, early)
        for name, value in rows.items():
            self._rows(opened.case, name, value, person)
        return opened.case

    def _open_child(self, person: str, early: dict[str, Any]) -> Any:
        assert self.spec.child_of is not None
        above = self._above(self.catalogue.definition(self.spec.child_of.process).spec, person, dict(self.given.get("parent") or {}))
        return self._added(above, self.spec, person, early)

    def _above(self, spec: ProcessSpec, person: str, facts: dict[str, Any], below: tuple[str, ...] = ()) -> str:
        """The case a child stands in, which may be a child itself; one that stands in its own kind cannot be begun."""
        if spec.child_of is not None and spec.id not in below:
            above = self._above(self.catalogue.definition(spec.child_of.process).spec, person, {}, (*below, spec.id))
            return str(self._added(above, spec, person, facts).case)
        place = next(u for u, k, _ in UNITS if k == (spec.place or "community"))
        return self.service._acts.open_case(spec.id, person, place, facts, None, trusted=True).case

    def _added(self, parent: str, spec: ProcessSpec, person: str, facts: dict[str, Any]) -> Any:
        acts, app = self.service._acts, self.service.app
        with app.store.begin() as tx:
            context = Context(app, tx, tx.cases.lock(parent))
            definition = app.definition(spec.id)
            return acts._add_child(context, definition, person, acts._read(definition, facts))

    def _rows(self, case_id: str, name: str, value: Any, person: str) -> None:
        """A collection given in a case is imported by the person of the step."""
        complete = bool(value.get("complete")) if isinstance(value, Mapping) else False
        items = value["value"] if isinstance(value, Mapping) else value
        acts = self.service._acts
        with self.service.app.store.begin() as tx:
            context = acts._locked(tx, case_id, None)
            seq = tx.events.next_seq(case_id)
            batch = tx.collections.add(case_id, name, seq, [_wire(dict(i)) for i in items], complete=complete)
            acts._supplied(context, person, "imported", {}, {"collections": {name: batch.commitment}, "rows": len(items)})
        self.used.add(name)

    def _wait(self, step: CaseStep) -> None:
        day = self.world.clock.day
        if step.on is not None:
            day = step.on
        elif step.wait:
            found = re.fullmatch(r"(\d+)\s*(workdays?|days?|months?)", step.wait)
            if found is None:
                raise CaseFailed(self.case.where, name=self.case.name, why=f"`{step.wait}` 不是一段时间")
            n = int(found.group(1))
            if found.group(2).startswith("workday"):
                calendar = Calendar.of(shipped())
                while n:
                    day += dt.timedelta(days=1)
                    n -= calendar.is_workday(day)
            else:
                day += dt.timedelta(days=n * (30 if found.group(2).startswith("month") else 1))
        if day != self.world.clock.day:
            self.world.clock.move(day)
            self.service.sweep()

    def _duties(self, wanted: Mapping[str, str]) -> Iterator[str]:
        """`{quarterly: missed}` is how its newest settled or running period stands; `quarterly/2026-10-01` names one."""
        rows = self.service.obligations(self.id)
        for key, status in wanted.items():
            name, _, start = key.partition("/")
            found = [r for r in rows if r.name == name and start in ("", r.start.isoformat())]
            now = found[-1].status if found else "none"
            if now != status:
                yield f"义务 {key} 应为 {status}，实为 {now}"

    def _target(self, step: CaseStep) -> tuple[str, ProcessSpec]:
        """`child: candidates/1` is the first child of that name; empty is the case itself."""
        if not step.child:
            return self.id, self.spec
        name, _, ordinal = step.child.partition("/")
        with self.service.app.store.read() as tx:
            children = tx.cases.children(self.id, name)
            child = children[int(ordinal or 1) - 1]
            return child.id, self.catalogue.definition(child.process).spec

    def _beside(self, step: CaseStep) -> str:
        """A step without `act`: time passes, somebody takes up his post, or states facts, or imports a collection."""
        case_id, spec = self._target(step)
        if step.by:
            self._person(step.by, spec, None, case_id)
        if step.given:
            with self.service.app.store.read() as tx:
                schema = Context(self.service.app, tx, tx.cases.get(case_id)).definition.schema
            person, facts = self._person(step.by or next(iter(spec.roles), ""), spec, None, case_id), dict(step.given)
            try:
                for path in [p for p in facts if (own := schema.get(p)) is not None and own.collection]:
                    self._rows(case_id, path, facts.pop(path), person)
                if facts:
                    self.service.supply(case_id, person, facts)
            except SiquanError as fault:
                return self._refusal(step, fault)
            if step.refused:
                return f"应被 {step.refused} 拦下，却办成了"
        return self._stands(case_id, step)

    def _task(self, step: CaseStep) -> str:
        """Something done with a task: `to` and `others` are roles or persons, as `by` is."""
        case_id, spec = self._target(step)
        person = self._person(step.by, spec, None, case_id)
        to, *others = (self._person(name, spec, None, case_id) if name else "" for name in (step.to, *step.others))
        opinion = step.opinion or ("" if step.refused else "用例")
        try:
            result = self.service.verb(
                case_id, step.task, person, to=to, others=others, reason=step.reason, opinion=opinion, result=step.result, before=step.before
            )
        except SiquanError as fault:
            return self._refusal(step, fault)
        self.decision = result.decision or self.decision
        if step.refused:
            return f"应被 {step.refused} 拦下，却办成了"
        return self._stands(case_id, step)

    def _stands(self, case_id: str, step: CaseStep) -> str:
        if step.expect:
            with self.service.app.store.read() as tx:
                now = tx.cases.get(case_id).state
            if now != step.expect:
                return f"应到 {step.expect}，实到 {now}"
        return ""

    def _step(self, step: CaseStep) -> str:
        case_id, spec = self._target(step)
        with self.service.app.store.read() as tx:
            context = Context(self.service.app, tx, tx.cases.get(case_id))
            state = context.case.state
            verb = step.act in moving(context.definition.spec)
            try:
                transition = declared(context, step.act).step if verb else context.definition.machine.step(state, step.act)
            except NoSuchStep as fault:
                return self._refusal(step, fault)
            opener, last = context.case.opened_by, context.story.undo.get("by", "")
            schema = context.definition.schema
        if not step.by and (STARTER in transition.by or (verb and not transition.by)):
            person = opener if transition.by else last or opener
        else:
            person = self._person(step.by, spec, transition, case_id)
        facts = dict(step.given)
        if case_id == self.id:
            offered = (*transition.needs, *transition.asks)
            for path, value in self.given.items():
                top = path.partition(".")[0]
                if path in self.used or path in facts or not (path in offered or top in offered):
                    continue
                own = schema.get(path)
                if own is not None and own.collection:
                    self._rows(case_id, path, value, person)
                else:
                    facts[path] = value
                    self.used.add(path)
        for path in [p for p in facts if (own := schema.get(p)) is not None and own.collection]:
            self._rows(case_id, path, facts.pop(path), person)
        if transition.opens:
            facts = dict(step.given)
        reason = step.reason or next(iter(transition.reasons), "")
        opinion = step.opinion or ("用例" if transition.opinion == "required" and not step.refused else "")
        try:
            if verb:
                result = self.service.verb(case_id, step.act, person, to=step.to, reason=reason, opinion=opinion)
            else:
                result = self.service.act(case_id, step.act, person, self._chosen(spec, facts), opinion, reason)
        except SiquanError as fault:
            # what a refused step brought is still to be brought by the next one
            self.used -= set(facts)
            return self._refusal(step, fault)
        self.decision = result.decision or self.decision
        if step.refused:
            return f"应被 {step.refused} 拦下，却办成了"
        return self._stands(case_id, step)

    def _refusal(self, step: CaseStep, fault: SiquanError) -> str:
        marks = {fault.code}
        if isinstance(fault, StepRefused):
            marks |= {b.rule for b in fault.blocks} | {b.kind for b in fault.blocks} | {"not_before" for b in fault.blocks if b.kind == "time"}
            marks |= {"separate" for b in fault.blocks if b.kind == "person"}
            self.refused = [b.rule for b in fault.blocks if b.rule]
        if isinstance(fault, NoSuchVerb):
            marks.add(step.act or step.task)
        if isinstance(fault, NoAccess):
            marks |= {"role", "access", "nobody"}
        if isinstance(fault, MissingFacts):
            marks |= {"needs", *fault.values["missing"]}
        if step.refused and (step.refused == "true" or step.refused in marks):
            return ""
        return f"应被 {step.refused} 拦下，实为 {fault.full('zh')}" if step.refused else fault.full("zh")


def _wire(row: dict[str, Any]) -> dict[str, Any]:
    """Nested records of a row as dotted leaves, dates as text, as an import writes them."""
    out: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            out.update({f"{key}.{k}": v for k, v in _wire(dict(value)).items()})
        else:
            out[key] = value.isoformat() if isinstance(value, dt.date) else value
    return out
