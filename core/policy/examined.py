"""A content taken apart: which of its rules can be computed, and what is wrong with each of the others, field by field.

A draft may be wrong while it is being written; it is kept, shown with its faults, and goes nowhere until they are gone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from siquan.core.errors import Errors, SiquanError, Where
from siquan.core.exchange.content import Content
from siquan.core.policy.force import with_lines
from siquan.core.rules.check import Scope, TypeFault, check, put_subject
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.decision import VERDICTS
from siquan.core.rules.parameters import ParameterBook
from siquan.core.rules.parse import parse, parse_cell
from siquan.core.rules.say import template
from siquan.core.rules.tree import BOOLEAN
from siquan.core.spec.model import ParamSpec, RuleSetSpec, RuleSpec


@dataclass(frozen=True)
class Examined:
    """`sound` are the rules that can be computed, as a rule set; `whole` the same when nothing is wrong, else None.
    `faults` are (rule id, field, error), the field as `when`, `cell:amount`, `outcome`, `say`, or empty for the set."""

    content: Content
    book: ParameterBook
    sound: RuleSet
    whole: RuleSet | None
    faults: tuple[tuple[str, str, SiquanError], ...]

    def fault(self, rule: str, field: str = "") -> str:
        """What is wrong with a rule, or with one field of it, in Chinese; empty when nothing is."""
        return "；".join(e.text() for r, f, e in self.faults if r == rule and (not field or f == field))


def examine(content: Content, home: RuleSet, book: ParameterBook) -> Examined:
    """`home` is the rule set of the same id that is in force: it knows the facts; `book` the parameters without the
    content's own lines."""
    faults: list[tuple[str, str, SiquanError]] = []
    full = _book(content, book, faults)
    scope = Scope(home.scope.facts, full.types(), home.scope.parent, home.scope.prefix)
    good: list[RuleSpec] = []
    for rule in content.ruleset.rules:
        own = list(_faults(rule, content.ruleset.inputs, scope))
        faults += [(rule.id, field, error) for field, error in own]
        if not own:
            good.append(rule)
    spec = content.ruleset
    sound = _bind(spec.model_copy(update={"rules": tuple(good)}), scope, home, faults)
    if sound is None:
        sound = RuleSet(spec.model_copy(update={"rules": (), "readings": ()}), scope, home.schema, home.derived)
    return Examined(content, full, sound, sound if not faults else None, tuple(faults))


def at_once(content: Content, book: ParameterBook) -> ParameterBook:
    """The book as if the content's newest lines had always counted at their place: what is on record was decided before
    they begin, and its impact is asked for all the same."""
    last = {(x.name, x.place): x for x in sorted(content.lines, key=lambda x: x.since)}
    specs = []
    for spec in book.specs.values():
        own = {place: x for (name, place), x in last.items() if name == spec.name}
        kept = tuple(line for line in spec.lines if line.place not in own)
        new = tuple(x.line.model_copy(update={"since": dt.date.min}) for x in own.values())
        specs.append(spec.model_copy(update={"lines": kept + new}) if own else spec)
    return ParameterBook(specs, book.overrides, book.version)


def _bind(spec: RuleSetSpec, scope: Scope, home: RuleSet, faults: list[tuple[str, str, SiquanError]]) -> RuleSet | None:
    try:
        bound = RuleSet(spec, scope, home.schema, home.derived)
    except SiquanError as fault:
        faults += [("", "", e) for e in (fault if isinstance(fault, Errors) else (fault,))]
        return None
    bound.locales = home.locales
    return bound


def _book(content: Content, book: ParameterBook, faults: list[tuple[str, str, SiquanError]]) -> ParameterBook:
    """The book with the content's lines; a line that does not fit is a fault of its parameter and left out."""
    for line in content.lines:
        try:
            book = ParameterBook(with_lines(book.specs.values(), [ParamSpec(name=line.name, lines=(line.line,))]), book.overrides)
        except SiquanError as fault:
            faults.append((f"#{line.name}", line.since.isoformat(), fault))
    return book


def _faults(rule: RuleSpec, inputs: Sequence[str], scope: Scope) -> Iterator[tuple[str, SiquanError]]:
    """What is wrong with one rule, field by field."""
    if rule.display_only:
        return
    where = Where(rule.id)
    for name in inputs if not rule.when else ():
        text = rule.cells.get(name, "-")
        try:
            cell = parse_cell(text, where)
            if cell is not None:
                check(put_subject(cell, parse(name, where)), scope, text, where, BOOLEAN)
        except SiquanError as fault:
            yield f"cell:{name}", fault
    if rule.when:
        try:
            check(parse(rule.when, where), scope, rule.when, where, BOOLEAN)
        except SiquanError as fault:
            yield "when", fault
    if rule.outcome and rule.outcome not in VERDICTS:
        try:
            verdicts = Scope(scope.facts, scope.params, scope.parent, scope.prefix, True)
            found = check(parse(rule.outcome, where), verdicts, rule.outcome, where)
            if found.type.kind != "outcome":
                raise TypeFault(where, text=rule.outcome, left=str(found.type), right="outcome", help="可用 " + " ".join(VERDICTS))
        except SiquanError as fault:
            yield "outcome", fault
    for field, text in (("say", rule.say or rule.title or rule.id), ("clear", rule.clear)):
        try:
            template(text, scope, where)
        except SiquanError as fault:
            yield field, fault
