"""Proposals to repair a stuck case: one stands at a time, until it is carried out or another takes its place."""

from __future__ import annotations

import sqlalchemy as sa

from siquan.core.store import tables as t
from siquan.core.store.move_rows import Repair
from siquan.core.store.repository import Repository, select
from siquan.core.store.rows import Case

_R = t.repair.c


class Repairs(Repository):
    def propose(self, case: Case, to_state: str, reopen: bool, reason: str, by: str) -> Repair:
        self._run(sa.update(t.repair).where(_R.case_id == case.id, _R.status == "open").values(status="replaced"))
        row = Repair(
            self.tx.new_id(), case.id, case.state, to_state, case.revision, reopen, reason, "open", by, self.tx.at, None, None
        )
        self._insert(t.repair, row)
        return row

    def standing(self, case_id: str) -> Repair | None:
        """The proposal that waits for a second person."""
        return self._one(Repair, select(Repair, t.repair).where(_R.case_id == case_id, _R.status == "open"))

    def waiting(self, limit: int = 100) -> list[Repair]:
        """All that wait, the oldest first."""
        return self._all(Repair, select(Repair, t.repair).where(_R.status == "open").order_by(_R.proposed_at, _R.id).limit(limit))

    def carried_out(self, repair_id: str, by: str) -> bool:
        """False when it was carried out or replaced before."""
        values = {"status": "done", "confirmed_by": by, "confirmed_at": self.tx.at}
        return bool(self._run(sa.update(t.repair).where(_R.id == repair_id, _R.status == "open").values(values)).rowcount)
