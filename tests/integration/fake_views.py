# ruff: noqa: E501 (sample sentences are kept whole)
"""Views made by hand after the mockups: one change of a committee with thirteen candidates. All names are invented."""

from __future__ import annotations

import datetime as dt

from siquan.core.rules.decision import Decision, Finding, ParamUse
from siquan.core.views import (
    Block,
    CaseView,
    ChildrenView,
    ChildView,
    CollectionView,
    EventView,
    FactView,
    FieldView,
    InboxRow,
    PersonView,
    ProcessCard,
    ProcessView,
    ProgressStep,
    RuleLine,
    StepView,
    UnitView,
)
from siquan.web.samples import DUES, due, say

D = dt.date
CASE = "c-0147"
TODAY = D(2026, 11, 23)
PLACE = UnitView("compound/chenghu", "compound", "澄湖花园", ("桂巷街道", "梧桐里社区", "澄湖花园"))


def at(month: int, day: int, hour: int = 1, minute: int = 0) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, minute, tzinfo=dt.UTC)


RULES = [
    ("OC-E01", "业主身份"), ("OC-E04", "承诺书"), ("OC-N01", "物业欠费"), ("OC-N02", "恶意拖欠"), ("OC-N04", "违建未改"),
    ("OC-N06", "住改商"), ("OC-N08", "利害关系"), ("OC-N09", "失信名单"), ("OC-N10", "犯罪记录"), ("OC-N13", "曾被罢免"),
    ("OC-N23", "筹备组"), ("OC-N24", "同户参选"), *((f"OC-N{n}", f"其他{n}") for n in range(25, 41)),
]  # fmt: skip
HITS = {
    "叶承志": ("OC-N04", "REJECT", "因违法搭建被责令整改（[云城执改〔2025〕77 号]，[2025-03-12]），至 <11-16 现场核查> [仍未整改到位]，因此 [拟不通过]。"),
    "冯建中": ("OC-N01", "WARN", "欠缴物业费 [8 个月]，不到 <12 个月>。"),
    "孙学礼": ("OC-N09", "EVIDENCE", "失信查询 {未知，10-12 查询已过期}；查询须在 <30 日> 内。"),
    "吴静怡": ("OC-E04", "EVIDENCE", "承诺书须三份；现有 [2 份]，{缺 1 份}。"),
    "周以宁": ("OC-N08", "REJECT", "与物业项目经理为 [配偶]，因此 [拟不通过]。"),
    "顾小满": ("OC-N24", "BLOCK", "同一套房只能有一人参选；[12 幢 2 单元] 有 [2 人]。"),
    "唐立新": ("OC-N24", "BLOCK", "同一套房只能有一人参选；[12 幢 2 单元] 有 [2 人]。"),
}  # fmt: skip
PEOPLE = [
    ("丁卫东", "党员 · 支部推荐"), ("王雅琴", "党员 · 楼组长"), ("叶承志", "自荐"), ("冯建中", "党员 · 联名"), ("朱玉兰", "自荐"), ("孙学礼", "居委推荐"),
    ("吴静怡", "自荐"), ("沈知远", "党员 · 注册会计师"), ("陆文静", "联名"), ("周以宁", "自荐"), ("顾小满", "联名"), ("唐立新", "自荐"), ("蒋明德", "居委推荐"),
]  # fmt: skip
LAW = "（二）因违法搭建、损坏房屋承重结构等被责令整改，尚未整改到位的，不得作为候选人。"


def finding(name: str, rule: str, title: str) -> Finding:
    hit = HITS.get(name)
    if hit and hit[0] == rule:
        unknown = ("illegal_build.done",) if hit[1] == "EVIDENCE" else ()
        return Finding(
            rule, "unknown" if hit[1] == "EVIDENCE" else "hit", hit[1], "OWNERS", "业主大会 2022-04-10 第 3 号决议", title,
            say(hit[2]), "议事规则 第十四条第二项", facts=("illegal_build.order", "illegal_build.done"), unknown=unknown, law=LAW,
            cure="11-24 前拆除并取得城管中队复查合格，或证明搭建人不是本人。",
        )  # fmt: skip
    return Finding(rule, "clear", "PASS", "OWNERS", "", title, say("没有这种情形。"), "议事规则 第十四条")


def decision(name: str) -> Decision:
    outcome = HITS.get(name, ("", "PASS", ""))[1]
    return Decision(
        "owners_committee.candidate", "候选人负面清单", "v7-4c19a0", "4c19a0d2" * 8, D(2026, 11, 20), "compound/chenghu",
        "PASS" if outcome == "WARN" else outcome, None, tuple(finding(name, r, t) for r, t in RULES), (),
        (ParamUse("fact.max_age", "30", D(2026, 1, 1), "", "OWNERS", "议事规则 第十五条"), ParamUse("oc.diff", "1", D(2026, 1, 1), "", "LOCAL", "本地设定")),
        {}, ("compiled", "durable"),
    )  # fmt: skip


FACTS = (
    FactView("illegal_build.order", "责令整改文书", "云城执改〔2025〕77 号", "text", "known", source="城管中队书面回函", by="何佳宁", as_of=D(2026, 11, 13), group="违法搭建"),
    FactView("illegal_build.done", "整改完成日", "未整改", "date", "absent", source="现场照片 2 张", by="何佳宁、杜若", as_of=D(2026, 11, 16), valid_until=D(2026, 12, 16), group="违法搭建"),
)  # fmt: skip


def child(n: int, name: str, sub: str) -> ChildView:
    d = decision(name)
    return ChildView(f"c-{200 + n}", n, name, "review", "审查", d.outcome, d, f"d-{200 + n}", sub, FACTS)


CHILDREN = ChildrenView(
    "candidates", "候选人", "owners_committee.candidate", tuple(child(i, n, s) for i, (n, s) in enumerate(PEOPLE, 1)), True, True, True,
    "owners_committee.candidate", tuple(RULES), (("PASS", 7), ("EVIDENCE", 2), ("REJECT", 2), ("BLOCK", 2)),
)  # fmt: skip
STEPS = (
    StepView("supplement", "请候选人补充材料", "", True, hint="孙学礼、吴静怡 2 人。发出后本人收到告知单，3 个工作日内补交；到期未补记为“未知”，不等于不合格。"),
    StepView("statement", "登记陈述意见或退出", "", True, hint="叶承志、周以宁可书面或当面陈述；当面陈述须两人记录。", opinion="required", reasons=(("spoke", "当面陈述"), ("wrote", "书面陈述"), ("left", "退出"))),
    StepView("remind", "提醒街道", "", True, needs_form=False, opinion="none", hint="不改变所在步骤。"),
    StepView(
        "publish", "进入候选人公示", "候选人公示", False,
        blocks=(
            Block("rule", "EVIDENCE", say("13 名候选人的审查须全部有结论；现有 [2 人待补证] [2 人待确认]。"), "OC-T02", "OWNERS", "候选人产生办法 第九条", cure="孙学礼补近 30 日内的失信查询；吴静怡补辞职承诺书；拟不通过 2 人由他人确认。"),
            Block("rule", "BLOCK", say("同一套房只能有一人参选；[12 幢 2 单元] 有顾小满、唐立新 [2 人]。"), "OC-N24", "OWNERS", "议事规则 第十四条第三项", law="第十四条　有下列情形之一的，不得作为候选人：……（三）同一专有部分的共有人有二人以上报名，未书面推举其中一人的。", cure="共有产权人书面推举一人，另一人登记退出。"),
        ),
        warnings=(Block("rule", "WARN", say("合格候选人 [7 人]，应选 <7 人>，未达差额 <1 人>。"), "OC-S02", "LOCAL", "本地设定，非法定；不阻止，须写明理由"),),
    ),
    StepView(
        "confirm", "确认拟不通过：叶承志、周以宁", "审查有结论", False,
        blocks=(
            Block("time", "BLOCK", say("陈述期未满：<11-19> 告知，满 <3 个工作日> 为 [11-24 周二 24:00]。"), "OC-D03", "OWNERS", "候选人产生办法 第十条；到时自动解除，不需要操作"),
            Block("person", "BLOCK", say("录入事实的人不能确认拟不通过；这 2 人的事实由 [你] 录入。"), "", "OWNERS", "候选人产生办法 第十一条"),
        ),
        helpers=("高一帆", "杜若"),
    ),
    StepView("extend", "延长报名", "候选人报名", False, blocks=(Block("role", "BLOCK", say("须由街道经办人办理。")),), helpers=("高一帆",)),
    StepView("stop", "中止换届", "已中止", False, blocks=(Block("state", "BLOCK", say("须有法院裁定，或有异议正由街道处理；现在两者都没有。")),)),
)  # fmt: skip
EVENTS = (
    EventView(38, at(11, 23, 1, 20), "何佳宁", "supplied", "收到吴静怡的竞职、履职承诺书", facts=(("承诺书", "2 份"),)),
    EventView(37, at(11, 20, 8, 5), "", "decided", "规则判定 13 名候选人，第 2 次", outcome="EVIDENCE", text="", counts=(("PASS", 7), ("EVIDENCE", 2), ("REJECT", 2), ("BLOCK", 2)), decision="d-203"),
    EventView(36, at(11, 12), "汪海棠", "recused", "申报回避：与候选人周以宁为近亲属"),
    EventView(35, at(11, 9, 1, 2), "高一帆", "acted", "办理：开始审查", to="资格审查", text="报名 13 人"),
    EventView(34, at(11, 6, 16, 0), "", "deadline", "期限届满：报名 10 日期满，自动关闭报名"),
)  # fmt: skip
NODES = "届满提示 书面报告 换届小组 业主名册 候选人报名 资格审查 候选人公示 会议公告 投票 计票 结果公告 备案 移交".split()
DATES = "09-15 09-28 10-12 10-26 11-06 11-09起 ≥7日 最迟12-11 12-26起 01-11 3日内 30日内 03-24前".split()


def case(revision: int = 38, title: str = "澄湖花园第三届业主委员会换届") -> CaseView:
    return CaseView(
        CASE, "OC-2026-0147", title, "owners_committee.term_change", "业主委员会换届", "owners_committee", "building-check",
        "screening", "资格审查", "", False, "", revision, PLACE, mine=True, steps=STEPS,
        facts=(
            FactView("seats", "应选委员", "7", "integer", "known", "人", source="议事规则 第十二条，业主大会 2022-04-10 通过"),
            FactView("owners", "业主总数", "612 人，61,204.38 m²", "text", "known", source="不动产登记，10-23 导入", by="杜若"),
            FactView("party", "党员比例", "4 / 7，即 57.1%", "decimal", "derived"),
            FactView("credit", "失信查询", "13 人中 12 人有效", "text", "stale", source="孙学礼", as_of=D(2026, 10, 12)),
            FactView("crime", "犯罪记录自述", "13 份，已遮蔽", "text", "masked", masked=True),
        ),
        dues=(DUES[1], DUES[2], due("ok", "任期届满", "2027-03-14 周日", "2022-03-15 起任，任期 5 年（议事规则第十一条）。"), DUES[4]),
        people=(
            PersonView("he", "何佳宁", "梧桐里社区", ("社区经办",), you=True), PersonView("gao", "高一帆", "桂巷街道", ("换届小组组长",)),
            PersonView("du", "杜若", "梧桐里社区", ("复核",)), PersonView("wang", "汪海棠", "梧桐里社区", note="回避候选人周以宁"),
        ),
        events=EVENTS, events_total=revision,
        progress=tuple(ProgressStep(t, "done" if i < 5 else "now" if i == 5 else "next", d) for i, (t, d) in enumerate(zip(NODES, DATES, strict=True))),
        children=(CHILDREN,),
        collections=(CollectionView("owners", "业主名册", ("房号", "业主", "面积（m²）"), (("1 幢 101", "张**", "98.20"), ("1 幢 102", "李**", "102.75")), 612, True, True, True),),
        chain_head="9f3c00aab21e9f3c", definition_hash="4c19a0d24c19a0d2", rulesets=(("owners_committee.candidate", "候选人负面清单", "v7-4c19a0"),),
        unconfirmed=("候选人产生办法第十条的陈述期按 3 个工作日，待街道核实。",), opened_at=at(9, 15),
    )  # fmt: skip


FIELDS = (
    FieldView("credit.listed", "查询结果", "boolean", True, options=(("true", "在列"), ("false", "未在列")), group="失信被执行人查询", rules=("OC-N09",)),
    FieldView("credit.day", "查询日期", "date", True, group="失信被执行人查询", help="实际查询的那一天"),
    FieldView("credit.via", "查询途径", "text", False, group="失信被执行人查询", envelope=True, evidence=("查询结果截图",)),
    FieldView("pledges", "承诺书份数", "integer", False, group="承诺书", unit="份", min="0", max="3"),
    FieldView(
        "team", "小组成员", "list", False, group="其他",
        columns=(FieldView("name", "姓名", "text", True), FieldView("role", "代表谁", "enum", True, options=(("owner", "业主"), ("street", "街道"))), FieldView("leader", "组长", "boolean", False), FieldView("until", "至", "date", False, absent="未定")),
        rows=(("何一", "owner", "true", "none"),), complete=False,
    ),
    FieldView("build_done", "整改完成日", "date", False, group="其他", absent="未整改"),
)  # fmt: skip
OPENING = (
    FieldView("amount", "金额", "decimal", True, unit="元", min="0"),
    FieldView("reason", "事由", "text", True),
)


def rows(n: int = 10) -> tuple[InboxRow, ...]:
    data = [
        ("c-0381", "复查整改情况：和悦家园 2 号楼电梯维保", "RP-2026-0381", "红色物业", "shop", "和悦家园", "待复查", True, "整改通知 云住建整〔2026〕118 号；企业回报“已更换门机”，未附照片", ("over", "超期 1 个工作日", "10 个工作日：11-06 送达，11-20 周五届满"), "over"),
        ("c-b044", "核验报到信息：市水务集团 17 名在职党员", "DR-2026-B044", "双报到", "person-check", "梧桐里社区", "待社区确认", True, "15 人地址已匹配；2 人住址不在本社区，需逐人确认", ("soon", "今天 24:00 前", "5 个工作日：11-16 收到，今天是第 5 日"), "today"),
        ("c-2093", "反馈办理结果：柳岸新村 7 幢楼道堆物", "GR-2026-11-2093", "网格事件", "diagram-2", "第三网格", "待反馈", True, "", ("soon", "今天 24:00 前", "5 个工作日：11-16 签收，今天是第 5 日"), "today"),
        (CASE, "审查补充材料：澄湖花园第三届业主委员会换届", "OC-2026-0147", "业委会与换届", "building-check", "澄湖花园", "资格审查", True, "2 名候选人待补证；2 名拟不通过已告知，陈述期未满", ("soon", "明天 11-24 周二", "3 个工作日：11-19 告知，隔周末"), "week"),
        ("c-0058", "会签：柳岸新村楼道灯加装预算 8.6 万元", "AC-2026-0058", "微幸福项目", "lightbulb", "柳岸新村", "会签中", True, "已签 3 / 5，你是第 4 位；任一人不同意即退回", ("ok", "11-25 周三", "3 个工作日：11-20 送签"), "week"),
        ("c-0912", "确认接单：陪同就医：独居老人每周一次", "VP-2026-0912", "志愿积分", "award", "澄湖花园", "待派单", True, "", ("ok", "11-25 周三", "48 小时无人接单转网格兜底"), "week"),
        ("c-0931", "张贴会议公告：澄湖花园业主大会（书面表决）", "OC-2026-0147", "业委会与换届", "building-check", "澄湖花园", "尚未开始", False, "", ("ok", "最迟 12-11 周五", "会前 15 日：12-26 开会，倒推 15 日"), "later"),
        ("c-0093", "等待住建部门答复：丽景苑备案材料补正", "OC-2026-0093", "业委会与换届", "building-check", "丽景苑", "备案审查", False, "", ("pause", "暂停，剩 3 个工作日", "11-18 要求补正，收到补正后续算"), "later"),
        ("c-0128", "办理备案：丹枫里第二届业主委员会", "OC-2026-0128", "业委会与换届", "building-check", "丹枫里", "计票中", False, "", ("prov", "暂定 2027-02-11 周四", "选举后 30 日；2027 年放假安排未公布，公布后重算"), "later"),
    ]  # fmt: skip
    return tuple(
        InboxRow(i, t, no, "p", p, icon, place, st, now, s, due(d[0], t, d[1], d[2]), g)
        for i, t, no, p, icon, place, st, now, s, d, g in data[:n]
    )


CARDS = (
    ProcessCard("approval", "approval", "小额经费审批", "cash-coin", "社区提出，书记审核；超过限额由区级确认。", 3, 12, True, (("community/wutongli", "梧桐里社区"), ("compound/chenghu", "澄湖花园"))),
    ProcessCard("owners_committee.term_change", "owners_committee", "业主委员会换届", "building-check", "从届满提示到移交，含候选人审查、公示、投票、备案。", 19, 38, True, unconfirmed=3),
    ProcessCard("owners_committee.candidate", "owners_committee", "候选人", "person-vcard", "一名候选人的审查、告知、陈述与确认。", 13, 0, False),
)  # fmt: skip
SVG = '<svg viewBox="0 0 400 80" role="img" aria-label="状态图"><g class="nd now"><rect x="10" y="14" width="138" height="52" rx="8"/><text x="79" y="44" text-anchor="middle" font-size="14.5">起草</text></g><path class="ed" d="M150 40H240"/><g class="nd end"><rect x="242" y="14" width="138" height="52" rx="8"/><text x="311" y="44" text-anchor="middle" font-size="14.5">已同意</text></g></svg>'  # noqa: E501


def process(card: ProcessCard) -> ProcessView:
    return ProcessView(
        card.id, card.plugin, card.title, card.icon, card.about, "4c19a0d24c19a0d2", SVG, "graph LR",
        (("draft", "起草", 1, "提交，到 社区审核"), ("community", "社区审核", 2, "同意；不同意"), ("approved", "已同意", 0, "")),
        (
            RuleLine("起草 → 社区审核", "L1", "超限额", say("超过 <5000 元>，需区级确认"), "PASS", "LOCAL", "本地设定", (("district_from", "5000 元"),)),
            RuleLine("起草 → 社区审核", "OC-N01", "物业欠费", say("欠缴物业费 [满 12 个月] 的"), "WARN", "POLICY", "指导规则 第十条", (), True, True),
        ),
        (("warning", "SQ-V031", "街道决定：可能没有人能办。"),), ("20 个状态都能到达", "没有走不出去的圈"), card.open, card.can_open,
        OPENING, card.places, ("物业欠费的月数待街道核实。",), (("district_from", "区级确认的起点", "5000 元", "LOCAL", "本地设定"),),
    )  # fmt: skip
