"""Canonical JSON: one text per value on every database and machine, because hashes are taken over it.

Keys sorted, no blanks, characters not escaped. Numbers are exact: a Decimal is written as a plain JSON number
and read back as Decimal. Dates become ISO text, ABSENT becomes `none` (the wire form), a Fraction `1/3`."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from siquan.core.rules.values import Absent

_FAST = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
).encode
_TEXT = json.JSONEncoder(ensure_ascii=False).encode
_READ = json.JSONDecoder(parse_float=Decimal).decode


def canonical(value: Any) -> str:
    """The text of `value`; TypeError for what JSON has no place for (a set, an object, a key that is not
    text)."""
    try:
        return _FAST(value)
    except TypeError:  # a Decimal, a date: written by hand, the C encoder cannot be taught raw numbers
        return "".join(_pieces(value))


def parse(text: str) -> Any:
    """Back from text; numbers with a point come as Decimal."""
    return _READ(text)


def instant(at: dt.datetime) -> str:
    """UTC with microseconds, always of one width, so that text order is time order."""
    if at.tzinfo is None:
        raise ValueError("a stored time needs its zone")
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")


def _pieces(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        if any(not isinstance(k, str) for k in value):
            raise TypeError("only text can be a key")
        body = [f"{_TEXT(k)}:{''.join(_pieces(value[k]))}" for k in sorted(value)]
        return ["{", ",".join(body), "}"]
    if isinstance(value, list | tuple):
        return ["[", ",".join("".join(_pieces(v)) for v in value), "]"]
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError("only finite numbers can be stored")
        return [str(value)]
    if isinstance(value, Fraction):
        return [_TEXT(str(value))]
    if isinstance(value, dt.datetime):
        return [_TEXT(instant(value))]
    if isinstance(value, dt.date):
        return [_TEXT(value.isoformat())]
    if isinstance(value, Absent):
        return ['"none"']
    return [_FAST(value)]
