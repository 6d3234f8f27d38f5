"""Values to try: what a plugin's own cases give, what its rules compare with, and plain ones where nothing is said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from siquan.core.engine.definition import Definition
from siquan.core.errors import SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.rules import tree as t
from siquan.core.rules.facts import Reader
from siquan.core.rules.parameters import ParameterBook, plain
from siquan.core.rules.values import ABSENT, Rows
from siquan.core.spec.model import FactSpec

NUMBERS = (0, 1, 2, 3, 5, 10, 50, 100)
SPANS = (0, 1, -1, 7, -7, 15, 30, -30, 90, -90, 200, -200, 400)
MOST_GIVEN = 6


class Pool:
    """The values of one process's facts."""

    def __init__(self, definition: Definition, catalogue: Catalogue, borrow: bool = True) -> None:
        self.definition, self.schema = definition, definition.schema
        self.book: ParameterBook = catalogue.book_of(definition.spec.id)
        self.on = self.book.newest() or dt.date(2026, 1, 1)
        self.given: dict[str, list[Any]] = {}
        self.constants: dict[str, set[Any]] = {}
        #: list -> templates of rows as its filters want them
        self.templates: dict[str, list[dict[str, Any]]] = {}
        for ruleset in [r for r in catalogue.rulesets.values() if r.spec.process == definition.spec.id]:
            for rule in ruleset.rules:
                self._learn(rule.condition)
        for node in definition.derived.values():
            self._learn(node)
        if borrow:
            for path, value in given_in_cases(definition, catalogue):
                self._borrow(path, value)

    # learning

    def _learn(self, node: t.Node) -> None:
        for part in t.walk(node):
            match part:
                case t.Compare(left=t.Fact(path=path), right=other) | t.Compare(left=other, right=t.Fact(path=path)):
                    self._constant(path, other)
                case t.Call(func="list contains", args=(t.ListOf(items=items), t.Fact(path=path))):
                    for item in items:
                        self._constant(path, item)
                case t.Filter(source=t.Fact(path=path), cond=cond) | t.Quantified(source=t.Fact(path=path), cond=cond):
                    self._template(path, cond)

    def _constant(self, path: str, node: t.Node) -> None:
        value = self.constant(node)
        if value is not None:
            self.constants.setdefault(path, set()).add(value)

    def constant(self, node: t.Node) -> Any:
        if isinstance(node, t.Literal):
            return node.value
        if isinstance(node, t.Param):
            return self.book.value(node.name, self.on) if node.name in self.book.specs else None
        return None

    def _template(self, path: str, cond: t.Node) -> None:
        """Rows that satisfy each way of a filter."""
        for way in _ways(cond):
            row: dict[str, Any] = {}
            for atom, want in way:
                match atom:
                    case t.Compare(op=op, left=t.Var(path=field), right=other) | t.Compare(op=op, left=other, right=t.Var(path=field)):
                        value = self.constant(other)
                        if isinstance(other, t.Fact) and op == "=" and want:
                            row[field] = other  # whatever that fact says
                        elif value is not None and ((op in ("=", "<=", ">=")) is want):
                            row[field] = value
                        elif value is not None and isinstance(value, int | Fraction) and not isinstance(value, bool):
                            row[field] = value + (1 if (op in (">", "!=")) is want else -1)
                    case t.Var(path=field) if field:
                        row[field] = want
                    case t.Call(func="list contains", args=(t.ListOf(items=items), t.Var(path=field))) if want and items:
                        row[field] = self.constant(items[0])
                    case t.Call(func="absent" | "present" as func, args=(t.Var(path=field),)):
                        if (func == "absent") is want:
                            row[field] = ABSENT
            if row and row not in self.templates.setdefault(path, []):
                self.templates[path].append(row)

    def _borrow(self, path: str, value: Any) -> None:
        try:
            read = Reader(self.schema, dt.date.max).read({path: value}, check=False)
        except SiquanError:
            return
        for leaf, stated in read.items():
            mine = self.given.setdefault(leaf, [])
            if stated.value is not None and stated.value not in mine and len(mine) < MOST_GIVEN:
                mine.append(stated.value)

    # giving

    def usual(self, path: str, today: dt.date, n: int = 0) -> Any:
        """A value to begin with; `n` gives another one to another person."""
        mine = self.given.get(path)
        return mine[n % len(mine)] if mine else plainest(self.schema.specs[path], today, n)

    def candidates(self, path: str, today: dt.date) -> list[Any]:
        spec = self.schema.specs[path]
        out: list[Any] = [*self.given.get(path, ())]
        constants = self.constants.get(path, set())
        match spec.type:
            case "boolean":
                out += [True, False]
            case "enum":
                out += list(spec.values)
            case "integer" | "decimal":
                out += [c + d for c in sorted(c for c in constants if isinstance(c, int | Fraction) and not isinstance(c, bool)) for d in (0, 1, -1)] + list(NUMBERS)
                low, high = (plain(e) if e is not None else None for e in (spec.min, spec.max))
                out = [v for v in out if v is ABSENT or (low is None or v >= low) and (high is None or v <= high)]
            case "date":
                days = [c for c in constants if isinstance(c, dt.date)]
                out += [c + dt.timedelta(d) for c in sorted(days) for d in (0, 1, -1)] + [today + dt.timedelta(d) for d in SPANS]
            case "text" | "person":
                out += [*sorted(c for c in constants if isinstance(c, str)), "样例"]
        if spec.absent:
            out.append(ABSENT)
        return list(dict.fromkeys(out))

    def row(self, spec: FactSpec, fields: Mapping[str, Any], n: int, today: dt.date) -> dict[str, Any]:
        """A whole row with these fields, the key told apart from the others'."""
        mine = self.given.get(spec.name)
        like = dict(mine[0].items[0]) if mine and isinstance(mine[0], Rows) and mine[0].items else {}
        out = {f.name: like.get(f.name, plainest(f, today, n)) for f in spec.fields if f.type not in ("record", "list")}
        out.update(fields)
        key = next((f for f in spec.fields if f.name == spec.key), None)
        if key is not None and key.name not in fields:
            out[key.name] = n + 1 if key.type in ("integer", "decimal") else today - dt.timedelta(n) if key.type == "date" else f"{out[key.name]}{n + 1}"
        return out


def plainest(spec: FactSpec, today: dt.date, n: int = 0) -> Any:
    match spec.type:
        case "boolean":
            return False
        case "enum":
            return "none" if "none" in spec.values else next(iter(spec.values), None)
        case "integer" | "decimal":
            low = plain(spec.min) if spec.min is not None else 0
            return max(low, 1)
        case "date":
            return today
        case "list":
            return Rows((), True)
        case "person":
            return f"样例人{n + 1}"
    return f"{spec.title or spec.name}{n + 1}"


def _ways(cond: t.Node, want: bool = True) -> list[list[tuple[t.Node, bool]]]:
    """The conjunctions of atoms that make a condition come true; a few of them."""
    match cond:
        case t.Not(item=item):
            return _ways(item, not want)
        case t.And(items=items) | t.Or(items=items):
            if isinstance(cond, t.And) is want:
                out: list[list[tuple[t.Node, bool]]] = [[]]
                for item in items:
                    out = [a + b for a in out for b in _ways(item, want)][:8]
                return out
            return [way for item in items for way in _ways(item, want)][:8]
    return [[(cond, want)]]


def given_in_cases(definition: Definition, catalogue: Catalogue) -> Iterator[tuple[str, Any]]:
    """(fact, value) of everything the plugin's cases say about a process, those about its parent included."""
    spec = definition.spec
    for process in catalogue.plugin(spec.plugin).processes:
        other = catalogue.definitions[process.id]
        for base in process.bases.values() if process.id == spec.id else ():
            yield from base.items()
        for case in process.cases:
            whole = not case.process or case.process == process.id
            if process.id == spec.id and whole:
                yield from case.given.items()
            for step in case.steps:
                child = step.child.partition("/")[0]
                opened = next((x.opens for s in process.states for x in s.transitions if x.name == step.act), "")
                about = opened or (other.children.get(child, "") if child else process.id)
                if about == spec.id:
                    yield from step.given.items()
