"""Dated parameters: which line wins where and when, what-if values, and lines that contradict each other."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

import pytest

from siquan.core.errors import SiquanError
from siquan.core.rules.parameters import BadParameter, ParameterBook, UnknownParameter, from_text, plain
from siquan.core.rules.tree import BOOLEAN, DATE, NUMBER, TEXT
from siquan.core.rules.values import ABSENT
from siquan.core.spec.read import BadBasisLine, BadDate, read_parameters
from siquan.core.spec.source import UnknownKey, WrongShape, parse_yaml

TEXT_OF = """
oc.months: {title: 欠费月数, unit: 月, values: [
  {from: 2026-01-01, value: 6, basis: LOCAL, cite: 本地设定},
  {from: 2026-07-01, value: 3},
  {from: 2027-01-01, value: null},
  {from: 2026-03-01, value: 12, place: compound/huheyuan, basis: OWNERS, ref: 决议1号},
  {from: 2026-05-01, value: 9, place: street/1}]}
share: {2026-01-01: {value: 0.10}}
since: {2026-01-01: {value: 2020-01-01}}
on: {2026-01-01: {value: false}}
word: {2026-01-01: {value: POLICY}}
"""
PLACES = ("compound/huheyuan", "community/7", "street/1", "district/1")


def book(text: str = TEXT_OF) -> ParameterBook:
    return ParameterBook(read_parameters(parse_yaml(text, "parameters/x.yaml")))


@pytest.mark.parametrize(
    ("on", "places", "value"),
    [
        ("2025-12-31", (), None),
        ("2026-01-01", (), 6),
        ("2026-06-30", (), 6),
        ("2026-07-01", (), 3),
        ("2027-01-01", (), ABSENT),
        ("2026-02-28", PLACES, 6),
        ("2026-03-01", PLACES, 12),
        ("2026-12-31", PLACES, 12),
        ("2026-04-30", PLACES[1:], 6),
        ("2026-05-01", PLACES[1:], 9),
        ("2026-12-31", ("community/8",), 3),
    ],
)
def test_the_narrowest_place_and_its_newest_line_win(on: str, places: tuple[str, ...], value: Any) -> None:
    assert book().value("oc.months", dt.date.fromisoformat(on), places) == value


def test_a_use_says_which_line_it_was() -> None:
    use = book().use("oc.months", dt.date(2026, 12, 1), PLACES)
    assert (use.value, use.since, use.place, use.basis, use.source) == (12, dt.date(2026, 3, 1), PLACES[0], "OWNERS", "决议1号")
    early = book().use("oc.months", dt.date(2025, 1, 1))
    assert (early.value, early.since) == (None, None)


def test_values_are_exact_and_typed() -> None:
    on = dt.date(2026, 6, 1)
    assert [book().value(n, on) for n in ("share", "since", "on", "word")] == [Fraction(1, 10), dt.date(2020, 1, 1), False, "POLICY"]
    assert book().types() == {"oc.months": NUMBER, "share": NUMBER, "since": DATE, "on": BOOLEAN, "word": TEXT}
    assert book().newest() == dt.date(2027, 1, 1) and ParameterBook().newest() is None
    assert (plain(0.1), plain(None), plain(2)) == (Fraction(1, 10), ABSENT, 2)


def test_what_if_values_stand_above_every_line() -> None:
    base, on = book(), dt.date(2026, 6, 1)
    changed = base.with_overrides({"oc.months": 1, "basis.OC-N04": "OWNERS"})
    assert changed.value("oc.months", on, PLACES) == 1 and changed.use("oc.months", on).cite == "--set"
    assert changed.value("basis.OC-N04", on) == "OWNERS"
    assert base.value("oc.months", on) == 6
    assert changed.with_overrides({"share": None}).value("share", on) is ABSENT
    assert changed.with_overrides({"share": None}).value("oc.months", on) == 1


def test_published_lines_join_the_shipped_ones() -> None:
    more = read_parameters(parse_yaml("oc.months: {2026-09-01: {value: 4}}", "published"))
    assert book().with_specs(more).value("oc.months", dt.date(2026, 10, 1)) == 4
    assert book().with_specs(more).specs["oc.months"].title == "欠费月数"


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), ("0.10", Fraction(1, 10)), ("-3", -3), ("true", True), ("null", ABSENT), ("2026-01-01", dt.date(2026, 1, 1)), ("维修", "维修"),
     ("1e999999999", "1e999999999"), ("nan", "nan"), ("", ABSENT), ("１２", "１２")],
)  # fmt: skip
def test_values_in_words(text: str, value: Any) -> None:
    got = from_text(text)
    assert got == value and type(got) is type(value)


def test_unknown_names() -> None:
    with pytest.raises(UnknownParameter) as caught:
        book().value("oc.month", dt.date(2026, 1, 1))
    assert caught.value.code == "SQ301" and "`oc.month`" in caught.value.text("zh")
    with pytest.raises(UnknownParameter):
        book().with_overrides({"oc.month": 1})
    with pytest.raises(BadParameter):
        book().with_overrides({"oc.months": float("nan")})


@pytest.mark.parametrize(
    ("text", "error", "line"),
    [
        ("a: [{from: 2026-01-01, value: 1},\n  {from: 2026-01-01, value: 2}]", BadParameter, 2),
        ("a:\n  2026-01-01: {value: 1}\n  2027-01-01: {value: yes}", BadParameter, 3),
        ("a:\n  2026-13-01: {value: 1}", BadDate, 2),
        ("a:\n  - {value: 1}", BadDate, 2),
        ("a:\n  2026-01-01: {valu: 1}", WrongShape, 2),
        ("a:\n  2026-01-01: {value: 1, bais: LOCAL}", UnknownKey, 2),
        ("a:\n  2026-01-01: {value: 1, basis: LOKAL}", WrongShape, 2),
        ("a:\n  2026-01-01: {value: [1]}", WrongShape, 2),
        ("a:\n  2026-01-01: 5", WrongShape, 2),
        ("a: 5", WrongShape, 1),
        ("a: {values: []}", WrongShape, 1),
        ("basis.OC-N04:\n  - {from: 2026-01-01, value: OWNERS, place: compound/x}", BadBasisLine, 2),
    ],
)
def test_broken_lines_are_load_errors(text: str, error: type[SiquanError], line: int) -> None:
    with pytest.raises(error) as caught:
        book(text)
    assert caught.value.where is not None and str(caught.value.where) == f"parameters/x.yaml:{line}"
    assert caught.value.full("zh").startswith(f"parameters/x.yaml:{line}: {error.code}")


def test_owners_at_a_place_names_its_resolution() -> None:
    found = book("basis.OC-N04: [{from: 2026-01-01, value: OWNERS, place: compound/x, ref: 2026-1号}, {from: 2026-01-01, value: OWNERS}]")
    assert found.value("basis.OC-N04", dt.date(2026, 2, 1), ("compound/x",)) == "OWNERS"
