"""The value of a decision table, from the truth of its rows: the hit policies of DMN 1.5 over three-valued truths.

The value is certain when it is the same however the unknown rows turn out, each taken by itself as one that may hold or
not. So that this needs no trying out, every policy says of an unknown row whether it *matters*: whether for some truths
of the other unknown rows the table answers differently with it and without it. A table with such a row is EVIDENCE, and
only such rows have questions to ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from siquan.core.rules.facts import to_wire
from siquan.core.rules.values import exact
from siquan.core.spec.model import RuleSetSpec, RuleSpec
from siquan.core.spec.table import identity, number

Truth = bool | None
#: outcome and value; what the table says
Answer = tuple[str, Any]
BLOCKED: Answer = ("BLOCK", None)


@dataclass(frozen=True)
class Settled:
    """What a table comes to: PASS with a value, EVIDENCE while it is open, BLOCK without a row or against its policy.
    `matters` holds the ids of the unknown rows that can still change it; it is empty unless the outcome is EVIDENCE."""

    outcome: str
    value: Any
    matters: frozenset[str] = frozenset()


class Table:
    """The rows of a decision table in the order its hit policy reads them."""

    def __init__(self, spec: RuleSetSpec) -> None:
        self.policy, self.default = spec.hit_policy, spec.default
        self._ranks = {o: {identity(v): n for n, v in enumerate(vs)} for o, vs in spec.output_values.items() if vs}
        self._outputs = spec.outputs
        self.rows: tuple[RuleSpec, ...] = spec.rules
        if self.policy in ("P", "O"):
            self.rows = tuple(sorted(spec.rules, key=self._priority))
        self._id = {row.id: identity(row.out) for row in spec.rules}

    def _priority(self, row: RuleSpec) -> tuple[int, ...]:
        """Smaller comes first: the places of its outs among the listed values, output by output; else its priority."""
        if not self._ranks:
            return (-row.priority,)
        outs = row.out if len(self._outputs) > 1 else {name: row.out for name in self._outputs}
        return tuple(ranks.get(identity(outs[name]), len(ranks)) for name in self._outputs if (ranks := self._ranks.get(name)))

    def settle(self, truths: Mapping[str, Truth]) -> Settled:
        """`truths` gives each row's truth by its id; a row that is not in it never holds."""
        hits = [row for row in self.rows if truths.get(row.id) is True]
        maybe = [row for row in self.rows if row.id in truths and truths[row.id] is None]
        if maybe:
            matters = frozenset(row.id for row in self._open(hits, maybe, truths))
            if matters:
                return Settled("EVIDENCE", None, matters)
        return Settled(*self._answer(hits))

    # What the table says of the rows that hit

    def _answer(self, hits: Sequence[RuleSpec]) -> Answer:
        if not hits:
            if self.default is not None:
                return "PASS", self.default
            return ("PASS", 0) if self.policy == "C#" else BLOCKED
        outs = [row.out for row in hits]
        match self.policy:
            case "F" | "P":
                return "PASS", outs[0]
            case "U":
                return ("PASS", outs[0]) if len(hits) == 1 else BLOCKED
            case "A":
                return ("PASS", outs[0]) if len({self._id[row.id] for row in hits}) == 1 else BLOCKED
            case "C#":
                return "PASS", len(hits)
            case "C+":
                return "PASS", to_wire(exact(sum((exact(number(out) or 0) for out in outs), Fraction(0))))
            case "C<" | "C>":
                return "PASS", self._edge(outs)
        return "PASS", outs

    def _edge(self, outs: Iterable[Any]) -> Any:
        """The least or the greatest: of numbers, else of dates and words, which are texts."""
        least: Callable[..., Any] = min if self.policy == "C<" else max
        edge = least(outs, key=_comparable)
        value = number(edge)
        return edge if value is None else to_wire(exact(value))

    # Which unknown rows matter

    def _open(self, hits: list[RuleSpec], maybe: list[RuleSpec], truths: Mapping[str, Truth]) -> list[RuleSpec]:
        match self.policy:
            case "F" | "P":
                return self._before_the_first(truths)
            case "U" if len(hits) > 1:
                return []
            case "A" if hits:
                same = {self._id[row.id] for row in hits}
                return [row for row in maybe if len(same) == 1 and self._id[row.id] not in same]
            case "A" if len({self._id[row.id] for row in maybe}) == 1:
                return [row for row in maybe if not self._as_without(row)]
            case "C<" | "C>" if hits:
                edge = self._edge(row.out for row in hits)
                return [row for row in maybe if self._wins(row.out, edge)]
            case "C<" | "C>":
                return [row for row in maybe if not self._as_without(row) or any(self._wins(row.out, other.out) for other in maybe)]
            case "C+" if hits or len(maybe) > 1:
                return [row for row in maybe if number(row.out) != 0 or not hits and not self._as_without(row)]
        # one row more is another value: another list, another count, a second row where one is allowed
        return [row for row in maybe if hits or len(maybe) > 1 or not self._as_without(row)]

    def _before_the_first(self, truths: Mapping[str, Truth]) -> list[RuleSpec]:
        """The unknown rows ahead of the first that holds, as far as a later answer differs from theirs."""
        ahead: list[RuleSpec] = []
        last = self._answer([])
        for row in self.rows:
            truth = truths.get(row.id, False)
            if truth is True:
                last = self._answer([row])
                break
            if truth is None:
                ahead.append(row)
        # from the end: what the table may still come to when a row does not hold
        found, later = [], {_told(last)}
        for row in reversed(ahead):
            own = _told(self._answer([row]))
            if later != {own}:
                found.append(row)
            later.add(own)
        return found

    def _as_without(self, row: RuleSpec) -> bool:
        """Whether this row alone gives what no row gives."""
        return _told(self._answer([row])) == _told(self._answer([]))

    def _wins(self, out: Any, edge: Any) -> bool:
        one, other = _comparable(out), _comparable(edge)
        return bool(one < other if self.policy == "C<" else one > other)


def _comparable(out: Any) -> Any:
    value = number(out)
    return out if value is None else value


def _told(answer: Answer) -> tuple[str, Any]:
    """What equal answers have in common."""
    return answer[0], identity(answer[1])
