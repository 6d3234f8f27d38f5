"""Two changes of one content made into one, by rule id and field."""

from __future__ import annotations

from dataclasses import dataclass

from siquan.core.exchange.content import Content


@dataclass(frozen=True)
class Conflict:
    """Both sides changed the same field differently; the merged content has `ours`. Texts as written; empty: not there.
    `rule` and `field` as in Difference; `field` is empty where one side removed what the other changed."""

    rule: str
    field: str
    base: str
    ours: str
    theirs: str


@dataclass(frozen=True)
class Merged:
    content: Content
    conflicts: tuple[Conflict, ...] = ()
