"""Content hashes: what a definition is called once it has been published or pinned."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel

#: texts that only help people read; `say` is meaning and stays in
COSMETIC = {"title", "hint", "help", "icon", "about", "where", "hash", "main", "part", "intents"}


def _strip(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _strip(v) for k, v in value.items() if k not in COSMETIC}
    return [_strip(v) for v in value] if isinstance(value, list) else value


def content_hash(model: BaseModel) -> str:
    """SHA-256 of the model's meaning as canonical JSON; titles, hints and places in files do not count."""
    data = _strip(model.model_dump(mode="json", exclude={"cases", "bases"}))
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
