"""Decisions on record: to JSON and back, and the replay that must give the same again."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from siquan.core.rules.decision import Ask, Decision, Finding, ParamUse, Piece
from siquan.core.rules.facts import number_text
from siquan.core.rules.values import ABSENT


def _wire(value: Any) -> Any:
    if value is ABSENT:
        return {"absent": True}
    if isinstance(value, Fraction):
        return {"number": number_text(value)}
    if isinstance(value, dt.date):
        return {"date": value.isoformat()}
    return value


def record_of(decision: Decision) -> dict[str, Any]:
    """JSON of everything a decision says."""
    out = asdict(decision)
    out["on"] = decision.on.isoformat()
    out["parameters"] = [
        {**asdict(p), "value": _wire(p.value), "since": p.since.isoformat() if p.since else None} for p in decision.parameters
    ]
    out["engines"] = list(decision.engines)
    return out


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("absent"):
            return ABSENT
        if "number" in value:
            return Fraction(value["number"])
        if "date" in value:
            return dt.date.fromisoformat(value["date"])
    return value


def decision_from(record: dict[str, Any]) -> Decision:
    """The inverse of `record_of`."""
    findings = tuple(
        Finding(
            **{
                **f,
                "pieces": tuple(Piece(**p) for p in f["pieces"]),
                "facts": tuple(f["facts"]),
                "unknown": tuple(f["unknown"]),
            }
        )
        for f in record["findings"]
    )
    asks = tuple(Ask(**{**a, "evidence": tuple(a["evidence"]), "rules": tuple(a["rules"])}) for a in record["asks"])
    parameters = tuple(
        ParamUse(**{**p, "value": _read(p["value"]), "since": dt.date.fromisoformat(p["since"]) if p["since"] else None})
        for p in record["parameters"]
    )
    return Decision(
        record["ruleset"], record["title"], record["version"], record["hash"], dt.date.fromisoformat(record["on"]), record["place"],
        record["outcome"], record["value"], findings, asks, parameters, record["facts"], tuple(record["engines"]),
    )  # fmt: skip
