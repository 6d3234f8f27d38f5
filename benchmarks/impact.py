"""A million recorded candidate decisions decided again with a draft (design part 11: 10 s on 2 cores).

The decisions are drawn: ages, months, dates, faults and gaps vary, over 60 compounds and three years. They stand in a
database as acts leave them, but for their records, some 16 KB each, which an impact run does not read.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.acts import _catalogue as catalogue
from siquan.core.home import new_id, now
from siquan.core.policy.impact import run_impact
from siquan.core.policy.impact_crew import Draft
from siquan.core.policy.impact_kernel import Mode
from siquan.core.policy.impact_program import Program
from siquan.core.policy.impact_report import report
from siquan.core.rules.decide import RuleSet, decide
from siquan.core.rules.facts import FactSet, Reader
from siquan.core.service.record import record_of
from siquan.core.spec.read import read_parameters
from siquan.core.spec.source import parse_yaml
from siquan.core.store import tables as t
from siquan.core.store.database import Store
from siquan.core.store.layout import keep, layout_of

ROWS = int(os.environ.get("SIQUAN_IMPACT_ROWS", "1000000"))
FIRST = dt.date(2024, 1, 1)
RULES, BOOK = catalogue.ruleset("owners_committee.candidate"), catalogue.book_of("owners_committee.candidate")
FAULTS: tuple[dict[str, Any], ...] = (
    {"fee.arrears_months": 2}, {"fee.arrears_months": 5}, {"fund.unpaid": True}, {"dishonest.listed": True}, {"in_prep_team": True},
    {"same_unit_candidates": 2}, {"illegal_build": {"order_no": "城管〔2025〕8号", "order_date": "2025-03-01", "rectified_date": "none"}},
    {"crime": {"convicted": True, "intentional": True, "served_end": "2021-06-30"}}, {"post": "branch_secretary"},
    {"political_status": "cpc"}, {"establishment": "first"}, {"time_commit": False}, {"former": None}, {"conflict": None}, {"dishonest": None},
    {"conflict": {"relation": "sibling", "company_id": "91320200", "kind": "employee"}}, {"party_discipline": "2024-05-01"},
)  # fmt: skip


def draft() -> Draft:
    """A cap of age, arrears that count from three months, a longer term after a crime at one place, one rule rewritten."""
    lines = """
oc.age_max: {2024-06-01: {value: 70, basis: OWNERS, ref: 决议}}
oc.fee.min_months: {2024-01-01: {value: 2}}
oc.crime.years: [{from: 2024-01-01, place: compound/7, value: 8, basis: OWNERS, ref: 决议}]
"""
    changed = {"OC-N05": {"when": "present(struct) and struct.rectified = false"}, "OC-N03": {"when": "present(fund) and fund.unpaid and age > 30"}}
    rules = tuple(r.model_copy(update=changed.get(r.id, {})) for r in RULES.spec.rules)
    ruleset = RuleSet(RULES.spec.model_copy(update={"rules": rules}), RULES.scope, RULES.schema, RULES.derived)
    return Draft(ruleset, BOOK.with_specs(read_parameters(parse_yaml(lines, "draft.yaml"))))


def _patterns(rnd: random.Random, many: int) -> list[list[Any]]:
    """Inputs of drawn candidates, cut out of their decisions."""
    spec = catalogue.definition("owners_committee.candidate").spec
    case = next(c for c in spec.cases if c.decide and c.expect == "PASS")
    clean = {k: v for k, v in {**spec.bases.get(case.base, {}), **case.given}.items() if k.partition(".")[0] in RULES.schema.top}
    out = []
    for _ in range(many):
        given = dict(clean)
        for fault in rnd.sample(FAULTS, rnd.choice([0, 0, 0, 1, 1, 2, 3])):
            for path, value in fault.items():
                given = {k: v for k, v in given.items() if k != path and not k.startswith(path + ".")}
                given |= {} if value is None else {path: value}
        stated = Reader(RULES.schema, dt.date(2026, 11, 20)).read(given, check=False)
        day = dt.date(2026, 11, 20)
        decision = decide(RULES, FactSet(RULES.schema, stated, day), BOOK, day, both=False)
        out.append(json.loads(keep(layout_of(RULES), record_of(decision)).inputs or "[]"))
    return out


def _rows(rows: int, chains: dict[str, tuple[str, ...]]) -> Iterator[dict[str, Any]]:
    rnd = random.Random(7)
    layout, patterns = layout_of(RULES), _patterns(rnd, 2000)
    program = Program(RULES, BOOK, lambda place: chains[place])
    kernel, at = program.kernel(layout, Mode.FAST), layout.places
    compounds = [p for p in chains if p.startswith("compound/")]
    for _ in range(rows):
        values = list(rnd.choice(patterns))
        day = FIRST + dt.timedelta(days=rnd.randrange(1000))
        born = day - dt.timedelta(days=rnd.randrange(22 * 365, 85 * 365))
        values[at["birth_date"]] = born.toordinal()
        values[at["age"]] = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
        values[at["pledge_signed"]] = day.toordinal() - rnd.randrange(30)
        values[at["residence_months_last12"]] = rnd.randrange(13)
        place = rnd.choice(compounds)
        air = program.air(day, place, layout.limits)
        truths = kernel.run(values, air.params, day)
        assert truths is not None
        verdict = program.verdict(air, truths)
        yield {
            "decision_id": new_id(), "case_id": None, "event_seq": None, "refused": False, "ruleset": RULES.id, "on_date": day,
            "place": place, "layout": layout.digest, "outcome": verdict.outcome, "value": verdict.value, "results": verdict.results,
            "inputs": json.dumps(values, separators=(",", ":"), ensure_ascii=False), "lists": None, "ages": None,
        }  # fmt: skip


def fill(store: Store, rows: int) -> None:
    """Decisions as acts would have left them."""
    layout = layout_of(RULES)
    with store.begin() as tx:
        tx.people.add_unit("district", "district", "区")
        for s in range(4):
            tx.people.add_unit(f"street/{s}", "street", f"街道{s}", "district")
        for c in range(12):
            tx.people.add_unit(f"community/{c}", "community", f"社区{c}", f"street/{c % 4}")
        for c in range(60):
            tx.people.add_unit(f"compound/{c}", "compound", f"小区{c}", f"community/{c % 12}")
        tx.definitions.put(layout.digest, "layout", layout.ruleset, layout.document)
        chains = {unit.id: tuple(reversed(unit.line)) for unit in tx.people.units()}
    batch: list[dict[str, Any]] = []
    for row in _rows(rows, chains):
        batch.append(row)
        if len(batch) == 10_000:
            _write(store, batch)
            batch = []
    if batch:
        _write(store, batch)


def _write(store: Store, rows: Sequence[dict[str, Any]]) -> None:
    with store.begin() as tx:
        tx.conn.execute(sa.insert(t.decision_input), rows)
        tx.conn.execute(sa.insert(t.decision), [
            {
                "id": r["decision_id"], "case_id": None, "event_seq": None, "transition": "screen", "ruleset": RULES.id, "version": "shipped",
                "hash": RULES.hash, "on_date": r["on_date"], "place": r["place"], "outcome": r["outcome"], "refused": False, "record": {},
                "salt": "", "commitment": "", "actor": "", "at": tx.at, "children_revision": 0, "erased_at": None,
            } for r in rows
        ])  # fmt: skip


def impact_seconds(url: str, rows: int = ROWS, rounds: int = 2, processes: int = 2) -> list[tuple[float, int, int]]:
    """(seconds, decided, changed) of run after run; the first finds nothing in the database's own cache."""
    with Store(url, now, new_id) as store:
        fill(store, rows)
    out = []
    for n in range(rounds):
        with Store(url, now, new_id) as store:
            start = time.perf_counter()
            run = run_impact(store, f"bench{n}", draft(), content_hash=str(n), processes=processes)
            seconds = time.perf_counter() - start
            with store.read() as tx:
                found = report(tx, run)
            out.append((seconds, found.decided, found.changed))
    return out


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for seconds, decided, changed in impact_seconds(f"sqlite:///{Path(folder) / 'impact.db'}"):
            print(f"{decided} recorded decisions in {seconds:.1f} s, {decided / seconds:.0f}/s, {changed} change")


if __name__ == "__main__":
    main()
