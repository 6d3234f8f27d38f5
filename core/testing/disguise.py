"""Invented words in the place of real ones: the same word for the same word, of the same kind, and of nobody who exists.

A number of an identity card gets a right check digit under the area code 999999, which no place has; a telephone begins with
100, as no telephone does. Numbers, dates, yes and no stay: rules decide by them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from siquan.core.rules import tree as t
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.facts import Schema
from siquan.core.spec.model import FactSpec

SURNAMES, GIVEN = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨", "一二三四五六七八九十"
#: of several kinds that one word has, the first is what it is replaced by
ORDER = ("name", "id", "phone", "address", "text")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_number(n: int) -> str:
    """The n-th invented number of an identity card."""
    body = f"999999{1950 + n % 50}0101{n % 1000:03d}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]


def kind_of(spec: FactSpec) -> str:
    """What kind of word a fact holds; empty for what stays."""
    if spec.type == "person" or (spec.type == "text" and spec.sensitive == "name"):
        return "name"
    if spec.type != "text":
        return ""
    return spec.sensitive if spec.sensitive in ORDER else "text"


def literals(rulesets: Mapping[str, RuleSet]) -> set[str]:
    """Words that rules compare with: they mean something and stay."""
    out: set[str] = set()
    for ruleset in rulesets.values():
        for node in [n for top in ruleset.nodes() for n in t.walk(top)]:
            if isinstance(node, t.Literal) and isinstance(node.value, str):
                out.add(node.value)
    return out


class Disguise:
    """Learn every value first with `see`, then replace with `of`: a word that is a name anywhere is a name everywhere."""

    def __init__(self, kept: set[str]) -> None:
        self.kept = kept | {"none", "", "true", "false"}
        self._kinds: dict[str, set[str]] = {}
        self._words: dict[str, str] = {}
        self._made: dict[str, int] = {}

    def see(self, schema: Schema, path: str, value: Any) -> None:
        for spec, word in _leaves(schema, path, value):
            kind = kind_of(spec)
            if kind and word not in self.kept:
                self._kinds.setdefault(word, set()).add(kind)

    def name(self, word: str) -> None:
        """A person of the case by name."""
        if word and word not in self.kept:
            self._kinds.setdefault(word, set()).add("name")

    def of(self, schema: Schema, path: str, value: Any, *, plain_dates: bool = False) -> Any:
        spec = schema.get(path)
        return value if spec is None else self._of(spec, value, plain_dates)

    def _of(self, spec: FactSpec, value: Any, plain_dates: bool) -> Any:
        if isinstance(value, Mapping):
            if "value" in value and spec.type != "record":
                return {**value, "value": self._of(spec, value["value"], plain_dates)}
            fields = {f.name: f for f in spec.fields}
            return {k: self._field(fields, k, v, spec, plain_dates) for k, v in value.items()}
        if isinstance(value, list):
            if not spec.fields:
                return [self.word(v) if isinstance(v, str) else v for v in value]
            return [self._of(spec.model_copy(update={"type": "record"}), v, plain_dates) for v in value]
        if isinstance(value, str) and kind_of(spec):
            return self.word(value)
        if plain_dates and spec.type == "date" and spec.sensitive and value != "none":
            day = dt.date.fromisoformat(value) if isinstance(value, str) else value
            return day.replace(day=1) if isinstance(day, dt.date) else value
        return value

    def _field(self, fields: dict[str, FactSpec], name: str, value: Any, above: FactSpec, plain_dates: bool) -> Any:
        head, _, rest = name.partition(".")
        spec = fields.get(name) or fields.get(head)
        if spec is None:
            return value
        if rest:
            return self._field({f.name: f for f in spec.fields}, rest, value, spec, plain_dates)
        own = spec if spec.sensitive else spec.model_copy(update={"sensitive": above.sensitive})
        return self._of(own, value, plain_dates)

    def word(self, word: str) -> str:
        if word in self.kept or word not in self._kinds:
            return word
        found = self._words.get(word)
        if found is None:
            kind = next(k for k in ORDER if k in self._kinds[word])
            found = self._invented(kind)
            while found in self._kinds:  # an invented word may not be one of the real ones
                found = self._invented(kind)
            self._words[word] = found
        return found

    def _invented(self, kind: str) -> str:
        n = self._made[kind] = self._made.get(kind, 0) + 1
        match kind:
            case "name":
                return SURNAMES[(n - 1) % len(SURNAMES)] + _numeral((n - 1) // len(SURNAMES))
            case "id":
                return id_number(n)
            case "phone":
                return f"100{n:08d}"
            case "address":
                return f"9-{100 + n}"
        return f"样例文字{n}"


def _numeral(n: int) -> str:
    return GIVEN[n] if n < len(GIVEN) else _numeral(n // len(GIVEN) - 1) + GIVEN[n % len(GIVEN)]


def _leaves(schema: Schema, path: str, value: Any) -> Iterator[tuple[FactSpec, str]]:
    spec = schema.get(path)
    if spec is not None:
        yield from _below(spec, value)


def _below(spec: FactSpec, value: Any) -> Iterator[tuple[FactSpec, str]]:
    if isinstance(value, Mapping):
        if "value" in value and spec.type != "record":
            yield from _below(spec, value["value"])
            return
        fields = {f.name: f for f in spec.fields}
        for key, inner in value.items():
            own: FactSpec | None = fields.get(key)
            head, _, rest = key.partition(".")
            if own is None and rest and head in fields:
                own = next((f for f in fields[head].fields if f.name == rest), None)
            if own is not None:
                yield from _below(own if own.sensitive else own.model_copy(update={"sensitive": spec.sensitive}), inner)
    elif isinstance(value, list):
        for inner in value:
            if spec.fields:
                yield from _below(spec.model_copy(update={"type": "record"}), inner)
            elif isinstance(inner, str):
                yield spec.model_copy(update={"type": "text"}), inner
    elif isinstance(value, str):
        yield spec, value
