"""Facts: one wire form for forms, Excel, cases, API, command line and both engines (design part 5).

A bare value is stated by the caller on the decision date. A mapping with the key `value` is an envelope
{value, as_of, source, ref, by, complete}. Records may be nested or dotted. Null is unknown; `none` is "known not to
exist" for a fact that declares `absent`. Unknown keys are an error.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from siquan.core.errors import BadInput, Errors, SiquanError, Where
from siquan.core.rules.tree import BOOLEAN, DATE, NUMBER, TEXT, Type
from siquan.core.rules.values import ABSENT, Rows, exact
from siquan.core.spec.model import FactSpec

ENVELOPE = ("value", "as_of", "source", "ref", "by", "complete")
NONE = "none"
#: the longest text and number a fact takes; larger input is refused, not cut
MAX_TEXT, MAX_DIGITS = 20_000, 60


class BadFact(SiquanError):
    """`{value}` cannot be the value of `{fact}`: {why}"""

    code = "SQ201"
    zh = "`{fact}` 不能填 `{value}`：{why_zh}"
    http = 422


class UnknownFact(SiquanError):
    """there is no fact `{fact}`"""

    code = "SQ202"
    zh = "没有叫 `{fact}` 的事实"
    help_en = "did you mean {near}?"
    help_zh = "是不是 {near}？"
    http = 422


def type_of(spec: FactSpec) -> Type:
    """The expression type of a fact."""
    match spec.type:
        case "boolean":
            return BOOLEAN
        case "integer" | "decimal":
            return Type("number", unit=spec.unit, floor=spec.min is not None and spec.min >= 0)
        case "date":
            return DATE
        case "enum":
            return Type("enum", values=tuple(spec.values))
        case "record":
            return Type("record", fields=tuple((f.name, type_of(f)) for f in spec.fields))
        case "list":
            item = Type("record", fields=tuple((f.name, type_of(f)) for f in spec.fields)) if spec.fields else TEXT
            return Type("list", item=item)
        case "person":
            return Type("person")
    return TEXT


class Schema:
    """The facts of a process or rule set by dotted path, records and their leaves."""

    def __init__(self, specs: Iterable[FactSpec]) -> None:
        self.top: dict[str, FactSpec] = {}
        self.specs: dict[str, FactSpec] = {}
        for spec in specs:
            self.top[spec.name] = spec
            self._add(spec)

    def _add(self, spec: FactSpec) -> None:
        self.specs[spec.name] = spec
        if spec.type == "record":
            for f in spec.fields:
                self._add(
                    f.model_copy(
                        update={
                            "name": f"{spec.name}.{f.name}",
                            "by": f.by or spec.by,
                            "max_age": f.max_age or spec.max_age,
                            "evidence": f.evidence or spec.evidence,
                            "sensitive": f.sensitive or spec.sensitive,
                        }
                    )
                )

    def gives(self, path: str, kind: Type) -> None:
        """A derived fact is what its expression gives: whoever states it instead states that."""
        spec = self.specs[path]
        if kind.kind != type_of(spec).kind and kind.kind in ("boolean", "date", "text"):
            self.specs[path] = spec.model_copy(update={"type": kind.kind})
            self.top.update({path: self.specs[path]} if path in self.top else {})

    def types(self) -> dict[str, Type]:
        return {path: type_of(spec) for path, spec in self.specs.items()}

    def __contains__(self, path: object) -> bool:
        return path in self.specs

    def get(self, path: str) -> FactSpec | None:
        return self.specs.get(path)

    def record_of(self, path: str) -> FactSpec | None:
        """The record a leaf stands in."""
        head = path.rpartition(".")[0]
        while head:
            if head in self.specs:
                return self.specs[head]
            head = head.rpartition(".")[0]
        return None

    def leaves(self, path: str) -> list[FactSpec]:
        spec = self.specs[path]
        if spec.type != "record":
            return [spec]
        return [leaf for f in spec.fields for leaf in self.leaves(f"{path}.{f.name}")]

    def title(self, path: str) -> str:
        spec = self.specs.get(path)
        if spec is None:
            return path
        record = self.record_of(path)
        own = spec.title or path.rpartition(".")[2]
        return f"{record.title}·{own}" if record and record.title and record.title != own else own


@dataclass(frozen=True)
class Stated:
    """A fact as stated: `value` is None (unknown), ABSENT, or a typed value; lists are Rows of leaf dicts."""

    value: Any
    as_of: dt.date | None = None
    source: str = ""
    ref: str = ""
    by: str = ""

    def envelope(self) -> dict[str, Any]:
        """The wire form, JSON-able; what a decision record and the store keep."""
        out: dict[str, Any] = {"value": to_wire(self.value)}
        if isinstance(self.value, Rows):
            out["complete"] = self.value.complete
        if self.as_of:
            out["as_of"] = self.as_of.isoformat()
        for name in ("source", "ref", "by"):
            if getattr(self, name):
                out[name] = getattr(self, name)
        return out


def number_text(value: int | Fraction) -> str:
    """A number as people write it; a fraction without a finite decimal stays a fraction."""
    if isinstance(value, int):
        return str(value)
    d = value.denominator
    for p in (2, 5):
        while d % p == 0:
            d //= p
    if d != 1:
        return f"{value.numerator}/{value.denominator}"
    digits = 0
    scaled = value
    while scaled.denominator != 1:
        scaled *= 10
        digits += 1
    sign, body = ("-" if scaled < 0 else ""), str(abs(scaled.numerator)).rjust(digits + 1, "0")
    return f"{sign}{body[:-digits]}.{body[-digits:]}"


def to_wire(value: Any) -> Any:
    """A typed value as JSON: dates and decimals as text, ABSENT as `none`."""
    if value is ABSENT:
        return NONE
    if isinstance(value, Rows):
        return [to_wire(v) for v in value.items]
    if isinstance(value, dict):
        return {k: to_wire(v) for k, v in value.items()}
    if isinstance(value, Fraction):
        return number_text(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


#: neither of the two databases takes all of these
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_TRAPS = {"yes": "true", "no": "false", "是": "true", "否": "false", "on": "true", "off": "false"}


class Reader:
    """Reads wire values against a schema. `titles` also accepts what people see: enum titles, 是/否, the absent word."""

    def __init__(self, schema: Schema, on: dt.date, *, titles: bool = False, where: Where | None = None) -> None:
        self.schema, self.on, self.titles, self.where = schema, on, titles, where
        self.errors: list[SiquanError] = []

    def bad(self, path: str, value: Any, zh: str, en: str, help: str = "", where: Where | None = None) -> None:
        shown = "…" if isinstance(value, int) and value.bit_length() > 10_000 else str(value)
        title = self.schema.title(path) if self.titles else path
        self.errors.append(
            BadFact(
                where or self.where, fact=title, path=path, value=shown[:60] + ("…" if len(shown) > 60 else ""),
                why=en, why_zh=zh, help=help,
            )  # fmt: skip
        )

    def scalar(self, path: str, spec: FactSpec, raw: Any, where: Where | None = None) -> Any:
        """One typed value, None when unknown. Problems are collected in `errors`."""
        if raw is None or (isinstance(raw, str) and not raw.strip()):
            return None
        text = raw.strip() if isinstance(raw, str) else raw
        if spec.absent and (text == NONE or (self.titles and text == spec.absent)):
            if not (spec.type == "enum" and NONE in spec.values and text == NONE):
                return ABSENT
        match spec.type:
            case "boolean":
                return self._boolean(path, text, where)
            case "integer" | "decimal":
                return self._number(path, spec, text, where)
            case "date":
                return self._date(path, text, where)
            case "enum":
                return self._enum(path, spec, text, where)
        if text == NONE and not self.titles and spec.type != "person":
            self.bad(path, text, "这项没有声明“可以没有”", "this fact cannot be absent", "在事实上写 absent: 无", where)
            return None
        if not isinstance(text, str):
            if isinstance(text, bool) or isinstance(text, dict | list | tuple):
                self.bad(path, raw, "应是文字", "text is expected", where=where)
                return None
            text = to_wire(text) if isinstance(text, Fraction | dt.date) else str(text)
        if len(text) > MAX_TEXT:
            self.bad(path, text, f"超过 {MAX_TEXT} 字", f"longer than {MAX_TEXT} characters", where=where)
            return None
        if CONTROL.search(text):
            self.bad(path, CONTROL.sub("�", text), "含有控制字符", "it holds control characters", where=where)
            return None
        return text

    def _boolean(self, path: str, raw: Any, where: Where | None) -> bool | None:
        if isinstance(raw, bool):
            return raw
        word = str(raw).lower()
        if isinstance(raw, str) and word in ("true", "false"):
            return word == "true"
        if self.titles and word in ("是", "否", "有", "无", "yes", "no"):
            return word in ("是", "有", "yes")
        if self.titles and word in ("未知", "不详", "unknown", "?", "？"):
            return None
        hint = f"写作 {_TRAPS[word]}" if word in _TRAPS else ""
        self.bad(path, raw, "应是 true 或 false" if not self.titles else "应是 是、否 或 未知", "true or false is expected", hint, where)
        return None

    def _number(self, path: str, spec: FactSpec, raw: Any, where: Where | None) -> int | Fraction | None:
        value: int | Fraction | None = None
        if isinstance(raw, bool) or isinstance(raw, dict | list | tuple | dt.date):
            pass
        elif isinstance(raw, int | Fraction):
            value = raw
        else:
            try:
                text = str(raw).replace(",", "").replace("，", "") if self.titles else str(raw)
                number = Decimal(text)
                if number.is_finite() and abs(number.adjusted()) <= MAX_DIGITS and len(number.as_tuple().digits) <= MAX_DIGITS:
                    value = exact(number)
            except (InvalidOperation, ValueError):
                found = re.fullmatch(r"(-?\d{1,60})/(\d{1,60})", str(raw))
                if found and int(found.group(2)):
                    value = exact(Fraction(int(found.group(1)), int(found.group(2))))
        if value is None:
            self.bad(path, raw, "应是数字", "a number is expected", where=where)
            return None
        if isinstance(value, int) and abs(value) >= 10**MAX_DIGITS:
            self.bad(path, raw, f"超过 {MAX_DIGITS} 位", f"more than {MAX_DIGITS} digits", where=where)
            return None
        if spec.type == "integer" and not isinstance(value, int):
            self.bad(path, raw, "应是整数", "a whole number is expected", where=where)
            return None
        for limit, low in ((spec.min, True), (spec.max, False)):
            if limit is not None:
                edge = exact(Decimal(str(limit)))
                if value < edge if low else value > edge:
                    zh = f"不能{'小于' if low else '大于'} {limit}"
                    self.bad(path, raw, zh, f"must not be {'below' if low else 'above'} {limit}", where=where)
                    return None
        return value

    def _date(self, path: str, raw: Any, where: Where | None) -> dt.date | None:
        if isinstance(raw, dt.datetime):
            return raw.date()
        if isinstance(raw, dt.date):
            return raw
        text = str(raw)
        if self.titles:
            found = re.fullmatch(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?", text)
            text = f"{int(found.group(1)):04d}-{int(found.group(2)):02d}-{int(found.group(3)):02d}" if found else text
        try:
            if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
                raise ValueError
            return dt.date.fromisoformat(text)
        except ValueError:
            self.bad(path, raw, "应是日期，如 2026-11-23", "a date such as 2026-11-23 is expected", where=where)
            return None

    def _enum(self, path: str, spec: FactSpec, raw: Any, where: Where | None) -> str | None:
        text = str(raw)
        if text in spec.values and not isinstance(raw, bool):
            return text
        if self.titles:
            for code, title in spec.values.items():
                if title == text:
                    return code
            if text in ("未知", "不详"):
                return None
        shown = "、".join(spec.values.values() if self.titles else spec.values)
        self.bad(path, raw, f"可用 {shown}", f"it must be one of {shown}", where=where)
        return None

    def rows(self, path: str, spec: FactSpec, raw: Any, complete: bool, where: Where | None = None) -> Rows | None:
        if isinstance(raw, Rows):
            return raw
        if not isinstance(raw, list | tuple):
            self.bad(path, raw, "应是列表", "a list is expected", where=where)
            return None
        if len(raw) > 100_000:
            self.bad(path, f"{len(raw)}", "超过 100000 行", "more than 100,000 rows", where=where)
            return None
        items = []
        inner = Schema(spec.fields)
        for n, row in enumerate(raw):
            if not spec.fields:
                items.append(self.scalar(f"{path}[{n}]", FactSpec(name=path, type="text"), row, where))
                continue
            if not isinstance(row, Mapping):
                self.bad(f"{path}[{n}]", row, "应是一条记录", "a record is expected", where=where)
                continue
            reader = Reader(inner, self.on, titles=self.titles, where=where or self.where)
            facts = reader.read(row, check=False)
            for error in reader.errors:
                error.values["fact"] = f"{path}[{n}].{error.values.get('fact', '')}"
            self.errors += reader.errors
            items.append({k: s.value for k, s in facts.items()})
        return Rows(tuple(items), complete)

    def read(self, raw: Mapping[str, Any], *, check: bool = True) -> dict[str, Stated]:
        """All facts of a mapping by leaf path; a record that does not exist stands under its own path as ABSENT."""
        out: dict[str, Stated] = {}
        if not isinstance(raw, Mapping):
            raise BadInput(self.where, why="facts are a mapping of names to values", help="写作 事实名: 值")
        for key, value in raw.items():
            self._read(str(key), value, {}, out)
        for path, fact in out.items():
            record = self.schema.record_of(path)
            if record is not None and fact.value not in (None, ABSENT) and (gone := out.get(record.name)) and gone.value is ABSENT:
                self.bad(path, to_wire(fact.value), f"同时又说 {record.name} 是“无”", f"`{record.name}` is said to be absent as well")
        if check and self.errors:
            raise Errors(self.errors) if len(self.errors) > 1 else self.errors[0]
        return out

    def _read(self, path: str, raw: Any, outer: dict[str, Any], out: dict[str, Stated]) -> None:
        spec = self.schema.get(path)
        if spec is None:
            near = difflib.get_close_matches(path, list(self.schema.specs), n=3)
            self.errors.append(
                UnknownFact(self.where, fact=path, path=path, near="、".join(f"`{n}`" for n in near), help="" if near else " ")
            )
            return
        if path in out:
            self.bad(path, raw, "填了两次", "it is given twice")
            return
        around = dict(outer)
        if isinstance(raw, Mapping) and "value" in raw:
            for key in raw:
                if key not in ENVELOPE:
                    self.bad(path, key, "信封里只能有 value as_of source ref by complete", "not a key of an envelope")
                    return
            around.update({k: v for k, v in raw.items() if k != "value"})
            raw = raw["value"]
        if spec.type == "record":
            self._record(path, spec, raw, around, out)
            return
        if spec.type == "list":
            absent = spec.absent and (raw == NONE or self.titles and raw == spec.absent)
            complete = around.get("complete") or False
            if not isinstance(complete, bool):
                self.bad(path, complete, "complete 应是 true 或 false", "`complete` must be true or false")
                return
            value = None if raw is None else ABSENT if absent else self.rows(path, spec, raw, complete)
        elif isinstance(raw, Mapping | list | tuple):
            self.bad(path, raw, "这里要一个值，不是列表或记录", "a single value is expected")
            return
        else:
            value = self.scalar(path, spec, raw)
        out[path] = self._stated(path, value, around)

    def _stated(self, path: str, value: Any, around: Mapping[str, Any]) -> Stated:
        as_of = self._date(path, around["as_of"], None) if around.get("as_of") else None
        if as_of and as_of > self.on:
            self.bad(path, as_of, f"查询日期晚于判定日 {self.on}", f"its date lies after the decision date {self.on}")
        source, ref, by = (str(around.get(k) or "") for k in ("source", "ref", "by"))
        return Stated(value, as_of, source, ref, by)

    def _record(self, path: str, spec: FactSpec, raw: Any, around: dict[str, Any], out: dict[str, Stated]) -> None:
        if raw is None:
            return
        if raw == NONE or (self.titles and spec.absent and raw == spec.absent):
            if not spec.absent:
                self.bad(path, raw, "这项没有声明“可以没有”", "this record cannot be absent", "在事实上写 absent: 无")
                return
            out[path] = self._stated(path, ABSENT, around)
            return
        if not isinstance(raw, Mapping):
            self.bad(path, raw, "应是一条记录，或 none", "a record or none is expected")
            return
        for key, value in raw.items():
            self._read(f"{path}.{key}", value, around, out)


@dataclass(frozen=True)
class FactSet:
    """The facts of a case or a request at one date, with what is stale taken as unknown."""

    schema: Schema
    stated: Mapping[str, Stated]
    on: dt.date
    #: leaf path -> date until which it counted, for facts that are too old
    stale: Mapping[str, dt.date] = field(default_factory=dict)

    def value(self, path: str) -> Any:
        """Typed value for the engines: None unknown, ABSENT, or the value; a record gives True when it exists."""
        found = self.stated.get(path)
        if found is not None and found.value is not None:
            return None if path in self.stale else found.value
        head = path.rpartition(".")[0]
        while head:
            record = self.stated.get(head)
            if record is not None and record.value is ABSENT:
                return None if head in self.stale else ABSENT
            head = head.rpartition(".")[0]
        spec = self.schema.get(path)
        if spec is not None and spec.type == "record":
            below = path + "."
            if any(k.startswith(below) and s.value is not None and k not in self.stale for k, s in self.stated.items()):
                return True
        return None

    def with_stated(self, more: Mapping[str, Stated]) -> FactSet:
        """Later statements win; a record that turns absent drops its leaves, a leaf revives its record."""
        merged = dict(self.stated)
        for path, fact in more.items():
            if fact.value is ABSENT:
                for old in [p for p in merged if p.startswith(path + ".")]:
                    del merged[old]
            for head in [p for p, old in merged.items() if path.startswith(p + ".") and fact.value is not None and old.value is ABSENT]:
                del merged[head]
            merged[path] = fact
        return replace(self, stated=merged)


def staleness(schema: Schema, stated: Mapping[str, Stated], on: dt.date, days: Any) -> dict[str, dt.date]:
    """Paths whose `as_of` plus max_age lies before `on`; `days(text)` gives the number behind a max_age."""
    out = {}
    for path, fact in stated.items():
        spec = schema.get(path)
        if spec is None or not spec.max_age or fact.as_of is None or fact.value is None:
            continue
        limit = days(spec.max_age)
        if isinstance(limit, int) and limit < (on - fact.as_of).days:
            out[path] = fact.as_of + dt.timedelta(days=limit)
    return out


__all__ = ["NUMBER", "BadFact", "FactSet", "Reader", "Schema", "Stated", "UnknownFact", "staleness", "to_wire", "type_of"]
