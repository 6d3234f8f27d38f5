"""The graph of a process: where one can get, by which shortest story, and from where one can get to an end."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from siquan.core.engine.definition import Definition
from siquan.core.engine.machine import targets
from siquan.core.spec.model import TransitionSpec
from siquan.core.verify.finding import Way, WayStep


@dataclass
class Graph:
    """`stories` holds the reachable states, each with the titles of the fewest steps that lead there."""

    definition: Definition
    arrows: dict[str, list[tuple[TransitionSpec, str]]] = field(default_factory=dict)
    stories: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: the same stories as data
    ways: dict[str, Way] = field(default_factory=dict)
    #: states from which some final state can be reached
    ending: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        spec, machine = self.definition.spec, self.definition.machine
        for state in spec.states:
            self.arrows[state.name] = [
                (t, goal) for t in machine.steps(state.name) if not t.opens for goal in targets(t, state.name)
            ]
        self.stories = {spec.initial.name: ()}
        self.ways = {spec.initial.name: Way(spec.id, (), spec.initial.name)}
        queue = deque([spec.initial.name])
        while queue:
            here = queue.popleft()
            for transition, goal in self.arrows[here]:
                if goal not in self.stories:
                    self.stories[goal] = (*self.stories[here], transition.title)
                    key = next((k for k, to in transition.branches.items() if (to or here) == goal), "")
                    last = WayStep(transition.name, transition.name in self.clocked(here) and transition.auto, {}, key)
                    self.ways[goal] = Way(spec.id, (*self.ways[here].steps, last), goal)
                    queue.append(goal)
        self.ending = {s.name for s in spec.states if s.final}
        grew = True
        while grew:
            more = {s for s, ways in self.arrows.items() if any(goal in self.ending for _, goal in ways)} - self.ending
            self.ending |= more
            grew = bool(more)

    def clocked(self, state: str) -> set[str]:
        """Names of the transitions of a state that the clock fires."""
        found = self.definition.spec.state(state)
        return {d.then for d in found.dues if d.then != "remind"} if found else set()
