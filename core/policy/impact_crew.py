"""Processes that review stretches side by side: rules are evaluated in Python, which runs on one core per process.

A worker is a fresh interpreter with one end of a pipe: it does not run the parent's main module again, whatever that does.
It opens the database by itself, reads, and writes nothing; it ends when its parent does, however that ends, since then the
pipe closes. Whatever goes wrong in a worker, its stretch is reviewed again by the parent, where the fault, if it is one,
shows itself.
"""

from __future__ import annotations

import datetime as dt
import gc
import logging
import multiprocessing
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from siquan.core.policy.impact_program import Program
from siquan.core.policy.impact_review import Review
from siquan.core.policy.impact_tally import Tally
from siquan.core.rules.check import Scope
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.facts import Schema
from siquan.core.rules.parameters import ParameterBook
from siquan.core.rules.tree import Node
from siquan.core.spec.model import RuleSetSpec
from siquan.core.store.database import Store

log = logging.getLogger(__name__)
Stretch = tuple[int, int]
#: stretches a worker has at a time: one in hand, one waiting
AHEAD = 2
#: seconds without a tally from any worker before all are given up; a stretch takes less than one
PATIENCE = 300


class Draft(NamedTuple):
    """What is tried: a rule set bound to its facts, and the parameters it would stand on."""

    ruleset: RuleSet
    book: ParameterBook


@dataclass(frozen=True)
class Parcel:
    """A draft as it goes to another process, and the address of the database."""

    url: str
    spec: RuleSetSpec
    scope: Scope
    schema: Schema
    derived: Mapping[str, Node]
    book: ParameterBook

    @classmethod
    def of(cls, store: Store, draft: Draft) -> Parcel:
        rules = draft.ruleset
        return cls(store.engine.url.render_as_string(hide_password=False), rules.spec, rules.scope, rules.schema, rules.derived, draft.book)

    def draft(self) -> Draft:
        return Draft(RuleSet(self.spec, self.scope, self.schema, self.derived), self.book)


def review_of(store: Store, draft: Draft) -> Callable[[Stretch], Tally]:
    """A function that reviews one stretch in a reading transaction of its own."""
    with store.read() as tx:
        chains = {unit.id: tuple(reversed(unit.line)) for unit in tx.people.units()}
    review = Review(Program(draft.ruleset, draft.book, lambda place: chains.get(place, (place,))))

    def run(stretch: Stretch) -> Tally:
        with store.read() as tx:
            return review.stretch(tx, *stretch)

    return run


def work(pipe: Connection) -> None:
    """A worker's life: a parcel, then a stretch comes in and its tally goes out; None for what failed here."""
    gc.disable()  # nothing here goes in circles, and looking for circles costs a tenth
    with suppress(EOFError, OSError, KeyboardInterrupt):
        parcel = pipe.recv()
        with Store(parcel.url, lambda: dt.datetime.now(dt.UTC), str, create=False) as store:
            run = review_of(store, parcel.draft())
            while True:
                stretch = pipe.recv()
                try:
                    tally = run(stretch)
                except Exception:
                    log.exception("stretch %s goes back", stretch)
                    tally = None
                pipe.send(tally)


class Crew:
    """`size` worker processes; `here` reviews what no worker can."""

    def __init__(self, parcel: Parcel, size: int, here: Callable[[Stretch], Tally]) -> None:
        self._here = here
        self._jobs: dict[Connection, deque[Stretch]] = {}
        self._workers = []
        for _ in range(size):
            ours, theirs = multiprocessing.Pipe()
            command = [sys.executable, "-m", "siquan.core.policy.impact_worker", str(theirs.fileno())]
            with suppress(OSError, ValueError):  # where no process can be started, the parent does all of it
                self._workers.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]))
                theirs.close()  # or a worker that is gone would never be missed
                ours.send(parcel)
                self._jobs[ours] = deque()
            theirs.close()

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *failure: object) -> None:
        for pipe in self._jobs:
            pipe.close()
        for worker in self._workers:
            worker.kill()  # it only reads
            worker.wait()

    def review(self, stretches: Sequence[Stretch]) -> Iterator[Tally]:
        """The tallies in the order of the stretches."""
        waiting, done = deque(stretches), dict[Stretch, Tally | None]()
        for stretch in stretches:
            while stretch not in done and self._jobs:
                self._hand_out(waiting)
                self._collect(done, waiting)
            tally = done.pop(stretch, None)
            if tally is None:
                if stretch in waiting:
                    waiting.remove(stretch)
                tally = self._here(stretch)
            yield tally

    def _hand_out(self, waiting: deque[Stretch]) -> None:
        for pipe, jobs in list(self._jobs.items()):
            while waiting and len(jobs) < AHEAD:
                try:
                    pipe.send(waiting[0])
                except OSError:
                    self._lose(pipe, waiting)
                    break
                jobs.append(waiting.popleft())

    def _collect(self, done: dict[Stretch, Tally | None], waiting: deque[Stretch]) -> None:
        found_some = wait(list(self._jobs), PATIENCE) if self._jobs else []
        for pipe in [] if found_some else list(self._jobs):
            self._lose(pipe, waiting)
        for found in found_some:
            assert isinstance(found, Connection)
            try:
                tally: Any = found.recv()
            except (EOFError, OSError):
                self._lose(found, waiting)
                continue
            done[self._jobs[found].popleft()] = tally

    def _lose(self, pipe: Connection, waiting: deque[Stretch]) -> None:
        """A worker is gone, or as good as: what it had goes to the others, the oldest first."""
        log.warning("an impact worker ended early")
        waiting.extendleft(reversed(self._jobs.pop(pipe)))
        pipe.close()
