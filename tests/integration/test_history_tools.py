"""What administrators do with the history: rebuild it, prove it from a printed root, hand it to process mining."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa

from siquan.core.errors import BadInput, NoAccess, NotFound
from siquan.core.store import audit
from siquan.core.store import tables as t

XES = "{http://www.xes-standard.org/}"
DAY = dt.timedelta(days=1)


def write(town: Any, statement: sa.Executable) -> None:
    """Past the events, as somebody with the password of the database would."""
    with town.store.engine.begin() as conn:
        conn.execute(statement)


#: what is changed behind the events' back, and what the replay calls it
EDITS: list[tuple[str, Callable[[str], sa.Executable]]] = [
    ("state", lambda c: sa.update(t.case_file).where(t.case_file.c.id == c).values(state="district")),
    ("revision", lambda c: sa.update(t.case_file).where(t.case_file.c.id == c).values(revision=9)),
    ("open", lambda c: sa.update(t.case_file).where(t.case_file.c.id == c).values(is_open=False)),
    ("outcome", lambda c: sa.update(t.case_file).where(t.case_file.c.id == c).values(outcome="approved")),
    ("title", lambda c: sa.update(t.case_file).where(t.case_file.c.id == c).values(title="别的")),
    ("opener", lambda c: sa.update(t.case_file).where(t.case_file.c.id == c).values(opened_by="du")),
    ("definition", lambda c: sa.update(t.case_file).where(t.case_file.c.id == c).values(definition_hash="0" * 64)),
    ("due_on", lambda c: sa.update(t.case_file).where(t.case_file.c.id == c).values(due_on=dt.date(2030, 1, 1))),
    ("task", lambda c: sa.delete(t.task).where(t.task.c.case_id == c, t.task.c.closed_at.is_(None))),
    ("task", lambda c: sa.update(t.task).where(t.task.c.case_id == c).values(closed_at=None)),
    ("deadline", lambda c: sa.update(t.deadline).where(t.deadline.c.case_id == c).values(state="draft")),
    ("deadline", lambda c: sa.update(t.deadline).where(t.deadline.c.case_id == c).values(fired_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))),
    ("fact", lambda c: sa.update(t.fact_value).where(t.fact_value.c.case_id == c, t.fact_value.c.path == "amount").values(is_current=False)),
    ("fact", lambda c: sa.update(t.fact_value).where(t.fact_value.c.case_id == c, t.fact_value.c.path == "amount").values(commitment="x")),
]  # fmt: skip


@pytest.mark.parametrize("n", range(len(EDITS)))
def test_whatever_was_changed_past_the_events_is_found(small_town: Any, n: int) -> None:
    what, edit = EDITS[n]
    town = small_town
    case, other = town.submitted(), town.submitted()
    town.whole()
    write(town, edit(case))
    if what == "definition":
        with pytest.raises(NotFound):
            town.siquan.case(case, "du")
    found = town.siquan.replay()
    assert {d["case"] for d in found} == {case} and what in {d["what"] for d in found}
    assert town.siquan.replay(other) == []


def test_children_are_looked_for(sqlite_url: str, load_plugins: Any, make_town: Any) -> None:
    town = make_town(sqlite_url, load_plugins(Path(__file__).parent / "club"))
    town.settle([("he", "wutongli", "keeper")])
    one, two = (town.siquan.open_case("club", "he", facts={"label": n}).case for n in "甲乙")
    child = town.siquan.act(one, "enrol", "he", {"person": "丙", "room": "1"}).case
    town.whole()
    write(town, sa.update(t.case_file).where(t.case_file.c.id == child).values(parent_id=two))
    assert {(d["case"], d["what"]) for d in town.siquan.replay()} >= {(one, "children"), (child, "parent")}


def test_a_title_that_was_erased_is_no_difference(small_town: Any) -> None:
    case = small_town.submitted()
    with small_town.store.begin() as tx:
        tx.facts.erase(case)
    small_town.whole()


# roots


def test_a_printed_root_proves_what_came_after(town: Any) -> None:
    case = town.submitted()
    town.clock.move(town.clock.day + DAY)
    town.siquan.act(case, "pass", "du")
    town.clock.move(town.clock.day + DAY)
    with pytest.raises(NotFound):
        town.siquan.audit_root()
    assert len(audit.seal(town.store)) == 2
    first, last = town.siquan.audit_root(dt.date(2026, 11, 23)), town.siquan.audit_root()
    assert first.day < last.day and last.prev_root == first.root and town.siquan.audit_root(dt.date(2026, 12, 31)) == last
    town.siquan.act(case, "pass", "shao")
    assert town.siquan.audit_since(first.day, first.root) == [] == town.siquan.audit_since(last.day)
    assert [f.code for f in town.siquan.audit_since(first.day, last.root)] == ["SQA18"]
    with pytest.raises(NotFound):
        town.siquan.audit_since(dt.date(2020, 1, 1))
    write(town, sa.update(t.event).where(t.event.c.case_id == case, t.event.c.seq == 3).values(actor="ren"))
    assert "SQA01" in {f.code for f in town.siquan.audit_since(first.day, first.root)}


def test_rewriting_a_sealed_day_breaks_the_printed_root(small_town: Any) -> None:
    town = small_town
    case = town.submitted()
    town.clock.move(town.clock.day + 2 * DAY)
    audit.seal(town.store)
    root = town.siquan.audit_root()
    write(town, sa.update(t.audit_root).values(root="f" * 64))
    assert {f.code for f in town.siquan.audit_since(root.day, root.root)} == {"SQA11", "SQA18"} and case


# the event log


def log(town: Any, tmp_path: Path, format: str, person: str = "du", **more: Any) -> str:
    file = tmp_path / f"log.{format}"
    town.siquan.export_events(person, file, format, **more)
    return file.read_text(encoding="utf-8-sig")


def attributes(element: ElementTree.Element) -> dict[str, str]:
    return {child.get("key", ""): child.get("value", "") for child in element}


def test_xes_is_what_the_standard_asks(town: Any, tmp_path: Path) -> None:
    case, other = town.submitted(), town.draft()
    town.siquan.act(case, "pass", "du", opinion="同意 & <准>")
    text = log(town, tmp_path, "xes")
    root = ElementTree.fromstring(text)
    assert root.tag == f"{XES}log" and root.get("xes.version") == "1.0"
    assert {(e.get("prefix"), e.get("uri")) for e in root.findall(f"{XES}extension")} == {
        (p, f"http://www.xes-standard.org/{p}.xesext") for p in ("concept", "time", "org", "lifecycle")
    }
    order = [child.tag.removeprefix(XES) for child in root]
    assert order == sorted(order, key=["extension", "global", "classifier", "string", "trace"].index)
    traces = {attributes(x)["concept:name"]: x for x in root.findall(f"{XES}trace")}
    assert set(traces) == {case, other}
    for trace in traces.values():
        events = [attributes(e) for e in trace.findall(f"{XES}event")]
        for event in events:
            assert {"concept:name", "time:timestamp", "lifecycle:transition", "org:resource"} <= set(event)
            assert dt.datetime.fromisoformat(event["time:timestamp"]).tzinfo is not None
        assert [e["time:timestamp"] for e in events] == sorted(e["time:timestamp"] for e in events)
    activities = [attributes(e)["concept:name"] for e in traces[case].findall(f"{XES}event")]
    assert activities == ["开办", "起草：提交", "社区审核：同意"]
    assert not re.search("6000|维修|同意 &|>he<|\"du\"", text), "no facts, no opinions, no persons"


def test_pseudonyms_are_stable_and_names_take_an_administrator(small_town: Any, tmp_path: Path) -> None:
    town = small_town
    town.settle([("boss", "yunxi", "admin")])
    town.submitted()
    town.siquan.act(town.submitted(), "pass", "du")
    rows = list(csv.DictReader(io.StringIO(log(town, tmp_path, "csv"))))
    again = list(csv.DictReader(io.StringIO(log(town, tmp_path, "csv"))))
    assert rows == again and {r["resource"][:2] for r in rows} == {"P-"} and len({r["resource"] for r in rows}) == 2
    with pytest.raises(NoAccess):
        log(town, tmp_path, "csv", names=True)
    named = list(csv.DictReader(io.StringIO(log(town, tmp_path, "csv", "boss", names=True))))
    assert {r["resource"] for r in named} == {"he", "du"}
    with town.store.read() as tx:
        assert [(a.actor, a.what) for a in tx.access.latest(2)] == [("boss", "export.names"), ("du", "export.events")]
    with pytest.raises(NoAccess):
        log(town, tmp_path, "csv", "stranger")


def test_the_log_of_some_days_of_one_process(small_town: Any, tmp_path: Path) -> None:
    town = small_town
    case = town.submitted()
    town.clock.move(town.clock.day + 2 * DAY)
    town.siquan.act(case, "pass", "du")
    late = list(csv.DictReader(io.StringIO(log(town, tmp_path, "csv", process="approval", since=dt.date(2026, 11, 25)))))
    assert [(r["activity"], r["from_state"], r["to_state"]) for r in late] == [("社区审核：同意", "community", "district")]
    early = list(csv.DictReader(io.StringIO(log(town, tmp_path, "csv", until=dt.date(2026, 11, 24)))))
    assert [r["kind"] for r in early] == ["opened", "acted"]
    assert log(town, tmp_path, "csv", since=dt.date(2030, 1, 1)).count("\n") == 1
    with pytest.raises(BadInput):
        log(town, tmp_path, "csv", since=dt.date(2026, 11, 25), until=dt.date(2026, 11, 24))
    for bad in ("pdf", ""):
        with pytest.raises(BadInput):
            log(town, tmp_path, bad)
    with pytest.raises(NotFound):
        log(town, tmp_path, "csv", process="nothing")
    assert sorted(p.name for p in tmp_path.glob("log.*")) == ["log.csv"], "what failed left no file"


def test_a_page_of_a_long_case_reads_its_end(small_town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    town, case = small_town, small_town.submitted()
    for n in range(70):
        town.siquan.supply(case, "he", {"reason": f"第 {n} 次"})
    from siquan.core.store.events import Events

    town.siquan.case(case, "du")
    read: list[int] = []
    for name in ("of", "latest"):
        real = getattr(Events, name)
        monkeypatch.setattr(Events, name, lambda self, *a, real=real, **k: [read.append(1) or e for e in real(self, *a, **k)])
    monkeypatch.setattr("siquan.core.service.pages.EVENTS_SHOWN", 5)
    view = town.siquan.case(case, "du")
    assert view.events_total == 72 and len(view.events) == 5 and len(read) <= 20
