"""The command line: the same calls as the web. Exit status 0 done, 1 refused by a rule or check, 2 wrong usage."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from siquan.core import __version__
from siquan.core.cli import (
    accounts,
    casework,
    changing,
    deciding,
    designing,
    installation,
    people,
    policy,
    proving,
    scaffold,
    timekeeping,
)
from siquan.core.cli import verbs as verbs_of_cases
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
    act.add_argument("case", nargs="+", help="id or number; several are done one by one")
    act.add_argument("transition")
    act.add_argument("--by", required=True)
    act.add_argument("--facts", default="{}")
    act.add_argument("--opinion", default="")
    act.add_argument("--reason", default="")
    act.add_argument("--revision", type=int)
    act.add_argument("--key")
    verbs_of_cases.add_commands(verb)
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
    export = verb("export", casework.export, "export a sheet of a case, or the event log: siquan export events")
    export.add_argument("case", help="id or number; or the word events")
    export.add_argument("target", nargs="?", default="")
    export.add_argument("--by", required=True)
    export.add_argument("--empty", action="store_true", help="the template without rows")
    export.add_argument("-o", "--output", "--out")
    export.add_argument("--process", default="", help="events: of this process only")
    export.add_argument("--since", default="", help="events: from this day on")
    export.add_argument("--until", default="", help="events: up to this day, included")
    export.add_argument("--format", choices=["csv", "xes"], default="csv", help="events: csv, or xes (IEEE 1849)")
    export.add_argument("--names", action="store_true", help="events: real names instead of pseudonyms; for an administrator, on the access log")
    changing.add_arguments(verb("process", changing.versions, "versions of a process: differences, migration of open cases, undo", json=False))
    repair = verb("repair", changing.repair, "put a stuck case into another state: one proposes, another confirms")
    repair.add_argument("case", help="id or number")
    repair.add_argument("--to", default="", metavar="STATE")
    repair.add_argument("--by", required=True)
    repair.add_argument("--reason", default="")
    repair.add_argument("--reopen", action="store_true", help="the case is closed and shall be opened again")
    repair.add_argument("--confirm", action="store_true", help="carry out what another proposed")
    verb("stuck", changing.stuck, "cases nobody can move on: unknown state, nobody in post, open incident, no task")
    replay = verb("replay", casework.replay, "rebuild cases from their events and decide their decisions again")
    replay.add_argument("case", nargs="?")
    verb("sweep", casework.sweep, "fire deadlines that have passed")
    people.add_people(verb("people", people.people, "posts, leavers and their open work", json=False))
    people.add_substitute(verb("substitute", people.substitute, "name who stands in for a person for a period"))
    due = verb("due", timekeeping.due, "what is overdue or soon due, with lamps and levels of supervision")
    due.add_argument("--unit", default="", help="only at this unit and below it")
    due.add_argument("--process", default="")
    owed = verb("obligations", timekeeping.obligations, "periods of obligations: of a case, or all that are not settled")
    owed.add_argument("case", nargs="?")
    calendar = verb("calendar", timekeeping.calendar, "working days of a year: show, propose, publish or correct")
    calendar.add_argument("what", choices=["show", "propose", "publish"])
    calendar.add_argument("year", type=int)
    calendar.add_argument("--file", help="YAML with year, source, holidays and workdays")
    calendar.add_argument("--by", help="an administrator")
    calendar.add_argument("--preview", action="store_true", help="say which deadlines would move, publish nothing")
    accounts.add_arguments(verb("accounts", accounts.accounts, "accounts: list, statement, reconciliation, reversal", json=False))
    audit = verb("audit", casework.audit, "prove that the history was not edited")
    audit.add_argument("what", choices=["verify", "root"])
    audit.add_argument("case", nargs="?", help="verify: a case; root: a day, default the newest")
    audit.add_argument("--since", default="", metavar="DAY", help="verify: what happened since a day whose root was printed")
    audit.add_argument("--root", default="", help="verify: the root as it was printed")
    return parser


