"""The plugin format: every key is explained where it may stand, and every YAML example is valid."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from docpages import DOCS, ROOT, Block, blocks, named, pages

from siquan.core import hookspecs
from siquan.core.exchange.schema import SCHEMAS
from siquan.core.plugins import bundled_dirs, discover
from siquan.core.spec.load import load_fragments, load_plugin
from siquan.core.spec.source import parse_yaml
from siquan.core.testing.runner import run_case
from siquan.core.verify import verify

PAGE = DOCS / "write-a-plugin.md"


def keys(schema: dict[str, Any]) -> set[str]:
    return set(schema["properties"])


def places() -> dict[str, set[str]]:
    """Where a designer writes keys, and which keys may stand there, out of the JSON Schemas."""
    process = SCHEMAS["process"]()
    defs, top = process["$defs"], process["properties"]
    fragment = SCHEMAS["fragment"]()["properties"]
    full = defs["parameter"]["anyOf"][1]

    def option(schema: dict[str, Any]) -> dict[str, Any]:
        return next(s for s in schema["anyOf"] if s.get("type") == "object" and "properties" in s)

    sheet = top["excel"]["additionalProperties"]
    cases = SCHEMAS["cases"]()
    return {
        "process": keys(process),
        "role": keys(option(top["roles"]["additionalProperties"])),
        "fact": keys(defs["fact"]),
        "parameter": keys(full),
        "line": keys(defs["parameter"]["anyOf"][0]["anyOf"][0]["items"]),
        "ruleset": keys(defs["ruleset"]),
        "rule": keys(defs["ruleset"]["properties"]["list"]["items"]),
        "row": keys(defs["ruleset"]["properties"]["rows"]["items"]),
        "reading": keys(defs["ruleset"]["properties"]["reads_as"]["items"]),
        "intent": keys(defs["ruleset"]["properties"]["intents"]["items"]),
        "due": keys(defs["due"]),
        "escalation": keys(defs["due"]["properties"]["escalate"]["items"]),
        "obligation": keys(top["obligations"]["additionalProperties"]),
        "transition": keys(defs["transition"]),
        "state": keys(defs["state"]),
        "task": keys(defs["state"]["properties"]["task"]),
        "sign": keys(defs["state"]["properties"]["sign"]),
        "verb": keys(next(iter(top["verbs"]["properties"].values()))),
        "case": keys(defs["case"]),
        "step": keys(defs["case"]["properties"]["steps"]["items"]),
        "sheet": keys(sheet),
        "column": keys(option(sheet["properties"]["columns"]["additionalProperties"])),
        "tally": keys(top["tallies"]["additionalProperties"]),
        "child_of": keys(top["child_of"]),
        "account": keys(top["accounts"]["additionalProperties"]),
        "post": keys(defs["transition"]["properties"]["post"]["items"]),
        "catalogue": keys(top["catalogue"]),
        "balance": keys(top["balances"]["additionalProperties"]),
        "plugin": keys(SCHEMAS["plugin"]()),
        "fragment": set(fragment),
        "blank": keys(option(fragment["with"]["additionalProperties"])),
        "cases": keys(option(cases)),
    }


def tables() -> dict[str, list[str]]:
    """`<!-- keys: fact -->` and the first column of the table below it."""
    text = PAGE.read_text(encoding="utf-8")
    out = {}
    for name, table in re.findall(r"<!-- keys: (\w+) -->\n((?:\|.*\n)+)", text):
        out[name] = re.findall(r"^\| `([\w]+)` \|", table, re.MULTILINE)
    return out


@pytest.mark.parametrize("place", sorted(places()))
def test_every_key_is_explained_and_no_other(place: str) -> None:
    told = tables()[place]
    assert sorted(told) == sorted(places()[place])


def test_every_table_belongs_to_a_place() -> None:
    assert set(tables()) == set(places())


def test_every_word_of_a_choice_is_named() -> None:
    text = PAGE.read_text(encoding="utf-8")
    words: set[str] = set()

    def walk(schema: Any) -> None:
        if isinstance(schema, dict):
            words.update(str(w) for w in schema.get("enum", ()) if isinstance(schema.get("enum"), list) and w)
            for value in schema.values():
                walk(value)
        elif isinstance(schema, list):
            for value in schema:
                walk(value)

    for make in SCHEMAS.values():
        walk(make())
    assert not {w for w in words if not re.search(rf"`[^`\n]*(?<!\w){re.escape(w)}(?!\w)[^`\n]*`", text)}


def test_every_kind_of_schema_is_named() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert not {k for k in SCHEMAS if f"`siquan schema {k}`" not in text}


def as_json(value: Any) -> Any:
    def plain(v: Any) -> Any:
        return float(v) if isinstance(v, Decimal) else v.isoformat() if isinstance(v, dt.date) else str(v)

    return json.loads(json.dumps(value, default=plain))


#: lines quoted out of a file are read where they stand (test_patterns.py)
YAML = [b for page in pages() for b in blocks(page, "yaml") if not b.file.startswith("wrong/") and not b.mark.startswith("from:")]


@pytest.mark.parametrize("block", YAML, ids=str)
def test_examples_fit_a_schema(block: Block) -> None:
    """A whole file or a part of one; a part may leave out what the whole needs."""
    jsonschema = pytest.importorskip("jsonschema")
    value = as_json(parse_yaml(block.text, str(block)))
    if block.mark in ("locale", "demo script"):
        return
    whole = bool(block.file) or block.mark.startswith("include:")
    fits = []
    for kind, make in SCHEMAS.items():
        schema = make()
        if not whole:
            schema.pop("required", None)
        if jsonschema.Draft202012Validator(schema).is_valid(value):
            fits.append(kind)
    assert fits, "no kind of plugin file looks like this"


WHOLE = [b for b in YAML if (b.file or b.mark.startswith("include:")) and re.match(r"(process|ruleset): ", b.text)]


@pytest.mark.parametrize("block", WHOLE, ids=str)
def test_whole_examples_load_verify_and_pass_their_cases(block: Block, tmp_path: Path) -> None:
    parsed = parse_yaml(block.text, str(block))
    name = str(parsed.get("process") or parsed["ruleset"])
    file = tmp_path / f"{name}.yaml"
    file.write_text(block.text, encoding="utf-8")
    library: dict[str, Any] = {}
    for folder in bundled_dirs():
        library.update(load_fragments(folder))
    assert load_plugin(file, library).name == name
    catalogue = discover(bundled=False, only=[file])
    assert not [f.full("zh") for f in verify(catalogue, name) if f.severity != "note"]
    for process in catalogue.plugin(name).processes:
        for case in process.cases:
            assert run_case(catalogue, case) == [], case.name


def test_scripts_of_the_demo_use_known_keys() -> None:
    known = {"name", "process", "title", "place", "by", "on", "facts", "steps"}
    acts = {"on", "by", "act", "facts", "opinion", "reason", "child", "supply", "recuse", "import", "file", "verb", "to", "cases", "persons"}
    seen = 0
    for block in YAML:
        if block.mark == "demo script":
            for script in parse_yaml(block.text, str(block)):
                seen += 1
                assert set(script) <= known and all(set(step) <= acts for step in script["steps"])
    assert seen


def test_every_hook_is_explained() -> None:
    text = PAGE.read_text(encoding="utf-8")
    hooks = {n for n in vars(hookspecs) if n.startswith("siquan_")}
    assert hooks and not {h for h in hooks if f"| `{h}` |" not in text}


def test_python_examples_compile() -> None:
    for page in pages():
        for block in blocks(page, "python"):
            compile(block.text, str(block), "exec")


def test_bundled_fragments_are_named() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert not {p.parent.name for p in (ROOT / "workflows").glob("*/fragment.yaml") if f"`{p.parent.name}`" not in text}


def test_pages_of_the_folder_are_known() -> None:
    assert {named(p) for p in pages()} >= {"README.md", "docs/cli.md", "docs/errors.md", "docs/write-a-plugin.md"}
