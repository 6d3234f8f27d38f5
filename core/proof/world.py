"""The facts of a proof as variables: each may be unknown, absent where it may be, or any value its declaration allows.

A record that does not exist takes its fields along; a list is `rows.RowKinds`. A model of the solver becomes facts in
the wire form again, and facts become a condition on the variables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import z3

from siquan.core.proof.logic import Flag, Truth, Value, both, either, every, implies, no, order, same, some
from siquan.core.proof.rows import Counts, RowKinds
from siquan.core.proof.steps import Applied, Step
from siquan.core.rules import tree as t
from siquan.core.rules.facts import Schema, to_wire, type_of
from siquan.core.rules.parameters import plain
from siquan.core.rules.values import ABSENT, Rows, exact
from siquan.core.spec.model import FactSpec

#: what a fact is in a case: None unknown, ABSENT, a typed value, Counts for a list
State = Any
States = dict[str, State]
#: dates further off are slips of the pen, and the calendar ends for them: no proof speaks of such cases
DAYS = (dt.date(1800, 1, 1), dt.date(2200, 12, 31))
SCALARS = ("boolean", "number", "date", "enum", "text", "person")


@dataclass
class Slot:
    """A fact's variables. `there` and `absent` are its own, as stated; a record above it is not in them."""

    path: str
    kind: str
    term: Any
    there: Flag
    absent: Flag
    spec: FactSpec | None
    type: t.Type
    #: the closest record above that may be absent
    record: str = ""
    edges: set[Any] = field(default_factory=set)


class World:
    """Variables of all facts that are asked for. `tag` tells the facts of two cases apart that share a solver."""

    def __init__(self, schemas: Iterable[Schema], on: dt.date, like: World | None = None, days: tuple[dt.date, dt.date] = DAYS) -> None:
        """`days` are the first and last day a date of the facts may be."""
        self.on, self.days = on, tuple(d.toordinal() for d in days)
        self.tag: str = "" if like is None else f"{like.tag}'"
        self.ctx: Any = z3.Context() if like is None else like.ctx
        self._codes: dict[str, int] = {} if like is None else like._codes
        self.specs: dict[str, FactSpec] = {}
        self.records: dict[str, Flag] = {}
        self.slots: dict[str, Slot] = {}
        self.lists: dict[str, RowKinds] = {}
        self.steps: dict[int, Step] = {}
        self.applied: dict[tuple[Any, ...], Applied] = {}
        self._by_term: dict[int, Slot] = {}
        self.turns: set[tuple[int, int]] = set()
        self.axioms: list[Flag] = []
        #: facts the two sides declare differently, by path
        self.redeclared: set[str] = set()
        for schema in schemas:
            for path, spec in schema.specs.items():
                self._declare(path, spec)

    def _declare(self, path: str, spec: FactSpec) -> None:
        known = self.specs.get(path)
        if known is None or known == spec:
            self.specs.setdefault(path, spec)
            return
        if known.type != spec.type:
            self.redeclared.add(path)
            return
        ends = {
            "min": None if known.min is None or spec.min is None else min(known.min, spec.min),
            "max": None if known.max is None or spec.max is None else max(known.max, spec.max),
            "values": {**known.values, **spec.values}, "absent": known.absent or spec.absent,
        }  # fmt: skip
        self.specs[path] = known.model_copy(update=ends)

    # variables

    def code(self, text: str) -> int:
        """The number of a text or enum code."""
        return self._codes.setdefault(text, len(self._codes))

    def _bool(self, name: str) -> Any:
        return z3.Bool(f"{name}{self.tag}", self.ctx)

    def _int(self, name: str) -> Any:
        return z3.Int(f"{name}{self.tag}", self.ctx)

    def _dated(self, day: Any) -> list[Flag]:
        return [order(">=", day, self.days[0]), order("<=", day, self.days[1])]

    def fresh(self, name: str, kind: str) -> Value:
        """A value nothing is known about; a number may be a span."""
        there, absent = self._bool(f"{name}?"), self._bool(f"{name}-")
        self.axioms.append(no(both(there, absent)))
        if kind == "boolean":
            return Value(kind, self._bool(name), there, absent)
        if kind != "number":
            term = self._int(name)
            if kind == "date":
                self.axioms += self._dated(term)
            return Value(kind, term, there, absent)
        low, high = z3.Real(f"{name}{self.tag}", self.ctx), z3.Real(f"{name}^{self.tag}", self.ctx)
        self.axioms.append(order("<=", low, high))
        return Value(kind, low, there, absent, high, (self._bool(f"{name}<"), self._bool(f"{name}>")))

    def truth(self, name: str) -> Truth:
        """A truth nothing is known about."""
        yes, not_ = self._bool(f"{name}+"), self._bool(f"{name}-")
        self.axioms.append(no(both(yes, not_)))
        return Truth(yes, not_)

    def slot(self, path: str, type_: t.Type) -> Slot:
        found = self.slots.get(path)
        if found is None:
            found = self.slots[path] = self._slot(path, type_)
        return found

    def _slot(self, path: str, type_: t.Type) -> Slot:
        spec = self.specs.get(path)
        kind = "text" if type_.kind in ("enum", "person") else type_.kind
        there = self._bool(f"{path}?")
        # what a parent holds is not declared here: it may be anything of its type
        may_be_absent = bool(spec.absent) if spec is not None else True
        absent = self._bool(f"{path}-") if may_be_absent else False
        whole = spec is not None and spec.type == "integer"
        if kind == "boolean":
            term: Any = self._bool(path)
        else:
            term = z3.Real(f"{path}{self.tag}", self.ctx) if kind == "number" and not whole else self._int(path)
        slot = Slot(path, kind, term, there, absent, spec, type_, self._record_above(path))
        self._by_term[term.get_id()] = slot
        self.axioms.append(no(both(there, absent)))
        if kind == "date":
            self.axioms += self._dated(term)
        if spec is not None and kind == "number":
            self.axioms += [order(">=", term, plain(spec.min))] if spec.min is not None else []
            self.axioms += [order("<=", term, plain(spec.max))] if spec.max is not None else []
        if type_.kind == "enum":
            codes = spec.values if spec is not None and spec.type == "enum" else type_.values
            self.axioms.append(some(order("=", term, self.code(c)) for c in codes))
        if slot.record:
            gone = self.record(slot.record)
            self.axioms.append(either(no(gone), both(no(there), no(absent))))
        return slot

    def _record_above(self, path: str) -> str:
        head = path.rpartition(".")[0]
        while head:
            spec = self.specs.get(head)
            if spec is not None and spec.type == "record" and spec.absent:
                return head
            head = head.rpartition(".")[0]
        return ""

    def record(self, path: str) -> Flag:
        """Whether the record is known not to exist, itself or with one above it."""
        if path not in self.records:
            spec = self.specs[path]
            own = self._bool(f"{path}-") if spec.absent else False
            self.records[path] = own
            above = self._record_above(path)
            if above and own is not False:
                self.axioms.append(either(no(self.record(above)), no(own)))
        above = self._record_above(path)
        return either(self.records[path], self.record(above) if above else False)

    def value(self, path: str, type_: t.Type) -> Value:
        """A scalar fact as the readings see it: absent with its record."""
        slot = self.slot(path, type_)
        absent = either(slot.absent, self.record(slot.record) if slot.record else False)
        return Value(slot.kind, slot.term, slot.there, absent)

    def presence(self, path: str) -> Truth:
        """`present(record)`: true as soon as one of its fields is known."""
        leaves = [(p, s) for p, s in self.specs.items() if p.startswith(f"{path}.") and s.type not in ("record", "list")]
        from_fields = []
        for leaf, spec in leaves:
            slot = self.slot(leaf, type_of(spec))
            from_fields.append(either(slot.there, slot.absent))
        gone = self.record(path)
        return Truth(both(no(gone), some(from_fields)), gone)

    def rows(self, path: str, type_: t.Type) -> RowKinds:
        """The list's kinds of rows; tests are added before `close`."""
        found = self.lists.get(path)
        if found is None:
            spec = self.specs.get(path)
            fields = {f.name: f for f in spec.fields} if spec is not None else {}
            for f in list(fields.values()):
                fields.update({f"{f.name}.{g.name}": g for g in f.fields})
            found = self.lists[path] = RowKinds(path, type_, fields, spec is not None and bool(spec.absent))
        return found

    def close(self) -> None:
        """All tests on lists are known: their variables are made."""
        for path, kinds in self.lists.items():
            self.axioms += kinds.close(f"{path}{self.tag}", self.ctx)

    def apply(self, name: str, days: tuple[Any, ...], run: Callable[..., int | None]) -> tuple[Any, bool]:
        """The variable for a function of dates, and whether it is new."""
        key = (name, *(d if isinstance(d, int) else f"#{d.get_id()}" for d in days))
        found = self.applied.get(key)
        if found is not None:
            return found.var, False
        var = self._int(f"{name}({', '.join(str(k) for k in key[1:])})")
        self.applied[key] = Applied(var, days, run)
        return var, True

    def step(self, step: Step) -> None:
        """The function is monotone in one date: comparisons with constants can be made exact."""
        self.steps[step.var.get_id()] = step

    def compared(self, value: Value, constant: Any) -> None:
        """A value is compared with a number: monotone functions in it become exact there."""
        level = constant // 1
        for var in value.steps:
            key = (var.get_id(), int(level))
            step = self.steps.get(key[0])
            if step is not None and key not in self.turns:
                self.turns.add(key)
                self.axioms.append(step.at(key[1]))
                self.turn(step.day, step.turn(key[1]))

    def turn(self, term: Any, point: Any) -> None:
        """A comparison of this fact turns here: examples are put right at such points."""
        slot = None if isinstance(term, int | Fraction) else self._by_term.get(term.get_id())
        if slot is not None:
            slot.edges.add(point)

    # states

    def state(self, path: str, model: Any) -> State:
        """What a model says of a fact's own variables."""

        def holds(flag: Flag) -> bool:
            return flag if isinstance(flag, bool) else z3.is_true(model.eval(flag, model_completion=True))

        if path in self.records:
            return ABSENT if holds(self.records[path]) else None
        if path in self.lists:
            kinds = self.lists[path]
            if not holds(kinds.there):
                return ABSENT if holds(kinds.absent) else None
            return Counts(tuple(model.eval(n, model_completion=True).as_long() for n in kinds.counts), holds(kinds.complete))
        slot = self.slots[path]
        if not holds(slot.there):
            return ABSENT if holds(slot.absent) else None
        if slot.kind == "boolean":
            return holds(slot.term)
        found = model.eval(slot.term, model_completion=True)
        if slot.kind == "number":
            return found.as_long() if z3.is_int_value(found) else exact(Fraction(found.numerator_as_long(), found.denominator_as_long()))
        if slot.kind == "date":
            return dt.date.fromordinal(found.as_long())
        code: int = found.as_long()
        return next((text for text, n in self._codes.items() if n == code), f"其他{code}")

    def paths(self) -> list[str]:
        return [*self.records, *self.slots, *self.lists]

    def states(self, model: Any) -> States:
        return {p: self.state(p, model) for p in self.paths()}

    def is_(self, path: str, state: State) -> Flag:
        """That a fact is stated so."""
        if path in self.records:
            return self.records[path] if state is ABSENT else no(self.records[path])
        if path in self.lists:
            kinds = self.lists[path]
            if isinstance(state, Counts):
                return kinds.has(state)
            return kinds.absent if state is ABSENT else both(no(kinds.there), no(kinds.absent))
        slot = self.slots[path]
        if state is None:
            return both(no(slot.there), no(slot.absent))
        if state is ABSENT:
            return slot.absent
        if slot.kind == "boolean":
            return both(slot.there, same(slot.term, state))
        number = state.toordinal() if isinstance(state, dt.date) else self.code(state) if isinstance(state, str) else state
        return both(slot.there, order("=", slot.term, number))

    def simple(self, path: str) -> State:
        """The most harmless thing a fact can say: that there is nothing, else no, zero, today, the first code."""
        if path in self.records:
            return ABSENT if self.specs[path].absent else None
        if path in self.lists:
            return Counts((0,) * len(self.lists[path].counts), True)
        slot = self.slots[path]
        spec = slot.spec
        if spec is None:
            return None
        if spec.absent:
            return ABSENT
        match slot.kind:
            case "boolean":
                return False
            case "number":
                low, high = ((plain(e) if e is not None else None) for e in (spec.min, spec.max))
                return low if low is not None and low > 0 else high if high is not None and high < 0 else 0
            case "date":
                return self.on
        if slot.type.kind == "enum":
            return "none" if "none" in slot.type.values else next(iter(slot.type.values), None)
        return "其他"

    def refines(self, less: World) -> Flag:
        """That this case is what `less` may become: whatever is known there is the same here."""
        out: list[Flag] = []
        for path, slot in less.slots.items():
            mine = self.slot(path, slot.type)
            a, b = self.value(path, slot.type), less.value(path, slot.type)
            out.append(either(no(b.absent), a.absent))
            alike = same(mine.term, slot.term) if slot.kind == "boolean" else order("=", mine.term, slot.term)
            out.append(either(no(b.there), both(a.there, alike)))
        out += [either(no(gone), self.records[path]) for path, gone in less.records.items() if path in self.records]
        out += [self.lists[path].refines(kinds) for path, kinds in less.lists.items() if path in self.lists]
        # both were written in the same order: the same function of the same days gives the same
        for one, other in zip(self.applied.values(), less.applied.values(), strict=True):
            alike_days = every(order("=", a, b) for a, b in zip(one.days, other.days, strict=True))
            out.append(implies(alike_days, order("=", one.var, other.var)))
        return every(out)

    def wire(self, states: Mapping[str, State]) -> dict[str, Any]:
        """The facts as a form, a case or the command line would state them; unknown ones are left out."""
        out: dict[str, Any] = {}
        for path, state in states.items():
            if isinstance(state, Counts):
                rows = self.lists[path].listed(state)
                out[path] = {"value": to_wire(rows), "complete": rows.complete}
            elif state is not None:
                out[path] = to_wire(state)
        return out

    def beside(self, states: Mapping[str, State]) -> tuple[dict[str, Any], dict[str, Rows]]:
        """Facts that no form of this process states: values of the parent, lists of children."""
        parent, lists = {}, {}
        for path, state in states.items():
            if path in self.specs or state is None:
                continue
            value = self.lists[path].listed(state) if isinstance(state, Counts) else state
            if path.startswith("parent."):
                parent[path[7:]] = value
            elif isinstance(value, Rows):
                lists[path] = value
        return parent, lists
