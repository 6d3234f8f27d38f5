"""An impact run on both databases: what it finds, what it survives, and that it counts nothing twice."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import os
import random
import signal
import subprocess
import sys
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa

from siquan.core.errors import SiquanError
from siquan.core.jobs import Jobs
from siquan.core.plugins import Catalogue
from siquan.core.policy import impact_job
from siquan.core.policy.impact import job_step, run_impact
from siquan.core.policy.impact_crew import Crew, Draft
from siquan.core.policy.impact_job import ImpactJobs, Trial
from siquan.core.policy.impact_report import flips, flips_workbook, report
from siquan.core.policy.impact_tally import Tally
from siquan.core.rules.decide import RuleSet, decide
from siquan.core.rules.facts import FactSet, Reader
from siquan.core.service.record import record_of
from siquan.core.spec.read import read_parameters
from siquan.core.spec.source import parse_yaml
from siquan.core.store import audit, tables
from siquan.core.store.database import Store
from siquan.core.store.layout import layout_of

LEVEL = "approval.level"
HIGHER = "district_from: {2026-06-01: {value: 7000}, 2026-12-01: {value: 100}}"
AT = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)


def with_lines(catalogue: Catalogue, text: str = HIGHER) -> Draft:
    book = catalogue.book_of(LEVEL).with_specs(read_parameters(parse_yaml(text, "p.yaml")))
    return Draft(catalogue.ruleset(LEVEL), book)


def with_rules(catalogue: Catalogue, **cells: str) -> Draft:
    """The first row asks for more than the amount."""
    old = catalogue.ruleset(LEVEL)
    rows = (old.spec.rules[0].model_copy(update={"cells": {**old.spec.rules[0].cells, **cells}}), *old.spec.rules[1:])
    spec = old.spec.model_copy(update={"rules": rows, "inputs": (*old.spec.inputs, *(c for c in cells if c not in old.spec.inputs))})
    return Draft(RuleSet(spec, old.scope, old.schema, old.derived), catalogue.book_of(LEVEL))


def record_many(store: Store, catalogue: Catalogue, many: int = 900) -> None:
    """Decisions outside cases, every seventh a refusal, at three places and over a year."""
    rnd, rules, book = random.Random(5), catalogue.ruleset(LEVEL), catalogue.book_of(LEVEL)
    with store.begin() as tx:
        for n in range(many):
            day = dt.date(2026, 1, 1) + dt.timedelta(days=rnd.randrange(365))
            stated = Reader(rules.schema, day).read({"amount": rnd.choice([50, 4000, "5000.5", 6000, 6999, 7000, 8000])} if n % 11 else {})
            decision = decide(rules, FactSet(rules.schema, stated, day), book, day, (f"p{n % 3}",), both=False)
            tx.decisions.add(
                ruleset=LEVEL, version="shipped", hash=decision.hash, on_date=day, outcome=decision.outcome, record=record_of(decision),
                actor="z", place=decision.place, refused=n % 7 == 0, layout=layout_of(rules),
            )  # fmt: skip


def told(store: Store, run: str) -> dict[str, Any]:
    """Everything a run found but its id and times."""
    with store.read() as tx:
        counts = {k: v for k, v in tx.impacts.get(run).counts.items() if k != "seconds"}
        rows = [(f.seq, f.kind, f.decision_id, f.case_id, f.before_label, f.after_label, f.why) for f in tx.impacts.each(run)]
    return {"counts": counts, "rows": rows}


# what it finds


def test_a_higher_threshold(town: Any, approval: Catalogue) -> None:
    siquan, store = town.siquan, town.store
    cases = [town.submitted(amount) for amount in (4000, 6000, 6500, 9000)]
    for case in cases:
        siquan.act(case, "pass", "du")
    run = run_impact(store, "v1", with_lines(approval), content_hash="h1", by="qin")
    with store.read() as tx:
        found = report(tx, run)
        page = flips(tx, run)
        filtered = flips(tx, run, rule="L2", before="PASS district", after="PASS done", place="wutongli", kind="decision", size=1)
        none = flips(tx, run, rule="L9"), flips(tx, run, before="a\x00b")
    assert (found.status, found.total, found.rows, found.decided, found.changed, found.other, found.missing) == ("done", 4, 4, 4, 2, 0, 0)
    assert found.flow == {("PASS district", "PASS district"): 1, ("PASS district", "PASS done"): 2, ("PASS done", "PASS done"): 1}
    assert [(r.rule, r.newly_hit, r.no_longer_hit) for r in found.rules] == [("L1", 0, 2), ("L2", 2, 0)]
    assert found.places == {"wutongli": (4, 2)} and len(found.digest) == 64
    assert [(f.case_id, f.why) for f in page.rows] == [(c, {"L1": "hc", "L2": "ch"}) for c in cases[1:3]]
    assert (filtered.total, filtered.pages, len(filtered.rows)) == (2, 2, 1) and [n.total for n in none] == [0, 0]
    with store.read() as tx:
        assert tx.decisions.get(page.rows[0].decision_id).case_id == cases[1]
    town.whole()


def test_a_fact_the_decisions_did_not_record_comes_from_the_case(town: Any, approval: Catalogue) -> None:
    """`reason` stood in the case, but no rule read it; it may have been stated anew after the decision."""
    for amount in (6000, 8000):
        town.siquan.act(town.submitted(amount), "pass", "du")
    with town.store.begin() as tx:
        case = tx.decisions.get(next(tx.decisions.each()).id).case_id
        tx.events.append(case, "supplied", "he", {"facts": tx.facts.put(case, tx.events.next_seq(case), {"reason": {"value": "别的"}})})
    run = run_impact(town.store, "v", with_rules(approval, reason='"维修"'), content_hash="h")
    with town.store.read() as tx:
        assert report(tx, run).changed == report(tx, run).missing == 0
    run = run_impact(town.store, "v", with_rules(approval, reason='"别的"'), content_hash="h2")
    with town.store.read() as tx:
        assert report(tx, run).flow == {("PASS district", "BLOCK"): 2}


def test_a_fact_nobody_has_is_counted_as_missing(store: Store, approval: Catalogue) -> None:
    record_many(store, approval, 30)
    run = run_impact(store, "v", with_rules(approval, reason='"维修"'), content_hash="h")
    with store.read() as tx:
        found = report(tx, run)
    assert (found.decided, found.missing, found.missing_facts) == (0, 30, {"reason": 30})


def test_decisions_from_before_are_caught_up_with(store: Store, approval: Catalogue) -> None:
    record_many(store, approval)
    want = told(store, run_impact(store, "a", with_lines(approval), content_hash="h"))
    with store.begin() as tx:
        rows = tx.conn.execute(sa.select(tables.decision_input.c.decision_id)).scalars().all()
        tx.conn.execute(sa.delete(tables.decision_input).where(tables.decision_input.c.decision_id.in_(rows[::2])))
        assert tx.inputs.behind(LEVEL)
    again = told(store, run_impact(store, "b", with_lines(approval), content_hash="h"))
    assert {**again["counts"], "digest": ""} == {**want["counts"], "digest": ""}
    assert sorted(r[2:] for r in again["rows"]) == sorted(r[2:] for r in want["rows"])
    with store.read() as tx:
        assert not tx.inputs.behind(LEVEL)
    assert audit.verify(store) == []


def test_erasure_reaches_inputs_and_flips(town: Any, approval: Catalogue) -> None:
    case = town.submitted(6000)
    town.siquan.act(case, "pass", "du")
    run = run_impact(town.store, "v", with_lines(approval), content_hash="h")
    with town.store.begin() as tx:
        tx.facts.erase(case)
        tx.decisions.erase(case)
    with town.store.read() as tx:
        row = tx.conn.execute(sa.select(tables.decision_input)).one()
        assert (row.inputs, row.lists, row.ages, row.results, row.value) == (None, None, None, "", "null")
        assert [f.why for f in tx.impacts.each(run)] == [{}]
    assert audit.verify(town.store) == []
    run = run_impact(town.store, "v", with_lines(approval), content_hash="h2")
    with town.store.read() as tx:
        assert (report(tx, run).rows, report(tx, run).erased, report(tx, run).decided) == (1, 1, 0)


@pytest.mark.parametrize("change", ["inputs = '[1]'", "outcome = 'WARN'", "results = 'hh'", "layout = 'x'", "on_date = '2020-01-01'", "ages = '[3]'"])
def test_the_audit_sees_other_inputs(town: Any, change: str) -> None:
    case = town.submitted(6000)
    town.siquan.act(case, "pass", "du")
    with town.store.begin() as tx:
        tx.conn.execute(sa.text(f"UPDATE decision_input SET {change}"))
    assert [(f.code, f.case_id) for f in audit.verify(town.store)] == [("SQA14", case)]


def test_the_audit_sees_inputs_of_no_decision(store: Store, approval: Catalogue) -> None:
    record_many(store, approval, 2)
    with store.begin() as tx:
        tx.conn.execute(sa.text("UPDATE decision_input SET decision_id = 'x' WHERE n = (SELECT min(n) FROM decision_input)"))
    assert [f.code for f in audit.verify(store)] == ["SQA14"]


# open cases


@dataclass
class Trying:
    id: str
    amount: int
    catalogue: Catalogue
    place: str = "p"

    def _by(self, draft: Draft) -> Any:
        stated = Reader(draft.ruleset.schema, AT.date()).read({"amount": self.amount})
        if self.amount < 0:
            raise AssertionError
        return decide(draft.ruleset, FactSet(draft.ruleset.schema, stated, AT.date()), draft.book, AT.date(), both=False)

    def decide_old(self) -> Any:
        return self._by(Draft(self.catalogue.ruleset(LEVEL), self.catalogue.book_of(LEVEL)))

    def decide_new(self) -> Any:
        return self._by(with_lines(self.catalogue))


def test_open_cases(store: Store, approval: Catalogue) -> None:
    record_many(store, approval, 20)
    every = [Trying(f"c{n:04}", amount, approval) for n, amount in enumerate([100, 6000, -5] * 90)]

    def after(case: str) -> Iterator[Trying]:
        return (c for c in every if c.id > case)

    run = run_impact(store, "v", with_lines(approval), content_hash="h", open_cases=after)
    with store.read() as tx:
        found, page = report(tx, run).cases, flips(tx, run, kind="case")
    assert (found.checked, found.changed, found.failed, page.total) == (270, 90, 90, 90)
    assert found.flow == {("PASS district", "PASS done"): 90, ("PASS done", "PASS done"): 90} and sum(found.faults.values()) == 90
    assert page.rows[0].case_id == "c0001" and page.rows[0].decision_id is None


# what it survives


@pytest.mark.parametrize("processes", [1, 2])
def test_stretches_and_processes_change_nothing(store: Store, approval: Catalogue, processes: int) -> None:
    record_many(store, approval)
    whole = told(store, run_impact(store, "a", with_lines(approval), content_hash="h", processes=1))
    parts = told(store, run_impact(store, "b", with_lines(approval), content_hash="h", processes=processes, chunk=83))
    assert whole == parts and whole["counts"]["changed"] > 100
    assert {r[1] for r in whole["rows"]} == {"decision", "refusal"}


@pytest.mark.parametrize("nth", [2, 3, 8])
def test_a_run_that_is_broken_off_goes_on(store: Store, approval: Catalogue, nth: int) -> None:
    record_many(store, approval)
    want = told(store, run_impact(store, "a", with_lines(approval), content_hash="h"))
    steps = 0

    @contextmanager
    def step(**progress: Any) -> Iterator[Any]:
        nonlocal steps
        steps += 1
        with store.begin() as tx:
            yield tx
            if steps == nth:
                raise ConnectionError("gone")  # after everything was written, before it is committed

    with pytest.raises(ConnectionError):
        run_impact(store, "b", with_lines(approval), content_hash="h", step=step, chunk=83, processes=1)
    with store.read() as tx:
        [broken] = tx.impacts.of("b")
        assert (broken.status, broken.counts["rows"]) == ("failed", 83 * max(0, nth - 2))
    assert run_impact(store, "b", with_lines(approval), content_hash="h", chunk=83) == broken.id
    assert told(store, broken.id) == want


CHILD = """
import datetime as dt, os, signal, sys, uuid
from pathlib import Path
from siquan.core.plugins import discover
from siquan.core.policy import impact_job
from siquan.core.policy.impact import job_step, run_impact
from siquan.core.policy.impact_crew import Draft
from siquan.core.spec.read import read_parameters
from siquan.core.spec.source import parse_yaml
from siquan.core.store.database import Store

url, point, nth, processes = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
seen = 0

def fault(name):
    global seen
    seen += name == point
    if seen == nth:
        os.kill(os.getpid(), signal.SIGKILL)

catalogue = discover(bundled=False, only=[Path(sys.argv[5])])
book = catalogue.book_of("approval.level").with_specs(read_parameters(parse_yaml(sys.argv[6], "p.yaml")))
store = Store(url, lambda: dt.datetime.now(dt.UTC), lambda: uuid.uuid4().hex, fault=fault)
run_impact(store, "b", Draft(catalogue.ruleset("approval.level"), book), content_hash="h", chunk=83, processes=processes)
"""
APPROVAL = Path(__file__).parents[2] / "plugins" / "approval.yaml"


@pytest.mark.parametrize(("point", "processes"), [("before.commit", 1), ("after.commit", 2)])
def test_kill_9_in_the_middle(store: Store, database: str, approval: Catalogue, point: str, processes: int) -> None:
    record_many(store, approval)
    want = told(store, run_impact(store, "a", with_lines(approval), content_hash="h"))
    for nth in (3, 6):
        command = [sys.executable, "-c", CHILD, database, point, str(nth), str(processes), str(APPROVAL), HIGHER]
        child = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert child.returncode == -signal.SIGKILL, child.stderr
    with store.read() as tx:
        [broken] = tx.impacts.of("b")
    assert broken.status == "running" and 0 < broken.counts["rows"] < 900
    assert run_impact(store, "b", with_lines(approval), content_hash="h", chunk=83) == broken.id
    assert told(store, broken.id) == want


def test_a_worker_that_dies_is_replaced_by_its_parent(store: Store, approval: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    record_many(store, approval)
    want = told(store, run_impact(store, "a", with_lines(approval), content_hash="h"))
    monkeypatch.setattr(sys, "executable", "/bin/true" if os.path.exists("/bin/true") else "/usr/bin/true")
    assert told(store, run_impact(store, "b", with_lines(approval), content_hash="h", chunk=83, processes=2)) == want
    monkeypatch.setattr(sys, "executable", "/nowhere")
    assert told(store, run_impact(store, "c", with_lines(approval), content_hash="h", chunk=83, processes=2)) == want


def test_workers_that_are_all_gone_at_once() -> None:
    crew = Crew(None, 0, lambda stretch: Tally(stretch[1]))  # type: ignore[arg-type]
    for _ in range(2):
        ours, theirs = Pipe()
        theirs.close()
        crew._jobs[ours] = deque()
    assert [t.upto for t in crew.review([(0, 1), (1, 2), (2, 3)])] == [1, 2, 3]


# as a job


def test_a_job_is_cancelled_and_taken_up_again(store: Store, approval: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    record_many(store, approval)
    want = told(store, run_impact(store, "a", with_lines(approval), content_hash="h"))
    jobs = Jobs(store.engine)
    work = ImpactJobs(store, jobs, lambda version: Trial(with_lines(approval), f"hash of {version}"), processes=1, chunk=83)
    jobs.migrate()
    with store.begin() as tx:
        job, run = work.start(tx, "v7", "qin", "v7/1")
        assert work.start(tx, "v7", "qin", "v7/1") == (job, run)

    def cancelled_at(fifth: int) -> Any:
        def make(store: Store, run: Any) -> Any:
            made, steps = job_step(store, run), itertools.count(1)

            @contextmanager
            def step(**progress: Any) -> Iterator[Any]:
                if next(steps) == fifth:
                    jobs.cancel(job)
                with made(**progress) as tx:
                    yield tx

            return step

        return make

    with monkeypatch.context() as patch:
        patch.setattr(impact_job, "job_step", cancelled_at(5))
        jobs.drain()
    status = jobs.status(job)
    assert status is not None and (status.state, status.done, status.total) == ("cancelled", 3 * 83, 900)
    with store.read() as tx:
        assert (tx.impacts.get(run).status, tx.impacts.get(run).counts["rows"]) == ("cancelled", 3 * 83)
    assert jobs.retry(job)
    jobs.drain()
    status = jobs.status(job)
    assert status is not None and (status.state, status.done) == ("done", 900)
    assert told(store, run) == want
    with store.read() as tx:
        assert (report(tx, run).started_by, report(tx, run).version, report(tx, run).content_hash) == ("qin", "v7", "hash of v7")


# the report


def test_the_workbook(store: Store, approval: Catalogue) -> None:
    record_many(store, approval)
    run = run_impact(store, "v", with_lines(approval), content_hash="h")
    with store.read() as tx:
        found = report(tx, run)
        data = flips_workbook(tx, run, who="=钱科长", at=AT)
    sheet = openpyxl.load_workbook(io.BytesIO(data))["变化清单"]
    rows = list(sheet.iter_rows(values_only=True))
    assert "=钱科长" in rows[1][0] and "2026-11-23 09:00" in rows[1][0] and found.digest in rows[3][0]
    assert len(rows) == 5 + found.changed and rows[4][0] == "序号" and rows[5][1] in ("已作判定", "退回的办理")
    assert rows[5][6:8] == ("PASS district", "PASS done") and rows[5][8] == "L1 命中→未命中；L2 未命中→命中"
    assert {c.data_type for row in sheet.iter_rows(min_row=6) for c in row} <= {"n", "s", "d"}


def test_an_unfinished_run_has_no_workbook_and_no_digest(store: Store) -> None:
    with store.begin() as tx:
        counts = {"cases": {}, "seconds": 0.0, "flow": {}, "rules": {}, "other_rules": {}, "places": {}, "changed_places": {}, "missing_facts": {}}
        counts |= dict.fromkeys(("total", "rows", "decided", "changed", "other", "missing", "erased", "flips"), 0)
        run = tx.impacts.begin(version="v", content_hash="h", ruleset="r", by="", last_n=5, counts=counts)
        assert report(tx, run.id).digest == ""
        with pytest.raises(SiquanError) as e:
            flips_workbook(tx, run.id, who="x", at=AT)
        assert e.value.code == "SQ171"
        stale = tx.impacts.advance(run, upto_n=3)
        with pytest.raises(SiquanError) as e:
            tx.impacts.advance(run, upto_n=4)
        assert e.value.code == "SQ170" and stale.upto_n == 3


@pytest.mark.parametrize("more", [{"page": 0}, {"size": 0}, {"size": 501}, {"page": 10**12}])
def test_pages_that_do_not_exist(store: Store, approval: Catalogue, more: dict[str, int]) -> None:
    run = run_impact(store, "v", with_lines(approval), content_hash="h")
    with store.read() as tx:
        with pytest.raises(SiquanError) as e:
            flips(tx, run, **more)
        assert e.value.code == "SQ172"
        for unknown in (uuid.uuid4().hex, "a\x00b"):
            with pytest.raises(SiquanError) as e:
                report(tx, unknown)
            assert e.value.code == "SQ404"
