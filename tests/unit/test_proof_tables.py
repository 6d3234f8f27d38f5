"""Decision tables with one fault each, and the same tables without it: the fault is told with a case that shows it, and
nothing else is; the good ones raise nothing. Once as boxes, once by the solver."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import random
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from siquan.core.engine.definition import Binder
from siquan.core.errors import Where
from siquan.core.proof import TableIssue, issues, table_issues
from siquan.core.proof.boxes import Boxes
from siquan.core.proof.logic import Beyond, Truth
from siquan.core.proof.outcome import tabled
from siquan.core.rules.decide import RuleSet, decide
from siquan.core.rules.facts import FactSet, Reader
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.read import read_parameters, read_ruleset
from siquan.core.spec.source import parse_yaml
from siquan.core.spec.table import identity

ON = dt.date(2026, 11, 23)
FACTS = """
facts:
  amount: {title: 金额, type: decimal, unit: 元, min: 0}
  age: {title: 年龄, type: integer, min: 0, max: 120}
  born: {title: 出生日, type: date}
  urgent: {title: 加急, type: boolean}
  kind: {title: 种类, type: enum, values: {a: 甲, b: 乙, c: 丙}}
  word: {title: 用途, type: text, absent: 无}
"""
PARAMETERS = "limit: {2026-01-01: {value: 5000}}\nlater: {2099-01-01: {value: 1}}"


def load(text: str) -> tuple[RuleSet, ParameterBook]:
    spec = read_ruleset("t.t", parse_yaml(f"ruleset: t\n{text}\n{FACTS}", "t.yaml"), Where("t.yaml"), alone=True)
    book = ParameterBook(read_parameters(parse_yaml(PARAMETERS, "parameters.yaml")))
    return Binder([], [spec], book.types()).bind()[1]["t.t"], book


def rows(policy: str, inputs: str, *cells: str, more: str = "") -> str:
    """A table: each row as its cells, then `=> out`, then its priority."""
    names = [i.strip() for i in inputs.split(",")]
    out = [f'hit_policy: "{policy}"', more, f"inputs: [{inputs}]", "rows:"]
    for n, text in enumerate(cells, 1):
        left, _, right = text.partition(" => ")
        result, _, priority = right.partition(" ! ")
        shown = ", ".join(f'{name}: {json.dumps(cell.strip())}' for name, cell in zip(names, left.split(" | "), strict=True))
        out.append(f"  - {{id: R{n}, {shown}, out: {result}, priority: {priority or 0}}}")
    return "\n".join(line for line in out if line)


#: name -> (the bad table, the good one, the kind of fault, the rows at fault)
TABLES: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "a point left out": (rows("U", "amount", "> 5 => hi", "< 5 => lo"), rows("U", "amount", "> 5 => hi", "<= 5 => lo"), "gap", ()),
    "a code forgotten": (rows("U", "kind, urgent", "a | - => 1", "b | true => 2", "b | false => 3", "c | true => 4"), rows("U", "kind, urgent", "a | - => 1", "b | true => 2", "b | false => 3", "c | true => 4", "c | false => 5"), "gap", ()),
    "absent not thought of": (rows("F", "word", "present(?) => x"), rows("F", "word", "present(?) => x", "absent(?) => y"), "gap", ()),
    "both at the limit": (rows("U", "amount", ">= limit => hi", "<= limit => lo"), rows("U", "amount", "> limit => hi", "<= limit => lo"), "overlap", ("R1", "R2")),
    "a rule and its exception": (rows("U", "age, urgent", ">= 18 | - => adult", "< 18 | - => child", "> 60 | true => old"), rows("P", "age, urgent", ">= 18 | - => adult ! 1", "< 18 | - => child ! 1", "> 60 | true => old ! 2"), "overlap", ("R1", "R3")),
    "two answers": (rows("A", "kind, urgent", "a, b | - => 1", "c | - => 2", "b | true => 2"), rows("A", "kind, urgent", "a, b | - => 1", "c | - => 2", "c | true => 2, x"[:16]), "conflict", ("R1", "R3")),
    "never true": (rows("U", "age", "< 18 => child", ">= 18 => adult", "> 130 => old"), rows("U", "age", "< 18 => child", "[18..120] => adult"), "dead", ("R3",)),
    "a range turned round": (rows("F", "amount, urgent", "(9..3) | - => x", "- | - => y"), rows("F", "amount, urgent", "(3..9) | - => x", "- | - => y"), "dead", ("R1",)),
    "after the rest": (rows("F", "amount", "- => rest", "> limit => hi"), rows("F", "amount", "> limit => hi", "- => rest"), "masked", ("R2", "R1")),
    "covered by two": (rows("F", "age", "< 30 => 1", ">= 20 => 2", "[25..40] => 3"), rows("F", "age", "< 20 => 1", "> 40 => 2", "- => 3"), "masked", ("R3", "R1", "R2")),
    "lower in priority": (rows("P", "born", '< date("2000-01-01") => old ! 1', ">= date(\"2000-01-01\") => new ! 1", '< date("1950-01-01") => older ! 0'), rows("P", "born", '< date("2000-01-01") => old ! 1', '>= date("2000-01-01") => new ! 1', '< date("1950-01-01") => older ! 2'), "masked", ("R3", "R1")),
    "part of another": (rows("A", "amount, kind", "> 5 | - => hi", "<= 5 | - => lo", "> 100 | a => hi"), rows("A", "amount, kind", "> 5 | - => hi", "<= 5 | - => lo"), "subsumed", ("R3", "R1")),
    "written twice": (rows("C+", "amount, urgent", "> 5 | - => 1", "- | true => 2", "> 5 | - => 1"), rows("C+", "amount, urgent", "> 5 | - => 1", "- | true => 2", "> 6 | - => 1"), "duplicate", ("R3", "R1")),
}  # fmt: skip
TABLES["two answers"] = (
    TABLES["two answers"][0], rows("A", "kind, urgent", "a | - => 1", "c | - => 2", "b | true => 2", "b | false => 1"), "conflict", ("R1", "R3"),
)  # fmt: skip


def judged(ruleset: RuleSet, book: ParameterBook, how: str, monkeypatch: pytest.MonkeyPatch) -> tuple[TableIssue, ...]:
    if how == "solver":

        def unboxed(*_: Any) -> Any:
            raise Beyond("not here")

        monkeypatch.setattr(issues, "Boxes", unboxed)
    return table_issues(ruleset, book, ON, timeout=30)


@pytest.mark.parametrize("how", ["boxes", "solver"])
@pytest.mark.parametrize("name", TABLES)
def test_one_fault_is_told_with_a_case(name: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, _, kind, at_fault = TABLES[name]
    ruleset, book = load(bad)
    found = judged(ruleset, book, how, monkeypatch)
    assert [i.kind for i in found] == [kind], found
    (issue,) = found
    assert issue.rules == at_fault or kind == "masked" and issue.rules[0] == at_fault[0]
    if kind == "dead":
        assert not issue.example
        return
    facts = FactSet(ruleset.schema, Reader(ruleset.schema, ON).read(issue.example), ON)
    decision = decide(ruleset, facts, book, ON)
    assert issue.decision is not None and decision.outcome == issue.decision.outcome
    hits = {f.rule for f in decision.findings if f.result == "hit"}
    if kind == "gap":
        assert not hits and decision.outcome == "BLOCK" and not any(f.result == "unknown" for f in decision.findings)
    elif kind in ("overlap", "conflict"):
        assert set(issue.rules) <= hits and decision.outcome == "BLOCK"
    else:
        assert issue.rules[0] in hits


@pytest.mark.parametrize("how", ["boxes", "solver"])
@pytest.mark.parametrize("name", TABLES)
def test_a_good_table_raises_nothing(name: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ruleset, book = load(TABLES[name][1])
    assert judged(ruleset, book, how, monkeypatch) == ()


def test_a_table_that_computes_goes_to_the_solver() -> None:
    ruleset, book = load('hit_policy: U\ninputs: ["years between(born, today)"]\nrows:\n  - {id: R1, "years between(born, today)": ">= 18", out: 1}\n  - {id: R2, "years between(born, today)": "< 17", out: 2}')
    (gap,) = table_issues(ruleset, book, ON, timeout=30)
    assert gap.kind == "gap" and "2008-11-24" <= gap.example["born"] <= "2009-11-23"


def test_a_parameter_that_is_not_known_yet_leaves_its_row_open() -> None:
    """The row is never true on this day, and no row is surely missing."""
    ruleset, book = load(rows("U", "amount", "> later => hi", "<= later => lo"))
    assert [i.kind for i in table_issues(ruleset, book, ON, timeout=30)] == ["dead", "dead"]


def test_rules_of_a_list() -> None:
    text = """
list:
  - {id: L1, when: amount > 5, outcome: WARN}
  - {id: L2, when: amount > 9, outcome: WARN}
  - {id: L3, when: amount > 9 and amount < 3, outcome: BLOCK}
  - {id: L4, when: "5 < amount", outcome: WARN}
  - {id: L5, when: amount > 9 and urgent, outcome: BLOCK}
"""
    ruleset, book = load(text)
    assert {(i.kind, i.rules) for i in table_issues(ruleset, book, ON, timeout=30)} == {("dead", ("L3",)), ("subsumed", ("L2", "L1")), ("duplicate", ("L4", "L1"))}


drawn = settings(max_examples=int(os.environ.get("SIQUAN_EXAMPLES", "80")), deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
CELLS = {
    "amount": ["-", "> 5", "<= 5", "[5..9]", "not(5)", "> limit", "(9..3)"], "age": ["-", "< 18", ">= 18", "[0..120]", "> 120", "17, 19"],
    "urgent": ["-", "true", "false"], "kind": ["-", "a", "not(a)", "a, b"], "word": ["-", 'present(?)', 'absent(?)', '"x"', 'not("x")'],
}  # fmt: skip
POINTS: dict[str, list[Any]] = {
    "amount": [0, "4.5", 5, 6, 9, 10, 5000, 5001], "age": [0, 16, 17, 18, 19, 120], "urgent": [True, False], "kind": ["a", "b", "c"], "word": ["none", "x", "y"],
}  # fmt: skip


def table(rnd: random.Random) -> tuple[str, list[str]]:
    policy = rnd.choice(["U", "A", "F", "P", "C<", "C>"])
    names = rnd.sample(list(CELLS), rnd.randrange(1, 4))
    cells = [" | ".join(rnd.choice(CELLS[n]) for n in names) + f" => {rnd.randrange(2)} ! {n}" for n in range(rnd.randrange(1, 6))]
    if policy != "P":
        cells = [c.partition(" ! ")[0] for c in cells]
    return rows(policy, ", ".join(names), *cells), names


@drawn
@given(st.integers(0, 2**32))
def test_boxes_and_solver_and_brute_force_agree(seed: int) -> None:
    rnd = random.Random(seed)
    text, names = table(rnd)
    ruleset, book = load(text)
    hits: list[set[str]] = []
    for values in itertools.product(*(POINTS[n] for n in names)):
        raw = dict(zip(names, values, strict=True))
        facts = FactSet(ruleset.schema, Reader(ruleset.schema, ON).read(raw), ON)
        hits.append({f.rule for f in decide(ruleset, facts, book, ON, both=False).findings if f.result == "hit"})
    with pytest.MonkeyPatch.context() as patch:
        solved = judged(ruleset, book, "solver", patch)
    boxed = table_issues(ruleset, book, ON, timeout=30)
    for found in (boxed, solved):
        told = {(i.kind, frozenset(i.rules)) for i in found}
        assert "not_proved" not in {i.kind for i in found}
        if ruleset.spec.hit_policy in ("U", "A", "F", "P"):
            assert (("gap", frozenset()) in told) == any(not h for h in hits)
        ids = {r.id for r in ruleset.spec.rules}
        assert {i.rules[0] for i in found if i.kind == "dead"} == {i for i in ids if not any(i in h for h in hits)}
        if ruleset.spec.hit_policy == "U":
            pairs = {frozenset(p) for p in itertools.combinations(sorted(ids), 2) if any(set(p) <= h for h in hits)}
            shown = {rules for kind, rules in told if kind in ("overlap", "duplicate")}
            assert shown <= pairs
            assert bool(shown) == bool(pairs)
    if ruleset.spec.hit_policy in ("F", "P"):
        # a row that stands twice below another is told of as either
        assert {i.rules[:1] for i in boxed} == {i.rules[:1] for i in solved}, (text, boxed, solved)
    else:
        assert {i.kind for i in boxed} == {i.kind for i in solved}, (text, boxed, solved)


VALUES: list[Any] = [0, 1, 2, "2.5", "2.50", 7]


@settings(drawn, max_examples=400)
@given(st.integers(0, 2**32))
def test_the_answer_of_a_table_is_that_of_its_hit_policy(seed: int) -> None:
    """`outcome.tabled` over decided truths beside `rules.table`, for every policy, default and pattern of unknown rows."""
    rnd = random.Random(seed)
    policy = rnd.choice(["U", "A", "P", "F", "R", "O", "C", "C+", "C<", "C>", "C#"])
    count = rnd.randrange(1, 6)
    default = f"default: {rnd.choice(VALUES)}" if rnd.random() < 0.4 else ""
    cells = [f"- => {rnd.choice(VALUES)}" + (f" ! {n}" if policy in ("P", "O") else "") for n in range(count)]
    ruleset, _ = load(rows(policy, "amount", *cells, more=default))
    assert ruleset.table is not None
    truths = {f"R{n + 1}": rnd.choice([True, False, False, None]) for n in range(count)}
    settled = ruleset.table.settle(truths)
    result = tabled(ruleset.table, {id: Truth(x is True, x is False) for id, x in truths.items()})
    assert [o for o, flag in result.outcomes.items() if flag] == [settled.outcome], (policy, cells, default, truths, settled)
    if settled.outcome != "PASS":
        return
    if result.number is not None:
        assert result.number == Fraction(Decimal(str(settled.value)))
    elif result.rows:
        listed = [r.out for r in result.rows if r.truth.yes]
        assert settled.value == listed if listed else identity(settled.value) == result.default
    else:
        assert [k for k, flag in result.values.items() if flag] == [identity(settled.value)]


def test_boxes_refuse_what_they_cannot_hold() -> None:
    ruleset, book = load('hit_policy: F\ninputs: [amount * 2]\nrows: [{id: R1, amount * 2: "> 5", out: 1}]')
    with pytest.raises(Beyond):
        Boxes(ruleset, lambda node: book.value(getattr(node, "name", ""), ON))
