"""Rule sets as DMN and back: nothing changes on the way, other tools decide the same, and what a person changed there
arrives here."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from siquan.core.dmn.extension import BrokenExtension
from siquan.core.dmn.from_rules import from_rules
from siquan.core.dmn.read import read_model
from siquan.core.dmn.run import Runner
from siquan.core.dmn.say_feel import NotExpressible
from siquan.core.dmn.say_native import NotNative
from siquan.core.dmn.to_rules import OtherRules, to_rules
from siquan.core.dmn.wire import from_json, to_json
from siquan.core.engine.definition import Binder
from siquan.core.errors import Errors, SiquanError, Where
from siquan.core.plugins import discover
from siquan.core.rules.decide import RuleSet, canonical, decide
from siquan.core.rules.decision import Decision
from siquan.core.rules.facts import FactSet, Reader
from siquan.core.rules.parameters import ParameterBook
from siquan.core.rules.values import months_between, years_between
from siquan.core.spec.model import RuleSetSpec, RuleSpec
from siquan.core.spec.read import read_parameters, read_ruleset
from siquan.core.spec.source import parse_yaml
from siquan.core.spec.table import identity
from siquan.core.spec.version import content_hash

ON = dt.date(2026, 11, 23)
KIT = Path(__file__).resolve().parents[3] / "shared" / "dmn-tck"
drawn = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
FACTS = """
facts:
  n: {title: 金额, type: decimal}
  k: {type: integer}
  flag: {type: boolean}
  day: {title: 日期, type: date}
  level: {title: 等级, type: enum, values: {ok: 正常, bad: 异常, "odd one": 其他}}
  words: {type: text}
  rec: {type: record, fields: {size: {type: decimal}, when: {type: date}}}
  people: {type: list, fields: {police: {type: boolean}, pay: {type: decimal}}}
  pets: {type: list, fields: {age: {type: integer}}}
derived:
  double: n * 2
"""
BOOK = ParameterBook(read_parameters(parse_yaml("limit: {2026-01-01: {value: 5}}\nrec.cap: {2026-01-01: {value: 2.5}}", "p.yaml")))


def bound(spec: RuleSetSpec) -> RuleSet:
    return Binder([], [spec], BOOK.types()).bind()[1][spec.id]


def load(yaml: str) -> RuleSet:
    return bound(read_ruleset("t.t", parse_yaml(f"ruleset: t\ntitle: 试表\n{yaml}\n{FACTS}", "t.yaml"), Where("t.yaml"), alone=True))


def written(rules: RuleSet) -> bytes:
    return from_rules(rules.spec, rules.schema, BOOK, scope=rules.scope, derived=rules.derived)


def placeless(spec: RuleSetSpec) -> RuleSetSpec:
    return RuleSetSpec.model_validate(spec.model_dump())


def decided(rules: RuleSet, raw: dict[str, Any]) -> Decision:
    return decide(rules, FactSet(rules.schema, Reader(rules.schema, ON).read(raw), ON), BOOK, ON, both=False)


def elsewhere(data: bytes, raw: dict[str, Any]) -> Any:
    """What our runner, which knows nothing of rule sets, makes of the model."""
    runner = Runner(read_model(data))
    assert not runner.faults and not runner.unknown_types
    takes = runner.takes("")
    facts = {**raw, "limit": 5, "rec": {**raw.get("rec", {}), "cap": "2.5"}, "people": (raw.get("people") or {}).get("value", [])}
    done = runner.decide("", {k: from_json(v, takes[k]) for k, v in facts.items() if k in takes})
    return to_json(done.value)


def alike(native: Decision, value: Any) -> bool:
    """Our numbers are texts where they are no integers; where we say BLOCK the standard has null or no rows."""
    if native.outcome == "BLOCK":
        return value in (None, [])
    return identity(native.value) == identity(plain(value))


def plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else format(value.normalize(), "f")
    if isinstance(value, list):
        return [plain(v) for v in value]
    return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value


# nothing changes


def test_every_bundled_rule_set_comes_back_as_it_was() -> None:
    catalogue = discover()
    assert len(catalogue.rulesets) > 30
    for rules in catalogue.rulesets.values():
        data = from_rules(rules.spec, rules.schema, None, scope=rules.scope, derived=rules.derived)
        runner = Runner(read_model(data))
        assert not runner.faults and not runner.unknown_types, rules.id
        for base in (None, rules.spec):
            back = to_rules(data, "", base, rules.schema)
            assert back == placeless(rules.spec) and content_hash(back) == content_hash(rules.spec)
        assert from_rules(back, rules.schema, None, scope=rules.scope, derived=rules.derived) == data


TEXTS = st.text(st.characters(exclude_categories=()), max_size=30)
CELLS: dict[str, list[str]] = {
    "n": ["-", "> 5", "<= limit", "[1..5]", "(limit..20)", "2.5, 7", "not(3)", "not(> 3, < 1)", "? * 2 > limit", "> rec.cap", "-3", "< -1.5"],
    "k": ["-", "1, 2", "> 2", "? = 2 or ? > 5", "3"], "flag": ["-", "true", "false"],
    "day": ["-", '> date("2026-01-01")', '[date("2020-01-31")..date("2026-06-30")]', "<= today", "< today - days(30)", "> rec.when + months(1)"],
    "level": ["-", "ok", "ok, bad", '"odd one"', "not(bad)"], "words": ["-", '"a b"', 'not("x\\"y")', '"甲", "乙"'],
    "rec.size": ["-", "> n", "<= 2 * limit"], "double": ["-", "> 8", "= n + n"],
    "count(people)": ["-", "> 1", "0"], "sum(people.pay)": ["-", ">= 10"], "count(people[police and pay > 1])": ["-", "> 0"],
    "years between(rec.when, day)": ["-", ">= 1", "0"], "months between(rec.when, today)": ["-", "> 12"], "days between(day, rec.when)": ["-", "> 0"],
}  # fmt: skip
OUTS: dict[str, st.SearchStrategy[Any]] = {
    "number": st.one_of(st.integers(-50, 50), st.sampled_from(["2.5", "-0.25", "10.125"])),
    "text": st.sampled_from(["甲", "乙", "a b", '"q"', "x\ny", "\\", "2026-01-01", ""]),
    "boolean": st.booleans(), "mixed": st.one_of(st.integers(0, 3), st.sampled_from(["a", "2.5"]), st.booleans()),
}  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> RuleSetSpec:
    policy = draw(st.sampled_from(["U", "A", "P", "F", "R", "O", "C", "C+", "C<", "C>", "C#"]))
    inputs = draw(st.lists(st.sampled_from(list(CELLS)), min_size=1, max_size=3, unique=True))
    several = policy in ("U", "A", "P", "F", "R", "O", "C") and draw(st.booleans())
    names = ("p", "等 级") if several else draw(st.sampled_from([(), ("p",)]))
    kinds = [OUTS["number"] if policy in ("C+", "C<", "C>") else OUTS[draw(st.sampled_from(list(OUTS)))] for _ in range(max(1, len(names)))]
    values = [draw(st.lists(k, min_size=1, max_size=4, unique_by=identity)) for k in kinds]
    one = st.tuples(*(st.sampled_from(v) for v in values)).map(lambda v: dict(zip(names, v, strict=True)) if several else v[0])
    listed = bool(names) and policy in ("P", "O") and draw(st.booleans())
    count = draw(st.integers(1, 6))
    rules = [
        RuleSpec(
            id=draw(st.sampled_from(["R", "甲-", "1.", "a b"])) + str(n), cells={i: draw(st.sampled_from(CELLS[i])) for i in inputs if draw(st.integers(0, 9))},
            out=draw(one), priority=0 if listed or policy not in ("P", "O") else n * 7 % 3 + 1, say=draw(st.sampled_from(["", "话"])),
        )
        for n in range(count)
    ]  # fmt: skip
    default = draw(st.one_of(st.none(), one)) if policy != "C#" else draw(st.sampled_from([None, 7]))
    facts = read_ruleset("t.t", parse_yaml(f"ruleset: t\nlist: []\n{FACTS}", "t"), Where("t"), alone=True).facts
    return placeless(RuleSetSpec(
        id="t.t", title="试表", hit_policy=policy, inputs=tuple(inputs), outputs=names, rules=tuple(rules), default=default, facts=facts,  # type: ignore[arg-type]
        output_values={n: tuple(v) for n, v in zip(names, values, strict=False)} if listed else {},
    ))  # fmt: skip


DAYS = st.dates(dt.date(2018, 1, 1), dt.date(2027, 12, 31)).map(str) | st.sampled_from(["2024-02-29", "2026-01-31", "2026-02-28", "2026-11-23"])
NUMBER = st.integers(-5, 12) | st.sampled_from(["2.5", "0.1", "-1.5"])
WORLDS = st.fixed_dictionaries(
    {
        "n": NUMBER, "k": st.integers(0, 7), "flag": st.booleans(), "day": DAYS, "level": st.sampled_from(["ok", "bad", "odd one"]),
        "words": st.sampled_from(["a b", 'x"y', "甲", "z"]), "rec": st.fixed_dictionaries({"size": NUMBER, "when": DAYS}),
        "people": st.lists(st.fixed_dictionaries({"police": st.booleans(), "pay": st.integers(0, 9)}), max_size=4).map(lambda rows: {"value": rows, "complete": True}),
    }
)  # fmt: skip


@drawn
@given(tables(), st.lists(WORLDS, min_size=4, max_size=4))
def test_tables_come_back_and_decide_the_same_elsewhere(spec: RuleSetSpec, worlds: list[dict[str, Any]]) -> None:
    rules = bound(spec)
    data = written(rules)
    back = to_rules(data)
    assert back == spec and bound(back).hash == rules.hash and content_hash(back) == content_hash(spec)
    for raw in worlds:
        native = decided(rules, raw)
        assert native.outcome in ("PASS", "BLOCK")
        assert alike(native, today(data, raw)), (native.value, data.decode())


def today(data: bytes, raw: dict[str, Any]) -> Any:
    """As `elsewhere`, on the decision's date."""
    return elsewhere(data.replace(b"today()", f'date("{ON}")'.encode()), raw)


CONDITIONS = [
    "n > 5", "n > limit and flag", "not(flag) or level = bad", 'words in ("a b", "z")', "k in [1..3)", "n between 1 and rec.cap", "some p in people satisfies p.police",
    "every p in people satisfies p.pay > 1", "count(people[pay > 3]) >= 2", "if flag then n > 1 else k > 1", "day < today - months(6)", "abs(n) + floor(rec.size) > 3",
    "min(n, k, 3) = 3", "max(people.pay) > 5", "modulo(k, 2) = 1", "n ** 2 > 9", "n / 2 - (k - 1) > 0", "-n > 1", "list contains(people.pay, 3)", "count(distinct values(people.pay)) > 1",
    "earliest(day, rec.when) < today", "double > limit", "rec.when + years(1) > day", "level in (ok, bad)", "date(day) = day",
]  # fmt: skip


@drawn
@given(st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=8, unique=True), WORLDS, st.data())
def test_rule_lists_come_back_and_hit_the_same_rules_elsewhere(conditions: list[str], raw: dict[str, Any], data: st.DataObject) -> None:
    outcomes = st.sampled_from(["REJECT", "BLOCK", "WARN", "PRIORITY", "if flag then BLOCK else WARN"])
    rules = tuple(
        RuleSpec(id=f"R{n}", when=c, outcome=data.draw(outcomes), basis="STATUTE", say=data.draw(st.sampled_from(["", "超过{limit}元", "不\n行"])), cite="第一条")
        for n, c in enumerate(conditions)
    )
    spec = load("list: []").spec.model_copy(update={"rules": (*rules, RuleSpec(id="X", display_only="要现场看", say="查看"))})
    there = bound(placeless(spec))
    written_ = written(there)
    assert to_rules(written_) == placeless(spec)
    native = {f.rule: f.outcome for f in decided(there, raw).findings if f.result == "hit"}
    assert {row["rule"]: row["outcome"] for row in today(written_, raw)} == native


@drawn
@example({}, "\u2028", "a")  # a blank title is no name for a decision
@given(st.dictionaries(st.sampled_from(["title", "say", "clear", "cure", "cite", "law", "group"]), TEXTS), TEXTS, TEXTS.filter(bool))
def test_no_text_is_lost(fields: dict[str, str], title: str, id: str) -> None:
    empty = load("list: []")  # its schema serves: bound, a text such as `{x}` would be taken for a blank to fill in
    spec = placeless(empty.spec.model_copy(update={"title": title, "rules": (RuleSpec(id=id, when='words = "a"', outcome="WARN", **fields),)}))  # type: ignore[arg-type]
    assert to_rules(from_rules(spec, empty.schema)) == spec


@drawn
@given(st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)), st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)))
def test_months_end_as_ours_do(start: dt.date, end: dt.date) -> None:
    rules = load("hit_policy: C\ninputs: ['months between(day, rec.when)', 'years between(day, rec.when)']\nrows: [{id: a, out: 1}]")
    runner = Runner(read_model(written(rules)))
    for name, wanted in (("full months", months_between(start, end)), ("full years", years_between(start, end))):
        assert runner.decide(name, {"start": from_json(start, runner.takes(name)["start"]), "end": from_json(end, runner.takes(name)["end"])}).value == wanted


def test_what_the_standard_has_no_word_for_is_refused() -> None:
    with pytest.raises(NotExpressible, match="months and days") as fault:
        written(load("list:\n  - {id: A, when: 'day > today - duration(\"P1M2D\")', outcome: WARN}"))
    assert fault.value.values["rule"] == "A"
    with pytest.raises(NotExpressible, match="the filter around it"):
        written(load("list:\n  - {id: A, when: 'count(people[count(pets[age > pay]) > 0]) > 1', outcome: WARN}"))


# what a person changed in another tool

TABLE = """
hit_policy: U
inputs: [n, level]
outputs: [p, q]
default: {p: none, q: 0}
rows:
  - {id: T1, n: "> limit", level: ok, out: {p: a, q: 1}, say: "超过{limit}", basis: LOCAL, cite: 一}
  - {id: T2, n: "<= limit", out: {p: b, q: "2.5"}}
"""


def edited(rules: RuleSet, *changes: tuple[str, str], base: RuleSetSpec | None = None) -> RuleSetSpec:
    text = written(rules).decode()
    for pattern, new in changes:
        assert re.search(pattern, text, re.DOTALL), pattern
        text = re.sub(pattern, new, text, count=1, flags=re.DOTALL)
    return to_rules(text.encode(), "", base, rules.schema)


def test_a_changed_cell_out_or_annotation_arrives() -> None:
    rules = load(TABLE)
    spec = edited(rules, ("<text>&gt; limit</text>", "<text>&gt; limit + 1, 3</text>"))
    assert spec.rules[0].cells == {"n": "> (limit + 1), 3", "level": "ok"} and spec.rules[1] == placeless(rules.spec).rules[1]
    assert bound(spec).rules
    spec = edited(rules, ("<text>2.5</text>", "<text>7.25</text>"), ("<text>一</text>", "<text>第二条</text>"), ("<text>LOCAL</text>", "<text>STATUTE</text>"))
    assert spec.rules[1].out == {"p": "b", "q": "7.25"} and (spec.rules[0].cite, spec.rules[0].basis) == ("第二条", "STATUTE")
    spec = edited(rules, ('hitPolicy="UNIQUE"', 'hitPolicy="FIRST"'), *[("<defaultOutputEntry>.*?</defaultOutputEntry>", "")] * 2)
    assert spec.hit_policy == "F"
    with pytest.raises(NotNative, match="`LAW` is no basis"):
        edited(rules, ("<text>LOCAL</text>", "<text>LAW</text>"))


def test_new_moved_and_copied_rows_arrive() -> None:
    rules = load(TABLE)
    new = r'\1<rule id="new"><inputEntry><text>1</text></inputEntry><inputEntry><text>"bad"</text></inputEntry><outputEntry><text>"c"</text></outputEntry>'
    new += "<outputEntry><text>3</text></outputEntry></rule>"
    spec = edited(rules, ("(</rule>)(?=.*</rule>)", new))
    assert [r.id for r in spec.rules] == ["T1", "new", "T2"] and spec.rules[1].cells == {"n": "1", "level": '"bad"'} and spec.rules[1].out == {"p": "c", "q": 3}
    assert decided(bound(spec), {"n": 1, "level": "bad"}).outcome == "BLOCK"  # T2 as well: unique no more
    spec = edited(rules, (r"(<rule .*?</rule>)(\s*<rule .*?</rule>)", r"\2\1"))
    assert [r.id for r in spec.rules] == ["T2", "T1"]
    spec = edited(rules, (r"(<rule .*?</rule>)", r"\1\1"))
    assert [r.id for r in spec.rules] == ["T1", "T1-2", "T2"] and spec.rules[0].cells == spec.rules[1].cells


def test_rows_of_a_priority_keep_their_place() -> None:
    rules = load("hit_policy: P\ninputs: [n]\nrows:\n" + "\n".join(f"  - {{id: P{k}, n: '> {k}', out: {k}, priority: {p}}}" for k, p in ((1, 2), (2, 9), (3, 5))))
    text = written(rules).decode()
    assert 'hitPolicy="FIRST"' in text and text.index('id="P2"') < text.index('id="P3"') < text.index('id="P1"')
    new = r'\1<rule id="N"><inputEntry><text>7</text></inputEntry><outputEntry><text>7</text></outputEntry></rule>'
    spec = edited(rules, (r'(<rule id="P3".*?</rule>)', new))
    assert [(r.id, r.priority) for r in spec.rules] == [("P1", 2), ("P2", 9), ("P3", 5), ("N", 5)] and spec.hit_policy == "P"


def test_a_changed_condition_of_a_list_arrives() -> None:
    rules = load("list:\n  - {id: A, when: n > limit and present(rec), outcome: REJECT, basis: STATUTE}\n  - {id: B, when: flag, outcome: WARN}")
    spec = edited(rules, ("<text>n &gt; limit and rec != null", "<text>n &gt; 9 and rec != null and full months(day, today()) &gt; 3"), ('<text>"WARN"</text>', '<text>if flag then "BLOCK" else "WARN"</text>'))
    assert spec.rules[0].when == "(n > 9) and (present(rec)) and (months between(day, today) > 3)"
    assert spec.rules[1].outcome == "if flag then BLOCK else WARN" and bound(spec).rules[0].spec.basis == "STATUTE"


def test_without_the_extension_the_base_gives_the_rest() -> None:
    rules = load(TABLE)
    text = re.sub(r"<extensionElements>.*?</extensionElements>", "", written(rules).decode(), flags=re.DOTALL)
    spec = to_rules(text.encode(), "", rules.spec, rules.schema)
    assert spec.id == "t.t" and spec.facts == placeless(rules.spec).facts and [r.id for r in spec.rules] == ["T1", "T2"]
    assert spec.rules[0].say == "超过{limit}" and spec.rules[0].basis == "LOCAL" and spec.default == {"p": "none", "q": 0}
    for raw in ({"n": 9, "level": "ok"}, {"n": 1, "level": "bad"}, {"n": 9, "level": "bad"}):
        assert decided(bound(spec), raw).value == decided(rules, raw).value


def test_what_is_wrong_is_said_with_its_line_all_at_once() -> None:
    rules = load(TABLE)
    with pytest.raises(Errors) as faults:
        edited(rules, ("<text>&gt; limit</text>", '<text>matches(?, "x")</text>'), ("<text>2.5</text>", "<text>n * 2</text>"), ("<text>&lt;= limit</text>", "<text>&lt;= (</text>"))
    assert [e.code for e in faults.value] == ["SQ138", "SQ138", "SQ134"] and all(e.where is not None and e.where.line > 10 for e in faults.value)
    with pytest.raises(OtherRules):
        to_rules(written(rules), "", rules.spec.model_copy(update={"id": "t.other"}), rules.schema)
    for broken in (r'{"rule":5}', "nonsense", r'{"rule":{"id":7}}', '{"rule":{"id":"T1","surprise":1}}'):
        with pytest.raises(BrokenExtension):
            edited(rules, (r'<s:rule>\{"cells.*?</s:rule>', f"<s:rule>{broken}</s:rule>"))
    with pytest.raises(SiquanError):
        edited(rules, ('hitPolicy="UNIQUE"', 'hitPolicy="COLLECT" aggregation="SUM"'))


# models of other people

SPACE = "https://www.omg.org/spec/DMN/20230324/MODEL/"
FOREIGN = """<definitions xmlns="{space}" name="loans" namespace="urn:loans" id="d">
<itemDefinition name="tScore"><typeRef>number</typeRef><allowedValues><text>[0..900]</text></allowedValues></itemDefinition>
<itemDefinition name="tPerson"><itemComponent name="birth date"><typeRef>date</typeRef></itemComponent><itemComponent name="score"><typeRef>tScore</typeRef></itemComponent></itemDefinition>
<inputData id="i1" name="Applicant data"><variable name="Applicant data" typeRef="tPerson"/></inputData>
<inputData id="i2" name="Monthly income"><variable name="Monthly income" typeRef="tScore"/></inputData>
<inputData id="i3" name="Region"><variable name="Region"/></inputData>
<businessKnowledgeModel id="k1" name="Yearly"><variable name="Yearly"/><encapsulatedLogic><formalParameter name="m" typeRef="number"/>
<literalExpression><text>{body}</text></literalExpression></encapsulatedLogic><knowledgeRequirement><requiredKnowledge href="#k1"/></knowledgeRequirement></businessKnowledgeModel>
<decision id="d2" name="Yearly income"><variable name="Yearly income" typeRef="number"/><informationRequirement><requiredInput href="#i2"/></informationRequirement>
<knowledgeRequirement><requiredKnowledge href="#k1"/></knowledgeRequirement>{logic}</decision>
<decision id="d1" name="Loan grade"><variable name="Loan grade" typeRef="string"/>
<informationRequirement><requiredInput href="#i1"/></informationRequirement><informationRequirement><requiredInput href="#i3"/></informationRequirement>
<informationRequirement><requiredDecision href="#d2"/></informationRequirement><knowledgeRequirement><requiredKnowledge href="#k1"/></knowledgeRequirement>
<decisionTable hitPolicy="PRIORITY">
<input id="c1"><inputExpression typeRef="number"><text>Applicant data.score</text></inputExpression></input>
<input id="c2"><inputExpression typeRef="number"><text>Yearly income</text></inputExpression></input>
<input id="c3"><inputExpression typeRef="string"><text>Region</text></inputExpression><inputValues><text>"north","south"</text></inputValues></input>
<output id="o1"><outputValues><text>"C","B","A"</text></outputValues></output><annotation name="Cite"/><annotation name="说明"/>
<rule id="g1"><inputEntry><text>&gt;= 600</text></inputEntry><inputEntry><text>&gt; Yearly(100)</text></inputEntry><inputEntry><text>-</text></inputEntry><outputEntry><text>"A"</text></outputEntry>
<annotationEntry><text>Art. 1</text></annotationEntry><annotationEntry><text>够好</text></annotationEntry></rule>
<rule id="g2"><inputEntry><text>[300..600)</text></inputEntry><inputEntry><text>-</text></inputEntry><inputEntry><text>not("south")</text></inputEntry><outputEntry><text>"B"</text></outputEntry></rule>
<rule id="g3"><inputEntry><text>&lt; 300</text></inputEntry><inputEntry><text>-</text></inputEntry><inputEntry><text>{cell}</text></inputEntry><outputEntry><text>{out}</text></outputEntry></rule>
</decisionTable></decision></definitions>"""
EXPRESSION = "<literalExpression><text>Yearly(Monthly income) + 1</text></literalExpression>"


def foreign(**change: str) -> bytes:
    parts = {"space": SPACE, "body": "m * 12", "logic": EXPRESSION, "cell": "-", "out": '"C"', **change}
    return FOREIGN.format(**parts).encode()


def test_a_foreign_table_becomes_a_rule_set() -> None:
    spec = to_rules(foreign(), "Loan grade")
    assert spec.inputs == ("Applicant_data.score", "Yearly_income", "Region") and spec.output_values == {"Loan grade": ("C", "B", "A")}
    assert [(f.name, f.title, f.type, f.derive) for f in spec.facts] == [
        ("Applicant_data", "Applicant data", "record", ""), ("Region", "", "enum", ""), ("Monthly_income", "Monthly income", "decimal", ""),
        ("Yearly_income", "Yearly income", "decimal", "(Monthly_income * 12) + 1"),
    ]  # fmt: skip
    score = spec.facts[0].fields[1]
    assert (score.min, score.max) == (0, 900) and spec.facts[0].fields[0].name == "birth_date"
    assert spec.rules[0].cells["Yearly_income"] == "> (100 * 12)" and (spec.rules[0].cite, spec.rules[0].say) == ("Art. 1", "够好")
    rules, runner = bound(spec), Runner(read_model(foreign()))
    for score, income, region in [(700, 200, "north"), (700, 50, "south"), (400, 1, "north"), (400, 1, "south"), (1, 1, "south")]:
        given = {"Applicant data": {"score": score}, "Monthly income": income, "Region": region}
        takes = runner.takes("Loan grade")
        value = runner.decide("Loan grade", {k: from_json(v, takes[k]) for k, v in given.items()}).value
        ours = decided(rules, {"Applicant_data": {"score": score}, "Monthly_income": income, "Region": region})
        assert ours.value == value and (value is not None or ours.outcome == "BLOCK")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"body": "Yearly(m - 1)"}, "circle"), ({"body": "for i in [m] return i"}, "no `for`"), ({"body": "substring(\"a\", m)"}, "no function `substring`"),
        ({"logic": '<context><contextEntry><literalExpression><text>1</text></literalExpression></contextEntry></context>'}, "not a table"),
        ({"cell": "matches(?, \"a\")"}, "no function `matches`"), ({"cell": "Unknown thing"}, "SQ134|no fact"), ({"out": "Monthly income"}, "no constant"), ({"out": "1 +"}, "not a FEEL"),
        ({"cell": '@"10:00:00"'}, "no value such as"),
    ],
)  # fmt: skip
def test_what_we_cannot_say_is_refused_and_named(change: dict[str, str], words: str) -> None:
    with pytest.raises(SiquanError) as fault:
        to_rules(foreign(**change), "Loan grade")
    assert re.search(words, fault.value.full("en")) and "model.dmn:" in fault.value.full("en")


def test_facts_without_a_type_are_refused() -> None:
    with pytest.raises(NotNative, match="its type is none"):
        to_rules(foreign().replace(b'<inputExpression typeRef="string"><text>Region</text></inputExpression><inputValues><text>"north","south"</text></inputValues>', b"<inputExpression><text>Region</text></inputExpression>"), "Loan grade")
    with pytest.raises(NotNative, match="no decision table"):
        to_rules(foreign(), "Yearly income")


@pytest.mark.skipif(not KIT.is_dir(), reason="the DMN TCK data is not beside the repository (../shared/dmn-tck)")
def test_the_kit_s_tables_become_rule_sets_that_decide_alike() -> None:
    seen = 0
    for path in sorted(KIT.glob("*/*.dmn")):
        try:
            spec = to_rules(path.read_bytes())
        except (SiquanError, Errors):
            continue
        seen += 1
        rules, runner = bound(spec), Runner(read_model(path.read_bytes()))
        takes = runner.takes("")
        for age in (0, 1, 3, 17, 18, 19, 25, 40):
            for risk in ("Low", "Medium", "High"):
                given = {k: {"RiskCategory": risk, "isAffordable": age % 2 == 1}.get(k, age) for k in takes}
                value = to_json(runner.decide("", {k: from_json(v, takes[k]) for k, v in given.items()}).value)
                assert alike(decided(rules, given), value), (path, given)
    assert seen >= 16


def test_canonical_text_is_stable() -> None:
    rules = load(TABLE)
    assert canonical(to_rules(written(rules)).model_dump(mode="json")) == canonical(placeless(rules.spec).model_dump(mode="json"))
