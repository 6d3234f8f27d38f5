"""Write requirements/*.txt from what is installed in the environment that runs this file (`make lock`).

lock.txt holds what the product needs, dev.txt what the tests need besides, durable.txt the one package that
is built from source and may fail to build without stopping the installation.
"""

from __future__ import annotations

import configparser
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
BUILD = ["setuptools", "wheel"]  # the editable install runs without build isolation
APART = "durable-rules"


def key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(roots: list[str]) -> dict[str, str]:
    """Normalised name -> `Name==version` of everything the roots pull in here."""
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = [Requirement(r) for r in roots]
    while todo:
        wanted = todo.pop()
        mark = (key(wanted.name), frozenset(wanted.extras))
        if mark in seen:
            continue
        seen.add(mark)
        try:
            have = distribution(wanted.name)
        except PackageNotFoundError:
            raise SystemExit(f"`{wanted.name}` is not installed: run `make install` first") from None
        found[key(wanted.name)] = f"{have.metadata['Name']}=={have.version}"
        for line in have.requires or []:
            need = Requirement(line)
            if need.marker is None or any(need.marker.evaluate({"extra": e}) for e in wanted.extras or {""}):
                todo.append(need)
    return found


def write(name: str, note: str, pins: dict[str, str]) -> None:
    head = [f"# {note}", "# Written by `make lock`; change setup.cfg, install, lock again."]
    lines = [*head, *sorted(pins.values(), key=key)]
    (ROOT / "requirements" / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    run = closure(config["options"]["install_requires"].split("\n")[1:] + BUILD)
    dev = closure(config["options.extras_require"]["dev"].split("\n")[1:])
    apart = {k: v for k, v in run.items() if k == APART}
    write("lock.txt", "What Siquan needs to run.", {k: v for k, v in run.items() if k not in apart})
    write("dev.txt", "What the tests need besides lock.txt.", {k: v for k, v in dev.items() if k not in run})
    note = "Built from source (a C compiler, Python headers); without it the compiled reading decides alone."
    write("durable.txt", note, apart)


if __name__ == "__main__":
    main()
