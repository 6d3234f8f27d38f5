"""process, repair, stuck, export events, audit root: what administrators do with versions, stuck cases and the history."""

from __future__ import annotations

import argparse
import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import Any

from siquan.core.cli.reading import find_case, open_service, print_json
from siquan.core.errors import BadInput
from siquan.core.views_change import MigrationView, PlanCase, PlanView

KIND = {
    "free": "可迁", "map": "要对应", "never": "不能", "failed": "失败", "moved": "已迁", "left": "留下", "undone": "已撤回", "kept": "未撤回",
    "planned": "计划", "running": "正在迁移", "done": "已完成", "withdrawn": "已撤回计划",
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-verbs of `siquan process`."""
    verbs = parser.add_subparsers(dest="what", required=True, metavar="WHAT")

    def verb(name: str, run: Any, help: str, target: str = "process", by: bool = True) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=help, description=help)
        sub.add_argument("--json", action="store_true", help="machine-readable output")
        sub.add_argument(target, nargs="?" if name == "migrations" else None, default="")
        if by:
            sub.add_argument("--by", required=True)
        sub.set_defaults(run=run)
        return sub

    mapping: dict[str, Any] = {"nargs": "+", "action": "extend", "default": [], "metavar": "OLD=NEW", "help": "a state and what takes its place; of a child process: PROCESS:OLD=NEW"}
    verb("versions", versions, "versions of a process, with the cases that follow each", by=False)
    diff = verb("diff", diff_, "what differs in meaning, and how many open cases each change touches", by=False)
    diff.add_argument("other", nargs="?", default="", help="a version's hash, or a plugin file that is not installed yet")
    plan = verb("plan", plan_, "which open cases may move to the version in force, and why others may not", by=False)
    plan.add_argument("--map", **mapping)
    migrate = verb("migrate", migrate_, "plan a migration for a second person to confirm")
    migrate.add_argument("--reason", default="")
    migrate.add_argument("--map", **mapping)
    migrate.add_argument("--dry-run", action="store_true", help="do it all and take each case back at once; nothing is kept")
    verb("confirm", confirm, "the second person's word: carry a planned migration out, or go on with one that was broken off", "migration")
    verb("withdraw", withdraw, "take back a plan nobody confirmed", "migration")
    undo = verb("undo", undo_, "put back every case nobody has acted on since", "migration")
    undo.add_argument("--reason", required=True)
    verb("migrations", migrations, "migrations of a process, or of all")
    verb("migration", migration, "one migration, case by case", "migration")


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise BadInput(why=f"`{text}` 不是日期（年-月-日）") from None


def versions(args: argparse.Namespace) -> int:
    found = open_service().process_versions(args.process, "")
    if args.json:
        print_json([asdict(v) for v in found])
        return 0
    for v in found:
        since = f"{v.since:%Y-%m-%d}" if v.since else "还没有事项"
        mark = "　现行" if v.current else "　与现行一样" if v.same else ""
        print(f"{v.hash[:12]}　{since}　在办 {v.open}，办结 {v.closed}{mark}")
        for state, title, n in v.states:
            print(f"    {title}（{state}）{n} 件")
    return 0


def diff_(args: argparse.Namespace) -> int:
    file = Path(args.other) if args.other and (args.other.endswith((".yaml", ".yml")) or Path(args.other).exists()) else None
    view = open_service().process_diff(args.process, "", "" if file else args.other, file=file)
    if args.json:
        print_json(asdict(view))
        return 0
    print(f"{view.title}：{view.old[:12]} → {view.new[:12]}，{len(view.changes)} 处改动，{view.open} 件在办的事不在新版本上")
    for c in view.changes:
        print(f"  {c.text}" + (f"　涉及 {c.open} 件" if c.open else ""))
    return 0


def _case(c: PlanCase) -> None:
    to = f" → {c.to_title}" if c.to_state and c.to_state != c.state else ""
    print(f"  {KIND.get(c.kind, c.kind)}　{c.number}　{c.title}　{c.state_title}{to}" + (f"　连同子事项 {c.children} 件" if c.children else ""))
    for text in (*c.reasons, *c.notes):
        print(f"        {text}")


def print_plan(view: PlanView) -> None:
    n = view.counts
    print(f"{view.title} → {view.to_hash[:12]}：可迁 {n['free']}，要对应 {n['map']}，不能 {n['never']}，不用迁 {n['same']}")
    for process, state, title, count in view.missing:
        head = "" if process == view.process else f"{process}:"
        print(f"  要对应的状态：{title}　--map {head}{state}=新状态　{count} 件")
    for c in view.cases:
        _case(c)


def plan_(args: argparse.Namespace) -> int:
    view = open_service().plan_migration(args.process, "", args.map)
    print_json(asdict(view)) if args.json else print_plan(view)
    return 0


def migrate_(args: argparse.Namespace) -> int:
    service = open_service()
    if args.dry_run:
        view = service.plan_migration(args.process, args.by, args.map, dry_run=True)
        if args.json:
            print_json(asdict(view))
        else:
            print_plan(view)
            print(f"试运行：{view.counts['free'] - len(view.dry or ())} 件能迁，{len(view.dry or ())} 件失败；什么都没有写")
            for c in view.dry or ():
                _case(c)
        return 1 if view.dry else 0
    row = service.propose_migration(args.process, args.by, args.reason, args.map)
    if args.json:
        print_json(asdict(row))
    else:
        print(f"{row.id}　计划迁移 {row.counts['free']} 件，要另一个人确认：siquan process confirm {row.id} --by 人员")
    return 0


def _migration(args: argparse.Namespace, view: MigrationView, cases: bool = True) -> int:
    if args.json:
        print_json(asdict(view))
        return 0
    counts = "，".join(f"{KIND.get(k, k)} {n}" for k, n in sorted(view.done.items())) or f"可迁 {view.counts.get('free', 0)}"
    print(f"{view.id}　{view.title} → {view.to_hash[:12]}　{KIND.get(view.status, view.status)}　{counts}　{view.planned_by}" + (f"、{view.confirmed_by}" if view.confirmed_by else ""))
    if cases:
        for c in view.cases:
            _case(c)
    return 0


def confirm(args: argparse.Namespace) -> int:
    service = open_service()
    return _migration(args, service.confirm_migration(service.migration_id(args.migration), args.by, here=True))


def withdraw(args: argparse.Namespace) -> int:
    service = open_service()
    return _migration(args, service.withdraw_migration(service.migration_id(args.migration), args.by))


def undo_(args: argparse.Namespace) -> int:
    service = open_service()
    return _migration(args, service.undo_migration(service.migration_id(args.migration), args.by, args.reason))


def migrations(args: argparse.Namespace) -> int:
    found = open_service().migrations(args.by, args.process)
    if args.json:
        print_json([asdict(m) for m in found])
    else:
        for m in found:
            _migration(args, m, False)
        print(f"{len(found)} 次迁移")
    return 0


def migration(args: argparse.Namespace) -> int:
    service = open_service()
    return _migration(args, service.migration(service.migration_id(args.migration), args.by))


# repair


def repair(args: argparse.Namespace) -> int:
    service = open_service()
    case = find_case(service, args.case)
    if args.confirm:
        if args.to or args.reason:
            raise BadInput(why="--confirm 只确认已经提出的修复，不写 --to 和 --reason")
        result = service.repair(case, args.by)
        if args.json:
            print_json({k: v for k, v in result.__dict__.items() if k != "decision"})
        else:
            print(f"{result.number} 已修复到“{result.state_title}”（{result.state}），修订 {result.revision}")
        return 0
    if not args.to:
        raise BadInput(why="写 --to 状态，或 --confirm")
    view = service.propose_repair(case, args.by, args.to, args.reason, args.reopen)
    if args.json:
        print_json(asdict(view))
    else:
        print(f"{view.number} 提出修复：{view.from_title} → {view.to_title}，要另一个人确认：siquan repair {view.number} --confirm --by 人员")
    return 0


def stuck(args: argparse.Namespace) -> int:
    found, total = open_service().stuck()
    if args.json:
        print_json({"total": total, "cases": [asdict(c) for c in found]})
    else:
        for c in found:
            print(f"{c.number}　{c.title}　{c.place}　{c.state_title}（{c.state}）　{c.text}")
        print(f"{total} 件卡住")
    return 1 if total else 0


# history


def export_events(args: argparse.Namespace) -> int:
    path = Path(args.output or f"events.{args.format}")
    cases, events = open_service().export_events(
        args.by, path, args.format, args.process, _day(args.since) if args.since else None, _day(args.until) if args.until else None, args.names
    )
    if args.json:
        print_json({"file": str(path), "cases": cases, "events": events})
    else:
        print(f"{path}：{cases} 件，{events} 条事件")
    return 0


def audit_root(args: argparse.Namespace) -> int:
    row = open_service().audit_root(_day(args.case) if args.case else None)
    if args.json:
        print_json({"day": row.day, "root": row.root, "prev_root": row.prev_root, "cases": row.cases, "at": row.at})
    else:
        print(f"{row.day}　{row.root}　{row.cases} 项")
    return 0


def since(args: argparse.Namespace) -> dt.date:
    return _day(args.since)
