"""Task events of a case that happened, as `task:` steps of a test case: who was asked is there before he is asked, and a
signature that decided has the step it came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from siquan.core.engine.access import holding
from siquan.core.engine.fold import REASSIGNED, fold
from siquan.core.service.context import Context
from siquan.core.spec.model import ProcessSpec
from siquan.core.store.rows import Event
from siquan.core.tasks.task import signatures

#: names of a person: by his id, empty for somebody the case has no name for
Names = Mapping[str, str]


def tasked(spec: ProcessSpec) -> bool:
    """Whether it matters who holds which role: signatures are asked of all who do."""
    return any(s.sign is not None or s.task is not None for s in spec.states)


def held(context: Context, spec: ProcessSpec, person: str) -> list[str]:
    """The roles of the process that a person has by posts of his own."""
    own = [p for p in context.posts if not p.of]
    return [r.name for r in spec.roles.values() if not r.fact and any(p.person == person for p in holding(r, own, context.chain))]


def concerned(event: Event, context: Context, spec: ProcessSpec) -> Iterator[str]:
    """Those an event is about besides who did it, in the order in which they are asked."""
    data = event.data
    for task in data.get("tasks") or ():
        if task.get("person"):
            yield str(task["person"])
        elif task.get("role") in spec.roles:
            # a signature that is with no one person: two who hold the role, so that it is with neither of them
            own = [p for p in context.posts if not p.of]
            mine = list(dict.fromkeys(p.person for p in holding(spec.roles[task["role"]], own, context.chain)))
            yield from mine if len(mine) > 1 else ()
    for key in ("to_person", "left", "taker"):
        if data.get(key):
            yield str(data[key])
    yield from (str(p) for p in data.get("assist") or ())


def decided(event: Event, after: Event | None, spec: ProcessSpec) -> Event | None:
    """The step a signature came to, as the event after it says."""
    if event.kind != "task" or event.data.get("verb") != "sign" or after is None or after.kind != "acted" or after.actor != event.actor:
        return None
    state = spec.state(str(after.data.get("from", "")))
    ends = (state.sign.agree, state.sign.refuse) if state is not None and state.sign is not None else ()
    return after if after.data.get("transition") in ends else None


def step_of(event: Event, before: list[Event], names: Names) -> dict[str, Any]:
    """The step of a task event; `before` are the events of its case until then."""
    data = event.data
    step: dict[str, Any] = {
        "task": data["verb"], "by": names.get(event.actor, ""), "result": data.get("result", ""), "reason": data.get("reason", ""),
        "opinion": "意见" if data.get("opinion") else "", "others": tuple(names.get(p, "") for p in data.get("assist", ())),
    }  # fmt: skip
    to = data.get("left", "") if data["verb"] == "remove_signer" else data.get("to_person", "")
    step["to"] = names.get(to, "")
    if data["verb"] == "add_signer":
        mine = next((t for t in signatures(fold(before).tasks) if t.open and t.person == event.actor), None)
        step["before"] = mine is not None and data["order"] == mine.order
    return step


def handed_over(event: Event, before: list[Event], names: Names) -> tuple[list[dict[str, Any]], bool]:
    """The tasks an administrator moved from one to another, as the one passing each on; whether that says all of it."""
    data, tasks = event.data, fold(before).tasks
    left, taker = data["left"], data["taker"]
    mine = [t for t in tasks.values() if t.open and t.person == left]
    steps: list[dict[str, Any]] = []
    for task in mine:
        steps.append({"task": "transfer", "by": names.get(left, ""), "to": names.get(taker, "")})
        if task.claimed:
            steps.append({"task": "claim", "by": names.get(taker, "")})
    lent = any(left in t.lenders or t.lent for t in tasks.values() if t.open and left in (t.person, *t.lenders))
    return (steps, True) if taker and mine and not lent and event.kind == REASSIGNED else ([], False)


def called(people: list[str], roles: Callable[[str], list[str]], other: Callable[[int], str]) -> dict[str, str]:
    """A person with one role is called by it, the second of them `role/2`; with several, or none, by an invented name, under
    which he has every role."""
    out, count, rest = dict[str, str](), dict[str, int](), 0
    for person in people:
        mine = roles(person)
        if len(mine) == 1:
            n = count[mine[0]] = count.get(mine[0], 0) + 1
            out[person] = mine[0] if n == 1 else f"{mine[0]}/{n}"
        else:
            out[person], rest = f"经办{other(rest)}", rest + 1
    return out
