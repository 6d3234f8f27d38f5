"""The verbs in the pages and the API, over the real service: menu, form, refusal, stale form, unread, many at once."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from siquan.web.app import create_app

ERRAND = Path(__file__).with_name("errand")
PASSWORD = "Demo-2026"
PEOPLE = (("he", "wutongli", "resident"), ("du", "wutongli", "clerk"), ("lu", "guixiang", "lead"), ("zhou", "xiaoqiaotou", "clerk"))


def beside(name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def town(sqlite_url: str, load_plugins: Callable[..., Any], make_town: Callable[..., Any]) -> Any:
    made = make_town(sqlite_url, load_plugins(ERRAND))
    made.settle(PEOPLE)
    hashed = made.siquan._accounts.hash(PASSWORD)
    with made.store.begin() as tx:
        for login, _unit, _roles in PEOPLE:
            tx.people.change(login, password_hash=hashed)
    return made


@pytest.fixture
def desk(town: Any, tmp_path: Path) -> Any:
    app = create_app(town.siquan, secret_key="k" * 32, instance_path=tmp_path)

    def sign_in(login: str) -> Any:
        browser = beside("fake_browser").Browser(app.test_client())
        browser.get("/sign-in")
        assert browser.post("/sign-in", {"login": login, "password": PASSWORD}).status_code == 302
        browser.get("/inbox")
        return browser

    return sign_in


def sent(town: Any, what: str = "路灯不亮") -> str:
    case = town.siquan.open_case("errand.errand", "he", facts={"what": what}).case
    town.siquan.act(case, "send", "he")
    return str(case)


def form(browser: Any, url: str) -> dict[str, str]:
    assert browser.get(url).status_code == 200
    return {"key": browser.hidden("key"), "revision": browser.hidden("revision")}


def test_the_menu_leads_to_a_form_that_says_what_follows(town: Any, desk: Any) -> None:
    case, du = sent(town), desk("du")
    page = du.get(f"/cases/{case}").text
    menu = re.search(r'<details class="sq-verbs.*?</details>', page, re.S)
    assert menu and f"/cases/{case}/verbs/suspend" in menu.group() and "verbs/reopen" not in menu.group()
    assert "终止" not in page and "withdraw" not in page  # neither is his to do
    url = f"/cases/{case}/verbs/suspend"
    data = form(du, url)
    assert "停止计时：受理期限 11-30" in du.page and "2026-12-23 自动恢复" in du.page
    assert du.post(url, data).status_code == 422 and "原因" in du.page
    done = du.post(url, {**data, "reason": "court", "opinion": "裁定书", "key": du.hidden("key")})
    assert done.status_code == 302
    page = du.get(f"/cases/{case}").text
    assert "已挂起" in page and "法院裁定" in page and "裁定书" in page and "暂停，剩 5 个工作日" in page
    assert "下一步：轮到你" not in page
    assert du.get(url).status_code == 422  # suspended already


def test_a_verb_that_ends_the_case_has_the_form_of_a_step(town: Any, desk: Any) -> None:
    case, he = sent(town), desk("he")
    page = he.get(f"/cases/{case}").text
    assert f"/cases/{case}/steps/withdraw" in page
    box = page[page.index('id="next"') : page.index("</section>", page.index('id="next"'))]
    assert "撤销" not in box
    url = f"/cases/{case}/steps/withdraw"
    data = {**form(he, url), "step": "submit", "reason": "settled", "asked": he.hidden("asked"), "wire": he.hidden("wire")}
    assert he.post(url, data).status_code == 302
    assert town.case(case).outcome == "dropped"


def test_a_return_offers_the_steps_gone_through(town: Any, desk: Any) -> None:
    case, du = sent(town), desk("du")
    town.siquan.act(case, "pass", "du")
    url = f"/cases/{case}/verbs/return"
    data = form(du, url)
    assert re.findall(r'name="choice" id="c-\d" value="(\w+)"', du.page) == ["check", "draft"]
    town.siquan.act(case, "quick", "du")
    late = du.post(url, {**data, "choice": "check", "reason": "papers", "opinion": "缺照片"})
    assert late.status_code == 409 and "缺照片" in du.page and town.case(case).state == "review"
    again = {"key": du.hidden("key"), "revision": du.hidden("revision"), "choice": "check", "reason": "papers"}
    assert du.post(url, again).status_code == 302 and town.case(case).state == "check"
    assert du.post(url, again).status_code == 302 and len(town.events(case)) == 5  # a second click
    assert "驳回" in du.get(f"/cases/{case}").text


def test_merge_and_relate_by_ticking_and_by_number(town: Any, desk: Any) -> None:
    one, two, three, du = sent(town), sent(town, "灯坏了"), sent(town, "井盖"), desk("du")
    data = form(du, f"/cases/{one}/verbs/merge")
    assert du.post(f"/cases/{one}/verbs/merge", {**data, "choice": two, "reason": "same"}).status_code == 302
    data = form(du, f"/cases/{one}/verbs/link")
    assert du.post(f"/cases/{one}/verbs/link", {**data, "number": town.case(three).number}).status_code == 302
    page = du.get(f"/cases/{one}").text
    assert "相关事项" in page and "并入这件" in page and "井盖" in page
    assert "已经并入别的事项" in du.get(f"/cases/{two}").text
    assert du.post(f"/cases/{one}/verbs/unlink", {"choice": three}).status_code == 302
    assert "井盖" not in du.get(f"/cases/{one}").text.partition("相关事项")[2].partition("</section>")[0]
    data = form(du, f"/cases/{two}/verbs/unmerge")
    assert du.post(f"/cases/{two}/verbs/unmerge", data).status_code == 302 and town.case(two).is_open


def test_what_is_to_be_read_stands_in_a_tab_of_its_own(town: Any, desk: Any) -> None:
    case, he, lu = sent(town), desk("he"), desk("lu")
    assert lu.post(f"/cases/{case}/verbs/follow", {"key": "k"}).status_code == 302
    data = form(he, f"/cases/{case}/verbs/urge")
    assert he.post(f"/cases/{case}/verbs/urge", data).status_code == 302
    assert re.search(r"待阅<b>1</b>", lu.get("/inbox").text)
    page = lu.get("/inbox/unread").text
    assert "路灯不亮" in page and "你关注的事有进展" in page
    assert lu.post("/inbox/unread", {"notice": "forged", "open": case}).headers["Location"].endswith(f"/cases/{case}")
    assert town.siquan.notices("lu")[1] == 1
    assert lu.post("/inbox/unread", {}).status_code == 302 and town.siquan.notices("lu")[1] == 0
    assert "lu" in lu.get(f"/cases/{case}").text.partition("<h2>已阅</h2>")[2]


def test_many_cases_from_the_inbox(town: Any, desk: Any) -> None:
    one, two, du = sent(town), sent(town, "灯坏了"), desk("du")
    page = du.get("/inbox").text
    assert re.findall(r'name="case" value="(\w+)"', page) == [one, two] or len(re.findall(r'name="case"', page)) == 2
    du.get(f"/bulk?case={one}&case={two}")
    key = du.hidden("key")
    revisions = re.findall(r'name="revision" value="(\d+)"', du.page)
    town.siquan.act(two, "note", "du")
    body = {"key": key, "case": [one, two], "revision": revisions, "action": "pass"}
    done = du.post("/bulk", body)
    assert done.status_code == 302
    page = du.get(done.headers["Location"]).text
    assert "办成 1 件，没办成 1 件" in page and "别人改过" in page
    assert town.case(one).state == "work" and town.case(two).state == "check"
    assert desk("he").get(done.headers["Location"]).status_code == 404
    du.get(f"/bulk?case={two}")
    assert du.post("/bulk", {**body, "action": ""}).status_code == 422
    assert du.get("/bulk").status_code == 200


def test_somebody_elses_case_gives_nothing_away(town: Any, desk: Any) -> None:
    case, zhou = sent(town), desk("zhou")
    for verb in ("urge", "copy", "suspend", "return", "merge", "link"):
        assert zhou.get(f"/cases/{case}/verbs/{verb}").status_code == 403
        assert zhou.post(f"/cases/{case}/verbs/{verb}", {"key": verb, "reason": "court", "choice": "check"}).status_code in (403, 404)
    assert zhou.get(f"/bulk?case={case}").status_code == 403
    assert [e.kind for e in town.events(case)] == ["opened", "acted"]


def test_the_same_through_the_api(town: Any, desk: Any) -> None:
    case, other, du = sent(town), sent(town), desk("du")
    token = {"X-CSRFToken": du.client.get("/api/v1/me").json["csrf_token"]}

    def post(url: str, body: Any) -> Any:
        return du.client.post(f"/api/v1{url}", json=body, headers=token)

    assert post(f"/cases/{case}/verbs", {"verb": "suspend", "reason": "court", "key": "a"}).status_code == 201
    assert post(f"/cases/{case}/verbs", {"verb": "suspend", "reason": "court", "key": "a"}).json["repeated"]
    refused = post(f"/cases/{case}/verbs", {"verb": "return", "to": "draft", "reason": "papers"})
    assert (refused.status_code, refused.json["error"]) == (422, "SQ412")
    for body in ({"verb": "explode"}, {"verb": "copy", "others": [1]}, {}, {"verb": "merge", "others": "x"}):
        assert post(f"/cases/{other}/verbs", body).status_code in (400, 422)
    lines = post("/bulk", {"cases": [case, other], "action": "pass", "key": "b"}).json["lines"]
    assert [x["outcome"] for x in lines] == ["refused", "done"]
    assert du.client.get("/api/v1/notices").json == {"notices": [], "total": 0}
    assert post("/notices/read", {}).json == {"read": 0}
