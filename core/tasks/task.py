"""Tasks: what a state of a case asks of people, and whom. Pure: the events say what happened, `after` says what that makes of
the tasks, and nothing else changes them.

A state has one *work* task; whoever it is with takes the step. A state to be signed has a *sign* task for each signer, one that
is dispatched may have *assist* tasks for co-handlers. A task is named by the event that opened it: `12.1`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

Kind = Literal["work", "sign", "assist"]
AGREE, REFUSE = "agree", "refuse"

#: what a person does with a task, and what each leaves true
VERBS = {
    "claim": "the task is with the one who claimed it, or whom he stood in for; nobody else takes the step",
    "release": "it is with nobody again; who had sent it out decides anew",
    "transfer": "it is with the other, who may do what it asks; the one before has nothing to do with it any more",
    "delegate": "it is with the other until he hands it back; meanwhile nobody takes the step",
    "hand_back": "it is with the one who delegated it, with what the other had to say",
    "recall": "as handed back, on the word of the one who delegated it",
    "dispatch": "it is with the lead, each co-handler has a task of his own",
    "decline": "it waits for the dispatcher, with the reason; the count of declines went up by one",
    "assist_done": "the co-handler has said his part; the lead still takes the step",
    "add_signer": "there is one more signature to give, and the vote is counted over one more",
    "remove_signer": "there is one less; no removal decides the vote",
    "sign": "a signature is given once, by the person it was asked of",
}


@dataclass(frozen=True, slots=True)
class Task:
    """`person` is whom it is with ("" whoever may), `lenders` those who delegated it, the last of them next to have it back.
    `role` is whose signature it is; `order` its place where signatures go in order; `result` agree, refuse or done."""

    key: str
    kind: Kind = "work"
    role: str = ""
    person: str = ""
    claimed: bool = False
    lenders: tuple[str, ...] = ()
    order: int = 0
    result: str = ""
    signer: str = ""  # who gave the signature, when not `person` himself: his substitute
    declines: int = 0
    declined: bool = False
    by: str = ""  # who dispatched it or asked for the signature

    @property
    def open(self) -> bool:
        return not self.result

    @property
    def lent(self) -> bool:
        return bool(self.lenders)

    def to_json(self) -> dict[str, Any]:
        """What an event says of a task it opens: only what is not usual."""
        plain = {"key": self.key, "kind": self.kind, "role": self.role, "person": self.person, "order": self.order, "by": self.by}
        return {k: v for k, v in plain.items() if v}


Tasks = Mapping[str, Task]


def opened(seq: int, said: list[dict[str, Any]] | None) -> dict[str, Task]:
    """The tasks of a state that was entered by event `seq`; without a word about them there is one for whoever may."""
    if not said:
        return {f"{seq}.1": Task(f"{seq}.1")}
    return {str(x["key"]): Task(**x) for x in said}


def after(tasks: Tasks, seq: int, actor: str, data: Mapping[str, Any], of: str = "") -> dict[str, Task]:
    """The tasks after a `task` event; `of` is for whom the actor stood in. What it says was checked when it was written."""
    out = dict(tasks)
    task, verb, to = out[data["task"]], data["verb"], str(data.get("to_person", ""))

    def now(**changes: Any) -> None:
        out[task.key] = replace(task, **changes)

    match verb:
        case "claim":
            now(person=of or actor, claimed=True)
        case "release":
            now(person="", claimed=False)
        case "transfer":
            now(person=to, claimed=False)
        case "delegate":
            now(person=to, claimed=False, lenders=(*task.lenders, str(data["lender"])))
        case "hand_back" | "recall":
            now(person=task.lenders[-1], claimed=len(task.lenders) == 1, lenders=task.lenders[:-1])
        case "dispatch":
            now(person=to, claimed=False, declined=False, by=actor)
            had = {t.person for t in out.values() if t.kind == "assist" and t.open}
            for n, person in enumerate((p for p in data.get("assist", ()) if p not in had), 1):
                out[f"{seq}.{n}"] = Task(f"{seq}.{n}", "assist", person=person, by=actor)
        case "decline":
            now(person="", claimed=False, declined=True, declines=task.declines + 1)
        case "assist_done":
            now(result="done")
        case "add_signer":
            for other in out.values():
                if other.kind == "sign" and other.order >= data["order"]:
                    out[other.key] = replace(other, order=other.order + 1)
            out[f"{seq}.1"] = Task(f"{seq}.1", "sign", person=to, order=data["order"], by=actor)
        case "remove_signer":
            del out[task.key]
        case "sign":
            now(person=task.person or of or actor, signer=actor, result=data["result"])
    return out


def without(tasks: Tasks, person: str, taker: str = "") -> dict[str, Task]:
    """The tasks when a person has no part in the case any more: what was with him is with the taker, or with nobody. No work
    and no signature ends by that, so nothing is decided by it; a co-handler's part goes with him."""
    out = dict(tasks)
    for task in tasks.values():
        chain = (*task.lenders, task.person)
        if not task.open or person not in chain:
            continue
        if taker:  # who had lent it and now has it has it back
            way = straight(taker if x == person else x for x in chain)
        elif task.kind == "assist":
            del out[task.key]
            continue
        else:
            way = [x for x in chain if x != person]
            if len(way) == 1 and task.person != person:  # it was only lent to him, and there is nobody to hand it back to
                way = []
        claimed = len(way) == 1 and (task.lent or task.claimed)
        out[task.key] = replace(task, person=way[-1] if way else "", claimed=claimed, lenders=tuple(way[:-1]))
    return out


def straight(way: Iterable[str]) -> list[str]:
    """A way from one to the next without its loops."""
    out: list[str] = []
    for one in way:
        out = [*out[: out.index(one)], one] if one in out else [*out, one]
    return out


def work(tasks: Tasks) -> Task | None:
    """The work task of the state, where it has one."""
    return next((t for t in tasks.values() if t.kind == "work"), None)


def helpers(tasks: Tasks) -> list[Task]:
    return [t for t in tasks.values() if t.kind == "assist"]


def waiting(tasks: Tasks, mode: str) -> list[Task]:
    """The tasks whose turn it is."""
    return [t for t in tasks.values() if ready(tasks, t, mode)]


def ready(tasks: Tasks, task: Task, mode: str) -> bool:
    """Whether it is this task's turn: where signatures go in order, only the first that is still to be given."""
    return task.open and not (mode == "order" and task.kind == "sign" and any(o.order < task.order for o in signatures(tasks) if o.open))


def signatures(tasks: Tasks) -> list[Task]:
    return sorted((t for t in tasks.values() if t.kind == "sign"), key=lambda t: (t.order, t.key))


def verdict(tasks: Tasks, mode: str, share: Fraction) -> str:
    """What the signatures given so far come to: agree, refuse, or empty while the rest still decides.

    `any` 或签: the first one decides. `all` 会签 and `order` 顺序: each agrees, one refusal is enough. `share` 票签: agreed with
    that share of all signers, refused as soon as the rest could not make it up.
    """
    asked = signatures(tasks)
    yes, no = (sum(t.result == r for t in asked) for r in (AGREE, REFUSE))
    if mode == "any":
        return AGREE if yes else REFUSE if no else ""
    if mode == "share":
        if yes and Fraction(yes, len(asked)) >= share:
            return AGREE
        return REFUSE if asked and Fraction(len(asked) - no, len(asked)) < share else ""
    if no:
        return REFUSE
    return AGREE if asked and yes == len(asked) else ""
