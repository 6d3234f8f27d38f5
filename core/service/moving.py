"""Open cases taken to the version of their process that is in force: planned by one person, confirmed by another, carried
out a case at a time, and put back where nobody has acted since.

A case goes with its open children: all of them in one transaction, an event each. What it was decided by stays on record;
what it has stated stays as it was stated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from siquan.core.engine.fold import Story
from siquan.core.errors import BadInput, NotFound, Refused, SiquanError
from siquan.core.jobs import Jobs, Run
from siquan.core.policy.force import Bound
from siquan.core.service.acts import MAX_TEXT, Acts
from siquan.core.service.administering import may_change, must_change
from siquan.core.service.app import ZONE, App
from siquan.core.service.assigning import asked, follow
from siquan.core.service.context import Context
from siquan.core.service.fitting import FREE, family
from siquan.core.service.planning import PAGE, SHOWN, Names, Planning, flat
from siquan.core.service.refusal import check_text
from siquan.core.service.timing import sync_deadlines
from siquan.core.spec.model import StateSpec
from siquan.core.store.database import DatabaseBusy
from siquan.core.store.move_rows import Migration, MigrationCase
from siquan.core.store.repository import plain_row
from siquan.core.store.rows import Case
from siquan.core.store.transaction import Tx
from siquan.core.views_change import MigrationView, PlanCase, PlanView


class MigrationRefused(Refused):
    """the migration cannot be {act}: {why}"""

    code = "SQ490"
    zh = "这次迁移现在不能{act_zh}：{why_zh}"
    http = 409


def migration_refused(act: str, act_zh: str, why: str, why_zh: str) -> MigrationRefused:
    return MigrationRefused(act=act, act_zh=act_zh, why=why, why_zh=why_zh)


class _Tried(Exception):
    """Ends a dry run's transaction."""


class Moving:
    """Without jobs (tests, in-memory stores, the command line) a migration runs at once."""

    def __init__(self, app: App, acts: Acts, planning: Planning) -> None:
        self.app, self.acts, self.planning = app, acts, planning
        self.jobs: Jobs | None = None

    def attach(self, jobs: Jobs) -> None:
        """Registers the job; every process that enqueues or works does the same."""
        self.jobs = jobs
        jobs.register("migrate", self._job, queue="bulk")

    def dry_run(self, process: str, person: str, mapping: Sequence[str] | Names = (), lang: str = "zh") -> PlanView:
        """Does it all and takes each case back at once: what a plan cannot foresee shows here."""
        view = self.planning.plan(process, person, mapping, lang)
        target = self.planning.target(view.process)
        names = self.planning.names(view.process, mapping, target)
        failed = []
        for case_id in self.planning.heads(view.process):
            try:
                with self.app.store.begin() as tx:
                    self._move(tx, case_id, target, names, "dry", person, "试运行")
                    raise _Tried
            except _Tried:
                pass
            except DatabaseBusy:
                raise
            except SiquanError as fault:
                with self.app.store.read() as tx:
                    case = tx.cases.get(case_id)
                failed.append(PlanCase(case.id, case.number or "", case.title, case.state, case.state, "", "", "failed", (fault.text(lang),)))
        return replace(view, dry=tuple(failed))

    # proposing and confirming

    def propose(self, process: str, person: str, reason: str, mapping: Sequence[str] | Names = ()) -> MigrationView:
        """Writes the plan down; a second person confirms it. Raises MigrationRefused when nothing may move."""
        check_text(reason, MAX_TEXT, "理由")
        if not reason.strip():
            raise BadInput(why="迁移要写明理由")
        view = self.planning.plan(process, person, mapping)
        target = self.planning.target(view.process)
        if not view.counts[FREE]:
            raise migration_refused("planned", "计划", "no open case may move", "没有一件在办的事可以迁移")
        with self.app.store.begin() as tx:
            must_change(self.app, tx, person)
            waiting = next((m for m in tx.moves.of(view.process) if m.status in ("planned", "running")), None)
            if waiting is not None:
                raise migration_refused("planned", "计划", f"`{waiting.id}` is not finished", f"还有一次没做完：{waiting.id}")
            self._keep(tx, target)
            names = {p: {old: new for q, old, new in view.mapping if q == p} for p, _, _ in view.mapping}
            row = tx.moves.add(process=view.process, to_hash=target.hash, mapping=names, reason=reason.strip(), by=person, counts=view.counts)
            tx.access.add(person, "migration.planned", row.id)
            return self._view(tx, row, person, "zh")

    def _keep(self, tx: Tx, target: Bound) -> None:
        if not tx.definitions.has(target.hash):
            tx.definitions.put(target.hash, "plugin", target.spec.name, target.spec.model_dump_json())

    def withdraw(self, migration_id: str, person: str) -> MigrationView:
        """Takes back a plan that nobody has confirmed. A run that was broken off, or that goes on, ends where it is: what
        moved has moved, and may be undone."""
        with self.app.store.begin() as tx:
            must_change(self.app, tx, person)
            row = tx.moves.get(migration_id)
            ended = tx.moves.change(row, "planned", status="withdrawn", ended_at=tx.at) or tx.moves.change(row, "running", status="done", ended_at=tx.at)
            if not ended:
                raise migration_refused("withdrawn", "撤回", "it is no plan any more", "它已经不是计划")
            return self._view(tx, tx.moves.get(row.id), person, "zh")

    def confirm(self, migration_id: str, person: str, *, here: bool = False) -> MigrationView:
        """The second person's word; then it runs, here or in the background. Said again of a run that was broken off, it
        goes on where that stopped."""
        with self.app.store.begin() as tx:
            must_change(self.app, tx, person, confirm=True)
            row = tx.moves.get(migration_id)
            if row.status not in ("planned", "running"):
                raise migration_refused("confirmed", "确认", f"it is {row.status}", f"它的状态是“{_STATUS[row.status]}”")
            if row.planned_by == person:
                raise migration_refused("confirmed", "确认", "who planned it may not confirm it", "计划的人不能自己确认")
            if self.app.in_force(tx, row.process).hash != row.to_hash:
                raise migration_refused("confirmed", "确认", "the process has changed since; plan again", "计划以后流程又变了，请撤回重新计划")
            tx.moves.change(row, "planned", status="running", confirmed_by=person, confirmed_at=tx.at)
            tx.access.add(person, "migration.confirmed", row.id)
            background = self.jobs is not None and not here
            if self.jobs is not None and background:
                job = self.jobs.enqueue("migrate", {"migration": row.id}, row.id, tx.conn)
        if background:
            assert self.jobs is not None
            status = self.jobs.status(job)
            if status is not None and status.state in ("failed", "cancelled"):
                self.jobs.retry(job)
        else:
            self.run(migration_id)
        return self.view(migration_id, person)

    def _job(self, run: Run, payload: Mapping[str, Any]) -> None:
        def told(done: int) -> None:
            with run.step(done=done):
                pass

        self.run(str(payload["migration"]), told)

    # carrying out

    def run(self, migration_id: str, progress: Callable[[int], None] | None = None) -> None:
        """Every open case, each family in a transaction of its own. What was moved before is not moved again."""
        with self.app.store.read() as tx:
            row = tx.moves.get(migration_id)
            target = self.app.in_force(tx, row.process)
            if target.hash != row.to_hash:
                target = self.app.pinned(tx, row.to_hash)
        if row.status != "running":
            return
        self.app.remember(target)
        for n, case_id in enumerate(self.planning.heads(row.process), start=1):
            if not self._one(row, case_id, target):
                return
            if progress is not None and n % 50 == 0:
                progress(n)
        with self.app.store.begin() as tx:
            tx.moves.change(row, "running", status="done", ended_at=tx.at)

    def _one(self, row: Migration, case_id: str, target: Bound) -> bool:
        """False when the run was ended meanwhile."""
        try:
            with self.app.store.begin() as tx:
                if tx.moves.get(row.id).status != "running":
                    return False
                self._move(tx, case_id, target, row.mapping, row.id, row.confirmed_by or "", row.reason)
        except DatabaseBusy:
            raise
        except SiquanError as fault:
            with self.app.store.begin() as tx:
                case = tx.cases.get(case_id)
                tx.moves.note(row.id, case_id, case_id, "failed", why=fault.text("zh"), from_hash=case.definition_hash, from_state=case.state)
        return True

    def _move(self, tx: Tx, case_id: str, target: Bound, names: Mapping[str, Mapping[str, str]], migration: str, person: str, reason: str) -> None:
        """One case with its open children, under their locks; on record either way."""
        context = self.acts._locked(tx, case_id, None)
        if not context.case.is_open or self.planning.settled(context, target):
            return
        found = family(context, target, names)
        dry = migration == "dry"
        if found.kind != FREE:
            why = "；".join(dict.fromkeys(w.zh for _, w in found.reasons))
            if not dry:
                tx.moves.note(migration, case_id, case_id, "left", why=why, from_hash=context.case.definition_hash, from_state=context.case.state)
            return
        moved = []
        for f in found.fits:
            case = tx.cases.lock(f.case.id)
            moved.append((case, f.to_state, self._write(tx, case, f.to_state, target, names.get(case.process, {}), migration, person, reason)))
        contexts: dict[str, Context] = {}
        for case, to, _ in moved:
            now = replace(case, state=to, definition_hash=target.hash)
            contexts[case.id] = Context(self.app, tx, now, parent=contexts.get(case.parent_id or ""))
        for case, to, (seq, earlier) in reversed(moved):  # a parent reads its children as they have become
            fresh = contexts[case.id]
            self._retime(fresh, case.state)
            tx.cases.update(
                case.id, case.revision, state=to, definition_hash=target.hash, due_on=sync_deadlines(fresh), holder=follow(fresh, person)
            )
            if case.parent_id:
                tx.cases.bump_children(case.parent_id)
            if not dry:
                tx.moves.note(
                    migration, case.id, case_id, "moved", from_hash=case.definition_hash, from_state=case.state, to_state=to, seq=seq, earlier=earlier
                )

    def _write(
        self, tx: Tx, case: Case, to: str, target: Bound, names: Mapping[str, str], migration: str, person: str, reason: str
    ) -> tuple[int, dict[str, Any]]:
        """The event, and what an undo will need."""
        rows = tx.deadlines.live(case.id)
        earlier = {"deadlines": [plain_row(d) for d in rows]}
        seq = tx.events.next_seq(case.id)
        data: dict[str, Any] = {
            "from": case.state, "to": to, "revision": case.revision + 1, "pinned_from": case.definition_hash, "definition": target.hash,
            "migration": migration, "mapping": dict(names), "opinion": tx.facts.put_opinion(case.id, seq, reason, person),
        }  # fmt: skip
        fresh = Context(self.app, tx, replace(case, state=to, definition_hash=target.hash))
        if _vote(Context(self.app, tx, case).state) != _vote(fresh.state):  # the version asks for other signatures, or for none
            fresh.story = self.app.stories.of(tx, case).copy()
            fresh.story.rename(names)
            data |= asked(fresh, fresh.state, seq) or {"tasks": [{"key": f"{seq}.1"}]}
        tx.events.append(case.id, "migrated", person, data)
        return seq, earlier

    def _retime(self, fresh: Context, was: str) -> None:
        """Deadlines of the state as the new version has them: what goes on bears its new name, what the version
        no longer has is cancelled."""
        tx, case = fresh.tx, fresh.case
        dues = {d.name: d for d in fresh.state.dues}
        for row in tx.deadlines.live(case.id):
            if row.state != was:
                continue
            due = dues.get(row.name)
            if due is not None:
                tx.deadlines.relabel(row.id, case.state, due.then)
            elif row.status == "open":
                tx.deadlines.settle(row.id, "cancelled")

    # undoing

    def undo(self, migration_id: str, person: str, reason: str) -> MigrationView:
        """Puts back every case nobody has acted on since; the others are listed with the reason."""
        check_text(reason, MAX_TEXT, "理由")
        if not reason.strip():
            raise BadInput(why="撤销迁移要写明理由")
        with self.app.store.begin() as tx:
            must_change(self.app, tx, person, confirm=True)
            row = tx.moves.get(migration_id)
            if row.status not in ("done", "undone"):
                raise migration_refused("undone", "撤销", f"it is {row.status}", f"它的状态是“{_STATUS[row.status]}”")
            tx.moves.change(row, "done", status="undone", undone_by=person, undone_at=tx.at, undo_reason=reason.strip())
            tx.access.add(person, "migration.undone", row.id)
        for status in ("moved", "kept"):
            after = ""
            while True:
                with self.app.store.read() as tx:
                    heads = tx.moves.heads(row.id, status, after, PAGE)
                for head in heads:
                    self._back(row, head, person, reason.strip())
                if len(heads) < PAGE:
                    break
                after = heads[-1]
        return self.view(migration_id, person)

    def _back(self, row: Migration, head: str, person: str, reason: str) -> None:
        with self.app.store.begin() as tx:
            context = self.acts._locked(tx, head, None)
            members = tx.moves.family(row.id, head)
            cases = {m.case_id: tx.cases.lock(m.case_id) for m in members}
            why = self._touched(tx, row, members, cases)
            if why:
                tx.moves.mark(row.id, [m.case_id for m in members], "kept", why)
                return
            for m in members:
                self._restore(tx, row, m, cases[m.case_id], person, reason)
            tx.moves.mark(row.id, [m.case_id for m in members], "undone")
            self.acts._touch_parent(context)

    def _touched(self, tx: Tx, row: Migration, members: list[MigrationCase], cases: Mapping[str, Case]) -> str:
        for m in members:
            case = cases[m.case_id]
            story: Story = self.app.stories.of(tx, case)
            if not story.before or story.before[-1][0] != m.seq:
                return f"{case.number or case.title}迁移以后有人办过"
            for child in tx.cases.children(m.case_id):
                if child.id not in cases and child.is_open and child.definition_hash == row.to_hash:
                    return f"{case.number or case.title}迁移以后新开了子事项"
        return ""

    def _restore(self, tx: Tx, row: Migration, m: MigrationCase, case: Case, person: str, reason: str) -> None:
        seq = tx.events.next_seq(case.id)
        data: dict[str, Any] = {
            "from": case.state, "to": m.from_state, "revision": case.revision + 1, "pinned_from": case.definition_hash,
            "definition": m.from_hash, "migration": row.id, "undo": True, "undoes": m.seq,
            "opinion": tx.facts.put_opinion(case.id, seq, reason, person),
        }  # fmt: skip
        tx.events.append(case.id, "migrated", person, data)
        known = {d["id"] for d in m.earlier["deadlines"]}
        for d in tx.deadlines.of(case.id, "open"):
            if d.id not in known:
                tx.deadlines.settle(d.id, "cancelled")
        for was in m.earlier["deadlines"]:
            tx.deadlines.put_back(was)
        back = Context(self.app, tx, replace(case, state=m.from_state, definition_hash=m.from_hash))
        tx.cases.update(
            case.id, case.revision, state=m.from_state, definition_hash=m.from_hash, due_on=tx.deadlines.next_of(case.id), holder=follow(back, person)
        )
        if case.parent_id:
            tx.cases.bump_children(case.parent_id)

    # reading

    def view(self, migration_id: str, person: str, lang: str = "zh", status: str = "", page: int = 1) -> MigrationView:
        with self.app.store.read() as tx:
            must_change(self.app, tx, person)
            row = tx.moves.get(migration_id)
            rows = tx.moves.cases(row.id, status, SHOWN, (max(page, 1) - 1) * SHOWN)
            found = tx.cases.get_many([r.case_id for r in rows])
            return replace(self._view(tx, row, person, lang), cases=tuple(_line(tx, self.app, r, found[r.case_id], row.to_hash) for r in rows))

    def all(self, person: str, process: str = "", lang: str = "zh", limit: int = 50) -> tuple[MigrationView, ...]:
        id = self.app.definition(process).spec.id if process else ""
        with self.app.store.read() as tx:
            must_change(self.app, tx, person)
            return tuple(self._view(tx, m, person, lang) for m in tx.moves.of(id, limit))

    def _view(self, tx: Tx, row: Migration, person: str, lang: str) -> MigrationView:
        definition = self.app.catalogue.definitions.get(row.process)
        may = may_change(self.app, tx, person, confirm=True)
        return MigrationView(
            row.id, row.process, definition.spec.title if definition else row.process, row.to_hash, flat(row.mapping), row.status, row.reason,
            self.app.person_name(tx, row.planned_by), row.planned_at.astimezone(ZONE),
            self.app.person_name(tx, row.confirmed_by) if row.confirmed_by else "", row.confirmed_at.astimezone(ZONE) if row.confirmed_at else None,
            row.ended_at.astimezone(ZONE) if row.ended_at else None, self.app.person_name(tx, row.undone_by) if row.undone_by else "",
            row.undone_at.astimezone(ZONE) if row.undone_at else None, row.undo_reason, dict(row.counts), tx.moves.tally(row.id), (),
            may and row.status in ("planned", "running") and row.planned_by != person, may and row.status == "done", row.planned_by == person,
        )  # fmt: skip

    def find(self, name: str) -> str:
        """The id of a migration by the beginning of it."""
        with self.app.store.read() as tx:
            found = [m.id for m in tx.moves.of(limit=1000) if m.id.startswith(name)] if len(name) >= 6 else []
        if len(found) != 1:
            raise NotFound(kind="迁移", name=name)
        return found[0]


def _vote(state: StateSpec) -> tuple[Any, ...] | None:
    """What signatures given in a state are worth in another version of it only where it is the same there."""
    sign = state.sign
    return None if sign is None else (sign.by, sign.mode, sign.each, sign.share, state.task is not None)


_STATUS = {"planned": "计划", "running": "正在迁移", "done": "已完成", "withdrawn": "已撤回", "undone": "已撤销"}


def _line(tx: Tx, app: App, row: MigrationCase, case: Case, to_hash: str) -> PlanCase:
    def title(digest: str, state: str) -> str:
        definition = app.pinned(tx, digest).definitions.get(case.process) if digest else None
        found = definition.spec.state(state) if definition is not None else None
        return found.title if found else state

    return PlanCase(
        case.id, case.number or "", case.title, row.from_state, title(row.from_hash, row.from_state), row.to_state, title(to_hash, row.to_state),
        row.status, (row.why,) if row.why else (),
    )  # fmt: skip
