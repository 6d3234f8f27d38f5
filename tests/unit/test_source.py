"""YAML as designers write it: places, types of the 1.2 core schema, the traps and their help, bombs."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siquan.core.errors import SiquanError, Where
from siquan.core.spec.source import (
    Cursor,
    DuplicateKey,
    Map,
    MissingKey,
    Seq,
    UnknownKey,
    WrongShape,
    YamlFault,
    parse_yaml,
    read_yaml,
)


def test_scalars_are_what_the_writer_saw() -> None:
    text = """
a: [1, -2, +3, 0, 007, 1.50, 1e5, 0x1F, 12:30, yes, no, on, "5", true, False, null, ~, 2026-01-31, 2026-02-30, 1_000]
b: {2026-01-01: x, true: y, 5: z}
c: >
  two
  lines
"""
    found = parse_yaml(text, "x.yaml")
    assert list(found["a"]) == [
        1, -2, 3, 0, "007", Decimal("1.50"), "1e5", "0x1F", "12:30", "yes", "no", "on", "5", True, False, None, None, dt.date(2026, 1, 31),
        "2026-02-30", "1_000",
    ]  # fmt: skip
    assert str(found["a"][5]) == "1.50"
    assert list(found["b"]) == ["2026-01-01", "true", "5"]
    assert found["c"] == "two lines\n"


def test_everything_has_a_place() -> None:
    found = parse_yaml("a:\n  b: 1\n  c:\n    - x\n    - {d: 2}\n", "x.yaml")
    assert isinstance(found, Map) and isinstance(found["a"]["c"], Seq)
    assert found["a"].at["b"] == Where("x.yaml", 2, 3)
    assert found["a"]["c"].at[1] == Where("x.yaml", 5, 7) and str(found["a"]["c"][1].at["d"]) == "x.yaml:5"
    assert parse_yaml("", "x.yaml") is None and parse_yaml("# nothing", "x.yaml") is None


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("a: 1\nsay: {count} 户", 2, "加引号"),
        ("a: 1\nsay: 共 {x}: {y}", 2, "引号"),
        ("a: 1\nsay: 依据: 民法典", 2, "引号"),
        ("a: 1\nrows:\n  - {id: T1, n: > 5}", 3, "引号"),
        ("a: 1\nn: > 5", 2, "引号"),
        ("a: 1\nn: >5\nb: 2", 2, "引号"),
        ("a: 1\nn: >", 2, "引号"),
        ("a: 1\nn: @x", 2, "引号"),
        ("a: 1\nn: `x`", 2, "引号"),
        ("a: 1\nn: %x", 2, "引号"),
        ("a: 1\n\tb: 2", 2, "Tab"),
        ("a:\n  b: 1\n\tc: 2", 3, "Tab"),
        ("a: 1\n标题：小额\nb: 2", 2, "半角"),
        ("a: 1\nb: [1, 2", 0, ""),
        ('a: 1\nb: "x', 0, ""),
        ("a: 1\n b: 2", 2, ""),
        ("a: 1\n---\nb: 2", 2, ""),
        ("a: *nowhere", 1, ""),
        ("? [a, b]\n: 1", 1, ""),
        ("{a: 1}: 2", 1, "引号"),
        ("a: \x00", 0, ""),
    ],
)
def test_traps_get_a_place_and_a_help_line(text: str, line: int, hint: str) -> None:
    with pytest.raises(YamlFault) as caught:
        parse_yaml(text, "x.yaml")
    fault = caught.value
    assert fault.code == "SQ011" and fault.where is not None and fault.where.file == "x.yaml"
    assert not line or abs(fault.where.line - line) <= 1, fault.where
    assert hint in fault.help("zh") and fault.help("zh"), fault.full("zh")


def test_yes_and_no_are_texts_and_a_flag_says_so() -> None:
    c = Cursor(parse_yaml("auto: yes", "x.yaml"), "transition")
    with pytest.raises(WrongShape) as caught:
        c.flag("auto")
    assert "yes/no" in caught.value.text("zh") and caught.value.where == Where("x.yaml", 1, 1)


def test_duplicate_keys() -> None:
    with pytest.raises(DuplicateKey) as caught:
        parse_yaml("a:\n  b: 1\n  c: 2\n  b: 3\n", "x.yaml")
    assert (caught.value.code, caught.value.where) == ("SQ012", Where("x.yaml", 4, 3))
    with pytest.raises(DuplicateKey):
        parse_yaml("{2026-01-01: 1, '2026-01-01': 2}", "x.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x, x, x, x, x, x, x, x]\n" + "\n".join(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]" for i in range(8)),
        "a: &a [*a]",
        "a: &a {b: *a}",
        "[" * 100 + "]" * 100,
        "[" * 5000 + "]" * 5000,
        "\n".join("  " * i + "a:" for i in range(100)),
        "- x\n" * 300_001,
    ],
)
def test_bombs_are_refused(text: str) -> None:
    with pytest.raises(YamlFault) as caught:
        parse_yaml(text, "x.yaml")
    assert caught.value.help("zh")


def test_tags_build_nothing() -> None:
    found = parse_yaml("a: !!python/object/apply:os.system ['true']\nb: !!binary aGk=\nc: !!int '5'", "x.yaml")
    assert found["a"] == ["true"] and found["b"] == "aGk=" and found["c"] == "5"


def test_a_number_too_long_stays_a_text() -> None:
    assert parse_yaml("a: " + "9" * 5000, "x.yaml")["a"] == "9" * 5000


def test_files(tmp_path: Path) -> None:
    good, gbk, utf16 = tmp_path / "a.yaml", tmp_path / "b.yaml", tmp_path / "c.yaml"
    good.write_bytes("\ufeff标题: 小额".encode())
    gbk.write_bytes("标题: 小额经费审批".encode("gbk"))
    utf16.write_bytes("标题: 小额".encode("utf-16"))
    assert read_yaml(good) == {"标题": "小额"}
    for path in (gbk, utf16):
        with pytest.raises(YamlFault) as caught:
            read_yaml(path, "x/b.yaml")
        assert "UTF-8" in caught.value.help("zh") and caught.value.where == Where("x/b.yaml")
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(YamlFault):
            read_yaml(path)


def cursor(text: str) -> Cursor:
    return Cursor(parse_yaml(text, "x.yaml"), "thing")


def test_a_cursor_takes_what_it_knows_and_refuses_the_rest() -> None:
    c = cursor("title: 标题\nby: [a, b]\nto: x\nn: 5\nflag: true\nmap: {a: 1}\nlist: [1]\nkind: day\ntabel: x")
    assert (c.text("title"), c.words("by"), c.words("to"), c.words("none"), c.number("n"), c.flag("flag")) == ("标题", ("a", "b"), ("x",), (), 5, True)
    assert (c.table("map"), list(c.list("list")), c.choice("kind", ("day", "month"), "day")) == ({"a": "1"}, [1], "day")
    assert (c.map("m"), c.list("l"), c.text("t", "x"), c.any("a")) == ({}, [], "x", None)
    with pytest.raises(UnknownKey) as caught:
        c.done(("table",))
    assert (caught.value.where, caught.value.values["key"]) == (Where("x.yaml", 9, 1), "tabel") and "`table`" in caught.value.help("zh")


@pytest.mark.parametrize(
    ("text", "take", "error"),
    [
        ("a: {b: 1}", lambda c: c.text("a"), WrongShape),
        ("a: [1]", lambda c: c.text("a"), WrongShape),
        ("b: 1", lambda c: c.text("a", need=True), MissingKey),
        ("a: x", lambda c: c.number("a"), WrongShape),
        ("a: true", lambda c: c.number("a"), WrongShape),
        ("a: [{b: 1}]", lambda c: c.words("a"), WrongShape),
        ("a: 1", lambda c: c.map("a"), WrongShape),
        ("a: {b: 1}", lambda c: c.list("a"), WrongShape),
        ("a: {b: {c: 1}}", lambda c: c.table("a"), WrongShape),
        ("a: x", lambda c: c.choice("a", ("y", "z"), "y"), WrongShape),
        ("- 1", lambda c: c, WrongShape),
    ],
)
def test_wrong_shapes(text: str, take: Any, error: type[SiquanError]) -> None:
    with pytest.raises(error) as caught:
        take(cursor(text))
    fault = caught.value
    assert fault.where is not None and fault.where.line == 1 and fault.code in ("SQ014", "SQ015")
    assert fault.full("zh") and "class" not in fault.full("en")


def test_a_text_with_braces_gets_help() -> None:
    with pytest.raises(WrongShape) as caught:
        cursor("say: {count}").text("say")
    assert "引号" in caught.value.help("zh")


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="ab:,-[]{}&*!|>'\"%@`#?\n\t 1.：\\\x00é甲", max_size=40))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    try:
        parse_yaml(text, "x.yaml")
    except SiquanError as fault:
        assert fault.where is not None and fault.where.file == "x.yaml" and fault.full("zh") and fault.full("en")
