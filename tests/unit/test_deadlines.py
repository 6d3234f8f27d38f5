"""Deadline arithmetic: 民法典 200-204, make-up days, pauses, provisional years, the words of a chip."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siquan.core.calendar import Calendar, days, shipped
from siquan.core.engine.deadlines import (
    BadDeadline,
    Due,
    Pause,
    Unit,
    again,
    compute,
    earliest_end,
    notice_ok,
    remaining,
)
from siquan.core.rules.values import Duration, shift

D = dt.date
DAY = dt.timedelta(days=1)
CN = Calendar.of(shipped())
TODAY = D(2026, 11, 23)

dates = st.dates(D(2024, 1, 1), D(2027, 3, 1))
units = st.sampled_from(["day", "workday", "month"])


def pause_of(pair: tuple[dt.date, int]) -> Pause:
    return pair[0], pair[0] + pair[1] * DAY


pauses = st.lists(st.tuples(dates, st.integers(0, 20)).map(pause_of), max_size=3)


def counted(day: dt.date, unit: str, stops: list[Pause]) -> bool:
    if any(a <= day < b for a, b in stops if b):
        return False
    return unit != "workday" or CN.is_workday(day)


# ---- real examples


def test_statement_period_of_the_mockup() -> None:
    due = compute(D(2026, 11, 19), 3, "workday", CN, name="statement", title="陈述与补充材料")
    assert due.end == D(2026, 11, 24) and not due.provisional and due.rolled_from is None
    assert due.lines[0] == "3 个工作日：11-19 当日不计，周末不计，到 11-24 24:00"
    assert [(m.date.day, m.kind, m.label) for m in due.days] == [
        (19, "start", "起，不计"),
        (20, "n", "第 1 日"),
        (21, "off", "休"),
        (22, "off", "休"),
        (23, "n", "第 2 日"),
        (24, "end", "届满"),
    ]
    assert remaining(due, TODAY, CN).zh == "明天 11-24 周二"
    assert due.law == "民法典 201 条"


def test_makeup_saturday_counts_and_the_golden_week_does_not() -> None:
    due = compute(D(2026, 9, 28), 5, "workday", CN)
    assert due.end == D(2026, 10, 10)  # a worked Saturday
    assert due.lines[0] == "5 个工作日：09-28 当日不计，国庆节放假不计，补班日 10-10 计入，到 10-10 24:00"


def test_worked_sunday_before_the_holiday() -> None:
    due = compute(D(2026, 9, 18), 1, "workday", CN)
    assert due.end == D(2026, 9, 20)
    assert compute(D(2026, 2, 13), 2, "workday", CN).end == D(2026, 2, 24)


def test_last_day_in_the_golden_week_moves() -> None:
    due = compute(D(2026, 9, 4), 30, "day", CN)
    assert (due.rolled_from, due.end) == (D(2026, 10, 4), D(2026, 10, 8))
    assert "第 30 日 10-04 是国庆节放假，顺延" in due.lines[0] and due.law == "民法典 201、203 条"
    assert compute(D(2026, 9, 4), 30, "day", CN, roll=False).end == D(2026, 10, 4)


def test_last_day_on_a_worked_saturday_stays() -> None:
    assert compute(D(2026, 10, 3), 7, "day", CN).end == D(2026, 10, 10)


def test_weekends_roll_only_by_parameter() -> None:
    assert compute(D(2026, 11, 14), 7, "day", CN).end == D(2026, 11, 23)
    assert compute(D(2026, 11, 14), 7, "day", CN, rest_days_roll=False).end == D(2026, 11, 21)
    assert compute(D(2026, 9, 27), 4, "day", CN, rest_days_roll=False).end == D(2026, 10, 8)


def test_provisional_filing_date_of_the_mockup() -> None:
    due = compute(D(2027, 1, 12), 30, "day", CN)
    assert due.end == D(2027, 2, 11) and due.provisional
    assert "2027 年放假安排尚未公布" in due.lines[0]
    assert remaining(due, TODAY, CN) == (
        "prov",
        80,
        "暂定 2027-02-11 周四",
        "provisionally Thu 2027-02-11",
    )


def test_meeting_notice_of_the_mockup() -> None:
    due = compute(D(2026, 12, 26), 15, "day", CN, "before")
    assert due.end == D(2026, 12, 11) and not due.provisional
    assert "12-26 减 15 日为 12-11" in due.lines[0]
    assert remaining(due, TODAY, CN).zh == "最迟 12-11 周五"
    assert notice_ok(D(2026, 12, 26), D(2026, 12, 11), 15)
    assert not notice_ok(D(2026, 12, 26), D(2026, 12, 12), 15)


def test_before_never_rolls_and_ignores_pauses() -> None:
    due = compute(D(2026, 10, 8), 5, "day", CN, "before", pauses=[(D(2026, 10, 4), D(2026, 10, 6))])
    assert due.end == D(2026, 10, 3)
    assert compute(D(2026, 10, 10), 3, "workday", CN, "before").end == D(2026, 9, 30)


@pytest.mark.parametrize(
    ("start", "n", "end"),
    [
        (D(2026, 8, 31), 1, D(2026, 9, 30)),
        (D(2024, 1, 31), 1, D(2024, 2, 29)),
        (D(2025, 12, 31), 2, D(2026, 2, 28)),  # no 30 February, and 28 February 2026 is worked
        (D(2026, 3, 15), 3, D(2026, 6, 15)),
        (D(2026, 8, 1), 2, D(2026, 10, 8)),
    ],
)
def test_months_end_on_the_corresponding_day(start: dt.date, n: int, end: dt.date) -> None:
    assert compute(start, n, "month", CN).end == end


def test_month_without_that_day_says_so() -> None:
    assert "到期月没有 31 日，取月末日" in compute(D(2026, 8, 31), 1, "month", CN).lines[0]


def test_publicity_of_seven_days() -> None:
    assert earliest_end(D(2026, 11, 9), 7) == D(2026, 11, 16)


def test_pause_and_its_words() -> None:
    stops = [(D(2026, 11, 9), D(2026, 11, 12))]
    due = compute(D(2026, 11, 6), 3, "workday", CN, pauses=stops)
    assert due.end == D(2026, 11, 16) and "暂停 3 个工作日不计" in due.lines[0]
    assert [m.kind for m in due.days].count("pause") == 3


def test_open_pause_shows_what_is_left() -> None:
    due = compute(D(2026, 11, 6), 9, "workday", CN, pauses=[(D(2026, 11, 17), None)])
    assert due.paused_since == D(2026, 11, 17) and not due.passed(D(2027, 1, 1))
    assert remaining(due, TODAY, CN) == ("pause", 3, "暂停，剩 3 个工作日", "paused, 3 working days left")
    resumed = again(due, CN, [(D(2026, 11, 17), TODAY)])
    assert resumed.end == D(2026, 11, 25)


def test_pause_after_the_end_is_none() -> None:
    due = compute(D(2026, 11, 6), 1, "workday", CN, pauses=[(D(2026, 11, 20), None)])
    assert due.paused_since is None and due.passed(D(2026, 11, 10))


def test_publication_settles_a_provisional_date() -> None:
    from siquan.core.calendar import Year

    due = compute(D(2027, 1, 12), 30, "day", CN, title="备案", cite="条例16")
    stretch = {day: "春节" for day in days(D(2027, 2, 5), D(2027, 2, 12))}
    new = Calendar.of([*shipped().values(), Year(2027, stretch, frozenset({D(2027, 2, 14)}), "测试")])
    settled = again(due, new)
    assert settled.end == D(2027, 2, 14) and not settled.provisional
    assert (settled.title, settled.cite, settled.calendar_version) == ("备案", "条例16", new.version)


@pytest.mark.parametrize(
    ("n", "unit", "today", "state", "zh"),
    [
        (10, "workday", TODAY, "over", "超期 1 个工作日"),  # from 11-06: ended Friday 11-20
        (10, "workday", D(2026, 11, 21), "over", "超期不足 1 个工作日"),
        (10, "workday", D(2026, 11, 20), "today", "今天 24:00 前"),
        (10, "workday", D(2026, 11, 19), "soon", "明天 11-20 周五"),
        (11, "workday", D(2026, 11, 20), "soon", "11-23 周一"),
        (13, "workday", TODAY, "ok", "11-25 周三"),
        (14, "day", TODAY, "over", "超期 3 日"),
    ],
)
def test_chips(n: int, unit: Unit, today: dt.date, state: str, zh: str) -> None:
    left = remaining(compute(D(2026, 11, 6), n, unit, CN), today, CN)
    assert (left.state, left.zh) == (state, zh)


def test_zero_ends_today_and_rolls() -> None:
    assert compute(TODAY, 0, "workday", CN).end == TODAY
    assert compute(D(2026, 11, 21), 0, "day", CN).end == TODAY


@pytest.mark.parametrize(
    ("n", "unit"), [(-1, "day"), (True, "day"), (1.5, "day"), (1, "year"), (10**9, "day"), (1200, "month")]
)
def test_bad_input(n: int, unit: Unit) -> None:
    start = D(9990, 1, 1) if unit == "month" else TODAY
    with pytest.raises(BadDeadline) as e:
        compute(start, n, unit, CN)
    assert e.value.text("zh") and e.value.code == "SQ520"


def test_pause_that_ends_before_it_begins() -> None:
    with pytest.raises(BadDeadline):
        compute(TODAY, 1, "day", CN, pauses=[(D(2026, 11, 25), D(2026, 11, 24))])


# ---- properties


@given(dates, st.integers(1, 60))
def test_workdays_match_brute_force(start: dt.date, n: int) -> None:
    due = compute(start, n, "workday", CN)
    assert CN.is_workday(due.end) and due.rolled_from is None
    assert sum(CN.is_workday(day) for day in days(start + DAY, due.end)) == n
    back = compute(due.end, n, "workday", CN, "before").end
    assert sum(CN.is_workday(day) for day in days(back, due.end - DAY)) == n and CN.is_workday(back)


@given(dates, st.integers(1, 40), units, pauses)
def test_pauses_add_exactly_the_paused_time(
    start: dt.date, n: int, unit: Unit, stops: list[Pause]
) -> None:
    plain = compute(start, n, unit, CN, roll=False)
    due = compute(start, n, unit, CN, roll=False, pauses=stops)
    total = sum(counted(day, unit, []) for day in days(start + DAY, due.end))
    lost = sum(
        counted(day, unit, []) and not counted(day, unit, stops) for day in days(start + DAY, due.end)
    )
    assert total - lost == sum(counted(day, unit, []) for day in days(start + DAY, plain.end))
    assert counted(due.end, unit, stops)


@given(dates, st.integers(0, 400), units, st.booleans(), pauses)
def test_roll_ends_on_a_workday_and_skips_only_rest(
    start: dt.date, n: int, unit: Unit, weekends: bool, stops: list[Pause]
) -> None:
    if unit == "month":
        n %= 24
    raw = compute(start, n, unit, CN, roll=False, pauses=stops).end
    due = compute(start, n, unit, CN, rest_days_roll=weekends, pauses=stops)

    def rest(day: dt.date) -> bool:
        return CN.day_kind(day) == "holiday" or (weekends and not CN.is_workday(day))

    assert not rest(due.end) and due.end >= raw
    assert all(rest(day) or not counted(day, "day", stops) for day in days(raw, due.end - DAY))
    assert (due.rolled_from is None) == (raw == due.end)


@given(dates, st.integers(0, 80), units, st.sampled_from(["after", "before"]))
def test_monotone(start: dt.date, n: int, unit: Unit, direction: str) -> None:
    a = compute(start, n, unit, CN, direction)  # type: ignore[arg-type]
    b = compute(start, n + 1, unit, CN, direction)  # type: ignore[arg-type]
    assert a.end <= b.end if direction == "after" else a.end >= b.end
    later = compute(start + DAY, n, unit, CN, direction)  # type: ignore[arg-type]
    assert later.end >= a.end


@given(dates, st.integers(0, 36))
def test_months_as_the_language_shifts_them(start: dt.date, n: int) -> None:
    assert compute(start, n, "month", CN, roll=False).end == shift(start, Duration(months=n))


@given(dates, st.integers(0, 120), units, st.sampled_from(["after", "before"]), pauses, st.booleans())
def test_stored_and_read_back(
    start: dt.date, n: int, unit: Unit, direction: str, stops: list[Pause], still: bool
) -> None:
    held: list[Pause] = [*stops, (start + 2 * DAY, None)] if still else stops
    due = compute(start, n, unit, CN, direction, pauses=held, name="x", cite="c")  # type: ignore[arg-type]
    assert Due.from_json(json.loads(json.dumps(due.to_json()))) == due
    assert again(due, CN) == due
    ends = [mark for mark in due.days if mark.kind == "end"]
    assert len(ends) == 1 and ends[0].date == due.end and len(due.days) <= 16
    assert [m.date for m in due.days] == sorted(m.date for m in due.days)


@given(dates, st.integers(0, 60), units, dates)
def test_chip_agrees_with_the_dates(start: dt.date, n: int, unit: Unit, today: dt.date) -> None:
    due = compute(start, n, unit, CN)
    left = remaining(due, today, CN)
    assert (left.state == "over") == (today > due.end) == due.passed(today)
    assert (left.state == "today") == (today == due.end)
    if left.state in ("ok", "prov", "soon"):
        assert f"{due.end:%m-%d}" in left.zh and "周" in left.zh and left.n >= 0
        assert (str(due.end.year) in left.zh) == (due.end.year != today.year)


@given(dates, st.integers(0, 30), units)
def test_provisional_exactly_when_an_unpublished_year_was_looked_at(
    start: dt.date, n: int, unit: Unit
) -> None:
    due = compute(start, n, unit, CN)
    seen = {due.end, due.rolled_from or due.end} | ({start} if unit == "workday" and n else set())
    assert due.provisional == any(day.year not in CN.years for day in seen)
