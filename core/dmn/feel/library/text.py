"""String functions (10.3.4.3). Characters are code points."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from siquan.core.dmn.feel.library.lists import place
from siquan.core.dmn.feel.library.pattern import compiled, template
from siquan.core.dmn.feel.library.signature import builtin


@builtin("substring", "string: string", "start position: number", "length: number?")
def substring(string: str, start: Decimal, length: Decimal | None = None) -> str | None:
    first = place(start, len(string))
    if first is None or (length is not None and length < 1):
        return None
    return string[first:] if length is None else string[first : first + int(length)]


@builtin("string length", "string: string")
def string_length(string: str) -> Decimal:
    return Decimal(len(string))


@builtin("upper case", "string: string")
def upper_case(string: str) -> str:
    return string.upper()


@builtin("lower case", "string: string")
def lower_case(string: str) -> str:
    return string.lower()


@builtin("substring before", "string: string", "match: string")
def substring_before(string: str, match: str) -> str:
    head, found, _ = string.partition(match) if match else ("", "", "")
    return head if found else ""


@builtin("substring after", "string: string", "match: string")
def substring_after(string: str, match: str) -> str:
    return string.partition(match)[2] if match else string


@builtin("contains", "string: string", "match: string")
def contains(string: str, match: str) -> bool:
    return match in string


@builtin("starts with", "string: string", "match: string")
def starts_with(string: str, match: str) -> bool:
    return string.startswith(match)


@builtin("ends with", "string: string", "match: string")
def ends_with(string: str, match: str) -> bool:
    return string.endswith(match)


@builtin("matches", "input: string", "pattern: string", "flags: string?")
def matches(input: str, pattern: str, flags: str | None = None) -> bool | None:
    found = compiled(pattern, flags or "")
    return None if found is None else found.search(input) is not None


@builtin("replace", "input: string", "pattern: string", "replacement: string", "flags: string?")
def replace(input: str, pattern: str, replacement: str, flags: str | None = None) -> str | None:
    """Null for a pattern that matches nothing at all, as XPath has it."""
    found = compiled(pattern, flags or "")
    if found is None or found.search(""):
        return None
    parts = [replacement] if "q" in (flags or "") else template(replacement, found.groups)
    if parts is None:
        return None

    def fill(hit: re.Match[str]) -> str:
        return "".join(p if isinstance(p, str) else hit.group(p) or "" for p in parts)

    return found.sub(fill, input)


@builtin("split", "string: string", "delimiter: string")
def split(string: str, delimiter: str) -> list[str] | None:
    found = compiled(delimiter)
    if found is None:
        return None
    out, at = [], 0
    for hit in found.finditer(string):
        if hit.end() > hit.start():
            out.append(string[at : hit.start()])
            at = hit.end()
        elif 0 < hit.start() < len(string):
            out.append(string[at : hit.start()])
            at = hit.start()
    return [*out, string[at:]]


@builtin("string join", "list: list", "delimiter: string?", "prefix: string?", "suffix: string?")
def string_join(items: list[Any], delimiter: str | None = None, prefix: str | None = None, suffix: str | None = None) -> str | None:
    """Null items are left out; null when an item is no string."""
    words = [i for i in items if i is not None]
    if any(not isinstance(w, str) for w in words):
        return None
    return (prefix or "") + (delimiter or "").join(words) + (suffix or "")
