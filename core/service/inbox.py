"""The inbox: what is mine, my unit's, due soon, started by me, done by me."""

from __future__ import annotations

import datetime as dt

from siquan.core.engine.access import Chain, Post, acting_roles, fits
from siquan.core.service.app import POLICY_ROLES, App
from siquan.core.service.pages import due_view
from siquan.core.service.timing import AT_MOST
from siquan.core.service.words import Words
from siquan.core.spec.verbs import STARTER
from siquan.core.store.rows import Case, Unit
from siquan.core.store.transaction import Tx
from siquan.core.views import InboxRow, InboxView

PAGE = 50
SOON_DAYS = 5
TABS = ("mine", "unit", "soon", "started", "done")


class Inbox:
    def __init__(self, app: App) -> None:
        self.app = app

    def _desk(self, tx: Tx, person: str) -> tuple[list[Post], set[str], dict[str, set[str]]]:
        """(posts, places below them, process -> states in which one of the posts may act)."""
        grants = [g for g in tx.people.grants(person, self.app.today()) if g.role not in POLICY_ROLES]
        posts = [Post(g.person_id, g.role, g.unit_id) for g in grants]
        places = {u.id for p in {g.unit_id for g in grants} for u in tx.people.under(p)}
        roles = {p.role for p in posts}
        states: dict[str, set[str]] = {}
        for id, definition in self.app.catalogue.definitions.items():
            spec = definition.spec
            found = set()
            for state in spec.states:
                for transition in state.transitions:
                    if roles & set(acting_roles(spec, state, transition)):
                        found.add(state.name)
            if found:
                states[id] = found
        return posts, places, states

    def view(
        self, person: str, tab: str, process: str, place: str, due: str, q: str, page: int, lang: str
    ) -> InboxView:
        tab = tab if tab in TABS else "mine"
        with self.app.store.read() as tx:
            posts, places, mine = self._desk(tx, person)
            today = self.app.today()
            units = {u.id: u for u in tx.people.units()}
            roles_states = {p: frozenset(s) for p, s in mine.items() if not process or p == process}
            here = {u.id for u in tx.people.under(place)} & places if place and place in units else places
            everything = dict.fromkeys([process] if process else list(self.app.catalogue.definitions), frozenset[str]())
            soon = today + dt.timedelta(days=SOON_DAYS)
            limit, offset = PAGE, (max(page, 1) - 1) * PAGE
            if q.strip():
                cases = tx.cases.search(q, places, limit, offset)
            elif tab == "mine":
                to = {"over": today - dt.timedelta(days=1), "soon": soon}.get(due)
                cases = tx.cases.open_for(here, roles_states, due_to=to, limit=limit * 3, offset=offset)
            elif tab == "soon":
                cases = tx.cases.open_for(here, roles_states, due_to=soon, limit=limit * 3, offset=offset)
            elif tab == "unit":
                cases = tx.cases.open_for(here, everything, limit=limit * 3, offset=offset)
            elif tab == "started":
                cases = tx.cases.opened_by(person, limit, offset)
            else:
                cases = tx.cases.done_by(person, limit, offset)
            rows = self._rows(tx, cases, posts, units, mine, lang, collapse=tab in ("mine", "soon", "unit"), person=person)
            counts = {
                "mine": tx.cases.count_open(places, {p: frozenset(s) for p, s in mine.items()}),
                "unit": tx.cases.count_open(places, dict.fromkeys(self.app.catalogue.definitions, frozenset[str]())),
                "soon": tx.cases.count_open(places, {p: frozenset(s) for p, s in mine.items()}, due_to=soon),
                "unread": tx.notices.unread(person),
            }
            per_process = tx.cases.count_open_by("process", places, {p: frozenset(s) for p, s in mine.items()})
            per_place = tx.cases.count_open_by("place", places, {p: frozenset(s) for p, s in mine.items()})
            overdue = tx.cases.count_open(places, {p: frozenset(s) for p, s in mine.items()}, due_to=today - dt.timedelta(days=1))
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
        self, tx: Tx, cases: list[Case], posts: list[Post], units: dict[str, Unit], mine: dict[str, set[str]], lang: str, *,
        collapse: bool, person: str,
    ) -> list[InboxRow]:  # fmt: skip
        today, calendar = self.app.today(), self.app.calendar(tx)
        deadlines = tx.deadlines.of_many([c.id for c in cases])
        still = {i for i, rows in tx.deadlines.of_many([c.id for c in cases], "paused").items() if rows}
        still |= {i for i, rows in deadlines.items() if any(d.name == AT_MOST for d in rows)}
        parents = tx.cases.get_many([c.parent_id for c in cases if c.parent_id])
        together: dict[tuple[str, str], list[Case]] = {}
        for case in cases:
            if collapse and case.parent_id:
                together.setdefault((case.parent_id, case.state), []).append(case)
        out, done = [], set()
        for case in cases:
            definition = self.app.catalogue.definitions.get(case.process)
            if definition is None:
                continue
            spec = definition.spec
            words = Words(self.app.catalogue, spec, lang)
            state = spec.state(case.state)
            now = state is not None and not state.final and case.id not in still and case.state in mine.get(case.process, ()) and self._fits(case, posts, units, definition, person)
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
                    words.state_named(case.state), now, summary, due, _group(due, today), target == case.id,
                )
            )  # fmt: skip
        return out

    def _fits(self, case: Case, posts: list[Post], units: dict[str, Unit], definition: object, person: str) -> bool:
        spec = definition.spec  # type: ignore[attr-defined]
        unit = units.get(case.place)
        if unit is None:
            return False
        chain = Chain(tuple((i, units[i].kind) for i in reversed(unit.line) if i in units))
        state = spec.state(case.state)
        for transition in state.transitions:
            roles = acting_roles(spec, state, transition)
            if (not roles or STARTER in roles) and case.opened_by == person:
                return True
            if any(fits(spec.roles[r], p, chain) for r in roles if r != STARTER for p in posts):
                return True
        return False


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
