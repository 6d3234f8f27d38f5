"""Hooks a plugin may implement. A misspelt hook is refused at start-up, never silently ignored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pluggy

hookspec = pluggy.HookspecMarker("siquan")
hookimpl = pluggy.HookimplMarker("siquan")


@hookspec
def siquan_plugin_path() -> Path | None:
    """Folder (or one YAML file) that holds the plugin's data, for a plugin shipped as a wheel. Since 0.1."""


@hookspec
def siquan_fragment_paths() -> Sequence[Path]:
    """Folders with further `NAME/fragment.yaml`, usable by every plugin. Since 0.1."""
    return ()
