"""A rule, a parameter line, a test case and a setting as rows of cells: what is written, and what reading compares with."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from siquan.core.exchange.content import NewLine
from siquan.core.exchange.display import Display, constant, display
from siquan.core.exchange.fields import BASES, Field, value_of
from siquan.core.exchange.scalars import flow, lines
from siquan.core.exchange.sheetplan import Plan, settings_of
from siquan.core.exchange.words import Words
from siquan.core.rules.tree import BOOLEAN, DATE, NUMBER, TEXT, Type
from siquan.core.spec.model import CaseSpec, FactSpec, ParamLine, RuleSetSpec, RuleSpec

Row = dict[str, Display]
REPEALED = "废止"
NOTHING = "无"


def rule_row(rule: RuleSpec, plan: Plan, words: Words | None, lang: str) -> Row:
    """Without `words` the sentence is left out."""
    row = {f.key: display(f.kind, value_of(rule, f.key), lang) for f in plan.fields if f.kind != "shown"}
    if words is not None:
        row["sentence"] = display("words", words.sentence(rule), lang)
    return row


def line_row(name: str, line: ParamLine, words: Words, state: str, lang: str) -> Row:
    spec = words.book.specs.get(name)
    return {
        "name": name, "title": spec.title if spec else "", "unit": spec.unit if spec else "", "since": constant(line.since),
        "value": line_value(name, line.value, lang), "place": line.place or None, "basis": display("basis", line.basis, lang),
        "cite": display("words", line.cite), "ref": display("words", line.ref), "state": state,
    }  # fmt: skip


def line_value(name: str, value: Any, lang: str) -> Display:
    if value is None:
        return REPEALED
    return display("basis", value, lang) if name.startswith("basis.") else constant(value)


def fact_of(name: str, kind: Type, unit: str) -> FactSpec:
    """The type of a parameter's value, as a fact that a cell is read by."""
    if name.startswith("basis."):
        return FactSpec(name="value", type="enum", values={code: zh for code, (zh, _) in BASES.items()}, absent=REPEALED)
    if kind == NUMBER:
        return FactSpec(name="value", type="decimal", unit=unit, absent=REPEALED)
    types = {BOOLEAN.kind: "boolean", DATE.kind: "date", TEXT.kind: "text"}
    return FactSpec.model_validate({"name": "value", "type": types.get(kind.kind, "text"), "absent": REPEALED})


def new_line(name: str, fact: FactSpec, value: Any, around: dict[str, Any]) -> NewLine:
    """A line of what was read; `value` is in wire form."""
    if fact.type == "decimal" and value is not None:
        value = Decimal(str(value))
    elif fact.type == "date" and value is not None:
        value = dt.date.fromisoformat(value)
    return NewLine(name=name, value=value, **around)


def case_row(case: CaseSpec, lang: str) -> Row:
    steps = [s.model_dump(mode="json", exclude_defaults=True) for s in case.steps]
    return {
        "name": display("words", case.name), "on": constant(case.on), "place": display("words", case.place),
        "given": display("words", lines(case.given)), "set": display("words", lines(case.set)), "expect": display("outcome", case.expect, lang),
        "value": constant(case.value), "because": _names(case.because), "ask": _names(case.ask), "base": display("words", case.base),
        "steps": display("words", "\n".join(flow(s) for s in steps)),
    }  # fmt: skip


def _names(names: tuple[str, ...] | None) -> Display:
    """None says nothing, an empty list that there is none."""
    if names is None:
        return None
    return display("words", " ".join(names)) if names else NOTHING


def setting_rows(ruleset: RuleSetSpec, lang: str) -> list[tuple[Field, Display]]:
    return [(f, display(f.kind, setting(ruleset, f.key), lang)) for f in settings_of(ruleset)]


def setting(ruleset: RuleSetSpec, key: str) -> Any:
    """The value of a setting as the sheet has it: listed values one a line."""
    head, _, name = key.partition(":")
    if head == "values":
        return "\n".join(str(constant(v)) for v in ruleset.output_values.get(name, ()))
    if head == "default" and name:
        return ruleset.default.get(name) if isinstance(ruleset.default, dict) else None
    return getattr(ruleset, head)
