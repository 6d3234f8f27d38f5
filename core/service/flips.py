"""One decision on record, or one open case, beside what a draft would decide: what the policy team drills down to.

Whose case it is stays with those who may see it; everybody else reads the facts the changed rules looked at, masked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from siquan.core.errors import NotFound
from siquan.core.policy.impact_crew import Draft
from siquan.core.policy.reading import Reading
from siquan.core.policy.views import Example, FlipView
from siquan.core.rules.decide import decide
from siquan.core.rules.decision import Decision
from siquan.core.service.app import APPROVER, AUTHOR, App
from siquan.core.service.context import Context
from siquan.core.service.impacts import Impacts
from siquan.core.service.mask import mask, masked
from siquan.core.service.migrating import decide_under
from siquan.core.service.pages import may_see
from siquan.core.service.papers import Papers
from siquan.core.service.record import decision_from
from siquan.core.spec.model import FactSpec
from siquan.core.store.rows import RuleVersion, StoredDecision

RESULTS = {
    "zh": {"hit": "命中", "clear": "未命中", "unknown": "未知", "na": "不计算", "": "无此规则"},
    "en": {"hit": "hit", "clear": "clear", "unknown": "unknown", "na": "not computed", "": "no such rule"},
}


class Flips:
    def __init__(self, app: App, impacts: Impacts, papers: Papers) -> None:
        self.app, self.impacts, self.papers, self.rules = app, impacts, papers, impacts.rules

    def view(self, version_id: str, id: str, person: str, lang: str) -> FlipView:
        """`id` is a decision's or an open case's. Raises NotFound, NoAccess."""
        with self.app.store.read() as tx:
            self.rules.must(tx, person, AUTHOR, APPROVER)
            version = tx.policies.get(version_id)
        draft = self.impacts.trial(version_id).draft
        with self.app.store.read() as tx:
            case = tx.cases.find(id)
            row = None if case is not None else tx.decisions.get(id)
            case = case or tx.cases.get((row.case_id if row else "") or "")
            context = Context(self.app, tx, case)
            before, after = self._recorded(context, row, version, draft) if row is not None else self._open(context, version, draft)
            seen = may_see(context, person)
            schema = draft.ruleset.schema
            facts = before.facts
            if not seen:
                before, after = (replace(d, findings=tuple(masked(f, schema, _kind) for f in d.findings), facts={}) for d in (before, after))
            bound = self.app.in_force(tx, version.ruleset)
            content = self.rules.life.content(version, version.ruleset)
            examined = self.rules.examined(tx, bound, content, version.ruleset)
            reading = self.rules.reading(tx, bound, examined, before.on, lang)
            changed = _changed(before, after)
            example = Example(self._facts(reading, facts, before, changed, seen), "", before, after)
            place = tx.people.find_unit(case.place)
            return FlipView(
                version.id, f"v{version.number}", self.rules.title(version.ruleset, bound, lang), case.number or "", place.name if place else case.place,
                before.on, example, tuple(_why(reading, before, after, id, lang) for id in changed), row.id if row is not None and seen else "",
                case.id if seen else "",
            )  # fmt: skip

    def _recorded(self, context: Context, row: StoredDecision, version: RuleVersion, draft: Draft) -> tuple[Decision, Decision]:
        """As it was recorded, and the draft on the same facts."""
        asked = self.papers.asked(context, row)
        if row.ruleset != version.ruleset or row.record is None or asked is None:
            raise NotFound(kind="判定", name=row.id)
        places = self.app.chain(context.tx, row.place).ids
        then = decide(draft.ruleset, asked.facts, draft.book, asked.on, places, parent=asked.parent, lists=asked.lists, both=False)
        return decision_from(row.record), then

    def _open(self, context: Context, version: RuleVersion, draft: Draft) -> tuple[Decision, Decision]:
        bound = self.app.bound(context.tx, context.case)
        if bound.rulesets[version.ruleset].spec.process != context.case.process:
            raise NotFound(kind="事项", name=context.case.id)
        before = decide_under(context, bound.rulesets[version.ruleset], bound.book)
        return before, decide_under(context, draft.ruleset, draft.book)

    def _facts(
        self, reading: Reading, facts: Mapping[str, Mapping[str, Any]], decision: Decision, rules: Sequence[str], seen: bool
    ) -> tuple[tuple[str, str], ...]:
        """What the changed rules looked at."""
        wanted = {p for f in decision.findings if f.rule in rules for p in f.facts}
        out = []
        for path, envelope in facts.items():
            spec = reading.ruleset.schema.get(path)
            if path not in wanted or spec is None or spec.type == "record":
                continue
            text = reading.shown(path, envelope.get("value"))
            kind = "" if seen else _kind(spec)
            out.append((reading.ruleset.schema.title(path), mask(kind, text) if kind else text))
        return tuple(out)


def _changed(before: Decision, after: Decision) -> list[str]:
    """Rules that say another thing, in the draft's order; those that are gone last."""
    old, new = ({f.rule: (f.result, f.outcome) for f in d.findings} for d in (before, after))
    return [r for r in (*new, *(r for r in old if r not in new)) if old.get(r) != new.get(r)]


def _why(reading: Reading, before: Decision, after: Decision, rule: str, lang: str) -> str:
    words = RESULTS["zh" if lang == "zh" else "en"]
    was, now = (next((f.result for f in d.findings if f.rule == rule), "") for d in (before, after))
    title = next((f.title for d in (after, before) for f in d.findings if f.rule == rule), rule)
    return f"{rule} {title}：{words[was]} → {words[now]}" if lang == "zh" else f"{rule} {title}: {words[was]} → {words[now]}"


def _kind(spec: FactSpec) -> str:
    """How a fact is masked for those who may not see the case: people's names too."""
    return spec.sensitive or ("name" if spec.type == "person" else "")
