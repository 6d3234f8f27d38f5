"""Several cases and several people: merge, split, derive, related cases; urge, copy, read, follow; one act on many."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from siquan.core.errors import BadInput, NoAccess, NotFound, Refused, SiquanError
from siquan.core.service.verbs import NoSuchVerb
from siquan.core.store.idempotency import IdempotencyConflict

ERRAND = Path(__file__).with_name("errand")
PEOPLE = (
    ("he", "wutongli", "resident"),
    ("mei", "wutongli", "resident"),
    ("du", "wutongli", "clerk"),
    ("ren", "wutongli", "clerk"),
    ("lu", "guixiang", "lead"),
    ("zhou", "xiaoqiaotou", "clerk resident"),
    ("wu", "xiaoqiaotou", "resident"),
)


@pytest.fixture
def both(database: str, load_plugins: Callable[..., Any], make_town: Callable[..., Any]) -> Any:
    made = make_town(database, load_plugins(ERRAND))
    made.settle(PEOPLE)
    return made


@pytest.fixture
def town(sqlite_url: str, load_plugins: Callable[..., Any], make_town: Callable[..., Any]) -> Any:
    made = make_town(sqlite_url, load_plugins(ERRAND))
    made.settle(PEOPLE)
    return made


def sent(town: Any, by: str = "he", what: str = "路灯不亮") -> str:
    case = town.siquan.open_case("errand.errand", by, facts={"what": what}).case
    town.siquan.act(case, "send", by)
    return str(case)


def due(town: Any, case: str) -> dict[str, str]:
    with town.store.read() as tx:
        return {d.name: str(d.end_date) for d in tx.deadlines.of(case, "open")}


def told(town: Any, person: str) -> list[tuple[str, str]]:
    with town.store.read() as tx:
        return [(n.kind, n.case_id) for n in tx.notices.of(person)]


def later(town: Any, days: int) -> None:
    town.clock.move(town.clock.day + dt.timedelta(days=days))
    town.siquan.sweep()


# merge


def test_a_merged_case_closes_and_the_earlier_deadline_counts(both: Any) -> None:
    old = sent(both)
    later(both, 2)
    new = sent(both, "mei", "三号楼路灯坏了")
    before = due(both, new)
    both.siquan.verb(new, "merge", "du", others=[old], reason="same", opinion="同一盏灯")
    row = both.case(old)
    assert (row.outcome, row.is_open, row.state) == ("merged", False, "check")
    with both.store.read() as tx:
        assert tx.tasks.of(old, only_open=True) == [] and tx.deadlines.of(old, "open") == []
    assert due(both, new) == {"answer": "2026-11-30"} != before
    # another act works the deadline out again, and it stays
    both.siquan.act(new, "note", "du", {"weight": 3})
    assert due(both, new) == {"answer": "2026-11-30"}
    assert [x.text for x in both.siquan.case(new, "du").links] == ["并入这件"]
    both.whole()
    both.siquan.verb(old, "unmerge", "du", opinion="不是同一盏")
    assert due(both, old) == {"answer": "2026-11-30"} and due(both, new) == before
    assert both.case(old).outcome is None and both.siquan.case(old, "du").links == ()
    both.siquan.act(old, "pass", "du")
    both.whole()


def test_a_merged_deadline_keeps_its_own_pauses_and_gets_the_later_ones(town: Any) -> None:
    old = sent(town)
    town.siquan.verb(old, "suspend", "du", reason="wait")
    later(town, 1)
    town.siquan.verb(old, "resume", "du")  # Tuesday 24: one working day, Monday 23, was its start
    later(town, 1)
    new = sent(town)
    town.siquan.verb(new, "merge", "du", others=[old], reason="same")
    assert due(town, new) == {"answer": "2026-11-30"}
    town.siquan.verb(new, "suspend", "du", reason="wait")
    later(town, 2)
    town.siquan.verb(new, "resume", "du")
    assert due(town, new) == {"answer": "2026-12-02"}
    town.siquan.act(new, "note", "du", {"weight": 1})
    assert due(town, new) == {"answer": "2026-12-02"}
    town.whole()


def test_a_merge_takes_the_start_a_deadline_has_now(town: Any) -> None:
    old, new = sent(town), sent(town)
    town.siquan.act(old, "note", "du", {"seen_on": "2026-11-22"})
    town.siquan.supply(old, "du", {"seen_on": "2026-11-24"})  # it was another day
    town.siquan.act(new, "note", "du", {"seen_on": "2026-11-26"})
    town.siquan.verb(new, "merge", "du", others=[old], reason="same")
    assert due(town, new)["visit"] == "2026-11-27"
    town.whole()


def test_everybody_whose_case_was_merged_gets_the_answer(town: Any) -> None:
    first, second, third = sent(town), sent(town, "mei"), sent(town)
    town.siquan.verb(second, "merge", "du", others=[first], reason="same")
    town.siquan.verb(third, "merge", "du", others=[second], reason="same")
    for step, person in (("pass", "du"), ("quick", "du"), ("agree", "lu")):
        assert told(town, "mei") == []
        town.siquan.act(third, step, person)
    assert ("answered", second) in told(town, "mei") and ("answered", first) in told(town, "he")
    town.whole()


def test_what_cannot_be_merged(town: Any) -> None:
    one, two, closed = sent(town), sent(town), sent(town)
    town.siquan.verb(closed, "withdraw", "he", reason="mistake")
    far = sent(town, "wu")
    visit = town.siquan.verb(one, "derive", "du", to="errand.visit").case
    kept = sent(town)
    town.siquan.add_child(kept, "items", "du", {"name": "灯泡"})
    held = sent(town)
    town.siquan.verb(held, "suspend", "du", reason="wait")
    for others, error in (
        ([one], NoSuchVerb), ([closed], NoSuchVerb), ([visit], NoSuchVerb), ([far], NoAccess), ([kept], NoSuchVerb), ([held], NoSuchVerb),
        ([], BadInput), (["nowhere"], NotFound), ([two, far], NoAccess),
    ):  # fmt: skip
        before = [town.case(i).revision for i in (one, two, kept)]
        with pytest.raises(error):
            town.siquan.verb(one, "merge", "du", others=others, reason="same")
        assert before == [town.case(i).revision for i in (one, two, kept)]
    with pytest.raises(NoAccess):
        town.siquan.verb(one, "merge", "he", others=[two], reason="same")
    with pytest.raises(BadInput):
        town.siquan.verb(one, "merge", "du", others=[two])
    town.siquan.verb(one, "merge", "du", others=[two], reason="same")
    for target, source in ((two, kept), (one, two)):
        with pytest.raises(NoSuchVerb):
            town.siquan.verb(target, "merge", "du", others=[source], reason="same")
    with pytest.raises(Refused):
        town.siquan.act(two, "pass", "du")
    with pytest.raises(NoSuchVerb):
        town.siquan.verb(one, "unmerge", "du")
    with pytest.raises(NoAccess):
        town.siquan.verb(two, "unmerge", "he")
    town.whole()


def test_a_merge_counts_for_this_stay_in_the_step(town: Any) -> None:
    old = sent(town)
    later(town, 2)
    new = sent(town)
    town.siquan.verb(new, "merge", "du", others=[old], reason="same")
    town.siquan.act(new, "pass", "du")
    town.siquan.verb(new, "return", "du", to="check", reason="papers")
    assert due(town, new) == {"answer": "2026-12-02"}
    town.whole()


# split, derive, related


def test_a_split_case_takes_the_chosen_facts_along(both: Any) -> None:
    case = sent(both)
    both.siquan.act(case, "note", "du", {"weight": 3, "seen_on": "2026-11-22"})
    new = both.siquan.verb(case, "split", "du", facts=["weight"], title="另一盏灯")
    with both.store.read() as tx:
        assert {p: f.value for p, f in tx.facts.current(new.case).items()} == {"weight": 3}
    assert both.case(new.case).title == "另一盏灯" and new.state == "draft"
    assert [(x.case, x.tie, x.ours) for x in both.siquan.case(case, "du").links] == [(new.case, "split", True)]
    assert [(x.case, x.tie, x.ours) for x in both.siquan.case(new.case, "du").links] == [(case, "split", False)]
    with pytest.raises(BadInput):
        both.siquan.verb(case, "split", "du", facts=["seen_on"])  # the process does not let it go along
    with pytest.raises(NoAccess):
        both.siquan.verb(case, "split", "he", facts=["what"])
    both.whole()


def test_a_derived_case_knows_what_both_processes_know(town: Any) -> None:
    case = sent(town)
    town.siquan.act(case, "note", "du", {"weight": 3, "seen_on": "2026-11-22"})
    new = town.siquan.verb(case, "derive", "du", to="errand.visit", key="k")
    assert town.siquan.verb(case, "derive", "du", to="errand.visit", key="k").case == new.case
    with town.store.read() as tx:
        # `weight` is a number there and a text here
        assert set(tx.facts.current(new.case)) == {"what", "seen_on"}
    for to, error in (("errand.errand", NoSuchVerb), ("errand.item", NoSuchVerb), ("nothing", NoSuchVerb), ("", NoSuchVerb)):
        with pytest.raises(error):
            town.siquan.verb(case, "derive", "du", to=to)
    with pytest.raises(NoAccess):
        town.siquan.verb(case, "derive", "lu", to="errand.visit")
    town.whole()


def test_related_cases_stand_in_both_stories(town: Any) -> None:
    one, two, far = sent(town), sent(town), sent(town, "wu")
    town.siquan.verb(one, "link", "du", others=[two])
    assert town.events(one)[-1].data["other"] == two and town.events(two)[-1].data["other"] == one
    for other, error in ((two, BadInput), (one, BadInput), (far, NoAccess), ("nowhere", NotFound)):
        with pytest.raises(error):
            town.siquan.verb(one, "link", "du", others=[other])
    town.siquan.verb(two, "unlink", "he", others=[one])
    assert town.siquan.case(one, "du").links == ()
    with pytest.raises(NotFound):
        town.siquan.verb(two, "unlink", "du", others=[one])
    town.whole()


def test_a_related_case_that_is_not_yours_shows_no_more_than_its_kind(town: Any) -> None:
    one, two = sent(town), sent(town, "wu", "私事")
    with town.store.begin() as tx:
        tx.people.grant("lu", "lead", "yunxi", dt.date(2020, 1, 1))
    town.siquan.verb(one, "link", "lu", others=[two])
    shown = town.siquan.case(one, "du").links[0]
    assert not shown.open and shown.title == "诉求"


# telling people


def test_who_could_act_is_urged_once_a_day_by_each(both: Any) -> None:
    case = sent(both)
    both.siquan.verb(case, "urge", "he")
    assert told(both, "du") == told(both, "ren") == [("urged", case)] and told(both, "lu") == []
    with pytest.raises(Refused):
        both.siquan.verb(case, "urge", "he")
    both.siquan.verb(case, "urge", "lu")
    assert told(both, "du") == [("urged", case)] * 2
    later(both, 1)
    both.siquan.verb(case, "urge", "he")
    assert [e.kind for e in both.events(case)].count("urged") == 3
    with pytest.raises(NoAccess):
        both.siquan.verb(case, "urge", "zhou")
    both.whole()


def test_who_took_the_task_is_urged_alone(town: Any) -> None:
    case = sent(town)
    town.siquan.verb(case, "claim", "ren")
    town.siquan.verb(case, "urge", "he")
    assert told(town, "ren") == [("urged", case)] and told(town, "du") == []


def test_urging_moves_nothing_and_stops_no_taking_back(town: Any) -> None:
    case = sent(town)
    town.siquan.verb(case, "urge", "lu")
    town.siquan.verb(case, "take_back", "he")
    assert town.case(case).state == "draft"
    with pytest.raises(Refused):
        town.siquan.verb(case, "urge", "he")  # it is his own turn


def test_a_copy_lets_somebody_see_the_case_and_no_more(both: Any) -> None:
    case = sent(both)
    with pytest.raises(NoAccess):
        both.siquan.case(case, "zhou")
    both.siquan.verb(case, "copy", "du", others=["zhou"], opinion="请知悉")
    assert both.siquan.case(case, "zhou").number
    assert told(both, "zhou") == [("copied", case)]
    with pytest.raises(NoAccess):
        both.siquan.act(case, "pass", "zhou")
    for others, error in ((["zhou"], BadInput), (["nobody"], NotFound), ([], BadInput)):
        with pytest.raises(error):
            both.siquan.verb(case, "copy", "du", others=others)
    with pytest.raises(NoAccess):
        both.siquan.verb(case, "copy", "zhou", others=["wu"])
    both.whole()


def test_reading_leaves_a_receipt_and_no_event(both: Any) -> None:
    case = sent(both)
    both.siquan.verb(case, "copy", "du", others=["zhou"])
    before = both.case(case)
    both.siquan.verb(case, "read", "zhou")
    both.siquan.verb(case, "read", "ren")
    both.siquan.verb(case, "read", "ren")
    assert both.case(case) == before and told(both, "zhou") == []
    assert [(r[0], r[1]) for r in both.siquan.case(case, "du").readers] == [("zhou", "抄送给你"), ("ren", "已阅")]
    # what somebody has read is not taken back
    with pytest.raises(NoSuchVerb):
        both.siquan.verb(case, "take_back", "he")


def test_a_follower_is_told_of_what_others_do(both: Any) -> None:
    case = sent(both)
    both.siquan.verb(case, "follow", "lu")
    both.siquan.verb(case, "follow", "lu")
    both.siquan.act(case, "note", "du", {"weight": 1})
    both.siquan.verb(case, "urge", "lu")  # his own act is no news to him
    both.siquan.supply(case, "ren", {"weight": 2})
    assert told(both, "lu") == [("acted", case)] * 2
    later(both, 10)
    assert len(told(both, "lu")) == 3  # the clock, too
    notices, n = both.siquan.notices("lu")
    assert n == 3 and {x.who for x in notices} == {"du", "ren", "系统"}
    assert both.siquan.mark_read("du", notices[0].id) == 0  # somebody else's
    assert both.siquan.mark_read("lu", notices[0].id) == 1 and both.siquan.notices("lu")[1] == 2
    assert both.siquan.mark_read("lu") == 2 and both.siquan.notices("lu") == ((), 0)
    both.siquan.verb(case, "unfollow", "lu")
    both.siquan.act(case, "note", "du", {"weight": 4})
    assert told(both, "lu") == []


def test_who_is_urged_and_follows_gets_one_notice(town: Any) -> None:
    case = sent(town)
    town.siquan.verb(case, "follow", "du")
    town.siquan.verb(case, "urge", "he")
    assert told(town, "du") == [("urged", case)]


# many at once


def test_many_cases_each_for_itself(both: Any) -> None:
    good, far, stale = sent(both), sent(both, "wu", "私事"), sent(both)
    both.siquan.act(stale, "note", "ren", {"weight": 1})
    items = [(good, None), (far, None), (stale, 2), ("nowhere", None)]
    first = both.siquan.bulk(items, "pass", "du", "k1")
    assert [x.outcome for x in first.lines] == ["done", "refused", "stale", "refused"]
    assert first.lines[1].title == far and "私事" not in str(first)
    revision = both.case(good).revision
    again = both.siquan.bulk(items, "pass", "du", "k1")
    assert again.repeated and again.lines == first.lines and both.case(good).revision == revision
    assert both.siquan.bulk_result("k1", "du").lines == first.lines
    with pytest.raises(NotFound):
        both.siquan.bulk_result("k1", "ren")
    with pytest.raises(IdempotencyConflict):
        both.siquan.bulk([(good, None)], "quick", "du", "k1")
    both.whole()


def test_a_bulk_act_that_was_cut_off_goes_on_where_it_stopped(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [sent(town) for _ in range(3)]
    real, calls = town.siquan._acts.act, []

    def cut(case: str, *rest: Any) -> Any:
        calls.append(case)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(case, *rest)

    monkeypatch.setattr(town.siquan._acts, "act", cut)
    with pytest.raises(KeyboardInterrupt):
        town.siquan.bulk([(c, None) for c in cases], "pass", "du", "k")
    monkeypatch.undo()
    with pytest.raises(NotFound):
        town.siquan.bulk_result("k", "du")
    done = town.siquan.bulk([(c, None) for c in cases], "pass", "du", "k")
    assert [x.outcome for x in done.lines] == ["done"] * 3
    assert [[e.data.get("transition") for e in town.events(c)].count("pass") for c in cases] == [1, 1, 1]


def test_a_verb_on_many_cases(town: Any) -> None:
    cases = [sent(town) for _ in range(3)]
    town.siquan.verb(cases[1], "suspend", "du", reason="wait")
    lines = town.siquan.bulk([(c, None) for c in cases], "suspend", "du", "k", reason="court").lines
    assert [x.outcome for x in lines] == ["done", "refused", "done"]
    form = town.siquan.bulk_form(cases, "du")
    assert ("resume", 3) in {(name, n) for name, _, n in form.actions}
    for items, key in (([], "k2"), ([(c, None) for c in cases], ""), ([(str(i), None) for i in range(201)], "k3")):
        with pytest.raises(BadInput):
            town.siquan.bulk(items, "pass", "du", key)


# the menu and the forms


def test_the_menu_lists_what_the_person_may_do(town: Any) -> None:
    case = sent(town)

    def menu(person: str) -> set[str]:
        return {v.name for v in town.siquan.case(case, person).verbs if v.allowed}

    assert menu("he") == {"withdraw", "take_back", "urge", "link", "follow", "read"}
    assert menu("du") == {"suspend", "return", "merge", "split", "derive", "urge", "link", "follow", "read", "copy"}
    town.siquan.verb(case, "suspend", "du", reason="wait")
    assert menu("du") == {"resume", "split", "derive", "link", "follow", "read", "copy"}
    assert town.siquan.case(case, "he").halt


def test_the_form_of_every_verb_can_be_shown_and_says_what_follows(town: Any) -> None:
    case = sent(town)
    town.siquan.act(case, "pass", "du")
    for person in ("he", "du", "lu"):
        for verb in town.siquan.case(case, person).verbs:
            if verb.allowed and not verb.step:
                for lang in ("zh", "en"):
                    form = town.siquan.verb_form(case, verb.name, person, lang)
                    assert form.consequences or verb.quiet or verb.name == "link"
    form = town.siquan.verb_form(case, "return", "du")
    assert [c.value for c in form.choices] == ["check", "draft"] and form.reasons
    assert any("12-07" in c for c in form.consequences)
    with pytest.raises(SiquanError):
        town.siquan.verb_form(case, "reopen", "lu")
    with pytest.raises(NoAccess):
        town.siquan.verb_form(case, "urge", "zhou")
