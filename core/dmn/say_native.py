"""FEEL as text of our own language, where it can say it; business knowledge models are written out in place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

from siquan.core.dmn.feel import tree as t
from siquan.core.dmn.feel.temporal import Date, DayTimes, YearMonths
from siquan.core.dmn.feel.values import plain
from siquan.core.dmn.say_feel import KNOWLEDGE
from siquan.core.errors import SiquanError, Where

_SAME = frozenset(
    ["count", "sum", "min", "max", "mean", "distinct values", "list contains", "modulo", "abs", "all", "any", "not", "date"]
)
_OURS = {called: name for name, (called, _, _) in KNOWLEDGE.items()}
_PERIODS = {"P1Y": "years", "P1M": "months", "P1D": "days"}
_DAY = 86_400_000_000_000
#: business knowledge models within each other, and the size of what they come to
DEEPEST, LARGEST = 20, 2_000


class NotNative(SiquanError):
    """`{element}` cannot become a rule of ours: {why}"""

    code = "SQ138"
    zh = "`{element}` 不能变成规则：{why_zh}"
    help_en = "the model still runs as it is: siquan decide model.dmn#Decision"
    help_zh = "模型本身仍可照标准运行：siquan decide 模型.dmn#决策名"
    exit = 1


class Native:
    """Writes FEEL trees. `name` gives our name of a fact for the words of a path, None where there is no such fact;
    `models` are business knowledge models by name: parameters and body."""

    def __init__(
        self, element: str, name: Callable[[tuple[str, ...]], str | None],
        models: Mapping[str, tuple[tuple[str, ...], t.Node]] | None = None, where: Where | None = None,
    ) -> None:  # fmt: skip
        self.element, self.name, self.models, self.where = element, name, models or {}, where
        #: names that a quantifier or a filter introduces
        self._local: list[str] = []

    def fault(self, why: str, why_zh: str) -> NotNative:
        return NotNative(self.where, element=self.element, why=why, why_zh=why_zh)

    # cells

    def cell(self, node: t.Tests) -> str:
        """The unary tests of a cell as ours; `-` for none."""
        tests = ", ".join(self.test(self.inlined(test)) for test in node.tests)
        return f"not({tests})" if node.negated else tests or "-"

    def test(self, node: t.Node) -> str:
        if isinstance(node, t.Unary):
            if node.op in ("=", "!="):
                return f"? {node.op} {self.atom(node.end)}"
            return f"{node.op} {self.atom(node.end)}"
        return self.write(node)

    def expression(self, node: t.Node) -> str:
        return self.write(self.inlined(node))

    # business knowledge models

    def inlined(self, node: t.Node, depth: int = 0) -> t.Node:
        """The tree with every call of a business knowledge model written out."""
        if depth > DEEPEST:
            raise self.fault("its business knowledge models call each other in a circle or too deeply", "业务知识模型互相调用，绕成了圈或套得太深")
        if isinstance(node, t.Call) and isinstance(node.func, t.Name) and node.func.name in self.models:
            params, body = self.models[node.func.name]
            args = dict(zip(node.names or params, node.args, strict=False))
            if set(args) != set(params) or len(node.args) != len(params):
                raise self.fault(f"`{node.func.name}` is called with other arguments than it takes", f"调用 `{node.func.name}` 的参数不对")
            inner = self.inlined(_filled(body, args), depth + 1)
            if sum(1 for _ in t.walk(inner)) > LARGEST:
                raise self.fault("it becomes too large when its business knowledge models are written out", "展开业务知识模型后太长")
            return inner
        return _mapped(node, lambda inner: self.inlined(inner, depth))

    # expressions

    def atom(self, node: t.Node) -> str:
        said = self.write(node)
        simple = isinstance(node, t.Literal | t.Name | t.Path | t.ListOf | t.Call | t.Filter | t.Subject | t.Interval)
        return said if simple and not said.startswith("-") else f"({said})"

    def write(self, node: t.Node) -> str:
        match node:
            case t.Literal(value=value):
                return self._literal(value)
            case t.Name() | t.Path():
                return self._path(node)
            case t.Subject():
                return "?"
            case t.Compare(op=op, left=a, right=t.Literal(value=None)) | t.Compare(op=op, left=t.Literal(value=None), right=a) if op in ("=", "!="):
                return f"{'absent' if op == '=' else 'present'}({self.write(a)})"
            case t.Compare(op=op, left=a, right=b):
                return f"{self.atom(a)} {op} {self.atom(b)}"
            case t.And(items=items):
                return " and ".join(self.atom(i) for i in items)
            case t.Or(items=items):
                return " or ".join(self.atom(i) for i in items)
            case t.Between(value=value, low=low, high=high):
                return f"{self.atom(value)} in [{self.write(low)}..{self.write(high)}]"
            case t.In(value=value, tests=tests):
                return f"{self.atom(value)} in ({', '.join(self.test(i) for i in tests)})"
            case t.Interval(low=low, high=high, low_closed=a, high_closed=b):
                return f"{'[' if a else '('}{self.write(low)}..{self.write(high)}{']' if b else ')'}"
            case t.Arith(op="*", left=t.Call(func=t.Name(name="duration"), args=(t.Literal(value=str(period)),)), right=b) if period in _PERIODS:
                return f"{_PERIODS[period]}({self.write(b)})"
            case t.Arith(op=op, left=a, right=b):
                return f"{self.atom(a)} {op} {self.atom(b)}"
            case t.Neg(item=item):
                return f"-{self.atom(item)}"
            case t.If(test=test, then=then, other=other):
                return f"if {self.write(test)} then {self.write(then)} else {self.write(other)}"
            case t.ListOf(items=items):
                return f"[{', '.join(self.write(i) for i in items)}]"
            case t.Filter(source=source, cond=cond):
                return f"{self.atom(source)}[{self._within('item', cond)}]"
            case t.Quantified(kind=kind, iterators=((var, source),), cond=cond) if " " not in var:
                return f"{kind} {var} in {self.atom(source)} satisfies {self._within(var, cond)}"
            case t.Call(func=t.Name(name=name), args=args, names=()):
                return self._call(name, args)
        word = type(node).__name__.lower()
        raise self.fault(f"our rules have no `{word}`", f"规则语言里没有 `{word}` 这种写法")

    def _within(self, name: str, cond: t.Node) -> str:
        self._local.append(name)
        said = self.write(cond)
        self._local.pop()
        return said

    def _literal(self, value: Any) -> str:
        match value:
            case bool():
                return "true" if value else "false"
            case Decimal():
                return plain(value)
            case str():
                return json.dumps(value, ensure_ascii=False)
            case Date():
                return f'date("{value}")'
            case YearMonths() | DayTimes() if isinstance(value, YearMonths) or value.nanos % _DAY == 0:
                return f'duration("{value}")'
            case None:
                return "null"
        raise self.fault(f"our rules have no value such as `{value}`", f"规则语言里没有 `{value}` 这样的值")

    def _path(self, node: t.Node) -> str:
        words: list[str] = []
        at = node
        while isinstance(at, t.Path):
            words.insert(0, at.name)
            at = at.source
        if not isinstance(at, t.Name):
            return f"{self.atom(at)}.{'.'.join(words)}"
        words.insert(0, at.name)
        found = self.name(tuple(words)) if words[0] not in self._local else ".".join(words)
        if found is None and self._local:
            found = ".".join(words)  # a field of the element a filter looks at
        if found is None:
            raise self.fault(f"there is no fact `{'.'.join(words)}`", f"没有事实 `{'.'.join(words)}`")
        return found

    def _call(self, name: str, args: tuple[t.Node, ...]) -> str:
        if name == "today" and not args:
            return "today"
        if name == "date" and len(args) == 1 or name == "duration" and len(args) == 1 and isinstance(args[0], t.Literal):
            return f"{name}({self.write(args[0])})"
        if name == "floor" and len(args) == 1:
            return f"floor({self.write(args[0])})"
        if name in _OURS:
            name = _OURS[name]
        elif name not in _SAME:
            raise self.fault(f"our rules have no function `{name}`", f"规则语言里没有函数 `{name}`")
        return f"{name}({', '.join(self.write(a) for a in args)})"


def _mapped(node: t.Node, turn: Callable[[t.Node], t.Node]) -> t.Node:
    """The node with each direct part turned."""

    def part(value: Any) -> Any:
        if isinstance(value, t.Node):
            return turn(value)
        return tuple(part(v) for v in value) if isinstance(value, tuple) else value

    changes = {f.name: part(getattr(node, f.name)) for f in fields(node)}
    return replace(node, **{k: v for k, v in changes.items() if v is not getattr(node, k)})


def _filled(node: t.Node, args: Mapping[str, t.Node]) -> t.Node:
    """A function's body with arguments in place of its parameters."""
    if isinstance(node, t.Name) and node.name in args:
        return args[node.name]
    return _mapped(node, lambda inner: _filled(inner, args))
