"""The impact run: every recorded decision of a rule set, and every open case, decided again with a draft.

It goes in stretches. What a stretch found is written in one transaction with how far the run came, so that a run that is
broken off, by whatever, goes on where it stood and counts nothing twice. It covers what was on record when it began.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, Protocol

from siquan.core.errors import SiquanError
from siquan.core.jobs import Run, Stopped
from siquan.core.policy.impact_crew import Crew, Draft, Parcel, Stretch, review_of
from siquan.core.policy.impact_program import Verdict
from siquan.core.policy.impact_tally import Counts, Tally, add, chained, difference, empty
from siquan.core.rules.decision import Decision
from siquan.core.store.canonical import canonical
from siquan.core.store.database import Store
from siquan.core.store.rows import ImpactRun, NewFlip
from siquan.core.store.transaction import Tx

#: step(done=..., total=...): a transaction that also says how far the work is, and may refuse to go on
Step = Callable[..., AbstractContextManager[Tx]]
#: decisions in one stretch: a few tenths of a second, so that a run can be stopped and watched
CHUNK = 20_000
#: open cases in one stretch; each takes two explained decisions
CASES = 100


class OpenCase(Protocol):
    """A case under way, and how its rule set decides it as things stand: by the rules it has, and by the draft."""

    @property
    def id(self) -> str: ...
    @property
    def place(self) -> str: ...
    def decide_old(self) -> Decision: ...
    def decide_new(self) -> Decision: ...


#: the open cases with an id over the given one, in the order of their ids
OpenCases = Callable[[str], Iterable[OpenCase]]


def run_impact(
    store: Store, version: str, draft: Draft, *, content_hash: str, by: str = "", open_cases: OpenCases | None = None,
    step: Step | None = None, processes: int = 2, chunk: int = CHUNK, key: str = "",
) -> str:  # fmt: skip
    """Go through with the run of a version's content, or go on with the one that was broken off; returns its id. With a
    `key` the run has this id, and one that is done is left as it is. `step` gives the transactions that are written, by
    default the store's own."""
    impact = _Impact(store, draft, step or _step(store), open_cases, processes, chunk)
    impact.catch_up()
    impact.begin(version, content_hash, by, key)
    if impact.run.status == "done":
        return impact.run.id
    try:
        impact.decisions()
        impact.cases()
        impact.finish()
    except Stopped as stopped:
        if str(stopped) == "cancelled":
            with store.begin() as tx:
                tx.impacts.stop(impact.run.id, "cancelled")
        raise
    except Exception:
        with store.begin() as tx:
            tx.impacts.stop(impact.run.id, "failed")
        raise
    return impact.run.id


def _step(store: Store) -> Step:
    @contextmanager
    def step(**progress: Any) -> Iterator[Tx]:
        with store.begin() as tx:
            yield tx

    return step


def job_step(store: Store, run: Run) -> Step:
    """Steps of a job: findings, checkpoint and the job's progress stand in one transaction; a cancelled job, or one another
    worker has taken over, writes no more."""

    @contextmanager
    def step(**progress: Any) -> Iterator[Tx]:
        with run.step(**progress) as conn:
            tx = Tx(conn, store.now, store.new_id, store.new_salt, store.fault)
            yield tx
            tx.flush()
            store.fault("before.commit")

    return step


class _Impact:
    run: ImpactRun

    def __init__(
        self, store: Store, draft: Draft, step: Step, open_cases: OpenCases | None, processes: int, chunk: int
    ) -> None:
        self.store, self.draft, self.step = store, draft, step
        self.open_cases, self.processes, self.chunk = open_cases, processes, chunk
        self._since = store.now()

    def catch_up(self) -> None:
        """Decisions recorded before their inputs were kept get them now, out of their records."""
        with self.store.read() as tx:
            behind = tx.inputs.behind(self.draft.ruleset.id)
        after = ""
        while behind:
            with self.step() as tx:
                after = tx.inputs.catch_up(self.draft.ruleset, after)
            behind = bool(after)

    def begin(self, version: str, content_hash: str, by: str, key: str) -> None:
        ruleset = self.draft.ruleset.id
        with self.step() as tx:
            found = tx.impacts.find(key) if key else tx.impacts.unfinished(version, content_hash)
            if found is not None:
                self.run = found if found.status == "done" else tx.impacts.advance(found, status="running")
                return
            last = tx.inputs.last(ruleset)
            counts = {**empty(), "total": tx.inputs.count(ruleset, last), "flips": 0, "digest": "", "seconds": 0.0, "cases": {}}
            self.run = tx.impacts.begin(version=version, content_hash=content_hash, ruleset=ruleset, by=by, last_n=last, counts=counts, id=key)

    def decisions(self) -> None:
        with self.store.read() as tx:
            edges = list(tx.inputs.edges(self.run.ruleset, self.run.upto_n, self.run.last_n, self.chunk))
        if not edges:
            return
        with closing(self._tallies(edges)) as tallies:
            for tally in tallies:
                with self.step(done=self._done() + tally.counts["rows"], total=self.run.counts["total"]) as tx:
                    self._write(tx, tally.flips, tally.counts, upto_n=tally.upto)

    def _tallies(self, edges: list[Stretch]) -> Generator[Tally]:
        here = review_of(self.store, self.draft)
        in_memory = self.store.engine.url.get_backend_name() == "sqlite" and self.store.engine.url.database in (None, "", ":memory:")
        if self.processes < 2 or in_memory or len(edges) < 2 * self.processes:
            yield from map(here, edges)
            return
        with Crew(Parcel.of(self.store, self.draft), self.processes, here) as crew:
            yield from crew.review(edges)

    def cases(self) -> None:
        if self.open_cases is None:
            return
        found = iter(self.open_cases(self.run.upto_case))
        while batch := list(itertools.islice(found, CASES)):
            counts: Counts = {"checked": len(batch), "changed": 0, "other": 0, "failed": 0, "flow": {}, "rules": {}}
            flips: list[NewFlip] = []
            for case in batch:
                try:
                    old, new = case.decide_old(), case.decide_new()
                except SiquanError as fault:
                    # one case that cannot be decided must not hide what happens to the others
                    add(counts, {"failed": 1, "faults": {fault.text("zh"): 1}})
                    continue
                change = difference(_verdict(old), _rules(old), _verdict(new), _rules(new))
                add(counts, {"flow": {change.before: {change.after: 1}}})
                if change.changed:
                    add(counts, {"changed": 1, "rules": {rule: {pair: 1} for rule, pair in change.why.items()}})
                    flips.append(NewFlip("case", None, case.id, case.place, new.on.isoformat(), change.before, change.after, change.told))
                elif change.why:
                    add(counts, {"other": 1})
            with self.step(done=self._done() + len(batch)) as tx:
                self._write(tx, flips, {"cases": counts}, upto_case=batch[-1].id)

    def _done(self) -> int:
        return int(self.run.counts["rows"] + self.run.counts["cases"].get("checked", 0))

    def _write(self, tx: Tx, flips: list[NewFlip], more: Counts, **upto: Any) -> None:
        counts = self.run.counts
        if flips:
            tx.impacts.add_flips(self.run.id, counts["flips"] + 1, flips)
        counts = _sum(counts, more)
        counts["flips"] += len(flips)
        counts["digest"] = chained(counts["digest"], flips)
        self.run = tx.impacts.advance(self.run, counts=self._timed(counts), **upto)

    def _timed(self, counts: Counts) -> Counts:
        now = self.store.now()
        seconds, self._since = float(counts["seconds"]) + (now - self._since).total_seconds(), now
        return {**counts, "seconds": seconds}

    def finish(self) -> None:
        with self.step(done=self._done()) as tx:
            self.run = tx.impacts.advance(self.run, status="done", ended_at=tx.at, counts=self._timed(self.run.counts))


def _sum(counts: Counts, more: Counts) -> Counts:
    """A sum that leaves both as they are: a step that is refused must not have counted."""
    out: Counts = {}
    add(out, {k: v for k, v in counts.items() if k not in ("digest", "seconds")})
    add(out, more)
    return {**out, "digest": counts["digest"], "seconds": counts["seconds"]}


def _verdict(decision: Decision) -> Verdict:
    letters = {"hit": "h", "clear": "c", "unknown": "u", "na": "n"}
    return Verdict(decision.outcome, canonical(decision.value), "".join(letters[f.result] for f in decision.findings))


def _rules(decision: Decision) -> tuple[str, ...]:
    return tuple(f.rule for f in decision.findings)
