"""What the proof says of a draft, in the words and views of its page."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from siquan.core.errors import SiquanError
from siquan.core.policy.reading import Reading
from siquan.core.policy.views import Example, IntentLine, Issue, ProofView
from siquan.core.proof import (
    TableIssue,
    Witness,
    check_intents,
    compare,
    table_issues,
    unknown_safe,
)
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.facts import to_wire
from siquan.core.rules.parameters import ParameterBook

KINDS = {
    "equal": "任何情形下，结论都与现行版本相同。",
    "stricter": "任何情形下，结论都不会比现行版本宽；有的情形更严。",
    "looser": "任何情形下，结论都不会比现行版本严；有的情形更宽。",
    "different": "有的情形结论变了，而且不能说只是更严或更宽。",
    "not_proved": "在限定时间内没有证明出来。没有证明不等于没有问题。",
}
ISSUES = {
    "gap": "有一种情形没有一行适用", "overlap": "这几行会同时适用，而命中方式只许一行", "conflict": "这几行会同时适用，结果却不同",
    "dead": "按这一天的参数永远不会成立", "masked": "总有排在前面的一行先适用，它从来不起作用", "subsumed": "它成立时，另一条必定也成立，结论不会因它改变",
    "duplicate": "与另一条完全相同", "not_proved": "在限定时间内没有查完；没有查完不等于没有问题",
}  # fmt: skip
KINDS_EN = {
    "equal": "In every case the outcome is what it was.", "stricter": "In no case is the outcome more lenient; in some it is stricter.",
    "looser": "In no case is the outcome stricter; in some it is more lenient.",
    "different": "In some cases the outcome is another, and not only stricter or only more lenient.",
    "not_proved": "Not proved within the time given. Not proved does not mean that all is well.",
}
ISSUES_EN = {
    "gap": "no row fits one case", "overlap": "these rows fit one case, though the hit policy allows one row only",
    "conflict": "these rows fit one case and give different results", "dead": "can never hold with the parameters of that day",
    "masked": "a row before it always comes first, so it never has a say", "subsumed": "whenever it holds another does, so it changes nothing",
    "duplicate": "the same as another", "not_proved": "not settled within the time given; that does not mean that all is well",
}
#: rule set -> (book, day, places) -> the book, held so that its identity stays its own, and the flaws
_FLAWS: WeakKeyDictionary[RuleSet, dict[Any, tuple[ParameterBook, frozenset[tuple[str, tuple[str, ...]]]]]] = WeakKeyDictionary()
#: flaws that leave a case without an answer; the others only waste a row
BLOCKING = frozenset({"gap", "overlap", "conflict"})

#: seconds each part of a proof may take; what is not finished by then is said to be open
PATIENCE = 2.0


class Proving:
    """Proves one draft against the version it follows. `day` is the first day the draft would apply."""

    def __init__(self, reading: Reading, old: RuleSet, old_book: ParameterBook, day: dt.date, places: Sequence[str] = (), timeout: float | None = None) -> None:
        self.reading, self.old, self.old_book = reading, old, old_book
        self.day, self.places, self.timeout = day, tuple(places), PATIENCE if timeout is None else timeout
        self.zh = reading.lang == "zh"

    def view(self) -> ProofView:
        """Everything at once; the draft has to be free of faults."""
        new, book = self.reading.examined.whole, self.reading.book
        if new is None:
            return ProofView("none")
        found = compare(self.old, new, self.old_book, book, self.day, self.places, timeout=self.timeout)
        known = self._known()
        issues = table_issues(new, book, self.day, self.places, timeout=self.timeout)
        intents = self._intents(new, book)
        safe = unknown_safe(new, book, self.day, self.places, timeout=self.timeout)
        return ProofView(
            "done", found.kind, (KINDS if self.zh else KINDS_EN)[found.kind], round(found.ms), self._witness(found.witness), self._witness(found.stricter),
            self._witness(found.looser), tuple(found.left_out),
            tuple(self._issue(i, new, (i.kind, i.rules) not in known) for i in issues),
            intents, safe.status,
        )  # fmt: skip

    def _known(self) -> frozenset[tuple[str, tuple[str, ...]]]:
        """The flaws the former version has already; they do not change while somebody edits."""
        kept = _FLAWS.setdefault(self.old, {})
        key = (id(self.old_book), self.day, self.places)
        if key not in kept:
            found = table_issues(self.old, self.old_book, self.day, self.places, timeout=self.timeout)
            kept[key] = (self.old_book, frozenset((i.kind, i.rules) for i in found))
        return kept[key][1]

    def _intents(self, new: RuleSet, book: ParameterBook) -> tuple[IntentLine, ...]:
        """An intent that names what the draft no longer has is not proved, and says why."""
        try:
            found = check_intents(new, book, self.day, self.places, previous=(self.old, self.old_book), timeout=self.timeout)
        except SiquanError as fault:
            return tuple(IntentLine(i.id, f"{i.say or i.id}（{fault.text()}）", "refuted") for i in new.spec.intents)
        return tuple(IntentLine(i.id, i.say or i.id, i.status, self._witness(i.witness)) for i in found)

    def _issue(self, issue: TableIssue, rules: RuleSet, fresh: bool) -> Issue:
        said = (ISSUES if self.zh else ISSUES_EN)[issue.kind]
        text = f"{'、'.join(issue.rules)}：{said}" if issue.rules and self.zh else f"{', '.join(issue.rules)}: {said}" if issue.rules else said
        text += "" if fresh else "（现行版本也是这样）" if self.zh else " (as in the former version)"
        example = Example(self._facts(issue.example), "", None, issue.decision, _json(issue.example)) if issue.example else None
        return Issue(issue.kind, tuple(issue.rules), text, example, issue.kind in BLOCKING and fresh)

    def _witness(self, witness: Witness | None) -> Example | None:
        if witness is None:
            return None
        # a fact that matters because it is unknown stands in no wire form
        matter = {p: witness.facts.get(p) for p in witness.changed} or dict(witness.facts)
        rest = ("其余各项都按没有问题的填" if self.zh else "all else as a clean case has it") if set(witness.facts) - set(matter) else ""
        return Example(self._facts(matter), rest, witness.old, witness.new, _json(witness.facts))

    def _facts(self, wire: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        schema = self.reading.ruleset.schema
        return tuple((schema.title(p), self.reading.shown(p, v.get("value") if isinstance(v, Mapping) else v)) for p, v in wire.items())


def _json(facts: Mapping[str, Any]) -> str:
    """As a test case is given: what is the parent's stands under `parent`."""
    own = {k: to_wire(v) for k, v in facts.items() if not k.startswith("parent.")}
    above = {k.removeprefix("parent."): to_wire(v) for k, v in facts.items() if k.startswith("parent.")}
    return json.dumps({**own, **({"parent": above} if above else {})}, ensure_ascii=False, default=str)
