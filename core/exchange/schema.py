"""JSON Schema of every kind of plugin file, for completion and checking in editors (`siquan schema process`).

The loader is the authority and says more (names, types, file:line); these schemas say what may be written where.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from siquan.core.spec.accounts import OWNERS, POSTS, STATEMENTS
from siquan.core.spec.process import EVERY as PERIODS
from siquan.core.spec.process import LEVELS
from siquan.core.spec.read import BASES, HIT_POLICIES, KINDS
from siquan.core.spec.verbs import TASKS, TITLES

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"

TEXT: Schema = {"type": ["string", "number", "boolean"]}
WORDS: Schema = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
FLAG: Schema = {"type": "boolean"}
ANY: Schema = {}
TABLE: Schema = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}}
DATE: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
BASIS: Schema = {"enum": list(BASES)}
WHO = r"^(fact \S+|starter|leader|leaders up to \S+|group \S+|unit \S+)$"


def _object(properties: Schema, required: tuple[str, ...] = (), rest: Any = False, about: str = "") -> Schema:
    out: Schema = {"type": "object", "properties": properties, "additionalProperties": rest}
    if required:
        out["required"] = list(required)
    if about:
        out["description"] = about
    return out


def _map(of: Schema, about: str = "") -> Schema:
    return {"type": "object", "additionalProperties": of, **({"description": about} if about else {})}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _fact() -> Schema:
    return _object(
        {
            "title": TEXT, "type": {"enum": list(KINDS)}, "unit": TEXT, "values": {"anyOf": [TABLE, {"type": "array"}]}, "min": {"type": "number"},
            "max": {"type": "number"}, "by": {"type": "string", "description": "角色：谁提供"}, "evidence": WORDS,
            "max_age": {**TEXT, "description": "几日内有效，数或参数名；过期按未知"}, "absent": {**TEXT, "description": "“已知没有”怎么说"},
            "sensitive": {"type": "string"}, "public": FLAG, "fields": _map(_ref("fact")), "derive": {"type": "string", "description": "表达式"},
            "collection": FLAG, "help": TEXT, "key": TEXT, "source": TEXT, "cure": {**TEXT, "description": "当事人怎样能改变它；不写就是改变不了"},
            "among": {"type": "string", "description": "角色：只能选在这个地方担任它的人"},
        }
    )  # fmt: skip


def _parameter() -> Schema:
    line = _object({"from": DATE, "value": ANY, "place": TEXT, "basis": BASIS, "cite": TEXT, "ref": TEXT}, ("value",))
    dated = {"type": "object", "patternProperties": {r"^\d{4}-\d{2}-\d{2}$": line}, "additionalProperties": False}
    lines = {"anyOf": [{"type": "array", "items": line, "minItems": 1}, dated]}
    return {"anyOf": [lines, _object({"title": TEXT, "unit": TEXT, "values": lines}, ("values",))]}


def _rules() -> Schema:
    common: Schema = {
        "id": TEXT, "title": TEXT, "outcome": {**TEXT, "description": "REJECT BLOCK EVIDENCE WARN PASS PRIORITY TARGET，或得出其一的表达式"},
        "basis": BASIS, "cite": TEXT, "law": TEXT, "say": {**TEXT, "description": "命中时的话，{事实} {参数} 会换成值"}, "clear": TEXT, "cure": TEXT,
        "unconfirmed": FLAG, "group": TEXT,
    }  # fmt: skip
    rule = _object({**common, "when": {"type": "string", "description": "FEEL 条件"}, "display_only": TEXT}, ("id",))
    row = _object({**common, "out": ANY, "priority": {"type": "number"}}, ("id",), rest=TEXT, about="输入名: 单元格")
    reading = _object({"basis": BASIS, "reads_as": BASIS, "when": TEXT, "cite": TEXT}, ("basis", "reads_as", "when"))
    intent = _object({"id": TEXT, "never": TEXT, "only": {"enum": ["stricter", "looser"]}, "say": TEXT, "cite": TEXT}, ("id",), about="不论怎么改都要守住的意图")
    return _object(
        {
            "ruleset": TEXT, "process": TEXT, "title": TEXT, "about": TEXT, "hit_policy": {"enum": list(HIT_POLICIES)}, "inputs": WORDS,
            "outputs": {"anyOf": [WORDS, _map({"type": ["array", "null", "string"]}, "输出: 取值，由重到轻")]},
            "default": {"description": "没有一行适用时的取值"}, "basis": BASIS, "rows": {"type": "array", "items": row}, "list": {"type": "array", "items": rule},
            "reads_as": {"type": "array", "items": reading}, "intents": {"type": "array", "items": intent}, "facts": _map(_ref("fact")), "derived": _map(ANY), "parameters": ANY, "cases": ANY,
        }
    )  # fmt: skip


def _due() -> Schema:
    after = {"type": "string", "description": "3 workdays、7 days、2 months，或 参数名 days"}
    escalate = {"type": "array", "items": _escalation()}
    more = {"remind": {**WORDS, "description": "到期前多久提醒"}, "escalate": escalate}
    return _object({"title": TEXT, "after": after, "start": TEXT, "before": TEXT, "then": TEXT, "basis": BASIS, "cite": TEXT, **more}, ("after",))


def _escalation() -> Schema:
    return _object({"after": TEXT, "to": {**TEXT, "description": "leader、up，或一个角色"}}, ("after", "to"), about="到期后多久督办到谁")


def _obligation() -> Schema:
    spans = {key: {**TEXT, "description": "15 days，或 参数名 days"} for key in ("warn", "grace", "make_up")}
    return _object(
        {
            "title": TEXT, "every": {"enum": list(PERIODS)}, "from": TEXT, "until": TEXT, "partial": FLAG, "met_when": {"type": "string", "description": "FEEL 条件，period.start、period.end 是这一期的首日、末日"},
            "act": TEXT, "child": TEXT, **spans, "by": TEXT, "basis": BASIS, "cite": TEXT,
        },
        ("every",),
    )  # fmt: skip


def _post() -> Schema:
    return _object({**dict.fromkeys((*POSTS, "to", "named", "amount", "because", "as", "until"), TEXT), "from": {"enum": ["issuer", "adjustment"]}})


def _account() -> Schema:
    return _object(
        {
            "title": TEXT, "unit": TEXT, "owner": {"enum": list(OWNERS)}, "scale": {"enum": [0, 1, 2]}, "min": {"type": "number"}, "start": TEXT,
            "expires": TEXT, "notice": TEXT, "statement": {"enum": list(STATEMENTS)}, "by": WORDS,
        }
    )  # fmt: skip


def _transition() -> Schema:
    return _object(
        {
            "title": TEXT, "by": WORDS, "needs": {**WORDS, "description": "办完必须知道的事实"}, "asks": WORDS, "decide": TEXT,
            "to": {"anyOf": [{"type": "string"}, TABLE]}, "check": {**WORDS, "description": "不得拟不通过、不得进行、待补证的规则集"},
            "opinion": {"enum": ["none", "optional", "required"]}, "reasons": TABLE, "not_same_as": WORDS, "not_before": TEXT, "set": TABLE,
            "confirms": FLAG, "opens": TEXT, "document": TEXT, "auto": FLAG, "hint": TEXT, "post": {"type": "array", "items": _post()},
        }
    )  # fmt: skip


def _verbs() -> Schema:
    step = _transition()["properties"]
    every = _object({**step, "from": WORDS, "within": TEXT, "at_most": TEXT, "clocks": {"enum": ["stop", "run"]}, "facts": WORDS, "to": WORDS})
    return {"type": "object", "properties": {name: every for name in TITLES}, "additionalProperties": False}


def _task() -> Schema:
    return _object({"claim": FLAG, "dispatcher": WORDS, "decline": TABLE, "declines": TEXT, "wait": FLAG})


def _sign() -> Schema:
    modes, each = {"enum": ["all", "any", "order", "share"]}, {"enum": ["person", "role"]}
    return _object({"by": WORDS, "mode": modes, "each": each, "share": TEXT, "agree": TEXT, "refuse": TEXT, "manage": WORDS}, ("by", "agree", "refuse"))


def _state() -> Schema:
    return _object(
        {
            "title": TEXT, "hint": TEXT, "final": TEXT, "by": WORDS, "due": _ref("due"), "dues": _map(_ref("due")), "main": FLAG,
            "if_nobody": TEXT, "do": _map(_ref("transition")), "use": TEXT, "with": _map(ANY), "exits": TABLE,
            "task": _task(), "sign": _sign(),
        },
        rest=_ref("transition"),
    )  # fmt: skip


def _case() -> Schema:
    step = _object(
        {"act": TEXT, "by": TEXT, "on": DATE, "wait": TEXT, "given": _map(ANY), "opinion": TEXT, "reason": TEXT, "child": TEXT, "refused": TEXT, "expect": TEXT,
         "to": TEXT, "duties": TABLE, "expect_accounts": _map(ANY),
         "task": {"enum": list(TASKS)}, "result": {"enum": ["agree", "refuse"]}, "others": WORDS, "before": FLAG}
    )
    return _object(
        {
            "name": TEXT, "on": DATE, "process": TEXT, "place": TEXT, "base": TEXT, "given": _map(ANY), "act": WORDS,
            "steps": {"type": "array", "items": step}, "decide": TEXT, "expect": TEXT, "value": ANY, "because": WORDS, "ask": WORDS, "set": _map(ANY),
            "accounts": _map(TABLE), "expect_accounts": _map(ANY),
        },
        ("name",),
    )  # fmt: skip


def _defs(*names: str) -> Schema:
    every: dict[str, Callable[[], Schema]] = {
        "fact": _fact, "parameter": _parameter, "ruleset": _rules, "due": _due, "transition": _transition, "state": _state, "case": _case,
    }  # fmt: skip
    return {name: every[name]() for name in names}


def _body() -> Schema:
    role = {"anyOf": [TEXT, _object({"title": TEXT, "at": {"enum": list(LEVELS)}, "who": {"type": "string", "pattern": WHO}})]}
    column = {"anyOf": [TEXT, _object({"fact": TEXT, "finding": TEXT, "envelope": {"enum": ["as_of", "source", "ref", "by"]}, "required": FLAG})]}
    sheet = _object({"sheet": TEXT, "key": WORDS, "columns": _map(column)}, ("columns",))
    tally = _object({"roll": TEXT, "ballots": TEXT, "matters": TEXT, "policy": TABLE}, ("roll", "ballots"))
    return {
        "process": TEXT, "title": TEXT, "icon": TEXT, "about": TEXT, "number": TEXT, "pin": {"enum": ["opening", "none"]},
        "place": {"enum": ["compound", "community", "street", "district"]}, "child_of": _object({"process": TEXT, "as": TEXT}, ("process", "as")), "as": TEXT,
        "roles": _map(role), "if_nobody": TABLE, "separate": {"type": "array", "items": {"type": "array", "items": TEXT}},
        "facts": _map(_ref("fact")), "derived": _map({"anyOf": [TEXT, _ref("fact")]}), "opening": WORDS, "name": TEXT,
        "parameters": _map(_ref("parameter")), "rules": _map(_ref("ruleset")), "states": _map(_ref("state")), "anywhere": _map(_ref("transition")), "verbs": _verbs(),
        "excel": _map(sheet), "tallies": _map(tally), "cases": {"type": "array", "items": _ref("case")}, "bases": _map(_map(ANY)), "unconfirmed": WORDS,
        "obligations": _map(_obligation()),
        "accounts": _map(_account()), "balances": _map(_object({"account": TEXT, "of": TEXT}, ("account",))),
        "catalogue": _object({"fact": TEXT, "account": TEXT, "prices": TABLE, "units": TABLE}, ("fact", "account", "prices")),
    }  # fmt: skip


def _file(title: str, schema: Schema, *defs: str) -> Schema:
    return {"$schema": DRAFT, "title": title, **schema, "$defs": _defs(*defs)}


EVERY = ("fact", "parameter", "ruleset", "due", "transition", "state", "case")


def process() -> Schema:
    return _file("siquan process", _object(_body(), ("process", "states")), *EVERY)


def ruleset() -> Schema:
    return _file("siquan rule set", {**_rules(), "required": ["ruleset"]}, "fact")


def parameters() -> Schema:
    return _file("siquan parameters", _map(_parameter()))


def cases() -> Schema:
    many = {"type": "array", "items": _ref("case")}
    return _file("siquan cases", {"anyOf": [many, _object({"process": TEXT, "bases": _map(_map(ANY)), "cases": many})]}, "case")


def plugin() -> Schema:
    return _file("siquan plugin", _object({"plugin": TEXT, "title": TEXT, "about": TEXT, "sources": TABLE}))


def _blanks(value: Any) -> Any:
    """In a fragment a blank such as `$basis` may stand wherever one of several words does."""
    if isinstance(value, dict):
        if "enum" in value and isinstance(value["enum"], list):
            return {"anyOf": [value, {"type": "string", "pattern": r"^\$[a-z_]+$"}]}
        return {k: _blanks(v) for k, v in value.items()}
    return [_blanks(v) for v in value] if isinstance(value, list) else value


def fragment() -> Schema:
    blank = {"anyOf": [TEXT, _object({"title": TEXT, "default": ANY})]}
    own = {"fragment": TEXT, "title": TEXT, "about": TEXT, "with": _map(blank), "entry": TEXT, "exits": WORDS, "children": _map(_object(_body()))}
    shared = {k: v for k, v in _body().items() if k in ("facts", "derived", "parameters", "rules", "states", "excel")}
    whole: Schema = _blanks(_file("siquan fragment", _object({**own, **shared}, ("fragment", "states", "exits")), *EVERY))
    return whole


def calendar() -> Schema:
    off = _object({"name": TEXT, "from": DATE, "to": DATE}, ("name", "from"))
    dates = {"type": "array", "items": DATE}
    year = {"year": {"type": "integer"}, "source": TEXT, "holidays": {"type": "array", "items": off, "minItems": 1}, "workdays": dates}
    return _file("siquan calendar", _object(year, ("year", "source", "holidays")))


SCHEMAS: dict[str, Callable[[], Schema]] = {
    "process": process, "ruleset": ruleset, "parameters": parameters, "cases": cases, "plugin": plugin, "fragment": fragment, "calendar": calendar,
}  # fmt: skip
