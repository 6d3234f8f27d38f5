"""What a rule set comes to, as conditions: which outcome, and of a table which value.

Follows `rules.decide` for rule lists (basis cap, readings of a basis, unknown rules) and `rules.table` for tables: the
answer is certain when every way the unknown rows may turn out gives the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from siquan.core.proof.encode import Reading
from siquan.core.proof.logic import (
    Beyond,
    Flag,
    Term,
    Truth,
    both,
    choose,
    either,
    every,
    no,
    order,
    some,
    total,
)
from siquan.core.rules import tree as t
from siquan.core.rules.decide import Rule, cap
from siquan.core.rules.decision import BASES, OUTCOMES, RANK
from siquan.core.rules.table import Table
from siquan.core.spec.model import RuleSpec
from siquan.core.spec.table import identity, number

Flags = dict[str, Flag]
#: what equal outs have in common (`spec.table.identity`); BLOCKED where a table gives none
Key = Any
BLOCKED = ""


@dataclass(frozen=True)
class Row:
    """A table's row that may hit, in the order its hit policy reads them."""

    spec: RuleSpec
    key: Key
    out: Any
    truth: Truth


@dataclass(frozen=True)
class Result:
    """Exclusive conditions: for each outcome, and for each value a passing table gives (by its identity). `rows` and
    `number` are what a collecting table passes on instead: the rows that hit, or a count or sum."""

    outcomes: Flags
    values: dict[Key, Flag] = field(default_factory=dict)
    outs: Mapping[Key, Any] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    number: Term | None = None
    #: of a table that lists the rows that hit: what it says where none does
    default: Key = None

    def at_most(self, outcome: str) -> Flag:
        """That it is this outcome or a milder one."""
        return some(flag for o, flag in self.outcomes.items() if RANK[o] >= RANK[outcome])


def results(reading: Reading) -> Result:
    """The whole rule set."""
    table = reading.ruleset.table
    truths = {r.spec.id: reading.truth(r.condition) for r in reading.ruleset.rules}
    return listed(levels(reading, r) for r in reading.ruleset.rules) if table is None else tabled(table, truths)


# rule lists


def levels(reading: Reading, rule: Rule) -> Flags:
    """What one rule's finding comes to: for each outcome when; nowhere where it is clear or only says something."""
    found: Flags | None = reading.kept.get(rule.spec.id)
    if found is None:
        found = reading.kept[rule.spec.id] = _levels(reading, rule)
    return found


def _levels(reading: Reading, rule: Rule) -> Flags:
    truth = reading.truth(rule.condition)
    possible = _possible(reading, rule)
    known = _certain(possible)
    out: dict[str, list[Flag]] = {o: [] for o in OUTCOMES}
    harder: list[Flag] = []
    for outcome in sorted(possible, key=lambda o: (RANK.get(o, 99), o)):
        bound = both(possible[outcome], *(no(h) for h in harder))
        harder.append(possible[outcome])
        if outcome in out:
            out[outcome].append(both(bound, truth.yes, known))
        doubt = both(bound, either(truth.unknown, both(truth.yes, no(known))))
        if outcome in ("REJECT", "BLOCK", "EVIDENCE"):
            out["EVIDENCE"].append(doubt)
        elif outcome == "WARN":
            out["WARN"].append(doubt)
    return {o: some(flags) for o, flags in out.items() if flags}


def _certain(possible: Flags) -> Flag:
    """That exactly one of them is possible."""
    return every(no(both(a, b)) for n, a in enumerate(possible.values()) for b in list(possible.values())[n + 1 :])


def _possible(reading: Reading, rule: Rule) -> Flags:
    """The outcomes the rule may ask for, after the cap; more than one where its outcome or its basis is unknown."""
    asked: Flags = dict(_asked(reading, rule.outcome)) if rule.outcome is not None else {rule.spec.outcome or "PASS": True}
    bases = _bases(reading, rule)
    out: dict[str, list[Flag]] = {}
    for outcome, asks in asked.items():
        for basis, stands in bases.items():
            out.setdefault(cap(outcome, basis), []).append(both(asks, stands))
    return {o: some(flags) for o, flags in out.items()}


def _asked(reading: Reading, node: t.Node) -> Iterator[tuple[str, Flag]]:
    found: dict[str, list[Flag]] = {}

    def descend(node: t.Node, here: Flag) -> None:
        if isinstance(node, t.If):
            test = reading.truth(node.test)
            descend(node.then, both(here, test.maybe))
            descend(node.other, both(here, no(test.yes)))
        elif isinstance(node, t.Literal):
            found.setdefault(str(node.value), []).append(here)
        else:
            for outcome in RANK:
                found.setdefault(outcome, []).append(here)

    descend(node, True)
    for outcome, flags in found.items():
        yield outcome, some(flags)


def _bases(reading: Reading, rule: Rule) -> Flags:
    """What the rule may stand on: its dated line, and what the rule set's readings make of it."""
    ruleset, book = reading.ruleset, reading.book
    basis: str = rule.spec.basis or ruleset.spec.default_basis
    name = f"basis.{rule.spec.id}"
    if name in book.specs or name in book.overrides:
        value = reading.param(name)
        basis = value if isinstance(value, str) and value in BASES else basis
    stands: Flags = {basis: True}
    doubts: Flags = {}
    for spec, node in ruleset.readings:
        applies = stands.get(spec.basis, False)
        if applies is False:
            continue
        holds = reading.truth(node)
        read, open_ = both(applies, holds.yes), both(applies, holds.unknown)
        stands = {b: both(flag, no(read)) for b, flag in stands.items()}
        stands[spec.reads_as] = either(stands.get(spec.reads_as, False), read)
        doubts[spec.reads_as] = either(doubts.get(spec.reads_as, False), open_)
    return {b: either(stands.get(b, False), doubts.get(b, False)) for b in {**stands, **doubts}}


def listed(rules: Iterable[Flags]) -> Result:
    """A rule list comes to the hardest of its findings."""
    found: dict[str, list[Flag]] = {o: [] for o in OUTCOMES}
    for rule in rules:
        for outcome, flag in rule.items():
            found[outcome].append(flag)
    out: Flags = {}
    harder: list[Flag] = []
    for outcome in OUTCOMES[:-1]:
        here = some(found[outcome])
        out[outcome] = both(here, *(no(h) for h in harder))
        harder.append(here)
    out["PASS"] = every(no(h) for h in harder)
    return Result(out)


# tables


class Answers:
    """What a table may still answer, each under a condition: the unknown rows taken either way."""

    def __init__(self) -> None:
        self.may: dict[Key, list[Flag]] = {}
        self.outs: dict[Key, Any] = {}

    def add(self, key: Key, out: Any, flag: Flag) -> None:
        if flag is not False:
            self.may.setdefault(key, []).append(flag)
            self.outs[key] = out

    def result(self) -> Result:
        """An answer is certain when it is the only one possible."""
        may = {key: some(flags) for key, flags in self.may.items()}
        keys = list(may)
        # two or more possible: some answer with one before it
        several: list[Flag] = []
        before: list[Flag] = []
        for key in keys:
            several.append(both(may[key], some(before)))
            before.append(may[key])
        open_ = some(several)
        certain = {key: both(flag, no(open_)) for key, flag in may.items()}
        block = certain.pop(BLOCKED, False)
        return Result({"BLOCK": block, "EVIDENCE": open_, "PASS": some(certain.values())}, certain, self.outs)


def _none(table: Table) -> tuple[Key, Any]:
    """What the table answers without a row."""
    if table.default is not None:
        return identity(table.default), table.default
    return (identity(0), 0) if table.policy == "C#" else (BLOCKED, None)


def tabled(table: Table, truths: Mapping[str, Truth]) -> Result:
    """The answer of a table under these truths of its rows."""
    rows = [Row(r, identity(r.out), r.out, truths[r.id]) for r in table.rows if r.id in truths]
    match table.policy:
        case "F" | "P":
            return _first(table, rows).result()
        case "U":
            return _unique(table, rows).result()
        case "A":
            return _agreeing(table, rows).result()
        case "C<" | "C>":
            return _edge(table, rows).result()
    return _collected(table, rows)


def _first(table: Table, rows: Sequence[Row]) -> Answers:
    out = Answers()
    still: Flag = True
    for row in rows:
        out.add(row.key, row.out, both(still, row.truth.maybe))
        still = both(still, no(row.truth.yes))
    out.add(*_none(table), still)
    return out


def _around(flags: Sequence[Flag]) -> list[Flag]:
    """For each place, whether some other place holds."""
    after: list[Flag] = [False] * (len(flags) + 1)
    for n in range(len(flags) - 1, -1, -1):
        after[n] = either(flags[n], after[n + 1])
    out: list[Flag] = []
    before: Flag = False
    for n, flag in enumerate(flags):
        out.append(either(before, after[n + 1]))
        before = either(before, flag)
    return out


def _unique(table: Table, rows: Sequence[Row]) -> Answers:
    out = Answers()
    sure, maybe = [r.truth.yes for r in rows], [r.truth.maybe for r in rows]
    for row, others in zip(rows, _around(sure), strict=True):
        out.add(row.key, row.out, both(row.truth.maybe, no(others)))
    out.add(BLOCKED, None, some(both(m, others) for m, others in zip(maybe, _around(maybe), strict=True)))
    out.add(*_none(table), no(some(sure)))
    return out


def _by_out(rows: Sequence[Row]) -> dict[Key, tuple[Any, Flag, Flag]]:
    """Rows of the same out as one: (out, some surely, some perhaps)."""
    found: dict[Key, list[Row]] = {}
    for row in rows:
        found.setdefault(row.key, []).append(row)
    return {k: (rs[0].out, some(r.truth.yes for r in rs), some(r.truth.maybe for r in rs)) for k, rs in found.items()}


def _agreeing(table: Table, rows: Sequence[Row]) -> Answers:
    out, groups = Answers(), _by_out(rows)
    sure, maybe = [g[1] for g in groups.values()], [g[2] for g in groups.values()]
    for (key, (value, _, may)), others in zip(groups.items(), _around(sure), strict=True):
        out.add(key, value, both(may, no(others)))
    out.add(BLOCKED, None, some(both(m, others) for m, others in zip(maybe, _around(maybe), strict=True)))
    out.add(*_none(table), no(some(sure)))
    return out


def _edge(table: Table, rows: Sequence[Row]) -> Answers:
    out, groups = Answers(), _by_out(rows)

    def key(item: tuple[Key, tuple[Any, Flag, Flag]]) -> Any:
        value = number(item[1][0])
        return item[1][0] if value is None else value

    still: Flag = True
    for id, (value, sure, may) in sorted(groups.items(), key=key, reverse=table.policy == "C>"):
        out.add(id, value, both(still, may))
        still = both(still, no(sure))
    out.add(*_none(table), still)
    return out


def _said(table: Table, *hits: Row) -> Any:
    settled = table.settle({r.spec.id: True for r in hits})
    return settled.outcome, identity(settled.value)


def _collected(table: Table, rows: Sequence[Row]) -> Result:
    """Lists, counts and sums: one unknown row more is another value, unless it adds nothing."""
    sure, maybe, unknown = ([getattr(r.truth, name) for r in rows] for name in ("yes", "maybe", "unknown"))
    hit, several = some(sure), some(both(m, others) for m, others in zip(maybe, _around(maybe), strict=True))
    adds = [1 if table.policy != "C+" else number(r.out) or 0 for r in rows]
    # without any row the table answers something of its own, which a single row may happen to say as well
    _, without = _none(table)
    differs = [_said(table, r) != _said(table) for r in rows]
    moves = some(u for u, a in zip(unknown, adds, strict=True) if a)
    brings = some(u for u, d in zip(unknown, differs, strict=True) if d)
    open_ = either(both(hit, moves), both(no(hit), several, either(moves, brings)), both(no(hit), brings))
    empty = no(hit) if without is None else False
    outcomes = {"EVIDENCE": open_, "BLOCK": both(no(open_), empty), "PASS": both(no(open_), no(empty))}
    if table.policy not in ("C+", "C#"):
        return Result(outcomes, rows=tuple(rows), default=identity(without))
    counts = total(choose(y, Fraction(a), 0) for y, a in zip(sure, adds, strict=True))
    return Result(outcomes, number=counts if without is None else choose(hit, counts, Fraction(number(without) or 0)))


# two results


def differ(a: Result, b: Result) -> tuple[Flag, Flag, bool]:
    """(when the outcomes differ, when both pass with different values, whether that second condition is exact)."""
    outcomes = some(both(flag, no(b.outcomes.get(o, False))) for o, flag in a.outcomes.items())
    passes = both(a.outcomes["PASS"], b.outcomes["PASS"])
    if a.number is not None and b.number is not None:
        return outcomes, both(passes, no(order("=", a.number, b.number))), True
    if a.values or b.values:
        if (a.number is not None or a.rows) or (b.number is not None or b.rows):
            raise Beyond("两版的命中方式不可比")
        return outcomes, both(passes, some(both(flag, no(b.values.get(k, False))) for k, flag in a.values.items())), True
    if a.rows or b.rows:
        return _lists_differ(a, b, outcomes, passes)
    return outcomes, False, True


def _lists_differ(a: Result, b: Result, outcomes: Flag, passes: Flag) -> tuple[Flag, Flag, bool]:
    """Which rows hit decides the list; where two rows say the same, or a list may look like what is said without a row,
    other rows may give an equal list: then only what is found counts, not that nothing is."""
    plain = a.default == b.default and not isinstance(a.default, tuple)
    if [r.key for r in a.rows] == [r.key for r in b.rows]:
        pairs = list(zip(a.rows, b.rows, strict=True))
        apart = some(either(both(x.truth.yes, no(y.truth.yes)), both(y.truth.yes, no(x.truth.yes))) for x, y in pairs)
        nowhere = apart is False and a.default == b.default
        return outcomes, both(passes, apart), nowhere or plain and len({r.key for r in a.rows}) == len(a.rows)
    counted = []
    for key in dict.fromkeys(r.key for r in (*a.rows, *b.rows)):
        ours, theirs = (total(choose(r.truth.yes, 1, 0) for r in side.rows if r.key == key) for side in (a, b))
        counted.append(no(order("=", ours, theirs)))
    return outcomes, both(passes, some(counted)), False
