"""Dates as an office writes them: always a weekday, the year only when it is another one."""

from __future__ import annotations

import datetime as dt

from flask_babel import format_date

from siquan.web.catalogue import current, gettext

#: The whole system speaks China Standard Time, which has no summer time.
CST = dt.timezone(dt.timedelta(hours=8))


def now() -> dt.datetime:
    return dt.datetime.now(CST)


def local(at: dt.datetime) -> dt.datetime:
    """A stored time without a zone is UTC."""
    return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).astimezone(CST)


def weekday(day: dt.date) -> str:
    return str(format_date(day, "EEE"))


def day(value: dt.date | None, today: dt.date | None = None) -> str:
    """`11-24 周二` inside the year, `2027-02-11 周四` across years."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        value = local(value).date()
    same = value.year == (today or now().date()).year
    return f"{value:%m-%d}" * same + f"{value:%Y-%m-%d}" * (not same) + f" {weekday(value)}"


def moment(value: dt.datetime | None) -> str:
    """`今天 09:20`, else the day and the time."""
    if value is None:
        return ""
    at = local(value)
    today = now().date()
    if at.date() == today:
        return f"{gettext('今天')} {at:%H:%M}"
    if at.date() == today - dt.timedelta(days=1):
        return f"{gettext('昨天')} {at:%H:%M}"
    return f"{day(at.date(), today)} {at:%H:%M}"


def long_day(value: dt.date) -> str:
    """`11月23日 周一`, for the head of a page."""
    if current() == "zh":
        return f"{value.month}月{value.day}日 {weekday(value)}"
    return str(format_date(value, "EEE d MMM"))
