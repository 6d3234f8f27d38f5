"""Two changes of one content made into one: rules by id and field, parameter lines by name, place and day, settings,
cases and notes by name. What only one side changed is taken; the same change on both sides is no conflict."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

from siquan.core.exchange.content import Content, NewLine
from siquan.core.exchange.fields import SETTINGS, fields_of, rule_of, value_of
from siquan.core.exchange.words import Words
from siquan.core.rules.facts import Schema
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.model import CaseSpec, RuleSetSpec, RuleSpec

T = TypeVar("T")


@dataclass(frozen=True)
class Conflict:
    """Both sides changed the same field differently; the merged content has `ours`. Texts as written; empty: not there.
    `rule` and `field` as in Difference; `field` is empty where one side removed what the other changed, and `order` where
    both put the rules into another order."""

    rule: str
    field: str
    base: str
    ours: str
    theirs: str


@dataclass(frozen=True)
class Merged:
    content: Content
    conflicts: tuple[Conflict, ...] = ()


def merge(base: Content, ours: Content, theirs: Content) -> Merged:
    """`ours` and `theirs` were both made from `base`. Where they clash, `ours` stands and a Conflict says so."""
    return _Merge(base, ours, theirs).run()


@dataclass
class _Merge:
    base: Content
    ours: Content
    theirs: Content
    conflicts: list[Conflict] = field(default_factory=list)

    def run(self) -> Merged:
        content = Content(ruleset=self._ruleset(), lines=self._lines(), cases=self._cases(), notes=self._notes())
        return Merged(content, tuple(self.conflicts))

    def _clash(self, rule: str, key: str, base: Any, ours: Any, theirs: Any) -> None:
        self.conflicts.append(Conflict(rule, key, *(_shown(v) for v in (base, ours, theirs))))

    def _one(self, rule: str, key: str, base: T, ours: T, theirs: T, same: Callable[[T, T], bool] = lambda a, b: a == b) -> T:
        """A value of which each side has its own; `same` says when two mean the same."""
        if same(theirs, base) or same(ours, theirs):
            return ours
        if not same(ours, base):
            self._clash(rule, key, base, ours, theirs)
            return ours
        return theirs

    def _ruleset(self) -> RuleSetSpec:
        a, b, c = self.base.ruleset, self.ours.ruleset, self.theirs.ruleset
        settings = {k: self._one(k, "", getattr(a, k), getattr(b, k), getattr(c, k)) for k in SETTINGS}
        inputs, outputs = settings["inputs"], settings["outputs"]
        rules = tuple(_fitted(r, inputs, outputs) for r in self._rules())
        return b.model_copy(update={**settings, "rules": rules})

    # rules

    def _rules(self) -> tuple[RuleSpec, ...]:
        base, ours, theirs = ({r.id: r for r in x.ruleset.rules} for x in (self.base, self.ours, self.theirs))
        self._keys = fields_of(self.base.ruleset, self.ours.ruleset, self.theirs.ruleset)
        # what two texts mean alike does not hang on the facts they name
        self._words = Words(self.base.ruleset, Schema(()), ParameterBook())
        done: dict[str, RuleSpec] = {}
        for id in dict.fromkeys([*ours, *theirs]):
            rule = self._rule(id, base.get(id), ours.get(id), theirs.get(id))
            if rule is not None:
                done[id] = rule
        return tuple(done[id] for id in self._order(list(base), list(ours), list(theirs), set(done)))

    def _rule(self, id: str, base: RuleSpec | None, ours: RuleSpec | None, theirs: RuleSpec | None) -> RuleSpec | None:
        if ours is None or theirs is None:
            kept = ours or theirs
            if base is None:
                return kept  # added by one side
            assert kept is not None
            if not self._alike(base, kept):
                self._clash(id, "", _rule_text(base), _rule_text(ours), _rule_text(theirs))
                return ours
            return None
        start = base or RuleSpec(id=id)
        values: dict[str, Any] = {"id": id}
        for key in self._keys:
            a, b, c = (value_of(r, key) for r in (start, ours, theirs))

            def same(x: Any, y: Any, key: str = key) -> bool:
                return self._words.same(key, x, y)

            values[key] = c if b == a else self._one(id, key, a, b, c, same)
        written = {f"cell:{n}" for r in (ours, theirs) for n in r.cells}  # a test nobody wrote down stays out
        return rule_of({k: v for k, v in values.items() if not k.startswith("cell:") or k in written})

    def _alike(self, a: RuleSpec, b: RuleSpec) -> bool:
        return all(self._words.same(k, value_of(a, k), value_of(b, k)) for k in self._keys)

    def _order(self, base: list[str], ours: list[str], theirs: list[str], keep: set[str]) -> list[str]:
        order, both = _ordered(base, ours, theirs, keep)
        if both:
            common = [i for i in base if i in ours and i in theirs]
            self._clash("", "order", *(" ".join(i for i in x if i in common) for x in (base, ours, theirs)))
        return order

    # the rest

    def _lines(self) -> tuple[NewLine, ...]:
        return tuple(self._whole(lambda x: {n.key: n for n in x.lines}, lambda key: (key[0], f"{key[2]}@{key[1]}")))

    def _cases(self) -> tuple[CaseSpec, ...]:
        return tuple(self._whole(lambda x: {c.name: c for c in x.cases}, lambda key: (key, "case")))

    def _notes(self) -> dict[str, str]:
        base, ours, theirs = self.base.notes, self.ours.notes, self.theirs.notes
        out = {}
        for key in dict.fromkeys([*ours, *theirs]):
            text = self._one(*_split(key), base.get(key, ""), ours.get(key, ""), theirs.get(key, ""))
            if text:
                out[key] = text
        return out

    def _whole(self, pick: Callable[[Content], Mapping[Any, T]], place: Callable[[Any], tuple[str, str]]) -> Iterator[T]:
        """Things that are taken as a whole: added, removed or changed on a side. `place` gives rule and field of a conflict."""
        base, ours, theirs = pick(self.base), pick(self.ours), pick(self.theirs)
        done = {key: self._one(*place(key), base.get(key), ours.get(key), theirs.get(key)) for key in dict.fromkeys([*ours, *theirs])}
        order, _ = _ordered(list(base), list(ours), list(theirs), {key for key, one in done.items() if one is not None})
        for key in order:
            one = done[key]
            assert one is not None
            yield one


def _ordered(base: Sequence[Any], ours: Sequence[Any], theirs: Sequence[Any], keep: Container[Any]) -> tuple[list[Any], bool]:
    """The order of the side that moved something, what the other added standing behind its neighbour there; and whether
    both moved something, each its own way."""
    common = [i for i in base if i in ours and i in theirs]
    mine, yours = ([i for i in x if i in common] for x in (ours, theirs))
    first, second = (theirs, ours) if mine == common and yours != common else (ours, theirs)
    out = [i for i in first if i in keep]
    for n, id in enumerate(second):
        if id in keep and id not in out:
            at = next((out.index(p) + 1 for p in reversed(second[:n]) if p in out), 0)
            out.insert(at, id)
    return out, mine != common and yours != common and mine != yours


def _split(key: str) -> tuple[str, str]:
    rule, _, name = key.rpartition("/")
    return rule, f"note:{name}"


def _fitted(rule: RuleSpec, inputs: Sequence[str], outputs: Sequence[str]) -> RuleSpec:
    """The rule without tests and values of columns that one side took away."""
    out = {k: v for k, v in rule.out.items() if k in outputs} if isinstance(rule.out, dict) and len(outputs) > 1 else rule.out
    return rule.model_copy(update={"cells": {k: v for k, v in rule.cells.items() if k in inputs}, "out": out})


def _rule_text(rule: RuleSpec | None) -> str:
    if rule is None:
        return ""
    cells: Sequence[str] = [f"{k} {v}" for k, v in rule.cells.items() if v.strip() not in ("", "-")]
    head = rule.when or "; ".join(cells) or rule.display_only or "-"
    result = rule.outcome or _shown(rule.out)
    return f"{head} → {result}" if result else head


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, BaseModel):
        dumped = value.model_dump(exclude_defaults=True)
        return "; ".join(f"{k}: {_shown(v)}" for k, v in dumped.items())
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {_shown(v)}" for k, v in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(_shown(v) for v in value)
    return str(value)
