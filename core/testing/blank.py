"""A database in memory with its tables, made once and copied: the migrations take longer than most test cases."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

from siquan.core.store.database import Store
from siquan.core.testing.clock import FrozenClock, counter

Fill = Callable[[Store], None]
_LOCK = threading.Lock()
_KEPT: dict[Fill | None, Store] = {}


def in_memory(now: Callable[[], dt.datetime], new_id: Callable[[], str], fill: Fill | None = None) -> Store:
    """A store of its own. What `fill` writes is there too; it is called for the first one only, long before `now`."""
    made = Store("sqlite://", now, new_id, create=False)
    with _LOCK:
        if fill not in _KEPT:
            kept = Store("sqlite://", FrozenClock(dt.date(2000, 1, 1)), counter("made"))
            if fill is not None:
                fill(kept)
            _KEPT[fill] = kept
        _driver(_KEPT[fill]).backup(_driver(made))
    return made


def _driver(store: Store) -> Any:
    return store.engine.raw_connection().driver_connection
