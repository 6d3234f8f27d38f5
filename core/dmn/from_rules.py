"""A rule set as a DMN 1.5 model. A table becomes a decision table of the same hit policy; a rule list becomes one that
collects, whose rows each hold a condition. What DMN has no place for rides along (`extension`), so that `to_rules`
gives back the same rule set; the FEEL is the standard's, so that other tools decide the same on complete facts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from siquan.core.dmn.extension import ANNOTATIONS, POLICIES, dump, head_of, rule_of, rules_of
from siquan.core.dmn.read import OURS
from siquan.core.dmn.say_feel import KNOWLEDGE, Feel, NotExpressible, constant
from siquan.core.dmn.say_feel import text as quoted
from siquan.core.errors import SiquanError
from siquan.core.rules import tree as t
from siquan.core.rules.check import Scope, check, put_subject
from siquan.core.rules.decision import VERDICTS
from siquan.core.rules.facts import Schema
from siquan.core.rules.parameters import ParameterBook
from siquan.core.rules.parse import parse, parse_cell
from siquan.core.rules.tree import ANY, BOOLEAN, Type
from siquan.core.spec.model import RuleSetSpec, RuleSpec
from siquan.core.spec.table import number

DMN = "https://www.omg.org/spec/DMN/20230324/MODEL/"
FEEL = "https://www.omg.org/spec/DMN/20230324/FEEL/"
_SIMPLE = {"number": "number", "boolean": "boolean", "text": "string", "enum": "string", "person": "string", "date": "date"}
_BARRED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass
class Tag:
    """An element to be written."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Tag] = field(default_factory=list)
    text: str = ""

    def write(self, level: int = 0) -> str:
        pad = "\n" + "  " * level
        head = self.name + "".join(f" {k}={quoteattr(_clean(v), {chr(10): '&#10;', chr(13): '&#13;'})}" for k, v in self.attributes.items() if v)
        if self.children:
            return f"{pad}<{head}>{''.join(c.write(level + 1) for c in self.children)}{pad}</{self.name}>"
        return f"{pad}<{head}>{escape(_clean(self.text), {chr(13): '&#13;'})}</{self.name}>" if self.text else f"{pad}<{head}/>"


def _clean(value: str) -> str:
    """What XML cannot hold is left out: it is in no condition, where FEEL escapes it."""
    return _BARRED.sub("�", value)


def _text(tag: str, words: str, **attributes: str) -> Tag:
    return Tag(tag, attributes, [Tag("text", text=words)])


def _extension(tag: str, value: Mapping[str, Any]) -> Tag:
    return Tag("extensionElements", {}, [Tag(f"s:{tag}", text=dump(value))])


def from_rules(
    spec: RuleSetSpec, schema: Schema, book: ParameterBook | None = None, *, scope: Scope | None = None,
    derived: Mapping[str, t.Node] | None = None,
) -> bytes:  # fmt: skip
    """The model as UTF-8 XML. `scope` and `derived` are those the rule set is bound to (`RuleSet.scope`, `.derived`);
    without them they are made of the schema and the book. Raises NotExpressible, and what a broken expression raises."""
    if scope is None:
        scope = Scope(schema.types(), book.types() if book is not None else {}, None, spec.prefix)
    if derived is None:
        derived = _derived(schema, scope)
    scope = Scope(scope.facts, scope.params, scope.parent, spec.prefix or scope.prefix)
    return _Writer(spec, schema, scope, derived).write()


def _derived(schema: Schema, scope: Scope) -> dict[str, t.Node]:
    """Trees of derived facts; one that reads what is not here is an input like any other."""
    out: dict[str, t.Node] = {}
    for fact in schema.specs.values():
        if fact.derive:
            try:
                out[fact.name] = check(parse(fact.derive, fact.where), Scope(scope.facts, scope.params, scope.parent, fact.prefix), fact.derive)
            except SiquanError:
                continue
    return out


class _Writer:
    def __init__(self, spec: RuleSetSpec, schema: Schema, scope: Scope, derived: Mapping[str, t.Node]) -> None:
        self.spec, self.schema, self.scope, self.derived = spec, schema, scope, derived
        self.name = spec.title.strip() or spec.id
        self.used: dict[str, None] = {}
        self.paths: dict[str, Type] = {}
        self.types: dict[str, Tag] = {}
        self.ids: set[str] = set()

    def id(self, wish: str) -> str:
        """An XML id that no other element has."""
        fit = re.sub(r"[^\w.-]", "_", wish)
        fit = fit if re.match(r"[^\W\d]", fit) else f"_{fit}"
        found, n = fit, 2
        while found in self.ids:
            found, n = f"{fit}_{n}", n + 1
        self.ids.add(found)
        return found

    def write(self) -> bytes:
        table = self.table() if self.spec.table else self.conditions()
        needs, inputs = self.inputs()
        models, known = self.knowledge()
        variable = Tag("variable", {"name": self.name})
        decision = Tag("decision", {"name": self.name, "id": self.id(f"decision_{self.spec.id}")})
        decision.children = [_extension("ruleset", self.head), variable, *needs, *known, table]
        attributes = {
            "xmlns": DMN, "xmlns:s": OURS, "name": self.spec.id, "id": self.id("definitions"),
            "namespace": f"{OURS}:{self.spec.id}", "expressionLanguage": FEEL, "typeLanguage": FEEL, "exporter": "Siquan",
        }  # fmt: skip
        root = Tag("definitions", attributes, [*self.types.values(), *inputs, *models, decision])
        return ('<?xml version="1.0" encoding="UTF-8"?>' + root.write() + "\n").encode("utf-8", "replace")

    # expressions

    def feel(self, rule: RuleSpec | None = None) -> Feel:
        feel = Feel(rule.id if rule is not None else self.spec.id, self.derived, rule.where if rule is not None else self.spec.where)
        feel.used, feel.paths = self.used, self.paths
        return feel

    def checked(self, words: str, rule: RuleSpec | None, want: Type = ANY, outcomes: bool = False) -> t.Node:
        where = rule.where if rule is not None else self.spec.where
        scope = Scope(self.scope.facts, self.scope.params, self.scope.parent, self.scope.prefix, outcomes)
        return check(parse(words, where), scope, words, where, want)

    # tables

    def table(self) -> Tag:
        spec = self.spec
        subjects = [self.checked(name, None) for name in spec.inputs]
        columns = [self.feel().write(s) for s in subjects]
        policy, rows = spec.hit_policy, list(enumerate(spec.rules))
        if policy in ("P", "O") and not any(spec.output_values.values()):
            # the standard orders by values alone: rows with priorities of their own stand in that order instead
            rows.sort(key=lambda pair: -pair[1].priority)
            policy = "F" if policy == "P" else "R"
        outputs = spec.outputs or ("",)
        kinds = [self._kind(name) for name in outputs]
        defaults: list[str] = self._defaults(outputs, kinds)
        self.head = {
            "spec": head_of(spec), "made": rules_of(spec), "policy": policy, "inputs": dict(zip(columns, spec.inputs, strict=True)),
            "outputs": [[n, [self._literal(v, k) for v in spec.output_values.get(n, ())]] for n, k in zip(outputs, kinds, strict=True)],
            "defaults": defaults, "order": [n for n, _ in rows], "ids": [r.id for r in spec.rules],
        }  # fmt: skip
        tag = self._tag(policy)
        for name, node, column in zip(spec.inputs, subjects, columns, strict=True):
            tag.children.append(self._input(name, node, column))
        for name, kind, default in zip(outputs, kinds, defaults, strict=True):
            tag.children.append(self._output(name, "" if isinstance(spec.default, list) or spec.hit_policy == "C#" else kind, spec.output_values.get(name, ()), default))
        tag.children += [Tag("annotation", {"name": words[0]}) for words in ANNOTATIONS.values()]
        for _, rule in rows:
            cells = [self.cell(rule, name, node) for name, node in zip(spec.inputs, subjects, strict=True)]
            outs = [self._literal(rule.out[n] if len(outputs) > 1 else rule.out, k) for n, k in zip(outputs, kinds, strict=True)]
            tag.children.append(self._row(rule, dict(zip(columns, cells, strict=True)), outs))
        return tag

    def conditions(self) -> Tag:
        """Each condition is tested for being true; a row gives the rule's id and outcome."""
        self.head = {"spec": head_of(self.spec), "made": rules_of(self.spec), "policy": "C", "inputs": {"true": ""}, "outputs": [["rule", []], ["outcome", []]], "defaults": ["", ""]}
        tag = self._tag("C")
        tag.children.append(self._input("条件", t.Literal(True, type=BOOLEAN), "true"))
        tag.children += [self._output("rule", "string", (), ""), self._output("outcome", "string", (), "")]
        tag.children += [Tag("annotation", {"name": words[0]}) for words in ANNOTATIONS.values()]
        for rule in self.spec.rules:
            feel = self.feel(rule)
            condition = "false" if rule.display_only else feel.write(self.checked(rule.when, rule, BOOLEAN))
            outcome = rule.outcome or "PASS"
            said = quoted(outcome) if outcome in VERDICTS else feel.write(self.checked(outcome, rule, outcomes=True))
            tag.children.append(self._row(rule, {"true": condition}, [quoted(rule.id), said]))
        return tag

    def _tag(self, policy: str) -> Tag:
        name, total = POLICIES[policy]
        return Tag("decisionTable", {"id": self.id("table"), "hitPolicy": name, "aggregation": total, "outputLabel": self.name})

    def _input(self, name: str, node: t.Node, column: str) -> Tag:
        title = self.schema.title(node.path) if isinstance(node, t.Fact) else name
        expression = _text("inputExpression", column, typeRef=_SIMPLE.get(node.type.kind, ""))
        return Tag("input", {"id": self.id("input"), "label": title}, [expression])

    def _output(self, name: str, kind: str, values: Sequence[Any], default: str) -> Tag:
        tag = Tag("output", {"id": self.id("output"), "name": name, "typeRef": kind})
        if values:
            tag.children.append(_text("outputValues", ", ".join(self._literal(v, kind) for v in values)))
        if default:
            tag.children.append(_text("defaultOutputEntry", default))
        return tag

    def _row(self, rule: RuleSpec, cells: Mapping[str, str], outs: Sequence[str]) -> Tag:
        notes = {key: str(getattr(rule, key)) for key in ANNOTATIONS}
        if rule.display_only:
            notes["say"] = f"{rule.say or rule.title}（{rule.display_only}）"
        tag = Tag("rule", {"id": self.id(rule.id)})
        written = {"rule": rule_of(rule), "cells": cells, "outs": outs, "notes": {k: _clean(v).strip() for k, v in notes.items()}}
        tag.children = [_extension("rule", written), *(_text("inputEntry", c) for c in cells.values()), *(_text("outputEntry", o) for o in outs)]
        tag.children += [_text("annotationEntry", v) for v in notes.values()]
        return tag

    # outs

    def _kind(self, name: str) -> str:
        """The type of a column of outs: number when all of them are."""
        values = [r.out[name] if len(self.spec.outputs) > 1 else r.out for r in self.spec.rules]
        values += self.spec.output_values.get(name, ())
        if self.spec.hit_policy != "C#" and self.spec.default is not None and not isinstance(self.spec.default, list):
            values.append(self.spec.default[name] if len(self.spec.outputs) > 1 else self.spec.default)
        if values and all(number(v) is not None for v in values):
            return "number"
        return "boolean" if values and all(isinstance(v, bool) for v in values) else "string" if all(isinstance(v, str) for v in values) else ""

    def _literal(self, value: Any, kind: str) -> str:
        found = number(value) if kind == "number" else None
        return constant(value if found is None else found)

    def _defaults(self, outputs: Sequence[str], kinds: Sequence[str]) -> list[str]:
        default = self.spec.default
        if default is None:
            return [""] * len(outputs)
        if len(outputs) == 1:
            kind = "number" if self.spec.hit_policy == "C#" else kinds[0]
            if isinstance(default, list):
                return [f"[{', '.join(self._literal(v, kind) for v in default)}]"]
            return [self._literal(default, kind)]
        if isinstance(default, list):
            raise NotExpressible(
                self.spec.where, rule=self.spec.id, what="the default", what_zh="默认值", why="a list of several outputs has no place there",
                why_zh="几个输出的列表没有地方写",
            )  # fmt: skip
        return [self._literal(default[n], k) for n, k in zip(outputs, kinds, strict=True)]

    # cells

    def cell(self, rule: RuleSpec, name: str, subject: t.Node) -> str:
        """A cell as unary tests; as a condition on `?` where unary tests cannot say it."""
        words = rule.cells.get(name, "-")
        cell = parse_cell(words, rule.where)
        if cell is None:
            return "-"
        node = check(put_subject(cell, parse(name, self.spec.where)), self.scope, words, rule.where, BOOLEAN)
        feel = self.feel(rule)
        if isinstance(node, t.Not) and (inner := _tests(node.item, subject, feel)) is not None:
            return f"not({', '.join(inner)})"
        if isinstance(node, t.Compare) and node.op == "!=" and node.left == subject and not _reads(node.right, subject):
            return f"not({feel.write(node.right, 4)})"
        tests = _tests(node, subject, feel)
        return ", ".join(tests) if tests is not None else feel.write(_put(node, subject))

    # what the model needs

    def inputs(self) -> tuple[list[Tag], list[Tag]]:
        """Requirements and input data, one for each first word of a dotted path."""
        tree: dict[str, Any] = {}
        for path, kind in self.paths.items():
            here, *rest = path.split(".")
            at = tree.setdefault(here, {})
            for part in rest:
                at = at.setdefault(part, {})
            at.setdefault("", kind)
        needs, data = [], []
        for name, below in tree.items():
            id = self.id(f"input_{name}")
            needs.append(Tag("informationRequirement", {"id": self.id("need")}, [Tag("requiredInput", {"href": f"#{id}"})]))
            variable = Tag("variable", {"name": name, "typeRef": self._type(name, below)})
            label = self.schema.title(name) if name in self.schema else ""
            data.append(Tag("inputData", {"name": name, "id": id, "label": label}, [variable]))
        return needs, data

    def _type(self, path: str, below: dict[str, Any]) -> str:
        parts = {k: v for k, v in below.items() if k}
        if not parts:
            return self._named(path, below[""])
        tag = self.types[path] = Tag("itemDefinition", {"name": f"t {path}"})
        tag.children = [Tag("itemComponent", {"name": k}, [Tag("typeRef", text=self._type(f"{path}.{k}", v))]) for k, v in parts.items()]
        return f"t {path}"

    def _named(self, path: str, kind: Type) -> str:
        match kind.kind:
            case "enum":
                allowed = _text("allowedValues", ", ".join(quoted(v) for v in kind.values))
                self.types[path] = Tag("itemDefinition", {"name": f"t {path}"}, [Tag("typeRef", text="string"), allowed])
                return f"t {path}"
            case "list":
                item = Tag("typeRef", text=_SIMPLE.get(kind.item.kind, "Any") if kind.item else "Any")
                self.types[path] = Tag("itemDefinition", {"name": f"t {path}", "isCollection": "true"}, [item])
                return f"t {path}"
        return _SIMPLE.get(kind.kind, "Any")

    def knowledge(self) -> tuple[list[Tag], list[Tag]]:
        """The functions of our language that the standard lacks, and the requirements of them."""
        models, needs, ids = [], [], {name: self.id(KNOWLEDGE[name][0]) for name in self.used}
        for name in self.used:
            called, params, body = KNOWLEDGE[name]
            logic = Tag("encapsulatedLogic", {}, [Tag("formalParameter", {"name": p, "typeRef": "date"}) for p in params])
            logic.children.append(_text("literalExpression", body))
            below = [Tag("knowledgeRequirement", {}, [Tag("requiredKnowledge", {"href": f"#{ids[n]}"})]) for n in ids if KNOWLEDGE[n][0] in body]
            models.append(Tag("businessKnowledgeModel", {"name": called, "id": ids[name]}, [Tag("variable", {"name": called}), logic, *below]))
            needs.append(Tag("knowledgeRequirement", {"id": self.id("knows")}, [Tag("requiredKnowledge", {"href": f"#{ids[name]}"})]))
        return models, needs


def _reads(node: t.Node, subject: t.Node) -> bool:
    return any(n == subject for n in t.walk(node))


def _tests(node: t.Node, subject: t.Node, feel: Feel) -> list[str] | None:
    """A condition on the subject as a list of unary tests; None when it is more than that."""
    match node:
        case t.Or(items=items):
            found = [_tests(i, subject, feel) for i in items]
            return None if any(f is None or len(f) > 1 for f in found) else [f[0] for f in found if f]
        case t.Compare(op=op, left=left, right=right) if left == subject and op != "!=" and not _reads(right, subject):
            return [feel.write(right, 4) if op == "=" else f"{op} {feel.write(right, 4)}"]
        case t.And(items=(t.Compare(op=(">" | ">=") as low), t.Compare(op=("<" | "<=") as high)) as ends):
            a, b = (end for end in ends if isinstance(end, t.Compare))
            if a.left == subject == b.left and not _reads(a.right, subject) and not _reads(b.right, subject):
                ends_in = f"{feel.write(a.right, 4)}..{feel.write(b.right, 4)}"
                return [f"{'[' if low == '>=' else '('}{ends_in}{']' if high == '<=' else ')'}"]
    return None


def _put(node: t.Node, subject: t.Node) -> t.Node:
    """The tree with the subject replaced by `?`."""
    if node == subject:
        return t.Subject()
    changes: dict[str, Any] = {}
    for name, value in vars(node).items():
        if isinstance(value, t.Node):
            changes[name] = _put(value, subject)
        elif isinstance(value, tuple) and value and all(isinstance(v, t.Node) for v in value):
            changes[name] = tuple(_put(v, subject) for v in value)
    return replace(node, **changes)
