"""Plain data of the verbs of a case: their forms, what persons are told, one act on many cases."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from siquan.core.views import CaseView, VerbView


@dataclass(frozen=True)
class Choice:
    """Something to choose in the form of a verb."""

    value: str
    title: str
    sub: str = ""


@dataclass(frozen=True)
class VerbForm:
    """The form of a verb and what it comes to; nothing is written."""

    case: CaseView
    verb: VerbView
    reasons: tuple[tuple[str, str], ...]
    opinion: str  # none optional required
    consequences: tuple[str, ...]
    what: str = ""  # what is chosen, one: to; several: others, facts
    choices: tuple[Choice, ...] = ()
    label: str = ""
    named: bool = False  # a title may be given
    to_title: str = ""
    more: tuple[Choice, ...] = ()  # co-handlers
    before: bool = False  # a signer may be put in front


@dataclass(frozen=True)
class NoticeView:
    id: str
    case: str
    number: str
    title: str
    text: str
    kind: str
    at: dt.datetime
    who: str
    state_title: str
    process_title: str


@dataclass(frozen=True)
class BulkLine:
    """What became of one case of a bulk act."""

    case: str
    number: str
    title: str
    outcome: str  # done refused stale
    text: str  # the state it is in now, or why not


@dataclass(frozen=True)
class BulkResult:
    key: str
    lines: tuple[BulkLine, ...]
    repeated: bool = False


@dataclass(frozen=True)
class BulkForm:
    """What several cases have in common that the person may do with each of them."""

    cases: tuple[tuple[str, str, str, str, int], ...]  # (id, number, title, state, revision)
    actions: tuple[tuple[str, str, int], ...]  # (name, title, for how many)
    reasons: dict[str, tuple[tuple[str, str], ...]]
