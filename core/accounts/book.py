"""What may happen to an account, and what it writes: every entry is lines that sum to zero between the account's two
sides (`free`, `held`) and named counter accounts (`issued`, `redeemed`, `expired`, `adjusted`).

An account is one of two things. Points: what comes in is a lot with its last day; what goes out uses up the lots, the
earliest last day first; the balance is never below zero. A score: every entry, good or bad, is a lot that stands by
itself until it lapses; the balance may go down to the floor.

What always holds: the lines of an entry sum to zero; balance = sum of lots; 0 <= held; balance - held >= floor.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from siquan.core.accounts.kinds import shown
from siquan.core.errors import Refused, SiquanError

Part = Literal["free", "held", "issued", "redeemed", "expired", "adjusted"]
OWN = ("free", "held")
COUNTERS = ("issued", "redeemed", "expired", "adjusted")
#: what an entry is; those that a counter-entry may take back
WHAT = ("start", "post", "hold", "capture", "release", "expire", "notice", "reverse")
REVERSIBLE = ("start", "post", "capture", "expire")


class TooLittle(Refused):
    """{account} of {owner} has {free} {unit} to spend, {wanted} {unit} are needed"""

    code = "SQ541"
    zh = "{owner}的{account}可用 {free}{unit}，需要 {wanted}{unit}"


class NotReversible(Refused):
    """this entry cannot be reversed: {why}"""

    code = "SQ542"
    zh = "这一笔不能冲正：{why_zh}"


class Unbalanced(SiquanError):
    """an entry of {sum} does not balance"""

    code = "SQ543"
    zh = "这一笔借贷不平，差 {sum}"
    http = 500


@dataclass(frozen=True, slots=True)
class Line:
    part: Part
    amount: int


@dataclass(frozen=True, slots=True)
class Lot:
    """What one entry brought and is still there: `left` of it. Negative in a score only. `seq` is the entry's number,
    `id` empty until it is stored."""

    id: str
    seq: int
    got: dt.date
    expires: dt.date | None
    left: int
    notice: dt.date | None = None

    @property
    def age(self) -> tuple[dt.date, dt.date, int, str]:
        return (self.expires or dt.date.max, self.got, self.seq, self.id)


@dataclass(frozen=True, slots=True)
class NewLot:
    amount: int
    expires: dt.date | None = None
    notice: dt.date | None = None
    #: the day it counts as got; None: the entry's own
    got: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """An entry about to be written. `moves` are (lot, delta); `new` are lots it brings."""

    what: str
    lines: tuple[Line, ...]
    moves: tuple[tuple[str, int], ...] = ()
    new: tuple[NewLot, ...] = ()

    @property
    def own(self) -> int:
        """By how much the balance changes."""
        return sum(x.amount for x in self.lines if x.part in OWN)

    @property
    def held(self) -> int:
        return sum(x.amount for x in self.lines if x.part == "held")


@dataclass(frozen=True)
class Sheet:
    """An account as it stands: pure values, `then(change)` gives the next."""

    floor: int = 0
    score: bool = False
    balance: int = 0
    held: int = 0
    lots: tuple[Lot, ...] = ()
    title: str = ""
    owner: str = ""
    unit: str = ""
    scale: int = 0

    @property
    def free(self) -> int:
        """What may still be spent or held."""
        return self.balance - self.held - self.floor

    def then(self, change: Change, seq: int, day: dt.date, ids: Sequence[str]) -> Sheet:
        """The account after an entry; `ids` are those of its new lots. Raises Unbalanced for what must never be."""
        by = dict(change.moves)
        lots = [replace(x, left=x.left + by.get(x.id, 0)) for x in self.lots]
        lots += [Lot(id, seq, n.got or day, n.expires, n.amount, n.notice) for id, n in zip(ids, change.new, strict=True)]
        out = replace(self, balance=self.balance + change.own, held=self.held + change.held, lots=tuple(x for x in lots if x.left))
        wrong = sum(x.amount for x in change.lines) or out.balance - sum(x.left for x in out.lots) or min(out.held, 0) or min(out.free, 0)
        if wrong:
            raise Unbalanced(sum=wrong)
        return out

    # what may be done

    def _needs(self, n: int) -> None:
        if self.free < n:
            raise TooLittle(
                account=self.title, owner=self.owner, unit=self.unit, free=shown(max(self.free, 0), self.scale), wanted=shown(n, self.scale)
            )

    def post(self, n: int, counter: Part, expires: dt.date | None = None, notice: dt.date | None = None, what: str = "post") -> Change:
        """Brings `n` in, or takes -n away. Raises TooLittle."""
        lines = (Line("free", n), Line(counter, -n))
        if n >= 0 or self.score:
            self._needs(-n)
            return Change(what, lines, new=(NewLot(n, expires, notice),))
        self._needs(-n)
        return Change(what, lines, self._use(-n))

    def _use(self, n: int, first: str = "") -> tuple[tuple[str, int], ...]:
        """Lots that give `n`, the earliest last day first; `first` goes before all."""
        moves = []
        for lot in sorted(self.lots, key=lambda x: (x.id != first, x.age)):
            part = min(lot.left, n)
            if part > 0:
                moves.append((lot.id, -part))
                n -= part
        if n:
            raise Unbalanced(sum=n)
        return tuple(moves)

    def hold(self, n: int) -> Change:
        """Sets `n` aside: still owned, no longer to be spent. Raises TooLittle."""
        self._needs(n)
        return Change("hold", (Line("free", -n), Line("held", n)))

    def release(self, n: int) -> Change:
        return Change("release", (Line("held", -n), Line("free", n)))

    def capture(self, n: int, used: int | None = None) -> Change:
        """Uses up what was held, or the part of it that was used; the rest is free again."""
        used = n if used is None else min(used, n)
        lines = [Line("held", -n), Line("redeemed", used), *([Line("free", n - used)] if n > used else [])]
        if self.score:
            return Change("capture", tuple(lines), new=(NewLot(-used),) if used else ())
        return Change("capture", tuple(lines), self._use(used))

    def due(self, today: dt.date) -> list[Lot]:
        """Lots whose last day is over: what gives back first, then the oldest."""
        return sorted((x for x in self.lots if x.expires is not None and x.expires < today), key=lambda x: (x.left > 0, x.age))

    def expire(self, lot: Lot) -> Change | None:
        """A lot lapses; what is held of it stays until it is released. None when nothing can lapse now."""
        n = min(lot.left, self.free) if lot.left > 0 else lot.left
        return Change("expire", (Line("free", -n), Line("expired", n)), ((lot.id, -n),)) if n else None

    def reverse(self, past: Past, day: dt.date, grace: dt.date | None = None) -> Change:
        """The counter-entry of an entry. What was brought is taken, its own lot first; what was taken comes back with the
        days it had, and no fewer than until `grace`. Raises NotReversible."""
        if past.what == "reverse":
            raise NotReversible(why="it is a counter-entry itself", why_zh="它本身就是冲正")
        if past.what not in REVERSIBLE:
            raise NotReversible(why="it moves no balance", why_zh="它不改变余额")
        if past.reversed:
            raise NotReversible(why="it was reversed before", why_zh="已经冲正过")
        n, counter = past.own, past.counter
        lines = (Line("free", -n), Line(counter, n))
        own = next((x for x in self.lots if x.seq == past.seq), None)
        if self.score and past.what != "expire":
            if own is None or own.left != n:
                raise NotReversible(why="it has lapsed", why_zh="它已到期失效，不再计入")
            if n > 0 and self.free < n:
                raise NotReversible(why=f"{n - self.free} short", why_zh=self._short(n))
            return Change("reverse", lines, ((own.id, -n),))
        if n > 0:
            if self.free < n:
                raise NotReversible(why="what it brought has been spent or is held", why_zh=self._short(n))
            if self.score:
                return Change("reverse", lines, new=(NewLot(-n),))
            return Change("reverse", lines, self._use(n, own.id if own else ""))
        back = [NewLot(amount, _later(expires, grace), None, got) for amount, expires, got in past.took]
        return Change("reverse", lines, new=tuple(back) or (NewLot(-n),))

    def _short(self, n: int) -> str:
        return f"可用只有 {shown(max(self.free, 0), self.scale)}{self.unit}，要冲回 {shown(n, self.scale)}{self.unit}，会成负数"


@dataclass(frozen=True)
class Past:
    """An entry on record, as a reversal needs it: `took` are (amount, last day, day got) of the lots it used up."""

    seq: int
    what: str
    lines: tuple[Line, ...]
    reversed: bool = False
    took: tuple[tuple[int, dt.date | None, dt.date], ...] = field(default=())

    @property
    def own(self) -> int:
        return sum(x.amount for x in self.lines if x.part in OWN)

    @property
    def counter(self) -> Part:
        return next((x.part for x in self.lines if x.part not in OWN), "adjusted")


def _later(expires: dt.date | None, grace: dt.date | None) -> dt.date | None:
    return max(expires, grace) if expires is not None and grace is not None else expires
