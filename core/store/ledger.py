"""Accounts: rows locked for the act, entries appended to the account's chain, and the questions pages and the sweep ask."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from siquan.core.errors import NotFound
from siquan.core.store import chain
from siquan.core.store import tables as t
from siquan.core.store.canonical import canonical, instant
from siquan.core.store.ledger_rows import (
    LedgerAccount,
    LedgerCheck,
    LedgerEntry,
    LedgerHold,
    LedgerLot,
    LedgerReversal,
)
from siquan.core.store.prepared import Prepared
from siquan.core.store.repository import Repository, chunks, insert, select, storable

_A, _E, _P, _L, _H = t.ledger_account.c, t.ledger_entry.c, t.ledger_posting.c, t.ledger_lot.c, t.ledger_hold.c
_R, _K = t.ledger_reversal.c, t.ledger_check.c
_OF = select(LedgerAccount, t.ledger_account).where(_A.kind == sa.bindparam("b_kind"), _A.owner == sa.bindparam("b_owner"))
_BY_ID = select(LedgerAccount, t.ledger_account).where(_A.id == sa.bindparam("b_id"))
_FIND, _LOCK_OF = Prepared(_OF), Prepared(_OF.with_for_update())
_GET, _LOCK = Prepared(_BY_ID), Prepared(_BY_ID.with_for_update())
_LOTS = Prepared(
    select(LedgerLot, t.ledger_lot).where(_L.account_id == sa.bindparam("b_account"), _L.remain != 0).order_by(_L.seq, _L.id)
)
_UPDATE = Prepared(
    sa.update(t.ledger_account).where(_A.id == sa.bindparam("b_id"), _A.last_seq == sa.bindparam("b_seq")),
    ["balance", "held", "last_seq", "last_hash"],
)
_MOVE = Prepared(
    sa.update(t.ledger_lot).where(_L.id == sa.bindparam("b_id")).values(remain=_L.remain + sa.bindparam("b_by"))
)
_HELD = Prepared(
    select(LedgerHold, t.ledger_hold).where(
        _H.case_id == sa.bindparam("b_case"), _H.name == sa.bindparam("b_name"), _H.status == "open"
    )
)
_NAMES = [f.name for f in fields(LedgerLot)]


def entry_hash(algo: str, columns: Sequence[Any], data: str, prev_hash: str) -> str:
    """`columns` are account, seq, at, day, what, amount, case, event, decision, because, actor, second, reverses, as
    they stand in the table."""
    return chain.digest(canonical([algo, "ledger", *columns, data, prev_hash]), algo)


class LedgerBook(Repository):
    # accounts

    def find(self, kind: str, owner: str) -> LedgerAccount | None:
        row = _FIND.row(self.tx, {"b_kind": kind, "b_owner": owner}) if storable(owner) else None
        return None if row is None else LedgerAccount(*row)

    def get(self, account_id: str) -> LedgerAccount:
        row = _GET.row(self.tx, {"b_id": account_id}) if storable(account_id) else None
        if row is None:
            raise NotFound(kind="账户", name=account_id)
        return LedgerAccount(*row)

    def lock(self, account_id: str) -> LedgerAccount:
        """The account, held until the transaction ends. Several are locked in the order of (kind, owner)."""
        row = _LOCK.row(self.tx, {"b_id": account_id}) if storable(account_id) else None
        if row is None:
            raise NotFound(kind="账户", name=account_id)
        return LedgerAccount(*row)

    def open(self, kind: str, owner: str, *, title: str, place: str, scale: int, floor: int, score: bool) -> LedgerAccount:
        """The account of an owner, locked; made when there is none."""
        names = {"b_kind": kind, "b_owner": owner}
        row = _LOCK_OF.row(self.tx, names)
        if row is None:
            new = LedgerAccount(
                self.tx.new_id(), kind, owner, title, place, scale, floor, score, 0, 0, 0, chain.GENESIS, self.tx.new_salt(), self.tx.at
            )  # fmt: skip
            try:
                with self.tx.conn.begin_nested():
                    self._insert(t.ledger_account, new)
                return new
            except IntegrityError:  # somebody else opened it at the same time
                row = _LOCK_OF.row(self.tx, names)
        assert row is not None
        return LedgerAccount(*row)

    def lots(self, account_id: str) -> list[LedgerLot]:
        """What is left, in the order it came."""
        return self._found(LedgerLot, _LOTS, {"b_account": account_id})

    def lots_by_id(self, ids: Collection[str]) -> dict[str, LedgerLot]:
        out: dict[str, LedgerLot] = {}
        for part in chunks(ids):
            out |= {x.id: x for x in self._all(LedgerLot, select(LedgerLot, t.ledger_lot).where(_L.id.in_(part)))}
        return out

    # writing

    def append(
        self, account: LedgerAccount, what: str, day: dt.date, *, lines: Iterable[tuple[str, int]], moves: Iterable[tuple[str, int]] = (),
        new: Sequence[tuple[int, dt.date | None, dt.date | None, dt.date | None]] = (), balance: int, held: int, actor: str,
        case_id: str | None = None, event_seq: int | None = None, decision_id: str | None = None, because: str = "", second: str = "",
        reverses: int | None = None, note: str = "", more: Mapping[str, Any] | None = None,
    ) -> tuple[LedgerAccount, LedgerEntry, tuple[str, ...]]:  # fmt: skip
        """Write the next entry of a locked account; `new` lots are (amount, last day, notice day, day got). `balance` and
        `held` are those after it. Returns the account after it, the entry and the ids of the new lots."""
        seq, lines, moves = account.last_seq + 1, list(lines), list(moves)
        ids = tuple(self.tx.new_id() for _ in new)
        data: dict[str, Any] = {"lines": [list(x) for x in lines], **(more or {})}
        if moves:
            data["moves"] = [list(x) for x in moves]
        if new:
            data["new"] = [[id, amount, end] for id, (amount, end, _, _) in zip(ids, new, strict=True)]
        salt = None
        if note:
            salt = self.tx.new_salt()
            data["note"] = chain.digest(canonical([salt, note]))
        if seq == 1:
            data["owner"] = owner_commitment(account)
        amount = balance - account.balance
        columns = [
            account.id, seq, instant(self.tx.at), day.isoformat(), what, amount, case_id, event_seq, decision_id, because, actor, second, reverses,
        ]  # fmt: skip
        digest = entry_hash(chain.ALGO, columns, canonical(data), account.last_hash)
        entry = LedgerEntry(
            account.id, seq, self.tx.at, day, what, amount, case_id, event_seq, decision_id, because, actor, second, reverses, data,
            note or None, salt, account.last_hash, digest, chain.ALGO,
        )  # fmt: skip
        self._insert(t.ledger_entry, entry)
        if lines:
            rows = [
                {"account_id": account.id, "seq": seq, "line_no": n, "part": p, "amount": a} for n, (p, a) in enumerate(lines, 1)
            ]
            insert(t.ledger_posting).many(self.tx, rows)
        if moves:
            _MOVE.many(self.tx, [{"b_id": id, "b_by": by} for id, by in moves])
        if new:
            lots = [
                LedgerLot(id, account.id, seq, got or day, end, notice, n, n) for id, (n, end, notice, got) in zip(ids, new, strict=True)
            ]
            insert(t.ledger_lot).many(self.tx, [{k: getattr(x, k) for k in _NAMES} for x in lots])
        after = replace(account, balance=balance, held=held, last_seq=seq, last_hash=digest)
        changed = {"b_id": account.id, "b_seq": account.last_seq, "balance": balance, "held": held, "last_seq": seq, "last_hash": digest}
        if not _UPDATE.run(self.tx, changed):
            raise RuntimeError(f"account {account.id} was not locked")
        return after, entry, ids

    def noticed(self, lot_ids: Collection[str]) -> None:
        """Notice of these lots was given: never again."""
        for part in chunks(sorted(lot_ids)):
            self._run(sa.update(t.ledger_lot).where(_L.id.in_(part)).values(notice_on=None))

    # holds

    def add_hold(self, account_id: str, name: str, amount: int, seq: int, case_id: str | None, until: dt.date | None) -> LedgerHold:
        row = LedgerHold(self.tx.new_id(), account_id, case_id, name, amount, "open", until, seq, None)
        self._insert(t.ledger_hold, row)
        return row

    def close_hold(self, hold_id: str, status: str, seq: int) -> bool:
        """False when it is not open any more: of two, only one closes it."""
        where = (_H.id == hold_id, _H.status == "open")
        return bool(self._run(sa.update(t.ledger_hold).where(*where).values(status=status, closed_seq=seq)).rowcount)

    def held_by(self, case_id: str, name: str) -> list[LedgerHold]:
        """The open holds a case made under a name."""
        return self._found(LedgerHold, _HELD, {"b_case": case_id, "b_name": name})

    def holds(self, account_id: str, status: str = "open") -> list[LedgerHold]:
        where = (_H.account_id == account_id, *([_H.status == status] if status else []))
        return self._all(LedgerHold, select(LedgerHold, t.ledger_hold).where(*where).order_by(_H.seq))

    # what the sweep asks

    def lapsing(self, today: dt.date, limit: int, after: str = "") -> list[str]:
        """Accounts with lots whose last day is over, by id in pages. What is held of a lot stays, so an account may be
        found again and again."""
        where = (_L.remain != 0, _L.expires_on < today, _L.account_id > after)
        page = sa.select(_L.account_id).distinct().where(*where).order_by(_L.account_id).limit(limit)
        return list(self.tx.conn.execute(page).scalars())

    def to_notice(self, today: dt.date, limit: int, after: str = "") -> list[str]:
        where = (_L.remain > 0, _L.notice_on <= today, _L.account_id > after)
        page = sa.select(_L.account_id).distinct().where(*where).order_by(_L.account_id).limit(limit)
        return list(self.tx.conn.execute(page).scalars())

    def stale_holds(self, today: dt.date, limit: int, after: str = "") -> list[LedgerHold]:
        where = (_H.status == "open", _H.until_on < today, _H.id > after)
        return self._all(LedgerHold, select(LedgerHold, t.ledger_hold).where(*where).order_by(_H.id).limit(limit))

    # what pages ask

    def accounts(
        self, *, owner: str = "", kinds: Collection[str] | None = None, places: Collection[str] | None = None, words: str = "",
        limit: int = 200, offset: int = 0,
    ) -> list[LedgerAccount]:  # fmt: skip
        """By kind and name; `places` and `kinds` None: all."""
        where: list[sa.ColumnElement[bool]] = []
        if owner:
            where.append(_A.owner == owner)
        if kinds is not None:
            where.append(_A.kind.in_(sorted(kinds)))
        if places is not None:
            where.append(_A.place.in_(sorted(places)))
        if words:
            where.append(sa.func.lower(_A.title).contains(words.lower(), autoescape=True))
        if not storable(words + owner):
            return []
        page = select(LedgerAccount, t.ledger_account).where(*where).order_by(_A.kind, _A.title, _A.id).limit(limit).offset(offset)
        return self._all(LedgerAccount, page)

    def entry(self, account_id: str, seq: int) -> LedgerEntry:
        """Raises NotFound."""
        found = self._one(LedgerEntry, select(LedgerEntry, t.ledger_entry).where(_E.account_id == account_id, _E.seq == seq))
        if found is None:
            raise NotFound(kind="账目", name=str(seq))
        return found

    def entries(self, account_id: str, since: dt.date | None = None, until: dt.date | None = None) -> list[LedgerEntry]:
        """Oldest first, both days included."""
        where = [_E.account_id == account_id, *([_E.on_date >= since] if since else []), *([_E.on_date <= until] if until else [])]
        return self._all(LedgerEntry, select(LedgerEntry, t.ledger_entry).where(*where).order_by(_E.seq))

    def sum_before(self, account_id: str, day: dt.date) -> int:
        where = (_E.account_id == account_id, _E.on_date < day)
        return self._count(sa.select(sa.func.coalesce(sa.func.sum(_E.amount), 0)).where(*where))

    def sums_since(self, account_id: str, day: dt.date) -> tuple[int, int]:
        """(added, taken away) since a day, the day included; what was reversed counts as neither."""
        undone = sa.select(_E.reverses).where(_E.account_id == account_id, _E.reverses.is_not(None))
        base = [_E.account_id == account_id, _E.on_date >= day, _E.what.in_(["post", "capture"]), _E.seq.not_in(undone)]
        total = sa.select(sa.func.coalesce(sa.func.sum(_E.amount), 0))
        return self._count(total.where(*base, _E.amount > 0)), -self._count(total.where(*base, _E.amount < 0))

    def orders_since(self, account_id: str, day: dt.date) -> int:
        """Holds made since a day that are open or were used."""
        made = sa.and_(_E.account_id == _H.account_id, _E.seq == _H.seq)
        where = (_H.account_id == account_id, _H.status.in_(["open", "captured"]), _E.on_date >= day)
        return self._count(sa.select(sa.func.count()).select_from(t.ledger_hold.join(t.ledger_entry, made)).where(*where))

    def of_case(self, case_id: str) -> list[LedgerEntry]:
        rows = select(LedgerEntry, t.ledger_entry).where(_E.case_id == case_id)
        return self._all(LedgerEntry, rows.order_by(_E.event_seq, _E.account_id, _E.seq))

    # reversals

    def ask(self, account_id: str, seq: int, reason: str, by: str) -> LedgerReversal:
        row = LedgerReversal(self.tx.new_id(), account_id, seq, reason, by, self.tx.at, "asked", None, None, None)
        self._insert(t.ledger_reversal, row)
        return row

    def asked(self, reversal_id: str) -> LedgerReversal:
        found = None
        if storable(reversal_id):
            found = self._one(LedgerReversal, select(LedgerReversal, t.ledger_reversal).where(_R.id == reversal_id))
        if found is None:
            raise NotFound(kind="冲正申请", name=reversal_id)
        return found

    def reversals(self, account_id: str = "", status: str = "") -> list[LedgerReversal]:
        where = [*([_R.account_id == account_id] if account_id else []), *([_R.status == status] if status else [])]
        return self._all(LedgerReversal, select(LedgerReversal, t.ledger_reversal).where(*where).order_by(_R.asked_at, _R.id))

    def decide(self, reversal_id: str, status: str, by: str, entry_seq: int | None = None) -> bool:
        """False when it was decided before."""
        where = (_R.id == reversal_id, _R.status == "asked")
        values = {"status": status, "decided_by": by, "decided_at": self.tx.at, "entry_seq": entry_seq}
        return bool(self._run(sa.update(t.ledger_reversal).where(*where).values(values)).rowcount)

    # reconciliation

    def kinds(self, opened_before: dt.datetime | None = None) -> list[str]:
        """Kinds of which there are accounts, or were before a moment."""
        where = [sa.type_coerce(_A.opened_at, sa.Text) < instant(opened_before)] if opened_before else []
        return list(self.tx.conn.execute(sa.select(_A.kind).where(*where).distinct().order_by(_A.kind)).scalars())

    def sums(self, kind: str) -> dict[str, dict[str, int]]:
        """{account: {part: sum of its lines}} of every account of a kind."""
        out: dict[str, dict[str, int]] = {}
        found = (
            sa.select(_A.id, _P.part, sa.func.sum(_P.amount)).select_from(t.ledger_account.join(t.ledger_posting, _A.id == _P.account_id))
            .where(_A.kind == kind).group_by(_A.id, _P.part)
        )  # fmt: skip
        for account, part, amount in self.tx.conn.execute(found):
            out.setdefault(account, {})[part] = int(amount)
        return out

    def lot_sums(self, kind: str) -> dict[str, int]:
        found = (
            sa.select(_A.id, sa.func.sum(_L.remain)).select_from(t.ledger_account.join(t.ledger_lot, _A.id == _L.account_id))
            .where(_A.kind == kind).group_by(_A.id)
        )  # fmt: skip
        return {account: int(n) for account, n in self.tx.conn.execute(found)}

    def hold_sums(self, kind: str) -> dict[str, int]:
        found = (
            sa.select(_A.id, sa.func.sum(_H.amount)).select_from(t.ledger_account.join(t.ledger_hold, _A.id == _H.account_id))
            .where(_A.kind == kind, _H.status == "open").group_by(_A.id)
        )  # fmt: skip
        return {account: int(n) for account, n in self.tx.conn.execute(found)}

    def of_kind(self, kind: str) -> list[LedgerAccount]:
        return self._all(LedgerAccount, select(LedgerAccount, t.ledger_account).where(_A.kind == kind).order_by(_A.id))

    def keep_check(self, kind: str, period: str, by: str, totals: Mapping[str, Any], differences: list[Any], id: str = "") -> LedgerCheck | None:
        """None when a check of that id is kept already: two workers make one monthly record."""
        row = LedgerCheck(id or self.tx.new_id(), kind, period, self.tx.at, by, dict(totals), differences)
        try:
            with self.tx.conn.begin_nested():
                self._insert(t.ledger_check, row)
        except IntegrityError:
            return None
        return row

    def has_check(self, id: str) -> bool:
        return bool(self._count(sa.select(sa.func.count()).select_from(t.ledger_check).where(_K.id == id)))

    def checks(self, limit: int = 60) -> list[LedgerCheck]:
        return self._all(LedgerCheck, select(LedgerCheck, t.ledger_check).order_by(_K.at.desc(), _K.id).limit(limit))


def owner_commitment(account: LedgerAccount) -> str:
    """What the first entry says of the account: whose it is, and by what rules it goes."""
    return chain.digest(canonical([account.salt, account.kind, account.owner, account.scale, account.floor, account.score]))


__all__ = ["LedgerBook", "entry_hash", "owner_commitment"]
