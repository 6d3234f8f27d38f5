"""The processes: what can be opened, how each runs, which rules are in force; opening a case."""

from __future__ import annotations

from itertools import groupby

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from siquan.core.errors import NoAccess, NotFound, SiquanError
from siquan.core.views import FieldView, ProcessCard
from siquan.web.blueprints.cases import correctable, done, problems
from siquan.web.catalogue import gettext as _
from siquan.web.postings import Posted, new_key, read, shown
from siquan.web.visitor import lang, person, service

bp = Blueprint("processes", __name__)

Answer = str | AnyResponse | tuple[str, int]


@bp.get("/processes")
def catalogue() -> str:
    cards = sorted(service().processes(person()), key=lambda c: (c.plugin, c.title))
    plugins = [(name, list(group)) for name, group in groupby(cards, key=lambda c: c.plugin)]
    titles = {str(p.get("name")): str(p.get("title") or p.get("name")) for p in service().plugins()}
    return render_template("processes.html", plugins=plugins, titles=titles)


@bp.get("/processes/<process_id>")
def process(process_id: str) -> str:
    view = service().process(process_id, person(), lang())
    by_step = [(step, list(rules)) for step, rules in groupby(view.rules, key=lambda r: r.step)]
    return render_template("process.html", view=view, by_step=by_step)


@bp.get("/processes/<process_id>.svg")
def picture(process_id: str) -> AnyResponse:
    return drawing(process_id, "svg", "image/svg+xml")


@bp.get("/processes/<process_id>.mmd")
def mermaid(process_id: str) -> AnyResponse:
    return drawing(process_id, "mermaid", "text/plain; charset=utf-8")


def drawing(process_id: str, kind: str, mimetype: str) -> AnyResponse:
    name, text = service().drawing(process_id, person(), kind, lang())
    return Response(text, content_type=mimetype, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@bp.route("/processes/<process_id>/open", methods=["GET", "POST"])
def start(process_id: str) -> Answer:
    # The card is enough and quick; the whole page of a process verifies its plugin.
    view = next((c for c in service().processes(person()) if c.id == process_id), None)
    if view is None:
        raise NotFound(kind=_("流程"), name=process_id)
    if not view.can_open:
        raise NoAccess(why=_("“%(title)s”须由其他岗位发起", title=view.title))
    blank = tuple(service().opening_form(process_id, person(), None, lang()))
    if request.method == "GET":
        posted = Posted(key=new_key())
        place = request.args.get("place", view.places[0][0] if len(view.places) == 1 else "")
        return opening(view, blank, posted, place)
    posted = read(request.form, blank)
    place = request.form.get("place", "")
    fields = shown(service().opening_form(process_id, person(), posted.facts, lang()), posted)
    wrong: dict[str, str] = {}
    if request.form.get("step") == "more":
        return opening(view, fields, posted, place)
    if view.places and place not in {p for p, _title in view.places}:
        wrong["place"] = _("请选一个地方")
    if wrong or any(f.error for f in fields):
        return opening(view, fields, posted, place, wrong), 422
    try:
        result = service().open_case(
            process_id, person(), place=place or None, facts=posted.facts, key=posted.key or None
        )
    except SiquanError as error:
        if not correctable(error):
            raise
        return opening(view, fields, posted, place, wrong, problems(error)), 422
    done(_("已发起 %(number)s。", number=result.number))
    return redirect(url_for("cases.case", case_id=result.case))


def opening(
    view: ProcessCard,
    fields: tuple[FieldView, ...],
    posted: Posted,
    place: str,
    wrong: dict[str, str] | None = None,
    problems: tuple[str, ...] = (),
) -> str:
    return render_template(
        "open.html", view=view, fields=fields, posted=posted, place=place, wrong=wrong or {},
        problems=problems,
    )  # fmt: skip
