"""Deadlines of cases, and the sweep's question: whose last day has passed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from siquan.core.store import tables as t
from siquan.core.store.prepared import Prepared
from siquan.core.store.repository import Repository, chunks, revived, select, storable, within
from siquan.core.store.rows import Deadline

_D = t.deadline.c
_OF = Prepared(
    select(Deadline, t.deadline)
    .where(_D.case_id == sa.bindparam("b_case"))
    .order_by(_D.end_date, _D.created_at, _D.id)
)
# without `min`: for the least of a column a planner walks that column's index, through every open deadline there is
_NEXT = Prepared(sa.select(_D.end_date).where(_D.case_id == sa.bindparam("b_case"), _D.status == "open"))
#: what still counts, one kind of it: met and cancelled ones pile up as a case goes to and fro
_LIVE = Prepared(
    select(Deadline, t.deadline)
    .where(_D.case_id == sa.bindparam("b_case"), _D.status == sa.bindparam("b_status"))
    .order_by(_D.end_date, _D.created_at, _D.id)
)
_EVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_RECENT = Prepared(
    select(Deadline, t.deadline)
    .where(
        _D.case_id == sa.bindparam("b_case"),
        # what is open is of this stay, even when the clock was set back since
        sa.or_(_D.status == "open", _D.status == "paused", sa.and_(_D.status == "fired", _D.created_at >= sa.bindparam("b_since"))),
    )
    .order_by(_D.end_date, _D.created_at, _D.id)
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
        next_on: dt.date | None = None,
    ) -> Deadline:
        row = Deadline(
            self.tx.new_id(), case_id, state, name, start, end_date, provisional, "open", then, record,
            calendar_version, None, self.tx.at, next_on, [],
        )  # fmt: skip
        self._insert(t.deadline, row)
        return row

    def of(self, case_id: str, status: str | None = None) -> list[Deadline]:
        if status:
            return self._found(Deadline, _LIVE, {"b_case": case_id, "b_status": status})
        return self._found(Deadline, _OF, {"b_case": case_id})

    def live(self, case_id: str, since: dt.datetime | None = None) -> list[Deadline]:
        """Those that are open or paused, and those fired that were made at `since` or later: what the state a case stands in
        may have."""
        return self._found(Deadline, _RECENT, {"b_case": case_id, "b_since": since or _EVER})

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

    def get(self, deadline_id: str) -> Deadline | None:
        return self._one(Deadline, select(Deadline, t.deadline).where(_D.id == deadline_id)) if storable(deadline_id) else None

    def alarmed(self, on: dt.date, limit: int = 200, after: str = "") -> list[Deadline]:
        """Open deadlines with a reminder or a level of supervision to give by `on`, by id in pages."""
        where = (_D.status == "open", _D.next_on <= on, _D.id > after)
        return self._all(Deadline, select(Deadline, t.deadline).where(*where).order_by(_D.id).limit(limit))

    def counted_before(self, version: int, limit: int = 1000, after: str = "") -> list[Deadline]:
        """Open deadlines counted with an older calendar, by id in pages: to be worked out again."""
        where = (_D.status == "open", _D.calendar_version < version, _D.id > after)
        return self._all(Deadline, select(Deadline, t.deadline).where(*where).order_by(_D.id).limit(limit))

    def touching(self, first: dt.date, last: dt.date, limit: int = 1000, after: str = "") -> list[Deadline]:
        """Open deadlines whose days may touch those from `first` to `last`, by id in pages. A deadline before an event starts
        after it ends."""
        where = (
            _D.status == "open", _D.id > after, sa.or_(_D.start <= last, _D.end_date <= last),
            sa.or_(_D.start >= first, _D.end_date >= first, _D.provisional == sa.true()),
        )  # fmt: skip
        return self._all(Deadline, select(Deadline, t.deadline).where(*where).order_by(_D.id).limit(limit))

    def pressing(
        self, until: dt.date, places: Collection[str] | None, processes: Collection[str] | None = None, limit: int = 200
    ) -> list[Deadline]:
        """Open deadlines at these places (None: everywhere) whose last day is `until` or earlier, the latest first missed."""
        where = self._pressing(until, places, processes)
        if where is None:
            return []
        rows = select(Deadline, t.deadline).join(t.case_file, t.case_file.c.id == _D.case_id).where(*where)
        return self._all(Deadline, rows.order_by(_D.end_date, _D.created_at, _D.id).limit(limit))

    def count_pressing(
        self, until: dt.date, places: Collection[str] | None, processes: Collection[str] | None = None
    ) -> dict[tuple[str, str], int]:
        """{(place, process): how many}."""
        where = self._pressing(until, places, processes)
        if where is None:
            return {}
        c = t.case_file.c
        rows = sa.select(c.place, c.process, sa.func.count()).select_from(t.deadline).join(t.case_file, c.id == _D.case_id)
        return {(str(p), str(q)): int(n) for p, q, n in self._run(rows.where(*where).group_by(c.place, c.process))}

    @staticmethod
    def _pressing(
        until: dt.date, places: Collection[str] | None, processes: Collection[str] | None
    ) -> list[sa.ColumnElement[bool]] | None:
        where = [_D.status == "open", _D.end_date <= until]
        for column, values in ((t.case_file.c.place, places), (t.case_file.c.process, processes)):
            if values is not None:
                if not values:
                    return None
                where.append(within(column, values))
        return where

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

    def revive(self, case_id: str, state: str, since: dt.datetime, but: str = "") -> int:
        """A step out of a state was taken back: what it met is open again, reminded of or not as it was; all `but` those of
        one name, which were met before it."""
        where = (_D.case_id == case_id, _D.state == state, _D.status == "met", _D.created_at >= since, _D.name != but)
        return self._run(sa.update(t.deadline).where(*where).values(status="open")).rowcount

    def cancel(self, case_id: str, since: dt.datetime | None = None) -> int:
        """Everything open of a case, or what was opened since, without being met."""
        where = [_D.case_id == case_id, _D.status.in_(("open", "paused"))]
        where += [_D.created_at >= since] if since is not None else []
        return self._run(sa.update(t.deadline).where(*where).values(status="cancelled")).rowcount
    def rewrite(self, deadline_id: str, history: list[dict[str, Any]], next_on: dt.date | None) -> None:
        """A reminder or a level of supervision was given; when the next one is. Under the case's lock."""
        self._run(sa.update(t.deadline).where(_D.id == deadline_id).values(history=history, next_on=next_on))

    def wait_until(self, deadline_id: str, next_on: dt.date | None) -> None:
        """No alarm to give before that day."""
        self._run(sa.update(t.deadline).where(_D.id == deadline_id).values(next_on=next_on))

    def untouched(self, rows: Collection[Deadline], calendar_version: int) -> None:
        """A newer calendar says the same about every day of these counts; what was moved meanwhile keeps its own version."""
        by_end: dict[dt.date, list[str]] = {}
        for row in rows:
            by_end.setdefault(row.end_date, []).append(row.id)
        for end, ids in by_end.items():
            where = (_D.id.in_(ids), _D.end_date == end, _D.status == "open", _D.calendar_version < calendar_version)
            self._run(sa.update(t.deadline).where(*where).values(calendar_version=calendar_version))

    def recounted(self, row: Deadline, provisional: bool, record: Any, calendar_version: int) -> None:
        """Counted again with the same last day; nothing when somebody else has touched it meanwhile."""
        where = (_D.id == row.id, _D.status == "open", _D.calendar_version == row.calendar_version, _D.end_date == row.end_date)
        values = {"provisional": provisional, "record": record, "calendar_version": calendar_version}
        self._run(sa.update(t.deadline).where(*where).values(values))

    def move(
        self, deadline_id: str, end_date: dt.date, provisional: bool, record: Any, calendar_version: int, *, why: str = "",
        seq: int = 0, next_on: dt.date | None = dt.date.min,
    ) -> None:  # fmt: skip
        """A new last day, after a fact changed, a calendar year was published or a pause ended. `why` (facts calendar pause)
        and the event `seq` stand in its history. Without `next_on` the next sweep looks when to remind."""
        old = self.get(deadline_id)
        history = old.log if old is not None else []
        if old is not None and old.end_date != end_date:
            at = {"k": "moved", "at": self.tx.at.isoformat(), "from": old.end_date.isoformat(), "to": end_date.isoformat()}
            history = [*history, {**at, "why": why, "version": calendar_version, "seq": seq}]
        values = {
            "end_date": end_date, "provisional": provisional, "record": record,
            "calendar_version": calendar_version, "next_on": next_on, "history": history,
            # a later last day is to be reminded of anew
            "fired_at": sa.case((_D.end_date < end_date, sa.null()), else_=_D.fired_at),
        }  # fmt: skip
        if isinstance(record, dict) and "start" in record:  # a fact may have moved where it begins
            values["start"] = dt.date.fromisoformat(record["start"])
        self._run(sa.update(t.deadline).where(_D.id == deadline_id).values(values))

    def relabel(self, deadline_id: str, state: str, then: str) -> None:
        """The state of the deadline has another name by now, or another step fires by itself at its end."""
        self._run(sa.update(t.deadline).where(_D.id == deadline_id).values(state=state, then=then))

    def put_back(self, was: Mapping[str, Any]) -> None:
        """A row as `plain_row` wrote it down earlier."""
        row = revived(t.deadline, was)
        self._run(sa.update(t.deadline).where(_D.id == row.pop("id")).values(row))

    def next_of(self, case_id: str) -> dt.date | None:
        """The earliest open last day: what `due_on` of the case should say."""
        return min((row[0] for row in _NEXT.rows(self.tx, {"b_case": case_id})), default=None)
