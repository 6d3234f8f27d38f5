"""Facts that are certainly known when a step is taken: needed, or written by `set:`, on every way that leads there."""

from __future__ import annotations

from siquan.core.engine.definition import Definition
from siquan.core.engine.machine import targets
from siquan.core.plugins import Catalogue
from siquan.core.rules import tree as t
from siquan.core.spec.model import TransitionSpec


class Known:
    """A must-analysis over the graph. A fact that may be stale, a collection (it may be unfinished) and what children
    and parents hold are never certain. That somebody corrects a fact to unknown outside any step is not considered."""

    def __init__(self, definition: Definition, catalogue: Catalogue) -> None:
        self.definition, self.catalogue = definition, catalogue
        names = [s.name for s in definition.spec.states]
        everything = set(definition.schema.specs)
        self.at: dict[str, set[str]] = {n: set(everything) for n in names}
        self.at[definition.spec.initial.name] = set()
        changed = True
        while changed:
            changed = False
            for state in names:
                for step in definition.machine.steps(state):
                    after = self.after(state, step)
                    for goal in targets(step, state):
                        if not self.at[goal] <= after:
                            self.at[goal] &= after
                            changed = True

    def after(self, state: str, step: TransitionSpec) -> set[str]:
        """Known once the step was taken in `state`."""
        gone = {f for f, text in step.set.items() if text.strip() == "null"}
        known = self.at[state] | self._given(step)
        return (known | {f for f, text in step.set.items() if f not in gone and self._writes(f, text, step, known)}) - gone

    def _writes(self, name: str, text: str, step: TransitionSpec, known: set[str]) -> bool:
        """Whether `set:` gives the fact a value for sure."""
        spec = self.definition.schema.get(name)
        plain = spec is not None and spec.type not in ("record", "list") and not spec.max_age
        return plain and self._sure(self.definition.node(text, step.prefix), known, ())

    def _given(self, step: TransitionSpec) -> set[str]:
        out = set()
        for name in step.needs:
            spec = self.definition.schema.get(name)
            # of a record only one field need be given
            if spec is not None and spec.type not in ("record", "list") and not spec.max_age:
                out.add(name)
        return out

    def certain(self, node: t.Node, state: str, step: TransitionSpec) -> bool:
        """Whether the expression has a value for sure when the step's rules are asked."""
        known = self.at[state] | self._given(step)
        return self._sure(node, known, ())

    def _sure(self, node: t.Node, known: set[str], busy: tuple[str, ...]) -> bool:
        for part in t.walk(node):
            if isinstance(part, t.Fact):
                derived = self.definition.derived.get(part.path)
                if part.path in known and not self._may_be_absent(part.path):
                    continue
                if derived is None or part.path in busy or not self._sure(derived, known, (*busy, part.path)):
                    return False
            elif isinstance(part, t.Param):
                lines = self.catalogue.book_of(self.definition.spec.id).specs[part.name].lines
                if not any(not line.place and line.value is not None for line in lines):
                    return False
            elif isinstance(part, t.Arith) and part.op in ("/", "**"):
                return False
        return True

    def _may_be_absent(self, path: str) -> bool:
        spec, record = self.definition.schema.get(path), self.definition.schema.record_of(path)
        return bool(spec and spec.absent or record and record.absent)
