"""Dated parameters: what a value was on a day at a place, and on what it stands.

Values resolve compound > community > street > district > shipped; at one place the newest line on or before the day
wins. Before its first value a parameter is unknown; a null value repeals it (known not to exist).
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from siquan.core.errors import SiquanError, Where
from siquan.core.rules.decision import ParamUse
from siquan.core.rules.tree import ANY, BOOLEAN, DATE, NUMBER, TEXT, Type
from siquan.core.rules.values import ABSENT, exact
from siquan.core.spec.model import ParamLine, ParamSpec


class UnknownParameter(SiquanError):
    """there is no parameter `{name}`"""

    code = "SQ301"
    zh = "没有叫 `{name}` 的参数"


class BadParameter(SiquanError):
    """parameter `{name}`: {why}"""

    code = "SQ302"
    zh = "参数 `{name}`：{why_zh}"


def plain(value: Any) -> Any:
    """A YAML or JSON value as the engines see it."""
    if value is None:
        return ABSENT
    if isinstance(value, float):
        value = Decimal(str(value))
    return exact(value) if isinstance(value, int | Decimal | Fraction) else value


def type_of_value(value: Any) -> Type:
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int | Fraction):
        return NUMBER
    if isinstance(value, dt.date):
        return DATE
    return TEXT if isinstance(value, str) else ANY


def from_text(text: str) -> Any:
    """`--set NAME=VALUE`: a value in words."""
    if text in ("null", ""):
        return ABSENT
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"[-+]?[0-9]{1,60}(\.[0-9]{1,60})?", text):
        return exact(Decimal(text))
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return text


class ParameterBook:
    """All lines of all parameters; immutable. `overrides` stand above every line (what-if)."""

    def __init__(self, specs: Iterable[ParamSpec] = (), overrides: Mapping[str, Any] | None = None, version: str = "") -> None:
        self.specs: dict[str, ParamSpec] = {}
        for spec in specs:
            known = self.specs.get(spec.name)
            lines = (*known.lines, *spec.lines) if known else spec.lines
            title = (known.title if known else "") or spec.title
            self.specs[spec.name] = spec.model_copy(update={"lines": lines, "title": title})
        self.overrides = dict(overrides or {})
        self.version = version
        self._lines: dict[str, dict[str, list[ParamLine]]] = {}
        for name, spec in self.specs.items():
            places: dict[str, list[ParamLine]] = {}
            first = next((line.value for line in spec.lines if line.value is not None), None)
            for line in spec.lines:
                places.setdefault(line.place, []).append(line)
                if line.value is not None and (kind := type_of_value(plain(line.value))) != (own := type_of_value(plain(first))):
                    zh = f"前面的值是 {own}，这里的 `{line.value}` 是 {kind}"
                    raise BadParameter(line.where, name=name, why=f"`{line.value}` is {kind}, other values are {own}", why_zh=zh)
            for dated in places.values():
                dated.sort(key=lambda line: line.since)
                _no_twins(name, dated)
            self._lines[name] = places

    def with_overrides(self, overrides: Mapping[str, Any]) -> ParameterBook:
        for name, value in overrides.items():
            if name not in self.specs and not name.startswith("basis."):
                raise UnknownParameter(name=name)
            if isinstance(value, float) and not math.isfinite(value):
                raise BadParameter(name=name, why=f"`{value}` is not a number", why_zh=f"`{value}` 不是数字")
        clone = object.__new__(ParameterBook)
        clone.__dict__.update(self.__dict__)
        clone.overrides = {**self.overrides, **overrides}
        return clone

    def with_specs(self, specs: Iterable[ParamSpec], version: str = "") -> ParameterBook:
        """The book with further lines, e.g. those published in the store."""
        return ParameterBook([*self.specs.values(), *specs], self.overrides, version or self.version)

    def types(self) -> dict[str, Type]:
        out = {}
        for name, spec in self.specs.items():
            value = next((line.value for line in spec.lines if line.value is not None), None)
            out[name] = type_of_value(plain(value))
        return out

    def newest(self) -> dt.date | None:
        """The newest shipped date: the day a test case without a date is decided on."""
        return max((line.since for s in self.specs.values() for line in s.lines), default=None)

    def line(self, name: str, on: dt.date, places: Sequence[str] = ()) -> ParamLine | None:
        """The line that wins; `places` from the narrowest to the widest."""
        lines = self._lines.get(name)
        if lines is None:
            return None
        for place in (*places, ""):
            found = None
            for line in lines.get(place, ()):
                if line.since > on:
                    break
                found = line
            if found is not None:
                return found
        return None

    def use(self, name: str, on: dt.date, places: Sequence[str] = ()) -> ParamUse:
        """The value (None unknown, ABSENT repealed) with where it comes from. Raises UnknownParameter."""
        if name in self.overrides:
            return ParamUse(name, plain(self.overrides[name]), None, "", "", "--set", "override")
        if name not in self.specs:
            raise UnknownParameter(name=name)
        line = self.line(name, on, places)
        if line is None:
            return ParamUse(name, None, None, "", "", "", "")
        return ParamUse(name, plain(line.value), line.since, line.place, line.basis, line.cite, line.ref)

    def value(self, name: str, on: dt.date, places: Sequence[str] = ()) -> Any:
        return self.use(name, on, places).value


def _no_twins(name: str, lines: Sequence[ParamLine]) -> None:
    for a, b in zip(lines, lines[1:], strict=False):
        if a.since == b.since:
            where: Where | None = b.where
            raise BadParameter(where, name=name, why=f"two values start on {a.since}", why_zh=f"{a.since} 有两个值同时生效")
