"""One sheet of an uploaded workbook as lines of cells by column key, with everything wrong about its columns named."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from siquan.core.errors import Errors, SiquanError, Where
from siquan.core.exchange.comments import read_comments
from siquan.core.exchange.display import empty
from siquan.core.exchange.sheetplan import MOST, NAMES, Plan
from siquan.core.sheets.archive import TooBig
from siquan.core.sheets.cells import Problem, shown
from siquan.core.sheets.columns import fold, is_comment
from siquan.core.sheets.problems import (
    BadCell,
    Merged,
    MoreProblems,
    NoColumn,
    NoSheet,
    TwiceColumn,
    UnknownColumn,
)
from siquan.core.sheets.read import HEAD, LISTED, letters
from siquan.core.sheets.workbook import Cell, Row, Sheet, Workbook

_RANGE = re.compile(r"([A-Z]{1,3})(\d{1,7})(?::([A-Z]{1,3})(\d{1,7}))?")


class RenamedColumn(SiquanError):
    """the column `{was}` is now called `{title}`"""

    code = "SQ154"
    zh = "`{was}` 这一列被改名为 `{title}`"
    help_en = "give it its old title; a column of your own goes beside it and starts with `#`"
    help_zh = "把列名改回去；自己要加的内容另起一列，列名用 `#` 开头"
    http = 422


class Problems:
    """What is wrong, in the order of sheets, rows and columns."""

    def __init__(self) -> None:
        self.found: list[tuple[int, int, int, SiquanError]] = []
        self.count = 0

    def add(self, sheet: int, row: int, column: int, error: SiquanError) -> None:
        self.count += 1
        if len(self.found) < LISTED:
            self.found.append((sheet, row, column, error))

    def stop(self, filename: str) -> None:
        """Raises Errors when there are any: at most 200, the rest is counted."""
        if not self.found:
            return
        errors = [e for *_, e in sorted(self.found, key=lambda p: p[:3])]
        if self.count > len(errors):
            errors.append(MoreProblems(Where(filename), more=self.count - len(errors)))
        raise Errors(errors)


@dataclass
class Line:
    """One row of a sheet: its number as Excel counts, and its cells by column key; blanks are left out."""

    number: int
    cells: dict[str, Cell]

    def blank(self, plan: Plan, *but: str) -> bool:
        """Whether nothing is filled in that a person fills in, the keys in `but` aside."""
        return all(empty(c) for k, c in self.cells.items() if plan.by_key[k].kind != "shown" and k not in but)


@dataclass
class Grid:
    """A sheet as read. `index` is its place among the sheets, for the order of problems."""

    plan: Plan
    index: int
    name: str
    problems: Problems
    at: dict[str, int] = field(default_factory=dict)  # column key -> number in the file
    lines: list[Line] = field(default_factory=list)
    remarks: dict[str, str] = field(default_factory=dict)  # cell -> text

    def where(self, row: int, key: str) -> Where:
        return Where(f"{self.name}!{letters(self.at.get(key, 1))}{row}")

    def wrong(self, row: int, key: str, error: SiquanError) -> None:
        error.where = error.where or self.where(row, key)
        self.problems.add(self.index, row, self.at.get(key, 1), error)

    def bad(self, row: int, key: str, why: Problem, title: str = "") -> None:
        shown_title = title or self.plan.by_key[key].zh
        error = BadCell(self.where(row, key), title=shown_title, value=why.shown, why=why.why, why_zh=why.why_zh, do=why.do, do_zh=why.do_zh)
        self.wrong(row, key, error)

    def remark(self, row: int, key: str) -> str:
        return self.remarks.get(f"{letters(self.at[key])}{row}", "") if key in self.at else ""


def read_grid(book: Workbook, plan: Plan, filename: str, problems: Problems) -> Grid:
    """Raises NoSheet and TooBig; whatever else is wrong goes to `problems`."""
    sheet = _sheet(book, plan, filename)
    grid = Grid(plan, list(NAMES).index(plan.key), sheet.title, problems)
    merged: list[str] = []
    stream = book.rows(sheet, merged)
    first = list(islice(stream, HEAD))
    head = _head(plan, first)
    columns = _columns(grid, first, head)
    last = first[head][0] if first else 1
    for number, row in _after(first, head, stream):
        last = number
        cells = {columns[at]: cell for at, cell in row if at in columns}
        for at, cell in row:
            if at not in columns and at not in grid.at.values() and not empty(cell):
                _untitled(grid, number, at, cell)
        if any(not empty(c) for c in cells.values()):
            grid.lines.append(Line(number, {k: c for k, c in cells.items() if k}))
        if len(grid.lines) > MOST:
            raise TooBig(grid.where(number, ""), name=filename, why=f"more than {MOST:,} rows in a sheet", why_zh=f"一张表超过 {MOST} 行")
    _merges(grid, merged, first[head][0] if first else 1, last)
    grid.remarks = read_comments(book, sheet)
    return grid


def _sheet(book: Workbook, plan: Plan, filename: str) -> Sheet:
    wanted = {fold(n) for n in NAMES[plan.key]}
    found = next((s for s in book.sheets if fold(s.title) in wanted), None)
    if found is None:
        have = "、".join(f"`{s.title}`" for s in book.sheets if not s.hidden) or "—"
        raise NoSheet(Where(filename), sheet=NAMES[plan.key][0], have=have)
    return found


def _head(plan: Plan, first: list[tuple[int, Row]]) -> int:
    """Which of the first rows has the titles: the one with the most of them."""
    known = {fold(t) for f in plan.fields for t in (f.zh, f.en)}
    scores = [sum(isinstance(c, str) and fold(c) in known for _, c in row) for _, row in first]
    return scores.index(max(scores)) if scores else 0


def _columns(grid: Grid, first: list[tuple[int, Row]], head: int) -> dict[int, str]:
    """File column -> key, empty for a column that is not read. A column is known by its title; the hidden row of keys tells
    when one was given another title."""
    plan = grid.plan
    number, row = first[head] if first else (1, [])
    keys = {at: str(c) for _, above in first[:head] for at, c in above if str(c) in plan.by_key}
    titles = {fold(t): f.key for f in plan.fields for t in (f.en, f.zh)}
    out: dict[int, str] = {}
    strange: list[tuple[int, str]] = []
    for at, cell in row:
        title = cell.strip() if isinstance(cell, str) else shown(cell)
        key, was = titles.get(fold(title), ""), keys.get(at, "")
        if was and was != key and fold(title):
            grid.at[was] = at
            out[at] = ""
            grid.wrong(number, was, RenamedColumn(title=title, was=plan.by_key[was].zh))
        elif key and key in grid.at:
            error = TwiceColumn(Where(f"{grid.name}!{letters(at)}{number}"), title=title, first=f"{letters(grid.at[key])}{number}")
            grid.problems.add(grid.index, number, at, error)
            out[at] = ""
        elif key:
            grid.at[key], out[at] = at, key
        elif is_comment(fold(title)):
            out[at] = ""
        elif fold(title):
            strange.append((at, title))
            out[at] = ""
    missing = [f for f in plan.fields if f.key not in grid.at and f.kind != "shown"]
    for at, title in strange:
        near = "、".join(f"`{n}`" for n in difflib.get_close_matches(title, [f.zh for f in missing or plan.fields], n=2, cutoff=0.5))
        grid.problems.add(
            grid.index, number, at,
            UnknownColumn(
                Where(f"{grid.name}!{letters(at)}{number}"), title=title, near=f"did you mean {near}? " if near else "",
                near_zh=f"是不是 {near}？" if near else "",
            ),
        )  # fmt: skip
    if missing:
        names = "、".join(f"`{f.zh}`" for f in missing)
        grid.wrong(number, "", NoColumn(Where(f"{grid.name}!A{number}"), names=names, near="", near_zh=""))
    return out


def _after(first: list[tuple[int, Row]], head: int, stream: Iterator[tuple[int, Row]]) -> Iterator[tuple[int, Row]]:
    yield from first[head + 1 :]
    yield from stream


def _untitled(grid: Grid, number: int, at: int, cell: Cell) -> None:
    """Content under no title: named once per column."""
    grid.at[f"\0{at}"] = at
    place = letters(at)
    grid.problems.add(
        grid.index, number, at,
        BadCell(
            Where(f"{grid.name}!{place}{number}"), title=place, value=shown(cell), why="the column has no title", why_zh="这一列没有列名",
            do="give the column a title that starts with #, or empty it", do_zh="给这一列加上用 # 开头的列名，或者清空",
        ),
    )  # fmt: skip


def _merges(grid: Grid, merged: list[str], head: int, last: int) -> None:
    """Merged cells from the titles down, in columns that are read."""
    known = [at for key, at in grid.at.items() if not key.startswith("\0")]
    for ref in merged:
        found = _RANGE.fullmatch(ref)
        left, top, right, bottom = found.groups() if found else ("A", "1", None, str(last))
        start, stop = _number(left), _number(right or left) if found else max(known, default=1)
        if int(bottom or top) >= head and int(top) <= last and any(start <= at <= stop for at in known):
            grid.problems.add(grid.index, int(top), start, Merged(Where(f"{grid.name}!{left}{top}"), range=ref))


def _number(column: str) -> int:
    """C -> 3."""
    number = 0
    for letter in column:
        number = number * 26 + ord(letter) - 64
    return number
