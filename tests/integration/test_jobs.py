"""The contract of background jobs, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from siquan.core import jobs as port
from siquan.core.errors import NotFound
from siquan.core.jobs import Jobs, Payload, Queue, Run, Stopped
from siquan.core.store.database import make_engine

QUICK = {"fast": Queue(4, 0.03), "bulk": Queue(2, 0.03)}
effect = sa.Table("effect", sa.MetaData(), sa.Column("n", sa.Integer), sa.Column("what", sa.String(50)))


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    made = make_engine(database)
    port.create_tables(made)
    effect.create(made)
    Jobs(made).migrate()
    yield made
    made.dispose()


@pytest.fixture
def jobs(engine: sa.Engine) -> Iterator[Jobs]:
    made = Jobs(engine, QUICK, beat=0.2, dead=1.0, crashes=3, backoff=lambda attempt: 0)
    yield made
    made.close(grace=0)


def effects(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(effect.c.what).order_by(effect.c.what)).scalars())


def write(run: Run, payload: Payload) -> None:
    with run.step(done=1, total=1) as tx:
        tx.execute(effect.insert().values(n=1, what=payload["what"]))


def until(condition: Callable[[], object], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def state(jobs: Jobs, id: str) -> str | None:
    view = jobs.status(id)
    return view.state if view else None


@pytest.mark.parametrize("kind", ["connection", "session"])
def test_enqueue_is_part_of_the_callers_transaction(jobs: Jobs, kind: str) -> None:
    jobs.register("write", write)
    jobs.work()

    def act(key: str, *, rollback: bool = False) -> str:
        with Session(jobs.engine) if kind == "session" else jobs.engine.connect() as tx:
            tx.execute(effect.insert().values(n=0, what=f"act {key}"))
            id = jobs.enqueue("write", {"what": f"job {key}"}, key, tx)
            if rollback:
                tx.rollback()
            else:
                tx.commit()
            return id

    lost, kept, again = act("a", rollback=True), act("b"), act("b")
    assert kept == again
    until(lambda: state(jobs, kept) == "done")
    time.sleep(0.2)
    assert effects(jobs.engine) == ["act b", "act b", "job b"]
    assert jobs.status(lost) is None
    view = jobs.status(kept)
    assert view and view.created_at and view.seen and view.created_at <= view.seen
    assert (view.done, view.total, view.attempt, view.starts) == (1, 1, 1, 1)
    assert act("a") == lost  # what was rolled back does not block its key
    until(lambda: state(jobs, lost) == "done")


def test_same_key_twice_in_one_transaction(jobs: Jobs) -> None:
    jobs.register("write", write)
    with jobs.engine.begin() as tx:
        assert jobs.enqueue("write", {"what": "x"}, "k", tx) == jobs.enqueue("write", {"what": "y"}, "k", tx)
    assert jobs.drain() == 1
    assert effects(jobs.engine) == ["x"]


def test_unknown_job_is_refused(jobs: Jobs) -> None:
    with pytest.raises(NotFound), jobs.engine.begin() as tx:
        jobs.enqueue("nothing", {}, "k", tx)
    for bad in ({"queue": "none"}, {"attempts": 0}, {"priority": 0}):
        with pytest.raises(ValueError):
            jobs.register("other", write, **bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        jobs.register("prune", write)


def test_failed_job_says_why_and_resumes_where_it_stopped(jobs: Jobs) -> None:
    broken = threading.Event()
    broken.set()

    def rows(run: Run, payload: Payload) -> None:
        for n in range(run.done, payload["rows"]):
            if n == 3 and broken.is_set():
                raise RuntimeError("row 3 is bad")
            with run.step(done=n + 1, total=payload["rows"], note=f"row {n}") as tx:
                tx.execute(effect.insert().values(n=n, what=f"row {n}"))

    jobs.register("rows", rows, attempts=2)
    jobs.work()
    with jobs.engine.begin() as tx:
        id = jobs.enqueue("rows", {"rows": 5}, "1", tx)
    until(lambda: state(jobs, id) == "failed")
    view = jobs.status(id)
    assert view and view.note == "RuntimeError: row 3 is bad" and (view.attempt, view.done) == (2, 3)
    assert [job.id for job in jobs.find(["failed", "silent"])] == [id]
    broken.clear()
    assert jobs.retry(id) and not jobs.retry("rows:none")
    until(lambda: state(jobs, id) == "done")
    assert effects(jobs.engine) == [f"row {n}" for n in range(5)]
    view = jobs.status(id)
    assert view and view.note == "row 4" and jobs.find(["failed", "silent"]) == []


def test_cancel_waiting_and_running(jobs: Jobs) -> None:
    started, seen = threading.Event(), []

    def loop(run: Run, payload: Payload) -> None:
        for n in range(100_000):
            with run.step(done=n):
                pass
            started.set()
            time.sleep(0.01)

    jobs.register("loop", loop)
    jobs.register("never", lambda run, payload: seen.append(run.id))
    with jobs.engine.begin() as tx:
        waiting = jobs.enqueue("never", {}, "1", tx, delay=1)
        running = jobs.enqueue("loop", {}, "1", tx)
    jobs.work()
    assert jobs.cancel(waiting)
    assert state(jobs, waiting) == "cancelled" and not jobs.cancel(waiting)
    assert started.wait(10)
    until(lambda: (jobs.status(running) or view_missing()).done > 3)
    assert jobs.cancel(running)
    until(lambda: state(jobs, running) == "cancelled", 3)
    time.sleep(1.2)
    assert seen == []
    with pytest.raises(ZeroDivisionError), jobs.engine.begin() as tx:
        jobs.retry(running, tx)  # recorded together with the act of an administrator, or not at all
        raise ZeroDivisionError
    assert state(jobs, running) == "cancelled"


def view_missing() -> Any:
    raise AssertionError("the job has no row")


def test_batch(jobs: Jobs) -> None:
    bad = {3}

    def part(run: Run, payload: Payload) -> None:
        if payload["n"] in bad:
            raise ValueError("bad part")
        with run.step() as tx:
            tx.execute(effect.insert().values(n=payload["n"], what=f"part {payload['n']}"))

    jobs.register("part", part, queue="bulk", attempts=1)
    with jobs.engine.begin() as tx:
        batch = jobs.fan("part", [{"n": n} for n in range(6)], "b", tx)
        assert jobs.fan("part", [{"n": 99}], "b", tx) == batch
        empty = jobs.fan("part", [], "e", tx)
    jobs.work()
    until(lambda: (jobs.status(batch) or view_missing()).done == 5)
    until(lambda: state(jobs, batch) == "failed")
    view = jobs.status(batch)
    assert view and view.total == 6 and "part:b/3" in (view.note or "") and "bad part" in (view.note or "")
    assert state(jobs, empty) == "done"
    bad.clear()
    assert jobs.retry(batch)
    until(lambda: state(jobs, batch) == "done")
    view = jobs.status(batch)
    assert view and view.done == 6 and view.note is None
    assert effects(jobs.engine) == [f"part {n}" for n in range(6)]


def test_cancelled_batch_ends_at_once_and_can_be_taken_up_again(jobs: Jobs) -> None:
    jobs.register("write", write, queue="bulk")
    with jobs.engine.begin() as tx:
        batch = jobs.fan("write", [{"what": str(n)} for n in range(3)], "b", tx)
        other = jobs.fan("write", [{"what": "o"}], "o", tx)
    assert jobs._run("write:b/0", 1) == "done"
    assert jobs.cancel(batch)
    assert state(jobs, batch) == "cancelled"
    assert jobs.cancel("write:o/0") and state(jobs, other) == "cancelled"
    assert jobs.drain() == 0
    assert effects(jobs.engine) == ["0"]
    assert jobs.retry("write:b/1") and state(jobs, batch) == "cancelled"  # part 2 is still cancelled
    assert jobs.retry("write:b/2") and state(jobs, batch) == "running"
    assert jobs.drain() == 2 and state(jobs, batch) == "done"


def test_priority(jobs: Jobs) -> None:
    order: list[str] = []
    jobs.queues["bulk"] = Queue(1, 0.03)
    jobs.register("note", lambda run, payload: order.append(run.id), queue="bulk")
    jobs.register("first", lambda run, payload: order.append(run.id), queue="bulk", priority=1)
    with jobs.engine.begin() as tx:
        jobs.enqueue("note", {}, "late", tx, priority=20)
        jobs.enqueue("note", {}, "normal", tx)
        jobs.enqueue("first", {}, "1", tx)
    jobs.work()
    until(lambda: len(order) == 3)
    assert order == ["first:1", "note:normal", "note:late"]


def test_fence_shuts_out_a_runner_that_was_presumed_dead(jobs: Jobs) -> None:
    lost: list[bool] = []

    def slow(run: Run, payload: Payload) -> None:
        if run.attempt == 1 and not lost:
            lost.append(False)
            assert jobs._run(run.id, 1) == "done"  # another worker claims the same run and ends it
            try:
                with run.step() as tx:
                    tx.execute(effect.insert().values(n=1, what="twice"))
            except Stopped:
                lost.append(True)
                raise
        else:
            with run.step() as tx:
                tx.execute(effect.insert().values(n=1, what="once"))

    jobs.register("slow", slow)
    with jobs.engine.begin() as tx:
        id = jobs.enqueue("slow", {}, "1", tx)
    assert jobs.drain() == 1
    assert lost == [False, True] and effects(jobs.engine) == ["once"]
    assert state(jobs, id) == "done"


def dbos_rows(jobs: Jobs) -> str:
    return "workflow_status" if jobs.engine.dialect.name == "sqlite" else "dbos.workflow_status"


def test_watchdog_takes_the_jobs_of_a_dead_worker(jobs: Jobs) -> None:
    jobs.register("write", write)
    with jobs.engine.begin() as tx:
        id = jobs.enqueue("write", {"what": "taken over"}, "1", tx)
        tx.execute(sa.update(port.job).values(state="running", owner="w-gone", starts=1, fence=1, seen=0))
        held = "status='PENDING', executor_id='w-gone', application_version='jobs-1'"
        tx.exec_driver_sql(f"update {dbos_rows(jobs)} set {held}")
    jobs.work()
    until(lambda: state(jobs, id) == "done")
    assert effects(jobs.engine) == ["taken over"]


@pytest.mark.parametrize("ended", ["ERROR", "SUCCESS"])
def test_job_whose_run_broke_off_is_revived(jobs: Jobs, ended: str) -> None:
    jobs.register("write", write)
    with jobs.engine.begin() as tx:
        id = jobs.enqueue("write", {"what": "revived"}, "1", tx)
        tx.execute(sa.update(port.job).values(state="running", owner="w-gone", starts=1, fence=1, seen=0))
        tx.exec_driver_sql(f"update {dbos_rows(jobs)} set status='{ended}', executor_id='w-gone'")
    jobs.work()
    until(lambda: state(jobs, id) == "done")
    view = jobs.status(id)
    assert effects(jobs.engine) == ["revived"] and view and view.attempt == 2
    until(lambda: jobs._runs(status="ERROR") == [])


def test_job_that_keeps_stopping_its_worker_is_given_up(jobs: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    jobs.register("write", write)
    with jobs.engine.begin() as tx:
        id = jobs.enqueue("write", {"what": "never"}, "1", tx)
        tx.execute(sa.update(port.job).values(state="running", owner="w-gone", starts=4, fence=4, seen=0))
    with caplog.at_level(logging.ERROR, logger="siquan.core.jobs"):
        assert jobs._run(id, 1) == "failed"
    view = jobs.status(id)
    assert view and view.note == "the job stopped its worker too often" and effects(jobs.engine) == []
    assert id in caplog.text


def test_after_a_crash_only_the_job_at_work_is_counted(jobs: Jobs) -> None:
    """Jobs that saw a crash run one at a time, so that an innocent one is not given up with the culprit."""
    at_work, most = [0], [0]

    def write_alone(run: Run, payload: Payload) -> None:
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        time.sleep(0.1)
        at_work[0] -= 1

    jobs.register("suspect", write_alone)
    with jobs.engine.begin() as tx:
        ids = [jobs.enqueue("suspect", {}, str(n), tx) for n in range(4)]
        tx.execute(sa.update(port.job).values(state="running", owner="w-gone", starts=2, fence=2, seen=0))
    jobs.work()
    until(lambda: [state(jobs, id) for id in ids] == ["done"] * 4)
    assert most == [1]
    assert [(jobs.status(id) or view_missing()).starts for id in ids] == [3] * 4


def test_handler_that_exits_or_is_unknown_leaves_a_reason(jobs: Jobs) -> None:
    def leave(run: Run, payload: Payload) -> None:
        raise SystemExit(3)

    jobs.register("leave", leave, attempts=1)
    jobs.register("gone", write)
    with jobs.engine.begin() as tx:
        ids = [jobs.enqueue("leave", {}, "1", tx), jobs.enqueue("gone", {}, "1", tx)]
    del jobs.kinds["gone"]
    assert jobs.drain() == 2
    notes = [(jobs.status(id) or view_missing()).note for id in ids]
    assert notes == ["SystemExit: 3", "SQ404: there is no job `gone`"]


def test_cron_runs_once_per_tick_and_old_schedules_go(jobs: Jobs) -> None:
    ran: list[str] = []
    jobs.register("sweep", lambda run, payload: ran.append(run.id))
    jobs.register("old", lambda run, payload: None)
    jobs._schedule({"old": "0 0 1 1 *"})
    jobs.work(crons=[("sweep", "* * * * * *")])
    assert {s["schedule_name"] for s in jobs._client.list_schedules()} == {"sweep", "prune"}
    until(lambda: len(ran) >= 2)
    assert len(ran) == len(set(ran)) and ran[0].startswith("sweep:20")


def test_prune_forgets_what_ended_and_frees_the_key(jobs: Jobs) -> None:
    jobs.register("write", write)
    jobs.work()
    with jobs.engine.begin() as tx:
        old = jobs.enqueue("write", {"what": "old"}, "1", tx)
    until(lambda: state(jobs, old) == "done")
    with jobs.engine.begin() as tx:
        waiting = jobs.enqueue("write", {"what": "waiting"}, "2", tx, delay=3600)
        tx.execute(sa.insert(port.worker).values(id="w-gone", seen=0))
    until(lambda: jobs._runs(status="SUCCESS"))
    assert jobs.prune(days=1) == 0
    time.sleep(0.05)
    assert jobs.prune(days=0) == 1
    assert jobs.status(old) is None and state(jobs, waiting) == "queued"
    assert [run.workflow_id for run in jobs._runs()] == [f"{waiting}#1"]
    with jobs.engine.begin() as tx:
        assert tx.execute(sa.select(port.worker.c.id)).scalars().all() == [jobs.executor]
        jobs.enqueue("write", {"what": "new"}, "1", tx)
    until(lambda: state(jobs, old) == "done")
    assert effects(jobs.engine) == ["new", "old"]


def test_close_hands_back_what_it_interrupts(jobs: Jobs) -> None:
    started, finish = threading.Event(), threading.Event()

    def wait(run: Run, payload: Payload) -> None:
        started.set()
        finish.wait(10)
        with run.step() as tx:
            tx.execute(effect.insert().values(n=1, what=f"start {payload['n']}"))

    jobs.register("wait", wait)
    with jobs.engine.begin() as tx:
        id = jobs.enqueue("wait", {"n": 1}, "1", tx)
    jobs.work()
    assert started.wait(10)
    jobs.close(grace=0)
    view = jobs.status(id)
    assert view and view.state == "running" and view.starts == 0
    started.clear()
    jobs.work()  # the same object again, as a restarted process would
    assert started.wait(10)
    finish.set()
    until(lambda: state(jobs, id) == "done")
    assert effects(jobs.engine) == ["start 1"]


def test_web_node_refuses_a_database_without_tables(engine: sa.Engine) -> None:
    Jobs(engine).check()
    with engine.begin() as tx:
        tx.exec_driver_sql("drop table job_worker")
    with pytest.raises(port.JobTablesMissing, match="job_worker") as refused:
        Jobs(engine).check()
    assert "siquan init" in refused.value.full("en")
    port.create_tables(engine)
    with engine.begin() as tx:
        rows = "workflow_status" if engine.dialect.name == "sqlite" else "dbos.workflow_status"
        tx.exec_driver_sql(f"alter table {rows} rename to aside")
    with pytest.raises(port.JobTablesMissing, match="workflow_status"):
        Jobs(engine).check()


def test_only_one_worker_in_a_process(jobs: Jobs) -> None:
    jobs.work()
    with pytest.raises(port.AlreadyWorking):
        Jobs(jobs.engine, QUICK).work()
    assert port.Jobs._working is jobs
