"""Rules of one step that no facts can pass together: asked of the solver, for whole groups of rule sets."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from siquan.core.engine.definition import Definition
from siquan.core.engine.machine import Machine
from siquan.core.errors import SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.proof import check_intents
from siquan.core.rules.decide import RuleSet
from siquan.core.spec.model import IntentSpec, TransitionSpec
from siquan.core.verify.possible import BINDING, bases_of, outcomes_of
from siquan.core.verify.proved import day

#: seconds for one group; what is not settled by then is not claimed
PATIENCE = 0.4
_PASSES = IntentSpec(id="passes", never='outcome = "PASS" or outcome = "WARN"')
_KNOWN: WeakKeyDictionary[Machine, dict[tuple[str, ...], bool]] = WeakKeyDictionary()


def impossible(definition: Definition, catalogue: Catalogue, step: TransitionSpec) -> list[str]:
    """The binding rules of a step's checks, where it is proved that no case passes all of them; else nothing."""
    ids = tuple(id for id in step.check if definition.rulesets[id].table is None)
    rulesets = [definition.rulesets[id] for id in ids]
    book = catalogue.book_of(definition.spec.id)
    rules = [r for rs in rulesets for r in rs.rules if outcomes_of(r) & set(BINDING) and bases_of(rs, r, book)]
    if len(rules) < 2 or len({r.spec.id for r in rules}) < len(rules) or len({rs.spec.prefix for rs in rulesets}) > 1:
        return []
    known = _KNOWN.setdefault(definition.machine, {})
    if ids not in known:
        known[ids] = _proved(rulesets, definition, catalogue)
    return [r.spec.id for r in rules] if known[ids] else []


def _proved(rulesets: list[RuleSet], definition: Definition, catalogue: Catalogue) -> bool:
    first = rulesets[0]
    merged = first.spec.model_copy(update={
        "rules": tuple(r for rs in rulesets for r in rs.spec.rules), "readings": tuple(x for rs in rulesets for x in rs.spec.readings), "intents": (_PASSES,),
    })  # fmt: skip
    book = catalogue.book_of(definition.spec.id)
    try:
        ruleset = RuleSet(merged, first.scope, first.schema, first.derived) if len(rulesets) > 1 or first.spec.intents != (_PASSES,) else first
        found = check_intents(ruleset, book, day(book), timeout=PATIENCE)
    except SiquanError:
        return False
    return bool(found) and found[0].status == "proved"
