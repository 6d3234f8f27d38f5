"""What a decision says: outcomes, basis cap, tables, places and dates, asking, records (design part 5)."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest

from siquan.core.engine.definition import Binder, CircularFact
from siquan.core.errors import Errors, SiquanError, Where
from siquan.core.rules.atoms import WrongValue
from siquan.core.rules.check import TypeFault, UnknownName
from siquan.core.rules.decide import READINGS, EnginesDisagree, RuleSet, cap, decide
from siquan.core.rules.decision import Decision
from siquan.core.rules.durable import DurableFault, DurableReading, available
from siquan.core.rules.facts import FactSet, Reader, staleness
from siquan.core.rules.parameters import ParameterBook
from siquan.core.rules.values import Rows
from siquan.core.spec.read import read_parameters, read_ruleset
from siquan.core.spec.source import WrongShape, parse_yaml

ON = dt.date(2026, 11, 23)
FACTS = """
facts:
  a: {type: boolean, title: 甲项, by: clerk, evidence: [证明甲]}
  b: {type: boolean, title: 乙项, by: police}
  c: {type: boolean}
  first: {type: boolean}
  n: {type: decimal, title: 金额}
  born: {type: date, title: 出生日期, by: clerk}
  level: {type: enum, values: {ok: 正常, bad: 异常}}
  rec: {type: record, title: 违建, absent: 无, by: city, max_age: 30, fields: {no: {type: text, title: 文号}, fixed: {type: date, absent: 尚未}}}
  names: {type: list, title: 名单, fields: {police: {type: boolean, title: 民警}, pay: {type: decimal, min: 0}}}
derived:
  age: years between(born, today)
  old: age > 60
"""
PARAMETERS = """
limit: {2026-01-01: {value: 5}}
switch: {2026-01-01: {value: false}}
later: {2099-01-01: {value: 1}}
basis.R: [{from: 2026-01-01, value: OWNERS, place: compound/x, ref: 决议3号}, {from: 2027-01-01, value: STATUTE}]
"""


def load(rules: str, parameters: str = PARAMETERS) -> tuple[RuleSet, ParameterBook]:
    spec = read_ruleset("t.t", parse_yaml(f"ruleset: t\n{rules}\n{FACTS}", "t.yaml"), Where("t.yaml"), alone=True)
    book = ParameterBook(read_parameters(parse_yaml(parameters, "p.yaml")))
    _, found = Binder([], [spec], book.types()).bind()
    return found["t.t"], book


def run(rules: str, raw: dict[str, Any] | None = None, *, on: dt.date = ON, places: tuple[str, ...] = (), overrides: dict[str, Any] | None = None, **kw: Any) -> Decision:
    ruleset, book = load(rules)
    stated = Reader(ruleset.schema, on).read(raw or {})
    facts = FactSet(ruleset.schema, stated, on, staleness(ruleset.schema, stated, on, lambda x: int(x)))
    return decide(ruleset, facts, book.with_overrides(overrides or {}), on, places, **kw)


def rules(*items: str) -> str:
    return "list:\n" + "\n".join(f"  - {{{x}}}" for x in items)


def rule(id: str, when: str, outcome: str, basis: str = "STATUTE", more: str = "") -> str:
    return f'id: {id}, when: "{when}", outcome: "{outcome}", basis: {basis}{more}'


def results(d: Decision) -> dict[str, tuple[str, str]]:
    return {f.rule: (f.result, f.outcome) for f in d.findings}


def asked(d: Decision) -> dict[str, bool]:
    return {a.fact: a.blocking for a in d.asks}


ALL = rules(
    rule("J", "a", "REJECT"), rule("K", "b", "BLOCK"), rule("E", "c", "EVIDENCE"), rule("W", "n > 5", "WARN"), rule("P", "first", "PRIORITY"),
    rule("T", "level = bad", "TARGET"), "id: D, display_only: 靠人判断, title: 品行"
)  # fmt: skip
CLEAR = {"a": False, "b": False, "c": False, "n": 1, "first": False, "level": "ok"}


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({}, "PASS"),
        ({"a": True, "b": True, "c": True, "n": 9}, "REJECT"),
        ({"b": True, "c": True, "n": 9}, "BLOCK"),
        ({"c": True, "n": 9}, "EVIDENCE"),
        ({"n": 9}, "WARN"),
        ({"first": True, "level": "bad"}, "PASS"),
        ({"a": None}, "EVIDENCE"),
        ({"b": None}, "EVIDENCE"),
        ({"b": True, "a": None}, "BLOCK"),
        ({"n": None}, "WARN"),
        ({"first": None, "level": None}, "PASS"),
    ],
)
def test_the_first_outcome_that_occurs(more: dict[str, Any], outcome: str) -> None:
    assert run(ALL, {**CLEAR, **more}).outcome == outcome


def test_findings() -> None:
    found = results(run(ALL, {**CLEAR, "b": None, "n": None, "first": None, "c": True}))
    assert found == {
        "J": ("clear", "PASS"), "K": ("unknown", "EVIDENCE"), "E": ("hit", "EVIDENCE"), "W": ("unknown", "WARN"), "P": ("unknown", "NA"),
        "T": ("clear", "PASS"), "D": ("na", "NA"),
    }  # fmt: skip
    na = next(f for f in run(ALL, CLEAR).findings if f.rule == "D")
    assert na.message == "品行（靠人判断）"


def test_what_can_change_something_is_asked() -> None:
    unknown = dict.fromkeys(CLEAR)
    assert asked(run(ALL, unknown)) == {"a": True, "b": True, "c": True, "n": False}
    assert asked(run(ALL, {**CLEAR, "n": None})) == {"n": False}
    assert asked(run(ALL, {**unknown, "a": True})) == {}  # a certain REJECT asks nothing more
    assert asked(run(ALL, {**unknown, "b": True})) == {"a": True}  # after BLOCK only REJECT changes it
    assert asked(run(ALL, {**unknown, "a": False, "b": True})) == {}
    assert asked(run(ALL, {**CLEAR, "first": None, "level": None})) == {}
    ask = run(ALL, {**CLEAR, "a": None}).asks[0]
    assert (ask.title, ask.by, ask.evidence, ask.rules) == ("甲项", "clerk", ("证明甲",), ("J",))
    assert [a.blocking for a in run(ALL, unknown).asks] == [True, True, True, False]


@pytest.mark.parametrize(
    ("outcome", "basis", "result"),
    [
        ("REJECT", "STATUTE", "REJECT"), ("REJECT", "OWNERS", "REJECT"), ("REJECT", "POLICY", "WARN"), ("REJECT", "LOCAL", "WARN"),
        ("REJECT", "", "WARN"), ("BLOCK", "LOCAL", "BLOCK"), ("EVIDENCE", "POLICY", "EVIDENCE"), ("WARN", "LOCAL", "WARN"), ("PASS", "LOCAL", "PASS"),
    ],
)  # fmt: skip
def test_only_a_reject_on_guidance_is_capped(outcome: str, basis: str, result: str) -> None:
    assert cap(outcome, basis) == result


def test_a_capped_reject_says_so_and_never_blocks() -> None:
    text = rules(rule("R2", "a", "REJECT", "POLICY"))
    hit = run(text, {"a": True})
    assert hit.outcome == "WARN" and hit.findings[0].capped_from == "REJECT" and hit.findings[0].basis == "POLICY"
    open_ = run(text)
    assert (open_.outcome, asked(open_)) == ("WARN", {"a": False})
    assert run(rules(rule("R2", "a", "REJECT")), {"a": True}).findings[0].capped_from == ""


def test_the_basis_is_a_dated_line_per_place() -> None:
    text = rules(rule("R", "a", "REJECT", "POLICY"))
    assert run(text, {"a": True}).outcome == "WARN"
    there = run(text, {"a": True}, places=("compound/x", "community/1"))
    assert (there.outcome, there.place, there.findings[0].basis, there.findings[0].basis_cite) == ("REJECT", "compound/x", "OWNERS", "决议3号")
    assert [p.name for p in there.parameters] == ["basis.R"]
    assert run(text, {"a": True}, on=dt.date(2025, 12, 31), places=("compound/x",)).outcome == "WARN"
    assert run(text, {"a": True}, on=dt.date(2027, 1, 1)).findings[0].basis == "STATUTE"
    assert run(text, {"a": True}, overrides={"basis.R": "STATUTE"}).outcome == "REJECT"
    assert run(text, {"a": True}, overrides={"basis.R": "nonsense"}).outcome == "WARN"
    default = "basis: STATUTE\n" + rules('id: Z, when: "a", outcome: REJECT')
    assert run(default, {"a": True}).outcome == "REJECT"


READS = 'reads_as:\n  - {basis: OWNERS, reads_as: POLICY, when: "first", cite: 首次}\n' + rules(rule("Z", "a", "REJECT", "OWNERS"))


def test_a_basis_may_count_for_less() -> None:
    first = run(READS, {"a": True, "first": True})
    assert (first.outcome, first.findings[0].basis, first.findings[0].basis_cite) == ("WARN", "POLICY", "首次")
    assert run(READS, {"a": True, "first": False}).outcome == "REJECT"
    assert run(READS, {"a": None, "first": True}).outcome == "WARN"


def test_while_nobody_knows_which_basis_it_is_a_reject_is_not_certain() -> None:
    d = run(READS, {"a": True})
    assert (d.outcome, d.findings[0].result, asked(d)) == ("EVIDENCE", "unknown", {"first": True})
    assert run(READS, {"a": False}).outcome == "PASS"


SWITCHED = rules(rule("S", "a", "if switch and b then REJECT else WARN"))


@pytest.mark.parametrize(
    ("raw", "on", "outcome", "asks"),
    [
        ({"a": True}, False, "WARN", {}),
        ({"a": True, "b": True}, True, "REJECT", {}),
        ({"a": True, "b": False}, True, "WARN", {}),
        ({"a": True}, True, "EVIDENCE", {"b": True}),
        ({}, True, "EVIDENCE", {"a": True, "b": True}),
        ({}, False, "WARN", {"a": False}),
        ({"a": False}, True, "PASS", {}),
    ],
)
def test_an_outcome_may_be_an_expression(raw: dict[str, Any], on: bool, outcome: str, asks: dict[str, bool]) -> None:
    d = run(SWITCHED, raw, overrides={"switch": on})
    assert (d.outcome, asked(d)) == (outcome, asks)


def test_an_uncertain_outcome_is_weighed_after_the_cap() -> None:
    """On guidance `REJECT` comes to WARN, so that BLOCK is the most it can be; REJECT or WARN is WARN for certain."""
    d = run(rules(rule("S", "a", "if b then REJECT else BLOCK", "POLICY")), {"a": True})
    assert (d.outcome, asked(d)) == ("EVIDENCE", {"b": True})
    d = run(rules(rule("S", "a", "if b then REJECT else WARN", "POLICY")), {"a": True})
    assert (d.outcome, results(d)["S"], asked(d)) == ("WARN", ("hit", "WARN"), {})


NAMES = rules(rule("TOO", "count(names) > 12", "REJECT"), rule("NONE", "count(names[police]) = 0", "BLOCK"))


def many(n: int, police: bool | None = False, complete: bool = False) -> dict[str, Any]:
    return {"names": {"value": [{"police": police} for _ in range(n)], "complete": complete}}


def test_unfinished_lists() -> None:
    assert results(run(NAMES, many(13)))["TOO"] == ("hit", "REJECT")
    assert results(run(NAMES, many(12)))["TOO"] == ("unknown", "EVIDENCE")
    assert results(run(NAMES, many(12, complete=True)))["TOO"] == ("clear", "PASS")
    assert results(run(NAMES, many(3)))["NONE"] == ("unknown", "EVIDENCE")
    assert results(run(NAMES, many(3, complete=True)))["NONE"] == ("hit", "BLOCK")
    assert results(run(NAMES, many(1, True)))["NONE"] == ("clear", "PASS")
    assert results(run(NAMES, many(3, None, complete=True)))["NONE"] == ("unknown", "EVIDENCE")
    assert results(run(NAMES, {}))["TOO"] == ("unknown", "EVIDENCE")
    assert asked(run(NAMES, many(3))) == {"names": True}
    assert asked(run(NAMES, {"names": {"value": [{"pay": 1}], "complete": True}})) == {"names": True}  # a row without the field
    assert asked(run(NAMES, many(13))) == {}


def test_stale_facts_are_unknown() -> None:
    text = rules(rule("R2", "present(rec.no) and absent(rec.fixed)", "REJECT"))
    fresh = {"rec": {"value": {"no": "1", "fixed": "none"}, "as_of": "2026-11-01"}}
    stale = {"rec": {"value": {"no": "1", "fixed": "none"}, "as_of": "2026-10-01"}}
    assert run(text, fresh).outcome == "REJECT"
    d = run(text, stale)
    assert (d.outcome, asked(d)) == ("EVIDENCE", {"rec": True})
    assert d.facts["rec.no"]["stale_since"] == "2026-10-31"
    assert run(text, {"rec": {"value": "none", "as_of": "2026-10-01"}}).outcome == "EVIDENCE"


def test_a_record_is_asked_instead_of_its_leaves() -> None:
    text = rules(rule("R2", "present(rec.no) and absent(rec.fixed)", "REJECT"))
    assert asked(run(text)) == {"rec": True}
    assert asked(run(text, {"rec": {"no": "1"}})) == {"rec.fixed": True}
    assert run(text, {"rec": "none"}).outcome == "PASS"
    assert run(text).asks[0].by == "city"


def test_derived_facts_ask_for_their_sources() -> None:
    text = rules(rule("R2", "old", "REJECT"), rule("R3", "age < 18", "BLOCK"))
    assert asked(run(text)) == {"born": True}
    assert run(text, {"born": "1950-01-01"}).outcome == "REJECT"
    assert run(text, {"born": "2010-01-01"}).outcome == "BLOCK"
    assert run(text, {"age": 70}).outcome == "REJECT"  # stated instead of computed
    assert run(text, {"old": True, "age": 30}).outcome == "REJECT"
    assert run(text, {"born": "1950-01-01"}).facts["age"] == {"value": 76, "derived": True}


def test_only_what_can_still_turn_the_condition_is_asked() -> None:
    text = rules(rule("R2", "a and (b or c)", "REJECT"))
    assert asked(run(text, {"b": True})) == {"a": True}
    assert asked(run(text, {"a": True, "b": False})) == {"c": True}
    assert asked(run(text, {"a": False})) == {}
    assert asked(run(rules(rule("R2", "a or not(a)", "REJECT")))) == {"a": True}


def test_an_unknown_parameter_is_unknown() -> None:
    d = run(rules(rule("R2", "n > later", "REJECT")), {"n": 1})
    assert (d.outcome, d.findings[0].result) == ("EVIDENCE", "unknown")
    assert run(rules(rule("R2", "n > later", "REJECT")), {"n": 1}, overrides={"later": None}).outcome == "PASS"  # repealed


TABLE = """
hit_policy: {policy}
inputs: [n, level]
rows:
  - {{id: T1, n: "> 10", level: bad, out: 3, priority: 1}}
  - {{id: T2, n: "> 5", out: {two}, priority: 2}}
  - {{id: T3, n: "<= 5", out: 1}}
"""
HIGH, MIDDLE, LOW = {"n": 20, "level": "bad"}, {"n": 20, "level": "ok"}, {"n": 1, "level": "ok"}


@pytest.mark.parametrize(
    ("policy", "raw", "outcome", "value"),
    [
        ("U", LOW, "PASS", 1), ("U", MIDDLE, "PASS", 2), ("U", HIGH, "BLOCK", None), ("U", {"n": 20}, "EVIDENCE", None), ("U", {"n": 1}, "PASS", 1),
        ("U", {}, "EVIDENCE", None), ("A", MIDDLE, "PASS", 2), ("A", HIGH, "BLOCK", None), ("A", {"n": 20}, "EVIDENCE", None),
        ("F", HIGH, "PASS", 3), ("F", MIDDLE, "PASS", 2), ("F", {"n": 20}, "EVIDENCE", None), ("F", LOW, "PASS", 1),
        ("P", HIGH, "PASS", 2), ("P", {"n": 20}, "PASS", 2), ("P", LOW, "PASS", 1), ("R", HIGH, "PASS", [3, 2]), ("O", HIGH, "PASS", [2, 3]),
        ("R", {"n": 20}, "EVIDENCE", None), ("C#", HIGH, "PASS", 2), ("C+", HIGH, "PASS", 5), ("C<", HIGH, "PASS", 2), ("C>", HIGH, "PASS", 3),
        ("C+", LOW, "PASS", 1), ("C#", {"n": 20}, "EVIDENCE", None), ("C>", {}, "EVIDENCE", None),
    ],
)  # fmt: skip
def test_hit_policies(policy: str, raw: dict[str, Any], outcome: str, value: Any) -> None:
    d = run(TABLE.format(policy=f'"{policy}"', two=2), raw)
    assert (d.outcome, d.value) == (outcome, value)
    assert asked(d) == {} if outcome != "EVIDENCE" else asked(d) and all(asked(d).values())


def test_any_takes_equal_outputs_and_no_row_is_a_block() -> None:
    same = TABLE.format(policy="A", two=3)
    assert (run(same, HIGH).value, run(same, {"n": 20}).value) == (3, 3)
    assert run(TABLE.format(policy="U", two=2).replace("<= 5", "< 0"), LOW).outcome == "BLOCK"
    none = TABLE.format(policy='"C#"', two=2).replace("<= 5", "< 0")
    assert (run(none, LOW).outcome, run(none, LOW).value) == ("PASS", 0)
    assert run(none.replace("C#", "C+"), LOW).outcome == "BLOCK"


def test_collected_numbers_are_exact() -> None:
    text = TABLE.format(policy='"C+"', two="0.1").replace("out: 3", "out: 0.2")
    assert run(text, HIGH).value == "0.3"
    assert run(text.replace("C+", "C<"), HIGH).value == "0.1"
    with pytest.raises(WrongShape) as caught:
        run(TABLE.format(policy='"C+"', two="viel"), HIGH)
    assert caught.value.where is not None and caught.value.where.line == 7


def test_the_decision_can_be_told_and_replayed() -> None:
    raw = {"a": None, "n": "7.50", "rec": "none", "names": {"value": [{"pay": "0.5"}], "complete": True}, "born": {"value": "1990-01-01", "source": "户籍"}}
    text = rules(rule("A1", "a and present(rec.no)", "REJECT"), rule("A2", "n > limit and sum(names.pay) < 1 and age > 18", "WARN", "LOCAL", ", cite: S1 2, say: '{n}超过{limit}'"))
    d = run(text, raw)
    contract = json.loads(json.dumps(d.contract()))
    assert contract["outcome"] == "WARN" and set(contract) == {"outcome", "findings", "ask", "ruleset"}
    assert contract["findings"][1] == {"rule": "A2", "result": "hit", "outcome": "WARN", "basis": "LOCAL", "message": "7.5超过5", "cite": "S1 2"}
    assert set(contract["ruleset"]) == {"id", "version", "hash"} and len(d.hash) == 64
    assert d.facts["rec"] == {"value": "none"} and d.facts["n"] == {"value": "7.5"} and d.facts["born"]["source"] == "户籍"
    assert d.facts["names"] == {"value": [{"pay": "0.5"}], "complete": True}
    assert [(p.name, p.value) for p in d.parameters] == [("limit", 5)]
    ruleset, book = load(text)
    envelopes = {k: v for k, v in d.facts.items() if "derived" not in v and v != {"value": None}}
    stated = Reader(ruleset.schema, dt.date.max).read(envelopes, check=False)  # a field of what is absent says none, too
    assert decide(ruleset, FactSet(ruleset.schema, stated, ON), book, ON).contract() == d.contract()


def test_a_long_list_is_recorded_by_its_digest() -> None:
    d = run(NAMES, many(500))
    assert d.facts["names"]["value"] is None and d.facts["names"]["rows"] == 500 and len(d.facts["names"]["digest"]) == 64


def test_parents_and_lists_are_handed_in() -> None:
    ruleset, book = load(NAMES)
    facts = FactSet(ruleset.schema, {}, ON)
    d = decide(ruleset, facts, book, ON, lists={"names": Rows(({"police": True},), True)})
    assert d.outcome == "PASS"


def test_both_readings_or_a_preview() -> None:
    assert run(ALL, CLEAR, both=False).engines == ("compiled",)
    assert run(ALL, CLEAR).engines == (("compiled", "durable") if available() else ("compiled",))


@pytest.mark.skipif(not available(), reason="durable_rules is not installed")
@pytest.mark.parametrize("fault", [WrongValue(path="a", value="x", kind="boolean"), DurableFault(why="x")])
def test_a_failing_second_reading_withholds_the_decision(monkeypatch: pytest.MonkeyPatch, fault: SiquanError) -> None:
    def broken(self: Any, scalar: Any, computed: Any) -> dict[str, bool | None]:
        raise fault

    monkeypatch.setattr(DurableReading, "decide", broken)
    with pytest.raises(EnginesDisagree) as caught:
        run(ALL, CLEAR)
    assert caught.value.code == "SQ501" and "t.t" in caught.value.text("zh")


@pytest.mark.skipif(not available(), reason="durable_rules is not installed")
def test_a_disagreement_withholds_the_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DurableReading, "decide", lambda self, scalar, computed: {"J": False, "K": True})
    with pytest.raises(EnginesDisagree) as caught:
        run(ALL, CLEAR)
    assert caught.value.values["rules"] == "K、E、W、P、T"


@pytest.mark.skipif(not available(), reason="durable_rules is not installed")
def test_a_fact_of_the_wrong_type_counts_as_disagreement() -> None:
    ruleset, _ = load(rules(rule("R2", "n > 5", "WARN")))
    ruleset2, book = load(rules(rule("R2", "n > 5", "WARN")))
    stated = Reader(ruleset.schema, ON).read({"n": 7})
    odd = {"n": replace(stated["n"], value="7")}
    with pytest.raises(EnginesDisagree):
        decide(ruleset2, FactSet(ruleset2.schema, odd, ON), book, ON)


@pytest.mark.skipif(not available(), reason="durable_rules is not installed")
def test_few_durable_readings_are_kept() -> None:
    ruleset, book = load(rules(rule("R2", "n > limit and switch", "WARN")))
    facts = FactSet(ruleset.schema, Reader(ruleset.schema, ON).read({"n": 7}), ON)
    for i in range(READINGS + 10):
        decide(ruleset, facts, book.with_overrides({"limit": i}), ON)
    info = ruleset._durable.cache_info()
    assert (info.currsize, info.misses) == (READINGS, READINGS + 10)
    decide(ruleset, facts, book.with_overrides({"limit": READINGS + 9}), ON)
    assert ruleset._durable.cache_info().hits == 1
    params = {"limit": 1, "switch": True}
    assert ruleset.durable(params) is not ruleset.durable({"limit": True, "switch": 1})
    assert ruleset.durable(params) is ruleset.durable({"switch": True, "limit": 1})


def test_mistakes_in_any_rule_are_reported_together_with_their_lines() -> None:
    text = "list:\n  - {id: A1, when: 'aa', outcome: WARN}\n  - {id: A2, when: a, outcome: n}\n  - {id: A3, when: a, outcome: WARM}\n  - {id: A4, when: a, outcome: WARN, say: '{nn}'}"
    with pytest.raises(Errors) as caught:
        load(text)
    assert [(type(e), e.where and e.where.line) for e in caught.value] == [(UnknownName, 3), (TypeFault, 4), (UnknownName, 5), (UnknownName, 6)]


@pytest.mark.parametrize("derived", ["x: x + 1", "x: y\n  y: x"])
def test_derived_facts_may_not_go_round(derived: str) -> None:
    text = FACTS + "\n  " + derived
    spec = read_ruleset("t.t", parse_yaml(f"ruleset: t\nlist:\n  - {{id: A, when: a, outcome: WARN}}\n{text}", "t.yaml"), Where("t.yaml"), alone=True)
    with pytest.raises(CircularFact) as caught:
        Binder([], [spec], {}).bind()
    assert caught.value.where is not None and caught.value.where.file == "t.yaml"


def test_derived_facts_find_their_types_whatever_their_order() -> None:
    text = rules(rule("R2", "d3", "WARN")) + FACTS + "  d3: d2 and a\n  d2: d1 > 1\n  d1: count(names)\n"
    spec = read_ruleset("t.t", parse_yaml(f"ruleset: t\n{text}", "t.yaml"), Where("t.yaml"), alone=True)
    _, found = Binder([], [spec], {}).bind()
    schema = found["t.t"].schema
    assert schema.specs["d2"].type == "boolean"
    assert Reader(schema, ON).read({"d2": True})["d2"].value is True


def test_absent_values_in_a_condition() -> None:
    text = rules(rule("R2", "rec.fixed > today", "REJECT"), rule("R3", "not(rec.fixed > today)", "WARN"))
    assert results(run(text, {"rec": "none"})) == {"R2": ("clear", "PASS"), "R3": ("hit", "WARN")}
    assert run(text, {"rec": "none"}).facts["rec.fixed"] == {"value": "none"}
