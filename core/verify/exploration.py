"""What an exploration of a process found: nodes, the moves between them, what bars a step, and the stories of it all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from siquan.core.engine.definition import Definition
from siquan.core.rules import tree as t
from siquan.core.rules.say import labels, show
from siquan.core.spec.model import TransitionSpec
from siquan.core.verify.abstract import MAYBE, NO, Abstract, Known
from siquan.core.verify.finding import Way, WayStep

_WORDS = {"PASS": "通过", "WARN": "有提示", "EVIDENCE": "待补证", "BLOCK": "不得进行", "REJECT": "不通过"}


@dataclass(frozen=True)
class Node:
    """A state with what is known there, in the order of `Exploration.tracked`."""

    state: str
    facts: tuple[Abstract, ...]


@dataclass(frozen=True)
class Move:
    """One step of a story. `clock`: a deadline fires it; `given`: the elementary values its form was given; `key`: the
    branch it takes."""

    step: TransitionSpec
    clock: bool = False
    given: tuple[tuple[str, Any], ...] = ()
    key: str = ""


@dataclass(frozen=True)
class Bar:
    """What keeps a step from being taken at a node. `kind`: rule (it holds), unknown (facts are missing), time, nobody,
    needs, way (no branch leads on)."""

    kind: str
    rule: str = ""
    facts: tuple[str, ...] = ()


@dataclass
class Exploration:
    definition: Definition
    tracked: tuple[str, ...] = ()
    before: dict[Node, tuple[Node, Move] | None] = field(default_factory=dict)
    arrows: dict[Node, list[tuple[Move, Node]]] = field(default_factory=dict)
    bars: dict[tuple[Node, str], list[Bar]] = field(default_factory=dict)  # node, step -> why not
    cut: bool = False
    #: facts that opening or an import may bring
    opening: frozenset[str] = frozenset()

    def nodes(self, state: str) -> list[Node]:
        return [n for n in self.before if n.state == state]

    def moves(self, node: Node) -> list[Move]:
        """The shortest way there."""
        out: list[Move] = []
        step = self.before[node]
        while step is not None:
            out.append(step[1])
            step = self.before[step[0]]
        return out[::-1]

    def story(self, node: Node, *last: str) -> tuple[str, ...]:
        """The shortest way in titles: what the clock did and what was filled in where it matters stand beside."""
        out: list[str] = []
        for move in self.moves(node):
            notes = [self._said(p, v) for p, v in move.given] + ([_WORDS.get(move.key, move.key)] if len(move.step.branches) > 1 else [])
            out.append(move.step.title + ("（到期自动）" if move.clock else "") + (f"（{'，'.join(notes)}）" if notes else ""))
        return (*_counted(out), *last)

    def _said(self, path: str, value: Any) -> str:
        schema = self.definition.schema
        return f"{schema.title(path)}＝{labels(schema)(t.Fact(path), value) or show(value)}"

    def known(self, node: Node, path: str) -> Abstract:
        return dict(zip(self.tracked, node.facts, strict=True)).get(path, MAYBE)

    def blank(self, node: Node) -> bool:
        """Whether the opening form was left empty where it counts: that is no fault of the process."""
        return any(v is NO for p, v in zip(self.tracked, node.facts, strict=True) if p in self.opening)

    def way(self, node: Node, step: str = "", bars: Iterable[Bar] = ()) -> Way:
        """The story as data, for a test case; `step` is the one that cannot be taken at its end."""
        steps = tuple(WayStep(m.step.name, m.clock, dict(m.given), m.key) for m in self.moves(node))
        first = next(iter(bars), None)
        root = node
        while (back := self.before[root]) is not None:
            root = back[0]
        opening = {p: v for p, v in zip(self.tracked, root.facts, strict=True) if not isinstance(v, Known)}
        return Way(self.definition.spec.id, steps, node.state, step, first.kind if first else "", first.rule if first else "", opening)


@dataclass(frozen=True)
class Explored:
    """One exploration of all facts together (`whole`), or one for each group of facts. Whatever is missing from any of
    the parts cannot be."""

    parts: list[Exploration]
    whole: bool

    @property
    def cut(self) -> bool:
        return any(p.cut for p in self.parts)

    @property
    def sound(self) -> list[Exploration]:
        """The parts that were walked to the end: only they prove that something cannot be."""
        return [p for p in self.parts if not p.cut]


def _counted(titles: list[str]) -> list[str]:
    """`补正 → 重交 → 补正 → 重交` is `（补正 → 重交）两次`; one title is simply counted."""
    out: list[str] = []
    n = 0
    while n < len(titles):
        done = False
        for size in (1, 2, 3):
            part, times = titles[n : n + size], 1
            while len(part) == size and titles[n + times * size : n + (times + 1) * size] == part:
                times += 1
            if times > 1:
                word = {2: "两", 3: "三", 4: "四", 5: "五"}.get(times, str(times))
                out.append((part[0] if size == 1 else f"（{' → '.join(part)}）") + f"{word}次")
                n += times * size
                done = True
                break
        if not done:
            out.append(titles[n])
            n += 1
    return out
