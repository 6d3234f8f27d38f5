"""Files people really send, and files nobody should: each is read, or refused with a reason, and never crashes."""

from __future__ import annotations

import datetime as dt
import io
import random
import zipfile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siquan.core.errors import Errors
from siquan.core.rules.facts import Schema
from siquan.core.sheets import read_sheet, rows_from_titles
from siquan.core.sheets.workbook import kind_of_format, serial_date
from siquan.core.spec.model import ColumnSpec, FactSpec, SheetSpec

ON = dt.date(2026, 11, 23)
SCHEMA = Schema(
    [FactSpec(name="unit"), FactSpec(name="area", type="decimal"), FactSpec(name="day", type="date")]
)
COLUMNS = {"房号": "unit", "面积": "area", "日期": "day"}
SHEET = SheetSpec(
    target="owners",
    name="名册",
    key=("房号",),
    columns=tuple(ColumnSpec(title=t, fact=f) for t, f in COLUMNS.items()),
)
GOOD = rows_from_titles(SHEET, [{"房号": "1-101", "面积": "88.25", "日期": "2026-01-02"}, {"房号": "1-102"}])

TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEAD = "".join(
    f'<c r="{c}1" t="inlineStr"><is><t>{t}</t></is></c>' for c, t in zip("ABC", COLUMNS, strict=True)
)


def relations(*kinds: tuple[str, str]) -> str:
    lines = "".join(
        f'<Relationship Id="r{n}" Type="{OFFICE}/{k}" Target="{t}"/>' for n, (k, t) in enumerate(kinds)
    )
    return f'<Relationships xmlns="{PACKAGE}">{lines}</Relationships>'


def book(
    cells: str,
    *,
    after: str = "",
    strings: str = "",
    styles: str = "",
    props: str = "",
    more: dict[str, str] | None = None,
) -> bytes:
    """A workbook by hand; `cells` are the rows after the header."""
    parts = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": relations(("officeDocument", "xl/workbook.xml")),
        "xl/_rels/workbook.xml.rels": relations(
            ("worksheet", "/xl/worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml"), ("styles", "styles.xml")
        ),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{props}<sheets><sheet name="名册" sheetId="1" r:id="r0"/></sheets></workbook>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"><sheetData><row r="1">{HEAD}</row>{cells}</sheetData>{after}</worksheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>',
        **(more or {}),
    }  # fmt: skip
    return zipped(parts)


def zipped(parts: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def repacked(**changed: bytes) -> bytes:
    """GOOD with parts replaced or added, by path with dots for slashes after the first word."""
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        parts = {n: archive.read(n) for n in archive.namelist()}
    return zipped({**parts, **changed})


def values(data: bytes) -> list[dict[str, Any]]:
    return [r.values for r in read_sheet(data, "名册.xlsx", SHEET, SCHEMA, ON)]


def refused(data: bytes) -> str:
    with pytest.raises(Errors) as caught:
        read_sheet(data, "名册.xlsx", SHEET, SCHEMA, ON)
    (error,) = caught.value
    assert error.text("zh") and error.text("en") and error.help("zh") and error.help("en")
    return f"{error.code} {error.text('en')}"


def test_the_good_file() -> None:
    assert values(GOOD) == [{"unit": "1-101", "area": "88.25", "day": "2026-01-02"}, {"unit": "1-102"}]


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    "data,says",
    [
        (b"", "the file is empty"),
        ("房号,面积\n1,2\n".encode(), "text file"),
        ("房号,面积\n1,2\n".encode("gbk"), "text file"),
        (b"\xef\xbb\xbf<html><table>", "web page"),
        (b"%PDF-1.7 \0", "PDF"),
        (OLE + b"\0" * 600, "old .xls"),
        (OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        (b"\x89PNG\r\n\0\0", "something else"),
        (b"PK\x03\x04 nothing follows", "damaged"),
        (GOOD[: len(GOOD) // 2], "damaged"),
        (zipped({"word/document.xml": "x"}), "Word"),
        (zipped({"mimetype": "x", "content.xml": "x"}), "OpenDocument"),
        (zipped({"[Content_Types].xml": TYPES, "xl/workbook.bin": "x"}), "xlsb"),
        (zipped({"a.txt": "x"}), "other zip"),
        (zipped({"[Content_Types].xml": TYPES}), "damaged"),
        (repacked(**{"xl/vbaProject.bin": b"x"}), "macros"),
        (repacked(**{"[Content_Types].xml": b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"}), "macros"),
        (repacked(**{"xl/externalLinks/externalLink1.xml": b"x"}), "links to other files"),
    ],
)  # fmt: skip
def test_what_is_no_workbook(data: bytes, says: str) -> None:
    assert says in refused(data)


NOISE = random.Random(1).randbytes(2_000_000)


def test_bombs() -> None:
    assert "tightly" in refused(repacked(**{"xl/media/a.bin": b"\0" * 3_000_000}))
    assert values(repacked(**{"xl/media/a.bin": NOISE})), "a large part that is honest is no harm"
    assert "parts" in refused(zipped({"[Content_Types].xml": TYPES, **{f"p{n}": "" for n in range(5001)}}))


def test_a_total_that_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("siquan.core.sheets.archive.MAX_UNPACKED", 2**20)
    assert "MB unpacked" in refused(repacked(**{"xl/media/a.bin": NOISE}))


def test_sizes_that_lie_yield_no_more_than_they_declare() -> None:
    data = bytearray(
        repacked(**{"xl/worksheets/sheet1.xml": b"<worksheet>" + b" " * 500_000 + b"</worksheet>"})
    )
    real = (500_000 + 23).to_bytes(4, "little")
    while (at := data.find(real)) >= 0:
        data[at : at + 4] = (100).to_bytes(4, "little")
    assert refused(bytes(data))


def test_an_encrypted_entry() -> None:
    data = bytearray(GOOD)
    at = data.find(b"PK\x01\x02")
    data[at + 8] |= 1
    assert "password" in refused(bytes(data))


@pytest.mark.parametrize(
    "part,text",
    [
        (
            "xl/worksheets/sheet1.xml",
            '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>',
        ),
        ("xl/workbook.xml", '<!DOCTYPE x SYSTEM "file:///etc/hostname"><workbook/>'),
        ("xl/worksheets/sheet1.xml", "<worksheet><sheetData>"),
        ("xl/worksheets/sheet1.xml", "<a>" * 100_000),
        (
            "xl/worksheets/sheet1.xml",
            '<worksheet><row r="99999999999999"><c r="A1"><v>1</v></c></row></worksheet>',
        ),
        ("xl/worksheets/sheet1.xml", '<worksheet><row r="x"/></worksheet>'),
        ("xl/worksheets/sheet1.xml", '<worksheet><row r="1"><c r="ZZZZ1"><v>1</v></c></row></worksheet>'),
        ("xl/worksheets/sheet1.xml", '<worksheet><row r="1"><c r="A1" t="s"><v>7</v></c></row></worksheet>'),
        ("xl/worksheets/sheet1.xml", '<worksheet><row r="1"><c r="A1"><v>abc</v></c></row></worksheet>'),
        ("xl/styles.xml", '<styleSheet><numFmts><numFmt numFmtId="x"/></numFmts></styleSheet>'),
    ],
)
def test_broken_xml(part: str, text: str) -> None:
    assert "damaged" in refused(book("", more={part: text}))


def test_a_missing_sheet_part() -> None:
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        parts = {n: archive.read(n) for n in archive.namelist() if "sheet1" not in n}
    assert "damaged" in refused(zipped(parts))


# what other programs write


def test_shared_strings_rich_text_and_phonetics() -> None:
    strings = (
        "<si><r><t>1-</t></r><r><rPr/><t xml:space='preserve'>101 </t></r><rPh sb='0' eb='1'><t>yi</t></rPh></si>"
        "<si><t>a_x000D__x005F_x0041_</t></si>"
    )
    rows = '<row r="3"><c r="A3" t="s"><v>0</v></c></row><row><c t="s"><v>1</v></c><c><v>2.5</v></c></row>'
    assert values(book(rows, strings=strings)) == [{"unit": "1-101"}, {"unit": "a_x0041_", "area": "2.5"}]


def test_prefixed_names_as_some_programs_write_them() -> None:
    rows = "".join(
        f'<x:row r="{n}"><x:c r="A{n}" t="inlineStr"><x:is><x:t>{t}</x:t></x:is></x:c>'
        f'<x:c r="B{n}" t="{k}"><x:v>{v}</x:v></x:c><x:c r="C{n}" t="str"><x:v>{d}</x:v></x:c></x:row>'
        for n, t, k, v, d in ((1, "房号", "str", "面积", "日期"), (2, "1-101", "n", "5", "2026-01-02"))
    )
    sheet = f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData>{rows}</x:sheetData></x:worksheet>'
    assert values(book("", more={"xl/worksheets/sheet1.xml": sheet})) == [
        {"unit": "1-101", "area": 5, "day": "2026-01-02"}
    ]


STYLES = (
    '<numFmts><numFmt numFmtId="170" formatCode="[$-804]yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;;@"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="170"/><xf numFmtId="31"/></cellXfs>'
)


@pytest.mark.parametrize("style,serial", [(1, "46024"), (2, "46024.75"), (1, "4.6024E4")])
def test_chinese_date_formats(style: int, serial: str) -> None:
    rows = f'<row r="2"><c r="A2"><v>7</v></c><c r="C2" s="{style}"><v>{serial}</v></c></row>'
    assert values(book(rows, styles=STYLES)) == [{"unit": "7", "day": "2026-01-02"}]


def test_other_calendars_and_iso_dates() -> None:
    rows = '<row r="2"><c r="A2"><v>7</v></c><c r="C2" s="1"><v>44562</v></c></row>'
    rows += '<row r="3"><c r="A3"><v>8</v></c><c r="C3" t="d"><v>2026-01-02T00:00:00</v></c></row>'
    got = values(book(rows, styles=STYLES, props='<workbookPr date1904="1"/>'))
    assert [r["day"] for r in got] == ["2026-01-02", "2026-01-02"]


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="C2" s="1"><v>9999999</v></c>',
        '<c r="C2" s="1"><v>-1</v></c>',
        '<c r="C2" s="1"><v>0.5</v></c>',
        '<c r="C2" t="d"><v>10:30:00</v></c>',
        '<c r="C2" t="e"><v>#REF!</v></c>',
        '<c r="B2"><f>A1*2</f><v>5</v></c>',
        '<c r="B2"><f t="shared" si="0"/><v>5</v></c>',
        '<c r="B2"><f t="array" ref="B2:B3">A1:A2</f><v>5</v></c>',
        '<c r="B2"><v>1E400</v></c>',
        '<c r="B2"><v>NaN</v></c>',
        '<c r="A2" t="n"><v>1e20</v></c>',
    ],
)
def test_cells_without_a_value(cell: str) -> None:
    key = "" if 'r="A2"' in cell else '<c r="A2"><v>7</v></c>'
    data = book(f'<row r="2">{key}{cell}</row>', styles=STYLES)
    try:
        assert refused(data).startswith(("SQ810", "SQ801"))
    except ValueError:  # a wrong key is also an empty key
        pytest.fail("one problem expected")


def test_merged_cells_count_only_where_they_hurt() -> None:
    rows = '<row r="3"><c r="A3"><v>7</v></c></row>'
    harmless = '<mergeCells><mergeCell ref="F3:G9"/><mergeCell ref="A20:C30"/></mergeCells>'
    assert values(book(rows, after=harmless)) == [{"unit": "7"}]
    assert "A1:C1" in refused(book(rows, after='<mergeCells><mergeCell ref="A1:C1"/></mergeCells>'))
    assert values(book(rows, after='<mergeCells><mergeCell ref="?"/></mergeCells>')) == [{"unit": "7"}]


def test_a_million_empty_formatted_rows_are_no_rows() -> None:
    empty = "".join(f'<row r="{n}" s="1"><c r="A{n}" s="0"/></row>' for n in range(3, 60_000))
    assert values(book('<row r="2"><c r="A2"><v>7</v></c></row>' + empty)) == [{"unit": "7"}]


@pytest.mark.parametrize(
    "number,code,kind",
    [
        (0, "", ""), (14, "", "date"), (20, "", "time"), (31, "", "date"), (57, "", "date"), (10, "", "percent"),
        (170, "General", ""), (170, '0.00"元"', ""), (170, "[Red]0.00;[Blue]-0.00", ""), (170, "0000", "0000"),
        (170, 'yyyy"年"m"月"', "date"), (170, 'm"月"d"日"', "date"), (170, "hh:mm", "time"), (170, "[h]:mm", "time"),
        (170, "0.0%", "percent"), (170, "@", ""), (170, '"day"0', ""), (170, "yyyy/m/d h:mm", "date"), (170, "#,##0", ""),
    ],
)  # fmt: skip
def test_number_formats(number: int, code: str, kind: str) -> None:
    assert kind_of_format(number, code) == kind


def test_serial_dates() -> None:
    assert [serial_date(n, False) for n in (0, 1, 59, 61, 46024, 2_958_465)] == [
        None, dt.date(1900, 1, 1), dt.date(1900, 2, 28), dt.date(1900, 3, 1), dt.date(2026, 1, 2), dt.date(9999, 12, 31)
    ]  # fmt: skip
    assert serial_date(0, True) == dt.date(1904, 1, 1) and serial_date(2_958_466, False) is None


# anything at all

_PARTS = [i.filename for i in zipfile.ZipFile(io.BytesIO(GOOD)).infolist() if "docProps" not in i.filename]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(_PARTS), st.data())
def test_damaged_parts_are_errors_and_never_crashes(name: str, data: st.DataObject) -> None:
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        text = archive.read(name)
    at = data.draw(st.integers(0, len(text) - 1))
    length = data.draw(st.integers(0, 12))
    new = data.draw(
        st.binary(max_size=6) | st.sampled_from([b'"', b"<", b"99999999999", b"-1", b"&#0;", b"NaN", b"e5"])
    )
    try:
        values(repacked(**{name: text[:at] + new + text[at + length :]}))
    except Errors:
        pass


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_bytes_are_errors_and_never_crashes(data: st.DataObject) -> None:
    raw = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        values(bytes(raw))
    except Errors:
        pass
