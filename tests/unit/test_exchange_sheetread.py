"""What people do to a workbook: honest changes are taken, however they were typed."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from exchange_samples import BOOK, CASES, LIST, SCHEMA, TABLE, WIDE, changed, content, rule
from exchange_sheets import LINE, TABLED, Sheets, after, new_line, refused
from openpyxl.comments import Comment

from siquan.core.exchange.content import NewLine
from siquan.core.exchange.made import OtherBase, OtherRuleSet
from siquan.core.exchange.sheetread import read_workbook, take_workbook
from siquan.core.exchange.workbook import write_workbook
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.model import CaseSpec, ParamSpec


@pytest.mark.parametrize(("title", "typed", "key", "value"), [
    ("名称", "  年龄下限 ", "title", "年龄下限"), ("名称", 18, "title", "18"), ("名称", dt.datetime(2026, 1, 2), "title", "2026-01-02"),
    ("条件", "age < 16", "when", "age < 16"), ("条件", "age＜16 and not（ready）", "when", "age<16 and not(ready)"),
    ("条件", "kind = “new” and age ≥ 1６", "when", 'kind = "new" and age >= 16'), ("条件", "age in 【1..2】", "when", "age in [1..2]"), ("条件", True, "when", None),
    ("后果", "不得进行", "outcome", "BLOCK"), ("后果", "block", "outcome", "BLOCK"), ("后果", "if ready then REJECT else WARN", "outcome", "if ready then REJECT else WARN"),
    ("依据", "业主约定", "basis", "OWNERS"), ("依据", "owners", "basis", "OWNERS"), ("依据", None, "basis", ""),
    ("未核实", "是", "unconfirmed", True), ("未核实", True, "unconfirmed", True), ("未核实", "否", "unconfirmed", False), ("命中时的话", "=1+1", "say", None),
    ("不命中时的话", None, "clear", ""), ("怎样补救", "一\r\n二", "cure", "一\n二"), ("出处", "a_x000D_b", "cite", "a\nb"), ("出处", "007", "cite", "007"),
])  # fmt: skip
def test_a_cell_of_a_list_is_taken_as_it_was_meant(title: str, typed: Any, key: str, value: Any) -> None:
    if value is None:  # a boolean is no condition, and what looks like a formula is one
        assert len(refused(lambda s: s.put("R-01", title, typed) and None)) == 1
        return

    def do(sheets: Sheets) -> None:
        sheets.put("R-01", title, typed)

    assert after(do) == content(changed(LIST, "R-01", **{key: value}))


@pytest.mark.parametrize(("title", "typed", "value"), [
    ("金额", 5000, "5000"), ("金额", 5000.5, "5000.5"), ("金额", "＞ 5000", "> 5000"), ("金额", "1、2，3", "1,2,3"), ("金额", "[1..6]", "[1..6]"),
    ("金额", None, "-"), ("种类", "首次成立", '"new"'), ("种类", "首次成立、换届", '"new","old"'), ("种类", "“换届”", '"old"'), ("种类", "not(首次成立)", 'not("new")'),
    ("种类", "new", "new"),
])  # fmt: skip
def test_a_test_of_a_table(title: str, typed: Any, value: str) -> None:
    def do(sheets: Sheets) -> None:
        sheets.put("T2", title, typed)

    key = {"金额": "amount", "种类": "kind"}[title]
    assert after(do, content(TABLE)) == content(changed(TABLE, "T2", cells={**TABLE.rules[1].cells, key: value}))


@pytest.mark.parametrize(("typed", "value"), [(True, "true"), ("是", "true"), ("否", "false"), (False, "false"), ("TRUE", "true"), ("ＦＡＬＳＥ", "false")])
def test_a_yes_or_no_of_a_table(typed: Any, value: str) -> None:
    found = after(lambda s: s.put("W2", "已备齐", typed) and None, content(WIDE))
    assert found.ruleset.rules[1].cells["ready"] == value


def test_values_of_several_outputs() -> None:
    def do(sheets: Sheets) -> None:
        sheets.put("W1", "days", 5)
        sheets.put("W2", "days", "12")
        sheets.put("W2", "level", "C")

    assert [r.out for r in after(do, content(WIDE)).ruleset.rules] == [{"level": "A", "days": 5}, {"level": "C", "days": 12}]


def test_a_date_in_a_test() -> None:
    table = TABLE.model_copy(update={"inputs": ("day",), "rules": (rule("D1", cells={"day": "-"}, out=1),)})

    def do(sheets: Sheets) -> None:
        sheets.put("D1", "受理日", dt.date(2026, 7, 1)).number_format = "yyyy-mm-dd"

    assert after(do, content(table)).ruleset.rules[0].cells == {"day": 'date("2026-07-01")'}


def test_rows_are_added_removed_and_turned_round() -> None:
    def do(sheets: Sheets) -> None:
        sheet, new = sheets.sheet(), sheets.spare()
        for title, value in (("名称", "新"), ("条件", "late"), ("后果", "提示")):
            sheets.put(new, title, value)
        for title, value in (("编号", "X-9"), ("条件", "ready"), ("后果", "优先")):
            sheets.put(new + 1, title, value)
        sheet.move_range(f"A{sheets.row('R-01')}:N{sheets.row('R-01')}", rows=10)
        sheet.delete_rows(sheets.row("R-02"))

    found = after(do).ruleset.rules
    assert found == (
        LIST.rules[2], rule("R-04", title="新", when="late", outcome="WARN"), rule("X-9", when="ready", outcome="PRIORITY"), LIST.rules[0],
    )  # fmt: skip


@pytest.mark.parametrize(("ids", "made"), [
    (("R-01", "R-02"), ["R-03", "R-04"]), (("OC-N09", "OC-P01"), ["OC-P02", "OC-P03"]), (("R-99", "甲"), ["R-100", "R-101"]), ((), ["R1", "R2"]),
])  # fmt: skip
def test_an_empty_id_is_made_up(ids: tuple[str, ...], made: list[str]) -> None:
    base = content(LIST.model_copy(update={"rules": tuple(rule(i, when="late", outcome="WARN") for i in ids)}))

    def do(sheets: Sheets) -> None:
        first = sheets.spare()
        for row in (first, first + 1):
            sheets.put(row, "条件", "ready")
            sheets.put(row, "后果", "提示")

    assert [r.id for r in after(do, base).ruleset.rules] == [*ids, *made]


def test_the_id_of_a_removed_rule_is_not_used_again() -> None:
    def do(sheets: Sheets) -> None:
        sheets.put(sheets.spare(), "条件", "ready")
        sheets.put(sheets.spare() - 1, "后果", "提示")
        sheets.sheet().delete_rows(sheets.row("R-03"))

    assert [r.id for r in after(do).ruleset.rules] == ["R-01", "R-02", "R-04"]


def test_columns_may_change_places_and_people_may_add_their_own() -> None:
    def do(sheets: Sheets) -> None:
        sheet = sheets.sheet()
        rows = [[c.value for c in row] for row in sheet.iter_rows()]
        for n, row in enumerate(rows, start=1):
            turned = [*reversed(row), "#", "备注：x"] if n == 2 else [*reversed(row), "随便", 5]
            for column, value in enumerate(turned, start=1):
                sheet.cell(n, column).value = value
        sheet.insert_rows(1)
        sheet["A1"] = "这是表头上面自己写的一行"

    assert after(do) == content()


def test_the_generated_sentence_and_the_hidden_row_do_not_count() -> None:
    def do(sheets: Sheets) -> None:
        sheets.put("R-01", "条件说明", "别的")
        sheets.sheet().delete_rows(1)

    assert after(do) == content()


def test_settings() -> None:
    def do(sheets: Sheets) -> None:
        for row in sheets.sheet("设置").iter_rows(min_row=3):
            new = {"规则集名称": "新名", "命中方式": "o", "默认依据": "法律法规", "都不命中时的值（days）": 7, "可取的值（level）": "A\nB\nC"}.get(row[0].value)
            row[1].value = new if new is not None else row[1].value

    found = after(do, content(WIDE)).ruleset
    assert (found.title, found.hit_policy, found.default_basis, found.default) == ("新名", "O", "STATUTE", {"level": "C", "days": 7})
    assert found.output_values == {"level": ("A", "B", "C")}


@pytest.mark.parametrize(("since", "value", "kept"), [
    (dt.date(2028, 1, 1), 8000, 8000), ("2028-01-01", "8,000.5", "8000.5"), ("2028年1月1日", "8000元", 8000), ("20280101", "废止", None), ("2028/1/1", 0, 0),
])  # fmt: skip
def test_the_next_value_of_a_parameter(since: Any, value: Any, kept: Any) -> None:
    found = after(lambda s: new_line(s, 生效日期=since, 值=value, 依据="业主约定", 文号="五号") and None, TABLED)
    wanted = NewLine(name="limit", since=dt.date(2028, 1, 1), value=Decimal(kept) if isinstance(kept, str) else kept, basis="OWNERS", ref="五号")
    assert found == content(TABLE, lines=(LINE, wanted))


def test_a_new_line_may_be_changed_moved_and_taken_out_again() -> None:
    assert after(lambda s: s.put(s.parameter("limit", "2027-01-01"), "值", 9000, "参数") and None, TABLED).lines[0].value == 9000
    assert after(lambda s: s.put(s.parameter("limit", "2027-01-01"), "地方", "street/x", "参数") and None, TABLED).lines[0].place == "street/x"
    assert after(lambda s: s.sheet("参数").delete_rows(s.parameter("limit", "2027-01-01")), TABLED).lines == ()


@pytest.mark.parametrize(("name", "typed", "value"), [("strict", "是", True), ("strict", True, True), ("basis.R-02", "法律法规", "STATUTE"), ("free.months", 6, 6)])
def test_other_kinds_of_parameters(name: str, typed: Any, value: Any) -> None:
    found = after(lambda s: new_line(s, name, 生效日期="2030-01-01", 值=typed) and None)
    assert found.lines == (NewLine(name=name, since=dt.date(2030, 1, 1), value=value),)


def test_the_lines_of_a_version_in_force_are_its_own() -> None:
    """They stand in the book as well; the workbook shows each once."""
    book = ParameterBook([*BOOK.specs.values(), ParamSpec(name=LINE.name, lines=(LINE.line,))])
    assert after(lambda s: None, TABLED, book) == TABLED
    assert after(lambda s: new_line(s, 生效日期="2030-01-01", 值=1) and None, TABLED, book).lines[0] == LINE


def test_cases_are_added_and_changed() -> None:
    def do(sheets: Sheets) -> None:
        sheets.put("未成年", "应得的结论", "提示", "用例")
        sheets.put("没有欠费", "应命中的规则", "R-01、R-02", "用例")
        row = sheets.spare("用例")
        for title, value in (
            ("名称", "新的"), ("判定日期", "2026-05-01"), ("给定的事实", "age： 17\nfee: {months: 2}\nkind: 首次"), ("另设的参数", "strict: true"),
            ("应得的结论", "通过"), ("应追问的事实", "无"),
        ):  # fmt: skip
            sheets.put(row, title, value, "用例")

    found = after(do, content(cases=CASES)).cases
    assert [c.expect for c in found] == ["WARN", "PASS", "PASS"] and found[1].because == ("R-01", "R-02")
    assert found[2] == CaseSpec(
        name="新的", on=dt.date(2026, 5, 1), given={"age": 17, "fee": {"months": 2}, "kind": "首次"}, set={"strict": True}, expect="PASS", ask=(), decide="demo.list",
    )  # fmt: skip


def test_remarks_are_kept_where_they_are() -> None:
    def do(sheets: Sheets) -> None:
        sheets.cell("R-02", "后果").comment = Comment("王：\n太严了\n再议", "王")
        sheets.cell("R-01", "条件说明").comment = Comment(" 看不懂 ", "李")
        sheets.cell(sheets.parameter("limit", "2021-01-01"), "值", "参数").comment = Comment("旧的", "李")

    base = content(changed(LIST, "R-01", say="{limit}"), notes={"R-02/cite": "本来就有的"})
    found = after(do, base)
    assert found.notes == {"R-02/cite": "本来就有的", "R-02/outcome": "太严了\n再议", "R-01/sentence": "看不懂", "#parameters/limit@2021-01-01@/value": "旧的"}
    assert read_workbook(write_workbook(found, SCHEMA, BOOK), "x", found, SCHEMA, BOOK) == found
    assert found.hash == base.hash and found.digest != base.digest


def test_threads_of_newer_programs_are_read() -> None:
    data = write_workbook(content(), SCHEMA, BOOK)
    thread = (
        '<ThreadedComments xmlns="x"><threadedComment ref="D3" id="1"><text>太严</text></threadedComment>'
        '<threadedComment ref="D3" id="2" parentId="1"><text>同意 &amp; 照办</text></threadedComment></ThreadedComments>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            part = old.read(info)
            if info.filename == "xl/worksheets/_rels/sheet1.xml.rels":
                kind = "http://schemas.microsoft.com/office/2017/10/relationships/threadedComment"
                link = f'<Relationship Type="{kind}" Target="../threadedComments/threadedComment1.xml" Id="t1"/></Relationships>'
                part = part.replace(b"</Relationships>", link.encode())
            new.writestr(info, part)
        new.writestr("xl/threadedComments/threadedComment1.xml", thread)
    assert read_workbook(out.getvalue(), "x", content(), SCHEMA, BOOK).notes == {"R-01/when": "太严\n同意 & 照办"}


# other versions


def test_another_rule_set_or_version_is_refused_and_merged_where_asked() -> None:
    base = content()
    sheets = Sheets(write_workbook(base, SCHEMA, BOOK, version="v1"))
    sheets.put("R-01", "条件", "age < 16")
    data = sheets.data()
    with pytest.raises(OtherRuleSet) as other:
        read_workbook(data, "表.xlsx", content(TABLE), SCHEMA, BOOK)
    assert "demo.list" in other.value.text("zh") and "demo.table" in other.value.text("en")
    current = content(changed(LIST, "R-02", say="新"), lines=(LINE,))
    with pytest.raises(OtherBase) as stale:
        read_workbook(data, "表.xlsx", current, SCHEMA, BOOK)
    assert "v1" in stale.value.text("zh") and stale.value.http == 409
    merged = take_workbook(data, "表.xlsx", current, SCHEMA, BOOK)
    assert not merged.conflicts and merged.content == content(changed(changed(LIST, "R-02", say="新"), "R-01", when="age < 16"), lines=(LINE,))
    clash = take_workbook(data, "表.xlsx", content(changed(LIST, "R-01", when="age < 17")), SCHEMA, BOOK)
    assert [(c.rule, c.field, c.ours, c.theirs) for c in clash.conflicts] == [("R-01", "when", "age < 17", "age < 16")]
    assert take_workbook(data, "表.xlsx", base, SCHEMA, BOOK).content == content(changed(LIST, "R-01", when="age < 16"))
