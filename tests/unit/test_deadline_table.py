"""Deadlines of 2024 to 2027 against a table worked out by hand, each row with its reason."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from siquan.core.calendar import Calendar, shipped
from siquan.core.engine.deadlines import compute

TABLE: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(Path(__file__).with_name("deadline_table.yaml").read_text("utf-8"))
CN = Calendar.of(shipped())


@pytest.mark.parametrize("row", TABLE, ids=lambda r: f"{r.get('start') or r['event']} {r.get('after') or r['before']}")
def test_as_counted_by_hand(row: dict[str, Any]) -> None:
    n, unit = (row.get("after") or row["before"]).split()
    pauses = [tuple(row["pause"])] if "pause" in row else []
    due = compute(row.get("start") or row["event"], int(n), unit.rstrip("s"), CN, "after" if "start" in row else "before", pauses=pauses)
    assert due.end == row["end"], row["why"]
    assert due.provisional == row.get("provisional", False)


def test_the_table_is_wide_enough() -> None:
    assert len(TABLE) >= 60 and {r["end"].year for r in TABLE} == {2024, 2025, 2026, 2027}
    units = {(r.get("after") or r["before"]).split()[1] for r in TABLE}
    assert units == {"days", "workdays", "months"} and sum("pause" in r for r in TABLE) >= 5 and sum("event" in r for r in TABLE) >= 5
    assert all(r["why"] for r in TABLE) and any(r["end"] == dt.date(2024, 2, 29) for r in TABLE)
