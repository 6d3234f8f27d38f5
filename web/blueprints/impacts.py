"""What a draft would have changed: the run over every recorded decision and open case, its flow, who flips why, and each flip by itself."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, make_response, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from siquan.core.policy.views import RuleSetPage
from siquan.web.blueprints.cases import done
from siquan.web.blueprints.rules import KINDS
from siquan.web.catalogue import gettext as _
from siquan.web.figures import sankey
from siquan.web.safety import scripted
from siquan.web.visitor import lang, person, service

bp = Blueprint("impacts", __name__, url_prefix="/drafts/<version_id>")

RUNNING = ("queued", "running")


def values_named(page: RuleSetPage) -> dict[str, str]:
    """The values a table can give, by code: what people call them."""
    return {code: title or code for column in page.columns if column.side == "out" for code, title in column.options}


@bp.get("/impact")
def impact(version_id: str) -> Response:
    given = request.args
    number = given.get("page", "1")
    view = service().impact(
        version_id,
        person(),
        lang(),
        rule=given.get("rule", "")[:200],
        before=given.get("before", "")[:200],
        after=given.get("after", "")[:200],
        open_only=given.get("open") == "1",
        page=max(1, int(number)) if number.isdecimal() and len(number) < 7 else 1,
    )
    html = render_template(
        "rules/impact.html", view=view, draft=view.draft, page=view.draft.page, card=view.card, flow=sankey(view.flows),
        running=view.card.status in RUNNING, named=values_named(view.draft.page), filtered=bool(view.rule or view.before or view.after or view.open_only),
    )  # fmt: skip
    return scripted(make_response(html))


@bp.get("/impact/<which>")
def flip(version_id: str, which: str) -> str:
    """One recorded decision or open case beside what the draft would decide."""
    return render_template("rules/flip.html", view=service().flip(version_id, which, person(), lang()))


@bp.post("/impact/start")
def start(version_id: str) -> Response:
    service().start_impact(version_id, person())
    return redirect(url_for("impacts.impact", version_id=version_id))


@bp.post("/impact/cancel")
def cancel(version_id: str) -> Response:
    service().cancel_impact(version_id, person())
    done(_("已停下。算到一半的结果不作数。"), outcome="WARN")
    return redirect(url_for("impacts.impact", version_id=version_id))


@bp.get("/impact.xlsx")
def sheet(version_id: str) -> Response:
    name, data = service().impact_file(version_id, person())
    return send_file(BytesIO(data), mimetype=KINDS["xlsx"], as_attachment=True, download_name=name)
