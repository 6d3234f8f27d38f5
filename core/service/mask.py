"""Masks of sensitive facts: what a page, an export and a message may show."""

from __future__ import annotations

import re


def mask(kind: str, text: str) -> str:
    """Keeps what is needed to tell two people apart, and no more."""
    if not text:
        return text
    if kind == "name":
        return text[0] + "＊" * (len(text) - 1)
    if kind == "phone":
        return re.sub(r"\d(?=\d{4})", "＊", text)
    if kind == "id":
        return text[:4] + "＊＊＊＊" if re.match(r"\d{4}-", text) else text[:3] + "＊" * max(len(text) - 3, 3)
    if kind == "address":
        return re.sub(r"\d+(?=室|$)", "＊＊", text) or "＊＊"
    return "＊＊＊"


#: kinds that even those who handle the case see masked until they ask (domain 0.5(4))
STRICT = {"crime", "party", "phone", "id", "money", "health"}
