"""The rows of the sheet of test cases."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from siquan.core.exchange.content import Content
from siquan.core.exchange.display import Typed, bare, display, empty, unchanged
from siquan.core.exchange.grid import Grid, Line
from siquan.core.exchange.rows import NOTHING, case_row
from siquan.core.exchange.scalars import read_value
from siquan.core.exchange.words import Words
from siquan.core.sheets.cells import Problem, shown
from siquan.core.sheets.problems import EmptyCell, TwiceRow
from siquan.core.spec.model import CaseSpec, FactSpec
from siquan.core.spec.source import YamlFault

_ON = FactSpec(name="on", type="date")
Taken = tuple[Any, Problem | None]


class CaseReader:
    """Reads the sheet of cases against the cases it was made from."""

    def __init__(self, grid: Grid, base: Content, words: Words, typed: Typed) -> None:
        self.grid, self.base, self.words, self.typed = grid, base, words, typed
        self.old = {c.name: c for c in base.cases}
        self.known = {bare(display("id", n)): n for n in self.old}
        self.seen: dict[str, int] = {}
        self.notes: dict[str, str] = {}

    def read(self) -> tuple[CaseSpec, ...]:
        found = [self._case(line) for line in self.grid.lines if not line.blank(self.grid.plan)]
        return tuple(c for c in found if c is not None)

    def _case(self, line: Line) -> CaseSpec | None:
        cell = line.cells.get("name")
        if cell is None or empty(cell):
            self.grid.wrong(line.number, "name", EmptyCell(title=self.grid.plan.by_key["name"].zh))
            return None
        name, problem = self.known.get(bare(cell)), None
        if name is None:
            name, problem = self.typed.text(cell)
        if name is None or problem is not None:
            self.grid.bad(line.number, "name", problem or Problem("", "没有名称", "there is no name"))
            return None
        first = self.seen.setdefault(name, line.number)
        if first != line.number:
            self.grid.wrong(line.number, "name", TwiceRow(row=line.number, first=first, titles=self.grid.plan.by_key["name"].zh, value=shown(name)))
            return None
        old = self.old.get(name)
        start = old or CaseSpec(name=name, process=self.base.ruleset.process, decide=self.base.ruleset.id)
        rows = [case_row(start, lang) for lang in ("zh", "en")]
        changed: dict[str, Any] = {}
        for field in self.grid.plan.fields:
            note = self.grid.remark(line.number, field.key)
            if note:
                self.notes[f"#cases/{name}/{field.key}"] = note
            cell = line.cells.get(field.key)
            if field.key == "name" or any(unchanged(cell, row[field.key]) for row in rows):
                continue
            value, problem = self._value(field.key, cell, getattr(start, field.key))
            if problem is not None:
                self.grid.bad(line.number, field.key, problem)
            else:
                changed[field.key] = value
        return start.model_copy(update=changed)

    def _value(self, key: str, cell: Any, old: Any) -> Taken:
        match key:
            case "on":
                value, problem = (None, None) if empty(cell) else self.typed.typed(_ON, cell)
                return (dt.date.fromisoformat(value) if value and problem is None else None), problem
            case "given" | "set":
                return self._mapping(key, cell)
            case "because" | "ask":
                return self._names(cell)
            case "value":
                return self.typed.take("constant", cell, old, lambda _: True)
            case "steps":
                do = ("恢复原来的内容", "put the old text back")
                return None, Problem(shown(cell or ""), "步骤不能在表里改", "steps are not changed in a workbook", *do)
        text, problem = self.typed.text(cell) if cell is not None else ("", None)
        if key == "expect" and problem is None and text:
            word, other = self.typed.take("outcome", text, "", lambda _: False)
            text = word if other is None else text
        return text, problem

    def _mapping(self, key: str, cell: Any) -> Taken:
        """`name: value` one a line; a colon of a Chinese keyboard is read as one."""
        if empty(cell):
            return {}, None
        text, problem = self.typed.text(cell)
        if problem is not None:
            return None, problem
        do = ("一行一项，写作 名字: 值", "one a line, as name: value")
        try:
            value = read_value(re.sub(r"^([^:：\"'\n]+)：\s*", r"\1: ", text, flags=re.MULTILINE), "")
        except YamlFault as fault:
            at = f"第 {fault.where.line} 行：" if fault.where and fault.where.line else ""
            return None, Problem(shown(text), at + fault.text("zh"), fault.text("en"), *do)
        except Exception as fault:
            return None, Problem(shown(text), str(fault), str(fault), *do)
        if not isinstance(value, Mapping):
            return None, Problem(shown(text), "不是 名字: 值", "it is not name: value", *do)
        known = [*self.words.scope.facts, *self.words.schema.specs] if key == "given" else [*self.words.book.specs]
        strange = [n for n in value if not _known(str(n), known) and n != "parent"]
        if strange:
            names = "、".join(map(str, strange))
            return None, Problem(shown(names), "没有这个名字", "there is no such name", "只能写规则用到的事实和参数的名字", "use the names of facts and parameters")
        return dict(value), None

    def _names(self, cell: Any) -> Taken:
        if empty(cell):
            return None, None
        text, problem = self.typed.text(cell)
        if problem is not None:
            return None, problem
        return (() if text == NOTHING else tuple(w for w in re.split(r"[\s,，、;；]+", text) if w)), None


def _known(name: str, among: list[str]) -> bool:
    return any(name == n or n.startswith(name + ".") or name.startswith(n + ".") for n in among)
