"""Versions of a process: what differs, which open cases may move, a migration planned, confirmed and undone."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from siquan.core.errors import NotFound, SiquanError
from siquan.web.blueprints.cases import correctable, done, problems
from siquan.web.catalogue import gettext as _
from siquan.web.visitor import lang, person, service

bp = Blueprint("versions", __name__)

Answer = str | Response | tuple[str, int]


def mapping() -> list[str]:
    """`process:old=new` of every choice that was made."""
    return [m[:400] for m in request.values.getlist("map")[:200] if m and not m.endswith("=")]


@bp.get("/processes/<process_id>/versions")
def versions(process_id: str) -> Answer:
    found = service().process_versions(process_id, person(), lang())
    card = next((c for c in service().processes(person()) if c.id == process_id or c.plugin == process_id), None)
    if card is None:
        raise NotFound(kind=_("流程"), name=process_id)
    other = request.args.get("with", "")[:80]
    diff = service().process_diff(process_id, person(), other, lang())
    may = service().may_migrate(person())
    moves = service().migrations(person(), process_id, lang()) if may else ()
    return render_template("versions/index.html", card=card, versions=found, diff=diff, moves=moves, may=may)


@bp.route("/processes/<process_id>/plan", methods=["GET", "POST"])
def plan(process_id: str) -> Answer:
    """The plan, on a POST tried out as well; neither keeps anything."""
    chosen, wrong = mapping(), tuple[str, ...]()
    try:
        view = service().plan_migration(process_id, person(), chosen, lang(), request.method == "POST")
    except SiquanError as error:
        if not correctable(error):
            raise
        wrong, chosen = problems(error), []
        view = service().plan_migration(process_id, person(), (), lang())
    page = render_template("versions/plan.html", plan=view, chosen=chosen, problems=wrong, reason="")
    return (page, 422) if wrong else page


@bp.post("/processes/<process_id>/migrations")
def propose(process_id: str) -> Answer:
    reason = request.form.get("reason", "").strip()[:2000]
    chosen = mapping()
    if not reason:
        view = service().plan_migration(process_id, person(), chosen, lang())
        wrong = (_("请写明为什么迁移"),)
        return render_template("versions/plan.html", plan=view, chosen=chosen, problems=wrong, reason=""), 422
    try:
        row = service().propose_migration(process_id, person(), reason, chosen)
    except SiquanError as error:
        if not correctable(error) and error.http != 409:
            raise
        view = service().plan_migration(process_id, person(), (), lang())
        page = render_template("versions/plan.html", plan=view, chosen=chosen, problems=problems(error), reason=reason)
        return page, error.http
    done(_("已写下计划。"), _("要另一个有岗位的人确认以后才迁移。"))
    return redirect(url_for("versions.migration", migration_id=row.id))


@bp.get("/migrations/<migration_id>")
def migration(migration_id: str) -> Answer:
    number = request.args.get("page", "1")
    page = int(number) if number.isdigit() and len(number) < 6 else 1
    only = request.args.get("only", "")[:20]
    view = service().migration(migration_id, person(), lang(), only, page)
    return render_template("versions/migration.html", move=view, only=only, page=page, problems=(), reason="")


def again(migration_id: str, error: SiquanError, reason: str = "") -> Answer:
    if not correctable(error) and error.http != 409:
        raise error
    view = service().migration(migration_id, person(), lang())
    page = render_template("versions/migration.html", move=view, only="", page=1, problems=problems(error), reason=reason)
    return page, error.http


@bp.post("/migrations/<migration_id>/confirm")
def confirm(migration_id: str) -> Answer:
    try:
        row = service().confirm_migration(migration_id, person())
    except SiquanError as error:
        return again(migration_id, error)
    if row.status == "done":
        done(_("已迁移。"), _("每件的结果列在下面。"))
    else:
        done(_("已确认，正在后台迁移。"), _("可以离开这一页，过一会儿再来看。"))
    return redirect(url_for("versions.migration", migration_id=migration_id))


@bp.post("/migrations/<migration_id>/withdraw")
def withdraw(migration_id: str) -> Answer:
    try:
        row = service().withdraw_migration(migration_id, person())
    except SiquanError as error:
        return again(migration_id, error)
    if row.status == "withdrawn":
        done(_("已撤回计划，什么都没有动。"), outcome="WARN")
    else:
        done(_("已停下。"), _("迁过的已经迁了，可以撤销。"), "WARN")
    return redirect(url_for("versions.migration", migration_id=migration_id))


@bp.post("/migrations/<migration_id>/undo")
def undo(migration_id: str) -> Answer:
    reason = request.form.get("reason", "").strip()[:2000]
    try:
        row = service().undo_migration(migration_id, person(), reason)
    except SiquanError as error:
        return again(migration_id, error, reason)
    kept = row.done.get("kept", 0)
    text = _("有 %(n)s 件迁移以后有人办过，没有撤回，原因列在下面。", n=kept) if kept else _("每件都回到了迁移以前。")
    done(_("已撤销迁移。"), text, "WARN" if kept else "PASS")
    return redirect(url_for("versions.migration", migration_id=migration_id))
