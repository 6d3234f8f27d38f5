"""What the proofs say of a rule set on the newest day of its parameters, for the checks that tell of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from siquan.core.plugins import Catalogue
from siquan.core.proof import Lasting, TableIssue, lasting, table_issues
from siquan.core.rules import tree as t
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.facts import Reader
from siquan.core.rules.parameters import ParameterBook
from siquan.core.rules.say import labels, show
from siquan.core.rules.values import ABSENT, Rows

#: seconds for one question about one rule set; what is not settled by then is not proved
PATIENCE = 2.0
_KNOWN: WeakKeyDictionary[RuleSet, Lasting] = WeakKeyDictionary()


def day(book: ParameterBook) -> dt.date:
    return book.newest() or dt.date(2026, 1, 1)


def always(ruleset: RuleSet, book: ParameterBook) -> Lasting:
    """What is wrong whatever the parameters are; several checks tell of it."""
    found = _KNOWN.get(ruleset)
    if found is None:
        found = _KNOWN[ruleset] = lasting(ruleset, book, day(book), timeout=PATIENCE)
    return found


def judged(catalogue: Catalogue, id: str, kinds: Iterable[str]) -> Iterator[TableIssue]:
    """The issues of these kinds, where the proof finds any."""
    book = catalogue.book_of(id)
    wanted = set(kinds)
    yield from (i for i in table_issues(catalogue.rulesets[id], book, day(book), timeout=PATIENCE) if i.kind in wanted)


def story(ruleset: RuleSet, wire: Mapping[str, Any], on: dt.date, only: Iterable[str] = ()) -> tuple[str, ...]:
    """A case in words, as `verify` shows examples: `金额 = 5000元`."""
    schema, wanted = ruleset.schema, set(only) or set(wire)
    facts = Reader(schema, on).read({p: v for p, v in wire.items() if p in schema}, check=False)
    label = labels(schema)
    out = []
    for path, fact in facts.items():
        if path not in wanted:
            continue
        spec = schema.specs[path]
        unit = spec.unit if spec.type in ("integer", "decimal") and fact.value is not None and fact.value is not ABSENT else ""
        shown = f"{len(fact.value)} 行" if isinstance(fact.value, Rows) else label(t.Fact(path), fact.value) or show(fact.value)
        out.append(f"{schema.title(path)} = {shown}{unit}")
    return tuple(out)
