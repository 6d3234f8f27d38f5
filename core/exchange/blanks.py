"""The blanks of a fragment (`$days`), told from what they were filled with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from siquan.core.exchange.entries import entry_of
from siquan.core.spec.model import RuleSetSpec
from siquan.core.spec.source import Map, Seq

#: a blank, as `spec.fragment` fills them
BLANK = re.compile(r"\$([a-z_][a-z0-9_]*)")


def blanks_of(raw: Map, spec: RuleSetSpec) -> dict[str, str]:
    """What the blanks of a fragment were filled with, told from the rules they gave: a blank alone first, then those
    within a text. Rules whose id is a blank are those no other entry accounts for, in their order."""
    entries = [e for key in ("rows", "list") for e in raw.get(key) or () if isinstance(e, Map)]
    named = {str(e.get("id")) for e in entries}
    rules = {r.id: r for r in spec.rules}
    others = iter(r for r in spec.rules if r.id not in named)
    pairs: list[tuple[Any, Any]] = [(raw.get("title"), spec.title)]
    for given in entries:
        rule = rules.get(str(given.get("id"))) or next(others, None)
        meant = entry_of(rule) if rule else {}
        pairs += [(text, meant.get(key)) for key, text in given.items()]
    texts = [(a, str(b)) for a, b in pairs if isinstance(a, str) and b is not None and BLANK.search(a)]
    out: dict[str, str] = {}
    for text, meant_text in sorted(texts, key=lambda pair: BLANK.fullmatch(pair[0]) is None):
        found = re.fullmatch(_pattern(text), meant_text, re.DOTALL)
        for name, value in found.groupdict().items() if found else ():
            out.setdefault(name, value)
    return out


def _pattern(text: str) -> str:
    """A text with blanks as an expression with a group per blank."""
    parts, last, seen = [], 0, set[str]()
    for hole in BLANK.finditer(text):
        name = hole.group(1)
        parts += [re.escape(text[last : hole.start()]), f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"]
        seen.add(name)
        last = hole.end()
    return "".join([*parts, re.escape(text[last:])])


def filled(value: Any, blanks: Mapping[str, str]) -> Any:
    """A copy with the blanks filled; unknown ones stay."""
    if isinstance(value, Map):
        out = Map((key, filled(item, blanks)) for key, item in value.items())
        out.where, out.at = value.where, value.at
        return out
    if isinstance(value, Seq):
        seq = Seq(filled(item, blanks) for item in value)
        seq.where, seq.at = value.where, value.at
        return seq
    return BLANK.sub(lambda hole: blanks.get(hole.group(1), hole.group()), value) if blanks and isinstance(value, str) else value
