"""Every elementary case of a decision table: each boolean and enum value, each number and date at, below, above and
between the bounds its rows name. Inside one such case no row changes its mind, so finitely many prove the table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

from siquan.core.rules import tree as t
from siquan.core.rules.compile import compile_one
from siquan.core.rules.decide import Rule, RuleSet
from siquan.core.rules.parameters import ParameterBook, plain
from siquan.core.rules.say import labels, show
from siquan.core.rules.values import ABSENT
from siquan.core.spec.model import FactSpec

MOST = 20_000
OTHER = "其他"


class NotFinite(Exception):
    """The table cannot be cut into finitely many cases; nothing is claimed about it."""


@dataclass(frozen=True)
class Case:
    values: dict[str, Any]
    hits: tuple[Rule, ...]


@dataclass
class Cells:
    """`cases` raises NotFinite; parameters count with the value of the book's newest date."""

    ruleset: RuleSet
    book: ParameterBook
    on: dt.date = field(init=False)

    def __post_init__(self) -> None:
        self.on = self.book.newest() or dt.date(2026, 1, 1)

    def cases(self) -> Iterator[Case]:
        bounds: dict[str, set[Any]] = {}
        for rule in self.ruleset.rules:
            self._read(rule.condition, bounds)
        domains = {path: self._domain(path, found) for path, found in bounds.items()}
        if prod(len(d) for d in domains.values()) > MOST:
            raise NotFinite
        for choice in product(*domains.values()):
            values = dict(zip(domains, choice, strict=True))
            truths = self.ruleset._run(values.get, self._param, self.on)
            if None in truths:
                raise NotFinite
            yield Case(values, tuple(r for r, hit in zip(self.ruleset.rules, truths, strict=True) if hit))

    def _param(self, name: str) -> Any:
        return self.book.value(name, self.on) if name in self.book.specs else None

    def _spec(self, path: str) -> FactSpec:
        spec = self.ruleset.schema.get(path)
        if spec is None:
            raise NotFinite
        return spec

    def _read(self, node: t.Node, bounds: dict[str, set[Any]]) -> None:
        """Collects what each fact is compared with; whatever else is done with a number, date or text is too much."""
        match node:
            case t.Compare(left=t.Fact(path=path), right=other) | t.Compare(left=other, right=t.Fact(path=path)):
                bounds.setdefault(path, set()).add(self._constant(other))
            case t.Call(func="list contains", args=(t.ListOf(items=items), t.Fact(path=path))):
                bounds.setdefault(path, set()).update(self._constant(i) for i in items)
            case t.Call(func="present" | "absent", args=(t.Fact(path=path),)) if self._spec(path).type != "record":
                bounds.setdefault(path, set())
            case t.Fact(path=path) if self._spec(path).type in ("boolean", "enum"):
                bounds.setdefault(path, set())
            case t.And() | t.Or() | t.Not() | t.If():
                for child in t.children(node):
                    self._read(child, bounds)
            case t.Literal() | t.Param():
                pass
            case _:
                raise NotFinite

    def _constant(self, node: t.Node) -> Any:
        if any(isinstance(n, t.Fact | t.Var | t.Today) for n in t.walk(node)):
            raise NotFinite
        value = compile_one(node)(lambda _: None, self._param, self.on)
        if value is None:
            raise NotFinite
        return value

    def _domain(self, path: str, bounds: set[Any]) -> list[Any]:
        spec = self._spec(path)
        record = self.ruleset.schema.record_of(path)
        absent = [ABSENT] if spec.absent or record and record.absent else []
        kept = {b for b in bounds if b is not ABSENT}
        match spec.type:
            case "boolean":
                return [True, False, *absent]
            case "enum":
                return [*spec.values, *absent]
            case "text" | "person":
                return [*sorted(kept), OTHER, *absent]
            case "integer" | "decimal":
                low, high = (plain(e) if e is not None else None for e in (spec.min, spec.max))
                return [*_numbers(kept, spec.type == "integer", low, high), *absent]
            case "date":
                days = {b + dt.timedelta(days=n) for b in kept for n in (-1, 0, 1)}
                return [*sorted(days or {self.on}), *absent]
        raise NotFinite

    def story(self, case: Case) -> tuple[str, ...]:
        """The case in words: `金额 = 5000`."""
        schema, out = self.ruleset.schema, []
        label = labels(schema)
        for path, value in case.values.items():
            unit = self._spec(path).unit
            out.append(f"{schema.title(path)} = {label(t.Fact(path), value) or show(value)}{unit}")
        return tuple(out)


def _numbers(bounds: set[Any], whole: bool, low: Any, high: Any) -> list[Any]:
    points = sorted(bounds | {e for e in (low, high) if e is not None}) or [0]
    out = {points[0] - 1, points[-1] + 1, *points}
    for a, b in zip(points, points[1:], strict=False):
        middle = Fraction(a + b) / 2
        out.add(int(middle // 1) if whole else middle)
    return sorted(n for n in out if (low is None or n >= low) and (high is None or n <= high))
