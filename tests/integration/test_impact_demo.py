"""The demo's decisions, taken by acts of every kind, come out as recorded when nothing is changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import sqlalchemy as sa

from siquan.core.home import Home
from siquan.core.policy.impact import run_impact
from siquan.core.policy.impact_crew import Draft
from siquan.core.policy.impact_report import report
from siquan.core.store import audit, tables


def test_no_draft_no_flip(demo_folder: Path, tmp_path: Path) -> None:
    shutil.copyfile(demo_folder / "siquan.db", tmp_path / "siquan.db")
    service = Home(tmp_path, f"sqlite:///{tmp_path / 'siquan.db'}").service()
    store, catalogue = service.app.store, service.app.catalogue
    c = tables.decision.c
    with store.read() as tx:
        found = tx.conn.execute(sa.select(c.ruleset, sa.func.count()).group_by(c.ruleset)).all()
    assert len(found) > 15
    for ruleset, count in found:
        draft = Draft(catalogue.ruleset(ruleset), catalogue.book_of(ruleset))
        run = run_impact(store, ruleset, draft, content_hash="h")
        with store.read() as tx:
            said = report(tx, run)
        assert (said.decided, said.changed, said.other, said.missing) == (count, 0, 0, 0), ruleset
    assert audit.verify(store) == []
    store.close()
