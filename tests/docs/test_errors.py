"""Error codes: one each, both languages, all on the page."""

from __future__ import annotations

import re
import string
from collections import defaultdict
from typing import Any

from docpages import DOCS, errors, errors_page


def test_a_code_belongs_to_one_error() -> None:
    """A subclass may share the code of what it is a kind of; strangers may not."""
    owners: dict[str, list[type[Any]]] = defaultdict(list)
    for kind in errors():
        if not any(kind.code == getattr(parent, "code", None) for parent in kind.__mro__[1:]):
            owners[kind.code].append(kind)
    assert not {code: [k.__qualname__ for k in kinds] for code, kinds in owners.items() if len(kinds) > 1}


def test_codes_have_one_form() -> None:
    assert not [k.__qualname__ for k in errors() if not re.fullmatch(r"SQ\d{3}", k.code)]


def test_every_error_speaks_both_languages() -> None:
    for kind in errors():
        english = " ".join((kind.__doc__ or "").split())
        # 否 is what stands in the cell that the message speaks of
        assert english and english.replace("否", "").isascii() and kind.zh, kind.__qualname__
        assert not english.endswith("."), f"{kind.__qualname__}: no full stop"
        assert not kind.zh.endswith("。"), kind.__qualname__


def test_both_sentences_hold_the_same_values() -> None:
    """`{why}` and `{why_zh}` are one thing said in two languages, `{state}` and `{state_title}` its name and its title."""

    def holes(text: str) -> set[str]:
        return {name.removesuffix("_zh").removesuffix("_title") for _, name, _, _ in string.Formatter().parse(text) if name}

    differ = {k.__qualname__ for k in errors() if holes(" ".join((k.__doc__ or "").split())) != holes(k.zh)}
    assert not differ


def test_the_page_is_current() -> None:
    assert (DOCS / "errors.md").read_text(encoding="utf-8") == errors_page(), "run python tests/docs/docpages.py"


def test_the_page_names_every_code() -> None:
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    assert not {k.code for k in errors() if f"`{k.code}`" not in page}
