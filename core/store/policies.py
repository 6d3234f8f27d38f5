"""The versions of rule sets and the chain of what happened to them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from siquan.core.errors import NotFound, Stale
from siquan.core.store import chain
from siquan.core.store import tables as t
from siquan.core.store.canonical import canonical, instant
from siquan.core.store.repository import Repository, select, storable
from siquan.core.store.rows import RuleEvent, RuleVersion

_V, _E = t.rule_version.c, t.rule_event.c
#: bumped whenever what is in force may have changed; readers compare it with what they have in hand
SCOPE = "policy"
OPEN = ("draft", "review", "approved")


class Policies(Repository):
    def revision(self) -> int:
        """A number that grows with every publication and withdrawal; 0 while nothing was published."""
        return self.tx.counters.current(SCOPE)

    def add(
        self, *, ruleset: str, plugin: str, content: str, hash: str, author: str, base: RuleVersion | None, base_hash: str,
        baseline: str, origin: str = "draft", reason: str = "",
    ) -> RuleVersion:  # fmt: skip
        """A new draft with the next number of its rule set."""
        number = self.tx.counters.next(f"rules/{ruleset}")
        row = RuleVersion(
            self.tx.new_id(), ruleset, plugin, number, "draft", base.id if base else None, base_hash, baseline, origin, content, hash,
            author, self.tx.at, self.tx.at, 1, None, None, None, None, reason, None,
        )  # fmt: skip
        self._insert(t.rule_version, row)
        return row

    def get(self, version_id: str) -> RuleVersion:
        """Raises NotFound."""
        found = select(RuleVersion, t.rule_version).where(_V.id == version_id)
        row = self._one(RuleVersion, found) if storable(version_id) else None
        if row is None:
            raise NotFound(kind="规则版本", name=version_id)
        return row

    def lock(self, version_id: str) -> RuleVersion:
        """The version with its row held until the end of the transaction (SQLite holds the whole database)."""
        self._run(sa.update(t.rule_version).where(_V.id == version_id).values(revision=_V.revision))
        return self.get(version_id)

    def change(self, row: RuleVersion, **values: Any) -> RuleVersion:
        """Write a version one revision on. Raises Stale when somebody else did meanwhile."""
        values |= {"revision": row.revision + 1, "updated_at": self.tx.at}
        done = self._run(sa.update(t.rule_version).where(_V.id == row.id, _V.revision == row.revision).values(values))
        if done.rowcount != 1:
            raise Stale(seen=row.revision, now=self.get(row.id).revision)
        return replace(row, **values)

    def of(self, ruleset: str, statuses: Collection[str] = ()) -> list[RuleVersion]:
        """Versions of one rule set, newest first."""
        where = [_V.ruleset == ruleset, *([_V.status.in_(sorted(statuses))] if statuses else [])]
        return self._all(RuleVersion, select(RuleVersion, t.rule_version).where(*where).order_by(_V.number.desc()))

    def with_status(self, statuses: Collection[str]) -> list[RuleVersion]:
        """Versions of every rule set in these states, by rule set and number."""
        found = select(RuleVersion, t.rule_version).where(_V.status.in_(sorted(statuses)))
        return self._all(RuleVersion, found.order_by(_V.ruleset, _V.number))

    def changed_force(self) -> int:
        """Say that what is in force may have changed; the new revision."""
        return self.tx.counters.next(SCOPE)

    # the chain

    def append(self, ruleset: str, version_id: str, actor: str, kind: str, data: Any) -> RuleEvent:
        """The next link of a rule set's chain; its number is allotted in this transaction."""
        seq = self.tx.counters.next(f"rules chain/{ruleset}")  # others wait here until this transaction ends
        last = self._one(RuleEvent, select(RuleEvent, t.rule_event).where(_E.ruleset == ruleset).order_by(_E.seq.desc()).limit(1))
        prev = last.hash if last else chain.GENESIS
        text = canonical(data)
        digest = event_hash(chain.ALGO, ruleset, seq, version_id, instant(self.tx.at), actor, kind, text, prev)
        row = RuleEvent(ruleset, seq, version_id, self.tx.at, actor, kind, data, prev, digest, chain.ALGO)
        self._insert(t.rule_event, row)
        return row

    def events(self, ruleset: str, version_id: str = "") -> list[RuleEvent]:
        """Oldest first; of one version or of all."""
        where = [_E.ruleset == ruleset, *([_E.version_id == version_id] if version_id else [])]
        return self._all(RuleEvent, select(RuleEvent, t.rule_event).where(*where).order_by(_E.seq))

    def events_of(self, versions: Collection[str]) -> dict[str, list[RuleEvent]]:
        """The same by version, for a page that lists several."""
        out: dict[str, list[RuleEvent]] = {v: [] for v in versions}
        found = select(RuleEvent, t.rule_event).where(_E.version_id.in_(sorted(versions))).order_by(_E.ruleset, _E.seq)
        for row in self._all(RuleEvent, found) if versions else ():
            out[row.version_id].append(row)
        return out


def event_hash(
    algo: str, ruleset: str, seq: int, version_id: str, at: str, actor: str, kind: str, data: str, prev_hash: str
) -> str:
    """As for cases: the stored texts themselves are hashed, the algorithm's name with them."""
    return chain.digest(canonical([algo, "rules", ruleset, seq, version_id, at, actor, kind, data, prev_hash]), algo)


def day_lines(conn: sa.Connection, low: str, high: str) -> list[str]:
    """`rules:<rule set>:seq:hash` of each chain's last link between two instants, for the daily root."""
    raw = sa.type_coerce(_E.at, sa.Text)
    last: dict[str, tuple[int, str]] = {}
    for ruleset, seq, digest in conn.execute(sa.select(_E.ruleset, _E.seq, _E.hash).where(raw >= low, raw < high)):
        if ruleset not in last or last[ruleset][0] < seq:
            last[ruleset] = (seq, digest)
    return [f"rules:{ruleset}:{seq}:{digest}" for ruleset, (seq, digest) in last.items()]


__all__ = ["OPEN", "Policies", "day_lines", "event_hash"]
