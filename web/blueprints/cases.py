"""A case: where it stands, what comes next and why not; facts supplied later; recusal."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from siquan.core.errors import Errors, SiquanError, Stale
from siquan.web.catalogue import gettext as _
from siquan.web.postings import Posted, new_key, read, shown
from siquan.web.visitor import lang, person, service

bp = Blueprint("cases", __name__)

Answer = str | Response | tuple[str, int]


@bp.get("/cases/<case_id>")
def case(case_id: str) -> Answer:
    view = service().case(case_id, person(), lang())
    steps = sorted((s for s in view.steps if not s.verb), key=lambda s: not s.allowed)  # what you can do stands first
    return render_template("case.html", case=view, steps=steps, log=request.args.get("log", ""))


@bp.route("/cases/<case_id>/facts", methods=["GET", "POST"])
def facts(case_id: str) -> Answer:
    """Supply facts without making a step."""
    blank = service().supply_form(case_id, person(), None, lang())
    if request.method == "GET":
        posted = Posted(revision=blank.case.revision, key=new_key())
        return render_template("facts.html", preview=blank, fields=blank.fields, posted=posted)
    posted = read(request.form, blank.fields)
    preview = service().supply_form(case_id, person(), posted.facts, lang())
    fields = shown(preview.fields, posted)
    if request.form.get("step") == "more":
        return render_template("facts.html", preview=preview, fields=fields, posted=posted)
    if any(f.error for f in fields):
        return render_template("facts.html", preview=preview, fields=fields, posted=posted), 422
    try:
        result = service().supply(case_id, person(), posted.facts, posted.revision, posted.key or None)
    except Stale as error:
        fresh = Posted(posted.facts, posted.raw, revision=preview.case.revision, key=new_key())
        return render_template(
            "facts.html", preview=preview, fields=fields, posted=fresh, stale=error.text(lang())
        ), 409
    except SiquanError as error:
        if not correctable(error):
            raise
        return render_template(
            "facts.html", preview=preview, fields=fields, posted=posted, problems=problems(error)
        ), 422
    done(_("已登记"), _("现在是“%(state)s”。", state=result.state_title))
    return redirect(url_for("cases.case", case_id=case_id))


@bp.route("/cases/<case_id>/recuse", methods=["GET", "POST"])
def recuse(case_id: str) -> Answer:
    view = service().case(case_id, person(), lang())
    if request.method == "GET":
        return render_template("recuse.html", case=view, reason="", key=new_key(), error="")
    reason = request.form.get("reason", "").strip()
    key = request.form.get("key", "")[:64]
    if not reason:
        error = _("请写明与谁有什么关系")
        return render_template("recuse.html", case=view, reason="", key=key, error=error), 422
    service().recuse(case_id, person(), reason, key or None)
    done(_("已登记回避"), _("你在这件事里不再能办理、确认或表决；别人会看到你已回避。"), "WARN")
    return redirect(url_for("cases.case", case_id=case_id))


def done(title: str, text: str = "", outcome: str = "PASS", **more: object) -> None:
    """A message for the next page: what happened, then what it means."""
    flash({"o": outcome, "title": title, "text": text, **more})  # type: ignore[arg-type]


def correctable(error: SiquanError) -> bool:
    """Whether the person can put it right in the same form; what they typed is shown again then."""
    return error.http in (400, 422)


def problems(error: SiquanError) -> tuple[str, ...]:
    """Each problem as a sentence with its way out."""
    each = list(error) if isinstance(error, Errors) else [error]
    return tuple(" ".join(t for t in (e.text(lang()), e.help(lang())) if t) for e in each)
