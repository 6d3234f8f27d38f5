"""What `verify` finds by following states and facts together: each seeded fault by its code and a story, and no false alarm."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from explored_samples import BAD, DONE, GOOD, HEAD, states

from siquan.core.plugins import Catalogue, discover
from siquan.core.verify import Finding, verify
from siquan.core.verify import explore as exploring
from siquan.core.verify.explore import explored

#: what is asked of a whole plugin and not of a sample
OUTSIDE = {"V017", "V018", "V020", "V010"}
CODES = {f"V0{n}" for n in range(32, 40)}


def load(tmp_path: Path, text: str) -> Catalogue:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    catalogue = discover(bundled=False, only=[path])
    for found in catalogue.found:
        if found.error is not None:
            raise found.error
    return catalogue


def found(tmp_path: Path, text: str) -> list[Finding]:
    return [f for f in verify(load(tmp_path, text), "bad") if f.code not in OUTSIDE]


@pytest.mark.parametrize("name", BAD)
def test_a_seeded_fault_is_found_with_its_story(name: str, tmp_path: Path) -> None:
    code, text = BAD[name]
    mine = [f for f in found(tmp_path, text) if f.code == code]
    assert mine, "not found"
    first = mine[0]
    assert first.where is not None and first.where.line > 0
    assert first.story and first.zh and first.en and first.help_zh and first.help_en
    outside = "".join(first.en.split("`")[::2])
    assert not any("一" <= c <= "鿿" for c in outside)


#: a fault that shows by more than one code: what else may be said of it
ALSO = {
    "a state behind a rule that cannot pass there": {"V034"},
    "a branch that was led away before": {"V032"},
}


@pytest.mark.parametrize("name", BAD)
def test_nothing_else_is_said_of_it(name: str, tmp_path: Path) -> None:
    code, text = BAD[name]
    assert {f.code for f in found(tmp_path, text)} <= {code} | ALSO.get(name, set())


@pytest.mark.parametrize("name", GOOD)
def test_its_good_neighbour_raises_nothing(name: str, tmp_path: Path) -> None:
    assert [f.full("en") for f in found(tmp_path, GOOD[name])] == []


def test_there_are_at_least_twelve_of_each() -> None:
    assert len(BAD) >= 12 and len(GOOD) >= 12


def test_the_story_is_the_shortest_and_counts_repeats(tmp_path: Path) -> None:
    first = next(f for f in found(tmp_path, BAD["after two supplements nobody may act"][1]) if f.code == "V033")
    assert first.story[0] == "提交" and "两次" in first.story[1] and first.story[-1] == "无人可办"
    assert first.way is not None and [s.step for s in first.way.steps] == ["submit", "fix", "fixed", "fix", "fixed"]


def test_a_state_two_deadlines_leave_names_the_day(tmp_path: Path) -> None:
    first = next(f for f in found(tmp_path, BAD["two deadlines on one day"][1]) if f.code == "V037")
    assert any(s.startswith("202") for s in first.story)


def test_bounds_are_said_and_nothing_is_claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = ", ".join(f"f{n}: {{title: 第{n}项, type: boolean, by: clerk}}" for n in range(12))
    conditions = " or ".join(f"f{n}" for n in range(12))
    text = HEAD + f"facts: {{{facts}}}\n" + f"""
rules:
  any: {{list: [{{id: B-1, title: 有一项, when: {conditions}, outcome: BLOCK, basis: LOCAL, cite: 本地设定}}]}}
""" + states("".join(f"  s{n}: {{title: 第{n}步, next: {{title: 下一步, by: clerk, needs: [f{n}], to: s{n + 1}}}}}\n" for n in range(12)) + """
  s12: {title: 最后, finish: {title: 办结, by: clerk, check: [any], to: done}}
""")  # fmt: skip
    monkeypatch.setattr(exploring, "MOST", 500)
    mine = found(tmp_path, text)
    assert {f.code for f in mine} == {"V039"} and mine[0].severity == "warning"


def test_too_many_facts_are_walked_group_by_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = ", ".join(f"f{n}: {{title: 第{n}项, type: boolean, by: clerk}}" for n in range(10))
    rules = ", ".join(f"{{id: B-{n}, title: 第{n}项, when: f{n}, outcome: BLOCK, basis: LOCAL, cite: 本地设定}}" for n in range(10))
    text = HEAD + f"facts: {{{facts}}}\nrules:\n  any: {{list: [{rules}]}}\n" + states("".join(
        f"  s{n}: {{title: 第{n}步, next: {{title: 下一步, by: clerk, needs: [f{n}], to: s{n + 1}}}}}\n" for n in range(10)) + """
  s10: {title: 最后, finish: {title: 办结, by: clerk, check: [any], to: done}}
""")  # fmt: skip
    monkeypatch.setattr(exploring, "MOST", 300)
    catalogue = load(tmp_path, text)
    walked = explored(catalogue.definitions["bad.bad"], catalogue)
    assert not walked.whole and not walked.cut and len(walked.parts) > 5
    codes = {f.code for f in verify(catalogue, "bad")} & CODES
    # each of the ten facts may shut the only way on, and that is found although they were never combined
    assert codes == {"V033", "V039"}


def test_the_bundled_plugins_are_clean_and_quickly_explored() -> None:
    catalogue = discover()
    begun = time.process_time()
    for plugin in catalogue.plugins:
        mine = [f for f in verify(catalogue, plugin.name) if f.severity != "note"]
        assert mine == [], "\n".join(f.full() for f in mine)
    assert time.process_time() - begun < 10


def test_boolean_branches_are_written_as_in_yaml(tmp_path: Path) -> None:
    text = HEAD + "facts: {ok: {title: 合格, type: boolean, by: clerk}}\n" + """
rules:
  fit: {inputs: [ok], rows: [{id: B-1, ok: true, out: true}, {id: B-2, ok: false, out: false}]}
""" + "states:\n  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [ok], decide: fit, to: {true: done, false: failed}}}\n  failed: {title: 不合格, final: true}\n" + DONE
    assert [f.full("en") for f in found(tmp_path, text)] == []


def test_a_boolean_branch_that_is_missing_is_named_as_written(tmp_path: Path) -> None:
    text = HEAD + "facts: {ok: {title: 合格, type: boolean, by: clerk}}\n" + """
rules:
  fit: {inputs: [ok], rows: [{id: B-1, ok: true, out: true}, {id: B-2, ok: false, out: false}]}
""" + "states:\n  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [ok], decide: fit, to: {true: done}}}\n" + DONE
    mine = [f for f in found(tmp_path, text) if f.code == "V006"]
    assert len(mine) == 1 and "`false`" in mine[0].en


def test_a_table_is_asked_for_every_number_that_is_counted(tmp_path: Path) -> None:
    """Two lies between the bounds of the table as much as one does: the third try comes, and it leads elsewhere."""
    text = HEAD + "facts: {lit: {title: 亮了, type: boolean, by: clerk}, tries: {title: 次数, type: integer, min: 0, by: lead}}\n" + """
rules:
  again:
    inputs: [lit, tries]
    rows: [{id: B-1, lit: "true", out: good}, {id: B-2, lit: "false", tries: "< 3", out: again}, {id: B-3, lit: "false", tries: ">= 3", out: give_up}]
""" + states("""
  draft: {title: 起草, submit: {title: 提交, by: clerk, set: {tries: "0"}, to: doing}}
  doing: {title: 办理, did: {title: 办过, by: clerk, set: {tries: tries + 1}, to: check}}
  check: {title: 验收, inspect: {title: 验收, by: clerk, needs: [lit], decide: again, to: {good: done, again: doing, give_up: given_up}}}
  given_up: {title: 放弃, final: true}
""")
    assert [f.full("en") for f in found(tmp_path, text) if f.code in CODES] == []
