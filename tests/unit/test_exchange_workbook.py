"""A rule set as a workbook: what it looks like, and that writing and reading it changes nothing, whatever stands in it."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

import pytest
from exchange_samples import BOOK, CASES, LIST, SCHEMA, SLOW, TABLE, WIDE, changed, content, contents, rule
from hypothesis import given, settings
from openpyxl import Workbook, load_workbook

from siquan.core.errors import Where
from siquan.core.exchange.content import Content, NewLine
from siquan.core.exchange.display import CUT
from siquan.core.exchange.made import NotOurs, made_from
from siquan.core.exchange.sheetread import read_workbook
from siquan.core.exchange.workbook import write_workbook
from siquan.core.plugins import discover
from siquan.core.sheets.form import LONGEST

LINES = (
    NewLine(name="limit", since=dt.date(2027, 1, 1), value=7000, basis="LOCAL", cite="=1+1", ref="'三号"),
    NewLine(name="who", since=dt.date(2027, 1, 1), value="lineal", place="street/β"),
    NewLine(name="start", since=dt.date(2027, 1, 1), value=dt.date(2028, 2, 29)),
    NewLine(name="strict", since=dt.date(2027, 1, 1), value=True), NewLine(name="strict", since=dt.date(2028, 1, 1), value=None),
    NewLine(name="basis.R-02", since=dt.date(2027, 1, 1), value="STATUTE"),
)  # fmt: skip
NOTES = {"R-01/when": "请法制科看一下\n第二行", "#parameters/limit@2021-01-01@/value": "=旧值", "#cases/未成年/expect": "对吗？🏠", "#settings/title/value": "改名？"}


def write(made: Content, **more: Any) -> bytes:
    return write_workbook(made, SCHEMA, BOOK, **more)


def read(data: bytes, base: Content) -> Content:
    return read_workbook(data, "表.xlsx", base, SCHEMA, BOOK)


def saved(data: bytes) -> bytes:
    """Opened and saved by another program."""
    out = io.BytesIO()
    load_workbook(io.BytesIO(data)).save(out)
    return out.getvalue()


@settings(SLOW, max_examples=40)
@given(contents)
def test_writing_and_reading_changes_nothing(made: Content) -> None:
    data = write(made)
    assert read(data, made) == made
    assert read(saved(data), made) == made


@pytest.mark.parametrize("spec", [LIST, TABLE, WIDE])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_kind_of_value_comes_back(spec: Any, lang: str) -> None:
    made = content(spec, lines=LINES, cases=CASES, notes=NOTES if spec is LIST else {})
    data = write(made, lang=lang, version="v3", title="名单")
    assert read(data, made) == made == read(saved(data), made)
    assert (found := made_from(data, "x")).content == made and found.version == "v3"


def test_the_bundled_rule_sets_come_back() -> None:
    catalogue = discover()
    for id, bound in catalogue.rulesets.items():
        cases = tuple(c for d in catalogue.definitions.values() for c in d.spec.cases if c.decide == id)
        made, book = Content(ruleset=bound.spec, cases=cases), catalogue.book_of(id)
        data = write_workbook(made, bound.schema, book, scope=bound.scope)
        for file in (data, saved(data)):
            assert read_workbook(file, "x.xlsx", made, bound.schema, book, scope=bound.scope) == made, id


def test_what_a_cell_cannot_hold_is_kept_as_long_as_it_is_not_touched() -> None:
    made = content(changed(LIST, "R-01", say="长" * 40_000, law="🏠" * 30_000, cite=" x \r\n"))
    data = write(made)
    sheet = load_workbook(io.BytesIO(data))["规则"]
    long = [str(c.value) for row in sheet.iter_rows() for c in row if isinstance(c.value, str) and len(c.value) > 1000]
    assert len(long) == 2 and all(x.endswith(CUT) and len(x.encode("utf-16-le")) // 2 <= LONGEST for x in long)
    assert read(saved(data), made) == made


def test_a_new_text_replaces_an_unreadable_one() -> None:
    made = content(changed(LIST, "R-01", say="长" * 40_000))
    book = load_workbook(io.BytesIO(write(made)))
    cell = next(c for row in book["规则"].iter_rows() for c in row if isinstance(c.value, str) and c.value.endswith(CUT))
    cell.value = "短"
    out = io.BytesIO()
    book.save(out)
    assert read(out.getvalue(), made) == content(changed(LIST, "R-01", say="短"))


def test_how_it_looks() -> None:
    book = load_workbook(io.BytesIO(write(content(lines=LINES, cases=CASES, notes=NOTES), title="负面清单", version="v3")))
    assert book.sheetnames == ["规则", "参数", "用例", "设置", "说明", "选项", "siquan"]
    assert [book[n].sheet_state for n in book.sheetnames[4:]] == ["visible", "veryHidden", "veryHidden"]
    rules = book["规则"]
    titles = [c.value for c in rules[2]]
    assert titles == ["编号", "分组", "名称", "条件", "条件说明", "后果", "依据", "出处", "命中时的话", "不命中时的话", "怎样补救", "条文原文", "不计算的原因", "未核实"]
    assert rules.row_dimensions[1].hidden and [c.value for c in rules[1]][:4] == ["id", "group", "title", "when"]
    assert rules.freeze_panes == "C3" and rules.auto_filter.ref == "A2:N5"
    assert all(c.comment and c.comment.text for c in rules[2])
    row = dict(zip(titles, rules[4], strict=True))
    assert row["条件"].value == "late and not(strict)" and row["条件说明"].value == "拖欠，且不满足（从严）" and row["依据"].value == "政策指引"
    assert dict(zip(titles, rules[3], strict=True))["条件"].comment.text == NOTES["R-01/when"]
    lists = {str(v.sqref).split(":")[0]: v.formula1 for v in rules.data_validations.dataValidation}
    assert lists["F3"] == '"拟不通过,不得进行,待补证,提示,通过,优先,目标,不适用"' and lists["G3"] == '"法律法规,业主约定,政策指引,本地设定"' and lists["N3"] == '"是,否"'
    parameters = book["参数"]
    assert parameters.protection.sheet and not parameters.protection.sort
    states = {(r[0].value, str(r[2].value)[:10], r[9].value): r[3].protection.locked for r in parameters.iter_rows(min_row=3) if r[0].value}
    assert states["free.months", "2021-01-01", "已发布"] and not states["limit", "2027-01-01", "本次新增"] and not states["limit", "None", None]
    assert ("unused", "2021-01-01", "已发布") not in states  # the rule set does not read it
    assert book["设置"]["A3"].value == "规则集名称" and book["说明"]["A1"].value == "负面清单" and "v3" in str(book["说明"]["A2"].value)


def test_a_table_has_a_column_for_each_input_and_output() -> None:
    book = load_workbook(io.BytesIO(write(content(WIDE))))
    assert [c.value for c in book["规则"][1]][:7] == ["id", "title", "cell:age", "cell:ready", "sentence", "out:level", "out:days"]
    assert [c.value for c in book["规则"][2]][:7] == ["编号", "名称", "年龄", "已备齐", "条件说明", "level", "days"]
    assert [c.value for c in book["规则"][3]][:7] == ["W1", None, "[0..17]", "true", "年龄不少于0，且年龄不超过17，且已备齐", "A", 3]
    assert [c.value for c in book["设置"]["A"]][2:] == [
        "规则集名称", "命中方式", "都不命中时的值（level）", "都不命中时的值（days）", "可取的值（level）", "可取的值（days）", "默认依据",
    ]  # fmt: skip
    # an input called like a column, or like a remark of people's own, gets another title
    odd = TABLE.model_copy(update={"inputs": ("编号", "备注", "#x")})
    titles = [c.value for c in load_workbook(io.BytesIO(write(content(odd))))["规则"][2]]
    assert titles[2:5] == ["编号（编号）", "列1 备注", "列1 #x"] and len(set(titles)) == len(titles)


def test_nothing_in_it_is_ever_a_formula() -> None:
    texts = ("=1+1", "+5", "-x", "@a", "=cmd|' /C calc'!A0", "#N/A")
    made = content(LIST.model_copy(update={"title": "=1", "rules": tuple(rule(t, when=t, say=t, outcome="WARN") for t in texts)}))
    data = write(made, title="=2", version="=3")
    for sheet in load_workbook(io.BytesIO(data)):
        assert all(c.data_type != "f" for row in sheet.iter_rows() for c in row)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert not any(b"<f>" in archive.read(n) for n in archive.namelist() if n.startswith("xl/worksheets"))
    assert read(data, made) == made


@pytest.mark.parametrize("harm", ["missing", "cut", "other", "bomb", "format"])
def test_a_workbook_that_does_not_say_what_it_was_made_from_is_refused(harm: str) -> None:
    book = load_workbook(io.BytesIO(write(content())))
    sheet = book["siquan"]
    if harm == "missing":
        book.remove(sheet)
    elif harm == "cut":
        sheet["B2"].value = str(sheet["B2"].value)[:-40]
    elif harm == "other":
        sheet["B2"].value = "eJwrAAAAeAB5"
    elif harm == "format":
        sheet["B1"].value = "2"
    else:
        import base64
        import zlib

        packed = base64.b64encode(zlib.compress(b" " * (40 * 2**20), 9)).decode()
        for n in range(0, len(packed), 30_000):
            sheet.cell(2 + n // 30_000, 1, f"content.{1 + n // 30_000}")
            sheet.cell(2 + n // 30_000, 2, packed[n : n + 30_000])
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(NotOurs) as caught:
        read(out.getvalue(), content())
    assert caught.value.where == Where("表.xlsx") and caught.value.code == "SQ151"


def test_any_other_workbook_is_refused() -> None:
    out = io.BytesIO()
    Workbook().save(out)
    with pytest.raises(NotOurs):
        made_from(out.getvalue(), "x.xlsx")
