"""People for those who look after them: posts granted and ended, leavers, and the open work they leave."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from siquan.core.engine.access import GROUP, kernel_post
from siquan.core.engine.fold import REASSIGNED
from siquan.core.errors import BadInput, NoAccess, NotFound, Refused, SiquanError
from siquan.core.rules.facts import Stated
from siquan.core.service.acts import Acts
from siquan.core.service.app import ADMIN, KERNEL_ROLES, POLICY_ROLES, App
from siquan.core.service.assigning import follow
from siquan.core.service.choices import settle
from siquan.core.service.context import Context
from siquan.core.service.steps import may_take
from siquan.core.service.substitutions import Substitutions
from siquan.core.service.words import Words
from siquan.core.staff import Moved, PersonLine, PersonPage, PostView, StaffList, WorkView
from siquan.core.store.rows import Case, Grant, Person
from siquan.core.store.transaction import Tx


class PostHeld(Refused):
    """{name} already holds {role} at {unit}"""

    code = "SQ486"
    zh = "{name} 在{unit}已经担任{role}"


class LastAdministrator(Refused):
    """nobody would be left to look after the people of {unit}"""

    code = "SQ487"
    zh = "这样就没有人管理{unit}的人员了"
    help_en = "grant the post to somebody else first"
    help_zh = "先把“管理员”授予另一个人"


class People:
    def __init__(self, app: App, acts: Acts, substitutions: Substitutions) -> None:
        self.app, self.acts, self.substitutions = app, acts, substitutions

    # who looks after whom

    def _units(self, tx: Tx, admin: str, trusted: bool) -> dict[str, str]:
        """Units under the administrator's own, with their names. Raises NoAccess for whoever is none."""
        if trusted:
            return {u.id: u.name for u in tx.people.units()}
        tops = [g.unit_id for g in tx.people.grants(admin, self.app.today()) if g.role == ADMIN]
        if not tops:
            raise NoAccess(why="只有担任“管理员”的人可以看人员和岗位")
        return {u.id: u.name for top in tops for u in tx.people.under(top)}

    def _governed(self, tx: Tx, admin: str, person: str, trusted: bool) -> tuple[Person, dict[str, str]]:
        units = self._units(tx, admin, trusted)
        found = tx.people.find(person)
        if found is None or not (trusted or found.unit_id in units):
            # whether there is such a person elsewhere is none of his business
            raise NotFound(kind="人员", name=person)
        return found, units

    # looking

    def listed(self, by: str, *, q: str = "", trusted: bool = False) -> StaffList:
        with self.app.store.read() as tx:
            units = self._units(tx, by, trusted)
            standing = {s.person: s.substitute for s in self.app.standings(tx)}
            people = tx.people.at_units(units) if not trusted else tx.people.all(active=False)
            posts: dict[str, list[Grant]] = {}
            for grant in tx.people.all_grants(self.app.today()):
                posts.setdefault(grant.person_id, []).append(grant)
            lines = [self._line(tx, p, posts.get(p.id, []), units, standing) for p in people]
            shown = [x for x in lines if not q or q in x.name or q in x.login or q in x.unit_title or any(q in t for t in x.posts)]
            return StaffList(tuple(sorted(shown, key=lambda x: (not x.serving, x.unit, x.name))), tuple(units.items()))

    def _line(self, tx: Tx, p: Person, grants: Sequence[Grant], units: dict[str, str], standing: dict[str, str]) -> PersonLine:
        away = self.app.person_name(tx, standing[p.id]) if p.id in standing else ""
        posts = tuple(sorted({self.app.post_title(g.role) for g in grants}))
        return PersonLine(
            p.id, p.name, p.login or "", p.unit_id or "", units.get(p.unit_id or "", ""), posts, p.serves(self.app.today()), p.leaving_on, away
        )

    def page(self, person: str, by: str, lang: str, *, trusted: bool = False) -> PersonPage:
        with self.app.store.read() as tx:
            found, units = self._governed(tx, by, person, trusted)
            running = tx.people.grants(person, self.app.today())
            line = self._line(tx, found, running, units, {s.person: s.substitute for s in self.app.standings(tx)})
            takers = [(p.id, f"{p.name}（{units[p.unit_id or '']}）") for p in tx.people.at_units(units) if p.id != person and p.serves(self.app.today())]
            work = tuple(self._work(tx, case, why, lang) for case, why, _ in self.open_work(tx, person))
            posts = tuple(self._post(tx, g, units) for g in reversed(tx.people.grants(person)))
            return PersonPage(
                line, posts, self.substitutions.of(tx, person, by), work, tuple(units.items()), tuple(self._roles()), tuple(takers), self.app.today()
            )

    def _post(self, tx: Tx, g: Grant, units: dict[str, str]) -> PostView:
        today = self.app.today()
        state = "future" if g.since > today else "over" if g.until is not None and g.until < today else "running"
        unit = tx.people.find_unit(g.unit_id)
        others = tx.people.holders(g.role, [g.unit_id], today) if state == "running" else []
        return PostView(
            g.id, g.role, self.app.post_title(g.role), g.unit_id, unit.name if unit else g.unit_id, g.since, g.until, state,
            bool(others) and {p.id for p, _ in others} == {g.person_id}, state != "over" and g.unit_id in units and g.role not in POLICY_ROLES,
        )  # fmt: skip

    def _roles(self) -> Iterator[tuple[str, str]]:
        """Posts an administrator may grant: leader, administrator, the roles and groups of every process."""
        names = {kernel_post(r) for d in self.app.catalogue.definitions.values() for r in d.spec.roles.values() if not r.fact and r.kind != "starter"}
        for name in (*(k for k in KERNEL_ROLES if k not in POLICY_ROLES), *sorted(names - set(KERNEL_ROLES))):
            yield name, self.app.post_title(name)

    # posts

    def grant(
        self, person: str, role: str, unit: str, by: str, *, since: dt.date | None = None, until: dt.date | None = None, trusted: bool = False
    ) -> None:
        with self.app.store.begin() as tx:
            found, units = self._governed(tx, by, person, trusted)
            tx.people.lock([person])
            if unit not in units:
                raise NotFound(kind="单位", name=unit)
            known = dict(self._roles())
            if role not in known and not (trusted and (role in POLICY_ROLES or role.removeprefix(GROUP) and role.startswith(GROUP))):
                raise NotFound(kind="岗位", name=role)
            start = since or self.app.today()
            if start < self.app.today() or until is not None and until < start:
                raise BadInput(why="岗位从今天或以后起，止日不早于起日")
            if not found.serves(start):
                raise BadInput(why=f"{found.name} 那时已经离岗")
            for g in tx.people.grants(person):
                if g.role == role and g.unit_id == unit and (g.until is None or g.until >= start) and (until is None or g.since <= until):
                    raise PostHeld(name=found.name, role=self.app.post_title(role), unit=units[unit])
            tx.people.grant(person, role, unit, start, until, by)
            tx.access.add(by, "post.grant", f"{person} {role}@{unit}"[:200])

    def end(self, grant: str, by: str, *, on: dt.date | None = None, trusted: bool = False) -> str:
        """Ends a post with the day before `on` (default today): from that day on it is nobody's. Returns whose it was."""
        with self.app.store.begin() as tx:
            row = tx.people.find_grant(grant)
            units = self._units(tx, by, trusted)
            if row is None or row.unit_id not in units or not trusted and row.role in POLICY_ROLES:
                raise NotFound(kind="岗位", name=grant)
            last = (on or self.app.today()) - dt.timedelta(days=1)
            if on is not None and on < self.app.today():
                raise BadInput(why="岗位不能在过去的日子结束")
            if row.until is not None and row.until <= last:
                raise Refused(why="这个岗位已经结束")
            if row.role == ADMIN and not trusted:
                self._somebody_else(tx, row)
            tx.people.end_grant(grant, last)
            tx.access.add(by, "post.end", f"{row.person_id} {row.role}@{row.unit_id}"[:200])
            return row.person_id

    def _somebody_else(self, tx: Tx, row: Grant) -> None:
        above = [u.id for u in tx.people.above(row.unit_id)]
        if not any(p.id != row.person_id for p, _ in tx.people.holders(ADMIN, above, self.app.today())):
            raise LastAdministrator(unit=tx.people.unit(row.unit_id).name)

    # leavers

    def leave(self, person: str, by: str, *, on: dt.date | None = None, trusted: bool = False) -> None:
        """Marks the last day in the service; with it end all posts. Work that is still open stays listed and is moved."""
        with self.app.store.begin() as tx:
            found, _ = self._governed(tx, by, person, trusted)
            tx.people.lock([person])
            last = on or self.app.today()
            if last < self.app.today():
                raise BadInput(why="离岗的日子不能在过去")
            if person == by:
                raise NoAccess(why="不能给自己办离岗")
            if not found.serves(self.app.today()):
                raise Refused(why=f"{found.name} 已经离岗")
            for g in tx.people.grants(person):
                if g.until is None or g.until > last:
                    if g.role == ADMIN and not trusted:
                        self._somebody_else(tx, g)
                    tx.people.end_grant(g.id, max(last, g.since - dt.timedelta(days=1)))
            for s in tx.substitutions.between(person, last + dt.timedelta(days=1), dt.date.max):
                tx.substitutions.cancel(s.id, by)
            tx.people.change(person, leaving_on=last)
            tx.access.add(by, "person.leave", f"{person} {last}"[:200])

    def open_work(self, tx: Tx, person: str) -> list[tuple[Case, str, str]]:
        """(case, claimed or named, path of the fact) of what waits for this very person. The one place that knows."""
        held = dict.fromkeys(task.case_id for task in tx.tasks.with_person(person))
        cases = tx.cases.get_many(held)
        out = [(cases[case], "claimed", "") for case in held if case in cases]
        for case, path, _ in tx.named.open_cases([person]):
            if path in {r.fact for r in Context(self.app, tx, case).definition.spec.roles.values()}:
                out.append((case, "named", path))
        return out

    def _work(self, tx: Tx, case: Case, why: str, lang: str) -> WorkView:
        context = Context(self.app, tx, case)
        words = Words(self.app.catalogue, context.definition.spec, lang)
        unit = tx.people.find_unit(case.place)
        return WorkView(case.id, case.number or "", words.title, words.state(context.state), unit.name if unit else case.place, case.due_on, why)

    def move(
        self, person: str, takers: Sequence[str], by: str, *, cases: Sequence[str] | None = None, lang: str = "zh", trusted: bool = False
    ) -> tuple[Moved, ...]:
        """Gives open work to those of the takers who may act, evenly; each case by itself. What nobody may take stays."""
        with self.app.store.read() as tx:
            _, units = self._governed(tx, by, person, trusted)
            for taker in takers:
                found = tx.people.get(taker)
                if not (trusted or found.unit_id in units):
                    raise NotFound(kind="人员", name=taker)
                if taker == person or not found.serves(self.app.today()):
                    raise BadInput(why=f"不能转给{found.name}")
            work = [(case, why, path) for case, why, path in self.open_work(tx, person) if cases is None or case.id in cases]
        if not takers:
            raise BadInput(why="要选转给谁")
        load = Counter(dict.fromkeys(takers, 0))
        return tuple(self._moved(case, why, path, person, by, load, lang) for case, why, path in work)

    def _moved(self, case: Case, why: str, path: str, person: str, by: str, load: Counter[str], lang: str) -> Moved:
        reason, taker, name = "", "", ""
        try:
            with self.app.store.begin() as tx:
                context = self.acts._locked(tx, case.id, None)
                able = [t for t in load if self._may_take(context, person, t, path)]
                taker = min(able, key=lambda t: (load[t], list(load).index(t)), default="")
                if taker:
                    self._give(context, path, person, taker, by)
                    name = self.app.person_name(tx, taker)
                else:
                    reason = "所选的人都不能办这一步" if lang == "zh" else "none of them may act here"
        except SiquanError as fault:
            taker, name, reason = "", "", fault.text(lang)
        if taker:
            load[taker] += 1
        title = Words(self.app.catalogue, self.app.definition(case.process).spec, lang).title
        return Moved(case.id, case.number or "", title, name, reason)

    def _may_take(self, context: Context, left: str, person: str, path: str) -> bool:
        """Whether the person could be chosen, or may take every task that is with who left, by a post of his own."""
        if path:
            spec = context.definition.schema.get(path)
            return spec is not None and (person in context.choosable(spec.among) if spec.among else self._may_see(context, person))
        return all(may_take(context, t, person) for t in context.story.tasks.values() if t.open and t.person == left)

    def _may_see(self, context: Context, person: str) -> bool:
        return any(p.person == person and not p.of for p in context.posts)

    def _give(self, context: Context, path: str, person: str, taker: str, by: str) -> None:
        tx, case = context.tx, context.case
        if not path and not any(t.open and t.person == person for t in context.story.tasks.values()):
            raise Refused(why="这件事已经不在他手里")
        if path and (context.stored.get(path) is None or context.stored[path].value != person):
            raise Refused(why="这件事已经不在他手里")
        seq = tx.events.next_seq(case.id)
        data: dict[str, Any] = {"left": person, "taker": taker, "to": case.state, "revision": case.revision + 1}
        if path:
            chosen = {path: Stated(taker, self.app.today(), "转交", "", by)}
            settle(context, chosen, note=True)
            data["facts"] = self.acts._put(tx, case.id, seq, chosen, by)
        tx.events.append(case.id, REASSIGNED, by, data)
        tx.cases.update(case.id, case.revision, holder=follow(self.acts._fresh(context), by))
        self.acts._touch_parent(context)


