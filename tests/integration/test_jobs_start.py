"""Start-up refusals of background jobs, and who may import and launch what."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from siquan.core import jobs as port
from siquan.core.jobs import Jobs, Queue, should_launch
from siquan.core.store.database import make_engine

ROOT = Path(__file__).parents[2]


def test_nothing_else_imports_dbos() -> None:
    imports = re.compile(r"^\s*(import|from)\s+dbos\b", re.MULTILINE)
    files = [file for room in ("core", "plugins", "web", "workflows") for file in (ROOT / room).rglob("*.py")]
    assert [str(f.relative_to(ROOT)) for f in files if imports.search(f.read_text("utf-8"))] == ["core/jobs.py"]


def test_nothing_resets_the_system_database() -> None:
    """DBOS would empty the tables of the application with its own when they share a SQLite file."""
    word = "reset_system" + "_database"
    files = [file for room in ("core", "plugins", "web", "tests") for file in (ROOT / room).rglob("*.py")]
    assert [f for f in files if word in f.read_text("utf-8")] == []


@pytest.mark.parametrize(
    ("environ", "reloader", "launches"),
    [
        ({}, None, True),  # waitress
        ({"FLASK_RUN_FROM_CLI": "true"}, None, True),
        ({"FLASK_RUN_FROM_CLI": "true", "FLASK_DEBUG": "0"}, None, True),
        ({"FLASK_RUN_FROM_CLI": "true", "FLASK_DEBUG": "1"}, None, False),  # the reloader's parent
        ({"FLASK_RUN_FROM_CLI": "true", "FLASK_DEBUG": "1", "WERKZEUG_RUN_MAIN": "true"}, None, True),
        ({"FLASK_DEBUG": "1"}, None, True),  # debug without `flask run`: no reloader to guess from
        ({"FLASK_RUN_FROM_CLI": "true", "FLASK_DEBUG": "1"}, False, True),  # --no-reload
        ({}, True, False),
        ({"WERKZEUG_RUN_MAIN": "true"}, True, True),
    ],
)
def test_reloader_launches_once(environ: dict[str, str], reloader: bool | None, launches: bool) -> None:
    assert should_launch(environ, reloader) is launches


@pytest.mark.parametrize("limit", [None, 0])
def test_queue_without_a_limit_is_refused(tmp_path: Path, limit: int | None) -> None:
    jobs = Jobs(make_engine(f"sqlite:///{tmp_path / 'a.db'}"), {"fast": Queue(4), "wild": Queue(limit)})
    port.create_tables(jobs.engine)
    with pytest.raises(port.QueueUnlimited, match="`wild`") as refused:
        jobs.work()
    assert "wild" in refused.value.text("zh") and port.Jobs._working is None
    jobs.queues["wild"] = Queue(1)
    jobs.work()  # the refusal held on to nothing
    jobs.close(grace=0)


def test_sqlite_without_subsecond_clock_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs(make_engine(f"sqlite:///{tmp_path / 'a.db'}"))
    port.create_tables(jobs.engine)
    jobs.migrate()
    with jobs.engine.connect() as connection:  # what DBOS asks on Python 3.12, and NULL exactly before 3.42
        new = sqlite3.sqlite_version_info >= (3, 38)
        now = connection.exec_driver_sql("select unixepoch('subsec')").scalar() if new else None
    assert (now is None) == (sqlite3.sqlite_version_info < (3, 42))
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    jobs.check(python=(3, 11))
    with pytest.raises(port.SqliteTooOld, match=r"Python 3\.12: use SQLite 3\.42"):
        jobs.check(python=(3, 12))
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 42, 0))
    jobs.check(python=(3, 13))


def test_worker_without_the_stores_tables_and_in_memory_is_refused(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path / 'a.db'}", "sqlite://"):
        jobs = Jobs(make_engine(url))
        with pytest.raises(port.JobTablesMissing):
            jobs.work()
    assert port.Jobs._working is None


def test_the_stores_migration_makes_the_same_columns(tmp_path: Path) -> None:
    from siquan.core.store.tables import metadata

    for table in (port.job, port.worker):
        theirs = metadata.tables[table.name].columns
        mine = {c.name: (type(c.type), c.primary_key) for c in table.columns}
        assert {c.name: (type(c.type), c.primary_key) for c in theirs} == mine
