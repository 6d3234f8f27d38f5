"""V017: a process without test cases. Nobody knows whether it does what its designer meant."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.coverage import Coverage
from siquan.core.verify.finding import Finding

CODE = "V017"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning per process; a child whose steps are taken in its parent's cases has cases."""
    walked = {process for process, _, _ in Coverage(plugin, catalogue).steps}
    for process in plugin.processes:
        if process.cases or process.id in walked:
            continue
        yield Finding(
            CODE, "warning", process.where, f"`{process.id}` 没有用例", f"`{process.id}` has no cases",
            "写在 cases: 或 cases/*.yaml 里：given、act、expect、because", "add cases: given, act, expect, because",
        )  # fmt: skip
