"""verify --keep, test --walk, record and draw from the command line: what they print, write and refuse."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from siquan.core.cli import main
from siquan.core.diagram import alone
from siquan.core.plugins import discover
from siquan.core.service.drawing import whole

STUCK = """process: stuck  # 卡住的
title: 卡住
roles: {clerk: 经办@community}
facts: {kind: {title: 类别, type: enum, values: {a: 甲, b: 乙}, by: clerk}}
rules:
  only_b: {list: [{id: B-1, title: 只收乙类, when: 'kind != "b"', outcome: BLOCK, basis: LOCAL, cite: 本地设定}]}
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [kind], to: review}}
  review: {title: 审核, pass: {title: 同意, by: clerk, check: [only_b], to: done}}
  done: {title: 办结, final: true}
"""


@pytest.fixture
def stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIQUAN_HOME", str(tmp_path / "home"))
    path = tmp_path / "stuck.yaml"
    path.write_text(STUCK, encoding="utf-8")
    return path


def test_a_finding_is_kept_once_and_then_runs(stuck: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(stuck)]) == 1
    assert "无人可办" in capsys.readouterr().out
    assert main(["verify", str(stuck), "--keep", "v033", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["finding"]["code"] == "V033" and told["case"]["steps"][-1]["refused"] == "B-1"
    text = stuck.read_text(encoding="utf-8")
    assert text.startswith(STUCK) and "cases:" in text
    assert main(["test", str(stuck)]) == 0
    assert "1 passed" in capsys.readouterr().out
    fixed = text.replace("check: [only_b], to: done}", "to: done}")
    stuck.write_text(fixed, encoding="utf-8")
    assert main(["test", str(stuck)]) == 1  # what was kept looks after the place


@pytest.mark.parametrize("code", ["V099", "V033:2", "V033:x", "V020"])
def test_what_cannot_be_kept_is_said_and_nothing_is_written(code: str, stuck: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(stuck), "--keep", code]) in (1, 2)
    assert capsys.readouterr().err.startswith("SQ")
    assert stuck.read_text(encoding="utf-8") == STUCK


def test_a_plugin_has_to_be_named(stuck: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--keep", "V033"]) == 2


def test_a_walk_reports_what_it_could_not_cover(stuck: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", str(stuck), "--walk", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["total"]["transition"] == {"covered": 2, "all": 2}
    assert main(["test", str(stuck), "--walk", "--write"]) == 0
    assert "已写入 stuck.yaml" in capsys.readouterr().out
    assert main(["test", str(stuck)]) == 0
    hopeless = STUCK.replace("'kind != \"b\"'", "'kind = \"a\" or kind = \"b\"'")
    stuck.write_text(hopeless, encoding="utf-8")
    assert main(["test", str(stuck), "--walk"]) == 1
    out = capsys.readouterr().out
    assert "没有走到" in out and "类别" in out


def test_a_case_is_recorded_into_a_file(stuck: Path, demo_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(demo_folder, tmp_path / "home", dirs_exist_ok=True)
    out = tmp_path / "recorded.yaml"
    assert main(["record", "AP-2026-0001", "--by", "chenyu", "--out", str(out), "--name", "第一条"]) == 0
    assert main(["record", "AP-2026-0002", "--by", "chenyu", "--out", str(out), "--name", "第二条"]) == 0
    text = out.read_text(encoding="utf-8")
    assert text.count("- name:") == 2 and "第二条" in text
    assert main(["record", "AP-2026-0001", "--by", "nobody"]) == 1
    assert main(["record", "XX-1", "--by", "chenyu"]) != 0


def test_a_picture_tells_of_deadlines_the_clock_and_children(stuck: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "t.svg"
    assert main(["draw", "big_party_committee.staffing", "--out", str(out)]) == 0
    svg = out.read_text(encoding="utf-8")
    duty = "义务　每季度至少一次活动：每季度一次，期满前 15 日提醒，逾期后 30 日内可以补"
    for text in ("到期自动办“聘期届满”", "子事项　履职中时“开始一个季度”：季度活动", "缺额日起 30 日", duty, "<style>"):
        assert text in svg
    assert main(["draw", "big_party_committee.staffing", "--format", "mermaid"]) == 0
    mermaid = capsys.readouterr().out
    assert "note right of active" in mermaid and "到期自动办“聘期届满”" in mermaid and "未办结时随时可以" in mermaid


def test_the_legend_speaks_english_and_a_picture_keeps_its_size() -> None:
    graph = whole(discover(), "big_party_committee.staffing", "en")
    assert any("then the clock takes" in n.text for n in graph.legend) and any(n.child for n in graph.legend)
    told = "\n".join(n.text for n in graph.legend)
    assert "Obligation — At least one activity a quarter: once a quarter, a reminder" in told and "End of term" in told and not re.search(r"[一-鿿]", told), told
    svg = alone(graph.svg(full=True))
    assert 'width="100%"' not in svg and "Child cases" in svg
