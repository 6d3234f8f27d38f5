"""verify, test, record: what proves a process, and keeps what it showed."""

from __future__ import annotations

import argparse
import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path

from siquan.core.cli.designing import chosen
from siquan.core.cli.reading import find_case, open_service, print_json
from siquan.core.errors import BadInput, NotFound
from siquan.core.plugins import Catalogue
from siquan.core.spec.model import CaseSpec
from siquan.core.testing.casefile import file_of, item, keep, written
from siquan.core.testing.record import Recorder
from siquan.core.testing.runner import run_case
from siquan.core.verify.finding import Finding


def verify(args: argparse.Namespace) -> int:
    # the checks are many small files: only this verb pays for importing them
    from siquan.core.verify import verify as findings_of

    lang = os.environ.get("SIQUAN_LANG", "zh")
    catalogue, names = chosen(args.plugin)
    if args.keep and len(names) != 1:
        raise BadInput(why="留用例要写明是哪个插件：siquan verify 插件 --keep V033")
    findings = [(name, f) for name in names for f in findings_of(catalogue, name)]
    if args.keep:
        return _keep(args, catalogue, [f for _, f in findings])
    worst = {f.severity for _, f in findings}
    if args.json:
        print_json([{"plugin": n, **f.to_json(lang)} for n, f in findings])
    else:
        for _, f in findings:
            # what was not explored is never passed over in silence
            if f.severity == "note" and f.code != "V039":
                continue
            print(f"{f.where or ''}: {f.severity} {f.code}: {f.zh if lang == 'zh' else f.en}")
            if f.help_zh:
                print(f"  help: {f.help_zh if lang == 'zh' else f.help_en}")
            if f.story:
                print("  经过：" + " → ".join(f.story))
        counts = {s: sum(f.severity == s for _, f in findings) for s in ("error", "warning", "note")}
        print(f"{len(names)} 个插件：{counts['error']} 个错误，{counts['warning']} 个提醒，{counts['note']} 个说明")
    return 1 if "error" in worst or (args.strict and "warning" in worst) else 0


def _keep(args: argparse.Namespace, catalogue: Catalogue, findings: Sequence[Finding]) -> int:
    from siquan.core.testing.retell import retold

    code, _, ordinal = args.keep.partition(":")
    mine = [f for f in findings if f.code == code.upper()]
    if not mine or (ordinal and not (ordinal.isdigit() and 0 < int(ordinal) <= len(mine))):
        raise NotFound(kind="发现", name=args.keep, help="可用 " + "、".join(dict.fromkeys(f.code for f in findings if f.way is not None)))
    finding = mine[int(ordinal or 1) - 1]
    case = retold(catalogue, finding)
    path = file_of(catalogue, case.process)
    data = written(case)
    comment = f"{finding.code}：{finding.zh}。这是现在的样子；改好以后，把 refused 和 expect 改成应有的结果"
    keep(path, case.process, [data], comment)
    if args.json:
        print_json({"file": str(path), "finding": finding.to_json(), "case": data})
    else:
        print(f"已写入 {_near(path)}：")
        print("\n".join(item(data)))
    return 0


def test(args: argparse.Namespace) -> int:
    catalogue, names = chosen(args.plugin)
    if args.walk:
        return _walk(args, catalogue, names)
    results = []
    for name in names:
        for process in catalogue.plugin(name).processes:
            for case in process.cases:
                full = case if case.process else case.model_copy(update={"process": process.id})
                if full.process == process.id:
                    results.append((full, run_case(catalogue, full)))
    failed = [(c, why) for c, why in results if why]
    if args.json:
        print_json({"passed": len(results) - len(failed), "failed": [{"case": c.name, "process": c.process, "where": str(c.where), "why": why} for c, why in failed]})
    else:
        for c, why in failed:
            print(f"{c.where}: “{c.name}”不成立")
            for line in why:
                print(f"  {line}")
        print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def _walk(args: argparse.Namespace, catalogue: Catalogue, names: list[str]) -> int:
    """Exit status 1 where the plugin's transitions are covered by less than is asked for."""
    from siquan.core.testing.coverage import KINDS, total
    from siquan.core.testing.walk import Walker

    found = [Walker(catalogue, p.id, borrow=not args.alone).run() for name in names for p in catalogue.plugin(name).processes]
    files = []
    if args.write:
        for one in found:
            path = file_of(catalogue, one.process)
            keep(path, one.process, [written(c) for c in one.cases], f"siquan test --walk 生成，{len(one.cases)} 条")
            files.append(_near(path))
    sums = total(found)
    if args.json:
        print_json({
            "processes": [c.to_json() for c in found], "total": {k: {"covered": a, "all": b} for k, (a, b) in sums.items()}, "written": files,
        })  # fmt: skip
    else:
        for one in found:
            print(f"{one.process}　{one.title}：" + "，".join(f"{zh} {a}/{b}" for k, zh in KINDS.items() for a, b in [one.of(k)] if b) + f"；{len(one.cases)} 条用例")
            for kind, name, why in one.missing:
                print(f"  没有走到　{KINDS[kind]} {name}：{why}")
        print("合计　" + "，".join(f"{KINDS[k]} {a}/{b}（{100 * a // max(b, 1)}%）" for k, (a, b) in sums.items() if b))
        for file in files:
            print(f"已写入 {file}")
    covered, all_ = sums["transition"]
    return 1 if all_ and covered * 100 < all_ * args.least else 0


def record(args: argparse.Namespace) -> int:
    service = open_service()
    recorder = Recorder(service, service.app.catalogue)
    case = recorder.record(find_case(service, args.case), args.by, args.name)
    data = written(case)
    lines = [f"process: {case.process.partition('.')[2]}", "cases:", *item(data, 2)]
    text = "\n".join([f"# 由事项录成，{_today(service.app.today())}。人名、住址、号码和文字都是编造的；规则用到的数和日期照原样", *lines]) + "\n"
    if args.out:
        _write(Path(args.out), case, text)
    if args.json:
        print_json({"case": data, "notes": recorder.notes, "file": args.out or None})
    elif args.out:
        print(f"已写入 {args.out}：{len(case.steps)} 步，跑过一遍，结果相同")
        for note in recorder.notes:
            print(f"  注意：{note}")
    else:
        print(text, end="")
        for note in recorder.notes:
            print(f"# 注意：{note}")
    return 0


def _write(path: Path, case: CaseSpec, text: str) -> None:
    if path.exists():
        keep(path, case.process, [written(case)])
    else:
        path.write_text(text, encoding="utf-8")


def _near(path: Path) -> str:
    """As seen from here, where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _today(day: dt.date) -> str:
    return day.isoformat()
