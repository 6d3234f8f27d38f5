"""Excel in and out: a template, what is there now, and an import that takes everything or nothing."""

from __future__ import annotations

from io import BytesIO
from typing import NamedTuple

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from siquan.core.errors import Errors, NotFound, SiquanError, Stale
from siquan.core.views import CaseView
from siquan.web.blueprints.cases import correctable, done
from siquan.web.catalogue import gettext as _
from siquan.web.postings import new_key
from siquan.web.visitor import lang, person, service

bp = Blueprint("sheets", __name__)

Answer = str | Response | tuple[str, int]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHOWN = 200  # errors listed on the page


class Problem(NamedTuple):
    """One line of the error table."""

    sheet: str
    cell: str
    text: str
    help: str


def problem(error: SiquanError) -> Problem:
    """`候选人!C5` is a cell of a sheet; a file name with a line is what it is."""
    where = str(error.where) if error.where else ""
    sheet, bang, cell = where.partition("!")
    return Problem(sheet, cell if bang else "", error.text(lang()), error.help(lang()))


def titled(case: CaseView, target: str) -> str:
    titles = {c.name: c.title for c in case.collections} | {c.name: c.title for c in case.children}
    if target not in titles:
        raise NotFound(kind=_("表"), name=target)
    return titles[target]


@bp.get("/cases/<case_id>/sheets/<target>.xlsx")
def download(case_id: str, target: str) -> Response:
    name, data = service().sheet(case_id, target, person(), empty=request.args.get("empty") == "1")
    return send_file(BytesIO(data), mimetype=XLSX, as_attachment=True, download_name=name)


@bp.route("/cases/<case_id>/sheets/<target>", methods=["GET", "POST"])
def sheet(case_id: str, target: str) -> Answer:
    case = service().case(case_id, person(), lang())
    title = titled(case, target)

    def show(problems: list[Problem], message: str = "") -> str:
        return render_template(
            "sheet.html", case=case, target=target, title=title, problems=problems[:SHOWN],
            count=len(problems), message=message, key=new_key(), revision=case.revision,
        )  # fmt: skip

    if request.method == "GET":
        return show([])
    file = request.files.get("file")
    if file is None or not file.filename:
        return show([], _("还没有选择文件")), 422
    if not file.filename.lower().endswith(".xlsx"):
        return show([], _("只能导入 .xlsx 文件，这个文件是 %(name)s", name=file.filename)), 422
    seen = request.form.get("revision", "")
    try:
        result = service().import_sheet(
            case_id,
            target,
            person(),
            file.filename,
            file.read(),
            int(seen) if seen.isdecimal() and len(seen) < 10 else None,
            request.form.get("key", "")[:64] or None,
        )
    except Stale as error:
        return show([], error.text(lang()) + "。" + _("请再选一次文件导入。")), 409
    except Errors as error:
        return show([problem(e) for e in error]), 422
    except SiquanError as error:
        if not correctable(error):
            raise
        return show([problem(error)]), 422
    if result.job:
        text = _("共 %(rows)s 行，已排队写入；写完后出现在“经过”里，全部写入或一行不写。", rows=result.rows)
        done(_("正在导入“%(title)s”。", title=title), text)
        return redirect(url_for("cases.case", case_id=case_id))
    text = _(
        "读到 %(rows)s 行：新增 %(created)s，更新 %(updated)s。",
        rows=result.rows,
        created=result.created,
        updated=result.updated,
    )
    done(_("已导入“%(title)s”。", title=title), text)
    return redirect(url_for("cases.case", case_id=case_id))
