"""A decision of an imported model, as a Decision of ours: PASS with a value, BLOCK without one."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Mapping
from typing import Any

from siquan.core.dmn import model as m
from siquan.core.dmn.feel.kinds import Kind
from siquan.core.dmn.feel.names import normal
from siquan.core.dmn.feel.temporal import Date, DateTime, Time
from siquan.core.dmn.run import Runner
from siquan.core.dmn.wire import from_json, to_json
from siquan.core.errors import BadInput, Errors, SiquanError
from siquan.core.rules.decision import Decision, Finding, Piece
from siquan.core.rules.facts import UnknownFact


def decide_model(runner: Runner, name: str, raw: Any, moment: dt.datetime) -> Decision:
    """Decides `name` (empty: the only decision) on facts as JSON or YAML has them; `moment` is what `now()` gives.
    A missing fact is null. Raises NotFound, UnknownFact, EndlessWork. Findings are the rules of the decision's own
    table, and what was noticed on the way (NA); `value` holds Decimals."""
    model, full = runner.model, runner.find(name)
    element = model.elements[full]
    facts = _facts(raw, runner.takes(element.name))
    clock = moment.astimezone(dt.UTC)
    now = DateTime(Date(clock.year, clock.month, clock.day), Time(clock.hour, clock.minute, clock.second, clock.microsecond * 1000, 0))
    result = runner.decide(element.name, facts, now)
    value = to_json(result.value)
    outcome = "BLOCK" if value is None else "PASS"
    findings: list[Finding] = []
    if isinstance(element, m.Decision) and isinstance(element.logic, m.Table):
        rows = {r.id: r for r in element.logic.rows}
        findings += [_row(element.logic, rows[id], hit, outcome) for id, hit in result.rows.get(element.name, ())]
    findings += [Finding(element.name, "na", "NA", "", "", element.name, (Piece(note),), "") for note in result.notes]
    findings += [Finding(element.name, "na", "NA", "", "", element.name, (Piece(fault.full()),), "") for fault in runner.faults]
    return Decision(
        f"{model.file}#{element.name}", element.label or element.name, f"{model.name} (DMN {model.version})", model.hash, moment.date(), "",
        outcome, value, tuple(findings), (), (), {key: {"value": to_json(v)} for key, v in facts.items()}, ("dmn",),
    )  # fmt: skip


def _row(table: m.Table, row: m.Row, hit: bool, outcome: str) -> Finding:
    """What a rule says of itself: its description or annotations, else its conditions and outputs."""
    words = row.description or "；".join(a for a in row.annotations if a)
    if not words:
        tests = "，".join(f"{i.label} {e.text}" for i, e in zip(table.inputs, row.inputs, strict=True) if e.text not in ("-", ""))
        words = f"{tests or '-'} → {', '.join(o.text for o in row.outputs)}"
    return Finding(row.id, "hit" if hit else "clear", outcome if hit else "PASS", "", "", row.id, (Piece(words),), "")


def _facts(raw: Any, takes: Mapping[str, Kind | None]) -> dict[str, Any]:
    """The facts by the names the model gives them; those of an imported model may also be nested under its name."""
    if not isinstance(raw, Mapping):
        raise BadInput(why="应是一组 事实: 值")
    out: dict[str, Any] = {}
    errors: list[SiquanError] = []
    heads = {".".join(name.split(".")[:n]) for name in takes for n in range(1, name.count(".") + 1)}
    todo = [(normal(str(key)), value) for key, value in raw.items()]
    while todo:
        name, value = todo.pop(0)
        if name in takes and name not in out:
            out[name] = from_json(value, takes[name])
        elif name in heads and isinstance(value, Mapping):
            todo += [(f"{name}.{normal(str(k))}", v) for k, v in value.items()]
        else:
            near = "、".join(f"`{n}`" for n in difflib.get_close_matches(name, list(takes), n=3) or list(takes)[:5])
            errors.append(UnknownFact(fact=name, path=name, near=near, help="" if near else " "))
    if errors:
        raise Errors(errors) if len(errors) > 1 else errors[0]
    return out
