"""What changed between two contents, in the words people read. Formatting is no difference: trees are compared."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from siquan.core.exchange.content import Content, NewLine
from siquan.core.exchange.fields import COSMETIC, SETTINGS, fields_of, title_of, value_of
from siquan.core.exchange.words import Words
from siquan.core.rules.check import Scope
from siquan.core.rules.facts import Schema
from siquan.core.rules.parameters import ParameterBook, plain
from siquan.core.rules.say import show
from siquan.core.spec.model import CaseSpec, RuleSpec

Kind = Literal["added", "removed", "changed", "moved", "parameter", "setting", "case"]
#: hit policies that read the rows in their order
ORDERED = ("F", "R", "O", "P")


@dataclass(frozen=True)
class Difference:
    """One difference. `rule` is the rule's id, the parameter's name, the setting or the case's name; `field` what of it
    (`when`, `cell:amount`, `out`, `out:level`, `say` ...; empty for the whole); `title` names that for a person: the field
    of a changed rule, else the rule, parameter, setting or case. `cosmetic`: no decision can come out differently."""

    kind: Kind
    rule: str
    field: str
    title: str
    before: str
    after: str
    cosmetic: bool = False


def diff(
    old: Content, new: Content, schema: Schema, book: ParameterBook, lang: str = "zh", *, scope: Scope | None = None
) -> tuple[Difference, ...]:
    """All differences: settings, rules in their new order with the removed ones behind, parameters, cases. `book` is the
    book without the new lines. `scope` is that of the bound rule set, for conditions that read `parent.*`."""
    found = _Diff(old, new, schema, book, lang, scope)
    return (*found.settings(), *found.rules(), *found.parameters(), *found.cases())


class _Diff:
    def __init__(self, old: Content, new: Content, schema: Schema, book: ParameterBook, lang: str, scope: Scope | None) -> None:
        self.old, self.new, self.schema, self.book, self.lang = old, new, schema, book, lang
        self.zh = lang.startswith("zh")
        self.before, self.after = (Words(c.ruleset, schema, book, lang, scope) for c in (old, new))

    def settings(self) -> Iterator[Difference]:
        for key, words in SETTINGS.items():
            a, b = getattr(self.old.ruleset, key), getattr(self.new.ruleset, key)
            if a != b:
                title = words[0 if self.zh else 1]
                cosmetic = key in ("title", "intents")
                yield Difference("setting", key, "", title, _setting(self.before, key, a), _setting(self.after, key, b), cosmetic)

    # rules

    def rules(self) -> Iterator[Difference]:
        old = {r.id: r for r in self.old.ruleset.rules}
        new = {r.id: r for r in self.new.ruleset.rules}
        was = {id: n for n, id in enumerate((i for i in old if i in new), start=1)}
        now = {id: n for n, id in enumerate((i for i in new if i in old), start=1)}
        moved = set(now) - set(kept_in_order([was[i] for i in now], list(now)))
        keys = fields_of(self.old.ruleset, self.new.ruleset)
        for id, rule in new.items():
            if id not in old:
                yield Difference("added", id, "", rule.title or id, "", self._whole(self.after, rule))
                continue
            if id in moved:
                cosmetic = self.new.ruleset.hit_policy not in ORDERED
                yield Difference("moved", id, "", rule.title or id, self._nth(was[id]), self._nth(now[id]), cosmetic)
            for key in keys:
                a, b = value_of(old[id], key), value_of(rule, key)
                if not self.after.same(key, a, b):
                    title = title_of(key, self.new.ruleset, self.schema, self.lang)
                    before, after = self.before.say(key, a), self.after.say(key, b)
                    if before == after and isinstance(a, str) and isinstance(b, str):
                        before, after = a, b  # two ways to mean different things that read alike
                    yield Difference("changed", id, key, title, before, after, key in COSMETIC)
        for id, rule in old.items():
            if id not in new:
                yield Difference("removed", id, "", rule.title or id, self._whole(self.before, rule), "")

    def _nth(self, n: int) -> str:
        return f"第 {n} 条" if self.zh else f"no. {n}"

    def _whole(self, words: Words, rule: RuleSpec) -> str:
        """A rule in one sentence: condition, then what follows from it."""
        condition = rule.display_only or words.sentence(rule)
        result = words.say("outcome", rule.outcome) or (words.say("out", rule.out) if words.ruleset.table else "")
        return f"{condition} → {result}" if result else condition

    # parameters and cases

    def parameters(self) -> Iterator[Difference]:
        old = {line.key: line for line in self.old.lines}
        new = {line.key: line for line in self.new.lines}
        for key in sorted(dict.fromkeys([*old, *new])):
            a, b = old.get(key), new.get(key)
            if a != b:
                title = self.after.parameter(key[0])
                before = self._line(a) if a is not None else self._in_force(key) if b is not None else ""
                yield Difference("parameter", key[0], "", title, before, self._line(b) if b is not None else "")

    def _in_force(self, key: tuple[str, str, Any]) -> str:
        """The value that the new line takes the place of."""
        name, place, since = key
        if name not in self.book.specs:
            return ""
        line = self.book.line(name, since, (place,) if place else ())
        return "" if line is None else self._line(NewLine(name=name, **line.model_dump()))

    def _line(self, line: NewLine) -> str:
        spec = self.book.specs.get(line.name)
        value = self.after.say("basis", line.value) if line.name.startswith("basis.") else ""
        value = value or ("废止" if self.zh else "repealed") * (line.value is None) or show(plain(line.value), self.lang)
        unit = f" {spec.unit}" if spec and spec.unit and line.value is not None else ""
        since = f"自 {line.since} 起" if self.zh else f"from {line.since}"
        basis = self.after.say("basis", line.basis) if line.basis else ""
        return ("，" if self.zh else ", ").join(x for x in (value + unit, since, line.place, basis, line.cite, line.ref) if x)

    def cases(self) -> Iterator[Difference]:
        old, new = ({c.name: c for c in content.cases} for content in (self.old, self.new))
        for name in dict.fromkeys([*new, *old]):
            a, b = old.get(name), new.get(name)
            if a != b:
                yield Difference("case", name, "", name, _case(a, self.zh), _case(b, self.zh), True)


def kept_in_order(ranks: Sequence[int], ids: Sequence[str]) -> list[str]:
    """The longest run of ids whose ranks rise: those that were not moved."""
    tails: list[int] = []
    at: list[int] = []  # index of the id that ends the best run of each length
    before: list[int] = []
    for n, rank in enumerate(ranks):
        length = bisect.bisect_left(tails, rank)
        before.append(at[length - 1] if length else -1)
        if length == len(tails):
            tails.append(rank)
            at.append(n)
        else:
            tails[length], at[length] = rank, n
    out: list[str] = []
    n = at[-1] if at else -1
    while n >= 0:
        out.append(ids[n])
        n = before[n]
    return out[::-1]


def _setting(words: Words, key: str, value: Any) -> str:
    if key == "output_values":
        return "；".join(f"{k}：{words.say('', v)}" for k, v in value.items())
    if key == "readings":
        return "；".join(f"{words.say('basis', r.basis)}→{words.say('basis', r.reads_as)}：{words.say('when', r.when)}" for r in value)
    if key == "intents":
        return "；".join(f"{i.id}：{i.say or i.never or i.only}" for i in value)
    if key == "facts":
        return words.say("", [f.title or f.name for f in value])
    return words.say(key, value)


def _case(case: CaseSpec | None, zh: bool) -> str:
    if case is None:
        return ""
    given = ("，" if zh else ", ").join(f"{k}={_plain(v)}" for k, v in case.given.items())
    parts = [given, case.expect, "" if case.value is None else _plain(case.value), " ".join(case.because or ())]
    return " → ".join(p for p in parts if p)


def _plain(value: Any) -> str:
    return show(value) if isinstance(value, bool) or value is None else str(value)
