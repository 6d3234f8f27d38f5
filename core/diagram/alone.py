"""A picture for a file of its own: the colours a page gives it are put inside, and it has a size."""

from __future__ import annotations

import re

STYLE = (
    "svg{background:#fff;--sunk:#f5f7fa;--line-2:#98a2b3}text{font-family:system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;fill:#1d2433}"
    ".l2{fill:#4a5468}.l3{fill:#667085}.lb{fill:#b42318}.lt{fill:#7a4b00}.lo{fill:#fff}.bld{font-weight:600}"
    ".nd rect,.nd circle{fill:#fff;stroke:#98a2b3;stroke-width:1.5}.nd.end rect{stroke-width:3}.nd.start rect{stroke:#3d5a98}"
    ".nd.done rect{fill:#eef3fb}.nd.now rect{fill:#fff4e0;stroke:#b26a00;stroke-width:2.5}.nd.bad rect{stroke:#b42318;stroke-dasharray:5 3}"
    ".ed{fill:none;stroke:#667085;stroke-width:1.5}.ed.back{stroke-dasharray:4 4}.ah{fill:#667085}"
)


def alone(svg: str) -> str:
    """The SVG with its own style sheet, as wide as it was drawn."""
    box = re.search(r'viewBox="[\d.\- ]+ ([\d.]+) ([\d.]+)"', svg)
    size = f'width="{box.group(1)}" height="{box.group(2)}"' if box else 'width="100%"'
    sized = svg.replace('width="100%"', size, 1)
    head = sized.index(">") + 1
    return f"{sized[:head]}<style>{STYLE}</style>{sized[head:]}\n"
