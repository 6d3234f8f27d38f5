"""The typed tree of a parsed expression: what every reading visits.

One node per idea. A node knows its `type` once `rules.check` has resolved its names; spans point into the
expression's own text, the file position is added by whoever owns the text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


#: Types are short words, so that a message can print them: boolean number text date duration enum record list any.
@dataclass(frozen=True)
class Type:
    kind: str
    #: enum: allowed codes, in order; record: field name -> Type (in `fields`); list: element in `item`.
    values: tuple[str, ...] = ()
    fields: tuple[tuple[str, Type], ...] = ()
    item: Type | None = None
    unit: str = ""
    #: number: declared never to be negative, so that an unfinished list's sum has a floor
    floor: bool = False

    def field(self, name: str) -> Type | None:
        return dict(self.fields).get(name)

    def __str__(self) -> str:
        return f"list of {self.item}" if self.kind == "list" and self.item else self.kind


BOOLEAN, NUMBER, TEXT, DATE, DURATION, ANY = (Type(k) for k in ("boolean", "number", "text", "date", "duration", "any"))


@dataclass(frozen=True)
class Node:
    """Base of all nodes; `start` and `end` are offsets in the expression text."""

    start: int = field(default=0, kw_only=True, compare=False, repr=False)
    end: int = field(default=0, kw_only=True, compare=False, repr=False)
    type: Type = field(default=ANY, kw_only=True, compare=False, repr=False)


@dataclass(frozen=True)
class Literal(Node):
    """A boolean, int or Fraction, str, date, Duration or None (null)."""

    value: Any


@dataclass(frozen=True)
class ListOf(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Name(Node):
    """A name as written, before it is resolved; dots included (`fee.arrears_months`)."""

    path: str


@dataclass(frozen=True)
class Fact(Node):
    """A fact of the case, `path` dotted; `self.` is dropped, `parent.` is kept."""

    path: str


@dataclass(frozen=True)
class Param(Node):
    """A dated parameter."""

    name: str


@dataclass(frozen=True)
class Var(Node):
    """A field of the element a filter or quantifier looks at; `var` is "" for a filter's own element, ^ for that of
    the filter around it."""

    var: str
    path: str


@dataclass(frozen=True)
class Today(Node):
    """The decision's date."""


@dataclass(frozen=True)
class Compare(Node):
    """`op` is one of = != < <= > >=."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True)
class And(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Or(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Not(Node):
    item: Node


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
class If(Node):
    test: Node
    then: Node
    other: Node


@dataclass(frozen=True)
class Interval(Node):
    """A range value `[a..b]`, `(a..b)`; a None end is open for good."""

    low: Node | None
    high: Node | None
    low_closed: bool = True
    high_closed: bool = True


@dataclass(frozen=True)
class In(Node):
    """`left in tests`; each test is an Interval, a ListOf, a Compare against the subject, or a value."""

    left: Node
    tests: tuple[Node, ...]
    negated: bool = False


@dataclass(frozen=True)
class Subject(Node):
    """In a unary test: the value that is tested (FEEL's `?`)."""


@dataclass(frozen=True)
class Filter(Node):
    """`xs[cond]`; cond sees the element's fields as Var("")."""

    source: Node
    cond: Node


@dataclass(frozen=True)
class Path(Node):
    """`xs.field` on a list (projection) or a record value."""

    source: Node
    name: str


@dataclass(frozen=True)
class Quantified(Node):
    """`some|every var in source satisfies cond`."""

    kind: str
    var: str
    source: Node
    cond: Node


@dataclass(frozen=True)
class Call(Node):
    """A built-in: present absent count sum min max mean distinct values, modulo floor abs, years between, ..."""

    func: str
    args: tuple[Node, ...]


def children(node: Node) -> tuple[Node, ...]:
    """The direct sub-nodes, left to right."""
    match node:
        case ListOf(items=items) | And(items=items) | Or(items=items):
            return items
        case Compare(left=a, right=b) | Arith(left=a, right=b):
            return (a, b)
        case Not(item=a) | Neg(item=a):
            return (a,)
        case If(test=a, then=b, other=c):
            return (a, b, c)
        case Interval(low=a, high=b):
            return tuple(x for x in (a, b) if x is not None)
        case In(left=a, tests=tests):
            return (a, *tests)
        case Filter(source=a, cond=b) | Quantified(source=a, cond=b):
            return (a, b)
        case Path(source=a):
            return (a,)
        case Call(args=args):
            return args
        case _:
            return ()


def walk(node: Node) -> list[Node]:
    """The node and everything below it, depth first."""
    out: list[Node] = [node]
    for child in children(node):
        out.extend(walk(child))
    return out
