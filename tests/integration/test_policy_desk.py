"""The whole way of a change through the service, as the policy team goes it, on both databases."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from openpyxl import load_workbook

from siquan.core.errors import BadInput, NoAccess, NotFound, Refused, SiquanError, Stale
from siquan.core.policy.life import VersionRefused

SET = "approval.level"
NEW_YEAR = dt.date(2027, 1, 1)
RAISE = {"op": "param", "name": "district_from", "since": "2027-01-01", "value": "8000", "basis": "LOCAL", "cite": "区里 2026 年 12 号文"}


@pytest.fixture
def desk(town: Any) -> Any:
    """A town with a policy desk: qin drafts, shen and fan approve; three cases are on record."""
    town.settle([("lan", "yunxi", "policy_author"), ("shen", "yunxi", "policy_approver"), ("fan", "yunxi", "policy_approver")])
    with town.store.begin() as tx:
        tx.people.grant("qin", "policy_author", "yunxi", dt.date(2020, 1, 1))
    for amount in (4000, 6000, 9000):
        town.siquan.act(town.submitted(amount), "pass", "du")
    return town


def draft(desk: Any, *edits: dict[str, Any]) -> str:
    made = desk.siquan.start_draft(SET, "qin")
    desk.siquan.edit_draft(made.id, "qin", edits or [RAISE], made.revision)
    return str(made.id)


def publish(desk: Any, version: str, effective: dt.date = NEW_YEAR) -> None:
    desk.siquan.start_impact(version, "qin")
    desk.siquan.submit_draft(version, "qin", effective, "上级文件")
    desk.siquan.sign_draft(version, "shen", True, "同意")
    desk.siquan.publish_draft(version, "qin")


def test_a_threshold_is_raised_and_takes_effect_on_its_day(desk: Any) -> None:
    siquan = desk.siquan
    version = draft(desk)
    page = siquan.draft(version, "qin", wait=None)
    assert page.proof.status == "done" and page.proof.kind == "different"  # a value has no order
    assert page.proof.smallest is not None and page.proof.smallest.facts
    assert page.proof.smallest.before.value == "district" and page.proof.smallest.after.value == "done"
    assert [g.text for g in page.gates if g.status != "ok"] == ["算过影响"]
    with pytest.raises(VersionRefused):
        siquan.submit_draft(version, "qin", NEW_YEAR, "上级文件")
    card = siquan.start_impact(version, "qin")
    assert (card.status, card.decisions, card.changed) == ("done", 3, 1)
    impact = siquan.impact(version, "qin")
    assert [(f.before, f.after, f.n) for f in impact.flows if f.tone != "same"] == [("PASS district", "PASS done", 1)]
    assert [(r, more, less) for r, _, more, less in impact.by_rule] == [("L1", 0, 1), ("L2", 1, 0)]
    assert len(impact.flips) == 1 + sum(f.open for f in impact.flips)
    siquan.submit_draft(version, "qin", NEW_YEAR, "上级文件")
    with pytest.raises(NoAccess):
        siquan.sign_draft(version, "qin", True, "")
    siquan.sign_draft(version, "shen", True, "同意")
    siquan.publish_draft(version, "qin")
    assert [siquan.decide(SET, {"amount": 6000, "reason": "维修"}, on=d).value for d in (dt.date(2026, 12, 31), NEW_YEAR)] == ["district", "done"]
    # as one knew the day before the publication
    assert siquan.decide(SET, {"amount": 6000}, on=NEW_YEAR, known=dt.date(2026, 11, 22)).value == "district"
    desk.whole()


def test_open_cases_keep_their_rules_until_they_are_migrated(desk: Any) -> None:
    siquan, version = desk.siquan, draft(desk, {"op": "cell", "rule": "L1", "column": "amount", "text": "> 20000"}, {"op": "cell", "rule": "L2", "column": "amount", "text": "<= 20000"})
    old = desk.submitted(9000)
    publish(desk, version, dt.date(2026, 11, 24))
    today = desk.submitted(9000)
    desk.clock.move(dt.date(2026, 11, 24))
    new, moved = desk.submitted(9000), desk.submitted(30000)
    for reason in ("", "  "):
        with pytest.raises(BadInput):
            siquan.migrate_case(old, version, "qin", reason)
    with pytest.raises(NoAccess):
        siquan.migrate_case(old, version, "du", "街道同意按新标准办")
    siquan.migrate_case(old, version, "qin", "街道同意按新标准办")
    with pytest.raises(Refused):
        siquan.migrate_case(old, version, "qin", "再来一次")
    assert [siquan.act(c, "pass", "du").state for c in (old, today, new, moved)] == ["approved", "district", "approved", "district"]
    story = [e for e in desk.events(old) if e.kind == "migrated"]
    assert len(story) == 1 and story[0].data["trial"] == ["PASS district", "PASS done"] and story[0].data["label"] == "v1"
    view = siquan.case(old, "du")
    assert any("v1" in e.title for e in view.events)
    assert all(v.replay == "same" for v in siquan.explain(old, "du"))
    desk.whole()


def test_a_version_that_is_not_in_force_takes_no_case(desk: Any) -> None:
    version, case = draft(desk), desk.submitted(9000)
    with pytest.raises(Refused):
        desk.siquan.migrate_case(case, version, "qin", "想试试")
    publish(desk, version)
    with pytest.raises(Refused):
        desk.siquan.migrate_case(case, version, "qin", "还没有生效")


def test_two_editors_of_one_draft(desk: Any) -> None:
    made = desk.siquan.start_draft(SET, "qin")
    desk.siquan.edit_draft(made.id, "lan", [RAISE], made.revision)
    with pytest.raises(Stale):
        desk.siquan.edit_draft(made.id, "qin", [{"op": "rule", "rule": "L2", "fields": {"say": "社区办结"}}], made.revision)
    page = desk.siquan.draft(made.id, "qin", wait=None)
    assert [d.kind for d in page.differences] == ["parameter"]
    desk.siquan.edit_draft(made.id, "qin", [{"op": "rule", "rule": "L2", "fields": {"say": "社区办结"}}], page.revision)
    assert len(desk.siquan.draft(made.id, "qin", wait=None).differences) == 2


def test_who_may_do_what(desk: Any) -> None:
    siquan = desk.siquan
    with pytest.raises(NoAccess):
        siquan.start_draft(SET, "du")
    with pytest.raises(NotFound):
        siquan.start_draft("approval.none", "qin")
    version = draft(desk)
    for act in (
        lambda: siquan.draft(version, "du"), lambda: siquan.edit_draft(version, "shen", [RAISE]), lambda: siquan.start_impact(version, "du"),
        lambda: siquan.rule_set(SET, "du", version=version), lambda: siquan.rule_file(SET, version, "xlsx", "du"), lambda: siquan.discard_draft(version, "shen"),
        lambda: siquan.rule_diff(SET, "shipped", version, "du"), lambda: siquan.sign_draft(version, "lan", True),
    ):  # fmt: skip
        with pytest.raises(NoAccess):
            act()
    # what is in force anybody may read
    assert siquan.rule_set(SET, "du").rules[0].id == "L1"
    assert all(not c.drafts for c in siquan.rule_sets("du"))
    assert next(c for c in siquan.rule_sets("qin") if c.id == SET).yours == "edit"


def test_a_workbook_goes_out_and_comes_back(desk: Any) -> None:
    siquan, version = desk.siquan, draft(desk)
    name, data = siquan.rule_file(SET, version, "xlsx", "qin")
    assert name.endswith(".xlsx")
    same = siquan.upload_draft(version, "qin", name, data, None)
    assert same.changes == ()
    book = load_workbook(io.BytesIO(data))
    sheet = book["规则"]
    cell = next(c for row in sheet.iter_rows() for c in row if c.value == "> district_from")
    cell.value = "> 7000"
    out = io.BytesIO()
    book.save(out)
    done = siquan.upload_draft(version, "qin", name, out.getvalue(), None)
    assert [(d.kind, d.rule) for d in done.changes] == [("changed", "L1")]
    page = siquan.draft(version, "qin", wait=None)
    assert {i.kind for i in page.proof.issues if i.blocking} >= {"overlap"}
    assert any(g.status == "failed" and "重叠" in g.text for g in page.gates)
    cell.value = "> 很多"
    out = io.BytesIO()
    book.save(out)
    before = siquan.draft(version, "qin", wait=None).revision
    with pytest.raises(SiquanError) as fault:
        siquan.upload_draft(version, "qin", name, out.getvalue(), None)
    assert "规则!" in fault.value.full("zh")
    assert siquan.draft(version, "qin", wait=None).revision == before


def test_a_dmn_model_and_the_plugin_s_own_file_go_out_and_come_back(desk: Any, load_plugins: Any, tmp_path: Any) -> None:
    siquan = desk.siquan
    version = draft(desk, RAISE, {"op": "cell", "rule": "L1", "column": "amount", "text": "> district_from, 0"})
    name, model = siquan.rule_file(SET, version, "dmn", "qin")
    assert siquan.upload_draft(version, "qin", name, model, None).changes == ()
    # a model that was not edited changes nothing, however old it is; an edited one brings its edits and nothing else
    other = siquan.start_draft(SET, "qin").id
    siquan.edit_draft(other, "qin", [{"op": "rule", "rule": "L2", "fields": {"say": "社区办结"}}])
    assert siquan.upload_draft(other, "qin", name, model, None).changes == ()
    edited = model.replace("超过{district_from}元,需区级确认".encode(), "要区级确认".encode())
    assert edited != model
    found = siquan.upload_draft(other, "qin", name, edited, None)
    assert [(d.kind, d.rule, d.field) for d in found.changes] == [("changed", "L1", "say")]
    assert "社区办结" in siquan.draft(other, "qin", wait=None).page.rules[1].say
    with pytest.raises(SiquanError):
        siquan.upload_draft(other, "qin", "x.dmn", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + model, None)
    # the file is the shipped one with the two changes in it, and loads as a plugin
    name, text = siquan.rule_file(SET, version, "yaml", "qin")
    assert name.endswith(".yaml")
    (tmp_path / "approval.yaml").write_bytes(text)
    loaded = load_plugins(tmp_path / "approval.yaml")
    assert loaded.rulesets[SET].spec.rules[0].cells == {"amount": "> district_from, 0"}
    assert loaded.book_of(SET).value("district_from", NEW_YEAR) == 8000


def test_a_draft_with_a_fault_is_kept_and_goes_nowhere(desk: Any) -> None:
    siquan, version = desk.siquan, draft(desk, {"op": "cell", "rule": "L1", "column": "amount", "text": "> 很多"})
    page = siquan.draft(version, "qin", wait=None)
    assert page.errors and page.proof.status == "none" and page.page.rules[0].cells[0].error
    with pytest.raises(Refused):
        siquan.start_impact(version, "qin")
    with pytest.raises(VersionRefused):
        siquan.submit_draft(version, "qin", NEW_YEAR, "上级文件")
    siquan.edit_draft(version, "qin", [{"op": "restore", "rule": "L1"}])
    assert siquan.draft(version, "qin", wait=None).differences == ()


def test_a_failed_case_shuts_the_gate_until_it_passes(desk: Any) -> None:
    siquan = desk.siquan
    case = {"op": "case", "name": "九千到区里", "given": '{"amount": 9000}', "expect": "district", "because": ["L1"]}
    version = draft(desk, RAISE, case)
    page = siquan.draft(version, "qin", wait=None)
    assert [(c.name, c.passed, c.added) for c in page.page.cases] == [("九千到区里", True, True)]
    siquan.edit_draft(version, "qin", [{"op": "cell", "rule": "L1", "column": "out", "text": "done"}])
    page = siquan.draft(version, "qin", wait=None)
    assert page.cases_failed == 1 and "done" in page.page.cases[0].why
    assert [g.text for g in page.gates if g.status == "failed"] == ["用例全部通过（1 个）", "声明的意图都守住"]
    broken = next(i for i in page.proof.intents if i.status == "refuted")
    assert broken.example is not None and broken.example.after.value == "done"
    siquan.edit_draft(version, "qin", [{"op": "case_remove", "name": "九千到区里"}])
    assert siquan.draft(version, "qin", wait=None).page.cases == ()


def test_history_says_what_was_in_force_when(desk: Any) -> None:
    siquan, version = desk.siquan, draft(desk)
    publish(desk, version)
    now = siquan.rule_set(SET, "du")
    assert (now.version.label, now.version.status) == ("随程序", "published")
    assert [v.status for v in now.versions] == ["future", "published"]
    later = siquan.rule_set(SET, "du", on=NEW_YEAR)
    assert (later.version.label, later.version.since) == ("v1", NEW_YEAR)
    found = siquan.rule_diff(SET, "shipped", "v1", "du")
    assert [(d.kind, d.rule) for d in found] == [("parameter", "district_from")]
    value = next(p for p in now.parameters if p.name == "district_from")
    assert [(v.value, v.status) for v in value.lines] == [("8000", "future"), ("5000", "current")]
    with pytest.raises(NoAccess):
        siquan.withdraw_version(version, "qin", "我写的")
    siquan.withdraw_version(version, "shen", "文件撤销了")
    assert siquan.rule_set(SET, "du", on=NEW_YEAR).version.label == "随程序"
    assert [s.act for s in siquan.rule_set(SET, "du").versions[0].signatures] == ["drafted", "submitted", "approved", "published", "withdrawn"]
    desk.whole()


def test_the_smallest_way_out_is_said_and_masked(desk: Any) -> None:
    """A decision that stops nothing needs none; what it would be elsewhere is the proof's own test."""
    case = desk.submitted(6000)
    desk.siquan.act(case, "pass", "du")
    found = desk.siquan.way_out(desk.siquan.explain(case, "du")[0].id, "du")
    assert found.changes == () and found.why
    with pytest.raises(NoAccess):
        desk.siquan.way_out(desk.siquan.explain(case, "du")[0].id, "zhou")


def test_a_result_no_step_knows_is_not_published(desk: Any) -> None:
    siquan = desk.siquan
    for edit, words in (
        ({"op": "cell", "rule": "L1", "column": "out", "text": "市里批"}, "市里批"), ({"op": "settings", "fields": {"hit_policy": "C"}}, "命中方式 C"),
    ):  # fmt: skip
        page = siquan.draft(draft(desk, edit), "qin", wait=None)
        shut = next(g for g in page.gates if g.text == "每个结果流程都认得")
        assert shut.status == "failed" and words in shut.help
    columns = siquan.rule_set(SET, "qin").columns
    assert dict(columns[-1].options) == {"district": "district", "done": "done"}


def test_a_withdrawn_version_to_come_touches_no_case(desk: Any) -> None:
    version = draft(desk)
    publish(desk, version)
    case = desk.submitted(6000)
    desk.siquan.withdraw_version(version, "shen", "文件撤销")
    desk.clock.move(dt.date(2027, 1, 4))
    assert desk.siquan.act(case, "pass", "du").state == "district"
    assert all(v.replay == "same" for v in desk.siquan.explain(case, "du"))


def test_another_rule_set_s_value_and_a_new_title_change_nothing_on_record(desk: Any) -> None:
    siquan = desk.siquan
    with pytest.raises(SiquanError):
        draft(desk, {**RAISE, "name": "no.such"})
    version = draft(desk, {"op": "rule", "rule": "L1", "fields": {"title": "改了名称"}})
    publish(desk, version, dt.date(2026, 11, 23))
    desk.whole()
    assert siquan.rule_set(SET, "du").version.label == "v2"  # the first draft was refused and kept its number


def test_policy_posts_see_rules_and_no_cases(desk: Any) -> None:
    siquan, case = desk.siquan, desk.submitted(6000)
    with pytest.raises(NoAccess):
        siquan.case(case, "shen")
    version = draft(desk)
    siquan.start_impact(version, "qin")
    flip = next(f for f in siquan.impact(version, "qin").flips if not f.open)
    assert flip.title == ""
    view = siquan.flip(version, flip.decision, "qin")
    assert (view.case, view.decision, view.example.before.value, view.example.after.value) == ("", "", "district", "done")
    assert view.example.facts and not view.example.before.facts
    with pytest.raises(NotFound):
        siquan.flip(version, "nothing", "qin")
    for outsider in ("du", "he"):
        with pytest.raises(NoAccess):
            siquan.flip(version, flip.decision, outsider)
    with pytest.raises(NoAccess):
        siquan.run_impact(version, "zhou")


def test_a_failed_case_is_accepted_with_what_the_draft_decides(desk: Any) -> None:
    siquan = desk.siquan
    version = draft(desk, {"op": "case", "name": "九千到区里", "given": {"amount": 9000}, "expect": "district", "because": ["L1"]})
    siquan.edit_draft(version, "qin", [{"op": "cell", "rule": "L1", "column": "amount", "text": "> 10000"}, {"op": "cell", "rule": "L2", "column": "amount", "text": "<= 10000"}])
    assert siquan.draft(version, "qin", wait=None).cases_failed == 1
    siquan.edit_draft(version, "qin", [{"op": "case_accept", "name": "九千到区里"}])
    page = siquan.draft(version, "qin", wait=None)
    assert (page.cases_failed, page.page.cases[0].expect, page.page.cases[0].because) == (0, "done", ("L2",))
    with pytest.raises(SiquanError):
        siquan.edit_draft(version, "qin", [{"op": "case_accept", "name": "没有"}])
