"""What deciding again needs of each decision, in rows an impact run can stream."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from siquan.core.rules.decide import RuleSet
from siquan.core.store import tables as t
from siquan.core.store.layout import Kept, Layout, every_list, keep, layout_for
from siquan.core.store.prepared import Prepared
from siquan.core.store.repository import Repository, chunks, select, within
from siquan.core.store.rows import FactValue, InputRow, StoredDecision

_I, _D, _F = t.decision_input.c, t.decision.c, t.fact_value.c
_COLUMNS = [c.key for c in t.decision_input.c if c.key != "n"]
_ADD = Prepared(sa.insert(t.decision_input), _COLUMNS)
_STREAM = (_I.n, _I.layout, _I.on_date, _I.place, _I.outcome, _I.value, _I.results, _I.inputs)
_WHOSE = (_I.n, _I.decision_id, _I.case_id, _I.event_seq, _I.refused, _I.on_date, _I.place)
#: layouts seen committed, per database: most acts then need not ask
_SEEN: weakref.WeakKeyDictionary[sa.Engine, set[str]] = weakref.WeakKeyDictionary()
#: records cut down in one statement of catching up; a record is some 16 KB
_BATCH = 200


class Inputs(Repository):
    def keep(self, row: StoredDecision, layout: Layout) -> None:
        """Keep what deciding `row` again needs, and its layout when it is new."""
        self._layout(layout)
        _ADD.run(self.tx, _values(row, keep(layout, row.record)))

    def _layout(self, layout: Layout) -> None:
        seen = _SEEN.setdefault(self.tx.conn.engine, set())
        if layout.digest in seen or layout.digest in self.tx.layouts:
            return
        if self.tx.definitions.put(layout.digest, "layout", layout.ruleset, layout.document):
            self.tx.layouts.add(layout.digest)  # it may yet be rolled back
        else:
            seen.add(layout.digest)

    def layout(self, digest: str) -> Layout:
        """Raises NotFound."""
        return Layout.read(self.tx.definitions.get(digest).document)

    def behind(self, ruleset: str) -> bool:
        """Whether decisions of a rule set were recorded before their inputs were kept beside them."""
        counts = [sa.select(sa.func.count()).select_from(x).where(x.c.ruleset == ruleset) for x in (t.decision, t.decision_input)]
        return self._count(counts[0]) != self._count(counts[1])

    def catch_up(self, ruleset: RuleSet, after: str = "") -> str:
        """Cut some more such decisions down, in the order of their ids; returns the last one done, "" at the end."""
        there = sa.select(_I.decision_id).where(_I.decision_id == _D.id).exists()
        where = (_D.ruleset == ruleset.id, _D.id > after, ~there)
        rows = self._all(StoredDecision, select(StoredDecision, t.decision).where(*where).order_by(_D.id).limit(_BATCH))
        for row in rows:
            if row.record is None:
                _ADD.run(self.tx, _values(row, None))
            else:
                self.keep(row, layout_for(ruleset, row.record))
        return rows[-1].id if len(rows) == _BATCH else ""

    def erase(self, case_id: str) -> None:
        """Forget what the decisions of a case stood on and what any run said of them; that they were taken stays."""
        gone = {"value": "null", "results": "", "inputs": sa.null(), "lists": sa.null(), "ages": sa.null()}
        self._run(sa.update(t.decision_input).where(_I.case_id == case_id).values(gone))
        self._run(sa.update(t.impact_flip).where(t.impact_flip.c.case_id == case_id).values(why={}))

    # streaming

    def count(self, ruleset: str, upto: int) -> int:
        return self._count(sa.select(sa.func.count()).select_from(t.decision_input).where(_I.ruleset == ruleset, _I.n <= upto))

    def last(self, ruleset: str) -> int:
        """The newest row of a rule set; 0 when it has none."""
        return int(self.tx.conn.execute(sa.select(sa.func.max(_I.n)).where(_I.ruleset == ruleset)).scalar() or 0)

    def edges(self, ruleset: str, after: int, upto: int, size: int) -> Iterator[tuple[int, int]]:
        """(after, upto) of runs of at most `size` rows each, by hops over the index."""
        while after < upto:
            where = (_I.ruleset == ruleset, _I.n > after, _I.n <= upto)
            hop = self.tx.conn.execute(sa.select(_I.n).where(*where).order_by(_I.n).offset(size - 1).limit(1)).scalar()
            yield after, (edge := int(hop or upto))
            after = edge

    def page(self, ruleset: str, after: int, upto: int) -> list[Any]:
        """Rows (n, layout, day, place, outcome, value, results, inputs) as the driver gives them, texts all but n: making row
        objects of a million of them would take as long as deciding them."""
        where = (_I.ruleset == ruleset, _I.n > after, _I.n <= upto)
        found: Any = self._run(sa.select(*_STREAM).where(*where).order_by(_I.n))
        rows: list[Any] = found.cursor.fetchall()
        return rows

    def more(self, numbers: Iterable[int]) -> dict[int, tuple[str | None, str | None]]:
        """n -> (lists, ages)."""
        out: dict[int, tuple[str | None, str | None]] = {}
        for part in chunks(numbers):
            rows = self.tx.conn.execute(sa.select(_I.n, _I.lists, _I.ages).where(_I.n.in_(part)))
            out.update({n: (lists, ages) for n, lists, ages in rows})
        return out

    def lists(self, layouts: Mapping[int, Layout]) -> dict[int, list[Any]]:
        """n -> every list its record holds, for rows of these layouts: whole records are read, so ask only for what is not
        kept."""
        out: dict[int, list[Any]] = {}
        for part in chunks(layouts, _BATCH):
            joined = sa.select(_I.n, _D.record).join_from(t.decision_input, t.decision, _I.decision_id == _D.id)
            for n, record in self.tx.conn.execute(joined.where(_I.n.in_(part), _D.record.is_not(None))):
                out[n] = every_list(layouts[n], record)
        return out

    def stated(self, cases: Iterable[str], paths: Collection[str]) -> dict[str, list[FactValue]]:
        """case -> everything ever stated of these paths, oldest first, erased values too."""
        out: dict[str, list[FactValue]] = {}
        for part in chunks(cases):
            where = (_F.case_id.in_(part), within(_F.path, paths))
            for fact in self._all(FactValue, select(FactValue, t.fact_value).where(*where).order_by(_F.seq)):
                out.setdefault(fact.case_id, []).append(fact)
        return out

    def whose(self, numbers: Iterable[int]) -> dict[int, InputRow]:
        """n -> which decision it is, of which case and event."""
        out: dict[int, InputRow] = {}
        for part in chunks(numbers):
            found: Any = self._run(sa.select(*_WHOSE).where(_I.n.in_(part)))
            out.update({row[0]: InputRow._make(row) for row in found.cursor.fetchall()})
        return out


def _values(row: StoredDecision, kept: Kept | None) -> dict[str, Any]:
    own = kept or Kept("", "null", "", None, None, None)
    return {
        "decision_id": row.id, "case_id": row.case_id, "event_seq": row.event_seq, "refused": row.refused, "ruleset": row.ruleset,
        "on_date": row.on_date, "place": row.place, "layout": own.layout, "outcome": row.outcome, "value": own.value,
        "results": own.results, "inputs": own.inputs, "lists": own.lists, "ages": own.ages,
    }  # fmt: skip
