"""A recorded decision, rule by rule, for the screen and for the file."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from siquan.core.rules.decision import Finding
from siquan.web.visitor import lang, person, service

bp = Blueprint("decisions", __name__)

#: Order of the explanation: what bites first, what is clear last.
ORDER = ("REJECT", "BLOCK", "EVIDENCE", "WARN", "PRIORITY", "TARGET", "PASS", "NA")


def weight(finding: Finding) -> tuple[bool, int]:
    known = finding.outcome in ORDER
    return finding.result in ("clear", "na"), ORDER.index(finding.outcome) if known else len(ORDER)


@bp.get("/decisions/<decision_id>")
def decision(decision_id: str) -> str:
    view = service().decision(decision_id, person(), lang())
    findings = sorted(view.decision.findings, key=weight)
    loud = [f for f in findings if f.result not in ("clear", "na")]
    quiet = [f for f in findings if f.result in ("clear", "na")]
    # looking for the way out takes a moment, so it is asked for
    way = service().way_out(decision_id, person(), lang()) if request.args.get("way") == "1" else None
    return render_template("decision.html", view=view, decision=view.decision, loud=loud, quiet=quiet, way=way)
