"""Types of FEEL, and what conforms to them.

A Kind is one type: `name` is the word of the standard. An item definition of a model is a Kind with its own label and
perhaps `allowed`, a test its values must pass. Kinds of item definitions may contain themselves, hence no equality.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from siquan.core.dmn.feel.temporal import Date, DateTime, DayTimes, Time, YearMonths
from siquan.core.dmn.feel.values import Function, Range

Test = Callable[[Any], bool]


@dataclass(eq=False)
class Kind:
    """`item` of a list, range or (as result) function; `fields` of a context; `params` of a function."""

    name: str = "Any"
    item: Kind | None = None
    fields: dict[str, Kind] | None = None
    params: tuple[Kind, ...] | None = None
    allowed: Test | None = None
    label: str = ""
    #: values the definition lists, in order, when it lists constants only: what PRIORITY sorts by
    order: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return self.label or self.name


ANY: Final = Kind()
CLASSES: dict[str, tuple[type, ...]] = {
    "number": (Decimal,), "string": (str,), "boolean": (bool,), "date": (Date,), "time": (Time,), "date and time": (DateTime,),
    "days and time duration": (DayTimes,), "years and months duration": (YearMonths,), "list": (list,), "context": (dict,),
    "function": (Function,), "range": (Range,),
}  # fmt: skip
#: other spellings of the types, from older versions of the standard and from XML Schema
SYNONYMS = {
    "dateTime": "date and time", "dayTimeDuration": "days and time duration", "yearMonthDuration": "years and months duration",
    "text": "string", "any": "Any", "null": "Null", "decimal": "number", "integer": "number", "double": "number",
}  # fmt: skip
BUILT_IN: dict[str, Kind] = {name: Kind(name) for name in ("Any", "Null", *CLASSES)}


class Misfit:
    """Says that a value is not of a kind."""


MISFIT: Final = Misfit()


def instance(value: Any, kind: Kind) -> bool:
    """`value instance of kind`: null is an instance of nothing but Null."""
    if kind.name == "Null" or value is None:
        return kind.name == "Null" and value is None
    if kind.name == "Any":
        return kind.allowed is None or kind.allowed(value)
    if not isinstance(value, CLASSES[kind.name]) or (kind.allowed is not None and not kind.allowed(value)):
        return False
    match value:
        case list() if kind.item is not None:
            inner = kind.item
            return all(instance(v, inner) for v in value)
        case dict() if kind.fields is not None:
            return all(k in value and instance(value[k], inner) for k, inner in kind.fields.items())
        case Range() if kind.item is not None:
            inner = kind.item
            return all(v is None or instance(v, inner) for v in (value.low, value.high))
        case Function() if kind.params is not None:
            return _function(value, kind)
    return True


def _function(value: Function, kind: Kind) -> bool:
    """Whether a function takes what the type promises and gives what it says; what is undeclared fits."""
    wanted = kind.params or ()
    if len(value.params) != len(wanted):
        return False
    given = [k for _, k in value.params]
    pairs = list(zip(given, wanted, strict=True)) + ([(value.result, kind.item)] if kind.item is not None else [])
    return all(a is None or b is None or "Any" in (a.name, b.name) or a.name == b.name for a, b in pairs)


def fit(value: Any, kind: Kind | None) -> Any:
    """The value as a `kind`, with the standard's implicit conversions (a list of one and its item, a date and its
    midnight), or MISFIT. Null fits everywhere."""
    if kind is None or value is None:
        return value
    found = _fit(value, kind)
    if found is MISFIT and isinstance(value, list) and len(value) == 1 and kind.name != "list":
        found = fit(value[0], kind)
    if found is MISFIT and kind.name == "list" and not isinstance(value, list):
        found = _fit([value], kind)
    return found


def _fit(value: Any, kind: Kind) -> Any:
    if kind.name == "Null":
        return MISFIT
    if kind.name == "date and time" and isinstance(value, Date):
        value = DateTime(value, Time(0, 0, 0, offset=0))
    if kind.name != "Any" and not isinstance(value, CLASSES[kind.name]):
        return MISFIT
    if isinstance(value, list) and kind.item is not None:
        value = [fit(v, kind.item) for v in value]
        if any(v is MISFIT for v in value):
            return MISFIT
    elif isinstance(value, dict) and kind.fields is not None:
        value = {k: fit(v, kind.fields.get(k)) for k, v in value.items()}
        if any(v is MISFIT for v in value.values()):
            return MISFIT
    elif isinstance(value, Range) and kind.item is not None:
        if any(v is not None and not instance(v, kind.item) for v in (value.low, value.high)):
            return MISFIT
    elif isinstance(value, Function) and kind.params is not None and not _function(value, kind):
        return MISFIT
    return MISFIT if kind.allowed is not None and not kind.allowed(value) else value
