"""A statement as a workbook: the head, every entry, the closing balance."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill

from siquan.core.accounts.views import AccountPage

HEAD = ("序号", "日期", "事由", "增减", "余额", "依据", "事项", "经办", "复核", "理由", "冲正")


def statement_file(page: AccountPage) -> tuple[str, bytes]:
    """(file name, content). Texts stay texts, whatever they begin with."""
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "对账单"
    sheet.append([f"{page.card.owner} {page.card.title} {page.period} 对账单"])
    sheet.append(["期初余额", page.opening, "", "期末余额", page.closing, "", "单位", page.card.unit])
    sheet.append([])
    sheet.append(list(HEAD))
    for e in page.entries:
        marks = f"冲正第 {e.reverses} 笔" if e.reverses else f"已由第 {e.reversed_by} 笔冲正" if e.reversed_by else ""
        sheet.append([e.seq, e.day, e.title, e.amount, e.after, e.because, e.number, e.actor, e.second, e.note, marks])
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell.value, str):
                cell.data_type = "s"
    sheet["A1"].font = Font(bold=True, size=14)
    for cell in sheet[4]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E8EEF0")
    for letter, width in zip("ABCDEFGHIJK", (8, 12, 12, 12, 12, 28, 16, 12, 12, 28, 18), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A5"
    out = BytesIO()
    book.save(out)
    return f"{page.card.owner}-{page.card.title}-{page.period}.xlsx", out.getvalue()
