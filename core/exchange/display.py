"""A field's value as a cell shows it, and what a person typed into a cell as a value again.

Whatever a cell still shows as it was written is taken for unchanged, so nothing is lost that a spreadsheet cannot show.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from siquan.core.exchange.fields import BASES, OUTCOMES, Kind
from siquan.core.exchange.scalars import flow
from siquan.core.rules.facts import MAX_TEXT
from siquan.core.sheets.cells import Cells, Problem, shown, tidy
from siquan.core.sheets.columns import NO, YES, Column
from siquan.core.sheets.form import LONGEST, escape
from siquan.core.sheets.workbook import Cell, Odd
from siquan.core.spec.model import FactSpec

Display = str | int | float | bool | dt.date | None
Taken = tuple[Any, Problem | None]
#: stands behind a text that is longer than a cell can be
CUT = "…〔太长，后面没有显示；这一格不改就保留全文 / cut; unchanged it stays whole〕"
_INTEGER = re.compile(r"-?(0|[1-9]\d{0,14})")
#: marks of a Chinese keyboard and of office programs that compatibility normalisation leaves as they are
_MARKS = str.maketrans({
    "、": ",", "【": "[", "】": "]", "—": "-", "–": "-", "−": "-", "×": "*", "÷": "/", "≥": ">=", "≤": "<=", "≧": ">=", "≦": "<=", "≠": "!=",
})  # fmt: skip
_LITERAL = re.compile(r'"(?:\\.|[^"\\])*"')
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "＂": '"', "「": '"', "」": '"'})
TEXT = Column("", "fact", "text", FactSpec(name="text", type="text"))


# values to cells


def display(kind: Kind, value: Any, lang: str = "zh") -> Display:
    """What the cell of a field shows."""
    if value is None or value == "":
        return None
    if kind == "basis":
        return word(BASES, str(value), lang)
    if kind == "outcome":
        return word(OUTCOMES, str(value), lang)
    if kind == "flag":
        return YES if value else None
    if kind == "number":
        return int(value) or None
    if kind == "constant" and not isinstance(value, str):
        return constant(value)
    return _fitting(str(value))


def constant(value: Any) -> Display:
    """A value of a table or a parameter: numbers as numbers as long as a spreadsheet keeps all their digits."""
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, int):
        return value if abs(value) < 10**15 else str(value)
    if isinstance(value, Decimal):
        text = format(value, "f")
        return float(text) if len(text.replace(".", "").replace("-", "").lstrip("0")) <= 15 else text
    if isinstance(value, dt.date):
        return value if value >= dt.date(1900, 3, 1) else value.isoformat()
    return None if value is None else _fitting(value if isinstance(value, str) else flow(value))


def word(words: Mapping[str, tuple[str, str]], code: str, lang: str) -> str:
    return words[code][0 if lang.startswith("zh") else 1] if code in words else _fitting(code)


def _fitting(text: str) -> str:
    """The text, or as much of it as a cell takes; Excel counts UTF-16 units of the escaped text."""
    cut = text[:LONGEST]
    while len(escape(cut).encode("utf-16-le", "surrogatepass")) // 2 > LONGEST - len(CUT):
        cut = cut[: len(cut) * 9 // 10]
    return text if cut == text else cut + CUT


# cells to values


def unchanged(cell: Cell | None, was: Display) -> bool:
    """Whether a cell still shows what was written into it; line ends, outer blanks and the kind of cell do not count."""
    return not isinstance(cell, Odd) and bare(cell) == bare(was)


def bare(cell: Any) -> str:
    """What a cell says, as text."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return YES if cell else NO
    if isinstance(cell, float):
        cell = Decimal(format(cell, ".15g"))
    if isinstance(cell, Decimal):
        return format(cell.normalize(), "f")
    return str(cell).replace("\r\n", "\n").replace("\r", "\n").strip()


def empty(cell: Cell | None) -> bool:
    return cell is None or (isinstance(cell, str) and not tidy(cell))


class Typed:
    """Reads what people type. Numbers, dates, 是/否 and words of a list go through the cells of `sheets`."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells

    def take(
        self, kind: Kind, cell: Cell | None, old: Any, check: Callable[[str], bool], codes: Mapping[str, str] | None = None
    ) -> Taken:
        """The value of a changed cell. `old` is what stood there, for constants that look like numbers; `check(text)` says
        whether a text is a good expression here; `codes` are those of an enum, title -> code."""
        if empty(cell):
            return ({"flag": False, "number": 0, "constant": None, "test": "-"}.get(kind, ""), None)
        assert cell is not None
        match kind:
            case "flag":
                value, problem = self.typed(FactSpec(name="flag", type="boolean"), cell)
                return bool(value), problem
            case "number":
                value, problem = self.typed(FactSpec(name="number", type="integer"), cell)
                return value or 0, problem
            case "basis":
                return self._word(BASES, cell)
            case "constant":
                return self._constant(cell, old)
            case "test":
                return self._expression(_test(cell), check, codes or {})
            case "outcome":
                found, problem = self._word(OUTCOMES, cell)
                return (found, None) if problem is None else self._expression(cell, check)
            case "expression":
                return self._expression(cell, check)
        return self.text(cell)

    def typed(self, fact: FactSpec, cell: Cell) -> Taken:
        """A value of the fact's type in wire form, as the sheets of clerks are read."""
        return self.cells.value(Column(f"{fact.type} {fact.unit} {sorted(fact.values)} {fact.absent}", "fact", fact.name, fact), cell)

    def text(self, cell: Cell) -> Taken:
        """Free text, as it was typed but for outer blanks."""
        if isinstance(cell, Odd):
            return self.cells.value(TEXT, cell)
        if not isinstance(cell, str):
            cell = cell.isoformat() if isinstance(cell, dt.date) else bare(cell)
        text = cell.replace("\r\n", "\n").replace("\r", "\n").strip()
        if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text):
            return None, Problem(ascii(text)[1:61], "有看不见的控制字符", "it holds control characters", "重新输入这一格", "type the cell again")
        if len(text) > MAX_TEXT:
            why = Problem(shown(text), f"超过 {MAX_TEXT} 字", f"longer than {MAX_TEXT} characters", "写短一些", "make it shorter")
            return None, why
        return text, None

    def _word(self, words: Mapping[str, tuple[str, str]], cell: Cell) -> Taken:
        if isinstance(cell, Odd):
            return self.cells.value(TEXT, cell)
        asked = unicodedata.normalize("NFKC", str(cell)).strip().casefold()
        for code, names in words.items():
            if asked in (code.casefold(), *(n.casefold() for n in names)):
                return code, None
        allowed = "、".join(zh for zh, _ in words.values())
        english = ", ".join(words)
        return None, Problem(shown(cell), f"只能是 {allowed}", f"it must be one of {english}", "从下拉框里选一个", "choose one from the drop-down list")

    def _constant(self, cell: Cell, old: Any) -> Taken:
        """A number that was typed is a number, unless texts of digits stand in this column."""
        if isinstance(cell, bool):
            return cell, None
        if isinstance(cell, Decimal):
            return format(cell, "f"), None
        if isinstance(cell, int):
            return (str(cell) if isinstance(old, str) and _INTEGER.fullmatch(old) else cell), None
        text, problem = self.text(cell)
        if problem is None and _INTEGER.fullmatch(text) and not isinstance(old, str):
            return int(text), None
        if problem is None and isinstance(old, bool) and text in (YES, NO):
            return text == YES, None
        return text, problem

    def _expression(self, cell: Cell, check: Callable[[str], bool], codes: Mapping[str, str] = MappingProxyType({})) -> Taken:
        """As typed when that can be read; else with the punctuation of a Chinese keyboard made plain, and the titles of an
        enum as its codes, if that helps."""
        if isinstance(cell, dt.date):
            cell = f'date("{cell.isoformat()}")'
        text, problem = self.text(cell)
        if problem is not None:
            return text, problem
        plain = halfwidth(text)
        tries = (text, plain, coded(plain, codes), plain.lower() if plain in ("TRUE", "FALSE") else text)
        return next((x for x in tries if check(x)), text), None


def _test(cell: Cell) -> Cell:
    """A test typed as one value: 5000, a date, TRUE, 是."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str) and cell.strip() in (YES, NO):
        return "true" if cell.strip() == YES else "false"
    return cell


def halfwidth(text: str) -> str:
    """Full-width marks, digits and letters outside quotes as the language writes them."""
    return _outside(text.translate(_QUOTES), lambda part: unicodedata.normalize("NFKC", part.translate(_MARKS)))


def coded(text: str, codes: Mapping[str, str]) -> str:
    """The titles of an enum, bare or quoted, as its quoted codes."""
    if not codes:
        return text
    titles = sorted((x for x in codes if x), key=len, reverse=True)
    found = re.compile("|".join(map(re.escape, titles)))
    text = _outside(text, lambda part: found.sub(lambda m: f'"{codes[m.group()]}"', part))
    return _LITERAL.sub(lambda m: f'"{codes.get(m.group()[1:-1], m.group()[1:-1])}"', text)


def _outside(text: str, change: Callable[[str], str]) -> str:
    """The text with everything outside quotes changed."""
    out, last = [], 0
    for literal in _LITERAL.finditer(text):
        out += [change(text[last : literal.start()]), literal.group()]
        last = literal.end()
    return "".join([*out, change(text[last:])])
