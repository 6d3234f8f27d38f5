"""The administrator's pages: what waits, incidents, stuck cases, the daily roots of the history; repair of one case."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from siquan.core.errors import NotFound, SiquanError
from siquan.web.blueprints.cases import correctable, done, problems
from siquan.web.catalogue import gettext as _
from siquan.web.postings import new_key
from siquan.web.visitor import lang, person, service

bp = Blueprint("administration", __name__)

Answer = str | Response | tuple[str, int]


@bp.get("/admin")
def desk() -> Answer:
    return render_template("admin/desk.html", desk=service().administration(person(), lang()))


@bp.get("/admin/stuck")
def stuck() -> Answer:
    found, total = service().stuck(person(), lang())
    return render_template("admin/stuck.html", cases=found, total=total)


@bp.get("/admin/incidents")
def incidents() -> Answer:
    status = "closed" if request.args.get("status") == "closed" else "open"
    number = request.args.get("page", "1")
    page = int(number) if number.isdigit() and len(number) < 6 else 1
    found = service().incidents(person(), status, page)
    return render_template("admin/incidents.html", incidents=found, status=status, page=page, wrong="", problems=())


@bp.post("/admin/incidents/<incident_id>/close")
def close(incident_id: str) -> Answer:
    try:
        service().close_incident(incident_id, person(), request.form.get("note", "")[:2000])
    except SiquanError as error:
        if not correctable(error):
            raise
        found = service().incidents(person(), "open", 1)
        page = render_template(
            "admin/incidents.html", incidents=found, status="open", page=1, wrong=incident_id, problems=problems(error)
        )
        return page, error.http
    done(_("已关闭这条异常。"), _("谁关的、怎么处理的，都记在它名下。"))
    return redirect(url_for("administration.incidents"))


@bp.get("/admin/roots")
def roots() -> Answer:
    return render_template("admin/roots.html", roots=service().roots(person(), 60))


@bp.get("/admin/roots/<day>")
def root(day: str) -> Answer:
    """A sheet to print and to keep outside the database."""
    try:
        when = dt.date.fromisoformat(day)
    except ValueError:
        raise NotFound(kind=_("日期"), name=day) from None
    return render_template("admin/root.html", root=service().root(person(), when))


# repair of one case


@bp.route("/cases/<case_id>/repair", methods=["GET", "POST"])
def repair(case_id: str) -> Answer:
    form = service().repair_form(case_id, person(), lang())
    to = request.form.get("to", "")[:200]
    reason = request.form.get("reason", "").strip()[:2000]
    reopen = request.form.get("reopen") == "1"
    if request.method == "GET":
        return render_template("admin/repair.html", form=form, to="", reason="", reopen=False, problems=(), key=new_key())
    try:
        service().propose_repair(case_id, person(), to, reason, reopen, None)
    except SiquanError as error:
        if not correctable(error) and error.http not in (404, 409):
            raise
        page = render_template(
            "admin/repair.html", form=form, to=to, reason=reason, reopen=reopen, problems=problems(error), key=new_key()
        )
        return page, 422
    done(_("已提出修复。"), _("事项还没有动；要另一个管理员在 7 天内确认。"))
    return redirect(url_for("administration.repair", case_id=case_id))


@bp.post("/cases/<case_id>/repair/confirm")
def carry_out(case_id: str) -> Answer:
    try:
        result = service().repair(
            case_id, person(), request.form.get("key", "")[:64] or None, request.form.get("repair", "")[:64]
        )
    except SiquanError as error:
        if not correctable(error) and error.http != 409:
            raise
        form = service().repair_form(case_id, person(), lang())
        page = render_template(
            "admin/repair.html", form=form, to="", reason="", reopen=False, problems=problems(error), key=new_key()
        )
        return page, error.http
    done(_("已修复。"), _("现在是“%(state)s”。", state=result.state_title))
    return redirect(url_for("administration.desk"))
