"""Property tests draw the same examples in every run of `make test`, so that what lands does not hang on luck;
`make fuzz` draws new ones. What it finds becomes an example of its own beside the property. How long an example takes on
a wall clock says nothing while other tests run beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from hypothesis import settings
from jinja2.bccache import Bucket, BytecodeCache

from siquan.core.demo import load_demo
from siquan.core.home import Home
from siquan.core.plugins import discover

settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.register_profile("fuzz", derandomize=False, print_blob=True, deadline=None)
settings.load_profile("same")


class Compiled(BytecodeCache):
    """Templates compiled once for all the applications that tests make; Jinja looks by itself whether the source is the same."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": Compiled()}


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demo of today, loaded once in a session; whoever writes into it copies it first."""
    folder = tmp_path_factory.mktemp("demo")
    service = Home(folder, f"sqlite:///{folder / 'siquan.db'}").service(discover())
    load_demo(service, folder, password="Demo-2026")
    service.app.store.close()
    return folder
