"""Context functions (10.3.4.10) and the boolean function."""

from __future__ import annotations

from typing import Any

from siquan.core.dmn.feel.library.signature import builtin


@builtin("not", "negand: any")
def negation(negand: Any) -> bool | None:
    return not negand if isinstance(negand, bool) else None


@builtin("get value", "m: context", "key: string")
def get_value(m: dict[str, Any], key: str) -> Any:
    return m.get(key)


@builtin("get value", "m: context", "keys: list")
def get_value_at(m: Any, keys: list[Any]) -> Any:
    if not keys:
        return None
    for key in keys:
        if not isinstance(m, dict) or not isinstance(key, str):
            return None
        m = m.get(key)
    return m


@builtin("get entries", "m: context")
def get_entries(m: dict[str, Any]) -> list[Any]:
    return [{"key": k, "value": v} for k, v in m.items()]


@builtin("context", "entries: list")
def context(entries: list[Any]) -> dict[str, Any] | None:
    out: dict[str, Any] = {}
    for entry in entries:
        if not isinstance(entry, dict) or "value" not in entry or not isinstance(entry.get("key"), str) or entry["key"] in out:
            return None
        out[entry["key"]] = entry["value"]
    return out


@builtin("context put", "context: context", "key: string", "value: any")
def put(m: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    return {**m, key: value}


@builtin("context put", "context: context", "keys: list", "value: any")
def put_at(m: dict[str, Any], keys: list[Any], value: Any) -> dict[str, Any] | None:
    if not keys or not isinstance(keys[0], str):
        return None
    if len(keys) == 1:
        return put(m, keys[0], value)
    inner = m.get(keys[0])
    done = put_at(inner, keys[1:], value) if isinstance(inner, dict) else None
    return None if done is None else put(m, keys[0], done)


@builtin("context merge", "contexts: list")
def merge(contexts: list[Any]) -> dict[str, Any] | None:
    out: dict[str, Any] = {}
    for m in contexts:
        if not isinstance(m, dict):
            return None
        out.update(m)
    return out
