"""The papers of an owners' vote as rows: the roll of owners and the ballots that went out and came back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Literal

from siquan.core.errors import SiquanError
from siquan.core.rules.values import ABSENT

Choice = Literal["yes", "no", "abstain", "invalid"]

#: The words of the clerk's sheet (domain 1.10) and of the wire.
WORDS: dict[str, Choice] = {"yes": "yes", "no": "no", "abstain": "abstain", "invalid": "invalid"}
WORDS |= {"同意": "yes", "赞成": "yes", "反对": "no", "不同意": "no", "弃权": "abstain", "无效": "invalid"}

#: No unit has this many m²; more is a slip of the pen.
LARGEST = 10**9
ROLL: dict[str, Any] = {"sheet": "roll", "sheet_zh": "业主名册"}


class BadVote(SiquanError):
    """row {row} of the {sheet} cannot be used: {why}"""

    code = "SQ530"
    zh = "{sheet_zh}第 {row} 行不能用：{why_zh}"


@dataclass(frozen=True, slots=True)
class Unit:
    """A row of the roll. `area` in m²; None is unknown. Equal `owner_key`s merge into one person."""

    unit: str
    area: Decimal | Fraction | None
    owner_key: str = ""
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Ballot:
    """A row of the ballot sheet. No `choice`: nothing came back (or this matter was left blank)."""

    unit: str
    matter: str
    choice: Choice | None = None
    delivered: dt.date | None = None
    returned: dt.date | None = None


def read_roll(rows: Iterable[Mapping[str, Any]]) -> list[Unit]:
    """Rows {unit, area, owner_key, counts}; areas as Decimal, whole number, fraction or text, never float."""
    out = []
    for i, row in enumerate(rows, 1):
        unit = _text(row, "unit")
        if not unit:
            raise BadVote(**ROLL, row=i, why="it names no unit", why_zh="没有写专有部分编号")
        counts = row.get("counts")
        out.append(Unit(unit, _area(row.get("area"), i), _text(row, "owner_key"), counts is not False))
    return out


def _area(value: Any, row: int) -> Decimal | Fraction | None:
    if value is None or value is ABSENT or value == "":
        return None
    try:
        if isinstance(value, float | bool):  # a float has already lost the hundredths
            raise TypeError
        area: Decimal | Fraction = value if isinstance(value, Fraction) else Decimal(value)
        if isinstance(area, Decimal) and not area.is_finite() or not -LARGEST < area < LARGEST:
            raise ValueError
        return area
    except (InvalidOperation, TypeError, ValueError) as e:
        why, why_zh = f"the area `{value}` is no decimal number", f"面积 `{value}` 不是小数"
        raise BadVote(**ROLL, row=row, why=why, why_zh=why_zh) from e


def read_ballots(rows: Iterable[Mapping[str, Any]]) -> list[Ballot]:
    """Rows {unit, matter, choice, delivered, returned}; the choice in the words of `WORDS` or empty."""
    out = []
    for i, row in enumerate(rows, 1):
        word = _text(row, "choice")
        if word and word not in WORDS:
            raise BadVote(
                sheet="ballots",
                sheet_zh="表决票",
                row=i,
                why=f"the choice `{word}` is none of yes, no, abstain, invalid",
                why_zh=f"表决 `{word}` 不是 同意、反对、弃权、无效 之一",
            )
        out.append(
            Ballot(
                _text(row, "unit"),
                _text(row, "matter"),
                WORDS[word] if word else None,
                row.get("delivered") or None,
                row.get("returned") or None,
            )
        )
    return out


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None or value is ABSENT else str(value).strip()
