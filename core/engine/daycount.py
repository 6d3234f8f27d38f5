"""A finished count of days, shown: the strip of days and the sentence that gives the sum."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from siquan.core.calendar import DAY, Calendar, days
from siquan.core.rules.values import Duration, shift

Unit = Literal["day", "workday", "month"]
Direction = Literal["after", "before"]

#: A strip of more days is shown without its middle.
STRIP = 16


@dataclass(frozen=True, slots=True)
class DayMark:
    """One cell of the strip. `kind`: start | n (counted) | off | pause | end | gap (days left out)."""

    date: dt.date
    kind: str
    count: int | None
    label: str
    label_en: str = ""


@dataclass(frozen=True)
class DayCount:
    """`last` is the n-th day and `end` where it moved to; before an event both are the latest day."""

    start: dt.date
    last: dt.date
    end: dt.date
    unit: Unit
    n: int
    direction: Direction
    calendar: Calendar
    paused: Callable[[dt.date], bool]

    def counts(self, day: dt.date) -> bool:
        return not self.paused(day) and (self.unit != "workday" or self.calendar.is_workday(day))

    def span(self) -> list[dt.date]:
        """The days of the count in its own direction, without the start."""
        if self.direction == "after":
            return list(days(self.start + DAY, self.end))
        return list(days(self.end, self.start - DAY))[::-1]

    def marks(self) -> tuple[DayMark, ...]:
        return _shortened(self.cells())

    def cells(self) -> list[DayMark]:
        """Every day of the count, the earliest first."""
        after = self.direction == "after"
        cells: list[DayMark] = []
        if self.start != self.end:
            cells.append(
                DayMark(self.start, "start", None, "起，不计" if after else "当日，不计", "not counted")
            )
        k = 0
        for day in self.span():
            past_last = after and day > self.last
            counted = self.counts(day) and not past_last
            k += counted
            number = k if counted and self.unit != "month" else None
            if day == self.end:
                cells.append(
                    DayMark(day, "end", number, "届满" if after else "最迟", "ends" if after else "latest")
                )
            elif day == self.last:
                cells.append(DayMark(day, "off", number, "顺延", "moves on"))
            elif self.paused(day):
                cells.append(DayMark(day, "pause", None, "暂停", "paused"))
            elif not counted:
                holiday = self.calendar.name(day)
                cells.append(DayMark(day, "off", None, holiday or "休", "holiday" if holiday else "rest"))
            else:
                makeup = self.unit == "workday" and self.calendar.day_kind(day) == "makeup"
                label = "" if number is None else f"第 {k} 日" if after else f"前 {k} 日"
                label_en = "" if number is None else f"day {k}"
                cells.append(
                    DayMark(
                        day,
                        "n",
                        number,
                        label + "，补班" * makeup,
                        label_en + ", make-up day" * makeup,
                    )
                )
        if self.start == self.end:
            cells = [DayMark(self.end, "end", 0, "届满" if after else "最迟", "ends" if after else "latest")]
        if not after:
            cells.reverse()
        return cells

    def lines(self, missing: Sequence[int], paused_since: dt.date | None) -> tuple[str, str]:
        amount, amount_en = amount_of(self.n, self.unit)
        start, end = _short(self.start, self.start.year), _short(self.end, self.start.year)
        zh, en = self._skipped()
        if self.direction == "after":
            if self.n:
                zh.insert(0, f"{start} 当日不计")
                en.insert(0, f"{start} itself is not counted")
            if self.end != self.last:
                last = _short(self.last, self.start.year)
                holiday = self.calendar.name(self.last)
                nth = f"第 {self.n} 日" if self.unit == "day" and self.n else "到期日"
                why = f"{holiday}放假" if holiday else _weekday(self.last)[0]
                why_en = "a public holiday" if holiday else f"a {_weekday(self.last)[1]}"
                zh.append(f"{nth} {last} 是{why}，顺延")
                en.append(f"the last day {last} is {why_en} and moves on")
            text = f"{amount}：{'，'.join([*zh, f'到 {end} 24:00'])}"
            text_en = f"{amount_en}: {', '.join([*en, f'until {end} 24:00'])}"
        elif self.unit == "workday":
            text = f"须提前 {amount}：{'，'.join([f'{start} 当日不计', '往前数', *zh, f'最迟 {end} 24:00'])}"
            before = [f"counted back from {start}, itself not counted", *en, f"{end} 24:00 at the latest"]
            text_en = f"{amount_en} before: {', '.join(before)}"
        else:
            text = f"须提前 {amount}：{start} 减 {amount}为 {end}，最迟 {end} 24:00"
            text_en = f"{amount_en} before: {start} less {amount_en} is {end}, {end} 24:00 at the latest"
        if missing:
            years = "、".join(map(str, missing))
            text += f"；{years} 年放假安排尚未公布，暂按周一至周五推算，公布后自动重算"
            text_en += f"; the holidays of {', '.join(map(str, missing))} are not published yet, so this is"
            text_en += " provisional and will be computed again"
        if paused_since:
            since = _short(paused_since, self.start.year)
            text += f"；{since} 起暂停计时，恢复后顺延"
            text_en += f"; paused since {since}, it moves on when resumed"
        return text, text_en

    def _skipped(self) -> tuple[list[str], list[str]]:
        """What was not counted and why, and what was counted although it looks like a rest day."""
        zh: list[str] = []
        en: list[str] = []
        inside = [day for day in self.span() if self.direction == "before" or day <= self.last]
        if self.unit == "workday":
            kinds = [(day, self.calendar.day_kind(day)) for day in inside if not self.paused(day)]
            if any(kind == "weekend" for _, kind in kinds):
                zh.append("周末不计")
                en.append("weekends are not counted")
            names = list(dict.fromkeys(self.calendar.name(day) for day, kind in kinds if kind == "holiday"))
            if names:
                zh.append(f"{'、'.join(names)}放假不计")
                en.append("public holidays are not counted")
            makeup = [_short(day, self.start.year) for day, kind in kinds if kind == "makeup"]
            if makeup:
                zh.append(f"补班日 {'、'.join(makeup)} 计入")
                en.append(f"the make-up working day {' and '.join(makeup)} counts")
        if self.unit == "month" and self.direction == "after":
            target = shift(self.start, Duration(months=self.n))
            if target is not None and target.day != self.start.day:
                zh.append(f"到期月没有 {self.start.day} 日，取月末日")
                en.append(f"that month has no day {self.start.day}, so its last day counts")
        stopped = sum(
            self.paused(day) and (self.unit != "workday" or self.calendar.is_workday(day)) for day in inside
        )
        if stopped:
            amount = amount_of(stopped, "workday" if self.unit == "workday" else "day")
            zh.append(f"暂停 {amount[0]}不计")
            en.append(f"{amount[1]} of pause are not counted")
        return zh, en


def _shortened(cells: list[DayMark]) -> tuple[DayMark, ...]:
    """A long strip keeps its two ends; a gap stands for the rest."""
    if len(cells) <= STRIP:
        return tuple(cells)
    head, tail = cells[:3], cells[-7:]
    n = len(cells) - len(head) - len(tail)
    return (*head, DayMark(cells[len(head)].date, "gap", None, f"略 {n} 日", f"{n} days"), *tail)


def amount_of(n: int, unit: Unit) -> tuple[str, str]:
    zh = {"day": "日", "workday": "个工作日", "month": "个月"}[unit]
    en = {"day": "day", "workday": "working day", "month": "month"}[unit]
    return f"{n} {zh}", f"{n} {en}{'' if n == 1 else 's'}"


def _short(day: dt.date, year: int) -> str:
    return f"{day:%m-%d}" if day.year == year else day.isoformat()


def _weekday(day: dt.date) -> tuple[str, str]:
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    return "周" + "一二三四五六日"[day.weekday()], names[day.weekday()]


def spoken(day: dt.date, year: int) -> tuple[str, str]:
    zh, en = _weekday(day)
    return f"{_short(day, year)} {zh}", f"{en[:3]} {_short(day, year)}"
