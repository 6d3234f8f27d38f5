"""Cases that happened, recorded as test cases: each comes out the same, and nothing in it tells who it was."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from siquan.core.errors import NoAccess
from siquan.core.home import Home
from siquan.core.service import Siquan
from siquan.core.spec.load import load_plugin
from siquan.core.testing.casefile import item, text_of, written
from siquan.core.testing.record import NotReproduced, Recorder
from siquan.core.testing.runner import run_case


@pytest.fixture(scope="module")
def demo(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siquan]:
    folder = tmp_path_factory.mktemp("record") / "home"
    shutil.copytree(demo_folder, folder)
    service = Home.of({"SIQUAN_HOME": str(folder)}).service()
    yield service
    service.app.store.close()


def cases(service: Siquan) -> list[tuple[str, str, str]]:
    """(case, somebody with a post over it, process) of every case that is no child."""
    out = []
    with service.app.store.read() as tx:
        for id in tx.cases.ids("", 500):
            case = tx.cases.get(id)
            if not case.parent_id:
                out.append((id, service.app.posts(tx, service.app.chain(tx, case.place))[0].person, case.process))
    return out


def test_every_case_of_the_demo_comes_out_the_same_and_anonymous(demo: Siquan) -> None:
    with demo.app.store.read() as tx:
        names = {p.name for p in tx.people.all()}
        ids = {p.id for p in tx.people.all()}
    assert len(cases(demo)) >= 8
    for id, person, _process in cases(demo):
        recorder = Recorder(demo, demo.app.catalogue)
        case = recorder.record(id, person)
        text = "\n".join(item(written(case)))
        assert not [n for n in names | ids if n in text]
        with demo.app.store.read() as tx:
            told = [i for i in (id, *(c.id for c in tx.cases.children(id)))]
            private = {
                str(v.value) for i in told for v in tx.facts.current(i).values()
                if (s := demo.app.definition_of(tx, tx.cases.get(i)).schema.get(v.path)) and s.sensitive in ("name", "phone", "address") and s.type in ("text", "person")
            } - {"none", "None", ""}  # fmt: skip
        assert not [w for w in private if f" {w}," in text or f" {w}}}" in text]


def test_the_file_it_makes_is_a_case_file(demo: Siquan, tmp_path: Path) -> None:
    id, person, process = next(c for c in cases(demo) if c[2] == "approval.approval")
    case = Recorder(demo, demo.app.catalogue).record(id, person, "录下来的")
    source = Path(demo.app.catalogue.plugin("approval").path or "plugins/approval.yaml")
    folder = tmp_path / "approval"
    (folder / "workflows").mkdir(parents=True)
    (folder / "cases").mkdir()
    text = next(p for p in (source, Path("plugins/approval.yaml")) if p.is_file()).read_text(encoding="utf-8")
    (folder / "workflows" / "approval.yaml").write_text(text, encoding="utf-8")
    (folder / "cases" / "recorded.yaml").write_text(text_of([written(case)], process.partition(".")[2]), encoding="utf-8")
    loaded = load_plugin(folder, {})
    mine = next(c for p in loaded.processes for c in p.cases if c.name == "录下来的")
    assert mine.expect == case.expect and len(mine.steps) == len(case.steps) and mine.because == case.because


def test_a_post_over_the_case_is_needed(demo: Siquan) -> None:
    with demo.app.store.begin() as tx:
        stranger = tx.people.add("外人").id
    with pytest.raises(NoAccess):
        Recorder(demo, demo.app.catalogue).record(cases(demo)[0][0], stranger)


def test_whoever_opened_it_without_a_post_may_not_record_it(demo: Siquan) -> None:
    id, person, _ = next(c for c in cases(demo) if c[2] == "approval.approval")
    with demo.app.store.read() as tx:
        case = tx.cases.get(id)
        posts = {p.person for p in demo.app.posts(tx, demo.app.chain(tx, case.place))}
    assert person in posts
    if case.opened_by not in posts:
        with pytest.raises(NoAccess):
            Recorder(demo, demo.app.catalogue).record(id, case.opened_by)


def test_what_was_erased_cannot_be_reproduced_and_says_so(demo: Siquan) -> None:
    id, person, _ = next(c for c in cases(demo) if c[2] == "approval.approval" and _state(demo, c[0]) in ("approved", "district", "rejected"))
    with demo.app.store.begin() as tx:
        tx.cases.lock(id)
        tx.facts.erase(id, "amount")
    with pytest.raises(NotReproduced) as fault:
        Recorder(demo, demo.app.catalogue).record(id, person)
    assert "amount" in fault.value.text("zh") and "删除" in fault.value.text("zh")


def _state(service: Siquan, case: str) -> str:
    with service.app.store.read() as tx:
        return tx.cases.get(case).state


def test_accounts_are_recorded_as_they_stood_before_and_after(demo: Siquan) -> None:
    id, person, _ = next(c for c in cases(demo) if c[2] == "volunteer_points.redemption")
    case = Recorder(demo, demo.app.catalogue).record(id, person)
    assert case.accounts["stock.towel"] == {"place": 40} and case.expect_accounts["stock.towel"] == {"available": 38, "held": 2}
    (owner, points), *others = case.accounts["points"].items()
    assert not others and owner not in ("wangyue", "王月") and points > 30
    assert case.expect_accounts["points"] == {"available": points - 30, "held": 30}
    text = "\n".join(item(written(case)))
    assert "accounts:" in text and "expect_accounts:" in text


def test_a_suspension_is_recorded(demo: Siquan) -> None:
    with demo.app.store.read() as tx:
        held = next(i for i, p, _ in cases(demo) if any(e.kind == "suspended" for e in tx.events.of(i)))
    person = next(p for i, p, _ in cases(demo) if i == held)
    case = Recorder(demo, demo.app.catalogue).record(held, person)
    assert "suspend" in [s.act for s in case.steps] and run_case(demo.app.catalogue, case) == []
