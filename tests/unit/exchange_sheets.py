"""A workbook of a rule set in hand: what the tests of reading change in it."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from exchange_samples import BOOK, SCHEMA, TABLE, content
from openpyxl import load_workbook

from siquan.core.errors import Errors
from siquan.core.exchange.content import Content, NewLine
from siquan.core.exchange.sheetread import read_workbook
from siquan.core.exchange.workbook import write_workbook
from siquan.core.rules.parameters import ParameterBook

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


def new_line(sheets: Sheets, name: str = "limit", **cells: Any) -> int:
    row = sheets.parameter(name, None)
    for title, value in cells.items():
        cell = sheets.put(row, title, value, "参数")
        if isinstance(value, dt.date):
            cell.number_format = "yyyy-mm-dd"
    return row


TABLED = content(TABLE, lines=(LINE,))
