"""The remembered story of a case is always that of its events, whatever was rolled back or written by others."""

from __future__ import annotations

from typing import Any

import pytest

from siquan.core.engine.fold import fold
from siquan.core.service import Siquan, stories
from siquan.core.service.refusal import StepRefused


def agrees(town: Any, case: str) -> None:
    with town.store.read() as tx:
        assert town.siquan.app.stories.of(tx, tx.cases.get(case)) == fold(tx.events.of(case))


def test_an_act_that_was_rolled_back_is_forgotten(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    siquan, case = town.siquan, town.submitted()
    agrees(town, case)

    def power_cut(point: str) -> None:
        if point == "before.commit":
            raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(town.store, "fault", power_cut)
        for person in ("du", "both"):
            with pytest.raises(ZeroDivisionError):
                siquan.act(case, "pass", person)
            with pytest.raises(ZeroDivisionError):
                siquan.recuse(case, person, "亲属")
    agrees(town, case)
    # he who was rolled back did not act: he is free to confirm for the district
    assert siquan.act(case, "pass", "ren").state == "district"
    agrees(town, case)
    assert siquan.act(case, "pass", "both").state == "approved"
    town.whole()


def test_another_process_writes_too(town: Any) -> None:
    """Two services over one database, as two web nodes: four eyes hold across them."""
    other = Siquan(town.store, town.siquan.app.catalogue, town.clock)
    case = town.submitted()
    for siquan in (town.siquan, other):
        siquan.case(case, "he")
    other.act(case, "pass", "both")
    with pytest.raises(StepRefused):
        town.siquan.act(case, "pass", "both")
    town.siquan.recuse(case, "shao", "亲属")
    with pytest.raises(StepRefused):
        other.act(case, "pass", "shao")
    agrees(town, case)
    town.whole()


def test_only_so_many_are_remembered(small_town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stories, "MOST", 2)
    cases = [small_town.submitted() for _ in range(4)]
    for case in [*cases, *cases]:
        agrees(small_town, case)
    assert len(small_town.siquan.app.stories._kept) == 2
