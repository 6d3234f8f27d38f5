"""One act on the cases that were ticked in the inbox, and what became of each."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from siquan.core.errors import SiquanError
from siquan.web.blueprints.cases import correctable, problems
from siquan.web.catalogue import gettext as _
from siquan.web.postings import new_key
from siquan.web.visitor import lang, person, service

bp = Blueprint("bulk", __name__)

Answer = str | Response | tuple[str, int]
MOST = 200


@bp.get("/bulk")
def choose() -> str:
    return show(request.args.getlist("case")[:MOST])


def show(cases: list[str], chosen: str = "", opinion: str = "", wrong: tuple[str, ...] = ()) -> str:
    form = service().bulk_form(cases, person(), lang())
    return render_template("bulk.html", form=form, key=new_key(), chosen=chosen, opinion=opinion, problems=wrong)


@bp.post("/bulk")
def act() -> Answer:
    given = request.form
    revisions = dict(zip(given.getlist("case"), given.getlist("revision"), strict=False))
    cases = [(c, int(r) if r.isdecimal() and len(r) < 10 else None) for c, r in revisions.items()][:MOST]
    action, opinion, key = given.get("action", ""), given.get("opinion", "").strip(), given.get("key", "")[:64]
    reason = given.get(f"reason.{action}", "")
    try:
        if not action:
            return show([c for c, _r in cases], "", opinion, (_("请选一个要办的动作"),)), 422
        service().bulk(cases, action, person(), key, reason=reason, opinion=opinion, result="agree" if action == "sign" else "")
    except SiquanError as error:
        if not correctable(error):
            raise
        return show([c for c, _r in cases], action, opinion, problems(error)), 422
    return redirect(url_for("bulk.result", key=key))


@bp.get("/bulk/<key>")
def result(key: str) -> str:
    return render_template("bulk_result.html", result=service().bulk_result(key, person()))
