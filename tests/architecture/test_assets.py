"""Pages fetch nothing from elsewhere: offices have no way out, and what others serve can change."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AWAY = r"[\"']?\s*(?:https?:)?//"
BARRED = {
    "an asset from elsewhere": re.compile(
        r"<(?:script|link|img|source|iframe|embed|object|video|audio|use|image|input)\b[^>]*"
        rf"\b(?:src|href|srcset|data|poster)\s*=\s*{AWAY}",
        re.IGNORECASE,
    ),
    "a style from elsewhere": re.compile(rf"(?:url\(|@import)\s*{AWAY}", re.IGNORECASE),
    "a delivery network": re.compile(
        r"\b(?:cdn\.|cdnjs|jsdelivr|unpkg|bootcdn|staticfile\.|fonts\.g(?:oogleapis|static)|ajax\.g)",
        re.IGNORECASE,
    ),
    "a request to elsewhere": re.compile(
        r"\b(?:fetch|sendBeacon|WebSocket)\s*\(\s*[\"'`](?:https?:|wss?:)?//"
    ),
}
LOGO = re.compile(r"{% macro logo\b.*?endmacro", re.DOTALL)  # the one exception
COLOUR = re.compile(r"\b(?:fill|stroke|color|background(?:-color)?)\s*[=:]\s*[\"']?\s*#[0-9a-fA-F]{3,8}\b")


def pages() -> list[Path]:
    kinds = {".html", ".css", ".js", ".svg", ".j2", ".txt"}
    rooms = (ROOT / "web", ROOT / "plugins", ROOT / "core")
    return sorted(p for room in rooms for p in room.rglob("*") if p.suffix in kinds)


@pytest.mark.parametrize("what", BARRED)
def test_nothing_comes_from_elsewhere(what: str) -> None:
    found = []
    for page in pages():
        text = page.read_text(encoding="utf-8")
        for hit in BARRED[what].finditer(text):
            line = text.count("\n", 0, hit.start()) + 1
            found.append(f"{page.relative_to(ROOT)}:{line} has {what}: {hit.group()[:80]}")
    assert not found


def test_templates_use_the_tokens_of_the_theme() -> None:
    found = []
    for page in pages():
        if page.suffix == ".html":
            text = LOGO.sub("", page.read_text(encoding="utf-8"))
            found += [
                f"{page.relative_to(ROOT)}: {hit.group()}"
                for hit in COLOUR.finditer(text)
            ]
    assert not found, "a page names a token of theme.css, never a colour"


def test_no_foreign_code_is_copied_in() -> None:
    """Third-party code is installed, never copied: no minified files, no vendor folder."""
    copied = [p for room in ("core", "web", "plugins") for p in (ROOT / room).rglob("*.min.*")]
    copied += [p for p in (ROOT / "web").rglob("vendor") if p.is_dir()]
    assert not copied
