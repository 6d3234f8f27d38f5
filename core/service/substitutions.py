"""Substitution for a period: a person names who stands in for him, or an administrator names one for somebody else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from siquan.core.errors import BadInput, NoAccess, Refused, SiquanError
from siquan.core.service.app import ADMIN, ASIDE, App
from siquan.core.service.refusal import check_text
from siquan.core.staff import StandIns, SubstitutionView
from siquan.core.store.rows import Person, Substitution
from siquan.core.store.transaction import Tx

LONGEST_DAYS, MAX_REASON = 366, 200


class OwnSubstitute(BadInput):
    """nobody is his own substitute"""

    code = "SQ481"
    zh = "不能由本人代办自己的事"


class BadPeriod(BadInput):
    """the period from {since} to {until} cannot be used: it has to begin today or later, end no earlier, and last a year at most"""

    code = "SQ482"
    zh = "{since} 至 {until} 不能作代办的期间：从今天或以后起，止日不早于起日，最长一年"


class HasLeft(Refused):
    """{name} leaves the service before that, or has left"""

    code = "SQ483"
    zh = "{name} 那时已经离岗"


class SubstituteOfSubstitute(Refused):
    """a substitution does not go on: from {since} to {until} {substitute} stands in for {absent}"""

    code = "SQ484"
    zh = "代办不能再转代：{since} 至 {until} 已由{substitute}代{absent}办理"
    help_en = "cancel that one first, or choose another period or person"
    help_zh = "先撤销那一项，或者换一段时间、换一个人"


class SubstitutionOverlaps(Refused):
    """{person} already has {substitute} as a substitute for this from {since} to {until}"""

    code = "SQ485"
    zh = "{person} 在 {since} 至 {until} 对同样的范围已经指定由{substitute}代办"
    help_en = "cancel that one first, or choose another period"
    help_zh = "先撤销那一项，或者换一段时间"


def overlap(a: dict[str, list[str]], b: dict[str, list[str]]) -> bool:
    """Whether two scopes share anything. Roles and processes cut across each other."""
    for key in ("roles", "processes"):
        if a.get(key) and b.get(key):
            return not set(a[key]).isdisjoint(b[key])
    return True


class Substitutions:
    def __init__(self, app: App) -> None:
        self.app = app

    def governs(self, tx: Tx, admin: str, person: Person) -> bool:
        """Whether the person's unit lies under a unit the other looks after."""
        units = {g.unit_id for g in tx.people.grants(admin, self.app.today()) if g.role == ADMIN}
        above = {u.id for u in tx.people.above(person.unit_id)} if person.unit_id else set()
        return bool(units & above)

    # naming and cancelling

    def add(
        self, person: str, substitute: str, since: dt.date, until: dt.date, by: str, *, reason: str = "",
        roles: Sequence[str] = (), processes: Sequence[str] = (), trusted: bool = False,
    ) -> SubstitutionView:  # fmt: skip
        check_text(reason, MAX_REASON, "原因")
        with self.app.store.begin() as tx:
            absent = tx.people.get(person)
            if not trusted and by != person and not self.governs(tx, by, absent):
                raise NoAccess(why="只有本人，或者管理他所在单位人员的人，可以指定代办")
            taker = tx.people.get(substitute)
            tx.people.lock([person, substitute])
            if person == substitute:
                raise OwnSubstitute()
            if since < self.app.today() or until < since or (until - since).days > LONGEST_DAYS:
                raise BadPeriod(since=since, until=until)
            for one in (absent, taker):
                if not one.serves(until):
                    raise HasLeft(name=one.name)
            if not trusted and not (self.governs(tx, by, taker) or substitute in dict(self._colleagues(tx, absent))):
                raise NoAccess(why=f"{taker.name} 不在同一单位、上下级或者同一上级的单位")
            scope = self._scope(tx, person, since, until, roles, processes)
            self._clear(tx, absent, taker, since, until, scope)
            row = tx.substitutions.add(person, substitute, since, until, scope, reason.strip(), by)
            tx.access.add(by, "substitution.set", f"{row.id} {person} {substitute}"[:200])
            return self._view(tx, row, by)

    def _scope(
        self, tx: Tx, person: str, since: dt.date, until: dt.date, roles: Sequence[str], processes: Sequence[str]
    ) -> dict[str, list[str]]:
        if roles and processes:
            raise BadInput(why="代办的范围按岗位或者按流程定，不能两样都写")
        held = {g.role for g in tx.people.grants(person) if g.since <= until and (g.until is None or g.until >= since)} - ASIDE
        for role in roles:
            if role not in held:
                raise BadInput(why=f"那段时间他没有 `{str(role)[:60]}` 这个岗位")
        for process in processes:
            self.app.definition(process)
        out = {"roles": sorted(set(roles)), "processes": sorted({self.app.definition(p).spec.id for p in processes})}
        return {k: v for k, v in out.items() if v}

    def _clear(self, tx: Tx, absent: Person, taker: Person, since: dt.date, until: dt.date, scope: dict[str, list[str]]) -> None:
        """No chain, no loop, no two substitutes for one thing."""
        for old in tx.substitutions.between(absent.id, since, until):
            if old.person_id == absent.id and overlap(old.scope, scope):
                raise SubstitutionOverlaps(person=absent.name, **self._told(tx, old))
            if old.substitute_id == absent.id:
                raise self._chain(tx, old)
        for old in tx.substitutions.between(taker.id, since, until):
            if old.person_id == taker.id:
                raise self._chain(tx, old)

    def _chain(self, tx: Tx, old: Substitution) -> SiquanError:
        return SubstituteOfSubstitute(absent=self.app.person_name(tx, old.person_id), **self._told(tx, old))

    def _told(self, tx: Tx, old: Substitution) -> dict[str, Any]:
        return {"substitute": self.app.person_name(tx, old.substitute_id), "since": old.since, "until": old.until}

    def cancel(self, id: str, by: str, *, trusted: bool = False) -> SubstitutionView:
        """Ends it at once; for either of the two and for who looks after them."""
        with self.app.store.begin() as tx:
            row = tx.substitutions.get(id)
            if not trusted and not self._may_cancel(tx, row, by):
                raise NoAccess(why="只有这两个人，或者管理他们的人，可以撤销代办")
            if row.until < self.app.today():
                raise Refused(why="这项代办已经到期")
            if not tx.substitutions.cancel(id, by):
                raise Refused(why="这项代办已经撤销")
            tx.access.add(by, "substitution.end", f"{row.id} {row.person_id} {row.substitute_id}"[:200])
            return self._view(tx, tx.substitutions.get(id), by)

    def _may_cancel(self, tx: Tx, row: Substitution, by: str) -> bool:
        return by in (row.person_id, row.substitute_id) or self.governs(tx, by, tx.people.get(row.person_id))

    # showing

    def own(self, person: str) -> StandIns:
        """What the card of a person shows."""
        with self.app.store.read() as tx:
            me = tx.people.get(person)
            held = dict.fromkeys(g.role for g in tx.people.grants(person, self.app.today()) if g.role not in ASIDE)
            return StandIns(
                tuple(self._view(tx, row, person) for row in tx.substitutions.of(person)), tuple(self._colleagues(tx, me)),
                tuple((r, self.app.post_title(r)) for r in held),
                tuple((id, d.spec.title) for id, d in self.app.catalogue.definitions.items() if d.spec.child_of is None), self.app.today(),
            )  # fmt: skip

    def of(self, tx: Tx, person: str, viewer: str) -> tuple[SubstitutionView, ...]:
        return tuple(self._view(tx, row, viewer) for row in tx.substitutions.of(person))

    def _colleagues(self, tx: Tx, person: Person) -> list[tuple[str, str]]:
        """Who may be named: of the same unit, of those above and below it, of those under the same unit as it."""
        if not person.unit_id:
            return []
        line = tx.people.above(person.unit_id)
        units = {u.id: u.name for u in (*line, *tx.people.under(line[1].id if len(line) > 1 else person.unit_id))}
        found = [p for p in tx.people.at_units(units) if p.id != person.id and p.serves(self.app.today())]
        return [(p.id, f"{p.name}（{units[p.unit_id or '']}）") for p in found]

    def _view(self, tx: Tx, row: Substitution, viewer: str) -> SubstitutionView:
        today = self.app.today()
        state = "cancelled" if row.cancelled_at else "over" if row.until < today else "future" if row.since > today else "running"
        scope = [self.app.post_title(r) for r in row.scope.get("roles", ())]
        known = self.app.catalogue.definitions
        scope += [known[p].spec.title if p in known else p for p in row.scope.get("processes", ())]
        name = self.app.person_name
        return SubstitutionView(
            row.id, row.person_id, name(tx, row.person_id), row.substitute_id, name(tx, row.substitute_id), row.since, row.until,
            tuple(scope), row.reason, state, name(tx, row.set_by), state in ("running", "future") and self._may_cancel(tx, row, viewer),
        )  # fmt: skip


