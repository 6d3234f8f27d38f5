"""What changed between two contents, in the words people read. Formatting is no difference: trees are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["added", "removed", "changed", "moved", "parameter", "setting", "case"]


@dataclass(frozen=True)
class Difference:
    """One difference. `rule` is the rule's id, the parameter's name, the setting or the case's name; `field` what of it
    (`when`, `cell:amount`, `out`, `out:level`, `say` ...; empty for the whole); `title` names that for a person: the field
    of a changed rule, else the rule, parameter, setting or case. `cosmetic`: no decision can come out differently."""

    kind: Kind
    rule: str
    field: str
    title: str
    before: str
    after: str
    cosmetic: bool = False
