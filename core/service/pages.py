"""The case page: facts, next steps with reasons, deadlines with their arithmetic, people, what happened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from siquan.core.diagram import main_line
from siquan.core.engine.access import LEADER, kernel_post
from siquan.core.engine.deadlines import Due, remaining
from siquan.core.engine.fold import REASSIGNED
from siquan.core.errors import NoAccess
from siquan.core.obligations.supervision import level_of
from siquan.core.rules.decision import Decision
from siquan.core.service.administering import administers
from siquan.core.service.app import ZONE, App
from siquan.core.service.context import Context, read_envelopes
from siquan.core.service.fitting import troubles
from siquan.core.service.record import decision_from
from siquan.core.service.steps import assess, import_block
from siquan.core.service.timewords import duty_strips, lit, told
from siquan.core.service.told import VERB_EVENTS, task_title, verb_reason, verb_title
from siquan.core.service.words import Words, fact_views
from siquan.core.spec.model import TransitionSpec
from siquan.core.store.rows import Case, Deadline, Event
from siquan.core.store.transaction import Tx
from siquan.core.views import (
    CaseView,
    ChildrenView,
    ChildView,
    CollectionView,
    DueView,
    EventView,
    PersonView,
    ProgressStep,
    StepView,
    TaskBox,
    UnitView,
)

EVENTS_SHOWN = 60
STRIP = 16


def may_see(context: Context, person: str) -> bool:
    """Whoever has a post at the place or above it, opened the case, acted in it, is named in it, or got a copy; and who
    stands in for one of them: a substitute sees what the person sees, and no more."""
    story = context.story
    if any(p.person == person for p in context.posts) or person in story.persons:
        return True
    return not context.represented(person).isdisjoint({context.case.opened_by, *context.named.values(), *story.copied})


def must_see(context: Context, person: str) -> None:
    """Raise NoAccess unless the person may see the case."""
    if not may_see(context, person):
        raise NoAccess(why="这件事不在你的辖区")


def _by(name: str, absent: str, lang: str) -> str:
    return f"{name}（代{absent}）" if absent and lang == "zh" else f"{name} (for {absent})" if absent else name


def signed(context: Context, person: str, on_behalf: str, lang: str) -> str:
    """乙（代甲）: who acted, and for whom."""
    return _by(context.name_of(person), context.name_of(on_behalf) if on_behalf else "", lang)


def unit_view(tx: Tx, unit: str) -> UnitView | None:
    line = tx.people.above(unit) if unit and tx.people.find_unit(unit) else []
    if not line:
        return None
    return UnitView(line[0].id, line[0].kind, line[0].name, tuple(u.name for u in reversed(line)))


def due_view(row: Deadline, today: dt.date, calendar: Any, lang: str, title: str = "") -> DueView:
    """`title` is that of the deadline in the language asked for."""
    due = Due.from_json(row.record)
    left = remaining(due, today, calendar)
    zh = lang.startswith("zh")
    kind = "pause" if row.status == "paused" else {"today": "soon"}.get(left.state, left.state)
    days: tuple[tuple[str, str, str, str], ...] = ()
    if len(due.days) <= STRIP:
        css = {"start": "", "n": "n", "off": "off", "pause": "off", "end": "end", "gap": "off"}
        days = tuple(
            (
                str(d.date.day) if d.kind != "gap" else "…",
                "一二三四五六日"[d.date.weekday()] if zh else "MTWTFSS"[d.date.weekday()],
                d.label if zh else d.label_en or d.label,
                css.get(d.kind, "") + (" today" if d.date == today else ""),
            )
            for d in due.days
        )
    why = ""
    if due.provisional:
        year = due.end.year
        why = f"{year} 年放假安排尚未公布，公布后自动重算" if zh else f"the calendar of {year} is not published yet; the date is worked out again then"
    return DueView(
        row.id, title or due.title, kind, left.zh if zh else left.en, due.end, due.start, due.provisional, due.lines[0 if zh else 1], why,
        days, due.basis, "；".join(x for x in (due.cite, due.law) if x), row.then, calendar=row.calendar_version,
        level=level_of(row.log, row.end_date), moved=sum(e["k"] == "moved" for e in row.log), pauses=due.pauses,
    )  # fmt: skip


def step_view(context: Context, transition: TransitionSpec, person: str, words: Words) -> StepView:
    found = assess(context, transition, person, both=False, strict=False, lang=words.lang)
    schema = context.definition.schema
    spec = context.definition.spec
    to = words.state_named(transition.to) if transition.to and transition.to != context.case.state else ""
    roles = transition.by or context.state.by
    # the viewer is named first, unless it is he who may not (four eyes, recusal)
    barred = any(b.kind in ("role", "person") for b in found.blocks)
    lent = found.lent or {}
    names = [signed(context, p, lent.get(p, ""), words.lang) for p in sorted(found.able, key=lambda p: (p in lent, p)) if p != person][:4]
    if person in found.able and not barred:
        names.insert(0, _by("你" if words.lang == "zh" else "you", context.app.person_name(context.tx, lent[person]) if person in lent else "", words.lang))
    form = bool(
        transition.needs or transition.asks or transition.reasons or transition.opens or transition.opinion == "required"
    )
    return StepView(
        transition.name, words.step(transition, context.case.state), to, not found.blocks, tuple(found.blocks), tuple(found.warnings),
        transition.hint, form, transition.opinion, transition.confirms, tuple(words.fact(schema, m) for m in found.missing),
        "、".join(dict.fromkeys(words.role(r) for r in roles if r in spec.roles)), tuple(names), transition.opens, tuple(transition.reasons.items()),
        transition.verb,
    )  # fmt: skip


class CasePage:
    def __init__(self, app: App) -> None:
        self.app = app
        #: what stands beside the steps: verbs, related cases, who has read it
        self.beside: Callable[[Context, str, Words], dict[str, Any]] = lambda context, person, words: {"work": TaskBox()}

    def view(self, case_id: str, person: str, lang: str) -> CaseView:
        with self.app.store.read() as tx:
            context = Context(self.app, tx, tx.cases.get(case_id))
            must_see(context, person)
            return self.build(context, person, lang)

    def build(self, context: Context, person: str, lang: str) -> CaseView:
        tx, case, spec = context.tx, context.case, context.definition.spec
        words = Words(self.app.catalogue, spec, lang)
        # a closed case may have steps too: it can be opened again
        offered = context.definition.machine.steps(case.state) if case.is_open or context.state.final else ()
        # what signatures come to is offered as the signature
        signed = (context.state.sign.agree, context.state.sign.refuse) if context.state.sign is not None else ()
        steps = tuple(step_view(context, t, person, words) for t in offered if not t.auto and t.name not in signed)
        # steps possible anywhere, such as a withdrawal, are nobody's turn
        own = {t.name for t in context.state.transitions}
        names: dict[str, str] = {}

        def name(id: str) -> str:
            return names.setdefault(id, self.app.person_name(tx, id))

        facts = fact_views(words, context.facts(), lambda text: context.number(text, context.today), name)
        calendar = self.app.calendar(tx)
        open_dues = [lit(context, d, due_view(d, context.today, calendar, lang, words.due(d.state, d.name, Due.from_json(d.record).title))) for d in tx.deadlines.of(case.id) if d.status in ("open", "paused")]
        events = self._events(context, words)
        parent = context.parent.case if context.parent else None
        beside = self.beside(context, person, words)
        turn = any(not any(b.kind in ("role", "nobody", "person", "state") for b in s.blocks) for s in steps if s.name in own)
        turn = turn or any(a.name in ("claim", "dispatch", "sign", "hand_back", "assist_done") for a in beside["work"].actions)
        rulesets = {r: self.app.ruleset_of(context.definition, r) for r in sorted(context.definition.rulesets)}
        return CaseView(
            case.id, case.number or "", case.title, spec.id, words.title, spec.plugin, spec.icon, case.state,
            words.state(context.state), words.text(f"states.{case.state}.hint", context.state.hint), not case.is_open,
            case.outcome or "", case.revision, unit_view(tx, case.place), parent.id if parent else "", parent.title if parent else "",
            turn, steps, facts, tuple(open_dues), self._people(context, person, words), events,
            case.last_seq, self._progress(context, words), tuple(self._children(context, n, person, lang, False) for n in context.definition.children),
            tuple(self._collections(context, person, words)), person not in context.story.recused, True, case.last_hash,
            case.definition_hash, tuple((r.id, r.spec.title or r.id, r.version) for r in rulesets.values()), spec.unconfirmed,
            case.opened_at, troubles=troubles(context, lang), repairable=administers(self.app, tx, person, case.place),
            duties=duty_strips(context, words, lang), **beside,
        )  # fmt: skip

    def _progress(self, context: Context, words: Words) -> tuple[ProgressStep, ...]:
        """One step per state of the main line; the states of a fragment are one step together."""
        groups: list[tuple[str, list[str]]] = []
        line = main_line(context.definition.spec)
        for state in context.definition.spec.states:
            if state.name != context.case.state and (not state.main or (state.name not in line and not state.fragment)):
                continue
            prefix = state.name.rpartition(".")[0] if state.fragment else ""
            title = words.text(f"parts.{prefix}", state.part or state.title) if prefix else words.state(state)
            if prefix and groups and groups[-1][1][0].startswith(prefix + "."):
                groups[-1][1].append(state.name)
            else:
                groups.append((title, [state.name]))
        story, now = context.story, context.case.state
        at = next((i for i, (_, names) in enumerate(groups) if now in names), -1)
        out = []
        for i, (title, names) in enumerate(groups):
            seen = [story.entered[n] for n in names if n in story.entered]
            kind = "now" if i == at else "done" if (seen and (at < 0 or i < at)) or (context.state.final and seen) else "next"
            if context.state.final and i == at:
                kind = "done"
            date = min(seen).astimezone(ZONE).strftime("%m-%d") if seen and kind != "next" else ""
            out.append(ProgressStep(title, kind, date + (" 起" if kind == "now" and date and words.lang == "zh" else "")))
        return tuple(out)

    def _people(self, context: Context, person: str, words: Words) -> tuple[PersonView, ...]:
        tx, spec, story = context.tx, context.definition.spec, context.story
        roles: dict[str, list[str]] = {}
        units: dict[str, str] = {}
        names = {kernel_post(r): words.role(r.name) for r in spec.roles.values()}
        for post in context.posts:
            if post.role in names and not post.of:
                roles.setdefault(post.person, []).append(names[post.role])
                units.setdefault(post.person, post.unit)
        for name, who in context.named.items():
            roles.setdefault(who, []).append(words.role(name))
        for other in story.persons:
            if other != "system":
                roles.setdefault(other, [])
        marks = self._marks(context, roles, words.lang)
        for other in marks:
            roles.setdefault(other, [])
        out = []
        for id, titles in roles.items():
            found = tx.people.find(id)
            if found is None:
                continue
            unit = tx.people.find_unit(units.get(id) or found.unit_id or "")
            note = "已回避" if id in story.recused else ""
            out.append(PersonView(id, found.name, unit.name if unit else "", tuple(dict.fromkeys(titles)), note, id == person, tuple(marks.get(id, ()))))
        return tuple(sorted(out, key=lambda p: (not p.you, p.unit, p.name)))

    def _marks(self, context: Context, listed: Collection[str], lang: str) -> dict[str, list[str]]:
        """Who leads a unit here, who stands in for whom."""
        out: dict[str, list[str]] = {}
        zh, process = lang == "zh", context.definition.spec.id
        for post in context.posts:
            unit = context.tx.people.find_unit(post.unit) if post.role == LEADER and not post.of and post.person in listed else None
            if unit is not None:
                out.setdefault(post.person, []).append(f"{unit.name}负责人" if zh else f"leads {unit.name}")
        for s in context.standings:
            if s.person in listed and (not s.processes or process in s.processes):
                absent, taker = (context.app.person_name(context.tx, p) for p in (s.person, s.substitute))
                out.setdefault(s.substitute, []).append(f"代{absent}" if zh else f"for {absent}")
                out.setdefault(s.person, []).append(f"由{taker}代办" if zh else f"{taker} stands in")
        return out

    # what happened

    def _events(self, context: Context, words: Words) -> tuple[EventView, ...]:
        tx = context.tx
        # many children's events may become one line; a case without any shows one line an event
        own = tx.events.latest(context.case.id, EVENTS_SHOWN * 4 if context._children else EVENTS_SHOWN)
        found: list[tuple[Event, Case, Words]] = [(e, context.case, w) for e, w in zip(own, self._words_then(context, own, words), strict=True)]
        cases = {c.id: c for cs in context._children.values() for c in cs}
        if cases:
            by_process = {c.process: Words(self.app.catalogue, self.app.definition_of(tx, c).spec, words.lang) for c in cases.values()}
            found += [(e, cases[e.case_id], by_process[cases[e.case_id].process]) for e in tx.events.newest(list(cases), EVENTS_SHOWN * 4)]
        found.sort(key=lambda x: (x[0].at, x[0].seq), reverse=True)
        opinions = tx.facts.opinions(context.case.id, own[0].seq if own else 0)
        shown = [
            self._event(context, e, c, w, opinions.get(e.seq, "") if c.id == context.case.id else "") for e, c, w in found[: EVENTS_SHOWN * 4]
        ]
        return tuple(_gathered(shown, words.lang)[:EVENTS_SHOWN])

    def _words_then(self, context: Context, events: Sequence[Event], words: Words) -> list[Words]:
        """What each event is told in: before a case was taken to another version, states had the names of the old one."""
        out: list[Words] = []
        for event in reversed(events):
            out.append(words)
            if event.kind == "migrated" and "migration" in event.data:
                old = self.app.pinned(context.tx, event.data["pinned_from"]).definitions.get(context.case.process)
                words = Words(self.app.catalogue, old.spec, words.lang) if old is not None else words
        return out[::-1]

    def _event(self, context: Context, event: Event, case: Case, words: Words, text: str) -> EventView:
        data, zh = event.data, words.lang == "zh"
        kind, title, to = event.kind, "", ""
        if kind == "acted":
            title = words.step_named(str(data["transition"]))
            to = words.state_named(data["to"]) if data.get("to") != data.get("from") else ""
        elif kind == "opened":
            title = ("开办：" if zh else "opened: ") + case.title
        elif kind in ("supplied", "imported"):
            n = len(data.get("facts") or {})
            collections = data.get("collections") or {}
            if collections:
                rows = data.get("rows", "")
                title = f"导入 {rows} 行：{data.get('sheet', '')}" if zh else f"imported {rows} rows: {data.get('sheet', '')}"
            elif kind == "imported":
                title = f"导入 {data.get('rows', n)} 行：{data.get('sheet', '')}" if zh else f"imported {data.get('rows', n)} rows"
            else:
                title = f"录入 {n} 项事实" if zh else f"stated {n} facts"
        elif kind == "recused":
            title = "申报回避" if zh else "declared a conflict of interest"
        elif kind in ("migrated", "repaired") and "label" not in data:
            title = _changed(data, kind, zh)
            to = words.state_named(data["to"]) if data.get("to") != data.get("from") else ""
        elif kind == REASSIGNED:
            left, taker = (context.app.person_name(context.tx, data[k]) for k in ("left", "taker"))
            title = f"把{left}的待办转给{taker}" if zh else f"gave the open work of {left} to {taker}"
        elif kind == "migrated":
            title = f"改按规则 {data['label']} 办理" if zh else f"moved to the rules {data['label']}"
        elif kind == "task":
            title = task_title(context, event, words)
        elif kind in VERB_EVENTS:
            title = verb_title(context, event, words)
            to = words.state_named(data["to"]) if kind in ("returned", "taken_back", "reopened") else ""
        elif kind == "deadline":
            title = f"期限届满：{data.get('title', '')}" if zh else f"deadline passed: {data.get('title', '')}"
        elif kind in ("calendar", "reminded", "escalated", "obligation"):
            title = told(kind, data, words, zh)
        steps = (*(t for s in words.spec.states for t in s.transitions), *words.spec.anywhere)
        reasons = next((t.reasons.get(data.get("reason", ""), "") for t in steps if t.name == data.get("transition")), "") or verb_reason(words.spec, event)
        decisions = data.get("decisions") or []
        schema = context.definition.schema
        changed = tuple((words.fact(schema, p), "") for p in list(data.get("facts") or {})[:8]) if case.id == context.case.id else ()
        return EventView(
            event.seq, event.at.astimezone(ZONE), signed(context, event.actor, event.on_behalf, words.lang), kind, title, to,
            decisions[-1]["outcome"] if decisions else "", "；".join(x for x in (reasons, text) if x), changed,
            decisions[-1]["id"] if decisions else "", (), case.id if case.id != context.case.id else "",
            case.title if case.id != context.case.id else "", event.hash,
        )  # fmt: skip

    # children and collections

    def children(self, case_id: str, name: str, person: str, lang: str) -> ChildrenView:
        with self.app.store.read() as tx:
            context = Context(self.app, tx, tx.cases.get(case_id))
            must_see(context, person)
            return self._children(context, name, person, lang, True)

    def _children(self, context: Context, name: str, person: str, lang: str, full: bool) -> ChildrenView:
        definition = context.child(name)
        words = Words(self.app.catalogue, definition.spec, lang)
        ruleset = next((t.decide for s in definition.spec.states for t in s.transitions if t.decide and t.branches), "")
        cases = context.children(name)
        out = [self._child(context, c, ruleset, words, full) for c in cases]
        counts: dict[str, int] = {}
        for child in out:
            key = child.decision.outcome if child.decision else ""
            if key:
                counts[key] = counts.get(key, 0) + 1
        columns: tuple[tuple[str, str], ...] = ()
        if ruleset and full:
            rules = self.app.ruleset_of(definition, ruleset)
            columns = tuple((r.id, rules.title(r, lang)) for r in rules.spec.rules)
        sheet = any(s.target == name for s in (*context.definition.spec.sheets, *definition.spec.sheets)) or bool(definition.spec.sheets)
        step = next((s for s in context.definition.machine.steps(context.case.state) if s.opens == definition.spec.id), None)
        can = step is not None and not assess(context, step, person, both=False, strict=False).blocks
        return ChildrenView(
            name, words.title, definition.spec.id, tuple(out), sheet, can and sheet, can, ruleset, columns, tuple(counts.items())
        )

    def _child(self, context: Context, case: Case, ruleset: str, words: Words, full: bool) -> ChildView:
        tx = context.tx
        child = Context(self.app, tx, case, parent=context)
        decision, decision_id = self._latest(tx, case, ruleset)
        if ruleset and not child.state.final:
            decision = child.decide(ruleset, both=False, lang=words.lang)
        views = fact_views(words, child.facts(), lambda text: child.number(text, child.today), lambda p: self.app.person_name(tx, p)) if full else ()
        return ChildView(
            case.id, case.ordinal or 0, case.title, case.state, words.state(child.state), case.outcome or "", decision, decision_id,
            self._sub(child, words), views,
        )  # fmt: skip

    def _sub(self, child: Context, words: Words) -> str:
        """A short line under the name: the first enum facts asked at opening."""
        facts, parts = child.facts(), []
        for path in child.definition.spec.opening:
            spec = child.definition.schema.get(path)
            value = facts.value(path)
            if spec and spec.type == "enum" and isinstance(value, str) and value != "none":
                parts.append(words.option(path, value, spec.values.get(value, value)))
        return " · ".join(parts[:2])

    def _latest(self, tx: Tx, case: Case, ruleset: str) -> tuple[Decision | None, str]:
        rows = [d for d in tx.decisions.of(case.id) if d.ruleset == ruleset and not d.refused and d.record is not None] if ruleset else []
        if not rows:
            return None, ""
        return decision_from(rows[-1].record), rows[-1].id

    def _collections(self, context: Context, person: str, words: Words) -> Sequence[CollectionView]:
        out = []
        sheets = {s.target for s in context.definition.spec.sheets}
        may = any(p.person == person and p.role in context.definition.spec.roles for p in context.posts)
        batches = context.tx.collections.last(context.case.id)
        for spec in context.definition.schema.top.values():
            if not spec.collection:
                continue
            total = context.tx.collections.count(context.case.id, spec.name)
            rows = context.tx.collections.rows(context.case.id, spec.name, 8)
            stated = read_envelopes(context.definition, {spec.name: {"value": [r.data for r in rows], "complete": True}})
            value = stated[spec.name].value if spec.name in stated else None
            shown = tuple(
                tuple("＊＊＊" if f.sensitive in ("phone", "id") and row.get(f.name) else words.value(f, row.get(f.name)) if row.get(f.name) is not None else "" for f in spec.fields)
                for row in (value.items if value is not None else ())
            )
            out.append(
                CollectionView(
                    spec.name, words.fact(context.definition.schema, spec.name), tuple(f.title or f.name for f in spec.fields), shown,
                    total, batches[spec.name].complete if spec.name in batches else False, spec.name in sheets,
                    spec.name in sheets and may and not import_block(context, spec.name, person),
                )
            )  # fmt: skip
        return out


def _changed(data: dict[str, Any], kind: str, zh: bool) -> str:
    """A case taken to another version of its process, put back, or repaired, in a sentence."""
    if kind == "repaired":
        return "修复：改到别的状态" if zh else "repaired: put into another state"
    head = str(data.get("definition", ""))[:8]
    if data.get("undo"):
        return f"撤销迁移，回到版本 {head}" if zh else f"migration undone, back to version {head}"
    return f"迁移到流程的新版本 {head}" if zh else f"moved to the version {head} of the process"


def _gathered(events: list[EventView], lang: str) -> list[EventView]:
    """The same step on many children by one person on one day is one line with its outcomes counted."""
    out: list[EventView] = []
    group: list[EventView] = []

    def same(a: EventView, b: EventView) -> bool:
        return bool(a.case and b.case) and (a.who, a.kind, a.title, a.at.date()) == (b.who, b.kind, b.title, b.at.date())

    def close() -> None:
        if len(group) < 3:
            out.extend(group)
        elif group:
            counts: dict[str, int] = {}
            for e in group:
                if e.outcome:
                    counts[e.outcome] = counts.get(e.outcome, 0) + 1
            names = ("、" if lang == "zh" else ", ").join(e.case_title for e in reversed(group))
            title = f"{group[0].title} {len(group)} 件" if lang == "zh" else f"{group[0].title}: {len(group)}"
            out.append(replace(group[0], title=title, to="", outcome="", decision="", text=names, counts=tuple(counts.items()), case="", case_title=""))
        group.clear()

    for event in events:
        if group and not same(group[-1], event):
            close()
        group.append(event)
    close()
    return out
