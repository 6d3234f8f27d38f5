# ruff: noqa: E501 (sentences are kept whole)
"""The pages over the real service and the smallest process: a whole approval by two people, seen from outside."""

from __future__ import annotations

import datetime as dt
import importlib.util
import itertools
import re
import secrets
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from siquan.core.plugins import discover
from siquan.core.service import Siquan
from siquan.core.store.database import Store
from siquan.web.app import create_app

APPROVAL = Path(__file__).parents[2] / "plugins" / "approval.yaml"
PASSWORD = "Demo-2026"


def beside(name: str) -> ModuleType:
    """A module of this folder; the test folders are no packages."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def siquan(tmp_path: Path) -> Siquan:
    ticks = itertools.count()
    start = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)

    def clock() -> dt.datetime:
        return start + dt.timedelta(seconds=next(ticks))

    store = Store(f"sqlite:///{tmp_path / 'siquan.db'}", clock, lambda: secrets.token_hex(8))
    made = Siquan(store, discover(bundled=False, only=[APPROVAL]), clock)
    hashed = made._accounts.hash(PASSWORD)
    with store.begin() as tx:
        tx.people.add_unit("yunxi", "district", "云溪区")
        tx.people.add_unit("wutongli", "community", "梧桐里社区", "yunxi")
        people = [
            ("he", "何佳宁", "wutongli", "resident"),
            ("du", "杜若", "wutongli", "community"),
            ("shao", "邵启明", "yunxi", "district"),
            ("qin", "秦若川", "yunxi", ""),
        ]
        for id, name, unit, role in people:
            tx.people.add(name, unit_id=unit, login=id, password_hash=hashed, person_id=id)
            if role:
                tx.people.grant(id, role, unit, dt.date(2026, 1, 1))
    return made


@pytest.fixture
def desk(siquan: Siquan, tmp_path: Path) -> Any:
    app = create_app(siquan, secret_key="k" * 32, instance_path=tmp_path)

    def sign_in(login: str) -> Any:
        browser = beside("fake_browser").Browser(app.test_client())
        browser.get("/sign-in")
        assert browser.post("/sign-in", {"login": login, "password": PASSWORD}).status_code == 302
        browser.get("/inbox")
        return browser

    return sign_in


def step(browser: Any, url: str, **fields: str) -> Any:
    """Fill in, check and submit a step as a person does."""
    browser.get(url)
    stamp = {"key": browser.hidden("key"), "revision": browser.hidden("revision")}
    checked = browser.post(url, {**stamp, **fields, "step": "check"})
    assert checked.status_code == 200, checked.text
    data = {**stamp, **fields, "step": "submit", "wire": browser.hidden("wire")}
    done = browser.post(url, data)
    again = browser.post(url, data)
    assert again.status_code == done.status_code, "a second click is the same act"
    return done


def opened(browser: Any) -> str:
    browser.get("/processes/approval.approval/open")
    data = {"key": browser.hidden("key"), "place": "wutongli"}
    first, second = (browser.post("/processes/approval.approval/open", data) for _ in range(2))
    assert first.status_code == second.status_code == 302 and first.location == second.location
    return str(first.location)


def test_an_approval_from_draft_to_the_district(desk: Any, siquan: Siquan) -> None:
    he, du, shao = desk("he"), desk("du"), desk("shao")
    case = opened(he)
    assert "下一步：轮到你" in he.get(case).text
    page = du.get(case).text
    assert "非本岗位" in page and "何佳宁" in page

    bad = he.get(f"{case}/steps/submit")
    bad = he.post(f"{case}/steps/submit", {"step": "check", "fact.amount": "很多", "key": "k"})
    assert bad.status_code == 422 and 'value="很多"' in bad.text and "有 2 处要改" in bad.text

    assert (
        step(he, f"{case}/steps/submit", **{"fact.amount": "6000", "fact.reason": "维修"}).status_code == 302
    )
    assert "AP-2026-0001" in du.get("/inbox").text
    done = step(du, f"{case}/steps/pass", opinion="同意")
    assert done.status_code == 302
    page = du.get(case).text
    assert "区级确认" in page and "超过5000元" in page.replace(" ", "") or "看逐条解释" in page
    decision = re.findall(r'href="(/decisions/[^"]+)"', page)[0]
    explained = du.get(decision).text
    assert "L1" in explained and "5000" in explained and "本地设定" in explained

    assert step(shao, f"{case}/steps/reject", opinion="先做预算").status_code == 302
    page = shao.get(case).text
    assert "已办结" in page and "先做预算" in page and "首尾相符" in page
    assert siquan.audit_verify(case.rpartition("/")[2]) == []


def test_a_stale_form_keeps_the_input_and_says_what_changed(desk: Any) -> None:
    he = desk("he")
    case = opened(he)
    url = f"{case}/steps/submit"
    he.get(url)
    fields = {"fact.amount": "4000", "fact.reason": "旧的理由"}
    data = {"key": he.hidden("key"), "revision": he.hidden("revision"), "step": "check", **fields}
    he.post(url, data)
    data |= {"step": "submit", "wire": he.hidden("wire")}
    other = desk("he")
    other.get(f"{case}/facts")
    supplied = {"key": "other", "revision": other.hidden("revision"), "fact.reason": "新的理由"}
    assert other.post(f"{case}/facts", supplied).status_code == 302
    stale = he.post(url, data)
    assert stale.status_code == 409
    assert "旧的理由" in stale.text and 'name="fact.amount" value="4000"' in stale.text
    fresh = {**data, **{k: he.hidden(k) for k in ("wire", "revision", "key")}}
    assert he.post(url, fresh).status_code == 302


def test_others_cannot_look_or_act(desk: Any) -> None:
    he, qin = desk("he"), desk("qin")
    case = opened(he)
    assert qin.get(case).status_code == 403
    assert qin.get(f"{case}/steps/submit").status_code == 403
    for url in ("/cases/forged", f"{case}/children/forged", f"{case}/sheets/forged", "/decisions/forged"):
        assert he.get(url).status_code == 404, url
    assert he.get(f"{case}/steps/forged").status_code in (404, 422)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_of_the_real_service(desk: Any, siquan: Siquan, lang: str) -> None:
    he = desk("he")
    case = opened(he)
    siquan.set_preference("he", lang=lang)
    pages = [
        "/inbox",
        *(f"/inbox?tab={t}" for t in ("unit", "soon", "started", "done")),
        "/inbox?q=AP",
        "/inbox?due=over",
    ]
    pages += [
        case,
        f"{case}/steps/submit",
        f"{case}/facts",
        f"{case}/recuse",
        "/processes",
        "/processes/approval.approval",
    ]
    for url in [*pages, "/processes/approval.approval.svg", "/me", "/-/plugins"]:
        answer = he.get(url)
        assert answer.status_code == 200, url
        assert "style=" not in answer.text and "<script" not in answer.text, url


def test_an_erased_decision_keeps_its_page(desk: Any, siquan: Siquan) -> None:
    he, du = desk("he"), desk("du")
    case = opened(he)
    step(he, f"{case}/steps/submit", **{"fact.amount": "6000", "fact.reason": "维修"})
    step(du, f"{case}/steps/pass", opinion="同意")
    decision = re.findall(r'href="(/decisions/[^"]+)"', du.get(case).text)[0]
    assert "6000" in du.get(decision).text
    with siquan.app.store.begin() as tx:
        tx.facts.erase(case.rpartition("/")[2])
        tx.decisions.erase(case.rpartition("/")[2])
    page = du.get(decision)
    assert page.status_code == 200 and "6000" not in page.text and "已依法删除" in page.text
    assert du.get(case).status_code == 200
