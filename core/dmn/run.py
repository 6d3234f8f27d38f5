"""A decision model at work: decisions, business knowledge models and decision services, with what they require."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from siquan.core.dmn import model as m
from siquan.core.dmn.boxed import Boxed
from siquan.core.dmn.feel import tree as t
from siquan.core.dmn.feel.evaluate import Ground, Run, Scope, invoke
from siquan.core.dmn.feel.kinds import MISFIT, Kind, fit
from siquan.core.dmn.feel.lexer import FeelFault
from siquan.core.dmn.feel.library import FUNCTIONS
from siquan.core.dmn.feel.names import Names
from siquan.core.dmn.feel.temporal import DateTime
from siquan.core.dmn.feel.values import Function
from siquan.core.dmn.read import BrokenModel
from siquan.core.dmn.table import table
from siquan.core.dmn.types import Types, member_names
from siquan.core.errors import NotFound, Where

BUILT_IN = Names([*FUNCTIONS, "now", "today"])


@dataclass(frozen=True)
class Result:
    """What was decided: a FEEL value, what was noticed on the way, and the rows of each decision table that ran, with
    whether they were hit."""

    value: Any
    notes: tuple[str, ...] = ()
    rows: Mapping[str, Sequence[tuple[str, bool]]] = field(default_factory=dict)


class Bound:
    """One model with its types and the names its expressions may use."""

    def __init__(self, model: m.Model) -> None:
        self.model = model
        self.imports: list[tuple[str, Bound]] = [(name, Bound(other)) for name, other in model.imported]
        self.boxed = Boxed(model.file, Names({n for n in member_names(model) if " " in n or not n.isidentifier()}))

        def read(text: str) -> t.Tests | None:
            return self.boxed.tests(text, BUILT_IN)

        self.types: Types = Types(model, {name: other.types for name, other in self.imports}, read)
        self.boxed.know(self.types)

    def all(self) -> Iterator[Bound]:
        yield self
        for _, other in self.imports:
            yield from other.all()


class Runner:
    """A model, ready to decide. Build it with `Runner(model)`; BrokenModel when decisions require each other in a circle."""

    def __init__(self, model: m.Model) -> None:
        self.model = model
        self._home = Bound(model)
        self._bound: dict[str, Bound] = {full: b for b in self._home.all() for full in b.model.elements}
        self._elements: dict[str, m.Element] = {full: b.model.elements[full] for full, b in self._bound.items()}
        self._runs: dict[str, Run] = {}
        self._acyclic()
        for full, element in self._elements.items():
            if isinstance(element, m.Decision | m.KnowledgeModel):
                self._runs[full] = self._logic(full, element)

    @property
    def faults(self) -> tuple[FeelFault, ...]:
        """Expressions that cannot be read; they are null when they are run."""
        return tuple(f for b in self._home.all() for f in b.boxed.faults)

    @property
    def unknown_types(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(n for b in self._home.all() for n in b.types.unknown))

    def _acyclic(self) -> None:
        done: set[str] = set()
        for start in self._elements:
            path: list[tuple[str, Iterator[str]]] = [(start, iter(self._requires(start)))] if start not in done else []
            busy = {start}
            while path:
                full, rest = path[-1]
                below = next(rest, None)
                if below is None:
                    path.pop()
                    busy.discard(full)
                    done.add(full)
                elif below in busy:
                    element = self._elements[below]
                    where = Where(self._bound[below].model.file, element.line)
                    raise BrokenModel(where, name=element.name, why="it requires itself in a circle", why_zh="它绕了一圈依赖自己")
                elif below not in done:
                    busy.add(below)
                    path.append((below, iter(self._requires(below))))

    def _requires(self, full: str) -> tuple[str, ...]:
        element = self._elements[full]
        return element.requires if isinstance(element, m.Decision) else ()

    # names

    def _reach(self, home: Bound, full: str) -> tuple[str, str]:
        """How an element is written in a model: (name of the import, its own name); "" for the model's own."""
        element = self._elements[full]
        for name, other in home.imports:
            if name and any(b is self._bound[full] for b in other.all()):
                return name, element.variable.name
        return "", element.variable.name

    def _names(self, home: Bound, required: Sequence[str]) -> Names:
        return BUILT_IN.inside([reach[0] or reach[1] for reach in (self._reach(home, full) for full in required)])

    def _logic(self, full: str, element: m.Decision | m.KnowledgeModel) -> Run:
        home = self._bound[full]
        if isinstance(element, m.KnowledgeModel):
            if element.logic is None:
                return lambda scope: None
            names = self._names(home, (*element.knowledge, full))
            return home.boxed.function(element.logic, names, element.name, element.variable.type_ref)
        names = self._names(home, (*element.requires, *element.knowledge))
        if element.logic is None:
            return lambda scope: None
        if isinstance(element.logic, m.Table):
            run = table(home.boxed, element.logic, names, element.name, element.variable.type_ref)
        else:
            run = home.boxed.expression(element.logic, names)
        return home.boxed.typed(run, element.variable.type_ref)

    # running

    def decide(self, name: str, facts: Mapping[str, Any], moment: DateTime | None = None) -> Result:
        """The value of a decision, decision service or business knowledge model. `facts` are FEEL values by name: input
        data, or parameters; those of an imported model as `import.name`. Raises NotFound, EndlessWork."""
        full = self.find(name)
        ground = Ground(FUNCTIONS, moment, name)
        turn = _Turn(self, ground)
        element = self._elements[full]
        if isinstance(element, m.Decision):
            given = {f: facts[key] for key, (f, _) in self.inputs().items() if key in facts}
            value = _Turn(self, ground, given).decision(full)
        else:
            target = turn.function(full)
            value = invoke(ground, target, {key: facts.get(key) for key, _ in target.params}) if target is not None else None
        return Result(value, tuple(ground.notes), ground.rows)

    def find(self, name: str) -> str:
        """The full id of what may be decided under a name; without a name, of the only decision. Raises NotFound."""
        kinds = (m.Decision, m.Service, m.KnowledgeModel)
        own = {full: e for full, e in self.model.elements.items() if isinstance(e, kinds)}
        for kind in kinds:
            for full, e in own.items():
                if isinstance(e, kind) and name in (e.name, e.id):
                    return full
        decisions = [full for full, e in own.items() if isinstance(e, m.Decision)]
        if not name and len(decisions) == 1:
            return decisions[0]
        known = "、".join(f"`{e.name}`" for e in own.values())
        raise NotFound(Where(self.model.file), kind="决策", name=name or "未写明", help=f"可用 {known}" if known else " ")

    def inputs(self) -> dict[str, tuple[str, Kind | None]]:
        """What a caller may give to a decision: name -> full id and kind. Input data of imported models go by the names
        of the imports they come through, `B.A.income`, or by as many of the last words as are needed to tell them apart."""
        out: dict[str, tuple[str, Kind | None]] = {}
        shorter: dict[str, list[str]] = {}
        for chain, full in _chains(self._home):
            element = self._elements[full]
            out[".".join(chain)] = (full, self._bound[full].boxed.kind(element.variable.type_ref))
            for n in range(1, len(chain)):
                shorter.setdefault(".".join(chain[n:]), []).append(".".join(chain))
        for short, longs in shorter.items():
            if short not in out and len({out[long][0] for long in longs}) == 1:
                out[short] = out[longs[0]]
        return out

    def takes(self, name: str) -> dict[str, Kind | None]:
        """What a caller may give to the decision, service or function of that name."""
        full = self.find(name)
        if isinstance(self._elements[full], m.Decision):
            return {key: kind for key, (_, kind) in self.inputs().items()}
        target = _Turn(self, Ground(FUNCTIONS)).function(full)
        return dict(target.params) if target is not None else {}


class _Turn:
    """One evaluation: each decision is decided once."""

    def __init__(self, runner: Runner, ground: Ground, given: Mapping[str, Any] | None = None) -> None:
        self.runner, self.ground = runner, ground
        self.known: dict[str, Any] = {}
        for full, value in (given or {}).items():
            self.known[full] = self._fitted(full, value)

    def _fitted(self, full: str, value: Any) -> Any:
        element = self.runner._elements[full]
        kind = self.runner._bound[full].boxed.kind(element.variable.type_ref)
        found = fit(value, kind)
        if found is MISFIT:
            self.ground.note(f"`{element.name}` 的值不符合类型 `{kind}`，按 null 处理 · `{element.name}` does not conform to `{kind}`")
            return None
        return found

    def value(self, full: str) -> Any:
        if full in self.known:
            return self.known[full]
        match self.runner._elements[full]:
            case m.Decision():
                return self.decision(full)
            case m.KnowledgeModel() | m.Service():
                return self.function(full)
        return None

    def scope(self, full: str, required: Sequence[str]) -> Scope:
        home = self.runner._bound[full]
        names: dict[str, Any] = {}
        for one in required:
            head, own = self.runner._reach(home, one)
            if head:
                names.setdefault(head, {})[own] = self.value(one)
            else:
                names[own] = self.value(one)
        return Scope(self.ground, names)

    def decision(self, full: str) -> Any:
        if full not in self.known:
            element = self.runner._elements[full]
            assert isinstance(element, m.Decision)
            try:
                self.known[full] = self.runner._runs[full](self.scope(full, (*element.requires, *element.knowledge)))
            except RecursionError:
                self.ground.note(f"`{element.name}` 套得太深，得 null · `{element.name}` is nested too deeply")
                self.known[full] = None
        return self.known[full]

    def function(self, full: str) -> Function | None:
        if full not in self.known:
            element = self.runner._elements[full]
            if isinstance(element, m.Service):
                self.known[full] = self._service(full, element)
            else:
                assert isinstance(element, m.KnowledgeModel)
                scope = Scope(self.ground, {})
                found = self.known[full] = self.runner._runs[full](scope)
                # knowledge may name itself and what it requires, also in a circle: functions, not values
                scope.names = {**self.scope(full, element.knowledge).names, element.variable.name: found}
        found = self.known[full]
        return found if isinstance(found, Function) else None

    def _service(self, full: str, spec: m.Service) -> Function:
        order = (*spec.input_data, *spec.input_decisions)
        home = self.runner._bound[full]
        elements = [self.runner._elements[f] for f in order]
        params = tuple((e.variable.name, self.runner._bound[f].boxed.kind(e.variable.type_ref)) for f, e in zip(order, elements, strict=True))

        def run(args: Sequence[Any]) -> Any:
            if len(args) != len(order):
                return None
            turn = _Turn(self.runner, self.ground, dict(zip(order, args, strict=True)))
            outs = {self.runner._elements[f].variable.name: turn.value(f) for f in spec.outputs}
            value = fit(next(iter(outs.values())) if len(outs) == 1 else outs, _plain(home.boxed.kind(spec.variable.type_ref)))
            return None if value is MISFIT else value

        return Function(params, run, label=spec.name)


def _chains(bound: Bound) -> Iterator[tuple[tuple[str, ...], str]]:
    """The input data of a model and of its imports, each with the names that lead to it."""
    for full, element in bound.model.elements.items():
        if isinstance(element, m.InputData):
            yield (element.variable.name,), full
    for name, other in bound.imports:
        yield from (((name, *chain) if name else chain, full) for chain, full in _chains(other))


def _plain(kind: Kind | None) -> Kind | None:
    """The type of what a service gives: its variable may be declared as the function or as its result."""
    return kind.item if kind is not None and kind.name == "function" else kind
