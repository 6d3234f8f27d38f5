"""Names and types: turns what was written into what is meant.

`Name` becomes Fact, Param, Var, Today or an enum Literal; `in` and unary tests become plain comparisons, so that every
later reading meets only a handful of nodes. A mistake is an error here, never a surprise in a decision.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from siquan.core.errors import SiquanError, Where
from siquan.core.rules import tree as t
from siquan.core.rules.decision import VERDICTS
from siquan.core.rules.parse import quoted
from siquan.core.rules.tree import ANY, BOOLEAN, DATE, DURATION, NUMBER, TEXT, Type


class UnknownName(SiquanError):
    """`{name}` is neither a fact nor a parameter here"""

    code = "SQ102"
    zh = "`{name}` 不是这里的事实，也不是参数"
    help_en = "did you mean {near}?"
    help_zh = "是不是 {near}？"


class TypeFault(SiquanError):
    """in `{text}` {left} cannot be used with {right}"""

    code = "SQ103"
    zh = "`{text}` 中 {left} 不能和 {right} 这样用"


class UnknownCode(SiquanError):
    """`{value}` is not a value of `{name}`; it has {values}"""

    code = "SQ104"
    zh = "`{value}` 不是 `{name}` 的取值；可用 {values}"


class UnknownFunction(SiquanError):
    """there is no function `{name}` with {count} arguments"""

    code = "SQ105"
    zh = "没有带 {count} 个参数的函数 `{name}`"
    help_zh = "可用：{known}"
    help_en = "known: {known}"


#: name -> (argument kinds, result); "*" any, "l" list, "f" a fact path, "+" repeats the last
FUNCTIONS: dict[str, tuple[str, Type]] = {
    "present": ("f", BOOLEAN), "absent": ("f", BOOLEAN), "count": ("l", NUMBER), "sum": ("l", NUMBER), "min": ("l", ANY),
    "max": ("l", ANY), "mean": ("l", NUMBER), "distinct values": ("l", Type("list")), "list contains": ("l*", BOOLEAN),
    "modulo": ("nn", NUMBER), "floor": ("n", NUMBER), "abs": ("n", NUMBER), "years between": ("dd", NUMBER),
    "months between": ("dd", NUMBER), "days between": ("dd", NUMBER), "years": ("n", DURATION), "months": ("n", DURATION),
    "days": ("n", DURATION), "date": ("*", DATE), "not": ("b", BOOLEAN), "all": ("l", BOOLEAN), "any": ("l", BOOLEAN),
    "earliest": ("dd", DATE), "latest": ("dd", DATE),
}  # fmt: skip
_KINDS = {"n": "number", "d": "date", "b": "boolean", "l": "list"}


@dataclass(frozen=True)
class Scope:
    """What an expression may name. `facts` holds leaf, record and list paths; `prefix` is a fragment's."""

    facts: Mapping[str, Type]
    params: Mapping[str, Type]
    parent: Mapping[str, Type] | None = None
    prefix: str = ""
    outcomes: bool = False
    elements: tuple[tuple[str, Mapping[str, Type]], ...] = ()

    def inside(self, var: str, fields: Mapping[str, Type]) -> Scope:
        outer = self.elements if var else tuple((v if v.strip("^") else v + "^", f) for v, f in self.elements)
        return replace(self, elements=((var, fields), *outer))

    def names(self) -> list[str]:
        return [*self.facts, *self.params, *(f"parent.{p}" for p in self.parent or ())]


def fields_of(kind: Type) -> dict[str, Type]:
    """Dotted paths of a record type's fields, nested ones included."""
    out: dict[str, Type] = {}
    for name, sub in kind.fields:
        out[name] = sub
        if sub.kind == "record":
            out.update({f"{name}.{k}": v for k, v in fields_of(sub).items()})
    return out


class _Checker:
    def __init__(self, text: str, where: Where | None) -> None:
        self.text, self.where = text, where

    def _source(self, node: t.Node) -> str:
        return quoted(self.text[node.start : node.end] or self.text)

    def _lookup(self, path: str, scope: Scope, node: t.Node) -> t.Node | None:
        at: dict[str, Any] = {"start": node.start, "end": node.end}
        for var, fields in scope.elements:
            if var.strip("^"):
                if path == var:
                    return t.Var(var, "", type=fields.get("") or Type("record", fields=tuple(fields.items())), **at)
                if path.startswith(var + ".") and path[len(var) + 1 :] in fields:
                    return t.Var(var, path[len(var) + 1 :], type=fields[path[len(var) + 1 :]], **at)
            elif path == "item":
                return t.Var(var, "", type=fields.get("", ANY), **at)
            elif (bare := path.removeprefix("item.")) in fields:
                return t.Var(var, bare, type=fields[bare], **at)
        if path.startswith("parent.") and scope.parent is not None:
            kind = scope.parent.get(path[7:])
            return t.Fact(path, type=kind, **at) if kind else None
        bare = path.removeprefix("self.")
        for name in dict.fromkeys((scope.prefix + bare, bare)):
            if name in scope.facts:
                return t.Fact(name, type=scope.facts[name], **at)
            if name in scope.params and not path.startswith("self."):
                return t.Param(name, type=scope.params[name], **at)
        if path == "today":
            return t.Today(type=DATE, **at)
        if scope.outcomes and path in VERDICTS:
            return t.Literal(path, type=Type("outcome"), **at)
        return None

    def _name(self, node: t.Name, scope: Scope, want: Type = ANY) -> t.Node:
        found = self._lookup(node.path, scope, node)
        for dot in (i for i, c in enumerate(node.path) if c == "." and found is None):
            # a projection such as `members.unit`, or a field of a record value
            source = self._lookup(node.path[:dot], scope, node)
            if source is not None and source.type.kind in ("list", "record"):
                return self._path(t.Path(source, node.path[dot + 1 :], start=node.start, end=node.end), source)
        if found is not None:
            return found
        if want.kind == "enum" and node.path in want.values:
            return t.Literal(node.path, type=want, start=node.start, end=node.end)
        near = difflib.get_close_matches(node.path, scope.names(), n=3, cutoff=0.5)
        raise UnknownName(self.where, name=quoted(node.path), near="、".join(f"`{n}`" for n in near), help="" if near else " ")

    def _path(self, node: t.Path, source: t.Node) -> t.Node:
        at: dict[str, Any] = {"start": node.start, "end": node.end}
        kind = source.type.item if source.type.kind == "list" else source.type
        if kind is None or kind.kind == "any":
            return t.Path(source, node.name, type=ANY if source.type.kind != "list" else Type("list"), **at)
        found = fields_of(kind).get(node.name)
        if found is None:
            near = difflib.get_close_matches(node.name, list(fields_of(kind)), n=3)
            raise UnknownName(self.where, name=node.name, near="、".join(f"`{n}`" for n in near), help="" if near else " ")
        return t.Path(source, node.name, type=Type("list", item=found) if source.type.kind == "list" else found, **at)

    def _pair(self, node: t.Node, left: t.Node, right: t.Node, scope: Scope) -> tuple[t.Node, t.Node]:
        """Both sides resolved, each seeing the other's type so that a bare enum code is understood."""
        if isinstance(left, t.Name) and not isinstance(right, t.Name):
            b = self.visit(right, scope)
            return self.visit(left, scope, b.type), b
        try:
            a = self.visit(left, scope)
        except UnknownName:
            b = self.visit(right, scope)
            return self.visit(left, scope, b.type), b
        return a, self.visit(right, scope, a.type)

    def _agree(self, node: t.Node, a: t.Node, b: t.Node, op: str) -> tuple[t.Node, t.Node]:
        for one, two in ((a, b), (b, a)):
            if one.type.kind == "enum" and isinstance(two, t.Literal) and isinstance(two.value, str):
                if two.value not in one.type.values:
                    shown = "、".join(one.type.values)
                    raise UnknownCode(self.where, value=quoted(two.value), name=self._source(one), values=shown)
        kinds = {a.type.kind, b.type.kind} - {"any"}
        loose = kinds <= {"enum", "text", "person"} or kinds <= {"number"} or len(kinds) < 2
        if not loose or "record" in kinds or (op not in ("=", "!=") and kinds & {"boolean", "enum", "list"}):
            raise TypeFault(self.where, text=self._source(node), left=str(a.type), right=str(b.type))
        return a, b

    def visit(self, node: t.Node, scope: Scope, want: Type = ANY) -> t.Node:
        at: dict[str, Any] = {"start": node.start, "end": node.end}
        match node:
            case t.Name():
                return self._name(node, scope, want)
            case t.Compare(op=op, left=left, right=right):
                a, b = self._agree(node, *self._pair(node, left, right, scope), op)
                if isinstance(b, t.Literal) and b.value is None or isinstance(a, t.Literal) and a.value is None:
                    other = a if isinstance(b, t.Literal) and b.value is None else b
                    raise TypeFault(
                        self.where, text=self._source(node), left=str(other.type), right="null",
                        help="未知不是一个值：用 present(x) 或 absent(x)",
                    )  # fmt: skip
                return t.Compare(op, a, b, type=BOOLEAN, **at)
            case t.And(items=items) | t.Or(items=items):
                parts = tuple(self._boolean(i, scope) for i in items)
                return type(node)(parts, type=BOOLEAN, **at)
            case t.Not(item=item):
                return t.Not(self._boolean(item, scope), type=BOOLEAN, **at)
            case t.In(left=left, tests=tests):
                return self._in(node, self.visit(left, scope), tests, scope)
            case t.If(test=test, then=then, other=other):
                a, b = self._agree(node, *self._pair(node, then, other, scope), "=")
                return t.If(self._boolean(test, scope), a, b, type=a.type if a.type != ANY else b.type, **at)
            case t.Arith(op=op, left=left, right=right):
                return self._arith(node, op, self.visit(left, scope), self.visit(right, scope))
            case t.Neg(item=item):
                inner = self.visit(item, scope)
                if inner.type.kind not in ("number", "duration", "any"):
                    raise TypeFault(self.where, text=self._source(node), left="-", right=str(inner.type))
                if isinstance(inner, t.Literal) and inner.value is not None:
                    return t.Literal(-inner.value, type=inner.type, **at)
                return t.Neg(inner, type=inner.type, **at)
            case t.Filter(source=source, cond=cond):
                rows = self._list(source, scope)
                inside = scope.inside("", self._element(rows))
                return t.Filter(rows, self._boolean(cond, inside), type=rows.type, **at)
            case t.Quantified(kind=kind, var=var, source=source, cond=cond):
                rows = self._list(source, scope)
                inside = scope.inside(var, self._element(rows))
                return t.Quantified(kind, var, rows, self._boolean(cond, inside), type=BOOLEAN, **at)
            case t.Path(source=source):
                inner = self.visit(source, scope)
                if inner.type.kind not in ("list", "record", "any"):
                    raise TypeFault(self.where, text=self._source(node), left=str(inner.type), right=f".{node.name}")
                return self._path(node, inner)
            case t.Call(func=func, args=args):
                return self._call(node, func, args, scope)
            case t.ListOf(items=items):
                done = tuple(self.visit(i, scope, want) for i in items)
                for one in done[1:]:
                    self._agree(node, done[0], one, "=")
                return t.ListOf(done, type=Type("list", item=done[0].type if done else ANY), **at)
            case t.Literal(value=value) if want.kind == "enum" and isinstance(value, str):
                return replace(node, type=want) if value in want.values else node
            case _:
                return node

    def _boolean(self, node: t.Node, scope: Scope) -> t.Node:
        done = self.visit(node, scope, BOOLEAN)
        if done.type.kind not in ("boolean", "any"):
            raise TypeFault(
                self.where, text=self._source(node), left=str(done.type), right="true/false", help="这里要一个成立或不成立的条件"
            )
        return done

    def _list(self, node: t.Node, scope: Scope) -> t.Node:
        rows = self.visit(node, scope)
        if rows.type.kind not in ("list", "any"):
            raise TypeFault(self.where, text=self._source(node), left=str(rows.type), right="list")
        return rows

    def _element(self, rows: t.Node) -> dict[str, Type]:
        item = rows.type.item
        if item is None:
            return {"": ANY}
        return fields_of(item) if item.kind == "record" else {"": item}

    def _in(self, node: t.In, left: t.Node, tests: tuple[t.Node, ...], scope: Scope) -> t.Node:
        parts = tuple(self._test(node, left, test, scope) for test in tests)
        return parts[0] if len(parts) == 1 else t.Or(parts, type=BOOLEAN, start=node.start, end=node.end)

    def _test(self, node: t.Node, left: t.Node, test: t.Node, scope: Scope) -> t.Node:
        at: dict[str, Any] = {"start": node.start, "end": node.end}

        def compare(op: str, other: t.Node) -> t.Node:
            a, b = self._agree(node, left, self.visit(other, scope, left.type), op)
            return t.Compare(op, a, b, type=BOOLEAN, **at)

        if isinstance(test, t.Interval):
            ends = []
            if test.low is not None:
                ends.append(compare(">=" if test.low_closed else ">", test.low))
            if test.high is not None:
                ends.append(compare("<=" if test.high_closed else "<", test.high))
            return t.And(tuple(ends), type=BOOLEAN, **at)
        if isinstance(test, t.Compare) and isinstance(test.left, t.Subject):
            return compare(test.op, test.right)
        if any(isinstance(n, t.Subject) for n in t.walk(test)):
            return self._boolean(_put(test, left), scope)
        other = self.visit(test, scope, left.type)
        if other.type.kind == "list" and left.type.kind != "list":
            self._agree(node, t.Literal(None, type=other.type.item or ANY), left, "=")
            return t.Call("list contains", (other, left), type=BOOLEAN, **at)
        return compare("=", test)

    def _arith(self, node: t.Arith, op: str, a: t.Node, b: t.Node) -> t.Node:
        kinds = (a.type.kind, b.type.kind)
        result = {
            ("number", "number"): NUMBER,
            ("date", "duration"): DATE if op in "+-" else None,
            ("duration", "date"): DATE if op == "+" else None,
            ("date", "date"): DURATION if op == "-" else None,
            ("duration", "duration"): DURATION if op in "+-" else None,
            ("duration", "number"): DURATION if op == "*" else None,
            ("number", "duration"): DURATION if op == "*" else None,
            ("text", "text"): TEXT if op == "+" else None,
        }.get(kinds)
        if result is None and "any" not in kinds:
            raise TypeFault(self.where, text=self._source(node), left=str(a.type), right=str(b.type))
        guess = next((x for x in (a.type, b.type) if x.kind == "date"), NUMBER)
        return t.Arith(op, a, b, type=result or guess, start=node.start, end=node.end)

    def _call(self, node: t.Call, func: str, args: tuple[t.Node, ...], scope: Scope) -> t.Node:
        at: dict[str, Any] = {"start": node.start, "end": node.end}
        if func == "not" and len(args) == 1:
            return t.Not(self._boolean(args[0], scope), type=BOOLEAN, **at)
        if func in ("min", "max", "sum", "count", "mean") and (len(args) > 1):
            args = (t.ListOf(args, **at),)
        signature = FUNCTIONS.get(func)
        if signature is None or len(signature[0]) != len(args):
            raise UnknownFunction(self.where, name=func, count=len(args), known=" ".join(FUNCTIONS))
        done: list[t.Node] = []
        for kind, arg in zip(signature[0], args, strict=True):
            item = done[0].type.item or ANY if func == "list contains" and done else ANY
            value = self._list(arg, scope) if kind == "l" else self.visit(arg, scope, item)
            if item is not ANY:
                self._agree(node, t.Literal(None, start=node.start, end=node.end, type=item), value, "=")
            if kind == "f" and not isinstance(value, t.Fact | t.Param | t.Var | t.Path):
                raise TypeFault(self.where, text=self._source(node), left=func, right=str(value.type), help="这里要写一个事实的名字")
            if kind in _KINDS and value.type.kind not in (_KINDS[kind], "any"):
                raise TypeFault(self.where, text=self._source(node), left=func, right=str(value.type))
            done.append(value)
        result = signature[1]
        if func in ("min", "max") and done[0].type.item is not None:
            result = done[0].type.item
        if func == "distinct values":
            result = done[0].type
        return t.Call(func, tuple(done), type=result, **at)


def _put(node: t.Node, subject: t.Node) -> t.Node:
    """The tree with `?` replaced."""
    if isinstance(node, t.Subject):
        return subject
    changes: dict[str, Any] = {}
    for name, value in vars(node).items():
        if isinstance(value, t.Node):
            changes[name] = _put(value, subject)
        elif isinstance(value, tuple) and value and all(isinstance(v, t.Node) for v in value):
            changes[name] = tuple(_put(v, subject) for v in value)
    return replace(node, **changes)


def put_subject(node: t.Node, subject: t.Node) -> t.Node:
    """A unary test as a condition on `subject`: `> 5` and `amount` give `amount > 5`."""
    match node:
        case t.In(tests=tests):
            return t.In(subject, tests, start=node.start, end=node.end)
        case t.Not(item=t.In(tests=tests)):
            return t.Not(t.In(subject, tests, start=node.start, end=node.end))
    return _put(node, subject)


def check(node: t.Node, scope: Scope, text: str, where: Where | None = None, want: Type = ANY) -> t.Node:
    """The resolved, typed tree. Raises UnknownName, TypeFault, UnknownCode, UnknownFunction with file:line."""
    checker = _Checker(text, where)
    return checker._boolean(node, scope) if want == BOOLEAN else checker.visit(node, scope, want)
