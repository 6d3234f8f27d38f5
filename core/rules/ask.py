"""Which unknown facts can still change a rule: the shortest honest list of questions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from siquan.core.rules import tree as t
from siquan.core.rules.check import fields_of
from siquan.core.rules.facts import Schema
from siquan.core.rules.functions import lookup
from siquan.core.rules.values import Rows, Span

Truth = bool | None
#: with more unknown atoms than this every one of them is taken as relevant
MOST = 10


def _atoms(node: t.Node) -> list[t.Node]:
    if isinstance(node, t.And | t.Or):
        return [a for item in node.items for a in _atoms(item)]
    if isinstance(node, t.Not):
        return _atoms(node.item)
    return [node]


def _table(node: t.Node, known: Mapping[t.Node, int], full: int) -> int:
    match node:
        case t.And(items=items):
            return functools.reduce(lambda x, item: x & _table(item, known, full), items, full)
        case t.Or(items=items):
            return functools.reduce(lambda x, item: x | _table(item, known, full), items, 0)
        case t.Not(item=item):
            return full ^ _table(item, known, full)
    return known[node]


def relevant(node: t.Node, value: Callable[[t.Node], Truth]) -> list[t.Node]:
    """Unknown atoms whose value decides the condition under some values of the other unknown atoms."""
    truths = {a: value(a) for a in _atoms(node)}
    open_ = [a for a, v in truths.items() if v is None]
    if len(open_) < 2 or len(open_) > MOST:
        return open_
    # the condition's truth table over the unknown atoms, a bit per row; in `low[i]` the rows where atom i is false
    full = (1 << (1 << len(open_))) - 1
    low = [full // ((1 << (1 << i)) + 1) for i in range(len(open_))]
    known = {a: full if v else 0 for a, v in truths.items()} | {a: full ^ zeros for a, zeros in zip(open_, low, strict=True)}
    table = _table(node, known, full)
    found = [a for i, a in enumerate(open_) if (table >> (1 << i)) & low[i] != table & low[i]]
    # a condition such as `a or not(a)` hangs on nothing, yet Kleene calls it unknown: ask for all of it
    return found or open_


def questions(
    atoms: Iterable[t.Node], fact: Callable[[str], Any], param: Callable[[str], Any], derived: Mapping[str, t.Node], schema: Schema
) -> tuple[str, ...]:
    """Paths to ask for, in the order the rule reads them; a record stands for its fields when it is asked for itself."""
    found: dict[str, None] = {}
    for atom in atoms:
        for path in _unknown(atom, fact, param, derived, frozenset()):
            found[path] = None
    paths = list(found)
    folded: dict[str, None] = {}
    for path in paths:
        record = schema.record_of(path)
        whole = record is not None and record.absent and fact(record.name) is None
        name = record.name if record is not None and (whole or record.name in found) else path
        folded[name] = None
    return tuple(folded)


def _unknown(
    node: t.Node, fact: Callable[[str], Any], param: Callable[[str], Any], derived: Mapping[str, t.Node], seen: frozenset[str]
) -> list[str]:
    out: list[str] = []
    fields = {p.path for p in t.walk(node) if isinstance(p, t.Var)} | {p.name for p in t.walk(node) if isinstance(p, t.Path)}
    for part in t.walk(node):
        if isinstance(part, t.Param) and param(part.name) is None:
            out.append(part.name)
        if not isinstance(part, t.Fact) or part.path in seen:
            continue
        value = fact(part.path)
        if isinstance(value, Rows):
            # a row may simply not have the field that is read
            item = part.type.item
            read = [f for f in fields_of(item) if f in fields] if item is not None and item.fields else [""]
            if not value.complete or any(lookup(row, f) is None for row in value.items for f in read):
                out.append(part.path)
        elif value is None or isinstance(value, Span):
            source = derived.get(part.path)
            inner = _unknown(source, fact, param, derived, seen | {part.path}) if source is not None else []
            own = [p for p in inner if not p.startswith("parent.")]
            out += own or [part.path]
    return out
