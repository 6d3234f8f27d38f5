"""Tasks: a state of a case waiting for a person, and who took it."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from siquan.core.store import tables as t
from siquan.core.store.prepared import Prepared
from siquan.core.store.repository import Repository, chunks, select
from siquan.core.store.rows import Task

_T = t.task.c
_CLOSE = Prepared(
    sa.update(t.task).where(_T.case_id == sa.bindparam("b_case"), _T.closed_at.is_(None)),
    ["closed_at", "closed_by"],
)
_OF = Prepared(select(Task, t.task).where(_T.case_id == sa.bindparam("b_case")).order_by(_T.opened_at, _T.id))


class Tasks(Repository):
    def open(self, case_id: str, state: str) -> Task:
        row = Task(self.tx.new_id(), case_id, state, self.tx.at, None, None, None, None)
        self._insert(t.task, row)
        return row

    def close(self, case_id: str, by: str) -> int:
        """Close the open tasks of a case; returns how many."""
        return _CLOSE.run(self.tx, {"b_case": case_id, "closed_at": self.tx.at, "closed_by": by})

    def relabel(self, case_id: str, old: str, new: str) -> int:
        """The state has another name by now: whoever has the open task keeps it. Returns how many."""
        where = (_T.case_id == case_id, _T.state == old, _T.closed_at.is_(None))
        return self._run(sa.update(t.task).where(*where).values(state=new)).rowcount

    def claim(self, task_id: str, person: str) -> bool:
        """Take an open task; False when somebody else has it."""
        mine = sa.or_(_T.claimed_by.is_(None), _T.claimed_by == person)
        where = (_T.id == task_id, _T.closed_at.is_(None), mine)
        values = {"claimed_by": person, "claimed_at": self.tx.at}
        return bool(self._run(sa.update(t.task).where(*where).values(values)).rowcount)

    def release(self, task_id: str) -> None:
        values = {"claimed_by": None, "claimed_at": None}
        self._run(sa.update(t.task).where(_T.id == task_id, _T.closed_at.is_(None)).values(values))

    def of(self, case_id: str, only_open: bool = False) -> list[Task]:
        found = self._found(Task, _OF, {"b_case": case_id})
        return [task for task in found if task.closed_at is None] if only_open else found

    def open_of(self, case_ids: Collection[str]) -> dict[str, Task]:
        """{case: its open task} where there is one."""
        out: dict[str, Task] = {}
        for part in chunks(case_ids):
            rows = select(Task, t.task).where(_T.case_id.in_(part), _T.closed_at.is_(None))
            out |= {row.case_id: row for row in self._all(Task, rows.order_by(_T.opened_at, _T.id))}
        return out

    def claimed_by(self, person: str) -> list[Task]:
        where = (_T.claimed_by == person, _T.closed_at.is_(None))
        return self._all(Task, select(Task, t.task).where(*where).order_by(_T.opened_at, _T.id))
