"""What a form posted, turned into the wire form of facts; and what a page needs to show it again.

A list of records is a table: `fact.<path>[<row>].<column>`, and `fact.<path>.complete` when it is all there.
A fact travels as `fact.<path>`, its envelope as `fact.<path>.as_of` and `fact.<path>.source`; the value
`__absent__` says "known not to exist"; an empty value is unknown and is left out.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from siquan.core.views import FieldView
from siquan.web.catalogue import gettext

PREFIX = "fact."
ABSENT = "__absent__"
MARKS = (".as_of", ".source")
ROWS = 200  # rows of a table in a form; longer lists come by Excel


def new_key() -> str:
    """A key for one form: sent twice, it counts once."""
    return secrets.token_urlsafe(18)


@dataclass(frozen=True)
class Posted:
    """A posted form: `facts` for the service, `raw` to carry on in hidden fields, `errors` by path."""

    facts: dict[str, Any] = field(default_factory=dict)
    raw: tuple[tuple[str, str], ...] = ()
    errors: dict[str, str] = field(default_factory=dict)
    opinion: str = ""
    reason: str = ""
    revision: int | None = None
    key: str = ""


def read(form: MultiDict[str, str], fields: Sequence[FieldView]) -> Posted:
    """Only fields the form offered are read; anything else in the request is ignored."""
    facts: dict[str, Any] = {}
    errors: dict[str, str] = {}
    raw: list[tuple[str, str]] = []
    for one in fields:
        name = PREFIX + one.path
        if one.columns:
            facts.update(table(form, one, raw))
            continue
        given = [v.strip() for v in form.getlist(name) if v.strip()]
        typed = [v for v in given if v != ABSENT]
        marks = {m: form.get(name + m, "").strip() for m in MARKS} if one.envelope else {}
        raw += [(name, v) for v in given] + [(name + m, v) for m, v in marks.items() if v]
        if ABSENT in given and typed:
            word = one.absent or gettext("无")
            errors[one.path] = gettext("既填了内容，又勾了“%(word)s”，请只留一个", word=word)
        elif ABSENT in given:
            facts[one.path] = wrap("none", marks)
        elif typed:
            facts[one.path] = wrap(value(one.kind, typed), marks)
    text = form.get("revision", "")
    return Posted(
        facts=facts,
        raw=tuple(raw),
        errors=errors,
        opinion=form.get("opinion", "").strip(),
        reason=form.get("reason", "").strip(),
        revision=int(text) if text.isdecimal() and len(text) < 10 else None,
        key=form.get("key", "")[:64],
    )


def value(kind: str, typed: list[str]) -> Any:
    """Text stays text: the service knows the types and says what is wrong with a value."""
    if kind == "boolean":
        return {"true": True, "false": False}.get(typed[-1], typed[-1])
    if kind == "list":
        lines = [line.strip() for text in typed for line in text.splitlines()]
        return {"value": [line for line in lines if line], "complete": True}
    return typed[-1]


def table(form: MultiDict[str, str], one: FieldView, raw: list[tuple[str, str]]) -> dict[str, Any]:
    """The rows of a list in which something stands; a list without any is stated only when it is complete."""
    name = PREFIX + one.path
    rows: list[dict[str, Any]] = []
    for n in range(ROWS):
        row: dict[str, Any] = {}
        for column in one.columns:
            cell = f"{name}[{n}].{column.path}"
            given = [v.strip() for v in form.getlist(cell) if v.strip()]
            raw += [(cell, v) for v in given]
            if given:
                row[column.path] = "none" if given[-1] == ABSENT else value(column.kind, given)
        if row:
            rows.append(row)
    complete = bool(form.get(f"{name}.complete"))
    if complete:
        raw.append((f"{name}.complete", "1"))
    return {one.path: {"value": rows, "complete": complete}} if rows or complete else {}


def wrap(bare: Any, marks: Mapping[str, str]) -> Any:
    """The value alone, or in an envelope when a date or a source was given with it."""
    said = {m.removeprefix("."): v for m, v in marks.items() if v}
    return {"value": bare, **said} if said else bare


def shown(fields: Iterable[FieldView], posted: Posted) -> tuple[FieldView, ...]:
    """The fields again with exactly what was typed, so that nothing is lost."""
    typed: dict[str, str] = {}
    for name, text in posted.raw:
        if typed.get(name) not in (None, ABSENT) and text == ABSENT:
            continue
        typed[name] = text
    out = []
    for one in fields:
        name = PREFIX + one.path
        if one.columns:
            cells = [tuple(typed.get(f"{name}[{n}].{c.path}", "") for c in one.columns) for n in range(ROWS)]
            whole = f"{name}.complete" in typed
            out.append(replace(one, rows=tuple(c for c in cells if any(c)), complete=whole))
            continue
        out.append(
            replace(
                one,
                value=typed.get(name, ""),
                as_of=typed.get(name + ".as_of", ""),
                source=typed.get(name + ".source", ""),
                error=posted.errors.get(one.path, one.error),
            )
        )
    return tuple(out)
