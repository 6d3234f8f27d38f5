"""Deadline arithmetic: days, working days and months as 民法典 200-204 count them, with the sum shown.

Pure: the calendar and all dates are handed in. The day a period starts is not counted (201), a month ends on
the corresponding day or the month's last (202), a last day on a rest day moves to the next working day (203).
A date means that day until 24:00. A pause `(from, to)` stops the count from its first day; `to` counts again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, cast

from siquan.core.calendar import DAY, Calendar
from siquan.core.engine.daycount import DayCount, amount_of, spoken
from siquan.core.engine.daycount import DayMark as DayMark
from siquan.core.engine.daycount import Direction as Direction
from siquan.core.engine.daycount import Unit as Unit
from siquan.core.errors import SiquanError
from siquan.core.rules.values import Duration, shift

Pause = tuple[dt.date, dt.date | None]

#: Longer than a century is a slip of the pen, not a deadline.
LONGEST = {"day": 36525, "workday": 36525, "month": 1200}


class BadDeadline(SiquanError):
    """a deadline of `{n}` `{unit}` from `{start}` cannot be computed: {why}"""

    code = "SQ520"
    zh = "算不出期限（`{start}` 起 `{n}` `{unit}`）：{why_zh}"
    help_en = "write a whole number that is not negative and one of day, workday, month"
    help_zh = "请写不为负的整数，单位为 day（日）、workday（工作日）或 month（月）"


@dataclass(frozen=True)
class Due:
    """A computed deadline. After: `start` begins it and `end` is its last day. Before: `start` is the event
    and `end` the latest day. `rolled_from` is the last day before it moved off a rest day; `provisional`: a
    year without a published calendar was looked at; `paused_since`: a pause is open, and `end` is what it
    would be if the count went on at once. `lines` is the sum in Chinese and English."""

    name: str
    title: str
    start: dt.date
    end: dt.date
    unit: Unit
    n: int
    direction: Direction
    provisional: bool
    days: tuple[DayMark, ...]
    rolled_from: dt.date | None
    calendar_version: str
    cite: str
    basis: str
    lines: tuple[str, str]
    roll: bool = True
    rest_days_roll: bool = True
    pauses: tuple[Pause, ...] = ()
    paused_since: dt.date | None = None

    def passed(self, today: dt.date) -> bool:
        """Whether the period is over: its last day has ended. A paused period does not end."""
        return self.paused_since is None and today > self.end

    @property
    def law(self) -> str:
        """The articles the sum stands on."""
        if self.direction == "before":
            return "民法典 200 条"
        articles = ["201"] + ["202"] * (self.unit == "month") + ["203"] * (self.rolled_from is not None)
        return f"民法典 {'、'.join(articles)} 条"

    def to_json(self) -> dict[str, Any]:
        return cast(dict[str, Any], _plain(asdict(self)))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Due:
        day = dt.date.fromisoformat
        return cls(
            **{
                **data,
                "start": day(data["start"]),
                "end": day(data["end"]),
                "days": tuple(DayMark(**{**mark, "date": day(mark["date"])}) for mark in data["days"]),
                "rolled_from": day(data["rolled_from"]) if data["rolled_from"] else None,
                "lines": (data["lines"][0], data["lines"][1]),
                "pauses": tuple((day(a), day(b) if b else None) for a, b in data["pauses"]),
                "paused_since": day(data["paused_since"]) if data["paused_since"] else None,
            }
        )


class Remaining(NamedTuple):
    """What a chip shows. `state`: over | today | soon (tomorrow or the next working day) | ok | prov | pause.
    `n` is how much is late or left: working days for a deadline in working days, else days."""

    state: str
    n: int
    zh: str
    en: str


def compute(
    start: dt.date,
    n: int,
    unit: Unit,
    calendar: Calendar,
    direction: Direction = "after",
    roll: bool = True,
    rest_days_roll: bool = True,
    pauses: Sequence[Pause] = (),
    *,
    name: str = "",
    title: str = "",
    cite: str = "",
    basis: str = "",
) -> Due:
    """The deadline `n unit` after `start`, or the latest day `n unit` before the event `start`.

    With `rest_days_roll` false (parameter `calendar.rest_days`) only days off of a holiday notice move the
    last day, weekends do not. Counting backwards nothing moves and pauses do not matter: the event stands.
    """
    bad = _fault(start, n, unit, direction, pauses)
    if bad:
        raise BadDeadline(n=n, unit=unit, start=start, why=bad[0], why_zh=bad[1])
    paused = _inside([(a, b) for a, b in pauses if b is not None] if direction == "after" else [])

    def rests(day: dt.date) -> bool:
        return calendar.day_kind(day) == "holiday" or (rest_days_roll and not calendar.is_workday(day))

    try:
        last = _count(start, n, unit, direction, calendar, paused)
        end = last
        while roll and direction == "after" and (rests(end) or (end != last and paused(end))):
            end += DAY
    except OverflowError as e:
        raise BadDeadline(
            n=n, unit=unit, start=start, why="it leaves the calendar", why_zh="超出日历范围"
        ) from e
    looked_at: set[int] = set()
    if unit == "workday" and n:
        looked_at |= set(range(min(start, end).year, max(start, end).year + 1))
    if roll and direction == "after":
        looked_at |= {last.year, end.year}
    missing = sorted(year for year in looked_at if not calendar.is_published(year))
    open_since = [a for a, b in pauses if b is None and a <= end] if direction == "after" else []
    shown = DayCount(start, last, end, unit, n, direction, calendar, paused)
    return Due(
        name=name,
        title=title,
        start=start,
        end=end,
        unit=unit,
        n=n,
        direction=direction,
        provisional=bool(missing),
        days=shown.marks(),
        rolled_from=last if end != last else None,
        calendar_version=calendar.version,
        cite=cite,
        basis=basis,
        lines=shown.lines(missing, min(open_since, default=None)),
        roll=roll,
        rest_days_roll=rest_days_roll,
        pauses=tuple(pauses),
        paused_since=min(open_since, default=None),
    )


def again(due: Due, calendar: Calendar, pauses: Sequence[Pause] | None = None) -> Due:
    """The same deadline under another calendar (a year was published) or other pauses."""
    return compute(
        due.start,
        due.n,
        due.unit,
        calendar,
        due.direction,
        due.roll,
        due.rest_days_roll,
        due.pauses if pauses is None else pauses,
        name=due.name,
        title=due.title,
        cite=due.cite,
        basis=due.basis,
    )


def earliest_end(posted: dt.date, n: int) -> dt.date:
    """公示不少于 N 日: with the end of this day (24:00) a notice posted on `posted` was shown `n` days."""
    return posted + n * DAY


def notice_ok(event: dt.date, notice: dt.date, n: int) -> bool:
    """N 日以前通知: whether at least `n` days lie between the notice and the event."""
    return (event - notice).days >= n


def remaining(due: Due, today: dt.date, calendar: Calendar) -> Remaining:
    """How a deadline stands on `today`, in words for a chip; a date of another year shows its year."""
    working = due.unit == "workday"

    def between(a: dt.date, b: dt.date) -> int:
        return calendar.workdays_after(a, b) if working else max((b - a).days, 0)

    def amount(n: int) -> tuple[str, str]:
        return amount_of(n, "workday" if working else "day")

    if due.paused_since is not None:
        n = between(max(due.paused_since - DAY, due.start), due.end)
        return Remaining("pause", n, f"暂停，剩 {amount(n)[0]}", f"paused, {amount(n)[1]} left")
    if today > due.end:
        n = between(due.end, today)
        if not n:  # only rest days have gone by
            return Remaining("over", 0, "超期不足 1 个工作日", "less than 1 working day late")
        return Remaining("over", n, f"超期 {amount(n)[0]}", f"{amount(n)[1]} late")
    mark, mark_en = ("，暂定", ", provisional") if due.provisional else ("", "")
    if today == due.end:
        return Remaining("today", 0, f"今天 24:00 前{mark}", f"until 24:00 today{mark_en}")
    n = between(today, due.end)
    zh, en = spoken(due.end, today.year)
    if due.end == today + DAY:
        return Remaining("soon", n, f"明天 {zh}{mark}", f"tomorrow, {en}{mark_en}")
    if calendar.workdays_after(today, due.end) <= 1:
        return Remaining("soon", n, zh + mark, en + mark_en)
    if due.provisional:
        return Remaining("prov", n, f"暂定 {zh}", f"provisionally {en}")
    if due.direction == "before":
        return Remaining("ok", n, f"最迟 {zh}", f"{en} at the latest")
    return Remaining("ok", n, zh, en)


def _fault(
    start: Any, n: Any, unit: str, direction: str, pauses: Iterable[Pause]
) -> tuple[str, str] | None:
    """Why the input cannot be used, in English and Chinese."""
    if not isinstance(n, int) or isinstance(n, bool):
        return "the number is not whole", "数目不是整数"
    if unit not in LONGEST or direction not in ("after", "before"):
        return "the unit is unknown", "单位或方向不认识"
    if not 0 <= n <= LONGEST[unit]:
        return "the number is negative or too large", "数目为负或过大"
    if not isinstance(start, dt.date) or isinstance(start, dt.datetime):
        return "the start is not a date", "起算日不是日期"
    if any(b is not None and b < a for a, b in pauses):
        return "a pause ends before it begins", "有一次暂停的恢复日早于暂停日"
    return None


def _inside(spans: Sequence[tuple[dt.date, dt.date]]) -> Callable[[dt.date], bool]:
    return lambda day: any(a <= day < b for a, b in spans)


def _count(
    start: dt.date,
    n: int,
    unit: Unit,
    direction: Direction,
    calendar: Calendar,
    paused: Callable[[dt.date], bool],
) -> dt.date:
    """The n-th counted day from `start`, before it moves off a rest day."""
    step = DAY if direction == "after" else -DAY
    left = n
    if unit == "month":
        target = shift(start, Duration(months=n if direction == "after" else -n))
        if target is None:
            raise OverflowError
        left = abs((target - start).days)
    day = start
    while left:
        day += step
        if not paused(day) and (unit != "workday" or calendar.is_workday(day)):
            left -= 1
    return day


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
