"""A rule set, compiled once, and the one function that decides with it.

Order of things: facts and parameters at a date and place, truth of every rule in both engines, outcome and basis
cap per rule, outcome of the whole, what to ask, sentences. Nothing here writes, prints or reads a clock.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siquan.core.errors import Errors, SiquanError
from siquan.core.rules import tree as t
from siquan.core.rules.ask import questions, relevant
from siquan.core.rules.atoms import WrongValue
from siquan.core.rules.check import Scope, TypeFault, check, put_subject
from siquan.core.rules.compile import Compiled, compile_all, compile_one
from siquan.core.rules.decision import BASES, RANK, VERDICTS, Ask, Decision, Finding, ParamUse, Piece
from siquan.core.rules.durable import DurableContradiction, DurableFault, DurableReading, available, chain
from siquan.core.rules.facts import FactSet, Schema, to_wire
from siquan.core.rules.parameters import ParameterBook
from siquan.core.rules.parse import parse, parse_cell
from siquan.core.rules.say import Sentence, Template, labels, show, template
from siquan.core.rules.table import Settled, Table
from siquan.core.rules.tree import BOOLEAN
from siquan.core.rules.values import ABSENT, Rows
from siquan.core.spec.model import RuleSetSpec, RuleSpec
from siquan.core.spec.table import check_table

Truth = bool | None
CAPPED = ("POLICY", "LOCAL")
#: durable readings kept per rule set, one per set of parameter values
READINGS = 32
#: a longer list is recorded by its size and digest, not by its rows
LIST_LIMIT = 200


class EnginesDisagree(SiquanError):
    """the two engines disagree on {rules} of `{ruleset}`; the decision is withheld"""

    code = "SQ501"
    zh = "两套规则引擎对 `{ruleset}` 的 {rules} 结论不一致，这次判定不作数"
    help_en = "nothing was changed; the incident is recorded for the administrator"
    help_zh = "什么都没有改变；已记入异常，由管理员处理"
    exit = 1
    http = 500


@dataclass(frozen=True)
class Rule:
    spec: RuleSpec
    condition: t.Node
    outcome: t.Node | None  # None: the plain outcome of the spec
    say: Template
    clear: Template | None
    read: tuple[str, ...]  # the facts its condition names


def canonical(value: Any) -> str:
    """JSON with sorted keys: what hashes are taken of."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def rules_hash(spec: RuleSetSpec) -> str:
    """SHA-256 of what decides: titles and intents do not count. What a decision on record names its rules by."""
    content = spec.model_dump(mode="json", exclude={"title", "intents"})
    content["rules"] = [r.model_dump(mode="json", exclude={"title"}) for r in spec.rules]
    return hashlib.sha256(canonical(content).encode()).hexdigest()


class RuleSet:
    """A rule set bound to the facts it reads. Build it with `RuleSet(spec, scope, schema, derived)`."""

    def __init__(self, spec: RuleSetSpec, scope: Scope, schema: Schema, derived: Mapping[str, t.Node] | None = None) -> None:
        self.spec, self.schema, self.id = spec, schema, spec.id
        scope = Scope(scope.facts, scope.params, scope.parent, spec.prefix or scope.prefix)
        self.scope = scope
        check_table(spec)
        self.table = Table(spec) if spec.table else None  # None: a rule list
        self.derived = dict(derived or {})
        self._derived = {path: compile_one(node) for path, node in self.derived.items()}
        self.rules = self._rules(scope)
        self.readings = tuple(
            (r, check(parse(r.when, spec.where), scope, r.when, spec.where, BOOLEAN)) for r in spec.readings
        )
        self._readings = tuple(compile_one(node) for _, node in self.readings)
        conditions = [r.condition for r in self.rules]
        self._run, self.facts, self.params = compile_all(conditions)
        self._chained = chain(conditions, self.derived)
        #: the parameters baked into the second reading: of the conditions and of the derived facts it chains
        self._baked = compile_all([*conditions, *(self.derived[p] for p in self._chained)])[2] if self._chained else self.params
        self._compiled: dict[t.Node, Compiled] = {}
        # one reading per set of parameter values; 1, 1/1 and true are equal in Python, hence typed
        self._durable = functools.lru_cache(READINGS, typed=True)(self._reading)
        self.label = labels(schema)
        #: language -> dotted path -> text, of the plugin's locales
        self.locales: Mapping[str, Mapping[str, str]] = {}
        self._translated: dict[tuple[str, str, str], Template] = {}
        self.hash = rules_hash(spec)
        self.version = "shipped"

    def _rules(self, scope: Scope) -> tuple[Rule, ...]:
        """All rules that can be computed. Raises Errors with what is wrong in any of them."""
        out, faults = [], list[SiquanError]()
        for spec in self.spec.rules:
            try:
                if not spec.display_only:
                    out.append(self._rule(spec, scope))
            except SiquanError as fault:
                fault.where = fault.where or spec.where
                faults.append(fault)
        if faults:
            raise Errors(faults) if len(faults) > 1 else faults[0]
        return tuple(out)

    def _rule(self, spec: RuleSpec, scope: Scope) -> Rule:
        if spec.when:
            condition = check(parse(spec.when, spec.where), scope, spec.when, spec.where, BOOLEAN)
        else:
            parts = []
            for name in self.spec.inputs:
                cell = parse_cell(spec.cells.get(name, "-"), spec.where)
                if cell is None:
                    continue
                subject = parse(name, spec.where)
                parts.append(check(put_subject(cell, subject), scope, spec.cells.get(name, "-"), spec.where, BOOLEAN))
            condition = (
                t.Literal(True, type=BOOLEAN) if not parts else parts[0] if len(parts) == 1 else t.And(tuple(parts), type=BOOLEAN)
            )
        outcome = None
        if spec.outcome and spec.outcome not in VERDICTS:
            with_outcomes = Scope(scope.facts, scope.params, scope.parent, scope.prefix, True)
            outcome = check(parse(spec.outcome, spec.where), with_outcomes, spec.outcome, spec.where)
            if outcome.type.kind != "outcome":
                raise TypeFault(
                    spec.where, text=spec.outcome, left=str(outcome.type), right="outcome", help="可用 " + " ".join(VERDICTS)
                )  # fmt: skip
        words = spec.say or spec.title or spec.id
        return Rule(
            spec, condition, outcome, template(words, scope, spec.where),
            template(spec.clear, scope, spec.where) if spec.clear else None,
            tuple(dict.fromkeys(n.path for n in t.walk(condition) if isinstance(n, t.Fact))),
        )  # fmt: skip

    def title(self, rule: RuleSpec, lang: str = "zh") -> str:
        return self.locales.get(lang, {}).get(f"rules.{rule.id}.title") or rule.title or rule.id

    def words(self, rule: Rule, kind: str, lang: str) -> Template | None:
        """The `say` or `clear` of a rule in a language; Chinese where it was not translated."""
        own = rule.say if kind == "say" else rule.clear
        text = self.locales.get(lang, {}).get(f"rules.{rule.spec.id}.{kind}")
        if not text:
            return own
        found = self._translated.get((lang, rule.spec.id, kind))
        if found is None:
            found = self._translated[lang, rule.spec.id, kind] = template(text, self.scope, rule.spec.where)
        return found

    def nodes(self) -> list[t.Node]:
        """Every expression of the rule set, for checks."""
        out = [r.condition for r in self.rules] + [r.outcome for r in self.rules if r.outcome is not None]
        out += [n for r in self.rules for n in r.say.nodes()] + [n for _, n in self.readings]
        return out

    def sentence(self, rule_id: str, lang: str = "zh", param: Callable[[str], str] | None = None) -> str:
        """The condition in words, generated from the tree."""
        rule = next((r for r in self.rules if r.spec.id == rule_id), None)
        return Sentence(self.schema, lang, param).say(rule.condition) if rule else ""

    def compiled(self, node: t.Node) -> Compiled:
        run = self._compiled.get(node)
        if run is None:
            run = self._compiled[node] = compile_one(t.Not(t.Not(node, type=BOOLEAN), type=BOOLEAN))
        return run

    def durable(self, params: Mapping[str, Any]) -> DurableReading:
        """The second reading under these parameter values; the last few are kept."""
        return self._durable(*(params[name] for name in self._baked))

    def _reading(self, *values: Any) -> DurableReading:
        params = dict(zip(self._baked, values, strict=True))
        conditions = [(r.spec.id, r.condition) for r in self.rules]
        return DurableReading(f"{self.id}@{self.hash[:12]}", conditions, params, derived=self.derived)


class Situation:
    """Facts and parameters as one decision sees them; remembers what was read."""

    def __init__(
        self, ruleset: RuleSet, facts: FactSet, book: ParameterBook, on: dt.date, places: Sequence[str],
        parent: Callable[[str], Any] | None = None, lists: Mapping[str, Rows] | None = None,
    ) -> None:  # fmt: skip
        self.ruleset, self.facts, self.book, self.on, self.places = ruleset, facts, book, on, tuple(places)
        self.parent, self.lists = parent, lists or {}
        self.uses: dict[str, ParamUse] = {}
        self.read: dict[str, Any] = {}
        self._busy: set[str] = set()

    def fact(self, path: str) -> Any:
        if path in self.read:
            return self.read[path]
        value = self._fact(path)
        self.read[path] = value
        return value

    def _fact(self, path: str) -> Any:
        if path.startswith("parent."):
            return self.parent(path[7:]) if self.parent else None
        stated = self.facts.stated.get(path)
        if stated is None and path in self.lists:
            return self.lists[path]
        run = self.ruleset._derived.get(path)
        if run is not None and not self.states(path) and path not in self._busy:
            self._busy.add(path)
            value = run(self.fact, self.param, self.on)
            self._busy.discard(path)
            return value
        return self.facts.value(path)

    def states(self, path: str) -> bool:
        """Whether the caller states the fact, so that it is not derived."""
        stated = self.facts.stated.get(path)
        return stated is not None and stated.value is not None

    def seen(self, name: str) -> Any:
        """A parameter's value, without counting it as used."""
        use = self.uses.get(name)
        return use.value if use else self.book.use(name, self.on, self.places).value

    def param(self, name: str) -> Any:
        use = self.uses.get(name)
        if use is None:
            use = self.uses[name] = self.book.use(name, self.on, self.places)
        return use.value

    def basis(self, rule: RuleSpec) -> tuple[str, str, dict[str, t.Node]]:
        """(basis, its cite) of a rule here and now, as dated lines and readings have it; and what it may be read as
        instead, with the condition that is unknown."""
        doubts: dict[str, t.Node] = {}
        name = f"basis.{rule.id}"
        basis: str = rule.basis or self.ruleset.spec.default_basis
        cite = ""
        if name in self.book.specs or name in self.book.overrides:
            value = self.param(name)
            if isinstance(value, str) and value in BASES:
                use = self.uses[name]
                basis, cite = value, use.source if use.source not in ("", "override") else use.cite
        for (reading, node), run in zip(self.ruleset.readings, self.ruleset._readings, strict=True):
            holds = run(self.fact, self.param, self.on) if reading.basis == basis else False
            if holds is None:
                doubts[reading.reads_as] = node
            elif holds:
                basis, cite = reading.reads_as, reading.cite or cite
        return basis, cite, doubts


def cap(outcome: str, basis: str) -> str:
    """A REJECT that stands on guidance or on our own number is advice (domain 1.0)."""
    return "WARN" if outcome == "REJECT" and basis in (*CAPPED, "") else outcome


def decide(
    ruleset: RuleSet, facts: FactSet, book: ParameterBook, on: dt.date, places: Sequence[str] = (), *,
    parent: Callable[[str], Any] | None = None, lists: Mapping[str, Rows] | None = None, both: bool = True, lang: str = "zh",
) -> Decision:  # fmt: skip
    """Decides. `places` run from the narrowest to the widest; `both` false is a preview with the compiled reading only.
    Raises EnginesDisagree when the readings differ on any rule."""
    here = Situation(ruleset, facts, book, on, places, parent, lists)
    truths = ruleset._run(here.fact, here.param, on)
    engines: tuple[str, ...] = ("compiled",)
    if both and available():
        _cross_check(ruleset, here, truths)
        engines = ("compiled", "durable")
    findings, potentials = [], []
    by_id = {r.spec.id: (r, truth) for r, truth in zip(ruleset.rules, truths, strict=True)}
    settled = ruleset.table.settle({id: truth for id, (_, truth) in by_id.items()}) if ruleset.table else None
    for spec in ruleset.spec.rules:
        if spec.display_only:
            basis, cite, _ = here.basis(spec)
            words = (Piece(_shown_only(ruleset, spec, lang)),)
            findings.append(Finding(spec.id, "na", "NA", basis, cite, ruleset.title(spec, lang), words, spec.cite, law=spec.law, cure=spec.cure))
            continue
        rule, truth = by_id[spec.id]
        finding, potential = _finding(ruleset, here, rule, truth, lang, settled)
        findings.append(finding)
        potentials.append((finding, potential))
    outcome, value = (settled.outcome, settled.value) if settled else (_listed(potentials), None)
    asks = _asks(ruleset, here, potentials, settled)
    used = tuple(u for _, u in sorted(here.uses.items()))
    return Decision(
        ruleset.id, ruleset.spec.title, ruleset.version, ruleset.hash, on, places[0] if places else "", outcome, value,
        tuple(findings), asks, used, _record(here), engines,
    )  # fmt: skip


def _shown_only(ruleset: RuleSet, spec: RuleSpec, lang: str) -> str:
    """What a rule that cannot be computed says, with the reason why."""
    own = ruleset.locales.get(lang, {})
    say = own.get(f"rules.{spec.id}.say")
    if not say:
        return f"{spec.say or spec.title}（{spec.display_only}）"
    return f"{say} ({own.get(f'rules.{spec.id}.display_only') or 'shown, not computed'})"


def _cross_check(ruleset: RuleSet, here: Situation, truths: Sequence[Truth]) -> None:
    """Both readings see the facts and parameters that the compiled one read; the second reads no more."""
    params = {name: here.seen(name) for name in ruleset._baked}

    def computed(node: t.Node) -> Truth:
        result: Truth = ruleset.compiled(node)(here.read.get, here.seen, here.on)
        return result

    try:
        reading = ruleset.durable(params)
        if ruleset._chained:
            stated = {path for path in ruleset._chained if here.states(path)}
            second, chained = reading.read(here.read.get, computed, stated)
        else:
            second, chained = reading.decide(here.read.get, computed), {}
    except (WrongValue, DurableContradiction, DurableFault) as fault:
        raise EnginesDisagree(ruleset=ruleset.id, rules=f"（{fault.text()}）") from fault
    differ = [path for path, truth in chained.items() if path in here.read and here.read[path] is not truth]
    differ += [r.spec.id for r, truth in zip(ruleset.rules, truths, strict=True) if second.get(r.spec.id) is not truth]
    if differ:
        raise EnginesDisagree(ruleset=ruleset.id, rules="、".join(differ))


def _outcomes(node: t.Node, truth: Callable[[t.Node], Truth]) -> set[str]:
    """What an outcome expression may still come to."""
    if not isinstance(node, t.If):
        return {node.value} if isinstance(node, t.Literal) else set(RANK)
    test = truth(node.test)
    return (_outcomes(node.then, truth) if test is not False else set()) | (_outcomes(node.other, truth) if test is not True else set())


def _finding(
    ruleset: RuleSet, here: Situation, rule: Rule, truth: Truth, lang: str, settled: Settled | None
) -> tuple[Finding, str]:
    spec = rule.spec
    basis, cite, doubts = here.basis(spec)

    def value(node: t.Node) -> Truth:
        result: Truth = ruleset.compiled(node)(here.fact, here.param, here.on)
        return result

    asked = {spec.outcome or "PASS"} if rule.outcome is None else _outcomes(rule.outcome, value)
    possible = {cap(o, b) for o in asked for b in (basis, *doubts)}
    certain = len(possible) == 1
    # unknown: the most binding it may come to
    bound = min(possible, key=lambda o: (RANK.get(o, 99), o))
    if truth is True and not certain:
        truth = None
    unknown: tuple[str, ...] = ()
    if truth is None:
        atoms = relevant(rule.condition, value)
        unknown = questions(atoms, here.fact, here.param, ruleset.derived, ruleset.schema)
        if not certain:
            open_ = [*doubts.values(), *([rule.outcome] if rule.outcome and len(asked) > 1 else [])]
            more = questions(open_, here.fact, here.param, ruleset.derived, ruleset.schema)
            unknown = tuple(dict.fromkeys((*unknown, *more)))
    if truth is True:
        result, outcome = "hit", bound
    elif truth is False:
        result, outcome = "clear", "PASS"
    else:
        result = "unknown"
        outcome = "EVIDENCE" if bound in ("REJECT", "BLOCK", "EVIDENCE") else "WARN" if bound == "WARN" else "NA"
        if settled:
            outcome = "EVIDENCE" if spec.id in settled.matters else "NA"
    pieces = _pieces(ruleset, here, rule, result, unknown, lang)
    return (
        Finding(
            spec.id, result, outcome, basis, cite, ruleset.title(spec, lang), pieces, spec.cite,
            "REJECT" if bound not in asked and result == "hit" else "", rule.read, unknown, spec.law, spec.cure,
        ),
        bound,
    )  # fmt: skip


def _pieces(
    ruleset: RuleSet, here: Situation, rule: Rule, result: str, unknown: Sequence[str], lang: str
) -> tuple[Piece, ...]:
    words = ruleset.words(rule, "say" if result == "hit" else "clear", lang) if result != "unknown" else None
    if words is not None:
        return words.fill(here.fact, here.param, here.on, ruleset.label, lang)
    name = ruleset.title(rule.spec, lang)
    if result == "clear":
        return (Piece(f"{name}：无此情形" if lang.startswith("zh") else f"{name}: does not apply"),)
    zh = lang.startswith("zh")
    pieces = [Piece(f"{name}：尚不知道" if zh else f"{name}: not known yet: ")]
    for n, path in enumerate(unknown):
        if n:
            pieces.append(Piece("、" if zh else ", "))
        pieces.append(Piece(ruleset.schema.title(path), "unknown", path))
    return tuple(pieces)


def _listed(found: Sequence[tuple[Finding, str]]) -> str:
    seen = {f.outcome for f, _ in found if f.result in ("hit", "unknown") and f.outcome in RANK}
    return next((o for o in RANK if o in seen), "PASS")


def _asks(ruleset: RuleSet, here: Situation, found: Sequence[tuple[Finding, str]], settled: Settled | None) -> tuple[Ask, ...]:
    """Facts that can still change something; a certain REJECT asks nothing more."""
    certain = min((RANK[f.outcome] for f, _ in found if f.result == "hit" and f.outcome in RANK), default=9)
    wanted: dict[str, tuple[bool, list[str]]] = {}
    for finding, potential in found:
        if finding.result != "unknown":
            continue
        binding = settled is not None or potential in ("REJECT", "BLOCK", "EVIDENCE")
        if settled is not None:
            matters = finding.rule in settled.matters
        elif binding:
            matters = RANK[potential] < certain or (potential == "EVIDENCE" and certain == RANK["EVIDENCE"])
        else:
            matters = potential == "WARN" and certain > RANK["BLOCK"]
        if not matters:
            continue
        for path in finding.unknown:
            old = wanted.get(path, (False, []))
            wanted[path] = (old[0] or binding, [*old[1], finding.rule])
    out = []
    for path, (blocking, rules) in wanted.items():
        spec = ruleset.schema.get(path)
        title = ruleset.schema.title(path)
        evidence = spec.evidence if spec else ()
        out.append(Ask(path, title, spec.by if spec else "", evidence, blocking, tuple(rules)))
    out.sort(key=lambda a: not a.blocking)
    return tuple(out)


def _record(here: Situation) -> dict[str, dict[str, Any]]:
    """Envelopes of all facts read; what replays the decision."""
    out: dict[str, dict[str, Any]] = {}
    for path, value in sorted(here.read.items()):
        stated = here.facts.stated.get(path)
        # an unknown that was worked out all the same, or a record revived by one of its fields, is what was read
        if stated is not None and (stated.value is not None or value is None):
            envelope = stated.envelope()
            if path in here.facts.stale:
                envelope["stale_since"] = here.facts.stale[path].isoformat()
        elif value is None or value is ABSENT or value is True:
            envelope = {"value": to_wire(value)} | ({"derived": True} if path in here.ruleset.derived else {})
        elif isinstance(value, Rows):
            envelope = {"value": to_wire(value), "complete": value.complete}
        else:
            envelope = {"value": show(value) if not isinstance(value, bool | int | str) else value, "derived": True}
        rows = envelope.get("value")
        if isinstance(rows, list) and len(rows) > LIST_LIMIT:
            digest = hashlib.sha256(canonical(rows).encode()).hexdigest()
            envelope = {**envelope, "value": None, "rows": len(rows), "digest": digest}
        out[path] = envelope
    for path, stated in here.facts.stated.items():
        # a record known not to exist explains its fields
        if stated.value is ABSENT and path not in out and any(p.startswith(path + ".") for p in here.read):
            out[path] = stated.envelope()
            if path in here.facts.stale:
                out[path]["stale_since"] = here.facts.stale[path].isoformat()
    return out
