"""decide: a rule set on given facts, both engines, nothing written."""

from __future__ import annotations

import argparse
from pathlib import Path

from siquan.core.cli.designing import chosen
from siquan.core.cli.reading import print_decision, print_json, read_day, read_facts
from siquan.core.errors import BadInput
from siquan.core.home import Home, new_id, now
from siquan.core.service import Siquan
from siquan.core.store.database import Store


def decide(args: argparse.Namespace) -> int:
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
    # without a place nothing of the installation is needed: decide on a throw-away database
    store = home.store() if args.place else Store("sqlite://", now, new_id)
    service = Siquan(store, catalogue, now)
    decision = service.decide(ruleset, facts, read_day(args.on), args.place, overrides)
    if args.json:
        print_json(decision.contract())
    else:
        print_decision(decision)
    return 0


