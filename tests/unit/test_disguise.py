"""Invented words: of the same kind, always the same, never a real one; what rules read stays."""

from __future__ import annotations

from siquan.core.plugins import discover
from siquan.core.rules.facts import Schema
from siquan.core.spec.model import FactSpec
from siquan.core.testing.disguise import Disguise, id_number, literals

FACTS = (
    FactSpec(name="person", type="person", sensitive="name"), FactSpec(name="phone", sensitive="phone"), FactSpec(name="card", sensitive="id"),
    FactSpec(name="note"), FactSpec(name="kind", type="enum", values={"a": "甲"}), FactSpec(name="amount", type="decimal", sensitive="money"),
    FactSpec(name="born", type="date", sensitive="id"), FactSpec(name="votes", type="list", collection=True, fields=(FactSpec(name="matter"), FactSpec(name="unit", sensitive="address"))),
)  # fmt: skip
SCHEMA = Schema(FACTS)


def made(values: dict[str, object], kept: set[str] | None = None) -> dict[str, object]:
    disguise = Disguise(kept or set())
    for path, value in values.items():
        disguise.see(SCHEMA, path, value)
    return {p: disguise.of(SCHEMA, p, v) for p, v in values.items()}


def test_check_digits_are_right_and_the_place_does_not_exist() -> None:
    seen = {id_number(n) for n in range(1, 200)}
    assert len(seen) == 199
    for number in seen:
        weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
        assert "10X98765432"[sum(int(d) * w for d, w in zip(number, weights, strict=False)) % 11] == number[17]
        assert number.startswith("999999")


def test_each_kind_gets_its_kind() -> None:
    out = made({"person": "李明", "phone": "13912345678", "card": "320211199001011234", "note": "住在一楼", "kind": "a", "amount": "12.5", "born": "1990-01-01"})
    assert "李明" not in str(out) and "13912345678" not in str(out) and "住在一楼" not in str(out)
    assert str(out["phone"]).startswith("100") and len(str(out["phone"])) == 11
    assert str(out["card"]).startswith("999999") and len(str(out["card"])) == 18
    assert out["kind"] == "a" and out["amount"] == "12.5" and out["born"] == "1990-01-01"


def test_a_name_is_a_name_wherever_it_stands() -> None:
    out = made({"person": "李明", "note": "李明", "votes": {"complete": True, "value": [{"matter": "李明", "unit": "1-202"}, {"matter": "李明", "unit": "1-203"}]}})
    rows = out["votes"]["value"]  # type: ignore[index]
    assert out["person"] == out["note"] == rows[0]["matter"] == rows[1]["matter"] != "李明"
    assert rows[0]["unit"] != rows[1]["unit"] and not rows[0]["unit"].startswith("1-")


def test_an_invented_name_is_none_of_the_real_ones() -> None:
    assert made({"person": "李明", "note": "赵一"})["person"] not in ("李明", "赵一")


def test_words_that_rules_compare_with_stay() -> None:
    assert made({"note": "单方陈述"}, {"单方陈述"})["note"] == "单方陈述"
    catalogue = discover()
    assert all(isinstance(w, str) for w in literals(catalogue.rulesets))
