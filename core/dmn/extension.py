"""What a rule set says and DMN has no place for: it travels as JSON in extension elements of our own namespace, beside
the FEEL texts as they were written, so that an import sees what a person changed in another tool."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from siquan.core.errors import SiquanError, Where
from siquan.core.spec.model import RuleSetSpec, RuleSpec

#: hit policies of the standard and their letters
POLICIES = {
    "U": ("UNIQUE", ""), "A": ("ANY", ""), "P": ("PRIORITY", ""), "F": ("FIRST", ""), "R": ("RULE ORDER", ""), "O": ("OUTPUT ORDER", ""),
    "C": ("COLLECT", ""), "C+": ("COLLECT", "SUM"), "C<": ("COLLECT", "MIN"), "C>": ("COLLECT", "MAX"), "C#": ("COLLECT", "COUNT"),
}  # fmt: skip
#: annotation columns and the fields of a rule they hold; an import knows them by any of these names
ANNOTATIONS = {
    "title": ("名称", "title", "name"), "basis": ("依据", "basis"), "cite": ("出处", "cite", "reference", "来源"),
    "say": ("说明", "say", "message", "explanation", "annotations"), "clear": ("不命中时", "clear"), "cure": ("补救", "cure"),
    "group": ("分组", "group"),
}  # fmt: skip
M = TypeVar("M", bound=BaseModel)


class BrokenExtension(SiquanError):
    """what the model says about the rule set cannot be read: {why}"""

    code = "SQ140"
    zh = "模型里附带的规则集内容读不懂：{why}"
    help_en = "remove the extension elements of this rule or download the file once more"
    help_zh = "删去这条规则的扩展内容，或者重新下载一次再改"


def dump(value: Any) -> str:
    """JSON in ASCII, dates and decimals tagged."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_tagged)


def _tagged(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, dt.date):
        return {"$date": value.isoformat()}
    raise TypeError(f"{value!r}")


def _untagged(value: dict[str, Any]) -> Any:
    if value.keys() == {"$date"}:
        return dt.date.fromisoformat(value["$date"])
    return Decimal(value["$decimal"]) if value.keys() == {"$decimal"} else value


def load(text: str, where: Where | None = None) -> dict[str, Any]:
    """Raises BrokenExtension."""
    try:
        found = json.loads(text, object_hook=_untagged)
        if not isinstance(found, dict):
            raise ValueError("no mapping")
        return found
    except (ValueError, ArithmeticError, TypeError, RecursionError) as fault:
        raise BrokenExtension(where, why=" ".join(str(fault).split())[:200]) from None


def model_of(kind: type[M], raw: Any, where: Where | None) -> M:
    try:
        return kind.model_validate(raw)
    except ValidationError as fault:
        first = fault.errors()[0]
        raise BrokenExtension(where, why=f"{'.'.join(map(str, first['loc']))}: {first['msg']}".lower()) from None


def head_of(spec: RuleSetSpec) -> dict[str, Any]:
    """A rule set without its rules."""
    return spec.model_dump(exclude={"rules"}, exclude_defaults=True)


def rules_of(spec: RuleSetSpec) -> list[dict[str, Any]]:
    """Every rule as it was when the model was written: what a merge compares an edited model with."""
    return [rule_of(r) for r in spec.rules]


def rule_of(rule: RuleSpec) -> dict[str, Any]:
    return rule.model_dump(exclude_defaults=True)
