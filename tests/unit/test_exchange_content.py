"""A content: stored and read back it is the same, what decides has one hash, and nothing of a file's place is in it."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest
from exchange_samples import BOOK, CASES, LIST, SCHEMA, SLOW, TABLE, WIDE, changed, content, contents
from hypothesis import given, settings

from siquan.core.errors import Where
from siquan.core.exchange.content import BadContent, Content, NewLine
from siquan.core.exchange.words import parameters_read
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.model import IntentSpec, ParamSpec

LINE = NewLine(name="limit", since=dt.date(2027, 1, 1), value=7000, basis="LOCAL")


@settings(SLOW, max_examples=30)
@given(contents)
def test_json_and_back_is_the_same(made: Content) -> None:
    back = Content.from_json(made.to_json())
    assert back == made and back.to_json() == made.to_json()
    assert (back.hash, back.digest) == (made.hash, made.digest)


@pytest.mark.parametrize("spec", [LIST, TABLE, WIDE])
def test_the_hash_is_over_what_decides(spec: object) -> None:
    base = content(spec, lines=(LINE,), cases=CASES)  # type: ignore[arg-type]
    first = base.ruleset.rules[0].id
    same = [
        base.model_copy(update={"ruleset": base.ruleset.model_copy(update={"title": "x", "intents": (IntentSpec(id="i", never="age < 0"),)})}),
        base.model_copy(update={"ruleset": changed(base.ruleset, first, title="x")}),
        base.model_copy(update={"cases": ()}),
        base.model_copy(update={"notes": {f"{first}/say": "x"}}),
    ]
    other = [
        base.model_copy(update={"ruleset": changed(base.ruleset, first, say="x")}),
        base.model_copy(update={"ruleset": changed(base.ruleset, first, basis="OWNERS")}),
        base.model_copy(update={"lines": ()}),
        base.model_copy(update={"lines": (LINE.model_copy(update={"value": 7001}),)}),
    ]
    assert {c.hash for c in same} == {base.hash}
    assert base.hash not in {c.hash for c in other} and len({c.hash for c in other}) == 4
    assert len({c.digest for c in (base, *same, *other)}) == 9


def test_a_place_in_a_file_is_no_part_of_it() -> None:
    here = Where("rules/list.yaml", 7)
    spec = changed(LIST, "R-01", where=here).model_copy(update={"where": here})
    placed = content(spec, lines=(LINE.model_copy(update={"where": here}),), cases=(CASES[0].model_copy(update={"where": here}),))
    assert placed == content(lines=(LINE,), cases=(CASES[0],))
    assert placed.ruleset.rules[0].where is None


@pytest.mark.parametrize(("value", "kept"), [(5.0, 5), (Decimal("5.00"), 5), (2.5, Decimal("2.5")), (Decimal("2.50"), Decimal("2.5")), (True, True), ("5", "5")])
def test_one_number_is_one_value(value: object, kept: object) -> None:
    line = NewLine(name="limit", since=dt.date(2027, 1, 1), value=value)
    assert line.value == kept and type(line.value) is type(kept)
    assert ParameterBook([*BOOK.specs.values(), ParamSpec(name="n", lines=(line.line,))]).value("n", dt.date(2028, 1, 1)) is not None


@pytest.mark.parametrize("text", [
    "", "{", "[]", "null", '{"ruleset": {}}', '{"ruleset": {"id": "a", "rules": 5}}', '{"ruleset": {"id": "a"}, "more": 1}',
    '{"ruleset": {"id": "a"}, "lines": [{"name": "n", "since": {"$date": "2026-02-30"}, "value": 1}]}',
    '{"ruleset": {"id": "a"}, "lines": [{"name": "n", "since": "2026-02-01", "value": {"$decimal": "x"}}]}', "[" * 100_000,
])  # fmt: skip
def test_what_is_no_content_is_refused(text: str) -> None:
    with pytest.raises(BadContent) as caught:
        Content.from_json(text)
    assert caught.value.code == "SQ150" and "Error" not in caught.value.text("en")


def test_the_json_is_canonical() -> None:
    text = content(lines=(LINE,)).to_json()
    assert text == json.dumps(json.loads(text), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def test_the_parameters_a_rule_set_reads() -> None:
    # of a derived fact, of a say, and the dated basis of a rule; never one that nothing names
    assert parameters_read(LIST, SCHEMA, BOOK) == ("free.months", "strict", "basis.R-02")
    assert parameters_read(TABLE, SCHEMA, BOOK) == ("limit",)
    assert parameters_read(changed(LIST, "R-01", say="{who}"), SCHEMA, BOOK) == ("free.months", "strict", "who", "basis.R-02")
