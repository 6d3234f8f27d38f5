"""Walks through the bundled plugins and through seeded processes: what is covered, the same every time, and every path a
case that passes; and the stories of verify, told again by the real service."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from siquan.core.plugins import Catalogue, discover
from siquan.core.testing.casefile import file_of, keep, written
from siquan.core.testing.coverage import total
from siquan.core.testing.retell import NoStory, retold
from siquan.core.testing.runner import run_case
from siquan.core.testing.walk import Walker
from siquan.core.verify import verify


def samples() -> ModuleType:
    if "explored_samples" not in sys.modules:
        spec = importlib.util.spec_from_file_location("explored_samples", Path(__file__).parents[1] / "unit" / "explored_samples.py")
        assert spec and spec.loader
        sys.modules["explored_samples"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["explored_samples"])
    return sys.modules["explored_samples"]


BAD, GOOD = samples().BAD, samples().GOOD


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return discover()


def load(tmp_path: Path, text: str) -> Catalogue:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    return discover(bundled=False, only=[path])


@pytest.mark.parametrize("process", ["approval.approval", "big_party_committee.quarter", "big_party_committee.staffing", "owners_committee.term_change.candidate_publicity.objection"])
def test_a_process_is_covered_whole(process: str, catalogue: Catalogue) -> None:
    found = Walker(catalogue, process).run()
    assert found.missing == []
    assert found.of("transition")[1] >= 6
    for case in found.cases[:: 1 + len(found.cases) // 12]:
        assert run_case(catalogue, case) == [], case.name


def test_two_walks_are_the_same(catalogue: Catalogue) -> None:
    first, second = (Walker(catalogue, "big_party_committee.quarter").run() for _ in range(2))
    assert [written(c) for c in first.cases] == [written(c) for c in second.cases]


def test_values_are_found_without_the_plugins_own_cases(catalogue: Catalogue) -> None:
    found = Walker(catalogue, "approval.approval", borrow=False).run()
    assert found.missing == []
    sums = total([found])
    assert sums["transition"] == (6, 6) and sums["rule"] == (2, 2)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_process_is_covered_whole(name: str, tmp_path: Path) -> None:
    catalogue = load(tmp_path, GOOD[name])
    found = Walker(catalogue, "bad.bad").run()
    assert [m for m in found.missing if m[0] != "rule"] == []


def test_what_cannot_be_covered_says_why(tmp_path: Path) -> None:
    catalogue = load(tmp_path, BAD["a state behind a rule that cannot pass there"][1])
    found = Walker(catalogue, "bad.bad").run()
    lost = {(k, n): w for k, n, w in found.missing}
    assert ("state", "second") in lost and ("transition", "first · special → second") in lost
    assert "类别" in lost["transition", "first · special → second"]
    assert found.of("state") == (3, 4)


@pytest.mark.parametrize("name", BAD)
def test_a_story_is_kept_as_a_case_that_passes(name: str, tmp_path: Path) -> None:
    code, text = BAD[name]
    catalogue = load(tmp_path, text)
    finding = next(f for f in verify(catalogue, "bad") if f.code == code)
    case = retold(catalogue, finding)
    path = file_of(catalogue, case.process)
    keep(path, case.process, [written(case)], "留下的")
    again = discover(bundled=False, only=[path])
    kept = again.plugin("bad").processes[0].cases
    assert len(kept) == 1 and run_case(again, kept[0].model_copy(update={"process": "bad.bad"})) == []
    assert path.read_text(encoding="utf-8").startswith(text.rstrip("\n"))
    if finding.way is not None and finding.way.barred:
        assert kept[0].steps[-1].act == finding.way.barred and kept[0].steps[-1].refused not in ("", "true")


def test_a_finding_without_steps_cannot_be_kept(tmp_path: Path) -> None:
    catalogue = load(tmp_path, next(iter(GOOD.values())))
    finding = next(f for f in verify(catalogue, "bad") if f.way is None)
    with pytest.raises(NoStory):
        retold(catalogue, finding)


# tasks: work that is dispatched and claimed, signatures

#: its first state is signed, its second is dispatched, claimed and waits for co-handlers
SIGNED = """
process: s
title: 签了再办
roles: {a: 甲岗@community, b: 乙岗@community, c: 丙岗@street, m: 管签岗@street, d: 派单岗@street}
opening: [matter]
name: matter
facts:
  matter: {title: 事由, type: text, by: a}
  n: {title: 数, type: integer, min: 1, by: a}
rules:
  big: {list: [{id: B-1, title: 太大, when: n > 5, outcome: BLOCK, basis: LOCAL, cite: 本地设定}]}
states:
  draft:
    title: 提出
    submit: {title: 提交, by: a, needs: [n], to: sign}
  sign:
    title: 签署
    sign: {by: [b, c], mode: MODE, each: EACH, SHARE manage: m, agree: pass, refuse: back}
    pass: {title: 通过, check: [big], to: work}
    back: {title: 不通过, opinion: required, reasons: {poor: 不好}, to: draft}
  work:
    title: 办理
    task: {dispatcher: [d, m], claim: true, wait: true}
    ask: {title: 问一问, by: b, to: same}
    done: {title: 办完, by: [b, c], to: end}
  end: {title: 办结, final: true}
"""


def signed(tmp_path: Path, mode: str = "all", each: str = "person") -> Catalogue:
    share = "share: 2/3," if mode == "share" else ""
    path = tmp_path / "s.yaml"
    path.write_text(SIGNED.replace("MODE", mode).replace("EACH", each).replace("SHARE", share), encoding="utf-8")
    return discover(bundled=False, only=[path])

def test_joint_orders_are_walked_through_dispatch_claims_co_handlers_and_signatures(catalogue: Catalogue) -> None:
    found = Walker(catalogue, "joint_order.joint_order").run()
    assert found.missing == []
    done = {s.task for c in found.cases for s in c.steps if s.task}
    assert {"dispatch", "claim", "assist_done", "sign"} <= done
    assert {s.result for c in found.cases for s in c.steps if s.task == "sign"} == {"agree", "refuse"}
    for case in found.cases:
        assert run_case(catalogue, case) == [], case.name


@pytest.mark.parametrize("mode", ["all", "any", "order", "share"])
@pytest.mark.parametrize("each", ["person", "role"])
def test_every_way_of_signing_is_walked_to_agree_and_to_refuse(mode: str, each: str, tmp_path: Path) -> None:
    catalogue = signed(tmp_path, mode, each)
    found = Walker(catalogue, "s.s").run()
    assert found.missing == []
    # the second dispatcher, who also looks after the signers, and the rule that refuses the signature that decides
    assert {("role", "d"), ("role", "m"), ("rule", "big · B-1")} <= found.covered
    assert any(s.task == "sign" and s.refused == "B-1" for c in found.cases for s in c.steps)
    for case in found.cases:
        assert run_case(catalogue, case) == [], case.name


def test_what_cannot_be_signed_is_said_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    text = SIGNED.replace("MODE", "share").replace("EACH", "role").replace("SHARE", "share: nowhere.set,")
    path.write_text(text + "parameters:\n  nowhere.set: {2026-01-01: {value: null, basis: LOCAL, cite: 本地设定}}\n", encoding="utf-8")
    found = Walker(discover(bundled=False, only=[path]), "s.s").run()
    why = {name: why for _, name, why in found.missing}
    assert "nowhere.set" in why["sign · pass → work"] and "nowhere.set" in why["sign · back → draft"]


# what no form can bring about

@pytest.fixture(scope="module")
def patterns() -> Catalogue:
    return discover(bundled=False, only=[Path(__file__).parents[2] / "docs" / "examples" / "patterns"])


def test_steps_that_only_write_facts_are_taken_on_the_way_to_a_step_that_reads_them(patterns: Catalogue) -> None:
    found = Walker(patterns, "patterns.tour").run()
    assert found.missing == []
    assert any([s.act for s in c.steps if not s.refused][:4] in (["go", "lamps", "doors", "finish"], ["go", "doors", "lamps", "finish"]) for c in found.cases)


def test_what_the_parent_is_said_to_be_its_forms_would_take(patterns: Catalogue) -> None:
    found = Walker(patterns, "patterns.group").run()
    assert found.of("rule") == (2, 2)
    asked = {c.because: c.given["parent"] for c in found.cases if c.decide}
    assert asked[("GR-2",)] == {"enrolling": False} and "size" not in asked[("GR-1",)]["groups"]["value"][0]
    for case in found.cases:
        assert run_case(patterns, case) == [], case.name
