"""Deadlines of cases, and the sweep's question: whose last day has passed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from siquan.core.store import tables as t
from siquan.core.store.prepared import Prepared
from siquan.core.store.repository import Repository, chunks, select
from siquan.core.store.rows import Deadline

_D = t.deadline.c
_OF = Prepared(
    select(Deadline, t.deadline)
    .where(_D.case_id == sa.bindparam("b_case"))
    .order_by(_D.end_date, _D.created_at, _D.id)
)
_NEXT = Prepared(
    sa.select(sa.func.min(_D.end_date)).where(_D.case_id == sa.bindparam("b_case"), _D.status == "open")
)
_SETTLE_STATE = Prepared(
    sa.update(t.deadline).where(
        _D.case_id == sa.bindparam("b_case"), _D.state == sa.bindparam("b_state"),
        sa.or_(_D.status == "open", _D.status == "paused"),
    ),
    ["status"],
)


class Deadlines(Repository):
    def add(
        self,
        case_id: str,
        state: str,
        name: str,
        start: dt.date,
        end_date: dt.date,
        *,
        then: str = "remind",
        provisional: bool = False,
        record: Any = None,
        calendar_version: int = 0,
    ) -> Deadline:
        row = Deadline(
            self.tx.new_id(), case_id, state, name, start, end_date, provisional, "open", then, record,
            calendar_version, None, self.tx.at,
        )  # fmt: skip
        self._insert(t.deadline, row)
        return row

    def of(self, case_id: str, status: str | None = None) -> list[Deadline]:
        found = self._found(Deadline, _OF, {"b_case": case_id})
        return [d for d in found if d.status == status] if status else found

    def of_many(self, case_ids: Collection[str], status: str = "open") -> dict[str, list[Deadline]]:
        """{case: deadlines, the next first} with an entry for every case asked for."""
        out: dict[str, list[Deadline]] = {i: [] for i in case_ids}
        for part in chunks(case_ids):
            rows = select(Deadline, t.deadline).where(_D.case_id.in_(part), _D.status == status)
            for row in self._all(Deadline, rows.order_by(_D.end_date, _D.id)):
                out[row.case_id].append(row)
        return out

    def overdue(self, on: dt.date, limit: int = 200, after: str = "") -> list[Deadline]:
        """Open deadlines whose last day lies before `on` and that were not reminded of yet, by id in pages: the
        sweep's work list."""
        where = (_D.status == "open", _D.fired_at.is_(None), _D.end_date < on, _D.id > after)
        return self._all(Deadline, select(Deadline, t.deadline).where(*where).order_by(_D.id).limit(limit))

    def provisional(self, limit: int = 1000, after: str = "") -> list[Deadline]:
        """Open deadlines to work out again when a calendar year is published, by id in pages."""
        where = (_D.status == "open", _D.provisional == sa.true(), _D.id > after)
        return self._all(Deadline, select(Deadline, t.deadline).where(*where).order_by(_D.id).limit(limit))

    def settle(self, deadline_id: str, status: str) -> bool:
        """Set an open deadline to met, fired or cancelled; False when it was not open any more, so that of
        two sweeps only one acts."""
        values: dict[str, Any] = {"status": status}
        if status == "fired":
            values["fired_at"] = self.tx.at
        where = (_D.id == deadline_id, _D.status == "open")
        return bool(self._run(sa.update(t.deadline).where(*where).values(values)).rowcount)

    def remind(self, deadline_id: str) -> bool:
        """The last day of an open deadline is over and nothing fires by itself: it stays open, and late, until the
        case leaves the state. False when it was reminded of before or is not open any more."""
        where = (_D.id == deadline_id, _D.status == "open", _D.fired_at.is_(None))
        return bool(self._run(sa.update(t.deadline).where(*where).values(fired_at=self.tx.at)).rowcount)

    def settle_state(self, case_id: str, state: str, status: str = "met") -> int:
        """The case left a state: its open deadlines are met (or cancelled)."""
        return _SETTLE_STATE.run(self.tx, {"b_case": case_id, "b_state": state, "status": status})

    def pause(self, deadline_id: str, record: Any) -> None:
        """An open deadline stands still: no sweep finds it until `move` and `go_on`."""
        where = (_D.id == deadline_id, _D.status == "open")
        self._run(sa.update(t.deadline).where(*where).values(status="paused", record=record))

    def go_on(self, deadline_id: str) -> None:
        self._run(sa.update(t.deadline).where(_D.id == deadline_id, _D.status == "paused").values(status="open"))

    def revive(self, case_id: str, state: str, since: dt.datetime) -> int:
        """A step out of a state was taken back: what it met is open again, reminded of or not as it was."""
        where = (_D.case_id == case_id, _D.state == state, _D.status == "met", _D.created_at >= since)
        return self._run(sa.update(t.deadline).where(*where).values(status="open")).rowcount

    def cancel(self, case_id: str, since: dt.datetime | None = None) -> int:
        """Everything open of a case, or what was opened since, without being met."""
        where = [_D.case_id == case_id, _D.status.in_(("open", "paused"))]
        where += [_D.created_at >= since] if since is not None else []
        return self._run(sa.update(t.deadline).where(*where).values(status="cancelled")).rowcount

    def move(
        self, deadline_id: str, end_date: dt.date, provisional: bool, record: Any, calendar_version: int
    ) -> None:
        """A new last day, after a calendar year was published or a pause ended."""
        values = {
            "end_date": end_date, "provisional": provisional, "record": record,
            "calendar_version": calendar_version,
            # a later last day is to be reminded of anew
            "fired_at": sa.case((_D.end_date < end_date, sa.null()), else_=_D.fired_at),
        }  # fmt: skip
        self._run(sa.update(t.deadline).where(_D.id == deadline_id).values(values))

    def next_of(self, case_id: str) -> dt.date | None:
        """The earliest open last day: what `due_on` of the case should say."""
        found: dt.date | None = _NEXT.rows(self.tx, {"b_case": case_id})[0][0]
        return found
