"""What a policy officer changes in one piece: a rule set, new dated parameter lines, and test cases."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError, field_validator

from siquan.core.errors import SiquanError
from siquan.core.rules.decide import canonical
from siquan.core.spec.model import CaseSpec, ParamLine, RuleSetSpec
from siquan.core.spec.placed import Model

M = TypeVar("M", bound=BaseModel)
#: how a date and a decimal stand in the JSON; no fact and no field may bear these names
DATE, DECIMAL = "$date", "$decimal"


class BadContent(SiquanError):
    """the stored content of a rule set cannot be read: {why}"""

    code = "SQ150"
    zh = "存下的规则集内容读不懂：{why}"
    http = 422


class NewLine(ParamLine):
    """A dated value of the parameter `name` that comes into force with this content."""

    name: str

    @field_validator("value")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        # 5 and 5.0 are one value, whether a person or a spreadsheet program wrote it
        if isinstance(value, float):
            value = Decimal(str(value))
        if isinstance(value, Decimal):
            return int(value) if value == value.to_integral_value() else value.normalize()
        return value

    @property
    def line(self) -> ParamLine:
        """As the parameter book takes it."""
        return ParamLine(since=self.since, value=self.value, place=self.place, basis=self.basis, cite=self.cite, ref=self.ref)

    @property
    def key(self) -> tuple[str, str, dt.date]:
        """What tells it from every other line: name, place, first day."""
        return self.name, self.place, self.since


class Content(Model):
    """The unit of exchange. Immutable; places in files are dropped, so two contents are equal when they say the same.

    `lines` are new lines of parameters, `cases` the test cases that come with the draft, `notes` remarks people left on a
    field: `OC-N01/when`, `OC-N01/cell:amount`, `OC-N01/out`, `#parameters/NAME@2026-01-01@PLACE/value`, `#cases/NAME/expect`.
    """

    ruleset: RuleSetSpec
    lines: tuple[NewLine, ...] = ()
    cases: tuple[CaseSpec, ...] = ()
    notes: dict[str, str] = {}

    @field_validator("ruleset")
    @classmethod
    def _ruleset(cls, value: RuleSetSpec) -> RuleSetSpec:
        return placeless(value)

    @field_validator("lines")
    @classmethod
    def _lines(cls, value: tuple[NewLine, ...]) -> tuple[NewLine, ...]:
        return tuple(placeless(v) for v in value)

    @field_validator("cases")
    @classmethod
    def _cases(cls, value: tuple[CaseSpec, ...]) -> tuple[CaseSpec, ...]:
        return tuple(placeless(v) for v in value)

    def to_json(self, *, sort: bool = True) -> str:
        """Canonical JSON, its keys sorted; unsorted, the facts of a case keep their order. `from_json` gives an equal content."""
        return json.dumps(self.model_dump(), ensure_ascii=False, sort_keys=sort, separators=(",", ":"), default=_tagged)

    @classmethod
    def from_json(cls, text: str) -> Content:
        """Raises BadContent."""
        try:
            return cls.model_validate(json.loads(text, object_hook=_untagged))
        except ValidationError as fault:
            first = fault.errors()[0]
            raise BadContent(why=f"{'.'.join(map(str, first['loc']))}: {first['msg']}".lower()) from None
        except (ValueError, ArithmeticError, TypeError, RecursionError) as fault:
            raise BadContent(why=" ".join(str(fault).split())[:200]) from None

    @property
    def hash(self) -> str:
        """SHA-256 over what decides: the rule set without titles and intents (as `RuleSet.hash`) and the new lines."""
        ruleset = self.ruleset.model_dump(mode="json", exclude={"title", "intents"})
        ruleset["rules"] = [r.model_dump(mode="json", exclude={"title"}) for r in self.ruleset.rules]
        lines = sorted((line.model_dump(mode="json") for line in self.lines), key=lambda n: (n["name"], n["place"], n["since"]))
        return hashlib.sha256(canonical({"ruleset": ruleset, "lines": lines}).encode()).hexdigest()

    @property
    def digest(self) -> str:
        """SHA-256 over all of it, titles, intents, cases and notes too: what a signature is put to."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


def placeless(model: M) -> M:
    """The model without places in files, as deep as it goes."""
    return type(model).model_validate(model.model_dump())


def _tagged(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {DECIMAL: str(value)}
    if isinstance(value, dt.date):
        return {DATE: value.isoformat()}
    raise TypeError(f"{value!r}")


def _untagged(value: dict[str, Any]) -> Any:
    if value.keys() == {DATE}:
        return dt.date.fromisoformat(value[DATE])
    return Decimal(value[DECIMAL]) if value.keys() == {DECIMAL} else value
