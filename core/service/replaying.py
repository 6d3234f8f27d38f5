"""Every case rebuilt from its events and laid beside its rows: what differs was changed past the events.

Streamed: cases in pages, a short transaction each; nothing grows with their number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from siquan.core.engine.fold import Story, fold
from siquan.core.errors import SiquanError
from siquan.core.service.app import App
from siquan.core.service.assigning import SIGNERS
from siquan.core.service.context import Context
from siquan.core.service.duties import told_otherwise
from siquan.core.service.linking import MERGED
from siquan.core.service.papers import Papers
from siquan.core.service.timing import AT_MOST
from siquan.core.store.rows import Case, Event
from siquan.core.store.traces import TaskTrace, Traces
from siquan.core.store.transaction import Tx

PAGE = 200
Difference = dict[str, Any]


class Replaying:
    def __init__(self, app: App, papers: Papers) -> None:
        self.app, self.papers = app, papers

    def all(self, case_id: str | None = None, decisions: bool = True) -> Iterator[Difference]:
        """Differences as they are found; none is what should be."""
        if case_id is not None:
            with self.app.store.read() as tx:
                ids = [self.papers._id(tx, case_id)]
                yield from self._page(tx, ids, decisions)
            return
        after = ""
        while True:
            with self.app.store.read() as tx:
                ids = tx.cases.ids(after, PAGE)
                found = list(self._page(tx, ids, decisions)) if ids else []
            yield from found
            if len(ids) < PAGE:
                return
            after = ids[-1]

    def _page(self, tx: Tx, ids: list[str], decisions: bool) -> Iterator[Difference]:
        cases = tx.cases.get_many(ids)
        traces = Traces(tx, ids)
        events: dict[str, list[Event]] = {i: [] for i in ids}
        for event in tx.events.of_many(ids):
            events[event.case_id].append(event)
        for id in ids:
            case = cases.get(id)
            if case is None:
                continue
            try:
                yield from self._case(case, events[id], traces)
                yield from ({"case": id, "what": "obligation", **found} for found in told_otherwise(tx, id, events[id]))
            except (KeyError, TypeError, ValueError, AttributeError) as fault:
                # an event somebody wrote by hand need not have what ours have
                yield {"case": id, "what": "events", "events": f"{fault.__class__.__name__}: {fault}", "row": ""}
            if decisions:
                yield from self._decisions(tx, case, traces)

    def _decisions(self, tx: Tx, case: Case, traces: Traces) -> Iterator[Difference]:
        context = Context(self.app, tx, case)
        for row in traces.decisions.get(case.id, ()):
            try:
                verdict = self.papers._replay(context, row)
            except SiquanError as fault:
                verdict = fault.text("zh")
            if verdict not in ("same", "erased", ""):
                yield {"case": case.id, "what": "decision", "decision": row.id, "ruleset": row.ruleset, **({} if verdict == "differs" else {"why": verdict})}

    def _case(self, case: Case, events: list[Event], traces: Traces) -> Iterator[Difference]:
        story = fold(events)

        def differs(what: str, want: Any, have: Any, **more: Any) -> Iterator[Difference]:
            if want != have:
                yield {"case": case.id, "what": what, "events": want, "row": have, **more}

        first = events[0].data if events else {}
        pinned = [e.data["definition"] for e in events if e.data.get("definition")]
        yield from differs("state", story.state, case.state)
        yield from differs("revision", story.revision, case.revision)
        yield from differs("outcome", story.outcome, case.outcome or "")
        yield from differs("open", not story.outcome, case.is_open)
        yield from differs("definition", pinned[-1] if pinned else "", case.definition_hash)
        yield from differs("opener", story.opener, case.opened_by)
        yield from differs("parent", first.get("parent", ""), case.parent_id or "")
        opened = sorted({str(e.data["child"]) for e in events if e.data.get("child")})
        children = traces.children.get(case.id, set())
        yield from differs("children", opened, [c for c in opened if c in children])
        yield from self._title(case, first, traces)
        yield from self._tasks(case, story, traces)
        yield from self._deadlines(case, story, events, traces)
        yield from differs("merged", [story.closed_with] if story.outcome == MERGED else [], traces.merged.get(case.id, []))
        have = traces.facts.get(case.id, {})
        for path in sorted({*story.facts, *have}):
            yield from differs("fact", story.facts.get(path, ""), have.get(path, ""), path=path)

    def _title(self, case: Case, first: dict[str, Any], traces: Traces) -> Iterator[Difference]:
        """The title is committed to when a case is opened; those opened before that was done are not asked."""
        if not first.get("titled"):
            return
        commitment, title = traces.titles.get(case.id, ("", None))
        if commitment != first["titled"] or (title is not None and title != case.title):
            yield {"case": case.id, "what": "title", "events": title or "", "row": case.title}

    def _tasks(self, case: Case, story: Story, traces: Traces) -> Iterator[Difference]:
        have = sorted(traces.tasks.get(case.id, []))
        want = sorted(TaskTrace(story.state, t.key, t.kind, t.person) for t in story.tasks.values() if t.open)
        if len(have) == len(want) == 1 and not have[0].key:  # opened before tasks had keys
            want = [want[0]._replace(key="")]
        if have != want:
            yield {"case": case.id, "what": "task", "events": [":".join(x) for x in want], "row": [":".join(x) for x in have]}
        work, signed = next((t for t in want if t.kind == "work"), None), any(t.kind == "sign" for t in story.tasks.values())
        holder = "" if story.outcome else work.person if work else SIGNERS if signed else ""
        if holder != case.holder:
            yield {"case": case.id, "what": "holder", "events": holder, "row": case.holder}

    def _deadlines(self, case: Case, story: Story, events: list[Event], traces: Traces) -> Iterator[Difference]:
        """Open ones belong to the state the case stands in, and one is marked as passed only if an event says so."""
        rows = traces.deadlines.get(case.id, [])
        entered = story.entered.get(story.state)
        # a clock that was set back during this stay dates what the stay brought before its beginning
        since = min((e.at for e in events[next((n for n, e in enumerate(events) if e.at == entered), len(events)) :]), default=entered)
        passed: dict[str, int] = {}
        for e in events:
            if e.kind == "deadline":
                passed[e.data["name"]] = passed.get(e.data["name"], 0) + 1
        fired: dict[str, int] = {}
        still = bool(story.pauses) and not story.pauses[-1][1]
        for row in rows:
            if row.name == AT_MOST:
                wrong = row.status == "open" and "" not in story.held
            else:
                wrong = row.status in ("open", "paused") and (row.status == "paused") != still
            if wrong:
                yield {"case": case.id, "what": "deadline", "events": "paused" if still else "open", "row": row.status, "name": row.name}
            if row.status in ("open", "paused") and (story.outcome or row.state != story.state or (since is not None and row.created_at < since)):
                yield {"case": case.id, "what": "deadline", "events": "met", "row": row.status, "name": row.name}
            if row.fired_at is not None:
                fired[row.name] = fired.get(row.name, 0) + 1
        for name, n in fired.items():
            if n > passed.get(name, 0):
                yield {"case": case.id, "what": "deadline", "events": f"passed {passed.get(name, 0)}", "row": f"passed {n}", "name": name}
        due: dt.date | None = min((r.end_date for r in rows if r.status == "open"), default=None)
        if due != case.due_on:
            yield {"case": case.id, "what": "due_on", "events": due.isoformat() if due else "", "row": case.due_on.isoformat() if case.due_on else ""}
