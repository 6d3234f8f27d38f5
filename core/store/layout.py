"""What deciding again needs of a recorded decision, cut out of its record: the values of the facts it stood on, in a
fixed order, and one letter per rule.

A record explains a decision in some 16 KB; an impact run reads a million of them in seconds only without the words. The
order of values is a `Layout`, kept once among the definitions. Values are those of the wire form but for four things: an
absent fact is "" (an enum may have a code `none`), a date its ordinal, what is too old is null, and what the record does
not hold (never read, or a list longer than it keeps) is {}. Everything here follows from the record and the layout
alone, so that the audit can cut it out again and compare.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

from siquan.core.rules import tree as t
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.facts import NONE
from siquan.core.store.canonical import canonical, parse

GONE: Mapping[str, Any] = {}
ABSENT_MARK = ""
#: how a derived fact came to its value: derived as recorded, stated, derived to something the record does not show, or
#: nobody looked at it, so that it may have been stated or not
DERIVED, STATED, LOST, UNREAD = 0, 1, 2, 3
#: bounds of an age nobody has: nothing kept is that old, nothing dropped that young
NEVER, EVER = -1, 10_000_000
Envelope = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Slot:
    """A fact's place in a layout. `kind` is number date boolean record list text or other; `code` when `none` may be one
    of its values; `derive` a digest of the expression that gives it; `age` the max_age of its values; `sure` when a
    condition reads it, so that every record has it: of lists only these are kept."""

    path: str
    kind: str
    code: bool = False
    derive: str = ""
    age: str = ""
    sure: bool = False


@dataclass(frozen=True)
class Layout:
    """The order of the facts and rules of one rule set. A derived fact takes two places: how it came, and its value.
    After the facts come two numbers per max_age: the age in days of the oldest value that counted, and of the youngest
    that did not."""

    ruleset: str
    slots: tuple[Slot, ...]
    rules: tuple[str, ...]

    @cached_property
    def document(self) -> str:
        rows = [[s.path, s.kind, s.code, s.derive, s.age, s.sure] for s in self.slots]
        return canonical({"ruleset": self.ruleset, "slots": rows, "rules": list(self.rules)})

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.document.encode()).hexdigest()[:40]

    @classmethod
    def read(cls, document: str) -> Layout:
        data = parse(document)
        return cls(data["ruleset"], tuple(Slot(*row) for row in data["slots"]), tuple(data["rules"]))

    @cached_property
    def scalars(self) -> tuple[Slot, ...]:
        return tuple(s for s in self.slots if s.kind != "list")

    @cached_property
    def lists(self) -> tuple[Slot, ...]:
        return tuple(s for s in self.slots if s.kind == "list")

    @cached_property
    def limits(self) -> tuple[str, ...]:
        """The max_ages, in the order of their bounds."""
        return tuple(dict.fromkeys(s.age for s in self.scalars if s.age))

    @cached_property
    def places(self) -> dict[str, int]:
        """Path -> where its value stands among the inputs; how a derived fact came stands just before."""
        out, at = dict[str, int](), 0
        for slot in self.scalars:
            at += bool(slot.derive)
            out[slot.path] = at
            at += 1
        return out

    @cached_property
    def width(self) -> int:
        """How many places the facts take, bounds not counted."""
        return len(self.scalars) + sum(bool(s.derive) for s in self.scalars)


@dataclass(frozen=True, slots=True)
class Kept:
    """One decision cut down: texts of JSON arrays, `results` one letter per rule (hit clear unknown na)."""

    layout: str
    value: str
    results: str
    inputs: str | None
    lists: str | None
    ages: str | None


def nodes_read(ruleset: RuleSet) -> list[t.Node]:
    """The expressions a decision stands on: conditions, outcomes and readings, not the sentences."""
    out = [r.condition for r in ruleset.rules] + [r.outcome for r in ruleset.rules if r.outcome is not None]
    return out + [node for _, node in ruleset.readings]


def facts_read(nodes: Iterable[t.Node], derived: Mapping[str, t.Node]) -> dict[str, t.Type]:
    """Path -> type of every fact behind some expressions, those behind derived facts too."""
    found: dict[str, t.Type] = {}
    todo = list(nodes)
    while todo:
        for node in t.walk(todo.pop()):
            if isinstance(node, t.Fact) and node.path not in found:
                found[node.path] = node.type
                if node.path in derived:
                    todo.append(derived[node.path])
    return found


def derivation(path: str, derived: Mapping[str, t.Node]) -> str:
    """A digest of what gives a derived fact, down to the facts that are stated; empty for those."""
    if path not in derived:
        return ""
    below = facts_read([derived[path]], derived)
    whole = [repr(derived[path]), *(f"{p}={derived[p]!r}" for p in sorted(below) if p in derived)]
    return hashlib.sha256("\n".join(whole).encode()).hexdigest()[:16]


def kind_of(kind: t.Type) -> str:
    """How values of a type are kept."""
    name = {"enum": "text", "person": "text"}.get(kind.kind, kind.kind)
    return name if name in ("number", "date", "boolean", "record", "list", "text") else "other"


def slots_of(ruleset: RuleSet, known: bool = True) -> tuple[Slot, ...]:
    """The facts a rule set stands on. `known` false: what the derived facts were derived by is not."""
    schema, out = ruleset.schema, []
    for path, kind in sorted(facts_read(nodes_read(ruleset), ruleset.derived).items()):
        spec = schema.get(path)
        code = (kind.kind == "enum" and NONE in kind.values) or (kind.kind == "person" and (spec is None or not spec.absent))
        derive = derivation(path, ruleset.derived) if known else "?" * (path in ruleset.derived)
        sure = path in ruleset.facts and not derive and kind_of(kind) != "other" and (known or kind.kind == "list")
        out.append(Slot(path, kind_of(kind), code, derive, spec.max_age if spec else "", sure))
    return tuple(out)


@lru_cache(maxsize=256)
def layout_of(ruleset: RuleSet) -> Layout:
    """The layout of what is decided with a rule set from now on."""
    return Layout(ruleset.id, slots_of(ruleset), tuple(r.id for r in ruleset.spec.rules))


def layout_for(ruleset: RuleSet, record: Mapping[str, Any]) -> Layout:
    """A layout for a decision of some earlier version of the rule set: its rules, and the facts looked for today."""
    return Layout(ruleset.id, slots_of(ruleset, known=False), tuple(f["rule"] for f in record["findings"]))


def keep(layout: Layout, record: Mapping[str, Any]) -> Kept:
    """Cut a record down. KeyError, TypeError or ValueError: it is no record of a decision."""
    return _Cut(layout, record).kept()


def every_list(layout: Layout, record: Mapping[str, Any]) -> list[Any]:
    """The lists of a layout with those that are not kept."""
    cut = _Cut(layout, record)
    return [cut.list_of(slot) for slot in layout.lists]


class _Cut:
    def __init__(self, layout: Layout, record: Mapping[str, Any]) -> None:
        self.layout, self.record = layout, record
        self.facts: Mapping[str, Envelope] = record["facts"]
        self.on = dt.date.fromisoformat(record["on"])

    def kept(self) -> Kept:
        inputs: list[Any] = []
        ages: list[Any] = []
        bounds = {text: [NEVER, EVER] for text in self.layout.limits}
        for slot in self.layout.scalars:
            value, how, age, stale = self._slot(slot)
            if slot.derive:
                inputs.append(how)
            inputs.append(None if stale else value)
            if not slot.age:
                continue
            ages.append(None if age is None else [age, value] if stale else age)
            if age is not None:
                low, high = bounds[slot.age]
                bounds[slot.age] = [low, min(high, age)] if stale else [max(low, age), high]
        lists = [self.list_of(slot) if slot.sure else None for slot in self.layout.lists]
        return Kept(
            self.layout.digest, canonical(self.record["value"]),
            "".join({"hit": "h", "clear": "c", "unknown": "u", "na": "n"}[f["result"]] for f in self.record["findings"]),
            canonical([*inputs, *(n for pair in bounds.values() for n in pair)]),
            canonical(lists) if any(slot.sure for slot in self.layout.lists) else None,
            canonical(ages) if any(a is not None for a in ages) else None,
        )  # fmt: skip

    def _slot(self, slot: Slot) -> tuple[Any, int, int | None, bool]:
        """(value as kept, how it came, age in days, whether it is too old)."""
        e = self.facts.get(slot.path)
        if e is None or "digest" in e:
            return GONE, UNREAD if e is None else LOST, None, False
        raw, head, stale = e.get("value"), self._head(slot.path), "stale_since" in e
        if head is not None and (raw is None or raw == NONE):
            return self._under(e, head)
        if slot.kind == "record" and not stale and (raw is None or raw is True):
            return self._presence(slot, raw)
        if raw is None:
            return None, STATED if stale else DERIVED, None, False
        value = self._typed(slot, raw, bool(e.get("derived")))
        if value is GONE:
            return GONE, LOST, None, False
        # of a derived true or absent the record does not say that it was derived, but nobody stands behind it either
        if e.get("derived") or (slot.derive and (value is True or value == ABSENT_MARK) and not _stated_by_someone(e)):
            return value, DERIVED, None, False
        return value, STATED, self._age(e), stale

    def _head(self, path: str) -> Envelope | None:
        """The nearest record around a fact that is known not to exist."""
        if path.startswith("parent."):
            return None
        while path := path.rpartition(".")[0]:
            found = self.facts.get(path)
            if found is not None and found.get("value") == NONE:
                return found
        return None

    def _under(self, e: Envelope, head: Envelope) -> tuple[Any, int, int | None, bool]:
        """A field of a record that does not exist does not exist, unless that is no longer known. Where the record of the
        decision does not say so, the field itself shows it: it was unknown though nobody had said so."""
        unsaid = e.get("value") is None and not _stated_by_someone(e)
        return ABSENT_MARK, STATED, self._age(head), "stale_since" in head or unsaid

    def _presence(self, slot: Slot, raw: Any) -> tuple[Any, int, int | None, bool]:
        """A record exists when any of its fields does, whatever its own last word was."""
        inner = slot.path + "."
        below = [e for p, e in self.facts.items() if p.startswith(inner) and e.get("value") is not None and not e.get("derived")]
        stale = all("stale_since" in e for e in below)
        if not below or (raw and stale):  # a field no rule reads makes it exist
            return raw, DERIVED if raw is None else STATED, None, False
        ages = [self._age(e) for e in below]
        known = [a for a in ages if a is not None]
        return True, STATED, min(known) if len(known) == len(ages) else None, stale

    def _age(self, e: Envelope) -> int | None:
        return (self.on - dt.date.fromisoformat(e["as_of"])).days if e.get("as_of") else None

    def _typed(self, slot: Slot, raw: Any, literal: bool) -> Any:
        """The value as kept, GONE when it cannot be told from the record. A `literal` none is no absence."""
        if raw == NONE and not literal and (not slot.code or slot.path.startswith("parent.")):
            return ABSENT_MARK
        match slot.kind:
            case "date":
                fits = isinstance(raw, str) and (raw := _day(raw)) is not None
            case "number":
                fits = _is_number(raw)
            case "boolean" | "record":
                fits = isinstance(raw, bool)
            case "text":
                fits = isinstance(raw, str)
            case _:  # a text of no type might have been a date
                fits = isinstance(raw, bool | int)
        return raw if fits else GONE

    def list_of(self, slot: Slot) -> Any:
        """[complete, rows], "" absent, null unknown or derived, {} not in the record."""
        e = self.facts.get(slot.path)
        if e is None or "digest" in e:
            return GONE if e is None else {"rows": e["rows"]}
        raw = e.get("value")
        if isinstance(raw, list):
            return None if "stale_since" in e else [bool(e.get("complete")), raw]
        return ABSENT_MARK if raw == NONE and not e.get("derived") else None


def _stated_by_someone(e: Envelope) -> bool:
    return any(e.get(k) for k in ("as_of", "source", "ref", "by"))


def _day(raw: str) -> int | None:
    try:
        return dt.date.fromisoformat(raw).toordinal()
    except ValueError:
        return None


def _is_number(raw: Any) -> bool:
    if isinstance(raw, int):
        return not isinstance(raw, bool)
    try:
        return isinstance(raw, str) and Fraction(raw) is not None
    except (ValueError, ZeroDivisionError):
        return False
