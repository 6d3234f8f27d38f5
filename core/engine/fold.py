"""State is the fold of the events: what a case's history alone says about where it stands and who did what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from siquan.core.tasks.task import Task, after, opened, straight, without

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
    tasks: dict[str, Task] = field(default_factory=dict)  # of the state it is in, those done there included
    path: list[str] = field(default_factory=list)  # the way to the present state, without the loops
    undo: dict[str, Any] = field(default_factory=dict)  # the last step and what it covered up
    held: dict[str, str] = field(default_factory=dict)  # suspended by: "" itself, else a parent's id -> clocks stop or run
    pauses: tuple[tuple[str, str], ...] = ()  # days on which the clocks stopped and went on again; "" still stopped
    closed_with: str = ""  # the case that took this one along when it was closed, or that it was merged into
    copied: dict[str, str] = field(default_factory=dict)  # person -> who let him see the case
    urged: dict[str, str] = field(default_factory=dict)  # person -> day on which he last urged
    absorbed: dict[str, dict[str, Any]] = field(default_factory=dict)  # merged case -> its deadlines, by `state:name`
    before: tuple[tuple[int, Story], ...] = ()  # migrations nobody has acted after: (event, the story before it)

    def copy(self) -> Story:
        return Story(
            self.state, self.outcome, self.revision, {k: set(v) for k, v in self.acted.items()},
            {k: set(v) for k, v in self.fired.items()}, set(self.suppliers), dict(self.recused), dict(self.entered),
            list(self.visited), self.opener, dict(self.persons), dict(self.facts), path=self.path, undo=self.undo,
            held=dict(self.held), pauses=self.pauses, closed_with=self.closed_with, copied=dict(self.copied), urged=dict(self.urged),
            absorbed=dict(self.absorbed), before=self.before, tasks=dict(self.tasks),
        )  # fmt: skip

    def _enter(self, state: str, at: dt.datetime) -> None:
        self.state, self.entered[state] = state, at
        if state not in self.visited:
            self.visited.append(state)
        # what merged cases bring to the step counts for this stay in it, not for the next one
        self.absorbed = {c: {k: v for k, v in dues.items() if not k.startswith(f"{state}:")} for c, dues in self.absorbed.items()}
        self.path = straight([*self.path, state])

    def _step(self, event: Recorded, both: set[str], name: str, left: str, to: str) -> None:
        """Somebody fired a transition; what it covers up is kept until the next one, for him to take it back."""
        acted, fired = self.acted.setdefault(left, set()), self.fired.setdefault(name, set())
        self.undo = {
            "seq": event.seq, "by": event.actor, "name": name, "from": left, "to": to, "entered": self.entered.get(left), "path": self.path,
            "acted": both - acted, "fired": both - fired,
            "tasks": self.tasks if to != left or event.data.get("entered") else None,
        }  # fmt: skip
        acted |= both
        fired |= both

    def _take_back(self, event: Recorded) -> None:
        """The last step was not made: its state lives again since when it lived before, and nobody acted in it. Its work is
        with whom it was with; signatures are asked for anew, as those given had decided."""
        undo = self.undo
        if undo["tasks"] is not None:  # the step did leave the state
            self.tasks = opened(event.seq, event.data["tasks"]) if event.data.get("tasks") else undo["tasks"]
        self.state, self.path, self.entered[undo["from"]], self.undo = undo["from"], undo["path"], undo["entered"], {}
        self.acted[undo["from"]] -= undo["acted"]
        self.fired[undo["name"]] -= undo["fired"]

    def _verb(self, event: Recorded, data: dict[str, Any]) -> None:
        """What is no step: a pause, a merge, a copy."""
        match event.kind:
            case "suspended":
                self.held[data.get("with", "")] = data["clocks"]
                if "since" in data:
                    self.pauses = (*self.pauses, (data["since"], ""))
            case "resumed":
                self.held.pop(data.get("with", ""), None)
            case "ended" | "merged":
                self.closed_with, self.held = data.get("with") or data["into"], {}
            case "unmerged" | "reopened" | "repaired":
                self.closed_with = ""
            case "absorbed":
                self.absorbed[data["of"]] = data["deadlines"]
            case "released":
                self.absorbed.pop(data["of"], None)
            case "urged":
                self.urged[event.actor] = data["on"]
            case "copied":
                self.copied.update(dict.fromkeys(data["persons"], event.actor))
        if "until" in data:
            self.pauses = (*self.pauses[:-1], (self.pauses[-1][0], data["until"]))

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
        self.path = straight(names.get(s, s) for s in self.path)
        if self.undo:
            left, to, path = (self.undo[k] for k in ("from", "to", "path"))
            path = straight(names.get(s, s) for s in path)
            self.undo = {**self.undo, "from": names.get(left, left), "to": names.get(to, to), "path": path}
        self.absorbed = {c: {_renamed(k, names): v for k, v in dues.items()} for c, dues in self.absorbed.items()}

    def move(self, event: Recorded) -> None:
        """The case was taken to another version of its process, or put back to where it was before that."""
        if event.data.get("undo") and self.before:
            old = self.before[-1][1].copy()
            self.state, self.acted, self.entered, self.visited, self.before = old.state, old.acted, old.entered, old.visited, old.before
            self.path, self.undo, self.absorbed, self.tasks = old.path, old.undo, old.absorbed, old.tasks
            return
        self.before = (*self.before, (event.seq, self.copy()))
        at = self.entered.get(self.state, event.at)
        self.rename(event.data.get("mapping") or {})
        self.state = event.data["to"]
        self.path = straight([*self.path, self.state])
        # a state under a new name was entered when the old one was: nobody's period begins anew
        self.entered.setdefault(self.state, at)
        if "tasks" in event.data:  # the version asks for other signatures, or for none
            self.tasks = opened(event.seq, event.data["tasks"])


def _renamed(key: str, names: Mapping[str, str]) -> str:
    """`state:name` of a deadline, the state as `names` call it."""
    state, _, name = key.partition(":")
    return f"{names.get(state, state)}:{name}"


def fold(events: Iterable[Recorded], before: Story | None = None) -> Story:
    """`before` is the story of all events before these; it is left as it is."""
    story = before.copy() if before is not None else Story()
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
            story.tasks = without(story.tasks, data["person"])
        if event.kind == REASSIGNED and not data.get("facts"):
            story.tasks = without(story.tasks, data["left"], data["taker"])
        transition = data.get("transition")
        to = data.get("to")
        if transition:
            story._step(event, both, transition, data["from"], str(to))
        if event.kind == "taken_back":
            story._take_back(event)
        elif to and (to != story.state or data.get("entered")):
            if not transition:
                story.undo = {}
            story._enter(to, event.at)
            story.tasks = opened(event.seq, data.get("tasks"))
        story._verb(event, data)
        if event.kind == "task":
            story.tasks = after(story.tasks, event.seq, event.actor, data, event.on_behalf)
            if data["verb"] == "sign":  # a signature counts as acting there
                story.acted.setdefault(story.state, set()).update(both)
        story.outcome = data.get("outcome", story.outcome)
        if story.outcome:
            story.tasks = {}
        elif not story.tasks:  # it was closed and lives again
            story.tasks = opened(event.seq, data.get("tasks"))
    return story
