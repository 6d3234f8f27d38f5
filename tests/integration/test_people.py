# ruff: noqa: E501 (sentences are kept whole)
"""Who acts, who stands in, who leaves: over the real service, on a process that finds people in every way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from siquan.core.errors import NoAccess, SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.service.acts import StepRefused
from siquan.core.service.choices import NotAmong

APPROVAL = Path(__file__).parents[2] / "plugins" / "approval.yaml"
TODAY = dt.date(2026, 11, 23)
VISIT = """
process: visit
title: 上门走访
place: community
roles:
  starter: {title: 发起人, who: starter}
  clerk: 社区经办@community
  handler: {title: 承办人, who: fact handler}
  leader: {title: 社区负责人, who: leader, at: community}
  heads: {title: 上级负责人, who: leaders up to street}
  experts: {title: 专家组, who: group visit_experts}
  bureau: {title: 区司法局, who: unit bureau/justice}
if_nobody: {leader: up, heads: up, experts: block, bureau: block}
facts:
  what: {title: 走访事由, type: text, by: clerk}
  handler: {title: 承办人, type: person, among: clerk, by: clerk}
  found: {title: 走访情况, type: text, by: handler}
opening: [what]
states:
  draft:
    title: 交办
    assign: {title: 交办, by: clerk, needs: [what, handler], to: visit}
  visit:
    title: 走访
    report: {title: 报告, by: handler, needs: [found], to: lead}
  lead:
    title: 社区负责人审核
    agree: {title: 同意, by: leader, not_same_as: visit, to: heads}
    back: {title: 退回, by: leader, opinion: required, to: visit}
  heads:
    title: 上级负责人审核
    agree: {title: 同意, by: heads, not_same_as: [visit, lead], to: opinion}
  opinion:
    title: 专家意见
    state: {title: 出具意见, by: experts, opinion: required, to: legal}
  legal:
    title: 法制审核
    pass: {title: 通过, by: bureau, to: reply}
  reply:
    title: 答复
    close: {title: 确认收到, by: starter, to: done}
  done: {title: 办结, final: true}
cases:
  - {name: 一路办到底, given: {what: 独居老人, handler: 甲, found: 需要助餐}, steps: [{act: assign}, {act: report}, {act: agree}, {act: agree}, {act: state}, {act: pass}, {act: close}], expect: done}
  - {name: 没选中的人不能报告, given: {what: 独居老人, handler: 甲, found: 需要助餐}, steps: [{act: assign}, {act: report, by: 乙, refused: role}, {act: report, by: 甲}], expect: lead}
  - {name: 报告人不能自己审核, given: {what: 独居老人, handler: 甲, found: 需要助餐}, steps: [{act: assign}, {act: report}, {act: agree, by: 甲, refused: separate}], expect: lead}
  - {name: 退回重走, given: {what: 独居老人, handler: 甲, found: 需要助餐}, steps: [{act: assign}, {act: report}, {act: back, opinion: 情况不清}], expect: visit}
"""
PEOPLE = (
    ("he", "wutongli", "clerk community resident"),
    ("du", "wutongli", "clerk community"),
    ("ren", "wutongli", "leader"),
    ("lu", "guixiang", "leader"),
    ("zhuan", "yunxi", "group:visit_experts"),
    ("fa", "bureau/justice", "bureau"),
    ("shao", "yunxi", "district"),
    ("zhou", "xiaoqiaotou", "clerk community"),
    ("peng", "yunxi", "admin"),
    ("qin", "yunxi", ""),
    ("yi", "wutongli", ""),
)


@pytest.fixture
def people(sqlite_url: str, tmp_path: Path, make_town: Callable[..., Any], load_plugins: Callable[..., Catalogue]) -> Any:
    file = tmp_path / "visit.yaml"
    file.write_text(VISIT, encoding="utf-8")
    town = make_town(sqlite_url, load_plugins(file, APPROVAL))
    with town.store.begin() as tx:
        tx.people.add_unit("bureau/justice", "district", "区司法局")
    town.settle(PEOPLE)
    return town


def opened(town: Any, handler: str = "du") -> str:
    case: str = town.siquan.open_case("visit", "he", "wutongli", {"what": "独居老人"}).case
    if handler:
        town.siquan.act(case, "assign", "he", {"handler": handler})
    return case


def refused(call: Callable[[], object], code: str) -> SiquanError:
    with pytest.raises(SiquanError) as found:
        call()
    assert found.value.code == code, found.value.full("zh")
    return found.value


def mine(town: Any, person: str) -> dict[str, str]:
    """What waits for a person, and for whom he does it."""
    return {r.case: r.instead for r in town.siquan.inbox(person).rows if r.now}


def walk(town: Any, case: str, *steps: tuple[str, str]) -> None:
    for name, person in steps:
        facts = {"found": "需要助餐"} if name == "report" else {}
        town.siquan.act(case, name, person, facts, "同意")


# who acts


def test_a_case_goes_by_choice_leader_group_unit_and_starter(people: Any) -> None:
    case = opened(people)
    assert mine(people, "du") == {case: ""} and mine(people, "ren") == {}
    for person in ("he", "ren", "zhou"):
        with pytest.raises(NoAccess):
            people.siquan.act(case, "report", person, {"found": "x"})
    walk(people, case, ("report", "du"))
    assert mine(people, "ren") == {case: ""}
    walk(people, case, ("agree", "ren"), ("agree", "lu"))
    assert mine(people, "zhuan") == {case: ""}
    walk(people, case, ("state", "zhuan"))
    assert mine(people, "fa") == {case: ""} and people.siquan.case(case, "fa").mine  # outside the line of the place
    walk(people, case, ("pass", "fa"))
    assert mine(people, "he") == {case: ""}
    walk(people, case, ("close", "he"))
    marks = [e.data.get("as") for e in people.events(case)]
    assert marks == [
        "clerk@wutongli", "clerk@wutongli", "handler", "leader@wutongli", "leader@guixiang", "group:visit_experts@yunxi",
        "bureau@bureau/justice", "starter",
    ]  # fmt: skip
    people.whole()


def test_a_post_at_a_named_unit_shows_nothing_of_other_processes(people: Any) -> None:
    case = people.siquan.open_case("approval", "he", "wutongli", {"amount": 100, "reason": "x"}).case
    for person in ("fa", "zhuan"):
        with pytest.raises(NoAccess):
            people.siquan.case(case, person)


def test_only_who_may_be_chosen_is_offered_and_taken(people: Any) -> None:
    case = opened(people, "")
    field = next(f for f in people.siquan.form(case, "assign", "he").fields if f.path == "handler")
    assert [o for o, _ in field.options] == ["du", "he"]
    before = people.case(case)
    for wrong in ("zhou", "ren", "nobody", "<b>"):
        with pytest.raises(NotAmong):
            people.siquan.act(case, "assign", "he", {"handler": wrong})
        with pytest.raises(NotAmong):
            people.siquan.supply(case, "he", {"handler": wrong})
        preview = people.siquan.form(case, "assign", "he", {"handler": wrong})
        assert not preview.allowed and next(f for f in preview.fields if f.path == "handler").error
    assert people.case(case) == before
    people.siquan.recuse(case, "du", "亲属")
    with pytest.raises(NotAmong):
        people.siquan.act(case, "assign", "he", {"handler": "du"})


def test_whoever_was_chosen_and_lost_the_post_acts_no_more(people: Any) -> None:
    case = opened(people)
    with people.store.begin() as tx:
        for g in tx.people.grants("du"):
            tx.people.end_grant(g.id, TODAY - dt.timedelta(days=1))
    with pytest.raises(NoAccess):
        people.siquan.act(case, "report", "du", {"found": "x"})
    people.siquan.supply(case, "he", {"handler": "he"})
    assert mine(people, "he") == {case: ""} and mine(people, "du") == {}


def test_the_leader_above_acts_where_nobody_leads_and_the_expert_does_not(people: Any) -> None:
    case = opened(people)
    walk(people, case, ("report", "du"))
    with people.store.begin() as tx:
        for person in ("ren", "zhuan"):
            for g in tx.people.grants(person):
                tx.people.end_grant(g.id, TODAY - dt.timedelta(days=1))
    walk(people, case, ("agree", "lu"))
    step = next(s for s in people.siquan.case(case, "lu").steps if s.name == "agree")
    assert not step.allowed and any(b.kind == "person" for b in step.blocks)  # never the same person twice


def test_an_empty_group_is_a_note_on_the_page(people: Any) -> None:
    case = opened(people)
    walk(people, case, ("report", "du"), ("agree", "ren"), ("agree", "lu"))
    with people.store.begin() as tx:
        for g in tx.people.grants("zhuan"):
            tx.people.end_grant(g.id, TODAY - dt.timedelta(days=1))
    (step,) = people.siquan.case(case, "he").steps
    assert [(b.kind, b.message) for b in step.blocks] == [("nobody", "须由专家组办理，现在没有人担任")]


# substitution


def away(town: Any, person: str, substitute: str, days: int = 7, since: dt.date = TODAY, by: str = "", **more: Any) -> Any:
    return town.siquan.substitute(person, substitute, since, since + dt.timedelta(days=days), by or person, **more)


def test_a_substitute_acts_is_recorded_for_both_and_ends_by_himself(people: Any) -> None:
    case = opened(people)
    assert mine(people, "yi") == {}
    away(people, "du", "yi")
    assert mine(people, "yi") == {case: "du"} and mine(people, "du") == {case: ""}
    walk(people, case, ("report", "yi"))
    with pytest.raises(NoAccess):  # the leader's posts are not his
        people.siquan.act(case, "agree", "yi")
    event = people.events(case)[-1]
    assert (event.actor, event.on_behalf, event.data["as"]) == ("yi", "du", "handler")
    assert "yi（代du）" in [e.who for e in people.siquan.case(case, "he").events]
    with people.store.read() as tx:
        story = people.siquan.app.stories.of(tx, tx.cases.get(case))
        assert story.acted["visit"] == {"du", "yi"} and story.suppliers >= {"du", "yi"}
        assert [a.what for a in tx.access.latest()] == ["substitution.set"]
    marks = {p.id: p.marks for p in people.siquan.case(case, "he").people}
    assert marks["yi"] == ("代du",) and marks["du"] == ("由yi代办",) and marks["ren"] == ("梧桐里社区负责人",)
    people.clock.move(TODAY + dt.timedelta(days=8))
    second = opened(people)
    assert mine(people, "yi") == {}
    with pytest.raises(NoAccess):
        people.siquan.act(second, "report", "yi", {"found": "x"})
    people.whole()


@pytest.mark.parametrize("second", ["ren", "yi"])
def test_neither_may_be_the_second_person_afterwards(people: Any, second: str) -> None:
    case = opened(people, "du")
    away(people, "du", "ren")  # the leader reports for the handler ...
    walk(people, case, ("report", "ren"))
    away(people, "lu", "yi")
    with people.store.begin() as tx:
        tx.people.grant("du", "leader", "wutongli", TODAY)
    for person in ("ren", "du"):  # ... so neither of them may agree
        with pytest.raises(StepRefused) as found:
            people.siquan.act(case, "agree", person)
        assert {b.kind for b in found.value.blocks} == {"person"}


def test_nobody_acts_through_one_who_may_not_act_himself(people: Any) -> None:
    case = opened(people)
    walk(people, case, ("report", "du"))
    away(people, "ren", "yi")
    people.siquan.recuse(case, "ren", "亲属")
    with pytest.raises(SiquanError) as found:
        people.siquan.act(case, "agree", "yi")
    assert "你代ren办理，而他已对这件事申报回避" in found.value.text("zh")
    assert people.siquan.case(case, "yi").id == case  # he may look, as the other may
    walk(people, case, ("agree", "lu"))  # with the one leader recused it goes up
    other = opened(people, "he")
    away(people, "he", "yi", processes=["visit.visit"])
    walk(people, other, ("report", "he"))
    with people.store.begin() as tx:
        tx.people.grant("he", "leader", "wutongli", TODAY)
    with pytest.raises(StepRefused):
        people.siquan.act(other, "agree", "he")
    walk(people, other, ("agree", "yi"))  # for ren, not for he
    assert people.events(other)[-1].on_behalf == "ren"


def test_a_scope_lends_that_and_nothing_else(people: Any) -> None:
    away(people, "du", "yi", processes=["approval.approval"])
    case = opened(people)
    with pytest.raises(NoAccess):
        people.siquan.case(case, "yi")
    other = people.siquan.open_case("approval", "he", "wutongli", {}).case
    people.siquan.act(other, "submit", "he", {"amount": 100, "reason": "x"})
    assert mine(people, "yi") == {other: "du"} and people.siquan.inbox("yi").counts["unit"] == 1
    assert people.siquan.inbox("yi", q="走访").rows == ()
    people.siquan.act(other, "pass", "yi")
    assert people.events(other)[-1].on_behalf == "du"


@pytest.mark.parametrize(
    ("person", "substitute", "since", "days", "code"),
    [
        ("du", "du", 0, 7, "SQ481"), ("du", "yi", -1, 7, "SQ482"), ("du", "yi", 3, -1, "SQ482"), ("du", "yi", 0, 400, "SQ482"),
        ("du", "left", 0, 7, "SQ483"), ("left", "yi", 0, 7, "SQ403"), ("ren", "yi", 2, 9, "SQ485"), ("yi", "du", 0, 7, "SQ484"),
        ("yi", "ren", 0, 7, "SQ484"), ("du", "ren", 0, 7, "SQ484"), ("du", "ghost", 0, 7, "SQ404"), ("du", "fa", 0, 7, "SQ403"),
    ],
)  # fmt: skip
def test_what_is_no_substitution_is_refused_and_changes_nothing(
    people: Any, person: str, substitute: str, since: int, days: int, code: str
) -> None:
    people.settle([("left", "wutongli", "clerk")])
    people.siquan.leave("left", "peng")
    away(people, "ren", "yi", 5)  # a leader is away, yi stands in
    first = TODAY + dt.timedelta(days=since)
    by = "peng" if person != "left" else "du"
    before = people.siquan.stand_ins("yi").substitutions
    error = refused(lambda: away(people, person, substitute, days, first, by=person if substitute == "fa" else by), code)
    assert error.text("en") and people.siquan.stand_ins("yi").substitutions == before


def test_a_substitute_of_a_substitute_gets_nothing(people: Any) -> None:
    away(people, "ren", "yi", 5)
    later = away(people, "yi", "du", 5, TODAY + dt.timedelta(days=6))  # afterwards it is fine
    assert later.state == "future"
    refused(lambda: away(people, "ren", "du", 2, TODAY + dt.timedelta(days=1)), "SQ485")
    refused(lambda: away(people, "lu", "yi", 5, TODAY + dt.timedelta(days=6), by="peng"), "SQ484")


def test_who_may_name_and_who_may_cancel(people: Any) -> None:
    for by in ("du", "lu", "qin", "zhou"):
        refused(lambda by=by: away(people, "ren", "yi", by=by), "SQ403")
    view = away(people, "ren", "yi", by="peng")
    assert view.set_by == "peng" and view.state == "running"
    for by in ("du", "zhou", "qin"):
        refused(lambda by=by: people.siquan.cancel_substitution(view.id, by), "SQ403")
    assert people.siquan.cancel_substitution(view.id, "yi").state == "cancelled"
    refused(lambda: people.siquan.cancel_substitution(view.id, "ren"), "SQ410")
    refused(lambda: people.siquan.cancel_substitution("nothing", "ren"), "SQ404")
    again = away(people, "ren", "yi")  # the period is free again
    assert people.siquan.cancel_substitution(again.id, "peng").state == "cancelled"


def test_policy_and_people_posts_are_not_lent(people: Any) -> None:
    with people.store.begin() as tx:
        tx.people.grant("du", "policy_approver", "yunxi", TODAY)
    refused(lambda: away(people, "du", "yi", roles=["policy_approver"]), "SQ422")
    refused(lambda: away(people, "du", "yi", roles=["clerk"], processes=["visit"]), "SQ422")
    away(people, "peng", "qin")
    refused(lambda: people.siquan.staff("qin"), "SQ403")


# people and leavers


def test_an_administrator_sees_his_people_and_no_case(people: Any) -> None:
    case = opened(people)
    assert {p.id for p in people.siquan.staff("peng").people} >= {"he", "du", "zhou"}
    with people.store.begin() as tx:
        tx.people.grant("qin", "admin", "wutongli", TODAY)
    assert {p.id for p in people.siquan.staff("qin").people} == {"he", "du", "ren", "yi"}
    refused(lambda: people.siquan.person("zhou", "qin"), "SQ404")
    refused(lambda: people.siquan.grant_post("du", "clerk", "xiaoqiaotou", "qin"), "SQ404")
    refused(lambda: people.siquan.staff("du"), "SQ403")
    for admin in ("peng", "qin"):
        with pytest.raises(NoAccess):
            people.siquan.case(case, admin)
        assert people.siquan.inbox(admin, "unit").rows == ()


def test_posts_are_granted_and_ended_on_record(people: Any) -> None:
    s = people.siquan
    s.grant_post("yi", "clerk", "wutongli", "peng", until=TODAY + dt.timedelta(days=3))
    refused(lambda: s.grant_post("yi", "clerk", "wutongli", "peng"), "SQ486")
    refused(lambda: s.grant_post("yi", "nonsense", "wutongli", "peng"), "SQ404")
    refused(lambda: s.grant_post("yi", "policy_author", "yunxi", "peng"), "SQ404")
    refused(lambda: s.grant_post("yi", "leader", "wutongli", "peng", since=TODAY - dt.timedelta(days=1)), "SQ422")
    (post,) = s.person("yi", "peng").posts
    assert (post.title, post.unit_title, post.state) == ("社区经办", "梧桐里社区", "running")
    case = opened(people, "yi")
    assert s.end_post(post.id, "peng") == "yi"
    refused(lambda: s.end_post(post.id, "peng"), "SQ410")
    with pytest.raises(NoAccess):
        s.act(case, "report", "yi", {"found": "x"})
    (own,) = s.person("peng", "peng").posts
    refused(lambda: s.end_post(own.id, "peng"), "SQ487")
    with people.store.read() as tx:
        assert [a.what for a in tx.access.latest()] == ["post.end", "post.grant"]


def test_a_leaver_ends_on_the_day_and_his_work_is_moved_case_by_case(people: Any) -> None:
    s = people.siquan
    cases = [opened(people) for _ in range(3)]
    stuck = opened(people)
    s.recuse(stuck, "he", "亲属")
    last = TODAY + dt.timedelta(days=1)
    away(people, "du", "yi", 30)
    s.leave("du", "peng", last)
    refused(lambda: s.leave("peng", "peng"), "SQ403")
    assert mine(people, "du") and s.person("du", "peng").line.leaving_on == last
    people.clock.move(last + dt.timedelta(days=1))
    assert s.account("du") is None and mine(people, "yi") == {}
    with pytest.raises(NoAccess):
        s.act(cases[0], "report", "du", {"found": "x"})
    page = s.person("du", "peng")
    assert {w.case for w in page.work} == {*cases, stuck} and page.work[0].why == "named"
    assert all(p.state == "over" for p in page.posts) and not page.line.serving
    s.grant_post("yi", "clerk", "wutongli", "peng")
    refused(lambda: s.move_work("du", ["du"], "peng"), "SQ422")
    refused(lambda: s.move_work("du", [], "peng"), "SQ422")
    refused(lambda: s.move_work("du", ["fa2"], "peng"), "SQ404")
    first = s.move_work("du", ["zhou"], "peng", [stuck])
    assert [(m.case, m.taker, m.why) for m in first] == [(stuck, "", "所选的人都不能办这一步")]
    moved = s.move_work("du", ["he", "yi", "ren"], "peng")
    takers = {m.case: m.taker for m in moved}
    assert takers[stuck] == "yi" and sorted(takers.values()) == ["he", "he", "yi", "yi"]
    assert s.move_work("du", ["he"], "peng") == () and s.person("du", "peng").work == ()
    for case, taker in takers.items():
        event = people.events(case)[-1]
        assert (event.kind, event.actor, event.data["left"], event.data["taker"]) == ("reassigned", "peng", "du", taker)
        assert "需要" not in str(event.data)
        with pytest.raises(NoAccess):  # moving it gave the administrator no part in it
            s.case(case, "peng")
        assert s.inbox("peng", "done").rows == ()
        walk(people, case, ("report", taker))
    people.whole()


def test_claimed_work_is_moved_to_who_may_take_a_step(people: Any) -> None:
    s = people.siquan
    case = s.open_case("approval", "he", "wutongli", {}).case
    s.act(case, "submit", "he", {"amount": 100, "reason": "x"})
    s.verb(case, "claim", "du")
    assert [(w.why, w.process_title) for w in s.person("du", "peng").work] == [("claimed", "小额经费审批")]
    assert [m.taker for m in s.move_work("du", ["shao", "yi"], "peng")] == [""]
    before = people.case(case).revision
    assert [m.taker for m in s.move_work("du", ["shao", "he"], "peng")] == ["he"]
    with people.store.read() as tx:
        assert [t.assignee for t in tx.tasks.of(case, only_open=True)] == ["he"] and tx.cases.get(case).revision == before + 1
    people.whole()


def test_the_tables_hold_on_both_databases(town: Any) -> None:
    with town.store.begin() as tx:
        one = tx.substitutions.add("du", "ren", TODAY, TODAY, {"roles": ["community"]}, "会议", "du")
        assert tx.substitutions.get(one.id) == one and tx.substitutions.running(TODAY) == [one] and tx.substitutions.of("ren") == [one]
        assert tx.substitutions.running(TODAY + dt.timedelta(days=1)) == [] == tx.substitutions.between("du", TODAY + dt.timedelta(days=1), dt.date.max)
        tx.people.lock(["ren", "du"])
        tx.people.change("ren", leaving_on=TODAY - dt.timedelta(days=1))
        assert tx.substitutions.running(TODAY) == [] and {p.id for p, _ in tx.people.holders("community", ["wutongli"], TODAY)} == {"du", "both"}
        assert tx.substitutions.cancel(one.id, "du") and not tx.substitutions.cancel(one.id, "du")
        assert {p.id for p in tx.people.at_units({"wutongli"})} >= {"he", "du", "ren"}
    case = town.submitted()
    with town.store.begin() as tx:
        tx.named.put(case, "handler", "du")
        tx.named.put(case, "handler", "ren")
        assert [(c.id, path, who) for c, path, who in tx.named.open_cases(["ren", "du"])] == [(case, "handler", "ren")]
        assert [c.id for c in tx.named.started(["he"])] == [case]
        tx.named.put(case, "handler", "")
        assert tx.named.open_cases(["ren"]) == []


def test_work_that_is_with_a_leaver_is_reported_until_it_is_moved(people: Any) -> None:
    s = people.siquan
    case = s.open_case("approval", "he", "wutongli", {}).case
    s.act(case, "submit", "he", {"amount": 100, "reason": "x"})
    s.verb(case, "claim", "du")
    assert s.stuck() == ((), 0)
    with people.store.begin() as tx:
        tx.people.change("du", active=False)
    assert [(c.case, c.why) for c in s.stuck()[0]] == [(case, "left")] and s.case(case, "he").troubles
    with pytest.raises(NoAccess):
        s.act(case, "pass", "he")
    assert [m.taker for m in s.move_work("du", ["shao", "he"], "peng")] == ["he"]
    assert s.stuck() == ((), 0) and not s.case(case, "he").troubles
    people.whole()
