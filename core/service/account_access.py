"""Who may look at an account, who keeps it, and what its kind is called."""

from __future__ import annotations

from dataclasses import replace

from siquan.core.accounts.kinds import Kind, kinds_of
from siquan.core.errors import NoAccess
from siquan.core.service.app import POLICY_ROLES, App
from siquan.core.store.ledger_rows import LedgerAccount
from siquan.core.store.transaction import Tx


def every_kind(app: App, lang: str = "zh") -> dict[str, Kind]:
    """Kinds of account of every plugin, as shipped; titles in a language where there are any."""
    out = {}
    for plugin in app.catalogue.plugins:
        texts = plugin.locales.get(lang, {}) if lang != "zh" else {}
        for id, kind in kinds_of(plugin).items():
            at = f"accounts.{id.partition('.')[2]}"
            out[id] = replace(kind, title=texts.get(f"{at}.title", kind.title), unit=texts.get(f"{at}.unit", kind.unit))
    return out


def kind_of(kinds: dict[str, Kind], row: LedgerAccount) -> Kind:
    """The kind of an account on record; one whose plugin is gone is still shown and lapses as before."""
    found = kinds.get(row.kind)
    if found is not None and (found.scale, found.score) == (row.scale, row.score):
        return found
    return Kind(row.kind, row.kind.partition(".")[2] or row.kind, "", row.owner.partition("/")[0], row.scale, row.floor, row.score)


def keeps(app: App, tx: Tx, kind: Kind, row: LedgerAccount, person: str) -> bool:
    """A holder of a keeping role at the account's unit or above it; nobody keeps his own account."""
    if row.owner == f"person/{person}":
        return False
    return any(p.person == person and p.role in kind.by for p in app.posts(tx, app.chain(tx, row.place)))


def must_see_account(app: App, tx: Tx, kind: Kind, row: LedgerAccount, person: str) -> bool:
    """Raises NoAccess; returns whether the person keeps the account."""
    keeper = keeps(app, tx, kind, row, person)
    if not keeper and row.owner != f"person/{person}":
        raise NoAccess(why="这个账户不是你的，也不在你管的单位")
    return keeper


def must_keep(app: App, tx: Tx, kind: Kind, row: LedgerAccount, person: str) -> None:
    if not keeps(app, tx, kind, row, person):
        raise NoAccess(why=f"“{kind.title}”由管账的人办理，本人的账户由别人办理")


def kept_units(app: App, tx: Tx, kinds: dict[str, Kind], person: str) -> dict[str, set[str]]:
    """{kind: units} whose accounts a person keeps: where he holds a keeping role, and below."""
    grants = [g for g in tx.people.grants(person, app.today()) if g.role not in POLICY_ROLES]
    out: dict[str, set[str]] = {}
    below: dict[str, set[str]] = {}
    units = tx.people.units() if grants else []
    for grant in grants:
        if grant.unit_id not in below:
            below[grant.unit_id] = {u.id for u in units if grant.unit_id in u.line}
        for kind in kinds.values():
            if grant.role in kind.by:
                out.setdefault(kind.id, set()).update(below[grant.unit_id])
    return out
