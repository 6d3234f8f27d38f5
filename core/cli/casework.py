"""open, act, show, explain, import, export, replay, sweep, audit: what staff and administrators do with cases."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from siquan.core.cli import changing
from siquan.core.cli.reading import (
    find_case,
    open_service,
    print_decision,
    print_json,
    read_bytes,
    read_facts,
)
from siquan.core.errors import BadInput
from siquan.core.service.record import record_of

#: what else a sweep does
SWEPT = {"escalated": "督办", "open": "周期开始", "warned": "临近期末", "met": "已履行", "missed": "未履行", "made_up": "补办"}


def print_result(args: argparse.Namespace, result: Any) -> int:
    if args.json:
        out = {k: v for k, v in result.__dict__.items() if k != "decision"}
        if result.decision is not None:
            out["decision"] = result.decision.contract()
        print_json(out)
    else:
        print(f"{result.number} {result.state_title}（{result.state}），修订 {result.revision}" + ("，重复的请求，没有再办一次" if result.repeated else ""))
        if result.decision is not None:
            print_decision(result.decision)
    return 0


def open_(args: argparse.Namespace) -> int:
    service = open_service()
    return print_result(args, service.open_case(args.process, args.by, args.place, read_facts(args.facts), args.key, args.title))


def act(args: argparse.Namespace) -> int:
    if len(args.case) > 1:
        from siquan.core.cli.verbs import many

        return many(args)
    service = open_service()
    case = find_case(service, args.case[0])
    return print_result(args, service.act(case, args.transition, args.by, read_facts(args.facts), args.opinion, args.reason, args.revision, args.key)
    )


def show(args: argparse.Namespace) -> int:
    service = open_service()
    view = service.case(find_case(service, args.case), args.by)
    if args.json:
        print_json(asdict(view))
        return 0
    print(f"{view.number} {view.title}：{view.state_title}，修订 {view.revision}")
    for step in view.steps:
        print(f"  {'可办' if step.allowed else '不可'}　{step.title}（{step.name}）" + (f" → {step.to}" if step.to else ""))
        if not step.allowed and step.helpers:
            print(f"        可由 {'、'.join(step.helpers)} 办理")
        for b in step.blocks:
            print(f"        {b.rule} {b.message}" + (f" [{b.basis} {b.cite}]" if b.basis else "") + (f"；{b.cure}" if b.cure else ""))
    for due in view.dues:
        print(f"  期限　{due.title}：{due.chip}　{due.line}")
    return 0


def explain(args: argparse.Namespace) -> int:
    service = open_service()
    views = service.explain(find_case(service, args.case), args.by)
    if args.json:
        print_json([{"id": v.id, "at": v.at, "transition": v.transition_title, "refused": v.refused, "replay": v.replay, "decision": record_of(v.decision)} for v in views])
        return 0
    for v in views:
        print(f"{v.at:%Y-%m-%d %H:%M} {v.actor} {v.transition_title}" + ("（未办成）" if v.refused else "") + (f"　重放：{v.replay}" if v.replay else ""))
        print_decision(v.decision)
    return 0


def import_(args: argparse.Namespace) -> int:
    service = open_service()
    data = read_bytes(args.file)
    result = service.import_sheet(find_case(service, args.case), args.target, args.by, Path(args.file).name, data)
    if args.json:
        print_json(result.__dict__)
    else:
        print(f"导入 {result.rows} 行：新增 {result.created}，更新 {result.updated}")
    return 0


def export(args: argparse.Namespace) -> int:
    if args.case == "events" and not args.target:
        return changing.export_events(args)
    if not args.target:
        raise BadInput(why="导出哪张表：siquan export 事项 表；事件记录是 siquan export events")
    service = open_service()
    name, data = service.sheet(find_case(service, args.case), args.target, args.by, args.empty)
    path = Path(args.output or name)
    path.write_bytes(data)
    if args.json:
        print_json({"file": str(path), "bytes": len(data)})
    else:
        print(path)
    return 0


def replay(args: argparse.Namespace) -> int:
    found = open_service().replay_each(args.case)
    n = 0
    if args.json:
        differences = list(found)
        n = len(differences)
        print_json(differences)
    else:
        for n, d in enumerate(found, start=1):  # noqa: B007
            print("　".join(f"{k}={v}" for k, v in d.items()), flush=True)
        print(f"{n} 处不符")
    return 1 if n else 0


def sweep(args: argparse.Namespace) -> int:
    counts = open_service().sweep()
    if args.json:
        print_json(counts)
    elif counts.get("clock"):
        print("时钟被拨回，这次什么也没有做")
    else:
        more = "".join(f"，{word} {counts[key]}" for key, word in SWEPT.items() if counts.get(key))
        print(f"提醒 {counts['reminded']}，自动办理 {counts['fired']}，失败 {counts['failed']}{more}")
    return 1 if counts.get("clock") else 0


def audit(args: argparse.Namespace) -> int:
    if args.what == "root":
        return changing.audit_root(args)
    if args.root and not args.since:
        raise BadInput(why="--root 要和 --since 一起写")
    service = open_service()
    if args.since:
        findings = service.audit_since(changing.since(args), args.root)
    else:
        findings = service.audit_verify(find_case(service, args.case) if args.case else None)
    if args.json:
        print_json({"ok": not findings, "findings": [{"case": f.case_id, "seq": f.seq, "code": f.code, "message": f.zh} for f in findings]})
    else:
        for f in findings:
            print(f"{f.case_id} 第 {f.seq} 条 {f.code}：{f.zh}")
        print("历史完整，没有发现改动" if not findings else f"发现 {len(findings)} 处改动")
    return 1 if findings else 0
