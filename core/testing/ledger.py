"""Accounts in a test case: what stands in them before, and what is expected of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from siquan.core.accounts.kinds import Kind, kinds_of
from siquan.core.errors import BadInput
from siquan.core.service import Siquan
from siquan.core.service.balances import Owner
from siquan.core.service.desk import Desk
from siquan.core.store.ledger_rows import LedgerAccount, LedgerEntry
from siquan.core.store.transaction import Tx

PLACE = "test/community"


def _kind(service: Siquan, plugin: str, name: str) -> Kind:
    kinds = kinds_of(service.app.force.shipped(plugin).spec)
    found = kinds.get(f"{plugin}.{name}")
    if found is None:
        raise BadInput(why=f"没有账户 `{name}`", help="已有：" + "、".join(k.partition(".")[2] for k in kinds))
    return found


def _owner(kind: Kind, name: str, people: Mapping[str, str]) -> Owner:
    """`place` is the case's place; a name is the person of that name in the case, else the text itself."""
    if kind.owner in ("unit", "compound"):
        where = PLACE if name == "place" else name
        return Owner(f"unit/{where}", name, where)
    found = next((id for key, id in people.items() if key.partition(":")[2] == name), name)
    return Owner(f"{kind.owner}/{found}", name, PLACE)


def bring(service: Siquan, plugin: str, accounts: Mapping[str, Mapping[str, Any]], people: Mapping[str, str]) -> None:
    """Account -> owner -> amount, posted before the case is opened."""
    with service.app.store.begin() as tx:
        desk = Desk(tx, service.app.today())
        for name, owners in sorted(accounts.items()):
            kind = _kind(service, plugin, name)
            for owner, amount in sorted(owners.items()):
                account = desk.open(kind, _owner(kind, owner, people))
                desk.do(account, account.sheet.post(kind.minor(_number(amount)), "adjusted"), because="用例的起点")


def _number(text: Any) -> Decimal:
    try:
        return Decimal(text.numerator) / Decimal(text.denominator) if isinstance(text, Fraction) else Decimal(str(text))
    except InvalidOperation:
        raise BadInput(why=f"`{text}` 不是数") from None


def off(service: Siquan, plugin: str, wanted: Mapping[str, Any], people: Mapping[str, str]) -> list[str]:
    """What differs: `points: 12` is the balance of all owners together, `points: {甲: 12}` of one, `points: {held: 3,
    available: 9}` one of the sums."""
    out = []
    for name, value in wanted.items():
        kind = _kind(service, plugin, name)
        with service.app.store.read() as tx:
            rows = tx.ledger.of_kind(kind.id)
        parts = value if isinstance(value, Mapping) else {"balance": value}
        for part, number in parts.items():
            have = kind.exact(_sum(kind, rows, part, people))
            if have != _number(number):
                out.append(f"账户 {name} 的 {part} 应为 {number}，实为 {have}")
    return out


def _sum(kind: Kind, rows: list[LedgerAccount], part: str, people: Mapping[str, str]) -> int:
    if part in ("balance", "held", "available"):
        return sum(r.balance if part == "balance" else r.held if part == "held" else r.balance - r.held for r in rows)
    ref = _owner(kind, part, people).ref
    return sum(r.balance for r in rows if r.owner == ref)


def around(
    tx: Tx, service: Siquan, plugin: str, cases: Collection[str], read: Collection[tuple[str, str]], named: Callable[[str], str]
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """(what could be spent before the first entry of the cases, what stands after their last) of every account they posted to
    or read, as `accounts` and `expect_accounts` of a test case. `read` are (kind, owner); `named` is the word for an owner."""
    kinds = kinds_of(service.app.force.shipped(plugin).spec)
    first: dict[str, int] = {}
    for case in cases:
        for entry in tx.ledger.of_case(case):
            first[entry.account_id] = min(entry.seq, first.get(entry.account_id, entry.seq))
    rows = {id: tx.ledger.get(id) for id in first}
    for kind, owner in read:
        row = tx.ledger.find(kind, owner)
        if row is not None and row.id not in rows:
            rows[row.id] = row
    before: dict[str, dict[str, Any]] = {}
    after: dict[str, dict[str, int]] = {}
    for id, row in sorted(rows.items(), key=lambda r: (r[1].kind, r[1].owner)):
        if row.kind not in kinds:
            continue
        entries = tx.ledger.entries(id)
        start = sum(_line(e, "free") for e in entries if e.seq < first.get(id, row.last_seq + 1))
        short, where = row.kind.partition(".")[2], row.owner.partition("/")[2]
        owner = "place" if kinds[row.kind].owner in ("unit", "compound") else named(where)
        if start:
            before.setdefault(short, {})[owner] = kinds[row.kind].exact(start)
        mine = [e for e in entries if e.case_id in cases]
        if mine:
            sums = after.setdefault(row.kind, {"available": 0, "held": 0})
            sums["available"] += start + sum(_line(e, "free") for e in mine)
            sums["held"] += sum(_line(e, "held") for e in mine)
    return before, {k.partition(".")[2]: {part: kinds[k].exact(n) for part, n in sums.items()} for k, sums in after.items()}


def _line(entry: LedgerEntry, part: str) -> int:
    return sum(int(amount) for name, amount in entry.data["lines"] if name == part)
