"""Periods, standing and supervision: pure arithmetic over days."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from siquan.core.calendar import Calendar, shipped
from siquan.core.obligations.periods import MONTHS, owed, period_of, periods
from siquan.core.obligations.standing import Standing, Terms, first_taker
from siquan.core.obligations.supervision import after, before, lamp, level_of, pending, plan, used

D = dt.date
DAY = dt.timedelta(days=1)
CN = Calendar.of(shipped())
dates = st.dates(D(2019, 1, 1), D(2031, 12, 31))
kinds = st.sampled_from(sorted(MONTHS))


# ---- periods


def test_periods_by_name() -> None:
    assert period_of(D(2024, 2, 29), "month").end == D(2024, 2, 29)
    assert period_of(D(2026, 12, 31), "quarter").label("quarter") == ("2026年第4季度", "2026 Q4")
    assert period_of(D(2026, 12, 31), "half").label("half") == ("2026年下半年", "2026 H2")
    assert period_of(D(2026, 4, 1), "two_months").label("two_months") == ("2026年3至4月", "2026-03/04")
    assert period_of(D(2026, 4, 1), "month").label("month") == ("2026年4月", "2026-04")
    assert period_of(D(2026, 4, 1), "year").label("year") == ("2026年", "2026")
    assert period_of(D(9999, 12, 31), "year").end == D.max


@given(dates, kinds)
def test_a_period_holds_its_day_and_the_next_begins_where_it_ends(day: dt.date, every: str) -> None:
    own = period_of(day, every)
    assert own.start <= day <= own.end and own.start.day == 1 and (own.end + DAY).day == 1
    assert period_of(own.start, every) == period_of(own.end, every) == own
    assert period_of(own.end + DAY, every).start == own.end + DAY
    assert 12 % MONTHS[every] == 0 and (own.start.month - 1) % MONTHS[every] == 0


@given(dates, st.integers(0, 1200), kinds)
def test_periods_cover_every_day_once(first: dt.date, n: int, every: str) -> None:
    last = first + n * DAY
    found = list(periods(every, first, last))
    assert found[0].start <= first <= found[0].end and found[-1].start <= last <= found[-1].end
    assert all(a.end + DAY == b.start for a, b in zip(found, found[1:], strict=False))


@given(dates, dates, st.none() | dates, kinds)
def test_what_is_owed_lies_whole_between_its_bounds(since: dt.date, today: dt.date, until: dt.date | None, every: str) -> None:
    whole, part = owed(every, since, until, today), owed(every, since, until, today, partial=True)
    assert set(whole) <= set(part) and len(part) - len(whole) <= 2
    for p in whole:
        assert since <= p.start <= today and (until is None or p.end <= until)
    for p in part:
        assert p.end >= since and p.start <= today and (until is None or p.start <= until)


@given(dates, st.integers(0, 900), st.integers(0, 900), kinds)
def test_what_was_owed_stays_owed(since: dt.date, a: int, b: int, every: str) -> None:
    early, late = sorted((since + a * DAY, since + b * DAY))
    assert owed(every, since, None, late)[: len(owed(every, since, None, early))] == owed(every, since, None, early)


# ---- standing


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    start = draw(dates)
    end = start + draw(st.integers(27, 366)) * DAY
    warn = draw(st.none() | st.integers(0, 60).map(lambda n: max(end - n * DAY, start)))
    last = end + draw(st.integers(0, 20)) * DAY
    return Terms(start, end, warn, last, draw(st.none() | st.integers(1, 40).map(lambda n: last + n * DAY)))


@given(terms(), st.lists(st.integers(0, 500), min_size=1, max_size=6))
def test_however_often_one_looks_the_same_happens_on_the_same_days(t: Terms, looks: list[int]) -> None:
    days = sorted(t.start + n * DAY for n in looks)
    once = list(Standing(t).due_steps(days[-1]))
    now, steps = Standing(t), []
    for day in days:
        for on, then in now.due_steps(day):
            steps.append((on, then))
            now = then
    assert steps == once
    assert [on for on, _ in once] == sorted(on for on, _ in once)


@given(terms(), st.integers(-40, 500), st.integers(-40, 500))
def test_done_in_time_is_met_and_after_it_at_most_made_up(t: Terms, a: int, b: int) -> None:
    day = t.start + a * DAY
    now = [Standing(t), *(later for _, later in Standing(t).due_steps(day))][-1]
    done = now.done(day)
    if t.start <= day <= t.last:
        assert done.status == "met" and done.settled and done.next_day is None
    elif t.late is not None and t.last < day <= t.late:
        assert done.status == "made_up"
    else:
        assert done == now
    again = done.done(t.start + b * DAY)
    assert again == done if done.settled else True


def test_missed_stays_missed_and_one_act_does_one_duty() -> None:
    third = Terms(D(2026, 7, 1), D(2026, 9, 30), D(2026, 9, 15), D(2026, 10, 10), D(2026, 10, 30))
    fourth = Terms(D(2026, 10, 1), D(2026, 12, 31), None, D(2027, 1, 10), None)
    both = [("4", Standing(fourth)), ("3", Standing(third))]
    assert first_taker(both, D(2026, 10, 5)) == "3", "in its grace the older one comes first"
    both[1] = ("3", Standing(third, "missed"))
    assert first_taker(both, D(2026, 10, 20)) == "4", "what is in time comes before what is late"
    both[0] = ("4", Standing(fourth, "met"))
    assert first_taker(both, D(2026, 10, 20)) == "3" and first_taker(both, D(2026, 10, 31)) == ""


# ---- supervision


def test_days_before_and_after() -> None:
    friday = D(2026, 11, 27)
    assert before(friday, 2, "workday", CN) == D(2026, 11, 25) and before(friday, 0, "day", CN) == friday
    assert after(friday, 1, "workday", CN) == D(2026, 12, 1), "Monday has wholly gone by"
    assert after(friday, 0, "day", CN) == D(2026, 11, 28) and after(friday, 3, "day", CN) == D(2026, 12, 1)
    assert before(D(2026, 3, 31), 1, "month", CN) == D(2026, 2, 28) and after(D(2026, 1, 31), 1, "month", CN) == D(2026, 3, 1)


@given(dates, st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["day", "workday"])), max_size=4), st.lists(st.integers(0, 30), max_size=4))
def test_a_plan_is_in_order_and_levels_go_up(end: dt.date, remind: list[tuple[int, str]], up: list[int]) -> None:
    alarms = plan(end, remind, [(n, "workday", "leader") for n in up], CN)
    assert alarms == sorted(alarms) and [a.level for a in alarms if a.level] == list(range(1, len(up) + 1))
    assert all((a.day <= end) == (a.level == 0) for a in alarms)
    log: list[dict[str, object]] = []
    for alarm in alarms:
        assert pending(alarms, log)[0] == alarm
        log.append({"k": "escalate" if alarm.level else "remind", "key": alarm.key, "on": alarm.day.isoformat(), "level": alarm.level})
    assert pending(alarms, log) == [] and level_of(log, end) == len(up)
    later = plan(end + 400 * DAY, remind, [(n, "workday", "leader") for n in up], CN)
    assert pending(later, log) == later and level_of(log, end + 400 * DAY) == 0, "a last day that moved on begins anew"


@given(dates, st.integers(0, 60), st.integers(-5, 100), st.booleans())
def test_the_share_used_only_grows(start: dt.date, n: int, at: int, working: bool) -> None:
    end, today = start + n * DAY, start + at * DAY
    share = used(start, end, today, CN, working)
    assert share <= used(start, end, today + DAY, CN, working)
    assert (share >= 100) == (today > end)
    assert (lamp(share, 70, 100) == "red") == (today > end)


def test_lamps() -> None:
    start, end = D(2026, 11, 23), D(2026, 12, 7)  # ten working days
    shares = [used(start, end, D(2026, 11, d), CN, True) for d in (23, 24, 25, 30)]
    assert shares == [0, 0, 10, 40]
    assert used(start, end, D(2026, 12, 7), CN, True) == 90 and used(start, end, D(2026, 12, 9), CN, True) == 110
    assert [lamp(x, 70, 100) for x in (0, 69, 70, 99, 100, 250)] == ["green", "green", "yellow", "yellow", "red", "red"]
    assert lamp(85, 50, 80) == "red"
