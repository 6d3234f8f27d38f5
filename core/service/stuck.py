"""Cases nobody can move on: asked of groups that stand alike, so that a hundred thousand cases are a few hundred questions."""

from __future__ import annotations

from siquan.core.engine.access import acting_roles
from siquan.core.errors import SiquanError
from siquan.core.service.app import App
from siquan.core.service.context import Context
from siquan.core.service.fitting import stuck_here
from siquan.core.spec.model import RoleSpec
from siquan.core.store.rows import Case
from siquan.core.store.transaction import Tx
from siquan.core.views_change import StuckCase

TEXT = {
    "state": ("现行流程里没有这个状态", "the process does not know the state"),
    "nobody": ("没有人能办：岗位上没有在职的人", "nobody holds a post that may act"),
    "left": ("在{detail}手里，他已经离岗：在他的人员页转给别人", "it is with {detail}, who has left: move it on the page of that person"),
    "incident": ("有没有处理的异常：{detail}", "an incident is open: {detail}"),
    "task": ("没有待办的任务", "there is no open task"),
    "broken": ("定义读不出来：{detail}", "its definition cannot be read: {detail}"),
}


def _personal(role: RoleSpec) -> bool:
    """Whether another case may have another person in the role."""
    return bool(role.fact) or role.kind == "starter"


class Stuck:
    def __init__(self, app: App) -> None:
        self.app = app

    def find(self, lang: str = "zh", limit: int = 200) -> tuple[list[StuckCase], int]:
        """(the first cases, how many in all); a case is named once, by its gravest trouble."""
        found: dict[str, tuple[str, str]] = {}
        with self.app.store.read() as tx:
            recused = tx.events.with_recusal()
            for process, digest, state, place, n in tx.cases.standing():
                for case, why, detail in self._group(tx, process, digest, state, place, n, recused):
                    found.setdefault(case, (why, detail))
            for case_id, name in tx.tasks.with_leavers(self.app.today()):
                found.setdefault(case_id, ("left", name))
            for case_id in tx.cases.without_task():
                found.setdefault(case_id, ("task", ""))
            for incident in tx.incidents.latest("open", 1000):
                if incident.case_id:
                    found.setdefault(incident.case_id, ("incident", incident.message))
            ids = list(found)[:limit]
            cases = tx.cases.get_many(ids)
            return [self._line(tx, cases[i], *found[i], lang) for i in ids if i in cases], len(found)

    def _group(self, tx: Tx, process: str, digest: str, state: str, place: str, n: int, recused: set[str]) -> list[tuple[str, str, str]]:
        """Cases of one version, state and place stand alike, but for who opened them, whom a fact names, who is recused."""

        def cases(limit: int = n) -> list[Case]:
            return tx.cases.standing_in(process, digest, state, place, limit)

        sample = cases(1)
        if not sample:
            return []
        try:
            context = Context(self.app, tx, sample[0])
            spec, own = context.definition.spec, context.state
            roles = {r for t in own.transitions if not t.auto for r in acting_roles(spec, own, t) or ("",)}
            if context.lost or not roles or not (own.transitions and any(r == "" or _personal(spec.role(r)) for r in roles)):
                why = stuck_here(context) if sample[0].id not in recused else self._without(tx, cases(), recused)
                found = {c.id: why for c in cases()} if why else {}
                asked = tx.cases.get_many(recused) if recused and not context.lost else {}
                some = [c for c in asked.values() if (c.process, c.definition_hash, c.state, c.place) == (process, digest, state, place)]
            else:
                # whoever opened it, or is named in it, may act: where posts have somebody as well, nobody is stuck
                posts = {r for r in roles if r and not _personal(spec.role(r))}
                found, some = {}, []
                if not any(p.role in posts for p in context.posts):
                    some = tx.cases.left_by_opener(process, digest, state, place) if roles == {""} else cases()
            for case in some:
                found[case.id] = stuck_here(Context(self.app, tx, case))
            return [(id, why, "") for id, why in found.items() if why]
        except SiquanError as fault:
            return [(c.id, "broken", fault.text("zh")) for c in cases()]

    def _without(self, tx: Tx, cases: list[Case], recused: set[str]) -> str:
        """How the group stands without its recused: asked of a case in which nobody is."""
        free = next((c for c in cases if c.id not in recused), None)
        return stuck_here(Context(self.app, tx, free)) if free is not None else ""

    def _line(self, tx: Tx, case: Case, why: str, detail: str, lang: str) -> StuckCase:
        unit = tx.people.find_unit(case.place)
        try:
            title = Context(self.app, tx, case).state.title
        except SiquanError:
            title = case.state
        text = TEXT[why][0 if lang == "zh" else 1].format(detail=detail)
        return StuckCase(case.id, case.number or "", case.title, case.process, unit.name if unit else case.place, case.state, title, why, text)
