"""The inbox: what is mine, my unit's, due soon, started by me, done by me."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from siquan.core.engine.access import (
    GROUP,
    LEADER,
    Chain,
    Post,
    Standing,
    acting_roles,
    holding,
    kernel_post,
    lend,
    post_names,
)
from siquan.core.service.app import ASIDE, App
from siquan.core.service.pages import due_view
from siquan.core.service.timing import AT_MOST
from siquan.core.service.words import Words
from siquan.core.spec.model import ProcessSpec, StateSpec
from siquan.core.spec.verbs import STARTER
from siquan.core.store.cases import FREE, Desks, Own
from siquan.core.store.rows import Case, Task, Unit
from siquan.core.store.transaction import Tx
from siquan.core.views import InboxRow, InboxView

PAGE = 50
SOON_DAYS = 5
TABS = ("mine", "unit", "soon", "started", "done")


@dataclass(frozen=True)
class _Desks:
    """What somebody can act on and look at: posts by process, and places with states that count there."""

    posts: dict[str, tuple[Post, ...]]
    act: Desks
    look: Desks
    own: Own
    standings: tuple[Standing, ...]
    named: dict[str, tuple[Case, str]]


class Inbox:
    def __init__(self, app: App) -> None:
        self.app = app

    def _desks(self, tx: Tx, person: str, units: dict[str, Unit]) -> _Desks:
        """Where the person's posts, and those he was lent, let him act and look."""
        today = self.app.today()
        standings = [s for s in self.app.standings(tx) if s.substitute == person]
        own = [
            Post(g.person_id, g.role, g.unit_id) for p in (person, *(s.person for s in standings)) if self.app.serves(tx, p)
            for g in tx.people.grants(p, today) if g.role not in ASIDE
        ]  # fmt: skip
        below: dict[str, frozenset[str]] = {}
        act: dict[frozenset[str] | None, dict[str, set[str]]] = {}
        look: dict[frozenset[str], set[str]] = {}
        posts: dict[str, tuple[Post, ...]] = {}
        signs: list[tuple[frozenset[str], str, frozenset[str]]] = []
        for id, definition in self.app.catalogue.definitions.items():
            spec, wanted = definition.spec, post_names(definition.spec)
            posts[id] = tuple(p for p in lend(own, standings, id) if p.person == person)
            here: set[str] = set()
            for post in posts[id]:
                if post.unit not in units:
                    continue
                if post.role.startswith(GROUP) and post.role not in wanted:
                    continue
                under = below.get(post.unit) or below.setdefault(post.unit, frozenset(u.id for u in units.values() if post.unit in u.line))
                here |= under
                if roles := self._signs(spec, post):
                    signs.append((under, id, roles))
                for places, states in self._turns(spec, post, under).items():
                    act.setdefault(places, {}).setdefault(id, set()).update(states)
            look.setdefault(frozenset(here), set()).add(id)
        return _Desks(
            posts, [(places, {p: frozenset(s) for p, s in found.items()}) for places, found in act.items()],
            [(places, dict.fromkeys(ids, frozenset[str]())) for places, ids in look.items() if places],
            Own(((person, frozenset()), *((s.person, s.processes) for s in standings)), tuple(signs)), tuple(standings),
            self._named(tx, person, standings),
        )  # fmt: skip

    def _signs(self, spec: ProcessSpec, post: Post) -> frozenset[str]:
        """The roles for which the holder of the post may give a signature that is asked of nobody by name."""
        asked = {r for s in spec.states if s.sign is not None for r in s.sign.by}
        return frozenset(r for r in asked if kernel_post(spec.role(r)) == post.role and not spec.role(r).fact)

    def _turns(self, spec: ProcessSpec, post: Post, under: frozenset[str]) -> dict[frozenset[str] | None, set[str]]:
        """States in which the post may act, by the places where it may; None is everywhere."""
        out: dict[frozenset[str] | None, set[str]] = {}
        for state in spec.states:
            for names in turns(spec, state):
                for name in names:
                    role = spec.role(name)
                    if kernel_post(role) == post.role and not role.fact and role.kind != "starter" and (role.kind != "unit" or role.scope == post.unit):
                        out.setdefault(None if role.kind == "unit" else under, set()).add(state.name)
        return out

    def _named(self, tx: Tx, person: str, standings: Sequence[Standing]) -> dict[str, tuple[Case, str]]:
        """Open cases that wait for this very person: a fact names him, or he started them; with whom he stands in for."""
        out: dict[str, tuple[Case, str]] = {}
        for who in (person, *(s.person for s in standings)):
            rows = [(case, path) for case, path, _ in tx.named.open_cases([who])]
            for case, path in [*rows, *((case, "") for case in tx.named.started([who]))]:
                definition = self.app.catalogue.definitions.get(case.process)
                state = definition.spec.state(case.state) if definition else None
                if definition is None or state is None or case.id in out:
                    continue
                spec = definition.spec
                if case.holder not in FREE:
                    continue
                roles = {r for names in turns(spec, state) for r in names or ("",)}
                mine = {r.name for r in spec.roles.values() if (r.fact == path if path else r.kind == "starter")} | ({"", STARTER} if not path else set())
                hits = roles & mine
                covered = who == person or any(s.person == who and s.covers(r or "starter", spec.id) for s in standings for r in hits)
                if hits and covered:
                    out[case.id] = (case, "" if who == person else who)
        return out

    def view(
        self, person: str, tab: str, process: str, place: str, due: str, q: str, page: int, lang: str
    ) -> InboxView:
        tab = tab if tab in TABS else "mine"
        with self.app.store.read() as tx:
            today = self.app.today()
            units = {u.id: u for u in tx.people.units()}
            desks = self._desks(tx, person, units)
            area = {u.id for u in tx.people.under(place)} if place and place in units else None
            turns, looks = _narrowed(desks.act, process, area), _narrowed(desks.look, process, area)
            own = replace(desks.own, process=process, area=frozenset(area) if area is not None else None)
            # what a search may find is seen whatever the process
            seen = [{u for places, s in desks.look if p in s for u in places or ()} for p in self.app.catalogue.definitions]
            everywhere = set.intersection(*seen) if seen else set()
            soon = today + dt.timedelta(days=SOON_DAYS)
            limit, offset = PAGE, (max(page, 1) - 1) * PAGE
            if q.strip():
                cases = tx.cases.search(q, everywhere, limit, offset)
            elif tab == "mine":
                to = {"over": today - dt.timedelta(days=1), "soon": soon}.get(due)
                cases = tx.cases.open_for((), also=turns, own=own, due_to=to, limit=limit * 3, offset=offset)
            elif tab == "soon":
                to = soon
                cases = tx.cases.open_for((), also=turns, own=own, due_to=soon, limit=limit * 3, offset=offset)
            elif tab == "unit":
                cases = tx.cases.open_for((), also=looks, limit=limit * 3, offset=offset)
            elif tab == "started":
                cases = tx.cases.opened_by(person, limit, offset)
            else:
                cases = tx.cases.done_by(person, limit, offset)
            held = tx.tasks.open_of(list(desks.named))
            extra = [c for c, _ in desks.named.values() if not _at(desks.act, c) and not _held(held.get(c.id, ()), person, desks.standings, c.process)]
            if tab in ("mine", "soon") and page <= 1 and not q.strip():
                wanted = [c for c in extra if process in ("", c.process) and (area is None or c.place in area) and _by_then(c, to)]
                cases = sorted([*cases, *wanted], key=lambda c: (c.due_on or dt.date.max, c.id))
            rows = self._rows(tx, cases, desks, units, lang, collapse=tab in ("mine", "soon", "unit"), person=person)
            late = today - dt.timedelta(days=1)
            counts = {
                "mine": tx.cases.count_open((), also=desks.act, own=desks.own) + len(extra),
                "unit": tx.cases.count_open((), also=desks.look),
                "soon": tx.cases.count_open((), also=desks.act, own=desks.own, due_to=soon) + sum(_by_then(c, soon) for c in extra),
                "unread": tx.notices.unread(person),
            }
            per_process = Counter(tx.cases.count_open_by("process", (), also=desks.act, own=desks.own)) + Counter(c.process for c in extra)
            per_place = Counter(tx.cases.count_open_by("place", (), also=desks.act, own=desks.own)) + Counter(c.place for c in extra)
            overdue = tx.cases.count_open((), also=desks.act, own=desks.own, due_to=late) + sum(_by_then(c, late) for c in extra)
            processes = tuple(
                (p, Words(self.app.catalogue, d.spec, lang).title, d.spec.icon, per_process[p])
                for p, d in self.app.catalogue.definitions.items()
                if per_process.get(p)
            )
            zh = lang == "zh"
            dues = (("over", "已超期" if zh else "overdue", overdue), ("soon", f"{SOON_DAYS} 日内" if zh else f"within {SOON_DAYS} days", counts["soon"]))
            shown = rows[:limit]
            next_due = min((c.due_on for c in cases if c.due_on and c.due_on > today), default=None)
            return InboxView(
                tab, tuple(shown), len(rows), counts, processes, self._places(units, per_place), dues,
                next_due.isoformat() if next_due else "",
            )  # fmt: skip

    def _places(self, units: dict[str, Unit], per_place: dict[str, int]) -> tuple[tuple[str, str, int, int], ...]:
        """The tree with open work in it, counts summed upwards."""
        total: dict[str, int] = {}
        for id, n in per_place.items():
            if id in units:
                for above in units[id].line:
                    total[above] = total.get(above, 0) + n
        chosen = [u for u in units.values() if total.get(u.id)]
        if not chosen:
            return ()
        top = min(len(u.line) for u in chosen)
        return tuple((u.id, u.name, len(u.line) - top, total[u.id]) for u in chosen if len(u.line) - top <= 3)

    def _rows(
        self, tx: Tx, cases: list[Case], desks: _Desks, units: dict[str, Unit], lang: str, *, collapse: bool, person: str,
    ) -> list[InboxRow]:  # fmt: skip
        today, calendar = self.app.today(), self.app.calendar(tx)
        deadlines = tx.deadlines.of_many([c.id for c in cases])
        still = {i for i, rows in tx.deadlines.of_many([c.id for c in cases], "paused").items() if rows}
        still |= {i for i, rows in deadlines.items() if any(d.name == AT_MOST for d in rows)}
        tasks = tx.tasks.open_of([c.id for c in cases])
        parents = tx.cases.get_many([c.parent_id for c in cases if c.parent_id])
        together: dict[tuple[str, str], list[Case]] = {}
        for case in cases:
            if collapse and case.parent_id:
                together.setdefault((case.parent_id, case.state), []).append(case)
        leads = any(p.role == LEADER for posts in desks.posts.values() for p in posts)
        leaders = {unit for _, unit in tx.people.holders(LEADER, units, today)} if leads else set()
        out, done = [], set()
        for case in cases:
            definition = self.app.catalogue.definitions.get(case.process)
            if definition is None:
                continue
            spec = definition.spec
            words = Words(self.app.catalogue, spec, lang)
            state = spec.state(case.state)
            here = state is not None and not state.final and case.id not in still
            way = self._fits(case, desks, units, spec, state, leaders, person, tasks.get(case.id, ())) if state is not None and here else None
            dues = [due_view(d, today, calendar, lang) for d in deadlines.get(case.id, [])[:1]]
            title, target, number, summary = case.title, case.id, case.number or "", words.text(f"states.{case.state}.hint", state.hint if state else "")
            if case.id in still:
                summary = "已挂起" if lang == "zh" else "suspended"
            if case.parent_id:
                parent = parents.get(case.parent_id)
                group = together.get((case.parent_id, case.state), [case])
                if len(group) > 1:
                    if (case.parent_id, case.state) in done:
                        continue
                    done.add((case.parent_id, case.state))
                    names = "、".join(c.title for c in group[:6]) + ("…" if len(group) > 6 else "")
                    title = f"{words.title}：{words.state_named(case.state)} {len(group)} 件" if lang == "zh" else f"{words.title}: {len(group)} × {words.state_named(case.state)}"
                    summary, target, number = names, case.parent_id, parent.number or "" if parent else ""
                else:
                    summary = f"{parent.title if parent else ''}" + (f"；{summary}" if summary else "")
            unit = units.get(case.place)
            due = dues[0] if dues else None
            out.append(
                InboxRow(
                    target, title, number, spec.id, words.title, spec.icon, unit.name if unit else "",
                    words.state_named(case.state), way is not None, summary, due, _group(due, today), single=target == case.id,
                    instead=self.app.person_name(tx, way) if way else "",
                )
            )  # fmt: skip
        return out

    def _fits(
        self, case: Case, desks: _Desks, units: dict[str, Unit], spec: ProcessSpec, state: StateSpec, leaders: set[str], person: str,
        tasks: Sequence[Task],
    ) -> str | None:
        """Whether it is the person's turn: "" for his own, else whom he stands in for; None when it is not."""
        unit = units.get(case.place)
        if unit is None:
            return None
        chain = Chain(tuple((i, units[i].kind) for i in reversed(unit.line) if i in units))
        # those who lead a unit here, nameless: the nearest of them leads the case
        around = [Post("", LEADER, u) for u in chain.ids if u in leaders]
        found = {desks.named[case.id][1]} if case.id in desks.named else set()
        found |= _held(tasks, person, desks.standings, spec.id)
        open_ = [r.role for r in tasks if r.turn and not r.assignee and r.kind == "sign"]
        for names in (open_, *(turns(spec, state) if case.holder in FREE else ())):
            for name in names:
                role = spec.role(name)
                if not role.fact and role.kind != "starter":
                    found |= {p.of for p in holding(role, [*desks.posts.get(spec.id, ()), *around], chain) if p.person == person}
        return min(found) if found else None


def turns(spec: ProcessSpec, state: StateSpec) -> list[Sequence[str]]:
    """The roles whose turn it is while the work of the state is with nobody: for each step those who may take it, but where
    it is sent out, those who send it. What signatures come to is asked of the signers."""
    if state.task is not None and state.task.dispatcher:
        return [state.task.dispatcher]
    signed = (state.sign.agree, state.sign.refuse) if state.sign is not None else ()
    return [acting_roles(spec, state, t) for t in state.transitions if not t.auto and t.name not in signed]


def _held(tasks: Iterable[Task], person: str, standings: Iterable[Standing], process: str) -> set[str]:
    """Whether a task is with the person: "" his own, else whom he stands in for."""
    found = {r.assignee for r in tasks if r.turn and r.assignee}
    return ({""} if person in found else set()) | {s.person for s in standings if s.person in found and (not s.processes or process in s.processes)}


def _narrowed(desks: Desks, process: str, area: set[str] | None) -> Desks:
    """The desks with one process and an area of places chosen; "" and None are all."""
    out = []
    for places, states in desks:
        here = places if area is None else area if places is None else set(places) & area
        out.append((here, {p: s for p, s in states.items() if process in ("", p)}))
    return out


def _at(desks: Desks, case: Case) -> bool:
    return any((places is None or case.place in places) and case.state in states.get(case.process, ()) for places, states in desks)


def _by_then(case: Case, day: dt.date | None) -> bool:
    return day is None or case.due_on is not None and case.due_on <= day


def _group(due: object, today: dt.date) -> str:
    if due is None:
        return "none"
    end: dt.date = due.end  # type: ignore[attr-defined]
    if end < today:
        return "over"
    if end == today:
        return "today"
    week_end = today + dt.timedelta(days=6 - today.weekday())
    return "week" if end <= week_end else "later"
