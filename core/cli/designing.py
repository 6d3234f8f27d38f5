"""plugins, draw, schema: a process designer's verbs; `proving` has those that prove."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from siquan.core.cli.reading import print_json
from siquan.core.diagram import alone
from siquan.core.errors import NotFound
from siquan.core.exchange.schema import SCHEMAS
from siquan.core.home import Home
from siquan.core.plugins import Catalogue, Found, _bind, bundled_dirs, discover
from siquan.core.service.drawing import whole
from siquan.core.spec.load import load_fragments, load_plugin


def plugins(args: argparse.Namespace) -> int:
    found = Home.of().catalogue().found
    if args.json:
        print_json([
            {
                "name": f.name, "title": f.spec.title if f.spec else "", "path": f.path, "origin": f.origin,
                "processes": [p.id for p in f.spec.processes] if f.spec else [], "rulesets": [r.id for r in f.spec.rulesets] if f.spec else [],
                "error": f.error.to_json() if f.error else None,
            }
            for f in found
        ])  # fmt: skip
    else:
        for f in found:
            if f.spec is not None:
                print(f"{f.name:<24}{f.spec.title}　{len(f.spec.processes)} 个流程，{len(f.spec.rulesets)} 个规则集")
            elif f.error is not None:
                print(f"{f.name:<24}装不上\n{f.error.full('zh')}")
    return 1 if any(f.error for f in found) else 0


def chosen(plugin: str | None) -> tuple[Catalogue, list[str]]:
    """The catalogue and the names to look at; a path is loaded beside the bundled plugins."""
    home = Home.of()
    path = Path(plugin) if plugin else None
    if path is not None and path.exists() and (path.is_dir() or path.suffix == ".yaml"):
        catalogue = discover(home.plugin_dirs, bundled=False, only=[path.resolve()])
        return with_library(catalogue, path.resolve()), [path.stem if path.is_file() else path.name]
    catalogue = home.catalogue()
    names = [plugin] if plugin else [f.name for f in catalogue.found]
    for name in names:
        catalogue.plugin(name)
    return catalogue, names


def with_library(catalogue: Catalogue, path: Path) -> Catalogue:
    """A plugin outside the installation may still use the bundled fragments."""
    if catalogue.plugins:
        return catalogue
    library: dict[str, Any] = {}
    for folder in bundled_dirs():
        library.update(load_fragments(folder))
    spec = load_plugin(path, library)
    fresh = Catalogue([Found(spec.name, str(path), spec)])
    _bind(fresh)
    error = fresh.found[0].error
    if error is not None:
        raise error
    return fresh


def draw(args: argparse.Namespace) -> int:
    """The whole process: states, steps, deadlines, what the clock does, children. `--mermaid` is short for its format."""
    catalogue = Home.of().catalogue()
    spec = catalogue.definition(args.process).spec
    kind = "mermaid" if args.mermaid else args.format
    graph = whole(catalogue, spec.id)
    text = graph.mermaid() if kind == "mermaid" else alone(graph.svg(full=True))
    if args.out:
        Path(args.out).write_text(text, encoding="utf-8")
    if args.json:
        print_json({"process": spec.id, "format": kind, "file": args.out or None, **({} if args.out else {kind: text})})
    else:
        print(f"已写入 {args.out}" if args.out else text, end="\n")
    return 0


def schema(args: argparse.Namespace) -> int:
    if args.kind not in SCHEMAS:
        raise NotFound(kind="schema", name=args.kind, help="、".join(SCHEMAS))
    print_json(SCHEMAS[args.kind]())
    return 0


