"""The input data of a foreign model as facts of ours: names that our language can read, types, enums, limits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from siquan.core.dmn import model as m
from siquan.core.dmn.feel import tree as t
from siquan.core.dmn.feel.kinds import Kind
from siquan.core.dmn.feel.values import plain
from siquan.core.dmn.run import Bound
from siquan.core.dmn.say_native import NotNative
from siquan.core.errors import Where
from siquan.core.spec.model import FactSpec
from siquan.core.spec.read import RESERVED_FACTS, RESERVED_ROWS

_WORDS = {"and", "or", "not", "in", "between", "if", "then", "else", "some", "every", "satisfies"}
_TYPES: Mapping[str, Any] = {"number": "decimal", "boolean": "boolean", "string": "text", "date": "date"}


def native_name(words: str, taken: Iterable[str] = ()) -> str:
    """A name our language can read: signs and blanks become `_`; reserved and taken words get one more."""
    name = re.sub(r"\W+", "_", words.strip()).strip("_") or "_"
    name = f"_{name}" if name[0].isdigit() else name
    while name in RESERVED_FACTS | RESERVED_ROWS | _WORDS or name in taken:
        name += "_"
    return name


class Facts:
    """Facts made of input data, and our path of each name of the model. `narrow` holds what the columns of the table
    say of an input: a type and a list of constants."""

    def __init__(self, bound: Bound, elements: Iterable[m.InputData], narrow: Mapping[str, tuple[str, tuple[Any, ...]]]) -> None:
        self.bound = bound
        self.specs: list[FactSpec] = []
        self._paths: dict[tuple[str, ...], str] = {}
        for element in elements:
            name = native_name(element.variable.name, [s.name for s in self.specs])
            kind_name, values = narrow.get(element.variable.name, ("", ()))
            kind = bound.boxed.kind(element.variable.type_ref) or bound.boxed.kind(kind_name)
            self._paths[(element.variable.name,)] = name
            self.specs.append(self._fact(name, element.variable.name, kind, element, (element.variable.name,), name, values))

    def path(self, words: tuple[str, ...]) -> str | None:
        return self._paths.get(words)

    def _fact(
        self, name: str, title: str, kind: Kind | None, element: m.Element, words: tuple[str, ...], path: str, values: tuple[Any, ...] = ()
    ) -> FactSpec:
        label = element.label if element.label and len(words) == 1 else title
        shown = "" if label == name else label
        order = (kind.order if kind is not None else ()) or values
        if kind is None or kind.name == "Any":
            kind = Kind("string") if order and all(isinstance(v, str) for v in order) else kind
        if kind is not None and kind.name == "string" and order and all(isinstance(v, str) for v in order):
            return FactSpec(name=name, title=shown, type="enum", values={v: v for v in order})
        if kind is not None and kind.name in ("context", "list"):
            fields = self._fields(kind if kind.name == "context" else kind.item or Kind(), element, words, path, kind.name == "context")
            if kind.name == "list" or fields:
                return FactSpec(name=name, title=shown, type="record" if kind.name == "context" else "list", fields=fields)
        if kind is None or kind.name not in _TYPES:
            said = f"`{kind}`" if kind is not None else "none"
            raise NotNative(
                Where(self.bound.model.file, element.line), element=".".join(words), why=f"its type is {said}, which no fact has",
                why_zh=f"它的类型是 {said}，事实没有这种类型" if kind is not None else "它没有写明类型",
            )  # fmt: skip
        low, high = self._limits(element, words) if kind.name == "number" else (None, None)
        return FactSpec(name=name, title=shown, type=_TYPES[kind.name], min=low, max=high)

    def _fields(self, kind: Kind, element: m.Element, words: tuple[str, ...], path: str, record: bool) -> tuple[FactSpec, ...]:
        out: list[FactSpec] = []
        for word, inner in (kind.fields or {}).items():
            name = native_name(word, [f.name for f in out])
            if record:
                self._paths[(*words, word)] = f"{path}.{name}"
            out.append(self._fact(name, word, inner, element, (*words, word), f"{path}.{name}"))
        return tuple(out)

    def _limits(self, element: m.Element, words: tuple[str, ...]) -> tuple[Any, Any]:
        """The least and greatest value that the type allows, where it allows one closed range."""
        named = {d.name: d for d in self.bound.model.types}
        spec = named.get(element.variable.type_ref)
        for word in words[1:]:
            part = next((c for c in spec.components if c.name == word), None) if spec is not None else None
            spec = named.get(part.type_ref, part) if part is not None and not part.allowed else part
        node = self.bound.boxed.tests(spec.allowed, self.bound.boxed.members) if spec is not None and spec.allowed else None
        if node is None or len(node.tests) != 1:
            return None, None
        ends: list[Any] = [None, None]
        match node.tests[0]:
            case t.Interval(low=t.Literal(value=Decimal() as low), high=t.Literal(value=Decimal() as high), low_closed=True, high_closed=True):
                ends = [low, high]
            case t.Unary(op=">=", end=t.Literal(value=Decimal() as low)):
                ends[0] = low
            case t.Unary(op="<=", end=t.Literal(value=Decimal() as high)):
                ends[1] = high
        return (*(None if e is None else int(e) if e == e.to_integral_value() else Decimal(plain(e)) for e in ends),)  # type: ignore[return-value]
