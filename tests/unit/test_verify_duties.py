"""V060, the reading of obligations and alarms, and cases that expect how an obligation stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from siquan.core.errors import SiquanError
from siquan.core.plugins import Catalogue, discover
from siquan.core.spec.load import load_plugin
from siquan.core.testing.runner import run_case
from siquan.core.verify import Finding, verify

HEAD = """
process: body
title: 机构
pin: none
roles: {clerk: 经办@community}
facts: {n: {title: 次数, type: integer, by: clerk}}
"""
STATES = """
states:
  active:
    title: 在任
    dues: {half: {title: 半年, after: 150 days}}
    report: {title: 报告, by: clerk, to: same}
    slow: {title: 半年小结, by: clerk, not_before: half, to: same}
    count: {title: 登记, by: clerk, needs: [n], to: same}
    end: {title: 结束, by: clerk, to: over}
  lost: {title: 走不到, odd: {title: 怪, by: clerk, to: same}}
  over: {title: 结束, final: true, again: {title: 重开, by: clerk, to: active}}
"""


def loaded(tmp_path: Path, duty: str, more: str = "") -> Catalogue:
    file = tmp_path / "body.yaml"
    file.write_text(f"{HEAD}obligations: {{duty: {{title: 报告, {duty}}}}}\n{STATES}{more}", encoding="utf-8")
    found = discover(bundled=False, only=[file])
    for one in found.found:
        if one.error:
            raise one.error
    return found


def findings(tmp_path: Path, duty: str) -> list[Finding]:
    return [f for f in verify(loaded(tmp_path, duty), "body") if f.code == "V060"]


@pytest.mark.parametrize(
    ("duty", "words"),
    [
        ("every: month, act: repotr", "没有 `repotr` 这一步"),
        ("every: month, act: odd", "只在走不到或已办结的“走不到”里"),
        ("every: month, act: again", "只在走不到或已办结的“结束”里"),
        ("every: month, act: slow", "“半年小结”要等 150 天，一期最长 31 天"),
        ("every: quarter, child: checks", "没有叫 `checks` 的子事项"),
        ("every: quarter, met_when: 'false'", "从来不成立"),
    ],
)
def test_an_obligation_that_can_never_be_met(tmp_path: Path, duty: str, words: str) -> None:
    [found] = findings(tmp_path, duty)
    assert found.severity == "error" and words in found.zh and found.help_zh and found.where is not None
    assert found.story[-1] == "记为未履行" and "期末" in found.story[-2]


@pytest.mark.parametrize("duty", ["every: month, act: report", "every: year, act: slow", "every: half, met_when: 'n > 1'", "every: two_months, act: report, from: today"])
def test_one_that_can(tmp_path: Path, duty: str) -> None:
    assert findings(tmp_path, duty) == []


@pytest.mark.parametrize(
    ("duty", "code"),
    [
        ("every: month", "SQ0"), ("every: week, act: report", "SQ0"), ("act: report", "SQ0"), ("every: month, act: report, child: x", "SQ0"),
        ("every: month, act: report, warn: soon", "SQ032"), ("every: month, act: report, by: nobody", "SQ031"),
        ("every: month, met_when: 'n > period.begin'", "SQ102"), ("every: month, act: report, from: m", "SQ102"),
        ("every: month, act: report, until: n +", "SQ1"), ("every: month, act: report, wran: 3 days", "SQ013"),
    ],
)  # fmt: skip
def test_what_is_written_wrong_is_refused_with_its_line(tmp_path: Path, duty: str, code: str) -> None:
    with pytest.raises(SiquanError) as info:
        loaded(tmp_path, duty)
    assert info.value.code.startswith(code) and info.value.where is not None


def test_the_facts_of_a_condition_must_come_from_somewhere(tmp_path: Path) -> None:
    file = tmp_path / "body.yaml"
    text = f"{HEAD}obligations: {{duty: {{every: month, met_when: 'n > 1'}}}}\n{STATES}".replace("needs: [n], ", "")
    file.write_text(text, encoding="utf-8")
    assert [f for f in verify(discover(bundled=False, only=[file]), "body") if f.code == "V005" and "n" in f.zh]


@pytest.mark.parametrize(("due", "code"), [("remind: soon", "SQ032"), ("escalate: [{after: 1 days}]", "SQ0"), ("escalate: [{after: 1 days, to: boss}]", "SQ031"), ("escalate: {after: 1 days, to: up}", "SQ0")])
def test_alarms_written_wrong(tmp_path: Path, due: str, code: str) -> None:
    file = tmp_path / "body.yaml"
    file.write_text(HEAD + STATES.replace("after: 150 days", f"after: 150 days, {due}"), encoding="utf-8")
    with pytest.raises(SiquanError) as info:
        load_plugin(file, {})
    assert info.value.code.startswith(code) and info.value.where is not None


def test_a_plugin_without_the_new_keys_keeps_its_hash(tmp_path: Path) -> None:
    """What was pinned before there were obligations and alarms is the same definition still."""
    file = tmp_path / "body.yaml"
    file.write_text(HEAD + STATES, encoding="utf-8")
    [spec] = load_plugin(file, {}).processes
    dumped = spec.model_dump_json()
    assert not any(f'"{key}":' in dumped for key in ("obligations", "remind", "escalate", "duties"))
    assert load_plugin(Path(__file__).parents[2] / "plugins" / "approval.yaml", {}).processes[0].hash == APPROVAL


APPROVAL = "f4cf96aa935d09366b6a45a9e4706bdbef66a0aa3018b478b7c363491e77f4b4"


@pytest.mark.parametrize(
    ("duties", "wrong"),
    [("{duty: open}", ""), ("{duty: met}", "应为 met，实为 open"), ("{duty/2026-02-01: missed}", ""), ("{duty/2026-04-01: open}", "实为 none"), ("{other: open}", "实为 none")],
)
def test_a_case_expects_how_it_stands(tmp_path: Path, duties: str, wrong: str) -> None:
    case = f"cases: [{{name: 义务, on: 2026-01-10, steps: [{{on: 2026-02-05, duties: {{duty: open}}}}, {{wait: 24 days, duties: {duties}}}]}}]"
    catalogue = loaded(tmp_path, "every: month, act: report", case)
    [spec] = catalogue.plugin("body").processes
    out = run_case(catalogue, spec.cases[0])
    assert (out == []) if not wrong else (len(out) == 1 and wrong in out[0])
