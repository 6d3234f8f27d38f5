"""Kinds of account a plugin declares, amounts in their smallest unit, and when an entry lapses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from siquan.core.errors import SiquanError
from siquan.core.rules.values import Duration, shift
from siquan.core.spec.model import AccountSpec, CatalogueSpec, PluginSpec

#: no account holds this much; more is a slip of the pen
MOST = 10**15
#: reads a number of a span: digits, or the value of a parameter; None where it has none
Number = Callable[[str], Any]


class NoAmount(SiquanError):
    """`{value}` is no amount of {account}"""

    code = "SQ540"
    zh = "`{value}` 不能记入{account}"


@dataclass(frozen=True)
class Kind:
    """A kind of account as it is in force. `score`: every entry stands by itself and lapses back; else what comes in is
    used up oldest first and the balance is never below zero."""

    id: str
    title: str
    unit: str
    owner: str
    scale: int = 0
    floor: int = 0
    score: bool = False
    start: str = ""
    expires: str = ""
    notice: str = ""
    statement: str = "monthly"
    by: tuple[str, ...] = ()
    #: the value of the catalogue's fact whose stock this is; empty: no stock
    item: str = ""

    def minor(self, value: Any) -> int:
        """An amount in the smallest unit; what is finer than the account's decimals is left out. Raises NoAmount."""
        if isinstance(value, bool) or not isinstance(value, int | Fraction | Decimal):
            raise NoAmount(value=value, account=self.title)
        scaled = Fraction(value) * 10**self.scale
        out = int(scaled)  # towards zero: half a point is none
        if abs(out) > MOST:
            raise NoAmount(value=value, account=self.title)
        return out

    def exact(self, amount: int) -> int | Fraction:
        """Back to the unit people speak of."""
        found = Fraction(amount, 10**self.scale)
        return found.numerator if found.denominator == 1 else found

    def text(self, amount: int, unit: bool = False) -> str:
        return shown(amount, self.scale) + (f" {self.unit}" if unit and self.unit else "")


def shown(amount: int, scale: int) -> str:
    """A number as people write it, always with the account's decimals."""
    if not scale:
        return str(amount)
    sign, digits = ("-" if amount < 0 else ""), str(abs(amount)).rjust(scale + 1, "0")
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}"


def _kind(spec: AccountSpec, roles: tuple[str, ...]) -> Kind:
    own = Kind(
        spec.name, spec.title or spec.name, spec.unit, spec.owner, spec.scale, 0, bool(spec.start), spec.start, spec.expires, spec.notice,
        spec.statement, spec.by or roles,
    )  # fmt: skip
    return Kind(**{**own.__dict__, "floor": own.minor(Decimal(spec.min))})


def kinds_of(plugin: PluginSpec) -> dict[str, Kind]:
    """Every kind of account of a plugin by id; a catalogue brings a stock per item, kept by unit."""
    out: dict[str, Kind] = {}
    for process in plugin.processes:
        for spec in process.accounts:
            out[spec.name] = _kind(spec, tuple(process.roles))
    found = catalogue_of(plugin)
    if found is not None:
        catalogue, titles = found
        by = out[catalogue.account].by if catalogue.account in out else ()
        for item in catalogue.prices:
            id = stock_of(plugin.name, item)
            title = titles.get(item, item)
            out[id] = Kind(id, f"{title}库存", catalogue.units.get(item, "件"), "unit", by=by, item=item)
    return out


def catalogue_of(plugin: PluginSpec) -> tuple[CatalogueSpec, Mapping[str, str]] | None:
    """The plugin's catalogue with the titles of its items."""
    for process in plugin.processes:
        if process.catalogue is not None:
            fact = next((f for f in process.facts if f.name == process.catalogue.fact), None)
            return process.catalogue, fact.values if fact else {}
    return None


def stock_of(plugin: str, item: str) -> str:
    """The kind of account that keeps the stock of an item."""
    return f"{plugin}.stock.{item}"


def after(text: str, day: dt.date, number: Number) -> dt.date | None:
    """The day a span written `2 years`, `30 days`, `12-31` or `vp.valid months` ends on, counted from `day` (which does
    not count); None where there is none."""
    if not text:
        return None
    if text[:2].isdigit() and text[2:3] == "-":
        month, date = int(text[:2]), int(text[3:])
        years = (day.year, day.year + 1, day.year + 2, day.year + 3, day.year + 4)
        ends = [end for year in years if (end := _day(year, month, date)) is not None and end >= day]
        return ends[0] if ends else None
    return shift(day, _span(text, number) or Duration()) if _span(text, number) is not None else None


def before(text: str, day: dt.date | None, number: Number) -> dt.date | None:
    """The day that lies a span before `day`."""
    span = _span(text, number) if text and day is not None and not text[2:3] == "-" else None
    return shift(day, -span) if day is not None and span is not None else None


def _day(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _span(text: str, number: Number) -> Duration | None:
    n, _, unit = text.strip().partition(" ")
    value = number(n)
    if isinstance(value, Decimal | Fraction) and value == int(value):
        value = int(value)  # a written number and a parameter come as either
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 10_000:
        return None
    unit = unit.strip()
    if unit.startswith("year"):
        return Duration(months=value * 12)
    return Duration(months=value) if unit.startswith("month") else Duration(days=value)


__all__ = ["Kind", "NoAmount", "after", "before", "catalogue_of", "kinds_of", "shown", "stock_of"]
