"""A stuck case is put into another state by two administrators, and by nobody else."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from siquan.core.errors import BadInput, NoAccess, NotFound
from siquan.core.service.repairing import RepairRefused

OFFICE = (("boss", "yunxi", "admin"), ("chief", "yunxi", "admin"), ("local", "wutongli", "admin"), ("far", "xiaoqiaotou", "admin"))


@pytest.fixture
def office(town: Any) -> Any:
    town.settle(OFFICE)
    return town


def test_two_administrators_put_it_right(office: Any) -> None:
    siquan, case = office.siquan, office.submitted()
    siquan.act(case, "pass", "du")
    facts = {f.path: f.text for f in siquan.case(case, "du").facts}
    before = office.case(case)
    with pytest.raises(RepairRefused):
        siquan.repair(case, "boss")
    view = siquan.propose_repair(case, "boss", "community", "区里退回重看")
    assert (view.from_title, view.to_title, office.case(case)) == ("区级确认", "社区审核", before)
    with pytest.raises(RepairRefused):
        siquan.repair(case, "boss")
    done = siquan.repair(case, "local", key="k1")
    assert (done.state, done.revision) == ("community", before.revision + 1)
    assert siquan.repair(case, "local", key="k1").repeated
    with pytest.raises(RepairRefused):
        siquan.repair(case, "chief")
    last = office.events(case)[-1]
    assert (last.kind, last.actor, last.data["proposed_by"]) == ("repaired", "local", "boss") and "退回" not in str(last.data)
    shown = siquan.case(case, "du")
    assert (shown.events[0].kind, shown.events[0].to, shown.events[0].text) == ("repaired", "社区审核", "区里退回重看")
    assert {f.path: f.text for f in shown.facts} == facts
    assert [(d.state, d.end_date) for d in office.deadlines(case) if d.status == "open"] == [("community", dt.date(2026, 11, 26))]
    with office.store.read() as tx:
        assert [t.state for t in tx.tasks.of(case, only_open=True)] == ["community"]
    office.whole()
    assert siquan.act(case, "pass", "ren").state == "district"


def test_what_is_refused(small_town: Any) -> None:
    town = small_town
    town.settle(OFFICE)
    siquan, case = town.siquan, town.submitted()
    before = town.case(case)
    for person in ("du", "he", "far", "qin"):
        with pytest.raises(NoAccess):
            siquan.propose_repair(case, person, "district", "x")
        with pytest.raises(NoAccess):
            siquan.repair_form(case, person)
    with pytest.raises(NotFound):
        siquan.propose_repair(case, "boss", "nowhere", "x")
    for to in ("approved", "community"):
        with pytest.raises(RepairRefused):
            siquan.propose_repair(case, "boss", to, "x")
    with pytest.raises(BadInput):
        siquan.propose_repair(case, "boss", "district", " ")
    assert town.case(case) == before
    # older than a week
    siquan.propose_repair(case, "boss", "district", "x")
    town.clock.move(town.clock.day + dt.timedelta(days=8))
    with pytest.raises(RepairRefused, match="older"):
        siquan.repair(case, "chief")
    # the case moved on
    siquan.propose_repair(case, "boss", "district", "x")
    siquan.supply(case, "he", {"reason": "换灯"})
    with pytest.raises(RepairRefused, match="moved"):
        siquan.repair(case, "chief")
    # closed
    siquan.act(case, "reject", "du", opinion="不合适")
    with pytest.raises(RepairRefused, match="closed"):
        siquan.propose_repair(case, "boss", "community", "x")
    siquan.propose_repair(case, "boss", "community", "驳错了", reopen=True)
    assert siquan.repair(case, "chief").outcome == ""
    assert town.case(case).is_open and siquan.case(case, "du").state == "community"
    town.whole()
    # a later proposal takes the place of the earlier one
    siquan.propose_repair(case, "boss", "district", "x")
    siquan.propose_repair(case, "chief", "draft", "y")
    with pytest.raises(RepairRefused):
        siquan.repair(case, "chief")
    assert siquan.repair(case, "boss").state == "draft"
    town.whole()


def test_stuck_cases_are_found(office: Any) -> None:
    siquan = office.siquan
    fine, lonely, taskless, odd = (office.submitted() for _ in range(4))
    assert siquan.stuck() == ((), 0)
    with office.store.begin() as tx:
        tx.tasks.close(taskless, "system")
        tx.incidents.add("deadline", "没有办成", {}, odd)
    siquan.act(lonely, "pass", "du")
    found = {c.case: c.why for c in siquan.stuck()[0]}
    assert found == {taskless: "task", odd: "incident"}
    with office.store.begin() as tx:
        for person in ("shao", "both"):
            for grant in tx.people.grants(person):
                if grant.role == "district":
                    tx.people.end_grant(grant.id, dt.date(2026, 11, 1))
    found = {c.case: c.why for c in siquan.stuck()[0]}
    assert found == {lonely: "nobody", taskless: "task", odd: "incident"} and fine not in found
    assert siquan.case(lonely, "du").troubles and not siquan.case(fine, "du").troubles
    with pytest.raises(NoAccess):
        siquan.stuck("du")
    with pytest.raises(NoAccess):
        siquan.stuck("local")
    assert siquan.stuck("boss")[1] == 3


def test_everybody_recused_or_gone(small_town: Any) -> None:
    town = small_town
    case, other, draft = town.submitted(), town.submitted(), town.draft()
    for person in ("du", "ren", "both"):
        town.siquan.recuse(case, person, "亲属")
    assert {c.case: c.why for c in town.siquan.stuck()[0]} == {case: "nobody"} and other
    with town.store.begin() as tx:
        tx.people.change("he", active=False)
    assert {c.case: c.why for c in town.siquan.stuck()[0]} == {case: "nobody", draft: "nobody"}


def test_incidents_are_closed_with_a_note_on_record(small_town: Any) -> None:
    town = small_town
    town.settle(OFFICE)
    with town.store.begin() as tx:
        row = tx.incidents.add("deadline", "没有办成", {"name": "look"})
    call = town.siquan
    for person in ("du", "local"):
        with pytest.raises(NoAccess):
            call.incidents(person)
        with pytest.raises(NoAccess):
            call.close_incident(row.id, person, "x")
    assert [(i.message, i.detail) for i in call.incidents("boss")] == [("没有办成", (("name", "look"),))]
    with pytest.raises(BadInput):
        call.close_incident(row.id, "boss", " ")
    call.close_incident(row.id, "boss", "补了事实")
    with pytest.raises(Exception, match="已经关闭"):
        call.close_incident(row.id, "chief", "再来")
    (closed,) = call.incidents("chief", "closed")
    assert (closed.closed_by, closed.note) == ("boss", "补了事实")
    with town.store.read() as tx:
        log = [(a.actor, a.what) for a in tx.access.latest()]
    assert ("boss", "incidents") in log and ("boss", "incident.close") in log
