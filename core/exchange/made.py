"""What a workbook was made from. It carries that content in a sheet nobody sees, so that it can be read, and merged,
whatever has become of the rule set since."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from siquan.core.errors import SiquanError, Where
from siquan.core.exchange.content import BadContent, Content
from siquan.core.sheets.workbook import Workbook, open_workbook

SHEET = "siquan"
FORMAT = "1"
_PIECE = 30_000  # characters of a cell
_MOST = 32 * 2**20  # bytes of a content
_ROWS = 2_000


class NotOurs(SiquanError):
    """`{name}` does not say which rule set it was made from"""

    code = "SQ151"
    zh = "`{name}` 里没有写明它是从哪个规则集下载的"
    help_en = "download the workbook again and make the changes in that file; do not copy its sheets into another one"
    help_zh = "请重新下载，在下载的文件里改；不要把工作表复制到别的文件里"
    http = 422


class OtherRuleSet(SiquanError):
    """`{name}` was made from the rule set `{found}`, not from `{wanted}`"""

    code = "SQ152"
    zh = "`{name}` 是规则集 `{found}` 的表，不是 `{wanted}` 的"
    help_en = "upload it to its own rule set"
    help_zh = "请到它自己的规则集那里上传"
    http = 422


class OtherBase(SiquanError):
    """`{name}` was made from version `{found}`, and the rules have been changed since"""

    code = "SQ153"
    zh = "`{name}` 是从版本 `{found}` 下载的，之后规则又改过了"
    help_en = "merge the two, or download the workbook again"
    help_zh = "可以把两边的修改合并，或者重新下载再改"
    exit = 1
    http = 409


@dataclass(frozen=True)
class Made:
    """`published` are the lines of the parameter book that the workbook shows: name, place, first day."""

    ruleset: str
    version: str
    content: Content
    published: tuple[tuple[str, str, dt.date], ...] = ()


def rows_of(made: Made) -> Iterable[tuple[str, str]]:
    """What stands in the hidden sheet. Packed, so that a search-and-replace over all sheets cannot touch it."""
    text = json.dumps(
        {
            "ruleset": made.ruleset, "version": made.version, "content": made.content.to_json(sort=False),
            "published": [(name, place, since.isoformat()) for name, place, since in made.published],
        }
    )  # fmt: skip
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    yield "format", FORMAT
    for n, (start, end) in enumerate(pairwise([*range(0, len(packed), _PIECE), len(packed)]), start=1):
        yield f"content.{n}", packed[start:end]


def read_made(book: Workbook, name: str) -> Made:
    """Raises NotOurs when the sheet is missing or was tampered with."""
    where = Where(name)
    sheet = next((s for s in book.sheets if s.title == SHEET), None)
    if sheet is None:
        raise NotOurs(where, name=name)
    found: dict[str, str] = {}
    for number, row in book.rows(sheet, []):
        cells = {column: str(cell) for column, cell in row}
        found[cells.get(1, "")] = cells.get(2, "")
        if number > _ROWS:
            break
    try:
        pieces = [found[f"content.{n}"] for n in range(1, len(found))]
        unpack = zlib.decompressobj()
        data = unpack.decompress(base64.b64decode("".join(pieces), validate=True), _MOST)
        if unpack.unconsumed_tail or not unpack.eof or found["format"] != FORMAT:
            raise ValueError
        raw = json.loads(data)
        published = tuple((str(n), str(p), dt.date.fromisoformat(d)) for n, p, d in raw["published"])
        return Made(str(raw["ruleset"]), str(raw["version"]), Content.from_json(raw["content"]), published)
    except (KeyError, ValueError, TypeError, binascii.Error, zlib.error, BadContent, RecursionError):
        raise NotOurs(where, name=name) from None


def made_from(data: bytes, filename: str) -> Made:
    """The content a workbook was made from. Raises NotWorkbook, Locked, TooBig, Unsafe, NotOurs."""
    with open_workbook(data, filename) as book:
        return read_made(book, filename)
