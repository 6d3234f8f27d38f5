"""A decision table of a DMN model as a rule set of ours. A model that `from_rules` wrote comes back as it was, with what
a person changed in another tool; a foreign one becomes a new rule set, or new rows of the one it is meant for.

Where the standard lets a null test be "no match", our rule set answers EVIDENCE: that difference is ours and declared.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from siquan.core.dmn import model as m
from siquan.core.dmn.extension import ANNOTATIONS, load, model_of
from siquan.core.dmn.facts import Facts, native_name
from siquan.core.dmn.feel import tree as t
from siquan.core.dmn.feel.evaluate import Ground, Scope, build
from siquan.core.dmn.feel.library import FUNCTIONS
from siquan.core.dmn.feel.names import Names
from siquan.core.dmn.feel.parser import parse, parse_tests
from siquan.core.dmn.feel.values import plain
from siquan.core.dmn.read import BrokenModel, read_model
from siquan.core.dmn.run import BUILT_IN, Bound, Runner
from siquan.core.dmn.say_feel import KNOWLEDGE
from siquan.core.dmn.say_native import Native, NotNative
from siquan.core.dmn.types import constants
from siquan.core.errors import Errors, SiquanError, Where
from siquan.core.rules.decision import BASES, VERDICTS
from siquan.core.rules.facts import Schema
from siquan.core.spec.model import FactSpec, RuleSetSpec, RuleSpec
from siquan.core.spec.table import check_table

T = TypeVar("T")


class OtherRules(SiquanError):
    """the model is of the rule set `{given}`, not of `{wanted}`"""

    code = "SQ139"
    zh = "这个模型是规则集 `{given}` 的，不是 `{wanted}` 的"
    exit = 1


def to_rules(data: bytes, decision: str = "", base: RuleSetSpec | None = None, schema: Schema | None = None) -> RuleSetSpec:
    """The rule set of a decision (without a name: the one we wrote, else the only one). `base` gives its id and whatever
    the model does not say, `schema` the facts it reads. Places in files are dropped. Raises what `read_model` raises,
    NotNative and FeelFault with the line of each element (all at once, as Errors), OtherRules, BrokenExtension, and what
    `check_table` refuses; names and types are checked when the rule set is bound."""
    model = read_model(data, "model.dmn")
    runner = Runner(model)
    found = model.elements[_chosen(model, runner, decision)]
    if not isinstance(found, m.Decision) or not isinstance(found.logic, m.Table):
        raise NotNative(Where(model.file, found.line), element=found.name, why="it is no decision table", why_zh="它不是决策表")
    head = load(found.extension, Where(model.file, found.line)) if found.extension else {}
    given = str((head.get("spec") or {}).get("id", ""))
    if base is not None and given and given != base.id:
        raise OtherRules(Where(model.file, found.line), given=given, wanted=base.id)
    spec = _Import(model, found, found.logic, head, base, schema).ruleset()
    check_table(spec)
    return spec


def made_from(data: bytes, decision: str = "") -> RuleSetSpec | None:
    """The rule set a model of ours was written from, as it was then; None of a model that is not ours. Raises as `to_rules`."""
    model = read_model(data, "model.dmn")
    found = model.elements[_chosen(model, Runner(model), decision)]
    extension = found.extension if isinstance(found, m.Decision) else ""
    head = load(extension, Where(model.file, found.line)) if extension else {}
    if not isinstance(head.get("made"), list):
        return None
    return model_of(RuleSetSpec, {**head.get("spec", {}), "rules": head["made"]}, Where(model.file, found.line))


def _chosen(model: m.Model, runner: Runner, name: str) -> str:
    ours = [full for full, e in model.elements.items() if isinstance(e, m.Decision) and e.extension]
    return ours[0] if not name and len(ours) == 1 else runner.find(name)


class _Import:
    def __init__(
        self, model: m.Model, decision: m.Decision, table: m.Table, head: dict[str, Any], base: RuleSetSpec | None, schema: Schema | None
    ) -> None:
        self.model, self.decision, self.table, self.head, self.base, self.schema = model, decision, table, head, base, schema
        self.bound = Bound(model)
        self.errors: list[SiquanError] = []
        self.names = self._scope()
        self.facts: Facts | None = None
        self.derived: dict[str, FactSpec] = {}
        if head:
            self.old = model_of(RuleSetSpec, {**head.get("spec", {}), "rules": ()}, self.at(decision.line))
        else:
            self.old = base if base is not None else RuleSetSpec(id=f"dmn.{native_name(decision.name)}", title=decision.label or decision.name)
        #: a rule list of ours: one column that is `true`, a condition in each row
        self.listed = self.old.hit_policy == "C" and not self.old.inputs and [i.expression.text for i in table.inputs] == ["true"]
        self.own = {r.id: r for r in base.rules} if base is not None and not head else {}

    def at(self, line: int) -> Where:
        return Where(self.model.file, line)

    def guard(self, line: int, read: Callable[[], T]) -> T | None:
        """What `read` gives; a fault is kept with its line, so that all come at once."""
        try:
            return read()
        except SiquanError as fault:
            fault.where = fault.where or self.at(line)
            self.errors.append(fault)
            return None

    def fault(self, element: str, en: str, zh: str, line: int = 0) -> NotNative:
        return NotNative(self.at(line or self.table.line), element=element, why=en, why_zh=zh)

    # names

    def _scope(self) -> Names:
        return BUILT_IN.inside([*(e.variable.name for e in self.model.elements.values()), *(called for called, _, _ in KNOWLEDGE.values())])

    def _name(self, words: tuple[str, ...]) -> str | None:
        """Our path of a name in the model."""
        if self.facts is not None:
            return self.derived[words[0]].name if words[0] in self.derived and len(words) == 1 else self.facts.path(words)
        path = ".".join(words)
        if self.schema is None or path in self.schema:
            return path
        titles = {spec.title: p for p, spec in self.schema.specs.items() if spec.title and "." not in p}
        known = titles.get(words[0])
        plainly = ".".join([known, *words[1:]] if known else [native_name(w) for w in words])
        return plainly if plainly in self.schema or all(native_name(w) == w for w in words) else None

    def native(self, element: str, line: int) -> Native:
        return Native(element, self._name, self._models(), self.at(line))

    def _models(self) -> Mapping[str, tuple[tuple[str, ...], t.Node]]:
        """Business knowledge models that are one expression; ours of the language are known anyway."""
        ours = {called for called, _, _ in KNOWLEDGE.values()}
        out = {}
        for e in self.model.elements.values():
            if isinstance(e, m.KnowledgeModel) and e.name not in ours and e.logic is not None and isinstance(e.logic.body, m.Text):
                params = tuple(p.name for p in e.logic.params)
                node = self.bound.boxed.parsed(e.logic.body, self.names.inside(params))
                if node is not None:
                    out[e.name] = (params, node)
        return out

    def parse(self, text: str) -> t.Node:
        return parse(text, self.names, self.bound.boxed.members, self.bound.types.kinds)

    def condition(self, text: str, element: str, line: int) -> str:
        return self.native(element, line).expression(self.parse(text))

    def cell(self, text: str, element: str, line: int) -> str:
        node = parse_tests(text, self.names, self.bound.boxed.members, self.bound.types.kinds)
        assert isinstance(node, t.Tests)
        return self.native(element, line).cell(node)

    # the rule set

    def ruleset(self) -> RuleSetSpec:
        if not self.head and self.base is None:
            self._own_facts()
        inputs = () if self.listed else self._inputs()
        outputs, values = self._outputs()
        rows: list[tuple[str, RuleSpec]] = []
        for row in self.table.rows:
            made = self.guard(row.line, lambda row=row: self._row(row, inputs, outputs, [r.id for _, r in rows]))  # type: ignore[misc]
            if made is not None:
                rows.append((str(made[0]), made[1]))
        default = self.guard(self.table.line, lambda: self._default(outputs))
        if self.errors:
            raise Errors(self.errors) if len(self.errors) > 1 else self.errors[0]
        policy = self.old.hit_policy if self.table.policy == self.head.get("policy") else self.table.policy
        if self.listed and self.table.policy != "C":
            raise self.fault(self.decision.name, "a rule list collects all its findings", "规则列表的命中方式只能是 COLLECT")
        facts = self.old.facts if self.facts is None else (*self.facts.specs, *self.derived.values())
        update = {
            "hit_policy": policy, "inputs": tuple(n for _, n in inputs), "outputs": () if self.listed else outputs,
            "output_values": {} if self.listed else values, "default": default, "rules": tuple(self._ordered(rows)), "facts": facts,
        }  # fmt: skip
        spec = RuleSetSpec.model_validate({**self.old.model_dump(), **update})
        return RuleSetSpec.model_validate(spec.model_dump())

    def _inputs(self) -> tuple[tuple[str, str], ...]:
        """(as the model has it, as we have it) of each column."""
        known: dict[str, str] = self.head.get("inputs") or {}
        out = []
        for column in self.table.inputs:
            text, line = column.expression.text, column.expression.line
            own = known.get(text) or self.guard(line, lambda text=text, line=line: self.condition(text, text, line))  # type: ignore[misc]
            out.append((text, str(own)))
        return tuple(out)

    def _outputs(self) -> tuple[tuple[str, ...], dict[str, tuple[Any, ...]]]:
        known = {str(name): list(values) for name, values in self.head.get("outputs") or []}
        columns = self.table.outputs
        several = len(columns) > 1
        names = tuple(o.name or self.decision.name for o in columns)
        values: dict[str, tuple[Any, ...]] = {}
        for o, name in zip(columns, names, strict=True):
            if o.name in known and o.values == ", ".join(known[o.name]):
                if o.name in self.old.output_values:
                    values[o.name] = self.old.output_values[o.name]
            elif o.values:
                listed = self.guard(self.table.line, lambda o=o: self._constants(o.values, o.name))  # type: ignore[misc]
                values[name] = listed or ()
            elif self.table.policy in ("P", "O") and (order := self._implied(o, several)):
                values[name] = tuple(_json(v) for v in order)
        if [o.name for o in columns] == list(known):
            return self.old.outputs, values
        return names if several or values else (), values

    def _implied(self, o: m.Output, several: bool) -> tuple[Any, ...]:
        """The values of an output's type, in order."""
        kind = self.bound.boxed.kind(o.type_ref)
        if kind is not None and kind.order:
            return kind.order
        whole = self.bound.boxed.kind(self.decision.variable.type_ref) or self.bound.boxed.kind(self.table.type_ref)
        whole = whole.item if whole is not None and whole.name == "list" else whole
        part = (whole.fields or {}).get(o.name) if several and whole is not None else whole
        return part.order if part is not None else ()

    def _constants(self, text: str, element: str) -> tuple[Any, ...]:
        node = parse_tests(text, self.names)
        found = constants(node) if isinstance(node, t.Tests) else ()
        if not found:
            raise self.fault(element or self.decision.name, "its values are no list of constants", "它的取值不是一列常数")
        return tuple(_json(v) for v in found)

    def constant(self, text: str, element: str, line: int) -> Any:
        """An output as JSON has it."""
        node = self.parse(text) if text else t.Literal(None)
        fixed = all(not isinstance(n, t.Name) or n.name in ("date", "time", "date and time", "duration") for n in t.walk(node))
        value = build(node)(Scope(Ground(FUNCTIONS), {})) if fixed else None
        if value is None:
            raise self.fault(element, f"its output `{text}` is no constant", f"它的输出 `{text}` 不是常数", line)
        return _json(value)

    def _default(self, outputs: tuple[str, ...]) -> Any:
        texts = [o.default.text if o.default is not None else "" for o in self.table.outputs]
        if self.head and texts == self.head.get("defaults"):
            return self.old.default
        if not any(texts):
            return None
        if not all(texts):
            raise self.fault("default", "either every output has a default or none has", "默认值要么每个输出都写，要么都不写")
        found = [self.constant(x, "default", self.table.line) for x in texts]
        value = found[0] if len(found) == 1 else dict(zip(outputs, found, strict=True))
        whole = self.bound.boxed.kind(self.decision.variable.type_ref)
        listing = self.table.policy in ("R", "O", "C") and whole is not None and whole.name == "list" and not isinstance(value, list)
        return [value] if listing else value  # the type makes a list of one of it

    # rows

    def _row(self, row: m.Row, inputs: tuple[tuple[str, str], ...], outputs: tuple[str, ...], taken: list[str]) -> tuple[str, RuleSpec]:
        """(the id it was written under, "" of a new row; the rule)."""
        written = load(row.extension, self.at(row.line)) if row.extension else {}
        old = model_of(RuleSpec, written.get("rule"), self.at(row.line)) if written else self.own.get(row.id) or RuleSpec(id=row.id)
        change: dict[str, Any] = self._notes(row, written)
        outs = [o.text for o in row.outputs]
        if outs != written.get("outs"):
            before = written.get("outs") or [""] * len(outs)
            change.update(self.guard(row.line, lambda: self._outs(row, outs, before, outputs)) or {})
        id = str(change.get("id", old.id))
        source = old.id if written and old.id not in taken else ""
        if id in taken:
            id = next(f"{id}-{n}" for n in range(2, len(taken) + 3) if f"{id}-{n}" not in taken)
        change["id"] = id
        cells: dict[str, str] = written.get("cells") or {}
        if self.listed:
            text = row.inputs[0].text
            if text != cells.get("true") or not written:
                change.update(when=self.condition(text, id, row.inputs[0].line), display_only="")
        else:
            made: dict[str, str] = {}
            for (column, name), entry in zip(inputs, row.inputs, strict=True):
                if written and cells.get(column) == entry.text:
                    made.update({name: old.cells[name]} if name in old.cells else {})
                else:
                    cell = self.guard(entry.line, lambda entry=entry: self.cell(entry.text, id, entry.line))  # type: ignore[misc]
                    made[name] = cell or "-"
            change["cells"] = made
        return source, old.model_copy(update=change)

    def _notes(self, row: m.Row, written: Mapping[str, Any]) -> dict[str, Any]:
        """Fields that annotation columns hold, where a person changed them."""
        before: Mapping[str, str] = written.get("notes") or {}
        out: dict[str, Any] = {}
        columns = {word: key for key, words in ANNOTATIONS.items() for word in words}
        for name, text in zip(self.table.annotations, row.annotations, strict=False):
            key = columns.get(name.strip().lower(), "")
            if key and (text != before.get(key, "") if written else bool(text)):
                if key == "basis" and text not in ("", *BASES):
                    near = difflib.get_close_matches(text, BASES, n=1)
                    raise self.fault(row.id, f"`{text}` is no basis", f"`{text}` 不是依据，可用 {' '.join(near or BASES)}", row.line)
                out[key] = text
        if not written and row.description:
            out.setdefault("title", row.description)
        return out

    def _outs(self, row: m.Row, outs: list[str], before: list[str], outputs: tuple[str, ...]) -> dict[str, Any]:
        if self.listed:
            id, outcome = outs
            change = {"id": str(self.constant(id, row.id, row.line))} if id != before[0] else {}
            return change if outcome == before[1] else {**change, "outcome": self._outcome(outcome, row)}
        found = [self.constant(text, row.id, row.line) for text in outs]
        return {"out": found[0] if len(found) == 1 else dict(zip(outputs, found, strict=True))}

    def _outcome(self, text: str, row: m.Row) -> str:
        """An outcome, or an expression giving one: texts in it are the words of our outcomes."""
        node = self.parse(text)
        said = self.native(row.id, row.line).expression(node)
        for word in VERDICTS:
            said = said.replace(f'"{word}"', word)
        return said

    def _ordered(self, rows: list[tuple[str, RuleSpec]]) -> list[RuleSpec]:
        """Rows that were written sorted by priority stand again where they were, unless a person moved them."""
        order, ids = self.head.get("order") or [], self.head.get("ids") or []
        exported = [ids[n] for n in order if isinstance(n, int) and n < len(ids)]
        present = [source for source, _ in rows if source]
        if exported == ids or present != [id for id in exported if id in present]:
            return [rule for _, rule in rows]
        out: list[RuleSpec] = []
        groups: dict[str, list[RuleSpec]] = {}
        last = ""
        for source, rule in rows:  # a new row stays behind the one it was put behind
            last = source or last
            own = rule if source or not groups.get(last) else rule.model_copy(update={"priority": groups[last][0].priority})
            groups.setdefault(last, []).append(own)
        for id in ["", *ids]:
            out += groups.get(id, [])
        return out

    # facts of a foreign model

    def _own_facts(self) -> None:
        narrow: dict[str, tuple[str, tuple[Any, ...]]] = {}
        for column in self.table.inputs:
            node = self.bound.boxed.tests(column.values, self.names) if column.values else None
            narrow[column.expression.text] = (column.expression.type_ref, constants(node) if node is not None else ())
        needed: list[m.InputData] = []
        others: list[m.Decision] = []
        todo, seen = list(self.decision.requires), set[str]()
        while todo:
            full = todo.pop(0)
            element = self.model.elements.get(full)
            if element is None or full in seen:
                if element is None:
                    raise BrokenModel(self.at(self.decision.line), name=full.rpartition("#")[2], why="it is in another model", why_zh="它在别的模型里")
                continue
            seen.add(full)
            if isinstance(element, m.Decision):
                others.append(element)
                todo += element.requires
            elif isinstance(element, m.InputData):
                needed.append(element)
        self.facts = Facts(self.bound, needed, narrow)
        for other in others:
            if not isinstance(other.logic, m.Text):
                raise self.fault(other.name, "a decision that is required must be an expression, not a table of its own", "所依赖的决策要是表达式，不能又是一张表", other.line)
            taken = [f.name for f in (*self.facts.specs, *self.derived.values())]
            self.derived[other.variable.name] = FactSpec(name=native_name(other.variable.name, taken), title=other.name, derive="null")
        for other in others:
            if isinstance(other.logic, m.Text):
                said = self.guard(other.logic.line, lambda other=other: self.condition(other.logic.text, other.name, other.line))  # type: ignore[misc]
                kind = self.bound.boxed.kind(other.variable.type_ref)
                words: Mapping[str, Any] = {"boolean": "boolean", "string": "text", "date": "date"}
                spec = self.derived[other.variable.name]
                shown = "" if spec.name == spec.title else spec.title
                change = {"derive": said or "", "type": words.get(kind.name if kind else "", "decimal"), "title": shown}
                self.derived[other.variable.name] = spec.model_copy(update=change)


def _json(value: Any) -> Any:
    """A value of FEEL as an out has it: whole numbers as such, other numbers and dates as texts."""
    match value:
        case bool() | str() | None:
            return value
        case Decimal():
            return int(value) if value == value.to_integral_value() and value.adjusted() < 60 else plain(value)
        case list():
            return [_json(v) for v in value]
        case dict():
            return {k: _json(v) for k, v in value.items()}
    return str(value)
