"""Two engines, one verdict: drawn rule sets and facts through the loader, both engines and a third, naive reading.

The naive interpreter at the top is written from the truth tables of FEEL and SQL (unknown is null) and from design
part 5, not from `rules.compile`; it walks the checked tree.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from siquan.core.engine.definition import Binder
from siquan.core.errors import Where
from siquan.core.rules import tree as t
from siquan.core.rules.decide import RuleSet, Situation, decide
from siquan.core.rules.decision import Decision
from siquan.core.rules.durable import available
from siquan.core.rules.facts import FactSet, Reader, staleness
from siquan.core.rules.parameters import ParameterBook
from siquan.core.rules.values import ABSENT, Duration, Rows, months_between, shift, years_between
from siquan.core.spec.read import read_parameters, read_ruleset
from siquan.core.spec.source import parse_yaml

#: Rule sets drawn per test; each is decided on several fact sets. More by hand: SIQUAN_EXAMPLES=3000 pytest ...
EXAMPLES = int(os.environ.get("SIQUAN_EXAMPLES", "260"))
WORLDS = 6
ON = dt.date(2026, 11, 23)
drawn = settings(
    max_examples=EXAMPLES, deadline=None,
    suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate],
)  # fmt: skip


# The naive reading

Bounds = tuple[Any, Any]  # a number between the two, None is open


def kleene_and(truths: list[bool | None]) -> bool | None:
    return False if False in truths else None if None in truths else True


def kleene_or(truths: list[bool | None]) -> bool | None:
    return True if True in truths else None if None in truths else False


def kleene_not(truth: bool | None) -> bool | None:
    return {True: False, False: True, None: None}[truth]


class Likely:
    """A list as far as it is known: rows that are in it, rows that may be, and whether there may be more."""

    def __init__(self, sure: list[Any], maybe: list[Any], complete: bool) -> None:
        self.sure, self.maybe, self.complete = sure, maybe, complete


class Naive:
    def __init__(self, fact: Callable[[str], Any], param: Callable[[str], Any]) -> None:
        self.fact, self.param = fact, param
        self.filters: list[Any] = []
        self.names: list[tuple[str, Any]] = []

    def truth(self, node: t.Node) -> bool | None:
        value = self.value(node)
        return False if value is ABSENT else value if value in (True, False) and isinstance(value, bool) else None

    def value(self, node: t.Node) -> Any:
        return getattr(self, f"on_{type(node).__name__}")(node)

    def on_Literal(self, node: t.Literal) -> Any:
        return node.value

    def on_Fact(self, node: t.Fact) -> Any:
        return self.fact(node.path)

    def on_Param(self, node: t.Param) -> Any:
        return self.param(node.name)

    def on_Today(self, node: t.Today) -> Any:
        return ON

    def on_Var(self, node: t.Var) -> Any:
        if node.var.strip("^"):
            row = [v for n, v in self.names if n == node.var][-1]
        else:
            row = self.filters[-1 - len(node.var)]
        return field(row, node.path)

    def on_Compare(self, node: t.Compare) -> bool | None:
        return self.compared(node.op, self.value(node.left), self.value(node.right))

    def compared(self, op: str, a: Any, b: Any) -> bool | None:
        if a is ABSENT or b is ABSENT:
            return False
        if op == "!=":
            return kleene_not(self.compared("=", a, b))
        if op in (">", ">="):
            return self.compared("<" if op == ">" else "<=", b, a)
        if op == "<=":
            return kleene_not(self.compared("<", b, a))
        if a is None or b is None:
            return None
        if isinstance(a, tuple) or isinstance(b, tuple):
            (al, ah), (bl, bh) = bounds(a), bounds(b)
            if op == "<":
                if ah is not None and bl is not None and ah < bl:
                    return True
                return False if al is not None and bh is not None and al >= bh else None
            apart = (ah is not None and bl is not None and ah < bl) or (bh is not None and al is not None and bh < al)
            return False if apart else None
        if isinstance(a, Rows | Likely):
            one, two = likely(a), likely(b)
            if not (one.complete and two.complete):
                return None
            same = [None if isinstance(x, dict) else self.compared("=", x, y) for x, y in zip(one.sure, two.sure, strict=False)]
            return kleene_and([len(one.sure) == len(two.sure), *same])
        return bool(a < b) if op == "<" else bool(a == b)

    def on_And(self, node: t.And) -> bool | None:
        return kleene_and([self.truth(i) for i in node.items])

    def on_Or(self, node: t.Or) -> bool | None:
        return kleene_or([self.truth(i) for i in node.items])

    def on_Not(self, node: t.Not) -> bool | None:
        return kleene_not(self.truth(node.item))

    def on_If(self, node: t.If) -> Any:
        test = self.truth(node.test)
        return None if test is None else self.value(node.then if test else node.other)

    def on_Neg(self, node: t.Neg) -> Any:
        return self.calculated("*", self.value(node.item), -1)

    def on_Arith(self, node: t.Arith) -> Any:
        return self.calculated(node.op, self.value(node.left), self.value(node.right))

    def calculated(self, op: str, a: Any, b: Any) -> Any:
        if a is ABSENT or b is ABSENT:
            return ABSENT
        if a is None or b is None:
            return None
        if isinstance(a, tuple) or isinstance(b, tuple):
            return self.between_bounds(op, a, b)
        if isinstance(a, dt.date) and isinstance(b, Duration):
            return shift(a, b if op == "+" else Duration(-b.months, -b.days))
        if isinstance(a, dt.date) and isinstance(b, dt.date):
            return Duration(days=(a - b).days)
        if op == "/":
            return None if b == 0 else Fraction(a) / Fraction(b)
        return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b}[op]()

    def between_bounds(self, op: str, a: Any, b: Any) -> Any:
        (al, ah), (bl, bh) = bounds(a), bounds(b)
        if op == "-":
            bl, bh, op = (None if bh is None else -bh), (None if bl is None else -bl), "+"
        if op == "+":
            return closed(None if al is None or bl is None else al + bl, None if ah is None or bh is None else ah + bh)
        if op == "/" and isinstance(b, tuple) or isinstance(a, tuple) and isinstance(b, tuple):
            return None
        factor = Fraction(b if isinstance(a, tuple) else a)
        if op == "/":
            if factor == 0:
                return None
            factor = 1 / factor
        if factor == 0:
            return 0
        low, high = (None if e is None else e * factor for e in (a if isinstance(a, tuple) else b))
        return closed(low, high) if factor > 0 else closed(high, low)

    def on_ListOf(self, node: t.ListOf) -> Likely:
        return Likely([self.value(i) for i in node.items], [], True)

    def rows(self, node: t.Node) -> Likely | None:
        value = self.value(node)
        return None if value is None else likely(value)

    def sieve(self, node: t.Node, test: Callable[[Any], bool | None]) -> Likely | None:
        rows = self.rows(node)
        if rows is None:
            return None
        sure = [(r, test(r)) for r in rows.sure]
        maybe = [r for r, x in sure if x is None] + [r for r in rows.maybe if test(r) is not False]
        return Likely([r for r, x in sure if x], maybe, rows.complete)

    def on_Filter(self, node: t.Filter) -> Likely | None:
        def test(row: Any) -> bool | None:
            self.filters.append(row)
            try:
                return self.truth(node.cond)
            finally:
                self.filters.pop()

        return self.sieve(node.source, test)

    def on_Quantified(self, node: t.Quantified) -> bool | None:
        def test(row: Any) -> bool | None:
            self.names.append((node.var, row))
            try:
                found = self.truth(node.cond)
                return found if node.kind == "some" else kleene_not(found)
            finally:
                self.names.pop()

        kept = self.sieve(node.source, test)
        some = None if kept is None else exists(kept)
        return some if node.kind == "some" else kleene_not(some)

    def on_Path(self, node: t.Path) -> Any:
        rows = self.rows(node.source)
        if rows is None:
            return None
        return Likely([field(r, node.name) for r in rows.sure], [field(r, node.name) for r in rows.maybe], rows.complete)

    def on_Call(self, node: t.Call) -> Any:
        func, args = node.func, node.args
        if func in ("present", "absent"):
            value = self.value(args[0])
            return None if value is None else (value is ABSENT) is (func == "absent")
        if func in ("count", "sum", "min", "max", "distinct values", "mean"):
            return self.aggregate(func, self.rows(args[0]), args[0])
        values = [self.value(a) for a in args]
        if func == "list contains":
            if values[1] is None or values[1] is ABSENT:
                return None if values[1] is None else False
            kept = self.sieve(args[0], lambda row: self.compared("=", row, values[1]))
            return None if kept is None else exists(kept)
        if func in ("earliest", "latest"):
            known = [v for v in values if v is not ABSENT]
            return None if None in known else ABSENT if not known else (min if func == "earliest" else max)(known)
        if ABSENT in values:
            return ABSENT
        if None in values:
            return None
        if func.endswith(" between"):
            a, b = values
            return {"days": (b - a).days, "months": months_between(a, b), "years": years_between(a, b)}[func.split()[0]]
        if func in ("days", "months", "years"):
            n = values[0]
            whole = not isinstance(n, tuple) and Fraction(n).denominator == 1 and abs(n) <= 400_000
            return None if not whole else Duration(days=int(n)) if func == "days" else Duration(int(n) * (12 if func == "years" else 1))
        if func == "floor":
            low, high = bounds(values[0])
            return closed(None if low is None else low // 1, None if high is None else high // 1)
        if any(isinstance(v, tuple) for v in values):
            return None
        return abs(values[0]) if func == "abs" else None if values[1] == 0 else Fraction(values[0]) % Fraction(values[1])

    def aggregate(self, func: str, rows: Likely | None, source: t.Node) -> Any:
        if rows is None:
            return None
        if func == "count":
            return closed(len(rows.sure), len(rows.sure) + len(rows.maybe) if rows.complete else None)
        sure, maybe = [v for v in rows.sure if v is not ABSENT], [v for v in rows.maybe if v is not ABSENT]
        if func == "distinct values":
            known = list(dict.fromkeys(v for v in sure if v is not None))
            return Likely(known, [v for v in sure if v is None] + [v for v in maybe if v not in known], rows.complete)
        if func == "sum":
            if None in sure or None in maybe:
                return None
            low = sum(sure) + sum(v for v in maybe if v < 0)
            high = sum(sure) + sum(v for v in maybe if v > 0)
            if rows.complete:
                return closed(low, high)
            item = source.type.item
            return closed(low, None) if item is not None and item.floor else None
        if func == "mean":
            if None in sure or rows.maybe or not rows.complete:
                return None
            return Fraction(sum(sure)) / len(sure) if sure else ABSENT
        pick = min if func == "min" else max
        if None in sure or rows.maybe or not rows.complete:
            known = [v for v in sure if v is not None]
            if not known or any(isinstance(v, dt.date) for v in known):
                return None
            return (None, pick(known)) if func == "min" else (pick(known), None)
        return pick(sure) if sure else ABSENT


def likely(value: Any) -> Likely:
    if isinstance(value, Rows):
        return Likely(list(value.items), [], value.complete)
    return Likely([], [], True) if value is ABSENT else value


def exists(rows: Likely) -> bool | None:
    return True if rows.sure else False if rows.complete and not rows.maybe else None


def bounds(value: Any) -> Bounds:
    return value if isinstance(value, tuple) else (value, value)


def closed(low: Any, high: Any) -> Any:
    return low if low is not None and low == high else (low, high)


def field(row: Any, path: str) -> Any:
    return row if not path else row.get(path)


# What is drawn: rule sets as YAML text

FACTS = """
flag: {type: boolean, by: resident}
确认: {type: boolean, absent: 无}
n: {type: integer}
m: {type: integer, max_age: 30}
欠费: {type: decimal, min: 0, absent: 无, unit: 元}
d: {type: date, absent: 无}
e: {type: date}
level: {type: enum, values: {clean: 无, warned: 警告, 留党察看: 留党察看, none: 没有}}
kind: {type: enum, values: [甲, 乙], absent: 无}
note: {type: text, absent: 无}
who: {type: text}
rec:
  type: record
  absent: 无
  max_age: p.days
  fields: {no: {type: text}, on: {type: date, absent: 无}, months: {type: integer}, done: {type: boolean}}
xs:
  type: list
  absent: 无
  fields:
    name: {type: text}
    amount: {type: decimal, min: 0}
    score: {type: integer}
    kind: {type: enum, values: [甲, 乙]}
    ok: {type: boolean}
    on: {type: date, absent: 无}
    n: {type: integer}
ys: {type: list, fields: {rank: {type: integer}}}
tags: {type: list}
"""
DERIVED = """
age: years between(d, today)
both: busy and flag
busy: count(xs[ok]) > 2
paid: sum(xs.amount)
late: rec.on + months(3) < today
open: deep and not(late)
deep: both or late
deeper: not(open) or (present(busy) and deep != true)
far: n * n
"""
PARAMETERS = """
p.limit: {2020-01-01: {value: 5}, 2030-01-01: {value: 50}}
p.half: {2020-01-01: {value: 0.5}}
p.day: {2020-01-01: {value: 2020-02-29}}
p.word: {2020-01-01: {value: 维修}}
p.on: {2020-01-01: {value: true}}
p.none: {2019-01-01: {value: 7}, 2020-01-01: {value: null}}
p.later: {2099-01-01: {value: 3}}
p.days: {2020-01-01: {value: 30}}
p.huge: {2020-01-01: {value: 10000000000000000000000000000000000000000}}
"""
NUMBERS = ["n", "m", "欠费", "rec.months", "p.limit", "p.half", "p.none", "p.later", "p.huge", "age", "paid", "far", "0", "1", "5", "2.5", "12"]
DATES = ["d", "e", "rec.on", "today", "p.day", 'date("2024-02-29")', '@"2026-11-23"']
TRUTHS = ["flag", "确认", "rec.done", "p.on", "both", "busy", "late", "open", "deep", "deeper", "true", "false", "null"]
ROW: dict[str, Any] = {"n": ["amount", "score", "n", "self.n", "5", "p.limit"], "d": ["on", "today", "d"], "t": ["ok", "flag"], "k": "kind", "s": "name"}
TOP: dict[str, Any] = {"n": NUMBERS, "d": DATES, "t": TRUTHS, "k": "level", "s": "note"}
OWN = re.compile(r'(?<![\w."])(?=(?:amount|score|name|ok|on|kind|n)(?![\w("]))')
OPS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
EQUALS = st.sampled_from(["=", "!="])


def pick(items: Sequence[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(items)


def rows_of(depth: int, row: bool) -> st.SearchStrategy[str]:
    if row or depth <= 0:
        return st.just("xs")
    return st.one_of(st.just("xs"), truths(depth - 1, True).map(lambda c: f"xs[{c}]"))


def numbers(depth: int, row: bool = False) -> st.SearchStrategy[str]:
    leaf = pick((ROW if row else TOP)["n"])
    if depth <= 0:
        return leaf
    sub, rows = numbers(depth - 1, row), rows_of(depth - 1, row)
    return st.one_of(
        leaf, leaf,
        st.tuples(sub, pick(["+", "-", "*", "/"]), sub).map(lambda x: f"({' '.join(x)})"),
        rows.map(lambda r: f"count({r})"),
        st.tuples(pick(["sum", "min", "max", "mean"]), rows, pick(["amount", "score"])).map(lambda x: f"{x[0]}({x[1]}.{x[2]})"),
        st.just("count(distinct values(xs.kind))"),
        st.tuples(pick(["floor", "abs"]), sub).map(lambda x: f"{x[0]}({x[1]})"),
        sub.map(lambda a: f"modulo({a}, 3)"), sub.map(lambda a: f"-({a})"),
        st.tuples(pick(["days", "months", "years"]), dates(0, row), dates(0, row)).map(lambda x: f"{x[0]} between({x[1]}, {x[2]})"),
        st.tuples(truths(depth - 1, row), sub, sub).map(lambda x: f"(if {x[0]} then {x[1]} else {x[2]})"),
    )  # fmt: skip


def dates(depth: int, row: bool = False) -> st.SearchStrategy[str]:
    leaf = pick((ROW if row else TOP)["d"])
    if depth <= 0:
        return leaf
    sub = dates(depth - 1, row)
    return st.one_of(
        leaf, leaf,
        st.tuples(sub, pick(["+", "-"]), pick(["days", "months", "years"]), numbers(0, row)).map(lambda x: f"({x[0]} {x[1]} {x[2]}({x[3]}))"),
        st.tuples(pick(["earliest", "latest"]), sub, sub).map(lambda x: f"{x[0]}({x[1]}, {x[2]})"),
    )  # fmt: skip


def truths(depth: int, row: bool = False) -> st.SearchStrategy[str]:
    names = ROW if row else TOP
    num, day, word, code = numbers(depth - 1, row), dates(depth - 1, row), names["s"], names["k"]
    codes = ["甲", "乙"] if row else ["clean", "warned", "留党察看"]
    two = f"{codes[0]}, {codes[1]}"
    leaves = [
        pick(names["t"]),
        st.tuples(num, OPS, num).map(" ".join),
        st.tuples(day, OPS, day).map(" ".join),
        st.tuples(st.just(code), EQUALS, pick(codes)).map(" ".join),
        pick([f"{code} in ({two})", f'{code} in ["{codes[0]}"]', f"{code} not in ({two})", f'{word} in ("维修", p.word)', f'{word} = "x"']),
        st.tuples(num, num, num).map(lambda x: f"{x[0]} between {x[1]} and {x[2]}"),
        st.tuples(num, pick(["[1..9]", "(0..p.limit]", "[p.half..7)", "(> 3, 1)", "([1..2], 8)"])).map(" in ".join),
        st.tuples(pick(["present", "absent"]), pick(["on", "amount"] if row else ["d", "note", "rec", "rec.on", "rec.no", "xs", "欠费", "n", "kind"])).map(lambda x: f"{x[0]}({x[1]})"),
    ]  # fmt: skip
    if not row:
        leaves += [
            pick(['list contains(tags, "A")', "list contains(tags, note)", "list contains(xs.kind, kind)", 'who in tags', "xs = xs", "tags = tags", "xs != ys", 'tags = ["A", who]']),
            pick(["kind = 甲", "flag = true", "flag != 确认", "kind != 乙", 'who = "张三"', "note = who"]),
        ]
        if depth > 0:
            inner = truths(depth - 1, True)
            leaves += [
                st.tuples(pick(["some", "every"]), inner).map(lambda x: f"({x[0]} x in xs satisfies {OWN.sub('x.', x[1])})"),
                inner.map(lambda c: f"count(xs[count(ys[rank > score or item.rank = 0]) > 1 and {c}]) > 1"),
                inner.map(lambda c: f"(some y in ys satisfies count(xs[score > y.rank or {c}]) > 0)"),
            ]
    leaf = st.one_of(leaves)
    if depth <= 0:
        return leaf
    sub = truths(depth - 1, row)
    return st.one_of(
        leaf, leaf,
        st.lists(sub, min_size=2, max_size=4).map(lambda xs: "(" + " and ".join(xs) + ")"),
        st.lists(sub, min_size=2, max_size=4).map(lambda xs: "(" + " or ".join(xs) + ")"),
        sub.map(lambda c: f"not({c})"),
    )  # fmt: skip


def scalars(depth: int) -> st.SearchStrategy[str]:
    """Conditions durable_rules matches itself, wide and nested."""
    leaf = st.one_of(
        pick(["flag", "确认", "rec.done", "p.on", "flag = false", "确认 != true", "level = clean", "level != warned", "kind = 甲"]),
        pick(["level in (clean, 留党察看)", "kind not in (甲)", "present(n)", "absent(欠费)", "present(rec.on)", "absent(kind)"]),
        st.tuples(pick(["n", "m", "欠费", "rec.months"]), OPS, pick(["0", "1", "5", "2.5", "p.limit", "p.half", "p.none", "p.later", "p.huge", "-1"])).map(" ".join),
        st.tuples(pick(["d", "e", "rec.on"]), OPS, pick(["p.day", 'date("2024-02-29")', 'date("2026-11-22")', 'date("9999-12-31")'])).map(" ".join),
        pick(["n in [1..9]", "欠费 in (0.5..7)", "m between 1 and p.limit", "5 < n", "p.half >= 欠费"]),
    )
    if depth <= 0:
        return leaf
    sub = scalars(depth - 1)
    return st.one_of(
        st.lists(sub, min_size=2, max_size=4).map(lambda xs: "(" + " and ".join(xs) + ")"),
        st.lists(sub, min_size=2, max_size=4).map(lambda xs: "(" + " or ".join(xs) + ")"),
        sub.map(lambda c: f"not({c})"),
    )  # fmt: skip


OUTCOMES = ["REJECT", "BLOCK", "EVIDENCE", "WARN", "PASS", "PRIORITY", "TARGET"]
BASES = ["STATUTE", "OWNERS", "POLICY", "LOCAL", ""]
SAYS = ["欠{欠费}元，{count(xs[ok])}户", "日期{d}，上限{p.limit}", "{level}：{note}", "{rec.on} {age} {tags}"]


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


@st.composite
def lists(draw: Any) -> str:
    """A rule list as YAML."""
    out = ["ruleset: drawn", "hit_policy: C"]
    if draw(st.booleans()):
        out.append(f"reads_as: [{{basis: OWNERS, reads_as: POLICY, when: {quoted(draw(truths(0)))}}}]")
    out.append("list:")
    wide = draw(st.booleans())
    for i in range(draw(st.integers(2, 5))):
        when = draw(scalars(3) if wide else truths(2))
        outcome = draw(pick(OUTCOMES))
        if draw(st.integers(0, 4)) == 0:
            outcome = f"if {draw(truths(0))} then {outcome} else {draw(pick(OUTCOMES))}"
        out += [
            f"  - id: R{i}", f"    when: {quoted(when)}", f"    outcome: {quoted(outcome)}", f"    say: {quoted(draw(pick(SAYS)))}",
            f"    basis: {draw(pick(BASES)) or quoted('')}",
        ]  # fmt: skip
    return "\n".join(out)


CELLS = {
    "n": ["-", "> 5", "<= 5", "[1..9]", "not(1, 2)", "> p.limit", "0, > 7"],
    "level": ["-", "clean", "warned, 留党察看", "not(clean)"],
    "d": ["-", "< today", ">= p.day", 'not(< date("2020-01-01"))'],
    "flag": ["-", "true", "false"],
    "deeper": ["-", "true", "false"],
}


@st.composite
def tables(draw: Any) -> str:
    """A decision table as YAML."""
    policy = draw(pick(["U", "A", "P", "F", "R", "O", "C", "C#", "C+", "C<", "C>"]))
    listed = policy in ("U", "A", "P", "F", "R", "O", "C") and draw(st.booleans())
    names = draw(st.lists(pick(list(CELLS)), min_size=1, max_size=3, unique=True))
    out = ["ruleset: drawn", f'hit_policy: "{policy}"', f"inputs: [{', '.join(names)}]"]
    if listed:
        out.append(f"outputs: {{amount: [{', '.join(draw(st.permutations(['1', '2', '3'])))}], who: null}}")
    if draw(st.booleans()):
        out.append(f"default: {'{amount: 2, who: 无}' if listed else 2}")
    out.append("rows:")
    for i in range(draw(st.integers(1, 5))):
        cells = ", ".join(f"{n}: {quoted(draw(pick(CELLS[n])))}" for n in names)
        value = draw(st.integers(1, 3))
        gives = f"out: {{amount: {value}, who: {draw(pick(['甲', '乙']))}}}" if listed else f"out: {value}, priority: {draw(st.integers(1, 3))}"
        out.append(f"  - {{id: T{i}, {cells}, {gives}}}")
    return "\n".join(out)


def load(text: str) -> tuple[RuleSet, ParameterBook]:
    """Through the loader, as a file of its own."""
    body = "\n".join(f"  {line}" for line in FACTS.splitlines())
    derived = "\n".join(f"  {line}" for line in DERIVED.splitlines())
    whole = f"{text}\nfacts:\n{body}\nderived:\n{derived}\n"
    spec = read_ruleset("drawn.drawn", parse_yaml(whole, "drawn.yaml"), Where("drawn.yaml"), alone=True)
    book = ParameterBook(read_parameters(parse_yaml(PARAMETERS, "parameters.yaml")))
    _, rulesets = Binder([], [spec], book.types()).bind()
    return rulesets["drawn.drawn"], book


NUMBER_VALUES = [0, 1, -1, 2, 3, 5, 6, 7, 12, 100, 10**40, -(10**40), int("9" * 60), 2**53, 2**53 + 1]
DECIMAL_VALUES = ["0", "0.5", "2.5", "5", "7.25", "1/3", "0.1", 3, 10**40, "1e20", "9" * 60]
DATE_VALUES = ["2026-11-23", "2026-11-22", "2024-02-29", "2020-02-29", "1950-01-31", "2026-08-23", "9999-12-31", "0001-01-01"]
TEXT_VALUES = ["维修", "x", "张三", "A", "“引号”：{}", '"', "长" * 300]


def world(rnd: random.Random) -> dict[str, Any]:
    """Everything known, lists complete."""
    pick = rnd.choice

    def maybe(value: Any) -> Any:
        return "none" if rnd.random() < 0.2 else value

    def row() -> dict[str, Any]:
        return {
            "name": pick(TEXT_VALUES), "amount": pick(DECIMAL_VALUES), "score": pick(NUMBER_VALUES), "kind": pick(["甲", "乙"]),
            "ok": pick([True, False]), "on": maybe(pick(DATE_VALUES)), "n": pick(NUMBER_VALUES),
        }  # fmt: skip

    return {
        "flag": pick([True, False]), "确认": maybe(pick([True, False])), "n": pick(NUMBER_VALUES), "m": pick(NUMBER_VALUES),
        "欠费": maybe(pick(DECIMAL_VALUES)), "d": maybe(pick(DATE_VALUES)), "e": pick(DATE_VALUES),
        "level": pick(["clean", "warned", "留党察看", "none"]), "kind": maybe(pick(["甲", "乙"])), "note": maybe(pick(TEXT_VALUES)),
        "who": pick(TEXT_VALUES),
        "rec": maybe({"no": pick(TEXT_VALUES), "on": maybe(pick(DATE_VALUES)), "months": pick(NUMBER_VALUES), "done": pick([True, False])}),
        "xs": maybe({"value": [row() for _ in range(rnd.randrange(5))], "complete": True}),
        "ys": {"value": [{"rank": pick(NUMBER_VALUES)} for _ in range(rnd.randrange(4))], "complete": True},
        "tags": {"value": [pick(TEXT_VALUES) for _ in range(rnd.randrange(4))], "complete": True},
    }  # fmt: skip


def forget(rnd: random.Random, known: Any, path: str = "") -> Any:
    """Less knowledge of the same world: facts dropped, null or stale, rows missing, lists not complete."""
    out: dict[str, Any] = {}
    for name, value in known.items():
        chance = rnd.random()
        if chance < 0.2:
            continue
        if chance < 0.3:
            out[name] = None
        elif isinstance(value, dict) and "complete" in value:
            whole = rnd.random() < 0.4
            rows = [r for r in value["value"] if whole or rnd.random() < 0.6]
            rows = [forget(rnd, r) if isinstance(r, dict) and rnd.random() < 0.5 else r for r in rows]
            out[name] = {"value": rows, "complete": whole} if rnd.random() < 0.7 or whole else rows
        elif isinstance(value, dict):
            out[name] = {"value": forget(rnd, value), "as_of": rnd.choice(["2026-11-23", "2026-10-24", "2026-10-23"])}
        elif name == "m":
            out[name] = {"value": value, "as_of": rnd.choice(["2026-11-01", "2026-10-01"])}
        else:
            out[name] = value
    return out


def facts_of(ruleset: RuleSet, book: ParameterBook, raw: dict[str, Any]) -> FactSet:
    stated = Reader(ruleset.schema, ON).read(raw)

    def days(text: str) -> Any:
        return int(text) if text.isdigit() else book.value(text, ON)

    return FactSet(ruleset.schema, stated, ON, staleness(ruleset.schema, stated, ON, days))


def compiled_truths(ruleset: RuleSet, facts: FactSet, book: ParameterBook) -> list[bool | None]:
    here = Situation(ruleset, facts, book, ON, ())
    return list(ruleset._run(here.fact, here.param, ON))


def naive_truths(ruleset: RuleSet, facts: FactSet, book: ParameterBook) -> list[bool | None]:
    def fact(path: str) -> Any:
        stated = facts.stated.get(path)
        if path in ruleset.derived and (stated is None or stated.value is None):
            return naive.value(ruleset.derived[path])
        return facts.value(path)

    naive = Naive(fact, lambda name: book.value(name, ON))
    return [naive.truth(r.condition) for r in ruleset.rules]


def texts(ruleset: RuleSet) -> list[str]:
    return [r.spec.when or str(r.spec.cells) for r in ruleset.rules]


@drawn
@given(st.one_of(lists(), lists(), tables()), st.integers(0, 2**32))
def test_three_readings_agree_and_knowledge_never_turns_a_truth(text: str, seed: int) -> None:
    """Both engines and the naive reading agree on every rule; a decision is the same twice; what is true or false
    with unknowns stays so in the world that was half forgotten, and what passed still passes."""
    ruleset, book = load(text)
    rnd = random.Random(seed)
    for _ in range(WORLDS):
        full = world(rnd)
        part = forget(rnd, full)
        # what is derived may be stated, in both alike
        stated = {name: rnd.choice([True, False]) for name in ("busy", "deep", "both") if rnd.random() < 0.2}
        full, part = full | stated, part | stated
        before = after = None
        for raw in (part, full):
            facts = facts_of(ruleset, book, raw)
            decision = decide(ruleset, facts, book, ON, both=True)
            assert decision == decide(ruleset, facts, book, ON, both=True)
            truths = compiled_truths(ruleset, facts, book)
            assert truths == naive_truths(ruleset, facts, book), (texts(ruleset), raw)
            before, after = after, (truths, decision)
        assert before is not None and after is not None
        for (then, now), rule in zip(zip(before[0], after[0], strict=True), texts(ruleset), strict=True):
            assert then is None or then is now, (rule, part, full)
        safe(before[1], after[1])


def safe(before: Decision, after: Decision) -> None:
    """`after` knows more than `before`."""
    if before.outcome in ("PASS", "WARN"):
        assert after.outcome in ("PASS", "WARN")
    if before.outcome == "REJECT":
        assert after.outcome == "REJECT"
    if before.outcome == "PASS":
        assert after.value == before.value
    certain = any(f.result == "hit" and f.outcome == "EVIDENCE" for f in before.findings)
    # what even full knowledge leaves unknown (a division by zero, a null) nobody can be asked for
    if before.outcome == "EVIDENCE" and not certain and not any(f.result == "unknown" for f in after.findings):
        assert any(a.blocking for a in before.asks)
    assert not (after.outcome == "REJECT" and after.asks)


def test_both_engines_ran() -> None:
    ruleset, book = load("ruleset: drawn\nlist:\n  - {id: A, when: flag, outcome: WARN}")
    decision = decide(ruleset, facts_of(ruleset, book, {"flag": True}), book, ON)
    assert decision.engines == (("compiled", "durable") if available() else ("compiled",))
