"""Lists of any length, exactly: rows that every test of the rules sees alike are one kind of row, and a list is how many
it has of each kind. `count(xs[cond])`, `some`, `every` and `list contains` are then sums, whatever the list's length.

That works for tests that look at one row and at constants. A test that compares rows with each other or with facts of
the case, and sums, means and extremes, are `Beyond` this; the formula takes their value as unknown to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import z3

from siquan.core.proof.logic import Beyond, Flag, Truth, Value, both, either, every, no, order, total
from siquan.core.rules import tree as t
from siquan.core.rules.check import fields_of
from siquan.core.rules.compile import compile_one
from siquan.core.rules.parameters import plain
from siquan.core.rules.values import ABSENT, Rows
from siquan.core.spec.model import FactSpec

#: more combinations of row values than this are not enumerated
MOST = 5_000
OTHER = "其他"
_ROWS = "·"  # the fact a test is compiled on: a list of one row
Constant = Callable[[t.Node], Any]


def source(node: t.Node) -> t.Fact | None:
    """The list fact that a list expression of filters and projections starts from."""
    while isinstance(node, t.Filter | t.Path):
        node = node.source
    return node if isinstance(node, t.Fact) and node.type.kind == "list" else None


def list_of(node: t.Node) -> t.Fact | None:
    """The list fact a test counts or looks through; None when the node is no such test."""
    match node:
        case t.Call(func="count" | "list contains", args=(rows, *_)) | t.Quantified(source=rows):
            return source(rows)
    return None


@dataclass(frozen=True)
class Counts:
    """A list as a model has it: how many rows of each kind, and whether it is complete."""

    of: tuple[int, ...]
    complete: bool


@dataclass
class RowKinds:
    """The tests on one list. `add` every test first; `close` then makes the variables."""

    path: str
    type: t.Type
    specs: dict[str, FactSpec] = field(default_factory=dict)
    may_be_absent: bool = False
    fields: dict[str, set[Any]] = field(default_factory=dict)
    tests: dict[int, tuple[t.Node, Callable[[Any], Any]]] = field(default_factory=dict)
    rows: list[Any] = field(default_factory=list)
    columns: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    counts: list[Any] = field(default_factory=list)
    there: Flag = False
    absent: Flag = False
    complete: Flag = False

    @property
    def _types(self) -> dict[str, t.Type]:
        item = self.type.item
        return fields_of(item) if item is not None and item.kind == "record" else {"": item or t.ANY}

    def add(self, node: t.Node, constant: Constant, param: Callable[[str], Any], on: dt.date) -> None:
        """Takes a test in. Raises Beyond when it looks at more than one row and constants."""
        found: dict[str, set[Any]] = {}
        self._scan(node, constant, found)
        run = compile_one(_with_one_row(node))

        def test(row: Any) -> Any:
            return run(lambda _: Rows((row,), True), param, on)

        sizes = {p: len(self._values(p, found.get(p, set()) | self.fields.get(p, set()))) for p in {*found, *self.fields}}
        if prod(sizes.values()) > MOST:
            raise Beyond("名单里的条件太多")
        for path, points in found.items():
            self.fields.setdefault(path, set()).update(points)
        self.tests[id(node)] = (node, test)

    def _scan(self, node: t.Node, constant: Constant, found: dict[str, set[Any]]) -> None:
        """What each field of a row is compared with."""
        match node:
            case t.Fact():
                if node.path != self.path:
                    raise Beyond("名单与别的事实比较")
            case t.Var(path=path) | t.Path(source=t.Fact(), name=path):
                self._field(node, path, found)
            case t.Compare(left=t.Var(path=path) as var, right=other) | t.Compare(left=other, right=t.Var(path=path) as var):
                self._field(var, path, found).add(constant(other))
            case t.Call(func="list contains", args=(t.ListOf(items=items), t.Var(path=path) as var)):
                self._field(var, path, found).update(constant(i) for i in items)
            case t.Call(func="list contains", args=(rows, value)) if source(rows) is not None:
                last = rows.name if isinstance(rows, t.Path) else ""
                self._field(rows, last, found).add(constant(value))
                self._scan(rows, constant, found)
            case t.Call(func="present" | "absent", args=(t.Var(),)) | t.And() | t.Or() | t.Not() | t.Filter() | t.Quantified():
                self._below(node, constant, found)
            case t.Call(func="count", args=(rows,)) if source(rows) is not None:
                self._below(node, constant, found)
            case t.Literal() | t.Param() | t.Today():
                constant(node)
            case _:
                raise Beyond("名单里逐行的计算")

    def _below(self, node: t.Node, constant: Constant, found: dict[str, set[Any]]) -> None:
        conds = [n for n in t.walk(node) if isinstance(n, t.Filter | t.Quantified)]
        if any(list_of(c) is not None or isinstance(c, t.Filter) for n in conds for c in t.walk(n.cond)):
            raise Beyond("名单里各行之间的比较")
        for child in t.children(node):
            self._scan(child, constant, found)

    def _field(self, node: t.Node, path: str, found: dict[str, set[Any]]) -> set[Any]:
        kind = self._types.get(path)
        if kind is None or kind.kind not in ("boolean", "number", "date", "enum", "text", "person"):
            raise Beyond("名单里的记录")
        if any(path.startswith(f"{p}.") and s.absent for p, s in self.specs.items()):
            raise Beyond("名单里的记录")
        return found.setdefault(path, set())

    def _values(self, path: str, points: set[Any]) -> list[Any]:
        """One value for each way the tests can see this field; unknown comes last."""
        kind, spec = self._types[path], self.specs.get(path)
        kept = {p for p in points if p is not None and p is not ABSENT}
        match kind.kind:
            case "boolean":
                values: list[Any] = [False, True]
            case "enum":
                values = list(kind.values)
            case "number":
                low, high = ((plain(e) if e is not None else None) for e in ((spec.min, spec.max) if spec else (None, None)))
                values = between_points(kept, spec is not None and spec.type == "integer", low, high)
            case "date":
                values = sorted({b + dt.timedelta(days=n) for b in kept for n in (-1, 0, 1)} or {dt.date(2026, 1, 1)})
            case _:
                values = [OTHER, *sorted(kept)]
        absent = [ABSENT] if spec is None or spec.absent else []
        return [*values, *absent, None]

    def close(self, name: str, ctx: Any) -> list[Flag]:
        """Makes the kinds and their variables; gives what always holds of them."""
        paths = sorted(self.fields)
        seen: dict[tuple[Any, ...], Any] = {}
        ids = list(self.tests)
        for choice in product(*(self._values(p, self.fields[p]) for p in paths)):
            row = dict(zip(paths, choice, strict=True))
            one = row.get("") if "" in self._types else row
            results = tuple(_seen(self.tests[i][1](one)) for i in ids)
            key = tuple(str(r) for r in results)
            if any(k != "no" for k in key) and key not in seen:
                seen[key] = (one, results)
        self.rows = [row for row, _ in seen.values()]
        self.columns = {i: tuple(results[n] for _, results in seen.values()) for n, i in enumerate(ids)}
        self.counts = [z3.Int(f"{name}#{n}", ctx) for n in range(len(self.rows))]
        self.there, self.complete = z3.Bool(f"{name}?", ctx), z3.Bool(f"{name}!", ctx)
        self.absent = z3.Bool(f"{name}-", ctx) if self.may_be_absent else False
        axioms = [order(">=", n, 0) for n in self.counts]
        axioms += [either(self.there, order("=", n, 0)) for n in self.counts]
        axioms += [no(both(self.there, self.absent)), either(no(self.absent), self.complete)]
        return axioms

    def value(self, node: t.Node) -> Value | Truth:
        """What a test comes to: a number for `count`, else a truth."""
        sure, most = _ends(self.counts, self.columns[id(node)])
        known = either(self.there, self.absent)
        if isinstance(node, t.Call) and node.func == "count":
            return Value("number", sure, known, False, most, (False, no(self.complete)))
        any_sure = order(">=", sure, 1)
        none = both(known, self.complete, order("<=", most, 0))
        found = Truth(both(known, any_sure), none)
        return Truth(found.no, found.yes) if isinstance(node, t.Quantified) and node.kind == "every" else found

    def row(self, kind: int, number: int) -> Any:
        """A row of this kind, with something in every other field so that no test is left without a value."""
        found = self.rows[kind]
        if not isinstance(found, dict):
            return found
        out = {p: v for p, v in found.items() if v is not None}
        for path, type_ in self._types.items():
            if path not in self.fields and type_.kind != "record":
                out[path] = _plain_value(type_, self.specs.get(path), number)
        return {p: v for p, v in out.items() if v is not None}

    def vague(self) -> list[bool]:
        """Which kinds leave something unknown."""
        return [row is None or isinstance(row, dict) and None in row.values() for row in self.rows]

    def listed(self, counts: Counts) -> Rows:
        """The list itself, rows in the order of their kinds."""
        out: list[Any] = []
        for kind, n in enumerate(counts.of):
            out += [self.row(kind, len(out) + k) for k in range(n)]
        return Rows(tuple(out), counts.complete)

    def counted(self, rows: Rows) -> Counts | None:
        """Real rows by their kinds; None when one is of no kind that was foreseen."""
        keys = [tuple(self.columns[i][n] for i in self.tests) for n in range(len(self.rows))]
        found = [0] * len(keys)
        for row in rows.items:
            key = tuple(_seen(self.tests[i][1](row)) for i in self.tests)
            if key in keys:
                found[keys.index(key)] += 1
            elif any(k != "no" for k in key):
                return None
        return Counts(tuple(found), rows.complete)

    def has(self, counts: Counts) -> Flag:
        """That the list is this one."""
        if len(counts.of) != len(self.counts):
            return False
        exact = every(order("=", n, k) for n, k in zip(self.counts, counts.of, strict=True))
        return both(self.there, exact, self.complete if counts.complete else no(self.complete))

    def refines(self, less: RowKinds) -> Flag:
        """That this list is what `less` may become: no fewer rows for sure; of a complete list no more perhaps."""
        out = [either(no(less.there), self.there), either(no(less.absent), self.absent), either(no(both(less.there, less.complete)), self.complete)]
        for column in self.columns.values():
            ours, theirs = (_ends(k.counts, column) for k in (self, less))
            out.append(either(no(less.there), order(">=", ours[0], theirs[0])))
            out.append(either(no(both(less.there, less.complete)), order("<=", ours[1], theirs[1])))
        return every(out)


def _ends(counts: list[Any], column: tuple[Any, ...]) -> tuple[Any, Any]:
    """How many rows a test sees for sure, and how many at most."""
    sure = total(n for n, seen in zip(counts, column, strict=True) if seen == "yes")
    return sure, total([sure, *(n for n, seen in zip(counts, column, strict=True) if seen == "maybe")])


def _with_one_row(node: t.Node) -> t.Node:
    """The same test on a list of one row; `every` becomes `some ... not`, so that both kinds count what stands out."""
    if isinstance(node, t.Quantified) and node.kind == "every":
        return t.Quantified("some", node.var, node.source, t.Not(node.cond, type=t.BOOLEAN), type=t.BOOLEAN)
    return node


def _seen(result: Any) -> str:
    """How a test sees one row: yes, no, or maybe."""
    if isinstance(result, bool) or result is None:
        return "maybe" if result is None else "yes" if result else "no"
    return ("no", "yes")[result] if isinstance(result, int) else "maybe"


def _plain_value(kind: t.Type, spec: FactSpec | None, number: int) -> Any:
    match kind.kind:
        case "boolean":
            return False
        case "number":
            return plain(spec.min) if spec is not None and spec.min is not None else 0
        case "date":
            return dt.date(2026, 1, 1)
        case "enum":
            return kind.values[0] if kind.values else None
        case "text" | "person":
            return f"甲{number + 1}"
    return None


def between_points(points: set[Any], whole: bool, low: Any, high: Any) -> list[Any]:
    """Each point, one number between any two, one beyond either end; inside the limits."""
    edges = sorted(points | {e for e in (low, high) if e is not None}) or [0]
    out = {edges[0] - 1, edges[-1] + 1, *edges}
    for a, b in zip(edges, edges[1:], strict=False):
        middle = Fraction(a + b) / 2
        out.add(int(middle // 1) if whole else middle)
    return sorted(n for n in out if (low is None or n >= low) and (high is None or n <= high) and (not whole or Fraction(n).denominator == 1))
