"""The audit finds every kind of edit made behind the program's back, and only those."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from siquan.core.store import audit
from siquan.core.store.database import Store

DAY = dt.date(2026, 11, 23)


class Clock:
    at = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        self.at += dt.timedelta(seconds=1)
        return self.at


@pytest.fixture
def filled(database: str) -> Iterator[tuple[Store, Clock]]:
    """Two cases of four events: facts, an opinion, decisions, a collection; one refusal."""
    clock = Clock()
    with Store(database, clock, lambda: uuid.uuid4().hex) as store:
        for name in ("a", "b"):
            fill(store, name)
        yield store, clock


def fill(store: Store, name: str) -> None:
    with store.begin() as tx:
        tx.cases.add(
            process="p.a",
            definition_hash="h",
            title="t",
            place="c",
            state="draft",
            opened_by="z",
            case_id=name,
        )
        tx.events.append(name, "opened", "zhang", {"to": "draft", "revision": 1})
    with store.begin() as tx:
        told = tx.facts.put(name, 2, {"amount": {"value": 6000, "ref": "x"}, "reason": {"value": "维修"}})
        opinion = tx.facts.put_opinion(name, 2, "同意", "zhang")
        data = {"from": "draft", "to": "review", "facts": told, "opinion": opinion, "revision": 2}
        tx.events.append(name, "acted", "zhang", data)
        tx.cases.update(name, 1, state="review")
    with store.begin() as tx:
        batch = tx.collections.add(name, "owners", 3, [{"n": 1}, {"n": 2}], complete=True)
        tx.events.append(name, "imported", "li", {"collections": {"owners": batch.commitment}})
    with store.begin() as tx:
        row = tx.decisions.add(
            ruleset="p.r",
            version="1",
            hash="h",
            on_date=DAY,
            outcome="PASS",
            record={"facts": {"amount": 6000}},
            actor="li",
            case_id=name,
            event_seq=4,
            transition="pass",
        )
        data = {"from": "review", "to": "done", "decision": tx.decisions.reference(row), "revision": 3}
        tx.events.append(name, "acted", "li", data)
        tx.cases.update(name, 2, state="done", closed_at=tx.at)
    with store.begin() as tx:
        tx.decisions.add(
            ruleset="p.r",
            version="1",
            hash="h",
            on_date=DAY,
            outcome="REJECT",
            record={},
            actor="li",
            case_id=name,
            refused=True,
        )


EDITS = {
    "event data": ("UPDATE event SET data = '{\"to\":\"draft\"}' WHERE case_id='a' AND seq=2", {"SQA01"}),
    "event data broken": ("UPDATE event SET data = 'x' WHERE case_id='a' AND seq=3", {"SQA01"}),
    "event actor": ("UPDATE event SET actor='wang' WHERE case_id='a' AND seq=2", {"SQA01"}),
    "event time": (
        "UPDATE event SET at='2026-11-20T09:00:00.000000+00:00' WHERE case_id='a' AND seq=3",
        {"SQA01"},
    ),
    "event algo": ("UPDATE event SET algo='md5' WHERE case_id='a' AND seq=3", {"SQA13"}),
    "event hash": ("UPDATE event SET hash='1' WHERE case_id='a' AND seq=3", {"SQA01", "SQA03"}),
    "event deleted": ("DELETE FROM event WHERE case_id='a' AND seq=2", {"SQA02", "SQA03"}),
    "first event deleted": ("DELETE FROM event WHERE case_id='a' AND seq=1", {"SQA02", "SQA03"}),
    "last event deleted": ("DELETE FROM event WHERE case_id='a' AND seq=4", {"SQA08", "SQA07"}),
    "event added": (
        "INSERT INTO event SELECT case_id, 5, at, actor, on_behalf, kind, data, hash, hash, algo"
        " FROM event WHERE case_id='a' AND seq=4",
        {"SQA01", "SQA08"},
    ),
    "events swapped": (
        "UPDATE event SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE case_id='a' AND seq IN (2,3);"
        "UPDATE event SET seq = -seq WHERE case_id='a' AND seq < 0",
        {"SQA01", "SQA03"},
    ),
    "fact value": ("UPDATE fact_value SET value='4000' WHERE case_id='a' AND path='amount'", {"SQA04"}),
    "fact source": ("UPDATE fact_value SET source='x' WHERE case_id='a' AND path='amount'", {"SQA04"}),
    "fact date": ("UPDATE fact_value SET as_of='2020-01-01' WHERE case_id='a' AND path='amount'", {"SQA04"}),
    "fact nulled without erasure": (
        "UPDATE fact_value SET value=NULL WHERE case_id='a' AND path='amount'",
        {"SQA04"},
    ),
    "fact with a new commitment": (
        "UPDATE fact_value SET commitment='x' WHERE case_id='a' AND path='amount'",
        {"SQA05"},
    ),
    "fact deleted": ("DELETE FROM fact_value WHERE case_id='a' AND path='amount'", {"SQA05"}),
    "fact added": (
        "INSERT INTO fact_value SELECT 'new', case_id, 'other', seq, value, as_of, source, ref, stated_by,"
        " complete, salt, commitment, erased_at, is_current"
        " FROM fact_value WHERE case_id='a' AND path='amount'",
        {"SQA05"},
    ),
    "opinion": ("UPDATE fact_value SET value='\"不同意\"' WHERE case_id='a' AND path='~opinion'", {"SQA04"}),
    "decision record": (
        "UPDATE decision SET record='{}' WHERE case_id='a' AND outcome='PASS'",
        {"SQA06"},
    ),
    "decision outcome": (
        "UPDATE decision SET outcome='WARN' WHERE case_id='a' AND outcome='PASS'",
        {"SQA05"},
    ),
    "decision rule set": ("UPDATE decision SET version='2' WHERE case_id='a' AND outcome='PASS'", {"SQA06"}),
    "decision deleted": ("DELETE FROM decision WHERE case_id='a' AND outcome='PASS'", {"SQA05"}),
    "refusal": ("UPDATE decision SET outcome='WARN' WHERE case_id='a' AND outcome='REJECT'", {"SQA06"}),
    "row": ("UPDATE collection_row SET data='{\"n\":9}' WHERE case_id='a' AND row_no=2", {"SQA09"}),
    "row deleted": ("DELETE FROM collection_row WHERE case_id='a' AND row_no=2", {"SQA09"}),
    "batch": (
        "UPDATE collection_batch SET complete = NOT complete WHERE case_id='a'",
        {"SQA09"},
    ),
    "batch deleted": ("DELETE FROM collection_batch WHERE case_id='a'", {"SQA05"}),
    "case state": ("UPDATE case_file SET state='draft' WHERE id='a'", {"SQA07"}),
    "case revision": ("UPDATE case_file SET revision=9 WHERE id='a'", {"SQA12"}),
    "case head": ("UPDATE case_file SET last_hash='x' WHERE id='a'", {"SQA03"}),
}


def edit(store: Store, statements: str) -> None:
    with store.engine.begin() as conn:
        for statement in statements.split(";"):
            conn.exec_driver_sql(statement)


@pytest.mark.parametrize("kind", EDITS)
def test_every_edit_is_found(filled: tuple[Store, Clock], kind: str) -> None:
    store, _ = filled
    assert audit.verify(store) == []
    statements, codes = EDITS[kind]
    edit(store, statements)
    found = audit.verify(store)
    seen = {f.code for f in found}
    # what hangs on a lost event is reported beside it
    assert codes <= seen and seen - codes <= {"SQA05", "SQA12"}
    assert {f.case_id for f in found} == {"a"}
    assert audit.verify(store, "b") == [] and audit.verify(store, "a") == found
    assert all(f.zh and f.en and "{" not in f.zh + f.en for f in found)


def test_a_missing_event_is_named(filled: tuple[Store, Clock]) -> None:
    store, _ = filled
    edit(store, "DELETE FROM event WHERE case_id='a' AND seq IN (2, 3)")
    assert [f.seq for f in audit.verify(store) if f.code == "SQA02"] == [2, 3]


def test_events_of_a_deleted_case(filled: tuple[Store, Clock]) -> None:
    store, _ = filled
    with store.engine.connect() as conn:
        # SQLite: foreign keys are a matter of the connection; PostgreSQL: of who may drop a constraint
        if store.is_sqlite:
            raw = conn.connection.dbapi_connection
            assert raw is not None
            raw.execute("PRAGMA foreign_keys=OFF")
            raw.execute("DELETE FROM case_file WHERE id='a'")
            raw.execute("PRAGMA foreign_keys=ON")
        else:
            conn.exec_driver_sql("SET session_replication_role = replica")
            conn.exec_driver_sql("DELETE FROM case_file WHERE id='a'")
            conn.exec_driver_sql("SET session_replication_role = DEFAULT")
            conn.commit()
    assert "SQA10" in {f.code for f in audit.verify(store)}


def test_erasure_keeps_the_chain_whole(filled: tuple[Store, Clock]) -> None:
    store, _ = filled
    with store.begin() as tx:
        assert tx.facts.erase("a", "amount") == 1
        assert tx.facts.erase("a") == 2
        assert tx.decisions.erase("a") == 2
        assert tx.collections.erase_row("a", "owners", 3, 1)
        assert tx.facts.current("a") == {}
        gone = tx.facts.history("a", "amount")[0]
        assert gone.value is None and gone.salt is None and gone.ref == "" and gone.erased_at == tx.at
        assert all(d.record is None and d.erased_at for d in tx.decisions.of("a"))
    with store.read() as tx:
        left = tx.conn.execute(sa.text("SELECT value, salt FROM fact_value WHERE case_id='a'")).all()
        assert all(tuple(row) == (None, None) for row in left)
    assert audit.verify(store) == []


def test_daily_roots(filled: tuple[Store, Clock]) -> None:
    store, clock = filled
    assert audit.seal(store) == []  # the day is not over
    clock.at += dt.timedelta(days=2)
    assert audit.seal(store) == [dt.date(2026, 11, 20)]
    fill(store, "c")
    clock.at += dt.timedelta(days=1)
    assert audit.seal(store) == [dt.date(2026, 11, 22)] and audit.seal(store) == []
    assert audit.verify(store) == []
    # one who cuts off the end of a chain and mends the case row is found by the root alone
    with store.read() as tx:
        kept = tx.events.of("a")[2]
    edit(
        store,
        "DELETE FROM event WHERE case_id='a' AND seq=4;"
        "DELETE FROM decision WHERE case_id='a' AND outcome='PASS';"
        f"UPDATE case_file SET last_seq=3, last_hash='{kept.hash}', state='review', revision=2 WHERE id='a'",
    )
    assert [f.en for f in audit.verify(store)] == ["the sealed root of 2026-11-20 does not match"]
