"""`siquan decide model.dmn#Decision name`: the contract, the value as the standard has it, and what is refused."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from siquan.core.cli import main

MODEL = """<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="Fees" namespace="urn:fees" id="d">
<itemDefinition name="tPerson"><itemComponent name="birth date"><typeRef>date</typeRef></itemComponent></itemDefinition>
<inputData id="p" name="Person"><variable name="Person" typeRef="tPerson"/></inputData>
<inputData id="a" name="Base amount"><variable name="Base amount" typeRef="number"/></inputData>
<inputData id="x" name="Any thing"><variable name="Any thing"/></inputData>
<decision id="d1" name="Grade"><variable name="Grade"/><informationRequirement><requiredInput href="#p"/></informationRequirement>
<decisionTable hitPolicy="FIRST"><input id="i"><inputExpression><text>Person.birth date</text></inputExpression></input><output id="o"/>
<rule id="old"><inputEntry><text>&lt; date("1966-01-01")</text></inputEntry><outputEntry><text>"senior"</text></outputEntry></rule>
<rule id="rest"><inputEntry><text>-</text></inputEntry><outputEntry><text>null</text></outputEntry></rule></decisionTable></decision>
<decision id="d2" name="Fee to pay"><variable name="Fee to pay"/><informationRequirement><requiredInput href="#a"/></informationRequirement>
<literalExpression><text>{amount: Base amount / 3, due: today() + duration("P30D"), list: [Base amount &gt; 1, null]}</text></literalExpression></decision>
<decision id="d3" name="Echo"><variable name="Echo"/><informationRequirement><requiredInput href="#x"/></informationRequirement>
<literalExpression><text>Any thing</text></literalExpression></decision></definitions>"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SIQUAN_HOME", str(tmp_path / "var"))
    path = tmp_path / "fees.dmn"
    path.write_text(MODEL, encoding="utf-8")
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = main(["decide", *words])
    shown = capsys.readouterr()
    return status, shown.out + shown.err


def test_a_record_with_all_its_digits(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, text = run(capsys, f"{model}#Fee to pay", "--facts", '{"Base amount": 100.5}', "--on", "2026-11-23", "--json")
    shown = json.loads(text, parse_float=Decimal)
    assert status == 0 and shown["outcome"] == "PASS" and set(shown) == {"outcome", "findings", "ask", "ruleset", "value"}
    assert shown["value"] == {"amount": Decimal("33.5"), "due": "2026-12-23", "list": [True, None]}
    assert shown["ruleset"]["id"] == "fees.dmn#Fee to pay" and shown["ruleset"]["version"] == "Fees (DMN 1.5)" and len(shown["ruleset"]["hash"]) == 64
    assert '"amount": 33.5' in text


def test_the_rows_of_a_table_are_findings(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, text = run(capsys, f"{model}#Grade", "--facts", '{"Person": {"birth date": "1950-05-05"}}', "--json")
    shown = json.loads(text)
    assert status == 0 and shown["value"] == "senior"
    assert [(f["rule"], f["result"], f["outcome"]) for f in shown["findings"]] == [("old", "hit", "PASS"), ("rest", "hit", "PASS")]
    assert shown["findings"][0]["message"] == 'Person.birth date < date("1966-01-01") → "senior"'


def test_null_is_said_honestly(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, text = run(capsys, f"{model}#Grade", "--json")
    shown = json.loads(text)
    assert status == 0 and shown["outcome"] == "BLOCK" and "value" in shown and shown["value"] is None
    status, text = run(capsys, f"{model}#Fee to pay", "--facts", "Base amount: many")
    assert status == 0 and "注意：`Base amount` 的值不符合类型 `number`" in text


@pytest.mark.parametrize("facts", ['{"Any thing": "5"}', "Any thing: '5'", '{"Any thing": 5}', "Any thing: 5", "Any thing: 1.50"])
def test_texts_and_numbers_stay_apart(model: str, facts: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, text = run(capsys, f"{model}#Echo", "--facts", facts, "--json")
    wanted: Any = "5" if "'5'" in facts or '"5"' in facts else Decimal("1.5") if "1.50" in facts else 5
    assert json.loads(text, parse_float=Decimal)["value"] == wanted


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["#Fees", "--facts", "{}"], "SQ404"), (["", "--facts", "{}"], "SQ404"), (["#Grade", "--facts", '{"person": {}}'], "SQ202"), (["#Grade", "--facts", "[1]"], "SQ422"),
        (["#Grade", "--facts", '{"Person": 1, "Person": 2}'], "SQ422"), (["#Grade", "--set", "a=1"], "SQ422"), (["#Grade", "--on", "soon"], "SQ422"), (["#Grade", "--facts", "@/nowhere"], "SQ422"),
        (["#Grade", "--facts", '{"a": 1, "b": 2}'], "SQ202"), (["#Grade", "--facts", "{"], "SQ"),
    ],
)  # fmt: skip
def test_wrong_use_is_refused(model: str, words: list[str], code: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, text = run(capsys, model + words[0], *words[1:])
    assert status == 2 and code in text and "Traceback" not in text
    status, text = run(capsys, model + words[0], *words[1:], "--json")
    assert status == 2 and json.loads(text)["error"].startswith("SQ")


def test_a_broken_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.dmn"
    bad.write_text("<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><x>&y;</x>")
    status, text = run(capsys, f"{bad}#D")
    assert status == 2 and "bad.dmn:1: SQ131" in text and "help:" in text
    status, text = run(capsys, f"{tmp_path}/none.dmn#D")
    assert status == 2 and "SQ404" in text
