# ruff: noqa: E501 (sample sentences are kept whole)
"""Rule sets of the policy team made by hand: a list and a table, a draft of each, its proof, its impact. All names are invented."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

from siquan.core.errors import BadInput, Errors, NoAccess, NotFound, SiquanError, Stale, Where
from siquan.core.policy.views import (
    CaseText,
    CellLine,
    ColumnLine,
    DifferenceLine,
    DraftPage,
    DraftResult,
    Example,
    FlipLine,
    FlipView,
    Flow,
    Gate,
    ImpactCard,
    ImpactPage,
    IntentLine,
    Issue,
    ParamText,
    ParamValue,
    Part,
    ProofView,
    RuleSetCard,
    RuleSetPage,
    RuleText,
    Signature,
    VersionLine,
    WayOutView,
)
from siquan.core.rules.decision import Decision, Finding
from siquan.web.samples import say

D = dt.date
LIST, TABLE = "owners_committee.candidate", "red_property.level"


def at(month: int, day: int, hour: int = 2, minute: int = 0) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, minute, tzinfo=dt.UTC)


V11 = VersionLine("v-11", "v11", "published", D(2025, 1, 1), None, at(1, 4), "秦若川", "云住建〔2024〕31 号", "9f3c00aab21e" * 5, (Signature("秦若川", "drafted", at(1, 2)), Signature("沈亦舟", "approved", at(1, 3), "同意"), Signature("沈亦舟", "published", at(1, 4))))
V10 = VersionLine("v-10", "v10", "superseded", D(2024, 1, 1), D(2025, 1, 1), at(1, 2), "秦若川", "首次公布", "51aa00aab21e" * 5)
V0 = VersionLine("v-0", "随程序", "superseded", None, D(2024, 1, 1), None, "", "", "000000aab21e" * 5)


def draft_line(status: str = "draft", id: str = "v-12") -> VersionLine:
    signed = [Signature("秦若川", "drafted", at(11, 23), you=True)]
    if status != "draft":
        signed.append(Signature("秦若川", "submitted", at(11, 23, 3)))
    if status == "returned":
        signed.append(Signature("沈亦舟", "returned", at(11, 23, 4), "违建一条请写明文号"))
    if status in ("approved", "published", "future"):
        signed.append(Signature("沈亦舟", "approved", at(11, 23, 4), "同意，自 2027 年起"))
    return VersionLine(id, "v12", status, D(2027, 1, 1) if status != "draft" else None, None, None, "秦若川", "云住建〔2026〕58 号", "77ab00aab21e" * 5, tuple(signed))


def finding(rule: str, outcome: str, title: str, text: str) -> Finding:
    return Finding(rule, "hit", outcome, "OWNERS", "", title, say(text), "议事规则 第十四条")


def decided(outcome: str, *findings: Finding, value: Any = None, ruleset: str = LIST) -> Decision:
    return Decision(ruleset, "", "v", "h", D(2026, 11, 23), "", outcome, value, findings, (), ())


ARREARS = Example(
    (("欠缴物业费", "9 个月"), ("是否登记在册", "是")), "其他事实都已登记、都没有问题。", decided("PASS"),
    decided("REJECT", finding("OC-N01", "REJECT", "物业欠费", "欠缴物业费 [9 个月]，满 <9 个月>。")),
    json.dumps({"arrears.months": 9, "owner": True}, ensure_ascii=False),
)  # fmt: skip
LOOSER = Example((("年龄", "71 岁"),), "其他事实都没有问题。", decided("WARN", finding("OC-E06", "WARN", "年龄上限", "[71 岁]，超过 <70 岁>。")), decided("PASS"), '{"age": 71}')
GAP = Example((("总分", "91.5"), ("一票否决", "否")), "", None, decided("BLOCK", ruleset=TABLE), '{"score": "91.5", "veto": false}')
BREACH = Example((("失信查询", "在列"),), "其他事实未知。", decided("REJECT"), decided("PASS"), '{"dishonest.listed": true}')


def rules(changed: bool = False) -> tuple[RuleText, ...]:
    """The list; `changed` is as the draft has it."""
    n = "9" if changed else "12"
    arrears = RuleText(
        "OC-N01", "物业欠费", "负面清单",
        (Part("欠缴物业费"), Part("满", "text"), Part(f"{n} 个月", "edit", "arrears.months", "when", 18, 18 + len(n), "number", (), n, "12 个月" if changed else ""), Part("的")),
        "REJECT", "REJECT", False, "OWNERS", "", "议事规则 第十四条", "欠缴物业服务费用满十二个月的，不得作为候选人。", "欠缴物业费{arrears.months}个月", "没有欠费", "结清欠费并出具证明",
        f"arrears.months >= {n}", tests=("欠费一年不通过",), change="changed" if changed else "", was=(("条件", "arrears.months >= 12"),) if changed else (), hits=14,
    )  # fmt: skip
    own = RuleText(
        "OC-E01", "业主身份", "资格条件",
        (Part("产权不是"), Part("产权人", "edit", "ownership.type", "when", 18, 26, "enum", (("owner", "产权人"), ("unit_rep", "单位代表"), ("none", "没有")), "owner"), Part("，而且登记在册为"), Part("否", "edit", "owner", "when", 31, 36, "boolean", (), "false"), Part("的")),
        "REJECT", "REJECT", False, "STATUTE", "", "S9 16", say="不是本物业管理区域的业主", clear="是本区域业主", cure="提交产权证书", when='ownership.type != "owner" and owner = false', tests=("干净的候选人", "租户不通过"), hits=3,
    )  # fmt: skip
    day = RuleText("OC-E03", "授权期限", "资格条件", (Part("授权书在"), Part("2026-12-31", "edit", "unit_rep.until", "when", 17, 29, "date", (), "2026-12-31"), Part("以前到期的")), "EVIDENCE", "EVIDENCE", False, "STATUTE", "", "S8 39", when='unit_rep.until < @"2026-12-31"')  # fmt: skip
    age = RuleText("OC-E06", "年龄上限", "资格条件", (Part("年龄超过"), Part("70 岁", "param", "oc.age_max"), Part("的")), "REJECT", "WARN", True, "POLICY", "梧桐里社区自 2026-05-01 起为业主约定", "S22", when="age > oc.age_max", unconfirmed=True, tests=("七十一岁只提示",), hits=0)
    seen = RuleText("OC-N19", "言论风评", "负面清单", (Part("群众反映强烈的"),), "WARN", "WARN", False, "LOCAL", "", "本地设定", when="", display_only="“反映强烈”没有可算的标准，由社区党组织综合判断")
    out = [own, day, age, arrears, seen]
    if changed:
        out.append(RuleText("OC-N41", "无故缺席", "负面清单", (Part("上届任内无故缺席会议超过"), Part("3 次", "edit", "absence.count", "when", 16, 17, "number", (), "3"), Part("的")), "WARN", "WARN", False, "LOCAL", "", "本地设定", when="absence.count > 3", change="added"))
        out.append(RuleText("OC-N20", "兼任", "负面清单", (Part("同时担任其他小区委员的"),), "WARN", "WARN", False, "LOCAL", "", "本地设定", when="elsewhere", change="removed"))
    return tuple(out)


COLUMNS = (
    ColumnLine("score", "总分", "in", "decimal", "分"),
    ColumnLine("veto", "一票否决", "in", "boolean", options=(("true", "是"), ("false", "否"))),
    ColumnLine("trade", "行业", "in", "enum", options=(("home", "住宅"), ("shop", "商铺"))),
    ColumnLine("out", "等级", "out", "enum", options=(("A", "优秀"), ("B", "B"), ("C", "C"))),
)


def table_rows(changed: bool = False) -> tuple[RuleText, ...]:
    data = [
        ("R1", "-", "true", "C", "", "不看", "是"), ("R2", ">= 92" if changed else ">= 90", "false", "A", ">= 90" if changed else "", "不低于 92 分", "否"),
        ("R3", "[75..92)" if changed else "[70..90)", "false", "B", "[70..90)" if changed else "", "75 分到 92 分（不含）", "否"), ("R4", "< 75" if changed else "< 70", "false", "C", "< 70" if changed else "", "不到 75 分", "否"),
    ]  # fmt: skip
    out = []
    for id, score, veto, level, was, words, veto_words in data:
        trade = {"R2": '"home"', "R3": '"home", "shop"'}.get(id, "-")
        cells = (CellLine("score", score, words, was, bool(was)), CellLine("veto", veto, veto_words), CellLine("trade", trade, ""), CellLine("out", level, level))
        parts = (Part("总分"), Part(words, "edit", "score", "cell:score", 0, len(score), "text", (), score, was), Part("，一票否决为"), Part(veto_words, "edit", "veto", "cell:veto", 0, len(veto), "boolean", (), veto))
        out.append(RuleText(id, "", "", parts, level, "PASS", False, "LOCAL", "", "云住建〔2024〕31 号 第六条", cells=cells, change="changed" if was else "", hits=29))
    return tuple(out)


PARAMS = (
    ParamText("oc.age_max", "年龄上限", "岁", "number", (
        ParamValue(D(2024, 1, 1), "75", "", "POLICY", "S22", "云住建〔2023〕40 号", "past"),
        ParamValue(D(2025, 1, 1), "70", "", "POLICY", "S22", "云住建〔2024〕31 号", "current"),
        ParamValue(D(2026, 5, 1), "72", "梧桐里社区", "OWNERS", "业主大会决议", "第 3 号", "current", place_id="community/wutongli"),
    ), (("owners_committee.filling", "缺额递补"),)),
    ParamText("oc.res_months", "居住月数", "个月", "number", (ParamValue(D(2025, 1, 1), "6", "", "LOCAL", "本地设定", "", "current"),)),
)  # fmt: skip
DRAFT_PARAM = ParamValue(D(2027, 1, 1), "68", "", "POLICY", "S22", "云住建〔2026〕58 号", "draft", "oc.age_max@2027-01-01@")
CASES = (
    CaseText("干净的候选人", '是否登记在册：是；年龄：40岁', "PASS", (), True),
    CaseText("欠费一年不通过", '欠缴物业费：12个月', "REJECT", ("OC-N01",), True),
    CaseText("七十一岁只提示", '年龄：71岁', "WARN", ("OC-E06",), False, "应为“提示”，草稿判为“通过”：OC-E06 没有命中"),
)
NAMES = (("age", "年龄", "integer"), ("owner", "是否登记在册", "boolean"), ("ownership.type", "产权", "enum"), ("arrears.months", "欠缴物业费", "integer"), ("unit_rep.until", "授权到期日", "date"), ("note", "备注", "text"), ("oc.age_max", "年龄上限", "parameter"))
CHOICES = (("ownership.type", (("owner", "产权人"), ("unit_rep", "单位代表"), ("none", "没有"))),)
INTENTS = (IntentLine("listed", "失信被执行人不得通过", "proved"), IntentLine("stricter", "只许更严", "refuted", BREACH), IntentLine("clear", "没有人直接清退", "not_proved"))


def page(ruleset: str, version: VersionLine, changed: bool = False, on: dt.date | None = None) -> RuleSetPage:
    table = ruleset == TABLE
    params = (replace(PARAMS[0], lines=(*PARAMS[0].lines, DRAFT_PARAM)), PARAMS[1]) if changed and not table else () if table else PARAMS
    line = (version,) if version.id not in ("v-0", "v-10", "v-11") else ()
    return RuleSetPage(
        ruleset, "物业企业信用等级" if table else "候选人负面清单", "" if table else "审查报名人是否符合资格、有没有不得参选的情形。",
        "red_property" if table else "owners_committee", "红色物业" if table else "业委会与换届", "approval" if table else "owners_committee.candidate", "等级评定" if table else "候选人",
        "table" if table else "list", "U" if table else "C", version, on or D(2026, 11, 23), table_rows(changed) if table else rules(changed), COLUMNS if table else (), params,
        (*CASES, CaseText("反例：欠费九个月", '欠缴物业费：9个月', "REJECT", ("OC-N01",), True, added=True)) if changed else CASES,
        (*line, V11, V10, V0), INTENTS[:1], True, names=NAMES, choices=CHOICES, places=(("community/wutongli", "梧桐里社区"), ("street/guixiang", "桂巷街道")),
    )  # fmt: skip


DIFFERENCES = (
    DifferenceLine("changed", "OC-N01", "when", "OC-N01 条件", "欠缴物业费满 12 个月的", "欠缴物业费满 9 个月的"),
    DifferenceLine("added", "OC-N41", "", "无故缺席", "", "上届任内无故缺席会议超过 3 次的，提示"),
    DifferenceLine("removed", "OC-N20", "", "兼任", "同时担任其他小区委员的，提示", ""),
    DifferenceLine("parameter", "", "oc.age_max", "年龄上限，自 2027-01-01", "70 岁", "68 岁"),
    DifferenceLine("changed", "OC-E01", "when", "OC-E01 条件", "not(a)", "not (a)", True),
)
CONFLICT = DifferenceLine("conflict", "OC-N01", "when", "OC-N01 条件", "arrears.months >= 9", "arrears.months >= 10")
ISSUES = (
    Issue("gap", (), "总分 90 到 92 分之间没有一行管到。", GAP, True),
    Issue("subsumed", ("OC-N01", "OC-N02"), "OC-N02 碰上的，OC-N01 都已碰上，结论也一样。"),
)
GATES = (
    Gate("规则成立，没有写错的地方", "ok"), Gate("用例全部通过", "failed", "还有 1 个没通过"), Gate("影响已经算过，是这一版的", "open", "点“看影响”"), Gate("由别人签署", "open"),
)  # fmt: skip


def proof(kind: str = "different") -> ProofView:
    if kind in ("waiting", "none"):
        return ProofView(kind)
    if kind == "stricter":
        return ProofView("done", kind, "任何候选人，按草稿的结论都不会比 v11 松。", 41, ARREARS, ARREARS, intents=(INTENTS[0],), safe="proved", left_out=("备注是自由文本",))
    if kind == "not_proved":
        return ProofView("done", kind, "", 2000, safe="not_proved")
    if kind == "equal":
        return ProofView("done", kind, "两版对任何情形的结论都相同。", 8, safe="proved")
    return ProofView("done", kind, "有的候选人更严，有的更松。", 63, ARREARS, ARREARS, LOOSER, ("备注是自由文本",), ISSUES, INTENTS, "proved")


FLOWS = (
    Flow("PASS", "PASS", 9120, "same"), Flow("PASS", "REJECT", 23, "down"), Flow("WARN", "PASS", 4, "up"), Flow("WARN", "WARN", 310, "same"),
    Flow("REJECT", "REJECT", 512, "same"), Flow("EVIDENCE", "EVIDENCE", 88, "same"), Flow("EVIDENCE", "REJECT", 2, "down"),
)  # fmt: skip
FLIPS = (
    FlipLine("d-203", "c-203", "OC-2026-0147-3", "叶承志", "澄湖花园", D(2026, 11, 20), "PASS", "REJECT", ("“物业欠费”新命中：欠缴 10 个月，满 9 个月。",), ("OC-N01",)),
    FlipLine("d-204", "c-204", "OC-2026-0131-1", "冯建中", "柳岸新村", D(2026, 9, 2), "WARN", "PASS", ("“年龄上限”不再命中：71 岁。", "参数“年龄上限”由 70 改为 75。"), ("OC-E06",)),
    FlipLine("", "c-0147", "OC-2026-0147", "澄湖花园第三届业主委员会换届", "澄湖花园", None, "PASS", "REJECT", ("“物业欠费”新命中。",), ("OC-N01",), True),
)  # fmt: skip


class PolicyFakes:
    """The calls of the policy team; `policy` holds what a test wants to see, `calls` what the pages asked for."""

    def __init__(self) -> None:
        self.policy: dict[str, Any] = {"status": "draft", "proof": "different", "impact": "done", "errors": (), "revision": 12}
        self.calls: list[tuple[Any, ...]] = []
        self.refuse_edit: SiquanError | None = None

    def rule_sets(self, person: str, lang: str) -> tuple[RuleSetCard, ...]:
        later = replace(V11, id="v-9", label="v9", status="future", since=D(2027, 3, 1))
        status = self.policy["status"]
        return (
            RuleSetCard(LIST, "候选人负面清单", "owners_committee", "业委会与换届", "list", 36, V11, (), (draft_line("draft", "v-14"), draft_line(status)), "approve" if status == "review" else "edit", "v-12"),
            RuleSetCard("owners_committee.filling", "缺额递补", "owners_committee", "业委会与换届", "list", 4, replace(V0, status="published", until=None)),
            RuleSetCard(TABLE, "物业企业信用等级", "red_property", "红色物业", "table", 5, V11, (later,), (draft_line("draft", "v-13"),)),
        )

    def rule_set(self, ruleset_id: str, person: str, lang: str, on: dt.date | None = None, version: str = "") -> RuleSetPage:
        if ruleset_id not in (LIST, TABLE):
            raise NotFound(kind="规则集", name=ruleset_id)
        found = {v.id: v for v in (V11, V10, V0, draft_line())}
        if version and version not in found:
            raise NotFound(kind="版本", name=version)
        day = on or D(2026, 11, 23)
        then = found[version] if version else V11 if day >= D(2025, 1, 1) else V10 if day >= D(2024, 1, 1) else V0
        return page(ruleset_id, then, on=day)

    def rule_diff(self, ruleset_id: str, before: str, after: str, person: str, lang: str) -> tuple[DifferenceLine, ...]:
        self.calls.append(("diff", before, after))
        return DIFFERENCES

    def rule_file(self, ruleset_id: str, version: str, kind: str, person: str) -> tuple[str, bytes]:
        self.calls.append(("file", ruleset_id, version, kind))
        return f"{ruleset_id}-{version or 'v11'}.{kind}", b"PK\x03\x04fake"

    def start_draft(self, ruleset_id: str, person: str, title: str = "") -> DraftResult:
        self.calls.append(("start", ruleset_id))
        return DraftResult("v-12", 1, "draft")

    def draft(self, version_id: str, person: str, lang: str) -> DraftPage:
        if version_id == "v-77":
            raise NoAccess(why="草稿只有政策组能看")
        if version_id not in ("v-12", "v-13"):
            raise NotFound(kind="草稿", name=version_id)
        p = self.policy
        status, editing = p["status"], p["status"] in ("draft", "returned")
        line = draft_line(status, version_id)
        shown = page(TABLE if version_id == "v-13" else LIST, line, True)
        if p.get("rules"):
            shown = replace(shown, rules=p["rules"](shown.rules))
        newer = replace(V11, id="v-11b", label="v11.1", since=D(2026, 12, 1)) if p.get("newer") else None
        return DraftPage(
            shown, p["revision"], V11, newer, (CONFLICT,) if p.get("newer") else (), DIFFERENCES, p["errors"], proof(p["proof"]), GATES, 3, 1,
            D(2027, 1, 1) if status != "draft" else None, "云住建〔2026〕58 号" if status != "draft" else "", 2, ("沈亦舟", "范立言"),
            editing, editing, status == "review", status == "approved", status in ("review", "approved", "published", "future"),
            self.card() if p["impact"] else None, p.get("why_not", ""), status == "review" and p.get("author", True),
        )  # fmt: skip

    def edit_draft(self, version_id: str, person: str, edits: Any, revision: int | None) -> DraftResult:
        if revision is not None and revision != self.policy["revision"]:
            raise Stale(seen=revision, now=self.policy["revision"])
        if self.refuse_edit:
            raise self.refuse_edit
        self.calls.append(("edit", version_id, [dict(e) for e in edits]))
        self.policy["revision"] += 1
        return DraftResult(version_id, self.policy["revision"], "draft", DIFFERENCES[:2])

    def upload_draft(self, version_id: str, person: str, filename: str, data: bytes, revision: int | None) -> DraftResult:
        if b"bad" in data:
            raise Errors([BadInput(Where("规则!D7"), why="“12 个月”不是条件"), BadInput(Where("参数!C3"), why="同一天有两个值")])
        if b"one" in data:
            raise BadInput(why="这不是这套规则的表格")
        if revision is not None and revision != self.policy["revision"]:
            raise Stale(seen=revision, now=self.policy["revision"])
        self.calls.append(("upload", filename, len(data)))
        return DraftResult(version_id, 13, "draft", () if b"same" in data else DIFFERENCES)

    def merge_draft(self, version_id: str, person: str, revision: int | None) -> DraftResult:
        return self.did("merge", version_id, revision)

    def discard_draft(self, version_id: str, person: str) -> None:
        self.did("discard", version_id)

    def submit_draft(self, version_id: str, person: str, effective: dt.date, reason: str, revision: int | None) -> DraftResult:
        return self.did("submit", version_id, effective, reason, revision)

    def recall_draft(self, version_id: str, person: str) -> DraftResult:
        return self.did("recall", version_id)

    def sign_draft(self, version_id: str, person: str, approve: bool, opinion: str) -> DraftResult:
        return self.did("sign", version_id, approve, opinion)

    def publish_draft(self, version_id: str, person: str) -> DraftResult:
        return self.did("publish", version_id)

    def withdraw_version(self, version_id: str, person: str, reason: str) -> DraftResult:
        return self.did("withdraw", version_id, reason)

    def migrate_case(self, case_id: str, version_id: str, person: str, reason: str) -> DraftResult:
        return self.did("migrate", case_id, version_id, reason)

    def did(self, *what: Any) -> DraftResult:
        if self.refuse_edit:
            raise self.refuse_edit
        self.calls.append(what)
        return DraftResult("v-12", 13, "review")

    def card(self) -> ImpactCard:
        status = self.policy["impact"]
        if status in ("none", "failed", "cancelled"):
            return ImpactCard("", status, 0, 0)
        if status == "queued":
            return ImpactCard("i-1", status, 0, 0)
        if status == "running":
            return ImpactCard("i-1", status, 412_000, 1_000_000)
        return ImpactCard("i-1", status, 10059, 10059, 10059, 29, 12, 3, 1, 41, 6, 2.44, at(11, 23, 3, 5))

    def start_impact(self, version_id: str, person: str) -> ImpactCard:
        self.calls.append(("impact", version_id))
        self.policy["impact"] = "running"
        return self.card()

    def cancel_impact(self, version_id: str, person: str) -> ImpactCard:
        self.calls.append(("cancel", version_id))
        self.policy["impact"] = "cancelled"
        return self.card()

    def impact(self, version_id: str, person: str, lang: str, rule: str = "", before: str = "", after: str = "", open_only: bool = False, page: int = 1) -> ImpactPage:
        draft = self.draft(version_id, person, lang)
        flips = tuple(f for f in FLIPS if (not rule or rule in f.rules) and before in ("", f.before) and after in ("", f.after) and (f.open or not open_only))
        flows = FLOWS if draft.page.kind == "list" else (Flow("PASS A", "PASS B", 20, "changed"), Flow("PASS B", "PASS B", 400, "same"))
        return ImpactPage(
            draft, self.card(), flows, (("OC-N01", "物业欠费", 23, 0), ("OC-E06", "年龄上限", 0, 4)), (("桂巷街道", 5210, 17), ("锦澜街道", 4849, 12)),
            (("上届任内无故缺席", 3),), flips, len(flips), 35 if flips == FLIPS else len(flips), page, 2 if flips == FLIPS else 1, rule, before, after, open_only, ("3 件没有登记“上届任内无故缺席”",),
        )  # fmt: skip

    def flip(self, version_id: str, which: str, person: str, lang: str) -> FlipView:
        draft = self.draft(version_id, person, lang)
        found = next((f for f in FLIPS if which in (f.decision, f.case)), None)
        if found is None:
            raise NotFound(kind="判定", name=which)
        case = found.case if found.title != "冯建中" else ""
        return FlipView(version_id, draft.page.version.label, draft.page.title, found.number, found.place, found.at, replace(ARREARS, wire=""), found.why, found.decision if case else "", case)

    def impact_file(self, version_id: str, person: str) -> tuple[str, bytes]:
        return "影响-v12.xlsx", b"PK\x03\x04fake"

    def way_out(self, decision_id: str, person: str, lang: str) -> WayOutView:
        if self.policy.get("way") == "none":
            return WayOutView((), "REJECT", "挡住他的是年龄，人不能改变。")
        return WayOutView((("整改完成日", "未整改", "2026-11-23", "拆除并取得复查合格"), ("欠缴物业费", "8 个月", "0 个月", "")), "PASS")
