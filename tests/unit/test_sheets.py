"""Sheets: what a cell means, what a finding means, every refusal at its cell, and write-then-read is the same facts."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from siquan.core.errors import Errors
from siquan.core.rules.facts import Reader, Schema
from siquan.core.sheets import Layout, SheetRow, Unfit, read_sheet, rows_from_titles, write_sheet
from siquan.core.spec.model import ColumnSpec, FactSpec, SheetSpec

ON = dt.date(2026, 11, 23)


def fact(name: str, type: Any = "text", title: str = "", **more: Any) -> FactSpec:
    return FactSpec(name=name, type=type, title=title or name, **more)


FACTS = (
    fact("seq", "integer", "序号", min=1),
    fact("person", "person", "姓名", sensitive="name", evidence=("身份证明",)),
    fact("unit", "text", "房号"),
    fact("area", "decimal", "面积", unit="m²", min=0),
    fact("status", "enum", "政治面貌", values={"cpc": "中共党员", "none": "群众"}),
    fact("basis", "enum", "依据", values={"a": "甲", "b": "乙"}, absent="没有"),
    fact("able", "boolean", "有时间"),
    fact("born", "date", "出生日期", evidence=("身份证明",)),
    fact("pledge", "date", "承诺书日期", absent="未签"),
    fact("same", "integer", "同套人数", derive="count(xs)"),
    fact("illegal", "record", "违法搭建", max_age="30", absent="无", fields=(
        fact("no", title="文号", absent="无"), fact("on", "date", title="责令日期"), fact("done", "date", title="整改日", absent="未整改"),
        fact("months", "integer", title="月数"))),
    fact("former", "record", "曾任", max_age="30", absent="没有任过", fields=(
        fact("recalled", "date", title="罢免日", absent="无"), fact("misuse", title="文书", absent="无"), fact("refused", "boolean", title="拒不移交"))),
    fact("party", "date", "党纪处分", absent="无"),
)  # fmt: skip
SCHEMA = Schema(FACTS)
COLUMNS = {
    "序号": "seq", "姓名": "person", "房号": "unit", "面积m²": "area", "政治面貌": "status", "依据": "basis", "有时间": "able",
    "出生日期": "born", "承诺书日期": "pledge", "同套人数": "same",
    "N04": {"finding": "illegal"}, "N04文号": "illegal.no", "N04责令日期": "illegal.on", "N04整改日": "illegal.done",
    "N04月数": "illegal.months",
    "曾任": {"finding": "former"}, "N13": {"finding": "former.recalled"}, "N13罢免日": "former.recalled",
    "N14": {"finding": "former.misuse"}, "N14文书": "former.misuse", "N13拒不移交": "former.refused",
    "N19": {"finding": "party"}, "N19决定日": "party",
    "依据文号": {"envelope": "ref"}, "查询日期": {"envelope": "as_of"}, "查询人": {"envelope": "by"}, "来源": {"envelope": "source"},
}  # fmt: skip


def sheet_of(
    columns: dict[str, Any], key: tuple[str, ...] = ("姓名", "房号"), name: str = "候选人"
) -> SheetSpec:
    made = tuple(
        ColumnSpec(title=t, **({"fact": c} if isinstance(c, str) else c)) for t, c in columns.items()
    )
    return SheetSpec(target="candidates", name=name, columns=made, key=key)


SHEET = sheet_of(COLUMNS)
BASE = {"姓名": "甲", "房号": "1-101"}


def read(*rows: dict[str, Any], sheet: SheetSpec = SHEET, schema: Schema = SCHEMA) -> list[SheetRow]:
    return read_sheet(rows_from_titles(sheet, rows), "表.xlsx", sheet, schema, ON)


def facts(**cells: Any) -> dict[str, Any]:
    return read({**BASE, **cells})[0].facts


def problems(data: bytes, sheet: SheetSpec = SHEET, schema: Schema = SCHEMA) -> list[tuple[str, str]]:
    with pytest.raises(Errors) as caught:
        read_sheet(data, "表.xlsx", sheet, schema, ON)
    for error in caught.value:
        assert error.text("zh") and error.text("en") and "{" not in error.full("zh") + error.full("en")
    return [(str(e.where), e.code) for e in caught.value]


def wrong(**cells: Any) -> list[tuple[str, str]]:
    return problems(rows_from_titles(SHEET, [{**BASE, **cells}]))


def made(rows: list[list[Any]], title: str = "候选人", then: Any = None) -> bytes:
    """A workbook as a clerk would leave it."""
    book = Workbook()
    ws = book.active
    assert ws is not None
    ws.title = title
    for row in rows:
        ws.append(row)
    if then:
        then(ws)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def raw(*rows: dict[str, Any], head: list[str] | None = None, then: Any = None) -> bytes:
    titles = head or list(COLUMNS)
    return made([titles, *[[{**BASE, **r}.get(t) for t in titles] for r in rows]], then=then)


def at(title: str, row: int = 2) -> str:
    from openpyxl.utils import get_column_letter

    return f"候选人!{get_column_letter(list(COLUMNS).index(title) + 1)}{row}"


# one cell


@pytest.mark.parametrize(
    "title,cell,path,value",
    [
        ("序号", 3, "seq", 3),
        ("序号", 3.0, "seq", 3),
        ("序号", "３", "seq", 3),
        ("序号", "1,234", "seq", 1234),
        ("面积m²", 88.25, "area", "88.25"),
        ("面积m²", 0.1 + 0.2, "area", "0.3"),
        ("面积m²", "88.25㎡", "area", "88.25"),
        ("面积m²", " 88.50 m² ", "area", "88.5"),
        ("政治面貌", "中共党员", "status", "cpc"),
        ("政治面貌", "cpc", "status", "cpc"),
        ("政治面貌", "群众", "status", "none"),
        ("依据", "没有", "basis", "none"),
        ("有时间", "是", "able", True),
        ("有时间", "否 ", "able", False),
        ("有时间", True, "able", True),
        ("出生日期", "1962-04-18", "born", "1962-04-18"),
        ("出生日期", "1962/4/8", "born", "1962-04-08"),
        ("出生日期", "1962年4月8日", "born", "1962-04-08"),
        ("出生日期", "１９６２．４．８", "born", "1962-04-08"),
        ("出生日期", "19620408", "born", "1962-04-08"),
        ("出生日期", 19620408, "born", "1962-04-08"),
        ("出生日期", "1962-04-18 00:00:00", "born", "1962-04-18"),
        ("出生日期", dt.date(1962, 4, 18), "born", "1962-04-18"),
        ("承诺书日期", "未签", "pledge", "none"),
        ("房号", "007", "unit", "007"),
        ("房号", 301, "unit", "301"),
        ("房号", " １-０３０１\u3000", "unit", "1-0301"),
    ],
)
def test_a_cell(title: str, cell: Any, path: str, value: Any) -> None:
    assert facts(**{title: cell})[path]["value"] == value


@pytest.mark.parametrize("word", ["", "  ", "未知", "不详", "？", None])
@pytest.mark.parametrize("title", ["序号", "政治面貌", "有时间", "出生日期", "N04", "N04文号"])
def test_unknown_states_nothing(title: str, word: Any) -> None:
    assert set(facts(**{title: word})) == {"person", "unit"}


@pytest.mark.parametrize(
    "title,cell",
    [
        ("序号", "三"),
        ("序号", 3.5),
        ("序号", 0),
        ("序号", "1_000"),
        ("序号", dt.date(2026, 1, 1)),
        ("序号", True),
        ("面积m²", "1,5"),
        ("面积m²", "约88"),
        ("面积m²", -1),
        ("面积m²", "1e5"),
        ("政治面貌", "党员"),
        ("有时间", 1),
        ("有时间", "可以"),
        ("出生日期", "1962-04"),
        ("出生日期", "1962-02-30"),
        ("出生日期", "0962-02-03"),
        ("出生日期", "9962-02-03"),
        ("出生日期", 22000),
        ("出生日期", "没有"),
        ("N04", "有文号"),
        ("查询日期", "2026-11-24"),
        ("查询日期", "昨天"),
        ("房号", dt.date(2026, 3, 1)),
        ("房号", 320211199001011234),
        ("房号", "none"),
        ("N04文号", "字\x07号"),
        ("查询人", "何" * 201),
        ("N14文书", "长" * 20_001),
    ],
)
def test_a_wrong_cell_is_named(title: str, cell: Any) -> None:
    assert wrong(**{title: cell}) == [(at(title), "SQ810")]


def test_every_reason_has_both_languages_and_says_what_to_do() -> None:
    with pytest.raises(Errors) as caught:
        read({**BASE, "序号": "三", "出生日期": "昨天", "N04": "有"})
    first, second = caught.value
    assert first.full("zh").splitlines()[0] == "候选人!A2: SQ810: `序号` 不能填 `三`：应是数字"
    assert first.text("en") == "`序号` cannot take `三`: a number is expected"
    assert "2026-11-23" in second.help("zh") and "date" in second.help("en")


def test_what_excel_shows_in_a_padded_number_is_its_text() -> None:
    def pad(ws: Any) -> None:
        ws["C2"].number_format = "0000"

    assert read_sheet(raw({"房号": 301}, then=pad), "a.xlsx", SHEET, SCHEMA, ON)[0].values["unit"] == "0301"


@pytest.mark.parametrize("code,title", [("0%", "面积m²"), ("h:mm", "出生日期")])
def test_formats_that_change_a_number(code: str, title: str) -> None:
    def form(ws: Any) -> None:
        ws[at(title).partition("!")[2]].number_format = code

    assert problems(raw({title: 0.5}, then=form)) == [(at(title), "SQ810")]


# findings


def test_no_is_none_with_the_rows_envelope() -> None:
    got = facts(N04="否", 查询日期=dt.date(2026, 11, 16), 查询人="何佳宁", 来源="联审单", 依据文号="函 3 号")
    assert got["illegal"] == {
        "value": "none",
        "as_of": "2026-11-16",
        "source": "联审单",
        "ref": "函 3 号",
        "by": "何佳宁",
    }
    assert got["person"] == {"value": "甲", "source": "联审单", "ref": "函 3 号"}, (
        "evidence but no max_age: no date"
    )
    assert got["unit"] == {"value": "1-101"}, "neither evidence nor max_age: the statement alone"
    stated = Reader(SCHEMA, ON).read(got)
    assert stated["illegal"].as_of == dt.date(2026, 11, 16)


def test_yes_without_facts_states_nothing() -> None:
    assert set(facts(N04="是")) == {"person", "unit"}
    assert facts(N04="是", N04文号="城 7 号", N04整改日="未整改", 查询日期="2026-11-16")["illegal.done"] == {
        "value": "none", "as_of": "2026-11-16"
    }  # fmt: skip


def test_values_without_a_finding_stand() -> None:
    assert facts(N04文号="城 7 号")["illegal.no"] == {"value": "城 7 号"}


def test_no_needs_the_day_it_was_looked_up() -> None:
    assert wrong(N04="否", 曾任="否") == [(at("查询日期"), "SQ812")]
    assert facts(N19="否")["party"] == {"value": "none"}, "no max_age: no date needed"


@pytest.mark.parametrize(
    "cells",
    [
        {"N04": "否", "N04文号": "城 7 号"},
        {"N04": "否", "N04整改日": "未整改"},
        {"N04": "否", "N04月数": 3},
        {"曾任": "否", "N13": "是"},
        {"曾任": "否", "N13拒不移交": "否"},
        {"曾任": "否", "N13罢免日": "2020-01-01"},
        {"N13": "是", "N13罢免日": "无"},
        {"N19": "否", "N19决定日": "2020-01-01"},
    ],
)
def test_contradictions(cells: dict[str, Any]) -> None:
    found = wrong(**cells, 查询日期="2026-11-16")
    assert [code for _, code in found] == ["SQ811"]


def test_what_says_the_same_as_no_is_no_contradiction() -> None:
    got = facts(
        N04="否",
        N04文号="无",
        N04月数=0,
        曾任="否",
        N13="否",
        N14="未知",
        N14文书="无",
        查询日期="2026-11-16",
    )
    assert set(got) == {"person", "unit", "illegal", "former"}


def test_a_finding_of_a_field() -> None:
    got = facts(N13="否", N14="是", N14文书="审 9 号", 查询日期="2026-11-16")
    assert (
        got["former.recalled"]["value"] == "none"
        and got["former.misuse"]["value"] == "审 9 号"
        and "former" not in got
    )


def test_a_false_date_is_reported_once() -> None:
    assert wrong(N04="否", 查询日期="昨天") == [(at("查询日期"), "SQ810")]


# the header and the sheet


def test_header_may_stand_below_a_title_and_order_does_not_count() -> None:
    head = list(reversed(COLUMNS))
    rows = [["候选人登记表"], [], head, [BASE.get(t) for t in head]]
    data = made(rows, then=lambda ws: ws.merge_cells("A1:F1"))
    (row,) = read_sheet(data, "a.xlsx", SHEET, SCHEMA, ON)
    assert row.row_no == 4 and row.key == ("甲", "1-101")


def test_titles_are_compared_without_width_and_blanks() -> None:
    head = ["面积ｍ2" if t == "面积m²" else f" {t[0]}\n{t[1:]} " for t in COLUMNS]
    data = made([head, [BASE.get(t) for t in COLUMNS]])
    assert read_sheet(data, "a.xlsx", SHEET, SCHEMA, ON)[0].key == ("甲", "1-101")


def test_missing_and_renamed_columns() -> None:
    head = ["姓名称" if t == "姓名" else t for t in COLUMNS if t != "N14文书"]
    data = made([head, ["x"] * len(head)])
    with pytest.raises(Errors) as caught:
        read_sheet(data, "a.xlsx", SHEET, SCHEMA, ON)
    missing, unknown = caught.value
    assert "`姓名`、`N14文书`" in missing.text() and "`姓名称` → `姓名`" in missing.help()
    assert "`姓名`" in unknown.help() and "备注" in unknown.help() and str(unknown.where) == "候选人!B1"


def test_a_computed_column_may_be_left_out_and_comments_stay_unread() -> None:
    head = [t for t in COLUMNS if t != "同套人数"] + ["#算", "备注（内部）", "＃"]
    data = made([head, [BASE.get(t) for t in COLUMNS if t != "同套人数"] + ["=1+1", "x", "y"]])
    assert read_sheet(data, "a.xlsx", SHEET, SCHEMA, ON)[0].key == ("甲", "1-101")


def test_a_double_column() -> None:
    assert problems(made([[*COLUMNS, "姓名"]])) == [("候选人!AB1", "SQ808")]


def test_content_without_a_title_is_named_once() -> None:
    rows = [[BASE.get(t) for t in COLUMNS] + ["x"] for _ in range(3)]
    found = problems(made([list(COLUMNS), *rows]))
    assert found[0] == ("候选人!AB2", "SQ810") and len(found) == 3, "and two double rows"


def test_sheets() -> None:
    assert read_sheet(made([list(COLUMNS)], "Sheet1"), "a.xlsx", SHEET, SCHEMA, ON) == []
    book = Workbook()
    book.create_sheet("第二张")
    out = io.BytesIO()
    book.save(out)
    assert problems(out.getvalue()) == [("表.xlsx", "SQ805")]
    assert problems(made([])) == [("候选人!A1", "SQ806")]


# rows


def test_formulas_errors_and_merged_cells_are_refused() -> None:
    def spoil(ws: Any) -> None:
        ws["A2"], ws["D2"] = "=1+1", "#N/A"
        ws["D2"].data_type = "e"
        ws.merge_cells("C2:C3")

    found = problems(raw({}, {"姓名": "乙"}, then=spoil))
    assert [f for f in found if f[1] != "SQ816"] == [
        ("候选人!A2", "SQ810"),
        ("候选人!C2", "SQ809"),
        ("候选人!D2", "SQ810"),
    ]


def test_text_that_looks_like_a_formula_is_text() -> None:
    assert facts(房号="=1+1")["unit"]["value"] == "=1+1"
    assert facts(房号="#N/A")["unit"]["value"] == "#N/A"


def test_keys() -> None:
    data = rows_from_titles(
        SHEET, [BASE, {"姓名": "乙", "房号": "1"}, {"姓名": " 甲", "房号": "１-101"}, {"姓名": "丙"}]
    )
    with pytest.raises(Errors) as caught:
        read_sheet(data, "a.xlsx", SHEET, SCHEMA, ON)
    twice, empty = caught.value
    assert twice.text() == "第 4 行与第 2 行的姓名、房号相同：`甲 1-101`" and str(empty.where) == "候选人!C5"


def test_blank_rows_are_skipped_and_hidden_rows_count() -> None:
    def hide(ws: Any) -> None:
        ws.row_dimensions[4].hidden = True
        ws["A3"] = "   "

    data = raw({}, {"姓名": None, "房号": None}, {"姓名": "乙"}, then=hide)
    assert [r.row_no for r in read_sheet(data, "a.xlsx", SHEET, SCHEMA, ON)] == [2, 4]


def test_required_columns() -> None:
    sheet = sheet_of(
        {"房号": {"fact": "unit", "required": True}, "面积": {"fact": "area", "required": True}}, ("房号",)
    )
    data = rows_from_titles(sheet, [{"房号": "1", "面积": 1}, {"房号": "2"}])
    assert problems(data, sheet) == [("候选人!B3", "SQ816")]


def test_two_hundred_problems_then_a_count() -> None:
    found = problems(
        rows_from_titles(SHEET, [{"姓名": f"人{n}", "房号": "1", "序号": "x"} for n in range(350)])
    )
    assert len(found) == 201 and found[-1] == ("表.xlsx", "SQ814") and found[199] == ("候选人!A201", "SQ810")


def test_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("siquan.core.sheets.read.MAX_ROWS", 3)
    assert problems(rows_from_titles(SHEET, [{"姓名": f"人{n}", "房号": "1"} for n in range(4)])) == [
        ("候选人!A5", "SQ803")
    ]


# mistakes of the plugin


@pytest.mark.parametrize(
    "columns,key",
    [
        ({"甲": "nothing"}, ()),
        ({"甲": "illegal"}, ()),
        ({"甲": {"finding": "unit"}}, ()),
        ({"甲": "unit", "乙": "unit"}, ()),
        ({"甲": "unit", "甲 ": "seq"}, ()),
        ({"甲": "unit"}, ("丙",)),
    ],
)
def test_a_sheet_that_does_not_fit_the_facts(columns: dict[str, Any], key: tuple[str, ...]) -> None:
    with pytest.raises(Unfit):
        Layout(sheet_of(columns, key), SCHEMA)


@pytest.mark.parametrize("name", ["a/b", "说明", "", "长" * 32])
def test_a_name_excel_cannot_take(name: str) -> None:
    with pytest.raises(Unfit):
        Layout(sheet_of({"甲": "unit"}, (), name), SCHEMA)


def test_demo_rows_name_real_columns() -> None:
    with pytest.raises(Unfit):
        rows_from_titles(SHEET, [{"没有这列": 1}])


# writing


def test_the_form_has_lists_formats_and_notes() -> None:
    data = write_sheet(SHEET, SCHEMA, title="候选人表", example=True, roles={"": "社区"})
    book = load_workbook(io.BytesIO(data))
    ws = book["候选人"]
    assert ws.freeze_panes == "D2" and ws["B1"].value == "姓名" and ws["B1"].font.bold
    lists = {str(v.sqref): v.formula1 for v in ws.data_validations.dataValidation if v.type == "list"}
    assert (
        lists["E2:E100001"] == '"中共党员,群众"'
        and lists["K2:K100001"] == '"是,否,未知"'
        and lists["F2:F100001"] == '"甲,乙,没有"'
    )
    assert (
        ws.column_dimensions["C"].number_format == "@"
        and ws.column_dimensions["H"].number_format == "yyyy-mm-dd"
    )
    notes = book["说明"]
    table = {r[0]: r for r in notes.iter_rows(values_only=True) if r[1]}
    assert table["面积m²"][2:4] == ("数字", "m²") and table["N04"][9] == "30 天" and table["列名"][-1] == "例"
    assert read_sheet(data, "a.xlsx", SHEET, SCHEMA, ON) == [], "samples are never imported"


def test_long_lists_stand_in_a_hidden_sheet() -> None:
    schema = Schema([fact("x", "enum", values={f"c{n}": f"选项,{n}" for n in range(60)})])
    sheet = sheet_of({"甲": "x"}, ())
    book = load_workbook(io.BytesIO(write_sheet(sheet, schema, [{"x": "c5"}])))
    assert book["选项"].sheet_state == "hidden" and book["选项"]["A60"].value == "选项,59"
    assert book["候选人"].data_validations.dataValidation[0].formula1 == "'选项'!$A$1:$A$60"
    assert read_sheet(write_sheet(sheet, schema, [{"x": "c5"}]), "a.xlsx", sheet, schema, ON)[0].values == {
        "x": "c5"
    }


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_nothing_written_is_ever_a_formula(text: str) -> None:
    data = write_sheet(SHEET, SCHEMA, [{"person": "甲", "unit": text}])
    cell = load_workbook(io.BytesIO(data))["候选人"]["C2"]
    assert cell.data_type == "s" and cell.value == text and cell.quotePrefix and cell.number_format == "@"


def test_masks_and_merged_envelopes() -> None:
    row = {
        "person": {"value": "甲某", "source": "登记"}, "unit": "1",
        "illegal": {"value": {"no": "城 7 号"}, "as_of": "2026-11-16", "source": "城管"},
        "former": {"value": "none", "as_of": "2026-11-02", "source": "街道"},
    }  # fmt: skip
    data = write_sheet(
        SHEET, SCHEMA, [row], masked=lambda spec, text: text[0] + "＊" if spec.sensitive == "name" else text
    )
    line = dict(
        zip(
            COLUMNS,
            next(load_workbook(io.BytesIO(data))["候选人"].iter_rows(min_row=2, values_only=True)),
            strict=True,
        )
    )
    assert (
        line["姓名"] == "甲＊"
        and line["查询日期"] == dt.datetime(2026, 11, 2)
        and line["来源"] == "登记；城管；街道"
    )
    assert (line["N04"], line["曾任"], line["N13"], line["N19"]) == ("是", "否", "否", None)


WORD = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zs", "Zl", "Zp")), min_size=1, max_size=12
).filter(
    lambda s: (
        s not in ("none", "未知", "不详", "unknown", "?", "？", "无")
        and not any("\uff00" < c < "\uff60" for c in s)
    )
)
DAY = st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31)).map(dt.date.isoformat)
NUMBER = (
    st.decimals(0, 10**12, places=2)
    .map(lambda d: str(d.normalize().quantize(1) if d == d.to_integral() else d.normalize()))
    .map(lambda s: int(s) if "." not in s else s)
)
BIG = st.integers(1, 10**30)
OR_NONE = lambda s: s | st.just("none")  # noqa: E731
FIELDS = st.fixed_dictionaries({}, optional={
    "seq": BIG, "area": NUMBER, "status": st.sampled_from(["cpc", "none"]), "basis": st.sampled_from(["a", "b", "none"]),
    "able": st.booleans(), "born": DAY, "pledge": OR_NONE(DAY), "same": BIG, "party": OR_NONE(DAY),
})  # fmt: skip
ILLEGAL = st.just({"illegal": "none"}) | st.fixed_dictionaries({}, optional={
    "illegal.no": OR_NONE(WORD), "illegal.on": DAY, "illegal.done": OR_NONE(DAY), "illegal.months": BIG})  # fmt: skip
FORMER = st.just({"former": "none"}) | st.fixed_dictionaries({}, optional={
    "former.recalled": OR_NONE(DAY), "former.misuse": OR_NONE(WORD), "former.refused": st.booleans()})  # fmt: skip
AROUND = st.fixed_dictionaries(
    {"as_of": st.dates(dt.date(1900, 1, 1), ON).map(dt.date.isoformat)},
    optional={"source": WORD, "ref": WORD, "by": WORD},
)
REACH = Layout(SHEET, SCHEMA).reach


@st.composite
def line(draw: st.DrawFn) -> dict[str, Any]:
    values = {"person": draw(WORD), "unit": draw(WORD), **draw(FIELDS), **draw(ILLEGAL), **draw(FORMER)}
    around = draw(AROUND)
    return {p: {"value": v, **{k: a for k, a in around.items() if k in REACH[p]}} for p, v in values.items()}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(line(), max_size=4, unique_by=lambda r: (r["person"]["value"], r["unit"]["value"])))
def test_write_then_read_gives_the_same_facts(rows: list[dict[str, Any]]) -> None:
    got = read_sheet(write_sheet(SHEET, SCHEMA, rows), "a.xlsx", SHEET, SCHEMA, ON)
    assert [r.facts for r in got] == rows
    for row in got:
        Reader(SCHEMA, ON).read(row.facts)
