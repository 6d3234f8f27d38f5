"""Collects the cases of plugins as tests: every `cases/*.yaml`, and one-file plugins."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest


@cache
def _catalogue() -> Any:
    # imported late: this module loads at the start of every pytest run in the environment
    from siquan.core.plugins import discover

    return discover()


def pytest_collect_file(parent: pytest.Collector, file_path: Path) -> pytest.Collector | None:
    if file_path.suffix != ".yaml":
        return None
    in_folder = file_path.parent.name == "cases" and (file_path.parent.parent / "workflows").is_dir()
    one_file = file_path.parent.name == "plugins"
    return CaseFile.from_parent(parent, path=file_path) if in_folder or one_file else None


class CaseFile(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        name = self.path.stem if self.path.parent.name == "plugins" else self.path.parent.parent.name
        spec = _catalogue().plugin(name)
        shown = f"{name}.yaml" if self.path.parent.name == "plugins" else f"{name}/cases/{self.path.name}"
        for process in spec.processes:
            for case in process.cases:
                if case.where is not None and case.where.file == shown:
                    if not case.process or case.process == process.id:
                        full = case if case.process else case.model_copy(update={"process": process.id})
                        yield CaseItem.from_parent(self, name=f"{process.id}: {case.name}", case=full)


class CaseItem(pytest.Item):
    def __init__(self, *, case: Any, **kw: Any) -> None:
        super().__init__(**kw)
        self.case = case

    def runtest(self) -> None:
        from siquan.core.testing.runner import run_case

        problems = run_case(_catalogue(), self.case)
        if problems:
            pytest.fail("\n".join(problems), pytrace=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, (self.case.where.line - 1) if self.case.where else None, self.name
