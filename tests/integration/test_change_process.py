"""Open cases taken to another version of their process: what a plan says is what happens, and it can be put back."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from siquan.core.errors import BadInput, NoAccess, NotFound
from siquan.core.jobs import Jobs
from siquan.core.service.moving import MigrationRefused
from siquan.core.service.refusal import StepRefused

HERE = Path(__file__).parent
APPROVAL = (HERE.parents[1] / "plugins" / "approval.yaml").read_text(encoding="utf-8").partition("cases:")[0]
OFFICE = (("author", "yunxi", "policy_author"), ("approver", "yunxi", "policy_approver"), ("boss", "yunxi", "admin"), ("local", "wutongli", "admin"))


def changed(*pairs: tuple[str, str], text: str = APPROVAL) -> str:
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


#: a state under another name, a longer period, a new period in the state after it
RENAMED = changed(
    ("  community:\n", "  audit:\n"), ("to: community}", "to: audit}"), ("not_same_as: community", "not_same_as: audit"), ("after: 3 workdays", "after: 8 workdays"),
)  # fmt: skip
DIGITS = changed(("reason: {title: 事由, type: text", "reason: {title: 事由, type: integer"))
NO_COMMUNITY_POST = changed(("community: 社区书记, ", "community: 社区书记, auditor: 审计, "), ("pass: {title: 同意, by: community", "pass: {title: 同意, by: auditor"), ("reject: {title: 不同意, by: community", "reject: {title: 不同意, by: auditor"), ("roles: {", "if_nobody: {auditor: block}\nroles: {"))


@pytest.fixture
def office(town: Any) -> Any:
    town.settle(OFFICE)
    return town


@pytest.fixture
def small(small_town: Any) -> Any:
    small_town.settle(OFFICE)
    return small_town


def rows(town: Any, case: str) -> Any:
    """What has to be the same after a migration was undone."""
    row = town.case(case)
    with town.store.read() as tx:
        tasks = [(t.state, t.assignee) for t in tx.tasks.of(case, only_open=True)]
        facts = {p: (f.value, f.commitment) for p, f in tx.facts.current(case).items()}
        story = town.siquan.app.stories.of(tx, row)
    dues = [(d.id, d.state, d.name, d.end_date, d.status, d.then, d.record, d.fired_at) for d in town.deadlines(case) if d.status in ("open", "fired")]
    acted = (story.state, story.acted, story.entered, story.visited, story.outcome, story.facts)
    return row.definition_hash, row.state, row.due_on, row.title, row.is_open, tasks, facts, dues, acted


def migrate(town: Any, *mapping: str) -> Any:
    plan = town.siquan.propose_migration("approval", "author", "流程修订", list(mapping))
    return town.siquan.confirm_migration(plan.id, "approver")


def test_a_case_moves_with_its_state_deadline_task_and_four_eyes(office: Any, write_plugin: Any) -> None:
    first, second, draft = office.submitted(), office.submitted(), office.draft()
    office.siquan.act(first, "pass", "both")
    before = {c: rows(office, c) for c in (first, second, draft)}
    later = office.again(write_plugin("approval", RENAMED))
    plan = later.siquan.plan_migration("approval", "author")
    assert plan.counts == {"free": 2, "map": 1, "never": 0, "same": 0}
    assert plan.missing == (("approval.approval", "community", "社区审核", 1),)
    plan = later.siquan.plan_migration("approval", "author", ["community=audit"], dry_run=True)
    assert plan.counts["free"] == 3 and plan.dry == ()
    assert {c: rows(later, c) for c in before} == before, "a dry run leaves nothing behind"
    (line,) = (c for c in plan.cases if c.case == second)
    assert (line.to_state, line.notes) == ("audit", ("期限“社区审核”：2026-11-26 → 2026-12-03",))
    done = migrate(later, "community=audit")
    assert (done.status, done.done) == ("done", {"moved": 3})
    row = later.case(second)
    assert (row.state, row.due_on) == ("audit", dt.date(2026, 12, 3)) and row.definition_hash == done.to_hash
    with later.store.read() as tx:
        assert [t.state for t in tx.tasks.of(second, only_open=True)] == ["audit"]
    last = later.events(second)[-1]
    assert (last.kind, last.actor, last.data["mapping"], last.data["pinned_from"]) == ("migrated", "approver", {"community": "audit"}, before[second][0])
    assert "流程修订" not in str(last.data), "events hold no free text"
    later.whole()
    # who passed it in the state's old name may not confirm it for the district
    with pytest.raises(StepRefused):
        later.siquan.act(first, "pass", "both")
    assert later.siquan.act(first, "pass", "shao").state == "approved"
    view = later.siquan.case(second, "du")
    assert view.state_title == "社区审核" and [e.title for e in view.events][:1] == [f"迁移到流程的新版本 {done.to_hash[:8]}"]
    assert view.events[1].to == "社区审核", "what came before is told in the words of then"
    # decisions made before are still decided alike
    assert [v.replay for v in later.siquan.explain(first, "du")] == ["same"]
    undone = later.siquan.undo_migration(done.id, "approver", "改错了")
    assert undone.done == {"undone": 2, "kept": 1}
    assert {c.case: c.reasons for c in undone.cases if c.kind == "kept"} == {first: (f"{later.case(first).number}迁移以后有人办过",)}
    assert {c: rows(later, c) for c in (second, draft)} == {c: before[c] for c in (second, draft)}
    assert later.case(first).state == "approved"
    later.whole()
    # and they go on as if nothing had been
    assert later.siquan.act(second, "pass", "du").state == "district"
    again = later.siquan.propose_migration("approval", "author", "再来")
    with pytest.raises(MigrationRefused):
        later.siquan.undo_migration(again.id, "approver", "还没有迁")


def test_two_persons_with_a_post(small: Any, write_plugin: Any) -> None:
    small.submitted()
    later = small.again(write_plugin("approval", changed(("after: 3 workdays", "after: 4 workdays"))))
    call = later.siquan
    for person in ("du", "he", "nobody", "local"):
        with pytest.raises(NoAccess):
            call.plan_migration("approval", person)
        with pytest.raises(NoAccess):
            call.propose_migration("approval", person, "x")
    with pytest.raises(BadInput):
        call.propose_migration("approval", "author", "  ")
    plan = call.propose_migration("approval", "approver", "改期限")
    for person, error in (("approver", MigrationRefused), ("author", NoAccess), ("du", NoAccess)):
        with pytest.raises(error):
            call.confirm_migration(plan.id, person)
    with pytest.raises(MigrationRefused):
        call.propose_migration("approval", "author", "还有一次")
    assert call.withdraw_migration(plan.id, "author").status == "withdrawn"
    with pytest.raises(MigrationRefused):
        call.confirm_migration(plan.id, "boss")
    plan = call.propose_migration("approval", "approver", "改期限")
    assert call.confirm_migration(plan.id, "boss").done == {"moved": 1}
    with pytest.raises(MigrationRefused):
        call.confirm_migration(plan.id, "boss")
    with pytest.raises(MigrationRefused):
        call.propose_migration("approval", "author", "没有了")
    with pytest.raises(NotFound):
        call.migration("nope", "author")
    with pytest.raises(NoAccess):
        call.migration(plan.id, "du")
    small.whole()


def test_a_plan_that_has_grown_old_is_not_carried_out(small: Any, write_plugin: Any) -> None:
    small.submitted()
    later = small.again(write_plugin("approval", changed(("after: 3 workdays", "after: 4 workdays"))))
    plan = later.siquan.propose_migration("approval", "author", "改期限")
    newer = later.again(write_plugin("approval", changed(("after: 3 workdays", "after: 5 workdays"))))
    with pytest.raises(MigrationRefused):
        newer.siquan.confirm_migration(plan.id, "approver")
    assert newer.siquan.withdraw_migration(plan.id, "approver").status == "withdrawn"


@pytest.mark.parametrize(
    ("text", "code"), [(DIGITS, "fact_unreadable"), (NO_COMMUNITY_POST, "nobody"), (changed(("community:\n    title", "community:\n    final: true\n    title")), "state_final")]
)  # fmt: skip
def test_what_cannot_move_stays_and_says_why(small: Any, write_plugin: Any, text: str, code: str) -> None:
    if code == "state_final":
        text = "\n".join(line for line in text.splitlines() if not ("community" in line and "title: " in line and "by: community" in line) and "after: 3 workdays" not in line)
    case, draft = small.submitted(), small.draft()
    later = small.again(write_plugin("approval", text))
    plan = later.siquan.plan_migration("approval", "author")
    (line,) = (c for c in plan.cases if c.case == case)
    assert line.kind in ("never", "map") and code in line.codes and line.reasons
    before = rows(later, case)
    done = migrate(later)
    assert done.done == {"moved": 1, "left": 1} and later.case(draft).definition_hash == done.to_hash
    assert rows(later, case) == before
    assert {c.case: c.kind for c in done.cases} == {case: "left", draft: "moved"}
    later.whole()


def test_bad_mappings_are_refused(small: Any, write_plugin: Any) -> None:
    small.submitted()
    later = small.again(write_plugin("approval", RENAMED))
    for bad in ("community", "community=", "=audit", "community=nowhere", "nowhere=audit", "community=approved", "elsewhere:community=audit"):
        with pytest.raises(BadInput):
            later.siquan.plan_migration("approval", "author", [bad])
    with pytest.raises(BadInput):
        later.siquan.plan_migration("approval", "author", ["community=audit", "community=draft"])
    with pytest.raises(NotFound):
        later.siquan.plan_migration("nothing", "author")


def test_versions_and_differences(small: Any, write_plugin: Any, tmp_path: Path) -> None:
    case = small.submitted()
    small.siquan.act(small.submitted(), "pass", "du")
    later = small.again(write_plugin("approval", changed(("value: 5000", "value: 3000"), ("type: text, by: resident}", "type: text, by: resident}\n  note: {title: 备注, type: text, by: resident}"))))
    now, old = later.siquan.process_versions("approval", "du")
    assert (now.current, now.open, now.since, old.open, old.same) == (True, 0, None, 2, False)
    assert {(s, n) for s, _, n in old.states} == {("community", 1), ("district", 1)}
    diff = later.siquan.process_diff("approval", "du")
    assert {(c.what, c.how, c.name) for c in diff.changes} == {("fact", "added", "note"), ("parameter", "changed", "district_from")}
    touched = {c.name: c.open for c in diff.changes}
    assert touched["district_from"] == 1, "who is past the step that asks the rule is not touched"
    assert later.siquan.process_diff("approval", "du", old.hash[:12]).changes == diff.changes
    with pytest.raises(NotFound):
        later.siquan.process_diff("approval", "du", "ffffffffffff")
    file = tmp_path / "approval.yaml"
    file.write_text(RENAMED, encoding="utf-8")
    ahead = later.siquan.process_diff("approval", "du", file=file)
    assert {(c.what, c.how, c.name) for c in ahead.changes} >= {("state", "removed", "community"), ("state", "added", "audit"), ("fact", "removed", "note")}
    # titles are no change
    same = small.again(write_plugin("approval", changed(("title: 社区审核", "title: 社区核"))))
    assert same.siquan.process_diff("approval", "du").changes == () and same.siquan.plan_migration("approval", "author").counts["same"] == 2
    assert small.case(case).state == "community"


def test_a_run_that_was_broken_off_goes_on(small: Any, write_plugin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = sorted(small.submitted() for _ in range(4))
    later = small.again(write_plugin("approval", changed(("after: 3 workdays", "after: 4 workdays"))))
    plan = later.siquan.propose_migration("approval", "author", "改期限")
    left = [2]

    def power_cut(point: str) -> None:
        if point == "event.after" and later.siquan.migration(plan.id, "approver").status == "running":
            left[0] -= 1
            if left[0] < 0:
                raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(later.store, "fault", power_cut)
        with pytest.raises(ZeroDivisionError):
            later.siquan.confirm_migration(plan.id, "approver")
    half = later.siquan.migration(plan.id, "approver")
    assert (half.status, half.done) == ("running", {"moved": 2})
    later.whole()
    # a run whose process changed once more is ended where it is, and stands in nobody's way
    newest = later.again(write_plugin("approval", changed(("after: 3 workdays", "after: 9 workdays"))))
    with pytest.raises(MigrationRefused):
        newest.siquan.confirm_migration(plan.id, "boss")
    assert later.siquan.confirm_migration(plan.id, "boss").done == {"moved": 4}
    assert [sum(e.kind == "migrated" for e in later.events(c)) for c in cases] == [1, 1, 1, 1]
    later.whole()


def test_a_run_can_be_ended(small: Any, write_plugin: Any, tmp_path: Path) -> None:
    cases = [small.submitted() for _ in range(3)]
    later = small.again(write_plugin("approval", changed(("after: 3 workdays", "after: 4 workdays"))))
    jobs = Jobs(later.store.engine)
    jobs.migrate()
    later.siquan.attach(jobs, tmp_path)
    plan = later.siquan.propose_migration("approval", "author", "改期限")
    later.siquan.confirm_migration(plan.id, "approver")
    assert later.siquan.withdraw_migration(plan.id, "author").status == "done"
    assert jobs.drain() == 1 and later.siquan.migration(plan.id, "author").done == {}
    assert {small.case(c).definition_hash for c in cases} == {small.siquan.app.force.shipped("approval").hash}
    assert later.siquan.propose_migration("approval", "author", "再来").status == "planned"


def test_the_background_carries_it_out(small: Any, write_plugin: Any, tmp_path: Path) -> None:
    cases = [small.submitted() for _ in range(3)]
    later = small.again(write_plugin("approval", changed(("after: 3 workdays", "after: 4 workdays"))))
    jobs = Jobs(later.store.engine)
    jobs.migrate()
    later.siquan.attach(jobs, tmp_path)
    plan = later.siquan.propose_migration("approval", "author", "改期限")
    waiting = later.siquan.confirm_migration(plan.id, "approver")
    assert (waiting.status, waiting.done) == ("running", {})
    assert [j.name for j in later.siquan.administration("boss").jobs] == ["migrate"]
    later.siquan.act(cases[0], "pass", "du")  # meanwhile people go on working
    assert jobs.drain() == 1 and later.siquan.migration(plan.id, "approver").done == {"moved": 3}
    assert later.siquan.migration(plan.id, "approver").status == "done" and later.case(cases[0]).state == "district"
    later.whole()


def test_children_go_with_their_parent(sqlite_url: str, load_plugins: Any, make_town: Any, tmp_path: Path) -> None:
    town = make_town(sqlite_url, load_plugins(HERE / "club"))
    town.settle([("he", "wutongli", "keeper"), ("sun", "wutongli", "chair"), *OFFICE])
    clubs = [town.siquan.open_case("club", "he", facts={"label": n}).case for n in ("书法", "合唱")]
    members = [town.siquan.act(clubs[0], "enrol", "he", {"person": p, "room": "1-1"}).case for p in ("甲", "乙", "丙")]
    town.siquan.act(members[2], "expel", "sun", opinion="退出")
    before = {c: rows(town, c) for c in (*clubs, *members)}
    folder = tmp_path / "club"
    shutil.copytree(HERE / "club", folder)
    file = folder / "workflows" / "member.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("applied", "listed"), encoding="utf-8")
    later = town.again(load_plugins(folder))
    plan = later.siquan.plan_migration("club", "author")
    assert plan.counts == {"free": 1, "map": 1, "never": 0, "same": 0}
    assert plan.missing == (("club.member", "applied", "已报名", 2),)
    with pytest.raises(BadInput):
        later.siquan.plan_migration("club.member", "author")
    row = later.siquan.propose_migration("club", "author", "改名", ["member:applied=listed"])
    done = later.siquan.confirm_migration(row.id, "approver")
    assert done.done == {"moved": 4}
    assert [later.case(m).state for m in members] == ["listed", "listed", "out"]
    assert later.case(members[2]).definition_hash == before[members[2]][0], "what is closed stays as it ended"
    assert len(later.siquan.children(clubs[0], "members", "sun").children) == 3
    later.whole()
    # one child acted on keeps its whole family
    later.siquan.act(members[0], "admit", "he", {"born": "1990-01-01"})
    undone = later.siquan.undo_migration(row.id, "approver", "改回")
    assert undone.done == {"kept": 3, "undone": 1}
    assert rows(later, clubs[1]) == before[clubs[1]] and later.case(members[1]).state == "listed"
    later.whole()


def test_a_standing_body_whose_state_is_gone(small_town: Any, write_plugin: Any) -> None:
    """It follows what is in force; a state taken away under it is shown, and put right by repair or by migration."""
    standing = changed(("process: approval\n", "process: approval\npin: none\n"))
    gone = changed(("  community:\n", "  audit:\n"), ("to: community}", "to: audit}"), ("not_same_as: community", "not_same_as: audit"), text=standing)
    small_town.settle(OFFICE)
    town = small_town.again(write_plugin("approval", standing))
    one, two = town.submitted(), town.submitted()
    later = town.again(write_plugin("approval", gone))
    view = later.siquan.case(one, "du")
    assert view.state_title == "社区审核" and view.steps == () and "已经没有“社区审核”" in view.troubles[0]
    later.clock.move(dt.date(2026, 12, 20))
    assert later.siquan.sweep()["failed"] == 0
    later.siquan.supply(one, "he", {"reason": "换灯"})
    found, total = later.siquan.stuck()
    assert total == 2 and {(c.case, c.why) for c in found} == {(one, "state"), (two, "state")}
    later.siquan.propose_repair(one, "boss", "audit", "状态改了名")
    assert later.siquan.repair(one, "local").state == "audit"
    assert later.siquan.act(one, "pass", "du").state == "district"
    assert later.siquan.plan_migration("approval", "author").counts == {"free": 0, "map": 1, "never": 0, "same": 1}
    assert migrate(later, "community=audit").done == {"moved": 1}
    assert later.siquan.act(two, "pass", "du").state == "district"
    later.whole()
    # with the process pinned from now on, what was opened as a standing body goes on as one
    pinned = later.again(write_plugin("approval", changed(("pin: none\n", ""), text=gone)))
    assert pinned.siquan.act(two, "pass", "shao").state == "approved"
    pinned.whole()


def test_a_process_that_becomes_a_standing_body_keeps_its_cases(small: Any, write_plugin: Any) -> None:
    case = small.submitted(4000)
    later = small.again(write_plugin("approval", changed(("process: approval\n", "process: approval\npin: none\n"), ("value: 5000", "value: 3000"))))
    assert later.siquan.form(case, "pass", "du", {}).to_title == "已同意", "it was opened under a promise"
    assert [c.name for c in later.siquan.process_diff("approval", "du").changes][:1] == ["pin"]
    assert migrate(later).done == {"moved": 1}
    assert later.siquan.form(case, "pass", "du", {}).to_title == "区级确认"
    later.whole()


def test_ten_edits_of_a_file_under_open_cases(small: Any, write_plugin: Any) -> None:
    """Whatever a designer does to the file: pages show, acts work by the pinned definition."""
    edits: list[Callable[[str], str]] = [
        lambda t: t.replace("  community:\n", "  audit:\n").replace("to: community}", "to: audit}").replace("not_same_as: community", "not_same_as: audit"),
        lambda t: t.replace("resident: 申请人", "resident: 申请人, other: 其他"),
        lambda t: t.replace("amount: {title: 金额, type: decimal, unit: 元, min: 0", "amount: {title: 金额, type: integer, unit: 元, min: 90000"),
        lambda t: t.replace("due: {after: 3 workdays, then: remind}", "due: {after: 30 workdays, then: reject}"),
    ]
    cases = [small.draft(), small.submitted(), small.submitted(100)]
    small.siquan.act(cases[1], "pass", "du")
    town, text = small, APPROVAL
    for edit in edits:
        text = edit(text)
        town = town.again(write_plugin("approval", text))
        for case in cases:
            assert town.siquan.case(case, "du").troubles == () and town.siquan.form(case, town.siquan.case(case, "du").steps[0].name, "du")
        for tab in ("mine", "unit", "soon", "started"):
            town.siquan.inbox("du", tab)
        town.siquan.process("approval", "du")
        town.siquan.process_diff("approval", "du")
        town.siquan.plan_migration("approval", "author")
    assert town.siquan.act(cases[1], "pass", "shao").state == "approved"
    assert town.siquan.act(cases[2], "pass", "du").state == "approved"
    assert town.siquan.act(cases[0], "submit", "he", {"amount": "1.5", "reason": "x"}).state == "community"
    town.whole()
