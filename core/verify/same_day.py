"""V037: two deadlines of one state that may end on the same day and fire different steps: which of them comes first is then
an accident. And one that always comes too late, since another has led the case away before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import combinations

from siquan.core.calendar import Calendar, shipped
from siquan.core.engine.deadlines import BadDeadline, compute
from siquan.core.engine.definition import Definition
from siquan.core.engine.machine import targets
from siquan.core.plugins import Catalogue
from siquan.core.spec.model import DueSpec, PluginSpec, StateSpec, TransitionSpec
from siquan.core.verify.explore import explored
from siquan.core.verify.finding import Finding

CODE = "V037"
#: days on which a deadline is tried to begin: three years of holidays and make-up days
FIRST, DAYS = dt.date(2025, 1, 1), 3 * 365


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error for every pair that may meet, with a day that shows it; a warning for one that never gets its turn."""
    calendar = Calendar.of(shipped())
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        part = explored(definition, catalogue).parts[0]
        for state in process.states:
            steps = {t.name: t for t in definition.machine.steps(state.name)}
            firing = [d for d in state.dues if d.then in steps]
            for one, other in combinations(firing, 2):
                if one.then == other.then or not part.nodes(state.name):
                    continue
                if targets(steps[one.then], state.name) == targets(steps[other.then], state.name):
                    continue
                meeting = _meeting(definition, catalogue, calendar, one, other)
                if isinstance(meeting, DueSpec):
                    first = one if meeting is other else other
                    if _leaves(steps[first.then], state.name):
                        yield Finding(
                            CODE, "warning", meeting.where,
                            f"`{process.id}`“{state.title}”的时限“{meeting.title or meeting.name}”永远轮不到：“{first.title or first.name}”总在它之前到期并离开这里",
                            f"the deadline `{meeting.name}` in `{state.name}` of `{process.id}` never gets its turn: `{first.name}` always ends before it and leads away",
                            "删掉它，或者让先到期的只提醒", "remove it, or let the earlier one only remind",
                            part.story(part.nodes(state.name)[0], f"“{first.title or first.name}”先到期"), part.way(part.nodes(state.name)[0]),
                        )  # fmt: skip
                    continue
                if meeting is None:
                    continue
                day = meeting
                titles = [f"“{d.title or d.name}”" for d in (one, other)]
                yield Finding(
                    CODE, "error", other.where,
                    f"`{process.id}`“{state.title}”的时限{titles[0]}和{titles[1]}会在同一天到期，一个要办“{steps[one.then].title}”，一个要办“{steps[other.then].title}”，先后全凭运气",
                    f"the deadlines `{one.name}` and `{other.name}` in `{state.name}` of `{process.id}` may end on one day and fire `{one.then}` and `{other.then}`",
                    "错开两个时限，或者合成一步按规则分路", "set them apart, or make one step of them that branches by a rule set",
                    (*part.story(part.nodes(state.name)[0]), *_shown(state, one, other, day)), part.way(part.nodes(state.name)[0]),
                )  # fmt: skip


def _shown(state: StateSpec, one: DueSpec, other: DueSpec, days: tuple[dt.date, dt.date]) -> tuple[str, ...]:
    begin = f"{days[0].isoformat()} 进入“{state.title}”" if not (one.start or one.before or other.start or other.before) else f"起算日 {days[0].isoformat()}"
    return begin, f"{days[1].isoformat()} 两个时限同时到期"


def _leaves(step: TransitionSpec, state: str) -> bool:
    """Whether nothing can keep a step from leading away."""
    return not (step.check or step.decide or step.needs) and bool(step.to) and step.to != state


def _meeting(
    definition: Definition, catalogue: Catalogue, calendar: Calendar, one: DueSpec, other: DueSpec
) -> tuple[dt.date, dt.date] | DueSpec | None:
    """A day both begin and the day both end; of deadlines that count from different facts some pair of dates always does.
    The later one, where it is always the same."""
    begins = [(d.start or d.before, d.before != "") for d in (one, other)]
    if begins[0][0] != begins[1][0]:
        return (FIRST, FIRST)
    days = [FIRST + dt.timedelta(days=n) for n in range(DAYS)]
    ends = [[_end(definition, catalogue, calendar, d, day) for day in days] for d in (one, other)]
    for day, a, b in zip(days, *ends, strict=True):
        if a is not None and a == b:
            return day, a
    known = [(a, b) for a, b in zip(*ends, strict=True) if a is not None and b is not None]
    if len(known) == len(days):
        return other if all(a < b for a, b in known) else one if all(b < a for a, b in known) else None
    return None


def _end(definition: Definition, catalogue: Catalogue, calendar: Calendar, due: DueSpec, day: dt.date) -> dt.date | None:
    book = catalogue.book_of(definition.spec.id)
    on = book.newest() or FIRST
    n = int(due.n) if due.n.isdigit() else book.value(due.n, on) if due.n in book.specs else None
    if not isinstance(n, int):
        return None
    try:
        return compute(day, n, due.unit, calendar, "before" if due.before else "after").end
    except BadDeadline:
        return None
