"""The rule sets: which there are, how one reads on a day, what changed between two versions; as a file; a new draft."""

from __future__ import annotations

import datetime as dt
from io import BytesIO
from itertools import groupby

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from siquan.core.errors import NotFound
from siquan.core.policy.views import RuleSetCard, RuleSetPage
from siquan.web.blueprints.cases import done
from siquan.web.catalogue import gettext as _
from siquan.web.dates import now
from siquan.web.figures import Timeline, timeline
from siquan.web.visitor import lang, person, service

bp = Blueprint("rules", __name__)

Answer = str | Response | tuple[str, int]
PAGE = 100  # rules or rows of one page
KINDS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "dmn": "application/xml",
    "yaml": "application/yaml",
}
TABS = ("say", "table", "params", "cases", "history")


@bp.get("/rules")
def catalogue() -> str:
    q = request.args.get("q", "").strip()[:80]
    cards = [c for c in service().rule_sets(person(), lang()) if matches(c, q)]
    cards.sort(key=lambda c: (c.plugin_title or c.plugin, c.title))
    plugins = [(title, list(group)) for title, group in groupby(cards, key=lambda c: c.plugin_title or c.plugin)]
    return render_template("rules/index.html", plugins=plugins, mine=[c for c in cards if c.yours], q=q, count=len(cards))


def matches(card: RuleSetCard, q: str) -> bool:
    return not q or any(q.lower() in text.lower() for text in (card.title, card.id, card.plugin_title))


def day_asked() -> dt.date | None:
    """The day of `?on=`; a day nobody can read is today."""
    try:
        return dt.date.fromisoformat(request.args.get("on", ""))
    except ValueError:
        return None


def part(count: int) -> tuple[slice, int, int]:
    """What of a long list to show: the slice, the page's number, of how many."""
    pages = max(1, -(-count // PAGE))
    asked = request.values.get("page", "1")
    page = min(pages, max(1, int(asked))) if asked.isdecimal() and len(asked) < 6 else 1
    return slice((page - 1) * PAGE, page * PAGE), page, pages


def tab_asked(page: RuleSetPage, tabs: tuple[str, ...]) -> str:
    asked = request.values.get("tab", "")
    first = "table" if page.kind == "table" else "say"
    return asked if asked in tabs and not (asked == "table" and page.kind != "table") else first


def parameter_figure(page: RuleSetPage) -> Timeline | None:
    """The values in force everywhere, on a line of time; a place's own values stand in the table."""
    rows = [(p.name, p.title or p.name, [(v.since, v.value, v.status) for v in p.lines if not v.place]) for p in page.parameters]
    rows = [row for row in rows if row[2]][:12]
    return timeline(rows, now().date()) if rows else None


@bp.get("/rules/<ruleset_id>")
def rule_set(ruleset_id: str) -> Answer:
    asked = day_asked()
    page = service().rule_set(ruleset_id, person(), lang(), asked, request.args.get("version", "")[:200])
    shown, at, pages = part(len(page.rules))
    return render_template(
        "rules/ruleset.html", page=page, rules=page.rules[shown], at=at, pages=pages, tab=tab_asked(page, TABS),
        figure=parameter_figure(page), asked=asked, unread="" if asked else request.args.get("on", "")[:40],
    )  # fmt: skip


@bp.get("/rules/<ruleset_id>/compare")
def compare(ruleset_id: str) -> Answer:
    page = service().rule_set(ruleset_id, person(), lang())
    known = [v.id for v in page.versions]  # the newest first
    # what people want to know by default: what the newest version changed
    before = request.args.get("before") or known[min(1, len(known) - 1)]
    after = request.args.get("after") or known[0]
    for one in (before, after):
        if one not in known:
            raise NotFound(kind=_("版本"), name=one)
    lines = service().rule_diff(ruleset_id, before, after, person(), lang()) if before != after else ()
    return render_template("rules/compare.html", page=page, before=before, after=after, lines=lines)


@bp.get("/rules/<ruleset_id>/file/<kind>")
def file(ruleset_id: str, kind: str) -> Response:
    if kind not in KINDS:
        raise NotFound(kind=_("文件"), name=kind)
    name, data = service().rule_file(ruleset_id, request.args.get("version", "")[:200], kind, person())
    return send_file(BytesIO(data), mimetype=KINDS[kind], as_attachment=True, download_name=name)


@bp.post("/rules/<ruleset_id>/drafts")
def draft(ruleset_id: str) -> Response:
    result = service().start_draft(ruleset_id, person(), request.form.get("title", "").strip()[:200])
    done(_("草稿已建好。"), _("改动只在草稿里；批准、公布并到了生效日期，判定才会变。"))
    return redirect(url_for("drafts.draft", version_id=result.id))
