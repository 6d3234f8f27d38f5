# ruff: noqa: E501 (sentences are kept whole)
"""The pages over a service made by hand: what is shown, what is refused, and that nothing typed is ever lost."""

from __future__ import annotations

import ast
import html
import importlib.util
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import Environment

from siquan.core.rules.decision import BASES, FINDING_ONLY, OUTCOMES
from siquan.web import catalogue, postings, safety
from siquan.web.app import create_app, secret

WEB = Path(__file__).parents[2] / "web"
PAGES = """/inbox /inbox?tab=done&q=zzz /cases/c-0147 /cases/c-0147/steps/supplement /cases/c-0147/steps/statement
/cases/c-0147/steps/remind /cases/c-0147/steps/publish /cases/c-0147/steps/extend /cases/c-0147/children/candidates
/cases/c-0147/children/candidates?child=c-203&rule=OC-N04 /cases/c-0147/children/candidates?all=1&only=PASS
/cases/c-0147/children/candidates/new /cases/c-0147/sheets/candidates /cases/c-0147/recuse /cases/c-0147/facts
/decisions/d-203 /processes /processes/approval /processes/approval/open /me /me/password /-/plugins /-/patterns""".split()


def fakes() -> ModuleType:
    name = "fake_service"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def service() -> Any:
    return fakes().FakeService()


@pytest.fixture
def app(service: Any, tmp_path: Path) -> Flask:
    return create_app(
        service,
        secret_key="k" * 32,
        instance_path=tmp_path,
        demo_accounts=[("何佳宁", "梧桐里社区 · 经办", "hejianing", "demo-password")],
    )


class Browser:
    """A client that takes the token from the page it has seen last, as a browser does."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.page = ""

    def get(self, url: str) -> Any:
        answer = self.client.get(url)
        if answer.mimetype == "text/html" and answer.status_code != 302:
            self.page = answer.text
        return answer

    def hidden(self, name: str) -> str:
        found = re.findall(rf'name="{name}" value="([^"]*)"', self.page)
        return html.unescape(found[-1]) if found else ""

    def post(self, url: str, data: dict[str, Any], **more: Any) -> Any:
        answer = self.client.post(url, data={"csrf_token": self.hidden("csrf_token"), **data}, **more)
        if answer.mimetype == "text/html" and answer.status_code != 302:
            self.page = answer.text
        return answer

    def sign_in(self, login: str = "hejianing") -> Browser:
        self.get("/sign-in")
        assert self.post("/sign-in", {"login": login, "password": "demo-password"}).status_code == 302
        self.get("/me")
        return self


@pytest.fixture
def stranger(app: Flask) -> Browser:
    return Browser(app.test_client())


@pytest.fixture
def browser(stranger: Browser) -> Browser:
    return stranger.sign_in()


STEP = "/cases/c-0147/steps/supplement"
GOOD = {"fact.credit.listed": "false", "fact.credit.day": "2026-11-20"}


def checked(browser: Browser, **more: str) -> dict[str, str]:
    """Fill in and check the form; the fields the check page would post."""
    browser.get(STEP)
    data = {
        "step": "check",
        "key": browser.hidden("key"),
        "revision": browser.hidden("revision"),
        **GOOD,
        **more,
    }
    assert browser.post(STEP, data).status_code == 200
    return {**data, "step": "submit", "wire": browser.hidden("wire"), "revision": browser.hidden("revision")}


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
    short = stranger.post("/me/password", {"old": "demo-password", "new": "short", "again": "short"})
    assert short.status_code == 422 and "至少 10 个字符" in short.text
    good = {"old": "demo-password", "new": "梧桐里社区的新密码真好", "again": "梧桐里社区的新密码真好"}
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
    assert client.get("/api/v1/cases/x").json["error"] == "SQ404"  # type: ignore[index]
    assert client.get("/api/v1/nope").json["error"] == "HTTP404"  # type: ignore[index]
    assert client.get("/api/v1/decisions/d-203").json["contract"]["outcome"] == "REJECT"  # type: ignore[index]


def test_the_api_wants_a_sign_in(stranger: Browser) -> None:
    answer = stranger.client.get("/api/v1/cases")
    assert answer.status_code == 401 and answer.json["error"] == "HTTP401"  # type: ignore[index]


# postings


def test_the_wire_form_of_a_posting() -> None:
    from werkzeug.datastructures import MultiDict

    views = fakes().views
    form = MultiDict(
        [("fact.credit.listed", "true"), ("fact.credit.via", " 网 "), ("fact.credit.via.as_of", "2026-11-01"), ("fact.pledges", ""), ("fact.evil", "1")]
    )  # fmt: skip
    posted = postings.read(form, views.FIELDS)
    assert posted.facts == {"credit.listed": True, "credit.via": {"value": "网", "as_of": "2026-11-01"}}
    rows = replace(views.FIELDS[2], kind="list", envelope=False)
    assert postings.read(form, [rows]).facts == {"credit.via": {"value": ["网"], "complete": True}}
