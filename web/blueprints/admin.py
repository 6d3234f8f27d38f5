"""Pages for those who look after the system: plugins, the portfolio of components, the health check."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template

from siquan.web import samples
from siquan.web.visitor import service

bp = Blueprint("admin", __name__)


@bp.get("/healthz")
def healthz() -> Response:
    """Answers when pages can be served. Says nothing a stranger should not know."""
    service().plugins()
    return jsonify(status="ok")


@bp.get("/-/plugins")
def plugins() -> str:
    return render_template("plugins.html", plugins=service().plugins())


@bp.get("/-/patterns")
def patterns() -> str:
    return render_template("patterns.html", s=samples)
