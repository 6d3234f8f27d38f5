"""V026: an Excel sheet that cannot be used: it belongs to no collection and no children, a column names no fact, two
columns say the same, or its name is none Excel allows. Found here and not by the clerk who imports."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.engine.definition import Definition
from siquan.core.plugins import Catalogue
from siquan.core.rules.facts import Schema
from siquan.core.sheets.columns import Layout, Unfit
from siquan.core.spec.model import PluginSpec, SheetSpec
from siquan.core.verify.finding import Finding

CODE = "V026"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error per sheet."""
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        for sheet in process.sheets:
            schema = schema_of(sheet, definition, catalogue)
            if schema is None:
                yield Finding(
                    CODE, "error", sheet.where, f"`{process.id}` 的表“{sheet.name}”对着 `{sheet.target}`，那不是台账，也不是子事项",
                    f"the sheet `{sheet.name}` of `{process.id}` is for `{sheet.target}`, which is neither a collection nor children",
                    "写一个 collection: true 的事实，或子事项的名字", "name a fact with collection: true, or the children",
                )  # fmt: skip
                continue
            try:
                Layout(sheet, schema)
            except Unfit as fault:
                yield Finding(CODE, "error", sheet.where, fault.text("zh"), fault.text("en"), fault.help("zh"), fault.help("en"))


def schema_of(sheet: SheetSpec, definition: Definition, catalogue: Catalogue) -> Schema | None:
    """The facts of a row; None when the target is nothing that has rows."""
    spec = definition.schema.get(sheet.target)
    if spec is not None:
        return Schema(spec.fields) if spec.type == "list" else None
    child = definition.children.get(sheet.target)
    if child is not None:
        return catalogue.definitions[child].schema
    link = definition.spec.child_of
    own = link is not None and sheet.target in (link.name, "self", definition.spec.id.rpartition(".")[2])
    return definition.schema if own else None
