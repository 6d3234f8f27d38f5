"""The number of a case: by the pattern of its process, counted on without a gap."""

from __future__ import annotations

from siquan.core.spec.model import ProcessSpec
from siquan.core.store.transaction import Tx


def next_number(tx: Tx, spec: ProcessSpec, year: int) -> str:
    """Allotted in the act's transaction: what is rolled back gives it back."""
    pattern = spec.number or f"{spec.plugin.upper()[:2]}-{{year}}-{{seq:4}}"
    if "{seq" not in pattern:
        pattern = f"{pattern}-{{year}}-{{seq:4}}"
    # by the pattern, not by the process: two processes may share one series; without a year it runs on
    n = tx.counters.next(f"number:{pattern}:{year}" if "{year}" in pattern else f"number:{pattern}")
    out: str = pattern.replace("{year}", str(year))
    for width in range(9, 0, -1):
        out = out.replace(f"{{seq:{width}}}", str(n).zfill(width))
    return out.replace("{seq}", str(n))
