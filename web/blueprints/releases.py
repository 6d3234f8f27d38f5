"""A draft on its way to force: submitted, taken back, signed by others, published, withdrawn; open cases moved one by one."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from siquan.core.errors import SiquanError
from siquan.web.blueprints.cases import correctable, done, problems
from siquan.web.blueprints.drafts import attempt, parsed_day, revision, show
from siquan.web.catalogue import gettext as _
from siquan.web.dates import day
from siquan.web.safety import local_path
from siquan.web.visitor import lang, person, service

bp = Blueprint("releases", __name__)

Answer = str | AnyResponse | tuple[str, int]


def typed(*names: str) -> dict[str, str]:
    return {n: request.form.get(n, "").strip()[:2000] for n in names}


def wrong(version_id: str, text: str, form: dict[str, str]) -> Response:
    return show(service().draft(version_id, person(), lang()), 422, problems=(text,), form=form)


def page_of(version_id: str) -> Response:
    return redirect(url_for("drafts.draft", version_id=version_id, tab="history"))  # type: ignore[return-value]


@bp.post("/drafts/<version_id>/submit")
def submit(version_id: str) -> Answer:
    form = typed("effective", "reason")
    effective = parsed_day("effective")
    if effective is None:
        return wrong(version_id, _("请填生效日期，例如 2027-01-01"), form)
    if not form["reason"]:
        return wrong(version_id, _("请写明为什么改"), form)
    seen = revision()
    result = attempt(version_id, lambda: service().submit_draft(version_id, person(), effective, form["reason"], seen), form)
    if isinstance(result, Response):
        return result
    done(_("已送审。"), _("草稿已锁定；批准并公布以后，自 %(day)s 起生效。", day=day(effective)))
    return page_of(version_id)


@bp.post("/drafts/<version_id>/recall")
def recall(version_id: str) -> Answer:
    """The author goes on writing what was sent for review and not yet approved."""
    result = attempt(version_id, lambda: service().recall_draft(version_id, person()))
    if isinstance(result, Response):
        return result
    done(_("已撤回送审。"), _("草稿又可以改了；改好以后再送审。"), "WARN")
    return redirect(url_for("drafts.draft", version_id=version_id))


@bp.post("/drafts/<version_id>/sign")
def sign(version_id: str) -> Answer:
    form = typed("approve", "opinion")
    if form["approve"] not in ("yes", "no"):
        return wrong(version_id, _("请选“同意”或“退回”"), form)
    approve = form["approve"] == "yes"
    if not approve and not form["opinion"]:
        return wrong(version_id, _("退回须写明意见"), form)
    result = attempt(version_id, lambda: service().sign_draft(version_id, person(), approve, form["opinion"]), form)
    if isinstance(result, Response):
        return result
    if approve:
        done(_("已签署同意。"), _("签够以后还要有人按“公布”，到了生效日期才自动起用。"))
    else:
        done(_("已退回起草人。"), outcome="WARN")
    return page_of(version_id)


@bp.post("/drafts/<version_id>/publish")
def publish(version_id: str) -> Answer:
    result = attempt(version_id, lambda: service().publish_draft(version_id, person()))
    if isinstance(result, Response):
        return result
    done(_("已公布。"), _("到了生效日期，判定自动按新版本；在办事项仍按原来的版本办完，除非逐件迁移。"))
    return page_of(version_id)


@bp.post("/drafts/<version_id>/withdraw")
def withdraw(version_id: str) -> Answer:
    form = typed("why")
    if not form["why"]:
        return wrong(version_id, _("请写明为什么撤回"), form)
    result = attempt(version_id, lambda: service().withdraw_version(version_id, person(), form["why"]), form)
    if isinstance(result, Response):
        return result
    done(_("已撤回。"), outcome="WARN")
    return page_of(version_id)


@bp.post("/cases/<case_id>/migrate")
def migrate(case_id: str) -> Answer:
    """One open case to another version of its rules, with a reason that stands in its history."""
    version, reason = request.form.get("version", "")[:200], request.form.get("reason", "").strip()[:2000]
    back = local_path(request.form.get("back", "")) or url_for("cases.case", case_id=case_id)
    if not reason:
        done(_("没有迁移：请写明为什么这件事改按新版本办。"), outcome="REJECT")
        return redirect(back)
    try:
        service().migrate_case(case_id, version, person(), reason)
    except SiquanError as error:
        if not correctable(error):
            raise
        done(_("没有迁移。"), _("；").join(problems(error))[:400], "REJECT")
        return redirect(back)
    done(_("已迁移。"), _("这件事从现在起按新版本办，理由已写入经过。"))
    return redirect(back)
