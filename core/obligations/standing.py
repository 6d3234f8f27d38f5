"""How one period of an obligation stands, and what the next day does to it. Pure: days come in, changes come out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace

DAY = dt.timedelta(days=1)
#: open: running; warned: running and near its end; met: in time; missed: not in time, and stays so; made_up: missed, then
#: done late; void: no longer owed (the case closed, or the duty ended before the period did)
STATUSES = ("open", "warned", "met", "missed", "made_up", "void")
RUNNING = ("open", "warned")


@dataclass(frozen=True)
class Terms:
    """The days that count for one period, worked out once when it opens. `last` is the last day in time, grace included;
    `late` the last day to make up for it, None where it cannot be."""

    start: dt.date
    end: dt.date
    warn: dt.date | None
    last: dt.date
    late: dt.date | None


@dataclass(frozen=True)
class Standing:
    terms: Terms
    status: str = "open"

    @property
    def next_day(self) -> dt.date | None:
        """The day on which time alone changes something; None when it no longer does."""
        if self.status not in RUNNING:
            return None
        missed = self.terms.last + DAY
        if self.status == "open" and self.terms.warn is not None and self.terms.warn < missed:
            return self.terms.warn
        return missed

    def due_steps(self, today: dt.date) -> Iterator[tuple[dt.date, Standing]]:
        """What time alone has done up to and with `today`, in order, each with its day."""
        now = self
        while (day := now.next_day) is not None and day <= today:
            now = replace(now, status="warned" if now.status == "open" and day <= now.terms.last else "missed")
            yield day, now

    def takes(self, day: dt.date) -> str:
        """What it becomes when the duty is done on `day`; empty when that changes nothing."""
        if self.status in RUNNING and self.terms.start <= day <= self.terms.last:
            return "met"
        if self.status == "missed" and self.terms.late is not None and self.terms.last < day <= self.terms.late:
            return "made_up"
        return ""

    def done(self, day: dt.date) -> Standing:
        return replace(self, status=self.takes(day) or self.status)

    @property
    def settled(self) -> bool:
        return self.status in ("met", "made_up", "void")


def first_taker(standings: list[tuple[str, Standing]], day: dt.date) -> str:
    """Which period one act on a day counts for: the oldest that is still in time, else the oldest that can still be made
    up. Empty when none takes it: one act never does two duties."""
    ordered = sorted(standings, key=lambda pair: pair[1].terms.start)
    for wanted in ("met", "made_up"):
        for key, standing in ordered:
            if standing.takes(day) == wanted:
                return key
    return ""
