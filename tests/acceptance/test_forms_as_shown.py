"""What a form shows can be sent back unchanged: the pages never offer what the service refuses."""

from __future__ import annotations

from typing import Any

import pytest

from siquan.core.service.records import whole_records


def shown(view: Any) -> dict[str, Any]:
    """A form as the browser posts it when nothing is touched."""
    out: dict[str, Any] = {}
    for f in view.fields:
        if f.value:
            out[f.path] = {"value": f.value, "as_of": f.as_of, "source": f.source} if f.envelope and f.as_of else f.value
    return out


@pytest.mark.parametrize(("title", "step"), [("吴静怡", "supply"), ("孙学礼", "supply"), ("周以宁", "state_case")])
def test_a_candidate_form_is_accepted_as_it_stands(demo: Any, title: str, step: str) -> None:
    with demo.app.store.read() as tx:
        case = next(c for c in tx.cases.of_process("owners_committee.candidate") if c.title == title)
    siquan = demo
    form = siquan.form(case.id, step, "hejianing")
    assert any(f.value == "none" for f in form.fields), "records known not to exist are among them"
    again = siquan.form(case.id, step, "hejianing", shown(form))
    assert not [(f.path, f.error) for f in again.fields if f.error and f.value]
    assert not again.blocks
    before = {p: f.value for p, f in _facts(demo, case.id).items()}
    if not [f for f in again.fields if f.error]:
        siquan.act(case.id, step, "hejianing", shown(form), "照录", next(iter(dict(form.step.reasons)), ""))
        assert {p: f.value for p, f in _facts(demo, case.id).items() if p in before} == before
        last = _last(demo, case.id)
        assert len(last.get("facts", {})) < 6, "what did not change is not stated anew"


def _facts(demo: Any, case: str) -> Any:
    with demo.app.store.read() as tx:
        return tx.facts.current(case)


def test_a_record_is_absent_only_when_nothing_of_it_is_filled(demo: Any) -> None:
    schema = demo.app.definition("owners_committee.candidate").schema
    gone = {"fee.arrears_months": "none", "fee.dispute": "none", "fee.judgment_no": "none"}
    assert whole_records(schema, gone) == {"fee": "none"}
    there = {**gone, "fee.arrears_months": "3"}
    assert whole_records(schema, there) == {"fee.arrears_months": "3", "fee.judgment_no": "none"}
    assert whole_records(schema, {"fee.judgment_no": "none"}) == {"fee.judgment_no": "none"}


def _last(demo: Any, case: str) -> dict[str, Any]:
    with demo.app.store.read() as tx:
        data: dict[str, Any] = tx.events.of(case)[-1].data
        return data
