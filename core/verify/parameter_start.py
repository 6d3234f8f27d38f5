"""V008: a parameter that is unknown where or when the others hold: it has values for some places only, or its first
value starts after every other parameter has its newest. What it decides is asked for and never answered."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding
from siquan.core.verify.reading import Read, params_of, process_reads, rule_reads

CODE = "V008"


def used(plugin: PluginSpec, catalogue: Catalogue) -> dict[str, Read]:
    """Parameters the plugin's expressions read, each with its first reader."""
    reads: list[Read] = []
    for process in plugin.processes:
        reads += process_reads(catalogue.definitions[process.id], catalogue)
    for spec in plugin.rulesets:
        if not spec.process:
            reads += rule_reads(catalogue.rulesets[spec.id])
    return params_of(reads)


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning for every parameter in use that has such a hole."""
    readers = used(plugin, catalogue)
    starts = {p.name: min((line.since for line in p.lines if not line.place), default=None) for p in plugin.parameters}
    newest = {p.name: max(line.since for line in p.lines) for p in plugin.parameters if not p.name.startswith("basis.")}
    for param in plugin.parameters:
        start, reader = starts[param.name], readers.get(param.name)
        if reader is None:
            continue
        others = [day for name, day in newest.items() if name != param.name]
        if start is None:
            zh, en = "只有个别地方的值，别处未知", "has values for some places only and is unknown elsewhere"
        elif others and start > max(others):
            zh = f"从 {start} 才有值，而其他参数最晚的一行是 {max(others)}，在此之间未知"
            en = f"has no value before {start}, while the newest line of all others is of {max(others)}; in between it is unknown"
        else:
            continue
        yield Finding(
            CODE, "warning", param.where, f"参数 `{param.name}` {zh}；{reader.by_zh}要用它", f"the parameter `{param.name}` {en}; {reader.by_en} reads it",
            "补一行更早的、不限地方的值", "add an earlier line without a place",
        )  # fmt: skip
