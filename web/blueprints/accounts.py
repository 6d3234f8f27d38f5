"""Accounts: one's own and those one keeps, statements, the catalogue of gifts, reconciliation, reversal by two people."""

from __future__ import annotations

import datetime as dt
from io import BytesIO

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from siquan.core.errors import SiquanError
from siquan.web.blueprints.cases import correctable, done, problems
from siquan.web.catalogue import gettext as _
from siquan.web.dates import now
from siquan.web.postings import new_key
from siquan.web.visitor import lang, person, service

bp = Blueprint("accounts", __name__)

Answer = str | Response | tuple[str, int]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def asked(name: str) -> str:
    return request.args.get(name, "")[:200]


@bp.get("/accounts")
def index() -> Answer:
    view = service().ledger(person(), lang(), asked("kind"), asked("q").strip(), asked("place"))
    return render_template("accounts/index.html", view=view, kind=asked("kind"), q=asked("q"))


@bp.get("/accounts/<account_id>")
def account(account_id: str) -> Answer:
    return page(account_id)


def page(account_id: str, wrong: tuple[str, ...] = (), reason: str = "", entry: int = 0) -> str:
    view = service().ledger_account(account_id, person(), lang(), asked("period"))
    picked = entry or (int(asked("entry")) if asked("entry").isdecimal() and len(asked("entry")) < 9 else 0)
    chosen = next((e for e in view.entries if e.seq == picked and e.reversible and not e.waiting), None)
    return render_template(
        "accounts/account.html", view=view, chosen=chosen, problems=wrong, reason=reason, key=new_key()
    )


@bp.get("/accounts/<account_id>/statement.xlsx")
def statement(account_id: str) -> Answer:
    name, data = service().statement(account_id, person(), asked("period"))
    return send_file(BytesIO(data), mimetype=XLSX, as_attachment=True, download_name=name)


@bp.post("/accounts/<account_id>/reverse")
def reverse(account_id: str) -> Answer:
    """One keeper asks; nothing is posted yet."""
    text, reason = request.form.get("entry", ""), request.form.get("reason", "").strip()[:1000]
    seq = int(text) if text.isdecimal() and len(text) < 9 else 0
    try:
        service().ask_reversal(account_id, seq, person(), reason, request.form.get("key", "")[:64] or None)
    except SiquanError as error:
        if not correctable(error):
            raise
        return page(account_id, problems(error), reason, seq), 422
    done(_("已申请冲正。"), _("由另一个管账的人复核以后才记账；现在余额没有变。"), "WARN")
    return redirect(url_for("accounts.account", account_id=account_id))


@bp.post("/accounts/reversals/<reversal_id>")
def decide(reversal_id: str) -> Answer:
    """Another keeper agrees or turns it down."""
    agree, account_id = request.form.get("agree") == "yes", request.form.get("account", "")[:100]
    try:
        number = service().decide_reversal(reversal_id, person(), agree)
    except SiquanError as error:
        if not correctable(error):
            raise
        done(_("没有冲正。"), _("；").join(problems(error))[:400], "REJECT")
    else:
        if agree:
            done(_("已冲正，记作第 %(n)s 笔。", n=number), _("原来那一笔和理由都还在账上。"))
        else:
            done(_("没有同意冲正。"), _("余额没有变。"), "WARN")
    return redirect(url_for("accounts.account", account_id=account_id) if account_id else url_for("accounts.index"))


@bp.get("/accounts/catalogue")
def catalogue() -> Answer:
    return gifts()


def gifts(wrong: tuple[str, ...] = (), form: dict[str, str] | None = None) -> str:
    place = form["place"] if form else asked("place")
    return render_template(
        "accounts/gifts.html", views=service().gifts(person(), place), problems=wrong, form=form or {}, key=new_key()
    )


@bp.post("/accounts/catalogue")
def order() -> Answer:
    """A clerk orders for somebody: the case, the held points and the kept-back goods, or nothing of it."""
    form = {n: request.form.get(n, "").strip()[:200] for n in ("process", "place", "gift", "quantity", "owner")}
    key = request.form.get("key", "")[:64] or None
    missing = [t for n, t in (("owner", _("给谁兑换")), ("gift", _("兑换什么")), ("quantity", _("数量"))) if not form[n]]
    if missing:
        return gifts((_("还要填：%(what)s", what=_("、").join(missing)),), form), 422
    try:
        result = service().order_gift(
            form["process"], form["place"], form["gift"], form["quantity"], form["owner"], person(), key
        )
    except SiquanError as error:
        if not correctable(error):
            raise
        return gifts(problems(error), form), 422
    done(_("已下单，积分已冻结。"), result.number, repeated=result.repeated)
    return redirect(url_for("cases.case", case_id=result.case))


@bp.get("/accounts/reconciliation")
def reconciliation() -> Answer:
    return render_template("accounts/checks.html", lines=service().ledger_checks(person(), lang()), month=month())


@bp.post("/accounts/reconciliation")
def reconcile() -> Answer:
    found = service().reconcile(month(), person())
    wrong = sum(len(line.differences) for line in found)
    if wrong:
        done(_("对账发现 %(n)s 处不符。", n=wrong), _("每一处都写在下面，也已记为故障。"), "REJECT")
    else:
        done(_("账目相符。"), _("%(n)s 种账户，各笔合计都等于余额。", n=len(found)))
    return redirect(url_for("accounts.reconciliation"))


def month() -> str:
    day: dt.date = now().date()
    return f"{day:%Y-%m}"
