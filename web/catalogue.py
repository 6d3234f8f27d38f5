"""Words of the pages: Chinese stands in the templates, other languages in `translations/<lang>.yaml`.

Flask-Babel keeps doing dates and the choice of locale, but it reads only compiled `.mo` files, and a build
step would stand between a translator and the page. A YAML mapping of Chinese sentence to translation is read
once instead; a missing one falls back to the Chinese, and a test lists what is missing.
An entry may be `{one: ..., other: ...}`, chosen by the value `n`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from flask import g, has_request_context
from ruamel.yaml import YAML

FOLDER = Path(__file__).parent / "translations"
LANGUAGES = {"zh": "中文", "en": "English"}


@cache
def words(lang: str) -> dict[str, Any]:
    """Chinese sentence -> translation; empty for Chinese itself."""
    file = FOLDER / f"{lang}.yaml"
    if lang not in LANGUAGES or not file.is_file():
        return {}
    return dict(YAML(typ="safe").load(file.read_text(encoding="utf-8")) or {})


def current() -> str:
    """Language of this request, `zh` outside of one."""
    return str(getattr(g, "lang", "zh")) if has_request_context() else "zh"


def translate(lang: str, text: str, values: dict[str, Any]) -> str:
    found = words(lang).get(text, text)
    if isinstance(found, dict):
        found = found["one"] if values.get("n") == 1 else found["other"]
    return str(found) % values if values else str(found)


def gettext(text: str, /, **values: Any) -> str:
    """`_("共 %(n)s 件", n=3)`: translated, then filled in; plain text, escaped when printed."""
    return translate(current(), text, values)
