"""The cells of a workbook, streamed. A cell is str, int, Decimal, bool, date, or Odd for what is no value.

Written after ECMA-376 part 1, sections 18.3 (sheets), 18.4 (shared strings) and 18.8 (number formats).
"""

from __future__ import annotations

import datetime as dt
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any
from xml.parsers import expat

from siquan.core.sheets.archive import Damaged, opened, part

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384


@dataclass(frozen=True, slots=True)
class Odd:
    """A cell that holds no usable value: a formula, an error, a time of day, a percentage, a number too long for
    Excel, a date outside Excel's calendar."""

    kind: str
    shown: str


Cell = str | int | Decimal | bool | dt.date | Odd
Row = list[tuple[int, Cell]]  # (column from 1, value), blanks left out

# number formats


#: built-in formats, the Chinese ones included (18.8.30)
_DATES = {14, 15, 16, 17, 22, *range(27, 32), 36, *range(50, 55), 57, 58}
_TIMES = {18, 19, 20, 21, *range(32, 36), 45, 46, 47, 55, 56}
_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')


def kind_of_format(number: int, code: str) -> str:
    """`date`, `time`, `percent`, zeros such as `000` for a padded number, or empty for a plain number."""
    if not code:
        return (
            "date"
            if number in _DATES
            else "time"
            if number in _TIMES
            else "percent"
            if number in (9, 10)
            else ""
        )
    bare = _QUOTED.sub("", code).split(";")[0].strip().lower()
    if re.fullmatch("0{2,}", bare):
        return bare
    if "general" in bare:
        return ""
    if re.search(r"\[[hms]+\]", code.lower()):  # elapsed time
        return "time"
    if "y" in bare or "d" in bare or ("m" in bare and "h" not in bare and "s" not in bare):
        return "date"
    if "h" in bare or "s" in bare:
        return "time"
    return "percent" if "%" in bare else ""


def serial_date(serial: float, epoch_1904: bool) -> dt.date | None:
    """The day of Excel's serial number; None before day 1 (a mere time) or after year 9999. Excel counts a
    29 February 1900 that never was, so days before it lie one lower."""
    day = int(serial)
    if day < (0 if epoch_1904 else 1):
        return None
    start = (
        dt.date(1904, 1, 1) if epoch_1904 else dt.date(1899, 12, 31) if day < 60 else dt.date(1899, 12, 30)
    )
    try:
        return start + dt.timedelta(days=day)
    except OverflowError:
        return None


_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def unescape(text: str) -> str:
    """`_x000D_` and the like back to characters (22.9.2.19)."""
    return _ESCAPED.sub(lambda m: chr(int(m.group(1), 16)), text) if "_x" in text else text


# XML


Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Chars = Callable[[str], None]


def _pump(
    source: Iterator[bytes], start: Start, end: End | None = None, chars: Chars | None = None
) -> Iterator[None]:
    """Feed a part to the handlers; yields after every chunk. A document type, where entities are declared, is refused."""

    def doctype(*_: Any) -> None:
        raise Damaged

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 1 << 16
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = start
    if end is not None:
        parser.EndElementHandler = end
    if chars is not None:
        parser.CharacterDataHandler = chars
    for piece in chain(source, (b"",)):
        try:
            parser.Parse(piece, not piece)
        except (expat.ExpatError, ValueError, IndexError, OverflowError):  # bad XML, or numbers that are none
            raise Damaged from None
        yield


def _elements(source: Iterator[bytes] | None, take: Start) -> None:
    """Call `take(local name, attributes)` for every element of a part."""
    if source is not None:
        for _ in _pump(source, lambda tag, attrs: take(tag.rpartition(":")[2], attrs)):
            pass


def _attribute(attrs: dict[str, str], local: str) -> str:
    """An attribute whatever its prefix."""
    return next(
        (v for k, v in attrs.items() if k.rpartition(":")[2] == local and ":" in k), attrs.get(local, "")
    )


@dataclass(frozen=True, slots=True)
class Sheet:
    title: str
    path: str
    hidden: bool


class Workbook:
    """An open workbook. Raises Damaged; `open_workbook` makes that NotWorkbook."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._formats: list[str] = []
        self._strings: list[str] = []
        self._strings_path = ""
        self._1904 = False
        self.sheets: list[Sheet] = []
        self._open()

    def _relations(self, folder: str, name: str) -> dict[str, tuple[str, str]]:
        """{id: (kind, path)} of a part."""
        out: dict[str, tuple[str, str]] = {}

        def take(tag: str, attrs: dict[str, str]) -> None:
            if tag == "Relationship" and attrs.get("TargetMode") != "External":
                path = posixpath.normpath(posixpath.join("/" + folder, attrs.get("Target", ""))).lstrip("/")
                out[attrs.get("Id", "")] = (attrs.get("Type", "").rpartition("/")[2], path)

        _elements(part(self._archive, posixpath.join(folder, "_rels", name + ".rels")), take)
        return out

    def _open(self) -> None:
        book = next(
            (p for kind, p in self._relations("", "").values() if kind == "officeDocument"), "xl/workbook.xml"
        )
        source = part(self._archive, book)
        if source is None:
            raise Damaged
        folder, name = posixpath.split(book)
        related = self._relations(folder, name)

        def take(tag: str, attrs: dict[str, str]) -> None:
            if tag == "workbookPr":
                self._1904 = attrs.get("date1904") in ("1", "true")
            elif tag == "sheet":
                kind, path = related.get(_attribute(attrs, "id"), ("", ""))
                if kind == "worksheet":
                    self.sheets.append(
                        Sheet(attrs.get("name", ""), path, attrs.get("state", "visible") != "visible")
                    )

        _elements(source, take)
        for kind, path in related.values():
            if kind == "styles":
                self._read_formats(path)
            elif kind == "sharedStrings":
                self._strings_path = path

    def _read_formats(self, path: str) -> None:
        codes: dict[int, str] = {}
        inside = False

        def take(tag: str, attrs: dict[str, str]) -> None:
            nonlocal inside
            if tag == "numFmt":
                codes[int(attrs.get("numFmtId", "0"))] = attrs.get("formatCode", "")
            elif tag in ("cellXfs", "cellStyles", "cellStyleXfs", "dxfs"):
                inside = tag == "cellXfs"
            elif tag == "xf" and inside:
                number = int(attrs.get("numFmtId", "0"))
                self._formats.append(kind_of_format(number, codes.get(number, "")))

        _elements(part(self._archive, path), take)

    def _read_strings(self) -> None:
        """Shared strings, read when a sheet is; phonetic guides are left out."""
        source = part(self._archive, self._strings_path) if self._strings_path else None
        self._strings_path = ""
        if source is None:
            return
        strings, now = self._strings, list[str]()
        on, phonetic = False, False

        def start(tag: str, attrs: dict[str, str]) -> None:
            nonlocal on, phonetic
            tag = tag.rpartition(":")[2]
            if tag == "t":
                on = not phonetic
            elif tag == "rPh":
                phonetic = True

        def end(tag: str) -> None:
            nonlocal on, phonetic
            tag = tag.rpartition(":")[2]
            if tag == "t":
                on = False
            elif tag == "rPh":
                phonetic = False
            elif tag == "si":
                strings.append(unescape("".join(now)))
                now.clear()

        def chars(text: str) -> None:
            if on:
                now.append(text)

        for _ in _pump(source, start, end, chars):
            pass

    def rows(self, sheet: Sheet, merged: list[str]) -> Iterator[tuple[int, Row]]:
        """(row number, cells) of the rows that have cells, in file order; fills `merged` with ranges such as `A1:B2`,
        which stand behind the rows in the file."""
        self._read_strings()
        source = part(self._archive, sheet.path)
        if source is None:
            raise Damaged
        reader = _Rows(self._strings, self._formats, self._1904, merged)
        for _ in _pump(source, reader.start, reader.end, reader.chars):
            if reader.ready:
                done, reader.ready = reader.ready, []
                yield from done


class _Rows:
    """Handlers of one sheet part."""

    def __init__(self, strings: list[str], formats: list[str], epoch_1904: bool, merged: list[str]) -> None:
        self.strings, self.formats, self.epoch_1904, self.merged = strings, formats, epoch_1904, merged
        self.ready: list[tuple[int, Row]] = []
        self.row: Row = []
        self.number = 0
        self.column = 0
        self.letters: dict[str, int] = {}
        self.kind, self.style = "", ""
        self.formula: list[str] | None = None
        self.text: list[str] = []
        self.into: list[str] | None = None
        self.phonetic = False

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        if ":" in tag:
            tag = tag.rpartition(":")[2]
        if tag == "c":
            ref = attrs.get("r")
            if ref:
                letters = ref.rstrip("0123456789")
                self.column = self.letters.get(letters) or self._column(letters)
            else:
                self.column += 1
            self.kind, self.style = attrs.get("t", "n"), attrs.get("s", "")
            self.formula, self.text = None, []
        elif tag == "v":
            self.into = self.text
        elif tag == "t":
            self.into = None if self.phonetic else self.text
        elif tag == "f":
            self.into = self.formula = []
        elif tag == "row":
            number = attrs.get("r")
            self.number = int(number) if number else self.number + 1
            if not 1 <= self.number <= LAST_ROW:
                raise Damaged
            self.row, self.column = [], 0
        elif tag == "rPh":
            self.phonetic = True
        elif tag == "mergeCell":
            self.merged.append(attrs.get("ref", ""))

    def chars(self, text: str) -> None:
        if self.into is not None:
            self.into.append(text)

    def end(self, tag: str) -> None:
        if ":" in tag:
            tag = tag.rpartition(":")[2]
        if tag in ("v", "t", "f"):
            self.into = None
        elif tag == "c":
            if self.formula is not None:
                self.row.append((self.column, Odd("formula", "=" + "".join(self.formula))))
            elif self.text:
                self.row.append((self.column, self._value("".join(self.text))))
        elif tag == "row":
            if self.row:
                self.ready.append((self.number, self.row))
        elif tag == "rPh":
            self.phonetic = False

    def _column(self, letters: str) -> int:
        if not re.fullmatch("[A-Z]{1,3}", letters):
            raise Damaged
        number = 0
        for letter in letters:
            number = number * 26 + ord(letter) - 64
        if number > LAST_COLUMN:
            raise Damaged
        self.letters[letters] = number
        return number

    def _value(self, text: str) -> Cell:
        match self.kind:
            case "s":
                return self.strings[int(text)]
            case "inlineStr" | "str":
                return unescape(text)
            case "n":
                style = self.formats[int(self.style)] if self.style and self.formats else ""
                return _number(text, style, self.epoch_1904)
            case "b":
                return text in ("1", "true")
            case "d":
                try:
                    return dt.datetime.fromisoformat(text).date()
                except ValueError:
                    return Odd("time", text)
        return Odd("error", text)


def _number(text: str, style: str, epoch_1904: bool) -> Cell:
    """A number as Excel shows it: 15 digits, dates by their format."""
    if style in ("date", "time"):
        day = serial_date(float(text), epoch_1904) if style == "date" else None
        return day if day is not None else Odd("calendar" if style == "date" else "time", text)
    if style == "percent":
        return Odd("percent", text)
    value: int | Decimal
    if len(text) < 16 and text.isascii() and text.isdigit():
        value = int(text)
    else:
        number = float(text)
        if abs(number) >= 1e15:  # also infinity
            return Odd("digits", text[:60])
        value = Decimal(format(number, ".15g"))
        value = int(value) if value == value.to_integral_value() else value
    if style and isinstance(value, int) and value >= 0:
        return str(value).zfill(len(style))
    return value


@contextmanager
def open_workbook(data: bytes, name: str) -> Iterator[Workbook]:
    """The workbook in `data`; what is wrong with the file, at once or while it is read, is an error for people."""
    with opened(data, name) as archive:
        yield Workbook(archive)
