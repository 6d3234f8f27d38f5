"""Time in words and colours: the lamp of a deadline, the strips of obligations, what the clock's events say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from siquan.core.calendar import Calendar
from siquan.core.engine.deadlines import Due
from siquan.core.obligations.supervision import lamp, used
from siquan.core.obligations.views import DutyStrip, DutyView
from siquan.core.rules.parameters import ParameterBook
from siquan.core.service.app import ZONE
from siquan.core.service.context import Context
from siquan.core.service.words import Words
from siquan.core.spec.read import read_parameters
from siquan.core.spec.source import read_yaml
from siquan.core.store.rows import Case, Deadline, Obligation
from siquan.core.views import DueView

KERNEL = Path(__file__).parents[1] / "kernel.yaml"
STATUS = {
    "open": ("进行中", "running"), "warned": ("临近期末", "near its end"), "met": ("已履行", "met"), "missed": ("未履行", "missed"),
    "made_up": ("已补办，仍记未履行", "made up, still missed"), "void": ("不再要求", "no longer owed"),
}  # fmt: skip


@cache
def kernel_book() -> ParameterBook:
    return ParameterBook(read_parameters(read_yaml(KERNEL, KERNEL.name)))


def setting(context: Context, name: str) -> int:
    """A parameter of the kernel as the process, else the kernel's own file, has it at the place."""
    book = context.book if name in context.book.specs else kernel_book()
    value = book.value(name, context.today, context.chain.ids)
    return int(value) if isinstance(value, int) else int(kernel_book().value(name, context.today, ()))


def share_of(row: Deadline, due: Due, today: dt.date, calendar: Calendar) -> int:
    """The share of the time used; a deadline before an event runs from the day it was set."""
    start = due.start if due.direction == "after" else row.created_at.astimezone(ZONE).date()
    return used(start, row.end_date, today, calendar, due.unit == "workday")


def lamp_of(context: Context, share: int) -> str:
    return lamp(share, setting(context, "lamp.yellow"), setting(context, "lamp.red"))


def duty_view(row: Obligation, case: Case, words: Words, units: Mapping[str, str], lang: str, today: dt.date) -> DutyView:
    title = words.text(f"obligations.{row.name}.title", row.record["title"])
    label = row.record["label"] if lang.startswith("zh") else row.record["label_en"]
    return DutyView(
        row.id, case.id, case.title, row.name, title, label, row.start, row.end, row.last_on, row.late_on if row.late_on and row.late_on >= today else None, row.status, row.changed_on,
        words.role(row.record["by"]) if row.record["by"] else "", row.record["basis"], row.record["cite"], row.met_case or "", row.met_seq or 0,
        case.process, words.title, units.get(case.place, case.place), case.number or "",
    )  # fmt: skip


def duty_strips(context: Context, words: Words, lang: str) -> tuple[DutyStrip, ...]:
    """The obligations of a case, each with its periods; one that was taken out of the process keeps its record."""
    rows, case = context.tx.obligations.of(context.case.id), context.case
    specs = {s.name: s for s in context.definition.spec.obligations}
    out = []
    for name in dict.fromkeys([*specs, *(r.name for r in rows)]):
        own = [duty_view(r, case, words, {}, lang, context.today) for r in rows if r.name == name]
        counts: dict[str, int] = {}
        for one in own:
            counts[one.status] = counts.get(one.status, 0) + 1
        title = own[-1].title if own else words.text(f"obligations.{name}.title", specs[name].title)
        waiting = ""
        if not own:
            waiting = "起算日还不知道，或者还没有到第一期" if lang.startswith("zh") else "its first period has not begun, or its start is not known yet"
        out.append(DutyStrip(name, title, tuple(own), tuple(counts.items()), waiting))
    return tuple(out)


def lit(context: Context, row: Deadline, view: DueView) -> DueView:
    """A deadline of a case with its lamp."""
    share = share_of(row, Due.from_json(row.record), context.today, context.app.calendar(context.tx))
    return replace(view, share=share, lamp=lamp_of(context, share))


def told(kind: str, data: Mapping[str, Any], words: Words, zh: bool) -> str:
    """An event of the clock as a sentence."""
    if kind == "calendar":
        days = "；".join(f"{a} → {b}" for a, b in data.get("moved") or ())
        return f"放假安排公布，期限重算：{days}" if zh else f"holidays published, deadlines worked out again: {days}"
    title = data.get("title", "")
    if kind == "obligation":
        status = STATUS.get(data["what"], (data["what"], data["what"]))[0 if zh else 1]
        title = words.text(f"obligations.{data['obligation']}.title", title)
        return f"{title} {data['period']}：{'开始' if data['what'] == 'open' else status}" if zh else f"{title} {data['start']}: {status}"
    missed = data.get("skipped", 0)
    if kind == "reminded":
        text = f"提醒：{title}，{data['end']} 届满" if zh else f"reminder: {title}, until {data['end']}"
        return text + ((f"（前面 {missed} 次没有发）" if zh else f" ({missed} earlier not sent)") if missed else "")
    who = len(data.get("persons") or ())
    return f"督办第 {data['level']} 级：{title}，通知 {who} 人" if zh else f"supervision level {data['level']}: {title}, {who} told"
