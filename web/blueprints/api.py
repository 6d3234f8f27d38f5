"""The same calls as JSON below `/api/v1`. Signed in by session; a POST carries the token in `X-CSRFToken`."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask_wtf.csrf import generate_csrf

from siquan.core.errors import BadInput
from siquan.core.views import ActResult
from siquan.web.blueprints.inbox import TABS
from siquan.web.catalogue import gettext as _
from siquan.web.visitor import lang, person, service

bp = Blueprint("api", __name__, url_prefix="/api/v1")


def plain(value: Any) -> Any:
    """A view as JSON can hold it: dates as ISO text, exact numbers as text when they are not whole."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, Decimal | Fraction):
        return int(value) if value == int(value) else str(value)
    if value is None or isinstance(value, str | int | bool | float):
        return value
    return str(value)


def body() -> dict[str, Any]:
    given = request.get_json(silent=True)
    if not isinstance(given, dict):
        raise BadInput(why=_("请求正文须是一个 JSON 对象"))
    return given


def field(given: dict[str, Any], name: str, kind: type | tuple[type, ...], default: Any = None) -> Any:
    """A member of the body, of the right type; required when there is no default."""
    value = given.get(name, default)
    if value is None and default is None and name not in given:
        raise BadInput(why=_("缺少 `%(name)s`", name=name))
    if value is not None and not isinstance(value, kind):
        raise BadInput(why=_("`%(name)s` 的类型不对", name=name))
    return value


def answer(result: ActResult, status: int = 200) -> tuple[Response, int]:
    out = plain(dataclasses.replace(result, decision=None))
    out["decision"] = result.decision.contract() if result.decision else None
    return jsonify(out), 200 if result.repeated else status


@bp.get("/me")
def me() -> Response:
    """Who is signed in, and the token for POSTs."""
    return jsonify(person=person(), csrf_token=generate_csrf())


@bp.get("/cases")
def cases() -> Response:
    given = request.args
    tab = given.get("tab", "mine")
    page = given.get("page", "1")
    if tab not in TABS or not page.isdecimal() or len(page) > 5:
        raise BadInput(why=_("`tab` 或 `page` 不对"))
    view = service().inbox(
        person(),
        tab=tab,
        process=given.get("process", ""),
        place=given.get("place", ""),
        due=given.get("due", ""),
        q=given.get("q", ""),
        page=max(1, int(page)),
    )
    return jsonify(plain(view))


@bp.post("/cases")
def open_case() -> tuple[Response, int]:
    given = body()
    return answer(
        service().open_case(
            field(given, "process", str),
            person(),
            place=field(given, "place", str, "") or None,
            facts=field(given, "facts", dict, {}),
            key=field(given, "key", str, "") or None,
        ),
        201,
    )


@bp.get("/cases/<case_id>")
def case(case_id: str) -> Response:
    return jsonify(plain(service().case(case_id, person(), lang())))


@bp.post("/cases/<case_id>/acts")
def act(case_id: str) -> tuple[Response, int]:
    given = body()
    return answer(
        service().act(
            case_id,
            field(given, "transition", str),
            person(),
            facts=field(given, "facts", dict, {}),
            opinion=field(given, "opinion", str, ""),
            reason=field(given, "reason", str, ""),
            revision=field(given, "revision", int, 0) or None,
            key=field(given, "key", str, "") or None,
        ),
        201,
    )


def texts(given: dict[str, Any], name: str) -> list[str]:
    """A list of texts in the body; none when it is not there."""
    found = field(given, name, list, [])
    if not all(isinstance(x, str) for x in found):
        raise BadInput(why=_("`%(name)s` 的类型不对", name=name))
    return list(found)


@bp.post("/cases/<case_id>/verbs")
def verb(case_id: str) -> tuple[Response, int]:
    """What is no step: return, take_back, suspend, resume, reopen, merge, split, derive, urge, copy, follow ..."""
    given = body()
    return answer(
        service().verb(
            case_id,
            field(given, "verb", str),
            person(),
            to=field(given, "to", str, ""),
            reason=field(given, "reason", str, ""),
            opinion=field(given, "opinion", str, ""),
            others=texts(given, "others"),
            facts=texts(given, "facts"),
            title=field(given, "title", str, ""),
            task=field(given, "task", str, ""),
            result=field(given, "result", str, ""),
            before=field(given, "before", bool, False),
            revision=field(given, "revision", int, 0) or None,
            key=field(given, "key", str, "") or None,
        ),
        201,
    )


@bp.post("/bulk")
def bulk() -> Response:
    """One step or verb on many cases; a result for each."""
    given = body()
    found = service().bulk(
        [(case, None) for case in texts(given, "cases")],
        field(given, "action", str),
        person(),
        field(given, "key", str),
        facts=field(given, "facts", dict, {}),
        reason=field(given, "reason", str, ""),
        opinion=field(given, "opinion", str, ""),
        result=field(given, "result", str, ""),
    )
    return jsonify(plain(found))


@bp.get("/notices")
def notices() -> Response:
    rows, total = service().notices(person(), lang())
    return jsonify(notices=plain(rows), total=total)


@bp.post("/notices/read")
def read_notices() -> Response:
    """One notice as read, or all."""
    return jsonify(read=service().mark_read(person(), field(body(), "notice", str, "")))


@bp.get("/decisions/<decision_id>")
def decision(decision_id: str) -> Response:
    view = service().decision(decision_id, person(), lang())
    return jsonify(**plain(dataclasses.replace(view, facts=())), contract=view.decision.contract())


@bp.get("/rules")
def rules() -> Response:
    return jsonify(rules=plain(service().rule_sets(person(), lang())))


@bp.get("/rules/<ruleset_id>")
def rule_set(ruleset_id: str) -> Response:
    on = day_of(request.args.get("on", ""))
    return jsonify(plain(service().rule_set(ruleset_id, person(), lang(), on, request.args.get("version", ""))))


@bp.get("/drafts/<version_id>")
def draft(version_id: str) -> Response:
    """A draft with its proof, its gates and what differs from the version it was made from."""
    return jsonify(plain(service().draft(version_id, person(), lang())))


@bp.get("/drafts/<version_id>/impact")
def impact(version_id: str) -> Response:
    view = service().impact(version_id, person(), lang())
    return jsonify({k: v for k, v in plain(view).items() if k != "draft"})


def day_of(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput(why=_("`%(name)s` 的类型不对", name="on")) from None


@bp.post("/decide")
def decide() -> Response:
    """A trial decision: nothing is written, no case is needed."""
    given = body()
    on = day_of(field(given, "on", str, ""))
    found = service().decide(
        field(given, "ruleset", str),
        field(given, "facts", dict, {}),
        on,
        field(given, "place", str, ""),
        {str(k): str(v) for k, v in field(given, "set", dict, {}).items()},
        lang(),
    )
    return jsonify(plain(found.contract()))
