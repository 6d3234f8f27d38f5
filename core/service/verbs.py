"""The verbs of a case besides its steps: return, take back, reopen, suspend, resume. Each is one transaction, one event.

Invariants: after a return or a reopening the entered step has its task and every deadline, counted from now; after a
taking back they are what they were before the step; nothing a verb leaves behind contradicts the fold of the events.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from siquan.core.errors import Refused
from siquan.core.service.acts import Acts
from siquan.core.service.app import ZONE
from siquan.core.service.assigning import asked, follow, takes_part
from siquan.core.service.context import Context
from siquan.core.service.ending import reopen_children
from siquan.core.service.pausing import Pausing
from siquan.core.service.refusal import MissingFacts
from siquan.core.service.steps import assess, state_block
from siquan.core.service.timing import AT_MOST, length_of, sync_deadlines
from siquan.core.spec.model import TransitionSpec, VerbSpec
from siquan.core.spec.verbs import TITLES
from siquan.core.views import ActResult

#: events that touch nobody's work, so that a step can be taken back after them
QUIET = ("urged", "copied", "linked", "unlinked", "calendar", "reminded", "obligation")


class NoSuchVerb(Refused):
    """`{verb}` is not possible here: {why}"""

    code = "SQ412"
    zh = "现在不能“{verb_zh}”：{why_zh}"


def refuse(verb: str, why_zh: str, why: str) -> NoSuchVerb:
    zh, en = TITLES.get(verb, (verb, verb))
    return NoSuchVerb(verb=en, verb_zh=zh, why=why, why_zh=why_zh)


def declared(context: Context, name: str) -> VerbSpec:
    """The verb as the process declares it; `resume` belongs to `suspend`, for the same persons unless it says who."""
    spec = context.definition.spec
    found = spec.verb(name)
    if name == "resume" and (held := spec.verb("suspend")) is not None and (found is None or not found.step.by):
        step = held.step.model_copy(update={"name": "resume", "title": found.step.title if found else TITLES["resume"][0], "reasons": {}, "only": (),
                                            "opinion": found.step.opinion if found else "optional", "verb": "resume"})  # fmt: skip
        return VerbSpec(name="resume", step=step)
    if found is None:
        raise refuse(name, f"“{spec.title}”没有开放", "the process does not declare it")
    return found


def way_back(context: Context, verb: VerbSpec) -> list[str]:
    """The earlier steps the case really went through, the nearest first, as far as the verb allows them."""
    spec, story = context.definition.spec, context.story
    earlier = [s for s in story.path[:-1] if (found := spec.state(s)) is not None and not found.final]
    return [s for s in reversed(earlier) if verb.to == ("any",) or s in verb.to]


class Verbs:
    def __init__(self, acts: Acts) -> None:
        self.app, self.acts = acts.app, acts
        self.pausing = Pausing(acts)

    def move(self, context: Context, verb: VerbSpec, person: str, to: str, reason: str, opinion: str) -> ActResult:
        """Of a locked case that the person may see."""
        why = self.why_not(context, verb, person)
        if why:
            raise refuse(verb.name, *why)
        if verb.name != "take_back":
            self.may(context, verb.step, person, reason, opinion)
        match verb.name:
            case "return":
                if not to:
                    raise MissingFacts(why="退回到哪一步", missing=["to"])
                if to not in way_back(context, verb):
                    raise refuse("return", "这件事没有走过那一步，或者不能退到那里", "the case did not go through that step")
                context.tx.deadlines.cancel(context.case.id)
                return self._moved(context, "returned", person, to, {"entered": True, "reason": reason}, opinion)
            case "take_back":
                return self._take_back(context, person, opinion)
            case "reopen":
                result = self._moved(context, "reopened", person, verb.to[0], {"entered": True, "outcome": "", "reason": reason}, opinion)
                reopen_children(self.acts._fresh(context), person)
                return result
        more = {k: v for k, v in {"reason": reason, "opinion": self._opinion(context, person, opinion)}.items() if v}
        if verb.name == "suspend":
            return self.pausing.suspend(context, verb, person, more)
        return self.pausing.resume(context, person, more)

    def why_not(self, context: Context, verb: VerbSpec, person: str) -> tuple[str, str] | None:
        """What about the case, not the person's post, forbids the verb now: in Chinese and English."""
        case, story, name = context.case, context.story, verb.name
        final = bool(context.state.final)
        if name == "reopen":
            if not final:
                return ("事项还没有办结", "the case is not closed") if case.is_open else ("要从它并入或所属的事项恢复", "it was closed together with another case")
            if context.parent is not None and not context.parent.case.is_open:
                return "所属的事项已办结", "its parent case is closed"
        elif not case.is_open:
            return "事项已办结", "the case is closed"
        elif name == "resume":
            if "" not in story.held:
                return ("随上级事项挂起，要从上级恢复", "its parent is suspended") if story.held else ("没有挂起", "it is not suspended")
        elif story.held:
            return "事项已挂起", "the case is suspended"
        if verb.step.only and name != "take_back" and case.state not in verb.step.only:
            return f"“{context.state.title}”阶段不能这样办", f"it is not possible in `{case.state}`"
        if name == "return" and not way_back(context, verb):
            return "没有可以退回的前一步", "there is no earlier step"
        if name == "reopen" and verb.within is not None and case.closed_at is not None:
            return self._late(context, verb, case.closed_at)
        return self._untouched(context, verb, person) if name == "take_back" else None

    def _late(self, context: Context, verb: VerbSpec, since: dt.datetime) -> tuple[str, str] | None:
        due = length_of(context, verb.within, since.astimezone(ZONE).date()) if verb.within is not None else None
        if due is None:
            return "办理期限还不知道", "how long it may be done is not known"
        return (f"期限已过（{due.lines[0]}）", f"its time is over ({due.lines[1]})") if due.passed(context.today) else None

    def _untouched(self, context: Context, verb: VerbSpec, person: str) -> tuple[str, str] | None:
        """Why the last step cannot be taken back; None while nobody else has had anything to do with it."""
        tx, undo = context.tx, context.story.undo
        if not undo or undo["by"] != person:
            return "最后一步不是你办的", "the last step was not yours"
        if person in context.story.recused:
            return "你已对这件事申报回避", "you have recused yourself"
        if not takes_part(context, person):
            return "你在这里已经没有岗位", "you have no post here any more"
        if verb.step.only and undo["from"] not in verb.step.only:
            return "这一步不能拿回", "this step cannot be taken back"
        first, *later = tx.events.of(context.case.id, undo["seq"] - 1)
        if any(e.kind == "task" and e.data["verb"] == "claim" and e.actor != person for e in later):
            return "已被签收", "somebody has claimed it"
        if any(e.kind == "migrated" or (e.actor != person and e.kind not in QUIET) for e in later):
            return "之后已有别人办过，或者期限已到", "somebody else or the clock acted since"
        if first.data.get("postings"):
            return "这一步记了账", "the step posted to an account"
        if self._did_a_duty(context, undo["seq"]):
            return "这一步履行了一项义务", "the step met an obligation"
        if first.data.get("child"):
            return "这一步开了子事项", "the step opened a child case"
        step = next((t for t in context.definition.machine.steps(undo["from"]) if t.name == undo["name"]), None)
        if step is None or step.confirms:
            return "具名确认的决定不能拿回", "a confirmed decision cannot be taken back"
        if any(n.read_at is not None and n.person_id != person and n.seq >= undo["seq"] for n in tx.notices.of_case(context.case.id)):
            return "已有人阅看", "somebody has read it"
        if any(c.updated_at > first.at for c in tx.cases.children(context.case.id)):
            return "子事项之后有变动", "a child case changed since"
        return self._late(context, verb, first.at) if verb.within is not None else None

    def _did_a_duty(self, context: Context, seq: int) -> bool:
        case = context.case.id
        around = [one for one in (context, context.parent) if one is not None and one.definition.spec.obligations]
        return any(r.met_case == case and (r.met_seq or 0) >= seq for one in around for r in context.tx.obligations.of(one.case.id))

    def may(self, context: Context, step: TransitionSpec, person: str, reason: str, opinion: str) -> None:
        found = assess(context, step, person, both=True, strict=True)
        if state_block(context) is not None:
            found.blocks = [b for b in found.blocks if b.kind != "state"]
        self.acts._refuse(context, step, found, opinion, reason, person)

    def _opinion(self, context: Context, person: str, opinion: str) -> str:
        tx, case = context.tx, context.case
        return tx.facts.put_opinion(case.id, tx.events.next_seq(case.id), opinion.strip(), person) if opinion.strip() else ""

    def _take_back(self, context: Context, person: str, opinion: str) -> ActResult:
        tx, case, undo = context.tx, context.case, context.story.undo
        tx.deadlines.cancel(case.id)
        more = {"undoes": undo["seq"], "transition_undone": undo["name"]}
        if undo["entered"] is not None:
            tx.deadlines.revive(case.id, undo["from"], undo["entered"], but=AT_MOST)
        return self._moved(context, "taken_back", person, undo["from"], more, opinion)

    def _moved(self, context: Context, kind: str, person: str, to: str, more: dict[str, Any], opinion: str) -> ActResult:
        """The case stands in another state, with a task there and its deadlines."""
        tx, case = context.tx, context.case
        data = {"from": case.state, "to": to, "revision": case.revision + 1, **more}
        committed = self._opinion(context, person, opinion)
        if committed:
            data["opinion"] = committed
        seq = tx.events.next_seq(case.id)
        fresh = self.acts._fresh(context, to)
        data |= asked(fresh, fresh.state, seq)
        context.record(kind, person, data)
        fresh = self.acts._fresh(context, to)
        changes: dict[str, Any] = {"state": to, "due_on": sync_deadlines(fresh), "holder": follow(fresh, person)}
        if not case.is_open:
            changes |= {"outcome": None, "closed_at": None}
        tx.cases.update(case.id, case.revision, **changes)
        self.acts._touch_parent(context)
        return self.acts._result(fresh, seq)

