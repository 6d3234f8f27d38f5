"""The workbook a clerk fills in: header, drop-down lists, text columns that keep 007, the sheet of notes.

Text is always written as text, and marked so when it begins like a formula, so nothing a person typed into a form is
ever evaluated by Excel.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Any, NamedTuple
from xml.sax.saxutils import escape as xml

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation

from siquan.core.sheets.cells import EARLIEST
from siquan.core.sheets.columns import NO, NOTES, UNKNOWN, WORDS, YES, Column
from siquan.core.sheets.notes import sample
from siquan.core.sheets.read import MAX_ROWS

Shown = str | int | float | dt.date | None
#: bytes that Excel, WPS or a CSV made from the sheet would read as the start of a formula
_LEADS = ("=", "+", "-", "@", "\t", "\r")
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)|[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD = (
    Font(bold=True, color="FFFFFFFF"), PatternFill("solid", fgColor="FF9F2A2A"),
    Alignment(wrap_text=True, vertical="center", horizontal="center"), Border(right=Side("thin", color="FFFFFFFF")),
)  # fmt: skip
_DATE = "yyyy-mm-dd"
_SAMPLED = 200  # rows looked at for column widths
_SLICE = 2000  # rows encoded at once
_FIRST = "xl/worksheets/sheet1.xml"
_DAY_ZERO = dt.date(1899, 12, 30)  # right from March 1900 on; Excel counts a day too many before
LONGEST = 32_767  # characters of a cell; Excel calls a file with a longer one damaged


def _wide(text: str) -> int:
    """Width in Latin characters; a Chinese one takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _format(column: Column) -> str:
    """Number format of a column; text unless it holds numbers or dates, so that 3-1-0502 never turns into a date."""
    if column.part == "as_of" or (column.fact and column.kind == "fact" and column.fact.type == "date"):
        return _DATE
    if column.fact and column.kind == "fact" and column.fact.type in ("integer", "decimal"):
        return "General"
    return "@"


def form(
    columns: Sequence[Column],
    name: str,
    lines: Iterable[list[Shown]],
    explained: list[list[str]],
    title: str,
    frozen: int,
) -> bytes:
    """The file. `lines` are rows of cells in the order of the columns, `explained` the lines of 说明 (none: no such
    sheet), `frozen` the number of columns that stay in sight."""
    book = Workbook(write_only=True)
    book.properties.title = title or name
    book.properties.creator = "Siquan"
    ws = book.create_sheet(name)
    ws.freeze_panes = f"{get_column_letter(frozen + 1)}2"
    body = list(lines)
    for n, column in enumerate(columns):
        seen = max((_wide(str(line[n])) for line in body[:_SAMPLED] if line[n] is not None), default=0)
        dimension = ws.column_dimensions[get_column_letter(n + 1)]
        dimension.width = min(max(_wide(column.title) + 4, seen + 2, 10), 40)
        dimension.number_format = _format(column)
    words = _validations(ws, columns)
    ws.append([_head(ws, c.title) for c in columns])
    styles = _Styles(_style(ws, "@"), _style(ws, "@", quoted=True), _style(ws, _DATE), _style(ws, "General"))
    if explained:
        _notes(book, explained)
    if words:
        hidden = book.create_sheet(WORDS)
        hidden.sheet_state = "hidden"
        for n in range(max(map(len, words))):
            hidden.append([_text(hidden, w[n]) if n < len(w) else None for w in words])
    out = BytesIO()
    book.save(out)
    return _filled(out.getvalue(), body, styles, columns) if body else out.getvalue()


def escape(text: str) -> str:
    """Characters XML cannot hold, and texts that look like their escape, in OOXML's own escape."""
    return _ESCAPE.sub(lambda m: f"_x{ord(m.group(0)):04X}_", text)


class _Styles(NamedTuple):
    """Numbers of the cell styles; `quoted` is text that begins like a formula."""

    text: int
    quoted: int
    date: int
    number: int


def _style(ws: Any, number_format: str, *, quoted: bool = False) -> int:
    cell = WriteOnlyCell(ws)
    cell.number_format = number_format
    if quoted:
        cell.quotePrefix = True
    return cell.style_id


def _filled(empty: bytes, body: list[list[Shown]], styles: _Styles, columns: Sequence[Column]) -> bytes:
    """The form with its rows, written straight into the sheet's XML: five times as fast as cell by cell."""
    out = BytesIO()
    letters = [get_column_letter(n + 1) for n in range(len(columns))]
    size = f'<dimension ref="A1:{letters[-1]}{len(body) + 1}"/>'.encode()
    with zipfile.ZipFile(BytesIO(empty)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            part = old.read(info)
            if info.filename != _FIRST:
                new.writestr(info, part, zipfile.ZIP_DEFLATED)
                continue
            head, end, tail = re.sub(rb"<dimension [^>]*/>", size, part, count=1).partition(b"</sheetData>")
            with new.open(info.filename, "w") as stream:
                stream.write(head)
                for at in range(0, len(body), _SLICE):
                    stream.write("".join(_rows(body[at : at + _SLICE], at + 2, letters, styles)).encode())
                stream.write(end + tail)
    return out.getvalue()


def _rows(lines: list[list[Shown]], first: int, letters: list[str], styles: _Styles) -> Iterator[str]:
    for number, line in enumerate(lines, start=first):
        yield f'<row r="{number}">'
        for letter, value in zip(letters, line, strict=True):
            if value is None or value == "":
                continue
            if isinstance(value, str):
                # an inline string: never a formula or an error value, whatever it looks like
                style = styles.quoted if value.startswith(_LEADS) else styles.text
                text = xml(escape(value)[:LONGEST])
                yield f'<c r="{letter}{number}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
            else:
                day = isinstance(value, dt.date)
                plain = (value - _DAY_ZERO).days if isinstance(value, dt.date) else repr(value)
                yield f'<c r="{letter}{number}" s="{styles.date if day else styles.number}"><v>{plain}</v></c>'
        yield "</row>"


def _text(ws: Any, text: str) -> Cell:
    cell = WriteOnlyCell(ws, escape(text))
    cell.data_type, cell.number_format = "s", "@"
    if text.startswith(_LEADS):
        cell.quotePrefix = True
    return cell


def _head(ws: Any, text: str) -> Cell:
    cell = _text(ws, text)
    cell.font, cell.fill, cell.alignment, cell.border = _HEAD
    return cell


def _notes(book: Workbook, lines: list[list[str]]) -> None:
    """The sheet 说明: a paragraph, then a table with a header."""
    ws = book.create_sheet(NOTES)
    for n in range(max(map(len, lines))):
        most = max((_wide(line[n]) for line in lines if len(line) > max(n, 1)), default=10)
        ws.column_dimensions[get_column_letter(n + 1)].width = min(max(most + 2, 8), 60)
    headed = False
    for line in lines:
        if len(line) > 1 and not headed:
            headed = True
            ws.append([_head(ws, text) for text in line])
            continue
        cells = [_text(ws, text) for text in line]
        for cell in cells if len(line) > 1 else ():
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        ws.append(cells)


def _choices(column: Column) -> list[str]:
    if column.kind == "finding":
        return [YES, NO, UNKNOWN]
    fact = column.fact
    if fact is None or fact.type not in ("boolean", "enum"):
        return []
    out = [YES, NO, UNKNOWN] if fact.type == "boolean" else list(fact.values.values())
    return out + ([fact.absent] if fact.absent and fact.absent not in out else [])


def _validations(ws: Any, columns: Sequence[Column]) -> list[list[str]]:
    """Drop-down lists and a hint for every column; returns the lists too long for a cell's own, which stand in the
    hidden sheet in this order."""
    elsewhere: list[list[str]] = []
    for n, column in enumerate(columns):
        where = f"{get_column_letter(n + 1)}2:{get_column_letter(n + 1)}{MAX_ROWS + 1}"
        choices = _choices(column)
        if choices:
            formula = '"' + ",".join(choices) + '"'
            if (
                len(formula) > 255
                or any(c in w for w in choices for c in ',"，')
                or choices[0].startswith("=")
            ):
                letter = get_column_letter(len(elsewhere) + 1)
                elsewhere.append(choices)
                formula = f"{quote_sheetname(WORDS)}!${letter}$1:${letter}${len(choices)}"
            rule = DataValidation("list", formula1=formula, allow_blank=True, showErrorMessage=True)
            rule.error = f"从下拉框里选：{'、'.join(choices)}"[:220]
            rule.errorTitle = column.title[:30]
        elif column.kind == "envelope" or column.fact:
            rule = DataValidation(allow_blank=True)
        else:
            continue
        rule.showInputMessage = True
        rule.promptTitle, rule.prompt = column.title[:30], _hint(column)[:250]
        rule.add(where)
        ws.data_validations.append(rule)
    return elsewhere


def _hint(column: Column) -> str:
    if column.part:
        return {
            "as_of": f"日期，{EARLIEST.year} 年以后，不晚于办理当天",
            "source": "从哪里得知",
            "ref": "文号",
            "by": "谁查的",
        }[column.part]
    fact = column.fact
    assert fact is not None
    if column.kind == "finding":
        return "查过没有填“否”，并填查询日期；查过有填“是”，再填旁边各列；没有查留空或填“未知”"
    words = [
        fact.help,
        f"例：{sample(column)}" if sample(column) else "",
        f"没有填“{fact.absent}”" if fact.absent else "",
        "没有查留空",
    ]
    return "；".join(w for w in words if w)
