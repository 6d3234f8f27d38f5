"""What a case has many of: candidates, objections. The matrix of people against rules, and adding one."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from siquan.core.errors import NotFound, SiquanError
from siquan.core.rules.decision import Decision, Finding
from siquan.core.views import CaseView, ChildrenView, ChildView
from siquan.web.blueprints.cases import correctable, done, problems
from siquan.web.catalogue import gettext as _
from siquan.web.postings import Posted, new_key, read, shown
from siquan.web.visitor import lang, person, service

bp = Blueprint("children", __name__)

Answer = str | Response | tuple[str, int]

#: Columns of the matrix before the quiet ones are folded into one.
COLUMNS = 12
QUIET = ("clear", "na")
#: Outcomes that need somebody to do something; a rule with such a finding always keeps its column.
NEEDY = ("REJECT", "BLOCK", "EVIDENCE", "WARN")


@dataclass(frozen=True)
class Matrix:
    columns: tuple[tuple[str, str], ...]  # (rule id, short title)
    folded: tuple[tuple[str, str], ...]  # clear for everybody
    cells: dict[tuple[str, str], Finding]  # (child id, rule id)
    bonus: dict[str, int]  # child id -> findings of the folded rules that count in favour


def loud(finding: Finding) -> bool:
    return finding.result not in QUIET and finding.outcome in NEEDY


def verdict(child: ChildView) -> str:
    """The latest decision, a trial one while nothing is recorded; else what the case ended with."""
    return child.decision.outcome if child.decision else child.outcome


def by_rule(decision: Decision | None) -> dict[str, Finding]:
    return {f.rule: f for f in decision.findings} if decision else {}


def matrix(view: ChildrenView, everything: bool) -> Matrix:
    """Rules somebody is caught by stay; the rest fills up to twelve columns and is folded beyond."""
    cells = {(c.id, rule): f for c in view.children for rule, f in by_rule(c.decision).items()}
    hot = {rule for (_child, rule), f in cells.items() if loud(f)}
    room = max(0, COLUMNS - len(hot))
    kept: list[tuple[str, str]] = []
    folded: list[tuple[str, str]] = []
    for column in view.columns:
        if column[0] in hot or everything:
            kept.append(column)
        elif room:
            kept.append(column)
            room -= 1
        else:
            folded.append(column)
    away = {rule for rule, _title in folded}
    bonus: dict[str, int] = {}
    for (child, rule), found in cells.items():
        if rule in away and found.result not in QUIET:
            bonus[child] = bonus.get(child, 0) + 1
    return Matrix(tuple(kept), tuple(folded), cells, bonus)


def picked(view: ChildrenView, child_id: str, rule: str) -> tuple[ChildView | None, Finding | None]:
    """The child and finding of the side panel; without a choice the first one that needs somebody."""
    needy = next((c for c in view.children if verdict(c) in NEEDY), None)
    child = next((c for c in view.children if c.id == child_id), None if child_id else needy)
    findings = by_rule(child.decision) if child else {}
    first = next((f for f in findings.values() if loud(f)), None)
    return child, findings.get(rule) if rule else first


def of_case(case: CaseView, name: str) -> ChildrenView:
    """The children of that name; a name the case does not have is not found."""
    if name not in {c.name for c in case.children}:
        raise NotFound(kind=_("名单"), name=name)
    return service().children(case.id, name, person(), lang())


@bp.get("/cases/<case_id>/children/<name>")
def table(case_id: str, name: str) -> Answer:
    case = service().case(case_id, person(), lang())
    view = of_case(case, name)
    child, finding = picked(view, request.args.get("child", ""), request.args.get("rule", ""))
    grid = matrix(view, request.args.get("all") == "1")
    only = request.args.get("only", "")
    rows = [c for c in view.children if not only or verdict(c) == only]
    return render_template(
        "children.html", case=case, view=view, grid=grid, rows=rows, only=only, child=child, finding=finding
    )


@bp.route("/cases/<case_id>/children/<name>/new", methods=["GET", "POST"])
def add(case_id: str, name: str) -> Answer:
    case = service().case(case_id, person(), lang())
    view = of_case(case, name)
    if not view.process:
        raise NotFound(kind=_("流程"), name=name)
    if request.method == "GET":
        fields = tuple(service().opening_form(view.process, person(), None, lang()))
        posted = Posted(key=new_key())
        return render_template(
            "child_new.html", case=case, view=view, fields=fields, posted=posted, problems=()
        )
    posted = read(request.form, service().opening_form(view.process, person(), None, lang()))
    fields = shown(service().opening_form(view.process, person(), posted.facts, lang()), posted)
    wrong: tuple[str, ...] = ()
    if request.form.get("step") == "more":
        return render_template(
            "child_new.html", case=case, view=view, fields=fields, posted=posted, problems=()
        )
    if not any(f.error for f in fields):
        try:
            result = service().add_child(case_id, name, person(), posted.facts, posted.key or None)
        except SiquanError as error:
            if not correctable(error):
                raise
            wrong = problems(error)
        else:
            done(_("已添加。"), result.number)
            return redirect(url_for("children.table", case_id=case_id, name=name))
    return render_template(
        "child_new.html", case=case, view=view, fields=fields, posted=posted, problems=wrong
    ), 422
