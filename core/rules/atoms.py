"""A condition as atoms and conjunctions of atoms, for an engine that can only match conjunctions.

And, Or and Not are structure; everything else that is boolean is an atom. In Kleene's logic a formula is true
exactly when its negation normal form, read over the two-valued statements "atom is true" and "atom is
false", holds; it is false when that of its negation holds; else it is unknown. The laws of distribution and
absorption hold there, and a conjunction that wants an atom both true and false never holds, so that a
disjunctive normal form may drop it. (`x or not x` stays unknown while x is: it is true by {x} or by {not x}.)

A *scalar* atom compares a scalar fact with a constant, and carries a `Test`; any other atom is *computed*.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Any

from siquan.core.errors import SiquanError
from siquan.core.rules import tree
from siquan.core.rules.tree import BOOLEAN, Node
from siquan.core.rules.values import exact

#: Conjunctions per side of a condition; over it the condition is computed as a whole.
CAP = 64
#: Encoded constants lie within +-LIMIT, values within +-(LIMIT + 1), the two ends beyond; all below 2**53.
LIMIT = 2**52
LOW, HIGH = -(LIMIT + 2), LIMIT + 2

#: One conjunction: (atom index, wanted truth).
Conjunction = frozenset[tuple[int, bool]]
Conjunctions = tuple[Conjunction, ...]

_FLIP = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ORDERED = ("number", "date")
_PRESENT = ("number", "date", "enum", "boolean", "text", "person")


class WrongValue(SiquanError):
    """the value `{value}` of `{path}` is not a {kind}"""

    code = "SQ470"
    zh = "`{path}` 的值 `{value}` 不是{kind}类型"
    http = 500


class TooWide(Exception):
    """The disjunctive normal form has more conjunctions than allowed."""


@dataclass(frozen=True, slots=True)
class Test:
    """`path op value`; op a comparison or `present` (value None); kind as in `tree.Type`."""

    path: str
    kind: str
    op: str
    value: Any


@dataclass(frozen=True, slots=True)
class Atom:
    """`node` is what a Python reading evaluates; `test` is set on a scalar atom."""

    node: Node
    test: Test | None = None


# The negation normal form


@dataclass(frozen=True, slots=True)
class Is:
    """The atom is known to have this truth."""

    atom: int
    truth: bool


@dataclass(frozen=True, slots=True)
class AllOf:
    items: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    items: tuple[Form, ...]


Form = Is | AllOf | AnyOf
ALWAYS, NEVER = AllOf(()), AnyOf(())


class Atoms:
    """The numbered atoms of some conditions; the same atom has the same number in all of them.

    `params` are the constants behind parameter names. Facts in `computed` are left to Python.
    """

    def __init__(self, params: Mapping[str, Any] | None = None, computed: Iterable[str] = ()) -> None:
        self._params = params or {}
        self._computed = frozenset(computed)
        self._index: dict[Any, int] = {}
        self._kinds: dict[str, str] = {}
        self.atoms: list[Atom] = []

    def __getitem__(self, index: int) -> Atom:
        return self.atoms[index]

    def __len__(self) -> int:
        return len(self.atoms)

    def nnf(self, node: Node, truth: bool = True) -> Form:
        """What makes the condition true (or false), over literals."""
        match node:
            case tree.Not(item=item):
                return self.nnf(item, not truth)
            case tree.And(items=items) | tree.Or(items=items):
                forms = tuple(self.nnf(i, truth) for i in items)
                return AllOf(forms) if isinstance(node, tree.And) is truth else AnyOf(forms)
            case tree.Literal(value=bool() | None as value):
                return ALWAYS if value is truth else NEVER
            case tree.Param(name=name) if isinstance(self._params.get(name), bool):
                return ALWAYS if self._params[name] is truth else NEVER
            case tree.In():
                parts = self._members(node)
                if parts is not None:
                    return self.nnf(tree.Not(parts) if node.negated else parts, truth)
        test = self._test(node)
        if test is None:
            return Is(self.computed(node), truth)
        if test.op == "absent":
            return Is(self._number(Test(test.path, test.kind, "present", None), node), not truth)
        return Is(self._number(test, node), truth)

    def dnf(self, node: Node, truth: bool = True, cap: int = CAP) -> Conjunctions:
        """The minimal conjunctions, any of which makes the condition true (or false); raises TooWide."""
        masks = _masks(self.nnf(node, truth), cap)
        if len(masks) > cap:
            raise TooWide
        return tuple(_conjunction(m) for m in masks)

    def sides(self, node: Node, cap: int = CAP) -> tuple[Conjunctions, Conjunctions]:
        """What makes the condition true, what makes it false; one computed atom where that is too wide."""
        before = len(self.atoms)
        try:
            return self.dnf(node, True, cap), self.dnf(node, False, cap)
        except TooWide:
            # Atoms only this condition brought along are not needed any more.
            del self.atoms[before:]
            self._index = {k: i for k, i in self._index.items() if i < before}
            whole = self.computed(node)
            return (frozenset({(whole, True)}),), (frozenset({(whole, False)}),)

    def computed(self, node: Node) -> int:
        """The number of `node` as an atom Python evaluates."""
        # 1 == True and 1 == Fraction(1) in Python, hence the literals' types beside the node.
        kinds = tuple(type(n.value) for n in tree.walk(node) if isinstance(n, tree.Literal))
        return self._intern((node, kinds), Atom(node))

    def _number(self, test: Test, node: Node) -> int:
        return self._intern((test, type(test.value)), Atom(node, test))

    def _intern(self, key: Any, atom: Atom) -> int:
        if key not in self._index:
            self._index[key] = len(self.atoms)
            self.atoms.append(atom)
        return self._index[key]

    # Which atoms are scalar

    def _fact(self, node: Node, kinds: tuple[str, ...]) -> str | None:
        """The kind of a fact an engine can match, else None; one fact has one kind throughout."""
        if not isinstance(node, tree.Fact) or node.path in self._computed or node.type.kind not in kinds:
            return None
        kind = self._kinds.setdefault(node.path, node.type.kind)
        return kind if kind == node.type.kind else None

    def _constant(self, node: Node, kind: str) -> Any:
        """The constant's value when it is one and of this kind, else None."""
        match node:
            case tree.Literal(value=value):
                pass
            case tree.Param(name=name):
                value = self._params.get(name)
            case tree.Neg(item=tree.Literal(value=int() | Fraction() | Decimal() as number)):
                value = None if isinstance(number, bool) else -number
            case _:
                return None
        return plain(value, kind)

    def _test(self, node: Node) -> Test | None:
        match node:
            case tree.Fact(path=path) if self._fact(node, ("boolean",)):
                return Test(path, "boolean", "=", True)
            case tree.Compare(op=op, left=left, right=right):
                if isinstance(right, tree.Fact):
                    op, left, right = _FLIP[op], right, left
                kinds = ("number", "date", "enum", "boolean") if op in ("=", "!=") else _ORDERED
                kind = self._fact(left, kinds)
                if kind and isinstance(left, tree.Fact):
                    value = self._constant(right, kind)
                    return None if value is None else Test(left.path, kind, op, value)
            case tree.Call(func="present" | "absent" as func, args=(tree.Fact(path=path) as fact,)):
                kind = self._fact(fact, _PRESENT)
                return Test(path, kind, func, None) if kind else None
        return None

    def _members(self, node: tree.In) -> Node | None:
        """`x in tests` as comparisons, or None when some part of it is no comparison with a constant."""
        parts: list[Node] = []
        for test in node.tests:
            match test:
                case tree.Interval(low=low, high=high):
                    above, below = (">=" if test.low_closed else ">"), ("<=" if test.high_closed else "<")
                    ends = [(above, low), (below, high)]
                    some = [_compare(op, node.left, end) for op, end in ends if end is not None]
                    if not some:
                        return None
                    parts.append(tree.And(tuple(some), type=BOOLEAN) if len(some) > 1 else some[0])
                case tree.ListOf(items=items):
                    parts += [_compare("=", node.left, item) for item in items]
                case tree.Compare(op=op, left=tree.Subject(), right=right):
                    parts.append(_compare(op, node.left, right))
                case tree.Compare(op=op, left=left, right=tree.Subject()):
                    parts.append(_compare(_FLIP[op], node.left, left))
                case _:
                    parts.append(_compare("=", node.left, test))
        leaves = [leaf for p in parts for leaf in (p.items if isinstance(p, tree.And) else (p,))]
        if not leaves or any(self._test(leaf) is None for leaf in leaves):
            return None
        return tree.Or(tuple(parts), type=BOOLEAN)


def _compare(op: str, left: Node, right: Node) -> Node:
    return tree.Compare(op, left, right, start=left.start, end=right.end, type=BOOLEAN)


# Conjunctions as bit masks: bit 2i wants atom i true, bit 2i+1 wants it false


def _masks(form: Form, cap: int) -> list[int]:
    match form:
        case Is(atom=atom, truth=truth):
            return [1 << (2 * atom + (not truth))]
        case AnyOf(items=items):
            return _minimal((m for i in items for m in _masks(i, cap)), cap)
        case AllOf(items=items):
            masks = [0]
            for item in items:
                more = _masks(item, cap)
                masks = _minimal((a | b for a in masks for b in more if not _clash(a | b)), cap)
            return masks


def _clash(mask: int) -> bool:
    """Whether some atom is wanted both true and false."""
    both = mask & (mask >> 1)
    # Only the even bits of `both` mean the same atom; the odd ones compare neighbours.
    while both:
        low = both & -both
        if low.bit_length() % 2:
            return True
        both ^= low
    return False


def _minimal(masks: Iterable[int], cap: int) -> list[int]:
    """Without repetitions and without supersets, small ones first; raises TooWide well above the cap."""
    unique = set(masks)
    # The cap holds for the result; on the way there may be more, but not without end.
    if len(unique) > 8 * cap:
        raise TooWide
    kept: list[int] = []
    for mask in sorted(unique, key=lambda m: (m.bit_count(), m)):
        if not any(k & mask == k for k in kept):
            kept.append(mask)
    return kept


def _conjunction(mask: int) -> Conjunction:
    out = set()
    while mask:
        low = mask & -mask
        bit = low.bit_length() - 1
        out.add((bit // 2, bit % 2 == 0))
        mask ^= low
    return frozenset(out)


# Values as integers that keep their order


def plain(value: Any, kind: str) -> Any:
    """The value as this kind has it (int or Fraction, date, str, bool), or None when it is of another."""
    match kind:
        case "number":
            if isinstance(value, bool) or not isinstance(value, int | Fraction | Decimal):
                return None
            return exact(value) if not isinstance(value, Decimal) or value.is_finite() else None
        case "date":
            return value if isinstance(value, dt.date) and not isinstance(value, dt.datetime) else None
        case "enum" | "text" | "person":
            return value if isinstance(value, str) else None
        case "boolean":
            return value if isinstance(value, bool) else None
    return None


class Scale:
    """Integers for the values of one fact, exact against the constants it is compared with.

    A number v becomes 2*floor(v*scale), plus 1 when v*scale is not whole, where scale makes every constant
    whole: equal only when equal, and in the same order. Values far out are moved to just beyond the largest
    constant possible. A date is its ordinal, an enum code its place among the codes compared with (-1 for any
    other), a boolean 0 or 1. A constant that does not fit is refused: its atoms are left to Python.
    """

    def __init__(self, path: str, kind: str, constants: Iterable[Any]) -> None:
        self.path, self.kind = path, kind
        self._scale = 1
        self._codes: dict[str, int] = {}
        wanted = set(constants)
        if kind == "enum":
            self._codes = {code: i for i, code in enumerate(sorted(wanted))}
        accepted: set[int | Fraction] = set()
        if kind == "number":
            for c in sorted(wanted, key=lambda c: (Fraction(c).denominator, abs(c), c)):
                scale = lcm(self._scale, Fraction(c).denominator)
                if all(abs(2 * a * scale) <= LIMIT for a in (*accepted, c)):
                    self._scale = scale
                    accepted.add(c)
        self._accepted = accepted

    def fits(self, constant: Any) -> bool:
        return self.kind != "number" or constant in self._accepted

    def encode(self, value: Any) -> int:
        """Value or constant as an integer; raises WrongValue on another kind of value."""
        right = plain(value, self.kind)
        if right is None:
            raise WrongValue(path=self.path, value=value, kind=self.kind)
        match self.kind:
            case "number":
                if isinstance(right, int):
                    code = 2 * right * self._scale
                else:
                    whole, rest = divmod(right.numerator * self._scale, right.denominator)
                    code = 2 * whole + (1 if rest else 0)
                return max(-LIMIT - 1, min(LIMIT + 1, code))
            case "date":
                return int(right.toordinal())
            case "enum":
                return self._codes.get(right, -1)
            case "boolean":
                return int(right)
        return 0


def scales(atoms: Iterable[Atom]) -> dict[str, Scale]:
    """A scale per fact the atoms test."""
    kinds: dict[str, str] = {}
    constants: dict[str, set[Any]] = {}
    for atom in atoms:
        if atom.test:
            kinds[atom.test.path] = atom.test.kind
            some = constants.setdefault(atom.test.path, set())
            if atom.test.op != "present":
                some.add(atom.test.value)
    return {path: Scale(path, kind, constants[path]) for path, kind in kinds.items()}
