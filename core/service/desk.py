"""Accounts as one act, one sweep or one preview sees them: each is locked once, and every entry builds on the one before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from siquan.core.accounts.book import Change, Line, Lot, Past, Sheet
from siquan.core.accounts.kinds import Kind
from siquan.core.errors import Refused
from siquan.core.service.balances import Owner
from siquan.core.store.chain import GENESIS
from siquan.core.store.ledger_rows import LedgerAccount, LedgerEntry
from siquan.core.store.transaction import Tx

SYSTEM = "system"


class OtherKind(Refused):
    """the account of {owner} was opened under other rules than `{account}` has now: {why}"""

    code = "SQ545"
    zh = "{owner}的账户是按别的规则开的，与现在的`{account}`不同：{why}"


@dataclass
class Open:
    """An account in hand."""

    kind: Kind
    row: LedgerAccount
    sheet: Sheet


class Desk:
    """`write` false: nothing is locked or written, everything is worked out as if it were."""

    def __init__(self, tx: Tx, today: dt.date, write: bool = True) -> None:
        self.tx, self.today, self.write = tx, today, write
        self._open: dict[tuple[str, str], Open] = {}
        self._made = 0
        #: (account, number, hash) of every entry written, in order
        self.written: list[LedgerEntry] = []

    def open(self, kind: Kind, owner: Owner, start: int | None = None) -> Open:
        """The account, locked, what is overdue lapsed, made with its start value where there is none. Open several in the
        order of (kind, owner), or two acts wait for each other."""
        known = self._open.get((kind.id, owner.ref))
        if known is not None:
            return known
        row = None if self.write else self.tx.ledger.find(kind.id, owner.ref)
        if self.write:
            row = self.tx.ledger.open(
                kind.id, owner.ref, title=owner.title, place=owner.place, scale=kind.scale, floor=kind.floor, score=kind.score
            )  # fmt: skip
        elif row is None:
            row = LedgerAccount(
                "", kind.id, owner.ref, owner.title, owner.place, kind.scale, kind.floor, kind.score, 0, 0, 0, GENESIS, "", self.tx.at
            )  # fmt: skip
        assert row is not None
        if (row.scale, row.score) != (kind.scale, kind.score):
            raise OtherKind(owner=row.title, account=kind.title, why=f"scale {row.scale}, score {row.score}")
        found = self._hold_open(kind, row)
        if row.last_seq == 0 and start:
            self.do(found, found.sheet.post(start, "issued", what="start"), because="start")
        self.lapse(found)
        return found

    def again(self, kind: Kind, account_id: str) -> Open:
        """An account that is known, locked; what is overdue is left to the caller."""
        row = self.tx.ledger.lock(account_id) if self.write else self.tx.ledger.get(account_id)
        return self._open.get((row.kind, row.owner)) or self._hold_open(kind, row)

    def _hold_open(self, kind: Kind, row: LedgerAccount) -> Open:
        lots = tuple(
            Lot(x.id, x.seq, x.got_on, x.expires_on, x.remain, x.notice_on) for x in (self.tx.ledger.lots(row.id) if row.last_seq else ())
        )
        sheet = Sheet(row.floor, row.score, row.balance, row.held, lots, kind.title, row.title, kind.unit, row.scale)
        found = self._open[row.kind, row.owner] = Open(kind, row, sheet)
        return found

    def lapse(self, account: Open) -> int:
        """Everything overdue lapses, an entry each; how many did."""
        n = 0
        for lot in account.sheet.due(self.today):
            change = account.sheet.expire(lot)
            if change is not None:
                assert lot.expires is not None
                self.do(account, change, actor=SYSTEM, because="expired", more={"on": lot.expires.isoformat()})
                n += 1
        return n

    def do(
        self, account: Open, change: Change, *, actor: str = SYSTEM, case_id: str | None = None, event_seq: int | None = None,
        decision_id: str | None = None, because: str = "", second: str = "", reverses: int | None = None, note: str = "",
        more: Mapping[str, Any] | None = None,
    ) -> int:  # fmt: skip
        """Write one entry; returns its number. Raises Unbalanced for what must never be."""
        seq, row = account.row.last_seq + 1, account.row
        if not self.write:
            self._made += 1
            ids = tuple(f"new{self._made}.{n}" for n in range(len(change.new)))
            account.sheet = account.sheet.then(change, seq, self.today, ids)
            return seq
        # worked out first with stand-ins for the ids: what does not balance is never written
        after = account.sheet.then(change, seq, self.today, tuple(f"new{n}" for n in range(len(change.new))))
        account.row, entry, ids = self.tx.ledger.append(
            row, change.what, self.today, lines=((x.part, x.amount) for x in change.lines), moves=change.moves,
            new=[(x.amount, x.expires, x.notice, x.got) for x in change.new], balance=after.balance, held=after.held, actor=actor,
            case_id=case_id, event_seq=event_seq, decision_id=decision_id, because=because, second=second, reverses=reverses, note=note,
            more=more,
        )  # fmt: skip
        account.sheet = account.sheet.then(change, seq, self.today, ids)
        self.written.append(entry)
        return seq


def past_of(tx: Tx, entry: LedgerEntry) -> Past:
    """An entry on record, with the lots it used up."""
    moves = [(str(id), int(by)) for id, by in entry.data.get("moves", []) if int(by) < 0]
    lots = tx.ledger.lots_by_id([id for id, _ in moves])
    took = tuple((-by, lots[id].expires_on, lots[id].got_on) for id, by in moves if id in lots)
    lines = tuple(Line(part, int(amount)) for part, amount in entry.data["lines"])
    reversed = any(e.reverses == entry.seq for e in tx.ledger.entries(entry.account_id))
    return Past(entry.seq, entry.what, lines, reversed, took)


__all__ = ["Desk", "Open", "past_of"]
