"""The web application: `create_app` builds it around a service, `serve` runs it under waitress."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import secrets
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, g, jsonify, redirect, request, url_for
from flask_babel import Babel
from flask_bootstrap import Bootstrap5
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response as AnyResponse

from siquan.core.rules.say import show
from siquan.web import catalogue, dates, faults, safety, visitor
from siquan.web.blueprints import (
    accounts,
    admin,
    administration,
    api,
    auth,
    bulk,
    cases,
    children,
    decisions,
    drafts,
    impacts,
    inbox,
    notices,
    people,
    processes,
    releases,
    rules,
    sheets,
    steps,
    timekeeping,
    tryout,
    verbs,
    versions,
)
from siquan.web.catalogue import gettext as _
from siquan.web.demo import DemoAccount, demo
from siquan.web.door import Door
from siquan.web.postings import new_key

#: A source of the register in a citation.
_SOURCE = re.compile(r"\bS\d+[a-z]?\b")

#: What a stranger may open; everything else asks for a sign-in first, new pages included.
PUBLIC = frozenset({"auth.sign_in", "auth.preference", "admin.healthz", "static", "bootstrap.static"})
#: What may be opened with a password that must be changed first.
BEFORE_CHANGE = PUBLIC | {"auth.password", "auth.sign_out"}


def create_app(
    service: Door,
    *,
    secret_key: str,
    instance_path: str | Path,
    secure: bool = False,
    demo_accounts: Sequence[Any] = (),
) -> Flask:
    """A Flask application over `service`.

    `instance_path` is always given: `siquan` is a namespace package, in which Flask cannot find one.
    `secure` keeps the session cookie to https. `demo_accounts` are shown, with passwords, at the sign-in.
    """
    app = Flask(__name__, instance_path=str(Path(instance_path).resolve()))
    app.config.update(
        SECRET_KEY=secret_key,
        SESSION_COOKIE_NAME="siquan",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        PERMANENT_SESSION_LIFETIME=dt.timedelta(hours=12),
        # A form may lie open for a day; the token still belongs to this session only.
        WTF_CSRF_TIME_LIMIT=None,
        BOOTSTRAP_SERVE_LOCAL=True,
        BABEL_DEFAULT_LOCALE="zh_CN",
        RATELIMIT_STORAGE_URI="memory://",
        SEND_FILE_MAX_AGE_DEFAULT=dt.timedelta(days=7),
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    safety.limit(app)
    app.extensions["siquan"] = service
    app.extensions["siquan_demo"] = tuple(demo(a) for a in demo_accounts)

    login = LoginManager(app)
    login.session_protection = "basic"
    login.user_loader(load_visitor)
    # The language is chosen before the check of the token: its refusal has to be readable too.
    app.before_request(visitor.choose)
    app.before_request(guard)
    CSRFProtect(app)
    Babel(app, locale_selector=lambda: "zh_CN" if visitor.lang() == "zh" else "en")
    Bootstrap5(app)
    app.after_request(safety.headers)
    faults.register(app)
    for module in (
        *(auth, inbox, processes, cases, steps, children, sheets, decisions, admin, api),
        *(rules, drafts, impacts, releases),
        *(versions, administration),
        *(people, timekeeping, accounts),
        *(verbs, notices, bulk),
        *(tryout,),
    ):  # fmt: skip
        app.register_blueprint(module.bp)
    auth.limit_sign_in(app)
    app.extensions["siquan_sources"] = service.sources()
    equip_templates(app)
    return app


def load_visitor(person_id: str) -> visitor.Visitor | None:
    account = visitor.service().account(person_id)
    return visitor.Visitor(account) if account else None


def guard() -> AnyResponse | None:
    """Nobody comes past this without an account; a page that is not there may be said to strangers, too."""
    endpoint = request.endpoint
    if endpoint is None or endpoint in PUBLIC:
        return None
    if not current_user.is_authenticated:
        if request.path.startswith("/api/"):
            return_json: Response = jsonify(error="HTTP401", message=_("请先登录"))
            return_json.status_code = 401
            return return_json
        back = request.full_path.rstrip("?") if request.method == "GET" else ""
        return redirect(url_for("auth.sign_in", next=back or None))
    if current_user.account.must_change and endpoint not in BEFORE_CHANGE:
        return redirect(url_for("auth.password"))
    return None


@cache
def fingerprint(file: Path, stamp: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:10]


def equip_templates(app: Flask) -> None:
    """Words, dates and small helpers for the templates."""
    static = Path(str(app.static_folder))

    def asset(name: str) -> str:
        """Address of a static file with its fingerprint, so that browsers may keep it."""
        file = static / name
        return url_for("static", filename=name, v=fingerprint(file, file.stat().st_mtime_ns))

    def here(**changes: Any) -> str:
        """This page with some of its query changed; an empty value drops it."""
        query = {**request.args.to_dict(), **{k: str(v) for k, v in changes.items()}}
        query = {k: v for k, v in query.items() if v}
        return request.path + ("?" + urlencode(query) if query else "")

    def cite(text: str) -> str:
        """`S9 20` with the source in words; the register of sources is the plugins' own."""
        sources = app.extensions["siquan_sources"]
        return _SOURCE.sub(lambda found: sources.get(found.group(), found.group()), text or "")

    app.jinja_env.filters["cite"] = cite
    app.jinja_env.filters["shown"] = lambda value: show(value, visitor.lang())
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        _=catalogue.gettext, asset=asset, here=here, new_key=new_key, languages=catalogue.LANGUAGES
    )
    app.jinja_env.filters.update(day=dates.day, moment=dates.moment, longday=dates.long_day, weekday=dates.weekday)

    @app.context_processor
    def frame() -> dict[str, Any]:
        return {
            "me": visitor.account(),
            "lang": visitor.lang(),
            "theme": getattr(g, "theme", "light"),
            "today": dates.now().date(),
            "demo": bool(app.extensions["siquan_demo"]),
        }


def secret(folder: Path) -> str:
    """The key that signs sessions: made once, kept beside the data, for the owner only."""
    file = folder / "secret_key"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(secrets.token_hex(32))
    return file.read_text(encoding="ascii").strip()


def serve(
    service: Door,
    host: str = "127.0.0.1",
    port: int = 8000,
    threads: int = 8,
    demo_accounts: Sequence[Any] = (),
    *,
    instance_path: str | Path = "var",
    secret_key: str = "",
    secure: bool = False,
) -> None:
    """Run until interrupted. waitress refuses bodies far over our own limit before they fill the disk."""
    from waitress import serve as run  # type: ignore[import-untyped]

    folder = Path(instance_path).resolve()
    app = create_app(
        service,
        secret_key=secret_key or secret(folder),
        instance_path=folder,
        secure=secure,
        demo_accounts=demo_accounts,
    )
    most = 4 * safety.UPLOAD_LIMIT
    run(app, host=host, port=port, threads=threads, max_request_body_size=most, ident="siquan")


__all__ = ["DemoAccount", "create_app", "serve"]
