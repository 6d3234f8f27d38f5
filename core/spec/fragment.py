"""Fragments: reusable pieces of a process, expanded at load time into plain states such as `notice.posted`.

Everything a fragment brings stands under the prefix of its use; names inside it are looked up with the prefix first,
so a fragment never has to know where it is used. `$name` in any of its texts is replaced by the value in `with`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from siquan.core.errors import SiquanError, Where
from siquan.core.spec.source import Cursor, Map, MissingKey, Seq

_HOLE = re.compile(r"\$([a-z_][a-z0-9_]*)")
RESERVED_STATE = ("title", "hint", "final", "by", "due", "dues", "main", "if_nobody", "do", "use", "with", "exits", "task", "sign")


class UnknownFragment(SiquanError):
    """there is no fragment `{name}`"""

    code = "SQ021"
    zh = "没有叫 `{name}` 的片段"
    help_en = "known fragments: {known}"
    help_zh = "已有片段：{known}"


class UnknownBlank(SiquanError):
    """the fragment `{fragment}` has no blank `{name}`"""

    code = "SQ022"
    zh = "片段 `{fragment}` 没有叫 `{name}` 的空格"


class UnmappedExit(SiquanError):
    """the exit `{exit}` of the fragment `{fragment}` leads nowhere"""

    code = "SQ023"
    zh = "片段 `{fragment}` 的出口 `{exit}` 没有接到任何状态"
    help_en = "map it under exits:"
    help_zh = "在 exits: 里写明去向"


@dataclass
class Expanded:
    """What the fragments of one process brought, still as YAML entries; prefix per entry."""

    states: list[tuple[str, Any, Where, str]] = field(default_factory=list)  # (name, entry, where, prefix)
    facts: list[tuple[Map, str]] = field(default_factory=list)
    derived: list[tuple[Map, str]] = field(default_factory=list)
    parameters: list[Map] = field(default_factory=list)
    rules: list[tuple[str, Any, Where, str]] = field(default_factory=list)
    children: list[tuple[str, Map, str]] = field(default_factory=list)  # (name, process entry, prefix)
    sheets: list[Map] = field(default_factory=list)
    fragments: dict[str, str] = field(default_factory=dict)  # prefix -> fragment name
    entries: dict[str, str] = field(default_factory=dict)  # name of the use -> entry state
    titles: dict[str, str] = field(default_factory=dict)  # prefix -> title of the use
    sides: set[str] = field(default_factory=set)  # prefixes that are off the main line


def _put(value: Any, given: Mapping[str, Any], fragment: str, where: Where) -> Any:
    """A copy with the blanks filled."""
    if isinstance(value, Map):
        out = Map()
        out.where, out.at = value.where, {}
        for key, item in value.items():
            name = str(_put(key, given, fragment, where))
            out[name] = _put(item, given, fragment, value.at[key])
            out.at[name] = value.at[key]
        return out
    if isinstance(value, Seq):
        seq = Seq()
        seq.where, seq.at = value.where, list(value.at)
        seq.extend(_put(item, given, fragment, value.where) for item in value)
        return seq
    if not isinstance(value, str) or "$" not in value:
        return value
    whole = _HOLE.fullmatch(value)
    if whole:
        if whole.group(1) not in given:
            raise UnknownBlank(where, fragment=fragment, name=whole.group(1))
        return given[whole.group(1)]

    def fill(hole: re.Match[str]) -> str:
        if hole.group(1) not in given:
            raise UnknownBlank(where, fragment=fragment, name=hole.group(1))
        return str(given[hole.group(1)])

    return _HOLE.sub(fill, value)


def expand(states: Map, library: Mapping[str, Map]) -> Expanded:
    """The states of a process with every `use:` replaced. Raises UnknownFragment, UnknownBlank, UnmappedExit."""
    out = Expanded()
    for name, raw in states.items():
        where = states.at[name]
        if not isinstance(raw, Map) or "use" not in raw:
            out.states.append((name, raw, where, ""))
            continue
        _use(name, raw, where, library, out)
    # a transition to the name of a use goes to its entry
    out.states = [(n, _targets(raw, {**out.entries}), w, p) for n, raw, w, p in out.states]
    return out


def _use(name: str, raw: Map, where: Where, library: Mapping[str, Map], out: Expanded) -> None:
    c = Cursor(raw, f"states.{name}", where)
    fragment = c.text("use", need=True)
    title, given_raw, exits = c.text("title"), c.map("with"), c.table("exits")
    if not c.flag("main", True):
        out.sides.add(f"{name}.")
    out.titles[f"{name}."] = title
    c.done()
    source = library.get(fragment)
    if source is None:
        raise UnknownFragment(where, name=fragment, known="、".join(sorted(library)) or "—")
    f = Cursor(source, f"fragment.{fragment}")
    for key in ("fragment", "title", "about"):
        f.any(key)
    blanks = f.map("with")
    given: dict[str, Any] = {}
    for blank, spec in blanks.items():
        default = spec.get("default") if isinstance(spec, Map) else spec
        if default is not None:
            given[blank] = default
    for key, value in given_raw.items():
        if key not in blanks:
            raise UnknownBlank(given_raw.at[key], fragment=fragment, name=key)
        given[key] = value
    for blank in blanks:
        if blank not in given:
            raise MissingKey(raw.at.get("with", where), what=f"states.{name}.with", key=blank)
    prefix = f"{name}."
    known_exits = f.words("exits")
    for exit_name in known_exits:
        if exit_name not in exits:
            raise UnmappedExit(where, fragment=fragment, exit=exit_name)
    for exit_name in exits:
        if exit_name not in known_exits:
            raise UnmappedExit(raw.at.get("exits", where), fragment=fragment, exit=exit_name)
    inner = _put(f.map("states"), given, fragment, where)
    entry = f.text("entry") or next(iter(inner))
    if entry not in inner:
        raise MissingKey(f.at("entry"), what=f"fragment.{fragment}", key=f"states.{entry}")
    targets = {f"exit.{k}": v for k, v in exits.items()} | {k: prefix + k for k in inner}
    for state, body in inner.items():
        body = _targets(body, targets)
        out.states.append((prefix + state, body, inner.at[state], prefix))
    out.fragments[prefix], out.entries[name] = fragment, prefix + entry
    for key, target in (("facts", out.facts), ("derived", out.derived)):
        part = f.map(key)
        if part:
            target.append((_put(part, given, fragment, where), prefix))
    if f.has("parameters"):
        out.parameters.append(_put(f.map("parameters"), given, fragment, where))
    rules = _put(f.map("rules"), given, fragment, where)
    out.rules += [(prefix + key, value, rules.at[key], prefix) for key, value in rules.items()]
    sheets = f.map("excel")
    if sheets:
        filled = _put(sheets, given, fragment, where)
        renamed = Map()
        renamed.where, renamed.at = filled.where, {prefix + k: w for k, w in filled.at.items()}
        renamed.update({prefix + k: v for k, v in filled.items()})
        out.sheets.append(renamed)
    children = _put(f.map("children"), given, fragment, where)
    out.children += [(prefix + key, value, prefix) for key, value in children.items()]
    f.done()


def _targets(raw: Any, names: Mapping[str, str]) -> Any:
    """A state's entry with the targets of its transitions renamed."""
    if not isinstance(raw, Map):
        return raw
    out = Map()
    out.where, out.at = raw.where, dict(raw.at)
    for key, value in raw.items():
        if key == "to":
            out[key] = _target(value, names)
        elif isinstance(value, Map) and key not in ("due", "dues", "with", "exits", "set", "reasons"):
            out[key] = _targets(value, names)
        else:
            out[key] = value
    return out


def _target(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Map):
        out = Map()
        out.where, out.at = value.where, dict(value.at)
        out.update({k: names.get(str(v), v) for k, v in value.items()})
        return out
    return names.get(str(value), value)
