"""Decision tables with the standard's behaviour: a null test does not match, a broken hit policy gives null."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from siquan.core.dmn import model as m
from siquan.core.dmn.feel.evaluate import Run, Scope
from siquan.core.dmn.feel.kinds import MISFIT, Kind, Test, fit
from siquan.core.dmn.feel.library.lists import edge, total
from siquan.core.dmn.feel.names import Names
from siquan.core.dmn.feel.values import equal
from siquan.core.dmn.types import constants, test_of

if TYPE_CHECKING:
    from siquan.core.dmn.boxed import Boxed


@dataclass(frozen=True)
class _Column:
    """An output: its values in order of priority, and what a value must pass."""

    name: str
    kind: Kind | None
    order: tuple[Any, ...]
    allowed: Test | None
    default: Run | None

    def take(self, scope: Scope, value: Any) -> Any:
        found = fit(value, self.kind)
        if found is MISFIT or (found is not None and self.allowed is not None and not self.allowed(found)):
            scope.ground.note(f"输出值不在 `{self.name or '输出'}` 允许的取值里，得 null · an output is not among the values allowed")
            return None
        return found

    def rank(self, value: Any) -> int:
        return next((n for n, v in enumerate(self.order) if equal(v, value) is True), len(self.order))


def table(boxed: Boxed, spec: m.Table, names: Names, label: str = "", result: str = "") -> Run:
    """`label` names the decision in the record of rows; `result` is its type, which may order the outputs."""
    kind = boxed.kind(result) or boxed.kind(spec.type_ref)
    columns = [_column(boxed, o, names, kind, len(spec.outputs) > 1) for o in spec.outputs]
    inputs = [(i, boxed.text(i.expression, names), _allowed(boxed, i, names)) for i in spec.inputs]
    inside = names.inside()
    rows = [(r.id, [boxed.cell(c, inside) for c in r.inputs], [boxed.text(o, names) for o in r.outputs]) for r in spec.rows]
    defaults = any(c.default is not None for c in columns)
    settle = _policy(spec.policy, columns)

    def run(scope: Scope) -> Any:
        subjects = []
        for spec_in, read, allowed in inputs:
            value = read(scope)
            if allowed is not None and not _within(allowed, value):
                scope.ground.note(f"输入 `{spec_in.label}` 不在允许的取值里，得 null · an input is not among the values allowed")
                return None
            subjects.append(scope.inside({"?": value}))
        hits, seen = [], []
        for id, tests, outs in rows:
            hit = all(test(subject) for test, subject in zip(tests, subjects, strict=True))
            seen.append((id, hit))
            if hit:
                values = [c.take(scope, out(scope)) for c, out in zip(columns, outs, strict=True)]
                hits.append(_record(columns, values))
        if label:
            scope.ground.rows.setdefault(label, seen)
        if not hits:
            if defaults:
                return _record(columns, [c.take(scope, c.default(scope)) if c.default else None for c in columns])
            return [] if spec.policy == "C" else Decimal(0) if spec.policy == "C#" else None
        return settle(scope, hits)

    return run


def _record(columns: Sequence[_Column], values: list[Any]) -> Any:
    return values[0] if len(columns) == 1 else {c.name: v for c, v in zip(columns, values, strict=True)}


def _column(boxed: Boxed, o: m.Output, names: Names, whole: Kind | None, several: bool) -> _Column:
    kind = boxed.kind(o.type_ref)
    # without output values, those of the type count
    implied = whole.item if whole is not None and whole.name == "list" else whole
    if several:
        implied = (implied.fields or {}).get(o.name) if implied is not None else None
    tests = boxed.tests(o.values, names) if o.values else None
    order = constants(tests) if tests is not None else ()
    for one in (kind, implied):
        order = order or (one.order if one is not None else ())
    return _Column(o.name, kind, order, test_of(tests) if tests is not None else None, boxed.text(o.default, names) if o.default else None)


def _allowed(boxed: Boxed, i: m.Input, names: Names) -> Test | None:
    tests = boxed.tests(i.values, names) if i.values else None
    return test_of(tests) if tests is not None else None


def _within(allowed: Test, value: Any) -> bool:
    return allowed(value) or (isinstance(value, list) and all(allowed(v) for v in value))


def _policy(policy: str, columns: Sequence[_Column]) -> Callable[[Scope, list[Any]], Any]:
    """What the outputs of the rows that hit come to; there is one at least."""

    def priority(hit: Any) -> tuple[int, ...]:
        return tuple(c.rank(hit if len(columns) == 1 else hit[c.name]) for c in columns)

    def unique(scope: Scope, hits: list[Any]) -> Any:
        if len(hits) == 1:
            return hits[0]
        scope.ground.note("命中策略 U：命中不止一行，得 null · hit policy U: more than one rule was hit")
        return None

    def any_(scope: Scope, hits: list[Any]) -> Any:
        if all(equal(h, hits[0]) is True for h in hits):
            return hits[0]
        scope.ground.note("命中策略 A：命中的几行输出不同，得 null · hit policy A: the rules that were hit differ")
        return None

    def aggregate(count: Callable[[list[Any]], Any]) -> Callable[[Scope, list[Any]], Any]:
        if len(columns) == 1:
            return lambda scope, hits: count(hits)
        return lambda scope, hits: {c.name: count([h[c.name] for h in hits]) for c in columns}

    match policy:
        case "U":
            return unique
        case "A":
            return any_
        case "P":
            return lambda scope, hits: min(hits, key=priority)
        case "F":
            return lambda scope, hits: hits[0]
        case "O":
            return lambda scope, hits: sorted(hits, key=priority)
        case "C+":
            return aggregate(total)
        case "C<":
            return aggregate(lambda hits: edge("<", hits))
        case "C>":
            return aggregate(lambda hits: edge(">", hits))
        case "C#":
            return lambda scope, hits: Decimal(len(hits))
    return lambda scope, hits: hits
