"""The impact run as a background job."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from siquan.core.errors import SiquanError
from siquan.core.jobs import Jobs, Run
from siquan.core.policy.impact import CHUNK, OpenCases, job_step, run_impact
from siquan.core.policy.impact_crew import Draft
from siquan.core.store.database import Store
from siquan.core.store.transaction import Tx

NAME = "impact"


@dataclass(frozen=True)
class Trial:
    """Everything a run needs to know of a version."""

    draft: Draft
    content_hash: str
    open_cases: OpenCases | None = None


class ImpactJobs:
    """`trial` gives what a version would change; it is asked anew by every worker that takes the job."""

    def __init__(self, store: Store, jobs: Jobs, trial: Callable[[str], Trial], processes: int = 2, chunk: int = CHUNK) -> None:
        self.store, self.jobs, self.trial, self.processes, self.chunk = store, jobs, trial, processes, chunk
        jobs.register(NAME, self._run, queue="bulk")

    def start(self, tx: Tx, version: str, by: str, key: str) -> tuple[str, str]:
        """Queue a run of a version; returns the ids of the job and of its run. The same key again changes nothing: take a new
        one to run the same content over what was decided since, and `Jobs.retry` to go on after `Jobs.cancel`."""
        job = self.jobs.enqueue(NAME, {"version": version, "by": by}, key, tx.conn)
        return job, run_of(job)

    def _run(self, run: Run, payload: Mapping[str, Any]) -> None:
        version = str(payload["version"])
        try:
            trial = self.trial(version)
        except SiquanError as fault:
            # no further try can lift a refusal: the draft was edited meanwhile, or is gone
            with run.step(note=fault.text("zh")):
                return
        run_impact(
            self.store, version, trial.draft, content_hash=trial.content_hash, by=str(payload.get("by") or ""),
            open_cases=trial.open_cases, step=job_step(self.store, run), processes=self.processes, chunk=self.chunk,
            key=run_of(run.id),
        )  # fmt: skip


def run_of(job: str) -> str:
    """The id of the run a job makes, however often it is tried."""
    return hashlib.sha256(job.encode()).hexdigest()[:32]
