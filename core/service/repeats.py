"""A request that comes twice: what makes two of them the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def comparable(value: Any) -> Any:
    """Facts as given, made comparable for the idempotency key."""
    if isinstance(value, Mapping):
        return {str(k): comparable(v) for k, v in sorted(value.items(), key=lambda kv: str(kv[0]))}
    if isinstance(value, list | tuple):
        return [comparable(v) for v in value]
    return value if isinstance(value, str | int | bool) or value is None else str(value)
