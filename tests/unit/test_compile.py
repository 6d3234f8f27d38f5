"""The compiled reading: every operator and function on known, unknown and absent values, exactly."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

import pytest

from siquan.core.rules import functions as fn
from siquan.core.rules.check import Scope, check
from siquan.core.rules.compile import compile_all, compile_one, source_of
from siquan.core.rules.parse import SyntaxFault, parse
from siquan.core.rules.tree import ANY, BOOLEAN, DATE, NUMBER, TEXT, Type
from siquan.core.rules.values import ABSENT, Duration, Rows, Span

TODAY = dt.date(2026, 11, 23)
ROW = Type("record", fields=(("a", NUMBER), ("pay", Type("number", floor=True)), ("ok", BOOLEAN), ("on", DATE), ("who", TEXT)))
FACTS = {
    "t": BOOLEAN, "f": BOOLEAN, "u": BOOLEAN, "gone": BOOLEAN, "n": NUMBER, "x": NUMBER, "none": NUMBER, "half": NUMBER, "d": DATE,
    "dx": DATE, "word": TEXT, "code": Type("enum", values=("甲", "乙")), "xs": Type("list", item=ROW), "ys": Type("list", item=ROW),
    "away": Type("list", item=ROW), "ux": Type("list", item=ROW), "tags": Type("list", item=TEXT), "span": NUMBER, "odd": ANY,
    "empty": Type("list", item=ROW),
}  # fmt: skip
VALUES: dict[str, Any] = {
    "t": True, "f": False, "u": None, "gone": ABSENT, "n": 7, "x": None, "none": ABSENT, "half": Fraction(1, 2), "d": dt.date(2024, 2, 29),
    "dx": None, "word": "维修", "code": "乙", "away": ABSENT, "ux": None, "span": Span(3, 6), "odd": "x", "empty": Rows((), True),
    "xs": Rows(({"a": 1, "pay": 5, "ok": True, "on": TODAY, "who": "张"}, {"a": -2, "pay": Fraction(5, 2), "ok": False, "on": ABSENT, "who": "李"}), True),
    "ys": Rows(({"a": 1, "pay": 5, "ok": True}, {"a": 4, "pay": 1, "ok": None}, {"a": None, "pay": 2, "ok": False}), False),
    "tags": Rows(("A", "B", "A", None), True),
}  # fmt: skip
PARAMS = {"p": 5, "pu": None, "pn": ABSENT}
SCOPE = Scope(FACTS, {"p": NUMBER, "pu": NUMBER, "pn": NUMBER})


def run(text: str, **facts: Any) -> Any:
    node = check(parse(text), SCOPE, text)
    return compile_one(node)({**VALUES, **facts}.get, PARAMS.get, TODAY)


@pytest.mark.parametrize("a", ["t", "f", "u"])
@pytest.mark.parametrize("b", ["t", "f", "u"])
def test_kleene_tables(a: str, b: str) -> None:
    """The truth tables of FEEL and SQL, written out."""
    rank = {"f": 0, "u": 1, "t": 2}
    value = {0: False, 1: None, 2: True}
    assert run(f"{a} and {b}") is value[min(rank[a], rank[b])]
    assert run(f"{a} or {b}") is value[max(rank[a], rank[b])]
    assert run(f"not({a})") is value[2 - rank[a]]
    assert run(f"{a} and {b} and t") is value[min(rank[a], rank[b])]
    assert run(f"f or {a} or {b}") is value[max(rank[a], rank[b])]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("n > 6", True), ("n >= 7", True), ("n < 7", False), ("n != 7", False), ("7 = n", True), ("6 < n", True), ("n > 6.5", True),
        ("half = 0.5", True), ("half < 1", True), ("x > 1", None), ("x = x", None), ("none > 1", False), ("none != 1", False),
        ("none = none", False), ("not(none = 1)", True), ("x = none", False), ("gone", False), ("gone or u", None), ("gone = true", False),
        ("t = true", True), ("t != f", True), ('word = "维修"', True), ("code = 乙", True), ("code in (甲, 乙)", True), ("d < today", True),
        ("dx < today", None), ('d = date("2024-02-29")', True), ("n in [1..7]", True), ("n in [1..7)", False), ("n in (7..9]", False),
        ("n in (> 7, 7)", True), ("n between p and 9", True), ("n > pu", None), ("n > pn", False), ("n not in (1, 2)", True),
        ("x in (1, 2)", None), ("none not in (1, 2)", True), ("span > 2", True), ("span > 6", False), ("span > 4", None), ("span = 7", False),
        ("span = 4", None), ("span >= 3", True), ("span != 7", True), ("5 < span", None), ("span < span", None), ('odd = "x"', True),
        ("odd > 1", None), ("true", True), ("null", None), ("xs = xs", None), ("tags != ys.who", None),
    ],
)  # fmt: skip
def test_comparisons(text: str, value: Any) -> None:
    assert run(text) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("n + 1", 8), ("n - 10", -3), ("n * half", Fraction(7, 2)), ("n / 2", Fraction(7, 2)), ("n / 7", 1), ("n / 0", None), ("-n", -7),
        ("n ** 2", 49), ("2 ** -1", Fraction(1, 2)), ("0 ** -1", None), ("n ** half", None), ("n ** 100000000", None), ("x + 1", None),
        ("none + 1", ABSENT), ("x + none", ABSENT), ("span + 1", Span(4, 7)), ("span - span", Span(-3, 3)), ("span * 2", Span(6, 12)),
        ("span * -1", Span(-6, -3)), ("span * 0", 0), ("span / 2", Span(Fraction(3, 2), 3)), ("1 / span", None), ("span * span", None),
        ("10 - span", Span(4, 7)), ("floor(half)", 0), ("floor(-half)", -1), ("floor(span)", Span(3, 6)), ("abs(-n)", 7), ("abs(span)", None),
        ("modulo(-7, 3)", 2), ("modulo(n, 0)", None), ("modulo(n, 2.5)", 2), ("d + years(1)", dt.date(2025, 2, 28)),
        ("d - days(1)", dt.date(2024, 2, 28)), ("d + months(half)", None), ("d + months(none)", ABSENT), ("d + years(9000)", None),
        ("today - d", Duration(days=998)), ('@"P1M" + @"P2D"', Duration(1, 2)), ('2 * @"P1M"', Duration(2, 0)), ('word + "费"', "维修费"),
        ("years between(d, today)", 2), ("months between(d, today)", 32), ("days between(today, d)", -998), ("years between(dx, d)", None),
        ('years between(date("2008-02-29"), date("2026-02-28"))', 18), ("earliest(d, today)", dt.date(2024, 2, 29)),
        ("latest(d, dx)", None), ("if t then 1 else 2", 1), ("if u then 1 else 1", None), ("if gone then 1 else 2", 2),
        ("present(n)", True), ("present(x)", None), ("present(none)", False), ("absent(none)", True), ("absent(x)", None),
        ("present(pn)", False), ("present(away)", False), ("max(1, n, half)", 7), ("min(none, 3)", 3), ("min(x, 3)", Span(None, 3)),
    ],
)  # fmt: skip
def test_arithmetic_is_exact(text: str, value: Any) -> None:
    got = run(text)
    assert got == value and type(got) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("count(xs)", 2), ("count(xs[ok])", 1), ("count(xs[a > 0 or ok])", 1), ("count(ys)", Span(3, None)), ("count(ys[ok])", Span(1, None)),
        ("count(ys) > 2", True), ("count(ys) > 3", None), ("count(ys) < 3", False), ("count(ys[ok]) >= 1", True), ("count(ys[ok]) = 0", False),
        ("count(away)", 0), ("count(ux)", None), ("count(empty) = 0", True), ("sum(xs.pay)", Fraction(15, 2)), ("sum(xs.a)", -1),
        ("sum(ys.pay)", Span(8, None)), ("sum(ys.pay) > 7", True), ("sum(ys.a)", None), ("sum(ys[ok].a)", None), ("sum(empty.a)", 0),
        ("min(xs.a)", -2), ("max(xs.a)", 1), ("min(ys.a)", Span(None, 1)), ("max(ys.a) > 3", True), ("min(empty.a)", ABSENT),
        ("min(xs.on)", TODAY), ("mean(xs.a)", Fraction(-1, 2)), ("mean(ys.a)", None), ("mean(empty.a)", ABSENT),
        ("some x in xs satisfies x.ok", True), ("every x in xs satisfies x.ok", False), ("every x in xs satisfies x.pay > 1", True),
        ("some y in ys satisfies y.ok", True), ("some y in ys satisfies y.a > 9", None), ("every y in ys satisfies y.pay > 1", False),
        ("every y in ys satisfies y.pay > 0", None), ("some x in empty satisfies true", False), ("every x in empty satisfies false", True),
        ("some x in ux satisfies x.ok", None), ('list contains(tags, "A")', True), ('list contains(tags, "Z")', None), ("word in tags", None),
        ('list contains(xs.who, "Z")', False), ("count(distinct values(tags))", Span(2, 3)), ("count(distinct values(xs))", Span(0, 2)),
        ("all(xs.ok)", False), ("any(xs.ok)", True), ("count(xs[on = today])", 1), ("count(xs[present(on)])", 1),
        ("count(xs[count(ys[a > self.n or pay > 0]) > 0])", 2), ("count(xs[count(ys[who = item.who]) > 0])", Span(0, 2)),
        ("count(tags[item = \"A\"])", Span(2, 3)),
    ],
)  # fmt: skip
def test_lists_finished_and_not(text: str, value: Any) -> None:
    assert run(text) == value


def test_an_inner_filter_reads_the_outer_row() -> None:
    rank = Type("list", item=Type("record", fields=(("rank", NUMBER),)))
    scope = Scope({**FACTS, "zs": rank}, {})
    text = "count(xs[count(zs[rank > a]) = 1])"
    node = check(parse(text), scope, text)
    facts = {**VALUES, "zs": Rows(({"rank": 0},), True)}
    assert compile_one(node)(facts.get, PARAMS.get, TODAY) == 1  # a = -2 only
    text = "some x² in xs satisfies some class in zs satisfies class.rank > x².a"
    node = check(parse(text), scope, text)
    assert compile_one(node)(facts.get, PARAMS.get, TODAY) is True


def test_one_function_for_many_conditions_reads_each_name_once() -> None:
    nodes = [check(parse(x), SCOPE, x) for x in ("n > 1 and n < p", "n + p", "code = 甲")]
    together, facts, params = compile_all(nodes)
    assert together(VALUES.get, PARAMS.get, TODAY) == (False, 12, False)
    assert (facts, params) == (("n", "code"), ("p",))
    assert source_of(nodes)[0].count("F('n')") == 1


def test_texts_never_become_code() -> None:
    text = r'''word = "\");import os;(\"" or word = "'''  + "维修" + '"'
    assert run(text) is True
    assert run('word = "\\n{}\\\\"') is False


def test_wide_conditions_compile() -> None:
    text = " or ".join(f"n = {i}" for i in range(600)) + " or " + " and ".join(f"x > {i}" for i in range(600))
    assert run(text) is True
    assert run(text, n=-1) is None


@pytest.mark.parametrize(
    ("head", "tail", "most"),
    [
        ("not(", ")", 28), ("(if ", " then t else f)", 28), ("(t and (f or ", "))", 14), ("floor(abs(", ") + 0)", 19),
        ("every v in xs satisfies (", ")", 28), ("count(xs[", "]) > 0", 18),
    ],
)  # fmt: skip
def test_the_deepest_that_parses_compiles(head: str, tail: str, most: int) -> None:
    """Python nests 200 brackets and no more."""
    inner = "n" if "abs" in head else "t"
    run(head * most + inner + tail * most, xs=Rows((), True))
    with pytest.raises(SyntaxFault):
        run(head * 60 + inner + tail * 60)


def test_wrong_types_at_run_time_are_unknown_and_never_raise() -> None:
    """Facts come typed; what a parameter or a parent hands over may not be."""
    odd: list[Any] = [True, 3, Fraction(1, 3), TODAY, "x", Duration(1, 0), Rows((1, "x", None), False), {"a": 1}, ABSENT, None, Span(1, None)]
    for a in odd:
        for b in odd:
            for op in ("=", "!=", "<", "<=", ">", ">="):
                assert fn.compare(op, a, b) in (True, False, None)
            for op in "+-*/":
                fn.arith(op, a, b)
            fn.arith("**", a, b)
            fn.contains(a, b), fn.between("days", a, b), fn.edge_date("latest", a, b), fn.modulo(a, b)
        for one in (fn.truth, fn.count, fn.total, fn.least, fn.mean, fn.distinct, fn.floor, fn.absolute, fn.present, fn.as_date, fn.negate):
            one(a)
        fn.period("days", a), fn.lookup(a, "x.y"), fn.project(a, "x"), fn.some(a, fn.truth), fn.every(a, fn.truth)
