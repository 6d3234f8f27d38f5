"""Owners' votes: exact edges, merged owners, faulty papers, elections; totals against brute force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siquan.core.votes.ballots import BadVote, read_ballots, read_roll
from siquan.core.votes.count import (
    Ballot,
    Choice,
    Majority,
    Policy,
    Tally,
    Unit,
    elect,
    plain,
    rank,
    tally,
)

D = dt.date


def roll(*areas: str, keys: str = "") -> list[Unit]:
    """Units U1.. with these areas; `keys` gives one letter per unit, a dot for none."""
    return [
        Unit(f"U{i}", Decimal(area), (keys[i - 1 : i] or ".").replace(".", ""))
        for i, area in enumerate(areas, 1)
    ]


def papers(choices: str, matter: str = "m") -> list[Ballot]:
    """y n a i per unit in order, a dot for nothing returned."""
    words: dict[str, Choice | None] = {"y": "yes", "n": "no", "a": "abstain", "i": "invalid", ".": None}
    return [
        Ballot(f"U{i}", matter, words[c], D(2026, 12, 26), D(2027, 1, 3) if words[c] else None)
        for i, c in enumerate(choices, 1)
    ]


def kinds(result: Tally) -> list[str]:
    return [issue.kind for issue in result.issues]


# ---- the edges


def test_quorum_of_exactly_two_thirds_is_met() -> None:
    m = tally(roll("100.00", "100.00", "100.00"), papers("yy.")).matters["m"]
    assert m.quorum_met and m.passed and m.part_area_share == m.part_n_share == Fraction(2, 3)


def test_a_hundredth_less_is_no_quorum() -> None:
    m = tally(roll("99.99", "100.00", "100.00"), papers("yy.")).matters["m"]
    assert m.part_n_share == Fraction(2, 3) and not m.quorum_met and not m.passed


def test_exactly_half_fails_and_more_passes() -> None:
    assert not tally(roll("1", "1"), papers("yn")).matters["m"].passed
    assert not tally(roll("1.01", "1"), papers("yn")).matters["m"].passed  # area alone is not enough
    assert tally(roll("1", "1", "1"), papers("yyn")).matters["m"].passed


def test_both_measures_are_needed() -> None:
    m = tally(roll("90", "10", "10"), papers("nyy")).matters["m"]
    assert m.yes_n_share == Fraction(2, 3) and m.yes_area_share < Fraction(1, 2) and m.passed is False


@pytest.mark.parametrize(("choices", "passed"), [("yyyn", True), ("yynn", False), ("yyya", True)])
def test_special_needs_three_quarters(choices: str, passed: bool) -> None:
    m = tally(roll("1", "1", "1", "1"), papers(choices), Policy(majority="special")).matters["m"]
    assert m.passed is passed


def test_where_floats_would_fail() -> None:
    """Three units of 0.1, 0.2 and 0.15: floats put two thirds of 0.45 above 0.3."""
    areas = ("0.10", "0.20", "0.15")
    assert 0.1 + 0.2 != 0.3 and not 0.3 >= 2 / 3 * (0.1 + 0.2 + 0.15)
    m = tally(roll(*areas), papers("yy.")).matters["m"]
    assert m.part_area == Fraction(3, 10) and m.part_area_share == Fraction(2, 3) and m.quorum_met


def test_half_where_floats_would_pass() -> None:
    """Yes and no have 229.14 m² each; added as floats, yes comes out above half."""
    yes, no = ("59.63", "98.92", "70.59"), ("84.75", "144.39")
    assert sum(map(float, yes)) > sum(map(float, yes + no)) / 2
    m = tally(roll(*yes, *no), papers("yyynn")).matters["m"]
    assert m.yes_n == 3 and m.yes_area_share == Fraction(1, 2) and m.passed is False


def test_the_compound_of_the_mockup() -> None:
    """612 owners, 61,204.38 m²: 408 owners are exactly two thirds."""
    units = [Unit(f"{i}", Decimal("100.00")) for i in range(611)] + [Unit("611", Decimal("104.38"))]
    ballots = [Ballot(f"{i}", "换届", "yes") for i in range(408)]
    result = tally(units, ballots)
    m = result.matters["换届"]
    assert result.need_n == 408 and m.part_n_share == Fraction(2, 3)
    assert plain(m.total_area) == "61204.38" and m.quorum_met is False  # 40800 < 40802.92
    result = tally(units, [*ballots[:-1], Ballot("611", "换届", "yes")])
    assert result.matters["换届"].quorum_met
    assert result.matters["换届"].lines()[0].startswith("参与 408/612 人、40804.38/61204.38 m²，人数面积达到")


# ---- heads


def test_one_owner_of_several_units_is_one_person() -> None:
    result = tally(roll("50", "50", "50", "50", keys="AA.."), papers("yy.n"))
    m = result.matters["m"]
    assert result.total_n == 3 and (m.part_n, m.yes_n, m.no_n) == (2, 1, 1) and m.part_area == 150


def test_a_person_takes_part_with_one_of_his_units() -> None:
    m = tally(roll("50", "50", keys="AA"), papers("y.")).matters["m"]
    assert (m.part_n, m.total_n) == (1, 1) and m.part_area == 50


def test_split_owner_abstains_by_head_and_is_reported() -> None:
    result = tally(roll("50", "60", "70", keys="AA."), papers("yny"))
    m = result.matters["m"]
    assert [m.yes_area, m.no_area, m.abstain_area] == [Fraction(120), Fraction(60), Fraction(0)]
    assert (m.yes_n, m.no_n, m.abstain_n, m.part_n) == (1, 0, 1, 2)
    assert kinds(result) == ["split_owner"] and "U1、U2" in result.issues[0].zh


def test_owner_key_is_no_unit() -> None:
    units = [Unit("A", Decimal(1)), Unit("B", Decimal(1), "A")]
    assert tally(units, []).total_n == 2


# ---- papers


def test_second_ballot_does_not_replace_the_first() -> None:
    first = Ballot("U1", "m", "yes", None, D(2027, 1, 2))
    second = Ballot("U1", "m", "no", None, D(2027, 1, 5))
    result = tally(roll("1"), [second, first])  # order of the sheet does not matter, the date does
    assert result.matters["m"].yes_n == 1 and kinds(result) == ["second_ballot"]
    result = tally(roll("1"), [second, first], Policy(later_replaces=True))
    assert result.matters["m"].no_n == 1 and kinds(result) == ["replaced"]


def test_unknown_and_uncounted_units_are_listed() -> None:
    units = [*roll("1", "1"), Unit("车位3", Decimal(12), counts=False)]
    result = tally(units, [*papers("yy"), Ballot("U9", "m", "no"), Ballot("车位3", "m", "no")])
    m = result.matters["m"]
    assert (m.part_n, m.total_n) == (2, 2) and m.total_area == 2 and result.complete and m.passed
    assert kinds(result) == ["unknown_unit", "not_counting"] and result.issues[0].unit == "U9"


def test_what_was_not_announced_cannot_be_voted_on() -> None:
    result = tally(roll("1"), [*papers("y"), Ballot("U1", "加装电梯", "yes")], matters=["m", "空"])
    assert list(result.matters) == ["m", "空"] and kinds(result) == ["unknown_matter"]
    assert result.matters["空"].part_n == 0 and result.matters["空"].passed is False


def test_invalid_is_no_participation_unless_resolved() -> None:
    units, ballots = roll("1", "1", "1"), papers("yyi")
    m = tally(units, ballots).matters["m"]
    assert m.part_n == 2 and m.yes_n_share == 1
    m = tally(units, ballots, Policy(invalid_participates=True)).matters["m"]
    assert (m.part_n, m.yes_n, m.no_n, m.abstain_n) == (3, 2, 0, 0) and m.yes_area_share == Fraction(2, 3)


def test_silence_is_neither_participation_nor_consent() -> None:
    m = tally(roll("1", "1", "1", "1"), papers("yy..")).matters["m"]
    assert m.part_n == 2 and m.quorum_met is False


def test_silence_with_the_majority_where_the_owners_resolved_so() -> None:
    policy = Policy(silence="with_majority")
    sent = papers("yyn..")
    undelivered = [*sent[:4], Ballot("U5", "m")]
    m = tally(roll("1", "1", "1", "1", "1"), undelivered, policy).matters["m"]
    assert (m.part_n, m.yes_n, m.no_n) == (4, 3, 1)  # the fifth never got a paper
    result = tally(roll("9", "1", "1", "1"), papers("nyy."), policy)
    assert kinds(result) == ["silence_undecided"] and result.matters["m"].part_n == 3


def test_window() -> None:
    policy = Policy(window=(D(2027, 1, 1), D(2027, 1, 10)))
    ballots = [
        Ballot("U1", "m", "yes", None, D(2027, 1, 10)),
        Ballot("U2", "m", "yes", None, D(2027, 1, 11)),
        Ballot("U3", "m", "yes"),
    ]
    result = tally(roll("1", "1", "1"), ballots, policy)
    assert result.matters["m"].part_n == 1 and sorted(kinds(result)) == ["late", "undated"]


def test_more_approvals_than_seats_spoil_the_paper() -> None:
    ballots = [*papers("yy", "甲"), *papers("yn", "乙")]
    result = tally(roll("1", "1"), ballots, Policy(max_yes=1))
    assert kinds(result) == ["over_voted"] and result.matters["甲"].yes_n == 1


def test_blank_matter_on_a_returned_paper() -> None:
    ballots = [*papers("yy", "甲"), *papers("y.", "乙")]
    assert tally(roll("1", "1"), ballots).matters["乙"].part_n == 1
    m = tally(roll("1", "1"), ballots, Policy(blank="abstain")).matters["乙"]
    assert (m.part_n, m.abstain_n) == (2, 1)


@pytest.mark.parametrize("units", [[*roll("1"), *roll("1")], [Unit("U1", None)], [Unit("U1", Decimal(0))]])
def test_a_faulty_roll_makes_the_result_unknown(units: list[Unit]) -> None:
    result = tally(units, papers("y"))
    m = result.matters["m"]
    assert not result.complete and m.quorum_met is None and m.passed is None
    assert "尚不能定" in m.lines()[0] and not elect(result, 1).determined


def test_empty_roll_passes_nothing() -> None:
    m = tally([], [], matters=["m"]).matters["m"]
    assert m.passed is False and m.part_n_share == 0 and m.yes_area_share == 0


def test_majority_per_matter() -> None:
    ballots = [*papers("yyn", "选聘物业"), *papers("yyn", "改建")]
    result = tally(roll("1", "1", "1"), ballots, Policy(majorities={"改建": "special"}))
    assert result.matters["选聘物业"].passed and not result.matters["改建"].passed


# ---- elections


def election(votes: dict[str, str], seats: int, areas: tuple[str, ...] = ("1", "1", "1", "1")) -> Any:
    ballots = [ballot for name, row in votes.items() for ballot in papers(row, name)]
    result = tally(roll(*areas), ballots)
    return elect(result, seats)


def names(group: Any) -> list[str]:
    return [m.matter for m in group]


def test_ranked_by_heads_then_area() -> None:
    e = election({"甲": "yyyn", "乙": "nyyy", "丙": "yyyy", "丁": "nnyy"}, 2, ("1", "1", "1", "2"))
    assert names(e.elected) == ["丙", "乙"] and [names(g) for g in e.reserves] == [["甲"]]
    assert e.determined and not e.tied and e.open_seats == 0  # 丁 has half the heads: not passed


def test_a_tie_for_the_last_seat_is_not_broken() -> None:
    e = election({"甲": "yyyn", "乙": "nyyy", "丙": "yyyy"}, 2)
    assert names(e.elected) == ["丙"] and names(e.tied) == ["甲", "乙"] and e.tied_seats == 1
    assert e.open_seats == 0


def test_a_tie_above_the_line_does_not_matter() -> None:
    e = election({"甲": "yyyn", "乙": "nyyy", "丙": "yyyy"}, 3)
    assert len(e.elected) == 3 and not e.tied


def test_open_seats() -> None:
    e = election({"甲": "yyyy", "乙": "nnyy"}, 3)
    assert names(e.elected) == ["甲"] and e.open_seats == 2


# ---- reading rows


def test_rows_of_the_clerk() -> None:
    units = read_roll(
        [{"unit": "12-2-301", "area": "89.37", "owner_key": None}, {"unit": 2, "area": Fraction(1, 3)}]
    )
    assert units[0] == Unit("12-2-301", Decimal("89.37")) and units[1].area == Fraction(1, 3)
    assert read_roll([{"unit": "a", "area": "", "counts": False}]) == [Unit("a", None, "", False)]
    ballots = read_ballots([{"unit": "a", "matter": "m", "choice": " 同意 ", "returned": D(2027, 1, 3)}])
    assert ballots == [Ballot("a", "m", "yes", None, D(2027, 1, 3))]
    assert read_ballots([{"unit": "a", "matter": "m"}])[0].choice is None


@pytest.mark.parametrize(
    "row",
    [{"area": 1}, {"unit": "a", "area": 89.37}, {"unit": "a", "area": True}, {"unit": "a", "area": "八十"}]
    + [{"unit": "a", "area": "NaN"}, {"unit": "a", "area": "1e12"}, {"unit": "a", "area": []}],
)
def test_bad_rolls(row: dict[str, Any]) -> None:
    with pytest.raises(BadVote) as e:
        read_roll([row])
    assert "第 1 行" in e.value.text("zh")


def test_bad_choice() -> None:
    with pytest.raises(BadVote):
        read_ballots([{"unit": "a", "matter": "m", "choice": "也许"}])


def test_facts_are_exact() -> None:
    facts = tally(roll("1.5", "1.5"), papers("yn")).facts()
    assert facts["total_area"] == 3 and isinstance(facts["total_area"], int)
    assert facts["matters"][0]["yes_area"] == Fraction(3, 2) and facts["matters"][0]["passed"] is False


@pytest.mark.parametrize(("area", "text"), [("61204.38", "61204.38"), ("1", "1.00"), ("0.125", "0.125")])
def test_areas_in_full(area: str, text: str) -> None:
    assert plain(Fraction(area)) == text and plain(Fraction(1, 3)) == "1/3"


# ---- properties

choices = st.sampled_from([*get_args(Choice), None])
keys = st.sampled_from(["", "", "A", "B"])
hundredths = st.integers(1, 30000).map(lambda n: Decimal(n) / 100)


@st.composite
def votes(draw: Callable[..., Any]) -> tuple[list[Unit], list[Ballot], Policy]:
    n = draw(st.integers(1, 12))
    units = [
        Unit(f"U{i}", draw(hundredths), draw(keys), draw(st.integers(0, 9)) < 9)
        for i in range(n)
    ]
    ballots = [Ballot(f"U{i}", m, draw(choices)) for m in "甲乙" for i in range(n + 1)]
    majority: Majority = draw(st.sampled_from(get_args(Majority)))
    return units, ballots, Policy(majority=majority, invalid_participates=draw(st.booleans()))


@given(votes())
def test_totals_equal_brute_force(case: tuple[list[Unit], list[Ballot], Policy]) -> None:
    units, ballots, policy = case
    result = tally(units, ballots, policy)
    counting = {u.unit: u for u in units if u.counts}
    cents = {name: int(u.area * 100) for name, u in counting.items() if u.area}
    owners = {name: u.owner_key or f"unit {name}" for name, u in counting.items()}
    assert result.total_area * 100 == sum(cents.values()) and result.total_n == len(set(owners.values()))
    for name, m in result.matters.items():
        said = {b.unit: b.choice for b in ballots if b.matter == name and b.unit in counting and b.choice}
        if not policy.invalid_participates:
            said = {u: c for u, c in said.items() if c != "invalid"}
        head: dict[str, set[str]] = {}
        for u, c in said.items():
            head.setdefault(owners[u], set()).add(c)
        single = [
            next(iter(s - {"invalid"} or s)) if len(s - {"invalid"}) <= 1 else "abstain"
            for s in head.values()
        ]
        assert m.part_area * 100 == sum(cents[u] for u in said) and m.part_n == len(head)
        for choice, area, n in (
            ("yes", m.yes_area, m.yes_n),
            ("no", m.no_area, m.no_n),
            ("abstain", m.abstain_area, m.abstain_n),
        ):
            assert area * 100 == sum(cents[u] for u, c in said.items() if c == choice)
            assert n == single.count(choice)
        met = m.total_n > 0 and 3 * m.part_area >= 2 * m.total_area and 3 * m.part_n >= 2 * m.total_n
        assert m.quorum_met is met
        if policy.majority == "special":
            enough = min(m.yes_area_share, m.yes_n_share) >= Fraction(3, 4)
        else:
            enough = min(m.yes_area_share, m.yes_n_share) > Fraction(1, 2)
        assert m.passed is (met and enough)


@given(votes(), st.integers(0, 11))
def test_turning_a_no_into_a_yes_never_loses(
    case: tuple[list[Unit], list[Ballot], Policy], at: int
) -> None:
    units, ballots, policy = case
    units = [Unit(u.unit, u.area) for u in units]  # a merged owner may split by one changed unit
    before = tally(units, ballots, policy).matters["甲"]
    changed = [
        Ballot(b.unit, b.matter, "yes") if b == ballots[at % len(units)] and b.choice else b for b in ballots
    ]
    after = tally(units, changed, policy).matters["甲"]
    assert after.yes_n >= before.yes_n and after.yes_area >= before.yes_area
    assert after.passed or not before.passed


@given(votes())
def test_special_is_never_easier_than_ordinary(case: tuple[list[Unit], list[Ballot], Policy]) -> None:
    units, ballots, _ = case
    ordinary, special = (tally(units, ballots, Policy(majority=m)) for m in get_args(Majority))
    assert all(ordinary.matters[n].passed or not m.passed for n, m in special.matters.items())


@given(votes())
def test_order_of_rows_is_nothing(case: tuple[list[Unit], list[Ballot], Policy]) -> None:
    units, ballots, policy = case
    turned = tally(units[::-1], ballots[::-1], policy, ["甲", "乙"])
    assert turned.matters == tally(units, ballots, policy).matters


@given(st.lists(st.text("yna", min_size=4, max_size=4), min_size=1, max_size=7), st.integers(1, 5))
def test_every_passed_candidate_stands_somewhere_once(rows: list[str], seats: int) -> None:
    ballots = [ballot for i, row in enumerate(rows) for ballot in papers(row, f"c{i}")]
    result = tally(roll("1", "1", "1", "1"), ballots)
    e = elect(result, seats)
    passed = sorted(m.matter for m in result.matters.values() if m.passed)
    placed = [*e.elected, *e.tied, *(m for group in e.reserves for m in group)]
    ranked = [m for group in rank(result.matters.values()) for m in group]
    assert sorted(names(placed)) == passed == sorted(names(ranked))
    assert len(e.elected) + e.tied_seats + e.open_seats == seats
    assert (not e.tied) or len(e.tied) > e.tied_seats > 0
