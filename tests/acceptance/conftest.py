"""The demo installation as a newcomer has it: loaded once, copied for each test."""

from __future__ import annotations

import functools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from siquan.core import home as homes
from siquan.core.cli import designing, main
from siquan.core.home import Home
from siquan.core.plugins import discover
from siquan.core.service import Siquan

discover_once = functools.cache(discover)


@pytest.fixture
def demo_home(demo_folder: Path, tmp_path: Path) -> Home:
    folder = tmp_path / "home"
    shutil.copytree(demo_folder, folder)
    return Home(folder, f"sqlite:///{folder / 'siquan.db'}")


@pytest.fixture
def demo(demo_home: Home) -> Iterator[Siquan]:
    service = demo_home.service(discover_once())
    yield service
    service.app.store.close()


@dataclass
class Done:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(demo_home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """`siquan ...` in this process on the demo; the bundled plugins are read once for all tests."""
    monkeypatch.setenv("SIQUAN_HOME", str(demo_home.folder))
    monkeypatch.delenv("SIQUAN_DATABASE_URL", raising=False)
    monkeypatch.delenv("SIQUAN_PLUGIN_DIRS", raising=False)
    monkeypatch.delenv("SIQUAN_LANG", raising=False)

    def found(dirs: Any = (), **more: Any) -> Any:
        return discover(dirs, **more) if dirs or more else discover_once()

    for module in (homes, designing):
        monkeypatch.setattr(module, "discover", found)

    def call(*argv: object) -> Done:
        capsys.readouterr()
        try:
            status = main([str(a) for a in argv])
        except SystemExit as stop:  # argparse
            status = int(stop.code or 0)
        return Done(status, *capsys.readouterr())

    return call


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("SIQUAN_CHROMIUM") or next((p for p in map(shutil.which, names) if p), None)
    if not path:
        pytest.skip("no Chromium on this machine: the pages were not looked at in a browser")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()
