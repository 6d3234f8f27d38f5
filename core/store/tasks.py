"""Tasks as the inbox reads them: a copy of what the events say of the open ones, kept with every act."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

import sqlalchemy as sa

from siquan.core.store import tables as t
from siquan.core.store.prepared import Prepared
from siquan.core.store.repository import Repository, chunks, select
from siquan.core.store.rows import Task
from siquan.core.tasks.task import Task as Open

_T = t.task.c
_CLOSE = Prepared(
    sa.update(t.task).where(_T.case_id == sa.bindparam("b_case"), _T.closed_at.is_(None)),
    ["closed_at", "closed_by"],
)
_OF = Prepared(select(Task, t.task).where(_T.case_id == sa.bindparam("b_case")).order_by(_T.opened_at, _T.id))
_OPEN = Prepared(
    select(Task, t.task).where(_T.case_id == sa.bindparam("b_case"), _T.closed_at.is_(None)).order_by(_T.opened_at, _T.id)
)


class Tasks(Repository):
    def open(self, case_id: str, state: str, task: Open, turn: bool = True) -> Task:
        claimed = self.tx.at if task.claimed else None
        row = Task(
            self.tx.new_id(), case_id, state, self.tx.at, None, task.person or None, claimed, None, task.key, task.kind, task.role, turn
        )
        self._insert(t.task, row)
        return row

    def _open(self, case_id: str) -> list[Task]:
        return self._found(Task, _OPEN, {"b_case": case_id})

    def close(self, case_id: str, by: str) -> int:
        """Close the open tasks of a case; returns how many."""
        return _CLOSE.run(self.tx, {"b_case": case_id, "closed_at": self.tx.at, "closed_by": by})

    def follow(self, case_id: str, state: str, tasks: Mapping[str, Open], turns: Collection[str], by: str) -> list[Task]:
        """Make the open rows say what the open tasks say; those of `turns` can be done now. Returns the rows that are new,
        or came to somebody, or to their turn."""
        have = {row.task_key: row for row in self._open(case_id)}
        if len(have) == 1 and len(tasks) == 1 and "" in have:
            have = {next(iter(tasks)): have[""]}  # a row from before tasks had keys
        wanted = {key: task for key, task in tasks.items() if task.open}
        gone = [row.id for key, row in have.items() if key not in wanted]
        if len(gone) == len(have):
            self.close(case_id, by)
        elif gone:
            self._run(sa.update(t.task).where(_T.id.in_(gone)).values(closed_at=self.tx.at, closed_by=by))
        news = []
        for key, task in wanted.items():
            row, turn = have.get(key), key in turns
            if row is None:
                news.append(self.open(case_id, state, task, turn))
                continue
            person = task.person or None
            if (row.state, row.task_key, row.assignee, row.claimed_at is not None, row.turn) != (state, key, person, task.claimed, turn):
                claimed = (row.claimed_at or self.tx.at) if task.claimed else None
                values = {"state": state, "task_key": key, "assignee": person, "claimed_at": claimed, "turn": turn, "role": task.role}
                self._run(sa.update(t.task).where(_T.id == row.id).values(values))
                if (row.assignee, row.turn) != (person, turn):
                    news.append(Task(row.id, case_id, state, row.opened_at, None, person, claimed, None, key, task.kind, task.role, turn))
        return news

    def of(self, case_id: str, only_open: bool = False) -> list[Task]:
        return self._open(case_id) if only_open else self._found(Task, _OF, {"b_case": case_id})

    def open_of(self, case_ids: Collection[str]) -> dict[str, list[Task]]:
        """{case: its open tasks} where there are any."""
        out: dict[str, list[Task]] = {}
        for part in chunks(case_ids):
            rows = select(Task, t.task).where(_T.case_id.in_(part), _T.closed_at.is_(None))
            for row in self._all(Task, rows.order_by(_T.opened_at, _T.id)):
                out.setdefault(row.case_id, []).append(row)
        return out

    def with_leavers(self, day: dt.date, limit: int = 1000) -> list[tuple[str, str]]:
        """(case, person) of open tasks that are with somebody who is not in service on the day."""
        p = t.person.c
        gone = sa.or_(p.active == sa.false(), p.leaving_on < day)
        found = sa.select(_T.case_id, p.name).join(t.person, p.id == _T.assignee).where(_T.closed_at.is_(None), gone)
        return [(str(c), str(n)) for c, n in self._run(found.order_by(_T.case_id).limit(limit))]

    def with_person(self, person: str) -> list[Task]:
        """Open tasks that are with a person."""
        where = (_T.assignee == person, _T.closed_at.is_(None))
        return self._all(Task, select(Task, t.task).where(*where).order_by(_T.opened_at, _T.id))
