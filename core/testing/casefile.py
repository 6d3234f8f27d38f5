"""A test case as YAML, and its way into a plugin's files: what stands there keeps its comments and its form."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from siquan.core.errors import SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.spec.model import CaseSpec, CaseStep

#: a value that fits into so many characters stands on one line
LINE = 150
_PLAIN = re.compile(r"[\w一-鿿（）《》、，。；：！？“”·＝/.\-]+(?: [\w一-鿿（）、，。]+)*")
_LOADER = YAML(typ="safe", pure=True)
_LOADER.version = (1, 2)


class NoPlaceForCase(SiquanError):
    """the case cannot be written into `{file}`: {why}"""

    code = "SQ602"
    zh = "用例写不进 `{file}`：{why_zh}"
    help_en = "print it instead and put it there by hand"
    help_zh = "可以先打印出来，再手工放进去"
    exit = 1


def scalar(value: Any) -> str:
    """One value as YAML has it; text is quoted where it would be read as something else."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, Fraction):
        return str(value.numerator) if value.denominator == 1 else str(Decimal(value.numerator) / Decimal(value.denominator))
    if isinstance(value, dt.date):
        return value.isoformat()
    text = str(value)
    if _PLAIN.fullmatch(text) and text[0] not in "-." and not text.endswith(":"):
        try:
            found = _LOADER.load(f"{{a: {text}}}")
        except YAMLError:
            found = None
        if isinstance(found, dict) and found.get("a") == text:
            return text
    return json.dumps(text, ensure_ascii=False)


def flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(v) for v in value) + "]"
    return scalar(value)


def block(value: Any, indent: int) -> list[str]:
    """Lines of a value under its key; short ones stand in one line of flow style."""
    pad = " " * indent
    out: list[str] = []
    if isinstance(value, Mapping):
        for key, item in value.items():
            line = f"{pad}{scalar(key)}: {flow(item)}"
            if len(line) <= LINE or not isinstance(item, Mapping | list | tuple) or not item:
                out.append(line)
            else:
                out += [f"{pad}{scalar(key)}:", *block(item, indent + 2)]
        return out
    for item in value:
        line = f"{pad}- {flow(item)}"
        if len(line) <= LINE or not isinstance(item, Mapping) or not item:
            out.append(line)
        else:
            below = block(item, indent + 2)
            out += [f"{pad}- {below[0].lstrip()}", *below[1:]]
    return out


def item(case: Mapping[str, Any], indent: int = 0, comment: str = "") -> list[str]:
    """A case as an entry of a list of cases."""
    pad = " " * indent
    lines: list[str] = [f"{pad}# {comment}"] if comment else []
    for n, (key, value) in enumerate(case.items()):
        lead = f"{pad}- " if n == 0 else f"{pad}  "
        if key == "steps":
            lines += [f"{lead}{key}:", *block(value, indent + 4)]
            continue
        whole = f"{lead}{key}: {flow(value)}"
        if len(whole) <= LINE or not isinstance(value, Mapping | list | tuple):
            lines.append(whole)
        else:
            lines += [f"{lead}{key}:", *block(value, indent + 4)]
    return lines


def text_of(cases: Sequence[Mapping[str, Any]], process: str = "", comment: str = "") -> str:
    """A whole case file."""
    head = ([f"# {comment}"] if comment else []) + ([f"process: {process}"] if process else []) + ["cases:"]
    return "\n".join([*head, *(line for case in cases for line in item(case, 2))]) + "\n"


def written(case: CaseSpec) -> dict[str, Any]:
    """A case as a designer writes it: what is not said is left out."""
    steps = [_step(s) for s in case.steps]
    out: dict[str, Any] = {"name": case.name}
    plain = {"on": case.on, "base": case.base, "given": case.given, "steps": steps, "decide": case.decide, "expect": case.expect}
    plain = {"accounts": case.accounts, **plain, "expect_accounts": case.expect_accounts}
    out |= {k: v for k, v in plain.items() if v}
    if case.because is not None:
        out["because"] = list(case.because)
    if case.set:
        out["set"] = case.set
    return out


def _step(step: CaseStep) -> dict[str, Any]:
    keys = (
        "act", "task", "by", "to", "others", "before", "result", "on", "wait", "child", "given", "opinion", "reason", "refused", "expect",
        "duties", "expect_accounts",
    )  # fmt: skip
    return {k: list(v) if isinstance(v, tuple) else v for k in keys if (v := getattr(step, k))}


# into the plugin

def short(process: str) -> str:
    return process.partition(".")[2]


def file_of(catalogue: Catalogue, process: str) -> Path:
    """Where cases of a process belong: the one file of the plugin, the case file of the process, or a new one."""
    plugin = process.partition(".")[0]
    found = next((f for f in catalogue.found if f.name == plugin and f.path), None)
    root = Path(found.path) if found is not None else Path(catalogue.plugin(plugin).path)
    if root.is_file():
        return root
    folder = root / "cases"
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        data = YAML().load(path.read_text(encoding="utf-8"))
        if isinstance(data, Mapping) and str(data.get("process", "")) in (process, short(process)):
            return path
    own = folder / f"{short(process).rpartition('.')[2]}.yaml"
    return own if not own.exists() else folder / f"{short(process)}.yaml"


def keep(path: Path, process: str, cases: Sequence[Mapping[str, Any]], comment: str = "") -> None:
    """Adds cases at the end of a file's list. Everything that stands there stays as it is; the file is read again before
    it is replaced, and a file that would say anything else is left alone. Raises NoPlaceForCase."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, text_of(cases, short(process), comment))
        return
    old = path.read_text(encoding="utf-8")
    try:
        new = _inserted(old, cases, comment)
        _same_but_more(path, old, new, len(cases))
    except YAMLError as fault:
        raise NoPlaceForCase(file=path.name, why=str(fault).splitlines()[0], why_zh="读不懂原来的文件") from fault
    _replace(path, new)


def _inserted(old: str, cases: Sequence[Mapping[str, Any]], comment: str) -> str:
    data = YAML().load(old)
    top = isinstance(data, list)
    seq = data if top else data.get("cases") if isinstance(data, Mapping) else None
    lines = old.splitlines()
    if seq is None:
        added = [line for case in cases for line in item(case, 2, comment)]
        return "\n".join([*lines, "cases:", *added]) + "\n"
    if getattr(seq, "fa", None) is not None and seq.fa.flow_style() or not len(seq):
        return _round_trip(data, seq, cases)
    indent = max(seq.lc.item(0)[1] - 2, 0)
    end = len(lines)
    if not top:
        keys = list(data)
        after = keys[keys.index("cases") + 1 :]
        end = data.lc.key(after[0])[0] if after else end
    while end and (not lines[end - 1].strip() or (not top and end < len(lines) and lines[end - 1].startswith("#"))):
        end -= 1
    added = [line for case in cases for line in item(case, indent, comment)]
    return "\n".join([*lines[:end], *added, *lines[end:]]) + "\n"


def _round_trip(data: Any, seq: Any, cases: Sequence[Mapping[str, Any]]) -> str:
    """A list in brackets has no line of its own to add to: ruamel writes the file again, comments and all."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    for case in cases:
        seq_item = YAML().load(flow(case))
        if seq is None or not len(seq) and not hasattr(seq, "append"):
            data["cases"] = [seq_item]
        else:
            seq.append(seq_item)
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue()


def _same_but_more(path: Path, old: str, new: str, more: int) -> None:
    loader = YAML(typ="safe", pure=True)
    loader.allow_duplicate_keys = False
    before, after = loader.load(old), loader.load(new)
    if isinstance(before, Mapping):
        rest = {k: v for k, v in before.items() if k != "cases"}
        kept = {k: v for k, v in after.items() if k != "cases"}
        had, has = before.get("cases") or [], after["cases"]
    else:
        rest, kept, had, has = {}, {}, before, after
    if rest != kept or has[: len(had)] != had or len(has) != len(had) + more:
        raise NoPlaceForCase(file=path.name, why="the file would not say the same", why_zh="写进去以后别处会变")


def _replace(path: Path, text: str) -> None:
    """The whole file or nothing: an interrupted write leaves the old one."""
    beside = path.with_suffix(path.suffix + ".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
