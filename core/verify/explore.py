"""Where a case can get: states times what its facts may be there, as forms, the clock and the rules let it.

Every step is tried with every elementary value its form can give to a fact that a later guard reads again without asking
for it; all other facts are only known, unknown or perhaps known. So whatever a real case can do stands in the picture,
and what is missing from the picture cannot be done by the forms alone. Facts somebody supplies outside any step are left
out: a process should not need them. An exploration that grew too large is `cut` and proves nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from math import prod
from typing import Any
from weakref import WeakKeyDictionary

from siquan.core.engine.access import acting_roles, nobody_policy
from siquan.core.engine.definition import Definition
from siquan.core.engine.machine import Machine
from siquan.core.plugins import Catalogue
from siquan.core.rules import tree as t
from siquan.core.rules.decide import Rule, RuleSet, cap
from siquan.core.rules.decision import RANK, branch_key
from siquan.core.spec.model import DueSpec, StateSpec, TransitionSpec
from siquan.core.verify.abstract import FALSE, MAYBE, NO, TRUE, YES, Abstract, Facts, Known, Look
from siquan.core.verify.exploration import Bar, Exploration, Explored, Move, Node
from siquan.core.verify.possible import BINDING, bases_of, outcomes_of
from siquan.core.verify.supply import Supply, transitions

#: nodes an exploration may have
MOST = 12_000
#: ways to fill in one form that are tried; beyond, its values are not told apart
FORMS = 96

_KEPT: WeakKeyDictionary[Machine, Explored] = WeakKeyDictionary()


def explored(definition: Definition, catalogue: Catalogue) -> Explored:
    """The exploration of a process; several checks read the same one. All facts together where that is few enough, else
    every group of facts that stand in one rule by itself, the others being perhaps anything."""
    found = _KEPT.get(definition.machine)
    if found is None:
        explorer = _Explorer(definition, catalogue)
        whole = explorer.run(explorer.sticky)
        found = Explored([whole], True)
        if whole.cut:
            found = Explored([explorer.run(group) for group in explorer.groups()], False)
        _KEPT[definition.machine] = found
    return found


def dues_of(definition: Definition, state: StateSpec, step: str) -> list[DueSpec]:
    """The deadlines of a state that fire a step."""
    return [d for d in state.dues if d.then == step]


class _Explorer:
    def __init__(self, definition: Definition, catalogue: Catalogue) -> None:
        self.definition, self.catalogue, self.spec = definition, catalogue, definition.spec
        self.facts = Facts(definition, catalogue, list(self._nodes()))
        self.supply = Supply(definition, catalogue)
        self.offered = {id(s): self._offered(s) for s in transitions(definition)}
        self._sets = {p for s in transitions(definition) for p in s.set}
        self.sticky = self._sticky()
        self._splittable = {p for p in self.sticky if self._splits(p)}
        self._book = catalogue.book_of(definition.spec.id)
        self._exact: dict[str, list[tuple[dict[str, Any], str, str]] | None] = {}

    # what is followed

    def _nodes(self) -> Iterator[t.Node]:
        for ruleset in self.definition.rulesets.values():
            for rule in ruleset.rules:
                yield rule.condition
                if rule.outcome is not None:
                    yield rule.outcome

    def _offered(self, step: TransitionSpec) -> set[str]:
        out: set[str] = set()
        for name in (*step.needs, *step.asks):
            out |= {f.name for f in self.definition.schema.leaves(name)} | {name} if name in self.definition.schema else {name}
        return out

    def _guards(self, step: TransitionSpec) -> set[str]:
        """The facts a step's rules read."""
        out: set[str] = set()
        for id in (*step.check, step.decide):
            ruleset = self.definition.rulesets.get(id)
            for rule in ruleset.rules if ruleset else ():
                out |= set(self.facts.reads(rule.condition))
                if rule.outcome is not None:
                    out |= set(self.facts.reads(rule.outcome))
        return out

    def _sticky(self) -> list[str]:
        """Facts read where they are not asked for: by a later step's rules, a deadline, `set:` or a role."""
        read: set[str] = set()
        for step in transitions(self.definition):
            read |= self._guards(step) - self.offered[id(step)]
            for text in step.set.values():
                read |= set(self.facts.reads(self.definition.node(text, step.prefix))) - self.offered[id(step)]
        for state in self.spec.states:
            for due in state.dues:
                read |= set(self._timed(due))
            # a step the clock fires has no form
            for step in self.definition.machine.steps(state.name):
                if any(d.then == step.name for d in state.dues):
                    read |= self._guards(step) | set(step.needs)
        read |= {r.fact for r in self.spec.roles.values() if r.fact}
        tallied = self.spec.worked_out
        out = []
        for path, spec in self.definition.schema.specs.items():
            if path in read and spec.type not in ("record", "list") and path.partition(".")[0] not in tallied:
                # a fact nothing ever supplies is V005, and nothing more is said of it
                if path not in self.definition.derived and self.supply.gives(path):
                    out.append(path)
        return out

    def _timed(self, due: DueSpec) -> tuple[str, ...]:
        """The facts a deadline's date is worked out from."""
        texts = [x for x in (due.start, due.before, "" if due.n.isdigit() else due.n) if x]
        return tuple(p for x in texts for p in self.facts.reads(self.definition.node(x, due.prefix)))

    def _splits(self, path: str) -> bool:
        if not self.facts.domain(path):
            return False
        for step in transitions(self.definition):
            text = step.set.get(path)
            if text is None:
                continue
            own = self.facts.reads(self.definition.node(text, step.prefix))
            # `n + 1` is followed number by number only where nobody fills in n
            if own and (set(own) != {path} or any(path in offered for offered in self.offered.values()) or path in self.spec.opening):
                return False
        return True

    def _values(self, path: str) -> tuple[Abstract, ...]:
        return self.facts.domain(path) if path in self.split else (YES,)

    # exploring

    def groups(self) -> list[list[str]]:
        """Facts that stand in one rule or deadline together; each fact in its groups, and alone where it has none."""
        found: dict[tuple[str, ...], None] = {}
        for ruleset in self.definition.rulesets.values():
            for rule in ruleset.rules:
                found[tuple(sorted(set(self.facts.reads(rule.condition)) & set(self.sticky)))] = None
        for state in self.spec.states:
            for due in state.dues:
                found[tuple(sorted(set(self._timed(due)) & set(self.sticky)))] = None
        found |= {(p,): None for p in self.sticky}
        return [[], *(list(g) for g in found if g and not any(set(g) < set(o) for o in found))]

    def run(self, tracked: list[str]) -> Exploration:
        #: facts whose elementary values are remembered from step to step
        self.split = [p for p in tracked if p in self._splittable]
        self.out = Exploration(self.definition, tuple(tracked), opening=frozenset(p for p in tracked if self._opened(p)))
        self._at = {p: n for n, p in enumerate(tracked)}
        queue: deque[Node] = deque()
        for facts in self._openings():
            node = Node(self.spec.initial.name, facts)
            if node not in self.out.before:
                self.out.before[node] = None
                queue.append(node)
        while queue:
            node = queue.popleft()
            if len(self.out.before) > MOST:
                self.out.cut = True
                break
            self.out.arrows[node] = []
            for move, goal in self._leave(node):
                self.out.arrows[node].append((move, goal))
                if goal not in self.out.before:
                    self.out.before[goal] = (node, move)
                    queue.append(goal)
        return self.out

    def _openings(self) -> Iterator[tuple[Abstract, ...]]:
        """What may be known when a case begins: what its opening asks, and what a sheet brings of a child."""
        choices: list[tuple[Abstract, ...]] = []
        for path in self.out.tracked:
            if not self._opened(path):
                choices.append((NO,))
            else:
                choices.append((NO, *self.facts.domain(path)) if path in self.split else (MAYBE,))
        if prod(len(c) for c in choices) > FORMS * 4:
            choices = [c if len(c) == 1 else (MAYBE,) for c in choices]
        yield from product(*choices)

    def _opened(self, path: str) -> bool:
        return any(path == o or path.startswith(f"{o}.") for o in self.spec.opening) or path in self.supply.columns

    def _leave(self, node: Node) -> Iterator[tuple[Move, Node]]:
        state = self.spec.state(node.state)
        assert state is not None
        for step in self.definition.machine.steps(node.state):
            if step.opens:
                # a child is opened, the case stays
                if self._persons(node, state, step):
                    yield Move(step), self._after(node, step, step.to or node.state, {})
                continue
            bars: list[Bar] = []
            found = False
            if not step.auto:
                for arrow in self._by_hand(node, state, step, bars):
                    found = True
                    yield arrow
            for due in dues_of(self.definition, state, step.name):
                for arrow in self._by_clock(node, step, due, bars):
                    found = True
                    yield arrow
            if not found:
                self.out.bars[node, step.name] = list(dict.fromkeys(bars))

    def _persons(self, node: Node, state: StateSpec, step: TransitionSpec) -> bool:
        """False where every role is a person in a fact that is not known yet; where each signature counts, any of them."""
        roles, sign = acting_roles(self.spec, state, step), state.sign
        held = [self._held(node, state, name) for name in roles]
        if sign is not None and step.name == sign.agree and sign.mode in ("all", "order"):
            return all(held)
        sent = state.task.dispatcher if state.task is not None and step in state.transitions else ()
        return (any(held) or not roles) and (not sent or any(self._held(node, state, name) for name in sent))

    def _held(self, node: Node, state: StateSpec, name: str) -> bool:
        """Whether somebody may have the role there."""
        role = self.spec.roles.get(name)  # none: whoever started the case
        if role is None or not role.fact or self._known(node, role.fact) is not NO:
            return True
        other = nobody_policy(self.spec, state, name)
        return other in self.spec.roles and not self.spec.roles[other].fact

    def _known(self, node: Node, path: str) -> Abstract:
        n = self._at.get(path)
        return MAYBE if n is None else node.facts[n]

    def _by_hand(self, node: Node, state: StateSpec, step: TransitionSpec, bars: list[Bar]) -> Iterator[tuple[Move, Node]]:
        if not self._persons(node, state, step):
            asked = (*acting_roles(self.spec, state, step), *(state.task.dispatcher if state.task is not None else ()))
            bars.append(Bar("nobody", facts=tuple(dict.fromkeys(f for r in asked if r in self.spec.roles and (f := self.spec.roles[r].fact)))))
            return
        if step.not_before:
            due = next((d for d in state.dues if d.name == step.not_before), None)
            missing = tuple(p for p in self._timed(due) if self._known(node, p) is NO) if due else ()
            if missing:
                bars.append(Bar("time", step.not_before, missing))
                return
        for given in self._fill(node, step):
            yield from self._take(node, step, given, False, bars)

    def _by_clock(self, node: Node, step: TransitionSpec, due: DueSpec, bars: list[Bar]) -> Iterator[tuple[Move, Node]]:
        missing = tuple(p for p in self._timed(due) if self._known(node, p) is NO)
        if missing:
            bars.append(Bar("time", due.name, missing))
            return
        lacking = tuple(p for p in step.needs if self._known(node, p) is NO)
        if lacking:
            bars.append(Bar("needs", facts=lacking))
            return
        yield from self._take(node, step, {}, True, bars)

    def _fill(self, node: Node, step: TransitionSpec) -> Iterator[dict[str, Abstract]]:
        """The ways to fill in a step's form, as far as they matter later."""
        needed = {f.name for n in step.needs if n in self.definition.schema for f in self.definition.schema.leaves(n)}
        names, choices = [], []
        for path in self.split:
            if path not in self.offered[id(step)]:
                continue
            here = self._known(node, path)
            own = [v for v in self.facts.domain(path) if v != here]
            names.append(path)
            choices.append([*([here] if here is not NO or path not in needed else []), *own])
        if prod(len(c) for c in choices) > FORMS:
            choices = [[YES if p in needed else MAYBE] for p in names]
        for choice in product(*choices):
            yield dict(zip(names, choice, strict=True))

    def _take(self, node: Node, step: TransitionSpec, given: dict[str, Abstract], clock: bool, bars: list[Bar]) -> Iterator[tuple[Move, Node]]:
        look = self._look(node, step, given, clock)
        plain = [*step.check, *([step.decide] if step.decide and not step.branches else [])]
        stops = [bar for id in plain for bar in self._stops(id, look)]
        if stops:
            bars += stops
            return
        told = tuple((p, v) for p, v in given.items() if not isinstance(v, Known) and v != self._known(node, p))
        move = Move(step, clock, told)
        if not (step.decide and step.branches):
            goal = step.to or node.state
            yield move, self._after(node, step, goal, given, look)
            return
        led = False
        for value, outcome in self._results(step.decide, look):
            key = next((k for k in (value, outcome) if k in step.branches), None)
            if key is not None:
                led = True
                yield replace(move, key=key), self._after(node, step, step.branches[key] or node.state, given, look)
        if not led:
            stops = self._stops(step.decide, look)
            bars += stops or [Bar("way", step.decide)]

    def _look(self, node: Node, step: TransitionSpec, given: dict[str, Abstract], clock: bool) -> Look:
        offered = set() if clock else self.offered[id(step)]
        needed = set() if clock else set(step.needs)

        def look(path: str) -> Abstract:
            if path in given:
                return given[path]
            here = self._known(node, path)
            if path in offered and here in (NO, MAYBE):
                return YES if path in needed else MAYBE
            return here

        return look

    def _after(self, node: Node, step: TransitionSpec, goal: str, given: dict[str, Abstract], look: Look | None = None) -> Node:
        facts = list(node.facts)
        for path, n in self._at.items():
            if path in given:
                facts[n] = given[path]
            elif look is not None:
                facts[n] = look(path)
        for path, text in step.set.items():
            if path in self._at:
                if text.strip() == "null":
                    facts[self._at[path]] = NO
                elif path in self.split:
                    facts[self._at[path]] = self.facts.nearest(path, self.facts.value(text, step.prefix, look or (lambda p: self._known(node, p))))
                else:
                    facts[self._at[path]] = YES
        return Node(goal, tuple(facts))

    # rules

    def _rule(self, ruleset: RuleSet, rule: Rule, look: Look) -> tuple[frozenset[bool | None], set[str]]:
        """What a rule may be, and what it comes to when it holds."""
        asked = outcomes_of(rule)
        bound = {cap(a, b) for a in asked for b in bases_of(ruleset, rule, self._book)}
        return self.facts.truths(rule.condition, look), bound

    def _stops(self, id: str, look: Look) -> list[Bar]:
        """The rules of a check that stop the step for certain."""
        ruleset = self.definition.rulesets[id]
        out: list[Bar] = []
        if ruleset.table is not None:
            results = self._results(id, look)
            if all(o in BINDING for _, o in results):
                unknown = tuple(p for r in ruleset.rules for p in self.facts.reads(r.condition) if look(p) is NO)
                out.append(Bar("unknown" if unknown else "rule", id, tuple(dict.fromkeys(unknown))))
            return out
        for rule in ruleset.rules:
            truths, bound = self._rule(ruleset, rule, look)
            binding = bound & set(BINDING)
            if False in truths or not binding:
                continue
            if True in truths and bound - binding:
                continue
            if True in truths:
                out.append(Bar("rule", rule.spec.id, self.facts.reads(rule.condition)))
            else:
                out.append(Bar("unknown", rule.spec.id, tuple(p for p in self.facts.reads(rule.condition) if look(p) is NO)))
        return out

    def _results(self, id: str, look: Look) -> list[tuple[str, str]]:
        """(value, outcome) a decision may come to."""
        ruleset = self.definition.rulesets[id]
        exact = self._cases(ruleset)
        if exact is not None:
            return self._exactly(exact, look)
        return self._table(ruleset, look) if ruleset.table is not None else self._list(ruleset, look)

    def _cases(self, ruleset: RuleSet) -> list[tuple[dict[str, Any], str, str]] | None:
        """Every elementary case of a small table with what it comes to; None where there is no such list."""
        if ruleset.id not in self._exact:
            out: list[tuple[dict[str, Any], str, str]] | None = None
            paths = {p for r in ruleset.rules for p in self.facts.reads(r.condition)}
            sizes = [len(self.facts.domain(p)) for p in paths]
            if ruleset.table is not None and ruleset.spec.hit_policy in ("U", "A", "P", "F") and 0 not in sizes and prod(sizes) <= 2000:
                out = []
                for choice in product(*(self.facts.domain(p) for p in paths)):
                    values = dict(zip(paths, choice, strict=True))
                    run = ruleset._run(values.get, self.facts.cells._param, self.facts.cells.on)
                    settled = ruleset.table.settle({r.spec.id: x for r, x in zip(ruleset.rules, run, strict=True)})
                    out.append((values, branch_key(settled.value), settled.outcome))
            self._exact[ruleset.id] = out
        return self._exact[ruleset.id]

    def _exactly(self, cases: list[tuple[dict[str, Any], str, str]], look: Look) -> list[tuple[str, str]]:
        out: dict[tuple[str, str], None] = {}
        seen = {p: self.facts.cell(p, look(p)) for p in (cases[0][0] if cases else ())}
        if any(v in (NO, MAYBE) for v in seen.values()):
            out["", "EVIDENCE"] = None
        if NO in seen.values():
            # a row may do without the fact: any of them may still come
            seen = {p: MAYBE if v is NO else v for p, v in seen.items()}
        for values, value, outcome in cases:
            if all(isinstance(seen[p], Known) or seen[p] == v for p, v in values.items()):
                out[value, outcome] = None
        return list(out)

    def _table(self, ruleset: RuleSet, look: Look) -> list[tuple[str, str]]:
        out: dict[tuple[str, str], None] = {}
        certain = False
        for rule in ruleset.rules:
            truths = self.facts.truths(rule.condition, look)
            if True in truths:
                out[branch_key(rule.spec.out), "PASS"] = None
            if None in truths:
                out["", "EVIDENCE"] = None
            certain = certain or truths == TRUE
        if not certain:
            default = ruleset.spec.default
            out[branch_key(default), "BLOCK" if default is None else "PASS"] = None
        if ruleset.spec.hit_policy in ("R", "O") or ruleset.spec.hit_policy.startswith("C"):
            out["", "PASS"] = None
        return list(out)

    def _list(self, ruleset: RuleSet, look: Look) -> list[tuple[str, str]]:
        found: set[str] = set()
        least = "PASS"  # no milder outcome is possible
        for rule in ruleset.rules:
            truths, bound = self._rule(ruleset, rule, look)
            levels = {b for b in bound if b in RANK} if True in truths else set()
            if None in truths and bound & set(BINDING):
                levels.add("EVIDENCE")
            elif None in truths and "WARN" in bound:
                levels.add("WARN")
            found |= levels
            if levels and False not in truths and truths != FALSE and len(levels) == len(bound | levels):
                mildest = max(levels, key=lambda o: RANK[o])
                least = min(least, mildest, key=lambda o: RANK[o])
        found.add(least)
        return [("", o) for o in found if RANK[o] <= RANK[least]]
