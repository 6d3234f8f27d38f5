"""A rule set as one Python function over the kept inputs of a decision: the fastest of its readings, for deciding a million
recorded decisions again.

It writes the conditions as `rules.compile` does, with two differences: the facts come from their places in a layout
instead of by name, and what compares or looks at single values stands in line. A derived fact is taken as recorded where
the same expression gave it and no parameter had a say; else it is derived anew. Nothing from a rule's text reaches the
source except through repr of checked literals and names.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Any, NamedTuple

from siquan.core.rules import tree as t
from siquan.core.rules.compile import _INLINE, _NAMESPACE, _PY, _Writer
from siquan.core.rules.values import ABSENT, exact
from siquan.core.store.layout import (
    ABSENT_MARK,
    DERIVED,
    LOST,
    STATED,
    UNREAD,
    Layout,
    derivation,
    facts_read,
    kind_of,
)

Truths = tuple[bool | None, ...]
#: (inputs with their extras, parameters, today) -> truth of every node; None where a FAST kernel is not for the row
Run = Callable[[Sequence[Any], Sequence[Any], dt.date], Truths | None]
#: a limit nobody set: no value is too old
UNLIMITED = 10_000_001
#: calls that give a truth as it is
_TRUTHS = ("present", "absent", "list contains", "all", "any")
_CLASSES = {"number": "int", "date": "date", "text": "str", "enum": "str"}


class _Numbers(dict[Any, Any]):
    def __missing__(self, text: str) -> Any:
        return exact(Fraction(text))


class _Days(dict[Any, Any]):
    def __missing__(self, ordinal: int) -> dt.date:
        day = self[ordinal] = dt.date.fromordinal(ordinal)
        return day


NUMBERS = _Numbers({None: None, ABSENT_MARK: ABSENT})
DAYS = _Days({None: None, ABSENT_MARK: ABSENT})


class Read(NamedTuple):
    """A fact a kernel reads: its place, -1 when it is lacking, in the lists counting on from the width of the layout.
    `under` names the derived facts it stands under, "" the rules themselves; a derived fact is derived anew when it came in
    one of `how`."""

    path: str
    place: int
    under: tuple[str, ...]
    how: tuple[int, ...] = ()


@dataclass(frozen=True)
class Kernel:
    """`run` takes the inputs of a layout, then the lists it `lists` (by their index in the layout), then the facts it is
    `lacking`. `reads` go from the rules down: what stands under a fact comes after it."""

    run: Run
    source: str
    lists: tuple[int, ...]
    lacking: tuple[str, ...]
    reads: tuple[Read, ...]
    plain: bool  # takes nothing but the inputs


class Mode(Enum):
    """Which rows a kernel is for."""

    FAST = 1  # nothing lost, all as old as it was: derived facts as recorded
    MEND = 2  # something is lost: derived facts as recorded where they are
    FULL = 3  # something is too old now, or no longer: everything derived anew


class _KernelWriter(_Writer):
    def __init__(self, layout: Layout, derived: Mapping[str, t.Node], mode: Mode, params: Mapping[str, str]) -> None:
        super().__init__()
        self.layout, self.derived, self.mode = layout, derived, mode
        self.params = dict(params)
        self.lines: list[str] = []
        self.lists: list[int] = []
        self.lacking: list[str] = []
        self.reads: dict[str, tuple[int, tuple[int, ...]]] = {}  # path -> place and how, in the order they are worked out
        self.under: dict[str, dict[str, None]] = {}
        self.used: set[int] = set()
        self.risky: set[int] = set()  # places that may hold nothing
        self._kinds = {s.path: s.kind for s in layout.slots}
        self._sure = {s.path for s in layout.slots if s.sure}
        self._derive = {s.path: s.derive for s in layout.slots}
        self._list_at = {s.path: n for n, s in enumerate(layout.lists)}
        self._above = [""]  # the derived facts we stand under

    def write(self, node: t.Node) -> str:
        if isinstance(node, t.Fact):
            return self._fact(node)
        return super().write(node)

    def boolean(self, node: t.Node) -> str:
        if isinstance(node, t.Fact) and node.type.kind == "boolean":
            return f"(False if {(x := self._fact(node))} is A else {x})"
        if isinstance(node, t.Call) and node.func in _TRUTHS:
            return self.write(node)
        return super().boolean(node)

    def _fact(self, node: t.Fact) -> str:
        path = node.path
        self.under.setdefault(path, {})[self._above[-1]] = None
        known = self.facts.get(path)
        if known is not None:
            return known
        kind, place = kind_of(node.type), self.layout.places.get(path)
        fits = self._kinds.get(path) == kind
        if path in self.derived:
            return self._derived(path, kind, place if fits and kind != "list" else None)
        if kind == "list" and fits:
            at = self._list_at[path]
            self.lists.append(at)
            return self._define(path, self.layout.width + at, f"l{at}")
        if place is None or not fits:
            self.lacking.append(path)
            return self._define(path, -1, _decoded(kind, f"x{len(self.lacking) - 1}"))
        self.used.add(place)
        if path not in self._sure:
            self.risky.add(place)
        return self._define(path, place, _decoded(kind, f"v{place}"))

    def _derived(self, path: str, kind: str, place: int | None) -> str:
        if place is None:
            self.lacking.append(path)
            slot = f"x{len(self.lacking) - 1}"
            return self._define(path, -1, f"{_decoded(kind, slot)} if {slot} is not None else {self._anew(path)}", (UNREAD,))
        self.used |= {place - 1, place}
        self.risky.add(place)
        recorded = self.mode is not Mode.FULL and self._derive[path] == derivation(path, self.derived) and not _reads_parameters(path, self.derived)
        if recorded and self.mode is Mode.FAST:
            return self._define(path, place, _decoded(kind, f"v{place}"), (LOST,))
        test, how = (f"v{place - 1}<{LOST}", (LOST, UNREAD)) if recorded else (f"v{place - 1}=={STATED}", (DERIVED, LOST, UNREAD))
        return self._define(path, place, f"{_decoded(kind, f'v{place}')} if {test} else {self._anew(path)}", how)

    def _anew(self, path: str) -> str:
        self._above.append(path)
        body = self.write(self.derived[path])
        self._above.pop()
        return body

    def _define(self, path: str, place: int, body: str, how: tuple[int, ...] = ()) -> str:
        name = self.facts[path] = f"f{len(self.facts)}"
        self.reads[path] = (place, how)
        self.lines.append(f"{name}={body}")
        return name

    def _call(self, func: str, args: tuple[t.Node, ...]) -> str:
        if func in ("present", "absent") and isinstance(args[0], t.Fact):
            x = self._fact(args[0])
            return f"(None if {x} is None else {x} is {'not ' if func == 'present' else ''}A)"
        return super()._call(func, args)

    def _compare(self, op: str, a: t.Node, b: t.Node) -> str:
        if isinstance(a, t.Literal) != isinstance(b, t.Literal) and isinstance(a if isinstance(b, t.Literal) else b, t.Fact):
            return self._against(op, a, b)
        kind = _CLASSES.get(a.type.kind) or _CLASSES.get(b.type.kind)
        if kind is None or not all(isinstance(n, t.Fact | t.Param | t.Today) for n in (a, b)):
            return super()._compare(op, a, b)
        x, y = self.write(a), self.write(b)
        like = f"{x}{_PY[op]}{y} if {x}.__class__ is {kind} and {y}.__class__ is {kind} else cmp({op!r},{x},{y})"
        return f"(False if {x} is A or {y} is A else None if {x} is None or {y} is None else {like})"

    def _against(self, op: str, a: t.Node, b: t.Node) -> str:
        """A fact and a literal, as the compiled reading writes it."""
        if isinstance(a, t.Literal):
            a, b, op = b, a, {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(op, op)
        assert isinstance(a, t.Fact) and isinstance(b, t.Literal)
        x = self._fact(a)
        if a.type.kind not in _INLINE or b.value is None or isinstance(b.value, bool):
            return f"cmp({op!r},{x},{self.literal(b.value)})"
        kind = {"number": "int", "date": "date"}.get(a.type.kind)
        guard = f" else cmp({op!r},{x},{self.literal(b.value)}) if {x}.__class__ is not {kind}" if kind else ""
        return f"(None if {x} is None else False if {x} is A{guard} else {x}{_PY[op]}{self.literal(b.value)})"


def _decoded(kind: str, slot: str) -> str:
    if kind == "number":
        return f"({slot} if {slot}.__class__ is int else N[{slot}])"
    if kind == "date":
        return f"D[{slot}]"
    return f"(A if {slot} == {ABSENT_MARK!r} else {slot})" if kind != "list" else slot


def _reads_parameters(path: str, derived: Mapping[str, t.Node]) -> bool:
    below = [path, *(p for p in facts_read([derived[path]], derived) if p in derived)]
    return any(isinstance(node, t.Param) for p in below for node in t.walk(derived[p]))


def kernel(
    nodes: Sequence[t.Node], derived: Mapping[str, t.Node], layout: Layout, params: Sequence[str], mode: Mode = Mode.FAST
) -> Kernel:
    """The function for one layout. It is given the parameters named, in order, and after them the limits of the layout's
    ages."""
    writer = _KernelWriter(layout, derived, mode, {name: f"p{n}" for n, name in enumerate(params)})
    body = [writer.boolean(n) for n in nodes]
    limits = range(len(layout.limits))
    names = [f"v{n}" if n in writer.used else "_" for n in range(layout.width)] + [f"{b}{n}" for n in limits for b in ("b", "c")]
    names += [f"l{n}" for n in writer.lists] + [f"x{n}" for n in range(len(writer.lacking))]
    given = [f"p{n}" for n in range(len(params))] + [f"q{n}" for n in limits]
    lines = [f"({','.join(group)},)={whole}" for group, whole in ((names, "V"), (given, "P")) if group]
    if mode is Mode.FAST:
        lines += [f"if b{n}>q{n} or c{n}<=q{n}: return None" for n in limits]
        lines += [f"if v{n}.__class__ is dict: return None" for n in sorted(writer.risky)]
    source = "\n".join(["def run(V,P,today):", *(f" {line}" for line in (*lines, *writer.lines)), f" return ({''.join(b + ',' for b in body)})"])
    namespace = {**_NAMESPACE, "N": NUMBERS, "D": DAYS}
    exec(compile(source, "<impact>", "exec"), namespace)
    run: Run = namespace["run"]
    reads = tuple(Read(path, place, tuple(writer.under[path]), how) for path, (place, how) in reversed(writer.reads.items()))
    plain = mode is Mode.FAST and not writer.lists and not writer.lacking
    return Kernel(run, source, tuple(writer.lists), tuple(writer.lacking), reads, plain)
