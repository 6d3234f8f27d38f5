"""What a proof did not look into, in words for the person who relies on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from siquan.core.proof.encode import Reading
from siquan.core.rules import tree as t
from siquan.core.rules.say import Sentence


def left_out(readings: Sequence[Reading], nodes: Sequence[Iterable[t.Node]] = ()) -> tuple[str, ...]:
    """One line per expression that was taken as unknown; of each reading only what stands below its `nodes`, if given."""
    out: dict[str, None] = {}
    for n, reading in enumerate(readings):
        sentence = Sentence(reading.ruleset.schema)
        for unread in reading.behind(nodes[n]) if nodes else reading.unread.values():
            out[f"“{sentence.say(unread.node)}”按可能是任何结果处理（{unread.why}）"] = None
        for path in sorted(reading.world.redeclared):
            out[f"“{reading.ruleset.schema.title(path)}”在两版里类型不同，按可能是任何结果处理"] = None
    return tuple(out)
