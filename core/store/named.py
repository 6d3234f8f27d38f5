"""Persons whom facts of a case name: an index for finding cases, written with the facts. Who may act is read from the facts."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from siquan.core.store import tables as t
from siquan.core.store.repository import Repository, chunks, insert, select
from siquan.core.store.rows import Case

_N, _C = t.case_person.c, t.case_file.c


class Named(Repository):
    def put(self, case_id: str, path: str, person: str) -> None:
        """The person whom the fact names now; "" for nobody."""
        self._run(sa.delete(t.case_person).where(_N.case_id == case_id, _N.path == path))
        if person:
            insert(t.case_person).run(self.tx, {"case_id": case_id, "path": path, "person_id": person})

    def open_cases(self, persons: Collection[str], limit: int = 500) -> list[tuple[Case, str, str]]:
        """(case, path, person) of open cases that name one of the persons, the most urgent first."""
        out: list[tuple[Case, str, str]] = []
        for part in chunks(sorted(persons)):
            rows = (
                select(Case, t.case_file)
                .add_columns(_N.path, _N.person_id)
                .join(t.case_person, _N.case_id == _C.id)
                .where(_N.person_id.in_(part), _C.is_open == sa.true())
            )
            found = self._run(rows.order_by(_C.due_on, _C.id).limit(limit))
            out += [(Case(*row[:-2]), str(row[-2]), str(row[-1])) for row in found]
        return out

    def started(self, persons: Collection[str], limit: int = 500) -> list[Case]:
        """Open cases that one of the persons opened, the most urgent first."""
        out: list[Case] = []
        for part in chunks(sorted(persons)):
            rows = select(Case, t.case_file).where(_C.opened_by.in_(part), _C.is_open == sa.true())
            out += self._all(Case, rows.order_by(_C.due_on, _C.id).limit(limit))
        return out
