"""What a decision says: outcome, one finding per rule, what to ask for, and everything needed to replay it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

#: In this order; the outcome of a decision is the first that occurs (design part 5).
OUTCOMES = ("REJECT", "BLOCK", "EVIDENCE", "WARN", "PASS")
FINDING_ONLY = ("PRIORITY", "TARGET", "NA")
VERDICTS = (*OUTCOMES, *FINDING_ONLY)
BASES = ("STATUTE", "OWNERS", "POLICY", "LOCAL")
RANK = {o: i for i, o in enumerate(OUTCOMES)}


def branch_key(value: object) -> str:
    """A table's value as the key of `to:`; a boolean is written as in YAML, of several outputs the first decides."""
    if isinstance(value, dict):
        value = next(iter(value.values()), None)
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Piece:
    """A bit of a sentence: plain words, or a value (`kind` value|unknown|param|date) with the name it stands for."""

    text: str
    kind: str = "text"
    name: str = ""


@dataclass(frozen=True)
class Finding:
    """What one rule said. `result` is hit, clear, unknown or na; `outcome` is after the basis cap."""

    rule: str
    result: str
    outcome: str
    basis: str
    basis_cite: str
    title: str
    pieces: tuple[Piece, ...]
    cite: str
    #: the outcome the rule asked for, where the basis capped it (REJECT on POLICY comes out as WARN)
    capped_from: str = ""
    #: leaf facts this rule read, and those of them that were unknown
    facts: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    law: str = ""
    cure: str = ""

    @property
    def message(self) -> str:
        return "".join(p.text for p in self.pieces)


@dataclass(frozen=True)
class Ask:
    """A fact that can still change the outcome."""

    fact: str
    title: str
    by: str
    evidence: tuple[str, ...]
    blocking: bool
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class ParamUse:
    """A parameter value as used: which line of the book won, and on what it stands."""

    name: str
    value: Any
    since: dt.date | None
    place: str
    basis: str
    cite: str
    source: str = ""


@dataclass(frozen=True)
class Decision:
    ruleset: str
    title: str
    version: str
    hash: str
    on: dt.date
    place: str
    outcome: str
    value: Any
    findings: tuple[Finding, ...]
    asks: tuple[Ask, ...]
    parameters: tuple[ParamUse, ...]
    #: leaf path -> envelope {"value", "as_of", "source", "ref", "by"} of every fact read
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: which readings decided: ("compiled", "durable") when both ran and agreed
    engines: tuple[str, ...] = ("compiled",)

    def hits(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.result == "hit")

    def contract(self) -> dict[str, Any]:
        """The JSON of `siquan decide --json` (design part 9)."""
        out: dict[str, Any] = {
            "outcome": self.outcome,
            "findings": [
                {"rule": f.rule, "result": f.result, "outcome": f.outcome, "basis": f.basis, "message": f.message, "cite": f.cite}
                for f in self.findings
            ],
            "ask": [{"fact": a.fact, "by": a.by, "evidence": list(a.evidence), "blocking": a.blocking} for a in self.asks],
            "ruleset": {"id": self.ruleset, "version": self.version, "hash": self.hash},
        }
        if self.value is not None:
            out["value"] = self.value
        return out
