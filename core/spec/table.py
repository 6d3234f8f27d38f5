"""What makes rows a decision table: outputs, listed values, a default, an order. The checks are the same wherever a
table comes from: YAML, a spreadsheet, a DMN model, the editor."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from siquan.core.errors import SiquanError, Where
from siquan.core.spec.model import RuleSetSpec
from siquan.core.spec.source import WrongShape

#: hit policies whose value is a list of outs, and those that make one value of them
LISTING = ("R", "O", "C")
AGGREGATING = ("C+", "C<", "C>", "C#")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")


class NotATable(SiquanError):
    """`{key}` belongs to a decision table; `{id}` is a rule list"""

    code = "SQ110"
    zh = "`{key}` 是决策表的写法；`{id}` 是规则列表，所有发现都算"
    help_en = "a table has inputs: and rows:; a list has list: alone, with hit policy C"
    help_zh = "决策表写 inputs: 和 rows:；规则列表只写 list:，命中方式是 C"


class WrongOutputs(SiquanError):
    """`{row}` must give {wanted}, not {given}"""

    code = "SQ111"
    zh = "`{row}` 应给出 {wanted}，不能是 {given}"
    help_en = "write one value per output: out: {{{example}}}"
    help_zh = "每个输出写一个值：out: {{{example}}}"


class NotAnOutputValue(SiquanError):
    """`{value}` of `{row}` is not a value of the output `{output}`; it has {values}"""

    code = "SQ112"
    zh = "`{row}` 的 `{value}` 不是输出 `{output}` 的取值；可用 {values}"


class ManyOutputs(SiquanError):
    """the hit policy {policy} makes one value of the outs and cannot do so with {count} outputs"""

    code = "SQ113"
    zh = "命中方式 {policy} 把各行的结果合成一个值，不能用于 {count} 个输出"
    help_en = "keep one output, or collect the rows with C"
    help_zh = "只留一个输出，或者用 C 把各行收成列表"


class Incomparable(SiquanError):
    """`{value}` of `{row}` cannot be compared with `{other}`"""

    code = "SQ114"
    zh = "`{row}` 的 `{value}` 不能和 `{other}` 比大小"
    help_en = "the hit policies C< and C> take numbers alone, dates alone or words alone"
    help_zh = "命中方式 C<、C> 的结果要全是数，或者全是日期、全是文字"


class NoOrder(SiquanError):
    """the hit policy {policy} of `{id}` needs one order of the rows and has {count}"""

    code = "SQ115"
    zh = "`{id}` 的命中方式是 {policy}，要有一种先后次序，这里有 {count} 种"
    help_en = "list the values of an output, the most important first (outputs: {{level: [C, B, A]}}), or give the rows a priority:, not both"
    help_zh = "把输出的取值由重到轻列出（outputs: {{level: [C, B, A]}}），或者给各行写 priority:，二者取一"


def number(out: Any) -> int | Decimal | None:
    """The number an out is (a whole number, or a decimal's text), else None."""
    if isinstance(out, int) and not isinstance(out, bool):
        return out
    return Decimal(out) if isinstance(out, str) and _NUMBER.fullmatch(out) else None


def identity(out: Any) -> Any:
    """What equal outs have in common, hashable: 2.5 is 2.50, but 1 is not true."""
    if isinstance(out, dict):
        return tuple(sorted((name, identity(value)) for name, value in out.items()))
    if isinstance(out, list | tuple):
        return tuple(identity(value) for value in out)
    value = number(out)
    return value if value is not None else (type(out).__name__, out)


def check_table(spec: RuleSetSpec, at: Callable[[str], Where | None] | None = None) -> None:
    """Refuses what no table can mean; `at` gives the place of a key, a row has its own. Raises NotATable, WrongShape,
    WrongOutputs, NotAnOutputValue, ManyOutputs, Incomparable, NoOrder."""
    at = at or (lambda key: spec.where)
    if not spec.table or any(r.when or r.display_only for r in spec.rules):
        _no_table(spec, at)
        return
    names, policy = spec.outputs, spec.hit_policy
    if len(set(names)) < len(names) or not all(names):
        raise WrongShape(at("outputs"), key="outputs", wanted="names that differ", wanted_zh="互不相同的名字", value=", ".join(names))
    for name, values in spec.output_values.items():
        if name not in names or len({identity(v) for v in values}) < len(values):
            raise WrongShape(
                at("outputs"), key="outputs", wanted="outputs with values that differ", wanted_zh="输出和互不相同的取值", value=f"{name}: {_shown(values)}"
            )  # fmt: skip
    if policy in AGGREGATING and len(names) > 1:
        raise ManyOutputs(at("hit_policy"), policy=policy, count=len(names))
    outs = list(_outs(spec, at("default")))
    for row, out, where in outs:
        _check_out(spec, row, out, where)
    _check_kinds(policy, outs)
    if policy in ("P", "O"):
        orders = any(spec.output_values.values()) + any(r.priority for r in spec.rules)
        if orders > 1 or not orders and len(spec.rules) > 1:
            raise NoOrder(at("hit_policy"), policy=policy, id=spec.id, count=orders)


def _no_table(spec: RuleSetSpec, at: Callable[[str], Where | None]) -> None:
    keys = {
        "inputs": spec.inputs, "outputs": spec.outputs, "default": spec.default is not None, "hit_policy": spec.hit_policy != "C",
        "rows": any(not (r.when or r.display_only) for r in spec.rules),
    }  # fmt: skip
    key = next((k for k, given in keys.items() if given), None)
    if key is not None:
        raise NotATable(at(key), key=key if key != "hit_policy" else f"hit_policy: {spec.hit_policy}", id=spec.id)


Out = tuple[str, Any, Where | None]


def _outs(spec: RuleSetSpec, where: Where | None) -> Iterator[Out]:
    """Every out with whose it is, the default's included."""
    for row in spec.rules:
        yield row.id, row.out, row.where
    if spec.default is not None:
        # where the value is a list, the default may be one, too; each of its entries is an out
        several = isinstance(spec.default, list | tuple) and spec.hit_policy in LISTING
        for out in spec.default if several else (spec.default,):
            yield "default", out, where


def _check_out(spec: RuleSetSpec, row: str, out: Any, where: Where | None) -> None:
    names = spec.outputs
    if len(names) > 1 and not (isinstance(out, dict) and set(out) == set(names)):
        given = "、".join(f"`{n}`" for n in out) if isinstance(out, dict) and out else f"`{_shown(out)}`"
        example = ", ".join(f"{n}: …" for n in names)
        raise WrongOutputs(where, row=row, wanted="、".join(f"`{n}`" for n in names), given=given, example=example)
    for name, values in spec.output_values.items():
        if spec.hit_policy == "C#" and row == "default":  # a count
            continue
        value = out[name] if len(names) > 1 else out
        if values and identity(value) not in {identity(v) for v in values}:
            raise NotAnOutputValue(where, row=row, value=_shown(value), output=name, values=_shown(values))


def _check_kinds(policy: str, outs: list[Out]) -> None:
    """Sums want numbers, and least and greatest want what can be compared."""
    for row, out, where in outs:
        counted = policy == "C+" or policy == "C#" and row == "default"
        if counted and number(out) is None:
            raise WrongShape(where, key="out" if row != "default" else row, wanted="a number", wanted_zh="数字", value=_shown(out))
        first = outs[0][1]
        if policy in ("C<", "C>") and (not isinstance(out, int | str) or isinstance(out, bool) or (number(out) is None) is not (number(first) is None)):
            raise Incomparable(where, row=row, value=_shown(out), other=_shown(first))


def _shown(value: Any) -> str:
    """As its writer saw it, cut short."""
    text = "、".join(str(v) for v in value) if isinstance(value, list | tuple) else "null" if value is None else str(value)
    return text if len(text) <= 60 else text[:60] + "…"
