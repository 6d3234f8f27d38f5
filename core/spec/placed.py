"""What every model a designer fills has in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_serializer

from siquan.core.errors import Where


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Placed(Model):
    """Something with a place in a file; the place is no part of its meaning."""

    where: Where | None = Field(default=None, repr=False, exclude=True)


class Grown(Placed):
    """Something that got keys later: `LATER` are left out of the dump when they say nothing, so that what was pinned
    before there were such keys keeps its hash."""

    LATER: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _spoken(self, inner: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {k: v for k, v in inner(self).items() if v or k not in self.LATER}
