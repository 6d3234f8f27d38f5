"""Edits of a draft: what each does, and what is refused without a trace."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from siquan.core.exchange.content import Content
from siquan.core.plugins import Catalogue, discover
from siquan.core.policy.edits import BadEdit, Editor, next_id
from siquan.core.policy.examined import examine

DAY = dt.date(2026, 11, 23)
LIST, TABLE = "owners_committee.candidate", "approval.level"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return discover()


@pytest.fixture
def edit(catalogue: Catalogue) -> Any:
    """`edit(ruleset, *edits)` gives the content after them."""

    def run(ruleset: str, *edits: dict[str, Any], start: Content | None = None) -> Content:
        base = Content(ruleset=catalogue.rulesets[ruleset].spec)
        return Editor(base, catalogue.book_of(ruleset), DAY, catalogue.rulesets[ruleset]).apply(start or base, edits)

    return run


def rule(content: Content, id: str) -> Any:
    return next(r for r in content.ruleset.rules if r.id == id)


def test_a_value_in_a_sentence_changes_where_it_stands(edit: Any, catalogue: Catalogue) -> None:
    when = catalogue.rulesets[LIST].spec.rules[1].when
    at = when.index("18")
    done = edit(LIST, {"op": "value", "rule": "OC-E02", "field": "when", "start": at, "end": at + 2, "value": "21"})
    assert rule(done, "OC-E02").when == when.replace("18", "21", 1)
    at = when.index('"none"')
    done = edit(LIST, {"op": "value", "rule": "OC-E02", "field": "when", "start": at, "end": at + 6, "value": "limited"})
    assert '"limited"' in rule(done, "OC-E02").when


@pytest.mark.parametrize(
    "wrong",
    [
        {"op": "nothing"},
        {"op": "remove", "rule": "OC-X"},
        {"op": "value", "rule": "OC-E02", "field": "when", "start": 0, "end": 3, "value": "21"},
        {"op": "value", "rule": "OC-E02", "field": "when", "start": 5, "end": 4000, "value": "21"},
        {"op": "value", "rule": "OC-E02", "field": "say", "start": 0, "end": 1, "value": "21"},
        {"op": "rule", "rule": "OC-E02", "fields": {"basis": "GUESS"}},
        {"op": "rule", "rule": "OC-E02", "fields": {"hash": "x"}},
        {"op": "rule", "rule": "OC-E02", "fields": {"when": ""}},
        {"op": "rule", "rule": "OC-E02", "fields": {"when": "a" * 10_001}},
        {"op": "rule", "rule": "OC-E02", "fields": {"title": "\x00"}},
        {"op": "rule", "rule": "OC-E02", "fields": "title"},
        {"op": "add", "fields": {"when": "age > 1"}},
        {"op": "add", "fields": {"id": "OC-E02", "when": "age > 1", "outcome": "WARN"}},
        {"op": "add", "after": "OC-X", "fields": {"when": "age > 1", "outcome": "WARN"}},
        {"op": "move", "rule": "OC-E02", "after": "OC-X"},
        {"op": "restore", "rule": "OC-X"},
        {"op": "settings", "fields": {"hit_policy": "U"}},
        {"op": "settings", "fields": {"colour": "red"}},
        {"op": "param", "name": "no.such", "since": "2027-01-01", "value": "1", "cite": "x"},
        {"op": "param", "name": "oc.res_months", "since": "2026-11-22", "value": "1", "cite": "x"},
        {"op": "param", "name": "oc.res_months", "since": "2027-13-01", "value": "1", "cite": "x"},
        {"op": "param", "name": "oc.res_months", "since": "2027-01-01", "value": "many", "cite": "x"},
        {"op": "param", "name": "oc.res_months", "since": "2027-01-01", "value": "6", "cite": " "},
        {"op": "param", "name": "basis.OC-E02", "since": "2027-01-01", "value": "MAYBE", "cite": "x"},
        {"op": "param", "name": "basis.OC-E02", "since": "2027-01-01", "value": "OWNERS", "cite": "x"},
        {"op": "param", "name": "oc.filing.days", "since": "2027-01-01", "value": "6", "cite": "x"},
        {"op": "param", "name": "oc.res_months", "since": "9999-12-31", "value": "6", "cite": "x"},
        {"op": "add", "fields": ["when"]},
        {"op": "case", "name": "x", "given": {"a": b"1"}, "expect": "PASS"},
        {"op": "case", "name": "x", "given": {"a": "\ud800"}, "expect": "PASS"},
        {"op": "case", "name": "x", "given": {}, "expect": "PASS", "because": "OC-E01"},
        {"op": "case_spec", "case": {"name": "x"}},
        {"op": "param_remove", "key": "x"},
        {"op": "case", "name": "x", "given": "{", "expect": "PASS"},
        {"op": "case", "name": "x", "given": "[1]", "expect": "PASS"},
        {"op": "case", "name": "", "given": "{}", "expect": "PASS"},
        {"op": "case_remove", "name": "x"},
    ],
)  # fmt: skip
def test_what_is_no_change_is_refused(edit: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadEdit) as fault:
        edit(LIST, {"op": "rule", "rule": "OC-E01", "fields": {"title": "新名称"}}, wrong)
    assert "Traceback" not in fault.value.text() and fault.value.text("zh").startswith("这处改动不成立")


def test_a_rule_is_added_with_the_next_number_moved_removed_and_restored(edit: Any, catalogue: Catalogue) -> None:
    ids = [r.id for r in catalogue.rulesets[LIST].spec.rules]
    done = edit(LIST, {"op": "add", "after": ids[0], "fields": {"title": "年龄上限", "when": "age > 70", "outcome": "WARN", "basis": "LOCAL"}})
    new = done.ruleset.rules[1]
    assert new.id not in ids and new.title == "年龄上限" and len(done.ruleset.rules) == len(ids) + 1
    moved = edit(LIST, {"op": "move", "rule": ids[0], "after": ids[2]})
    assert [r.id for r in moved.ruleset.rules][:3] == [ids[1], ids[2], ids[0]]
    gone = edit(LIST, {"op": "remove", "rule": ids[3]})
    assert ids[3] not in [r.id for r in gone.ruleset.rules]
    back = edit(LIST, {"op": "restore", "rule": ids[3]}, start=gone)
    assert [r.id for r in back.ruleset.rules] == ids and back == edit(LIST)
    changed = edit(LIST, {"op": "rule", "rule": ids[3], "fields": {"cite": "S1"}})
    assert edit(LIST, {"op": "restore", "rule": ids[3]}, start=changed) == edit(LIST)


def test_a_grid_takes_cells_and_rows(edit: Any) -> None:
    done = edit(TABLE, {"op": "cell", "rule": "L1", "column": "amount", "text": "> 8000"}, {"op": "cell", "rule": "L2", "column": "out", "text": "district"})
    assert (rule(done, "L1").cells["amount"], rule(done, "L2").out) == ("> 8000", "district")
    more = edit(TABLE, {"op": "add", "after": "L2", "fields": {"say": "x"}, "cells": {"amount": "0", "out": "done"}})
    assert more.ruleset.rules[-1].id == "L3" and more.ruleset.rules[-1].cells == {"amount": "0"}
    for wrong in ({"column": "weight", "text": "1"}, {"column": "out", "text": ""}):
        with pytest.raises(BadEdit):
            edit(TABLE, {"op": "cell", "rule": "L1", **wrong})
    with pytest.raises(BadEdit):
        edit(TABLE, {"op": "add", "fields": {}, "cells": {"amount": "0"}})


def test_a_parameter_gets_its_next_value_once_per_day_and_place(edit: Any) -> None:
    line = {"op": "param", "name": "district_from", "since": "2027-01-01", "value": "8000.5", "cite": "区里 2026 年 12 号文"}
    done = edit(TABLE, line)
    assert str(done.lines[0].value) == "8000.5" and done.lines[0].since == dt.date(2027, 1, 1)
    again = edit(TABLE, line, {**line, "value": "9000"})  # the same day in the same draft: the later word counts
    assert [x.value for x in again.lines] == [9000]
    assert edit(TABLE, {"op": "param_remove", "key": "district_from@@2027-01-01"}, start=done).lines == ()
    assert edit(TABLE, {**line, "value": ""}).lines[0].value is None  # repealed


def test_a_value_published_for_that_day_is_not_given_twice(catalogue: Catalogue) -> None:
    base = Content(ruleset=catalogue.rulesets[TABLE].spec)
    editor = Editor(base, catalogue.book_of(TABLE), dt.date(2025, 1, 1), catalogue.rulesets[TABLE])
    with pytest.raises(BadEdit, match="two|两个"):
        editor.apply(base, [{"op": "param", "name": "district_from", "since": "2026-01-01", "value": "1", "cite": "x"}])


def test_what_does_not_compute_is_kept_and_named(edit: Any, catalogue: Catalogue) -> None:
    done = edit(
        LIST, {"op": "rule", "rule": "OC-E02", "fields": {"when": "age >"}}, {"op": "rule", "rule": "OC-E01", "fields": {"say": "{no_such}"}}
    )
    found = examine(done, catalogue.rulesets[LIST], catalogue.book_of(LIST))
    assert found.whole is None and [(r, f) for r, f, _ in found.faults] == [("OC-E01", "say"), ("OC-E02", "when")]
    assert found.fault("OC-E02", "when") and not found.fault("OC-E04")
    assert len(found.sound.rules) == len(catalogue.rulesets[LIST].rules) - 2
    cells = examine(edit(TABLE, {"op": "cell", "rule": "L1", "column": "amount", "text": '> "x"'}), catalogue.rulesets[TABLE], catalogue.book_of(TABLE))
    assert [(r, f) for r, f, _ in cells.faults] == [("L1", "cell:amount")]


@pytest.mark.parametrize(
    ("ids", "expected"), [(["OC-E01", "OC-E02", "OC-N09"], "OC-E03"), (["R9"], "R10"), (["甲"], "甲-2"), ([], "R1"), (["a-09", "a-1"], "a-10")]
)
def test_the_next_number_goes_on_with_the_longest_series(ids: list[str], expected: str) -> None:
    assert next_id(ids) == expected
