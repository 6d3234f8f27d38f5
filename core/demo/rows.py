"""Rows of a demo sheet, by column title. A file has `sheet`, `rows` and, where useful,

`each`: cells every row has unless it says otherwise;
`written_for`: the day its dates were written for; they move to the day of the import, except the columns of `fixed`.
A cell that is a list stands for as many rows: lists of one row go in step, its other cells are repeated.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

BIRTH = ("出生日期",)


def read_rows(raw: Mapping[str, Any], on: dt.date) -> list[dict[str, Any]]:
    written = raw.get("written_for")
    shift = on - dt.date.fromisoformat(str(written)) if written else dt.timedelta()
    fixed = set(raw.get("fixed") or BIRTH)
    each = raw.get("each") or {}
    return [
        {title: cell if title in fixed else _moved(cell, shift) for title, cell in row.items()}
        for given in raw["rows"]
        for row in _spread({**each, **given})
    ]


def _spread(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for n in range(max((len(cell) for cell in row.values() if isinstance(cell, list)), default=1)):
        yield {title: cell[n] if isinstance(cell, list) else cell for title, cell in row.items()}


def _moved(cell: Any, shift: dt.timedelta) -> Any:
    text = cell.isoformat() if isinstance(cell, dt.date) else cell
    if isinstance(text, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return (dt.date.fromisoformat(text) + shift).isoformat()
    return text
