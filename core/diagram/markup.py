"""The diagram as Mermaid text, for a README or a wiki that draws it itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from siquan.core.diagram.graph import Edge, Node
from siquan.core.diagram.legend import Note

# What Mermaid reads as its own: full-width twins look alike and mean nothing to it.
_OWN = str.maketrans(':;#"<>{}\n', "：；＃”＜＞｛｝ ")


def mermaid(nodes: Sequence[Node], edges: Sequence[Edge], legend: Sequence[Note] = (), note: str = "") -> str:
    """A `stateDiagram-v2`. Ids lose what Mermaid does not take (`notice.posted` becomes `notice_posted`). Deadlines and
    children stand in notes beside their states, what may happen at any time (`note`) beside the first one."""
    ids: dict[str, str] = {}
    for node in nodes:
        name = re.sub(r"\W", "_", node.id, flags=re.ASCII).strip("_") or "state"
        while name in ids.values() or name in ("state", "end", "note", "class", "direction"):
            name += "_"
        ids[node.id] = name
    out = ["stateDiagram-v2", "  direction LR"]
    out += [f'  state "{(n.title or n.id).translate(_OWN)}" as {ids[n.id]}' for n in nodes]
    if nodes:
        start = next((n for n in nodes if n.kind == "start"), nodes[0])
        out.append(f"  [*] --> {ids[start.id]}")
    for e in edges:
        if e.source in ids and e.target in ids:
            words = f" : {e.label.translate(_OWN)}" if e.label else ""
            out.append(f"  {ids[e.source]} --> {ids[e.target]}{words}")
    leaving = {e.source for e in edges if e.source != e.target}
    out += [f"  {ids[n.id]} --> [*]" for n in nodes if n.kind == "end" and n.id not in leaving]
    said: dict[str, list[str]] = {}
    for one in legend:
        said.setdefault(one.state, []).append(one.text)
    if note and nodes:
        said.setdefault(nodes[0].id, []).append(note)
    for state, texts in said.items():
        if state in ids:
            out.append(f"  note right of {ids[state]}")
            out += [f"    {text.translate(_OWN)}" for text in texts]
            out.append("  end note")
    return "\n".join(out) + "\n"
