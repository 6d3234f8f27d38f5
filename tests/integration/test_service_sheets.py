"""Children and collections: opened by a step, imported from a sheet as a whole or not at all, corrected, closed, reopened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from siquan.core.errors import BadInput, Errors, NoAccess, NotFound, Refused, SiquanError, Stale
from siquan.core.rules.facts import BadFact
from siquan.core.service.context import Context
from siquan.core.service.refusal import MissingFacts, StepRefused
from siquan.core.sheets import BadCell, NotWorkbook, TooBig, TwiceRow, rows_from_titles
from siquan.core.sheets import read as reading

CLUB = Path(__file__).parent / "club"
ADULT = "1980-01-02"


@pytest.fixture
def club(sqlite_url: str, load_plugins: Any, make_town: Any) -> Any:
    return clubs(sqlite_url, load_plugins, make_town)


def clubs(url: str, load_plugins: Any, make_town: Any) -> Any:
    town = make_town(url, load_plugins(CLUB))
    town.settle([
        ("he", "wutongli", "keeper"), ("sun", "wutongli", "chair"), ("ren", "wutongli", "keeper"), ("zhou", "xiaoqiaotou", "keeper chair"),
    ])  # fmt: skip
    town.id = town.siquan.open_case("club", "he", facts={"label": "书法"}).case
    return town


def members(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"姓名": n, "房号": f"1-{i}", "出生日期": ADULT, **more} for i, n in enumerate(names)]


def sheet(town: Any, rows: list[dict[str, Any]], target: str = "members") -> bytes:
    spec = town.siquan.app.definition("club.member" if target == "members" else "club.club").spec
    return rows_from_titles(next(s for s in spec.sheets if s.target == target), rows)


def bring(town: Any, rows: list[dict[str, Any]] | bytes, person: str = "he", target: str = "members", **kw: Any) -> Any:
    data = rows if isinstance(rows, bytes) else sheet(town, rows, target)
    return town.siquan.import_sheet(town.id, target, person, "表.xlsx", data, **kw)


def children(town: Any) -> list[Any]:
    with town.store.read() as tx:
        return list(tx.cases.children(town.id, "members"))


def unchanged(town: Any, error: type[SiquanError], call: Any) -> Any:
    """The call fails with this error alone, and neither the case nor any child of it changed."""
    before, kids, events = town.case(town.id), children(town), town.events(town.id)
    with pytest.raises(SiquanError) as info:
        call()
    fault: SiquanError = info.value
    if isinstance(fault, Errors) and error is not Errors:
        [fault] = fault.errors
    assert isinstance(fault, error), fault.full()
    assert (town.case(town.id), children(town), town.events(town.id)) == (before, kids, events)
    return fault


def test_a_sheet_opens_children(database: str, load_plugins: Any, make_town: Any) -> None:
    town = clubs(database, load_plugins, make_town)
    data = sheet(town, members("甲", "乙", "丙"))
    first = bring(town, data, key="k")
    assert (first.rows, first.created, first.updated) == (3, 3, 0)
    assert bring(town, data, key="k") == first and len(children(town)) == 3
    assert [(c.title, c.ordinal, c.state, c.opened_by) for c in children(town)] == [
        ("甲", 1, "applied", "he"), ("乙", 2, "applied", "he"), ("丙", 3, "applied", "he"),
    ]  # fmt: skip
    event = town.events(town.id)[-1]
    assert (event.kind, event.data["rows"], event.data["sheet"]) == ("imported", 3, "成员")
    assert "甲" not in str([e.data for c in children(town) for e in town.events(c.id)])
    # a child's act bumps the parent's children revision and stands in the parent's timeline
    before = town.case(town.id).children_revision
    town.siquan.act(children(town)[0].id, "admit", "he")
    assert town.case(town.id).children_revision == before + 1
    assert town.siquan.case(town.id, "sun").events[0].case == children(town)[0].id
    town.whole()


def test_known_rows_are_corrected(club: Any) -> None:
    bring(club, members("甲", "乙"))
    kids = [c.revision for c in children(club)]
    again = bring(club, members("甲", "乙"))
    assert (again.created, again.updated) == (0, 0) and [c.revision for c in children(club)] == kids
    rows = members("甲", "乙", "丙")
    rows[1]["小时"] = 7
    mixed = bring(club, rows, "ren")
    assert (mixed.created, mixed.updated) == (1, 1)
    assert [c.revision for c in children(club)] == [kids[0], kids[1] + 1, kids[0]]
    view = club.siquan.case(children(club)[1].id, "sun")
    assert {f.path: f.text for f in view.facts}["hours"] == "7" and view.events[0].who == "ren"
    # somebody of the same name in another room is another person
    assert bring(club, [{"姓名": "甲", "房号": "9-9"}]).created == 1
    club.whole()


def test_one_bad_cell_and_nothing_is_imported(club: Any) -> None:
    bring(club, members("甲"))
    rows = members("甲", "乙", "丙", "丁")
    rows[0]["小时"] = 3
    rows[2]["出生日期"] = "去年"
    fault = unchanged(club, BadCell, lambda: bring(club, rows))
    assert str(fault.where) == "成员!C4" and "去年" in fault.text("zh")
    rows[3]["小时"] = -2
    many = unchanged(club, Errors, lambda: bring(club, rows))
    assert [str(e.where) for e in many] == ["成员!C4", "成员!D5"]
    unchanged(club, TwiceRow, lambda: bring(club, [*members("甲"), *members("甲")]))
    unchanged(club, BadInput, lambda: bring(club, []))
    for junk in (b"", b"PK\x03\x04 nothing", b"name,room\n"):
        unchanged(club, NotWorkbook, lambda j=junk: bring(club, j))
    club.whole()


def test_an_oversized_list(club: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = sheet(club, members(*"甲乙丙丁戊己"))
    monkeypatch.setattr(reading, "MAX_ROWS", 5)
    unchanged(club, TooBig, lambda: bring(club, data))


def test_who_may_import_and_when(club: Any) -> None:
    siquan = club.siquan
    for person in ("zhou", "nobody", "system"):
        unchanged(club, NoAccess, lambda p=person: bring(club, members("甲"), p))
    unchanged(club, NoAccess, lambda: bring(club, members("甲"), "sun"))
    unchanged(club, NotFound, lambda: bring(club, sheet(club, members("甲")), target="forged"))
    unchanged(club, Stale, lambda: bring(club, members("甲"), revision=1))
    bring(club, members("甲"))
    siquan.act(club.id, "close", "sun")
    # new names only by who takes the step of this state; known rows by who has a post
    unchanged(club, NoAccess, lambda: bring(club, members("甲", "乙")))
    assert bring(club, members("甲", 小时=2)).updated == 1
    siquan.act(club.id, "end", "sun")
    unchanged(club, Refused, lambda: bring(club, members("乙"), "sun"))
    unchanged(club, Refused, lambda: bring(club, members("甲"), "he"))
    club.whole()


def test_separation_and_recusal_count_for_sheets_too(club: Any) -> None:
    siquan = club.siquan
    bring(club, members("甲", "乙"))
    one, two = (c.id for c in children(club))
    with pytest.raises(StepRefused):
        siquan.act(one, "expel", "he", opinion="不来")  # he stated the facts
    siquan.recuse(two, "ren", "亲属")
    unchanged(club, NoAccess, lambda: bring(club, members("甲", "乙", 小时=5), "ren"))
    siquan.act(one, "admit", "ren")
    siquan.act(one, "expel", "sun", opinion="不来")
    fault = unchanged(club, Refused, lambda: bring(club, members("甲", 小时=5), "ren"))
    assert "已除名" in fault.text("zh") and str(fault.where) == "成员!A2"
    assert bring(club, members("甲"), "ren").updated == 0, "what did not change may stay in the sheet"
    club.whole()


def test_a_closed_child_can_be_opened_again(club: Any) -> None:
    siquan = club.siquan
    bring(club, members("童", 出生日期="2015-05-05"))
    child = children(club)[0].id
    assert siquan.act(child, "admit", "ren").state == "turned_down"
    closed = club.case(child)
    assert (closed.is_open, closed.outcome) == (False, "refused") and closed.closed_at is not None
    with pytest.raises(Refused):
        siquan.supply(child, "ren", {"born": ADULT})
    assert [s.name for s in siquan.case(child, "sun").steps] == ["review"], "the page offers the way back"
    siquan.act(child, "review", "sun", opinion="出生日期录错")
    opened = club.case(child)
    assert (opened.is_open, opened.outcome, opened.closed_at) == (True, None, None)
    siquan.supply(child, "ren", {"born": ADULT})
    assert siquan.act(child, "admit", "he").state == "member"
    club.whole()


def test_one_child_by_its_form(club: Any) -> None:
    siquan = club.siquan
    form = siquan.form(club.id, "enrol", "he", {"person": "甲", "room": "1-1"})
    assert [f.path for f in form.fields] == ["person", "room"] and form.allowed
    done = siquan.act(club.id, "enrol", "he", {"person": "甲", "room": "1-1"}, key="k")
    assert siquan.act(club.id, "enrol", "he", {"person": "甲", "room": "1-1"}, key="k").repeated
    assert (done.state, club.case(done.case).title) == ("applied", "甲")
    assert siquan.add_child(club.id, "members", "he", {"person": "乙"}).number == f"{club.case(club.id).number}-02"
    unchanged(club, NoAccess, lambda: siquan.act(club.id, "enrol", "sun", {"person": "丙"}))
    unchanged(club, SiquanError, lambda: siquan.act(club.id, "enrol", "he", {"forged": 1}))
    unchanged(club, NotFound, lambda: siquan.add_child(club.id, "forged", "he", {}))
    with pytest.raises(BadInput):
        siquan.open_case("club.member", "he", facts={"person": "丁"})
    siquan.act(club.id, "close", "sun")
    # a step that opens a child keeps its own rules: an opinion, and a state it leads to
    unchanged(club, MissingFacts, lambda: siquan.act(club.id, "late", "sun", {"person": "丙"}))
    siquan.act(club.id, "late", "sun", {"person": "丙"}, "漏登")
    assert club.case(club.id).state == "joining" and "漏登" in siquan.case(club.id, "sun").events[0].text
    assert [c.title for c in children(club)] == ["甲", "乙", "丙"]
    club.whole()


def test_a_collection_is_replaced_as_a_whole(database: str, load_plugins: Any, make_town: Any) -> None:
    club = clubs(database, load_plugins, make_town)
    rows = [{"姓名": "甲", "金额": "20.50"}, {"姓名": "乙", "金额": 0}]
    assert bring(club, rows, target="fees").rows == 2
    [fees] = club.siquan.case(club.id, "he").collections
    assert (fees.total, fees.complete, fees.rows[0]) == (2, True, ("甲", "20.5"))
    with club.store.read() as tx:
        assert Context(club.siquan.app, tx, tx.cases.get(club.id)).situation().fact("paid") == 1
    bring(club, [{"姓名": "丙", "金额": 1}], target="fees")
    with club.store.read() as tx:
        assert [r.data["name"] for r in tx.collections.rows(club.id, "fees") if r.data] == ["丙"]
    unchanged(club, BadFact, lambda: club.siquan.supply(club.id, "he", {"paid": 99}))
    assert "paid" not in {f.path for f in club.siquan.supply_form(club.id, "he").fields}
    unchanged(club, BadCell, lambda: bring(club, [{"姓名": "丁", "金额": "很多"}], target="fees"))
    unchanged(club, SiquanError, lambda: club.siquan.supply(club.id, "he", {"fees": [{"name": "丁", "amount": 1}]}))
    unchanged(club, NoAccess, lambda: bring(club, rows, "zhou", "fees"))
    club.whole()


def test_an_export_can_be_imported_again(club: Any) -> None:
    bring(club, members("甲", "乙", 小时=4))
    name, data = club.siquan.sheet(club.id, "members", "sun")
    assert name.endswith(".xlsx")
    again = bring(club, data)
    assert (again.rows, again.created, again.updated) == (2, 0, 0)
    _, empty = club.siquan.sheet(club.id, "members", "he", empty=True)
    unchanged(club, BadInput, lambda: bring(club, empty))
    with pytest.raises(NoAccess):
        club.siquan.sheet(club.id, "members", "zhou")


def test_a_masked_export_does_not_overwrite(sqlite_url: str, write_plugin: Any, make_town: Any) -> None:
    """What an export hides must not come back as the new content."""
    text = """
process: phones
title: 通讯录
roles: {keeper: 管理员}
facts:
  list:
    title: 名册
    type: list
    collection: true
    fields: {name: {title: 姓名, type: text}, phone: {title: 电话, type: text, sensitive: phone}}
excel:
  list: {sheet: 名册, key: [姓名], columns: {姓名: name, 电话: phone}}
states:
  open: {title: 登记, close: {title: 办结, by: keeper, to: done}}
  done: {title: 办结, final: true}
"""
    town = make_town(sqlite_url, write_plugin("phones", text))
    town.settle([("he", "wutongli", "keeper")])
    case = town.siquan.open_case("phones", "he").case
    spec = town.siquan.app.definition("phones").spec.sheets[0]
    data = rows_from_titles(spec, [{"姓名": "甲", "电话": "13812345678"}])
    town.siquan.import_sheet(case, "list", "he", "a.xlsx", data)
    _, masked = town.siquan.sheet(case, "list", "he")
    with pytest.raises(BadInput, match="电话"):
        town.siquan.import_sheet(case, "list", "he", "b.xlsx", masked)
    with town.store.read() as tx:
        assert [r.data["phone"] for r in tx.collections.rows(case, "list") if r.data] == ["13812345678"]
