"""YAML text that is changed where it changes and nowhere else: comments, order, quotes and blank lines stay byte for byte.

ruamel.yaml says where every node stands; an edit replaces a stretch of the text. Edits are collected and made together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from siquan.core.exchange.scalars import flow, quoted, scalar


class YamlText:
    """A text and the edits made to it. The text has to be good YAML: it was read by `spec.source` before."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.edits: list[tuple[int, int, str]] = []
        self.cuts: dict[int, tuple[Any, set[int]]] = {}  # what is taken out of which mapping or sequence
        try:
            self.root: Node | None = YAML(typ="safe", pure=True).compose(text)
        except YAMLError:
            self.root = None

    def done(self) -> str:
        """The text with all edits; those at one place in the order they were asked for."""
        out, last = [], 0
        cuts = [(*cut, "") for node, numbers in self.cuts.values() for cut in self._cuts(node, numbers)]
        for start, end, new in sorted([*self.edits, *cuts], key=lambda e: (e[0], e[1])):
            out += [self.text[last:start], new]
            last = max(last, end)
        return "".join([*out, self.text[last:]])

    # where things stand

    def start(self, node: Node) -> int:
        return int(node.start_mark.index)

    def end(self, node: Node) -> int:
        """Behind the last character of what the node says; comments and blank lines after it are not part of it."""
        if isinstance(node, ScalarNode):
            end = int(node.end_mark.index)
            if node.style in ("|", ">"):  # reaches to whatever comes next
                text = self.text[self.start(node) : end]
                lines = text.split("\n")
                indent = min((len(x) - len(x.lstrip()) for x in lines[1:] if x.strip()), default=0)
                while len(lines) > 1 and (not lines[-1].strip() or len(lines[-1]) - len(lines[-1].lstrip()) < indent):
                    lines.pop()
                return self.start(node) + len("\n".join(lines).rstrip("\r"))
            return end
        if not isinstance(node, MappingNode | SequenceNode) or node.flow_style or not node.value:
            return int(node.end_mark.index)
        last = node.value[-1]
        return self.end(last[1] if isinstance(last, tuple) else last)

    def line(self, at: int) -> int:
        """Where the line of this place begins."""
        return self.text.rfind("\n", 0, at) + 1

    def after_line(self, at: int) -> int:
        """Where the line of this place ends, before its line break."""
        end = self.text.find("\n", at)
        end = len(self.text) if end < 0 else end
        return end - 1 if self.text[end - 1 : end] == "\r" else end

    def source(self, node: Node) -> str:
        return self.text[self.start(node) : self.end(node)]

    # entries of a mapping

    def replace(self, node: Node, new: str) -> None:
        """Another value in the place of a node. An empty value stands right behind its colon."""
        gap = " " if self.start(node) == int(node.end_mark.index) else ""
        self.edits.append((self.start(node), self.end(node), gap + new))

    def add(self, mapping: MappingNode, after: Node | None, key: str, value: str) -> None:
        """A new entry behind the one whose key is `after` (None: the last)."""
        text = f"{key}:{value}" if value.startswith(self.newline) else f"{key}: {value}"
        entries = mapping.value
        previous = next((v for k, v in entries if k is after), entries[-1][1] if entries else None)
        if mapping.flow_style or previous is None:
            at = self.end(previous) if previous is not None else self.start(mapping) + 1
            self.edits.append((at, at, f"{', ' if previous is not None else ''}{text}"))
            return
        at = self.after_line(self.end(previous))
        self.edits.append((at, at, f"{self.newline}{' ' * self.column(mapping)}{text}"))

    def remove(self, mapping: MappingNode, key: Node) -> None:
        """Takes an entry out, with a comment on its line."""
        self._cut(mapping, next(n for n, (k, _) in enumerate(mapping.value) if k is key))

    def _cut(self, node: MappingNode | SequenceNode, number: int) -> None:
        self.cuts.setdefault(id(node), (node, set()))[1].add(number)

    def _cuts(self, node: MappingNode | SequenceNode, numbers: set[int]) -> Iterator[tuple[int, int]]:
        """Whole lines of a block; between braces each entry with the comma before it, or after it where none is left before."""
        spans = [x if isinstance(x, tuple) else (x, x) for x in node.value]
        for n in sorted(numbers):
            first, last = spans[n]
            if not node.flow_style:
                yield self.line(self.start(first)), min(self.after_line(self.end(last)) + len(self.newline), len(self.text))
            elif any(m not in numbers for m in range(n)):
                yield self.end(spans[n - 1][1]), self.end(last)
            else:
                yield self.start(first), self.start(spans[n + 1][0]) if n + 1 < len(spans) else self.end(last)

    def column(self, node: Node) -> int:
        """Blanks before the entries of a block."""
        first = node.value[0][0] if isinstance(node, MappingNode) else node
        return int(first.start_mark.column)

    # items of a sequence

    def dash(self, sequence: SequenceNode) -> int:
        """Blanks before the dashes of a block sequence."""
        item = sequence.value[0]
        line = self.text[self.line(self.start(item)) : self.start(item)]
        return len(line) - len(line.lstrip())

    def item(self, sequence: SequenceNode, number: int) -> str:
        """The lines of an item with its dash, or of a flow sequence the item itself; no line break behind it."""
        node = sequence.value[number]
        if sequence.flow_style:
            return self.source(node)
        return self.text[self.line(self.start(node)) : self.after_line(self.end(node))]

    def add_items(self, sequence: SequenceNode, after: int, items: list[str]) -> None:
        """Items (as `item` gives them) behind the item of that number; -1 puts them first."""
        if sequence.flow_style:
            at = self.end(sequence.value[after]) if after >= 0 else self.start(sequence) + 1
            text = "".join(f", {i}" for i in items) if after >= 0 else "".join(f"{i}, " for i in items)
            self.edits.append((at, at, text if after >= 0 or sequence.value else text.removesuffix(", ")))
        elif after >= 0:
            at = self.after_line(self.end(sequence.value[after]))
            self.edits.append((at, at, "".join(self.newline + i for i in items)))
        else:
            at = self.line(self.start(sequence.value[0]))
            self.edits.append((at, at, "".join(i + self.newline for i in items)))

    def remove_item(self, sequence: SequenceNode, number: int) -> None:
        self._cut(sequence, number)


def entry(mapping: Any, key: str) -> tuple[Node, Node] | None:
    """Key and value node of an entry; None when there is none."""
    if not isinstance(mapping, MappingNode):
        return None
    return next(((k, v) for k, v in mapping.value if isinstance(k, ScalarNode) and k.value == key), None)


def inside_flow(root: Node | None, node: Node) -> bool:
    """Whether the node stands between braces or brackets, where nothing can be written in blocks."""
    todo: list[tuple[Node | None, bool]] = [(root, False)]
    while todo:
        here, flowing = todo.pop()
        if here is node:
            return flowing
        if isinstance(here, MappingNode | SequenceNode):
            flowing = flowing or bool(here.flow_style)
            todo += [(x, flowing) for child in here.value for x in (child if isinstance(child, tuple) else (child,))]
    return False


def like(node: Node | None, value: Any, inside: bool) -> str:
    """A value written the way the node is: quoted where that is quoted."""
    style = node.style if isinstance(node, ScalarNode) else None
    if isinstance(value, str) and style == '"':
        return quoted(value)
    if isinstance(value, str) and style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return flow(value, inside=inside) if isinstance(value, dict | list | tuple) else scalar(value, inside=inside)
