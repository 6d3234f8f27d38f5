"""Dates of a demo script, relative to the day it is loaded.

`T-20`: twenty days before today. `W-5`: the fifth working day before today. `D`, `D+15`: the day of the act itself.
`M+1`: the first day of the next month.
`Q-1+40`: forty days after the first day of the quarter before this one, the next working day if it is a rest day.
`{Q-1}` inside a text is that quarter's name.
Least distances in days hold when they are written in working days: n working days are never fewer than n days.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from siquan.core.calendar import DAY, Calendar

_DATE = re.compile(r"([TD])([+-]\d+)?|(W)(-\d+)|(Q)(-\d+)?(\+\d+)?|M\+(\d+)")
_NAME = re.compile(r"\{Q(-\d+)?\}")


class Days:
    def __init__(self, today: dt.date, calendar: Calendar) -> None:
        self.today, self.calendar = today, calendar

    def day(self, text: Any, of_act: dt.date | None = None) -> dt.date | None:
        """The date a script's word stands for; None when it stands for none."""
        if isinstance(text, dt.date):
            return text
        found = _DATE.fullmatch(str(text))
        if found is None:
            return dt.date.fromisoformat(str(text)) if re.fullmatch(r"\d{4}-\d\d-\d\d", str(text)) else None
        kind, n, work, back, quarter, quarters, more, months = found.groups()
        if months:
            month = self.today.year * 12 + self.today.month - 1 + int(months)
            return dt.date(month // 12, month % 12 + 1, 1)
        if work:
            return self._workday(-int(back))
        if quarter:
            first = self._quarter(int(quarters or 0))
            return self._open(first + int(more) * DAY) if more else first
        start = self.today if kind == "T" else of_act
        return start + int(n or 0) * DAY if start else None

    def _workday(self, n: int) -> dt.date:
        day = self.today
        while n:
            day -= DAY
            n -= self.calendar.is_workday(day)
        return day

    def _open(self, day: dt.date) -> dt.date:
        while not self.calendar.is_workday(day):
            day += DAY
        return day

    def _quarter(self, n: int) -> dt.date:
        month = self.today.year * 12 + (self.today.month - 1) // 3 * 3 + 3 * n
        return dt.date(month // 12, month % 12 + 1, 1)

    def dated(self, value: Any, of_act: dt.date) -> Any:
        """Facts with every such word in them replaced by its date."""
        if isinstance(value, dict):
            return {k: self.dated(v, of_act) for k, v in value.items()}
        if isinstance(value, list):
            return [self.dated(v, of_act) for v in value]
        if isinstance(value, str) and _DATE.fullmatch(value):
            found = self.day(value, of_act)
            return found.isoformat() if found else value
        return _NAME.sub(self._name, value) if isinstance(value, str) else value

    def _name(self, found: re.Match[str]) -> str:
        first = self._quarter(int(found.group(1) or 0))
        return f"{first.year}年第{(first.month + 2) // 3}季度"
