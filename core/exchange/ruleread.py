"""The rows of the sheets of rules and settings as rules and settings again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from siquan.core.errors import SiquanError
from siquan.core.exchange.content import Content
from siquan.core.exchange.display import Typed, bare, display, empty, unchanged
from siquan.core.exchange.fields import ID, Field, value_of
from siquan.core.exchange.grid import Grid, Line
from siquan.core.exchange.rows import rule_row, setting, setting_rows
from siquan.core.exchange.scalars import read_value
from siquan.core.exchange.words import Words
from siquan.core.sheets.cells import Problem, shown, tidy
from siquan.core.sheets.problems import EmptyCell, TwiceRow
from siquan.core.spec.model import RuleSpec
from siquan.core.spec.read import HIT_POLICIES
from siquan.core.spec.source import YamlFault

#: characters of an id that a person makes up
LONGEST = 64
_NUMBERED = re.compile(r"(.*?)(\d+)")


class BadExpression(SiquanError):
    """`{title}` cannot be read at character {at}: {why}"""

    code = "SQ155"
    zh = "`{title}` 第 {at} 个字符处读不懂：{why_zh}"
    help_en = "{do}"
    help_zh = "{do_zh}"
    http = 422


class RuleReader:
    """Reads the sheet of rules against the rules it was made from."""

    def __init__(self, grid: Grid, base: Content, words: Words, typed: Typed) -> None:
        self.grid, self.base, self.words, self.typed = grid, base, words, typed
        self.old = {r.id: r for r in base.ruleset.rules}
        self.known = {bare(display("id", i)): i for i in self.old}
        self.notes: dict[str, str] = {}
        self.seen: dict[str, int] = {}
        self.defaults = RuleSpec(id="", cells=dict.fromkeys(base.ruleset.inputs, "-"))

    def read(self) -> tuple[RuleSpec, ...]:
        """The rules in the order of the rows; each has its row for a place."""
        lines = [line for line in self.grid.lines if not line.blank(self.grid.plan)]
        ids = [self._id(line) for line in lines]
        out = []
        for n, (line, id) in enumerate(zip(lines, ids, strict=True)):
            id = ids[n] = id or self._next(ids, n)
            out.append(self._rule(line, id))
        return tuple(out)

    def _id(self, line: Line) -> str:
        cell = line.cells.get("id")
        if empty(cell):
            return ""
        id, problem = (self.known.get(bare(cell)), None) if cell is not None else ("", None)
        if id is None:
            id, problem = self.typed.text(tidy(cell) if isinstance(cell, str) else cell)  # type: ignore[arg-type]
        if problem is not None or id is None:
            self.grid.bad(line.number, "id", problem or Problem("", "没有编号", "there is no id"))
            return f"\0{line.number}"
        if id not in self.old and (len(id) > LONGEST or re.search(r"\s", id)):
            why = Problem(shown(id), f"编号不能有空格，最多 {LONGEST} 个字符", f"an id has no blanks and at most {LONGEST} characters", "改短", "shorten it")
            self.grid.bad(line.number, "id", why)
        elif id in self.seen:
            error = TwiceRow(row=line.number, first=self.seen[id], titles=ID.zh, value=id)
            self.grid.wrong(line.number, "id", error)
        self.seen.setdefault(id, line.number)
        return id

    def _next(self, ids: list[str], n: int) -> str:
        """The id after the highest of the rules above; one that was ever used for another rule is not used again."""
        used = {*self.old, *ids}
        above = next((i for i in (*reversed(ids[:n]), *ids[n:]) if _NUMBERED.fullmatch(i)), "R0")
        found = _NUMBERED.fullmatch(above)
        assert found is not None
        head, width = found.group(1), len(found.group(2))
        numbers = [int(m.group(2)) for i in used if (m := _NUMBERED.fullmatch(i)) and m.group(1) == head]
        return f"{head}{max(numbers, default=0) + 1:0{width}d}"

    def _rule(self, line: Line, id: str) -> RuleSpec:
        old = self.old.get(id)
        start = old or self.defaults
        rows = [rule_row(start, self.grid.plan, None, lang) for lang in ("zh", "en")]
        changed: dict[str, Any] = {}
        before = self.grid.problems.count
        for field in self.grid.plan.fields:
            note = self.grid.remark(line.number, field.key)
            if note:
                self.notes[f"{id}/{field.key}"] = note
            if field.kind in ("shown", "id"):
                continue
            cell, was = line.cells.get(field.key), value_of(start, field.key)
            if any(unchanged(cell, row[field.key]) for row in rows):
                continue
            value, problem = self.typed.take(field.kind, cell, self._like(field, was), self._check(field), self._codes(field))
            if problem is not None:
                self.grid.bad(line.number, field.key, problem, field.zh)
            elif value != was:
                changed[field.key] = value
        rule = _updated(start, changed, self.base.ruleset.outputs).model_copy(update={"id": id, "where": self.grid.where(line.number, "id")})
        if self.grid.problems.count == before and (changed or old is None):
            self._refuse(line, rule, changed if old is not None else None)
        return rule

    def _like(self, field: Field, was: Any) -> Any:
        """What the constants of a column are like, where the row itself does not tell."""
        if field.kind != "constant" or was is not None:
            return was
        return next((v for r in self.base.ruleset.rules if (v := value_of(r, field.key)) is not None), None)

    def _check(self, field: Field) -> Any:
        def good(text: str) -> bool:
            try:
                if field.kind == "test":
                    self.words.cell(field.key[5:], text)
                elif field.kind == "outcome":
                    self.words.outcome(text)
                else:
                    self.words.condition(text)
            except SiquanError:
                return False
            return True

        return good

    def _codes(self, field: Field) -> Mapping[str, str]:
        """Titles of an input's enum -> codes."""
        if field.kind != "test":
            return {}
        name = field.key[5:]
        fact = self.words.schema.get(self.base.ruleset.prefix + name) or self.words.schema.get(name)
        return {title: code for code, title in fact.values.items()} if fact else {}

    def _refuse(self, line: Line, rule: RuleSpec, changed: Mapping[str, Any] | None) -> None:
        """What is wrong with a rule that was changed, or is new (None), at its cells."""
        for key, fault in self.words.faults(rule):
            if changed is None or key in changed:
                self.grid.wrong(line.number, key, placed(fault, self.grid, key, str(value_of(rule, key))))
        if self.base.ruleset.table:
            return
        if not rule.when and not rule.display_only:
            self.grid.wrong(line.number, "when", EmptyCell(title=self.grid.plan.by_key["when"].zh))
        elif rule.when and not rule.outcome:
            self.grid.wrong(line.number, "outcome", EmptyCell(title=self.grid.plan.by_key["outcome"].zh))


def placed(fault: SiquanError, grid: Grid, key: str, text: str) -> SiquanError:
    """What is wrong with an expression, with the character of the cell where it is wrong."""
    values = fault.values
    named = next((str(values[n]) for n in ("value", "name", "text") if str(values.get(n, "")) and str(values[n]) in text), "")
    at = int(values["at"]) if isinstance(values.get("at"), int) else text.find(named) + 1
    if key in ("say", "clear") and "text" in values:
        at += max(text.find(str(values["text"])), 0)
    return BadExpression(
        title=grid.plan.by_key[key].zh, at=max(at, 1), why=fault.text("en"), why_zh=fault.text("zh"), do=fault.help("en"), do_zh=fault.help("zh")
    )


def _updated(rule: RuleSpec, changed: Mapping[str, Any], outputs: tuple[str, ...]) -> RuleSpec:
    """The rule with these fields changed."""
    cells = {**rule.cells, **{k[5:]: v for k, v in changed.items() if k.startswith("cell:")}}
    outs = {k[4:]: v for k, v in changed.items() if k.startswith("out:")}
    plain = {k: v for k, v in changed.items() if ":" not in k}
    if outs:
        old = rule.out if isinstance(rule.out, dict) else {}
        plain["out"] = {name: outs.get(name, old.get(name)) for name in outputs}
    return rule.model_copy(update={**plain, "cells": cells})


def read_settings(grid: Grid, base: Content, typed: Typed) -> tuple[dict[str, Any], dict[str, str]]:
    """Changed settings as fields of the rule set, and the remarks on them."""
    fields = {tidy(t): (f, was) for f, was in setting_rows(base.ruleset, "zh") for t in (f.zh, f.en)}
    changed: dict[str, Any] = {}
    notes: dict[str, str] = {}
    for line in grid.lines:
        key = line.cells.get("key")
        if line.blank(grid.plan):
            continue
        field, was = fields.get(tidy(str(key or "")), (None, None))
        if field is None:
            names = "、".join(f.zh for f, _ in setting_rows(base.ruleset, "zh"))
            why = Problem(shown(key or ""), f"没有这个项目，只有 {names}", f"there is no such setting, only {names}", "删掉这一行", "delete the row")
            grid.bad(line.number, "key", why)
            continue
        note = grid.remark(line.number, "value")
        if note:
            notes[f"#settings/{field.key}/value"] = note
        cell = line.cells.get("value")
        if unchanged(cell, was) or unchanged(cell, next(d for f, d in setting_rows(base.ruleset, "en") if f.key == field.key)):
            continue
        value, problem = _setting(field, cell, setting(base.ruleset, field.key), typed)
        if problem is not None:
            grid.bad(line.number, "value", problem, field.zh)
        else:
            changed[field.key] = value
    return _settings(base, changed), notes


def _setting(field: Field, cell: Any, old: Any, typed: Typed) -> tuple[Any, Problem | None]:
    value, problem = typed.take(field.kind, cell, old, lambda _: True)
    if problem is None and field.key == "hit_policy" and str(value).upper() not in HIT_POLICIES:
        allowed = " ".join(HIT_POLICIES)
        problem = Problem(shown(str(value)), f"只能是 {allowed}", f"it must be one of {allowed}", "从下拉框里选一个", "choose one from the drop-down list")
    if field.key == "hit_policy":
        value = str(value).upper()
    if isinstance(value, str) and field.key.startswith("default") and value.startswith("["):
        try:
            value = read_value(value, "")
        except YamlFault as fault:
            problem = Problem(shown(value), fault.text("zh"), fault.text("en"), "列表写作 [1, 2]", "write a list as [1, 2]")
    return value, problem


def _settings(base: Content, changed: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {k: v for k, v in changed.items() if ":" not in k}
    defaults = {k[8:]: v for k, v in changed.items() if k.startswith("default:")}
    if defaults:
        old = base.ruleset.default if isinstance(base.ruleset.default, dict) else {}
        values = {name: defaults.get(name, old.get(name)) for name in base.ruleset.outputs}
        out["default"] = None if all(v is None for v in values.values()) else values
    listed = {k[7:]: v for k, v in changed.items() if k.startswith("values:")}
    if listed:
        old_values = base.ruleset.output_values
        values_of = {n: _listed(listed[n], old_values.get(n, ())) if n in listed else old_values.get(n, ()) for n in base.ruleset.outputs}
        out["output_values"] = {n: values for n, values in values_of.items() if values}
    return out


def _listed(text: str, old: tuple[Any, ...]) -> tuple[Any, ...]:
    """Values one a line; numbers stay numbers where the column has numbers."""
    known = {str(v): v for v in old}
    number = bool(old) and all(isinstance(v, int) and not isinstance(v, bool) for v in old)
    words = [w.strip() for w in str(text).splitlines() if w.strip()]
    return tuple(known.get(w, int(w) if number and re.fullmatch(r"-?\d{1,15}", w) else w) for w in words)
