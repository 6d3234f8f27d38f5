"""The life of a version on both databases: what may follow on what, who may sign, what applies on which day."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from siquan.core.errors import Stale
from siquan.core.plugins import Catalogue
from siquan.core.policy.edits import BadEdit, Editor
from siquan.core.policy.force import Force
from siquan.core.policy.life import Life, VersionRefused
from siquan.core.store import audit
from siquan.core.store.database import Store
from siquan.core.store.rows import RuleVersion

SET = "approval.level"
DAY = dt.date(2026, 11, 23)
RAISE = {"op": "param", "name": "district_from", "since": "2027-01-01", "value": "8000", "basis": "LOCAL", "cite": "本地设定"}


class Desk:
    """A store, a life, and a day that moves on."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self.store, self.force, self.day = store, Force(catalogue), DAY
        self.life = Life(self.force)

    def draft(self, *edits: dict[str, Any]) -> RuleVersion:
        with self.store.begin() as tx:
            row = self.life.start(tx, SET, "qin")
        return self.edit(row, *edits) if edits else row

    def edit(self, row: RuleVersion, *edits: dict[str, Any], by: str = "qin") -> RuleVersion:
        with self.store.begin() as tx:
            home = self.force.on(tx, "approval", self.day).rulesets[SET]
            editor = Editor(self.life.base(tx, row), self.force.ahead(tx, "approval"), self.day, home)
            return self.life.edit(tx, tx.policies.lock(row.id), by, edits, editor)

    def submit(self, row: RuleVersion, effective: dt.date = dt.date(2027, 1, 1)) -> RuleVersion:
        with self.store.begin() as tx:
            return self.life.submit(tx, tx.policies.lock(row.id), "qin", effective, "区里的文件", self.day, {})

    def sign(self, row: RuleVersion, by: str = "shen", approve: bool = True, opinion: str = "") -> RuleVersion:
        with self.store.begin() as tx:
            return self.life.sign(tx, tx.policies.lock(row.id), by, approve, opinion, self.day)

    def publish(self, row: RuleVersion) -> RuleVersion:
        with self.store.begin() as tx:
            return self.life.publish(tx, row, "qin", self.day)

    def withdraw(self, row: RuleVersion) -> RuleVersion:
        with self.store.begin() as tx:
            return self.life.withdraw(tx, row, "shen", "文件撤销", self.day)

    def published(self, effective: dt.date = dt.date(2027, 1, 1), *edits: dict[str, Any]) -> RuleVersion:
        return self.publish(self.sign(self.submit(self.draft(*edits or (RAISE,)), effective)))

    def value(self, on: dt.date, known: dt.datetime | None = None) -> Any:
        with self.store.read() as tx:
            return self.force.on(tx, "approval", on, known).book.value("district_from", on)

    def version(self, on: dt.date) -> str:
        with self.store.read() as tx:
            return self.force.on(tx, "approval", on).rulesets[SET].version


@pytest.fixture
def desk(store: Store, approval: Catalogue) -> Desk:
    return Desk(store, approval)


def test_a_published_value_applies_from_its_day_and_was_known_from_its_moment(desk: Desk) -> None:
    before = desk.value(dt.date(2027, 1, 1))
    with desk.store.begin() as tx:
        moment = tx.at
    row = desk.published()
    assert (desk.value(dt.date(2026, 12, 31)), desk.value(dt.date(2027, 1, 1))) == (5000, 8000)
    assert desk.value(dt.date(2027, 1, 1), known=moment) == before == 5000
    assert (desk.version(dt.date(2026, 12, 31)), desk.version(dt.date(2027, 1, 1))) == ("shipped", f"v{row.number}")
    assert audit.verify(desk.store) == []


def test_the_way_to_force_cannot_be_shortened(desk: Desk) -> None:
    row = desk.draft(RAISE)
    for step in (desk.sign, desk.publish, desk.withdraw):
        with pytest.raises(VersionRefused):
            step(row)
    row = desk.submit(row)
    with pytest.raises(VersionRefused):
        desk.edit(row, RAISE)
    for person in ("qin",):  # who wrote it
        with pytest.raises(VersionRefused):
            desk.sign(row, person)
    row = desk.sign(row)
    assert row.status == "approved"  # rules that reject nobody take one signature
    with pytest.raises(VersionRefused):
        desk.sign(row, "fan")
    row = desk.publish(row)
    for step in (desk.publish, desk.submit, desk.sign):
        with pytest.raises(VersionRefused):
            step(row)
    with pytest.raises(VersionRefused):
        desk.edit(row, {**RAISE, "since": "2028-01-01"})


def test_whoever_put_a_hand_to_it_cannot_approve_it(desk: Desk) -> None:
    row = desk.edit(desk.draft(), RAISE, by="shen")
    row = desk.submit(row)
    with pytest.raises(VersionRefused):
        desk.sign(row, "shen")
    assert desk.sign(row, "fan").status == "approved"


def test_rules_that_may_reject_take_two_others(desk: Desk) -> None:
    row = desk.submit(desk.draft({"op": "rule", "rule": "L1", "fields": {"outcome": "REJECT", "basis": "STATUTE", "cite": "S1"}}))
    row = desk.sign(row)
    assert row.status == "review"
    with pytest.raises(VersionRefused):
        desk.sign(row, "shen")
    assert desk.sign(row, "fan").status == "approved"


def test_a_return_starts_the_signatures_over(desk: Desk) -> None:
    row = desk.submit(desk.draft(RAISE))
    with pytest.raises(VersionRefused):
        desk.sign(row, approve=False)
    row = desk.sign(row, approve=False, opinion="出处写错了")
    assert row.status == "draft"
    row = desk.submit(desk.edit(row, {**RAISE, "cite": "另一份文件"}))
    assert desk.sign(row).status == "approved"


def test_two_editors_do_not_overwrite_each_other(desk: Desk) -> None:
    row = desk.draft()
    desk.edit(row, RAISE)
    with pytest.raises(Stale), desk.store.begin() as tx:
        tx.policies.change(row, content="{}")
    with desk.store.read() as tx:
        assert "8000" in tx.policies.get(row.id).content


def test_the_next_version_follows_the_last_and_takes_it_in(desk: Desk) -> None:
    first, second = desk.draft(RAISE), desk.draft({"op": "rule", "rule": "L2", "fields": {"say": "社区自己办结"}})
    desk.publish(desk.sign(desk.submit(first)))
    with pytest.raises(VersionRefused, match="meanwhile|这期间"):
        desk.submit(second)
    with desk.store.begin() as tx:
        second = desk.life.merge(tx, tx.policies.lock(second.id), "qin")
    with pytest.raises(VersionRefused, match="takes effect"):
        desk.submit(second, dt.date(2027, 1, 1))
    second = desk.publish(desk.sign(desk.submit(second, dt.date(2027, 2, 1))))
    assert [desk.version(d) for d in (dt.date(2026, 12, 31), dt.date(2027, 1, 31), dt.date(2027, 2, 1))] == ["shipped", "v1", "v2"]
    assert desk.value(dt.date(2027, 2, 1)) == 8000


def test_a_future_version_is_withdrawn_on_its_eve(desk: Desk) -> None:
    row = desk.published()
    desk.day = dt.date(2026, 12, 31)
    row = desk.withdraw(row)
    assert row.status == "withdrawn"
    assert (desk.value(dt.date(2027, 1, 1)), desk.version(dt.date(2027, 6, 1))) == (5000, "shipped")
    with pytest.raises(VersionRefused):
        desk.withdraw(row)
    assert audit.verify(desk.store) == []


def test_what_applied_is_followed_by_what_it_replaced(desk: Desk) -> None:
    row = desk.published()
    desk.day = dt.date(2027, 3, 1)
    desk.withdraw(row)
    assert [desk.value(d) for d in (dt.date(2027, 2, 28), dt.date(2027, 3, 1))] == [8000, 5000]
    assert [desk.version(d) for d in (dt.date(2027, 2, 28), dt.date(2027, 3, 1))] == ["v1", "shipped"]


def test_nothing_takes_effect_in_the_past(desk: Desk) -> None:
    row = desk.draft({"op": "rule", "rule": "L2", "fields": {"say": "社区自己办结"}})
    with pytest.raises(VersionRefused, match="passed"):
        desk.submit(row, dt.date(2026, 11, 22))
    row = desk.sign(desk.submit(row, DAY))
    desk.day = dt.date(2026, 11, 24)  # it lay too long
    with pytest.raises(VersionRefused, match="passed"):
        desk.publish(row)
    with pytest.raises(BadEdit):
        desk.edit(desk.draft(), {**RAISE, "since": "2026-11-23"})


def test_a_tampered_version_is_found(desk: Desk) -> None:
    row = desk.published()
    with desk.store.begin() as tx:
        tx.conn.execute(sa.text("UPDATE rule_version SET content = replace(content, '8000', '9000') WHERE id = :id"), {"id": row.id})
    assert [f.code for f in audit.verify(desk.store)] == ["SQA17"]
    with desk.store.begin() as tx:
        tx.conn.execute(sa.text("UPDATE rule_event SET actor = 'nobody' WHERE seq = 2"))
        tx.conn.execute(sa.text("DELETE FROM rule_event WHERE seq = 3"))
    assert {f.code for f in audit.verify(desk.store)} >= {"SQA15", "SQA16", "SQA17"}


def test_the_daily_root_covers_the_rules(desk: Desk) -> None:
    desk.published()
    with desk.store.read() as tx:
        late = tx.now() + dt.timedelta(days=2)
    sealed = Store(desk.store.engine.url.render_as_string(hide_password=False), lambda: late, lambda: "x")
    assert audit.seal(sealed) == [DAY]
    assert audit.verify(sealed) == []
    with sealed.begin() as tx:
        tx.conn.execute(sa.text("UPDATE rule_event SET hash = prev_hash WHERE seq = 5"))
    assert "SQA11" in {f.code for f in audit.verify(sealed)}


def test_a_changed_baseline_arrives_as_a_draft(desk: Desk, approval: Catalogue, write_plugin: Any, store: Store) -> None:
    desk.published(dt.date(2027, 1, 1), RAISE, {"op": "rule", "rule": "L2", "fields": {"say": "社区自己办结"}})
    text = (approval.plugin("approval").path and open(approval.plugin("approval").path, encoding="utf-8").read()).replace("超过{district_from}元,需区级确认", "超过{district_from}元，要区级确认")
    later = Desk(store, write_plugin("approval", text))
    with store.begin() as tx:
        found = later.life.arrivals(tx)
        assert [(v.origin, v.status) for v in found] == [("baseline", "draft")]
        content = found[0].content
        assert "要区级确认" in content and "社区自己办结" in content  # both changes
        assert later.life.arrivals(tx) == []  # it arrives once
    assert later.version(dt.date(2027, 1, 1)) == "v1"  # and overwrites nothing


def lower(value: str, since: str = "2026-11-23") -> dict[str, Any]:
    return {**RAISE, "value": value, "since": since}


def test_two_withdrawals_on_one_day_leave_what_was_before(desk: Desk) -> None:
    first = desk.published(dt.date(2026, 12, 1), lower("6000", "2026-12-01"))
    second = desk.published(dt.date(2026, 12, 10), lower("9000", "2026-12-10"))
    desk.day = dt.date(2026, 12, 20)
    for row in (second, first):
        desk.withdraw(row)
    days = (dt.date(2026, 11, 30), dt.date(2026, 12, 1), dt.date(2026, 12, 10), dt.date(2026, 12, 19), dt.date(2026, 12, 20))
    assert [desk.value(d) for d in days] == [5000, 6000, 9000, 9000, 5000]


def test_a_value_for_one_place_goes_back_to_the_general_one(desk: Desk) -> None:
    row = desk.published(dt.date(2026, 11, 24), {**lower("100", "2026-11-24"), "place": "wutongli"})

    def there(on: dt.date) -> Any:
        with desk.store.read() as tx:
            return desk.force.on(tx, "approval", on).book.value("district_from", on, ("wutongli",))

    assert there(dt.date(2026, 11, 24)) == 100
    desk.day = dt.date(2026, 11, 26)
    desk.withdraw(row)
    assert (there(dt.date(2026, 11, 25)), there(dt.date(2026, 11, 26))) == (100, 5000)


def test_a_value_does_not_count_before_its_version(desk: Desk) -> None:
    row = desk.draft(lower("6000", "2026-11-24"))
    with pytest.raises(VersionRefused, match="before the version"):
        desk.submit(row, dt.date(2027, 3, 1))


def test_one_day_takes_one_value_across_drafts(desk: Desk) -> None:
    first, second = desk.draft(RAISE), desk.draft(lower("9000", "2027-01-01"))
    desk.publish(desk.sign(desk.submit(first)))
    with desk.store.begin() as tx:
        second = desk.life.merge(tx, tx.policies.lock(second.id), "qin")
    with pytest.raises(VersionRefused):
        desk.submit(second, dt.date(2027, 1, 1))


def test_what_is_approved_can_still_go_back(desk: Desk) -> None:
    row = desk.sign(desk.submit(desk.draft(RAISE)))
    row = desk.sign(row, "fan", approve=False, opinion="等文件正式印发")
    assert row.status == "draft"
    row = desk.submit(row)
    with desk.store.begin() as tx:
        row = desk.life.recall(tx, tx.policies.lock(row.id), "qin")
    assert row.status == "draft"
    # its date passes while it waits: nobody signs it any more, and it can be taken back
    row = desk.submit(row)
    desk.day = dt.date(2027, 1, 2)
    with pytest.raises(VersionRefused, match="passed"):
        desk.sign(row)


def test_control_characters_reach_no_database(desk: Desk) -> None:
    row = desk.submit(desk.draft(RAISE))
    for bad in ("a\x00b", "\ud800"):
        with pytest.raises(BadEdit):
            desk.sign(row, approve=True, opinion=bad)
