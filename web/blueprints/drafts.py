"""The rule editor: a draft, its proof beside it, and every way to change it. Works as plain forms; a script only refreshes.

A refused form is shown again with what was typed in it; a stale one says what changed meanwhile and saves nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from siquan.core.errors import Errors, SiquanError, Stale
from siquan.core.policy.views import DraftPage, DraftResult
from siquan.core.rules.decision import BASES, VERDICTS
from siquan.web.blueprints.cases import correctable, done
from siquan.web.blueprints.rules import TABS, parameter_figure, part, tab_asked
from siquan.web.blueprints.sheets import SHOWN, Problem, problem
from siquan.web.catalogue import gettext as _
from siquan.web.edits import BUILT, COMPARISONS, GIVEN, Editor, Typed, edits, mistakes
from siquan.web.safety import scripted
from siquan.web.visitor import lang, person, service

bp = Blueprint("drafts", __name__, url_prefix="/drafts")

Answer = str | AnyResponse | tuple[str, int]
DRAFT_TABS = (*TABS[:-1], "diff", "history")
HIT_POLICIES = {
    "U": "只许命中一行", "A": "命中几行须结论相同", "P": "取优先级最高的", "F": "取第一行", "R": "按行序全列", "O": "按优先级全列",
    "C": "全列，不分次序", "C+": "全列相加", "C<": "取最小", "C>": "取最大", "C#": "数有几行",
}  # fmt: skip
SUFFIXES = (".xlsx", ".dmn", ".xml")
#: Words of a flash message; the cookie that carries it is small.
TOLD, WORDS = 4, 80


def where(error: SiquanError) -> tuple[str, ...]:
    """Each problem as a sentence, with its place before and its way out after."""
    each = list(error) if isinstance(error, Errors) else [error]
    told = []
    for e in each:
        place = str(e.where) + _("：") if e.where else ""
        told.append(place + " ".join(t for t in (e.text(lang()), e.help(lang())) if t))
    return tuple(told)


def show(
    view: DraftPage, status: int = 200, typed: Typed | None = None, problems: tuple[str, ...] = (), stale: str = "",
    form: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    """The editor; `form` are posted values of a form beside it (submit, sign ...) to show again."""
    shown, at, pages = part(len(view.page.rules))
    rules = view.page.rules[shown]
    html = render_template(
        "rules/draft.html", view=view, page=view.page, rules=rules, at=at, pages=pages, tab=tab_asked(view.page, DRAFT_TABS),
        ed=Editor(view, typed, rules), problems=problems, stale=stale, form=form or {}, figure=parameter_figure(view.page),
        bases=BASES, verdicts=view.page.outcomes or VERDICTS, comparisons=COMPARISONS, built=BUILT, given=GIVEN,
        hit_policies=HIT_POLICIES,
    )  # fmt: skip
    return scripted(make_response(html, status))


def answerable(error: SiquanError) -> bool:
    """Whether the same page can say it, with everything typed still there: bad input, or a version that moved on."""
    return correctable(error) or error.http == 409


def moved_on(error: SiquanError) -> str:
    """Why a form is stale; the revisions are the draft's, not a case's."""
    if isinstance(error, Stale):
        return _("这份草稿在你填写期间已从修订 %(seen)s 变为修订 %(now)s", **error.values)
    return error.text(lang())


def attempt(version_id: str, call: Callable[[], DraftResult], form: dict[str, str] | None = None) -> DraftResult | Response:
    """An act on a draft beside editing it: done, or the editor again with the reason and what was typed."""
    try:
        return call()
    except SiquanError as error:
        if not answerable(error):
            raise
        view = service().draft(version_id, person(), lang())
        return show(view, error.http, problems=where(error), form=form)


def told(result: DraftResult) -> str:
    """The first changes in words, short enough for a message."""
    lines = []
    for line in result.changes[:TOLD]:
        head = line.title if line.title.startswith(line.rule) else f"{line.rule} {line.title}"
        if line.kind in ("added", "removed"):
            words = (_("新增") if line.kind == "added" else _("删去")) + f" {head}"
        else:
            words = f"{head} {line.before or '—'} → {line.after or '—'}"
        lines.append(words if len(words) <= WORDS else words[: WORDS - 1] + "…")
    rest = len(result.changes) - len(lines)
    return _("；").join(lines) + (_("；等 %(n)s 处", n=len(result.changes)) if rest > 0 else "")


def revision() -> int | None:
    seen = request.form.get("revision", "")
    return int(seen) if seen.isdecimal() and len(seen) < 10 else None


@bp.get("/<version_id>")
def draft(version_id: str) -> Answer:
    return show(service().draft(version_id, person(), lang()))


@bp.post("/<version_id>/edit")
def edit(version_id: str) -> Answer:
    view = service().draft(version_id, person(), lang())
    typed = Typed.read(request.form)
    wanted = edits(view.page, request.form, typed)
    back: dict[str, Any] = {k: request.form[k] for k in ("tab", "page") if request.form.get(k) and request.form.get(k) != "1"}
    spot = request.form.get("spot", "")[:120]
    here = url_for("drafts.draft", version_id=version_id, **back, _anchor=spot or None)
    wrong = mistakes(view.page, typed)
    if wrong:
        return show(view, 422, typed, wrong)
    if not wanted:
        done(_("没有改动，什么都没有存。"), outcome="NA")
        return redirect(here)
    try:
        result = service().edit_draft(version_id, person(), wanted, typed.revision)
    except SiquanError as error:
        if not answerable(error):
            raise
        if error.http == 409:
            return show(service().draft(version_id, person(), lang()), 409, typed, stale=moved_on(error))
        return show(view, 422, typed, where(error))
    done(_("已保存。"), told(result))
    return redirect(here)


@bp.route("/<version_id>/upload", methods=["GET", "POST"])
def upload(version_id: str) -> Answer:
    view = service().draft(version_id, person(), lang())

    def again(problems: list[Problem], message: str = "") -> str:
        return render_template(
            "rules/upload.html", view=view, page=view.page, problems=problems[:SHOWN], count=len(problems), message=message,
        )  # fmt: skip

    if request.method == "GET":
        return again([])
    file = request.files.get("file")
    if file is None or not file.filename:
        return again([], _("还没有选择文件")), 422
    if not file.filename.lower().endswith(SUFFIXES):
        return again([], _("只能传回 .xlsx 或 .dmn 文件，这个文件是 %(name)s", name=file.filename)), 422
    try:
        result = service().upload_draft(version_id, person(), file.filename, file.read(), revision())
    except Errors as error:
        return again([problem(e) for e in error]), 422
    except SiquanError as error:
        if not answerable(error):
            raise
        if error.http == 409:
            return again([], moved_on(error) + _("。") + _("请再选一次文件传回。")), 409
        return again([problem(error)]), 422
    if result.changes:
        done(_("文件里的 %(n)s 处改动已写入草稿。", n=len(result.changes)), told(result))
    else:
        done(_("文件与草稿没有差别，什么都没有改。"), outcome="NA")
    return redirect(url_for("drafts.draft", version_id=version_id, tab="diff"))


@bp.post("/<version_id>/merge")
def merge(version_id: str) -> Answer:
    result = attempt(version_id, lambda: service().merge_draft(version_id, person(), revision()))
    if isinstance(result, Response):
        return result
    done(_("已并入新公布的版本。"), told(result))
    return redirect(url_for("drafts.draft", version_id=version_id, tab="diff"))


@bp.post("/<version_id>/discard")
def discard(version_id: str) -> Answer:
    # not by way of the draft's page: what cannot be shown must still be thrown away
    service().discard_draft(version_id, person())
    done(_("草稿已丢弃。"), outcome="NA")
    return redirect(url_for("rules.catalogue"))


def parsed_day(name: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(request.form.get(name, "").strip())
    except ValueError:
        return None
