"""Workers that are killed, poisoned, or one too many: real processes, on SQLite and on PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from siquan.core import jobs as port
from siquan.core.jobs import Jobs, Payload, Run
from siquan.core.store.database import make_engine

WORKER = """
import logging, os, sys, time
import sqlalchemy as sa
from siquan.core.errors import SiquanError
from siquan.core.jobs import Jobs, Queue
from siquan.core.store.database import make_engine

def write(run, payload):
    time.sleep(payload.get("sleep", 0))
    if not run.done:  # an earlier try may have been killed between its effect and its end
        with run.step(done=1) as tx:
            tx.execute(sa.text("insert into effect values (:what)"), {"what": run.id})

def poison(run, payload):
    os._exit(13)

jobs = Jobs(make_engine(sys.argv[1]), {"fast": Queue(4, 0.03)}, beat=0.3, dead=2.0, crashes=2)
jobs.register("write", write)
jobs.register("poison", poison)
begun = time.monotonic()
try:
    jobs.work()
except SiquanError as error:
    print(error.full("en"), flush=True)
    print(time.monotonic() - begun, flush=True)
    sys.exit(3)
print("working", flush=True)
sys.stdin.read()  # until the test closes it
jobs.close(grace=1)
"""
effect = sa.Table("effect", sa.MetaData(), sa.Column("what", sa.String(50)))


@pytest.fixture
def jobs(database: str) -> Iterator[Jobs]:
    made = Jobs(make_engine(database))
    made.register("write", lambda run, payload: None)
    made.register("poison", lambda run, payload: None)
    port.create_tables(made.engine)
    effect.create(made.engine)
    made.migrate()
    yield made
    made.close(grace=0)
    made.engine.dispose()


class Workers:
    """Starts worker processes and leaves none."""

    def __init__(self, folder: Path) -> None:
        self.script = folder / "worker.py"
        self.script.write_text(WORKER)
        self.all: list[subprocess.Popen[str]] = []

    def start(self, jobs: Jobs, *, wait: bool = True) -> subprocess.Popen[str]:
        url = jobs.engine.url.render_as_string(hide_password=False)
        process = subprocess.Popen(
            [sys.executable, str(self.script), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.all.append(process)
        if wait:
            assert process.stdout and process.stdout.readline() == "working\n"
        return process


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    made = Workers(tmp_path)
    yield made
    for process in made.all:
        process.kill()
        process.wait(10)
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def ended(jobs: Jobs) -> int:
    return len(jobs.find(port.FINAL, limit=1000))


def effects(jobs: Jobs) -> list[str]:
    with jobs.engine.connect() as connection:
        return sorted(connection.execute(sa.select(effect.c.what)).scalars())


def test_kill_loses_nothing_and_doubles_nothing(jobs: Jobs, workers: Workers) -> None:
    """SQLite: the worker is started again. PostgreSQL: another worker lives and takes the jobs over."""
    doomed = workers.start(jobs)
    if jobs.engine.dialect.name == "postgresql":
        workers.start(jobs)
    # only now: a worker that starts slowly would find nothing left to do
    with jobs.engine.begin() as tx:
        ids = [jobs.enqueue("write", {"sleep": 0.15}, str(n), tx) for n in range(60)]
    until(lambda: ended(jobs) > 8)
    assert ended(jobs) < 60
    doomed.send_signal(signal.SIGKILL)
    doomed.wait(10)
    if jobs.engine.dialect.name == "sqlite":
        workers.start(jobs)
    until(lambda: ended(jobs) == 60)
    assert {job.state for job in jobs.find(limit=1000)} == {"done"}
    assert effects(jobs) == sorted(ids)


def test_poison_job_is_given_up_and_the_others_run(jobs: Jobs, workers: Workers) -> None:
    with jobs.engine.begin() as tx:
        bad = jobs.enqueue("poison", {}, "1", tx)
        ids = [jobs.enqueue("write", {}, str(n), tx) for n in range(5)]
    exits = []
    for _ in range(6):  # what systemd or Docker would do
        process = workers.start(jobs, wait=False)
        until(lambda p=process: p.poll() is not None or ended(jobs) == 6)  # type: ignore[misc]
        if ended(jobs) == 6:
            break
        exits.append(process.poll())
    view = jobs.status(bad)
    assert view and view.state == "failed" and view.note == "the job stopped its worker too often"
    assert exits == [13, 13] and view.starts == 3
    assert effects(jobs) == sorted(ids)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_second_worker_on_a_file_is_refused(jobs: Jobs, workers: Workers) -> None:
    first = workers.start(jobs)
    second = workers.start(jobs, wait=False)
    said, _ = second.communicate(timeout=20)
    error, seconds = said.rsplit("\n", 2)[0], float(said.split()[-1])
    assert second.returncode == 3 and "SQ701: another worker already runs on this file" in error
    assert "siquan.db" in error and "PostgreSQL" in error
    assert seconds < 5  # it does not wait for the lock; the figure itself is the benchmark's
    with pytest.raises(port.AlreadyWorking):
        jobs.work()
    with jobs.engine.begin() as tx:  # enqueuing is open to every process
        id = jobs.enqueue("write", {}, "1", tx)
    until(lambda: (view := jobs.status(id)) and view.state == "done")
    assert first.stdin
    first.stdin.close()
    assert first.wait(15) == 0
    jobs.work()  # an orderly end gives the lock back


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_commits_beside_jobs_never_find_the_database_locked(
    jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    def count(run: Run, payload: Payload) -> None:
        for n in range(5):
            with run.step(done=n + 1) as tx:
                tx.execute(effect.insert().values(what=f"{run.id}/{n}"))

    jobs.register("count", count)
    jobs.work()
    errors: list[BaseException] = []

    def act(who: int) -> None:
        try:
            for n in range(40):
                with jobs.engine.begin() as tx:
                    tx.execute(effect.insert().values(what=f"act {who}/{n}"))
                    if n % 8 == 0:
                        jobs.enqueue("count", {}, f"{who}/{n}", tx)
                time.sleep(0.01)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=act, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    until(lambda: ended(jobs) == 20)
    assert errors == [] and "locked" not in caplog.text
    assert len(effects(jobs)) == 4 * 40 + 20 * 5
    states: set[Any] = {(job.state, job.attempt) for job in jobs.find()}
    assert states == {("done", 1)}
