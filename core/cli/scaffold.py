"""new: a plugin of one file that verifies and passes its cases at once, ready to be changed."""

from __future__ import annotations

import argparse
import re
from importlib import resources
from pathlib import Path

from siquan.core.cli.reading import print_json
from siquan.core.errors import BadInput, SiquanError


class AlreadyThere(SiquanError):
    """`{path}` exists already"""

    code = "SQ045"
    zh = "`{path}` 已经有了，不覆盖"


def new(args: argparse.Namespace) -> int:
    """Writes NAME.yaml into a folder of the caller's (`SIQUAN_PLUGIN_DIRS` finds it there)."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,40}", args.name):
        raise BadInput(why=f"`{args.name}` 不能作插件名：用小写字母、数字和下划线，字母开头")
    folder = Path(args.folder)
    file = folder / f"{args.name}.yaml"
    if file.exists() or (folder / args.name).exists():
        raise AlreadyThere(path=str(file))
    text = resources.files("siquan.core.cli").joinpath("new.yaml").read_text(encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(text.replace("NAME", args.name).replace("TITLE", args.title or args.name), encoding="utf-8")
    if args.json:
        print_json({"file": str(file)})
    else:
        print(f"{file}\n接下来：siquan verify {file}，siquan test {file}")
    return 0
