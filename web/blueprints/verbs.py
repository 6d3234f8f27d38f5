"""The verbs of a case: one small page each, with what follows in words before it is confirmed."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from siquan.core.errors import SiquanError, Stale
from siquan.core.views_verbs import VerbForm
from siquan.web.blueprints.cases import correctable, done, problems
from siquan.web.catalogue import gettext as _
from siquan.web.postings import Posted, new_key, read
from siquan.web.visitor import lang, person, service

bp = Blueprint("verbs", __name__)

Answer = str | Response | tuple[str, int]

#: Done by their button in the menu, with nothing to fill in.
QUIET = ("follow", "unfollow", "read")
#: verbs of a task that say who gets it
GIVING = ("transfer", "delegate", "dispatch", "add_signer")


@bp.route("/cases/<case_id>/verbs/<name>", methods=["GET", "POST"])
def verb(case_id: str, name: str) -> Answer:
    if request.method == "POST":
        return post(case_id, name)
    form = service().verb_form(case_id, name, person(), lang(), request.args.get("task", ""))
    return show(form, Posted(revision=form.case.revision, key=new_key()))


def post(case_id: str, name: str) -> Answer:
    posted = read(request.form, ())
    chosen = [v for v in request.form.getlist("choice") if v]
    if other := request.form.get("number", "").strip():
        chosen.append(other)
    one = chosen[0] if chosen else ""
    title = request.form.get("title", "").strip()
    task, helping = request.form.get("task", ""), request.form.getlist("helper")
    several = name in ("merge", "link", "unlink", "copy")
    try:
        result = service().verb(
            case_id,
            name,
            person(),
            to=one if name in ("return", "derive", *GIVING) else "",
            reason=posted.reason,
            opinion=posted.opinion,
            others=chosen if several else helping,
            facts=chosen if name == "split" else (),
            title=title,
            task=task,
            result=one if name == "sign" else "",
            before=bool(request.form.get("before")),
            revision=posted.revision if name not in QUIET else None,
            key=posted.key or None,
        )
    except SiquanError as error:
        if not (isinstance(error, Stale) or correctable(error)) or name in QUIET:
            raise
        form = service().verb_form(case_id, name, person(), lang(), task)
        again = Posted(opinion=posted.opinion, reason=posted.reason, revision=form.case.revision, key=new_key())
        status = 409 if isinstance(error, Stale) else 422
        return show(form, again, chosen, title, problems(error), helping), status
    done(said(name, result.number, result.state_title), repeated=result.repeated)
    return redirect(url_for("cases.case", case_id=result.case))


def said(name: str, number: str, state: str) -> str:
    """What was done, in a sentence."""
    return {
        "claim": _("已签收，由你承办。"),
        "release": _("已退回待领。"),
        "transfer": _("已转办。"),
        "delegate": _("已委派，等他交回。"),
        "hand_back": _("已交回。"),
        "recall": _("已收回，由你接着办。"),
        "dispatch": _("已派单。"),
        "decline": _("已退单。"),
        "assist_done": _("你的协办已办完。"),
        "add_signer": _("已加签。"),
        "remove_signer": _("已减签。"),
        "sign": _("已签署，现在是“%(state)s”。", state=state),
        "return": _("已驳回，现在是“%(state)s”。", state=state),
        "take_back": _("已拿回，现在是“%(state)s”。", state=state),
        "suspend": _("已挂起。"),
        "resume": _("已恢复办理，期限已顺延。"),
        "reopen": _("已重新办理，现在是“%(state)s”。", state=state),
        "merge": _("已并单。"),
        "unmerge": _("已取消并单。"),
        "split": _("已拆出新事项 %(number)s。", number=number),
        "derive": _("已转建新事项 %(number)s。", number=number),
        "urge": _("已催办。"),
        "copy": _("已抄送。"),
        "follow": _("已关注；别人每办一步，你都会收到通知。"),
        "unfollow": _("已取消关注。"),
        "read": _("已登记为已阅。"),
    }.get(name, _("已提交。"))


def show(form: VerbForm, posted: Posted, chosen: list[str] | None = None, title: str = "", wrong: tuple[str, ...] = (), helping: Sequence[str] = ()) -> str:
    return render_template(
        "verb.html", form=form, case=form.case, verb=form.verb, posted=posted, chosen=chosen or [], title=title, problems=wrong, helping=helping
    )
