"""Masks of sensitive facts: what a page, an export and a message may show."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from siquan.core.rules.decision import Finding, Piece
from siquan.core.rules.facts import Schema
from siquan.core.spec.model import FactSpec


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


def masked(finding: Finding, schema: Schema, kind: Callable[[FactSpec], str]) -> Finding:
    """A sentence says nothing that the list of facts beside it masks; `kind` is how a fact is masked, empty for not."""

    def piece(p: Piece) -> Piece:
        spec = schema.get(p.name) if p.kind == "value" else None
        how = kind(spec) if spec is not None else ""
        return replace(p, text=mask(how, p.text)) if how else p

    return replace(finding, pieces=tuple(piece(p) for p in finding.pieces))


#: kinds that even those who handle the case see masked until they ask (domain 0.5(4))
STRICT = {"crime", "party", "phone", "id", "money", "health"}
