"""Tasks without a store: what each verb leaves true, chains of delegation, and what signatures come to, beside a reading of
the same by trying everything the rest could still say."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siquan.core.spec.verbs import TASKS
from siquan.core.tasks.task import (
    AGREE,
    REFUSE,
    VERBS,
    Task,
    after,
    helpers,
    opened,
    ready,
    signatures,
    straight,
    verdict,
    waiting,
    without,
    work,
)

MODES = ("all", "any", "order", "share")
PEOPLE = ["jia", "yi", "bing", "ding"]
shares = st.fractions(min_value=Fraction(1, 12), max_value=1, max_denominator=12)


def asked(said: list[str]) -> dict[str, Task]:
    """Signatures in order, given or (empty) still to be given."""
    return {f"1.{n}": Task(f"1.{n}", "sign", "role", f"p{n}", order=n, result=result) for n, result in enumerate(said, 1)}


def comes_to(mode: str, share: Fraction, said: list[str]) -> str:
    """What all signatures, in the order they were given, come to. Written from the wording of the modes alone."""
    if mode == "any":
        return said[0]
    if mode == "share":
        return AGREE if Fraction(said.count(AGREE), len(said)) >= share else REFUSE
    return AGREE if said.count(AGREE) == len(said) else REFUSE


def ends(mode: str, share: Fraction, given: list[str], left: int) -> set[str]:
    return {comes_to(mode, share, [*given, *rest]) for rest in itertools.product((AGREE, REFUSE), repeat=left)}


@settings(max_examples=400)
@given(mode=st.sampled_from(MODES), share=shares, said=st.lists(st.sampled_from(["", AGREE, REFUSE]), min_size=1, max_size=6))
def test_a_vote_is_decided_exactly_when_the_rest_could_not_change_it(mode: str, share: Fraction, said: list[str]) -> None:
    given = [s for s in said if s]
    if mode == "any":  # the first decides, so there is never a second
        given = given[:1]
        said = [*given, *[""] * (len(said) - len(given))]
    found = ends(mode, share, given, len(said) - len(given))
    assert verdict(asked(said), mode, share) == (found.pop() if len(found) == 1 else "")


@given(mode=st.sampled_from(MODES), share=shares, words=st.lists(st.sampled_from([AGREE, REFUSE]), min_size=1, max_size=7))
def test_signed_one_by_one_a_vote_ends_once_and_the_same_way(mode: str, share: Fraction, words: list[str]) -> None:
    tasks, n = asked([""] * len(words)), 0
    for n, word in enumerate(words, 1):
        assert verdict(tasks, mode, share) == ""
        turn = waiting(tasks, mode)
        assert len(turn) == (1 if mode == "order" else len(words) - n + 1)
        tasks = after(tasks, n + 1, turn[0].person, {"verb": "sign", "task": turn[0].key, "result": word})
        if verdict(tasks, mode, share):
            break
    assert verdict(tasks, mode, share) == comes_to(mode, share, words)
    assert [t.result for t in signatures(tasks)] == [*words[:n], *[""] * (len(words) - n)]


@given(mode=st.sampled_from(MODES), share=shares, said=st.lists(st.sampled_from(["", AGREE]), min_size=1, max_size=6))
def test_one_more_signer_never_decides(mode: str, share: Fraction, said: list[str]) -> None:
    tasks = asked(said)
    if verdict(tasks, mode, share) or (mode == "any" and any(said)):
        return
    for order in range(1, len(said) + 2):
        more = after(tasks, 9, "p1", {"verb": "add_signer", "task": "1.1", "to_person": "x", "order": order})
        assert verdict(more, mode, share) == ""


@given(data=st.data(), n=st.integers(1, 4))
def test_who_is_added_stands_before_or_after_and_the_rest_keeps_its_order(data: st.DataObject, n: int) -> None:
    tasks = asked([""] * n)
    line = [t.person for t in signatures(tasks)]
    for seq in range(2, 2 + data.draw(st.integers(1, 5))):
        beside = data.draw(st.sampled_from(signatures(tasks)))
        before = data.draw(st.booleans())
        tasks = after(tasks, seq, beside.person, {"verb": "add_signer", "task": beside.key, "to_person": f"new{seq}", "order": beside.order + (0 if before else 1)})
        line.insert(line.index(beside.person) + (0 if before else 1), f"new{seq}")
        assert [t.person for t in signatures(tasks)] == line
        assert [t.order for t in signatures(tasks)] == list(range(1, len(line) + 1))
        assert tasks[f"{seq}.1"].by == beside.person and tasks[f"{seq}.1"].kind == "sign"
    # and they sign one after the other
    for seq, person in enumerate(line, 20):
        (turn,) = waiting(tasks, "order")
        assert turn.person == person
        tasks = after(tasks, seq, person, {"verb": "sign", "task": turn.key, "result": AGREE})
    assert verdict(tasks, "order", Fraction(1)) == AGREE


def test_a_removed_signature_is_gone_and_the_next_has_his_turn() -> None:
    tasks = asked(["", "", ""])
    left = after(tasks, 5, "p9", {"verb": "remove_signer", "task": "1.1"})
    assert [t.key for t in waiting(left, "order")] == ["1.2"] and len(tasks) == 3
    with pytest.raises(KeyError):
        after(left, 6, "p9", {"verb": "remove_signer", "task": "1.1"})


@given(share=shares, said=st.lists(st.sampled_from(["", AGREE, REFUSE]), min_size=1, max_size=5), person=st.sampled_from(["p1", "p2"]), taker=st.sampled_from(["", "x"]))
def test_who_has_no_part_any_more_decides_nothing_by_it(share: Fraction, said: list[str], person: str, taker: str) -> None:
    tasks = asked(said)
    left = without(tasks, person, taker)
    for mode in MODES:
        assert verdict(left, mode, share) == verdict(tasks, mode, share)
    for key, task in tasks.items():
        assert left[key] == (task if task.result or task.person != person else Task(key, "sign", "role", taker, order=task.order))


# the life of a work task, by random verbs under the conditions the service sets


def step(tasks: dict[str, Task], seq: int, data: st.DataObject) -> dict[str, Task]:
    task = work(tasks)
    assert task is not None
    who = data.draw(st.sampled_from(PEOPLE))
    verb = data.draw(st.sampled_from(["claim", "release", "transfer", "delegate", "hand_back", "recall", "dispatch", "decline", "assist_done", "gone", "moved", "moved"]))
    said: dict[str, Any] = {"verb": verb, "task": task.key}
    if verb in ("gone", "moved"):
        taker = data.draw(st.sampled_from([p for p in PEOPLE if p != who])) if verb == "moved" else ""
        left = without(tasks, who, taker)
        assert not any(t.open and who in (*t.lenders, t.person) for t in left.values())
        return left
    if verb == "claim" and (task.person or task.lent) and (task.person != who or task.claimed or task.lent):
        return tasks
    if verb in ("release", "decline", "transfer") and (task.person != who or task.lent):
        return tasks
    if verb == "delegate":
        if task.person not in ("", who):
            return tasks
        said |= {"lender": task.person or who}
        out = {*task.lenders, task.person, who}
    elif verb in ("hand_back", "recall") and (not task.lent or who != (task.person if verb == "hand_back" else task.lenders[-1])):
        return tasks
    elif verb == "dispatch" and task.lent:
        return tasks
    elif verb == "assist_done":
        mine = [t for t in helpers(tasks) if t.open and t.person == who]
        if not mine:
            return tasks
        said["task"] = mine[0].key
        out = set()
    else:
        out = {task.person}
    to = [p for p in PEOPLE if p not in out]
    if verb in ("transfer", "delegate", "dispatch"):
        if not to:
            return tasks
        said["to_person"] = data.draw(st.sampled_from(to))
    if verb == "dispatch":
        said["assist"] = data.draw(st.lists(st.sampled_from([p for p in PEOPLE if p != said["to_person"]]), unique=True, max_size=2))
    now = after(tasks, seq, who, said)
    told(verb, tasks, now, said, who)
    return now


def told(verb: str, before: dict[str, Task], now: dict[str, Task], said: dict[str, Any], who: str) -> None:
    """What each verb leaves true."""
    was, task = before[said["task"]], now[said["task"]]
    match verb:
        case "claim":
            assert (task.person, task.claimed) == (who, True)
        case "release":
            assert (task.person, task.claimed) == ("", False)
        case "transfer" | "dispatch":
            assert (task.person, task.claimed, task.lenders) == (said["to_person"], False, ())
        case "delegate":
            assert (task.person, task.lenders) == (said["to_person"], (*was.lenders, who)) and not task.claimed
        case "hand_back" | "recall":
            assert (task.person, task.lenders, task.claimed) == (was.lenders[-1], was.lenders[:-1], len(was.lenders) == 1)
        case "decline":
            assert (task.person, task.declines, task.declined) == ("", was.declines + 1, True)
        case "assist_done":
            assert task.result == "done" and work(now) == work(before)
    if verb == "dispatch":
        asked_now, had = [t.person for t in helpers(now) if t.key not in before], {t.person for t in helpers(before) if t.open}
        assert len(set(asked_now)) == len(asked_now) and had.isdisjoint(asked_now) and set(said["assist"]) <= had | set(asked_now)


@settings(max_examples=200)
@given(data=st.data(), acts=st.integers(1, 25))
def test_a_chain_of_delegation_never_loops_and_work_is_never_lost(data: st.DataObject, acts: int) -> None:
    tasks = opened(1, None)
    for seq in range(2, acts + 2):
        tasks = step(tasks, seq, data)
        (task,) = [t for t in tasks.values() if t.kind == "work"]
        chain = [*task.lenders, task.person]
        assert task.open and len(set(chain)) == len(chain)
        assert task.person or not (task.lent or task.claimed)
        assert not (task.lent and task.claimed)
        assert all(t.person and not t.lenders for t in helpers(tasks))


@given(st.lists(st.sampled_from("abcd"), max_size=8))
def test_a_way_without_its_loops(way: list[str]) -> None:
    found = straight(way)
    assert len(set(found)) == len(found) and set(found) <= set(way)
    assert not way or (found[0], found[-1]) == (way[0], way[-1])
    edges = set(itertools.pairwise(way))
    assert all(edge in edges for edge in itertools.pairwise(found))


# what is written down by hand


def held(*lenders: str, person: str = "c") -> dict[str, Task]:
    return {"1.1": Task("1.1", person=person, lenders=lenders)}


@pytest.mark.parametrize(
    ("tasks", "gone", "taker", "person", "lenders", "claimed"),
    [
        (held("a", "b"), "a", "", "c", ("b",), False),
        (held("a", "b"), "b", "", "c", ("a",), False),
        (held("a", "b"), "c", "", "b", ("a",), False),
        (held("a"), "c", "", "a", (), True),
        (held("a"), "a", "", "", (), False),  # lent by nobody any more: whoever may claims it
        (held("a", "b"), "a", "b", "c", ("b",), False),
        (held("a", "b"), "a", "c", "c", (), True),  # it comes to who has it: his own now
        (held("a", "b"), "b", "c", "c", ("a",), False),
        (held("a", "b"), "c", "a", "a", (), True),
        (held("a", "b"), "c", "x", "x", ("a", "b"), False),
        (held(), "c", "x", "x", (), False),
        (held(), "x", "", "c", (), False),
    ],
)  # fmt: skip
def test_a_person_leaves_the_chain(tasks: Any, gone: str, taker: str, person: str, lenders: Any, claimed: bool) -> None:
    task = without(tasks, gone, taker)["1.1"]
    assert (task.person, task.lenders, task.claimed) == (person, lenders, claimed)


def test_a_co_handlers_part_goes_with_him_and_the_lead_need_not_wait() -> None:
    tasks = after(opened(1, None), 2, "boss", {"verb": "dispatch", "task": "1.1", "to_person": "a", "assist": ["b", "c"]})
    assert [(t.person, t.by) for t in helpers(tasks)] == [("b", "boss"), ("c", "boss")]
    assert [t.person for t in helpers(without(tasks, "b"))] == ["c"]
    assert [t.person for t in helpers(without(tasks, "b", "x"))] == ["x", "c"]
    done = after(tasks, 3, "b", {"verb": "assist_done", "task": "2.1"})
    assert without(done, "b") == done, "what he has said stays"


def test_what_is_asked_a_second_time_is_asked_once() -> None:
    tasks = after(opened(1, None), 2, "boss", {"verb": "dispatch", "task": "1.1", "to_person": "a", "assist": ["b"]})
    tasks = after(tasks, 3, "a", {"verb": "decline", "task": "1.1", "reason": "x"})
    tasks = after(tasks, 4, "boss", {"verb": "dispatch", "task": "1.1", "to_person": "d", "assist": ["b", "c"]})
    assert sorted(t.person for t in helpers(tasks)) == ["b", "c"] and tasks["1.1"].declines == 1


def test_a_substitute_claims_and_signs_for_whom_he_stands_in() -> None:
    claimed = after(opened(1, None), 2, "sub", {"verb": "claim", "task": "1.1"}, of="abs")["1.1"]
    assert (claimed.person, claimed.claimed) == ("abs", True)
    one = {"1.1": Task("1.1", "sign", "r", order=1)}
    signed = after(one, 2, "sub", {"verb": "sign", "task": "1.1", "result": AGREE}, of="abs")["1.1"]
    assert (signed.person, signed.signer, signed.result) == ("abs", "sub", AGREE)


def test_only_the_first_is_ready_in_order_and_work_always_is() -> None:
    tasks = {**asked([AGREE, "", ""]), "1.9": Task("1.9")}
    assert [t.key for t in tasks.values() if ready(tasks, t, "order")] == ["1.2", "1.9"]
    assert [t.key for t in tasks.values() if ready(tasks, t, "all")] == ["1.2", "1.3", "1.9"]


def test_what_an_event_says_of_a_task_opens_the_same_task() -> None:
    for task in (Task("3.1"), Task("3.2", "sign", "r", "p", order=2), Task("3.3", "assist", person="x", by="y")):
        assert opened(3, [task.to_json()]) == {task.key: task}
    assert opened(3, []) == {"3.1": Task("3.1")}


def test_every_verb_says_what_it_leaves_true() -> None:
    assert set(VERBS) == set(TASKS)
