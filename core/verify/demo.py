"""V023: a plugin folder without demo data. A newcomer opens it and sees an empty page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from siquan.core.errors import Where
from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding

CODE = "V023"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning; a plugin of one file is small enough to try by hand."""
    folder = Path(plugin.path)
    if not plugin.path or not folder.is_dir() or any(p.is_file() for p in (folder / "demo").glob("*")):
        return
    yield Finding(
        CODE, "warning", Where(f"{plugin.name}/demo"), f"插件 `{plugin.name}` 没有演示数据", f"the plugin `{plugin.name}` has no demo data",
        "在 demo/ 里放一份新手一打开就看得到的数据", "put sample data into demo/",
    )  # fmt: skip
