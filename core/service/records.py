"""Records that are known not to exist, as forms state them: field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from siquan.core.rules.facts import NONE, Schema


def _value(entry: Any) -> Any:
    return entry.get("value") if isinstance(entry, Mapping) and "value" in entry else entry


def whole_records(schema: Schema, given: Mapping[str, Any]) -> dict[str, Any]:
    """A form offers "known not to exist" at every field of a record that may be absent. Said of all that was filled in,
    it is said of the record; beside a filled field it says nothing, for then the record exists."""
    out = dict(given)
    for record in schema.top.values():
        if record.type != "record" or not record.absent:
            continue
        stated = [p for p in out if p.startswith(f"{record.name}.") and p in schema]
        said = [p for p in stated if _value(out[p]) == NONE and not schema.specs[p].absent]
        if not said:
            continue
        whole = out[said[0]]
        filled = any(_value(out[p]) not in (None, "", NONE) for p in stated)
        for path in said if filled else stated:
            del out[path]
        if not filled:
            out[record.name] = whole
    return out
