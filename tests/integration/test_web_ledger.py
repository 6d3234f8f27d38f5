"""The pages of accounts over the real service: seen by owner, keeper and stranger, in both languages, without a script."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from siquan.core.plugins import Catalogue
from siquan.core.service.account_access import every_kind
from siquan.core.service.balances import Owner
from siquan.core.service.desk import Desk
from siquan.web.app import create_app

VOLUNTEERS = Path(__file__).parents[2] / "plugins" / "volunteer_points"
PASSWORD = "Demo-2026"
PEOPLE = (("何佳宁", "he", "clerk"), ("陈玉", "chen", "points_admin"), ("汪海棠", "wang", "points_admin"), ("王月", "vol", ""), ("周航", "zhou", ""))


def browser_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fake_browser", Path(__file__).parent / "fake_browser.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def town(sqlite_url: str, load_plugins: Callable[..., Catalogue], make_town: Callable[..., Any]) -> Any:
    made = make_town(sqlite_url, load_plugins(VOLUNTEERS))
    hashed = made.siquan._accounts.hash(PASSWORD)
    with made.store.begin() as tx:
        for name, login, role in PEOPLE:
            tx.people.add(name, unit_id="wutongli", login=login, person_id=login, password_hash=hashed)
            if role:
                tx.people.grant(login, role, "wutongli", dt.date(2020, 1, 1))
        desk, kinds = Desk(tx, made.siquan.app.today()), every_kind(made.siquan.app)
        for kind, owner, title, n in (("points", "person/vol", "王月", 50), ("stock.towel", "unit/wutongli", "梧桐里社区", 4)):
            account = desk.open(kinds[f"volunteer_points.{kind}"], Owner(owner, title, "wutongli"))
            desk.do(account, account.sheet.post(n, "issued", dt.date(2028, 1, 1)), actor="he", because="VP-01")
    return made


@pytest.fixture
def desk(town: Any, tmp_path: Path) -> Callable[[str], Any]:
    app = create_app(town.siquan, secret_key="k" * 32, instance_path=tmp_path)

    def sign_in(login: str) -> Any:
        browser = browser_module().Browser(app.test_client())
        browser.get("/sign-in")
        assert browser.post("/sign-in", {"login": login, "password": PASSWORD}).status_code == 302
        return browser

    return sign_in


def points(town: Any) -> str:
    with town.store.read() as tx:
        return str(tx.ledger.find("volunteer_points.points", "person/vol").id)


def test_an_owner_sees_his_own_and_nothing_else(town: Any, desk: Callable[[str], Any]) -> None:
    browser, url = desk("vol"), f"/accounts/{points(town)}"
    text = browser.get("/accounts").text
    assert "我的账户" in text and "我管的账户" not in text and "兑换目录" not in text
    text = browser.get(url).text
    assert "+50" in text and "冲正…" not in text and "2028-01-01" in text
    assert browser.get(f"{url}/statement.xlsx").data[:2] == b"PK"
    assert desk("zhou").get(url).status_code == 403 and desk("zhou").get(f"{url}/statement.xlsx").status_code == 403
    assert browser.get("/accounts/reconciliation").status_code == 403
    assert browser.get(f"{url}?period=2026-99").status_code == 400 and browser.get("/accounts/x").status_code == 404


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_in_both_languages(town: Any, desk: Callable[[str], Any], lang: str) -> None:
    town.siquan.set_preference("chen", lang=lang)
    browser, url = desk("chen"), f"/accounts/{points(town)}"
    for page in ("/accounts", url, f"{url}?entry=1", "/accounts/catalogue", "/accounts/reconciliation"):
        text = browser.get(page).text
        assert text.count("<h1") == 1 and "<script" not in text and 'style="' not in text
        ids = re.findall(r'\bid="([^"]+)"', text)
        assert len(ids) == len(set(ids))
        for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", text, re.S):
            assert 'name="csrf_token"' in form
        if lang == "en":
            assert not {"账户", "余额", "冲正", "对账"} & set(re.findall(r"[一-鿿]+", text))


def test_two_keepers_reverse_an_entry(town: Any, desk: Callable[[str], Any]) -> None:
    first, second, url = desk("chen"), desk("wang"), f"/accounts/{points(town)}"
    first.get(f"{url}?entry=1")
    answer = first.post(f"{url}/reverse", {"entry": "1", "reason": "", "key": first.hidden("key")})
    assert answer.status_code == 422 and "写明理由" in answer.text
    assert first.post(f"{url}/reverse", {"entry": "1", "reason": "签退录错", "key": first.hidden("key")}).status_code == 302
    text = first.get(url).text
    assert "冲正等复核" in text and "同意冲正" not in text
    second.get("/accounts")
    link = re.search(r'action="(/accounts/reversals/[^"]+)"', second.page)
    assert link
    assert second.post(link[1], {"agree": "yes", "account": points(town)}).status_code == 302
    text = second.get(url).text
    assert "已由第 2 笔冲正" in text and "签退录错" in text and "-50" in text
    assert second.post(link[1], {"agree": "yes", "account": points(town)}).status_code in (302, 422)
    town.whole()


def test_a_clerk_orders_and_what_was_typed_is_kept(town: Any, desk: Callable[[str], Any]) -> None:
    clerk = desk("he")
    clerk.get("/accounts/catalogue")
    form = {"process": "volunteer_points.redemption", "place": "wutongli", "owner": "vol", "gift": "towel", "quantity": "9"}
    answer = clerk.post("/accounts/catalogue", {**form, "key": "one"})
    assert answer.status_code == 422 and "需要 135分" in answer.text and 'value="9"' in answer.text
    assert clerk.post("/accounts/catalogue", {**form, "quantity": ""}).status_code == 422
    assert clerk.post("/accounts/catalogue", {**form, "quantity": "很多"}).status_code == 422
    done = clerk.post("/accounts/catalogue", {**form, "quantity": "2", "key": "two"})
    assert done.status_code == 302
    assert clerk.post("/accounts/catalogue", {**form, "quantity": "2", "key": "two"}).location == done.location
    assert "待领取" in clerk.get(done.location).text
    assert "(30)" in clerk.get(f"/accounts/{points(town)}").text
    admin = desk("chen")
    assert "不办这一步" in admin.get("/accounts/catalogue").text
    assert admin.post("/accounts/catalogue", {**form, "quantity": "1"}).status_code == 403


def test_reconciling_from_the_page(town: Any, desk: Callable[[str], Any]) -> None:
    browser = desk("chen")
    browser.get("/accounts/reconciliation")
    assert browser.post("/accounts/reconciliation", {}).status_code == 302
    text = browser.get("/accounts/reconciliation").text
    assert "账目相符" in text and text.count("相符") >= 3
