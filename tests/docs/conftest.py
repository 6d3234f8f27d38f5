"""Makes `docpages` importable from the tests beside it, and gives them one demo installation."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demo in it; whoever writes into it copies it first."""
    from docpages import load_demo_into

    folder = tmp_path_factory.mktemp("demo") / "var"
    load_demo_into(folder)
    return folder
