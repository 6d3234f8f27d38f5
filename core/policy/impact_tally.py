"""What an impact run counts: plain dictionaries of numbers, which add up, and the flips one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from siquan.core.policy.impact_program import Verdict
from siquan.core.store.canonical import canonical, parse
from siquan.core.store.impacts import LABEL
from siquan.core.store.rows import NewFlip

Counts = dict[str, Any]


class Difference(NamedTuple):
    """How a verdict stands to a former one. `changed`: another outcome or value; `why` alone: other findings only."""

    before: str
    after: str
    changed: bool
    why: dict[str, str]
    told: str  # `why` as JSON


def label(outcome: str, value: str) -> str:
    """An outcome as the flow matrix has it, with the value of a table; `value` is JSON."""
    if value == "null":
        return outcome
    told = parse(value)
    text = f"{outcome} {told if isinstance(told, str) else value}"
    return text if len(text) <= LABEL else f"{text[: LABEL - 12]}…{sha256(text.encode()).hexdigest()[:8]}"


def difference(old: Verdict, old_rules: tuple[str, ...], new: Verdict, new_rules: tuple[str, ...]) -> Difference:
    """Rule by rule. A rule that is new, or gone, counts where it hits or is unknown."""
    was, now = dict(zip(old_rules, old.results, strict=False)), dict(zip(new_rules, new.results, strict=True))
    why = {rule: was.get(rule, "-") + now.get(rule, "-") for rule in dict.fromkeys((*new_rules, *old_rules))}
    silent = {"-c", "c-", "-n", "n-"}
    why = {rule: pair for rule, pair in why.items() if pair[0] != pair[1] and pair not in silent}
    changed = (old.outcome, old.value) != (new.outcome, new.value)
    return Difference(label(old.outcome, old.value), label(new.outcome, new.value), changed, why, canonical(why))


def empty() -> Counts:
    """`rows` = `decided` + `missing` + `erased`; of the decided, `changed` come out otherwise and `other` only find otherwise.
    `flow` is {before: {after: n}} of all decided; `rules` {rule: {letters: n}} of the changed, `other_rules` of the others."""
    names = ("rows", "decided", "changed", "other", "missing", "erased")
    tables = ("flow", "rules", "other_rules", "places", "changed_places", "missing_facts")
    return {**dict.fromkeys(names, 0), **{name: {} for name in tables}}


def add(into: Counts, more: Mapping[str, Any]) -> None:
    """Sums number by number, in place."""
    for key, value in more.items():
        if isinstance(value, Mapping):
            add(into.setdefault(key, {}), value)
        else:
            into[key] = into.get(key, 0) + value


@dataclass
class Tally:
    """Of one stretch of rows, up to and with row `upto`."""

    upto: int
    counts: Counts = field(default_factory=empty)
    flips: list[NewFlip] = field(default_factory=list)

    def count(self, found: Difference, places: Mapping[str, int]) -> None:
        """Note a verdict that came so many times at each place."""
        times = sum(places.values())
        more: Counts = {"rows": times, "decided": times, "flow": {found.before: {found.after: times}}, "places": places}
        pairs = {rule: {pair: times} for rule, pair in found.why.items()}
        if found.changed:
            more |= {"changed": times, "rules": pairs, "changed_places": places}
        elif found.why:
            more |= {"other": times, "other_rules": pairs}
        add(self.counts, more)

    def erased(self, times: int) -> None:
        add(self.counts, {"rows": times, "erased": times})

    def missing(self, facts: list[str]) -> None:
        add(self.counts, {"rows": 1, "missing": 1, "missing_facts": dict.fromkeys(facts, 1)})


def chained(digest: str, flips: Iterable[NewFlip]) -> str:
    """The digest of all flips so far, one after another: what a signature under a run stands on. The reasons, which can be
    erased, are no part of it."""
    for f in flips:
        line = "\x1f".join((digest, f.kind, f.decision_id or "", f.case_id or "", f.place, f.on_date or "", f.before_label, f.after_label))
        digest = sha256(line.encode()).hexdigest()
    return digest
