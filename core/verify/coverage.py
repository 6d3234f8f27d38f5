"""What the cases of a plugin touch: which steps they take from which state, and which rules they name.

A branch is not decided here: after a step a case may stand in any of its targets, narrowed by `expect`. The clock is
thought to fire only where the next step would otherwise not exist.
"""

from __future__ import annotations

from siquan.core.engine.definition import Definition
from siquan.core.engine.machine import targets
from siquan.core.plugins import Catalogue
from siquan.core.spec.model import CaseSpec, CaseStep, PluginSpec
from siquan.core.spec.verbs import moving

Step = tuple[str, str, str]  # process, state, transition


class Coverage:
    def __init__(self, plugin: PluginSpec, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.steps: set[Step] = set()
        self.rules: set[str] = set()
        for process in plugin.processes:
            for case in process.cases:
                self.rules |= {*(case.because or ()), *(s.refused for s in case.steps)}
                if case.steps and process.id in catalogue.definitions:
                    self._walk(catalogue.definitions[process.id], case)

    def _walk(self, definition: Definition, case: CaseSpec) -> None:
        at: dict[str, set[str]] = {}
        for step in case.steps:
            child = definition.children.get(step.child.partition("/")[0]) if step.child else definition.spec.id
            if child is None or not (step.act or step.task == "sign"):
                continue
            home = self.catalogue.definitions[child]
            here = at.setdefault(step.child, {home.spec.initial.name})
            if step.task == "sign":
                at[step.child] = here if step.refused else self._signed(home, step, here)
                continue
            if step.act in moving(home.spec):
                if not step.refused:
                    self.steps.add((home.spec.id, "", step.act))
                    at[step.child] = self._moved(home, step, here)
                continue
            if not any(self._has(home, s, step.act) for s in here):
                here |= self._clock(home, here)
            if step.refused:
                continue
            after: set[str] = set()
            for state in here:
                if self._has(home, state, step.act):
                    self.steps.add((home.spec.id, state, step.act))
                    after |= set(targets(home.machine.step(state, step.act), state))
            at[step.child] = {step.expect} if step.expect else after or here
        here = at.get("", {definition.spec.initial.name})
        if case.expect and case.expect not in here:
            self._clock(definition, here)

    def _moved(self, home: Definition, step: CaseStep, here: set[str]) -> set[str]:
        """Where a verb leads: a return and a reopening say it, a taking back leads to wherever the case came from."""
        verb = home.spec.verb(step.act)
        if step.expect or step.to:
            return {step.expect or step.to}
        if step.act == "reopen" and verb is not None:
            return set(verb.to)
        return {s.name for s in home.spec.states} if step.act == "take_back" else here

    def _signed(self, home: Definition, step: CaseStep, here: set[str]) -> set[str]:
        """A signature that decides takes its step; `expect` says so by naming another state."""
        for state in here:
            found = home.spec.state(state)
            for name in (found.sign.agree, found.sign.refuse) if found is not None and found.sign is not None else ():
                if step.expect in targets(home.machine.step(state, name), state):
                    self.steps.add((home.spec.id, state, name))
                    return {step.expect}
        return here

    def _has(self, home: Definition, state: str, name: str) -> bool:
        return any(t.name == name for t in home.machine.steps(state))

    def _clock(self, home: Definition, here: set[str]) -> set[str]:
        """The states the clock may have led to, step by step."""
        out, todo = set(here), list(here)
        while todo:
            state = todo.pop()
            found = home.spec.state(state)
            for due in found.dues if found else ():
                if due.then == "remind" or not self._has(home, state, due.then):
                    continue
                self.steps.add((home.spec.id, state, due.then))
                for goal in targets(home.machine.step(state, due.then), state):
                    if goal not in out:
                        out.add(goal)
                        todo.append(goal)
        return out
