"""The to-do page: what is yours, what is due, and why the date is that date."""

from __future__ import annotations

import datetime as dt
from itertools import groupby

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from siquan.web.catalogue import gettext as _
from siquan.web.dates import day
from siquan.web.visitor import person, service

bp = Blueprint("inbox", __name__)

TABS = ("mine", "unit", "soon", "started", "done")
#: Rows of a page; the service uses the same number.
PAGE = 50


@bp.get("/")
def start() -> Response:
    return redirect(url_for("inbox.inbox"))


@bp.get("/inbox")
def inbox() -> str:
    tab = request.args.get("tab", "")
    tab = tab if tab in TABS else "mine"
    number = request.args.get("page", "1")
    page = max(1, int(number)) if number.isdecimal() and len(number) < 6 else 1
    filters = {k: request.args.get(k, "").strip()[:80] for k in ("process", "place", "due", "q")}
    view = service().inbox(person(), tab=tab, page=page, **filters)
    groups = [(key, list(rows)) for key, rows in groupby(view.rows, key=lambda row: row.group)]
    first = (page - 1) * PAGE + 1
    return render_template(
        "inbox.html",
        view=view,
        tab=tab,
        page=page,
        filters=filters,
        filtered=any(filters.values()),
        groups=groups,
        first=first,
        last=first + len(view.rows) - 1,
        more=len(view.rows) >= PAGE,
        next_due=next_due(view.next_due),
    )


def next_due(text: str) -> str:
    """The sentence for the empty page; a bare date becomes one."""
    try:
        when = dt.date.fromisoformat(text)
    except ValueError:
        return text
    return _("接下来到期的在 %(day)s。", day=day(when))
