"""Milliseconds per proof: edits of the 36-rule candidate set, tables of 60 and 1,000 rows, all of `siquan verify`."""

from __future__ import annotations

import datetime as dt
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.acts import _catalogue as catalogue
from siquan.core.engine.definition import Binder
from siquan.core.errors import Where
from siquan.core.proof import check_intents, compare, smallest_change, table_issues, unknown_safe
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.facts import FactSet, Reader
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.model import FactSpec, RuleSetSpec, RuleSpec

DAY = dt.date(2026, 11, 20)
CANDIDATE = "owners_committee.candidate"


def _ms(run: Callable[[], Any], rounds: int = 5) -> float:
    run()
    seen = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        seen.append((time.perf_counter() - start) * 1000)
    return statistics.median(seen)


def _edited(rules: RuleSet, id: str, **changes: Any) -> RuleSet:
    spec = rules.spec.model_copy(update={"rules": tuple(r.model_copy(update=changes) if r.id == id else r for r in rules.spec.rules)})
    return RuleSet(spec, rules.scope, rules.schema, rules.derived)


def table(rows: int, columns: int, seed: int = 7) -> RuleSet:
    """A complete table without overlaps: the space of `columns` numbers below 1,000, cut in two until there are enough rows."""
    rnd = random.Random(seed)
    names = [f"x{n}" for n in range(columns)]
    boxes = [{n: (0, 999) for n in names}]
    while len(boxes) < rows:
        at = max(range(len(boxes)), key=lambda i: (sum(b - a for a, b in boxes[i].values()), rnd.random()))
        box = boxes.pop(at)
        name = max(names, key=lambda n: (box[n][1] - box[n][0], rnd.random()))
        low, high = box[name]
        middle = rnd.randrange(low, high)
        boxes += [{**box, name: (low, middle)}, {**box, name: (middle + 1, high)}]
    specs = tuple(
        RuleSpec(id=f"R{n}", cells={k: f"[{a}..{b}]" for k, (a, b) in box.items()}, out=n % 5, where=Where("bench.yaml")) for n, box in enumerate(boxes)
    )
    facts = tuple(FactSpec(name=n, type="integer", min=0, max=999) for n in names)
    spec = RuleSetSpec(id="bench.table", hit_policy="U", inputs=tuple(names), rules=specs, facts=facts)
    return Binder([], [spec], {}).bind()[1]["bench.table"]


def proofs() -> list[tuple[str, float]]:
    """(what, median milliseconds)."""
    rules, book = catalogue.ruleset(CANDIDATE), catalogue.book_of(CANDIDATE)
    stricter = _edited(rules, "OC-N01", when="present(fee) and fee.arrears_months >= oc.fee.min_months")
    reworded = _edited(rules, "OC-N09", when="dishonest.listed")
    empty = ParameterBook()
    out = [
        ("candidate, 36 rules: a stricter rule", _ms(lambda: compare(rules, stricter, book, book, DAY))),
        ("candidate, 36 rules: the same in other words", _ms(lambda: compare(rules, reworded, book, book, DAY))),
        ("candidate: dead and superfluous rules", _ms(lambda: table_issues(rules, book, DAY))),
        ("candidate: unknown is safe", _ms(lambda: unknown_safe(rules, book, DAY))),
        ("candidate: declared intents, all", _ms(lambda: check_intents(rules, book, DAY))),
        ("candidate: the smallest change that passes", _ms(_way_out)),
    ]
    for size, columns in ((60, 3), (60, 5), (1000, 3), (1000, 5)):
        whole = table(size, columns)
        wider = _edited(whole, "R3", cells={**whole.spec.rules[3].cells, "x0": "-"})
        other = _edited(whole, "R3", out=9)
        out += [
            (f"table, {size} rows x {columns}: gaps and overlaps, none", _ms(lambda t=whole: table_issues(t, empty, DAY), 3)),  # type: ignore[misc]
            (f"table, {size} rows x {columns}: a row too wide", _ms(lambda t=wider: table_issues(t, empty, DAY), 3)),  # type: ignore[misc]
            (f"table, {size} rows x {columns}: another value, compared", _ms(lambda a=whole, b=other: compare(a, b, empty, empty, DAY), 3)),  # type: ignore[misc]
        ]
    return out


def _way_out() -> Any:
    rules, book = catalogue.ruleset(CANDIDATE), catalogue.book_of(CANDIDATE)
    spec = catalogue.definition(rules.spec.process).spec
    case = next(c for c in spec.cases if c.decide and c.expect == "PASS")
    given = {**spec.bases.get(case.base, {}), **case.given}
    raw = {k: v for k, v in given.items() if k.partition(".")[0] in {p.partition(".")[0] for p in rules.schema.specs}}
    raw.pop("dishonest", None)
    raw["dishonest"] = {"listed": True, "case_no": "执1"}
    facts = FactSet(rules.schema, Reader(rules.schema, DAY).read(raw), DAY)
    return smallest_change(rules, facts, book, DAY)


def main() -> None:
    for what, ms in proofs():
        print(f"{what:<62} {ms:9.1f} ms")


if __name__ == "__main__":
    main()
