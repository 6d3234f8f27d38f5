"""Signing in and out, the account page, language and theme."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, session, url_for
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from siquan.core.errors import BadInput, SiquanError
from siquan.web.catalogue import LANGUAGES
from siquan.web.catalogue import gettext as _
from siquan.web.safety import local_path
from siquan.web.visitor import THEMES, Visitor, lang, person, service

bp = Blueprint("auth", __name__)

Answer = str | Response | tuple[str, int]
SIGN_IN_RATE = "10 per minute"


def limit_sign_in(app: Flask) -> None:
    """Only failed sign-ins are counted: guessing pays nowhere else, and a whole office may sit behind one address."""
    limiter = Limiter(get_remote_address, app=app, storage_uri=app.config["RATELIMIT_STORAGE_URI"])
    failures = limiter.limit(SIGN_IN_RATE, methods=["POST"], deduct_when=lambda answer: answer.status_code != 302)
    app.view_functions["auth.sign_in"] = failures(sign_in)


@bp.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Answer:
    back = local_path(request.values.get("next", ""))
    if current_user.is_authenticated:
        return redirect(back or url_for("inbox.inbox"))
    if request.method == "GET":
        return sign_in_page(back)
    login = request.form.get("login", "").strip()
    try:
        account = service().authenticate(login, request.form.get("password", ""), request.remote_addr or "")
    except SiquanError as error:
        # One sentence for a wrong name and a wrong password: a stranger learns nothing from it.
        return sign_in_page(back, login, error.text(lang())), 422
    picked = {k: session[k] for k in ("lang", "theme") if k in session}
    session.clear()
    login_user(Visitor(account))
    session.permanent = True
    if picked:
        service().set_preference(account.person, **picked)
    return redirect(back or url_for("inbox.inbox"))


def sign_in_page(back: str, login: str = "", error: str = "") -> str:
    return render_template(
        "sign_in.html", back=back, login=login, error=error, accounts=current_app.extensions["siquan_demo"]
    )


@bp.post("/sign-out")
def sign_out() -> Answer:
    logout_user()
    session.clear()
    return redirect(url_for("auth.sign_in"))


@bp.get("/me")
def me_page() -> Answer:
    return render_template("me.html", administers=service().may_administer(person()))


@bp.post("/preference")
def preference() -> Answer:
    """Language or theme: kept with the account on the server, or in the session of a stranger."""
    chosen: dict[str, Any] = {}
    if request.form.get("lang") in LANGUAGES:
        chosen["lang"] = request.form["lang"]
    if request.form.get("theme") in THEMES:
        chosen["theme"] = request.form["theme"]
    if chosen and current_user.is_authenticated:
        service().set_preference(person(), **chosen)
    else:
        session.update(chosen)
    return redirect(local_path(request.form.get("back", "")) or url_for("inbox.inbox"))


@bp.route("/me/password", methods=["GET", "POST"])
def password() -> Answer:
    if request.method == "GET":
        return render_template("password.html", errors={})
    old, new = request.form.get("old", ""), request.form.get("new", "")
    errors: dict[str, str] = {}
    if new != request.form.get("again", ""):
        errors["again"] = _("两次填写的新密码不一样")
    if not errors:
        try:
            service().change_password(person(), old, new)
        except SiquanError as error:
            # The service knows what makes a good password; anything else is about the old one.
            errors["new" if isinstance(error, BadInput) else "old"] = error.text(lang())
    if errors:
        return render_template("password.html", errors=errors), 422
    flash({"o": "PASS", "title": _("密码已修改")})  # type: ignore[arg-type]
    return redirect(url_for("auth.me_page"))
