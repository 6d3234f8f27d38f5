"""The smallest change of facts that would let a recorded decision pass, for whoever may see the case."""

from __future__ import annotations

from siquan.core.policy.prover import Prover
from siquan.core.policy.question import Question
from siquan.core.policy.views import WayOutView
from siquan.core.proof import NoWayOut, WayOut, smallest_change
from siquan.core.rules.decision import RANK
from siquan.core.service.app import App
from siquan.core.service.context import Context
from siquan.core.service.mask import STRICT
from siquan.core.service.pages import must_see
from siquan.core.service.papers import Papers


class Ways:
    def __init__(self, app: App, papers: Papers, prover: Prover) -> None:
        self.app, self.papers, self.prover = app, papers, prover

    def out(self, decision_id: str, person: str, lang: str) -> WayOutView:
        """Raises NotFound, NoAccess. Values of strictly sensitive facts are not said."""
        zh = lang == "zh"
        with self.app.store.read() as tx:
            row = tx.decisions.get(decision_id)
            context = Context(self.app, tx, tx.cases.get(row.case_id or ""))
            must_see(context, person)
            asked = self.papers.asked(context, row)
        if asked is None:
            why = "记录已清除，或当时的规则已经不在，算不了" if zh else "the record or its rules are gone"
            return WayOutView((), row.outcome, why)
        if RANK.get(row.outcome, 9) >= RANK["WARN"]:
            return WayOutView((), row.outcome, "这次判定没有拦住什么" if zh else "this decision stops nothing")
        found = self.prover.get(("way", row.id), lambda: self._search(asked), 10)
        if found is None:
            return WayOutView((), row.outcome, "还在算，请过一会儿再看" if zh else "still working on it")
        if isinstance(found, NoWayOut):
            return WayOutView((), row.outcome, found.reason if zh else found.reason_en)
        changes = []
        for c in found.changes:
            spec = asked.rules.schema.get(c.path)
            hidden = spec is not None and spec.sensitive in STRICT
            now = ("已遮蔽" if zh else "masked") if hidden else c.before_shown
            changes.append((c.title, now, c.after_shown, c.cure))
        return WayOutView(tuple(changes), found.decision.outcome)

    def _search(self, asked: Question) -> WayOut | NoWayOut:
        return smallest_change(asked.rules, asked.facts, asked.book, asked.on, asked.places, parent=asked.parent, lists=asked.lists)
