"""Verbs of a case besides its steps, many cases at once, what persons are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from siquan.core.service.verbdesk import VerbDesk
from siquan.core.service.verbforms import VerbForms
from siquan.core.views import ActResult
from siquan.core.views_verbs import BulkForm, BulkResult, NoticeView, VerbForm


class VerbsDoor:
    _desk: VerbDesk
    _verb_forms: VerbForms

    def verb(
        self, case_id: str, verb: str, person: str, *, to: str = "", reason: str = "", opinion: str = "", others: Sequence[str] = (),
        facts: Sequence[str] = (), title: str = "", task: str = "", result: str = "", before: bool = False, revision: int | None = None,
        key: str | None = None,
    ) -> ActResult:  # fmt: skip
        return self._desk.do(
            case_id, verb, person, to=to, reason=reason, opinion=opinion, others=others, facts=facts, title=title, task=task, result=result,
            before=before, revision=revision, key=key,
        )  # fmt: skip

    def verb_form(self, case_id: str, verb: str, person: str, lang: str = "zh", task: str = "") -> VerbForm:
        return self._verb_forms.form(case_id, verb, person, lang, task)

    def bulk(
        self, cases: Sequence[tuple[str, int | None]], action: str, person: str, key: str, *, facts: Mapping[str, Any] | None = None,
        to: str = "", reason: str = "", opinion: str = "", others: Sequence[str] = (), result: str = "",
    ) -> BulkResult:  # fmt: skip
        return self._desk.many(cases, action, person, key, facts=facts, to=to, reason=reason, opinion=opinion, others=others, result=result)

    def bulk_form(self, cases: Sequence[str], person: str, lang: str = "zh") -> BulkForm:
        return self._verb_forms.bulk(cases, person, lang)

    def bulk_result(self, key: str, person: str) -> BulkResult:
        return self._desk.bulk.result(person, key)

    def notices(self, person: str, lang: str = "zh", page: int = 1) -> tuple[tuple[NoticeView, ...], int]:
        return self._desk.notifying.unread(person, lang, page)

    def mark_read(self, person: str, notice: str = "") -> int:
        return self._desk.notifying.mark(person, notice)
