"""`verbs:` of a process: what becomes a step, what stays a verb, and every way to write it wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from siquan.core.engine.machine import Machine, NoSuchStep
from siquan.core.spec.load import load_plugin
from siquan.core.spec.model import ProcessSpec, TransitionSpec
from siquan.core.spec.process import BadDue
from siquan.core.spec.verbs import TITLES, BadVerb, moving
from siquan.core.spec.version import content_hash

PROCESS = """
process: thing
title: 事
roles: {{clerk: 经办}}
states:
  one: {{title: 一, go: {{title: 走, by: clerk, to: two}}}}
  two: {{title: 二, {step}: {{title: 完, by: starter, to: done}}}}
  done: {{title: 完, final: true}}
{verbs}
"""


def load(tmp_path: Path, verbs: str = "", step: str = "end") -> ProcessSpec:
    file = tmp_path / "thing.yaml"
    file.write_text(PROCESS.format(verbs=f"verbs: {{{verbs}}}" if verbs else "", step=step), encoding="utf-8")
    return load_plugin(file, {}).processes[0]


def test_a_verb_that_ends_a_case_is_a_step_where_it_is_declared(tmp_path: Path) -> None:
    spec = load(tmp_path, "withdraw: {by: [starter, clerk], from: two, reasons: {x: 不办了}, to: done, opinion: required}")
    assert spec.verbs == () and [t.name for t in spec.anywhere] == ["withdraw"]
    step = spec.anywhere[0]
    assert (step.title, step.verb, step.only, step.by, step.to) == ("撤销", "withdraw", ("two",), ("starter", "clerk"), "done")
    machine = Machine(spec)
    assert [t.name for t in machine.steps("one")] == ["go"] and [t.name for t in machine.steps("two")] == ["end", "withdraw"]
    assert machine.fire("two", step, "done") == "done"
    with pytest.raises(NoSuchStep):
        machine.fire("one", step, "done")


def test_the_other_verbs_are_no_steps(tmp_path: Path) -> None:
    spec = load(tmp_path, "return: {by: clerk, reasons: {x: 不全}, to: any}, take_back: {}, suspend: {by: clerk, reasons: {x: 等}, at_most: 30 days, clocks: run}")
    assert spec.anywhere == () and moving(spec) == ["return", "take_back", "suspend", "resume"]
    suspend = spec.verb("suspend")
    assert suspend is not None and suspend.at_most is not None and (suspend.clocks, suspend.at_most.n, suspend.at_most.unit) == ("run", "30", "day")
    kept = ProcessSpec.model_validate_json(spec.model_dump_json())
    assert kept.model_dump() == spec.model_dump() and kept.verbs


def test_a_process_without_verbs_is_called_what_it_was_called(tmp_path: Path) -> None:
    spec = load(tmp_path)
    assert "verbs" not in spec.model_dump() and not {"only", "verb"} & spec.states[0].transitions[0].model_dump().keys()
    assert {"only", "verb"} <= TransitionSpec(name="x", title="x", only=("a",), verb="withdraw").model_dump().keys()
    assert content_hash(spec) != content_hash(load(tmp_path, "take_back: {}"))


@pytest.mark.parametrize(
    ("verbs", "why"),
    [
        ("vanish: {}", "withdraw"),
        ("withdraw: {by: clerk, reasons: {x: y}, to: two}", "final"),
        ("withdraw: {by: clerk, reasons: {x: y}}", "final"),
        ("withdraw: {reasons: {x: y}, to: done}", "by"),
        ("withdraw: {by: clerk, to: done}", "reasons"),
        ("terminate: {by: clerk, from: nowhere, reasons: {x: y}, to: done}", "nowhere"),
        ("return: {by: clerk, reasons: {x: y}}", "to"),
        ("return: {by: clerk, reasons: {x: y}, to: [one, done]}", "to"),
        ("return: {by: clerk, reasons: {x: y}, to: any, needs: [a]}", "needs"),
        ("reopen: {by: clerk, reasons: {x: y}, to: any}", "final"),
        ("reopen: {by: clerk, reasons: {x: y}, to: [one, two]}", "to"),
        ("reopen: {by: clerk, from: one, reasons: {x: y}, to: one}", "final"),
        ("suspend: {by: clerk, reasons: {x: y}, clocks: slow}", "stop"),
        ("suspend: {by: clerk}", "reasons"),
        ("resume: {by: clerk}", "suspend"),
        ("take_back: true", "mapping"),
        ("take_back: {at_most: 3 days}", "at_most"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_line(tmp_path: Path, verbs: str, why: str) -> None:
    with pytest.raises(BadVerb) as fault:
        load(tmp_path, verbs)
    assert why in fault.value.text("en") and fault.value.where is not None and fault.value.where.line


def test_names_that_mean_two_things_are_refused(tmp_path: Path) -> None:
    for verbs, step in (("return: {by: clerk, reasons: {x: y}, to: any}", "return"), ("suspend: {by: clerk, reasons: {x: y}}", "resume")):
        with pytest.raises(BadVerb):
            load(tmp_path, verbs, step)


def test_a_time_is_read_like_a_deadline(tmp_path: Path) -> None:
    with pytest.raises(BadDue):
        load(tmp_path, "take_back: {within: soon}")


def test_every_verb_has_both_names() -> None:
    assert all(zh and en for zh, en in TITLES.values())
