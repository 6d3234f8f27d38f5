"""What is installed elsewhere: one wheel that holds everything of siquan and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("core", "plugins", "web", "workflows")
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that no build folder appears in the repository; without network."""
    pytest.importorskip("setuptools")
    place = tmp_path_factory.mktemp("build")
    copy = place / "source"
    copy.mkdir()
    skip = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info")
    for room in ROOMS:
        shutil.copytree(ROOT / room, copy / room, ignore=skip)
    for name in ("setup.cfg", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, copy / name)
    command = [*PIP, "wheel", "--no-build-isolation", "--no-deps", "--no-index", "-w", str(place), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = place.glob("siquan-*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


def source_files(room: str, *patterns: str) -> set[str]:
    return {
        f"siquan/{p.relative_to(ROOT).as_posix()}"
        for pattern in patterns
        for p in (ROOT / room).glob(pattern)
        if p.is_file() and not {"__pycache__", "tests"} & set(p.parts[len(ROOT.parts) :])
    }


@pytest.mark.parametrize(
    ("room", "patterns"),
    [
        ("plugins", ("**/*.yaml", "**/*.py", "**/*.md", "**/*.xlsx", "**/*.docx")),
        ("workflows", ("**/fragment.yaml", "**/*.md")),
        ("web", ("templates/**/*", "static/**/*", "translations/**/*.po", "translations/**/*.mo", "**/*.py")),
        ("core", ("**/*.py", "**/*.lark", "**/*.yaml", "**/*.json", "**/*.mako")),
    ],
)
def test_everything_is_inside(names: set[str], room: str, patterns: tuple[str, ...]) -> None:
    missing = source_files(room, *patterns) - names
    assert not missing, f"setup.cfg [options.package_data] leaves out {sorted(missing)}"


def test_nothing_else_is_inside(names: set[str]) -> None:
    foreign = {n for n in names if not n.startswith("siquan/") and ".dist-info/" not in n}
    assert not foreign
    assert not {n for n in names if "__pycache__" in n or "/tests/" in n or n.endswith((".pyc", ".db"))}
    rooms = {n.split("/")[1] for n in names if n.startswith("siquan/")}
    assert rooms == set(ROOMS), "siquan stays a namespace"


def test_it_offers_the_command_and_the_test_plugin(wheel: Path, names: set[str]) -> None:
    (entry,) = (n for n in names if n.endswith("entry_points.txt"))
    with zipfile.ZipFile(wheel) as opened:
        text = opened.read(entry).decode()
    assert "siquan = siquan.core.cli:main" in text
    assert "siquan = siquan.core.testing.pytest_plugin" in text


def test_it_imports_from_where_it_was_installed(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    command = [*PIP, "install", "--no-deps", "--no-index", "--target", str(target), str(wheel)]
    subprocess.run(command, check=True)
    # -S: without it the editable install of this environment would answer instead.
    code = (
        f"import sys; sys.path[:0] = [{str(target)!r}, {sysconfig.get_path('purelib')!r}]\n"
        "import siquan.core, siquan.plugins, siquan.core.spec.model\n"
        "print(siquan.core.__file__); print(siquan.core.__version__)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    place, version = done.stdout.splitlines()
    assert Path(place).is_relative_to(target)
    assert wheel.name.startswith(f"siquan-{version}-")
