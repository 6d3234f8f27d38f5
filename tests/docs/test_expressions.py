"""Every expression a page shows as true is true, and every built-in is on the page."""

from __future__ import annotations

import datetime as dt

import pytest
from docpages import DOCS, blocks, pages

from siquan.core.rules.check import FUNCTIONS, Scope, check
from siquan.core.rules.compile import compile_one
from siquan.core.rules.decision import BASES, VERDICTS
from siquan.core.rules.parse import parse
from siquan.core.rules.tree import BOOLEAN
from siquan.core.spec.read import HIT_POLICIES, RESERVED_FACTS

LINES = [(f"{b}", line) for page in pages() for b in blocks(page) if b.mark == "feel" for line in b.text.splitlines()]
RULES = (DOCS / "how-a-rule-decides.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("where", "text"), LINES)
def test_it_is_true(where: str, text: str) -> None:
    node = check(parse(text), Scope({}, {}), text, None, BOOLEAN)
    assert compile_one(node)(lambda path: None, lambda name: None, dt.date(2026, 11, 20)) is True, where


def test_every_built_in_is_shown() -> None:
    assert LINES and not {name for name in FUNCTIONS if f"{name}(" not in RULES and f"`{name}`" not in RULES}


def test_every_outcome_basis_and_hit_policy_is_shown() -> None:
    assert not {w for w in (*VERDICTS, *BASES, *HIT_POLICIES) if f"`{w}`" not in RULES}


def test_reserved_names_are_told() -> None:
    page = (DOCS / "write-a-plugin.md").read_text(encoding="utf-8")
    (line,) = (line for line in page.splitlines() if line.startswith("不能用作事实名字的词"))
    assert not {w for w in RESERVED_FACTS if f"`{w}`" not in line}
