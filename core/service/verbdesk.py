"""All verbs of a case by name: one transaction each, with its key, its revision and whoever may see the case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from siquan.core.errors import BadInput, NoAccess, NotFound
from siquan.core.service.acts import MAX_TEXT, SYSTEM, Acts
from siquan.core.service.bulk import Bulk
from siquan.core.service.context import Context
from siquan.core.service.linking import Linking
from siquan.core.service.notifying import Notifying
from siquan.core.service.pages import may_see, must_see
from siquan.core.service.refusal import check_text
from siquan.core.service.tasks import TaskVerbs
from siquan.core.service.verbs import Verbs, declared
from siquan.core.spec.verbs import ENDING, MOVING, TASKS
from siquan.core.store.transaction import Tx
from siquan.core.views import ActResult
from siquan.core.views_verbs import BulkResult

JOINING = ("merge", "unmerge", "split", "derive", "link", "unlink")
TELLING = ("urge", "copy", "follow", "unfollow", "read")
EVERY = (*ENDING, *MOVING, *JOINING, *TELLING, *TASKS)


class VerbDesk:
    def __init__(self, acts: Acts) -> None:
        self.app, self.acts, self.verbs, self.tasks = acts.app, acts, Verbs(acts), TaskVerbs(acts)
        self.linking, self.notifying = Linking(acts, self.verbs.may), Notifying(acts, self.verbs.may)
        self.bulk = Bulk(acts.app)

    def do(
        self, case_id: str, verb: str, person: str, *, to: str = "", reason: str = "", opinion: str = "", others: Sequence[str] = (),
        facts: Sequence[str] = (), title: str = "", task: str = "", result: str = "", before: bool = False, revision: int | None = None, key: str | None = None,
    ) -> ActResult:  # fmt: skip
        """`to`: the state of a return, the process of a derived case, who gets a task; `others`: the cases of a merge or tie,
        the persons of a copy, the co-handlers; `facts` and `title`: of the new case; `task`, `result`, `before`: of a task.
        Split and derive give the new case."""
        if verb in ENDING:
            return self.acts.act(case_id, verb, person, {}, opinion, reason, revision, key)
        if verb not in EVERY:
            raise BadInput(why=f"没有 `{str(verb)[:40]}` 这个办理动作")
        check_text(opinion, MAX_TEXT, "意见")
        for text in (to, reason, title, task, *others, *facts):
            check_text(text, 200, "内容")
        if person == SYSTEM:
            raise NoAccess(why="只有时钟以系统的名义办理")
        about = [task, result, before] if verb in TASKS else []
        with self.acts._on_record(case_id, verb, person), self.app.store.begin() as tx:
            seen = self.acts._seen(tx, key, ["verb", case_id, verb, person, to, reason, opinion, list(others), list(facts), title, *about])
            if seen is not None:
                return seen
            if verb in TASKS:
                context = self.acts._locked(tx, case_id, revision)
                must_see(context, person)
                done = self.tasks.do(context, verb, person, task=task, to=to, others=others, reason=reason, opinion=opinion, result=result, before=before)
            else:
                done = self._do(tx, case_id, verb, person, to, reason, opinion, others, facts, title, revision)
            self.acts._answer(tx, key, done)
            return done

    def _do(
        self, tx: Tx, case_id: str, verb: str, person: str, to: str, reason: str, opinion: str, others: Sequence[str], facts: Sequence[str],
        title: str, revision: int | None,
    ) -> ActResult:  # fmt: skip
        if verb in ("merge", "link", "unlink"):
            must_see(Context(self.app, tx, tx.cases.get(case_id)), person)
            others = [self._named(tx, other, person) for other in others]
        # several cases are locked in one order, so these take their own locks
        if verb == "merge":
            return self.linking.merge(tx, case_id, others, person, reason, opinion, revision)
        if verb == "unmerge":
            return self.linking.unmerge(tx, case_id, person, reason, opinion)
        if verb in ("link", "unlink"):
            if len(others) != 1:
                raise BadInput(why="要选一件事项")
            return self.linking.relate(tx, case_id, others[0], person, end=verb == "unlink")
        context = self.acts._locked(tx, case_id, revision)
        must_see(context, person)
        match verb:
            case "split":
                return self.linking.split(context, person, facts, title, reason, opinion)
            case "derive":
                return self.linking.derive(context, to, person, title, reason, opinion)
            case "urge":
                return self.notifying.urge(context, person)
            case "copy":
                return self.notifying.copy(context, others, person, opinion)
            case "follow" | "unfollow" | "read":
                return self.notifying.quiet(context, verb, person)
        return self.verbs.move(context, declared(context, verb), person, to, reason, opinion)

    def _named(self, tx: Tx, name: str, person: str) -> str:
        """A case by its id or its number; a number of a case that is not for these eyes is no number."""
        if tx.cases.find(name) is not None:
            return name
        found = tx.cases.by_number(name)
        if found is None or not may_see(Context(self.app, tx, found), person):
            raise NotFound(kind="事项", name=name)
        return found.id

    def many(
        self, cases: Sequence[tuple[str, int | None]], action: str, person: str, key: str, *, facts: Mapping[str, Any] | None = None,
        to: str = "", reason: str = "", opinion: str = "", others: Sequence[str] = (), result: str = "",
    ) -> BulkResult:  # fmt: skip
        """A step or a verb on each of the cases."""
        request = [action, dict(facts or {}), to, reason, opinion, list(others), *([result] if result else [])]

        def one(case: str, own: str, revision: int | None) -> ActResult:
            if action in EVERY and not self._is_step(case, action):
                return self.do(case, action, person, to=to, reason=reason, opinion=opinion, others=others, result=result, revision=revision, key=own)
            return self.acts.act(case, action, person, facts or {}, opinion, reason, revision, own)

        return self.bulk.run(cases, request, person, key, one)

    def _is_step(self, case_id: str, name: str) -> bool:
        """A process may call a step of its own as a verb is called elsewhere."""
        with self.app.store.read() as tx:
            case = tx.cases.get(case_id)
            return any(t.name == name for t in self.app.definition_of(tx, case).machine.steps(case.state))
