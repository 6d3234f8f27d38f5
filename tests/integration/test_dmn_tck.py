"""The DMN Technology Compatibility Kit, where its data lie beside the repository: every case gives what it expects."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from siquan.core.dmn.feel.operators import arith
from siquan.core.dmn.feel.temporal import parse_date, parse_date_time, parse_duration, parse_time
from siquan.core.dmn.feel.values import Range, equal, number
from siquan.core.dmn.read import open_model
from siquan.core.dmn.run import Runner

KIT = Path(__file__).resolve().parents[3] / "shared" / "dmn-tck"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_READ = {
    "date": parse_date, "time": parse_time, "dateTime": parse_date_time, "duration": parse_duration, "dayTimeDuration": parse_duration,
    "yearMonthDuration": parse_duration, "boolean": lambda text: text.strip() in ("true", "1"), "string": lambda text: text,
}  # fmt: skip


@dataclass(frozen=True)
class Expected:
    name: str
    value: Any


@dataclass(frozen=True)
class Case:
    """One test case: inputs and expected results as FEEL values, by name."""

    model: Path
    id: str
    kind: str
    invocable: str
    inputs: dict[str, Any]
    results: tuple[Expected, ...]

    def __str__(self) -> str:
        return f"{self.model.stem}-{self.id}"


def cases(folder: Path) -> Iterator[Case]:
    """All cases of a folder with models and `*-test-*.xml` files."""
    for file in sorted(folder.rglob("*-test-*.xml")):
        root = ElementTree.parse(file).getroot()
        model = file.parent / _below(root, "modelName")[0].text.strip()  # type: ignore[union-attr]
        for n, case in enumerate(_below(root, "testCase"), 1):
            results = [Expected(r.get("name", ""), _value(_below(r, "expected")[0])) for r in _below(case, "resultNode") if _below(r, "expected")]
            inputs = {i.get("name", ""): _value(i) for i in _below(case, "inputNode")}
            yield Case(model, case.get("id") or str(n), case.get("type", "decision"), case.get("invocableName", ""), inputs, tuple(results))


def alike(found: Any, wanted: Any) -> bool:
    """The same value; numbers may differ beyond the eighth digit after the point, as the kit's own runners have it."""
    if isinstance(found, Decimal) and isinstance(wanted, Decimal):
        return abs(arith("-", found, wanted)) <= Decimal("0.00000001")
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(alike(a, b) for a, b in zip(found, wanted, strict=True))
    if isinstance(found, dict) and isinstance(wanted, dict):
        return all(alike(found.get(k), wanted.get(k)) for k in {*found, *wanted})
    return equal(found, wanted) is True


def _below(e: ElementTree.Element, tag: str) -> list[ElementTree.Element]:
    return [c for c in e if c.tag.rpartition("}")[2] == tag]


def _value(e: ElementTree.Element) -> Any:
    """What an element holds: a value, a list of items, components of a context, a range."""
    if e.get(_NIL) == "true":
        return None
    for listed in _below(e, "list"):
        return None if listed.get(_NIL) == "true" else [_value(i) for i in _below(listed, "item")]
    for ranged in _below(e, "range"):
        ends = {tag: _below(ranged, tag) for tag in ("start", "end", "startIncluded", "endIncluded")}
        low, high = (_value(ends[tag][0]) if ends[tag] else None for tag in ("start", "end"))
        closed = [(ends[tag][0].text or "") == "true" if ends[tag] else True for tag in ("startIncluded", "endIncluded")]
        return Range(low, high, *closed)
    parts = _below(e, "component")
    if parts:
        return {p.get("name", ""): _value(p) for p in parts}
    values = _below(e, "value")
    return _scalar(values[0]) if values else None


def _scalar(e: ElementTree.Element) -> Any:
    if e.get(_NIL) == "true":
        return None
    kind, text = (e.get(_TYPE) or "string").rpartition(":")[2], e.text or ""
    return _READ[kind](text) if kind in _READ else number(Decimal(text.strip()))


CASES = list(cases(KIT)) if KIT.is_dir() else []


@functools.cache
def runner(path: Path) -> Runner:
    return Runner(open_model(path))


def test_the_kit_is_there() -> None:
    if not CASES:
        pytest.skip("the DMN TCK data is not beside the repository (../shared/dmn-tck)")
    level_two = [c for c in CASES if c.model.parent.name[:4].isdigit()]
    assert len({c.model for c in level_two}) >= 28 and len(level_two) >= 116


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    found = runner(case.model)
    for result in case.results:
        name = case.invocable if case.kind in ("decisionService", "bkm") else result.name
        done = found.decide(name, case.inputs)
        value = done.value
        if case.kind == "decisionService" and isinstance(value, dict) and result.name in value:
            value = value[result.name]
        assert alike(value, result.value), (result.name, value, result.value, done.notes)
