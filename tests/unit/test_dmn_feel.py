"""FEEL as the standard has it: every operator and built-in function, three-valued, and null for what is not defined."""

from __future__ import annotations

import itertools
import random
import time
from decimal import Decimal
from typing import Any

import pytest

from siquan.core.dmn.feel.evaluate import EndlessWork, Ground, Scope, build, build_tests
from siquan.core.dmn.feel.lexer import FeelFault
from siquan.core.dmn.feel.library import FUNCTIONS
from siquan.core.dmn.feel.library.signature import FORMS
from siquan.core.dmn.feel.names import Names
from siquan.core.dmn.feel.parser import parse, parse_tests
from siquan.core.dmn.feel.temporal import Date, DateTime, Time, parse_date
from siquan.core.dmn.feel.values import Function, same, text_of

NOON = DateTime(Date(2026, 11, 23), Time(12, 0, 0, offset=0))


def run(text: str, **names: Any) -> Any:
    scope = Scope(Ground(FUNCTIONS, NOON, "test"), {k.replace("_", " "): v for k, v in names.items()})
    return build(parse(text, Names([*FUNCTIONS, "now", "today", *scope.names])))(scope)


def test_cell(text: str, value: Any, **names: Any) -> bool:
    scope = Scope(Ground(FUNCTIONS), {**names, "?": value})
    node = parse_tests(text, Names([*FUNCTIONS, *names]))
    return bool(build_tests(node)(scope))  # type: ignore[arg-type]


test_cell.__test__ = False  # type: ignore[attr-defined]
LITERALS = [
    ("1", Decimal(1)), ("-1.50", Decimal("-1.5")), (".5", Decimal("0.5")), ("1.2e3", Decimal(1200)), ("true", True), ("null", None),
    (r'"a\tb\"c\\d"', 'a\tb"c\\d'), (r'"\u4e2d\U01F40E"', "中🐎"), (r'"\uD83D\uDC0E"', "🐎"), (r'"\d"', r"\d"), ("[]", []), ("[1, [2]]", [1, [2]]),
    ("{}", {}), ('{a: 1, "b c": a + 1, d e: 3}', {"a": 1, "b c": 2, "d e": 3}), ("{a: 1, a: 2}", None), ("// note\n1 /* and */ + 1", Decimal(2)),
]  # fmt: skip
#: an expression and one that must give the same
EQUAL = [
    # arithmetic
    ("1 + 2 * 3 ** 2 - 4 / 2", "17"), ("2 ** 3 ** 2", "64"), ("-5 ** 2", "25"), ("10 ** -2", "0.01"), ("1 / 0", "null"), ("0 ** -1", "null"),
    ("1 / 3", "0.3333333333333333333333333333333333"), ('"a" + "b"', '"ab"'), ('"a" - "b"', "null"), ('"a" + 1', "null"), ("1 + null", "null"),
    ("-null", "null"), ("10 ** 7000", "null"), ("--1", "1"),
    # dates and durations
    ('date("2020-01-31") + duration("P1M")', '@"2020-02-29"'), ('@"2020-03-31" - @"P1M"', '@"2020-02-29"'),
    ('@"2020-01-01" + @"PT36H"', '@"2020-01-02"'), ('@"2020-01-01" - @"PT1S"', '@"2019-12-31"'), ('@"2020-03-01" - @"2020-02-01"', '@"P29D"'),
    ('@"2020-01-01T10:00:00Z" - @"2020-01-01T10:00:00+01:00"', '@"PT1H"'), ('@"2020-01-01T10:00:00" - @"2020-01-01"', "null"),
    ('@"2020-01-01T00:00:00Z" - @"2020-01-01"', '@"PT0S"'), ('@"10:00:00" + @"PT15H"', '@"01:00:00"'), ('@"10:00:00" - @"09:00:00"', '@"PT1H"'),
    ('@"P1Y" + @"P2M"', '@"P14M"'), ('@"P1Y" / 2', '@"P6M"'), ('@"P1Y" / @"P1M"', "12"), ('@"P1D" * 1.5', '@"PT36H"'), ('2 * @"P1D"', '@"P2D"'),
    ('2 / @"P1D"', "null"), ('@"P1Y" + @"P1D"', "null"), ('@"10:00:00" + @"P1M"', "null"), ('-@"P1D"', '@"-P1D"'), ('@"P1D" / 0', "null"),
    ('@"999999999-12-31" + @"P1D"', "null"), ('@"nonsense"', "null"), ('@"10:00:00@Europe/Paris".timezone', '"Europe/Paris"'),
    ('@"2020-07-01T10:00:00@Europe/Paris".time offset', '@"PT2H"'), ('@"2020-07-01".weekday', "3"), ('@"-P14M".years', "-1"), ('@"-P14M".months', "-2"),
    ('@"P1DT2H3M4S".minutes', "3"), ('@"2020-01-01".hour', "null"), ('@"2020-07-01T10:11:12".minute', "11"),
    # comparison
    ("1 = 1.0", "true"), ('1 = "1"', "null"), ("1 = null", "false"), ("null = null", "true"), ("null != 1", "true"), ('1 != "1"', "null"),
    ("[1, 2] = [1, 2]", "true"), ("[1] = 1", "null"), ("{a: 1} = {a: 1.0}", "true"), ("{a: 1} = {b: 1}", "false"), ("1 < null", "null"),
    ('"a" < "b"', "true"), ("true < false", "null"), ('@"10:00:00+01:00" = @"09:00:00Z"', "true"), ('@"10:00:00Z" = @"10:00:00"', "false"),
    ('@"10:00:00Z" < @"11:00:00"', "null"), ('@"P1Y" = @"P12M"', "true"), ("[1..2] = [1..2]", "true"), ("[1..2] = (1..2]", "false"),
    ("5 between 1 and 5", "true"), ("5 between 6 and 9", "false"), ("null between 1 and 2", "null"), ('"x" between 1 and 2', "null"),
    # in
    ("1 in (1, 2)", "true"), ("3 in (1, 2)", "false"), ("1 in <= 1", "true"), ("1 in (> 1, < 0)", "false"), ("1 in [1..2)", "true"), ("2 in [1..2[", "false"),
    ("1 in ]1..2]", "false"), ("1 in [2, 1]", "true"), ("1 in [[1..2]]", "true"), ("null in [1..2]", "null"), ("1 in (null)", "false"), ("1 in != 2", "true"),
    ("[1] in [[1], [2]]", "true"), ('"b" in ["a".."c"]', "true"), ("1 in < null", "null"), ("1 in ([1, 2])[item > 1]", "false"), ("2 in ({a: 2}).a", "true"),
    # conditions, loops, quantifiers
    ("if true then 1 else 2", "1"), ("if null then 1 else 2", "2"), ('if "a" then 1 else 2', "2"), ("for i in 1..3 return i * i", "[1, 4, 9]"),
    ("for i in 3..1 return i", "[3, 2, 1]"), ("for i in [1..4) return i", "[1, 2, 3]"), ("for i in [1, 2], j in [i, 9] return i + j", "[2, 10, 4, 11]"),
    ("for i in 1..4 return if i = 1 then 1 else partial[-1] * i", "[1, 2, 6, 24]"), ("for i in 1..3 return count(partial)", "[0, 1, 2]"),
    ('for d in @"2020-02-28"..@"2020-03-01" return d.day', "[28, 29, 1]"), ("for i in null return i", "null"), ("for i in 5 return i", "[5]"),
    ("for my item in [1, 2] return my item + 1", "[2, 3]"), ("some x in [1, 2], y in [2, 3] satisfies x > y", "false"),
    ("some x in [1, null] satisfies x > 0", "true"), ("some x in [-1, null] satisfies x > 0", "null"), ("every x in [] satisfies x > 0", "true"),
    ("every x in [1, null] satisfies x > 0", "null"), ("every x in [-1, null] satisfies x > 0", "false"), ("1 + if true then 2 else 3", "3"),
    # filters and paths
    ("[1, 2, 3][2]", "2"), ("[1, 2, 3][-1]", "3"), ("[1, 2][0]", "null"), ("[1, 2][3]", "null"), ("[1, 2, 3][item > 1]", "[2, 3]"), ("5[1]", "5"),
    ("5[true]", "[5]"), ("null[1]", "null"), ("[][1]", "null"), ("[][item > 1]", "[]"), ("[1, null][item > 0]", "[1]"),
    ("[{x: 1, y z: 2}, {x: 3, y z: 4}][x > 1].y z", "[4]"), ("[{x: 1}, {x: 3}][item.x = 1]", "[{x: 1}]"), ("{a: {b: 1}}.a.b", "1"), ("{a: 1}.b", "null"),
    ("[{a: 1}, {b: 2}].a", "[1, null]"), ("null.a", "null"), ("(1).a", "null"),
    # functions
    ("(function(x, y) x - y)(3, 1)", "2"), ("(function(x, y) x - y)(y: 3, x: 1)", "-2"), ("(function(x) x)(1, 2)", "null"), ("(function(x) x)(z: 1)", "null"),
    ('(function(x: number) x)("a")', "null"), ("(function(x: number) x)([1])", "1"), ("(function(x: list<number>) x)(1)", "[1]"),
    ('(function(x: date and time) x)(@"2020-01-01")', '@"2020-01-01T00:00:00Z"'), ("{f: function(n) if n = 0 then 1 else n * f(n - 1), r: f(5)}.r", "120"),
    ("function(a) external {java: {class: \"x\"}}", "null"), ("unknown(1)", "null"), ("(1)(2)", "null"), ("{f: function(n) f(n), r: f(1)}.r", "null"),
    # ranges and instance of
    ("[1..5].start", "1"), ("(1..5].start included", "false"), ("(< 5).end", "5"), ("(< 5).end included", "false"), ('[1.."a"]', "null"),
    ("1 instance of number", "true"), ('"a" instance of string', "true"), ("null instance of number", "false"), ("null instance of Null", "true"),
    ('@"P1Y" instance of years and months duration', "true"), ('@"P1D" instance of years and months duration', "false"),
    ('@"2020-01-01T00:00:00" instance of date and time', "true"), ("[1, 2] instance of list<number>", "true"), ('[1, "a"] instance of list<number>', "false"),
    ("{a: 1, b: 2} instance of context<a: number>", "true"), ("{b: 2} instance of context<a: number>", "false"), ("[1..2] instance of range<number>", "true"),
    ("(function(a: number) a) instance of function<number>->number", "true"), ("(function(a: string) a) instance of function<number>->number", "false"),
    ("abs instance of function<number>->number", "true"), ("1 instance of Any", "true"), ("[1] instance of number", "false"),
]  # fmt: skip
BUILT_INS = [
    ('date("2020-02-30")', "null"), ('date("2020-1-1")', "null"), ("date(2020, 2, 29)", '@"2020-02-29"'), ("date(2021, 2, 29)", "null"),
    ('date(@"2020-01-01T10:00:00")', '@"2020-01-01"'), ('date("-0044-03-15").year', "-44"), ('date("012020-01-01")', "null"),
    ('date and time("2020-01-01T10:00:00.5Z").second', "0"), ('date and time("2020-01-01")', '@"2020-01-01T00:00:00"'),
    ('date and time(@"2020-01-01", @"10:00:00")', '@"2020-01-01T10:00:00"'), ('date and time("2020-01-01T24:00:00")', "null"),
    ('date and time(@"2020-01-01T00:00:00Z", "Europe/Paris").hour', "1"),
    ('time("10:00:00@No/Where")', "null"), ('time("25:00:00")', "null"), ("time(10, 30, 0)", '@"10:30:00"'), ('time(10, 30, 0, @"-PT2H")', '@"10:30:00-02:00"'),
    ('time(@"2020-01-01T10:30:00Z")', '@"10:30:00Z"'), ('time(@"2020-01-01")', '@"00:00:00Z"'), ('time("11:00:00+20:00")', "null"),
    ('number("1 000,5", " ", ",")', "1000.5"), ('number("1,000.5", ",", ".")', "1000.5"), ('number("1.5", ".", ".")', "null"), ('number("x", null, null)', "null"),
    ('number("1", "x", ".")', "null"), ("string(1.10)", '"1.1"'), ("string(true)", '"true"'), ('string([1, "a", null])', '"[1, \\"a\\", null]"'),
    ("string({a: 1})", '"{a: 1}"'), ('string(@"2020-01-01")', '"2020-01-01"'), ('string(@"P14M")', '"P1Y2M"'), ('string(@"-PT90S")', '"-PT1M30S"'), ("string(null)", "null"),
    ('duration("P1Y2M")', '@"P14M"'), ('duration("P1DT1H")', '@"PT25H"'), ('duration("P1Y1D")', "null"), ('duration("P")', "null"), ('duration("PT")', "null"),
    ('years and months duration(@"2011-12-22", @"2013-08-24")', '@"P1Y8M"'), ('years and months duration(@"2013-08-24", @"2011-12-22")', '@"-P1Y8M"'),
    ("not(true)", "false"), ("not(null)", "null"), ("not(1)", "null"),
    ('substring("foobar", 3)', '"obar"'), ('substring("foobar", -2, 1)', '"a"'), ('substring("foobar", 0)', "null"), ('substring("foobar", 9)', "null"),
    ('substring(string: "🐎ab", start position: 2)', '"ab"'), ('string length("🐎ab")', "3"), ("string length(1)", "null"), ('upper case("aB4")', '"AB4"'),
    ('lower case("aB4")', '"ab4"'), ('substring before("foobar", "bar")', '"foo"'), ('substring before("foobar", "x")', '""'), ('substring before("foobar", "")', '""'),
    ('substring after("foobar", "ob")', '"ar"'), ('substring after("", "a")', '""'), ('substring after("ab", "")', '"ab"'), ('contains("foobar", "of")', "false"),
    ('starts with("foobar", "fo")', "true"), ('ends with("foobar", "r")', "true"), ('matches("foobar", "^FO*b", "i")', "true"), ('matches("a", "[")', "null"),
    ('matches("中文1", "\\p{L}+\\d")', "true"), ('matches("hello world", "hello\\ sworld", "x")', "true"), ('matches("a", "a", "z")', "null"),
    ('matches("bcd", "[a-z-[aeiou]]{3}")', "true"), ('matches("a.b", "a.b", "q")', "true"), ('matches("axb", "a.b", "q")', "false"),
    ('replace("abracadabra", "a.*?a", "*")', '"*c*bra"'), ('replace("darted", "^(.*?)d(.*)$", "$1c$2")', '"carted"'), ('replace("a", ".*?", "x")', "null"),
    ('replace("a.b", ".", "\\$", "q")', '"a\\$b"'), ('replace("ab", "b", "$")', "null"), ('split("a;b;;", ";")', '["a", "b", "", ""]'), ('split("John Doe", "\\s")', '["John", "Doe"]'),
    ('string join(["a", null, "b"], "-")', '"a-b"'), ('string join(["a", "b"])', '"ab"'), ("string join([])", '""'), ('string join(["a", 1])', "null"),
    ("list contains([1, null], null)", "true"), ("list contains([1], 2)", "false"), ("count([])", "0"), ("count(5)", "1"), ("count(null)", "null"),
    ("min([3, 1, 2])", "1"), ("min(3, 1)", "1"), ("min([])", "null"), ('min(1, "a")', "null"), ('max("a", "c", "b")', '"c"'), ('max([@"P1D", @"P2D"])', '@"P2D"'),
    ("sum([1, 2, 3])", "6"), ("sum(1, 2)", "3"), ("sum([])", "null"), ("sum([1, null])", "null"), ('sum("a")', "null"), ("mean([1, 2, 6])", "3"), ("mean(1, 2)", "1.5"),
    ("mean([])", "null"), ("product([2, 3, 4])", "24"), ("product([])", "null"), ("median(8, 2, 5, 3, 4)", "4"), ("median([6, 1, 2, 3])", "2.5"), ("median([])", "null"),
    ("stddev(2, 4, 7, 5)", "2.081665999466132735282297706979931"), ("stddev([47])", "null"), ("stddev([])", "null"), ("mode(6, 3, 9, 6, 6)", "[6]"),
    ("mode([6, 1, 9, 6, 1])", "[1, 6]"), ("mode([])", "[]"), ("mode([1, null])", "null"),
    ("all([])", "true"), ("all([true, null])", "null"), ("all([false, null])", "false"), ("all(true, true)", "true"), ("all(0)", "null"), ("any([])", "false"),
    ("any([false, null])", "null"), ("any(true, null)", "true"), ("any(0)", "null"), ("sublist([4, 5, 6], 1, 2)", "[4, 5]"), ("sublist([4, 5, 6], -2)", "[5, 6]"),
    ("sublist([4], 0)", "null"), ("sublist([4], 1, 2)", "null"), ("append([1], 2, 3)", "[1, 2, 3]"), ("append(1, null)", "[1, null]"), ("concatenate([1], [2], [1])", "[1, 2, 1]"),
    ("union([1, 2], [2, 3])", "[1, 2, 3]"), ("insert before([1, 3], 2, 2)", "[1, 2, 3]"), ("insert before([1], 3, 2)", "null"), ("remove([1, 2, 3], 2)", "[1, 3]"),
    ("remove([1], 2)", "null"), ("list replace([2, 4], 1, 9)", "[9, 4]"), ("list replace([2, 4, 7], function(item, newItem) item < newItem, 5)", "[5, 5, 7]"),
    ("list replace([2], function(a) true, 5)", "null"), ("list replace([2], function(a, b) 1, 5)", "null"), ("reverse([1, 2])", "[2, 1]"), ("index of([1, 2, 1], 1)", "[1, 3]"),
    ("index of([1], 5)", "[]"), ("distinct values([1, 2.0, 2, null, null])", "[1, 2, null]"), ("flatten([[1, 2], [[3]], 4])", "[1, 2, 3, 4]"),
    ("sort([3, 1, 2], function(x, y) x < y)", "[1, 2, 3]"), ("sort(list: [1, 2], precedes: function(a, b) a > b)", "[2, 1]"), ('sort([1, "a"], function(x, y) x < y)', "null"),
    ("decimal(1 / 3, 2)", "0.33"), ("decimal(2.5, 0)", "2"), ("decimal(1, 9999)", "null"), ("floor(-1.5)", "-2"), ("floor(-1.56, 1)", "-1.6"), ("ceiling(-1.5)", "-1"),
    ("ceiling(1.51, 1)", "1.6"), ("round up(5.121, 2)", "5.13"), ("round up(-5.5, 0)", "-6"), ("round down(-5.5, 0)", "-5"), ("round half up(5.5, 0)", "6"),
    ("round half up(-5.5, 0)", "-6"), ("round half down(5.5, 0)", "5"), ("round half down(-5.51, 0)", "-6"), ("abs(-5)", "5"), ('abs(@"-P1D")', '@"P1D"'), ('abs(@"-P1M")', '@"P1M"'),
    ("modulo(12, 5)", "2"), ("modulo(-12, 5)", "3"), ("modulo(12, -5)", "-3"), ("modulo(10.1, 4.5)", "1.1"), ("modulo(1, 0)", "null"), ("sqrt(16)", "4"), ("sqrt(-1)", "null"),
    ("log(1)", "0"), ("log(0)", "null"), ("exp(0)", "1"), ("odd(5)", "true"), ("odd(2)", "false"), ("even(-2)", "true"), ("even(5)", "false"), ('odd("a")', "null"),
    ('day of year(@"2019-09-17")', "260"), ('day of week(@"2019-09-17")', '"Tuesday"'), ('month of year(@"2019-09-17")', '"September"'), ('week of year(@"2019-09-17")', "38"),
    ('week of year(@"2005-01-01")', "53"), ('week of year(@"2003-12-29")', "1"), ('day of week("2019-09-17")', "null"),
    ("is(1, 1.0)", "true"), ('is(@"23:00:50Z", @"23:00:50")', "false"), ('is(@"10:00:00Z", @"11:00:00+01:00")', "false"), ('is("a", 1)', "false"), ("is(null, null)", "true"),
    ('get value({a: 1}, "a")', "1"), ('get value({a: {b: 2}}, ["a", "b"])', "2"), ('get value({a: 1}, "b")', "null"), ('get value(null, "a")', "null"), ("get value({a: 1}, [])", "null"),
    ("get entries({a: 1})", '[{key: "a", value: 1}]'), ('context([{key: "a", value: 1}])', "{a: 1}"), ('context([{key: "a", value: 1}, {key: "a", value: 2}])', "null"),
    ('context([{key: "a"}])', "null"), ('context put({a: 1}, "b", 2)', "{a: 1, b: 2}"), ('context put({a: {b: 1}}, ["a", "b"], 2)', "{a: {b: 2}}"), ("context put({a: 1}, [], 2)", "null"),
    ("context merge([{a: 1}, {a: 2, b: 3}])", "{a: 2, b: 3}"), ("context merge([{a: 1}, 5])", "null"), ('range("[18..21)")', "[18..21)"), ('range("[3..1]")', "null"),
    ('range("x")', "null"), ('range("[date(\\"2020-01-01\\")..@\\"2021-01-01\\"]").end', '@"2021-01-01"'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), LITERALS)
def test_literals(text: str, wanted: Any) -> None:
    found = run(text)
    assert found == wanted and type(found) is type(wanted)


@pytest.mark.parametrize(("text", "wanted"), EQUAL + BUILT_INS)
def test_an_expression_gives_what_the_standard_says(text: str, wanted: str) -> None:
    assert same(run(text), run(wanted)), run(text)


@pytest.mark.parametrize(
    ("name", "first", "second", "wanted"),
    [
        ("before", "1", "10", True), ("before", "1", "(1..10]", True), ("before", "1", "[1..10]", False), ("before", "[1..10]", "10", False), ("before", "[1..10)", "10", True),
        ("before", "[1..5]", "[5..9]", False), ("before", "[1..5)", "[5..9]", True), ("after", "10", "5", True), ("after", "12", "[1..10]", True), ("after", "[11..20]", "[1..11)", True),
        ("meets", "[1..5]", "[5..10]", True), ("meets", "[1..5)", "[5..10]", False), ("met by", "[5..10]", "[1..5]", True), ("met by", "[5..10]", "[1..5)", False),
        ("overlaps", "[5..8]", "[1..6]", True), ("overlaps", "[1..5]", "[5..8]", True), ("overlaps", "[1..5)", "[5..8]", False), ("overlaps", "[1..4]", "[5..8]", False),
        ("overlaps before", "[1..5]", "[4..10]", True), ("overlaps before", "[1..5)", "[5..10]", False), ("overlaps before", "[1..5]", "(1..5]", True),
        ("overlaps before", "[1..5]", "[1..5]", False), ("overlaps after", "[4..10]", "[1..5]", True), ("overlaps after", "(1..5]", "[1..5)", True), ("overlaps after", "[1..5]", "[1..5]", False),
        ("finishes", "10", "[1..10]", True), ("finishes", "10", "[1..10)", False), ("finishes", "[5..10]", "[1..10]", True), ("finishes", "[5..10)", "[1..10]", False),
        ("finished by", "[1..10]", "10", True), ("finished by", "[1..10]", "[5..10]", True), ("includes", "[1..10]", "5", True), ("includes", "[1..10)", "10", False),
        ("includes", "[1..10]", "[1..10]", True), ("includes", "(1..10]", "[1..5]", False), ("during", "5", "[1..10]", True), ("during", "(1..10]", "(1..10]", True),
        ("during", "[4..6]", "[5..10]", False), ("starts", "1", "[1..10]", True), ("starts", "1", "(1..10]", False), ("starts", "[1..5]", "[1..10]", True), ("starts", "(1..5]", "[1..10]", False),
        ("started by", "[1..10]", "1", True), ("started by", "[1..10]", "[1..5]", True), ("coincides", "5", "5", True), ("coincides", "[1..5]", "[1..5]", True), ("coincides", "[1..5]", "[1..5)", False),
        ("before", "(< 5)", "[5..9]", True), ("after", "(> 9)", "[5..9]", True), ("includes", "(> 1)", "[5..9]", True), ("overlaps", "(< 5)", "(> 1)", True), ("meets", "(< 5)", "(> 1)", False),
        ("before", "1", '"a"', None), ("before", "null", "1", None),
    ],
)  # fmt: skip
def test_relations_of_points_and_ranges(name: str, first: str, second: str, wanted: bool | None) -> None:
    assert run(f"{name}({first}, {second})") is wanted


def test_every_built_in_function_is_tried() -> None:
    tried = "".join(text for text, _ in BUILT_INS) + "".join(open(__file__, encoding="utf-8"))
    assert not [name for name in FORMS if f"{name}(" not in tried and f'"{name}"' not in tried]
    assert run("now()") == NOON and run("today()") == NOON.date
    assert isinstance(run("string length"), Function)


TRUTH = {"true": True, "false": False, "null": None, "1": None}


@pytest.mark.parametrize(("a", "b"), list(itertools.product(TRUTH, TRUTH)))
def test_logic_is_three_valued(a: str, b: str) -> None:
    x, y = TRUTH[a], TRUTH[b]
    assert run(f"{a} and {b}") is (False if x is False or y is False else None if x is None or y is None else True)
    assert run(f"{a} or {b}") is (True if x is True or y is True else None if x is None or y is None else False)


@pytest.mark.parametrize(
    ("text", "value", "wanted"),
    [
        ("-", None, True), ("", Decimal(5), True), ("5", Decimal(5), True), ("> 5", Decimal(5), False), (">=5", Decimal(5), True), ("> 5", None, False), ("null", None, True),
        ("< null", None, False), ('"a","b"', "b", True), ('not("a","b")', "b", False), ('not("a","b")', "c", True), ("not(> 5)", None, False), ("not(null)", None, False),
        ("[1..5], 9", Decimal(9), True), ("? > 3 and ? < 5", Decimal(4), True), ("? > 3", None, False), ("true", True, True), ("false", False, True), ("true", False, False),
        ("a > 1", Decimal(0), True), ("a > 5", Decimal(0), False), ("a > 1", True, True), ("a > 5", True, False), ("a > 5", False, True), ("? = (a > 5)", False, True),
        ("a", Decimal(2), True), ("xs", Decimal(8), True), ("xs", [Decimal(7), Decimal(8)], True), ("contains(?, \"ab\")", "cab", True), ("count(?) > 1", [Decimal(1), Decimal(2)], True),
        ("not(a > 1) or ? = 3", Decimal(3), True), ('"5"', Decimal(5), False), ("!= 5", Decimal(4), True), ("= 4", Decimal(4), True),
    ],
)  # fmt: skip
def test_unary_tests(text: str, value: Any, wanted: bool) -> None:
    assert test_cell(text, value, a=Decimal(2), xs=[Decimal(7), Decimal(8)]) is wanted


def test_names_hold_blanks_signs_and_words_of_the_language() -> None:
    names = {"Applicant's income": Decimal(1), "a-b": Decimal(2), "profit and loss": Decimal(3), "a": Decimal(10), "b": Decimal(4), "date and time of birth": Decimal(5)}
    scope = Scope(Ground(FUNCTIONS), names)
    known = Names([*FUNCTIONS, *names])

    def value(text: str) -> Any:
        return build(parse(text, known))(scope)

    assert value("Applicant's   income + a-b") == 3 and value("a - b") == 6 and value("profit and\nloss") == 3 and value("date and time of birth") == 5
    assert value("{net pay: 7, twice net pay: net pay * 2}.twice net pay") == 14
    assert run("收入 * 2", 收入=Decimal(3)) == 6


@pytest.mark.parametrize(
    "text",
    ["1 +", "x y", '"open', "(1, 2)", "[1", "{a 1}", "if 1 then 2", "for x return 1", "1 instance of nothing", "@5", "[1..", "f(a: 1, 2)", "and", "1..2", "#", "{}}", "function(a"],
)  # fmt: skip
def test_what_is_no_feel_is_said_so(text: str) -> None:
    with pytest.raises(FeelFault) as fault:
        parse(text, Names())
    assert fault.value.code == "SQ134" and fault.value.values["at"] >= 1


@pytest.mark.parametrize(
    "text",
    ["(" * 5000 + "1" + ")" * 5000, "[" * 3000, "-" * 9000 + "1", "x in (" * 300, "if a then " * 400, "a" * 200_000, "[1..[1..[1.." * 200, "not(" * 400, "{a:" * 500, "1+" * 5000 + "1", "a" + ".b" * 900, "f" + "()" * 900, "1=" * 900 + "1"],
)  # fmt: skip
def test_a_huge_expression_is_refused_at_once(text: str) -> None:
    start = time.process_time()
    with pytest.raises(FeelFault):
        parse(text, Names(FUNCTIONS))
    with pytest.raises(FeelFault):
        parse_tests(text, Names(FUNCTIONS))
    assert time.process_time() - start < 5


def test_work_without_end_is_stopped() -> None:
    for text in ("for i in 1..99999999999 return i", "for i in 1..2000, j in 1..2000 return 1", 'count(for i in 1..5000000 return "x")'):
        with pytest.raises(EndlessWork):
            run(text)


def test_dates_before_and_after_python_s() -> None:
    for text in ("-999999999-01-01", "0000-02-29", "1600-02-29", "1970-01-01", "2000-02-29", "99999-12-31"):
        date = parse_date(text)
        assert date is not None and str(date) == text and Date.at(date.days) == date
    assert Date(1970, 1, 1).days == 0 and Date(2026, 11, 23).weekday == 1


VALUES = (
    "1", "-2.5", "1e400", "10 ** 6000", '"a"', '"["', "null", "true", "[]", "[1, 2, null]", "[null]", "{a: 1}", '@"2020-01-01"', '@"999999999-12-31"', '@"10:00:00Z"', '@"P1Y"',
    '@"2020-01-01T10:00:00@Europe/Paris"', '@"-P1D"', "[1..5]", "(< 3)", "(function(x) x)", "(function(x, y) x < y)", "abs", "[[1], [2]]", "99999999999999", '[{a: 1}, {b: 2}]', "1e-6000",
)  # fmt: skip


def some(chance: random.Random, depth: int = 0) -> str:
    """Any expression at all."""
    kind = chance.random()
    if depth > 3 or kind < 0.25:
        return chance.choice(VALUES)
    a, b = some(chance, depth + 1), some(chance, depth + 1)
    if kind < 0.5:
        return f"({a} {chance.choice(['+', '-', '*', '/', '**', '=', '!=', '<', '>=', 'and', 'or', 'in'])} {b})"
    if kind < 0.8:
        return f"{chance.choice(list(FORMS))}({', '.join([a, b, some(chance, depth + 1), '1'][: chance.randint(1, 4)])})"
    parts = (f"{a}[{b}]", f"({a}).{chance.choice(['a', 'year', 'days', 'start', 'time offset'])}", f"(for i in {a} return {b})", f"({a} between {b} and {b})", f"(-{a})")
    return chance.choice(parts)


def test_nothing_a_model_says_raises() -> None:
    chance = random.Random(20261123)
    for _ in range(4000):
        text = some(chance)
        try:
            text_of(run(text))
        except EndlessWork:
            pass
