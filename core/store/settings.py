"""Settings kept in the database: a JSON value by name."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from siquan.core.store import tables as t
from siquan.core.store.repository import Repository

_S = t.setting.c


class Settings(Repository):
    def get(self, name: str, default: Any = None) -> Any:
        row = self._run(sa.select(_S.value).where(_S.name == name)).first()
        return default if row is None else row.value

    def set(self, name: str, value: Any, by: str = "") -> None:
        values = {"value": value, "updated_at": self.tx.at, "updated_by": by}
        if not self._run(sa.update(t.setting).where(_S.name == name).values(values)).rowcount:
            try:
                with self.tx.conn.begin_nested():
                    self._run(sa.insert(t.setting), {"name": name, **values})
            except IntegrityError:  # somebody else set it first at the same time
                self._run(sa.update(t.setting).where(_S.name == name).values(values))

    def all(self) -> dict[str, Any]:
        return {name: value for name, value in self._run(sa.select(_S.name, _S.value).order_by(_S.name))}
