"""Who may import whom. import-linter reads the contracts of setup.cfg; the rest is read from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("core", "plugins", "web", "workflows")


def sources(*rooms: str) -> list[Path]:
    return sorted(p for room in rooms for p in (ROOT / room).rglob("*.py") if "__pycache__" not in p.parts)


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every imported module with its line, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno


def test_import_linter_contracts_are_kept() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    if not tool.exists():
        pytest.skip("import-linter is not installed")
    done = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("dbos", ("core/jobs.py",)),
        ("durable", ("core/rules/durable.py",)),
        ("transitions", ("core/engine/machine.py",)),
        ("sqlalchemy", ("core/store/", "core/jobs.py")),
        ("alembic", ("core/store/",)),
        ("psycopg", ("core/store/", "core/jobs.py")),
        ("sqlite3", ("core/store/", "core/jobs.py")),
        ("lark", ("core/rules/parse.py",)),
        ("flask", ("web/",)),
        ("openpyxl", ("core/sheets/", "core/exchange/workbook.py", "core/policy/impact_report.py")),
        ("z3", ("core/proof/",)),
    ],
)
def test_one_place_per_library(module: str, allowed: tuple[str, ...]) -> None:
    found = [
        f"{path.relative_to(ROOT).as_posix()}:{line}"
        for path in sources(*ROOMS)
        for name, line in imports(path)
        if name.split(".")[0] == module and not path.relative_to(ROOT).as_posix().startswith(allowed)
    ]
    assert not found, f"only {' and '.join(allowed)} may import `{module}`: {found}"


def test_plugins_do_not_know_each_other() -> None:
    found = []
    for path in sources("plugins"):
        own = path.relative_to(ROOT / "plugins").parts[0].removesuffix(".py")
        for name, line in imports(path):
            if name.startswith("siquan.plugins.") and name.split(".")[2] != own:
                found.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not found


def test_nobody_imports_a_top_level_folder_by_its_bare_name() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in [*sources(*ROOMS), *sorted((ROOT / "tests").rglob("*.py"))]
        for name, line in imports(path)
        if name.split(".")[0] in ROOMS
    ]
    assert not found


def test_no_shadow_modules() -> None:
    """`core` beside `siquan.core` would be a second copy of every class and table."""
    code = (
        "import sys, siquan.core, siquan.plugins, siquan.web, siquan.workflows, siquan.core.errors\n"
        f"twins = {{n for n in sys.modules if n.split('.')[0] in {ROOMS!r}}}\n"
        "assert not twins, twins"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    assert "core" not in sys.modules and "web" not in sys.modules


def test_the_bare_name_explains_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import core"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode and "import siquan.core, not core" in done.stderr


@pytest.mark.parametrize("room", ["core/spec", "core/rules", "core/engine", "core/diagram"])
def test_no_clock_chance_or_network_below_the_ports(room: str) -> None:
    """A decision must come out the same on every replay."""
    barred = {"random", "secrets", "socket", "urllib.request", "requests", "httpx", "time", "uuid"}
    calls = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("datetime", "today")}
    found = []
    for path in sources(room):
        found += [f"{path.name}:{line} imports {name}" for name, line in imports(path) if name in barred]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
                if (name, node.func.attr) in calls:
                    found.append(f"{path.name}:{node.lineno} calls {name}.{node.func.attr}()")
    assert not found
