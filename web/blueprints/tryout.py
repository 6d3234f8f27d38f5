"""A process tried out step by step in a world of its own. What was tried travels in the form, signed; nothing is kept here and
nothing of the installation is touched. Works without a script: every look is the answer to a form."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from werkzeug.wrappers import Response as AnyResponse

from siquan.core.errors import BadInput, Errors, SiquanError
from siquan.core.testing.tryout import PEOPLE, Tryout, read_rows
from siquan.core.testing.tryview import Chosen
from siquan.core.views import FieldView
from siquan.web.catalogue import gettext as _
from siquan.web.postings import Posted, read, shown
from siquan.web.visitor import lang, person, service

bp = Blueprint("tryout", __name__)

Answer = str | AnyResponse | tuple[str, int]
#: what keeps the form of a step open
FORM = ("choose", "take", "more")
#: seconds a try-out may lie open
EXPIRY = 12 * 3600
#: characters of the signed field: some hundred rows of a list
LARGEST = 120_000


def signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="siquan.try")


def seal(draft: dict[str, Any]) -> str:
    text = str(signer().dumps([person(), draft]))
    if len(text) > LARGEST:
        raise BadInput(why=_("试运行里的数据太多，请减少行数"))
    return text


def unseal(process_id: str) -> dict[str, Any]:
    """The draft this person was shown. Raises BadInput for anything else."""
    try:
        who, draft = signer().loads(request.form.get("draft", "")[:LARGEST], max_age=EXPIRY)
    except SignatureExpired:
        raise BadInput(why=_("这次试运行放得太久了，请重新开始")) from None
    except (BadSignature, ValueError, TypeError):
        raise BadInput(why=_("这次试运行的内容不完整，请重新开始")) from None
    if who != person() or draft.get("process") != process_id:
        raise BadInput(why=_("这次试运行的内容不完整，请重新开始"))
    return dict(draft)


@bp.get("/-/try/<process_id>")
def begin(process_id: str) -> Answer:
    return opening(process_id, Posted(), service().today().isoformat())


def opening(process_id: str, posted: Posted, day: str, problems: tuple[str, ...] = (), status: int = 200) -> Answer:
    definition = service().designs().definition(process_id)
    fields = tuple(service().opening_form(definition.spec.id, person(), posted.facts or None, lang()))
    page = render_template(
        "try_open.html", id=definition.spec.id, title=definition.spec.title, fields=shown(fields, posted) if posted.raw else fields, posted=posted,
        day=day, problems=problems, child=definition.spec.child_of is not None,
    )  # fmt: skip
    return page if status == 200 else (page, status)


@bp.post("/-/try/<process_id>")
def go_on(process_id: str) -> Answer:
    # a button of a table of rows says what it wants under another name
    what = request.form.get("do") or {"more": "more", "check": "take"}.get(request.form.get("step", ""), "")
    definition = service().designs().definition(process_id)
    if what == "begin":
        return started(definition.spec.id)
    try:
        draft = unseal(definition.spec.id)
    except SiquanError as error:
        return opening(definition.spec.id, Posted(), service().today().isoformat(), (error.text(lang()),), 422)
    if what == "undo":
        draft["steps"] = draft["steps"][:-1]
    played = Tryout(service().designs(), draft, lang())
    if what == "save":
        return saved(played)
    return done(played, what)


def started(process_id: str) -> Answer:
    fields = tuple(service().opening_form(process_id, person(), None, lang()))
    posted = read(request.form, fields)
    day = request.form.get("day", "")
    wrong: list[str] = []
    try:
        on = dt.date.fromisoformat(day)
        if not 2000 <= on.year <= 2100:
            raise ValueError
    except ValueError:
        return opening(process_id, posted, day, (_("请选开始的日期"),), 422)
    if request.form.get("step") == "more":
        return opening(process_id, posted, day)
    try:
        played = Tryout(service().designs(), Tryout.begin(service().designs(), process_id, on, posted.facts), lang())
    except SiquanError as error:
        wrong += sentences(error)
        return opening(process_id, posted, day, tuple(wrong), 422)
    return page(played)


def done(played: Tryout, what: str) -> Answer:
    """Does what was asked and shows where things stand; what could not be done changes nothing."""
    choose = request.form.get("choose", "") if what in FORM else ""
    actor = request.form.get("actor", "")[:60]
    posted = Posted()
    try:
        if what == "take":
            posted = take(played, choose)
            choose = ""
        elif what == "wait":
            wait(played)
        elif what == "fact":
            fact(played)
        elif what == "more":
            chosen = played.view(request.form.get("by", ""), choose).chosen
            posted = read(request.form, chosen.fields) if chosen is not None else posted
            return page(played, actor, choose, (), posted)
    except SiquanError as error:
        if choose:
            chosen = played.view(request.form.get("by", ""), choose).chosen
            posted = read(request.form, chosen.fields) if chosen is not None else posted
        return page(played, actor, choose, sentences(error), posted), 422
    return page(played, actor, choose)


def take(played: Tryout, choose: str) -> Posted:
    child, name = choose.split("|")[:2] if "|" in choose else ("", "")
    by = request.form.get("by", "")[:60]
    chosen = played.view(by, choose).chosen
    if chosen is None:
        raise BadInput(why=_("这一步现在没有了"))
    posted = read(request.form, chosen.fields)
    if chosen.offer.task:
        return task(played, chosen, posted)
    given: dict[str, Any] = dict(posted.facts)
    for path, _title, _rows, needed in chosen.lists:
        if needed or request.form.get(f"use.{path}"):
            given[path] = {"complete": bool(request.form.get(f"whole.{path}")), "value": read_rows(request.form.get(f"rows.{path}", "")[:LARGEST])}
    to = request.form.get("to", "")
    played.take(child, name, by, given, posted.opinion, posted.reason, to if to in dict(chosen.offer.choices) else "")
    return posted


def task(played: Tryout, chosen: Chosen, posted: Posted) -> Posted:
    """A verb of a task: to whom, with whom, what the signature says; only what was offered is taken."""
    form, offer = chosen.form, chosen.offer
    one = request.form.get("choice", "")
    one = one if one in {c.value for c in form.choices} else ""
    helping = [c.value for c in form.more if c.value in request.form.getlist("helper")]
    played.task(
        offer.child, offer.step.name, offer.by, one if form.what == "to" else "", helping, one if form.what == "result" else "",
        form.before and bool(request.form.get("before")), posted.reason, posted.opinion,
    )  # fmt: skip
    return posted


def wait(played: Tryout) -> None:
    """To a day, or so many days on, or past the next deadline."""
    how = request.form.get("how", "")
    if how == "due":
        if played.next_due is None:
            raise BadInput(why=_("现在没有期限在走"))
        played.wait_until(played.next_due)
        return
    days = request.form.get("days", "").strip()
    if how == "date":
        try:
            played.wait_until(dt.date.fromisoformat(request.form.get("day", "")))
        except ValueError:
            raise BadInput(why=_("请选一个日期")) from None
    elif days.isdecimal() and 0 < int(days) <= 3660:
        played.wait_until(played.live.today + dt.timedelta(int(days)))
    else:
        raise BadInput(why=_("请写要过几天"))


def fact(played: Tryout) -> None:
    child, _bar, path = request.form.get("path", "").partition("|")
    known = request.form.get("known", "known")
    text = request.form.get("value", "").strip()
    if known == "known" and not text:
        raise BadInput(why=_("请填一个值，或者选“未知”“没有”"))
    value: Any = None if known == "unknown" else "none" if known == "none" else {"是": True, "否": False, "true": True, "false": False}.get(text, text)
    played.state_fact(child, path, value)


def saved(played: Tryout) -> Answer:
    name = request.form.get("name", "").strip()[:100] or _("试运行")
    try:
        text = played.saved(name)
    except SiquanError as error:
        return page(played, "", "", sentences(error)), 422
    file = f"try-{played.definition.spec.id.rpartition('.')[2]}.yaml"
    return Response(text, mimetype="application/yaml", headers={"Content-Disposition": f'attachment; filename="{file}"'})


def sentences(error: SiquanError) -> tuple[str, ...]:
    return tuple(e.text(lang()) for e in (error.errors if isinstance(error, Errors) else [error]))


def page(played: Tryout, actor: str = "", choose: str = "", problems: tuple[str, ...] = (), posted: Posted | None = None) -> str:
    by = request.form.get("by", "")[:60] if choose and request.form.get("do") != "look" else ""
    view = played.view(by or actor, choose)
    fields: tuple[FieldView, ...] = ()
    if view.chosen is not None:
        fields = shown(view.chosen.fields, posted) if posted is not None and posted.raw else view.chosen.fields
    return render_template(
        "try.html", view=view, draft=seal(played.draft), actor=actor, by=by, choose=choose, problems=problems, posted=posted or Posted(),
        fields=fields, people=PEOPLE, roles=played.roles, one=request.form.get("choice", ""),
        helping=request.form.getlist("helper"),
    )  # fmt: skip
