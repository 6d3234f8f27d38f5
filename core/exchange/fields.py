"""What a rule and a rule set consist of, under the names an Excel column, a difference and a merge call it by.

`cell:NAME` is the test of an input, `out` the value of a row, `out:NAME` that of one of several outputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Any, Literal

from siquan.core.rules.facts import Schema
from siquan.core.sheets.columns import fold, is_comment
from siquan.core.spec.model import RuleSetSpec, RuleSpec

Kind = Literal["id", "words", "expression", "test", "outcome", "basis", "constant", "number", "flag", "shown"]

OUTCOMES = {
    "REJECT": ("拟不通过", "reject"), "BLOCK": ("不得进行", "block"), "EVIDENCE": ("待补证", "evidence needed"), "WARN": ("提示", "warning"),
    "PASS": ("通过", "pass"), "PRIORITY": ("优先", "priority"), "TARGET": ("目标", "target"), "NA": ("不适用", "not applicable"),
}  # fmt: skip
BASES = {
    "STATUTE": ("法律法规", "statute"), "OWNERS": ("业主约定", "owners"), "POLICY": ("政策指引", "guidance"), "LOCAL": ("本地设定", "local"),
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """A part of a rule. `width` is that of its column in characters; `hint` says how to fill it in."""

    key: str
    zh: str
    en: str
    kind: Kind = "words"
    width: int = 20
    hint: str = ""
    hint_en: str = ""

    def title(self, lang: str) -> str:
        return self.zh if lang.startswith("zh") else self.en


ID = Field("id", "编号", "id", "id", 12, "不能重复；新的一行可以空着，由系统编", "unique; of a new row it may stay empty and is made up")
TITLE = Field("title", "名称", "title", "words", 18, "几个字的名称", "a short name")
GROUP = Field("group", "分组", "group", "words", 12, "同一组的写一样的字", "rules with the same word belong together")
WHEN = Field(
    "when", "条件", "condition", "expression", 44, "用事实和参数写：age > 65 and present(fee)；右边一列是它的意思",
    "in facts and parameters: age > 65 and present(fee); the next column says what it means",
)  # fmt: skip
SENTENCE = Field("sentence", "条件说明", "in words", "shown", 40, "由条件自动生成，改了不算", "generated from the condition; changes here do not count")
OUTCOME = Field(
    "outcome", "后果", "outcome", "outcome", 16, "从下拉框里选；也可以写“if 条件 then REJECT else WARN”",
    "choose one, or write `if condition then REJECT else WARN`",
)  # fmt: skip
BASIS = Field(
    "basis", "依据", "basis", "basis", 12, "从下拉框里选；政策指引和本地设定的“拟不通过”只作提示",
    "choose one; a rejection on guidance or a local number comes out as a warning",
)  # fmt: skip
CITE = Field("cite", "出处", "clause", "words", 22, "法规、文件、条款", "law, document, clause")
SAY = Field("say", "命中时的话", "when it hits", "words", 40, "花括号里写事实或参数：欠费{fee.arrears_months}个月", "facts and parameters stand in braces")
CLEAR = Field("clear", "不命中时的话", "when it does not", "words", 32, "不符合条件时对当事人说的话", "what is said when the condition does not hold")
CURE = Field("cure", "怎样补救", "what helps", "words", 32, "当事人可以怎么办", "what a person can do about it")
LAW = Field("law", "条文原文", "wording of the clause", "words", 32, "可以引用的原文", "as far as it may be quoted")
DISPLAY = Field(
    "display_only", "不计算的原因", "why it is not computed", "words", 24, "只展示、不计算的条款写原因；写了就可以没有条件",
    "a clause that is only shown gives the reason; it needs no condition",
)  # fmt: skip
PRIORITY = Field("priority", "优先级", "priority", "number", 10, "整数，大的在前", "a whole number, the larger first")
UNCONFIRMED = Field("unconfirmed", "未核实", "unconfirmed", "flag", 10, "出处还没有核对过填“是”", "`是` while the clause has not been checked")

#: fields that are not a column of every rule set: shown when a rule has one
SOMETIMES = (DISPLAY, PRIORITY, OUTCOME, WHEN)
PLAIN = (TITLE, GROUP, WHEN, OUTCOME, BASIS, CITE, SAY, CLEAR, CURE, LAW, DISPLAY, PRIORITY, UNCONFIRMED)
#: a difference in these changes no decision
COSMETIC = ("title", "group", "law")


def inputs_of(ruleset: RuleSetSpec, schema: Schema) -> tuple[Field, ...]:
    """The columns of a table's inputs, titled by the facts they test."""
    out = []
    for name in ruleset.inputs:
        fact = schema.get(ruleset.prefix + name) or schema.get(name)
        title = schema.title(fact.name) if fact else name
        hint = "写一个测试：> 6、[6..12]、\"a\", \"b\"、not(...)；- 是任意"
        if fact and fact.values:
            hint += "。可用：" + "、".join(f'"{code}" {word}' for code, word in fact.values.items())
        out.append(Field(f"cell:{name}", title, title, "test", 18, hint[:400], 'a test: > 6, [6..12], "a", "b", not(...); - is any value'))
    return tuple(out)


def outputs_of(ruleset: RuleSetSpec) -> tuple[Field, ...]:
    """The columns of a table's values."""
    hint, hint_en = "这一行给出的值", "the value this row gives"
    names = ruleset.outputs if len(ruleset.outputs) > 1 else ()
    if not names:
        title = ruleset.outputs[0] if ruleset.outputs else ""
        return (Field("out", title or "取值", title or "value", "constant", 16, hint, hint_en),)
    return tuple(Field(f"out:{name}", name, name, "constant", 16, hint, hint_en) for name in names)


def columns(ruleset: RuleSetSpec, schema: Schema) -> tuple[Field, ...]:
    """The columns of the sheet of rules; no two have the same title."""
    if ruleset.table:
        wanted = [ID, TITLE, *inputs_of(ruleset, schema), SENTENCE, *outputs_of(ruleset), SAY, BASIS, CITE, CLEAR, CURE, GROUP, LAW]
        wanted += [PRIORITY] if ruleset.hit_policy in ("P", "O") and not ruleset.output_values else []
    else:
        wanted = [ID, GROUP, TITLE, WHEN, SENTENCE, OUTCOME, BASIS, CITE, SAY, CLEAR, CURE, LAW, DISPLAY]
    wanted.append(UNCONFIRMED)
    wanted += [f for f in SOMETIMES if f not in wanted and any(value_of(r, f.key) for r in ruleset.rules)]
    return _distinct(wanted)


def _distinct(fields: Iterable[Field]) -> tuple[Field, ...]:
    """An input or output called like another column, or like a remark, gets a title of its own."""
    seen = {fold(f.title(lang)) for f in (ID, SENTENCE, *PLAIN) for lang in ("zh", "en")}
    out: list[Field] = []
    for field in fields:
        if field.kind in ("test", "constant"):
            own = field.key.partition(":")[2]
            tries = chain((field.zh, f"{field.zh}（{own}）"), (f"列{n} {own}" for n in count(1)))
            title = next(x for x in tries if fold(x) and fold(x) not in seen and not is_comment(fold(x)))
            seen.add(fold(title))
            field = replace(field, zh=title, en=title if title != field.zh else field.en)
        out.append(field)
    return tuple(out)


def value_of(rule: RuleSpec, key: str) -> Any:
    """A field of a rule; a test that is not written is `-`."""
    head, _, name = key.partition(":")
    if head == "cell":
        return rule.cells.get(name, "").strip() or "-"
    if name:
        return rule.out.get(name) if isinstance(rule.out, dict) else None
    return getattr(rule, key)


def rule_of(values: Mapping[str, Any]) -> RuleSpec:
    """The rule of these fields, each under its key."""
    plain = {k: v for k, v in values.items() if ":" not in k and k != SENTENCE.key}
    cells = {k[5:]: v for k, v in values.items() if k.startswith("cell:")}
    outs = {k[4:]: v for k, v in values.items() if k.startswith("out:")}
    return RuleSpec(**plain, cells=cells, **({"out": outs} if outs else {}))


def fields_of(*rulesets: RuleSetSpec) -> tuple[str, ...]:
    """The keys of everything a rule of any of these may have, without its id."""
    inputs = dict.fromkeys(f"cell:{name}" for r in rulesets for name in r.inputs)
    several = [r for r in rulesets if len(r.outputs) > 1]
    outs = dict.fromkeys(f"out:{name}" for r in several for name in r.outputs) if len(several) == len(rulesets) else {"out": None}
    return tuple([f.key for f in PLAIN[:3]] + [*inputs, *outs] + [f.key for f in PLAIN[3:]])


def title_of(key: str, ruleset: RuleSetSpec, schema: Schema, lang: str = "zh") -> str:
    """What people call a field."""
    known = (*PLAIN, *inputs_of(ruleset, schema), *(outputs_of(ruleset) if ruleset.table else ()))
    return next((f.title(lang) for f in known if f.key == key), key.partition(":")[2] or key)


#: settings of a rule set: key -> words; the last three are not changed in a spreadsheet
SETTINGS = {
    "title": ("名称", "title"), "hit_policy": ("命中方式", "hit policy"), "default_basis": ("默认依据", "default basis"),
    "default": ("都不命中时的值", "value when nothing hits"), "output_values": ("可取的值", "allowed values"), "inputs": ("输入", "inputs"),
    "outputs": ("输出", "outputs"), "readings": ("依据的另读", "readings of a basis"), "intents": ("不变的要求", "intents"), "facts": ("事实", "facts"),
}  # fmt: skip
