"""Regular expressions of XPath 2.0, which FEEL uses, as those of Python."""

from __future__ import annotations

import functools
import re
import sys
import unicodedata

_INITIAL = r"A-Za-z_:\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff"
_NAME = _INITIAL + r"0-9.\-\u00b7\u0300-\u036f\u203f\u2040"
#: blocks of Unicode that are asked for by name; the others are refused
_BLOCKS = {
    "BasicLatin": (0, 0x7F), "Latin-1Supplement": (0x80, 0xFF), "LatinExtended-A": (0x100, 0x17F), "LatinExtended-B": (0x180, 0x24F),
    "Greek": (0x370, 0x3FF), "GreekandCoptic": (0x370, 0x3FF), "Cyrillic": (0x400, 0x4FF), "Hebrew": (0x590, 0x5FF),
    "Arabic": (0x600, 0x6FF), "Hiragana": (0x3040, 0x309F), "Katakana": (0x30A0, 0x30FF),
    "CJKUnifiedIdeographs": (0x4E00, 0x9FFF), "HangulSyllables": (0xAC00, 0xD7A3), "CJKSymbolsandPunctuation": (0x3000, 0x303F),
}  # fmt: skip
#: characters of one pattern
LONGEST = 1_000


class _Bad(Exception):
    """Not a pattern."""


@functools.cache
def _category(name: str) -> str:
    """The characters of a Unicode category or block, as the inside of a character class."""
    if name.startswith("Is"):
        if name[2:] not in _BLOCKS:
            raise _Bad
        low, high = _BLOCKS[name[2:]]
        return f"\\U{low:08x}-\\U{high:08x}"
    spans: list[str] = []
    start = None
    for code in range(sys.maxunicode + 2):
        inside = code <= sys.maxunicode and unicodedata.category(chr(code)).startswith(name)
        if inside and start is None:
            start = code
        elif not inside and start is not None:
            spans.append(f"\\U{start:08x}-\\U{code - 1:08x}")
            start = None
    if not spans:
        raise _Bad
    return "".join(spans)


class _Reader:
    def __init__(self, text: str, lines: bool) -> None:
        self.text, self.at, self.lines = text, 0, lines
        self.groups = 0

    def escape(self) -> tuple[str, bool]:
        r"""What follows a backslash, as the inside of a class, and whether it is the complement: `\P{L}`, `\I`, `\C`."""
        mark = self.text[self.at : self.at + 1]
        self.at += 1
        if mark in ("p", "P"):
            found = re.compile(r"\{([A-Za-z][\w-]*)\}").match(self.text, self.at)
            if not found:
                raise _Bad
            self.at = found.end()
            return _category(found.group(1)), mark == "P"
        if mark in ("i", "I", "c", "C"):
            return (_INITIAL if mark in "iI" else _NAME), mark.isupper()
        if mark in ("d", "D", "s", "S", "w", "W", "n", "r", "t") or (mark and mark in r"\|.?*+(){}[]-^$"):
            return "\\" + mark, False
        raise _Bad

    def group(self) -> str:
        r"""A character class, from after `[`; `[a-z-[aeiou]]` takes the second from the first."""
        negative = self.text.startswith("^", self.at)
        self.at += negative
        inside, others, less = "", [], ""
        while not self.text.startswith("]", self.at):
            if self.at >= len(self.text):
                raise _Bad
            mark = self.text[self.at]
            self.at += 1
            if mark == "\\":
                found, complement = self.escape()
                if complement:
                    others.append(f"[^{found}]")
                else:
                    inside += found
            elif mark == "-" and self.text.startswith("[", self.at):
                self.at += 1
                less = self.group()
                break
            elif mark == "[":
                raise _Bad
            else:
                inside += "\\" + mark if mark in "&~|" or (mark == "-" and inside[-1:] == "-") else mark
        if not self.text.startswith("]", self.at) or not (inside or others):
            raise _Bad
        self.at += 1
        own = "|".join([*([f"[{inside}]"] if inside else []), *others])
        own = f"(?:(?!{own})[\\s\\S])" if negative and others else f"[^{inside}]" if negative else f"(?:{own})"
        return f"(?:(?!{less}){own})" if less else own

    def read(self) -> str:
        out = ""
        while self.at < len(self.text):
            mark = self.text[self.at]
            self.at += 1
            if mark == "\\":
                digit = re.compile(r"[1-9]").match(self.text, self.at)
                if digit:
                    if int(digit.group()) > self.groups:
                        raise _Bad
                    self.at += 1
                    out += f"(?:\\{digit.group()})"
                    continue
                found, complement = self.escape()
                out += f"[^{found}]" if complement else found if len(found) == 2 else f"[{found}]"
            elif mark == "[":
                out += self.group()
            elif mark == "(":
                if self.text.startswith("?", self.at) and not self.text.startswith("?:", self.at):
                    raise _Bad
                self.groups += not self.text.startswith("?", self.at)
                out += mark
            elif mark in "]}" or (mark == "{" and not re.compile(r"\d+(,\d*)?\}").match(self.text, self.at)):
                raise _Bad
            elif mark == "{":
                end = self.text.index("}", self.at) + 1
                out += mark + self.text[self.at : end]
                self.at = end
            elif mark == "+" and out[-1:] in "*+?}" and not out[-2:-1] == "\\":
                raise _Bad  # possessive in Python, nothing in XPath
            else:
                out += r"\Z" if mark == "$" and not self.lines else mark
        return out


def _unspaced(pattern: str) -> str:
    """Without white space, as the flag x has it: everywhere but in a character class, even behind a backslash."""
    return re.sub(r"(\[[^\]]*\])|\s+", lambda found: found.group(1) or "", pattern)


@functools.lru_cache(1000)
def compiled(pattern: str, flags: str = "") -> re.Pattern[str] | None:
    """The pattern, or None when it or its flags (s m i x q) are none of XPath's."""
    if not set(flags) <= set("smixq") or len(pattern) > LONGEST:
        return None
    bits = re.IGNORECASE if "i" in flags else re.NOFLAG
    try:
        if "q" in flags:
            return re.compile(re.escape(pattern), bits)
        bits |= (re.DOTALL if "s" in flags else re.NOFLAG) | (re.MULTILINE if "m" in flags else re.NOFLAG)
        return re.compile(_Reader(_unspaced(pattern) if "x" in flags else pattern, "m" in flags).read(), bits)
    except (_Bad, re.error, OverflowError, RecursionError):
        return None


def template(text: str, groups: int) -> list[str | int] | None:
    r"""The parts of a replacement: words, and numbers of groups for `$1`; `\$` and `\\` stand for themselves."""
    out: list[str | int] = []
    at = 0
    while at < len(text):
        mark = text[at]
        if mark == "\\":
            if text[at + 1 : at + 2] not in ("\\", "$"):
                return None
            out.append(text[at + 1])
            at += 2
        elif mark == "$":
            digits = re.compile(r"[0-9]+").match(text, at + 1)
            if not digits:
                return None
            number = digits.group()
            while len(number) > 1 and int(number) > groups:
                number = number[:-1]
            out.append(int(number) if int(number) <= groups else "")
            at += 1 + len(number)
        else:
            out.append(mark)
            at += 1
    return out
