"""People as pages and the command line show them: posts, substitutions, open work, what became of moved work."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class PostView:
    id: str
    role: str
    title: str
    unit: str
    unit_title: str
    since: dt.date
    until: dt.date | None
    state: str  # running future over
    alone: bool = False  # nobody else holds it here
    yours: bool = False  # you may end it


@dataclass(frozen=True)
class SubstitutionView:
    id: str
    person: str
    person_name: str
    substitute: str
    substitute_name: str
    since: dt.date
    until: dt.date
    scope: tuple[str, ...]  # titles of posts or processes; empty: everything
    reason: str
    state: str  # running future over cancelled
    set_by: str
    cancellable: bool = False  # by you


@dataclass(frozen=True)
class WorkView:
    """Open work of a person. An administrator moves it without seeing the case."""

    case: str
    number: str
    process_title: str
    state_title: str
    place: str
    due: dt.date | None
    why: str  # claimed | named


@dataclass(frozen=True)
class PersonLine:
    id: str
    name: str
    login: str
    unit: str
    unit_title: str
    posts: tuple[str, ...]
    serving: bool
    leaving_on: dt.date | None = None
    away: str = ""  # who stands in for him today


@dataclass(frozen=True)
class StaffList:
    people: tuple[PersonLine, ...]
    units: tuple[tuple[str, str], ...]  # those under your administration


@dataclass(frozen=True)
class PersonPage:
    line: PersonLine
    posts: tuple[PostView, ...]
    substitutions: tuple[SubstitutionView, ...]
    work: tuple[WorkView, ...]
    units: tuple[tuple[str, str], ...]  # where you may grant posts
    roles: tuple[tuple[str, str], ...]  # which posts there are
    takers: tuple[tuple[str, str], ...]  # who could take his work or stand in for him
    today: dt.date


@dataclass(frozen=True)
class StandIns:
    """The card of one's own substitutions."""

    substitutions: tuple[SubstitutionView, ...]
    colleagues: tuple[tuple[str, str], ...]
    roles: tuple[tuple[str, str], ...]
    processes: tuple[tuple[str, str], ...]
    today: dt.date


@dataclass(frozen=True)
class Moved:
    """What became of one piece of work."""

    case: str
    number: str
    process_title: str
    taker: str  # name; empty when nobody may take it
    why: str = ""  # why it stays where it is
