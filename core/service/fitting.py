"""Whether an open case fits another version of its process: as it is, under another state, or not at all, and why.

The plan and the move itself ask the same question here, so that what the plan says is what happens.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from siquan.core.engine.access import able, ways
from siquan.core.engine.definition import Definition
from siquan.core.engine.fold import Story
from siquan.core.errors import SiquanError
from siquan.core.policy.force import Bound
from siquan.core.rules.facts import Reader
from siquan.core.service.app import App
from siquan.core.service.context import Context
from siquan.core.service.timing import foreseen
from siquan.core.spec.model import FactSpec
from siquan.core.store.rows import Case
from siquan.core.store.transaction import Tx

#: process -> {old state: new state}
Mapping_ = Mapping[str, Mapping[str, str]]
FREE, MAP, NEVER = "free", "map", "never"
_WORSE = {FREE: 0, MAP: 1, NEVER: 2}


@dataclass(frozen=True)
class Word:
    """Why, in both languages."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True)
class Fit:
    """What a case would become. `kind` is free, map (it needs another state to stand in) or never; `notes` are what else
    changes for it."""

    case: Case
    to_state: str
    to_title: str
    kind: str
    reasons: tuple[Word, ...] = ()
    notes: tuple[Word, ...] = ()
    state_title: str = ""


@dataclass(frozen=True)
class Family:
    """A case with its open children: they go together or not at all."""

    fits: tuple[Fit, ...]

    @property
    def head(self) -> Fit:
        return self.fits[0]

    @property
    def kind(self) -> str:
        return max((f.kind for f in self.fits), key=lambda k: _WORSE[k])

    @property
    def reasons(self) -> tuple[tuple[Case, Word], ...]:
        return tuple((f.case, r) for f in self.fits for r in f.reasons)


def family(context: Context, target: Bound, mapping: Mapping_) -> Family:
    return Family(tuple(_family(context, None, target, mapping)))


def _family(context: Context, above: Context | None, target: Bound, mapping: Mapping_) -> Iterator[Fit]:
    fitting = Fitting(context, target, mapping, above)
    yield fitting.fit()
    for child in context.tx.cases.children(context.case.id):
        if child.is_open:
            yield from _family(Context(context.app, context.tx, child, parent=context), fitting.then, target, mapping)


def moved_story(story: Story, names: Mapping[str, str], state: str) -> Story:
    """The story as the fold will have it after the move."""
    out = story.copy()
    at = out.entered.get(out.state)
    out.rename(names)
    out.state = state
    if at is not None:
        out.entered.setdefault(state, at)
    return out


class Fitting:
    """One case against one version."""

    def __init__(self, context: Context, target: Bound, mapping: Mapping_, above: Context | None) -> None:
        self.old, self.target, self.case = context, target, context.case
        self.names = mapping.get(self.case.process, {})
        self.state = self.names.get(self.case.state, self.case.state)
        self.definition = target.definitions.get(self.case.process)
        self.then: Context | None = None
        if self.definition is not None and self.definition.spec.state(self.state) is not None:
            moved = replace(self.case, definition_hash=target.hash, state=self.state)
            self.then = Context(context.app, context.tx, moved, parent=above)
            self.then.__dict__["parent"] = above  # not the parent as it is now
            self.then.__dict__["definition"] = self.definition
            self.then.__dict__["book"] = target.book
            self.then.__dict__["story"] = moved_story(context.story, self.names, self.state)

    def fit(self) -> Fit:
        definition = self.definition
        if definition is None:
            word = Word("child_gone", f"新版本没有“{self.old.spec.title}”这个流程", f"the new version has no process {self.case.process}")
            return self._out(NEVER, [word])
        state = definition.spec.state(self.state)
        if state is None or (state.final and not self.old.state.final):
            gone = "没有" if state is None else "已是办结状态的"
            zh = f"新版本{gone}“{self._title(self.state)}”，要指定改到哪个状态"
            en = f"the new version {'has no state' if state is None else 'ends a case in'} `{self.state}`: say which state takes its place"
            return self._out(MAP, [Word("state_gone" if state is None else "state_final", zh, en)])
        assert self.then is not None
        reasons = [*self._held(), *self._parent(definition), *self._facts(definition), *self._nobody(self.then)]
        notes = [*self._lost_facts(definition), *self._children(definition)]
        try:
            if not self.case.parent_id or self.then.parent is not None:
                notes += self._deadlines(self.then)
        except SiquanError as fault:
            reasons.append(Word("deadline", f"期限算不出：{fault.text('zh')}", f"a deadline cannot be computed: {fault.text('en')}"))
        return self._out(NEVER if reasons else FREE, reasons, notes)

    def _out(self, kind: str, reasons: list[Word], notes: list[Word] | None = None) -> Fit:
        state = self.definition.spec.state(self.state) if self.definition else None
        return Fit(
            self.case, self.state, state.title if state else self.state, kind, tuple(reasons), tuple(notes or ()), self.old.state.title
        )

    def _title(self, state: str) -> str:
        found = self.old.spec.state(state)
        return found.title if found else state

    # what keeps it

    def _held(self) -> Iterator[Word]:
        """Nothing is done with a suspended case, and its deadlines stand still until it goes on."""
        if self.old.story.held:
            yield Word("suspended", "已挂起，恢复以后再迁移", "it is suspended: resume it first")

    def _parent(self, definition: Definition) -> Iterator[Word]:
        """A child stands under a name in its parent, which has to know it still."""
        spec = definition.spec
        if self.case.parent_name and (spec.child_of is None or spec.child_of.name != self.case.parent_name):
            yield Word("child_gone", f"新版本里“{spec.title}”不再是上级事项的“{self.case.parent_name}”", f"children are no longer called {self.case.parent_name}")

    def _facts(self, definition: Definition) -> Iterator[Word]:
        """Recorded values that read under the old version and no longer do."""
        current = self.old.tx.facts.current(self.case.id)
        for path, value in current.items():
            spec, was = definition.schema.get(path), self.old.definition.schema.get(path)
            if value.value is None or spec is None or _alike(spec, was):
                continue
            if _reads(definition, path, value.envelope()) or (was is not None and not _reads(self.old.definition, path, value.envelope())):
                continue
            title = self.old.definition.schema.title(path) if was is not None else path
            yield Word("fact_unreadable", f"已录入的“{title}”按新版本读不出来", f"the recorded value of `{path}` does not read any more")
        for name, spec in definition.schema.top.items():
            was = self.old.definition.schema.top.get(name)
            if spec.collection and was is not None and not _alike(spec, was) and not self._rows_read(definition, name):
                yield Word("fact_unreadable", f"台账“{was.title or name}”里有按新版本读不出来的行", f"rows of `{name}` do not read any more")

    def _rows_read(self, definition: Definition, name: str) -> bool:
        rows = [dict(r.data or {}) for r in self.old.tx.collections.rows(self.case.id, name)]
        reader = Reader(definition.schema, dt.date.max)
        reader.rows(name, definition.schema.top[name], rows, True)
        return not reader.errors

    def _nobody(self, then: Context) -> Iterator[Word]:
        """Somebody could act before, nobody could afterwards."""
        if not _stands_still(then) or _stands_still(self.old):
            return
        roles = "、".join(dict.fromkeys(then.spec.roles[r].title for t in then.state.transitions for r in (t.by or then.state.by) if r in then.spec.roles))
        yield Word("nobody", f"到了“{then.state.title}”没有人能办：{roles or '没有岗位'}没有人担任", f"nobody could act in `{self.state}`")

    # what else changes

    def _lost_facts(self, definition: Definition) -> Iterator[Word]:
        for path in self.old.tx.facts.current(self.case.id):
            was = self.old.definition.schema.get(path)
            if was is not None and definition.schema.get(path) is None:
                title = self.old.definition.schema.title(path)
                yield Word("fact_gone", f"“{title}”留在记录里，新版本不再读它", f"`{path}` stays on record and is not read any more")

    def _children(self, definition: Definition) -> Iterator[Word]:
        for name in sorted({c.parent_name or "" for c in self.old.tx.cases.children(self.case.id)}):
            if name not in definition.children:
                yield Word("children_gone", f"子事项“{name}”在新版本里不再列出", f"children called `{name}` are not listed any more")

    def _deadlines(self, then: Context) -> Iterator[Word]:
        rows = self.old.tx.deadlines.of(self.case.id, "open")
        open_ = {d.name: d.end_date for d in rows if d.state == self.case.state}
        titles = {d.name: d.title or then.state.title for d in then.state.dues}
        coming = foreseen(then)
        for name, due in coming.items():
            if due is None:
                continue
            if name not in open_:
                yield Word("deadline_new", f"新期限“{titles[name]}”：{due.end}", f"new deadline `{name}`: {due.end}")
            elif open_[name] != due.end:
                yield Word("deadline_moved", f"期限“{titles[name]}”：{open_[name]} → {due.end}", f"deadline `{name}`: {open_[name]} → {due.end}")
        for name in open_:
            if coming.get(name) is None:
                yield Word("deadline_gone", f"期限“{name}”（{open_[name]}）不再有", f"the deadline `{name}` ({open_[name]}) is gone")


def _alike(a: FactSpec, b: FactSpec | None) -> bool:
    """The same but for their places in files."""
    return b is not None and a.model_dump() == b.model_dump()


def _reads(definition: Definition, path: str, envelope: Mapping[str, object]) -> bool:
    reader = Reader(definition.schema, dt.date.max)
    return path in reader.read({path: dict(envelope)}, check=False) and not reader.errors


def _stands_still(context: Context) -> bool:
    """Whether no person may take any step of the state, and no clock moves the case on."""
    return stuck_here(context) != ""


def stuck_here(context: Context) -> str:
    """Why nobody can move a case on from where it stands: `state` it is not known, `nobody` holds a post; empty when
    somebody can, or a deadline will."""
    if context.lost:
        return "state"
    spec, state = context.definition.spec, context.state
    steps = [t for t in state.transitions if not t.auto]
    if not steps and (any(d.then != "remind" for d in state.dues) or any(t.auto for t in state.transitions)):
        return ""
    cast = context.cast()
    for step in steps:
        if any(_active(context.app, context.tx, p) for p in able(ways(spec, state, step, cast), cast)):
            return ""
    return "nobody"


def troubles(context: Context, lang: str = "zh") -> tuple[str, ...]:
    """Why an open case cannot go on, in words for its page; nothing is wrong with most."""
    if not context.case.is_open:
        return ()
    zh = lang == "zh"
    if context.lost:
        title = context.state.title
        return (
            f"现行流程里已经没有“{title}”这个状态，没有一步可以办。请管理员修复，或连同别的事项一起迁移。"
            if zh else f"the process no longer has the state “{title}”: an administrator has to repair the case, or migrate it with others",
        )  # fmt: skip
    if stuck_here(context) == "nobody":
        return ("现在没有人能办这一步：岗位上没有在职的人。请管理员指定人员，或修复到别的状态。" if zh else "nobody holds a post that may act here: an administrator has to appoint somebody, or repair the case",)
    gone = [context.name_of(t.person) for t in context.story.tasks.values() if t.open and t.person and not context.app.serves(context.tx, t.person)]
    if gone:
        names = "、".join(gone)
        return (f"在{names}手里，已经离岗。请管理员在人员页把他的事转给别人。" if zh else f"it is with {names}, who left: an administrator has to move it to somebody else",)
    return ()


def _active(app: App, tx: Tx, person: str) -> bool:
    found = tx.people.find(person)
    return found is not None and found.active
