"""Who is to be told that time runs out: those whose turn it is, and, after the last day, those above them."""

from __future__ import annotations

from collections.abc import Iterable

from siquan.core.engine.access import LEADER, able, holding, ways
from siquan.core.service.assigning import holders, turn_of
from siquan.core.service.context import Context
from siquan.core.store.transaction import Tx

CLOCK = "system"


def doers(context: Context) -> set[str]:
    """Whom a task of the case is with now; where it is with nobody, everyone who may take one of the present state's own
    steps, or send it out, but for who stood aside."""
    if with_whom := turn_of(context):
        return with_whom
    cast, found = context.cast(), set[str]()
    out_of = context.state.task.dispatcher if context.state.task is not None else ()
    for role in out_of:
        found |= able(holders(context, role, cast), cast)
    for transition in context.state.transitions if not out_of else ():
        if not transition.auto:
            found |= able(ways(context.spec, context.state, transition, cast), cast)
    return found


def above(context: Context, to: str) -> set[str]:
    """The persons a level of supervision goes to: holders of a role; the `leader` of the doers' unit, or of the next unit
    above that has one; `up`: whoever has a role of the process at the next unit above the doers'."""
    spec, chain = context.spec, context.chain
    role = spec.roles.get(to)
    if role is not None:
        named = context.named.get(role.name)
        return {named} if role.fact and named else {p.person for p in holding(role, context.posts, chain)}
    late = doers(context)
    levels = [chain.ids.index(p.unit) for p in context.posts if p.person in late and p.unit in chain.ids and p.role in spec.roles]
    own = min(levels, default=0)
    for unit in chain.ids[own + (to == "up") :]:
        found = {p.person for p in context.posts if p.unit == unit and (p.role == LEADER if to == "leader" else p.role in spec.roles)}
        if found:
            return found
    return set()


def tell(tx: Tx, persons: Iterable[str], case_id: str, kind: str, seq: int) -> None:
    """A notice to each, in the transaction of the event `seq` it speaks of."""
    for person in sorted(set(persons)):
        tx.notices.add(person, case_id, kind, seq)
