"""A process bound to everything its expressions name: facts, parameters, parent, children, rule sets, machine."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from siquan.core.engine.machine import Machine
from siquan.core.errors import Errors, SiquanError
from siquan.core.rules import tree as t
from siquan.core.rules.check import Scope, check
from siquan.core.rules.compile import Compiled, compile_one
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.facts import Schema
from siquan.core.rules.parse import parse
from siquan.core.rules.tree import ANY, DATE, TEXT, Type
from siquan.core.spec.model import FactSpec, ProcessSpec, RuleSetSpec


class CircularFact(SiquanError):
    """the derived fact `{name}` depends on itself"""

    code = "SQ106"
    zh = "推导事实 `{name}` 绕回了自己"


#: stands for a prefix where the condition of an obligation is kept
PERIOD = "period:"
TALLY_FIELDS = (
    ("total_area", "总面积", "decimal", "m²"), ("total_n", "总人数", "integer", "人"), ("part_area", "参与面积", "decimal", "m²"),
    ("part_n", "参与人数", "integer", "人"), ("elected_n", "当选人数", "integer", "人"), ("issues", "票面问题", "integer", "处"),
)  # fmt: skip
RESULT_FIELDS = (
    ("matter", "表决事项", "text"), ("part_area", "参与面积", "decimal"), ("part_n", "参与人数", "integer"), ("yes_area", "同意面积", "decimal"),
    ("yes_n", "同意人数", "integer"), ("no_area", "反对面积", "decimal"), ("no_n", "反对人数", "integer"), ("passed", "通过", "boolean"),
)  # fmt: skip


BALANCE_FIELDS = (
    ("balance", "余额"), ("held", "冻结"), ("available", "可用"), ("added_12m", "近12个月增加"), ("taken_12m", "近12个月减少"),
    ("orders_quarter", "本季度兑换次数"),
)  # fmt: skip


def tally_fact(name: str) -> FactSpec:
    """The record a tally supplies: exact totals and one row per matter."""
    fields = tuple(FactSpec(name=n, title=title, type=kind, unit=unit) for n, title, kind, unit in TALLY_FIELDS)
    rows = tuple(FactSpec(name=n, title=title, type=kind) for n, title, kind in RESULT_FIELDS)
    results = FactSpec(name="results", title="各项结果", type="list", fields=rows)
    return FactSpec(name=name, title="计票", type="record", fields=(*fields, results))


def balance_fact(name: str) -> FactSpec:
    """The record an account supplies to the rules."""
    return FactSpec(name=name, title="账户", type="record", fields=tuple(FactSpec(name=n, title=title, type="decimal") for n, title in BALANCE_FIELDS))


@dataclass
class Definition:
    """One process, ready to run."""

    spec: ProcessSpec
    schema: Schema
    scope: Scope
    derived: dict[str, t.Node]
    machine: Machine
    rulesets: dict[str, RuleSet] = field(default_factory=dict)
    #: name under which children stand -> their process id
    children: dict[str, str] = field(default_factory=dict)
    expressions: dict[tuple[str, str], tuple[t.Node, Compiled]] = field(default_factory=dict)

    def expression(self, text: str, prefix: str = "") -> Compiled:
        """A compiled expression of a deadline, a `set:` or a title."""
        return self._expression(text, prefix)[1]

    def node(self, text: str, prefix: str = "") -> t.Node:
        return self._expression(text, prefix)[0]

    def of_period(self, text: str) -> tuple[t.Node, Compiled]:
        """The condition of an obligation, which may name the first and the last day of its period."""
        return self._expression(text, PERIOD)

    def _expression(self, text: str, prefix: str) -> tuple[t.Node, Compiled]:
        found = self.expressions.get((text, prefix))
        if found is None:
            more = {"period.start": DATE, "period.end": DATE} if prefix == PERIOD else {}
            scope = Scope({**self.scope.facts, **more}, self.scope.params, self.scope.parent, "" if more else prefix)
            node = check(parse(text, self.spec.where), scope, text, self.spec.where)
            found = self.expressions[text, prefix] = (node, compile_one(node))
        return found


def _flat(schema: Schema) -> tuple[tuple[str, Type], ...]:
    """Leaf and record paths of a child as fields of the rows its parent sees."""
    return tuple(schema.types().items())


class Binder:
    """Binds all processes and rule sets of all plugins at once, since they name each other's facts."""

    def __init__(self, processes: Iterable[ProcessSpec], rulesets: Iterable[RuleSetSpec], params: Mapping[str, Type]) -> None:
        self.processes = {p.id: p for p in processes}
        self.specs = list(rulesets)
        self.params = params
        self.errors: list[SiquanError] = []
        self.schemas: dict[str, Schema] = {}

    def bind(self) -> tuple[dict[str, Definition], dict[str, RuleSet]]:
        """Definitions and rule sets by id. Raises Errors with every unknown name and type fault, file:line each."""
        for id, spec in self.processes.items():
            tallies = [tally_fact(x.name) for x in spec.tallies if not any(f.name == x.name for f in spec.facts)]
            self.schemas[id] = Schema([*spec.facts, *tallies, *(balance_fact(x.name) for x in spec.balances)])
        for _ in range(2):  # what derived facts give must be known before their parents and children are read
            for spec in self.processes.values():
                self._derive(self.schemas[spec.id], self._types(spec.id), self._parent(spec))
        definitions = {id: self._definition(spec) for id, spec in self.processes.items()}
        rulesets: dict[str, RuleSet] = {}
        for rs in self.specs:
            built = self._ruleset(rs, definitions)
            if built is not None:
                rulesets[rs.id] = built
        for definition in definitions.values():
            used = {x for s in definition.spec.states for tr in s.transitions for x in (tr.decide, *tr.check) if x}
            used |= {x for tr in definition.spec.anywhere for x in (tr.decide, *tr.check) if x}
            definition.rulesets = {x: rulesets[x] for x in sorted(used) if x in rulesets}
            self._expressions(definition)
        if self.errors:
            raise Errors(self.errors) if len(self.errors) > 1 else self.errors[0]
        return definitions, rulesets

    def _children(self, id: str) -> dict[str, str]:
        return {p.child_of.name: p.id for p in self.processes.values() if p.child_of and p.child_of.process == id}

    def _types(self, id: str) -> dict[str, Type]:
        types = dict(self.schemas[id].types())
        for name, child in self._children(id).items():
            states = Type("enum", values=tuple(s.name for s in self.processes[child].states))
            fields = (*_flat(self.schemas[child]), ("state", states), ("outcome", TEXT))
            types[name] = Type("list", item=Type("record", fields=fields))
        return types

    def _parent(self, spec: ProcessSpec) -> dict[str, Type] | None:
        """The types of what a child reads as `parent.*`."""
        if not spec.child_of or spec.child_of.process not in self.processes:
            return None
        types = self._types(spec.child_of.process)
        prefix = spec.child_of.name.rpartition(".")[0]
        # a fragment's child reads the fragment's own facts of the parent by their short names
        short = {k[len(prefix) + 1 :]: v for k, v in types.items() if k.startswith(prefix + ".")} if prefix else {}
        return {**types, **short}

    def _definition(self, spec: ProcessSpec) -> Definition:
        types, parent, schema = self._types(spec.id), self._parent(spec), self.schemas[spec.id]
        derived, faults = self._derive(schema, types, parent)
        self.errors += faults
        scope = Scope(types, self.params, parent)
        return Definition(spec, schema, scope, derived, Machine(spec), {}, self._children(spec.id))

    def _derive(
        self, schema: Schema, types: dict[str, Type], parent: Mapping[str, Type] | None
    ) -> tuple[dict[str, t.Node], list[SiquanError]]:
        """Derived facts as trees, and what is wrong with them; `types` and the schema learn what they give."""
        facts = [f for f in schema.specs.values() if f.derive]
        for _ in range(len(facts) + 1):  # one may read another that comes after it
            before, derived, faults = dict(types), dict[str, t.Node](), list[SiquanError]()
            for fact in facts:
                try:
                    scope = Scope(types, self.params, parent, fact.prefix)
                    node = derived[fact.name] = check(parse(fact.derive, fact.where), scope, fact.derive, fact.where)
                except SiquanError as fault:
                    faults.append(fault)
                    continue
                if node.type != ANY and fact.type != "enum":
                    types[fact.name] = node.type
                    schema.gives(fact.name, node.type)
            if types == before:
                break
        circles = (CircularFact(schema.specs[n].where, name=n) for n in derived if _circular(n, derived))
        return derived, [*faults, *itertools.islice(circles, 1)]

    def _ruleset(self, rs: RuleSetSpec, definitions: Mapping[str, Definition]) -> RuleSet | None:
        try:
            if rs.process:
                home = definitions.get(rs.process)
                if home is None:
                    raise UnknownProcess(rs.where, name=rs.process)
                return RuleSet(rs, home.scope, home.schema, home.derived)
            schema = Schema(rs.facts)
            types = schema.types()
            derived, faults = self._derive(schema, types, None)
            self.errors += faults
            return RuleSet(rs, Scope(types, self.params, None), schema, derived)
        except Errors as many:
            self.errors += many.errors
        except SiquanError as fault:
            fault.where = fault.where or rs.where
            self.errors.append(fault)
        return None

    def _expressions(self, d: Definition) -> None:
        """Compile every expression outside rule sets, so that a typing mistake is found at load."""
        texts = [(x, due.prefix, due.where) for s in d.spec.states for due in s.dues for x in (due.start, due.before, due.n)]
        for transition in [x for s in d.spec.states for x in s.transitions] + list(d.spec.anywhere):
            texts += [(x, transition.prefix, transition.where) for x in transition.texts]
        times = [due for v in d.spec.verbs for due in (v.within, v.at_most) if due is not None]
        texts += [(due.n, "", due.where) for due in times]
        texts += [(x.of, "", x.where) for x in d.spec.balances]
        texts += [(fact.max_age, fact.prefix, fact.where) for fact in d.schema.specs.values()]
        texts += [(x.n, due.prefix, due.where) for s in d.spec.states for due in s.dues for x in (*due.remind, *due.escalate)]
        for duty in d.spec.obligations:
            spans = [x.n for x in (duty.warn, duty.grace, duty.make_up) if x]
            texts += [(x, "", duty.where) for x in (duty.since, duty.until, *spans)] + [(duty.met_when, PERIOD, duty.where)]
        for text, prefix, where in texts:
            try:
                if text and not text.isdigit():
                    d.expression(text, prefix)
            except SiquanError as fault:
                fault.where = where or fault.where
                self.errors.append(fault)


def _circular(name: str, derived: Mapping[str, t.Node]) -> bool:
    """Whether a derived fact reads itself, by however many others."""
    seen: set[str] = set()
    todo = [name]
    while todo:
        for node in t.walk(derived[todo.pop()]):
            if isinstance(node, t.Fact) and node.path in derived and node.path not in seen:
                seen.add(node.path)
                todo.append(node.path)
    return name in seen


class UnknownProcess(SiquanError):
    """there is no process `{name}`"""

    code = "SQ043"
    zh = "没有流程 `{name}`"
