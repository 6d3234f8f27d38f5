"""An open case taken to a newer version of a rule set: on record, with a reason, after its own dry run.

Only the rule set and the parameters change; the process stays as the case was opened with. The case's open children go
with it, since they were pinned with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from siquan.core.errors import BadInput, Refused
from siquan.core.exchange.content import Content
from siquan.core.policy.force import Bound, bind, overlay
from siquan.core.policy.life import label
from siquan.core.policy.views import DraftResult
from siquan.core.rules.decide import RuleSet, decide
from siquan.core.rules.decision import Decision
from siquan.core.rules.parameters import ParameterBook
from siquan.core.service.acts import MAX_TEXT, Acts
from siquan.core.service.app import APPROVER, AUTHOR, App
from siquan.core.service.context import Context
from siquan.core.service.refusal import check_text
from siquan.core.service.rules import Rules
from siquan.core.service.timing import sync_deadlines
from siquan.core.store.rows import Case, RuleVersion
from siquan.core.store.transaction import Tx


def decide_under(context: Context, rules: RuleSet, book: ParameterBook) -> Decision:
    """What a rule set of another version says of a case today; nothing is written."""
    facts, lists = context.overlay(context.today)
    return decide(rules, facts, book, context.today, context.chain.ids, parent=context.parent_lookup(), lists=lists, both=False)


class Migrating:
    def __init__(self, app: App, acts: Acts, rules: Rules) -> None:
        self.app, self.acts, self.rules = app, acts, rules

    def target(self, tx: Tx, case: Case, version: RuleVersion) -> Bound:
        """The plugin the case would be pinned to: its own, with this rule set and today's parameter book."""
        own = self.app.bound(tx, case)
        shipped_with = {version.ruleset: Content.from_json(version.content).ruleset}
        labels = {**own.versions, version.ruleset: label(version)}
        return bind(overlay(own.spec, shipped_with, self.app.force.lines(tx, version.plugin, self.app.today()), labels))

    def migrate(self, case_id: str, version_id: str, person: str, reason: str) -> DraftResult:
        """Raises Refused where the version is not in force or the case follows it already."""
        if not reason.strip():
            raise BadInput(why="迁移要逐件写明理由")
        check_text(reason, MAX_TEXT, "理由")
        with self.app.store.begin() as tx:
            self.rules.must(tx, person, AUTHOR, APPROVER)
            version = tx.policies.get(version_id)
            newest = self.app.force.applies(tx, version.ruleset, self.app.today())
            if newest is None or newest.id != version.id:
                raise Refused(why=f"规则版本 {label(version)} 今天没有生效，不能迁移到它")
            context = self.acts._locked(tx, case_id, None)
            if context.case.process.partition(".")[0] != version.plugin:
                raise Refused(why=f"{version.ruleset} 不是这件事的规则")
            if context.definition.spec.pin == "none":
                raise Refused(why="常设机构一直按现行的规则办，不用迁移")
            if not context.case.is_open:
                raise Refused(why="已经办结的事项不迁移")
            moved = [self._move(context, version, person, reason.strip())]
            moved += [self._move(Context(self.app, tx, child, parent=context), version, person, reason.strip()) for child in self._children(context)]
            if not any(moved):
                raise Refused(why=f"这件事已经按 {label(version)} 办理")
            self.acts._touch_parent(context)
            return DraftResult(version.id, version.revision, version.status)

    def _children(self, context: Context) -> Iterator[Case]:
        for child in context.tx.cases.children(context.case.id):
            if child.is_open:
                yield context.tx.cases.lock(child.id)

    def _move(self, context: Context, version: RuleVersion, person: str, reason: str) -> bool:
        """One case; False when it is decided by this version already."""
        tx, case = context.tx, context.case
        old, new = self.app.bound(tx, case), self.target(tx, case, version)
        if new.hash == old.hash or old.rulesets[version.ruleset].spec == new.rulesets[version.ruleset].spec and old.book.specs == new.book.specs:
            return False
        if not tx.definitions.has(new.hash):
            tx.definitions.put(new.hash, "plugin", new.spec.name, new.spec.model_dump_json())
        seq = tx.events.next_seq(case.id)
        data: dict[str, Any] = {
            "to": case.state, "revision": case.revision + 1, "pinned_from": case.definition_hash, "definition": new.hash,
            "ruleset": version.ruleset, "version": version.id, "label": label(version), "trial": self._trial(context, old, new, version.ruleset),
            "opinion": tx.facts.put_opinion(case.id, seq, reason, person),
        }  # fmt: skip
        tx.events.append(case.id, "migrated", person, data)
        fresh = Context(self.app, tx, replace(case, definition_hash=new.hash), parent=context.parent)
        tx.cases.update(case.id, case.revision, definition_hash=new.hash, due_on=sync_deadlines(fresh))
        return True

    def _trial(self, context: Context, old: Bound, new: Bound, ruleset: str) -> list[str]:
        """[outcome now, outcome then] where the rule set reads this case."""
        if old.rulesets[ruleset].spec.process != context.case.process:
            return []
        found = (decide_under(context, bound.rulesets[ruleset], bound.book) for bound in (old, new))
        return [f"{d.outcome} {d.value}".strip() if d.value is not None else d.outcome for d in found]
