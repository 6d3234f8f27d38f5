# ruff: noqa: E501 (sample sentences are kept whole)
"""Views made by hand for the portfolio page; all names are invented."""

from __future__ import annotations

import datetime as dt

from siquan.core.rules.decision import Finding, Piece
from siquan.core.views import (
    Block,
    CaseView,
    DueView,
    EventView,
    FactView,
    FieldView,
    PersonView,
    ProgressStep,
    StepView,
)

DAY = dt.date(2026, 11, 24)


def say(text: str) -> tuple[Piece, ...]:
    """`因 [欠费 8 个月] 而 (30 日) {未知}`: brackets are values, round ones parameters, braces unknown."""
    out: list[Piece] = []
    kinds = {"[": ("]", "value"), "<": (">", "param"), "{": ("}", "unknown")}
    word = ""
    at = 0
    while at < len(text):
        if text[at] in kinds:
            close, kind = kinds[text[at]]
            end = text.index(close, at)
            out += [Piece(word)] * bool(word) + [Piece(text[at + 1 : end], kind)]
            word, at = "", end + 1
        else:
            word, at = word + text[at], at + 1
    return (*out, Piece(word)) if word else tuple(out)


def due(kind: str, title: str, chip: str, line: str, **more: object) -> DueView:
    return DueView(kind, title, kind, chip, DAY, None, kind == "prov", line, **more)  # type: ignore[arg-type]


STRIP = (
    ("19", "四", "起，不计", ""),
    ("20", "五", "第 1 日", "n"),
    ("21", "六", "休", "off"),
    ("22", "日", "休", "off"),
    ("23", "一", "第 2 日", "n today"),
    ("24", "二", "届满", "end"),
)
DUES = (
    due("over", "复查整改", "超期 1 个工作日", "10 个工作日：11-06 送达，11-20 周五届满"),
    due(
        "soon",
        "陈述与补充材料",
        "明天 11-24 周二",
        "3 个工作日：告知当日不计，周末不计，到 11-24 24:00。",
        days=STRIP,
    ),
    due("ok", "张贴会议公告", "最迟 12-11 周五", "计划 12-26 开会，须提前 15 日：12-26 减 15 日为 12-11。"),
    due("pause", "备案补正", "暂停，剩 3 个工作日", "11-18 要求补正，收到补正后续算"),
    due(
        "prov",
        "备案",
        "暂定 2027-02-11",
        "选举后 30 日。",
        why_provisional="2027 年放假安排尚未公布，公布后自动重算。",
    ),
)
FINDINGS = (
    Finding(
        "OC-N04", "hit", "REJECT", "OWNERS", "", "违法搭建未整改",
        say("因违法搭建被责令整改（[云城执改〔2025〕77 号]），至 <11-16> [仍未整改到位]，因此 [拟不通过]。"),
        "议事规则 第十四条", law="（二）因违法搭建等被责令整改，尚未整改到位的，不得作为候选人。", cure="拆除并取得复查合格。",
    ),
    Finding(
        "OC-N09", "unknown", "EVIDENCE", "OWNERS", "", "失信名单",
        say("查询须在 <30 日> 内；失信查询：{未知，已过期}。"), "议事规则 第十四条", cure="重新查询并登记日期。",
    ),
    Finding(
        "OC-N01", "hit", "WARN", "POLICY", "", "物业欠费", say("欠缴物业费 [8 个月]。"), "指导规则 第十条", capped_from="REJECT",
    ),
    Finding("OC-E01", "clear", "PASS", "STATUTE", "", "业主身份", say("登记为业主：[是]。"), "民法典 278"),
)  # fmt: skip
STEPS = (
    StepView("ask", "请候选人补充材料", "", True, hint="发出后 3 个工作日内补交；到期未补记为“未知”，不等于不合格。"),
    StepView(
        "publish", "进入候选人公示", "候选人公示", False,
        blocks=(
            Block("rule", "EVIDENCE", say("审查须全部有结论；现有 [2 人待补证]。"), "OC-T02", "OWNERS", "产生办法 第九条", cure="补近 30 日内的失信查询。"),
            Block("rule", "BLOCK", say("同一套房只能有一人参选；[12 幢 2 单元] 有 [2 人]。"), "OC-N24", "OWNERS", "议事规则 第十四条"),
        ),
    ),
    StepView("extend", "延长报名", "候选人报名", False, blocks=(Block("role", "BLOCK", say("须由街道经办人办理。")),), helpers=("高一帆",)),
)  # fmt: skip
PROGRESS = tuple(
    ProgressStep(title, "done" if n < 3 else "now" if n == 3 else "next", date)
    for n, (title, date) in enumerate(
        [
            ("报名", "11-06"),
            ("审查", "11-09"),
            ("公示", "11-18"),
            ("投票", "12-26 起"),
            ("计票", ""),
            ("备案", "30 日内"),
        ]
    )
)
PEOPLE = (
    PersonView("p1", "何佳宁", "梧桐里社区", ("社区经办",), you=True),
    PersonView("p2", "汪海棠", "梧桐里社区", ("复核",), note="回避候选人周以宁"),
)
FACTS = (
    FactView("seats", "应选委员", "7", "integer", "known", "人", source="议事规则 第十二条"),
    FactView(
        "credit",
        "失信查询",
        "12 人有效",
        "text",
        "stale",
        source="执行信息公开网",
        as_of=dt.date(2026, 10, 12),
    ),
    FactView("crime", "犯罪记录自述", "13 份，已遮蔽", "text", "masked", masked=True),
    FactView("share", "党员比例", "4 / 7", "decimal", "derived"),
    FactView("notice", "公示日期", "未知", "date", "unknown", provider="社区经办"),
)
FIELDS = (
    FieldView(
        "listed", "查询结果", "boolean", True, "false", group="失信查询", envelope=True, as_of="2026-11-23"
    ),
    FieldView(
        "day", "查询日期", "date", True, "2026-12-20", error="晚于今天，请填实际查询的日期", group="失信查询"
    ),
    FieldView("amount", "金额", "decimal", False, "", unit="元", min="0", group="其他"),
    FieldView("end", "整改完成日", "date", False, "", absent="未整改", group="其他", evidence=("现场照片",)),
)
CASE = CaseView(
    "sample", "OC-2026-0147", "样例", "sample", "业主委员会换届", "owners_committee", "building", "screening", "资格审查", "",
    False, "", 38, None, mine=True, steps=STEPS, events_total=2, chain_head="9f3c0000b21e",
    events=(
        EventView(2, dt.datetime(2026, 11, 20, 8, 5), "", "decided", "规则判定 13 名候选人", counts=(("PASS", 7), ("REJECT", 2))),
        EventView(1, dt.datetime(2026, 11, 9, 1, 2), "高一帆", "acted", "办理：开始审查", to="资格审查", text="报名 13 人"),
    ),
)  # fmt: skip
