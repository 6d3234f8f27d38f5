"""An impact run decides as `decide` does: drawn facts on the candidate rules and on every kind of rule set, with other
rules and parameters than those the decisions were recorded with."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from siquan.core.engine.definition import Binder
from siquan.core.errors import Where
from siquan.core.plugins import discover
from siquan.core.policy.impact import run_impact
from siquan.core.policy.impact_crew import Draft
from siquan.core.policy.impact_tally import label
from siquan.core.rules.decide import RuleSet, decide
from siquan.core.rules.decision import OUTCOMES, Decision
from siquan.core.rules.facts import FactSet, Reader, Schema, staleness
from siquan.core.rules.parameters import ParameterBook
from siquan.core.service.record import record_of
from siquan.core.spec.model import FactSpec, RuleSpec
from siquan.core.spec.read import read_parameters, read_ruleset
from siquan.core.spec.source import parse_yaml
from siquan.core.store.canonical import canonical
from siquan.core.store.database import Store
from siquan.core.store.layout import layout_of

CATALOGUE = discover()
START = dt.date(2025, 10, 1)
#: decisions drawn per rule set; more by hand: SIQUAN_EXAMPLES=3000 pytest ...
DRAWN = int(os.environ.get("SIQUAN_EXAMPLES", "300"))
numbers = itertools.count()


@pytest.fixture
def store() -> Iterator[Store]:
    ids = itertools.count()
    with Store("sqlite://", lambda: dt.datetime(2026, 11, 23, tzinfo=dt.UTC), lambda: f"id{next(ids):08}") as made:
        yield made


# drawing facts


def drawn_value(rnd: random.Random, spec: FactSpec, on: dt.date) -> Any:
    match spec.type:
        case "boolean":
            return rnd.random() < 0.4
        case "integer":
            return rnd.choice([n for n in (0, 1, 2, 3, 12, 17, 18, 70) if (spec.min or 0) <= n <= (spec.max or 99)])
        case "decimal":
            return rnd.choice([0, 1, "2.5", "0.1", 5000, "5000.01", 6])
        case "date":
            return (on + dt.timedelta(days=rnd.choice([-20000, -3000, -1827, -1826, -400, -366, -365, -30, -1, 0, 1, 40]))).isoformat()
        case "enum":
            return rnd.choice(list(spec.values))
        case "person":
            return rnd.choice(["甲", "乙"])
    return rnd.choice(["某文〔2026〕3号", "{}", "none ", '"x"'])


def drawn_fact(rnd: random.Random, spec: FactSpec, on: dt.date, dark: float) -> Any:
    """Wire form, or None to leave it out."""
    if rnd.random() < dark:
        return None
    as_of = (on - dt.timedelta(days=rnd.choice([0, 0, 1, 14, 15, 16, 29, 30, 31, 90]))).isoformat()
    if spec.absent and rnd.random() < 0.45:
        return {"value": "none", "as_of": as_of}
    if spec.type == "record":
        fields = {f.name: value for f in spec.fields if (value := drawn_fact(rnd, f, on, dark)) is not None}
        return {k: {**v, "as_of": as_of} if isinstance(v, dict) else {"value": v, "as_of": as_of} for k, v in fields.items()}
    if spec.type == "list":
        rows = [{f.name: v for f in spec.fields if (v := drawn_fact(rnd, f, on, dark)) is not None} for _ in range(rnd.randrange(4))]
        rows = [{k: v["value"] if isinstance(v, dict) else v for k, v in row.items()} for row in rows]
        return {"value": rows, "complete": rnd.random() < 0.6}
    value = drawn_value(rnd, spec, on)
    if spec.type == "text" and value == "none ":
        value = "无"
    return {"value": value, "as_of": as_of} if rnd.random() < 0.7 else value


def drawn_facts(rnd: random.Random, schema: Schema, on: dt.date) -> dict[str, Any]:
    dark = rnd.choice([0.0, 0.1, 0.5])
    out = {}
    for spec in schema.top.values():
        value = drawn_fact(rnd, spec, on, 0.7 if spec.derive else dark)
        if spec.derive and value is not None and not isinstance(value, dict):
            # a record does not tell a derived true from one that is stated without any source
            value = {"value": value, "source": "某证明"}
        if value is not None and value != {}:
            out[spec.name] = value
    return out


def fact_set(rules: RuleSet, book: ParameterBook, raw: dict[str, Any], on: dt.date, places: tuple[str, ...]) -> FactSet:
    reader = Reader(rules.schema, on)
    stated = reader.read(raw, check=False)
    assert not reader.errors, [e.text("en") for e in reader.errors]

    def number(text: str) -> Any:
        return int(text) if text.isdigit() else book.value(text, on, places) if text in book.specs else None

    return FactSet(rules.schema, stated, on, staleness(rules.schema, stated, on, number))


class Recorded:
    """Decisions on record and what they were decided on, so that `decide` can be asked again."""

    def __init__(self, store: Store, rules: RuleSet, book: ParameterBook) -> None:
        self.store, self.rules, self.book = store, rules, book
        self.cases: dict[str, tuple[Any, ...]] = {}
        self.read: dict[str, set[str]] = {}

    def add(self, raw: dict[str, Any], on: dt.date, places: tuple[str, ...] = (), parent: Any = None, lists: Any = None) -> Decision:
        facts = fact_set(self.rules, self.book, raw, on, places)
        decision = decide(self.rules, facts, self.book, on, places, parent=parent, lists=lists, both=False)
        with self.store.begin() as tx:
            row = tx.decisions.add(
                ruleset=decision.ruleset, version="shipped", hash=decision.hash, on_date=on, outcome=decision.outcome,
                record=record_of(decision), actor="a", place=places[0] if places else "", layout=layout_of(self.rules),
            )  # fmt: skip
        self.read[row.id] = set(decision.facts)
        self.cases[row.id] = (raw, on, places, parent, lists)
        return decision

    def forget_verdicts(self) -> None:
        """Every row then flips, and the flip says what the run made of it."""
        with self.store.begin() as tx:
            tx.conn.execute(sa.text("UPDATE decision_input SET outcome = 'OLD', value = 'null', results = ''"))

    def check(self, draft: Draft) -> int:
        """Every decision comes out as `decide` has it; only those that recorded nothing on a fact it reads are left out.
        Returns how many."""
        run = run_impact(self.store, f"v{next(numbers)}", draft, content_hash="h", chunk=37)
        with self.store.read() as tx:
            counts = tx.impacts.get(run).counts
            flips = {f.decision_id: f for f in tx.impacts.each(run)}
        missing = 0
        for id, (raw, on, places, parent, lists) in self.cases.items():
            facts = fact_set(draft.ruleset, draft.book, raw, on, places)
            want = decide(draft.ruleset, facts, draft.book, on, places, parent=parent, lists=lists, both=False)
            if id not in flips:
                missing += 1
                assert set(want.facts) - self.read[id], (on, raw)
                continue
            found = {f.rule: "-" + f.result[0] for f in want.findings if f.result in ("hit", "unknown")}
            assert (flips[id].after_label, flips[id].why) == (label(want.outcome, canonical(want.value)), found), (on, raw)
        assert (counts["rows"], counts["missing"], counts["changed"]) == (len(self.cases), missing, len(flips))
        return missing


# the candidate rules


def edited(rules: RuleSet, changes: dict[str, dict[str, Any]], drop: tuple[str, ...] = ()) -> RuleSet:
    specs = [r.model_copy(update=changes.get(r.id, {})) for r in rules.spec.rules if r.id not in drop]
    specs += [RuleSpec(id=id, **more) for id, more in changes.items() if not any(r.id == id for r in rules.spec.rules)]
    return RuleSet(rules.spec.model_copy(update={"rules": tuple(specs)}), rules.scope, rules.schema, rules.derived)


def lined(book: ParameterBook, text: str) -> ParameterBook:
    return book.with_specs(read_parameters(parse_yaml(text, "p.yaml")))


CANDIDATE = CATALOGUE.ruleset("owners_committee.candidate")
BOOK = CATALOGUE.book_of(CANDIDATE.id)
DRAFTS = {
    "as it is": Draft(CANDIDATE, BOOK),
    "a value later": Draft(CANDIDATE, lined(BOOK, "oc.fee.min_months: {2026-03-01: {value: 2}}\noc.age_max: {2026-02-01: {value: 65}}")),
    "a value at a place": Draft(CANDIDATE, lined(BOOK, "oc.crime.years: [{from: 2025-01-01, place: street/b, value: 1, basis: OWNERS, ref: 决议}]")),
    "a basis at a place": Draft(CANDIDATE, lined(BOOK, "basis.OC-N06: [{from: 2026-01-01, place: compound/huheyuan, value: LOCAL}]")),
    "fees may reject": Draft(CANDIDATE, lined(BOOK, "oc.fee.reject_allowed: {2026-01-15: {value: true}}\nbasis.OC-N01: [{from: 2025-01-01, value: STATUTE}]")),
    "checks count for two weeks": Draft(CANDIDATE, lined(BOOK, "oc.fact.max_age_days: {2025-11-01: {value: 15}}")),
    "checks count for long": Draft(CANDIDATE, lined(BOOK, "oc.fact.max_age_days: {2025-11-01: {value: 90}}")),
    "other conditions": Draft(
        edited(CANDIDATE, {
            "OC-N01": {"when": "present(fee) and fee.arrears_months >= 3"}, "OC-E02": {"outcome": "WARN"},
            "OC-X1": {"when": "age > 60 and not(retired_experience)", "outcome": "BLOCK", "basis": "STATUTE"},
            "OC-X2": {"when": "pledge_signed < today - months(2) or residence_months_last12 + 1 in [4..13]", "outcome": "WARN"},
        }, drop=("OC-P01", "OC-N24")), BOOK,
    ),
}  # fmt: skip
_SPEC = CATALOGUE.definition("owners_committee.candidate").spec
_CASE = next(c for c in _SPEC.cases if c.decide and c.expect == "PASS")
CLEAN = {k: v for k, v in {**_SPEC.bases.get(_CASE.base, {}), **_CASE.given}.items() if k.partition(".")[0] in CANDIDATE.schema.top and k != "pledge_signed"}
PLACES = [(), ("compound/huheyuan", "street/b", "d"), ("compound/chenghu", "d"), ("compound/other", "street/b", "d")]


def settle(store: Store) -> None:
    with store.begin() as tx:
        for id, kind, above in (("d", "district", None), ("street/b", "street", "d"), ("compound/huheyuan", "compound", "street/b"),
                                ("compound/chenghu", "compound", "d"), ("compound/other", "compound", "street/b")):  # fmt: skip
            tx.people.add_unit(id, kind, id, above)


def test_candidates_are_decided_as_ever(store: Store) -> None:
    settle(store)
    rnd = random.Random(20261123)
    recorded = Recorded(store, CANDIDATE, BOOK)
    for _ in range(DRAWN):
        on = START + dt.timedelta(days=rnd.randrange(400))
        parent = rnd.choice([None, {"establishment": "first"}.get, {"establishment": "term_change"}.get])
        raw = drawn_facts(rnd, CANDIDATE.schema, on)
        if rnd.random() < 0.5:  # few faults in somebody who otherwise passes
            kept = rnd.sample(sorted(raw), min(len(raw), rnd.choice([0, 1, 2, 4])))
            clean = {k: v for k, v in CLEAN.items() if k.partition(".")[0] not in kept}
            raw = {"pledge_signed": on.isoformat(), **clean, **{k: raw[k] for k in kept}}
        if parent is None and rnd.random() < 0.7:
            raw["establishment"] = rnd.choice(["first", "term_change"])
        recorded.add(raw, on, rnd.choice(PLACES), parent)
    with store.read() as tx:
        assert {row.outcome for row in tx.decisions.each()} == set(OUTCOMES)
    recorded.forget_verdicts()
    for draft in DRAFTS.values():
        assert not recorded.check(draft)


# every kind of rule set

FACTS = """
facts:
  a: {type: boolean}
  b: {type: boolean, absent: 无}
  n: {type: decimal, min: 0}
  k: {type: integer}
  born: {type: date, absent: 不详}
  level: {type: enum, values: {ok: 正常, bad: 异常, none: 没有}}
  word: {type: text, absent: 无}
  rec: {type: record, absent: 无, max_age: days_ok, fields: {no: {type: text, absent: 无}, at: {type: date}, kind: {type: enum, values: {x: 甲, none: 无}}}}
  names: {type: list, absent: 无, fields: {police: {type: boolean}, pay: {type: decimal, min: 0}, since: {type: date}, kind: {type: enum, values: {x: 甲, none: 无}}}}
derived:
  age: years between(born, today)
  old: age > limit or a
  share: n / 3
  late: born + months(6)
  odd: share > 1 and late < today
  police: count(names[police])
"""
VALUES = """
limit: [{from: 2025-01-01, value: 2}, {from: 2026-01-01, value: 20}, {from: 2025-06-01, place: d, value: 50}]
days_ok: {2025-01-01: {value: 30}}
basis.R1: [{from: 2026-03-01, value: OWNERS, place: compound/chenghu, ref: 决议}]
"""
LATER = """
limit: [{from: 2026-02-01, value: 1}]
days_ok: {2026-02-01: {value: 10}}
"""
#: (rules as recorded, rules as drafted), which read the same facts
SETS = {
    "list": ("""
hit_policy: C
reads_as: [{basis: OWNERS, reads_as: POLICY, when: 'level = "ok"', cite: 某条}]
list:
  - {id: R1, when: 'a and not(b)', outcome: REJECT, basis: STATUTE, say: 一}
  - {id: R2, when: 'old and present(rec.no) or rec.kind = "none"', outcome: 'if odd then REJECT else if b then BLOCK else WARN', basis: OWNERS, say: 二}
  - {id: R3, when: 'police > 1 or (some x in names satisfies x.pay > n)', outcome: WARN, basis: POLICY, say: 三}
  - {id: R4, when: 'word = "某文" or rec.at < born', outcome: EVIDENCE, basis: LOCAL, say: 四}
  - {id: R5, display_only: 不算, outcome: WARN, say: 五}
""", """
hit_policy: C
reads_as: [{basis: OWNERS, reads_as: LOCAL, when: 'level != "bad"', cite: 某条}]
list:
  - {id: R1, when: 'a or not(b)', outcome: REJECT, basis: OWNERS, say: 一}
  - {id: R2, when: 'old and absent(rec.no) or rec.kind != "none"', outcome: 'if odd or a then REJECT else WARN', basis: OWNERS, say: 二}
  - {id: R6, when: 'police = 0 or (every x in names satisfies x.pay > n) or list contains(names[kind = "none"].since, rec.at)', outcome: BLOCK, say: 三}
  - {id: R4, when: 'word = "无" or rec.at < born or age > limit + 1', outcome: EVIDENCE, basis: LOCAL, say: 四}
"""),
    **{
        policy: (f"""
hit_policy: {policy}
inputs: [n, level, k]
rows:
  - {{id: T1, n: '< limit', level: ok, out: {outs[0]}, say: 一}}
  - {{id: T2, n: '>= 2', level: not("ok"), k: '<= 2', out: {outs[1]}, say: 二}}
  - {{id: T3, k: '> 2', out: {outs[2]}, say: 三}}
""", f"""
hit_policy: {policy}
inputs: [n, level, k]
rows:
  - {{id: T1, n: '<= limit', level: '"ok", "none"', out: {outs[1]}, say: 一}}
  - {{id: T2, n: '>= 2', level: not("ok"), k: '<= 3', out: {outs[2]}, say: 二}}
  - {{id: T4, k: '> 12', out: {outs[0]}, say: 三}}
""")
        for policy, outs in {
            "P\noutputs: {r: [z, y, x]}": "xyz", "O\noutputs: {r: [z, y, x]}": "xyz",
            "U": "xyz", "A": "xyx", "F": "xyz", "R": "xyz", "C": "xyx", "C+": (1, "2.5", 3), "C<": (3, 1, 2), "C>": (3, 1, 2), "C#": "xyz",
        }.items()
    },
}  # fmt: skip


def bound(rules: str, later: str = "") -> Draft:
    spec = read_ruleset("t.t", parse_yaml(f"ruleset: t\n{rules}\n{FACTS}", "t.yaml"), Where("t.yaml"), alone=True)
    book = lined(ParameterBook(read_parameters(parse_yaml(VALUES, "p.yaml"))), later or "unused: {2025-01-01: {value: 1}}")
    _, found = Binder([], [spec], book.types()).bind()
    return Draft(found["t.t"], book)


@pytest.mark.parametrize("name", SETS)
def test_every_kind_of_rule_set_is_decided_as_ever(store: Store, name: str) -> None:
    settle(store)
    rnd = random.Random(name)
    old, new = SETS[name]
    before = bound(old)
    recorded = Recorded(store, before.ruleset, before.book)
    for _ in range(DRAWN):
        on = START + dt.timedelta(days=rnd.randrange(400))
        recorded.add(drawn_facts(rnd, before.ruleset.schema, on), on, rnd.choice(PLACES))
    recorded.forget_verdicts()
    assert not recorded.check(before)
    for draft in (bound(old, LATER), bound(new, LATER)):
        assert recorded.check(draft) < DRAWN / 2
