"""The event log for process mining: CSV, or XES as IEEE 1849 has it. Streamed; no fact ever, no name but on demand."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import hmac
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO
from xml.sax.saxutils import quoteattr

from siquan.core.engine.definition import Definition
from siquan.core.errors import BadInput, NoAccess, SiquanError
from siquan.core.service.administering import must_administer
from siquan.core.service.app import ZONE, App
from siquan.core.store.database import Store
from siquan.core.store.rows import Case, Event
from siquan.core.store.transaction import Tx

PAGE = 500
FORMATS = ("csv", "xes")
SECRET = "export.pseudonym"
#: what happens besides the steps of a process
KINDS = {
    "opened": "开办", "supplied": "补充事实", "imported": "导入", "recused": "申报回避", "deadline": "期限届满", "calendar": "放假安排公布",
    "migrated": "迁移", "repaired": "修复",
}  # fmt: skip
COLUMNS = (
    "case_id", "number", "process", "process_title", "place", "parent", "seq", "timestamp", "activity", "kind", "step", "from_state", "to_state",
    "reason", "outcome", "resource", "on_behalf", "lifecycle",
)  # fmt: skip
#: a cell that begins so is a formula to a spreadsheet
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Line:
    """One event as every format has it."""

    seq: int
    at: dt.datetime
    activity: str
    kind: str
    step: str
    from_state: str
    to_state: str
    reason: str
    outcome: str
    resource: str
    on_behalf: str


class EventLog:
    def __init__(self, app: App) -> None:
        self.app = app

    def export(
        self, person: str, out: TextIO, format: str, process: str = "", since: dt.date | None = None, until: dt.date | None = None, names: bool = False,
    ) -> tuple[int, int]:  # fmt: skip
        """Writes the log; returns (cases, events). Days are those of China, both included. It stands in the access log who
        took it, and whether with names."""
        if format not in FORMATS:
            raise BadInput(why=f"没有格式 `{str(format)[:20]}`，可用 {'、'.join(FORMATS)}")
        if since and until and until < since:
            raise BadInput(why="截止日早于起始日")
        id = self.app.definition(process).spec.id if process else ""
        with self.app.store.begin() as tx:
            found = tx.people.find(person)
            if found is None or not found.active:
                raise NoAccess(why="没有这个人")
            if names:
                must_administer(self.app, tx, person)
            secret = self._secret(tx)
            tx.access.add(person, "export.names" if names else "export.events", f"{id or '*'} {format} {since or ''}..{until or ''}"[:200])
        writer = (_Xes if format == "xes" else _Csv)(out)
        walk = _Walk(self.app, secret, names, since, until)
        cases = events = 0
        writer.begin(id)
        for case, definition, lines in walk.cases(id):
            writer.case(case, definition.spec.title if definition else case.process, definition, lines)
            cases, events = cases + 1, events + len(lines)
        writer.end()
        return cases, events

    def to_file(self, person: str, path: Path, format: str, **more: Any) -> tuple[int, int]:
        """A file appears whole or not at all."""
        part = path.with_name(path.name + ".part")
        try:
            with part.open("w", encoding="utf-8-sig" if format == "csv" else "utf-8", newline="") as out:
                counts = self.export(person, out, format, **more)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return counts

    def _secret(self, tx: Tx) -> str:
        """Made once: the same person has the same pseudonym in every export of this installation, and in no other's."""
        known = tx.settings.get(SECRET)
        if not known:
            known = tx.new_salt() + tx.new_salt()
            tx.settings.set(SECRET, known, "system")
        return str(known)


class _Walk:
    def __init__(self, app: App, secret: str, names: bool, since: dt.date | None, until: dt.date | None) -> None:
        self.app, self.names, self.secret = app, names, secret.encode()
        self.low = dt.datetime.combine(since, dt.time(), ZONE).astimezone(dt.UTC) if since else None
        self.high = dt.datetime.combine(until + dt.timedelta(days=1), dt.time(), ZONE).astimezone(dt.UTC) if until else None
        self._who: dict[str, str] = {"": "", "system": "system"}
        self._definitions: dict[tuple[str, str], Definition | None] = {}
        self._activities: dict[tuple[str, str, str, str], str] = {}

    @property
    def store(self) -> Store:
        return self.app.store

    def cases(self, process: str) -> Iterator[tuple[Case, Definition | None, list[Line]]]:
        """Each case that has an event in the time asked for, with those events."""
        after = ""
        while True:
            with self.store.read() as tx:
                page = tx.cases.of_process(process, after=after, limit=PAGE) if process else list(tx.cases.get_many(tx.cases.ids(after, PAGE)).values())
                page.sort(key=lambda c: c.id)
                found: dict[str, list[Event]] = {}
                for event in tx.events.between([c.id for c in page], self.low, self.high):
                    found.setdefault(event.case_id, []).append(event)
                if self.names:
                    self._know(tx, found)
                told = [(c, d := self._definition(tx, c), [self._line(c, d, e) for e in found[c.id]]) for c in page if c.id in found]
            yield from told
            if len(page) < PAGE:
                return
            after = page[-1].id

    def _definition(self, tx: Tx, case: Case) -> Definition | None:
        key = (case.process, case.definition_hash)
        if key not in self._definitions:
            try:
                self._definitions[key] = self.app.definition_of(tx, case)
            except SiquanError:
                self._definitions[key] = None
        return self._definitions[key]

    def _know(self, tx: Tx, found: dict[str, list[Event]]) -> None:
        ids = {p for events in found.values() for e in events for p in (e.actor, e.on_behalf)} - self._who.keys()
        self._who |= {i: i for i in ids} | {p.id: p.name for p in tx.people.get_many(ids).values()}

    def _person(self, id: str) -> str:
        known = self._who.get(id)
        if known is None:
            known = self._who[id] = "P-" + hmac.new(self.secret, id.encode(), hashlib.sha256).hexdigest()[:12]
        return known

    def _line(self, case: Case, definition: Definition | None, event: Event) -> Line:
        data = event.data
        step, state = str(data.get("transition") or ""), str(data.get("from") or "")
        return Line(
            event.seq, event.at, self._activity(case, definition, event.kind, state, step), event.kind, step, state, str(data.get("to") or ""),
            str(data.get("reason") or ""), str(data.get("outcome") or ""), self._person(event.actor), self._person(event.on_behalf),
        )  # fmt: skip

    def _activity(self, case: Case, definition: Definition | None, kind: str, state: str, step: str) -> str:
        """`state: step` in words: “agree” of one state is not that of another."""
        if not step:
            return KINDS.get(kind, kind)
        key = (case.definition_hash, case.process, state, step)
        known = self._activities.get(key)
        if known is None:
            spec = definition.spec if definition else None
            at = spec.state(state) if spec else None
            every = [*(at.transitions if at else ()), *(spec.anywhere if spec else ())]
            title = next((t.title for t in every if t.name == step and t.title), step)
            known = self._activities[key] = f"{at.title if at else state}：{title}"
        return known


class _Csv:
    def __init__(self, out: TextIO) -> None:
        self.write = csv.writer(out, lineterminator="\r\n").writerow

    def begin(self, process: str) -> None:
        self.write(COLUMNS)

    def case(self, case: Case, title: str, definition: Definition | None, lines: list[Line]) -> None:
        head = [case.id, case.number or "", case.process, title, case.place, case.parent_id or ""]
        for x in lines:
            at = x.at.astimezone(ZONE).isoformat(timespec="milliseconds")
            row = [*head, x.seq, at, x.activity, x.kind, x.step, x.from_state, x.to_state, x.reason, x.outcome, x.resource, x.on_behalf, "complete"]
            self.write([f"'{v}" if isinstance(v, str) and v.startswith(_FORMULA) else v for v in row])

    def end(self) -> None:
        pass


_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xes.features="nested-attributes" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
<global scope="trace"><string key="concept:name" value=""/></global>
<global scope="event"><string key="concept:name" value=""/><date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/><string key="lifecycle:transition" value="complete"/></global>
<classifier name="Activity" keys="concept:name"/>
<classifier name="Resource" keys="org:resource"/>
<string key="lifecycle:model" value="standard"/>
"""


class _Xes:
    def __init__(self, out: TextIO) -> None:
        self.out = out
        self._quoted: dict[str, str] = {}

    def begin(self, process: str) -> None:
        self.out.write(_HEAD)
        self.out.write(self._text("concept:name", process or "siquan") + "\n")

    def _text(self, key: str, value: str) -> str:
        quoted = self._quoted.get(value)
        if quoted is None:
            quoted = quoteattr(_xml(value))
            if len(self._quoted) < 20_000:
                self._quoted[value] = quoted
        return f'<string key="{key}" value={quoted}/>'

    def case(self, case: Case, title: str, definition: Definition | None, lines: list[Line]) -> None:
        text = self._text
        buffer = io.StringIO()
        write = buffer.write
        write(f"<trace>{text('concept:name', case.id)}{text('siquan:number', case.number or '')}{text('siquan:process', case.process)}")
        write(f"{text('siquan:processTitle', title)}{text('siquan:place', case.place)}{text('siquan:state', case.state)}")
        if case.outcome:
            write(text("siquan:outcome", case.outcome))
        if case.parent_id:
            write(text("siquan:parent", case.parent_id))
        write("\n")
        for x in lines:
            at = x.at.astimezone(ZONE).isoformat(timespec="milliseconds")
            write(f"<event>{text('concept:name', x.activity)}<date key=\"time:timestamp\" value=\"{at}\"/>")
            write(f"{text('lifecycle:transition', 'complete')}{text('org:resource', x.resource)}{text('org:group', case.place)}")
            write(f'{text("siquan:kind", x.kind)}<int key="siquan:seq" value="{x.seq}"/>')
            for key, value in (("step", x.step), ("from", x.from_state), ("to", x.to_state), ("reason", x.reason), ("outcome", x.outcome), ("onBehalf", x.on_behalf)):
                if value:
                    write(text(f"siquan:{key}", value))
            write("</event>\n")
        write("</trace>\n")
        self.out.write(buffer.getvalue())

    def end(self) -> None:
        self.out.write("</log>\n")


def _xml(text: str) -> str:
    """Without the characters XML does not know."""
    return "".join(c for c in text if c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff"))


