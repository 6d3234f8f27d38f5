"""A rule set and a rule as they stand in a YAML file: keys in the order we write them, without what says nothing."""

from __future__ import annotations

from typing import Any

from siquan.core.exchange.fields import value_of
from siquan.core.spec.model import RuleSetSpec, RuleSpec

#: keys of a rule; the tests of a row and its `out` stand between the two
BEFORE = ("id", "title", "group", "when")
BEHIND = ("outcome", "basis", "cite", "law", "say", "clear", "cure", "display_only", "priority", "unconfirmed")
#: keys of a rule set before its rules
HEAD = ("ruleset", "title", "process", "hit_policy", "inputs", "outputs", "default", "basis", "reads_as", "intents")


def head_of(spec: RuleSetSpec) -> dict[str, Any]:
    """The settings as they stand in a file; what says nothing is left out."""
    outputs: Any = list(spec.outputs) if not spec.output_values else {n: list(spec.output_values.get(n, ())) or None for n in spec.outputs}
    usual = "U" if spec.inputs or any(r.cells for r in spec.rules) or spec.table else "C"
    found = {
        "title": spec.title, "hit_policy": spec.hit_policy if spec.hit_policy != usual else "", "inputs": list(spec.inputs), "outputs": outputs,
        "default": spec.default, "basis": spec.default_basis,
        "reads_as": [r.model_dump(exclude_defaults=True) for r in spec.readings],
        "intents": [i.model_dump(exclude_defaults=True) for i in spec.intents],
    }  # fmt: skip
    return {k: v for k, v in found.items() if v not in (None, [], {}) and (v != "" or k == "default")}


def entry_of(rule: RuleSpec) -> dict[str, Any]:
    """A rule as it stands in a file; what says nothing is left out."""
    plain = {k: value_of(rule, k) for k in (*BEFORE, *BEHIND)}
    found = {k: v for k, v in plain.items() if v not in ("", False, 0)}
    found.update({k: v for k, v in rule.cells.items() if v.strip() not in ("", "-")})
    return found if rule.out is None else {**found, "out": rule.out}


def order_of(spec: RuleSetSpec) -> tuple[str, ...]:
    return (*BEFORE, *spec.inputs, "out", *BEHIND)
