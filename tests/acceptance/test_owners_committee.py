"""A change of term as the offices live it: screening from one sheet, a refusal told and confirmed by another person,
a conflict of interest, an objection that holds the notice up. On the demo, where three compounds stand at three stages."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from siquan.core.errors import Errors, NoAccess, Refused, SiquanError
from siquan.core.rules.facts import BadFact
from siquan.core.service import Siquan
from siquan.core.service.app import ZONE
from siquan.core.service.context import Context
from siquan.core.service.refusal import MissingFacts, StepRefused
from siquan.core.sheets import rows_from_titles

CLEAN = {
    "产权类型": "登记", "在本区域": "是", "行为能力宣告": "无", "政治面貌": "群众", "推荐方式": "自荐", "推荐人": "无", "两委/支部职务": "无",
    "代表委员": "无", "专业特长": "无", "有经验退休人员": "否", "授权书有效期至": "无", "近一年居住月数": 12, "能保证工作时间": "是",
    "出生日期": "1980-05-06", "曾任业委会": "否", "N23": "否", "查询人": "何佳宁", "来源": "联审核查单",
} | {f"N{n:02}": "否" for n in (1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 17, 18, 19, 20, 21, 22)}  # fmt: skip


def parent(demo: Siquan, place: str) -> Any:
    with demo.app.store.read() as tx:
        return next(c for c in tx.cases.open_for([f"compound/{place}"], None) if c.process == "owners_committee.term_change")


def children(demo: Siquan, case: str, name: str = "candidates") -> dict[str, Any]:
    with demo.app.store.read() as tx:
        return {c.title: c for c in tx.cases.children(case, name)}


def sheet(demo: Siquan, case: str, rows: list[dict[str, Any]]) -> bytes:
    with demo.app.store.read() as tx:
        found, *_ = demo._papers._sheet(Context(demo.app, tx, tx.cases.get(case)), "candidates")
    return rows_from_titles(found, rows)


def clean(demo: Siquan, name: str, unit: str, **more: Any) -> dict[str, Any]:
    day = demo.app.today()
    dates = {"承诺书日期": (day - dt.timedelta(days=9)).isoformat(), "查询日期": (day - dt.timedelta(days=3)).isoformat()}
    return {"姓名": name, "房号": unit, "楼栋": f"{unit.partition('-')[0]}号楼", **CLEAN, **dates, **more}


def later(demo: Siquan, days: int) -> None:
    """The same installation some days on, with what the clock did by then."""
    at = dt.datetime.combine(demo.app.today() + dt.timedelta(days=days), dt.time(9), ZONE)
    demo.app.clock = demo.app.store.now = lambda: at
    demo.sweep()


def whole(demo: Siquan) -> None:
    assert demo.audit_verify() == [] and demo.replay() == []


def test_five_new_candidates_from_one_sheet(demo: Siquan) -> None:
    case = parent(demo, "chenghu").id
    before = children(demo, case)
    rows = [
        clean(demo, "白露", "21-1-0101"),
        clean(demo, "黑石", "21-1-0102", N04="是", N04文号="云城执改〔2025〕9号", N04责令日期="2025-03-01", N04整改完成日="未整改", 依据文号="城管中队书面回函"),
        clean(demo, "青川", "21-1-0103", N09="未知"),
        clean(demo, "赤峰", "21-1-0104", N01="是", N01欠费月数=8, N01欠费金额="1920.00", N01有争议="否", N01欠费依据="双方对账确认", N02="否"),
        clean(demo, "黄河", "21-1-0105", 产权类型="不是业主"),
    ]  # fmt: skip
    done = demo.import_sheet(case, "candidates", "hejianing", "候选人.xlsx", sheet(demo, case, rows), key="sheet")
    assert (done.created, done.updated) == (5, 0)
    found = {n: c for n, c in children(demo, case).items() if n not in before}
    states = {name: demo.act(child.id, "screen", "hejianing").state for name, child in found.items()}
    assert states == {"白露": "passed", "黑石": "proposed_reject", "青川": "need_evidence", "赤峰": "passed", "黄河": "proposed_reject"}
    hits = {name: {f.rule: f.outcome for f in demo.explain(c.id, "duruo")[-1].decision.hits()} for name, c in found.items()}
    assert hits["黑石"]["OC-N04"] == "REJECT" and hits["黄河"]["OC-E01"] == "REJECT" and hits["赤峰"]["OC-N01"] == "WARN"
    asked = demo.explain(found["青川"].id, "duruo")[-1].decision.asks
    assert [a.fact.partition(".")[0] for a in asked] == ["dishonest"]
    # the missing finding comes with the next sheet, and only that candidate is touched
    rows[2]["N09"] = "否"
    done = demo.import_sheet(case, "candidates", "hejianing", "候选人.xlsx", sheet(demo, case, rows[2:3]))
    assert (done.created, done.updated) == (0, 1)
    assert demo.act(found["青川"].id, "supply", "hejianing").state == "submitted"
    assert demo.act(found["青川"].id, "screen", "hejianing").state == "passed"
    table = demo.children(case, "candidates", "gaoyifan")
    assert len(table.children) == len(before) + 5 and table.ruleset == "owners_committee.candidate"
    whole(demo)


def test_one_wrong_cell_and_no_candidate_is_there(demo: Siquan) -> None:
    case = parent(demo, "chenghu").id
    before, row = children(demo, case), parent(demo, "chenghu")
    rows = [clean(demo, "白露", "21-1-0101"), clean(demo, "黑石", "21-1-0102", 出生日期="八零年", N04="大概"), clean(demo, "青川", "21-1-0103")]
    with pytest.raises(Errors) as info:
        demo.import_sheet(case, "candidates", "hejianing", "候选人.xlsx", sheet(demo, case, rows))
    assert {str(e.where)[-1] for e in info.value} == {"3"} and len(info.value.errors) == 2
    assert children(demo, case) == before and parent(demo, "chenghu") == row
    for person in ("zhouhang", "wangyue", "sunli"):
        with pytest.raises(NoAccess):
            demo.import_sheet(case, "candidates", person, "候选人.xlsx", sheet(demo, case, rows[:1]))
    assert children(demo, case) == before


def test_an_exported_list_comes_back_unchanged(demo: Siquan) -> None:
    """What the export masks (birth dates, Party membership, records) is left alone on the way back."""
    case = parent(demo, "chenghu").id
    before = children(demo, case)
    _, data = demo.sheet(case, "candidates", "hejianing")
    done = demo.import_sheet(case, "candidates", "hejianing", "候选人.xlsx", data)
    assert (done.rows, done.created, done.updated) == (len(before), 0, 0)
    assert children(demo, case) == before


def test_a_list_that_is_out_is_closed(demo: Siquan) -> None:
    """While the notice hangs nobody is added by a sheet, and who was refused is not corrected behind his back."""
    case = parent(demo, "heyue").id
    before = children(demo, case)
    with pytest.raises(Refused):
        demo.import_sheet(case, "candidates", "hejianing", "候选人.xlsx", sheet(demo, case, [clean(demo, "白露", "21-1-0101")]))
    assert children(demo, case) == before and "佟大力" in before and before["佟大力"].state == "rejected_confirmed"
    with pytest.raises(Refused):
        demo.supply(before["佟大力"].id, "hejianing", {"dishonest.listed": False})


def test_a_refusal_is_told_and_confirmed_by_another_person(demo: Siquan) -> None:
    people = children(demo, parent(demo, "chenghu").id)
    told, waiting = people["叶承志"].id, people["周以宁"].id
    assert people["叶承志"].state == people["周以宁"].state == "told"
    # the time to answer runs until its last day
    with pytest.raises(StepRefused) as info:
        demo.act(waiting, "confirm_reject", "duruo", opinion="属实")
    assert [b.kind for b in info.value.blocks] == ["time"]
    # who stated the facts, or screened, is not who confirms; nor is the community
    with pytest.raises(NoAccess):
        demo.act(told, "confirm_reject", "hejianing", opinion="属实")
    with pytest.raises(MissingFacts):
        demo.act(told, "confirm_reject", "duruo")
    demo.supply(told, "gaoyifan", {"illegal_build.order_no": "云城执改〔2025〕77号"})
    with pytest.raises(StepRefused) as info:
        demo.act(told, "confirm_reject", "gaoyifan", opinion="属实")
    assert [b.kind for b in info.value.blocks] == ["person"] and "录入过事实" in info.value.text("zh")
    done = demo.act(told, "confirm_reject", "duruo", opinion="陈述期满，未提出更正")
    assert (done.state, done.outcome) == ("rejected_confirmed", "failed")
    # he who confirmed neither adds facts nor decides whether to look again
    with pytest.raises(SiquanError):
        demo.supply(told, "duruo", {"statement": "补记"})
    with pytest.raises(StepRefused):
        demo.act(told, "reopen", "duruo", opinion="复核")
    again = demo.act(told, "reopen", "luwen", opinion="复查合格，重新审查")
    assert again.state == "submitted"
    case = demo.case(told, "hejianing")
    assert not case.final and case.outcome == ""
    demo.supply(told, "hejianing", {"illegal_build": {"rectified_date": demo.app.today().isoformat()}})
    assert demo.act(told, "screen", "hejianing").state == "passed"
    whole(demo)


def test_the_person_concerned_answers_in_time(demo: Siquan) -> None:
    case = children(demo, parent(demo, "chenghu").id)["周以宁"].id
    facts = {"statement": "配偶上月已经离职", "conflict": "none"}
    assert demo.act(case, "state_case", "hejianing", facts, "附离职证明").state == "submitted"
    assert demo.act(case, "screen", "hejianing").state == "passed"
    with pytest.raises(SiquanError):
        demo.act(case, "confirm_reject", "duruo", opinion="属实")
    whole(demo)


def test_whoever_has_an_interest_stays_out(demo: Siquan) -> None:
    people = children(demo, parent(demo, "chenghu").id)
    theirs = people["周以宁"].id
    assert "wanghaitang" in {p.id for p in demo.case(theirs, "duruo").people if p.note}
    with pytest.raises(StepRefused):
        demo.act(theirs, "withdraw", "wanghaitang", opinion="代为撤回", reason="personal")
    with pytest.raises(NoAccess):
        demo.supply(theirs, "wanghaitang", {"conflict": "none"})
    # only there
    assert demo.act(people["吴静怡"].id, "withdraw", "wanghaitang", opinion="本人书面撤回", reason="personal").state == "withdrawn"
    demo.recuse(people["叶承志"].id, "duruo", "同学")
    with pytest.raises(StepRefused):
        demo.act(people["叶承志"].id, "confirm_reject", "duruo", opinion="属实")
    assert demo.act(people["叶承志"].id, "confirm_reject", "luwen", opinion="属实").state == "rejected_confirmed"
    whole(demo)


def test_two_of_one_household(demo: Siquan) -> None:
    """Two candidates of one flat block each other until one of them withdraws."""
    people = children(demo, parent(demo, "chenghu").id)
    one, two = people["顾小满"].id, people["唐立新"].id
    assert demo.explain(one, "duruo")[-1].decision.outcome == "BLOCK"
    demo.act(two, "withdraw", "hejianing", opinion="本人书面撤回", reason="personal")
    demo.act(one, "supply", "hejianing")
    assert demo.act(one, "screen", "hejianing").state == "passed"
    whole(demo)


def test_an_objection_holds_the_notice_up(demo: Siquan) -> None:
    case = parent(demo, "heyue")
    assert case.state == "candidate_publicity.posted"
    [objection] = children(demo, case.id, "candidate_publicity.objections").values()
    later(demo, 30)
    with pytest.raises(StepRefused) as info:
        demo.act(case.id, "finish", "zhaomin")
    assert "PN-03" in info.value.values["rules"]
    answer = {"finding": "rejected", "reply_no": "和换答〔2026〕1号", "replied_on": demo.app.today().isoformat()}
    with pytest.raises(MissingFacts):
        demo.act(objection.id, "reply", "zhaomin", opinion="已核实")
    assert demo.act(objection.id, "reply", "zhaomin", answer, "已核实，绿地已经恢复").state == "replied"
    demo.act(objection.id, "escalate", "zhaomin", opinion="异议人不服")
    with pytest.raises(NoAccess):
        demo.act(objection.id, "decide_objection", "zhaomin", {"decision_no": "1"}, "维持")
    assert demo.act(objection.id, "decide_objection", "luwen", {"decision_no": "桂街〔2026〕8号"}, "维持").state == "decided"
    assert demo.act(case.id, "finish", "zhaomin").state == "meeting_notice"
    seen = [e for e in demo.case(case.id, "gaoyifan").events if e.case == objection.id]
    assert len(seen) >= 3, "what happened to the objection stands in the parent's timeline"
    whole(demo)


def test_what_is_counted_is_not_stated(demo: Siquan) -> None:
    """Nobody types in how many passed, or how the vote went."""
    case = parent(demo, "chenghu")
    for facts in ({"passed_n": 99}, {"undecided_n": 0}, {"vote.part_n": 500}, {"vote": {"elected_n": 7}}):
        with pytest.raises(BadFact):
            demo.supply(case.id, "zhaomin", facts)
    assert parent(demo, "chenghu") == case
    asked = {f.path for f in demo.supply_form(case.id, "zhaomin").fields}
    assert "households" in asked and not asked & {"passed_n", "vote.part_n"}
    with pytest.raises(StepRefused) as info:
        demo.act(case.id, "publish", "zhaomin")
    assert "OC-A06" in info.value.values["rules"]


def test_the_compound_next_door_sees_nothing(demo: Siquan) -> None:
    for place in ("chenghu", "heyue"):
        case = parent(demo, place).id
        for child in (case, *(c.id for c in children(demo, case).values())):
            with pytest.raises(NoAccess):
                demo.case(child, "hanbing")
            with pytest.raises(NoAccess):
                demo.act(child, "withdraw", "hanbing", opinion="x", reason="personal")
        with pytest.raises(NoAccess):
            demo.sheet(case, "candidates", "hanbing")
        with pytest.raises(NoAccess):
            demo.children(case, "candidates", "hanbing")
    whole(demo)
