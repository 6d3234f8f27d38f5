"""V003: a process without a final state. A standing body (`pin: none`) may go on for ever; a procedure may not."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding

CODE = "V003"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error for a procedure, a note for a standing body."""
    for process in plugin.processes:
        if any(s.final for s in process.states):
            continue
        standing = process.pin == "none"
        yield Finding(
            CODE, "note" if standing else "error", process.where, f"`{process.id}` 没有终点状态",
            f"`{process.id}` has no final state", "给办结的状态标 final: true", "mark the state where a case ends final: true",
        )  # fmt: skip
