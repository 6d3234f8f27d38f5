"""Limits and headers of every answer. No page needs a script; two may use the one we ship, all others none."""

from __future__ import annotations

from flask import Flask, Response, request

#: Bootstrap draws arrows and ticks as data: images from its style sheet; everything else comes from here.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'none'",
        "style-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
#: For the rule editor and the impact of a draft: the same pages, refreshed in place.
SCRIPTED = POLICY.replace("script-src 'none'", "script-src 'self'")
UPLOAD_LIMIT = 20 * 1024 * 1024  # bytes of a whole request
FORM_LIMIT = 1024 * 1024  # bytes of text fields
FIELD_LIMIT = 2000  # fields and files of one multipart form


def limit(app: Flask) -> None:
    app.config.update(
        MAX_CONTENT_LENGTH=UPLOAD_LIMIT,
        MAX_FORM_MEMORY_SIZE=FORM_LIMIT,
        MAX_FORM_PARTS=FIELD_LIMIT,
    )
    app.before_request(limit_body)


def limit_body() -> None:
    """Only a form with files may be as large as a file; Werkzeug limits no other body by itself."""
    if request.mimetype != "multipart/form-data":
        request.max_content_length = FORM_LIMIT


def headers(answer: Response) -> Response:
    answer.headers.setdefault("Content-Security-Policy", POLICY)
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    answer.headers.setdefault("X-Frame-Options", "DENY")
    answer.headers.setdefault("Referrer-Policy", "same-origin")
    answer.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    answer.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if request.is_secure:
        answer.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint not in ("static", "bootstrap.static"):
        # Pages hold personal data: neither a shared computer's cache nor a proxy may keep them.
        answer.headers["Cache-Control"] = "no-store"
    return answer


def scripted(answer: Response) -> Response:
    """Lets this page load our own script, and nothing else."""
    answer.headers["Content-Security-Policy"] = SCRIPTED
    return answer


def local_path(target: str) -> str:
    """`target` when it is a path of ours, else empty: a sign-in must not send people to another site."""
    ours = target.startswith("/") and not target.startswith("//") and not set(target) & set("\\\r\n\t")
    return target if ours else ""
