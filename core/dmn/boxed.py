"""Boxed expressions as closures. Each text is parsed with the names that are in scope where it stands."""

from __future__ import annotations

from collections.abc import Mapping

from siquan.core.dmn import model as m
from siquan.core.dmn.feel import tree as t
from siquan.core.dmn.feel.evaluate import (
    Run,
    Scope,
    build,
    build_tests,
    collect,
    filtered,
    function,
    invoke,
    turns,
)
from siquan.core.dmn.feel.kinds import MISFIT, Kind, fit
from siquan.core.dmn.feel.lexer import FeelFault
from siquan.core.dmn.feel.names import Names
from siquan.core.dmn.feel.parser import parse, parse_tests
from siquan.core.dmn.feel.values import Function, conjunction, disjunction
from siquan.core.dmn.types import Types
from siquan.core.errors import Where


def null(scope: Scope) -> None:
    return None


class Boxed:
    """The expressions of one model. What cannot be read is null when it is run, and stands in `faults`."""

    def __init__(self, file: str, members: Names, kinds: Mapping[str, Kind] | None = None) -> None:
        self.file, self.members = file, members
        self.types: Types | None = None
        self.faults: list[FeelFault] = []
        self._kinds: Mapping[str, Kind] = kinds or {}

    def know(self, types: Types) -> None:
        self.types, self._kinds = types, types.kinds

    def kind(self, name: str) -> Kind | None:
        return self.types.named(name) if self.types is not None else None

    # texts

    def parsed(self, text: m.Text, names: Names) -> t.Node | None:
        try:
            return parse(text.text, names, self.members, self._kinds)
        except FeelFault as fault:
            self._fault(fault, text.line)
            return None

    def tests(self, text: str, names: Names, line: int = 0) -> t.Tests | None:
        """Unary tests; None when they cannot be read."""
        try:
            node = parse_tests(text, names, self.members, self._kinds)
        except FeelFault as fault:
            self._fault(fault, line)
            return None
        assert isinstance(node, t.Tests)
        return node

    def _fault(self, fault: FeelFault, line: int) -> None:
        fault.where = Where(self.file, line)
        self.faults.append(fault)

    def cell(self, text: m.Text, names: Names) -> Run:
        """An input entry: whether `?` passes."""
        node = self.tests(text.text, names, text.line)
        return build_tests(node) if node is not None else self.failing(f"`{text.text}` 不是 FEEL 表达式 · is not FEEL")

    def text(self, text: m.Text, names: Names) -> Run:
        if text.language:
            return self.failing(f"不执行语言 `{text.language}` · the language `{text.language}` is not run")
        if not text.text:
            return null
        node = self.parsed(text, names)
        return build(node) if node is not None else self.failing(f"`{text.text}` 不是 FEEL 表达式 · is not FEEL")

    def failing(self, why: str) -> Run:
        def run(scope: Scope) -> None:
            scope.ground.note(why)

        return run

    # expressions

    def typed(self, run: Run, type_ref: str) -> Run:
        """The value as that type, null when it does not conform."""
        kind = self.kind(type_ref)
        if kind is None or (kind.name == "Any" and kind.allowed is None):
            return run

        def fitted(scope: Scope) -> object:
            value = run(scope)
            found = fit(value, kind)
            if found is MISFIT:
                scope.ground.note(f"结果不符合类型 `{kind}`，得 null · a value does not conform to `{kind}`")
                return None
            return found

        return fitted

    def expression(self, e: m.Expression, names: Names) -> Run:
        from siquan.core.dmn.table import table

        if isinstance(e, m.Table):
            return table(self, e, names)
        if isinstance(e, m.Function):
            return self.function(e, names)
        return self.typed(self._expression(e, names), e.type_ref)

    def _expression(self, e: m.Expression, names: Names) -> Run:
        match e:
            case m.Text():
                return self.text(e, names)
            case m.Invocation():
                return self._invocation(e, names)
            case m.Entries():
                return self._context(e, names)
            case m.Items():
                items = [self.expression(i, names) for i in e.items]
                return lambda scope: [run(scope) for run in items]
            case m.Relation():
                columns = [(c.name, c.type_ref) for c in e.columns]
                rows = [
                    [(name, self.typed(self.expression(cell, names), kind)) for (name, kind), cell in zip(columns, row, strict=False)]
                    for row in e.rows
                ]
                return lambda scope: [{name: run(scope) for name, run in row} for row in rows]
            case m.Conditional():
                check, then, other = (self.expression(x, names) for x in (e.test, e.then, e.other))
                return lambda scope: then(scope) if check(scope) is True else other(scope)
            case m.Filtered():
                inner = Names(["item"], names, self.members)
                return filtered(self.expression(e.source, names), self.expression(e.match, inner))
            case m.Iteration():
                return self._iteration(e, names)
        raise AssertionError(f"no reading for {type(e).__name__}")

    def _invocation(self, e: m.Invocation, names: Names) -> Run:
        callee = self.expression(e.function, names)
        bindings = [(name, self.expression(b, names)) for name, b in e.bindings]

        def run(scope: Scope) -> object:
            target = callee(scope)
            if not isinstance(target, Function):
                return None
            return invoke(scope.ground, target, {name: b(scope) for name, b in bindings})

        return run

    def _context(self, e: m.Entries, names: Names) -> Run:
        inner = names.inside()
        entries: list[tuple[str, Run]] = []
        result: Run | None = None
        for item, body in e.entries:
            if item is None:
                result = self.expression(body, inner)
                continue
            entries.append((item.name, self.typed(self.expression(body, inner), item.type_ref)))
            inner.add(item.name)

        def run(scope: Scope) -> object:
            out: dict[str, object] = {}
            within = scope.inside(out)
            for name, body in entries:
                out[name] = body(within)
            return result(within) if result is not None else out

        return run

    def function(self, e: m.Function, names: Names, label: str = "function", result: str = "") -> Run:
        """A function definition; one of another language than FEEL gives null."""
        if e.kind != "FEEL" or e.body is None:
            return self.failing(f"不执行 {e.kind} 函数 `{label}` · functions of {e.kind} are not run") if e.kind != "FEEL" else null
        params = tuple((p.name, self.kind(p.type_ref)) for p in e.params)
        body = self.expression(e.body, names.inside([p.name for p in e.params]))
        kind = next((k for k in (self.kind(result), self.kind(e.type_ref)) if k is not None and k.name != "function"), None)
        return lambda scope: function(scope, params, body, label, kind)

    def _iteration(self, e: m.Iteration, names: Names) -> Run:
        source = [(e.variable, self.expression(e.source, names))]
        body = self.expression(e.body, names.inside([e.variable, "partial"]))
        join = disjunction if e.kind == "some" else conjunction

        def run(scope: Scope) -> object:
            found = turns(scope, source)
            if found is None:
                return None
            return collect(found, body, True) if e.kind == "for" else join([body(inner) for inner in found])

        return run
