"""rules, impact: what the policy team does with rule sets, from a script."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from siquan.core.cli.reading import WORDS, open_service, print_json, read_bytes, read_day
from siquan.core.errors import BadInput, Where
from siquan.core.policy.views import DifferenceLine, DraftPage, DraftResult, Example, VersionLine
from siquan.core.service import Siquan

STATUS = {
    "draft": "草稿", "returned": "退回修改", "review": "审查中", "approved": "已批准", "published": "现行", "future": "待生效", "superseded": "已被替代",
    "withdrawn": "已撤回", "discarded": "已丢弃",
}  # fmt: skip
KINDS = {"added": "加", "removed": "删", "changed": "改", "moved": "移", "parameter": "参数", "setting": "设置", "case": "用例", "conflict": "冲突"}


def rules(args: argparse.Namespace) -> int:
    """One verb with several nouns: `siquan rules show candidate`."""
    ways: dict[str, Callable[[Siquan, argparse.Namespace], int]] = {
        "list": _list, "show": _show, "diff": _diff, "export": _export, "import": _import, "prove": _prove, "submit": _submit,
        "approve": _sign, "return": _sign, "publish": _publish, "withdraw": _withdraw,
    }  # fmt: skip
    service = open_service()
    if getattr(args, "draft", ""):
        args.draft = _version(service, args.draft)
    return ways[args.what](service, args)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-verbs of `siquan rules`."""
    whats = parser.add_subparsers(dest="what", required=True, metavar="WHAT")

    def what(name: str, help: str, *names: str, by: bool = True) -> argparse.ArgumentParser:
        sub = whats.add_parser(name, help=help, description=help)
        sub.add_argument("--json", action="store_true", help="machine-readable output")
        for each in names:
            sub.add_argument(each)
        if by:
            sub.add_argument("--by", required=True, help="the person's id")
        return sub

    what("list", "rule sets with the version in force and what is on its way", by=False)
    show = what("show", "a rule set in sentences", "ruleset", by=False)
    show.add_argument("--on", help="the version in force on that day, default today")
    show.add_argument("--version", default="", help="a version: v3, an id, or shipped")
    diff = what("diff", "what two versions differ in, in meaning", "ruleset", "before", "after", by=False)
    diff.add_argument("--by", default="", help="needed for drafts")
    export = what("export", "a version as a file", "ruleset", by=False)
    export.add_argument("--version", default="", help="default the one in force today")
    export.add_argument("--format", choices=["xlsx", "dmn", "yaml"], default="xlsx")
    export.add_argument("-o", "--output")
    export.add_argument("--by", default="", help="needed for drafts")
    imported = what("import", "an edited workbook or a DMN model as a draft", "ruleset", "file")
    imported.add_argument("--draft", default="", help="into this draft; default a new one")
    imported.add_argument("--title", default="")
    what("prove", "what a draft means: stricter, looser, a smallest example, flaws, intents, cases", "draft")
    submit = what("submit", "send a draft for approval", "draft")
    submit.add_argument("--effective", required=True, help="the day it takes effect")
    submit.add_argument("--reason", required=True)
    approve = what("approve", "approve a version under review", "draft")
    approve.add_argument("--opinion", default="")
    returned = what("return", "return a version under review to its author", "draft")
    returned.add_argument("--opinion", required=True)
    what("publish", "publish an approved version; it applies from its effective date", "draft")
    withdraw = what("withdraw", "take a published version back", "draft")
    withdraw.add_argument("--reason", required=True)


def _full(service: Siquan, name: str) -> str:
    """A rule set by its id or, where only one plugin has it, by its short name."""
    known = service.app.catalogue.rulesets
    found = [r for r in known if r == name] or [r for r in known if r.rpartition(".")[2] == name]
    return found[0] if len(found) == 1 else name


def _version(service: Siquan, name: str) -> str:
    """A version by its id, or as `candidate@v3`."""
    ruleset, at, wanted = name.rpartition("@")
    return service.version_id(_full(service, ruleset), wanted) if at else name


def _span(v: VersionLine) -> str:
    since, until = (v.since.isoformat() if v.since else "起初"), (f"至 {v.until} 前" if v.until else "")
    return f"{v.label} {STATUS.get(v.status, v.status)}　自 {since}{until}"


def _list(service: Siquan, args: argparse.Namespace) -> int:
    cards = service.rule_sets("", "zh")
    if args.json:
        print_json([asdict(c) for c in cards])
        return 0
    for c in cards:
        later = "".join(f"；{v.label} 自 {v.since}" for v in c.upcoming)
        print(f"{c.id:<46}{c.title}　{c.rules} 条　{_span(c.version)}{later}")
    return 0


def _show(service: Siquan, args: argparse.Namespace) -> int:
    page = service.rule_set(_full(service, args.ruleset), "", "zh", read_day(args.on), args.version)
    if args.json:
        print_json(asdict(page))
        return 0
    print(f"{page.title}（{page.id}）　{_span(page.version)}　{page.version.hash[:12]}")
    for r in page.rules:
        print(f"  {r.id:<10}{WORDS.get(r.shown_outcome, r.shown_outcome)}　{''.join(p.text for p in r.parts)}　[{' '.join(x for x in (r.basis, r.cite) if x)}]")
    for p in page.parameters:
        for v in p.lines:
            if v.status in ("current", "future"):
                print(f"  参数 {p.name}{'@' + v.place_id if v.place_id else ''} = {v.value}{p.unit}　自 {v.since}　[{' '.join(x for x in (v.basis, v.cite) if x)}]")
    return 0


def _differences(found: Any) -> None:
    d: DifferenceLine
    for d in found:
        change = f"{d.before} → {d.after}" if d.before and d.after else d.after or d.before
        name = d.rule if d.title in ("", d.rule) else f"{d.rule} {d.title}"
        print(f"  {KINDS.get(d.kind, d.kind)}　{name}：{change}" + ("（只是说法）" if d.cosmetic else ""))


def _diff(service: Siquan, args: argparse.Namespace) -> int:
    found = service.rule_diff(_full(service, args.ruleset), args.before, args.after, args.by, "zh")
    if args.json:
        print_json([asdict(d) for d in found])
    elif not found:
        print("没有差别")
    else:
        _differences(found)
    return 0


def _export(service: Siquan, args: argparse.Namespace) -> int:
    name, data = service.rule_file(_full(service, args.ruleset), args.version, args.format, args.by or "system")
    target = Path(args.output or name)
    _save(target, data)
    if args.json:
        print_json({"file": str(target), "bytes": len(data)})
    else:
        print(target)
    return 0


def _save(target: Path, data: bytes) -> None:
    try:
        target.write_bytes(data)
    except OSError as fault:
        raise BadInput(Where(str(target)), why=str(fault.strerror)) from None


def _import(service: Siquan, args: argparse.Namespace) -> int:
    data = read_bytes(args.file)
    draft = args.draft or service.start_draft(_full(service, args.ruleset), args.by, args.title).id
    try:
        result = service.upload_draft(draft, args.by, Path(args.file).name, data, None)
    except Exception:
        if not args.draft:  # a file that is refused leaves nothing behind
            service.discard_draft(draft, args.by)
        raise
    return _result(args, result)


def _result(args: argparse.Namespace, result: DraftResult) -> int:
    if args.json:
        print_json(asdict(result))
    else:
        print(f"{result.id}　{STATUS.get(result.status, result.status)}，修订 {result.revision}")
        _differences(result.changes)
    return 0


def _example(words: str, example: Example | None) -> None:
    if example is None:
        return
    facts = "，".join(f"{title} {value}" for title, value in example.facts)
    sides = " → ".join(
        WORDS.get(d.outcome, d.outcome) + (f" {d.value}" if d.value is not None else "") for d in (example.before, example.after) if d is not None
    )
    print(f"    {words}：{facts}{'，' + example.rest if example.rest else ''}" + (f"：{sides}" if sides else ""))


def _prove(service: Siquan, args: argparse.Namespace) -> int:
    """Exit status 1 where a gate is shut that the draft itself shuts: a fault, a flaw, a refuted intent, a failed case."""
    page: DraftPage = service.draft(args.draft, args.by, "zh", wait=None)
    bad = any(g.status == "failed" for g in page.gates)
    if args.json:
        print_json({"proof": asdict(page.proof), "gates": [asdict(g) for g in page.gates], "differences": [asdict(d) for d in page.differences]})
        return int(bad)
    p = page.proof
    _differences(page.differences)
    print(f"  证明　{p.text or '还不能证明：先改正有误的地方'}" + (f"（{p.ms} 毫秒）" if p.text else ""))
    _example("最小的例子", p.smallest)
    for issue in p.issues:
        print(f"  {'缺陷' if issue.blocking else '留意'}　{issue.text}")
        _example("例", issue.example)
    for intent in p.intents:
        print(f"  意图　{intent.say}：{ {'proved': '守住', 'refuted': '守不住', 'not_proved': '没有证明出来'}[intent.status] }")
        _example("反例", intent.example)
    for text in p.left_out:
        print(f"  不在证明之内　{text}")
    for gate in page.gates:
        print(f"  {'✓' if gate.status == 'ok' else '✗' if gate.status == 'failed' else '…'} {gate.text}" + (f"：{gate.help}" if gate.help else ""))
    for case in page.page.cases:
        if case.passed is False:
            print(f"    {case.name}：{case.why}")
    return int(bad)


def _submit(service: Siquan, args: argparse.Namespace) -> int:
    day = read_day(args.effective)
    assert day is not None
    return _result(args, service.submit_draft(args.draft, args.by, day, args.reason, None))


def _sign(service: Siquan, args: argparse.Namespace) -> int:
    return _result(args, service.sign_draft(args.draft, args.by, args.what == "approve", args.opinion))


def _publish(service: Siquan, args: argparse.Namespace) -> int:
    return _result(args, service.publish_draft(args.draft, args.by))


def _withdraw(service: Siquan, args: argparse.Namespace) -> int:
    return _result(args, service.withdraw_version(args.draft, args.by, args.reason))


def impact(args: argparse.Namespace) -> int:
    """Runs here and now; a run that was broken off goes on where it stopped."""

    def progress(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done:,} / {total:,}", end="", file=sys.stderr, flush=True)

    service = open_service()
    args.draft = _version(service, args.draft)
    page = service.run_impact(args.draft, args.by, progress)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if args.output:
        _save(Path(args.output), service.impact_file(args.draft, args.by)[1])
    if args.json:
        print_json({"impact": asdict(page.card), "flows": [asdict(f) for f in page.flows], "rules": page.by_rule, "flips": [asdict(f) for f in page.flips]})
        return 0
    c = page.card
    print(f"重算 {c.decisions:,} 个判定，{c.changed:,} 个结论会变，{c.other_findings:,} 个只是理由不同；缺事实 {c.missing:,}，已清除 {c.erased:,}；用时 {c.seconds:.1f} 秒")
    print(f"在办事项 {c.open_cases:,} 件，{c.open_changed:,} 件会变")
    for f in page.flows:
        if f.tone != "same":
            print(f"  {WORDS.get(f.before, f.before)} → {WORDS.get(f.after, f.after)}　{f.n:,}")
    for rule, title, more, less in page.by_rule:
        print(f"  {rule} {title}：新命中 {more:,}，不再命中 {less:,}")
    for flip in page.flips:
        print(f"    {flip.number or flip.place} {flip.title}".rstrip() + f"：{WORDS.get(flip.before, flip.before)} → {WORDS.get(flip.after, flip.after)}　{'；'.join(flip.why)}")
    if page.total > len(page.flips):
        print(f"    …… 共 {page.total:,} 个，用 -o 文件.xlsx 导出全部")
    return 0
