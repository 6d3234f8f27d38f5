"""What the page of a try-out shows: plain data."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from siquan.core.rules.decision import Decision
from siquan.core.testing.trytasks import TaskForm
from siquan.core.views import Block, CaseView, FieldView, StepView


@dataclass(frozen=True)
class Told:
    """A step as it went. `refused`: it was not taken, and why in `blocks`; `said` is any other sentence."""

    n: int
    title: str
    who: str
    day: dt.date
    state: str
    refused: bool = False
    blocks: tuple[Block, ...] = ()
    decisions: tuple[Decision, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    said: str = ""
    child: str = ""


@dataclass(frozen=True)
class Offer:
    """A step that stands open, for the case (`child` empty) or one of its children, with who was asked."""

    child: str
    child_title: str
    step: StepView
    by: str
    roles: tuple[tuple[str, str], ...]  # (name, title) of those who may be asked
    choices: tuple[tuple[str, str], ...] = ()  # (state, title) to which a case may be returned
    task: str = ""  # the task a verb is about
    about: str = ""  # the role whose signature it is, or what somebody is in it
    main: bool = True  # the case goes no further without it, or it is a step

    @property
    def key(self) -> str:
        return f"{self.child}|{self.step.name}" + (f"|{self.task}" if self.task else "")


@dataclass(frozen=True)
class Chosen:
    """The form of one step. `lists` are collections as YAML rows: (fact, title, rows, needed)."""

    offer: Offer
    fields: tuple[FieldView, ...]
    lists: tuple[tuple[str, str, str, bool], ...] = ()
    form: TaskForm = TaskForm()


@dataclass(frozen=True)
class FactLine:
    path: str
    title: str
    value: str
    known: str  # known | none | unknown


@dataclass(frozen=True)
class TryView:
    process: str
    title: str
    today: dt.date
    begun: dt.date
    case: CaseView
    offers: tuple[Offer, ...]
    told: tuple[Told, ...]
    facts: tuple[FactLine, ...]
    children: tuple[tuple[str, str, str], ...]  # (candidates/1, title, state)
    next_due: dt.date | None
    chosen: Chosen | None = None
    draft: dict[str, Any] = field(default_factory=dict)
