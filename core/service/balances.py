"""Whose account it is, and what rules may read of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from siquan.core.accounts.kinds import kinds_of

if TYPE_CHECKING:
    from siquan.core.service.context import Context


@dataclass(frozen=True)
class Owner:
    """`ref` is `person/<id>`, `unit/<id>` ...; `place` is the unit whose staff keeps the account."""

    ref: str
    title: str
    place: str


def owner_of(context: Context, kind: str, id: str, named: str = "") -> Owner:
    """`kind/id` with its name, and the unit whose staff keeps the account: a person's own unit, else the case's place."""
    tx, place = context.tx, context.case.place
    if kind == "person":
        person = tx.people.find(id)
        if person is not None:
            return Owner(f"person/{id}"[:200], person.name, person.unit_id or place)
    elif kind in ("unit", "compound"):
        unit = tx.people.find_unit(id)
        if unit is not None:
            return Owner(f"unit/{id}"[:200], unit.name, unit.id)
    return Owner(f"{kind}/{id}"[:200], (named or id)[:200], place)


def balances(context: Context) -> dict[str, Any]:
    """The facts of `balances:` of a process, by path. Unknown while the owner is; a new owner has the start value."""
    out: dict[str, Any] = {}
    spec = context.definition.spec
    if not spec.balances:
        return out
    kinds = kinds_of(context.app.bound(context.tx, context.case).spec)
    for one in spec.balances:
        kind = kinds[one.account]
        value = context.bare(one.of) if one.of else context.case.place
        if not isinstance(value, str) or not value:
            continue
        owner = owner_of(context, kind.owner, value)
        row = context.tx.ledger.find(kind.id, owner.ref)
        fields: dict[str, Any] = {}
        if row is None:
            start = context.number(kind.start, context.today) if kind.start else 0
            n = kind.minor(start) if start is not None else 0
            fields = {"balance": n, "held": 0, "available": n, "added_12m": 0, "taken_12m": 0}
        else:
            year = context.today.replace(day=min(context.today.day, 28), year=context.today.year - 1)
            added, taken = context.tx.ledger.sums_since(row.id, year)
            fields = {
                "balance": row.balance, "held": row.held, "available": row.balance - row.held, "added_12m": added, "taken_12m": taken,
            }  # fmt: skip
        quarter = context.today.replace(month=(context.today.month - 1) // 3 * 3 + 1, day=1)
        out |= {f"{one.name}.{name}": kind.exact(n) for name, n in fields.items()}
        out[f"{one.name}.orders_quarter"] = context.tx.ledger.orders_since(row.id, quarter) if row else 0
    return out
