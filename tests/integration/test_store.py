"""Start-up, transactions, people and books, on both databases."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
import time
import uuid
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from siquan.core.errors import NotFound, SiquanError
from siquan.core.store import audit, database, tables
from siquan.core.store.database import DatabaseNewer, DatabaseUnknown, Store, make_engine, migrate
from siquan.core.store.idempotency import IdempotencyConflict
from siquan.core.store.rows import NewLine
from siquan.core.tasks.task import Task

DAY = dt.date(2026, 11, 23)


def new_id() -> str:
    return uuid.uuid4().hex


# -- start-up --------------------------------------------------------------------------------------
def test_migrate_from_empty_twice(empty_database: str) -> None:
    engine = make_engine(empty_database)
    assert migrate(engine) is True
    began = time.process_time()
    assert migrate(engine) is False
    assert time.process_time() - began < 0.2
    names = set(sa.inspect(engine).get_table_names())
    assert names == {*tables.metadata.tables, "alembic_version"}
    assert all(len(n) <= 30 and n == n.lower() for n in names)
    engine.dispose()


def test_migration_makes_what_the_tables_say(empty_database: str) -> None:
    engine = make_engine(empty_database)
    migrate(engine)
    with engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": False})
        assert compare_metadata(context, tables.metadata) == []
    engine.dispose()


def test_start_up_does_not_load_alembic_when_up_to_date(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    migrate(make_engine(url))
    code = (
        "import sys; from siquan.core.store.database import make_engine, migrate\n"
        f"assert migrate(make_engine({url!r})) is False; assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_starting_together(empty_database: str) -> None:
    done: list[bool] = []
    threads = [threading.Thread(target=lambda: done.append(migrate(make_engine(empty_database)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, False, False, True]


def test_newer_database_is_refused(empty_database: str) -> None:
    engine = make_engine(empty_database)
    migrate(engine)
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseNewer):
        migrate(engine)
    engine.dispose()


def test_wrong_url() -> None:
    for url in ("nonsense", "mysql://x/y"):
        with pytest.raises(DatabaseUnknown):
            make_engine(url)
    with pytest.raises(SiquanError):
        migrate(make_engine("postgresql://nobody@127.0.0.1:1/none"))


def test_sqlite_settings(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    with make_engine(url).connect() as conn:
        read = {
            name: conn.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert read == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30000}


def test_migration_leaves_tables_of_dbos_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    engine = make_engine(url)
    with engine.begin() as conn:
        conn.exec_driver_sql("CREATE TABLE workflow_status (x INTEGER)")
        conn.exec_driver_sql("INSERT INTO workflow_status VALUES (1)")
    migrate(engine)
    with engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT x FROM workflow_status").scalar() == 1
    assert not tables.FOREIGN_TABLES & set(tables.metadata.tables)


def test_no_store_table_is_a_foreign_table() -> None:
    words = Path(database.__file__).parent.joinpath("migrations", "versions", "0001_first.py").read_text()
    assert all(f'"{name}"' not in words for name in tables.FOREIGN_TABLES)


def test_memory(clock: object) -> None:
    with Store("sqlite://", lambda: dt.datetime.now(dt.UTC), new_id) as store:
        with store.begin() as tx:
            tx.settings.set("a", 1)
            with pytest.raises(RuntimeError), store.begin():
                pass
        with store.read() as tx:
            assert tx.settings.get("a") == 1


# -- transactions ----------------------------------------------------------------------------------
def test_rollback_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.begin() as tx:
        case = tx.cases.add(
            process="p.a", definition_hash="h", title="t", place="c1", state="draft", opened_by="me"
        )
        tx.events.append(case.id, "opened", "me", {"to": "draft"})
        tx.facts.put(case.id, 1, {"a": {"value": 1}})
        tx.counters.next("case")
        tx.tasks.open(case.id, "draft", Task("1.1"))
        tx.idempotency.claim("k", {})
        _ = 1 / 0
    with store.read() as tx:
        for table in ("case_file", "event", "fact_value", "counter", "task", "idempotency"):
            assert tx.conn.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar() == 0, table


def test_reader_sees_one_state_of_affairs(store: Store) -> None:
    with store.read() as reading:
        assert reading.settings.get("a") is None
        with store.begin() as tx:
            tx.settings.set("a", {"x": Decimal("1.50"), "day": DAY})
        assert reading.settings.get("a") is None
    with store.read() as reading:
        assert reading.settings.get("a") == {"x": Decimal("1.50"), "day": "2026-11-23"}


def test_idempotency(store: Store) -> None:
    with store.begin() as tx:
        assert tx.idempotency.claim("k1", {"a": 1}) is None
        tx.idempotency.answer("k1", {"case": "c1"})
    with store.begin() as tx:
        assert tx.idempotency.claim("k1", {"a": 1}) == {"case": "c1"}
        with pytest.raises(IdempotencyConflict) as caught:
            tx.idempotency.claim("k1", {"a": 2})
    assert caught.value.code == "SQ525" and "k1" in caught.value.text("zh")


def test_idempotency_at_the_same_time(store: Store) -> None:
    answers: list[object] = []
    gate = threading.Barrier(6)

    def ask() -> None:
        gate.wait()
        with store.begin() as tx:
            said = tx.idempotency.claim("same", {"a": 1})
            if said is None:
                said = {"n": tx.counters.next("act")}
                time.sleep(0.05)
                tx.idempotency.answer("same", said)
            answers.append(said)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [{"n": 1}] * 6


def test_counters_have_no_gaps(store: Store) -> None:
    given: list[int] = []

    def take(worker: int) -> None:
        for turn in range(20):
            try:
                with store.begin() as tx:
                    number = tx.counters.next("case/2026")
                    if (worker + turn) % 3 == 0:
                        raise KeyError
                given.append(number)
            except KeyError:
                pass

    threads = [threading.Thread(target=take, args=(w,)) for w in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(1, len(given) + 1)) and len(given) == 80
    with store.read() as tx:
        assert tx.counters.current("case/2026") == len(given)
        assert tx.counters.current("other") == 0


# -- people ----------------------------------------------------------------------------------------
def test_people_and_places(store: Store) -> None:
    with store.begin() as tx:
        tx.people.add_unit("liangxi", "district", "梁溪区")
        tx.people.add_unit("beidajie", "street", "北大街街道", "liangxi")
        tx.people.add_unit("wuhe", "community", "五河社区", "beidajie")
        tx.people.add_unit("compound/huheyuan", "compound", "湖荷苑", "wuhe")
        tx.people.add_unit("wuhe_2", "community", "五河二社区", "beidajie")
        zhang = tx.people.add("张三", unit_id="wuhe", login="zhang", password_hash="x")
        li = tx.people.add("李四", unit_id="beidajie")
        tx.people.grant(zhang.id, "community", "wuhe", dt.date(2026, 1, 1))
        old = tx.people.grant(li.id, "community", "wuhe", dt.date(2025, 1, 1), dt.date(2025, 12, 31))
        tx.people.grant(li.id, "street", "beidajie", dt.date(2026, 1, 1))
    with store.begin() as tx:
        above = [u.id for u in tx.people.above("compound/huheyuan")]
        assert above == ["compound/huheyuan", "wuhe", "beidajie", "liangxi"]
        assert [u.id for u in tx.people.under("wuhe")] == ["wuhe", "compound/huheyuan"]
        assert len(tx.people.units()) == 5
        assert [(p.name, u) for p, u in tx.people.holders("community", above, DAY)] == [("张三", "wuhe")]
        assert [p.name for p, _ in tx.people.holders("community", above, dt.date(2025, 12, 31))] == ["李四"]
        assert tx.people.holders("street", [], DAY) == []
        assert [g.role for g in tx.people.grants(li.id, DAY)] == ["street"]
        assert old in tx.people.grants(li.id)
        found = tx.people.by_login("zhang")
        assert found and found.name == "张三" and found.created_at.tzinfo is not None
        tx.people.change(zhang.id, failed_count=3, locked_until=tx.at, theme="dark")
        assert tx.people.get(zhang.id).failed_count == 3
        assert tx.people.get(zhang.id).locked_until == tx.at
        with pytest.raises(NotFound):
            tx.people.unit("nowhere")
        with pytest.raises(SiquanError):
            tx.people.add_unit("x", "village", "x")


# -- books -----------------------------------------------------------------------------------------
def test_parameter_book(store: Store) -> None:
    with store.begin() as tx:
        assert tx.parameters.version() == 0
        first = tx.parameters.publish(
            [
                NewLine("oc.days", dt.date(2026, 1, 1), 7, cite="规则 1"),
                NewLine("oc.share", dt.date(2026, 1, 1), Decimal("0.5"), place="compound/huheyuan"),
            ],
            by="me",
        )
        assert first.version == 1
    with store.begin() as tx:
        days = tx.parameters.lines(name="oc.days")[0]
        second = tx.parameters.publish(
            [NewLine("oc.days", dt.date(2026, 1, 1), 10)], by="me", note="改正", remove=[days.id]
        )
        assert second.version == 2 and second.hash != first.hash
        assert [(n.name, n.value) for n in tx.parameters.lines()] == [
            ("oc.days", 10),
            ("oc.share", Decimal("0.5")),
        ]
        assert [n.value for n in tx.parameters.lines(1, "oc.days")] == [7]
        assert [v.version for v in tx.parameters.versions()] == [2, 1]
    with pytest.raises(NotFound), store.begin() as tx:
        tx.parameters.publish([], by="me", remove=[days.id])
    with store.begin() as tx:
        assert tx.parameters.version() == 2


def test_calendars_definitions_incidents_log(store: Store) -> None:
    with store.begin() as tx:
        tx.calendars.publish(2026, {dt.date(2026, 10, 1): "国庆节"}, [dt.date(2026, 10, 10)], "国办发", "me")
        tx.calendars.publish(2027, {dt.date(2027, 1, 1): "元旦"}, [], "国办发", "me")
        tx.calendars.publish(2026, {dt.date(2026, 10, 2): "国庆节"}, [], "更正", "me")
        assert tx.calendars.version() == 3
        assert tx.calendars.years()[2026].holidays == {"2026-10-02": "国庆节"}
        assert tx.calendars.years(1)[2026].workdays == ["2026-10-10"] and 2027 not in tx.calendars.years(1)
        assert tx.definitions.put("abc", "process", "p.a", '{"x":1}') is True
        assert tx.definitions.put("abc", "process", "p.a", '{"x":1}') is False
        assert tx.definitions.get("abc").document == '{"x":1}'
        assert [d.hash for d in tx.definitions.versions("process", "p.a")] == ["abc"]
        one = tx.incidents.add("engines", "two engines disagree", {"ruleset": "r"})
        assert tx.incidents.count_open() == 1
        assert tx.incidents.close(one.id, "me", "看过") is True
        assert tx.incidents.close(one.id, "me", "again") is False
        assert tx.incidents.latest() == [] and tx.incidents.get(one.id).note == "看过"
        tx.access.add("me", "unmask", "person/1")
        assert [a.what for a in tx.access.latest()] == ["unmask"]
        tx.settings.set("b", [1])
        tx.settings.set("b", [2], by="me")
        assert tx.settings.all() == {"b": [2]}


def test_clean_audit_of_an_empty_store(store: Store) -> None:
    assert audit.verify(store) == []
