"""A rule's tree as FEEL text of the standard: the reading that other tools run.

Differences of our language are written out: bare codes become texts, `today` is `today()`, `present(x)` is
`x != null`, derived facts stand in place, and `years between` and its kin become business knowledge models with our
own month ends (`KNOWLEDGE`).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from siquan.core.dmn.feel.parser import KEYWORDS
from siquan.core.errors import SiquanError, Where
from siquan.core.rules import tree as t
from siquan.core.rules.values import Duration

#: functions of our language as FEEL of the standard: name -> (name there, parameters, body). No word of FEEL in a name
KNOWLEDGE: dict[str, tuple[str, tuple[str, ...], str]] = {
    "months between": (
        "full months", ("start", "end"),
        "if end < start then -full months(end, start) else (end.year - start.year) * 12 + end.month - start.month"
        ' - (if end.day < start.day and (end + duration("P1D")).day != 1 then 1 else 0)',
    ),
    "years between": (
        "full years", ("start", "end"),
        "if full months(start, end) >= 0 then floor(full months(start, end) / 12) else -floor(-full months(start, end) / 12)",
    ),
    "days between": ("days apart", ("start", "end"), '(end - start) / duration("P1D")'),
}  # fmt: skip
#: what each of them needs
NEEDS = {"months between": ("months between",), "years between": ("months between",), "days between": ()}
_SAME = frozenset(
    ["count", "sum", "min", "max", "mean", "distinct values", "list contains", "modulo", "floor", "abs", "all", "any", "date"]
)
#: characters that stand escaped, since XML cannot hold them
_UNSAFE = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_PERIODS = {"years": "P1Y", "months": "P1M", "days": "P1D"}
#: how tightly each operator binds; what binds looser stands in brackets
_TIGHT = {"or": 1, "and": 2, "=": 3, "+": 4, "-": 4, "*": 5, "/": 5, "**": 6}


class NotExpressible(SiquanError):
    """{what} of `{rule}` cannot be said in DMN: {why}"""

    code = "SQ137"
    zh = "`{rule}` 的{what_zh}无法用 DMN 表达：{why_zh}"
    exit = 1


def text(value: str) -> str:
    """A string literal of FEEL."""
    out = ""
    for c in value:
        out += {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(c) or (f"\\u{ord(c):04x}" if _UNSAFE.match(c) else c)
    return f'"{out}"'


def constant(value: Any) -> str:
    """A literal of FEEL for what JSON can hold."""
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case int() | Decimal():
            return format(value, "f") if isinstance(value, Decimal) else str(value)
        case list() | tuple():
            return f"[{', '.join(constant(v) for v in value)}]"
        case Mapping():
            return "{" + ", ".join(f"{text(str(k))}: {constant(v)}" for k, v in value.items()) + "}"
    return text(str(value))


class Feel:
    """Writes checked trees of one rule. `derived` are the trees of derived facts; `used` collects the knowledge models
    that are needed, `paths` the facts and parameters that are read, with their types."""

    def __init__(self, rule: str, derived: Mapping[str, t.Node], where: Where | None = None) -> None:
        self.rule, self.derived, self.where = rule, derived, where
        self.used: dict[str, None] = {}
        self.paths: dict[str, t.Type] = {}
        self._within: list[str] = []

    def fault(self, what: str, what_zh: str, why: str, why_zh: str) -> NotExpressible:
        return NotExpressible(self.where, rule=self.rule, what=what, what_zh=what_zh, why=why, why_zh=why_zh)

    def write(self, node: t.Node, tight: int = 0) -> str:
        """The expression; in brackets when it binds looser than `tight`."""
        said, own = self._write(node)
        return f"({said})" if own < tight else said

    def _write(self, node: t.Node) -> tuple[str, int]:
        match node:
            case t.Literal(value=value):
                return self._literal(value)
            case t.Fact(path=path):
                return self._fact(node, path)
            case t.Param(name=name):
                return self._name(name, node.type), 9
            case t.Var(var=var, path=path):
                return self._var(var, path), 9
            case t.Today():
                return "today()", 9
            case t.Subject():
                return "?", 9
            case t.Compare(op=op, left=a, right=b):
                return f"{self.write(a, 4)} {op} {self.write(b, 4)}", 3
            case t.And(items=items):
                return " and ".join(self.write(i, 3) for i in items), 2
            case t.Or(items=items):
                return " or ".join(self.write(i, 2) for i in items), 1
            case t.Not(item=item):
                return f"not({self.write(item)})", 9
            case t.Arith(op=op, left=a, right=b):
                own = _TIGHT[op]
                return f"{self.write(a, own)} {op} {self.write(b, own + 1)}", own
            case t.Neg(item=item):
                return f"-{self.write(item, 7)}", 7
            case t.If(test=test, then=then, other=other):
                return f"if {self.write(test)} then {self.write(then)} else {self.write(other)}", 0
            case t.ListOf(items=items):
                return f"[{', '.join(self.write(i) for i in items)}]", 9
            case t.Path(source=source, name=name):
                return f"{self.write(source, 8)}.{name}", 9
            case t.Filter(source=source, cond=cond):
                self._within.append("")
                said = f"{self.write(source, 8)}[{self.write(cond)}]"
                self._within.pop()
                return said, 9
            case t.Quantified(kind=kind, var=var, source=source, cond=cond):
                return f"{kind} {var} in {self.write(source, 4)} satisfies {self.write(cond)}", 0
            case t.Call(func=func, args=args):
                return self._call(func, args)
        raise AssertionError(f"no reading for {type(node).__name__}")

    def _literal(self, value: Any) -> tuple[str, int]:
        if isinstance(value, Fraction):
            return self._fraction(value)
        if isinstance(value, dt.date):
            return f'date("{value.isoformat()}")', 9
        if isinstance(value, Duration):
            if value.months and value.days:
                raise self.fault("the period", "期间", "it has months and days", "既有月又有日")
            sign = "-" if value.months < 0 or value.days < 0 else ""
            return f'duration("{sign}P{abs(value.months)}M")' if value.months else f'duration("{sign}P{abs(value.days)}D")', 9
        said = constant(value)
        return said, 7 if said.startswith("-") else 9

    def _fraction(self, value: Fraction) -> tuple[str, int]:
        rest = value.denominator
        for prime in (2, 5):
            while rest % prime == 0:
                rest //= prime
        if rest != 1:
            return f"{value.numerator} / {value.denominator}", 5
        places = max(0, len(str(value.denominator)) * 4)
        whole = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
        said = f"{whole[:-places]}.{whole[-places:]}".rstrip("0").rstrip(".")
        return (f"-{said}", 7) if value < 0 else (said, 9)

    def _fact(self, node: t.Node, path: str) -> tuple[str, int]:
        inner = self.derived.get(path)
        if inner is not None:
            return self._write(inner)
        return self._name(path, node.type), 9

    def _name(self, path: str, kind: t.Type) -> str:
        parts = path.split(".")
        if any(p in KEYWORDS for p in parts):
            raise self.fault("the condition", "条件", f"`{path}` is a word of FEEL", f"`{path}` 是 FEEL 的保留字")
        self.paths[path] = kind
        return path

    def _var(self, var: str, path: str) -> str:
        if "^" in var:
            raise self.fault("the condition", "条件", "a filter reads an element of the filter around it", "内层筛选用到了外层的元素")
        head = var or "item"
        return f"{head}.{path}" if path else head

    def _call(self, func: str, args: tuple[t.Node, ...]) -> tuple[str, int]:
        if func in ("present", "absent"):
            return f"{self.write(args[0], 4)} {'!=' if func == 'present' else '='} null", 3
        if func in _PERIODS:
            return f'duration("{_PERIODS[func]}") * {self.write(args[0], 6)}', 5
        if func in ("earliest", "latest"):
            return f"{'min' if func == 'earliest' else 'max'}({', '.join(self.write(a) for a in args)})", 9
        if func in KNOWLEDGE:
            self.used.update(dict.fromkeys((func, *NEEDS[func])))
            func = KNOWLEDGE[func][0]
        elif func not in _SAME:
            raise self.fault("the condition", "条件", f"the standard has no function `{func}`", f"标准里没有函数 `{func}`")
        return f"{func}({', '.join(self.write(a) for a in args)})", 9
