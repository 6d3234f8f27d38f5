"""The arithmetic of accounts: random entries in any order, and what must hold after each of them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from siquan.core.accounts.book import Change, NotReversible, Past, Sheet, TooLittle, Unbalanced
from siquan.core.accounts.kinds import Kind, NoAmount, after, before, shown
from siquan.core.accounts.statement import NoPeriod, period, period_of, reconcile

DAY = dt.date(2026, 11, 24)


class Ledger(RuleBasedStateMachine):
    """One account driven at random; beside it a plain model that knows only sums."""

    score = False
    floor = 0

    def __init__(self) -> None:
        super().__init__()
        self.sheet = Sheet(floor=self.floor, score=self.score)
        self.today, self.seq, self.made = DAY, 0, 0
        self.past: list[Past] = []
        self.holds: list[int] = []
        self.lines: dict[str, int] = {}

    def write(self, change: Change) -> None:
        self.seq += 1
        ids = [f"lot{self.made + n}" for n in range(len(change.new))]
        self.made += len(ids)
        before = {x.id: x for x in self.sheet.lots}
        self.sheet = self.sheet.then(change, self.seq, self.today, ids)
        for line in change.lines:
            self.lines[line.part] = self.lines.get(line.part, 0) + line.amount
        took = tuple((-by, before[id].expires, before[id].got) for id, by in change.moves if by < 0)
        self.past.append(Past(self.seq, change.what, change.lines, False, took))

    @rule(n=st.integers(1, 50), days=st.one_of(st.none(), st.integers(0, 40)))
    def bring(self, n: int, days: int | None) -> None:
        self.write(self.sheet.post(n, "issued", self.today + dt.timedelta(days) if days is not None else None))

    @rule(n=st.integers(1, 60), days=st.one_of(st.none(), st.integers(0, 40)))
    def take(self, n: int, days: int | None) -> None:
        end = self.today + dt.timedelta(days) if days is not None else None
        if self.sheet.free < n:
            with pytest.raises(TooLittle):
                self.sheet.post(-n, "adjusted", end)
        else:
            self.write(self.sheet.post(-n, "adjusted", end))

    @rule(n=st.integers(1, 60))
    def hold(self, n: int) -> None:
        if self.sheet.free < n:
            with pytest.raises(TooLittle):
                self.sheet.hold(n)
        else:
            self.write(self.sheet.hold(n))
            self.holds.append(n)

    @precondition(lambda self: self.holds)
    @rule(pick=st.integers(0, 99), used=st.one_of(st.none(), st.integers(0, 60)))
    def capture(self, pick: int, used: int | None) -> None:
        self.write(self.sheet.capture(self.holds.pop(pick % len(self.holds)), used))

    @precondition(lambda self: self.holds)
    @rule(pick=st.integers(0, 99))
    def release(self, pick: int) -> None:
        self.write(self.sheet.release(self.holds.pop(pick % len(self.holds))))

    @rule(days=st.integers(1, 20))
    def time(self, days: int) -> None:
        self.today += dt.timedelta(days)
        for lot in self.sheet.due(self.today):
            change = self.sheet.expire(lot)
            if change is not None:
                self.write(change)
        # what is still overdue cannot lapse: it is held, or it would go below the floor
        assert self.sheet.free == 0 or not self.sheet.due(self.today)

    @precondition(lambda self: self.past)
    @rule(pick=st.integers(0, 999))
    def reverse(self, pick: int) -> None:
        past = self.past[pick % len(self.past)]
        try:
            change = self.sheet.reverse(past, self.today, self.today + dt.timedelta(30))
        except NotReversible:
            return
        assert change.own == -past.own
        self.write(change)
        self.past[pick % len(self.past)] = Past(past.seq, past.what, past.lines, True, past.took)
        with pytest.raises(NotReversible):
            self.sheet.reverse(self.past[pick % len(self.past)], self.today)
        with pytest.raises(NotReversible):
            self.sheet.reverse(self.past[-1], self.today)

    @invariant()
    def holds_together(self) -> None:
        sheet = self.sheet
        assert sheet.balance - sheet.held >= self.floor and sheet.held >= 0
        assert sum(self.lines.values()) == 0
        assert sheet.balance == self.lines.get("free", 0) + self.lines.get("held", 0)
        assert sheet.held == self.lines.get("held", 0) == sum(self.holds)
        assert sum(x.left for x in sheet.lots) == sheet.balance
        if not self.score:
            assert all(x.left > 0 for x in sheet.lots)


class Score(Ledger):
    score = True
    floor = -20


quick = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestPoints = Ledger.TestCase
TestPoints.settings = quick
TestScore = Score.TestCase
TestScore.settings = quick


def sheet(*amounts: tuple[int, str | None], **more: Any) -> Sheet:
    out = Sheet(**more)
    for n, (amount, end) in enumerate(amounts, 1):
        out = out.then(out.post(amount, "issued", dt.date.fromisoformat(end) if end else None), n, DAY, [f"l{n}"])
    return out


def test_the_oldest_points_go_first() -> None:
    account = sheet((10, "2027-06-30"), (10, None), (10, "2027-01-31"))
    assert account.post(-15, "adjusted").moves == (("l3", -10), ("l1", -5))


def test_what_is_held_does_not_lapse_until_it_is_released() -> None:
    account = sheet((10, "2026-12-01"))
    account = account.then(account.hold(8), 2, DAY, [])
    late = dt.date(2026, 12, 2)
    change = account.expire(account.due(late)[0])
    assert change is not None and change.own == -2
    account = account.then(change, 3, late, [])
    assert account.expire(account.due(late)[0]) is None
    account = account.then(account.release(8), 4, late, [])
    change = account.expire(account.due(late)[0])
    assert change is not None and change.own == -8


def test_a_lot_is_good_on_its_last_day() -> None:
    account = sheet((10, "2026-12-01"))
    assert account.due(dt.date(2026, 12, 1)) == [] and len(account.due(dt.date(2026, 12, 2))) == 1


def test_a_deduction_lapses_and_gives_back() -> None:
    account = sheet((100, None), score=True)
    account = account.then(account.post(-3, "issued", dt.date(2027, 11, 24)), 2, DAY, ["d"])
    assert account.balance == 97
    change = account.expire(account.due(dt.date(2027, 11, 25))[0])
    assert change is not None and change.own == 3


def test_a_reversal_that_would_be_negative_is_refused_with_the_sum() -> None:
    account = sheet((22, None), title="积分", unit="分")
    past = Past(1, "post", account.post(22, "issued").lines)
    spent = account.then(account.post(-20, "adjusted"), 2, DAY, [])
    with pytest.raises(NotReversible) as refused:
        spent.reverse(past, DAY)
    assert "可用只有 2分" in refused.value.text("zh") and "22分" in refused.value.text("zh")


def test_a_reversed_capture_comes_back_with_days_to_use_it() -> None:
    account = sheet((10, "2026-11-26"))
    account = account.then(account.hold(10), 2, DAY, [])
    used = account.capture(10)
    account = account.then(used, 3, DAY, [])
    past = Past(3, "capture", used.lines, False, ((10, dt.date(2026, 11, 26), DAY),))
    back = account.reverse(past, DAY, dt.date(2026, 12, 24))
    assert [(x.amount, x.expires) for x in back.new] == [(10, dt.date(2026, 12, 24))]


def test_an_entry_that_does_not_balance_is_never_written() -> None:
    account = sheet((10, None))
    change = account.post(-4, "adjusted")
    with pytest.raises(Unbalanced):
        account.then(Change("post", change.lines[:1], change.moves), 2, DAY, [])
    with pytest.raises(Unbalanced):
        account.then(Change("post", change.lines), 2, DAY, [])


def test_amounts_are_exact_and_cut_to_the_decimals() -> None:
    hours = Kind("p.h", "时间", "小时", "person", 1)
    assert hours.minor(Decimal("1.5")) == 15 and hours.minor(Fraction(5, 3)) == 16 and hours.minor(Fraction(-5, 3)) == -16
    assert hours.exact(15) == Fraction(3, 2) and hours.text(-15) == "-1.5" and shown(5, 2) == "0.05"
    for wrong in (True, "10", None, 10**20, 1.5):
        with pytest.raises(NoAmount):
            hours.minor(wrong)


def test_spans() -> None:
    def number(text: str) -> Any:
        return {"vp.valid": 24}.get(text, int(text) if text.isdigit() else None)

    assert after("2 years", dt.date(2024, 2, 29), number) == dt.date(2026, 2, 28)
    assert after("vp.valid months", DAY, number) == dt.date(2028, 11, 24)
    assert after("30 days", DAY, number) == dt.date(2026, 12, 24)
    assert after("1 years", DAY, lambda text: Decimal(text)) == dt.date(2027, 11, 24)
    assert after("12-31", DAY, number) == dt.date(2026, 12, 31) and after("01-31", DAY, number) == dt.date(2027, 1, 31)
    assert after("02-29", DAY, number) == dt.date(2028, 2, 29)
    assert after("lost months", DAY, number) is None and after("", DAY, number) is None
    assert before("30 days", dt.date(2026, 12, 24), number) == DAY and before("30 days", None, number) is None


def test_periods() -> None:
    assert period("2026-11").last == dt.date(2026, 11, 30) and period("2026-Q1").last == dt.date(2026, 3, 31)
    assert period("2026").first == dt.date(2026, 1, 1)
    assert period("2026-01").previous().text == "2025-12" and period("2026-Q4").next().text == "2027-Q1"
    assert period("2026").previous().text == "2025" and period_of(DAY, "quarterly").text == "2026-Q4"
    for wrong in ("2026-13", "2026-Q5", "x", "2026-1", ""):
        with pytest.raises(NoPeriod):
            period(wrong)


class Row:
    id, floor, balance, held = "a", 0, 10, 4


def test_a_reconciliation_names_what_differs() -> None:
    assert reconcile([Row()], {"a": {"free": 6, "held": 4, "issued": -10}}, {"a": 10}, {"a": 4})[1] == []
    found = reconcile([Row()], {"a": {"free": 5, "held": 4, "issued": -10}}, {"a": 9}, {"a": 3})[1]
    assert [d["what"] for d in found] == ["balance", "zero", "lots", "holds"]
