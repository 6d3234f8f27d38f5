"""What people do with tasks: claim, release, transfer, delegate, dispatch, decline, sign ... Each is one event; a signature
that decides takes its step in the same transaction.

The invariant of each verb stands in `core/tasks/task.py`. Whether a verb is possible is asked in one place, `why_not`, by
the act, the menu and the form alike.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from siquan.core.engine.access import Post, able, ways
from siquan.core.errors import BadInput, NoAccess, NotFound, Refused
from siquan.core.service.acts import Acts
from siquan.core.service.assigning import (
    barred,
    declines_of,
    follow,
    hands,
    holders,
    part_in,
    share_of,
    signers,
)
from siquan.core.service.context import Context
from siquan.core.service.refusal import MissingFacts, StepRefused
from siquan.core.service.steps import assess, may_take, may_work, state_block
from siquan.core.service.telling import tell
from siquan.core.service.verbs import NoSuchVerb
from siquan.core.spec.model import TransitionSpec
from siquan.core.spec.verbs import TASKS
from siquan.core.tasks.task import AGREE, REFUSE, Task, ready, signatures, verdict
from siquan.core.views import ActResult

#: co-handlers of one task
MOST = 20
#: verbs that are nothing without a word
SAID = ("hand_back", "assist_done")


def no(verb: str, why_zh: str, why: str) -> NoSuchVerb:
    zh, en = TASKS[verb]
    return NoSuchVerb(verb=en, verb_zh=zh, why=why, why_zh=why_zh)


#: why not, in Chinese and English; "" first when it is simply not the person's task
Why = tuple[str, str] | None
NOT_YOURS = ("不在你手里", "it is not with you")


class TaskVerbs:
    def __init__(self, acts: Acts) -> None:
        self.app, self.acts = acts.app, acts

    def do(
        self, context: Context, verb: str, person: str, *, task: str = "", to: str = "", others: Sequence[str] = (), reason: str = "",
        opinion: str = "", result: str = "", before: bool = False,
    ) -> ActResult:  # fmt: skip
        """Of a locked case that the person may see. `task` is needed only where the person has several that fit."""
        if result not in ("", AGREE, REFUSE):
            raise BadInput(why=f"签署结果写 agree 或 refuse，不是 `{result[:40]}`")
        found = self.pick(context, verb, person, task, to)
        way = self._way(context, verb, found, person)
        context.way = way
        self._said(context, verb, result, reason, opinion)
        own = way.of if way is not None and way.of else person
        more = self._more(context, verb, found, person, own, to, others, reason, result, before)
        return self._write(context, verb, found, person, more, opinion, way)

    # which task, and may it

    def pick(self, context: Context, verb: str, person: str, key: str, to: str = "") -> Task:
        if verb == "remove_signer" and not key:
            if not to:
                raise MissingFacts(why="减去谁", missing=["to"])
            key = next((t.key for t in signatures(context.story.tasks) if t.open and t.person == to), "")
            if not key:
                raise no(verb, "他不在还没有签的人里", "there is no signature of that person to give")
        tasks = self.of(context, verb)
        if key:
            if key not in context.story.tasks:
                raise NotFound(kind="任务", name=key[:40])
            tasks = [t for t in tasks if t.key == key]
        first: Why = None if context.case.is_open else ("事项已办结", "the case is closed")
        for task in tasks:
            why = self.why_not(context, verb, task, person)
            if why is None:
                return task
            first = why if first in (None, NOT_YOURS) else first
        raise no(verb, *(first or self._rests(context) or ("这一步没有这样的任务", "the step has no such task")))

    def _rests(self, context: Context) -> Why:
        """Why nobody can do anything now."""
        if (stop := state_block(context)) is not None:
            return stop.message, "nothing can be done with the case now"
        return None if context.case.is_open else ("事项已办结", "the case is closed")

    def of(self, context: Context, verb: str) -> list[Task]:
        """The tasks a verb could be about."""
        kinds = {"sign": ("sign",), "add_signer": ("sign",), "remove_signer": ("sign",), "assist_done": ("assist",), "transfer": ("work", "sign", "assist")}
        return [t for t in context.story.tasks.values() if t.kind in kinds.get(verb, ("work",))]

    def why_not(self, context: Context, verb: str, task: Task, person: str) -> Why:
        if (why := self._rests(context)) is not None:
            return why
        if person in context.story.recused:
            return "你已对这件事申报回避", "you have recused yourself"
        if not task.open:
            if person not in (task.person, task.signer):
                return NOT_YOURS
            return ("已经签过", "it is signed") if task.kind == "sign" else ("已经办完", "it is done")
        return self._signing(context, verb, task, person) if task.kind == "sign" else self._working(context, verb, task, person)

    def _working(self, context: Context, verb: str, task: Task, person: str) -> Why:
        spec, tx = context.state.task, context.tx
        sent = spec is not None and bool(spec.dispatcher)
        mine = hands(context, task, person) is not None
        who = self.app.person_name(tx, task.person) if task.person else ""
        if verb == "dispatch":
            if not sent or not self._dispatches(context, person):
                return "这一步不由你派单", "it is not yours to dispatch"
            return (f"已委派给{who}", f"it is delegated to {who}") if task.lent else None
        if verb == "recall":
            lender = task.lenders[-1] if task.lent else ""
            return None if lender and hands(context, Task(task.key, person=lender), person) is not None else ("不是你委派出去的", "you did not delegate it")
        if verb == "hand_back":
            return (None if task.lent else ("不是委派给你的", "it was not delegated")) if mine else NOT_YOURS
        if verb == "assist_done":
            return None if mine else NOT_YOURS
        if task.lent and verb != "delegate":
            return f"已委派给{who}，等他交回", f"it is delegated to {who}"
        if verb == "claim":
            if task.person:
                return None if mine and not task.claimed else (f"已由{who}签收" if task.claimed else f"由{who}承办", f"it is with {who}")
            if sent:
                return "还没有派单", "it is not dispatched yet"
            return None if may_work(context, person) else ("不由你的岗位办理", "it is not for your post")
        if verb == "decline":
            if spec is None or not spec.reasons:
                return "这一步不能退单", "a task of this step cannot be declined"
            if not mine:
                return NOT_YOURS
            most = declines_of(context)
            if most is None:
                return f"退单次数的上限（{spec.declines}）还不知道", f"how often it may be declined (`{spec.declines}`) is not known"
            return (f"已退单 {task.declines} 次，不能再退", f"it was declined {task.declines} times already") if task.declines >= most else None
        if verb == "release":
            if sent:
                return "派来的单要退单，不能退回待领", "what was dispatched is declined"
            return None if mine and task.kind == "work" else NOT_YOURS
        # transfer, delegate
        if task.person or sent or task.kind == "assist":
            return None if mine else (f"由{who}承办", f"it is with {who}") if who else ("还没有派单", "it is not dispatched yet")
        return None if may_work(context, person) else ("不由你的岗位办理", "it is not for your post")

    def _signing(self, context: Context, verb: str, task: Task, person: str) -> Why:
        sign, tasks = context.state.sign, context.story.tasks
        if sign is None:
            return "这一步不用签署", "the step asks for no signature"
        if verb == "remove_signer":
            if not (self._manages(context, person) or (task.by == person and part_in(context, person) is not None)):
                return "不是你加签的", "you did not add that signer"
            left = {k: t for k, t in tasks.items() if k != task.key}
            if not signatures(left):
                return "最后一个签署人不能减", "the last signer stays"
            if self.verdict(context, left):
                return "减去他，签署就有了结果；不能用减签来定结果", "the vote would be decided by it"
            return None
        if verb == "add_signer":
            if self._manages(context, person) or hands(context, task, person) is not None:
                return None
            return NOT_YOURS
        if verb == "sign" and person in {p for t in signatures(tasks) if not t.open for p in (t.person, t.signer)}:
            return "你在这一轮已经签过，一个人只签一次", "you have signed already"
        way = hands(context, task, person)
        if way is None:
            return NOT_YOURS
        if verb == "transfer":
            return None
        # as at the beginning of the step: whose agreement would not count is not asked for one
        if {person, way.of} & barred(context, self.step(context, AGREE)):
            return "按分工要由没有办过前面步骤的人签", "by separation of duties somebody else has to sign"
        if not ready(tasks, task, sign.mode):
            first = next(t for t in signatures(tasks) if t.open)
            who = self.app.person_name(context.tx, first.person) if first.person else context.definition.spec.role(first.role).title
            return f"按顺序先由{who}签", f"{who} signs first"
        return None

    def _dispatches(self, context: Context, person: str) -> bool:
        return self._holds(context, context.state.task.dispatcher if context.state.task is not None else (), person) is not None

    def _manages(self, context: Context, person: str) -> bool:
        return self._holds(context, context.state.sign.manage if context.state.sign is not None else (), person) is not None

    def _holds(self, context: Context, roles: Collection[str], person: str) -> Post | None:
        cast = context.cast()
        return next((p for role in roles for p in holders(context, role, cast) if p.person == person and person in able([p], cast)), None)

    def _way(self, context: Context, verb: str, task: Task, person: str) -> Post | None:
        """By which post the person does it."""
        if verb == "dispatch" and context.state.task is not None:
            return self._holds(context, context.state.task.dispatcher, person)
        if verb == "recall":
            return hands(context, Task(task.key, person=task.lenders[-1]), person)
        if context.state.sign is not None and verb in ("add_signer", "remove_signer") and (by := self._holds(context, context.state.sign.manage, person)):
            return by
        if verb == "remove_signer" and task.by == person:
            return part_in(context, person)
        mine = [w for step in context.state.transitions if not step.auto for w in self._ways(context, step) if w.person == person]
        return hands(context, task, person) or min(mine, key=lambda w: bool(w.of), default=None)

    def _ways(self, context: Context, step: TransitionSpec) -> list[Post]:
        cast = context.cast(barred(context, step))
        return [w for w in ways(context.definition.spec, context.state, step, cast) if able([w], cast)]

    # what is said with it

    def _said(self, context: Context, verb: str, result: str, reason: str, opinion: str) -> None:
        state = context.state
        needs, reasons = verb in SAID, {}
        if verb == "decline" and state.task is not None:
            needs, reasons = True, state.task.reasons
        if verb == "sign":
            if not result:
                raise MissingFacts(why="同意还是不同意", missing=["result"])
            step = self.step(context, result)
            needs, reasons = step.opinion == "required" or result == REFUSE, step.reasons
        if needs and not opinion.strip():
            raise MissingFacts(why="意见", missing=["opinion"])
        if reason and reason not in reasons:
            raise BadInput(why=f"没有 `{str(reason)[:60]}` 这个原因")
        if reasons and not reason:
            raise MissingFacts(why="原因", missing=["reason"])

    def step(self, context: Context, result: str) -> TransitionSpec:
        """The step that a result of the signatures comes to."""
        sign = context.state.sign
        assert sign is not None
        return context.definition.machine.step(context.case.state, sign.agree if result == AGREE else sign.refuse)

    def _more(
        self, context: Context, verb: str, task: Task, person: str, own: str, to: str, others: Sequence[str], reason: str, result: str, before: bool,
    ) -> dict[str, Any]:  # fmt: skip
        """`own` is whose it is: the person's, or his for whom he stands in."""
        more: dict[str, Any] = {"reason": reason} if reason else {}
        if verb in ("transfer", "delegate", "dispatch", "add_signer"):
            more["to_person"] = self._taker(context, verb, task, {person, own}, to)
        if verb == "delegate":
            more["lender"] = task.person or own
        if verb == "dispatch":
            had = {t.person for t in context.story.tasks.values() if t.kind == "assist" and t.open}
            extra = list(dict.fromkeys(o for o in others if o not in had))
            if len(extra) > MOST:
                raise BadInput(why=f"协办最多 {MOST} 人")
            for other in extra:
                if other == to or not may_take(context, Task("", "assist"), other):
                    raise Refused(why=f"{self._name(context, other)}不能协办")
            if extra:
                more["assist"] = extra
        if verb == "add_signer":
            mine = next((t for t in signatures(context.story.tasks) if t.open and hands(context, t, person) is not None), None)
            last = max(t.order for t in signatures(context.story.tasks))
            more["order"] = last + 1 if mine is None else mine.order + (0 if before else 1)
        if verb == "sign":
            more["result"] = result
        return more

    def _taker(self, context: Context, verb: str, task: Task, givers: Collection[str], to: str) -> str:
        if not to:
            raise MissingFacts(why="给谁", missing=["to"])
        found = context.tx.people.find(to)
        if found is None:
            raise NotFound(kind="人员", name=to[:60])
        if verb == "delegate" and to in {*task.lenders, task.person, *givers}:
            raise no(verb, f"{found.name}已经在委派的链上", f"{found.name} is in the chain of delegation already")
        if verb == "transfer" and to in {task.person, *givers}:
            raise no(verb, f"已经在{found.name}手里", f"it is with {found.name} already")
        about = Task("", "sign") if verb == "add_signer" else Task("", "assist") if verb == "delegate" else task
        if not may_take(context, about, to):
            why = "已经是签署人" if verb == "add_signer" and to in signers(context.story.tasks) else "在这里没有能办这一步的岗位，或者已申报回避"
            raise no(verb, f"{found.name}{why}", f"{found.name} cannot take it")
        return to

    def _name(self, context: Context, person: str) -> str:
        found = context.tx.people.find(person)
        return found.name if found is not None else person[:60]

    # writing

    def _write(
        self, context: Context, verb: str, task: Task, person: str, more: dict[str, Any], opinion: str, way: Post | None
    ) -> ActResult:
        tx, case = context.tx, context.case
        if verb == "sign":
            self._may_sign(context, person, more["result"], way)
        seq = tx.events.next_seq(case.id)
        data: dict[str, Any] = {"verb": verb, "task": task.key, "to": case.state, "revision": case.revision + 1, **more}
        if task.person and verb in ("remove_signer", "transfer"):
            data["left"] = task.person
        if opinion.strip():
            data["opinion"] = tx.facts.put_opinion(case.id, seq, opinion.strip(), person)
        context.record("task", person, data)
        fresh = self.acts._fresh(context)
        tx.cases.update(case.id, case.revision, holder=follow(fresh, person))
        if verb == "decline":
            cast = fresh.cast()
            spec = fresh.state.task
            tell(tx, {p for r in (spec.dispatcher if spec else ()) for p in able(holders(fresh, r, cast), cast)} - {person}, case.id, "declined", seq)
        self.acts._touch_parent(context)
        end = self.verdict(fresh, fresh.story.tasks) if verb == "sign" else ""
        if not end:
            return self.acts._result(fresh, seq)
        return self._decided(self.acts._fresh(context), end, person, way, opinion, more.get("reason", "") if end == more["result"] else None)

    def verdict(self, context: Context, tasks: dict[str, Task]) -> str:
        sign = context.state.sign
        share = share_of(context)
        if sign is None or share is None:
            return ""
        return verdict(tasks, sign.mode, share)

    def _may_sign(self, context: Context, person: str, result: str, way: Post | None) -> None:
        """Who may not take the step that the signatures come to may not sign for it either."""
        if context.state.sign is not None and share_of(context) is None:
            raise MissingFacts(why=f"同意的份额（{context.state.sign.share}）", missing=[context.state.sign.share])
        step = self.step(context, result)
        if (stood := barred(context, step)) & {person, way.of if way else person}:
            found = assess(context, step, person, both=False, strict=False)
            blocks = [b for b in found.blocks if b.kind == "person"]
            raise StepRefused(blocks, []) if blocks else NoAccess(why=f"按分工不能签：{'、'.join(sorted(self._name(context, p) for p in stood))}")

    def _decided(self, context: Context, end: str, person: str, way: Post | None, opinion: str, reason: str | None) -> ActResult:
        """The step that the signatures came to, taken by who gave the last one; without a `reason` of his where he was of
        another opinion. A rule that refuses it refuses his signature with it."""
        step = self.step(context, end)
        if reason is None:
            step, reason = step.model_copy(update={"reasons": {}, "opinion": "optional"}), ""
        context.signing = context.way = way or Post(person, "", "")
        found = assess(context, step, person, both=True, strict=True)
        self.acts._refuse(context, step, found, opinion, reason, person)
        return self.acts._write(context, step, person, step.to, found.decisions, None, "", reason)
