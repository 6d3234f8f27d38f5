"""The database: engine settings, start-up, and one transaction at a time.

SQLite: WAL, `synchronous=FULL` (what was acknowledged survives a power cut), every write transaction begins
IMMEDIATE so that what it read cannot change before it writes, and writers of this process queue on a lock
instead of polling the file. PostgreSQL: READ COMMITTED with row locks for acts, REPEATABLE READ READ ONLY for
reading, so both databases show a reader one state of affairs."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.pool import StaticPool

from siquan.core.errors import SiquanError
from siquan.core.store.transaction import Tx

MIGRATIONS = Path(__file__).parent / "migrations"
#: seconds a writer waits for the write lock
PATIENCE = 30
_READ = "siquan_read"
_PRAGMAS = (
    f"PRAGMA busy_timeout={PATIENCE * 1000}",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-32000",
)


class DatabaseBusy(SiquanError):
    """the database is busy; it was not free within {seconds} seconds"""

    code = "SQ521"
    zh = "数据库忙，等待 {seconds} 秒仍未轮到"
    help_en = "try again; nothing was written"
    help_zh = "请再试一次；没有写入任何内容"
    http = 503


class DatabaseNewer(SiquanError):
    """the database is at version `{found}`, this program knows only up to `{known}`"""

    code = "SQ522"
    zh = "数据库版本为 `{found}`，本程序只到 `{known}`"
    help_en = "start the newer program, or restore the backup made before it ran"
    help_zh = "请使用较新的程序，或恢复升级前的备份"
    http = 503


class DatabaseUnknown(SiquanError):
    """`{url}` is no database we can use"""

    code = "SQ523"
    zh = "无法使用数据库 `{url}`"
    help_en = "give sqlite:///path/to/file.db or postgresql://user@host/name"
    help_zh = "请写 sqlite:///文件路径 或 postgresql://用户@主机/库名"


class DatabaseUnreachable(SiquanError):
    """the database `{url}` cannot be opened: {why}"""

    code = "SQ524"
    zh = "打不开数据库 `{url}`：{why}"
    http = 503


def make_engine(url: str) -> sa.Engine:
    """An engine with the settings above; `sqlite://` lives in memory on one shared connection (tests,
    walkers)."""
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError:
        raise DatabaseUnknown(url=url) from None
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        return _sqlite(parsed)
    if kind == "postgresql":
        return sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=20,
            connect_args={"options": "-c idle_in_transaction_session_timeout=15000 -c timezone=UTC"},
        )
    raise DatabaseUnknown(url=parsed.render_as_string())


def _sqlite(url: URL) -> sa.Engine:
    memory = url.database in (None, "", ":memory:")
    more: dict[str, Any] = {"poolclass": StaticPool} if memory else {"pool_size": 10, "max_overflow": 40}
    if not memory and not str(url.database).startswith("file:"):
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    # isolation_level None: the driver begins nothing by itself, the listener below does
    engine = sa.create_engine(
        url, connect_args={"isolation_level": None, "check_same_thread": False, "timeout": PATIENCE}, **more
    )

    @sa.event.listens_for(engine, "connect")
    def settings(connection: Any, record: Any) -> None:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        _write_ahead(connection)

    @sa.event.listens_for(engine, "begin")
    def begin(conn: sa.Connection) -> None:
        conn.exec_driver_sql("BEGIN" if conn.get_execution_options().get(_READ) else "BEGIN IMMEDIATE")

    return engine


def _write_ahead(connection: Any) -> None:
    """WAL is a property of the file; SQLite does not wait when several connections set it at one moment."""
    for _ in range(PATIENCE * 20):
        if connection.execute("PRAGMA journal_mode").fetchone()[0] in ("wal", "memory"):
            return
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            time.sleep(0.05)


def head() -> str:
    """The newest migration this program has; revisions are numbers and their files begin with them."""
    return max(name[:4] for name in os.listdir(MIGRATIONS / "versions") if name[:4].isdigit())


def current(conn: sa.Connection) -> str | None:
    """The migration the database is at, None when it is empty."""
    if not sa.inspect(conn).has_table("alembic_version"):
        return None
    found: str | None = conn.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return found


def migrate(engine: sa.Engine) -> bool:
    """Bring the tables up to date; False when they were, which costs one query and does not load Alembic.
    Processes that start together wait for each other. Raises DatabaseNewer when the tables are ahead of this
    program."""
    known = head()
    found = _peek(engine)
    if found == known:
        return False
    if found is not None and found > known:
        raise DatabaseNewer(found=found, known=known)
    from alembic import command
    from alembic.config import Config

    with engine.begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(sa.text("SELECT pg_advisory_xact_lock(725117)"))
        if current(conn) == known:
            return False
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
    return True


def _peek(engine: sa.Engine) -> str | None:
    try:
        conn = engine.connect()
    except OperationalError as e:
        raise DatabaseUnreachable(url=engine.url.render_as_string(), why=e.orig) from e
    try:
        with conn.execution_options(**{_READ: True}):
            found: str | None = conn.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
            return found
    except (OperationalError, ProgrammingError):  # no such table
        return None


class Store:
    """All data. `now` gives an aware time, `new_id` a fresh text id, `new_salt` an unguessable text (default:
    `new_id`, which must then be random). `fault` is called at named points inside a transaction (event.before
    event.after decision.after before.commit after.commit); crash tests die there."""

    def __init__(
        self,
        url: str,
        now: Callable[[], dt.datetime],
        new_id: Callable[[], str],
        *,
        new_salt: Callable[[], str] | None = None,
        fault: Callable[[str], None] | None = None,
        create: bool = True,
    ) -> None:
        self.engine = make_engine(url)
        self.now = now
        self.new_id = new_id
        self.new_salt = new_salt or new_id
        self.fault = fault or (lambda point: None)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writer: threading.Lock | None = threading.Lock() if self.is_sqlite else None
        # one shared connection cannot read while it writes
        self._reader = self._writer if isinstance(self.engine.pool, StaticPool) else None
        self._holder = 0
        if create:
            migrate(self.engine)

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """One write transaction: committed at the end of the block, rolled back on any exception. Do not
        nest."""
        with self._alone(self._writer), self._patient(), self.engine.connect() as conn, conn.begin():
            tx = Tx(conn, self.now, self.new_id, self.new_salt, self.fault)
            yield tx
            tx.flush()
            self.fault("before.commit")
        self.fault("after.commit")

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """One consistent view; whatever is written in it is rolled back or refused."""
        options: dict[str, Any] = {_READ: True}
        if not self.is_sqlite:
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._alone(self._reader), self.engine.connect().execution_options(**options) as conn:
            view = conn.begin()
            try:
                yield Tx(conn, self.now, self.new_id, self.new_salt, self.fault)
            finally:
                view.rollback()

    @contextmanager
    def _alone(self, lock: threading.Lock | None) -> Iterator[None]:
        if lock is None:
            yield
            return
        me = threading.get_ident()
        if self._holder == me:
            raise RuntimeError("a transaction of this thread is still open")
        if not lock.acquire(timeout=PATIENCE):
            raise DatabaseBusy(seconds=PATIENCE)
        self._holder = me
        try:
            yield
        finally:
            self._holder = 0
            lock.release()

    @contextmanager
    def _patient(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as e:
            if "database is locked" in str(e.orig) or "deadlock detected" in str(e.orig):
                raise DatabaseBusy(seconds=PATIENCE) from e
            raise
