"""The working-day calendar of China: which day is worked, which is a rest day, which a holiday.

Pure: the years are handed in. A year counts as published only when its `Year` was handed in; any other year
falls back to Monday to Friday without holidays, and whatever is computed through it is provisional.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from siquan.core.errors import SiquanError, Where

DayKind = Literal["workday", "weekend", "holiday", "makeup"]
DAY = dt.timedelta(days=1)


class BadCalendar(SiquanError):
    """the holiday schedule of {year} cannot be used: {why}"""

    code = "SQ510"
    zh = "{year} 年放假安排不能用：{why_zh}"
    help_en = "compare it line by line with the notice of the State Council's General Office"
    help_zh = "请与国务院办公厅的放假通知逐行核对"


@dataclass(frozen=True)
class Year:
    """One published year. `holidays` names every day off of the notice, weekends inside a stretch included;
    `workdays` are the make-up working days, always a Saturday or Sunday. A notice may also settle the last
    days of December before it (2018-12-31 was set by the notice for 2019). `partial`: a proposal without
    make-up days."""

    year: int
    holidays: Mapping[dt.date, str]
    workdays: frozenset[dt.date]
    source: str
    partial: bool = False

    def __post_init__(self) -> None:
        for day in (*self.holidays, *self.workdays):
            if day.year != self.year and (day.year, day.month) != (self.year - 1, 12):
                raise BadCalendar(
                    year=self.year, why=f"`{day}` lies in another year", why_zh=f"`{day}` 不在这一年"
                )
        for day in self.workdays:
            if day.weekday() < 5:
                raise BadCalendar(
                    year=self.year,
                    why=f"the make-up working day `{day}` is no Saturday or Sunday",
                    why_zh=f"补班日 `{day}` 不是周六、周日",
                )
            if day in self.holidays:
                raise BadCalendar(
                    year=self.year, why=f"`{day}` is both off and worked", why_zh=f"`{day}` 既放假又补班"
                )

    @classmethod
    def read(cls, data: Any, where: Where | None = None) -> Year:
        """From `{year, source, holidays: [{name, from, to}], workdays: [date]}`; dates may be ISO text."""
        label = data.get("year", "?") if isinstance(data, Mapping) else "?"
        try:
            year = int(data["year"])
            holidays: dict[dt.date, str] = {}
            for line in data.get("holidays") or ():
                first = _date(line["from"])
                last = _date(line.get("to") or first)
                if not dt.timedelta() <= last - first <= dt.timedelta(days=31):
                    raise BadCalendar(
                        where,
                        year=year,
                        why=f"`{first}` to `{last}` is no stretch of days",
                        why_zh=f"`{first}` 至 `{last}` 不成一段",
                    )
                twice = next((day for day in days(first, last) if day in holidays), None)
                if twice is not None:
                    raise BadCalendar(where, year=year, why=f"`{twice}` stands in it twice", why_zh=f"`{twice}` 写了两次")
                holidays.update((day, str(line["name"])) for day in days(first, last))
            worked = [_date(day) for day in data.get("workdays") or ()]
            again = next((day for n, day in enumerate(worked) if day in worked[:n]), None)
            if again is not None:
                raise BadCalendar(where, year=year, why=f"`{again}` stands in it twice", why_zh=f"补班日 `{again}` 写了两次")
            workdays = frozenset(worked)
            return cls(year, holidays, workdays, str(data.get("source", "")), data.get("partial") is True)
        except BadCalendar as e:
            e.where = e.where or where
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as e:
            raise BadCalendar(
                where,
                year=label,
                why="it needs `year`, `holidays` (each with name, from, to) and `workdays`",
                why_zh="须有 `year`、`holidays`（各有 name、from、to）和 `workdays`",
            ) from e

    def to_json(self) -> dict[str, Any]:
        """What `read` reads back; stretches of one name are joined."""
        lines: list[dict[str, str]] = []
        last: dt.date | None = None
        for day in sorted(self.holidays):
            name = self.holidays[day]
            if last is not None and day - last == DAY and lines[-1]["name"] == name:
                lines[-1]["to"] = day.isoformat()
            else:
                lines.append({"name": name, "from": day.isoformat(), "to": day.isoformat()})
            last = day
        data: dict[str, Any] = {
            "year": self.year,
            "source": self.source,
            "holidays": lines,
            "workdays": [day.isoformat() for day in sorted(self.workdays)],
        }
        return {**data, "partial": True} if self.partial else data


@dataclass(frozen=True)
class Calendar:
    """The published years, joined. `version` names this state of knowledge; every deadline records it."""

    years: Mapping[int, Year]
    version: str
    _off: dict[dt.date, str] = field(init=False, repr=False, compare=False)
    _worked: set[dt.date] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        off: dict[dt.date, str] = {}
        worked: set[dt.date] = set()
        for number in sorted(self.years):  # a later notice has the last word on a December day
            year = self.years[number]
            for day in year.workdays:
                off.pop(day, None)
            worked -= year.holidays.keys()
            off.update(year.holidays)
            worked |= year.workdays
        object.__setattr__(self, "_off", off)
        object.__setattr__(self, "_worked", worked)

    @classmethod
    def of(cls, years: Mapping[int, Year] | Iterable[Year]) -> Calendar:
        """A calendar whose version is the hash of its content (the source's wording aside)."""
        known = dict(years) if isinstance(years, Mapping) else {year.year: year for year in years}
        content = [{k: v for k, v in known[n].to_json().items() if k != "source"} for n in sorted(known)]
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return cls(known, "cn-" + hashlib.sha256(text.encode()).hexdigest()[:12])

    def is_published(self, year: int) -> bool:
        return year in self.years

    def day_kind(self, day: dt.date) -> DayKind:
        """`holiday` is any day off of a notice, `weekend` a Saturday or Sunday no notice mentions."""
        if day in self._worked:
            return "makeup"
        if day in self._off:
            return "holiday"
        return "weekend" if day.weekday() >= 5 else "workday"

    def is_workday(self, day: dt.date) -> bool:
        return self.day_kind(day) in ("workday", "makeup")

    def name(self, day: dt.date) -> str:
        """The holiday's name, else empty."""
        return self._off.get(day, "")

    def next_workday_on_or_after(self, day: dt.date) -> dt.date:
        while not self.is_workday(day):
            day += DAY
        return day

    def workdays_after(self, start: dt.date, end: dt.date) -> int:
        """How many working days lie after `start`, up to and with `end`; 0 when `end` is not later."""
        return sum(self.is_workday(day) for day in days(start + DAY, end)) if end > start else 0


def days(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    """Every day from `first` to `last`, both included."""
    for n in range((last - first).days + 1):
        yield first + n * DAY


def _date(value: Any) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))


@cache
def _shipped() -> tuple[Year, ...]:
    from ruamel.yaml import YAML

    years = []
    for path in sorted(Path(__file__).with_name("calendars").glob("*.yaml")):
        years.append(Year.read(YAML(typ="safe", pure=True).load(path.read_text("utf-8")), Where(path.name)))
    return tuple(years)


def shipped() -> dict[int, Year]:
    """The years that come with the product: the State Council's notices as they were printed."""
    return {year.year: year for year in _shipped()}


def propose(year: int) -> Year:
    """What the package `holidays` knows of a year, to be compared with the notice before it is published.

    The package names statutory days, days off taken in exchange, and make-up working days of noticed years.
    Weekends inside a stretch it leaves out (they are rest days anyway). For a year it has no notice of, it
    guesses where a festival on a weekend is made up: such guesses are dropped and the proposal is `partial`.
    """
    import holidays  # the package is large and only an administrator's page needs it

    def ask(observed: bool) -> Any:
        return holidays.country_holidays("CN", years=year, language="zh_CN", observed=observed)

    book = ask(observed=True)
    workdays = frozenset(day for day in book.weekend_workdays if day.year == year)
    partial = not any(_exchanged(book.get(day, "")) for day in book)
    known = ask(observed=False) if partial else book
    names = {day: _plain(known.get(day, "")) for day in known if day.year == year}
    if not names:
        raise BadCalendar(
            year=year,
            why="the package `holidays` knows nothing of this year",
            why_zh="软件包 holidays 没有这一年的资料",
        )
    found = {day: name or _festival(names, day, workdays) for day, name in names.items()}
    source = f"软件包 holidays {metadata.version('holidays')} 提议，须与国务院办公厅通知逐日核对"
    if partial:
        source += f"；它没有 {year} 年的调休与补班安排，只列法定节日当天"
    return Year(year, dict(sorted(found.items())), frozenset() if partial else workdays, source, partial)


def _exchanged(name: str) -> bool:
    return name.startswith("休息日")


def _plain(name: str) -> str:
    """`春节（补假）` -> `春节`; 农历除夕 belongs to 春节; a day taken in exchange has no name of its own."""
    if _exchanged(name):
        return ""
    return "、".join(part.partition("（")[0] for part in name.split("; ")).replace("农历除夕", "春节")


def _festival(names: Mapping[dt.date, str], day: dt.date, worked: frozenset[dt.date]) -> str:
    """The festival whose stretch a day taken in exchange belongs to: over rest days back, else forward."""
    for step in (-DAY, DAY):
        at = day + step
        while at not in worked and (at in names or at.weekday() >= 5):
            if names.get(at):
                return names[at]
            at += step
    return "调休"
