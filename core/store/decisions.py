"""Recorded decisions, of acts and of refusals. The record can be erased; its commitment stands in the
event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from siquan.core.errors import NotFound
from siquan.core.store import chain
from siquan.core.store import tables as t
from siquan.core.store.canonical import canonical
from siquan.core.store.layout import Layout
from siquan.core.store.repository import Repository, select, storable
from siquan.core.store.rows import StoredDecision

_D = t.decision.c


class Decisions(Repository):
    def add(
        self,
        *,
        ruleset: str,
        version: str,
        hash: str,
        on_date: dt.date,
        outcome: str,
        record: Any,
        actor: str,
        case_id: str | None = None,
        event_seq: int | None = None,
        transition: str = "",
        place: str = "",
        refused: bool = False,
        children_revision: int = 0,
        layout: Layout | None = None,
    ) -> StoredDecision:
        """Store a decision; `record` is JSON (facts, findings, parameters used). Put `reference(row)` into
        the event. With a `layout` what deciding again needs is kept beside it, at once instead of by the next
        impact run."""
        salt = self.tx.new_salt()
        # the audit reads the same columns in the same order
        columns = [
            case_id,
            transition,
            ruleset,
            version,
            hash,
            on_date.isoformat(),
            place,
            outcome,
            refused,
            actor,
        ]
        row = StoredDecision(
            self.tx.new_id(),
            case_id,
            event_seq,
            transition,
            ruleset,
            version,
            hash,
            on_date,
            place,
            outcome,
            refused,
            record,
            salt,
            chain.record_commitment(salt, canonical(record), columns),
            actor,
            self.tx.at,
            children_revision,
            None,
        )
        self._insert(t.decision, row)
        if layout is not None:
            self.tx.inputs.keep(row, layout)
        self.tx.fault("decision.after")
        return row

    @staticmethod
    def reference(row: StoredDecision) -> dict[str, str]:
        """What an event says of a decision."""
        return {"id": row.id, "commitment": row.commitment, "outcome": row.outcome}

    def get(self, decision_id: str) -> StoredDecision:
        found = select(StoredDecision, t.decision).where(_D.id == decision_id)
        row = self._one(StoredDecision, found) if storable(decision_id) else None
        if row is None:
            raise NotFound(kind="决定", name=decision_id)
        return row

    def of(self, case_id: str, refused: bool | None = None) -> list[StoredDecision]:
        """Decisions of a case, oldest first; `refused` False leaves out the refusals."""
        where = [_D.case_id == case_id]
        if refused is not None:
            where.append(_D.refused == (sa.true() if refused else sa.false()))
        return self._all(
            StoredDecision, select(StoredDecision, t.decision).where(*where).order_by(_D.at, _D.id)
        )

    def each(self, ruleset: str | None = None, since: dt.datetime | None = None) -> Iterator[StoredDecision]:
        """All decisions for a replay or an impact run, streamed in pages by id."""
        last = ""
        while True:
            where = [_D.id > last]
            if ruleset is not None:
                where.append(_D.ruleset == ruleset)
            if since is not None:
                where.append(_D.at >= since)
            page = self._all(
                StoredDecision, select(StoredDecision, t.decision).where(*where).order_by(_D.id).limit(1000)
            )
            yield from page
            if len(page) < 1000:
                return
            last = page[-1].id

    def count(self, ruleset: str | None = None) -> int:
        where = [] if ruleset is None else [_D.ruleset == ruleset]
        return self._count(sa.select(sa.func.count()).select_from(t.decision).where(*where))

    def erase(self, case_id: str) -> int:
        """Forget the records of a case for good; who decided what, when and under which rules stays."""
        self.tx.inputs.erase(case_id)
        gone = {"record": sa.null(), "salt": None, "erased_at": self.tx.at}
        return self._run(
            sa.update(t.decision).where(_D.case_id == case_id, _D.erased_at.is_(None)).values(gone)
        ).rowcount
