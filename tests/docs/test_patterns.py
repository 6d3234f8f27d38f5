"""The page of control-flow patterns: all of them, once each, with examples that load, verify, run and stand in the files."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import pytest
from docpages import DOCS, Block, blocks

from siquan.core.plugins import discover
from siquan.core.spec.model import CaseSpec
from siquan.core.testing.runner import run_case
from siquan.core.verify import verify

PAGE, FOLDER = DOCS / "patterns.md", DOCS / "examples" / "patterns"
SUPPORT = ("directly", "with children", "by a rule", "not")
#: numbers and names as the Workflow Patterns Initiative has them, in its groups
NAMES = {
    "Basic Control-Flow Patterns": {1: "Sequence", 2: "Parallel Split", 3: "Synchronization", 4: "Exclusive Choice", 5: "Simple Merge"},
    "Advanced Branching and Synchronization Patterns": {
        6: "Multi-Choice", 7: "Structured Synchronizing Merge", 8: "Multi-Merge", 9: "Structured Discriminator", 28: "Blocking Discriminator",
        29: "Cancelling Discriminator", 30: "Structured Partial Join", 31: "Blocking Partial Join", 32: "Cancelling Partial Join",
        33: "Generalized AND-Join", 37: "Acyclic Synchronizing Merge", 38: "General Synchronizing Merge", 41: "Thread Merge", 42: "Thread Split",
    },
    "Multiple Instance Patterns": {
        12: "Multiple Instances without Synchronization", 13: "Multiple Instances with a Priori Design-Time Knowledge",
        14: "Multiple Instances with a Priori Run-Time Knowledge", 15: "Multiple Instances without a Priori Run-Time Knowledge",
        34: "Static Partial Join for Multiple Instances", 35: "Cancelling Partial Join for Multiple Instances",
        36: "Dynamic Partial Join for Multiple Instances",
    },
    "State-based Patterns": {
        16: "Deferred Choice", 17: "Interleaved Parallel Routing", 18: "Milestone", 39: "Critical Section", 40: "Interleaved Routing",
    },
    "Cancellation and Force Completion Patterns": {
        19: "Cancel Activity", 20: "Cancel Case", 25: "Cancel Region", 26: "Cancel Multiple Instance Activity",
        27: "Complete Multiple Instance Activity",
    },
    "Iteration Patterns": {10: "Arbitrary Cycles", 21: "Structured Loop", 22: "Recursion"},
    "Termination Patterns": {11: "Implicit Termination", 43: "Explicit Termination"},
    "Trigger Patterns": {23: "Transient Trigger", 24: "Persistent Trigger"},
}  # fmt: skip
CATALOGUE = discover(bundled=False, only=[FOLDER])
PLUGIN = CATALOGUE.plugin("patterns")
CASES = {(p.id.partition(".")[2], c.name): c for p in PLUGIN.processes for c in p.cases}


@dataclass(frozen=True)
class Pattern:
    number: int
    name: str
    group: str
    support: str
    example: tuple[str, str] | None
    text: str
    blocks: tuple[Block, ...]

    def __str__(self) -> str:
        return f"WCP-{self.number}"


def patterns() -> list[Pattern]:
    text, found = PAGE.read_text(encoding="utf-8"), blocks(PAGE, "yaml")
    heads = [*re.finditer(r"^(#{2,3}) (.+?) · .+$", text, re.MULTILINE)]
    out, group = [], ""
    for head, end in zip(heads, [*(h.start() for h in heads[1:]), len(text)], strict=True):
        if head[1] == "##":
            group = head[2]
            continue
        title = re.fullmatch(r"WCP-(\d+) (.+)", head[2])
        assert title, head[0]
        part = text[head.end() : end]
        line = re.search(r"^\*\*`([a-z ]+)`\*\*(?:　例：`(\w+)`“(.+)”)?$", part, re.MULTILINE)
        assert line, head[0]
        mine = tuple(b for b in found if head.end() < b.start < end)
        out.append(Pattern(int(title[1]), title[2], group, line[1], (line[2], line[3]) if line[2] else None, part, mine))
    return out


PATTERNS = patterns()
SUPPORTED = [p for p in PATTERNS if p.support != "not"]


def test_every_pattern_stands_once_under_its_name_and_group() -> None:
    wanted = sorted((group, n, name) for group, names in NAMES.items() for n, name in names.items())
    assert sorted((p.group, p.number, p.name) for p in PATTERNS) == wanted
    assert sorted(p.number for p in PATTERNS) == list(range(1, 44))


def test_the_counts_are_those_of_the_list() -> None:
    rows = re.findall(r"^\| `([a-z ]+)` \| .+? \| (\d+) \| ([\d、]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [r[0] for r in rows] == list(SUPPORT)
    counted = Counter(p.support for p in PATTERNS)
    for support, n, numbers in rows:
        assert int(n) == counted[support]
        assert [int(x) for x in numbers.split("、")] == sorted(p.number for p in PATTERNS if p.support == support)


@pytest.mark.parametrize("pattern", SUPPORTED, ids=str)
def test_what_is_supported_has_a_case_that_goes_through_what_is_shown(pattern: Pattern) -> None:
    assert pattern.example in CASES
    case = CASES[pattern.example]
    done = {x for s in case.steps for x in (s.act, s.refused, s.expect)} - {""}
    shown = {w for b in pattern.blocks for w in re.findall(r"[\w]+(?:-\d+)?", b.text)}
    assert pattern.blocks and done & shown


@pytest.mark.parametrize("pattern", [p for p in PATTERNS if p.support == "not"], ids=str)
def test_what_is_not_supported_says_so_at_length(pattern: Pattern) -> None:
    assert pattern.example is None and not pattern.blocks
    assert len(pattern.text.split("**`not`**")[1].strip()) > 60


@pytest.mark.parametrize("block", [b for p in PATTERNS for b in p.blocks], ids=str)
def test_an_excerpt_stands_in_its_file_letter_by_letter(block: Block) -> None:
    """Runs of whole lines, set apart by an empty line, in the order of the file."""
    assert block.mark.startswith("from: ")
    lines = (FOLDER / "workflows" / block.mark.removeprefix("from: ")).read_text(encoding="utf-8").splitlines()
    at = 0
    for piece in block.text.rstrip("\n").split("\n\n"):
        wanted = piece.split("\n")
        found = [n for n in range(at, len(lines) - len(wanted) + 1) if lines[n : n + len(wanted)] == wanted]
        assert found, piece
        at = found[0] + len(wanted)


def test_every_example_on_the_page_is_an_excerpt() -> None:
    assert sorted(b.start for p in PATTERNS for b in p.blocks) == [b.start for b in blocks(PAGE, "yaml")]


def test_the_examples_verify_strictly() -> None:
    assert [f.full("zh") for f in verify(CATALOGUE, "patterns") if f.severity != "note"] == []


@pytest.mark.parametrize("case", CASES.values(), ids=[f"{p}-{n}" for p, n in CASES])
def test_the_examples_run(case: CaseSpec) -> None:
    assert run_case(CATALOGUE, case) == []


def test_its_readme_names_every_process() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert not [p.id for p in PLUGIN.processes if f"`{p.id.partition('.')[2]}`" not in text]
