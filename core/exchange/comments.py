"""The remarks people leave on cells: notes (ECMA-376 part 1, 18.7) and the threads newer programs write beside them."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Callable

from siquan.core.sheets.archive import part
from siquan.core.sheets.workbook import Sheet, Workbook, _pump, unescape

#: remarks of a sheet that are kept, and characters of one
MOST, LONGEST = 2_000, 5_000


def read_comments(book: Workbook, sheet: Sheet) -> dict[str, str]:
    """Cell reference (`C5`) -> text. A thread stands for the note that a newer program writes beside it."""
    folder, name = posixpath.split(sheet.path)
    related = book._relations(folder, name).values()
    out: dict[str, str] = {}
    for kind, path in sorted(related):  # comments, then threadedComment
        if kind == "comments":
            out.update(_notes(book._archive, path))
        elif kind == "threadedComment":
            out.update(_threads(book._archive, path))
    return out


def _notes(archive: zipfile.ZipFile, path: str) -> dict[str, str]:
    """Notes, without the author's name that Excel puts before the text."""
    authors: list[str] = []
    found: dict[str, tuple[str, str]] = {}

    def take(tag: str, attrs: dict[str, str], text: str) -> None:
        if tag == "author":
            authors.append(text)
        elif tag == "comment" and len(found) < MOST:
            found[attrs.get("ref", "")] = (attrs.get("authorId", ""), text)

    _texts(archive, path, ("author", "comment"), take)
    out = {}
    for ref, (number, text) in found.items():
        author = authors[int(number)] if number.isdigit() and int(number) < len(authors) else ""
        head = next((author + mark for mark in (":\n", "：\n") if author and text.startswith(author + mark)), "")
        out[ref] = _tidy(text[len(head) :])
    return {ref: text for ref, text in out.items() if text}


def _threads(archive: zipfile.ZipFile, path: str) -> dict[str, str]:
    """Threads: the remark and its answers, one a paragraph."""
    found: dict[str, list[str]] = {}

    def take(tag: str, attrs: dict[str, str], text: str) -> None:
        if text.strip() and len(found) < MOST:
            found.setdefault(attrs.get("ref", ""), []).append(text)

    _texts(archive, path, ("threadedComment",), take)
    return {ref: _tidy("\n".join(texts)) for ref, texts in found.items()}


def _tidy(text: str) -> str:
    clean = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in clean if c in "\n\t" or not ("\x00" <= c < " " or "\ud800" <= c <= "\udfff")).strip()[:LONGEST]


def _texts(archive: zipfile.ZipFile, path: str, wanted: tuple[str, ...], take: Callable[[str, dict[str, str], str], None]) -> None:
    """Call `take(element, attributes, its text)` for the elements of these names."""
    source = part(archive, path)
    if source is None:
        return
    now: list[str] = []
    attributes: dict[str, str] = {}
    inside = phonetic = False

    def start(tag: str, attrs: dict[str, str]) -> None:
        nonlocal inside, phonetic, attributes
        tag = tag.rpartition(":")[2]
        if tag in wanted:
            inside, attributes = True, attrs
            now.clear()
        phonetic = phonetic or tag == "rPh"

    def end(tag: str) -> None:
        nonlocal inside, phonetic
        tag = tag.rpartition(":")[2]
        if tag in wanted:
            inside = False
            take(tag, attributes, unescape("".join(now)))
        phonetic = phonetic and tag != "rPh"

    def chars(text: str) -> None:
        if inside and not phonetic:
            now.append(text)

    for _ in _pump(source, start, end, chars):
        pass
