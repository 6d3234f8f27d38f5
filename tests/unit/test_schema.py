"""The published JSON Schemas accept every bundled file and refuse a misspelt key."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from siquan.core.exchange.schema import SCHEMAS
from siquan.core.plugins import bundled_dirs
from siquan.core.spec.source import parse_yaml, read_yaml

jsonschema = pytest.importorskip("jsonschema")
PLUGINS, WORKFLOWS = bundled_dirs()


def as_json(value: Any) -> Any:
    def plain(v: Any) -> Any:
        if isinstance(v, Decimal):
            return float(v)
        return v.isoformat() if isinstance(v, dt.date) else str(v)

    return json.loads(json.dumps(value, default=plain))


FILES = (
    [("process", p) for p in sorted([*PLUGINS.glob("*.yaml"), *PLUGINS.glob("*/workflows/*.yaml")])]
    + [("ruleset", p) for p in sorted(PLUGINS.glob("*/rules/*.yaml"))]
    + [("parameters", p) for p in sorted(PLUGINS.glob("*/parameters/*.yaml"))]
    + [("cases", p) for p in sorted(PLUGINS.glob("*/cases/*.yaml"))]
    + [("plugin", p) for p in sorted(PLUGINS.glob("*/plugin.yaml"))]
    + [("fragment", p) for p in sorted(WORKFLOWS.glob("*/fragment.yaml"))]
)


@pytest.mark.parametrize(("kind", "path"), FILES, ids=lambda x: x.name if isinstance(x, Path) else x)
def test_bundled_files_fit(kind: str, path: Path) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMAS[kind]())
    errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in validator.iter_errors(as_json(read_yaml(path)))]
    assert not errors


@pytest.mark.parametrize("kind", SCHEMAS)
def test_schema_is_valid(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[kind]())


def test_misspelt_key_is_refused() -> None:
    bad = parse_yaml("process: x\nstates: {a: {titel: 甲}}\nfactss: {}", "bad.yaml")
    messages = [e.message for e in jsonschema.Draft202012Validator(SCHEMAS["process"]()).iter_errors(as_json(bad))]
    assert any("factss" in m for m in messages) and len(messages) >= 2
