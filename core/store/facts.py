"""Fact values and opinions. They stand outside the chain, which holds a salted commitment of each: a value
can be erased and the chain stays whole. The newest value of a path is marked, so reading stays fast after
many acts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from siquan.core.errors import BadInput
from siquan.core.store import chain
from siquan.core.store import tables as t
from siquan.core.store.canonical import canonical
from siquan.core.store.prepared import Prepared
from siquan.core.store.repository import Repository, chunks, insert, select
from siquan.core.store.rows import FactValue

_F = t.fact_value.c
#: the path under which the text of an act's opinion is kept
OPINION = "~opinion"
#: the path of the title a case was opened with: it may name a person, so events hold only its commitment
TITLE = "~title"
_APART = (OPINION, TITLE)
_FIELDS = [f.name for f in fields(FactValue)]
_SUPERSEDE = Prepared(
    sa.update(t.fact_value)
    .where(
        _F.case_id == sa.bindparam("b_case"),
        _F.path == sa.bindparam("b_path"),
        _F.is_current == sa.true(),
    )
    .values(is_current=False)
)
_CURRENT = Prepared(
    select(FactValue, t.fact_value).where(_F.case_id == sa.bindparam("b_case"), _F.is_current == sa.true())
)


def as_day(value: Any) -> dt.date | None:
    """An `as_of` given as a date or ISO text."""
    if value is None or value == "":
        return None
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        raise BadInput(why=f"`{value}` is no date") from None


class Facts(Repository):
    def put(self, case_id: str, seq: int, envelopes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """Store values {path: {"value", "as_of", "source", "ref", "by", "complete"}} as stated by event `seq`
        and mark them current. Returns {path: commitment} for the event's data. A value of None states that it
        is unknown."""
        rows: list[dict[str, Any]] = []
        for path, envelope in envelopes.items():
            salt = self.tx.new_salt()
            value = envelope.get("value")
            as_of = as_day(envelope.get("as_of"))
            source, ref = str(envelope.get("source") or ""), str(envelope.get("ref") or "")
            by, complete = str(envelope.get("by") or ""), envelope.get("complete")
            commitment = chain.value_commitment(
                salt, path, canonical(value), as_of.isoformat() if as_of else None, source, ref, by, complete
            )
            row = FactValue(
                self.tx.new_id(),
                case_id,
                path,
                seq,
                value,
                as_of,
                source,
                ref,
                by,
                complete,
                salt,
                commitment,
                None,
                True,
            )
            rows.append({name: getattr(row, name) for name in _FIELDS})
        if rows:
            _SUPERSEDE.many(self.tx, [{"b_case": case_id, "b_path": row["path"]} for row in rows])
            insert(t.fact_value).many(self.tx, rows)
        return {row["path"]: row["commitment"] for row in rows}

    def put_opinion(self, case_id: str, seq: int, text: str, by: str) -> str:
        """Store an opinion; returns its commitment for the event's "opinion"."""
        return self.put(case_id, seq, {OPINION: {"value": text, "by": by}})[OPINION]

    def put_title(self, case_id: str, seq: int, title: str) -> str:
        """Store the title a case is opened with; returns its commitment for the event's "titled"."""
        return self.put(case_id, seq, {TITLE: {"value": title}})[TITLE]

    def current(self, case_id: str) -> dict[str, FactValue]:
        """{path: newest value}, opinions and erased values left out."""
        found = self._found(FactValue, _CURRENT, {"b_case": case_id})
        return {f.path: f for f in found if f.path not in _APART and f.erased_at is None}

    def current_many(self, case_ids: Iterable[str]) -> dict[str, dict[str, FactValue]]:
        """{case: {path: newest value}} with an entry for every case asked for."""
        ids = list(case_ids)
        out: dict[str, dict[str, FactValue]] = {i: {} for i in ids}
        for part in chunks(ids):
            where = (_F.case_id.in_(part), _F.is_current == sa.true(), _F.erased_at.is_(None))
            for fact in self._all(FactValue, select(FactValue, t.fact_value).where(*where)):
                if fact.path not in _APART:
                    out[fact.case_id][fact.path] = fact
        return out

    def count_open(self, process: str, path: str) -> int:
        """Open cases of a process in which the path, or a field of it, has a value."""
        c, under = t.case_file.c, _F.path.startswith(f"{path}.", autoescape=True)
        where = (c.process == process, c.is_open == sa.true(), _F.is_current == sa.true(), sa.or_(_F.path == path, under))
        joined = t.fact_value.join(t.case_file, c.id == _F.case_id)
        return self._count(sa.select(sa.func.count(sa.distinct(_F.case_id))).select_from(joined).where(*where))

    def history(self, case_id: str, path: str | None = None) -> list[FactValue]:
        """Every value ever stated, oldest first, erased ones included."""
        where = [_F.case_id == case_id] + ([_F.path == path] if path else [])
        return self._all(FactValue, select(FactValue, t.fact_value).where(*where).order_by(_F.seq, _F.path))

    def at_event(self, case_id: str, seq: int) -> list[FactValue]:
        """What one event stated, its opinion included."""
        where = (_F.case_id == case_id, _F.seq == seq)
        return self._all(FactValue, select(FactValue, t.fact_value).where(*where).order_by(_F.path))

    def opinions(self, case_id: str, since: int = 0) -> dict[int, str]:
        """{event: text} of the opinions that were not erased, from the event `since` on."""
        where = (_F.case_id == case_id, _F.path == OPINION, _F.seq >= since, _F.erased_at.is_(None))
        return {
            f.seq: str(f.value) for f in self._all(FactValue, select(FactValue, t.fact_value).where(*where))
        }

    def erase(self, case_id: str, path: str | None = None) -> int:
        """Forget every value of a path (or of the case) for good: value, reference and salt go, the
        commitment stays. Returns how many were erased. Copies in decision records go with
        `decisions.erase`."""
        where = [_F.case_id == case_id, _F.erased_at.is_(None)] + ([_F.path == path] if path else [])
        gone = {"value": sa.null(), "salt": None, "ref": "", "erased_at": self.tx.at}
        return self._run(sa.update(t.fact_value).where(*where).values(gone)).rowcount
