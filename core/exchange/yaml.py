"""A changed rule set or parameter back into the YAML file it came from, touching nothing else.

What was written is read again before it is handed out: a file that would not say what was asked for is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from siquan.core.errors import SiquanError, Where
from siquan.core.exchange.blanks import blanks_of, filled
from siquan.core.exchange.content import Content, placeless
from siquan.core.exchange.diff import kept_in_order
from siquan.core.exchange.entries import HEAD, entry_of, head_of, order_of
from siquan.core.exchange.fields import value_of
from siquan.core.exchange.yamltext import YamlText, entry, inside_flow, like
from siquan.core.spec.model import RuleSetSpec, RuleSpec
from siquan.core.spec.read import read_ruleset
from siquan.core.spec.source import Map, parse_yaml

_NUMBER_OR_DAY = re.compile(r"-?(0|[1-9]\d*)\.\d+|\d{4}-\d{2}-\d{2}")


class NotInFile(SiquanError):
    """the file does not hold the rule set `{id}`"""

    code = "SQ160"
    zh = "文件里没有规则集 `{id}`"
    help_en = "take the file the rule set was loaded from: rules/*.yaml, or the process with it under rules:"
    help_zh = "要用规则集所在的那个文件：rules/*.yaml，或者 rules: 下写着它的流程文件"


class Unwritable(SiquanError):
    """the change to `{what}` cannot be written into this file: {why}"""

    code = "SQ161"
    zh = "`{what}` 的修改写不进这个文件：{why_zh}"
    help_en = "make this change in the file by hand"
    help_zh = "请直接改文件"


def write_yaml(text: str, content: Content) -> str:
    """The text of a plugin's rules/*.yaml, process or fragment with the rule set as the content has it. In a fragment a
    text with blanks (`$days`) stays where it still gives what the content says. Raises NotInFile, Unwritable, and what is
    wrong with the file."""
    mark, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    return mark + _Writer(body, content.ruleset).run()


class _Writer:
    def __init__(self, text: str, spec: RuleSetSpec) -> None:
        self.spec = spec
        raw = parse_yaml(text, spec.id)
        self.path = _path(raw, spec.id)
        self.blanks = blanks_of(self._within(raw), spec) if "fragment" in raw else {}
        self.old = self._read(raw)
        self.yaml = YamlText(text)
        node: Any = self.yaml.root
        for name in self.path:
            found = entry(node, name)
            assert found is not None
            node = found[1]
        if not isinstance(node, MappingNode):
            raise NotInFile(id=spec.id)
        self.node = node

    def _within(self, raw: Any) -> Any:
        for name in self.path:
            raw = raw[name]
        return raw

    def _read(self, raw: Any) -> RuleSetSpec:
        raw = filled(self._within(raw), self.blanks)
        where = getattr(raw, "where", None) or Where(self.spec.id)
        return placeless(
            read_ruleset(self.spec.id, raw, where, process=self.spec.process, prefix=self.spec.prefix, alone=not self.path)
        )

    def run(self) -> str:
        old, new = self.old, placeless(self.spec)
        if old.facts != new.facts:
            raise Unwritable(what=new.id, why="its facts changed", why_zh="它的事实变了")
        self._settings(old, new)
        self._rules(old, new)
        text = self.yaml.done()
        try:
            done = self._read(parse_yaml(text, new.id))
        except SiquanError as fault:
            raise Unwritable(what=new.id, why=fault.text("en"), why_zh=fault.text("zh")) from None
        if _meant(done) != _meant(new):
            raise Unwritable(what=new.id, why="the file would not say the same", why_zh="写出来的和要写的不一样")
        return text

    # settings

    def _settings(self, old: RuleSetSpec, new: RuleSetSpec) -> None:
        self._entries(self.node, head_of(old), head_of(new), HEAD, [self.node])

    def _entries(self, node: MappingNode, before: Mapping[str, Any], after: Mapping[str, Any], order: Sequence[str], models: Any) -> None:
        """The entries of a mapping as they should be: what goes and what changes first, so that new ones stand behind what
        stays."""
        keys = [k for k in order if before.get(k) != after.get(k)]
        gone = [k for k in keys if k not in after]
        for key in sorted(keys, key=lambda k: entry(node, k) is None):
            self._put(node, key, after.get(key), [k for k in order if k not in gone], models)

    def _put(self, mapping: MappingNode, key: str, value: Any, order: Iterable[str], models: list[MappingNode]) -> None:
        """One entry as it should be; None takes it out. A new one is written like its namesakes in `models`."""
        found = entry(mapping, key)
        inside = bool(mapping.flow_style) or inside_flow(self.yaml.root, mapping)
        if value is None:
            if found is not None:
                self.yaml.remove(mapping, found[0])
            return
        pattern = found[1] if found else next((e[1] for m in models if (e := entry(m, key))), None)
        if found is not None:
            column = self.yaml.column(mapping) if not inside else 0
            self.yaml.replace(found[1], self._value(pattern, value, inside, column, isinstance(found[1], SequenceNode)))
            return
        names = list(order)
        earlier = names[: names.index(key)]
        after = next((e[0] for name in reversed(earlier) if (e := entry(mapping, name))), None)
        first = mapping.value[0][0] if after is None and mapping.value else after
        self.yaml.add(mapping, first, _key(key), self._value(pattern, value, inside, self.yaml.column(mapping), False))

    def _value(self, pattern: Node | None, value: Any, inside: bool, column: int, replaces: bool) -> str:
        if isinstance(value, list) and value and isinstance(value[0], dict) and not inside:
            # a list of small mappings: one a line, below the key
            items = f"{self.yaml.newline}{' ' * (column + 2)}".join(f"- {like(None, v, True)}" for v in value)
            block = isinstance(pattern, SequenceNode) and not pattern.flow_style and replaces
            return items if block else f"{self.yaml.newline}{' ' * (column + 2)}{items}"
        if isinstance(value, str) and _NUMBER_OR_DAY.fullmatch(value) and isinstance(pattern, ScalarNode) and pattern.style is None:
            return value  # an out is the text of its number or day, and stands bare like its neighbours
        return like(pattern, value, inside)

    # rules

    def _rules(self, old: RuleSetSpec, new: RuleSetSpec) -> None:
        if old.rules == new.rules:
            return
        rows = dict(self._items())
        before, after = [r.id for r in old.rules], [r.id for r in new.rules]
        was = {id: n for n, id in enumerate(before)}
        common = [id for id in after if id in was]
        kept = set(kept_in_order([was[id] for id in common], common))
        specs = {r.id: r for r in old.rules}
        for rule in new.rules:
            if rule.id in kept:
                self._rule(rows[rule.id][0].value[rows[rule.id][1]], specs[rule.id], rule)
        sequence = next(iter(rows.values()))[0] if rows else None
        additions: dict[int, list[str]] = {}
        at = -1
        for rule in new.rules:
            if rule.id in kept:
                at = rows[rule.id][1]
            else:
                additions.setdefault(at, []).append(self._text(sequence, rule, specs.get(rule.id), rows))
        if sequence is None:
            self._first(new, [x for texts in additions.values() for x in texts])
        else:
            for number, items in additions.items():
                self.yaml.add_items(sequence, number, items)
        for id, (items_of, number) in rows.items():
            if id not in kept:
                self.yaml.remove_item(items_of, number)

    def _items(self) -> Iterator[tuple[str, tuple[SequenceNode, int]]]:
        """Rule id -> the sequence it stands in and its number there."""
        for key in ("rows", "list"):
            found = entry(self.node, key)
            sequence = found[1] if found else None
            for number, item in enumerate(sequence.value if isinstance(sequence, SequenceNode) else ()):
                name = entry(item, "id")
                if name is not None and isinstance(sequence, SequenceNode):
                    yield str(filled(name[1].value, self.blanks)), (sequence, number)

    def _first(self, new: RuleSetSpec, items: list[str]) -> None:
        """The first rules of a rule set that had none."""
        if not items:
            return
        key = "rows" if new.table else "list"
        found = entry(self.node, key)
        indent = " " * (self.yaml.column(self.node) + 2)
        value = "".join(f"{self.yaml.newline}{indent}{item}" for item in items)
        if found is not None:
            self.yaml.edits.append((self.yaml.start(found[1]), self.yaml.end(found[1]), value))
        else:
            self.yaml.add(self.node, None, key, value)

    def _rule(self, node: Any, old: RuleSpec, new: RuleSpec) -> None:
        """Changed fields of a rule that stays where it is."""
        self._entries(node, entry_of(old), entry_of(new), order_of(self.spec), self._neighbours())

    def _neighbours(self) -> list[MappingNode]:
        return [s.value[n] for _, (s, n) in self._items() if isinstance(s.value[n], MappingNode)]

    def _text(
        self, sequence: SequenceNode | None, rule: RuleSpec, old: RuleSpec | None, rows: dict[str, tuple[SequenceNode, int]]
    ) -> str:
        """An item in the style of its neighbours; one that only moved keeps its lines."""
        if old == rule:
            return self.yaml.item(*rows[rule.id])
        models = self._neighbours()
        flowing = sequence is not None and bool(sequence.flow_style) or bool(models and all(m.flow_style for m in models))
        fields = entry_of(rule)
        names = [k for k in order_of(self.spec) if k in fields]
        parts = []
        for key in names:
            pattern = next((e[1] for m in models if (e := entry(m, key))), None)
            parts.append(f"{_key(key)}: {self._value(pattern, fields[key], flowing, 0, False)}")
        dash = " " * self.yaml.dash(sequence) if sequence is not None and not sequence.flow_style else ""
        if flowing:
            return ("" if sequence is not None and sequence.flow_style else f"{dash}- ") + "{" + ", ".join(parts) + "}"
        gap = self.yaml.newline + (dash if sequence is not None else " " * (self.yaml.column(self.node) + 2)) + "  "
        return f"{dash}- " + gap.join(parts)


def _path(raw: Any, id: str) -> tuple[str, ...]:
    """Where in the file the rule set stands: () for a file of its own, else `rules`, name, possibly below `children`."""
    if not isinstance(raw, Map):
        raise NotInFile(id=id)
    if "ruleset" in raw:
        if id == str(raw["ruleset"]) or id.endswith(f".{raw['ruleset']}"):
            return ()
        raise NotInFile(id=id)
    steps = set(id.split("."))
    found = sorted(
        (-sum(step in steps for step in path[:-1]), len(path), path)
        for path in _rulesets(raw, ())
        if id == path[-1] or id.endswith(f".{path[-1]}")
    )
    if not found:
        raise NotInFile(id=id)
    return found[0][2]


def _rulesets(raw: Map, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    rules, children = raw.get("rules"), raw.get("children")
    if isinstance(rules, Map):
        yield from ((*path, "rules", name) for name, value in rules.items() if isinstance(value, Map))
    for name, child in children.items() if isinstance(children, Map) else ():
        if isinstance(child, Map):
            yield from _rulesets(child, (*path, "children", name))


def _meant(spec: RuleSetSpec) -> dict[str, Any]:
    """What a rule set says, every test of every row written out."""
    rules = tuple(r.model_copy(update={"cells": {n: value_of(r, f"cell:{n}") for n in spec.inputs}}) for r in spec.rules)
    listed = {name: values for name, values in spec.output_values.items() if values}
    return spec.model_copy(update={"rules": rules, "output_values": listed}).model_dump(exclude={"id", "process", "prefix"})


def _key(name: str) -> str:
    return like(None, name, True)
