"""What people do to a workbook: honest changes are taken however they were typed, everything else is refused at its cell."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from exchange_samples import BOOK, CASES, LIST, SCHEMA, TABLE, WIDE, changed, content, rule
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment

from siquan.core.errors import Errors, SiquanError
from siquan.core.exchange.content import Content, NewLine
from siquan.core.exchange.made import OtherBase, OtherRuleSet
from siquan.core.exchange.sheetread import read_workbook, take_workbook
from siquan.core.exchange.workbook import write_workbook
from siquan.core.rules.parameters import ParameterBook
from siquan.core.sheets.archive import Locked, NotWorkbook, TooBig, Unsafe
from siquan.core.spec.model import CaseSpec, ParamLine, ParamSpec

LINE = NewLine(name="limit", since=dt.date(2027, 1, 1), value=7000, basis="LOCAL")
Do = Callable[["Sheets"], None]


class Sheets:
    """A workbook in hand; cells are named by sheet, id of the row (its first cell) and title of the column."""

    def __init__(self, data: bytes) -> None:
        self.book = load_workbook(io.BytesIO(data))

    def sheet(self, name: str = "规则") -> Any:
        return self.book[name]

    def column(self, title: str, sheet: str = "规则") -> int:
        return next(c.column for c in self.sheet(sheet)[2] if c.value == title)

    def row(self, id: str, sheet: str = "规则") -> int:
        return next(r[0].row for r in self.sheet(sheet).iter_rows(min_row=3) if r[0].value == id)

    def cell(self, id: str | int, title: str, sheet: str = "规则") -> Any:
        return self.sheet(sheet).cell(id if isinstance(id, int) else self.row(id, sheet), self.column(title, sheet))

    def put(self, id: str | int, title: str, value: Any, sheet: str = "规则") -> Any:
        cell = self.cell(id, title, sheet)
        cell.value = value
        return cell

    def spare(self, sheet: str = "规则") -> int:
        """The first row behind the filled ones."""
        return int(max(r[0].row for r in self.sheet(sheet).iter_rows(min_row=2) if any(c.value is not None for c in r))) + 1

    def parameter(self, name: str, since: str | None) -> int:
        rows = self.sheet("参数").iter_rows(min_row=3)
        return next(r[0].row for r in rows if r[0].value == name and (str(r[2].value)[:10] if r[2].value else None) == since)

    def data(self) -> bytes:
        out = io.BytesIO()
        self.book.save(out)
        return out.getvalue()


def after(do: Do, base: Content | None = None, book: ParameterBook = BOOK) -> Content:
    base = base or content()
    sheets = Sheets(write_workbook(base, SCHEMA, book))
    do(sheets)
    return read_workbook(sheets.data(), "表.xlsx", base, SCHEMA, book)


def refused(do: Do, base: Content | None = None) -> list[tuple[str, str, str]]:
    """Place, code and message of everything that is wrong."""
    with pytest.raises(Errors) as caught:
        after(do, base)
    for error in caught.value:
        for lang in ("zh", "en"):
            assert not re.search(r"\{[a-z_]+\}", error.text(lang) + error.help(lang)), "a blank of the message was not filled"
    return [(str(e.where), e.code, e.text("zh")) for e in caught.value]


# honest changes


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


@pytest.mark.parametrize(("typed", "value"), [(True, "true"), ("是", "true"), ("否", "false"), (False, "false"), ("TRUE", None)])
def test_a_yes_or_no_of_a_table(typed: Any, value: str | None) -> None:
    def do(sheets: Sheets) -> None:
        sheets.put("W2", "已备齐", typed)

    if value is None:
        assert refused(do, content(WIDE))[0][:2] == ("规则!D4", "SQ155")
    else:
        assert after(do, content(WIDE)).ruleset.rules[1].cells["ready"] == value


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


def new_line(sheets: Sheets, name: str = "limit", **cells: Any) -> int:
    row = sheets.parameter(name, None)
    for title, value in cells.items():
        cell = sheets.put(row, title, value, "参数")
        if isinstance(value, dt.date):
            cell.number_format = "yyyy-mm-dd"
    return row


TABLED = content(TABLE, lines=(LINE,))


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


# wrong cells


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
