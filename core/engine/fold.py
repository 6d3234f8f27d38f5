"""State is the fold of the events: what a case's history alone says about where it stands and who did what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

#: an administrator gave a leaver's open work to somebody else
REASSIGNED = "reassigned"


class Recorded(Protocol):
    """An event as the store gives it."""

    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> dt.datetime: ...
    @property
    def actor(self) -> str: ...
    @property
    def on_behalf(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def data(self) -> dict[str, Any]: ...


@dataclass
class Story:
    """What the events say. `acted` is state -> persons who fired a transition out of it. What a substitute does counts for
    him and for the person he stands in for: neither can be the second person afterwards."""

    state: str = ""
    outcome: str = ""
    revision: int = 0
    acted: dict[str, set[str]] = field(default_factory=dict)
    fired: dict[str, set[str]] = field(default_factory=dict)
    suppliers: set[str] = field(default_factory=set)
    recused: dict[str, str] = field(default_factory=dict)  # person -> commitment of the reason
    entered: dict[str, dt.datetime] = field(default_factory=dict)  # state -> last time it was entered
    visited: list[str] = field(default_factory=list)
    opener: str = ""
    persons: dict[str, str] = field(default_factory=dict)  # person -> what he last did
    facts: dict[str, str] = field(default_factory=dict)  # path -> newest commitment
    before: tuple[tuple[int, Story], ...] = ()  # migrations nobody has acted after: (event, the story before it)

    def copy(self) -> Story:
        return Story(
            self.state, self.outcome, self.revision, {k: set(v) for k, v in self.acted.items()},
            {k: set(v) for k, v in self.fired.items()}, set(self.suppliers), dict(self.recused), dict(self.entered),
            list(self.visited), self.opener, dict(self.persons), dict(self.facts), self.before,
        )  # fmt: skip

    def rename(self, names: Mapping[str, str]) -> None:
        """The states as another version of the process calls them: who acted in one acted in it under its new name."""
        acted, entered = dict[str, set[str]](), dict[str, dt.datetime]()
        for state, who in self.acted.items():
            acted.setdefault(names.get(state, state), set()).update(who)
        for state, at in self.entered.items():
            name = names.get(state, state)
            entered[name] = max(at, entered.get(name, at))
        self.acted, self.entered = acted, entered
        self.visited = list(dict.fromkeys(names.get(s, s) for s in self.visited))

    def move(self, event: Recorded) -> None:
        """The case was taken to another version of its process, or put back to where it was before that."""
        if event.data.get("undo") and self.before:
            old = self.before[-1][1].copy()
            self.state, self.acted, self.entered, self.visited, self.before = old.state, old.acted, old.entered, old.visited, old.before
            return
        self.before = (*self.before, (event.seq, self.copy()))
        at = self.entered.get(self.state, event.at)
        self.rename(event.data.get("mapping") or {})
        self.state = event.data["to"]
        # a state under a new name was entered when the old one was: nobody's period begins anew
        self.entered.setdefault(self.state, at)


def fold(events: Iterable[Recorded], after: Story | None = None) -> Story:
    """`after` is the story of all events before these; it is left as it is."""
    story = after.copy() if after is not None else Story()
    for event in events:
        data = event.data
        story.revision = data.get("revision", story.revision)
        if event.kind == "migrated" and "migration" in data:
            story.move(event)
            continue
        story.before = ()
        both = {p for p in (event.actor, event.on_behalf) if p}
        if event.kind != REASSIGNED:  # who moves work about has no part in the case
            story.persons.update(dict.fromkeys(both, data.get("transition") or event.kind))
        if data.get("facts") or data.get("collections"):
            story.suppliers |= both
            story.facts.update(data.get("facts") or {})
        if event.kind == "opened":
            story.opener = event.actor
        if event.kind == "recused":
            story.recused[data["person"]] = data.get("opinion", "")
        transition = data.get("transition")
        if transition:
            story.acted.setdefault(data["from"], set()).update(both)
            story.fired.setdefault(transition, set()).update(both)
        to = data.get("to")
        if to and (to != story.state or data.get("entered")):
            story.state = to
            story.entered[to] = event.at
            if to not in story.visited:
                story.visited.append(to)
        story.outcome = data.get("outcome", story.outcome)
    return story
