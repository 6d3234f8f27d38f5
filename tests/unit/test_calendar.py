"""The calendar: official schedules, make-up days, unpublished years."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siquan.core.calendar import BadCalendar, Calendar, Year, days, propose, shipped

D = dt.date
CN = Calendar.of(shipped())
dates = st.dates(D(2024, 1, 1), D(2027, 12, 31))


def test_ships_three_years_and_not_the_next() -> None:
    assert sorted(shipped()) == [2024, 2025, 2026]
    assert CN.is_published(2026) and not CN.is_published(2027)
    assert all("国办发明电" in year.source for year in shipped().values())


@pytest.mark.parametrize(("year", "off", "worked"), [(2024, 28, 8), (2025, 28, 5), (2026, 33, 6)])
def test_totals_of_the_notices(year: int, off: int, worked: int) -> None:
    assert (len(shipped()[year].holidays), len(shipped()[year].workdays)) == (off, worked)


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_agrees_with_the_package_on_every_day(year: int) -> None:
    other = Calendar.of([propose(year)])
    assert not other.years[year].partial
    for day in days(D(year, 1, 1), D(year, 12, 31)):
        assert CN.is_workday(day) == other.is_workday(day), day
        if day.weekday() < 5 and CN.name(day):
            assert other.name(day) in CN.name(day), day


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (D(2026, 2, 14), "makeup"),
        (D(2026, 2, 15), "holiday"),
        (D(2026, 2, 23), "holiday"),
        (D(2026, 2, 24), "workday"),
        (D(2026, 2, 28), "makeup"),
        (D(2026, 9, 20), "makeup"),
        (D(2026, 10, 4), "holiday"),
        (D(2026, 10, 10), "makeup"),
        (D(2026, 11, 21), "weekend"),
        (D(2026, 11, 23), "workday"),
    ],
)
def test_kinds_2026(day: dt.date, kind: str) -> None:
    assert CN.day_kind(day) == kind


def test_next_workday() -> None:
    assert CN.next_workday_on_or_after(D(2026, 10, 1)) == D(2026, 10, 8)
    assert CN.next_workday_on_or_after(D(2026, 10, 10)) == D(2026, 10, 10)  # a worked Saturday
    assert CN.next_workday_on_or_after(D(2026, 10, 11)) == D(2026, 10, 12)


def test_unpublished_year_is_monday_to_friday() -> None:
    assert CN.is_workday(D(2027, 1, 1)) and CN.day_kind(D(2027, 1, 2)) == "weekend"


def test_proposal_without_a_notice_leaves_guesses_out() -> None:
    year = propose(2027)
    assert year.partial and not year.workdays and "没有 2027 年的调休" in year.source
    assert D(2027, 2, 6) in year.holidays  # statutory
    assert D(2027, 2, 9) not in year.holidays  # the package's own guess
    assert not any("（" in name for name in year.holidays.values())


def test_proposal_names_days_taken_in_exchange() -> None:
    year = propose(2026)
    assert year.holidays[D(2026, 1, 2)] == "元旦"
    assert year.holidays[D(2026, 2, 23)] == "春节"
    assert propose(2024).holidays[D(2024, 9, 16)] == "中秋节"


def test_package_knows_nothing_of_a_far_year() -> None:
    with pytest.raises(BadCalendar):
        propose(1900)


def test_next_years_notice_settles_december() -> None:
    new = Year(2027, {D(2026, 12, 31): "元旦", D(2027, 1, 1): "元旦"}, frozenset({D(2026, 12, 27)}), "测试")
    both = Calendar.of([*shipped().values(), new])
    assert both.day_kind(D(2026, 12, 31)) == "holiday" and both.day_kind(D(2026, 12, 27)) == "makeup"
    assert both.version != CN.version


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"year": "x"},
        None,
        {"year": 2026, "workdays": ["2026-10-09"]},  # a Friday
        {"year": 2026, "holidays": [{"name": "a", "from": "2026-10-10"}], "workdays": ["2026-10-10"]},
        {"year": 2026, "holidays": [{"name": "a", "from": "2025-10-01"}]},
        {"year": 2026, "holidays": [{"name": "a", "from": "2026-10-07", "to": "2026-10-01"}]},
        {"year": 2026, "holidays": [{"name": "a", "from": "2026-13-01"}]},
        {"year": 2026, "holidays": ["2026-10-01"]},
    ],
)
def test_broken_schedules_are_refused(data: object) -> None:
    with pytest.raises(BadCalendar):
        Year.read(data)


def test_json_round_trip() -> None:
    for year in (*shipped().values(), propose(2027)):
        assert Year.read(year.to_json()) == year
    assert Calendar.of(shipped()).version == CN.version


@given(dates, dates)
def test_workdays_after_equals_brute_force(a: dt.date, b: dt.date) -> None:
    n, day = 0, a
    while day < b:
        day += dt.timedelta(days=1)
        n += CN.is_workday(day)
    assert CN.workdays_after(a, b) == n


@given(dates)
def test_next_workday_is_the_first(day: dt.date) -> None:
    found = CN.next_workday_on_or_after(day)
    assert found >= day and CN.is_workday(found)
    assert not any(CN.is_workday(x) for x in days(day, found - dt.timedelta(days=1)))
