"""The tasks of a state for those who play a case: what has to happen before a person takes a step of it, and how the step of
a signed state is come to. Everything is a `task:` step of a test case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from siquan.core.engine.definition import Definition
from siquan.core.service.acts import StepRefused
from siquan.core.service.context import Context
from siquan.core.spec.model import CaseStep, StateSpec, TransitionSpec
from siquan.core.tasks.task import AGREE, REFUSE, Task, Tasks, helpers, waiting, work
from siquan.core.testing.live import Live

#: people who hold every role of a process
STAND_INS = ("经办甲", "经办乙", "经办丙")
#: signatures of one state
MOST = 40


def tasks_of(live: Live, child: str = "") -> Tasks:
    row = live.row(child)
    with live.service.app.store.read() as tx:
        return Context(live.service.app, tx, row).story.tasks


def name_of(live: Live, definition: Definition, person: str, child: str = "") -> str:
    """What a case calls a person; empty for somebody no case has a name for."""
    mark = f"{definition.spec.plugin}:"
    for key, id in live.world.people.items():
        if id == person and key.startswith(mark):
            return key.removeprefix(mark)
    row = live.row(child)
    with live.service.app.store.read() as tx:
        named = Context(live.service.app, tx, row).named
    return next((role for role, id in named.items() if id == person), "")


def result_of(state: StateSpec | None, step: TransitionSpec) -> str:
    """Which result of the signatures comes to the step; empty where it is taken by hand."""
    if state is None or state.sign is None:
        return ""
    return AGREE if step.name == state.sign.agree else REFUSE if step.name == state.sign.refuse else ""


# before a step

def ready(live: Live, definition: Definition, step: TransitionSpec, person: str, child: str = "") -> str:
    """Gives the work of the state to who is to take a step of it: dispatched to him, claimed by him, his co-handlers done.
    What is wrong, where that cannot be."""
    state = definition.spec.state(live.row(child).state)
    if state is None or not any(t.name == step.name for t in state.transitions) or result_of(state, step):
        return ""
    now = work(tasks_of(live, child))
    if now is None or (state.task is None and not now.person):
        return ""
    to = person or name_of(live, definition, live.row(child).opened_by, child)
    holder = name_of(live, definition, now.person, child) if now.person else ""
    wrong = ""
    if now.lent:
        return live.take(CaseStep(task="recall", by=name_of(live, definition, now.lenders[-1], child), child=child)) or ready(live, definition, step, person, child)
    if not holder and state.task is not None and state.task.dispatcher:
        wrong = _dispatch(live, definition, state, step, to, child)
    elif holder and holder != to:
        wrong = live.take(CaseStep(task="transfer", by=holder, to=to, child=child))
    if wrong:
        return wrong
    now = work(tasks_of(live, child))
    if state.task is not None and state.task.claim and now is not None and not now.claimed:
        wrong = live.take(CaseStep(task="claim", by=to, child=child))
    for task in helpers(tasks_of(live, child)) if state.task is not None and state.task.wait and not wrong else ():
        if task.open:
            wrong = wrong or live.take(CaseStep(task="assist_done", by=name_of(live, definition, task.person, child), opinion="意见", child=child))
    return wrong


def _dispatch(live: Live, definition: Definition, state: StateSpec, step: TransitionSpec, to: str, child: str) -> str:
    """By whoever dispatches; where the lead has to wait for co-handlers there is one."""
    assert state.task is not None
    others: list[tuple[str, ...]] = [()]
    if state.task.wait:
        others = [*((r,) for r in (*step.by, *STAND_INS) if r != to and r in (*definition.spec.roles, *STAND_INS)), ()]
    wrong = ""
    here = live.moment()
    for by in (*state.task.dispatcher, *STAND_INS[:1]):
        for helping in others:
            live.back_to(here)
            wrong = live.take(CaseStep(task="dispatch", by=by, to=to, others=helping, child=child))
            if not wrong:
                return ""
    live.back_to(here)
    return wrong


def given_by(live: Live, definition: Definition, role: str) -> str:
    """Who dispatches and who looks after the signers shows it: by sending the work out, by asking for one signature more."""
    state = definition.spec.state(live.row().state)
    if state is None:
        return "没有这个状态"
    verb = "dispatch" if state.task is not None and role in state.task.dispatcher else "add_signer"
    wrong = ""
    for to in dict.fromkeys((*(r for t in state.transitions for r in t.by if r in definition.spec.roles), *definition.spec.roles, *STAND_INS)):
        here = live.moment()
        wrong = live.take(CaseStep(task=verb, by=role, to=to))
        if not wrong:
            return ""
        live.back_to(here)
    return wrong


# signatures

def candidates(live: Live, definition: Definition, task: Task, child: str = "") -> list[str]:
    """Who may give a signature, by the names a case has for them."""
    if task.person:
        found = name_of(live, definition, task.person, child)
        return [found] if found else []
    return [task.role, *STAND_INS]


def sign(live: Live, definition: Definition, step: TransitionSpec, child: str = "", refused: str = "", first: str = "") -> str:
    """Signs until the signatures come to the step; `refused` is a rule that shall refuse the one that decides, `first` a role
    that signs before others whose turn it is. What is wrong where they never do."""
    state = definition.spec.state(live.row(child).state)
    result = result_of(state, step)
    assert state is not None and state.sign is not None
    wrong, before = "没有要签的人", live.row(child).revision
    for _ in range(MOST):
        todo = sorted(waiting(tasks_of(live, child), state.sign.mode), key=lambda t: t.role != first)
        for by in _tried(live, definition, todo, child):
            given = CaseStep(
                task="sign", by=by, result=result, child=child, reason=next(iter(step.reasons), ""),
                opinion="意见" if result == REFUSE or step.opinion == "required" else "",
            )  # fmt: skip
            said = live.take(given)
            if not said:
                wrong = ""
                break
            wrong = said
            if isinstance(live.fault, StepRefused) and refused and (refused == "true" or refused in live.refusing):
                return live.take(given.model_copy(update={"refused": refused}))
            if isinstance(live.fault, StepRefused) and any(b.kind == "rule" for b in live.fault.blocks):
                return wrong
        else:
            return wrong
        if came_to(live, step, before, child):
            return "没有被拦下" if refused else ""
    return wrong or "签来签去没有结果"


def _tried(live: Live, definition: Definition, todo: Iterable[Task], child: str) -> Iterator[str]:
    for task in todo:
        yield from candidates(live, definition, task, child)


def came_to(live: Live, step: TransitionSpec, since: int, child: str = "") -> bool:
    """Whether the step was taken after a revision."""
    id = live.row(child).id
    with live.service.app.store.read() as tx:
        return any(e.kind == "acted" and e.data.get("transition") == step.name and e.data.get("revision", 0) > since for e in tx.events.of(id))
