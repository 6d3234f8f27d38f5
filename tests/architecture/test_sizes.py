"""A file holds one noun and stays readable; the inner rooms stay small."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST = 500  # lines of one file; ~300 is a good size
INNER = 6000  # lines of code of spec, rules and engine together; explaining oneself is not counted (decision 005)
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}


def sources(*rooms: str) -> list[Path]:
    return sorted(p for room in rooms for p in (ROOT / room).rglob("*.py") if "__pycache__" not in p.parts)


def length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def code(path: Path) -> int:
    """Lines that are neither blank, nor comment, nor docstring."""
    text = path.read_text(encoding="utf-8")
    told: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
            first = node.body[0]
            told |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(1 for n, line in lines if line.strip() and not line.lstrip().startswith("#") and n not in told)


def test_no_file_is_too_long() -> None:
    lines = {str(p.relative_to(ROOT)): length(p) for p in sources("core", "web", "plugins")}
    long = {name: count for name, count in lines.items() if count > MOST}
    assert not long, f"more than {MOST} lines: {long}"


def test_the_inner_rooms_stay_small() -> None:
    lines = {room: sum(map(code, sources(f"core/{room}"))) for room in ("spec", "rules", "engine")}
    assert sum(lines.values()) < INNER, lines


def test_no_file_has_a_vague_name() -> None:
    vague = [str(p.relative_to(ROOT)) for p in sources("core", "web", "plugins") if p.stem in VAGUE]
    assert not vague


def test_fragments_are_data_only() -> None:
    assert [p.name for p in sources("workflows")] == ["__init__.py"]
