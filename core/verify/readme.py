"""V022: a plugin folder without a README.md. Who takes it over finds no word on what it is for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from siquan.core.errors import Where
from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding

CODE = "V022"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning; a plugin of one file explains itself."""
    folder = Path(plugin.path)
    if not plugin.path or not folder.is_dir() or (folder / "README.md").is_file():
        return
    yield Finding(
        CODE, "warning", Where(f"{plugin.name}/README.md"), f"插件 `{plugin.name}` 没有 README.md", f"the plugin `{plugin.name}` has no README.md",
        "写明它管什么事、给谁用、哪些没有核实", "say what it is for, for whom, and what is not confirmed",
    )  # fmt: skip
