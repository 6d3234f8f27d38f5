"""Accounts in a process file: kinds of account, what steps post, the catalogue, balances that rules read."""

from __future__ import annotations

import re
from typing import Any

from siquan.core.errors import Where
from siquan.core.spec.model import AccountSpec, BalanceSpec, CatalogueSpec, PostSpec
from siquan.core.spec.source import Cursor, Map, Seq, WrongShape

OWNERS = ("person", "organisation", "household", "compound", "unit")
STATEMENTS = ("monthly", "quarterly", "yearly")
POSTS = ("account", "hold", "capture", "release", "order", "stock")
SPAN = re.compile(r"\s*(?:\d{2}-\d{2}|[\w.]+\s+(?:days?|months?|years?))\s*")


def read_accounts(raw: Map, plugin: str) -> tuple[AccountSpec, ...]:
    return tuple(_account(name, value, raw.at[name], plugin) for name, value in raw.items())


def _account(name: str, raw: Any, where: Where, plugin: str) -> AccountSpec:
    c = Cursor(raw, f"accounts.{name}", where)
    scale, least = c.number("scale") or 0, c.number("min")
    spec = AccountSpec(
        where=where, name=f"{plugin}.{name}", title=c.text("title", name), unit=c.text("unit"), owner=c.choice("owner", OWNERS, "person"),
        scale=int(scale), min="0" if least is None else str(least), start=c.text("start"), expires=_span(c, "expires"),
        notice=_span(c, "notice"), statement=c.choice("statement", STATEMENTS, "monthly"), by=c.words("by"),
    )  # fmt: skip
    c.done(("title", "unit", "owner"))
    if scale not in (0, 1, 2):
        raise c.wrong("scale", "0, 1 or 2", " 0、1 或 2")
    if least and not spec.start:
        raise c.wrong("min", "0 unless it is a score with `start`", " 0；只有写了 start 的评分才能低于或高于 0")
    return spec


def _span(c: Cursor, key: str) -> str:
    text = c.text(key)
    if text and not SPAN.fullmatch(text):
        raise c.wrong(key, "a time such as `2 years`, `12-31` or `vp.valid months`", "一段时间，如 2 years、12-31 或 参数名 months")
    return text


def read_catalogue(raw: Any, where: Where, plugin: str) -> CatalogueSpec | None:
    if raw is None:
        return None
    c = Cursor(raw, "catalogue", where)
    spec = CatalogueSpec(
        where=where, fact=c.text("fact", need=True), account=_full(c.text("account", need=True), plugin), prices=c.table("prices"),
        units=c.table("units"),
    )  # fmt: skip
    c.done()
    return spec


def read_balances(raw: Map, plugin: str) -> tuple[BalanceSpec, ...]:
    out = []
    for name, value in raw.items():
        c = Cursor(value, f"balances.{name}", raw.at[name])
        out.append(BalanceSpec(where=raw.at[name], name=name, account=_full(c.text("account", need=True), plugin), of=c.text("of")))
        c.done()
    return tuple(out)


def read_posts(raw: Seq, plugin: str) -> tuple[PostSpec, ...]:
    return tuple(_post(value, at, plugin) for value, at in zip(raw, raw.at, strict=True))


def _post(raw: Any, where: Where, plugin: str) -> PostSpec:
    c = Cursor(raw, "post", where)
    said = {key: c.text(key) for key in POSTS if c.has(key)}
    if len(said) != 1:
        raise WrongShape(where, key="post", wanted="one of " + ", ".join(POSTS), wanted_zh=" " + "、".join(POSTS) + " 之一", value="、".join(said))
    kind, text = next(iter(said.items()))
    spec = PostSpec(
        where=where, kind="post" if kind == "account" else kind, account=_full(text, plugin) if kind in ("account", "hold") else "",
        to=c.text("to"), named=c.text("named"), amount=text if kind in ("order", "stock") else c.text("amount"), because=c.text("because"),
        name=text if kind in ("capture", "release") else c.text("as", "order"), until=_span(c, "until"),
        counter="adjusted" if c.choice("from", ("issuer", "adjustment"), "issuer") == "adjustment" else "issued",
    )  # fmt: skip
    c.done(("account", "to", "amount"))
    if kind in ("account", "hold") and not spec.amount:
        raise c.wrong("amount", "an expression, or `value`", "一个式子，或 value")
    return spec


def _full(name: str, plugin: str) -> str:
    return name if name.startswith(f"{plugin}.") else f"{plugin}.{name}"
