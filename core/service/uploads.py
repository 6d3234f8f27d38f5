"""Large sheets go through the jobs port: checked at once, written by a worker, once and only once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from siquan.core.errors import SiquanError, Stale
from siquan.core.jobs import Jobs, Run
from siquan.core.service.acts import MAX_KEY
from siquan.core.service.app import App
from siquan.core.service.papers import MAX_FILE, Papers
from siquan.core.service.refusal import check_text
from siquan.core.views import ImportResult

#: a file this large is written in the background; smaller ones while the clerk waits
LARGE = 300_000


class Uploads:
    """Without jobs (tests, in-memory stores) every import is written at once."""

    def __init__(self, app: App, papers: Papers) -> None:
        self.app, self.papers = app, papers
        self.jobs: Jobs | None = None
        self.folder = Path()

    def attach(self, jobs: Jobs, folder: Path) -> None:
        """Registers the job; every process that enqueues or works does the same."""
        self.jobs, self.folder = jobs, folder / "uploads"
        jobs.register("import_sheet", self._write, queue="bulk")

    def import_sheet(
        self, case_id: str, target: str, person: str, filename: str, data: bytes, revision: int | None, key: str | None
    ) -> ImportResult:
        if self.jobs is None or len(data) < LARGE:
            return self.papers.import_sheet(case_id, target, person, filename, data, revision, key)
        # everything a clerk can put right is said now; the worker only writes
        if key:
            check_text(key, MAX_KEY, "请求编号")
        check_text(filename, MAX_FILE, "文件名")
        rows = self.papers.check_sheet(case_id, target, person, filename, data)
        digest = hashlib.sha256(data).hexdigest()
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{digest}.xlsx"
        if not file.exists():
            part = file.with_suffix(".part")
            part.write_bytes(data)
            part.replace(file)
        payload = {"case": case_id, "target": target, "person": person, "filename": filename, "file": file.name}
        with self.app.store.begin() as tx:
            case = tx.cases.get(case_id)
            if revision is not None and revision != case.revision:
                raise Stale(seen=revision, now=case.revision)
            job = self.jobs.enqueue("import_sheet", payload, key or f"{case_id}/{target}/{digest}/{case.revision}", tx.conn)
        return ImportResult(case_id, target, rows, 0, 0, case.revision, job)

    def _write(self, run: Run, payload: Mapping[str, Any]) -> None:
        """May run twice after a crash: the job's id is the idempotency key, so the rows are written once."""
        file = self.folder / payload["file"]
        try:
            result = self.papers.import_sheet(
                payload["case"], payload["target"], payload["person"], payload["filename"], file.read_bytes(), None,
                f"job:{hashlib.sha256(run.id.encode()).hexdigest()}",
            )
        except SiquanError as fault:
            # no retry can lift a refusal; whoever looks at the case finds it among the incidents
            with self.app.store.begin() as tx:
                tx.incidents.add("import", fault.text("zh"), dict(payload), payload["case"])
            with run.step(note=fault.text("zh")):
                pass
        else:
            with run.step(done=result.rows, total=result.rows):
                pass
