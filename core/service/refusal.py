"""Why an act is not done: stopped by a rule, a person or a time; facts still missing; texts that cannot be kept."""

from __future__ import annotations

from typing import Any

from siquan.core.errors import BadInput, Refused
from siquan.core.rules.decision import Decision
from siquan.core.rules.facts import CONTROL
from siquan.core.views import Block


class StepRefused(Refused):
    """the step is refused: {why}"""

    code = "SQ410"

    def __init__(self, blocks: list[Block], decisions: list[Decision]) -> None:
        self.blocks, self.decisions = blocks, decisions
        super().__init__(why="；".join(b.message for b in blocks), rules=[b.rule for b in blocks if b.rule])

    def to_json(self, lang: str = "zh") -> dict[str, Any]:
        blocks = [{"kind": b.kind, "rule": b.rule, "message": b.message, "basis": b.basis, "cite": b.cite} for b in self.blocks]
        return {**super().to_json(lang), "blocks": blocks}


class MissingFacts(BadInput):
    """still needed: {why}"""

    code = "SQ423"
    zh = "还要填：{why}"


def check_text(value: Any, most: int, what: str) -> None:
    """Raises BadInput for what is no text, too long, or holds characters no database keeps."""
    if not isinstance(value, str):
        raise BadInput(why=f"{what}应是文字")
    if len(value) > most:
        raise BadInput(why=f"{what}超过 {most} 字")
    if CONTROL.search(value):
        raise BadInput(why=f"{what}含有控制字符")
