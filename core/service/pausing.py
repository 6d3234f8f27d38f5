"""Suspend 挂起 and resume 恢复: nothing is done in between, and with the clocks stopped no time passes.

Invariant: a deadline open at both ends of a pause has the same (working) days left after it as before it.
"""

from __future__ import annotations

from typing import Any

from siquan.core.service.acts import SYSTEM, Acts
from siquan.core.service.context import Context
from siquan.core.service.duties import catch_up, put_off
from siquan.core.service.timing import AT_MOST, go_on, hold, length_of, stopped, until
from siquan.core.spec.model import VerbSpec
from siquan.core.store.rows import Deadline
from siquan.core.store.transaction import Tx
from siquan.core.views import ActResult


class Pausing:
    def __init__(self, acts: Acts) -> None:
        self.app, self.acts = acts.app, acts

    def suspend(self, context: Context, verb: VerbSpec, person: str, more: dict[str, Any]) -> ActResult:
        """Of a locked case, all refusals done; its open children are suspended with it."""
        tx, case = context.tx, context.case
        seq = self._suspended(context, person, verb.clocks, more)
        if verb.at_most is not None:
            due = length_of(context, verb.at_most, context.today, verb.step.title)
            if due is not None:
                version = int(self.app.calendar(tx).version or 0)
                tx.deadlines.add(
                    case.id, case.state, AT_MOST, due.start, due.end, then="resume", provisional=due.provisional, record=due.to_json(),
                    calendar_version=version,
                )  # fmt: skip
        fresh = self.acts._fresh(context)
        tx.cases.update(case.id, case.revision, due_on=tx.deadlines.next_of(case.id))
        self._children(context, person, verb.clocks, True)
        self.acts._touch_parent(context)
        return self.acts._result(fresh, seq)

    def resume(self, context: Context, person: str, more: dict[str, Any]) -> ActResult:
        tx, case = context.tx, context.case
        seq = self._resumed(context, person, more)
        for row in tx.deadlines.of(case.id, "open"):
            if row.name == AT_MOST:
                tx.deadlines.settle(row.id, "met")
        fresh = self.acts._fresh(context)
        tx.cases.update(case.id, case.revision, due_on=tx.deadlines.next_of(case.id))
        self._children(context, person, "", False)
        self.acts._touch_parent(context)
        return self.acts._result(fresh, seq)

    def resume_by_clock(self, tx: Tx, row: Deadline) -> None:
        """The longest time a case may be suspended is over."""
        context = self.acts._locked(tx, row.case_id, None)
        if "" in context.story.held:
            self.resume(context, SYSTEM, {})

    def _children(self, context: Context, person: str, clocks: str, begin: bool) -> None:
        tx, source = context.tx, context.case.id
        for child in tx.cases.children(source):
            below = Context(self.app, tx, child, parent=context)
            if not child.is_open or (not begin and source not in below.story.held):
                continue
            below = Context(self.app, tx, tx.cases.lock(child.id), parent=context)
            below.way = context.way
            if begin:
                catch_up(below)
                self._suspended(below, person, clocks, {"with": source})
            else:
                self._resumed(below, person, {"with": source})
            tx.cases.update(child.id, below.case.revision, due_on=tx.deadlines.next_of(child.id))
            tx.cases.bump_children(source)
            self._children(below, person, clocks, begin)

    def _suspended(self, context: Context, person: str, clocks: str, more: dict[str, Any]) -> int:
        case = context.case
        data = {"clocks": clocks, "to": case.state, "revision": case.revision + 1, **more}
        stop = clocks == "stop" and not stopped(context)
        if stop:
            data["since"] = context.today.isoformat()
        seq = context.tx.events.next_seq(case.id)
        context.record("suspended", person, data)
        if stop:
            hold(self.acts._fresh(context))
        return seq

    def _resumed(self, context: Context, person: str, more: dict[str, Any]) -> int:
        case = context.case
        data = {"to": case.state, "revision": case.revision + 1, **more}
        others = {source: clocks for source, clocks in context.story.held.items() if source != more.get("with", "")}
        go = stopped(context) and "stop" not in others.values()
        if go:
            data["until"] = until(context)
        seq = context.tx.events.next_seq(case.id)
        context.record("resumed", person, data)
        if go:
            fresh = self.acts._fresh(context)
            go_on(fresh)
            put_off(fresh)
        return seq
