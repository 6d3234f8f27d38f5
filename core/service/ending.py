"""What the end of a case means for others: its open children end with it, whoever was merged into it is answered."""

from __future__ import annotations

from siquan.core.service.assigning import asked, follow
from siquan.core.service.context import Context
from siquan.core.service.duties import end_duties
from siquan.core.service.timing import stopped, sync_deadlines, until
from siquan.core.spec.model import TransitionSpec


def after_end(context: Context, transition: TransitionSpec, person: str) -> None:
    """In the transaction of the step that ended the case. Invariant: a case ended by a verb has no open child."""
    if transition.verb:
        end_children(context, person, transition.verb, context.state.final)
    answer(context, context.case.id)


def answer(context: Context, target: str) -> None:
    """The openers of what was merged into a case, and into that, are told that there is an answer."""
    tx = context.tx
    for link in tx.links.of(target, "merged"):
        if link.other_id == target:
            source = tx.cases.get(link.case_id)
            tx.notices.add(source.opened_by, source.id, "answered", source.last_seq)
            answer(context, source.id)


def end_children(context: Context, person: str, verb: str, outcome: str) -> None:
    """Every open child ends where it stands, with its parent's outcome; its children with it."""
    tx, parent = context.tx, context.case
    for child in tx.cases.children(parent.id):
        if not child.is_open:
            continue
        case = tx.cases.lock(child.id)
        here = Context(context.app, tx, case, parent=context)
        here.way = context.way
        data = {"with": parent.id, "verb": verb, "to": case.state, "outcome": outcome, "revision": case.revision + 1}
        if stopped(here):
            data["until"] = until(here)
        here.record("ended", person, data)
        follow(Context(context.app, tx, tx.cases.get(case.id), parent=context), person)
        tx.deadlines.cancel(case.id)
        tx.cases.update(case.id, case.revision, outcome=outcome, closed_at=tx.at, due_on=None, holder="")
        tx.cases.bump_children(parent.id)
        end_duties(here)
        end_children(here, person, verb, outcome)


def reopen_children(context: Context, person: str) -> None:
    """What ended with the case goes on with it, where it stood, its deadlines begun anew."""
    tx, parent = context.tx, context.case
    for child in tx.cases.children(parent.id):
        if child.is_open or Context(context.app, tx, child, parent=context).story.closed_with != parent.id:
            continue
        case = tx.cases.lock(child.id)
        data = {"with": parent.id, "to": case.state, "outcome": "", "entered": True, "revision": case.revision + 1}
        fresh = Context(context.app, tx, case, parent=context)
        fresh.way = context.way
        data |= asked(fresh, fresh.state, tx.events.next_seq(case.id))
        fresh.record("reopened", person, data)
        fresh = Context(context.app, tx, case, parent=context)
        tx.cases.update(case.id, case.revision, outcome=None, closed_at=None, due_on=sync_deadlines(fresh), holder=follow(fresh, person))
        tx.cases.bump_children(parent.id)
        again = Context(context.app, tx, tx.cases.get(case.id), parent=context)
        again.way = context.way
        reopen_children(again, person)
