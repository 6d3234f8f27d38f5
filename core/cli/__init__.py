"""The command line: the same calls as the web. Exit status 0 done, 1 refused by a rule or check, 2 wrong usage."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from siquan.core import __version__
from siquan.core.cli import casework, deciding, designing, installation, policy, proving, scaffold
from siquan.core.cli.reading import print_json
from siquan.core.errors import Errors, SiquanError


def main(argv: Sequence[str] | None = None) -> int:
    parser = _parser()
    args = parser.parse_args(argv)
    lang = os.environ.get("SIQUAN_LANG", "zh")
    try:
        status = args.run(args)
        return int(status or 0)
    except SiquanError as fault:
        if getattr(args, "json", False):
            print_json(fault.to_json(lang))
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

    def verb(name: str, run: Callable[[argparse.Namespace], int], help: str, json: bool = True) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=help, description=help)
        if json:
            sub.add_argument("--json", action="store_true", help="machine-readable output")
        sub.set_defaults(run=run)
        return sub

    run = verb("run", installation.run, "everything on one machine; demo data on first start")
    run.add_argument("--no-demo", action="store_true", help="start empty")
    verb("web", installation.web, "the web pages alone (PostgreSQL: workers run beside)")
    verb("worker", installation.worker, "background jobs alone")
    init = verb("init", installation.init, "create or upgrade the database")
    init.add_argument("--demo", action="store_true", help="load the demo data into an empty installation")
    verb("plugins", designing.plugins, "list plugins, with the error of a broken one")
    new = verb("new", scaffold.new, "a one-file plugin that verifies and passes its cases, to start from")
    new.add_argument("name")
    new.add_argument("--title", default="")
    new.add_argument("--folder", default=".", help="where to write it, default here")
    verify = verb("verify", proving.verify, "check plugins: states, roles, facts, parameters, outcomes")
    verify.add_argument("plugin", nargs="?", help="a plugin's name, folder or file")
    verify.add_argument("--strict", action="store_true", help="warnings count as errors")
    verify.add_argument("--keep", metavar="CODE[:N]", help="write the story of a finding as a test case into the plugin")
    test = verb("test", proving.test, "run the cases of plugins")
    test.add_argument("plugin", nargs="?")
    test.add_argument("--walk", action="store_true", help="generate paths over every state, transition, rule, role and deadline; report coverage")
    test.add_argument("--write", action="store_true", help="with --walk: keep the paths as test cases of the plugin")
    test.add_argument("--alone", action="store_true", help="with --walk: take no values from the plugin's own cases")
    test.add_argument("--least", type=int, default=95, metavar="PERCENT", help="with --walk: fail below this share of transitions, default 95")
    record = verb("record", proving.record, "a case that happened as an anonymised test case, run before it is printed")
    record.add_argument("case", help="id or number")
    record.add_argument("--by", required=True)
    record.add_argument("--out", metavar="FILE", help="a case file, added to where it exists")
    record.add_argument("--name", default="")
    draw = verb("draw", designing.draw, "the states of a process as SVG or Mermaid")
    draw.add_argument("process")
    draw.add_argument("--format", choices=["svg", "mermaid"], default="svg")
    draw.add_argument("--mermaid", action="store_true", help="the same as --format mermaid")
    draw.add_argument("--out", metavar="FILE", help="where to write it, default standard output")
    schema = verb("schema", designing.schema, "JSON Schema of the plugin files, for editors")
    schema.add_argument("kind", nargs="?", default="process")
    decide = verb("decide", deciding.decide, "decide with a rule set; both engines, nothing written")
    decide.add_argument("ruleset", help="id, or a plugin file")
    decide.add_argument("--facts", default="{}", help="JSON or YAML, @file or - for standard input")
    decide.add_argument("--on", help="decision date, default today")
    decide.add_argument("--known", help="decide as one knew on that day: what was published later does not count")
    decide.add_argument("--place", default="", help="e.g. compound/chenghu")
    decide.add_argument("--set", action="append", default=[], metavar="PARAM=VALUE")
    policy.add_arguments(verb("rules", policy.rules, "rule sets: versions, drafts, proof, approval, files", json=False))
    impact = verb("impact", policy.impact, "decide everything on record again with a draft: what changes, and why")
    impact.add_argument("draft", help="the draft's id")
    impact.add_argument("--by", required=True)
    impact.add_argument("-o", "--output", help="all of it as xlsx")
    opened = verb("open", casework.open_, "open a case")
    opened.add_argument("process")
    opened.add_argument("--facts", default="{}")
    opened.add_argument("--by", required=True)
    opened.add_argument("--place")
    opened.add_argument("--title", default="")
    opened.add_argument("--key", help="idempotency key")
    act = verb("act", casework.act, "take a step of a case")
    act.add_argument("case", help="id or number")
    act.add_argument("transition")
    act.add_argument("--by", required=True)
    act.add_argument("--facts", default="{}")
    act.add_argument("--opinion", default="")
    act.add_argument("--reason", default="")
    act.add_argument("--revision", type=int)
    act.add_argument("--key")
    show = verb("show", casework.show, "a case: state, next steps with reasons, deadlines")
    show.add_argument("case")
    show.add_argument("--by", required=True)
    explain = verb("explain", casework.explain, "every recorded decision of a case, with its rules and clauses")
    explain.add_argument("case")
    explain.add_argument("--by", required=True)
    imported = verb("import", casework.import_, "import a sheet into a case")
    imported.add_argument("case")
    imported.add_argument("target", help="e.g. candidates, owners, votes, members")
    imported.add_argument("file")
    imported.add_argument("--by", required=True)
    export = verb("export", casework.export, "export a sheet of a case")
    export.add_argument("case")
    export.add_argument("target")
    export.add_argument("--by", required=True)
    export.add_argument("--empty", action="store_true", help="the template without rows")
    export.add_argument("-o", "--output")
    replay = verb("replay", casework.replay, "rebuild cases from their events and decide their decisions again")
    replay.add_argument("case", nargs="?")
    verb("sweep", casework.sweep, "fire deadlines that have passed")
    audit = verb("audit", casework.audit, "prove that the history was not edited")
    audit.add_argument("what", choices=["verify"])
    audit.add_argument("case", nargs="?")
    return parser


