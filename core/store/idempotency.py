"""A repeated request is answered again, not done again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from siquan.core.errors import SiquanError
from siquan.core.store import tables as t
from siquan.core.store.canonical import canonical
from siquan.core.store.chain import digest
from siquan.core.store.prepared import Prepared
from siquan.core.store.repository import Repository, insert

_I = t.idempotency.c
_GET = Prepared(sa.select(_I.request_hash, _I.response).where(_I.key == sa.bindparam("b_key")))
_ANSWER = Prepared(sa.update(t.idempotency).where(_I.key == sa.bindparam("b_key")), ["response"])


class IdempotencyConflict(SiquanError):
    """the key `{key}` was already used for another request"""

    code = "SQ525"
    zh = "请求编号 `{key}` 已用于另一项请求"
    help_en = "send a new key with every new request"
    help_zh = "每项新请求要用新的编号"
    exit = 1
    http = 409


class Idempotency(Repository):
    def claim(self, key: str, request: Any) -> Any:
        """None when the key is new: it is taken within this transaction, call `answer` before it ends. Else
        the stored response of the same request. Raises IdempotencyConflict when the key came with other
        content. `request` is any JSON; a second caller with the same key waits for the first."""
        request_hash = digest(canonical(request))
        row = _GET.row(self.tx, {"b_key": key})
        if row is None:
            values = {"key": key, "request_hash": request_hash, "response": None, "at": self.tx.at}
            if self.tx.is_sqlite:  # the write lock is ours, nobody can come between
                insert(t.idempotency).run(self.tx, values)
                return None
            try:
                with self.tx.conn.begin_nested():
                    insert(t.idempotency).run(self.tx, values)
                return None
            except IntegrityError:
                row = _GET.rows(self.tx, {"b_key": key})[0]
        if row[0] != request_hash:
            raise IdempotencyConflict(key=key)
        return row[1]

    def answered(self, key: str) -> Any:
        """The stored response to a key; None while there is none."""
        row = _GET.row(self.tx, {"b_key": key})
        return None if row is None else row[1]

    def answer(self, key: str, response: Any) -> None:
        """The response a repeated request will get."""
        _ANSWER.run(self.tx, {"b_key": key, "response": response})

    def prune(self, before: dt.datetime) -> int:
        return self._run(sa.delete(t.idempotency).where(_I.at < before)).rowcount
