"""V014: a deadline whose `then` names no step of its state. When it passes nothing happens but an incident."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding, listed

CODE = "V014"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error for every such deadline; and for one of a final state, where the clock no longer runs."""
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        for state in process.states:
            names = [s.name for s in definition.machine.steps(state.name)]
            for due in state.dues:
                title = due.title or due.name
                if state.final:
                    yield Finding(
                        CODE, "error", due.where, f"`{process.id}` 的终点“{state.title}”写了时限“{title}”，到了终点不再计时",
                        f"the final state `{state.name}` of `{process.id}` has the deadline `{due.name}`, which never runs",
                        "删掉这个时限", "remove the deadline",
                    )  # fmt: skip
                elif due.then != "remind" and due.then not in names:
                    yield Finding(
                        CODE, "error", due.where, f"`{process.id}`“{state.title}”的时限“{title}”到期要办 `{due.then}`，这里没有这一步",
                        f"the deadline `{due.name}` in `{state.name}` of `{process.id}` fires `{due.then}`, which is no step there",
                        f"写 remind，或 {listed(names)} 之一", f"write remind, or one of {listed(names, 'en')}",
                    )  # fmt: skip
