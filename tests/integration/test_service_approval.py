"""The approval example through the one door, on both databases: who may do what, and what is left behind."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from siquan.core.engine.machine import NoSuchStep
from siquan.core.errors import BadInput, Errors, NoAccess, NotFound, SiquanError, Stale
from siquan.core.rules.facts import BadFact, UnknownFact
from siquan.core.service.accounts import BadLogin
from siquan.core.service.refusal import MissingFacts, StepRefused
from siquan.core.store.idempotency import IdempotencyConflict


def refused(error: type[SiquanError], town: Any, case: str, act: Any) -> Any:
    """Runs an act that must fail with this error and change nothing of the case."""
    before, events = town.case(case), town.events(case)
    with pytest.raises(error) as info:
        act()
    assert town.case(case) == before
    assert town.events(case) == events
    return info.value


@pytest.mark.parametrize(
    ("amount", "state", "rule"),
    [(6000, "district", "L1"), (5000, "approved", "L2"), ("5000.01", "district", "L1"), (0, "approved", "L2")],
)
def test_the_amount_decides_where_it_goes(town: Any, amount: object, state: str, rule: str) -> None:
    case = town.submitted(amount)
    done = town.siquan.act(case, "pass", "du", opinion="同意")
    assert (done.state, done.outcome) == (state, "approved" if state == "approved" else "")
    assert [f.rule for f in done.decision.hits()] == [rule]
    assert done.decision.engines == ("compiled", "durable")
    row = town.case(case)
    assert row.is_open == (state == "district") and (row.closed_at is None) == row.is_open
    stored = town.decisions(case)
    assert [(d.id, d.refused, d.event_seq) for d in stored] == [(done.decision_id, False, done.event_seq)]
    town.whole()


def test_a_whole_approval_leaves_its_history(town: Any) -> None:
    siquan = town.siquan
    opened = siquan.open_case("approval", "he", title="楼道灯")
    assert (opened.number, opened.state_title, opened.revision) == ("AP-2026-0001", "起草", 2)
    siquan.supply(opened.case, "he", {"reason": "换灯"})
    siquan.act(opened.case, "submit", "he", {"amount": "6000.50"})
    siquan.act(opened.case, "pass", "du", opinion="情况属实")
    done = siquan.act(opened.case, "reject", "shao", opinion="先做预算")
    assert (done.state, done.outcome, done.revision) == ("rejected", "rejected", 6)
    assert [e.kind for e in town.events(opened.case)] == ["opened", "supplied", "acted", "acted", "acted"]
    for event in town.events(opened.case):
        for secret in ("6000.5", "换灯", "情况属实", "先做预算"):
            assert secret not in str(event.data), "events hold commitments, never values"
    view = siquan.case(opened.case, "he")
    assert (view.title, view.final, view.outcome, view.events_total) == ("楼道灯", True, "rejected", 5)
    assert "先做预算" in view.events[0].text
    assert siquan.open_case("approval", "he").number == "AP-2026-0002"
    refused(NoSuchStep, town, opened.case, lambda: siquan.act(opened.case, "submit", "he"))
    refused(SiquanError, town, opened.case, lambda: siquan.supply(opened.case, "he", {"reason": "补记"}))
    town.whole()


def test_four_eyes_are_two_persons(town: Any) -> None:
    """Who passed it in the community may not confirm it for the district, even with both posts."""
    siquan, case = town.siquan, town.submitted()
    siquan.act(case, "pass", "both")
    fault = refused(StepRefused, town, case, lambda: siquan.act(case, "pass", "both"))
    assert [b.kind for b in fault.blocks] == ["person"] and "社区审核" in fault.text("zh")
    assert not [d for d in town.decisions(case) if d.refused], "no rule has refused it"
    step = next(s for s in siquan.case(case, "both").steps if s.name == "pass")
    assert not step.allowed and step.helpers == ("shao",)
    # `reject` does not ask for a second person
    assert siquan.act(case, "reject", "both", opinion="不妥").state == "rejected"


def test_only_the_right_post_acts(town: Any) -> None:
    siquan, case = town.siquan, town.draft()
    facts = {"amount": 1, "reason": "茶水"}
    for person in ("du", "shao"):
        refused(NoAccess, town, case, lambda p=person: siquan.act(case, "submit", p, facts))
    siquan.act(case, "submit", "he", facts)
    refused(NoAccess, town, case, lambda: siquan.act(case, "pass", "he"))
    for forged in ("system", "", "nobody", "he' or 1=1"):
        refused(NoAccess, town, case, lambda p=forged: siquan.act(case, "pass", p))
    with town.store.begin() as tx:
        tx.people.change("du", active=False)
        [post] = tx.people.grants("ren")
        tx.people.end_grant(post.id, dt.date(2026, 11, 22))
    for gone in ("du", "ren"):
        refused(NoAccess, town, case, lambda p=gone: siquan.act(case, "pass", p))
    for stranger in ("qin", "system", "zhou"):
        with pytest.raises(NoAccess):
            siquan.open_case("approval", stranger, "wutongli")
    assert siquan.act(case, "pass", "both").state == "approved"


def test_another_unit_neither_sees_nor_acts(town: Any) -> None:
    siquan, case = town.siquan, town.submitted()
    siquan.act(case, "pass", "du")
    [decision] = town.decisions(case)
    for look in (
        lambda: siquan.case(case, "zhou"),
        lambda: siquan.explain(case, "zhou"),
        lambda: siquan.decision(decision.id, "zhou"),
        lambda: siquan.form(case, "pass", "zhou"),
        lambda: siquan.supply_form(case, "zhou"),
        # nothing is said about the case, not even that the step or the fact does not exist
        lambda: siquan.act(case, "forged", "zhou"),
        lambda: siquan.act(case, "pass", "zhou", {"forged": 1}),
        lambda: siquan.supply(case, "zhou", {"amount": 1}),
        lambda: siquan.recuse(case, "zhou", "亲属"),
    ):
        assert refused(NoAccess, town, case, look).code == "SQ403"
    assert siquan.inbox("zhou", "unit").rows == ()
    # whoever opened it sees it to the end, the district sees what lies below it
    assert siquan.case(case, "he").state == siquan.case(case, "shao").state == "district"


def test_forged_names(town: Any) -> None:
    siquan, case = town.siquan, town.submitted()
    for forged in ("forged", "", "x" * 300, "\x00", "a\ud800", "' or 1=1 --", f"{case} ", case[:-1]):
        for call in (
            lambda i=forged: siquan.case(i, "he"),
            lambda i=forged: siquan.act(i, "pass", "du"),
            lambda i=forged: siquan.supply(i, "he", {"amount": 1}),
            lambda i=forged: siquan.case_id(i),
            lambda i=forged: siquan.decision(i, "he"),
            lambda i=forged: siquan.open_case(i or "-", "he"),
            lambda i=forged: siquan.decide(i, {}),
            lambda i=forged: siquan.children(case, i, "he"),
            lambda i=forged: siquan.sheet(case, i, "he"),
            lambda i=forged: siquan.open_case("approval", "he", i or "-"),
        ):
            with pytest.raises(NotFound):
                call()
        assert siquan.inbox("he", q=forged).total >= 0
        with pytest.raises(BadLogin):
            siquan.authenticate(forged, forged)
    assert siquan.case_id("AP-2026-0001") == case
    for forged in ("submit", "forged", "", "_locked", "pass>approved"):
        refused(NoSuchStep, town, case, lambda t=forged: siquan.act(case, t, "du"))


@pytest.mark.parametrize(
    ("facts", "error", "named"),
    [
        ({}, MissingFacts, ["amount", "reason"]),
        ({"amount": 100}, MissingFacts, ["reason"]),
        ({"amount": None, "reason": "  "}, MissingFacts, ["amount", "reason"]),
        ({"amout": 100, "reason": "维修"}, UnknownFact, "amout"),
        ({"amount": "很多", "reason": "维修"}, BadFact, "amount"),
        ({"amount": -1, "reason": "维修"}, BadFact, "amount"),
        ({"amount": "nan", "reason": "维修"}, BadFact, "amount"),
        ({"amount": "1e999", "reason": "维修"}, BadFact, "amount"),
        ({"amount": True, "reason": "维修"}, BadFact, "amount"),
        ({"amount": [1], "reason": "维修"}, BadFact, "amount"),
        ({"amount": {"value": 1, "because": "x"}, "reason": "维修"}, BadFact, "amount"),
        ({"amount": {"value": 1, "as_of": "2026-11-24"}, "reason": "维修"}, BadFact, "amount"),
        ({"amount": 1, "reason": "nul\x00"}, BadFact, "reason"),
        ({"amount": 1, "reason": "x" * 20_001}, BadFact, "reason"),
        ({"amount": "x", "reason": ["y"]}, Errors, None),
        ([("amount", 1)], BadInput, None),
    ],
)  # fmt: skip
def test_facts_that_cannot_be_used(small_town: Any, facts: Any, error: type[SiquanError], named: Any) -> None:
    case = small_town.draft()
    fault = refused(error, small_town, case, lambda: small_town.siquan.act(case, "submit", "he", facts))
    if named is not None:
        assert fault.values.get("missing", fault.values.get("path")) == named
    assert fault.text("zh") and fault.text("en")
    small_town.whole()


def test_a_step_takes_only_its_own_facts(town: Any) -> None:
    """Nobody lowers the amount while passing it."""
    siquan, case = town.siquan, town.submitted(9000)
    refused(BadFact, town, case, lambda: siquan.act(case, "pass", "du", {"amount": 1}))
    assert siquan.act(case, "pass", "du").state == "district"


def test_opinions_reasons_and_titles(town: Any) -> None:
    siquan, case = town.siquan, town.submitted()
    for nothing in ("", "  \n"):
        fault = refused(MissingFacts, town, case, lambda o=nothing: siquan.act(case, "reject", "du", opinion=o))
        assert fault.values["missing"] == ["opinion"]
    for wrong in ({"opinion": "x" * 4001}, {"opinion": "nul\x00"}, {"opinion": 5}, {"reason": "free text"}, {"key": "k" * 101}, {"key": 7}):
        refused(BadInput, town, case, lambda w=wrong: siquan.act(case, "reject", "du", **{"opinion": "不妥", **w}))
    for title in ("x" * 201, "nul\x00"):
        with pytest.raises(BadInput):
            siquan.open_case("approval", "he", title=title)


def test_a_stale_form_is_refused(town: Any) -> None:
    siquan, case = town.siquan, town.draft()
    seen = siquan.case(case, "he").revision
    siquan.supply(case, "he", {"amount": 100, "reason": "旧"}, revision=seen)
    fault = refused(Stale, town, case, lambda: siquan.act(case, "submit", "he", {"reason": "新"}, revision=seen))
    assert (fault.code, fault.values["seen"], fault.values["now"]) == ("SQ409", seen, seen + 1)
    refused(Stale, town, case, lambda: siquan.supply(case, "he", {"amount": 1}, revision=seen))
    assert siquan.act(case, "submit", "he", revision=seen + 1).revision == seen + 2


def test_a_repeated_request_is_answered_again(town: Any) -> None:
    siquan = town.siquan
    first, second = (siquan.open_case("approval", "he", key="open-1") for _ in range(2))
    assert second.repeated and not first.repeated
    assert (second.case, second.number, second.revision) == (first.case, first.number, first.revision)
    case, facts = first.case, {"amount": 100, "reason": "维修"}
    done = siquan.act(case, "submit", "he", facts, revision=2, key="act-1")
    # the order of the facts and the revision seen are not content
    again = siquan.act(case, "submit", "he", dict(reversed(facts.items())), revision=2, key="act-1")
    assert again.repeated and (again.event_seq, again.state) == (done.event_seq, done.state)
    for other in (
        lambda: siquan.act(case, "submit", "he", {**facts, "amount": 101}, key="act-1"),
        lambda: siquan.act(case, "pass", "du", key="act-1"),
        lambda: siquan.act(case, "submit", "both", facts, key="act-1"),
        lambda: siquan.supply(case, "he", facts, key="act-1"),
        lambda: siquan.open_case("approval", "he", key="act-1"),
    ):
        assert refused(IdempotencyConflict, town, case, other).exit == 1
    assert not siquan.open_case("approval", "he", key="k" * 100).repeated and siquan.open_case("approval", "he", key="k" * 100).repeated
    # a refused request leaves its key free
    refused(MissingFacts, town, case, lambda: siquan.act(case, "reject", "du", key="act-2"))
    assert siquan.act(case, "reject", "du", opinion="不妥", key="act-2").state == "rejected"
    town.whole()


def test_a_double_click_is_one_act(town: Any) -> None:
    case, gate = town.draft(), threading.Barrier(2)

    def click(_: int) -> Any:
        gate.wait()
        return town.siquan.act(case, "submit", "he", {"amount": 100, "reason": "维修"}, revision=2, key="click")

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(click, range(2)))
    assert sorted(a.repeated for a in answers) == [False, True]
    assert {(a.state, a.revision, a.event_seq) for a in answers} == {("community", 3, 2)}
    assert [e.kind for e in town.events(case)] == ["opened", "acted"]
    town.whole()


def test_ten_people_act_on_one_case_at_once(town: Any) -> None:
    """One winner per revision; everybody else gets a clear refusal; the chain stays whole."""
    siquan, case = town.siquan, town.draft()
    gate, rounds = threading.Barrier(10), 4

    def worker(n: int) -> list[Any]:
        out: list[Any] = []
        for _ in range(rounds):
            gate.wait()
            seen = siquan.case(case, "he").revision
            gate.wait()
            try:
                out.append(siquan.supply(case, ("he", "du")[n % 2], {"amount": n}, revision=seen).revision)
            except SiquanError as fault:
                out.append(fault.code)
        return out

    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(worker, range(10)))
    for round in zip(*results, strict=True):
        assert sorted(map(str, round))[1:] == ["SQ409"] * 9, round
    won = [r for result in results for r in result if r != "SQ409"]
    assert sorted(won) == [3, 4, 5, 6] and town.case(case).revision == 6

    # without a revision everybody's fact is taken, one after the other
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda n: siquan.supply(case, "he", {"amount": n}), range(10)))
    assert town.case(case).revision == 16
    # ten try to pass it: one does
    siquan.act(case, "submit", "he", {"amount": 1, "reason": "茶水"})

    def pass_it(n: int) -> str:
        try:
            return siquan.act(case, "pass", ("du", "ren", "both")[n % 3]).state
        except SiquanError as fault:
            return fault.code

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(pass_it, range(10))) == ["SQ411"] * 9 + ["approved"]
    town.whole()


def test_ten_people_open_at_once(town: Any) -> None:
    """Numbers have no gaps and no twins, also when the first cases of a plugin are opened together."""
    with ThreadPoolExecutor(10) as pool:
        opened = list(pool.map(lambda n: town.siquan.open_case("approval", "he", key=f"k{n % 8}"), range(10)))
    assert sorted(o.number for o in opened if not o.repeated) == [f"AP-2026-{n:04d}" for n in range(1, 9)]
    assert sum(o.repeated for o in opened) == 2
    town.whole()


def test_recusal_is_for_good(town: Any) -> None:
    siquan, case = town.siquan, town.submitted()
    refused(MissingFacts, town, case, lambda: siquan.recuse(case, "du", " "))
    done = siquan.recuse(case, "du", "申请人是我姐姐", key="r")
    assert siquan.recuse(case, "du", "申请人是我姐姐", key="r").repeated and done.revision == town.case(case).revision
    fault = refused(StepRefused, town, case, lambda: siquan.act(case, "pass", "du"))
    assert "回避" in fault.text("zh")
    refused(SiquanError, town, case, lambda: siquan.recuse(case, "du", "再来一次"))
    refused(NoAccess, town, case, lambda: siquan.supply(case, "du", {"amount": 1}))
    assert "姐姐" not in str([e.data for e in town.events(case)])
    assert siquan.act(case, "pass", "ren").state == "district"
    town.whole()


def test_numbers_never_meet(sqlite_url: str, write_plugin: Any, make_town: Any) -> None:
    """A series without a year runs on; one with a year begins anew."""
    text = "process: {}\ntitle: 登记\nnumber: {}\nroles: {{he: 经办}}\nstates:\n  open: {{title: 登记, close: {{title: 办结, by: he, to: done}}}}\n  done: {{title: 办结, final: true}}\n"
    for pattern, wanted in (("字第{seq}号", ["字第1号", "字第2号", "字第3号"]), ('"{year}-{seq:3}"', ["2026-001", "2026-002", "2027-001"])):
        town = make_town(f"{sqlite_url}-{len(pattern)}", write_plugin("letters", text.format("letters", pattern)))
        town.settle([("he", "wutongli", "he")])
        numbers = []
        for day in (dt.date(2026, 12, 30), dt.date(2026, 12, 31), dt.date(2027, 1, 1)):
            town.clock.move(day)
            numbers.append(town.siquan.open_case("letters", "he").number)
        assert numbers == wanted
