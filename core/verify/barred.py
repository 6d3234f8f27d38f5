"""Why a step of an exploration cannot be taken, in words; and which of its steps never can."""

from __future__ import annotations

from collections.abc import Iterable

from siquan.core.engine.definition import Definition
from siquan.core.spec.model import StateSpec
from siquan.core.verify.exploration import Bar, Exploration, Node

#: facts were not supplied before; the other kinds are rules, branches, people
LATE = ("unknown", "time", "needs")


def names(definition: Definition, paths: Iterable[str], lang: str = "zh") -> str:
    if lang == "zh":
        return "、".join(f"“{definition.schema.title(p)}”" for p in list(paths)[:6])
    return ", ".join(f"`{p}`" for p in list(paths)[:6])


def why(definition: Definition, bar: Bar) -> tuple[str, str]:
    """One sentence, Chinese and English."""
    zh, en = names(definition, bar.facts), names(definition, bar.facts, "en")
    match bar.kind:
        case "rule":
            behind = f"（看{zh}）" if zh else ""
            return f"规则 `{bar.rule}` 在这里一定拦下{behind}", f"the rule `{bar.rule}` is bound to stop it" + (f" (it reads {en})" if en else "")
        case "unknown":
            return f"规则 `{bar.rule}` 要用{zh}，到这里还没有人填过", f"the rule `{bar.rule}` needs {en}, which nobody has supplied by then"
        case "time":
            return f"时限 `{bar.rule}` 从{zh}起算，到这里还没有人填过，算不出期满日", f"the deadline `{bar.rule}` counts from {en}, which nobody has supplied by then"
        case "needs":
            return f"到期自动办时没有表单，而{zh}还没有人填过", f"the clock has no form, and nobody has supplied {en}"
        case "nobody":
            return f"该办的人写在{zh}里，到这里还没有人填过", f"the person who may act stands in {en}, which nobody has supplied by then"
    return f"`{bar.rule}` 得出的结果在这里没有去向", f"what `{bar.rule}` comes to leads nowhere here"


def reasons(definition: Definition, bars: Iterable[Bar]) -> tuple[str, str]:
    said = [why(definition, b) for b in dict.fromkeys(bars)][:3]
    return "；".join(s[0] for s in said), "; ".join(s[1] for s in said)


def barred(part: Exploration, state: StateSpec, step: str) -> list[tuple[Node, list[Bar]]]:
    """The nodes of a state where a step cannot be taken, the shortest story first; openings left blank do not count."""
    return [(n, part.bars[n, step]) for n in part.nodes(state.name) if (n, step) in part.bars and not part.blank(n)]


def always(part: Exploration, state: StateSpec, step: str) -> bool:
    found = part.nodes(state.name)
    return bool(found) and all((n, step) in part.bars for n in found)
