"""Which open cases may go to the version of their process that is in force: asked of each, nothing written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from siquan.core.errors import BadInput
from siquan.core.policy.force import Bound
from siquan.core.service.administering import must_change
from siquan.core.service.app import App
from siquan.core.service.context import Context
from siquan.core.service.fitting import FREE, MAP, NEVER, Family, family
from siquan.core.store.rows import Case
from siquan.core.views_change import PlanCase, PlanView

PAGE = 200
#: cases a plan lists of each kind
SHOWN = 200
SAME = "same"
Names = dict[str, dict[str, str]]


class Planning:
    def __init__(self, app: App) -> None:
        self.app = app

    def _process(self, process: str) -> str:
        spec = self.app.definition(process).spec
        if spec.child_of is not None:
            raise BadInput(why=f"“{spec.title}”是子事项，随所属事项一起迁移；请写 `{spec.child_of.process}`")
        return spec.id

    def names(self, process: str, mapping: Sequence[str] | Mapping[str, Mapping[str, str]], target: Bound) -> Names:
        """`old=new`, for a child process `process:old=new`, as {process: {old: new}}. Raises BadInput."""
        if isinstance(mapping, Mapping):
            found = {p: dict(names) for p, names in mapping.items() if names}
        else:
            found = {}
            for text in mapping:
                old, eq, new = text.partition("=")
                head, colon, state = old.strip().rpartition(":")
                if not eq or not state.strip() or not new.strip():
                    raise BadInput(why=f"`{text[:80]}` 应写成 旧状态=新状态")
                own = self._member(process, head.strip(), target) if colon else process
                if state.strip() in found.setdefault(own, {}):
                    raise BadInput(why=f"`{state.strip()[:60]}` 写了两次")
                found[own][state.strip()] = new.strip()
        for own, names in found.items():
            definition = target.definitions.get(own)
            if definition is None:
                raise BadInput(why=f"新版本没有流程 `{own[:60]}`")
            for old, new in names.items():
                there = definition.spec.state(new)
                if there is None:
                    raise BadInput(why=f"新版本的“{definition.spec.title}”没有状态 `{new[:60]}`")
                if there.final:
                    raise BadInput(why=f"`{new[:60]}` 是办结状态：迁移不替人作决定")
                if not self._known(own, old):
                    raise BadInput(why=f"没有一个版本的“{definition.spec.title}”有状态 `{old[:60]}`")
        return found

    def _member(self, process: str, name: str, target: Bound) -> str:
        plugin = process.partition(".")[0]
        for id in (name, f"{plugin}.{name}"):
            if id in target.definitions:
                return id
        raise BadInput(why=f"新版本没有流程 `{name[:60]}`")

    def _known(self, process: str, state: str) -> bool:
        with self.app.store.read() as tx:
            kept = tx.cases.count_versions(process)
            bounds = [self.app.pinned(tx, h) for h in kept]
            standing = {s for _, s in tx.cases.count_open_states(process)}
        return state in standing or any(d.spec.state(state) is not None for b in bounds if (d := b.definitions.get(process)) is not None)

    def target(self, process: str) -> Bound:
        with self.app.store.read() as tx:
            target = self.app.in_force(tx, process)
        self.app.remember(target)
        return target

    def heads(self, process: str) -> Iterator[str]:
        """Open cases without a parent, by id."""
        after = ""
        while True:
            with self.app.store.read() as tx:
                page = tx.cases.open_of(process, after, PAGE)
            yield from (c.id for c in page if not c.parent_id)
            if len(page) < PAGE:
                return
            after = page[-1].id

    def settled(self, context: Context, target: Bound) -> bool:
        """Whether there is nothing to move: the case follows the version, or, a standing body, always does."""
        if context.lost:
            return False
        return context.case.definition_hash == target.hash or self.app.bound(context.tx, context.case).hash == target.hash

    def plan(self, process: str, person: str, mapping: Sequence[str] | Names = (), lang: str = "zh", shown: int = SHOWN) -> PlanView:
        """Asks every open case; nothing is written."""
        id = self._process(process)
        with self.app.store.read() as tx:
            if person:  # nobody is whoever sits at the machine
                must_change(self.app, tx, person)
        target = self.target(id)
        return self._plan(id, target, self.names(id, mapping, target), lang, shown)

    def _plan(self, process: str, target: Bound, names: Names, lang: str, shown: int = SHOWN) -> PlanView:
        counts = {FREE: 0, MAP: 0, NEVER: 0, SAME: 0}
        cases: dict[str, list[PlanCase]] = {FREE: [], MAP: [], NEVER: []}
        missing: dict[tuple[str, str], tuple[str, int]] = {}
        heads = list(self.heads(process))
        for at in range(0, len(heads), PAGE):
            with self.app.store.read() as tx:
                for case_id in heads[at : at + PAGE]:
                    case = tx.cases.find(case_id)
                    if case is None or not case.is_open:
                        continue
                    context = Context(self.app, tx, case)
                    if self.settled(context, target):
                        counts[SAME] += 1
                        continue
                    found = family(context, target, names)
                    counts[found.kind] += 1
                    if len(cases[found.kind]) < shown:
                        cases[found.kind].append(plan_case(found, lang))
                    for f in found.fits:
                        if f.kind == MAP:
                            key = (f.case.process, f.case.state)
                            missing[key] = (f.state_title, missing.get(key, ("", 0))[1] + 1)
        spec = target.definitions[process].spec
        involved = dict.fromkeys([process, *(p for p, _ in missing), *names])
        choices = tuple((p, tuple((s.name, s.title) for s in target.definitions[p].spec.states if not s.final)) for p in involved if p in target.definitions)
        return PlanView(
            process, spec.title, target.hash, flat(names), counts, tuple(c for kind in (NEVER, MAP, FREE) for c in cases[kind]),
            tuple((p, s, title, n) for (p, s), (title, n) in sorted(missing.items())), choices,
        )  # fmt: skip


def plan_case(found: Family, lang: str) -> PlanCase:
    head, zh = found.head, lang == "zh"

    def said(case: Case, text: str) -> str:
        return text if case.id == head.case.id else f"{case.title}：{text}" if zh else f"{case.title}: {text}"

    reasons = tuple(said(case, w.zh if zh else w.en) for case, w in found.reasons)
    notes = tuple(said(f.case, w.zh if zh else w.en) for f in found.fits for w in f.notes)
    return PlanCase(
        head.case.id, head.case.number or "", head.case.title, head.case.state, head.state_title, head.to_state, head.to_title, found.kind,
        reasons, notes, len(found.fits) - 1, tuple(dict.fromkeys(w.code for _, w in found.reasons)),
    )  # fmt: skip


def flat(names: Mapping[str, Mapping[str, str]]) -> tuple[tuple[str, str, str], ...]:
    return tuple((p, old, new) for p, own in sorted(names.items()) for old, new in sorted(own.items()))
