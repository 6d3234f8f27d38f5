"""A case that happened as a test case of its plugin: the same steps on the same days, persons by role, invented words.

What is made is run before it is handed out: a case that does not come out the same is refused with what differs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from siquan.core.accounts.kinds import kinds_of
from siquan.core.engine.definition import Definition
from siquan.core.engine.fold import REASSIGNED
from siquan.core.errors import NoAccess, SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.service import Siquan
from siquan.core.service.acts import SYSTEM
from siquan.core.service.app import ZONE
from siquan.core.service.balances import owner_of
from siquan.core.service.context import Context
from siquan.core.service.pages import must_see
from siquan.core.spec.model import CaseSpec, CaseStep, FactSpec, TransitionSpec
from siquan.core.store.rows import Event
from siquan.core.testing import ledger
from siquan.core.testing.disguise import GIVEN, Disguise, literals
from siquan.core.testing.retask import called, concerned, decided, handed_over, held, step_of, tasked
from siquan.core.testing.runner import run_case

#: events that come by themselves when time passes
SILENT = {"deadline", "calendar", "reminded", "escalated", "obligation", "ended"}
#: event -> the verb that made it
VERBS = {"returned": "return", "taken_back": "take_back", "suspended": "suspend", "resumed": "resume", "reopened": "reopen"}
#: what tells somebody of the case and moves nothing
TALK = {"urged", "copied"}


class NotReproduced(SiquanError):
    """`{case}` does not come out the same as a test case: {why}"""

    code = "SQ603"
    zh = "`{case}` 做成用例以后跑出来不一样：{why}"
    help_en = "a changed rule set, a parameter of the place or a step that cases have no words for is the usual cause"
    help_zh = "常见的原因：规则或参数改过、这个地方有自己的参数、有用例写不出的动作"
    exit = 1


@dataclass
class _Told:
    """One event with the case it belongs to."""

    case: str
    child: str  # `candidates/2`; empty for the case itself
    event: Event


@dataclass
class Recorder:
    service: Siquan
    catalogue: Catalogue
    notes: list[str] = field(default_factory=list)

    def record(self, case_id: str, person: str, name: str = "") -> CaseSpec:
        """Raises NoAccess without a post over the case, NotReproduced when it does not come out the same."""
        with self.service.app.store.read() as tx:
            context = Context(self.service.app, tx, tx.cases.get(case_id))
            must_see(context, person)
            if not any(p.person == person for p in context.posts):
                raise NoAccess(why="你在这里没有岗位，不能把事项做成用例")
            if context.case.parent_id:
                raise NotReproduced(case=context.case.number or case_id, why="这是子事项，请从它所属的事项做起")
            number = context.case.number or case_id
            tries = [self._case(context, name, plain) for plain in (True, False)]
        wrong: list[str] = []
        for n, case in enumerate(tries):
            wrong = run_case(self.catalogue, case)
            if not wrong:
                if n:
                    self.notes.append("敏感的日期照原样写着：改了就不是同样的结果")
                return case
        raise NotReproduced(case=number, why="；".join([*wrong, *self.notes][:6]))

    def _case(self, context: Context, name: str, plain_dates: bool) -> CaseSpec:
        self.notes = []
        told = self._events(context)
        self.definitions = {context.case.id: context.definition}
        for child in self._children:
            self.definitions[child] = context.app.definition_of(context.tx, context.tx.cases.get(child))
        self.disguise = Disguise({w for d in self.definitions.values() for w in literals(d.rulesets)})
        self.plain_dates = plain_dates
        stated = {(t.case, t.event.seq): self._stated(context, t) for t in told}
        for t in told:
            schema = self.definitions[t.case].schema
            for path, value in stated[t.case, t.event.seq].items():
                self.disguise.see(schema, path, value)
        self.people = self._people(context, told)
        opened, steps = self._steps(context, told, stated)
        case = context.case
        accounts, left = ledger.around(
            context.tx, self.service, context.definition.spec.plugin, {t.case for t in told}, self._read_accounts(context), self.disguise.word
        )
        return CaseSpec(
            name=name or f"{context.definition.spec.title}：{context.state.title}", process=case.process,
            on=_day(told[0].event), given=opened, steps=tuple(steps), expect=case.state, because=self._because(context, told),
            accounts=accounts, expect_accounts=left,
        )  # fmt: skip

    def _events(self, context: Context) -> list[_Told]:
        tx = context.tx
        told = [_Told(context.case.id, "", e) for e in tx.events.of(context.case.id)]
        self._children: dict[str, str] = {}
        for name in context.definition.children:
            for n, child in enumerate(context.children(name), 1):
                self._children[child.id] = f"{name}/{n}"
                told += [_Told(child.id, f"{name}/{n}", e) for e in tx.events.of(child.id)]
        return sorted(told, key=lambda t: (t.event.at, t.child != "", t.event.seq))

    def _read_accounts(self, context: Context) -> list[tuple[str, str]]:
        """(kind, owner) of the balances that rules of the case itself read."""
        kinds = kinds_of(self.service.app.force.shipped(context.definition.spec.plugin).spec)
        owners = [(kinds[b.account], context.bare(b.of) if b.of else context.case.place) for b in context.definition.spec.balances if b.account in kinds]
        return [(kind.id, owner_of(context, kind.owner, value).ref) for kind, value in owners if isinstance(value, str) and value]

    # what was stated

    def _stated(self, context: Context, told: _Told) -> dict[str, Any]:
        """The facts and collections an event brought, without what the step wrote by itself."""
        tx, data, definition = context.tx, told.event.data, self.definitions[told.case]
        step = self._step_of(definition, data)
        own = set(step.set) if step is not None else set()
        out: dict[str, Any] = {}
        for fact in tx.facts.at_event(told.case, told.event.seq):
            if fact.path not in definition.schema or fact.path in own:
                continue
            if fact.erased_at is not None:
                self.notes.append(f"`{fact.path}` 已经删除，写不进用例")
                continue
            out[fact.path] = self._wire(definition.schema.specs[fact.path], fact.envelope(), _day(told.event))
        for name in data.get("collections") or {}:
            batch = next(b for b in tx.collections.batches(told.case, name) if b.seq == told.event.seq)
            rows = [dict(r.data or {}) for r in tx.collections.of_batch(told.case, name, told.event.seq)]
            if len(rows) < batch.rows:
                self.notes.append(f"台账“{definition.schema.title(name)}”有 {batch.rows - len(rows)} 行已经删除")
            out[name] = {"complete": batch.complete, "value": rows}
        return out

    def _wire(self, spec: FactSpec, envelope: Mapping[str, Any], day: dt.date) -> Any:
        """The bare value where its date is the day it was stated; sources and numbers of papers are left out."""
        value, as_of = envelope.get("value"), envelope.get("as_of")
        if isinstance(value, list) or spec.type == "list":
            return {"complete": bool(envelope.get("complete")), "value": value}
        value = typed(spec, value)
        dated = dt.date.fromisoformat(as_of) if isinstance(as_of, str) else as_of
        return {"value": value, "as_of": dated} if spec.max_age and dated and dated != day else value

    def _step_of(self, definition: Definition, data: Mapping[str, Any]) -> TransitionSpec | None:
        name = data.get("transition")
        return definition.machine.step(str(data["from"]), str(name)) if name else None

    # who

    def _people(self, context: Context, told: list[_Told]) -> dict[str, str]:
        """A person is called by his role, where he acted in one only and nobody else did; else by an invented name. Where it
        matters who holds which role, he is called by the one he holds."""
        if any(tasked(d.spec) for d in self.definitions.values()):
            return self._named(context, told)
        roles: dict[str, set[str]] = {}
        for t in told:
            if t.event.actor in ("", SYSTEM):
                continue
            spec = self.definitions[t.case].spec
            held = {p.role for p in context.posts if p.person == t.event.actor and p.role in spec.roles}
            step = self._step_of(self.definitions[t.case], t.event.data)
            wanted = set(step.by) & held if step is not None and step.by else held
            roles.setdefault(t.event.actor, set()).update(wanted or held or {""})
        out: dict[str, str] = {}
        for person, mine in roles.items():
            role = next(iter(mine)) if len(mine) == 1 else ""
            alone = role and all(role not in theirs for other, theirs in roles.items() if other != person)
            if alone and len({p.role for p in context.posts if p.person == person and p.role in context.definition.spec.roles}) == 1:
                out[person] = role
            else:
                out[person] = f"经办{_cyclic(len(out))}"
        for person in roles:
            found = context.tx.people.find(person)
            if found is not None:
                self.disguise.name(found.name)
        return out

    def _named(self, context: Context, told: list[_Told]) -> dict[str, str]:
        people: dict[str, None] = {}
        for t in told:
            if t.event.actor not in ("", SYSTEM):
                people[t.event.actor] = None
            people |= dict.fromkeys(concerned(t.event, context, self.definitions[t.case].spec))
        for person in people:
            found = context.tx.people.find(person)
            if found is not None:
                self.disguise.name(found.name)
        return called(list(people), lambda p: held(context, context.definition.spec, p), _cyclic)

    # the steps

    def _tasks(self, context: Context, told: list[_Told], n: int) -> tuple[list[dict[str, Any]], bool]:
        """What is to be done before an event is told, and the steps of a task event; whether that tells it."""
        t = told[n]
        spec, kind = self.definitions[t.case].spec, t.event.kind
        own = [o.event for o in told if o.case == t.case]
        at = own.index(t.event)
        end = decided(t.event, own[at + 1] if at + 1 < len(own) else None, spec)
        if at and decided(own[at - 1], t.event, spec) is not None:
            return [], True
        asked = [p for e in (t.event, end) if e is not None and e.data.get("tasks") for p in concerned(e, context, spec)]
        # who is asked for a signature is there by then
        steps: list[dict[str, Any]] = [{"by": by} for by in dict.fromkeys(self.people[p] for p in asked) if by not in self.met]
        self.met |= {s["by"] for s in steps}
        if kind == "task":
            step = step_of(t.event, own[:at], self.people)
            steps.append({**step, "expect": end.data["to"] if end is not None and end.data["to"] != t.event.data["to"] else ""})
            return [{**s, "child": t.child} for s in steps], True
        if kind == REASSIGNED and not t.event.data.get("facts"):
            more, told_all = handed_over(t.event, own[:at], self.people)
            return [{**s, "child": t.child} for s in (*steps, *more)], told_all
        return steps, False

    def _steps(self, context: Context, told: list[_Told], stated: dict[tuple[str, int], dict[str, Any]]) -> tuple[dict[str, Any], list[CaseStep]]:
        opened: dict[str, Any] = {}
        steps: list[CaseStep] = []
        today = _day(told[0].event)
        self.met: set[str] = set()
        for n, t in enumerate(told):
            event, data, definition = t.event, t.event.data, self.definitions[t.case]
            given = {p: self.disguise.of(definition.schema, p, v, plain_dates=self.plain_dates) for p, v in stated[t.case, event.seq].items()}
            given = {p: typed(definition.schema.specs[p], v) for p, v in given.items()}
            by = self.people.get(event.actor, "")
            day = _day(event)
            step: dict[str, Any] | None = None
            first, done = self._tasks(context, told, n)
            if not n:
                first = []  # nobody can be there before the case is
            if done:
                if first and day != today:
                    first[0]["on"], today = day, day
                steps += [CaseStep(**x) for x in first]
                self.met |= {x for s in first for x in (s["by"], s.get("to", ""), *s.get("others", ()))}
                continue
            steps += [CaseStep(**x) for x in first]
            if event.kind == "opened" and not t.child:
                early = self._early(definition)
                opened = {p: v for p, v in given.items() if early(p)}
                later = {p: v for p, v in given.items() if not early(p)}
                step = {"by": by, "given": later}
            elif event.kind == "opened":
                name = t.child.partition("/")[0]
                opener = self._opener(context, told, t, name)
                step = {"act": opener, "by": by, "given": given}
            elif event.kind == "acted" and event.actor == SYSTEM:
                step = {"child": t.child, "expect": data["to"]}  # the clock fires it when its day comes
            elif event.kind == "acted" and data.get("child"):
                step = None  # told by the child's opening
            elif event.kind == "acted":
                step = {
                    "act": data["transition"], "by": by, "child": t.child, "given": given, "expect": data["to"],
                    "opinion": "意见" if data.get("opinion") else "", "reason": data.get("reason", ""),
                }  # fmt: skip
            elif event.kind in VERBS:
                # the clock resumes by itself, and children go with their parent
                done = not data.get("with") and event.actor != SYSTEM
                to = data["to"] if event.kind == "returned" else ""
                words = {"opinion": "意见" if data.get("opinion") else "", "reason": data.get("reason", "")}
                step = {"act": VERBS[event.kind], "to": to, "by": by, "child": t.child, "expect": data["to"], **words} if done else None
            elif event.kind in TALK:
                step = None
            elif event.kind in ("supplied", "imported"):
                step = {"by": by, "child": t.child, "given": given} if given else None
            elif event.kind not in SILENT:
                self.notes.append(f"用例没有“{event.kind}”这样的步骤")
            if step is None:
                continue
            if day != today:
                step["on"], today = day, day
            self.met.add(by)
            steps.append(CaseStep(**step))
        return opened, steps

    def _early(self, definition: Definition) -> Any:
        """Which facts the runner states at the opening: those it asks, and those no step claims."""
        spec = definition.spec
        claimed = {f for s in spec.states for x in s.transitions for f in (*x.needs, *x.asks)}
        claimed |= {f for x in spec.anywhere for f in (*x.needs, *x.asks)}

        def early(path: str) -> bool:
            top = path.partition(".")[0]
            return path in spec.opening or top in spec.opening or not (path in claimed or top in claimed)

        return early

    def _opener(self, context: Context, told: list[_Told], child: _Told, name: str) -> str:
        """The step that opened a child: as the parent's event names it, else the one its state had."""
        for t in told:
            if t.event.kind == "acted" and t.event.data.get("child") == child.case:
                return str(t.event.data["transition"])
        state = context.definition.spec.initial.name
        for t in told:
            if t is child:
                break
            if not t.child and t.event.data.get("to"):
                state = t.event.data["to"]
        process = context.definition.children[name]
        return next((s.name for s in context.definition.machine.steps(state) if s.opens == process), name)

    def _because(self, context: Context, told: list[_Told]) -> tuple[str, ...] | None:
        """The rules that hit in the last decision that led somewhere."""
        last: tuple[str, ...] | None = None
        for t in told:
            step = self._step_of(self.definitions[t.case], t.event.data) if t.event.kind == "acted" else None
            if step is None or not (step.decide and step.branches) or t.event.actor == SYSTEM:
                continue
            references = t.event.data.get("decisions") or []
            row = context.tx.decisions.get(references[-1]["id"]) if references else None
            if row is not None and row.record:
                last = tuple(f["rule"] for f in row.record["findings"] if f["result"] == "hit")
        return last


def typed(spec: FactSpec, value: Any) -> Any:
    """A wire value as YAML has it: a date without quotes, a number as a number."""
    if isinstance(value, Mapping):
        if "value" in value and spec.type != "record":
            return {k: typed(spec, v) if k == "value" else v for k, v in value.items()}
        fields = {f.name: f for f in spec.fields}
        return {k: typed(fields[k], v) if k in fields else v for k, v in value.items()}
    if isinstance(value, list) and spec.fields:
        return [typed(spec.model_copy(update={"type": "record"}), v) for v in value]
    if spec.type == "date" and isinstance(value, str) and value != "none":
        return dt.date.fromisoformat(value)
    if spec.type in ("integer", "decimal") and isinstance(value, str) and value != "none":
        return Decimal(value)
    return value


def _day(event: Event) -> dt.date:
    return event.at.astimezone(ZONE).date()


def _cyclic(n: int) -> str:
    stems = "甲乙丙丁戊己庚辛壬癸"
    return stems[n] if n < len(stems) else f"{stems[n % 10]}{GIVEN[n // 10 - 1]}"
