"""Who supplies a fact: a form (`needs`, `asks`, `opening`), an Excel column, `set:`, a tally, a derivation, the parent, a child."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from siquan.core.engine.definition import Definition, balance_fact, tally_fact
from siquan.core.plugins import Catalogue
from siquan.core.spec.model import SheetSpec, TransitionSpec

#: what the engine itself knows of a child
OF_CHILD = ("state", "outcome", "")


def transitions(definition: Definition) -> Iterator[TransitionSpec]:
    for state in definition.spec.states:
        yield from state.transitions
    yield from definition.spec.anywhere


class Supply:
    """The sources of one process's facts. Paths are those of `reading`: `a.b`, `rows[].field`, `parent.a`."""

    def __init__(self, definition: Definition, catalogue: Catalogue) -> None:
        self.definition, self.catalogue = definition, catalogue

    @cached_property
    def forms(self) -> set[str]:
        """Facts and records that a form or the process itself gives whole."""
        out = set(self.definition.spec.opening)
        for transition in transitions(self.definition):
            out.update(f for f in (*transition.needs, *transition.asks) if not self._collection(f))
            out.update(f for f, text in transition.set.items() if text.strip() != "null")
        return out | set(self.definition.derived)

    @cached_property
    def columns(self) -> set[str]:
        """Paths that an import gives; `rows[].field` for collections."""
        spec, out = self.definition.spec, set()
        parent = self.catalogue.definitions.get(spec.child_of.process) if spec.child_of else None
        for sheet in (*spec.sheets, *(parent.spec.sheets if parent else ())):
            here = sheet in spec.sheets
            if here and self._collection(sheet.target):
                out.add(sheet.target)
                out.update(f"{sheet.target}[].{c.fact or c.finding}" for c in sheet.columns if c.fact or c.finding)
            elif self._of_child(sheet, here):
                out.update(c.fact or c.finding for c in sheet.columns if c.fact or c.finding)
        return out

    @cached_property
    def tallied(self) -> set[str]:
        out = set()
        for tally in self.definition.spec.tallies:
            out.add(tally.name)
            for field in tally_fact(tally.name).fields:
                out.add(f"{tally.name}.{field.name}")
                out.update(f"{tally.name}.{field.name}[].{f.name}" for f in field.fields)
        for balance in self.definition.spec.balances:
            out |= {balance.name, *(f"{balance.name}.{f.name}" for f in balance_fact(balance.name).fields)}
        return out

    def _collection(self, name: str) -> bool:
        spec = self.definition.schema.get(name)
        return spec is not None and spec.collection

    def _of_child(self, sheet: SheetSpec, here: bool) -> bool:
        link = self.definition.spec.child_of
        if link is None:
            return False
        return sheet.target == link.name or here and sheet.target in ("self", self.definition.spec.id.rpartition(".")[2])

    def gives(self, path: str) -> bool:
        """Whether anything ever supplies the fact at `path`, or any field of the record there."""
        if path.startswith("parent."):
            return self._parent(path[7:])
        for name, child in self.definition.children.items():
            if path == name:
                return True
            if path.startswith(f"{name}[]."):
                field = path[len(name) + 3 :]
                return field in OF_CHILD or Supply(self.catalogue.definitions[child], self.catalogue).gives(field)
        if path in self.columns or path in self.tallied:
            return True
        whole = path.partition("[].")[0]
        parts = whole.split(".")
        if any(".".join(parts[:n]) in self.forms for n in range(1, len(parts) + 1)):
            return True
        below = f"{path}." if "[]." not in path else path + "."
        return any(other.startswith(below) for other in (*self.forms, *self.columns, *self.tallied))

    def _parent(self, path: str) -> bool:
        link = self.definition.spec.child_of
        parent = self.catalogue.definitions.get(link.process) if link else None
        if parent is None or link is None:
            return True
        prefix = link.name.rpartition(".")[0]
        full = f"{prefix}.{path}" if prefix and f"{prefix}.{path.partition('[]')[0]}" in parent.scope.facts else path
        return Supply(parent, self.catalogue).gives(full)
