"""The rows of the sheet of parameters: published lines have to stand as they are, new ones become dated lines."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from typing import Any

from siquan.core.errors import SiquanError, Where
from siquan.core.exchange.content import NewLine
from siquan.core.exchange.display import Typed, empty, unchanged
from siquan.core.exchange.grid import Grid, Line
from siquan.core.exchange.made import Made
from siquan.core.exchange.rows import REPEALED, fact_of, line_row, new_line
from siquan.core.exchange.words import Words
from siquan.core.rules.tree import TEXT
from siquan.core.sheets.cells import Problem, shown, tidy
from siquan.core.sheets.problems import EmptyCell
from siquan.core.spec.model import FactSpec, ParamLine
from siquan.core.spec.read import BadBasisLine

Key = tuple[str, str, dt.date]
_PLACE = re.compile(r"(compound|community|street|district)/\S{1,80}")
_SINCE = FactSpec(name="since", type="date")
#: fields of a line that a person writes, besides what tells it from others
_WRITTEN = ("value", "basis", "cite", "ref")


class PublishedLine(SiquanError):
    """the line of `{name}` from {since} is published and cannot be changed: `{title}` was `{was}`"""

    code = "SQ156"
    zh = "`{name}` 自 {since} 起的这一行已经发布，不能改：`{title}` 原来是 `{was}`"
    help_en = "put the old text back, and write the new value into a line of its own with its first day"
    help_zh = "改回原来的内容；新的值另写一行，写上从哪天起"
    http = 422


class LostLine(SiquanError):
    """the published line of `{name}` from {since} is missing{place}"""

    code = "SQ157"
    zh = "`{name}` 自 {since} 起的已发布的一行不见了{place}"
    help_en = "put it back as it was; a published line is never deleted, a new value or 废止 takes its place from a day on"
    help_zh = "照原样放回去；已发布的行不能删，也不能改日期、地方，可以从某天起写新的值或“废止”"
    http = 422


class TwoValues(SiquanError):
    """`{name}` has two values from {since}{place}, in row {first} and here"""

    code = "SQ158"
    zh = "`{name}` 自 {since} 起有两个值{place}，另一个在第 {first} 行"
    help_en = "one day has one value: change the date or delete one of them"
    help_zh = "一天只能有一个值：改日期，或者删掉一行"
    http = 422


class LineReader:
    """Reads the sheet of parameters against the book and the lines it was made from."""

    def __init__(self, grid: Grid, made: Made, words: Words, typed: Typed) -> None:
        self.grid, self.made, self.words, self.typed = grid, made, words, typed
        self.book = words.book
        self.types = self.book.types()
        self.mine: dict[Key, NewLine] = {n.key: n for n in made.content.lines}
        self.published = {
            (name, line.place, line.since): line for name, spec in self.book.specs.items() for line in spec.lines
        }  # fmt: skip
        self.seen: dict[Key, int] = {}
        self.notes: dict[str, str] = {}

    def read(self) -> tuple[NewLine, ...]:
        """The new lines; those that stood there keep their order, added ones follow."""
        out: dict[Key, NewLine] = {}
        for line in self.grid.lines:
            if not line.blank(self.grid.plan, "name", "place"):
                found = self._line(line)
                if found is not None:
                    out[found.key] = found
        for key in self.made.published:
            if key not in self.seen:
                name, place, since = key
                self.grid.wrong(1, "since", LostLine(Where(self.grid.name), name=name, since=since, place=_at(place)))
        return tuple(sorted(out.values(), key=lambda n: list(self.mine).index(n.key) if n.key in self.mine else len(self.mine)))

    def _line(self, line: Line) -> NewLine | None:
        before = self.grid.problems.count
        name, since, place = self._name(line), self._since(line), self._place(line)
        if name is None or since is None or place is None:
            return None
        key = (name, place, since)
        for field in self.grid.plan.fields:
            note = self.grid.remark(line.number, field.key)
            if note:
                self.notes[f"#parameters/{name}@{since}@{place}/{field.key}"] = note
        first = self.seen.setdefault(key, line.number)
        if first != line.number or (key in self.published and key not in self.made.published and key not in self.mine):
            self.grid.wrong(line.number, "since", TwoValues(name=name, since=since, place=_at(place), first=first))
            return None
        if key in self.made.published:
            self._same(line, key)
            return None
        values = self._values(line, name, self.mine.get(key))
        if self.grid.problems.count > before:
            return None
        new = new_line(name, self._fact(name), values.pop("value"), {**values, "since": since, "place": place})
        if name.startswith("basis.") and new.value == "OWNERS" and place and not (new.ref or new.cite):
            self.grid.wrong(line.number, "ref", BadBasisLine(name=name, place=place))
        return new

    def _same(self, line: Line, key: Key) -> None:
        """A published line has to say what it says."""
        name, _, since = key
        was = self.published.get(key)
        if was is None:
            return
        rows = [line_row(name, was, self.words, "", lang) for lang in ("zh", "en")]
        for field in _WRITTEN:
            if not any(unchanged(line.cells.get(field), row[field]) for row in rows):
                title = self.grid.plan.by_key[field].zh
                shown_was = "" if rows[0][field] is None else str(rows[0][field])
                self.grid.wrong(line.number, field, PublishedLine(name=name, since=since, title=title, was=shown_was))

    def _name(self, line: Line) -> str | None:
        cell = line.cells.get("name")
        if cell is None or empty(cell):
            self.grid.wrong(line.number, "name", EmptyCell(title=self.grid.plan.by_key["name"].zh))
            return None
        text, problem = self.typed.text(cell)
        if problem is not None:
            self.grid.bad(line.number, "name", problem)
            return None
        name = tidy(text)
        own = {f"basis.{r.id}" for r in self.made.content.ruleset.rules}
        if name not in self.book.specs and name not in own:
            near = "、".join(difflib.get_close_matches(name, list(self.book.specs), n=3)) or "、".join(list(self.book.specs)[:10])
            self.grid.bad(line.number, "name", Problem(shown(name), "没有这个参数", "there is no such parameter", f"是不是 {near}？", f"did you mean {near}?"))
            return None
        return str(name)

    def _since(self, line: Line) -> dt.date | None:
        cell = line.cells.get("since")
        if cell is None or empty(cell):
            self.grid.wrong(line.number, "since", EmptyCell(title=self.grid.plan.by_key["since"].zh))
            return None
        value, problem = self.typed.typed(_SINCE, cell)
        if problem is not None or value is None:
            self.grid.bad(line.number, "since", problem or Problem(shown(cell), "应是日期", "a date is expected", "如 2026-07-01", "such as 2026-07-01"))
            return None
        return dt.date.fromisoformat(value)

    def _place(self, line: Line) -> str | None:
        cell = line.cells.get("place")
        if cell is None or empty(cell):
            return ""
        text, problem = self.typed.text(cell)
        known = {key[1] for key in (*self.published, *self.mine)}
        if problem is None and text not in known and not _PLACE.fullmatch(text):
            problem = Problem(
                shown(text), "不是地方的代号", "it is not a place", "写 compound/代号、community/代号、street/代号 或 district/代号；空着是全区",
                "write compound/ID, community/ID, street/ID or district/ID; empty is everywhere",
            )  # fmt: skip
        if problem is not None:
            self.grid.bad(line.number, "place", problem)
            return None
        return str(text)

    def _fact(self, name: str) -> FactSpec:
        spec = self.book.specs.get(name)
        return fact_of(name, self.types.get(name, TEXT), spec.unit if spec else "")

    def _values(self, line: Line, name: str, old: ParamLine | None) -> dict[str, Any]:
        rows = [line_row(name, old, self.words, "", lang) for lang in ("zh", "en")] if old is not None else []
        out: dict[str, Any] = {}
        for key in _WRITTEN:
            cell = line.cells.get(key)
            if old is not None and any(unchanged(cell, row[key]) for row in rows):
                value = getattr(old, key)
                out[key] = str(value) if key == "value" and value is not None and not isinstance(value, bool | int | str) else value
                continue
            kind = self.grid.plan.by_key[key].kind
            value, problem = self._value(line, name, cell) if key == "value" else self.typed.take(kind, cell, "", lambda _: True)
            if problem is not None:
                self.grid.bad(line.number, key, problem)
            out[key] = value
        return out

    def _value(self, line: Line, name: str, cell: Any) -> tuple[Any, Problem | None]:
        """In wire form, None for a repeal."""
        fact = self._fact(name)
        if empty(cell):
            self.grid.wrong(line.number, "value", EmptyCell(title=self.grid.plan.by_key["value"].zh))
            return None, None
        if isinstance(cell, str) and tidy(cell) == REPEALED:
            return None, None
        if name.startswith("basis."):
            return self.typed.take("basis", cell, "", lambda _: True)
        if fact.type == "text":
            return self.typed.text(cell)
        value, problem = self.typed.typed(fact, cell)
        if problem is None and value is None:
            do = (f"写值，或写“{REPEALED}”", f"write a value, or {REPEALED}")
            problem = Problem(shown(cell), "参数的值不能是未知", "a parameter's value cannot be unknown", *do)
        return value, problem


def _at(place: str) -> str:
    return f"（{place}）" if place else ""
