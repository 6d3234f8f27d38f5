"""What a rule set gives against what the processes do with it: no result may be published that no step knows."""

from __future__ import annotations

from siquan.core.policy.force import Bound
from siquan.core.rules.decision import OUTCOMES, branch_key
from siquan.core.spec.model import RuleSetSpec, TransitionSpec


def _steps(bound: Bound, ruleset: str) -> list[TransitionSpec]:
    """Steps that choose their way by the rule set."""
    every = (t for d in bound.definitions.values() for s in d.spec.states for t in s.transitions)
    more = (t for d in bound.definitions.values() for t in d.spec.anywhere)
    return [t for t in (*every, *more) if t.decide == ruleset and t.branches]


def branches(bound: Bound, ruleset: str) -> tuple[str, ...]:
    """The values of a table that some step has a way for."""
    found = [k for step in _steps(bound, ruleset) for k in step.branches if k not in OUTCOMES]
    return tuple(dict.fromkeys(found))


def unhandled(bound: Bound, spec: RuleSetSpec) -> list[str]:
    """Results of the rule set for which a step that decides by it has no way, in words; empty when all is well."""
    steps = _steps(bound, spec.id)
    if not steps:
        return []
    if not spec.table:
        return []  # a list gives outcomes, which every step of a list was written for
    if spec.hit_policy in ("R", "O") or spec.hit_policy.startswith("C"):
        return [f"命中方式 {spec.hit_policy} 给出一列或一个数，“{step.title}”这一步要一个结果" for step in steps if not _was_many(bound, spec.id)]
    values = [branch_key(r.out) for r in spec.rules] + ([branch_key(spec.default)] if spec.default is not None else [])
    out = []
    for step in steps:
        lost = dict.fromkeys(v for v in values if v not in step.branches and "PASS" not in step.branches)
        out += [f"结果 {v} 在“{step.title}”这一步没有去处，可用 {'、'.join(k for k in step.branches if k not in OUTCOMES)}" for v in lost]
    return out


def _was_many(bound: Bound, ruleset: str) -> bool:
    policy = bound.rulesets[ruleset].spec.hit_policy
    return policy in ("R", "O") or policy.startswith("C")
