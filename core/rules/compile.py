"""The compiled Python reading: a tree becomes one Python function, source generated once per rule set.

The function takes `F` (fact path -> value), `P` (parameter -> value) and `today`. Scalar comparisons are written out
in line; everything else calls `rules.functions`. Nothing from a rule's text reaches the source except through repr
of checked literals and names.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from siquan.core.rules import functions as fn
from siquan.core.rules import tree as t
from siquan.core.rules.values import ABSENT, Duration, Rows

Lookup = Callable[[str], Any]
Compiled = Callable[[Lookup, Lookup, dt.date], Any]

_NAMESPACE: dict[str, Any] = {
    "A": ABSENT, "Fraction": Fraction, "Duration": Duration, "date": dt.date, "Rows": Rows, "tb": fn.truth, "cmp": fn.compare,
    "ar": fn.arith, "neg": fn.negate, "keep": fn.keep, "proj": fn.project, "some": fn.some, "every": fn.every, "look": fn.lookup,
    "count": fn.count, "total": fn.total, "least": fn.least, "mean": fn.mean, "distinct": fn.distinct, "contains": fn.contains,
    "between": fn.between, "period": fn.period, "edge": fn.edge_date, "as_date": fn.as_date, "floor": fn.floor,
    "absolute": fn.absolute, "modulo": fn.modulo, "present": fn.present, "absent": fn.absent,
}  # fmt: skip
_PY = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_INLINE = ("number", "date", "enum", "boolean", "text", "person")


class _Writer:
    def __init__(self) -> None:
        self.facts: dict[str, str] = {}
        self.params: dict[str, str] = {}
        self.temps = 0
        self.rows: list[tuple[str, str]] = []  # (variable, its name in Python), innermost last

    def temp(self) -> str:
        self.temps += 1
        return f"t{self.temps}"

    def fact(self, path: str) -> str:
        return self.facts.setdefault(path, f"f{len(self.facts)}")

    def literal(self, value: Any) -> str:
        if isinstance(value, Fraction):
            return f"Fraction({value.numerator},{value.denominator})"
        if isinstance(value, dt.date):
            return f"date({value.year},{value.month},{value.day})"
        if isinstance(value, Duration):
            return f"Duration({value.months},{value.days})"
        assert value is None or isinstance(value, bool | int | str)
        return repr(value)

    def write(self, node: t.Node) -> str:
        match node:
            case t.Literal(value=value):
                return self.literal(value)
            case t.Fact(path=path):
                return self.fact(path)
            case t.Param(name=name):
                return self.params.setdefault(name, f"p{len(self.params)}")
            case t.Today():
                return "today"
            case t.Var(var=var, path=path):
                return f"look({self._row(var)},{path!r})"
            case t.Compare(op=op, left=a, right=b):
                return self._compare(op, a, b)
            case t.And(items=items):
                return self._logic(items, "False", "True")
            case t.Or(items=items):
                return self._logic(items, "True", "False")
            case t.Not(item=item):
                x = self.temp()
                return f"(None if ({x}:={self.boolean(item)}) is None else not {x})"
            case t.If(test=test, then=then, other=other):
                x = self.temp()
                return f"({self.write(then)} if ({x}:={self.boolean(test)}) else {self.write(other)} if {x} is False else None)"
            case t.Arith(op=op, left=a, right=b):
                return f"ar({op!r},{self.write(a)},{self.write(b)})"
            case t.Neg(item=a):
                return f"neg({self.write(a)})"
            case t.ListOf(items=items):
                return f"Rows(({''.join(self.write(i) + ',' for i in items)}),True)"
            case t.Filter(source=source, cond=cond):
                return f"keep({self.write(source)},{self._lambda('', cond)})"
            case t.Quantified(kind=kind, var=var, source=source, cond=cond):
                return f"{kind}({self.write(source)},{self._lambda(var, cond)})"
            case t.Path(source=source, name=name):
                return f"proj({self.write(source)},{name!r})"
            case t.Call(func=func, args=args):
                return self._call(func, args)
        raise AssertionError(f"no reading for {type(node).__name__}")

    def boolean(self, node: t.Node) -> str:
        source = self.write(node)
        return source if isinstance(node, t.Compare | t.And | t.Or | t.Not | t.Quantified) else f"tb({source})"

    def _row(self, var: str) -> str:
        if var.strip("^"):
            return next(name for v, name in reversed(self.rows) if v == var)
        return [name for v, name in self.rows if not v][-1 - len(var)]

    def _lambda(self, var: str, cond: t.Node) -> str:
        # numbered, since not every name of the language is one of Python's
        self.rows.append((var, f"e{len(self.rows)}"))
        body = self.boolean(cond)
        return f"(lambda {self.rows.pop()[1]}: {body})"

    def _logic(self, items: Sequence[t.Node], stop: str, go: str) -> str:
        # Kleene: `stop` decides at once; otherwise one unknown keeps the whole unknown. Flat, since Python nests 200 deep
        names = [self.temp() for _ in items]
        parts = [f"({x}:={self.boolean(item)})" for x, item in zip(names, items, strict=True)]
        found, open_ = (" or ".join(f"{x} is {word}" for x in xs) for xs, word in ((parts, stop), (names, "None")))
        return f"({stop} if {found} else None if {open_} else {go})"

    def _compare(self, op: str, a: t.Node, b: t.Node) -> str:
        if isinstance(b, t.Fact) and isinstance(a, t.Literal):
            a, b, op = b, a, {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(op, op)
        if (
            isinstance(a, t.Fact)
            and isinstance(b, t.Literal)
            and a.type.kind in _INLINE
            and b.value is not None
            and not isinstance(b.value, bool)
        ):
            x = self.fact(a.path)
            kind = {"number": "int", "date": "date"}.get(a.type.kind)
            guard = f" else cmp({op!r},{x},{self.literal(b.value)}) if {x}.__class__ is not {kind}" if kind else ""
            return f"(None if {x} is None else False if {x} is A{guard} else {x}{_PY[op]}{self.literal(b.value)})"
        return f"cmp({op!r},{self.write(a)},{self.write(b)})"

    def _call(self, func: str, args: tuple[t.Node, ...]) -> str:
        w = [self.write(a) for a in args]
        match func:
            case "count" | "mean" | "floor" | "modulo" | "present" | "absent":
                return f"{func}({','.join(w)})"
            case "sum":
                item = args[0].type.item
                return f"total({w[0]},{item is not None and item.floor})"
            case "min":
                return f"least({w[0]})"
            case "max":
                return f"least({w[0]},-1)"
            case "abs":
                return f"absolute({w[0]})"
            case "distinct values":
                return f"distinct({w[0]})"
            case "list contains":
                return f"contains({w[0]},{w[1]})"
            case "years between" | "months between" | "days between":
                return f"between({func.split()[0]!r},{w[0]},{w[1]})"
            case "years" | "months" | "days":
                return f"period({func!r},{w[0]})"
            case "earliest" | "latest":
                return f"edge({func!r},{w[0]},{w[1]})"
            case "date":
                return f"as_date({w[0]})"
            case "all":
                return f"every({w[0]},tb)"
            case "any":
                return f"some({w[0]},tb)"
        raise AssertionError(f"no reading for {func}")


def source_of(nodes: Sequence[t.Node]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """(Python source, facts read, parameters read) of a function returning one value per node."""
    writer = _Writer()
    body = [writer.boolean(n) if n.type.kind == "boolean" else writer.write(n) for n in nodes]
    head = [f" {slot}=F({path!r})" for path, slot in writer.facts.items()]
    head += [f" {slot}=P({name!r})" for name, slot in writer.params.items()]
    source = "\n".join(["def run(F,P,today):", *head, f" return ({''.join(b + ',' for b in body)})"])
    return source, tuple(writer.facts), tuple(writer.params)


def compile_all(nodes: Sequence[t.Node]) -> tuple[Compiled, tuple[str, ...], tuple[str, ...]]:
    """A function giving the tuple of all values, and the facts and parameters it reads."""
    source, facts, params = source_of(nodes)
    namespace = dict(_NAMESPACE)
    exec(compile(source, "<rules>", "exec"), namespace)
    run: Compiled = namespace["run"]
    return run, facts, params


def compile_one(node: t.Node) -> Compiled:
    """A function giving the node's value."""
    run, _, _ = compile_all([node])
    return lambda facts, params, today: run(facts, params, today)[0]
