"""The shortest honest list of questions."""

from __future__ import annotations

from typing import Any

import pytest

from siquan.core.rules.ask import MOST, questions, relevant
from siquan.core.rules.check import Scope, check
from siquan.core.rules.facts import Schema
from siquan.core.rules.parse import parse
from siquan.core.rules.tree import NUMBER, Fact, Node
from siquan.core.rules.values import ABSENT, Rows, Span
from siquan.core.spec.read import read_facts
from siquan.core.spec.source import parse_yaml

LETTERS = "abcdefghijklm"
SPECS = "\n".join(f"{x}: {{type: boolean}}" for x in LETTERS) + """
num: {type: integer}
born: {type: date}
age: {type: integer}
old: {type: boolean}
rec: {type: record, absent: 无, fields: {no: {type: text}, on: {type: date, absent: 无}}}
firm: {type: record, fields: {no: {type: text}, on: {type: date}}}
xs: {type: list, fields: {area: {type: decimal}, ok: {type: boolean}}}
tags: {type: list}
"""
SCHEMA = Schema(read_facts(parse_yaml(SPECS, "facts.yaml")))
SCOPE = Scope(SCHEMA.types(), {"limit": NUMBER, "later": NUMBER}, {"n": NUMBER})
PARAMS = {"limit": 5, "later": None}


def tree(text: str) -> Node:
    return check(parse(text), SCOPE, text)


def open_facts(text: str, **known: bool) -> set[str]:
    return {n.path for n in relevant(tree(text), lambda n: known.get(getattr(n, "path", ""))) if isinstance(n, Fact)}


@pytest.mark.parametrize(
    ("text", "known", "wanted"),
    [
        ("a", {}, {"a"}),
        ("a and b", {}, {"a", "b"}),
        ("a and b", {"a": True}, {"b"}),
        ("a and b or c", {"c": False}, {"a", "b"}),
        ("a and (b or c)", {"b": True}, {"a"}),
        ("a and (b or c)", {"b": False}, {"a", "c"}),
        ("a and b or not(a) and c", {}, {"a", "b", "c"}),
        ("a and b or not(a) and b", {}, {"b"}),
        ("a or not(a)", {}, {"a"}),
        ("a or (a and b)", {}, {"a"}),
    ],
)
def test_only_atoms_the_condition_hangs_on(text: str, known: dict[str, bool], wanted: set[str]) -> None:
    assert open_facts(text, **known) == wanted


def test_with_many_unknowns_all_are_asked() -> None:
    letters = LETTERS[: MOST + 1]
    assert open_facts(" or ".join(letters)) == set(letters)


def ask(text: str, facts: dict[str, Any], derived: dict[str, str] | None = None) -> tuple[str, ...]:
    trees = {name: tree(x) for name, x in (derived or {}).items()}
    return questions([tree(text)], facts.get, PARAMS.get, trees, SCHEMA)


def test_leaves_records_and_lists() -> None:
    assert ask("rec.no = \"1\"", {}) == ("rec",)
    assert ask("rec.no = \"1\" and present(rec.on)", {"rec": True, "rec.no": "1"}) == ("rec.on",)
    assert ask("firm.no = \"1\" and present(firm.on)", {}) == ("firm.no", "firm.on")
    assert ask("present(rec)", {}) == ("rec",)
    assert ask("count(xs[ok]) > 1", {}) == ("xs",)
    assert ask("count(xs[ok]) > 1", {"xs": Rows(({"ok": True},), False)}) == ("xs",)
    assert ask("count(xs[ok]) > num", {"xs": Rows(({"ok": True},), True)}) == ("num",)
    assert ask("count(xs[ok]) > num", {"xs": Rows(({"area": 1},), True), "num": 1}) == ("xs",)
    assert ask("count(xs[ok]) > num", {"xs": Rows(({"ok": None},), True), "num": 1}) == ("xs",)
    assert ask("\"A\" in tags", {"tags": Rows(("B", None), True)}) == ("tags",)
    assert ask("count(xs[ok]) > 1", {"xs": ABSENT}) == ()


def test_derived_facts_ask_for_what_they_are_made_of() -> None:
    derived = {"age": "years between(born, today)", "old": "age > limit"}
    assert ask("old and a", {}, derived) == ("born", "a")
    assert ask("age > 5", {"age": Span(3, None)}, {"age": "count(xs)"}) == ("xs",)
    # nothing of it can be asked: it is asked itself
    assert ask("age > 5", {}, {"age": "parent.n + 1"}) == ("age",)
    assert ask("age > 5", {"num": 0}, {"age": "5 / num"}) == ("age",)


def test_an_unknown_parameter_and_a_parents_fact_are_named() -> None:
    assert ask("num > later", {"num": 1}) == ("later",)
    assert ask("parent.n > 1", {}) == ("parent.n",)
