"""Acts stopped by rules or by two engines that disagree: nothing of the case changes, and what was found is on record."""

from __future__ import annotations

from typing import Any

import pytest

from siquan.core.rules.decide import EnginesDisagree
from siquan.core.rules.durable import DurableFault, DurableReading
from siquan.core.service.refusal import MissingFacts, StepRefused

GARDEN = """
process: garden
title: 社区花园认领
roles: {resident: 居民, community: 社区}
facts:
  area: {title: 面积, type: decimal, unit: m², min: 0, by: resident}
  dogs: {title: 养狗, type: boolean, by: resident, evidence: [邻居证明]}
  level: {title: 等级, type: integer, by: community}
rules:
  limits:
    title: 认领条件
    list:
      - {id: G1, title: 面积上限, when: "area > 20", outcome: BLOCK, basis: STATUTE, cite: 公约 3, say: "面积{area}m²，超过 20m²", cure: 分两块认领}
      - {id: G2, title: 不得养狗, when: dogs, outcome: REJECT, basis: OWNERS, cite: 公约 4, say: 园里不得养狗}
      - {id: G3, title: 面积偏大, when: "area > 10", outcome: REJECT, basis: LOCAL, cite: 本地设定, say: "面积{area}m²，偏大"}
  grade:
    title: 分级
    hit_policy: U
    inputs: [level]
    rows:
      - {id: R1, level: "1", out: small, say: 一级}
      - {id: R2, level: "2", out: large, say: 二级}
states:
  draft:
    title: 起草
    apply: {title: 申请, by: resident, needs: [area], asks: [dogs], check: [limits], to: given}
  given:
    title: 已认领
    grade: {title: 定级, by: community, needs: [level], check: [limits], decide: grade, to: {small: tended}}
    expand: {title: 扩大, by: resident, not_same_as: draft, needs: [area], check: [limits], to: same}
  tended: {title: 养护中, final: true}
"""


@pytest.fixture
def garden(database: str, write_plugin: Any, make_town: Any) -> Any:
    town = make_town(database, write_plugin("garden", GARDEN))
    town.settle([("he", "wutongli", "resident"), ("du", "wutongli", "community")])
    return town


def stopped(town: Any, case: str, *args: Any, **kw: Any) -> StepRefused:
    """An act that a rule must stop; the case and its history stay as they were."""
    before, events = town.case(case), town.events(case)
    with pytest.raises(StepRefused) as info:
        town.siquan.act(case, *args, **kw)
    assert (town.case(case), town.events(case)) == (before, events)
    return info.value


def test_a_rule_refuses_and_its_decision_is_kept(garden: Any) -> None:
    siquan = garden.siquan
    case = siquan.open_case("garden", "he").case
    fault = stopped(garden, case, "apply", "he", {"area": 25, "dogs": False}, key="a")
    [block] = fault.blocks
    assert (block.rule, block.basis, block.cite, block.cure) == ("G1", "STATUTE", "公约 3", "分两块认领")
    assert "25m²" in fault.text("zh") and (fault.exit, fault.http) == (1, 422)
    [kept] = garden.decisions(case)
    assert (kept.refused, kept.event_seq, kept.outcome, kept.transition, kept.actor) == (True, None, "BLOCK", "apply", "he")
    view = siquan.decision(kept.id, "du")
    assert view.refused and view.replay == "same"
    assert siquan.form(case, "apply", "he", {"area": 25, "dogs": False}).allowed is False
    assert len(garden.decisions(case)) == 1, "a preview writes nothing"
    # the key of a refused act is free, and the refusal does not count against the next try
    assert siquan.act(case, "apply", "he", {"area": 5, "dogs": False}, key="a").state == "given"
    assert [d.refused for d in garden.decisions(case)] == [True, False]
    garden.whole()


def test_what_is_unknown_and_could_refuse_is_asked_for(garden: Any) -> None:
    siquan = garden.siquan
    case = siquan.open_case("garden", "he").case
    fault = stopped(garden, case, "apply", "he", {"area": 5})
    assert [(b.rule, b.outcome) for b in fault.blocks] == [("G2", "EVIDENCE")]
    [kept] = garden.decisions(case)
    [ask] = siquan.decision(kept.id, "he").decision.asks
    assert (ask.fact, ask.blocking, ask.evidence) == ("dogs", True, ("邻居证明",))
    # what only stands on our own number warns and does not stop
    done = siquan.act(case, "apply", "he", {"area": 15, "dogs": False})
    assert done.state == "given"
    [finding] = siquan.decision(done.decision_id, "he").decision.hits()
    assert (finding.rule, finding.outcome, finding.capped_from) == ("G3", "WARN", "REJECT")


def test_a_value_without_a_way_is_refused_with_all_that_was_decided(garden: Any) -> None:
    siquan = garden.siquan
    case = siquan.open_case("garden", "he").case
    siquan.act(case, "apply", "he", {"area": 5, "dogs": False})
    stopped(garden, case, "grade", "du", {"level": 2})
    stopped(garden, case, "grade", "du", {"level": 3})
    refused = [(d.ruleset, d.outcome) for d in garden.decisions(case) if d.refused]
    assert sorted(refused) == [
        ("garden.grade", "BLOCK"), ("garden.grade", "PASS"), ("garden.limits", "PASS"), ("garden.limits", "PASS"),
    ]  # fmt: skip
    assert siquan.act(case, "grade", "du", {"level": 1}).state == "tended"
    garden.whole()


def test_who_is_stopped_as_a_person_leaves_no_decision(garden: Any) -> None:
    siquan = garden.siquan
    case = siquan.open_case("garden", "he").case
    siquan.act(case, "apply", "he", {"area": 5, "dogs": False})
    assert [b.kind for b in stopped(garden, case, "expand", "he", {"area": 6}).blocks] == ["person"]
    with pytest.raises(MissingFacts):
        siquan.act(case, "grade", "du")
    assert not [d for d in garden.decisions(case) if d.refused]


def lie(self: Any, fact: Any, computed: Any) -> dict[str, bool]:
    return dict.fromkeys(("L1", "L2", "G1", "G2", "G3"), True)


def fail(self: Any, fact: Any, computed: Any) -> dict[str, bool]:
    raise DurableFault(why="no session")


@pytest.mark.parametrize("second", [lie, fail])
def test_engines_that_disagree_decide_nothing(town: Any, monkeypatch: pytest.MonkeyPatch, second: Any) -> None:
    siquan, case = town.siquan, town.submitted()
    before, events = town.case(case), town.events(case)
    with monkeypatch.context() as patched:
        patched.setattr(DurableReading, "decide", second)
        with pytest.raises(EnginesDisagree) as info:
            siquan.act(case, "pass", "du", opinion="同意", key="k")
        assert (info.value.code, info.value.exit, info.value.http) == ("SQ501", 1, 500)
        with pytest.raises(EnginesDisagree):
            siquan.decide("approval.level", {"amount": 1})
        # pages use the compiled reading alone
        assert siquan.form(case, "pass", "du", {}).decision.outcome == "PASS"
    assert (town.case(case), town.events(case), town.decisions(case)) == (before, events, [])
    with town.store.read() as tx:
        [incident] = tx.incidents.latest()
        assert (incident.kind, incident.case_id, incident.status) == ("engines_disagree", case, "open")
        assert incident.data == {"transition": "pass", "actor": "du"} and "approval.level" in incident.message
    # nothing was left behind: the same request goes through when they agree again
    assert siquan.act(case, "pass", "du", opinion="同意", key="k").state == "district"
    town.whole()
