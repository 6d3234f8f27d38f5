"""What people do with tasks, on both databases: what each verb leaves true, and every way it is refused. After every test the
events explain the rows."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from siquan.core.errors import BadInput, NoAccess, NotFound, Refused, SiquanError, Stale
from siquan.core.service.refusal import MissingFacts, StepRefused
from siquan.core.service.verbs import NoSuchVerb
from siquan.core.store.idempotency import IdempotencyConflict
from siquan.core.tasks.task import VERBS, Task, signatures

RELAY = Path(__file__).with_name("relay.yaml")
PEOPLE = (
    ("jia", "wutongli", "clerk"),
    ("yi", "wutongli", "clerk"),
    ("bing", "wutongli", "clerk"),
    ("ban", "wutongli", "leader"),
    ("pai", "guixiang", "sender"),
    ("jing", "guixiang", "police"),
    ("qu", "yunxi", "top"),
    ("zhou", "xiaoqiaotou", "clerk"),
    ("xian", "wutongli", ""),
    ("author", "yunxi", "policy_author"),
    ("admin", "yunxi", "admin"),
)
TODAY = dt.date(2026, 11, 23)


class Relay:
    """A town with the relay process, and words for what is asked of its cases."""

    def __init__(self, town: Any) -> None:
        self.town, self.siquan, self.store, self.clock = town, town.siquan, town.store, town.clock

    def open(self, *steps: str, by: str = "jia", **facts: Any) -> str:
        case = self.siquan.open_case("relay", "jia", facts={"what": "井盖", "cost": 10}).case
        for step in steps:
            self.siquan.act(case, step, by, facts)
        return str(case)

    def do(self, case: str, verb: str, person: str, **more: Any) -> Any:
        return self.siquan.verb(case, verb, person, **more)

    def tasks(self, case: str) -> dict[str, Task]:
        with self.store.read() as tx:
            return dict(self.siquan.app.stories.of(tx, tx.cases.get(case)).tasks)

    def work(self, case: str) -> Task:
        (task,) = [t for t in self.tasks(case).values() if t.kind == "work"]
        return task

    def line(self, case: str) -> list[tuple[str, str]]:
        """(person, or the role that signs, and what he said) in order."""
        return [(t.person or t.role, t.result) for t in signatures(self.tasks(case))]

    def state(self, case: str) -> str:
        return str(self.town.case(case).state)

    def mine(self, person: str, **more: Any) -> list[str]:
        """What the inbox shows as the person's turn."""
        return [r.case for r in self.siquan.inbox(person, **more).rows if r.now]

    def told(self, person: str, kind: str = "") -> list[str]:
        return [n.kind for n in self.siquan.notices(person)[0] if kind in ("", n.kind)]

    def later(self, days: int) -> None:
        self.clock.move(self.clock.day + dt.timedelta(days=days))
        self.siquan.sweep()

    def instead(self, person: str, substitute: str, days: int = 5, **scope: Any) -> str:
        found = self.siquan.substitute(person, substitute, self.clock.day, self.clock.day + dt.timedelta(days=days), person, trusted=True, **scope)
        return str(found.id)

    def picture(self, case: str) -> Any:
        with self.store.read() as tx:
            notices = [(n.person_id, n.kind) for n in tx.notices.of_case(case)]
            return tx.cases.get(case), tx.events.of(case), tx.tasks.of(case), tx.deadlines.of(case), notices

    def no(self, case: str, verb: str, person: str, error: type[SiquanError] | tuple[type[SiquanError], ...] = NoSuchVerb, why: str = "", **more: Any) -> None:
        """It is refused, and nothing is different."""
        before = self.picture(case)
        with pytest.raises(error) as fault:
            self.do(case, verb, person, **more)
        assert why in fault.value.text("zh"), fault.value.text("zh")
        assert fault.value.text("en") and self.picture(case) == before


def relay(town: Any) -> Relay:
    town.settle(PEOPLE)
    return Relay(town)


@pytest.fixture
def office(sqlite_url: str, load_plugins: Callable[..., Any], make_town: Callable[..., Any]) -> Iterator[Relay]:
    made = relay(make_town(sqlite_url, load_plugins(RELAY)))
    yield made
    made.town.whole()


@pytest.fixture
def both(database: str, load_plugins: Callable[..., Any], make_town: Callable[..., Any]) -> Iterator[Relay]:
    """On SQLite and on PostgreSQL."""
    made = relay(make_town(database, load_plugins(RELAY)))
    yield made
    made.town.whole()


# claim and release


def test_who_claims_has_it_and_nobody_else_takes_the_step(both: Relay) -> None:
    case = both.open("to_desk")
    assert case in both.mine("yi") and case in both.mine("jia") and case in both.mine("qu")
    with pytest.raises(StepRefused):
        both.siquan.act(case, "finish", "yi")  # nobody before he has claimed it
    both.do(case, "claim", "yi")
    task = both.work(case)
    assert (task.person, task.claimed, both.town.case(case).holder) == ("yi", True, "yi")
    assert case in both.mine("yi") and case not in both.mine("jia") and case not in both.mine("qu")
    both.no(case, "claim", "jia", why="已由yi签收")
    both.no(case, "claim", "yi", why="已由yi签收")
    for person in ("jia", "qu"):
        with pytest.raises(NoAccess):
            both.siquan.act(case, "finish", person)
    both.siquan.act(case, "finish", "yi")
    assert both.tasks(case) == {} and both.town.case(case).holder == ""
    both.no(case, "claim", "yi", why="已办结")


def test_what_is_released_is_with_whoever_may_again(office: Relay) -> None:
    case = office.open("to_desk")
    office.no(case, "release", "jia")
    office.do(case, "claim", "jia")
    office.no(case, "release", "yi", why="不在你手里")
    office.do(case, "release", "jia")
    assert office.work(case) == Task(office.work(case).key) and case in office.mine("yi")
    office.do(case, "claim", "yi")
    assert office.work(case).person == "yi"


def test_work_nobody_has_to_claim_may_be_claimed_and_taken_all_the_same(office: Relay) -> None:
    case = office.open("to_free")
    office.siquan.act(case, "note", "yi")
    office.do(case, "claim", "jia")
    with pytest.raises(NoAccess):
        office.siquan.act(case, "note", "yi")
    office.siquan.act(case, "note", "jia")
    assert office.work(case).person == "jia", "a step that stays leaves the work with him"
    office.siquan.act(case, "finish", "jia")


def test_entering_the_state_again_is_a_new_task(office: Relay) -> None:
    case = office.open("to_desk")
    office.do(case, "claim", "jia")
    was = office.work(case).key
    office.siquan.act(case, "again", "jia")
    assert office.work(case).key != was and office.work(case).person == ""


# transfer


def test_what_is_transferred_is_with_the_other_and_he_is_told_once(office: Relay) -> None:
    case = office.open("to_desk")
    office.do(case, "claim", "jia")
    office.do(case, "transfer", "jia", to="yi", opinion="我明天出差")
    assert office.work(case) == Task(office.work(case).key, person="yi")
    assert office.told("yi", "assigned") == ["assigned"] and office.told("jia") == []
    assert "出差" not in str(office.town.events(case)[-1].data)
    office.no(case, "transfer", "jia", to="bing", why="由yi承办")
    office.no(case, "claim", "jia")
    with pytest.raises(StepRefused):
        office.siquan.act(case, "finish", "yi")  # he has to claim it
    office.do(case, "claim", "yi")
    assert office.told("yi", "assigned") == ["assigned"]
    office.siquan.act(case, "finish", "yi")


@pytest.mark.parametrize(
    ("to", "error"),
    [("", MissingFacts), ("nobody", NotFound), ("jia", NoSuchVerb), ("pai", NoSuchVerb), ("zhou", NoSuchVerb), ("xian", NoSuchVerb), ("admin", NoSuchVerb)],
)
def test_work_goes_only_to_who_could_do_it(office: Relay, to: str, error: type[SiquanError]) -> None:
    case = office.open("to_desk")
    office.do(case, "claim", "jia")
    office.no(case, "transfer", "jia", error, to=to)


def test_what_is_with_nobody_is_transferred_by_who_could_do_it(office: Relay) -> None:
    case = office.open("to_desk")
    office.no(case, "transfer", "pai", to="yi", why="不由你的岗位办理")
    office.do(case, "transfer", "jia", to="yi")
    assert office.work(case).person == "yi"


# delegate, hand back, recall


def test_what_is_delegated_comes_back_the_way_it_went(both: Relay) -> None:
    case = both.open("to_desk")
    both.do(case, "claim", "jia")
    both.do(case, "delegate", "jia", to="pai", opinion="请出意见")
    assert both.work(case).lenders == ("jia",) and both.told("pai", "assigned") == ["assigned"]
    assert case in both.mine("pai") and case not in both.mine("jia")
    both.no(case, "claim", "pai", why="已委派")
    both.no(case, "transfer", "pai", to="yi", why="已委派")
    both.no(case, "release", "pai", why="已委派")
    for person in ("jia", "pai", "yi"):
        with pytest.raises((NoAccess, StepRefused)):
            both.siquan.act(case, "finish", person)
    both.do(case, "delegate", "pai", to="jing")
    for to in ("jia", "pai", "jing"):  # a delegate loop
        both.no(case, "delegate", "jing", to=to, why="已经在委派的链上")
    both.no(case, "recall", "jia", why="不是你委派出去的")  # he lent it to pai, not to jing
    both.no(case, "hand_back", "jing", MissingFacts)
    both.do(case, "hand_back", "jing", opinion="可以办")
    assert (both.work(case).person, both.work(case).lenders) == ("pai", ("jia",))
    both.no(case, "hand_back", "jing", opinion="再交一次")
    both.do(case, "recall", "jia")
    assert both.work(case) == Task(both.work(case).key, person="jia", claimed=True)
    both.no(case, "hand_back", "jia", opinion="x", why="不是委派给你的")
    both.no(case, "recall", "jia", why="不是你委派出去的")
    both.siquan.act(case, "finish", "jia")


def test_what_nobody_has_is_delegated_in_the_name_of_who_does(office: Relay) -> None:
    case = office.open("to_desk")
    office.no(case, "delegate", "pai", to="jing")
    office.do(case, "delegate", "yi", to="pai")
    assert office.work(case).lenders == ("yi",)
    office.do(case, "hand_back", "pai", opinion="没意见")
    assert (office.work(case).person, office.work(case).claimed) == ("yi", True)


# dispatch, decline, co-handlers


def test_a_dispatcher_gives_out_the_work_and_reviews_what_is_declined(both: Relay) -> None:
    case = both.open("to_sent")
    assert both.mine("pai") == [case] and both.mine("yi") == [] and both.mine("jing") == []
    both.no(case, "claim", "yi", why="还没有派单")
    both.no(case, "dispatch", "yi", to="yi", why="不由你派单")
    both.no(case, "dispatch", "pai", MissingFacts)
    both.no(case, "dispatch", "pai", to="zhou")
    both.do(case, "dispatch", "pai", to="yi")
    assert both.mine("pai") == [] and both.mine("yi") == [case] and both.told("yi") == ["assigned"]
    both.no(case, "decline", "yi", MissingFacts, reason="ours_not")
    both.no(case, "decline", "yi", MissingFacts, opinion="x")
    both.no(case, "decline", "yi", BadInput, opinion="x", reason="lazy")
    both.no(case, "decline", "jing", why="不在你手里", opinion="x", reason="ours_not")
    both.no(case, "release", "yi", why="要退单")
    both.do(case, "decline", "yi", reason="ours_not", opinion="属水务")
    task = both.work(case)
    assert (task.person, task.declines, task.declined) == ("", 1, True)
    assert both.told("pai") == ["declined"] and both.mine("pai") == [case] and both.mine("yi") == []
    both.do(case, "dispatch", "pai", to="jing")
    assert not both.work(case).declined
    both.do(case, "claim", "jing")
    both.do(case, "decline", "jing", reason="no_power", opinion="没有船")
    both.do(case, "dispatch", "pai", to="yi")
    both.no(case, "decline", "yi", reason="ours_not", opinion="再退", why="已退单 2 次")
    assert both.told("pai") == ["declined", "declined"]
    both.do(case, "dispatch", "pai", to="bing")  # sent out anew over his head
    assert both.work(case).person == "bing" and both.mine("yi") == []


def test_the_lead_waits_for_his_co_handlers(office: Relay) -> None:
    case = office.open("to_sent")
    office.no(case, "dispatch", "pai", Refused, to="yi", others=["yi"])
    office.no(case, "dispatch", "pai", Refused, to="yi", others=["zhou"])
    office.no(case, "dispatch", "pai", Refused, to="yi", others=["ghost"])
    office.no(case, "dispatch", "pai", BadInput, to="yi", others=[f"p{n}" for n in range(21)])
    office.do(case, "dispatch", "pai", to="yi", others=["bing", "jing", "bing"])
    assert [t.person for t in office.tasks(case).values() if t.kind == "assist"] == ["bing", "jing"]
    assert office.mine("bing") == [case] == office.mine("jing") and office.told("jing") == ["assigned"]
    office.do(case, "claim", "yi")
    for person in ("yi", "bing"):
        with pytest.raises((NoAccess, StepRefused)):
            office.siquan.act(case, "finish", person)
    office.no(case, "assist_done", "yi", opinion="x")
    office.no(case, "assist_done", "bing", MissingFacts)
    office.do(case, "assist_done", "bing", opinion="劝离了")
    office.no(case, "assist_done", "bing", opinion="再说一次", why="已经办完")
    key = next(t.key for t in office.tasks(case).values() if t.person == "jing")
    office.do(case, "transfer", "jing", to="bing", task=key)
    office.do(case, "assist_done", "bing", opinion="还劝离了", task=key)
    office.siquan.act(case, "finish", "yi")
    assert office.state(case) == "over"


def test_a_co_handler_who_is_recused_is_not_waited_for(office: Relay) -> None:
    case = office.open("to_sent")
    office.do(case, "dispatch", "pai", to="yi", others=["bing"])
    office.do(case, "claim", "yi")
    office.siquan.recuse(case, "bing", "亲属")
    office.siquan.act(case, "finish", "yi")
    assert office.state(case) == "over"


def test_a_lead_who_is_recused_gives_it_back_to_the_dispatcher(office: Relay) -> None:
    case = office.open("to_sent")
    office.do(case, "dispatch", "pai", to="yi")
    office.siquan.recuse(case, "yi", "亲属")
    assert office.work(case).person == "" and case in office.mine("pai")
    office.no(case, "dispatch", "pai", to="yi")
    office.do(case, "dispatch", "pai", to="bing")


# signing


def test_all_have_to_agree(both: Relay) -> None:
    case = both.open("to_all")
    assert both.line(case) == [("bing", ""), ("jia", ""), ("yi", "")]
    assert both.town.case(case).holder == "*"
    assert [both.mine(p) for p in ("jia", "yi", "bing", "pai")] == [[case], [case], [case], []]
    for step in ("yes_all", "no_all"):
        with pytest.raises((NoAccess, StepRefused)):
            both.siquan.act(case, step, "jia", reason="bad" if step == "no_all" else "")
    both.no(case, "sign", "jia", MissingFacts)
    both.no(case, "sign", "jia", BadInput, result="perhaps")
    both.no(case, "sign", "pai", why="不在你手里", result="agree")
    both.no(case, "sign", "jia", MissingFacts, result="refuse", reason="bad")  # say why
    both.no(case, "sign", "jia", MissingFacts, result="refuse", opinion="x")
    both.no(case, "sign", "jia", BadInput, result="agree", reason="bad")
    both.do(case, "sign", "jia", result="agree")
    both.no(case, "sign", "jia", result="agree", why="已经签过")
    assert both.mine("jia") == [] and both.state(case) == "all"
    both.do(case, "sign", "yi", result="agree")
    done = both.do(case, "sign", "bing", result="agree")
    assert done.state == "over" and both.state(case) == "over"
    last = both.town.events(case)[-2:]
    assert [(e.kind, e.actor, e.data.get("transition")) for e in last] == [("task", "bing", None), ("acted", "bing", "yes_all")]
    both.no(case, "sign", "yi", result="agree", why="已办结")


def test_one_refusal_is_enough_and_everybody_signs_anew_the_next_time(office: Relay) -> None:
    case = office.open("to_all")
    office.do(case, "sign", "yi", result="agree")
    office.do(case, "sign", "jia", result="refuse", reason="bad", opinion="太贵")
    event = office.town.events(case)[-1]
    assert office.state(case) == "draft" and (event.data["transition"], event.data["reason"]) == ("no_all", "bad")
    assert "太贵" not in str([e.data for e in office.town.events(case)])
    office.siquan.act(case, "to_all", "jia")
    assert [r for _, r in office.line(case)] == ["", "", ""]


def test_a_rule_that_refuses_the_step_refuses_the_deciding_signature_with_it(office: Relay) -> None:
    case = office.open("to_all", cost=500)
    for person in ("jia", "yi"):
        office.do(case, "sign", person, result="agree")
    before = office.picture(case)
    with pytest.raises(StepRefused):
        office.do(case, "sign", "bing", result="agree")
    assert office.picture(case) == before and len(office.town.decisions(case)) == 1
    office.siquan.supply(case, "jia", {"cost": 50})
    office.do(case, "sign", "bing", result="agree")
    assert office.state(case) == "over"


def test_the_first_to_sign_decides(office: Relay) -> None:
    case = office.open("to_any")
    assert {p for p, _ in office.line(case)} == {"jia", "yi", "bing", "ban"}
    office.no(case, "sign", "yi", MissingFacts, result="agree")  # the step asks for an opinion
    office.do(case, "sign", "ban", result="agree", opinion="同意")
    assert office.state(case) == "over"
    other = office.open("to_any")
    office.do(other, "sign", "yi", result="refuse", opinion="不急")
    assert office.state(other) == "draft"


def test_in_order_the_second_waits_for_the_first(both: Relay) -> None:
    case = both.open("to_line")
    assert both.line(case) == [("ban", ""), ("pai", ""), ("jing", "")]
    assert both.told("ban") == ["assigned"] and both.told("pai") == []
    assert [both.mine(p) for p in ("ban", "pai", "jing")] == [[case], [], []]
    both.no(case, "sign", "pai", result="agree", why="先由ban签")
    both.do(case, "sign", "ban", result="agree")
    assert both.told("pai") == ["assigned"] and both.told("jing") == []
    both.no(case, "sign", "jing", result="agree", why="先由pai签")
    both.do(case, "sign", "pai", result="agree")
    both.do(case, "sign", "jing", result="agree")
    assert both.state(case) == "over" and both.told("jing") == ["assigned"]


def test_a_share_of_all_signers_decides_and_no_more_are_asked(both: Relay) -> None:
    case = both.open("to_vote")  # 0.6 of bing jia yi pai
    assert len(both.line(case)) == 4
    both.do(case, "sign", "jia", result="agree")
    both.do(case, "sign", "pai", result="refuse", opinion="x", reason="bad")
    both.do(case, "sign", "yi", result="agree")
    assert both.state(case) == "vote"
    both.do(case, "sign", "bing", result="agree")
    assert both.state(case) == "over"
    other = both.open("to_vote")
    both.do(other, "sign", "jia", result="refuse", opinion="x", reason="bad")
    both.do(other, "sign", "pai", result="refuse", opinion="x", reason="bad")
    assert both.state(other) == "draft"


def test_a_share_that_changes_meanwhile_decides_with_the_next_signature(office: Relay) -> None:
    case = office.open("to_vote")
    for person in ("jia", "yi"):
        office.do(case, "sign", person, result="agree")
    office.later(9)  # half is enough from December on
    office.do(case, "sign", "pai", result="refuse", opinion="我不同意", reason="bad")
    event = office.town.events(case)[-1]
    assert office.state(case) == "over" and event.data["transition"] == "yes_vote" and "reason" not in event.data


# who signs


def test_signers_are_added_before_and_after(both: Relay) -> None:
    case = both.open("to_line")
    both.no(case, "add_signer", "jia", to="yi", why="不在你手里")
    both.no(case, "add_signer", "pai", MissingFacts)
    both.no(case, "add_signer", "pai", to="jing", why="已经是签署人")
    both.no(case, "add_signer", "pai", to="zhou")
    both.no(case, "add_signer", "pai", to="xian")
    both.do(case, "add_signer", "pai", to="jia", before=True)
    both.do(case, "add_signer", "pai", to="yi")
    assert [p for p, _ in both.line(case)] == ["ban", "jia", "pai", "yi", "jing"]
    both.do(case, "sign", "ban", result="agree")
    assert both.told("jia") == ["assigned"] and both.told("yi") == []
    both.no(case, "add_signer", "ban", to="bing")  # he has signed
    both.no(case, "sign", "pai", result="agree", why="先由jia签")
    both.no(case, "remove_signer", "jing", to="jia", why="不是你加签的")
    both.do(case, "remove_signer", "pai", to="jia")
    both.no(case, "remove_signer", "pai", to="jia", why="不在还没有签的人里")  # removed twice
    both.no(case, "remove_signer", "pai", to="ban", why="不在还没有签的人里")  # he has signed
    both.no(case, "remove_signer", "pai", MissingFacts)
    both.do(case, "sign", "pai", result="agree")
    both.do(case, "remove_signer", "pai", to="yi")
    both.do(case, "sign", "jing", result="agree")
    assert both.state(case) == "over"


def test_no_removal_decides_and_the_last_signer_stays(office: Relay) -> None:
    case = office.open("to_all")
    office.no(case, "remove_signer", "jia", to="yi", why="不是你加签的")
    office.do(case, "sign", "jia", result="agree")
    office.do(case, "remove_signer", "pai", to="bing")
    office.no(case, "remove_signer", "pai", to="yi", why="不能用减签来定结果")
    office.do(case, "add_signer", "pai", to="bing")
    office.do(case, "remove_signer", "pai", to="yi")
    office.do(case, "sign", "bing", result="agree")
    assert office.state(case) == "over"
    other = office.open("to_all")
    office.do(other, "remove_signer", "pai", to="bing")
    office.do(other, "remove_signer", "pai", to="yi")
    office.no(other, "remove_signer", "pai", to="jia", why="最后一个签署人")


def test_a_signature_is_handed_to_another_of_the_role(office: Relay) -> None:
    case = office.open("to_line")
    office.no(case, "transfer", "ban", to="jia")  # it is the leader's to give
    vote = office.open("to_vote")
    for to in ("yi", "bing"):
        office.no(vote, "transfer", "jia", to=to)  # one of his own already
    with office.store.begin() as tx:
        tx.people.add("ding", unit_id="wutongli", login="ding", person_id="ding")
        tx.people.grant("ding", "clerk", "wutongli", TODAY)
    office.do(vote, "transfer", "jia", to="ding")
    assert [p for p, _ in office.line(vote)] == ["bing", "ding", "yi", "pai"]
    office.no(vote, "sign", "jia", result="agree", why="不在你手里")
    office.do(vote, "sign", "ding", result="agree")


def test_nobody_is_asked_or_given_a_signature_he_may_not_give(office: Relay) -> None:
    case = office.open("to_desk")
    office.do(case, "claim", "yi")
    office.siquan.act(case, "again", "yi")  # yi has worked at the desk: somebody else agrees
    office.do(case, "return", "jia", to="draft", reason="papers")
    office.siquan.act(case, "to_all", "jia")
    assert [p for p, _ in office.line(case)] == ["bing", "jia"]
    office.no(case, "add_signer", "pai", to="yi")
    assert "yi" not in [c.value for c in office.siquan.verb_form(case, "add_signer", "pai").choices]


def test_who_brought_it_is_not_asked_where_another_has_to(office: Relay) -> None:
    case = office.open("to_wise", expert="jia")
    assert office.line(case)[-1] == ("ban", "") and "jia" not in dict(office.line(case))


def test_a_signature_asked_by_a_fact(office: Relay) -> None:
    case = office.open("to_wise", expert="xian")
    assert office.line(case) == [("xian", ""), ("ban", "")]
    assert office.mine("xian") == [case]
    office.do(case, "sign", "xian", result="agree")
    office.do(case, "sign", "ban", result="agree")
    assert office.town.events(case)[2].actor == "xian" and office.state(case) == "over"


def test_signing_for_an_absent_and_for_oneself_is_one_signature(office: Relay) -> None:
    case = office.open("to_all")
    office.instead("yi", "jia")
    office.do(case, "sign", "jia", result="agree")
    own = [(t.person, t.signer) for t in signatures(office.tasks(case)) if t.result]
    assert own == [("jia", "jia")], "his own before that of whom he stands in for"
    office.no(case, "sign", "jia", result="agree", why="一个人只签一次")
    other = office.open("to_all")
    key = next(t.key for t in signatures(office.tasks(other)) if t.person == "yi")
    office.do(other, "sign", "jia", result="agree", task=key)
    event = office.town.events(other)[-1]
    assert (event.actor, event.on_behalf) == ("jia", "yi")
    assert [(t.person, t.signer) for t in signatures(office.tasks(other)) if t.result] == [("yi", "jia")]
    office.no(other, "sign", "jia", result="agree", why="一个人只签一次")
    office.no(other, "sign", "yi", result="agree")
    office.do(other, "sign", "bing", result="agree")
    assert office.state(other) == "all"


def test_a_substitute_for_one_post_signs_for_that_post_only(office: Relay) -> None:
    office.town.settle((("xu", "wutongli", "clerk leader"), ("dai", "wutongli", "")))
    office.instead("xu", "dai", roles=["leader"])
    clerks = office.open("to_all")
    office.no(clerks, "sign", "dai", result="agree")
    led = office.open("to_any")
    task = next(t.key for t in signatures(office.tasks(led)) if t.person == "ban")
    office.no(led, "sign", "dai", result="agree", opinion="x", task=task)


def test_the_leaders_substitute_signs_for_the_leader(office: Relay) -> None:
    office.instead("ban", "xian", roles=["leader"])
    case = office.open("to_line")
    assert office.mine("xian") == [case]
    office.do(case, "sign", "xian", result="agree")
    event = office.town.events(case)[-1]
    assert (event.actor, event.on_behalf, event.data["as"]) == ("xian", "ban", "leader@wutongli")
    office.later(7)
    assert office.line(case)[0] == ("ban", "agree")


def test_a_named_experts_substitute_is_on_record_for_whom_he_signs(office: Relay) -> None:
    office.instead("xian", "qu")
    case = office.open("to_wise", expert="xian")
    office.do(case, "sign", "qu", result="agree")
    event = office.town.events(case)[-1]
    assert (event.actor, event.on_behalf, event.data["as"]) == ("qu", "xian", "expert")


def test_who_recuses_himself_signs_no_more_and_decides_nothing_by_it(office: Relay) -> None:
    case = office.open("to_all")
    for person in ("jia", "yi"):
        office.do(case, "sign", person, result="agree")
    office.siquan.recuse(case, "bing", "亲属")
    assert office.state(case) == "all" and ("clerk", "") in office.line(case)
    office.no(case, "sign", "bing", result="agree", why="回避")
    office.no(case, "sign", "jia", result="agree", why="一个人只签一次")
    # no clerk is left to sign: whoever has a post one level up stands in
    office.do(case, "sign", "pai", result="agree")
    assert office.state(case) == "over"


def test_who_leaves_signs_no_more_and_his_signature_moves(both: Relay) -> None:
    case, second = both.open("to_all"), both.open("to_desk")
    both.do(second, "claim", "yi")
    both.siquan.leave("yi", "boss", trusted=True)
    both.later(1)
    for one in (case, second):
        assert "yi" in both.tasks(one)[next(k for k, t in both.tasks(one).items() if t.person == "yi")].person
    both.no(case, "sign", "yi", (NoSuchVerb, NoAccess), result="agree")
    both.no(second, "release", "yi", (NoSuchVerb, NoAccess))
    with both.store.read() as tx:
        work = [(c.id, why) for c, why, _ in both.siquan._people.open_work(tx, "yi")]
    assert sorted(work) == sorted([(case, "claimed"), (second, "claimed")])
    with both.store.begin() as tx:
        tx.people.add("ding", unit_id="wutongli", login="ding", person_id="ding")
        tx.people.grant("ding", "clerk", "wutongli", TODAY)
    moved = {m.case: m.taker for m in both.siquan.move_work("yi", ["jia", "ding"], "boss", trusted=True)}
    assert moved == {case: "ding", second: "jia"}, "nobody is given a second signature"
    assert both.work(second) == Task(both.work(second).key, person="jia", claimed=True)
    assert ("ding", "") in both.line(case) and both.told("ding") == ["assigned"]
    for person in ("jia", "ding", "bing"):
        both.do(case, "sign", person, result="agree")
    assert both.state(case) == "over"
    assert both.siquan.move_work("yi", ["jia"], "boss", trusted=True) == ()


def test_a_leavers_loan_moved_to_the_borrower_is_his_own(office: Relay) -> None:
    case = office.open("to_sent")
    office.do(case, "dispatch", "pai", to="yi", others=["bing"])
    office.do(case, "claim", "yi")
    office.do(case, "delegate", "yi", to="bing")
    office.do(case, "hand_back", "bing", opinion="好")
    office.do(case, "delegate", "yi", to="jia")
    office.siquan.leave("yi", "boss", trusted=True)
    office.later(1)
    # it is with jia, so nothing of it is with who left; handed back it is listed
    office.do(case, "hand_back", "jia", opinion="好")
    (line,) = office.siquan.move_work("yi", ["jia"], "boss", trusted=True)
    assert line.taker == "jia" and office.work(case).lenders == ()


def test_a_task_does_not_outlive_the_post_it_was_given_for(office: Relay) -> None:
    case = office.open("to_desk")
    office.do(case, "claim", "yi")
    vote = office.open("to_all")
    with office.store.begin() as tx:
        for grant in tx.people.grants("yi"):
            tx.people.end_grant(grant.id, TODAY - dt.timedelta(days=1))
    with pytest.raises(NoAccess):
        office.siquan.act(case, "finish", "yi")
    office.no(case, "release", "yi")
    office.no(vote, "sign", "yi", NoAccess, result="agree")
    office.instead("yi", "bing")
    office.no(case, "release", "bing")


def test_who_added_a_signer_and_lost_his_post_removes_him_no_more(office: Relay) -> None:
    case = office.open("to_line")
    office.do(case, "add_signer", "pai", to="yi")
    office.do(case, "add_signer", "jing", to="jia")
    with office.store.begin() as tx:
        tx.people.end_grant(tx.people.grants("pai")[0].id, TODAY - dt.timedelta(days=1))
    office.no(case, "remove_signer", "pai", (NoSuchVerb, NoAccess), to="yi")
    office.do(case, "remove_signer", "jing", to="jia")
    assert office.town.events(case)[-1].data["as"] == "police@guixiang"


# substitutes at work


def test_a_substitute_takes_the_absents_task_and_both_are_on_record(both: Relay) -> None:
    case = both.open("to_desk")
    both.do(case, "claim", "yi")
    id = both.instead("yi", "pai")
    assert both.mine("pai") == [case]
    both.siquan.act(case, "again", "pai")
    both.do(case, "claim", "pai")
    event = both.town.events(case)[-1]
    assert (event.actor, event.on_behalf, event.data["as"]) == ("pai", "yi", "clerk@wutongli")
    assert both.work(case).person == "yi", "it is the absent's, who goes on with it when he is back"
    both.siquan.cancel_substitution(id, "yi", trusted=True)
    both.no(case, "release", "pai")
    with pytest.raises(NoAccess):
        both.siquan.act(case, "finish", "pai")
    both.siquan.act(case, "finish", "yi")


def test_a_substitute_delegates_in_the_absents_name_and_makes_no_loop(office: Relay) -> None:
    case = office.open("to_desk")
    office.do(case, "claim", "yi")
    office.instead("yi", "pai")
    for to in ("pai", "yi"):
        office.no(case, "delegate", "pai", to=to)
    office.do(case, "delegate", "pai", to="jing")
    assert office.work(case).lenders == ("yi",)
    office.do(case, "recall", "pai")
    assert office.work(case).person == "yi"
    event = office.town.events(case)[-1]
    assert (event.actor, event.on_behalf) == ("pai", "yi")


def test_a_substitute_of_one_who_is_recused_does_nothing_for_him(office: Relay) -> None:
    case = office.open("to_all")
    office.instead("yi", "xian")
    office.siquan.recuse(case, "yi", "亲属")
    office.no(case, "sign", "xian", result="agree")


# who is none


@pytest.mark.parametrize("step", ["to_desk", "to_sent", "to_all"])
def test_nothing_is_said_to_strangers(office: Relay, step: str) -> None:
    case = office.open(step)
    for verb in VERBS:
        for person in ("zhou", "admin", "author"):
            office.no(case, verb, person, NoAccess, to="yi", result="agree", reason="bad", opinion="x")
            with pytest.raises(NoAccess):
                office.siquan.verb_form(case, verb, person)


def test_the_clock_and_unknown_tasks_are_refused(office: Relay) -> None:
    case = office.open("to_desk")
    office.no(case, "claim", "system", NoAccess)
    office.no(case, "claim", "jia", NotFound, task="99.1")
    office.no(case, "sign", "jia", result="agree")
    office.no(case, "claim", "jia", BadInput, task="x" * 300)
    with pytest.raises(BadInput):
        office.do(case, "explode", "jia")


# the usual: revisions, keys, closed and suspended


def test_a_stale_form_changes_nothing_and_a_second_click_counts_once(both: Relay) -> None:
    case = both.open("to_desk")
    seen = both.town.case(case).revision
    both.do(case, "claim", "jia", revision=seen, key="k1")
    again = both.do(case, "claim", "jia", revision=seen, key="k1")
    assert again.repeated and again.revision == seen + 1
    with pytest.raises(IdempotencyConflict):
        both.do(case, "claim", "yi", key="k1")  # the key of another request
    both.no(case, "release", "jia", Stale, revision=seen)
    both.do(case, "release", "jia", revision=seen + 1, key="k2")
    vote = both.open("to_all")
    for _ in range(2):
        both.do(vote, "sign", "jia", result="agree", key="k3")
    with pytest.raises(IdempotencyConflict):
        both.do(vote, "sign", "jia", result="refuse", reason="bad", opinion="x", key="k3")
    assert [r for _, r in both.line(vote)].count("agree") == 1


@pytest.mark.parametrize(
    ("step", "verb", "person", "more"),
    [
        ("to_desk", "claim", "jia", {}), ("to_desk", "transfer", "jia", {"to": "yi"}), ("to_desk", "delegate", "jia", {"to": "yi"}),
        ("to_sent", "dispatch", "pai", {"to": "yi"}), ("to_all", "sign", "jia", {"result": "agree"}), ("to_all", "add_signer", "jia", {"to": "ban"}),
        ("to_all", "remove_signer", "pai", {"to": "yi"}),
    ],
)  # fmt: skip
def test_what_is_suspended_rests_and_goes_on_as_it_was(office: Relay, step: str, verb: str, person: str, more: dict[str, Any]) -> None:
    case = office.open(step)
    tasks = office.tasks(case)
    office.do(case, "suspend", "jia", reason="court")
    office.no(case, verb, person, why="已挂起", **more)
    assert office.tasks(case) == tasks
    office.later(3)
    office.do(case, "resume", "jia")
    assert office.tasks(case) == tasks
    office.do(case, verb, person, **more)


def test_a_return_asks_anew(office: Relay) -> None:
    case = office.open("to_desk")
    office.do(case, "claim", "jia")
    office.do(case, "return", "yi", to="draft", reason="papers")
    assert office.work(case).person == ""
    office.siquan.act(case, "to_all", "jia")
    office.do(case, "sign", "yi", result="agree")
    office.do(case, "return", "jia", to="draft", reason="papers")
    assert office.mine("yi") == [case] and [t.kind for t in office.tasks(case).values()] == ["work"]
    office.siquan.act(case, "to_all", "jia")
    # jia had the desk's task but took no step there, so he may agree
    assert office.line(case) == [("bing", ""), ("jia", ""), ("yi", "")]


def test_what_is_taken_back_is_with_whom_it_was_with(both: Relay) -> None:
    case = both.open("to_sent")
    both.do(case, "dispatch", "pai", to="yi", others=["bing"])
    both.do(case, "claim", "yi")
    both.do(case, "assist_done", "bing", opinion="好了")
    was = both.tasks(case)
    both.siquan.act(case, "pass_on", "yi")
    assert both.work(case).person == "" and case in both.mine("jia")
    both.do(case, "take_back", "yi")
    assert both.tasks(case) == was and both.mine("yi") == [case] and both.mine("pai") == [] == both.mine("jia")
    both.siquan.act(case, "finish", "yi")


def test_a_step_that_stays_is_taken_back_and_the_tasks_stay(office: Relay) -> None:
    case = office.open("to_free")
    office.siquan.act(case, "note", "jia", {"cost": 3})
    office.do(case, "transfer", "jia", to="yi")
    tasks = office.tasks(case)
    office.do(case, "take_back", "jia")
    assert office.tasks(case) == tasks


def test_signatures_are_asked_anew_when_what_they_came_to_is_taken_back(office: Relay) -> None:
    case = office.open("to_all")
    office.do(case, "sign", "yi", result="agree")
    office.do(case, "sign", "jia", result="refuse", reason="bad", opinion="x")
    office.do(case, "take_back", "jia")
    assert office.state(case) == "all" and [r for _, r in office.line(case)] == ["", "", ""]
    for person in ("jia", "yi", "bing"):
        office.do(case, "sign", person, result="agree")


def test_a_pause_that_is_over_is_not_taken_back(both: Relay) -> None:
    case = both.open("to_desk")
    both.do(case, "suspend", "jia", reason="court")
    both.do(case, "resume", "jia")
    both.do(case, "claim", "jia")
    both.siquan.act(case, "again", "jia")
    both.do(case, "take_back", "jia")
    assert [d.state for d in both.town.deadlines(case) if d.status == "open"] == ["desk"]
    assert [(d.name, d.status) for d in both.town.deadlines(case) if d.name == "suspend"] == [("suspend", "met")]


def test_bringing_it_to_signing_is_taken_back_until_somebody_signs(office: Relay) -> None:
    case = office.open("to_all")
    other = office.open("to_all")
    office.do(case, "take_back", "jia")
    assert office.state(case) == "draft" and office.mine("bing").count(case) == 1
    office.do(other, "sign", "yi", result="agree")
    office.no(other, "take_back", "jia", why="之后已有别人办过")


def test_who_recused_himself_takes_nothing_back(office: Relay) -> None:
    case = office.open("to_desk")
    office.siquan.recuse(case, "jia", "亲属")
    office.no(case, "take_back", "jia", why="回避")


def test_who_lost_his_post_takes_nothing_back(office: Relay) -> None:
    case = office.open("to_desk", by="yi")
    with office.store.begin() as tx:
        for grant in tx.people.grants("yi"):
            tx.people.end_grant(grant.id, TODAY - dt.timedelta(days=1))
    office.no(case, "take_back", "yi", why="已经没有岗位")


def test_what_lives_again_has_its_tasks_again(office: Relay) -> None:
    case = office.open("to_free")
    office.siquan.act(case, "finish", "jia")
    assert office.tasks(case) == {}
    office.do(case, "reopen", "yi", reason="new")
    assert office.line(case) == [("bing", ""), ("jia", ""), ("yi", "")]
    office.do(case, "sign", "jia", result="agree")


def test_what_is_merged_asks_nothing_and_asks_anew_when_it_is_taken_out(office: Relay) -> None:
    one, two = office.open("to_all"), office.open("to_all")
    office.do(one, "sign", "yi", result="agree")
    office.do(two, "sign", "yi", result="agree")
    office.do(one, "merge", "jia", others=[two], reason="same")
    assert office.tasks(two) == {} and office.mine("bing") == [one]
    assert office.line(one) == [("bing", ""), ("jia", ""), ("yi", "agree")]
    office.no(two, "sign", "bing", result="agree")
    office.do(two, "unmerge", "jia")
    assert office.line(two) == [("bing", ""), ("jia", ""), ("yi", "")]
    assert sorted(office.mine("bing")) == sorted([one, two])


# another version of the process


TEXT = RELAY.read_text(encoding="utf-8")


def migrated(office: Relay, text: str, write_plugin: Any, *mapping: str) -> Relay:
    after = Relay(office.town.again(write_plugin("relay", text)))
    plan = after.siquan.propose_migration("relay", "author", "流程修订", list(mapping))
    after.siquan.confirm_migration(plan.id, "admin")
    after.plan = plan.id  # type: ignore[attr-defined]
    return after


def test_a_version_that_asks_for_the_same_signatures_keeps_those_given(office: Relay, write_plugin: Any) -> None:
    case, desk = office.open("to_all"), office.open("to_desk")
    office.do(case, "sign", "jia", result="agree")
    office.do(desk, "claim", "yi")
    after = migrated(office, TEXT.replace("title: 会签, after: 3 workdays", "title: 会签, after: 4 workdays"), write_plugin)
    assert after.line(case) == [("bing", ""), ("jia", "agree"), ("yi", "")] and after.work(desk).person == "yi"
    after.do(case, "sign", "yi", result="agree")
    after.do(case, "sign", "bing", result="agree")
    assert after.state(case) == "over"
    after.town.whole()


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("sign: {by: clerk, mode: all,", "sign: {by: [clerk, boss], mode: all,", [("bing", ""), ("jia", ""), ("yi", ""), ("ban", "")]),
        ("sign: {by: clerk, mode: all,", "sign: {by: clerk, mode: any,", [("bing", ""), ("jia", ""), ("yi", "")]),
        ("sign: {by: clerk, mode: all,", "task: {claim: true}\n    sign: {by: clerk, mode: all,", [("bing", ""), ("jia", ""), ("yi", "")]),
    ],
)
def test_a_version_that_asks_for_others_asks_anew(both: Relay, write_plugin: Any, old: str, new: str, line: Any) -> None:
    case = both.open("to_all")
    both.do(case, "sign", "jia", result="agree")
    after = migrated(both, TEXT.replace(old, new), write_plugin)
    assert after.line(case) == line
    after.town.whole()
    after.siquan.undo_migration(after.plan, "admin", "改早了")  # type: ignore[attr-defined]
    assert after.line(case) == [("bing", ""), ("jia", "agree"), ("yi", "")]
    after.town.whole()


def test_a_version_that_asks_for_none_and_one_that_asks(office: Relay, write_plugin: Any) -> None:
    case, desk = office.open("to_all"), office.open("to_desk")
    office.do(desk, "claim", "jia")
    office.do(case, "sign", "jia", result="agree")
    text = TEXT.replace("    sign: {by: clerk, mode: all, manage: sender, agree: yes_all, refuse: no_all}\n", "").replace(
        "    task: {claim: true}\n    finish: {title: 办完, by: [clerk, top], to: over}\n",
        "    sign: {by: clerk, agree: finish, refuse: stop}\n    finish: {title: 办完, to: over}\n    stop: {title: 不办, not_same_as: draft, to: over}\n",
    )
    after = migrated(office, text, write_plugin)
    assert [t.kind for t in after.tasks(case).values()] == ["work"] and after.town.case(case).holder == ""
    assert after.line(desk) == [("bing", ""), ("jia", ""), ("yi", "")]
    after.siquan.act(case, "yes_all", "bing")
    for person in ("jia", "yi", "bing"):
        after.do(desk, "sign", person, result="agree")
    assert (after.state(case), after.state(desk)) == ("over", "over")
    after.town.whole()


def test_who_may_not_agree_under_the_new_name_is_not_asked(office: Relay, write_plugin: Any) -> None:
    case = office.open("to_desk")
    office.do(case, "claim", "yi")
    office.siquan.act(case, "again", "yi")
    text = TEXT.replace("  desk:\n", "  bench:\n").replace("to: desk}", "to: bench}").replace("not_same_as: desk", "not_same_as: bench").replace(
        "    task: {claim: true}\n    finish: {title: 办完, by: [clerk, top], to: over}\n",
        "    sign: {by: clerk, agree: finish, refuse: stop}\n    finish: {title: 办完, not_same_as: bench, to: over}\n    stop: {title: 不办, to: over}\n",
    )
    after = migrated(office, text, write_plugin, "desk=bench")
    assert after.line(case) == [("bing", ""), ("jia", "")]
    after.town.whole()


# the desk


def test_counts_and_rows_agree_and_filters_narrow(both: Relay) -> None:
    made = {step: [both.open(step) for _ in range(2)] for step in ("to_desk", "to_sent", "to_all", "to_line")}
    both.do(made["to_desk"][0], "claim", "yi")
    both.do(made["to_sent"][0], "dispatch", "pai", to="jing", others=["bing"])
    far = both.siquan.open_case("relay", "zhou", facts={"what": "远处"}).case
    for person in ("jia", "yi", "bing", "ban", "pai", "jing", "qu", "zhou"):
        view = both.siquan.inbox(person)
        rows = [r.case for r in view.rows]
        assert len(rows) == len(set(rows)) == view.total == view.counts["mine"], person
        assert sum(n for *_, n in view.processes) == len(rows)
        for place in ("wutongli", "guixiang"):
            narrowed = [r.case for r in both.siquan.inbox(person, place=place).rows]
            assert narrowed == [c for c in rows if both.town.case(c).place == "wutongli" or place == "guixiang"]
        assert [r.case for r in both.siquan.inbox(person, process="relay.relay").rows] == rows
        assert both.siquan.inbox(person, process="other.other").rows == ()
    assert far in both.mine("zhou") and far not in both.mine("jia")
    assert set(both.mine("yi")) == {*made["to_desk"], *made["to_all"]}
    assert set(both.mine("jia")) == {made["to_desk"][1], *made["to_all"]}
    assert set(both.mine("bing")) == {made["to_desk"][1], *made["to_all"], made["to_sent"][0]}
    assert set(both.mine("pai")) == {made["to_sent"][1]} and both.mine("jing") == [made["to_sent"][0]]
    assert set(both.mine("ban")) == set(made["to_line"])


def test_the_desk_has_pages(office: Relay) -> None:
    made = [office.open("to_all") for _ in range(53)]
    first, second = office.siquan.inbox("yi"), office.siquan.inbox("yi", page=2)
    shown = [r.case for r in (*first.rows, *second.rows)]
    assert (len(first.rows), len(second.rows)) == (50, 3) and sorted(shown) == sorted(made)
    assert first.counts["mine"] == 53


def test_a_signature_of_a_role_waits_on_every_desk_of_the_role(office: Relay) -> None:
    office.town.settle((("pei", "guixiang", "sender"),))
    case = office.open("to_line")
    assert office.line(case) == [("ban", ""), ("sender", ""), ("jing", "")]
    assert office.mine("pai") == [] == office.mine("pei"), "it is not their turn yet"
    office.do(case, "sign", "ban", result="agree")
    assert office.mine("pai") == [case] == office.mine("pei") and office.mine("jia") == []
    office.no(case, "transfer", "jia", to="yi")
    office.do(case, "sign", "pei", result="agree")
    assert office.line(case)[1] == ("pei", "agree") and office.mine("pai") == []
    office.no(case, "sign", "pai", result="agree")


def test_who_has_a_signature_of_his_own_does_not_give_that_of_a_role_too(office: Relay, write_plugin: Any) -> None:
    text = TEXT.replace("sign: {by: [clerk, sender], mode: share, share: relay.share,", "sign: {by: [clerk, boss], each: role, mode: all,")
    office = Relay(office.town.again(write_plugin("relay", text)))
    office.town.settle((("ban2", "wutongli", "leader clerk"),))
    with office.store.begin() as tx:
        tx.people.end_grant(tx.people.grants("ban")[0].id, TODAY - dt.timedelta(days=1))
    case = office.open("to_vote")
    assert office.line(case) == [("clerk", ""), ("ban2", "")]
    first = signatures(office.tasks(case))[0]
    office.no(case, "sign", "ban2", task=first.key, result="agree")
    office.do(case, "sign", "ban2", result="agree")
    office.do(case, "sign", "yi", result="agree")
    assert office.state(case) == "over"


# many at once


def test_many_are_claimed_and_signed_each_by_itself(both: Relay) -> None:
    desks = [both.open("to_desk") for _ in range(3)]
    both.do(desks[1], "claim", "jia")
    done = both.siquan.bulk([(c, None) for c in desks], "claim", "yi", "b1")
    assert [x.outcome for x in done.lines] == ["done", "refused", "done"]
    assert [both.work(c).person for c in desks] == ["yi", "jia", "yi"]
    votes = [both.open("to_all") for _ in range(3)]
    both.do(votes[0], "sign", "yi", result="agree")
    form = both.siquan.bulk_form(votes, "yi")
    assert ("sign", 2) in [(name, n) for name, _, n in form.actions]
    done = both.siquan.bulk([(c, None) for c in votes], "sign", "yi", "b2", result="agree")
    assert [x.outcome for x in done.lines] == ["refused", "done", "done"]
    assert both.siquan.bulk([(c, None) for c in votes], "sign", "yi", "b2", result="agree").repeated
    assert all([r for _, r in both.line(c)].count("agree") == 1 for c in votes)


# two at the same moment


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    start, out = threading.Barrier(len(calls)), [None] * len(calls)

    def run(n: int) -> None:
        start.wait()
        try:
            out[n] = calls[n]()
        except SiquanError as fault:
            out[n] = fault

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(t.is_alive() for t in threads)
    return out


def test_of_two_who_claim_at_once_one_has_it(both: Relay) -> None:
    for _ in range(6):
        case = both.open("to_desk")
        out = at_once(partial(both.do, case, "claim", "yi"), partial(both.do, case, "claim", "bing"))
        lost = [x for x in out if isinstance(x, SiquanError)]
        assert len(lost) == 1 and isinstance(lost[0], NoSuchVerb)
        assert both.work(case).person == ("bing" if out[0] is lost[0] else "yi")
    both.town.whole()


def test_the_last_two_signatures_at_once_both_count(both: Relay) -> None:
    for _ in range(6):
        case = both.open("to_all")
        both.do(case, "sign", "jia", result="agree")
        out = at_once(partial(both.do, case, "sign", "yi", result="agree"), partial(both.do, case, "sign", "bing", result="agree"))
        assert not any(isinstance(x, SiquanError) for x in out) and both.state(case) == "over"
        assert [e.data.get("transition") for e in both.town.events(case)].count("yes_all") == 1
    for _ in range(4):
        case = both.open("to_any")
        out = at_once(partial(both.do, case, "sign", "yi", result="agree", opinion="好"), partial(both.do, case, "sign", "bing", result="refuse", opinion="不好"))
        assert len([x for x in out if isinstance(x, SiquanError)]) == 1 and both.state(case) in ("over", "draft")
    both.town.whole()


def test_one_signature_sent_twice_at_once_counts_once(both: Relay) -> None:
    for n in range(4):
        case = both.open("to_all")
        out = at_once(*[partial(both.do, case, "sign", "yi", result="agree", key=f"once{n}")] * 2)
        assert sum(getattr(x, "repeated", False) for x in out) <= 1
        assert [r for _, r in both.line(case)].count("agree") == 1
        other = both.open("to_all")
        out = at_once(partial(both.do, other, "sign", "yi", result="agree"), partial(both.do, other, "remove_signer", "pai", to="yi"))
        assert len([x for x in out if isinstance(x, SiquanError)]) == 1
    both.town.whole()
