"""A question to a rule set without a case: facts as a caller states them, with the children and the parent they name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siquan.core.engine.definition import Definition
from siquan.core.rules.decide import RuleSet, decide
from siquan.core.rules.decision import BASES, Decision
from siquan.core.rules.facts import FactSet, Reader, Schema, staleness
from siquan.core.rules.parameters import (
    BadParameter,
    ParameterBook,
    UnknownParameter,
    from_text,
    plain,
    type_of_value,
)
from siquan.core.rules.values import ABSENT, Rows
from siquan.core.spec.model import FactSpec

Definitions = Mapping[str, Definition]


@dataclass(frozen=True)
class Question:
    """What is asked: `rules` over these facts on a day at a place, `places` from the narrowest to the widest."""

    rules: RuleSet
    facts: FactSet
    book: ParameterBook
    on: dt.date
    places: tuple[str, ...] = ()
    parent: Callable[[str], Any] | None = None
    lists: Mapping[str, Rows] | None = None

    def answer(self, *, both: bool = True, lang: str = "zh") -> Decision:
        return decide(
            self.rules, self.facts, self.book, self.on, self.places, parent=self.parent, lists=self.lists, both=both, lang=lang
        )


def ask(
    definitions: Definitions, rules: RuleSet, book: ParameterBook, facts: Mapping[str, Any], on: dt.date,
    places: Sequence[str] = (), overrides: Mapping[str, Any] | None = None,
) -> Question:  # fmt: skip
    """Reads the wire form. `parent: {...}` and children by their name may stand among the facts. Raises Errors for facts
    that cannot be read, UnknownParameter and BadParameter for what-if values."""
    flat, above = dict(facts), {}
    if isinstance(flat.get("parent"), Mapping):
        above = dict(flat.pop("parent"))
    lists = child_lists(definitions, rules.spec.process, flat, on)
    stated = Reader(rules.schema, on).read(flat)
    if overrides:
        book = book.with_overrides({k: override(rules, book, k, v) for k, v in overrides.items()})

    def number(text: str) -> Any:
        return int(text) if text.isdigit() else book.value(text, on, places) if text in book.specs else None

    known = FactSet(rules.schema, stated, on, staleness(rules.schema, stated, on, number))
    return Question(rules, known, book, on, tuple(places), _parent(definitions, rules, above, on), lists)


def override(rules: RuleSet, book: ParameterBook, name: str, value: Any) -> Any:
    """A what-if value: of the type the parameter has, and a basis word for a rule there is."""
    if name.startswith("basis."):
        known = [r.id for r in rules.spec.rules]
        if name[6:] not in known:
            raise UnknownParameter(name=name, help="basis. 后面是这个规则集里规则的编号")
        if value not in BASES:
            raise BadParameter(name=name, why=f"`{value}` is none of {', '.join(BASES)}", why_zh=f"`{value}` 不是 {'、'.join(BASES)} 之一")
        return value
    typed = from_text(value) if isinstance(value, str) else value
    kind = book.types()[name].kind if name in book.specs else "any"
    if typed is not ABSENT and kind in ("number", "boolean", "date") and type_of_value(plain(typed)).kind != kind:
        words = {"number": "数字", "boolean": " true 或 false", "date": "日期"}
        raise BadParameter(name=name, why=f"`{value}` is not a {kind}", why_zh=f"`{value}` 应是{words[kind]}")
    return typed


def _rows_schema(child: Definition, name: str) -> FactSpec:
    """Children of a process as a list fact: their facts, `state` and `outcome`."""
    own = [FactSpec(name="state"), FactSpec(name="outcome", absent="无")]
    return FactSpec(name=name, type="list", fields=(*child.spec.facts, *own))


def child_lists(definitions: Definitions, process: str, flat: dict[str, Any], day: dt.date) -> dict[str, Rows]:
    """Children stated by a caller, taken out of `flat`; a bare list is not complete."""
    home = definitions.get(process)
    out: dict[str, Rows] = {}
    for name, child in (home.children if home else {}).items():
        if name in flat:
            reader = Reader(Schema([_rows_schema(definitions[child], name)]), day)
            found = reader.read({name: flat.pop(name)})[name].value
            if isinstance(found, Rows):
                out[name] = found
    return out


def _parent(definitions: Definitions, rules: RuleSet, given: dict[str, Any], day: dt.date) -> Callable[[str], Any] | None:
    """`parent: {...}` of a request as what a child sees of its parent."""
    home = definitions.get(rules.spec.process)
    above = definitions.get(home.spec.child_of.process) if home is not None and home.spec.child_of is not None else None
    if above is None:
        return None
    lists = child_lists(definitions, above.spec.id, given, day)
    stated = Reader(above.schema, day).read(given)
    facts = FactSet(above.schema, stated, day)
    return lambda path: lists[path] if path in lists else facts.value(path)
