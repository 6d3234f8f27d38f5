"""siquan accounts list|show|reconcile|reverse: what stands in accounts, proved and put right."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from siquan.core.cli.reading import open_service, print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, help: str) -> argparse.ArgumentParser:
        sub = actions.add_parser(name, help=help, description=help)
        sub.add_argument("--json", action="store_true", help="machine-readable output")
        return sub

    listed = action("list", "a person's own accounts and those he keeps")
    listed.add_argument("--by", required=True)
    listed.add_argument("--kind", default="", help="e.g. volunteer_points.points")
    listed.add_argument("--name", default="", help="part of the owner's name")
    show = action("show", "the statement of one account")
    show.add_argument("account")
    show.add_argument("--by", required=True)
    show.add_argument("--period", default="", help="2026-11, 2026-Q4 or 2026")
    show.add_argument("-o", "--output", help="write it as xlsx")
    reconcile = action("reconcile", "prove that entries sum to balances; exit status 1 where they do not")
    reconcile.add_argument("--month", default="", help="2026-11; default this month")
    reverse = action("reverse", "a counter-entry: asked by one keeper, made by another")
    reverse.add_argument("account")
    reverse.add_argument("entry", type=int)
    reverse.add_argument("--by", required=True, help="who asks")
    reverse.add_argument("--second", default="", help="who makes it; without, it waits for somebody")
    reverse.add_argument("--reason", required=True)


def accounts(args: argparse.Namespace) -> int:
    run = {"list": _list, "show": _show, "reconcile": _reconcile, "reverse": _reverse}[args.action]
    return run(args)


def _list(args: argparse.Namespace) -> int:
    view = open_service().ledger(args.by, "zh", args.kind, args.name)
    if args.json:
        print_json({"mine": [asdict(c) for c in view.mine], "kept": [asdict(c) for c in view.kept], "asked": [asdict(r) for r in view.asked]})
        return 0
    for c in (*view.mine, *view.kept):
        ends = f"，{c.next_expiry} 到期 {c.next_amount}" if c.next_expiry else ""
        print(f"{c.id}　{c.owner}　{c.title}　可用 {c.available}{c.unit}，冻结 {c.held}{ends}")
    for r in view.asked:
        print(f"等复核的冲正　{r.owner} {r.title} 第 {r.seq} 笔 {r.amount}：{r.reason}")
    return 0


def _show(args: argparse.Namespace) -> int:
    service = open_service()
    if args.output:
        _, data = service.statement(args.account, args.by, args.period)
        Path(args.output).write_bytes(data)
        print_json({"file": args.output, "bytes": len(data)}) if args.json else print(args.output)
        return 0
    page = service.ledger_account(args.account, args.by, "zh", args.period)
    if args.json:
        print_json(asdict(page))
        return 0
    print(f"{page.card.owner} {page.card.title} {page.period}：期初 {page.opening}，期末 {page.closing}，可用 {page.card.available}{page.card.unit}")
    for e in page.entries:
        marks = f"（冲第 {e.reverses} 笔）" if e.reverses else f"（已由第 {e.reversed_by} 笔冲正）" if e.reversed_by else ""
        print(f"  {e.seq:>4}　{e.day}　{e.title}{marks}　{e.amount}　{e.after}　{e.because}　{e.number}")
    for x in page.lots:
        print(f"  批次　{x.left}　{x.expires or '不过期'}")
    for h in page.holds:
        print(f"  冻结　{h.amount}　{h.number}")
    return 0


def _reconcile(args: argparse.Namespace) -> int:
    service = open_service()
    lines = service.reconcile(args.month or f"{service.app.today():%Y-%m}")
    wrong = sum(len(x.differences) for x in lines)
    if args.json:
        print_json({"ok": not wrong, "checks": [asdict(x) for x in lines]})
    else:
        for x in lines:
            print(f"{x.period}　{x.title}　{x.accounts} 户　" + "，".join(f"{name} {n}" for name, n in x.totals) + ("" if x.differences else "　相符"))
            for text in x.differences:
                print(f"  {text}")
        print("账目相符" if not wrong else f"{wrong} 处不符")
    return 1 if wrong else 0


def _reverse(args: argparse.Namespace) -> int:
    service = open_service()
    asked = service.ask_reversal(args.account, args.entry, args.by, args.reason)
    number = service.decide_reversal(asked, args.second, True) if args.second else 0
    if args.json:
        print_json({"reversal": asked, "entry": number or None})
    else:
        print(f"已冲正，第 {number} 笔" if number else "已申请冲正，等另一个管账的人复核")
    return 0
