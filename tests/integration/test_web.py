# ruff: noqa: E501, F811 (sentences are kept whole; fixtures come by name)
"""The pages over a service made by hand: what is shown, in which words, under which headers, to whom."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jinja2 import Environment

from siquan.core.rules.decision import BASES, FINDING_ONLY, OUTCOMES
from siquan.web import catalogue
from siquan.web.app import secret


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
STEP, GOOD = hands.STEP, hands.GOOD
WEB = Path(__file__).parents[2] / "web"
PAGES = """/inbox /inbox?tab=done&q=zzz /cases/c-0147 /cases/c-0147/steps/supplement /cases/c-0147/steps/statement
/cases/c-0147/steps/remind /cases/c-0147/steps/publish /cases/c-0147/steps/extend /cases/c-0147/children/candidates
/cases/c-0147/children/candidates?child=c-203&rule=OC-N04 /cases/c-0147/children/candidates?all=1&only=PASS
/cases/c-0147/children/candidates/new /cases/c-0147/sheets/candidates /cases/c-0147/recuse /cases/c-0147/facts
/decisions/d-203 /processes /processes/approval /processes/approval/open /me /me/password /-/plugins /-/patterns""".split()


# signing in


def test_a_stranger_is_sent_to_the_sign_in_and_back(stranger: Browser) -> None:
    answer = stranger.get("/cases/c-0147?log=decided")
    assert answer.status_code == 302
    stranger.get(answer.location)
    back = stranger.post(answer.location, {"login": "hejianing", "password": "demo-password"})
    assert back.location == "/cases/c-0147?log=decided"


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1"]
)
def test_the_sign_in_never_leads_to_another_site(stranger: Browser, target: str) -> None:
    stranger.get("/sign-in")
    answer = stranger.post("/sign-in", {"login": "hejianing", "password": "demo-password", "next": target})
    assert answer.location == "/inbox"


def test_a_wrong_password_says_so_and_keeps_the_name(stranger: Browser) -> None:
    assert "demo-password" in stranger.get("/sign-in").text  # the demo says so itself
    answer = stranger.post("/sign-in", {"login": "hejianing", "password": "x"})
    assert answer.status_code == 422
    assert "用户名或密码不对" in answer.text and 'value="hejianing"' in answer.text


def test_guessing_passwords_is_slowed_down(stranger: Browser) -> None:
    stranger.get("/sign-in")
    states = [stranger.post("/sign-in", {"login": "a", "password": "x"}).status_code for _ in range(11)]
    assert states[-1] == 429 and states[0] == 422


def test_a_new_account_changes_its_password_first(stranger: Browser) -> None:
    stranger.get("/sign-in")
    stranger.post("/sign-in", {"login": "newcomer", "password": "demo-password"})
    assert stranger.get("/inbox").location == "/me/password"
    stranger.get("/me/password")
    typo = stranger.post("/me/password", {"old": "demo-password", "new": "New-2026", "again": "New-2027"})
    assert typo.status_code == 422 and "两次填写的新密码不一样" in typo.text
    good = {"old": "demo-password", "new": "New-2026", "again": "New-2026"}
    assert stranger.post("/me/password", good).status_code == 302
    assert stranger.get("/inbox").status_code == 200


def test_signing_out_ends_it(browser: Browser) -> None:
    assert browser.post("/sign-out", {}).status_code == 302
    assert browser.get("/inbox").status_code == 302


# every page


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_in_both_languages_without_scripts(
    browser: Browser, service: Any, url: str, lang: str
) -> None:
    service.set_preference("he", lang=lang)
    answer = browser.get(url)
    assert answer.status_code == 200
    text = answer.text
    assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}"' in text
    assert "<script" not in text and "javascript:" not in text and not re.search(r"\son[a-z]+=", text)
    assert "style=" not in text and "<style" not in text
    assert text.count("<h1") == 1 and 'id="main"' in text
    for control in re.findall(r"<(?:input|select|textarea)\b[^>]*>", text):
        if 'type="hidden"' in control or "aria-label=" in control:
            continue
        name = re.search(r'\bid="([^"]+)"', control)
        assert name and f'for="{name.group(1)}"' in text, control
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids)), [i for i in ids if ids.count(i) > 1]
    for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", text, re.S):
        assert 'name="csrf_token"' in form
    if lang == "en":
        assert "跳到正文" not in text and "Skip to content" in text


def test_the_words_are_all_translated() -> None:
    """Chinese stands in the templates; every sentence of theirs has an English one."""
    env = Environment(extensions=["jinja2.ext.i18n"])
    used: set[str] = set()
    for file in WEB.rglob("*.html"):
        found = env.extract_translations(file.read_text(encoding="utf-8"), gettext_functions=("_",))  # type: ignore[attr-defined]
        used |= {m if isinstance(m, str) else m[0] for _line, _name, m in found if m}
    for file in WEB.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("_", "gettext")
            ):
                if node.args and isinstance(node.args[0], ast.Constant):
                    used.add(node.args[0].value)
    english = catalogue.words("en")
    assert used - set(english) == set()
    for chinese, text in english.items():
        for one in text.values() if isinstance(text, dict) else [text]:
            assert set(re.findall(r"%\((\w+)\)s", one)) <= set(re.findall(r"%\((\w+)\)s", chinese)), chinese


def test_every_outcome_and_basis_has_a_word() -> None:
    marks = (WEB / "templates/components/marks.html").read_text(encoding="utf-8")
    for word in (*OUTCOMES, *FINDING_ONLY, *BASES):
        assert f"'{word}': (" in marks


def test_templates_and_styles_name_no_foreign_address() -> None:
    for file in (*WEB.rglob("*.html"), *WEB.rglob("*.css")):
        text = file.read_text(encoding="utf-8")
        assert "http://" not in text and "https://" not in text, file
        assert 'style="' not in text, file


def test_headers_of_every_answer(browser: Browser) -> None:
    for url in ("/inbox", "/nope", "/static/theme.css", "/bootstrap/static/css/bootstrap.min.css"):
        head = browser.client.get(url).headers
        policy = head["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "script-src 'none'" in policy and "unsafe" not in policy
        assert head["X-Content-Type-Options"] == "nosniff" and head["X-Frame-Options"] == "DENY"
        assert head["Referrer-Policy"] == "same-origin"
    assert browser.client.get("/inbox").headers["Cache-Control"] == "no-store"
    assert "max-age" in browser.client.get("/static/theme.css").headers["Cache-Control"]


def test_the_session_cookie_is_closed(stranger: Browser) -> None:
    cookie = stranger.get("/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie


def test_health_for_strangers(stranger: Browser) -> None:
    answer = stranger.get("/healthz")
    assert answer.status_code == 200 and answer.json == {"status": "ok"}


def test_the_key_of_sessions_is_made_once_and_private(tmp_path: Path) -> None:
    first = secret(tmp_path / "new")
    assert first == secret(tmp_path / "new") and len(first) == 64
    assert (tmp_path / "new" / "secret_key").stat().st_mode & 0o077 == 0


# content


def test_text_of_people_is_escaped(browser: Browser, service: Any) -> None:
    service.title = "<script>alert(1)</script>\"'><img src=x>"
    page = browser.get("/cases/c-0147").text
    assert "<script" not in page and "<img" not in page and "&lt;script&gt;" in page
    browser.get(STEP)
    answer = browser.post(STEP, {"step": "check", "key": "k", "fact.credit.via": "<b onclick=x>\"'", **GOOD})
    assert "<b onclick" not in answer.text and "&lt;b onclick=x&gt;&#34;&#39;" in answer.text


def test_the_case_page_says_what_next_and_why_not(browser: Browser) -> None:
    page = browser.get("/cases/c-0147").text
    assert "下一步：轮到你" in page and "3 项可办，4 项暂不可办" in page
    assert "差 2 项" in page and "非本岗位" in page and "怎样就能通过" in page and "可由谁办" in page
    assert page.index("请候选人补充材料") < page.index("进入候选人公示")
    assert 'aria-current="step"' in page and "第 6 步，共 13 步" in page
    assert "已过有效期，视为未知" in page and "sq-mask" in page and "首尾相符" in page


def test_the_inbox_groups_filters_and_is_kind_when_empty(browser: Browser, service: Any) -> None:
    page = browser.get("/inbox").text
    assert page.index("已超期") < page.index("今天到期") < page.index("本周")
    assert "超期 1 个工作日" in page and "sq-due prov" in page
    assert "清除筛选" in browser.get("/inbox?q=zzz").text
    service.rows = 0
    page = browser.get("/inbox").text
    assert "今天的都办完了" in page and "周五 11月27日" in page
    assert "清除筛选" not in page


def test_the_matrix_folds_what_is_clear_for_all(browser: Browser) -> None:
    page = browser.get("/cases/c-0147/children/candidates").text
    assert page.count('<th scope="col"') == 1 + 12 + 1 + 1  # name, twelve rules, the rest, outcome
    assert "16 项" in page and "议事规则 第十四条第二项" in page and "城管中队书面回函" in page
    page = browser.get("/cases/c-0147/children/candidates?all=1").text
    assert page.count('<th scope="col"') == 1 + 28 + 1
    page = browser.get("/cases/c-0147/children/candidates?only=BLOCK").text
    assert "顾小满" in page and "丁卫东" not in page


def test_a_decision_is_explained_rule_by_rule(browser: Browser) -> None:
    page = browser.get("/decisions/d-203").text
    for word in (
        "OC-N04",
        "拟不通过",
        "v7-4c19a0",
        "4c19a0d2" * 8,
        "各算一遍，结论一致",
        "fact.max_age",
        "议事规则 第十五条",
        "今天复算，结果相同",
    ):
        assert word in page
    assert "要由未录入事实的人具名确认" in page and "p-only" in page


# errors


def test_a_post_without_the_token_is_refused(browser: Browser, service: Any) -> None:
    for url in (
        STEP,
        "/processes/approval/open",
        "/cases/c-0147/recuse",
        "/cases/c-0147/sheets/candidates",
        "/preference",
        "/sign-out",
    ):
        answer = browser.client.post(url, data={"step": "submit", "key": "k", "reason": "x", **GOOD})
        assert answer.status_code == 400 and "没有提交" in answer.text, url
    assert browser.client.post("/api/v1/cases", json={"process": "approval"}).status_code == 400
    assert service.acts == [] and service.opened == []


def test_forged_ids_are_not_found_and_foreign_cases_closed(browser: Browser) -> None:
    for url in (
        "/cases/x",
        "/cases/x/steps/pass",
        "/cases/c-0147/steps/x",
        "/cases/c-0147/children/x",
        "/decisions/x",
        "/processes/x",
        "/nope",
    ):
        answer = browser.get(url)
        assert answer.status_code == 404 and "没有找到" in answer.text and "Traceback" not in answer.text, url
    answer = browser.get("/cases/c-0093")
    assert answer.status_code == 403 and "丽景苑" in answer.text
    assert browser.client.delete("/inbox").status_code == 405


def test_a_bug_shows_a_number_and_nothing_else(browser: Browser, service: Any) -> None:
    service.crash = True
    answer = browser.get("/inbox")
    assert answer.status_code == 500 and "不是你的问题" in answer.text
    assert "secret detail" not in answer.text and "Traceback" not in answer.text
    assert re.search(r'class="mono">[0-9a-f]{8}<', answer.text)


def test_language_and_theme_are_kept_with_the_account(browser: Browser, service: Any) -> None:
    browser.get("/inbox?tab=soon")
    answer = browser.post("/preference", {"lang": "en", "back": "/inbox?tab=soon"})
    assert answer.location == "/inbox?tab=soon" and service.accounts["he"].lang == "en"
    browser.post("/preference", {"theme": "dark", "back": "//evil.example"})
    page = browser.get("/inbox").text
    assert 'data-bs-theme="dark"' in page and "Overdue" in page and "To do" in page


def test_a_stranger_can_choose_the_language_too(stranger: Browser) -> None:
    stranger.get("/sign-in")
    stranger.post("/preference", {"lang": "en", "back": "/sign-in"})
    assert "Sign in" in stranger.get("/sign-in").text


# API


@pytest.fixture
def token(browser: Browser) -> Iterator[dict[str, str]]:
    yield {"X-CSRFToken": browser.client.get("/api/v1/me").json["csrf_token"]}  # type: ignore[index]


def test_the_api_speaks_json_for_success_and_failure(
    browser: Browser, service: Any, token: dict[str, str]
) -> None:
    client = browser.client
    assert client.get("/api/v1/cases?tab=mine").json["total"] == 9  # type: ignore[index]
    assert client.get("/api/v1/cases/c-0147").json["progress"][5]["kind"] == "now"  # type: ignore[index]
    opened = client.post(
        "/api/v1/cases", json={"process": "approval", "facts": {"amount": 6000}}, headers=token
    )
    assert opened.status_code == 201
    body = {"transition": "supplement", "facts": {}, "revision": 38, "key": "k"}
    assert client.post("/api/v1/cases/c-0147/acts", json=body, headers=token).status_code == 201
    again = client.post("/api/v1/cases/c-0147/acts", json=body, headers=token)
    assert again.status_code == 200 and again.json["repeated"] is True  # type: ignore[index]
    stale = client.post("/api/v1/cases/c-0147/acts", json={**body, "key": "k2"}, headers=token)
    assert stale.status_code == 409 and stale.json["error"] == "SQ409"  # type: ignore[index]
    for bad in ("text", {"facts": {}}, {"transition": 1}):
        answer = client.post("/api/v1/cases/c-0147/acts", json=bad, headers=token)
        assert answer.status_code == 422 and answer.json["error"] == "SQ422"  # type: ignore[index]
    tried = client.post(
        "/api/v1/decide", json={"ruleset": "owners_committee.candidate", "facts": {"a": 1}}, headers=token
    )
    assert tried.json["outcome"] == "REJECT" and tried.json["findings"][4]["rule"] == "OC-N04"  # type: ignore[index]
    assert client.get("/api/v1/cases/x").json["error"] == "SQ404"  # type: ignore[index]
    assert client.get("/api/v1/nope").json["error"] == "HTTP404"  # type: ignore[index]
    assert client.get("/api/v1/decisions/d-203").json["contract"]["outcome"] == "REJECT"  # type: ignore[index]


def test_the_api_wants_a_sign_in(stranger: Browser) -> None:
    answer = stranger.client.get("/api/v1/cases")
    assert answer.status_code == 401 and answer.json["error"] == "HTTP401"  # type: ignore[index]
