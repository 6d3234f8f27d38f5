"""What the forms of the rule editor posted, as edits of a draft; and what they show again when that was refused.

A form carries `was`: the values as its page showed them. Only what differs from them is an edit, so two people who
work on different rules do not undo each other, and a stale form can say what was changed meanwhile by whom of the two.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from siquan.core.policy.views import DraftPage, RuleSetPage, RuleText
from siquan.web.catalogue import gettext as _

Edit = dict[str, Any]
#: Fields of a rule that are edited as text, in the order of the form.
FIELDS = ("title", "when", "outcome", "basis", "cite", "say", "clear", "cure", "law", "group", "priority", "unconfirmed")
BUILT = 3  # conditions of the builder
GIVEN = 6  # facts of a test case in the form
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
#: What the builder of a condition offers: key -> (words, text of the condition).
COMPARISONS = {
    "=": ("等于", "{fact} = {value}"),
    "!=": ("不等于", "{fact} != {value}"),
    ">=": ("不小于", "{fact} >= {value}"),
    ">": ("大于", "{fact} > {value}"),
    "<=": ("不大于", "{fact} <= {value}"),
    "<": ("小于", "{fact} < {value}"),
    "present": ("已经有", "present({fact})"),
    "absent": ("没有", "absent({fact})"),
}
NUMERIC = frozenset({"integer", "decimal", "number"})


def spot(rule: str, field_: str, start: int, end: int) -> str:
    """Name of the control for a value inside a sentence."""
    return f"v|{start}|{end}|{rule}|{field_}"


def cell(rule: str, column: str) -> str:
    return f"c|{rule}|{column}"


def text(value: str | None) -> str:
    """A posted text as it was meant: browsers send line ends as CRLF."""
    return (value or "").replace("\r\n", "\n").strip()


@dataclass(frozen=True)
class Typed:
    """A posted form: `mine` is what the person changed in it, `was` what their page had shown."""

    form: str = ""
    mine: Mapping[str, str] = field(default_factory=dict)
    was: Mapping[str, str] = field(default_factory=dict)
    revision: int | None = None

    @classmethod
    def read(cls, form: MultiDict[str, str]) -> Typed:
        try:
            was = json.loads(form.get("was", "") or "{}")
        except (ValueError, RecursionError):
            was = {}
        was = {str(k): str(v) for k, v in was.items()} if isinstance(was, dict) else {}
        aside = {"csrf_token", "form", "was", "revision", "do", "tab", "page", "spot"}
        mine = {k: text(v) for k, v in form.items() if k not in aside and text(v) != text(was.get(k, ""))}
        seen = form.get("revision", "")
        number = int(seen) if seen.isdecimal() and len(seen) < 10 else None
        return cls(form.get("form", "")[:200], mine, was, number)


def rule_values(rule: RuleText) -> dict[str, str]:
    values = {f"f|{name}": str(getattr(rule, name)) for name in FIELDS}
    return {**values, "f|unconfirmed": "true" if rule.unconfirmed else ""}


class Editor:
    """The values of the editor's controls: what the draft has, under what was typed and not saved."""

    def __init__(self, draft: DraftPage, typed: Typed | None = None, rules: tuple[RuleText, ...] | None = None) -> None:
        self.draft = draft
        self.rules = draft.page.rules if rules is None else rules
        self.typed = typed or Typed()

    def now(self, form: str) -> dict[str, str]:
        """Control -> value of a form that edits what is there; empty for a form that adds."""
        if form == "say":
            parts = ((r.id, p) for r in self.rules for p in r.parts if p.kind == "edit")
            return {spot(rule, p.field, p.start, p.end): p.value for rule, p in parts}
        if form == "grid":
            return {cell(r.id, c.column): c.text for r in self.rules for c in r.cells}
        kind, _colon, rule_id = form.partition(":")
        if kind == "rule":
            return next((rule_values(r) for r in self.draft.page.rules if r.id == rule_id), {})
        if form == "settings":
            return {"f|title": self.draft.page.title, "f|hit_policy": self.draft.page.hit_policy}
        return {}

    def was(self, form: str) -> str:
        return json.dumps(self.now(form), ensure_ascii=False, separators=(",", ":"))

    def value(self, form: str, name: str, default: str = "") -> str:
        """What a control shows: what was typed and not saved, else `default`, which is what the draft has."""
        return self.typed.mine.get(name, default) if form == self.typed.form else default

    def open(self, form: str) -> bool:
        """Whether something typed into this form is still waiting."""
        return form == self.typed.form and bool(self.typed.mine)

    def meanwhile(self) -> Iterator[tuple[str, str, str, str]]:
        """Of a stale form: label, what it showed, what was typed (empty: untouched), what stands there now."""
        now = self.now(self.typed.form)
        for name, was in self.typed.was.items():
            mine, theirs = self.typed.mine.get(name, ""), now.get(name, "")
            if mine or (theirs != was and name in now):
                yield self.label(name), was, mine, theirs
        for name, mine in self.typed.mine.items():
            if name not in self.typed.was and mine:
                yield self.label(name), "", mine, ""

    def label(self, name: str) -> str:
        """Where a control stands, in words."""
        kind, _bar, rest = name.partition("|")
        columns = {c.key: c.title for c in self.draft.page.columns}
        if kind == "v":
            return (rest.split("|", 3) + ["", "", ""])[2]
        if kind == "c":
            rule, _bar, column = rest.partition("|")
            return f"{rule} {columns.get(column, column)}"
        if kind in ("f", "n"):
            return titles().get(rest, columns.get(rest, rest))
        return titles().get(name, name)


def titles() -> dict[str, str]:
    """The fields of the forms as the page calls them."""
    return {
        "title": _("名称"), "when": _("条件"), "outcome": _("后果"), "basis": _("依据"), "cite": _("出处"), "say": _("命中时怎么说"),
        "clear": _("不命中时怎么说"), "cure": _("怎样补救"), "law": _("条文原文"), "group": _("分组"), "priority": _("优先级"),
        "unconfirmed": _("尚待核实"), "after": _("排在哪一句后面"), "hit_policy": _("命中方式"), "since": _("自哪天起"), "value": _("值"),
        "place": _("在哪里"), "ref": _("文号"), "name": _("名称"), "given": _("给定的事实"), "expect": _("应得的结论"), "because": _("凭哪些规则"),
    }  # fmt: skip


def literal(page: RuleSetPage, name: str, typed: str) -> str:
    """A typed value as the rule language writes it; another fact or parameter may stand there, too."""
    kinds = {path: kind for path, _title, kind in page.names}
    kind = kinds.get(name, "text")
    if typed in kinds or kind in NUMERIC:
        return typed
    if kind == "date" and iso(typed):
        return f'@"{typed}"'
    if kind == "boolean":
        return {_("是"): "true", _("否"): "false", "是": "true", "否": "false"}.get(typed, typed)
    return json.dumps(coded(page, name, typed), ensure_ascii=False)


def iso(typed: str) -> bool:
    try:
        dt.date.fromisoformat(typed)
    except ValueError:
        return False
    return True


def coded(page: RuleSetPage, name: str, typed: str) -> str:
    """The code of an enum value that was typed or picked by its title."""
    options = dict(page.choices).get(name, ())
    return next((code for code, title in options if typed in (code, title)), typed)


def condition(page: RuleSetPage, form: Mapping[str, str]) -> str:
    """The condition the builder's rows say; what was written by hand comes first."""
    by_hand = text(form.get("f|when"))
    if by_hand:
        return by_hand
    parts = []
    for n in range(BUILT):
        fact, how = text(form.get(f"b|{n}|fact")), text(form.get(f"b|{n}|how"))
        if fact and how in COMPARISONS:
            value = literal(page, fact, text(form.get(f"b|{n}|value")))
            parts.append(COMPARISONS[how][1].format(fact=fact, value=value))
    return (" or " if form.get("b|join") == "or" else " and ").join(parts)


def given(page: RuleSetPage, form: Mapping[str, str]) -> str:
    """The facts of a test case as JSON text: written by hand, else from the rows of the form."""
    by_hand = text(form.get("given"))
    if by_hand:
        return by_hand
    kinds = {path: kind for path, _title, kind in page.names}
    facts: dict[str, Any] = {}
    for n in range(GIVEN):
        name, typed = text(form.get(f"g|{n}|fact")), text(form.get(f"g|{n}|value"))
        if not name:
            continue
        kind = kinds.get(name, "text")
        if kind == "boolean":
            facts[name] = {"是": True, _("是"): True, "true": True, "否": False, _("否"): False, "false": False}.get(typed, typed)
        elif kind in NUMERIC and NUMBER.fullmatch(typed):
            facts[name] = int(typed) if WHOLE.fullmatch(typed) else typed
        else:
            facts[name] = coded(page, name, typed) if typed else None
    return json.dumps(facts, ensure_ascii=False)


def mistakes(page: RuleSetPage, typed: Typed) -> tuple[str, ...]:
    """What stands in the rows of a condition or of a test case and cannot be a value of its fact, fact by fact."""
    rows, prefix, by_hand = {"add": (BUILT, "b", "f|when"), "case": (GIVEN, "g", "given")}.get(typed.form, (0, "", ""))
    if typed.mine.get(by_hand):
        return ()
    titles_ = {path: title or path for path, title, _kind in page.names}
    kinds = {path: kind for path, _title, kind in page.names}
    told = []
    for n in range(rows):
        fact, value = (typed.mine.get(f"{prefix}|{n}|{end}", "") for end in ("fact", "value"))
        if not fact:
            if value:
                told.append(_("第 %(n)s 行：填了“%(value)s”，还没有选事实", n=n + 1, value=value))
            continue
        how = typed.mine.get(f"b|{n}|how", "=")
        if how in ("present", "absent") or (prefix == "b" and value in kinds) or (prefix == "g" and not value):
            continue
        wanted = unfit(page, fact, kinds.get(fact, "text"), value)
        if wanted:
            told.append(_("第 %(n)s 行“%(fact)s”：%(wanted)s，填的是“%(value)s”", n=n + 1, fact=titles_.get(fact, fact), wanted=wanted, value=value))
    return tuple(told)


def unfit(page: RuleSetPage, fact: str, kind: str, value: str) -> str:
    """What this fact takes, in words, when `value` is not that; empty when it fits."""
    if kind in NUMERIC and not NUMBER.fullmatch(value):
        return _("要填数字，例如 12")
    if kind == "date" and not iso(value):
        return _("要填日期，例如 2027-01-01")
    if kind == "boolean" and value not in ("是", "否", _("是"), _("否"), "true", "false"):
        return _("要填“是”或“否”")
    options = dict(page.choices).get(fact, ())
    if options and not any(value in option for option in options):
        return _("要从这几个里选：%(options)s", options=_("、").join(title or code for code, title in options))
    return ""


def edits(page: RuleSetPage, form: MultiDict[str, str], typed: Typed) -> list[Edit]:
    """The edits a posted form asks for, in the order they are to be made."""
    kind, _colon, target = typed.form.partition(":")
    standing = [r.id for r in page.rules if r.change != "removed"]
    last = standing[-1] if standing else ""
    do, _colon, which = form.get("do", "").partition(":")
    out: list[Edit] = []
    if kind == "say":
        out = values(typed)
    elif kind == "grid":
        cells = [(n.split("|", 2), v) for n, v in typed.mine.items() if n.startswith("c|") and n.count("|") > 1]
        out = [{"op": "cell", "rule": name[1], "column": name[2], "text": v} for name, v in cells]
        new = {n[2:]: v for n, v in typed.mine.items() if n.startswith("n|") and v}
        if new:
            out.append({"op": "add", "after": last, "fields": {}, "cells": new})
    elif kind == "rule":
        fields = {n[2:]: shaped(n[2:], v) for n, v in typed.mine.items() if n.startswith("f|")}
        out = [{"op": "rule", "rule": target, "fields": fields}] if fields else []
        if typed.mine.get("after"):
            out.append({"op": "move", "rule": target, "after": behind(typed.mine["after"])})
    elif kind == "add":
        fields = {n[2:]: shaped(n[2:], v) for n, v in typed.mine.items() if n.startswith("f|") and v}
        fields["when"] = condition(page, typed.mine)
        out = [{"op": "add", "after": behind(typed.mine.get("after", "") or last), "fields": fields, "cells": {}}]
    elif kind == "param":
        names = ("since", "value", "place", "basis", "cite", "ref")
        out = [{"op": "param", "name": target, **{n: text(form.get(n)) for n in names}}]
    elif kind == "settings":
        fields = {n[2:]: v for n, v in typed.mine.items() if n.startswith("f|")}
        out = [{"op": "settings", "fields": fields}] if fields else []
    elif kind == "case":
        because = [r for r in re.split(r"[\s,，、;；]+", text(form.get("because"))) if r]
        case: Edit = {"op": "case", "name": text(form.get("name")), "given": given(page, form), "expect": text(form.get("expect"))}
        # no rule named means any rule; an empty list would mean that none may apply
        out = [{**case, "because": because} if because else case]
    elif kind in ("param_remove", "case_remove", "case_accept"):
        out = [{"op": kind, ("key" if kind == "param_remove" else "name"): target}]
    if do in ("remove", "restore") and which:
        out.append({"op": do, "rule": which})
    return out


#: whole numbers and offsets as far as anything here takes them
WHOLE, PLACE = re.compile(r"[+-]?[0-9]{1,15}"), re.compile(r"[0-9]{1,6}")


def values(typed: Typed) -> list[Edit]:
    """Values inside sentences, the last of a field first: replacing one must not move the place of the next."""
    out: list[Edit] = []
    for name, value in typed.mine.items():
        head = name.split("|", 4)
        if len(head) == 5 and head[0] == "v" and PLACE.fullmatch(head[1]) and PLACE.fullmatch(head[2]):
            _v, start, end, rule, place = head
            out.append({"op": "value", "rule": rule, "field": place, "start": int(start), "end": int(end), "value": value})
    return sorted(out, key=lambda e: (e["rule"], e["field"], -e["start"]))


def behind(typed: str) -> str:
    """The rule after which another is to stand; empty for the first place."""
    return "" if typed in (_("最前面"), "最前面") else typed


def shaped(name: str, value: str) -> Any:
    if name == "unconfirmed":
        return value == "true"
    if name == "priority" and WHOLE.fullmatch(value):
        return int(value)
    return value
