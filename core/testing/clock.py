"""A clock that stands still until it is moved."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable

from siquan.core.service.app import ZONE


class FrozenClock:
    """Stands at 09:00 in China of a day; every reading is a little later, so that events have an order."""

    def __init__(self, day: dt.date) -> None:
        self.day = day
        self._ticks = itertools.count()

    def __call__(self) -> dt.datetime:
        at = dt.datetime.combine(self.day, dt.time(9), ZONE)
        return at + dt.timedelta(milliseconds=next(self._ticks))

    def move(self, day: dt.date) -> None:
        self.day = day


def counter(prefix: str = "id") -> Callable[[], str]:
    """Ids that are the same on every run."""
    numbers = itertools.count(1)
    return lambda: f"{prefix}{next(numbers):08d}"
