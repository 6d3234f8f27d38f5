# ruff: noqa: E501, F811 (sentences are kept whole; fixtures come by name)
"""Acting through the pages: fill in, check, submit; stale, refused and repeated forms; Excel; limits."""

from __future__ import annotations

import importlib.util
import io
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from werkzeug.datastructures import MultiDict

from siquan.web import postings, safety


def beside(name: str) -> ModuleType:
    """A module of this folder; the test folders are no packages."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


fakes, hands = beside("fake_service"), beside("fake_browser")
service, app, stranger, browser = hands.fixtures(fakes)
Browser = Any  # fake_browser.Browser, loaded at run time
STEP, GOOD, checked = hands.STEP, hands.GOOD, hands.checked


# acting


def test_fill_check_submit_done(browser: Browser, service: Any) -> None:
    data = checked(browser, opinion="材料齐了")
    assert "提交后会发生什么" in browser.page and "材料齐了" in browser.page
    assert service.acts == []
    answer = browser.post(STEP, data)
    assert answer.status_code == 302 and answer.location == "/cases/c-0147"
    assert "已提交" in browser.get(answer.location).text
    assert service.acts == [
        {"transition": "supplement", "facts": {"credit.listed": False, "credit.day": "2026-11-20"}, "opinion": "材料齐了", "reason": ""}
    ]  # fmt: skip


def test_back_to_the_form_keeps_everything(browser: Browser) -> None:
    data = checked(
        browser, **{"fact.pledges": "3", "fact.credit.via": "执行网", "fact.credit.via.source": "截图 1"}
    )
    answer = browser.post(STEP, {**data, "step": "edit"})
    assert answer.status_code == 200
    assert 'value="执行网"' in answer.text and 'value="截图 1"' in answer.text and 'value="3"' in answer.text
    assert re.search(r'value="false"\s+checked', answer.text)


def test_errors_are_listed_linked_and_nothing_is_lost(browser: Browser, service: Any) -> None:
    browser.get(STEP)
    bad = {
        "step": "check",
        "key": "k",
        "fact.credit.day": "2026-12-20",
        "fact.pledges": "三份",
        "opinion": "先看看",
    }
    answer = browser.post(STEP, bad)
    assert answer.status_code == 422 and service.acts == []
    assert "有 3 处要改" in answer.text and "<title>有 3 处要改：" in answer.text
    assert 'href="#f-credit-day"' in answer.text and 'id="f-credit-day"' in answer.text
    for typed in ("2026-12-20", "三份", "先看看"):
        assert typed in answer.text


def test_required_words_are_asked_for(browser: Browser, service: Any) -> None:
    url = "/cases/c-0147/steps/statement"
    browser.get(url)
    answer = browser.post(url, {"step": "submit", "key": "k", **GOOD})
    assert answer.status_code == 422 and "请写明意见" in answer.text and "请选一个理由" in answer.text
    answer = browser.post(
        url, {"step": "submit", "key": "k", "opinion": "当面说的", "reason": "spoke", **GOOD}
    )
    assert answer.status_code == 302 and service.acts[0]["reason"] == "spoke"


def test_a_step_without_a_form_is_checked_at_once(browser: Browser, service: Any) -> None:
    url = "/cases/c-0147/steps/remind"
    assert "提交后会发生什么" in browser.get(url).text
    data = {"step": "submit", "key": browser.hidden("key"), "wire": browser.hidden("wire"), "revision": "38"}
    assert browser.post(url, data).status_code == 302 and len(service.acts) == 1


def test_a_double_click_counts_once(browser: Browser, service: Any) -> None:
    data = checked(browser)
    assert browser.post(STEP, data).status_code == 302
    again = browser.post(STEP, data)
    assert again.status_code == 302 and len(service.acts) == 1
    assert "只算一次" in browser.get(again.location).text


def test_a_stale_form_says_what_changed_and_keeps_the_input(browser: Browser, service: Any) -> None:
    data = checked(browser, **{"fact.credit.via": "执行网"})
    service.revision = 40
    answer = browser.post(STEP, data)
    assert answer.status_code == 409 and service.acts == []
    assert "从修订 38 变为修订 40" in answer.text and "登记了吴静怡的材料" in answer.text
    assert (
        'name="fact.credit.via" value="执行网"' in answer.text and 'name="revision" value="40"' in answer.text
    )
    fresh = {**data, **{k: browser.hidden(k) for k in ("wire", "revision", "key")}}
    assert browser.post(STEP, fresh).status_code == 302 and len(service.acts) == 1


def test_a_refusal_by_a_rule_keeps_the_input(browser: Browser, service: Any) -> None:
    data = checked(browser)
    service.refuse = "同一套房只能有一人参选"
    answer = browser.post(STEP, data)
    assert answer.status_code == 422 and "同一套房只能有一人参选" in answer.text
    assert 'name="fact.credit.day" value="2026-11-20"' in answer.text


def test_what_was_checked_cannot_be_exchanged(browser: Browser, service: Any) -> None:
    data = checked(browser)
    answer = browser.post(STEP, {**data, "wire": data["wire"][:-4] + "AAAA"})
    assert answer.status_code == 302 and service.acts[0]["facts"] == {
        "credit.listed": False,
        "credit.day": "2026-11-20",
    }
    other = browser.post("/cases/c-0147/steps/statement", {**data, "opinion": "", "reason": ""})
    assert other.status_code == 422  # a seal of one step opens no other


def test_a_step_of_another_post_shows_why_and_no_form(browser: Browser) -> None:
    page = browser.get("/cases/c-0147/steps/extend").text
    assert "须由街道经办人办理" in page and "高一帆" in page and "下一步：核对" not in page


def test_opening_asks_for_the_place_and_the_facts(browser: Browser, service: Any) -> None:
    url = "/processes/approval/open"
    assert "梧桐里社区" in browser.get(url).text
    bad = browser.post(
        url, {"key": "k1", "place": "district/elsewhere", "fact.amount": "多", "fact.reason": "维修"}
    )
    assert bad.status_code == 422 and 'value="维修"' in bad.text and service.opened == []
    good = {"key": "k2", "place": "compound/chenghu", "fact.amount": "6000", "fact.reason": "维修"}
    assert browser.post(url, good).status_code == 302 and browser.post(url, good).status_code == 302
    assert service.opened == [{"place": "compound/chenghu", "facts": {"amount": "6000", "reason": "维修"}}]
    assert browser.get("/processes/owners_committee.candidate/open").status_code == 403


def test_recusal_wants_a_reason(browser: Browser, service: Any) -> None:
    browser.get("/cases/c-0147/recuse")
    assert browser.post("/cases/c-0147/recuse", {"reason": " "}).status_code == 422
    answer = browser.post("/cases/c-0147/recuse", {"reason": "与周以宁为近亲属", "key": "k"})
    assert answer.status_code == 302 and service.acts[0]["reason"] == "与周以宁为近亲属"


def test_facts_can_be_supplied_and_absent_ones_said(browser: Browser, service: Any) -> None:
    url = "/cases/c-0147/facts"
    browser.get(url)
    both = browser.post(
        url, {"fact.build_done": ["2026-11-01", postings.ABSENT], "key": "k", "revision": "38"}
    )
    assert both.status_code == 422 and "请只留一个" in both.text
    answer = browser.post(url, {"fact.build_done": postings.ABSENT, "key": "k", "revision": "38"})
    assert answer.status_code == 302 and service.acts[0]["facts"] == {"build_done": "none"}
    stale = browser.post(url, {"fact.pledges": "2", "key": "k2", "revision": "38"})
    assert stale.status_code == 409 and 'value="2"' in stale.text


def test_children_are_added_by_form(browser: Browser, service: Any) -> None:
    url = "/cases/c-0147/children/candidates/new"
    browser.get(url)
    assert browser.post(url, {"key": "k"}).status_code == 422
    assert browser.post(url, {"key": "k", "fact.amount": "1", "fact.reason": "x"}).status_code == 302
    assert len(service.opened) == 1


# sheets


def upload(data: bytes, name: str = "候选人.xlsx") -> dict[str, Any]:
    return {"file": (io.BytesIO(data), name), "key": "k", "revision": "38"}


def test_a_sheet_goes_out_and_in(browser: Browser) -> None:
    answer = browser.get("/cases/c-0147/sheets/candidates.xlsx?empty=1")
    assert answer.data.startswith(b"PK") and "attachment" in answer.headers["Content-Disposition"]
    browser.get("/cases/c-0147/sheets/candidates")
    answer = browser.post("/cases/c-0147/sheets/candidates", upload(b"PK good"))
    assert answer.status_code == 302
    assert "读到 13 行：新增 10，更新 3" in browser.get(answer.location).text


def test_a_bad_sheet_names_sheet_cell_and_reason(browser: Browser) -> None:
    url = "/cases/c-0147/sheets/candidates"
    browser.get(url)
    answer = browser.post(url, upload(b"PK bad"))
    assert answer.status_code == 422
    assert "一行也没有导入" in answer.text and "C5" in answer.text and "“三月”不是日期" in answer.text
    assert browser.post(url, upload(b"x", "名单.docx")).status_code == 422
    assert browser.post(url, {"key": "k"}).status_code == 422
    assert browser.get("/cases/c-0147/sheets/nothing").status_code == 404


def test_an_oversized_upload_is_refused_clearly(browser: Browser) -> None:
    url = "/cases/c-0147/sheets/candidates"
    browser.get(url)
    answer = browser.post(url, upload(b"x" * (safety.UPLOAD_LIMIT + 1)))
    assert answer.status_code == 413 and "文件太大" in answer.text and "20 MB" in answer.text


def test_a_form_with_too_much_text_or_too_many_fields_is_refused(browser: Browser) -> None:
    browser.get(STEP)
    assert browser.post(STEP, {"opinion": "字" * safety.FORM_LIMIT}).status_code == 413
    many = {f"x{n}": (io.BytesIO(b"x"), "x") for n in range(safety.FIELD_LIMIT + 100)}
    assert browser.post("/cases/c-0147/sheets/candidates", many).status_code == 413


# postings


def test_the_wire_form_of_a_posting() -> None:
    views = fakes.views
    form = MultiDict(
        [("fact.credit.listed", "true"), ("fact.credit.via", " 网 "), ("fact.credit.via.as_of", "2026-11-01"), ("fact.pledges", ""), ("fact.evil", "1")]
    )  # fmt: skip
    posted = postings.read(form, views.FIELDS)
    assert posted.facts == {"credit.listed": True, "credit.via": {"value": "网", "as_of": "2026-11-01"}}
    rows = replace(views.FIELDS[2], kind="list", envelope=False)
    assert postings.read(form, [rows]).facts == {"credit.via": {"value": ["网"], "complete": True}}


def test_a_list_of_records_is_a_table(browser: Browser, service: Any) -> None:
    url = "/cases/c-0147/facts"
    page = browser.get(url).text
    assert (
        'name="fact.team[0].name"' in page and 'value="何一"' in page and 'name="fact.team[3].name"' in page
    )
    rows = {
        "fact.team[0].name": "何一",
        "fact.team[0].role": "owner",
        "fact.team[0].leader": "true",
        "fact.team[0].until": postings.ABSENT,
        "fact.team[2].name": "高二",
        "fact.team.complete": "1",
        "key": "k",
        "revision": "38",
    }
    more = browser.post(url, {**rows, "step": "more"})
    assert more.status_code == 200 and service.acts == []
    assert 'name="fact.team[1].name" aria-label="姓名" value="高二"' in more.text
    assert 'name="fact.team[4].name"' in more.text and 'name="fact.team[5].name"' not in more.text
    assert browser.post(url, rows).status_code == 302
    first = {"name": "何一", "role": "owner", "leader": True, "until": "none"}
    assert service.acts[0]["facts"] == {"team": {"value": [first, {"name": "高二"}], "complete": True}}
