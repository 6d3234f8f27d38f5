"""A rule set as a workbook to be changed in Excel, WPS or LibreOffice: rules, parameters, test cases, settings, a page that
explains it all, and unseen what it was made from. Text is written as text, whatever it begins with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from itertools import zip_longest
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from siquan.core.exchange.content import Content
from siquan.core.exchange.display import Display
from siquan.core.exchange.fields import BASES, OUTCOMES, Field
from siquan.core.exchange.made import SHEET, Made, rows_of
from siquan.core.exchange.rows import Row, case_row, line_row, rule_row, setting_rows
from siquan.core.exchange.sheetplan import (
    ADDED,
    FIRST,
    HELP,
    KEYS,
    LISTS,
    MOST,
    PUBLISHED,
    SPARE,
    TITLES,
    Plan,
    plans,
)
from siquan.core.exchange.words import Words, parameters_read
from siquan.core.rules.check import Scope
from siquan.core.rules.facts import Schema
from siquan.core.rules.parameters import ParameterBook
from siquan.core.sheets.columns import NO, YES
from siquan.core.sheets.form import escape
from siquan.core.spec.read import HIT_POLICIES

#: what a spreadsheet would read as the start of a formula
_LEADS = ("=", "+", "-", "@", "\t", "\r")
_LINE = Side("thin", color="FFD9D4CC")
_GRID = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_TOP = Alignment(wrap_text=True, vertical="top")
_HEAD = (
    Font(bold=True, color="FFFFFFFF"), PatternFill("solid", fgColor="FF9F2A2A"), Alignment(wrap_text=True, vertical="center", horizontal="center"),
)  # fmt: skip
_GREY, _PALE = Font(color="FF7A746B"), PatternFill("solid", fgColor="FFF3F1EC")
_FREE = Protection(locked=False)
_KEPT = {"rules": 2, "parameters": 2, "cases": 1, "settings": 1}  # columns that stay in sight


def write_workbook(
    content: Content, schema: Schema, book: ParameterBook, *, title: str = "", version: str = "", lang: str = "zh", scope: Scope | None = None
) -> bytes:
    """The .xlsx of a content. `book` holds the published lines, `version` names what it is made from, `scope` is that of
    the bound rule set where conditions read `parent.*`."""
    return _Writer(content, schema, book, lang, scope).run(title or content.ruleset.title or content.ruleset.id, version)


class _Writer:
    def __init__(self, content: Content, schema: Schema, book: ParameterBook, lang: str, scope: Scope | None) -> None:
        self.content, self.book, self.lang = content, book, lang
        self.zh = lang.startswith("zh")
        self.words = Words(content.ruleset, schema, book, lang, scope)
        self.plans = plans(content.ruleset, schema)
        self.out = Workbook()
        self.lists: list[list[str]] = []
        names = dict.fromkeys([*parameters_read(content.ruleset, schema, book), *(n.name for n in content.lines)])
        self.parameters = tuple(names)

    def run(self, title: str, version: str) -> bytes:
        self.out.properties.title, self.out.properties.creator = escape(title)[:200], "Siquan"
        self.out.remove(self.out.worksheets[0])
        self._rules(self._sheet(self.plans["rules"]))
        published = self._parameters(self._sheet(self.plans["parameters"]))
        self._cases(self._sheet(self.plans["cases"]))
        self._settings(self._sheet(self.plans["settings"]))
        self._help(title, version)
        self._hidden(LISTS, zip_longest(*self.lists))
        made = Made(self.content.ruleset.id, version, self.content, published)
        self._hidden(SHEET, rows_of(made))
        self.out.active = 0
        out = BytesIO()
        self.out.save(out)
        return out.getvalue()

    # sheets

    def _sheet(self, plan: Plan) -> Worksheet:
        ws: Worksheet = self.out.create_sheet(plan.name(self.lang))
        for n, field in enumerate(plan.fields, start=1):
            column = ws.column_dimensions[get_column_letter(n)]
            column.width = field.width or 20
            self._put(ws, KEYS, n, field.key)
            head = self._put(ws, TITLES, n, field.title(self.lang))
            head.font, head.fill, head.alignment = _HEAD
            head.border = _GRID
            hint = field.hint if self.zh else field.hint_en or field.hint
            if hint:
                head.comment = _comment(hint)
        ws.row_dimensions[KEYS].hidden = True
        ws.row_dimensions[TITLES].height = 30
        ws.freeze_panes = f"{get_column_letter(_KEPT[plan.key] + 1)}{FIRST}"
        ws.sheet_view.showGridLines = False
        ws.page_setup.orientation, ws.page_setup.paperSize = "landscape", ws.PAPERSIZE_A4
        ws.page_setup.fitToWidth, ws.page_setup.fitToHeight = 1, 0
        ws.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        ws.print_title_rows = f"{TITLES}:{TITLES}"
        return ws

    def _rules(self, ws: Worksheet) -> None:
        plan, rules = self.plans["rules"], self.content.ruleset.rules
        for number, rule in enumerate(rules, start=FIRST):
            row = rule_row(rule, plan, self.words, self.lang)
            self._row(ws, plan, number, row, {f.key: f"{rule.id}/{f.key}" for f in plan.fields})
        for number in range(FIRST + len(rules), FIRST + len(rules) + SPARE):
            self._row(ws, plan, number, {}, {})
        for field in plan.fields:
            self._choose(ws, plan, field, {"outcome": self._words(OUTCOMES), "basis": self._words(BASES), "flag": [YES, NO]}.get(field.kind))
        ws.auto_filter.ref = f"A{TITLES}:{get_column_letter(len(plan.fields))}{max(FIRST, FIRST + len(rules) - 1)}"

    def _parameters(self, ws: Worksheet) -> tuple[tuple[str, str, dt.date], ...]:
        plan, number = self.plans["parameters"], FIRST
        mine = {line.key for line in self.content.lines}  # of a version in force they stand in the book, too
        shown: list[tuple[str, str, dt.date]] = []
        for name in self.parameters:
            spec = self.book.specs.get(name)
            new = [line for line in self.content.lines if line.name == name]
            old = [line for line in (spec.lines if spec else ()) if (name, line.place, line.since) not in mine]
            lines = [(line, PUBLISHED) for line in old] + [(line.line, ADDED) for line in new]
            for line, state in sorted(lines, key=lambda pair: (pair[0].place, pair[0].since, pair[1] is ADDED)):
                row = line_row(name, line, self.words, state[0 if self.zh else 1], self.lang)
                notes = {f.key: f"#parameters/{name}@{line.since}@{line.place}/{f.key}" for f in plan.fields}
                self._row(ws, plan, number, row, notes, locked=state is PUBLISHED)
                number += 1
                if state is PUBLISHED:
                    shown.append((name, line.place, line.since))
            # a line ready for the next value
            self._row(ws, plan, number, {"name": name, "title": spec.title if spec else "", "unit": spec.unit if spec else ""}, {})
            number += 1
        for spare in range(number, number + SPARE // 4):
            self._row(ws, plan, spare, {}, {})
        for key, words in (("name", list(self.parameters)), ("basis", self._words(BASES))):
            self._choose(ws, plan, plan.by_key[key], words)
        for flag in ("sort", "autoFilter", "insertRows", "formatColumns", "formatRows", "formatCells", "objects", "scenarios"):
            setattr(ws.protection, flag, False)  # what the protection does not forbid
        ws.protection.sheet = True
        return tuple(shown)

    def _cases(self, ws: Worksheet) -> None:
        plan = self.plans["cases"]
        for number, case in enumerate(self.content.cases, start=FIRST):
            self._row(ws, plan, number, case_row(case, self.lang), {f.key: f"#cases/{case.name}/{f.key}" for f in plan.fields})
        for number in range(FIRST + len(self.content.cases), FIRST + len(self.content.cases) + SPARE // 2):
            self._row(ws, plan, number, {}, {})
        self._choose(ws, plan, plan.by_key["expect"], self._words(OUTCOMES))
        if not any(c.steps for c in self.content.cases):
            ws.column_dimensions[get_column_letter(len(plan.fields))].hidden = True

    def _settings(self, ws: Worksheet) -> None:
        plan = self.plans["settings"]
        for number, (field, value) in enumerate(setting_rows(self.content.ruleset, self.lang), start=FIRST):
            hint = field.hint if self.zh else field.hint_en or field.hint
            row: Row = {"key": field.title(self.lang), "value": value, "hint": hint or None}
            self._row(ws, plan, number, row, {"value": f"#settings/{field.key}/value"})
            ws.cell(number, 1).font, ws.cell(number, 1).fill = _GREY, _PALE
            words = {"basis": self._words(BASES), "hit_policy": list(HIT_POLICIES)}.get(field.kind if field.kind == "basis" else field.key)
            if words:
                self._choose(ws, plan, plan.by_key["value"], words, f"B{number}")

    def _help(self, title: str, version: str) -> None:
        ws = self.out.create_sheet(HELP[0 if self.zh else 1])
        ws.sheet_view.showGridLines = False
        for letter, width in zip("ABC", (16, 22, 80), strict=True):
            ws.column_dimensions[letter].width = width
        number = 1
        for line in (_ABOUT if self.zh else _ABOUT_EN).format(title=title, version=version or "—").splitlines():
            cell = self._put(ws, number, 1, line)
            cell.font = Font(bold=number == 1, size=14 if number == 1 else 11)
            cell.alignment = Alignment(vertical="top")
            number += 1
        number += 1
        for n, text in enumerate(("工作表", "列", "怎么填") if self.zh else ("Sheet", "Column", "How to fill in"), start=1):
            head = self._put(ws, number, n, text)
            head.font, head.fill, head.alignment = _HEAD
        for plan in self.plans.values():
            for field in plan.fields:
                number += 1
                hint = field.hint if self.zh else field.hint_en or field.hint
                for n, text in enumerate((plan.name(self.lang), field.title(self.lang), hint), start=1):
                    cell = self._put(ws, number, n, text)
                    cell.alignment, cell.border = _TOP, _GRID

    def _hidden(self, name: str, rows: Iterable[Sequence[Display]]) -> None:
        ws = self.out.create_sheet(name)
        ws.sheet_state = "veryHidden"
        for number, row in enumerate(rows, start=1):
            for n, value in enumerate(row, start=1):
                if value is not None:
                    self._put(ws, number, n, value)

    # cells

    def _row(self, ws: Worksheet, plan: Plan, number: int, row: Row, notes: Mapping[str, str], *, locked: bool = False) -> None:
        """`notes` gives the key under which a remark on a field is kept."""
        for n, field in enumerate(plan.fields, start=1):
            cell = self._put(ws, number, n, row.get(field.key))
            cell.alignment, cell.border = _TOP, _GRID
            if locked or field.kind == "shown":
                cell.font, cell.fill = _GREY, _PALE
            else:
                cell.protection = _FREE
            text = self.content.notes.get(notes.get(field.key, ""))
            if text:
                cell.comment = _comment(escape(text))

    @staticmethod
    def _put(ws: Worksheet, row: int, column: int, value: Display) -> Any:
        """Text as text, so that 007 stays 007 and nothing is ever evaluated."""
        cell = ws.cell(row, column)
        assert isinstance(cell, Cell)
        if value is None or value == "":
            return cell
        if isinstance(value, str):
            cell.value = escape(value)
            cell.data_type, cell.number_format = "s", "@"
            if value.startswith(_LEADS):
                cell.quotePrefix = True
        else:
            cell.value = value
            if isinstance(value, dt.date):
                cell.number_format = "yyyy-mm-dd"
        return cell

    def _words(self, words: Mapping[str, tuple[str, str]]) -> list[str]:
        return [pair[0 if self.zh else 1] for pair in words.values()]

    def _choose(self, ws: Worksheet, plan: Plan, field: Field, words: list[str] | None, where: str = "") -> None:
        """A drop-down list; another text may be typed, because it may be an expression, and reading checks it."""
        if not words:
            return
        formula = '"' + ",".join(words) + '"'
        if len(formula) > 255 or any(c in w for w in words for c in ',"'):
            self.lists.append(words)
            letter = get_column_letter(len(self.lists))
            formula = f"{quote_sheetname(LISTS)}!${letter}$1:${letter}${len(words)}"
        rule = DataValidation("list", formula1=formula, allow_blank=True, showErrorMessage=False)
        letter = get_column_letter(plan.fields.index(field) + 1)
        rule.add(where or f"{letter}{FIRST}:{letter}{FIRST + MOST - 1}")
        ws.add_data_validation(rule)


def _comment(text: str) -> Comment:
    comment = Comment(text, "Siquan")
    comment.width, comment.height = 260, 40 + 18 * (len(text) // 18 + text.count("\n"))
    return comment


_ABOUT = """{title}
版本：{version}
改完存成 .xlsx，在规则集的页面上传；上传后先看改了什么，不会马上生效。有一格不对就整个文件不收，不对的格会逐个列出。
规则：一行一条。可以调整行和列的次序、加行、删行；新行的编号空着由系统编。“条件说明”是自动写的，改了不算。
参数：灰色的行已经发布，不能改也不能删；要换一个值，就在它下面的空行写新的值和从哪天起。
用例：给定什么事实，应得什么结论。上传后会逐个试算。
列名和工作表名不要改，列不要删；自己加的列，列名用 # 或“备注”开头，不会读入。不要合并单元格，不要写公式。
在单元格上加的批注会保留，下次下载还在原处。
记号：= 等于，!= 不等于，< <= > >= 比大小，and 并且，or 或者，not(...) 不是，[6..12] 从 6 到 12，present(x) 有，absent(x) 没有，- 任意。全角标点会自动改成半角。"""
_ABOUT_EN = """{title}
Version: {version}
Save as .xlsx and upload it on the page of the rule set: you see what changed first, nothing takes effect at once.
One wrong cell and nothing is taken; every wrong cell is named.
Rules: one a row. Rows and columns may change places, rows may be added and removed; an empty id is made up.
The sentence is generated; changes to it do not count.
Parameters: grey lines are published and stay as they are; a new value is a new line below with its first day.
Cases: which facts lead to which conclusion. They are tried out after the upload.
Leave the titles and the names of sheets, delete no column; a column of your own starts with #. No merged cells, no formulas.
Notes on cells are kept and stand in the next download.
Signs: = != < <= > >= and or not(...) [6..12] present(x) absent(x) - for any."""
