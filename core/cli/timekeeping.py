"""due, obligations, calendar: what presses, what is owed, which days are worked."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from siquan.core.cli.reading import find_case, open_service, print_json, read_text
from siquan.core.errors import BadInput
from siquan.core.spec.read import plain
from siquan.core.spec.source import parse_yaml

LAMPS = {"green": "绿", "yellow": "黄", "red": "红"}
DUTY = {"open": "进行中", "warned": "临近期末", "met": "已履行", "missed": "未履行", "made_up": "已补办，仍记未履行", "void": "不再要求"}
KINDS = {"workday": "上班", "weekend": "周末", "holiday": "放假", "makeup": "补班"}


def due(args: argparse.Namespace) -> int:
    view = open_service().overdue(None, args.unit, args.process)
    if args.json:
        print_json(asdict(view))
        return 0
    for row in view.rows:
        level = f"　督办 {row.level}/{row.levels} 级" if row.levels else ""
        print(f"{LAMPS[row.lamp]}灯　{row.number}　{row.place_title}　{row.title}：{row.deadline_title}，{row.chip}{level}　可办：{'、'.join(row.who) or '没有人'}")
    for duty in view.duties:
        print(f"{DUTY[duty.status]}　{duty.number}　{duty.place}　{duty.case_title}：{duty.title} {duty.label}")
    print(f"超期 {view.over} 件，{view.soon_days} 日内到期 {view.total - view.over} 件" + (f"，只列前 {len(view.rows)} 件" if view.total > len(view.rows) else ""))
    return 0


def obligations(args: argparse.Namespace) -> int:
    service = open_service()
    rows = service.obligations(find_case(service, args.case) if args.case else None)
    if args.json:
        print_json([asdict(r) for r in rows])
        return 0
    for r in rows:
        late = f"，{r.late} 前可补办" if r.status == "missed" and r.late else ""
        print(f"{r.number}　{r.title}　{r.label}（{r.start} 至 {r.end}）：{DUTY[r.status]}，{r.on}{late}")
    if not rows:
        print("没有周期义务" if args.case else "没有未了的周期义务")
    return 0


def calendar(args: argparse.Namespace) -> int:
    return {"show": _show, "propose": _propose, "publish": _publish}[args.what](args)


def _show(args: argparse.Namespace) -> int:
    view = open_service().calendar_year(args.year, "")
    if args.json:
        print_json(asdict(view))
        return 0
    if not view.published:
        print(f"{view.year} 年放假安排还没有公布，经过这一年的期限都是暂定")
        return 0
    print(f"{view.year} 年，日历第 {view.version} 版：{view.source}")
    for name, first, last in view.stretches:
        print(f"  {name}　{first}" + (f" 至 {last}" if last != first else ""))
    print(f"  补班　{'、'.join(str(d) for d in view.workdays) or '无'}")
    return 0


def _propose(args: argparse.Namespace) -> int:
    found = open_service().propose_year(args.year)
    if args.json:
        print_json(found)
        return 0
    # as a file that `publish --file` reads
    print(f"year: {found['year']}\nsource: ''  # {found['source']}")
    print("holidays:")
    for line in found["holidays"]:
        print(f"  - {{name: {line['name']}, from: {line['from']}, to: {line['to']}}}")
    print(f"workdays: [{', '.join(found['workdays'])}]")
    return 0


def _publish(args: argparse.Namespace) -> int:
    if not args.file or not args.by:
        raise BadInput(why="公布要写 --file 和 --by")
    service = open_service()
    text, name = read_text(f"@{args.file}")
    data: Any = plain(parse_yaml(text, name))
    change = service.try_year(args.year, data, args.by)
    if not args.preview:
        version, moved = service.set_year(args.year, data, args.by, change.version)
    if args.json:
        out = asdict(change)
        print_json(out if args.preview else {**out, "published_version": version, "moved_now": [[c, str(a), str(b)] for c, a, b in moved]})
        return 0
    for day, old, new, title in change.days:
        print(f"  {day}　{KINDS[old]} → {KINDS[new]}　{title}")
    for m in change.moved:
        print(f"  期限　{m.number} {m.title}：{m.deadline} {m.old} → {m.new}")
    print(f"{len(change.days)} 天有变化，{change.total} 个在走的期限会动" + ("；没有公布" if args.preview else f"；已公布，日历第 {version} 版"))
    return 0
