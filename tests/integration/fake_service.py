# ruff: noqa: E501 (sample sentences are kept whole)
"""A service that keeps a few hand-made views in memory: pages can be tested without a database or an engine."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from siquan.core.errors import BadInput, Errors, NoAccess, NotFound, Refused, SiquanError, Stale, Where
from siquan.core.views import (
    Account,
    ActResult,
    Block,
    CaseView,
    ChildrenView,
    DecisionView,
    EventView,
    FieldView,
    ImportResult,
    InboxView,
    Preview,
    ProcessView,
)
from siquan.web.samples import FINDINGS, say


def beside(name: str) -> ModuleType:
    """A module of this folder; the test folders are no packages."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


views = beside("fake_views")
policy = beside("fake_policy")


class BadLogin(SiquanError):
    """wrong user name or password"""

    code = "SQ401"
    zh = "用户名或密码不对"
    http = 401


class FakeService(policy.PolicyFakes):  # type: ignore[name-defined, misc]
    def __init__(self, rows: int = 9) -> None:
        super().__init__()
        self.accounts = {
            "he": Account("he", "hejianing", "何佳宁", "community/wutongli", "梧桐里社区", ("社区经办",)),
            "shao": Account("shao", "shaoqiming", "邵启明", "district/yunxi", "云溪区", ("区级管理员",)),
            "new": Account(
                "new", "newcomer", "新来的", "community/wutongli", "梧桐里社区", (), must_change=True
            ),
        }
        self.rows = rows
        self.revision = 38
        self.title = "澄湖花园第三届业主委员会换届"
        self.opened: list[dict[str, Any]] = []
        self.acts: list[dict[str, Any]] = []
        self.keys: dict[str, tuple[str, ActResult]] = {}
        self.refuse = ""
        self.crash = False

    # accounts
    def authenticate(self, login: str, password: str, ip: str) -> Account:
        for account in self.accounts.values():
            if account.login == login and password == "demo-password":
                return account
        raise BadLogin()

    def account(self, person_id: str) -> Account | None:
        return self.accounts.get(person_id)

    def set_preference(self, person_id: str, lang: str | None = None, theme: str | None = None) -> None:
        change = {k: v for k, v in {"lang": lang, "theme": theme}.items() if v}
        self.accounts[person_id] = replace(self.accounts[person_id], **change)

    def change_password(self, person: str, old: str, new: str) -> None:
        if old != "demo-password":
            raise BadInput(why="现在的密码不对")
        self.accounts[person] = replace(self.accounts[person], must_change=False)

    # lists
    def inbox(
        self,
        person: str,
        tab: str = "mine",
        process: str = "",
        place: str = "",
        due: str = "",
        q: str = "",
        page: int = 1,
    ) -> InboxView:
        if self.crash:
            raise RuntimeError("secret detail of the machine")
        rows = tuple(r for r in views.rows(self.rows) if q in r.title)
        return InboxView(
            tab, rows, len(rows), {"mine": len(rows), "unit": 7, "soon": 9, "started": 31, "done": 0},
            (("p", "业委会与换届", "building-check", 4), ("r", "红色物业", "shop", 2)),
            (("s", "桂巷街道", 0, 12), ("w", "梧桐里社区", 1, 9), ("x", "小桥头社区", 1, 3)),
            (("over", "已超期", 1), ("soon", "3 个工作日内", 5)), "接下来：周五 11月27日 有 1 件会议通知要发出，届时会出现在这里。",
        )  # fmt: skip

    def processes(self, person: str) -> tuple[Any, ...]:
        return tuple(views.CARDS)

    def process(self, process_id: str, person: str, lang: str) -> ProcessView:
        for card in views.CARDS:
            if card.id == process_id:
                return views.process(card)
        raise NotFound(kind="流程", name=process_id)

    def opening_form(self, process_id: str, person: str, given: Any, lang: str) -> tuple[FieldView, ...]:
        return check(views.OPENING, given)

    def open_case(
        self,
        process_id: str,
        person: str,
        place: str | None = None,
        facts: Any = None,
        key: str | None = None,
    ) -> ActResult:
        return self.once(
            key,
            {"open": process_id, "place": place, "facts": facts or {}},
            lambda: self.opened.append({"place": place, "facts": facts or {}}),
        )

    # a case
    def known(self, case_id: str) -> None:
        if case_id == "c-0093":
            raise NoAccess(why="OC-2026-0093 属于丽景苑，你的岗位只到梧桐里社区")
        if case_id != views.CASE and not case_id.startswith("c-2"):
            raise NotFound(kind="事项", name=case_id)

    def case(self, case_id: str, person: str, lang: str) -> CaseView:
        self.known(case_id)
        return views.case(self.revision, self.title)

    def children(self, case_id: str, name: str, person: str, lang: str) -> ChildrenView:
        self.known(case_id)
        if name != "candidates":
            raise NotFound(kind="表", name=name)
        return views.CHILDREN

    def form(
        self,
        case_id: str,
        transition: str,
        person: str,
        given: Any,
        lang: str,
        seen_revision: int | None = None,
    ) -> Preview:
        case = self.case(case_id, person, lang)
        step = next((s for s in views.STEPS if s.name == transition), None)
        if step is None:
            raise NotFound(kind="步骤", name=transition)
        fields = check(views.FIELDS, given) if step.needs_form and step.allowed else ()
        changed = ()
        if seen_revision is not None and seen_revision != self.revision:
            changed = (
                EventView(
                    39,
                    dt.datetime(2026, 11, 23, 2, 42, tzinfo=dt.UTC),
                    "杜若",
                    "supplied",
                    "登记了吴静怡的材料",
                ),
            )
        return Preview(
            case, step, fields, tuple((f.title, f.value, "未知") for f in fields if f.value),
            decision=views.decision("孙学礼") if given and fields else None, allowed=step.allowed, blocks=step.blocks,
            consequences=("“进入候选人公示”还差：吴静怡 1 人，同户 1 组，待确认 2 人", "记入经过，署名何佳宁，不能删除；录错可更正，更正也留痕"), changed=changed, related=FINDINGS[1:2],
        )  # fmt: skip

    def act(
        self,
        case_id: str,
        transition: str,
        person: str,
        facts: Any = None,
        opinion: str = "",
        reason: str = "",
        revision: int | None = None,
        key: str | None = None,
    ) -> ActResult:
        self.known(case_id)
        content = {"transition": transition, "facts": facts or {}, "opinion": opinion, "reason": reason}
        if key in self.keys:
            return self.once(key, content, lambda: None)
        if revision is not None and revision != self.revision:
            raise Stale(seen=revision, now=self.revision)
        if self.refuse:
            raise Refused(why=self.refuse)

        def write() -> None:
            self.revision += 1
            self.acts.append(content)

        return self.once(key, content, write)

    def once(self, key: str | None, content: Any, write: Any) -> ActResult:
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        if key and key in self.keys:
            if self.keys[key][0] != text:
                raise BadInput(why="同一个编号，内容不同")
            return replace(self.keys[key][1], repeated=True)
        write()
        result = ActResult(
            views.CASE, "OC-2026-0147", "screening", "资格审查", "", self.revision, self.revision, "d-203"
        )
        if key:
            self.keys[key] = (text, result)
        return result

    def add_child(self, case_id: str, name: str, person: str, facts: Any, key: str | None) -> ActResult:
        return self.once(
            key, {"child": name, "facts": facts or {}}, lambda: self.opened.append({"facts": facts or {}})
        )

    def supply_form(self, case_id: str, person: str, given: Any, lang: str) -> Preview:
        case = self.case(case_id, person, lang)
        return Preview(case, views.STEPS[0], check(views.FIELDS[3:], given), related=FINDINGS[:1])

    def supply(
        self, case_id: str, person: str, facts: Any, revision: int | None, key: str | None
    ) -> ActResult:
        return self.act(case_id, "supply", person, facts, revision=revision, key=key)

    def recuse(self, case_id: str, person: str, reason: str, key: str | None) -> ActResult:
        return self.act(case_id, "recuse", person, reason=reason, key=key)

    # sheets
    def sheet(self, case_id: str, target: str, person: str, empty: bool = False) -> tuple[str, bytes]:
        self.known(case_id)
        return f"{target}{'-空表' if empty else ''}.xlsx", b"PK\x03\x04fake"

    def import_sheet(
        self,
        case_id: str,
        target: str,
        person: str,
        filename: str,
        data: bytes,
        revision: int | None,
        key: str | None,
    ) -> ImportResult:
        if b"bad" in data:
            raise Errors(
                [
                    BadInput(Where("候选人!C5"), why="“三月”不是日期"),
                    BadInput(Where("候选人!D9"), why="缺“产权类型”"),
                ]
            )
        if revision is not None and revision != self.revision:
            raise Stale(seen=revision, now=self.revision)
        return ImportResult(case_id, target, 13, 10, 3, self.revision + 1)

    # the rest
    def decide(
        self,
        ruleset: str,
        facts: Any,
        on: Any = None,
        place: str = "",
        overrides: Any = None,
        lang: str = "zh",
    ) -> Any:
        if ruleset != "owners_committee.candidate":
            raise NotFound(kind="规则集", name=ruleset)
        return views.decision("叶承志" if facts else "丁卫东")

    def decision(self, decision_id: str, person: str, lang: str) -> DecisionView:
        if not decision_id.startswith("d-2"):
            raise NotFound(kind="判定记录", name=decision_id)
        d = replace(views.decision("叶承志"))
        return DecisionView(
            decision_id,
            views.CASE,
            self.title,
            dt.datetime(2026, 11, 20, 8, 5, tzinfo=dt.UTC),
            "何佳宁",
            "提交审查",
            False,
            d,
            views.FACTS,
            "same",
        )

    def may_administer(self, person: str) -> bool:
        return False

    def sources(self) -> dict[str, str]:
        return {"S9": "上海市住宅物业管理规定（2020）"}

    def plugins(self) -> list[dict[str, Any]]:
        return [
            {"name": "owners_committee", "title": "业委会与换届", "path": "plugins/owners_committee", "processes": ["owners_committee.term_change", "owners_committee.candidate"], "rulesets": ["owners_committee.candidate"], "hooks": [], "error": ""},
            {"name": "broken", "title": "", "path": "plugins/broken.yaml", "processes": [], "rulesets": [], "hooks": [], "error": "broken.yaml:3: 缺 `title`"},
        ]  # fmt: skip

    def audit_head(self, case_id: str) -> str:
        return "9f3c00aab21e"


def check(fields: tuple[FieldView, ...], given: Any) -> tuple[FieldView, ...]:
    """The fields filled with what was given, and two kinds of error: missing, and a date in the future."""
    if given is None:
        return fields
    out = []
    for f in fields:
        raw = given.get(f.path)
        bare = raw.get("value") if isinstance(raw, dict) else raw
        if f.columns:
            rows = tuple(
                tuple(str(row.get(c.path, "")) for c in f.columns)
                for row in (bare if raw is not None else [])
            )
            out.append(replace(f, rows=rows))
            continue
        text = "" if bare is None else str(bare).lower() if isinstance(bare, bool) else str(bare)
        error = "还没有填" if f.required and not text else ""
        if f.kind == "date" and text > "2026-11-23" and text != "none":
            error = f"{text} 晚于今天，请填实际查询的日期"
        if f.kind in ("integer", "decimal") and text and not text.replace(".", "").isdigit():
            error = f"“{text}”不是数字"
        out.append(replace(f, value="__absent__" if text == "none" else text, error=error))
    return tuple(out)


__all__ = ["Block", "FakeService", "beside", "say", "views"]
