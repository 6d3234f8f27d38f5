"""V009: a value in use that does not say on what it stands. Whoever is refused by a number may ask where it comes from."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding
from siquan.core.verify.parameter_start import used

CODE = "V009"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error for STATUTE without a clause; a warning for a line without basis or without clause."""
    readers = used(plugin, catalogue)
    for param in plugin.parameters:
        if param.name not in readers:
            continue
        for line in param.lines:
            if line.basis and (line.cite or line.ref):
                continue
            lawless = line.basis == "STATUTE"
            what_zh, what_en = ("依据", "a basis") if not line.basis else ("条款", "a clause")
            yield Finding(
                CODE, "error" if lawless else "warning", line.where or param.where,
                f"参数 `{param.name}` 自 {line.since} 的值没有写{what_zh}" + ("，却标成法定" if lawless else ""),
                f"the value of `{param.name}` from {line.since} has not {what_en}" + (", though it claims STATUTE" if lawless else ""),
                "写 basis: 和 cite:；我们自己定的数写 basis: LOCAL, cite: 本地设定", "add basis: and cite:; a number of our own is LOCAL",
            )  # fmt: skip
