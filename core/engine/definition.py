"""A process bound to everything its expressions name: facts, parameters, parent, children, rule sets, machine."""

from __future__ import annotations

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
from siquan.core.rules.tree import ANY, TEXT, Type
from siquan.core.spec.model import FactSpec, ProcessSpec, RuleSetSpec


class CircularFact(SiquanError):
    """the derived fact `{name}` depends on itself"""

    code = "SQ106"
    zh = "推导事实 `{name}` 绕回了自己"


TALLY_FIELDS = (
    ("total_area", "总面积", "decimal", "m²"), ("total_n", "总人数", "integer", "人"), ("part_area", "参与面积", "decimal", "m²"),
    ("part_n", "参与人数", "integer", "人"), ("elected_n", "当选人数", "integer", "人"), ("issues", "票面问题", "integer", "处"),
)  # fmt: skip
RESULT_FIELDS = (
    ("matter", "表决事项", "text"), ("part_area", "参与面积", "decimal"), ("part_n", "参与人数", "integer"), ("yes_area", "同意面积", "decimal"),
    ("yes_n", "同意人数", "integer"), ("no_area", "反对面积", "decimal"), ("no_n", "反对人数", "integer"), ("passed", "通过", "boolean"),
)  # fmt: skip


def tally_fact(name: str) -> FactSpec:
    """The record a tally supplies: exact totals and one row per matter."""
    fields = tuple(FactSpec(name=n, title=title, type=kind, unit=unit) for n, title, kind, unit in TALLY_FIELDS)
    rows = tuple(FactSpec(name=n, title=title, type=kind) for n, title, kind in RESULT_FIELDS)
    results = FactSpec(name="results", title="各项结果", type="list", fields=rows)
    return FactSpec(name=name, title="计票", type="record", fields=(*fields, results))


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

    def _expression(self, text: str, prefix: str) -> tuple[t.Node, Compiled]:
        found = self.expressions.get((text, prefix))
        if found is None:
            scope = Scope(self.scope.facts, self.scope.params, self.scope.parent, prefix)
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
            self.schemas[id] = Schema([*spec.facts, *tallies])
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

    def _definition(self, spec: ProcessSpec) -> Definition:
        types = self._types(spec.id)
        parent = None
        prefix = ""
        if spec.child_of and spec.child_of.process in self.processes:
            parent = self._types(spec.child_of.process)
            prefix = spec.child_of.name.rpartition(".")[0]
            if prefix:
                # a fragment's child reads the fragment's own facts of the parent by their short names
                parent = {**parent, **{k[len(prefix) + 1 :]: v for k, v in parent.items() if k.startswith(prefix + ".")}}
        scope = Scope(types, self.params, parent)
        derived: dict[str, t.Node] = {}
        for _ in range(2):  # twice: the first pass finds the types of derived facts that others read
            for fact in self.schemas[spec.id].specs.values():
                if not fact.derive:
                    continue
                try:
                    inner = Scope(types, self.params, parent, fact.prefix)
                    node = check(parse(fact.derive, fact.where), inner, fact.derive, fact.where)
                except SiquanError as fault:
                    if fault not in self.errors and not any(str(e) == str(fault) for e in self.errors):
                        self.errors.append(fault)
                    continue
                derived[fact.name] = node
                if node.type != ANY and fact.type != "enum":
                    types[fact.name] = node.type
        for name in derived:
            self._no_circle(name, derived, (), spec)
        machine = Machine(spec)
        return Definition(spec, self.schemas[spec.id], scope, derived, machine, {}, self._children(spec.id))

    def _no_circle(self, name: str, derived: Mapping[str, t.Node], path: tuple[str, ...], spec: ProcessSpec) -> None:
        if name in path:
            where = self.schemas[spec.id].specs[name].where
            if not any(isinstance(e, CircularFact) for e in self.errors):
                self.errors.append(CircularFact(where, name=name))
            return
        for node in t.walk(derived[name]):
            if isinstance(node, t.Fact) and node.path in derived:
                self._no_circle(node.path, derived, (*path, name), spec)

    def _ruleset(self, rs: RuleSetSpec, definitions: Mapping[str, Definition]) -> RuleSet | None:
        try:
            if rs.process:
                home = definitions.get(rs.process)
                if home is None:
                    raise UnknownProcess(rs.where, name=rs.process)
                return RuleSet(rs, home.scope, home.schema, home.derived)
            schema = Schema(rs.facts)
            scope = Scope(schema.types(), self.params, None)
            derived = {f.name: check(parse(f.derive, f.where), scope, f.derive, f.where) for f in rs.facts if f.derive}
            return RuleSet(rs, scope, schema, derived)
        except Errors as many:
            self.errors += many.errors
        except SiquanError as fault:
            self.errors.append(fault)
        return None

    def _expressions(self, d: Definition) -> None:
        """Compile every expression outside rule sets, so that a typing mistake is found at load."""
        for state in d.spec.states:
            for due in state.dues:
                for text in (due.start, due.before, "" if due.n.isdigit() else due.n):
                    self._try(d, text, due.prefix, due.where)
            for transition in state.transitions:
                for text in transition.set.values():
                    self._try(d, text, transition.prefix, transition.where)

    def _try(self, d: Definition, text: str, prefix: str, where: object) -> None:
        if not text:
            return
        try:
            d.expression(text, prefix)
        except SiquanError as fault:
            fault.where = where if where is not None else fault.where  # type: ignore[assignment]
            self.errors.append(fault)


class UnknownProcess(SiquanError):
    """there is no process `{name}`"""

    code = "SQ043"
    zh = "没有流程 `{name}`"
