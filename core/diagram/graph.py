"""What a picture of a process is made of: states, ways between them, boxes round the states of a fragment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NodeKind = Literal["", "start", "end", "now", "done", "bad"]
EdgeKind = Literal["", "back", "hot", "done"]


@dataclass(frozen=True)
class Node:
    """A state. `sub` is the small second line; `main` puts it on the main line, in the order given; `note` is
    read out and shown on hover besides the titles; `mark` is a word on its edge."""

    id: str
    title: str
    sub: str = ""
    kind: NodeKind = ""
    group: str = ""
    href: str = ""
    main: bool = True
    note: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Edge:
    """A way from one state to another. `label` may be shortened when drawn, `title` (default: label)
    never."""

    source: str
    target: str
    label: str = ""
    kind: EdgeKind = ""
    title: str = ""


@dataclass(frozen=True)
class Group:
    """A fragment: the nodes that name its id as their `group` stand in a soft dashed box."""

    id: str
    title: str


@dataclass(frozen=True)
class Step:
    """A mark of the progress strip. `date` is the line under the title; `done` unset: done when before
    now."""

    id: str
    title: str
    date: str = ""
    done: bool | None = None
    href: str = ""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; x and y are its upper left corner."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h

    def grown(self, by: float) -> Box:
        return Box(self.x - by, self.y - by, self.w + 2 * by, self.h + 2 * by)

    def meets(self, other: Box) -> bool:
        return (
            self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom
        )

    def cut_by(self, a: tuple[float, float], b: tuple[float, float]) -> bool:
        """Does the level or upright stretch from a to b pass through?"""
        return (
            min(a[0], b[0]) < self.right
            and max(a[0], b[0]) > self.x
            and min(a[1], b[1]) < self.bottom
            and max(a[1], b[1]) > self.y
        )
