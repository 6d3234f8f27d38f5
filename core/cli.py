"""The command line: the same calls as the web. Exit status 0 done, 1 refused by a rule or check, 2 wrong usage."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from siquan.core import __version__
from siquan.core.errors import BadInput, Errors, NotFound, SiquanError, Where
from siquan.core.home import Home, jobs_of
from siquan.core.plugins import Catalogue, discover
from siquan.core.service import Siquan
from siquan.core.spec.load import load_fragments, load_plugin
from siquan.core.spec.read import plain
from siquan.core.spec.source import parse_yaml


def main(argv: Sequence[str] | None = None) -> int:
    parser = _parser()
    args = parser.parse_args(argv)
    lang = os.environ.get("SIQUAN_LANG", "zh")
    try:
        status = args.run(args)
        return int(status or 0)
    except SiquanError as fault:
        if getattr(args, "json", False):
            _json(fault.to_json(lang))
        else:
            print(fault.full(lang), file=sys.stderr)
        return max((e.exit for e in fault), default=2) if isinstance(fault, Errors) else fault.exit
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="siquan", description="规则驱动的社区治理流程 · rules-driven community governance")
    parser.add_argument("--version", action="version", version=f"siquan {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, run: Any, help: str) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=help, description=help)
        sub.add_argument("--json", action="store_true", help="machine-readable output")
        sub.set_defaults(run=run)
        return sub

    run = verb("run", _run, "everything on one machine; demo data on first start")
    run.add_argument("--no-demo", action="store_true", help="start empty")
    verb("web", _web, "the web pages alone (PostgreSQL: workers run beside)")
    verb("worker", _worker, "background jobs alone")
    init = verb("init", _init, "create or upgrade the database")
    init.add_argument("--demo", action="store_true", help="load the demo data into an empty installation")
    verb("plugins", _plugins, "list plugins, with the error of a broken one")
    verify = verb("verify", _verify, "check plugins: states, roles, facts, parameters, outcomes")
    verify.add_argument("plugin", nargs="?", help="a plugin's name, folder or file")
    verify.add_argument("--strict", action="store_true", help="warnings count as errors")
    test = verb("test", _test, "run the cases of plugins")
    test.add_argument("plugin", nargs="?")
    draw = verb("draw", _draw, "the states of a process as SVG or Mermaid")
    draw.add_argument("process")
    draw.add_argument("--mermaid", action="store_true")
    schema = verb("schema", _schema, "JSON Schema of the plugin files, for editors")
    schema.add_argument("kind", nargs="?", default="process")
    decide = verb("decide", _decide, "decide with a rule set; both engines, nothing written")
    decide.add_argument("ruleset", help="id, or a plugin file")
    decide.add_argument("--facts", default="{}", help="JSON or YAML, @file or - for standard input")
    decide.add_argument("--on", help="decision date, default today")
    decide.add_argument("--place", default="", help="e.g. compound/chenghu")
    decide.add_argument("--set", action="append", default=[], metavar="PARAM=VALUE")
    opened = verb("open", _open, "open a case")
    opened.add_argument("process")
    opened.add_argument("--facts", default="{}")
    opened.add_argument("--by", required=True)
    opened.add_argument("--place")
    opened.add_argument("--title", default="")
    opened.add_argument("--key", help="idempotency key")
    act = verb("act", _act, "take a step of a case")
    act.add_argument("case", help="id or number")
    act.add_argument("transition")
    act.add_argument("--by", required=True)
    act.add_argument("--facts", default="{}")
    act.add_argument("--opinion", default="")
    act.add_argument("--reason", default="")
    act.add_argument("--revision", type=int)
    act.add_argument("--key")
    show = verb("show", _show, "a case: state, next steps with reasons, deadlines")
    show.add_argument("case")
    show.add_argument("--by", required=True)
    explain = verb("explain", _explain, "every recorded decision of a case, with its rules and clauses")
    explain.add_argument("case")
    explain.add_argument("--by", required=True)
    imported = verb("import", _import, "import a sheet into a case")
    imported.add_argument("case")
    imported.add_argument("target", help="e.g. candidates, owners, votes, members")
    imported.add_argument("file")
    imported.add_argument("--by", required=True)
    export = verb("export", _export, "export a sheet of a case")
    export.add_argument("case")
    export.add_argument("target")
    export.add_argument("--by", required=True)
    export.add_argument("--empty", action="store_true", help="the template without rows")
    export.add_argument("-o", "--output")
    replay = verb("replay", _replay, "rebuild cases from their events and decide their decisions again")
    replay.add_argument("case", nargs="?")
    verb("sweep", _sweep, "fire deadlines that have passed")
    audit = verb("audit", _audit, "prove that the history was not edited")
    audit.add_argument("what", choices=["verify"])
    audit.add_argument("case", nargs="?")
    return parser


def _json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def _facts(text: str) -> dict[str, Any]:
    """F of the contract: JSON or YAML whose keys are fact names; `@file` and `-` read it from elsewhere."""
    name = "--facts"
    if text == "-":
        text = sys.stdin.read()
    elif text.startswith("@"):
        name = text[1:]
        try:
            text = Path(name).read_text(encoding="utf-8")
        except OSError as fault:
            raise BadInput(Where(name), why=str(fault.strerror)) from None
    value = parse_yaml(text, name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadInput(Where(name), why="应是一组 事实: 值")
    facts = plain(value)
    assert isinstance(facts, dict)
    return facts


def _day(text: str | None) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise BadInput(why=f"`{text}` 不是日期，写作 2026-11-23") from None


def _service() -> Siquan:
    return Home.of().service()


def _case(service: Siquan, name: str) -> str:
    return service.case_id(name)


# installation


def _print_accounts(accounts: Sequence[Any]) -> None:
    if accounts:
        print(f"演示账号（密码都是 {accounts[0].password}）：")
        for a in accounts:
            print(f"  {a.login:<12}{a.name}　{a.post}　{a.about}")


def _init(args: argparse.Namespace) -> int:
    from siquan.core.demo import load_demo

    home = Home.of()
    service = home.service()
    jobs_of(service).migrate()
    accounts = load_demo(service, home.folder) if args.demo else ()
    if args.json:
        _json({"home": str(home.folder), "accounts": [a.__dict__ for a in accounts]})
    else:
        print(f"已就绪：{home.folder}")
        _print_accounts(accounts)
    return 0


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise BadInput(why=f"PORT `{text}` 不是端口号")
    return int(text)


def _serve(args: argparse.Namespace, *, worker: bool, demo: bool) -> int:
    from siquan.core.demo import demo_accounts, load_demo
    from siquan.core.rules.durable import available

    home = Home.of()
    host, port = os.environ.get("HOST", "127.0.0.1"), _port(os.environ.get("PORT", "8000"))
    catalogue = home.catalogue()
    for found in catalogue.found:
        if found.error is not None:
            print(found.error.full("zh"), file=sys.stderr)
    if not available():
        print("未安装 durable_rules：由编译读法单独判定", file=sys.stderr)
    service = home.service(catalogue)
    jobs = jobs_of(service)
    accounts = load_demo(service, home.folder) if demo else demo_accounts(home.folder)
    points = entry_points(group="siquan.web")
    serve = next((p.load() for p in points if p.name == "serve"), None)
    if serve is None:
        raise NotFound(kind="siquan.web", name="serve")
    if worker:
        jobs.work(crons=[("sweep", "* * * * *")])
    print(f"四圈 {__version__}：http://{host}:{port}　数据在 {home.folder}", flush=True)
    _print_accounts(accounts)
    sys.stdout.flush()
    try:
        serve(service, host, port, demo_accounts=accounts, instance_path=home.folder)
    finally:
        if worker:
            jobs.close()
    return 0


def _run(args: argparse.Namespace) -> int:
    return _serve(args, worker=True, demo=not args.no_demo)


def _web(args: argparse.Namespace) -> int:
    return _serve(args, worker=False, demo=False)


def _worker(args: argparse.Namespace) -> int:
    import signal
    import threading

    service = _service()
    jobs = jobs_of(service)
    jobs.work(crons=[("sweep", "* * * * *")])
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    print("worker ready", flush=True)
    done.wait()
    jobs.close()
    return 0


# plugins


def _plugins(args: argparse.Namespace) -> int:
    found = Home.of().catalogue().found
    if args.json:
        _json([
            {
                "name": f.name, "title": f.spec.title if f.spec else "", "path": f.path, "origin": f.origin,
                "processes": [p.id for p in f.spec.processes] if f.spec else [], "rulesets": [r.id for r in f.spec.rulesets] if f.spec else [],
                "error": f.error.to_json() if f.error else None,
            }
            for f in found
        ])  # fmt: skip
    else:
        for f in found:
            if f.spec is not None:
                print(f"{f.name:<24}{f.spec.title}　{len(f.spec.processes)} 个流程，{len(f.spec.rulesets)} 个规则集")
            elif f.error is not None:
                print(f"{f.name:<24}装不上\n{f.error.full('zh')}")
    return 1 if any(f.error for f in found) else 0


def _chosen(plugin: str | None) -> tuple[Catalogue, list[str]]:
    """The catalogue and the names to look at; a path is loaded beside the bundled plugins."""
    home = Home.of()
    path = Path(plugin) if plugin else None
    if path is not None and path.exists() and (path.is_dir() or path.suffix == ".yaml"):
        catalogue = discover(home.plugin_dirs, bundled=False, only=[path.resolve()])
        return _with_library(catalogue, path.resolve()), [path.stem if path.is_file() else path.name]
    catalogue = home.catalogue()
    names = [plugin] if plugin else [f.name for f in catalogue.found]
    for name in names:
        catalogue.plugin(name)
    return catalogue, names


def _with_library(catalogue: Catalogue, path: Path) -> Catalogue:
    """A plugin outside the installation may still use the bundled fragments."""
    from siquan.core.plugins import Found, _bind, bundled_dirs

    if catalogue.plugins:
        return catalogue
    library: dict[str, Any] = {}
    for folder in bundled_dirs():
        library.update(load_fragments(folder))
    spec = load_plugin(path, library)
    fresh = Catalogue([Found(spec.name, str(path), spec)])
    _bind(fresh)
    error = fresh.found[0].error
    if error is not None:
        raise error
    return fresh


def _verify(args: argparse.Namespace) -> int:
    from siquan.core.verify import verify

    lang = os.environ.get("SIQUAN_LANG", "zh")
    catalogue, names = _chosen(args.plugin)
    findings = [(name, f) for name in names for f in verify(catalogue, name)]
    worst = {f.severity for _, f in findings}
    if args.json:
        _json([{"plugin": n, **f.to_json(lang)} for n, f in findings])
    else:
        for _, f in findings:
            if f.severity == "note":
                continue
            print(f"{f.where or ''}: {f.severity} {f.code}: {f.zh if lang == 'zh' else f.en}")
            if f.help_zh:
                print(f"  help: {f.help_zh if lang == 'zh' else f.help_en}")
            if f.story:
                print("  经过：" + " → ".join(f.story))
        counts = {s: sum(f.severity == s for _, f in findings) for s in ("error", "warning", "note")}
        print(f"{len(names)} 个插件：{counts['error']} 个错误，{counts['warning']} 个提醒，{counts['note']} 个说明")
    return 1 if "error" in worst or (args.strict and "warning" in worst) else 0


def _test(args: argparse.Namespace) -> int:
    from siquan.core.testing.runner import run_case

    catalogue, names = _chosen(args.plugin)
    results = []
    for name in names:
        for process in catalogue.plugin(name).processes:
            for case in process.cases:
                full = case if case.process else case.model_copy(update={"process": process.id})
                if full.process == process.id:
                    results.append((full, run_case(catalogue, full)))
    failed = [(c, why) for c, why in results if why]
    if args.json:
        _json({"passed": len(results) - len(failed), "failed": [{"case": c.name, "process": c.process, "where": str(c.where), "why": why} for c, why in failed]})
    else:
        for c, why in failed:
            print(f"{c.where}: “{c.name}”不成立")
            for line in why:
                print(f"  {line}")
        print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def _draw(args: argparse.Namespace) -> int:
    from siquan.core.diagram import from_process

    graph = from_process(Home.of().catalogue().definition(args.process).spec)
    print(graph.mermaid() if args.mermaid else graph.svg())
    return 0


def _schema(args: argparse.Namespace) -> int:
    from siquan.core.spec.schema import SCHEMAS

    if args.kind not in SCHEMAS:
        raise NotFound(kind="schema", name=args.kind, help="、".join(SCHEMAS))
    _json(SCHEMAS[args.kind]())
    return 0


# deciding


def _decide(args: argparse.Namespace) -> int:
    overrides = {}
    for pair in args.set:
        name, eq, value = pair.partition("=")
        if not eq:
            raise BadInput(why=f"`{pair}` 应写作 参数=值")
        overrides[name] = value
    facts = _facts(args.facts)
    ruleset = args.ruleset
    if args.place:
        service = _service()
    else:
        # without a place nothing of the installation is needed: decide on a throw-away database
        from siquan.core.store.database import Store

        path = Path(ruleset)
        if path.suffix == ".yaml" and path.exists():
            catalogue, names = _chosen(ruleset)
            own = [r for r in catalogue.rulesets if r.startswith(f"{names[0]}.")]
            if len(own) != 1:
                raise BadInput(why=f"`{ruleset}` 里有 {len(own)} 个规则集，请写明编号")
            ruleset = own[0]
        else:
            catalogue = Home.of().catalogue()
        from siquan.core.home import new_id, now

        service = Siquan(Store("sqlite://", now, new_id), catalogue, now)
    decision = service.decide(ruleset, facts, _day(args.on), args.place, overrides)
    if args.json:
        _json(decision.contract())
    else:
        _print(decision)
    return 0


def _print(decision: Any) -> None:
    words = {"REJECT": "拟不通过", "BLOCK": "不得进行", "EVIDENCE": "待补证", "WARN": "提示", "PASS": "通过", "PRIORITY": "优先", "TARGET": "目标", "NA": "不适用"}
    print(f"{words[decision.outcome]} {decision.outcome}" + (f"　{decision.value}" if decision.value is not None else ""))
    for f in decision.findings:
        if f.result in ("hit", "unknown"):
            capped = f"（原为 {f.capped_from}，依据是 {f.basis}，最多提示）" if f.capped_from else ""
            print(f"  {f.rule:<10}{words.get(f.outcome, f.outcome)}　{f.message}{capped}　[{f.basis} {f.basis_cite or f.cite}]")
    for a in decision.asks:
        print(f"  要问：{a.title}（{a.fact}）" + (f"，由 {a.by} 提供" if a.by else "") + ("" if a.blocking else "，不影响继续"))
    print(f"  {decision.ruleset}，{decision.version}，{decision.hash[:12]}，判定日 {decision.on}，引擎 {'、'.join(decision.engines)}")


# cases


def _result(args: argparse.Namespace, result: Any) -> int:
    if args.json:
        out = {k: v for k, v in result.__dict__.items() if k != "decision"}
        if result.decision is not None:
            out["decision"] = result.decision.contract()
        _json(out)
    else:
        print(f"{result.number} {result.state_title}（{result.state}），修订 {result.revision}" + ("，重复的请求，没有再办一次" if result.repeated else ""))
        if result.decision is not None:
            _print(result.decision)
    return 0


def _open(args: argparse.Namespace) -> int:
    service = _service()
    return _result(args, service.open_case(args.process, args.by, args.place, _facts(args.facts), args.key, args.title))


def _act(args: argparse.Namespace) -> int:
    service = _service()
    case = _case(service, args.case)
    return _result(
        args, service.act(case, args.transition, args.by, _facts(args.facts), args.opinion, args.reason, args.revision, args.key)
    )


def _show(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    service = _service()
    view = service.case(_case(service, args.case), args.by)
    if args.json:
        _json(asdict(view))
        return 0
    print(f"{view.number} {view.title}：{view.state_title}，修订 {view.revision}")
    for step in view.steps:
        print(f"  {'可办' if step.allowed else '不可'}　{step.title}（{step.name}）" + (f" → {step.to}" if step.to else ""))
        for b in step.blocks:
            print(f"        {b.rule} {b.message}" + (f" [{b.basis} {b.cite}]" if b.basis else "") + (f"；{b.cure}" if b.cure else ""))
    for due in view.dues:
        print(f"  期限　{due.title}：{due.chip}　{due.line}")
    return 0


def _explain(args: argparse.Namespace) -> int:
    from siquan.core.service.record import record_of

    service = _service()
    views = service.explain(_case(service, args.case), args.by)
    if args.json:
        _json([{"id": v.id, "at": v.at, "transition": v.transition_title, "refused": v.refused, "replay": v.replay, "decision": record_of(v.decision)} for v in views])
        return 0
    for v in views:
        print(f"{v.at:%Y-%m-%d %H:%M} {v.actor} {v.transition_title}" + ("（未办成）" if v.refused else "") + (f"　重放：{v.replay}" if v.replay else ""))
        _print(v.decision)
    return 0


def _import(args: argparse.Namespace) -> int:
    service = _service()
    try:
        data = Path(args.file).read_bytes()
    except OSError as fault:
        raise BadInput(Where(args.file), why=str(fault.strerror)) from None
    result = service.import_sheet(_case(service, args.case), args.target, args.by, Path(args.file).name, data)
    if args.json:
        _json(result.__dict__)
    else:
        print(f"导入 {result.rows} 行：新增 {result.created}，更新 {result.updated}")
    return 0


def _export(args: argparse.Namespace) -> int:
    service = _service()
    name, data = service.sheet(_case(service, args.case), args.target, args.by, args.empty)
    path = Path(args.output or name)
    path.write_bytes(data)
    if args.json:
        _json({"file": str(path), "bytes": len(data)})
    else:
        print(path)
    return 0


def _replay(args: argparse.Namespace) -> int:
    differences = _service().replay(args.case)
    if args.json:
        _json(differences)
    else:
        for d in differences:
            print("　".join(f"{k}={v}" for k, v in d.items()))
        print(f"{len(differences)} 处不符")
    return 1 if differences else 0


def _sweep(args: argparse.Namespace) -> int:
    counts = _service().sweep()
    _json(counts) if args.json else print(f"提醒 {counts['reminded']}，自动办理 {counts['fired']}，失败 {counts['failed']}")
    return 0


def _audit(args: argparse.Namespace) -> int:
    service = _service()
    findings = service.audit_verify(_case(service, args.case) if args.case else None)
    if args.json:
        _json({"ok": not findings, "findings": [{"case": f.case_id, "seq": f.seq, "code": f.code, "message": f.zh} for f in findings]})
    else:
        for f in findings:
            print(f"{f.case_id} 第 {f.seq} 条 {f.code}：{f.zh}")
        print("历史完整，没有发现改动" if not findings else f"发现 {len(findings)} 处改动")
    return 1 if findings else 0
