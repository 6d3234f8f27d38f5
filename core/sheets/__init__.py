"""Excel in and out. Bytes in, data out: no store, no clock.

Reading streams a workbook through a checked zip and an XML parser of its own, because a clerk's file comes from
Excel, WPS or an export of another office, and 100,000 rows must not take a minute; openpyxl writes.
"""

from siquan.core.sheets.archive import Locked, NotWorkbook, TooBig, Unsafe
from siquan.core.sheets.columns import Layout, Unfit
from siquan.core.sheets.problems import (
    BadCell,
    Contradiction,
    EmptyCell,
    Merged,
    MoreProblems,
    NoColumn,
    NoDate,
    NoSheet,
    TwiceColumn,
    TwiceRow,
    UnknownColumn,
)
from siquan.core.sheets.read import MAX_ROWS, SheetRow, read_sheet
from siquan.core.sheets.write import rows_from_titles, write_sheet

__all__ = [
    "MAX_ROWS",
    "BadCell",
    "Contradiction",
    "EmptyCell",
    "Layout",
    "Locked",
    "Merged",
    "MoreProblems",
    "NoColumn",
    "NoDate",
    "NoSheet",
    "NotWorkbook",
    "SheetRow",
    "TooBig",
    "TwiceColumn",
    "TwiceRow",
    "Unfit",
    "UnknownColumn",
    "Unsafe",
    "read_sheet",
    "rows_from_titles",
    "write_sheet",
]
