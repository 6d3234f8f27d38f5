"""Taking steps of a case that is walked: filling in, asking somebody who may, opening and driving children."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from siquan.core.diagram import main_line
from siquan.core.engine.access import acting_roles
from siquan.core.engine.definition import Definition
from siquan.core.engine.machine import targets
from siquan.core.errors import NoAccess, SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.rules import tree as t
from siquan.core.rules.facts import to_wire
from siquan.core.rules.values import Rows
from siquan.core.service.acts import StepRefused
from siquan.core.service.context import Context
from siquan.core.service.record import decision_from
from siquan.core.spec.model import CaseStep, ProcessSpec, TransitionSpec
from siquan.core.testing.aim import Aim, All, leading, nodes, passing
from siquan.core.testing.coverage import Coverage, arrow, everything, rule_item
from siquan.core.testing.fill import Answer, Filler
from siquan.core.testing.live import Live
from siquan.core.testing.pool import Pool
from siquan.core.testing.record import typed
from siquan.core.testing.tasked import STAND_INS, ready, result_of, sign

#: children opened where a rule wants some
CHILDREN = 3
#: steps that only write facts, one after the other
SETTING = 6
#: steps a child is driven
DRIVE = 14


class Hands:
    """What a walk through one process and a story told again have in common. `out` says what was covered, and why not."""

    def __init__(self, catalogue: Catalogue, process: str, borrow: bool = True, day: dt.date | None = None) -> None:
        self.catalogue, self.definition = catalogue, catalogue.definition(process)
        self.spec: ProcessSpec = self.definition.spec
        self.book = catalogue.book_of(process)
        self.day = day or self.book.newest() or dt.date(2026, 1, 1)
        self.borrow = borrow
        self.pools: dict[str, Pool] = {}
        self.out = Coverage(process, self.spec.title, everything(self.definition, catalogue), borrowed=borrow)

    def pool(self, definition: Definition) -> Pool:
        found = self.pools.get(definition.spec.id)
        if found is None:
            found = self.pools[definition.spec.id] = Pool(definition, self.catalogue, self.borrow)
        return found

    def _opened(self, way: Mapping[str, Any]) -> Live | None:
        live = Live(self.catalogue, self.spec.id, self.day, self._wire(self.definition, way))
        try:
            live.open()
        except SiquanError as fault:
            self.out.why[("state", self.spec.initial.name)] = fault.full("zh")
            return None
        return live

    # one step

    def _try(self, live: Live, step: TransitionSpec, aims: list[Aim], goal: str = "", refused: str = "", by: str = "") -> bool:
        """Takes a step so that it comes to one of the aims; children are opened and driven where rules want that."""
        before = live.moment()
        item = arrow(before.state, step, goal)
        for help_ in ("", "prepare", "set", "children"):
            for aim in aims:
                live.back_to(before)
                if help_ == "prepare" and not self._prepare(live, step, aim):
                    continue
                if help_ == "set" and not self._set(live, step, aim):
                    continue
                if help_ == "children" and not self._children(live, step, aim):
                    continue
                answer = self._fill(live, step, aim)
                if answer.distance > 0 and not refused:
                    self.out.why.setdefault(item, self._wanting(answer))
                    continue
                if answer.distance > 0:
                    continue
                if self._take(live, step, answer, goal, refused, by):
                    return True
        live.back_to(before)
        return False

    def _prepare(self, live: Live, step: TransitionSpec, aim: Aim) -> bool:
        """Takes another step of the state first that leads nowhere else, where what it brings makes the aim possible."""
        state = live.row().state
        for other in self.definition.machine.steps(state):
            if other.name == step.name or other.opens or other.auto or other.branches or (other.to or state) != state:
                continue
            answer = self._fill(live, other, All((passing(self.definition, self.book, other), aim)), again=[*step.needs, *step.asks])
            if answer.distance > 0:
                continue
            names = {x.name for n in (*other.needs, *other.asks) if n in self.definition.schema for x in self.definition.schema.leaves(n)}
            answer.facts = {p: v for p, v in answer.facts.items() if p in names or p in (*other.needs, *other.asks)}
            answer.rows = {p: v for p, v in answer.rows.items() if p in names}
            if self._take(live, other, answer, state):
                return True
        return False

    def _set(self, live: Live, step: TransitionSpec, aim: Aim) -> bool:
        """Takes steps of the state that lead nowhere else and write, by `set:`, facts that the aim reads, as long as each
        brings the aim nearer; the step itself may be one of them."""
        read = {n.path for top in _nodes_of(self.definition, aim) for n in t.walk(top) if isinstance(n, t.Fact)}
        state = live.row().state
        writing = [
            other for other in self.definition.machine.steps(state)
            if read & set(other.set) and not (other.opens or other.auto or other.branches) and (other.to or state) == state
        ]  # fmt: skip
        far, moved = self._fill(live, step, aim).distance if writing else 0.0, False
        for _ in range(SETTING):
            nearer = False
            for other in writing if far > 0 else ():
                here = live.moment()
                answer = self._fill(live, other, passing(self.definition, self.book, other))
                if answer.distance == 0 and self._take(live, other, answer, state) and (now := self._fill(live, step, aim).distance) < far:
                    far, nearer, moved = now, True, True
                    break
                live.back_to(here)
            if not nearer:
                break
        return moved and far == 0

    def _fill(self, live: Live, step: TransitionSpec, aim: Aim, child: str = "", n: int = 0, again: Iterable[str] = (), fixed: Mapping[str, Any] | None = None) -> Answer:
        self._wait_for(live, step, child)
        id = live.row(child).id
        with live.service.app.store.read() as tx:
            context = Context(live.service.app, tx, tx.cases.get(id))
            if context.definition.spec.state(context.case.state) is None or not any(s.name == step.name for s in context.definition.machine.steps(context.case.state)):
                return Answer(distance=9, day=live.today)
            leaves = [x.name for p in again if p in context.definition.schema for x in context.definition.schema.leaves(p)]
            return Filler(context, step, self.pool(context.definition), n, leaves, fixed).find(aim)

    def _wait_for(self, live: Live, step: TransitionSpec, child: str = "") -> None:
        """Until the period a step waits for is over."""
        if step.not_before:
            ends = [d.end_date for d in live.deadlines(child) if d.name == step.not_before and d.status in ("open", "fired")]
            if ends and max(ends) >= live.today:
                live.take(CaseStep(on=max(ends) + dt.timedelta(1)))

    def _take(self, live: Live, step: TransitionSpec, answer: Answer, goal: str, refused: str = "", by: str = "", child: str = "") -> bool:
        definition = self.catalogue.definition(live.row(child).process)
        state = live.row(child).state
        here = live.moment()
        about = self.catalogue.definition(step.opens) if step.opens else definition
        given = {**self._wire(about, answer.facts), **{p: self._list(definition, p, v) for p, v in answer.rows.items()}}
        wrong = ""
        if result_of(definition.spec.state(state), step):
            return self._sign(live, definition, step, answer, goal, refused, by, child)
        for person in [by] if by else self._persons(definition, state, step):
            live.back_to(here)
            if (held := ready(live, definition, step, person, child)):
                wrong = wrong or held
                continue
            taken = CaseStep(
                act=step.name, by=person, child=child, given=given, refused=refused, on=answer.day if answer.day > live.today else None,
                opinion="意见" if step.opinion == "required" else "", reason=next(iter(step.reasons), ""),
            )  # fmt: skip
            wrong = live.take(taken)
            if not wrong:
                self._cover(live, definition, state, step, person, child)
                if refused or not goal or child or step.opens or live.row().state == goal:
                    return True
                wrong = f"走到了 {live.row().state}"
            if not self._other_person(live):
                break
        self.out.why[arrow(state, step, goal)] = wrong.splitlines()[0][:160]
        live.back_to(here)
        return False

    def _sign(self, live: Live, definition: Definition, step: TransitionSpec, answer: Answer, goal: str, refused: str, by: str, child: str) -> bool:
        """A step that signatures come to has no form; a day may be waited for."""
        state, here = live.row(child).state, live.moment()
        if answer.day > live.today:
            live.take(CaseStep(on=answer.day))
        wrong = sign(live, definition, step, child, refused, by)
        if not wrong:
            self._cover(live, definition, state, step, "", child)
            if refused or not goal or child or live.row().state == goal:
                return True
            wrong = f"走到了 {live.row().state}"
        self.out.why[arrow(state, step, goal)] = wrong.splitlines()[0][:160]
        live.back_to(here)
        return False

    @staticmethod
    def _other_person(live: Live) -> bool:
        """Whether somebody else might do what this person could not."""
        fault = live.fault
        return isinstance(fault, NoAccess) or (isinstance(fault, StepRefused) and any(b.kind == "person" for b in fault.blocks))

    def _persons(self, definition: Definition, state: str, step: TransitionSpec) -> list[str]:
        """Who is asked to act: the step's roles, those nobody acted in yet first, then people who hold every role."""
        roles = list(acting_roles(definition.spec, definition.spec.state(state), step))
        roles = [r for r in roles if r in definition.spec.roles]  # not: whoever started the case
        if not roles:
            return ["", *STAND_INS]
        roles.sort(key=lambda r: (("role", r) in self.out.covered, bool(definition.spec.roles[r].fact)))
        return [*roles, *STAND_INS]

    def _cover(self, live: Live, definition: Definition, state: str, step: TransitionSpec, person: str, child: str) -> None:
        if child or definition.spec.id != self.spec.id:
            return
        live.covered |= {("role", s.by) for s in live.steps if s.task and not s.child and not s.refused and s.by in self.spec.roles}
        if live.steps and not live.steps[-1].refused:
            to = live.row().state
            live.covered |= {arrow(state, step, to), ("state", to)}
        if person in self.spec.roles:
            live.covered.add(("role", person))
        decisions = [live.decision] if live.decision else []
        if isinstance(live.fault, StepRefused):
            decisions += live.fault.decisions
        else:
            decisions += self._recorded(live)
        for d in decisions:
            live.covered |= {rule_item(d.ruleset, f.rule) for f in d.findings if f.result == "hit"}

    def _recorded(self, live: Live) -> list[Any]:
        """The decisions of the step that was just taken."""
        with live.service.app.store.read() as tx:
            rows = [d for d in tx.decisions.of(live.id) if not d.refused]
            last = max((d.event_seq or 0 for d in rows), default=0)
            return [decision_from(d.record) for d in rows if (d.event_seq or 0) == last]

    # children

    def _children(self, live: Live, step: TransitionSpec, aim: Aim, wanted: str = "") -> bool:
        """Opens children and drives them to an end, where what is aimed at reads them (or `wanted` is their process);
        whether anything was done."""
        read = {n.path for top in _nodes_of(self.definition, aim) for n in t.walk(top) if isinstance(n, t.Fact)}
        read |= {x.matters for x in self.spec.tallies if any(p.startswith(f"{x.name}.") for p in read)}
        done = False
        for name, process in self.definition.children.items():
            if process != wanted and not any(p == name or p.startswith(f"{name}.") for p in read):
                continue
            opener = next((s for s in self.definition.machine.steps(live.row().state) if s.opens == process), None)
            definition = self.catalogue.definition(process)
            with live.service.app.store.read() as tx:
                here = len(tx.cases.children(live.id, name))
            while opener is not None and here < CHILDREN:
                given = {f: self.pool(definition).usual(f, live.today, here) for f in self._opening_leaves(definition)}
                if not self._take(live, opener, Answer(given, day=live.today), ""):
                    break
                here, done = here + 1, True
            for n in range(1, here + 1):
                done = self._drive(live, definition, f"{name}/{n}", n - 1) or done
        return done

    def _opening_leaves(self, definition: Definition) -> list[str]:
        schema = definition.schema
        return [x.name for o in definition.spec.opening if o in schema for x in schema.leaves(o) if not x.collection and (x.by or not x.derive)]

    def _drive(self, live: Live, definition: Definition, child: str, n: int) -> bool:
        """A child along its main line to an end."""
        line = main_line(definition.spec)
        moved = False
        for _ in range(DRIVE):
            state = definition.spec.state(live.row(child).state)
            if state is None or state.final:
                return moved
            steps = [s for s in state.transitions if not s.auto and not s.opens]
            steps.sort(key=lambda s: min((line.index(g) * -1 if g in line else 1 for g in targets(s, state.name)), default=1))
            for step in steps:
                aims: list[Aim] = [passing(definition, self.book, step)]
                if step.branches:
                    best = sorted(step.branches.items(), key=lambda kv: -line.index(kv[1]) if kv[1] in line else 1)
                    aims = [w for key, _ in best[:2] for w in leading(definition.rulesets[step.decide], self.book, key)[:3]]
                answer = next((a for aim in aims if (a := self._fill(live, step, aim, child, n)).distance == 0), None)
                if answer is not None and self._take(live, step, answer, "", child=child):
                    moved = True
                    break
            else:
                return moved
        return moved

    # words

    def _wire(self, definition: Definition, facts: Mapping[str, Any]) -> dict[str, Any]:
        return {p: typed(definition.schema.specs[p], to_wire(v)) for p, v in facts.items()}

    def _list(self, definition: Definition, path: str, rows: Rows) -> dict[str, Any]:
        return {"complete": rows.complete, "value": typed(definition.schema.specs[path], to_wire(rows))}

    def _wanting(self, answer: Answer) -> str:
        titles = "、".join(self.definition.schema.title(p) for p in answer.wanting[:5])
        return f"没有找到让规则成立的填法（看{titles}）" if titles else "没有找到让规则成立的填法"



def _nodes_of(definition: Definition, aim: Aim) -> list[t.Node]:
    """The nodes of an aim and of the derived facts behind them."""
    out = list(nodes(aim))
    seen: set[str] = set()
    for top in out:
        for part in t.walk(top):
            if isinstance(part, t.Fact) and part.path in definition.derived and part.path not in seen:
                seen.add(part.path)
                out.append(definition.derived[part.path])
    return out
