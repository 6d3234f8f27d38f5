# ruff: noqa: E501 (sentences are kept whole)
"""No page and no act of a case answers without access. Generated over every method of the service that takes a case, and
every route with a case in its address: a new one is tried the day it is added, and one this file cannot call fails."""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib.util
import inspect
import io
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from siquan.core.errors import NoAccess, SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.service import Siquan
from siquan.core.service.verbdesk import EVERY
from siquan.web.app import create_app

TODAY = dt.date(2026, 11, 23)
CLUB = """
process: club
title: 活动
roles: {resident: 申请人, community: 社区经办}
facts:
  what: {title: 内容, type: text, by: resident}
  members: {title: 成员, type: list, collection: true, key: name, fields: {name: {title: 姓名, type: text}}}
excel: {members: {sheet: 成员, key: name, columns: {姓名: name}}}
rules:
  good: {title: 可行, list: [{id: G1, title: 内容, when: 'what = "no"', outcome: BLOCK, basis: LOCAL, cite: 本地, say: 不行}]}
states:
  draft: {title: 起草, due: {after: 5 days}, do: {submit: {title: 提交, by: resident, needs: [what], check: [good], to: open}, add: {title: 加一项, by: resident, opens: item, to: same}}}
  open: {title: 办理, by: community, do: {close: {title: 办结, to: done}}}
  done: {title: 办结, final: true}
"""
ITEM = """
process: item
title: 一项
child_of: {process: club, as: items}
roles: {resident: 申请人}
facts: {name: {title: 名称, type: text, by: resident}}
opening: [name]
states: {new: {title: 新, finish: {title: 完成, by: resident, to: done}}, done: {title: 完, final: true}}
"""
OTHER = """
process: other
title: 另一件
roles: {inspector: 巡查}
facts: {note: {title: 说明, type: text, by: inspector}}
states: {a: {title: 甲, go: {title: 走, by: inspector, needs: [note], to: b}}, b: {title: 乙, final: true}}
"""
#: who has no business in the case; the sight of a place comes with any post there
STRANGERS = ("far", "farup", "policy", "admin", "bare", "lent", "ended", "nobody")
#: a right of their own: the policy team takes open cases to new rules, on record
OWN_RIGHT = {("migrate_case", "policy"), ("propose_repair", "admin"), ("repair", "admin"), ("repair_form", "admin")}
#: the operator's, for the machine itself: no page calls them (checked below)
OPERATOR = {"case_id", "replay", "replay_each", "obligations", "audit_verify", "audit_head"}


def beside(name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@dataclasses.dataclass
class World:
    town: Any
    case: str
    child: str
    decision: str
    deadline: str

    @property
    def siquan(self) -> Siquan:
        made: Siquan = self.town.siquan
        return made

    def rows(self) -> list[Any]:
        with self.town.store.read() as tx:
            return [tx.cases.get(c) for c in (self.case, self.child)] + [tx.events.count(c) for c in (self.case, self.child)]


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path, make_town: Callable[..., Any], load_plugins: Callable[..., Catalogue]) -> World:
    folder = tmp_path / "club"
    (folder / "workflows").mkdir(parents=True)
    (folder / "plugin.yaml").write_text("plugin: club\ntitle: 活动\n", encoding="utf-8")
    for name, text in (("club", CLUB), ("item", ITEM), ("other", OTHER)):
        (folder / "workflows" / f"{name}.yaml").write_text(text, encoding="utf-8")
    town = make_town(sqlite_url, load_plugins(folder))
    town.settle(
        [
            ("he", "wutongli", "resident"), ("du", "wutongli", "community"), ("far", "xiaoqiaotou", "resident community inspector leader"),
            ("farup", "liuan", "community resident"), ("policy", "yunxi", "policy_author policy_approver"), ("admin", "yunxi", "admin"),
            ("bare", "wutongli", ""), ("lent", "wutongli", ""), ("ended", "wutongli", "resident"), ("inspector", "wutongli", "inspector"),
            ("inspector2", "xiaoqiaotou", "inspector"),
        ]
    )  # fmt: skip
    with town.store.begin() as tx:
        for g in tx.people.grants("ended"):
            tx.people.end_grant(g.id, TODAY - dt.timedelta(days=1))
        # a member of a group that the process does not name
        tx.people.grant("bare", "group:elsewhere", "wutongli", TODAY)
    # stands in for somebody, in another process only
    town.siquan.substitute("du", "lent", TODAY, TODAY, "du", processes=["club.other"])
    case = town.siquan.open_case("club.club", "he", "wutongli").case
    child = town.siquan.add_child(case, "items", "he", {"name": "一"}).case
    with pytest.raises(SiquanError):
        town.siquan.act(case, "submit", "he", {"what": "no"})
    with town.store.read() as tx:
        decision, deadline = tx.decisions.of(case)[0].id, tx.deadlines.of(case)[0].id
    return World(town, case, child, decision, deadline)


def methods() -> dict[str, inspect.Signature]:
    """Everything of the service that takes a case or what hangs on one."""
    found = {n: inspect.signature(f) for n, f in inspect.getmembers(Siquan, inspect.isfunction) if not n.startswith("_")}
    return {n: s for n, s in found.items() if {"case_id", "decision_id"} & set(s.parameters)}


def arguments(world: World, signature: inspect.Signature, case: str, person: str) -> dict[str, Any]:
    """What a caller would send: right in everything but the person."""
    known: dict[str, Any] = {
        "case_id": case, "person": person, "by": person, "actor": person, "decision_id": world.decision, "facts": {}, "lang": "zh",
        "transition": "submit" if case == world.case else "finish", "target": "members", "filename": "表.xlsx", "data": b"x",
        "reason": "理由", "opinion": "意见", "version": "none", "given": None, "verb": "urge",
        "to": "open" if case == world.case else "new",
    }  # fmt: skip
    known["name"] = "items"
    out = {}
    for name, parameter in list(signature.parameters.items())[1:]:
        if name in known:
            out[name] = known[name]
        else:
            assert parameter.default is not inspect.Parameter.empty, f"teach this test what to send as `{name}`"
    return out


GUARDED = sorted(set(methods()) - OPERATOR)


def test_every_method_with_a_case_has_a_person() -> None:
    assert len(GUARDED) > 12
    for name in GUARDED:
        assert {"person", "by", "actor"} & set(methods()[name].parameters), f"`{name}` takes a case and nobody answers for it"
    door = (Path(__file__).parents[2] / "web" / "blueprints").glob("*.py")
    pages = "".join(f.read_text(encoding="utf-8") for f in door)
    assert not [name for name in OPERATOR - {"audit_head"} if f"service().{name}(" in pages]


@pytest.mark.parametrize("name", GUARDED)
def test_no_method_answers_a_stranger(world: World, name: str) -> None:
    signature = methods()[name]
    before = world.rows()
    for case in (world.case, world.child):
        for person in STRANGERS:
            if (name, person) in OWN_RIGHT:
                continue
            with pytest.raises(NoAccess):
                getattr(world.siquan, name)(**arguments(world, signature, case, person))
            assert world.rows() == before, (name, person)


@pytest.mark.parametrize("verb", EVERY)
def test_no_verb_answers_a_stranger(world: World, verb: str) -> None:
    before = world.rows()
    for case, other in ((world.case, world.child), (world.child, world.case)):
        for person in STRANGERS:
            with pytest.raises(NoAccess):
                world.siquan.verb(case, verb, person, to="open", reason="x", others=[other])
            assert world.rows() == before, person


ACTS = {"act", "add_child", "supply", "import_sheet"}


@pytest.mark.parametrize("name", sorted(ACTS & set(GUARDED)))
@pytest.mark.parametrize("person", ["inspector", "inspector2"])
def test_a_right_in_one_process_is_none_in_another(world: World, name: str, person: str) -> None:
    """`inspector` sees the cases of his place, as any post there does, and can do nothing in them."""
    before = world.rows()
    for case in (world.case, world.child):
        given = arguments(world, methods()[name], case, person)
        with pytest.raises(SiquanError) as found:
            getattr(world.siquan, name)(**given)
        assert found.value.code in ("SQ403", "SQ404", "SQ410") or name == "import_sheet", found.value.full("zh")
        assert world.rows() == before
    if person == "inspector":
        assert world.siquan.case(world.case, person).id == world.case
        assert not any(s.allowed for s in world.siquan.case(world.case, person).steps)


def test_the_guard_is_what_refuses(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """This test can fail: without the guard a stranger gets an answer."""
    import siquan.core.service.pages as pages

    monkeypatch.setattr(pages, "may_see", lambda context, person: True)
    assert world.siquan.case(world.case, "far").id == world.case
    monkeypatch.undo()
    with pytest.raises(NoAccess):
        world.siquan.case(world.case, "far")


# routes


@pytest.fixture
def app(world: World, tmp_path: Path) -> Any:
    made = create_app(world.siquan, secret_key="k" * 32, instance_path=tmp_path)
    made.config["WTF_CSRF_ENABLED"] = False
    return made


def signed_in(app: Any, person: str) -> Any:
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = person, True
    return client


def test_no_route_answers_a_stranger(world: World, app: Any) -> None:
    rules = [r for r in app.url_map.iter_rules() if {"case_id", "decision_id"} & set(r.arguments)]
    assert len(rules) > 10
    known = {"name": "submit", "verb": "urge", "target": "members", "decision_id": world.decision, "transition": "submit", "kind": "pdf", "child_id": world.child, "deadline_id": world.deadline}
    before = world.rows()
    clients = {p: signed_in(app, p) for p in STRANGERS if p != "nobody"}
    sight = signed_in(app, "he")
    tried = 0
    for rule in rules:
        unknown = set(rule.arguments) - {"case_id"} - set(known)
        assert not unknown, f"teach this test what stands for {unknown} in {rule}"
        values = {k: v for k, v in known.items() if k in rule.arguments} | ({"case_id": world.case} if "case_id" in rule.arguments else {})
        if "children" in rule.endpoint:
            values["name"] = "items"
        if rule.endpoint.startswith("verbs.") and "name" in values:
            values["name"] = "urge"
        with app.test_request_context():
            url = app.url_map.bind("localhost").build(rule.endpoint, values)
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            for person, client in clients.items():
                if rule.endpoint.startswith("administration.") and person == "admin":
                    continue  # repairs are his
                data: dict[str, Any] = {"step": "submit", "reason": "理由", "key": "", "revision": "2", "file": (io.BytesIO(b"x"), "表.xlsx")}
                answer = (
                    client.open(url, method=method, json={"verb": "urge"} if url.endswith("/verbs") else {"transition": "submit", "facts": {}, "reason": "理由"})
                    if url.startswith("/api/")
                    else client.open(url, method=method, data=data if method == "POST" else None, content_type="multipart/form-data" if method == "POST" else None)
                )
                assert answer.status_code in (403, 404), (method, url, person, answer.status_code)
                tried += 1
            assert world.rows() == before, (method, url)
        if "GET" in (rule.methods or set()):
            # the same address answers who has access, so it is access that was missing
            own = clients["admin"] if rule.endpoint.startswith("administration.") else sight
            assert own.get(url).status_code in (200, 404), url
    assert tried > 80


def test_nobody_without_an_account_comes_in(world: World, app: Any) -> None:
    answer = app.test_client().get(f"/cases/{world.case}")
    assert answer.status_code == 302 and "/sign-in" in answer.location
    assert signed_in(app, "nobody").get(f"/cases/{world.case}").status_code == 302
