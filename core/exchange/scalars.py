"""Values as YAML text that reads back as the same value, and the small mappings people type into one cell."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from siquan.core.errors import SiquanError
from siquan.core.spec.read import plain
from siquan.core.spec.source import parse_yaml

#: what YAML cannot hold unescaped between double quotes
_RAW = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
#: a first character with a meaning of its own; what is left is tried out by reading it
_BARE = re.compile(r"[\w\u4e00-\u9fff（《“]")


def quoted(text: str) -> str:
    """Between double quotes, on one line."""
    return _RAW.sub(lambda m: f"\\u{ord(m.group()):04x}", json.dumps(text, ensure_ascii=False))


def scalar(value: Any, *, inside: bool = False) -> str:
    """One value. Text stands bare where it reads back as that text, `inside` meaning between `{ }` or `[ ]`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int):
        return str(value)
    text = str(value)
    return text if _bare(text, inside) else quoted(text)


def _bare(text: str, inside: bool) -> bool:
    if not text or "\n" in text or not _BARE.match(text) or text != text.strip() or not text.isprintable():
        return False
    try:
        read = parse_yaml(f"{{a: {text}, b: 1}}" if inside else f"a: {text}\nb: 1\n", "")
    except SiquanError:
        return False
    return isinstance(read, Mapping) and dict(read) == {"a": text, "b": 1} and isinstance(read["a"], str)


def flow(value: Any, *, inside: bool = False) -> str:
    """Any value on one line: `{a: 1, b: [x, y]}`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(k), inside=True)}: {flow(v, inside=True)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(flow(v, inside=True) for v in value) + "]"
    return scalar(value, inside=inside)


def lines(values: Mapping[str, Any]) -> str:
    """A mapping as one `name: value` a line."""
    return "\n".join(f"{scalar(str(k))}: {flow(v)}" for k, v in values.items())


def read_value(text: str, place: str) -> Any:
    """What stands in a cell as YAML; dates stay dates, decimals become their text. Raises YamlFault."""
    return plain(parse_yaml(text, place))
