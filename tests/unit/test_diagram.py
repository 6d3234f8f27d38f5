"""The pictures of a process: nothing covers anything, everything is said in words."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from siquan.core.diagram import Edge, Group, Node, Step, draw, from_process, main_line, mermaid, strip
from siquan.core.diagram.lettering import lines, shorten, width
from siquan.core.diagram.picture import Layout, arrange
from siquan.core.plugins import discover
from siquan.core.spec.model import (
    DueSpec,
    ParamLine,
    ParamSpec,
    ProcessSpec,
    RoleSpec,
    StateSpec,
    TransitionSpec,
)

SVG = "{http://www.w3.org/2000/svg}"


def term_change() -> tuple[list[Node], list[Edge], list[Group]]:
    """The twenty states of the mockup's process page."""
    line = [
        ("term", "任期中", "412 个小区", "done"),
        ("due", "届满提示", "3 件，6 天", ""),
        ("report", "书面报告", "2 件，9 天", ""),
        ("team", "换届小组", "2 件，21 天", ""),
        ("roll", "业主名册", "1 件，14 天", ""),
        ("signup", "候选人报名", "1 件，10 天", ""),
        ("screen", "资格审查", "4 件，16 天", "now"),
        ("notice.posted", "候选人公示", "1 件，8 天", ""),
        ("meeting", "会议公告", "1 件，15 天", ""),
        ("vote", "投票", "1 件，22 天", ""),
        ("count", "计票与结果", "0 件，2 天", ""),
        ("filing", "备案", "1 件，11 天", ""),
        ("handover", "移交", "0 件，6 天", ""),
        ("done", "已办结", "38 件", "end"),
    ]
    beside = [
        ("late", "逾期未换届", "0 件", ""),
        ("order", "街道责令", "0 件，限 30 日", ""),
        ("stopped", "已中止", "0 件", "end"),
        ("notice.objection", "异议受理", "1 件，2 天", ""),
        ("notice.street", "街道决定", "1 件，12 天", "bad"),
        ("extend", "延长投票", "0 件，一次", ""),
    ]
    nodes = [
        Node(i, t, s, k, group=i.split(".")[0] if "." in i else "", href=f"#{i}", main=main)  # type: ignore[arg-type]
        for main, some in ((True, line), (False, beside))
        for i, t, s, k in some
    ]
    days = ["180 日", "90 日", "60 日", "", "", "10 日", "5 条规则", "公示 7 日期满，无未结异议", "15 日"]
    days += ["≤60 日", "3 日", "30 日", "10 日"]
    edges = [
        Edge(a[0], b[0], d, "hot" if a[0] == "screen" else "")
        for a, b, d in zip(line, line[1:], days, strict=False)
    ]
    edges += [
        Edge(a, b, words, "back")
        for a, b, words in (
            ("notice.posted", "screen", "名单有变"),
            ("screen", "signup", "延长报名"),
            ("notice.posted", "notice.objection", "异议"),
            ("notice.objection", "notice.posted", "答复"),
            ("notice.objection", "notice.street", "不服"),
            ("notice.street", "notice.posted", "决定"),
            ("due", "late", "未报告"),
            ("late", "order", "街道督促后仍不换届"),
            ("order", "team", "组成"),
            ("screen", "stopped", "法院裁定"),
            ("vote", "extend", "参与不足 2/3"),
            ("extend", "vote", ""),
        )
    ]
    return nodes, edges, [Group("notice", "片段 public_notice 公示与异议")]


def long_process() -> ProcessSpec:
    """Thirty-three states: two fragments, ways back over several rows, acts possible at any time."""
    text = """
draft 起草立项|提交>accept
accept 受理审核|受理>survey;退回补正>correct;不予受理>refused
correct 材料补正 S|补正后再提交>accept;逾期未补>closed
survey 现场踏勘|形成踏勘意见>opinion;需要专业鉴定>expert
expert 专业机构鉴定 S|出具鉴定>opinion
opinion 联合会审|会审通过>plan,correct;退回重新踏勘>survey
plan 方案编制|提交方案>notice.posted
notice.posted 公示张贴|公示期满无异议>vote.open;收到异议>notice.objection;内容有变>plan
notice.objection 异议受理 S|答复>notice.posted;不服升级>notice.street
notice.street 街道决定 S|维持>notice.posted;支持异议>plan
vote.open 业主表决|收齐选票>vote.count;参与不足>vote.extend
vote.extend 延长表决 S|继续>vote.open;仍不足>failed
vote.count 计票公布|达到双过半>fund,failed;有人申请复核>vote.recheck
vote.recheck 选票复核 S|复核无误>fund;有误重计>vote.count
fund 资金申请|提交使用申请>fundcheck
fundcheck 维修资金审核|同意拨付>tender;材料不齐>fund;登记说明>fundcheck
tender 招标比选|确定施工单位>contract;流标>plan
contract 合同签订与备案|备案完成>build
build 施工进场|完工报验>verify;申请变更>change;停工>halt
change 工程变更 S|同意变更>build;重新表决>vote.open
halt 停工整改 S|整改合格复工>build;解除合同>tender
verify 竣工验收|合格>settle,rework
rework 返工整改 S|再次报验>verify;超过两次>dispute
dispute 争议调解 S|达成一致>settle;调解不成>court
court 诉讼或仲裁 S|裁决生效>settle
settle 审价结算|结算确认>pay
pay 尾款支付|支付完毕>warranty
warranty 质保期|期满无问题>archive;报修>repair
repair 质保维修 S|修复>warranty
archive 归档公开|归档>done
done 已办结 F|
refused 不予受理 SF|
failed 表决未通过 SF|
closed 已关闭 SF|
stopped 已中止 SF|"""
    states = []
    for row in text.strip().splitlines():
        head, _, ways = row.partition("|")
        name, title, *flags = head.split()
        flag = flags[0] if flags else ""
        transitions = []
        for k, way in enumerate(w for w in ways.split(";") if w):
            words, _, ends = way.partition(">")
            branches = dict(zip(("PASS", "REJECT"), ends.split(","), strict=False)) if "," in ends else {}
            to = "" if branches else ends
            transitions.append(
                TransitionSpec(name=f"t{k}", title=words, by=("clerk",), to=to, branches=branches)
            )
        states.append(
            StateSpec(
                name=name,
                title=title,
                final=name if "F" in flag else "",
                main="S" not in flag,
                transitions=tuple(transitions),
                fragment={"notice": "public_notice", "vote": "vote_with_quorum"}.get(name.split(".")[0], "")
                if "." in name
                else "",
            )
        )
    return ProcessSpec(
        id="repair.fund",
        plugin="repair",
        title="维修资金使用",
        roles={"clerk": RoleSpec(name="clerk", title="社区经办")},
        states=tuple(states),
        anywhere=(
            TransitionSpec(name="cancel", title="撤销", to="closed"),
            TransitionSpec(name="stop", title="法院裁定中止", to="stopped"),
        ),
    )


def approval() -> ProcessSpec:
    def way(name: str, title: str, by: str, **more: object) -> TransitionSpec:
        return TransitionSpec(name=name, title=title, by=(by,), **more)  # type: ignore[arg-type]

    return ProcessSpec(
        id="approval",
        plugin="approval",
        title="小额经费审批",
        roles={n: RoleSpec(name=n, title=t) for n, t in (("resident", "申请人"), ("community", "社区书记"))},
        parameters=(
            ParamSpec(
                name="district_days",
                lines=(
                    ParamLine(since="2026-01-01", value=5),  # type: ignore[arg-type]
                    ParamLine(since="2026-07-01", value=7),  # type: ignore[arg-type]
                ),
            ),
        ),
        states=(
            StateSpec(
                name="draft", title="起草", transitions=(way("submit", "提交", "resident", to="community"),)
            ),
            StateSpec(
                name="community",
                title="社区审核",
                dues=(DueSpec(name="due", n="3", unit="workday"),),
                transitions=(
                    way("pass", "同意", "community", branches={"district": "district", "done": "approved"}),
                    way("reject", "不同意", "community", to="rejected"),
                ),
            ),
            StateSpec(
                name="district",
                title="区级确认",
                dues=(DueSpec(name="due", n="district_days", unit="workday"),),
                transitions=(
                    way("pass", "同意", "community", to="approved"),
                    way("reject", "不同意", "community", to="rejected"),
                ),
            ),
            StateSpec(name="approved", title="已同意", final="approved"),
            StateSpec(name="rejected", title="未同意", final="rejected"),
        ),
    )


def laid_out(nodes: list[Node], edges: list[Edge], groups: list[Group]) -> Layout:
    return arrange(tuple(nodes), tuple(edges), tuple(groups), 1290)


def samples() -> list[tuple[str, list[Node], list[Edge], list[Group]]]:
    big, small = from_process(long_process()), from_process(approval())
    return [
        ("term_change", *term_change()),
        ("long", list(big.nodes), list(big.edges), list(big.groups)),
        ("approval", list(small.nodes), list(small.edges), list(small.groups)),
    ]


SAMPLES = {name: (n, e, g) for name, n, e, g in samples()}


@pytest.mark.parametrize("name", SAMPLES)
def test_no_state_covers_another_and_all_fit_the_page(name: str) -> None:
    layout = laid_out(*SAMPLES[name])
    boxes = list(layout.placement.boxes.values())
    assert not any(a.grown(8).meets(b) for a, b in itertools.combinations(boxes, 2))
    assert all(b.x > 0 and b.right < 1290 for b in boxes)


@pytest.mark.parametrize("name", SAMPLES)
def test_ways_run_level_or_upright_from_border_to_border_and_through_no_state(name: str) -> None:
    nodes, edges, groups = SAMPLES[name]
    layout = laid_out(nodes, edges, groups)
    boxes = layout.placement.boxes
    for edge, path in zip(edges, layout.paths, strict=True):
        assert len(path) >= 2, edge
        for end, point in ((edge.source, path[0]), (edge.target, path[-1])):
            b = boxes[end]
            on_side = point[0] in (b.x, b.right) and b.y < point[1] < b.bottom
            on_top = point[1] in (b.y, b.bottom) and b.x < point[0] < b.right
            assert on_side or on_top, (edge, point, b)
        for p, q in itertools.pairwise(path):
            assert p[0] == q[0] or p[1] == q[1], (edge, p, q)
            for state, box in boxes.items():
                assert not box.grown(-1).cut_by(p, q), (edge, state)


@pytest.mark.parametrize("name", SAMPLES)
def test_words_cover_no_state_and_no_other_words(name: str) -> None:
    nodes, edges, groups = SAMPLES[name]
    layout = laid_out(nodes, edges, groups)
    found = [x for x in layout.labels if x]
    assert len(found) == sum(1 for e in edges if e.label)
    for box in (x.box for x in found):
        assert not any(box.meets(b) for b in layout.placement.boxes.values())
        assert box.x >= 0 and box.right <= 1290
    assert not any(a.box.meets(b.box) for a, b in itertools.combinations(found, 2))


@pytest.mark.parametrize("name", SAMPLES)
def test_ways_to_different_states_share_no_stretch(name: str) -> None:
    nodes, edges, groups = SAMPLES[name]
    layout = laid_out(nodes, edges, groups)
    both = zip(edges, layout.paths, strict=True)
    stretches = [(e.target, p, q) for e, path in both for p, q in itertools.pairwise(path)]
    for (one, a, b), (two, c, d) in itertools.combinations(stretches, 2):
        if one == two:
            continue
        for k in (0, 1):
            if a[k] == b[k] == c[k] == d[k]:
                over = min(max(a[1 - k], b[1 - k]), max(c[1 - k], d[1 - k])) - max(
                    min(a[1 - k], b[1 - k]), min(c[1 - k], d[1 - k])
                )
                assert over <= 1, (one, two, a, b, c, d)


def test_the_main_line_turns_at_the_end_of_a_row() -> None:
    layout = laid_out(*term_change())
    boxes = layout.placement.boxes
    first = [boxes[n] for n in ("term", "due", "report", "team", "roll", "signup", "screen")]
    second = [boxes[n] for n in ("notice.posted", "meeting", "vote", "count", "filing", "handover", "done")]
    assert [b.x for b in first] == sorted(b.x for b in first) and len({b.y for b in first}) == 1
    assert [b.x for b in second] == sorted((b.x for b in second), reverse=True)
    assert len({b.y for b in second}) == 1 and second[0].y > first[0].y and second[0].x == first[-1].x


def test_states_beside_the_line_stand_near_their_neighbours() -> None:
    boxes = laid_out(*term_change()).placement.boxes
    for one, other in (("late", "due"), ("order", "team"), ("extend", "vote"), ("stopped", "screen")):
        assert boxes[one].x == boxes[other].x, (one, other)


def test_a_frame_goes_round_its_states_and_round_no_other() -> None:
    nodes, edges, groups = term_change()
    layout = laid_out(nodes, edges, groups)
    (frame,) = layout.frames
    assert len(frame.loops) == 1
    assert frame.title == "片段 public_notice 公示与异议"


def test_the_same_graph_gives_the_same_picture() -> None:
    nodes, edges, groups = term_change()
    one = draw(nodes, edges, groups, title="换届")
    arrange.cache_clear()
    assert one == draw(nodes, edges, groups, title="换届")
    counted = [replace(n, sub="9 件") if n.sub else n for n in nodes]
    before = arrange.cache_info().misses
    draw(counted, edges, groups, title="换届")
    assert arrange.cache_info().misses == before, "numbers do not lay it out again"


def test_svg_is_well_formed_and_says_everything_in_words() -> None:
    nodes, edges, groups = term_change()
    svg = draw(nodes, edges, groups, title="换届 <状态图>", note="任何时候：撤销 & 中止")
    root = ET.fromstring(svg)
    assert root.get("role") == "group", "links in an image are hidden from screen readers"
    title = root.find(f"{SVG}title")
    assert title is not None and title.text == "换届 <状态图>"
    assert root.get("aria-labelledby") == title.get("id")
    links = root.findall(f".//{SVG}a")
    assert [a.get("href") for a in links] == [n.href for n in nodes]
    for link, node in zip(links, nodes, strict=True):
        words = link.find(f".//{SVG}title")
        assert words is not None and words.text is not None
        assert words.text.startswith(f"{node.title}；{node.sub}")
    said = {t.text for t in root.findall(f".//{SVG}path/{SVG}title")}
    assert {e.label for e in edges if e.label} <= said
    assert any("撤销 & 中止" in (t.text or "") for t in root.findall(f".//{SVG}text"))
    assert draw([Node("a", "甲")], [], title="x").count('role="img"') == 1


def test_only_classes_and_tokens_of_the_theme() -> None:
    nodes, edges, groups = term_change()
    svg = draw(nodes, edges, groups, title="t") + strip([Step("a", "甲", "11-23")], 0, title="t")
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b", re.sub(r"url\(#[^)]+\)|href=\"#[^\"]+\"", "", svg))
    assert "style=" not in svg and "<script" not in svg and "http" not in svg.replace("http://www.w3.org", "")
    for classes in ("nd now", "nd done", "nd end", "nd bad", "ed back", "ed hot", "ah hot", "lt bld"):
        assert f'class="{classes}"' in svg, classes


def test_hostile_and_odd_words() -> None:
    nodes = [
        Node("a", '<script>alert("1")</script>', "&", href='javascript:"x"'),
        Node("b", "非常非常长的状态名称超过了两行还是放不下所以要省略一些字才能画出来"),
        Node("c", "a-very-long-latin-word-without-any-blank-in-it"),
    ]
    edges = [
        Edge("a", "b", "一条很长很长很长很长很长很长很长很长很长很长的转移名称", "", ""),
        Edge("b", "c", "<b>"),
        Edge("c", "c", "补充材料"),
        Edge("c", "nowhere", "x"),
    ]
    svg = draw(nodes, edges, title="t")
    root = ET.fromstring(svg)
    assert "<script>" not in svg
    shown = [t.text or "" for t in root.findall(f".//{SVG}text")]
    assert any(t.endswith("…") for t in shown)
    said = [t.text or "" for t in root.findall(f".//{SVG}title")]
    assert edges[0].label in said and nodes[1].title in said
    assert "a-very-long-latin-word-without-any-blank-in-it；补充材料" in said, "a loop is told at its state"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 8, 25, 40])
def test_any_number_of_states(count: int) -> None:
    nodes = [Node(str(i), f"状态{i}", main=i % 3 != 2) for i in range(count)]
    edges = [Edge(str(i), str((i * 7 + 1) % count), f"转移{i}") for i in range(count)] if count else []
    root = ET.fromstring(draw(nodes, edges, title="t"))
    assert len(root.findall(f".//{SVG}g[@class='nd']")) == count


def test_all_states_beside_the_line() -> None:
    nodes = [Node("a", "甲", main=False), Node("b", "乙", main=False)]
    assert ET.fromstring(draw(nodes, [Edge("a", "b")], title="t")) is not None


def test_letters_fit_their_room() -> None:
    assert width("状态", 10) == 20
    assert shorten("资格审查", 10, 100) == "资格审查"
    cut = shorten("资格审查与候选人公示", 10, 50)
    assert cut.endswith("…") and width(cut, 10) <= 50
    samples = ("公示 7 日期满，无未结异议", "pass the case on", "拟不通过（告知陈述）", "1234567890123456")
    for text in samples:
        for room in (40, 60, 90):
            broken = lines(text, 11.5, room, 2)
            assert 1 <= len(broken) <= 2
            assert all(width(b, 11.5) <= room for b in broken), (text, room, broken)
            assert not any(b[0] in "，。）" or b[-1] in "（" for b in broken if b)
    assert lines("", 11.5, 50) == []


def test_strip_marks_done_now_and_to_come() -> None:
    titles = "届满提示 书面报告 换届小组 业主名册 候选人报名 资格审查 候选人公示".split()
    steps = [Step(t, t, f"11-{i + 1:02}") for i, t in enumerate(titles)]
    root = ET.fromstring(strip(steps, "资格审查", title="共 7 步，当前第 6 步"))
    kinds = [g.get("class") for g in root.findall(f"{SVG}g")]
    assert kinds == ["nd done"] * 5 + ["nd now", "nd"]
    shown = [t.text for t in root.findall(f".//{SVG}text")]
    assert "6" in shown and "11-06" in shown and "资格审查" in shown
    over = ET.fromstring(strip(steps, None, title="已走完"))
    assert {g.get("class") for g in over.findall(f"{SVG}g")} == {"nd done"}


def test_strip_of_eighteen_steps_does_not_run_together() -> None:
    steps = [Step(str(i), f"办理步骤名称{i}", "最迟 11-24") for i in range(18)]
    root = ET.fromstring(strip(steps, 7, title="t", aside="现在：异议受理"))
    starts = ("办理", "最迟", "步骤", "名称")
    words = [t for t in root.findall(f".//{SVG}text") if (t.text or "")[:2] in starts]
    spans: dict[str, list[tuple[float, float]]] = {}
    for t in words:
        wide = width(t.text or "", float(t.get("font-size", "0")))
        x = float(t.get("x", "0"))
        spans.setdefault(t.get("y", ""), []).append((x - wide / 2, x + wide / 2))
    for row in spans.values():
        row.sort()
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(row))
    assert any(t.text == "现在：异议受理" for t in root.findall(f".//{SVG}text"))


def test_from_process_finds_the_line_merges_ways_and_shows_time() -> None:
    spec = approval()
    assert main_line(spec) == ["draft", "community", "district", "approved"]
    graph = from_process(spec, now="community", done=["draft"], href=lambda s: f"/s/{s}")
    by = {n.id: n for n in graph.nodes}
    assert not by["rejected"].main and by["rejected"].kind == "end"
    assert by["community"].kind == "now" and by["draft"].kind == "done"
    assert by["community"].sub == "社区书记 · 3 个工作日"
    assert by["district"].sub == "社区书记 · 7 个工作日", "the newest shipped value of the parameter"
    assert by["district"].href == "/s/district"
    kinds = {(e.source, e.target): e.kind for e in graph.edges}
    assert kinds["draft", "community"] == "done" and kinds["community", "district"] == "hot"
    assert kinds["community", "rejected"] == "back" and kinds["community", "approved"] == ""
    titles = {(e.source, e.target): e.title for e in graph.edges}
    assert titles["community", "approved"] == "同意（done）"
    counted = from_process(spec, counts={"draft": 3, "district": "2 件，9 天"})
    subs = {n.id: n.sub for n in counted.nodes}
    assert subs["draft"] == "3 件" and subs["district"] == "2 件，9 天", "what does not fit is left"


def test_from_process_with_fragments_outcomes_loops_and_acts_at_any_time() -> None:
    graph = from_process(long_process())
    assert [g.title for g in graph.groups] == ["片段 public_notice", "片段 vote_with_quorum"]
    assert graph.note == "未办结时随时可以：撤销（到 已关闭）、法院裁定中止（到 已中止）"
    labels = {(e.source, e.target): e.label for e in graph.edges}
    assert labels["verify", "settle"] == "合格（通过）" and labels["verify", "rework"] == "合格（不通过）"
    assert ("fundcheck", "fundcheck") not in labels
    assert next(n for n in graph.nodes if n.id == "fundcheck").note == "本步可办：登记说明"
    assert next(e for e in graph.edges if (e.source, e.target) == ("tender", "plan")).kind == "back"
    assert ET.fromstring(graph.svg()) is not None


def test_english_words_and_translations() -> None:
    texts = {"states.draft.title": "Draft", "states.draft.submit.title": "submit", "title": "Small grants"}
    graph = from_process(approval(), lang="en", texts=texts, counts={"draft": 2})
    assert graph.title == "Small grants: a diagram of 5 states, with a table below"
    assert graph.nodes[0].title == "Draft" and graph.nodes[0].sub == "2 open"
    assert graph.edges[0].label == "submit"


def test_strip_of_a_case() -> None:
    graph = from_process(approval())
    svg = graph.progress("community", dates={"draft": "11-20"}, done=["draft"])
    assert "当前第 2 步：社区审核" in svg and "11-20" in svg
    aside = graph.progress("rejected", done=["draft", "community"])
    assert "未同意" in aside and "当前第 2 步：未同意" in aside
    assert "已走完" in graph.progress("approved", done=["draft", "community"])


def test_mermaid_text() -> None:
    nodes, edges, _ = term_change()
    text = mermaid([*nodes, Node("end", 'a "b": c', kind="end")], edges)
    assert text.startswith("stateDiagram-v2\n")
    assert '  state "候选人公示" as notice_posted' in text
    assert "  notice_posted --> notice_objection : 异议" in text
    assert '  state "a ”b”： c" as end_' in text and "  end_ --> [*]" in text
    assert "  [*] --> term" in text



def test_a_state_says_how_its_work_is_given_out_and_signed() -> None:
    spec = discover().definition("joint_order.joint_order").spec
    marks = {lang: {n.id: n.mark for n in from_process(spec, lang=lang).nodes} for lang in ("zh", "en")}
    assert marks["zh"] == {"draft": "", "handle": "派单", "confer": "票签", "issue": "顺序签", "issued": ""}
    assert marks["en"] == {"draft": "", "handle": "dispatch", "confer": "vote", "issue": "in order", "issued": ""}
    svg = from_process(spec).svg(full=True)
    assert ">派单</text>" in svg and ">票签</text>" in svg and "票签　会商：社区承办、城管中队，同意达到 0.6 通过" in svg
    mermaid = from_process(spec, lang="en").mermaid()
    assert "Dispatch — 承办： by 街道派单员, taken after it is claimed" in mermaid and "Vote — 会商： 社区承办, 城管中队； passed with 0.6 of all" in mermaid
