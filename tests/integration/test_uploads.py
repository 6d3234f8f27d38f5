"""Large sheets: refused at once when wrong, else queued with the transaction and written once by a worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from siquan.core.errors import SiquanError
from siquan.core.home import jobs_of
from siquan.core.jobs import Jobs
from siquan.core.service import uploads
from siquan.core.sheets import rows_from_titles

CLUB = Path(__file__).parent / "club"


@pytest.fixture
def club(database: str, load_plugins: Any, make_town: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(uploads, "LARGE", 1)
    town = make_town(database, load_plugins(CLUB))
    town.settle([("he", "wutongli", "keeper"), ("sun", "wutongli", "chair")])
    town.id = town.siquan.open_case("club", "he", facts={"label": "书法"}).case
    town.jobs = jobs_of(town.siquan, tmp_path)
    town.jobs.migrate()
    return town


def sheet(town: Any, *names: str, born: str = "1980-01-02") -> bytes:
    spec = town.siquan.app.definition("club.member").spec
    rows = [{"姓名": n, "房号": f"1-{i}", "出生日期": born} for i, n in enumerate(names)]
    return rows_from_titles(spec.sheets[0], rows)


def names(town: Any) -> list[str]:
    with town.store.read() as tx:
        return [c.title for c in tx.cases.children(town.id, "members")]


def finish(jobs: Jobs) -> None:
    while jobs.drain():
        pass


def test_written_by_the_worker_and_only_once(club: Any) -> None:
    data = sheet(club, "甲", "乙")
    result = club.siquan.import_sheet(club.id, "members", "he", "表.xlsx", data)
    assert result.job and result.rows == 2 and result.created == 0
    assert names(club) == []
    again = club.siquan.import_sheet(club.id, "members", "he", "表.xlsx", data)
    assert again.job == result.job
    finish(club.jobs)
    assert names(club) == ["甲", "乙"]
    assert club.jobs.status(result.job).state == "done"
    # a worker that died between writing and saying so runs the job again: nothing is written twice
    before = len(club.events(club.id))
    club.siquan._uploads._write(_Again(result.job), {"case": club.id, "target": "members", "person": "he", "filename": "表.xlsx", "file": next(p.name for p in club.siquan._uploads.folder.glob("*.xlsx"))})
    assert len(club.events(club.id)) == before and names(club) == ["甲", "乙"]
    club.whole()


class _Again:
    """A run of the same job, as a second worker would have it."""

    def __init__(self, id: str) -> None:
        self.id = id

    def step(self, **progress: object) -> Any:
        from contextlib import nullcontext

        return nullcontext()


def test_a_wrong_cell_is_said_at_once_and_nothing_is_queued(club: Any) -> None:
    with pytest.raises(SiquanError):
        club.siquan.import_sheet(club.id, "members", "he", "表.xlsx", sheet(club, "甲", born="昨天"))
    assert club.jobs.find() == [] and names(club) == []


def test_what_became_impossible_meanwhile_is_an_incident(club: Any) -> None:
    result = club.siquan.import_sheet(club.id, "members", "he", "表.xlsx", sheet(club, "甲"))
    with club.store.begin() as tx:
        for grant in tx.people.grants("he"):
            tx.people.end_grant(grant.id, club.siquan.app.today().replace(year=2020))
    finish(club.jobs)
    assert names(club) == []
    with club.store.read() as tx:
        [incident] = tx.incidents.of(club.id)
    assert incident.kind == "import"
    assert club.jobs.status(result.job).state == "done" and club.jobs.status(result.job).note
