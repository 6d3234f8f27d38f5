"""Text to tokens. Names are not decided here: a name may hold spaces and signs, and only the scope knows which."""

from __future__ import annotations

import re
from typing import NamedTuple

from siquan.core.errors import SiquanError


class FeelFault(SiquanError):
    """`{text}` is not a FEEL expression: unexpected `{found}` at character {at}"""

    code = "SQ134"
    zh = "`{text}` 不是 FEEL 表达式：第 {at} 个字符处的 `{found}` 不合语法"
    help_en = "when the model is run this expression gives null, as the standard has it"
    help_zh = "按 DMN 标准，运行模型时这个表达式得 null"


class Token(NamedTuple):
    """`kind` is word, number, string, sign or end; `spaced` says whether white space stands before it."""

    kind: str
    text: str
    start: int
    end: int
    spaced: bool


#: grammar rules 28 and 29 of the standard: what a name may start with, and what may follow
_START = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u167f\u1681-\u180d\u180f-\u1fff\u200c-\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff00-\ufffd\U00010000-\U000effff"
)
_PART = _START + "0-9\u00b7\u0300-\u036f\u203f-\u2040"
_SPACE = "\\s\u0085\u00a0\u1680\u180e\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
_TOKEN = re.compile(
    rf"""(?P<space>(?:[{_SPACE}]+|//[^\n]*|/\*.*?\*/)+)
    |(?P<word>[{_START}][{_PART}]*)
    |(?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<string>"(?:\\.|[^"\\])*")
    |(?P<sign>\*\*|\.\.|<=|>=|!=|->|.)""",
    re.VERBOSE | re.DOTALL,
)
LONGEST = 100_000  # characters of one expression


def tokens(text: str) -> list[Token]:
    """All tokens of an expression, an `end` last. Raises FeelFault for an expression that is too long."""
    if len(text) > LONGEST:
        raise FeelFault(text=text[:40] + "…", found="…", at=LONGEST)
    out: list[Token] = []
    spaced = False
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or ""
        if kind == "space":
            spaced = True
            continue
        out.append(Token(kind, found.group(), found.start(), found.end(), spaced))
        spaced = False
    out.append(Token("end", "", len(text), len(text), spaced))
    return out


_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{6})|(.))", re.DOTALL)
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}


def unquoted(literal: str) -> str:
    r"""The text of a string literal: escapes \n \r \t \" \' \\ \uXXXX \UXXXXXX; anything else stands for itself."""

    def plain(found: re.Match[str]) -> str:
        code = found.group(1) or found.group(2)
        if code:
            value = int(code, 16)
            return chr(value) if value <= 0x10FFFF else "\ufffd"
        return _PLAIN.get(found.group(3), found.group())

    text = _ESCAPE.sub(plain, literal[1:-1])
    # two halves written as \uD83D\uDC0E are one character
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
