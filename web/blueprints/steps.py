"""A step of a case: fill in, check what follows, submit. No script, nothing typed is ever lost.

What the check page showed is signed and submitted as it was (`wire`), so that what counts is what was
confirmed, and a second click finds the same content under the same key even when the case has moved on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from siquan.core.errors import Refused, SiquanError, Stale
from siquan.core.views import ActResult, Preview
from siquan.web.blueprints.cases import correctable, done, problems
from siquan.web.catalogue import gettext as _
from siquan.web.postings import Posted, new_key, read, shown
from siquan.web.visitor import lang, person, service

bp = Blueprint("steps", __name__)

Answer = str | Response | tuple[str, int]

#: Blocks that no answer in the form can lift: the form is not shown then.
HARD = frozenset({"role", "person", "state", "nobody"})


def signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="siquan.step")


def seal(case_id: str, name: str, posted: Posted) -> str:
    return str(signer().dumps([person(), case_id, name, posted.facts]))


def unseal(case_id: str, name: str, sealed: str) -> dict[str, Any] | None:
    """The facts that were checked, None unless this person checked them for this very step."""
    try:
        who, case, step, facts = signer().loads(sealed)
    except (BadSignature, ValueError, TypeError):
        return None
    return dict(facts) if (who, case, step) == (person(), case_id, name) else None


@bp.route("/cases/<case_id>/steps/<name>", methods=["GET", "POST"])
def step(case_id: str, name: str) -> Answer:
    if request.method == "GET":
        preview = service().form(case_id, name, person(), None, lang())
        posted = Posted(revision=preview.case.revision, key=new_key())
        if preview.fields or any(b.kind in HARD for b in preview.blocks):
            return fill(preview, posted)
        return check(service().form(case_id, name, person(), {}, lang()), posted)

    what = request.form.get("step", "check")
    tried: ActResult | SiquanError | None = None
    sealed = unseal(case_id, name, request.form.get("wire", "")) if what == "submit" else None
    if sealed is not None:
        carried = replace(read(request.form, ()), facts=sealed)
        if not missing_words(request.form.get("asked", ""), carried):
            tried = attempt(case_id, name, carried)
            if isinstance(tried, ActResult):
                return finish(case_id, tried)

    blank = service().form(case_id, name, person(), None, lang())
    posted = read(request.form, blank.fields)
    preview = service().form(case_id, name, person(), posted.facts, lang(), seen_revision=posted.revision)
    preview = replace(preview, fields=shown(preview.fields, posted))
    if what in ("edit", "more"):
        return fill(preview, posted)
    wrong = words_wrong(preview, posted)
    if wrong or any(f.error for f in preview.fields):
        return fill(preview, posted, wrong=wrong), 422
    if what != "submit":
        return check(preview, posted)

    outcome = tried if tried is not None else attempt(case_id, name, posted)
    if isinstance(outcome, ActResult):
        return finish(case_id, outcome)
    # Nothing was written, so a fresh key is safe; an old one may belong to other content.
    again = replace(posted, revision=preview.case.revision, key=new_key())
    if isinstance(outcome, Stale):
        return check(preview, again, stale=outcome.text(lang())), 409
    if isinstance(outcome, Refused):
        return check(preview, again, refused=outcome.text(lang())), 422
    return fill(preview, again, problems=problems(outcome)), 422


def attempt(case_id: str, name: str, posted: Posted) -> ActResult | SiquanError:
    """The act, or the error that the person can do something about."""
    try:
        return service().act(
            case_id,
            name,
            person(),
            facts=posted.facts,
            opinion=posted.opinion,
            reason=posted.reason,
            revision=posted.revision,
            key=posted.key or None,
        )
    except SiquanError as error:
        if isinstance(error, Stale) or correctable(error):
            return error
        raise


def missing_words(asked: str, posted: Posted) -> bool:
    return ("o" in asked and not posted.opinion) or ("r" in asked and not posted.reason)


def words_wrong(preview: Preview, posted: Posted) -> dict[str, str]:
    """What is wrong with reason and opinion, by field name."""
    wrong: dict[str, str] = {}
    if preview.step.reasons and not posted.reason:
        wrong["reason"] = _("请选一个理由")
    if preview.step.opinion == "required" and not posted.opinion:
        wrong["opinion"] = _("请写明意见")
    return wrong


def fill(
    preview: Preview, posted: Posted, wrong: dict[str, str] | None = None, problems: tuple[str, ...] = ()
) -> str:
    hard = [b for b in preview.blocks if b.kind in HARD]
    return render_template(
        "step.html", preview=preview, case=preview.case, step=preview.step, posted=posted, wrong=wrong or {},
        problems=problems, hard=hard,
    )  # fmt: skip


def check(preview: Preview, posted: Posted, stale: str = "", refused: str = "") -> str:
    asked = ("o" if preview.step.opinion == "required" else "") + ("r" if preview.step.reasons else "")
    return render_template(
        "step_check.html", preview=preview, case=preview.case, step=preview.step, posted=posted, stale=stale,
        refused=refused, asked=asked, wire=seal(preview.case.id, preview.step.name, posted),
    )  # fmt: skip


def finish(case_id: str, result: ActResult) -> Response:
    done(
        _("已提交。"),
        _("现在是“%(state)s”。", state=result.state_title),
        result.decision.outcome if result.decision else "PASS",
        decision=result.decision_id,
        repeated=result.repeated,
    )
    return redirect(url_for("cases.case", case_id=case_id))
