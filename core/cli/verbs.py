"""suspend, return, merge, urge ...: the verbs of a case on the command line, one command each."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Callable

from siquan.core.cli.casework import print_result
from siquan.core.cli.reading import find_case, open_service, print_json, read_facts
from siquan.core.views_verbs import BulkResult

#: command -> (verb, what it does, what it takes besides the case)
COMMANDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "withdraw": ("withdraw", "the applicant withdraws a case", ("reason", "opinion")),
    "terminate": ("terminate", "end a case for good, its open children with it", ("reason", "opinion")),
    "close-early": ("close_early", "close a case before its usual end", ("reason", "opinion")),
    "return": ("return", "back to an earlier step the case went through", ("to", "reason", "opinion")),
    "take-back": ("take_back", "undo your own last step while nobody touched the case", ()),
    "suspend": ("suspend", "stop work and clocks of a case", ("reason", "opinion")),
    "resume": ("resume", "go on with a suspended case; its deadlines move", ("opinion",)),
    "reopen": ("reopen", "open a closed case again", ("reason", "opinion")),
    "merge": ("merge", "merge other cases into this one", ("cases", "reason", "opinion")),
    "unmerge": ("unmerge", "take a case out of the one it was merged into", ("opinion",)),
    "split": ("split", "a new case of the same process with chosen facts", ("take", "title", "reason", "opinion")),
    "derive": ("derive", "a case of another process, with what both know", ("process", "title", "reason", "opinion")),
    "link": ("link", "relate two cases", ("case2",)),
    "unlink": ("unlink", "two cases are no longer related", ("case2",)),
    "urge": ("urge", "tell those who could act now", ()),
    "copy": ("copy", "let persons see the case", ("persons", "opinion")),
    "read": ("read", "mark what you were told of a case as read", ()),
    "follow": ("follow", "be told of every act of others", ()),
    "unfollow": ("unfollow", "be told no longer", ()),
    "claim": ("claim", "take a task on; nobody else takes its step", ("task",)),
    "release": ("release", "give a task back to whoever may", ("task", "opinion")),
    "transfer": ("transfer", "give a task to somebody who may do it", ("user", "task", "opinion")),
    "delegate": ("delegate", "have somebody do a task and hand it back", ("user", "opinion")),
    "hand-back": ("hand_back", "give back what was delegated, with what you found", ("opinion",)),
    "recall": ("recall", "take back what you delegated", ()),
    "dispatch": ("dispatch", "say who does a task, and who helps", ("user", "help", "opinion")),
    "decline": ("decline", "send a task back to who dispatched it", ("reason", "opinion")),
    "assist-done": ("assist_done", "report your part of a task done", ("opinion",)),
    "add-signer": ("add_signer", "ask one more person for a signature", ("user", "before", "opinion")),
    "remove-signer": ("remove_signer", "ask one person less", ("user", "task", "opinion")),
    "sign": ("sign", "give your signature", ("result", "task", "reason", "opinion")),
}

Verb = Callable[..., argparse.ArgumentParser]


def add_commands(verb: Verb) -> None:
    """`verb` is the parser's own way to add a command."""
    for name, (_, about, takes) in COMMANDS.items():
        sub = verb(name, run, about)
        sub.add_argument("case", help="id or number")
        if "cases" in takes:
            sub.add_argument("others", nargs="+", metavar="CASE", help="the cases to merge into it")
        if "case2" in takes:
            sub.add_argument("others", nargs=1, metavar="CASE")
        if "persons" in takes:
            sub.add_argument("others", nargs="+", metavar="USER")
        if "user" in takes:
            sub.add_argument("to", metavar="USER")
        if "help" in takes:
            sub.add_argument("--help-by", nargs="*", default=[], metavar="USER", dest="others", help="co-handlers")
        if "before" in takes:
            sub.add_argument("--before", action="store_true", help="in front of you, where signatures go in order")
        if "result" in takes:
            sub.add_argument("result", choices=("agree", "refuse"))
        if "task" in takes:
            sub.add_argument("--task", default="", help="which one, where several fit")
        if "process" in takes:
            sub.add_argument("to", metavar="PROCESS")
        if "to" in takes:
            sub.add_argument("--to", required=True, metavar="STATE")
        if "take" in takes:
            sub.add_argument("--take", nargs="*", default=[], metavar="FACT", help="facts the new case takes along")
        for option in ("title", "reason", "opinion"):
            if option in takes:
                sub.add_argument(f"--{option}", default="")
        sub.add_argument("--by", required=True)
        sub.add_argument("--revision", type=int)
        sub.add_argument("--key", help="idempotency key")
        sub.set_defaults(command=name)


def run(args: argparse.Namespace) -> int:
    service = open_service()
    verb, _, takes = COMMANDS[args.command]
    others = list(getattr(args, "others", ()))
    if not {"persons", "help"} & set(takes):
        others = [find_case(service, name) for name in others]
    result = service.verb(
        find_case(service, args.case), verb, args.by, to=getattr(args, "to", ""), reason=getattr(args, "reason", ""),
        opinion=getattr(args, "opinion", ""), others=others, facts=getattr(args, "take", ()), title=getattr(args, "title", ""),
        task=getattr(args, "task", ""), result=getattr(args, "result", ""), before=getattr(args, "before", False),
        revision=args.revision, key=args.key,
    )  # fmt: skip
    return print_result(args, result)


def many(args: argparse.Namespace) -> int:
    """`siquan act` on several cases: a line for each, 1 when one of them was not done."""
    service = open_service()
    cases = [(find_case(service, name), None) for name in args.case]
    key = args.key or secrets.token_urlsafe(12)
    result = service.bulk(cases, args.transition, args.by, key, facts=read_facts(args.facts), opinion=args.opinion, reason=args.reason)
    return print_many(args, result)


def print_many(args: argparse.Namespace, result: BulkResult) -> int:
    if args.json:
        print_json([line.__dict__ for line in result.lines])
    else:
        for line in result.lines:
            print(f"{line.number or line.case}　{ {'done': '已办', 'stale': '别人改过', 'refused': '没办成'}[line.outcome]}　{line.text}")
    return 0 if all(line.outcome == "done" for line in result.lines) else 1
