"""What there is to cover in a process, what was covered, and why the rest was not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from siquan.core.engine.access import acting_roles
from siquan.core.engine.definition import Definition
from siquan.core.engine.machine import targets
from siquan.core.plugins import Catalogue
from siquan.core.spec.model import CaseSpec, TransitionSpec

KINDS = {"state": "状态", "transition": "转移", "rule": "规则", "role": "角色", "deadline": "期限"}
#: (kind, name)
Item = tuple[str, str]


def arrow(state: str, step: TransitionSpec, goal: str) -> Item:
    return "transition", f"{state} · {step.name} → {goal}"


def rule_item(ruleset: str, rule: str) -> Item:
    return "rule", f"{ruleset.partition('.')[2]} · {rule}"


def due_item(state: str, due: str) -> Item:
    return "deadline", f"{state} · {due}"


def everything(definition: Definition, catalogue: Catalogue) -> list[Item]:
    spec, out = definition.spec, list[Item]()
    for state in spec.states:
        out.append(("state", state.name))
        for step in definition.machine.steps(state.name):
            goals = (step.to or state.name,) if step.opens else targets(step, state.name)
            out += [arrow(state.name, step, g) for g in goals]
        if not state.final:
            out += [due_item(state.name, d.name) for d in state.dues]
    out += [rule_item(r.id, x.spec.id) for r in catalogue.rulesets.values() if r.spec.process == spec.id for x in r.rules]
    out += [("role", r) for s in spec.states for x in definition.machine.steps(s.name) if not x.auto for r in acting_roles(spec, s, x)]
    out += [("role", r) for s in spec.states for r in (*(s.task.dispatcher if s.task else ()), *(s.sign.manage if s.sign else ()))]
    return list(dict.fromkeys(out))


@dataclass
class Coverage:
    """Of one process. `borrowed`: values were taken from the plugin's own cases; `cases`: the paths, as test cases."""

    process: str
    title: str
    items: list[Item]
    covered: set[Item] = field(default_factory=set)
    why: dict[Item, str] = field(default_factory=dict)
    cases: list[CaseSpec] = field(default_factory=list)
    borrowed: bool = False

    def of(self, kind: str) -> tuple[int, int]:
        all_ = [i for i in self.items if i[0] == kind]
        return sum(i in self.covered for i in all_), len(all_)

    @property
    def missing(self) -> list[tuple[str, str, str]]:
        """(kind, name, why)."""
        return [(k, n, self.why.get((k, n), "没有找到走到那里的路")) for k, n in self.items if (k, n) not in self.covered]

    def to_json(self) -> dict[str, Any]:
        return {
            "process": self.process, "cases": len(self.cases), "values_from_cases": self.borrowed,
            "coverage": {k: {"covered": a, "all": b} for k in KINDS for a, b in [self.of(k)]},
            "missing": [{"kind": k, "name": n, "why": w} for k, n, w in self.missing],
        }  # fmt: skip


def total(found: Iterable[Coverage]) -> dict[str, tuple[int, int]]:
    found = list(found)
    return {k: (sum(c.of(k)[0] for c in found), sum(c.of(k)[1] for c in found)) for k in KINDS}
