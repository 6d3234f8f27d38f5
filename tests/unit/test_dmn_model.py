"""Decision models at work: boxed expressions, decision tables, requirements, types, services, imports."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from siquan.core.dmn.feel.evaluate import EndlessWork
from siquan.core.dmn.feel.kinds import Kind
from siquan.core.dmn.feel.values import same
from siquan.core.dmn.read import VERSIONS, BrokenModel, read_model
from siquan.core.dmn.run import Result, Runner
from siquan.core.dmn.wire import from_json, json_text, read_json, to_json
from siquan.core.errors import BadInput, NotFound

SPACE = "https://www.omg.org/spec/DMN/20230324/MODEL/"


def model(body: str, *, space: str = SPACE, namespace: str = "urn:test") -> bytes:
    return f'<definitions xmlns="{space}" name="test" namespace="{namespace}" id="d">{body}</definitions>'.encode()


def needs(*ids: str) -> str:
    return "".join(f'<informationRequirement><requiredInput href="#{i}"/></informationRequirement>' for i in ids)


def data(*names: str, type: str = "number") -> str:
    return "".join(f'<inputData id="{n}" name="{n}"><variable name="{n}" typeRef="{type}"/></inputData>' for n in names)


def text(words: str) -> str:
    return f"<literalExpression><text><![CDATA[{words}]]></text></literalExpression>"


def decision(logic: str, *inputs: str, type: str = "", name: str = "D", more: str = "") -> str:
    kind = f' typeRef="{type}"' if type else ""
    return f'<decision id="{name}" name="{name}"><variable name="{name}"{kind}/>{needs(*inputs)}{more}{logic}</decision>'


def ran(body: str, facts: dict[str, Any] | None = None, name: str = "D") -> Result:
    runner = Runner(read_model(model(body)))
    takes = runner.takes(name)
    return runner.decide(name, {k: from_json(v, takes.get(k)) for k, v in (facts or {}).items()})


def value(body: str, facts: dict[str, Any] | None = None, name: str = "D") -> Any:
    return to_json(ran(body, facts, name).value)


# decision tables


def table(policy: str, rows: list[tuple[str, ...]], *, outputs: str = "<output/>", total: str = "", values: str = "", inputs: int = 1) -> str:
    column = f"<inputExpression><text>a</text></inputExpression>{values}"
    made = "".join(
        f'<rule id="r{n}">'
        + "".join(f"<{'in' if k < inputs else 'out'}putEntry><text><![CDATA[{c}]]></text></{'in' if k < inputs else 'out'}putEntry>" for k, c in enumerate(row))
        + "</rule>"
        for n, row in enumerate(rows, 1)
    )
    aggregation = f' aggregation="{total}"' if total else ""
    return f'<decisionTable hitPolicy="{policy}"{aggregation}>{f"<input>{column}</input>" * inputs}{outputs}{made}</decisionTable>'


ROWS = [("> 1", '"x"'), ("> 2", '"y"'), ("> 3", '"x"')]
NUMBERS = [("> 1", "10"), ("> 2", "30"), ("> 3", "20")]
ORDERED = '<output><outputValues><text>"y","x"</text></outputValues></output>'


@pytest.mark.parametrize(
    ("policy", "total", "rows", "outputs", "a", "wanted"),
    [
        ("UNIQUE", "", ROWS, "<output/>", 2, "x"), ("UNIQUE", "", ROWS, "<output/>", 3, None), ("UNIQUE", "", ROWS, "<output/>", 0, None),
        ("ANY", "", ROWS, "<output/>", 2, "x"), ("ANY", "", ROWS, "<output/>", 3, None), ("ANY", "", [("> 1", "1"), ("> 1", "1.0")], "<output/>", 3, Decimal(1)),
        ("FIRST", "", ROWS, "<output/>", 9, "x"), ("PRIORITY", "", ROWS, ORDERED, 9, "y"), ("PRIORITY", "", ROWS, ORDERED, 2, "x"),
        ("RULE ORDER", "", ROWS, "<output/>", 9, ["x", "y", "x"]), ("RULE ORDER", "", ROWS, "<output/>", 0, None),
        ("OUTPUT ORDER", "", ROWS, ORDERED, 9, ["y", "x", "x"]), ("COLLECT", "", ROWS, "<output/>", 3, ["x", "y"]), ("COLLECT", "", ROWS, "<output/>", 0, []),
        ("COLLECT", "SUM", NUMBERS, "<output/>", 9, Decimal(60)), ("COLLECT", "MIN", NUMBERS, "<output/>", 9, Decimal(10)),
        ("COLLECT", "MAX", NUMBERS, "<output/>", 9, Decimal(30)), ("COLLECT", "COUNT", NUMBERS, "<output/>", 9, Decimal(3)),
        ("COLLECT", "COUNT", NUMBERS, "<output/>", 0, Decimal(0)), ("COLLECT", "SUM", NUMBERS, "<output/>", 0, None), ("COLLECT", "MAX", ROWS, "<output/>", 9, "y"),
        ("UNIQUE", "", ROWS, '<output><defaultOutputEntry><text>"z"</text></defaultOutputEntry></output>', 0, "z"),
        ("UNIQUE", "", ROWS, '<output><outputValues><text>"z"</text></outputValues></output>', 2, None),
        ("UNIQUE", "", [("> 1", "a + 1")], '<output typeRef="number"/>', 5, Decimal(6)), ("UNIQUE", "", [("> 1", "a")], '<output typeRef="string"/>', 5, None),
        ("UNIQUE", "", [("null", '"n"')], "<output/>", None, "n"), ("UNIQUE", "", [("> null", '"n"')], "<output/>", None, None),
        ("UNIQUE", "", [("? > 1 and ? < 3", "1")], "<output/>", 2, Decimal(1)), ("UNIQUE", "", [("not this", "1"), ("-", "2")], "<output/>", 2, Decimal(2)),
    ],
)  # fmt: skip
def test_hit_policies(policy: str, total: str, rows: list[tuple[str, ...]], outputs: str, a: Any, wanted: Any) -> None:
    found = value(data("a") + decision(table(policy, rows, outputs=outputs, total=total), "a"), {"a": a})
    assert found == wanted and type(found) is type(wanted)


def test_several_outputs() -> None:
    outputs = '<output name="p"><outputValues><text>"hi","lo"</text></outputValues><defaultOutputEntry><text>"lo"</text></defaultOutputEntry></output>'
    outputs += '<output name="q x"><outputValues><text>1,2</text></outputValues></output>'
    rows = [("> 1", '"lo"', "1"), ("> 1", '"hi"', "2"), ("> 1", '"hi"', "1")]
    body = data("a") + decision(table("OUTPUT ORDER", rows, outputs=outputs), "a")
    wanted = [{"p": "hi", "q x": 1}, {"p": "hi", "q x": 2}, {"p": "lo", "q x": 1}]
    assert value(body, {"a": 5}) == wanted and value(body, {"a": 0}) == {"p": "lo", "q x": None}
    assert value(body.replace("OUTPUT ORDER", "PRIORITY"), {"a": 5}) == wanted[0]
    second = decision(text("D[1].q x + 1"), name="E", more='<informationRequirement><requiredDecision href="#D"/></informationRequirement>')
    assert value(body + second, {"a": 5}, "E") == 2


def test_values_an_input_may_have() -> None:
    body = data("a") + decision(table("UNIQUE", [("-", "1")], values="<inputValues><text>[1..9]</text></inputValues>"), "a")
    assert value(body, {"a": 5}) == 1 and value(body, {"a": 10}) is None
    assert "not among" in ran(body, {"a": 10}).notes[0]


def test_the_rows_that_were_hit_are_told() -> None:
    done = ran(data("a") + decision(table("FIRST", ROWS), "a"), {"a": 3})
    assert done.rows["D"] == [("r1", True), ("r2", True), ("r3", False)]


# boxed expressions

CONTEXT = f"""<context><contextEntry><variable name="net pay" typeRef="number"/>{text("a * 2")}</contextEntry>
<contextEntry><variable name="f"/><functionDefinition><formalParameter name="x y" typeRef="number"/>{text("x y + net pay")}</functionDefinition></contextEntry>
<contextEntry>{text("f(1) + net pay")}</contextEntry></context>"""
BOXED = [
    (CONTEXT, Decimal(21)),
    (f'<context><contextEntry><variable name="p"/>{text("a")}</contextEntry></context>', {"p": Decimal(5)}),
    (f'<context><contextEntry><variable name="p" typeRef="string"/>{text("a")}</contextEntry></context>', {"p": None}),
    (f"<list>{text('a')}{text('a + 1')}</list>", [Decimal(5), Decimal(6)]),
    (f'<relation><column name="n"/><column name="m"/><row>{text("1")}{text("a")}</row></relation>', [{"n": Decimal(1), "m": Decimal(5)}]),
    (f"<conditional><if>{text('a > 4')}</if><then>{text('1')}</then><else>{text('2')}</else></conditional>", Decimal(1)),
    (f"<conditional><if>{text('null')}</if><then>{text('1')}</then><else>{text('2')}</else></conditional>", Decimal(2)),
    (f"<filter><in>{text('[1, a, 9]')}</in><match>{text('item > 4')}</match></filter>", [Decimal(5), Decimal(9)]),
    (f'<filter><in>{text("[{n m: 1}, {n m: 7}]")}</in><match>{text("n m > a")}</match></filter>', [{"n m": Decimal(7)}]),
    (f'<for iteratorVariable="i"><in>{text("[1, 2]")}</in><return>{text("i + a + count(partial)")}</return></for>', [Decimal(6), Decimal(8)]),
    (f'<some iteratorVariable="i"><in>{text("[1, 9]")}</in><satisfies>{text("i > a")}</satisfies></some>', True),
    (f'<every iteratorVariable="i"><in>{text("[1, 9]")}</in><satisfies>{text("i > a")}</satisfies></every>', False),
    (f'<invocation>{text("function(p, q) p - q")}<binding><parameter name="q"/>{text("1")}</binding><binding><parameter name="p"/>{text("a")}</binding></invocation>', Decimal(4)),
    (f'<invocation>{text("nothing")}<binding><parameter name="q"/>{text("1")}</binding></invocation>', None),
    ("<literalExpression><text>a +</text></literalExpression>", None),
    ('<literalExpression expressionLanguage="http://example.org/script"><text>a</text></literalExpression>', None),
    (f'<functionDefinition kind="Java"><formalParameter name="x"/>{text("1")}</functionDefinition>', None),
    ("", None),
]  # fmt: skip


@pytest.mark.parametrize(("logic", "wanted"), BOXED)
def test_boxed_expressions(logic: str, wanted: Any) -> None:
    assert value(data("a") + decision(logic, "a"), {"a": 5}) == wanted


def test_what_cannot_be_read_is_told_with_its_line() -> None:
    runner = Runner(read_model(model("\n\n" + decision(text("1 +")))))
    assert runner.faults[0].where is not None and runner.faults[0].where.line == 3
    assert "1 +" in runner.decide("D", {}).notes[0]


# requirements, knowledge, services

KNOWLEDGE = f"""<businessKnowledgeModel id="K" name="Sum up"><variable name="Sum up"/><encapsulatedLogic>
<formalParameter name="n" typeRef="number"/>{text("if n <= 0 then 0 else n + Sum up(n - 1)")}</encapsulatedLogic>
<knowledgeRequirement><requiredKnowledge href="#K"/></knowledgeRequirement></businessKnowledgeModel>"""
KNOWS = '<knowledgeRequirement><requiredKnowledge href="#K"/></knowledgeRequirement>'


def test_knowledge_is_a_function_and_may_invoke_itself() -> None:
    body = data("a") + KNOWLEDGE + decision(text("Sum up(a)"), "a", more=KNOWS)
    assert value(body, {"a": 4}) == 10 and value(body, {"n": 3}, "Sum up") == 6
    deep = ran(body, {"a": 100_000})
    assert deep.value is None and any("too deeply" in note for note in deep.notes)
    assert value(data("a") + KNOWLEDGE + decision(text("Sum up(a)"), "a"), {"a": 4}) is None  # not required, not in scope


def test_a_decision_sees_only_what_it_requires() -> None:
    body = data("a", "b") + decision(text("b"), "a")
    done = ran(body, {"a": 1, "b": 2})
    assert done.value is None and "`b`" in done.notes[0]


SERVICE = f"""{data("a", "b")}{decision(text("a + b"), "a", "b", name="S")}
{decision(text("S * 2"), name="T", more='<informationRequirement><requiredDecision href="#S"/></informationRequirement>')}
<decisionService id="V" name="Twice"><variable name="Twice"/><outputDecision href="#T"/><encapsulatedDecision href="#S"/><inputData href="#a"/><inputData href="#b"/></decisionService>
<decisionService id="W" name="After"><variable name="After"/><outputDecision href="#T"/><inputDecision href="#S"/></decisionService>
<decisionService id="X" name="Both"><variable name="Both"/><outputDecision href="#T"/><outputDecision href="#S"/><inputData href="#a"/><inputData href="#b"/></decisionService>"""


def test_decision_services() -> None:
    knows = "".join(f'<knowledgeRequirement><requiredKnowledge href="#{i}"/></knowledgeRequirement>' for i in "VWX")
    body = SERVICE + decision(text("[Twice(1, 2), Twice(b: 1, a: 5), After(7), Both(1, 2).S, Twice(1)]"), more=knows)
    assert value(body) == [6, 12, 14, 3, None]
    assert value(SERVICE, {"a": 1, "b": 2}, "Twice") == 6 and value(SERVICE, {"S": 5}, "After") == 10


def test_imports_go_by_their_name() -> None:
    inner = model(
        f'<itemDefinition name="tAge"><typeRef>number</typeRef><allowedValues><text>[0..150]</text></allowedValues></itemDefinition>'
        f'<inputData id="age" name="the age"><variable name="the age" typeRef="tAge"/></inputData>{KNOWLEDGE}'
        f'{decision(text("the age * 2"), "age", name="Dbl")}', namespace="urn:inner",
    )  # fmt: skip
    more = "".join(
        f'<{kind}Requirement><required{what} href="urn:inner#{id}"/></{kind}Requirement>'
        for kind, what, id in (("information", "Input", "age"), ("information", "Decision", "Dbl"), ("knowledge", "Knowledge", "K"))
    )
    body = f'<import name="lib" namespace="urn:inner" importType="{SPACE}"/>' + decision(text("lib.the age + lib.Dbl + lib.Sum up(2)"), type="lib.tAge", more=more)
    runner = Runner(read_model(model(body), "m.dmn", lambda namespace, location: (inner, "i.dmn")))
    assert runner.decide("D", {"lib.the age": Decimal(3)}).value == 12 and runner.decide("D", {"the age": Decimal(3)}).value == 12
    assert runner.decide("D", {"the age": Decimal(100)}).value is None and runner.decide("D", {"the age": Decimal(500)}).value is None
    with pytest.raises(BrokenModel, match="no model of the namespace"):
        read_model(model(body))
    with pytest.raises(BrokenModel, match="circle"):
        read_model(model(body), "m.dmn", lambda namespace, location: (model(body, namespace="urn:inner").replace(b"urn:inner\" importType", b"urn:test\" importType"), "i"))


# types

TYPES = """<itemDefinition name="tColour"><typeRef>string</typeRef><allowedValues><text>"red","blue"</text></allowedValues></itemDefinition>
<itemDefinition name="tColours" isCollection="true"><typeRef>tColour</typeRef></itemDefinition>
<itemDefinition name="tTree"><itemComponent name="left"><typeRef>tTree</typeRef></itemComponent><itemComponent name="size"><typeRef>number</typeRef></itemComponent></itemDefinition>
<itemDefinition name="tShort" isCollection="true"><typeRef>number</typeRef><allowedValues><text>&gt; 0</text></allowedValues><typeConstraint><text>count(?) &lt; 3</text></typeConstraint></itemDefinition>
<itemDefinition name="tPair"><functionItem outputTypeRef="number"><parameters name="x" typeRef="number"/></functionItem></itemDefinition>"""


@pytest.mark.parametrize(
    ("type", "given", "wanted"),
    [
        ("tColour", "red", "red"), ("tColour", "green", None), ("tColour", ["red"], "red"), ("tColours", "red", ["red"]), ("tColours", ["red", "green"], None),
        ("tTree", {"size": 1, "left": {"size": 2}}, {"size": 1, "left": {"size": 2}}), ("tTree", {"size": "x"}, None), ("tTree", {"left": {"size": "x"}}, None),
        ("tShort", [1, 2], [1, 2]), ("tShort", [1, 2, 3], None), ("tShort", [0], None), ("number", "x", None), ("number", [5], 5), ("boolean", 1, None),
        ("date", "2020-02-29", "2020-02-29"), ("date", "2020-02-30", None), ("date and time", "2020-02-29", "2020-02-29T00:00:00"), ("dateTime", "2020-01-01T10:00:00Z", "2020-01-01T10:00:00Z"),
        ("days and time duration", "P1D", "P1D"), ("dayTimeDuration", "P1Y", None), ("yearMonthDuration", "P14M", "P1Y2M"), ("feel:string", "x", "x"), ("Any", {"q": [1, None]}, {"q": [1, None]}),
        ("string", 5, None), ("unheard of", 5, 5), ("tPair", 5, None), ("time", "10:00:00", "10:00:00"),
    ],
)  # fmt: skip
def test_what_does_not_conform_is_null(type: str, given: Any, wanted: Any) -> None:
    assert value(TYPES + data("a", type=type) + decision(text("a"), "a"), {"a": given}) == wanted
    if type != "unheard of":
        assert value(TYPES + data("a", type=type) + decision(text("a"), "a", type=type), {"a": given}) == wanted


def test_a_result_that_does_not_conform_is_null() -> None:
    assert value(decision(text('"green"'), type="tColour") + TYPES) is None
    assert value(decision(text('["red"]'), type="tColour") + TYPES) == "red"
    assert value(decision(text("null instance of tColour")) + TYPES) is False and value(decision(text('"red" instance of tColour')) + TYPES) is True


# broken models, and every version


@pytest.mark.parametrize("space", VERSIONS)
def test_every_version_of_the_standard_is_read(space: str) -> None:
    body = data("a") + decision(table("UNIQUE", ROWS), "a")
    assert Runner(read_model(model(body, space=space))).decide("D", {"a": Decimal(2)}).value == "x"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (decision(text("1"), "gone"), "`gone`"), (decision(text("1")) * 2, "twice"), (data("a") + decision(table("BEST", ROWS), "a"), "hit policy"),
        (decision(table("COLLECT", ROWS, total="PRODUCT")), "hit policy"), (decision(table("UNIQUE", [("1",)])), "as many entries"),
        (decision(table("UNIQUE", ROWS, outputs="")), "no output"), (decision(table("UNIQUE", [("-", "1", "2")], outputs='<output name="a"/><output name="a"/>')), "a name each"),
        ('<decision id="x"><variable name="x"/></decision>', "no name"),
        (decision(text("1"), more='<informationRequirement><requiredDecision href="#D"/></informationRequirement>'), "circle"),
    ],
)  # fmt: skip
def test_a_broken_model_is_refused(body: str, words: str) -> None:
    with pytest.raises(BrokenModel, match=words) as fault:
        Runner(read_model(model(body), "m.dmn"))
    assert fault.value.where is not None and fault.value.where.file == "m.dmn"


def test_a_decision_that_is_not_there() -> None:
    runner = Runner(read_model(model(decision(text("1")) + decision(text("2"), name="E"))))
    for name in ("F", ""):
        with pytest.raises(NotFound, match="there is no"):
            runner.decide(name, {})
    assert runner.decide("E", {}).value == 2
    with pytest.raises(EndlessWork):
        Runner(read_model(model(decision(text("count(for i in 1..9999, j in 1..9999 return 1)"))))).decide("D", {})


# values on the wire


def test_json_keeps_every_digit() -> None:
    given = '{"a": 0.1000000000000000000000000000000001, "b": [1e2, "5", null, true], "c d": {"e": "2020-01-01"}}'
    found = from_json(read_json(given))
    assert found["a"] == Decimal("0.1000000000000000000000000000000001") and found["b"][1] == "5"
    again = json_text(to_json(found))
    assert '"a": 0.1000000000000000000000000000000001' in again and same(from_json(read_json(again)), found)
    assert json_text({"a": [], "b": {}, "中": "“"}) == '{\n "a": [],\n "b": {},\n "中": "“"\n}'
    with pytest.raises(BadInput):
        read_json('{"a": 1, "a": 2}')
    assert read_json("{a: 1}") is None and from_json("5", Kind("number")) == 5 and from_json("abc", Kind("number")) == "abc"
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    with pytest.raises(BadInput):
        from_json(deep)
