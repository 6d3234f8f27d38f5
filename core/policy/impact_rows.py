"""Lists as kept, back to what the rules read: typed cells, absent ones told from codes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from siquan.core.rules.check import fields_of
from siquan.core.rules.facts import NONE
from siquan.core.rules.tree import Type
from siquan.core.rules.values import ABSENT, Rows, exact
from siquan.core.store.layout import ABSENT_MARK


def typed_list(kind: Type, kept: Any) -> Any:
    """[complete, rows] as Rows, "" as ABSENT, null as unknown; {} stays, it is not there."""
    if kept is None or isinstance(kept, dict):
        return kept
    if kept == ABSENT_MARK:
        return ABSENT
    complete, items = kept
    item = kind.item or Type("any")
    fields = fields_of(item)
    return Rows(tuple(_row(item, fields, i) for i in items), complete)


def _row(item: Type, fields: Mapping[str, Type], raw: Any) -> Any:
    if isinstance(raw, dict):
        return {name: _cell(fields.get(name), value) for name, value in raw.items()}
    return _cell(item, raw)


def _cell(kind: Type | None, raw: Any) -> Any:
    if raw == NONE and isinstance(raw, str):
        return NONE if kind is not None and kind.kind == "enum" and NONE in kind.values else ABSENT
    if isinstance(raw, str) and kind is not None:
        if kind.kind == "date":
            return dt.date.fromisoformat(raw)
        if kind.kind == "number":
            return exact(Fraction(raw))
    return raw
