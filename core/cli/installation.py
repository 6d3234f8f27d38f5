"""init, run, web, worker."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Any

from siquan.core import __version__
from siquan.core.cli.reading import print_json
from siquan.core.demo import demo_accounts, load_demo
from siquan.core.errors import BadInput, NotFound
from siquan.core.home import CRONS, Home, jobs_of
from siquan.core.rules.durable import available


def print_accounts(accounts: Sequence[Any]) -> None:
    if accounts:
        print(f"演示账号（密码都是 {accounts[0].password}）：")
        for a in accounts:
            print(f"  {a.login:<12}{a.name}　{a.post}　{a.about}")


def init(args: argparse.Namespace) -> int:
    home = Home.of()
    service = home.service()
    jobs_of(service, home.folder).migrate()
    accounts = load_demo(service, home.folder) if args.demo else ()
    if args.json:
        print_json({"home": str(home.folder), "accounts": [a.__dict__ for a in accounts]})
    else:
        print(f"已就绪：{home.folder}")
        print_accounts(accounts)
    return 0


def read_port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise BadInput(why=f"PORT `{text}` 不是端口号")
    return int(text)


def start(args: argparse.Namespace, *, worker: bool, demo: bool) -> int:
    home = Home.of()
    host, port = os.environ.get("HOST", "127.0.0.1"), read_port(os.environ.get("PORT", "8000"))
    catalogue = home.catalogue()
    for found in catalogue.found:
        if found.error is not None:
            print(found.error.full("zh"), file=sys.stderr)
    if not available():
        print("未安装 durable_rules：由编译读法单独判定", file=sys.stderr)
    service = home.service(catalogue)
    jobs = jobs_of(service, home.folder)
    accounts = load_demo(service, home.folder) if demo else demo_accounts(home.folder)
    points = entry_points(group="siquan.web")
    serve = next((p.load() for p in points if p.name == "serve"), None)
    if serve is None:
        raise NotFound(kind="siquan.web", name="serve")
    if worker:
        jobs.work(crons=CRONS)
    print(f"四圈 {__version__}：http://{host}:{port}　数据在 {home.folder}", flush=True)
    print_accounts(accounts)
    sys.stdout.flush()
    try:
        serve(service, host, port, demo_accounts=accounts, instance_path=home.folder, secure=os.environ.get("SIQUAN_HTTPS") == "1")
    except OSError as fault:  # somebody else listens there, or the port is not ours to take
        raise BadInput(why=f"不能在 {host}:{port} 上监听（{fault.strerror}），请用 PORT 换一个端口") from fault
    finally:
        if worker:
            jobs.close()
    return 0


def run(args: argparse.Namespace) -> int:
    return start(args, worker=True, demo=not args.no_demo)


def web(args: argparse.Namespace) -> int:
    return start(args, worker=False, demo=False)


def worker(args: argparse.Namespace) -> int:
    home = Home.of()
    jobs = jobs_of(home.service(), home.folder)
    jobs.work(crons=CRONS)
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    print("worker ready", flush=True)
    done.wait()
    jobs.close()
    return 0


