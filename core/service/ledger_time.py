"""What happens to accounts by themselves: lots lapse, notice is given, holds run out, the month is reconciled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from siquan.core.accounts.book import Change
from siquan.core.accounts.statement import Period, period, period_of, reconcile
from siquan.core.service.account_access import every_kind, kind_of
from siquan.core.service.app import ZONE, App
from siquan.core.service.desk import SYSTEM, Desk, Open
from siquan.core.store.database import DatabaseBusy
from siquan.core.store.ledger_rows import LedgerCheck
from siquan.core.store.transaction import Tx

PAGE = 200


class LedgerTime:
    """Each account in a transaction of its own, under its lock: of two sweeps only one does it, and a sweep that was cut
    off is finished by the next."""

    def __init__(self, app: App) -> None:
        self.app = app

    def sweep(self) -> dict[str, int]:
        today = self.app.today()
        counts = {
            "released": sum(self._release(h.id, h.account_id) for h in self._holds(today)),
            "expired": sum(self._with(id, self._lapse) for id in self._pages(lambda tx, after: tx.ledger.lapsing(today, PAGE, after))),
            "noticed": sum(self._with(id, self._notice) for id in self._pages(lambda tx, after: tx.ledger.to_notice(today, PAGE, after))),
            "reconciled": self._month(period_of(today, "monthly").previous()),
        }
        return {name: n for name, n in counts.items() if n}

    def _pages(self, page: Callable[[Tx, str], list[str]]) -> list[str]:
        out: list[str] = []
        while True:
            with self.app.store.read() as tx:
                found = page(tx, out[-1] if out else "")
            out += found
            if len(found) < PAGE:
                return out

    def _holds(self, today: dt.date) -> list[Any]:
        out: list[Any] = []
        while True:
            with self.app.store.read() as tx:
                found = tx.ledger.stale_holds(today, PAGE, out[-1].id if out else "")
            out += found
            if len(found) < PAGE:
                return out

    def _with(self, account_id: str, do: Callable[[Desk, Open], int]) -> int:
        try:
            with self.app.store.begin() as tx:
                return do(*self._open(tx, account_id))
        except DatabaseBusy:
            return 0  # the next sweep

    def _open(self, tx: Tx, account_id: str) -> tuple[Desk, Open]:
        desk = Desk(tx, self.app.today())
        return desk, desk.again(kind_of(every_kind(self.app), tx.ledger.get(account_id)), account_id)

    def _lapse(self, desk: Desk, account: Open) -> int:
        return desk.lapse(account)

    def _notice(self, desk: Desk, account: Open) -> int:
        """One notice entry per last day, for everything that ends then."""
        today, ends = desk.today, dict[dt.date, list[Any]]()
        for lot in account.sheet.lots:
            if lot.expires is not None and lot.notice is not None and lot.notice <= today <= lot.expires and lot.left > 0:
                ends.setdefault(lot.expires, []).append(lot)
        for end, lots in sorted(ends.items()):
            more = {"on": end.isoformat(), "amount": sum(x.left for x in lots)}
            desk.do(account, Change("notice", ()), actor=SYSTEM, because="notice", more=more)
            desk.tx.ledger.noticed([x.id for x in lots])
        return len(ends)

    def _release(self, hold_id: str, account_id: str) -> int:
        def run(desk: Desk, account: Open) -> int:
            hold = next((h for h in desk.tx.ledger.holds(account_id) if h.id == hold_id), None)
            if hold is None:
                return 0
            number = desk.do(account, account.sheet.release(hold.amount), actor=SYSTEM, case_id=None, because="expired")
            desk.tx.ledger.close_hold(hold.id, "expired", number)
            return 1

        return self._with(account_id, run)

    # reconciliation

    def _month(self, month: Period) -> int:
        """The finished month of every kind, once: the record bears the month as its id."""
        over = dt.datetime.combine(month.next().first, dt.time(), ZONE)
        with self.app.store.read() as tx:
            kinds = [k for k in tx.ledger.kinds(over) if not tx.ledger.has_check(f"{k}/{month.text}")]
        return sum(self.reconcile(k, month.text, SYSTEM, monthly=True) is not None for k in kinds)

    def reconcile(self, kind: str, text: str, by: str, *, monthly: bool = False) -> LedgerCheck | None:
        """Proves that entries sum to balances, and keeps what it found. A difference is an incident."""
        with self.app.store.begin() as tx:
            book = tx.ledger
            totals, differences = reconcile(book.of_kind(kind), book.sums(kind), book.lot_sums(kind), book.hold_sums(kind))
            kept = book.keep_check(kind, period(text).text, by, totals, differences, f"{kind}/{text}" if monthly else "")
            if kept is not None and differences:
                tx.incidents.add("ledger", f"{kind} {text}：{len(differences)} 处账目不符", {"check": kept.id})
            return kept
