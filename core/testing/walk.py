"""Walks a process: paths that cover every state, transition, rule, role and deadline, each step taken through the real
service. What fills a form is searched for (`fill`), and whether it worked is what the service says."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from siquan.core.diagram import main_line
from siquan.core.engine.access import acting_roles
from siquan.core.engine.machine import targets
from siquan.core.errors import SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.rules import tree as t
from siquan.core.service.context import Context
from siquan.core.spec.model import CaseSpec, CaseStep, DueSpec, ProcessSpec, TransitionSpec
from siquan.core.spec.verbs import TASKS
from siquan.core.tasks.task import AGREE
from siquan.core.testing.aim import NOTHING, Aim, All, hitting, leading, passing
from siquan.core.testing.coverage import Coverage, arrow, due_item, rule_item
from siquan.core.testing.fill import Filler
from siquan.core.testing.hands import Hands
from siquan.core.testing.live import Item, Live, Moment
from siquan.core.testing.tasked import given_by
from siquan.core.testing.witness import decided

#: moments kept for one state
SPOTS = 3
#: further ways of opening that are tried
OPENINGS = 4


class Walker(Hands):
    def __init__(self, catalogue: Catalogue, process: str, borrow: bool = True, day: dt.date | None = None) -> None:
        super().__init__(catalogue, process, borrow, day)
        #: state -> moments from which its steps are tried, over all worlds
        self.spots: dict[str, list[tuple[Live, Moment]]] = {}
        self.kinds: dict[str, set[frozenset[str]]] = {}
        self.line = main_line(self.spec)
        self.paths: list[tuple[frozenset[Item], Live, Moment]] = []
        self.queue: deque[tuple[Live, Moment]] = deque()
        #: steps that found no answer where they were tried first
        self.later: deque[tuple[Live, Moment, TransitionSpec, str]] = deque()

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
            if due.then == "remind" or wanted <= self.out.covered:
                continue
            for _, aims in self._goals(self.definition.machine.step(state.name, due.then), state.name):
                for aim in aims:
                    other = self._otherwise(live, moment, self.definition.machine.step(state.name, due.then), aim, clock=True)
                    if other is not None and self._pass(other, state.name, due.name):
                        self._arrived(other)

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

    # another past

    def _again(self, live: Live, moment: Moment, step: TransitionSpec, aims: list[Aim], goal: str, refused: str = "") -> Live | None:
        """The same way with other answers in its earlier forms, so that this step comes to one of the aims."""
        for aim in aims:
            other = self._otherwise(live, moment, step, aim)
            if other is not None and self._try(other, step, [aim], goal, refused):
                return other
        return None

    def _otherwise(self, live: Live, moment: Moment, step: TransitionSpec, aim: Aim, clock: bool = False) -> Live | None:
        """A new world that came the same way with other answers, by which the aim can be reached. A step of the clock has no
        form of its own."""
        given = {p for s in moment.steps if not s.child for p in s.given} | {p for p in live.case.given if p != "parent"}
        schema, tallied = self.definition.schema, self.spec.worked_out
        leaves = {x.name for p in given if p in schema for x in schema.leaves(p)}
        free = {p for p, x in schema.specs.items() if x.type not in ("record", "list") and self._unclaimed(p) and (x.by or not x.derive)}
        again = sorted(p for p in leaves | given | free if p in schema and schema.specs[p].type != "record" and p.partition(".")[0] not in tallied)
        live.back_to(moment)
        id = live.row().id
        if not clock:
            self._wait_for(live, step)
        bare = step.model_copy(update={"needs": (), "asks": ()}) if clock else step
        with live.service.app.store.read() as tx:
            answer = Filler(Context(live.service.app, tx, tx.cases.get(id)), bare, self.pool(self.definition), 0, again).find(aim)
        if answer.distance > 0:
            return None
        told = {**self._wire(self.definition, answer.facts), **{p: self._list(self.definition, p, v) for p, v in answer.rows.items()}}
        return self._replayed(live.case, moment, told)

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
                found = self.spec.state(state)
                given = (*(found.task.dispatcher if found.task else ()), *(found.sign.manage if found.sign else ())) if found is not None else ()
                for live, moment in spots if role in given else ():
                    live.back_to(moment)
                    if ("role", role) not in self.out.covered and not (wrong := given_by(live, self.definition, role)):
                        live.covered.add(("role", role))
                        self._arrived(live)
                    elif ("role", role) not in self.out.covered:
                        self.out.why[("role", role)] = wrong.splitlines()[0][:160]

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


def _last(spec: ProcessSpec, steps: tuple[CaseStep, ...]) -> str:
    titles = {x.name: x.title for s in spec.states for x in s.transitions} | {x.name: x.title for x in spec.anywhere}
    n, last = next(((n, s) for n, s in reversed(list(enumerate(steps))) if s.act or s.on or s.task), (0, None))
    if last is None:
        return "开办"
    act = last.act
    if last.task:
        here = next((s.expect for s in reversed(steps[:n]) if s.expect and not s.child), spec.initial.name)
        state = spec.state(here)
        if last.expect and state is not None and state.sign is not None:
            act = state.sign.agree if last.result == AGREE else state.sign.refuse
        else:
            return TASKS[last.task][0] + ("被拦下" if last.refused else "")
    return titles.get(act, act) + ("被拦下" if last.refused else "") if act else "到期"
