"""The demo district: every script goes through on any day, and what a newcomer finds there is what the scripts tell."""

from __future__ import annotations

import datetime as dt
import itertools
import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from siquan.core.calendar import Calendar, shipped
from siquan.core.demo import demo_accounts, load_demo
from siquan.core.demo.days import Days
from siquan.core.demo.load import DemoBroken
from siquan.core.demo.rows import read_rows
from siquan.core.plugins import Catalogue, discover
from siquan.core.service import Siquan
from siquan.core.spec.model import ProcessSpec, TransitionSpec
from siquan.core.store.database import Store
from siquan.core.store.rows import Case
from siquan.core.views import Block, CaseView, StepView

TODAY = dt.date(2026, 11, 23)
CHINA = dt.timezone(dt.timedelta(hours=8))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return discover()


def installation(catalogue: Catalogue, day: dt.date, folder: Path) -> Siquan:
    ticks = itertools.count()
    start = dt.datetime.combine(day, dt.time(10), CHINA)

    def clock() -> dt.datetime:
        return start + dt.timedelta(seconds=next(ticks))

    store = Store(f"sqlite:///{folder / 'siquan.db'}", clock, lambda: secrets.token_hex(8))
    service = Siquan(store, catalogue, clock)
    with store.begin() as tx:
        for year in shipped().values():
            tx.calendars.publish(year.year, dict(year.holidays), year.workdays, year.source, "system")
    return service


class Demo(NamedTuple):
    service: Siquan
    folder: Path
    day: dt.date

    def cases(self) -> list[Case]:
        with self.service.app.store.read() as tx:
            return [tx.cases.get(i) for i in tx.cases.ids("", 1000)]

    def of(self, title: str) -> Case:
        return next(c for c in self.cases() if c.title == title and c.parent_id is None)

    def children(self, title: str, name: str) -> dict[str, str]:
        """title -> state"""
        parent = self.of(title)
        return {c.title: c.state for c in self.cases() if c.parent_id == parent.id and c.parent_name == name}

    def child(self, title: str, child: str) -> Case:
        parent = self.of(title)
        return next(c for c in self.cases() if c.parent_id == parent.id and c.title == child)

    def view(self, case: Case, person: str) -> CaseView:
        return self.service.case(case.id, person)


CHENGHU, HEYUE, LIUAN = "澄湖花园第三届业主委员会换届", "和悦家园第二届业主委员会换届", "柳岸新村第三届业主委员会换届"
WUTONGLI, XIAOQIAOTOU = "梧桐里社区大党委兼职委员配备", "小桥头社区大党委兼职委员配备"


@pytest.fixture(scope="module")
def demo(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    service = installation(catalogue, TODAY, folder)
    load_demo(service, folder, today=TODAY, password="Demo-2026")
    return Demo(service, folder, TODAY)


def step(view: CaseView, name: str) -> StepView:
    return next(s for s in view.steps if s.name == name)


def rules(blocks: tuple[Block, ...]) -> set[str]:
    return {b.rule for b in blocks if b.rule}


def test_states(demo: Demo) -> None:
    states = {title: demo.of(title).state for title in (CHENGHU, HEYUE, LIUAN, WUTONGLI, XIAOQIAOTOU)}
    assert states == {
        CHENGHU: "screening", HEYUE: "candidate_publicity.posted", LIUAN: "filing", WUTONGLI: "appoint.select", XIAOQIAOTOU: "active",
    }  # fmt: skip


def test_clean(demo: Demo) -> None:
    assert demo.service.audit_verify() == []
    assert demo.service.replay() == []
    with demo.service.app.store.read() as tx:
        assert tx.incidents.latest(None) == []


def test_screening_of_chenghu(demo: Demo) -> None:
    states = demo.children(CHENGHU, "candidates")
    assert Counter(states.values()) == {"passed": 7, "need_evidence": 4, "told": 2}
    outcomes = Counter()
    for name in states:
        decisions = demo.service.explain(demo.child(CHENGHU, name).id, "hejianing")
        assert len(decisions) == 1 and decisions[0].replay == "same"
        found = decisions[0].decision
        outcomes["PASS" if found.outcome in ("PASS", "WARN") else found.outcome] += 1
        assert found.on < demo.day
    assert outcomes == {"PASS": 7, "EVIDENCE": 2, "REJECT": 2, "BLOCK": 2}
    publish = step(demo.view(demo.of(CHENGHU), "zhaomin"), "publish")
    assert not publish.allowed and "OC-A06" in rules(publish.blocks)


def test_the_confirmation_of_a_rejection(demo: Demo) -> None:
    """One statement period is over, the other is running; who stated the facts confirms neither."""
    ye, zhou = demo.child(CHENGHU, "叶承志"), demo.child(CHENGHU, "周以宁")
    assert step(demo.view(ye, "duruo"), "confirm_reject").allowed
    early = step(demo.view(zhou, "duruo"), "confirm_reject")
    assert not early.allowed and {b.kind for b in early.blocks} == {"time"}
    own = step(demo.view(ye, "hejianing"), "confirm_reject")
    assert [b.message for b in own.blocks if b.kind == "person"][0].startswith("你录入过事实")
    assert not any(s.allowed for s in demo.view(zhou, "wanghaitang").steps), "she recused herself from this candidate"
    assert any(s.allowed for s in demo.view(ye, "wanghaitang").steps)
    clause = demo.service.explain(ye.id, "duruo")[0].decision.hits()[0]
    assert clause.rule == "OC-N04" and "业主大会" in clause.basis_cite


def test_the_objection_at_heyue(demo: Demo) -> None:
    assert demo.children(HEYUE, "candidate_publicity.objections") == {"彭达": "investigating"}
    assert Counter(demo.children(HEYUE, "candidates").values()) == {"passed": 6, "rejected_confirmed": 1}
    numbers = [c.number for c in demo.cases() if c.number]
    assert len(numbers) == len(set(numbers)), "a candidate and an objection do not share a number"
    finish = step(demo.view(demo.of(HEYUE), "zhaomin"), "finish")
    assert not finish.allowed and rules(finish.blocks) == {"OC-T02", "PN-03"}


def test_the_vote_at_liuan(demo: Demo) -> None:
    case = demo.of(LIUAN)
    view = demo.view(case, "gaoyifan")
    assert step(view, "receipt").allowed
    sizes = {c.name: c.total for c in view.collections}
    assert sizes["owners"] == 24 and sizes["votes"] == 20 * 6 and sizes["members"] == 5
    vote = next(d for d in demo.service.explain(case.id, "gaoyifan") if d.decision.ruleset.endswith(".voting"))
    assert vote.decision.outcome == "PASS"
    own = step(demo.view(case, "luojianping"), "receipt")
    assert not own.allowed


def test_the_big_party_committees(demo: Demo) -> None:
    choose = step(demo.view(demo.of(WUTONGLI), "chenyu"), "choose")
    assert not choose.allowed and rules(choose.blocks) == {"BP-02"}
    assert "城管队员" in choose.blocks[0].message and choose.blocks[0].law
    assert demo.children(XIAOQIAOTOU, "quarters") == {
        "2026年第2季度": "closed_missed", "2026年第3季度": "closed", "2026年第4季度": "open",
    }  # fmt: skip


def test_everyone_finds_something(demo: Demo) -> None:
    assert demo_accounts(demo.folder)[0].password == "Demo-2026"
    assert load_demo(demo.service, demo.folder) == demo_accounts(demo.folder), "a second call does nothing"
    waiting = {a.login: demo.service.inbox(a.login).total for a in demo_accounts(demo.folder)}
    for login in ("hejianing", "chenyu", "gaoyifan", "duruo", "zhaomin", "zhouhang"):
        assert waiting[login], login


@pytest.mark.parametrize("day", [dt.date(2027, 2, 28), dt.date(2026, 10, 5)], ids=str)
def test_other_days(catalogue: Catalogue, tmp_path: Path, day: dt.date) -> None:
    """A month's end without a published calendar, and the middle of a long holiday."""
    service = installation(catalogue, day, tmp_path)
    load_demo(service, tmp_path, today=day, password="Demo-2026")
    demo = Demo(service, tmp_path, day)
    test_states(demo)
    assert Counter(demo.children(CHENGHU, "candidates").values()) == {"passed": 7, "need_evidence": 4, "told": 2}
    assert demo.children(HEYUE, "candidate_publicity.objections") == {"彭达": "investigating"}
    test_the_confirmation_of_a_rejection(demo)
    assert service.audit_verify() == [] and service.replay() == []


def test_a_broken_script_says_where(catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = {"process": "approval.approval", "name": "错", "by": "wangyue", "place": "community/wutongli", "on": "T-3", "steps": [{"act": "nothing"}]}
    monkeypatch.setattr("siquan.core.demo.load._scripts", lambda _: iter([("demo", tmp_path, bad)]))
    with pytest.raises(DemoBroken) as fault:
        load_demo(installation(catalogue, TODAY, tmp_path), tmp_path, today=TODAY, password="Demo-2026")
    assert fault.value.values["case"] == "错" and fault.value.values["step"] == 1


def test_days() -> None:
    days = Days(dt.date(2026, 10, 12), Calendar.of(shipped()))
    assert days.day("T+3") == dt.date(2026, 10, 15)
    assert days.day("W-3") == dt.date(2026, 10, 8), "a make-up Saturday counts, the holiday does not"
    assert days.day("W-4") == dt.date(2026, 9, 30)
    assert days.day("D+1", dt.date(2026, 1, 31)) == dt.date(2026, 2, 1) and days.day("D") is None
    assert days.day("Q") == dt.date(2026, 10, 1) and days.day("Q-3") == dt.date(2026, 1, 1)
    assert days.day("Q-4") == dt.date(2025, 10, 1)
    assert days.day("Q-1+4") == dt.date(2026, 7, 6), "a Sunday moves on"
    assert days.day("W") is None and days.day("Quarter") is None
    given = {"a": ["T-1", "文 T-1"], "b": "{Q-1}活动", "c": 3}
    assert days.dated(given, dt.date(2026, 1, 1)) == {"a": ["2026-10-11", "文 T-1"], "b": "2026年第3季度活动", "c": 3}


def test_rows() -> None:
    raw = {
        "written_for": "2026-01-01", "each": {"x": 1, "日": "2026-01-02"},
        "rows": [{"议题": ["甲", "乙"], "表决": ["同意", "反对"]}, {"议题": "丙", "x": 2, "出生日期": "1990-01-01"}],
    }  # fmt: skip
    assert read_rows(raw, dt.date(2026, 1, 11)) == [
        {"x": 1, "日": "2026-01-12", "议题": "甲", "表决": "同意"},
        {"x": 1, "日": "2026-01-12", "议题": "乙", "表决": "反对"},
        {"x": 2, "日": "2026-01-12", "议题": "丙", "出生日期": "1990-01-01"},
    ]


def transitions(process: ProcessSpec) -> Iterator[TransitionSpec]:
    for state in process.states:
        yield from state.transitions
    yield from process.anywhere


def test_every_fact_a_step_wants_can_be_entered(catalogue: Catalogue) -> None:
    """By the form of the step, or by a sheet of the collection: a list that is neither would lock the step for good."""
    for definition in catalogue.definitions.values():
        sheets = {s.target for s in definition.spec.sheets}
        wanted = {f for t in transitions(definition.spec) for f in (*t.needs, *t.asks)} | set(definition.spec.opening)
        for name in wanted:
            for leaf in definition.schema.leaves(name):
                if leaf.collection:
                    assert leaf.name in sheets, f"{definition.spec.id}: {leaf.name} has no sheet"
                elif not leaf.derive:
                    assert leaf.type not in ("list", "record"), f"{definition.spec.id}: no form takes {leaf.name}"
