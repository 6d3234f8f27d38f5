"""Changes to a draft, one small operation each, as forms and scripts send them. Pure: content in, content out.

What is no change at all, names a rule that is not there, or puts a word where a number stands is refused and nothing of
the batch is done. What merely does not compute yet is kept: `examined` says what is wrong with it.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from siquan.core.errors import SiquanError
from siquan.core.exchange.content import Content, NewLine
from siquan.core.exchange.words import parameters_read
from siquan.core.rules import tree as t
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.decision import BASES
from siquan.core.rules.facts import CONTROL
from siquan.core.rules.parameters import ParameterBook, from_text, plain, type_of_value
from siquan.core.rules.parse import parse
from siquan.core.rules.values import ABSENT
from siquan.core.spec.model import CaseSpec, RuleSetSpec, RuleSpec
from siquan.core.spec.read import HIT_POLICIES

Edit = Mapping[str, Any]
#: fields of a rule a policy officer writes; `when` and the cells of a table have their own checks
TEXTS = ("title", "when", "outcome", "cite", "law", "say", "clear", "cure", "group")
#: the days a parameter may start on
FIRST, LAST = dt.date(1900, 1, 1), dt.date(2199, 12, 31)
#: characters of a condition, and of any other text
LONGEST, LONG_TEXT = 10_000, 4_000


class BadEdit(SiquanError):
    """this change cannot be made: {why}"""

    code = "SQ180"
    zh = "这处改动不成立：{why}"
    http = 422


class Editor:
    """Applies edits to a content. `base` is what the draft was made from (for `restore`), `book` the parameters in
    force and to come, `today` the first day a new parameter value may start on, `home` the rule set that knows the facts."""

    def __init__(self, base: Content, book: ParameterBook, today: dt.date, home: RuleSet) -> None:
        self.base, self.book, self.today, self.home = base, book, today, home

    def apply(self, content: Content, edits: Sequence[Edit]) -> Content:
        """All edits in their order, or none. Raises BadEdit."""
        ways: dict[str, Callable[[Content, Edit], Content]] = {
            "value": self._value, "rule": self._rule, "cell": self._cell, "add": self._add, "remove": self._remove,
            "restore": self._restore, "move": self._move, "param": self._param, "param_remove": self._param_remove,
            "settings": self._settings, "case": self._case, "case_remove": self._case_remove, "case_spec": self._case_spec,
        }  # fmt: skip
        for edit in edits:
            for key in ("fields", "cells"):
                if not isinstance(edit.get(key) or {}, Mapping):
                    raise BadEdit(why=f"`{key}` 要写成名称和内容")
            way = ways.get(str(edit.get("op")))
            if way is None:
                raise BadEdit(why=f"不认识的改法 `{edit.get('op')}`")
            content = way(content, edit)
        return content

    # rules

    def _find(self, content: Content, id: Any) -> RuleSpec:
        found = next((r for r in content.ruleset.rules if r.id == id), None)
        if found is None:
            raise BadEdit(why=f"草稿里没有规则 `{id}`")
        return found

    def _put(self, content: Content, rule: RuleSpec) -> Content:
        rules = tuple(rule if r.id == rule.id else r for r in content.ruleset.rules)
        return _with_rules(content, rules)

    def _value(self, content: Content, edit: Edit) -> Content:
        """One value in a sentence: the literal between two characters of the condition, or of a cell."""
        rule = self._find(content, edit.get("rule"))
        field = _text(edit, "field", 300)
        text = rule.cells.get(field[5:], "-") if field.startswith("cell:") else rule.when if field == "when" else None
        start, end = edit.get("start"), edit.get("end")
        if text is None or not isinstance(start, int) or not isinstance(end, int) or not 0 <= start < end <= len(text):
            raise BadEdit(why=f"规则 `{rule.id}` 里没有这个位置")
        written = literal(text[start:end], _text(edit, "value", 400), rule.id)
        changed = text[:start] + written + text[end:]
        if field == "when":
            return self._put(content, rule.model_copy(update={"when": changed}))
        return self._put(content, rule.model_copy(update={"cells": {**rule.cells, field[5:]: changed}}))

    def _fields(self, edit: Edit) -> dict[str, Any]:
        """The fields of a rule that an edit sets. A basis is one of four words, the order is a whole number."""
        given = edit.get("fields") or {}
        if not isinstance(given, Mapping):
            raise BadEdit(why="字段要写成名称和内容")
        out: dict[str, Any] = {}
        for name, value in given.items():
            if name in TEXTS:
                out[name] = _bounded(str(value or "").strip(), LONGEST if name == "when" else LONG_TEXT, str(name))
            elif name == "basis":
                if value not in ("", *BASES):
                    raise BadEdit(why=f"依据 `{value}` 不是 {'、'.join(BASES)} 之一")
                out[name] = value
            elif name == "unconfirmed":
                out[name] = value in (True, "true", "1", "on", "是")
            elif name == "priority":
                if not re.fullmatch(r"-?\d{1,6}", str(value)):
                    raise BadEdit(why=f"次序 `{value}` 应是整数")
                out[name] = int(str(value))
            elif name != "id":
                raise BadEdit(why=f"规则没有 `{name}` 这一项")
        return out

    def _rule(self, content: Content, edit: Edit) -> Content:
        rule = self._find(content, edit.get("rule"))
        fields = self._fields(edit)
        if "when" in fields and not fields["when"] and not content.ruleset.table and not rule.display_only:
            raise BadEdit(why=f"规则 `{rule.id}` 要有条件；不要这一条就删去它")
        return self._put(content, rule.model_copy(update=fields))

    def _cell(self, content: Content, edit: Edit) -> Content:
        rule = self._find(content, edit.get("rule"))
        return self._put(content, self._with_cell(content, rule, _text(edit, "column", 300), _text(edit, "text", LONGEST)))

    def _with_cell(self, content: Content, rule: RuleSpec, column: str, text: str) -> RuleSpec:
        spec = content.ruleset
        if column in spec.inputs:
            return rule.model_copy(update={"cells": {**rule.cells, column: text.strip() or "-"}})
        name = column.removeprefix("out:") if column != "out" else ""
        if column != "out" and name not in spec.outputs:
            raise BadEdit(why=f"决策表没有 `{column}` 这一列")
        many = len(spec.outputs) > 1
        others = [r.out.get(name) if many and isinstance(r.out, dict) else r.out for r in spec.rules if r.id != rule.id]
        value = _output(text.strip(), others)
        if value is None and spec.table:
            raise BadEdit(why=f"规则 `{rule.id}` 的结果不能空着")
        out = {**(rule.out if isinstance(rule.out, dict) else {}), name: value} if many else value
        return rule.model_copy(update={"out": out})

    def _add(self, content: Content, edit: Edit) -> Content:
        spec = content.ruleset
        rules = list(spec.rules)
        wanted = str((edit.get("fields") or {}).get("id") or "").strip()
        id = _bounded(wanted, 100, "id") if wanted else next_id([r.id for r in (*rules, *self.base.ruleset.rules)])
        if any(r.id == id for r in rules):
            raise BadEdit(why=f"编号 `{id}` 已经用了")
        rule = RuleSpec(id=id, **self._fields(edit))
        cells = edit.get("cells") or {}
        if spec.table:
            rule = rule.model_copy(update={"cells": {name: "-" for name in spec.inputs}})
            for column, text in cells.items():
                rule = self._with_cell(content, rule, str(column), str(text))
            columns = [f"out:{o}" for o in spec.outputs] if len(spec.outputs) > 1 else ["out"]
            empty = rule.out is None if columns == ["out"] else [o for o in spec.outputs if (rule.out or {}).get(o) is None]
            if empty:
                raise BadEdit(why=f"规则 `{id}` 的结果不能空着")
        elif not rule.when or not rule.outcome:
            raise BadEdit(why="新的一条要有条件和后果")
        after = edit.get("after")
        at = next((n + 1 for n, r in enumerate(rules) if r.id == after), len(rules) if not after else -1)
        if at < 0:
            raise BadEdit(why=f"草稿里没有规则 `{after}`")
        return _with_rules(content, (*rules[:at], rule, *rules[at:]))

    def _remove(self, content: Content, edit: Edit) -> Content:
        rule = self._find(content, edit.get("rule"))
        if len(content.ruleset.rules) == 1:
            raise BadEdit(why="最后一条规则不能删")
        return _with_rules(content, tuple(r for r in content.ruleset.rules if r.id != rule.id))

    def _restore(self, content: Content, edit: Edit) -> Content:
        """A rule as it was in the version the draft was made from, at its old place."""
        old = next((r for r in self.base.ruleset.rules if r.id == edit.get("rule")), None)
        if old is None:
            raise BadEdit(why=f"原来的版本里没有规则 `{edit.get('rule')}`")
        rules = list(content.ruleset.rules)
        for n, rule in enumerate(rules):
            if rule.id == old.id:
                rules[n] = old
                return _with_rules(content, tuple(rules))
        before = [r.id for r in self.base.ruleset.rules]
        earlier = before[: before.index(old.id)]
        at = max((n + 1 for n, r in enumerate(rules) if r.id in earlier), default=0)
        return _with_rules(content, (*rules[:at], old, *rules[at:]))

    def _move(self, content: Content, edit: Edit) -> Content:
        rule = self._find(content, edit.get("rule"))
        rest = [r for r in content.ruleset.rules if r.id != rule.id]
        after = edit.get("after") or ""
        at = 0 if not after else next((n + 1 for n, r in enumerate(rest) if r.id == after), -1)
        if at < 0:
            raise BadEdit(why=f"草稿里没有规则 `{after}`")
        return _with_rules(content, (*rest[:at], rule, *rest[at:]))

    # parameters

    def _param(self, content: Content, edit: Edit) -> Content:
        """A new dated value. It starts today or later, cites its source, and stands alone on its day and place."""
        name = _text(edit, "name", 200)
        basis_of = name.removeprefix("basis.") if name.startswith("basis.") else ""
        self._reads(content, name)
        line = NewLine(
            name=name, since=_day(edit.get("since")), value=self._typed(name, _text(edit, "value", 400), basis_of), place=_text(edit, "place", 200),
            basis=self._basis(_text(edit, "basis", 20)), cite=_text(edit, "cite", LONG_TEXT), ref=_text(edit, "ref", LONG_TEXT),
        )  # fmt: skip
        self.line(line)
        kept = tuple(x for x in content.lines if x.key != line.key)
        return content.model_copy(update={"lines": (*kept, line)})

    def _basis(self, basis: str) -> str:
        if basis not in ("", *BASES):
            raise BadEdit(why=f"依据 `{basis}` 不是 {'、'.join(BASES)} 之一")
        return basis

    def line(self, line: NewLine) -> None:
        """Whether a new dated value may stand, however it came. Raises BadEdit."""
        if line.since < self.today:
            raise BadEdit(why=f"新的值不能从过去的 {line.since} 起算，最早从 {self.today} 起")
        if line.since > LAST:
            raise BadEdit(why=f"{line.since} 太远了，最晚写到 {LAST}")
        if not line.cite.strip():
            raise BadEdit(why=f"参数 `{line.name}` 的新值要写出处")
        for what, text in (("cite", line.cite), ("ref", line.ref)):
            _bounded(text, LONG_TEXT, what)
        known = self.book.specs.get(line.name)
        if known and any(x.place == line.place and x.since == line.since for x in known.lines):
            raise BadEdit(why=f"参数 `{line.name}` 在 {line.since} 已经有一个值，同一天不能有两个值")
        if line.name.startswith("basis.") and line.value == "OWNERS" and not line.ref.strip():
            raise BadEdit(why=f"`{line.name}` 改为业主约定，要写决议文号")

    def _reads(self, content: Content, name: str) -> None:
        """Only what the rule set reads: another's values are changed where their proof and their impact are."""
        bases = {f"basis.{r.id}" for r in content.ruleset.rules}
        if name not in self.book.specs and name not in bases:
            raise BadEdit(why=f"没有参数 `{name}`")
        if name not in {*parameters_read(content.ruleset, self.home.schema, self.book), *bases}:
            raise BadEdit(why=f"这套规则不用参数 `{name}`，要改它请改用它的规则集")

    def sound(self, before: Content, after: Content) -> None:
        """What a file must not do to a draft, since no form could: leave no rule, or bring values that `line` refuses or that
        the rule set does not read. Raises BadEdit."""
        if not after.ruleset.rules:
            raise BadEdit(why="文件里一条规则也没有")
        old = {x.key: x for x in before.lines}
        for line in after.lines:
            if old.get(line.key) != line:
                self._reads(after, line.name)
                self.line(line)

    def _typed(self, name: str, text: str, basis_of: str) -> Any:
        """The text as a value of the parameter's own type; empty repeals it."""
        if basis_of:
            if text not in BASES:
                raise BadEdit(why=f"依据 `{text}` 不是 {'、'.join(BASES)} 之一")
            return text
        value = from_text(text)
        kind = self.book.types()[name].kind
        if value is ABSENT:
            return None
        if kind == "text":
            return text
        if kind != "any" and type_of_value(plain(value)).kind != kind:
            words = {"number": "数字", "boolean": " true 或 false", "date": "日期，如 2027-01-01"}
            raise BadEdit(why=f"参数 `{name}` 的值 `{text}` 应是{words.get(kind, kind)}")
        return value if isinstance(value, int | dt.date | str) else Decimal(text)

    def _param_remove(self, content: Content, edit: Edit) -> Content:
        kept = tuple(x for x in content.lines if line_key(x) != edit.get("key"))
        if len(kept) == len(content.lines):
            raise BadEdit(why="这个值不是草稿里加的，不能撤掉")
        return content.model_copy(update={"lines": kept})

    # the rest

    def _settings(self, content: Content, edit: Edit) -> Content:
        fields = dict(edit.get("fields") or {})
        policy, title = fields.pop("hit_policy", content.ruleset.hit_policy), fields.pop("title", content.ruleset.title)
        if fields:
            raise BadEdit(why=f"没有 `{next(iter(fields))}` 这项设置")
        if policy not in HIT_POLICIES or (not content.ruleset.table and policy != "C"):
            raise BadEdit(why=f"命中方式 `{policy}` 在这里不能用")
        spec = content.ruleset.model_copy(update={"hit_policy": policy, "title": _bounded(str(title).strip(), 200, "title")})
        return content.model_copy(update={"ruleset": spec})

    def _case(self, content: Content, edit: Edit) -> Content:
        name = _text(edit, "name", 200)
        if not name:
            raise BadEdit(why="用例要有名称")
        given = edit.get("given") or {}
        if isinstance(given, str):
            try:
                given = json.loads(given, parse_float=Decimal)
            except (ValueError, ArithmeticError, RecursionError):
                raise BadEdit(why="用例的事实读不懂") from None
        try:
            known = json.dumps(given, default=_number)
        except (TypeError, ValueError, RecursionError):
            raise BadEdit(why="用例的事实读不懂") from None
        _bounded(known, 100_000, "given")
        if re.search(r"\\u00[01]|\\ud[89a-f]", known):
            raise BadEdit(why="用例的事实里有控制字符")
        because = edit.get("because")
        if because is not None and (isinstance(because, str) or not isinstance(because, Sequence)):
            raise BadEdit(why="用例的规则要写成一列编号")
        try:
            case = CaseSpec(
                name=name, on=_day(edit["on"]) if edit.get("on") else self.today, process=content.ruleset.process, given=given,
                decide=content.ruleset.id, expect=_text(edit, "expect", 100), because=tuple(map(str, because)) if because is not None else None,
            )  # fmt: skip
        except (ValidationError, TypeError):
            raise BadEdit(why="用例的事实要写成名称和值") from None
        kept = tuple(c for c in content.cases if c.name != name)
        return content.model_copy(update={"cases": (*kept, case)})

    def _case_spec(self, content: Content, edit: Edit) -> Content:
        """A whole case, from the program itself."""
        case = edit.get("case")
        if not isinstance(case, CaseSpec):
            raise BadEdit(why="用例读不懂")
        return content.model_copy(update={"cases": (*(c for c in content.cases if c.name != case.name), case)})

    def _case_remove(self, content: Content, edit: Edit) -> Content:
        kept = tuple(c for c in content.cases if c.name != edit.get("name"))
        if len(kept) == len(content.cases):
            raise BadEdit(why=f"草稿没有加过用例 `{edit.get('name')}`")
        return content.model_copy(update={"cases": kept})


def _number(value: Any) -> str:
    if isinstance(value, Decimal | dt.date):
        return str(value)
    raise TypeError


def line_key(line: NewLine) -> str:
    """What names a draft's parameter line in a form."""
    return f"{line.name}@{line.place}@{line.since}"


def next_id(ids: Sequence[str]) -> str:
    """The number after the last of the longest series: OC-N16 gives OC-N17, R9 gives R10."""
    series: dict[str, list[str]] = {}
    for id in ids:
        found = re.fullmatch(r"(.*?)(\d{1,9})", id)
        if found:
            series.setdefault(found.group(1), []).append(found.group(2))
    if not series:
        return f"{ids[-1]}-2" if ids else "R1"
    head = max(series, key=lambda h: len(series[h]))
    last = max(series[head], key=int)
    return f"{head}{str(int(last) + 1).zfill(len(last))}"


def literal(old: str, value: str, rule: str) -> str:
    """`value` written as the literal `old` was: a number, a date, a code, a word or true and false."""
    try:
        node = parse(old)
    except SiquanError:
        node = None
    kind = _kind(node)
    text = value.strip()
    if kind == "number" and re.fullmatch(r"-?\d{1,60}(\.\d{1,60})?", text):
        return text
    if kind == "boolean" and text in ("true", "false"):
        return text
    if kind == "date":
        return f'date("{_day(text).isoformat()}")'
    if kind == "text":
        return json.dumps(_bounded(text, 400, "value"), ensure_ascii=False)
    if kind == "name" and re.fullmatch(r"[^\W\d]\w*", text):
        return text
    words = {"number": "应是数字", "boolean": "应是 true 或 false", "name": "应是一个取值的代码"}
    raise BadEdit(why=f"规则 `{rule}` 里的 `{old}` 不能改成 `{text[:40]}`" + (f"：{words[kind]}" if kind in words else ""))


def _kind(node: t.Node | None) -> str:
    if isinstance(node, t.Name):
        return "name"
    if isinstance(node, t.Neg):
        return _kind(node.item)
    value = node.value if isinstance(node, t.Literal) else None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, dt.date):
        return "date"
    return "text" if isinstance(value, str) else "number" if value is not None and not hasattr(value, "months") else ""


def _with_rules(content: Content, rules: tuple[RuleSpec, ...]) -> Content:
    spec: RuleSetSpec = content.ruleset.model_copy(update={"rules": rules})
    return content.model_copy(update={"ruleset": spec})


def _bounded(text: str, most: int, what: str) -> str:
    if len(text) > most:
        raise BadEdit(why=f"`{what}` 有 {len(text)} 个字，最多 {most} 个")
    if CONTROL.search(text):
        raise BadEdit(why=f"`{what}` 里有控制字符")
    return text


def _text(edit: Edit, key: str, most: int) -> str:
    return _bounded(str(edit.get(key) if edit.get(key) is not None else "").strip(), most, key)


def _day(value: Any) -> dt.date:
    if isinstance(value, dt.date):
        return value
    try:
        if len(str(value)) > 40 or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(value)):
            raise ValueError
        return dt.date.fromisoformat(str(value))
    except ValueError:
        raise BadEdit(why=f"`{value}` 不是日期，写作 2027-01-01") from None


def _output(text: str, others: Sequence[Any]) -> Any:
    """An output as the column has it: a word where the others are words, else a number where it is one."""
    if text in ("", "-"):
        return None
    words = [o for o in others if isinstance(o, str)]
    if text in words:
        return text
    if re.fullmatch(r"-?\d{1,15}", text) and (not words or len(words) < len([o for o in others if o is not None])):
        return int(text)
    return text == "true" if text in ("true", "false") and any(isinstance(o, bool) for o in others) else text
