"""Walks a process: paths that cover every state, transition, rule, role and deadline, each step taken through the real
service. What fills a form is searched for (`fill`), and whether it worked is what the service says."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
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
from siquan.core.spec.model import CaseSpec, CaseStep, DueSpec, ProcessSpec, TransitionSpec
from siquan.core.testing.aim import NOTHING, Aim, All, hitting, leading, nodes, passing
from siquan.core.testing.coverage import Coverage, arrow, due_item, everything, rule_item
from siquan.core.testing.fill import Answer, Filler
from siquan.core.testing.live import Item, Live, Moment
from siquan.core.testing.pool import Pool
from siquan.core.testing.record import typed
from siquan.core.testing.witness import decided

#: moments kept for one state
SPOTS = 3
#: children opened where a rule wants some
CHILDREN = 3
#: steps a child is driven
DRIVE = 14
STAND_INS = ("经办甲", "经办乙", "经办丙")
#: further ways of opening that are tried
OPENINGS = 4


class Walker:
    def __init__(self, catalogue: Catalogue, process: str, borrow: bool = True, day: dt.date | None = None) -> None:
        self.catalogue, self.definition = catalogue, catalogue.definition(process)
        self.spec: ProcessSpec = self.definition.spec
        self.book = catalogue.book_of(process)
        self.day = day or self.book.newest() or dt.date(2026, 1, 1)
        self.borrow = borrow
        self.pools: dict[str, Pool] = {}
        self.out = Coverage(process, self.spec.title, everything(self.definition, catalogue), borrowed=borrow)
        #: state -> moments from which its steps are tried, over all worlds
        self.spots: dict[str, list[tuple[Live, Moment]]] = {}
        self.kinds: dict[str, set[frozenset[str]]] = {}
        self.line = main_line(self.spec)
        self.paths: list[tuple[frozenset[Item], Live, Moment]] = []
        self.queue: deque[tuple[Live, Moment]] = deque()
        #: steps that found no answer where they were tried first
        self.later: deque[tuple[Live, Moment, TransitionSpec, str]] = deque()

    def pool(self, definition: Definition) -> Pool:
        found = self.pools.get(definition.spec.id)
        if found is None:
            found = self.pools[definition.spec.id] = Pool(definition, self.catalogue, self.borrow)
        return found

    # the walk

    def run(self) -> Coverage:
        for live in self._openings():
            self._arrived(live)
        while self.queue or self.later:
            while self.queue:
                self._spread(*self.queue.popleft())
            if not self.later:
                break
            live, moment, step, goal = self.later.popleft()
            if arrow(moment.state, step, goal) not in self.out.covered:
                other = self._again(live, moment, step, dict(self._goals(step, moment.state))[goal], goal)
                if other is not None:
                    self._arrived(other)
        self._rules()
        self._roles()
        self._by_deciding()
        self._keep()
        return self.out

    def _openings(self) -> Iterator[Live]:
        """A case opened in each of a few ways: each value of a choice that is asked at the opening."""
        pool, schema = self.pool(self.definition), self.definition.schema
        leaves = [x for name in self.spec.opening if name in schema for x in schema.leaves(name) if not x.collection and (x.by or not x.derive)]
        usual = {x.name: pool.usual(x.name, self.day) for x in leaves}
        ways: list[dict[str, Any]] = [usual]
        for leaf in leaves:
            for value in pool.candidates(leaf.name, self.day) if leaf.type in ("enum", "boolean") else ():
                if value != usual[leaf.name] and len(ways) <= OPENINGS:
                    ways.append({**usual, leaf.name: value})
        for way in ways:
            live = self._opened(way)
            if live is not None:
                yield live

    def _opened(self, way: Mapping[str, Any]) -> Live | None:
        live = Live(self.catalogue, self.spec.id, self.day, self._wire(self.definition, way))
        try:
            live.open()
        except SiquanError as fault:
            self.out.why[("state", self.spec.initial.name)] = fault.full("zh")
            return None
        return live

    def _arrived(self, live: Live) -> None:
        """Where a live case stands now: covered, and a spot to go on from while there are few."""
        live.covered.add(("state", live.row().state))
        moment = live.moment()
        fresh = moment.covered - self.out.covered
        self.out.covered |= moment.covered
        if fresh:
            self.paths.append((moment.covered, live, moment))
        spots, kinds = self.spots.setdefault(moment.state, []), self.kinds.setdefault(moment.state, set())
        kind = self._kind(live)
        if kind not in kinds or (fresh and len(spots) < SPOTS):
            kinds.add(kind)
            # what brings more along is tried first by those who come back here
            spots.insert(0, (live, moment))
            self.queue.append((live, moment))

    def _kind(self, live: Live) -> frozenset[str]:
        """What a case has brought along that no form can make up for later: collections, and children with where they stand."""
        with live.service.app.store.read() as tx:
            lists = {f"{n}[]" for n, b in tx.collections.last(live.id).items() if b.rows}
            children = {f"{c.parent_name}:{c.state}" for name in self.definition.children for c in tx.cases.children(live.id, name)}
        return frozenset(lists | children)

    def _spread(self, live: Live, moment: Moment) -> None:
        state = self.spec.state(moment.state)
        assert state is not None
        live.back_to(moment)
        kind = self._kind(live)
        for step in self.definition.machine.steps(state.name):
            if step.auto:
                continue
            for goal, aims in self._goals(step, state.name):
                forward = goal in self.line and state.name in self.line and self.line.index(goal) > self.line.index(state.name)
                if arrow(state.name, step, goal) in self.out.covered and (not forward or kind in self.kinds.get(goal, ())):
                    continue
                live.back_to(moment)
                if self._try(live, step, aims, goal):
                    self._arrived(live)
                    if step.opens and self._children(live, step, NOTHING, step.opens):
                        self._arrived(live)
                else:
                    self.later.append((live, moment, step, goal))
        for due in state.dues if not state.final else ():
            wanted = {due_item(state.name, due.name)}
            if due.then != "remind":
                step_ = self.definition.machine.step(state.name, due.then)
                wanted |= {arrow(state.name, step_, g) for g in targets(step_, state.name)}
            if wanted <= self.out.covered:
                continue
            live.back_to(moment)
            if self._pass(live, state.name, due.name):
                self._arrived(live)

    def _goals(self, step: TransitionSpec, state: str) -> list[tuple[str, list[Aim]]]:
        """(target, ways to aim at it)."""
        check = passing(self.definition, self.book, step)
        if step.opens or not step.branches:
            return [(step.to or state, [check])]
        out: dict[str, list[Aim]] = {}
        for key, to in step.branches.items():
            ways = leading(self.definition.rulesets[step.decide], self.book, key)
            out.setdefault(to or state, []).extend(All((check, way)) for way in ways[:12])
        return list(out.items())

    # one step

    def _try(self, live: Live, step: TransitionSpec, aims: list[Aim], goal: str = "", refused: str = "", by: str = "") -> bool:
        """Takes a step so that it comes to one of the aims; children are opened and driven where rules want that."""
        before = live.moment()
        item = arrow(before.state, step, goal)
        for help_ in ("", "prepare", "children"):
            for aim in aims:
                live.back_to(before)
                if help_ == "prepare" and not self._prepare(live, step, aim):
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
        for person in [by] if by else self._persons(definition, state, step):
            live.back_to(here)
            taken = CaseStep(
                act=step.name, by=person, child=child, given=given, refused=refused, on=answer.day if answer.day > live.today else None,
                opinion="" if step.opinion == "none" else "意见", reason=next(iter(step.reasons), ""),
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

    @staticmethod
    def _other_person(live: Live) -> bool:
        """Whether somebody else might do what this person could not."""
        fault = live.fault
        return isinstance(fault, NoAccess) or (isinstance(fault, StepRefused) and any(b.kind == "person" for b in fault.blocks))

    def _persons(self, definition: Definition, state: str, step: TransitionSpec) -> list[str]:
        """Who is asked to act: the step's roles, those nobody acted in yet first, then people who hold every role."""
        roles = list(acting_roles(definition.spec, definition.spec.state(state), step))
        if not roles:
            return ["", *STAND_INS]
        roles.sort(key=lambda r: (("role", r) in self.out.covered, bool(definition.spec.roles[r].fact)))
        return [*roles, *STAND_INS]

    def _cover(self, live: Live, definition: Definition, state: str, step: TransitionSpec, person: str, child: str) -> None:
        if child or definition.spec.id != self.spec.id:
            return
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

    # another past

    def _again(self, live: Live, moment: Moment, step: TransitionSpec, aims: list[Aim], goal: str, refused: str = "") -> Live | None:
        """The same way with other answers in its earlier forms, so that this step comes to one of the aims."""
        given = {p for s in moment.steps if not s.child for p in s.given} | {p for p in live.case.given if p != "parent"}
        leaves = {x.name for p in given if p in self.definition.schema for x in self.definition.schema.leaves(p)}
        claimed = {f for s in self.spec.states for x in s.transitions for f in (*x.needs, *x.asks)}
        free = {p for p, x in self.definition.schema.specs.items() if x.type not in ("record", "list") and p.partition(".")[0] not in claimed and (x.by or not x.derive)}
        free = {p for p in free if p.partition(".")[0] not in {x.name for x in self.spec.tallies}}
        again = sorted(p for p in leaves | given | free if p in self.definition.schema and self.definition.schema.specs[p].type != "record")
        for aim in aims:
            live.back_to(moment)
            id = live.row().id
            self._wait_for(live, step)
            with live.service.app.store.read() as tx:
                context = Context(live.service.app, tx, tx.cases.get(id))
                answer = Filler(context, step, self.pool(self.definition), 0, again).find(aim)
            if answer.distance > 0:
                continue
            told = {**self._wire(self.definition, answer.facts), **{p: self._list(self.definition, p, v) for p, v in answer.rows.items()}}
            other = self._replayed(live.case, moment, told)
            if other is not None and self._try(other, step, [aim], goal, refused):
                return other
        return None

    def _replayed(self, case: CaseSpec, moment: Moment, told: Mapping[str, Any]) -> Live | None:
        """A new world in which the same steps were taken with other answers; None where that leads elsewhere."""
        spread = {p for s in moment.steps for p in s.given}
        opening = {p: told.get(p, v) for p, v in case.given.items()} | {p: v for p, v in told.items() if p not in spread and self._unclaimed(p)}
        live = Live(self.catalogue, self.spec.id, self.day, opening)
        try:
            live.open()
        except SiquanError:
            return None
        for step in moment.steps:
            changed = {p: told.get(p, v) for p, v in step.given.items()} if not step.child else step.given
            before = live.row().state
            if live.take(step.model_copy(update={"given": changed, "expect": ""})):
                return None
            found = next((x for x in self.definition.machine.steps(before) if x.name == step.act), None)
            if found is not None:
                self._cover(live, self.definition, before, found, step.by, step.child)
        return live if live.row().state == moment.state else None

    def _unclaimed(self, path: str) -> bool:
        top = path.partition(".")[0]
        claimed = {f for s in self.spec.states for x in s.transitions for f in (*x.needs, *x.asks)} | {f for x in self.spec.anywhere for f in (*x.needs, *x.asks)}
        return top in self.spec.opening or path in self.spec.opening or not (path in claimed or top in claimed)

    # deadlines

    def _pass(self, live: Live, state: str, name: str) -> bool:
        rows = [d for d in live.deadlines() if d.name == name]
        item = due_item(state, name)
        due = next(d for s in self.spec.states if s.name == state for d in s.dues if d.name == name)
        if not rows and self._begin(live, state, due):
            rows = [d for d in live.deadlines() if d.name == name]
        if not rows:
            self.out.why.setdefault(item, "起算的事实还没有，算不出日期")
            return False
        row, before = max(rows, key=lambda d: d.created_at), live.row().revision
        if row.status == "open":
            live.take(CaseStep(on=max(row.end_date, live.today) + dt.timedelta(1)))
        with live.service.app.store.read() as tx:
            now = next((d for d in tx.deadlines.of(live.id) if d.id == row.id), row)
        if now.fired_at is None:
            self.out.why[item] = f"到期没有动作（{now.status}）"
            return False
        live.covered.add(item)
        if due.then != "remind":
            step, to = self.definition.machine.step(state, due.then), live.row().state
            if live.fired(before, step.name):
                live.covered |= {arrow(state, step, to), ("state", to)}
            else:
                self.out.why[arrow(state, step, step.to or state)] = "到期自动办时被拦下"
        return True

    def _begin(self, live: Live, state: str, due: DueSpec) -> bool:
        """Supplies what a deadline counts from, where a step of its state asks for it and leads nowhere else."""
        texts = [x for x in (due.start, due.before) if x]
        wanted = {n.path for x in texts for n in t.walk(self.definition.node(x, due.prefix)) if isinstance(n, t.Fact)}
        for step in self.definition.machine.steps(state):
            mine = wanted & {*step.needs, *step.asks}
            if not mine or step.opens or (step.to or state) != state:
                continue
            answer = self._fill(live, step, passing(self.definition, self.book, step))
            for path in mine:
                answer.facts.setdefault(path, self.pool(self.definition).usual(path, live.today))
            if answer.distance == 0 and self._take(live, step, answer, state):
                return True
        return False

    # what is left

    def _rules(self) -> None:
        for state, spots in list(self.spots.items()):
            for step in self.definition.machine.steps(state):
                for id in dict.fromkeys((*step.check, *([step.decide] if step.decide else []))):
                    for rule in self.definition.rulesets[id].rules:
                        for live, moment in spots[:2]:
                            if rule_item(id, rule.spec.id) in self.out.covered:
                                break
                            live.back_to(moment)
                            self._hit(live, step, id, hitting(rule), rule.spec.id)

    def _hit(self, live: Live, step: TransitionSpec, ruleset: str, aim: Aim, rule: str) -> None:
        """A rule is hit by a step that is taken, else by one it refuses."""
        moment = live.moment()
        both = All((passing(self.definition, self.book, step), aim))
        if self._try(live, step, [both]) or self._try(live, step, [aim], refused=rule):
            self._arrived(live)
            return
        other = self._again(live, moment, step, [both], "") or self._again(live, moment, step, [aim], "", rule)
        if other is not None:
            self._arrived(other)

    def _roles(self) -> None:
        for role in self.spec.roles:
            if ("role", role) in self.out.covered:
                continue
            for state, spots in list(self.spots.items()):
                for step in self.definition.machine.steps(state):
                    if role not in acting_roles(self.spec, self.spec.state(state), step) or step.auto:
                        continue
                    for live, moment in spots:
                        live.back_to(moment)
                        goal, aims = self._goals(step, state)[0]
                        if ("role", role) not in self.out.covered and self._try(live, step, aims, "", by=role):
                            self._arrived(live)

    def _by_deciding(self) -> None:
        """Rules no path could bring about are asked alone, with facts the solver finds."""
        for ruleset in [r for r in self.catalogue.rulesets.values() if r.spec.process == self.spec.id]:
            for rule in ruleset.rules:
                item = rule_item(ruleset.id, rule.spec.id)
                if item not in self.out.covered:
                    case = decided(self.catalogue, ruleset, rule, self.day)
                    if isinstance(case, CaseSpec):
                        self.out.covered.add(item)
                        self.out.cases.append(case)
                    else:
                        self.out.why[item] = case.splitlines()[0][:160]

    def _keep(self) -> None:
        """The fewest paths, longest first, that cover what all of them cover; each as a test case."""
        have: set[Item] = set()
        for covered, live, moment in sorted(self.paths, key=lambda p: (-len(p[0]), len(p[2].steps))):
            fresh = covered - have
            if not fresh:
                continue
            have |= covered
            live.back_to(moment)
            steps = moment.steps
            name = f"走查 {len(self.out.cases) + 1}：{_last(self.spec, steps)}"
            self.out.cases.append(live.case.model_copy(update={"name": name, "steps": tuple(steps), "expect": moment.state}))

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


def _last(spec: ProcessSpec, steps: tuple[CaseStep, ...]) -> str:
    titles = {x.name: x.title for s in spec.states for x in s.transitions} | {x.name: x.title for x in spec.anywhere}
    last = next((s for s in reversed(steps) if s.act or s.on), None)
    if last is None:
        return "开办"
    return titles.get(last.act, last.act) + ("被拦下" if last.refused else "") if last.act else "到期"
