"""Atoms and conjunctions: truth tables against a naive Kleene evaluator, classification, exact embedding."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siquan.core.rules import atoms as at
from siquan.core.rules.atoms import Atoms, Scale, TooWide, WrongValue, scales
from siquan.core.rules.tree import (
    BOOLEAN,
    DATE,
    NUMBER,
    TEXT,
    And,
    Arith,
    Call,
    Compare,
    Fact,
    If,
    In,
    Interval,
    ListOf,
    Literal,
    Neg,
    Node,
    Not,
    Or,
    Param,
    Quantified,
    Subject,
    Today,
    Type,
)
from siquan.core.rules.values import ABSENT

LEVEL = Type("enum", ("无", "警告", "撤职"))
A, B, C = (Fact(n, type=BOOLEAN) for n in "abc")
N, D, E = Fact("n", type=NUMBER), Fact("d", type=DATE), Fact("处分", type=LEVEL)


def kleene(node: Node, facts: dict[str, Any]) -> bool | None:
    """Strong Kleene logic over boolean facts."""
    match node:
        case Fact(path=path):
            value: bool | None = facts[path]
            return value
        case Literal(value=value):
            return value
        case Not(item=item):
            inner = kleene(item, facts)
            return None if inner is None else not inner
        case And(items=items):
            got = [kleene(i, facts) for i in items]
            return False if False in got else None if None in got else True
        case Or(items=items):
            got = [kleene(i, facts) for i in items]
            return True if True in got else None if None in got else False
    raise AssertionError(node)


def holds(table: Atoms, conjunctions: at.Conjunctions, facts: dict[str, Any]) -> bool:
    return any(all(facts[table[i].node.path] is truth for i, truth in c) for c in conjunctions)  # type: ignore[attr-defined]


def check(node: Node, names: str) -> None:
    table = Atoms()
    true, false = table.dnf(node, True), table.dnf(node, False)
    for side in (true, false):
        for c in side:
            assert len({i for i, _ in c}) == len(c), "a contradiction was kept"
            assert not any(o < c for o in side), "a superset was kept"
    for values in itertools.product((True, False, None), repeat=len(names)):
        facts = dict(zip(names, values, strict=True))
        want = kleene(node, facts)
        assert holds(table, true, facts) is (want is True), (node, facts)
        assert holds(table, false, facts) is (want is False), (node, facts)


def test_every_formula_of_depth_two() -> None:
    literals: list[Node] = [A, B, C, Not(A), Not(B), Not(C), Literal(None)]
    inner = [op((x, y)) for op in (And, Or) for x, y in itertools.combinations(literals, 2)]
    for x, y in itertools.product(inner[::3], literals + inner[::2]):
        check(And((x, y)), "abc")
        check(Not(Or((x, Not(y)))), "abc")


booleans = st.recursive(
    st.sampled_from([A, B, C, Fact("e", type=BOOLEAN), Literal(True), Literal(False), Literal(None)]),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=1, max_size=3).map(lambda i: And(tuple(i))),
        st.lists(inner, min_size=1, max_size=3).map(lambda i: Or(tuple(i))),
    ),
    max_leaves=9,
)


@given(booleans)
@settings(max_examples=300, deadline=None)
def test_random_formulas(node: Node) -> None:
    check(node, "abce")


def test_excluded_middle_stays_unknown_and_contradictions_go() -> None:
    table = Atoms()
    assert set(table.dnf(Or((A, Not(A))))) == {frozenset({(0, True)}), frozenset({(0, False)})}
    assert table.dnf(And((A, Not(A)))) == ()
    assert table.dnf(Or((A, And((A, B))))) == (frozenset({(0, True)}),)


def test_constants() -> None:
    table = Atoms({"on": True, "unset": None})
    assert table.dnf(Literal(True)) == (frozenset(),)
    assert table.dnf(Literal(True), False) == ()
    assert table.dnf(Literal(None)) == table.dnf(Literal(None), False) == ()
    assert table.dnf(Param("on", type=BOOLEAN)) == (frozenset(),)
    assert len(table) == 0
    assert table.sides(Param("unset", type=BOOLEAN)) == (
        (frozenset({(0, True)}),),
        (frozenset({(0, False)}),),
    )


def test_too_wide_becomes_one_atom() -> None:
    wide = And(tuple(Or((Fact(f"x{i}", type=BOOLEAN), Fact(f"y{i}", type=BOOLEAN))) for i in range(7)))
    table = Atoms()
    with pytest.raises(TooWide):
        table.dnf(wide)
    table = Atoms()
    table.sides(A)
    true, false = table.sides(wide)
    assert [a.node for a in table.atoms] == [A, wide]
    assert table[1].test is None
    assert (true, false) == ((frozenset({(1, True)}),), (frozenset({(1, False)}),))
    table.sides(Fact("x0", type=BOOLEAN))
    assert len(table) == 3


def test_atoms_are_shared_by_structure() -> None:
    table = Atoms({"p": 6})
    for node in (
        Compare(">", N, Literal(6), start=1),
        Compare("<", Literal(6), N),
        Compare(">", N, Param("p")),
    ):
        table.sides(Not(node))
    assert len(table) == 1
    table.sides(Compare("=", Call("f", ()), Literal(1)))
    table.sides(Compare("=", Call("f", ()), Literal(True)))
    assert len(table) == 3


PARAMS = {
    "six": 6,
    "half": Decimal("0.5"),
    "code": "警告",
    "day": dt.date(2026, 1, 1),
    "unknown": None,
    "gone": ABSENT,
}
SCALAR = [
    A,
    Compare(">=", N, Literal(6)),
    Compare(">=", Literal(Fraction(1, 3)), N),
    Compare("<", N, Neg(Literal(5))),
    Compare("<", N, Param("half")),
    Compare("=", A, Literal(False)),
    Compare("!=", E, Literal("警告")),
    Compare("=", Param("code"), E),
    Compare("<=", D, Param("day")),
    Call("present", (N,)),
    Call("absent", (Fact("t", type=TEXT),)),
]
COMPUTED = [
    Compare("<", E, Literal("警告")),
    Compare("=", Fact("t", type=TEXT), Literal("甲")),
    Compare("=", N, Literal("6")),
    Compare("=", N, Literal(True)),
    Compare("=", N, Literal(None)),
    Compare("=", N, Param("unknown")),
    Compare("=", N, Param("gone")),
    Compare("=", N, Param("nobody")),
    Compare("<", N, Fact("m", type=NUMBER)),
    Compare("<", Arith("+", N, Literal(1)), Literal(6)),
    Compare("<", D, Today()),
    Compare("=", Fact("x"), Literal(1)),
    If(A, B, C, type=BOOLEAN),
    Quantified("some", "x", Fact("xs"), A),
    Call("present", (Fact("r", type=Type("record")),)),
    In(N, (Literal(1), Fact("m", type=NUMBER))),
    In(N, (Interval(None, None),)),
]


@pytest.mark.parametrize("node", SCALAR, ids=str)
def test_scalar(node: Node) -> None:
    table = Atoms(PARAMS)
    table.sides(node)
    assert [a.test is not None for a in table.atoms] == [True]


@pytest.mark.parametrize("node", COMPUTED, ids=str)
def test_computed(node: Node) -> None:
    table = Atoms(PARAMS)
    table.sides(node)
    assert [(a.node, a.test) for a in table.atoms] == [(node, None)]


def test_facts_left_to_python_and_facts_of_two_kinds() -> None:
    table = Atoms(computed=["n"])
    table.sides(Or((Compare(">", N, Literal(1)), A)))
    assert [a.test is not None for a in table.atoms] == [False, True]
    table.sides(Compare(">", Fact("a", type=NUMBER), Literal(1)))
    assert table[2].test is None


def test_membership_becomes_comparisons() -> None:
    table = Atoms(PARAMS)
    node = In(
        N,
        (
            Interval(Literal(1), Param("six"), True, False),
            ListOf((Literal(9),)),
            Compare(">", Subject(), Literal(20)),
        ),
    )
    true, false = table.sides(node)
    assert [(a.test.op, a.test.value) for a in table.atoms if a.test] == [
        (">=", 1),
        ("<", 6),
        ("=", 9),
        (">", 20),
    ]
    assert set(true) == {frozenset({(0, True), (1, True)}), frozenset({(2, True)}), frozenset({(3, True)})}
    assert set(false) == {frozenset({(i, False), (2, False), (3, False)}) for i in (0, 1)}
    assert table.sides(In(N, node.tests, negated=True)) == (false, true)


numbers = st.one_of(
    st.integers(-40, 40),
    st.fractions(-20, 20, max_denominator=12),
    st.sampled_from([10**40, -(10**40), Fraction(10**40, 3), 2**52, 2**53 + 1, Fraction(1, 10**40)]),
)


@given(st.lists(numbers, min_size=1, max_size=6), st.lists(numbers, min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_numbers_keep_their_order_against_constants(constants: list[Any], values: list[Any]) -> None:
    scale = Scale("n", "number", constants)
    for c in filter(scale.fits, constants):
        assert abs(scale.encode(c)) <= at.LIMIT
        for v in values:
            assert (scale.encode(v) > scale.encode(c)) is (v > c)
            assert (scale.encode(v) == scale.encode(c)) is (v == c)
            assert at.LOW < scale.encode(v) < at.HIGH


def test_what_fits() -> None:
    scale = Scale("n", "number", [6, Fraction(1, 3), 10**40, Fraction(1, 10**40)])
    assert [scale.fits(c) for c in (6, Fraction(1, 3), 10**40, Fraction(1, 10**40))] == [
        True,
        True,
        False,
        False,
    ]
    assert scale.encode(Decimal("0.5")) == 3


def test_other_kinds() -> None:
    table = Atoms()
    for node in (
        Compare("=", E, Literal("警告")),
        Compare(">", D, Literal(dt.date(2026, 1, 1))),
        A,
        Call("present", (N,)),
    ):
        table.sides(node)
    by = scales(table.atoms)
    assert [by["处分"].encode(c) for c in ("警告", "无", "撤职")] == [0, -1, -1]
    assert by["d"].encode(dt.date(2026, 1, 2)) == by["d"].encode(dt.date(2026, 1, 1)) + 1
    assert [by["a"].encode(v) for v in (True, False)] == [1, 0]
    assert by["n"].encode(5) == 10
    for path, wrong in (
        ("a", 1),
        ("n", True),
        ("n", 1.5),
        ("n", "5"),
        ("d", dt.datetime(2026, 1, 1)),
        ("处分", 1),
    ):
        with pytest.raises(WrongValue, match=path):
            by[path].encode(wrong)
