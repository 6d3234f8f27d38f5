"""The second reading against a naive Kleene evaluator, and what keeps the engine from crashing."""

from __future__ import annotations

import datetime as dt
import gc
import itertools
import random
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siquan.core.rules import durable as du
from siquan.core.rules.atoms import WrongValue
from siquan.core.rules.durable import (
    DurableContradiction,
    DurableFault,
    DurableMissing,
    DurableReading,
    available,
    fnv,
    names,
)
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
    In,
    Interval,
    ListOf,
    Literal,
    Node,
    Not,
    Or,
    Param,
    Type,
    walk,
)
from siquan.core.rules.values import ABSENT, Span

needs_durable = pytest.mark.skipif(not available(), reason="durable_rules is not installed")
pytestmark = needs_durable

LEVEL = Type("enum", ("无", "警告", "严重警告", "撤销党内职务"))
A, B, C = (Fact(n, type=BOOLEAN) for n in "abc")
N, M, D = Fact("欠费.月数", type=NUMBER), Fact("share", type=NUMBER), Fact("出生", type=DATE)
E, T = Fact("党纪处分", type=LEVEL), Fact("说明", type=TEXT)
PARAMS = {"上限": 6, "三分之二": Fraction(2, 3), "处分": "警告", "空": None, "无此值": ABSENT, "巨": 10**40}
OPS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
FLIP = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


class Naive:
    """The meaning, written once more and as plainly as possible."""

    def __init__(self, facts: dict[str, Any], params: dict[str, Any] | None = None) -> None:
        self.facts, self.params = facts, PARAMS if params is None else params

    def value(self, node: Node) -> Any:
        match node:
            case Literal(value=value):
                return value
            case Fact(path=path):
                return self.facts.get(path)
            case Param(name=name):
                return self.params.get(name)
            case Arith(op="+", left=left, right=right):
                a, b = self.value(left), self.value(right)
                return ABSENT if ABSENT in (a, b) else None if None in (a, b) else a + b
        return self.truth(node)

    def compare(self, op: str, a: Any, b: Any) -> bool | None:
        if a is ABSENT or b is ABSENT:
            return False
        if a is None or b is None:
            return None
        if isinstance(a, Span):
            if op in ("<", "<=") and b is not None:
                below = OPS[op](a.high, b) if a.high is not None else None
                return True if below else False if a.low is not None and not OPS[op](a.low, b) else None
            return None
        return OPS[op](a, b)

    def truth(self, node: Node) -> bool | None:
        match node:
            case Not(item=item):
                got = self.truth(item)
                return None if got is None else not got
            case And(items=items) | Or(items=items):
                stop = isinstance(node, Or)
                some = [self.truth(i) for i in items]
                return stop if stop in some else None if None in some else not stop
            case Compare(op=op, left=left, right=right):
                return self.compare(op, self.value(left), self.value(right))
            case In(left=left, tests=tests, negated=negated):
                any_of = self.truth(Or(tuple(self.member(left, t) for t in tests)))
                return any_of if not negated else None if any_of is None else not any_of
            case Call(func=func, args=(arg,)):
                value = self.value(arg)
                return None if value is None else (value is ABSENT) is (func == "absent")
            case _:
                got = self.value(node)
                return False if got is ABSENT else got

    def member(self, left: Node, test: Node) -> Node:
        match test:
            case Interval(low=low, high=high, low_closed=lc, high_closed=hc):
                ends = [(">=" if lc else ">", low), ("<=" if hc else "<", high)]
                return And(tuple(Compare(op, left, end) for op, end in ends if end is not None))
            case ListOf(items=items):
                return Or(tuple(Compare("=", left, i) for i in items))
        return Compare("=", left, test)


def chunks(reading: DurableReading) -> list[tuple[du.RuleSet, tuple[int, ...]]]:
    return [chunk for stage in reading._stages for chunk in stage.chunks]


def agree(name: str, rules: list[tuple[str, Node]], all_facts: list[dict[str, Any]]) -> DurableReading:
    reading = DurableReading(name, rules, PARAMS)
    for facts in all_facts:
        naive = Naive(facts)
        got = reading.decide(facts.get, naive.truth)
        assert got == {rule: naive.truth(node) for rule, node in rules}, facts
    return reading


def test_every_small_formula_over_every_fact() -> None:
    literals: list[Node] = [
        A,
        B,
        C,
        Not(A),
        Not(B),
        Compare(">=", N, Literal(6)),
        Compare("!=", E, Literal("警告")),
    ]
    formulas = [op((x, y)) for op in (And, Or) for x, y in itertools.combinations(literals, 2)]
    formulas += [And((x, Or((y, z)))) for x, y, z in itertools.combinations(literals[::2], 3)]
    formulas += [Not(f) for f in formulas[::3]] + [Literal(True), Literal(False), Literal(None)]
    rules = [(f"R{i}", f) for i, f in enumerate(formulas)]
    three = (True, False, None)
    domains = {
        "a": three,
        "b": three,
        "c": (True, None),
        "欠费.月数": (5, 6, ABSENT, None),
        "党纪处分": ("警告", "x", ABSENT),
    }
    facts = [dict(zip(domains, values, strict=True)) for values in itertools.product(*domains.values())]
    agree("small", rules, facts)


@pytest.mark.parametrize("op", list(OPS))
@pytest.mark.parametrize("constant", [6, Fraction(2, 3), -1, 0])
def test_comparisons_at_the_edge(op: str, constant: Any) -> None:
    near = [constant + d for d in (-1, 0, 1, Fraction(1, 10**9), -Fraction(1, 10**9), 10**40, -(10**40))]
    node = Compare(op, N, Literal(constant))
    mirrored = Compare(FLIP.get(op, op), Literal(constant), N)
    rules: list[tuple[str, Node]] = [("r", node), ("not", Not(node)), ("mirror", mirrored)]
    agree("edge", rules, [{"欠费.月数": v} for v in (*near, None, ABSENT)])


def test_membership_dates_presence_and_parameters() -> None:
    day = dt.date(2008, 11, 23)
    rules: list[tuple[str, Node]] = [
        ("in", In(E, (Literal("警告"), Literal("严重警告")))),
        ("not in", In(E, (ListOf((Param("处分"), Literal("无"))),), negated=True)),
        ("range", In(N, (Interval(Literal(1), Param("上限"), False, True),))),
        ("days", In(D, (Interval(Literal(day), Literal(day + dt.timedelta(3))),))),
        ("young", Compare(">", D, Literal(day))),
        ("present", Call("present", (N,))),
        ("absent", And((Call("absent", (T,)), Not(Call("absent", (D,)))))),
        ("share", Compare(">=", M, Param("三分之二"))),
        ("unknown", Compare(">=", N, Param("空"))),
        ("absent parameter", Compare(">=", N, Param("无此值"))),
        ("huge", Compare(">=", N, Param("巨"))),
        ("two facts", Compare("<", Arith("+", N, Literal(1)), M)),
    ]
    values: dict[str, list[Any]] = {
        "欠费.月数": [None, ABSENT, 0, 1, 6, 10**41],
        "share": [None, Fraction(2, 3), Fraction(1, 2), 1],
        "出生": [None, ABSENT, day, day + dt.timedelta(4)],
        "党纪处分": [None, ABSENT, "无", "警告", "别的"],
        "说明": [None, ABSENT, "五"],
    }
    rng = random.Random(7)
    facts = [{p: rng.choice(v) for p, v in values.items()} for _ in range(400)]
    reading = agree("mixed", rules, facts)
    assert len(reading.computed_atoms) == 4


numbers = st.one_of(
    st.integers(-9, 9),
    st.fractions(-3, 3, max_denominator=7),
    st.sampled_from([10**40, -(10**40), Fraction(10**40, 3), 2**53]),
)
days = st.dates(dt.date(2020, 1, 1), dt.date(2020, 1, 5))
codes = st.sampled_from(["无", "警告", "严重警告", "撤销党内职务", "别处来的"])
OF = {
    "number": numbers,
    "date": days,
    "enum": codes,
    "boolean": st.booleans(),
    "text": st.sampled_from(["", "甲"]),
}
FACTS = [A, B, N, M, D, Fact("d2", type=DATE), E, T]


def comparison(fact: Fact) -> st.SearchStrategy[Node]:
    kind = fact.type.kind
    ops = st.sampled_from(["=", "!="] if kind in ("enum", "boolean") else list(OPS))
    constants = OF[kind].map(Literal)
    return st.one_of(
        st.builds(Compare, ops, st.just(fact), constants),
        st.builds(lambda op, c: Compare(op, c, fact), ops, constants),
        st.builds(
            lambda cs, n: In(fact, tuple(cs), n), st.lists(constants, min_size=1, max_size=3), st.booleans()
        ),
    )


leaves = st.one_of(
    st.sampled_from([f for f in FACTS if f.type.kind != "text"]).flatmap(comparison),
    st.sampled_from([A, B, C, Literal(True), Literal(None)]),
    st.builds(
        lambda f, fact: Call(f, (fact,)), st.sampled_from(["present", "absent"]), st.sampled_from(FACTS)
    ),
    st.builds(lambda op, c: Compare(op, Arith("+", N, M), Literal(c)), st.sampled_from(["<", ">="]), numbers),
)
formulas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda i: And(tuple(i))),
        st.lists(inner, min_size=2, max_size=3).map(lambda i: Or(tuple(i))),
    ),
    max_leaves=7,
)
case = st.fixed_dictionaries(
    {f.path: st.one_of(st.none(), st.just(ABSENT), OF[f.type.kind], OF[f.type.kind]) for f in (*FACTS, C)}
)


@given(st.lists(formulas, min_size=1, max_size=6), st.lists(case, min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_random_rules_and_facts(conditions: list[Node], cases: list[dict[str, Any]]) -> None:
    agree("random", [(f"R{i}", c) for i, c in enumerate(conditions)], cases)


def realistic(count: int) -> list[tuple[str, Node]]:
    """Rules as negative lists have them; every third fact is shared."""
    rules: list[tuple[str, Node]] = []
    for i in range(count):
        shapes: list[Node] = [
            Compare(">=", Fact(f"月{i}", type=NUMBER), Param("上限")),
            Not(Fact(f"是{i}", type=BOOLEAN)),
            And(
                (
                    Call("present", (Fact(f"刑满{i}", type=NUMBER),)),
                    Compare("<", Fact(f"刑满{i}", type=NUMBER), Literal(5)),
                )
            ),
            In(Fact("党纪处分", type=LEVEL), (Literal("严重警告"), Literal("撤销党内职务"))),
            Or((Fact(f"本人{i}", type=BOOLEAN), Fact(f"近亲属{i}", type=BOOLEAN))),
            And(
                (
                    Compare(">", D, Literal(dt.date(2000, 1, 1) + dt.timedelta(i))),
                    Compare("<", Arith("+", N, M), Literal(i)),
                )
            ),
        ]
        rules.append((f"N{i:02}", shapes[i % 6]))
    return rules


def some_case(rules: list[tuple[str, Node]], rng: random.Random) -> dict[str, Any]:
    pool: dict[str, list[Any]] = {
        "number": [None, ABSENT, 0, 4, 6, 10**40, Fraction(11, 2)],
        "boolean": [None, True, False],
        "enum": [None, ABSENT, "无", "严重警告", "新代码"],
        "date": [None, dt.date(1999, 1, 1), dt.date(2000, 1, 9)],
    }
    facts = {n.path: n.type.kind for _, node in rules for n in walk(node) if isinstance(n, Fact)}
    return {path: rng.choice(pool[kind]) for path, kind in facts.items()}


def resident_kb() -> int:
    try:
        import psutil

        return int(psutil.Process().memory_info().rss // 1024)
    except ImportError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_thousands_of_decisions_neither_crash_nor_grow() -> None:
    rules, rng = realistic(36), random.Random(3)
    reading = DurableReading("endurance", rules, PARAMS)
    cases = [some_case(rules, rng) for _ in range(50)] + [{}]
    naive = [Naive(c) for c in cases]
    want = [{rule: n.truth(node) for rule, node in rules} for n in naive]

    def run(rounds: int) -> None:
        for k in range(rounds):
            i = k % len(cases)
            assert reading.decide(cases[i].get, naive[i].truth) == want[i]

    run(1000)
    before = resident_kb()
    run(5000)
    assert resident_kb() - before < 4096


def test_many_conjunctions_at_once_are_split() -> None:
    facts = {f"x{i}": True for i in range(400)}
    rules: list[tuple[str, Node]] = [
        (f"R{r}", Or(tuple(Fact(f"x{(10 * r + k) % 400}", type=BOOLEAN) for k in range(10))))
        for r in range(40)
    ]
    reading = agree("chunks", rules, [facts, {p: False for p in facts}, {}, {**facts, "x7": None}])
    assert all(len(chunk) <= du.FIELDS for _, chunk in chunks(reading))
    assert len(chunks(reading)) >= 440 // du.CONJUNCTIONS


def test_wide_conditions() -> None:
    listed = tuple(Literal(i) for i in range(60))
    rules: list[tuple[str, Node]] = [
        ("member", In(N, listed)),
        ("all", And(tuple(Fact(f"y{i}", type=BOOLEAN) for i in range(81)))),
        ("product", And((In(N, listed[:30]), In(M, listed[:30])))),
    ]
    true = {f"y{i}": True for i in range(81)}
    reading = agree(
        "wide", rules, [{"欠费.月数": 59, "share": 3, **true}, {"欠费.月数": 60}, {"share": 1}, true]
    )
    assert {a.node for a in reading.computed_atoms} == {rules[1][1], rules[2][1]}


def test_a_number_within_bounds_is_left_to_python() -> None:
    rules: list[tuple[str, Node]] = [
        ("few", Compare("<", N, Literal(6))),
        ("other", A),
        ("more", Compare("<", N, Literal(9))),
    ]
    spans = [Span(0, 5), Span(7, None), Span(3, 8), 4]
    agree("span", rules, [{"欠费.月数": s, "a": a} for s in spans for a in (True, None)])


def test_same_content_is_registered_once_and_freed_with_its_readings() -> None:
    rules = realistic(7)
    gc.collect()
    count = du.registered()
    first = DurableReading("once@1", rules, PARAMS)
    second = DurableReading("once@2", rules, PARAMS)
    assert chunks(first)[0][0] is chunks(second)[0][0]
    third = DurableReading("once@1", rules, {**PARAMS, "上限": 7})
    assert du.registered() == count + 2
    del first, third
    assert du.registered() == count + 1
    assert second.decide({}.get, lambda n: None)["N00"] is None
    del second
    assert du.registered() == count


def test_changing_parameters_do_not_fill_the_memory() -> None:
    rules, rng = realistic(36), random.Random(4)

    def run(first: int, last: int) -> None:
        for limit in range(first, last):
            params, facts = {**PARAMS, "上限": limit}, some_case(rules, rng)
            naive = Naive(facts, params)
            got = DurableReading("dated", rules, params).decide(facts.get, naive.truth)
            assert got == {rule: naive.truth(node) for rule, node in rules}

    run(0, 50)
    before = resident_kb()
    run(50, 250)
    assert resident_kb() - before < 4096


def test_wrong_values_are_refused() -> None:
    reading = DurableReading("wrong", [("r", Compare(">", N, Literal(6)))], {})
    with pytest.raises(WrongValue, match="欠费.月数"):
        reading.decide({"欠费.月数": "7"}.get, lambda n: None)
    assert reading.decide({"欠费.月数": 7}.get, lambda n: None) == {"r": True}


def test_names_are_free_of_collisions() -> None:
    assert fnv("sid") == 3593476751 and fnv("id") == 926444256 and fnv("$gte") == 3645344263
    assert fnv("liquid") == fnv("costarring")
    assert names(["liquid", "a", "costarring"]) == ["liquid", "a", "costarringx"]
    assert names(["costarring"], taken=["liquid"]) == ["costarringx"]


def test_a_contradiction_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = DurableReading("contradiction", [("r", A)], {})
    monkeypatch.setattr(du.RuleSet, "fire", lambda self, values: ["0T0", "0F0"])
    with pytest.raises(DurableContradiction, match="`r`"):
        reading.decide({"a": True}.get, lambda n: None)


def test_the_engine_failing_is_an_error_and_it_recovers() -> None:
    reading = DurableReading("failing", [("r", A)], {})
    ruleset = chunks(reading)[0][0]
    good, ruleset._fact = ruleset._fact, '{"sid":"%d","id":"1","c":1,"k0":%d,"v1":%d'
    with pytest.raises(DurableFault):
        reading.decide({"a": True}.get, lambda n: None)
    ruleset._fact = '{"sid":"%d","id":"1","k0":%d,"v1":%d}'  # the rule that always fires cannot
    for _ in range(3):
        with pytest.raises(DurableFault):
            reading.decide({}.get, lambda n: None)
    ruleset._fact = good
    assert reading.decide({"a": True}.get, lambda n: None) == {"r": True}
    assert reading.decide({}.get, lambda n: None) == {"r": None}


def test_threads() -> None:
    rules, rng = realistic(12), random.Random(5)
    reading = DurableReading("threads", rules, PARAMS)
    cases = [some_case(rules, rng) for _ in range(8)]
    wrong: list[Any] = []

    def work(facts: dict[str, Any]) -> None:
        naive = Naive(facts)
        want = {rule: naive.truth(node) for rule, node in rules}
        for _ in range(100):
            if reading.decide(facts.get, naive.truth) != want:
                wrong.append(facts)

    started = threading.active_count()
    threads = [threading.Thread(target=work, args=(c,)) for c in cases]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
    assert threading.active_count() == started, "the engine started threads of its own"


def test_without_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(du, "engine", None)
    assert not available()
    with pytest.raises(DurableMissing):
        DurableReading("missing", [], {})


def test_nothing_to_decide() -> None:
    assert DurableReading("empty", [], {}).decide({}.get, lambda n: None) == {}


@pytest.mark.parametrize("count", [15, 36])
def test_speed(count: int) -> None:
    rules, rng = realistic(count), random.Random(count)
    reading = DurableReading(f"speed{count}", rules, PARAMS)
    facts = some_case(rules, rng)
    naive = Naive(facts)
    truths = {atom.node: naive.truth(atom.node) for atom in reading.computed_atoms}
    best = 1.0
    for _ in range(5):
        begun = time.process_time()
        for _ in range(100):
            reading.decide(facts.get, truths.__getitem__)
        best = min(best, (time.process_time() - begun) / 100)
    print(f"\n{count} rules: {best * 1e6:.0f} microseconds per decision")
    assert best < 0.005
