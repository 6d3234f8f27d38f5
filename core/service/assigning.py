"""Whom the work of a state is with: the tasks a state begins with, their copy for the inbox, and what they leave to whom.

What the tasks are is said by the events alone (`core/tasks/task.py`); here they meet the people of a case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeGuard

from siquan.core.engine.access import Cast, Post, able, kernel_post, lend, ways
from siquan.core.rules.decision import Piece
from siquan.core.service.app import SYSTEM
from siquan.core.service.context import Context
from siquan.core.spec.model import StateSpec, TransitionSpec
from siquan.core.spec.verbs import STARTER
from siquan.core.tasks.task import Task, Tasks, helpers, signatures, waiting, work
from siquan.core.views import Block

SIGNERS = "*"


def holders(context: Context, role: str, cast: Cast | None = None) -> list[Post]:
    """Who holds a role at the place now, its policy for nobody included, substitutes after those they stand in for."""
    step = TransitionSpec(name="", title="", by=(role,))
    return ways(context.definition.spec, context.state, step, cast or context.cast())


def barred(context: Context, transition: TransitionSpec) -> set[str]:
    """Who may not take the step, whatever his post: another person has to. Nor may anybody act for him."""
    story, out = context.story, set(context.story.recused)
    for state in transition.not_same_as:
        out |= story.acted.get(state, set())
    for _, done in separated(context, transition):
        out |= done
    return out


def separated(context: Context, transition: TransitionSpec) -> list[tuple[str, set[str]]]:
    """(what was done, by whom) of everything the same person may not have done."""
    story = context.story
    return [
        (other, story.suppliers if other == "facts" else story.fired.get(other, set()))
        for group in context.definition.spec.separate if transition.name in group for other in group if other != transition.name
    ]  # fmt: skip


@dataclass(frozen=True)
class Leaving:
    """The step by which a state is entered: not yet in the story, yet who takes it may be barred from what follows."""

    state: str
    transition: str
    persons: frozenset[str]
    stated: bool  # facts came with it


def _apart(context: Context, step: TransitionSpec, leaving: Leaving) -> bool:
    done = {leaving.transition, *(("facts",) if leaving.stated else ())}
    return leaving.state in step.not_same_as or any(step.name in g and done & set(g) for g in context.definition.spec.separate)


def asked(context: Context, state: StateSpec, seq: int, leaving: Leaving | None = None) -> dict[str, Any]:
    """What the event that enters `state` says of its tasks; nothing where there is one for whoever may. The facts of the
    act have to be on record by now: they may name a signer."""
    if state.sign is None:
        return {}
    found: list[Task] = [Task(f"{seq}.1")] if state.task is not None else []
    order, known = 0, set[str]()
    agree = next(t for t in state.transitions if t.name == state.sign.agree)
    stood = barred(context, agree)  # whose signature would not count is not asked for one
    if leaving is not None and _apart(context, agree, leaving):
        stood |= leaving.persons
    for role in state.sign.by:
        cast = context.cast(stood)
        own = {p.person for p in holders(context, role, cast) if not p.of and p.person in able([p], cast)}
        named = own if state.sign.each == "person" or len(own) == 1 else set()
        # nobody signs twice: who signs for one role has signed for the other
        persons: Sequence[str] = sorted(named - known) if named else ("",)
        for person in persons:
            order += 1
            found.append(Task(f"{seq}.{len(found) + 1}", "sign", role, person, order=order))
        known |= named
    return {"tasks": [t.to_json() for t in found]}


def follow(context: Context, by: str) -> str:
    """Bring the copy of the tasks up to the events, tell who has something new to do; returns the holder of the case."""
    tx, case, story = context.tx, context.case, context.story
    sign = context.state.sign
    now = waiting(story.tasks, sign.mode if sign is not None else "")
    news = tx.tasks.follow(case.id, story.state, story.tasks, {t.key for t in now}, by)
    for row in news:
        if row.turn and row.assignee and row.assignee != by:
            tx.notices.add(row.assignee, case.id, "assigned", tx.events.next_seq(case.id) - 1)
    task = work(story.tasks)
    if task is not None and task.open:
        return task.person
    return SIGNERS if signatures(story.tasks) else ""


def own_step(context: Context, transition: TransitionSpec) -> bool:
    """Whether it is a step of the state itself; those possible anywhere are nobody's task."""
    return any(t.name == transition.name for t in context.state.transitions)


def narrowed(context: Context, transition: TransitionSpec, person: str, found: list[Post]) -> tuple[list[Post], list[Block]]:
    """The ways into a step that its task leaves, and what the task says against the step now. The clock asks no task."""
    state, story = context.state, context.story
    if person == SYSTEM or transition.auto or not own_step(context, transition):
        return found, []
    if state.sign is not None and transition.name in (state.sign.agree, state.sign.refuse):
        if context.signing is not None:
            return [context.signing], []
        given = signatures(story.tasks)
        return found, [_stop(f"由签署得出：{len(given)} 人中已签 {sum(not t.open for t in given)} 人")]
    task = work(story.tasks)
    if task is None:
        return found, []
    blocks: list[Block] = []
    if task.lent:
        blocks.append(_stop(f"已委派给{context.name_of(task.person)}，等他交回"))
    elif state.task is not None and state.task.dispatcher and not task.person:
        who = "、".join(context.definition.spec.role(r).title for r in state.task.dispatcher)
        blocks.append(_stop(f"等{who}派单" + (f"（已退单 {task.declines} 次）" if task.declines else "")))
    elif state.task is not None and state.task.claim and not task.claimed:
        blocks.append(_stop("要先签收", "签收以后只由签收的人办理"))
    if state.task is not None and state.task.wait:
        late = [context.name_of(t.person) for t in helpers(story.tasks) if t.open]
        if late:
            blocks.append(_stop(f"协办还没有办完：{'、'.join(late)}"))
    if task.person and not task.lent:
        kept = [w for w in found if task.person in (w.person, w.of)]
        if any(w.person == person for w in found) and not any(w.person == person for w in kept):
            blocks.append(Block("role", "BLOCK", (Piece(f"由{context.name_of(task.person)}承办"),)))
        return kept, blocks
    return found, blocks


def _stop(text: str, cure: str = "") -> Block:
    return Block("state", "BLOCK", (Piece(text),), cure=cure)


def hands(context: Context, task: Task, person: str) -> Post | None:
    """By which post a person does what a task asks: it is with him, or with somebody he stands in for, as long as that one has
    a part in the case; a signature that is with nobody is given by any holder of its role who has none of his own. None when
    it is not his."""
    if person in context.story.recused or task.person in context.story.recused:
        return None
    if task.person == person:
        return next(iter(_parts(context, task)), None)
    if task.person:
        lent = lend(_parts(context, task), context.standings, context.definition.spec.id)
        return next((p for p in lent if p.person == person and p.of), None)
    if task.kind == "sign" and task.role:
        cast = context.cast(signers(context.story.tasks))  # where they alone hold the role it counts as held by nobody
        return next((p for p in holders(context, task.role, cast) if p.person == person and p.person in able([p], cast)), None)
    return None


def _parts(context: Context, task: Task) -> list[Post]:
    """The posts of his own by which a task is with its person: those of its role, where he holds it."""
    spec, person = context.definition.spec, task.person
    found = [p for p in context.part_of(person) if not p.of]
    found += [Post(person, name, "") for name, who in context.named.items() if who == person]
    if person == context.opener:
        found.append(Post(person, STARTER, ""))
    role = spec.roles.get(task.role)
    return [p for p in found if role is not None and p.role in (role.name, kernel_post(role))] or found


def part_in(context: Context, person: str) -> Post | None:
    """By which post a person has a part in the case now: his own, as who is named in it or started it, or one lent to him."""
    own = _parts(context, Task("", person=person))
    return next(iter([*own, *context.part_of(person)]), None)


def takes_part(context: Context, person: str) -> bool:
    """Whether a person has a part in the case now, be it only that he stands in for who is named in it or started it."""
    return part_in(context, person) is not None or not context.represented(person).isdisjoint({context.opener, *context.named.values()})


def turn_of(context: Context) -> set[str]:
    """Those a present task is with; empty where it is with whoever may."""
    sign = context.state.sign
    return {t.person for t in waiting(context.story.tasks, sign.mode if sign is not None else "") if t.person}


def share_of(context: Context) -> Fraction | None:
    """The share of signers that agrees; None while the parameter has no value that is one."""
    sign = context.state.sign
    text = sign.share if sign is not None else ""
    if "/" in text or not text:
        return Fraction(text or 1)
    value = context.number(text, context.today)
    return Fraction(value) if _number(value) and 0 < value <= 1 else None


def declines_of(context: Context) -> int | None:
    """How often the task may be declined; None while the parameter has no value that is a number."""
    value = context.number(context.state.task.declines, context.today) if context.state.task is not None else None
    return int(value) if _number(value) else None


def _number(value: Any) -> TypeGuard[int | Decimal | Fraction]:
    return isinstance(value, int | Decimal | Fraction) and not isinstance(value, bool)


def signers(tasks: Tasks) -> set[str]:
    return {p for t in signatures(tasks) for p in (t.person, t.signer) if p}
