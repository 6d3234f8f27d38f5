"""Facts, parameters, rules, sheets and cases: from YAML entries to models."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from siquan.core.errors import SiquanError, Where
from siquan.core.spec.model import (
    BasisReading,
    CaseSpec,
    CaseStep,
    ColumnSpec,
    FactSpec,
    IntentSpec,
    ParamLine,
    ParamSpec,
    RuleSetSpec,
    RuleSpec,
    SheetSpec,
)
from siquan.core.spec.source import Cursor, Map, MissingKey, Seq, WrongShape
from siquan.core.spec.table import check_table
from siquan.core.spec.verbs import TASKS

KINDS = ("boolean", "integer", "decimal", "text", "date", "enum", "record", "list", "person")
BASES = ("", "STATUTE", "OWNERS", "POLICY", "LOCAL")
HIT_POLICIES = ("U", "A", "P", "F", "R", "O", "C", "C+", "C<", "C>", "C#")
#: names a fact may not bear: the keys of an envelope and words of the language
RESERVED_FACTS = {"value", "as_of", "source", "ref", "complete", "today", "self", "parent", "true", "false", "null", "item"}
RESERVED_ROWS = {"id", "title", "out", "outcome", "say", "clear", "cure", "basis", "cite", "law", "priority", "group", "unconfirmed"}


class ReservedName(SiquanError):
    """`{name}` is a reserved word and cannot name {what}"""

    code = "SQ016"
    zh = "`{name}` 是保留字，不能用作{what}的名字"


class BadDate(SiquanError):
    """`{value}` is not a date"""

    code = "SQ017"
    zh = "`{value}` 不是日期"
    help_en = "write it as 2026-11-23"
    help_zh = "写作 2026-11-23"


class BadBasisLine(SiquanError):
    """the basis of `{name}` is OWNERS at `{place}` without the resolution it stands on"""

    code = "SQ018"
    zh = "`{name}` 在 `{place}` 的依据是业主约定，但没有写决议文号"
    help_en = "add ref: with the number and date of the resolution"
    help_zh = "加上 ref: 决议文号和日期"


def date_of(value: Any, where: Where) -> dt.date:
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        raise BadDate(where, value=value) from None


def plain(value: Any) -> Any:
    """A Map or Seq as ordinary dict and list, for facts given in cases and demo data."""
    if isinstance(value, Map | dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, Seq | list):
        return [plain(v) for v in value]
    return str(value) if isinstance(value, Decimal) else value


# facts


def read_facts(raw: Map, prefix: str = "") -> tuple[FactSpec, ...]:
    return tuple(_fact(name, value, raw.at[name], prefix) for name, value in raw.items())


def _fact(name: str, raw: Any, where: Where, prefix: str = "", inner: bool = False) -> FactSpec:
    if name in RESERVED_FACTS and not (inner and name in ("source", "ref")):
        raise ReservedName(where, name=name, what="事实")
    c = Cursor(raw, f"facts.{name}", where)
    kind = c.choice("type", KINDS, "text")
    fields = c.map("fields")
    spec = FactSpec(
        where=where, name=f"{prefix}{name}", title=c.text("title"), type=kind, unit=c.text("unit"), values=_values(c),
        min=c.number("min"), max=c.number("max"), by=c.text("by"), evidence=c.words("evidence"), max_age=c.text("max_age"),
        absent=c.text("absent"), sensitive=c.text("sensitive"), public=c.flag("public"),
        fields=tuple(_fact(k, v, fields.at[k], inner=True) for k, v in fields.items()), derive=c.text("derive"),
        collection=c.flag("collection"), help=c.text("help"), key=c.text("key"), source=c.text("source"), cure=c.text("cure"),
        prefix=prefix, among=c.text("among"),
    )  # fmt: skip
    c.done()
    if spec.among and kind != "person":
        raise WrongShape(where, key="among", wanted="a fact of the type person", wanted_zh="type: person 的事实", value=kind)
    if kind == "enum" and not spec.values:
        raise WrongShape(where, key=name, wanted="an enum with values", wanted_zh="写了 values 的枚举", value="enum")
    if kind == "record" and not spec.fields:
        raise WrongShape(where, key=name, wanted="a record with fields", wanted_zh="写了 fields 的记录", value="record")
    return spec


def _values(c: Cursor) -> dict[str, str]:
    raw = c.any("values")
    if raw is None:
        return {}
    if isinstance(raw, Seq):
        return {str(v): str(v) for v in raw}
    if not isinstance(raw, Map):
        raise c.wrong("values", "codes with titles", "代码和名称")
    return {k: str(v) for k, v in raw.items()}


def read_derived(raw: Map, prefix: str = "") -> tuple[FactSpec, ...]:
    """`derived: {age: expr}` or `{age: {derive: expr, title, type}}`."""
    out = []
    for name, value in raw.items():
        if isinstance(value, Map):
            out.append(_fact(name, value, raw.at[name], prefix))
        else:
            out.append(FactSpec(where=raw.at[name], name=f"{prefix}{name}", type="integer", derive=str(value), prefix=prefix))
    return tuple(out)


# parameters


def read_parameters(raw: Map) -> tuple[ParamSpec, ...]:
    return tuple(_parameter(name, value, raw.at[name]) for name, value in raw.items())


def _parameter(name: str, raw: Any, where: Where) -> ParamSpec:
    title = unit = ""
    lines = raw
    if isinstance(raw, Map) and "values" in raw:
        c = Cursor(raw, f"parameters.{name}", where)
        title, unit, lines = c.text("title"), c.text("unit"), c.any("values")
        c.done()
    if isinstance(lines, Map):
        found = tuple(_line(name, lines[k], lines.at[k], k) for k in lines)
    elif isinstance(lines, Seq):
        found = tuple(_line(name, line, at) for line, at in zip(lines, lines.at, strict=True))
    else:
        raise WrongShape(where, key=name, wanted="dated values", wanted_zh="带日期的值", value=lines)
    if not found:
        raise WrongShape(where, key=name, wanted="at least one dated value", wanted_zh="至少一个带日期的值", value="")
    return ParamSpec(where=where, name=name, title=title, unit=unit, lines=found)


def _line(name: str, raw: Any, where: Where, since: str = "") -> ParamLine:
    c = Cursor(raw, f"parameters.{name}", where)
    start = date_of(since or c.any("from"), where)
    if "value" not in c.raw:
        raise WrongShape(where, key=name, wanted="a line with value", wanted_zh="写了 value 的一行", value="")
    value = c.any("value")
    if isinstance(value, Map | Seq):
        raise c.wrong("value", "a single value", "一个值")
    line = ParamLine(
        where=where, since=start, value=value, place=c.text("place"), basis=c.choice("basis", BASES, ""), cite=c.text("cite"),
        ref=c.text("ref"),
    )  # fmt: skip
    c.any("from")
    c.done()
    if name.startswith("basis.") and line.value == "OWNERS" and line.place and not (line.ref or line.cite):
        raise BadBasisLine(where, name=name, place=line.place)
    return line


# rules


def read_ruleset(id: str, raw: Any, where: Where, *, process: str = "", prefix: str = "", alone: bool = False) -> RuleSetSpec:
    """A rule list (`list:`) or a decision table (`inputs:` and `rows:`); `alone` in a file of its own."""
    c = Cursor(raw, f"rules.{id}", where)
    for key in ("ruleset", "process", "parameters") if alone else ():
        c.any(key)
    inputs = c.words("inputs")
    table = bool(inputs) or c.has("rows")
    policy = c.choice("hit_policy", HIT_POLICIES, "U" if table else "C")
    outputs, output_values = _outputs(c)
    rows, listed = c.list("rows"), c.list("list")
    basis = c.choice("basis", BASES, "")
    rules = [_row(r, at, inputs, outputs, policy) for r, at in zip(rows, rows.at, strict=True)]
    rules += [_rule(r, at) for r, at in zip(listed, listed.at, strict=True)]
    readings, intents = c.list("reads_as"), c.list("intents")
    facts = read_facts(c.map("facts"))
    facts += read_derived(c.map("derived"))
    spec = RuleSetSpec(
        where=where, id=id, title=c.text("title"), process=process, hit_policy=policy, inputs=inputs, outputs=outputs,
        output_values=output_values, default=_out(c.any("default"), outputs), rules=tuple(rules),
        readings=tuple(_reading(r, at) for r, at in zip(readings, readings.at, strict=True)),
        intents=tuple(_intent(i, at) for i, at in zip(intents, intents.at, strict=True)), facts=facts, default_basis=basis, prefix=prefix,
    )  # fmt: skip
    c.any("about")
    c.done(("list", "rows", "inputs", "hit_policy", "outputs", "default"))
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise WrongShape(rule.where, key="id", wanted="unique", wanted_zh="不重复的编号", value=rule.id)
        seen.add(rule.id)
    check_table(spec, c.at)
    return spec


def _outputs(c: Cursor) -> tuple[tuple[str, ...], dict[str, tuple[Any, ...]]]:
    """`outputs: [a, b]`, or with the values each may have, the most important first: `{a: [x, y], b: null}`."""
    raw = c.any("outputs")
    if not isinstance(raw, Map):
        return c.words("outputs"), {}
    values: dict[str, tuple[Any, ...]] = {}
    for name, listed in raw.items():
        if isinstance(listed, Seq) and listed:
            values[name] = tuple(_constant(v) for v in listed)
        elif listed not in (None, "-"):
            raise WrongShape(raw.at[name], key=name, wanted="a list of values", wanted_zh="一列取值", value=str(listed)[:60])
    return tuple(raw), values


def _constant(value: Any) -> Any:
    """As a decision has it, which is JSON: a date and a decimal are their texts."""
    if isinstance(value, Map):
        return {k: _constant(v) for k, v in value.items()}
    if isinstance(value, Seq):
        return [_constant(v) for v in value]
    return value.isoformat() if isinstance(value, dt.date) else plain(value)


def _out(raw: Any, outputs: tuple[str, ...]) -> Any:
    """What a row gives; of one output it is the value itself, with or without its name."""
    out = _constant(raw)
    return out[outputs[0]] if len(outputs) == 1 and isinstance(out, dict) and set(out) == set(outputs) else out


def _reading(raw: Any, where: Where) -> BasisReading:
    c = Cursor(raw, "reads_as", where)
    reading = BasisReading(
        basis=c.choice("basis", BASES[1:], "OWNERS"), reads_as=c.choice("reads_as", BASES[1:], "POLICY"),
        when=c.text("when", need=True), cite=c.text("cite"),
    )  # fmt: skip
    c.done()
    return reading


def _intent(raw: Any, where: Where) -> IntentSpec:
    c = Cursor(raw, "intent", where)
    intent = IntentSpec(
        where=where, id=c.text("id", need=True), never=c.text("never"), only=c.choice("only", ("", "stricter", "looser"), ""),
        say=c.text("say"), cite=c.text("cite"),
    )  # fmt: skip
    c.done(("id", "never", "only"))
    if bool(intent.never) is bool(intent.only):
        raise WrongShape(where, key="never", wanted="either `never` or `only`", wanted_zh=" never 或 only 之一", value=intent.never)
    return intent


def _common(c: Cursor) -> dict[str, Any]:
    return {
        "id": c.text("id", need=True), "title": c.text("title"), "outcome": c.text("outcome"), "basis": c.choice("basis", BASES, ""),
        "cite": c.text("cite"), "law": c.text("law"), "say": c.text("say"), "clear": c.text("clear"), "cure": c.text("cure"),
        "unconfirmed": c.flag("unconfirmed"), "group": c.text("group"),
    }  # fmt: skip


def _rule(raw: Any, where: Where) -> RuleSpec:
    c = Cursor(raw, "rule", where)
    common = _common(c)
    rule = RuleSpec(where=where, when=c.text("when"), display_only=c.text("display_only"), **common)
    c.done()
    if not rule.when and not rule.display_only:
        raise WrongShape(where, key="when", wanted="a condition", wanted_zh="一个条件（不可计算的写 display_only）", value="")
    if rule.when and not rule.outcome:
        raise WrongShape(where, key="outcome", wanted="an outcome", wanted_zh="REJECT、BLOCK、EVIDENCE、WARN 等之一", value="")
    return rule


def _row(raw: Any, where: Where, inputs: tuple[str, ...], outputs: tuple[str, ...], policy: str) -> RuleSpec:
    c = Cursor(raw, "row", where)
    for name in inputs:
        if name in RESERVED_ROWS:
            raise ReservedName(where, name=name, what="表的输入")
    cells = {name: c.text(name, "-") for name in inputs}
    if policy != "C#" and not c.has("out"):  # which only counts the rows
        raise MissingKey(where, what="row", key="out")
    rule = RuleSpec(where=where, cells=cells, out=_out(c.any("out"), outputs), priority=_priority(c), **_common(c))
    c.done((*inputs, "out"))
    return rule


def _priority(c: Cursor) -> int:
    value = c.number("priority") or 0
    if value != int(value):
        raise c.wrong("priority", "a whole number", "整数")
    return int(value)


# Excel and cases


def read_sheets(raw: Map) -> tuple[SheetSpec, ...]:
    out = []
    for target, value in raw.items():
        c = Cursor(value, f"excel.{target}", raw.at[target])
        columns = c.map("columns")
        out.append(
            SheetSpec(
                where=raw.at[target], target=target, name=c.text("sheet", target), key=c.words("key"),
                columns=tuple(_column(t, v, columns.at[t]) for t, v in columns.items()),
            )
        )  # fmt: skip
        c.done()
    return tuple(out)


def _column(title: str, raw: Any, where: Where) -> ColumnSpec:
    if not isinstance(raw, Map):
        return ColumnSpec(title=title, fact=str(raw))
    c = Cursor(raw, f"columns.{title}", where)
    column = ColumnSpec(
        title=title, fact=c.text("fact"), finding=c.text("finding"),
        envelope=c.choice("envelope", ("", "as_of", "source", "ref", "by"), ""), required=c.flag("required"),
    )  # fmt: skip
    c.done()
    return column


def read_case(raw: Any, where: Where, *, process: str = "") -> CaseSpec:
    c = Cursor(raw, "case", where)
    steps = c.list("steps")
    acts = [CaseStep(act=a) for a in c.words("act")]
    acts += [_step(s, at) for s, at in zip(steps, steps.at, strict=True)]
    on = c.any("on")
    spec = CaseSpec(
        where=where, name=c.text("name", need=True), on=None if on is None else date_of(on, where),
        process=c.text("process", process), place=c.text("place"), base=c.text("base"), given=plain(c.map("given")),
        steps=tuple(acts), decide=c.text("decide"), expect=c.text("expect"), value=plain(c.any("value")),
        because=c.words("because") if c.has("because") else None, ask=c.words("ask") if c.has("ask") else None,
        set=plain(c.map("set")), accounts=plain(c.map("accounts")), expect_accounts=plain(c.map("expect_accounts")),
    )  # fmt: skip
    c.done(("act", "steps", "expect", "because", "ask"))
    return spec


def _step(raw: Any, where: Where) -> CaseStep:
    c = Cursor(raw, "step", where)
    on = c.any("on")
    refused = c.any("refused")
    step = CaseStep(
        act=c.text("act"), by=c.text("by"), on=None if on is None else date_of(on, where), wait=c.text("wait"),
        given=plain(c.map("given")), opinion=c.text("opinion"), reason=c.text("reason"), child=c.text("child"),
        refused="" if refused in (None, False) else str(refused), expect=c.text("expect"), duties=c.table("duties"),
        expect_accounts=plain(c.map("expect_accounts")), to=c.text("to"),
        task=c.choice("task", ("", *TASKS), ""), result=c.text("result"), others=c.words("others"), before=c.flag("before"),
    )  # fmt: skip
    c.done()
    return step
