"""What an impact run found, as figures, as pages of flips, and as a workbook."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from siquan.core.errors import SiquanError
from siquan.core.store.canonical import canonical
from siquan.core.store.impacts import Want
from siquan.core.store.rows import ImpactFlip
from siquan.core.store.transaction import Tx

#: flips of one page, and rows of one sheet (a spreadsheet holds 1,048,576)
MOST_ROWS, SHEET_ROWS = 500, 1_000_000
LETTERS = {"h": "命中", "c": "未命中", "u": "未知", "n": "不计算", "-": "无此规则"}
KINDS = {"decision": "已作判定", "refusal": "退回的办理", "case": "在办事项"}


class ImpactUnfinished(SiquanError):
    """the impact run is not finished: {done} of {total} decisions so far"""

    code = "SQ171"
    zh = "影响测算还没有做完：{total} 件中已做 {done} 件"
    help_en = "wait for it to end, or start it again"
    help_zh = "等它做完，或者重新开始"
    exit = 1
    http = 409


class NoSuchPage(SiquanError):
    """there is no page `{page}` of {size} rows"""

    code = "SQ172"
    zh = "没有第 `{page}` 页（每页 {size} 行）"
    help_en = "pages count from 1, with 1 to {most} rows each"
    help_zh = "页码从 1 开始，每页 1 到 {most} 行"
    http = 422


@dataclass(frozen=True)
class RuleCount:
    """How a rule's finding changes among the decisions that flip."""

    rule: str
    newly_hit: int
    no_longer_hit: int
    newly_unknown: int
    no_longer_unknown: int


@dataclass(frozen=True)
class CaseCount:
    """The same over the open cases. `faults` are reasons why some could not be decided."""

    checked: int
    changed: int
    other: int
    failed: int
    flow: Mapping[tuple[str, str], int]
    faults: Mapping[str, int]


@dataclass(frozen=True)
class ImpactReport:
    """`rows` = `decided` + `missing` + `erased`. Of the decided, `changed` have another outcome or value, and `other` the same
    with other findings. `flow` counts all decided as (before, after); labels are an outcome, with a table's value behind
    it. `missing` could not be decided again, since they recorded nothing on the `missing_facts` {path: decisions}.
    `rate` is rows per second; `digest` is the sha256 a signature stands on, "" until the run is done."""

    run: str
    version: str
    content_hash: str
    ruleset: str
    status: str
    total: int
    rows: int
    decided: int
    changed: int
    other: int
    missing: int
    erased: int
    flow: Mapping[tuple[str, str], int]
    rules: tuple[RuleCount, ...]
    other_rules: tuple[RuleCount, ...]
    places: Mapping[str, tuple[int, int]]  # place -> (decided, changed)
    missing_facts: Mapping[str, int]
    cases: CaseCount
    flips: int
    started_by: str
    started_at: dt.datetime
    ended_at: dt.datetime | None
    seconds: float
    rate: float
    digest: str


@dataclass(frozen=True)
class FlipPage:
    rows: tuple[ImpactFlip, ...]
    total: int
    page: int
    pages: int


def report(tx: Tx, run_id: str) -> ImpactReport:
    """The figures of a run, finished or not. Raises NotFound."""
    run = tx.impacts.get(run_id)
    counts, cases = run.counts, run.counts["cases"]
    seconds = float(counts["seconds"])
    places = {place: (n, counts["changed_places"].get(place, 0)) for place, n in sorted(counts["places"].items())}
    figures = {k: v for k, v in counts.items() if k != "seconds"}
    signed = canonical([run.id, run.version, run.content_hash, run.ruleset, run.last_n, figures])
    return ImpactReport(
        run.id, run.version, run.content_hash, run.ruleset, run.status, counts["total"], counts["rows"], counts["decided"],
        counts["changed"], counts["other"], counts["missing"], counts["erased"], _flow(counts["flow"]), _rules(counts["rules"]),
        _rules(counts["other_rules"]), places, dict(sorted(counts["missing_facts"].items())),
        CaseCount(
            cases.get("checked", 0), cases.get("changed", 0), cases.get("other", 0), cases.get("failed", 0), _flow(cases.get("flow", {})),
            cases.get("faults", {}),
        ),
        counts["flips"], run.started_by, run.started_at, run.ended_at, seconds, counts["rows"] / seconds if seconds else 0.0,
        hashlib.sha256(signed.encode()).hexdigest() if run.status == "done" else "",
    )  # fmt: skip


def _flow(flow: Mapping[str, Mapping[str, int]]) -> dict[tuple[str, str], int]:
    return {(before, after): n for before, row in sorted(flow.items()) for after, n in sorted(row.items())}


def _rules(rules: Mapping[str, Mapping[str, int]]) -> tuple[RuleCount, ...]:
    def total(pairs: Mapping[str, int], at: int, letter: str) -> int:
        return sum(n for pair, n in pairs.items() if pair[at] == letter)

    out = [RuleCount(r, total(p, 1, "h"), total(p, 0, "h"), total(p, 1, "u"), total(p, 0, "u")) for r, p in rules.items()]
    return tuple(sorted(out, key=lambda c: (-c.newly_hit - c.no_longer_hit, c.rule)))


def flips(
    tx: Tx, run_id: str, *, before: str = "", after: str = "", rule: str = "", place: str = "", kind: str = "", page: int = 1, size: int = 50
) -> FlipPage:
    """One page of the flips, as they were found; empty filters let everything through. Raises NotFound, NoSuchPage."""
    if not (1 <= size <= MOST_ROWS and 1 <= page <= 10**9):
        raise NoSuchPage(page=page, size=size, most=MOST_ROWS)
    run, want = tx.impacts.get(run_id), Want(before, after, rule, place, kind)
    total = tx.impacts.count(run.id, want)
    rows = tuple(tx.impacts.flips(run.id, want, (page - 1) * size, size))
    return FlipPage(rows, total, page, max(1, -(-total // size)))


def why_text(why: Mapping[str, str]) -> str:
    """`OC-N01 未命中→命中；...`"""
    return "；".join(f"{rule} {LETTERS[pair[0]]}→{LETTERS[pair[1]]}" for rule, pair in why.items())


_HEAD = ("序号", "类别", "判定编号", "事项编号", "地点", "判定日", "原结论", "新结论", "规则变化")
_WIDTHS = (8, 12, 36, 36, 24, 12, 16, 16, 60)
_BAND = PatternFill("solid", fgColor="E8EEF4")


def flips_workbook(tx: Tx, run_id: str, *, who: str, at: dt.datetime) -> bytes:
    """Every flip of a finished run as xlsx, streamed; each sheet begins with who took it out, and when. Raises NotFound,
    ImpactUnfinished."""
    found = report(tx, run_id)
    if found.status != "done":
        raise ImpactUnfinished(done=found.rows, total=found.total)
    book = Workbook(write_only=True)
    marks = (
        f"影响测算 {found.ruleset} · 版本 {found.version}", f"导出人 {who} · {at:%Y-%m-%d %H:%M} · 仅限内部使用",
        f"共判定 {found.decided} 件，变化 {found.changed} 件，另有 {found.other} 件结论不变而理由有变，缺事实未计入 {found.missing} 件，已清除 {found.erased} 件",
        f"摘要 sha256 {found.digest}",
    )  # fmt: skip
    sheet, left = _sheet(book, 1, marks), SHEET_ROWS
    for flip in tx.impacts.each(run_id):
        if not left:
            sheet, left = _sheet(book, len(book.worksheets) + 1, marks), SHEET_ROWS
        cells = (
            flip.seq, KINDS[flip.kind], flip.decision_id, flip.case_id, flip.place, flip.on_date, flip.before_label, flip.after_label,
            why_text(flip.why),
        )  # fmt: skip
        sheet.append([_cell(sheet, value) for value in cells])
        left -= 1
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sheet(book: Workbook, n: int, marks: tuple[str, ...]) -> Any:
    sheet = book.create_sheet("变化清单" if n == 1 else f"变化清单{n}")
    sheet.freeze_panes = f"A{len(marks) + 2}"
    for at, width in enumerate(_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(at)].width = width
    for mark in marks:
        sheet.append([_cell(sheet, mark, Font(italic=True, color="666666"))])
    sheet.append([_cell(sheet, title, Font(bold=True), _BAND) for title in _HEAD])
    return sheet


def _cell(sheet: Any, value: Any, font: Font | None = None, fill: PatternFill | None = None) -> Any:
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        cell.data_type = "s"  # a text that begins with = is no formula
    if font is not None:
        cell.font = font
    if fill is not None:
        cell.fill = fill
    if isinstance(value, str) and "；" in value:
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell
