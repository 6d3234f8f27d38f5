"""Tasks in the pages and the API, over the real service: the box of a case, the form of each verb, and broken posts."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from siquan.core.tasks.task import VERBS, signatures
from siquan.web.app import create_app

RELAY = Path(__file__).with_name("relay.yaml")
PASSWORD = "Demo-2026"
PEOPLE = (
    ("jia", "wutongli", "clerk"), ("yi", "wutongli", "clerk"), ("ban", "wutongli", "leader"), ("pai", "guixiang", "sender"), ("jing", "guixiang", "police"),
    ("zhou", "xiaoqiaotou", "clerk"),
)  # fmt: skip


def beside(name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def town(sqlite_url: str, load_plugins: Callable[..., Any], make_town: Callable[..., Any]) -> Any:
    made = make_town(sqlite_url, load_plugins(RELAY))
    made.settle(PEOPLE)
    hashed = made.siquan._accounts.hash(PASSWORD)
    with made.store.begin() as tx:
        for login, _unit, _roles in PEOPLE:
            tx.people.change(login, password_hash=hashed)
    yield made
    made.whole()


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


def opened(town: Any, step: str) -> str:
    case = town.siquan.open_case("relay", "jia", facts={"what": "井盖", "cost": 10}).case
    town.siquan.act(case, step, "jia")
    return str(case)


def tasks(town: Any, case: str) -> Any:
    with town.store.read() as tx:
        return town.siquan.app.stories.of(tx, tx.cases.get(case)).tasks


def form(browser: Any, url: str) -> dict[str, str]:
    assert browser.get(url).status_code == 200
    out = {"key": browser.hidden("key"), "revision": browser.hidden("revision")}
    return out | ({"task": browser.hidden("task")} if browser.hidden("task") else {})


def choices(browser: Any, name: str = "choice") -> list[str]:
    return re.findall(rf'name="{name}" [^>]*value="([^"]+)"', browser.page)


def test_work_is_claimed_and_handed_on_in_the_pages(town: Any, desk: Any) -> None:
    case, jia = opened(town, "to_desk"), desk("jia")
    page = jia.get(f"/cases/{case}").text
    assert f"/cases/{case}/verbs/claim" in page and f"/cases/{case}/verbs/dispatch" not in page and f"/cases/{case}/verbs/sign" not in page
    url = f"/cases/{case}/verbs/claim"
    data = form(jia, url)
    assert jia.post(url, data).status_code == 302
    assert jia.post(url, data).status_code == 302 and len([e for e in town.events(case) if e.kind == "task"]) == 1  # a second click
    assert "已签收" in jia.get(f"/cases/{case}").text
    url = f"/cases/{case}/verbs/transfer"
    data = form(jia, url)
    assert choices(jia) == ["yi"]
    assert jia.post(url, data).status_code == 422 and "给谁" in jia.page
    data = {**data, "key": jia.hidden("key")}
    for to in ("nobody", "pai", "jia", "x" * 300):
        assert jia.post(url, {**data, "choice": to, "opinion": "出差", "key": jia.hidden("key")}).status_code in (404, 422)
    data["key"] = form(jia, url)["key"]
    assert jia.post(url, {**data, "choice": "yi", "opinion": "出差"}).status_code == 302
    assert next(iter(tasks(town, case).values())).person == "yi"
    assert "出差" in desk("yi").get(f"/cases/{case}").text


def test_a_refused_form_keeps_what_was_written(town: Any, desk: Any) -> None:
    case, pai = opened(town, "to_sent"), desk("pai")
    url = f"/cases/{case}/verbs/dispatch"
    data = form(pai, url)
    assert set(choices(pai)) == {"jia", "yi", "jing"} and {"ban", "jia", "yi", "jing"} <= set(choices(pai, "helper"))
    town.siquan.supply(case, "jia", {"cost": 11})
    late = pai.post(url, {**data, "choice": "yi", "helper": ["jia"], "opinion": "先去看看"})
    assert late.status_code == 409 and "先去看看" in pai.page and re.search(r'value="jia" checked', pai.page)
    again = {"key": pai.hidden("key"), "revision": pai.hidden("revision"), "task": pai.hidden("task"), "choice": "yi", "helper": ["jia"]}
    assert pai.post(url, again).status_code == 302
    assert [(t.kind, t.person) for t in tasks(town, case).values()] == [("work", "yi"), ("assist", "jia")]
    yi = desk("yi")
    url = f"/cases/{case}/verbs/decline"
    data = form(yi, url)
    assert yi.post(url, {**data, "reason": "ours_not"}).status_code == 422
    assert yi.post(url, {**data, "reason": "ours_not", "opinion": "属水务", "key": yi.hidden("key")}).status_code == 302
    assert "退单，待派" in desk("pai").get(f"/cases/{case}").text


def test_signing_in_the_pages(town: Any, desk: Any) -> None:
    case, yi = opened(town, "to_all"), desk("yi")
    page = yi.get(f"/cases/{case}").text
    assert "2 人中 0 人已签" in page and f"/cases/{case}/steps/yes_all" not in page
    url = f"/cases/{case}/verbs/sign"
    data = form(yi, url)
    assert choices(yi) == ["agree", "refuse"]
    for body in ({}, {"choice": "perhaps"}, {"choice": "refuse"}, {"choice": "refuse", "reason": "bad"}):
        assert yi.post(url, {**data, **body, "key": yi.hidden("key") or data["key"]}).status_code == 422
    assert [t.result for t in signatures(tasks(town, case))] == ["", ""]
    data["key"] = form(yi, url)["key"]
    assert yi.post(url, {**data, "choice": "agree"}).status_code == 302
    assert yi.get(url).status_code == 422  # once
    pai = desk("pai")
    url = f"/cases/{case}/verbs/remove_signer"
    assert pai.get(url).status_code == 422  # to remove jia would decide
    url = f"/cases/{case}/verbs/add_signer"
    data = form(pai, url)
    assert "yi" not in choices(pai) and "ban" in choices(pai)
    assert pai.post(url, {**data, "choice": "ban"}).status_code == 302
    url = f"/cases/{case}/verbs/remove_signer"
    data = form(pai, url)
    keys = choices(pai, "task")
    assert len(keys) == 2
    data.pop("task", None)
    assert pai.post(url, data).status_code == 422  # whom
    assert pai.post(url, {**data, "task": keys[0], "key": pai.hidden("key")}).status_code == 302


def test_broken_posts_change_nothing(town: Any, desk: Any) -> None:
    case, jia = opened(town, "to_desk"), desk("jia")
    events = town.events(case)
    form(jia, f"/cases/{case}/verbs/claim")
    for body in (
        {"task": "99.1"}, {"task": "x" * 500}, {"task": "\0"}, {"revision": "1"},
        {"opinion": "长" * 5000}, {"csrf_token": "forged"},
    ):  # fmt: skip
        answer = jia.post(f"/cases/{case}/verbs/claim", {"key": "k", "revision": "", **body})
        assert 400 <= answer.status_code < 500, (body, answer.status_code)
        assert town.events(case) == events, body
    for verb in (*VERBS, "explode", "claim%00"):
        assert jia.get(f"/cases/{case}/verbs/{verb}?task=99.1").status_code in (404, 422)
    assert jia.get("/cases/none/verbs/claim").status_code == 404


def test_strangers_get_nothing(town: Any, desk: Any) -> None:
    zhou = desk("zhou")
    for step in ("to_desk", "to_sent", "to_all"):
        case = opened(town, step)
        events = town.events(case)
        for verb in VERBS:
            assert zhou.get(f"/cases/{case}/verbs/{verb}").status_code == 403
            assert zhou.post(f"/cases/{case}/verbs/{verb}", {"key": verb, "choice": "agree", "opinion": "x"}).status_code == 403
        assert town.events(case) == events


def test_the_same_through_the_api(town: Any, desk: Any) -> None:
    jia = desk("jia")
    token = {"X-CSRFToken": jia.client.get("/api/v1/me").json["csrf_token"]}

    def post(case: str, body: Any) -> Any:
        return jia.client.post(f"/api/v1/cases/{case}/verbs", json=body, headers=token)

    case = opened(town, "to_desk")
    first = post(case, {"verb": "claim", "key": "a"})
    assert first.status_code == 201 and post(case, {"verb": "claim", "key": "a"}).json["repeated"]
    assert post(case, {"verb": "release", "revision": 1}).status_code == 409
    refused = post(case, {"verb": "claim"})
    assert (refused.status_code, refused.json["error"]) == (422, "SQ412")
    assert post(case, {"verb": "delegate", "to": "pai"}).status_code == 201
    assert post(case, {"verb": "recall"}).status_code == 201
    vote = opened(town, "to_all")
    for body in (
        {"verb": "sign"}, {"verb": "sign", "result": "perhaps"}, {"verb": "sign", "result": True}, {"verb": "sign", "result": ["agree"]},
        {"verb": "sign", "result": "refuse", "reason": "bad"}, {"verb": "add_signer", "to": 5}, {"verb": "add_signer", "to": "ban", "before": "yes"},
        {"verb": "sign", "result": "agree", "task": 1}, {"verb": "dispatch", "to": "yi"}, {"verb": "remove_signer"},
    ):  # fmt: skip
        assert post(vote, body).status_code in (400, 422), body
    assert post(vote, {"verb": "sign", "result": "agree", "task": "99.9"}).status_code == 404
    assert [t.result for t in signatures(tasks(town, vote))] == ["", ""]
    assert post(vote, {"verb": "sign", "result": "agree"}).status_code == 201
    assert post(vote, {"verb": "sign", "result": "agree"}).status_code == 422
    bulk = jia.client.post("/api/v1/bulk", json={"cases": [vote, opened(town, "to_all")], "action": "sign", "result": "agree", "key": "b"}, headers=token)
    assert [x["outcome"] for x in bulk.json["lines"]] == ["refused", "done"]


def test_many_are_signed_from_the_inbox(town: Any, desk: Any) -> None:
    one, two, yi = opened(town, "to_all"), opened(town, "to_all"), desk("yi")
    yi.get(f"/bulk?case={one}&case={two}")
    assert 'value="sign"' in yi.page
    revisions = re.findall(r'name="revision" value="(\d+)"', yi.page)
    done = yi.post("/bulk", {"key": yi.hidden("key"), "case": [one, two], "revision": revisions, "action": "sign"})
    assert done.status_code == 302
    assert [[t.result for t in signatures(tasks(town, c))].count("agree") for c in (one, two)] == [1, 1]
    assert "办成 2 件" in yi.get(done.headers["Location"]).text
