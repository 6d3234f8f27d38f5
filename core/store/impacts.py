"""Runs of a draft over the recorded decisions: how far they came, what they counted, and who flips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from siquan.core.errors import NotFound, SiquanError
from siquan.core.store import tables as t
from siquan.core.store.repository import Repository, select, storable
from siquan.core.store.rows import ImpactFlip, ImpactRun, NewFlip

_R, _F = t.impact_run.c, t.impact_flip.c
#: the same table, its columns without the types that would convert every value
_PLAIN = sa.table("impact_flip", *(sa.column(c.name) for c in t.impact_flip.c))
#: the longest label of an outcome that stands in a column; what is longer is cut
LABEL = 200


class ImpactMoved(SiquanError):
    """another process goes on with the impact run `{run}`"""

    code = "SQ170"
    zh = "影响测算 `{run}` 已由另一个进程接着做"
    help_en = "look at the run again in a moment"
    help_zh = "稍后再看这次测算"
    http = 409


class Want(NamedTuple):
    """Which flips: of these labels before and after, by this rule, at this place, of this kind; empty is any."""

    before: str = ""
    after: str = ""
    rule: str = ""
    place: str = ""
    kind: str = ""

    @property
    def storable(self) -> bool:
        return all(storable(text) for text in self)

    def where(self) -> list[sa.ColumnElement[bool]]:
        pairs = ((_F.before_label, self.before), (_F.after_label, self.after), (_F.place, self.place), (_F.kind, self.kind))
        where = [column == text for column, text in pairs if text]
        if self.rule:
            # a rule is a key of the stored JSON, whose texts stand in it as they are
            where.append(sa.type_coerce(_F.why, sa.Text).contains(f'"{self.rule}":', autoescape=True))
        return where


class Impacts(Repository):
    def begin(
        self, *, version: str, content_hash: str, ruleset: str, by: str, last_n: int, counts: dict[str, Any], id: str = ""
    ) -> ImpactRun:
        """A new run over what is on record up to row `last_n`."""
        at = self.tx.at
        row = ImpactRun(id or self.tx.new_id(), version, content_hash, ruleset, by, "running", 0, last_n, "", counts, at, at, None)
        self._insert(t.impact_run, row)
        return row

    def get(self, run_id: str) -> ImpactRun:
        """Raises NotFound."""
        row = self.find(run_id)
        if row is None:
            raise NotFound(kind="影响测算", name=run_id)
        return row

    def find(self, run_id: str) -> ImpactRun | None:
        return self._one(ImpactRun, select(ImpactRun, t.impact_run).where(_R.id == run_id)) if storable(run_id) else None

    def of(self, version: str) -> list[ImpactRun]:
        """Every run of a version, newest first."""
        where = select(ImpactRun, t.impact_run).where(_R.version == version)
        return self._all(ImpactRun, where.order_by(_R.started_at.desc(), _R.id)) if storable(version) else []

    def unfinished(self, version: str, content_hash: str) -> ImpactRun | None:
        """The run of this very content that was broken off or stopped, to be continued."""
        return next((r for r in self.of(version) if r.content_hash == content_hash and r.status != "done"), None)

    def advance(self, run: ImpactRun, **values: Any) -> ImpactRun:
        """Write how far a run came. Raises ImpactMoved unless it stands where `run` says: then nothing is counted twice."""
        values |= {"updated_at": self.tx.at}
        where = (_R.id == run.id, _R.upto_n == run.upto_n, _R.upto_case == run.upto_case)
        if self._run(sa.update(t.impact_run).where(*where).values(values)).rowcount != 1:
            raise ImpactMoved(run=run.id)
        return self.get(run.id)

    def stop(self, run_id: str, status: str) -> None:
        """Mark a run that is not done as cancelled or running."""
        self._run(sa.update(t.impact_run).where(_R.id == run_id, _R.status != "done").values(status=status, updated_at=self.tx.at))

    # flips

    def add_flips(self, run_id: str, first: int, flips: Sequence[NewFlip]) -> None:
        """Numbered from `first`."""
        self._run(sa.insert(_PLAIN), [{"run_id": run_id, "seq": n, **f._asdict()} for n, f in enumerate(flips, first)])

    def count(self, run_id: str, want: Want) -> int:
        if not want.storable:
            return 0
        return self._count(sa.select(sa.func.count()).select_from(t.impact_flip).where(_F.run_id == run_id, *want.where()))

    def flips(self, run_id: str, want: Want, offset: int, limit: int) -> list[ImpactFlip]:
        """Flips in the order they were found."""
        if not want.storable:
            return []
        query = select(ImpactFlip, t.impact_flip).where(_F.run_id == run_id, *want.where()).order_by(_F.seq)
        return self._all(ImpactFlip, query.offset(offset).limit(limit))

    def each(self, run_id: str, size: int = 1000) -> Iterator[ImpactFlip]:
        """All flips of a run, streamed."""
        after = 0
        while True:
            where = (_F.run_id == run_id, _F.seq > after)
            page = self._all(ImpactFlip, select(ImpactFlip, t.impact_flip).where(*where).order_by(_F.seq).limit(size))
            yield from page
            if len(page) < size:
                return
            after = page[-1].seq
