"""A condition as a sentence whose values can be changed where they stand."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from siquan.core.policy.views import Part
from siquan.core.rules import tree as t
from siquan.core.rules.facts import Schema, number_text
from siquan.core.rules.say import Sentence

#: private-use characters around the number of a mark; no sentence of ours and no stated text holds them
_MARK = re.compile("\ue000(\\d+)\ue001")


class Marked(Sentence):
    """The same sentence, with every value, fact and parameter marked. `field` is where its text was written."""

    def __init__(self, schema: Schema, lang: str, param: Callable[[str], str], field: str, unit: Callable[[str], bool]) -> None:
        super().__init__(schema, lang, param, unit)
        self.field = field
        self.marks: list[Part] = []

    def parts(self, node: t.Node) -> tuple[Part, ...]:
        """The sentence in pieces, left to right."""
        self.marks = []
        out: list[Part] = []
        for n, piece in enumerate(_MARK.split(self.say(node))):
            if n % 2:
                out.append(self.marks[int(piece)])
            elif piece:
                out.append(Part(piece))
        return tuple(out)

    def _mark(self, part: Part) -> str:
        self.marks.append(part)
        return f"\ue000{len(self.marks) - 1}\ue001"

    def say(self, node: t.Node) -> str:
        match node:
            case t.Literal(value=value) if kind_of(value):
                return self._mark(self._literal(node, super().say(node), ()))
            case t.Param(name=name):
                return self._mark(Part(super().say(node), "param", name))
            case t.Fact(path=path):
                return self._mark(Part(super().say(node), "fact", path))
        return super().say(node)

    def _value(self, node: t.Node, other: t.Node) -> str:
        values = self._values(node, other)
        if isinstance(node, t.Literal) and values:
            title = values[node.value]
            return self._mark(self._literal(node, f"“{title}”" if self.lang == "zh" else f'"{title}"', tuple(values.items())))
        return self.say(node)

    def _literal(self, node: t.Node, text: str, options: tuple[tuple[str, str], ...]) -> Part:
        value = node.value  # type: ignore[attr-defined]
        shown = number_text(value) if kind_of(value) == "number" else value.isoformat() if isinstance(value, dt.date) else str(value)
        if node.start >= node.end:  # not written there: nothing to change
            return Part(text)
        return Part(text, "edit", "", self.field, node.start, node.end, "enum" if options else kind_of(value), options, shown)


def kind_of(value: Any) -> str:
    """What control changes a value; empty for what is not changed in a sentence."""
    if isinstance(value, bool) or value is None or hasattr(value, "months"):
        return ""
    if isinstance(value, dt.date):
        return "date"
    return "text" if isinstance(value, str) else "number"


def compared(now: Sequence[Part], before: Sequence[Part]) -> tuple[Part, ...]:
    """The parts with what stood there before, where the sentence is the same but for its values."""
    if [(p.kind, p.name) for p in now] != [(p.kind, p.name) for p in before]:
        return tuple(now)
    if any(a.kind == "text" and a.text != b.text for a, b in zip(now, before, strict=True)):
        return tuple(now)
    return tuple(replace(a, was=b.text) if a.text != b.text else a for a, b in zip(now, before, strict=True))
