"""`siquan new` writes a plugin that works at once, and never over another."""

from __future__ import annotations

from pathlib import Path

import pytest

from siquan.core.cli import main


def test_it_verifies_and_passes_its_cases_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "lamp", "--title", "楼道灯", "--folder", str(tmp_path)]) == 0
    file = tmp_path / "lamp.yaml"
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 35
    assert main(["verify", str(file)]) == 0
    capsys.readouterr()
    assert main(["test", str(file)]) == 0
    assert capsys.readouterr().out.strip() == "2 passed, 0 failed"


@pytest.mark.parametrize("name", ["灯", "Lamp", "a b", "../x", "9a", "x"])
def test_a_name_that_cannot_be_one_writes_nothing(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", name, "--folder", str(tmp_path)]) == 2
    assert list(tmp_path.iterdir()) == [] and name in capsys.readouterr().err


def test_what_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lamp.yaml").write_text("mine", encoding="utf-8")
    assert main(["new", "lamp", "--folder", str(tmp_path)]) == 2
    assert (tmp_path / "lamp.yaml").read_text(encoding="utf-8") == "mine" and "SQ045" in capsys.readouterr().err
