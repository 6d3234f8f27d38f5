"""Property tests draw the same examples in every run of `make test`, so that what lands does not hang on luck;
`make fuzz` draws new ones. What it finds becomes an example of its own beside the property."""

from __future__ import annotations

from flask import Flask
from hypothesis import settings
from jinja2.bccache import Bucket, BytecodeCache

settings.register_profile("same", derandomize=True, database=None)
settings.register_profile("fuzz", derandomize=False, print_blob=True)
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
