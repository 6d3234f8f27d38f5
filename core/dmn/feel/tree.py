"""The tree of a FEEL expression, one frozen node per idea, named as the standard's grammar names them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from siquan.core.dmn.feel.kinds import Kind


@dataclass(frozen=True)
class Node:
    """Base of all nodes."""


@dataclass(frozen=True)
class Literal(Node):
    """A boolean, Decimal, str, temporal value, or None."""

    value: Any


@dataclass(frozen=True)
class Name(Node):
    name: str


@dataclass(frozen=True)
class Subject(Node):
    """`?`: the value a unary test is about."""


@dataclass(frozen=True)
class Path(Node):
    source: Node
    name: str


@dataclass(frozen=True)
class Filter(Node):
    source: Node
    cond: Node


@dataclass(frozen=True)
class Call(Node):
    """An invocation; `names` is empty for positional arguments."""

    func: Node
    args: tuple[Node, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class ListOf(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Context(Node):
    entries: tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class Function(Node):
    """A function definition; `body` None: an external one, which we never run."""

    params: tuple[tuple[str, Kind | None], ...]
    body: Node | None


@dataclass(frozen=True)
class If(Node):
    test: Node
    then: Node
    other: Node


@dataclass(frozen=True)
class Steps(Node):
    """`low..high` in a `for`: whole numbers or days, up or down."""

    low: Node
    high: Node


@dataclass(frozen=True)
class For(Node):
    iterators: tuple[tuple[str, Node], ...]
    body: Node


@dataclass(frozen=True)
class Quantified(Node):
    """`kind` is some or every."""

    kind: str
    iterators: tuple[tuple[str, Node], ...]
    cond: Node


@dataclass(frozen=True)
class And(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Or(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Compare(Node):
    """`op` is one of = != < <= > >=."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Between(Node):
    value: Node
    low: Node
    high: Node


@dataclass(frozen=True)
class In(Node):
    value: Node
    tests: tuple[Node, ...]


@dataclass(frozen=True)
class InstanceOf(Node):
    value: Node
    kind: Kind


@dataclass(frozen=True)
class Arith(Node):
    """`op` is one of + - * / **."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Neg(Node):
    item: Node


@dataclass(frozen=True)
class Interval(Node):
    low: Node
    high: Node
    low_closed: bool
    high_closed: bool


@dataclass(frozen=True)
class Unary(Node):
    """`< 5` standing alone: a range open on one side."""

    op: str
    end: Node


@dataclass(frozen=True)
class Tests(Node):
    """Unary tests of a cell; no tests: `-`."""

    tests: tuple[Node, ...]
    negated: bool = False


def parts(node: Node) -> Iterator[Node]:
    """The direct sub-nodes, left to right."""
    todo = [getattr(node, f.name) for f in reversed(fields(node))]
    while todo:
        part = todo.pop()
        if isinstance(part, Node):
            yield part
        elif isinstance(part, tuple):
            todo += reversed(part)


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, depth first."""
    todo = [node]
    while todo:
        one = todo.pop()
        yield one
        todo += reversed(list(parts(one)))
