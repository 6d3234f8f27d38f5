"""The organisation tree, the people in it and the roles they hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from siquan.core.errors import BadInput, NotFound
from siquan.core.store import tables as t
from siquan.core.store.prepared import Prepared
from siquan.core.store.repository import Repository, chunks, select, storable, within
from siquan.core.store.rows import Grant, Person, Unit

KINDS = ("district", "street", "community", "grid", "building", "compound")
_U, _P, _G = t.org_unit.c, t.person.c, t.role_grant.c
_BELOW = sa.alias(t.org_unit)
# a unit with all above it in one question: it is asked in every act
_ABOVE = select(Unit, t.org_unit).join(_BELOW, _BELOW.c.path.startswith(_U.path)).where(_BELOW.c.id == sa.bindparam("b_unit"))
_FIND = Prepared(select(Person, t.person).where(_P.id == sa.bindparam("b_person")))
_CHANGEABLE = frozenset(
    "name unit_id login password_hash lang theme must_change failed_count locked_until active leaving_on".split()
)


class People(Repository):
    # -- units -----------------------------------------------------------------------------------------------
    def add_unit(self, unit_id: str, kind: str, name: str, parent_id: str | None = None) -> Unit:
        """A unit under its parent; `unit_id` is what rules and parameters call the place."""
        if kind not in KINDS:
            raise BadInput(why=f"`{kind}` is no kind of unit")
        above = self.unit(parent_id).path if parent_id else "/"
        row = Unit(unit_id, kind, name, parent_id, f"{above}{_segment(unit_id)}/", True)
        self._insert(t.org_unit, row)
        return row

    def find_unit(self, unit_id: str) -> Unit | None:
        return self._one(Unit, select(Unit, t.org_unit).where(_U.id == unit_id)) if storable(unit_id) else None

    def unit(self, unit_id: str) -> Unit:
        row = self.find_unit(unit_id)
        if row is None:
            raise NotFound(kind="单位", name=unit_id)
        return row

    def units(self) -> list[Unit]:
        """The whole tree, parents before children."""
        return self._all(Unit, select(Unit, t.org_unit).order_by(_U.path))

    def under(self, unit_id: str) -> list[Unit]:
        """The unit and all below it, parents first."""
        top = self.unit(unit_id).path
        below = select(Unit, t.org_unit).where(_U.path.startswith(top, autoescape=True))
        return self._all(Unit, below.order_by(_U.path))

    def above(self, unit_id: str) -> list[Unit]:
        """The unit and all above it, nearest first: compound, community, street, district."""
        found = {u.id: u for u in self._all(Unit, _ABOVE, {"b_unit": unit_id})} if storable(unit_id) else {}
        if unit_id not in found:
            raise NotFound(kind="单位", name=unit_id)
        # the path decides: an underscore in an id matches too much in SQL
        return [found[i] for i in reversed(found[unit_id].line)]

    def rename_unit(self, unit_id: str, name: str, active: bool = True) -> None:
        self._run(sa.update(t.org_unit).where(_U.id == unit_id).values(name=name, active=active))

    # -- persons ---------------------------------------------------------------------------------------------
    def add(
        self,
        name: str,
        *,
        unit_id: str | None = None,
        login: str | None = None,
        password_hash: str = "",
        lang: str = "zh",
        theme: str = "light",
        must_change: bool = False,
        person_id: str | None = None,
    ) -> Person:
        row = Person(
            person_id or self.tx.new_id(),
            name,
            unit_id,
            login,
            password_hash,
            lang,
            theme,
            must_change,
            0,
            None,
            True,
            self.tx.at,
        )
        self._insert(t.person, row)
        return row

    def find(self, person_id: str) -> Person | None:
        row = _FIND.row(self.tx, {"b_person": person_id}) if storable(person_id) else None
        return None if row is None else Person(*row)

    def get(self, person_id: str) -> Person:
        row = self.find(person_id)
        if row is None:
            raise NotFound(kind="人员", name=person_id)
        return row

    def by_login(self, login: str) -> Person | None:
        return self._one(Person, select(Person, t.person).where(_P.login == login)) if storable(login) else None

    def get_many(self, ids: Collection[str]) -> dict[str, Person]:
        found: dict[str, Person] = {}
        for part in chunks(set(ids)):
            found |= {p.id: p for p in self._all(Person, select(Person, t.person).where(_P.id.in_(part)))}
        return found

    def all(self, active: bool = True) -> list[Person]:
        rows = select(Person, t.person).order_by(_P.created_at, _P.id)
        return self._all(Person, rows.where(_P.active == sa.true()) if active else rows)

    def at_units(self, units: Collection[str]) -> list[Person]:
        """Everyone whose own unit is one of these, those who left included, by name."""
        found: list[Person] = []
        for part in chunks(sorted(units)):
            found += self._all(Person, select(Person, t.person).where(_P.unit_id.in_(part)))
        return sorted(found, key=lambda p: (p.name, p.id))

    def lock(self, person_ids: Collection[str]) -> None:
        """Held until the transaction ends, in an order in which nobody waits in a circle."""
        for id in sorted(set(person_ids)):
            self._run(sa.select(_P.id).where(_P.id == id).with_for_update())

    def change(self, person_id: str, **changes: Any) -> None:
        """Change columns of a person: name, unit_id, login, password_hash, lang, theme, failed_count, ..."""
        unknown = changes.keys() - _CHANGEABLE
        if unknown:
            raise TypeError(f"no such column to change: {sorted(unknown)}")
        if not self._run(sa.update(t.person).where(_P.id == person_id).values(changes)).rowcount:
            raise NotFound(kind="人员", name=person_id)

    # -- roles -----------------------------------------------------------------------------------------------
    def grant(
        self,
        person_id: str,
        role: str,
        unit_id: str,
        since: dt.date,
        until: dt.date | None = None,
        granted_by: str = "",
    ) -> Grant:
        row = Grant(self.tx.new_id(), person_id, role, unit_id, since, until, granted_by, self.tx.at)
        self._insert(t.role_grant, row)
        return row

    def end_grant(self, grant_id: str, until: dt.date) -> None:
        """The role ends with the day `until`; the row stays as history."""
        self._run(sa.update(t.role_grant).where(_G.id == grant_id).values(until=until))

    def find_grant(self, grant_id: str) -> Grant | None:
        return self._one(Grant, select(Grant, t.role_grant).where(_G.id == grant_id)) if storable(grant_id) else None

    def grants(self, person_id: str, on: dt.date | None = None) -> list[Grant]:
        """Roles of a person, those in force on a day or all."""
        where = [_G.person_id == person_id] + (_in_force(on) if on else [])
        return self._all(Grant, select(Grant, t.role_grant).where(*where).order_by(_G.since, _G.id))

    def all_grants(self, on: dt.date | None = None) -> list[Grant]:
        where = _in_force(on) if on else []
        return self._all(Grant, select(Grant, t.role_grant).where(*where).order_by(_G.since, _G.id))

    def grants_at(self, units: Collection[str], on: dt.date) -> list[Grant]:
        """Roles that active persons hold at any of the units on a day: who may have a say at a place."""
        if not units:
            return []
        where = [within(_G.unit_id, units), *serving(on), *_in_force(on)]
        rows = select(Grant, t.role_grant).join(t.person, _P.id == _G.person_id).where(*where)
        return self._all(Grant, rows.order_by(_G.since, _G.id))

    def holders(self, role: str, units: Collection[str], on: dt.date) -> list[tuple[Person, str]]:
        """(person, unit) of everyone active who holds the role on that day at one of the units. To find who
        may act at a place, pass the ids of `above(place)`."""
        if not units:
            return []
        where = [_G.role == role, within(_G.unit_id, units), *serving(on), *_in_force(on)]
        rows = (
            select(Person, t.person)
            .add_columns(_G.unit_id)
            .join(t.role_grant, _G.person_id == _P.id)
            .where(*where)
            .order_by(_G.since, _P.id)
        )
        return [(Person(*row[:-1]), str(row[-1])) for row in self._run(rows)]


def serving(on: dt.date) -> list[sa.ColumnElement[bool]]:
    """Of persons: in the service on that day."""
    return [_P.active == sa.true(), sa.or_(_P.leaving_on.is_(None), _P.leaving_on >= on)]


def _segment(unit_id: str) -> str:
    """`compound/huheyuan` is one step of the path: a slash in an id is written `|`."""
    return unit_id.replace("/", "|")


def _in_force(on: dt.date) -> list[sa.ColumnElement[bool]]:
    return [_G.since <= on, sa.or_(_G.until.is_(None), _G.until >= on)]
