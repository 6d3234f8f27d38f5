"""Declared intents: what a rule set must never come to, proved over all cases or refuted by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from siquan.core.errors import SiquanError
from siquan.core.proof.compare import Comparison, Witness, compare, expressions, matter
from siquan.core.proof.encode import Reading
from siquan.core.proof.logic import Beyond, Value, choose, some
from siquan.core.proof.outcome import Result, results
from siquan.core.proof.replay import Side
from siquan.core.proof.search import TIMEOUT, Budget, Search, settle_usual
from siquan.core.proof.words import left_out
from siquan.core.proof.world import States, World
from siquan.core.rules import tree as t
from siquan.core.rules.check import Scope, check
from siquan.core.rules.compile import compile_one
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.decision import OUTCOMES, Decision
from siquan.core.rules.parameters import ParameterBook
from siquan.core.rules.parse import parse
from siquan.core.rules.tree import ANY, BOOLEAN, NUMBER, Type
from siquan.core.rules.values import exact
from siquan.core.spec.model import IntentSpec
from siquan.core.spec.table import number


class BadIntent(SiquanError):
    """the intent `{id}` cannot be read: {why}"""

    code = "SQ120"
    zh = "意图 `{id}` 读不懂：{why_zh}"
    help_en = "write never: with the rule set's facts, `outcome` (REJECT, BLOCK, EVIDENCE, WARN, PASS) and, of a table, `value`"
    help_zh = "never 里可用规则集的事实、outcome（REJECT、BLOCK、EVIDENCE、WARN、PASS），决策表还可用 value"


@dataclass(frozen=True)
class IntentResult:
    """`status`: proved, refuted (by the witness, whose two decisions are the same one for `never`) or not_proved."""

    id: str
    say: str
    status: str
    witness: Witness | None = None
    left_out: tuple[str, ...] = ()


def check_intents(
    ruleset: RuleSet, book: ParameterBook, on: dt.date, places: Sequence[str] = (), previous: tuple[RuleSet, ParameterBook] | None = None, *,
    timeout: float = TIMEOUT, clock: Callable[[], float] | None = None,
) -> tuple[IntentResult, ...]:  # fmt: skip
    """Each declared intent, `timeout` seconds for each. An intent on the direction of change (`only`) is judged against
    `previous` and left out where there is no version before. Raises BadIntent."""

    def budget() -> Budget:
        return Budget(timeout, clock) if clock is not None else Budget(timeout)

    out = []
    compared: Comparison | None = None
    for intent in ruleset.spec.intents:
        if intent.never:
            out.append(_never(ruleset, book, on, places, intent, budget()))
        elif previous is not None:
            old, old_book = previous
            compared = compared or compare(old, ruleset, old_book, book, on, places, timeout=timeout, clock=clock)
            out.append(_only(intent, compared))
    return tuple(out)


def _only(intent: IntentSpec, found: Comparison) -> IntentResult:
    """Whether the change went no other way than the intent allows."""
    against = found.looser if intent.only == "stricter" else found.stricter
    status = "refuted" if against is not None else "proved" if found.kind in ("equal", intent.only) else "not_proved"
    if found.kind == "different" and against is None:
        # values changed, which are neither stricter nor looser
        status, against = "refuted", found.witness
    return IntentResult(intent.id, intent.say, status, against, found.left_out)


def condition(ruleset: RuleSet, intent: IntentSpec) -> t.Node:
    """A `never` as a tree: the rule set's names, and what it decides as the facts `outcome` and `value`. Raises BadIntent."""
    scope = ruleset.scope
    facts = {**scope.facts, "outcome": Type("enum", values=OUTCOMES), **_values(ruleset)}
    inside = Scope(facts, scope.params, scope.parent, scope.prefix)
    try:
        return check(parse(intent.never, intent.where), inside, intent.never, intent.where, BOOLEAN)
    except SiquanError as fault:
        raise BadIntent(intent.where or ruleset.spec.where, id=intent.id, why=fault.text("en"), why_zh=fault.text("zh")) from fault


def _values(ruleset: RuleSet) -> dict[str, Type]:
    """What `value` is: of a table with several outputs one name for each."""
    spec = ruleset.spec
    if ruleset.table is None:
        return {}
    outs = [r.out for r in spec.rules] + ([spec.default] if spec.default is not None else [])
    if len(spec.outputs) < 2:
        return {"value": NUMBER if spec.hit_policy in ("C+", "C#") else _type(outs)}
    by_name = {name: _type([o.get(name) for o in outs if isinstance(o, dict)]) for name in spec.outputs}
    return {"value": Type("record", fields=tuple(by_name.items())), **{f"value.{n}": k for n, k in by_name.items()}}


def _type(outs: Sequence[Any]) -> Type:
    if outs and all(isinstance(o, bool) for o in outs):
        return BOOLEAN
    if outs and all(number(o) is not None for o in outs):
        return NUMBER
    if outs and all(isinstance(o, str) for o in outs):
        return Type("enum", values=tuple(dict.fromkeys(outs)))
    return ANY


def _never(ruleset: RuleSet, book: ParameterBook, on: dt.date, places: Sequence[str], intent: IntentSpec, budget: Budget) -> IntentResult:
    node = condition(ruleset, intent)
    world = World([ruleset.schema], on)
    reading = Reading(world, ruleset, book, on, places)
    reading.prepare([*expressions(ruleset), node])
    world.close()
    try:
        result = results(reading)
        for path, value in decided(reading, result).items():
            reading.name(path, value)
        goal = reading.truth(node).yes
    except Beyond as fault:
        return IntentResult(intent.id, intent.say, "not_proved", None, (str(fault),))
    side = Side(ruleset, book, on, tuple(places))
    run = compile_one(node)

    def breaks(states: States) -> bool:
        decision, here = side.decision(world, states), side.situation(world, states)
        if decision is None or here is None:
            return False
        named = named_values(decision)
        return run(lambda p: named[p] if p in named else here.fact(p), here.param, on) is True

    search = Search(world, (reading,), budget)
    if search.possible(goal) != "unsat":
        settle_usual(search, (reading,))
    found = search.find(goal, breaks)
    skipped = left_out((reading,))
    if found.states is None:
        return IntentResult(intent.id, intent.say, "proved" if found.status == "never" else "not_proved", None, skipped)
    decision = side.decision(world, found.states)
    assert decision is not None  # it was accepted
    read = frozenset(n.path for n in t.walk(node) if isinstance(n, t.Fact))
    witness = Witness(world.wire(found.states), matter(search, found.states, read), decision, decision)
    return IntentResult(intent.id, intent.say, "refuted", witness, skipped)


def decided(reading: Reading, result: Result) -> dict[str, Value]:
    """What the rule set decides, as facts of an expression. Raises Beyond for values that are lists."""
    world = reading.world
    outcome = Value("text", _chosen({o: world.code(o) for o in OUTCOMES}, result.outcomes))
    out = {"outcome": outcome}
    if reading.ruleset.table is None:
        return out
    passes = result.outcomes["PASS"]
    if result.number is not None:
        return {**out, "value": Value("number", result.number, passes)}
    if result.rows:
        return out
    names = reading.ruleset.spec.outputs
    parts: dict[str, str | None] = {"value": None} if len(names) < 2 else {f"value.{n}": n for n in names}
    for path, pick in parts.items():
        values = {k: (v if pick is None else v.get(pick)) for k, v in result.outs.items() if k in result.values}
        found = _value(reading, values, result)
        if found is not None:
            out[path] = found
    return out


def _value(reading: Reading, values: dict[str, Any], result: Result) -> Value | None:
    kinds = _type(list(values.values())).kind
    there = result.outcomes["PASS"]
    if kinds == "number":
        return Value("number", _chosen({k: _typed(v) for k, v in values.items()}, result.values), there)
    if kinds == "boolean":
        return Value("boolean", some(result.values[k] for k, v in values.items() if v is True), there)
    if kinds == "enum":
        return Value("text", _chosen({k: reading.world.code(v) for k, v in values.items()}, result.values), there)
    return None


def _chosen(terms: dict[str, Any], flags: dict[str, Any]) -> Any:
    """The term whose flag holds."""
    items = list(terms.items())
    out: Any = items[-1][1]
    for key, term in reversed(items[:-1]):
        out = choose(flags.get(key, False), term, out)
    return out


def named_values(decision: Decision) -> dict[str, Any]:
    """`outcome` and `value` as the compiled reading of an intent sees them."""
    value = decision.value
    out: dict[str, Any] = {"outcome": decision.outcome, "value": _typed(value)}
    if isinstance(value, dict):
        out.update({f"value.{k}": _typed(v) for k, v in value.items()})
    return out


def _typed(value: Any) -> Any:
    found = None if isinstance(value, bool) else number(value)
    return value if found is None else exact(found)

