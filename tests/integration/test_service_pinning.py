"""A case keeps the process, rules and parameters it was opened with; a standing body follows what is in force."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from siquan.core.engine.machine import NoSuchStep
from siquan.core.plugins import Catalogue
from siquan.core.rules.facts import UnknownFact

HERE = Path(__file__).parent
APPROVAL = (HERE.parents[1] / "plugins" / "approval.yaml").read_text(encoding="utf-8").partition("cases:")[0]


def changed(*pairs: tuple[str, str]) -> str:
    text = APPROVAL
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


LOWER = changed(("value: 5000", "value: 3000"))
#: no district any more, another name for the step, another fact
OTHER = """
process: approval
title: 小额经费审批
roles: {resident: 申请人, community: 社区书记}
facts:
  sum: {title: 数额, type: integer, by: resident}
states:
  draft: {title: 起草, submit: {title: 提交, by: resident, needs: [sum], to: checked}}
  checked: {title: 核对, agree: {title: 同意, by: community, to: approved}}
  approved: {title: 已同意, final: true}
"""


def test_an_open_case_keeps_what_it_was_opened_with(town: Any, write_plugin: Any) -> None:
    old = town.submitted(4000)
    later = town.again(write_plugin("approval", LOWER))
    new = later.submitted(4000)
    assert later.siquan.form(old, "pass", "du", {}).to_title == "已同意"
    assert later.siquan.form(new, "pass", "du", {}).to_title == "区级确认"
    done = later.siquan.act(old, "pass", "du")
    assert done.state == "approved" and done.decision.parameters[0].value == 5000
    done = later.siquan.act(new, "pass", "du")
    assert done.state == "district" and done.decision.parameters[0].value == 3000
    assert later.case(old).definition_hash != later.case(new).definition_hash
    for case in (old, new):
        assert [v.replay for v in later.siquan.explain(case, "du")] == ["same"]
    later.whole()
    # and back again: each goes on with its own
    assert town.siquan.act(new, "pass", "shao").state == "approved"
    town.whole()


def test_a_case_walks_on_in_a_process_that_is_no_more(small_town: Any, write_plugin: Any) -> None:
    town = small_town
    case, draft = town.submitted(9000), town.draft()
    later = town.again(write_plugin("approval", OTHER))
    view = later.siquan.case(case, "du")
    assert (view.state_title, [s.name for s in view.steps]) == ("社区审核", ["pass", "reject"])
    later.siquan.supply(case, "he", {"reason": "换灯"})
    assert later.siquan.act(case, "pass", "du").state == "district"
    later.clock.move(later.clock.day.replace(month=12, day=20))
    assert later.siquan.sweep()["reminded"] == 1
    assert later.siquan.act(case, "pass", "shao").state == "approved"
    with pytest.raises(UnknownFact):
        later.siquan.act(later.siquan.open_case("approval", "he").case, "submit", "he", {"amount": 1})
    assert later.siquan.act(draft, "submit", "he", {"amount": 1, "reason": "茶"}).state == "community"
    later.whole()
    # with the plugin gone altogether the cases can still be read, proved and finished
    bare = town.again(Catalogue())
    assert bare.siquan.case(case, "du").state_title == "已同意"
    assert bare.siquan.act(draft, "pass", "du").state == "approved"
    bare.whole()


def test_titles_are_no_new_version(small_town: Any, write_plugin: Any) -> None:
    case = small_town.submitted()
    later = small_town.again(write_plugin("approval", changed(("title: 小额经费审批", "title: 小额经费"), ("title: 社区审核", "title: 社区核"))))
    assert later.siquan.app.force.shipped("approval").hash == later.case(case).definition_hash
    view = later.siquan.case(case, "du")
    assert (view.process_title, view.state_title) == ("小额经费", "社区核")


def test_a_standing_body_follows_what_is_in_force(small_town: Any, write_plugin: Any) -> None:
    def standing(text: str) -> str:
        return text.replace("process: approval\n", "process: approval\npin: none\n")

    town = small_town.again(write_plugin("approval", standing(APPROVAL)))
    first, second = town.submitted(4000), town.submitted(4000)
    town.siquan.act(first, "pass", "du")
    later = town.again(write_plugin("approval", standing(LOWER)))
    assert later.siquan.act(second, "pass", "du").state == "district"
    later.whole()
    # a state that was taken away under an open case is shown as such, and the rest works on
    last = town.again(write_plugin("approval", standing(OTHER)))
    view = last.siquan.case(second, "du")
    assert (view.state_title, view.steps, view.final) == ("区级确认", (), False)
    assert [t for t in view.troubles if "区级确认" in t]
    with pytest.raises(NoSuchStep):
        last.siquan.act(second, "pass", "shao")
    assert last.siquan.case(first, "du").state == "approved"
    assert last.siquan.sweep()["failed"] == 0


def test_children_are_opened_as_their_parent_was(sqlite_url: str, load_plugins: Any, make_town: Any, tmp_path: Path) -> None:
    town = make_town(sqlite_url, load_plugins(HERE / "club"))
    town.settle([("he", "wutongli", "keeper"), ("sun", "wutongli", "chair")])
    club = town.siquan.open_case("club", "he", facts={"label": "书法"}).case
    folder = tmp_path / "club"
    shutil.copytree(HERE / "club", folder)
    file = folder / "workflows" / "member.yaml"
    text = file.read_text(encoding="utf-8")
    assert "opening: [person, room]" in text
    text = text.replace("room", "flat").replace("states:\n", "states:\n  listed: {title: 已列名, go: {title: 报名, by: keeper, to: applied}}\n")
    file.write_text(text, encoding="utf-8")
    later = town.again(load_plugins(folder))
    old = later.siquan.act(club, "enrol", "he", {"person": "甲", "room": "1-1"})
    assert old.state == "applied" and later.case(old.case).definition_hash == later.case(club).definition_hash
    assert [f.path for f in later.siquan.form(club, "enrol", "he").fields] == ["person", "room"]
    fresh = later.siquan.open_case("club", "he", facts={"label": "合唱"}).case
    assert later.siquan.act(fresh, "enrol", "he", {"person": "乙", "flat": "1-1"}).state == "listed"
    assert len(later.siquan.children(club, "members", "sun").children) == 1
    later.whole()
