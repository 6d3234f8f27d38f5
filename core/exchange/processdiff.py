"""What differs between two versions of a process, in meaning: one change each, and the states it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from siquan.core.spec.model import DueSpec, FactSpec, ProcessSpec, StateSpec, TransitionSpec
from siquan.core.spec.placed import Model
from siquan.core.spec.version import COSMETIC

What = Literal["process", "role", "fact", "state", "step", "due", "child", "rule", "parameter"]
How = Literal["added", "removed", "changed"]

WHAT: Mapping[str, tuple[str, str]] = {
    "process": ("流程设置", "setting"), "role": ("角色", "role"), "fact": ("事实", "fact"), "state": ("状态", "state"), "step": ("步骤", "step"),
    "due": ("期限", "deadline"), "child": ("子流程", "child process"), "rule": ("规则", "rule"), "parameter": ("参数", "parameter"),
}  # fmt: skip
HOW: Mapping[str, tuple[str, str]] = {"added": ("新增", "added"), "removed": ("去掉", "removed"), "changed": ("改动", "changed")}
#: what is compared of a thing, and what people call it
FIELDS: Mapping[str, tuple[str, str]] = {
    "type": ("类型", "type"), "unit": ("单位", "unit"), "values": ("可选值", "values"), "min": ("最小", "least"), "max": ("最大", "most"),
    "by": ("由谁", "by"), "evidence": ("凭据", "evidence"), "max_age": ("有效期", "valid for"), "absent": ("可以没有", "may be absent"),
    "sensitive": ("敏感", "sensitive"), "public": ("可公开", "public"), "fields": ("字段", "fields"), "derive": ("推导", "derived as"),
    "collection": ("台账", "collection"), "key": ("主键", "key"), "needs": ("必填", "needs"), "asks": ("选填", "asks"), "decide": ("按规则", "decides by"),
    "to": ("去向", "leads to"), "branches": ("去向", "leads to"), "check": ("检查", "checks"), "opinion": ("意见", "opinion"),
    "reasons": ("原因", "reasons"), "not_same_as": ("不得同人", "not the same person as"), "not_before": ("不早于", "not before"),
    "set": ("写入", "sets"), "confirms": ("具名确认", "confirms"), "opens": ("开办", "opens"), "document": ("文书", "document"), "auto": ("自动", "automatic"),
    "final": ("办结", "final"), "if_nobody": ("无人时", "if nobody"), "n": ("日数", "length"), "start": ("起算", "starts"), "before": ("倒推自", "before"),
    "then": ("到期", "then"), "basis": ("依据", "basis"), "cite": ("条款", "clause"), "level": ("层级", "level"), "fact": ("由事实指定", "named by"),
    "pin": ("锁定版本", "pinned"), "place": ("地点", "place"), "number": ("编号", "number"), "opening": ("开办时填", "asked at opening"),
    "name_fact": ("标题事实", "title fact"), "separate": ("分工", "separate"), "icon": ("图标", "icon"),
}  # fmt: skip
_SETTINGS = ("pin", "place", "number", "opening", "name_fact", "separate", "if_nobody")
#: carried by the thing itself or compared on its own
_APART = {*COSMETIC, "name", "prefix", "transitions", "dues", "fragment", "cure", "source"}


@dataclass(frozen=True)
class Change:
    """`states` are those of the older version the change is about; None: the whole process. `fact`: it matters to cases
    that recorded this fact."""

    what: What
    how: How
    name: str
    zh: str
    en: str
    states: tuple[str, ...] | None = None
    fact: str = ""


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "、".join(f"{k}→{v}" if v and v != k else str(k) for k, v in value.items()) or "—"
    if isinstance(value, list | tuple):
        return "、".join(_shown(v) if not isinstance(v, Mapping) else str(v.get("name", v)) for v in value) or "—"
    if isinstance(value, bool):
        return "是" if value else "否"
    return str(value) if value not in (None, "") else "—"


def _plain(model: Model) -> dict[str, Any]:
    return {k: v for k, v in model.model_dump(mode="json").items() if k not in _APART}


def differing(old: Model, new: Model, only: Iterable[str] = ()) -> list[tuple[str, str, str]]:
    """(field, before, after) where two things differ in meaning. Titles of enum values and coded reasons are words only."""
    a, b = _plain(old), _plain(new)
    out = []
    for key in only or dict.fromkeys([*a, *b]):
        one, two = a.get(key), b.get(key)
        if key in ("values", "reasons"):
            one, two = list(one or ()), list(two or ())
        if one != two:
            out.append((key, _shown(one), _shown(two)))
    return out


def _said(pairs: list[tuple[str, str, str]], lang: int) -> str:
    joint = ("；", "; ")[lang]
    return joint.join(f"{FIELDS.get(k, (k, k))[lang]} {a} → {b}" for k, a, b in pairs)


def change(what: What, how: How, name: str, title: str, pairs: list[tuple[str, str, str]] = [], states: tuple[str, ...] | None = None, fact: str = "", at: str = "") -> Change:  # noqa: B006
    """One change in words; `at` is the title of the state it stands in."""
    texts = []
    for lang in (0, 1):
        where = (f"“{at}”的" if lang == 0 else f"{at}: ") if at else ""
        head = f"{HOW[how][0]}{where}{WHAT[what][0]}“{title}”" if lang == 0 else f"{where}{WHAT[what][1]} “{title}” {HOW[how][1]}"
        texts.append(head + ((f"：{_said(pairs, 0)}" if lang == 0 else f": {_said(pairs, 1)}") if pairs else ""))
    return Change(what, how, name, texts[0], texts[1], states, fact)


def flat_facts(facts: Iterable[FactSpec], above: str = "") -> Iterator[tuple[str, FactSpec]]:
    """Records are their fields; a list is compared as a whole."""
    for spec in facts:
        path = f"{above}{spec.name}"
        yield path, spec
        if spec.type == "record":
            yield from flat_facts(spec.fields, f"{path}.")


def process_changes(old: ProcessSpec, new: ProcessSpec) -> list[Change]:
    """Everything but rules and parameters, in the order people read a process."""
    out: list[Change] = []
    pairs = differing(old, new, _SETTINGS)
    out += [change("process", "changed", key, FIELDS[key][0], [(key, a, b)]) for key, a, b in pairs]
    out += _things("role", old.roles, new.roles, lambda r: r.title or r.name, lambda name: _states_of(old, name))
    out += _facts(old, new)
    out += _states(old, new)
    return out


def _things(
    what: What, old: Mapping[str, Any], new: Mapping[str, Any], title: Callable[[Any], str], states: Callable[[str], tuple[str, ...] | None], at: str = ""
) -> Iterator[Change]:
    for name, thing in new.items():
        if name not in old:
            yield change(what, "added", name, title(thing), states=states(name), at=at)
        elif pairs := differing(old[name], thing):
            yield change(what, "changed", name, title(thing), pairs, states(name), at=at)
    for name, thing in old.items():
        if name not in new:
            yield change(what, "removed", name, title(thing), states=states(name), at=at)


def _states_of(spec: ProcessSpec, role: str) -> tuple[str, ...] | None:
    """States in which a role may act; every state when a step without a name for its actor may be anybody's."""
    found = [s.name for s in spec.states if role in s.by or any(role in t.by for t in s.transitions)]
    return None if any(role in t.by for t in spec.anywhere) else tuple(found)


def _facts(old: ProcessSpec, new: ProcessSpec) -> Iterator[Change]:
    a, b = dict(flat_facts(old.facts)), dict(flat_facts(new.facts))
    for path, spec in b.items():
        if path not in a:
            yield change("fact", "added", path, spec.title or path, states=(), fact=path)
        else:
            # the fields of a record are compared one by one
            pairs = [p for p in differing(a[path], spec) if not (p[0] == "fields" and spec.type == a[path].type == "record")]
            if pairs:
                yield change("fact", "changed", path, spec.title or path, pairs, (), path)
    for path, spec in a.items():
        if path not in b:
            yield change("fact", "removed", path, spec.title or path, states=(), fact=path)


def _states(old: ProcessSpec, new: ProcessSpec) -> Iterator[Change]:
    a, b = {s.name: s for s in old.states}, {s.name: s for s in new.states}
    live = tuple(s.name for s in old.states if not s.final)
    for name, state in b.items():
        if name not in a:
            # a new state touches whoever may still come to it: those before a step that leads there
            yield change("state", "added", name, state.title, states=_leading(new, name, a))
            continue
        if pairs := differing(a[name], state):
            yield change("state", "changed", name, state.title, pairs, (name,))
        yield from _steps(a[name], state)
        yield from _dues(a[name], state)
    for name, state in a.items():
        if name not in b:
            yield change("state", "removed", name, state.title, states=(name,))
    yield from _things("step", {t.name: t for t in old.anywhere}, {t.name: t for t in new.anywhere}, _title, lambda _: live)
    if old.states and new.states and old.initial.name != new.initial.name:
        yield change("process", "changed", "initial", "起始状态", [("to", old.initial.title, new.initial.title)], ())


def _title(thing: TransitionSpec | DueSpec) -> str:
    return thing.title or thing.name


def _steps(old: StateSpec, new: StateSpec) -> Iterator[Change]:
    a, b = {t.name: t for t in old.transitions}, {t.name: t for t in new.transitions}
    yield from _things("step", a, b, _title, lambda _: (old.name,), new.title)


def _dues(old: StateSpec, new: StateSpec) -> Iterator[Change]:
    a, b = {d.name: d for d in old.dues}, {d.name: d for d in new.dues}
    yield from _things("due", a, b, _title, lambda _: (old.name,), new.title)


def _leading(spec: ProcessSpec, name: str, known: Mapping[str, StateSpec]) -> tuple[str, ...]:
    return tuple(s.name for s in spec.states if s.name in known and any(name in (t.to, *t.branches.values()) for t in s.transitions))


def reaching(spec: ProcessSpec, states: Iterable[str]) -> set[str]:
    """The states a case may stand in and still come to one of these: they themselves, and all from which steps lead there."""
    back: dict[str, set[str]] = {}
    for state in spec.states:
        steps = [*state.transitions, *(() if state.final else spec.anywhere)]
        for t in steps:
            for target in (t.to, *t.branches.values()):
                if target:
                    back.setdefault(target, set()).add(state.name)
    found, todo = set(states), list(states)
    while todo:
        for name in back.get(todo.pop(), ()):
            if name not in found:
                found.add(name)
                todo.append(name)
    return found
