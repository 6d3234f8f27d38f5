"""YAML with a place for everything: 1.2 core schema, numbers as Decimal from their text, duplicate keys refused.

`Map` and `Seq` are a dict and a list that remember where each entry stands. `Cursor` takes entries out of a Map with
their types checked and complains about what nobody took.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from siquan.core.errors import SiquanError, Where

MAX_NODES = 300_000


class YamlFault(SiquanError):
    """this is not readable YAML: {why}"""

    code = "SQ011"
    zh = "YAML 读不懂：{why}"
    help_en = "{hint}"
    help_zh = "{hint}"


class DuplicateKey(SiquanError):
    """the key `{key}` stands here twice"""

    code = "SQ012"
    zh = "键 `{key}` 写了两次"


class UnknownKey(SiquanError):
    """`{key}` is not a key of {what}"""

    code = "SQ013"
    zh = "{what} 里没有 `{key}` 这个键"
    help_en = "did you mean {near}?"
    help_zh = "是不是 {near}？"


class WrongShape(SiquanError):
    """`{key}` must be {wanted}, not `{value}`"""

    code = "SQ014"
    zh = "`{key}` 应是{wanted_zh}，不能是 `{value}`"


class MissingKey(SiquanError):
    """{what} needs the key `{key}`"""

    code = "SQ015"
    zh = "{what} 缺少 `{key}`"


class Map(dict[str, Any]):
    """A mapping; `where` is its own place, `at[key]` that of an entry."""

    where: Where
    at: dict[str, Where]


class Seq(list[Any]):
    where: Where
    at: list[Where]


def _hint(text: str) -> str:
    if "\t" in text or "tab" in text:
        return "缩进请用空格，不要用 Tab"
    if "：" in text:
        return "键后面要用半角冒号加一个空格，不是全角的“：”"
    if "expected ',' or" in text or "flow" in text or "<scalar>" in text:
        return "含有 { } , : 的文字要加引号，或另起一行"
    if "mapping values are not allowed" in text:
        return "值里有冒号时要加引号"
    if any(words in text for words in ("found character", "cannot start", "chomping", "expected a comment", "block text")):
        return "以 > | @ % ` 等开头的文字要加引号"
    return "检查缩进、引号和冒号后的空格"


def _scalar(node: ScalarNode) -> Any:
    text: str = node.value
    kind = str(node.tag).rpartition(":")[2]
    if node.style in ("'", '"', "|", ">") or kind == "str":
        return text
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int" and re.fullmatch(r"[-+]?(0|[1-9]\d{0,999})", text):
        return int(text)
    if kind == "float" and re.fullmatch(r"[-+]?\d+\.\d+", text):
        return Decimal(text)
    if kind == "timestamp" and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            return text
    return text  # 007, 12:30, 1e5, 0x1F stay what the writer saw


class _Builder:
    def __init__(self, file: str) -> None:
        self.file, self.count = file, 0

    def where(self, node: Any) -> Where:
        return Where(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def build(self, node: Any, depth: int = 0) -> Any:
        self.count += 1
        if self.count > MAX_NODES or depth > 60:
            raise YamlFault(self.where(node), why="too large or too deep", hint="拆成几个文件；不要用互相引用的锚")
        if isinstance(node, MappingNode):
            out = Map()
            out.where, out.at = self.where(node), {}
            for key_node, value_node in node.value:
                key = self.build(key_node, depth + 1)
                if isinstance(key, dt.date):
                    key = key.isoformat()
                if isinstance(key, Map | Seq):
                    raise YamlFault(self.where(key_node), why="a key must be a word", hint="含有 { } 的文字要加引号")
                key = "true" if key is True else "false" if key is False else "null" if key is None else str(key)
                if key in out:
                    raise DuplicateKey(self.where(key_node), key=key)
                out[key] = self.build(value_node, depth + 1)
                out.at[key] = self.where(key_node)
            return out
        if isinstance(node, SequenceNode):
            seq = Seq()
            seq.where, seq.at = self.where(node), []
            for item in node.value:
                seq.append(self.build(item, depth + 1))
                seq.at.append(self.where(item))
            return seq
        if node.style in ("|", ">") and not node.value.strip():
            raise YamlFault(self.where(node), why="a block text with nothing in it", hint=_hint("block text"))
        return _scalar(node)


def parse_yaml(text: str, file: str) -> Any:
    """The document as Map, Seq or a scalar; None when empty. Raises YamlFault, DuplicateKey with file:line."""
    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(text)
    except MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        where = Where(file, mark.line + 1, mark.column + 1) if mark else Where(file)
        why = " ".join(str(fault.problem or fault.context or fault).split())
        near = "\n".join(text.splitlines()[max(mark.line - 1, 0) : mark.line + 1]) if mark else ""
        raise YamlFault(where, why=why, hint=_hint(near if "\t" in near or "：" in near else why)) from None
    except RecursionError:
        raise YamlFault(Where(file), why="too large or too deep", hint="拆成几个文件") from None
    except Exception as fault:  # the reader refuses control characters with errors of its own
        raise YamlFault(Where(file), why=" ".join(str(fault).split())[:200], hint=_hint("")) from None
    return None if node is None else _Builder(file).build(node)


def read_yaml(path: Path, shown: str = "") -> Any:
    """As `parse_yaml`, from a file; `shown` is the name errors use."""
    name = shown or str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise YamlFault(Where(name), why="not UTF-8", hint="文件请存为 UTF-8 编码") from None
    except OSError as fault:
        raise YamlFault(Where(name), why=str(fault.strerror), hint="文件打不开") from None
    return parse_yaml(text, name)


class Cursor:
    """Takes the entries of a Map one by one; `done()` refuses what is left. `what` names it in messages."""

    def __init__(self, raw: Any, what: str, where: Where | None = None, *, key: str = "") -> None:
        if not isinstance(raw, Map):
            raise WrongShape(where or getattr(raw, "where", None), key=key or what, wanted="a mapping", wanted_zh="一组键和值", value=raw)
        self.raw, self.what, self.where = raw, what, raw.where
        self.taken: set[str] = set()

    def at(self, key: str) -> Where:
        return self.raw.at.get(key, self.where)

    def has(self, key: str) -> bool:
        return key in self.raw

    def rest(self) -> Iterator[tuple[str, Any]]:
        """Entries nobody took yet; taking them as it goes."""
        for key in list(self.raw):
            if key not in self.taken:
                self.taken.add(key)
                yield key, self.raw[key]

    def any(self, key: str, default: Any = None) -> Any:
        self.taken.add(key)
        return self.raw.get(key, default)

    def wrong(self, key: str, wanted: str, wanted_zh: str) -> WrongShape:
        return WrongShape(self.at(key), key=key, wanted=wanted, wanted_zh=wanted_zh, value=str(self.raw.get(key))[:60])

    def text(self, key: str, default: str = "", *, need: bool = False) -> str:
        value = self.any(key)
        if value is None:
            if need:
                raise MissingKey(self.where, what=self.what, key=key)
            return default
        if isinstance(value, Map | Seq):
            help = "含有 { } 的文字要加引号" if isinstance(value, Map) else ""
            fault = self.wrong(key, "text", "文字")
            fault.values["help"] = help
            raise fault
        return "true" if value is True else "false" if value is False else str(value)

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.any(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false", " true 或 false（不要写 yes/no、是/否）")
        return value

    def number(self, key: str) -> Any:
        value = self.any(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | Decimal)):
            raise self.wrong(key, "a number", "数字")
        return value

    def words(self, key: str) -> tuple[str, ...]:
        """A word or a list of words."""
        value = self.any(key)
        if value is None or value == "":
            return ()
        items = value if isinstance(value, list) else [value]
        if any(isinstance(i, Map | Seq) for i in items):
            raise self.wrong(key, "a word or a list of words", "一个词或一列词")
        return tuple(str(i) for i in items)

    def map(self, key: str) -> Map:
        value = self.any(key)
        if value is None:
            empty = Map()
            empty.where, empty.at = self.at(key), {}
            return empty
        if not isinstance(value, Map):
            raise self.wrong(key, "a mapping", "一组键和值")
        return value

    def list(self, key: str) -> Seq:
        value = self.any(key)
        if value is None:
            empty = Seq()
            empty.where, empty.at = self.at(key), []
            return empty
        if not isinstance(value, Seq):
            raise self.wrong(key, "a list", "列表")
        return value

    def table(self, key: str) -> dict[str, str]:
        """A mapping of words to words."""
        found = self.map(key)
        for name, value in found.items():
            if isinstance(value, Map | Seq):
                raise WrongShape(found.at[name], key=name, wanted="text", wanted_zh="文字", value=str(value)[:60], help="含有 { } 的文字要加引号")
        return {k: "" if v is None else str(v) for k, v in found.items()}

    def choice(self, key: str, allowed: Iterable[str], default: str) -> str:
        value = self.text(key, default)
        options = list(allowed)
        if value not in options:
            raise self.wrong(key, "one of " + ", ".join(options), "以下之一：" + "、".join(options))
        return value

    def done(self, known: Iterable[str] = ()) -> None:
        for key in self.raw:
            if key not in self.taken:
                near = difflib.get_close_matches(key, [*self.taken, *known], n=3)
                raise UnknownKey(
                    self.at(key), key=key, what=self.what, near="、".join(f"`{n}`" for n in near), help="" if near else " "
                )
