"""State is the fold of the events: what a case's history alone says about where it stands and who did what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from siquan.core.engine.tasks import Task, after, opened


class Recorded(Protocol):
    """An event as the store gives it."""

    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> dt.datetime: ...
    @property
    def actor(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def data(self) -> dict[str, Any]: ...


@dataclass
class Story:
    """What the events say. `acted` is state -> persons who fired a transition out of it."""

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
    tasks: dict[str, Task] = field(default_factory=dict)  # of the state it is in, those done there included

    def copy(self) -> Story:
        return Story(
            self.state, self.outcome, self.revision, {k: set(v) for k, v in self.acted.items()},
            {k: set(v) for k, v in self.fired.items()}, set(self.suppliers), dict(self.recused), dict(self.entered),
            list(self.visited), self.opener, dict(self.persons), dict(self.facts), dict(self.tasks),
        )  # fmt: skip


def fold(events: Iterable[Recorded], before: Story | None = None) -> Story:
    """`before` is the story of all events before these; it is left as it is."""
    story = before.copy() if before is not None else Story()
    for event in events:
        data = event.data
        story.revision = data.get("revision", story.revision)
        if event.actor:
            story.persons[event.actor] = data.get("transition") or event.kind
        if data.get("facts") or data.get("collections"):
            story.suppliers.add(event.actor)
            story.facts.update(data.get("facts") or {})
        if event.kind == "opened":
            story.opener = event.actor
        if event.kind == "recused":
            story.recused[data["person"]] = data.get("opinion", "")
        transition = data.get("transition")
        if transition:
            story.acted.setdefault(data["from"], set()).add(event.actor)
            story.fired.setdefault(transition, set()).add(event.actor)
        to = data.get("to")
        if to and (to != story.state or data.get("entered")):
            story.state = to
            story.entered[to] = event.at
            if to not in story.visited:
                story.visited.append(to)
            story.tasks = opened(event.seq, data.get("tasks"))
        if event.kind == "task":
            story.tasks = after(story.tasks, event.seq, event.actor, data)
            if data["verb"] == "sign":  # a signature counts as acting there
                story.acted.setdefault(story.state, set()).add(event.actor)
        story.outcome = data.get("outcome", story.outcome)
        if story.outcome:
            story.tasks = {}
    return story
