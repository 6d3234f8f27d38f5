"""督办: when to remind before a last day, when to go up after it, and the lamp that says how much of the time is used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siquan.core.calendar import DAY, Calendar
from siquan.core.rules.values import Duration, shift

Length = tuple[int, str]  # (n, day | workday | month)


@dataclass(frozen=True, order=True)
class Alarm:
    """`day` is the day it is given. `level` is 0 for a reminder before the last day, else the level of supervision."""

    day: dt.date
    level: int
    key: str
    to: str = ""


def before(end: dt.date, n: int, unit: str, calendar: Calendar) -> dt.date:
    """The day from which on `n unit` are left until the end of `end`, that day itself not counted."""
    if unit == "month":
        return shift(end, Duration(months=-n)) or dt.date.min
    return _walk(end, n, unit, calendar, -DAY)


def after(end: dt.date, n: int, unit: str, calendar: Calendar) -> dt.date:
    """The first day on which `n unit` have wholly gone by since `end`."""
    if unit == "month":
        return (shift(end, Duration(months=n)) or dt.date.max - DAY) + DAY
    return _walk(end, n, unit, calendar, DAY) + DAY


def _walk(day: dt.date, n: int, unit: str, calendar: Calendar, step: dt.timedelta) -> dt.date:
    while n:
        day += step
        n -= unit != "workday" or calendar.is_workday(day)
    return day


def plan(end: dt.date, remind: Sequence[Length], escalate: Sequence[tuple[int, str, str]], calendar: Calendar) -> list[Alarm]:
    """Every alarm of a deadline in order. Two reminders for one day are one."""
    alarms = {before(end, n, unit, calendar): Alarm(before(end, n, unit, calendar), 0, f"remind {n} {unit}") for n, unit in remind}
    out = [a for a in alarms.values() if a.day <= end]
    # level 2 never comes before level 1, whatever the file says
    floor = end + DAY
    for level, (n, unit, to) in enumerate(escalate, 1):
        floor = max(floor, after(end, n, unit, calendar))
        out.append(Alarm(floor, level, f"level {level}", to))
    return sorted(out)


def pending(alarms: Iterable[Alarm], log: Iterable[Mapping[str, Any]]) -> list[Alarm]:
    """Alarms not given yet. One given for an earlier day counts no more when its day has moved on since."""
    given: dict[str, str] = {}
    for entry in log:
        if entry.get("k") in ("remind", "escalate"):
            given[entry["key"]] = max(given.get(entry["key"], ""), entry["on"])
    return [a for a in alarms if given.get(a.key, "") < a.day.isoformat()]


def level_of(log: Iterable[Mapping[str, Any]], end: dt.date) -> int:
    """The highest level of supervision reached since the last day `end` was missed."""
    return max((e["level"] for e in log if e.get("k") == "escalate" and e["on"] > end.isoformat()), default=0)


def used(start: dt.date, end: dt.date, today: dt.date, calendar: Calendar, working: bool) -> int:
    """The share of the time that has gone by, in hundredths: 100 with the end of the last day, more when it is late."""

    def count(a: dt.date, b: dt.date) -> int:
        return calendar.workdays_after(a, b) if working else max((b - a).days, 0)

    total = max(count(start, end), 1)
    if today > end:
        return 100 + 100 * max(count(end, today - DAY), 1) // total
    return min(100 * count(start, today - DAY) // total, 99)


def lamp(share: int, yellow: int, red: int) -> str:
    """green yellow red. Late is red whatever the shares are set to."""
    if share >= 100 or share >= red:
        return "red"
    return "yellow" if share >= yellow else "green"
