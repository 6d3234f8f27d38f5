"""The one port to background work; nothing else imports dbos.

The `job` row is the truth. DBOS claims, delays, repeats by cron and limits how much runs at once; of a job it
knows only `(job id, attempt)`. What it lacks is here: a watchdog that takes the jobs of a dead worker away, a
fence so that a worker presumed dead can no longer write, a pass that revives what a lost database connection
broke, and pruning. A handler runs at least once; an effect happens once if it is made in `Run.step` and a later
try leaves out what `Run.done` says is behind it.
SQLite has exactly one working process, held by an OS lock on `<file>.worker`; PostgreSQL any number. Every
other process (a web node, the command line) only enqueues: it makes a `Jobs` and never calls `work`.
"""

from __future__ import annotations

import logging
import sqlite3
import sys
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from siquan.core.errors import NotFound, SiquanError

if TYPE_CHECKING:  # dbos takes 0.4 s to import: only a process that enqueues or works pays for it
    from dbos import ClientScheduleInput, DBOSClient, EnqueueOptions, WorkflowStatus

log = logging.getLogger(__name__)

#: Never a release number: DBOS recovers only runs of its own version. To change it, drain the queues first.
PROTOCOL = "jobs-1"
Tx: TypeAlias = sa.Connection | Session
Condition: TypeAlias = sa.ColumnElement[bool]
Payload: TypeAlias = dict[str, Any]  # JSON

Column, String, Integer, Float, metadata = sa.Column, sa.String, sa.Integer, sa.Float(), sa.MetaData()
#: `state` is queued, running, done, failed or cancelled. `seen` (last sign of life, then the end) and
#: `created_at` are seconds since 1970 by the database's clock. A batch has no queue; its parts have a parent.
job = sa.Table(
    "job", metadata, Column("id", String(200), primary_key=True), Column("name", String(60), nullable=False),
    Column("queue", String(30)), Column("payload", sa.JSON), Column("parent", String(200), index=True),
    Column("state", String(10), index=True, server_default="queued"), Column("owner", String(60)),
    Column("attempt", Integer, server_default="1"), Column("fence", Integer, server_default="0"),
    Column("starts", Integer, server_default="0"), Column("done", Integer, server_default="0"),
    Column("total", Integer), Column("note", sa.Text), Column("seen", Float), Column("created_at", Float),
    Column("cancel", sa.Boolean, server_default=sa.false()),
)  # fmt: skip
worker = sa.Table("job_worker", metadata, Column("id", String(60), primary_key=True), Column("seen", Float))
OPEN, FINAL, BROKEN = ("queued", "running"), ("done", "failed", "cancelled"), ("failed", "cancelled")
PG_CLOCK = "cast(extract(epoch from clock_timestamp()) as double precision)"
ENDED_BADLY = ["ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]  # DBOS's words


class AlreadyWorking(SiquanError):
    """another worker already runs on this file `{file}`"""

    code = "SQ701"
    zh = "数据库 `{file}` 已有一个后台进程在运行"
    help_en = "stop the other process first, or move to PostgreSQL to run several workers"
    help_zh = "先停止另一个进程；需要多个后台进程时请改用 PostgreSQL"


class SqliteTooOld(SiquanError):
    """SQLite {version} cannot run background jobs under Python {python}: use SQLite 3.42 or Python 3.11"""

    code = "SQ702"
    zh = "SQLite {version} 在 Python {python} 下无法运行后台任务，请用 SQLite 3.42 或 Python 3.11"


class QueueUnlimited(SiquanError):
    """the queue `{name}` does not say how many jobs one worker may run at a time"""

    code = "SQ703"
    zh = "队列 `{name}` 没有规定一个后台进程可同时运行的任务数"


class JobTablesMissing(SiquanError):
    """this database has no tables for background jobs ({missing}): run `siquan init` first"""

    code = "SQ704"
    zh = "数据库缺少后台任务的数据表（{missing}），请先运行 `siquan init`"


class Stopped(BaseException):
    """`cancelled`, or `lost` to another worker. No `Exception`: a handler's own must not swallow it."""


class Queue(NamedTuple):
    """At most `concurrency` jobs at a time in one worker, which looks for new ones every `poll` seconds."""

    concurrency: int | None
    poll: float = 0.25


class Kind(NamedTuple):
    """A registered job: what runs, where, how often it is tried; a lower `priority` (from 1) goes first."""

    run: Callable[[Run, Payload], object]
    queue: str
    attempts: int
    priority: int


class JobView(NamedTuple):
    """A job as a progress bar or an admin page shows it: `done` of `total`, `note` a reason or a remark."""

    id: str
    name: str
    parent: str | None
    state: str
    attempt: int
    starts: int
    owner: str | None
    done: int
    total: int | None
    note: str | None
    seen: datetime | None
    created_at: datetime | None


QUEUES: Mapping[str, Queue] = {"fast": Queue(4, 0.1), "bulk": Queue(2, 0.25)}


class Run:
    """What a handler holds: `id` makes mail and webhooks idempotent; a try begins where `done` of the last is."""

    def __init__(self, jobs: Jobs, row: sa.Row[Any]) -> None:
        self.id, self.attempt, self.done = str(row.id), int(row.attempt), int(row.done)
        self.note: str | None = None
        self.mine = sa.and_(job.c.id == row.id, job.c.fence == row.fence, job.c.state == "running")
        self._jobs = jobs

    @contextmanager
    def step(self, **progress: int | str) -> Iterator[sa.Connection]:
        """Effects and progress (`done`, `total`, `note`) in one transaction; raises `Stopped` instead."""
        assert progress.keys() <= {"done", "total", "note"}, f"not progress: {progress}"
        touch = sa.update(job).where(self.mine).values(seen=self._jobs.now, **progress)
        with self._jobs.engine.begin() as tx:
            row = tx.execute(touch.returning(job.c.cancel, job.c.done, job.c.note)).first()
            if row is None:
                raise Stopped("lost")
            if row.cancel:
                raise Stopped("cancelled")
            yield tx
        self.done, self.note = row.done, row.note if "note" in progress else self.note


def create_tables(engine: sa.Engine) -> None:
    """`job` and `job_worker`, where the store's migration has not made them (tests)."""
    metadata.create_all(engine, checkfirst=True)


def should_launch(environ: Mapping[str, str], reloader: bool | None = None) -> bool:
    """Whether this process may work: not the parent of Flask's reloader (None: guess whether it is on)."""
    debug = environ.get("FLASK_RUN_FROM_CLI") == "true" and environ.get("FLASK_DEBUG", "0").lower()
    reloads = debug not in (False, "", "0", "false", "no") if reloader is None else reloader
    return not reloads or environ.get("WERKZEUG_RUN_MAIN") == "true"


class Jobs:
    """Background work on `engine`. A worker beats every `beat` seconds and is dead after `dead` without; a
    job may stop its worker `crashes` times; `backoff(attempt)` is the wait in seconds before the next try."""

    _working: ClassVar[Jobs | None] = None  # DBOS is one per process

    def __init__(
        self, engine: sa.Engine, queues: Mapping[str, Queue] = QUEUES, *, beat: float = 5, dead: float = 20,
        crashes: int = 5, backoff: Callable[[int], float] = lambda attempt: min(600.0, 2.0**attempt),
    ) -> None:  # fmt: skip
        self.engine, self.queues = engine, dict(queues)
        self._view = engine.execution_options(siquan_read=True)  # the store's engine then takes no write lock
        self.beat, self.dead, self.crashes, self.backoff = beat, dead, crashes, backoff
        self.kinds, self.executor = dict[str, Kind](), "none"
        self._stop, self._apart, self._held, self._grace = threading.Event(), threading.Lock(), ExitStack(), 0
        self._sqlite = engine.dialect.name == "sqlite"
        self._insert = sqlite.insert if self._sqlite else postgresql.insert
        clock = "(julianday('now')-2440587.5)*86400.0" if self._sqlite else PG_CLOCK
        self.now: sa.ColumnElement[float] = sa.literal_column(clock, Float)  # hosts' clocks differ
        self.register("prune", lambda run, payload: self.prune())

    def register(
        self, name: str, run: Callable[[Run, Payload], object], *,
        queue: str = "fast", attempts: int = 5, priority: int = 10,
    ) -> None:  # fmt: skip
        """Say what `name` runs. Every process registers the same jobs, those that only enqueue too."""
        fit = name.isidentifier() and name not in self.kinds and queue in self.queues
        if not fit or min(attempts, priority) < 1:
            raise ValueError(f"job {name!r}: bad or known name, unknown queue, or a number below 1")
        self.kinds[name] = Kind(run, queue, attempts, priority)

    def enqueue(
        self, name: str, payload: Mapping[str, Any], key: str, tx: Tx, *,
        parent: str | None = None, priority: int | None = None, delay: float = 0,
    ) -> str:  # fmt: skip
        """Put a job into the caller's transaction; gives its id. The same key again changes nothing until
        `prune` has forgotten the finished job. `delay` is in seconds."""
        id, kind = f"{name}:{key}", self._kind(name)
        if self._new(tx, id, name=name, queue=kind.queue, payload=dict(payload), parent=parent):
            self._submit(tx, id, 1, kind.queue, priority or kind.priority, delay)
        return id

    def fan(self, name: str, payloads: Sequence[Mapping[str, Any]], key: str, tx: Tx) -> str:
        """A batch: counts its finished parts, is done with the last, fails when one has failed for good."""
        id, total = f"{name}*{key}", len(payloads)
        if self._new(tx, id, name=name, state="running" if total else "done", total=total, seen=self.now):
            for n, payload in enumerate(payloads):
                self.enqueue(name, payload, f"{key}/{n}", tx, parent=id)
        return id

    def _kind(self, name: str) -> Kind:
        if name not in self.kinds:
            raise NotFound(kind="job", name=name)
        return self.kinds[name]

    def _new(self, tx: Tx, id: str, **values: Any) -> bool:
        row = self._insert(job).values(id=id, created_at=self.now, **values).on_conflict_do_nothing()
        return tx.execute(row.returning(job.c.id)).first() is not None

    def _submit(self, tx: Tx, id: str, attempt: int, queue: str, priority: int, delay: float) -> None:
        from dbos import WorkflowSerializationFormat
        options: EnqueueOptions = {
            "workflow_name": "siquan.job", "queue_name": queue, "workflow_id": f"{id}#{attempt}",
            "serialization_type": WorkflowSerializationFormat.PORTABLE,  # the default is pickle
            "priority": priority,  # without one a job would overtake all others
        }  # fmt: skip
        if delay > 0:
            options["delay_seconds"] = delay
        self._client.enqueue_in_transaction(tx, options, id, attempt)

    @cached_property
    def _client(self) -> DBOSClient:
        from dbos import DBOSClient
        own: dict[str, Any] = {"system_database_engine": self.engine, "application_name": "siquan"}
        return DBOSClient(**own, lazy=True, retry_connection_errors=False)

    def _runs(self, **filters: Any) -> list[WorkflowStatus]:
        """What DBOS holds, without arguments and results."""
        return self._client.list_workflows(load_input=False, load_output=False, **filters)

    def status(self, id: str) -> JobView | None:
        """One job or batch as of now."""
        return next(iter(self._list(job.c.id == id, 1)), None)

    def find(self, states: Collection[str] = FINAL + OPEN, limit: int = 100) -> list[JobView]:
        """The newest jobs in these states; `silent` stands for running without a sign of life for long."""
        where = job.c.state.in_(states)
        return self._list(where | self._silent(3 * self.dead) if "silent" in states else where, limit)

    def _silent(self, seconds: float) -> Condition:
        return sa.and_(job.c.state == "running", job.c.queue.is_not(None), job.c.seen < self.now - seconds)

    def _list(self, where: Condition, limit: int) -> list[JobView]:
        query = sa.select(*(job.c[name] for name in JobView._fields)).where(where)
        with self._view.connect() as connection:
            rows = connection.execute(query.order_by(job.c.created_at.desc(), job.c.id).limit(limit)).all()
        return [JobView(*row[:-2], *(t and datetime.fromtimestamp(t, UTC) for t in row[-2:])) for row in rows]

    def cancel(self, id: str, tx: Tx | None = None) -> bool:
        """Cancel a job or a batch: what waits at once, what runs at its next step. False: none was open."""
        at_once, rows = sa.or_(job.c.state == "queued", job.c.queue.is_(None)), list[sa.Row[Any]]()
        state = sa.case((at_once, "cancelled"), else_=job.c.state)
        change = sa.update(job).where(job.c.state.in_(OPEN)).values(cancel=True, seen=self.now, state=state)
        with nullcontext(tx) if tx is not None else self.engine.begin() as now:
            # Parts before their batch, in the order of a finishing part: so neither waits for the other.
            for which in (job.c.parent == id, job.c.id == id):
                rows += now.execute(change.where(which).returning(job.c.id, job.c.state, job.c.parent)).all()
            if rows and rows[-1].id == id and rows[-1].parent and rows[-1].state == "cancelled":
                self._count(now, rows[-1].parent, id, "cancelled", None)
        return bool(rows)

    def retry(self, id: str, tx: Tx | None = None) -> bool:
        """Try a failed or cancelled job again, or all such parts of a batch. False: there was none."""
        broken = sa.select(job.c.id, job.c.parent).where(job.c.state.in_(BROKEN), job.c.queue.is_not(None))
        with nullcontext(tx) if tx is not None else self.engine.begin() as now:
            rows = now.execute(broken.where(sa.or_(job.c.id == id, job.c.parent == id))).all()
            for row in rows:
                self._again(now, row.id, job.c.state.in_(BROKEN))
            for batch in {row.parent for row in rows if row.parent}:
                if now.execute(broken.where(job.c.parent == batch)).first() is None:
                    change = sa.update(job).where(job.c.id == batch, job.c.state.in_(BROKEN))
                    now.execute(change.values(state="running", cancel=False, note=None))
        return bool(rows)

    def _again(self, tx: Tx, id: str, when: Condition, note: str | None = None, wait: float = 0) -> bool:
        """One more attempt, as a new run in DBOS; only under the condition `when`."""
        change = sa.update(job).where(job.c.id == id, when)
        change = change.values(state="queued", cancel=False, starts=0, attempt=job.c.attempt + 1, note=note)
        row = tx.execute(change.returning(job.c.attempt, job.c.queue, job.c.name)).first()
        if row is not None:
            priority = self.kinds[row.name].priority if row.name in self.kinds else 10
            self._submit(tx, id, row.attempt, row.queue, priority, wait)
        return row is not None

    def _run(self, id: str, attempt: int) -> str:
        """The body of every DBOS run. Its claim raises the fence and so shuts out a runner presumed dead."""
        claim = sa.update(job).where(job.c.id == id, job.c.attempt == attempt, job.c.state.in_(OPEN))
        starts = sa.case((job.c.starts < 2, job.c.starts + 1), else_=job.c.starts)
        claim = claim.values(state="running", fence=job.c.fence + 1, starts=starts)
        with self.engine.begin() as tx:
            row = tx.execute(claim.values(owner=self.executor, seen=self.now).returning(job)).first()
        if row is None:
            return "skipped"
        run, kind, state, note = Run(self, row), self.kinds.get(row.name), "done", None
        try:
            if row.cancel:
                raise Stopped("cancelled")
            kind = kind or self._kind(row.name)
            if row.starts > self.crashes or attempt > kind.attempts + self.crashes:
                state, note = "failed", "the job stopped its worker too often"
                log.error("job %s failed: %s", id, note)
            elif row.starts == 1:
                kind.run(run, row.payload)
            else:  # it ran when a worker died: one such job at a time, so that only the culprit's count rises
                with self._apart:
                    with run.step() as tx:
                        tx.execute(sa.update(job).where(job.c.id == id).values(starts=job.c.starts + 1))
                    kind.run(run, row.payload)
        except Stopped as stopped:
            state = str(stopped)  # lost: the last write below will not find its fence either
        except BaseException as error:  # SystemExit too: whatever ends a job must leave its row with a reason
            state = "retry" if kind and attempt < kind.attempts else "failed"
            note = f"{error.code if isinstance(error, SiquanError) else type(error).__name__}: {error}"
            log.warning("job %s, attempt %s: %s", id, attempt, state, exc_info=error)
        end = sa.update(job).where(run.mine).values(state=state, note=note or run.note, seen=self.now)
        with self.engine.begin() as tx:
            if state == "retry":
                self._again(tx, id, run.mine, note, self.backoff(attempt))
            elif tx.execute(end.returning(job.c.id)).first() is not None and row.parent:
                self._count(tx, row.parent, id, state, note)
        return state

    def _count(self, tx: Tx, batch: str, part: str, state: str, note: str | None) -> None:
        """Tell a batch how one of its parts ended."""
        change, full = sa.update(job).where(job.c.id == batch), job.c.done + 1 >= job.c.total
        if state == "done":
            change = change.values(done=job.c.done + 1, state=sa.case((full, "done"), else_=job.c.state))
            change = change.values(note=sa.case((full, sa.null()), else_=job.c.note))
        else:
            change = change.where(job.c.state == "running")
            change = change.values(state=state, note=f"{part}: {note or state}")
        tx.execute(change.values(seen=self.now))

    def drain(self) -> int:
        """Run here and now what is queued, delays ignored, until nothing is; the number of runs (tests)."""
        count = 0
        while waiting := self.find(["queued"]):
            count += len([self._run(view.id, view.attempt) for view in reversed(waiting)])
        return count

    def migrate(self) -> None:
        """Create or update DBOS's own tables (`siquan init`; needs the right to change the schema)."""
        from dbos import DBOS
        DBOS.migrate(self.engine.url.render_as_string(hide_password=False))

    def check(self, python: tuple[int, int] = sys.version_info[:2]) -> None:
        """Refuse what could store jobs but never run them; every process asks this at its start."""
        for name, queue in self.queues.items():
            if queue.concurrency is None or queue.concurrency < 1:
                raise QueueUnlimited(name=name)
        if self._sqlite and python >= (3, 12) and sqlite3.sqlite_version_info < (3, 42):
            # DBOS would ask for `unixepoch('subsec')`, which is NULL there: every claim would fail, unseen.
            raise SqliteTooOld(version=sqlite3.sqlite_version, python=".".join(map(str, python)))
        tables = {"job": None, "job_worker": None, "workflow_status": None if self._sqlite else "dbos"}
        look = sa.inspect(self.engine)
        if missing := [name for name, schema in tables.items() if not look.has_table(name, schema=schema)]:
            raise JobTablesMissing(missing=", ".join(missing))

    def work(self, crons: Iterable[tuple[str, str]] | None = None, only: Collection[str] = ()) -> None:
        """Become a worker and return at once; `close` ends it. `only` names the queues to take from, not all.
        `crons` are (job name, cron expression in UTC): one run per tick over all workers, missed ticks are
        not made up. Given at all they replace the earlier ones, and a daily `prune` joins them."""
        if Jobs._working is not None:
            raise AlreadyWorking(file=self.engine.url.database)
        try:
            self._start(crons if crons is None else dict(crons), list(only or self.queues))
        except BaseException:
            self.close(grace=0)
            raise

    def _start(self, crons: Mapping[str, str] | None, queues: list[str]) -> None:
        from dbos import DBOS
        url, file = self.engine.url.render_as_string(hide_password=False), self.engine.url.database
        if self._sqlite and file and file != ":memory:":
            lock = sqlite3.connect(f"{file}.worker", timeout=0, check_same_thread=False)
            self._held.callback(lock.close)
            try:
                lock.execute("begin exclusive")  # falls with the process, however that ends
            except sqlite3.OperationalError as error:
                raise AlreadyWorking(file=file) from error
            self.migrate()
        self.check()
        for name in queues:
            limit, poll = self.queues[name].concurrency, self.queues[name].poll
            self._client.register_queue(name, worker_concurrency=limit, polling_interval_sec=poll)
        if crons is not None:
            self._schedule({"prune": "17 19 * * *", **crons})
        Jobs._working = self
        self._held.callback(self._leave)
        # The one SQLite worker finds its own unfinished runs again; elsewhere the watchdog deals with them.
        self.executor = "local" if self._sqlite else f"w-{uuid.uuid4()}"
        DBOS(config={
            "name": "siquan", "application_version": PROTOCOL, "log_level": "WARNING", "run_migrations": False,
            "system_database_url": url, "executor_id": self.executor, "sys_db_pool_size": 5,
        })  # fmt: skip
        DBOS.workflow(name="siquan.job", max_recovery_attempts=50)(lambda id, attempt: self._run(id, attempt))
        DBOS.workflow(name="siquan.tick")(lambda at, name: self._tick(at, name))
        self._heartbeat()
        DBOS.listen_queues(queues)
        DBOS.launch()
        self._stop.clear()
        tender = threading.Thread(target=self._keep_tending, name="jobs-tend", daemon=True)
        tender.start()
        self._held.callback(tender.join, timeout=10)
        log.info("worker %s takes jobs from %s", self.executor, ", ".join(queues))

    def _schedule(self, crons: Mapping[str, str]) -> None:
        for old in {schedule["schedule_name"] for schedule in self._client.list_schedules()} - set(crons):
            self._client.delete_schedule(old)
        for name, cron in crons.items():
            self._kind(name)
            tick: ClientScheduleInput = {"schedule_name": name, "schedule": cron, "context": name}
            self._client.apply_schedules([{**tick, "workflow_name": "siquan.tick"}])

    def _tick(self, at: datetime, name: str) -> None:
        with self.engine.begin() as tx:
            self.enqueue(name, {}, at.strftime("%Y%m%dT%H%M%S"), tx)

    def _heartbeat(self) -> None:
        beat = self._insert(worker).values(id=self.executor, seen=self.now)
        with self.engine.begin() as tx:
            tx.execute(beat.on_conflict_do_update(index_elements=["id"], set_={"seen": self.now}))

    def _keep_tending(self) -> None:
        while not self._stop.wait(self.beat):
            try:
                self.tend()
            except Exception:
                log.exception("watchdog pass failed, next one in %s s", self.beat)

    def tend(self) -> None:
        """One watchdog pass. It goes by what is, not by what happened: the next makes a failed one good."""
        from dbos import DBOS
        self._heartbeat()
        with self._view.connect() as connection:
            live = set(connection.scalars(sa.select(worker.c.id).where(worker.c.seen > self.now - self.dead)))
        dead = sorted({str(run.executor_id) for run in self._runs(status="PENDING")} - live)
        # A private call: the public way sets the crash counter back to 0 and does not look at the executor.
        if dead and (taken := DBOS._recover_pending_workflows(dead)):
            log.warning("took %s jobs over from silent workers %s", len(taken), ", ".join(dead))
        self._reconcile()

    def _reconcile(self) -> None:
        """Revive jobs whose run ended outside the handler, for instance because the database went away."""
        ended = [run.workflow_id for run in self._runs(status=ENDED_BADLY, name="siquan.job", limit=500)]
        with self._view.connect() as connection:
            silent = connection.execute(sa.select(job.c.id, job.c.attempt).where(self._silent(self.dead)))
            suspects = {f"{row.id}#{row.attempt}" for row in silent}
        held = self._runs(workflow_ids=sorted(suspects)) if suspects else []
        suspects -= {run.workflow_id for run in held if run.status in ("PENDING", "ENQUEUED", "DELAYED")}
        for run_id in {*ended, *suspects}:
            id, _, attempt = run_id.rpartition("#")
            with self.engine.begin() as tx:
                still = sa.and_(job.c.attempt == int(attempt), job.c.state.in_(OPEN))
                if self._again(tx, id, still, "its run broke off"):
                    log.warning("job %s: its run broke off, trying again", id)
        if ended:  # dealt with; left there they would be looked at for ever
            self._client.delete_workflows(ended)

    def prune(self, days: int = 30) -> int:
        """Forget jobs that ended `days` ago, DBOS's rows first: a key may return only when both are gone."""
        before = (datetime.now(UTC) - timedelta(days=days)).isoformat()
        while ended := self._runs(status=["SUCCESS", *ENDED_BADLY], end_time=before, limit=500):
            self._client.delete_workflows([run.workflow_id for run in ended])
        gone = sa.delete(job).where(job.c.state.in_(FINAL), job.c.seen < self.now - days * 86400)
        with self.engine.begin() as tx:
            tx.execute(sa.delete(worker).where(worker.c.seen < self.now - 86400))
            return len(tx.execute(gone.returning(job.c.id)).all())

    def _leave(self) -> None:
        from dbos import DBOS
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=self._grace)
        Jobs._working = None
        left = sa.update(job).where(job.c.owner == self.executor, job.c.state == "running")
        with self.engine.begin() as tx:
            tx.execute(left.values(starts=job.c.starts - 1))  # an orderly stop is not a crash
            tx.execute(sa.delete(worker).where(worker.c.id == self.executor))

    def close(self, grace: int = 20) -> None:
        """Take no more jobs, wait up to `grace` seconds for those that run, and hand back the rest."""
        self._grace = grace
        self._stop.set()
        self._held.close()
        if "_client" in self.__dict__:
            self.__dict__.pop("_client").destroy()
