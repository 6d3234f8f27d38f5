"""Time: what is overdue, one deadline day by day, the calendar and its publication."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from siquan.core.errors import SiquanError
from siquan.web.blueprints.cases import correctable, done, problems
from siquan.web.catalogue import gettext as _
from siquan.web.dates import now
from siquan.web.postings import new_key
from siquan.web.visitor import lang, person, service

bp = Blueprint("timekeeping", __name__)

Answer = str | Response | tuple[str, int]
#: rows of the form for stretches of days off; a notice has seven
STRETCHES = 12


@bp.get("/overdue")
def overdue() -> str:
    unit, process = (request.args.get(k, "").strip()[:100] for k in ("unit", "process"))
    view = service().overdue(person(), unit, process, lang())
    return render_template("overdue.html", view=view, unit=unit, process=process, lamp=request.args.get("lamp", ""))


@bp.get("/cases/<case_id>/deadlines/<deadline_id>")
def deadline(case_id: str, deadline_id: str) -> Answer:
    view = service().deadline(deadline_id, person(), lang())
    if view.case != case_id:
        return redirect(url_for("timekeeping.deadline", case_id=view.case, deadline_id=deadline_id))
    return render_template("deadline.html", d=view)


@bp.get("/calendar")
def calendar() -> str:
    year = request.args.get("year", "")
    view = service().calendar_year(int(year) if re.fullmatch(r"\d{4}", year, re.A) else None, person())
    return render_template("calendar.html", view=view, this=now().year)


@bp.get("/calendar/<int:year>/edit")
def edit(year: int) -> str:
    """What is published, else what the package `holidays` proposes; whoever may not publish is told so when he tries."""
    view = service().calendar_year(year, person())
    lines = [(n, a.isoformat(), b.isoformat()) for n, a, b in view.stretches]
    form = {"source": view.source, "lines": lines, "workdays": "\n".join(d.isoformat() for d in view.workdays)}
    proposal = ""
    if not view.published or request.args.get("proposed"):
        try:
            found = service().propose_year(year)
            form = {
                "source": "", "lines": [(x["name"], x["from"], x["to"]) for x in found["holidays"]],
                "workdays": "\n".join(found["workdays"]),
            }  # fmt: skip
            proposal = found["source"]
        except SiquanError as error:
            proposal = error.text(lang())
    return page(view, form, proposal=proposal)


def page(view: Any, form: dict[str, Any], **more: Any) -> str:
    lines = [*form["lines"], *[("", "", "")] * max(3, STRETCHES - len(form["lines"]))]
    return render_template("calendar_edit.html", view=view, form={**form, "lines": lines}, **more)


def posted() -> dict[str, Any]:
    columns = [request.form.getlist(k)[:60] for k in ("name", "from", "to")]
    lines = [tuple(x[:40] for x in row) for row in zip(*columns, strict=False)]
    return {"source": request.form.get("source", "")[:600], "lines": [x for x in lines if any(x)], "workdays": request.form.get("workdays", "")[:2000]}


@bp.post("/calendar/<int:year>/edit")
def publish(year: int) -> Answer:
    """First says which days change and which deadlines move, then, on the second button, publishes."""
    form, view = posted(), service().calendar_year(year, person())
    days = [w for w in re.split(r"[\s,，、;；]+", form["workdays"]) if w]
    lines = [{"name": n.strip(), "from": a.strip(), "to": b.strip() or a.strip()} for n, a, b in form["lines"]]
    data = {"year": year, "source": form["source"].strip(), "holidays": lines, "workdays": days}
    seen = request.form.get("version", "")
    version = int(seen) if seen.isdecimal() and len(seen) < 9 else None
    try:
        change = service().try_year(year, data, person(), version)
        if request.form.get("step") != "publish":
            return page(view, form, change=change, key=new_key())
        if version is None:
            return page(view, form, change=change, key=new_key()), 422
        key = request.form.get("key", "")[:64] or None
        number, moved = service().set_year(year, data, person(), version, key)
    except SiquanError as error:
        if not correctable(error) and error.http != 409:
            raise
        return page(view, form, problems=problems(error)), 422 if error.http != 409 else 409
    text = _("%(n)s 个在走的期限换了日子，都写进了各自的经过。", n=len(moved)) if moved else _("没有期限因此变动。")
    done(_("已公布 %(year)s 年放假安排，日历第 %(n)s 版。", year=year, n=number), text)
    return redirect(url_for("timekeeping.calendar", year=year))


