"""Every check of `siquan verify`: one tiny process that shows exactly its fault, and a good one that shows none."""

from __future__ import annotations

from pathlib import Path

import pytest
from explored_samples import BAD

from siquan.core.errors import Errors, SiquanError
from siquan.core.plugins import Catalogue, bundled_dirs, discover
from siquan.core.verify import CHECKS, Finding, verify

HEAD = """
process: bad
title: 坏流程
roles: {clerk: 经办@community, lead: 书记@community}
"""
AMOUNT = "facts: {amount: {title: 金额, type: decimal, unit: 元, min: 0, by: clerk}}\n"
SIMPLE = """
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], to: done}}
  done: {title: 办结, final: true}
cases:
  - {name: 走完, given: {amount: 1}, act: [submit], expect: done}
"""

#: signed, and one role signs for itself
SIGNED = AMOUNT + """
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], to: vote}}
  vote:
    title: 会签
    sign: {by: [clerk, lead], each: role, agree: pass, refuse: back}
    pass: {title: 通过, to: done}
    back: {title: 不通过, to: draft}
  done: {title: 办结, final: true}
cases:
  - {name: 通过, given: {amount: 1}, steps: [{act: submit}, {task: sign, by: clerk, result: agree}, {task: sign, by: lead, result: agree, expect: done}], expect: done}
  - {name: 不通过, given: {amount: 1}, steps: [{act: submit}, {task: sign, by: clerk, result: refuse, expect: draft}], expect: draft}
"""
#: work that is dispatched and may be declined
SENT = AMOUNT + """
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], to: work}}
  work:
    title: 办理
    task: {dispatcher: clerk, decline: {not_ours: 不归我们}, declines: most}
    finish: {title: 办完, by: lead, to: done}
  done: {title: 办结, final: true}
cases:
  - {name: 走完, given: {amount: 1}, steps: [{act: submit}, {task: dispatch, by: clerk, to: lead}, {act: finish, by: lead}], expect: done}
parameters: {bad.most: {2026-01-01: {value: 2, basis: LOCAL, cite: 本地设定}}}
"""
#: what is found besides, for the same reason
ALSO = {"V040": {"V033", "V038"}}
BROKEN: dict[str, str] = {
    "V041": HEAD + SENT.replace("declines: most", "declines: bad.many").replace("parameters: {bad.most: {2026-01-01: {value: 2, basis: LOCAL, cite: 本地设定}}}\n", ""),
    "V042": HEAD + SIGNED.replace("pass: {title: 通过,", "pass: {title: 通过, not_same_as: vote,"),
    "V043": HEAD + AMOUNT + """
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], to: wait}}
  wait: {title: 等候, task: {claim: true}, due: {title: 等候, after: 3 days, then: close, basis: LOCAL, cite: 本地设定}, close: {title: 到期办结, auto: true, to: done}}
  done: {title: 办结, final: true}
cases:
  - {name: 走完, given: {amount: 1}, steps: [{act: submit}, {wait: 9 days, expect: done}], expect: done}
""",
    "V044": HEAD + SIGNED.replace("each: role", "each: person"),
    "V040": HEAD.replace("lead: 书记@community", "lead: {title: 承办人, who: fact handler}") + """
facts: {amount: {title: 金额, type: decimal, by: clerk}, handler: {title: 承办人, type: person, among: clerk, by: clerk}}
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount, handler], to: work}, skip: {title: 直接交办, by: clerk, needs: [amount], to: work}}
  work: {title: 办理, finish: {title: 办结, by: lead, to: done}}
  done: {title: 办结, final: true}
cases:
  - {name: 选人, given: {amount: 1, handler: 甲}, act: [submit, finish], expect: done}
  - {name: 不选, given: {amount: 1}, act: [skip], expect: work}
""",
    "V001": HEAD + AMOUNT + """
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], to: done}}
  lost: {title: 丢了, back: {title: 回去, by: clerk, to: done}}
  done: {title: 办结, final: true}
cases: [{name: 走完, given: {amount: 1}, act: [submit], expect: done}]
""",
    "V060": HEAD + AMOUNT + "obligations: {yearly: {title: 年报, every: year, act: report}}\n" + SIMPLE,
    "V002": HEAD + AMOUNT + """
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], to: done}, park: {title: 搁置, by: clerk, to: limbo}}
  limbo: {title: 搁着, wait: {title: 再等等, by: clerk, to: limbo}}
  done: {title: 办结, final: true}
cases:
  - {name: 走完, given: {amount: 1}, act: [submit], expect: done}
  - {name: 搁置, act: [park, wait], expect: limbo}
""",
    "V003": HEAD + AMOUNT + """
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], to: done}}
  done: {title: 办结, back: {title: 退回, by: clerk, to: draft}}
cases: [{name: 走完, given: {amount: 1}, act: [submit, back], expect: draft}]
""",
    "V004": "place: street" + HEAD + AMOUNT + SIMPLE,
    "V005": HEAD + """
facts: {amount: {title: 金额, type: decimal, by: clerk}, secret: {title: 没人填, type: boolean}}
rules:
  gate: {list: [{id: B-1, title: 挡, when: secret, outcome: BLOCK, basis: LOCAL, cite: 本地设定}]}
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], check: [gate], to: done}}
  done: {title: 办结, final: true}
cases: [{name: 走完, given: {amount: 1, secret: false}, act: [submit], expect: done}, {name: 挡住, given: {secret: true}, decide: gate, expect: BLOCK, because: [B-1]}]
""",
    "V006": HEAD + """
facts: {amount: {title: 金额, type: decimal, by: clerk}}
rules:
  gate: {list: [{id: B-1, title: 多, when: amount > 5, outcome: WARN, basis: LOCAL, cite: 本地设定}]}
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], decide: gate, to: {PASS: done}}}
  done: {title: 办结, final: true}
cases: [{name: 走完, given: {amount: 1}, act: [submit], expect: done}, {name: 多, given: {amount: 6}, decide: gate, because: [B-1]}]
""",
    "V007": HEAD + """
facts: {amount: {title: 金额, type: decimal, by: clerk}}
rules:
  gate: {inputs: [amount], rows: [{id: B-1, amount: "> 5", out: high}, {id: B-2, amount: "<= 5", out: low}]}
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], decide: gate, to: {high: done, low: done, middle: done}}}
  done: {title: 办结, final: true}
cases: [{name: 低, given: {amount: 1}, act: [submit], because: [B-2]}, {name: 高, given: {amount: 9}, act: [submit], because: [B-1]}]
""",
    "V008": HEAD + AMOUNT + """
parameters:
  old: {2026-01-01: {value: 3, basis: LOCAL, cite: 本地设定}}
  late: {2062-01-01: {value: 5, basis: LOCAL, cite: 本地设定}}
rules:
  gate: {list: [{id: B-1, title: 多, when: amount > late or amount > old, outcome: WARN, basis: LOCAL, cite: 本地设定}]}
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], check: [gate], to: done}}
  done: {title: 办结, final: true}
cases: [{name: 走完, given: {amount: 9}, act: [submit], expect: done, because: [B-1]}]
""",
    "V009": HEAD + AMOUNT + """
parameters: {most: {2026-01-01: {value: 3, basis: STATUTE}}}
rules:
  gate: {list: [{id: B-1, title: 多, when: amount > most, outcome: WARN, basis: LOCAL, cite: 本地设定}]}
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], check: [gate], to: done}}
  done: {title: 办结, final: true}
cases: [{name: 走完, given: {amount: 9}, act: [submit], expect: done, because: [B-1]}]
""",
    "V010": HEAD + """
facts: {amount: {title: 金额, type: decimal, by: clerk}, forgotten: {title: 忘了}}
parameters: {idle: {2026-01-01: {value: 3, basis: LOCAL, cite: 本地设定}}, basis.B-9: {2026-01-01: {value: LOCAL, cite: 本地设定}}}
rules:
  gate: {list: [{id: B-1, title: 多, when: amount > 3, outcome: WARN, basis: LOCAL, cite: 本地设定}]}
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], to: done}}
  done: {title: 办结, final: true}
cases: [{name: 走完, given: {amount: 9}, act: [submit], expect: done}, {name: 多, given: {amount: 9}, decide: gate, because: [B-1]}]
""",
    "V011": HEAD + AMOUNT + """
rules:
  gate: {list: [{id: B-1, title: 多, when: amount > 3, outcome: REJECT, cite: 某条}]}
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], check: [gate], to: done}}
  done: {title: 办结, final: true}
cases: [{name: 走完, given: {amount: 9}, act: [submit], expect: done, because: [B-1]}]
""",
    "V012": HEAD + AMOUNT + """
rules:
  gate: {list: [{id: B-1, title: 多, when: amount > 3, outcome: REJECT, basis: OWNERS, cite: 规约}]}
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], decide: gate, to: {PASS: done, REJECT: proposed}}}
  proposed:
    title: 拟不通过
    due: {title: 陈述, after: 3 days, then: refuse}
    refuse: {title: 不通过, by: clerk, confirms: true, to: refused}
  done: {title: 办结, final: true}
  refused: {title: 不通过, final: true}
cases: [{name: 走完, given: {amount: 9}, act: [submit, refuse], expect: refused, because: [B-1]}]
""",
    "V013": HEAD + """
facts: {fee: {title: 欠费, type: record, absent: 无, by: clerk, fields: {months: {title: 月数, type: integer}}}}
rules:
  gate: {list: [{id: B-1, title: 欠, when: not(fee.months < 3), outcome: BLOCK, basis: LOCAL, cite: 本地设定}]}
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [fee], check: [gate], to: done}}
  done: {title: 办结, final: true}
cases: [{name: 走完, given: {fee: {months: 1}}, act: [submit], expect: done}, {name: 欠, given: {fee: {months: 9}}, decide: gate, because: [B-1]}]
""",
    "V014": HEAD + AMOUNT + """
states:
  draft: {title: 起草, due: {after: 3 days, then: submti}, submit: {title: 提交, by: clerk, needs: [amount], to: done}}
  done: {title: 办结, final: true}
cases: [{name: 走完, given: {amount: 1}, act: [submit], expect: done}]
""",
    "V015": HEAD + AMOUNT + """
states:
  draft: {title: 起草, due: {after: 3 days}, submit: {title: 提交, by: clerk, needs: [amount], not_before: deu, to: done}}
  done: {title: 办结, final: true}
cases: [{name: 走完, given: {amount: 1}, act: [submit], expect: done}]
""",
    "V016": HEAD + AMOUNT + """
states:
  draft: {title: 起草, due: {after: 30 days, basis: STATUTE, cite: 某法 1}, submit: {title: 提交, by: clerk, needs: [amount], to: done}}
  done: {title: 办结, final: true}
cases: [{name: 走完, given: {amount: 1}, act: [submit], expect: done}]
""",
    "V017": HEAD + AMOUNT + SIMPLE.partition("cases:")[0],
    "V018": HEAD + AMOUNT + """
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], to: done}, drop: {title: 作罢, by: clerk, to: done}}
  done: {title: 办结, final: true}
cases: [{name: 走完, given: {amount: 1}, act: [submit], expect: done}]
""",
    "V019": HEAD + AMOUNT + SIMPLE.replace("expect: done", "expect: don, because: [B-7]"),
    "V021": HEAD + AMOUNT.replace("min: 0", "sensitive: salary") + SIMPLE,
    "V024": HEAD + """
facts: {amount: {title: 金额, type: decimal, unit: 元, by: clerk}}
rules:
  gate: {inputs: [amount], rows: [{id: B-1, amount: "> 5", out: high}, {id: B-2, amount: "< 5", out: low}]}
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], decide: gate, to: {high: done, low: done, BLOCK: draft}}}
  done: {title: 办结, final: true}
cases: [{name: 低, given: {amount: 1}, act: [submit], because: [B-2]}, {name: 高, given: {amount: 9}, act: [submit], because: [B-1]}]
""",
    "V025": HEAD + """
facts: {amount: {title: 金额, type: decimal, unit: 元, by: clerk}}
rules:
  gate: {inputs: [amount], rows: [{id: B-1, amount: ">= 5", out: high}, {id: B-2, amount: "<= 5", out: low}]}
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], decide: gate, to: {high: done, low: done, BLOCK: draft}}}
  done: {title: 办结, final: true}
cases: [{name: 低, given: {amount: 1}, act: [submit], because: [B-2]}, {name: 高, given: {amount: 9}, act: [submit], because: [B-1]}]
""",
    "V026": HEAD + """
facts: {amount: {title: 金额, type: decimal, by: clerk}, people: {title: 名册, type: list, collection: true, key: name, fields: {name: {title: 姓名}}}}
excel: {people: {sheet: 名册, key: [姓名], columns: {姓名: name, 电话: phone}}}
""" + SIMPLE,
    "V027": HEAD + AMOUNT + """
states:
  draft: {title: 起草, due: {after: 3 days, then: submit}, submit: {title: 提交, by: clerk, needs: [amount], to: done}}
  done: {title: 办结, final: true}
cases: [{name: 走完, given: {amount: 1}, act: [submit], expect: done}]
""",
    "V028": HEAD + """
facts: {amount: {title: 金额, type: decimal, unit: 元, by: clerk}}
rules:
  gate:
    intents: [{id: I-1, never: "amount > 9 and outcome = PASS", say: 大额不能直接通过}]
    list: [{id: B-1, title: 多, when: amount > 10, outcome: BLOCK, basis: LOCAL, cite: 本地设定}]
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], check: [gate], to: done}}
  done: {title: 办结, final: true}
cases: [{name: 走完, given: {amount: 1}, act: [submit], expect: done}, {name: 多, given: {amount: 11}, decide: gate, because: [B-1]}]
""",
    "V029": HEAD + """
facts: {amount: {title: 金额, type: decimal, unit: 元, min: 0, by: clerk}}
rules:
  gate: {list: [{id: B-1, title: 多, when: amount > 10 and amount < 5, outcome: WARN, basis: LOCAL, cite: 本地设定}]}
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], check: [gate], to: done}}
  done: {title: 办结, final: true}
cases: [{name: 走完, given: {amount: 1}, act: [submit], expect: done, because: [B-1]}]
""",
    "V030": HEAD + """
facts: {amount: {title: 金额, type: decimal, unit: 元, by: clerk}}
rules:
  gate: {hit_policy: F, inputs: [amount], rows: [{id: B-1, amount: "> 5", out: high}, {id: B-2, amount: "> 9", out: top}, {id: B-3, amount: "-", out: low}]}
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], decide: gate, to: {high: done, top: done, low: done}}}
  done: {title: 办结, final: true}
cases:
  - {name: 低, given: {amount: 1}, act: [submit], because: [B-3]}
  - {name: 高, given: {amount: 9}, act: [submit], because: [B-1]}
  - {name: 顶, given: {amount: 10}, act: [submit], because: [B-1, B-2]}
""",
}  # fmt: skip


def load(tmp_path: Path, text: str, name: str = "bad") -> Catalogue:
    path = tmp_path / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    catalogue = discover(bundled=False, only=[path])
    for found in catalogue.found:
        if found.error is not None:
            raise found.error
    return catalogue


def findings(tmp_path: Path, text: str) -> list[Finding]:
    return verify(load(tmp_path, text), "bad")


#: a fault that also shows when the rules are followed: what else has to be said of it
ALSO = {"V040": {"V033", "V038"}}


@pytest.mark.parametrize("code", BROKEN)
def test_each_fault_is_found_and_nothing_else(code: str, tmp_path: Path) -> None:
    found = [f for f in findings(tmp_path, BROKEN[code]) if f.code != "V020"]
    assert {f.code for f in found} == {code} | ALSO.get(code, set()), "\n".join(f.full("en") for f in found)
    for finding in found:
        assert finding.where is not None and finding.where.file == "bad.yaml" and finding.where.line > 0
        assert finding.zh and finding.en and finding.help_zh and finding.help_en
        outside = "".join(finding.en.split("`")[::2])  # what the designer wrote stands in backticks
        assert not any("一" <= c <= "鿿" for c in outside)


def test_a_clean_process_has_no_finding_but_the_missing_english(tmp_path: Path) -> None:
    assert {f.code for f in findings(tmp_path, HEAD + AMOUNT + SIMPLE)} == {"V020"}


def test_every_check_has_a_broken_example() -> None:
    folders_and_notes = {"V020", "V022", "V023"}  # tested below
    folders_and_notes.add("V031")  # three-valued logic leaves nothing to find
    folders_and_notes.add("V039")  # bounds are set lower there
    explored = {code for code, _ in BAD.values()}  # what shows only when rules and facts are followed: test_verify_explored
    assert {c[0] for c in CHECKS} == set(BROKEN) | explored | folders_and_notes
    assert [c[0] for c in CHECKS] == sorted(c[0] for c in CHECKS)


def test_the_bundled_plugins_have_no_errors() -> None:
    catalogue = discover()
    for plugin in catalogue.plugins:
        bad = [f.full("en") for f in verify(catalogue, plugin.name) if f.severity == "error"]
        assert not bad, "\n".join(bad)


def test_the_approval_example_has_all_outcomes_mapped() -> None:
    """Its table is total and its input needed, so neither BLOCK nor EVIDENCE can happen."""
    catalogue = discover()
    assert {f.code for f in verify(catalogue, "approval") if f.severity != "note"} <= {"V018"}


def one(tmp_path: Path, text: str, code: str) -> Finding:
    found = [f for f in findings(tmp_path, text) if f.code == code]
    assert len(found) == 1, found
    return found[0]


def test_a_trap_comes_with_the_shortest_story(tmp_path: Path) -> None:
    assert one(tmp_path, BROKEN["V002"], "V002").story == ("搁置",)


def test_a_gap_comes_with_a_case(tmp_path: Path) -> None:
    found = one(tmp_path, BROKEN["V024"], "V024")
    assert found.severity == "warning" and found.story == ("金额 = 5元",)
    overlap = one(tmp_path, BROKEN["V025"], "V025")
    assert overlap.story == ("金额 = 5元",) and "`B-1`" in overlap.en and "`B-2`" in overlap.en


def test_a_fact_nobody_fills_names_its_rules(tmp_path: Path) -> None:
    assert "`B-1`" in one(tmp_path, BROKEN["V005"], "V005").en


def test_only_unmapped_evidence_is_a_warning(tmp_path: Path) -> None:
    text = BROKEN["V006"].replace("outcome: WARN", "outcome: BLOCK").replace("needs: [amount]", "asks: [amount]")
    found = one(tmp_path, text, "V006")
    assert found.severity == "warning" and "`EVIDENCE`" in found.en and "`BLOCK`" in found.en
    assert one(tmp_path, BROKEN["V006"], "V006").severity == "error"


def test_a_needed_fact_is_never_missing_evidence(tmp_path: Path) -> None:
    text = BROKEN["V006"].replace("outcome: WARN", "outcome: BLOCK")
    assert "EVIDENCE" not in one(tmp_path, text, "V006").en


def test_a_reject_capped_to_advice_needs_no_branch(tmp_path: Path) -> None:
    text = BROKEN["V006"].replace("outcome: WARN", "outcome: REJECT").replace("PASS: done", '"PASS, WARN": done')
    assert "V006" not in {f.code for f in findings(tmp_path, text)}
    dated = text.replace("rules:", "parameters: {basis.B-1: {2026-01-01: {value: STATUTE, cite: 某法 1}}}\nrules:")
    assert "`REJECT` (rule `B-1`)" in one(tmp_path, dated, "V006").en


def test_a_value_goes_by_pass(tmp_path: Path) -> None:
    text = BROKEN["V007"].replace("high: done, low: done, middle: done", "PASS: done")
    assert "V006" not in {f.code for f in findings(tmp_path, text)}
    text = BROKEN["V007"].replace("high: done, low: done, middle: done", "high: done")
    assert "`low` (rule `B-2`)" in one(tmp_path, text, "V006").en


def test_a_branch_without_a_decision(tmp_path: Path) -> None:
    text = BROKEN["V006"].replace("decide: gate, ", "")
    assert "has no `decide`" in one(tmp_path, text, "V007").en


def test_a_role_that_is_a_fact_nobody_fills(tmp_path: Path) -> None:
    text = HEAD.replace("lead: 书记@community", "lead: {title: 本人, who: fact person}")
    text += AMOUNT.replace("facts: {", "facts: {person: {title: 本人, type: person}, ") + SIMPLE.replace("by: clerk", "by: lead")
    assert "no form supplies" in one(tmp_path, text, "V004").en


def test_a_choice_made_on_every_way_is_no_finding(tmp_path: Path) -> None:
    clean = BROKEN["V040"].replace("skip: {title: 直接交办, by: clerk, needs: [amount]", "skip: {title: 直接交办, by: clerk, needs: [amount, handler]")
    assert "V040" not in {f.code for f in findings(tmp_path, clean)}
    assert one(tmp_path, BROKEN["V040"], "V040").story == ("直接交办",)
    wrong = clean.replace("handler: {title: 承办人, type: person, among: clerk", "handler: {title: 承办人, type: text")
    assert "of the type text" in one(tmp_path, wrong, "V040").en


def test_leaders_below_the_place_are_nobody(tmp_path: Path) -> None:
    text = "place: street" + HEAD.replace("经办@community", "{title: 负责人, who: leaders up to community}") + AMOUNT + SIMPLE
    assert "leaders up to `community`" in one(tmp_path, text, "V004").en


def test_a_choice_among_no_role_is_refused_at_load(tmp_path: Path) -> None:
    text = BROKEN["V040"].replace("among: clerk", "among: clark")
    with pytest.raises(SiquanError) as found:
        findings(tmp_path, text)
    assert found.value.code == "SQ031"


def test_a_stand_in_named_by_hand_counts(tmp_path: Path) -> None:
    text = BROKEN["V004"].replace("lead: 书记@community", "lead: 书记@street").replace("title: 坏流程", "title: 坏流程\nif_nobody: {clerk: lead}")
    assert "V004" not in {f.code for f in findings(tmp_path, text)}


def test_an_automatic_step_without_a_clock(tmp_path: Path) -> None:
    text = HEAD + AMOUNT + SIMPLE.replace("by: clerk, needs", "auto: true, by: clerk, needs")
    assert "no deadline fires it" in one(tmp_path, text, "V004").en


def test_a_collection_without_a_sheet(tmp_path: Path) -> None:
    text = HEAD + "facts: {amount: {title: 名册, type: list, collection: true, fields: {name: {title: 姓名}}}}" + SIMPLE.replace("{amount: 1}", "{amount: [{name: 甲}]}")
    assert "no sheet imports it" in one(tmp_path, text, "V005").en


def test_a_field_of_rows_without_a_column(tmp_path: Path) -> None:
    text = BROKEN["V026"].replace(", 电话: phone", "").replace("{name: {title: 姓名}}", "{name: {title: 姓名}, area: {title: 面积, type: decimal}}")
    text = text.replace("excel:", "derived: {total: sum(people.area), some: 'count(people[area > 1 and name = \"甲\"])'}\nexcel:")
    found = one(tmp_path, text, "V005")
    assert "`people[].area`" in found.en and "`total`" in found.en and "`some`" in found.en


def test_setting_a_fact_supplies_it_and_clearing_it_does_not(tmp_path: Path) -> None:
    text = BROKEN["V005"].replace("to: done", 'set: {secret: "false"}, to: done')
    assert "V005" not in {f.code for f in findings(tmp_path, text)}
    text = BROKEN["V005"].replace("to: done", 'set: {secret: "null"}, to: done')
    assert "V005" in {f.code for f in findings(tmp_path, text)}


def test_a_decision_that_is_final_at_once(tmp_path: Path) -> None:
    text = BROKEN["V012"].replace("REJECT: proposed", "REJECT: refused")
    found = [f for f in findings(tmp_path, text) if f.code == "V012"]
    # a person takes the deciding step, but nobody confirms it
    assert [f.severity for f in found] == ["error"]


def test_a_person_without_an_opinion_is_a_warning(tmp_path: Path) -> None:
    text = BROKEN["V012"].replace("then: refuse", "then: remind").replace("confirms: true, ", "")
    assert one(tmp_path, text, "V012").severity == "warning"
    text = text.replace("title: 不通过, by: clerk,", "title: 不通过, by: clerk, opinion: required,")
    assert "V012" not in {f.code for f in findings(tmp_path, text)}


def test_a_present_guard_on_record_or_field_is_enough(tmp_path: Path) -> None:
    for when in ("present(fee) and fee.months > 3", "absent(fee) or fee.months > 3", "present(fee.months) and 3 < fee.months + 1"):
        assert "V013" not in {f.code for f in findings(tmp_path, BROKEN["V013"].replace("not(fee.months < 3)", when))}
    for when in ("1 > 2 or 3 < fee.months + 1", "if true then fee.months > 3 else false"):
        assert "V013" in {f.code for f in findings(tmp_path, BROKEN["V013"].replace("not(fee.months < 3)", f"'{when}'"))}


def test_case_names(tmp_path: Path) -> None:
    texts = [f.en for f in findings(tmp_path, BROKEN["V019"]) if f.code == "V019"]
    assert any("`don`" in x for x in texts) and any("`B-7`" in x for x in texts)
    text = HEAD + AMOUNT + SIMPLE.replace("act: [submit]", "base: none_such, act: [submti]")
    texts = [f.en for f in findings(tmp_path, text) if f.code == "V019"]
    assert any("`none_such`" in x for x in texts) and any("`submti`" in x for x in texts)


def test_the_clock_covers_what_it_must_have_fired(tmp_path: Path) -> None:
    text = HEAD + """
states:
  draft: {title: 起草, due: {after: 3 days, then: lapse}, lapse: {title: 过期, by: clerk, to: late}}
  late: {title: 逾期, finish: {title: 办结, by: clerk, to: done}}
  done: {title: 办结, final: true}
cases: [{name: 过期, steps: [{wait: 9 days, act: finish}], expect: done}]
"""
    assert {f.code for f in findings(tmp_path, text)} == {"V020"}


def folder(tmp_path: Path) -> Path:
    home = tmp_path / "bad"
    (home / "workflows").mkdir(parents=True)
    (home / "workflows" / "bad.yaml").write_text(HEAD + AMOUNT + SIMPLE, encoding="utf-8")
    return home


def test_a_folder_without_readme_demo_and_english(tmp_path: Path) -> None:
    home = folder(tmp_path)
    codes = {f.code: f for f in verify(discover(bundled=False, only=[home]), "bad")}
    assert set(codes) == {"V020", "V022", "V023"}
    assert codes["V020"].severity == "note" and "7 of the 7" in codes["V020"].en
    (home / "README.md").write_text("x", encoding="utf-8")
    (home / "demo").mkdir()
    (home / "demo" / "a.yaml").write_text("{}", encoding="utf-8")
    (home / "locales").mkdir()
    english = "bad.title: Bad\nbad.roles: {clerk: Clerk, lead: Lead}\nbad.states.draft: {title: Draft, submit.title: Submit}\nbad.states.done.title: Done\nbad.facts.amount.title: Amount\n"
    (home / "locales" / "en.yaml").write_text(english, encoding="utf-8")
    assert verify(discover(bundled=False, only=[home]), "bad") == []


def test_a_rule_set_without_a_process(tmp_path: Path) -> None:
    text = """
ruleset: fee
title: 收费
facts: {kind: {title: 种类, type: enum, values: {a: 甲, b: 乙}}, urgent: {title: 加急, type: boolean}}
inputs: [kind, urgent]
rows:
  - {id: F-1, kind: a, urgent: "true", out: 1}
  - {id: F-2, kind: b, out: 2}
"""
    found = {f.code: f for f in findings(tmp_path, text)}
    assert set(found) == {"V024"} and found["V024"].story == ("种类 = 甲", "加急 = 否")


def test_a_table_that_computes_is_asked_of_the_proofs(tmp_path: Path) -> None:
    text = """
ruleset: fee
facts: {born: {title: 出生, type: date}, to: {title: 到期, type: date}}
inputs: [born + years(18)]
rows: [{id: F-1, born + years(18): "<= to", out: 1}, {id: F-2, born + years(18): "> to + days(1)", out: 2}, {id: F-3, born + years(18): "< to - days(9)", out: 3}]
"""
    found = {f.code: f for f in findings(tmp_path, text)}
    assert found["V024"].story and len(found["V024"].story) == 2
    assert "`F-1`" in found["V025"].en and "`F-3`" in found["V025"].en


def test_an_intent_comes_with_the_case_that_breaks_it(tmp_path: Path) -> None:
    found = one(tmp_path, BROKEN["V028"], "V028")
    assert found.severity == "error" and found.story == ("金额 = 10元", "结论 PASS")
    text = BROKEN["V028"].replace("amount > 10,", "amount > 9,")
    assert "V028" not in {f.code for f in findings(tmp_path, text)}
    unread = one(tmp_path, BROKEN["V028"].replace("amount > 9", "amuont > 9"), "V028")
    assert "`amuont`" in unread.zh and unread.help_zh


def test_a_rule_that_a_parameter_switches_off_is_not_dead(tmp_path: Path) -> None:
    text = BROKEN["V029"].replace("when: amount > 10 and amount < 5", "when: amount > 10 and amount < most")
    text = text.replace("rules:", "parameters: {most: {2026-01-01: {value: 0, basis: LOCAL, cite: 本地设定}}}\nrules:")
    assert "V029" not in {f.code for f in findings(tmp_path, text)}


def test_a_weaker_rule_beside_a_stronger_one_is_not_superfluous(tmp_path: Path) -> None:
    rules = "{id: B-2, title: 很多, when: amount > 20, outcome: WARN, basis: LOCAL, cite: 本地设定}"
    text = BROKEN["V029"].replace(" and amount < 5", "").replace("cite: 本地设定}]}", f"cite: 本地设定}}, {rules}]}}")
    assert "V030" not in {f.code for f in findings(tmp_path, text)}
    twice = text.replace("amount > 20", "10 < amount")
    assert "`B-2`" in one(tmp_path, twice, "V030").en and "`B-1`" in one(tmp_path, twice, "V030").en


def test_json_and_full_text(tmp_path: Path) -> None:
    found = one(tmp_path, BROKEN["V002"], "V002")
    assert found.to_json("en") == {
        "code": "V002", "severity": "error", "file": "bad.yaml", "line": found.where.line if found.where else 0,
        "message": found.en, "help": found.help_en, "story": ["搁置"],
    }  # fmt: skip
    assert found.full("en").splitlines()[0].startswith("bad.yaml:") and "example: 搁置" in found.full("en")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (SIMPLE.replace("to: done", "to: dnoe"), "SQ031"),
        (SIMPLE.replace("by: clerk", "by: clrk"), "SQ031"),
        (SIMPLE.replace("[amount]", "[amuont]"), "SQ031"),
        (SIMPLE.replace("to: done", "check: [gaet], to: done"), "SQ031"),
        ("rules: {gate: {list: [{id: B-1, when: amuont > 3, outcome: BLOCK}]}}\n" + SIMPLE, "SQ102"),
    ],
)
def test_unknown_names_do_not_even_load(text: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(SiquanError) as fault:
        load(tmp_path, HEAD + AMOUNT + text)
    errors = fault.value.errors if isinstance(fault.value, Errors) else [fault.value]
    assert code in {e.code for e in errors}


def test_an_unmapped_exit_does_not_even_load(tmp_path: Path) -> None:
    text = HEAD + """
states:
  notice: {use: public_notice, title: 公示, with: {days: d, reply_days: d, poster: clerk, verifier: clerk, decider: lead}, exits: {done: done}}
  done: {title: 办结, final: true}
"""
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    assert any((d / "public_notice").is_dir() for d in bundled_dirs())
    error = next(f.error for f in discover(only=[path]).found if f.name == "bad")
    assert error is not None and error.code == "SQ023"
    with pytest.raises(SiquanError):
        verify(discover(only=[path]), "bad")


# tasks

def test_a_number_of_declines_or_a_share_has_to_be_one(tmp_path: Path) -> None:
    good = HEAD + SENT.replace("declines: most", "declines: bad.most")
    assert {f.code for f in findings(tmp_path, good)} == {"V020"}
    assert {f.code for f in findings(tmp_path, HEAD + SENT.replace("declines: most", "declines: 3")) if f.code != "V010"} == {"V020"}
    half = one(tmp_path, good.replace("value: 2,", "value: 0.5,"), "V041")
    assert half.severity == "error" and "2026-01-01" in half.en
    later = good.replace("cite: 本地设定}}}", "cite: 本地设定}, 2027-01-01: {value: null, basis: LOCAL, cite: 本地设定}}}")
    assert one(tmp_path, later, "V041").severity == "warning"
    share = SIGNED.replace("each: role,", "each: role, mode: share, share: bad.share,") + "parameters: {bad.share: {2026-01-01: {value: VALUE, basis: LOCAL, cite: 本地设定}}}\n"
    assert {f.code for f in findings(tmp_path, HEAD + share.replace("VALUE", "0.6"))} == {"V020"}
    for value in ("60", "0", "true", "null", "多数"):
        assert "above 0" in one(tmp_path, HEAD + share.replace("VALUE", value), "V041").en


def test_signatures_are_no_fault_where_somebody_gives_them(tmp_path: Path) -> None:
    assert {f.code for f in findings(tmp_path, HEAD + SIGNED)} == {"V020"}
    assert {f.code for f in findings(tmp_path, HEAD + SIGNED.replace("pass: {title: 通过,", "pass: {title: 通过, not_same_as: draft,"))} == {"V020"}
    assert "V044" not in {f.code for f in findings(tmp_path, BROKEN["V044"].replace("each: person,", "each: person, manage: lead,"))}
    assert "`clerk`" in one(tmp_path, HEAD + SIGNED.replace("pass: {title: 通过,", "pass: {title: 通过, by: clerk,"), "V042").en


def test_a_dispatcher_or_a_signer_nobody_can_be_is_found(tmp_path: Path) -> None:
    head = HEAD.replace("lead: 书记@community", "lead: 书记@community, grid: 楼栋长@compound") + "place: community\n"
    text = head + SENT.replace("declines: most", "declines: bad.most").replace("dispatcher: clerk", "dispatcher: grid")
    assert "dispatch the work" in one(tmp_path, text, "V004").en
    text = head + SIGNED.replace("by: [clerk, lead]", "by: [clerk, grid]")
    assert "sign as `grid`" in one(tmp_path, text, "V004").en
    # one of them is enough
    assert "V004" not in {f.code for f in findings(tmp_path, text.replace("each: role,", "each: role, mode: any,"))}
    assert "V004" not in {f.code for f in findings(tmp_path, head + "if_nobody: {grid: lead}\n" + text.removeprefix(head))}


def test_where_each_signature_counts_each_signer_has_to_be_known(tmp_path: Path) -> None:
    head = HEAD.replace("lead: 书记@community", "lead: {title: 承办人, who: fact handler}")
    text = head + SIGNED.replace("facts: {", "facts: {handler: {title: 承办人, type: person, among: clerk, by: clerk}, ").replace("back: {title: 不通过, to: draft}", "back: {title: 不通过, to: draft}\n    name: {title: 指定, by: clerk, needs: [handler], to: done}")
    found = [f for f in findings(tmp_path, text) if f.code == "V038"]
    assert [f.severity for f in found] == ["error"] and "`pass`" in found[0].en and "`handler`" in found[0].en
    assert "V038" not in {f.code for f in findings(tmp_path, text.replace("each: role,", "each: role, mode: any,"))}


def test_what_every_way_there_has_set_is_known_to_a_table(tmp_path: Path) -> None:
    text = HEAD + """
facts: {amount: {title: 金额, type: decimal, by: clerk}, level: {title: 等次, type: integer, min: 0, by: clerk}}
rules:
  gate: {inputs: [level], rows: [{id: B-1, level: "> 1", out: high}, {id: B-2, level: "<= 1", out: low}]}
states:
  draft: {title: 起草, submit: {title: 提交, by: clerk, needs: [amount], set: {level: SET}, to: ask}}
  ask: {title: 追问, more: {title: 再问, by: clerk, set: {level: level + 1}, to: same}, decide: {title: 定, by: lead, decide: gate, to: {high: done, low: draft}}}
  done: {title: 办结, final: true}
cases:
  - {name: 走完, given: {amount: 1}, act: [submit, more, more, decide], expect: done, because: [B-1]}
  - {name: 退回, given: {amount: 1}, act: [submit, decide], expect: draft, because: [B-2]}
"""
    assert {f.code for f in findings(tmp_path, text.replace("SET", '"0"'))} == {"V020"}
    # what is computed from something that may be unknown may be unknown
    assert "V006" in {f.code for f in findings(tmp_path, text.replace("SET", "amount * 1 + level"))}
