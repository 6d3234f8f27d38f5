"""Back into the file: byte for byte the same where nothing changed, and only what changed where something did."""

from __future__ import annotations

import datetime as dt
import difflib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from exchange_samples import CASES, LIST, SLOW, WIDE, changed, content, rule, rules_of_list, tables
from hypothesis import given, settings
from hypothesis import strategies as st

from siquan.core.errors import SiquanError, Where
from siquan.core.exchange.content import NewLine, placeless
from siquan.core.exchange.scalars import flow, lines, read_value, scalar
from siquan.core.exchange.yaml import NotInFile, Unwritable, write_yaml
from siquan.core.exchange.yamllines import LineThere, parameters_in, write_parameters
from siquan.core.plugins import discover
from siquan.core.rules.parameters import UnknownParameter
from siquan.core.spec.model import BasisReading, IntentSpec, RuleSetSpec
from siquan.core.spec.read import RESERVED_ROWS, read_parameters, read_ruleset
from siquan.core.spec.source import parse_yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = {p: p.read_text(encoding="utf-8") for folder in ("plugins", "workflows") for p in sorted((ROOT / folder).rglob("*.yaml"))}
CATALOGUE = discover()

TEXT = """\
# 文件头的说明
ruleset: list   # 名字
title: 负面清单
list:
  # 资格
  - id: R-01
    title: "年龄"
    when: age < 18        # 行尾的说明
    outcome: REJECT

    say: >-
      没有满
      十八岁
    clear: 'it''s fine'

  # 欠费
  - id: R-02
    when: |
      late
      and ready
    outcome: WARN
    unconfirmed: true
  # 最后
  - {id: R-03, when: ready, outcome: WARN, say: "好: 了"}

# 文件尾
"""
ROWS = """\
process: demo
rules:
  level: {inputs: [amount, kind], rows: [{id: T1, amount: "> 5", kind: -, out: 1}, {id: T2, amount: "<= 5", kind: '"new"', out: 2.5}]}
  other:
    inputs: [amount]
    rows:
      - id: O1
        amount: "> 5"
        out: a
states: {}
"""


def load(text: str, id: str = "demo.list") -> RuleSetSpec:
    raw = parse_yaml(text, "x")
    if "ruleset" not in raw:
        raw = raw["rules"][id.rpartition(".")[2]]
        return placeless(read_ruleset(id, raw, Where("x")))
    return placeless(read_ruleset(id, raw, Where("x"), alone=True))


def changes(before: str, after: str) -> list[str]:
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [f"{x[0]} {x[1:]}" for x in found if x[0] in "+-" and not x.startswith(("---", "+++"))]


def put(id: str, text: str = TEXT, name: str = "demo.list", **fields: Any) -> list[str]:
    spec = changed(load(text, name), id, **fields)
    after = write_yaml(text, content(spec))
    assert load(after, name) == placeless(spec)
    return changes(text, after)


# nothing changed


@pytest.mark.parametrize("id", sorted(CATALOGUE.rulesets))
def test_an_unchanged_rule_set_leaves_its_file_as_it_is(id: str) -> None:
    spec, found = CATALOGUE.ruleset(id).spec, []
    name = id.rpartition(".")[2]
    for path, text in FILES.items():
        if f"ruleset: {name}\n" not in text and f" {name}:\n" not in text:
            continue
        try:
            after = write_yaml(text, content(spec))
        except SiquanError:
            continue
        if after == text:
            found.append(path)
    assert len(found) == 1, found
    wanted = f"/{id.rpartition('.')[2]}.yaml"
    assert str(found[0]).endswith(wanted) or "rules:" in FILES[found[0]]


@pytest.mark.parametrize("path", [p for p in FILES if p.parent.name == "parameters"], ids=str)
def test_lines_that_are_there_leave_their_file_as_it_is(path: Path) -> None:
    text = FILES[path]
    specs = read_parameters(parse_yaml(text, path.name))
    there = [NewLine(name=s.name, **line.model_dump()) for s in specs[::3] for line in s.lines]
    assert write_parameters(text, there) == text and parameters_in(text) == tuple(s.name for s in specs)


@pytest.mark.parametrize("path", [p for p in FILES if p.parent.name == "parameters"], ids=str)
def test_a_next_value_of_the_bundled_parameters(path: Path) -> None:
    text = FILES[path]
    for spec in read_parameters(parse_yaml(text, path.name))[::4]:
        for place in ("", "compound/x"):
            new = NewLine(name=spec.name, since=dt.date(2031, 1, 1), value=spec.lines[0].value, place=place, basis="LOCAL", ref="一号: 《二》")
            after = write_parameters(text, [new])
            found = {s.name: s for s in read_parameters(parse_yaml(after, "x"))}
            assert placeless(found[spec.name]).lines == (*placeless(spec).lines, placeless(new.line))
            assert all(x in after for x in text.splitlines() if not x.lstrip().startswith(("values:", spec.name)))


# rules


def test_one_field_changes_one_line() -> None:
    assert put("R-01", when="age < 16") == ["-     when: age < 18        # 行尾的说明", "+     when: age < 16        # 行尾的说明"]
    assert put("R-01", title='新"的') == ['-     title: "年龄"', '+     title: "新\\"的"']
    assert put("R-01", clear="it's") == ["-     clear: 'it''s fine'", "+     clear: 'it''s'"]
    assert put("R-01", say="短") == ["-     say: >-", "-       没有满", "-       十八岁", "+     say: 短"]
    assert put("R-02", when="late") == ["-     when: |", "-       late", "-       and ready", "+     when: late"]
    assert put("R-03", say="") == ['-   - {id: R-03, when: ready, outcome: WARN, say: "好: 了"}', "+   - {id: R-03, when: ready, outcome: WARN}"]


def test_new_and_lost_fields() -> None:
    assert put("R-01", basis="LOCAL", cite="一: 二") == ["+     basis: LOCAL", '+     cite: "一: 二"']
    assert put("R-01", title="") == ['-     title: "年龄"']
    assert put("R-02", unconfirmed=False, group="组") == ["+     group: 组", "-     unconfirmed: true"]
    assert put("R-02", say="a\nb #c") == ['+     say: "a\\nb #c"']
    assert put("R-03", group="组", outcome="BLOCK")[1] == '+   - {id: R-03, group: 组, when: ready, outcome: BLOCK, say: "好: 了"}'


def test_rules_are_added_in_the_style_of_their_neighbours() -> None:
    old = load(TEXT)
    new = rule("R-04", when="age > 90", outcome="WARN", say="{age}")
    after = write_yaml(TEXT, content(old.model_copy(update={"rules": (old.rules[0], new, *old.rules[1:])})))
    assert changes(TEXT, after) == ["+   - id: R-04", "+     when: age > 90", "+     outcome: WARN", '+     say: "{age}"']
    assert after.index("R-04") < after.index("# 欠费")
    flowing = write_yaml(ROWS, content(load(ROWS, "demo.level").model_copy(update={"rules": (*load(ROWS, "demo.level").rules, rule("T3", cells={"amount": "-", "kind": "-"}, out="2026-01-01"))})))  # fmt: skip
    assert "out: 2.5}, {id: T3, out: 2026-01-01}]}" in flowing


def test_rules_are_removed_and_turned_round_with_their_lines() -> None:
    old = load(TEXT)
    one, two, three = old.rules
    gone = write_yaml(TEXT, content(old.model_copy(update={"rules": (one, three)})))
    assert changes(TEXT, gone) == ["-   - id: R-02", "-     when: |", "-       late", "-       and ready", "-     outcome: WARN", "-     unconfirmed: true"]
    turned = write_yaml(TEXT, content(old.model_copy(update={"rules": (two, three, one)})))
    assert load(turned).rules == (two, three, one) and "# 行尾的说明" in turned and "      十八岁\n" in turned
    assert load(write_yaml(TEXT, content(old.model_copy(update={"rules": ()})))).rules == ()
    assert load(write_yaml("ruleset: list\ntitle: x\n", content(LIST))) == placeless(LIST)


def test_settings_change_where_they_stand() -> None:
    old = load(TEXT)
    more = {"title": "新", "default_basis": "LOCAL", "readings": (BasisReading(basis="OWNERS", reads_as="POLICY", when='kind = "new"'),),
            "intents": (IntentSpec(id="i1", never="age < 0", say="不会"),)}  # fmt: skip
    after = write_yaml(TEXT, content(old.model_copy(update=more)))
    assert changes(TEXT, after) == [
        "- title: 负面清单", "+ title: 新", "+ basis: LOCAL", "+ reads_as:", '+   - {basis: OWNERS, reads_as: POLICY, when: kind = "new"}', "+ intents:",
        "+   - {id: i1, never: age < 0, say: 不会}",
    ]  # fmt: skip
    assert write_yaml(after, content(old)) == TEXT


def test_rule_sets_within_a_process() -> None:
    assert put("T1", ROWS, "demo.level", cells={"amount": "> 6", "kind": "-"}) == [x.replace("> 5", new) for x, new in (
        (f"- {ROWS.splitlines()[2]}", "> 5"), (f"+ {ROWS.splitlines()[2]}", "> 6"))]  # fmt: skip
    assert put("T2", ROWS, "demo.level", out="3.5")[1].endswith("out: 3.5}]}")
    assert put("O1", ROWS, "demo.other", cells={"amount": "-"}) == ['-         amount: "> 5"']
    text = "ruleset: wide\ninputs: [age, ready]\nhit_policy: P\noutputs: {level: [C, B, A], days: -}\nrows:\n  - {id: W1, age: '[0..17]', ready: 'true', out: {level: A, days: 3}}\n"  # fmt: skip
    assert load(write_yaml(text, content(WIDE)), "demo.wide") == placeless(WIDE)


def test_a_fragment_keeps_its_blanks() -> None:
    path = ROOT / "workflows/public_notice/fragment.yaml"
    spec = CATALOGUE.ruleset("owners_committee.term_change.candidate_publicity.period").spec
    first = spec.rules[0]
    after = write_yaml(FILES[path], content(changed(spec, first.id, cure="再等等")))
    assert changes(FILES[path], after) == [x for x in changes(FILES[path], after) if "cure" in x] and "$days" in after


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_the_byte_order_mark_stay(newline: str, mark: str) -> None:
    text = mark + TEXT.replace("\n", newline)
    after = write_yaml(text, content(changed(load(TEXT), "R-01", when="age < 16", cite="x")))
    assert after.replace("age < 16", "age < 18").replace(f"    cite: x{newline}", "") == text


GOOD_LIST = rules_of_list.map(lambda rules: LIST.model_copy(update={"rules": tuple(
    r.model_copy(update={"when": r.when or "late", "outcome": r.outcome or "WARN"}) for r in rules)}))  # fmt: skip
GOOD_TABLE = tables().filter(lambda t: not RESERVED_ROWS & {*t.inputs}).map(lambda t: t.model_copy(update={
    "hit_policy": "F", "output_values": {}, "outputs": t.outputs if len(t.outputs) != 1 else (), "rules": tuple(r.model_copy(update={"priority": 0}) for r in t.rules)}))  # fmt: skip


@settings(SLOW, max_examples=40)
@given(st.one_of(GOOD_LIST, GOOD_TABLE))
def test_whatever_is_written_reads_back(spec: RuleSetSpec) -> None:
    text = TEXT if spec.id == LIST.id else "# 表\nruleset: random\ninputs: [amount]\nrows:\n  - {id: T1, amount: '> 5', out: 1}\n"
    after = write_yaml(text, content(spec))
    assert load(after, spec.id) == placeless(spec)
    assert write_yaml(after, content(spec)) == after and after.startswith(text.splitlines()[0])


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(NotInFile) as caught:
        write_yaml(TEXT, content(LIST.model_copy(update={"id": "demo.other"})))
    assert caught.value.code == "SQ160"
    for text in ("[]", "", "a: 1", "process: p\nrules: []"):
        with pytest.raises(NotInFile):
            write_yaml(text, content(LIST))
    shared = "ruleset: list\nlist:\n  - &r {id: R-01, when: late, outcome: WARN, say: &s x, clear: *s}\n"
    with pytest.raises(Unwritable):
        write_yaml(shared, content(changed(load(shared), "R-01", say="y")))
    facts = LIST.model_copy(update={"facts": tuple(CATALOGUE.ruleset("approval.level").schema.top.values())})
    with pytest.raises(Unwritable):
        write_yaml(TEXT, content(facts))
    with pytest.raises(SiquanError):
        write_yaml("a: [", content(LIST))


# parameters

PARAMETERS = """\
# 数值
limit: {2021-01-01: {value: 5000, basis: LOCAL}}   # 上限
months:
  title: 月数
  values: {2021-01-01: {value: 3}, 2024-01-01: {value: 4}}
days:
  values:
    # 按日期
    - {from: 2021-01-01, value: 3}
    - from: 2022-01-01
      value: 5
      cite: 原文
years:
  2021-01-01: {value: 1}
  2022-01-01:
    value: 2
# 完
"""


@pytest.mark.parametrize(("name", "place", "added"), [
    ("limit", "", ["+ limit: {2021-01-01: {value: 5000, basis: LOCAL}, 2030-01-01: {value: 9.5, cite: 甲}}   # 上限"]),
    ("limit", "street/x", ["+ limit:", "+   - {from: 2021-01-01, value: 5000, basis: LOCAL}", "+   - {from: 2030-01-01, place: street/x, value: 9.5, cite: 甲}   # 上限"]),
    ("months", "", ["+   values: {2021-01-01: {value: 3}, 2024-01-01: {value: 4}, 2030-01-01: {value: 9.5, cite: 甲}}"]),
    ("days", "street/x", ["+     - from: 2030-01-01", "+       place: street/x", "+       value: 9.5", "+       cite: 甲"]),
    ("years", "", ["+   2030-01-01: {value: 9.5, cite: 甲}"]),
])  # fmt: skip
def test_a_line_is_added_in_the_style_of_the_file(name: str, place: str, added: list[str]) -> None:
    line = NewLine(name=name, since=dt.date(2030, 1, 1), value=Decimal("9.5"), place=place, cite="甲")
    after = write_parameters(PARAMETERS, [line])
    assert [x for x in changes(PARAMETERS, after) if x[0] == "+"] == added
    assert write_parameters(after, [line]) == after


def test_a_basis_may_be_new_to_a_file_and_nothing_else_may() -> None:
    line = NewLine(name="basis.R-01", since=dt.date(2030, 1, 1), value="OWNERS", place="compound/a", ref="一号")
    after = write_parameters(PARAMETERS, [line, line.model_copy(update={"since": dt.date(2031, 1, 1), "value": None})])
    assert [s for s in read_parameters(parse_yaml(after, "x")) if s.name == "basis.R-01"][0].lines[1].value is None
    with pytest.raises(UnknownParameter):
        write_parameters(PARAMETERS, [line.model_copy(update={"name": "other"})])
    with pytest.raises(LineThere) as caught:
        write_parameters(PARAMETERS, [NewLine(name="limit", since=dt.date(2021, 1, 1), value=6000)])
    assert caught.value.code == "SQ162" and "2021-01-01" in caught.value.text("zh")
    with pytest.raises(Unwritable):  # days written in blocks have no room for a place
        write_parameters(PARAMETERS, [line.model_copy(update={"name": "years"})])


# values


@settings(SLOW, max_examples=200)
@given(st.text(), st.text(min_size=1))
def test_a_text_in_yaml_is_that_text(value: str, key: str) -> None:
    assert read_value(f"k: {scalar(value)}", "") == {"k": value}
    assert read_value(f"{{k: {scalar(value, inside=True)}}}", "") == {"k": value}
    assert read_value(lines({key: [value, {key: 1}, None, True]}), "") == {key: [value, {key: 1}, None, True]}
    assert read_value(f"k: {flow({key: value})}", "") == {"k": {key: value}}


def test_cases_are_no_part_of_the_file() -> None:
    assert write_yaml(TEXT, content(load(TEXT), cases=CASES, notes={"R-01/say": "x"})) == TEXT
