"""What pages, the API and the command line show of accounts: frozen data, numbers ready to print."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class AccountCard:
    """One account in a list. `owner` is masked where the viewer has no post over it."""

    id: str
    kind: str
    title: str
    owner: str
    place: str
    unit: str
    balance: str
    held: str
    available: str
    next_expiry: dt.date | None = None
    next_amount: str = ""
    mine: bool = False
    stock: bool = False


@dataclass(frozen=True)
class EntryLine:
    """One entry of a statement: `amount` with its sign, `after` the balance after it."""

    seq: int
    at: dt.datetime
    day: dt.date
    what: str
    title: str
    amount: str
    after: str
    because: str
    case: str = ""
    number: str = ""
    decision: str = ""
    actor: str = ""
    second: str = ""
    note: str = ""
    reverses: int = 0
    reversed_by: int = 0
    reversible: bool = False
    waiting: bool = False  # a reversal is asked for


@dataclass(frozen=True)
class LotLine:
    got: dt.date
    expires: dt.date | None
    left: str
    seq: int
    soon: bool = False


@dataclass(frozen=True)
class HoldLine:
    name: str
    amount: str
    since: dt.date
    until: dt.date | None
    case: str = ""
    number: str = ""


@dataclass(frozen=True)
class ReversalLine:
    id: str
    account: str
    seq: int
    owner: str
    title: str
    amount: str
    reason: str
    asked_by: str
    asked_at: dt.datetime
    may_decide: bool = False
    why_not: str = ""


@dataclass(frozen=True)
class AccountPage:
    card: AccountCard
    period: str
    first: dt.date
    last: dt.date
    previous: str
    next: str
    opening: str
    closing: str
    entries: tuple[EntryLine, ...]
    lots: tuple[LotLine, ...]
    holds: tuple[HoldLine, ...]
    reversals: tuple[ReversalLine, ...]
    keeper: bool
    hash: str


@dataclass(frozen=True)
class Accounts:
    mine: tuple[AccountCard, ...]
    kept: tuple[AccountCard, ...]
    kinds: tuple[tuple[str, str], ...]
    asked: tuple[ReversalLine, ...] = ()
    keeper: bool = False
    more: bool = False
    catalogue: bool = False


@dataclass(frozen=True)
class CheckLine:
    """A reconciliation on record; `differences` in words."""

    id: str
    kind: str
    title: str
    period: str
    at: dt.datetime
    by: str
    accounts: int
    totals: tuple[tuple[str, str], ...]
    differences: tuple[str, ...]


@dataclass(frozen=True)
class Gift:
    code: str
    title: str
    price: str
    unit: str
    stock: str
    left: int
    since: dt.date | None = None
    basis: str = ""
    cite: str = ""


@dataclass(frozen=True)
class Catalogue:
    """What a clerk may order for a person at a place."""

    plugin: str
    process: str
    title: str
    unit: str
    place: str
    places: tuple[tuple[str, str], ...]
    gifts: tuple[Gift, ...]
    people: tuple[tuple[str, str, str], ...]  # id, name, available
    may_order: bool = False
