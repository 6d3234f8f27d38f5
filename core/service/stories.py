"""What the events of a case say, remembered between acts: the 300th act reads one event, not three hundred."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from siquan.core.engine.fold import Story, fold
from siquan.core.store.rows import Case
from siquan.core.store.transaction import Tx

#: cases remembered; the one not asked for longest is forgotten
MOST = 2000


@dataclass(frozen=True)
class _Kept:
    seq: int
    hash: str
    story: Story


class Stories:
    """Safe to share: what is kept is never changed, and counts only while the hash chain goes on from it. So an act
    that was rolled back, or a database put back from a copy, is noticed and everything is read again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def of(self, tx: Tx, case: Case) -> Story:
        """The story up to now, uncommitted events of this transaction included. Read only."""
        with self._lock:
            kept = self._kept.get(case.id)
        events = tx.events.of(case.id, kept.seq if kept else 0)
        if kept is not None:
            # the row does not know yet of what this transaction wrote
            newest = tx.heads[case.id][1] if case.id in tx.heads else case.last_hash
            if (events[0].prev_hash if events else newest) != kept.hash:
                kept, events = None, tx.events.of(case.id)
            elif not events:
                return kept.story
        story = fold(events, kept.story if kept else None)
        if events:
            with self._lock:
                self._kept[case.id] = _Kept(events[-1].seq, events[-1].hash, story)
                self._kept.move_to_end(case.id)
                while len(self._kept) > MOST:
                    self._kept.popitem(last=False)
        return story
