"""A stuck case put into another state of its process: proposed with a reason by one administrator, carried out by another.

No fact changes; what is done stands in the timeline for everybody to see.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from siquan.core.errors import BadInput, NoAccess, NotFound, Refused
from siquan.core.service.acts import MAX_TEXT, Acts
from siquan.core.service.administering import administers, must_administer
from siquan.core.service.app import ZONE, App
from siquan.core.service.assigning import asked, follow
from siquan.core.service.context import Context
from siquan.core.service.fitting import troubles
from siquan.core.service.pages import must_see
from siquan.core.service.refusal import check_text
from siquan.core.service.timing import sync_deadlines
from siquan.core.service.words import Words
from siquan.core.store.move_rows import Repair
from siquan.core.views import ActResult
from siquan.core.views_change import RepairForm, RepairView

#: a proposal older than this is looked at anew
DAYS = 7


class RepairRefused(Refused):
    """the case cannot be repaired: {why}"""

    code = "SQ491"
    zh = "不能修复：{why_zh}"
    http = 409


def repair_refused(why: str, why_zh: str) -> RepairRefused:
    return RepairRefused(why=why, why_zh=why_zh)


class Repairing:
    def __init__(self, app: App, acts: Acts) -> None:
        self.app, self.acts = app, acts

    def _may(self, context: Context, person: str) -> None:
        if not administers(self.app, context.tx, person, context.case.place):
            must_see(context, person)  # nothing is said about the case to whoever may not see it
        must_administer(self.app, context.tx, person, context.case.place)
        if person in context.story.recused:
            raise NoAccess(why="你已对这件事申报回避")

    def propose(self, case_id: str, person: str, to: str, reason: str, reopen: bool = False, revision: int | None = None) -> RepairView:
        """Takes the place of an earlier proposal for the case. Nothing about the case changes yet."""
        check_text(reason, MAX_TEXT, "理由")
        with self.app.store.begin() as tx:
            context = self.acts._locked(tx, case_id, revision)
            self._may(context, person)
            self._check(context, to, reopen)
            if not reason.strip():
                raise BadInput(why="修复要写明理由")
            row = tx.repairs.propose(context.case, to, reopen, reason.strip(), person)
            tx.access.add(person, "repair.proposed", row.id, case_id)
            return self._view(context, row, person)

    def _check(self, context: Context, to: str, reopen: bool) -> None:
        case, state = context.case, context.definition.spec.state(to)
        story = context.story
        if story.held:
            raise repair_refused("it is suspended; resume it first", "事项已挂起，先恢复再修复")
        if story.closed_with and case.outcome == "merged":
            raise repair_refused("it was merged into another case; undo the merge", "事项已并入别的事项，要取消并单")
        if story.closed_with and context.parent is not None and not context.parent.case.is_open:
            raise repair_refused("it was closed with the case above; open that again", "事项随上级事项办结，要重新办理上级事项")
        if not case.is_open and not reopen:
            raise repair_refused("it is closed; say so if it shall be opened again", "事项已办结；要重新打开须明说“重新打开”")
        if state is None:
            raise NotFound(kind="状态", name=to)
        if state.final:
            raise repair_refused(f"`{to}` ends the case, which a decision has to do", f"“{state.title}”是办结状态，要由办理得出")
        if to == case.state and case.is_open and context.tx.tasks.of(case.id, only_open=True):
            raise repair_refused("the case stands there already", "事项已经在这个状态")

    def carry_out(self, case_id: str, person: str, key: str | None = None, repair: str = "") -> ActResult:
        """The second person's part. Raises RepairRefused when the case moved since, or the proposal is too old."""
        with self.app.store.begin() as tx:
            seen = self.acts._seen(tx, key, ["repair", case_id, person, repair])
            if seen is not None:
                return seen
            context = self.acts._locked(tx, case_id, None)
            self._may(context, person)
            row = tx.repairs.standing(case_id)
            if row is None or (repair and row.id != repair):
                raise repair_refused("nothing is proposed", "没有待确认的修复")
            why = self._why_not(context, row, person)
            if why:
                raise repair_refused(*why)
            self._check(context, row.to_state, row.reopen)
            result = self._write(context, row, person)
            tx.repairs.carried_out(row.id, person)
            self.acts._answer(tx, key, result)
            return result

    def _why_not(self, context: Context, row: Repair, person: str) -> tuple[str, str] | None:
        if row.proposed_by == person:
            return "who proposed it may not carry it out", "提出的人不能自己确认"
        if context.tx.at - row.proposed_at > dt.timedelta(days=DAYS):
            return f"the proposal is older than {DAYS} days", f"提出已超过 {DAYS} 天，请重新提出"
        if context.case.revision != row.revision:
            return "the case has moved since it was proposed", "提出以后这件事有变化，请重新提出"
        return None

    def _write(self, context: Context, row: Repair, person: str) -> ActResult:
        tx, case = context.tx, context.case
        seq = tx.events.next_seq(case.id)
        data: dict[str, Any] = {
            "from": case.state, "to": row.to_state, "revision": case.revision + 1, "entered": True, "repair": row.id,
            "proposed_by": row.proposed_by, "opinion": tx.facts.put_opinion(case.id, seq, row.reason, row.proposed_by),
        }  # fmt: skip
        changes: dict[str, Any] = {"state": row.to_state}
        if not case.is_open:
            data["outcome"] = ""
            changes |= {"outcome": None, "closed_at": None}
        fresh = self.acts._fresh(context, row.to_state)
        data |= asked(fresh, fresh.state, seq)
        tx.events.append(case.id, "repaired", person, data)
        for due in tx.deadlines.of(case.id, "open"):
            tx.deadlines.settle(due.id, "cancelled")
        fresh = self.acts._fresh(context, row.to_state)
        tx.cases.update(case.id, case.revision, due_on=sync_deadlines(fresh), holder=follow(fresh, person), **changes)
        self.acts._touch_parent(context)
        return self.acts._result(fresh, seq)

    # looking

    def form(self, case_id: str, person: str, lang: str = "zh") -> RepairForm:
        with self.app.store.read() as tx:
            context = Context(self.app, tx, tx.cases.get(case_id))
            self._may(context, person)
            case, words = context.case, Words(self.app.catalogue, context.definition.spec, lang)
            states = tuple((s.name, words.state(s)) for s in context.definition.spec.states if not s.final and s.name != case.state)
            row = tx.repairs.standing(case_id)
            return RepairForm(
                case.id, case.number or "", case.title, case.state, words.state(context.state), not case.is_open, states,
                self._view(context, row, person) if row else None, troubles(context, lang),
            )  # fmt: skip

    def waiting(self, person: str) -> tuple[RepairView, ...]:
        """Proposals that wait for a second person, those the viewer may see."""
        with self.app.store.read() as tx:
            out = []
            for row in tx.repairs.waiting():
                case = tx.cases.get(row.case_id)
                if administers(self.app, tx, person, case.place):
                    out.append(self._view(Context(self.app, tx, case), row, person))
            return tuple(out)

    def _view(self, context: Context, row: Repair, person: str) -> RepairView:
        case, spec = context.case, context.definition.spec

        def title(name: str) -> str:
            found = spec.state(name)
            return found.title if found else context.state.title if name == case.state else name

        why = self._why_not(context, row, person)
        return RepairView(
            row.id, case.id, case.number or "", case.title, title(row.from_state), row.to_state, title(row.to_state), row.reason,
            self.app.person_name(context.tx, row.proposed_by), row.proposed_at.astimezone(ZONE), row.reopen, why is None, why[1] if why else "",
        )  # fmt: skip
