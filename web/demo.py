"""The accounts of the demo data, shown at the sign-in of a demo system and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FIELDS = ("name", "post", "login", "password", "about")


@dataclass(frozen=True)
class DemoAccount:
    name: str
    post: str  # `梧桐里社区 · 经办`
    login: str
    password: str
    about: str = ""  # what there is to do for this person


def demo(given: Any) -> DemoAccount:
    """From a mapping, a tuple in this order, or anything with these attributes."""
    if isinstance(given, DemoAccount):
        return given
    if isinstance(given, Mapping):
        return DemoAccount(*(str(given.get(k, "")) for k in FIELDS))
    if isinstance(given, tuple | list):
        return DemoAccount(*(str(v) for v in given))
    return DemoAccount(*(str(getattr(given, k, "")) for k in FIELDS))
