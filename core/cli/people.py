"""people, substitute: posts, leavers and who stands in for whom, from a script.

Without `--actor` the machine's own operator acts; the first administrator of an installation is made so.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict

from siquan.core.cli.reading import open_service, print_json, read_day
from siquan.core.errors import BadInput
from siquan.core.service import Siquan
from siquan.core.service.acts import SYSTEM
from siquan.core.staff import SubstitutionView

STATES = {"running": "进行中", "future": "还没开始", "over": "已到期", "cancelled": "已撤销"}


def add_people(parser: argparse.ArgumentParser) -> None:
    """The sub-verbs of `siquan people`."""
    whats = parser.add_subparsers(dest="what", required=True, metavar="WHAT")

    def what(name: str, help: str, *names: str) -> argparse.ArgumentParser:
        sub = whats.add_parser(name, help=help, description=help)
        sub.add_argument("--json", action="store_true", help="machine-readable output")
        for each in names:
            sub.add_argument(each)
        sub.add_argument("--by", default="", help="an administrator; default the operator of this machine")
        return sub

    what("list", "everybody under the administrator").add_argument("--find", default="", help="part of a name, a post or a unit")
    what("show", "a person: posts, substitutions, open work", "person")
    grant = what("grant", "grant a post: a role, leader, admin, group:NAME", "person", "post", "unit")
    grant.add_argument("--since", help="default today")
    grant.add_argument("--until")
    what("end", "end a post, by its id", "post").add_argument("--on", help="from that day on it is nobody's; default today")
    what("leave", "mark the last day of a leaver; his posts end with it", "person").add_argument("--on", help="default today")
    move = what("move", "give a person's open work to others who may act", "person")
    move.add_argument("--to", action="append", required=True, metavar="PERSON", help="may be given several times")
    move.add_argument("--case", action="append", help="only this case; default all")


def add_substitute(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("person", help="who is away; with --cancel the id of a substitution")
    parser.add_argument("--by", default="", metavar="PERSON", help="who stands in")
    parser.add_argument("--since")
    parser.add_argument("--until")
    parser.add_argument("--reason", default="")
    parser.add_argument("--role", action="append", default=[], help="only for this post; may be given several times")
    parser.add_argument("--process", action="append", default=[], help="only for this process; may be given several times")
    parser.add_argument("--actor", default="", help="who says so; default the operator of this machine")
    parser.add_argument("--cancel", action="store_true", help="end it at once")


def people(args: argparse.Namespace) -> int:
    ways: dict[str, Callable[[Siquan, argparse.Namespace, str, bool], int]] = {
        "list": _list, "show": _show, "grant": _grant, "end": _end, "leave": _leave, "move": _move,
    }  # fmt: skip
    return ways[args.what](open_service(), args, args.by or SYSTEM, not args.by)


def _list(service: Siquan, args: argparse.Namespace, by: str, trusted: bool) -> int:
    found = service.staff(by, args.find, trusted)
    if args.json:
        print_json([asdict(p) for p in found.people])
        return 0
    for p in found.people:
        away = f"　由{p.away}代办" if p.away else ""
        gone = "" if p.leaving_on is None else f"　{p.leaving_on} 离岗"
        print(f"{p.id:<14}{p.name}　{p.unit_title}　{'、'.join(p.posts) or '没有岗位'}{away}{gone}")
    return 0


def _show(service: Siquan, args: argparse.Namespace, by: str, trusted: bool) -> int:
    page = service.person(args.person, by, trusted=trusted)
    if args.json:
        print_json(asdict(page))
        return 0
    print(f"{page.line.name}　{page.line.unit_title}" + (f"　{page.line.leaving_on} 离岗" if page.line.leaving_on else ""))
    for p in page.posts:
        alone = "，这里没有别人担任" if p.alone else ""
        print(f"  岗位　{p.title} {p.unit_title}（{p.role}@{p.unit}），{p.since} 起{f'，{p.until} 止' if p.until else ''}，{STATES[p.state]}{alone}　{p.id}")
    for s in page.substitutions:
        print(f"  代办　{_told(s)}　{s.id}")
    for w in page.work:
        print(f"  待办　{w.number} {w.process_title}：{w.state_title}，{w.place}" + (f"，{w.due} 到期" if w.due else ""))
    return 0


def _told(s: SubstitutionView) -> str:
    return f"{s.substitute_name}代{s.person_name}，{s.since} 至 {s.until}，{'、'.join(s.scope) or '全部'}，{STATES[s.state]}"


def _done(args: argparse.Namespace, text: str) -> int:
    print_json({"done": True}) if args.json else print(text)
    return 0


def _grant(service: Siquan, args: argparse.Namespace, by: str, trusted: bool) -> int:
    service.grant_post(args.person, args.post, args.unit, by, read_day(args.since), read_day(args.until), trusted)
    return _done(args, f"{args.person} 担任 {args.post}@{args.unit}")


def _end(service: Siquan, args: argparse.Namespace, by: str, trusted: bool) -> int:
    person = service.end_post(args.post, by, read_day(args.on), trusted)
    return _done(args, f"{person} 的岗位已结束")


def _leave(service: Siquan, args: argparse.Namespace, by: str, trusted: bool) -> int:
    service.leave(args.person, by, read_day(args.on), trusted)
    left = service.person(args.person, by, trusted=trusted)
    return _done(args, f"{left.line.name} {left.line.leaving_on} 离岗，还有 {len(left.work)} 件待办要转")


def _move(service: Siquan, args: argparse.Namespace, by: str, trusted: bool) -> int:
    cases = [service.case_id(c) for c in args.case] if args.case else None
    moved = service.move_work(args.person, args.to, by, cases, trusted=trusted)
    if args.json:
        print_json([asdict(m) for m in moved])
    else:
        for m in moved:
            print(f"  {m.number} {m.process_title}：" + (f"转给{m.taker}" if m.taker else f"没有转，{m.why}"))
        print(f"转出 {sum(bool(m.taker) for m in moved)} 件，没有转 {sum(not m.taker for m in moved)} 件")
    return 1 if any(not m.taker for m in moved) else 0


def substitute(args: argparse.Namespace) -> int:
    service, actor, trusted = open_service(), args.actor or SYSTEM, not args.actor
    if args.cancel:
        view = service.cancel_substitution(args.person, actor, trusted)
    else:
        since, until = read_day(args.since), read_day(args.until)
        if not args.by or since is None or until is None:
            raise BadInput(why="要写 --by 代办的人、--since 起日和 --until 止日")
        view = service.substitute(args.person, args.by, since, until, actor, args.reason, args.role, args.process, trusted)
    if args.json:
        print_json(asdict(view))
    else:
        print(f"{_told(view)}　{view.id}")
    return 0
