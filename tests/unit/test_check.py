"""Names and types: what a name means, and every mistake a designer can make in an expression."""

from __future__ import annotations

import pytest

from siquan.core.errors import SiquanError, Where
from siquan.core.rules.check import (
    FUNCTIONS,
    Scope,
    TypeFault,
    UnknownCode,
    UnknownFunction,
    UnknownName,
    check,
    fields_of,
    put_subject,
)
from siquan.core.rules.parse import parse, parse_cell
from siquan.core.rules.tree import (
    ANY,
    BOOLEAN,
    DATE,
    NUMBER,
    TEXT,
    And,
    Call,
    Compare,
    Fact,
    Filter,
    Literal,
    Node,
    Or,
    Param,
    Path,
    Today,
    Type,
    Var,
    walk,
)

LEVEL = Type("enum", values=("clean", "warned"))
ROW = Type("record", fields=(("area", NUMBER), ("ok", BOOLEAN), ("who", TEXT), ("home", Type("record", fields=(("no", TEXT),)))))
FACTS = {
    "flag": BOOLEAN, "n": NUMBER, "m": NUMBER, "on": DATE, "level": LEVEL, "note": TEXT, "rec": Type("record", fields=(("no", TEXT),)),
    "rec.no": TEXT, "xs": Type("list", item=ROW), "ys": Type("list", item=Type("record", fields=(("rank", NUMBER),))),
    "tags": Type("list", item=TEXT), "levels": Type("list", item=LEVEL), "notice.days": NUMBER, "loose": ANY,
}  # fmt: skip
SCOPE = Scope(FACTS, {"p.limit": NUMBER, "p.on": BOOLEAN, "p.open": ANY}, {"n": TEXT, "rec.no": TEXT})
HERE = Where("rules/x.yaml", 7, 3)


def tree(text: str, scope: Scope = SCOPE, want: Type = ANY) -> Node:
    return check(parse(text, HERE), scope, text, HERE, want)


def test_names_become_facts_parameters_and_today() -> None:
    found = walk(tree("n > p.limit and on < today and self.n > 1 and parent.n = rec.no"))
    assert {x.path for x in found if isinstance(x, Fact)} == {"n", "on", "parent.n", "rec.no"}
    assert [x.name for x in found if isinstance(x, Param)] == ["p.limit"]
    assert any(isinstance(x, Today) for x in found)


def test_a_fragments_names_are_looked_up_with_its_prefix_first() -> None:
    inner = Scope(FACTS, SCOPE.params, None, "notice.")
    assert tree("days", inner) == Fact("notice.days")
    assert tree("n", inner) == Fact("n")
    with pytest.raises(UnknownName):
        tree("days")


def test_bare_codes_of_an_enum_are_understood_on_either_side() -> None:
    for text in ("level = warned", "warned = level", 'level = "warned"'):
        assert any(x == Literal("warned") for x in walk(tree(text)))
    assert tree("level in (clean, warned)") == Or((Compare("=", Fact("level"), Literal("clean")), Compare("=", Fact("level"), Literal("warned"))))
    assert tree("list contains(levels, warned)") == Call("list contains", (Fact("levels"), Literal("warned")))
    assert tree("levels[item = warned]").type == FACTS["levels"]


def test_unary_tests_are_conditions_on_the_input() -> None:
    cell = parse_cell('not(< 3, [5..7))')
    assert cell is not None
    found = check(put_subject(cell, Fact("n", type=NUMBER)), SCOPE, "", HERE, BOOLEAN)
    assert {x.op for x in walk(found) if isinstance(x, Compare)} == {"<", ">="}
    question = parse_cell("? > m + 1")
    assert question is not None
    assert check(put_subject(question, Fact("n", type=NUMBER)), SCOPE, "", HERE) == tree("n > m + 1")
    member = parse_cell("tags")
    assert member is not None
    assert check(put_subject(member, Fact("note", type=TEXT)), SCOPE, "", HERE) == tree("list contains(tags, note)")


def test_rows_of_filters_and_quantifiers() -> None:
    kept = tree("xs[ok and area > n].area")
    assert isinstance(kept, Path) and isinstance(kept.source, Filter)
    assert {(x.var, x.path) for x in walk(kept) if isinstance(x, Var)} == {("", "ok"), ("", "area")}
    some = tree("some x in xs satisfies x.area > n")
    assert {(x.var, x.path) for x in walk(some) if isinstance(x, Var)} == {("x", "area")}
    assert tree("xs.home.no").type.item == TEXT
    assert tree("xs.area").type.item == NUMBER
    assert fields_of(ROW)["home.no"] == TEXT


def test_an_inner_filter_sees_the_row_of_the_outer_one() -> None:
    found = tree("xs[count(ys[rank > area]) > 0]")
    assert {(x.var, x.path) for x in walk(found) if isinstance(x, Var)} == {("", "rank"), ("^", "area")}
    deep = tree("xs[count(ys[count(tags[item = who]) > rank]) > 0]")
    assert {(x.var, x.path) for x in walk(deep) if isinstance(x, Var)} == {("", ""), ("^^", "who"), ("", "rank")}


@pytest.mark.parametrize(
    ("text", "error", "values"),
    [
        ("nn > 1", UnknownName, {"name": "nn"}),
        ("parent.m > 1", UnknownName, {"name": "parent.m"}),
        ("xs[areas > 1]", UnknownName, {"name": "areas"}),
        ("xs.aera", UnknownName, {"name": "aera"}),
        ("some x in xs satisfies x.aera > 1", UnknownName, {"name": "aera"}),
        ("self.p.limit > 1", UnknownName, {"name": "self.p.limit"}),
        ("level = warnd", UnknownName, {"name": "warnd"}),
        ('level = "warnd"', UnknownCode, {"value": "warnd", "values": "clean、warned"}),
        ('level in ("clean", "x")', UnknownCode, {"value": "x"}),
        ('list contains(levels, "x")', UnknownCode, {"value": "x"}),
        ("n > on", TypeFault, {"left": "number", "right": "date"}),
        ("n = note", TypeFault, {}),
        ("flag > p.on", TypeFault, {}),
        ("level < warned", TypeFault, {}),
        ("rec = rec", TypeFault, {}),
        ("n = null", TypeFault, {"right": "null"}),
        ("n and flag", TypeFault, {"left": "number"}),
        ("not(note)", TypeFault, {"left": "text"}),
        ("xs[area]", TypeFault, {}),
        ("n[1 = 1]", TypeFault, {"right": "list"}),
        ("some x in n satisfies true", TypeFault, {}),
        ("n.area", UnknownName, {}),
        ("n + on", TypeFault, {}),
        ("on + 1", TypeFault, {}),
        ("on + on", TypeFault, {}),
        ("-(note)", TypeFault, {}),
        ("if flag then 1 else today", TypeFault, {}),
        ("if n then 1 else 2", TypeFault, {}),
        ('n in (1, "a")', TypeFault, {}),
        ("tags = note", TypeFault, {}),
        ("note in levels and n in tags", TypeFault, {}),
        ('min(1, "a")', TypeFault, {}),
        ("present(n + 1)", TypeFault, {"left": "present"}),
        ("years between(n, today)", TypeFault, {}),
        ("count(n)", TypeFault, {}),
        ("foo(n)", UnknownFunction, {"name": "foo", "count": 1}),
        ("floor(n, m)", UnknownFunction, {"name": "floor", "count": 2}),
        ("today()", UnknownFunction, {}),
    ],
)
def test_every_mistake_is_an_error_with_its_place(text: str, error: type[SiquanError], values: dict[str, object]) -> None:
    with pytest.raises(error) as caught:
        tree(text)
    fault = caught.value
    assert fault.where == HERE
    assert {k: fault.values[k] for k in values} == values
    assert "{" not in fault.full("zh") + fault.full("en")


def test_a_near_name_is_offered() -> None:
    with pytest.raises(UnknownName) as caught:
        tree("flga")
    assert "`flag`" in caught.value.help("zh") and "`flag`" in caught.value.help("en")
    with pytest.raises(UnknownName) as caught:
        tree("完全不同")
    assert not caught.value.help("zh").strip()
    with pytest.raises(UnknownFunction) as function:
        tree("foo(n)")
    assert "years between" in function.value.help("zh")


def test_a_condition_must_be_one() -> None:
    assert tree("flag", want=BOOLEAN) == Fact("flag")
    assert tree("loose", want=BOOLEAN) == Fact("loose")
    with pytest.raises(TypeFault):
        tree("n", want=BOOLEAN)


def test_outcomes_are_words_only_where_an_outcome_is_wanted() -> None:
    scope = Scope(FACTS, {}, None, "", True)
    assert tree("if flag then REJECT else WARN", scope).type.kind == "outcome"
    with pytest.raises(UnknownName):
        tree("if flag then REJECT else WARN")


def test_what_functions_give() -> None:
    assert tree("min(xs.area)").type == NUMBER
    assert tree("max(1, n, 3)").type == NUMBER
    assert tree("count(distinct values(tags))").type == NUMBER
    assert tree("on + months(3)").type == DATE
    assert tree("on - today").type.kind == "duration"
    assert tree("present(rec) and present(p.limit) and all(xs.ok)").type == BOOLEAN
    assert isinstance(tree("n in [1..3]"), And)
    assert {len(args) for args, _ in FUNCTIONS.values()} <= {1, 2}
