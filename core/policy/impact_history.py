"""Facts a draft reads that an old decision did not record: what the case said of them when it was decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from siquan.core.policy.impact_program import Program
from siquan.core.rules.facts import FactSet, Reader, number_text, staleness
from siquan.core.rules.tree import Type
from siquan.core.rules.values import ABSENT
from siquan.core.store.layout import ABSENT_MARK, kind_of
from siquan.core.store.rows import FactValue, InputRow
from siquan.core.store.transaction import Tx


class Found(NamedTuple):
    """What the case said: `known` when there was anything to look at, `stated` when it said something of the fact; then
    `value` as kept."""

    known: bool
    stated: bool
    value: Any


NOTHING, UNSTATED = Found(False, False, None), Found(True, False, None)


class History:
    """`wants` names the facts each row of inputs looks for. Only a decision with an event knows when in its case it stands;
    facts of the parent, children, tallies and sheets are not looked up."""

    def __init__(self, tx: Tx, program: Program, wants: Mapping[int, list[str]]) -> None:
        self.program, self.schema = program, program.ruleset.schema
        self._around = {path: self._related(path) for paths in wants.values() for path in paths}
        self._whose: dict[int, InputRow] = tx.inputs.whose(wants) if any(self._around.values()) else {}
        cases = {row.case_id for row in self._whose.values() if row.case_id and row.event_seq is not None}
        paths = {p for around in self._around.values() for p in around}
        self._stated = tx.inputs.stated(sorted(cases), sorted(paths)) if paths and cases else {}

    def _related(self, path: str) -> tuple[str, ...]:
        """The fact, the records around it, and the fields of a record."""
        spec = self.schema.get(path)
        if spec is None or spec.type == "list":
            return ()
        heads = [path[:n] for n, letter in enumerate(path) if letter == "." and path[:n] in self.schema]
        below = [p for p in self.schema.specs if p.startswith(path + ".")] if spec.type == "record" else []
        return (path, *heads, *below)

    def value(self, n: int, path: str, day: dt.date, kind: Type) -> Found:
        row, around = self._whose.get(n), self._around.get(path, ())
        if row is None or row.case_id is None or row.event_seq is None or not around:
            return NOTHING
        newest: dict[str, FactValue] = {}
        for fact in self._stated.get(row.case_id, ()):
            if fact.seq <= row.event_seq and fact.path in around:
                newest[fact.path] = fact
        if any(fact.erased_at is not None for fact in newest.values()):
            return NOTHING
        places = self.program.chain(row.place)
        stated = Reader(self.schema, dt.date.max).read({p: f.envelope() for p, f in newest.items()}, check=False)
        stale = staleness(self.schema, stated, day, lambda text: self.program.number(text, day, places))
        value = FactSet(self.schema, stated, day, stale).value(path)
        return UNSTATED if value is None and path not in newest else Found(True, True, _kept(value, kind))


def _kept(value: Any, kind: Type) -> Any:
    if value is ABSENT:
        return ABSENT_MARK
    if isinstance(value, Fraction):
        return number_text(value)
    if isinstance(value, dt.date):
        return value.toordinal() if kind_of(kind) == "date" else None
    return value
