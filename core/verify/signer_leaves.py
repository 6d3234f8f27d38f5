"""V044: every holder of a role signs and nobody may take a signer off: who left before he signed keeps the vote open."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding

CODE = "V044"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A note per state. Where the first signature decides, or one for a role is enough, nobody has to be taken off."""
    for process in plugin.processes:
        for state in process.states:
            sign = state.sign
            if sign is not None and sign.each == "person" and sign.mode != "any" and not sign.manage:
                yield Finding(
                    CODE, "note", sign.where or state.where, f"`{process.id}`“{state.title}”要每个人都签，没有写 manage：签署人离任或者请假时，没有人能减去他",
                    f"everybody signs in `{state.name}` of `{process.id}`, and no role is named in `manage`: nobody can take off a signer who has left",
                    "写 manage: 角色，或者 each: role", "write `manage` with a role, or `each: role`",
                )  # fmt: skip
