"""New dated lines into the YAML file their parameters stand in, touching nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from siquan.core.errors import SiquanError
from siquan.core.exchange.content import NewLine, placeless
from siquan.core.exchange.scalars import flow, scalar
from siquan.core.exchange.yaml import Unwritable
from siquan.core.exchange.yamltext import YamlText, entry, inside_flow
from siquan.core.rules.parameters import UnknownParameter
from siquan.core.spec.model import ParamLine, ParamSpec
from siquan.core.spec.read import read_parameters
from siquan.core.spec.source import Cursor, parse_yaml


class LineThere(SiquanError):
    """the file already has another value of `{name}` from {since}"""

    code = "SQ162"
    zh = "文件里已有 `{name}` 自 {since} 起的另一个值"
    help_en = "a published line stays; give the new value another first day"
    help_zh = "已发布的行不能改；给新的值换一个生效日期"


def write_parameters(text: str, lines: Iterable[NewLine]) -> str:
    """The text of a parameters/*.yaml, or of a file with `parameters:`, with these lines added. A line that is there
    already is left as it is; a dated basis (`basis.*`) may be new to the file, any other parameter has to be in it. Raises
    UnknownParameter, LineThere, Unwritable, and what is wrong with the file."""
    mark, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    for line in lines:  # one at a time, because the first may change the shape the next one finds
        body = _Writer(body, line).run()
    return mark + body


def parameters_in(text: str, file: str = "parameters.yaml") -> tuple[str, ...]:
    """The names of the parameters a file holds."""
    return tuple(s.name for s in _read(text, file)[0])


def _read(text: str, file: str) -> tuple[tuple[ParamSpec, ...], bool]:
    """The parameters of a file, and whether they stand under `parameters:`."""
    c = Cursor(parse_yaml(text, file), "parameters")
    below = bool({"parameters", "process", "ruleset", "fragment"} & set(c.raw))
    return tuple(placeless(s) for s in read_parameters(c.map("parameters") if below else c.raw)), below


class _Writer:
    def __init__(self, text: str, line: NewLine) -> None:
        self.line, self.yaml = line, YamlText(text)
        specs, below = _read(text, line.name)
        self.specs = {s.name: s for s in specs}
        found = entry(self.yaml.root, "parameters") if below else (None, self.yaml.root)
        self.node = found[1] if found else None

    def run(self) -> str:
        line = placeless(self.line.line)
        spec = self.specs.get(self.line.name)
        own = spec.lines if spec else ()
        there = next((x for x in own if (x.place, x.since) == (line.place, line.since)), None)
        if there is not None:
            if NewLine(name=self.line.name, **there.model_dump()) != placeless(self.line):
                raise LineThere(name=self.line.name, since=line.since)
            return self.yaml.text
        if spec is not None:
            self._add(self.node)
        elif self.line.name.startswith("basis.") and isinstance(self.node, MappingNode):
            self._begin(self.node)
        else:
            raise UnknownParameter(name=self.line.name)
        text = self.yaml.done()
        self._prove(text, (*own, line))
        return text

    def _prove(self, text: str, wanted: tuple[ParamLine, ...]) -> None:
        """The text says just what it said and the new line."""
        try:
            specs = {s.name: s for s in _read(text, self.line.name)[0]}
        except SiquanError as fault:
            raise Unwritable(what=self.line.name, why=fault.text("en"), why_zh=fault.text("zh")) from None
        spec = specs.pop(self.line.name, None)
        others = {name: s for name, s in self.specs.items() if name != self.line.name}
        if spec is None or spec.lines != wanted or specs != others:
            raise Unwritable(what=self.line.name, why="the file would not say the same", why_zh="写出来的和要写的不一样")

    def _begin(self, node: MappingNode) -> None:
        """A basis that has had no dated line yet."""
        inside = bool(node.flow_style) or inside_flow(self.yaml.root, node)
        gap = "" if inside else self.yaml.newline + " " * (self.yaml.column(node) + 2)
        self.yaml.add(node, None, scalar(self.line.name, inside=True), f"[{self._dated()}]" if inside else f"{gap}- {self._dated()}")

    def _add(self, node: Any) -> None:
        found = entry(node, self.line.name)
        assert found is not None
        key, value = found
        values = entry(value, "values")
        if values is not None:
            key, value = values
        if isinstance(value, SequenceNode):
            self._append(value)
        elif isinstance(value, MappingNode) and not self.line.place and entry(value, self.line.since.isoformat()) is None:
            self.yaml.add(value, None, self.line.since.isoformat(), flow(self._words(), inside=True))
        elif isinstance(value, MappingNode):
            self._listed(key, value)

    def _append(self, node: SequenceNode) -> None:
        last = node.value[-1]
        if node.flow_style:
            self.yaml.add_items(node, len(node.value) - 1, [self._dated()])
            return
        dash = " " * self.yaml.dash(node)
        if isinstance(last, MappingNode) and not last.flow_style:
            gap = f"{self.yaml.newline}{dash}  "
            parts = {"from": self.line.since, **self._words()}
            self.yaml.add_items(node, len(node.value) - 1, [f"{dash}- " + gap.join(f"{k}: {flow(v)}" for k, v in parts.items())])
        else:
            self.yaml.add_items(node, len(node.value) - 1, [f"{dash}- {self._dated()}"])

    def _listed(self, key: Node, node: MappingNode) -> None:
        """A mapping of days has no room for places: it becomes a list, each line in the words it had."""
        items = []
        for day, value in node.value:
            words = self.yaml.source(value).strip()
            if isinstance(value, MappingNode) and value.flow_style and words.startswith("{"):
                items.append("{" + f"from: {self._day(day)}, {words[1:].lstrip()}")
            else:
                raise Unwritable(what=self.line.name, why="its lines are written in blocks", why_zh="它的各行是分开写的")
        items.append(self._dated())
        if inside_flow(self.yaml.root, node):
            self.yaml.replace(node, "[" + ", ".join(items) + "]")
            return
        gap = f"{self.yaml.newline}{' ' * (int(key.start_mark.column) + 2)}- "
        start = self.yaml.start(node)
        if node.flow_style:  # the items stand below the key
            while self.yaml.text[start - 1 : start] == " ":
                start -= 1
            self.yaml.edits.append((start, self.yaml.end(node), gap + gap.join(items)))
        else:
            self.yaml.edits.append((start, self.yaml.end(node), "- " + gap.join(items)))

    @staticmethod
    def _day(node: Any) -> str:
        return str(node.value) if isinstance(node, ScalarNode) else dt.date.min.isoformat()

    def _words(self) -> dict[str, Any]:
        """The line without its day, in the order of its neighbours."""
        line = self.line
        found = {"place": line.place, "value": line.value, "basis": line.basis, "cite": line.cite, "ref": line.ref}
        return {k: v for k, v in found.items() if k == "value" or v}

    def _dated(self) -> str:
        return flow({"from": self.line.since, **self._words()}, inside=True)
