"""Periods of a statement, and what a reconciliation compares."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from siquan.core.errors import SiquanError

DAY = dt.timedelta(days=1)


class NoPeriod(SiquanError):
    """`{text}` is no period"""

    code = "SQ544"
    zh = "`{text}` 不是一个期间"
    help_en = "write it as 2026-11, 2026-Q4 or 2026"
    help_zh = "写作 2026-11、2026-Q4 或 2026"


@dataclass(frozen=True)
class Period:
    """A month, a quarter or a year; both days belong to it."""

    text: str
    first: dt.date
    last: dt.date

    def next(self) -> Period:
        return _same(self, self.last + DAY)

    def previous(self) -> Period:
        return _same(self, self.first - DAY)


def period(text: str) -> Period:
    """Raises NoPeriod."""
    found = re.fullmatch(r"(\d{4})(?:-(?:(\d{2})|Q([1-4])))?", text)
    if found is None or not 1 <= int(found[1]) <= 9998 or not 1 <= int(found[2] or 1) <= 12:
        raise NoPeriod(text=text[:40])
    year = int(found[1])
    if found[2]:
        return _months(text, year, int(found[2]), 1)
    return _months(text, year, 3 * int(found[3]) - 2, 3) if found[3] else _months(text, year, 1, 12)


def period_of(day: dt.date, statement: str) -> Period:
    """The period of a kind of statement a day lies in."""
    if statement == "monthly":
        return period(f"{day:%Y-%m}")
    return period(f"{day.year:04}-Q{(day.month + 2) // 3}" if statement == "quarterly" else f"{day.year:04}")


def _months(text: str, year: int, month: int, n: int) -> Period:
    end = year * 12 + month - 1 + n
    return Period(text, dt.date(year, month, 1), dt.date(end // 12, end % 12 + 1, 1) - DAY)


def _same(of: Period, day: dt.date) -> Period:
    months = (of.last.year - of.first.year) * 12 + of.last.month - of.first.month + 1
    return period_of(day, {1: "monthly", 3: "quarterly"}.get(months, "yearly"))


class Kept(Protocol):
    """An account as the store keeps it."""

    @property
    def id(self) -> str: ...
    @property
    def floor(self) -> int: ...
    @property
    def balance(self) -> int: ...
    @property
    def held(self) -> int: ...


def reconcile(
    accounts: Iterable[Kept], sums: Mapping[str, Mapping[str, int]], lots: Mapping[str, int], holds: Mapping[str, int]
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Totals, and each difference as {"account", "what", "kept", "found"}: what the account's row says against what its
    lines, lots and holds sum to. All lines of an account, its counter accounts included, sum to zero."""
    totals = {"accounts": 0, "balance": 0, "held": 0, "issued": 0, "redeemed": 0, "expired": 0, "adjusted": 0}
    out = []
    for account in accounts:
        own = sums.get(account.id, {})
        totals["accounts"] += 1
        totals["balance"] += account.balance
        totals["held"] += account.held
        for part in ("issued", "redeemed", "expired", "adjusted"):
            totals[part] += own.get(part, 0)
        checks = (
            ("balance", account.balance, own.get("free", 0) + own.get("held", 0)), ("held", account.held, own.get("held", 0)),
            ("zero", 0, sum(own.values())), ("lots", account.balance, lots.get(account.id, 0)), ("holds", account.held, holds.get(account.id, 0)),
        )  # fmt: skip
        out += [{"account": account.id, "what": what, "kept": kept, "found": found} for what, kept, found in checks if kept != found]
        if account.balance - account.held < account.floor or account.held < 0:
            out.append({"account": account.id, "what": "negative", "kept": account.balance - account.held, "found": account.floor})
    return totals, out
