"""The zip around a workbook, looked at before anything in it is unpacked.

What is refused here is refused politely: an old .xls, a web page called .xlsx, a password, a macro, a link to another
file, a zip bomb. Every refusal says what to do in Excel or WPS.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import IO

from siquan.core.errors import SiquanError, Where

#: unpacked size of all parts together, and how far a part of more than 1 MB may be packed; real sheets reach about 20
MAX_UNPACKED, MAX_RATIO, SMALL = 200 * 2**20, 150, 2**20
MAX_PARTS = 5_000
_PIECE = 1 << 17
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class NotWorkbook(SiquanError):
    """`{name}` is not an .xlsx workbook: {why}"""

    code = "SQ801"
    zh = "`{name}` 不是 .xlsx 表格：{why_zh}"
    help_en = "open it in Excel or WPS, save it as .xlsx, and import that file"
    help_zh = "用 Excel 或 WPS 打开，另存为 .xlsx，再导入新文件"
    http = 422


class Locked(SiquanError):
    """`{name}` is protected by a password"""

    code = "SQ802"
    zh = "`{name}` 设了打开密码"
    help_en = "open it with the password, remove the password, save, and import again"
    help_zh = "用密码打开，在“文件 - 保护工作簿 - 用密码加密”里清空密码，保存后再导入"
    http = 422


class TooBig(SiquanError):
    """`{name}` is too large: {why}"""

    code = "SQ803"
    zh = "`{name}` 太大：{why_zh}"
    help_en = "split it, and delete pictures and empty formatted rows"
    help_zh = "分成几个文件；删掉图片和只有格式、没有内容的行"
    http = 422


class Unsafe(SiquanError):
    """`{name}` contains {what}, which is not taken in"""

    code = "SQ804"
    zh = "`{name}` 里有{what_zh}，不接受"
    help_en = "{do}"
    help_zh = "{do_zh}"
    http = 422


class Damaged(Exception):
    """Something in the file is not as the format says; `opened` makes it NotWorkbook."""


@contextmanager
def _guarded() -> Iterator[None]:
    """What zipfile raises on damaged input, which is many things, as Damaged. Only zip calls stand under it."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
        OverflowError,
    ):
        raise Damaged from None


@contextmanager
def opened(data: bytes, name: str) -> Iterator[zipfile.ZipFile]:
    """The archive of a workbook, checked. Raises NotWorkbook, Locked, TooBig, Unsafe; Damaged from the block under it
    comes out as NotWorkbook."""
    where = Where(name)
    _sniff(data, name, where)
    try:
        with _guarded():
            archive = zipfile.ZipFile(BytesIO(data))
        with archive:
            _check(archive, name, where)
            yield archive
    except Damaged:
        raise NotWorkbook(where, name=name, why="the file is damaged", why_zh="文件已损坏") from None


def part(archive: zipfile.ZipFile, path: str) -> Iterator[bytes] | None:
    """A part in pieces; None when the archive has none of that name. Raises Damaged."""
    return _pieces(archive, path) if path in archive.NameToInfo else None


def _pieces(archive: zipfile.ZipFile, path: str) -> Iterator[bytes]:
    with _guarded():
        source: IO[bytes] = archive.open(path)
    with source:
        while True:
            with _guarded():
                piece = source.read(_PIECE)
            if not piece:
                return
            yield piece


def _sniff(data: bytes, name: str, where: Where) -> None:
    def no(why: str, why_zh: str) -> NotWorkbook:
        return NotWorkbook(where, name=name, why=why, why_zh=why_zh)

    if not data:
        raise no("the file is empty", "文件是空的")
    if data.startswith(_OLE):
        # a workbook with a password is an OLE container around the encrypted zip
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise Locked(where, name=name)
        raise no("it is an old .xls or .et file", "它是旧格式 .xls 或 .et")
    if data.startswith(b"PK"):
        return
    if data.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<":
        raise no("it is a web page or XML file with another name", "它其实是网页或 XML，只是改了扩展名")
    if data.startswith(b"%PDF"):
        raise no("it is a PDF", "它是 PDF")
    if b"\0" not in data[:4096]:
        raise no("it is a text file, such as CSV", "它是文本文件（如 CSV）")
    raise no("its content is something else", "内容是别的格式")


def _check(archive: zipfile.ZipFile, name: str, where: Where) -> None:
    infos = archive.infolist()
    names = {i.filename for i in infos}
    if len(infos) > MAX_PARTS:
        raise TooBig(where, name=name, why=f"{len(infos)} parts", why_zh=f"有 {len(infos)} 个部件")
    for info in infos:
        if info.flag_bits & 0x1:
            raise Locked(where, name=name)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Damaged  # Excel writes no other
        with _guarded():
            archive.open(info).close()  # a part whose two names differ would be taken for one that is not there
        # zipfile stops at the declared size, so the declared sizes bound what can come out
        if info.file_size > SMALL and info.file_size > MAX_RATIO * max(info.compress_size, 1):
            raise TooBig(
                where, name=name, why="a part is packed more tightly than any real sheet",
                why_zh="里面的内容压缩得异常紧，不像真实的表格",
            )  # fmt: skip
    total = sum(i.file_size for i in infos)
    if total > MAX_UNPACKED:
        mega, most = total // 2**20, MAX_UNPACKED // 2**20
        raise TooBig(
            where,
            name=name,
            why=f"{mega} MB unpacked, {most} MB at most",
            why_zh=f"解开后 {mega} MB，最多 {most} MB",
        )
    for inside, why, why_zh in (
        ("word/document.xml", "it is a Word document", "它是 Word 文档"),
        ("content.xml", "it is an OpenDocument file", "它是 OpenDocument 文件"),
        ("xl/workbook.bin", "it is a binary .xlsb workbook", "它是二进制格式 .xlsb"),
    ):
        if inside in names:
            raise NotWorkbook(where, name=name, why=why, why_zh=why_zh)
    if "[Content_Types].xml" not in names:
        raise NotWorkbook(where, name=name, why="it is some other zip file", why_zh="它是别的压缩文件")
    kinds = next(_pieces(archive, "[Content_Types].xml"), b"")
    lower = {n.lower() for n in names}
    if b"macroEnabled" in kinds or any(
        n.endswith("vbaproject.bin") or n.startswith("xl/macrosheets/") for n in lower
    ):
        raise Unsafe(
            where, name=name, what="macros", what_zh="宏",
            do="save it as .xlsx (a workbook without macros) and import that file",
            do_zh="另存为“Excel 工作簿 (*.xlsx)”，不带宏，再导入新文件",
        )  # fmt: skip
    if any(n.startswith("xl/externallinks/") for n in lower):
        raise Unsafe(
            where, name=name, what="links to other files", what_zh="指向其他文件的链接",
            do="in Excel choose Data - Edit Links - Break Link, save, and import again",
            do_zh="在“数据 - 编辑链接”里断开链接（只留数值），保存后再导入",
        )  # fmt: skip
