"""People for those who look after them: list, posts, leavers, open work; and one's own substitutes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from siquan.core.errors import BadInput, SiquanError
from siquan.web.blueprints.cases import correctable, done, problems
from siquan.web.catalogue import gettext as _
from siquan.web.visitor import lang, person, service

bp = Blueprint("people", __name__)

Answer = str | Response | tuple[str, int]


def field(name: str, most: int = 200) -> str:
    return request.form.get(name, "").strip()[:most]


def day(name: str) -> dt.date | None:
    """A date of the form; nothing when it was left empty."""
    text = field(name, 10)
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput(why=_("`%(text)s` 不是日期", text=text)) from None


def needed_day(name: str, title: str) -> dt.date:
    found = day(name)
    if found is None:
        raise BadInput(why=_("要填%(what)s", what=title))
    return found


@bp.get("/people")
def people() -> str:
    q = request.args.get("q", "").strip()[:60]
    return render_template("people.html", staff=service().staff(person(), q), q=q)


@bp.get("/people/<person_id>")
def one(person_id: str) -> Answer:
    return page(person_id)


def page(person_id: str, told: tuple[str, ...] = (), status: int = 200, moved: Any = None) -> tuple[str, int]:
    view = service().person(person_id, person(), lang())
    return render_template("person.html", view=view, problems=told, typed=request.form, moved=moved), status


def attempt(person_id: str, call: Callable[[], object], title: str) -> Answer:
    """The change, or the page again with the reason and what was typed."""
    try:
        call()
    except SiquanError as error:
        if not correctable(error):
            raise
        return page(person_id, problems(error), 422)
    done(title)
    return redirect(url_for("people.one", person_id=person_id))


@bp.post("/people/<person_id>/grant")
def grant(person_id: str) -> Answer:
    def call() -> None:
        service().grant_post(person_id, field("role"), field("unit"), person(), day("since"), day("until"))

    return attempt(person_id, call, _("已授予岗位"))


@bp.post("/people/<person_id>/end")
def end(person_id: str) -> Answer:
    return attempt(person_id, lambda: service().end_post(field("post"), person()), _("岗位已结束"))


@bp.post("/people/<person_id>/leave")
def leave(person_id: str) -> Answer:
    return attempt(person_id, lambda: service().leave(person_id, person(), day("on")), _("已登记离岗；没办完的事请转给别人"))


@bp.post("/people/<person_id>/move")
def move(person_id: str) -> Answer:
    """The result of each case stands on the page itself: it is what the administrator has to read."""
    cases = request.form.getlist("case")
    takers = [t for t in request.form.getlist("to") if t]
    try:
        if not cases:
            raise BadInput(why=_("要选哪几件"))
        moved = service().move_work(person_id, takers, person(), cases, lang())
    except SiquanError as error:
        if not correctable(error):
            raise
        return page(person_id, problems(error), 422)
    return page(person_id, moved=moved)


@bp.post("/people/<person_id>/substitute")
def substitute(person_id: str) -> Answer:
    return attempt(person_id, lambda: name_substitute(person_id), _("已指定代办"))


@bp.post("/people/<person_id>/cancel")
def cancel(person_id: str) -> Answer:
    return attempt(person_id, lambda: service().cancel_substitution(field("substitution"), person()), _("代办已撤销"))


def name_substitute(person_id: str) -> object:
    since, until = needed_day("since", _("起日")), needed_day("until", _("止日"))
    kind, _sep, scope = field("scope", 300).partition(":")
    return service().substitute(
        person_id,
        field("substitute"),
        since,
        until,
        person(),
        field("reason"),
        roles=[scope] if kind == "role" and scope else [],
        processes=[scope] if kind == "process" and scope else [],
    )


# one's own


@bp.get("/me/substitutes")
def mine() -> Answer:
    return own()


def own(told: tuple[str, ...] = (), status: int = 200) -> tuple[str, int]:
    return render_template("substitutes.html", card=service().stand_ins(person()), problems=told, typed=request.form), status


def own_attempt(call: Callable[[], object], title: str) -> Answer:
    try:
        call()
    except SiquanError as error:
        if not correctable(error):
            raise
        return own(problems(error), 422)
    done(title)
    return redirect(url_for("people.mine"))


@bp.post("/me/substitutes")
def name_own() -> Answer:
    return own_attempt(lambda: name_substitute(person()), _("已指定代办"))


@bp.post("/me/substitutes/cancel")
def cancel_own() -> Answer:
    return own_attempt(lambda: service().cancel_substitution(field("substitution"), person()), _("代办已撤销"))
