"""Rows of facts to the cells of a form: what reading takes in, written the way people read it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from siquan.core.errors import Where
from siquan.core.rules.facts import NONE, Schema, to_wire
from siquan.core.sheets.cells import LATEST
from siquan.core.sheets.columns import NO, YES, Column, Layout, Unfit
from siquan.core.sheets.form import Shown, form
from siquan.core.sheets.notes import notes
from siquan.core.spec.model import FactSpec, SheetSpec

Mask = Callable[[FactSpec, str], str]


def write_sheet(
    sheet: SheetSpec, schema: Schema, rows: Iterable[Mapping[str, Any]] = (), *, title: str = "", example: bool = False,
    masked: Mask | None = None, roles: Mapping[str, str] | None = None,
) -> bytes:  # fmt: skip
    """An .xlsx of these rows (path -> wire envelope, wire value or typed value; records nested or dotted); without rows
    an empty form. Row one is the header; the sheet 说明 explains every column, with samples when `example`, so that no
    sample is ever imported. `masked(fact, text)` gives what may be seen of a sensitive value. `roles` titles the roles.
    Where the facts of a row differ in date or source, the row shows the earliest date and all sources."""
    layout = Layout(sheet, schema)
    lines = (_line(layout, row, masked) for row in rows)
    explained = notes(layout, title or sheet.name, example, roles or {})
    return form(layout.columns, sheet.name, lines, explained, title, _frozen(layout) if layout.keys else 0)


def rows_from_titles(sheet: SheetSpec, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """An .xlsx of rows given by column title, values as a person would type them: demo data and tests. Raises Unfit for
    a title the sheet does not have."""
    titles = {c.title for c in sheet.columns}
    for n, row in enumerate(rows, start=1):
        for name in row:
            if name not in titles:
                where = sheet.where or Where(sheet.target)
                raise Unfit(
                    where,
                    sheet=sheet.name,
                    why=f"row {n}: no column `{name}`",
                    why_zh=f"第 {n} 行：没有列 `{name}`",
                )
    columns = [Column(c.title, "fact") for c in sheet.columns]
    lines = ([_typed(row.get(c.title)) for c in sheet.columns] for row in rows)
    return form(columns, sheet.name, lines, [], sheet.name, 0)


def _typed(value: Any) -> Shown:
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, Decimal | str):
        return str(value)
    if isinstance(value, dt.date):
        return _day(value.date() if isinstance(value, dt.datetime) else value)
    return value if value is None or isinstance(value, int | float) else str(value)


def _day(day: dt.date) -> Shown:
    """As a date cell where Excel's calendar is right, else as text."""
    return day if dt.date(1900, 3, 1) <= day <= LATEST else day.isoformat()


# facts to cells


def _flat(row: Mapping[str, Any], before: str = "") -> dict[str, dict[str, Any]]:
    """Leaf path -> envelope with a wire value; nested records opened."""
    out: dict[str, dict[str, Any]] = {}
    for name, given in row.items():
        path = before + name
        envelope = dict(given) if isinstance(given, Mapping) and "value" in given else {"value": given}
        value = (
            to_wire(envelope["value"])
            if not isinstance(envelope["value"], Decimal)
            else str(envelope["value"])
        )
        if isinstance(value, Mapping):
            around = {k: v for k, v in envelope.items() if k != "value"}
            out.update({p: {**around, **e} for p, e in _flat(value, path + ".").items()})
        elif value is not None:
            out[path] = {**envelope, "value": value}
    return out


def _line(layout: Layout, row: Mapping[str, Any], masked: Mask | None) -> list[Shown]:
    facts = _flat(row)
    out: list[Shown] = []
    for column in layout.columns:
        cell: Shown
        if column.kind == "envelope":
            cell = _part(layout, facts, column.part)
        elif column.kind == "finding":
            cell = _finding(facts, column.path)
        else:
            assert column.fact is not None
            envelope = facts.get(column.path)
            cell = _shown(column.fact, envelope["value"]) if envelope else None
        if masked and column.fact is not None and column.fact.sensitive and cell is not None:
            cell = masked(column.fact, cell.isoformat() if isinstance(cell, dt.date) else str(cell))
        out.append(cell)
    return out


def _finding(facts: Mapping[str, Mapping[str, Any]], path: str) -> str | None:
    """否 when the fact or a record around it is known not to exist, 是 when something of it is stated."""
    head = path
    while head:
        if head in facts and facts[head]["value"] == NONE:
            return NO
        head = head.rpartition(".")[0]
    if any((p == path or p.startswith(path + ".")) and e["value"] != NONE for p, e in facts.items()):
        return YES
    return None


def _part(layout: Layout, facts: Mapping[str, Mapping[str, Any]], part: str) -> Shown:
    found = [str(e[part]) for p, e in facts.items() if e.get(part) and part in layout.reach.get(p, ())]
    if not found:
        return None
    if part == "as_of":
        return _day(
            dt.date.fromisoformat(min(found))
        )  # the oldest: what is shown is never fresher than it is
    return "；".join(dict.fromkeys(found))


def _shown(fact: FactSpec, value: Any) -> Shown:
    """A wire value as people see it."""
    if fact.type == "enum" and value in fact.values:
        return fact.values[value]
    if value == NONE and fact.absent:
        return fact.absent
    if isinstance(value, bool):
        return YES if value else NO
    if fact.type == "date":
        try:
            day = dt.date.fromisoformat(str(value))
        except ValueError:
            return str(value)
        return _day(day)
    if fact.type in ("integer", "decimal"):
        text = str(value)
        if re.fullmatch(r"-?\d{1,15}", text):
            return int(text)
        if re.fullmatch(r"-?\d+\.\d+", text) and len(text.lstrip("-0.").replace(".", "")) <= 15:
            return float(text)
        return text  # more digits than Excel keeps, or a fraction
    return str(value)


def _frozen(layout: Layout) -> int:
    """Columns kept in sight: up to the last key column, when that leaves room to scroll."""
    last = max(layout.columns.index(c) for c in layout.keys) + 1
    return last if last <= 4 else 0
