"""What the ledger returns: accounts, entries, lots, holds, asked reversals and reconciliations. Field order and names
are those of the columns."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LedgerAccount:
    """`balance` and `held` are a cache of what the entries sum to, in the smallest unit. `owner` is `person/<id>`."""

    id: str
    kind: str
    owner: str
    title: str
    place: str
    scale: int
    floor: int
    score: bool
    balance: int
    held: int
    last_seq: int
    last_hash: str
    salt: str
    opened_at: dt.datetime


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """`data`: {"lines": [[part, amount]], "moves": [[lot, delta]], "new": [lot], "note": commitment, "owner": commitment
    (the first entry alone), ...}; `note` is the text of the commitment, None where there is none or it was erased."""

    account_id: str
    seq: int
    at: dt.datetime
    on_date: dt.date
    what: str
    amount: int
    case_id: str | None
    event_seq: int | None
    decision_id: str | None
    because: str
    actor: str
    second: str
    reverses: int | None
    data: Any
    note: str | None
    note_salt: str | None
    prev_hash: str
    hash: str
    algo: str


@dataclass(frozen=True, slots=True)
class LedgerLot:
    id: str
    account_id: str
    seq: int
    got_on: dt.date
    expires_on: dt.date | None
    notice_on: dt.date | None
    amount: int
    remain: int


@dataclass(frozen=True, slots=True)
class LedgerHold:
    """`status` is open, captured, released or expired."""

    id: str
    account_id: str
    case_id: str | None
    name: str
    amount: int
    status: str
    until_on: dt.date | None
    seq: int
    closed_seq: int | None


@dataclass(frozen=True, slots=True)
class LedgerReversal:
    """`status` is asked, done, refused."""

    id: str
    account_id: str
    seq: int
    reason: str
    asked_by: str
    asked_at: dt.datetime
    status: str
    decided_by: str | None
    decided_at: dt.datetime | None
    entry_seq: int | None


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """`totals` by counter account and of balances, lots and holds; `differences` name what does not agree."""

    id: str
    kind: str
    period: str
    at: dt.datetime
    made_by: str
    totals: dict[str, Any]
    differences: list[Any]
