"""Every decision of the demo can be decided again with the same result, read in two languages, and erased for good."""

from __future__ import annotations

import re
from typing import Any

import pytest

from siquan.core.errors import NoAccess, NotFound
from siquan.core.service import Siquan

SEES_ALL = "shaoqiming"


def decided(siquan: Siquan, process: str = "") -> list[Any]:
    """(case, decision) of everything on record."""
    with siquan.app.store.read() as tx:
        rows = [(tx.cases.get(d.case_id), d) for d in tx.decisions.each() if d.case_id]
    return [(c, d) for c, d in rows if c.process.startswith(process)]


def test_the_demo_is_whole(demo: Siquan) -> None:
    assert demo.audit_verify() == [] and demo.replay() == []
    assert demo.sweep() == {"reminded": 0, "fired": 0, "failed": 0}, "nothing is left over from loading"


def test_every_decision_of_the_demo_is_the_same_again(demo: Siquan) -> None:
    rows = decided(demo)
    assert len(rows) > 40 and {c.process.partition(".")[0] for c, _ in rows} == {"approval", "owners_committee", "big_party_committee", "volunteer_points"}
    replays = {d.id: demo.decision(d.id, SEES_ALL).replay for _, d in rows}
    assert {verdict for verdict in replays.values()} == {"same"}
    assert {d.outcome for _, d in rows} >= {"PASS", "WARN", "EVIDENCE", "BLOCK", "REJECT"}


def test_another_rule_book_does_not_change_what_was_decided(demo: Siquan, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that was tampered with in its content differs when it is decided again."""
    _, row = next((c, d) for c, d in decided(demo, "approval") if not d.refused)
    view = demo.decision(row.id, SEES_ALL)
    assert view.replay == "same"
    record = {**row.record, "facts": {**row.record["facts"], "amount": {"value": "1"}}, "value": "district"}
    forged = type(row)(*(record if name == "record" else getattr(row, name) for name in row.__slots__))
    with demo.app.store.read() as tx:
        from siquan.core.service.context import Context

        assert row.case_id
        assert demo._papers._replay(Context(demo.app, tx, tx.cases.get(row.case_id)), forged) == "differs"


def test_an_erased_decision_says_so(demo: Siquan) -> None:
    case, _ = next((c, d) for c, d in decided(demo, "owners_committee.candidate"))
    before = demo.explain(case.id, "duruo")
    with demo.app.store.begin() as tx:
        assert tx.facts.erase(case.id) > 10 and tx.decisions.erase(case.id) == len(before)
    after = demo.explain(case.id, "duruo")
    assert [v.replay for v in after] == ["erased"] * len(before)
    for old, new in zip(before, after, strict=True):
        # who, when, by which rules and with what outcome stays; what was known of the person is gone
        assert (new.id, new.at, new.actor, new.decision.hash, new.decision.outcome) == (old.id, old.at, old.actor, old.decision.hash, old.decision.outcome)
        assert (new.decision.findings, new.facts, new.decision.facts) == ((), (), {})
    assert demo.audit_verify() == [] and demo.replay() == [], "erased is not edited"
    view = demo.case(case.id, "duruo")
    assert view.state == case.state and all(not f.text or f.unknown for f in view.facts if hasattr(f, "unknown"))


def test_english_for_the_party_committee(demo: Siquan) -> None:
    han = re.compile(r"[\u4e00-\u9fff]")
    rows = decided(demo, "big_party_committee")
    assert rows
    for _, row in rows:
        zh, en = demo.decision(row.id, SEES_ALL), demo.decision(row.id, SEES_ALL, "en")
        assert en.replay == "same"
        assert [(f.rule, f.result, f.outcome) for f in zh.decision.findings] == [(f.rule, f.result, f.outcome) for f in en.decision.findings]
        for finding in en.decision.findings:
            # the words are English; a name or a date inside them is data
            words = "".join(p.text for p in finding.pieces if p.kind == "text")
            assert not han.search(words + finding.title), (finding.rule, words)
    facts = {"members": {"value": [], "complete": True}}
    trial = demo.decide("big_party_committee.staffing", facts, lang="en")
    assert trial.outcome == "BLOCK" and not any(han.search(f.message) for f in trial.findings if f.result == "hit")
    case = rows[0][0]
    view = demo.case(case.id, SEES_ALL, "en")
    assert not han.search(view.state_title + view.process_title + "".join(s.title for s in view.steps))


def test_who_may_read_a_decision(demo: Siquan) -> None:
    case, row = next((c, d) for c, d in decided(demo, "approval"))
    assert demo.decision(row.id, case.opened_by).case == case.id
    with pytest.raises(NoAccess):
        demo.decision(row.id, "zhouhang")
    with pytest.raises(NotFound):
        demo.decision("forged", SEES_ALL)


def test_a_trial_decision_writes_nothing(demo: Siquan) -> None:
    before = len(decided(demo))
    demo.decide("approval.level", {"amount": 6000}, place="community/wutongli")
    assert len(decided(demo)) == before
