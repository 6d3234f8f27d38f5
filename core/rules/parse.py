"""Text to tree. Names are left as written; `rules.check` resolves them."""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from decimal import Decimal
from importlib import resources
from typing import Any

from lark import Lark, Token, Transformer, Tree, UnexpectedInput, v_args

from siquan.core.errors import SiquanError, Where
from siquan.core.rules import tree as t
from siquan.core.rules.values import Duration, exact


class SyntaxFault(SiquanError):
    """`{text}` is not an expression: unexpected `{found}` at character {at}"""

    code = "SQ101"
    zh = "表达式 `{text}` 有误：第 {at} 个字符处的 `{found}` 不合语法"
    help_en = "{hint}"
    help_zh = "{hint}"


class TooLong(SyntaxFault):
    """the expression `{text}` has {count} characters, more than {most}"""

    code = "SQ116"
    zh = "表达式 `{text}` 有 {count} 个字，超过 {most} 个"
    help_en = "make several rules of it, or name a part of it as a derived fact"
    help_zh = "请拆成几条规则，或者把其中一部分写成推导事实"


class TooDeep(SyntaxFault):
    """the expression `{text}` nests {depth} levels, more than {most}"""

    code = "SQ117"
    zh = "表达式 `{text}` 套了 {depth} 层，超过 {most} 层"
    help_en = "make several rules of it, or name a part of it as a derived fact"
    help_zh = "请拆成几条规则，或者把其中一部分写成推导事实"


#: Characters of an expression, and levels of brackets, `not` and `+`; the readings walk it recursively.
LONGEST, DEEPEST = 20_000, 60
#: Characters of it that a message quotes.
QUOTED = 80
_FULL_WIDTH = {"，": ",", "：": ":", "（": "(", "）": ")", "＞": ">", "＜": "<", "＝": "=", "“": '"', "”": '"', "；": ";"}


def _hint(text: str, at: int) -> str:
    found = text[at : at + 1]
    if found in _FULL_WIDTH:
        return f"全角“{found}”请改为半角 {_FULL_WIDTH[found]}"
    if "==" in text:
        return "相等用一个等号 ="
    if "&&" in text or "||" in text:
        return "用 and、or 连接条件"
    if "'" in text:
        return '文字用双引号 "…"'
    return "可用：and or not(...) = != < <= > >= in [a..b] between … and …、xs[条件]、some/every … in … satisfies …"


def quoted(text: str, at: int = 0) -> str:
    """The text as a message shows it: what stands around the place, when there is too much of it."""
    start = max(min(at - QUOTED // 2, len(text) - QUOTED), 0)
    return text if len(text) <= QUOTED else "…" * bool(start) + text[start : start + QUOTED] + "…" * (start + QUOTED < len(text))


_DURATION = re.compile(r"^(-)?P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?$")


def duration(text: str) -> Duration | None:
    """ISO 8601 `P1Y6M`, `P30D`; None when it is not one."""
    found = _DURATION.match(text)
    if not found or text in ("P", "-P"):
        return None
    years, months, days = (int(x or 0) for x in found.groups()[1:])
    value = Duration(years * 12 + months, days)
    return -value if found.group(1) else value


@v_args(meta=True, inline=True)
class _Build(Transformer):  # type: ignore[misc]
    def _at(self, meta: Any) -> dict[str, Any]:
        return {"start": getattr(meta, "start_pos", 0), "end": getattr(meta, "end_pos", 0)}

    def start(self, meta: Any, node: t.Node) -> t.Node:
        return node

    def cell(self, meta: Any, node: Any) -> Any:
        return node if isinstance(node, tuple) else (node,)

    def tests(self, meta: Any, *items: t.Node) -> Any:
        return tuple(items)

    def unary(self, meta: Any, op: Token, right: t.Node) -> t.Node:
        return t.Compare(str(op), t.Subject(), right, **self._at(meta))

    def if_(self, meta: Any, a: t.Node, b: t.Node, c: t.Node) -> t.Node:
        return t.If(a, b, c, **self._at(meta))

    def quantified(self, meta: Any, kind: Token, var: Token, source: t.Node, cond: t.Node) -> t.Node:
        return t.Quantified(str(kind), str(var), source, cond, **self._at(meta))

    def or_(self, meta: Any, *items: t.Node) -> t.Node:
        return t.Or(items, **self._at(meta))

    def and_(self, meta: Any, *items: t.Node) -> t.Node:
        return t.And(items, **self._at(meta))

    def negation(self, meta: Any, item: t.Node) -> t.Node:
        return t.Not(item, **self._at(meta))

    def compare(self, meta: Any, a: t.Node, op: Token, b: t.Node) -> t.Node:
        return t.Compare(str(op), a, b, **self._at(meta))

    def between(self, meta: Any, a: t.Node, low: t.Node, high: t.Node) -> t.Node:
        return t.In(a, (t.Interval(low, high),), **self._at(meta))

    def _tests_of(self, target: t.Node) -> tuple[t.Node, ...]:
        # `x in ("a", "b")` and `x in ["a", "b"]` both list the tests
        if isinstance(target, t.Call) and target.func == "(tests)":
            return target.args
        if isinstance(target, t.ListOf):
            return target.items
        return (target,)

    def in_(self, meta: Any, a: t.Node, target: t.Node) -> t.Node:
        return t.In(a, self._tests_of(target), **self._at(meta))

    def not_in(self, meta: Any, a: t.Node, target: t.Node) -> t.Node:
        return t.Not(t.In(a, self._tests_of(target), **self._at(meta)), **self._at(meta))

    def arith(self, meta: Any, a: t.Node, op: Token, b: t.Node) -> t.Node:
        return t.Arith(str(op), a, b, **self._at(meta))

    def neg(self, meta: Any, sign: Token, a: t.Node) -> t.Node:
        return t.Neg(a, **self._at(meta)) if sign == "-" else a

    def filter_(self, meta: Any, source: t.Node, cond: t.Node) -> t.Node:
        return t.Filter(source, cond, **self._at(meta))

    def path(self, meta: Any, source: t.Node, name: Token) -> t.Node:
        return t.Path(source, str(name), **self._at(meta))

    def number(self, meta: Any, token: Token) -> t.Node:
        if len(token) > DIGITS:
            raise SyntaxFault(text=quoted(str(token)), found=str(token)[:8], at=1, hint=f"数字最多 {DIGITS} 位")
        return t.Literal(exact(Decimal(str(token))), type=t.NUMBER, **self._at(meta))

    def string(self, meta: Any, token: Token) -> t.Node:
        return t.Literal(json.loads(str(token).replace("␣", " "), strict=False), type=t.TEXT, **self._at(meta))

    def true(self, meta: Any) -> t.Node:
        return t.Literal(True, type=t.BOOLEAN, **self._at(meta))

    def false(self, meta: Any) -> t.Node:
        return t.Literal(False, type=t.BOOLEAN, **self._at(meta))

    def null(self, meta: Any) -> t.Node:
        return t.Literal(None, **self._at(meta))

    def subject(self, meta: Any) -> t.Node:
        return t.Subject(**self._at(meta))

    def at(self, meta: Any, token: Token) -> t.Node:
        return _temporal(json.loads(str(token)), self._at(meta))

    def name(self, meta: Any, token: Token) -> t.Node:
        return t.Name(str(token).replace("␣", " "), **self._at(meta))

    def call(self, meta: Any, func: Token, *args: t.Node | None) -> t.Node:
        name = " ".join(str(func).split())
        given = tuple(a for a in args if a is not None)
        if name in ("date", "duration") and len(given) == 1 and isinstance(given[0], t.Literal) and isinstance(given[0].value, str):
            return _temporal(given[0].value, self._at(meta))
        return t.Call(name, given, **self._at(meta))

    def group(self, meta: Any, *items: t.Node) -> t.Node:
        if len(items) == 1 and not (isinstance(items[0], t.Compare) and isinstance(items[0].left, t.Subject)):
            return items[0]
        return t.Call("(tests)", tuple(items), **self._at(meta))

    def open_range(self, meta: Any, low: t.Node, high: t.Node, close: Token) -> t.Node:
        return t.Interval(low, high, False, close == "]", **self._at(meta))

    def closed_range(self, meta: Any, low: t.Node, high: t.Node, close: Token) -> t.Node:
        return t.Interval(low, high, True, close == "]", **self._at(meta))

    def empty_list(self, meta: Any) -> t.Node:
        return t.ListOf((), **self._at(meta))

    def list_(self, meta: Any, *items: t.Node) -> t.Node:
        return t.ListOf(items, **self._at(meta))


def _temporal(text: str, at: dict[str, Any]) -> t.Node:
    period = duration(text)
    if period is not None:
        return t.Literal(period, type=t.DURATION, **at)
    try:
        return t.Literal(dt.date.fromisoformat(text), type=t.DATE, **at)
    except ValueError:
        raise SyntaxFault(text=text, found=text, at=1, hint="日期写作 2026-11-23，期间写作 P30D") from None


#: digits of a number, as many as a fact takes
DIGITS = 60


@functools.cache
def _parser(start: str) -> Lark:
    grammar = resources.files("siquan.core.rules").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", start=start, propagate_positions=True, maybe_placeholders=True)


def _depth(tree: Any) -> int:
    """How deep lark's tree is, by levels, without recursion."""
    level, depth = [tree], 0
    while level:
        level, depth = [c for node in level for c in node.children if isinstance(c, Tree)], depth + 1
    return depth


@functools.lru_cache(20_000)
def _tree(source: str, start: str) -> tuple[Any, int]:
    """The tree and its depth; too deep a one is not built. Trees are never changed, so one serves every reader: an editor
    parses the same sixty conditions at every change of one."""
    parsed = _parser(start).parse(source)
    depth = _depth(parsed)
    return (None if depth > DEEPEST else _Build().transform(parsed)), depth


def _run(text: str, start: str, where: Where | None, names: tuple[str, ...]) -> Any:
    if len(text) > LONGEST:
        raise TooLong(where, text=quoted(text), count=len(text), most=LONGEST)
    source = text
    for name in sorted((n for n in names if " " in n), key=len, reverse=True):
        source = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", name.replace(" ", "␣"), source)
    try:
        tree, depth = _tree(source, start)
        if depth > DEEPEST:
            raise TooDeep(where, text=quoted(text), depth=depth, most=DEEPEST)
        return tree
    except UnexpectedInput as fault:
        at = fault.pos_in_stream
        over = getattr(getattr(fault, "token", None), "type", "") == "$END"
        at = at if at is not None and 0 <= at < len(text) and not over else len(text)
        found = text[at : at + 8] or "…"
        raise SyntaxFault(where, text=quoted(text, at), found=found, at=at + 1, hint=_hint(text, at)) from None
    except SiquanError:
        raise
    except Exception as fault:  # lark wraps what a builder raised
        inner = getattr(fault, "orig_exc", None)
        known = inner.values if isinstance(inner, SiquanError) else {"found": str(inner or fault), "hint": _hint(text, 0)}
        at = text.find(known["found"]) + 1 or 1
        raise SyntaxFault(where, **{**known, "text": quoted(text, at), "at": at}) from None


def parse(text: str, where: Where | None = None, names: tuple[str, ...] = ()) -> t.Node:
    """One expression. `names` are known names that contain spaces. Raises SyntaxFault with file:line."""
    node = _run(text, "start", where, names)
    assert isinstance(node, t.Node)
    return node


def parse_cell(text: str, where: Where | None = None, names: tuple[str, ...] = ()) -> t.Node | None:
    """A unary test of a decision table, as a condition on `Subject`; None for `-` (any value)."""
    body = text.strip()
    if body in ("-", ""):
        return None
    inside = re.fullmatch(r"not\s*\((.*)\)", body, re.DOTALL)
    negated = inside is not None and _closed(inside.group(1))
    tests = _run(inside.group(1) if inside and negated else body, "cell", where, names)
    node: t.Node = t.In(t.Subject(), tuple(tests))
    return t.Not(node) if negated else node


def _closed(text: str) -> bool:
    """Whether no bracket of the text closes one that was opened before it."""
    level = 0
    for mark in re.sub(r'"(\\.|[^"\\])*"', "", text):
        level += (mark in "([") - (mark in ")]")  # a range may open with one and close with the other
        if level < 0:
            return False
    return True
