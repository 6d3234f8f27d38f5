"""Facts on the wire: one form for forms, Excel, cases, API and both engines; what is refused and what is unknown."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siquan.core.errors import BadInput, Errors, SiquanError
from siquan.core.rules.facts import (
    BadFact,
    FactSet,
    Reader,
    Schema,
    Stated,
    UnknownFact,
    number_text,
    staleness,
    to_wire,
    type_of,
)
from siquan.core.rules.values import ABSENT, Rows
from siquan.core.spec.read import read_facts
from siquan.core.spec.source import parse_yaml

ON = dt.date(2026, 11, 23)
SPECS = """
flag: {type: boolean, title: 是否业主}
n: {type: integer, min: 0, max: 120, title: 人数, unit: 人}
m: {type: decimal, absent: 无}
d: {type: date, absent: 无}
level: {type: enum, values: {ok: 正常, bad: 异常}, absent: 无}
code: {type: enum, values: {none: 未婚, one: 已婚}, absent: 没有}
note: {type: text}
who: {type: person}
rec: {type: record, title: 违建, absent: 无, max_age: 30, by: city, evidence: [决定书], fields: {no: {type: text, title: 文号}, on: {type: date, absent: 尚未}, deep: {type: record, fields: {x: {type: boolean}}}}}
firm: {type: record, fields: {no: {type: text}}}
xs: {type: list, absent: 无, fields: {name: {type: text}, area: {type: decimal, min: 0}, on: {type: date, absent: 无}}}
tags: {type: list}
fresh: {type: boolean, max_age: limit}
"""
SCHEMA = Schema(read_facts(parse_yaml(SPECS, "facts.yaml")))


def read(raw: Any, titles: bool = False, on: dt.date = ON) -> dict[str, Any]:
    return {path: s.value for path, s in Reader(SCHEMA, on, titles=titles).read(raw).items()}


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ({"flag": True}, {"flag": True}),
        ({"flag": "true"}, {"flag": True}),
        ({"flag": None}, {"flag": None}),
        ({"n": 7}, {"n": 7}),
        ({"n": "7"}, {"n": 7}),
        ({"n": "7.0"}, {"n": 7}),
        ({"m": "0.10"}, {"m": Fraction(1, 10)}),
        ({"m": 0.1}, {"m": Fraction(1, 10)}),
        ({"m": Decimal("2.50")}, {"m": Fraction(5, 2)}),
        ({"m": "2/3"}, {"m": Fraction(2, 3)}),
        ({"m": 10**40}, {"m": 10**40}),
        ({"m": "9" * 60}, {"m": int("9" * 60)}),
        ({"m": "-1e3"}, {"m": -1000}),
        ({"m": "none"}, {"m": ABSENT}),
        ({"m": "  "}, {"m": None}),
        ({"d": "2024-02-29"}, {"d": dt.date(2024, 2, 29)}),
        ({"d": dt.datetime(2024, 2, 29, 23, 59)}, {"d": dt.date(2024, 2, 29)}),
        ({"level": "bad"}, {"level": "bad"}),
        ({"level": "none"}, {"level": ABSENT}),
        ({"code": "none"}, {"code": "none"}),
        ({"note": 12}, {"note": "12"}),
        ({"note": " 全角　空格 "}, {"note": "全角　空格"}),
        ({"who": "none"}, {"who": "none"}),
        ({"rec": {"no": "1"}}, {"rec.no": "1"}),
        ({"rec.no": "1", "rec.on": "none"}, {"rec.no": "1", "rec.on": ABSENT}),
        ({"rec": {"deep": {"x": True}}}, {"rec.deep.x": True}),
        ({"rec": "none"}, {"rec": ABSENT}),
        ({"rec": None}, {}),
        ({"xs": [{"name": "张", "area": "1.5"}]}, {"xs": Rows(({"name": "张", "area": Fraction(3, 2)},), False)}),
        ({"xs": {"value": [], "complete": True}}, {"xs": Rows((), True)}),
        ({"xs": "none"}, {"xs": ABSENT}),
        ({"tags": ["A", None]}, {"tags": Rows(("A", None), False)}),
    ],
)
def test_values(raw: dict[str, Any], value: dict[str, Any]) -> None:
    assert read(raw) == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ({"flag": "是"}, {"flag": True}),
        ({"flag": "未知"}, {"flag": None}),
        ({"level": "异常"}, {"level": "bad"}),
        ({"level": "无"}, {"level": ABSENT}),
        ({"level": "不详"}, {"level": None}),
        ({"rec": "无"}, {"rec": ABSENT}),
        ({"xs": "无"}, {"xs": ABSENT}),
        ({"m": "1,234.5"}, {"m": Fraction(2469, 2)}),
        ({"d": "2026年3月1日"}, {"d": dt.date(2026, 3, 1)}),
        ({"d": "2026/3/1"}, {"d": dt.date(2026, 3, 1)}),
        ({"code": "没有"}, {"code": ABSENT}),
    ],
)
def test_what_people_see_is_read_where_titles_are(raw: dict[str, Any], value: dict[str, Any]) -> None:
    assert read(raw, titles=True) == value


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ({"flag": "yes"}, "flag"),
        ({"flag": 1}, "flag"),
        ({"flag": "是"}, "flag"),
        ({"n": True}, "n"),
        ({"n": "abc"}, "n"),
        ({"n": "5.5"}, "n"),
        ({"n": -1}, "n"),
        ({"n": 121}, "n"),
        ({"n": "none"}, "n"),
        ({"m": "1" * 61}, "m"),
        ({"m": 10**60}, "m"),
        ({"m": 10**6000}, "m"),
        ({"m": "1e999999999"}, "m"),
        ({"m": "nan"}, "m"),
        ({"m": float("inf")}, "m"),
        ({"m": "1/0"}, "m"),
        ({"m": [1]}, "m"),
        ({"m": {"x": 1}}, "m"),
        ({"d": "2026-02-30"}, "d"),
        ({"d": "2026年3月1日"}, "d"),
        ({"d": 20260301}, "d"),
        ({"d": "２０２６-03-01"}, "d"),
        ({"level": "异常"}, "level"),
        ({"level": True}, "level"),
        ({"note": "none"}, "note"),
        ({"note": True}, "note"),
        ({"note": "a\x00b"}, "note"),
        ({"note": "a\ud800b"}, "note"),
        ({"note": "长" * 20_001}, "note"),
        ({"rec": "有"}, "rec"),
        ({"rec": 5}, "rec"),
        ({"firm": "none"}, "firm"),
        ({"xs": 5}, "xs"),
        ({"xs": [5]}, "xs[0]"),
        ({"xs": [{"area": -1}]}, "area"),
        ({"xs": {"value": [], "complete": "false"}}, "xs"),
        ({"tags": [["A"]]}, "tags[0]"),
        ({"flag": {"value": True, "when": "x"}}, "flag"),
        ({"flag": {"value": True, "as_of": "2026-11-24"}}, "flag"),
        ({"flag": {"value": True, "as_of": "gestern"}}, "flag"),
        ({"rec": {"value": "none", "as_of": "2027-01-01"}}, "rec"),
        ({"rec": {"no": "1"}, "rec.no": "2"}, "rec.no"),
        ({"rec": "none", "rec.no": "2"}, "rec.no"),
    ],
)
def test_bad_values_are_refused_with_the_fact(raw: dict[str, Any], path: str) -> None:
    with pytest.raises(BadFact) as caught:
        read(raw)
    fault = caught.value
    assert (fault.code, fault.http, fault.values["path"]) == ("SQ201", 422, path)
    assert "{" not in fault.text("zh").replace("{'", "") and len(fault.text("zh")) < 200 and fault.text("en")


def test_traps_get_a_help_line() -> None:
    with pytest.raises(BadFact) as caught:
        read({"flag": "yes"})
    assert caught.value.help("zh") == "写作 true"


def test_unknown_names_are_an_error_with_near_ones() -> None:
    with pytest.raises(UnknownFact) as caught:
        read({"flga": True})
    assert caught.value.code == "SQ202" and "`flag`" in caught.value.help("zh")
    for raw in ({"rec": {"nr": 1}}, {"xs": [{"areas": 1}]}, {"": 1}, {"rec.no.x": 1}):
        with pytest.raises(UnknownFact):
            read(raw)
    with pytest.raises(BadInput):
        read(["flag"])


def test_all_problems_are_reported_together() -> None:
    with pytest.raises(Errors) as caught:
        read({"n": "x", "xs": [{"area": "y"}, {"area": 1}, 5], "nope": 1})
    assert [type(e) for e in caught.value] == [BadFact, BadFact, BadFact, UnknownFact]
    assert [e.values["fact"] for e in caught.value] == ["n", "xs[0].area", "xs[2]", "nope"]


def test_an_envelope_covers_a_record_and_gives_way_to_a_leafs_own() -> None:
    raw = {"rec": {"value": {"no": "1", "on": {"value": "none", "as_of": "2026-11-01"}}, "as_of": "2026-10-01", "source": "城管", "ref": "1号", "by": "p1"}}
    found = Reader(SCHEMA, ON).read(raw)
    assert found["rec.no"] == Stated("1", dt.date(2026, 10, 1), "城管", "1号", "p1")
    assert found["rec.on"] == Stated(ABSENT, dt.date(2026, 11, 1), "城管", "1号", "p1")
    assert found["rec.on"].envelope() == {"value": "none", "as_of": "2026-11-01", "source": "城管", "ref": "1号", "by": "p1"}


def test_the_schema_hands_a_records_owner_down_to_its_fields() -> None:
    no = SCHEMA.get("rec.no")
    assert no is not None and (no.by, no.evidence, no.max_age) == ("city", ("决定书",), "30")
    assert SCHEMA.title("rec.no") == "违建·文号" and SCHEMA.title("nowhere") == "nowhere"
    assert [s.name for s in SCHEMA.leaves("rec")] == ["rec.no", "rec.on", "rec.deep.x"]
    record = SCHEMA.record_of("rec.deep.x")
    assert record is not None and record.name == "rec.deep" and SCHEMA.record_of("n") is None
    assert SCHEMA.types()["rec.deep.x"].kind == "boolean" and "rec.deep" in SCHEMA
    area = type_of(SCHEMA.specs["xs"]).item
    assert area is not None and dict(area.fields)["area"].floor


def facts(raw: dict[str, Any]) -> FactSet:
    stated = Reader(SCHEMA, ON).read(raw)
    return FactSet(SCHEMA, stated, ON, staleness(SCHEMA, stated, ON, lambda text: int(text) if text.isdigit() else 10))


def test_a_record_and_its_fields() -> None:
    nothing, gone, some = facts({}), facts({"rec": "none"}), facts({"rec": {"no": "1"}})
    assert [f.value("rec") for f in (nothing, gone, some)] == [None, ABSENT, True]
    assert [f.value("rec.no") for f in (nothing, gone, some)] == [None, ABSENT, "1"]
    assert [f.value("rec.deep.x") for f in (nothing, gone, some)] == [None, ABSENT, None]
    assert facts({"rec": {"no": None}}).value("rec") is None


def test_what_is_too_old_is_unknown() -> None:
    old, edge = facts({"rec": {"value": {"no": "1"}, "as_of": "2026-10-23"}}), facts({"rec": {"value": {"no": "1"}, "as_of": "2026-10-24"}})
    assert (old.value("rec.no"), old.value("rec")) == (None, None)
    assert old.stale == {"rec.no": dt.date(2026, 11, 22)}
    assert (edge.value("rec.no"), edge.value("rec")) == ("1", True)
    gone = facts({"rec": {"value": "none", "as_of": "2026-10-23"}})
    assert (gone.value("rec"), gone.value("rec.no")) == (None, None)
    assert facts({"fresh": {"value": True, "as_of": "2026-11-12"}}).value("fresh") is None
    assert facts({"fresh": {"value": True, "as_of": "2026-11-13"}}).value("fresh") is True
    assert facts({"fresh": True}).value("fresh") is True
    stated = Reader(SCHEMA, ON).read({"fresh": {"value": True, "as_of": "0001-01-01"}})
    assert staleness(SCHEMA, stated, ON, lambda text: 10**12) == {}
    assert staleness(SCHEMA, stated, ON, lambda text: None) == {}


def test_later_statements_win() -> None:
    first = facts({"rec": {"no": "1", "deep": {"x": True}}, "n": 1})
    gone = first.with_stated(Reader(SCHEMA, ON).read({"rec": "none", "n": 2}))
    assert (gone.value("rec.no"), gone.value("rec.deep.x"), gone.value("n")) == (ABSENT, ABSENT, 2)
    back = gone.with_stated(Reader(SCHEMA, ON).read({"rec.deep.x": True}))
    assert (back.value("rec"), back.value("rec.deep.x"), back.value("rec.no")) == (True, True, None)


@pytest.mark.parametrize(
    ("value", "text"),
    [(5, "5"), (Fraction(1, 2), "0.5"), (Fraction(-1, 8), "-0.125"), (Fraction(2, 3), "2/3"), (Fraction(-201, 2), "-100.5"), (10**40, "1" + "0" * 40)],
)
def test_numbers_as_people_write_them(value: Any, text: str) -> None:
    assert number_text(value) == text and to_wire(value) in (text, value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["none", "2026-01-01", "正常", "true"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "as_of", "complete", "no", "on", "name", "area", "x"]), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=400)
@given(st.dictionaries(st.sampled_from([*SCHEMA.specs, "nope", "rec.deep.y"]), json_values, max_size=5), st.booleans())
def test_whatever_comes_in_is_typed_or_refused_and_reads_back_the_same(raw: dict[str, Any], titles: bool) -> None:
    try:
        found = Reader(SCHEMA, ON, titles=titles).read(raw)
    except SiquanError as fault:
        assert fault.full("zh") and fault.full("en") and json.dumps(fault.to_json())
        return
    wire = json.loads(json.dumps({path: s.envelope() for path, s in found.items()}))
    assert Reader(SCHEMA, ON).read(wire) == found
