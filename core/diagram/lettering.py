"""How wide words are, where they break, and how they are written into SVG.

A server has no fonts, so widths are estimates: a Han character is one em, others are by kind. They are a
little generous, so that what fits here fits in every font of the theme.
"""

from __future__ import annotations

import unicodedata
from html import escape

_NARROW = set("iljtf.,:;|!'`()[]1 ")
_WIDE = set("mwMW@%")
_OPENING = set("（《「『“‘([{")
_CLOSING = set("，。、；：！？）》」』”’,.;:!?)]}…")


def em(char: str) -> float:
    """Width of one character in em."""
    if unicodedata.east_asian_width(char) in "WF" or ord(char) >= 0x2E80:
        return 1.0
    if char in _NARROW:
        return 0.36
    if char in _WIDE:
        return 0.86
    return 0.64 if char.isupper() else 0.57


def width(text: str, size: float) -> float:
    """Estimated width of `text` in pixels at `size` pixels."""
    return sum(em(c) for c in text) * size


def shorten(text: str, size: float, room: float) -> str:
    """`text` cut to `room` pixels, with an ellipsis when something had to go."""
    if width(text, size) <= room:
        return text
    room -= size
    kept = ""
    for char in text:
        if width(kept + char, size) > room:
            break
        kept += char
    return kept.rstrip(" ，、·") + "…"


def _pieces(text: str) -> list[str]:
    """Where a line may break: between Han characters, after a blank, not before closing or after opening
    marks."""
    out: list[str] = []
    for char in text:
        han = em(char) == 1.0
        last = out[-1][-1] if out else ""
        inside = not han and last != " " and bool(last) and em(last) != 1.0  # a word, a number
        if last and (inside or char in _CLOSING or last in _OPENING):
            out[-1] += char
        else:
            out.append(char)
    return out


def _fill(text: str, size: float, room: float) -> list[str]:
    out = [""]
    for piece in _pieces(text):
        if out[-1].strip() and width((out[-1] + piece).rstrip(), size) > room:
            out.append("")
        out[-1] += piece
    return [line.strip() for line in out if line.strip()]


def lines(text: str, size: float, room: float, most: int = 2) -> list[str]:
    """`text` in at most `most` lines of `room` pixels, of about even length; the last one is shortened."""
    if not text:
        return []
    broken = _fill(text, size, room)
    if len(broken) > most:
        rest = broken[most - 1 :]
        return [*broken[: most - 1], shorten("".join(rest), size, room)]
    even = room
    while len(broken) > 1 and even > size * 2:  # balance: no single character on the last line
        even -= size / 2
        tried = _fill(text, size, even)
        if len(tried) > len(broken) or any(width(t, size) > room for t in tried):
            break
        broken = tried
    return [shorten(line, size, room) for line in broken]


def number(value: float) -> str:
    """A coordinate as SVG wants it: at most one decimal, no trailing zero."""
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


def words(text: str) -> str:
    """Text made safe for SVG content and attributes."""
    return escape(text, quote=True)


def text(
    x: float, y: float, content: str, size: float, classes: str = "", anchor: str = "middle", halo: str = ""
) -> str:
    """One `<text>`; `halo` is a colour token drawn behind the letters."""
    out = f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}"'
    if anchor != "start":
        out += f' text-anchor="{anchor}"'
    if classes:
        out += f' class="{classes}"'
    if halo:
        out += f' stroke="var({halo})" stroke-width="4" stroke-linejoin="round" paint-order="stroke"'
    return f"{out}>{words(content)}</text>"
