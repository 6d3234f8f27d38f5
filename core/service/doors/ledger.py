"""Accounts: what is kept of persons, organisations and places."""

from __future__ import annotations

from typing import Any

from siquan.core.accounts.views import AccountPage, CheckLine
from siquan.core.accounts.views import Accounts as LedgerView
from siquan.core.accounts.views import Catalogue as GiftCatalogue
from siquan.core.service.account_pages import AccountPages
from siquan.core.service.app import App
from siquan.core.service.counter_entries import CounterEntries
from siquan.core.service.ledger_time import LedgerTime
from siquan.core.service.orders import Orders
from siquan.core.sheets.statement import statement_file
from siquan.core.views import (
    ActResult,
)


class LedgerDoor:
    app: App
    _ledger: AccountPages
    _ledger_time: LedgerTime
    _counter: CounterEntries
    _orders: Orders

    def ledger(self, person: str, lang: str = "zh", kind: str = "", words: str = "", place: str = "") -> LedgerView:
        """A person's own accounts, those he keeps, and the reversals that wait."""
        return self._ledger.cards(person, lang, kind, words, place)

    def ledger_account(self, account: str, person: str, lang: str = "zh", period: str = "") -> AccountPage:
        return self._ledger.page(account, person, lang, period)

    def statement(self, account: str, person: str, period: str = "") -> tuple[str, bytes]:
        return statement_file(self._ledger.page(account, person, "zh", period))

    def ask_reversal(self, account: str, entry: int, person: str, reason: str, key: str | None = None) -> str:
        return self._counter.ask(account, entry, person, reason, key)

    def decide_reversal(self, reversal: str, person: str, agree: bool) -> int:
        return self._counter.decide(reversal, person, agree)

    def gifts(self, person: str, place: str = "") -> tuple[GiftCatalogue, ...]:
        return self._ledger.catalogue(person, place)

    def order_gift(self, process: str, place: str, gift: str, quantity: Any, owner: str, person: str, key: str | None = None) -> ActResult:
        return self._orders.order(process, place, gift, quantity, owner, person, key)

    def ledger_checks(self, person: str, lang: str = "zh") -> tuple[CheckLine, ...]:
        return self._ledger.checks(person, lang)

    def reconcile(self, period: str, person: str = "") -> tuple[CheckLine, ...]:
        """Now, for every kind of account the person keeps; without a person (the command line) for all."""
        kinds = self._ledger.must_reconcile(person) if person else self.ledger_kinds()
        made = {c.id for k in kinds if (c := self._ledger_time.reconcile(k, period, person or "system"))}
        lines = self._ledger.checks(person, "zh") if person else self._ledger.every_check("zh")
        return tuple(x for x in lines if x.id in made)

    def ledger_kinds(self) -> list[str]:
        with self.app.store.read() as tx:
            return tx.ledger.kinds()
