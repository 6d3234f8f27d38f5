"""Every error as a page of ours, or as JSON below `/api`; nobody ever sees a stack trace."""

from __future__ import annotations

import logging
import secrets
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from siquan.core.errors import Errors, SiquanError
from siquan.web.catalogue import gettext as _
from siquan.web.safety import local_path
from siquan.web.visitor import lang

log = logging.getLogger(__name__)

#: status -> (outcome colour, icon); the words are in `words` because they are translated per request.
LOOK = {
    403: ("BLOCK", "lock-fill"),
    404: ("NA", "question-circle"),
    409: ("WARN", "arrow-repeat"),
    413: ("WARN", "file-earmark-arrow-up"),
    422: ("REJECT", "exclamation-octagon-fill"),
    429: ("WARN", "hourglass-split"),
    500: ("REJECT", "exclamation-octagon-fill"),
}


def words(status: int) -> tuple[str, str]:
    """Title and the way on for a status."""
    return {
        400: (_("这个请求看不明白"), _("请从页面上的按钮重新操作一次。")),
        403: (_("你看不到这件事，或者不能这样做"), _("需要时请联系上一级经办人，由有权限的人办理。")),
        404: (_("没有找到"), _("地址可能抄错了，或者这件事已经不在了。")),
        405: (_("这个地址不能这样用"), _("请从页面上的按钮重新操作一次。")),
        409: (_("这件事在你填写时变了"), _("请回到事项，看看改了什么，再办一次。")),
        413: (_("文件太大"), _("一次最多上传 20 MB。可以拆成几个文件分别导入；什么都没有改变。")),
        422: (_("输入有误"), _("什么都没有改变，请改正后再试。")),
        429: (_("试得太频繁了"), _("请过一分钟再登录。忘记密码请找管理员。")),
        500: (_("系统出错了，不是你的问题"), _("什么都没有改变。请把下面的编号告诉管理员。")),
    }.get(status, (_("出错了"), ""))


def back() -> str:
    """The page people came from, when it is one of ours."""
    came = urlsplit(request.referrer or "")
    same = came.netloc == request.host and came.path != request.path
    return local_path(came.path + (f"?{came.query}" if came.query else "")) if same else ""


def page(
    status: int, detail: str = "", help: str = "", incident: str = "", items: tuple[str, ...] = ()
) -> Response:
    title, way = words(status)
    if request.path.startswith("/api/"):
        body: dict[str, Any] = {"error": f"HTTP{status}", "message": detail or title, "help": help or way}
        if incident:
            body["incident"] = incident
        return make_response(jsonify(body), status)
    colour, icon = LOOK.get(status, ("REJECT", "exclamation-octagon-fill"))
    html = render_template(
        "fault.html", status=status, title=title, way=help or way, detail=detail, colour=colour, icon=icon,
        incident=incident, items=items, back=back(),
    )  # fmt: skip
    return make_response(html, status)


def on_siquan(error: SiquanError) -> Response:
    if request.path.startswith("/api/"):
        return make_response(jsonify(error.to_json(lang())), error.http)
    items = tuple(e.text(lang()) for e in error) if isinstance(error, Errors) else ()
    return page(error.http, error.text(lang()), error.help(lang()), items=items)


def on_csrf(error: CSRFError) -> Response:
    return page(400, _("页面放得太久，或不是从本站打开的，所以没有提交。请刷新后再试。"))


def on_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400 and error.response is not None:
        return make_response(error.response)
    answer = page(status)
    if status == 405 and getattr(error, "valid_methods", None):
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
    return answer


def on_bug(error: Exception) -> Response:
    """Anything else is our fault: a number for the person, the trace for the log."""
    incident = secrets.token_hex(4)
    log.error("incident %s at %s %s", incident, request.method, request.path, exc_info=error)
    if not hasattr(g, "lang"):
        g.lang, g.theme = "zh", "light"
    return page(500, incident=incident)


def register(app: Flask) -> None:
    app.register_error_handler(CSRFError, on_csrf)
    app.register_error_handler(SiquanError, on_siquan)
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(Exception, on_bug)
