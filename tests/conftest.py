"""Property tests draw the same examples in every run of `make test`, so that what lands does not hang on luck;
`make fuzz` draws new ones. What it finds becomes an example of its own beside the property."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("same", derandomize=True, database=None)
settings.register_profile("fuzz", derandomize=False, print_blob=True)
settings.load_profile("same")
