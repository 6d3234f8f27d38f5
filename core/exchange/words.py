"""What the texts of a rule mean: whether two of them mean the same, how they read, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from siquan.core.errors import SiquanError
from siquan.core.exchange.fields import BASES, OUTCOMES, value_of
from siquan.core.rules import tree as t
from siquan.core.rules.check import Scope, TypeFault, check, put_subject
from siquan.core.rules.decision import VERDICTS
from siquan.core.rules.facts import Schema
from siquan.core.rules.parameters import ParameterBook
from siquan.core.rules.parse import parse, parse_cell
from siquan.core.rules.say import Sentence, template
from siquan.core.rules.tree import BOOLEAN
from siquan.core.spec.model import RuleSetSpec, RuleSpec

#: fields that hold an expression; formatting is no difference in them
EXPRESSIONS = ("when", "outcome")
TEMPLATES = ("say", "clear")


class Words:
    """Reads the texts of one rule set's rules. `scope` is that of the bound rule set where it reads a parent's facts."""

    def __init__(
        self, ruleset: RuleSetSpec, schema: Schema, book: ParameterBook, lang: str = "zh", scope: Scope | None = None
    ) -> None:
        base = scope or Scope(schema.types(), book.types())
        self.scope = Scope(base.facts, {**base.params, **book.types()}, base.parent, ruleset.prefix or base.prefix)
        self.schema, self.book, self.ruleset = schema, book, ruleset
        self.lang = "zh" if lang.startswith("zh") else "en"
        self._sentence = Sentence(schema, self.lang, self.parameter)

    def parameter(self, name: str) -> str:
        spec = self.book.specs.get(name)
        return spec.title if spec and spec.title else name

    # the same?

    def same(self, key: str, a: Any, b: Any) -> bool:
        """Whether two values of a field mean the same: an expression may be spaced and bracketed otherwise."""
        if type(a) is type(b) and a == b:
            return True
        if not isinstance(a, str) or not isinstance(b, str):
            return False
        if key.startswith("cell:"):
            return self._same(parse_cell, a, b)
        return bool(a and b) and key in EXPRESSIONS and self._same(parse, a, b)

    @staticmethod
    def _same(how: Any, a: str, b: str) -> bool:
        try:
            one, two = how(a), how(b)
        except SiquanError:
            return False
        return bool(one is two or (one is not None and two is not None and _canonical(one) == _canonical(two)))

    # in words

    def say(self, key: str, value: Any) -> str:
        """A value of a field as people read it; an expression that cannot be read stays as it is written."""
        if value is None or value == "":
            return ""
        if key == "basis" or key == "default_basis":
            return self._word(BASES, value)
        if isinstance(value, bool):
            return ("是" if value else "否") if self.lang == "zh" else ("yes" if value else "no")
        if isinstance(value, str):
            try:
                if key.startswith("cell:"):
                    return self.test(key[5:], value)
                if key == "when":
                    return self._sentence.say(self.condition(value))
                if key == "outcome":
                    return self._outcome(self.outcome(value))
            except SiquanError:
                return value
        if isinstance(value, dict):
            return ("；" if self.lang == "zh" else "; ").join(f"{k}：{self.say('', v)}" for k, v in value.items())
        if isinstance(value, list | tuple):
            return ("、" if self.lang == "zh" else ", ").join(self.say("", v) for v in value)
        return str(value)

    def test(self, name: str, text: str) -> str:
        """A cell of a table in words; its column is the subject."""
        node = self.cell(name, text)
        return ("任意" if self.lang == "zh" else "any") if node is None else self._sentence.say(node)

    def sentence(self, rule: RuleSpec) -> str:
        """The condition of a rule or row in words; empty where there is none."""
        if rule.display_only:
            return ""
        if rule.when:
            return self.say("when", rule.when)
        parts = [self.say(f"cell:{n}", c) for n in self.ruleset.inputs if (c := value_of(rule, f"cell:{n}")) != "-"]
        if not parts:
            return "任何情形" if self.lang == "zh" else "always"
        return ("，且" if self.lang == "zh" else " and ").join(parts)

    def _word(self, words: Mapping[str, tuple[str, str]], code: str) -> str:
        return words[code][0 if self.lang == "zh" else 1] if code in words else code

    def _outcome(self, node: t.Node) -> str:
        if isinstance(node, t.If):
            test, then, other = self._sentence.say(node.test), self._outcome(node.then), self._outcome(node.other)
            return f"若{test}则{then}，否则{other}" if self.lang == "zh" else f"if {test} then {then} else {other}"
        if isinstance(node, t.Literal) and isinstance(node.value, str):
            return self._word(OUTCOMES, node.value)
        return self._sentence.say(node)

    # resolved and checked

    def condition(self, text: str) -> t.Node:
        """Raises SyntaxFault, UnknownName, TypeFault ..."""
        return check(parse(text), self.scope, text, None, BOOLEAN)

    def cell(self, name: str, text: str) -> t.Node | None:
        node = parse_cell(text)
        return None if node is None else check(put_subject(node, parse(name)), self.scope, text, None, BOOLEAN)

    def outcome(self, text: str) -> t.Node:
        node = check(parse(text), replace(self.scope, outcomes=True), text)
        if node.type.kind != "outcome":
            raise TypeFault(None, text=text, left=str(node.type), right="outcome", help="可用 " + " ".join(VERDICTS))
        return node

    def faults(self, rule: RuleSpec) -> Iterator[tuple[str, SiquanError]]:
        """Every field of the rule that cannot be read, with what is wrong."""
        for name in self.ruleset.inputs:
            if (fault := self._fault(lambda name=name: self.cell(name, value_of(rule, f"cell:{name}")))) is not None:
                yield f"cell:{name}", fault
        if rule.when and (fault := self._fault(lambda: self.condition(rule.when))) is not None:
            yield "when", fault
        if rule.outcome and rule.outcome not in VERDICTS and (fault := self._fault(lambda: self.outcome(rule.outcome))) is not None:
            yield "outcome", fault
        for key in TEMPLATES:
            if (fault := self._fault(lambda key=key: template(value_of(rule, key), self.scope))) is not None:
                yield key, fault

    @staticmethod
    def _fault(call: Any) -> SiquanError | None:
        try:
            call()
        except SiquanError as fault:
            return fault
        return None


def _canonical(node: t.Node) -> t.Node:
    """The tree without what only formatting and order of equal sides put there."""
    changes: dict[str, Any] = {}
    for name, value in vars(node).items():
        if isinstance(value, t.Node):
            changes[name] = _canonical(value)
        elif isinstance(value, tuple) and value and all(isinstance(v, t.Node) for v in value):
            changes[name] = tuple(_canonical(v) for v in value)
    done = replace(node, **changes)
    match done:
        case t.And(items=items) | t.Or(items=items):
            flat = [x for i in items for x in (i.items if isinstance(i, t.And | t.Or) and type(i) is type(done) else (i,))]
            return type(done)(tuple(flat))
        case t.Compare(op="=" | "!=" as op, left=a, right=b) if repr(b) < repr(a) and not isinstance(a, t.Subject):
            return t.Compare(op, b, a)
    return done


def names_in(texts: list[tuple[str, str]]) -> Iterator[str]:
    """The names the texts use; each comes with the key of its field. What cannot be parsed names nothing."""
    for key, text in texts:
        for source in [text] if key not in TEMPLATES else _holes(text):
            try:
                node = parse_cell(source) if key.startswith("cell:") else parse(source)
            except SiquanError:
                continue
            for part in t.walk(node) if node is not None else ():
                if isinstance(part, t.Name):
                    yield part.path


def _holes(text: str) -> list[str]:
    return [piece.partition("}")[0].strip() for piece in text.split("{")[1:]]


def parameters_read(ruleset: RuleSetSpec, schema: Schema, book: ParameterBook) -> tuple[str, ...]:
    """The parameters a decision by this rule set may look at, in the order of the book: those its texts name, those of
    the derived facts and age limits it rests on, and the dated bases of its rules."""
    texts = [(k, str(value_of(r, k))) for r in ruleset.rules for k in ("when", "outcome", *TEMPLATES) if value_of(r, k)]
    texts += [(f"cell:{n}", value_of(r, f"cell:{n}")) for r in ruleset.rules for n in ruleset.inputs]
    texts += [("when", name) for name in ruleset.inputs] + [("when", r.when) for r in ruleset.readings]
    found: set[str] = set()
    read: set[str] = set()
    todo = list(names_in(texts))
    while todo:
        name = todo.pop()
        for full in (ruleset.prefix + name, name):
            if full in book.specs:
                found.add(full)
        # a fact brings what it is derived from and how old it may be; `parent.x` and record fields count as their head
        path = next((p for p in _heads(ruleset.prefix + name) + _heads(name) if p in schema.specs and p not in read), None)
        if path is not None:
            read.add(path)
            fact = schema.specs[path]
            more = [("when", x) for x in (fact.derive, fact.max_age) if x]
            todo += [*names_in(more), name]
    found |= {f"basis.{r.id}" for r in ruleset.rules if f"basis.{r.id}" in book.specs}
    return tuple(n for n in book.specs if n in found)


def _heads(path: str) -> list[str]:
    """`a.b.c`, `a.b`, `a`."""
    parts = path.removeprefix("self.").split(".")
    return [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
