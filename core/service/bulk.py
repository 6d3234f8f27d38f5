"""One act on many cases: a transaction per case, a result per case, idempotent as a whole.

Invariant: a case is done at most once by one bulk act, however often it is sent and wherever it was cut off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from siquan.core.errors import BadInput, NotFound, SiquanError, Stale
from siquan.core.service.acts import MAX_KEY
from siquan.core.service.app import App
from siquan.core.service.context import Context
from siquan.core.service.pages import may_see
from siquan.core.service.refusal import check_text
from siquan.core.views import ActResult
from siquan.core.views_verbs import BulkLine, BulkResult

MOST = 200
#: act on one case: (case, key, revision) -> result
One = Callable[[str, str, int | None], ActResult]


class Bulk:
    def __init__(self, app: App) -> None:
        self.app = app

    def run(self, cases: Sequence[tuple[str, int | None]], request: list[Any], person: str, key: str, one: One) -> BulkResult:
        check_text(key, MAX_KEY - 30, "请求编号")
        items = list(dict(cases).items())
        if not key or not items or len(items) > MOST:
            raise BadInput(why=f"一次办 1 到 {MOST} 件，要有请求编号")
        whole = f"bulk:{person}:{key}"
        with self.app.store.begin() as tx:
            stored = tx.idempotency.claim(whole, [request, person, [list(i) for i in items]])
        if stored:
            return _read(stored, repeated=True)
        lines = tuple(self._one(case, person, revision, _own(whole, case), one) for case, revision in items)
        with self.app.store.begin() as tx:
            tx.idempotency.answer(whole, [[x.case, x.number, x.title, x.outcome, x.text] for x in lines])
        return BulkResult(key, lines)

    def result(self, person: str, key: str) -> BulkResult:
        """What a bulk act of this person came to."""
        with self.app.store.read() as tx:
            stored = tx.idempotency.answered(f"bulk:{person}:{key}")
        if stored is None:
            raise NotFound(kind="批量办理", name=key)
        return _read(stored, repeated=False, key=key)

    def _one(self, case: str, person: str, revision: int | None, key: str, one: One) -> BulkLine:
        try:
            outcome, text = "done", one(case, key, revision).state_title
        except Stale as fault:
            outcome, text = "stale", fault.text("zh")
        except SiquanError as fault:
            outcome, text = "refused", fault.text("zh")
        return BulkLine(case, *self._named(case, person), outcome, text)

    def _named(self, case: str, person: str) -> tuple[str, str]:
        """Of a case that is not for these eyes no more is said than its id."""
        with self.app.store.read() as tx:
            found = tx.cases.find(case)
            seen = found is not None and may_see(Context(self.app, tx, found), person)
            return (found.number or "", found.title) if found is not None and seen else ("", case)


def _own(whole: str, case: str) -> str:
    """The key of one case's act."""
    return hashlib.sha256(f"{whole}:{case}".encode()).hexdigest()[:40]


def _read(stored: list[list[str]], repeated: bool, key: str = "") -> BulkResult:
    return BulkResult(key, tuple(BulkLine(*x) for x in stored), repeated)
