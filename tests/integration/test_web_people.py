# ruff: noqa: E501 (sentences are kept whole)
"""People through the pages: an administrator grants, ends, marks as leaving, moves; anybody names a substitute."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from siquan.core.plugins import Catalogue
from siquan.web.app import create_app

PLUGINS = Path(__file__).parents[2] / "plugins"


def beside(name: str) -> ModuleType:
    """A module of this folder; the test folders are no packages."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path, make_town: Callable[..., Any], load_plugins: Callable[..., Catalogue]) -> Any:
    town = make_town(sqlite_url, load_plugins(PLUGINS / "approval.yaml"))
    town.settle([("he", "wutongli", "resident community"), ("du", "wutongli", "community"), ("peng", "yunxi", "admin"), ("yi", "wutongli", "")])
    hashed = town.siquan._accounts.hash("Demo-2026")
    with town.store.begin() as tx:
        for person in ("he", "du", "peng", "yi"):
            tx.people.change(person, password_hash=hashed)
    app = create_app(town.siquan, secret_key="k" * 32, instance_path=tmp_path)

    def sign_in(login: str) -> Any:
        browser = beside("fake_browser").Browser(app.test_client())
        browser.get("/sign-in")
        assert browser.post("/sign-in", {"login": login, "password": "Demo-2026"}).status_code == 302
        browser.town = town
        return browser

    return sign_in


def sound(text: str) -> None:
    """Labels for every control, no double ids, a token in every form, no script."""
    assert text.count("<h1") == 1 and "<script" not in text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids)), [i for i in ids if ids.count(i) > 1]
    for control in re.findall(r"<(?:input|select|textarea)\b[^>]*>", text):
        name = re.search(r'\bid="([^"]+)"', control)
        assert 'type="hidden"' in control or "aria-label=" in control or (name and f'for="{name.group(1)}"' in text), control
    for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", text, re.S):
        assert 'name="csrf_token"' in form


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_are_sound_in_both_languages(desk: Any, lang: str) -> None:
    browser = desk("peng")
    browser.town.siquan.set_preference("peng", lang=lang)
    browser.town.siquan.substitute("du", "yi", dt.date(2026, 11, 23), dt.date(2026, 11, 25), "peng", reason="<i>会</i>")
    for url in ("/people", "/people?q=du", "/people?q=none", "/people/du", "/people/yi", "/me/substitutes", "/me"):
        answer = browser.get(url)
        assert answer.status_code == 200, url
        sound(answer.text)
        assert "<i>会" not in answer.text
        if lang == "en" and url.startswith("/people/"):
            page = re.sub(r"<(option|dt|dd|label|b|span|div|td|li|title)[^>]*>[^<]*", "", answer.text.partition("<main")[2].partition("</main")[0])
            assert "授予岗位" not in page and "登记离岗" not in page


def test_only_an_administrator_finds_the_pages(desk: Any) -> None:
    assert 'href="/people"' in desk("peng").get("/inbox").text
    browser = desk("du")
    assert 'href="/people"' not in browser.get("/inbox").text
    for url in ("/people", "/people/he"):
        assert browser.get(url).status_code == 403
    browser.get("/me")
    for what in ("grant", "end", "leave", "move"):
        assert browser.post(f"/people/he/{what}", {"role": "community", "unit": "wutongli", "post": "x", "case": "c", "to": "du"}).status_code == 403


def test_a_post_is_granted_and_ended(desk: Any) -> None:
    browser = desk("peng")
    browser.get("/people/yi")
    answer = browser.post("/people/yi/grant", {"role": "leader", "unit": "wutongli", "since": "2026-11-23", "until": ""})
    assert answer.status_code == 302 and "leader@wutongli" in browser.get(answer.location).text
    again = browser.post("/people/yi/grant", {"role": "leader", "unit": "wutongli", "since": "yesterday", "until": "2027-01-01"})
    assert again.status_code == 422 and "不是日期" in again.text and 'value="2027-01-01"' in again.text  # what was typed is still there
    post = re.findall(r'name="post" value="([^"]+)"', browser.get("/people/yi").text)[0]
    assert browser.post("/people/yi/end", {"post": post}).status_code == 302
    assert "已到期" in browser.get("/people/yi").text


def test_a_leavers_work_is_moved_and_the_result_is_told(desk: Any) -> None:
    browser = desk("peng")
    siquan = browser.town.siquan
    case = siquan.open_case("approval", "he", "wutongli", {"amount": 9, "reason": "x"}).case
    siquan.act(case, "submit", "he")
    siquan.verb(case, "claim", "du")
    browser.get("/people/du")
    assert browser.post("/people/du/leave", {"on": "2026-11-01"}).status_code == 422
    assert browser.post("/people/du/leave", {"on": "2026-11-23"}).status_code == 302
    assert "AP-2026-0001" in browser.get("/people/du").text
    assert "要选转给谁" in browser.post("/people/du/move", {"case": case}).text
    assert "所选的人都不能办这一步" in browser.post("/people/du/move", {"case": case, "to": "yi"}).text
    done = browser.post("/people/du/move", {"case": case, "to": "he"})
    assert done.status_code == 200 and "转给he" in done.text and "没有只等他办的事" in done.text
    sound(done.text)


def test_one_names_and_cancels_ones_own_substitute(desk: Any) -> None:
    browser = desk("du")
    browser.get("/me/substitutes")
    wrong = browser.post("/me/substitutes", {"substitute": "du", "since": "2026-11-23", "until": "2026-11-24", "scope": "role:community", "reason": "学习"})
    assert wrong.status_code == 422 and "不能由本人代办" in wrong.text and 'value="学习"' in wrong.text
    assert browser.post("/me/substitutes", {"substitute": "yi", "since": "", "until": ""}).status_code == 422
    good = browser.post("/me/substitutes", {"substitute": "yi", "since": "2026-11-23", "until": "2026-11-24", "scope": "process:approval.approval"})
    assert good.status_code == 302 and "小额经费审批" in browser.get("/me/substitutes").text
    case = browser.town.siquan.open_case("approval", "he", "wutongli", {"amount": 9, "reason": "x"}).case
    browser.town.siquan.act(case, "submit", "he")
    other = desk("yi")
    assert "代du" in other.get("/inbox").text
    assert "代du" in other.get(f"/cases/{case}").text
    id = re.findall(r'name="substitution" value="([^"]+)"', browser.get("/me/substitutes").text)[0]
    assert browser.post("/me/substitutes/cancel", {"substitution": id}).status_code == 302
    assert "已撤销" in browser.get("/me/substitutes").text
    assert other.get(f"/cases/{case}").status_code == 403
