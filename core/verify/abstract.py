"""Facts as an exploration of a process sees them: unknown, known, perhaps known, or one elementary value.

A fact whose every reading compares it with constants is cut into its elementary cases (`cells`), each of which stands
for all values that no guard tells apart. Of any other fact only whether it is known is followed. An expression over
such facts has a set of truths: what it may come to. The set may be too large, never too small."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from fractions import Fraction
from itertools import product
from typing import Any

from siquan.core.engine.definition import Definition
from siquan.core.plugins import Catalogue
from siquan.core.rules import tree as t
from siquan.core.rules.compile import Compiled, compile_one
from siquan.core.rules.decide import RuleSet
from siquan.core.spec.model import RuleSetSpec
from siquan.core.verify.cells import Cells, NotFinite


class Known(Enum):
    """What is known of a fact whose value is not followed."""

    NO = "unknown"
    MAYBE = "perhaps"
    YES = "known"


NO, MAYBE, YES = Known.NO, Known.MAYBE, Known.YES
#: one of `Known`, or an elementary value
Abstract = Any
Look = Callable[[str], Abstract]
Truths = frozenset[bool | None]
TRUE, FALSE, ASKED, OPEN, ANY = (frozenset(x) for x in ((True,), (False,), (None,), (True, False), (True, False, None)))


class Facts:
    """The facts of one process: which are cut into cells, and what expressions may come to over them."""

    def __init__(self, definition: Definition, catalogue: Catalogue, nodes: Iterable[t.Node]) -> None:
        self.definition = definition
        bare = RuleSet(RuleSetSpec(id=f"{definition.spec.id}.", process=definition.spec.id), definition.scope, definition.schema, definition.derived)
        self.cells = Cells(bare, catalogue.book_of(definition.spec.id))
        self._bounds: dict[str, set[Any]] = {}
        self._coarse: set[str] = set()
        self._read: dict[int, tuple[t.Node, tuple[str, ...]]] = {}
        self._runs: dict[int, tuple[t.Node, Compiled]] = {}
        self._domains: dict[str, tuple[Any, ...]] = {}
        seen: set[str] = set()
        todo = list(nodes)
        while todo:
            node = todo.pop()
            self._scan(node)
            for path in {n.path for n in t.walk(node) if isinstance(n, t.Fact)} - seen:
                seen.add(path)
                if path in definition.derived:
                    todo.append(definition.derived[path])

    def reads(self, node: t.Node) -> tuple[str, ...]:
        """The facts behind an expression, through derived ones; what a derived fact reads stands for it."""
        found = self._read.get(id(node))
        if found is None:
            found = self._read[id(node)] = (node, tuple(dict.fromkeys(self._behind(node, ()))))
        return found[1]

    def _behind(self, node: t.Node, busy: tuple[str, ...]) -> Iterator[str]:
        for part in t.walk(node):
            if isinstance(part, t.Fact):
                derived = self.definition.derived.get(part.path)
                if derived is None or part.path in busy:
                    yield part.path
                else:
                    yield from self._behind(derived, (*busy, part.path))

    # cells

    def _scan(self, node: t.Node) -> None:
        match node:
            case t.Compare(left=t.Fact(path=path), right=other) | t.Compare(left=other, right=t.Fact(path=path)):
                self._bound(path, other)
                if not self._fixed(other):
                    self._spoil(other)
            case t.Call(func="list contains", args=(t.ListOf(items=items), t.Fact(path=path))):
                for item in items:
                    self._bound(path, item)
            case t.Call(func="present" | "absent", args=(t.Fact(path=path),)):
                self._bounds.setdefault(path, set())
            case t.Fact(path=path):
                self._bounds.setdefault(path, set())
                spec = self.definition.schema.get(path)
                if spec is None or spec.type not in ("boolean", "enum"):
                    self._coarse.add(path)
            case t.And() | t.Or() | t.Not() | t.If():
                for child in t.children(node):
                    self._scan(child)
            case _:
                self._spoil(node)

    def _fixed(self, node: t.Node) -> bool:
        return not any(isinstance(n, t.Fact | t.Var | t.Today) for n in t.walk(node))

    def _bound(self, path: str, other: t.Node) -> None:
        try:
            self._bounds.setdefault(path, set()).add(self.cells._constant(other))
        except NotFinite:
            self._coarse.add(path)

    def _spoil(self, node: t.Node) -> None:
        self._coarse |= {n.path for n in t.walk(node) if isinstance(n, t.Fact)}

    def domain(self, path: str) -> tuple[Any, ...]:
        """The elementary values of a fact; empty where only its being known is followed."""
        if path not in self._domains:
            self._domains[path] = self._domain(path)
        return self._domains[path]

    def _domain(self, path: str) -> tuple[Any, ...]:
        spec = self.definition.schema.get(path)
        if path not in self._bounds or path in self._coarse or spec is None or spec.max_age or path in self.definition.derived:
            return ()
        try:
            return tuple(self.cells._domain(path, self._bounds[path]))
        except NotFinite:
            return ()

    # truths

    def truths(self, node: t.Node, look: Look) -> Truths:
        """What a condition may come to."""
        match node:
            case t.And(items=items):
                return _lift(all_of, [self.truths(i, look) for i in items])
            case t.Or(items=items):
                return _lift(any_of, [self.truths(i, look) for i in items])
            case t.Not(item=item):
                return frozenset(None if x is None else not x for x in self.truths(item, look))
            case t.If(test=test, then=then, other=other) if node.type.kind == "boolean":
                out: set[bool | None] = set()
                for x in self.truths(test, look):
                    out |= {None} if x is None else self.truths(then if x else other, look)
                return frozenset(out)
            case t.Fact(path=path) if path in self.definition.derived:
                return self._derived(path, look)
            case t.Literal(value=value) if value is None or isinstance(value, bool):
                return frozenset([value])
        return self._atom(node, look)

    def _derived(self, path: str, look: Look) -> Truths:
        spec = self.definition.schema.get(path)
        found = self.truths(self.definition.derived[path], look)
        # whoever may state it may say otherwise
        return ANY if spec is not None and spec.by else found

    def _atom(self, node: t.Node, look: Look) -> Truths:
        paths = self.reads(node)
        values = {p: look(p) for p in paths}
        plain = all(n.path not in self.definition.derived for n in t.walk(node) if isinstance(n, t.Fact))
        rigid = not any(isinstance(n, t.Today | t.Var | t.Filter | t.Quantified | t.Path) for n in t.walk(node))
        if rigid and plain and not any(v is YES or v is MAYBE for v in values.values()):
            facts = {p: None if v is NO else v for p, v in values.items()}
            return frozenset([self._run(node)(facts.get, self.cells._param, self.cells.on)])
        strict = isinstance(node, t.Compare) or isinstance(node, t.Fact) or (isinstance(node, t.Call) and node.func in ("present", "absent"))
        if strict and plain and rigid and self._scalars(paths) and NO in values.values():
            return ASKED
        if plain and rigid and self._scalars(paths) and MAYBE not in values.values() and NO not in values.values():
            return OPEN
        return ANY

    def _scalars(self, paths: Iterable[str]) -> bool:
        specs = [self.definition.schema.get(p) for p in paths]
        return all(s is not None and s.type not in ("record", "list") for s in specs)

    def _run(self, node: t.Node) -> Compiled:
        # the node is kept with its function, so that its id stays its own
        found = self._runs.get(id(node))
        if found is None:
            found = self._runs[id(node)] = (node, compile_one(node))
        return found[1]

    def value(self, text: str, prefix: str, look: Look) -> Abstract:
        """What `set:` writes: an elementary value where it is certain, else whether it is known."""
        node = self.definition.node(text, prefix)
        paths = self.reads(node)
        values = {p: look(p) for p in paths}
        if any(isinstance(n, t.Today) for n in t.walk(node)) or any(v is YES or v is MAYBE for v in values.values()):
            return MAYBE if any(v is MAYBE or v is NO for v in values.values()) or not self._scalars(paths) else YES
        facts = {p: None if v is NO else v for p, v in values.items()}
        found = self._run(node)(facts.get, self.cells._param, self.cells.on)
        return NO if found is None else found

    def nearest(self, path: str, value: Any) -> Abstract:
        """A value as the elementary one that stands for it; beyond the last bound all are alike."""
        domain = self.domain(path)
        if value in domain or not isinstance(value, int) or isinstance(value, bool):
            return value if value in domain else YES
        numbers = [v for v in domain if not isinstance(v, bool | str | dt.date) and hasattr(v, "numerator")]
        return max(numbers) if numbers and value > max(numbers) else value

    def cell(self, path: str, value: Abstract) -> Abstract:
        """The elementary value that stands for a number followed one by one: on the same side of every bound."""
        domain = self.domain(path)
        if value in domain or not isinstance(value, int) or isinstance(value, bool):
            return value
        bounds, numbers = ([x for x in xs if isinstance(x, int | Fraction)] for xs in (self._bounds[path], domain))
        return next((n for n in numbers if all((n > b, n < b) == (value > b, value < b) for b in bounds)), value)


def all_of(items: tuple[bool | None, ...]) -> bool | None:
    return False if False in items else None if None in items else True


def any_of(items: tuple[bool | None, ...]) -> bool | None:
    return True if True in items else None if None in items else False


def _lift(join: Callable[[tuple[bool | None, ...]], bool | None], parts: list[Truths]) -> Truths:
    """Kleene's logic over sets; of each part only which truths occur matters."""
    kinds = list(dict.fromkeys(parts))
    # two of a kind may differ, so each kind counts twice
    doubled = [k for k in kinds for _ in range(min(2, parts.count(k)))]
    return frozenset(join(choice) for choice in product(*doubled))
