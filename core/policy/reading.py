"""A version of a rule set as its page shows it: sentences, grid, dated parameters, cases."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from siquan.core.errors import SiquanError
from siquan.core.exchange.diff import Difference
from siquan.core.policy.examined import Examined
from siquan.core.policy.force import Bound
from siquan.core.policy.guards import branches
from siquan.core.policy.sentence import Marked, compared
from siquan.core.policy.trials import cases_of, run
from siquan.core.policy.views import (
    CaseText,
    CellLine,
    ColumnLine,
    DifferenceLine,
    ParamText,
    ParamValue,
    Part,
    RuleText,
)
from siquan.core.rules import tree as t
from siquan.core.rules.check import check, put_subject
from siquan.core.rules.decide import RuleSet, cap
from siquan.core.rules.decision import RANK, VERDICTS
from siquan.core.rules.facts import to_wire
from siquan.core.rules.parameters import plain
from siquan.core.rules.parse import parse, parse_cell
from siquan.core.rules.say import Sentence, show
from siquan.core.rules.tree import BOOLEAN
from siquan.core.rules.values import ABSENT
from siquan.core.spec.model import CaseSpec, ParamLine, RuleSpec

BASIS_WORDS = {
    "zh": {"STATUTE": "法律法规", "OWNERS": "业主约定", "POLICY": "政策指引", "LOCAL": "本地设定"},
    "en": {"STATUTE": "statute", "OWNERS": "owners' resolution", "POLICY": "guidance", "LOCAL": "local setting"},
}
#: place -> its title
PlaceName = Callable[[str], str]


class Reading:
    """Reads one examined content in a language, on a day. `before` is what it is compared with, the version a draft was
    made from; `place` gives the title of a place."""

    def __init__(
        self, bound: Bound, examined: Examined, day: dt.date, lang: str, place: PlaceName, before: Examined | None = None,
    ) -> None:  # fmt: skip
        self.bound, self.examined, self.day, self.lang = bound, examined, day, lang
        self.place, self.before = place, before
        self.ruleset, self.book = examined.sound, examined.book
        self._changes: dict[str, list[Difference]] = {}

    # rules

    def rules(self, differences: Sequence[Difference] = ()) -> tuple[RuleText, ...]:
        """Every rule in its order; removed ones stay at their old place, marked."""
        for difference in differences:
            self._changes.setdefault(difference.rule, []).append(difference)
        tests = self._tests()
        now = [self._rule(r, self.examined, tests) for r in self.examined.content.ruleset.rules]
        if self.before is None:
            return tuple(now)
        out, ids = now, {r.id for r in now}
        old = self.before.content.ruleset.rules
        for n, rule in enumerate(old):
            if rule.id not in ids:
                earlier = {r.id for r in old[:n]}
                at = max((k + 1 for k, r in enumerate(out) if r.id in earlier), default=0)
                out = [*out[:at], replace(self._rule(rule, self.before, tests), change="removed", was=(), error=""), *out[at:]]
        return tuple(out)

    def _tests(self) -> dict[str, list[str]]:
        """Rule -> names of the cases that expect it to hit."""
        out: dict[str, list[str]] = {}
        for case in self._cases():
            for rule in case.because or ():
                out.setdefault(rule, []).append(case.name)
        return out

    def _rule(self, spec: RuleSpec, examined: Examined, tests: Mapping[str, list[str]]) -> RuleText:
        ruleset = examined.content.ruleset
        basis = self._basis(spec, examined)
        # of an expression the most binding it may come to
        asked = [spec.outcome] if spec.outcome in VERDICTS else re.findall(r"\b(?:" + "|".join(VERDICTS) + r")\b", spec.outcome) or ["PASS"]
        outcome = min(asked, key=lambda o: RANK.get(o, 99))
        shown = "NA" if spec.display_only else min((cap(o, basis) for o in asked), key=lambda o: RANK.get(o, 99))
        old = next((r for r in self.before.content.ruleset.rules if r.id == spec.id), None) if self.before else None
        parts = self._parts(spec, examined)
        if old is not None and self.before is not None and examined is self.examined:
            parts = compared(parts, self._parts(old, self.before))
        changes = [d for d in self._changes.get(spec.id, ()) if d.kind in ("added", "changed", "removed", "moved")]
        change = "added" if self.before is not None and old is None else "changed" if changes else ""
        return RuleText(
            spec.id, examined.sound.title(spec, self.lang), spec.group, parts, spec.outcome, shown, shown not in (outcome, "NA"), basis,
            self._basis_note(spec, examined), spec.cite, spec.law, spec.say, spec.clear, spec.cure, spec.when, spec.display_only,
            spec.unconfirmed, spec.priority, tuple(self._cells(spec, examined, old)) if ruleset.table else (),
            tuple(tests.get(spec.id, ())), change, tuple((d.title, d.before) for d in changes if d.kind == "changed"),
            examined.fault(spec.id),
        )  # fmt: skip

    def _basis(self, spec: RuleSpec, examined: Examined) -> str:
        line = examined.book.line(f"basis.{spec.id}", self.day)
        return str(line.value) if line is not None and line.value else spec.basis or examined.content.ruleset.default_basis

    def _basis_note(self, spec: RuleSpec, examined: Examined) -> str:
        known = examined.book.specs.get(f"basis.{spec.id}")
        at = {line.place: line for line in sorted(known.lines if known else (), key=lambda x: x.since) if line.place and line.since <= self.day}
        word = BASIS_WORDS["zh" if self.lang == "zh" else "en"]
        return "；".join(f"{self.place(p)}：{word.get(str(line.value), str(line.value))}" for p, line in at.items())

    def _param(self, examined: Examined) -> Callable[[str], str]:
        """A parameter in a sentence: its value on the day, with its unit."""

        def shown(name: str) -> str:
            spec = examined.book.specs.get(name)
            if spec is None:
                return name
            value = examined.book.value(name, self.day)
            return f"{show(value, self.lang)}{spec.unit if value is not None and value is not ABSENT else ''}"

        return shown

    def _unit(self, examined: Examined) -> Callable[[str], bool]:
        specs = examined.book.specs
        return lambda name: bool(name in specs and specs[name].unit)

    def _parts(self, spec: RuleSpec, examined: Examined) -> tuple[Part, ...]:
        sound = examined.sound
        if spec.display_only:
            return (Part(f"{spec.say or spec.title}（{spec.display_only}）"),)
        rule = next((r for r in sound.rules if r.spec.id == spec.id), None)
        if rule is None:
            return (Part(spec.when or "；".join(f"{k} {v}" for k, v in spec.cells.items() if v != "-")),)
        if spec.when:
            return Marked(sound.schema, self.lang, self._param(examined), "when", self._unit(examined)).parts(rule.condition)
        out: list[Part] = []
        for name in examined.content.ruleset.inputs:
            node = self._cell_node(name, spec.cells.get(name, "-"), sound)
            if node is not None:
                text = spec.cells.get(name, "-").strip()
                plain_cell = not text.startswith("not")  # the parser reads what stands inside not(...) by itself
                found = Marked(sound.schema, self.lang, self._param(examined), f"cell:{name}" if plain_cell else "", self._unit(examined)).parts(node)
                out += [Part("，且" if self.lang == "zh" else " and ")] if out else []
                out += found if plain_cell else [replace(p, kind="text") if p.kind == "edit" else p for p in found]
        return tuple(out) or (Part("任何情形" if self.lang == "zh" else "in every case"),)

    def _cell_node(self, name: str, text: str, ruleset: RuleSet) -> t.Node | None:
        try:
            cell = parse_cell(text)
            return None if cell is None else check(put_subject(cell, parse(name)), ruleset.scope, text, None, BOOLEAN)
        except SiquanError:
            return None

    def _cells(self, spec: RuleSpec, examined: Examined, old: RuleSpec | None) -> Iterator[CellLine]:
        ruleset = examined.content.ruleset
        talk = Sentence(examined.sound.schema, self.lang, self._param(examined), self._unit(examined))
        for name in ruleset.inputs:
            text = spec.cells.get(name, "-")
            was = old.cells.get(name, "-") if old is not None else ""
            node = self._cell_node(name, text, examined.sound)
            words = talk.say(node) if node is not None else ("不限" if self.lang == "zh" else "any")
            yield CellLine(name, text, words, was if was != text else "", old is not None and was != text, examined.fault(spec.id, f"cell:{name}"))
        for key, value, before in _outs(ruleset.outputs, spec, old):
            changed = old is not None and value != before
            yield CellLine(key, value, value, before if changed else "", changed, examined.fault(spec.id, key))

    def columns(self) -> tuple[ColumnLine, ...]:
        spec = self.examined.content.ruleset
        if not spec.table:
            return ()
        talk, out = Sentence(self.ruleset.schema, self.lang), []
        for name in spec.inputs:
            try:
                node = check(parse(name), self.ruleset.scope, name)
                path = node.path if isinstance(node, t.Fact) else ""
                fact = self.ruleset.schema.get(path)
                options = tuple(fact.values.items()) if fact is not None else ()
                out.append(ColumnLine(name, talk.say(node), "in", node.type.kind, fact.unit if fact else "", options))
            except SiquanError:
                out.append(ColumnLine(name, name, "in"))
        values = spec.output_values
        for key, name in _out_keys(spec.outputs):
            title = name or ("结果" if self.lang == "zh" else "result")
            known = [str(v) for v in values.get(name, ())] or (list(branches(self.bound, spec.id)) if not out or out[-1].side == "in" else [])
            out.append(ColumnLine(key, title, "out", options=tuple((v, v) for v in known)))
        return tuple(out)

    # parameters

    def parameters(self) -> tuple[ParamText, ...]:
        """Everything the rule set reads, and the basis of each of its rules where it is dated."""
        own = {n.name for node in self.ruleset.nodes() for n in t.walk(node) if isinstance(n, t.Param)}
        own |= {f"basis.{r.id}" for r in self.examined.content.ruleset.rules}
        own |= {line.name for line in self.examined.content.lines}
        draft = {x.key for x in self.examined.content.lines}
        out = []
        for name in sorted(own & set(self.book.specs)):
            spec = self.book.specs[name]
            values = [self._value(name, line, (name, line.place, line.since) in draft) for line in spec.lines]
            values.sort(key=lambda v: (v.place_id, v.since), reverse=True)
            title = spec.title or (name.removeprefix("basis.") + " 的依据" if name.startswith("basis.") else name)
            out.append(ParamText(name, title, spec.unit, self.book.types()[name].kind, tuple(values), self._used_by(name)))
        return tuple(out)

    def _value(self, name: str, line: ParamLine, draft: bool) -> ParamValue:
        current = self.book.line(name, self.day, (line.place,) if line.place else ())
        status = "draft" if draft else "current" if line == current else "future" if line.since > self.day else "past"
        key = f"{name}@{line.place}@{line.since}" if draft else ""
        value = plain(line.value)
        shown = ("废止" if self.lang == "zh" else "repealed") if value is ABSENT else show(value, self.lang)
        place = self.place(line.place) if line.place else ""
        return ParamValue(line.since, shown, place, line.basis, line.cite, line.ref, status, key, line.place)

    def _used_by(self, name: str) -> tuple[tuple[str, str], ...]:
        own = self.examined.content.ruleset.id
        return tuple((id, r.spec.title or id) for id, r in sorted(self.bound.rulesets.items()) if id != own and name in r.params)

    # cases

    def _cases(self) -> list[CaseSpec]:
        added = {c.name for c in self.examined.content.cases}
        shipped = [c for c in cases_of(self.bound, self.examined.content.ruleset.id) if c.name not in added]
        return [*shipped, *self.examined.content.cases]

    def cases(self) -> tuple[CaseText, ...]:
        """The rule set's test cases, run."""
        added = {c.name for c in self.examined.content.cases}
        rules, out = self.examined.whole, []
        day = self.book.newest() or self.day
        for case in self._cases():
            wrong = run(self.bound, rules, self.book, case, day) if rules is not None else None
            given = "；".join([*self._around(case), *self._given(case.given)])
            passed = None if wrong is None else not wrong
            out.append(CaseText(case.name, given, case.expect, tuple(case.because or ()), passed, "；".join(wrong or ()), case.name in added))
        return tuple(out)

    def _around(self, case: CaseSpec) -> Iterator[str]:
        """What a case stands on besides its own facts: day, place, base, what-if values."""
        zh = self.lang == "zh"
        if case.on:
            yield f"{'判定日' if zh else 'on'} {case.on}"
        if case.place:
            yield f"{'地方' if zh else 'at'} {self.place(case.place)}"
        if case.base:
            yield f"以“{case.base}”为底" if zh else f"on top of `{case.base}`"
        for name, value in case.set.items():
            spec = self.book.specs.get(name)
            yield f"{spec.title if spec and spec.title else name} = {value}"

    def _given(self, given: Mapping[str, Any], head: str = "") -> Iterator[str]:
        for key, value in given.items():
            path = f"{head}{key}"
            if isinstance(value, Mapping) and "value" not in value:
                yield from self._given(value, f"{path}.")
                continue
            inner = value.get("value") if isinstance(value, Mapping) else value
            yield f"{self.ruleset.schema.title(path)}：{self.shown(path, inner)}"

    def shown(self, path: str, value: Any) -> str:
        """A wire value as a person reads it."""
        spec = self.ruleset.schema.get(path)
        if value is None:
            return show(None, self.lang)
        if value == "none" and spec is not None and spec.absent and "none" not in spec.values:
            return spec.absent
        if isinstance(value, bool):
            return show(value, self.lang)
        if isinstance(value, list):
            return f"{len(value)} 项" if self.lang == "zh" else f"{len(value)} items"
        text = spec.values.get(str(value), str(to_wire(value))) if spec is not None else str(to_wire(value))
        return text + (spec.unit if spec is not None else "")

    # what an expression may name

    def names(self) -> tuple[tuple[str, str, str], ...]:
        schema, kinds = self.ruleset.schema, self.ruleset.scope.facts
        facts = [(p, schema.title(p), str(kinds[p])) for p in schema.specs if p in kinds and kinds[p].kind != "record"]
        book = [(n, s.title or n, self.book.types()[n].kind) for n, s in self.book.specs.items() if not n.startswith("basis.")]
        return (*facts, *book)

    def choices(self) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        return tuple((p, tuple(s.values.items())) for p, s in self.ruleset.schema.specs.items() if s.values)


def _out_keys(outputs: Sequence[str]) -> list[tuple[str, str]]:
    """(column key, output name); a single output is simply `out`."""
    return [(f"out:{o}", o) for o in outputs] if len(outputs) > 1 else [("out", outputs[0] if outputs else "")]


def _outs(outputs: Sequence[str], spec: RuleSpec, old: RuleSpec | None) -> Iterator[tuple[str, str, str]]:
    """(column key, value, former value) of each output, as text."""

    def text(rule: RuleSpec | None, name: str) -> str:
        value = rule.out.get(name) if rule is not None and isinstance(rule.out, dict) else rule.out if rule is not None else None
        return "" if value is None else "true" if value is True else "false" if value is False else str(value)

    for key, name in _out_keys(outputs):
        yield key, text(spec, name), text(old, name)



def said(found: Sequence[Difference]) -> tuple[DifferenceLine, ...]:
    return tuple(DifferenceLine(d.kind, d.rule, d.field, d.title, d.before, d.after, d.cosmetic) for d in found)
