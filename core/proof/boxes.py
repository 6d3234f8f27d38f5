"""Decision tables as boxes: on every fact the rows look at, the values fall into few cells that no row tells apart, and a
row is a set of cells per fact. Sets are the bits of an integer, so that a thousand rows are compared in milliseconds.

Exact where each part of a condition looks at one fact and at constants; any other table is `Beyond` it."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import Any

from siquan.core.proof.logic import Beyond
from siquan.core.rules import tree as t
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.facts import Schema
from siquan.core.rules.parameters import plain
from siquan.core.rules.values import ABSENT
from siquan.core.spec.model import FactSpec

Constant = Callable[[t.Node], Any]
#: fact path -> cells
Box = dict[str, int]
OTHER = "其他"
#: cuts after which a question is left to the solver
MOST_STEPS = 3_000
_DAY = dt.timedelta(days=1)


@dataclass
class Axis:
    """The cells of one fact. Of numbers and dates cell 2k is what lies below point k and above the point before, cell
    2k + 1 the point itself; of anything else a cell is a value. The last cell is absent."""

    spec: FactSpec
    points: list[Any]
    ordered: bool
    domain: int = 0
    absent: int = 0
    masks: dict[Any, int] = field(default_factory=dict)

    @staticmethod
    def of(spec: FactSpec, constants: Iterable[Any]) -> Axis:
        kept = {c for c in constants if c is not ABSENT and c is not None}
        if spec.type in ("integer", "decimal", "date"):
            axis = Axis(spec, sorted(kept), True)
            size = 2 * len(axis.points) + 1
            axis.domain = sum(1 << n for n in range(size) if axis.example(n) is not None)
        else:
            codes: dict[str, list[Any]] = {"boolean": [False, True], "enum": list(spec.values)}
            values = codes.get(spec.type) or [*sorted(kept), _another(kept)]
            axis = Axis(spec, values, False)
            size = len(values)
            axis.domain = (1 << size) - 1
        if spec.absent:
            axis.absent = 1 << size
            axis.domain |= axis.absent
        return axis

    def cells(self, op: str, constant: Any) -> int:
        """The cells in which `fact op constant` is true."""
        if constant is ABSENT:
            return 0
        key = (op, type(constant), constant)
        found = self.masks.get(key)
        if found is None:
            found = self.masks[key] = self._cells(op, constant) & self.domain & ~self.absent
        return found

    def _cells(self, op: str, constant: Any) -> int:
        if not self.ordered:
            one = 1 << self.points.index(constant) if constant in self.points else 0
            if op not in ("=", "!="):
                raise Beyond("文字的先后")
            return one if op == "=" else self.domain & ~one
        at = 2 * bisect_left(self.points, constant) + 1
        below, exactly = (1 << at) - 1, 1 << at
        true = {"<": below, "<=": below | exactly, "=": exactly}
        return true[op] if op in true else self.domain & ~true[{">=": "<", ">": "<=", "!=": "="}[op]]

    def example(self, cell: int) -> Any:
        """A value in the cell; None when there is none."""
        if self.absent and cell == self.absent.bit_length() - 1:
            return ABSENT
        if not self.ordered:
            return self.points[cell]
        low, high = ((plain(e) if e is not None else None) for e in (self.spec.min, self.spec.max))
        k, exact = divmod(cell, 2)
        if exact:
            value = self.points[k]
        else:
            value = _between(self.points[k - 1] if k else None, self.points[k] if k < len(self.points) else None, self.spec.type, low, high)
        if value is None or (low is not None and value < low) or (high is not None and value > high):
            return None
        return value if self.spec.type != "integer" or Fraction(value).denominator == 1 else None

    def plainest(self, cells: int) -> Any:
        """A value in one of the cells: close to zero, a point rather than what lies between."""
        cell = min(bits(cells), key=lambda n: (not n % 2, n) if self.ordered else (0, n))
        return self.example(cell)


def _another(words: set[Any]) -> str:
    """A text that is none of these."""
    other = OTHER
    while other in words:
        other += "的"
    return other


def _between(low: Any, high: Any, kind: str, least: Any, most: Any) -> Any:
    if kind == "date":
        if low is None and high is None:
            return dt.date(2026, 1, 1)
        inside = low + _DAY if low is not None and low < dt.date.max else high - _DAY if low is None and high > dt.date.min else None
        return None if inside is None or high is not None and inside >= high else inside
    if low is None and high is None:
        return least if least is not None else most if most is not None else 0
    if low is None or high is None:
        value = high - 1 if low is None else low + 1
        if low is None and least is not None and value < least < high:
            return least if kind == "integer" else Fraction(least + high) / 2
        if high is None and most is not None and value > most > low:
            return most if kind == "integer" else Fraction(most + low) / 2
        return int(value // 1) if kind == "integer" and low is not None else -int(-value // 1) if kind == "integer" else value
    if kind == "integer":
        value = int(low // 1) + 1
        return value if value < high else None
    return Fraction(low + high) / 2


def bits(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set, from the lowest."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class Boxes:
    """The rows of a table as boxes, in the order its hit policy reads them. Raises Beyond."""

    def __init__(self, ruleset: RuleSet, constant: Constant) -> None:
        table = ruleset.table
        if table is None:
            raise Beyond("规则列表")
        self.schema, self.constant = ruleset.schema, constant
        conditions = {r.spec.id: r.condition for r in ruleset.rules}
        self.rows = [r for r in table.rows if r.id in conditions]
        parts = [self._parts(conditions[r.id]) for r in self.rows]
        constants: dict[str, set[Any]] = {}
        for row in parts:
            for path, nodes in row.items():
                found = constants.setdefault(path, set())
                for node in nodes:
                    self._read(node, path, found)
        self.axes = {path: Axis.of(self._spec(path, ruleset), found) for path, found in constants.items()}
        self.boxes: list[Box] = []
        for row in parts:
            box: Box = {}
            for path, nodes in row.items():
                mask = self.axes[path].domain
                for node in nodes:
                    mask &= self._mask(node, self.axes[path])
                box[path] = mask
            self.boxes.append(box)

    def _spec(self, path: str, ruleset: RuleSet) -> FactSpec:
        spec = self.schema.get(path)
        if spec is None or path in ruleset.derived or spec.type in ("record", "list"):
            raise Beyond("推导事实")
        if _may_go(self.schema, path):
            raise Beyond("可能没有的记录")
        return spec

    def _parts(self, node: t.Node) -> dict[str, list[t.Node]]:
        """The parts of a conjunction by the one fact each looks at."""
        out: dict[str, list[t.Node]] = {}
        todo = [node]
        while todo:
            part = todo.pop()
            if isinstance(part, t.And):
                todo += part.items
            elif not (isinstance(part, t.Literal) and part.value is True):
                paths = {n.path for n in t.walk(part) if isinstance(n, t.Fact)}
                if len(paths) != 1:
                    raise Beyond("几个事实一起比较")
                out.setdefault(paths.pop(), []).append(part)
        return out

    def _read(self, node: t.Node, path: str, found: set[Any]) -> None:
        match node:
            case t.Compare(left=t.Fact(), right=other) | t.Compare(left=other, right=t.Fact()):
                found.add(self._constant(other))
            case t.Call(func="list contains", args=(t.ListOf(items=items), t.Fact())):
                found.update(self._constant(i) for i in items)
            case t.Fact() if node.type.kind == "boolean":
                pass
            case t.Call(func="present" | "absent", args=(t.Fact(),)):
                pass
            case t.And() | t.Or() | t.Not():
                for child in t.children(node):
                    self._read(child, path, found)
            case _:
                raise Beyond("算出来的条件")

    def _constant(self, node: t.Node) -> Any:
        value = self.constant(node)
        if value is None or not isinstance(value, bool | int | Fraction | dt.date | str | type(ABSENT)):
            raise Beyond("还不知道的参数")
        return value

    def _mask(self, node: t.Node, axis: Axis) -> int:
        match node:
            case t.Compare(op=op, left=t.Fact(), right=other):
                return axis.cells(op, self._constant(other))
            case t.Compare(op=op, left=other):
                return axis.cells({"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(op, op), self._constant(other))
            case t.Call(func="list contains", args=(t.ListOf(items=items), _)):
                return _union(axis.cells("=", self._constant(i)) for i in items)
            case t.Fact():
                return axis.cells("=", True)
            case t.Call(func=func):
                return axis.absent if func == "absent" else axis.domain & ~axis.absent
            case t.And(items=items):
                mask = axis.domain
                for item in items:
                    mask &= self._mask(item, axis)
                return mask
            case t.Or(items=items):
                return _union(self._mask(i, axis) for i in items)
            case t.Not(item=item):
                return axis.domain & ~self._mask(item, axis)
        raise Beyond("算出来的条件")

    # sets of rows

    def empty(self, n: int) -> bool:
        return not all(self.boxes[n].values())

    def full(self, n: int) -> Box:
        """The row's box with every fact named."""
        return {p: self.boxes[n].get(p, a.domain) for p, a in self.axes.items()}

    def meeting(self) -> list[int]:
        """For each row the rows that meet it, itself included, as bits."""
        everyone = _union(1 << n for n in range(len(self.boxes)) if not self.empty(n))
        out = [0 if self.empty(n) else everyone for n in range(len(self.boxes))]
        for path, axis in self.axes.items():
            at = [0] * axis.domain.bit_length()
            anywhere = 0
            for n, box in enumerate(self.boxes):
                if path not in box:
                    anywhere |= 1 << n
                else:
                    for run in _runs(box[path]):
                        for cell in run:
                            at[cell] |= 1 << n
            spans = _Spans(at)
            known: dict[int, int] = {}
            for n, box in enumerate(self.boxes):
                mask = box.get(path)
                if mask is None:
                    continue
                rows = known.get(mask)
                if rows is None:
                    rows = known[mask] = _union(spans.union(run) for run in _runs(mask))
                out[n] &= rows | anywhere
        return out

    def inside(self, inner: int, outer: int, *, known: bool = False) -> bool:
        """Whether every case of one row is a case of the other; `known`: as far as every fact is known. A row that does
        not ask for a fact holds without it."""
        mine = self.boxes[inner]
        return all((known or p in mine) and not mine.get(p, self.axes[p].domain) & ~mask for p, mask in self.boxes[outer].items())

    def gap(self, meeting: Sequence[int]) -> Box | None:
        """A part of the table's space without a row; None when there is none. Raises Beyond when it takes too long."""
        whole = {p: a.domain for p, a in self.axes.items()}
        if any(m and not self.boxes[n] for n, m in enumerate(meeting)):
            return None
        apart = self._apart(meeting)
        # boxes that never meet cover the whole when their sizes add up to its size; else one half lacks something
        if _size(whole) == _filled(whole, apart):
            return None
        part = whole
        while apart:
            path = max(part, key=lambda p: part[p].bit_count())
            cells = list(bits(part[path]))
            half = sum(1 << c for c in cells[: len(cells) // 2])
            for mask in (half, part[path] & ~half):
                piece = {**part, path: mask}
                inside = [box for box in apart if all(piece[p] & m for p, m in box.items())]
                if mask and _filled(piece, inside) < _size(piece):
                    part, apart = piece, inside
                    break
        return part

    def _apart(self, meeting: Sequence[int]) -> list[Box]:
        """The same space as boxes that never meet: rows that meet many are cut down to what the others leave of them."""
        kept = _union(1 << n for n, m in enumerate(meeting) if m)
        cut: list[int] = []
        crowd = {n: m & ~(1 << n) for n, m in enumerate(meeting) if m & ~(1 << n)}
        while crowd:
            worst = max(crowd, key=lambda n: (crowd[n] & kept).bit_count())
            others = crowd.pop(worst)
            if others & kept:
                kept &= ~(1 << worst)
                cut.append(worst)
        out = [self.boxes[n] for n in bits(kept)]
        for n in cut:
            out += self._pieces(self.full(n), list(bits(meeting[n] & kept)))
            kept |= 1 << n
        return out

    def uncovered(self, box: Box, by: Sequence[int]) -> Box | None:
        """A part of the box that none of the rows covers; None when there is none. Raises Beyond when it takes too long."""
        return next(self._pieces(box, by), None)

    def _pieces(self, box: Box, by: Sequence[int]) -> Iterator[Box]:
        """What the rows leave of the box, in boxes that never meet."""
        steps = 0
        todo: list[tuple[Box, list[int]]] = [(box, list(by))]
        while todo:
            part, rows = todo.pop()
            steps += 1
            if steps > MOST_STEPS:
                raise Beyond("表太大")
            rows = [n for n in rows if all(part[p] & mask for p, mask in self.boxes[n].items())]
            if not rows:
                yield part
                continue
            # the row that reaches beyond the part on the most facts leaves the fewest pieces
            cover = min(rows, key=lambda n: sum(bool(part[p] & ~mask) for p, mask in self.boxes[n].items()))
            rest = dict(part)
            for path, mask in self.boxes[cover].items():
                outside = rest[path] & ~mask
                if outside:
                    todo.append(({**rest, path: outside}, rows))
                rest[path] &= mask

    def common(self, rows: Iterable[int]) -> Box:
        """The cells all the rows share."""
        out = {p: a.domain for p, a in self.axes.items()}
        for n in rows:
            for path, mask in self.boxes[n].items():
                out[path] &= mask
        return out

    def example(self, box: Box) -> dict[str, Any]:
        """A case in the box, as typed values."""
        return {p: self.axes[p].plainest(mask) for p, mask in box.items()}


def _size(box: Box) -> int:
    return prod(mask.bit_count() for mask in box.values())


def _filled(box: Box, apart: Iterable[Box]) -> int:
    """How much of the box these fill, none of which meets another."""
    return sum(prod((mask & other.get(p, mask)).bit_count() for p, mask in box.items()) for other in apart)


def _may_go(schema: Schema, path: str) -> bool:
    """Whether a record above the fact may not exist: then its facts are not independent."""
    head = path.rpartition(".")[0]
    while head:
        spec = schema.get(head)
        if spec is not None and spec.absent:
            return True
        head = head.rpartition(".")[0]
    return False


def _union(masks: Iterable[int]) -> int:
    out = 0
    for mask in masks:
        out |= mask
    return out


def _runs(mask: int) -> Iterator[range]:
    """The unbroken runs of bits."""
    while mask:
        low = (mask & -mask).bit_length() - 1
        length = (~(mask >> low) & ((mask >> low) + 1)).bit_length() - 1
        yield range(low, low + length)
        mask &= ~(((1 << length) - 1) << low)


class _Spans:
    """The union of a run of masks in two steps, whatever its length."""

    def __init__(self, masks: list[int]) -> None:
        self.levels = [masks]
        while len(self.levels[-1]) > 1 << len(self.levels) - 1:
            last, width = self.levels[-1], 1 << len(self.levels) - 1
            self.levels.append([last[n] | last[n + width] for n in range(len(last) - width)])

    def union(self, run: range) -> int:
        level = len(run).bit_length() - 1
        masks = self.levels[level]
        return masks[run.start] | masks[run.stop - (1 << level)]


def overlaps(meeting: Sequence[int], rows: int) -> Iterator[tuple[int, int]]:
    """The pairs of rows that meet, the earlier first."""
    for n in range(rows):
        for m in bits(meeting[n] >> (n + 1)):
            yield n, n + 1 + m
