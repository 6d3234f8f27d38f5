"""Setting up: the pins cover what setup.cfg asks for, and a build server finds its entry point."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(section: str, option: str) -> set[str]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = config[section][option].strip().splitlines()
    return {key(re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0]) for line in lines}


def pinned(*names: str) -> dict[str, str]:
    out = {}
    for name in names:
        for line in (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                package, _, version = line.partition("==")
                out[key(package)] = version
    return out


def test_pins_cover_what_is_needed() -> None:
    run = pinned("lock.txt", "durable.txt")
    missing = wanted("options", "install_requires") - run.keys()
    assert not missing, f"not pinned: {sorted(missing)} (make lock)"
    missing = wanted("options.extras_require", "dev") - (pinned("dev.txt") | run).keys()
    assert not missing, f"not pinned for the tests: {sorted(missing)} (make lock)"
    assert all(re.fullmatch(r"[0-9][0-9A-Za-z.]*", v) for v in (run | pinned("dev.txt")).values())
    assert "setuptools" in run, "the editable install runs without build isolation"


def test_pins_name_no_host_and_nothing_twice() -> None:
    seen: set[str] = set()
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text and "--index" not in text and "@" not in text, path.name
        if path.name != "bench.txt":
            names = pinned(path.name).keys()
            assert not names & seen
            seen |= names


def test_each_dependency_says_why_it_is_here() -> None:
    told = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    named = {key(n) for n in re.findall(r"^\| `([^`]+)`", told, re.MULTILINE)}
    needed = wanted("options", "install_requires") | wanted("options.extras_require", "dev")
    assert needed - named == set(), "add a line to docs/dependencies.md"
    assert named - needed - {"setuptools", "wheel"} == set(), "docs/dependencies.md names what is not needed"


def test_the_build_server_runs_make_test() -> None:
    run = ROOT / ".ci" / "run"
    text = run.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n") and "set -euo pipefail" in text and "make test" in text
    assert os.access(run, os.X_OK)
    subprocess.run(["bash", "-n", str(run)], check=True)


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_the_last_thing_make_test_does_is_pytest() -> None:
    done = subprocess.run(
        ["make", "-n", "test"], cwd=ROOT, capture_output=True, text=True, check=True, env=clean_environment()
    )
    steps = [line for line in done.stdout.splitlines() if line.strip()]
    assert "pytest" in steps[-1]
    text = done.stdout
    order = [text.index(word) for word in ("ruff check", "mypy -p siquan", "lint-imports", "-m pytest")]
    assert order == sorted(order)


def clean_environment() -> dict[str, str]:
    """Without what an outer make hands down."""
    return {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
