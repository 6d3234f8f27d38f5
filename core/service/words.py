"""Titles in the reader's language and values ready to print, masked where they must be."""

from __future__ import annotations

import datetime as dt
from typing import Any

from siquan.core.plugins import Catalogue
from siquan.core.rules.facts import FactSet, Schema
from siquan.core.rules.say import show
from siquan.core.rules.values import ABSENT, Rows
from siquan.core.service.mask import STRICT, mask
from siquan.core.spec.model import FactSpec, ProcessSpec, StateSpec, TransitionSpec
from siquan.core.spec.verbs import TITLES
from siquan.core.views import FactView


class Words:
    """Texts of one process in one language; what is not translated stays Chinese."""

    def __init__(self, catalogue: Catalogue, spec: ProcessSpec, lang: str) -> None:
        self.spec, self.lang = spec, lang
        plugin = next((p for p in catalogue.plugins if p.name == spec.plugin), None)
        self.texts = plugin.locales.get(lang, {}) if plugin and lang != "zh" else {}
        self.short = spec.id.partition(".")[2]

    def text(self, path: str, default: str) -> str:
        return self.texts.get(f"{self.short}.{path}") or self.texts.get(path) or default

    @property
    def title(self) -> str:
        return self.text("title", self.spec.title)

    def state(self, state: StateSpec) -> str:
        return self.text(f"states.{state.name}.title", state.title)

    def state_named(self, name: str) -> str:
        found = self.spec.state(name)
        return self.state(found) if found else name

    def step(self, transition: TransitionSpec, state: str = "") -> str:
        key = f"states.{state}.{transition.name}.title"
        usual = TITLES.get(transition.verb)
        title = usual[1] if usual and self.lang != "zh" and transition.title == usual[0] else transition.title
        return self.texts.get(f"{self.short}.{key}") or self.text(f"transitions.{transition.name}.title", title)

    def step_named(self, name: str) -> str:
        for state in self.spec.states:
            for transition in state.transitions:
                if transition.name == name:
                    return self.step(transition, state.name)
        return next((self.step(t) for t in self.spec.anywhere if t.name == name), name)

    def due(self, state: str, name: str, title: str) -> str:
        """The title of a deadline of a state, as its definition is written: one is `due`, several stand under `dues`. One
        without a title of its own has the state's."""
        found = self.spec.state(state)
        title = self.state(found) if found is not None and title == found.title else title
        return self.text(f"states.{state}.due.title" if name == "due" else f"states.{state}.dues.{name}.title", title)

    def role(self, name: str) -> str:
        role = self.spec.roles.get(name)
        return self.text(f"roles.{name}", role.title if role else name)

    def fact(self, schema: Schema, path: str) -> str:
        own = self.texts.get(f"{self.short}.facts.{path}.title") or self.texts.get(f"facts.{path}.title")
        return own or schema.title(path)

    def option(self, path: str, code: str, title: str) -> str:
        return self.text(f"facts.{path}.values.{code}", title)

    def value(self, spec: FactSpec, value: Any) -> str:
        """A typed value of a fact in words, without its unit."""
        if value is ABSENT:
            return spec.absent or show(ABSENT, self.lang)
        if spec.type == "enum" and isinstance(value, str):
            return self.option(spec.name, value, spec.values.get(value, value))
        if isinstance(value, Rows):
            n = len(value)
            return (f"{n} 行" if self.lang == "zh" else f"{n} rows") + ("" if value.complete else "…")
        if isinstance(value, dt.date):
            return f"{value.isoformat()} 周{'一二三四五六日'[value.weekday()]}" if self.lang == "zh" else value.isoformat()
        return show(value, self.lang)


def fact_views(words: Words, facts: FactSet, number: Any, person_name: Any, *, unknown: bool = False) -> tuple[FactView, ...]:
    """The stated facts in the order of the process; with `unknown` also those nobody stated yet."""
    out = []
    for spec in facts.schema.specs.values():
        record = facts.schema.record_of(spec.name)
        whole = facts.stated.get(record.name) if record else None
        if spec.type == "record":
            stated = facts.stated.get(spec.name)
            if stated is None or stated.value is not ABSENT:
                continue
        elif whole is not None and whole.value is ABSENT or spec.collection or spec.derive:
            continue
        out_view = _view(words, facts, spec, number, person_name)
        if out_view.state != "unknown" or unknown:
            out.append(out_view)
    return tuple(out)


def _view(words: Words, facts: FactSet, spec: FactSpec, number: Any, person_name: Any) -> FactView:
    stated = facts.stated.get(spec.name)
    record = facts.schema.record_of(spec.name)
    group = words.fact(facts.schema, record.name) if record else ""
    title = words.text(f"facts.{spec.name}.title", spec.title or spec.name.rpartition(".")[2])
    if stated is None or stated.value is None:
        return FactView(
            spec.name, title, show(None, words.lang), spec.type, "unknown", spec.unit,
            provider=words.role(spec.by) if spec.by else "", group=group,
        )  # fmt: skip
    stale = spec.name in facts.stale
    until = None
    if spec.max_age and stated.as_of:
        limit = number(spec.max_age)
        until = stated.as_of + dt.timedelta(days=limit) if isinstance(limit, int) else None
    text = words.value(spec, stated.value)
    masked = spec.sensitive in STRICT and stated.value is not ABSENT
    return FactView(
        spec.name, title, mask(spec.sensitive, text) if masked else text, spec.type,
        "stale" if stale else "absent" if stated.value is ABSENT else "masked" if masked else "known", spec.unit, stated.as_of,
        stated.source, stated.ref, person_name(stated.by), until, masked, words.role(spec.by) if spec.by else "", group,
    )  # fmt: skip
