"""The pages of time over the real service: supervision, a deadline day by day, obligations, publishing a year."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from siquan.web.app import create_app

D = dt.date
PASSWORD = "Demo-2026"
BODY = """
process: body
title: 常设机构
pin: none
roles: {community: 社区, street: 街道@street}
obligations:
  monthly: {title: 每月报告, every: month, act: report, warn: 5 days, make_up: 20 days, by: community, basis: POLICY, cite: S0}
states:
  active:
    title: 在任
    due: {title: 交材料, after: 30 workdays, remind: 3 workdays, escalate: [{after: 1 workday, to: street}], basis: LOCAL, cite: 本地设定}
    report: {title: 报告, by: community, to: same}
    end: {title: 结束, by: community, to: over}
  over: {title: 结束, final: true}
"""


def beside(name: str) -> ModuleType:
    """A module of this folder; the test folders are no packages."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def town(sqlite_url: str, write_plugin: Any, make_town: Any) -> Any:
    made = make_town(sqlite_url, write_plugin("body", BODY), D(2026, 10, 15))
    made.settle([("du", "wutongli", "community"), ("gao", "guixiang", "street"), ("fang", "yunxi", "admin")])
    hashed = made.siquan._accounts.hash(PASSWORD)
    with made.store.begin() as tx:
        for login in ("du", "gao", "fang"):
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


def sound(text: str) -> None:
    assert "<script" not in text and "style=" not in text and text.count("<h1") == 1
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    for control in re.findall(r"<(?:input|select|textarea)\b[^>]*>", text):
        if 'type="hidden"' not in control and "aria-label=" not in control:
            name = re.search(r'\bid="([^"]+)"', control)
            assert name and f'for="{name.group(1)}"' in text, control


@pytest.fixture
def case(town: Any) -> str:
    made: str = town.siquan.open_case("body", "du").case
    for day in (D(2026, 11, 1), D(2026, 11, 27), D(2026, 12, 1)):
        town.clock.move(day)
        town.siquan.sweep()
    return made


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_supervision(town: Any, desk: Any, case: str, lang: str) -> None:
    town.siquan.set_preference("gao", lang=lang)
    browser = desk("gao")
    page = browser.get("/overdue").text
    sound(page)
    assert "常设机构" in page and ("红灯" if lang == "zh" else "Red") in page
    assert ("督办 1 级" if lang == "zh" else "supervision level 1") in page and ("未履行" if lang == "zh" else "missed") in page
    assert f"/cases/{case}/deadlines/" in page
    assert "du" in page, "who could act"
    assert ("没有要催的期限" if lang == "zh" else "Nothing to press for") in browser.get("/overdue?unit=xiaoqiaotou").text
    assert browser.get("/overdue?unit=nowhere").status_code == 404
    assert browser.get("/overdue?lamp=green").status_code == 200


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_deadline_day_by_day(town: Any, desk: Any, case: str, lang: str) -> None:
    town.siquan.set_preference("gao", lang=lang)
    browser = desk("gao")
    row = town.deadlines(case)[0]
    page = browser.get(f"/cases/{case}/deadlines/{row.id}").text
    sound(page)
    assert page.count("<li class=") >= (row.end_date - row.start).days and "…" not in re.sub(r"placeholder=\S+", "", page.split('id="main"')[1].split("sq-foot")[0])
    assert ("第 3 版" if lang == "zh" else "version 3") in page and "国办发明电" in page
    assert browser.get(f"/cases/wrong/deadlines/{row.id}").location.endswith(f"/cases/{case}/deadlines/{row.id}")
    assert browser.get(f"/cases/{case}/deadlines/none").status_code == 404
    assert desk("fang").get(f"/cases/{case}/deadlines/{row.id}").status_code == 403


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_case_shows_its_periods(town: Any, desk: Any, case: str, lang: str) -> None:
    town.siquan.set_preference("du", lang=lang)
    page = desk("du").get(f"/cases/{case}").text
    sound(page)
    assert 'class="missed"' in page and 'class="open"' in page and "2026年11月" in page if lang == "zh" else "2026-11" in page
    assert ("日历第 3 版" if lang == "zh" else "calendar version 3") in page
    if lang == "zh":
        assert "督办第 1 级：交材料，通知 1 人" in page and "每月报告 2026年11月：未履行" in page


def form(text: str, **changes: Any) -> dict[str, Any]:
    """What a browser would send back of the form, with some of it changed."""
    body = text.split("<form method=\"post\" class=\"stack\">")[1]
    inputs = re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', body)
    # dates have their type before their name
    out: dict[str, Any] = {}
    for name, value in inputs:
        out.setdefault(name, []).append(value)
    out = {k: v if k in ("name", "from", "to") else v[0] for k, v in out.items() if k != "csrf_token"}
    area = re.search(r"<textarea[^>]*>([^<]*)</textarea>", body)
    out["workdays"] = area.group(1) if area else ""
    return {**out, **changes}


def test_an_administrator_publishes_a_year(town: Any, desk: Any, case: str) -> None:
    other = town.siquan.open_case("body", "du").case
    browser = desk("fang")
    page = browser.get("/calendar?year=2027").text
    sound(page)
    assert "还没有公布" in page and "公布…" in page
    page = browser.get("/calendar/2027/edit").text
    sound(page)
    assert "软件包" in page and 'value="春节"' in page
    data = form(page, source="通知", workdays="2027-01-30、2027-02-20", step="check")
    bad = browser.post("/calendar/2027/edit", {**data, "source": ""})
    assert bad.status_code == 422 and "没有写来源" in bad.text and 'value="春节"' in bad.text, "nothing typed is lost"
    bad = browser.post("/calendar/2027/edit", {**data, "workdays": "2027-01-30 2027-01-30"})
    assert bad.status_code == 422 and "写了两次" in bad.text
    page = browser.post("/calendar/2027/edit", data).text
    sound(page)
    assert "公布以后" in page and town.case(other).number in page, "which deadlines would move"
    assert not town.siquan.calendar_year(2027, "fang").published
    data = form(page, step="publish")
    answer = browser.post("/calendar/2027/edit", data)
    assert answer.status_code == 302
    page = browser.get(answer.location).text
    sound(page)
    assert "已公布 2027 年放假安排，日历第 4 版" in page and "春节" in page and 'class="makeup"' in page
    again = browser.post("/calendar/2027/edit", {**data, "key": "other"})
    assert again.status_code == 409 and "又公布过" in again.text
    assert "更正 2027 年" in browser.get("/calendar/2027/edit").text
    assert "期限重算" in desk("du").get(f"/cases/{other}").text


def test_others_may_look_and_not_publish(desk: Any, town: Any) -> None:
    browser = desk("du")
    page = browser.get("/calendar").text
    assert "更正…" not in page and "2026 年日历" in page
    page = browser.get("/calendar/2027/edit").text
    assert browser.post("/calendar/2027/edit", form(page, source="通知", step="publish")).status_code == 403
    assert not town.siquan.calendar_year(2027, "fang").published
    for odd in ("/calendar?year=abc", "/calendar?year=０２６", "/calendar?year=2027"):
        assert browser.get(odd).status_code == 200
    assert browser.get("/calendar?year=0001").status_code in (400, 422) and browser.get("/calendar/99999/edit").status_code in (400, 422)
