"""How the ways run: level and upright stretches through the gaps between states, found by A* over a grid.

No way runs through a state; two ways share a stretch only when they end in the same state in the same
style, and then they run together on purpose, as a bus line does. Crossings and corners cost, so they are few.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from siquan.core.diagram.graph import Box
from siquan.core.diagram.place import Placement

Point = tuple[float, float]
Path = tuple[Point, ...]

FIRST, TRACK = 13.0, 11.5  # distance of the first track from a state, and between tracks
CORNER, CROSSING, TOUCH, OVER, LETTER, CROWD = 40.0, 34.0, 70.0, 420.0, 45.0, 14.0  # in pixels of detour
SHARED = 0.45  # a stretch run together costs less than half
RIGHT, DOWN, LEFT, UP = range(4)
STEP = ((1, 0), (0, 1), (-1, 0), (0, -1))


@dataclass(frozen=True)
class _Port:
    """Where a way may leave or enter a state: on its border, and the first grid point outside."""

    at: Point
    i: int
    j: int
    way: int  # direction when leaving
    cost: float


@dataclass(frozen=True)
class Track:
    """A found way on the grid."""

    points: tuple[tuple[int, int], ...]
    first: _Port
    last: _Port
    bundle: str
    source: str
    target: str
    cost: float


def _tracks(start: float, end: float) -> list[float]:
    """Evenly spaced coordinates in the gap from start to end."""
    room = end - start - 2 * FIRST
    count = max(1, int(room // TRACK) + 1)
    if count == 1:
        return [(start + end) / 2]
    return [start + FIRST + room * k / (count - 1) for k in range(count)]


class Router:
    """Finds ways one after the other; each way found makes the next ones keep clear of it."""

    def __init__(self, placement: Placement) -> None:
        p = placement
        self.boxes = p.boxes
        w, h = p.node
        xs = {p.columns[0] - FIRST - TRACK * k for k in range(2)}
        xs |= {p.columns[-1] + w + FIRST + TRACK * k for k in range(2)}
        for c, x in enumerate(p.columns):
            xs |= {x + w * k / 6 for k in range(1, 6)}
            if c:
                xs.update(_tracks(p.columns[c - 1] + w, x))
        ys: set[float] = set(_tracks(p.rows[0] - p.between, p.rows[0]))
        for y in p.rows:
            ys |= {y + h * k / 4 for k in range(1, 4)}
            ys.update(_tracks(y + h, y + h + p.between))
        self.xs, self.ys = sorted(xs), sorted(ys)
        self.nx, self.ny = len(self.xs), len(self.ys)
        self.shut = [False] * (self.nx * self.ny)
        for box in self.boxes.values():
            for i in range(bisect_left(self.xs, box.x), bisect_right(self.xs, box.right)):
                for j in range(bisect_left(self.ys, box.y), bisect_right(self.ys, box.bottom)):
                    self.shut[i * self.ny + j] = True
        self.level: dict[int, Counter[str]] = {}  # use of the stretch from a point to the right
        self.upright: dict[int, Counter[str]] = {}  # ... and downwards
        self.through: dict[int, Counter[str]] = {}  # ways straight over a point: "-name" level, "|name" up
        self.corners: dict[int, Counter[str]] = {}
        self.doors: dict[Point, Counter[str]] = {}
        self.sides: dict[tuple[str, int], Counter[str]] = {}
        self.letters = [0.0] * (self.nx * self.ny)

    def ports(self, name: str, sides: Iterable[int]) -> list[_Port]:
        box = self.boxes[name]
        out = []
        for side in sides:
            if side in (UP, DOWN):
                for k in range(1, 6):
                    x = box.x + box.w * k / 6
                    y = box.y if side == UP else box.bottom
                    i = bisect_left(self.xs, x - 0.01)
                    j = bisect_left(self.ys, y) - 1 if side == UP else bisect_right(self.ys, y)
                    out.append(_Port((x, y), i, j, side, (0, 6, 15)[abs(k - 3)]))
            else:
                for k in range(1, 4):
                    x = box.x if side == LEFT else box.right
                    y = box.y + box.h * k / 4
                    j = bisect_left(self.ys, y - 0.01)
                    i = bisect_left(self.xs, x) - 1 if side == LEFT else bisect_right(self.xs, x)
                    out.append(_Port((x, y), i, j, side, (0, 9)[abs(k - 2)]))
        return [p for p in out if 0 <= p.i < self.nx and 0 <= p.j < self.ny]

    def avoid(self, boxes: Sequence[Box]) -> None:
        """Make later ways keep clear of these labels."""
        self.letters = [0.0] * (self.nx * self.ny)
        for box in boxes:
            for i in range(bisect_left(self.xs, box.x), bisect_right(self.xs, box.right)):
                for j in range(bisect_left(self.ys, box.y), bisect_right(self.ys, box.bottom)):
                    self.letters[i * self.ny + j] = LETTER

    def find(self, source: str, target: str, bundle: str, out: Iterable[int], into: Iterable[int]) -> Track:
        """The cheapest way from one state to another; `out` and `into` are the sides it may use."""
        xs, ys, nx, ny = self.xs, self.ys, self.nx, self.ny
        starts, ends = self.ports(source, out), self.ports(target, into)
        goal: dict[int, list[tuple[float, _Port]]] = {}
        for port in ends:
            arriving = (port.way + 2) % 4
            goal.setdefault((port.i * ny + port.j) * 4 + arriving, []).append(
                (port.cost + self._door(port, bundle) + self._crowd(target, port, bundle), port)
            )
        box = self.boxes[target]
        heap: list[tuple[float, float, int]] = []
        best: dict[int, float] = {}
        came: dict[int, int] = {}
        opened: dict[int, _Port] = {}
        for port in starts:
            state = (port.i * ny + port.j) * 4 + port.way
            if self.shut[state >> 2]:
                continue
            cost = port.cost + self._door(port, "\0" + source) + self._crowd(source, port, "\0out")
            if cost < best.get(state, 1e12):
                best[state], opened[state] = cost, port
                heapq.heappush(heap, (cost, cost, state))
        done = -1
        last: _Port | None = None
        final = 1e12
        while heap:
            guess, cost, state = heapq.heappop(heap)
            if guess >= final:
                break
            if cost > best[state]:
                continue
            for extra, port in goal.get(state, ()):
                if cost + extra < final:
                    final, done, last = cost + extra, state, port
            point, way = state >> 2, state & 3
            i, j = divmod(point, ny)
            for turn in (way, (way + 1) % 4, (way + 3) % 4):
                di, dj = STEP[turn]
                a, b = i + di, j + dj
                if not (0 <= a < nx and 0 <= b < ny):
                    continue
                other = a * ny + b
                if self.shut[other]:
                    continue
                if turn == RIGHT or turn == LEFT:
                    used = self.level.get(point if turn == RIGHT else other)
                    step = abs(xs[a] - xs[i])
                else:
                    used = self.upright.get(point if turn == DOWN else other)
                    step = abs(ys[b] - ys[j])
                if used:
                    step = step * SHARED if set(used) == {bundle} else step + OVER
                step += self.letters[other]
                if turn != way:
                    step += CORNER + self._touch(point, bundle, None)
                else:
                    step += self._touch(point, bundle, turn)
                new, key = cost + step, other * 4 + turn
                if new < best.get(key, 1e12):
                    best[key], came[key] = new, state
                    dx = max(box.x - xs[a], 0, xs[a] - box.right)
                    dy = max(box.y - ys[b], 0, ys[b] - box.bottom)
                    heapq.heappush(heap, (new + (dx + dy) * 0.7, new, key))
        assert last is not None, "the grid round the states is connected"
        points = []
        state = done
        while True:
            points.append(divmod(state >> 2, ny))
            if state in opened and state not in came:
                break
            state = came[state]
        points.reverse()
        return Track(tuple(points), opened[state], last, bundle, source, target, final)

    def _door(self, port: _Port, bundle: str) -> float:
        """What it costs to use this port: nothing when it is free, or ends a way we may run along with."""
        used = self.doors.get(port.at)
        return 0.0 if not used or set(used) == {bundle} else OVER

    def _crowd(self, name: str, port: _Port, bundle: str) -> float:
        """A little for every other way on the same side of the state."""
        used = self.sides.get((name, port.way))
        return CROWD * sum(1 for other in used if other != bundle or bundle == "\0out") if used else 0.0

    def _touch(self, point: int, bundle: str, straight: int | None) -> float:
        """What it costs to go over a point where other ways are."""
        cost = 0.0
        bent = self.corners.get(point)
        if bent and set(bent) != {bundle}:
            cost += TOUCH
        over = self.through.get(point)
        if over:
            across = "|" if straight in (RIGHT, LEFT) else "-"
            for name in over:
                if name[1:] != bundle:
                    cost += CROSSING if straight is not None and name[0] == across else TOUCH
        return cost

    def lay(self, track: Track, by: int = 1) -> None:
        """Record a way (by=1) or take it up again (by=-1)."""
        points, name = track.points, track.bundle
        self._count(self.doors, track.first.at, "\0out", by)
        self._count(self.doors, track.last.at, name, by)
        self._count(self.sides, (track.source, track.first.way), "\0out", by)
        self._count(self.sides, (track.target, track.last.way), name, by)
        ways = [track.first.way]
        for (i, j), (a, b) in zip(points, points[1:], strict=False):
            low = min(i, a) * self.ny + min(j, b)
            self._count(self.level if j == b else self.upright, low, name, by)
            ways.append((RIGHT if a > i else LEFT) if j == b else (DOWN if b > j else UP))
        ways.append((track.last.way + 2) % 4)
        for (i, j), before, after in zip(points, ways, ways[1:], strict=False):
            point = i * self.ny + j
            if before == after:
                self._count(self.through, point, ("-" if before in (RIGHT, LEFT) else "|") + name, by)
            else:
                self._count(self.corners, point, name, by)

    @staticmethod
    def _count(where: dict[Any, Counter[str]], key: Any, name: str, by: int) -> None:
        counter = where.setdefault(key, Counter())
        counter[name] += by
        if counter[name] <= 0:
            del counter[name]
        if not counter:
            del where[key]

    def path(self, track: Track) -> Path:
        """From border to border, corners only."""
        points = [track.first.at, *((self.xs[i], self.ys[j]) for i, j in track.points), track.last.at]
        out = [points[0]]
        for before, here, after in zip(points, points[1:], points[2:], strict=False):
            if not (before[0] == here[0] == after[0] or before[1] == here[1] == after[1]):
                out.append(here)
        return (*out, points[-1])
