"""XML from outside, read safely: no document types, no entities, no network, limits on size, depth and number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from siquan.core.errors import SiquanError, Where

MOST_BYTES = 20_000_000
MOST_ELEMENTS = 500_000
DEEPEST = 100  # elements within elements; what is made of them is walked recursively


class NotXml(SiquanError):
    """the file is no well-formed XML: {why}"""

    code = "SQ130"
    zh = "文件不是完好的 XML：{why}"
    help_en = "export the model once more from the tool that made it"
    help_zh = "请在建模工具里重新导出一次"


class UnsafeXml(SiquanError):
    """the file holds {what}, which a decision model never needs"""

    code = "SQ131"
    zh = "文件里有{what_zh}，决策模型用不到，不予读取"
    help_en = "remove the <!DOCTYPE ...> part and save the file again"
    help_zh = "删去 <!DOCTYPE ...> 一段后再试"


class TooMuchXml(SiquanError):
    """the file has more than {limit} {what}"""

    code = "SQ132"
    zh = "文件超过 {limit} {what_zh}"


@dataclass
class Element:
    """`tag` without its namespace, which stands in `space`; `line` counts from 1."""

    tag: str
    space: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def get(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, default)

    def all(self, *tags: str) -> Iterator[Element]:
        """Direct children of these names, of the element's own namespace."""
        return (c for c in self.children if c.tag in tags and c.space == self.space)

    def one(self, *tags: str) -> Element | None:
        return next(self.all(*tags), None)

    def words(self, tag: str) -> str:
        """The text of a child, blanks around it removed; empty when there is none."""
        found = self.one(tag)
        return found.text.strip() if found is not None else ""


class _Builder:
    def __init__(self, file: str) -> None:
        self.file, self.count = file, 0
        self.root: Element | None = None
        self.open: list[Element] = []
        self.texts: list[list[str]] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.words
        self.parser.StartDoctypeDeclHandler = self.document_type
        self.parser.EntityDeclHandler = self.entity
        self.parser.ExternalEntityRefHandler = self.entity

    @property
    def where(self) -> Where:
        return Where(self.file, self.parser.CurrentLineNumber)

    def document_type(self, *args: object) -> None:
        raise UnsafeXml(self.where, what="a document type", what_zh="文档类型声明（DOCTYPE）")

    def entity(self, *args: object) -> int:
        raise UnsafeXml(self.where, what="an entity", what_zh="实体声明")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if self.count > MOST_ELEMENTS:
            raise TooMuchXml(self.where, limit=MOST_ELEMENTS, what="elements", what_zh="个元素")
        if len(self.open) >= DEEPEST:
            raise TooMuchXml(self.where, limit=DEEPEST, what="levels of elements", what_zh="层嵌套")
        space, _, tag = name.rpartition(" ")
        element = Element(tag, space, dict(attributes), self.parser.CurrentLineNumber)
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)
        self.texts.append([])

    def words(self, text: str) -> None:
        self.texts[-1].append(text)

    def end(self, name: str) -> None:
        self.open.pop().text = "".join(self.texts.pop())


def read_xml(data: bytes, file: str = "") -> Element:
    """The root element. Raises NotXml, UnsafeXml, TooMuchXml with file and line."""
    if len(data) > MOST_BYTES:
        raise TooMuchXml(Where(file), limit=MOST_BYTES // 1_000_000, what="megabytes", what_zh="MB")
    builder = _Builder(file)
    try:
        builder.parser.Parse(data, True)
    except expat.ExpatError as fault:
        why = expat.ErrorString(fault.code) or "XML"
        raise NotXml(Where(file, fault.lineno), why=why) from None
    except (LookupError, ValueError):  # an encoding nobody knows
        raise NotXml(Where(file, 1), why="unknown encoding") from None
    assert builder.root is not None
    return builder.root
