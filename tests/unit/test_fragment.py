"""Fragments: what a use brings under its prefix, blanks, exits, and what is wrong with either side."""

from __future__ import annotations

from pathlib import Path

import pytest

from siquan.core.engine.definition import Binder
from siquan.core.errors import Errors, SiquanError, Where
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.fragment import UnknownBlank, UnknownFragment, UnmappedExit
from siquan.core.spec.load import load_fragments
from siquan.core.spec.model import ProcessSpec, RuleSetSpec
from siquan.core.spec.process import UnknownReference, read_process
from siquan.core.spec.source import Map, MissingKey, UnknownKey, parse_yaml

FRAGMENT = """
fragment: notice
title: 公示
with:
  what: {title: 什么, default: 名单}
  days: {title: 日数}
  poster: {default: clerk}
entry: ready
exits: [done, changed]
facts:
  posted_on: {type: date, by: $poster, title: "$what张贴日"}
derived: {over: today > posted_on + days($days)}
parameters: {notice.days: {2026-01-01: {value: 7}}}
rules:
  period:
    list: [{id: PN-01, when: not(over), outcome: BLOCK, basis: LOCAL, say: "$what自{posted_on}起$days日"}]
states:
  ready: {title: 待张贴, post: {by: $poster, needs: posted_on, to: up}}
  up:
    title: 公示中
    due: {after: $days days, start: posted_on}
    do:
      finish: {by: $poster, check: period, to: exit.done}
      object: {by: $poster, opens: objection, to: same}
      again: {by: $poster, set: {posted_on: "null"}, to: ready}
      change: {by: $poster, to: {yes: exit.changed, "no": up}}
children:
  objection:
    title: 异议
    as: objections
    facts: {text: {type: text}}
    rules: {ok: {list: [{id: OB-1, when: parent.posted_on > today, outcome: WARN}]}}
    states: {filed: {answer: {by: clerk, check: ok, to: done}}, done: {final: true}}
excel:
  objections: {sheet: 异议, key: [内容], columns: {内容: text}}
"""
PROCESS = """
process: p
title: 流程
roles: {clerk: 经办@community}
facts: {n: {type: integer}}
rules: {check: {list: [{id: C1, when: notice.over and n > 1, outcome: WARN}]}}
states:
  start: {go: {by: clerk, to: notice}}
  notice: {use: notice, title: 第一次公示, with: {days: 3}, exits: {done: end, changed: start}}
  end: {final: true}
"""


def expand(process: str = PROCESS, fragment: str = FRAGMENT) -> tuple[list[ProcessSpec], list[RuleSetSpec]]:
    raw = parse_yaml(fragment, "workflows/notice/fragment.yaml")
    assert isinstance(raw, Map)
    return read_process(parse_yaml(process, "p.yaml"), "demo", {"notice": raw}, {}, Where("p.yaml"))


def test_a_use_becomes_plain_states_under_its_name() -> None:
    processes, rulesets = expand()
    spec = processes[0]
    assert [s.name for s in spec.states] == ["start", "notice.ready", "notice.up", "end"]
    start, ready, up, _ = spec.states
    assert start.transitions[0].to == "notice.ready"
    assert (ready.fragment, ready.part) == ("notice", "第一次公示")
    post = ready.transitions[0]
    assert (post.to, post.needs, post.by, post.prefix) == ("notice.up", ("notice.posted_on",), ("clerk",), "notice.")
    by_name = {x.name: x for x in up.transitions}
    assert (by_name["finish"].to, by_name["finish"].check) == ("end", ("demo.p.notice.period",))
    assert by_name["object"].opens == "demo.p.notice.objection" and by_name["object"].to == ""
    assert by_name["again"].set == {"notice.posted_on": "null"} and by_name["again"].to == "notice.ready"
    assert by_name["change"].branches == {"yes": "start", "no": "notice.up"}
    assert (up.dues[0].n, up.dues[0].unit, up.dues[0].start) == ("3", "day", "posted_on")
    assert {f.name: f.title for f in spec.facts}["notice.posted_on"] == "名单张贴日"
    assert next(f for f in spec.facts if f.name == "notice.over").derive == "today > posted_on + days(3)"
    assert rulesets[1].rules[0].say == "名单自{posted_on}起3日" and rulesets[1].prefix == "notice."
    assert spec.sheets[0].target == "notice.objections"


def test_its_children_and_its_names_are_bound() -> None:
    processes, rulesets = expand()
    child = processes[1]
    assert (child.id, child.child_of and child.child_of.name, child.roles["clerk"].level) == ("demo.p.notice.objection", "notice.objections", "community")
    book = ParameterBook([x for p in processes for x in p.parameters])
    definitions, bound = Binder(processes, rulesets, book.types()).bind()
    assert set(bound) == {"demo.check", "demo.p.notice.period", "demo.p.notice.objection.ok"}
    assert bound["demo.p.notice.period"].facts == ("notice.over",)
    assert definitions["demo.p"].children == {"notice.objections": "demo.p.notice.objection"}
    assert bound["demo.p.notice.objection.ok"].facts == ("parent.posted_on",)
    assert definitions["demo.p"].schema.specs["notice.over"].type == "boolean"


def test_the_same_fragment_twice() -> None:
    twice = PROCESS.replace("changed: start}}", "changed: again}}") + "  again: {use: notice, with: {days: 5}, exits: {done: end, changed: notice}}\n"
    processes, rulesets = expand(twice)
    assert [s.name for s in processes[0].states] == ["start", "notice.ready", "notice.up", "end", "again.ready", "again.up"]
    assert processes[0].states[2].transitions[3].branches["yes"] == "again.ready"
    assert [r.id for r in rulesets[:3]] == ["demo.check", "demo.p.notice.period", "demo.p.again.period"]
    assert [p.id for p in processes[1:]] == ["demo.p.notice.objection", "demo.p.again.objection"]


@pytest.mark.parametrize(
    ("old", "new", "error", "file"),
    [
        ("use: notice", "use: notise", UnknownFragment, "p.yaml"),
        ("days: 3}", "dayz: 3}", UnknownBlank, "p.yaml"),
        ("with: {days: 3}, ", "", MissingKey, "p.yaml"),
        ("done: end, ", "", UnmappedExit, "p.yaml"),
        ("done: end, ", "done: end, gone: end, ", UnmappedExit, "p.yaml"),
        ("done: end, ", "done: ende, ", UnknownReference, "workflows/notice/fragment.yaml"),
        ("title: 第一次公示", "titel: 第一次公示", UnknownKey, "p.yaml"),
        ("to: notice}", "to: notise}", UnknownReference, "p.yaml"),
    ],
)
def test_mistakes_of_the_process(old: str, new: str, error: type[SiquanError], file: str) -> None:
    assert PROCESS.count(old) == 1
    with pytest.raises(error) as caught:
        expand(PROCESS.replace(old, new))
    assert caught.value.where is not None and caught.value.where.file == file
    assert file == "p.yaml" or error is UnknownReference
    assert "{" not in caught.value.full("zh") + caught.value.full("en")


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("to: exit.done", "to: exit.dun", UnknownReference),
        ("to: ready}", "to: redy}", UnknownReference),
        ("entry: ready", "entry: redy", MissingKey),
        ("start: posted_on}", "start: $posted}", UnknownBlank),
        ("children:", "childrn:", UnknownKey),
        ("check: period", "check: perod", UnknownReference),
        ("opens: objection", "opens: objektion", UnknownReference),
        ("needs: posted_on", "needs: postd_on", UnknownReference),
    ],
)
def test_mistakes_of_the_fragment(old: str, new: str, error: type[SiquanError]) -> None:
    assert FRAGMENT.count(old) == 1
    with pytest.raises(error) as caught:
        expand(fragment=FRAGMENT.replace(old, new))
    assert caught.value.where is not None and caught.value.where.file.endswith("fragment.yaml")


def test_known_fragments_are_named() -> None:
    with pytest.raises(UnknownFragment) as caught:
        expand(PROCESS.replace("use: notice", "use: notise"))
    assert "notice" in caught.value.help("zh") and caught.value.where is not None and caught.value.where.line == 9


def test_an_expression_of_a_fragment_is_checked_where_it_stands() -> None:
    processes, rulesets = expand(fragment=FRAGMENT.replace("not(over)", "not(ofer)"))
    with pytest.raises(SiquanError) as caught:
        Binder(processes, rulesets, {}).bind()
    faults = caught.value.errors if isinstance(caught.value, Errors) else [caught.value]
    assert [f.where and f.where.file for f in faults] == ["workflows/notice/fragment.yaml"]


def test_the_bundled_fragments_are_read() -> None:
    folder = Path(__file__).resolve().parents[2] / "workflows"
    found = load_fragments(folder)
    assert "public_notice" in found and all(isinstance(x, Map) for x in found.values())
