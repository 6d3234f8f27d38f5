"""What every verb reads and prints: facts, dates, JSON, decisions in words."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

from siquan.core.errors import BadInput, Where
from siquan.core.home import Home
from siquan.core.service import Siquan
from siquan.core.spec.read import plain
from siquan.core.spec.source import parse_yaml

#: outcomes as the terminal has them
WORDS = {"REJECT": "拟不通过", "BLOCK": "不得进行", "EVIDENCE": "待补证", "WARN": "提示", "PASS": "通过", "PRIORITY": "优先", "TARGET": "目标", "NA": "不适用"}


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def read_text(text: str) -> tuple[str, str]:
    """F of the contract as text, and what it is called in an error; `@file` and `-` read it from elsewhere."""
    if text == "-":
        return sys.stdin.read(), "--facts"
    if not text.startswith("@"):
        return text, "--facts"
    try:
        return Path(text[1:]).read_text(encoding="utf-8"), text[1:]
    except (OSError, ValueError) as fault:
        raise BadInput(Where(text[1:]), why=str(getattr(fault, "strerror", None) or "不是 UTF-8 文本")) from None


def read_bytes(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as fault:
        raise BadInput(Where(file), why=str(fault.strerror)) from None


def read_facts(text: str) -> dict[str, Any]:
    """JSON or YAML whose keys are fact names."""
    text, name = read_text(text)
    value = parse_yaml(text, name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadInput(Where(name), why="应是一组 事实: 值")
    facts = plain(value)
    assert isinstance(facts, dict)
    return facts


def read_day(text: str | None) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise BadInput(why=f"`{text}` 不是日期，写作 2026-11-23") from None


def open_service() -> Siquan:
    return Home.of().service()


def find_case(service: Siquan, name: str) -> str:
    return service.case_id(name)


def shown(value: Any) -> str:
    """A decision's value in a line of text."""
    if isinstance(value, dict):
        return "，".join(f"{k}={shown(v)}" for k, v in value.items())
    if isinstance(value, list):
        return "；".join(shown(v) for v in value) or "（空）"
    return {True: "是", False: "否", None: "无"}[value] if isinstance(value, bool | None) else str(value)


def print_decision(decision: Any) -> None:
    print(f"{WORDS[decision.outcome]} {decision.outcome}" + (f"　{shown(decision.value)}" if decision.value is not None else ""))
    for f in decision.findings:
        if f.result in ("hit", "unknown"):
            capped = f"（原为 {f.capped_from}，依据是 {f.basis}，最多提示）" if f.capped_from else ""
            stands = " ".join(x for x in (f.basis, f.basis_cite or f.cite) if x)
            print(f"  {f.rule:<10}{WORDS.get(f.outcome, f.outcome)}　{f.message}{capped}" + (f"　[{stands}]" if stands else ""))
    for a in decision.asks:
        print(f"  要问：{a.title}（{a.fact}）" + (f"，由 {a.by} 提供" if a.by else "") + ("" if a.blocking else "，不影响继续"))
    print(f"  {decision.ruleset}，{decision.version}，{decision.hash[:12]}，判定日 {decision.on}，引擎 {'、'.join(decision.engines)}")


