"""The columns of a sheet against the facts they carry: what reading and writing share."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from siquan.core.errors import SiquanError, Where
from siquan.core.rules.facts import Schema
from siquan.core.spec.model import ColumnSpec, FactSpec, SheetSpec

YES, NO, UNKNOWN = "是", "否", "未知"
NOTES = "说明"  # the sheet that explains the columns; never read
WORDS = "选项"  # hidden sheet with long drop-down lists; never read
#: what people write for "unknown"; in a sheet it is the same as an empty cell, for every type
UNKNOWNS = ("未知", "不详", "unknown", "?", "？")


class Unfit(SiquanError):
    """the sheet `{sheet}` of the plugin cannot be used: {why}"""

    code = "SQ815"
    zh = "插件里的表 `{sheet}` 不能用：{why_zh}"
    help_en = "correct `excel:` in the plugin's process"
    help_zh = "改正插件流程里的 `excel:`"


def fold(title: str) -> str:
    """A column title as compared: widths, spaces, line breaks and case do not count."""
    return re.sub(r"[\s\u200b\ufeff]+", "", unicodedata.normalize("NFKC", title)).casefold()


def is_comment(folded: str) -> bool:
    return folded.startswith(("#", "备注"))


@dataclass(frozen=True)
class Column:
    """`fact` carries a value, `finding` says 是/否/未知 of a fact or record, `envelope` belongs to the whole row."""

    title: str
    kind: Literal["fact", "finding", "envelope"]
    path: str = ""  # fact, finding
    fact: FactSpec | None = None
    part: str = ""  # envelope: as_of, source, ref, by
    required: bool = False


@dataclass(frozen=True)
class Layout:
    """A SheetSpec bound to the facts it names. Raises Unfit, a mistake of the plugin and not of the clerk."""

    sheet: SheetSpec
    schema: Schema
    columns: tuple[Column, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self._column(c) for c in self.sheet.columns))
        name = self.sheet.name
        if not 1 <= len(name) <= 31 or re.search(r"[\[\]:*?/\\]", name) or name in (NOTES, WORDS):
            raise self.unfit("Excel allows no sheet of this name", "Excel 的工作表不能叫这个名字")
        seen: dict[str, str] = {}
        for column in self.columns:
            for mark in (f"title {fold(column.title)}", f"{column.kind} {column.path or column.part}"):
                if mark in seen:
                    raise self.unfit(
                        f"`{column.title}` and `{seen[mark]}` are the same",
                        f"`{column.title}` 与 `{seen[mark]}` 重复",
                    )
                seen[mark] = column.title
        _ = self.keys

    def unfit(self, why: str, why_zh: str) -> Unfit:
        return Unfit(
            self.sheet.where or Where(self.sheet.target), sheet=self.sheet.name, why=why, why_zh=why_zh
        )

    def _column(self, spec: ColumnSpec) -> Column:
        if spec.envelope:
            return Column(spec.title, "envelope", part=spec.envelope, required=spec.required)
        path = spec.finding or spec.fact
        fact = self.schema.get(path)
        if not fold(spec.title) or fact is None:
            raise self.unfit(
                f"column `{spec.title}`: there is no fact `{path}`", f"`{spec.title}` 列：没有事实 `{path}`"
            )
        if spec.finding:
            if not fact.absent:
                raise self.unfit(
                    f"column `{spec.title}`: `{path}` cannot be absent, so nobody can find that there is none",
                    f"`{spec.title}` 列：`{path}` 没有写 absent，不能填“否”",
                )
            return Column(spec.title, "finding", path, fact, required=spec.required)
        if fact.type in ("record", "list"):
            raise self.unfit(
                f"column `{spec.title}`: `{path}` is a {fact.type}, not one value",
                f"`{spec.title}` 列：`{path}` 不是单个值",
            )
        return Column(spec.title, "fact", path, fact, required=spec.required)

    @cached_property
    def keys(self) -> tuple[Column, ...]:
        """Columns that identify a row; a key is given by title or by fact."""
        out = []
        for name in self.sheet.key:
            found = [c for c in self.columns if c.kind == "fact" and name in (c.title, c.path)]
            if not found:
                raise self.unfit(f"key `{name}` is no column", f"键 `{name}` 不是一列")
            out.append(found[0])
        return tuple(out)

    @cached_property
    def findings(self) -> tuple[Column, ...]:
        """Broadest first, so that a record that does not exist settles its fields."""
        return tuple(
            sorted((c for c in self.columns if c.kind == "finding"), key=lambda c: c.path.count("."))
        )

    @cached_property
    def parts(self) -> dict[str, Column]:
        """Envelope columns by part."""
        return {c.part: c for c in self.columns if c.kind == "envelope"}

    @cached_property
    def below(self) -> dict[str, tuple[Column, ...]]:
        """Path of a finding -> value columns of that fact or of the record's fields."""
        return {
            f.path: tuple(
                c
                for c in self.columns
                if c.kind == "fact" and (c.path == f.path or c.path.startswith(f.path + "."))
            )
            for f in self.findings
        }

    @cached_property
    def reach(self) -> dict[str, tuple[str, ...]]:
        """Path -> parts of the row's envelope it takes. What becomes stale takes all; what is only evidenced takes
        `source` and `ref`, because a date says nothing about it; a plain statement such as a number takes none."""
        out = {}
        for column in self.columns:
            if not column.path:
                continue
            facts = [self.schema.specs[column.path], *self.schema.leaves(column.path)]
            if any(f.max_age for f in facts):
                wanted: tuple[str, ...] = ("as_of", "source", "ref", "by")
            else:
                wanted = ("source", "ref") if any(f.evidence for f in facts) else ()
            out[column.path] = tuple(p for p in wanted if p in self.parts)
        return out
