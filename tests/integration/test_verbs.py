"""The verbs of a case: return, take back, suspend, reopen, withdraw, terminate; and every way they are refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from siquan.core.engine.machine import NoSuchStep
from siquan.core.errors import BadInput, NoAccess, Refused, Stale
from siquan.core.service.verbs import NoSuchVerb

ERRAND = Path(__file__).with_name("errand")
PEOPLE = (
    ("he", "wutongli", "resident"),
    ("du", "wutongli", "clerk"),
    ("ren", "wutongli", "clerk"),
    ("lu", "guixiang", "lead"),
    ("shao", "yunxi", "officer"),
    ("zhou", "xiaoqiaotou", "clerk resident"),
)


@pytest.fixture
def both(database: str, load_plugins: Callable[..., Any], make_town: Callable[..., Any]) -> Any:
    """On SQLite and on PostgreSQL."""
    made = make_town(database, load_plugins(ERRAND))
    made.settle(PEOPLE)
    return made


@pytest.fixture
def town(sqlite_url: str, load_plugins: Callable[..., Any], make_town: Callable[..., Any]) -> Any:
    made = make_town(sqlite_url, load_plugins(ERRAND))
    made.settle(PEOPLE)
    return made


def opened(town: Any, *steps: str) -> str:
    case = town.siquan.open_case("errand.errand", "he", facts={"what": "路灯不亮"}).case
    who = {"send": "he", "pass": "du", "quick": "du", "agree": "lu"}
    for step in steps:
        town.siquan.act(case, step, who[step])
    return str(case)


def standing(town: Any, case: str) -> tuple[str, list[str], dict[str, tuple[str, str]]]:
    """(state, states with an open task, open deadlines: name -> (start, end))."""
    with town.store.read() as tx:
        tasks = [t.state for t in tx.tasks.of(case, only_open=True)]
        dues = {d.name: (str(d.start), str(d.end_date)) for d in tx.deadlines.of(case, "open")}
        return tx.cases.get(case).state, tasks, dues


def later(town: Any, days: int) -> None:
    town.clock.move(town.clock.day + dt.timedelta(days=days))
    town.siquan.sweep()


# return


def test_a_return_gives_the_step_its_task_and_its_deadlines_again(both: Any) -> None:
    case = opened(both, "send", "pass")
    later(both, 7)
    both.siquan.verb(case, "return", "du", to="check", reason="papers", opinion="缺照片")
    state, tasks, dues = standing(both, case)
    assert (state, tasks, dues) == ("check", ["check"], {"answer": ("2026-11-30", "2026-12-07")})
    left = {(d.name, d.status) for d in both.deadlines(case) if d.state == "work"}
    assert left == {("cool", "fired"), ("do", "cancelled")}
    event = both.events(case)[-1]
    assert (event.kind, event.data["reason"], event.data["from"]) == ("returned", "papers", "work")
    assert "缺照片" not in str(event.data)
    both.whole()


def test_only_steps_the_case_went_through_can_be_returned_to(town: Any) -> None:
    case = opened(town, "send", "pass")
    for to in ("review", "appeal", "closed", "work", "nowhere"):
        with pytest.raises(NoSuchVerb):
            town.siquan.verb(case, "return", "du", to=to, reason="papers")
    town.siquan.verb(case, "return", "du", to="draft", reason="facts")
    town.siquan.act(case, "send", "he")
    # the way to here no longer leads through `work`
    with pytest.raises(NoSuchVerb):
        town.siquan.verb(case, "return", "du", to="work", reason="facts")
    town.whole()


@pytest.mark.parametrize(
    ("person", "to", "reason", "error"),
    [("du", "check", "", "SQ423"), ("du", "", "papers", "SQ423"), ("du", "check", "nonsense", "SQ422"), ("he", "check", "papers", "SQ403"), ("zhou", "check", "papers", "SQ403")],
)
def test_a_return_needs_its_person_its_step_and_its_reason(town: Any, person: str, to: str, reason: str, error: str) -> None:
    case = opened(town, "send", "pass")
    before = town.case(case), standing(town, case)
    with pytest.raises((BadInput, NoAccess, Refused)) as fault:
        town.siquan.verb(case, "return", person, to=to, reason=reason)
    assert fault.value.code == error
    assert before == (town.case(case), standing(town, case))


def test_four_eyes_hold_over_a_return(town: Any) -> None:
    case = opened(town, "send", "pass", "quick")
    town.siquan.verb(case, "return", "lu", to="work", reason="facts")
    with pytest.raises(Refused):
        town.siquan.act(case, "done", "ren")  # the cooling period begins anew
    town.siquan.act(case, "quick", "ren")
    town.siquan.act(case, "agree", "lu")
    town.whole()


# take back


def test_what_nobody_touched_is_taken_back_with_the_clock_it_had(both: Any) -> None:
    case = opened(both, "send")
    before = standing(both, case)
    later(both, 1)
    both.siquan.act(case, "pass", "du", {"weight": 3})
    both.siquan.verb(case, "take_back", "du")
    assert standing(both, case) == before
    with both.store.read() as tx:
        assert tx.facts.current(case)["weight"].value == 3
    assert both.events(case)[-1].data["undoes"] == both.events(case)[-2].seq
    # it can be done again, and by another
    both.siquan.act(case, "pass", "ren")
    both.whole()


def test_a_step_that_stays_is_taken_back_too(town: Any) -> None:
    case = opened(town, "send")
    before = standing(town, case)
    later(town, 2)
    town.siquan.act(case, "again", "du")
    assert standing(town, case)[2]["answer"] == ("2026-11-25", "2026-12-02")
    town.siquan.verb(case, "take_back", "du")
    assert standing(town, case) == before
    town.whole()


def test_what_was_reminded_of_is_not_reminded_of_again(town: Any) -> None:
    case = opened(town, "send")
    later(town, 10)
    town.siquan.act(case, "pass", "du")
    town.siquan.verb(case, "take_back", "du")
    n = len(town.events(case))
    assert town.siquan.sweep()["reminded"] == 0 and len(town.events(case)) == n


def test_somebody_elses_act_stands_in_the_way(town: Any) -> None:
    case = opened(town, "send")
    with pytest.raises(NoSuchVerb):
        town.siquan.verb(case, "take_back", "du")  # not his step
    town.siquan.supply(case, "ren", {"weight": 2})
    with pytest.raises(NoSuchVerb):
        town.siquan.verb(case, "take_back", "he")
    assert standing(town, case)[0] == "check"


def test_a_claimed_task_stands_in_the_way(town: Any) -> None:
    case = opened(town, "send")
    town.siquan.verb(case, "claim", "du")
    with pytest.raises(NoSuchVerb, match="已被签收|claimed"):
        town.siquan.verb(case, "take_back", "he")


def test_a_passed_deadline_stands_in_the_way(town: Any) -> None:
    case = opened(town, "send", "pass")
    later(town, 3)  # the cooling period is over
    with pytest.raises(NoSuchVerb):
        town.siquan.verb(case, "take_back", "du")


def test_the_time_for_taking_back_ends(town: Any) -> None:
    case = opened(town, "send")
    later(town, 2)
    town.siquan.act(case, "note", "du")
    later(town, 4)
    with pytest.raises(NoSuchVerb):
        town.siquan.verb(case, "take_back", "du")


def test_a_child_opened_by_the_step_stands_in_the_way(town: Any) -> None:
    case = opened(town, "send")
    town.siquan.add_child(case, "items", "du", {"name": "灯泡"})
    with pytest.raises(NoSuchVerb):
        town.siquan.verb(case, "take_back", "du")


def test_a_confirmed_decision_and_an_end_cannot_be_taken_back(town: Any) -> None:
    case = opened(town, "send", "pass", "quick")
    town.siquan.act(case, "back_up", "lu")
    with pytest.raises(NoSuchVerb):
        town.siquan.verb(case, "take_back", "lu")
    town.siquan.act(case, "decide", "shao")
    with pytest.raises(NoSuchVerb):
        town.siquan.verb(case, "take_back", "shao")


def test_only_one_step_is_taken_back(town: Any) -> None:
    case = opened(town, "send")
    town.siquan.act(case, "note", "du")
    town.siquan.act(case, "note", "du")
    town.siquan.verb(case, "take_back", "du")
    with pytest.raises(NoSuchVerb):
        town.siquan.verb(case, "take_back", "du")


# suspend and resume


def test_a_pause_moves_the_deadlines_by_exactly_the_paused_working_time(both: Any) -> None:
    case = opened(both, "send")
    later(both, 1)
    both.siquan.verb(case, "suspend", "du", reason="court", opinion="裁定书")
    with both.store.read() as tx:
        assert [(d.name, d.status) for d in tx.deadlines.of(case)] == [("answer", "paused"), ("suspend", "open")]
    later(both, 14)
    assert standing(both, case)[0] == "check" and [e.kind for e in both.events(case)][-1] == "suspended"
    both.siquan.verb(case, "resume", "lu")
    # Monday 23 plus five working days was Monday 30; Tuesday 24 to Tuesday 8 are ten working days
    assert standing(both, case)[2] == {"answer": ("2026-11-23", "2026-12-14")}
    view = both.siquan.case(case, "du")
    assert "暂停 10 个工作日不计" in view.dues[0].line
    both.whole()


def test_nothing_is_done_while_suspended(town: Any) -> None:
    case = opened(town, "send", "pass")
    town.siquan.verb(case, "suspend", "lu", reason="wait")
    before = town.case(case)
    for step, person in (("quick", "du"), ("overdue", "lu"), ("withdraw", "he"), ("terminate", "lu")):
        with pytest.raises(Refused) as fault:
            town.siquan.act(case, step, person, reason={"withdraw": "settled", "terminate": "void"}.get(step, ""), opinion="x")
        assert "挂起" in fault.value.text("zh")
    for verb in ("return", "take_back", "suspend"):
        with pytest.raises(NoSuchVerb):
            town.siquan.verb(case, verb, "lu", to="check", reason="wait")
    later(town, 20)
    assert town.case(case) == before
    assert [s.allowed for s in town.siquan.case(case, "du").steps] == [False] * len(town.siquan.case(case, "du").steps)


def test_the_longest_time_ends_by_the_clock(town: Any) -> None:
    case = opened(town, "send", "pass")
    town.siquan.verb(case, "suspend", "lu", reason="court")
    later(town, 31)
    kinds = [e.kind for e in town.events(case)]
    assert kinds[-3:] == ["suspended", "deadline", "resumed"] and town.events(case)[-1].actor == "system"
    state, tasks, dues = standing(town, case)
    assert state == "work" and tasks == ["work"] and set(dues) == {"cool", "do"}
    later(town, 30)
    assert standing(town, case)[0] == "review"  # the clock goes on, and fires
    town.whole()


def test_a_guard_waits_out_the_pause(town: Any) -> None:
    case = opened(town, "send", "pass")
    town.siquan.verb(case, "suspend", "du", reason="wait")
    later(town, 9)
    town.siquan.verb(case, "resume", "du")
    with pytest.raises(Refused):
        town.siquan.act(case, "done", "du")
    later(town, 3)
    town.siquan.act(case, "done", "du")


def test_a_fact_that_moves_a_deadline_does_so_within_a_pause_too(town: Any) -> None:
    case = opened(town, "send")
    town.siquan.verb(case, "suspend", "du", reason="wait")
    town.siquan.supply(case, "du", {"seen_on": "2026-11-22"})
    with town.store.read() as tx:
        assert {(d.name, d.status) for d in tx.deadlines.of(case)} == {("answer", "paused"), ("suspend", "open"), ("visit", "paused")}
    later(town, 7)
    town.siquan.verb(case, "resume", "du")
    assert standing(town, case)[2]["visit"] == ("2026-11-22", "2026-12-02")
    town.whole()


def test_children_are_suspended_and_resumed_with_their_parent(town: Any) -> None:
    case = opened(town, "send")
    first = town.siquan.add_child(case, "items", "du", {"name": "灯泡"}).case
    second = town.siquan.add_child(case, "items", "du", {"name": "灯杆"}).case
    town.siquan.act(second, "half", "du")
    town.siquan.verb(first, "suspend", "du", reason="wait")
    town.siquan.verb(case, "suspend", "lu", reason="court")
    for child in (first, second):
        with pytest.raises(Refused):
            town.siquan.act(child, "finish", "du")
    with pytest.raises(NoSuchVerb):
        town.siquan.verb(second, "resume", "du")
    later(town, 14)
    assert town.case(second).state == "halved"  # its clock would have finished it
    town.siquan.verb(case, "resume", "lu")
    assert standing(town, second)[2] == {"due": ("2026-11-23", "2026-12-10")}
    with pytest.raises(Refused):
        town.siquan.act(first, "finish", "du")  # still suspended for itself
    later(town, 1)
    town.siquan.verb(first, "resume", "du")
    assert standing(town, first)[2]["due"][1] == "2026-12-11"
    town.siquan.act(first, "finish", "du")
    town.whole()


def test_a_clock_set_back_does_no_harm(town: Any) -> None:
    case = opened(town, "send")
    before = standing(town, case)
    town.siquan.verb(case, "suspend", "du", reason="wait")
    town.clock.move(town.clock.day - dt.timedelta(days=5))
    town.siquan.verb(case, "resume", "du")
    assert standing(town, case) == before
    town.whole()


def test_who_may_not_suspend_and_what_is_not_suspended(town: Any) -> None:
    case = opened(town, "send")
    with pytest.raises(NoAccess):
        town.siquan.verb(case, "suspend", "he", reason="wait")
    with pytest.raises(BadInput):
        town.siquan.verb(case, "suspend", "du")
    with pytest.raises(NoSuchVerb):
        town.siquan.verb(case, "resume", "du")
    with pytest.raises(NoAccess):
        town.siquan.verb(case, "suspend", "system", reason="wait")
    with pytest.raises(BadInput):
        town.siquan.verb(case, "explode", "du")


# ends and reopening


def test_the_applicant_withdraws_and_the_children_end_with_it(both: Any) -> None:
    case = opened(both, "send")
    child = both.siquan.add_child(case, "items", "du", {"name": "灯泡"}).case
    with pytest.raises(NoAccess):
        both.siquan.verb(case, "withdraw", "du", reason="settled")
    both.siquan.verb(case, "withdraw", "he", reason="settled")
    row = both.case(child)
    assert (row.state, row.outcome, row.is_open, row.due_on) == ("open", "dropped", False, None)
    assert standing(both, child)[1:] == ([], {})
    event = both.events(child)[-1]
    assert (event.kind, event.data["with"]) == ("ended", case)
    with pytest.raises(Refused):
        both.siquan.act(child, "finish", "du")
    with pytest.raises(Refused):
        both.siquan.supply(child, "du", {"name": "x"})
    assert both.siquan.case(child, "du").final
    both.whole()


def test_verbs_that_end_a_case_are_offered_where_they_are_declared(town: Any) -> None:
    case = opened(town)
    assert "withdraw" not in {s.name for s in town.siquan.case(case, "he").steps}
    with pytest.raises(NoSuchStep):
        town.siquan.verb(case, "withdraw", "he", reason="settled")
    with pytest.raises(BadInput):
        town.siquan.verb(case, "terminate", "lu", opinion="x")
    with pytest.raises(BadInput):
        town.siquan.verb(case, "terminate", "lu", reason="void")
    town.siquan.verb(case, "terminate", "lu", reason="void", opinion="不归我们管")
    assert town.case(case).outcome == "stopped"
    town.whole()


def test_four_eyes_hold_for_a_verb_that_ends_the_case(town: Any) -> None:
    with town.store.begin() as tx:
        tx.people.grant("lu", "clerk", "wutongli", dt.date(2020, 1, 1))
    case = opened(town, "send")
    town.siquan.act(case, "pass", "lu")
    with pytest.raises(Refused):
        town.siquan.verb(case, "close_early", "lu", reason="urgent")


def test_a_closed_case_is_reopened_with_its_children_in_time(both: Any) -> None:
    case = opened(both, "send")
    child = both.siquan.add_child(case, "items", "du", {"name": "灯泡"}).case
    both.siquan.verb(case, "terminate", "lu", reason="void", opinion="不归我们管")
    later(both, 20)
    both.siquan.verb(case, "reopen", "lu", reason="new")
    assert standing(both, case) == ("check", ["check"], {"answer": ("2026-12-13", "2026-12-18")})
    assert both.case(case).outcome is None and both.case(case).closed_at is None
    assert standing(both, child) == ("open", ["open"], {"due": ("2026-12-13", "2026-12-17")})
    both.siquan.act(child, "finish", "du")
    both.whole()


def test_what_cannot_be_reopened(town: Any) -> None:
    case = opened(town, "send")
    with pytest.raises(NoSuchVerb):
        town.siquan.verb(case, "reopen", "lu", reason="new")
    town.siquan.verb(case, "withdraw", "he", reason="mistake")
    with pytest.raises(NoAccess):
        town.siquan.verb(case, "reopen", "du", reason="new")
    for verb in ("return", "suspend", "take_back"):
        with pytest.raises(NoSuchVerb):
            town.siquan.verb(case, verb, "du", to="check", reason="papers")
    later(town, 22)
    with pytest.raises(NoSuchVerb) as fault:
        town.siquan.verb(case, "reopen", "lu", reason="new")
    assert "期限已过" in fault.value.text("zh")


# what holds for all of them


def test_a_repeated_verb_counts_once_and_a_stale_one_not_at_all(both: Any) -> None:
    case = opened(both, "send")
    seen = both.case(case).revision
    one = both.siquan.verb(case, "suspend", "du", reason="wait", revision=seen, key="k1")
    two = both.siquan.verb(case, "suspend", "du", reason="wait", revision=seen, key="k1")
    assert two.repeated and two.revision == one.revision == both.case(case).revision
    with pytest.raises(Stale):
        both.siquan.verb(case, "resume", "du", revision=seen)


def test_a_process_that_names_no_verb_has_none(small_town: Any) -> None:
    case = small_town.submitted()
    for verb in ("return", "take_back", "suspend", "resume", "reopen"):
        with pytest.raises(NoSuchVerb):
            small_town.siquan.verb(case, verb, "du", reason="x")
