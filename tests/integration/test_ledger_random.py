"""Random entries, holds, sweeps and reversals through the store: after every step the books agree and the audit is clean."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from siquan.core.accounts.book import NotReversible, TooLittle
from siquan.core.accounts.kinds import kinds_of
from siquan.core.plugins import discover
from siquan.core.service.balances import Owner
from siquan.core.service.desk import Desk, Open, past_of
from siquan.core.testing.runner import world

CATALOGUE = discover(bundled=False, only=[Path(__file__).parents[2] / "plugins" / "volunteer_points"])
KIND = kinds_of(CATALOGUE.plugin("volunteer_points"))["volunteer_points.points"]
OWNERS = st.sampled_from(["a", "b"])


class Books(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = world(CATALOGUE, dt.date(2026, 11, 2))
        self.service = self.world.service

    def at(self, owner: str, do: Any) -> None:
        """One transaction on one account; what is refused is rolled back with everything before it."""
        try:
            with self.service.app.store.begin() as tx:
                desk = Desk(tx, self.service.app.today())
                do(desk, desk.open(KIND, Owner(f"person/{owner}", owner, "test/community")))
        except (TooLittle, NotReversible):
            pass

    @rule(owner=OWNERS, n=st.integers(-40, 40), days=st.one_of(st.none(), st.integers(0, 50)))
    def post(self, owner: str, n: int, days: int | None) -> None:
        def do(desk: Desk, account: Open) -> None:
            end = desk.today + dt.timedelta(days) if days is not None else None
            notice = end - dt.timedelta(10) if end else None
            desk.do(account, account.sheet.post(n, "issued", end, notice))

        if n:
            self.at(owner, do)

    @rule(owner=OWNERS, n=st.integers(1, 30), days=st.one_of(st.none(), st.integers(0, 30)))
    def hold(self, owner: str, n: int, days: int | None) -> None:
        def do(desk: Desk, account: Open) -> None:
            number = desk.do(account, account.sheet.hold(n))
            until = desk.today + dt.timedelta(days) if days is not None else None
            desk.tx.ledger.add_hold(account.row.id, "x", n, number, None, until)

        self.at(owner, do)

    @rule(owner=OWNERS, pick=st.integers(0, 9), used=st.one_of(st.none(), st.integers(0, 30)), capture=st.booleans())
    def settle(self, owner: str, pick: int, used: int | None, capture: bool) -> None:
        def do(desk: Desk, account: Open) -> None:
            holds = desk.tx.ledger.holds(account.row.id)
            if holds:
                hold = holds[pick % len(holds)]
                change = account.sheet.capture(hold.amount, used) if capture else account.sheet.release(hold.amount)
                desk.tx.ledger.close_hold(hold.id, "captured" if capture else "released", desk.do(account, change))

        self.at(owner, do)

    @rule(owner=OWNERS, pick=st.integers(0, 99))
    def reverse(self, owner: str, pick: int) -> None:
        def do(desk: Desk, account: Open) -> None:
            entries = desk.tx.ledger.entries(account.row.id)
            if entries:
                entry = entries[pick % len(entries)]
                change = account.sheet.reverse(past_of(desk.tx, entry), desk.today, desk.today + dt.timedelta(30))
                desk.do(account, change, reverses=entry.seq, note="录错了")

        self.at(owner, do)

    @rule(days=st.integers(1, 25))
    def time(self, days: int) -> None:
        self.world.clock.move(self.world.clock.day + dt.timedelta(days))
        self.service.sweep()
        assert not set(self.service.sweep()) & {"expired", "noticed", "released", "reconciled"}

    @invariant()
    def books_agree(self) -> None:
        assert self.service.audit_verify() == []
        with self.service.app.store.read() as tx:
            accounts = tx.ledger.of_kind(KIND.id)
            sums, lots, holds = tx.ledger.sums(KIND.id), tx.ledger.lot_sums(KIND.id), tx.ledger.hold_sums(KIND.id)
        for a in accounts:
            own = sums.get(a.id, {})
            assert 0 <= a.held <= a.balance == own.get("free", 0) + own.get("held", 0) == lots.get(a.id, 0)
            assert a.held == own.get("held", 0) == holds.get(a.id, 0) and sum(own.values()) == 0


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
