"""Text to tree: what the language takes, and the error a person sees for what it does not."""

from __future__ import annotations

import datetime as dt
import time
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siquan.core.errors import SiquanError, Where
from siquan.core.rules.parse import SyntaxFault, TooDeep, TooLong, duration, parse, parse_cell
from siquan.core.rules.tree import (
    And,
    Arith,
    Call,
    Compare,
    Filter,
    If,
    In,
    Interval,
    ListOf,
    Literal,
    Name,
    Node,
    Not,
    Or,
    Path,
    Quantified,
    Subject,
)
from siquan.core.rules.values import Duration

HERE = Where("rules/candidate.yaml", 12, 5)
A, B, C, X = (Name(n) for n in ("a", "b", "c", "x"))
ONE, TWO = Literal(1), Literal(2)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a and b or not c", Or((And((A, B)), Not(C)))),
        ("not(a or b)", Not(Or((A, B)))),
        ("a <= 1", Compare("<=", A, ONE)),
        ("a between 1 and 2 and b", And((In(A, (Interval(ONE, TWO),)), B))),
        ("a in (1, 2)", In(A, (ONE, TWO))),
        ("a in [1, 2]", In(A, (ONE, TWO))),
        ("a not in (1, 2)", Not(In(A, (ONE, TWO)))),
        ("a in (1..2]", In(A, (Interval(ONE, TWO, False, True),))),
        ("a in [1..2)", In(A, (Interval(ONE, TWO, True, False),))),
        ("a in (> 2, 1)", In(A, (Compare(">", Subject(), TWO), ONE))),
        ("a + b * c ** 2 - 1", Arith("-", Arith("+", A, Arith("*", B, Arith("**", C, TWO))), ONE)),
        ("if a then 1 else 2", If(A, ONE, TWO)),
        ("xs[a > 1].b", Path(Filter(Name("xs"), Compare(">", A, ONE)), "b")),
        ("some x in xs satisfies x.a = 1", Quantified("some", "x", Name("xs"), Compare("=", Name("x.a"), ONE))),
        ("every x in xs satisfies x", Quantified("every", "x", Name("xs"), X)),
        ("years between(a, b) >= 18", Compare(">=", Call("years between", (A, B)), Literal(18))),
        ("count(distinct  values(xs))", Call("count", (Call("distinct values", (Name("xs"),)),))),
        ('list contains(xs, "甲")', Call("list contains", (Name("xs"), Literal("甲")))),
        ("[]", ListOf(())),
        ("1.50", Literal(Fraction(3, 2))),
        ("欠费.月数 > 3", Compare(">", Name("欠费.月数"), Literal(3))),
        ('date("2024-02-29")', Literal(dt.date(2024, 2, 29))),
        ('@"P1Y6M"', Literal(Duration(18, 0))),
        ("order and income", And((Name("order"), Name("income")))),
        ('"a \\"b\\" \\u4e00"', Literal('a "b" 一')),
        ("null", Literal(None)),
    ],
)
def test_the_language(text: str, tree: Node) -> None:
    assert parse(text) == tree


def test_names_with_spaces_are_known_names_only() -> None:
    """A DMN model brings them; inside a text and inside a longer word they stay what they are."""
    names = ("Credit Score", "Score Limit")
    assert parse("Credit Score > Score Limit", names=names) == Compare(">", Name("Credit Score"), Name("Score Limit"))
    assert parse('a = "my Credit Score"', names=names) == Compare("=", A, Literal("my Credit Score"))
    with pytest.raises(SyntaxFault):
        parse("Credit Score > 1")


@pytest.mark.parametrize(
    ("cell", "tree"),
    [
        ("-", None),
        ("", None),
        ("> 5", In(Subject(), (Compare(">", Subject(), Literal(5)),))),
        ("[1..2]", In(Subject(), (Interval(ONE, TWO),))),
        ('"A","B"', In(Subject(), (Literal("A"), Literal("B")))),
        ('not("A","B")', Not(In(Subject(), (Literal("A"), Literal("B"))))),
        ('not ("A")', Not(In(Subject(), (Literal("A"),)))),
        ("< 1, > 2", In(Subject(), (Compare("<", Subject(), ONE), Compare(">", Subject(), TWO)))),
        ("not(a) or (b)", In(Subject(), (Or((Not(A), B)),))),
    ],
)
def test_unary_tests(cell: str, tree: Node | None) -> None:
    assert parse_cell(cell) == tree


@pytest.mark.parametrize(
    ("text", "found", "hint"),
    [
        ("a ＞ 1", "＞", "半角"),
        ("count（xs）", "（", "半角"),
        ("a == 1", "=", "等号"),
        ("a && b", "&", "and、or"),
        ("a = 'x'", "'", "双引号"),
        ("a >", "…", ""),
        ("(a", "…", ""),
        ("", "…", ""),
        ("a b", "b", ""),
        ("a > > 1", "> 1", ""),
        ('date("2026-13-01")', "2026-13-01", "2026-11-23"),
        ('"unfinished', '"', ""),
    ],
)
def test_a_mistake_says_where_and_what_to_do(text: str, found: str, hint: str) -> None:
    with pytest.raises(SyntaxFault) as caught:
        parse(text, HERE)
    fault = caught.value
    assert (fault.code, fault.where) == ("SQ101", HERE)
    assert str(fault.values["found"]).startswith(found)
    assert hint in fault.help("zh") and fault.help("zh")
    assert f"`{text}`" in fault.text("zh") and "rules/candidate.yaml:12" in fault.full("zh")


BAD = [
    "(" * 500 + "a" + ")" * 500, "(" * 500 + "a", "not " * 500 + "a", "not(" * 500 + "a" + ")" * 500, "a" + "+1" * 2000, "[" * 300, "[" * 300 + "]" * 300,
    "if a then " * 500 + "b", "a" + "[b" * 500 + "]" * 500, "(" * 10_000, "（" * 10_000, " or ".join(["a"] * 2000) + " or", "-" * 10_000 + "1",
    "x" * 5_000 + " ? ? " + "y" * 5_000, '"' + "a" * 10_000, '"' + "\\" * 9_999 + '"', "distinct " * 1_100, "a" * 30_000,
]  # fmt: skip


@pytest.mark.parametrize("read", [parse, parse_cell])
@pytest.mark.parametrize("text", BAD)
def test_too_deep_or_too_long_is_refused_soon_and_in_short(text: str, read: Any) -> None:
    parse("a")  # the grammar is read once
    begun = time.process_time()
    with pytest.raises(SyntaxFault) as caught:
        read(text, HERE)
    assert time.process_time() - begun < 1
    fault = caught.value
    assert fault.where == HERE
    for lang in ("en", "zh"):
        assert len(fault.full(lang)) < 400 and "`" in fault.text(lang) and fault.help(lang)


def test_what_is_too_much_is_said() -> None:
    with pytest.raises(TooLong) as long:
        parse("a" * 30_000)
    assert "30000" in long.value.text("en") and long.value.text("zh").endswith("超过 20000 个")
    with pytest.raises(TooDeep) as deep:
        parse_cell("not(" * 100 + "a" + ")" * 100)
    assert "more than 60" in deep.value.text("en") and "层" in deep.value.text("zh")


def test_a_long_text_is_quoted_around_the_fault() -> None:
    with pytest.raises(SyntaxFault) as caught:
        parse("a = 1 or " * 500 + "b == 2 or " + "a = 1 or " * 500)
    assert "`…" in caught.value.text("zh") and "b == 2" in caught.value.text("zh") and caught.value.values["at"] == 4504


def test_wide_is_not_deep() -> None:
    tree = parse(" or ".join(f"a = {i}" for i in range(1000)))
    assert isinstance(tree, Or) and len(tree.items) == 1000


@pytest.mark.parametrize(
    ("text", "value"),
    [("P30D", Duration(0, 30)), ("P1Y2M3D", Duration(14, 3)), ("-P1M", Duration(-1, 0)), ("P", None), ("30D", None), ("PT5H", None)],
)
def test_durations(text: str, value: Duration | None) -> None:
    assert duration(text) == value


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet='ab1 .,()[]"<>=+-*/@?！：（）且not andorin{}\n\t\\', max_size=40))
def test_any_text_parses_or_is_an_error_with_a_code(text: str) -> None:
    for read in (parse, parse_cell):
        try:
            read(text, HERE)
        except SiquanError as fault:
            assert fault.where == HERE and fault.full("zh") and fault.full("en")
