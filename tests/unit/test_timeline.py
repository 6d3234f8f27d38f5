"""Which version applies on which day: every day has exactly one, whatever was published and withdrawn."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from siquan.core.policy.timeline import in_force, spans
from siquan.core.store.rows import RuleVersion

DAY = dt.date(2026, 11, 23)
AT = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)


def version(number: int, effective: int, published: int = 0, withdrawn: int | None = None, taken_back: int = 0) -> RuleVersion:
    """Days are counted from 2026-11-23."""
    return RuleVersion(
        f"id{number}", "p.r", "p", number, "published" if withdrawn is None else "withdrawn", None, "", "", "draft", "", "", "qin", AT, AT, 1,
        DAY + dt.timedelta(effective), AT + dt.timedelta(published), DAY + dt.timedelta(withdrawn) if withdrawn is not None else None,
        AT + dt.timedelta(taken_back) if withdrawn is not None else None, "", None,
    )  # fmt: skip


def day(n: int) -> dt.date:
    return DAY + dt.timedelta(n)


def numbers(versions: list[RuleVersion], *days: int) -> list[int]:
    """0 is the shipped rule set."""
    found = [in_force(versions, day(n)) for n in days]
    return [v.number if v else 0 for v in found]


def test_a_version_applies_from_its_day_on() -> None:
    assert numbers([version(1, 10)], 9, 10, 11) == [0, 1, 1]
    assert numbers([version(1, 10), version(2, 40)], 9, 10, 39, 40) == [0, 1, 1, 2]


def test_a_future_version_withdrawn_on_its_eve_never_applies() -> None:
    assert numbers([version(1, 0), version(2, 10, withdrawn=10, taken_back=9)], 0, 9, 10, 11) == [1, 1, 1, 1]


def test_what_is_withdrawn_gives_way_to_the_one_before() -> None:
    assert numbers([version(1, 0), version(2, 10, withdrawn=20)], 9, 10, 19, 20, 30) == [1, 2, 2, 1, 1]
    assert numbers([version(1, 0, withdrawn=5)], 0, 4, 5) == [1, 1, 0]


def test_a_day_in_the_past_is_asked_as_one_knew_then() -> None:
    found = [version(1, 0), version(2, 10, published=8, withdrawn=20, taken_back=19)]
    early, late = AT + dt.timedelta(7), AT + dt.timedelta(12)
    assert [v.number for v in (in_force(found, day(12), early), in_force(found, day(12), late)) if v] == [1, 2]
    # before the withdrawal nobody knew that it would end
    assert in_force(found, day(25), late) == found[1]
    assert in_force(found, day(25)) == found[0]


def test_a_draft_is_no_part_of_it() -> None:
    draft = replace(version(3, 0), published_at=None, status="approved")
    assert numbers([draft], 0) == [0]


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 5), st.one_of(st.none(), st.integers(0, 40))), max_size=6, unique_by=lambda x: x[0]
    )
)
def test_spans_cover_all_of_time_once(drawn: list[tuple[int, int, int | None]]) -> None:
    versions = [version(n, start, published, None if end is None else max(end, start)) for n, (start, published, end) in enumerate(drawn, 1)]
    found = spans(versions)
    assert found[0].since is None and found[-1].until is None
    for a, b in zip(found, found[1:], strict=False):
        assert a.until == b.since and (a.version is None or b.version is None or a.version.id != b.version.id)
    for n in range(-1, 45):
        holding = [s for s in found if s.holds(day(n))]
        assert len(holding) == 1
        assert holding[0].version == in_force(versions, day(n))
