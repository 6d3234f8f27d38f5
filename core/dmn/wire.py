"""Values of FEEL from JSON and YAML and back: dates and durations as ISO texts, numbers with all their digits."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from siquan.core.dmn.feel.kinds import Kind
from siquan.core.dmn.feel.names import normal
from siquan.core.dmn.feel.temporal import parse_date, parse_date_time, parse_duration, parse_time
from siquan.core.dmn.feel.values import Function, Range, number, plain, text_of
from siquan.core.errors import BadInput

_PARSE = {
    "date": parse_date, "time": parse_time, "date and time": parse_date_time, "days and time duration": parse_duration,
    "years and months duration": parse_duration,
}  # fmt: skip
#: levels of lists and records in facts
DEEPEST = 100


def from_json(value: Any, kind: Kind | None = None, depth: int = 0) -> Any:
    """A FEEL value of what JSON or YAML holds. A text is read as the kind asks for; what does not fit stays what it is,
    and the model finds that it does not conform."""
    if depth > DEEPEST:
        raise BadInput(why=f"事实嵌套超过 {DEEPEST} 层")
    name = kind.name if kind is not None else "Any"
    match value:
        case None | bool():
            return value
        case int() | Decimal():
            return number(value)
        case float():
            return number(Decimal(str(value)))
        case str():
            return _text(value, name)
        case dt.datetime() | dt.date() | dt.time():
            return _text(value.isoformat(), name)
        case Mapping():
            fields = (kind.fields if kind is not None else None) or {}
            return {normal(str(k)): from_json(v, fields.get(normal(str(k))), depth + 1) for k, v in value.items()}
        case list() | tuple():
            item = kind.item if kind is not None and name == "list" else kind
            return [from_json(v, item, depth + 1) for v in value]
    raise BadInput(why=f"`{value}` 不能作为事实")


def _text(text: str, kind: str) -> Any:
    if kind == "list":
        return text
    if kind == "number":
        try:
            return number(Decimal(text.strip())) if len(text) < 1000 else text
        except InvalidOperation:
            return text
    read = _PARSE.get(kind)
    found = read(text) if read is not None else None
    return text if found is None else found


def to_json(value: Any) -> Any:
    """What JSON can hold of a FEEL value: numbers as Decimal, temporal values, ranges and functions as texts."""
    match value:
        case None | bool() | Decimal() | str():
            return value
        case list():
            return [to_json(v) for v in value]
        case dict():
            return {k: to_json(v) for k, v in value.items()}
        case Range() | Function():
            return text_of(value)
    return str(value)


def json_text(value: Any, level: int = 0) -> str:
    """JSON with one blank of indent a level; a Decimal keeps all its digits, which no float would."""
    inner, outer = "\n" + " " * (level + 1), "\n" + " " * level
    match value:
        case Decimal():
            return plain(value) if abs(value.adjusted()) < 400 else str(value)
        case Mapping() if value:
            parts = (f"{json.dumps(str(k), ensure_ascii=False)}: {json_text(v, level + 1)}" for k, v in value.items())
            return "{" + inner + f",{inner}".join(parts) + outer + "}"
        case list() | tuple() if value:
            return "[" + inner + f",{inner}".join(json_text(v, level + 1) for v in value) + outer + "]"
    return json.dumps(value, ensure_ascii=False, default=str)


def read_json(text: str) -> Any:
    """JSON with exact numbers; None when it is none. A key that stands twice is refused."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        out = dict(pairs)
        if len(out) < len(pairs):
            twice = next(k for n, (k, _) in enumerate(pairs) if k in dict(pairs[:n]))
            raise BadInput(why=f"`{twice}` 写了两次")
        return out

    try:
        return json.loads(text, parse_float=Decimal, parse_int=Decimal, object_pairs_hook=once)
    except (ValueError, RecursionError):
        return None
