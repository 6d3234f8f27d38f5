"""A workbook that cannot be taken: everything wrong in it is named by its cell, and nothing is changed."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

import pytest
from exchange_samples import BOOK, CASES, LIST, SCHEMA, SLOW, TABLE, WIDE, content, rule, texts
from exchange_sheets import LINE, TABLED, Do, Sheets, after, new_line, refused
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from siquan.core.errors import Errors, SiquanError
from siquan.core.exchange.content import Content
from siquan.core.exchange.sheetread import read_workbook
from siquan.core.exchange.workbook import write_workbook
from siquan.core.rules.parameters import ParameterBook
from siquan.core.sheets.archive import Locked, NotWorkbook, TooBig, Unsafe
from siquan.core.sheets.form import escape
from siquan.core.spec.model import ParamLine, ParamSpec


@pytest.mark.parametrize(("title", "typed", "place", "code", "says"), [
    ("条件", "age <", "规则!D3", "SQ155", "第 6 个字符"), ("条件", "ready and agee < 5", "规则!D3", "SQ155", "第 11 个字符处读不懂：`agee` 不是这里的事实"),
    ("条件", "age", "规则!D3", "SQ155", "条件"), ("条件", 'kind = "newer"', "规则!D3", "SQ155", "第 9 个字符"), ("条件", None, "规则!D3", "SQ816", "没有填"),
    ("后果", None, "规则!F3", "SQ816", "没有填"), ("后果", "否决", "规则!F3", "SQ155", "后果"), ("依据", "不知道", "规则!G3", "SQ810", "只能是 法律法规"),
    ("命中时的话", "欠{fee.mont}个月", "规则!I3", "SQ155", "第 7 个字符"), ("不命中时的话", "{age >}", "规则!J3", "SQ155", "不合语法"), ("未核实", "也许", "规则!N3", "SQ810", "是、否"),
    ("编号", "R-02", "规则!A4", "SQ813", "第 4 行与第 3 行的编号相同"), ("编号", "a b", "规则!A3", "SQ810", "不能有空格"), ("编号", "x" * 65, "规则!A3", "SQ810", "64"),
    ("名称", "长" * 20_001, "规则!C3", "SQ810", "超过 20000 字"), ("名称", "a_x0007_b", "规则!C3", "SQ810", "控制字符"), ("出处", "a_xD800_", "规则!H3", "SQ810", "控制字符"),
    ("名称", "=1+1", "规则!C3", "SQ810", "公式不是值"), ("条件", "=A1", "规则!D3", "SQ810", "公式不是值"), ("编号", "=A1", "规则!A3", "SQ810", "公式不是值"),
])  # fmt: skip
def test_a_wrong_cell_is_named(title: str, typed: Any, place: str, code: str, says: str) -> None:
    found = refused(lambda s: s.put("R-01", title, typed) and None)
    assert [(p, c) for p, c, _ in found] == [(place, code)] and says in found[0][2]


@pytest.mark.parametrize(("title", "typed", "place", "code"), [
    ("金额", "> ", "规则!C3", "SQ155"), ("金额", "贵", "规则!C3", "SQ155"), ("种类", "第三种", "规则!D3", "SQ155"), ("种类", 5, "规则!D3", "SQ155"), ("金额", "=1", "规则!C3", "SQ810"),
])  # fmt: skip
def test_a_wrong_test_is_named(title: str, typed: Any, place: str, code: str) -> None:
    assert [f[:2] for f in refused(lambda s: s.put("T1", title, typed) and None, content(TABLE))] == [(place, code)]


def test_what_a_table_cannot_mean() -> None:
    assert refused(lambda s: s.put("W1", "level", "D") and None, content(WIDE))[0][:2] == ("规则!A3", "SQ112")
    assert refused(lambda s: s.put(4, "内容", "C+", "设置") and None, content(WIDE))[0][:2] == ("设置", "SQ113")
    assert refused(lambda s: s.put(4, "内容", "Z", "设置") and None, content(WIDE))[0][:2] == ("设置!B4", "SQ810")
    assert refused(lambda s: s.put(4, "项目", "别的", "设置") and None, content(WIDE))[0][:2] == ("设置!A4", "SQ810")


@pytest.mark.parametrize(("cells", "place", "code", "says"), [
    ({"生效日期": "2030-02-30", "值": 1}, "参数!C6", "SQ810", ""), ({"值": 1}, "参数!C6", "SQ816", "生效日期"), ({"生效日期": "2030-01-01"}, "参数!D6", "SQ816", "值"),
    ({"生效日期": "2030-01-01", "值": "很多"}, "参数!D6", "SQ810", "应是数字"), ({"生效日期": "2030-01-01", "值": "未知"}, "参数!D6", "SQ810", "不能是未知"),
    ({"生效日期": "2021-01-01", "值": 1}, "参数!C6", "SQ158", "另一个在第 3 行"), ({"生效日期": "2027-01-01", "值": 1}, "参数!C6", "SQ158", "另一个在第 4 行"),
    ({"生效日期": "2030-01-01", "值": 1, "地方": "隔壁"}, "参数!F6", "SQ810", "不是地方的代号"), ({"生效日期": "2030-01-01", "值": 1, "依据": "?"}, "参数!G6", "SQ810", "只能是"),
    ({"生效日期": "2030-01-01", "值": 1, "参数": "limits"}, "参数!A6", "SQ810", "没有这个参数"), ({"生效日期": 45000, "值": 1}, "参数!C6", "SQ810", "是数字，不是日期"),
    ({"生效日期": "2030-01-01", "值": "=1+1"}, "参数!D6", "SQ810", "公式"), ({"生效日期": "2030-01-01", "值": 1, "参数": None}, "参数!A6", "SQ816", "参数"),
])  # fmt: skip
def test_a_wrong_line_is_named(cells: dict[str, Any], place: str, code: str, says: str) -> None:
    found = refused(lambda s: new_line(s, **cells) and None, TABLED)
    assert [(p, c) for p, c, _ in found] == [(place, code)] and says in found[0][2]


def test_what_is_published_stays() -> None:
    def put(title: str, value: Any) -> Do:
        return lambda s: s.put(s.parameter("limit", "2021-01-01"), title, value, "参数") and None

    for title, value in (("值", 5001), ("依据", "法律法规"), ("出处", None), ("文号", "新的")):
        found = refused(put(title, value), TABLED)
        assert [(c, p[:3]) for p, c, _ in found] == [("SQ156", "参数!")] and f"`{title}`" in found[0][2]
    assert after(put("名称", "随便"), TABLED) == TABLED
    gone = refused(lambda s: s.sheet("参数").delete_rows(s.parameter("limit", "2021-01-01")), TABLED)
    assert [f[:2] for f in gone] == [("参数", "SQ157")]
    moved = refused(put("生效日期", "2020-01-01"), TABLED)
    assert [f[:2] for f in moved] == [("参数", "SQ157")]
    assert after(lambda s: s.put(s.parameter("limit", "2021-01-01"), "值", 5000.0, "参数") and None, TABLED) == TABLED


def test_a_line_published_meanwhile_takes_the_day() -> None:
    sheets = Sheets(write_workbook(TABLED, SCHEMA, BOOK))
    more = ParameterBook([*BOOK.specs.values(), ParamSpec(name="limit", lines=(ParamLine(since=dt.date(2029, 1, 1), value=1),))])
    assert read_workbook(sheets.data(), "x", TABLED, SCHEMA, more) == TABLED  # what the workbook does not know is not missing
    new_line(sheets, 生效日期="2029-01-01", 值=5)
    with pytest.raises(Errors) as caught:
        read_workbook(sheets.data(), "x", TABLED, SCHEMA, more)
    assert [e.code for e in caught.value] == ["SQ158"]


def test_an_owners_basis_needs_its_resolution() -> None:
    found = refused(lambda s: new_line(s, "basis.R-02", 生效日期="2030-01-01", 值="业主约定", 地方="compound/b") and None)
    assert found[0][0].startswith("参数!I") and found[0][1] == "SQ018"


@pytest.mark.parametrize(("title", "typed", "says"), [
    ("给定的事实", "age 17", "名字: 值"), ("给定的事实", "nobody: 1", "没有这个名字"), ("给定的事实", "age: [1", "YAML"), ("给定的事实", "a: &x [*x]", "YAML"),
    ("判定日期", "明天", "日期"), ("另设的参数", "nobody: 1", "没有这个名字"), ("步骤", "{act: x}", "不能在表里改"), ("名称", "没有欠费", "第 4 行与第 3 行"),
])  # fmt: skip
def test_a_wrong_case_is_named(title: str, typed: str, says: str) -> None:
    found = refused(lambda s: s.put("未成年", title, typed, "用例") and None, content(cases=CASES))
    assert len(found) == 1 and found[0][0].startswith("用例!") and (says in found[0][2] or found[0][1] == "SQ810")


def test_everything_wrong_is_named_at_once_in_the_order_of_the_sheets() -> None:
    def do(sheets: Sheets) -> None:
        sheets.put("R-02", "依据", "x")
        sheets.put("R-01", "条件", "age <")
        sheets.put("未成年", "判定日期", "x", "用例")
        new_line(sheets, "strict", 生效日期="x", 值=1)

    assert [p for p, _, _ in refused(do, content(cases=CASES))] == ["规则!D3", "规则!G4", "参数!C6", "用例!B3"]


def test_two_hundred_are_named_and_the_rest_is_counted() -> None:
    base = content(LIST.model_copy(update={"rules": tuple(rule(f"R-{n}", when="late", outcome="WARN") for n in range(250))}))

    def do(sheets: Sheets) -> None:
        for row in range(3, 253):
            sheets.sheet().cell(row, sheets.column("条件")).value = "age <"

    found = refused(do, base)
    assert len(found) == 201 and found[-1][1] == "SQ814" and "50" in found[-1][2]


def test_a_refused_workbook_changes_nothing() -> None:
    base = content(cases=CASES, lines=(LINE,))
    before = base.to_json()
    refused(lambda s: s.put("R-01", "条件", "age <") and None, base)
    assert base.to_json() == before


# wrong sheets


@pytest.mark.parametrize(("do", "place", "code"), [
    (lambda s: s.put(2, "条件", "规则条件") and None, "规则!D2", "SQ154"), (lambda s: s.put(2, "条件", "名称") and None, "规则!D2", "SQ154"),
    (lambda s: s.sheet().delete_cols(s.column("条件")), "规则!A2", "SQ806"), (lambda s: s.put(2, "条件", None) and None, "规则!A2", "SQ806"),
    (lambda s: setattr(s.sheet().cell(2, 16), "value", "条件"), "规则!P2", "SQ808"), (lambda s: setattr(s.sheet().cell(2, 16), "value", "随便"), "规则!P2", "SQ807"),
    (lambda s: setattr(s.sheet().cell(4, 16), "value", "随便"), "规则!P4", "SQ810"), (lambda s: s.sheet().merge_cells("C3:C4"), "规则!C3", "SQ809"),
    (lambda s: s.sheet().merge_cells("B2:C2"), "规则!B2", "SQ809"), (lambda s: s.book.remove(s.sheet("用例")), "表.xlsx", "SQ805"),
    (lambda s: setattr(s.sheet("参数"), "title", "参数表"), "表.xlsx", "SQ805"),
])  # fmt: skip
def test_a_changed_sheet_is_refused(do: Do, place: str, code: str) -> None:
    with pytest.raises(SiquanError) as caught:
        after(do)
    found = list(caught.value) if isinstance(caught.value, Errors) else [caught.value]
    assert (place, code) in [(str(e.where), e.code) for e in found]
    assert all(e.code != "SQ816" for e in found)  # cells are not blamed for their columns


def test_merged_cells_in_a_column_of_their_own_are_let_be() -> None:
    def do(sheets: Sheets) -> None:
        sheets.sheet().cell(2, 16).value = "# 自己的"
        sheets.sheet().merge_cells("P3:P5")

    assert after(do) == content()


def test_a_hundred_thousand_rows_are_refused_quickly() -> None:
    base = content()
    sheets = Sheets(write_workbook(base, SCHEMA, BOOK))
    data = sheets.data()
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>N-{n}</t></is></c></row>' for n in range(100, 100_100))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            part = old.read(info)
            new.writestr(info, part.replace(b"</sheetData>", rows.encode() + b"</sheetData>") if info.filename.endswith("sheet1.xml") else part)
    with pytest.raises(TooBig) as caught:
        read_workbook(out.getvalue(), "表.xlsx", base, SCHEMA, BOOK)
    assert str(caught.value.where).startswith("规则!A")


def test_hostile_and_foreign_files_are_refused() -> None:
    base = content()
    data = write_workbook(base, SCHEMA, BOOK)

    def with_part(name: str, part: bytes) -> bytes:
        out = io.BytesIO(data)
        with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, part)
        return out.getvalue()

    entities = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><comments><x>&a;</x></comments>'
    for bad, error in (
        (b"", NotWorkbook), (b"PK\x03\x04", NotWorkbook), (b"<html>", NotWorkbook), (data[: len(data) // 2], NotWorkbook),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), Locked), (with_part("xl/vbaProject.bin", b"x"), Unsafe),
        (with_part("xl/externalLinks/externalLink1.xml", b"<x/>"), Unsafe), (with_part("xl/media/a.bin", b" " * (300 * 2**20)), TooBig),
        (_comments(data, entities), NotWorkbook),
    ):  # fmt: skip
        with pytest.raises(error):
            read_workbook(bad, "表.xlsx", base, SCHEMA, BOOK)


def _comments(data: bytes, part: bytes) -> bytes:
    """The workbook with another part of comments."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info, part if info.filename == "xl/comments/comment1.xml" else old.read(info))
    return out.getvalue()


def test_a_workbook_of_nothing_but_our_sheet_is_refused() -> None:
    data = write_workbook(content(), SCHEMA, BOOK)
    old, new = load_workbook(io.BytesIO(data))["siquan"], Workbook()
    sheet = new.active
    assert sheet is not None
    sheet.title = "siquan"
    for row in old.iter_rows(values_only=True):
        sheet.append(row)
    out = io.BytesIO()
    new.save(out)
    with pytest.raises(SiquanError) as caught:
        read_workbook(out.getvalue(), "表.xlsx", content(), SCHEMA, BOOK)
    assert caught.value.code == "SQ805"


# anything at all

TYPED = st.one_of(texts.map(escape), st.integers(), st.floats(), st.booleans(), st.dates(dt.date(1900, 1, 2)), st.none())
PLACES = st.tuples(st.sampled_from(("规则", "参数", "用例", "设置")), st.integers(1, 12), st.integers(1, 15))
WHOLE = content(WIDE, lines=(LINE,), cases=CASES, notes={"W1/say": "x"})
DATA = write_workbook(WHOLE, SCHEMA, BOOK)


@settings(SLOW, max_examples=60)
@given(st.lists(st.tuples(PLACES, TYPED), min_size=1, max_size=6))
def test_whatever_is_typed_is_taken_or_refused(typed: list[tuple[tuple[str, int, int], Any]]) -> None:
    sheets = Sheets(DATA)
    for (name, row, column), value in typed:
        sheets.sheet(name).cell(row, column).value = value
    data = sheets.data()
    try:
        found = read_workbook(data, "表.xlsx", WHOLE, SCHEMA, BOOK)
    except SiquanError as error:
        assert all(e.where for e in (error if isinstance(error, Errors) else [error]))
        return
    assert Content.from_json(found.to_json()) == found
    assert read_workbook(write_workbook(found, SCHEMA, BOOK), "x", found, SCHEMA, BOOK) == found


@settings(SLOW, max_examples=150)
@given(st.integers(0, len(DATA) - 1), st.binary(min_size=1, max_size=8), st.booleans())
def test_whatever_became_of_the_file_it_is_read_or_refused(at: int, put: bytes, cut: bool) -> None:
    harmed = DATA[:at] + put + (b"" if cut else DATA[at + len(put) :])
    try:
        assert read_workbook(harmed, "表.xlsx", WHOLE, SCHEMA, BOOK) == WHOLE
    except SiquanError as error:
        assert error.text("zh")
