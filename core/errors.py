"""Errors a person can cause. The docstring is the English message, `zh` the Chinese one; both take named values.

House style: one sentence, lower case, user input in backticks, file:line where there is a file, a `help` line
that says what to do, and a stable code. Modules that need an error subclass `SiquanError` beside their noun.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Where:
    """A place in a file: `line` and `column` count from 1; 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class SiquanError(Exception):
    """something went wrong"""

    code: ClassVar[str] = "SQ000"
    zh: ClassVar[str] = "出错了"
    help_en: ClassVar[str] = ""
    help_zh: ClassVar[str] = ""
    #: 1 refused by a rule or check, 2 wrong usage or broken input (design part 9).
    exit: ClassVar[int] = 2
    #: what the web answers with.
    http: ClassVar[int] = 400

    def __init__(self, where: Where | None = None, **values: Any) -> None:
        self.where = where
        self.values = values
        super().__init__(self.text("en"))

    def _fill(self, template: str) -> str:
        try:
            return template.format_map(self.values)
        except (KeyError, IndexError, ValueError):
            return template

    def text(self, lang: str = "zh") -> str:
        """The message alone, one sentence."""
        return self._fill(self.zh if lang.startswith("zh") else " ".join((self.__doc__ or "").split()))

    def help(self, lang: str = "zh") -> str:
        """What to do about it; empty when the message says it all."""
        own = self.values.get("help")
        return str(own) if own else self._fill(self.help_zh if lang.startswith("zh") else self.help_en)

    def full(self, lang: str = "zh") -> str:
        """`file:line: code: message` and a help line, as the command line prints it."""
        head = f"{self.where}: " if self.where else ""
        tail = self.help(lang).strip()
        return f"{head}{self.code}: {self.text(lang)}" + (f"\n  help: {tail}" if tail else "")

    def to_json(self, lang: str = "zh") -> dict[str, Any]:
        return {
            "error": self.code,
            "message": self.text(lang),
            "help": self.help(lang),
            "file": self.where.file if self.where else None,
            "line": self.where.line if self.where else None,
        }


class Errors(SiquanError):
    """{count} problems found"""

    code = "SQ001"
    zh = "共有 {count} 处问题"

    def __init__(self, errors: list[SiquanError]) -> None:
        self.errors = errors
        super().__init__(count=len(errors))
        self.where = errors[0].where if errors else None

    def __iter__(self) -> Iterator[SiquanError]:
        return iter(self.errors)

    def full(self, lang: str = "zh") -> str:
        return "\n".join(e.full(lang) for e in self.errors)

    def to_json(self, lang: str = "zh") -> dict[str, Any]:
        return {**super().to_json(lang), "errors": [e.to_json(lang) for e in self.errors]}


class NotFound(SiquanError):
    """there is no {kind} `{name}`"""

    code = "SQ404"
    zh = "没有这个{kind}：`{name}`"
    http = 404


class NoAccess(SiquanError):
    """you may not do this: {why}"""

    code = "SQ403"
    zh = "不能这样做：{why}"
    exit = 1
    http = 403


class Stale(SiquanError):
    """the case moved on from revision {seen} to {now} while you worked"""

    code = "SQ409"
    zh = "这件事在你填写期间已从修订 {seen} 变为修订 {now}"
    help_en = "look at what changed, then send your form again"
    help_zh = "先看改动，再提交一次；你填的内容还在"
    exit = 1
    http = 409


class Refused(SiquanError):
    """the step is refused: {why}"""

    code = "SQ410"
    zh = "这一步暂不能办：{why}"
    exit = 1
    http = 422


class BadInput(SiquanError):
    """the input cannot be used: {why}"""

    code = "SQ422"
    zh = "输入有误：{why}"
    http = 422
