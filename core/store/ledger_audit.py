"""The ledger read again: each account's chain, its lines, lots and holds against the row, its entries against the events
that name them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from siquan.core.store import chain
from siquan.core.store import tables as t
from siquan.core.store.canonical import canonical, parse
from siquan.core.store.ledger import entry_hash, owner_commitment
from siquan.core.store.ledger_rows import LedgerAccount
from siquan.core.store.repository import select

_A, _E, _P, _L, _H = t.ledger_account.c, t.ledger_entry.c, t.ledger_posting.c, t.ledger_lot.c, t.ledger_hold.c

MESSAGES = {
    "SQA30": ("账户 `{0}` 第 {1} 笔与其哈希不符", "entry {1} of the account `{0}` does not match its hash"),
    "SQA31": ("账户 `{0}` 第 {1} 笔与上一笔接不上", "entry {1} of the account `{0}` does not follow on the one before"),
    "SQA32": ("账户 `{0}` 第 {1} 笔的借贷与所记不符", "the lines of entry {1} of the account `{0}` are not those it was written with"),
    "SQA33": ("账户 `{0}` 的{1}为 {2}，各笔合计 {3}", "the {1} of the account `{0}` is {2}, its entries sum to {3}"),
    "SQA34": ("账户 `{0}` 的户主或规则与开户时不符", "the owner or the rules of the account `{0}` are not those it was opened with"),
    "SQA35": ("账户 `{0}` 第 {1} 笔与事项经过所记不符", "entry {1} of the account `{0}` is not what the case's event says"),
    "SQA36": ("账户 `{0}` 第 {1} 笔的理由与留存的承诺不符", "the reason of entry {1} of the account `{0}` does not match its commitment"),
}
#: (case, event, code, values)
Found = tuple[str, int, str, tuple[object, ...]]


def _raw(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.type_coerce(column, sa.Text)


def of_cases(conn: sa.Connection, said: Mapping[str, Mapping[tuple[str, int], tuple[int, str]]]) -> Iterator[Found]:
    """Entries against the events of their cases: {case: {(account, number): (event, hash)}}. Both must name each other."""
    rows = conn.execute(
        sa.select(_E.case_id, _E.event_seq, _E.account_id, _E.seq, _E.hash).where(_E.case_id.in_(list(said)))
    ).all()
    left = {case: dict(entries) for case, entries in said.items()}
    for case, event, account, seq, digest in rows:
        told = left[case].pop((account, seq), None)
        if told != (event, digest):
            yield case, event or 0, "SQA35", (account, seq)
    for case, entries in left.items():
        for (account, seq), (event, _) in entries.items():
            yield case, event, "SQA35", (account, seq)


def of_accounts(conn: sa.Connection) -> Iterator[Found]:
    """Every account by itself, in the order of their ids."""
    accounts = {a.id: a for a in (LedgerAccount(*row) for row in conn.execute(select(LedgerAccount, t.ledger_account).order_by(_A.id)))}
    yield from _chains(conn, accounts)
    yield from _sums(conn, accounts)


def _chains(conn: sa.Connection, accounts: Mapping[str, LedgerAccount]) -> Iterator[Found]:
    columns = (
        _E.account_id, _E.seq, _raw(_E.at), _raw(_E.on_date), _E.what, _E.amount, _E.case_id, _E.event_seq, _E.decision_id, _E.because,
        _E.actor, _E.second, _E.reverses, _raw(_E.data), _E.note, _E.note_salt, _E.prev_hash, _E.hash, _E.algo,
    )  # fmt: skip
    lines: dict[tuple[str, int], list[list[Any]]] = {}
    for account, seq, part, amount in conn.execute(
        sa.select(_P.account_id, _P.seq, _P.part, _P.amount).order_by(_P.account_id, _P.seq, _P.line_no)
    ):
        lines.setdefault((account, seq), []).append([part, amount])
    ends: dict[str, tuple[int, str]] = {}
    for row in conn.execute(sa.select(*columns).order_by(_E.account_id, _E.seq).execution_options(yield_per=2000)):
        account, seq, *_ = row
        data, note, salt, prev, digest, algo = row[13:]
        before = ends.get(account, (0, chain.GENESIS))
        if algo not in chain.ALGOS or entry_hash(algo, row[:13], data, prev) != digest:
            yield "", 0, "SQA30", (account, seq)
        if (seq, prev) != (before[0] + 1, before[1]):
            yield "", 0, "SQA31", (account, seq)
        ends[account] = (seq, digest)
        try:
            told = parse(data)
        except ValueError:
            told = {}
        own = [x for x in told.get("lines", []) if x[0] in ("free", "held")]
        if lines.pop((account, seq), []) != told.get("lines", []) or sum(x[1] for x in own) != row[5] or sum(x[1] for x in told.get("lines", [])):
            yield "", 0, "SQA32", (account, seq)
        if note is not None and chain.digest(canonical([salt, note])) != told.get("note"):
            yield "", 0, "SQA36", (account, seq)
        known = accounts.get(account)
        if seq == 1 and (known is None or told.get("owner") != owner_commitment(known)):
            yield "", 0, "SQA34", (account,)
    for account, seq in lines:
        yield "", 0, "SQA32", (account, seq)
    for id, kept in accounts.items():
        if (kept.last_seq, kept.last_hash) != ends.get(id, (0, chain.GENESIS)):
            yield "", 0, "SQA31", (id, kept.last_seq)


def _sums(conn: sa.Connection, accounts: Mapping[str, LedgerAccount]) -> Iterator[Found]:
    """The cached balance and what is held, against lines, lots and holds."""
    sums: dict[str, dict[str, int]] = {}
    for account, part, n in conn.execute(sa.select(_P.account_id, _P.part, sa.func.sum(_P.amount)).group_by(_P.account_id, _P.part)):
        sums.setdefault(account, {})[part] = int(n)
    remaining = conn.execute(sa.select(_L.account_id, sa.func.sum(_L.remain)).group_by(_L.account_id))
    lots = {str(account): int(n) for account, n in remaining}
    open_ = sa.select(_H.account_id, sa.func.sum(_H.amount)).where(_H.status == "open").group_by(_H.account_id)
    holds = {str(account): int(n) for account, n in conn.execute(open_)}
    for id, row in accounts.items():
        own = sums.get(id, {})
        for name, kept, found in (
            ("余额", row.balance, own.get("free", 0) + own.get("held", 0)), ("冻结", row.held, own.get("held", 0)),
            ("各批次", row.balance, lots.get(id, 0)), ("冻结单", row.held, holds.get(id, 0)),
        ):  # fmt: skip
            if kept != found:
                yield "", 0, "SQA33", (id, name, kept, found)


def day_lines(conn: sa.Connection, low: str, high: str) -> list[str]:
    """`ledger:<account>:seq:hash` of each account's last entry between two instants, for the daily root."""
    last: dict[str, tuple[int, str]] = {}
    found = sa.select(_E.account_id, _E.seq, _E.hash).where(_raw(_E.at) >= low, _raw(_E.at) < high)
    for account, seq, digest in conn.execute(found):
        if account not in last or last[account][0] < seq:
            last[account] = (seq, digest)
    return [f"ledger:{account}:{seq}:{digest}" for account, (seq, digest) in last.items()]


__all__ = ["MESSAGES", "day_lines", "of_accounts", "of_cases"]
