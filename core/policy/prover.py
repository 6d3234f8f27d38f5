"""One thread that proves: the solver is not made for several, and a page need not wait for a long proof."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Waiting
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


class Prover:
    """Runs what it is given one after the other, and keeps the last `most` results by their key."""

    def __init__(self, most: int = 200) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="prover")
        self._known: OrderedDict[Hashable, Future[Any]] = OrderedDict()
        self._lock, self._most = Lock(), most

    def get(self, key: Hashable, make: Callable[[], T], wait: float | None = 1.5) -> T | None:
        """The result for `key`, made once; None when it takes longer than `wait` seconds: ask again later. What `make`
        raised is raised here, and forgotten."""
        with self._lock:
            found: Future[T] | None = self._known.get(key)
            if found is None:
                found = self._known[key] = self._pool.submit(make)
            self._known.move_to_end(key)
            while len(self._known) > self._most:
                self._known.popitem(last=False)[1].cancel()
        try:
            return found.result(wait)
        except Waiting:
            if not found.done():
                return None
            raise
        except BaseException:
            with self._lock:
                self._known.pop(key, None)
            raise
