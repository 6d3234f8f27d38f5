"""What changed, in words: meaning counts, formatting does not."""

from __future__ import annotations

import datetime as dt

import pytest
from exchange_samples import BOOK, CASES, LIST, SCHEMA, SLOW, TABLE, WIDE, changed, content, contents, rule
from hypothesis import given, settings

from siquan.core.exchange.content import Content, NewLine
from siquan.core.exchange.diff import Difference, diff, kept_in_order
from siquan.core.plugins import discover
from siquan.core.spec.model import RuleSetSpec


def between(old: RuleSetSpec | Content, new: RuleSetSpec | Content, lang: str = "zh") -> tuple[Difference, ...]:
    a, b = (x if isinstance(x, Content) else content(x) for x in (old, new))
    return diff(a, b, SCHEMA, BOOK, lang)


@pytest.mark.parametrize(("one", "two"), [
    ("age<18", "  (age   < 18 )"), ("age < 18 and ready and late", "(age < 18) and ((ready) and late)"), ("ready or (late or age < 1)", "ready or late or age < 1"),
    ('kind = "new"', '"new" = kind'), ("age != 3", "3 != age"), ("age in [1..2]", "age in ([1..2])"), ("age < 18.0", "age < 18"),
])  # fmt: skip
def test_formatting_is_no_difference(one: str, two: str) -> None:
    assert between(changed(LIST, "R-01", when=one), changed(LIST, "R-01", when=two)) == ()


@pytest.mark.parametrize(("one", "two"), [
    ("age < 18", "age <= 18"), ("age < 18", "18 < age"), ("ready and late or age < 1", "ready and (late or age < 1)"), ('kind = "new"', 'kind = "old"'),
    ("age - 1 < 3", "1 - age < 3"), ("not(ready)", "ready"),
])  # fmt: skip
def test_another_meaning_is_one(one: str, two: str) -> None:
    found = between(changed(LIST, "R-01", when=one), changed(LIST, "R-01", when=two))
    assert [(d.kind, d.rule, d.field, d.title, d.cosmetic) for d in found] == [("changed", "R-01", "when", "条件", False)]
    assert found[0].before != found[0].after


def test_it_is_said_as_people_say_it() -> None:
    found = between(LIST, changed(changed(LIST, "R-01", when="age < 16", basis="LOCAL", title="太小"), "R-02", outcome="if strict then BLOCK else WARN"))
    assert [(d.title, d.before, d.after, d.cosmetic) for d in found] == [
        ("名称", "年龄", "太小", True), ("条件", "年龄小于18", "年龄小于16", False), ("依据", "法律法规", "本地设定", False),
        ("后果", "若从严则拟不通过，否则提示", "若从严则不得进行，否则提示", False),
    ]  # fmt: skip
    english = between(LIST, changed(LIST, "R-01", when="age < 16"), "en")
    assert [(d.title, d.before, d.after) for d in english] == [("condition", "年龄 is below 18", "年龄 is below 16")]


def test_cells_and_values_of_a_table() -> None:
    new = changed(changed(TABLE, "T1", cells={"amount": ">= limit", "kind": '"old"'}), "T2", cells={"amount": "<=limit", "kind": ' "new","old"'}, out="x")
    assert [(d.rule, d.field, d.title, d.before, d.after) for d in between(TABLE, new)] == [
        ("T1", "cell:amount", "金额", "金额超过金额上限", "金额不少于金额上限"), ("T1", "cell:kind", "种类", "任意", "种类为“换届”"),
        ("T2", "out", "取值", "done", "x"),
    ]  # fmt: skip
    wide = changed(WIDE, "W1", out={"level": "A", "days": 5})
    assert [(d.field, d.title, d.before, d.after) for d in between(WIDE, wide)] == [("out:days", "days", "3", "5")]


def test_added_removed_and_moved() -> None:
    one, two, three = LIST.rules
    new = LIST.model_copy(update={"rules": (three, one, rule("R-04", title="新的", when="late", outcome="WARN"))})
    assert [(d.kind, d.rule, d.title, d.before, d.after, d.cosmetic) for d in between(LIST, new)] == [
        ("moved", "R-03", "只展示", "第 2 条", "第 1 条", True), ("added", "R-04", "新的", "", "拖欠 → 提示", False),
        ("removed", "R-02", "欠费", "拖欠，且不满足（从严） → 若从严则拟不通过，否则提示", "", False),
    ]  # fmt: skip
    turned = WIDE.model_copy(update={"rules": WIDE.rules[::-1]})
    assert [d.cosmetic for d in between(WIDE, turned)] == [False]  # the order of its rows counts


def test_parameters_settings_and_cases() -> None:
    line = NewLine(name="limit", since=dt.date(2027, 1, 1), value=8000, basis="LOCAL", ref="三号")
    added = between(content(), content(lines=(line,)))
    assert [(d.kind, d.rule, d.title, d.before, d.after) for d in added] == [
        ("parameter", "limit", "金额上限", "5000 元，自 2021-01-01 起，本地设定，本地设定", "8000 元，自 2027-01-01 起，本地设定，三号")
    ]
    repealed = line.model_copy(update={"value": None})
    assert between(content(lines=(line,)), content(lines=(repealed,)))[0].after == "废止，自 2027-01-01 起，本地设定，三号"
    assert between(content(lines=(line,)), content())[0].after == ""
    settings = between(WIDE, WIDE.model_copy(update={"hit_policy": "F", "default": None, "title": "x"}))
    assert [(d.kind, d.rule, d.before, d.after, d.cosmetic) for d in settings] == [
        ("setting", "title", "", "x", True), ("setting", "hit_policy", "P", "F", False), ("setting", "default", "level：C；days：0", "", False)
    ]
    cases = between(content(cases=CASES), content(cases=(CASES[0].model_copy(update={"expect": "WARN"}),)))
    assert [(d.kind, d.rule, d.after) for d in cases] == [("case", "未成年", "age=17，fee={'months': 1} → WARN → R-01"), ("case", "没有欠费", "")]


def test_what_cannot_be_read_stays_as_it_is_written() -> None:
    found = between(changed(LIST, "R-01", when="age <"), changed(LIST, "R-01", when="nobody > 5"))
    assert [(d.before, d.after) for d in found] == [("age <", "nobody > 5")]


@settings(SLOW, max_examples=20)
@given(contents, contents)
def test_whatever_it_is_given_it_answers(one: Content, two: Content) -> None:
    assert diff(one, one, SCHEMA, BOOK) == ()
    found = diff(one, two, SCHEMA, BOOK)
    assert bool(found) or one.hash == two.hash


def test_the_bundled_rule_sets_do_not_differ_from_themselves() -> None:
    catalogue = discover()
    for id, bound in catalogue.rulesets.items():
        made = content(bound.spec)
        assert diff(made, made, bound.schema, catalogue.book_of(id), scope=bound.scope) == ()
    # a condition that reads a parent's facts is said in words where the scope is given
    bound = catalogue.ruleset("owners_committee.candidate")
    old = content(bound.spec)
    new = content(changed(bound.spec, "OC-E06", when="age >= oc.age_max"))
    found = diff(old, new, bound.schema, catalogue.book_of(bound.id), scope=bound.scope)
    assert [(d.rule, d.before, d.after) for d in found] == [("OC-E06", "年龄超过年龄上限（空为不设）", "年龄不少于年龄上限（空为不设）")]


@pytest.mark.parametrize(("ranks", "kept"), [([], ""), ([1, 2, 3], "abc"), ([3, 1, 2], "bc"), ([2, 1], "b"), ([1, 4, 2, 3, 5], "acde")])
def test_the_fewest_rules_count_as_moved(ranks: list[int], kept: str) -> None:
    assert "".join(kept_in_order(ranks, "abcde")) == kept
