"""A process drawn to stand alone, for a file or a wiki: with its deadlines, what the clock does, and its children."""

from __future__ import annotations

import datetime as dt

from siquan.core.diagram import Graph, alone, from_process
from siquan.core.plugins import Catalogue
from siquan.core.service.words import Words


def whole(catalogue: Catalogue, process: str, lang: str = "zh", on: dt.date | None = None) -> Graph:
    """The graph with its legend; parameters as they are on a day, default the newest. Raises NotFound."""
    spec = catalogue.definition(process).spec
    book = catalogue.book_of(spec.id)
    day = on or book.newest() or dt.date(2026, 1, 1)
    words = Words(catalogue, spec, lang)
    texts = {k.removeprefix(f"{words.short}."): v for k, v in words.texts.items()}
    return from_process(
        spec, lang=lang, texts=texts, children={id: Words(catalogue, d.spec, lang).title for id, d in catalogue.definitions.items()},
        amounts=lambda name: book.value(name, day) if name in book.specs else None,
    )  # fmt: skip


def drawn(catalogue: Catalogue, process: str, kind: str, lang: str) -> tuple[str, str]:
    """(file name, text) of a drawing: `svg` or `mermaid`."""
    graph = whole(catalogue, process, lang)
    return (f"{process}.svg", alone(graph.svg(full=True))) if kind == "svg" else (f"{process}.mmd", graph.mermaid())
