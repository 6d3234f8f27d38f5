"""Accounts through the service, on both databases: postings in the act, time, reversal, proof, and fifty at once."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from siquan.core.accounts.book import NotReversible
from siquan.core.errors import BadInput, NoAccess, Refused, SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.service.account_access import every_kind
from siquan.core.service.acts import StepRefused
from siquan.core.service.balances import Owner
from siquan.core.service.desk import Desk
from siquan.core.store.ledger_rows import LedgerAccount
from siquan.core.store.tables import ledger_account, ledger_entry, ledger_lot, ledger_posting

VOLUNTEERS = Path(__file__).parents[2] / "plugins" / "volunteer_points"
PEOPLE = (
    ("clerk", "wutongli", "clerk"), ("admin", "wutongli", "points_admin"), ("admin2", "wutongli", "points_admin"), ("vol", "wutongli", ""),
    ("other", "xiaoqiaotou", "clerk points_admin"), ("both", "wutongli", "clerk points_admin"),
)  # fmt: skip
P = "volunteer_points."


@pytest.fixture
def points(load_plugins: Callable[..., Catalogue]) -> Catalogue:
    return load_plugins(VOLUNTEERS)


@pytest.fixture
def town(database: str, points: Catalogue, make_town: Callable[..., Any]) -> Any:
    made = make_town(database, points)
    made.settle(PEOPLE)
    return made


@pytest.fixture
def small(sqlite_url: str, points: Catalogue, make_town: Callable[..., Any]) -> Any:
    made = make_town(sqlite_url, points)
    made.settle(PEOPLE)
    return made


def serve(town: Any, minutes: int = 60, **facts: Any) -> str:
    """A service up to the confirmation."""
    case = town.siquan.open_case(P + "service", "clerk", "wutongli", {"demand": "陪同就医", "requester": "居民"}).case
    town.siquan.act(case, "dispatch", "clerk", {"volunteer": "vol", "accepted_by": "self", "relative": False, "risk": False})
    town.siquan.act(case, "check_out", "clerk", {"minutes": minutes, "difficulty": "normal"})
    return str(case)


def confirm(town: Any, case: str, key: str | None = None, **facts: Any) -> Any:
    given = {"requester_ok": True, "complaint": False, "keep_as": "points", **facts}
    return town.siquan.act(case, "confirm", "admin", given, key=key)


def fill(town: Any, kind: str, owner: str, amount: int, expires: dt.date | None = None, notice: dt.date | None = None) -> str:
    with town.store.begin() as tx:
        desk = Desk(tx, town.siquan.app.today())
        ref = f"unit/{owner}" if ".stock." in kind else f"person/{owner}"
        account = desk.open(every_kind(town.siquan.app)[kind], Owner(ref, owner, "wutongli"))
        desk.do(account, account.sheet.post(amount, "adjusted", expires, notice))
        return account.row.id


def row(town: Any, kind: str, owner: str) -> LedgerAccount:
    with town.store.read() as tx:
        found = tx.ledger.find(kind, owner)
    assert found is not None
    return found


def sound(town: Any) -> None:
    town.whole()
    for kind in town.siquan.ledger_kinds():
        check = town.siquan._ledger_time.reconcile(kind, "2026-11", "admin")
        assert check.differences == []


def test_an_act_posts_once_and_stands_on_its_decision(town: Any) -> None:
    case = serve(town, 100)
    confirm(town, case, key="k1")
    assert confirm(town, case, key="k1").repeated
    with pytest.raises(SiquanError):
        confirm(town, case)
    page = town.siquan.ledger_account(row(town, P + "points", "person/vol").id, "vol")
    assert (page.opening, page.closing, page.card.available) == ("0", "15", "15")
    entry = page.entries[0]
    assert (entry.amount, entry.because, entry.case) == ("+15", "VP-01", case)
    assert entry.decision == town.decisions(case)[-1].id
    assert town.events(case)[-1].data["postings"][0][1] == 1
    assert page.lots[0].expires == dt.date(2028, 11, 23)
    sound(town)


def test_a_refused_act_posts_nothing(town: Any) -> None:
    case = serve(town)
    with pytest.raises(StepRefused):
        confirm(town, case, requester_ok=False)
    with town.store.read() as tx:
        assert tx.ledger.find(P + "points", "person/vol") is None
    sound(town)


def test_the_page_says_before_what_will_be_posted(small: Any) -> None:
    case = serve(small, 100)
    preview = small.siquan.form(case, "confirm", "admin", {"requester_ok": True, "complaint": False, "keep_as": "points"})
    assert any("vol" in text and "+15" in text for text in preview.consequences), preview.consequences
    fill(small, P + "stock.rice", "wutongli", 1)
    opened = small.siquan.open_case(P + "redemption", "clerk", "wutongli", {"volunteer": "vol", "gift": "rice", "quantity": 1}).case
    shown = small.siquan.form(opened, "order", "clerk", {"volunteer": "vol", "gift": "rice", "quantity": 1})
    assert not shown.allowed and any("可用 0分，需要 80分" in b.message for b in shown.blocks)
    with small.store.read() as tx:
        assert tx.ledger.find(P + "points", "person/vol") is None


def test_an_order_is_the_case_and_its_hold_or_nothing(town: Any) -> None:
    fill(town, P + "points", "vol", 100)
    with pytest.raises(StepRefused) as refused:
        town.siquan.order_gift(P + "redemption", "wutongli", "rice", "1", "vol", "clerk", "a")
    assert "库存" in refused.value.text("zh")
    fill(town, P + "stock.rice", "wutongli", 5)
    first = town.siquan.order_gift(P + "redemption", "wutongli", "rice", "1", "vol", "clerk", "b")
    assert town.siquan.order_gift(P + "redemption", "wutongli", "rice", "1", "vol", "clerk", "b").case == first.case
    with pytest.raises(NoAccess):
        town.siquan.order_gift(P + "redemption", "wutongli", "rice", "1", "clerk", "clerk")
    assert (row(town, P + "points", "person/vol").held, row(town, P + "stock.rice", "unit/wutongli").held) == (80, 1)
    with town.store.read() as tx:
        assert tx.cases.count_by_process() == {P + "redemption": (1, 0)}
    town.siquan.act(first.case, "deliver", "clerk")
    assert row(town, P + "points", "person/vol").balance == 20
    sound(town)


def test_the_quarter_counts_orders(small: Any) -> None:
    fill(small, P + "points", "vol", 500)
    fill(small, P + "stock.towel", "wutongli", 9)
    first = small.siquan.order_gift(P + "redemption", "wutongli", "towel", "1", "vol", "clerk")
    with pytest.raises(StepRefused) as refused:
        small.siquan.order_gift(P + "redemption", "wutongli", "towel", "1", "vol", "clerk")
    assert [b.rule for b in refused.value.blocks] == ["VP-13"]
    small.siquan.act(first.case, "cancel", "clerk")
    small.siquan.order_gift(P + "redemption", "wutongli", "towel", "1", "vol", "clerk")
    small.clock.move(dt.date(2027, 1, 4))
    small.siquan.sweep()
    small.siquan.order_gift(P + "redemption", "wutongli", "towel", "1", "vol", "clerk")
    sound(small)


def test_fifty_orders_at_once_spend_nothing_twice(town: Any) -> None:
    """Fifty people order the last ten; then one person with points for three is ordered for by fifty clerks."""
    for n in range(50):
        fill(town, P + "points", f"v{n}", 20)
    fill(town, P + "stock.towel", "wutongli", 10)
    done, refused = together(lambda n: town.siquan.order_gift(P + "redemption", "wutongli", "towel", "1", f"v{n}", "clerk"), 50)
    assert (len(done), len(refused)) == (10, 40) and all(isinstance(x, Refused) for x in refused)
    stock = row(town, P + "stock.towel", "unit/wutongli")
    assert (stock.balance, stock.held) == (10, 10)
    with town.store.read() as tx:
        held = [tx.ledger.find(P + "points", f"person/v{n}") for n in range(50)]
    assert sum(a.held for a in held if a) == 150 and all(a.balance == 20 for a in held if a)
    sound(town)


def test_one_account_under_fifty_acts(town: Any) -> None:
    fill(town, P + "points", "vol", 45)
    account = row(town, P + "points", "person/vol").id

    def take(n: int) -> None:
        with town.store.begin() as tx:
            desk = Desk(tx, town.siquan.app.today())
            found = desk.again(every_kind(town.siquan.app)[P + "points"], account)
            change = found.sheet.post(1, "issued") if n % 5 == 0 else found.sheet.hold(2) if n % 2 else found.sheet.post(-2, "adjusted")
            number = desk.do(found, change)
            if change.what == "hold":
                tx.ledger.add_hold(account, "x", 2, number, None, None)

    done, refused = together(take, 50)
    assert done and refused and all(isinstance(x, Refused) for x in refused)
    after = row(town, P + "points", "person/vol")
    assert after.balance - after.held in (0, 1) and after.last_seq == 1 + len(done)
    sound(town)


def test_an_account_first_used_by_many_at_once_is_one(town: Any) -> None:
    done, refused = together(lambda n: fill(town, P + "points", "vol", 1), 12)
    assert not refused and len(set(done)) == 1
    assert row(town, P + "points", "person/vol").balance == 12


def together(do: Callable[[int], Any], n: int) -> tuple[list[Any], list[BaseException]]:
    first = min(10, n)
    start = threading.Barrier(first)
    done, failed = [], list[BaseException]()

    def run(k: int) -> None:
        if k < first:
            start.wait()
        try:
            done.append(do(k))
        except SiquanError as fault:
            failed.append(fault)

    with ThreadPoolExecutor(first) as pool:
        for future in [pool.submit(run, k) for k in range(n)]:
            future.result()
    return done, failed


def test_notice_then_expiry_once_with_two_sweeps(town: Any) -> None:
    today = dt.date(2026, 11, 23)
    account = fill(town, P + "points", "vol", 30, today + dt.timedelta(40), today + dt.timedelta(10))
    fill(town, P + "points", "vol", 7)
    town.clock.move(today + dt.timedelta(10))
    assert sum(x.get("noticed", 0) for x in together(lambda n: town.siquan.sweep(), 4)[0]) == 1
    town.clock.move(today + dt.timedelta(40))
    assert "expired" not in town.siquan.sweep()
    town.clock.move(today + dt.timedelta(41))
    assert sum(x.get("expired", 0) for x in together(lambda n: town.siquan.sweep(), 4)[0]) == 1
    assert town.siquan.sweep().get("expired") is None
    page = town.siquan.ledger_account(account, "vol", "zh", "2026-12")
    assert [(e.title, e.amount) for e in page.entries] == [("到期提醒", "30")] and page.closing == "37"
    page = town.siquan.ledger_account(account, "vol", "zh", "2027-01")
    assert [(e.title, e.amount, e.after) for e in page.entries] == [("到期", "-30", "7")] and page.opening == "37"
    sound(town)


def test_what_is_overdue_cannot_be_spent_before_the_sweep(small: Any) -> None:
    fill(small, P + "points", "vol", 100, dt.date(2026, 11, 30))
    fill(small, P + "stock.rice", "wutongli", 1)
    small.clock.move(dt.date(2026, 12, 1))
    with pytest.raises(StepRefused):
        small.siquan.order_gift(P + "redemption", "wutongli", "rice", "1", "vol", "clerk")


def test_a_hold_runs_out_once(town: Any) -> None:
    account = fill(town, P + "points", "vol", 30)
    with town.store.begin() as tx:
        desk = Desk(tx, town.siquan.app.today())
        found = desk.again(every_kind(town.siquan.app)[P + "points"], account)
        tx.ledger.add_hold(account, "x", 20, desk.do(found, found.sheet.hold(20)), None, dt.date(2026, 11, 30))
    town.clock.move(dt.date(2026, 12, 1))
    assert sum(x.get("released", 0) for x in together(lambda n: town.siquan.sweep(), 4)[0]) == 1
    assert row(town, P + "points", "person/vol").held == 0
    sound(town)


def test_a_reversal_needs_a_reason_and_a_second_person_and_happens_once(town: Any) -> None:
    confirm(town, serve(town))
    account = row(town, P + "points", "person/vol").id
    with pytest.raises(BadInput):
        town.siquan.ask_reversal(account, 1, "admin", " ")
    for nobody in ("vol", "other"):
        with pytest.raises(NoAccess):
            town.siquan.ask_reversal(account, 1, nobody, "录错了")
    asked = town.siquan.ask_reversal(account, 1, "admin", "录错了", "key")
    assert town.siquan.ask_reversal(account, 1, "admin", "录错了", "key") == asked
    with pytest.raises(NotReversible):
        town.siquan.ask_reversal(account, 1, "admin2", "也录错了")
    with pytest.raises(NoAccess):
        town.siquan.decide_reversal(asked, "admin", True)
    number = town.siquan.decide_reversal(asked, "admin2", True)
    with pytest.raises(Refused):
        town.siquan.decide_reversal(asked, "admin2", True)
    page = town.siquan.ledger_account(account, "admin")
    last = page.entries[-1]
    assert (last.seq, last.amount, last.after, last.reverses, last.actor, last.second, last.note) == (number, "-10", "0", 1, "admin", "admin2", "录错了")
    assert page.entries[0].reversed_by == number and not page.entries[0].reversible
    for seq in (1, number):  # a double reversal, a reversal of a reversal
        with pytest.raises(NotReversible):
            town.siquan.ask_reversal(account, seq, "admin", "再冲一次")
    sound(town)


def test_a_reversal_that_would_be_negative_is_refused(small: Any) -> None:
    confirm(small, serve(small, 240))
    fill(small, P + "stock.towel", "wutongli", 1)
    small.siquan.order_gift(P + "redemption", "wutongli", "towel", "1", "vol", "clerk")
    account = row(small, P + "points", "person/vol").id
    with pytest.raises(NotReversible) as refused:
        small.siquan.ask_reversal(account, 1, "admin", "录错了")
    assert "可用只有 25分" in refused.value.text("zh")


def test_a_reversal_turned_down_may_be_asked_again(small: Any) -> None:
    confirm(small, serve(small))
    account = row(small, P + "points", "person/vol").id
    asked = small.siquan.ask_reversal(account, 1, "admin", "录错了")
    assert small.siquan.decide_reversal(asked, "admin2", False) == 0
    small.siquan.ask_reversal(account, 1, "admin", "还是录错了")
    assert row(small, P + "points", "person/vol").balance == 10


def test_whose_account_may_be_seen(small: Any) -> None:
    confirm(small, serve(small))
    account = row(small, P + "points", "person/vol").id
    assert small.siquan.ledger_account(account, "vol").keeper is False
    assert small.siquan.ledger_account(account, "clerk").keeper is True
    for stranger in ("other", "nobody"):
        with pytest.raises(SiquanError):
            small.siquan.ledger_account(account, stranger)
    assert [c.owner for c in small.siquan.ledger("clerk").kept] == ["vol"] and not small.siquan.ledger("other").kept
    assert len(small.siquan.ledger("vol").mine) == 1 and not small.siquan.ledger("vol").keeper


def test_a_statement_as_a_workbook(small: Any) -> None:
    confirm(small, serve(small))
    account = row(small, P + "points", "person/vol").id
    asked = small.siquan.ask_reversal(account, 1, "admin", "=1+1")
    small.siquan.decide_reversal(asked, "admin2", True)
    name, data = small.siquan.statement(account, "vol", "2026-11")
    sheet = load_workbook(BytesIO(data)).active
    assert name.endswith(".xlsx") and [c.value for c in sheet[5]][:6] == [1, dt.datetime(2026, 11, 23), "记入", "+10", "10", "VP-01"]
    assert sheet["J6"].value == "=1+1" and sheet["J6"].data_type == "s"


def test_the_month_is_reconciled_once_and_differences_are_named(town: Any) -> None:
    confirm(town, serve(town))
    town.clock.move(dt.date(2026, 12, 1))
    assert town.siquan.sweep()["reconciled"] == 1 and "reconciled" not in town.siquan.sweep()
    line = town.siquan.ledger_checks("admin")[0]
    assert (line.period, line.accounts, line.differences) == ("2026-11", 1, ()) and ("余额合计", "10") in line.totals
    account = row(town, P + "points", "person/vol").id
    with town.store.engine.begin() as conn:
        conn.execute(sa.update(ledger_account).where(ledger_account.c.id == account).values(balance=99))
    found = town.siquan.reconcile("2026-12", "admin")[0]
    assert any("vol" in text and "99" in text and "10" in text for text in found.differences)
    with town.store.read() as tx:
        assert [i.kind for i in tx.incidents.latest()] == ["ledger"]


@pytest.mark.parametrize(
    ("table", "values", "code"),
    [
        (ledger_account, {"balance": 1000}, "SQA33"),
        (ledger_account, {"owner": "person/thief"}, "SQA34"),
        (ledger_account, {"floor": -1000}, "SQA34"),
        (ledger_posting, {"amount": 5}, "SQA32"),
        (ledger_lot, {"remain": 11}, "SQA33"),
        (ledger_entry, {"because": "VP-99"}, "SQA30"),
        (ledger_entry, {"hash": "0" * 64}, "SQA35"),
        (ledger_entry, {"case_id": None}, "SQA35"),
    ],
)
def test_the_audit_finds_an_edit(small: Any, table: Any, values: Any, code: str) -> None:
    confirm(small, serve(small))
    assert small.siquan.audit_verify() == []
    with small.store.engine.begin() as conn:
        conn.execute(sa.update(table).values(values))
    assert code in {f.code for f in small.siquan.audit_verify()}


def test_the_audit_finds_a_deleted_entry(small: Any) -> None:
    case = serve(small)
    confirm(small, case)
    with small.store.engine.begin() as conn:
        for table in (ledger_posting, ledger_entry, ledger_lot):
            conn.execute(sa.delete(table))
        conn.execute(sa.update(ledger_account).values(balance=0, held=0, last_seq=0, last_hash="0" * 64))
    assert {f.code for f in small.siquan.audit_verify(case)} == {"SQA35"}
