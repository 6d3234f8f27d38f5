"""The tasks of a state in a try-out: what may be done with them and by whom, each person called as a test case calls him."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from siquan.core.engine.access import is_post
from siquan.core.engine.definition import Definition
from siquan.core.rules.decision import Piece
from siquan.core.service.context import Context
from siquan.core.service.taskforms import TaskForms
from siquan.core.service.words import Words
from siquan.core.spec.model import StateSpec
from siquan.core.spec.verbs import TASKS
from siquan.core.tasks.task import Task, Tasks, signatures, waiting, work
from siquan.core.testing.live import Live
from siquan.core.testing.tasked import STAND_INS, name_of, tasks_of
from siquan.core.views import Block, StepView
from siquan.core.views_verbs import Choice


@dataclass(frozen=True)
class TaskForm:
    """What is chosen for a verb of a task. `what`: `to` a person, `result` of a signature; `more` may help."""

    what: str = ""
    label: str = ""
    choices: tuple[Choice, ...] = ()
    more: tuple[Choice, ...] = ()
    before: bool = False
    consequences: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskOffer:
    step: StepView
    by: str
    task: str
    first: bool  # the state waits for it
    about: str = ""  # the role whose signature it is


class TryTasks:
    """Of the case or one of its children, looked at in a world that is put back afterwards."""

    def __init__(self, live: Live, definition: Definition, child: str, words: Words) -> None:
        self.live, self.definition, self.child, self.words = live, definition, child, words
        self.spec, self.row = definition.spec, live.row(child)
        self.state: StateSpec | None = definition.spec.state(self.row.state)
        self.forms: TaskForms = live.service._verb_forms.tasks
        self.tasks: Tasks = tasks_of(live, child)

    @property
    def plain(self) -> bool:
        """A state that says nothing of tasks, its work with whoever may."""
        return self.state is None or (self.state.task is None and self.state.sign is None and not any(t.person for t in self.tasks.values()))

    @property
    def holder(self) -> str:
        """Who takes the steps of the state; empty while it is with whoever may."""
        found = work(self.tasks)
        return name_of(self.live, self.definition, found.person, self.child) if found is not None and found.person and not found.lent else ""

    # what may be done

    def offers(self, actor: str, choose: str = "") -> list[TaskOffer]:
        """`actor` looks at them; empty: each is offered to who should do it. `choose` is `verb|task` that is shown even where it
        is not possible."""
        out: dict[tuple[str, str, str], TaskOffer] = {}
        for verb in TASKS if not self.plain else ():
            for task in self._about(verb):
                for by in [actor] if actor else self._who(verb, task):
                    found = self._offer(verb, task, by, choose)
                    # what one person may do with several tasks at once is offered once
                    key = (verb, task.key if verb in ("sign", "assist_done") else "", "" if verb != "transfer" else by)
                    if found is not None and key not in out:
                        out[key] = found
                        break
        return sorted(out.values(), key=lambda o: not o.first)

    def _about(self, verb: str) -> list[Task]:
        kinds = {"sign": ("sign",), "add_signer": ("sign",), "remove_signer": ("sign",), "assist_done": ("assist",)}
        turn = {t.key for t in waiting(self.tasks, self.state.sign.mode)} if verb == "sign" and self.state is not None and self.state.sign is not None else None
        found = [t for t in self.tasks.values() if t.open and t.kind in kinds.get(verb, ("work",)) and (turn is None or t.key in turn)]
        if verb == "claim" and self.state is not None and self.state.sign is not None and self.state.task is None:
            return []
        return sorted(found, key=lambda t: (t.order, t.key))

    def _who(self, verb: str, task: Task) -> Iterator[str]:
        """Who does that, by the names a case has for them; the likeliest first."""
        assert self.state is not None
        called = name_of(self.live, self.definition, task.person, self.child) if task.person else ""
        if verb == "dispatch":
            yield from self.state.task.dispatcher if self.state.task is not None else ()
        elif verb == "recall":
            yield from (name_of(self.live, self.definition, task.lenders[-1], self.child),) if task.lent else ()
        elif verb in ("add_signer", "remove_signer"):
            yield from self.state.sign.manage if self.state.sign is not None else ()
            yield name_of(self.live, self.definition, task.by if verb == "remove_signer" else task.person, self.child)
        elif called:
            yield called
        elif task.role:
            yield from (task.role, *STAND_INS[:1])
        else:
            yield from (r for s in self.state.transitions for r in (s.by or self.state.by) if r in self.spec.roles)

    def _offer(self, verb: str, task: Task, by: str, choose: str) -> TaskOffer | None:
        if not by:
            return None
        person = self.live._person(by, self.spec, None, self.row.id)
        with self.live.service.app.store.read() as tx:
            context = Context(self.live.service.app, tx, self.row)
            why = self.forms.verbs.why_not(context, verb, task, person)
            opinion, reasons = self.forms.opinion(context, verb), self.forms.reasons(context, verb)
        first = self._waits(verb, task)
        if why is not None and not (choose == f"{verb}|{task.key}" or (first and verb in ("dispatch", "claim", "sign"))):
            return None
        zh = self.words.lang == "zh"
        blocks = () if why is None else (Block("role", "BLOCK", (Piece(why[0 if zh else 1]),)),)
        roles = self.state.task.dispatcher if verb == "dispatch" and self.state is not None and self.state.task is not None else ()
        who = ("、" if zh else ", ").join(self.words.role(r) for r in roles)
        about = self.words.role(task.role) if verb == "sign" and task.role and task.role != by else ""
        title = TASKS[verb][0 if zh else 1]
        step = StepView(verb, title[:1].upper() + title[1:], "", why is None, blocks, opinion=opinion, reasons=reasons, who=who, verb=verb)
        return TaskOffer(step, by, task.key, first, about)

    def _waits(self, verb: str, task: Task) -> bool:
        """Whether the state goes no further without it."""
        spec = self.state.task if self.state is not None else None
        if verb == "dispatch":
            return not task.person
        if verb == "claim":
            return spec is not None and spec.claim and not task.claimed and (bool(task.person) or not spec.dispatcher)
        return verb in ("sign", "hand_back") or (verb == "assist_done" and spec is not None and spec.wait)

    # its form

    def form(self, verb: str, key: str, by: str) -> TaskForm:
        """What is to be chosen. Everybody a case could name is there to be chosen from."""
        person = self.live._person(by, self.spec, None, self.row.id)
        people = [r for r in self.spec.roles if is_post(self.spec, r)] + list(STAND_INS)
        ids = {self.live._person(name, self.spec, None, self.row.id): name for name in reversed(people)}
        ids |= {t.person: name_of(self.live, self.definition, t.person, self.child) for t in self.tasks.values() if t.person}
        with self.live.service.app.store.read() as tx:
            context = Context(self.live.service.app, tx, self.row)
            task = self.tasks[key]
            what, label, found = self.forms.choices(context, verb, task, person, self.words)
            more = self.forms.helpers(context, verb, self.words)
            consequences = self.forms.consequences(context, verb, self.words.lang)
        if verb == "sign":
            return TaskForm("result", label, found, consequences=consequences)
        if what == "task":
            out = {t.key: t.person for t in signatures(self.tasks)}
            found = tuple(Choice(out[c.value], c.title) for c in found if out.get(c.value))
        order = [i for i in (*(i for i in ids if ids[i] not in people), *(next(i for i in ids if ids[i] == p) for p in people if p in ids.values()))]
        chosen, helping = ([self._named(c, ids) for c in sorted((c for c in cs if c.value in ids), key=lambda c: order.index(c.value))] for cs in (found, more))
        return TaskForm("to" if what else "", label, tuple(chosen), tuple(helping), verb == "add_signer", consequences)

    def _named(self, choice: Choice, ids: dict[str, str]) -> Choice:
        """A role by its title, anybody else by his name with what he is."""
        name = ids[choice.value]
        if name in self.spec.roles:
            return Choice(name, self.words.role(name))
        return Choice(name, name, "各岗位都有" if self.words.lang == "zh" else "holds every post")
