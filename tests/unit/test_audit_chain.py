"""The sums the audit rests on: canonical text and hashes that never change their meaning."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from siquan.core.rules.values import ABSENT
from siquan.core.store import chain
from siquan.core.store.canonical import canonical, instant, parse


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None, "四圈"]}, '{"a":[true,null,"四圈"],"b":1}'),
        ({"b": Decimal("1.50"), "a": (1, Decimal("5000"))}, '{"a":[1,5000],"b":1.50}'),
        ({"day": dt.date(2026, 11, 23), "x": ABSENT}, '{"day":"2026-11-23","x":"none"}'),
        ([Fraction(1, 3), {"ключ": Decimal("-0.1")}], '["1/3",{"ключ":-0.1}]'),
        ([dt.datetime(2026, 11, 23, 8, tzinfo=dt.UTC)], '["2026-11-23T08:00:00.000000+00:00"]'),
        ('a"b\n', '"a\\"b\\n"'),
        ([], "[]"),
        ({}, "{}"),
    ],
)
def test_canonical_text(value: Any, text: str) -> None:
    assert canonical(value) == text


def test_both_ways_of_writing_agree() -> None:
    value = {"z": [1, "二", {"y": None, "x": False}], "a": {}}
    slow = canonical({**value, "n": Decimal(7)})
    assert slow == canonical({**value, "n": 7})
    assert canonical(parse(slow)) == slow


@pytest.mark.parametrize("value", [{1, 2}, object(), Decimal("NaN"), [Decimal(1), {3: 4}]])
def test_what_has_no_text(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical(value)
    with pytest.raises(ValueError):
        canonical(float("nan"))


def test_numbers_come_back_exactly() -> None:
    back = parse(canonical({"a": Decimal("0.10"), "b": 10**30}))
    assert back == {"a": Decimal("0.10"), "b": 10**30} and str(back["a"]) == "0.10"


def test_instants_sort_as_text() -> None:
    east = dt.timezone(dt.timedelta(hours=8))
    early, late = dt.datetime(2026, 1, 1, 7, tzinfo=east), dt.datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=dt.UTC)
    assert instant(early) < instant(late) and len(instant(early)) == len(instant(late)) == 32
    with pytest.raises(ValueError):
        instant(dt.datetime(2026, 1, 1))


def test_event_hash_can_be_recomputed_with_plain_tools() -> None:
    text = '["sha256","c1",1,"2026","zhang","","opened","{\\"to\\":\\"draft\\"}","' + "0" * 64 + '"]'
    assert (
        chain.event_hash("sha256", "c1", 1, "2026", "zhang", "", "opened", '{"to":"draft"}', chain.GENESIS)
        == hashlib.sha256(text.encode()).hexdigest()
    )


def test_every_part_of_an_event_counts() -> None:
    parts: list[Any] = ["sha256", "c1", 1, "2026", "zhang", "li", "acted", "{}", chain.GENESIS]
    hashes = {chain.event_hash(*parts)}
    for n, other in enumerate(["sha512", "c2", 2, "2027", "wang", "", "opened", "[]", "1" * 64]):
        hashes.add(chain.event_hash(*[*parts[:n], other, *parts[n + 1 :]]))
    assert len(hashes) == 10


def test_commitments_hide_and_bind() -> None:
    one = chain.value_commitment("s1", "a", "1", None, "", "", "", None)
    assert one != chain.value_commitment("s2", "a", "1", None, "", "", "", None)
    assert one != chain.value_commitment("s1", "a", "2", None, "", "", "", None)
    # moving a letter from one field to the next is another content
    assert chain.value_commitment("s", "a", "1", None, "x", "", "", None) != chain.value_commitment(
        "s", "a", "1", None, "", "x", "", None
    )


def test_batch_sum_counts_rows_and_order() -> None:
    def total(*leaves: str) -> str:
        batch = chain.BatchSum("s", "owners", True, "", "")
        for leaf in leaves:
            batch.add(leaf)
        return batch.hexdigest()

    assert len({total(), total("a"), total("a", "b"), total("b", "a"), total("ab")}) == 5
