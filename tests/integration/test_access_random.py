"""Random posts, leavers and substitutions over a small tree: a substitute never sees or may do more than the person."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siquan.core.engine.access import able, ways
from siquan.core.plugins import discover
from siquan.core.service import Siquan
from siquan.core.service.context import Context
from siquan.core.service.pages import may_see
from siquan.core.store.database import Store
from siquan.core.testing.clock import FrozenClock, counter

DAY = dt.date(2026, 11, 23)
CATALOGUE = discover(bundled=False, only=[Path(__file__).parents[2] / "plugins" / "approval.yaml"])
UNITS = (
    ("yun", "district", None), ("gui", "street", "yun"), ("bei", "street", "yun"), ("li", "community", "gui"), ("yi", "community", "bei"),
)  # fmt: skip
PEOPLE = [f"p{n}" for n in range(5)]
days = st.integers(-3, 3).map(lambda n: DAY + dt.timedelta(days=n))


class Undo(Exception):
    """Ends a transaction without keeping it."""


@pytest.fixture(scope="module")
def siquan() -> Siquan:
    clock = FrozenClock(DAY)
    made = Siquan(Store("sqlite://", clock, counter()), CATALOGUE, clock)
    with made.app.store.begin() as tx:
        for id, kind, above in UNITS:
            tx.people.add_unit(id, kind, id, above)
        for person in PEOPLE:
            tx.people.add(person, unit_id="li", person_id=person)
    for place in ("li", "yi"):
        made._acts.open_case("approval", "p0", place, {}, None, trusted=True)
    return made


def sight(siquan: Siquan, tx: Any) -> tuple[set[tuple[str, str]], set[tuple[str, str, str]]]:
    """(who sees which case, who may take which step of it)."""
    sees, acts = set(), set()
    for case in [tx.cases.get(id) for id in tx.cases.ids()]:
        context = Context(siquan.app, tx, case)
        sees |= {(p, case.id) for p in PEOPLE if may_see(context, p)}
        for state in context.definition.spec.states:
            for step in state.transitions:
                cast = context.cast()
                free = able(ways(context.definition.spec, state, step, cast), cast)
                acts |= {(p, case.id, f"{state.name}.{step.name}") for p in free}
    return sees, acts


@settings(max_examples=150, deadline=None)
@given(
    posts=st.lists(
        st.tuples(
            st.sampled_from(PEOPLE), st.sampled_from(["resident", "community", "district", "leader", "group:g", "admin", "policy_author"]),
            st.sampled_from([u for u, _, _ in UNITS]), days, st.one_of(st.none(), days),
        ),
        max_size=8,
    ),
    standings=st.lists(
        st.tuples(
            st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), days, days,
            st.sampled_from([{}, {"roles": ["community"]}, {"processes": ["approval.approval"]}, {"processes": ["other.other"]}]), st.booleans(),
        ),
        max_size=4,
    ),
    left=st.one_of(st.none(), st.tuples(st.sampled_from(PEOPLE), days)),
)  # fmt: skip
def test_a_substitute_never_sees_more_than_the_person(siquan: Siquan, posts: Any, standings: Any, left: Any) -> None:
    with pytest.raises(Undo), siquan.app.store.begin() as tx:
        for person, role, unit, since, until in posts:
            tx.people.grant(person, role, unit, since, until)
        if left:
            tx.people.change(left[0], leaving_on=left[1])
        sees, acts = sight(siquan, tx)
        for person, substitute, since, until, scope, cancelled in standings:
            row = tx.substitutions.add(person, substitute, since, until, scope, "", person)
            if cancelled:
                tx.substitutions.cancel(row.id, person)
        with_sees, with_acts = sight(siquan, tx)
        running = {
            (p, s) for p, s, since, until, scope, cancelled in standings
            if not cancelled and since <= DAY <= until and scope.get("processes") != ["other.other"] and not (left and left[0] == s and left[1] < DAY)
        }  # fmt: skip
        assert sees <= with_sees and acts <= with_acts
        for who, case in with_sees - sees:
            assert any(s == who and (p, case) in sees for p, s in running)
        for who, case, step in with_acts - acts:
            assert any(s == who and (p, case, step) in acts for p, s in running)
        gone = {left[0]} if left and left[1] < DAY else set()
        assert not {p for p, _, _ in with_acts} & gone
        aside = {p for p in PEOPLE if not any(q == p and role not in ("admin", "policy_author", "group:g") for q, role, *_ in posts)} - {"p0"}
        assert not {p for p, _ in sees} & aside  # nobody sees a case by such a post
        raise Undo
