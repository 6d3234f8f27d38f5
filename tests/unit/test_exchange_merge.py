"""Two changes of one content: what only one side changed is taken, what both changed is a conflict, and nothing else is."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from exchange_samples import CASES, LIST, SLOW, TABLE, WIDE, changed, content, contents, rule
from hypothesis import given, settings

from siquan.core.exchange.content import Content, NewLine
from siquan.core.exchange.merge import Merged, merge
from siquan.core.spec.model import RuleSetSpec

BASE = content()


def merged(ours: RuleSetSpec, theirs: RuleSetSpec, base: RuleSetSpec = LIST) -> Merged:
    return merge(content(base), content(ours), content(theirs))


def clashes(found: Merged) -> list[tuple[str, str, str, str, str]]:
    return [(c.rule, c.field, c.base, c.ours, c.theirs) for c in found.conflicts]


def ids(found: Merged) -> list[str]:
    return [r.id for r in found.content.ruleset.rules]


def test_different_fields_of_one_rule_come_together() -> None:
    found = merged(changed(LIST, "R-01", when="age < 16"), changed(LIST, "R-01", say="太小", basis="LOCAL"))
    assert found == Merged(content(changed(LIST, "R-01", when="age < 16", say="太小", basis="LOCAL")))


def test_one_field_changed_on_both_sides_is_a_conflict_and_ours_stands() -> None:
    found = merged(changed(LIST, "R-01", when="age < 16"), changed(LIST, "R-01", when="age < 17", say="x"))
    assert clashes(found) == [("R-01", "when", "age < 18", "age < 16", "age < 17")]
    assert found.content == content(changed(LIST, "R-01", when="age < 16", say="x"))


def test_the_same_change_twice_is_none() -> None:
    found = merged(changed(LIST, "R-01", when="age < 16"), changed(LIST, "R-01", when="(age<16)"))
    assert found == Merged(content(changed(LIST, "R-01", when="age < 16")))


def test_new_spacing_yields_to_a_new_meaning() -> None:
    assert merged(changed(LIST, "R-01", when="age<18"), changed(LIST, "R-01", when="age < 16")) == Merged(content(changed(LIST, "R-01", when="age < 16")))
    assert merged(LIST, changed(LIST, "R-01", when="age<18")) == Merged(content(changed(LIST, "R-01", when="age<18")))


def test_cells_and_values_are_fields() -> None:
    ours = changed(TABLE, "T1", cells={"amount": "> 10", "kind": "-"})
    theirs = changed(TABLE, "T1", cells={"amount": "> limit", "kind": '"new"'})
    assert merged(ours, theirs, TABLE) == Merged(content(changed(TABLE, "T1", cells={"amount": "> 10", "kind": '"new"'})))
    found = merged(changed(WIDE, "W1", out={"level": "B", "days": 3}), changed(WIDE, "W1", out={"level": "C", "days": 4}), WIDE)
    assert clashes(found) == [("W1", "out:level", "A", "B", "C")]
    assert found.content.ruleset.rules[0].out == {"level": "B", "days": 4}


def test_a_removed_rule_stays_removed_unless_the_other_side_changed_it() -> None:
    gone = LIST.model_copy(update={"rules": LIST.rules[1:]})
    assert ids(merged(gone, LIST)) == ids(merged(LIST, gone)) == ["R-02", "R-03"]
    touched = changed(LIST, "R-01", when="age < 16")
    kept, lost = merged(touched, gone), merged(gone, touched)
    assert [c.field for c in (*kept.conflicts, *lost.conflicts)] == ["", ""]
    assert ids(kept) == ["R-01", "R-02", "R-03"] and ids(lost) == ["R-02", "R-03"]
    assert clashes(kept) == [("R-01", "", "age < 18 → REJECT", "age < 16 → REJECT", "")]


def test_added_rules_stand_behind_their_neighbours() -> None:
    one, two, three = LIST.rules
    mine, yours = rule("N-1", when="late", outcome="WARN"), rule("N-2", when="ready", outcome="WARN")
    ours, theirs = (LIST.model_copy(update={"rules": r}) for r in ((one, mine, two, three), (yours, one, two, three)))
    assert ids(merged(ours, theirs)) == ["N-2", "R-01", "N-1", "R-02", "R-03"]
    both = merged(LIST.model_copy(update={"rules": (one, mine)}), LIST.model_copy(update={"rules": (*LIST.rules, mine.model_copy(update={"say": "x"}))}))
    assert not both.conflicts and [(r.id, r.say) for r in both.content.ruleset.rules[1:]] == [("N-1", "x")]


def test_an_order_is_taken_from_whoever_changed_it() -> None:
    one, two, three = LIST.rules
    turned = LIST.model_copy(update={"rules": (three, one, two)})
    assert merged(turned, LIST) == merged(LIST, turned) == Merged(content(turned))
    other = LIST.model_copy(update={"rules": (two, one, three)})
    found = merged(turned, other)
    assert clashes(found) == [("", "order", "R-01 R-02 R-03", "R-03 R-01 R-02", "R-02 R-01 R-03")] and ids(found) == ["R-03", "R-01", "R-02"]


def test_settings() -> None:
    found = merged(WIDE.model_copy(update={"hit_policy": "F"}), WIDE.model_copy(update={"hit_policy": "R", "default": None}), WIDE)
    assert clashes(found) == [("hit_policy", "", "P", "F", "R")]
    assert found.content.ruleset.hit_policy == "F" and found.content.ruleset.default is None


def test_a_column_that_was_taken_away_takes_its_tests_along() -> None:
    theirs = TABLE.model_copy(update={"inputs": ("amount",), "rules": tuple(r.model_copy(update={"cells": {"amount": r.cells["amount"]}}) for r in TABLE.rules)})
    found = merged(changed(TABLE, "T1", say="x"), theirs, TABLE)
    assert not found.conflicts and [set(r.cells) for r in found.content.ruleset.rules] == [{"amount"}, {"amount"}]


def line(value: Any, name: str = "limit", place: str = "", day: int = 1) -> NewLine:
    return NewLine(name=name, since=dt.date(2027, 1, day), value=value, place=place)


def test_lines_cases_and_notes() -> None:
    ours = content(lines=(line(1), line(2, place="compound/a")), cases=CASES[:1], notes={"R-01/say": "我", "R-02/say": "x"})
    theirs = content(lines=(line(1), line(3, day=2), line(4, place="compound/a")), cases=CASES, notes={"R-01/say": "他"})
    found = merge(BASE, ours, theirs)
    assert clashes(found) == [
        ("limit", "2027-01-01@compound/a", "", "since: 2027-01-01; value: 2; place: compound/a; name: limit", "since: 2027-01-01; value: 4; place: compound/a; name: limit"),
        ("R-01", "note:say", "", "我", "他"),
    ]  # fmt: skip
    assert [x.value for x in found.content.lines] == [1, 3, 2]
    assert found.content.cases == CASES and found.content.notes == {"R-01/say": "我", "R-02/say": "x"}


BOTH = settings(SLOW, max_examples=25)


@BOTH
@given(contents, contents)
def test_one_side_alone_is_taken_whole(base: Content, other: Content) -> None:
    if base.ruleset.outputs != other.ruleset.outputs and other.ruleset.rules:
        other = other.model_copy(update={"ruleset": base.ruleset})
    assert merge(base, base, base) == Merged(base)
    for found in (merge(base, other, base), merge(base, base, other), merge(base, other, other)):
        assert not found.conflicts
        assert found.content.ruleset.rules == other.ruleset.rules and found.content.cases == other.cases
        assert found.content.hash == other.hash


@pytest.mark.parametrize("side", [0, 1])
def test_the_result_does_not_hang_on_the_side_where_nothing_clashes(side: int) -> None:
    one, two = content(changed(LIST, "R-01", when="age < 16"), lines=(line(1),)), content(changed(LIST, "R-02", say="x"), cases=CASES)
    pair = (one, two)[:: 1 - 2 * side]
    found = merge(BASE, *pair)
    assert not found.conflicts
    assert found.content == content(changed(changed(LIST, "R-01", when="age < 16"), "R-02", say="x"), lines=(line(1),), cases=CASES)
