# ruff: noqa: E501 (sentences are kept whole)
"""Versions, migrations, repairs and the administrator's desk as people click through them, over the real service."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import secrets
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from siquan.core.plugins import discover
from siquan.core.service import Siquan
from siquan.core.store import audit
from siquan.core.store.database import Store
from siquan.core.testing.clock import FrozenClock
from siquan.web.app import create_app

APPROVAL = Path(__file__).parents[2] / "plugins" / "approval.yaml"
PASSWORD = "Demo-2026"
PEOPLE = [
    ("he", "何佳宁", "wutongli", "resident"), ("du", "杜若", "wutongli", "community"), ("shao", "邵启明", "yunxi", "district"),
    ("qin", "秦若川", "yunxi", "policy_author"), ("shen", "沈亦舟", "yunxi", "policy_approver"), ("xu", "徐琳", "yunxi", "admin"), ("pan", "潘越", "yunxi", "admin"),
]  # fmt: skip


def beside(name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def house(tmp_path: Path) -> Any:
    """(service over a changed process, sign_in, open cases of the version before)."""
    clock = FrozenClock(dt.date(2026, 11, 23))
    store = Store(f"sqlite:///{tmp_path / 'siquan.db'}", clock, lambda: secrets.token_hex(8))
    before = Siquan(store, discover(bundled=False, only=[APPROVAL]), clock)
    hashed = before._accounts.hash(PASSWORD)
    with store.begin() as tx:
        tx.people.add_unit("yunxi", "district", "云溪区")
        tx.people.add_unit("wutongli", "community", "梧桐里社区", "yunxi")
        for id, name, unit, role in PEOPLE:
            tx.people.add(name, unit_id=unit, login=id, password_hash=hashed, person_id=id)
            tx.people.grant(id, role, unit, dt.date(2026, 1, 1))
    cases = [before.open_case("approval", "he").case for _ in range(3)]
    for case in cases[:2]:
        before.act(case, "submit", "he", {"amount": 6000, "reason": "维修"})
    text = APPROVAL.read_text(encoding="utf-8").partition("cases:")[0]
    text = text.replace("  community:\n", "  audit:\n").replace("to: community}", "to: audit}").replace("not_same_as: community", "not_same_as: audit")
    file = tmp_path / "approval.yaml"
    file.write_text(text.replace("after: 3 workdays", "after: 8 workdays"), encoding="utf-8")
    siquan = Siquan(store, discover(bundled=False, only=[file]), clock)
    app = create_app(siquan, secret_key="k" * 32, instance_path=tmp_path)

    def sign_in(login: str) -> Any:
        browser = beside("fake_browser").Browser(app.test_client())
        browser.get("/sign-in")
        assert browser.post("/sign-in", {"login": login, "password": PASSWORD}).status_code == 302
        browser.get("/inbox")
        return browser

    yield siquan, sign_in, cases
    store.close()


def whole(browser: Any, url: str, status: int = 200) -> str:
    """A page that holds together, in both languages."""
    text = ""
    for lang in ("en", "zh"):
        browser.post("/preference", {"lang": lang, "back": "/inbox"})
        answer = browser.get(url)
        assert answer.status_code == status, (url, answer.status_code)
        text = str(answer.text)
        assert text.count("<h1") == 1 and "<script" not in text and "style=" not in text
        ids = re.findall(r'\bid="([^"]+)"', text)
        assert len(ids) == len(set(ids)), [i for i in ids if ids.count(i) > 1]
        for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", text, re.S):
            assert 'name="csrf_token"' in form
        for control in re.findall(r"<(?:input|select|textarea)\b[^>]*>", text):
            if 'type="hidden"' not in control and "aria-label=" not in control:
                name = re.search(r'\bid="([^"]+)"', control)
                assert name and f'for="{name.group(1)}"' in text, control
    return text


def test_a_migration_from_difference_to_undo(house: Any) -> None:
    siquan, sign_in, cases = house
    du, qin, shen = sign_in("du"), sign_in("qin"), sign_in("shen")
    page = whole(du, "/processes/approval.approval/versions")
    assert "社区审核 2" in page and "去掉状态“社区审核”" in page and "计划迁移" not in page
    assert 'href="/processes/approval.approval/versions"' in whole(du, "/processes/approval.approval")
    assert du.get("/processes/approval.approval/plan").status_code == 403
    page = whole(qin, "/processes/approval.approval/plan")
    assert "approval.approval:community=audit" in page and "提交计划，1 件" in page
    chosen = "/processes/approval.approval/plan?map=approval.approval:community=audit"
    page = whole(qin, chosen)
    assert "提交计划，3 件" in page and "2026-11-26 → 2026-12-03" in page
    tried = qin.post("/processes/approval.approval/plan", {"map": "approval.approval:community=audit"})
    assert tried.status_code == 200 and "试运行：3 件都能迁" in tried.text and siquan.case(cases[0], "du").state == "community"
    assert qin.get("/processes/approval.approval/plan?map=x").status_code == 422
    empty = qin.post("/processes/approval.approval/migrations", {"map": "approval.approval:community=audit", "reason": " "})
    assert empty.status_code == 422 and "请写明为什么迁移" in empty.text
    planned = qin.post("/processes/approval.approval/migrations", {"map": "approval.approval:community=audit", "reason": "改了名"})
    assert planned.status_code == 302
    home = planned.location
    assert "你计划的，要由另一个人确认" in whole(qin, home)
    assert qin.post(f"{home}/confirm", {}).status_code == 403
    assert "确认并迁移" in whole(shen, home)
    assert shen.post(f"{home}/confirm", {}).status_code == 302
    page = whole(shen, home)
    assert "已完成" in page and page.count("已迁移") >= 3 and siquan.case(cases[0], "du").state == "audit"
    assert "迁移到流程的新版本" in whole(du, f"/cases/{cases[0]}") and "改了名" in du.get(f"/cases/{cases[0]}").text
    assert shen.post(f"{home}/confirm", {}).status_code == 409
    siquan.act(cases[0], "pass", "du")
    assert shen.post(f"{home}/undo", {"reason": ""}).status_code == 422
    assert shen.post(f"{home}/undo", {"reason": "改回来"}).status_code == 302
    page = whole(shen, home)
    assert "迁移以后有人办过" in page and "已撤销" in page and siquan.case(cases[1], "du").state == "community"
    assert siquan.replay() == [] and siquan.audit_verify() == []


def test_the_desk_of_an_administrator(house: Any) -> None:
    siquan, sign_in, cases = house
    du, xu, pan = sign_in("du"), sign_in("xu"), sign_in("pan")
    for url in ("/admin", "/admin/incidents", "/admin/stuck", "/admin/roots", "/admin/roots/2026-11-23", f"/cases/{cases[0]}/repair"):
        assert du.get(url).status_code == 403, url
    assert "系统管理" not in du.get("/me").text and 'href="/admin"' in xu.get("/me").text
    with siquan.app.store.begin() as tx:
        for gone in ("du", "shao"):
            tx.people.change(gone, active=False)
        row = tx.incidents.add("deadline", "没有办成 <b>", {"name": "look"}, cases[1])
    siquan.app.clock.move(dt.date(2026, 11, 26))
    audit.seal(siquan.app.store)
    page = whole(xu, "/admin")
    assert "没有人能办" in page and "1 条没有处理" in page and "2026-11-23" in page
    page = whole(xu, "/admin/incidents")
    assert "没有办成 &lt;b&gt;" in page
    assert xu.post(f"/admin/incidents/{row.id}/close", {"note": ""}).status_code == 422
    assert xu.post(f"/admin/incidents/{row.id}/close", {"note": "补了人"}).status_code == 302
    assert "补了人" in whole(xu, "/admin/incidents?status=closed")
    assert "没有人能办" in whole(xu, "/admin/stuck")
    root = siquan.audit_root()
    assert root.root in whole(xu, "/admin/roots")
    assert f"--since {root.day} --root {root.root}" in whole(xu, f"/admin/roots/{root.day}")
    assert xu.get("/admin/roots/nonsense").status_code == 404
    home = f"/cases/{cases[0]}/repair"
    assert "这件事卡住了" in whole(xu, home)
    for fields in ({"to": "", "reason": "x"}, {"to": "draft", "reason": ""}, {"to": "approved", "reason": "x"}):
        assert xu.post(home, fields).status_code == 422
    assert xu.post(home, {"to": "draft", "reason": "经办离职，退回重来"}).status_code == 302
    page = whole(xu, home)
    assert "提出的人不能自己确认" in page and "确认修复" not in page.replace("提出的人不能自己确认", "")
    assert xu.post(f"{home}/confirm", {"repair": ""}).status_code == 409
    assert "等第二个人确认的修复" in whole(pan, "/admin")
    page = whole(pan, home)
    repair = re.findall(r'name="repair" value="([^"]+)"', page)[0]
    key = re.findall(r'name="key" value="([^"]+)"', page)[0]
    done = [pan.post(f"{home}/confirm", {"repair": repair, "key": key}).status_code for _ in range(2)]
    assert done == [302, 302], "a second click is the same act"
    assert siquan.case(cases[0], "he").state == "draft" and "经办离职，退回重来" in whole(sign_in("he"), f"/cases/{cases[0]}")
    assert siquan.replay() == []
