"""decide: a rule set on given facts, both engines, nothing written; or a decision of a DMN model."""

from __future__ import annotations

import argparse
import datetime as dt
import re
from pathlib import Path
from typing import Any

from siquan.core.cli.designing import chosen
from siquan.core.cli.reading import print_decision, print_json, read_day, read_facts, read_text
from siquan.core.dmn.decide import decide_model
from siquan.core.dmn.read import open_model
from siquan.core.dmn.run import Runner
from siquan.core.dmn.wire import json_text, read_json
from siquan.core.errors import BadInput, Where
from siquan.core.home import Home, new_id, now
from siquan.core.service import Siquan
from siquan.core.spec.source import parse_yaml
from siquan.core.store.database import Store

_MODEL = re.compile(r"(?P<file>.+?\.dmn)(?:#(?P<name>.*))?", re.IGNORECASE | re.DOTALL)


def decide(args: argparse.Namespace) -> int:
    model = _MODEL.fullmatch(args.ruleset)
    if model is not None:
        return _decide_model(args, Path(model["file"]), (model["name"] or "").strip())
    overrides = {}
    for pair in args.set:
        name, eq, value = pair.partition("=")
        if not eq:
            raise BadInput(why=f"`{pair}` 应写作 参数=值")
        overrides[name] = value
    facts = read_facts(args.facts)
    ruleset = args.ruleset
    home, path = Home.of(), Path(ruleset)
    if path.suffix == ".yaml" and path.exists():
        catalogue, names = chosen(ruleset)
        own = [r for r in catalogue.rulesets if r.startswith(f"{names[0]}.")]
        if len(own) != 1:
            raise BadInput(why=f"`{ruleset}` 里有 {len(own)} 个规则集，请写明编号")
        ruleset = own[0]
    else:
        catalogue = home.catalogue()
    # what was published stands in the installation; where there is none, and for a file, a throw-away database will do
    installed = args.place or (path.suffix != ".yaml" and home.exists())
    store = home.store() if installed else Store("sqlite://", now, new_id)
    service = Siquan(store, catalogue, now)
    decision = service.decide(ruleset, facts, read_day(args.on), args.place, overrides, known=read_day(args.known))
    if args.json:
        print_json(decision.contract())
    else:
        print_decision(decision)
    return 0


def _decide_model(args: argparse.Namespace, file: Path, name: str) -> int:
    """`model.dmn#Decision name`: places and parameters are ours and no model has them."""
    if args.set or args.place or args.known:
        raise BadInput(Where(file.name), why="DMN 模型没有参数、地点和版本，--set、--place、--known 用不上")
    runner = Runner(open_model(file))
    day = read_day(args.on)
    moment = dt.datetime.combine(day, dt.time(), dt.UTC) if day else now()
    decision = decide_model(runner, name, _exact_facts(args.facts), moment)
    if args.json:
        print(json_text({**decision.contract(), "value": decision.value}))
    else:
        print_decision(decision)
        for note in decision.findings:
            if note.result == "na":
                print(f"  注意：{note.message}")
    return 0


def _exact_facts(text: str) -> Any:
    """F as JSON or YAML, numbers with all their digits, texts never read as numbers."""
    text, name = read_text(text)
    facts = read_json(text)
    return (parse_yaml(text, name) or {}) if facts is None else facts
