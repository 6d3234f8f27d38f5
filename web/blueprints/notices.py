"""What one has been told and not read yet: the tab of the inbox."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from siquan.web.visitor import lang, person, service

bp = Blueprint("notices", __name__)

PAGE = 50


@bp.get("/inbox/unread")
def unread() -> str:
    number = request.args.get("page", "1")
    page = max(1, int(number)) if number.isdecimal() and len(number) < 6 else 1
    rows, total = service().notices(person(), lang(), page)
    counts = {**service().inbox(person()).counts, "unread": total}
    return render_template("notices.html", rows=rows, total=total, page=page, more=page * PAGE < total, counts=counts, tab="unread")


@bp.post("/inbox/unread")
def read() -> Response:
    """One notice as read, or all; with `open` its case is shown next."""
    notice, case = request.form.get("notice", ""), request.form.get("open", "")
    service().mark_read(person(), notice)
    return redirect(url_for("cases.case", case_id=case) if case else url_for("notices.unread"))
