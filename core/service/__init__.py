"""The one door: web, API, command line and tests call only `Siquan`."""

from __future__ import annotations

from siquan.core.service.door import Siquan

__all__ = ["Siquan"]
