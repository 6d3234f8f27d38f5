"""The command line: every verb and option is on its page, and every console example prints what the page shows."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
from docpages import DOCS, blocks, commands, console_pages, differences, named, pages, same, wants_demo

from siquan.core.cli import _parser

PAGE = DOCS / "cli.md"
#: the design's verbs that the page says are not there yet
LATER = {"docs"}


def verbs() -> dict[str, argparse.ArgumentParser]:
    (sub,) = (a for a in _parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(sub.choices)


def test_every_verb_has_its_line_and_section() -> None:
    text = PAGE.read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[`([a-z-]+)`\]", text, re.MULTILINE)
    assert sorted(listed) == sorted(verbs())
    sections = {v for head in re.findall(r"^## (.+)$", text, re.MULTILINE) for v in head.split(", ")}
    assert set(verbs()) <= sections


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_every_option_is_explained(verb: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    (section,) = (s for s in re.split(r"^## ", text, flags=re.MULTILINE) if verb in s.splitlines()[0].split(", "))
    options = {o for a in verbs()[verb]._actions for o in a.option_strings} - {"-h", "--help", "--json"}
    head = text.partition("## ")[0]
    assert not {o for o in options if o not in section and not (o == "--by" and o in head)}


def test_every_verb_but_the_servers_has_an_example() -> None:
    shown = {c.line.split("siquan ", 1)[1].split()[0] for b in blocks(PAGE, "console") for c in commands(b.text) if "siquan " in c.line}
    assert set(verbs()) - shown <= {"run", "web", "worker", "import"}


def test_no_page_uses_a_verb_that_is_not_there() -> None:
    used = {v for page in pages() for v in re.findall(r"(?:^\$ |`|^)siquan ([a-z][a-z-]*)", page.read_text(encoding="utf-8"), re.MULTILINE)}
    assert used <= set(verbs()) | LATER


def test_exit_statuses_are_told() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert "`0` 办成" in text and "`1` 被规则或检查拦下" in text and "`2` 用法或输入不对" in text


@pytest.mark.parametrize("page", console_pages(), ids=named)
def test_examples_print_what_the_page_shows(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    demo = request.getfixturevalue("demo") if wants_demo(page) else None
    found = differences(page, tmp_path, demo)
    told = [f"{b}: $ {commands(b.text)[n].line}\n{got}" for b, n, got in found]
    assert not told, "run python tests/docs/docpages.py and look at the change\n" + "\n".join(told)


def test_how_output_is_compared() -> None:
    assert same("a 0123456789ab\nb", "a ffffffffffff  \nb\n") and not same("a", "b")
    assert same("{\n...\n}", "{\n 1\n 2\n}\n") and not same("x\n...\ny", "x\nz")
