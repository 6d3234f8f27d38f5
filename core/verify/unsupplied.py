"""V005: a fact that a rule, a derived fact, a deadline, a `set:` or `needs` reads and nothing ever supplies. It stays
unknown for good: its rules ask for it for ever, its deadline has no date, its step is never ready."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding, listed
from siquan.core.verify.reading import Read, process_reads
from siquan.core.verify.supply import Supply, transitions

CODE = "V005"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error for every such fact, naming who reads it."""
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        supply = Supply(definition, catalogue)
        readers: dict[str, list[Read]] = {}
        for read in process_reads(definition, catalogue):
            for path in read.facts:
                readers.setdefault(path, []).append(read)
        for path, reads in readers.items():
            if supply.gives(path):
                continue
            by_zh, by_en = (tuple(dict.fromkeys(texts)) for texts in ((r.by_zh for r in reads), (r.by_en for r in reads)))
            spec = definition.schema.get(path.partition("[")[0])
            yield Finding(
                CODE, "error", spec.where if spec and spec.where else reads[0].where,
                f"`{process.id}` 的事实 `{path}` 从来没有人填，却被{'、'.join(by_zh[:8])}用到",
                f"the fact `{path}` of `{process.id}` is read by {', '.join(by_en[:8])}, and nothing ever supplies it",
                "写进某一步的 needs、asks 或 opening，或者加 Excel 列、set、derive", "put it into needs, asks or opening, or give it an Excel column, a `set:` or a derivation",
            )  # fmt: skip
        for step in transitions(definition):
            lists = [f for f in step.needs if f not in readers and not supply.gives(f)]
            if lists:
                yield Finding(
                    CODE, "error", step.where, f"`{process.id}` 的“{step.title}”需要台账 {listed(lists)}，而没有可以导入它的 Excel 表",
                    f"the step `{step.name}` of `{process.id}` needs {listed(lists, 'en')}, and no sheet imports it",
                    "在 excel: 里写这张表", "describe the sheet under excel:",
                )  # fmt: skip
