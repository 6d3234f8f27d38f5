"""Cases as YAML: read back they say the same, and a file they are added to keeps its comments and its form."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from siquan.core.spec.source import parse_yaml
from siquan.core.testing.casefile import NoPlaceForCase, flow, item, keep, scalar, text_of

CASE: dict[str, Any] = {
    "name": "六千元：要到区里", "on": dt.date(2026, 7, 1), "given": {"amount": Decimal("6000.50"), "ok": True, "gone": "none", "unknown": None},
    "steps": [{"act": "submit", "given": {"reason": "a: b, {c}"}}, {"act": "pass", "refused": "OC-T01"}], "expect": "done", "because": ["L1"],
}  # fmt: skip


def loaded(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=30))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    assert loaded(f"a: {scalar(text)}") == {"a": text}
    assert loaded(flow({"k": [text]})) == {"k": [text]}


@pytest.mark.parametrize("text", ["yes", "no", "true", "null", "007", "12:30", "2026-07-01", "1e3", "- a", "> 5", "a #b", "", " a ", "{}", "*x", "&y", "~"])
def test_words_that_mean_something_else_are_quoted(text: str) -> None:
    assert loaded(f"a: {scalar(text)}") == {"a": text}


def test_a_case_is_read_back_as_it_was_written() -> None:
    found = loaded("\n".join(item(CASE)))[0]
    assert found["given"] == {"amount": 6000.5, "ok": True, "gone": "none", "unknown": None}
    assert found["steps"] == CASE["steps"] and found["on"] == CASE["on"] and found["because"] == ["L1"]


def test_a_long_list_stands_row_by_row() -> None:
    rows = [{"unit": f"1-{n}", "area": Decimal("98.35"), "counts": True} for n in range(40)]
    lines = item({"name": "长", "given": {"owners": {"complete": True, "value": rows}}})
    assert all(len(line) < 160 for line in lines) and len(lines) > 40
    assert loaded("\n".join(lines))[0]["given"]["owners"]["value"][39]["unit"] == "1-39"


TOP = "# 例子\nprocess: p  # 短名\nbases:\n  full: {a: 1}   # 起始\ncases:\n  # 第一条\n  - {name: 一, expect: done}   # 走完\n"


@pytest.mark.parametrize("tail", ["", "\n\n", "\n# 结尾的话\n"])
def test_what_stands_there_stays_as_it_is(tail: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(TOP + tail, encoding="utf-8")
    keep(path, "x.p", [CASE], "留下的")
    text = path.read_text(encoding="utf-8")
    assert text.startswith(TOP.rstrip("\n")) and tail.strip() in text
    assert [c["name"] for c in loaded(text)["cases"]] == ["一", CASE["name"]]
    assert "# 留下的" in text


def test_a_list_with_keys_after_it(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    old = "process: p\ncases:\n  - {name: 一, expect: done}\n\n# 下面是没有核实的\nunconfirmed:\n  - 一句话\n"
    path.write_text(old, encoding="utf-8")
    keep(path, "x.p", [CASE])
    text = path.read_text(encoding="utf-8")
    assert loaded(text)["unconfirmed"] == ["一句话"] and len(loaded(text)["cases"]) == 2
    assert text.endswith("# 下面是没有核实的\nunconfirmed:\n  - 一句话\n")


def test_a_bare_list_and_a_list_in_brackets(tmp_path: Path) -> None:
    bare, brackets = tmp_path / "a.yaml", tmp_path / "b.yaml"
    bare.write_text("# 头\n- {name: 一, process: p}\n", encoding="utf-8")
    brackets.write_text("process: p  # 短名\ncases: [{name: 一, expect: done}]  # 一行写完\n", encoding="utf-8")
    for path in (bare, brackets):
        keep(path, "x.p", [CASE])
    assert [c["name"] for c in loaded(bare.read_text(encoding="utf-8"))] == ["一", CASE["name"]]
    assert [c["name"] for c in loaded(brackets.read_text(encoding="utf-8"))["cases"]] == ["一", CASE["name"]]
    assert "# 短名" in brackets.read_text(encoding="utf-8") and "# 一行写完" in brackets.read_text(encoding="utf-8")


def test_a_plugin_of_one_file_without_cases_gets_a_list(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text("process: one\ntitle: 一个  # 名\nstates: {a: {title: 甲, final: true}}\n", encoding="utf-8")
    keep(path, "one.one", [CASE, {**CASE, "name": "另一"}])
    assert len(parse_yaml(path.read_text(encoding="utf-8"), "one")["cases"]) == 2  # type: ignore[index]


def test_a_new_file_names_its_process(tmp_path: Path) -> None:
    path = tmp_path / "cases" / "quarter.yaml"
    keep(path, "big.quarter", [CASE])
    assert path.read_text(encoding="utf-8") == text_of([CASE], "quarter")


def test_a_broken_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("cases: [}\n", encoding="utf-8")
    with pytest.raises(NoPlaceForCase):
        keep(path, "x.p", [CASE])
    assert path.read_text(encoding="utf-8") == "cases: [}\n" and list(tmp_path.iterdir()) == [path]
