"""The types of a model: item definitions as kinds of FEEL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from siquan.core.dmn import model as m
from siquan.core.dmn.feel import tree as t
from siquan.core.dmn.feel.evaluate import Ground, Scope, build_tests
from siquan.core.dmn.feel.kinds import ANY, BUILT_IN, SYNONYMS, Kind, Test
from siquan.core.dmn.feel.library import FUNCTIONS
from siquan.core.dmn.feel.names import normal
from siquan.core.dmn.feel.values import conjunction

#: reads unary tests; None when they are none
ReadTests = Callable[[str], "t.Tests | None"]


class Types:
    """`kinds` holds the model's own types by name, and those of its imports as `import.name`."""

    def __init__(self, model: m.Model, imported: Mapping[str, Types], read: ReadTests) -> None:
        self._read = read
        self._specs = {d.name: d for d in model.types}
        self.kinds: dict[str, Kind] = {
            f"{name}.{own}" if name else own: kind for name, other in imported.items() for own, kind in other.kinds.items()
        }
        self.unknown: list[str] = []
        for name in self._specs:
            self.named(name)

    def named(self, name: str) -> Kind | None:
        """The kind of a type's name; None without a name. A name nobody knows is Any, and noted in `unknown`."""
        if not name:
            return None
        known = self.kinds.get(name)
        if known is not None:
            return known
        spec = self._specs.get(name)
        if spec is not None:
            shell = self.kinds[name] = Kind(label=name)
            self._fill(shell, spec)
            return shell
        built = BUILT_IN.get(SYNONYMS.get(name, name))
        if built is None:
            self.unknown.append(name)
        return built or ANY

    def _fill(self, kind: Kind, spec: m.ItemDefinition) -> None:
        inner = Kind(label=spec.name)
        if spec.components:
            inner.name, inner.fields = "context", {}
            for part in spec.components:
                inner.fields[part.name] = self._component(part)
        elif spec.params is not None:
            inner.name = "function"
            inner.params, inner.item = tuple(self.named(p.type_ref) or ANY for p in spec.params), self.named(spec.result) or ANY
        else:
            base = self.named(spec.type_ref) or ANY
            inner.name, inner.item, inner.fields, inner.params = base.name, base.item, base.fields, base.params
            inner.allowed, inner.order = base.allowed, base.order
        self._restrict(inner, spec.allowed)
        if spec.collection:
            kind.name, kind.item = "list", inner
        else:
            kind.name, kind.item, kind.fields, kind.params = inner.name, inner.item, inner.fields, inner.params
            kind.allowed, kind.order = inner.allowed, inner.order
        self._restrict(kind, spec.constraint)

    def _component(self, part: m.ItemDefinition) -> Kind:
        """A plain reference is the named kind itself, which may be the one that is being filled."""
        if part.components or part.allowed or part.constraint or part.params is not None:
            kind = Kind(label=part.name)
            self._fill(kind, part)
            return kind
        named = self.named(part.type_ref) or ANY
        return Kind("list", item=named, label=part.name) if part.collection else named

    def _restrict(self, kind: Kind, text: str) -> None:
        tests = self._read(text) if text else None
        if tests is None:
            return
        own, other = test_of(tests), kind.allowed
        kind.allowed = own if other is None else lambda value: bool(conjunction([other(value), own(value)]))
        kind.order = constants(tests) or kind.order


def test_of(tests: t.Tests) -> Test:
    """The unary tests as a predicate of a value."""
    run = build_tests(tests)
    return lambda value: bool(run(Scope(Ground(FUNCTIONS), {"?": value})))


def constants(tests: t.Tests) -> tuple[Any, ...]:
    """The values of a list of constants; empty when there is anything else in it."""
    values = tuple(test.value for test in tests.tests if isinstance(test, t.Literal))
    return values if len(values) == len(tests.tests) and not tests.negated else ()


_KEY = re.compile(r'[{,]\s*(?:"((?:[^"\\]|\\.)+)"|([^{}\[\],:"@()]+?))\s*:')


def member_names(model: m.Model) -> Iterator[str]:
    """All names that may stand behind a dot: components of types, entries of contexts, columns, outputs; also those of
    imported models."""
    for spec in model.types:
        yield from _components(spec)
    for element in model.elements.values():
        yield from _members(getattr(element, "logic", None))
    for name, other in model.imported:
        yield from member_names(other)
        if name:
            yield from (e.variable.name for e in other.elements.values())
            yield from (inner for inner, _ in other.imported)


def _components(spec: m.ItemDefinition) -> Iterator[str]:
    for part in spec.components:
        yield part.name
        yield from _components(part)


def _members(part: Any) -> Iterator[str]:
    if isinstance(part, m.Text):
        yield from (normal(a or b) for a, b in _KEY.findall(part.text))
    elif isinstance(part, m.Item | m.Output) and part.name:
        yield part.name
    if is_dataclass(part):
        for one in fields(part):
            yield from _members(getattr(part, one.name))
    elif isinstance(part, tuple):
        for one in part:
            yield from _members(one)
