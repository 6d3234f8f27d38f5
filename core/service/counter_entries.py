"""Reversal by counter-entry: one keeper asks with a reason, another one makes it. Nothing is ever deleted."""

from __future__ import annotations

import datetime as dt

from siquan.core.accounts.book import NotReversible
from siquan.core.accounts.kinds import Kind, before
from siquan.core.errors import BadInput, NoAccess, Refused
from siquan.core.service.account_access import every_kind, kind_of, must_keep
from siquan.core.service.app import App
from siquan.core.service.desk import Desk, past_of
from siquan.core.service.refusal import check_text
from siquan.core.store.ledger_rows import LedgerAccount
from siquan.core.store.transaction import Tx

MAX_REASON = 1000
#: how long what comes back stays at least, where the kind names no notice
GRACE = dt.timedelta(days=30)


class CounterEntries:
    def __init__(self, app: App) -> None:
        self.app = app

    def ask(self, account_id: str, seq: int, person: str, reason: str, key: str | None = None) -> str:
        """Asks for the counter-entry of an entry; returns the request's id. Raises NotReversible at once where it can
        never be made."""
        check_text(reason, MAX_REASON, "冲正的理由")
        if not reason.strip():
            raise BadInput(why="冲正要写明理由")
        with self.app.store.begin() as tx:
            if key:
                check_text(key, 100, "请求编号")
                stored = tx.idempotency.claim(key, ["reverse", account_id, seq, person, reason])
                if stored:
                    return str(stored["id"])
            row = tx.ledger.lock(account_id)
            must_keep(self.app, tx, self._kind(row), row, person)
            if any(r.seq == seq for r in tx.ledger.reversals(account_id, "asked")):
                raise NotReversible(why="somebody asked for it already", why_zh="已经有人申请冲正，等另一个人复核")
            self._make(tx, account_id, seq, write=False)
            made = tx.ledger.ask(account_id, seq, reason.strip(), person)
            if key:
                tx.idempotency.answer(key, {"id": made.id})
            return made.id

    def decide(self, reversal_id: str, person: str, agree: bool) -> int:
        """A second keeper makes the counter-entry, or turns it down; returns the entry's number, 0 when turned down."""
        with self.app.store.begin() as tx:
            asked = tx.ledger.asked(reversal_id)
            row = tx.ledger.lock(asked.account_id)
            must_keep(self.app, tx, self._kind(row), row, person)
            if asked.asked_by == person:
                raise NoAccess(why="冲正由另一个人复核，申请人不能自己办")
            number = 0
            if agree:
                number = self._make(tx, asked.account_id, asked.seq, actor=asked.asked_by, second=person, note=asked.reason)
            if not tx.ledger.decide(asked.id, "done" if agree else "refused", person, number or None):
                raise Refused(why="这个申请已经处理过")
            return number

    def _kind(self, row: LedgerAccount) -> Kind:
        return kind_of(every_kind(self.app), row)

    def _make(self, tx: Tx, account_id: str, seq: int, *, write: bool = True, actor: str = "", second: str = "", note: str = "") -> int:
        desk = Desk(tx, self.app.today(), write)
        account = desk.again(self._kind(tx.ledger.get(account_id)), account_id)
        entry = tx.ledger.entry(account_id, seq)
        change = account.sheet.reverse(past_of(tx, entry), desk.today, self._grace(account.kind, desk.today))
        return desk.do(account, change, actor=actor, second=second, note=note, reverses=seq, because=entry.because, case_id=None)

    def _grace(self, kind: Kind, today: dt.date) -> dt.date:
        """Nobody gets points back that end tomorrow."""
        early = before(kind.notice, today, lambda text: int(text) if text.isdigit() else None)
        return today + (today - early if early is not None else GRACE)
