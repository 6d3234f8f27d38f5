"""A case that is played step by step through the real service, in a throw-away world that can be put back to any moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from siquan.core.errors import SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.rules.decision import Decision
from siquan.core.service.acts import SYSTEM, StepRefused
from siquan.core.service.context import Context
from siquan.core.spec.model import CaseSpec, CaseStep
from siquan.core.store.rows import Case, Deadline
from siquan.core.testing.runner import Walk

#: one thing a path covered: (kind, name)
Item = tuple[str, str]


@dataclass(frozen=True)
class Moment:
    """Everything needed to go on from here another time."""

    database: bytes
    day: dt.date
    people: Mapping[str, str]
    steps: tuple[CaseStep, ...]
    used: frozenset[str]
    covered: frozenset[Item]
    state: str


class Live(Walk):
    """`steps` are those that were taken, as a test case has them: with where they led, or what refused them."""

    def __init__(self, catalogue: Catalogue, process: str, day: dt.date, given: Mapping[str, Any], opener: str = "") -> None:
        first = (CaseStep(by=opener),) if opener else ()
        super().__init__(catalogue, CaseSpec(name="", process=process, on=day, given=dict(given), steps=first), day)
        self.steps: list[CaseStep] = list(first)
        self.covered: set[Item] = set()
        self.fault: SiquanError | None = None
        self.last: Decision | None = None

    def open(self) -> None:
        self.id = self._open()

    # the world

    @property
    def _connection(self) -> Any:
        return self.service.app.store.engine.raw_connection().driver_connection

    def moment(self) -> Moment:
        return Moment(
            self._connection.serialize(), self.world.clock.day, dict(self.world.people), tuple(self.steps), frozenset(self.used),
            frozenset(self.covered), self.row().state,
        )  # fmt: skip

    def back_to(self, moment: Moment) -> None:
        self._connection.deserialize(moment.database)
        self.world.clock.move(moment.day)
        self.world.people.clear()
        self.world.people.update(moment.people)
        self.steps, self.used, self.covered = list(moment.steps), set(moment.used), set(moment.covered)

    # looking

    @property
    def today(self) -> dt.date:
        return self.world.clock.day

    def row(self, child: str = "") -> Case:
        id = self._target(CaseStep(child=child))[0]
        with self.service.app.store.read() as tx:
            return tx.cases.get(id)

    def deadlines(self, child: str = "") -> list[Deadline]:
        """Those of the state the case stands in."""
        case = self.row(child)
        with self.service.app.store.read() as tx:
            entered = Context(self.service.app, tx, case).story.entered.get(case.state)
            return [d for d in tx.deadlines.of(case.id) if d.state == case.state and (entered is None or d.created_at >= entered)]

    def fired(self, revision: int, step: str) -> bool:
        """Whether the clock took the step after that revision."""
        with self.service.app.store.read() as tx:
            return any(e.actor == SYSTEM and e.data.get("transition") == step and e.data.get("revision", 0) > revision for e in tx.events.of(self.id))

    # acting

    def take(self, step: CaseStep) -> str:
        """Takes a step and keeps it; what is wrong, in a sentence, when it was not taken. The world is then as it was but for
        the clock."""
        self._wait(step)
        self.fault = None
        before = self.row(step.child).state
        self.decision = None
        try:
            wrong = self._step(step) if step.act else self._task(step) if step.task else self._beside(step)
        except SiquanError as fault:
            self.fault, wrong = fault, fault.full("zh")
        if not wrong:
            self.last = self.decision
            after = self.row(step.child).state
            # a task leads nowhere, but for the signature that decides
            said = "" if step.task and after == before else after
            self.steps.append(step if step.refused else step.model_copy(update={"expect": said}))
        return wrong

    def _refusal(self, step: CaseStep, fault: SiquanError) -> str:
        self.fault = fault
        return super()._refusal(step, fault)

    @property
    def refusing(self) -> list[str]:
        """The rules that refused the last step."""
        return [b.rule for b in self.fault.blocks if b.rule] if isinstance(self.fault, StepRefused) else []

    def spec_of_case(self, name: str, *, because: bool = False) -> CaseSpec:
        """What was played, as a test case."""
        hits = tuple(f.rule for f in self.last.hits()) if because and self.last is not None else None
        return self.case.model_copy(update={"name": name, "steps": tuple(self.steps), "expect": self.row().state, "because": hits})
