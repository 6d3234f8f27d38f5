"""The sheets of a rule set's workbook and their columns: what writing and reading share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from siquan.core.exchange.fields import BASIS, CITE, Field, columns
from siquan.core.rules.facts import Schema
from siquan.core.spec.model import RuleSetSpec

#: above the titles stands a hidden row with the key of each column
KEYS, TITLES, FIRST = 1, 2, 3
#: rows of a sheet that are read, and empty ones that are ready to be filled in
MOST, SPARE = 5_000, 40

NAMES = {"rules": ("规则", "Rules"), "parameters": ("参数", "Parameters"), "cases": ("用例", "Cases"), "settings": ("设置", "Settings")}
HELP = ("说明", "How to")
LISTS = "选项"  # hidden: what the drop-down lists offer

PUBLISHED, ADDED = ("已发布", "published"), ("本次新增", "new")

PARAMETERS = (
    Field("name", "参数", "parameter", "id", 24, "从下拉框里选；规则里写的就是它", "choose one; it is what rules write"),
    Field("title", "名称", "title", "shown", 26, "只供查看", "for reading only"),
    Field("since", "生效日期", "in force from", "words", 13, "从这一天起用这个值，如 2026-07-01", "the first day of the value, such as 2026-07-01"),
    Field("value", "值", "value", "words", 14, "新的值；写“废止”是从那天起不再有", "the new value; 废止 repeals it from that day"),
    Field("unit", "单位", "unit", "shown", 9, "只供查看", "for reading only"),
    Field("place", "地方", "place", "words", 20, "空着是全区通用；只对一个地方用的写 compound/代号 等", "empty is everywhere; else compound/ID and the like"),
    BASIS,
    CITE,
    Field("ref", "文号", "reference", "words", 26, "决议或文件的编号；依据是业主约定时要写", "number of the resolution or document"),
    Field("state", "状态", "state", "shown", 11, "已发布的一行不能改；要换值就在后面加一行", "a published line stays; a new value is a new line"),
)  # fmt: skip
CASES = (
    Field("name", "名称", "name", "id", 30, "用例的名称，不能重复", "the name of the case, unique"),
    Field("on", "判定日期", "decided on", "words", 13, "空着按最新的参数判定", "empty: by the newest parameters"),
    Field("place", "地方", "place", "words", 18, "空着是不分地方", "empty: nowhere in particular"),
    Field("given", "给定的事实", "given facts", "words", 44, "一行一项：amount: 6000", "one a line: amount: 6000"),
    Field("set", "另设的参数", "parameters set", "words", 22, "一行一项：district_from: 3000", "one a line: district_from: 3000"),
    Field("expect", "应得的结论", "expected", "outcome", 16, "从下拉框里选，或写状态、取值", "choose one, or write a state or value"),
    Field("value", "应得的值", "value", "constant", 14, "决策表给出的值", "the value of a decision table"),
    Field("because", "应命中的规则", "because", "words", 18, "规则编号，用空格隔开；写“无”是一条也不该命中", "rule ids with blanks between; 无 for none at all"),
    Field("ask", "应追问的事实", "asks", "words", 20, "事实名，用空格隔开；写“无”是什么也不该问", "fact names with blanks between; 无 for none at all"),
    Field("base", "起始事实", "base", "words", 14, "插件里有名字的一组事实", "a named set of facts of the plugin"),
    Field("steps", "步骤", "steps", "words", 24, "只在流程用例里有", "only in cases of a process"),
)  # fmt: skip
SETTING = (
    Field("key", "项目", "setting", "id", 18, "不要改", "leave as it is"),
    Field("value", "内容", "value", "words", 40, "", ""),
    Field("hint", "怎么填", "how to fill in", "shown", 60, "只供查看", "for reading only"),
)


@dataclass(frozen=True)
class Plan:
    """One sheet: its key, and its columns in the order they are written."""

    key: str
    fields: tuple[Field, ...]
    by_key: Mapping[str, Field] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_key", {f.key: f for f in self.fields})

    def name(self, lang: str) -> str:
        return NAMES[self.key][0 if lang.startswith("zh") else 1]


def plans(ruleset: RuleSetSpec, schema: Schema) -> dict[str, Plan]:
    """The sheets of a rule set by key."""
    fields = {"rules": columns(ruleset, schema), "parameters": PARAMETERS, "cases": CASES, "settings": SETTING}
    return {key: Plan(key, fields[key]) for key in NAMES}


def settings_of(ruleset: RuleSetSpec) -> tuple[Field, ...]:
    """The rows of the sheet of settings that a person may change."""
    out = [Field("title", "规则集名称", "title of the rule set")]
    if ruleset.table:
        hint = "U 唯一，A 都一样，P 按优先级，F 第一条，R 全部按行序，O 全部按优先级，C 全部，C+ 求和，C< 最小，C> 最大，C# 个数"
        out.append(Field("hit_policy", "命中方式", "hit policy", "words", 0, hint, "as in the DMN standard: U A P F R O C C+ C< C> C#"))
        for name in ruleset.outputs if len(ruleset.outputs) > 1 else ("",):
            after, key = (f"（{name}）", f"default:{name}") if name else ("", "default")
            out.append(Field(key, f"都不命中时的值{after}", f"value when no row hits{after}", "constant", 0, "空着是没有", "empty: none"))
        for name in ruleset.outputs if ruleset.output_values else ():
            title, hint = f"可取的值（{name}）", "一行一个，重要的在前"
            out.append(Field(f"values:{name}", title, f"allowed values（{name}）", "words", 0, hint, "one a line, the first counts most"))
    out.append(Field("default_basis", "默认依据", "default basis", "basis", 0, "没有写依据的规则按它算", "for rules that do not say theirs"))
    return tuple(out)
