"""A rule list, a table and a table of several outputs that the tests of `exchange` share, and contents made at random."""

from __future__ import annotations

import datetime as dt
import string
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from siquan.core.exchange.content import Content, NewLine
from siquan.core.rules.facts import Schema
from siquan.core.rules.parameters import ParameterBook
from siquan.core.sheets.cells import tidy
from siquan.core.spec.model import CaseSpec, FactSpec, ParamLine, ParamSpec, RuleSetSpec, RuleSpec

SCHEMA = Schema([
    FactSpec(name="age", title="年龄", type="integer", unit="岁"),
    FactSpec(name="amount", title="金额", type="decimal", unit="元"),
    FactSpec(name="kind", title="种类", type="enum", values={"new": "首次成立", "old": "换届"}),
    FactSpec(name="ready", title="已备齐", type="boolean"),
    FactSpec(name="day", title="受理日", type="date"),
    FactSpec(name="note", title="备注", type="text"),
    FactSpec(name="fee", title="物业费", type="record", absent="无", fields=(FactSpec(name="months", title="欠费月数", type="integer"),)),
    FactSpec(name="late", title="拖欠", type="boolean", derive="fee.months > free.months"),
])  # fmt: skip
BOOK = ParameterBook([
    ParamSpec(name="limit", title="金额上限", unit="元", lines=(
        ParamLine(since=dt.date(2021, 1, 1), value=5000, basis="LOCAL", cite="本地设定"),
        ParamLine(since=dt.date(2024, 1, 1), value=Decimal("6000.5"), place="compound/a", basis="OWNERS", cite="议事规则", ref="一号决议"),
    )),
    ParamSpec(name="free.months", title="宽限月数", lines=(ParamLine(since=dt.date(2021, 1, 1), value=2),)),
    ParamSpec(name="strict", title="从严", lines=(ParamLine(since=dt.date(2021, 1, 1), value=False),)),
    ParamSpec(name="who", title="亲属范围", lines=(ParamLine(since=dt.date(2021, 1, 1), value="near"),)),
    ParamSpec(name="start", title="开始日", lines=(ParamLine(since=dt.date(2021, 1, 1), value=dt.date(2022, 2, 2)),)),
    ParamSpec(name="unused", lines=(ParamLine(since=dt.date(2021, 1, 1), value=1),)),
    ParamSpec(name="basis.R-02", lines=(ParamLine(since=dt.date(2023, 1, 1), place="compound/a", value="OWNERS", ref="二号决议"),)),
])  # fmt: skip


def rule(id: str, **more: Any) -> RuleSpec:
    return RuleSpec(id=id, **more)


LIST = RuleSetSpec(id="demo.list", title="负面清单", rules=(
    rule("R-01", title="年龄", group="资格", when="age < 18", outcome="REJECT", basis="STATUTE", cite="第一条", say="{age}岁，不满18岁", clear="已满18岁"),
    rule("R-02", title="欠费", when="late and not(strict)", outcome="if strict then REJECT else WARN", basis="POLICY", say="欠费{fee.months}个月"),
    rule("R-03", title="只展示", display_only="要人判断", cite="第三条", unconfirmed=True, law="原文"),
))  # fmt: skip
TABLE = RuleSetSpec(id="demo.table", title="分级", hit_policy="U", inputs=("amount", "kind"), rules=(
    rule("T1", cells={"amount": "> limit", "kind": "-"}, out="district", say="超过{limit}元"),
    rule("T2", cells={"amount": "<= limit", "kind": '"new", "old"'}, out="done", basis="LOCAL"),
))  # fmt: skip
WIDE = RuleSetSpec(
    id="demo.wide", hit_policy="P", inputs=("age", "ready"), outputs=("level", "days"), output_values={"level": ("C", "B", "A")},
    default={"level": "C", "days": 0}, default_basis="LOCAL", rules=(
        rule("W1", cells={"age": "[0..17]", "ready": "true"}, out={"level": "A", "days": 3}),
        rule("W2", cells={"age": ">= 18", "ready": "-"}, out={"level": "B", "days": 10}),
    ),
)  # fmt: skip
CASES = (
    CaseSpec(name="未成年", given={"age": 17, "fee": {"months": 1}}, decide="demo.list", expect="REJECT", because=("R-01",)),
    CaseSpec(name="没有欠费", on=dt.date(2026, 1, 1), place="compound/a", given={"fee": "none"}, set={"strict": True}, expect="PASS", because=(), ask=()),
)


def content(spec: RuleSetSpec = LIST, **more: Any) -> Content:
    return Content(ruleset=spec, **more)


def changed(spec: RuleSetSpec, id: str, **fields: Any) -> RuleSetSpec:
    """The rule set with one rule changed."""
    return spec.model_copy(update={"rules": tuple(r.model_copy(update=fields) if r.id == id else r for r in spec.rules)})


# at random

#: contents are large, and making a failing one smaller takes minutes
SLOW = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)  # fmt: skip

#: texts a spreadsheet could take for something else
TRAPS = ("=1+1", "'text", "+5", "-", "@x", '"', "a\nb", "a\r\nb", "\tx", "007", "TRUE", "2026-01-01", "1e5", "#N/A", "_x000D_", "🏠👪", "none", "未知", "#x", "备注")
texts = st.one_of(st.text(max_size=40), st.sampled_from(TRAPS))
words = st.one_of(st.just(""), texts)
names = st.text(string.ascii_letters + string.digits + "-_.年龄🏠=", min_size=1, max_size=12)
constants = st.one_of(st.integers(-(10**18), 10**18), st.booleans(), texts, st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str))
scalars = st.one_of(st.integers(-(10**20), 10**20), st.booleans(), st.none(), texts, st.dates())
trees = st.recursive(scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)), max_leaves=6)
bases = st.sampled_from(("", "STATUTE", "OWNERS", "POLICY", "LOCAL"))
COMMON = {
    "title": words, "group": words, "basis": bases, "cite": words, "law": words, "say": words, "clear": words, "cure": words,
    "unconfirmed": st.booleans(),
}  # fmt: skip
CONDITIONS = ("age < 18", "late", 'kind = "new"', "amount > limit and (ready or late)", "day >= start", "not (present(fee))")
rules_of_list = st.lists(
    st.builds(
        RuleSpec, id=names, when=st.one_of(st.sampled_from(CONDITIONS), texts), display_only=words,
        outcome=st.one_of(st.sampled_from(("REJECT", "WARN", "PASS", "")), texts), **COMMON,
    ),
    max_size=5, unique_by=lambda r: r.id,
)  # fmt: skip
moments = st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31))


@st.composite
def tables(draw: st.DrawFn) -> RuleSetSpec:
    inputs = tuple(draw(st.lists(st.one_of(st.sampled_from(sorted(SCHEMA.specs)), names), min_size=1, max_size=4, unique=True)))
    outputs = tuple(draw(st.lists(names, max_size=3, unique=True)))
    one = constants if len(outputs) < 2 else st.fixed_dictionaries(dict.fromkeys(outputs, constants))
    cell = st.one_of(st.just("-"), st.sampled_from(("> 5", "[1..2]", '"new", "old"', "not(3)")), texts.filter(lambda x: x.strip() == x and x != ""))
    row = st.builds(RuleSpec, id=names, cells=st.fixed_dictionaries(dict.fromkeys(inputs, cell)), out=one, priority=st.integers(0, 10**6), **COMMON)
    listed = st.dictionaries(st.sampled_from(outputs or ("",)), st.lists(constants, min_size=1, max_size=3).map(tuple), max_size=3) if outputs else st.just({})
    return RuleSetSpec(
        id="demo.random", title=draw(words), hit_policy=draw(st.sampled_from(("U", "A", "P", "F", "R", "O", "C", "C+", "C<", "C>", "C#"))), inputs=inputs,
        outputs=outputs, output_values=draw(listed), default=draw(st.one_of(st.none(), one)), default_basis=draw(bases),
        rules=tuple(draw(st.lists(row, max_size=5, unique_by=lambda r: r.id))),
    )  # fmt: skip


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "limit": st.one_of(st.integers(-(10**18), 10**18), st.decimals(allow_nan=False, allow_infinity=False, places=4)), "strict": st.booleans(),
    "who": texts.filter(lambda x: x.strip() not in ("", "废止")), "start": moments, "basis.R-02": bases.filter(bool),
}  # fmt: skip


@st.composite
def new_lines(draw: st.DrawFn) -> NewLine:
    name = draw(st.sampled_from(sorted(VALUES)))
    value, place, cite = draw(st.one_of(st.none(), VALUES[name])), draw(st.sampled_from(("", "compound/a", "street/β"))), draw(words)
    if value == "OWNERS" and place:  # what owners agreed at one place is refused without the resolution it stands on
        cite = cite or "业主大会决议"
    return NewLine(name=name, since=draw(moments.filter(lambda d: d.year > 2024)), value=value, place=place, basis=draw(bases), cite=cite, ref=draw(words))


cases = st.builds(
    CaseSpec, name=texts.filter(lambda x: tidy(x) == x != ""), on=st.one_of(st.none(), moments), place=words, base=words,
    given=st.dictionaries(names, trees, max_size=3), set=st.dictionaries(names, scalars, max_size=2), expect=words, value=st.one_of(st.none(), constants),
    because=st.one_of(st.none(), st.lists(names, max_size=3).map(tuple)), ask=st.one_of(st.none(), st.lists(names, max_size=2).map(tuple)),
    decide=st.just("demo.random"), process=words,
)  # fmt: skip
contents = st.builds(
    Content, ruleset=st.one_of(tables(), st.builds(RuleSetSpec, id=st.just("demo.random"), title=words, rules=rules_of_list.map(tuple), default_basis=bases)),
    lines=st.lists(new_lines(), max_size=3, unique_by=lambda n: n.key).map(tuple), cases=st.lists(cases, max_size=3, unique_by=lambda c: c.name).map(tuple),
)  # fmt: skip
