"""An act through the service, and the same rows written by bare SQL under the same durability."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import time

import sqlalchemy as sa

from siquan.core.home import new_id, now
from siquan.core.plugins import discover
from siquan.core.service import Siquan
from siquan.core.store.database import Store

ACTS = 150
_catalogue = discover()
_names = itertools.count()


def _service(url: str) -> tuple[Siquan, str, str]:
    store = Store(url, now, new_id)
    service = Siquan(store, _catalogue, now)
    n = next(_names)
    with store.begin() as tx:
        unit = tx.people.add_unit(f"community/bench{n}", "community", "测试社区").id
        person = tx.people.add("测试人员", unit_id=unit).id
        for role in ("resident", "community", "district"):
            tx.people.grant(person, role, unit, dt.date(2020, 1, 1))
    return service, person, unit


def acts_per_second(url: str) -> float:
    """Submit: access, form facts, fire, event, facts with commitments, task, deadline, chain."""
    service, person, unit = _service(url)
    cases = [service.open_case("approval.approval", person, unit).case for _ in range(ACTS)]
    start = time.perf_counter()
    for case in cases:
        service.act(case, "submit", person, {"amount": 4000, "reason": "维修"})
    rate = ACTS / (time.perf_counter() - start)
    service.app.store.close()
    return rate


def bare_per_second(url: str) -> float:
    """The statements that change data in such an act, with ready-made values, one transaction each."""
    store = Store(url, now, new_id)
    tables = [
        "create table if not exists bench_event (case_id text, seq integer, at text, actor text, kind text, data text, prev text, hash text, primary key (case_id, seq))",
        "create table if not exists bench_fact (id text primary key, case_id text, path text, value text, salt text, commitment text)",
        "create table if not exists bench_task (id text primary key, case_id text, state text, closed text)",
        "create table if not exists bench_due (id text primary key, case_id text, name text, end_date text, record text)",
        "create table if not exists bench_case (id text primary key, state text, revision integer)",
    ]  # fmt: skip
    ids = [new_id() for _ in range(ACTS)]
    with store.engine.begin() as conn:
        for ddl in tables:
            conn.execute(sa.text(ddl))
        for id in ids:
            conn.execute(sa.text("insert into bench_case values (:i, 'draft', 1)"), {"i": id})
            conn.execute(sa.text("insert into bench_task values (:t, :i, 'draft', null)"), {"t": new_id(), "i": id})
    data = json.dumps({"transition": "submit", "from": "draft", "to": "community", "facts": {"amount": "0" * 64, "reason": "0" * 64}})
    start = time.perf_counter()
    for id in ids:
        with store.engine.begin() as conn:
            conn.execute(sa.text("select * from bench_case where id = :i"), {"i": id}).first()
            for path in ("amount", "reason"):
                conn.execute(sa.text("insert into bench_fact values (:f, :i, :p, '4000', :s, :c)"), {"f": new_id(), "i": id, "p": path, "s": "0" * 32, "c": "0" * 64})
            conn.execute(
                sa.text("insert into bench_event values (:i, 2, :a, 'x', 'acted', :d, :h, :h)"),
                {"i": id, "a": now().isoformat(), "d": data, "h": "0" * 64},
            )
            conn.execute(sa.text("update bench_task set closed = 'x' where case_id = :i"), {"i": id})
            conn.execute(sa.text("insert into bench_task values (:t, :i, 'community', null)"), {"t": new_id(), "i": id})
            conn.execute(sa.text("insert into bench_due values (:t, :i, 'due', '2026-11-26', :d)"), {"t": new_id(), "i": id, "d": data})
            conn.execute(sa.text("update bench_case set state = 'community', revision = 2 where id = :i"), {"i": id})
    rate = ACTS / (time.perf_counter() - start)
    store.close()
    return rate
