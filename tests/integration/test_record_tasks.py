"""Joint orders that happened, with everything people do with tasks, recorded as test cases that come out the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from siquan.core.spec.model import CaseSpec
from siquan.core.testing.casefile import item, text_of, written
from siquan.core.testing.record import NotReproduced, Recorder

JOINT = Path(__file__).parents[2] / "plugins" / "joint_order.yaml"
#: login, unit, role; two communities' officers, two of the street
PEOPLE = (
    ("lindeming", "guixiang", "street"), ("chenxiu", "guixiang", "street"), ("wangfang", "wutongli", "community"), ("liujie", "wutongli", "community"),
    ("zhaojun", "guixiang", "urban_mgmt"), ("sunli", "wutongli", "leader"), ("zhoutao", "guixiang", "street_lead"),
)  # fmt: skip


@pytest.fixture
def joint(sqlite_url: str, load_plugins: Callable[..., Any], make_town: Callable[..., Any]) -> Any:
    town = make_town(sqlite_url, load_plugins(JOINT))
    town.settle(PEOPLE)
    return town


def order(town: Any) -> str:
    case = str(town.siquan.open_case("joint_order.joint_order", "lindeming", "wutongli", {"matter": "占道"}).case)
    town.siquan.act(case, "submit", "lindeming")
    return case


def recorded(town: Any, case: str) -> CaseSpec:
    recorder = Recorder(town.siquan, town.siquan.app.catalogue)
    found = recorder.record(case, "lindeming")
    assert recorder.notes == []
    text = "\n".join(item(written(found)))
    assert not [login for login, _, _ in PEOPLE if login in text] and "占道" not in text
    return found


def handled(town: Any, case: str, lead: str = "wangfang") -> None:
    verb = town.siquan.verb
    verb(case, "dispatch", "chenxiu", to=lead, others=["zhaojun", "liujie" if lead != "liujie" else "wangfang"])
    verb(case, "claim", lead)
    for helper in ("zhaojun", "liujie" if lead != "liujie" else "wangfang"):
        verb(case, "assist_done", helper, opinion="清完了，张三也在")
    town.siquan.act(case, "finish", lead, {"result": "清理完"})


def test_dispatch_to_issue_is_recorded_with_who_did_what(joint: Any) -> None:
    case, verb = order(joint), joint.siquan.verb
    handled(joint, case)
    joint.clock.move(dt.date(2026, 11, 25))
    verb(case, "sign", "liujie", result="agree")
    verb(case, "sign", "zhaojun", result="agree")
    verb(case, "sign", "sunli", result="agree")
    verb(case, "sign", "zhoutao", result="agree")
    found = recorded(joint, case)
    assert found.expect == "issued"
    signed = [s for s in found.steps if s.task == "sign"]
    assert [s.expect for s in signed] == ["", "issue", "", "issued"] and signed[0].on == dt.date(2026, 11, 25)
    assert {"street", "street/2", "community", "community/2", "urban_mgmt", "community_lead"} <= {s.by for s in found.steps}
    assert next(s for s in found.steps if s.task == "dispatch").others == ("urban_mgmt", "community/2")


def test_declines_delegation_and_transfer_are_recorded(joint: Any) -> None:
    case, verb = order(joint), joint.siquan.verb
    verb(case, "dispatch", "lindeming", to="zhaojun")
    verb(case, "decline", "zhaojun", reason="no_power", opinion="没有船")
    verb(case, "dispatch", "lindeming", to="wangfang")
    verb(case, "claim", "wangfang")
    verb(case, "delegate", "wangfang", to="zhaojun")
    verb(case, "recall", "wangfang")
    verb(case, "delegate", "wangfang", to="liujie")
    verb(case, "hand_back", "liujie", opinion="谈好了")
    verb(case, "transfer", "wangfang", to="liujie")
    verb(case, "claim", "liujie")
    joint.siquan.act(case, "finish", "liujie", {"result": "移走"})
    found = recorded(joint, case)
    assert [s.task for s in found.steps if s.task] == ["dispatch", "decline", "dispatch", "claim", "delegate", "recall", "delegate", "hand_back", "transfer", "claim"]
    assert next(s for s in found.steps if s.task == "decline").reason == "no_power" and found.expect == "confer"


def test_signers_added_and_removed_and_a_refusal_are_recorded(joint: Any) -> None:
    case, verb = order(joint), joint.siquan.verb
    handled(joint, case, lead="liujie")
    verb(case, "add_signer", "lindeming", to="zhoutao")
    verb(case, "remove_signer", "lindeming", to="zhoutao")
    verb(case, "add_signer", "wangfang", to="zhoutao", before=True)
    verb(case, "sign", "zhoutao", result="refuse", opinion="不行", reason="half_done")
    verb(case, "sign", "wangfang", result="refuse", opinion="同上", reason="other_way")
    found = recorded(joint, case)
    assert found.expect == "handle"
    assert [s.before for s in found.steps if s.task == "add_signer"] == [False, True]
    assert [(s.result, s.reason, s.expect) for s in found.steps if s.task == "sign"] == [("refuse", "half_done", ""), ("refuse", "other_way", "handle")]


def test_work_an_administrator_moved_is_told_as_passed_on(joint: Any) -> None:
    case, verb = order(joint), joint.siquan.verb
    verb(case, "dispatch", "lindeming", to="wangfang")
    verb(case, "claim", "wangfang")
    (moved,) = joint.siquan.move_work("wangfang", ["liujie"], "lindeming", trusted=True)
    assert moved.taker
    joint.siquan.act(case, "finish", "liujie", {"result": "移走"})
    found = recorded(joint, case)
    assert [(s.task, s.by, s.to) for s in found.steps if s.task][-2:] == [("transfer", "community", "community/2"), ("claim", "community/2", "")]


def test_the_file_is_read_back_as_the_same_case(joint: Any, tmp_path: Path, load_plugins: Callable[..., Any]) -> None:
    case = order(joint)
    handled(joint, case)
    found = recorded(joint, case)
    folder = tmp_path / "joint_order"
    (folder / "workflows").mkdir(parents=True)
    (folder / "cases").mkdir()
    (folder / "workflows" / "joint_order.yaml").write_text(JOINT.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "cases" / "kept.yaml").write_text(text_of([written(found)], "joint_order"), encoding="utf-8")
    loaded = load_plugins(folder).definition("joint_order.joint_order").spec.cases[-1]
    assert [s.model_dump(exclude={"where"}) for s in loaded.steps] == [s.model_dump(exclude={"where"}) for s in found.steps]


def test_a_signature_given_for_somebody_else_has_no_case_and_says_so(joint: Any) -> None:
    case = order(joint)
    handled(joint, case)
    joint.siquan.substitute("liujie", "zhoutao", dt.date(2026, 11, 23), dt.date(2026, 12, 1), by="liujie")
    joint.siquan.verb(case, "sign", "zhoutao", result="agree")
    with pytest.raises(NotReproduced):
        Recorder(joint.siquan, joint.siquan.app.catalogue).record(case, "lindeming")
