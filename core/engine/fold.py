"""State is the fold of the events: what a case's history alone says about where it stands and who did what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
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

    def copy(self) -> Story:
        return Story(
            self.state, self.outcome, self.revision, {k: set(v) for k, v in self.acted.items()},
            {k: set(v) for k, v in self.fired.items()}, set(self.suppliers), dict(self.recused), dict(self.entered),
            list(self.visited), self.opener, dict(self.persons), dict(self.facts),
        )  # fmt: skip


def fold(events: Iterable[Recorded], after: Story | None = None) -> Story:
    """`after` is the story of all events before these; it is left as it is."""
    story = after.copy() if after is not None else Story()
    for event in events:
        data = event.data
        story.revision = data.get("revision", story.revision)
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
