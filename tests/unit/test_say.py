"""Sentences: values as people read them, `say` templates, conditions in Chinese and English words."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

import pytest

from siquan.core.errors import Where
from siquan.core.rules.check import FUNCTIONS, Scope, UnknownName, check
from siquan.core.rules.facts import Schema
from siquan.core.rules.functions import Picked
from siquan.core.rules.parse import SyntaxFault, parse
from siquan.core.rules.say import _CALLS, Sentence, labels, show, template
from siquan.core.rules.tree import BOOLEAN, NUMBER
from siquan.core.rules.values import ABSENT, Duration, Rows, Span
from siquan.core.spec.read import read_facts
from siquan.core.spec.source import parse_yaml

TODAY = dt.date(2026, 11, 23)
SPECS = """
amount: {type: decimal, title: 金额}
born: {type: date, title: 出生日期}
ok: {type: boolean, title: 已核验}
level: {type: enum, title: 处分, values: {none: 无, warned: 警告}, absent: 没有}
rec: {type: record, title: 违建, absent: 没有违建, fields: {no: {type: text, title: 文号, absent: 未发文}}}
xs: {type: list, title: 名单, fields: {kind: {type: enum, title: 类别, values: {a: 甲类, b: 乙类}}, area: {type: decimal, title: 面积}, name: {type: text}}}
"""
SCHEMA = Schema(read_facts(parse_yaml(SPECS, "facts.yaml")))
SCOPE = Scope(SCHEMA.types(), {"limit": NUMBER, "on": BOOLEAN})
FACTS: dict[str, Any] = {
    "amount": Fraction(15, 2), "born": dt.date(1990, 1, 2), "ok": True, "level": "warned", "rec": ABSENT, "rec.no": ABSENT,
    "xs": Rows(({"kind": "a", "area": 3, "name": "张"}, {"kind": "b", "area": 4, "name": "李"}), True),
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (None, "未知", "unknown"), (ABSENT, "无", "none"), (True, "是", "yes"), (False, "否", "no"), (7, "7", "7"), (Fraction(1, 4), "0.25", "0.25"),
        (Span(3, None), "至少 3", "at least 3"), (Span(None, 3), "至多 3", "at most 3"), (Span(0, 3), "0–3", "0–3"), (Span(None, None), "未知", "unknown"),
        (Duration(14, 3), "14个月 3日", "14 months 3 days"), (Duration(), "0日", "0 days"), (TODAY, "2026-11-23", "2026-11-23"), ("文", "文", "文"),
        (Rows(("A", 2), True), "A、2", "A, 2"), (Rows((), True), "无", "none"), (Rows(tuple(range(20)), True), "0、1、2、3、4、5、6、7、8、9、10、11…", None),
        (Picked(("A",), ("B",), True), "A", "A"), ({"name": "张三", "x": 1}, "张三", "张三"), ({}, "", ""),
    ],
)  # fmt: skip
def test_values_as_people_read_them(value: Any, zh: str, en: str | None) -> None:
    assert show(value) == zh
    assert en is None or show(value, "en") == en


def fill(text: str, lang: str = "zh", **facts: Any) -> str:
    pieces = template(text, SCOPE).fill({**FACTS, **facts}.get, {"limit": 5, "on": None}.get, TODAY, labels(SCHEMA), lang)
    return "".join(p.text for p in pieces)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("没有空格", "没有空格"),
        ("金额{amount}元，超过{limit}元", "金额7.5元，超过5元"),
        ("{level}处分", "警告处分"),
        ("{count(xs[kind = a])}户，共{sum(xs.area)}平方米", "1户，共7平方米"),
        ("{xs.kind}", "甲类、乙类"),
        ("{xs[area > 3].kind}", "乙类"),
        ("{years between(born, today)}岁", "36岁"),
        ("{rec.no}（{rec}）", "未发文（没有违建）"),
        ("{on}", "未知"),
        ("{}留着{", "{}留着{"),
    ],
)
def test_templates(text: str, said: str) -> None:
    assert fill(text) == said


def test_pieces_say_what_they_are() -> None:
    pieces = template("{amount}和{limit}和{on}和{1 + 1}", SCOPE).fill({"amount": None}.get, {"limit": 5, "on": None}.get, TODAY, labels(SCHEMA))
    assert [(p.text, p.kind, p.name) for p in pieces if p.text != "和"] == [
        ("未知", "unknown", "amount"), ("5", "param", "limit"), ("未知", "param", "on"), ("2", "value", "1 + 1"),
    ]  # fmt: skip
    assert len(template("{amount}{limit}", SCOPE).nodes()) == 2


def test_a_mistake_in_a_template_is_a_load_error() -> None:
    where = Where("r.yaml", 3)
    with pytest.raises(UnknownName) as caught:
        template("共{ammount}元", SCOPE, where)
    assert caught.value.where == where and "`amount`" in caught.value.help("zh")
    with pytest.raises(SyntaxFault):
        template("{a +}", SCOPE, where)


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("ok and amount > limit", "已核验，且金额超过limit", "已核验 and 金额 is above limit"),
        ("not(ok)", "非已核验", "not 已核验"),
        ("ok = false", "非已核验", "not 已核验"),
        ("born < today", "出生日期早于判定日", "出生日期 is before the decision date"),
        ("level = warned", "处分为“警告”", '处分 is "warned"'),
        ("present(rec) and (ok or amount = 1)", "有违建，且（已核验，或金额为1）", "there is 违建 and (已核验 or 金额 is 1)"),
        ("count(xs[kind = a]) > 2", "名单（类别为“甲类”）的个数超过2", None),
        ("sum(xs.area) * 2 >= 10", "名单的面积之和 × 2不少于10", None),
        ("some x in xs satisfies x.area < 3", "名单中有一项面积小于3", None),
        ("not(amount in [1..2])", "不满足（金额不少于1，且金额不超过2）", None),
        ("(if ok then 1 else 2) = 1", "若已核验则1否则2为1", None),
        ("born + months(3) > today", "出生日期 + 3个月晚于判定日", None),
        ("-amount < 0", "-金额小于0", None),
        ("rec.no = \"x\"", "违建·文号为“x”", None),
    ],
)
def test_conditions_in_words(text: str, zh: str, en: str | None) -> None:
    node = check(parse(text), SCOPE, text)
    assert Sentence(SCHEMA).say(node) == zh
    assert en is None or Sentence(SCHEMA, "en").say(node) == en


def test_parameters_come_with_their_value_where_somebody_knows_it() -> None:
    node = check(parse("amount > limit"), SCOPE, "")
    assert Sentence(SCHEMA, "zh", lambda name: f"上限5（{name}）").say(node) == "金额超过上限5（limit）"


def test_every_function_can_be_said() -> None:
    for lang in ("zh", "en"):
        assert set(FUNCTIONS) - {"not"} <= set(_CALLS[lang])
