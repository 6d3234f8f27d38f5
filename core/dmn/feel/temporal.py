"""Dates, times and durations as FEEL has them: years far beyond four digits, offsets and named zones, nanoseconds.

Python's own types end at year 9999 and know no zone without a date. Calendar: proleptic Gregorian.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

YEARS = 999_999_999  # the farthest year, before and after
DAY = 86_400
SECOND = 1_000_000_000  # nanoseconds
_FAR_OFFSET = 18 * 3600


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01. Counts years from 1 March, so that a leap day is the last of its year."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def month_length(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


@dataclass(frozen=True, slots=True, order=True)
class Date:
    year: int
    month: int
    day: int

    @staticmethod
    def of(year: int, month: int, day: int) -> Date | None:
        """The date, or None when there is no such day."""
        fits = abs(year) <= YEARS and 1 <= month <= 12 and 1 <= day <= month_length(year, month)
        return Date(year, month, day) if fits else None

    @staticmethod
    def at(days: int) -> Date | None:
        """The date so many days after 1970-01-01."""
        era, rest = divmod(days + 719_468, 146_097)
        of_era = (rest - rest // 1460 + rest // 36_524 - rest // 146_096) // 365
        of_year = rest - (365 * of_era + of_era // 4 - of_era // 100)
        shifted = (5 * of_year + 2) // 153
        month = shifted + 3 if shifted < 10 else shifted - 9
        return Date.of(of_era + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1)

    @property
    def days(self) -> int:
        return _days(self.year, self.month, self.day)

    @property
    def weekday(self) -> int:
        """Monday is 1."""
        return (self.days + 3) % 7 + 1

    def plus_months(self, months: int) -> Date | None:
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Date.of(year, month + 1, min(self.day, month_length(year, month + 1)))

    def __str__(self) -> str:
        sign = "-" if self.year < 0 else ""
        return f"{sign}{abs(self.year):04d}-{self.month:02d}-{self.day:02d}"


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day; `offset` in seconds east of UTC, or `zone` by name, or neither (local time)."""

    hour: int
    minute: int
    second: int
    nanos: int = 0
    offset: int | None = None
    zone: str = ""

    @staticmethod
    def of(hour: int, minute: int, second: int, nanos: int = 0, offset: int | None = None) -> Time | None:
        fits = 0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 59
        return Time(hour, minute, second, nanos, offset) if fits and (offset is None or abs(offset) <= _FAR_OFFSET) else None

    @property
    def aware(self) -> bool:
        return self.offset is not None or bool(self.zone)

    @property
    def local(self) -> int:
        """Nanoseconds since midnight, whatever the zone."""
        return (self.hour * 3600 + self.minute * 60 + self.second) * SECOND + self.nanos

    def away(self, on: Date | None = None) -> int | None:
        """Seconds east of UTC, of a named zone on that day."""
        if not self.zone:
            return self.offset
        day = on or Date(2000, 1, 1)
        year = day.year if 1 < day.year < 9999 else 2000 + day.year % 400
        moment = dt.datetime(year, day.month, min(day.day, month_length(year, day.month)), self.hour, self.minute, self.second)
        found = moment.replace(tzinfo=ZoneInfo(self.zone)).utcoffset()
        return int(found.total_seconds()) if found is not None else None

    @property
    def utc(self) -> int:
        """Nanoseconds since midnight in UTC; of a local time as it stands."""
        return self.local - (self.away() or 0) * SECOND

    def moved(self, nanos: int) -> Time:
        seconds, rest = divmod((self.local + nanos) % (DAY * SECOND), SECOND)
        return replace(self, hour=seconds // 3600, minute=seconds // 60 % 60, second=seconds % 60, nanos=rest)

    def __str__(self) -> str:
        fraction = f".{self.nanos:09d}".rstrip("0") if self.nanos else ""
        tail = f"@{self.zone}" if self.zone else "" if self.offset is None else _offset_text(self.offset)
        return f"{self.hour:02d}:{self.minute:02d}:{self.second:02d}{fraction}{tail}"


def _offset_text(offset: int) -> str:
    if not offset:
        return "Z"
    minutes, seconds = divmod(abs(offset), 60)
    tail = f":{seconds:02d}" if seconds else ""
    return f"{'-' if offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}{tail}"


@dataclass(frozen=True, slots=True)
class DateTime:
    date: Date
    time: Time

    @property
    def aware(self) -> bool:
        return self.time.aware

    @property
    def instant(self) -> int:
        """Nanoseconds since 1970-01-01 in UTC; of a local date and time as if it were UTC."""
        return self.date.days * DAY * SECOND + self.time.local - (self.time.away(self.date) or 0) * SECOND

    def moved(self, nanos: int) -> DateTime | None:
        days, rest = divmod(self.date.days * DAY * SECOND + self.time.local + nanos, DAY * SECOND)
        day = Date.at(days)
        return DateTime(day, self.time.moved(rest - self.time.local)) if day else None

    def __str__(self) -> str:
        return f"{self.date}T{self.time}"


@dataclass(frozen=True, slots=True, order=True)
class YearMonths:
    """A years and months duration."""

    months: int

    def __str__(self) -> str:
        years, months = divmod(abs(self.months), 12)
        body = (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return f"{'-' if self.months < 0 else ''}P{body}"


@dataclass(frozen=True, slots=True, order=True)
class DayTimes:
    """A days and time duration, in nanoseconds."""

    nanos: int

    @property
    def parts(self) -> tuple[int, int, int, int, int]:
        """Days, hours, minutes, seconds and nanoseconds of the absolute length."""
        seconds, nanos = divmod(abs(self.nanos), SECOND)
        return seconds // DAY, seconds // 3600 % 24, seconds // 60 % 60, seconds % 60, nanos

    def __str__(self) -> str:
        days, hours, minutes, seconds, nanos = self.parts
        fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
        clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
        clock += f"{seconds}{fraction}S" if seconds or nanos else ""
        body = (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
        return f"{'-' if self.nanos < 0 else ''}P{body or 'T0S'}"


Duration = YearMonths | DayTimes
Temporal = Date | Time | DateTime | YearMonths | DayTimes

_DATE = r"(-?(?:\d{4}|[1-9]\d{4,8}))-(\d{2})-(\d{2})"
_TIME = r"(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:([Zz])|([+-])(\d{2}):(\d{2})(?::(\d{2}))?|@([A-Za-z][\w+\-/]*))?"
_PERIOD = re.compile(r"(-)?P(?:(\d{1,12})Y)?(?:(\d{1,12})M)?", re.ASCII)
_SPAN = re.compile(r"(-)?P(?:(\d{1,12})D)?(?:T(?:(\d{1,12})H)?(?:(\d{1,12})M)?(?:(\d{1,12})(?:\.(\d+))?S)?)?", re.ASCII)


def parse_date(text: str) -> Date | None:
    found = re.fullmatch(_DATE, text, re.ASCII)
    return Date.of(*(int(x) for x in found.groups())) if found else None


def known_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def parse_time(text: str) -> Time | None:
    found = re.fullmatch(_TIME, text, re.ASCII)
    if not found:
        return None
    hour, minute, second, fraction, utc, sign, east, past, more, zone = found.groups()
    nanos = int(f"{fraction or '0':0<9}"[:9])
    offset = 0 if utc or zone == "Z" else None
    if sign:
        if int(past) > 59 or int(more or 0) > 59:
            return None
        offset = (int(east) * 3600 + int(past) * 60 + int(more or 0)) * (-1 if sign == "-" else 1)
    time = Time.of(int(hour), int(minute), int(second), nanos, offset)
    if time is None or not zone or offset is not None:
        return time
    return replace(time, zone=zone) if known_zone(zone) else None


def parse_date_time(text: str) -> DateTime | None:
    """`2026-11-23T10:00:00`; a date alone is its midnight."""
    head, mark, tail = text.partition("T")
    date = parse_date(head)
    time = parse_time(tail) if mark else Time(0, 0, 0)
    return DateTime(date, time) if date and time else None


def parse_duration(text: str) -> Duration | None:
    if text.endswith(("P", "T")):
        return None
    found = _PERIOD.fullmatch(text)
    if found:
        months = int(found.group(2) or 0) * 12 + int(found.group(3) or 0)
        return YearMonths(-months if found.group(1) else months)
    found = _SPAN.fullmatch(text)
    if not found:
        return None
    days, hours, minutes, seconds = (int(x or 0) for x in found.groups()[1:5])
    total = (days * DAY + hours * 3600 + minutes * 60 + seconds) * SECOND + int(f"{found.group(6) or '0':0<9}"[:9])
    return DayTimes(-total if found.group(1) else total)


def parse_temporal(text: str) -> Temporal | None:
    """What `@"..."` stands for: the kind is read from the text."""
    if "P" in text[:2]:
        return parse_duration(text)
    return parse_time(text) if text[2:3] == ":" else parse_date_time(text) if "T" in text else parse_date(text)
