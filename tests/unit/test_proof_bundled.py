"""Proofs on the bundled rule sets: what a policy officer and a candidate would see."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from siquan.core.plugins import Catalogue, discover
from siquan.core.proof import (
    BadIntent,
    NoWayOut,
    WayOut,
    check_intents,
    compare,
    lasting,
    smallest_change,
    table_issues,
    unknown_safe,
)
from siquan.core.rules.decide import RuleSet, decide
from siquan.core.rules.facts import FactSet, Reader
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.model import IntentSpec

DAY = dt.date(2026, 11, 20)
PLACE = ("compound/huheyuan",)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return discover()


def edited(rules: RuleSet, id: str, **changes: Any) -> RuleSet:
    spec = rules.spec.model_copy(update={"rules": tuple(r.model_copy(update=changes) if r.id == id else r for r in rules.spec.rules)})
    return RuleSet(spec, rules.scope, rules.schema, rules.derived)


def both(catalogue: Catalogue, id: str) -> tuple[RuleSet, ParameterBook]:
    return catalogue.ruleset(id), catalogue.book_of(id)


def facts_of(catalogue: Catalogue, **changes: Any) -> FactSet:
    """A candidate with nothing against him, and what is said otherwise."""
    rules = catalogue.ruleset("owners_committee.candidate")
    spec = catalogue.definition(rules.spec.process).spec
    case = next(c for c in spec.cases if c.decide and c.expect == "PASS")
    known = {p.partition(".")[0] for p in rules.schema.specs}
    raw = {k: v for k, v in {**spec.bases.get(case.base, {}), **case.given}.items() if k.partition(".")[0] in known}
    raw = {k: v for k, v in raw.items() if not any(k == c or k.startswith(f"{c}.") for c in changes)}
    return FactSet(rules.schema, Reader(rules.schema, DAY).read({**raw, **changes}), DAY)


def test_a_stricter_threshold_of_the_candidate_list(catalogue: Catalogue) -> None:
    rules, book = both(catalogue, "owners_committee.candidate")
    found = compare(rules, edited(rules, "OC-N01", when="present(fee) and fee.arrears_months >= 3"), book, book, DAY, PLACE, timeout=30)
    assert found.kind == "looser" and found.stricter is None and found.left_out == ()
    assert found.witness is not None and found.witness.changed == ("fee.arrears_months",)
    assert found.witness.facts["fee.arrears_months"] == 1
    assert (found.witness.old.outcome, found.witness.new.outcome) == ("WARN", "PASS")


def test_the_same_in_other_words_is_equal(catalogue: Catalogue) -> None:
    rules, book = both(catalogue, "owners_committee.candidate")
    assert compare(rules, edited(rules, "OC-N09", when="dishonest.listed"), book, book, DAY, timeout=30).kind == "equal"
    assert compare(rules, edited(rules, "OC-N09", say="在列", cite="S1"), book, book, DAY, timeout=30).kind == "equal"


def test_a_parameter_moves_the_line_of_a_date(catalogue: Catalogue) -> None:
    rules, book = both(catalogue, "owners_committee.candidate")
    found = compare(rules, rules, book, book.with_overrides({"oc.crime.years": 3}), DAY, timeout=30)
    assert found.kind == "looser" and found.witness is not None
    # three years to the day: no longer counted, and by five years still counted
    assert found.witness.facts["crime.served_end"] == "2023-11-20"


def test_lists_of_any_length(catalogue: Catalogue) -> None:
    rules, book = both(catalogue, "big_party_committee.staffing")
    found = compare(rules, rules, book, book.with_overrides({"bp.max": 20}), DAY, timeout=30)
    assert found.kind == "looser" and found.witness is not None
    active = [m for m in found.witness.facts["members"]["value"] if m["active"] and m["part_time"]]
    assert len(active) == 13
    assert [r.status for r in check_intents(rules, book, DAY, timeout=30)] == ["proved"] * 3
    open_ = edited(rules, "BP-01", when='count(members[role_source = "community_police"]) < 1')
    refuted = next(r for r in check_intents(open_, book, DAY, timeout=30) if r.status == "refuted")
    assert refuted.id == "BP-I01" and refuted.witness is not None and refuted.witness.new.outcome in ("PASS", "WARN")


def test_every_bundled_rule_set_is_safe_and_sound(catalogue: Catalogue) -> None:
    for id, rules in catalogue.rulesets.items():
        book = catalogue.book_of(id)
        assert unknown_safe(rules, book, DAY, timeout=30).status == "proved", id
        assert all(r.status == "proved" for r in check_intents(rules, book, DAY, timeout=30)), id
        assert lasting(rules, book, DAY, timeout=30).never == (), id
        kinds = {i.kind for i in table_issues(rules, book, DAY, timeout=30)}
        assert kinds <= {"dead"}, (id, kinds)  # switched off by a parameter


def test_only_stricter_is_judged_against_the_version_before(catalogue: Catalogue) -> None:
    rules, book = both(catalogue, "owners_committee.candidate")
    only = rules.spec.model_copy(update={"intents": (IntentSpec(id="X", only="stricter", say="只许更严"),)})

    def judged(when: str) -> list[str]:
        new = edited(RuleSet(only, rules.scope, rules.schema, rules.derived), "OC-N01", when=when)
        return [r.status for r in check_intents(new, book, DAY, previous=(rules, book), timeout=30)]

    assert judged("present(fee) and fee.arrears_months > oc.fee.min_months") == ["proved"]
    assert judged("present(fee)") == ["proved"]
    assert judged("present(fee) and fee.arrears_months > 2") == ["refuted"]
    new = RuleSet(only, rules.scope, rules.schema, rules.derived)
    assert check_intents(new, book, DAY) == ()


@pytest.mark.parametrize("never", ["no.such.fact and outcome = PASS", "outcome = MAYBE", "outcome", "value = 1", "outcome = PASS and ("])
def test_an_intent_that_cannot_be_read_is_refused(never: str, catalogue: Catalogue) -> None:
    rules, book = both(catalogue, "owners_committee.candidate")
    spec = rules.spec.model_copy(update={"intents": (IntentSpec(id="X", never=never),)})
    with pytest.raises(BadIntent) as refused:
        check_intents(RuleSet(spec, rules.scope, rules.schema, rules.derived), book, DAY)
    assert refused.value.code == "SQ120" and "`X`" in refused.value.full("zh") and refused.value.help("zh")


def test_a_value_may_be_named_in_an_intent(catalogue: Catalogue) -> None:
    rules, book = both(catalogue, "approval.level")
    assert [r.status for r in check_intents(rules, book, DAY)] == ["proved"]
    high = book.with_overrides({"district_from": 60000})
    (result,) = check_intents(rules, high, DAY)
    assert result.status == "refuted" and result.witness is not None and result.witness.facts == {"amount": 50001}
    assert result.witness.new.value == "done"


def test_the_way_out_of_a_candidate(catalogue: Catalogue) -> None:
    rules, book = both(catalogue, "owners_committee.candidate")
    fee = {"arrears_months": 5, "judgment_no": "民1", "judgment_effective_date": "2026-01-01", "performed": False}
    facts = facts_of(catalogue, dishonest={"listed": True, "case_no": "执1"}, fee=fee, pledge_signed="none")
    assert decide(rules, facts, book, DAY, PLACE).outcome == "REJECT"
    found = smallest_change(rules, facts, book, DAY, PLACE, timeout=30)
    assert isinstance(found, WayOut) and found.decision.outcome == "PASS"
    assert {c.path: c.after for c in found.changes} == {
        "pledge_signed": "2026-11-20", "fee.arrears_months": 0, "fee.performed": True, "dishonest.listed": False,
    }  # fmt: skip
    assert all(c.cure and c.title and c.before_shown != c.after_shown for c in found.changes)


def test_nobody_is_told_to_change_what_nobody_can(catalogue: Catalogue) -> None:
    rules, book = both(catalogue, "owners_committee.candidate")
    crime = {"convicted": True, "intentional": True, "served_end": "2025-01-01"}
    found = smallest_change(rules, facts_of(catalogue, crime=crime), book, DAY, PLACE, timeout=30)
    assert isinstance(found, NoWayOut) and found.proved and "crime.served_end" in found.facts and "刑罚执行完毕日" in found.reason


def test_what_is_missing_may_be_supplied(catalogue: Catalogue) -> None:
    rules, book = both(catalogue, "owners_committee.candidate")
    facts = facts_of(catalogue, pledge_signed=None)
    found = smallest_change(rules, facts, book, DAY, PLACE, timeout=30)
    assert isinstance(found, WayOut)
    assert [(c.path, c.before, c.after) for c in found.changes] == [("pledge_signed", None, "2026-11-20")]


def test_a_case_that_passes_needs_nothing(catalogue: Catalogue) -> None:
    rules, book = both(catalogue, "owners_committee.candidate")
    found = smallest_change(rules, facts_of(catalogue), book, DAY, PLACE)
    assert isinstance(found, WayOut) and found.changes == () and found
