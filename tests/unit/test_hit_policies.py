"""Every hit policy of DMN over rows that hold, do not hold or are not known: against a naive reading that tries all the
ways in which the unknown rows may turn out; and the tables that are refused."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siquan.core.engine.definition import Binder
from siquan.core.errors import SiquanError, Where
from siquan.core.rules.decide import RuleSet, decide
from siquan.core.rules.decision import Decision
from siquan.core.rules.facts import FactSet, Reader
from siquan.core.rules.parameters import ParameterBook
from siquan.core.rules.table import Table
from siquan.core.spec.model import RuleSetSpec
from siquan.core.spec.read import read_ruleset
from siquan.core.spec.source import MissingKey, WrongShape, parse_yaml
from siquan.core.spec.table import (
    Incomparable,
    ManyOutputs,
    NoOrder,
    NotAnOutputValue,
    NotATable,
    WrongOutputs,
    check_table,
)
from siquan.core.spec.version import content_hash

ON = dt.date(2026, 11, 23)
POLICIES = ["U", "A", "P", "F", "R", "O", "C", "C+", "C<", "C>", "C#"]
FACTS = ["a", "b", "c", "d"]
BOOK = ParameterBook([])


def load(table: dict[str, Any]) -> RuleSet:
    """Through the loader: JSON is YAML."""
    raw = {"ruleset": "drawn", "facts": {f: {"type": "boolean", "by": "resident"} for f in FACTS}, **table}
    spec = read_ruleset("drawn.drawn", parse_yaml(json.dumps(raw, ensure_ascii=False, indent=1), "drawn.yaml"), Where("drawn.yaml"), alone=True)
    return Binder([], [spec], {}).bind()[1]["drawn.drawn"]


def run(table: dict[str, Any], facts: dict[str, bool]) -> Decision:
    ruleset = load(table)
    return decide(ruleset, FactSet(ruleset.schema, Reader(ruleset.schema, ON).read(facts), ON), BOOK, ON)


# The naive reading, from the words of the standard


def exactly(out: Any) -> Any:
    """Numbers as numbers, so that 2.5 and 2.50 are one."""
    if isinstance(out, dict):
        return {k: exactly(v) for k, v in out.items()}
    if isinstance(out, list):
        return [exactly(v) for v in out]
    if isinstance(out, str) and out.replace(".", "", 1).replace("-", "", 1).isdigit():
        return Fraction(out)
    return Fraction(out) if isinstance(out, int) and not isinstance(out, bool) else out


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return set(one) == set(other) and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def place(values: list[Any], value: Any) -> int:
    return next(i for i, v in enumerate(values) if same(exactly(v), exactly(value)))


def ordered(table: dict[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By decreasing priority: of the row, or of the outs among the listed values, the first output counting first."""
    outputs = table.get("outputs")
    if not isinstance(outputs, dict):
        return sorted(rows, key=lambda r: -r.get("priority", 0))
    for name, values in reversed(list(outputs.items())):
        if values:
            rows = sorted(rows, key=lambda r: place(values, r["out"][name] if len(outputs) > 1 else r["out"]))
    return rows


def naive(table: dict[str, Any], rows: list[dict[str, Any]]) -> tuple[str, Any]:
    """What the table says when exactly these rows hold."""
    policy, default = table["hit_policy"], table.get("default")
    if not rows:
        return ("PASS", exactly(default)) if default is not None else ("PASS", Fraction(0)) if policy == "C#" else ("BLOCK", None)
    outs = [exactly(r["out"]) for r in (ordered(table, rows) if policy in ("P", "O") else rows)]
    if policy == "U":
        return ("PASS", outs[0]) if len(outs) == 1 else ("BLOCK", None)
    if policy == "A":
        return ("PASS", outs[0]) if all(same(o, outs[0]) for o in outs) else ("BLOCK", None)
    if policy in ("F", "P"):
        return "PASS", outs[0]
    if policy in ("R", "O", "C"):
        return "PASS", outs
    return "PASS", exactly({"C+": sum, "C<": min, "C>": max, "C#": len}[policy](outs))  # type: ignore[operator]


def truth(row: dict[str, Any], facts: dict[str, bool]) -> bool | None:
    """All cells hold; one that does not decides; else one whose fact is unknown leaves it open."""
    wanted = {f: row[f] == "true" for f in FACTS if row.get(f, "-") != "-"}
    if any(f in facts and facts[f] is not w for f, w in wanted.items()):
        return False
    return True if all(f in facts for f in wanted) else None


def expected(table: dict[str, Any], facts: dict[str, bool]) -> tuple[str, Any, set[str], set[str]]:
    """Outcome, value, the unknown rows that matter, and the facts to ask for."""
    truths = {r["id"]: truth(r, facts) for r in table["rows"]}
    unknown = [id for id, t in truths.items() if t is None]
    worlds = [dict(zip(unknown, bits, strict=True)) for bits in itertools.product([False, True], repeat=len(unknown))]

    def says(world: dict[str, bool]) -> tuple[str, Any]:
        return naive(table, [r for r in table["rows"] if world.get(r["id"], truths[r["id"]])])

    def differs(id: str) -> bool:
        pairs = ((says({**w, id: False}), says({**w, id: True})) for w in worlds)
        return any(x[0] != y[0] or not same(x[1], y[1]) for x, y in pairs)

    matters = {id for id in unknown if differs(id)}
    asks = {f for r in table["rows"] if r["id"] in matters for f in FACTS if r.get(f, "-") != "-" and f not in facts}
    outcome, value = ("EVIDENCE", None) if matters else says(worlds[0])
    return outcome, value, matters, asks


NUMBERS = [0, 1, 2, -3, "2.5", "2.50", 10**40]
WORDS = ["甲", "乙", "丙"]
DAYS = ["2026-01-31", "2026-02-01", "2027-01-01"]


@st.composite
def tables(draw: Any) -> dict[str, Any]:
    """A table as its writer could have written it."""
    policy = draw(st.sampled_from(POLICIES))
    single = policy in ("C+", "C<", "C>", "C#")
    kinds = [NUMBERS] if policy == "C+" else [NUMBERS, WORDS, DAYS] if single else [NUMBERS, WORDS, [True, False, *WORDS, 1]]
    many = not single and draw(st.booleans())
    columns = {name: draw(st.sampled_from(kinds)) for name in (["级别", "days"] if many else ["级别"])}

    def out() -> Any:
        found = {name: draw(st.sampled_from(values)) for name, values in columns.items()}
        return found if many else found["级别"]

    table: dict[str, Any] = {"hit_policy": policy, "inputs": FACTS}
    listed = draw(st.booleans())
    if listed:
        # of values that are equal only one can stand in a list
        columns = {n: [v for v in vs if v != "2.50"] for n, vs in columns.items()}
        some = [draw(st.permutations(vs)) for vs in columns.values()]
        if many and draw(st.booleans()):
            some[draw(st.integers(0, 1))] = None
        table["outputs"] = dict(zip(columns, some, strict=True))
    elif many:
        table["outputs"] = list(columns)
    table["rows"] = [
        {
            "id": f"T{i}", **{f: draw(st.sampled_from(["-", "-", "true", "false"])) for f in FACTS}, "out": out(),
            **({} if listed else {"priority": draw(st.integers(1, 3))}),
        }
        for i in range(draw(st.integers(1, 5)))
    ]  # fmt: skip
    if draw(st.booleans()):
        table["default"] = draw(st.sampled_from([0, 1, 2, "2.5"])) if policy == "C#" else out()
        if policy in ("R", "O", "C") and draw(st.booleans()):
            table["default"] = [out() for _ in range(draw(st.integers(0, 2)))]
    return table


@given(tables(), st.lists(st.dictionaries(st.sampled_from(FACTS), st.booleans()), min_size=4, max_size=4))
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_table_says_what_all_the_ways_to_know_more_agree_on(table: dict[str, Any], worlds: list[dict[str, bool]]) -> None:
    ruleset = load(table)
    for facts in worlds:
        decision = decide(ruleset, FactSet(ruleset.schema, Reader(ruleset.schema, ON).read(facts), ON), BOOK, ON)
        outcome, value, matters, asks = expected(table, facts)
        assert decision.outcome == outcome, (table, facts)
        assert same(exactly(decision.value), value), (table, facts)
        assert {f.rule for f in decision.findings if f.outcome == "EVIDENCE"} == matters, (table, facts)
        assert {a.fact for a in decision.asks} == asks and all(a.blocking for a in decision.asks), (table, facts)


def test_every_small_table_over_every_truth() -> None:
    """Three rows, every policy, every out of a few, every default, every truth: the closed forms against trying."""
    for policy, outs, default in itertools.product(POLICIES, itertools.product([0, 1, 2], repeat=3), [None, 0, 1]):
        rows = [{"id": f"T{i}", "out": out, "priority": 3 - out} for i, out in enumerate(outs)]
        table = {"hit_policy": policy, "rows": rows, "default": default}
        spec = RuleSetSpec(id="t", hit_policy=policy, inputs=("a",), default=default, rules=[{**r, "cells": {"a": "-"}} for r in rows])  # type: ignore[arg-type]
        ready = Table(spec)
        for truths in itertools.product([True, False, None], repeat=3):
            settled = ready.settle({f"T{i}": t for i, t in enumerate(truths)})
            # one fact per row, true, false or not there
            single = [{**r, FACTS[i]: "true"} for i, r in enumerate(rows)]
            known = {FACTS[i]: t for i, t in enumerate(truths) if t is not None}
            outcome, value, matters, _ = expected({**table, "rows": single}, known)
            assert (settled.outcome, set(settled.matters)) == (outcome, matters), (policy, outs, default, truths)
            assert same(exactly(settled.value), value), (policy, outs, default, truths)


# By example

LEVELS: dict[str, Any] = {
    "hit_policy": "P",
    "inputs": ["a", "b"],
    "outputs": {"level": ["街道", "社区", "网格"], "days": None},
    "rows": [
        {"id": "G", "out": {"level": "网格", "days": 1}},
        {"id": "S", "a": "true", "out": {"level": "社区", "days": 3}},
        {"id": "J", "a": "true", "b": "true", "out": {"level": "街道", "days": 5}},
    ],
}


def test_the_listed_values_are_the_order() -> None:
    assert run(LEVELS, {"a": True, "b": True}).value == {"level": "街道", "days": 5}
    assert run(LEVELS, {"a": True, "b": False}).value == {"level": "社区", "days": 3}
    every = run({**LEVELS, "hit_policy": "O"}, {"a": True, "b": True}).value
    assert [v["level"] for v in every] == ["街道", "社区", "网格"]
    assert run(LEVELS, {"a": False}).value == {"level": "网格", "days": 1}
    # a is asked for, and b: either may still lift the level
    open_ = run(LEVELS, {})
    assert (open_.outcome, open_.value, {a.fact for a in open_.asks}) == ("EVIDENCE", None, {"a", "b"})
    assert json.loads(json.dumps(open_.contract()))["outcome"] == "EVIDENCE"


def test_an_unknown_row_that_cannot_win_asks_nothing() -> None:
    rows = [{"id": "T1", "a": "true", "out": 3}, {"id": "T2", "b": "true", "out": 5}, {"id": "T3", "c": "true", "out": 3}]
    table = {"hit_policy": "C<", "inputs": FACTS, "rows": rows}
    decision = run(table, {"a": True})
    assert (decision.outcome, decision.value, decision.asks) == ("PASS", 3, ())
    assert [(f.rule, f.result, f.outcome) for f in decision.findings] == [("T1", "hit", "PASS"), ("T2", "unknown", "NA"), ("T3", "unknown", "NA")]
    assert [a.fact for a in run({**table, "hit_policy": "C>"}, {"a": True}).asks] == ["b"]
    assert [a.fact for a in run({**table, "hit_policy": "A"}, {"a": True}).asks] == ["b"]
    assert [a.fact for a in run({**table, "hit_policy": "F"}, {"b": True}).asks] == ["a"]


def test_a_default_stands_where_no_row_does() -> None:
    table = {"hit_policy": "U", "inputs": ["a"], "rows": [{"id": "T", "a": "true", "out": "区"}], "default": "社区"}
    assert run(table, {"a": False}).value == "社区" and run(table, {"a": True}).value == "区"
    assert run(table, {}).outcome == "EVIDENCE" and run({**table, "default": "区"}, {}).value == "区"
    assert run({**table, "default": 0}, {"a": False}).value == 0
    assert run({**table, "hit_policy": "C", "default": []}, {"a": False}).contract()["value"] == []
    assert run({**table, "hit_policy": "C", "default": ["区"]}, {}).value == ["区"]


def test_one_output_may_be_written_by_its_name() -> None:
    table = {"hit_policy": "C", "inputs": ["a"], "outputs": "files", "rows": [{"id": "T", "out": {"files": "身份证"}}, {"id": "S", "out": "申请表"}]}
    assert run(table, {}).value == ["身份证", "申请表"]


def test_a_list_of_rules_stays_one() -> None:
    rules = [{"id": "A", "when": "a", "outcome": "REJECT", "basis": "STATUTE"}, {"id": "B", "when": "b", "outcome": "WARN"}]
    decision = run({"list": rules}, {"a": True, "b": True})
    assert (decision.outcome, decision.value, len(decision.hits())) == ("REJECT", None, 2)
    assert load({"list": rules}).table is None and load({"list": []}).table is None


def test_a_table_that_says_no_more_keeps_its_hash() -> None:
    table = {"hit_policy": "U", "inputs": ["a"], "rows": [{"id": "T", "a": "true", "out": 1}]}
    plain, other = load(table), load({**table, "default": 0})
    assert "default" not in plain.spec.model_dump() and "output_values" not in plain.spec.model_dump_json()
    assert plain.hash != other.hash and content_hash(plain.spec) != content_hash(other.spec)
    for ruleset in (plain, other, load(LEVELS)):
        again = RuleSetSpec.model_validate_json(ruleset.spec.model_dump_json())
        assert content_hash(again) == content_hash(ruleset.spec) and again.output_values == ruleset.spec.output_values


# What is refused

ROW = {"id": "T1", "a": "true", "out": 1}
PLAIN: dict[str, Any] = {"hit_policy": "U", "inputs": ["a"], "rows": [ROW]}
TWO = {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("change", "error", "shows"),
    [
        ({"outputs": ["a", "b"]}, WrongOutputs, "`1`"),
        ({"outputs": ["a", "b"], "rows": [{**ROW, "out": {"a": 1, "c": 2}}]}, WrongOutputs, "`c`"),
        ({"outputs": ["a", "b"], "rows": [{**ROW, "out": {"a": 1}}]}, WrongOutputs, "`a`"),
        ({"outputs": ["a", "b"], "rows": [{**ROW, "out": None}]}, WrongOutputs, "`null`"),
        ({"outputs": ["a", "b"], "rows": [{**ROW, "out": TWO}], "default": 3}, WrongOutputs, "`default`"),
        ({"outputs": ["a", "a"], "rows": [{**ROW, "out": TWO}]}, WrongShape, "a, a"),
        ({"outputs": ["", "b"], "rows": [{**ROW, "out": TWO}]}, WrongShape, "outputs"),
        ({"outputs": {"a": 5}}, WrongShape, "list of values"),
        ({"outputs": {"a": [1, 1]}}, WrongShape, "differ"),
        ({"outputs": {"a": [[2, 3], [2, 3]]}}, WrongShape, "differ"),
        ({"outputs": {"级别": ["甲"]}}, NotAnOutputValue, "`1`"),
        ({"outputs": {"a": [True]}}, NotAnOutputValue, "`1`"),
        ({"outputs": {"a": [1]}, "default": 2}, NotAnOutputValue, "`2`"),
        ({"outputs": {"a": [1]}, "default": [1, 2], "hit_policy": "R"}, NotAnOutputValue, "`2`"),
        ({"hit_policy": "C+", "rows": [{**ROW, "out": "很多"}]}, WrongShape, "`很多`"),
        ({"hit_policy": "C+", "rows": [{**ROW, "out": True}]}, WrongShape, "a number"),
        ({"hit_policy": "C+", "rows": [{**ROW, "out": [1]}]}, WrongShape, "a number"),
        ({"hit_policy": "C+", "default": "无"}, WrongShape, "`default`"),
        ({"hit_policy": "C#", "default": "无"}, WrongShape, "`default`"),
        ({"hit_policy": "C<", "rows": [ROW, {**ROW, "id": "T2", "out": "甲"}]}, Incomparable, "`甲`"),
        ({"hit_policy": "C>", "rows": [{**ROW, "out": False}]}, Incomparable, "`False`"),
        ({"hit_policy": "C>", "default": "甲"}, Incomparable, "`甲`"),
        ({"hit_policy": "C#", "outputs": ["a", "b"], "rows": [{**ROW, "out": TWO}]}, ManyOutputs, "2 outputs"),
        ({"hit_policy": "C+", "outputs": ["a", "b"], "rows": [{**ROW, "out": TWO}]}, ManyOutputs, "C+"),
        ({"hit_policy": "P", "rows": [ROW, {**ROW, "id": "T2"}]}, NoOrder, "has 0"),
        ({"hit_policy": "O", "outputs": {"a": [1]}, "rows": [{**ROW, "priority": 2}]}, NoOrder, "has 2"),
        ({"rows": [ROW, ROW]}, WrongShape, "unique"),
        ({"rows": [{"id": "T1", "a": "true"}]}, MissingKey, "`out`"),
        ({"rows": [{**ROW, "priority": 1.5}]}, WrongShape, "whole number"),
        ({"list": [{"id": "L", "when": "a", "outcome": "WARN"}]}, NotATable, "`inputs`"),
        ({"inputs": [], "rows": [], "list": [{"id": "L", "display_only": "看现场"}]}, NotATable, "`hit_policy: U`"),
        ({"inputs": [], "rows": [], "hit_policy": "C", "list": [{"id": "L", "when": "a", "outcome": "WARN"}], "default": 0}, NotATable, "`default`"),
        ({"inputs": [], "rows": [], "hit_policy": "C", "outputs": "a", "list": [{"id": "L", "when": "a", "outcome": "WARN"}]}, NotATable, "`outputs`"),
    ],
)  # fmt: skip
def test_refused(change: dict[str, Any], error: type[SiquanError], shows: str) -> None:
    load(PLAIN)
    with pytest.raises(error) as caught:
        load({**PLAIN, **change})
    fault = caught.value
    assert type(fault) is error and shows in fault.text("en") and fault.where is not None and fault.where.line
    for lang in ("en", "zh"):
        assert "{" not in fault.text(lang).replace("{a: …", "") and "\n" not in fault.text(lang)
        assert fault.help(lang).count("{") == fault.help(lang).count("}")


def test_a_spec_that_never_was_yaml_is_checked_too() -> None:
    ruleset = load(PLAIN)
    bad = ruleset.spec.model_copy(update={"outputs": ("x", "y")})
    for build in (check_table, lambda spec: RuleSet(spec, ruleset.scope, ruleset.schema)):
        with pytest.raises(WrongOutputs):
            build(bad)
