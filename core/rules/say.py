"""The sentence reading: a `say` template with its values in it, and a rule's condition in Chinese or English words."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from siquan.core.errors import Where
from siquan.core.rules import tree as t
from siquan.core.rules.check import Scope, check
from siquan.core.rules.compile import Compiled, compile_one
from siquan.core.rules.decision import Piece
from siquan.core.rules.facts import Schema, number_text
from siquan.core.rules.functions import Picked
from siquan.core.rules.parse import parse
from siquan.core.rules.values import ABSENT, Duration, Rows, Span

_HOLE = re.compile(r"\{([^{}]+)\}")
Label = Callable[[t.Node, Any], str | None]

WORDS = {
    "zh": {"unknown": "未知", "absent": "无", True: "是", False: "否", "at_least": "至少 {}", "at_most": "至多 {}"},
    "en": {"unknown": "unknown", "absent": "none", True: "yes", False: "no", "at_least": "at least {}", "at_most": "at most {}"},
}


def show(value: Any, lang: str = "zh") -> str:
    """A typed value as a person reads it."""
    words = WORDS["zh" if lang.startswith("zh") else "en"]
    if value is None:
        return words["unknown"]
    if value is ABSENT:
        return words["absent"]
    if isinstance(value, bool):
        return words[value]
    if isinstance(value, int | Fraction):
        return number_text(value)
    if isinstance(value, Span):
        low, high = (None if e is None else number_text(e) for e in (value.low, value.high))
        if low and high:
            return f"{low}–{high}"
        return words["at_least"].format(low) if low else words["at_most"].format(high) if high else words["unknown"]
    if isinstance(value, Duration):
        units = ("个月", "日") if lang.startswith("zh") else (" months", " days")
        return " ".join(f"{n}{u}" for n, u in ((value.months, units[0]), (value.days, units[1])) if n) or f"0{units[1]}"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Picked):
        value = Rows(value.sure, value.complete)
    if isinstance(value, Rows):
        joined = ("、" if lang.startswith("zh") else ", ").join(show(v, lang) for v in value.items[:12])
        return joined + ("…" if len(value) > 12 else "") or words["absent"]
    if isinstance(value, dict):
        return str(value.get("name") or value.get("person") or next(iter(value.values()), ""))
    return str(value)


@dataclass(frozen=True)
class Template:
    """A `say` text: words, and holes each holding a compiled expression."""

    parts: tuple[tuple[str, t.Node | None, Compiled | None], ...]

    def fill(self, facts: Any, params: Any, today: dt.date, label: Label, lang: str = "zh") -> tuple[Piece, ...]:
        out = []
        for text, node, run in self.parts:
            if node is None or run is None:
                out.append(Piece(text))
                continue
            value = run(facts, params, today)
            shown = label(node, value) or show(value, lang)
            kind = "param" if isinstance(node, t.Param) else "unknown" if value is None else "value"
            name = node.path if isinstance(node, t.Fact) else node.name if isinstance(node, t.Param) else text
            out.append(Piece(shown, kind, name))
        return tuple(out)

    def nodes(self) -> list[t.Node]:
        return [n for _, n, _ in self.parts if n is not None]


def template(text: str, scope: Scope, where: Where | None = None) -> Template:
    """Parses a `say`; each `{...}` may hold any expression of the rule's scope."""
    parts: list[tuple[str, t.Node | None, Compiled | None]] = []
    last = 0
    for hole in _HOLE.finditer(text):
        if hole.start() > last:
            parts.append((text[last : hole.start()], None, None))
        source = hole.group(1).strip()
        node = check(parse(source, where), scope, source, where)
        parts.append((source, node, compile_one(node)))
        last = hole.end()
    if last < len(text):
        parts.append((text[last:], None, None))
    return Template(tuple(parts))


def labels(schema: Schema) -> Label:
    """Enum codes as their titles, the absent word of the fact itself."""

    def label(node: t.Node, value: Any) -> str | None:
        path = node.path if isinstance(node, t.Fact) else ""
        spec = schema.get(path) if path else None
        if spec is None and isinstance(node, t.Path | t.Call):
            inner = [n for n in t.walk(node) if isinstance(n, t.Fact)]
            source = schema.get(inner[0].path) if inner else None
            last = next((n.name for n in t.walk(node) if isinstance(n, t.Path)), "")
            spec = next((f for f in source.fields if f.name == last), None) if source and last else None
        if spec is None:
            return None
        if value is ABSENT and spec.absent:
            return spec.absent
        if spec.type == "enum" and isinstance(value, str):
            return spec.values.get(value)
        if spec.type == "enum" and isinstance(value, Rows | Picked):
            items = value.items if isinstance(value, Rows) else value.sure
            return "、".join(spec.values.get(v, show(v)) for v in items) or None
        return None

    return label


_OPS = {
    "zh": {"=": "为", "!=": "不为", "<": "小于", "<=": "不超过", ">": "超过", ">=": "不少于"},
    "en": {"=": "is", "!=": "is not", "<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least"},
}
_DATE_OPS = {
    "zh": {"<": "早于", "<=": "不晚于", ">": "晚于", ">=": "不早于"},
    "en": {"<": "is before", "<=": "is not after", ">": "is after", ">=": "is not before"},
}
_CALLS = {
    "zh": {
        "count": "{0}的个数", "sum": "{0}之和", "min": "{0}中最小的", "max": "{0}中最大的", "mean": "{0}的平均", "present": "有{0}",
        "absent": "没有{0}", "distinct values": "不同的{0}", "years between": "{0}到{1}的整年数", "months between": "{0}到{1}的整月数",
        "days between": "{0}到{1}的天数", "years": "{0}年", "months": "{0}个月", "days": "{0}日", "list contains": "{0}含{1}",
        "earliest": "{0}与{1}中较早者", "latest": "{0}与{1}中较晚者", "abs": "{0}的绝对值", "floor": "{0}取整", "modulo": "{0}除以{1}的余数",
        "date": "{0}", "all": "{0}全部成立", "any": "{0}有一成立",
    },
    "en": {
        "count": "the number of {0}", "sum": "the sum of {0}", "min": "the least of {0}", "max": "the greatest of {0}",
        "mean": "the mean of {0}", "present": "there is {0}", "absent": "there is no {0}", "distinct values": "distinct {0}",
        "years between": "full years from {0} to {1}", "months between": "full months from {0} to {1}",
        "days between": "days from {0} to {1}", "years": "{0} years", "months": "{0} months", "days": "{0} days",
        "list contains": "{0} contains {1}", "earliest": "the earlier of {0} and {1}", "latest": "the later of {0} and {1}",
        "abs": "the absolute value of {0}", "floor": "{0} rounded down", "modulo": "{0} modulo {1}", "date": "{0}",
        "all": "all of {0} hold", "any": "one of {0} holds",
    },
}  # fmt: skip


class Sentence:
    """Says a condition in words. `param(name)` gives a parameter with its value, `unit(name)` says whether its unit is there
    already."""

    def __init__(
        self, schema: Schema, lang: str = "zh", param: Callable[[str], str] | None = None, unit: Callable[[str], bool] = lambda _: False
    ) -> None:
        self.schema, self.lang = schema, "zh" if lang.startswith("zh") else "en"
        self.param = param or (lambda name: name)
        self.unit = unit
        self._and, self._or = ("，且", "，或") if self.lang == "zh" else (" and ", " or ")

    def _title(self, path: str) -> str:
        bare = path.removeprefix("parent.")
        title = self.schema.title(bare)
        return title if title != bare else bare.rpartition(".")[2]

    def _value(self, node: t.Node, other: t.Node) -> str:
        values = self._values(node, other)
        if isinstance(node, t.Literal) and values:
            return f"“{values[node.value]}”" if self.lang == "zh" else f'"{node.value}"'
        return self.say(node)

    def _values(self, node: t.Node, other: t.Node) -> Mapping[str, str]:
        """The values of the enum a text is compared with."""
        if isinstance(node, t.Literal) and isinstance(node.value, str):
            for candidate in t.walk(other):
                path = getattr(candidate, "path", "")
                spec = self.schema.get(path)
                if spec is None and isinstance(candidate, t.Var):
                    spec = next((f for s in self.schema.top.values() for f in s.fields if f.name == path and node.value in f.values), None)
                if spec and node.value in spec.values:
                    return spec.values
        return {}

    def say(self, node: t.Node) -> str:
        zh = self.lang == "zh"
        match node:
            case t.Literal(value=value):
                return f"“{value}”" if isinstance(value, str) and zh else show(value, self.lang)
            case t.Fact(path=path):
                return self._title(path)
            case t.Var(path=path):
                spec = next((f for s in self.schema.top.values() for f in s.fields if f.name == path), None)
                return spec.title if spec and spec.title else path
            case t.Param(name=name):
                return self.param(name)
            case t.Today():
                return "判定日" if zh else "the decision date"
            case t.Compare(op="=", left=a, right=t.Literal(value=bool(flag))):
                return self.say(a) if flag else self.say(t.Not(a))
            case t.Compare(op=op, left=a, right=b):
                table = _DATE_OPS if a.type.kind == "date" and op in _DATE_OPS["zh"] else _OPS
                gap = "" if zh else " "
                return f"{self._value(a, b)}{gap}{table[self.lang][op]}{gap}{self._value(b, a)}"
            case t.And(items=items):
                return self._and.join(self._part(i) for i in items)
            case t.Or(items=items):
                return self._or.join(self._part(i) for i in items)
            case t.Not(item=t.Fact() as fact):
                return f"{'非' if zh else 'not '}{self.say(fact)}"
            case t.Not(item=item):
                return f"不满足（{self.say(item)}）" if zh else f"not ({self.say(item)})"
            case t.Neg(item=item):
                return f"-{self.say(item)}"
            case t.Arith(op=op, left=a, right=b):
                sign = {"*": "×", "/": "÷", "-": "−"}.get(op, op)
                return f"{self.say(a)} {sign} {self.say(b)}"
            case t.If(test=test, then=a, other=b):
                return (
                    f"若{self.say(test)}则{self.say(a)}否则{self.say(b)}"
                    if zh
                    else f"if {self.say(test)} then {self.say(a)} else {self.say(b)}"
                )
            case t.Filter(source=source, cond=cond):
                return f"{self.say(source)}（{self.say(cond)}）" if zh else f"{self.say(source)} where {self.say(cond)}"
            case t.Path(source=source, name=name):
                return f"{self.say(source)}的{self.say(t.Var('', name))}" if zh else f"{name} of {self.say(source)}"
            case t.Quantified(kind=kind, source=source, cond=cond):
                word = {"some": "有一项", "every": "每一项"}[kind] if zh else kind
                return f"{self.say(source)}中{word}{self.say(cond)}" if zh else f"{word} of {self.say(source)} has {self.say(cond)}"
            case t.Call(func="years" | "months" | "days", args=(t.Param(name=name) as given,)) if self.unit(name):
                return self.say(given)  # the value brings its unit: no second one behind it
            case t.Call(func=func, args=args):
                return _CALLS[self.lang][func].format(*(self.say(a) for a in args))
            case t.ListOf(items=items):
                return ("、" if zh else ", ").join(self.say(i) for i in items)
        return str(node)

    def _part(self, node: t.Node) -> str:
        text = self.say(node)
        if not isinstance(node, t.And | t.Or):
            return text
        return f"（{text}）" if self.lang == "zh" else f"({text})"
