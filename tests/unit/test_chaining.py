"""Derived booleans as durable_rules chains them: stage by stage, against a naive evaluator, and against Python in every
decision."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siquan.core.engine.definition import Binder
from siquan.core.errors import Where
from siquan.core.rules import durable as du
from siquan.core.rules.decide import EnginesDisagree, RuleSet, decide
from siquan.core.rules.decision import Decision
from siquan.core.rules.durable import DurableReading, available, chain
from siquan.core.rules.facts import FactSet, Reader
from siquan.core.rules.parameters import ParameterBook
from siquan.core.rules.tree import BOOLEAN, NUMBER, And, Call, Compare, Fact, Literal, Node, Not, Or
from siquan.core.rules.values import ABSENT
from siquan.core.spec.read import read_parameters, read_ruleset
from siquan.core.spec.source import parse_yaml

pytestmark = pytest.mark.skipif(not available(), reason="durable_rules is not installed")

ON = dt.date(2026, 11, 23)
A, B, C = (Fact(n, type=BOOLEAN) for n in "abc")
N = Fact("n", type=NUMBER)


def derived(name: str) -> Fact:
    return Fact(name, type=BOOLEAN)


def naive(node: Node, facts: dict[str, Any], trees: dict[str, Node], stated: dict[str, Any]) -> Any:
    """True, false or None (unknown), by the tables of Kleene; a derived fact is what its tree is, unless it is stated."""
    match node:
        case Fact(path=path):
            if path in stated:
                return stated[path]
            return naive(trees[path], facts, trees, stated) if path in trees else facts.get(path)
        case Not(item=item):
            truth = boolean(naive(item, facts, trees, stated))
            return None if truth is None else not truth
        case And(items=items) | Or(items=items):
            stop = isinstance(node, Or)
            truths = [boolean(naive(i, facts, trees, stated)) for i in items]
            return stop if stop in truths else None if None in truths else not stop
        case Compare(op=op, left=left, right=Literal(value=value)):
            known = naive(left, facts, trees, stated)
            if known is None or known is ABSENT:
                return None if known is None else False
            return {"=": known == value, "!=": known != value, ">": known > value, "<": known < value}[op]
        case Call(func="present", args=(arg,)):
            known = naive(arg, facts, trees, stated)
            return None if known is None else known is not ABSENT
    raise AssertionError(node)


def boolean(value: Any) -> bool | None:
    return False if value is ABSENT else value


def every(reading: DurableReading, rules: list[tuple[str, Node]], trees: dict[str, Node], facts: dict[str, Any], stated: dict[str, Any]) -> None:
    got, chained = reading.read({**facts, **stated}.get, lambda node: naive(node, facts, trees, stated), stated)
    assert got == {id: boolean(naive(node, facts, trees, stated)) for id, node in rules}, (facts, stated)
    wanted = {path: boolean(naive(trees[path], facts, trees, stated)) for path in reading.chained if path not in stated}
    assert chained == wanted, (facts, stated)


def test_a_chain_of_three_over_every_fact() -> None:
    trees: dict[str, Node] = {
        "d1": And((A, Compare(">", N, Literal(5))), type=BOOLEAN),
        "d2": Or((derived("d1"), Not(B)), type=BOOLEAN),
        "d3": And((Not(derived("d2")), derived("d1"), C), type=BOOLEAN),  # cannot hold, yet may be unknown
        "d4": Or((derived("d3"), derived("d2")), type=BOOLEAN),
        "unread": A,
    }
    rules: list[tuple[str, Node]] = [
        ("d1", derived("d4")),  # a rule may bear a fact's name
        ("R2", And((Not(derived("d2")), C))),
        ("R3", Compare("=", derived("d1"), Literal(False))),
        ("R4", Call("present", (derived("d4"),))),
        ("R5", A),
    ]
    reading = DurableReading("three", rules, {}, derived=trees)
    assert set(reading.chained) == {"d1", "d2", "d3", "d4"}
    assert [set(stage.ends) for stage in reading._stages] == [{"d1"}, {"d2"}, {"d3"}, {"d4"}, set()]
    for values in itertools.product([True, False, None], [True, False, None], [True, False, None], [9, 1, None, ABSENT]):
        facts = dict(zip("abcn", values, strict=True))
        for stated in ({}, {"d1": True}, {"d1": False, "d4": True}, {"d2": None}, {"d4": ABSENT}, {"d3": True, "d2": False}):
            every(reading, rules, trees, facts, dict(stated))


def formula(names: list[str], depth: int) -> st.SearchStrategy[Node]:
    leaves = st.one_of(
        st.sampled_from([derived(n) for n in names]),
        st.builds(lambda n, v, op: Compare(op, derived(n), Literal(v)), st.sampled_from(names), st.booleans(), st.sampled_from(["=", "!="])),
        st.builds(lambda n: Call("present", (derived(n),)), st.sampled_from(names)),
        st.builds(lambda op, v: Compare(op, N, Literal(v)), st.sampled_from(["<", ">", "="]), st.integers(0, 2)),
    )
    if depth == 0:
        return leaves
    inner = formula(names, depth - 1)
    items = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(leaves, inner.map(lambda n: Not(n, type=BOOLEAN)), items.map(lambda i: And(i, type=BOOLEAN)), items.map(lambda i: Or(i, type=BOOLEAN)))


@st.composite
def chains(draw: Any) -> tuple[list[tuple[str, Node]], dict[str, Node]]:
    """Rules over derived facts over derived facts, in no order of dependency."""
    names = ["a", "b", "c"]
    trees: dict[str, Node] = {}
    for i in range(draw(st.integers(1, 6))):
        tree = draw(formula(names[-4:], 2))
        trees[f"d{i}"] = Not(Not(tree, type=BOOLEAN), type=BOOLEAN)  # typed, whatever was drawn
        names.append(f"d{i}")
    rules = [(f"R{i}", draw(formula(names, 2))) for i in range(draw(st.integers(1, 5)))]
    mixed = dict(draw(st.permutations(list(trees.items()))))
    return rules, mixed


@given(chains(), st.integers(0, 2**32))
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
def test_drawn_chains(drawn: tuple[list[tuple[str, Node]], dict[str, Node]], seed: int) -> None:
    rules, trees = drawn
    rnd = random.Random(seed)
    reading = DurableReading("drawn", rules, {}, derived=trees)
    for _ in range(8):
        facts = {p: rnd.choice([True, False, None, ABSENT]) for p in "abc"} | {"n": rnd.choice([0, 1, 2, None])}
        stated = {p: rnd.choice([True, False, ABSENT, None]) for p in trees if rnd.random() < 0.2}
        every(reading, rules, trees, facts, stated)


# Through the loader

TEXT = """
ruleset: chained
facts:
  owner: {type: boolean}
  agent: {type: boolean, absent: 无}
  months: {type: integer}
  fees: {type: list, fields: {paid: {type: boolean}, late: {type: integer}}}
derived:
  entitled: owner or (present(agent) and agent)
  behind: months > limit or debtor
  debtor: count(fees[not(paid) and late > grace]) > 0
  barred: behind and not(entitled)
  score: 'if barred then 1 else 0'
  only: other > 2
list:
  - {id: R1, when: barred, outcome: REJECT, basis: STATUTE, say: 欠费}
  - {id: R2, when: not(entitled), outcome: WARN, say: 身份}
  - {id: R3, when: 'score > 0 and months > 1', outcome: WARN, say: 分}
  - {id: R4, when: 'count(fees[late > 1 and behind]) > 0', outcome: WARN, say: 名单}
"""
BOOK = ParameterBook(
    read_parameters(parse_yaml("limit: {2020-01-01: {value: 6}}\ngrace: {2020-01-01: {value: 30}}\nother: {2020-01-01: {value: 1}}", "p.yaml"))
)
FEES = {"value": [{"paid": False, "late": 40}], "complete": True}


def load(text: str = TEXT) -> RuleSet:
    spec = read_ruleset("t.t", parse_yaml(text, "t.yaml"), Where("t.yaml"), alone=True)
    return Binder([], [spec], BOOK.types()).bind()[1]["t.t"]


def run(ruleset: RuleSet, raw: dict[str, Any], both: bool = True) -> Decision:
    stated = Reader(ruleset.schema, ON).read(raw)
    return decide(ruleset, FactSet(ruleset.schema, stated, ON), BOOK, ON, both=both)


def test_what_conditions_read_is_chained() -> None:
    ruleset = load()
    assert set(chain([r.condition for r in ruleset.rules], ruleset.derived)) == {"entitled", "behind", "debtor", "barred"}
    reading = ruleset.durable({"limit": 6, "grace": 30})
    # debtor, then behind, then barred, then the rules that read it; score and the list are computed
    assert [set(stage.ends) for stage in reading._stages] == [{"entitled", "debtor"}, {"behind"}, {"barred"}, set()]
    assert "barred" not in [atom.test.path for atom in reading.computed_atoms if atom.test]


@pytest.mark.parametrize(
    ("raw", "outcome"),
    [
        ({"owner": False, "agent": "none", "months": 9, "fees": FEES}, "REJECT"),
        ({"owner": False, "agent": "none", "fees": FEES}, "REJECT"),
        ({"owner": False, "agent": "none", "months": 0}, "EVIDENCE"),
        ({"owner": True, "months": 9, "fees": FEES}, "WARN"),
        ({"owner": True, "months": 0, "fees": {"value": [], "complete": True}}, "PASS"),
        ({"entitled": False, "behind": True, "months": 0, "fees": FEES}, "REJECT"),
        ({"barred": False, "owner": True, "months": 9, "fees": {"value": [], "complete": True}}, "PASS"),
        ({}, "EVIDENCE"),
    ],
)
def test_both_engines_decide_alike(raw: dict[str, Any], outcome: str) -> None:
    ruleset = load()
    decision, preview = run(ruleset, raw), run(ruleset, raw, both=False)
    assert (decision.outcome, decision.engines) == (outcome, ("compiled", "durable"))
    # the second reading reads nothing that the first did not: the record is the same
    assert (decision.facts, decision.parameters, decision.asks) == (preview.facts, preview.parameters, preview.asks)
    assert "only" not in decision.facts and "other" not in {p.name for p in decision.parameters}


def test_a_stated_fact_leaves_what_stands_behind_it_unread() -> None:
    decision = run(load(), {"barred": True, "entitled": True, "behind": True, "score": 1, "months": 0, "fees": FEES})
    assert decision.outcome == "REJECT" and "owner" not in decision.facts and "debtor" not in decision.facts
    assert not decision.parameters


def test_a_disagreement_about_a_derived_fact_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ruleset = load()
    raw = {"owner": True, "months": 0, "fees": {"value": [], "complete": True}}
    proved = DurableReading._prove

    def wrong(self: DurableReading, truths: list[bool | None], name: str) -> None:
        proved(self, truths, name)
        at = self._chained["debtor"]
        truths[at] = True if truths[at] is False else truths[at]

    monkeypatch.setattr(DurableReading, "_prove", wrong)
    with pytest.raises(EnginesDisagree) as caught:
        run(ruleset, raw)
    # and what was derived from it; `barred` and the rules are right in spite of it
    assert caught.value.values["rules"] == "behind、debtor" or caught.value.values["rules"] == "debtor、behind"
    assert "`t.t`" in caught.value.text("en") and "debtor" in caught.value.text("zh")


def test_a_fact_both_true_and_false_withholds_the_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    ruleset = load()
    first = ruleset._chained[0]
    monkeypatch.setattr(du.RuleSet, "fire", lambda self, values: ["4T0", "4F0"])  # behind four rules
    with pytest.raises(EnginesDisagree) as caught:
        run(ruleset, {"owner": True})
    assert f"`{first}`" in caught.value.text("en")


def test_a_long_chain_and_a_wide_one() -> None:
    trees: dict[str, Node] = {"d0": And((A, B), type=BOOLEAN)}
    for i in range(1, 30):
        trees[f"d{i}"] = Or((Not(derived(f"d{i - 1}")), C), type=BOOLEAN)
    # more conjunctions than one rule set may have
    trees |= {f"w{i}": Or(tuple(Fact(f"x{i}.{k}", type=BOOLEAN) for k in range(8)), type=BOOLEAN) for i in range(20)}
    rules: list[tuple[str, Node]] = [("R", derived("d29")), ("W", And(tuple(derived(f"w{i}") for i in range(20))))]
    reading = DurableReading("long", rules, {}, derived=trees)
    assert len(reading._stages) == 31 and len(reading._stages[0].chunks) > 2
    rnd = random.Random(7)
    for _ in range(20):
        facts = {"a": rnd.choice([True, None]), "b": True, "c": rnd.choice([True, False, None])}
        facts |= {f"x{i}.{k}": rnd.random() < 0.4 for i in range(20) for k in range(8)}
        every(reading, rules, trees, facts, {})


def test_thousands_of_chained_decisions_neither_crash_nor_grow() -> None:
    psutil = pytest.importorskip("psutil")
    ruleset = load()
    cases = [{"owner": rnd.random() < 0.5, "months": rnd.randrange(12), "fees": FEES} for rnd in map(random.Random, range(20))] + [{}]
    for raw in cases * 20:
        run(ruleset, raw)
    before = psutil.Process().memory_info().rss
    for raw in cases * 150:
        run(ruleset, raw)
    assert psutil.Process().memory_info().rss - before < 4 << 20


def test_speed() -> None:
    """As the candidate rules, with eight derived facts in three stages among them."""
    facts = {f"f{i}": {"type": "integer"} for i in range(36)} | {f"g{i}": {"type": "boolean"} for i in range(12)}
    trees = {f"d{i}": {"type": "boolean", "derive": f"g{i} and f{i} > 3" if i < 4 else f"d{i - 4} or g{i}"} for i in range(8)}
    rules = [{"id": f"R{i}", "when": f"f{i} > {i} and not(d{i % 8})", "outcome": "WARN", "say": f"{{f{i}}}超过{i}"} for i in range(36)]
    text = json.dumps({"ruleset": "t", "facts": facts, "derived": trees, "list": rules})
    ruleset = load(text)
    stated = Reader(ruleset.schema, ON).read({f"f{i}": i for i in range(36)} | {f"g{i}": bool(i % 2) for i in range(12)})
    known = FactSet(ruleset.schema, stated, ON)
    best = 1.0
    for _ in range(5):
        begun = time.process_time()
        for _ in range(50):
            decide(ruleset, known, BOOK, ON)
        best = min(best, (time.process_time() - begun) / 50)
    print(f"\n36 rules on a chain of three: {best * 1e6:.0f} microseconds per decision")
    assert best < 0.01
