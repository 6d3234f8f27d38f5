"""A finding's story, told again by the real service, as a test case: so a story is never kept that no case can have."""

from __future__ import annotations

import datetime as dt

from siquan.core.errors import NoAccess, SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.service.acts import MissingFacts, StepRefused
from siquan.core.service.verbs import NoSuchVerb
from siquan.core.spec.model import CaseSpec, CaseStep, TransitionSpec
from siquan.core.testing.aim import NOTHING, Aim, leading, passing
from siquan.core.testing.hands import Hands
from siquan.core.testing.live import Live
from siquan.core.testing.runner import run_case
from siquan.core.testing.tasked import STAND_INS, ready
from siquan.core.verify.finding import Finding, Way, WayStep


class NoStory(SiquanError):
    """the finding `{code}` cannot be kept as a test case: {why}"""

    code = "SQ604"
    zh = "`{code}` 这条发现做不成用例：{why_zh}"
    help_en = "findings that come with a story of steps can be kept"
    help_zh = "带有一串步骤的发现才能留成用例"
    exit = 1


def retold(catalogue: Catalogue, finding: Finding) -> CaseSpec:
    """The story as a case that passes today: what it expects is what happens now, the fault included. Raises NoStory."""
    if finding.way is None:
        raise NoStory(code=finding.code, why="it has no steps", why_zh="它的例子不是一串步骤")
    return _Teller(catalogue, finding.code, finding.way).tell(finding)


class _Teller:
    def __init__(self, catalogue: Catalogue, code: str, way: Way) -> None:
        self.catalogue, self.code, self.way = catalogue, code, way
        self.walker = Hands(catalogue, way.process)

    def tell(self, finding: Finding) -> CaseSpec:
        walker, way = self.walker, self.way
        pool, schema = walker.pool(walker.definition), walker.definition.schema
        asked = [x.name for o in walker.spec.opening if o in schema for x in schema.leaves(o) if not x.collection and (x.by or not x.derive)]
        live = walker._opened({**{p: pool.usual(p, walker.day) for p in asked}, **way.opening})
        if live is None:
            raise NoStory(code=self.code, why="no case can be opened", why_zh="开办不了")
        for n, step in enumerate(way.steps, 1):
            if not (self._clock(live, step) if step.clock else self._hand(live, step)):
                raise NoStory(code=self.code, why=f"step {n}, `{step.step}`, was not taken", why_zh=f"第 {n} 步 {step.step} 没有办成")
        if live.row().state != way.state:
            raise NoStory(code=self.code, why=f"it leads to `{live.row().state}`", why_zh=f"走到了 {live.row().state}")
        if way.barred:
            self._refused(live)
        case = live.spec_of_case(f"{finding.code}：{' → '.join(finding.story)}"[:120])
        wrong = run_case(self.catalogue, case)
        if wrong:
            raise NoStory(code=self.code, why="; ".join(wrong), why_zh="；".join(wrong))
        return case

    def _step(self, live: Live, name: str) -> TransitionSpec:
        return self.walker.definition.machine.step(live.row().state, name)

    def _hand(self, live: Live, told: WayStep) -> bool:
        walker, step = self.walker, self._step(live, told.step)
        if step.opens:
            return walker._children(live, step, NOTHING, step.opens)
        aims: list[Aim] = [passing(walker.definition, walker.book, step)]
        goal = step.to or live.row().state
        if step.branches:
            aims = leading(walker.definition.rulesets[step.decide], walker.book, told.key)
            goal = step.branches.get(told.key, "") or live.row().state
        here = live.moment()
        for aim in aims:
            live.back_to(here)
            answer = walker._fill(live, step, aim, fixed=told.given)
            if answer.distance == 0 and walker._take(live, step, answer, goal):
                return True
        return False

    def _clock(self, live: Live, told: WayStep) -> bool:
        """Waits until the deadline that takes the step is over."""
        before = live.row().revision
        rows = [d for d in live.deadlines() if d.then == told.step and d.status == "open"]
        if not rows:
            return False
        live.take(CaseStep(on=max(min(d.end_date for d in rows), live.today) + dt.timedelta(1)))
        return live.fired(before, told.step)

    def _refused(self, live: Live) -> None:
        """The step nobody can take, with what refuses it."""
        walker, step = self.walker, self._step(live, self.way.barred)
        answer = walker._fill(live, step, passing(walker.definition, walker.book, step))
        given = walker._wire(walker.definition, answer.facts)
        by = STAND_INS[0] if self.way.kind == "nobody" else walker._persons(walker.definition, self.way.state, step)[0]
        ready(live, walker.definition, step, by)
        taken = CaseStep(
            act=step.name, by=by, given=given, refused="true", opinion="意见" if step.opinion == "required" else "", reason=next(iter(step.reasons), ""),
        )  # fmt: skip
        if live.take(taken):
            raise NoStory(code=self.code, why=f"`{step.name}` was taken after all", why_zh=f"“{step.title}”其实办得成")
        live.steps[-1] = taken.model_copy(update={"refused": said_why(live)})


def said_why(live: Live) -> str:
    """What a step of a case says of its refusal."""
    fault = live.fault
    if isinstance(fault, NoAccess):
        return "role"
    if isinstance(fault, MissingFacts):
        return "needs"
    if isinstance(fault, NoSuchVerb):
        return fault.code
    if isinstance(fault, StepRefused):
        kinds = {b.kind for b in fault.blocks}
        if rule := next(iter(live.refusing), ""):
            return rule
        return "not_before" if "time" in kinds else "separate" if "person" in kinds else "role" if "role" in kinds else next(iter(kinds), "separate")
    return fault.code if fault is not None else "true"
