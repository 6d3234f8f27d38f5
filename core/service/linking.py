"""Several cases: merge 并单, split 拆单, derive 转建单, related cases. Events stand in both.

Invariants: a merged case is closed with the outcome `merged` and names one open tie to its target; of deadlines with one
name the target keeps the earliest; what is taken out of a merge stands where it stood, with the clock it had.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from siquan.core.engine.access import Post
from siquan.core.errors import BadInput, NoAccess, NotFound
from siquan.core.rules.facts import Stated
from siquan.core.rules.values import Rows
from siquan.core.service.acts import MAX_TITLE, Acts
from siquan.core.service.assigning import asked, follow
from siquan.core.service.context import Context
from siquan.core.service.duties import end_duties
from siquan.core.service.numbering import next_number
from siquan.core.service.pages import must_see
from siquan.core.service.refusal import check_text
from siquan.core.service.timing import sync_deadlines
from siquan.core.service.verbs import declared, refuse
from siquan.core.spec.model import FactSpec, TransitionSpec, VerbSpec
from siquan.core.store.rows import Case
from siquan.core.store.transaction import Tx
from siquan.core.views import ActResult

MERGED = "merged"
#: how many cases one merge takes in
MOST = 50
May = Callable[[Context, TransitionSpec, str, str, str], None]


class Linking:
    def __init__(self, acts: Acts, may: May) -> None:
        self.app, self.acts, self.may = acts.app, acts, may

    def merge(self, tx: Tx, target_id: str, sources: Sequence[str], person: str, reason: str, opinion: str, revision: int | None) -> ActResult:
        """Duplicates into one case. All of them or none."""
        ids = list(dict.fromkeys(sources))
        if not ids or len(ids) > MOST:
            raise BadInput(why=f"要选 1 到 {MOST} 件并入的事项")
        if target_id in ids:
            raise refuse("merge", "不能并入自己", "a case cannot be merged into itself")
        peeks = [tx.cases.get(i) for i in (target_id, *ids)]
        for peek in peeks:
            must_see(Context(self.app, tx, peek), person)
        if len({peek.parent_id for peek in peeks}) > 1:
            raise refuse("merge", "不属于同一个上级事项", "they do not belong to the same parent")
        found = {i: self.acts._locked(tx, i, revision if i == target_id else None) for i in sorted({target_id, *ids})}
        target = found[target_id]
        verb = declared(target, "merge")
        for context in found.values():
            self._can_merge(context, target, verb)
            self.may(context, verb.step, person, reason, opinion)
        for i in ids:
            self._take_in(target, found[i], person, reason, opinion)
            target = self.acts._fresh(target)
        self.acts._touch_parent(target)
        return self.acts._result(target, target.case.last_seq)

    def _can_merge(self, context: Context, target: Context, verb: VerbSpec) -> None:
        case = context.case
        name = case.number or case.title
        if case.process != target.case.process:
            raise refuse("merge", f"{name}是另一个流程的事项", f"{name} is of another process")
        if not case.is_open:
            raise refuse("merge", f"{name}已办结或者已并入别的事项", f"{name} is closed or merged already")
        if context.story.held:
            raise refuse("merge", f"{name}已挂起", f"{name} is suspended")
        if verb.step.only and case.state not in verb.step.only:
            raise refuse("merge", f"{name}在“{context.state.title}”阶段", f"{name} stands in `{case.state}`")
        if context is not target and any(c.is_open for c in context.tx.cases.children(case.id)):
            raise refuse("merge", f"{name}还有没办结的子事项", f"{name} has open children")

    def _take_in(self, target: Context, source: Context, person: str, reason: str, opinion: str) -> None:
        tx, case, into = target.tx, source.case, target.case
        dues = {
            f"{d.state}:{d.name}": {"start": d.record["start"], "pauses": d.record["pauses"], "on": target.today.isoformat()}
            for d in tx.deadlines.of(case.id, "open") if d.state == into.state
        }  # fmt: skip
        target.record("absorbed", person, {"of": case.id, "deadlines": dues, "to": into.state, "revision": into.revision + 1})
        tx.cases.update(into.id, into.revision, due_on=sync_deadlines(self.acts._fresh(target)))
        seq = tx.events.next_seq(case.id)
        data: dict[str, Any] = {"into": into.id, "to": case.state, "outcome": MERGED, "revision": case.revision + 1}
        if reason:
            data["reason"] = reason
        if opinion.strip():
            data["opinion"] = tx.facts.put_opinion(case.id, seq, opinion.strip(), person)
        source.record(MERGED, person, data)
        follow(self.acts._fresh(source), person)
        tx.deadlines.cancel(case.id)
        tx.cases.update(case.id, case.revision, outcome=MERGED, closed_at=tx.at, due_on=None, holder="")
        tx.links.add(MERGED, case.id, into.id, person)
        end_duties(source)

    def unmerge(self, tx: Tx, source_id: str, person: str, reason: str, opinion: str) -> ActResult:
        peek = next((x for x in tx.links.of(source_id, MERGED) if x.case_id == source_id), None)
        if peek is None or tx.cases.get(source_id).outcome != MERGED:
            must_see(Context(self.app, tx, tx.cases.get(source_id)), person)
            raise refuse("merge", "这件事没有并入别的事项", "it is not merged")
        found = {i: self.acts._locked(tx, i, None) for i in sorted((source_id, peek.other_id))}
        source, target = found[source_id], found[peek.other_id]
        must_see(source, person)
        step = declared(target, "merge").step.model_copy(update={"reasons": {}, "opinion": "optional"})
        self.may(source, step, person, "", opinion)
        case, into = source.case, target.case
        data: dict[str, Any] = {"from_case": into.id, "to": case.state, "outcome": "", "revision": case.revision + 1}
        seq = tx.events.next_seq(case.id)
        if opinion.strip():
            data["opinion"] = tx.facts.put_opinion(case.id, seq, opinion.strip(), person)
        data |= asked(source, source.state, seq)
        source.record("unmerged", person, data)
        fresh = self.acts._fresh(source)
        tx.cases.update(case.id, case.revision, outcome=None, closed_at=None, due_on=sync_deadlines(fresh), holder=follow(fresh, person))
        target.way = source.way
        target.record("released", person, {"of": case.id, "to": into.state, "revision": into.revision + 1})
        due = sync_deadlines(self.acts._fresh(target)) if into.is_open else None
        tx.cases.update(into.id, into.revision, due_on=due)
        tx.links.end(peek.id)
        self.acts._touch_parent(source)
        return self.acts._result(fresh, seq)

    # new cases out of one

    def split(self, context: Context, person: str, facts: Sequence[str], title: str, reason: str, opinion: str) -> ActResult:
        """A new case of the same process with the chosen facts. Returns the new case."""
        spec, case = context.definition.spec, context.case
        verb = declared(context, "split")
        if spec.child_of is not None:
            raise refuse("split", "子事项不能拆单", "a child case cannot be split")
        if not case.is_open:
            raise refuse("split", "事项已办结", "the case is closed")
        self.may(context, verb.step, person, reason, opinion)
        allowed = splittable(context, verb)
        unknown = [f for f in facts if f not in allowed]
        if unknown:
            raise BadInput(why=f"`{str(unknown[0])[:60]}` 不能带到新事项")
        given = {p: context.stored[p] for p in facts}
        return self._new(context, context.definition.spec.id, case.place, person, given, title, "split", context.way)

    def derive(self, context: Context, process: str, person: str, title: str, reason: str, opinion: str) -> ActResult:
        """A case of another process, with the facts both know by one name and type. Returns the new case."""
        verb = declared(context, "derive")
        self.may(context, verb.step, person, reason, opinion)
        if process not in derivable(context, verb):
            raise refuse("derive", "不能转到这个流程", "it cannot be derived to that process")
        spec = self.app.definition(process).spec
        units = context.tx.people.above(context.case.place)
        place = next((u.id for u in units if not spec.place or u.kind == spec.place), "")
        if not place:
            raise refuse("derive", f"“{spec.title}”不在这一级开办", "the process is not opened at a place like this")
        way = self.acts._may_open(context.tx, spec, person, place)
        schema = self.app.definition(process).schema
        given = {p: s for p, s in copyable(context).items() if _fits(s, context.definition.schema.get(p), schema.get(p))}
        return self._new(context, spec.id, place, person, given, title, "derived", way)

    def _new(
        self, context: Context, process: str, place: str, person: str, given: dict[str, Stated], title: str, tie: str, way: Post | None
    ) -> ActResult:
        tx, origin = context.tx, context.case
        check_text(title, MAX_TITLE, "标题")
        spec = self.app.definition(process).spec
        case = tx.cases.add(
            process=spec.id, definition_hash=self.app.pin(tx, spec.id), title=title or origin.title, place=place, state=spec.initial.name,
            opened_by=person, number=next_number(tx, spec, self.app.today().year), book_version=tx.parameters.version(),
        )  # fmt: skip
        opened = Context(self.app, tx, case)
        opened.way = way
        self.acts._opened(opened, person, given, title or origin.title)
        self._tie(context, person, tie, case.id)
        new = Context(self.app, tx, tx.cases.get(case.id))
        new.way = way
        seq = self._tie(new, person, tie, origin.id)
        tx.links.add(tie, origin.id, case.id, person)
        return self.acts._result(new, seq)

    def _tie(self, context: Context, person: str, tie: str, other: str, kind: str = "linked") -> int:
        tx, case = context.tx, context.case
        data = {"tie": tie, "other": other, "to": case.state, "revision": case.revision + 1}
        seq = tx.events.next_seq(case.id)
        context.record(kind, person, data)
        tx.cases.update(case.id, case.revision)
        self.acts._touch_parent(context)
        return seq

    # related

    def relate(self, tx: Tx, case_id: str, other_id: str, person: str, *, end: bool) -> ActResult:
        if case_id == other_id:
            raise BadInput(why="不能与自己关联")
        peeks = [tx.cases.get(i) for i in (case_id, other_id)]
        found = {c.id: self.acts._locked(tx, c.id, None) for c in sorted(peeks, key=_order)}
        for context in found.values():
            must_see(context, person)
            mine = sorted((p for p in context.posts if p.person == person), key=lambda p: bool(p.of))
            if person != context.case.opened_by and not mine:
                raise NoAccess(why="你在这里没有岗位，不能关联")
            context.way = mine[0] if mine and person != context.case.opened_by else None
        links = [x for x in tx.links.of(case_id, "related") if other_id in (x.case_id, x.other_id)]
        if end and not links:
            raise NotFound(kind="关联", name=other_id)
        if not end and links:
            raise BadInput(why="这两件事已经关联")
        for link in links:
            tx.links.end(link.id)
        if not end:
            tx.links.add("related", case_id, other_id, person)
        kind = "unlinked" if end else "linked"
        seq = self._tie(found[case_id], person, "related", other_id, kind)
        # one may be the other's parent: its row has moved on by now
        self._tie(self.acts._fresh(found[other_id]), person, "related", case_id, kind)
        return self.acts._result(found[case_id], seq)


def _order(case: Case) -> tuple[str, str]:
    """Parents first, then by id: two acts on the same cases take their locks in one order."""
    return case.parent_id or "", case.id


def copyable(context: Context) -> dict[str, Stated]:
    """What was stated and may stand in another case: no tables, nothing worked out."""
    schema = context.definition.schema
    tallied = {t.name for t in context.definition.spec.tallies}
    return {
        p: s for p, s in context.stored.items()
        if s.value is not None and not isinstance(s.value, Rows) and p.partition(".")[0] not in tallied and not schema.specs[p].derive
    }  # fmt: skip


def splittable(context: Context, verb: VerbSpec) -> dict[str, Stated]:
    found = copyable(context)
    return {p: s for p, s in found.items() if not verb.facts or p in verb.facts or p.partition(".")[0] in verb.facts}


def derivable(context: Context, verb: VerbSpec) -> list[str]:
    """Processes the case may be handed on to."""
    plugin, own = context.definition.spec.plugin, context.case.process
    wanted = {x if "." in x else f"{plugin}.{x}" for x in verb.to if x != "any"}
    return [i for i, d in context.app.catalogue.definitions.items() if i != own and d.spec.child_of is None and (not wanted or i in wanted)]


def _fits(stated: Stated, own: FactSpec | None, other: FactSpec | None) -> bool:
    if own is None or other is None or own.type != other.type or other.collection or other.derive:
        return False
    return other.type != "enum" or stated.value in other.values


__all__ = ["Linking", "copyable", "derivable", "splittable"]
