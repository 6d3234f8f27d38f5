"""Reading the documentation as data: pages, code blocks, console sessions, generated parts.

`python tests/docs/docpages.py` writes the generated parts anew: `docs/errors.md`, copies of files, and the output
shown below each `$ siquan ...`. The tests check that nothing of it would change.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import io
import itertools
import os
import pkgutil
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
#: the moment every example happens at, so that what it prints can stand in a page
NOW = dt.datetime(2026, 11, 24, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


def pages() -> list[Path]:
    """Every page a person may read: README, docs, plugin and fragment READMEs."""
    out = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
    return out + sorted((ROOT / "plugins").glob("*/README.md")) + sorted((ROOT / "workflows").glob("*/README.md"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# blocks

_FENCE = re.compile(r"^(?P<fence>```+)(?P<lang>\w*)[^\n]*\n(?P<text>.*?)^(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"<!--\s*([^>]*?)\s*-->\s*\Z")


@dataclass(frozen=True)
class Block:
    """A fenced block; `mark` is the comment right before it, such as `file: stall.yaml`."""

    page: Path
    line: int
    lang: str
    text: str
    mark: str
    start: int
    end: int

    @property
    def file(self) -> str:
        return self.mark.removeprefix("file:").strip() if self.mark.startswith("file:") else ""

    def __str__(self) -> str:
        return f"{named(self.page)}:{self.line}"


def blocks(page: Path, lang: str = "") -> list[Block]:
    text = page.read_text(encoding="utf-8")
    out = []
    for hit in _FENCE.finditer(text):
        mark = _MARK.search(text[: hit.start()])
        block = Block(
            page, text.count("\n", 0, hit.start()) + 1, hit["lang"], hit["text"], mark[1] if mark else "", hit.start("text"), hit.end("text")
        )
        if lang in ("", block.lang):
            out.append(block)
    return out


# console sessions


@dataclass
class Command:
    line: str
    shown: list[str]  # the line or lines as they stand in the page
    expected: list[str] = field(default_factory=list)


def commands(text: str) -> list[Command]:
    """`$ ...` lines with what stands below each; a line that ends in a backslash goes on."""
    out: list[Command] = []
    open_ = False
    for line in text.splitlines():
        if open_:
            out[-1].shown.append(line)
            out[-1].line += " " + line.strip().rstrip("\\").strip()
            open_ = line.endswith("\\")
        elif line.startswith("$ "):
            out.append(Command(line[2:].rstrip("\\").strip(), [line]))
            open_ = line.endswith("\\")
        elif out:
            out[-1].expected.append(line)
    return out


#: plugin folders -> what was found there; reading every plugin for every example would take a minute
_CATALOGUES: dict[tuple[Path, ...], Any] = {}


@contextlib.contextmanager
def frozen() -> Iterator[None]:
    """Installations made inside live at NOW, a millisecond later at each look at the clock, and read plugins once."""
    from siquan.core.cli import deciding
    from siquan.core.home import Home
    from siquan.core.policy import proving

    ticks = itertools.count()
    real_of, real_catalogue, real_now, patience = Home.__dict__["of"], Home.catalogue, deciding.now, proving.PATIENCE

    def clock() -> dt.datetime:
        return NOW + dt.timedelta(milliseconds=next(ticks))

    def of(cls: Any, environ: Any = os.environ) -> Any:
        home = real_of.__func__(cls, environ)
        home.clock = clock
        return home

    def catalogue(home: Any) -> Any:
        key = tuple(p.resolve() for p in home.plugin_dirs)
        if key not in _CATALOGUES:
            _CATALOGUES[key] = real_catalogue(home)
        return _CATALOGUES[key]

    proving.PATIENCE = 60.0  # what a page shows does not hang on what else the machine does
    Home.of, Home.catalogue, deciding.now = classmethod(of), catalogue, clock  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        Home.of, Home.catalogue, deciding.now = real_of, real_catalogue, real_now  # type: ignore[method-assign]
        proving.PATIENCE = patience


def load_demo_into(folder: Path) -> None:
    with frozen(), surroundings(folder.parent, folder):
        status, text = run_siquan("init --demo")
    assert status == 0, text


@contextlib.contextmanager
def surroundings(cwd: Path, home: Path) -> Iterator[None]:
    """A working folder and an environment of its own."""
    before, old = os.getcwd(), dict(os.environ)
    for name in [n for n in os.environ if n.startswith("SIQUAN_") or n in ("PORT", "HOST")]:
        del os.environ[name]
    os.environ |= {"SIQUAN_HOME": str(home), "COLUMNS": "100"}
    os.chdir(cwd)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(old)


def run_siquan(line: str) -> tuple[int, str]:
    """Exit status and output of a `siquan` line, in this process."""
    from siquan.core.cli import main

    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            status = main(shlex.split(line))
        except SystemExit as stop:
            status = int(stop.code or 0)
    return status, out.getvalue()


class Session:
    """Runs the console blocks of one page, top to bottom, in one folder."""

    def __init__(self, page: Path, folder: Path, demo: Path | None = None) -> None:
        self.page, self.folder, self.home, self.status = page, folder, folder / "var", 0
        if demo is not None:
            shutil.copytree(demo, self.home)

    def lay(self, block: Block) -> None:
        path = self.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")

    def run(self, line: str) -> str:
        with frozen(), surroundings(self.folder, self.home):
            if line == "echo $?":
                return f"{self.status}\n"
            words = shlex.split(line)
            count = 0
            while re.fullmatch(r"[A-Z_]+=.*", words[count]):
                name, _, value = words[count].partition("=")
                os.environ[name] = value
                count += 1
            if words[count] == "cat":
                return (self.folder / words[count + 1]).read_text(encoding="utf-8")
            assert words[count] == "siquan", f"{named(self.page)}: only siquan, cat and echo $? are run, not `{line}`"
            self.status, text = run_siquan(line.split("siquan ", 1)[1])
            return text


def wants_demo(page: Path) -> bool:
    return "<!-- demo -->" in page.read_text(encoding="utf-8")


_HEX = re.compile(r"\b[0-9a-f]{12,64}\b")


def same(expected: str, got: str) -> bool:
    """Whether the output is what the page shows: hashes are not compared, `...` stands for any text."""
    from siquan.core.rules.durable import available

    if not available():
        expected = expected.replace("compiled、durable", "compiled")
    a, b = (_HEX.sub("<hash>", "\n".join(line.rstrip() for line in t.strip().splitlines())) for t in (expected, got))
    if "..." not in a:
        return a == b
    pattern = ".*".join(re.escape(part.strip("\n") if part.strip() else part) for part in a.split("..."))
    return re.fullmatch(pattern, b, re.DOTALL) is not None


def console_pages() -> list[Path]:
    return [p for p in pages() if blocks(p, "console")]


def differences(page: Path, folder: Path, demo: Path | None) -> list[tuple[Block, int, str]]:
    """Commands whose output is not what the page shows: (block, which of its commands, output)."""
    session = Session(page, folder, demo)
    out: list[tuple[Block, int, str]] = []
    for block in blocks(page):
        if block.file:
            session.lay(block)
        if block.lang != "console":
            continue
        for n, command in enumerate(commands(block.text)):
            got = session.run(command.line)
            if not same("\n".join(command.expected), got):
                out.append((block, n, got))
    return out


# errors


def errors() -> list[type[Any]]:
    """Every error class of core and web, by code and name."""
    from siquan.core.errors import SiquanError

    for package in ("siquan.core", "siquan.web"):
        top = importlib.import_module(package)
        for module in pkgutil.walk_packages(top.__path__, f"{package}."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)
    found: set[type[Any]] = set()
    todo: list[type[Any]] = [SiquanError]
    while todo:
        kind = todo.pop()
        if kind.__module__.startswith("siquan.") and kind not in found:
            found.add(kind)
            todo += kind.__subclasses__()
    return sorted(found, key=lambda k: (k.code, len(k.__mro__), k.__qualname__))


AREAS = (
    ("SQ00", "一般", "general"), ("SQ01", "读 YAML", "reading YAML"), ("SQ02", "片段", "fragments"), ("SQ03", "流程", "processes"),
    ("SQ04", "插件", "plugins"), ("SQ10", "表达式", "expressions"), ("SQ11", "决策表", "decision tables"), ("SQ12", "证明", "proofs"), ("SQ13", "DMN", "DMN"), ("SQ14", "DMN", "DMN"),
    ("SQ15", "规则的 Excel 和 YAML", "rules in Excel and YAML"), ("SQ16", "规则的 Excel 和 YAML", "rules in Excel and YAML"), ("SQ17", "影响测算", "impact"), ("SQ18", "规则的版本", "versions of rules"), ("SQ2", "事实", "facts"), ("SQ3", "参数", "parameters"),
    ("SQ40", "办事", "acting"), ("SQ41", "办事", "acting"), ("SQ42", "办事", "acting"), ("SQ47", "第二套引擎", "the second engine"),
    ("SQ48", "谁来办、代办、人员", "who acts, substitutes, people"), ("SQ49", "流程的版本和修复", "versions of a process, repair"),
    ("SQ50", "两套引擎不一致", "engines that differ"), ("SQ51", "日历", "calendar"), ("SQ52", "期限和数据库", "deadlines and database"),
    ("SQ53", "表决票", "ballots"), ("SQ6", "用例和演示", "cases and demo"), ("SQ7", "后台任务", "background jobs"), ("SQ8", "Excel", "Excel"),
)  # fmt: skip


def _area(code: str) -> str:
    return next((f"{zh} · {en}" for head, zh, en in AREAS if code.startswith(head)), "其他 · other")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def errors_page() -> str:
    """docs/errors.md."""
    from siquan.core.store import audit

    out = [
        "# 错误代码 · Error codes",
        "",
        "<!-- written by `python tests/docs/docpages.py`; do not edit -->",
        "",
        "每条报错都有一个不变的代码，中英文各一句，花括号里换成实际的内容。退出码：1 是规则或检查不许，2 是用法或输入不对；"
        "HTTP 是网页和接口的状态码。`SIQUAN_LANG=en` 让命令行说英文。",
        "",
        "Every error has a code that stays, and one sentence in each language; braces hold what you wrote. Exit status 1: refused by a rule "
        "or check, 2: wrong usage or input.",
    ]
    last = ""
    for kind in errors():
        area = _area(kind.code)
        if area != last:
            out += ["", f"## {area}", "", "| 代码 | 中文 | English | 退出码 | HTTP |", "|---|---|---|---|---|"]
            last = area
        parent = next((b for b in kind.__mro__[1:] if getattr(b, "code", "") == kind.code), None)
        if parent is not None and parent.zh == kind.zh:
            continue
        zh, en = kind.zh, " ".join((kind.__doc__ or "").split())
        zh += f"<br>{kind.help_zh}" if kind.help_zh.strip() and kind.help_zh != "{hint}" else ""
        en += f"<br>{kind.help_en}" if kind.help_en.strip() and kind.help_en != "{hint}" else ""
        out.append(f"| `{kind.code}` | {_cell(zh)} | {_cell(en)} | {kind.exit} | {kind.http} |")
    out += ["", "## 审计核验 · `siquan audit verify`", "", "| 代码 | 中文 | English |", "|---|---|---|"]
    for code, (zh, en) in sorted(audit._MESSAGES.items()):
        out.append(f"| `{code}` | {_cell(zh)} | {_cell(en)} |")
    out += [
        "",
        "`siquan verify` 的检查另有代码，见 [写一个插件](write-a-plugin.md)。The checks of `siquan verify` have codes of their own, listed there.",
        "",
    ]
    return "\n".join(out)


# generated parts

_PART = re.compile(r"(<!-- generated: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def checks_part() -> str:
    """The checks of `siquan verify`, with what holds when they find nothing."""
    from siquan.core.verify import CHECKS

    lines = [f"| `{code}` | {zh} | {en} |" for code, zh, en, _ in sorted(CHECKS, key=lambda c: c[0])]
    return "\n".join(["| 代码 | 要做到 | What has to hold |", "|---|---|---|", *lines])


PARTS = {"checks": checks_part}

_COPY = re.compile(r"(<!-- include: (\S+) -->\n```\w*\n)(.*?)(```)", re.DOTALL)


def renewed(page: Path) -> str:
    """The page with every `<!-- include: path -->` block as the file is now, and its generated parts."""
    text = page.read_text(encoding="utf-8")
    text = _PART.sub(lambda m: f"{m[1]}{PARTS[m[2]]()}\n{m[4]}", text)
    return _COPY.sub(lambda m: m[1] + (ROOT / m[2]).read_text(encoding="utf-8") + m[4], text)


# writing


def write() -> None:
    (DOCS / "errors.md").write_text(errors_page(), encoding="utf-8")
    for page in pages():
        text = renewed(page)
        if text != page.read_text(encoding="utf-8"):
            page.write_text(text, encoding="utf-8")
    with tempfile.TemporaryDirectory() as scratch:
        demo = Path(scratch) / "demo" / "var"
        demo.parent.mkdir()
        if any(wants_demo(p) for p in console_pages()):
            load_demo_into(demo)
        for n, page in enumerate(console_pages()):
            folder = Path(scratch) / str(n)
            folder.mkdir()
            found = {(b.start, i): got for b, i, got in differences(page, folder, demo if wants_demo(page) else None)}
            text = page.read_text(encoding="utf-8")
            for block in reversed(blocks(page, "console")):
                lines: list[str] = []
                for i, command in enumerate(commands(block.text)):
                    got = found.get((block.start, i))
                    lines += command.shown + (command.expected if got is None else got.rstrip("\n").splitlines())
                text = text[: block.start] + "\n".join(lines) + "\n" + text[block.end :]
            page.write_text(text, encoding="utf-8")
            print(f"{named(page)}: {len(found)} outputs written")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests" / "docs"))
    write()
