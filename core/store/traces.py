"""What the rows say of a page of cases, read at one go: tasks, deadlines, facts by commitment, children, decisions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from siquan.core.store import tables as t
from siquan.core.store.facts import OPINION, TITLE
from siquan.core.store.repository import select
from siquan.core.store.rows import StoredDecision

if TYPE_CHECKING:
    from siquan.core.store.transaction import Tx


class DueTrace(NamedTuple):
    state: str
    name: str
    end_date: dt.date
    status: str
    fired_at: dt.datetime | None
    created_at: dt.datetime


class TaskTrace(NamedTuple):
    state: str
    key: str
    kind: str
    person: str


class Traces:
    """For at most a few hundred ids. `facts` are the current commitments by path, `titles` (commitment, title or None when
    it was erased)."""

    def __init__(self, tx: Tx, ids: Sequence[str]) -> None:
        self.tasks: dict[str, list[TaskTrace]] = {}
        self.deadlines: dict[str, list[DueTrace]] = {}
        self.facts: dict[str, dict[str, str]] = {}
        self.titles: dict[str, tuple[str, str | None]] = {}
        self.children: dict[str, set[str]] = {}
        self.merged: dict[str, list[str]] = {}  # what a case was merged into
        self.decisions: dict[str, list[StoredDecision]] = {}
        conn = tx.conn
        c = t.task.c
        rows = sa.select(c.case_id, c.state, c.task_key, c.kind, c.assignee).where(c.case_id.in_(ids), c.closed_at.is_(None))
        for case, state, key, kind, person in conn.execute(rows):
            self.tasks.setdefault(case, []).append(TaskTrace(state, key, kind, person or ""))
        d = t.deadline.c
        columns = (d.case_id, d.state, d.name, d.end_date, d.status, d.fired_at, d.created_at)
        for case, *row in conn.execute(sa.select(*columns).where(d.case_id.in_(ids))):
            self.deadlines.setdefault(case, []).append(DueTrace(*row))
        f = t.fact_value.c
        current = sa.select(f.case_id, f.path, f.commitment).where(f.case_id.in_(ids), f.is_current == sa.true())
        for case, path, commitment in conn.execute(current):
            if path not in (OPINION, TITLE):
                self.facts.setdefault(case, {})[path] = commitment
        titles = sa.select(f.case_id, f.commitment, f.value, f.erased_at).where(f.case_id.in_(ids), f.path == TITLE)
        for case, commitment, value, erased in conn.execute(titles):
            self.titles[case] = (commitment, None if erased is not None else value)
        k = t.case_file.c
        for child, parent in conn.execute(sa.select(k.id, k.parent_id).where(k.parent_id.in_(ids))):
            self.children.setdefault(parent, set()).add(child)
        m = t.case_link.c
        ties = sa.select(m.case_id, m.other_id).where(m.case_id.in_(ids), m.kind == "merged", m.ended_at.is_(None))
        for source, target in conn.execute(ties):
            self.merged.setdefault(source, []).append(target)
        r = t.decision.c
        for found in conn.execute(select(StoredDecision, t.decision).where(r.case_id.in_(ids)).order_by(r.at, r.id)):
            decided = StoredDecision(*found)
            self.decisions.setdefault(decided.case_id or "", []).append(decided)
