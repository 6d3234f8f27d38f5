"""A workbook to rows of facts, all or nothing: either every row can be used, or nothing is taken and every wrong cell
is named.

An empty cell and 未知 state nothing. A finding column (domain 1.10) reads: 否 the record (or fact) is `none` as of the
row's date of the check; 是 states nothing by itself, so without its facts the rules ask for evidence; 未知 nothing.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from siquan.core.errors import Errors, SiquanError, Where
from siquan.core.rules.facts import NONE, Schema
from siquan.core.sheets.archive import TooBig
from siquan.core.sheets.cells import Cells, Problem, shown
from siquan.core.sheets.columns import NO, NOTES, WORDS, YES, Column, Layout, fold, is_comment
from siquan.core.sheets.problems import (
    BadCell,
    Contradiction,
    EmptyCell,
    Merged,
    MoreProblems,
    NoColumn,
    NoDate,
    NoSheet,
    TwiceColumn,
    TwiceRow,
    UnknownColumn,
)
from siquan.core.sheets.workbook import Row, Sheet, Workbook, open_workbook
from siquan.core.spec.model import SheetSpec

MAX_ROWS = 100_000
#: what an export writes over the digits and characters nobody needs to see
MASKED = "＊"
LISTED = 200  # errors named; the rest is counted
HEAD = 10  # a title may stand above the header, at most this far down


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row. `values` are plain wire values by fact path, what a collection stores; unknown facts are left out."""

    row_no: int  # as Excel counts
    key: tuple[str, ...]  # the key columns as text; empty when the sheet has no key
    values: dict[str, Any]
    around: Mapping[str, str]  # the row's envelope: as_of, source, ref, by
    _reach: Mapping[str, tuple[str, ...]] = field(repr=False, compare=False, default_factory=dict)
    #: titles of cells that an export masked: they say nothing, and what was known stays as it is
    masked: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, dict[str, Any]]:
        """Path -> envelope in wire form, each with the parts of the row's envelope that concern it."""
        return {path: self._envelope(path, value) for path, value in self.values.items()}

    def _envelope(self, path: str, value: Any) -> dict[str, Any]:
        out = {"value": value}
        for part in self._reach.get(path, ()):
            if part in self.around:
                out[part] = self.around[part]
        return out


def read_sheet(data: bytes, filename: str, sheet: SheetSpec, schema: Schema, on: dt.date) -> list[SheetRow]:
    """The rows of a clerk's workbook. `schema` holds the facts of a row: those of the child process, or
    `Schema(spec.fields)` of a collection. `on` is the decision date; a date of the check may not lie after it.
    Raises Errors: at most 200 problems, each at its cell, then MoreProblems. Raises Unfit for a plugin's mistake."""
    layout = Layout(sheet, schema)
    try:
        with open_workbook(data, filename) as book:
            return _Import(layout, filename, on).run(book)
    except Errors:
        raise
    except SiquanError as error:
        raise Errors([error]) from None


def letters(column: int) -> str:
    """3 -> C."""
    out = ""
    while column:
        column, rest = divmod(column - 1, 26)
        out = chr(65 + rest) + out
    return out


def _corner(ref: str) -> tuple[int, int]:
    """(row, column) of `C5`; (0, 0) when it is none."""
    head = ref.rstrip("0123456789")
    if not head.isascii() or not head.isupper() or not ref[len(head) :]:
        return 0, 0
    number = 0
    for letter in head:
        number = number * 26 + ord(letter) - 64
    return int(ref[len(head) :]), number


class _Import:
    """One import. Problems are kept with their place until the file is read, then raised together."""

    def __init__(self, layout: Layout, filename: str, on: dt.date) -> None:
        self.layout, self.filename = layout, filename
        self.cells = Cells(layout.schema, on)
        self.title = layout.sheet.name
        self.problems: list[tuple[int, int, SiquanError]] = []
        self.count = 0
        self.at: dict[str, int] = {}  # column title -> its number in the file
        self.keys: dict[tuple[str, ...], int] = {}

    def where(self, row: int, column: int) -> Where:
        return Where(f"{self.title}!{letters(column)}{row}")

    def wrong(self, row: int, column: int, error: SiquanError) -> None:
        self.count += 1
        if len(self.problems) < LISTED:
            self.problems.append((row, column, error))

    def bad(self, row: int, column: int, title: str, why: Problem) -> None:
        self.wrong(
            row, column,
            BadCell(
                self.where(row, column), title=title, value=why.shown, why=why.why, why_zh=why.why_zh, do=why.do,
                do_zh=why.do_zh,
            ),
        )  # fmt: skip

    def empty(self, row: int, column: Column) -> None:
        at = self.at.get(column.title, 1)
        self.wrong(row, at, EmptyCell(self.where(row, at), title=column.title))

    def run(self, book: Workbook) -> list[SheetRow]:
        sheet = self._choose(book)
        self.title = sheet.title
        merged: list[str] = []
        stream = book.rows(sheet, merged)
        head, waiting = self._header(stream)
        columns = self._columns(head)
        self._stop()
        out: list[SheetRow] = []
        last = head[0]
        for number, row in _chain(waiting, stream):
            last = max(last, number)
            read = self._row(number, row, columns)
            if read is not None:
                out.append(read)
                if len(out) > MAX_ROWS:
                    raise TooBig(
                        Where(f"{self.title}!A{number}"), name=self.filename, why=f"more than {MAX_ROWS:,} rows",
                        why_zh=f"超过 {MAX_ROWS} 行",
                    )  # fmt: skip
        self._merges(merged, head[0], last, columns)
        self._stop()
        return out

    def _stop(self) -> None:
        if not self.problems:
            return
        found = [e for _, _, e in sorted(self.problems, key=lambda p: p[:2])][:LISTED]
        if self.count > len(found):
            found.append(MoreProblems(Where(self.filename), more=self.count - len(found)))
        raise Errors(found)

    # the sheet and its header

    def _choose(self, book: Workbook) -> Sheet:
        wanted = fold(self.layout.sheet.name)
        for sheet in book.sheets:
            if fold(sheet.title) == wanted:
                return sheet
        others = [s for s in book.sheets if not s.hidden and s.title not in (NOTES, WORDS)]
        if len(others) == 1:
            return others[0]
        have = "、".join(f"`{s.title}`" for s in book.sheets[:10]) or "—"
        raise NoSheet(Where(self.filename), sheet=self.layout.sheet.name, have=have)

    def _header(self, stream: Iterator[tuple[int, Row]]) -> tuple[tuple[int, Row], list[tuple[int, Row]]]:
        """The row with the most known titles among the first ten, and the rows after it that were read."""
        known = {fold(c.title) for c in self.layout.columns}
        first: list[tuple[int, Row]] = []
        for item in stream:
            first.append(item)
            if len(first) == HEAD:
                break
        if not first:
            return (1, []), []
        scores = [
            sum(1 for _, cell in row if isinstance(cell, str) and fold(cell) in known) for _, row in first
        ]
        best = scores.index(max(scores))
        return first[best], first[best + 1 :]

    def _columns(self, head: tuple[int, Row]) -> dict[int, Column | None]:
        """File column -> what it carries, None for comments. Missing, unknown and double titles are problems."""
        number, row = head
        known = {fold(c.title): c for c in self.layout.columns}
        out: dict[int, Column | None] = {}
        strange: list[tuple[int, str]] = []
        for at, cell in row:
            title = cell.strip() if isinstance(cell, str) else shown(cell)
            folded = fold(title)
            column = known.get(folded)
            if column is None:
                if is_comment(folded):
                    out[at] = None
                elif folded:
                    strange.append((at, title))
            elif column.title in self.at:
                first = f"{letters(self.at[column.title])}{number}"
                self.wrong(number, at, TwiceColumn(self.where(number, at), title=title, first=first))
            else:
                out[at], self.at[column.title] = column, at
        # a fact that is computed may be left out; everything else stands in the form
        missing = [
            c
            for c in self.layout.columns
            if c.title not in self.at and not (c.fact and c.fact.derive and not c.required)
        ]
        for at, title in strange:
            near = _near(title, [c.title for c in missing] or [c.title for c in self.layout.columns])
            self.wrong(number, at, UnknownColumn(
                self.where(number, at), title=title,
                near=f"did you mean {near}? " if near else "", near_zh=f"是不是 {near}？" if near else "",
            ))  # fmt: skip
        if missing:
            pairs = [(c.title, _near(c.title, [t for _, t in strange])) for c in missing]
            guess = "；".join(f"{near} → `{title}`" for title, near in pairs if near)
            names = "、".join(f"`{c.title}`" for c in missing[:20]) + (
                f"…（{len(missing)}）" if len(missing) > 20 else ""
            )
            self.wrong(number, 1, NoColumn(
                self.where(number, 1), names=names,
                near=f"perhaps renamed: {guess}. " if guess else "", near_zh=f"可能改了名：{guess}。" if guess else "",
            ))  # fmt: skip
        return out

    def _merges(self, merged: list[str], head: int, last: int, columns: Mapping[int, Column | None]) -> None:
        """Merged cells from the header down, in columns that are read."""
        for ref in merged:
            start, _, stop = ref.partition(":")
            (top, left), (bottom, right) = _corner(start), _corner(stop or start)
            if (
                head <= bottom
                and top <= last
                and any(left <= at <= right for at, c in columns.items() if c is not None)
            ):
                self.wrong(top, left, Merged(self.where(top, left), range=ref))

    # rows

    def _row(self, number: int, row: Row, columns: Mapping[int, Column | None]) -> SheetRow | None:
        """None for a blank row and for one with problems."""
        before = self.count
        values: dict[str, Any] = {}
        around: dict[str, str] = {}
        said: dict[str, str] = {}
        texts: dict[str, str] = {}  # finding or value path -> what the cell says, for messages
        failed: set[str] = set()
        masked: list[str] = []
        filled = False
        findings = bool(self.layout.findings)
        value_of = self.cells.value
        for at, cell in row:
            column = columns.get(at)
            if column is None:
                if at not in columns and not (isinstance(cell, str) and not cell.strip()):
                    self._untitled(number, at, cell)
                continue
            if isinstance(cell, str) and MASKED in cell and column.fact is not None and column.fact.sensitive:
                if column not in self.layout.keys:
                    masked.append(column.title)
                    filled = True
                    continue
            value, problem = value_of(column, cell)
            if problem is not None:
                self.bad(number, at, column.title, problem)
                failed.add(column.title)
                filled = True
                continue
            if value is None:
                filled = filled or not (isinstance(cell, str) and not cell.strip())
                continue
            filled = True
            if column.kind == "fact":
                values[column.path] = value
                if findings:
                    texts[column.path] = shown(cell)
            elif column.kind == "finding":
                said[column.path] = value
            else:
                around[column.part] = value
        if not filled:
            return None
        for column in self.layout.columns:
            if column.required and column.title not in failed and column.title not in masked and not self._has(column, values, around, said):
                self.empty(number, column)
        key = self._key(number, values, failed)
        if said:
            self._findings(number, values, said, texts, around, failed)
        if self.count > before:
            return None
        return SheetRow(number, key, values, around, self.layout.reach, tuple(masked))

    @staticmethod
    def _has(
        column: Column, values: Mapping[str, Any], around: Mapping[str, str], said: Mapping[str, str]
    ) -> bool:
        if column.kind == "envelope":
            return column.part in around
        return column.path in (values if column.kind == "fact" else said)

    def _untitled(self, number: int, at: int, cell: Any) -> None:
        """Content under no title: named once per column."""
        if at in self.at.values() or f"\0{at}" in self.at:
            return
        self.at[f"\0{at}"] = at
        why = Problem(
            shown(cell), "这一列没有列名", "the column has no title",
            "给这一列加上列名；不读入的列，列名用 # 开头", "give the column a title; start it with # if it is not to be read",
        )  # fmt: skip
        self.bad(number, at, letters(at), why)

    def _key(self, number: int, values: Mapping[str, Any], failed: set[str]) -> tuple[str, ...]:
        columns = self.layout.keys
        if not columns:
            return ()
        broken = [c for c in columns if c.title in failed]
        for column in columns:
            if column.path not in values and column not in broken and not column.required:
                self.empty(number, column)
                broken.append(column)
        if broken:
            return ()
        key = tuple(str(values.get(c.path, "")) for c in columns)
        first = self.keys.setdefault(key, number)
        if first != number:
            self.wrong(number, self.at[columns[0].title], TwiceRow(
                self.where(number, self.at[columns[0].title]), row=number, first=first,
                titles="、".join(c.title for c in columns), value=" ".join(key),
            ))  # fmt: skip
        return key

    def _findings(
        self, number: int, values: dict[str, Any], said: Mapping[str, str], texts: Mapping[str, str],
        around: Mapping[str, str], failed: set[str],
    ) -> None:  # fmt: skip
        """Turn 是/否 into facts. 否 over anything filled in below it is a contradiction, except 无 and 0, which say
        the same; 否 or 未整改 there could mean the opposite, so they do not pass."""
        undated: list[str] = []
        settled: set[str] = set()  # paths that are `none`
        for column in self.layout.findings:
            word, path = said.get(column.path), column.path
            if word is None:
                continue
            inside = any(path.startswith(p + ".") for p in settled)
            if word == YES:
                if inside:
                    outer = next(
                        c for c in self.layout.findings if path.startswith(c.path + ".") and c.path in settled
                    )
                    self._clash(number, outer, column, NO, YES)
                elif values.get(path) == NONE:
                    own = next(c for c in self.layout.below[path] if c.path == path)
                    self._clash(number, column, own, YES, texts[path])
                continue
            for below in self.layout.below[path]:
                value = values.get(below.path)
                if value is not None and not _same_as_no(below, value):
                    self._clash(number, column, below, NO, texts[below.path])
                values.pop(below.path, None)
            if not inside:
                settled.add(path)
                values[path] = NONE
                if "as_of" in self.layout.reach[path]:
                    undated.append(column.title)
        date = self.layout.parts.get("as_of")
        if (
            undated
            and date is not None
            and "as_of" not in around
            and date.title not in failed
            and not date.required
        ):
            at = self.at.get(date.title, 1)
            names = "、".join(undated[:5]) + (f"…（{len(undated)}）" if len(undated) > 5 else "")
            self.wrong(number, at, NoDate(self.where(number, at), titles=names, column=date.title))

    def _clash(self, number: int, one: Column, other: Column, said: str, value: str) -> None:
        at = self.at.get(one.title, 1)
        cell = f"{letters(self.at.get(other.title, 1))}{number}"
        self.wrong(number, at, Contradiction(
            self.where(number, at), title=one.title, said=said, other=other.title, cell=cell, value=value
        ))  # fmt: skip


def _same_as_no(column: Column, value: Any) -> bool:
    assert column.fact is not None
    if value == NONE:
        return column.fact.absent in ("", "无")  # without an absent word it is the enum's own code `none`
    return column.fact.type in ("integer", "decimal") and value in (0, "0")


def _near(title: str, among: Iterable[str]) -> str:
    return "、".join(f"`{n}`" for n in difflib.get_close_matches(title, list(among), n=2, cutoff=0.5))


def _chain(first: list[tuple[int, Row]], rest: Iterator[tuple[int, Row]]) -> Iterator[tuple[int, Row]]:
    yield from first
    yield from rest
