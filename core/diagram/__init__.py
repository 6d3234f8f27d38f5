"""Pictures of a process: the state diagram, the progress strip, Mermaid text. No script, no font, no
clock."""

from siquan.core.diagram.alone import alone
from siquan.core.diagram.graph import Edge, Group, Node, Step
from siquan.core.diagram.markup import mermaid
from siquan.core.diagram.picture import draw
from siquan.core.diagram.process import Graph, from_process, main_line
from siquan.core.diagram.progress import strip

__all__ = [
    "Edge",
    "Graph",
    "Group",
    "Node",
    "Step",
    "alone",
    "draw",
    "from_process",
    "main_line",
    "mermaid",
    "strip",
]
