"""One cell to one value of the wire form. Words are those people see: enum titles, 是/否, the word for "there is none"."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from siquan.core.rules.facts import NONE, Reader, Schema, to_wire
from siquan.core.sheets.columns import NO, UNKNOWN, UNKNOWNS, YES, Column
from siquan.core.sheets.workbook import Cell, Odd
from siquan.core.spec.model import FactSpec

EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(2199, 12, 31)
_CACHE = 20_000  # values remembered per column: words repeat, names do not


class Problem(NamedTuple):
    """Why a cell cannot be taken and what to do, in Chinese and English."""

    shown: str
    why_zh: str
    why: str
    do_zh: str = ""
    do: str = ""


Answer = tuple[Any, Problem | None]

_ODD = {
    "formula": (
        "公式不是值", "a formula is not a value",
        "选中这一列，复制后“选择性粘贴 - 数值”", "copy the column and use Paste Special - Values",
    ),
    "error": (
        "单元格里是错误值", "the cell holds an error value",
        "改成正确的内容；没有就留空", "put the right value, or leave it empty",
    ),
    "percent": (
        "单元格是百分比格式", "the cell is formatted as a percentage",
        "改成常规数字再填", "format it as a plain number and fill it in again",
    ),
    "time": ("这是时间，不是值", "this is a time of day", "填日期，如 2026-11-23", "write a date such as 2026-11-23"),
    "calendar": (
        "不是 Excel 能表示的日期", "it is outside Excel's calendar",
        "填日期，如 2026-11-23", "write a date such as 2026-11-23",
    ),
    "digits": (
        "超过 15 位的数字，Excel 已经丢了末尾几位", "Excel has already lost digits of a number longer than 15",
        "先把单元格设为“文本”，再重新输入", "format the cell as text first, then type it again",
    ),
}  # fmt: skip

_WIDE = {c: c - 0xFEE0 for c in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
_TIDY = str.maketrans(
    {**_WIDE, 0x200B: None, 0x2060: None, 0xFEFF: None, "\r": None, "\u3000": " ", "\u00a0": " "}
)
_DAY = FactSpec(name="as_of", type="date")
_NUMBER = re.compile(r"[+-]?(\d{1,60}|\d{1,3}(,\d{3}){1,19})(\.\d{1,60})?|-?\d{1,60}/\d{1,60}")
_STAMP = re.compile(r"(\d{4}\D\d{1,2}\D\d{1,2}日?)[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?")


def tidy(text: str) -> str:
    """Text without invisible characters and outer blanks, full-width digits and letters made plain."""
    return text.strip() if text.isascii() and "\r" not in text else text.translate(_TIDY).strip()


def shown(cell: Cell) -> str:
    text = (
        cell.shown
        if isinstance(cell, Odd)
        else {True: "TRUE", False: "FALSE"}[cell]
        if isinstance(cell, bool)
        else str(cell)
    )
    return text if len(text) <= 60 else text[:60] + "…"


class Cells:
    """Reads the cells of one sheet at one date; remembers words it has seen."""

    def __init__(self, schema: Schema, on: dt.date) -> None:
        self._reader = Reader(schema, on, titles=True)
        self._on = on
        self._seen: dict[str, dict[Any, Answer]] = {}
        self._how: dict[str, Callable[[Column, Any], Answer]] = {
            "boolean": self._boolean, "integer": self._number, "decimal": self._number, "date": self._date,
            "enum": self._enum, "text": self._text, "person": self._text,
        }  # fmt: skip

    def value(self, column: Column, cell: Cell) -> Answer:
        """(wire value, None), (None, None) for unknown, or (None, problem). A finding gives 是, 否 or None; an
        envelope's date comes as ISO text."""
        if isinstance(cell, bool):
            return self._value(column, YES if cell else NO)
        seen = self._seen.setdefault(column.title, {})
        key = cell if isinstance(cell, str) else (type(cell), cell)
        found = seen.get(key)
        if found is None:
            found = self._value(column, cell)
            if len(seen) < _CACHE:
                seen[key] = found
        return found

    def _value(self, column: Column, cell: Cell) -> Answer:
        if isinstance(cell, Odd):
            return None, Problem(shown(cell), *_ODD[cell.kind])
        if isinstance(cell, str):
            cell = tidy(cell)
            if not cell or (cell in UNKNOWNS and not (column.fact and cell in column.fact.values.values())):
                return None, None
            if not cell.isprintable() and any(
                unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in cell
            ):
                return None, Problem(
                    ascii(cell)[1:61], "有看不见的控制字符", "it holds control characters",
                    "重新输入这一格", "type the cell again",
                )  # fmt: skip
        if column.kind == "finding":
            return self._finding(column, cell)
        if column.kind == "envelope":
            return self._as_of(column, cell) if column.part == "as_of" else self._text(column, cell)
        assert column.fact is not None
        if column.fact.absent and cell == column.fact.absent:
            return NONE, None
        return self._how[column.fact.type](column, cell)

    def _ask(self, column: Column, raw: Any, do_zh: str = "", do: str = "") -> Answer:
        """What the reader of facts makes of it; its reasons are kept, the help is ours."""
        assert column.fact is not None
        value = self._reader.scalar(column.path, column.fact, raw)
        if not self._reader.errors:
            return to_wire(value), None
        said = self._reader.errors.pop().values
        self._reader.errors.clear()
        return None, Problem(shown(raw), str(said["why_zh"]), str(said["why"]), do_zh, do)

    def _finding(self, column: Column, cell: Cell) -> Answer:
        assert column.fact is not None
        word = cell if isinstance(cell, str) else str(cell)
        if word in (YES, "有"):
            return YES, None
        if word in (NO, "无", column.fact.absent):
            return NO, None
        return None, Problem(
            shown(cell), f"只能填 {YES}、{NO} 或 {UNKNOWN}", "it must be 是, 否 or 未知",
            "文号、日期等写在旁边各自的列里", "numbers and dates go into their own columns beside it",
        )  # fmt: skip

    def _boolean(self, column: Column, cell: Cell) -> Answer:
        return self._ask(column, cell, f"填 {YES}、{NO} 或 {UNKNOWN}", "write 是, 否 or 未知")

    def _enum(self, column: Column, cell: Cell) -> Answer:
        fact = column.fact
        assert fact is not None
        word = str(cell)
        if word not in fact.values and word not in fact.values.values():
            plain = unicodedata.normalize("NFKC", word)
            word = next((t for t in fact.values.values() if unicodedata.normalize("NFKC", t) == plain), word)
        return self._ask(column, word, "从下拉框里选一个", "choose one from the drop-down list")

    def _number(self, column: Column, cell: Cell) -> Answer:
        assert column.fact is not None
        if isinstance(cell, dt.date):
            return None, Problem(
                cell.isoformat(), "单元格是日期格式", "the cell is formatted as a date",
                "改成常规数字再填", "format it as a plain number and fill it in again",
            )  # fmt: skip
        if isinstance(cell, str):
            text = unicodedata.normalize("NFKC", cell)
            unit = unicodedata.normalize("NFKC", column.fact.unit)
            text = text[: -len(unit)].rstrip() if unit and text.endswith(unit) else text
            if not _NUMBER.fullmatch(text):
                return None, Problem(
                    shown(cell), "应是数字", "a number is expected",
                    "只写数字，单位和文字不要写" + ("" if not column.fact.absent else f"；没有填“{column.fact.absent}”"),
                    "write the number alone, without words",
                )  # fmt: skip
            cell = text
        return self._ask(column, cell, "只写数字", "write the number alone")

    def _date(self, column: Column, cell: Cell) -> Answer:
        assert column.fact is not None
        day, problem = self._day(column, cell)
        if problem and column.fact.absent:
            problem = problem._replace(do_zh=problem.do_zh + f"；没有填“{column.fact.absent}”")
        return day, problem

    def _day(self, column: Column, cell: Cell) -> Answer:
        """A date as ISO text, between 1900 and 2199."""
        how = ("填日期，如 2026-11-23", "write a date such as 2026-11-23")
        if isinstance(cell, int | Decimal) and not re.fullmatch(r"\d{8}", str(cell)):
            return None, Problem(
                shown(cell), "是数字，不是日期", "it is a number and not a date",
                "把单元格设为日期格式再填，如 2026-11-23", "format the cell as a date, such as 2026-11-23",
            )  # fmt: skip
        day = cell if isinstance(cell, dt.date) else None
        if day is None:
            text = unicodedata.normalize("NFKC", str(cell))
            stamp = _STAMP.fullmatch(text)
            text = stamp.group(1) if stamp else text
            text = f"{text[:4]}-{text[4:6]}-{text[6:]}" if re.fullmatch(r"\d{8}", text) else text
            value: dt.date | None = self._reader.scalar(column.path or column.part, _DAY, text)
            if value is None:
                said = self._reader.errors.pop().values
                self._reader.errors.clear()
                return None, Problem(shown(cell), str(said["why_zh"]), str(said["why"]), *how)
            day = value
        if not EARLIEST <= day <= LATEST:
            return None, Problem(
                day.isoformat(), "不在 1900 至 2199 年", "it is not between 1900 and 2199", *how
            )
        return day.isoformat(), None

    def _as_of(self, column: Column, cell: Cell) -> Answer:
        day, problem = self._day(column, cell)
        if day is not None and day > self._on.isoformat():
            on = self._on.isoformat()
            return None, Problem(
                day, f"晚于判定日 {on}", f"it lies after the decision date {on}",
                "填实际查询那天", "write the day it was looked up",
            )  # fmt: skip
        return day, problem

    def _text(self, column: Column, cell: Cell) -> Answer:
        if isinstance(cell, dt.date):
            return None, Problem(
                cell.isoformat(), "Excel 把它当成了日期", "Excel took it for a date",
                "把单元格设为“文本”，再重新输入", "format the cell as text, then type it again",
            )  # fmt: skip
        text = cell if isinstance(cell, str) else str(cell)
        if text == NONE and not (column.fact and column.fact.absent):
            return None, Problem(text, "none 是系统保留的词", "none is a reserved word")
        if column.fact is None:
            return (
                (text, None)
                if len(text) <= 200
                else (None, Problem(shown(text), "超过 200 字", "longer than 200 characters"))
            )
        return self._ask(column, text)
