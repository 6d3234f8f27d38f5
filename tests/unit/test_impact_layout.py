"""What is kept of a decision for deciding it again: told from the record alone, absent and unknown and too old apart."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from siquan.core.engine.definition import Binder
from siquan.core.errors import Where
from siquan.core.plugins import discover
from siquan.core.policy.impact import run_impact
from siquan.core.policy.impact_crew import Draft
from siquan.core.rules.decide import RuleSet, decide
from siquan.core.rules.facts import FactSet, Reader, Stated, staleness
from siquan.core.rules.parameters import ParameterBook
from siquan.core.service.record import record_of
from siquan.core.spec.read import read_parameters, read_ruleset
from siquan.core.spec.source import parse_yaml
from siquan.core.store.database import Store
from siquan.core.store.layout import Layout, every_list, keep, layout_for, layout_of

ON = dt.date(2026, 11, 23)
TEXT = """
ruleset: t
hit_policy: C
list:
  - {id: R1, when: 'rec.no = "x" and rec.kind = "none" and present(rec)', outcome: WARN, say: 一}
  - {id: R2, when: 'kind = "none" and word = "y" and n > 2 and born < today', outcome: WARN, say: 二}
  - {id: R3, when: 'old and count(names[pay > 1]) > 1 and gap < days(3) and few', outcome: WARN, say: 三}
facts:
  rec: {type: record, absent: 无, max_age: 30, fields: {no: {type: text, absent: 无}, kind: {type: enum, values: {x: 甲, none: 无}}, other: {type: text}}}
  kind: {type: enum, values: {x: 甲, none: 无}}
  word: {type: text, absent: 无}
  n: {type: decimal}
  born: {type: date, absent: 不详}
  names: {type: list, fields: {pay: {type: decimal}}}
  wide: {type: list, fields: {pay: {type: decimal}}}
derived:
  old: years between(born, today) > 60
  gap: today - born
  few: count(wide) < 3
"""


def rules() -> tuple[RuleSet, ParameterBook]:
    spec = read_ruleset("t.t", parse_yaml(TEXT, "t.yaml"), Where("t.yaml"), alone=True)
    book = ParameterBook(read_parameters(parse_yaml("unused: {2026-01-01: {value: 1}}", "p.yaml")))
    return Binder([], [spec], book.types()).bind()[1]["t.t"], book


RULES, BOOK = rules()
LAYOUT = layout_of(RULES)


def record(raw: Mapping[str, Any], more: Mapping[str, Stated] | None = None) -> dict[str, Any]:
    stated = {**Reader(RULES.schema, ON).read(raw), **(more or {})}
    facts = FactSet(RULES.schema, stated, ON, staleness(RULES.schema, stated, ON, int))
    return json.loads(json.dumps(record_of(decide(RULES, facts, BOOK, ON, both=False)), default=str))  # type: ignore[no-any-return]


def kept(raw: Mapping[str, Any], more: Mapping[str, Stated] | None = None) -> dict[str, Any]:
    """Path -> value as kept, (how, value) of a derived fact."""
    found = keep(LAYOUT, record(raw, more))
    values, lists = json.loads(found.inputs or ""), json.loads(found.lists or "null")
    out = {s.path: values[at] if not s.derive else (values[at - 1], values[at]) for s in LAYOUT.scalars for at in [LAYOUT.places[s.path]]}
    out |= {s.path: rows for s, rows in zip(LAYOUT.lists, lists, strict=True)}
    return out | {"bounds": values[LAYOUT.width :], "ages": json.loads(found.ages or "null"), "results": found.results}


def test_values() -> None:
    found = kept({"rec": {"no": "x"}, "kind": "none", "word": "y", "n": "2.50", "born": "1950-02-28", "names": {"value": [{"pay": 2}], "complete": True}})
    assert (found["rec"], found["rec.no"], found["rec.kind"]) == (True, "x", None)
    assert (found["kind"], found["word"], found["n"], found["born"]) == ("none", "y", "2.5", dt.date(1950, 2, 28).toordinal())
    assert found["old"] == (0, True) and found["results"] == "uhc"
    assert found["gap"] == (2, {})  # a duration cannot be told from its words: it is derived anew
    assert found["names"] == [True, [{"pay": 2}]] and found["wide"] is None


def test_absent_and_unknown() -> None:
    found = kept({"rec": "none", "word": "none", "born": "none"})
    assert (found["rec"], found["rec.no"], found["rec.kind"]) == ("", "", "")
    assert (found["word"], found["born"], found["n"], found["kind"], found["names"]) == ("", "", None, None, None)


def test_a_field_made_unknown_by_an_absent_record_is_absent() -> None:
    found = kept({"rec": "none"}, {"rec.no": Stated(None, by="he"), "rec.kind": Stated(None, by="he")})
    assert (found["rec"], found["rec.no"], found["rec.kind"]) == ("", "", "")


def test_a_record_revived_by_a_field_exists() -> None:
    found = kept({}, {"rec": Stated(None, by="he"), "rec.no": Stated("x", by="he")})
    assert (found["rec"], found["rec.no"]) == (True, "x")


def test_ages() -> None:
    def dated(days: int, value: Any = "none") -> dict[str, Any]:
        return {"value": value, "as_of": (ON - dt.timedelta(days=days)).isoformat()}

    fresh, stale = kept({"rec": dated(30)}), kept({"rec": dated(31)})
    assert (fresh["rec"], fresh["rec.no"], fresh["bounds"]) == ("", "", [30, 10_000_000])
    assert (stale["rec"], stale["rec.no"], stale["bounds"]) == (None, None, [-1, 31])
    both = kept({"rec": {"no": dated(3, "x"), "kind": dated(99, "none")}})
    assert (both["rec"], both["rec.no"], both["rec.kind"], both["bounds"]) == (True, "x", None, [3, 99])
    assert [99, "none"] in both["ages"] and 3 in both["ages"]


def test_a_long_list_is_marked_and_a_list_behind_a_derived_fact_is_left_in_the_record() -> None:
    many = {"value": [{"pay": n} for n in range(201)], "complete": True}
    assert kept({"names": many})["names"] == {"rows": 201}
    raw = record({"wide": {"value": [{"pay": 1}], "complete": True}})
    assert json.loads(keep(LAYOUT, raw).lists or "")[1] is None and every_list(LAYOUT, raw)[1] == [True, [{"pay": 1}]]


def test_a_layout_is_its_document() -> None:
    again = Layout.read(LAYOUT.document)
    assert again == LAYOUT and again.digest == LAYOUT.digest and layout_of(RULES) is LAYOUT
    assert layout_for(RULES, record({})).digest != LAYOUT.digest


@pytest.mark.parametrize("broken", [{}, {"facts": 3}, {"facts": {}, "on": "x"}, {"facts": {}, "on": "2026-01-01", "value": None, "findings": [{}]}])
def test_what_is_no_record(broken: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        keep(LAYOUT, broken)


def test_every_bundled_rule_set_has_a_layout() -> None:
    for ruleset in discover().rulesets.values():
        layout = layout_of(ruleset)
        assert {s.path for s in layout.slots} >= set(ruleset.facts) and Layout.read(layout.document) == layout


def add(store: Store, raw: Mapping[str, Any]) -> None:
    with store.begin() as tx:
        tx.decisions.add(ruleset="t.t", version="1", hash="h", on_date=ON, outcome="PASS", record=record(raw), actor="a", layout=LAYOUT)
        if raw.get("word") == "wrong":
            raise ZeroDivisionError


def test_a_layout_outlives_a_rolled_back_act() -> None:
    ids = itertools.count()
    with Store("sqlite://", lambda: dt.datetime(2026, 11, 23, tzinfo=dt.UTC), lambda: f"id{next(ids)}") as store:
        with pytest.raises(ZeroDivisionError):
            add(store, {"word": "wrong"})
        for _ in range(3):
            add(store, {"word": "y"})
        with store.read() as tx:
            assert tx.inputs.layout(LAYOUT.digest) == LAYOUT
            count = sa.text("SELECT count(*) FROM definition WHERE kind = 'layout'")
            assert tx.conn.execute(count).scalar() == 1


def test_a_list_left_in_the_record_is_fetched_when_a_draft_needs_it() -> None:
    """A parameter that gives the limit of `few`: the recorded value no longer counts, so the rows are counted anew."""
    ids = itertools.count()
    text = TEXT.replace("few: count(wide) < 3", "few: count(wide) < most").replace("old and count(names[pay > 1]) > 1 and gap < days(3) and few", "few")
    book = ParameterBook(read_parameters(parse_yaml("most: {2026-01-01: {value: 1}}", "p.yaml")))
    spec = read_ruleset("t.t", parse_yaml(text, "t.yaml"), Where("t.yaml"), alone=True)
    draft = Draft(Binder([], [spec], book.types()).bind()[1]["t.t"], book)
    with Store("sqlite://", lambda: dt.datetime(2026, 11, 23, tzinfo=dt.UTC), lambda: f"id{next(ids)}") as store:
        for n in range(3):
            add(store, {"wide": {"value": [{"pay": 1}] * n, "complete": True}})
        run = run_impact(store, "v", draft, content_hash="h")
        with store.read() as tx:
            counts = tx.impacts.get(run).counts
    assert counts["decided"] == 3 and counts["rules"] == {"R3": {"uh": 1, "uc": 2}}
