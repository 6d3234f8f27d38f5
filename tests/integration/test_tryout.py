"""A process tried out: by itself, and through its page, where a draft is all that travels and nothing here is touched."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import secrets
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from siquan.core.errors import BadInput, SiquanError
from siquan.core.plugins import Catalogue, discover
from siquan.core.service import Siquan
from siquan.core.spec.read import read_case
from siquan.core.spec.source import Where, parse_yaml
from siquan.core.store.database import Store
from siquan.core.testing.runner import run_case
from siquan.core.testing.tryout import MOST_STEPS, TooLong, Tryout, read_rows
from siquan.web.app import create_app

DAY = dt.date(2026, 7, 1)
PASSWORD = "Muster-2026-07"
LOGINS = ("he", "du")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return discover()


def begun(catalogue: Catalogue, process: str = "approval.approval", given: dict[str, Any] | None = None) -> Tryout:
    return Tryout(catalogue, Tryout.begin(catalogue, process, DAY, given or {}))


def test_steps_rules_and_the_clock_are_told(catalogue: Catalogue) -> None:
    played = begun(catalogue)
    assert played.take("", "submit", "", {"amount": "6000", "reason": "灯"}, "", "")
    assert played.take("", "pass", "community", {}, "", "")
    assert not played.take("", "pass", "community", {}, "", "")
    assert played.next_due is not None
    played.wait_until(played.next_due)
    again = Tryout(catalogue, played.draft)
    assert [t.title for t in again.told] == ["提交", "同意", "到岗", "同意", "等待"]
    assert [f.rule for f in again.told[1].decisions[0].hits()] == ["L1"]
    assert again.told[3].refused and "区经办" in again.told[3].said
    view = again.view()
    assert view.case.state == "district" and view.today == again.live.today and view.case.dues


def test_a_rule_that_refuses_stands_in_the_story(catalogue: Catalogue) -> None:
    played = begun(catalogue, "big_party_committee.quarter", {"label": "三季度", "quarter_start": "2026-07-01"})
    given = {"activity_date": "2026-07-20", "kind": "民意收集", "present_n": "1", "due_n": "9"}
    assert not played.take("", "hold", "", given, "", "")
    assert [b.rule for b in played.told[-1].blocks] == ["BP-Q02"] and played.told[-1].refused
    assert played.take("", "hold", "", {**given, "present_n": "9"}, "", "")


def test_what_cannot_be_read_is_no_step(catalogue: Catalogue) -> None:
    played = begun(catalogue)
    for given in ({"amount": "viel", "reason": "x"}, {"amount": "5"}, {"nobody": "1"}):
        with pytest.raises(SiquanError):
            played.take("", "submit", "", given, "", "")
    assert played.draft["steps"] == [] and played.view().case.state == "draft"


def test_facts_may_be_known_none_or_unknown(catalogue: Catalogue) -> None:
    played = begun(catalogue, "owners_committee.candidate", {"person": "甲"})
    for value, known in (("1-202", "known"), (None, "unknown")):
        played.state_fact("", "unit_key", value)
        assert {f.path: f.known for f in played.view().facts}["unit_key"] == known
    played.state_fact("", "fee", "none")
    assert {f.path: f.known for f in played.view().facts}["fee"] == "none"


def nominating(catalogue: Catalogue) -> Tryout:
    """A change of term that takes nominations, on the days and with the facts of the plugin's own case."""
    spec = catalogue.definition("owners_committee.term_change").spec
    facts = spec.bases["full"]
    opening = {p: v for p, v in facts.items() if p in spec.opening or p in ("term_start", "term_end", "households", "oc_exists")}
    played = Tryout(catalogue, Tryout.begin(catalogue, spec.id, dt.date(2026, 7, 1), opening))
    for name, day in (("", 6), ("report", 20), ("form_team", 34), ("announce_team", 37), ("confirm_roster", 43), ("open_nomination", 49)):
        if dt.date(2026, 6, 30) + dt.timedelta(day) > played.live.today:
            played.wait_until(dt.date(2026, 6, 30) + dt.timedelta(day))
        step = played.definition.machine.step(played.live.row().state, name) if name else None
        if step is not None:
            given = {p: v for p, v in facts.items() if p.partition(".")[0] in {n.partition(".")[0] for n in (*step.needs, *step.asks)} and p not in opening}
            assert played.take("", name, "", given, "意见", next(iter(step.reasons), "")), played.told[-1]
    assert played.live.row().state == "nomination"
    return played


def test_verbs_are_tried_like_steps_and_kept_in_the_case(catalogue: Catalogue) -> None:
    played = nominating(catalogue)
    offers = {o.step.name: o for o in played.view().offers}
    assert {"return", "suspend"} <= offers.keys() and not {"resume", "reopen"} & offers.keys()
    assert offers["return"].choices and offers["suspend"].step.reasons
    assert played.view("", "|suspend").chosen is not None
    assert played.take("", "suspend", "", {}, "意见", "court")
    assert "resume" in {o.step.name for o in played.view().offers}
    played.wait_until(played.live.today + dt.timedelta(3))
    assert not played.take("", "close_nomination", "", {}, "", "")
    assert played.take("", "resume", "", {}, "意见", "")
    back = offers["return"].choices[0][0]
    assert played.take("", "return", "", {}, "意见", "papers", back) and played.live.row().state == back
    assert [t.title for t in played.told if t.title in ("中止", "恢复", "退回")] == ["中止", "恢复", "退回"]
    data = parse_yaml(played.saved("中止以后退回"), "try")
    case = read_case(data["cases"][0], Where("try", 1), process="owners_committee.term_change")  # type: ignore[index]
    assert case.steps[-1].to == back and case.expect == back and run_case(catalogue, case) == []


def test_children_are_opened_and_stepped_through(catalogue: Catalogue) -> None:
    played = nominating(catalogue)
    opened = {"seq": "1", "person": "李明", "unit_key": "1-202", "building": "1", "political_status": "cpc", "nomination": "self", "recommender": "none", "post": "none"}
    assert played.take("", "register", "", opened, "", "")
    view = played.view()
    assert [c[0] for c in view.children] == ["candidates/1"]
    assert any(o.child == "candidates/1" and o.step.name == "withdraw" for o in view.offers)
    assert played.take("candidates/1", "withdraw", "", {}, "不参加了", "")
    assert Tryout(catalogue, played.draft).view().children[0][2] == "已撤回"


def test_what_was_tried_is_a_case_that_passes(catalogue: Catalogue) -> None:
    played = begun(catalogue)
    played.take("", "submit", "", {"amount": "800", "reason": "灯"}, "", "")
    played.wait_until(DAY + dt.timedelta(9))
    played.take("", "reject", "", {}, "不行", "")
    data = parse_yaml(played.saved("试着来"), "try")
    case = read_case(data["cases"][0], Where("try", 1), process="approval.approval")  # type: ignore[index]
    assert case.name == "试着来" and case.expect == "rejected" and run_case(catalogue, case) == []


def test_it_has_an_end_and_the_clock_goes_on_only(catalogue: Catalogue) -> None:
    played = begun(catalogue)
    with pytest.raises(BadInput):
        played.wait_until(DAY)
    with pytest.raises(BadInput):
        played.wait_until(DAY + dt.timedelta(6000))
    with pytest.raises(TooLong):
        Tryout(catalogue, {**played.draft, "steps": [{"on": (DAY + dt.timedelta(n + 1)).isoformat()} for n in range(MOST_STEPS + 1)]})


def test_rows_are_read_line_by_line() -> None:
    assert read_rows("{a: 1, b: x, d: 2026-07-01}\n\n{a: 2}") == [{"a": 1, "b": "x", "d": "2026-07-01"}, {"a": 2}]
    for text in ("a, b", "[1]", "{a: 1", "x"):
        with pytest.raises(BadInput):
            read_rows(text)


# tasks of a state

def joint(catalogue: Catalogue) -> Tryout:
    played = begun(catalogue, "joint_order.joint_order", {"matter": "占道"})
    assert played.take("", "submit", "", {}, "", "")
    return played


def does(played: Tryout, verb: str, *, by: str = "", **more: Any) -> bool:
    """What a page does: the offer is chosen, its form filled in from what it offers."""
    offer = next(o for o in played.view(by).offers if o.step.name == verb and o.task and by in ("", o.by))
    form = played.view(offer.by, offer.key).chosen
    assert form is not None
    offered = {c.value for c in form.form.choices}
    assert not ({more.get("to"), more.get("result")} - {None}) - offered and set(more.get("others", ())) <= {c.value for c in form.form.more}
    return played.task("", verb, offer.by, **more)


def offered(played: Tryout, by: str = "") -> list[tuple[str, str]]:
    return [(o.step.name, o.by) for o in played.view(by).offers if o.main and o.step.allowed]


def test_joint_orders_are_tried_out_to_their_end_by_roles(catalogue: Catalogue) -> None:
    played = joint(catalogue)
    assert offered(played) == [("dispatch", "street")]
    assert does(played, "dispatch", to="community", others=["urban_mgmt"])
    assert offered(played) == [("claim", "community"), ("assist_done", "urban_mgmt")]
    assert does(played, "claim") and does(played, "assist_done", opinion="办完")
    assert offered(played) == [("finish", "community")]
    assert played.take("", "finish", "community", {"result": "清完"}, "", "")
    # who acted in the step before is not asked; who stands in for his post is
    assert offered(played) == [("sign", "street"), ("sign", "urban_mgmt")]
    assert does(played, "sign", result="agree") and does(played, "sign", result="agree")
    # those who sign next are there when they are asked
    assert offered(played) == [("sign", "community_lead")]
    assert does(played, "sign", result="agree") and does(played, "sign", result="agree")
    assert played.view().case.state == "issued"
    again = Tryout(catalogue, played.draft, "en")
    assert [t.title for t in again.told if t.title not in ("提交派单", "办完，报会商")] == ["Dispatch", "Claim", "Report my part", "In post", "In post", "Sign", "Sign", "Sign", "Sign"]
    assert again.told[1].facts == (("to", "社区承办"), ("with", "城管中队")) and again.told[-1].state == "已签发"
    (case,) = parse_yaml(played.saved("走到底"), "try.yaml")["cases"]
    assert run_case(catalogue, read_case(case, Where("try.yaml", 1), process="joint_order.joint_order")) == []


def test_a_task_that_is_not_his_is_refused_and_kept_so(catalogue: Catalogue) -> None:
    played = joint(catalogue)
    assert does(played, "dispatch", to="community")
    (blocked,) = [o for o in played.view("urban_mgmt").offers if o.step.name == "claim"]
    assert not blocked.step.allowed and blocked.step.blocks
    assert not does(played, "claim", by="urban_mgmt")
    assert played.told[-1].refused and "由社区承办承办" in played.told[-1].said
    assert run_case(catalogue, played.case("不是他的")) == []


def test_a_step_tried_before_its_work_is_given_out_is_refused_and_kept_so(catalogue: Catalogue) -> None:
    played = joint(catalogue)
    assert not played.take("", "finish", "community", {"result": "清完"}, "", "")
    assert does(played, "dispatch", to="community")
    assert not played.take("", "finish", "urban_mgmt", {"result": "清完"}, "", "")
    assert not played.take("", "finish", "community", {"result": "清完"}, "", "")
    assert [t.refused for t in played.told if t.title == "办完，报会商"] == [True, True, True]
    assert run_case(catalogue, played.case("没有派单、不是他的、没有签收")) == []


def test_looking_leaves_nobody_behind_who_would_be_asked_to_sign(catalogue: Catalogue) -> None:
    played = joint(catalogue)
    before = dict(played.live.world.people)
    offer = next(o for o in played.view().offers if o.step.name == "dispatch")
    played.view("经办乙", offer.key)
    assert played.live.world.people == before


def test_a_signature_without_its_reason_says_what_is_missing(catalogue: Catalogue) -> None:
    played = joint(catalogue)
    does(played, "dispatch", to="community")
    does(played, "claim")
    played.take("", "finish", "community", {"result": "清完"}, "", "")
    told = len(played.told)
    with pytest.raises(SiquanError, match="reason|原因"):
        does(played, "sign", result="refuse", opinion="不行")
    assert len(played.told) == told
    assert does(played, "sign", result="refuse", opinion="不行", reason="half_done")


# the page

class Page:
    def __init__(self, folder: Path) -> None:
        ticks = itertools.count()
        clock = lambda: dt.datetime(2026, 11, 23, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=next(ticks))  # noqa: E731
        store = Store(f"sqlite:///{folder / 'siquan.db'}", clock, lambda: secrets.token_hex(8))
        self.service = Siquan(store, discover(), clock)
        hashed = self.service._accounts.hash(PASSWORD)
        with store.begin() as tx:
            tx.people.add_unit("yunxi", "district", "云溪区")
            for login in LOGINS:
                tx.people.add(login, unit_id="yunxi", login=login, password_hash=hashed)
                tx.people.grant(tx.people.by_login(login).id, "resident", "yunxi", dt.date(2026, 1, 1))  # type: ignore[union-attr]
        self.service.open_case("approval.approval", self.person("he"), "yunxi")
        self.app = create_app(self.service, secret_key="k" * 32, instance_path=folder)
        self.sign_in("he")

    def person(self, login: str) -> str:
        with self.service.app.store.read() as tx:
            found = tx.people.by_login(login)
            assert found is not None
            return found.id

    def sign_in(self, login: str) -> None:
        self.client = self.app.test_client()
        text = self.client.get("/sign-in").get_data(as_text=True)
        self.client.post("/sign-in", data={"csrf_token": token(text), "login": login, "password": PASSWORD})

    def post(self, text: str, process: str = "approval.approval", **data: str) -> TestResponse:
        carried = {"csrf_token": token(text), "draft": draft(text)} | data
        return self.client.post(f"/-/try/{process}", data=carried)


def token(text: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert found
    return found.group(1)


def draft(text: str) -> str:
    found = re.search(r'name="draft" value="([^"]+)"', text)
    return found.group(1) if found else ""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return Page(tmp_path_factory.mktemp("tryout"))


def counted(page: Page) -> tuple[int, int]:
    with page.service.app.store.read() as tx:
        ids = tx.cases.ids("", 1000)
        return len(ids), sum(tx.events.count(i) for i in ids)


def start(page: Page) -> str:
    text = page.client.get("/-/try/approval.approval").get_data(as_text=True)
    return page.post(text, do="begin", day="2026-07-01").get_data(as_text=True)


def test_the_page_goes_from_step_to_case_and_touches_nothing(page: Page) -> None:
    before = counted(page)
    text = start(page)
    assert "能办什么" in text and "提交" in text
    text = page.post(text, do="choose", choose="|submit").get_data(as_text=True)
    assert 'name="fact.amount"' in text
    answer = page.post(text, do="take", choose="|submit", **{"fact.amount": "6000", "fact.reason": "灯"})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200 and "社区审核" in text
    text = page.post(text, do="take", choose="|pass").get_data(as_text=True)
    assert "超过" in text and "L1" in text
    text = page.post(text, do="wait", how="due").get_data(as_text=True)
    assert "7月9日" in text
    undone = page.post(text, do="undo").get_data(as_text=True)
    assert "7月1日" in undone
    saved = page.post(text, do="save", name="页面上走的")
    assert saved.headers["Content-Disposition"].startswith("attachment") and "页面上走的" in saved.get_data(as_text=True)
    assert counted(page) == before


def test_a_form_that_is_not_complete_stays_filled_in(page: Page) -> None:
    text = page.post(start(page), do="choose", choose="|submit").get_data(as_text=True)
    answer = page.post(text, do="take", choose="|submit", **{"fact.amount": "viel", "fact.reason": "只有事由"})
    assert answer.status_code == 422 and "只有事由" in answer.get_data(as_text=True)
    answer = page.post(text, do="take", choose="|submit", **{"fact.reason": "只有事由"})
    assert answer.status_code == 422 and "只有事由" in answer.get_data(as_text=True)


@pytest.mark.parametrize("data", [{"do": "wait", "how": "days", "days": "x"}, {"do": "wait", "how": "date", "day": "gestern"}, {"do": "fact", "path": "|nobody", "value": "1"}, {"do": "fact", "path": "|amount", "value": "viel"}, {"do": "take", "choose": "|nothing"}, {"do": "take", "choose": "a/9|pass"}])
def test_bad_input_changes_nothing(data: dict[str, str], page: Page) -> None:
    text = start(page)
    answer = page.post(text, **data)
    assert answer.status_code in (404, 422)


@pytest.mark.parametrize("forged", ["", "x", "e30.aaa.bbb"])
def test_a_forged_draft_begins_anew(forged: str, page: Page) -> None:
    answer = page.post(start(page), do="look", draft=forged)
    assert answer.status_code == 422 and "重新开始" in answer.get_data(as_text=True)


def test_a_draft_belongs_to_one_person_and_one_process(page: Page) -> None:
    text = start(page)
    assert page.post(text, process="big_party_committee.quarter", do="look").status_code == 422
    page.sign_in("du")
    other = page.client.get("/-/try/approval.approval").get_data(as_text=True)
    assert page.client.post("/-/try/approval.approval", data={"csrf_token": token(other), "draft": draft(text), "do": "look"}).status_code == 422
    page.sign_in("he")


def test_strangers_are_asked_to_sign_in(page: Page) -> None:
    stranger = page.app.test_client()
    assert stranger.get("/-/try/approval.approval").status_code == 302


def test_an_unknown_process_is_not_there(page: Page) -> None:
    assert page.client.get("/-/try/nothing.here").status_code == 404


def test_the_process_page_leads_here_and_to_its_pictures(page: Page) -> None:
    text = page.client.get("/processes/approval.approval").get_data(as_text=True)
    assert "/-/try/approval.approval" in text and "/processes/approval.approval.svg" in text
    svg = page.client.get("/processes/approval.approval.svg")
    assert "<style>" in svg.get_data(as_text=True) and "期限" in svg.get_data(as_text=True)
    mermaid = page.client.get("/processes/approval.approval.mmd").get_data(as_text=True)
    assert mermaid.startswith("stateDiagram-v2") and "note right of community" in mermaid


def test_the_page_dispatches_claims_and_signs(page: Page) -> None:
    def post(text: str, **data: str) -> str:
        return page.post(text, process="joint_order.joint_order", **data).get_data(as_text=True)

    def chosen(text: str, verb: str, **data: str) -> str:
        found = re.search(rf'name="by" value="([^"]*)">[^<]*<button[^>]*name="choose" value="(\|{verb}[^"]*)"', text)
        assert found, verb
        form = post(text, do="choose", by=found.group(1), choose=found.group(2))
        return post(form, do="take", by=found.group(1), choose=found.group(2), **data)

    text = page.client.get("/-/try/joint_order.joint_order").get_data(as_text=True)
    text = chosen(post(text, do="begin", day="2026-07-01", **{"fact.matter": "占道"}), "submit")
    assert "等街道派单员派单" in text
    text = chosen(text, "dispatch", choice="community", helper="urban_mgmt")
    text = chosen(chosen(text, "claim"), "assist_done", opinion="办完")
    text = chosen(text, "finish", **{"fact.result": "清完"})
    assert text.count("<h3>签署") == 2 and "还可以：" in text
    for _ in range(4):
        text = chosen(text, "sign", choice="agree")
    assert "这件事已经走完" in text
    forged = post(text, do="take", choose="|sign|99.1", choice="agree")
    assert "现在没有了" in forged
